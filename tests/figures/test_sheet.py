"""The PDF: the same bytes for the same content, and marks whose fill says how sure we are."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impact.figures.executive import points
from impact.figures.sheet import TONES, report_pdf
from tests.figures.documents import CASE, said

AT = datetime(2026, 7, 1, 5, tzinfo=UTC)


def content(results: dict[str, Any] | None, language: str = "en") -> dict[str, Any]:
    """A report's content about one experiment."""
    shown = points(results, CASE, ["Bea (business), 1 May 2026"], language) if results else []
    return {
        "number": 7, "name": "Offers", "audience": "for the CFO", "language": language, "time_zone": "Europe/Berlin",
        "due_at": AT.isoformat(), "workspace": {"key": "mobile", "name": "Mobile", "simulated": True},
        "currency": "EUR", "audit_head": "a" * 64, "previous": {"number": 6, "sha256": "b" * 64},
        "experiments": [{"key": "offers", "name": "Offers", "results": results, "points": shown}],
    }  # fmt: skip


def filled(pdf: bytes, folder: Path, tone: str) -> tuple[float, float]:
    """How much of the mark's left and of its right half has the colour."""
    (folder / "report.pdf").write_bytes(pdf)
    drawn = ["pdftoppm", "-r", "300", "-singlefile", "-aa", "no", str(folder / "report.pdf"), str(folder / "report")]
    subprocess.run(drawn, check=True)
    head, size, _, pixels = (folder / "report.ppm").read_bytes().split(b"\n", 3)
    assert head == b"P6"
    width, height = map(int, size.split())
    page = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    rows, columns = np.nonzero((page == TONES[tone]).all(axis=2))
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    box = (page[top : bottom + 1, left : right + 1] == TONES[tone]).all(axis=2)
    middle = box.shape[1] // 2
    return box[:, :middle].mean(), box[:, middle:].mean()


def mark(level: str) -> dict[str, Any]:
    """A document of one comparison without a width, so that nothing but its mark has a colour."""
    document = said("churn", "en")
    document["money"]["comparisons"] = document["money"]["comparisons"][:1]
    net = document["money"]["comparisons"][0]["net"]
    net["ci"] = [net["effect"], net["effect"]]
    document["verdicts"] = [{"arm": "bonus", "level": level}]
    return document


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", ["churn", "six_arms", "maintenance"])
def test_the_same_content_gives_the_same_bytes(name: str, language: str) -> None:
    one, two = (report_pdf(content(said(name, language), language), "c" * 64, AT) for _ in range(2))
    assert one == two and one.startswith(b"%PDF")
    assert report_pdf(content(said(name, language), language), "d" * 64, AT) != one


def test_a_full_disc_is_proven_and_a_half_one_likely(tmp_path: Path) -> None:
    left, right = filled(report_pdf(content(mark("proven")), "c" * 64, AT), tmp_path, "good")
    assert left > 0.6 and right > 0.6
    left, right = filled(report_pdf(content(mark("likely")), "c" * 64, AT), tmp_path, "good")
    assert left > 0.6 and right < 0.5
    left, right = filled(report_pdf(content(mark("harmful")), "c" * 64, AT), tmp_path, "bad")
    assert left == pytest.approx(right, abs=0.1) and 0.3 < left < 0.7
