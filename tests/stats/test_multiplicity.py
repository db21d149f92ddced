import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from impact.stats.effects import TEffect
from impact.stats.multiplicity import adjust, adjusted_level, benjamini_hochberg, holm

families = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_reference(reference):
    given_ = reference["extras"]["multiplicity"]
    assert holm(given_["p"]) == pytest.approx(given_["holm"], rel=1e-12)
    assert benjamini_hochberg(given_["p"]) == pytest.approx(given_["fdr_bh"], rel=1e-12)


@given(families)
@settings(max_examples=25, deadline=None)
def test_agrees_with_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-12)


@given(st.lists(st.floats(-4, 4).filter(lambda z: abs(z) > 1e-3), min_size=1, max_size=6), st.sampled_from([0.05, 0.1]))
def test_adjusted_intervals_agree_in_sign(effects, alpha):
    found = {f"arm{i}": TEffect(z, 1.0, 30.0 + i, "welch") for i, z in enumerate(effects)}
    for method in ("holm", "benjamini_hochberg"):
        adjusted = adjust({name: effect.p_value() for name, effect in found.items()}, alpha, method)
        for name, one in adjusted.items():
            low, high = found[name].interval(one.level)
            if abs(one.p_adjusted - alpha) > 1e-9:
                assert (one.p_adjusted < alpha) == (not low <= 0 <= high)
            assert one.family == tuple(found) and one.method == method
            assert one.p_adjusted >= one.p_value


def test_one_comparison_is_not_adjusted():
    [one] = adjust({"arm": 0.03}, 0.05).values()
    assert (one.p_adjusted, one.level) == (0.03, 0.95)


def test_edges():
    assert holm([]) == benjamini_hochberg([]) == []
    assert adjusted_level(0.05, 0.0, 0.0) == 0.95
    for p in ([1.2], [-0.1], [float("nan")]):
        for method in (holm, benjamini_hochberg):
            with pytest.raises(ValueError, match=r"p-values must be in \[0, 1\]"):
                method(p)
    with pytest.raises(ValueError, match=r"alpha == 1\.2"):
        adjust({"arm": 0.1}, 1.2)
