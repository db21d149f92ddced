"""Visits of a few units in any order, and every way of drawing."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import strategies as st

from experiments.models import Decision, Experiment
from experiments.services import lifecycle
from experiments.services.lifecycle import change_status
from tests.conftest import START, decision_row
from tests.experiments.design import CHURN, LADDER, LADDER_ARMS, POINT, THREE_ARMS
from workspaces.canonical import digest

RANDOM = {"key": "now", "decision_point": "offer", "kind": "random", "role": "champion"}
BANDS = {"key": "bands", "decision_point": "offer", "kind": "bands", "bands": [{"from": 0.4, "action": "credit"}]}
SAFETY = {"safety": {"above": 0.9, "action": "none"}}
HOUSEHOLDS = {"cluster": "household"}
LIMITED = [
    one | {"capacity": {"count": 2, "per": "week"}} if one["key"] == "bonus" else one for one in CHURN["actions"]
]
# declared again while it runs: another phase
RAMP = {"traffic": 0.8, "arms": [{"action": "none", "weight": 3}, {"action": "bonus"}]}
# point, experiment, more lists: every way of drawing
DESIGNS: dict[str, tuple[Any, Any, Any]] = {
    "hash": ({}, {"arms": THREE_ARMS}, {"policies": [RANDOM, BANDS]}),
    "weights": ({}, {"arms": [{"action": "none", "weight": 7}, {"action": "bonus", "weight": 3}]}, {}),
    "blocks": (SAFETY, {"method": "blocks", "strata": [{"score": {"L": 0, "H": 0.5}}]}, {"policies": [RANDOM]}),
    "traffic": (SAFETY, {"traffic": 0.5}, {"policies": [RANDOM, BANDS]}),
    "cool-down": ({"cool_down": {"days": 2}}, {}, {"policies": [RANDOM]}),
    "episodes": ({"cool_down": {"days": 90}}, {"randomize": "episode"}, {"policies": [BANDS]}),
    "ramp": ({}, {"traffic": 0.6}, {}),
    "capacity": ({}, {"method": "blocks"}, {"actions": LIMITED, "policies": [RANDOM, BANDS]}),
    "ramp of blocks": ({}, {"method": "blocks"}, {}),
    "clusters": (HOUSEHOLDS, {"randomize": "cluster", "arms": THREE_ARMS}, {"policies": [RANDOM, BANDS]}),
    "clusters in blocks": (
        HOUSEHOLDS,
        {"randomize": "cluster", "method": "blocks", "strata": [{"feature": "plan"}], "traffic": 0.7},
        {},
    ),
    "periods": (
        HOUSEHOLDS | {"cool_down": {"days": 90}},
        {"randomize": "cluster-period", "period_days": 90, "method": "blocks", "strata": ["cluster"]},
        {"policies": [RANDOM]},
    ),
    "policies": ({}, {"arms": LADDER_ARMS, "baseline": "nobody"}, {"policies": [*LADDER, BANDS]}),
    "policies in blocks": (
        {},
        {"arms": LADDER_ARMS, "baseline": "nobody", "method": "blocks"},
        {"policies": [*LADDER, RANDOM | {"key": "again"}]},
    ),
    "holdout": (
        {},
        {},
        {
            "holdouts": [{"key": "h", "unit_type": "customer", "share": 0.5, "valid_from": START, "salt": "h1"}],
            "policies": [RANDOM],
        },
    ),
}
examples = count()
SCORES = st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.4, 0.5, 0.9, 0.91, 1.0])
FEATURES = st.fixed_dictionaries({"plan": st.sampled_from(["basic", "gone", None]), "tenure": st.just(12.0)})
# (unit, day, score, features), in any order
VISITS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200), SCORES, FEATURES), min_size=1, max_size=15)
FIRST_VISITS = VISITS.map(lambda visits: list({visit[0]: visit for visit in visits}.values()))


def rows_of(visits: list[Any]) -> list[Any]:
    """Visits as rows; every example has units of its own."""
    example, rows = next(examples), []
    for place, (unit, day, score, features) in enumerate(visits):
        at = START + timedelta(days=day)
        home = f"{example}-home-{unit % 3}"
        row = decision_row(f"{example}-{unit}", score, event=f"{example}/{place}", at=at, cluster_id=home)
        row["prediction"]["features"] = features
        rows.append(row)
    return rows


def decisions_of(rows: list[Any]) -> list[Decision]:
    events = [row["event_id"] for row in rows]
    found = Decision.objects.filter(event_id__in=events).select_related("action", "assignment__arm__action")
    return sorted(found, key=lambda decision: events.index(decision.event_id))


def check_probabilities(decision: Decision) -> None:
    probabilities = {key: said["probability"] for key, said in decision.candidates.items() if "probability" in said}
    refused = {key for key, said in decision.candidates.items() if "refused" in said}
    assert probabilities.keys() | refused == set(POINT["candidates"]) and not probabilities.keys() & refused
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert decision.action is not None
    assert decision.propensity == probabilities[decision.action.key] > 0
    for would in decision.would_have.values():
        assert would.keys() == probabilities.keys()
        assert sum(would.values()) == pytest.approx(1, abs=1e-12)


def start(experiment: Experiment) -> Experiment:
    """Start one whose agreement nobody asks for."""
    plan = {"arms": []}
    with transaction.atomic():
        change_status(experiment=experiment, step="agree", actor="test")
        return lifecycle.start_experiment(experiment=experiment, plan=plan, plan_sha256=digest(plan), actor="test")
