"""Decisions and executions as clients send them, and the answer to a decision."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from predictions.rows import Scored
from workspaces.strict import Id, Key, Row, Strict, Text, Time


class Forced(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action that was settled elsewhere: there was no capacity, a person chose, Impact couldn't be asked."""

    mode: Literal["forced_capacity", "manual", "fallback"]
    action: Key
    reason: Text = ""


class DecisionRow(Row, frozen=True, kw_only=True):
    """One unit and what its model says of it: which action?"""

    decision_point: Key
    unit_id: Id
    prediction: Scored
    cluster_id: Id | None = None
    segment: Id | None = None
    forced: Forced | None = None


class ExecutionRow(Row, frozen=True, kw_only=True):
    """What was really done about a decision."""

    decision_id: Id
    status: Literal["activated", "delivered", "accepted", "declined", "failed", "overridden", "expired"]
    occurred_at: Time
    executed_action: Key | None = None
    actor: Id | None = None
    reason: Text | None = None
    external_ref: Id | None = None


class ChosenAction(msgspec.Struct):
    key: str
    parameters: dict[str, Any]


class DecisionAnswer(msgspec.Struct):
    """The action to take, how it was chosen, and with what probability."""

    decision_id: str
    unit_id: str
    action: ChosenAction
    mode: str
    experiment: str | None
    arm: str | None
    propensity: float
    probabilities: dict[str, float]
    ineligible: dict[str, str]
    decided_at: str
    matures_at: str
    replayed: bool
