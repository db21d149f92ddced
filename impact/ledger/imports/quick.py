"""The quick way of taking events in: rows without anything odd, column by column, with the digest they would get."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
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
# an id that JSON writes as it is
PLAIN_ID = re.compile(rf'[^ "\\{INVISIBLE}](?:[^"\\{INVISIBLE}]*[^ "\\{INVISIBLE}])?')
PLAIN_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?")
# of so many characters at most 15 are digits, and those a double holds exactly
LONGEST_NUMBER = 16
BOOLEANS = {None: "false", "": "false", "false": "false", "true": "true", False: "false", True: "true"}


class Event(NamedTuple):
    """An event as texts, in the order in which events are stored."""

    source: str
    event_id: str
    place: int
    id: str
    digest: str
    unit_id: str
    occurred_at: str
    relates_to: str
    label: str
    amount: str
    currency: str
    estimated: str


def events(kind: str, chunk: Chunk, currency: str, latest: datetime) -> list[Event]:
    """The chunk's rows that would be stored as they are if nobody had sent them before; the others look odd.

    ``latest`` is the time after which an event lies in the future, ``currency`` the only one that is counted in.
    """
    label_name, amount_name = LABELS[kind]
    columns = chunk.columns
    if not columns or any(columns.get("at", ())):
        return []
    found: list[Event] = []
    known: dict[str | None, str | None] = {}

    def column(name: str) -> Any:
        return columns.get(name) or repeat(None, len(chunk.numbers))

    for place, (source, event_id, unit_id, decision, label, amount, money, at, relates_to, estimated) in enumerate(
        zip(
            columns["source"], columns["event_id"], column("unit_id"), column("decision_id"), columns[label_name],
            columns[amount_name], column("currency"), columns["occurred_at"], column("relates_to"),
            column("estimated"), strict=False,
        )
    ):  # fmt: skip
        for name in (source, label):
            if name not in known:
                known[name] = plain(name)
        if not (known[source] and known[label] and plain(event_id) and plain(unit_id)) or decision:
            continue
        if (money and money != currency) or (kind == "cost" and not money) or (relates_to and not plain(relates_to)):
            continue
        number, when, is_estimated = written(amount), utc(at, latest), BOOLEANS.get(estimated)
        if number is None or when is None or is_estimated is None:
            continue
        said_money = f'"{money}"' if money else "null"
        related = f'"{relates_to}"' if relates_to else "null"
        if kind == "cost":
            content = (
                f'{{"amount":{number},"at":null,"category":"{label}","currency":{said_money},"decision_id":null,'
                f'"estimated":{is_estimated},"event_id":"{event_id}","occurred_at":"{when}","relates_to":{related},'
                f'"source":"{source}","unit_id":"{unit_id}"}}'
            )
        else:
            content = (
                f'{{"at":null,"currency":{said_money},"decision_id":null,"event_id":"{event_id}",'
                f'"occurred_at":"{when}","relates_to":{related},"source":"{source}","type":"{label}",'
                f'"unit_id":"{unit_id}","value":{number}}}'
            )
        digest = sha256(content.encode()).hexdigest()
        found.append(
            Event(
                source, event_id, place, str(uuid7()), digest, unit_id, when, relates_to or "", label, number,
                money or "", is_estimated,
            )
        )  # fmt: skip
    return found


def plain(text: Any) -> str | None:
    """The id, if it can be taken as it is."""
    if (
        type(text) is str
        and PLAIN_ID.fullmatch(text)
        and (len(text) <= ID_BYTES // 4 or len(text.encode()) <= ID_BYTES)
    ):
        return text
    return None


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


def utc(text: Any, latest: datetime) -> str | None:
    """The time as it is stored, if it is plainly one and not in the future."""
    if type(text) is not str or not PLAIN_TIME.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not FIRST <= at <= latest or at >= LAST:
        return None
    if len(text) == 20 and text[10] == "T":
        return f"{text[:19]}+00:00"
    return at.astimezone(UTC).isoformat()


def without(found: Sequence[Event], keys: set[tuple[Any, Any]]) -> list[Event]:
    """Those whose like doesn't take the slow way: of rows of one event the first must stay the first."""
    return [event for event in found if (event.source, event.event_id) not in keys] if keys else list(found)
