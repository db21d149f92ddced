"""JSON that means one thing only."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Caller
from workspaces import strict
from workspaces.errors import Refusal
from workspaces.strict import Id, Row, Text, Time, convert, load_json

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), inner, max_size=4
        )
    ),
    max_leaves=12,
)


class Fact(Row, frozen=True, kw_only=True):
    seen_at: Time
    note: Text = ""
    version: Id = "1"
    features: dict[str, float] = {}


FACT = {"source": "crm", "event_id": "e1", "seen_at": "2026-01-05T06:00:00Z"}


@given(DOCUMENTS)
def test_reads_what_json_says(document: Any) -> None:
    assert load_json(json.dumps(document).encode()) == document
    assert load_json(json.dumps(document, ensure_ascii=False, indent=1).encode()) == document


ODD = st.recursive(
    st.none() | st.floats() | st.integers() | st.text(st.characters()) | st.sampled_from(["\x00", "\ud800", "\\u0000"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@given(ODD, st.integers(0, 21))
def test_what_looks_plain_at_a_glance_is(document: Any, depth: int) -> None:
    if strict._is_plain(document, depth):
        strict._check(document, "", depth)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(Refusal):
        load_json(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 01}', "not JSON"),
        (b'"\xff"', "not JSON"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "'c' stands twice"),
        (b'{"a": 1, "\\u0061": 2}', "'a' stands twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'{"a": ["\\ud800"]}', "half a surrogate pair"),
        (b'{"a": "\\udc00\\ud800"}', "half a surrogate pair"),
        (b'{"a": "\xed\xa0\x80"}', "half a surrogate pair"),
        (b'{"a": 18446744073709551616}', "64 bits"),
        (b'{"a": -18446744073709551616}', "64 bits"),
        (b'{"a": ' + b"9" * 5000 + b"}", "64 bits"),
        (b"[" * 100_000, "not JSON"),
        (b"[" * 22 + b"]" * 22, "deeper than 20"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "deeper than 20"),
    ],
)
def test_refuses(body: bytes, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refusal:
        load_json(body)
    assert refusal.value.code == "malformed-json"


def test_twenty_levels_whole_pairs_and_long_integers_pass() -> None:
    assert load_json(b"[" * 20 + b"1" + b"]" * 20)
    assert load_json(b'"\\ud83d\\ude97"') == "🚗"
    assert load_json(str(2**63 - 1).encode()) == 2**63 - 1


def test_a_field_that_stands_twice_is_found_among_many() -> None:
    """In one pass: comparing all with all would hold a worker for minutes."""
    body = "{" + ",".join(f'"f{place}": 1' for place in range(100_000)) + ', "f99999": 2}'
    with pytest.raises(Refusal, match="'f99999' stands twice"):
        load_json(body.encode())


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"seen_at": "2026-01-05T06:00:00"}, "/seen_at", "timezone"),
        ({"seen_at": "2026-01-05"}, "/seen_at", "got '2026-01-05'"),
        ({"seen_at": 1767592800}, "/seen_at", "got '1767592800'"),
        ({"seen_at": None}, "/seen_at", "null"),
        ({"event_id": 7}, "/event_id", "got `int`, got '7'"),
        ({"event_id": "é" * 101}, "/event_id", "202 bytes"),
        ({"source": "é" * 101}, "/source", "202 bytes"),
        ({"event_id": "a\u200bb"}, "/event_id", "U+200B at place 2 is invisible"),
        ({"note": "x" * 10_001}, "/note", "<= 10000"),
        ({"features": {"tenure": "long"}}, "/features", "got `str`"),
        ({"nonsense": 1}, "/nonsense", "unknown field"),
        ({"at": "yesterday"}, "/at", "got 'yesterday'"),
    ],
)
def test_a_row_says_what_is_wrong_where(changes: dict[str, Any], pointer: str, said: str) -> None:
    with pytest.raises(Refusal) as refusal:
        convert(FACT | changes, Fact)
    assert (refusal.value.code, refusal.value.pointer) == ("invalid-field", pointer)
    assert said in refusal.value.detail


@pytest.mark.parametrize("name", ["source", "event_id", "seen_at"])
def test_a_row_says_what_is_missing(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        convert({key: value for key, value in FACT.items() if key != name}, Fact)
    assert refusal.value.pointer == f"/{name}"


@pytest.mark.parametrize("document", [None, 1, "a", [], [FACT]])
def test_a_row_is_an_object(document: Any) -> None:
    with pytest.raises(Refusal, match="object"):
        convert(document, Fact)


def test_every_id_has_up_to_200_bytes() -> None:
    with pytest.raises(Refusal):
        convert(FACT | {"version": "é" * 101}, Fact)


def test_content_is_the_same_however_it_is_written() -> None:
    one = convert(FACT | {"seen_at": "2026-01-05T06:00:00Z", "features": {"a": 1, "b": 2}}, Fact)
    two = convert(FACT | {"seen_at": "2026-01-05T07:00:00.000+01:00", "features": {"b": 2.0, "a": 1.0}}, Fact)
    assert one.content() == two.content()
    assert one.content()["seen_at"] == "2026-01-05T06:00:00+00:00"


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)), st.integers(-1439, 1439))
def test_times_keep_their_instant(at: datetime, minutes: int) -> None:
    at = at.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    read = convert(FACT | {"seen_at": at.isoformat()}, Fact)
    assert read.content()["seen_at"] == at.astimezone(UTC).isoformat()


class Nested(msgspec.Struct):
    rows: list[Fact]


def test_a_pointer_leads_through_lists_and_objects() -> None:
    with pytest.raises(Refusal) as refusal:
        convert({"rows": [FACT, FACT | {"seen_at": "no"}]}, Nested)
    assert refusal.value.pointer == "/rows/1/seen_at"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_is_rejected(api: Caller, at: str) -> None:
    row = {"source": "s", "event_id": "e", "type": "t", "unit_id": "u", "value": 1, "occurred_at": at}
    assert api.post("/outcomes", {"outcomes": [row]}).body["rejected"] == 1
