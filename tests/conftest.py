"""The cast of every test: an owner, a team mate, a stranger; a workspace, and another that isn't theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, settings

from experiments.models import Experiment
from experiments.selectors import experiment_named
from experiments.services.lifecycle import change_status
from impact.agreements.loading.load import load_experiment
from impact.agreements.loading.specification import read_specification
from impact.agreements.services import sign, start_experiment
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from impact.config import jobs
from impact.config.declarations import apply_files
from workspaces import clock
from workspaces.models import SCOPES, Membership, Person, Workspace
from workspaces.services.keys import create_key
from workspaces.services.people import admit, create_workspace, invite

PASSWORD = "correct horse battery staple"
START = datetime(2026, 1, 5, 6, tzinfo=UTC)
DECLARED = Path(__file__).parent / "declared"
T = TypeVar("T")
# for properties of what is stored: the examples share one test's database, and take as long as it takes
# how long an example takes says how busy the machine is
settings.register_profile("impact", deadline=None)
settings.load_profile("impact")
stored_examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _english() -> None:
    """What a page in another language leaves behind in the thread is taken back."""
    translation.activate("en")


@pytest.fixture(autouse=True, scope="session")
def _own_data_directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Snapshots, reports and mails of one test process, apart from every other."""
    from django.conf import settings

    settings.DATA_DIR = tmp_path_factory.mktemp("data")
    settings.EMAIL_FILE_PATH = settings.DATA_DIR / "mail"
    # slow on purpose elsewhere
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _no_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are run by the tests themselves; no broker is told of them."""
    monkeypatch.setattr("workspaces.services.jobs.hint", lambda: None)


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Do the jobs that are due, on the test's own connection, which its transaction holds open."""
    monkeypatch.setattr("impact.config.jobs.close_old_connections", lambda: None)
    return jobs.drain


@pytest.fixture
def workspace(db: None) -> Workspace:
    """A simulated workspace at the start of its time."""
    made = create_workspace(
        key="mobile", name="Mobile", currency="EUR", time_zone="Europe/Berlin", simulated=True, actor="test"
    )
    clock.advance(made, START)
    return made


@pytest.fixture
def real_workspace(db: None) -> Workspace:
    """A workspace that isn't simulated."""
    return create_workspace(key="real", name="Real", currency="EUR", actor="test")


@pytest.fixture
def other_workspace(db: None) -> Workspace:
    """Somebody else's, simulated too."""
    made = create_workspace(key="other", name="Other", currency="EUR", simulated=True, actor="test")
    clock.advance(made, START)
    return made


def enter(workspace: Workspace, email: str, role: str, signs_for: str = "") -> Membership:
    """Make a person a member."""
    person = Person.objects.filter(email=email).first() or Person.objects.create_person(
        email=email, name=email.split("@")[0].title(), password=PASSWORD
    )
    invitation, _ = invite(workspace=workspace, role=role, signs_for=signs_for, actor="test")
    return admit(invitation=invitation, person=person)


@pytest.fixture
def owner(workspace: Workspace) -> Membership:
    return enter(workspace, "owner@example.com", "admin", "business")


@pytest.fixture
def mate(workspace: Workspace) -> Membership:
    return enter(workspace, "mate@example.com", "viewer")


@pytest.fixture
def stranger(other_workspace: Workspace) -> Membership:
    return enter(other_workspace, "stranger@example.com", "admin")


def signed_in(membership: Membership) -> Client:
    """A browser that this member has signed in with."""
    client = Client()
    client.force_login(membership.person)
    return client


@dataclass
class Caller:
    """A client of the REST API with one key."""

    secret: str
    client: Client

    def post(self, path: str, body: Any = None) -> Any:
        return self._answer("post", path, data=json.dumps(body), content_type="application/json")

    def raw(self, path: str, body: bytes) -> Any:
        return self._answer("post", path, data=body, content_type="application/json")

    def get(self, path: str, **query: str) -> Any:
        return self._answer("get", path, data=query)

    def _answer(self, method: str, path: str, **arguments: Any) -> Any:
        response = getattr(self.client, method)(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {self.secret}"}, **arguments
        )
        response.body = json.loads(response.content) if response.content else None
        return response


def caller(workspace: Workspace, *scopes: str) -> Caller:
    """Return a caller whose key has these scopes, all of them if none is named."""
    _, secret = create_key(workspace=workspace, name="test", scopes=scopes or SCOPES, actor="test")
    return Caller(secret, Client(raise_request_exception=True))


@pytest.fixture
def api(workspace: Workspace) -> Caller:
    return caller(workspace)


@pytest.fixture
def churn(workspace: Workspace) -> Experiment:
    """A declared churn experiment of two arms, not yet signed: see declared/churn.yaml."""
    return declared_churn(workspace)


@pytest.fixture
def running(workspace: Workspace, churn: Experiment) -> Experiment:
    """The churn experiment, signed by three people and started."""
    return started(workspace, churn)


def declared_churn(workspace: Workspace) -> Experiment:
    apply_files(workspace, [DECLARED / "churn.yaml"], "test")
    return experiment_named(workspace, "offers")


def started(workspace: Workspace, experiment: Experiment) -> Experiment:
    agreement = experiment.agreements.latest("version")
    for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science")):
        membership = enter(workspace, f"{name}-{workspace.key}@example.com", "viewer", signs_for)
        sign(agreement=agreement, membership=membership, sha256=agreement.sha256)
    start_experiment(experiment=experiment_named(workspace, experiment.key), actor="test")
    return experiment_named(workspace, experiment.key)


def decision_row(unit: str, score: float = 0.3, *, event: str | None = None, at: datetime = START, **more: Any) -> Any:
    """A decision as a client sends it."""
    return {
        "source": "crm",
        "event_id": event or f"e-{unit}",
        "decision_point": "offer",
        "unit_id": unit,
        "prediction": {
            "model": "churn",
            "version": "1",
            "score": score,
            "features": {"tenure": 12.0, "plan": "basic"},
            "predicted_at": at.isoformat(),
        },
        "at": at.isoformat(),
    } | more


def played(workspace: Workspace, api: Caller, experiment: Experiment) -> Experiment:
    """Start the churn experiment and live it through: 120 customers, their windows over, their feed complete.

    Of the first sixty those leave that got nothing, of the others nobody; each bonus cost 2.
    """
    # a fixed salt, so that the draws are those of every other run
    Experiment.objects.filter(pk=experiment.pk).update(salt="played", traffic_salt="played/traffic")
    started(workspace, experiment)
    rows = [decision_row(f"c{number:03}", 0.2 + number / 1000) for number in range(120)]
    arms = {row["decision"]["unit_id"]: row["decision"]["arm"] for row in decided(api, rows)}
    leavers = [unit for unit, arm in sorted(arms.items())[:60] if arm == "none"]
    api.post("/outcomes", {"outcomes": [outcome_row(unit) for unit in leavers]})
    api.post("/costs", {"costs": [cost_row(unit, 2.0) for unit, arm in arms.items() if arm == "bonus"]})
    end = START + timedelta(days=91)
    beat = {"type": "churned", "complete_until": end.isoformat(), "at": end.isoformat()}
    assert api.post("/feeds/crm/heartbeat", beat).status_code == 200
    workspace.refresh_from_db()
    change_status(experiment=experiment, step="close", actor="test")
    return experiment_named(workspace, experiment.key)


@pytest.fixture
def analysed(workspace: Workspace, api: Caller, churn: Experiment) -> Analysis:
    """The final analysis of the churn experiment after ``played``."""
    return analyze(experiment=played(workspace, api, churn))


def decided(api: Caller, rows: list[Any]) -> list[Any]:
    answer = api.post("/decisions", {"decisions": rows})
    assert answer.body["accepted"] == len(rows), answer.body
    return answer.body["results"]


def outcome_row(unit: str, value: float = 1, *, day: float = 10, **more: Any) -> Any:
    """An outcome as a client sends it, so many days after the start."""
    at = (START + timedelta(days=day)).isoformat()
    row = {"source": "crm", "event_id": f"o-{unit}-{day}", "type": "churned", "unit_id": unit, "value": value}
    return row | {"occurred_at": at, "at": at} | more


def cost_row(unit: str, amount: float, *, day: float = 1, **more: Any) -> Any:
    """A cost as a client sends it, so many days after the start."""
    at = (START + timedelta(days=day)).isoformat()
    row = {"source": "crm", "event_id": f"k-{unit}-{day}", "category": "contact", "unit_id": unit, "amount": amount}
    return row | {"currency": "EUR", "occurred_at": at, "at": at} | more


def loaded(workspace: Workspace, folder: Path, content: str | bytes, **spec: Any) -> Experiment:
    """Load rows by the smallest specification there is, with these changes; None takes a key out."""
    file = folder / "rows.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_experiment(
        workspace=workspace, path=file, spec=read_specification(specification(folder, **spec)), actor="test"
    )


def specification(folder: Path, **changes: Any) -> Path:
    """Write the specification that ``loaded`` loads by."""
    smallest = {
        "experiment": "trial",
        "unit": {"column": "unit"},
        "arm": {"column": "arm", "baseline": "a"},
        "metrics": [{"key": "y", "column": "y", "kind": "mean"}],
    }
    content = {key: value for key, value in (smallest | changes).items() if value is not None}
    file = folder / "spec.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


def csv_of(columns: dict[str, list[Any]]) -> str:
    """Columns as a file of comma separated values."""
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join(lines) + "\n"


def race(number: int, work: Callable[[int], T]) -> list[T]:
    """Do ``work(0)``, ``work(1)`` ... at once, each in a thread with a connection of its own.

    The test needs ``django_db(transaction=True)``: what it prepared must be there for the others.
    """
    start = Barrier(number)

    def alone(place: int) -> T:
        try:
            start.wait(timeout=60)
            return work(place)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(alone, place) for place in range(number)]]
