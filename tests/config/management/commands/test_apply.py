"""manage.py apply: shows what changes, changes it once, and says in which line what is wrong."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from experiments.models import Experiment
from predictions.models import PredictionModel
from tests.conftest import DECLARED
from workspaces.models import AuditEntry, Workspace

CHURN = DECLARED / "churn.yaml"


def apply(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("apply", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_declares_once(workspace: Workspace) -> None:
    first = apply(str(CHURN))
    assert "+ model churn" in first and "+ experiment offers" in first
    assert first[-1] == "= 0 unchanged"
    entries = AuditEntry.objects.count()
    assert apply(str(CHURN)) == [f"= {len(first) - 1} unchanged"]
    assert AuditEntry.objects.count() == entries


def test_shows_what_a_field_was_and_is(workspace: Workspace, tmp_path: Path) -> None:
    apply(str(CHURN))
    changed = tmp_path / "changed.yaml"
    changed.write_text(CHURN.read_text().replace("name: Churn\n    target", "name: Leaving\n    target"))
    lines = apply(str(changed))
    assert lines[:2] == ["~ model churn", "    name: Churn -> Leaving"]


def test_a_dry_run_writes_nothing(workspace: Workspace) -> None:
    entries = AuditEntry.objects.count()
    lines = apply(str(CHURN), "--dry-run")
    assert "+ experiment offers" in lines and lines[-1].endswith("nothing was written (--dry-run)")
    assert not Experiment.objects.exists() and not PredictionModel.objects.exists()
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: [{key: churn}]", "line 1, models[0]"),
        ("actions:\n  - {key: a, name: A}\n  - {key: b, name: B, colour: red}", "line 3, actions[1]"),
        ("colours: []", "'colours' is unknown"),
        ("models: {key: churn}", "models must be a list"),
        ("- a\n- b", "write lists"),
        ("", "write lists"),
        ("models: [", "is not YAML"),
        ("models: \x00", "is not YAML"),
    ],
)
def test_says_where_what_is_wrong(workspace: Workspace, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(CommandError) as error:
        apply(str(CHURN), str(file))
    assert said in str(error.value) and str(file) in str(error.value)
    assert not PredictionModel.objects.exists()


def test_a_file_that_is_missing_is_named(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.yaml: No such file or directory; check the path"):
        apply(str(tmp_path / "none.yaml"))


def test_of_several_workspaces_one_must_be_named(workspace: Workspace, other_workspace: Workspace) -> None:
    with pytest.raises(CommandError, match=r"several workspaces \(mobile, other\)"):
        apply(str(CHURN))
    apply(str(CHURN), "--workspace", "other")
    assert Experiment.objects.get().workspace == other_workspace
    with pytest.raises(CommandError, match="no workspace 'shop'; make it with create_workspace shop"):
        apply(str(CHURN), "--workspace", "shop")


def test_without_a_workspace_it_says_how_to_make_one(db: None) -> None:
    with pytest.raises(CommandError, match="make one with create_workspace KEY"):
        apply(str(CHURN))
