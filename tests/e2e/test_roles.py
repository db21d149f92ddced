"""Each role's main way in a browser: an analyst designs, three people sign, the analyst starts; a director reads."""

from __future__ import annotations

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from experiments.models import Experiment
from tests.conftest import PASSWORD, START, declared_churn, enter
from tests.e2e.test_pages import browser_type_launch_args, furnished  # noqa: F401
from workspaces import clock
from workspaces.models import Workspace
from workspaces.services.people import create_workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


def signed_in(
    browser: Browser, address: str, email: str, language: str = "en"
) -> tuple[BrowserContext, Page, list[str]]:
    """A page that somebody has signed in on, and what the browser complains about."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.add_cookies([{"name": "django_language", "value": language, "url": address}])
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/sign-in")
    page.get_by_role("textbox").first.fill(email)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url("**/w/**")
    return context, page, complaints


def test_an_analyst_designs_three_people_sign_and_it_starts(browser: Browser, live_server: Any) -> None:
    address = str(live_server.url)
    workspace = create_workspace(key="mobile", name="Mobile", currency="EUR", simulated=True, actor="test")
    clock.advance(workspace, START)
    declared_churn(workspace)
    enter(workspace, "ana@example.com", "analyst", "data science")
    enter(workspace, "bea@example.com", "viewer", "business")
    enter(workspace, "fin@example.com", "viewer", "finance")

    context, page, complaints = signed_in(browser, address, "ana@example.com")
    page.get_by_role("link", name="Experiments").first.click()
    page.get_by_role("link", name="New experiment").click()
    page.get_by_role("button", name="Design it").click()
    page.get_by_label("Name", exact=True).fill("Winter offers")
    page.get_by_label("Key", exact=True).fill("winter")
    page.get_by_label("Hypothesis").fill("A bonus keeps enough customers to pay for itself.")
    page.get_by_label("Decision to be taken").fill("Do we offer it in winter?")
    page.get_by_role("checkbox", name="Credit").uncheck()
    page.get_by_label("Without the action, %").fill("22")
    page.get_by_label("Change hoped for, points").fill("-1.5")
    page.get_by_label("Rows a week, all arms").fill("5000")
    page.get_by_label("Rows in each arm").fill("15000")
    # it is computed while one types
    expect(page.locator("#outlook .sentence")).to_contain_text("chance to prove that bonus pays")
    expect(page.locator("#charts svg").first).to_be_visible()
    before = page.locator("#outlook .sentence").inner_text()
    page.get_by_label("Bonus: Fixed").fill("9")
    expect(page.locator("#outlook .sentence")).to_contain_text("would lose")
    expect(page.locator("#even-1")).to_contain_text("points")
    page.get_by_label("Bonus: Fixed").fill("1")
    expect(page.locator("#outlook .sentence")).to_have_text(before)
    assert Axe().run(page).violations_count == 0
    # what is wrong is named at its field
    page.get_by_label("Base", exact=True).fill("10")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_role("alert").first).to_contain_text("Low, base and high must ascend.")
    page.get_by_label("Base", exact=True).fill("300")
    page.get_by_role("button", name="Save as a draft").click()
    page.get_by_text("Three people sign it here.").wait_for()
    sign(page, "data science")

    for email, signs_for in (("bea@example.com", "business"), ("fin@example.com", "finance")):
        other, seen, _ = signed_in(browser, address, email)
        seen.locator("#waiting").get_by_role("link", name="Winter offers").click()
        sign(seen, signs_for)
        other.close()

    page.reload()
    page.locator("#start input[name=confirmed]").check()
    page.get_by_role("button", name="Start the experiment").click()
    page.get_by_text("Winter offers has started.").wait_for()
    assert Experiment.objects.get(key="winter").status == "running"
    # the page that refused is the one complaint a browser has
    assert [one for one in complaints if "422" not in one] == []
    context.close()


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
    context, page, complaints = signed_in(browser, str(live_server.url), "dora@example.com", language)
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
    assert complaints == []
    context.close()


def sign(page: Page, signs_for: str) -> None:
    page.locator("#signatures input[name=confirmed]").check()
    page.get_by_role("button", name=f"Sign for {signs_for}").click()
    page.get_by_text(f"Signed for {signs_for}.").wait_for()


def test_somebody_new_looks_at_the_demo_and_comes_back(browser: Browser, live_server: Any) -> None:
    address = str(live_server.url)
    create_workspace(key="demo", name="Northern Mobile", simulated=True, actor="demo")
    enter(create_workspace(key="fresh", name="Fresh", actor="test"), "nia@example.com", "analyst")
    context, page, complaints = signed_in(browser, address, "nia@example.com")
    page.get_by_role("button", name="Enter the demo").click()
    page.wait_for_url("**/w/demo/")
    page.get_by_role("button", name="Leave the demo").click()
    page.wait_for_url("**/w/fresh/")
    page.get_by_role("link", name="Load a file").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="An example to try it with").click()
    page.locator("input[type=file]").set_input_files(download.value.path())
    page.get_by_role("button", name="Load it").click()
    page.get_by_text("its row below leads to the experiment").wait_for()
    assert complaints == []
    context.close()
