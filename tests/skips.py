"""Skipping aloud: where everything must run, what would be skipped fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def skip_aloud(reason: str) -> None:
    """Skip with a reason, or fail with it where IMPACT_NO_SKIPS is set."""
    if os.environ.get("IMPACT_NO_SKIPS"):
        pytest.fail(f"must not be skipped here: {reason}")
    pytest.skip(reason)


def reference_directory() -> Path:
    """Where the real data lie."""
    named = os.environ.get("IMPACT_REFERENCE_DIR")
    if not named:
        skip_aloud("IMPACT_REFERENCE_DIR isn't set, so the real data can't be read")
    directory = Path(named or "")
    if not (directory / "data").is_dir():
        skip_aloud(f"IMPACT_REFERENCE_DIR == {named!r} holds no folder data")
    return directory


def chromium() -> str:
    """Path of the browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        skip_aloud("no Chromium on this machine; on Debian: apt install chromium")
    return found or ""
