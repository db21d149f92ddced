"""A report tells value and cost by fiscal month; what a signed one said of closed months stays."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.reports.files import file_of
from impact.reports.models import Report
from impact.reports.rendering import html_of, pdf_of
from tests.conftest import START, Caller, outcome_row, signed_in
from tests.reports.board import DUE, frozen, schedule, signed, stated
from workspaces import clock
from workspaces.models import Membership, Workspace


def accounts(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = report.content["experiments"][0]["accounts"]
    return found


def test_months_add_up_to_what_was_measured(workspace: Workspace, analysed: Analysis) -> None:
    found = accounts(frozen(schedule(workspace)))
    [block] = analysed.document["money"]["comparisons"]
    rows = block["total"]["n"]
    for name in ("value", "cost"):
        told = sum(one[name] for one in found["months"])
        assert told == pytest.approx(rows * block[name]["effect"], abs=0.01)
    # decided and paid for in January, windows over in April
    january, april = found["months"]
    assert (january["month"], january["value"], january["cost"]) == ("2026-01", 0, pytest.approx(2 * rows))
    assert (april["month"], april["cost"]) == ("2026-04", 0) and april["value"] > 0
    assert (january["year"], january["quarter"], april["quarter"]) == ("2026", 1, 2)
    assert found["restated"] is None


def test_the_fiscal_year_is_the_workspaces(workspace: Workspace, analysed: Analysis) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(fiscal_year_start=4)
    made = schedule(Workspace.objects.get(pk=workspace.pk))
    assert [(one["year"], one["quarter"]) for one in accounts(frozen(made))["months"]] == [
        ("2025/26", 4),
        ("2026/27", 1),
    ]


def test_every_file_has_them(workspace: Workspace, analysed: Analysis, mate: Membership) -> None:
    report = frozen(schedule(workspace))
    rows = list(csv.DictReader(io.StringIO(file_of(report, "periods.csv").decode())))
    assert [float(row["net"]) for row in rows] == [one["net"] for one in accounts(report)["months"]]
    assert (rows[0]["experiment"], rows[0]["arm"], rows[0]["currency"]) == ("offers", "bonus", "EUR")
    assert pdf_of(report) == pdf_of(report)
    page = html_of(report)
    assert "By fiscal period: Bonus" in page and "Fiscal year 2026" in page and "January 2026" in page
    answer = signed_in(mate).get("/w/mobile/reports/1.periods.csv")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")


def test_what_is_withheld_has_none(workspace: Workspace, churn: Experiment) -> None:
    report = frozen(schedule(workspace))
    assert report.content["experiments"][0].get("accounts") is None
    assert file_of(report, "periods.csv").decode().count("\n") == 1


def late(workspace: Workspace, api: Caller, leavers: int) -> None:
    """Events that a feed sends after its windows were over: customers left, in whichever arm."""
    clock.advance(workspace, START + timedelta(days=130))
    rows = [outcome_row(f"c{number:03}", day=20) for number in range(60, 60 + leavers)]
    at = (START + timedelta(days=130)).isoformat()
    assert api.post("/outcomes", {"outcomes": [row | {"at": at} for row in rows]}).body["accepted"] == leavers
    workspace.refresh_from_db()
    analyze(experiment=Experiment.objects.get(), as_of=START + timedelta(days=131))


def test_closed_months_stay_as_they_were_signed(
    workspace: Workspace, api: Caller, tmp_path: Path, mate: Membership
) -> None:
    stated(workspace, api, tmp_path)
    # April was open when it was signed, so a report of May closes it
    made = schedule(workspace)
    clock.advance(workspace, START + timedelta(days=125))
    analyze(experiment=Experiment.objects.get(), as_of=START + timedelta(days=125))
    first = signed(frozen(made))
    unchanged = accounts(frozen(made, DUE + timedelta(days=1)))
    assert unchanged["months"] == accounts(first)["months"]
    assert unchanged["restated"] == {"report": 1, "net": 0.0, "reissue": False}
    late(workspace, api, 40)
    second = frozen(made, DUE + timedelta(days=2))
    told, now = accounts(first)["months"], accounts(second)["months"]
    assert now[:-1] == told
    prior = now[-1]
    assert (prior["month"], prior["prior"]) == ("2026-05", True) and prior["value"] != 0
    [block] = second.content["experiments"][0]["results"]["money"]["comparisons"]
    assert sum(one["value"] for one in now) == pytest.approx(block["total"]["n"] * block["value"]["effect"], abs=0.01)
    assert accounts(second)["restated"] == {"report": 1, "net": prior["net"], "reissue": True}
    assert "is to be reissued" in html_of(second) and "Prior periods, May 2026" in html_of(second)
    first.refresh_from_db()
    assert first.restated_by == second
    assert "To be reissued: report 3" in signed_in(mate).get("/w/mobile/reports/1").content.decode()


def test_below_the_agreed_amount_it_is_only_told(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    stated(workspace, api, tmp_path, reissue_above=1e6)
    made = schedule(workspace)
    clock.advance(workspace, START + timedelta(days=125))
    analyze(experiment=Experiment.objects.get(), as_of=START + timedelta(days=125))
    first = signed(frozen(made))
    late(workspace, api, 40)
    second = frozen(made, DUE + timedelta(days=1))
    assert accounts(second)["restated"]["net"] != 0 and not accounts(second)["restated"]["reissue"]
    first.refresh_from_db()
    assert first.restated_by is None and "told as prior periods" in html_of(second)


def test_what_nobody_signed_binds_nobody(workspace: Workspace, api: Caller, tmp_path: Path) -> None:
    stated(workspace, api, tmp_path)
    made = schedule(workspace)
    frozen(made)
    late(workspace, api, 40)
    found = accounts(frozen(made, DUE + timedelta(days=1)))
    assert found["restated"] is None and not any(one["prior"] for one in found["months"])
