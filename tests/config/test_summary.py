"""The terminal's summary: verdict, what the figures are, figures, failed checks."""

from __future__ import annotations

from impact.config.summary import summary
from impact.figures.sentences import completed
from tests.figures.documents import judged, plain, said


def test_says_the_documents_figures() -> None:
    lines = plain(summary(said("churn", "en"))).splitlines()
    assert lines[0] == "Churn incentives: LIKELY"
    assert lines[1].startswith("  Bonus earned 4.62 EUR per customer more than no action, between 0.15 and 9.09")
    assert lines[3] == "  Net EUR per customer:"
    assert [line.split() for line in lines[4:]] == [
        ["Bonus", "+4.62", "+0.15", "to", "+9.09"],
        ["Credit", "−4.55", "−8.95", "to", "−0.16"],
    ]


def test_says_points_and_what_was_not_agreed() -> None:
    text = plain(summary(said("six_arms", "en")))
    assert "churn in points per unit:" in text
    assert "info: Not agreed beforehand" in text


def test_shows_no_figure_that_is_withheld() -> None:
    document = judged("churn", "withheld", None)
    document["verdicts"] = [one | {"level": "withheld"} for one in document["verdicts"]]
    document["checks"][2] |= {"passed": False}
    text = plain(summary(completed(document)))
    assert "WITHHELD" in text and "block: " in text
    assert "4.62" not in text and "Net EUR" not in text
