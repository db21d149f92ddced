"""Lists of pages and API: as many queries for three rows as for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.models import Action, DecisionPoint, Experiment, Policy
from impact.analysis.services import analyze
from impact.config.api import ENDPOINTS
from impact.reports.models import BenefitClaim, Report
from predictions.models import PredictionModel
from tests.conftest import START, Caller, csv_of, decided, decision_row, enter, loaded, signed_in
from tests.dashboard.judged import judged_model
from tests.reports.board import frozen, schedule
from workspaces.models import Membership, Workspace
from workspaces.services.jobs import enqueue
from workspaces.services.people import create_workspace

Make = Callable[[int], object]
UNITS = {"unit": [f"u{n}" for n in range(40)], "arm": ["a", "b"] * 20, "y": [1.0 + n % 7 for n in range(40)]}
# path -> what its rows are
PAGES = {
    "/": "workspaces", "/w/mobile/": "experiments", "/w/mobile/experiments": "experiments",
    "/w/mobile/models": "models",
    "/w/mobile/reports": "reports", "/w/mobile/jobs": "jobs", "/w/mobile/members": "members",
}  # fmt: skip
LISTS = {
    "/actions": "actions", "/decision-points": "decision_points", "/policies": "policies",
    "/models": "models", "/experiments": "experiments", "/jobs": "jobs", "/reports": "reports",
    "/claims": "claims", "/experiments/<key>/decisions": "decisions",
}  # fmt: skip


@pytest.fixture
def make(workspace: Workspace, owner: Membership, tmp_path: Path, request: Any) -> dict[str, Make]:
    """How to make one more row of each kind."""

    def experiment(place: int) -> None:
        broken = {"weights": {"a": 9, "b": 1}} if place == 2 else {}
        value = {"value": {"column": "y"}, "cost": {"b": 0.5}, "metrics": None}
        analyze(experiment=loaded(workspace, tmp_path, csv_of(UNITS), experiment=f"x{place}", **(value | broken)))

    def report(place: int) -> None:
        frozen(schedule(workspace, f"s{place}"), START + timedelta(days=place))

    def decision(place: int) -> None:
        if place == 0:
            request.getfixturevalue("running")
        decided(request.getfixturevalue("api"), [decision_row(f"c{place}")])

    def point(place: int) -> None:
        if place == 0:
            request.getfixturevalue("churn")
            return
        DecisionPoint.objects.create(
            workspace=workspace, key=f"p{place}", model=PredictionModel.objects.get(), candidates=["none"],
            baseline="none", horizon_days=1, created_at=START,
        )  # fmt: skip

    def action(place: int) -> None:
        Action.objects.create(workspace=workspace, key=f"a{place}", name="A", created_at=START)

    def policy(place: int) -> None:
        salt = f"s{place}"
        Policy.objects.create(
            workspace=workspace, key=salt, decision_point="p", kind="random", salt=salt, created_at=START
        )

    def claim(place: int) -> None:
        if place == 0:
            request.getfixturevalue("running")
        report(place)
        BenefitClaim.objects.create(
            workspace=workspace, report=Report.objects.latest("number"), experiment=Experiment.objects.get(),
            scope="offer", population="customer", metric="net value", option=f"o{place}", against="none", from_on=START,
            until_on=START + timedelta(days=365), currency="EUR", amount=1, low=1, high=1, claimed_by=owner.person,
            claimed_at=START,
        )  # fmt: skip

    def another(place: int) -> None:
        made = create_workspace(key=f"w{place}", name=f"W{place}", currency="EUR", actor="test")
        enter(made, "owner@example.com", "viewer")

    return {
        "actions": action,
        "decision_points": point,
        "policies": policy,
        "experiments": experiment,
        "reports": report,
        "jobs": lambda place: enqueue(workspace=workspace, kind="analyze", key=str(place)),
        "members": lambda place: enter(workspace, f"m{place}@example.com", "viewer"),
        "decisions": decision,
        "claims": claim,
        "models": lambda place: judged_model(workspace, f"m{place}"),
        "workspaces": another,
    }


def queries(ask: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    assert answer.status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_as_often_for_three_rows_as_for_one(path: str, make: dict[str, Make], owner: Membership) -> None:
    client = signed_in(owner)
    add = make[PAGES[path]]
    add(0)
    one, before = queries(lambda: client.get(path)), len(client.get(path).content)
    add(1)
    add(2)
    assert queries(lambda: client.get(path)) == one
    assert len(client.get(path).content) > before


@pytest.mark.parametrize("path", LISTS)
def test_a_call_asks_as_often_for_three_rows_as_for_one(path: str, make: dict[str, Make], api: Caller) -> None:
    add = make[LISTS[path]]
    add(0)
    at = path.replace("<key>", "offers")

    def asked() -> int:
        """The fewest of some tries: a key is read again when it was remembered for a second."""
        return min(queries(lambda: api.get(at)) for _ in range(3))

    one = asked()
    add(1)
    add(2)
    assert asked() == one
    name = path.rsplit("/", 1)[-1].replace("-", "_")
    assert len(api.get(at).body[name]) == 3


def test_every_list_of_the_api_is_counted() -> None:
    assert {endpoint.path for endpoint in ENDPOINTS if "cursor" in endpoint.query} == set(LISTS)
