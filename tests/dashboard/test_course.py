"""The experiment page's history: its course, what changed, what was agreed beside what came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from impact.analysis.models import Analysis
from impact.dashboard.course import MOST, course_of, spread
from tests.config.test_queries import queries
from tests.conftest import signed_in
from tests.dashboard.test_views import page
from workspaces.models import Membership


def earlier(analysis: Analysis, days: int, effect: float) -> Analysis:
    """The same analysis, so many days before, with another figure."""
    at = analysis.as_of - timedelta(days=days)
    document: dict[str, Any] = analysis.document | {"as_of": at.isoformat()}
    document["snapshot"] = document["snapshot"] | {"decisions": document["snapshot"]["decisions"] - days}
    [block] = document["money"]["comparisons"]
    document["money"] = document["money"] | {"comparisons": [block | {"net": block["net"] | {"effect": effect}}]}
    return Analysis.objects.create(
        workspace=analysis.workspace, experiment=analysis.experiment, snapshot=analysis.snapshot, as_of=at, seed=days,
        plan_sha256=analysis.plan_sha256, code_version=analysis.code_version, final=False, mature=1, assigned=120,
        document=document, sha256="0" * 64, created_at=analysis.created_at,
    )  # fmt: skip


def test_one_analysis_has_no_course(mate: Membership, analysed: Analysis) -> None:
    shown = page(signed_in(mate), "experiments/offers")
    assert 'id="course"' not in shown and 'id="changed"' not in shown
    assert "final since" in shown


def test_more_have_one_and_say_what_changed(mate: Membership, analysed: Analysis) -> None:
    earlier(analysed, 30, 1.0)
    earlier(analysed, 10, 2.0)
    shown = page(signed_in(mate), "experiments/offers")
    assert 'id="course"' in shown and "10 more rows were decided about" in shown
    assert "Bonus: +2.00 EUR became" in shown


def test_what_was_agreed_stands_beside_what_came(mate: Membership, analysed: Analysis) -> None:
    shown = page(signed_in(mate), "experiments/offers")
    agreed = shown.split('id="agreed"')[1].split("</section>")[0]
    assert "Rows in the smallest arm" in agreed and "1,000" in agreed and "−2.00 points" in agreed


def test_many_analyses_are_read_in_as_many_queries_as_two(mate: Membership, analysed: Analysis) -> None:
    client: Client = signed_in(mate)
    earlier(analysed, 30, 1.0)
    few = queries(lambda: client.get("/w/mobile/experiments/offers"))
    for days in range(1, 20):
        earlier(analysed, days, 1.0)
    assert queries(lambda: client.get("/w/mobile/experiments/offers")) == few
    found = course_of(analysed.experiment, "en")["course"]
    assert len(found["lines"][0]["dots"]) == MOST


@pytest.mark.parametrize(("number", "kept"), [(3, 3), (16, 16), (17, 16), (400, 16)])
def test_the_first_and_the_last_two_are_always_there(number: int, kept: int) -> None:
    found = spread(list(range(number)))
    assert len(found) == len(set(found)) == kept
    assert found[0] == 0 and found[-2:] == [number - 2, number - 1]
