"""Somebody at a browser, in one of the two languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import gettext, override
from playwright.sync_api import Browser, Page

from impact.figures.words.codes import word
from tests.conftest import PASSWORD

LANGUAGES = pytest.mark.parametrize("language", ["en", "ja"])


class Person:
    """A page that somebody has signed in on, and what the browser complains about."""

    def __init__(self, browser: Browser, address: str, email: str, language: str = "en") -> None:
        self.address, self.language = address, language
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        self.context.add_cookies([{"name": "django_language", "value": language, "url": address}])
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda error: self._heard("error", str(error)))
        self.page.goto(f"{address}/sign-in")
        self.page.get_by_role("textbox").first.fill(email)
        self.page.locator("input[type=password]").fill(PASSWORD)
        self.page.locator("main button").click()
        self.page.wait_for_url("**/w/**")

    def says(self, text: str, **values: Any) -> str:
        """A text of the pages as this person reads it."""
        with override(self.language):
            return gettext(text) % values if values else gettext(text)

    def word(self, code: str) -> str:
        return word(code, self.language)

    def link(self, text: str) -> None:
        self.page.get_by_role("link", name=self.says(text), exact=True).first.click()

    def press(self, text: str, **values: Any) -> None:
        self.page.get_by_role("button", name=self.says(text, **values), exact=True).first.click()

    def field(self, text: str) -> Any:
        return self.page.get_by_label(self.says(text), exact=True)

    def reads(self, text: str, **values: Any) -> None:
        """Wait until the page says it."""
        self.page.get_by_text(self.says(text, **values)).first.wait_for()

    def leaves(self) -> None:
        """Go, and be sure that the browser had nothing to complain about."""
        assert self.complaints == []
        self.context.close()

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)
