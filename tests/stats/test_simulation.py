import numpy as np
import pytest
from scipy import stats

from impact.stats.simulation import Case, Row, Run, bars, markdown, placed, simulate
from impact.stats.simulation.cases import CASES, KINDS, POLICIES


def fixed(rejections, missed=None, refused=0, warned=0, at_most=False):
    """Case whose runs come out as told, one after the other."""
    outcomes = iter(range(10**6))

    def run(rng):
        place = next(outcomes)
        if place < refused:
            return Run(refused="too few")
        place -= refused
        # what numpy compares isn't the True and False of the language
        return Run(place < rejections, np.bool_(place >= (rejections if missed is None else missed)), place < warned)

    return Case("method", "data", run, at_most)


def verdict(runs=2_000, **given):
    [row] = simulate([fixed(**given)], runs)
    return row.verdict


def test_bars_of_two_thousand_runs_are_those_agreed():
    assert bars(2_000) == (69, 133)
    low, high = bars(200)
    below, above = stats.binom.cdf(68, 2_000, 0.05), stats.binom.sf(133, 2_000, 0.05)
    assert stats.binom.cdf(low - 1, 200, 0.05) <= below < stats.binom.cdf(low, 200, 0.05)
    assert stats.binom.sf(high, 200, 0.05) <= above < stats.binom.sf(high - 1, 200, 0.05)
    # of a few, none is as good as any
    assert bars(20)[0] == 0


def test_verdicts():
    assert verdict(rejections=69) == verdict(rejections=133) == "holds"
    assert verdict(rejections=68) == verdict(rejections=134) == "fails"
    assert verdict(rejections=100, missed=134) == "fails"
    assert verdict(rejections=10, at_most=True) == "holds"
    assert verdict(rejections=134, at_most=True) == "fails"
    assert verdict(rejections=300, warned=1_800) == "warns"
    assert verdict(rejections=300, warned=1_700) == "fails"
    assert verdict(rejections=100, refused=1_900) == verdict(rejections=0, refused=2_000) == "refuses"


def test_a_family_has_no_coverage():
    [row] = simulate([Case("Holm", "data", lambda rng: Run(False, None), at_most=True)], 10)
    assert row.coverage != row.coverage and row.verdict == "holds"


def test_a_case_does_not_depend_on_the_others():
    cases = [case for case in CASES if case.method in ("Welch", "score")][:3]
    together = {row.data: row for row in simulate(cases, 20)}
    [alone] = simulate(cases[1:2], 20)
    assert alone == together[alone.data]
    [other] = simulate(cases[1:2], 20, seed=2)
    assert other != alone or other.rejections == alone.rejections


def test_the_table_is_put_between_its_markers():
    row = Row("Welch", "small", 2_000, 0, float("nan"), 0, 2_000, "too few", "refuses")
    table = markdown([row, row._replace(rejections=90, coverage=0.95, refused=0, verdict="holds")])
    assert "| Welch | small | - | - | 0 | 2000 | refuses: too few |" in table
    assert "| Welch | small | 90 | 0.9500 | 0 | 0 | holds |" in table
    document = "before\n<!-- simulation -->\nformer\n<!-- end of simulation -->\nafter\n"
    new = placed(document, table)
    assert new.startswith("before\n<!-- simulation -->\n| method")
    assert new.endswith("<!-- end of simulation -->\nafter\n")
    assert "former" not in new and placed(new, table) == new
    with pytest.raises(ValueError, match="the document has no <!-- simulation -->"):
        placed("nothing", table)


def test_every_case_runs_and_names_are_unique():
    assert len({(case.method, case.data) for case in CASES}) == len(CASES)
    for case in CASES:
        assert isinstance(case.run(np.random.default_rng(0)), Run), case


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method}, {case.data}")
def test_every_method_holds_or_says_so(case):
    [row] = simulate([case], 200)
    assert row.verdict != "fails", row


def test_every_method_meets_every_kind_of_data():
    told = {(case.method, kind.name) for case in CASES for kind in KINDS if kind.name in case.data}
    methods = {"Lin", "CUPED", "ratio", "lift", "ROI", "CACE", "non-inferiority", "Holm", "Benjamini-Hochberg"}
    methods |= {"planned looks", "always valid", *POLICIES}
    assert told >= {(method, kind.name) for method in methods for kind in KINDS}
