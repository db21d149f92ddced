"""The source as syntax trees, for the tests that read it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("workspaces", "predictions", "experiments", "impact")


def sources() -> list[Path]:
    """Every module of the rooms but the migrations."""
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)
