"""A served workspace with a running experiment, a gate before it, and clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from experiments.models import Experiment
from impact_client import Client, Outcome, Prediction, Question
from tests.client.gate import Gate
from tests.client.told import Told
from tests.conftest import declared_churn, started
from workspaces.models import Workspace
from workspaces.services.keys import create_key


@pytest.fixture
def served(live_server: Any, real_workspace: Workspace) -> Experiment:
    """The churn experiment, running, whose salt gives every unit the arm of the last run."""
    experiment = declared_churn(real_workspace)
    Experiment.objects.filter(pk=experiment.pk).update(salt="played", traffic_salt="played/traffic")
    return started(real_workspace, experiment)


@pytest.fixture
def gate(live_server: Any, served: Experiment) -> Iterator[Gate]:
    made = Gate(live_server.thread.host, live_server.thread.port)
    yield made
    made.shut()


@pytest.fixture
def key(served: Experiment) -> str:
    return create_key(workspace=served.workspace, name="crm", scopes=["decide", "log"], actor="test")[1]


@pytest.fixture
def connect(gate: Gate, key: str, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Make clients, which share a spool."""
    made: list[Client] = []

    def make(**changes: Any) -> Client:
        known: dict[str, Any] = {"address": gate.address, "key": key, "source": "crm", "baselines": {"offer": "none"}}
        known |= {"spool": tmp_path / "spool", "timeout": 5.0, "attempts": 2}
        made.append(Client(**(known | changes)))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()


@pytest.fixture
def hasty(connect: Callable[..., Client]) -> Client:
    """A client that gives up at once and doesn't rest."""
    return connect(timeout=0.5, attempts=1, rest=0.0)


@pytest.fixture
def told() -> Iterator[Told]:
    with Told() as server:
        Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def simple(told: Told, tmp_path: Path) -> Iterator[Client]:
    """A client of the small server."""
    made = Client(told.address, "k", source="crm", baselines={"offer": "none"}, spool=tmp_path / "spool")
    yield made
    made.close()


def question(unit: str, **changes: Any) -> Question:
    scored: dict[str, Any] = {
        "model": "churn",
        "version": "1",
        "score": 0.3,
        "features": {"tenure": 12.0, "plan": "basic"},
    }
    prediction = Prediction(**(scored | {"predicted_at": datetime(2026, 1, 5, tzinfo=UTC)}))
    known: dict[str, Any] = {"decision_point": "offer", "unit_id": unit, "prediction": prediction}
    return Question(**(known | changes))


def outcome(unit: str, **changes: Any) -> Outcome:
    happened: dict[str, Any] = {"type": "churned", "value": 1, "occurred_at": datetime(2026, 1, 15, tzinfo=UTC)}
    return Outcome(**({"unit_id": unit} | happened | changes))
