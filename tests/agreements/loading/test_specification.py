"""Every key that a specification may have, and every way in which one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from impact.agreements.loading.specification import read_specification
from tests.conftest import specification
from workspaces.errors import Refusal

FULL = """
experiment: hillstrom-email          # key
name: The e-mail test
unit: {column: customer_id}
arm: {column: segment, baseline: No E-Mail}
metrics:
  - {key: visit, column: visit, kind: proportion, role: secondary, direction: increase}
  - {key: spend, column: spend, kind: mean, role: secondary, direction: increase, unit: USD}
value: {column: spend, multiply: 0.30}
cost:
  Mens E-Mail: 0.10
  Womens E-Mail: 0.10
covariates: [history, recency]
strata: [band]
phase: week
segments: [channel]
weights: {Mens E-Mail: 1, Womens E-Mail: 1, No E-Mail: 2}
cluster: {column: store}
comparisons: all
missing: zero
currency: USD
alpha: 0.1
target_roi: 0.25
"""


def read(folder: Path, text: str) -> Any:
    file = folder / "spec.yaml"
    file.write_text(text, encoding="utf-8")
    return read_specification(file)


def test_reads_every_key(tmp_path: Path) -> None:
    spec = read(tmp_path, FULL)
    assert (spec.experiment, spec.name, spec.unit.column) == ("hillstrom-email", "The e-mail test", "customer_id")
    assert [(one.key, one.kind, one.role, one.unit) for one in spec.metrics] == [
        ("visit", "proportion", "secondary", ""),
        ("spend", "mean", "secondary", "USD"),
    ]
    assert (spec.value.column, spec.value.multiply) == ("spend", 0.3)
    assert spec.cost_by_arm == {"Mens E-Mail": 0.1, "Womens E-Mail": 0.1} and spec.cost_column is None
    assert (spec.covariates, spec.strata, spec.phase, spec.segments) == (
        ["history", "recency"], ["band"], "week", ["channel"],
    )  # fmt: skip
    assert spec.weights == {"Mens E-Mail": 1, "Womens E-Mail": 1, "No E-Mail": 2}
    assert (spec.cluster.column, spec.comparisons, spec.missing, spec.currency) == ("store", "all", "zero", "USD")
    assert (spec.alpha, spec.target_roi, spec.money) == (0.1, 0.25, True)


def test_little_is_required(tmp_path: Path) -> None:
    spec = read_specification(specification(tmp_path, unit={"generate": True}))
    assert (spec.money, spec.weights, spec.comparisons, spec.missing) == (False, None, "baseline", "refuse")
    assert (spec.alpha, spec.target_roi, spec.currency) == (0.05, 0.0, None)


def test_arms_are_texts_whatever_yaml_makes_of_them(tmp_path: Path) -> None:
    spec = read_specification(specification(tmp_path, arm={"column": "tg", "baseline": 0}, weights={0: 1, 1: 2}))
    assert (spec.arm.baseline, spec.weights) == ("0", {"0": 1, "1": 2})
    assert read(tmp_path, FULL.replace("baseline: No E-Mail", "baseline: No")).arm.baseline == "No"


def test_a_cost_may_be_a_column(tmp_path: Path) -> None:
    spec = read_specification(specification(tmp_path, cost={"column": "spent"}))
    assert (spec.cost_column, spec.cost_by_arm, spec.money) == ("spent", None, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"experiment": None}, "missing required field `experiment`"),
        ({"unit": None}, "missing required field `unit`"),
        ({"arm": None}, "missing required field `arm`"),
        ({"metrics": None}, "metrics: give metrics, or value, or both"),
        ({"metrics": []}, "metrics: give metrics, or value, or both"),
        ({"metrics": None, "cost": {"a": 1.0}}, "metrics: give metrics, or value, or both"),
        ({"experiment": "Two Words"}, "experiment: 'Two Words' is no key"),
        ({"experiment": 7}, "Expected `str`, got `int` - at `$.experiment`; put it into quotes"),
        ({"weight": {"a": 1}}, "unknown field `weight`"),
        ({"unit": {"column": "unit", "generated": True}}, "unknown field `generated`"),
        ({"unit": {"column": "unit", "generate": True}}, "unit: write {column: NAME}, or {generate: true}"),
        ({"unit": {}}, "unit: write {column: NAME}, or {generate: true}"),
        ({"arm": {"column": "arm"}}, "missing required field `baseline`"),
        ({"arm": "arm"}, "$.arm"),
        ({"metrics": [{"key": "y", "column": "y"}]}, "missing required field `kind`"),
        ({"metrics": [{"key": "y", "column": "y", "kind": "ratio"}]}, "`$.metrics[0].kind`; write proportion or mean"),
        (
            {"metrics": [{"key": "y", "column": "y", "kind": "mean", "role": "main"}]},
            "write primary or driver or secondary or guardrail",
        ),
        ({"metrics": [{"key": "y", "column": "y", "kind": "mean", "direction": "up"}]}, "write increase or decrease"),
        ({"metrics": [{"key": "y", "column": c, "kind": "mean"} for c in "xy"]}, "two metrics have one key"),
        ({"metrics": {"y": "mean"}}, "Expected `array`, got `object` - at `$.metrics`"),
        ({"value": {"column": "y", "multiply": "0.3"}}, "Expected `float`, got `str` - at `$.value.multiply`"),
        ({"value": "y"}, "$.value"),
        ({"cost": {"a": "cheap"}}, "cost.a: 'cheap' is no amount; write ARM: 0.10, or column: NAME"),
        ({"cost": {"column": "spent", "a": 1.0}}, "cost.column: 'spent' is no amount"),
        ({"cost": {"a": -1.0}}, "cost.a: -1.0 must be 0 or more"),
        ({"cost": {"a": float("nan")}}, "cost.a: nan must be 0 or more"),
        ({"weights": {"a": 0, "b": 1}}, "weights.a: 0.0 must be above 0"),
        ({"weights": {"a": 1}, "propensity": {"column": "p"}}, "weights: give weights or propensity, not both"),
        ({"weights": [1, 1]}, "$.weights"),
        ({"comparisons": "some"}, "Invalid enum value 'some' - at `$.comparisons`; write baseline or all"),
        ({"missing": "drop"}, "Invalid enum value 'drop'"),
        ({"currency": "Euro"}, "currency: 'Euro' is no ISO 4217 code like EUR"),
        ({"alpha": 0}, "alpha: alpha == 0.0, must be in (0, 0.5)"),
        ({"alpha": 0.5}, "alpha: alpha == 0.5, must be in (0, 0.5)"),
        ({"alpha": "5 %"}, "$.alpha"),
        ({"covariates": "history"}, "$.covariates"),
        ({"strata": [1]}, "$.strata[0]"),
    ],
)
def test_refuses(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    file = specification(tmp_path, **changes)
    with pytest.raises(Refusal) as refused:
        read_specification(file)
    assert refused.value.code == "bad-specification"
    assert refused.value.detail.startswith(f"{file}: ") and said in refused.value.detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("experiment: [", "is not YAML in UTF-8: while parsing.*line 1"),
        ("- a\n- b\n", "write 'experiment: key' and the other keys, one a line"),
        ("", "write 'experiment: key' and the other keys, one a line"),
        ("!!python/object/apply:os.system [echo]", "is not YAML"),
    ],
)
def test_refuses_what_is_no_specification(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        read(tmp_path, text)


def test_refuses_other_encodings_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_bytes("name: Müller".encode("latin-1"))
    with pytest.raises(Refusal, match="is not YAML in UTF-8"):
        read_specification(tmp_path / "spec.yaml")
    with pytest.raises(Refusal, match="No such file or directory; check the path"):
        read_specification(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    "changes",
    [
        {"value": {"column": "y", "multiply": float("nan")}},
        {"value": {"column": "y", "multiply": float("inf")}},
        {"cost": {"a": float("inf")}},
        {"weights": {"a": float("inf"), "b": 1.0}},
        {"target_roi": float("nan")},
        {"metrics": [{"key": "net value", "column": "y", "kind": "mean"}], "value": {"column": "y"}},
        {"metrics": [{"key": "", "column": "y", "kind": "mean"}]},
        {"metrics": [{"key": "y" * 201, "column": "y", "kind": "mean"}]},
        {"name": "n" * 201},
    ],
)
def test_refuses_numbers_that_arent_and_names_that_dont_fit(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        read_specification(specification(tmp_path, **changes))
