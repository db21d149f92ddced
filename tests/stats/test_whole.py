import pytest

from impact.stats.simulation.whole import Lived, World, markdown, tell

NOTHING, PAYS = World("nothing", 0.0), World("it pays", 8.0)


def lived(number, *, rejected=False, covered=True, word="unclear", blocked=()):
    return [Lived(rejected, covered, word, frozenset(blocked))] * number


def test_counts_inside_the_bars_hold():
    told = tell(NOTHING, lived(1_900) + lived(100, rejected=True, covered=False, word="proven"))
    assert told[1:] == (2_000, 100, 100, 100, 0, 0, ())
    # an effect may be found as often as it will
    told = tell(PAYS, lived(900) + lived(1_000, rejected=True, word="proven") + lived(100, covered=False))
    assert told[1:] == (2_000, 1_000, 100, 0, 0, 0, ())
    assert markdown([told]).endswith("| it pays | 8 | 1000 | 0.9500 | 0 | 0 | 0 | holds |")


@pytest.mark.parametrize(
    ("world", "wrong", "fault"),
    [
        (NOTHING, lived(134, rejected=True), "134 rejected, not 69 to 133"),
        (NOTHING, lived(68, rejected=True), "68 rejected, not 69 to 133"),
        (PAYS, lived(134, covered=False), "134 missed, not 69 to 133"),
        (PAYS, lived(68, covered=False), "68 missed, not 69 to 133"),
        (NOTHING, lived(134, word="proven"), "134 wrong verdicts, not 0 to 133"),
        (PAYS, lived(90, word="harmful"), "90 wrong verdicts, not 0 to 74"),
        (PAYS, lived(20, blocked=["sample_ratio"]), "20 sample ratio alarms, not 0 to 8"),
        (PAYS, lived(20, blocked=["draws_replayed"]), "20 withheld, not 0 to 12"),
    ],
)
def test_counts_outside_the_bars_are_told(world, wrong, fault):
    told = tell(world, wrong + lived(2_000 - len(wrong)))
    assert fault in told.faults
    assert fault in markdown([told])
