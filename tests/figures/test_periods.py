"""The table of fiscal periods: years, quarters, months and all, in two languages."""

from __future__ import annotations

from typing import Any

import pytest

from impact.figures.periods import period_section
from tests.figures.documents import said

LINES = (
    ("2025/26", 4, "2026-03", False, 0.0, 200.0), ("2026/27", 1, "2026-04", False, 900.5, 0.0),
    ("2026/27", 1, "2026-04", True, -50.0, 0.0),
)  # fmt: skip


def section(language: str, restated: Any = None) -> Any:
    months = [
        {"arm": "bonus", "year": year, "quarter": quarter, "month": month, "prior": prior, "value": value,
         "cost": cost, "net": value - cost}
        for year, quarter, month, prior, value, cost in LINES
    ]  # fmt: skip
    accounts = {"currency": "EUR", "fiscal_year_start": 4, "current": "2026-04", "months": months, "restated": restated}
    return period_section({"results": said("churn", language), "accounts": accounts}, language)


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        ("en", ["Fiscal year 2025/26", "Quarter 4", "March 2026", "Fiscal year 2026/27", "Quarter 1", "April 2026",
                "Prior periods, April 2026", "All periods"]),
        ("ja", ["会計年度2025/26", "第4四半期", "2026年3月", "会計年度2026/27", "第1四半期", "2026年4月",
                "過去期間の修正, 2026年4月", "全期間"]),
    ],
)  # fmt: skip
def test_every_period_has_its_sum(language: str, labels: list[str]) -> None:
    [table] = section(language)["tables"]
    assert [row["cells"][0] for row in table["rows"]] == labels
    assert [row["kind"] for row in table["rows"]][:3] == ["year", "quarter", "month"]
    assert table["rows"][3]["cells"][1:] == ["+850.50", "0.00", "+850.50"]
    assert table["rows"][-1]["cells"][1:] == ["+850.50", "+200.00", "+650.50"]


@pytest.mark.parametrize(
    ("net", "reissue", "expected"),
    [(0.0, False, "are as report 3"), (-50.0, False, "told as prior periods"), (-50.0, True, "is to be reissued")],
)
def test_says_what_changed_of_closed_periods(net: float, reissue: bool, expected: str) -> None:
    *_, last = section("en", {"report": 3, "net": net, "reissue": reissue})["notes"]
    assert expected in last and ("50.00" in last) == bool(net)


def test_without_months_there_is_none() -> None:
    assert period_section({"results": None}, "en") is None
