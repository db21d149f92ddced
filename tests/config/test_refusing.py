"""Refusals are found in the source, all of them: none that a page shows escapes translation."""

from __future__ import annotations

import ast
import re

import pytest

from impact.config import refusing
from impact.config.environment import ROOT
from impact.config.refusing import refusals

# what a refusing call may hand on: a text of the catalogue of pages, or what another call refused
HANDED_ON = re.compile(
    r"_\(|said( %|$)|(problem|remedy|detail|cell|message)$|str\(error\)|(refusal|one|value)\.detail|next\(\(problem "
    r"|' '\.join\(error\.messages\)|f'\{action!r\}'|f'\{self\.name\} \{detail\}\.'"
)
# where a refusal reaches a page
SHOWN = re.compile(r"(messages\.error|add_error|_data|_shown)\(.*(refusal\.detail|taken\.detail|str\(error\))")


def test_finds_texts_values_branches_and_parts() -> None:
    found = {text for _, text in refusals()}
    assert {
        "send either unit_id or decision_id",
        "{key!r} stands twice; name it once",
        "{called} == {value}, must be at least {bound}",
        "no cluster",
        "decision point",
        "a NUL or half a surrogate pair; take it out",
        "time_zone == {time_zone!r} is no zone like Europe/Berlin",
    } <= found


def test_no_refusing_call_escapes() -> None:
    escaped = []
    for path in refusing._sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = refusing._assigned(tree)
        for node in refusing._said(tree):
            if not any(refusing._texts(node, assigned)) and not HANDED_ON.match(ast.unparse(node)):
                escaped.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert escaped == []


@pytest.mark.parametrize("folder", ["workspaces", "impact/ledger", "impact/reports", "impact/dashboard"])
def test_pages_say_refusals_in_the_readers_language(folder: str) -> None:
    raw = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if SHOWN.search(line) and "in_words(" not in line
    ]
    assert raw == []
