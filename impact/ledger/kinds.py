"""Every kind of fact: the shape of its rows, the service that logs them, and what it is called in lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from experiments.rows import DecisionRow, ExecutionRow
from experiments.services.decide import decide
from experiments.services.executions import log_executions
from impact.ledger.rows import CostRow, OutcomeRow
from impact.ledger.services import log_costs, log_outcomes
from predictions.rows import PredictionRow
from predictions.services import log_predictions
from workspaces.models import Workspace
from workspaces.services.facts import Taken
from workspaces.strict import Row


class Kind(NamedTuple):
    many: str
    row: type[Row]
    log: Callable[..., list[Taken]]


def _decide(*, workspace: Workspace, raw: list[Any]) -> list[Taken]:
    return decide(workspace=workspace, raw=raw).taken


KINDS = {
    "prediction": Kind("predictions", PredictionRow, log_predictions),
    "decision": Kind("decisions", DecisionRow, _decide),
    "execution": Kind("executions", ExecutionRow, log_executions),
    "outcome": Kind("outcomes", OutcomeRow, log_outcomes),
    "cost": Kind("costs", CostRow, log_costs),
}
# a file about decisions has its own way, which answers with their actions
IMPORTED = {kind.many: name for name, kind in KINDS.items() if name != "decision"}
