"""What the columns hold: said of every field of a model by its place, before the database says it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from experiments.models import Action, Arm, Experiment, Holdout
from impact.config.declarations import apply_files
from predictions.models import PredictionModel
from workspaces.errors import Refusal
from workspaces.limits import check_fields
from workspaces.models import Workspace
from workspaces.strict import unstorable


@pytest.mark.parametrize(
    ("model", "content", "said"),
    [
        (
            Action,
            {"name": "x" * 201},
            "name has 201 characters, at most 200 are kept; shorten 'xxxxxxxxxxxxxxxxxxxx'...",
        ),
        (Action, {"fixed_cost": -1.0}, "fixed_cost == -1.0, must be at least 0"),
        (Action, {"contingent_cost": 1e13}, "contingent_cost == 10000000000000.0, must be below 10,000,000,000,000.0"),
        (Action, {"acceptance_share": 1.5}, "acceptance_share == 1.5, must be at most 1"),
        (PredictionModel, {"horizon_days": 0.0}, "horizon_days == 0.0, must be above 0"),
        (PredictionModel, {"monthly_cost": -1.0}, "monthly_cost == -1.0, must be at least 0"),
        (Arm, {"weight": 2**31}, "weight == 2147483648, must be at most 2,147,483,647"),
        (Holdout, {"share_ppm": 0}, "share_ppm == 0, must be at least 1"),
    ],
)
def test_refuses(model: Any, content: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check_fields(model, content)
    assert (refusal.value.code, refusal.value.detail) == ("invalid-declaration", said)
    assert refusal.value.pointer == f"/{next(iter(content))}"


def test_a_field_is_called_as_in_its_declaration() -> None:
    with pytest.raises(Refusal, match="traffic == 0") as refusal:
        check_fields(Experiment, {"traffic_ppm": 0}, {"traffic_ppm": "/traffic"}, within="/experiments/1")
    assert refusal.value.pointer == "/experiments/1/traffic"


def test_what_fits_passes() -> None:
    check_fields(Action, {"name": "x" * 200, "fixed_cost": 0.0, "acceptance_share": 1.0, "no_action": True})
    check_fields(PredictionModel, {"monthly_cost": None, "horizon_days": 0.001, "features": {"plan": "text"}})


@pytest.mark.parametrize("value", [None, True, 1, -1.5, "é🚗\n", datetime(2026, 1, 1), {"a": [1, {"b": None}]}])
def test_what_can_be_stored(value: Any) -> None:
    assert unstorable(value) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a\x00", "a NUL or half a surrogate pair; take it out"),
        ({"a\ud800": 1}, "a NUL or half a surrogate pair; take it out"),
        ([[float("nan")]], "the value nan; write a number"),
        ({"a": float("-inf")}, "the value -inf; write a number"),
        ({"from": date(2026, 1, 1)}, "datetime.date(2026, 1, 1); write it in quotes"),
    ],
)
def test_what_cant_be_stored(value: Any, said: str) -> None:
    assert unstorable(value) == said


@pytest.mark.parametrize(
    ("action", "place"),
    [
        (r'{key: a, name: "A\0"}', "line 2, actions[0] (name): name has a NUL"),
        ("{key: a, name: A, parameters: {until: 2026-01-01}}", "(parameters): parameters has datetime.date"),
        ("{key: a, name: A, parameters: {gb: .nan}}", "(parameters): parameters has the value nan"),
        ("{key: a, name: A, cost: {fixed: .inf}}", "(cost.fixed): fixed has the value inf"),
        ("{key: a, name: A, lead_time_hours: .nan}", "(lead_time_hours): lead_time_hours has the value nan"),
    ],
)
def test_a_file_says_the_place(workspace: Workspace, tmp_path: Path, action: str, place: str) -> None:
    file = tmp_path / "declared.yaml"
    file.write_text(f"actions:\n  - {action}\n")
    with pytest.raises(Refusal) as refusal:
        apply_files(workspace, [file], "test")
    assert place in refusal.value.detail
