"""A schedule about the churn experiment, and reports made from it."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from experiments.selectors import experiment_named
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.config.declarations import apply_files
from impact.reports.models import Report, ReportSchedule
from impact.reports.services import freeze_report
from impact.reports.signing import review_report, sign_report
from tests.conftest import DECLARED, START, Caller, enter, played
from workspaces.models import Membership, Workspace

DUE = START + timedelta(days=95)


def schedule(workspace: Workspace, key: str = "board", **changes: Any) -> ReportSchedule:
    """A monthly report about the offers, in English, to two people."""
    content: dict[str, Any] = {
        "name": "Offers", "audience": "for the CFO", "experiments": ["offers"],
        "calendar": {"every": "month", "day": 1, "at": "07:00"}, "time_zone": "Europe/Berlin", "language": "en",
        "recipients": ["cfo@example.com", "coo@example.com"], "next_run_at": START,
    }  # fmt: skip
    return ReportSchedule.objects.create(workspace=workspace, key=key, **(content | changes))


def frozen(schedule: ReportSchedule, due_at: datetime = DUE) -> Report:
    return freeze_report(schedule=schedule, due_at=due_at, writing=nullcontext)


DEPLOYMENT = {"cases_per_year": 10_000, "holdout": 0.05, "spread": 50.0}


def stated(workspace: Workspace, api: Caller, folder: Path, **changes: Any) -> Analysis:
    """The churn experiment, lived through, with a year of it agreed before."""
    declared = yaml.safe_load((DECLARED / "churn.yaml").read_text())
    declared["agreements"][0]["deployment"] = DEPLOYMENT | changes
    (folder / "stated.yaml").write_text(yaml.safe_dump(declared))
    apply_files(workspace, [folder / "stated.yaml"], "test")
    return analyze(experiment=played(workspace, api, experiment_named(workspace, "offers")))


def signed(report: Report) -> Report:
    """The report under the names of two people."""
    reviewer = enter(report.workspace, "rita@example.com", "analyst", "data science")
    review_report(report=report, membership=reviewer)
    return sign_report(report=report, membership=finance(report.workspace))


def finance(workspace: Workspace) -> Membership:
    known = Membership.objects.within(workspace).filter(person__email="otto@example.com").first()
    return known or enter(workspace, "otto@example.com", "viewer", "finance")
