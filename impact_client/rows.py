"""What is asked and told, and what Impact answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

import msgspec

Row = dict[str, Any]


def new_event_id() -> str:
    """Return an id that nobody else makes; ids sort by the time they were made."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said of a unit, and when: ``predicted_at`` stays as it was, however late it is delivered."""

    model: str
    version: str
    score: float
    predicted_at: datetime
    features: Mapping[str, float | bool | str | None] = {}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which action for this unit? Asked again with the same event id it gets the same answer."""

    decision_point: str
    unit_id: str
    prediction: Prediction
    cluster_id: str | None = None
    segment: str | None = None
    event_id: str = msgspec.field(default_factory=new_event_id)


class Action(msgspec.Struct, frozen=True):
    key: str
    parameters: dict[str, Any] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The action to take, whatever the mode; a fallback of this client has no ``decision_id`` and was ``spooled``."""

    unit_id: str
    action: Action
    mode: str
    propensity: float
    probabilities: dict[str, float]
    decided_at: datetime
    ineligible: dict[str, str] = {}
    matures_at: datetime | None = None
    decision_id: str | None = None
    experiment: str | None = None
    arm: str | None = None
    replayed: bool = False
    spooled: Row = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, after a decision (the answer or its id) or to a unit."""

    call: ClassVar[str]
    occurred_at: datetime
    decision: Decision | str | None = None
    event_id: str = msgspec.field(default_factory=new_event_id)


class Execution(Event, frozen=True, kw_only=True):
    call: ClassVar[str] = "executions"
    status: Literal["activated", "delivered", "accepted", "declined", "failed", "overridden", "expired"]
    executed_action: str | None = None
    actor: str | None = None
    reason: str | None = None
    external_ref: str | None = None


class Outcome(Event, frozen=True, kw_only=True):
    call: ClassVar[str] = "outcomes"
    type: str
    value: float | Decimal | str
    unit_id: str | None = None
    currency: str | None = None
    relates_to: str | None = None


class Cost(Event, frozen=True, kw_only=True):
    call: ClassVar[str] = "costs"
    category: str
    amount: Decimal | str
    currency: str
    unit_id: str | None = None
    estimated: bool = False
    relates_to: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row of a batch."""

    status: str
    id: str | None = None
    code: str = ""
    detail: str = ""
    pointer: str = ""
    decision: Decision | None = None


class Record(msgspec.Struct, frozen=True):
    """One row on its way; ``about`` is the spooled decision that an event is about, since that has no id yet."""

    call: str
    row: Row
    about: Row
    written_at: str


def record_of(call: str, row: Row, about: Row | None = None) -> Record:
    return Record(call, row, about or {}, datetime.now(UTC).isoformat())


def row_of(source: str, content: Question | Event) -> Row:
    """Say a question or an event as Impact reads it; what isn't known is left out."""
    zoned(content.prediction.predicted_at if isinstance(content, Question) else content.occurred_at)
    row = {name: value for name, value in plain(content).items() if value is not None and name != "decision"}
    return {"source": source, **row}


def zoned(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"time == {at.isoformat()}, must have a zone")
    return at


def plain(content: Any) -> Any:
    """Turn content into what JSON has: numbers of numpy become Python's, NaN becomes nothing."""
    return msgspec.json.decode(msgspec.json.encode(content, enc_hook=lambda value: value.item()))
