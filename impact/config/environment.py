"""Readers of the environment that fail loudly, naming the variable and the remedy."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
BROKERS = ("filesystem", "memory", "redis", "rediss", "amqp", "amqps")
DATABASES = ("sqlite", "postgres", "postgresql")
MAILERS = ("filemail", "consolemail", "memorymail", "smtp", "smtp+tls", "smtp+ssl")


def read(name: str, parse: Callable[[str], T], default: T) -> T:
    """Read one variable; an empty one counts as not set."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} is malformed: {error}. docs/operations.md says what it may be.") from error


def database(url: str) -> dict[str, Any]:
    """Parse ``postgres://person:password@host:port/name`` or ``sqlite:///path``."""
    _scheme(url, DATABASES)
    settings = dict(environ.Env.db_url_config(url))
    if not settings.get("NAME"):
        raise ValueError(f"{_without_password(url)!r} names no database")
    if settings["ENGINE"].endswith("sqlite3"):
        return sqlite(Path(settings["NAME"]))
    return {
        **settings,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**settings.get("OPTIONS", {}), "connect_timeout": 5},
    }


def sqlite(path: Path) -> dict[str, Any]:
    """Durable, one writer at a time who waits in line: DEFERRED transactions fail under load instead."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # a file, since a database in memory has no second connection
        "TEST": {"NAME": str(path.with_name("test.sqlite3"))},
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }


def broker(url: str) -> str:
    """Parse the address of Redis or RabbitMQ."""
    return _scheme(url, BROKERS)


def mail(url: str) -> dict[str, Any]:
    """Parse ``smtp+tls://person:password@host:587`` and its kin."""
    return dict(environ.Env.email_url_config(_scheme(url, MAILERS)))


def address(url: str) -> str:
    """Parse the address that links in mails start with."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise ValueError(f"{url!r} is no address like https://impact.example.com")
    return url.rstrip("/")


def count(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is no whole number above 0")
    return int(text)


def hosts(text: str) -> list[str]:
    """Parse a list of host names, separated by commas."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if "/" in name or " " in name:
            raise ValueError(f"{name!r} is no host name; give names like impact.example.com, separated by commas")
    return names


def long_secret(text: str) -> str:
    """Accept a secret that can't be guessed."""
    if len(text) < 32:
        raise ValueError(f"it has {len(text)} characters, at least 32 are needed")
    return text


def own_secret(directory: Path) -> str:
    """Return the secret of this installation, made at the first start and readable by its owner only."""
    path = directory / "secret_key"
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii")


def directory(text: str) -> Path:
    """Parse a directory that Impact may write to, and make it."""
    path = Path(text).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path} can't be made: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise ValueError(f"{path} can't be written to")
    return path


def _scheme(url: str, known: tuple[str, ...]) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in known or "://" not in url:
        raise ValueError(f"{_without_password(url)!r} starts with none of {', '.join(f'{name}://' for name in known)}")
    return url


def _without_password(url: str) -> str:
    head, separator, tail = url.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if separator else url
