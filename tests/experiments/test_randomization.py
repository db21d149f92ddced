"""The draw: frozen for ever, fair, and the same whoever implements it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import unicodedata
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import accumulate, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from experiments.randomization import MILLION, draw, parts_per_million, permuted, uniform, within

VECTORS = Path(__file__).parent / "vectors.csv.gz"
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=8).filter(any)
# above this p-value chance explains the counts; the draws are fixed, so a test that passes once always does
LIKELY = 0.001


def vectors() -> list[list[str]]:
    """Lines of ``salt,key,weights,point,arm``, drawn once and never again."""
    with gzip.open(VECTORS, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))[1:]


def test_a_hundred_thousand_draws_never_change() -> None:
    found = vectors()
    assert len(found) == 100_000
    for salt, key, weights, point, arm in found:
        place, at = draw(salt, key, parts_per_million([int(weight) for weight in weights.split(" ")]))
        assert (at, place) == (int(point), int(arm)), (salt, key, weights)


def test_another_implementation_gives_the_same() -> None:
    for salt, key, weights, point, arm in vectors():
        digest = hashlib.sha256(unicodedata.normalize("NFC", f"impact-1\x1f{salt}\x1f{key}").encode()).hexdigest()
        place = int(Fraction(int(digest[:16], 16), 2**64) * 1_000_000)
        bounds = list(accumulate(largest_remainder(weights)))
        assert (place, sum(place >= bound for bound in bounds)) == (int(point), int(arm))


@cache
def largest_remainder(weights: str) -> list[int]:
    """Parts per million in exact arithmetic, nothing shared with what is tested."""
    exact = [Fraction(int(weight) * 1_000_000, sum(map(int, weights.split(" ")))) for weight in weights.split(" ")]
    lacking = 1_000_000 - sum(map(int, exact))
    last = sorted(range(len(exact)), key=lambda index: (int(exact[index]) - exact[index], index))[:lacking]
    return [int(part) + (index in last) for index, part in enumerate(exact)]


def test_the_vectors_hold_every_kind_of_key_and_weights() -> None:
    found = vectors()
    keys = {key for _, key, *_ in found}
    assert any(not key.isascii() for key in keys) and any("#" in key for key in keys)
    assert any(unicodedata.normalize("NFC", key) != key for key in keys)
    assert len({weights for _, _, weights, *_ in found}) >= 8
    assert len({salt for salt, *_ in found}) >= 50


@pytest.mark.parametrize(
    ("key", "point", "arm"), [("c1", 807_202, 2), ("Zoë", 204_824, 0), ("Zoe\u0308", 204_824, 0), ("顧客#3", 4_888, 0)]
)
def test_a_few_draws_by_heart(key: str, point: int, arm: int) -> None:
    assert draw("salt", key, [333_334, 333_333, 333_333]) == (arm, point)


@pytest.mark.parametrize("weights", [[1, 1], [1, 1, 1], [90, 10], [1, 2, 3, 4], [999, 1], [0, 1, 1]])
def test_frequencies_are_those_of_the_weights(weights: list[int]) -> None:
    number = 300_000
    shares = parts_per_million(weights)
    counts = Counter(draw(f"salt {weights}", f"unit-{unit}", shares)[0] for unit in range(number))
    drawn = [index for index, weight in enumerate(weights) if weight]
    assert set(counts) <= set(drawn)
    expected = [number * shares[index] / MILLION for index in drawn]
    assert chisquare([counts[index] for index in drawn], expected).pvalue > LIKELY


def test_points_are_even() -> None:
    counts = Counter(uniform("salt", f"unit-{unit}") >> 57 for unit in range(100_000))
    assert len(counts) == 128
    assert chisquare(list(counts.values())).pvalue > LIKELY


def test_the_traffic_gate_says_nothing_of_the_arm() -> None:
    counts = [[0, 0], [0, 0]]
    for unit in range(100_000):
        key = f"unit-{unit}"
        counts[within("salt/traffic", key, 300_000)][draw("salt", key, [500_000, 500_000])[0]] += 1
    assert chi2_contingency(counts).pvalue > LIKELY
    assert sum(counts[1]) / 100_000 == pytest.approx(0.3, abs=0.005)


def test_neighbours_and_other_salts_are_independent() -> None:
    shares = [500_000, 500_000]
    pairs: list[Counter[tuple[int, int]]] = [Counter(), Counter()]
    for unit in range(50_000):
        arm = draw("salt", f"{unit}", shares)[0]
        pairs[0][arm, draw("salt", f"{unit + 1}", shares)[0]] += 1
        pairs[1][arm, draw("salt2", f"{unit}", shares)[0]] += 1
    for counts in pairs:
        assert chi2_contingency([[counts[a, b] for b in (0, 1)] for a in (0, 1)]).pvalue > LIKELY


@given(st.integers(0, MILLION), st.text(max_size=20))
def test_a_share_holds_every_smaller_one(share: int, key: str) -> None:
    """More traffic lets more keys in and puts none out."""
    assert within("salt", key, share) == (draw("salt", key, [MILLION])[1] < share)
    assert not within("salt", key, 0) and within("salt", key, MILLION)


@given(WEIGHTS)
def test_parts_sum_to_a_million_and_are_nearest(weights: list[int]) -> None:
    parts = parts_per_million(weights)
    assert sum(parts) == MILLION
    for weight, part in zip(weights, parts, strict=True):
        assert part == 0 if weight == 0 else abs(part - weight * MILLION / sum(weights)) < 1


@given(WEIGHTS, st.integers(1, 1000))
def test_parts_depend_on_the_ratio_alone(weights: list[int], factor: int) -> None:
    assert parts_per_million(weights) == parts_per_million([factor * weight for weight in weights])


@pytest.mark.parametrize("weights", [[0], [0, 0], [1, -1], [-1]])
def test_other_weights_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights =="):
        parts_per_million(weights)


def test_no_weights_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match=r"weights == \[\]"):
        parts_per_million([])


def test_shares_that_miss_the_million_are_refused() -> None:
    with pytest.raises(ValueError, match="must sum to 1000000"):
        draw("salt", "key", [0, 0])


@given(st.text(max_size=20), WEIGHTS)
def test_a_name_is_one_however_it_is_composed(key: str, weights: list[int]) -> None:
    shares = parts_per_million(weights)
    forms = {draw("salt", unicodedata.normalize(form, key), shares) for form in ("NFC", "NFD")}
    assert len(forms) == 1
    assert shares[forms.pop()[0]] > 0


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=10),
    st.integers(0, 50),
)
def test_every_block_holds_each_arm_as_often_as_its_weight(weights: list[int], stratum: str, block: int) -> None:
    size = sum(weights)
    places = [permuted("salt", stratum, position, weights) for position in range(block * size, (block + 1) * size)]
    assert Counter(place.arm for place in places) == dict(enumerate(weights))
    assert {place.block for place in places} == {block}
    assert [place.position for place in places] == list(range(size))


def test_every_order_of_a_block_is_as_likely() -> None:
    orders = Counter(
        tuple(permuted("salt", "M", 4 * block + place, [2, 1, 1]).arm for place in range(4)) for block in range(24_000)
    )
    assert len(orders) == 12
    assert chisquare(list(orders.values())).pvalue > LIKELY


def test_blocks_of_other_strata_and_salts_are_independent() -> None:
    counts: list[Counter[tuple[int, int]]] = [Counter(), Counter()]
    for block in range(20_000):
        arm = permuted("salt", "M", 2 * block, [1, 1]).arm
        counts[0][arm, permuted("salt", "L", 2 * block, [1, 1]).arm] += 1
        counts[1][arm, permuted("salt2", "M", 2 * block, [1, 1]).arm] += 1
    for pairs in counts:
        assert chi2_contingency([[pairs[a, b] for b in (0, 1)] for a in (0, 1)]).pvalue > LIKELY


def test_blocks_never_change() -> None:
    places = [permuted("salt", "M|north", position, [2, 1, 1]) for position in range(16)]
    assert [place.arm for place in places] == [2, 0, 0, 1, 2, 1, 0, 0, 0, 1, 0, 2, 1, 0, 0, 2]
    assert [(place.block, place.position) for place in places] == list(product(range(4), range(4)))
    later = [permuted("salt", "M|north", position, [2, 1, 1], "2").arm for position in range(16)]
    assert later == [1, 2, 0, 0, 2, 1, 0, 0, 0, 2, 1, 0, 0, 1, 2, 0]
    assert [permuted("salt", "M|north", position, [2, 1, 1], "1") for position in range(16)] == places
