"""Time has one source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import START, stored_examples
from tests.trees import ROOT, sources
from workspaces import clock
from workspaces.errors import Invalid
from workspaces.models import Workspace

# who may look at a watch, and why
WATCHES = {
    "workspaces/clock.py": {"datetime.now"},
    "workspaces/services/keys.py": {"time.monotonic"},  # how long a key is remembered
    "workspaces/rates.py": {"time.time"},  # the minute that calls are counted in, of every workspace
    "impact/config/supervisor.py": {"time.monotonic"},  # how long to wait for children
    "impact/demo/play.py": {"time.monotonic"},  # how long to wait for the worker
}
NOW = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime"}
CLOCKS = {"timezone", "datetime", "date", "time", "dt"}


def test_a_real_workspace_has_the_servers_time(real_workspace: Workspace) -> None:
    assert abs(clock.now(real_workspace) - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.received_at(real_workspace, None).tzinfo is UTC


def test_rows_of_a_batch_come_in_together(real_workspace: Workspace, workspace: Workspace) -> None:
    arrival = clock.arrival(real_workspace)
    assert arrival(None) == arrival(None)
    with pytest.raises(Invalid):
        arrival(START)
    assert clock.arrival(workspace)(START + timedelta(days=9)) == START + timedelta(days=9)


def test_a_real_workspace_refuses_a_stated_time(real_workspace: Workspace) -> None:
    with pytest.raises(Invalid) as refusal:
        clock.received_at(real_workspace, START)
    assert (refusal.value.code, refusal.value.pointer) == ("time-stated", "/at")


def test_a_simulated_workspace_takes_the_stated_time_in_utc(workspace: Workspace) -> None:
    stated = START.astimezone(timezone(timedelta(hours=9)))
    assert clock.received_at(workspace, stated).isoformat() == START.isoformat()
    assert clock.received_at(workspace, None) == clock.now(workspace) == START


def test_a_real_workspaces_clock_is_not_moved(real_workspace: Workspace) -> None:
    clock.advance(real_workspace, START)
    assert Workspace.objects.get(pk=real_workspace.pk).clock_at is None


@stored_examples
@given(st.lists(st.integers(-1_000_000, 1_000_000), min_size=1, max_size=8))
def test_the_clock_never_goes_back(workspace: Workspace, steps: list[int]) -> None:
    before = Workspace.objects.get(pk=workspace.pk).clock_at
    times = [START + timedelta(seconds=step) for step in steps]
    for at in times:
        # every process knows the workspace from another moment
        clock.advance(Workspace.objects.get(pk=workspace.pk), at)
        clock.advance(workspace, at)
    assert Workspace.objects.get(pk=workspace.pk).clock_at == max(before, *times)


def test_one_who_knows_an_older_time_does_not_take_it_back(workspace: Workspace) -> None:
    late = Workspace.objects.get(pk=workspace.pk)
    clock.advance(workspace, START + timedelta(days=2))
    clock.advance(late, START + timedelta(days=1))
    assert Workspace.objects.get(pk=workspace.pk).clock_at == START + timedelta(days=2)


def test_nobody_else_asks_what_time_it_is() -> None:
    asked = {str(path.relative_to(ROOT)): dict(watches(path)) for path in sources()}
    assert {name: set(found) for name, found in asked.items() if found} == WATCHES, asked


def watches(path: Path) -> Iterator[tuple[str, int]]:
    """What asks what time it is, with its line: ``datetime.now``, or ``time.monotonic`` imported by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in NOW:
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if owner in CLOCKS:
                yield f"{owner}.{node.attr}", node.lineno
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "django.utils.timezone"):
            for name in node.names:
                if name.name in NOW:
                    yield f"{node.module}.{name.name}", node.lineno
