import duckdb
import numpy as np
import pytest

from impact.analysis.moments import cluster_sums, moment_table, moments_of_parts, segment_tables
from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import difference
from impact.stats.moments import MomentTable

COLUMNS = ["value", "cost", "before"]


@pytest.fixture
def connection():
    return duckdb.connect()


@pytest.fixture
def rows(connection):
    rng = np.random.default_rng(5)
    n = 5_000
    arm = rng.choice(["none", "bonus", "credit"], n)
    stratum = rng.choice(["L", "M", "H"], n)
    cost = np.select([arm == "bonus", arm == "credit"], [1.7, 17.5], 0.0)
    columns = {
        "value": rng.exponential(30, n) * (rng.random(n) < 0.3),
        "cost": cost,
        "before": rng.normal(1e8, 1, n),
    }
    store(connection, "rows", {"arm": arm, "stratum": stratum, "cluster": rng.integers(0, 40, n), **columns})
    return columns, arm, stratum


def store(connection, name, columns):
    arrays = {key: np.asarray(value) for key, value in columns.items()}
    arrays = {key: value.astype(object) if value.dtype.kind == "U" else value for key, value in arrays.items()}
    connection.register("arrays", arrays)
    connection.execute(f'create table "{name}" as select * from arrays')
    connection.unregister("arrays")


def assert_alike(found, expected):
    assert found.columns == expected.columns
    assert found.cells.keys() == expected.cells.keys()
    for cell, moments in expected.cells.items():
        deviation = np.sqrt(np.diag(moments.comoments) / moments.n)
        mean = found.cells[cell].mean + found.origin
        assert found.cells[cell].n == moments.n
        np.testing.assert_allclose(mean, moments.mean + expected.origin, rtol=1e-13)
        np.testing.assert_allclose(
            found.cells[cell].comoments, moments.comoments, rtol=1e-9, atol=1e-9 * moments.n * np.max(deviation) ** 2
        )


def test_agrees_with_arrays(connection, rows):
    columns, arm, stratum = rows
    found = moment_table(connection, "rows", COLUMNS, stratum="stratum")
    expected = MomentTable.from_arrays(columns, arm, stratum)
    assert_alike(found, expected)
    net = {"value": 1.0, "cost": -1.0}
    for treated in ("bonus", "credit"):
        ours, theirs = (difference(table, net, treated, "none") for table in (found, expected))
        assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-11)
        assert ours.se == pytest.approx(theirs.se, rel=1e-11)


def test_constant_in_an_arm_has_no_variance_at_all(connection, rows):
    found = moment_table(connection, "rows", COLUMNS)
    for moments in found.cells.values():
        assert not moments.comoments[1].any()
        assert not moments.comoments[:, 1].any()
    assert found.arm_sample("bonus", {"cost": 1.0}).mean == 1.7


@pytest.mark.parametrize("offset", [1e8, -1e10, 1e12])
def test_huge_offset_costs_no_digits(connection, offset):
    rng = np.random.default_rng(1)
    value = np.round(rng.normal(0, 1, 3_000) * 1024) / 1024 + offset
    arm = rng.choice(["a", "b"], 3_000)
    store(connection, "huge", {"value": value, "arm": arm})
    found = difference(moment_table(connection, "huge", ["value"]), {"value": 1.0}, "b", "a")
    centred = value - offset
    plain = difference(MomentTable.from_arrays({"value": centred}, arm), {"value": 1.0}, "b", "a")
    assert found.estimate == pytest.approx(plain.estimate, rel=1e-9)
    assert found.se == pytest.approx(plain.se, rel=1e-9)


def test_far_apart_segments_cost_no_digits(connection):
    rng = np.random.default_rng(2)
    noise = np.round(rng.normal(0, 1, 4_000) * 1024) / 1024
    segment = np.repeat(["near", "far"], 2_000)
    arm = np.tile(["a", "b"], 2_000)
    store(connection, "apart", {"value": noise + 1e9 * (segment == "far"), "segment": segment, "arm": arm})
    found = segment_tables(connection, "apart", ["value"], "segment")
    assert list(found) == ["far", "near"]
    for name, table in found.items():
        of = segment == name
        expected = difference(MomentTable.from_arrays({"value": noise[of]}, arm[of]), {"value": 1.0}, "b", "a")
        assert difference(table, {"value": 1.0}, "b", "a").se == pytest.approx(expected.se, rel=1e-9)


def test_only_the_pairs_that_are_asked_for(connection, rows):
    everything = moment_table(connection, "rows", COLUMNS)
    found = moment_table(connection, "rows", COLUMNS, pairs=[("value", "cost")])
    for cell, moments in found.cells.items():
        assert np.isnan(moments.comoments[0, 2])
        np.testing.assert_array_equal(moments.comoments[:2, :2], everything.cells[cell].comoments[:2, :2])


def test_parts_merge_and_workers_do_not_matter(connection, rows):
    columns, arm, stratum = rows
    parts = [f"(select * from rows where hash(cluster) % 4 = {part})" for part in range(4)]
    one, two, again = (
        moments_of_parts(connection, parts, COLUMNS, stratum="stratum", workers=workers) for workers in (1, 2, 2)
    )
    assert_alike(one, MomentTable.from_arrays(columns, arm, stratum))
    for other in (two, again):
        for cell, moments in one.cells.items():
            assert moments.mean.tobytes() == other.cells[cell].mean.tobytes()
            assert moments.comoments.tobytes() == other.cells[cell].comoments.tobytes()


def test_threads_are_given_back(connection, rows):
    connection.execute("set threads = 2")
    moment_table(connection, "rows", COLUMNS)
    assert connection.execute("select current_setting('threads')").fetchone() == (2,)


def test_cluster_sums_agree_with_arrays(connection, rows):
    columns, arm, stratum = rows
    cluster = connection.execute("select cluster from rows").fetchnumpy()["cluster"]
    found = cluster_sums(connection, "rows", COLUMNS, "cluster", stratum="stratum")
    expected = ClusterSums.from_arrays(columns, arm, cluster, stratum)
    net = {"value": 1.0, "cost": -1.0, "before": 0.5}
    ours, theirs = (cr2(sums, net, "bonus", "none") for sums in (found, expected))
    assert (ours.estimate, ours.se, ours.df) == pytest.approx((theirs.estimate, theirs.se, theirs.df), rel=1e-9)


def test_cluster_sums_of_a_constant_are_nothing(connection, rows):
    connection.execute("create table level as select *, 0.1 as tenth from rows")
    assert not cluster_sums(connection, "level", ["tenth"], "cluster").sums.any()


@pytest.mark.parametrize("gap", ["null", "'nan'::double", "'inf'::double"])
def test_refuses_gaps(connection, rows, gap):
    connection.execute(f"create table gaps as select * replace (if(cluster = 3, {gap}, value) as value) from rows")
    for read in (moment_table, lambda *given: cluster_sums(*given, "cluster")):
        with pytest.raises(ValueError, match="value"):
            read(connection, "gaps", COLUMNS)


def test_refuses_rows_without_an_arm(connection, rows):
    connection.execute("create table lost as select * replace (nullif(arm, 'bonus') as arm) from rows")
    with pytest.raises(ValueError, match="rows have no arm"):
        moment_table(connection, "lost", COLUMNS)


def test_no_rows(connection, rows):
    assert moment_table(connection, "(select * from rows limit 0)", COLUMNS).n == 0
    assert segment_tables(connection, "(select * from rows limit 0)", COLUMNS, "stratum") == {}
    assert not cluster_sums(connection, "(select * from rows limit 0)", COLUMNS, "cluster").n.size


def test_names_and_labels_are_quoted(connection):
    store(connection, "odd", {'a "b"': [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 4], "it's": ["x{part}", "y'z", "x{part}", "y'z"]})
    table = moment_table(connection, "odd", ['a "b"'], arm="it's")
    assert table.arms == ("x{part}", "y'z")
    assert difference(table, {'a "b"': 1.0}, "y'z", "x{part}").estimate == 1.5
