"""Ways of those who keep Impact going: an engineer posts, an operator mends a row, finance opens a report's PDF."""

from __future__ import annotations

import io
import json
import os
import shlex
from itertools import pairwise
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from experiments.models import Decision
from impact.ledger.models import Outcome
from tests.conftest import enter
from tests.e2e.people import LANGUAGES, Person
from tests.e2e.test_pages import browser_type_launch_args, furnished  # noqa: F401
from workspaces.models import Quarantine, Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


@LANGUAGES
def test_an_engineer_makes_a_key_and_posts(browser: Browser, furnished: str, language: str, settings: Any) -> None:  # noqa: F811
    settings.BASE_URL = furnished
    enter(Workspace.objects.get(key="mobile"), "eng@example.com", "admin")
    decided = Decision.objects.count()
    person = Person(browser, furnished, "eng@example.com", language)
    person.link("Settings")
    person.link("API keys")
    person.field("Name").fill("CRM")
    person.page.locator("input[name=scopes][value=decide]").check()
    person.press("Make a key")
    # the call as it stands on the page, sent without a shell
    answer = sent(person.page.locator("pre.code").inner_text())
    assert answer["action"]["key"] in ("none", "bonus", "credit")
    assert Decision.objects.count() == decided + 1
    person.page.goto(f"{furnished}/w/mobile/decision-points/offer")
    person.page.locator("h1").wait_for()
    person.leaves()


def sent(call: str) -> Any:
    """What the API answers to a curl call."""
    _, url, *rest = shlex.split(call.replace("\\\n", " "))
    headers = dict(value.split(": ", 1) for flag, value in pairwise(rest) if flag == "-H")
    body = rest[rest.index("-d") + 1].encode()
    with urlopen(Request(url, body, headers), timeout=10) as answer:
        return json.load(answer)


@LANGUAGES
def test_an_operator_mends_a_quarantined_row(browser: Browser, furnished: str, language: str) -> None:  # noqa: F811
    enter(Workspace.objects.get(key="mobile"), "op@example.com", "operator")
    stored = Outcome.objects.count()
    person = Person(browser, furnished, "op@example.com", language)
    person.link("Data")
    person.link("Quarantine")
    person.page.get_by_role("link", name="dollars", exact=True).click()
    assert person.word("other-currency") in person.page.locator("main").inner_text()
    row = json.loads(person.page.locator("#row").input_value())
    person.page.locator("#row").fill("{")
    person.press("Replay")
    person.page.get_by_role("alert").wait_for()
    person.complaints.clear()  # a refused form is one
    person.page.locator("#row").fill(json.dumps(row | {"currency": "EUR", "event_id": "euros"}))
    person.press("Replay")
    person.reads("The row is in the ledger now.")
    assert Outcome.objects.count() == stored + 1
    assert not Quarantine.objects.filter(resolved_at=None).exists()
    person.page.goto(f"{furnished}/w/mobile/quarantine")
    person.reads("Nothing is in quarantine.")
    person.leaves()


@LANGUAGES
def test_finance_opens_the_pdf_of_a_report(browser: Browser, furnished: str, language: str) -> None:  # noqa: F811
    enter(Workspace.objects.get(key="mobile"), "fin@example.com", "viewer", "finance")
    person = Person(browser, furnished, "fin@example.com", language)
    person.link("Reports")
    person.page.get_by_role("rowheader").get_by_role("link", name="Offers").first.click()
    sentence = person.page.locator(".sentence").first.inner_text()
    link = person.page.get_by_role("link", name="PDF", exact=True)
    answer = person.context.request.get(f"{furnished}{link.get_attribute('href')}")
    assert answer.headers["content-type"] == "application/pdf"
    read = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.body())).pages)
    assert " ".join(sentence.split()) in " ".join(read.split())
    person.leaves()
