"""manage.py messages: nothing changes where the catalogues are up to date."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from impact.config import translations

ROOT = translations.catalogue_path("ja", "po").parent


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the catalogue, so that the test writes none of ours."""
    for source in ROOT.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())

    def path(language: str, suffix: str, name: str = "django") -> Path:
        return tmp_path / f"{name}.{suffix}"

    monkeypatch.setattr(translations, "catalogue_path", path)
    return tmp_path


def run() -> tuple[Any, str]:
    out = StringIO()
    try:
        call_command("messages", stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_the_same_texts_give_the_same_files(elsewhere: Path) -> None:
    assert run() == (0, "")
    for source in ROOT.iterdir():
        assert (elsewhere / source.name).read_bytes() == source.read_bytes(), source.name


def test_names_what_is_not_translated_and_drops_what_is_gone(elsewhere: Path) -> None:
    text = (elsewhere / "django.po").read_text(encoding="utf-8")
    (elsewhere / "django.po").write_text(text.replace('msgid "Waiting for you"', 'msgid "Long gone"'), encoding="utf-8")
    status, out = run()
    assert (status, out) == (1, "ja: Waiting for you\n")
    assert "Long gone" not in (elsewhere / "django.po").read_text(encoding="utf-8")
