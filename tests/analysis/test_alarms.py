"""A tripped guardrail or loss cap pauses a running experiment and tells its owner, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail

from experiments.models import Experiment, Status
from experiments.selectors import experiment_named
from impact.analysis.alarms import ALARM
from impact.analysis.services import analyze
from impact.config import jobs
from tests.analysis.ground import Ground, on
from tests.conftest import enter
from workspaces.canonical import digest
from workspaces.models import AuditEntry, Job, Person
from workspaces.services.people import set_preferences


def losing(ground: Ground, cap: float | None) -> Experiment:
    """A bonus that costs 50 and keeps nobody, with a cap on what it may lose."""
    plan = ground.experiment.plan
    plan["case"] |= {"loss_cap": cap, "owner": "Fin"}
    ground.experiment.plan, ground.experiment.plan_sha256 = plan, digest(plan)
    ground.experiment.save()
    for number in range(80):
        arm = ("none", "bonus")[number % 2]
        ground.row(f"u{number}", arm)
        if number % 8 < 2:
            ground.outcome(f"u{number}", 5)
        if arm == "bonus":
            ground.cost(f"u{number}", 1, 50.0 + number % 3)
    ground.feed(400)
    return ground.experiment


@pytest.fixture
def told(ground: Ground, drain: Callable[[], None]) -> list[str]:
    enter(ground.workspace, "fin@example.com", "viewer", "finance").person.__class__.objects.filter(
        email="fin@example.com"
    ).update(name="Fin")
    return ["fin@example.com"]


def test_a_loss_beyond_its_cap_pauses_and_tells_the_owner(ground: Ground, told: list[str]) -> None:
    experiment = losing(ground, 1000.0)
    document = analyze(experiment=experiment, as_of=on(400)).document
    assert document["verdict"]["level"] == "withheld" and "loss_cap" in document["verdict"]["because"]
    paused = experiment_named(ground.workspace, experiment.key)
    assert (paused.status, paused.pause_reason) == (Status.PAUSED, "loss_cap")
    assert AuditEntry.objects.get(action="pause experiment").actor == "analysis"
    jobs.drain()
    [message] = mail.outbox
    assert message.to == told and message.subject.endswith("Paused: Offers")
    assert "lost more than its loss cap" in message.body and "/w/mobile/experiments/offers" in message.body
    assert "損失" in message.body
    analyze(experiment=paused, as_of=on(401))
    jobs.drain()
    assert len(mail.outbox) == 1 and Job.objects.filter(kind=ALARM).count() == 1


def test_where_nobody_is_called_like_the_owner_the_admins_are_told(ground: Ground, drain: Callable[[], None]) -> None:
    enter(ground.workspace, "boss@example.com", "admin")
    analyze(experiment=losing(ground, 1000.0), as_of=on(400))
    jobs.drain()
    assert [message.to for message in mail.outbox] == [["boss@example.com"]]


@pytest.mark.parametrize("cap", [100_000.0, None])
def test_within_its_cap_it_goes_on(ground: Ground, cap: float | None) -> None:
    experiment = losing(ground, cap)
    analyze(experiment=experiment, as_of=on(400))
    assert experiment_named(ground.workspace, experiment.key).status == Status.RUNNING
    assert not Job.objects.filter(kind=ALARM).exists()


def test_an_analysis_of_the_past_pauses_nothing(ground: Ground) -> None:
    experiment = losing(ground, None)
    analyze(experiment=experiment, as_of=on(410))
    plan = experiment.plan
    plan["case"]["loss_cap"] = 1000.0
    experiment.plan, experiment.plan_sha256 = plan, digest(plan)
    experiment.save()
    analyze(experiment=experiment, as_of=on(400))
    assert experiment_named(ground.workspace, experiment.key).status == Status.RUNNING


def test_who_wants_no_mail_gets_none_and_who_wants_all_gets_it(
    ground: Ground, told: list[str], drain: Callable[[], None]
) -> None:
    owner = Person.objects.get(email="fin@example.com")
    set_preferences(person=owner, language="en", time_zone="", mail="never")
    eager = enter(ground.workspace, "eager@example.com", "viewer").person
    set_preferences(person=eager, language="ja", time_zone="", mail="at once")
    enter(ground.workspace, "daily@example.com", "admin")
    analyze(experiment=losing(ground, 1000.0), as_of=on(400))
    jobs.drain()
    [message] = mail.outbox
    assert message.to == ["eager@example.com"]
    assert "損失" in message.body and "loss cap" not in message.body
