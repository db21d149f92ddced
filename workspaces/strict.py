"""Reading what clients send: JSON that means one thing only, rows of exactly the declared shape."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec

from workspaces.errors import Refusal
from workspaces.identifiers import ID_BYTES, ID_PATTERN, INVISIBLE, KEY_PATTERN

DEPTH = 20
INTEGER_BITS = 64
LONGEST_TEXT = 10_000
# a hundred years: an end that far away still has a date
LONGEST_DAYS = 36_525
# a year from the calendar's ends, so that every time zone has a date for it
FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
T = TypeVar("T")
PLAIN = frozenset({str, float, int, bool, type(None)})

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_BYTES, pattern=ID_PATTERN)]
Key = Annotated[str, msgspec.Meta(pattern=rf"{KEY_PATTERN}(?!\n)")]
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]
Days = Annotated[float, msgspec.Meta(gt=0, le=LONGEST_DAYS)]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]


def check_closely(struct: msgspec.Struct) -> None:
    """Refuse what msgspec's types don't: ids of too many bytes, times at the ends of the calendar."""
    for name, problem_of in _looks(type(struct)):
        value = getattr(struct, name)
        # of ASCII the pattern has counted the bytes already
        if value is None or (type(value) is str and value.isascii()):
            continue
        if problem := problem_of(value):
            raise ValueError(f"{name} has {problem}")


class Strict(msgspec.Struct, frozen=True):
    """What a client sends."""

    def __post_init__(self) -> None:
        check_closely(self)


class Row(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact as a client sends it. ``at`` takes the place of server time in a simulated workspace."""

    source: Id
    event_id: Id
    at: Time | None = None

    def content(self) -> Any:
        """What two deliveries of the same fact have in common, times in UTC."""
        return _plain(msgspec.structs.asdict(self))


def load_json(body: bytes) -> Any:
    """Parse JSON without duplicate keys, NaN, NUL, lone surrogates, huge integers or deep nesting."""
    document = parse_json(body)
    check(document)
    return document


def parse_json(body: bytes) -> Any:
    """Parse JSON, with a refusal in the place of whatever means nothing or two things: see ``check``."""
    try:
        return json.loads(body, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise Refusal("malformed-json", f"The body is not JSON: {error}.") from error


def check(document: Any, depth: int = 0) -> None:
    """Raise the first thing in a parsed document that can't be taken, which lies so deep in the body."""
    if not _is_plain(document, depth):
        _check(document, "", depth)


def sound(rows: Sequence[Any], depth: int = 2) -> list[Any]:
    """The rows of a batch, with a refusal in the place of each that can't be taken: it spoils no other."""
    return [_sound(row, depth) for row in rows]


def convert(document: Any, shape: type[T]) -> T:
    """Convert parsed JSON to a struct, or say what is wrong where."""
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        pointer = (
            path.rstrip("`").removeprefix("$").replace("[...]", "").replace(".", "/").replace("[", "/").replace("]", "")
        )
        if named := re.search(r"(?:unknown|required) field `([^`]+)`|^([a-z_]+) has ", message):
            pointer += f"/{named[1] or named[2]}"
        asked, found = _plainly(message, document, pointer), _at(document, pointer)
        detail = asked if isinstance(found, dict | list) else f"{asked}, got {str(found)[:100]!r}"
        raise Refusal("invalid-field", detail, pointer) from error


def unstorable(value: Any) -> str:
    """Say what of a declared value no database or JSON holds: NUL, half characters, nan and inf, a date."""
    if isinstance(value, str) and not _is_storable(value):
        return "a NUL or half a surrogate pair; take it out"
    if isinstance(value, float) and not math.isfinite(value):
        return f"the value {value}; write a number"
    if isinstance(value, dict):
        return next((problem for pair in value.items() for one in pair if (problem := unstorable(one))), "")
    if isinstance(value, list):
        return next((problem for one in value if (problem := unstorable(one))), "")
    plain = isinstance(value, str | int | float | datetime | msgspec.Struct | None)
    return "" if plain else f"{value!r}; write it in quotes"


@cache
def _looks(shape: type[msgspec.Struct]) -> list[tuple[str, Callable[[Any], str]]]:
    """What is looked at in each field of a shape."""
    found: list[tuple[str, Callable[[Any], str]]] = []
    for name, hint in get_type_hints(shape, include_extras=True).items():
        hints = (hint, *get_args(hint))
        found += [(name, look) for kind, look in ((Id, _too_long), (Time, _out_of_calendar)) if kind in hints]
    return found


def _too_long(text: str) -> str:
    length = len(text.encode())
    return f"{length} bytes, at most {ID_BYTES} are allowed" if length > ID_BYTES else ""


def _out_of_calendar(at: datetime) -> str:
    return "" if FIRST <= at < LAST else f"a time outside the years {FIRST.year} to {LAST.year - 1}"


def _plainly(message: str, document: Any, pointer: str) -> str:
    """Say in words what a pattern asks of an id or a key."""
    text = _at(document, pointer)
    if "matching regex" not in message or not isinstance(text, str):
        return message
    if KEY_PATTERN in message:
        return "a key has 1 to 64 small letters, digits, dots, hyphens and underscores"
    if hidden := re.search(f"[{INVISIBLE}]", text):
        return f"the character U+{ord(hidden[0]):04X} at place {hidden.start() + 1} is invisible; take it out"
    return "begins or ends with a blank; take it out" if text != text.strip(" ") else message


def _at(document: Any, pointer: str) -> Any:
    """The value that a pointer leads to, or an empty list where it leads nowhere."""
    for part in filter(None, pointer.split("/")):
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return []
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Refusal:
    content = dict(pairs)
    if len(content) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        return Refusal("malformed-json", f"The field {twice!r} stands twice in one object; send it once.", f"/{twice}")
    return content


def _constant(name: str) -> Refusal:
    return Refusal("malformed-json", f"{name} is not a JSON number; leave the field out where there is no value.")


def _integer(text: str) -> int | Refusal:
    if len(text) <= 20 and (number := int(text)).bit_length() < INTEGER_BITS:
        return number
    return Refusal("malformed-json", f"The integer {text[:30]} has more than {INTEGER_BITS} bits.")


def _sound(row: Any, depth: int) -> Any:
    try:
        check(row, depth)
    except Refusal as refusal:
        return refusal
    return row


def _is_plain(document: Any, depth: int) -> bool:
    """Whether its text shows at a glance that nothing can be wrong: a tenth of the time that looking through takes."""
    try:
        text = msgspec.json.encode(document)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False  # a refusal, half a surrogate pair
    if b"null" in text or b"\\u" in text:
        return False  # may stand for infinity, or NUL
    return depth + text.count(b"{") + text.count(b"[") <= DEPTH


def _check(value: Any, pointer: str, depth: int) -> None:
    if depth > DEPTH:
        raise Refusal("malformed-json", f"The body is nested deeper than {DEPTH} levels.", pointer)
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name, pointer)
            _check(inner, f"{pointer}/{name}", depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check(inner, f"{pointer}/{index}", depth + 1)
    elif isinstance(value, str):
        _check_text(value, pointer)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Refusal("malformed-json", "A number is too large for double precision, or none.", pointer)
    elif isinstance(value, Refusal):
        raise Refusal(value.code, value.detail, pointer + value.pointer)


def _check_text(text: str, pointer: str) -> None:
    if not _is_storable(text):
        raise Refusal("malformed-json", "A text holds a NUL or half a surrogate pair.", pointer)


def _is_storable(text: str) -> bool:
    if text.isascii():
        return "\x00" not in text
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text)


def _plain(value: Any) -> Any:
    if type(value) in PLAIN:
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.structs.asdict(value))
    if isinstance(value, dict):
        return {name: inner if type(inner) in PLAIN else _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
