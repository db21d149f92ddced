"""A whole house: manage.py up with its own data, its own database and its own port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request, urlopen

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0


class House:
    """Commands and servers that share one data directory and one database."""

    def __init__(self, folder: Path, name: str, broker: str = "") -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {"IMPACT_DATA_DIR": str(folder), "IMPACT_URL": self.address}
        self.environment.pop("PYTEST_XDIST_WORKER", None)
        if broker:
            self.environment["BROKER_URL"] = broker
        self.database = ""
        if os.environ.get("DATABASE_URL", "").startswith("postgres"):
            self.database = f"impact_{name}_{os.getpid()}"
            self._on_postgres(f'CREATE DATABASE "{self.database}"')
            parts = urlsplit(os.environ["DATABASE_URL"])
            self.environment["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{self.database}"))
        self.server: subprocess.Popen[str] | None = None

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    def up(self) -> None:
        """Start everything and return when it answers."""
        self.log = (self.folder / "up.log").open("w")
        self.server = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(self.port)],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_for(lambda: "Impact is at" in (self.folder / "up.log").read_text(), "the house is up")

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.address}/health/ready", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def down(self, number: int = signal.SIGTERM) -> int:
        """Ask the supervisor to stop and return its status."""
        assert self.server is not None
        self.server.send_signal(number)
        status = self.server.wait(60)
        self.log.close()
        self.server = None
        return status

    def processes(self) -> dict[int, str]:
        """Every process of this house that runs, by its environment."""
        found = {}
        marker = f"IMPACT_DATA_DIR={self.folder}\0".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if marker in (folder / "environ").read_bytes() and int(folder.name) != os.getpid():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, ValueError):
                continue
        return found

    def call(self, key: str, method: str, path: str, body: Any = None) -> Any:
        request = Request(
            f"{self.address}/api/v1{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            method=method,
        )
        with urlopen(request, timeout=60) as response:
            return json.loads(response.read())

    def close(self) -> None:
        if self.server is not None:
            self.down()
        if self.database:
            self._on_postgres(f'DROP DATABASE "{self.database}" WITH (FORCE)')

    def _on_postgres(self, statement: str) -> None:
        parts = urlsplit(os.environ["DATABASE_URL"])
        connection = psycopg2.connect(urlunsplit(parts._replace(path="/postgres")))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()


def wait_for(happens: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Return what happens, once it is true."""
    deadline = time.monotonic() + patience
    while not (found := happens()):
        assert time.monotonic() < deadline, f"{what}: not within {patience:.0f} s"
        time.sleep(0.2)
    return found
