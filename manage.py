#!/usr/bin/env python3
"""Entry point: on a bare machine it makes .venv and installs the locked packages, then it goes on."""

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main() -> None:
    """Run a management command; ``test`` runs pytest."""
    testing = sys.argv[1:2] == ["test"]
    ensure_packages(testing)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "impact.config.settings")
    if testing:
        # the tests' databases and files stay away from those that people use
        os.environ.setdefault("IMPACT_DATA_DIR", str(ROOT / "var" / "test"))
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[2:]])
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def ensure_packages(testing: bool) -> None:
    """Go on where the packages are already importable, else in .venv, made first if it isn't there."""
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if not inside and importable(testing):
        return
    lock = ROOT / ("requirements-dev.txt" if testing else "requirements.txt")
    # the test lock holds everything the other does
    wanted = {digest(ROOT / name) for name in ("requirements-dev.txt", lock.name)}
    stamp = VENV / "installed"
    if not (stamp.exists() and stamp.read_text() in wanted):
        install(lock)
        stamp.write_text(digest(lock))
        inside = False
    if not inside:
        os.execv(PYTHON, [str(PYTHON), str(ROOT / "manage.py"), *sys.argv[1:]])


def importable(testing: bool) -> bool:
    """Whether every direct dependency is installed for this interpreter."""
    import tomllib  # new in 3.11: at the top it would fail before the version is checked

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"]["dev"] if testing else [])
    try:
        for requirement in wanted:
            importlib.metadata.distribution(re.split(r"[\[<>=]", requirement)[0])
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def digest(lock: Path) -> str:
    """Name what .venv must hold: the lock, for this Python."""
    return f"{sys.version_info[:2]} {hashlib.sha256(lock.read_bytes()).hexdigest()}\n"


def install(lock: Path) -> None:
    """Install the lock into .venv by uv where it is at hand, by pip otherwise."""
    print(f"Setting up .venv from {lock.name}, once; this takes a minute ...", flush=True)
    (VENV / "installed").unlink(missing_ok=True)
    uv = shutil.which("uv")
    if uv and run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)):
        if run(uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", str(lock)):
            return
        print("uv could not install the packages, trying pip", flush=True)
    make_venv()
    if not run(str(PYTHON), "-m", "pip", "install", "-qq", "--require-hashes", "-r", str(lock)):
        sys.exit("The packages could not be installed; pip's message above says why. Mend that and start again.")


def make_venv() -> None:
    """Make .venv with pip in it, and explain the one known way in which that fails."""
    if run(str(PYTHON), "-m", "pip", "--version", quiet=True):
        return
    if not run(sys.executable, "-m", "venv", "--clear", str(VENV), quiet=True):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            "This Python can't make virtual environments. On Debian and Ubuntu that takes a package of its own:\n"
            "    apt install python3-venv\n"
            "Then start the same command again."
        )


def run(*command: str, quiet: bool = False) -> bool:
    """Run a program and say whether it succeeded."""
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(command, stdout=output, stderr=output, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit(f"Impact needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    main()
