"""Commands: progress in at most ten lines, errors in one line that names the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from impact.config.terminal import progress_bar

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_is_told_a_line_a_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as show:
        for place in range(1001):
            show(place / 1000, f"row {place}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 11
    assert lines[-1] == "100% row 1000"
    shares = [int(line.split("%")[0]) for line in lines]
    assert shares == sorted(shares)


def test_what_is_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(quiet=True) as show:
        show(0.5, "half")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["verify"], "DATABASE_URL names a database that can't be used"),
        (["up", "--port", "1"], "DATABASE_URL names a database that can't be used"),
    ],
)
def test_a_database_that_is_away_is_one_line(command: list[str], said: str, tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgres://person:topsecret@127.0.0.1:1/impact", "IMPACT_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | away,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr and "topsecret" not in done.stderr
