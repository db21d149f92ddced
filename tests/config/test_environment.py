"""Settings from the environment: read, or refused with the variable's name and the remedy."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from impact.config import environment as env

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://host/name", "sqlite://, postgres://"),
        ("DATABASE_URL", "postgres//host", "starts with none"),
        ("DATABASE_URL", "postgres://host:5432", "names no database"),
        ("BROKER_URL", "kafka://host", "redis://"),
        ("SECRET_KEY", "short", "at least 32"),
        ("ALLOWED_HOSTS", "https://a.example", "no host name"),
        ("EMAIL_URL", "mailto:x", "smtp"),
        ("IMPACT_URL", "example.com", "no address"),
        ("IMPACT_DATA_DIR", "/proc/nowhere", "can't be made"),
        ("IMPACT_RATE_LIMIT", "-1", "whole number"),
    ],
)
def test_malformed_is_a_loud_error(name: str, value: str, says: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert name in last
    assert says in last
    assert "docs/operations.md" in last


def test_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPACT_SOMETHING", "  ")
    assert env.read("IMPACT_SOMETHING", int, 7) == 7


def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "oracle://person:topsecret@host/name")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.read("DATABASE_URL", env.database, {})
    assert "topsecret" not in str(caught.value)


def test_postgres_connections_are_kept() -> None:
    settings = env.database("postgres://person:word@db.example:5433/impact")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", 5433, "impact")
    assert settings["CONN_MAX_AGE"] is None


def test_sqlite_is_durable_and_waits_in_line(tmp_path: Path) -> None:
    options = env.database(f"sqlite:///{tmp_path}/x.sqlite3")["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in options["init_command"]


def test_own_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = env.own_secret(tmp_path)
    assert len(first) >= 48
    assert env.own_secret(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
