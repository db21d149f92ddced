"""import_facts: a file of facts from the command line, counted, with its reasons."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from impact.ledger.models import Outcome
from tests.ledger.imports.files import csv_of, outcome
from workspaces.models import Workspace


def told(*arguments: object) -> str:
    out = StringIO()
    call_command("import_facts", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def test_works_and_replays(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_bytes(csv_of([outcome("a"), outcome("b"), outcome("c", value="bad")]))
    said = told(file, "--kind", "outcomes")
    assert "2 accepted, 0 duplicate, 0 quarantined, 1 rejected" in said
    reasons = Path(said.split("row by row: ")[1].strip())
    assert "c" in reasons.read_text(encoding="utf-8").splitlines()[1]
    assert told(file, "--kind", "outcomes") == said
    assert Outcome.objects.within(workspace).count() == 2


@pytest.mark.parametrize(("kind", "said"), [("outcomes", "'type' is missing"), ("jokes", "invalid choice")])
def test_refuses(workspace: Workspace, tmp_path: Path, kind: str, said: str) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text("source,event_id\n", encoding="utf-8")
    with pytest.raises(CommandError, match=said):
        told(file, "--kind", kind)


def test_a_file_that_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(CommandError, match="check the path"):
        told("nowhere.csv", "--kind", "outcomes")
