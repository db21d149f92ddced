import numpy as np
import pytest

from impact.stats.clusters import ClusterSums, cr2
from impact.stats.effects import NotEstimable, difference
from impact.stats.moments import MomentTable
from impact.stats.policies import clustered_policies, clustered_random, policy_difference, random_difference

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


def summed(columns, arm, stratum, cluster):
    return ClusterSums.from_arrays(columns, arm, cluster, stratum)


def test_clusters_of_one_row_are_rows():
    columns, arm, stratum, _ = made(n=400)
    table, sums = MomentTable.from_arrays(columns, arm, stratum), summed(columns, arm, stratum, np.arange(400))
    policy, nobody = {"L": "t", "H": "b"}, {"L": "b", "H": "b"}
    rows, clusters = policy_difference(table, NET, policy, nobody), clustered_policies(sums, NET, policy, nobody)
    assert (clusters.estimate, clusters.se) == pytest.approx((rows.estimate, rows.se))
    rows, clusters = random_difference(table, NET, "bt", "b"), clustered_random(sums, NET, "bt", "b")
    assert (clusters.estimate, clusters.se) == pytest.approx((rows.estimate, rows.se))


def test_one_arm_for_all_against_another_is_the_effect_of_clusters():
    columns, _, stratum, _ = made(n=1_200)
    cluster = np.repeat(np.arange(60), 20)
    arm = np.where(cluster % 2, "t", "b")
    sums = summed(columns, arm, stratum, cluster)
    found = clustered_policies(sums, NET, dict.fromkeys("LH", "t"), dict.fromkeys("LH", "b"))
    due = cr2(sums, NET, "t", "b")
    assert (found.estimate, found.se, found.df) == pytest.approx((due.estimate, due.se, due.df))
    assert clustered_policies(sums, NET, dict.fromkeys("LH", "b"), dict.fromkeys("LH", "b")).se == 0
    half = clustered_random(sums, NET, "bt", "b")
    assert (half.estimate, half.se) == pytest.approx((due.estimate / 2, due.se / 2))


def test_policies_of_few_clusters_are_refused():
    columns, _, stratum, _ = made(n=360)
    cluster = np.repeat(np.arange(18), 20)
    sums = summed(columns, np.where(cluster % 2, "t", "b"), stratum, cluster)
    found = clustered_policies(sums, NET, dict.fromkeys("LH", "t"), dict.fromkeys("LH", "b"))
    assert found == NotEstimable("9 clusters in an arm, fewer than 10")
    assert isinstance(clustered_random(sums, NET, "bt", "b"), NotEstimable)


def test_the_value_of_a_policy_is_covered_where_clusters_were_drawn():
    """Rows of a cluster share a level, sizes vary; rows taken one by one would miss the truth far too often."""
    rng, covered, as_rows = np.random.default_rng(3), 0, 0
    policy, nobody = {"L": "b", "H": "t"}, {"L": "b", "H": "b"}
    for _ in range(600):
        sizes = rng.integers(5, 40, 50)
        cluster = np.repeat(np.arange(50), sizes)
        arm, stratum = np.where(rng.permutation(50) < 25, "t", "b")[cluster], rng.choice(["L", "H"], cluster.size)
        high = stratum == "H"
        y = rng.normal(0, 0.5, 50)[cluster] + rng.normal(0, 1, cluster.size) + 0.6 * high * (arm == "t")
        truth = 0.6 * high.mean()
        found = clustered_policies(summed({"y": y}, arm, stratum, cluster), {"y": 1.0}, policy, nobody)
        covered += found.interval(0.95)[0] <= truth <= found.interval(0.95)[1]
        naive = policy_difference(MomentTable.from_arrays({"y": y}, arm, stratum), {"y": 1.0}, policy, nobody)
        as_rows += naive.interval(0.95)[0] <= truth <= naive.interval(0.95)[1]
    assert covered / 600 == pytest.approx(0.95, abs=0.03) and as_rows / 600 < 0.85
