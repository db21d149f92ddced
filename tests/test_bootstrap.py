"""manage.py on a bare machine: a tree with an empty lock and a stand-in for Django, so that it takes seconds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DJANGO = "def execute_from_command_line(argv):\n    import sys\n    print('ran', argv[1:], sys.prefix)\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout in a path with spaces, whose one dependency is installed nowhere."""
    folder = tmp_path / "a path with spaces"
    (folder / "django/core/management").mkdir(parents=True)
    (folder / "django/__init__.py").touch()
    (folder / "django/core/__init__.py").touch()
    (folder / "django/core/management/__init__.py").write_text(DJANGO)
    shutil.copy(ROOT / "manage.py", folder)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text(f"# {name}: nothing\n")
    depend(folder, "no-such-distribution>=1")
    return folder


def depend(folder: Path, requirement: str) -> None:
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "x"\nversion = "1"\ndependencies = ["{requirement}"]\n'
        '[project.optional-dependencies]\ndev = ["another-missing"]\n'
    )


def manage(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return subprocess.run(
        [base, folder / "manage.py", *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_makes_the_environment_once(tree: Path) -> None:
    first = manage(tree, "check")
    assert first.returncode == 0, first.stderr
    assert "Setting up .venv" in first.stdout
    assert f"ran ['check'] {tree / '.venv'}" in first.stdout
    again = manage(tree, "check")
    assert "Setting up" not in again.stdout
    assert "ran ['check']" in again.stdout


def test_installs_again_when_the_lock_changes(tree: Path) -> None:
    manage(tree, "check")
    (tree / "requirements.txt").write_text("# another\n")
    assert "Setting up .venv" in manage(tree, "check").stdout


def test_a_half_made_environment_is_mended(tree: Path) -> None:
    manage(tree, "check")
    (tree / ".venv/installed").unlink()
    shutil.rmtree(tree / ".venv/lib")
    assert "ran ['check']" in manage(tree, "check").stdout


def test_uses_packages_that_are_there_and_makes_nothing(tree: Path) -> None:
    depend(tree, "pip")
    done = manage(tree, "check")
    assert "ran ['check']" in done.stdout
    assert not (tree / ".venv").exists()


def test_explains_a_missing_venv_module(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/venv.py").write_text("raise SystemExit(1)")
    done = manage(tree, "check", PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (tree / ".venv").exists()


def test_says_what_python_it_needs(tree: Path) -> None:
    program = (
        "import runpy, sys\n"
        "class Old(tuple): pass\n"
        "sys.version_info = (3, 10, 1); sys.version = '3.10.1 (old)'\n"
        f"runpy.run_path({str(tree / 'manage.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; this is 3.10.1" in done.stderr


def test_a_failed_install_says_so(tree: Path) -> None:
    (tree / "requirements.txt").write_text("no-such-distribution==1 --hash=sha256:" + "0" * 64 + "\n")
    done = manage(tree, "check", PIP_NO_INDEX="1")
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    assert not (tree / ".venv/installed").exists()
