"""The files of a frozen report: the CSV's rows, the JSON's digest, and that nothing later changes them."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.reports.comparing import COLUMNS
from impact.reports.files import ENDINGS, csv_of, json_of
from impact.reports.models import Report, ReportSchedule
from impact.reports.rendering import pdf_of
from tests.conftest import Caller, caller, played, signed_in
from tests.reports.board import DUE, frozen, schedule
from workspaces.models import Membership, Workspace


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_the_table_has_every_comparison_at_full_precision(workspace: Workspace, analysed: Analysis) -> None:
    content = csv_of(frozen(schedule(workspace)))
    assert content.decode().splitlines()[0] == ",".join(COLUMNS)
    rows = rows_of(content)
    [net] = [row for row in rows if row["metric"] == "net"]
    block = analysed.document["money"]["comparisons"][0]["net"]
    assert (float(net["effect"]), float(net["low"]), float(net["high"])) == (block["effect"], *block["ci"])
    assert float(net["p"]) == block["p_value"]
    assert (net["experiment"], net["arm"], net["baseline"]) == ("offers", "bonus", "none")
    assert (net["n"], net["n_baseline"], net["currency"], net["verdict"]) == ("63", "57", "EUR", "proven")
    [left] = [row for row in rows if row["metric"] == "churn"]
    assert (left["currency"], left["verdict"], left["role"]) == ("", "", "driver")
    assert float(left["effect"]) == analysed.document["metrics"][0]["comparisons"][0]["effect"]


def changed(report: Report, **results: Any) -> Report:
    """The report as if its first experiment's results had been others."""
    report.content["experiments"][0]["results"] |= results
    return report


def test_before_the_end_the_table_has_the_range_of_any_day(workspace: Workspace, analysed: Analysis) -> None:
    report = changed(frozen(schedule(workspace)), maturity={"final": False})
    anytime = analysed.document["money"]["comparisons"][0]["net"]["always_valid"]
    [net] = [row for row in rows_of(csv_of(report)) if row["metric"] == "net"]
    assert [float(net[name]) for name in ("low", "high", "p")] == [*anytime["ci"], anytime["p_value"]]


def test_of_what_is_withheld_there_is_no_row(workspace: Workspace, analysed: Analysis) -> None:
    report = frozen(schedule(workspace))
    assert rows_of(csv_of(report))
    verdict = report.content["experiments"][0]["results"]["verdict"]
    assert rows_of(csv_of(changed(report, verdict=verdict | {"level": "withheld"}))) == []
    changed(report, verdict=verdict, verdicts=[{"arm": "bonus", "level": "withheld"}])
    assert rows_of(csv_of(report)) == []


def test_an_experiment_without_results_has_no_row(workspace: Workspace, churn: Experiment) -> None:
    assert csv_of(frozen(schedule(workspace))).decode().splitlines() == [",".join(COLUMNS)]


@pytest.mark.parametrize("unit", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_is_a_formula(workspace: Workspace, analysed: Analysis, unit: str) -> None:
    metric = analysed.document["metrics"][0] | {"unit": unit}
    report = changed(frozen(schedule(workspace)), metrics=[metric])
    [left] = [row for row in rows_of(csv_of(report)) if row["metric"] == "churn"]
    assert left["unit"] == f"'{unit}"
    assert float(left["effect"]) < 0


def test_the_digest_of_the_json_is_the_reports(workspace: Workspace, analysed: Analysis) -> None:
    report = frozen(schedule(workspace))
    stored = Report.objects.get()
    assert hashlib.sha256(json_of(stored)).hexdigest() == report.sha256


def test_files_stay_when_a_new_analysis_comes(workspace: Workspace, churn: Experiment, api: Caller) -> None:
    made = schedule(workspace)
    before = frozen(made)
    files = csv_of(before), json_of(before)
    analyze(experiment=played(workspace, api, churn))
    ReportSchedule.objects.update(name="Other")
    stored = Report.objects.get()
    assert (csv_of(stored), json_of(stored)) == files
    assert csv_of(frozen(made, DUE + timedelta(days=30))) != files[0]


@pytest.mark.parametrize("ending", ENDINGS)
def test_pages_and_api_give_the_same_bytes(
    mate: Membership, stranger: Membership, workspace: Workspace, other_workspace: Workspace, analysed: Analysis,
    ending: str,
) -> None:  # fmt: skip
    report = frozen(schedule(workspace))
    client, path = signed_in(mate), f"/w/mobile/reports/1.{ending}"
    answer = client.get(path)
    assert answer["Content-Type"] == ENDINGS[ending]
    assert f'filename="report-1.{ending}"' in answer["Content-Disposition"]
    secret = caller(workspace, "read").secret
    called = client.get(f"/api/v1/reports/1.{ending}", headers={"Authorization": f"Bearer {secret}"})
    assert (called.status_code, called["Content-Type"]) == (200, ENDINGS[ending])
    assert called.content == answer.content == client.get(path).content
    if ending == "pdf":
        assert answer.content == pdf_of(report)
    assert path in client.get("/w/mobile/reports/1").content.decode()
    assert signed_in(stranger).get(path).status_code == 404
    assert caller(other_workspace).get(f"/reports/1.{ending}").status_code == 404
    assert caller(workspace, "log").get(f"/reports/1.{ending}").status_code == 403
    assert caller(workspace).get(f"/reports/2.{ending}").status_code == 404
    assert client.get(f"/w/mobile/reports/2.{ending}").status_code == 404
