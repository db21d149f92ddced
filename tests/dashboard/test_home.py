"""The home page: what was measured in a time, and what waits for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from experiments.models import Experiment
from impact.analysis.models import Analysis, Check, Waiver
from impact.dashboard.home import since
from impact.dashboard.selectors import next_date
from predictions.models import ModelVersion, PredictionModel
from tests.conftest import START, Caller, enter, outcome_row, signed_in, started
from tests.dashboard.test_views import page, withheld
from workspaces import clock
from workspaces.models import Membership, Workspace


def test_the_measured_sum_opens_the_page_with_its_range(mate: Membership, analysed: Analysis) -> None:
    block = analysed.document["money"]["comparisons"][0]
    home = page(signed_in(mate), "")
    assert f"{abs(block['total']['net']):,.0f} EUR" in home.split("</section>")[0]
    assert "Measured, Offers" in home and "Added from 1 experiment" in home


def test_running_the_models_is_said_beside_it(mate: Membership, analysed: Analysis) -> None:
    PredictionModel.objects.update(monthly_cost=1000)
    assert "Running the models costs 12,000 EUR a year" in page(signed_in(mate), "")
    ModelVersion.objects.update(stage="retired")
    assert "Running the models" not in page(signed_in(mate), "")


def test_the_time_is_asked_for_in_the_address(mate: Membership, workspace: Workspace, analysed: Analysis) -> None:
    client = signed_in(mate)
    assert "This quarter, from 1 April 2026" in page(client, "?period=quarter")
    clock.advance(workspace, analysed.as_of + timedelta(days=100))
    assert "Nothing was measured in this time." in page(client, "?period=quarter")
    assert "Measured, Offers" in page(client, "?period=year")
    # the shortest time with a result in it
    assert page(client, "").count("Measured, Offers") == 1 and "12 Months" not in page(client, "")
    clock.advance(workspace, analysed.as_of + timedelta(days=500))
    assert "everything until" in page(client, "?period=nonsense")


def test_a_quarter_begins_where_the_workspace_is() -> None:
    late = datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert since("quarter", late, "Europe/Berlin") == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert since("quarter", late, "UTC") == datetime(2026, 4, 1, tzinfo=UTC)
    assert since("all", late, "UTC") is None


def test_what_is_withheld_is_said_and_not_added(mate: Membership, workspace: Workspace, tmp_path: Path) -> None:
    withheld(workspace, tmp_path)
    home = page(signed_in(mate), "")
    assert "may be added up" in home and "trial (withheld)" in home


def test_a_tripped_guardrail_waits(mate: Membership, analysed: Analysis) -> None:
    Check.objects.create(
        workspace=analysed.workspace, analysis=analysed, check_id="guardrails_hold", severity="block", passed=False
    )
    Experiment.objects.update(status="paused", pause_reason="guardrails_hold")
    home = page(signed_in(mate), "")
    assert "Guardrail tripped" in home and "the experiment is paused" in home and "Failed check" not in home


def test_what_somebody_waived_waits_no_more(mate: Membership, analysed: Analysis) -> None:
    found = {"workspace": analysed.workspace, "check_id": "missing_alike"}
    Check.objects.filter(analysis=analysed, check_id="missing_alike").delete()
    Check.objects.create(analysis=analysed, severity="block", passed=False, **found)
    assert "Missing alike" in page(signed_in(mate), "")
    waiver = Waiver.objects.create(
        experiment=analysed.experiment, person=mate.person, reason="known and small", waived_at=START, **found
    )
    assert "Missing alike" not in page(signed_in(mate), "")
    waiver.withdrawn_at, waiver.withdrawn_by, waiver.withdrawn_because = START, mate.person, "not that small"
    waiver.save()
    assert "Missing alike" in page(signed_in(mate), "")


@pytest.mark.parametrize(("role", "said"), [("operator", "until they are mended"), ("viewer", "until an operator")])
def test_rows_in_quarantine_wait(workspace: Workspace, api: Caller, role: str, said: str) -> None:
    future = outcome_row("u1", day=400)
    api.post("/outcomes", {"outcomes": [future | {"at": START.isoformat()}]})
    home = page(signed_in(enter(workspace, "op@example.com", role)), "")
    assert "1 row couldn't be placed" in home and said in home


def test_nobody_sees_anothers(stranger: Membership, analysed: Analysis) -> None:
    client = signed_in(stranger)
    assert client.get("/w/mobile/").status_code == 404
    assert "Offers" not in client.get("/w/other/").content.decode()


def test_the_next_date_of_an_experiment(workspace: Workspace, churn: Experiment) -> None:
    assert next_date(churn, None, START) == ("draft", None)
    running = started(workspace, churn)
    assert next_date(running, None, START) == ("open", None)
    running.enrolment_until = START + timedelta(days=7)
    assert next_date(running, None, START) == ("enrolling", running.enrolment_until)
    later = START + timedelta(days=8)
    assert next_date(running, None, later) == ("maturing", running.enrolment_until + timedelta(days=90))
    final = Analysis(final=True, as_of=later)
    assert next_date(running, final, later) == ("final", later)
    running.origin = "loaded"
    assert next_date(running, final, later) == ("", None)


def test_home_shows_the_newest_ten_and_leads_to_all(mate: Membership, workspace: Workspace) -> None:
    drafts(workspace, 10)
    client = signed_in(mate)
    assert "experiments</a>" not in page(client, "")
    drafts(workspace, 1, "newest")
    home = page(client, "")
    assert "All 11 experiments" in home and "Trial newest" in home and "Trial 0<" not in home


def test_the_list_has_pages_of_thirty(mate: Membership, workspace: Workspace) -> None:
    drafts(workspace, 31)
    client = signed_in(mate)
    first, last = page(client, "experiments"), page(client, "experiments?page=2")
    assert "Page 1 of 2" in first and first.count("waits for signatures") == 30
    assert "Trial 0<" in last and last.count("waits for signatures") == 1
    # an address of long ago leads to what is nearest
    assert "Page 2 of 2" in page(client, "experiments?page=77") and "Page 1 of 2" in page(client, "experiments?page=x")


def drafts(workspace: Workspace, number: int, name: str = "") -> None:
    """So many experiments that wait, the last one the newest."""
    for place in range(number):
        key = name or str(place)
        Experiment.objects.create(
            workspace=workspace, key=f"trial-{key}", name=f"Trial {key}", origin="loaded", salt=key,
            traffic_salt=f"{key}/traffic", created_at=START + timedelta(days=place + 100 * bool(name)),
        )  # fmt: skip
