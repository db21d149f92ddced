"""The pages behind the executive page: the money, the checks, the digests; of what is withheld no figure."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from impact.figures.sheet import report_pdf
from impact.figures.words.sheet import WORDS
from tests.figures.documents import plain, said
from tests.figures.test_sheet import AT, content


def pages(report: dict[str, Any]) -> list[str]:
    return [plain(page.extract_text()) for page in PdfReader(io.BytesIO(report_pdf(report, "c" * 64, AT))).pages]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", ["churn", "six_arms", "maintenance"])
def test_every_check_and_digest_is_told(name: str, language: str) -> None:
    document = said(name, language)
    told = "".join(pages(content(document, language))[1:]).replace("\n", "")
    assert WORDS[language]["appendix"] in told and document["snapshot"]["sha256"] in told
    for check in document["checks"]:
        assert plain(check["message"]).replace(" ", "") in told.replace(" ", ""), check["id"]


def test_the_numbers_are_the_documents() -> None:
    told = "".join(pages(content(said("churn", "en")))[1:])
    assert "+4.62 (0.15 to 9.09)" in told and "5,438" in told and "19.9 %" in told


def test_of_what_is_withheld_there_is_no_figure() -> None:
    document = said("churn", "en")
    document["verdict"]["level"] = "withheld"
    told = "".join(pages(content(document))[1:])
    assert "technical appendix" in told and "4.62" not in told and "19.9" not in told


@pytest.mark.parametrize("count", [1, 200])
def test_what_changed_is_told_on_the_first_page_or_the_next(count: int) -> None:
    report = content(said("churn", "en"))
    lines = [f"{number} more rows count" for number in range(count)]
    report["experiments"][0]["changed"] = {"title": "Since report 6", "since": "Since May:", "lines": lines}
    told = pages(report)
    assert ["Since report 6" in page for page in told].index(True) == (0 if count == 1 else 1)
    assert "".join(told).count("Since report 6") == 1 and "0 more rows count" in "".join(told)
