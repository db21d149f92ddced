"""The commands of docs/guides/running.md as they stand: what was backed up is restored elsewhere, and still fits."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import csv_of, specification
from tests.e2e.house import ROOT, House

GUIDE = ROOT / "docs" / "guides" / "running.md"
OF_POSTGRES = ("pg_dump", "createdb", "pg_restore")


def commands() -> list[str]:
    """What an operator types to back up, to restore and to verify."""
    chapter = GUIDE.read_text(encoding="utf-8").split("## Back up")[1].split("\n## ")[0]
    return [line.strip() for line in chapter.splitlines() if line.startswith("    ")]


def run(house: House, command: str) -> subprocess.CompletedProcess[str]:
    """Type one of them in this house, which restores into a place of its own."""
    if not house.database:
        command = command.replace('DATABASE_URL="${DATABASE_URL%/*}/impact_restored" ', "")
    for documented, here in (
        ("impact_restored", f"{house.database}_restored"),
        ("/srv/restored", str(house.folder.parent / "restored")),
        ("python3 manage.py", f"{sys.executable} {ROOT / 'manage.py'}"),
    ):
        command = command.replace(documented, here)
    return subprocess.run(
        ["sh", "-c", command], cwd=house.folder.parent, env=house.environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_what_was_backed_up_is_restored_and_fits(build: Callable[..., House]) -> None:
    house = build("backup")
    rows: dict[str, list[Any]] = {
        "unit": [f"u{n}" for n in range(200)],
        "arm": ["a", "b"] * 100,
        "y": [n % 7 for n in range(200)],
    }
    (house.folder.parent / "rows.csv").write_text(csv_of(rows), encoding="utf-8")
    spec = specification(house.folder.parent)
    house.manage("load_experiment", str(house.folder.parent / "rows.csv"), "--spec", str(spec))
    typed = [one for one in commands() if house.database or not one.startswith(OF_POSTGRES)]
    assert len(typed) == (7 if house.database else 4)
    try:
        for command in typed:
            done = run(house, command)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        assert done.stdout.endswith("1 analyses recomputed, 0 differences\n")
        # what was restored by half is found out
        shutil.rmtree(house.folder.parent / "restored" / "snapshots")
        assert run(house, typed[-1]).returncode != 0
    finally:
        if house.database:
            house._on_postgres(f'DROP DATABASE IF EXISTS "{house.database}_restored" WITH (FORCE)')
