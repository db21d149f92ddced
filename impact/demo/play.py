"""Playing the demo: declare, sign, start, live through a year, analyse, report; begun again, it goes on."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from experiments.models import Experiment, Status
from impact.analysis.selectors import newest_analysis
from impact.demo import churn, maintenance
from impact.demo.rest import Api, Session
from impact.reports.models import Report, ReportSchedule
from workspaces import clock
from workspaces.models import ApiKey, Job, Membership, Person, Workspace
from workspaces.services.keys import create_key, revoke_key
from workspaces.services.people import admit, create_workspace, invite

SEED = 2026
CUSTOMERS = {"small": 27_000, "large": 90_000}
PEOPLE = (
    ("lindqvist@example.com", "M. Lindqvist", "admin", "business"),
    ("tanaka@example.com", "A. Tanaka", "analyst", "data science"),
    ("weber@example.com", "J. Weber", "viewer", "finance"),
)
PATIENCE = 240.0
Show = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the play takes place."""

    workspace: Workspace
    password: str


def set_up(size: str) -> Stage:
    """Return the demo's workspace with its people; made once, the password kept for the next start."""
    key = "demo" if size == "small" else f"demo-{size}"
    workspace = Workspace.objects.filter(key=key).first() or create_workspace(
        key=key, name="Northern Mobile and Packaging", currency="EUR", time_zone="Europe/Berlin", simulated=True,
        actor="demo",
    )  # fmt: skip
    if workspace.clock_at is None:
        clock.advance(workspace, maintenance.START - timedelta(days=3))
    file = settings.DATA_DIR / "demo_password"
    password = file.read_text() if file.exists() else secrets.token_urlsafe(9)
    file.touch(mode=0o600)
    file.write_text(password)
    for email, name, role, signs_for in PEOPLE:
        person = Person.objects.filter(email=email).first()
        person = person or Person.objects.create_person(email=email, name=name, password=password)
        if not person.check_password(password):
            person.set_password(password)
            person.save()
        if not Membership.objects.within(workspace).filter(person=person).exists():
            invitation, _ = invite(workspace=workspace, role=role, signs_for=signs_for, actor="demo")
            admit(invitation=invitation, person=person)
    return Stage(workspace, password)


def play(stage: Stage, address: str, size: str, show: Show) -> dict[str, dict[str, float]]:
    """Act both scenarios out through the REST API, wait for analyses and report, and return the truth."""
    workspace = stage.workspace
    for key in ApiKey.objects.within(workspace).filter(name="demo", revoked_at=None):
        revoke_key(key=key, actor="demo")
    scopes = ["predict", "decide", "log", "read", "manage"]
    _, secret = create_key(workspace=workspace, name="demo", scopes=scopes, actor="demo")
    api = Api(address, secret)
    show(0.02, "training two models on the past")
    acts = (maintenance.Maintenance(api, SEED), churn.Churn(api, CUSTOMERS[size], SEED))
    show(0.08, "three people sign each agreement")
    for email, *_ in PEOPLE:
        session = Session(address)
        session.sign_in(email, stage.password)
        for act in acts:
            session.sign(workspace.key, act.experiment)
    for act in acts:
        if Experiment.objects.within(workspace).get(key=act.experiment).status in (Status.DRAFT, Status.AGREED):
            api.call("POST", f"/experiments/{act.experiment}/start")
    _live(api, *acts, show)
    for act in acts:
        if Experiment.objects.within(workspace).get(key=act.experiment).status == Status.RUNNING:
            api.call("POST", f"/experiments/{act.experiment}/close", {"reason": "enrolment is over"})
        api.call("POST", f"/experiments/{act.experiment}/analyses")
    _wait(workspace, lambda: _analysed(workspace), show, 0.9, "the worker analyses both experiments")
    schedule = ReportSchedule.objects.within(workspace).get(key="board")
    if not final_report(workspace):
        # the simulated clock moves to the hour the report is due, and the tick does the rest
        acts[0].report_complete(schedule.next_run_at)
    _wait(workspace, lambda: final_report(workspace) is not None, show, 0.95, "the report comes when it is due")
    show(1.0, "done")
    return {act.experiment: act.truth() for act in acts}


def final_report(workspace: Workspace) -> Report | None:
    """The newest report, if both its experiments are final and its files are written."""
    report = Report.objects.within(workspace).order_by("-number").first()
    if report is None or not all(
        (one["results"] or {}).get("maturity", {}).get("final") for one in report.content["experiments"]
    ):
        return None
    jobs = Job.objects.within(workspace).filter(kind="report", state=Job.State.DONE)
    return report if any(job.result["report"] == report.number for job in jobs) else None


def experiments(workspace: Workspace) -> list[Experiment]:
    return list(Experiment.objects.within(workspace).select_related("workspace").order_by("key"))


def report_files(workspace: Workspace, report: Report) -> list[Path]:
    jobs = Job.objects.within(workspace).filter(kind="report", state=Job.State.DONE)
    return [Path(file) for job in jobs if job.result["report"] == report.number for file in job.result["files"]]


def remember(stage: Stage, truth: dict[str, Any] | None = None) -> dict[str, Any]:
    """Keep the truth for the next start, which only shows; return what is kept."""
    file = settings.DATA_DIR / f"demo_truth_{stage.workspace.key}.json"
    if truth is not None:
        file.write_text(json.dumps(truth))
    return json.loads(file.read_text()) if file.exists() else {}


def _live(api: Api, machines: maintenance.Maintenance, customers: churn.Churn, show: Show) -> None:
    """Let the weeks pass, in both worlds together."""
    end = max(machines.end, customers.end)
    weeks = (end - maintenance.START).days // 7 + 1
    for week in range(weeks):
        at = maintenance.START + timedelta(weeks=week)
        show(0.1 + 0.75 * week / weeks, f"week of {at:%d %B %Y}: scores, decisions, costs, outcomes")
        machines.play_week(at)
        customers.play_week(at + (churn.START - maintenance.START) % timedelta(weeks=1))
        following = at + timedelta(weeks=1)
        machines.report_complete(following)
        if following > churn.START:
            customers.report_leavers(following)


def _analysed(workspace: Workspace) -> bool:
    experiments = Experiment.objects.within(workspace).select_related("workspace")
    return all((found := newest_analysis(experiment)) is not None and found.final for experiment in experiments)


def _wait(workspace: Workspace, until: Callable[[], bool], show: Show, share: float, message: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        failed = Job.objects.within(workspace).filter(state=Job.State.FAILED).first()
        if failed is not None:
            raise RuntimeError(f"{message}: {failed} failed: {failed.error}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{message}: not done after {PATIENCE:.0f} s; the jobs page says why")
        show(share, message)
        time.sleep(0.5)
