"""Clients that are killed at the worst moments: nothing is lost, nothing is doubled."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from experiments.models import Decision
from impact.ledger.models import Outcome
from impact_client import Client
from impact_client.rows import record_of
from impact_client.spool import Spool, parsed, release
from tests.client.conftest import outcome
from tests.client.gate import Gate
from tests.client.told import WELL, Told

ROOT = Path(__file__).parents[2]
# what a killed process did is what it printed
PROGRAM = """
import sys
from datetime import UTC, datetime
from impact_client import Client, Outcome, Prediction, Question
address, key, spool, name, every = sys.argv[1:]
impact = Client(address, key, source="crm", baselines={"offer": "none"}, spool=spool, timeout=0.5, attempts=1, rest=0)
at = datetime(2026, 1, 15, tzinfo=UTC)
scored = Prediction(model="churn", version="1", score=0.3, predicted_at=at)
for number in range(1000000):
    impact.log(*(Outcome(unit_id=f"{name}-{number}", event_id=f"{name}-{number}-{part}", type="churned", value=1,
                         occurred_at=at) for part in range(3)))
    if every == "decide":
        impact.decide(Question(decision_point="offer", unit_id=name, event_id=f"{name}-{number}", prediction=scored))
    print(number, flush=True)
    if every.isdigit() and number % int(every) == int(every) - 1:
        impact.flush()
"""


@pytest.fixture
def run(key: str, gate: Gate, tmp_path: Path) -> Callable[[str, str], subprocess.Popen[str]]:
    def start(name: str, every: str) -> subprocess.Popen[str]:
        arguments = [gate.address, key, str(tmp_path / "spool"), name, every]
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )

    return start


def acknowledged(name: str, process: subprocess.Popen[str], after: int, later: float) -> set[str]:
    """Kill it some time after so many rounds, and return the events that it had been told are safe."""
    assert process.stdout
    printed = [process.stdout.readline() for _ in range(after)]
    time.sleep(later)
    process.kill()
    printed += process.communicate()[0].split()
    assert process.returncode == -signal.SIGKILL
    return {f"{name}-{number.strip()}-{part}" for number in printed for part in range(3)}


def stored() -> list[str]:
    return list(Outcome.objects.values_list("event_id", flat=True))


def test_killed_while_it_appends_it_loses_nothing(
    run: Callable[[str, str], subprocess.Popen[str]], client: Client, gate: Gate
) -> None:
    gate.shut()
    safe = acknowledged("a", run("a", "decide"), 20, 0.0123)
    gate.open()
    client.flush()
    assert safe <= set(stored())
    assert 0 <= len(stored()) - len(safe) <= 3
    assert Decision.objects.filter(mode="fallback").count() == Decision.objects.count()
    assert Decision.objects.count() - len(safe) // 3 in (0, 1)
    assert client.flush() == {"waiting": 0}


def test_killed_between_sending_and_removing_it_doubles_nothing(
    run: Callable[[str, str], subprocess.Popen[str]], client: Client, gate: Gate
) -> None:
    process: subprocess.Popen[str] | None = None

    def kill() -> bool:
        if process is not None:
            process.kill()
        return process is None

    gate.on_answer = kill
    process = run("a", "40")
    process.wait(20)
    gate.on_answer = lambda: True
    assert len(stored()) == 120
    assert client.flush() == {"duplicate": 120, "waiting": 0}
    assert len(stored()) == 120


def test_processes_that_share_a_spool_and_die_at_any_time_lose_and_double_nothing(
    run: Callable[[str, str], subprocess.Popen[str]], client: Client
) -> None:
    chance, safe = random.Random(7), set()
    for turn in range(3):
        running = {name: run(name, "5") for name in (f"a{turn}", f"b{turn}")}
        for name, process in running.items():
            safe |= acknowledged(name, process, 6, chance.uniform(0, 0.1))
    client.flush()
    assert safe <= set(stored())
    assert len(stored()) == len(set(stored()))
    assert len(set(stored()) - safe) <= 18
    assert client.flush() == {"waiting": 0}


def test_the_file_of_a_living_process_is_left_to_it(told: Told, simple: Client, tmp_path: Path) -> None:
    other = Client(told.address, "k", source="crm", baselines={}, spool=tmp_path / "spool")
    simple.log(outcome("c1"))
    assert other.flush() == {"waiting": 1}
    assert simple.flush() == {"accepted": 1, "waiting": 0}


def test_no_file_is_written_that_another_has_just_taken_over(tmp_path: Path) -> None:
    writing = threading.Event()
    writing.set()
    found = []

    def write(place: int) -> None:
        for number in range(150):
            spool = Spool(tmp_path, sync=False)
            spool.append([record_of("outcomes", {"unit_id": f"{place}-{number}"})])
            spool.close()

    def take_over() -> None:
        while writing.is_set() or any(tmp_path.iterdir()):
            for fd, path in Spool(tmp_path, sync=False).take():
                found.extend(parsed(path.read_bytes())[0])
                path.unlink()
                release(fd)

    with ThreadPoolExecutor(6) as pool:
        takers = [pool.submit(take_over) for _ in range(2)]
        for writer in [pool.submit(write, place) for place in range(4)]:
            writer.result()
        writing.clear()
        for taker in takers:
            taker.result()
    assert len(found) == len({record.row["unit_id"] for record in found}) == 600


def test_a_torn_line_is_set_aside_and_the_others_are_sent(simple: Client, tmp_path: Path) -> None:
    simple.log(outcome("c1"), outcome("c2"), outcome("c3"))
    simple.close()
    (file,) = (tmp_path / "spool").glob("*.spool")
    first, second, third, _ = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join([first, second[:20] + b"?" + second[21:], third[:-9]]))
    assert simple.flush() == {"accepted": 1, "waiting": 0}
    lines = (tmp_path / "spool/rejected.ndjson").read_bytes().splitlines()
    assert [msgspec.json.decode(line)["torn"] for line in lines][1] == third[:-9].decode()
    assert list((tmp_path / "spool").glob("*.spool")) == []


def test_what_was_sent_before_impact_went_away_is_not_sent_again(told: Told, simple: Client) -> None:
    simple.log(*(outcome(f"c{number}") for number in range(2500)))
    told.replies = [WELL, WELL, (503, "60", b"{}")]
    assert simple.flush() == {"accepted": 2000, "waiting": 500}


def test_a_full_disk_is_said_and_leaves_no_half_line(tmp_path: Path) -> None:
    script = """
import resource, signal, sys
from datetime import UTC, datetime
from impact_client import Client, Outcome
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
impact = Client("http://127.0.0.1:9", "k", source="crm", baselines={}, spool=sys.argv[1])
event = Outcome(unit_id="c1", type="churned", value=1, occurred_at=datetime.now(UTC))
impact.log(event)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
for _ in range(3):
    try:
        impact.log(event, event)
    except OSError as error:
        print(error.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
impact.log(event)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "File too large\n" * 3
    spool = Spool(tmp_path, True)
    assert len(spool.records()) == 2
    (file,) = tmp_path.glob("*.spool")
    assert file.read_bytes().count(b"\n") == 2
