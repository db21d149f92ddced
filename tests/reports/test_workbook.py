"""The workbook of a report and of an experiment: numbers as numbers, texts as texts, nothing that is withheld."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.reports.workbook import report_workbook
from tests.conftest import Caller, signed_in
from tests.reports.board import frozen, schedule
from workspaces.models import Membership, Workspace

SHEETS = ["Summary", "Comparisons", "Money", "Checks", "Segments", "Periods"]


def read(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    heads, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_holds_six_sheets_whose_numbers_are_numbers(workspace: Workspace, analysed: Analysis) -> None:
    report = frozen(schedule(workspace))
    book = read(report_workbook(report))
    assert book.sheetnames == SHEETS
    [net] = [row for row in rows_of(book["Comparisons"]) if row["Metric"] == "Net value"]
    block = analysed.document["money"]["comparisons"][0]["net"]
    assert (net["Effect"], net["Low"], net["High"]) == pytest.approx((block["effect"], *block["ci"]), rel=1e-14)
    assert net["p"] == pytest.approx(block["p_value"], rel=1e-14)
    assert (net["Rows"], net["Currency"], net["Verdict"]) == (63, "EUR", "Proven")
    assert isinstance(net["Cut-off (UTC)"], datetime)
    said = {row["Point"]: row["Text"] for row in rows_of(book["Summary"])}
    assert said["Verdict"] == report.content["experiments"][0]["results"]["verdict"]["sentence"]
    assert (said["Report"], said["SHA-256"]) == (1, report.sha256)
    money = {(row["Part"], row["What"], row["Of"]): row for row in rows_of(book["Money"])}
    arms = {one["arm"]: one for one in analysed.document["money"]["arms"]}
    assert money["Mean a row", "Net value", "Bonus"]["Base"] == pytest.approx(arms["bonus"]["net"], rel=1e-14)
    checks = {row["Check"]: row for row in rows_of(book["Checks"])}
    assert set(checks) == {one["id"] for one in analysed.document["checks"]}
    assert all(row["Passed"] in ("yes", "no") for row in checks.values())
    assert len(rows_of(book["Segments"])) == sum(len(one["comparisons"]) for one in analysed.document["segments"])


def test_a_year_of_money_is_there_with_its_range(workspace: Workspace, analysed: Analysis) -> None:
    report = frozen(schedule(workspace))
    cases = {name: {"npv": value, "payback_months": None} for name, value in (("low", -2), ("base", 1.5), ("high", 3))}
    report.content["experiments"][0]["results"]["value_statement"] = {
        "currency": "EUR", "policy": "scores", "arm": None, "projected": cases, "booked": None,
        "cash": {"projected": {"peak_funding": 9.5, "months_to_positive": 35}, "booked": None},
        "programme": {"build": 220.0, "running_per_year": 180.0, "years": 3, "discount_rate": 0.1},
        "price_of_holdout": None,
        "tornado": [
            {"name": "V", "owner": "fin", "low": 170, "base": 300, "high": 340, "unit": "EUR", "flips_at": 190.6}
        ],
    }  # fmt: skip
    money = {(row["Part"], row["What"]): row for row in rows_of(read(report_workbook(report))["Money"])}
    npv = money["Projected", "NPV over 3 years at 10%"]
    assert (npv["Low"], npv["Base"], npv["High"], npv["Of"]) == (-2, 1.5, 3, "scores")
    assert money["Projected", "Month paid back, dated cash"]["Base"] == 35
    assert money["Assumption", "V"]["Remark"] == "the effect changes its sign at 190.60"


def test_the_same_report_gives_the_same_bytes(workspace: Workspace, analysed: Analysis) -> None:
    report = frozen(schedule(workspace))
    assert report_workbook(report) == report_workbook(report)


def test_of_what_is_withheld_there_are_only_words(workspace: Workspace, analysed: Analysis) -> None:
    report = frozen(schedule(workspace))
    results = report.content["experiments"][0]["results"]
    results["verdicts"] = [{"arm": "bonus", "level": "withheld"}]
    book = read(report_workbook(report))
    assert rows_of(book["Comparisons"]) == rows_of(book["Segments"]) == []
    assert {row["Of"] for row in rows_of(book["Money"]) if row["Part"] != "Assumption"} <= {"No action", None, "bonus"}
    results["verdict"]["level"] = "withheld"
    book = read(report_workbook(report))
    assert rows_of(book["Money"]) == [] and rows_of(book["Checks"])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a\x0bb"])
def test_no_cell_is_a_formula(workspace: Workspace, analysed: Analysis, text: str) -> None:
    report = frozen(schedule(workspace))
    report.content["experiments"][0]["name"] = text
    book = read(report_workbook(report))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert book["Summary"]["A11"].value == ("ab" if "\x0b" in text else f"'{text}")


def test_an_experiment_without_results_is_said(workspace: Workspace, churn: Experiment) -> None:
    book = read(report_workbook(frozen(schedule(workspace, language="ja"))))
    assert book.sheetnames == ["概要", "比較", "金額", "確認", "セグメント", "会計期間"]
    assert book["概要"]["C11"].value == "まだ分析されていません。"
    assert [sheet.max_row for sheet in book] == [11, 1, 1, 1, 1, 1]


def test_an_experiment_has_one_too(mate: Membership, analysed: Analysis, api: Caller) -> None:
    client = signed_in(mate)
    answer = client.get("/w/mobile/experiments/offers/results.xlsx")
    assert answer["Content-Disposition"] == 'attachment; filename="offers.xlsx"'
    assert read(answer.content).sheetnames == SHEETS
    called = api.client.get(
        "/api/v1/experiments/offers/results.xlsx", headers={"Authorization": f"Bearer {api.secret}"}
    )
    assert called.content == answer.content
    assert "/w/mobile/experiments/offers/results.xlsx" in client.get("/w/mobile/experiments/offers").content.decode()
    assert api.get("/experiments/offers/results.xlsx", language="fr").status_code == 400


def test_an_experiment_without_results_has_none(mate: Membership, churn: Experiment) -> None:
    assert signed_in(mate).get("/w/mobile/experiments/offers/results.xlsx").status_code == 404
