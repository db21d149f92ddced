"""Declarative files: what may stand in them, in which order it is declared, and where an error is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from impact.agreements.declarations import DECLARATIONS as OF_AGREEMENTS
from impact.ledger.declarations import DECLARATIONS as OF_THE_LEDGER
from impact.reports.declarations import DECLARATIONS as OF_REPORTS
from workspaces.declarations import Change
from workspaces.errors import Refusal
from workspaces.models import Workspace
from workspaces.strict import convert

DECLARATIONS = (*OF_THE_LEDGER, *OF_AGREEMENTS, *OF_REPORTS)


class DryRun(Exception):
    """Undoes what a dry run did."""


def apply_files(workspace: Workspace, paths: Sequence[Path], actor: str, *, dry_run: bool = False) -> list[Change]:
    """Declare everything the files hold, all of it or nothing, and return what that changed."""
    changes: list[Change] = []
    documents = [(path, *_read(path)) for path in paths]
    try:
        with transaction.atomic():
            for declaration in DECLARATIONS:
                for path, document, tree in documents:
                    for place, item in enumerate(document.get(declaration.name) or []):
                        try:
                            declared = convert(item, declaration.shape)
                            changes.append(declaration.declare(workspace, declared, actor))
                        except Refusal as refusal:
                            raise _placed(refusal, path, tree, declaration.name, place) from refusal
            if dry_run:
                raise DryRun
    except DryRun:
        pass
    return changes


def _read(path: Path) -> tuple[dict[str, Any], yaml.Node]:
    try:
        text = path.read_text(encoding="utf-8")
        document, tree = yaml.load(text, Loader=yaml.SafeLoader), yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise Refusal("bad-file", f"{path}: {error.strerror}; check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refusal("bad-file", f"{path} is not YAML in UTF-8: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or tree is None:
        raise Refusal("bad-file", f"{path} line 1: write lists like 'actions:' with their items")
    known = [declaration.name for declaration in DECLARATIONS]
    for name, items in document.items():
        if name not in known:
            line = _line(tree, [name])
            raise Refusal("bad-file", f"{path} line {line}: {name!r} is unknown; known are {', '.join(known)}")
        if not isinstance(items, list | None):
            raise Refusal("bad-file", f"{path} line {_line(tree, [name])}: {name} must be a list of items")
    return document, tree


def _placed(refusal: Refusal, path: Path, tree: yaml.Node, name: str, place: int) -> Refusal:
    """Say the refusal with file and line."""
    parts = [part for part in refusal.pointer.split("/") if part]
    line = _line(tree, [name, str(place), *parts])
    pointer = f" ({'.'.join(parts)})" if parts else ""
    return Refusal(refusal.code, f"{path} line {line}, {name}[{place}]{pointer}: {refusal.detail}", refusal.pointer)


def _line(node: yaml.Node, parts: Sequence[str]) -> int:
    """Line of the deepest node on the way that exists."""
    line = node.start_mark.line + 1
    for part in parts:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
            if found is None:
                break
            node, line = found[1], found[0].start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            break
    return line
