"""Web server, worker and tick as children of one process, which leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

GRACE = 20.0
READY = 60.0
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "impact.config.settings",
    # a container's only user is root, and nothing is unpickled here
    "PYTHONWARNINGS": "ignore:You're running the worker",
}
PAUSE = (1.0, 2.0, 5.0, 10.0)


class Stop(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    """Starts the children, starts one again that ends, and ends them all."""

    def __init__(self, host: str, port: int, workers: int = 2) -> None:
        self.host, self.port, self.address = host, port, f"http://{host}:{port}"
        python, celery = sys.executable, [sys.executable, "-m", "celery", "-q", "-A", "impact.config"]
        quiet = ["--loglevel", "WARNING"]
        self.commands = {
            "web": [
                python, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
                "--workers", str(workers), "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
                "--respawn-failed-workers", "impact.config.wsgi:application",
            ],
            "worker": [
                *celery, "worker", *quiet, "--concurrency", "2", "--without-gossip", "--without-mingle",
                "--without-heartbeat", "--hostname", f"impact-{port}@%h",
            ],
            "tick": [
                *celery, "beat", *quiet, "--schedule", str(settings.DATA_DIR / "tick"), "--pidfile", "",
            ],
        }  # fmt: skip
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.failures = dict.fromkeys(self.commands, 0)

    def __enter__(self) -> Supervisor:
        if not is_free(self.host, self.port):
            raise CommandError(f"{self.address} is taken; choose another --port.")
        self.claimed = claim(self.host, self.port)
        # from here on both ways of being stopped end the children
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        call_command("migrate", verbosity=0, interactive=False)
        connections.close_all()
        for name in self.commands:
            self._start(name)
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> bool:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        self._end()
        self.claimed.close()
        return kind is not None and issubclass(kind, Stop)

    def wait_until_ready(self) -> None:
        """Return when the web server answers."""
        for _ in range(int(READY / 0.2)):
            try:
                with urlopen(f"{self.address}/health/ready", timeout=2):
                    return
            except (URLError, OSError):
                if self.children["web"].poll() is not None:
                    raise CommandError("The web server stopped at once; its message above says why.") from None
                time.sleep(0.2)
        raise CommandError(f"The web server did not answer within {READY:.0f} s.")

    def watch(self) -> None:
        """Start children again that end, until told to stop."""
        while True:
            time.sleep(0.5)
            self.look()

    def look(self) -> None:
        """Start every child again that has ended."""
        for name, child in self.children.items():
            if child.poll() is None:
                continue
            _signal_group(child, signal.SIGKILL)  # a killed parent leaves children of its own
            pause = PAUSE[min(self.failures[name], len(PAUSE) - 1)]
            self.failures[name] += 1
            sys.stderr.write(f"{name} ended with status {child.returncode}, starting it again in {pause:.0f} s\n")
            time.sleep(pause)
            self._start(name)

    def _start(self, name: str) -> None:
        self.children[name] = subprocess.Popen(
            self.commands[name],
            cwd=settings.ROOT,
            env=os.environ | ENVIRONMENT,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=2,  # what a command prints stays its own
        )

    def _stop(self, number: int, frame: FrameType | None) -> None:
        raise Stop

    def _end(self) -> None:
        """Ask every child to end, wait, then insist with whatever it started."""
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + GRACE
        for child in self.children.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
            _signal_group(child, signal.SIGKILL)
            child.wait()


def claim(host: str, port: int) -> socket.socket:
    """Keep others from a port while the web server, which shares it, is still starting."""
    claimed = socket.socket()
    claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    claimed.bind((host, port))
    return claimed


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there; the web server itself would share the port with whoever does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)
