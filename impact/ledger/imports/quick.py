"""The quick way of taking events in: rows without anything odd, column by column, with the digest they would get."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import repeat
from typing import Any, NamedTuple

from uuid_utils import uuid7

from impact.ledger.amounts import LARGEST
from impact.ledger.imports.file import Chunk
from workspaces.identifiers import ID_BYTES, INVISIBLE
from workspaces.strict import FIRST, LAST

# names of the columns of an event that say what it is and how much
LABELS = {"outcome": ("type", "value"), "cost": ("category", "amount")}
# an id that JSON writes as it is: of the letters that most have, so short that it fits, or any
SHORT_ID = re.compile(r"[!#-\[\]-~]{1,200}")
PLAIN_ID = re.compile(rf'[^ "\\{INVISIBLE}](?:[^"\\{INVISIBLE}]*[^ "\\{INVISIBLE}])?')
PLAIN_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?")
# of so many characters at most 15 are digits, and those a double holds exactly
LONGEST_NUMBER = 16
BOOLEANS = {None: "false", "": "false", "false": "false", "true": "true", False: "false", True: "true"}


class Event(NamedTuple):
    """An event that is to be stored; ``line`` is its columns as COPY takes them."""

    source: str
    event_id: str
    place: int
    line: str


# what the line holds, and what a COPY takes into its staging table
COLUMNS = (
    "source", "event_id", "place", "id", "digest", "unit_id", "occurred_at", "relates_to", "label", "amount",
    "currency", "estimated",
)  # fmt: skip


def events(kind: str, chunk: Chunk, currency: str, latest: datetime) -> list[Event]:
    """The chunk's rows that would be stored as they are if nobody had sent them before; the others look odd.

    ``latest`` is the time after which an event lies in the future, ``currency`` the only one that is counted in.
    """
    label_name, amount_name = LABELS[kind]
    columns = chunk.columns
    if not columns or any(columns.get("at", ())):
        return []
    names = (
        "source", "event_id", "unit_id", "decision_id", label_name, amount_name, "currency", "occurred_at",
        "relates_to", "estimated",
    )  # fmt: skip
    cells = zip(*(columns.get(name) or repeat(None, len(chunk.numbers)) for name in names), strict=False)
    # what repeats is looked at once
    frames: dict[tuple[Any, ...], tuple[str, str, str] | None] = {}
    amounts: dict[Any, str | None] = {}
    utc = Clock(latest)
    found: list[Event] = []
    for place, (source, event_id, unit_id, decision, label, amount, money, at, relates_to, estimated) in enumerate(
        cells
    ):
        key = (source, label, money, estimated)
        if key not in frames:
            frames[key] = _frame(kind, source, label, money, estimated, currency)
        if amount not in amounts:
            amounts[amount] = written(amount)
        frame, number, when = frames[key], amounts[amount], utc(at)
        if frame is None or number is None or when is None or decision:
            continue
        if not (plain(event_id) and plain(unit_id)) or (relates_to and not plain(relates_to)):
            continue
        before, between, after = frame
        related = f'"{relates_to}"' if relates_to else "null"
        content = f'{before}{event_id}","occurred_at":"{when}","relates_to":{related}{between}{unit_id}"'
        content = f'{{"amount":{number},{content}}}' if kind == "cost" else f'{{{content},"value":{number}}}'
        digest = sha256(content.encode()).hexdigest()
        line = (
            f"{source}\t{event_id}\t{place}\t{uuid7()}\t{digest}\t{unit_id}\t{when}\t{relates_to or ''}\t{label}\t"
            f"{number}\t{after}\n"
        )
        found.append(Event(source, event_id, place, line))
    return found


def _frame(
    kind: str, source: Any, label: Any, money: Any, estimated: Any, currency: str
) -> tuple[str, str, str] | None:
    """What stands before the event id, between time and unit, and at the end of the line; None if that is odd."""
    said = BOOLEANS.get(estimated)
    if not (plain(source) and plain(label)) or said is None or (money and money != currency):
        return None
    quoted = f'"{money}"' if money else "null"
    if kind == "cost":
        before = (
            f'"at":null,"category":"{label}","currency":{quoted},"decision_id":null,"estimated":{said},"event_id":"'
        )
        return (before, f',"source":"{source}","unit_id":"', f"{money}\t{said}") if money else None
    before = f'"at":null,"currency":{quoted},"decision_id":null,"event_id":"'
    return before, f',"source":"{source}","type":"{label}","unit_id":"', f"{money or ''}\tfalse"


def plain(text: str | None) -> bool:
    """Whether the id can be taken as it is."""
    if not text:
        return False
    if SHORT_ID.fullmatch(text):
        return True
    return PLAIN_ID.fullmatch(text) is not None and len(text.encode()) <= ID_BYTES


def written(amount: Any) -> str | None:
    """How JSON writes the number, if it is plainly one."""
    if type(amount) is str:
        if len(amount) > LONGEST_NUMBER or not PLAIN_NUMBER.fullmatch(amount):
            return None
        return repr(float(amount) + 0.0)
    if type(amount) is not float or not math.isfinite(amount) or abs(amount) >= LARGEST:
        return None
    text = repr(amount + 0.0)
    return text if len(text) <= LONGEST_NUMBER else None


class Clock:
    """How a time is stored, if it is plainly one and not in the future."""

    def __init__(self, latest: datetime) -> None:
        self.latest, self.days = latest, {"": False}
        self.latest_text = latest.astimezone(UTC).isoformat()[:19]

    def __call__(self, text: str | None) -> str | None:
        found = PLAIN_TIME.fullmatch(text) if text else None
        if not found:
            return None
        day, hour, fraction, zone = found.groups()
        if day not in self.days:
            self.days[day] = _is_day(day)
        if not self.days[day]:
            return None
        if fraction or zone != "Z":
            return self._elsewhere(str(text))
        when = f"{day}T{hour}"
        return f"{when}+00:00" if when < self.latest_text else self._elsewhere(str(text))

    def _elsewhere(self, text: str) -> str | None:
        try:
            at = datetime.fromisoformat(text)
            return at.astimezone(UTC).isoformat() if FIRST <= at <= self.latest and at < LAST else None
        except (ValueError, OverflowError):
            return None


def _is_day(text: str) -> bool:
    try:
        return FIRST.date() <= date.fromisoformat(text) < LAST.date()
    except ValueError:
        return False


def without(found: Sequence[Event], keys: set[tuple[Any, Any]]) -> list[Event]:
    """Those whose like doesn't take the slow way: of rows of one event the first must stay the first."""
    return [event for event in found if event[:2] not in keys] if keys else list(found)
