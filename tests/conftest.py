"""The cast of every test: an owner, a team mate, a stranger; a workspace, and another that isn't theirs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Experiment
from experiments.selectors import experiment_named
from impact.agreements.services import sign, start_experiment
from impact.config.declarations import apply_files
from workspaces import clock
from workspaces.models import SCOPES, Membership, Person, Workspace
from workspaces.services.keys import create_key
from workspaces.services.people import admit, create_workspace, invite

PASSWORD = "correct horse battery staple"
START = datetime(2026, 1, 5, 6, tzinfo=UTC)
DECLARED = Path(__file__).parent / "declared"


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
    agreement = experiment.agreements.get()
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
