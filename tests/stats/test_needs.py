from impact.stats.needs import Needs, of_clusters, of_mean, of_proportion, of_ratio, of_rows, union


def test_a_net_value_needs_the_co_moment_of_value_and_cost():
    assert of_mean({"value": 1.0, "cost": -1.0}) == Needs(frozenset({"value", "cost"}), frozenset({("cost", "value")}))
    found = of_mean({"value": 1.0, "cost": -1.0}, ["before"])
    assert found.pairs == {("cost", "value"), ("before", "value"), ("before", "cost")}


def test_a_proportion_needs_no_pair():
    assert of_proportion("churned") == Needs(frozenset({"churned"}))


def test_one_aggregation_serves_the_union():
    needs = union(
        [
            of_mean({"value": 1.0}, ["x", "z"]),
            of_ratio({"spent": 1.0}, {"orders": 1.0}),
            of_clusters({"value": 1.0}),
            of_rows({"value": 1.0, "cost": -1.0}),
        ]
    )
    assert needs.columns == {"value", "x", "z", "spent", "orders"}
    assert needs.pairs == {("value", "x"), ("value", "z"), ("x", "z"), ("orders", "spent")}
    assert (needs.clusters, needs.rows) == ({"value"}, {"value", "cost"})
    assert union([]) == Needs()
