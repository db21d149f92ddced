from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impact.stats.moments import Cell, Moments, MomentTable, comparable_cells, distinct

OFFSETS = [0.0, 1e8, -1e10, 1e12]


def made(n=60, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    # on a grid of 1/1024, so that an offset doesn't change the data
    columns = {name: np.round(rng.normal(0, 1, n) * 1024) / 1024 + offset for name in "xyz"}
    return columns, rng.choice(["a", "b", "c"], n), rng.choice(["L", "H"], n), rng.choice(["1", "2"], n)


@pytest.mark.parametrize("offset", OFFSETS)
def test_agrees_with_numpy_at_any_offset(offset):
    columns, arm, stratum, phase = made(offset=offset)
    table = MomentTable.from_arrays(columns, arm, stratum, phase)
    plain, *_ = made()
    for cell, moments in table.cells.items():
        rows = (arm == cell.arm) & (stratum == cell.stratum) & (phase == cell.phase)
        values = np.column_stack([plain[name][rows] for name in "xyz"])
        assert moments.n == rows.sum()
        if moments.n > 1:
            expected = np.cov(values.T) * (moments.n - 1)
            np.testing.assert_allclose(moments.comoments, expected, rtol=1e-10, atol=1e-10)


@given(st.integers(1, 5), st.integers(0, 2**31), st.sampled_from(OFFSETS), st.randoms())
@settings(max_examples=50, deadline=None)
def test_merging_in_any_order_is_the_same(parts, seed, offset, shuffler):
    columns, arm, stratum, phase = made(offset=offset, seed=seed)
    whole = MomentTable.from_arrays(columns, arm, stratum, phase)
    part = np.random.default_rng(seed).integers(0, parts, arm.size)
    tables = [
        MomentTable.from_arrays(
            {k: v[part == i] for k, v in columns.items()}, arm[part == i], stratum[part == i], phase[part == i]
        )
        for i in np.unique(part)
    ]
    shuffler.shuffle(tables)
    merged = reduce(MomentTable.__add__, tables)
    assert merged.cells.keys() == whole.cells.keys()
    for cell, moments in whole.cells.items():
        found = merged.cells[cell]
        assert found.n == moments.n
        np.testing.assert_allclose(found.mean + merged.origin, moments.mean + whole.origin, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(found.comoments, moments.comoments, rtol=1e-8, atol=1e-8)


def test_merging_refuses_other_columns():
    one, two = (MomentTable.from_arrays({name: [1.0, 2.0]}, ["a", "b"]) for name in "xy")
    with pytest.raises(ValueError, match="columns differ: x and y"):
        one + two


@pytest.mark.parametrize("value", [0.1, 1.7, 1e8 / 3, -1e12 / 7])
def test_a_constant_has_no_variance_at_all(value):
    table = MomentTable.from_arrays({"x": np.full(1000, value), "y": np.arange(1000.0)}, ["a", "b"] * 500)
    for moments in table.cells.values():
        assert not moments.comoments[0].any()
    assert table.arm_sample("a", {"x": 1.0}).mean == pytest.approx(value, rel=1e-15)
    assert MomentTable.from_arrays({"x": [value]}, ["a"]).arm_sample("a", {"x": 1.0})[:2] == (1, value)


def test_columns_that_cancel_leave_no_rounding():
    x = np.random.default_rng(0).normal(0, 1e6, 500)
    table = MomentTable.from_arrays({"x": x, "y": 3 * x}, ["a"] * 500)
    assert table.arm_sample("a", {"x": 3.0, "y": -1.0}).variance == 0
    assert table.arm_sample("a", {"x": 3.0, "y": -1.001}).variance == pytest.approx(np.var(0.003 * x, ddof=1), rel=1e-6)


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_refuses_what_is_not_a_number(gap):
    with pytest.raises(ValueError, match="column 'y'"):
        MomentTable.from_arrays({"x": [1.0, 2.0], "y": [1.0, gap]}, ["a", "b"])


def test_refuses_unknown_columns_and_missing_comoments():
    table = MomentTable.from_arrays({"x": [1.0, 2.0], "y": [3.0, 5.0]}, ["a", "a"])
    with pytest.raises(ValueError, match="unknown column 'z', columns are x, y"):
        table.weights({"z": 1.0})
    [(cell, moments)] = table.cells.items()
    partial = Moments(2, moments.mean, np.array([[0.5, np.nan], [np.nan, 2.0]]))
    table = MomentTable(table.columns, table.origin, {cell: partial})
    assert table.arm_sample("a", {"y": 1.0}).variance == 2
    with pytest.raises(ValueError, match="weren't aggregated"):
        table.arm_sample("a", {"x": 1.0, "y": 1.0})


def test_an_arm_without_rows():
    table = MomentTable.from_arrays({"x": [1.0]}, ["a"])
    assert table.of_arm("b") is None
    assert table.arm_sample("b", {"x": 1.0}).n == 0
    assert np.isnan(table.arm_sample("a", {"x": 1.0}).variance)
    assert (table.arms, table.n) == (("a",), 1)


def grouped(counts):
    """Table with these numbers of rows for (arm, stratum, phase)."""
    labels = np.array([key for key, n in counts.items() for _ in range(n)])
    table = MomentTable.from_arrays({"x": np.arange(len(labels), dtype=float)}, *labels.T)
    return comparable_cells(table, ("t", "b"))


def test_cells_stay_apart_where_there_are_rows():
    shares = grouped({(a, s, p): 2 for a in "tbo" for s in "LH" for p in "12"})
    assert [share.share for share in shares] == [0.25] * 4


def test_thin_phases_are_merged_within_their_stratum():
    counts = {(a, s, p): 3 for a in "tb" for s in "LH" for p in "12"} | {("t", "L", "2"): 1}
    shares = grouped(counts)
    assert sorted(round(share.share * 22) for share in shares) == [6, 6, 10]


def test_thin_strata_are_merged_with_one_another_and_at_last_with_the_smallest():
    shares = grouped({("t", "L", ""): 1, ("b", "L", ""): 4, ("t", "M", ""): 1, ("b", "M", ""): 4} | big("H") | big("X"))
    assert sorted(round(share.share * 30) for share in shares) == [10, 10, 10]
    shares = grouped({("t", "L", ""): 1, ("b", "L", ""): 4} | big("H") | {("t", "X", ""): 9, ("b", "X", ""): 9})
    assert sorted(round(share.share * 33) for share in shares) == [15, 18]


def big(stratum):
    return {("t", stratum, ""): 5, ("b", stratum, ""): 5}


def test_shares_count_the_rows_of_every_arm():
    shares = grouped(big("L") | big("H") | {("o", "H", ""): 20})
    assert sorted(share.share for share in shares) == [0.25, 0.75]


def test_too_few_rows_in_all():
    assert grouped({("t", "L", ""): 1, ("b", "L", ""): 4}) == []
    assert grouped({("b", "L", ""): 4}) == []


def test_of_arm_ignores_cells():
    columns, arm, stratum, phase = made()
    apart = MomentTable.from_arrays(columns, arm, stratum, phase)
    together = MomentTable.from_arrays(columns, arm)
    found, expected = apart.of_arm("a"), together.cells[Cell("a")]
    np.testing.assert_allclose(found.comoments, expected.comoments, rtol=1e-12)
    combined = found.combined(np.array([[1.0, 0, -1.0], [0, 1.0, 0]]))
    assert combined.comoments[0, 0] == pytest.approx(found.sample(np.array([1.0, 0, -1.0])).variance * (found.n - 1))


def test_labels_are_grouped_as_numpy_groups_rows_of_text():
    rng = np.random.default_rng(5)
    labels = [rng.choice(["b", "a", "aa"], 50), rng.choice(["10", "9", ""], 50), np.full(50, "")]
    keys, index = distinct(labels)
    expected, places = np.unique(np.column_stack(labels), axis=0, return_inverse=True)
    assert (keys == expected).all() and (index == places.ravel()).all()
    assert distinct([np.array([], dtype=str)] * 2)[0].shape == (0, 2)
