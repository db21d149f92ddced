"""Impact's settings without middleware and with one address."""

from impact.config.settings import *  # noqa: F403

MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.bench.floor"
