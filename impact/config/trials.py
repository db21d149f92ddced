"""Experiments whose truth is known, lived through whole by the product's own services: from start to verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from numpy.typing import NDArray

from experiments.selectors import experiment_named
from experiments.services.decide import decide
from experiments.services.lifecycle import change_status
from impact.agreements.services import sign, start_experiment
from impact.analysis.jobs import analyze_job
from impact.analysis.models import Analysis
from impact.analysis.queue import enqueue_analysis
from impact.config import environment
from impact.config.declarations import apply_files
from impact.ledger.rows import Heartbeat
from impact.ledger.services import hear_feed, log_costs, log_outcomes
from impact.stats.simulation.whole import Lived, World
from workspaces import clock
from workspaces.models import Person, Workspace
from workspaces.models.people import SignsFor
from workspaces.services import jobs
from workspaces.services.facts import Taken
from workspaces.services.people import admit, create_workspace, invite

DECLARED = environment.ROOT / "scenarios" / "trial.yaml"
EXPERIMENT, ACTOR = "trial", "simulate"
START = datetime(2026, 1, 5, 6, tzinfo=UTC)
END = START + timedelta(days=31)
UNITS = 120
CHURN_LOSES, BONUS_COSTS = 100.0, 2.0
NOTHING, SAVES = 0.0, 0.1
WORLDS = (World("nothing", NOTHING), World("the bonus pays", SAVES * CHURN_LOSES - BONUS_COSTS))


@contextmanager
def scratch_database() -> Iterator[None]:
    """Work in a database that is made for it and removed afterwards, whatever DATABASE_URL names."""
    configured = connections.settings[DEFAULT_DB_ALIAS]
    with tempfile.TemporaryDirectory() as folder:
        _use(environment.sqlite(Path(folder) / "trials.sqlite3"))
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            _use(configured)


def live(world: World, runs: int, seed: int) -> Iterator[Lived]:
    """Live through so many experiments of one world; nothing of them is left behind.

    All begin from the same signed agreement, with customers of their own, whom its salt draws.
    """
    rng = np.random.default_rng([seed, round(100 * world.effect)])
    with _own_files(), transaction.atomic():
        workspace = _agreed()
        for number in range(runs):
            with transaction.atomic():
                yield _one(workspace, world, f"{seed}-{world.effect:g}-{number}", rng)
                transaction.set_rollback(True)
            workspace.refresh_from_db()
        transaction.set_rollback(True)


def _use(database: dict[str, Any]) -> None:
    connections[DEFAULT_DB_ALIAS].close()
    del connections[DEFAULT_DB_ALIAS]
    connections.settings |= connections.configure_settings({DEFAULT_DB_ALIAS: database})


@contextmanager
def _own_files() -> Iterator[None]:
    """Keep snapshots apart from those that people look at."""
    usual = settings.DATA_DIR
    with tempfile.TemporaryDirectory() as folder:
        settings.DATA_DIR = Path(folder)
        try:
            yield
        finally:
            settings.DATA_DIR = usual


def _agreed() -> Workspace:
    """A workspace with an experiment that three people have signed."""
    workspace = create_workspace(key="trials", name="Trials", simulated=True, actor=ACTOR)
    clock.advance(workspace, START)
    apply_files(workspace, [DECLARED], ACTOR)
    agreement = experiment_named(workspace, EXPERIMENT).agreements.get()
    for signs_for in SignsFor.values:
        person = Person.objects.create(email=f"{signs_for.replace(' ', '-')}@trials.example", name=signs_for)
        invitation, _ = invite(workspace=workspace, role="viewer", signs_for=signs_for, actor=ACTOR)
        membership = admit(invitation=invitation, person=person)
        sign(agreement=agreement, membership=membership, sha256=agreement.sha256)
    return workspace


def _one(workspace: Workspace, world: World, name: str, rng: np.random.Generator) -> Lived:
    start_experiment(experiment=experiment_named(workspace, EXPERIMENT), actor=ACTOR)
    units = [f"{name}-{unit}" for unit in range(UNITS)]
    scores = rng.uniform(0.0, 0.5, UNITS)
    given = np.array([arm == "bonus" for arm in _decided(workspace, units, scores)])
    _log(workspace, units, *_happened(scores, given & (world.effect != 0), rng))
    change_status(experiment=experiment_named(workspace, EXPERIMENT), step="close", actor=ACTOR)
    return _told(world, _analysed(workspace))


def _decided(workspace: Workspace, units: Sequence[str], scores: NDArray[np.float64]) -> list[str]:
    """The arms that the product draws."""
    at = START.isoformat()
    said = {"model": "churn", "version": "1", "features": {}, "predicted_at": at}
    rows = [
        {
            "source": "crm", "event_id": unit, "unit_id": unit, "decision_point": "offer", "at": at,
            "prediction": said | {"score": score},
        }
        for unit, score in zip(units, scores.tolist(), strict=True)
    ]  # fmt: skip
    decided = decide(workspace=workspace, raw=rows)
    _all_accepted(decided.taken)
    return [decided.answers[place].arm or "" for place in range(len(rows))]


def _happened(
    scores: NDArray[np.float64], works: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[Any], ...]:
    """Who leaves, what each spends, and what each costs; the bonus makes a difference only where it works."""
    left = rng.random(UNITS) < scores + 0.1 - SAVES * works
    spent = rng.gamma(2.0, 10.0, UNITS)
    cost = rng.gamma(4.0, 0.5, UNITS) + BONUS_COSTS * works
    return left, spent, cost, rng.uniform(0.0, 30.0, UNITS)


def _log(workspace: Workspace, units: Sequence[str], *happened: NDArray[Any]) -> None:
    outcomes, costs = [], []
    for unit, left, spent, cost, day in zip(units, *(values.tolist() for values in happened), strict=True):
        at = (START + timedelta(days=day)).isoformat()
        event = {"source": "crm", "event_id": unit, "unit_id": unit, "at": at, "occurred_at": at}
        outcomes.append(event | {"type": "spent", "value": round(spent, 2), "currency": "EUR"})
        costs.append(event | {"category": "contact", "amount": round(cost, 2), "currency": "EUR"})
        if left:
            outcomes.append(event | {"event_id": f"{unit} left", "type": "churned", "value": 1})
    _all_accepted(log_outcomes(workspace=workspace, raw=outcomes))
    _all_accepted(log_costs(workspace=workspace, raw=costs))
    for type in ("churned", "spent"):
        hear_feed(workspace=workspace, source="crm", heartbeat=Heartbeat(type=type, complete_until=END, at=END))


def _all_accepted(taken: Sequence[Taken]) -> None:
    if refused := [one for one in taken if one.status != "accepted"]:
        raise RuntimeError(f"{len(refused)} rows of a trial weren't accepted, the first is {refused[0]}")


def _analysed(workspace: Workspace) -> Analysis:
    """The analysis that the job makes."""
    job = jobs.claim(enqueue_analysis(experiment=experiment_named(workspace, EXPERIMENT), as_of=END))
    assert job is not None
    jobs.run(job, analyze_job)
    if job.state != job.State.DONE:
        raise RuntimeError(f"the analysis of a trial failed: {job.error}")
    return Analysis.objects.within(workspace).get(pk=job.result["analysis"])


def _told(world: World, analysis: Analysis) -> Lived:
    document = analysis.document
    [net] = [block["net"] for block in document["money"]["comparisons"]]
    low, high = net["ci"]
    return Lived(
        rejected=net["p_value"] <= document["plan"]["alpha"],
        covered=low <= world.effect <= high,
        word=document["verdict"]["level"],
        blocked=frozenset(one["id"] for one in document["checks"] if one["severity"] == "block" and not one["passed"]),
    )
