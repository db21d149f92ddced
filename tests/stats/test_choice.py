import pytest

from impact.stats.choice import Facts, choose


@pytest.mark.parametrize(
    ("facts", "method", "beside"),
    [
        (Facts("mean", (15_000, 15_000)), "stratified", ()),
        (Facts("mean", (15_000, 15_000), strata=3, covariates=2), "stratified", ("lin",)),
        (Facts("mean", (25, 25), covariates=3), "stratified", ()),
        (Facts("mean", (30, 30), covariates=3), "stratified", ("lin",)),
        (Facts("mean", (19, 400)), "randomization", ()),
        (Facts("mean", (1, 400)), "none", ()),
        (Facts("mean", (9, 30), clustered=True), "randomization", ()),
        (Facts("mean", (12, 12), clustered=True), "cluster_cr2", ("wild_bootstrap",)),
        (Facts("mean", (60, 60), clustered=True), "cluster_cr2", ()),
        (Facts("mean", (60, 60), clustered=True, size_cv=0.9), "cluster_cr2", ("wild_bootstrap",)),
        (Facts("proportion", (400, 400), clustered=True, counts=((9, 400), (20, 400))), "cluster_cr2", ()),
        (Facts("proportion", (400, 400), counts=((9, 400), (20, 400))), "score", ()),
        (Facts("proportion", (400, 400), counts=((4, 400), (20, 400))), "exact", ()),
        (Facts("proportion", (400, 400), counts=((398, 400), (20, 400))), "exact", ()),
        (Facts("proportion", (8, 9), counts=((3, 8), (0, 9))), "exact", ()),
        (Facts("proportion", (15_000, 15_000), counts=((5_000, 15_000), (2, 15_000))), "score", ()),
        (Facts("proportion", (400, 400), strata=3, counts=((4, 400), (20, 400))), "stratified", ()),
        (Facts("ratio", (400, 400)), "delta", ()),
        (Facts("ratio", (19, 400)), "none", ()),
        (Facts("ratio", (20, 400), strata=3), "delta", ()),
        (Facts("ratio", (9, 30), clustered=True), "none", ()),
        (Facts("ratio", (10, 30), clustered=True), "delta", ()),
    ],
)
def test_the_method_follows_from_the_design_and_the_counts(facts, method, beside):
    found = choose(facts)
    assert (found.method, found.beside) == (method, beside)
    assert found.reason


def test_it_says_why():
    assert choose(Facts("mean", (9, 30), clustered=True)).reason == "9 clusters in an arm, fewer than 10"
    assert choose(Facts("mean", (19, 30))).reason == "19 rows in an arm, fewer than 20"
    assert choose(Facts("proportion", (400, 400), counts=((4, 400), (20, 400)))).reason == (
        "4 successes or failures in an arm, fewer than 5"
    )


def test_heavy_tails_are_said_on_its_face():
    assert choose(Facts("mean", (15_000, 15_000), skew=3.0)).warnings == ()
    assert choose(Facts("mean", (30, 30), skew=0.8)).warnings == ()
    [warning] = choose(Facts("mean", (500, 15_000), skew=3.0)).warnings
    assert warning == "heavy tails: 2745 rows an arm for a normal mean"
    assert choose(Facts("mean", (30, 30), clustered=True, skew=2.0)).warnings == (
        "heavy tails: 434 clusters an arm for a normal mean",
    )


def test_few_keys_say_what_their_p_value_is_about():
    assert choose(Facts("mean", (12, 12), draws=2_704_156)).warnings == ()
    assert choose(Facts("mean", (4, 4), draws=70, spread=3.0, skew=2.5)).warnings == (
        "70 possible draws: rejects less often than alpha",
        "spreads differ: exact only for an effect that is the same everywhere",
        "heavy tails: a few rows decide",
    )
    assert choose(Facts("mean", (4, 4), clustered=True, draws=70)).warnings != ()


def test_counts_of_few_rows_jump():
    [warning] = choose(Facts("proportion", (49, 60), counts=((20, 49), (20, 60)))).warnings
    assert warning == "counts of so few rows jump: rejects more or less often than alpha"
    assert choose(Facts("proportion", (50, 60), counts=((20, 50), (20, 60)))).warnings == ()


def test_few_rows_beside_many_are_not_redrawn_but_said():
    found = choose(Facts("mean", (19, 4_000)))
    assert (found.method, found.warnings) == (
        "stratified",
        ("19 rows in an arm, fewer than 20: holds for normal rows",),
    )
