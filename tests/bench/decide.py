"""Deciding, beside a bare view with one insert: ``manage.py bench decide``."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from experiments import randomization
from tests.bench.load import Load, drive, request
from tests.bench.rows import Row
from tests.e2e.house import ROOT, House, wait_for

ROUNDS = 5
BATCH = 1000
NAMES = {"one": "one at a time", "replay": "replay", "batch": f"batch of {BATCH:,}"}
PREPARE = """
from pathlib import Path
from tests.bench.floor import make_table
from tests.conftest import declared_churn, started
from workspaces.services.people import create_workspace
workspace = create_workspace(key="bench", name="Bench", currency="EUR", actor="bench")
started(workspace, declared_churn(workspace))
make_table()
"""


def unit(number: int) -> dict[str, Any]:
    return {
        "source": "crm",
        "event_id": f"e{number}",
        "decision_point": "offer",
        "unit_id": f"customer-{number}",
        "prediction": {
            "model": "churn",
            "version": "1",
            "score": 0.1 + number % 800 / 1000,
            "features": {"tenure": number % 100, "plan": "basic"},
            "predicted_at": "2026-01-01T00:00:00Z",
        },
    }


def rows() -> list[Row]:
    """Measure in a house of its own, beside the floor behind the same server."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), "bench")
        house.environment["IMPACT_RATE_LIMIT"] = "100000000"
        house.manage("migrate", "-v0")
        house.manage("shell", "-v0", "-c", PREPARE)
        key = house.manage("create_key", "--scopes", "decide,read").stdout.strip()
        floor = serve_floor(house)
        try:
            house.up()
            measured = measure(house.port, floor.port, key)
        finally:
            floor.end()
            house.close()
    return [*beside_floor(measured), draw_row()]


class Floor:
    """The bare view behind the same server."""

    def __init__(self, house: House, port: int) -> None:
        self.port = port
        self.server = subprocess.Popen(
            [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
                "--workers", "2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
                "tests.bench.floor:application",
            ],
            cwd=ROOT,
            env=house.environment | {"DJANGO_SETTINGS_MODULE": "tests.bench.floor_settings"},
        )  # fmt: skip

    def end(self) -> None:
        self.server.terminate()
        self.server.wait(20)


def serve_floor(house: House) -> Floor:
    """Start the floor and return when it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    floor = Floor(house, port)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(listens, "the floor is up")
    return floor


def measure(port: int, floor: int, key: str) -> dict[str, Load]:
    """Load of every path, taken in turns so that the machine's moods meet all of them."""
    ones = (json.dumps(unit(number)).encode() for number in count())
    batches = (
        json.dumps({"decisions": [unit(number) for number in range(start, start + BATCH)]}).encode()
        for start in count(10_000_000, BATCH)
    )
    sent: list[bytes] = []

    def fresh() -> bytes:
        sent.append(next(ones))
        return sent[-1]

    again = (sent[place % len(sent)] for place in count())
    paths: dict[str, tuple[Iterator[bytes], int, bytes, int]] = {
        "floor": (ones, floor, b"ids", 16),
        "one": (iter(fresh, None), port, b'"replayed":false', 16),
        "replay": (again, port, b'"replayed":true', 16),
        "floor, batch": (batches, floor, b"ids", 2),
        "batch": (batches, port, f'"accepted":{BATCH}'.encode(), 2),
    }
    loads = {name: Load() for name in paths}
    for number in range(ROUNDS + 1):
        for name, (bodies, to, proof, connections) in paths.items():
            address = "/floor" if to == floor else "/api/v1/decisions"
            load = drive(to, lambda: request(to, address, key, next(bodies)), proof, connections=connections)  # noqa: B023
            if number:  # the first round warms up
                loads[name] += load
    return loads


def beside_floor(loads: dict[str, Load]) -> Iterator[Row]:
    for name, least, slowest in (("one", 0.60, "<= 2"), ("replay", 0.90, ""), ("batch", 0.60, "")):
        load, floor = loads[name], loads["floor, batch" if name == "batch" else "floor"]
        yield Row(f"decide, {NAMES[name]}", load.rate, "requests/s", floor.rate, f">= {least:.2f}")
        p99 = 1000 * load.quantile(0.99), 1000 * floor.quantile(0.99)
        yield Row(f"decide, {NAMES[name]}, p99", p99[0], "ms", p99[1], slowest)
        yield Row(f"decide, {NAMES[name]}, errors", float(load.errors), "requests", None, "<= 0")


def draw_row() -> Row:
    """The draw of an arm beside one SHA-256 of the same bytes."""
    keys = [f"customer-{number}" for number in range(1000)]
    shares = randomization.parts_per_million([1, 1, 1])

    def draws() -> None:
        for key in keys:
            randomization.draw("0123456789abcdef0123456789abcdef", key, shares)

    def hashes() -> None:
        for key in keys:
            hashlib.sha256(f"impact-1\x1f0123456789abcdef0123456789abcdef\x1f{key}".encode()).digest()

    ours, floor = min(timeit.repeat(draws, number=20, repeat=7)), min(timeit.repeat(hashes, number=20, repeat=7))
    return Row("draw of an arm", 20e3 / ours, "draws/s", 20e3 / floor, ">= 0.40")
