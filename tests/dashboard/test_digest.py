"""The daily mail: what waits, in one's own language and zone, once a day, and not for who turned it down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail

from experiments.models import Experiment
from impact.analysis.models import Analysis, Check
from impact.config import jobs
from impact.dashboard.digest import claim_due_digests
from impact.reports.signing import review_report
from tests.conftest import enter, race
from tests.reports.board import frozen, schedule
from workspaces.models import Job, Membership, Workspace
from workspaces.services.people import set_preferences

EVENING = datetime(2026, 9, 1, 20, tzinfo=UTC)
MORNING = datetime(2026, 9, 2, 5, 30, tzinfo=UTC)  # half past seven in Berlin


@pytest.fixture
def fin(workspace: Workspace, churn: Experiment) -> Membership:
    """Finance, whose signature the churn experiment waits for."""
    return enter(workspace, "fin@example.com", "viewer", "finance")


def prefer(membership: Membership, language: str = "en", time_zone: str = "", mail: str = "daily") -> None:
    set_preferences(person=membership.person, language=language, time_zone=time_zone, mail=mail)


@pytest.fixture
def morning(drain: Callable[[], None]) -> Callable[..., None]:
    """An evening passes, and the next morning, as far as mails go."""

    def morning(at: datetime = MORNING) -> None:
        for now in (EVENING, at):
            with time_machine.travel(now, tick=False):
                claim_due_digests()
                drain()

    return morning


def test_tells_what_waits_once_a_day(fin: Membership, morning: Callable[..., None], drain: Callable[[], None]) -> None:
    prefer(fin)
    morning()
    morning(MORNING + timedelta(hours=2))
    [message] = mail.outbox
    assert (message.to, message.subject) == (["fin@example.com"], "[simulated] Mobile: 1 thing waits for you")
    assert "Signature: Offers" in message.body
    assert "http://127.0.0.1:8000/w/mobile/experiments/offers/agreement" in message.body
    assert "http://127.0.0.1:8000/account" in message.body
    morning(MORNING + timedelta(days=1))
    assert len(mail.outbox) == 2
    assert len({one.extra_headers["Message-ID"] for one in mail.outbox}) == 2


def test_not_before_the_morning_where_one_is(fin: Membership, morning: Callable[..., None]) -> None:
    prefer(fin, time_zone="America/New_York")
    morning()
    assert mail.outbox == []
    morning(MORNING + timedelta(hours=6))
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(("language", "said"), [("ja", ["署名：", "Signature"]), ("", ["Signature: Offers", "署名"])])
def test_is_in_ones_language_or_in_all(
    fin: Membership, morning: Callable[..., None], language: str, said: list[str]
) -> None:
    prefer(fin, language=language)
    morning()
    [message] = mail.outbox
    assert ("Signature" in message.body) == (language == "") and "署名" in message.body


@pytest.mark.parametrize("role_and_part", [("viewer", ""), ("viewer", "finance")])
def test_nothing_waits_nothing_is_sent(
    workspace: Workspace, running: Experiment, morning: Callable[..., None], role_and_part: Any
) -> None:
    prefer(enter(workspace, "idle@example.com", *role_and_part))
    morning()
    assert mail.outbox == []
    assert {job.result["sent"] for job in Job.objects.filter(kind="digest")} == {False}


def test_who_wants_none_gets_none(fin: Membership, morning: Callable[..., None]) -> None:
    prefer(fin, mail="never")
    morning()
    assert mail.outbox == [] and not Job.objects.filter(kind="digest").exists()


def test_a_failed_check_and_a_tripped_guardrail_are_told(
    mate: Membership, analysed: Analysis, morning: Callable[..., None]
) -> None:
    prefer(mate)
    Check.objects.filter(analysis=analysed, check_id="sample_ratio").update(passed=False, severity="block")
    morning()
    told = [message for message in mail.outbox if message.to == ["mate@example.com"]]
    assert len(told) == 1 and "Failed check: Offers" in told[0].body and "/w/mobile/experiments/offers" in told[0].body


def test_a_report_waits_for_its_reviewer_and_then_its_signer(
    workspace: Workspace, analysed: Analysis, morning: Callable[..., None]
) -> None:
    reviewer = enter(workspace, "rita@example.com", "analyst", "data science")
    signer = enter(workspace, "otto@example.com", "viewer", "finance")
    prefer(reviewer)
    prefer(signer)
    report = frozen(schedule(workspace))
    morning()
    [told] = [message for message in mail.outbox if "Review: " in message.body]
    assert told.to == ["rita@example.com"]
    assert f"Review: {report.schedule.name}, Report 1" in told.body
    assert "http://127.0.0.1:8000/w/mobile/reports/1#review" in told.body
    review_report(report=report, membership=reviewer)
    mail.outbox.clear()
    morning(MORNING + timedelta(days=1))
    [told] = [message for message in mail.outbox if message.to == ["otto@example.com"]]
    assert not [message for message in mail.outbox if message.to == ["rita@example.com"]]
    assert f"Signature: {report.schedule.name}, Report 1 · somebody else has reviewed it" in told.body


@pytest.mark.django_db(transaction=True)
def test_of_many_ticks_one_tells(fin: Membership) -> None:
    prefer(fin)
    Membership.objects.filter(pk=fin.pk).update(digest_due_at=EVENING)

    def work(_: int) -> None:
        claim_due_digests()
        jobs.drain()

    race(3, work)
    assert [message.to for message in mail.outbox] == [["fin@example.com"]]
