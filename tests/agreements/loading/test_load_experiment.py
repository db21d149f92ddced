"""manage.py load_experiment: the whole way from a file to a verdict, on files made here and on real experiments."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiments.models import Experiment
from impact.analysis.models import Analysis
from tests.conftest import csv_of, enter, signed_in, specification
from tests.skips import reference_directory
from workspaces.models import Workspace
from workspaces.services.people import create_workspace

ROWS = csv_of({"unit": list(range(40)), "arm": ["a", "b"] * 20, "y": [(7 * n) % 11 + 2 * (n % 2) for n in range(40)]})


def load(file: Path, spec: Path, **options: Any) -> tuple[str, str]:
    """Run the command and return what it wrote to standard output and error."""
    out, err = io.StringIO(), io.StringIO()
    call_command("load_experiment", file, spec=spec, stdout=out, stderr=err, **options)
    return out.getvalue().replace("\u00a0", " "), err.getvalue()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_text(ROWS)
    return file


def test_prints_verdict_figures_and_what_failed(workspace: Workspace, rows: Path, tmp_path: Path) -> None:
    spec = specification(tmp_path, value={"column": "y"}, cost={"b": 0.25}, name="A trial")
    out, err = load(rows, spec)
    assert out.startswith("A trial: ")
    assert "b earned " in out and " EUR per unit more than a, between " in out
    assert "info: Not agreed beforehand" in out
    assert err == "The arm 'a' has no cost in the specification, so it costs 0.\n"


def test_prints_the_results_document(workspace: Workspace, rows: Path, tmp_path: Path) -> None:
    out, _ = load(rows, specification(tmp_path), as_json=True)
    document = json.loads(out)
    assert (document["experiment"], document["origin"]) == ("trial", "loaded")
    assert document["verdict"]["sentence"] and document["checks"][0]["message"]
    assert str(Analysis.objects.get().pk) == document["analysis_id"]


def test_says_the_same_when_it_is_loaded_again(workspace: Workspace, rows: Path, tmp_path: Path) -> None:
    spec = specification(tmp_path)
    assert load(rows, spec, as_json=True) == load(rows, spec, as_json=True)
    assert Analysis.objects.count() == Experiment.objects.count() == 1


def test_makes_the_default_workspace_in_the_files_currency(db: None, rows: Path, tmp_path: Path) -> None:
    load(rows, specification(tmp_path, currency="JPY"))
    made = Workspace.objects.get()
    assert (made.key, made.currency, made.simulated) == ("default", "JPY", False)


def test_loads_into_the_workspace_that_is_named(
    workspace: Workspace, other_workspace: Workspace, rows: Path, tmp_path: Path
) -> None:
    spec = specification(tmp_path)
    with pytest.raises(CommandError, match=r"several workspaces \(mobile, other\); name one with --workspace"):
        load(rows, spec)
    with pytest.raises(CommandError, match="no workspace 'nowhere'"):
        load(rows, spec, workspace="nowhere")
    load(rows, spec, workspace="other")
    assert Experiment.objects.get().workspace == other_workspace


def test_ends_with_one_line_where_the_file_is_bad(workspace: Workspace, rows: Path, tmp_path: Path) -> None:
    rows.write_text(ROWS + "40,a,much\n")
    with pytest.raises(CommandError) as refused:
        load(rows, specification(tmp_path))
    assert str(refused.value) == f"{rows} line 42, column 'y': 'much' is no number; write it like 12.5 [bad-file]"
    assert not Experiment.objects.exists()


HILLSTROM = """
experiment: hillstrom-email
unit: {generate: true}
arm: {column: segment, baseline: No E-Mail}
metrics:
  - {key: visit, column: visit, kind: proportion, role: secondary, direction: increase}
  - {key: spend, column: spend, kind: mean, role: secondary, direction: increase, unit: USD}
value: {column: spend, multiply: 0.30}
cost:
  Mens E-Mail: 0.10
  Womens E-Mail: 0.10
segments: [channel]
weights: {Mens E-Mail: 1, Womens E-Mail: 1, No E-Mail: 1}
comparisons: all
missing: refuse
currency: USD
"""
PENNSYLVANIA = """
experiment: bonus
unit: {generate: true}
arm: {column: tg, baseline: 0}
metrics:
  - {key: weeks, column: inuidur1, kind: mean, role: primary, direction: decrease}
"""
MENS, WOMENS, NONE = "Mens E-Mail", "Womens E-Mail", "No E-Mail"


def real(name: str) -> Path:
    return reference_directory() / "data" / name


def by_pair(comparisons: list[Any]) -> dict[tuple[str, str], Any]:
    return {(one["arm"], one["baseline"]): one for one in comparisons}


@pytest.mark.slow
@pytest.mark.needs_reference
def test_hillstrom_gives_every_printed_digit(db: None, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(HILLSTROM)
    shop = create_workspace(key="shop", name="Shop", currency="USD", actor="test")
    out, _ = load(real("hillstrom/hillstrom.csv.gz"), tmp_path / "spec.yaml", as_json=True)
    document = json.loads(out)
    metrics = {metric["key"]: by_pair(metric["comparisons"]) for metric in document["metrics"]}
    spend, visit = metrics["spend"], metrics["visit"]
    assert f"{spend[MENS, NONE]['effect']:.6f} {spend[MENS, NONE]['p_value']:.3g}" == "0.769827 1.16e-07"
    assert f"{spend[WOMENS, NONE]['effect']:.6f} {spend[WOMENS, NONE]['p_value']:.5f}" == "0.424412 0.00113"
    assert f"{spend[MENS, WOMENS]['effect']:.6f} {spend[MENS, WOMENS]['se']:.6f}" == "0.345415 0.159617"
    assert [f"{spend[arm, NONE]['se']:.6f}" for arm in (MENS, WOMENS)] == ["0.145247", "0.130333"]
    assert [f"{visit[arm, NONE]['effect']:.6f}" for arm in (MENS, WOMENS)] == ["0.076590", "0.045233"]
    money = {pair: one["net"] for pair, one in by_pair(document["money"]["comparisons"]).items()}
    assert [f"{money[arm, NONE]['effect']:.4f}" for arm in (MENS, WOMENS)] == ["0.1309", "0.0273"]
    [ratio] = [check for check in document["checks"] if check["id"] == "sample_ratio"]
    assert f"{ratio['p_value']:.3f}" == "0.904" and ratio["passed"]
    assert [arm["n"] for arm in document["money"]["arms"]] == [21307, 21387, 21306]
    assert document["snapshot"]["decisions"] == 64000
    assert [(one["arm"], one["level"]) for one in document["verdicts"]] == [(MENS, "proven"), (WOMENS, "unclear")]

    owner = enter(shop, "owner@example.com", "admin")
    page = signed_in(owner).get("/w/shop/experiments/hillstrom-email").content.decode().replace("\u00a0", " ")
    for text in (
        "Mens E-Mail earned 0.131 USD per unit more than No E-Mail, between 0.046 and 0.216: proven.",
        ">+0.131<", ">+0.027<", "(p = 0.904)", "7.66", "4.52", "0.77", "0.42", "64,000 of 64,000 rows count",
        "Not agreed beforehand",
    ):  # fmt: skip
        assert text in page, text


@pytest.mark.needs_reference
def test_pennsylvania_gives_every_printed_digit(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(PENNSYLVANIA)
    out, _ = load(real("penn_bonus/penn_jae.dat.gz"), tmp_path / "spec.yaml", as_json=True)
    document = json.loads(out)
    [weeks] = document["metrics"]
    control = weeks["arms"][0]
    assert (control["arm"], control["n"], f"{control['mean']:.4f}") == ("0", 3354, "13.3378")
    plans = {one["arm"]: one for one in weeks["comparisons"]}
    assert [f"{plans['4'][name]:.5f}" for name in ("effect", "se")] == ["-0.83236", "0.31059"]
    assert [f"{plans['6'][name]:.5f}" for name in ("effect", "se")] == ["-1.00240", "0.33558"]
    assert [f"{plans[arm]['p_value']:.4f}" for arm in "46"] == ["0.0074", "0.0028"]
    assert [arm for arm, one in plans.items() if one["p_adjusted"] <= 0.05] == ["2", "4", "6"]
    assert [one["arm"] for one in document["verdicts"] if one["level"] == "proven"] == ["2", "4", "6"]
    assert (document["verdict"]["level"], document["verdict"]["arm"]) == ("proven", "6")
    assert document["verdict"]["sentence"].startswith("Arm 6 lowered weeks by 1.00 (good) compared with arm 0")

    owner = enter(workspace, "owner@example.com", "admin")
    page = signed_in(owner).get("/w/mobile/experiments/bonus").content.decode().replace("\u00a0", " ")
    for text in ("13.34", "\u25bc 0.83", "\u25bc 1.00", "less is better", "lower, good", "within chance"):
        assert text in page, text
    assert page.count("lower, good") == 3
