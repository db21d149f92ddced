"""The churn experiment of declared/churn.yaml in other designs: what differs is said, the rest stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from experiments.models import Experiment
from experiments.selectors import experiment_named
from impact.config.declarations import apply_files
from tests.conftest import DECLARED, START, Caller, decision_row, started
from workspaces.declarations import Change
from workspaces.models import Workspace

CHURN = yaml.safe_load((DECLARED / "churn.yaml").read_text(encoding="utf-8"))
(POINT,) = CHURN["decision_points"]
(EXPERIMENT,) = CHURN["experiments"]
(AGREEMENT,) = CHURN["agreements"]
THREE_ARMS = [{"action": "none"}, {"action": "bonus"}, {"action": "credit"}]
# no action, any eligible action, the best single one, today's rule, what the model says pays
LADDER = [
    one | {"decision_point": "offer", "role": "benchmark"}
    for one in (
        {"key": "nobody", "kind": "fixed", "action": "none"},
        {"key": "anything", "kind": "random"},
        {"key": "everybody", "kind": "fixed", "action": "bonus"},
        {"key": "todays-rule", "kind": "bands", "bands": [{"from": 0.5, "action": "bonus"}]},
        {
            "key": "what-pays",
            "kind": "expected_value",
            "inputs": {
                "at_stake": 300,
                "actions": {"bonus": {"effect": 0.1, "cost": 2}, "credit": {"effect": 0.2, "cost": 8}},
            },
        },
    )
]
LADDER_ARMS = [{"policy": policy["key"]} for policy in LADDER]


def apply(workspace: Workspace, folder: Path, **lists: list[Any]) -> list[Change]:
    """Declare these lists by a file."""
    file = folder / "declared.yaml"
    file.write_text(yaml.safe_dump(lists, allow_unicode=True), encoding="utf-8")
    return apply_files(workspace, [file], "test")


def declared(
    workspace: Workspace, folder: Path, *, point: Any = None, experiment: Any = None, **lists: list[Any]
) -> Experiment:
    """Declare the churn experiment with these changes of its decision point and of itself, and more lists."""
    changed = {"decision_points": [POINT | (point or {})], "experiments": [EXPERIMENT | (experiment or {})]}
    apply(workspace, folder, **CHURN | changed | lists)
    return experiment_named(workspace, "offers")


def running_with(
    workspace: Workspace, folder: Path, *, point: Any = None, experiment: Any = None, **lists: list[Any]
) -> Experiment:
    """Declare, sign and start it."""
    return started(workspace, declared(workspace, folder, point=point, experiment=experiment, **lists))


def decide(api: Caller, unit: str, score: float = 0.3, *, day: float = 0, **more: Any) -> Any:
    """One decision about a unit, so many days after the start."""
    row = decision_row(unit, score, event=f"{unit}/{day}", at=START + timedelta(days=day), **more)
    answer = api.post("/decisions", row)
    assert answer.status_code == 200, answer.body
    return answer.body


def told(answer: Any) -> tuple[str, str, float, str | None]:
    return answer["mode"], answer["action"]["key"], answer["propensity"], answer["arm"]


def unit_of(api: Caller, arm: str, **more: Any) -> str:
    """The first unit that the experiment gives this arm."""
    for number in range(64):
        if decide(api, f"u{number}", **more)["arm"] == arm:
            return f"u{number}"
    raise AssertionError(f"no unit got {arm}")
