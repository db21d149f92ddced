"""Invariants 7, 10 and 13 of the design, by their numbers, where no other test holds them whole."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

from django.conf import settings

from experiments.models import Decision, Experiment
from impact.analysis.models import Analysis, Estimate
from impact.analysis.services import analyze, differing
from tests.conftest import START, Caller, caller, declared_churn, played
from tests.reports.board import frozen, schedule
from workspaces import clock
from workspaces.models import Workspace
from workspaces.services.people import create_workspace

IN_SQLITE = """
import django
django.setup()
from impact.config.trials import scratch_database
from tests.analysis.test_invariants import lived
with scratch_database():
    print(*lived())
"""


def test_7_what_was_executed_moves_no_effect(workspace: Workspace, api: Caller, churn: Experiment) -> None:
    experiment = played(workspace, api, churn)
    before = analyze(experiment=experiment).document
    # of those drawn to get the bonus half didn't, and of the others half did
    rows = [
        {
            "source": "crm", "event_id": f"x-{decision.unit_id}", "decision_id": str(decision.pk),
            "status": "overridden", "actor": "ann", "reason": "by phone",
            "executed_action": {"none": "bonus", "bonus": "none"}[decision.action.key],
            "occurred_at": (START + timedelta(days=1)).isoformat(), "at": (START + timedelta(days=1)).isoformat(),
        }
        for decision in Decision.objects.select_related("action").order_by("unit_id")[::2]
    ]  # fmt: skip
    assert api.post("/executions", {"executions": rows}).body["accepted"] == len(rows) == 60
    after = analyze(experiment=experiment).document
    assert after["metrics"] == before["metrics"]
    assert [one["net"] for one in after["money"]["comparisons"]] == [
        one["net"] for one in before["money"]["comparisons"]
    ]
    assert after["money"]["arms"] == before["money"]["arms"]
    # it is told, and that is all
    assert [check["passed"] for check in after["checks"] if check["id"] == "executed_as_drawn"] == [False]


def test_10_what_was_spent_on_the_baseline_is_taken_off_what_the_action_costs(
    workspace: Workspace, api: Caller, churn: Experiment
) -> None:
    experiment = played(workspace, api, churn)
    [before] = analyze(experiment=experiment).document["money"]["comparisons"]
    spent = [
        {
            "source": "crm", "event_id": f"call-{decision.unit_id}", "unit_id": decision.unit_id, "category": "call",
            "amount": 0.5, "currency": "EUR", "occurred_at": decision.decided_at.isoformat(),
            "at": decision.decided_at.isoformat(),
        }
        for decision in Decision.objects.filter(action__key="none")
    ]  # fmt: skip
    assert api.post("/costs", {"costs": spent}).body["accepted"] == len(spent) > 0
    [after] = analyze(experiment=experiment).document["money"]["comparisons"]
    assert abs(after["net"]["effect"] - before["net"]["effect"] - 0.5) < 1e-9


def test_13_every_number_resolves_to_an_analysis_and_that_to_its_snapshot(analysed: Analysis) -> None:
    [shown] = frozen(schedule(analysed.workspace)).content["experiments"]
    found = Analysis.objects.within(analysed.workspace).get(pk=shown["results"]["analysis_id"])
    assert (found, found.snapshot.sha256) == (analysed, shown["results"]["snapshot"]["sha256"])
    assert differing(found) == []
    assert {one.analysis_id for one in Estimate.objects.all()} == {found.pk}


def test_13_another_database_gives_the_same_bytes(db: None) -> None:
    """On PostgreSQL this compares the two databases."""
    done = subprocess.run(
        [sys.executable, "-c", IN_SQLITE],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "impact.config.settings"},
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == list(lived()), done.stderr


def lived() -> tuple[str, str]:
    """Digests of the snapshot and the document of the churn experiment, whose pseudonyms are always the same."""
    made: dict[str, Any] = {"key": "mobile", "name": "Mobile", "time_zone": "Europe/Berlin", "simulated": True}
    workspace = create_workspace(**made, actor="test")
    workspace.pseudonym_key = "the same"
    workspace.save(update_fields=["pseudonym_key"])
    clock.advance(workspace, START)
    analysis = analyze(experiment=played(workspace, caller(workspace), declared_churn(workspace)))
    return analysis.snapshot.sha256, analysis.sha256
