import numpy as np
import pytest

from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable
from impact.stats.policies import policy_difference

NET = {"value": 1.0, "cost": -1.0}
BANDS = "LMH"


def test_story_a(story_a, stories):
    expected = stories["story_a"]
    columns = {"retained": 1 - story_a["churned"], "cost": story_a["cost"]}
    table = MomentTable.from_arrays(columns, story_a["arm"], story_a["band"])
    challenger = {"L": "bonus", "M": "credit", "H": "none"}
    champion, nobody = {"L": "none", "M": "none", "H": "credit"}, dict.fromkeys(BANDS, "none")
    bonus = dict.fromkeys(BANDS, "bonus")
    at_300 = {"retained": 300.0, "cost": -1.0}
    for name, pair in {
        "challenger vs nobody": (challenger, nobody),
        "champion vs nobody": (champion, nobody),
        "challenger vs champion": (challenger, champion),
        "bonus for all vs nobody": (bonus, nobody),
        "challenger vs bonus for all (best score-free action)": (challenger, bonus),
    }.items():
        compare(policy_difference(table, at_300, *pair), expected["policy"][name])
    for value, figures in expected["policy_at"].items():
        compare(policy_difference(table, {"retained": float(value), "cost": -1.0}, challenger, nobody), figures)


def test_story_b(story_b, stories):
    """Strata are line x band; the policy decides by band."""
    stratum = np.char.add(np.char.add(story_b["line"], " "), story_b["band"])
    table = MomentTable.from_arrays({"cost": story_b["cost"]}, story_b["arm"], stratum)
    strata = np.unique(stratum)
    policy = {s: "wait" if s.endswith("low") else "stop" for s in strata}
    stop, wait = dict.fromkeys(strata, "stop"), dict.fromkeys(strata, "wait")
    for name, pair in {
        "policy vs always stop": (policy, stop),
        "policy vs always wait": (policy, wait),
        "always wait vs always stop": (wait, stop),
    }.items():
        compare(policy_difference(table, {"cost": -1.0}, *pair), stories["story_b"]["policy"][name])


def compare(effect, expected):
    found = effect.estimate, effect.se, effect.df, *effect.interval(0.95), effect.p_value(), effect.chance_above()
    figures = [expected[key] for key in ("effect", "se", "df")]
    assert found == pytest.approx([*figures, *expected["ci"], expected["p_value"], expected["p_gt_0"]], rel=1e-9)


def made(phases=("1", "2"), n=240, seed=0):
    rng = np.random.default_rng(seed)
    arm, stratum, phase = rng.choice(["t", "b"], n), rng.choice(["L", "H"], n), rng.choice(phases, n)
    return {"value": rng.normal(0, 1, n), "cost": rng.normal(0, 1, n)}, arm, stratum, phase


def test_one_arm_for_all_against_another_is_the_stratified_difference():
    table = MomentTable.from_arrays(*made())
    found = policy_difference(table, NET, dict.fromkeys("LH", "t"), dict.fromkeys("LH", "b"))
    plain = difference(table, NET, "t", "b")
    assert (found.estimate, found.se, found.df) == pytest.approx((plain.estimate, plain.se, plain.df))


def test_where_they_agree_they_differ_by_nothing():
    table = MomentTable.from_arrays(*made())
    same = policy_difference(table, NET, {"L": "t", "H": "b"}, {"L": "t", "H": "b"})
    assert (same.estimate, same.se) == (0, 0)
    there = policy_difference(table, NET, {"L": "t", "H": "b"}, dict.fromkeys("LH", "b"))
    back = policy_difference(table, NET, dict.fromkeys("LH", "b"), {"L": "t", "H": "b"})
    assert (back.estimate, back.se) == pytest.approx((-there.estimate, there.se))


def test_a_thin_phase_is_merged_within_its_stratum():
    columns, arm, stratum, phase = made()
    phase[(stratum == "L") & (arm == "t")] = "1"
    both = policy_difference(
        MomentTable.from_arrays(columns, arm, stratum, phase), NET, {"L": "t", "H": "b"}, dict.fromkeys("LH", "b")
    )
    flat = policy_difference(
        MomentTable.from_arrays(columns, arm, stratum), NET, {"L": "t", "H": "b"}, dict.fromkeys("LH", "b")
    )
    assert (both.estimate, both.se) == pytest.approx((flat.estimate, flat.se))


def test_reasons():
    columns, arm, stratum, _ = made()
    arm[stratum == "L"] = "b"
    table = MomentTable.from_arrays(columns, arm, stratum)
    found = policy_difference(table, NET, {"L": "t", "H": "b"}, dict.fromkeys("LH", "b"))
    assert found == NotEstimable("fewer than two rows in an arm of stratum 'L'")
    with pytest.raises(ValueError, match="stratum 'H' has no arm"):
        policy_difference(table, NET, {"L": "t"}, dict.fromkeys("LH", "b"))
