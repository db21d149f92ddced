"""Every page with much in it, its time, its size and its queries: ``manage.py bench pages``."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.declarations import PolicyDeclared, declare_policy
from experiments.selectors import experiment_named
from impact.analysis.services import analyze
from tests.bench.rows import Row, measured_inside, seconds
from tests.conftest import (
    START,
    caller,
    cost_row,
    csv_of,
    decided,
    decision_row,
    declared_churn,
    enter,
    loaded,
    outcome_row,
    signed_in,
    started,
)  # fmt: skip
from tests.e2e.house import House
from tests.reports.board import frozen, schedule
from workspaces.models import Workspace
from workspaces.services.people import create_workspace

EXPERIMENTS, REPORTS = 200, 50
ROUNDS = 20
SLOWEST, LARGEST = "<= 50 ms", "<= 150 KB"
KEY = "mobile"
INSIDE = """
from tests.bench.pages import measure
from tests.bench.rows import printed
print(printed(measure()))
"""


def rows() -> list[Row]:
    """Measure in a database of its own, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), "bench")
        try:
            house.manage("migrate", "-v0")
            return measured_inside(house, INSIDE)
        finally:
            house.close()


def measure() -> Iterator[Row]:
    settings.ALLOWED_HOSTS = ["testserver"]
    workspace = create_workspace(
        key=KEY, name="Mobile", currency="EUR", time_zone="Europe/Berlin", simulated=True, actor="bench"
    )
    client = signed_in(enter(workspace, "owner@example.com", "admin", "business"))
    act(workspace)
    add(workspace, range(1))
    few = {page: queries(client, page) for page in pages()}
    add(workspace, range(1, max(EXPERIMENTS, REPORTS)))
    more = [page for page in few if queries(client, page) > few[page]]
    sizes = {page: len(client.get(page).content) for page in few}
    # as a web process does when it has started
    gc.collect()
    gc.freeze()
    for page in few:
        took = [seconds(lambda: client.get(page)) for _ in range(ROUNDS)]  # noqa: B023
        yield Row(
            f"page {page.removeprefix(f'/w/{KEY}')}, p95", 1000 * float(np.quantile(took, 0.95)), "ms", None, SLOWEST
        )
    largest = max(sizes, key=lambda page: sizes[page])
    yield Row(f"largest page: {largest.removeprefix(f'/w/{KEY}')}", sizes[largest] / 1000, "KB", None, LARGEST)
    yield Row(
        f"pages that ask more for {EXPERIMENTS} rows {' '.join(more)}".strip(), float(len(more)), "pages", None, "<= 0"
    )


def pages() -> list[str]:
    """What a member may look at: the table of all addresses says which are pages, and what there is to see."""
    from tests.config.test_urls import MEMBERS, TABLE, keyed

    routes = (route for route, methods in TABLE.items() if methods.get("GET") == MEMBERS)
    names = {"<workspace>": KEY, "<number>": "1", "<name>": "reading"}
    found = (reduce(lambda path, one: path.replace(*one), names.items(), keyed(route)) for route in routes)
    return [f"/{page.replace('<key>', 'offers')}" for page in found if "." not in page.rsplit("/", 1)[-1]]


def act(workspace: Workspace) -> None:
    """The churn experiment, lived through by two hundred customers."""
    started(workspace, declared_churn(workspace))
    everybody = {"key": "bonus-for-all", "decision_point": "offer", "kind": "fixed", "action": "bonus"}
    declare_policy(workspace, PolicyDeclared(role="benchmark", **everybody), "bench")
    api = caller(workspace)
    units = [f"c{number}" for number in range(200)]
    results = decided(api, [decision_row(unit, score=0.2 + place / 400) for place, unit in enumerate(units)])
    treated = [unit for unit, one in zip(units, results, strict=True) if one["decision"]["arm"] == "bonus"]
    api.post("/costs", {"costs": [cost_row(unit, 1.7) for unit in treated]})
    api.post("/outcomes", {"outcomes": [outcome_row(unit) for unit in units[::5]]})
    api.post("/feeds/crm/heartbeat", {"type": "churned", "complete_until": (START + timedelta(days=200)).isoformat()})
    analyze(experiment=experiment_named(workspace, "offers"), as_of=START + timedelta(days=150))


def add(workspace: Workspace, places: range) -> None:
    """Finished experiments and reports, one of each a place, as far as there are to be so many."""
    rng = np.random.default_rng(places.start)
    arms = ["a", "b"] * 100
    for place in places:
        if place < EXPERIMENTS:
            spend = np.round(rng.gamma(2, 10, len(arms)), 2).tolist()
            content = csv_of({"unit": [f"u{number}" for number in range(len(arms))], "arm": arms, "y": spend})
            with tempfile.TemporaryDirectory() as folder:
                experiment = loaded(
                    workspace, Path(folder), content, experiment=f"x{place}", value={"column": "y"}, cost={"b": 0.5},
                    metrics=None,
                )  # fmt: skip
            analyze(experiment=experiment)
        if place < REPORTS:
            with transaction.atomic():
                frozen(schedule(workspace, "board" if place == 0 else f"s{place}"), START + timedelta(days=95 + place))


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(page)
    assert answer.status_code == 200, (page, answer.status_code)
    return len(captured)
