"""Each role's main way in a browser: an analyst designs, three people sign, the analyst starts; a director reads."""

from __future__ import annotations

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from experiments.models import Experiment
from tests.conftest import START, declared_churn, enter
from tests.e2e.people import LANGUAGES, Person
from tests.e2e.test_pages import browser_type_launch_args, furnished  # noqa: F401
from workspaces import clock
from workspaces.models import Workspace
from workspaces.services.people import create_workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
# the sentences that the plan is summed up by, as far as no figure stands in them
OUTLOOKS = {
    "en": {"prove": "chance to prove that bonus pays", "lose": "would lose", "unit": "points"},
    "ja": {"prove": "の確率で実証できます", "lose": "の損失です", "unit": "ポイント"},
}


@LANGUAGES
def test_an_analyst_designs_three_people_sign_and_it_starts(browser: Browser, live_server: Any, language: str) -> None:
    address = str(live_server.url)
    workspace = create_workspace(key="mobile", name="Mobile", currency="EUR", simulated=True, actor="test")
    clock.advance(workspace, START)
    declared_churn(workspace)
    enter(workspace, "ana@example.com", "analyst", "data science")
    enter(workspace, "bea@example.com", "viewer", "business")
    enter(workspace, "fin@example.com", "viewer", "finance")

    person = Person(browser, address, "ana@example.com", language)
    page = person.page
    person.link("Experiments")
    person.link("New experiment")
    person.press("Design it")
    for label, value in (
        ("Name", "Winter offers"),
        ("Key", "winter"),
        ("Hypothesis", "A bonus keeps enough customers to pay for itself."),
        ("Decision to be taken", "Do we offer it in winter?"),
    ):
        person.field(label).fill(value)
    page.get_by_role("checkbox", name="Credit").uncheck()
    for label, value in (
        ("Without the action, %", "22"),
        ("Change hoped for, points", "-1.5"),
        ("Rows a week, all arms", "5000"),
        ("Rows in each arm", "15000"),
    ):
        page.get_by_label(person.says(label)).fill(value)
    # it is computed while one types
    chance, loss, unit = OUTLOOKS[language].values()
    expect(page.locator("#outlook .sentence")).to_contain_text(chance)
    expect(page.locator("#charts svg").first).to_be_visible()
    before = page.locator("#outlook .sentence").inner_text()
    page.get_by_label(f"Bonus: {person.says('Fixed')}").fill("9")
    expect(page.locator("#outlook .sentence")).to_contain_text(loss)
    expect(page.locator("#even-1")).to_contain_text(unit)
    page.get_by_label(f"Bonus: {person.says('Fixed')}").fill("1")
    expect(page.locator("#outlook .sentence")).to_have_text(before)
    assert Axe().run(page).violations_count == 0
    # what is wrong is named at its field
    person.field("Base").fill("10")
    person.press("Save as a draft")
    expect(page.get_by_role("alert").first).to_contain_text(person.says("Low, base and high must ascend."))
    # the page that refused is the one complaint a browser has
    person.complaints = [one for one in person.complaints if "422" not in one]
    person.field("Base").fill("300")
    person.press("Save as a draft")
    person.reads("Saved as a draft. Three people sign it here.")
    sign(person, "data science")

    for email, signs_for in (("bea@example.com", "business"), ("fin@example.com", "finance")):
        other = Person(browser, address, email, language)
        other.page.locator("#waiting").get_by_role("link", name="Winter offers").click()
        sign(other, signs_for)
        other.leaves()

    page.reload()
    page.locator("#start input[name=confirmed]").check()
    person.press("Start the experiment")
    person.reads("%(name)s has started.", name="Winter offers")
    assert Experiment.objects.get(key="winter").status == "running"
    person.leaves()


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize(
    ("language", "measured", "trusted"),
    [("en", "Measured, mails", "Can this be trusted?"), ("ja", "実測：mails", "この結果は信頼できるか")],
)
def test_a_director_reads_home_and_an_experiment(
    browser: Browser,
    live_server: Any,
    language: str,
    measured: str,
    trusted: str,
) -> None:
    enter(Workspace.objects.get(key="mobile"), "dora@example.com", "viewer")
    person = Person(browser, str(live_server.url), "dora@example.com", language)
    page = person.page
    # the sentence comes before every figure
    sentence = page.locator(".verdict .sentence").bounding_box()
    figures = page.locator(".figures").first.bounding_box()
    assert sentence is not None and figures is not None
    assert sentence["y"] < figures["y"]
    page.get_by_role("link", name=measured).click()
    page.locator(".verdict .sentence").wait_for()
    assert page.locator("#trust h2").inner_text().startswith(trusted)
    page.locator("#result summary").click()
    assert page.locator("#result table").is_visible()
    person.leaves()


def sign(person: Person, signs_for: str) -> None:
    person.page.locator("#signatures input[name=confirmed]").check()
    person.press("Sign for %(signs_for)s", signs_for=person.word(signs_for))
    person.reads("Signed for %(signs_for)s.", signs_for=person.word(signs_for))


@LANGUAGES
def test_somebody_new_looks_at_the_demo_and_comes_back(browser: Browser, live_server: Any, language: str) -> None:
    address = str(live_server.url)
    create_workspace(key="demo", name="Northern Mobile", simulated=True, actor="demo")
    enter(create_workspace(key="fresh", name="Fresh", actor="test"), "nia@example.com", "analyst")
    person = Person(browser, address, "nia@example.com", language)
    page = person.page
    person.press("Enter the demo")
    page.wait_for_url("**/w/demo/")
    person.press("Leave the demo")
    page.wait_for_url("**/w/fresh/")
    person.link("Load a file")
    with page.expect_download() as download:
        person.link("An example to try it with")
    page.locator("input[type=file]").set_input_files(download.value.path())
    person.press("Load it")
    person.reads("The file is being loaded; its row below leads to the experiment.")
    person.leaves()
