"""Every page in a real browser: two languages, two themes, wide and narrow, furnished and empty."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page

from impact.agreements.loading.load import load_experiment
from impact.agreements.loading.specification import read_specification
from impact.analysis.models import Analysis, Calibration
from impact.analysis.services import analyze
from impact.config.declarations import apply_files
from impact.reports.models import ReportSchedule
from impact.reports.services import claim_due_schedules
from impact.reports.unsubscribing import unsubscribe_link
from predictions.models import ModelVersion
from tests.conftest import PASSWORD, START, caller, decision_row, declared_churn, enter, started
from tests.dashboard.judged import furnish, measured
from tests.skips import chromium
from workspaces import clock
from workspaces.models import Workspace
from workspaces.services import jobs
from workspaces.services.people import create_workspace, invite

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# the browser's own thread runs an event loop, in which Django would refuse to work
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

SPEC = """
experiment: mails
unit: {column: unit}
arm: {column: arm, baseline: none}
metrics: [{key: visit, column: visit, kind: proportion}]
value: {column: spend, multiply: 0.3}
cost: {mail: 0.1}
weights: {none: 1, mail: 1}
segments: [channel]
currency: EUR
"""
REPORT = """
reports:
  - key: board
    name: Offers
    experiments: [offers]
    calendar: {every: day, at: "07:00"}
    time_zone: Europe/Berlin
    recipients: [cfo@example.com]
"""
POLICIES = """
policies:
  - key: worth
    decision_point: offer
    kind: expected_value
    role: challenger
    inputs: {at_stake: 300, actions: {bonus: {effect: 0.02, cost: 1.7}, credit: {effect: 0.05, cost: 17.5}}}
  - {key: scores, decision_point: offer, kind: bands, role: benchmark, bands: [{from: 0.35, action: credit}]}
"""
PAGES = (
    "/w/mobile/",
    "/w/mobile/models",
    "/w/mobile/models/churn",
    "/w/mobile/experiments",
    "/w/mobile/experiments/mails",
    "/w/mobile/experiments/offers",
    "/w/mobile/experiments/offers/agreement",
    "/w/mobile/experiments/offers/compliance",
    "/w/mobile/experiments/offers/assignments",
    "/w/mobile/load",
    "/w/mobile/design",
    "/w/mobile/design?point=offer&measure=net",
    "/w/mobile/design?point=offer&measure=",
    "/w/mobile/design?clone=offers",
    "/w/mobile/actions",
    "/w/mobile/decision-points",
    "/w/mobile/decision-points/offer",
    "/w/mobile/policies",
    "/w/mobile/policies/worth",
    "/w/mobile/metrics",
    "/w/mobile/metrics/net",
    "/w/mobile/declare/metric?from=churn",
    "/w/mobile/assumptions",
    "/w/mobile/rates",
    "/w/mobile/assumptions/kept",
    "/w/mobile/declare/assumption?from=kept",
    "/w/mobile/reports",
    "/w/mobile/reports/1",
    "/w/mobile/reports/schedules/board/preview",
    "/w/mobile/claims",
    "/w/mobile/data",
    "/w/mobile/quarantine",
    "/w/mobile/quarantine?kind=outcome&code=other-currency",
    "/w/mobile/jobs",
    "/w/mobile/members",
    "/w/mobile/keys",
    "/w/mobile/audit",
    "/w/mobile/health",
    "/w/mobile/audit?actor=test&action=apply",
    "/account",
    "/docs",
    "/docs/reading",
    "/docs/connecting",
    "/docs/api",
    "/w/mobile/docs/checks",
    "/glossary",
)
EMPTY = tuple(
    f"/w/empty/{name}"
    for name in (
        "", "models", "experiments", "load", "design", "actions", "decision-points", "policies", "reports", "data",
        "claims", "quarantine", "jobs", "members", "keys", "audit", "health", "metrics", "assumptions",
        "declare/metric", "rates",
    )
)  # fmt: skip


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
    return {"executable_path": chromium(), "args": flags}


@pytest.fixture
def furnished(live_server: Any, tmp_path: Path) -> str:
    """A workspace with a live experiment, a loaded one, jobs and a report; another that is empty. The address."""
    workspace = create_workspace(
        key="mobile", name="Mobile", currency="EUR", time_zone="Europe/Berlin", simulated=True, actor="test"
    )
    clock.advance(workspace, START)
    draft = declared_churn(workspace)
    (tmp_path / "policies.yaml").write_text(POLICIES)
    apply_files(workspace, [tmp_path / "policies.yaml"], "test")
    running = started(workspace, draft)
    api = caller(workspace)
    api.post("/decisions", {"decisions": [decision_row(f"c{n}") for n in range(60)]})
    left = START + timedelta(days=20)
    outcomes = [
        {"source": "crm", "event_id": f"l{n}", "type": "churned", "unit_id": f"c{n}", "value": 1,
         "occurred_at": left.isoformat(), "at": left.isoformat()}
        for n in range(0, 60, 4)
    ]  # fmt: skip
    outcomes.append(outcomes[0] | {"event_id": "dollars", "currency": "USD"})
    api.post("/outcomes", {"outcomes": outcomes})
    end = (START + timedelta(days=95)).isoformat()
    api.post("/feeds/crm/heartbeat", {"type": "churned", "complete_until": end, "at": end})
    api.post("/experiments/offers/close")
    (tmp_path / "report.yaml").write_text(REPORT)
    apply_files(workspace, [tmp_path / "report.yaml"], "test")
    judged(analyze(experiment=running))
    rows = "".join(
        f"u{n},{'mail' if n % 2 else 'none'},{n % 3 % 2},{n % 7},{'web' if n % 5 else 'shop'}\n" for n in range(80)
    )
    (tmp_path / "mails.csv").write_text(f"unit,arm,visit,spend,channel\n{rows}")
    (tmp_path / "spec.yaml").write_text(SPEC)
    loaded = load_experiment(
        workspace=workspace, path=tmp_path / "mails.csv", spec=read_specification(tmp_path / "spec.yaml"), actor="test"
    )
    analyze(experiment=loaded)
    ReportSchedule.objects.within(workspace).update(next_run_at=START)
    claim_due_schedules()
    from impact.config.jobs import drain

    drain()
    jobs.enqueue(workspace=workspace, kind="analyze", key="waits", due_at=datetime(2100, 1, 1, tzinfo=UTC))
    enter(workspace, "owner@example.com", "admin")
    enter(create_workspace(key="empty", name="Empty", actor="test"), "owner@example.com", "admin")
    return str(live_server.url)


def judged(analysis: Analysis) -> None:
    """Scores by day and a calibration, as if there had been thousands of decisions."""
    version = ModelVersion.objects.get(workspace=analysis.workspace)
    furnish(version, psi=(0.03, 0.31, 0.05))
    content = measured() | {"metric": "churn", "name": "Churn", "horizon_days": 90}
    known = {"workspace": analysis.workspace, "as_of": analysis.as_of, "rows": 1000, "content": content}
    Calibration.objects.update_or_create(analysis=analysis, version=version, defaults=known)


def open_browser(
    browser: Browser, address: str, theme: str = "light", language: str = "en", width: int = 1280
) -> BrowserContext:
    """Sign in by typing."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    context.add_cookies([{"name": "django_language", "value": language, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.get_by_role("textbox").first.fill("owner@example.com")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url("**/")
    return context


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page(browser: Browser, furnished: str, theme: str, language: str) -> None:
    context = open_browser(browser, furnished, theme, language)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    leave = unsubscribe_link(ReportSchedule.objects.get(), "cfo@example.com").removeprefix(settings.BASE_URL)
    for path in (*PAGES, *EMPTY, leave):
        response = page.goto(furnished + path)
        assert response is not None
        assert response.status == 200, path
        assert page.locator("html").get_attribute("lang") == language
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.locator("h1").count() == 1, path
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} px wide at {width}"
    assert complaints == []
    context.close()


def test_api_docs_draw_offline(browser: Browser, furnished: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{furnished}/api/docs")
    page.get_by_text("/decisions", exact=True).first.wait_for()
    assert [url for url in asked if not url.startswith((furnished, "data:"))] == []


def test_by_keyboard_alone(browser: Browser, furnished: str) -> None:
    page = browser.new_page()
    page.goto(f"{furnished}/sign-in")
    press_until(page, "document.activeElement.name == 'username'")
    page.keyboard.type("owner@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.goto(f"{furnished}/w/mobile/experiments/mails")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    press_until(page, "document.activeElement.className == 'term'")
    assert page.locator(".term:focus > .tip").is_visible()
    press_until(page, "document.activeElement.tagName == 'SUMMARY'")
    page.keyboard.press("Enter")
    assert page.locator("details.data[open] table").first.is_visible()


def test_the_jobs_page_renews_itself(browser: Browser, furnished: str) -> None:
    context = open_browser(browser, furnished)
    page = context.new_page()
    page.goto(f"{furnished}/w/mobile/jobs")
    page.get_by_text("waits", exact=True).first.wait_for()
    workspace = Workspace.objects.get(key="mobile")
    jobs.enqueue(workspace=workspace, kind="analyze", key="came later", due_at=datetime(2100, 1, 1, tzinfo=UTC))
    page.get_by_text("came later").wait_for(timeout=10_000)
    context.close()


def test_three_people_sign(browser: Browser, furnished: str, tmp_path: Path) -> None:
    workspace = create_workspace(key="shop", name="Shop", simulated=True, actor="test")
    declared_churn(workspace)
    for name, signs_for in (("bea", "business"), ("dan", "data science"), ("fin", "finance")):
        _, token = invite(workspace=workspace, role="viewer", signs_for=signs_for, actor="test")
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{furnished}/join/{token}")
        page.locator("input[name=email]").fill(f"{name}@shop.example")
        page.locator("input[name=name]").fill(name.title())
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main button").click()
        page.get_by_role("rowheader").get_by_role("link", name="Offers").click()
        page.get_by_role("link", name="Read the agreement").click()
        page.locator("input[name=confirmed]").check()
        page.get_by_role("button", name=f"Sign for {signs_for}").click()
        page.get_by_text(f"Signed for {signs_for}.").wait_for()
        context.close()
    from experiments.models import Experiment

    assert Experiment.objects.within(workspace).get().status == "agreed"


def press_until(page: Page, condition: str, most: int = 60) -> None:
    """Press Tab until the condition holds."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return
    raise AssertionError(f"never: {condition}")
