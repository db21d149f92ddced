"""Every act that the audit chain may tell of has a Japanese word."""

from __future__ import annotations

import re
from pathlib import Path

from experiments.services.lifecycle import STEPS
from impact.figures.words.acts import ACTS, act
from workspaces.models.people import SignsFor

ROOT = Path(__file__).parents[2]
FOLDERS = ("workspaces", "predictions", "experiments", "impact")
SOURCES = [path.read_text(encoding="utf-8") for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
# how an act is written where it is recorded, and a kind where it is declared
WRITTEN = r'\b(?:action=|_record\(\w+, |_kept\(found, [\w.]+, )"([a-z ]+)"'
DECLARED = r'\b(?:declare_version|declare_row|noted)\(\s*"([a-z ]+)"'


def test_every_act_has_a_word() -> None:
    chained = [text for text in SOURCES if re.search(r"\b(audit|record)\b", text)]
    written = {found for text in chained for found in re.findall(WRITTEN, text)}
    kinds = {found for text in SOURCES for found in re.findall(DECLARED, text)}
    assert {"waive check", "sign report", "claim benefit", "import"} <= written and {"metric", "experiment"} <= kinds
    steps = {f"{step} experiment" for step in STEPS}
    signed = {f"sign agreement for {one}" for one in SignsFor.values}
    due = written | steps | signed | {f"declare {kind}" for kind in kinds}
    assert due <= set(ACTS), sorted(due - set(ACTS))


def test_english_is_as_it_is_stored() -> None:
    assert (act("waive check", "en"), act("waive check", "ja")) == ("waive check", "検査の免除")
    assert act("something new", "ja") == "something new"
