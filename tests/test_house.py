"""The house itself: who imports whom, what starts light, what must be written down."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from impact.config.api import ENDPOINTS
from impact.config.problems import PROBLEMS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("workspaces", "predictions", "experiments", "impact", "impact_client")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts]


def test_rooms_import_in_order() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import impact.stats", "django"),
        ("import impact.stats.roi", "django"),
        ("import experiments.randomization", "django"),
        ("import impact.agreements.cashflow", "django"),
        (
            "import django; django.setup(); import impact.config.urls",
            "numpy,scipy,pandas,duckdb,pyarrow,statsmodels,sklearn,matplotlib",
        ),
    ],
)
def test_starts_light(code: str, forbidden: str) -> None:
    check = f"{code}; import sys; print([name for name in {forbidden.split(',')!r} if name in sys.modules])"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "impact.config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_has_its_sentence(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if tree.body and path.name != "apps.py":
        assert ast.get_docstring(tree), f"{path} begins with no sentence"


def test_migrations_are_complete(db: None) -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_setting_is_documented() -> None:
    read = re.findall(r'read\("(\w+)"', (ROOT / "impact/config/settings.py").read_text(encoding="utf-8"))
    documented = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert read
    assert [name for name in read if f"`{name}`" not in documented] == []


def test_every_endpoint_is_documented() -> None:
    documented = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    calls = [f"`{one.method} {one.path.replace('<', '{').replace('>', '}')}`" for one in ENDPOINTS]
    missing = [call for call in calls if call not in documented]
    assert missing == []


def test_every_problem_is_documented() -> None:
    documented = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert [code for code in PROBLEMS if f"`{code}`" not in documented] == []


def test_no_registry_or_machine_is_named() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    named = re.compile(r"pypi\.org|files\.pythonhosted|registry\.npmjs|cdn\.|/root/|/home/\w+/")
    texts = [
        ROOT / name
        for name in tracked
        if name and (ROOT / name).suffix in (".py", ".md", ".txt", ".toml", ".html", ".yaml")
    ]
    found = [
        path.name
        for path in texts
        if path.exists() and path != Path(__file__) and named.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
