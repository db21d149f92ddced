import pytest

from impact.stats.effects import NotEstimable
from impact.stats.moments import MomentTable
from impact.stats.parts import Part, added, part_difference
from impact.stats.policies import policy_difference
from tests.stats.test_policies import NET, made


def test_parts_add_up_to_the_whole():
    """By hand and by parts: an arm for everybody on each side, against one and against a mixed policy."""
    table = MomentTable.from_arrays(*made())
    parts = {
        stratum: MomentTable(
            table.columns, table.origin, {cell: one for cell, one in table.cells.items() if cell.stratum == stratum}
        )
        for stratum in "LH"
    }
    for against in (dict.fromkeys("LH", "b"), {"L": "t", "H": "b"}, {"L": "b", "H": "t"}):
        for policy in (dict.fromkeys("LH", "t"), {"L": "t", "H": "b"}):
            whole = policy_difference(table, NET, policy, against)
            found = added(part_difference(parts[one], NET, policy[one], against, table.n) for one in "LH")
            assert found.estimate == pytest.approx(whole.estimate, abs=1e-12)
            assert found.se == pytest.approx(whole.se, rel=1e-9)
            assert found.df == whole.df or found.df == pytest.approx(whole.df, rel=1e-9)


def test_a_part_with_too_few_rows_is_not_known():
    columns, arm, stratum, _ = made(n=40)
    arm[stratum == "L"] = "b"
    few = stratum == "L"
    table = MomentTable.from_arrays({name: one[few] for name, one in columns.items()}, arm[few], stratum[few])
    assert isinstance(part_difference(table, NET, "t", {"L": "b"}, 40), NotEstimable)
    assert part_difference(table, NET, "b", {"L": "b"}, 40) == Part(0.0, 0.0, 0.0)
