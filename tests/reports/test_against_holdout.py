"""The sum of claims is held against the global holdout, population by population, and withheld where it is more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from impact.analysis.models import HoldoutEffect
from impact.dashboard.claimed import claimed_by
from impact.figures.holdout import held_sentences
from impact.figures.words.holdout import WORDS
from impact.reports.against_holdout import enqueue_due_holdouts, held_claims
from impact.reports.claims import claim_benefit, withdraw_claim
from impact.reports.models import BenefitClaim
from impact.reports.selectors import claims_on
from tests.conftest import START, Caller, signed_in
from tests.reports.board import DUE, finance, frozen, schedule, signed, stated
from workspaces import clock
from workspaces.canonical import digest
from workspaces.models import Job, Workspace


@pytest.fixture
def claim(workspace: Workspace, api: Caller, tmp_path: Path) -> BenefitClaim:
    stated(workspace, api, tmp_path)
    report = signed(frozen(schedule(workspace)))
    made = claim_benefit(report=report, key="offers", membership=finance(workspace))
    clock.advance(workspace, DUE)
    return made


def measured(claim: BenefitClaim, high: float, **changes: Any) -> HoldoutEffect:
    """What the job would store where the holdout's upper limit is this much."""
    content = {
        "status": "measured", "population": "customer", "currency": "EUR", "holdouts": ["untouched"],
        "since": START.isoformat(), "until": DUE.isoformat(), "as_of": DUE.isoformat(), "days": 95.0,
        "units": {"others": 950, "held out": 50}, "effect": 1.0, "se": 0.5, "df": 60.0, "ci": [0.0, 2.0],
        "total": 950.0, "total_ci": [0.0, 1900.0], "year": high / 2, "year_ci": [-high, high],
    } | changes  # fmt: skip
    return HoldoutEffect.objects.create(
        workspace=claim.workspace, population="customer", since=START, as_of=DUE, code_version=str(high),
        content=content, sha256=digest(content), created_at=clock.server_now(),
    )  # fmt: skip


def pages(claim: BenefitClaim, language: str = "en") -> tuple[str, str]:
    client = signed_in(finance(claim.workspace))
    return tuple(  # type: ignore[return-value]
        client.get(f"/w/mobile/{page}", headers={"Accept-Language": language}).content.decode()
        for page in ("", "claims")
    )


def test_the_sum_is_shown_up_to_the_limit_and_withheld_above(claim: BenefitClaim) -> None:
    workspace, amount = claim.workspace, float(claim.amount)
    measured(claim, amount)
    [held] = held_claims(workspace, [claim])
    assert (held.amount, held.exceeds) == (claim.amount, False)
    told = f"{round(amount):,}\u00a0EUR"
    home, claims = pages(claim)
    assert (
        told in home.split("</dl>")[0]
        and "stay below the upper limit" in home
        and "stay below the upper limit" in claims
    )
    measured(claim, amount - 1)
    [held] = held_claims(workspace, [claim])
    assert held.exceeds
    said = claimed_by(workspace, "en")
    assert said is not None and said["withheld"]
    home, claims = pages(claim)
    assert told not in home.split("</dl>")[0] and "so their sum is withheld" in home
    assert "so their sum is withheld" in claims and ">withheld</td>" in claims.replace("\n", "")
    assert "合計を伏せます" in pages(claim, "ja")[0]


def test_populations_are_held_apart_and_losers_lower_the_sum(claim: BenefitClaim) -> None:
    measured(claim, 100.0)
    asked = [("customer", 300), ("customer", -200), ("machine", 5)]
    counting = [BenefitClaim(population=population, amount=Decimal(amount)) for population, amount in asked]
    customer, machine = held_claims(claim.workspace, counting)
    assert (customer.population, customer.amount, customer.exceeds) == ("customer", 100, False)
    assert (machine.content, machine.exceeds) == (None, False)
    assert held_claims(claim.workspace, counting[:1])[0].exceeds


def test_claiming_and_ending_ask_for_a_measurement_and_every_day_does(claim: BenefitClaim) -> None:
    workspace = claim.workspace
    Job.objects.filter(kind="holdout-effect").delete()
    enqueue_due_holdouts()
    enqueue_due_holdouts()
    [job] = Job.objects.filter(kind="holdout-effect")
    assert job.arguments["population"] == "customer"
    # midnight where the workspace is, from the day on from which the claim counts
    assert job.arguments["since"] == "2026-04-05T22:00:00+00:00"
    clock.advance(workspace, DUE + timedelta(days=1))
    enqueue_due_holdouts()
    assert Job.objects.filter(kind="holdout-effect").count() == 2
    withdraw_claim(claim=claim, membership=finance(workspace))
    clock.advance(workspace, DUE + timedelta(days=3))
    enqueue_due_holdouts()
    assert Job.objects.filter(kind="holdout-effect").count() == 2


def test_the_job_s_word_reaches_the_pages(claim: BenefitClaim, drain: Callable[[], None]) -> None:
    assert "that is measured every night" in pages(claim)[0]
    enqueue_due_holdouts()
    drain()
    assert {one.content["reason"] for one in HoldoutEffect.objects.all()} == {"no-holdout"}
    for page in pages(claim):
        assert "because none is in force" in page
    assert claims_on(claim.workspace, date(2026, 5, 1)).count() == 1


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("reason", ["no-holdout", "no-value", "no-feed", "too-early", "too-few", "no-variance"])
def test_every_reason_has_a_sentence(reason: str, language: str) -> None:
    content = {
        "status": "not_measured", "reason": reason, "since": START.isoformat(), "earliest": DUE.isoformat(),
        "silent": ["churned"], "units": {"others": 30, "held out": 2}, "fewest": 20,
    }  # fmt: skip
    [said] = held_sentences("customer", Decimal(1), content, False, language, "Europe/Berlin")
    assert "customer" in said and "{" not in said
    assert set(WORDS["en"]) == set(WORDS["ja"])
