"""Waivers: a named person who doesn't answer for the experiment, a reason, both beside the figure, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from experiments.models import Assignment, Experiment
from impact.analysis.models import Analysis, Waiver
from impact.analysis.selectors import newest_analysis
from impact.analysis.services import analyze, differing
from impact.analysis.waivers import heeded, waivable, waive, withdraw, withdrawable
from impact.figures.sentences import completed
from tests.conftest import Caller, enter, played, signed_in
from tests.reports.board import frozen, schedule
from workspaces.errors import Missing, Refusal
from workspaces.models import AuditEntry, Membership, Workspace

REASON = "One row was moved by hand; the audit of 3 March found no other."
BACK = "More rows were moved than the audit of 3 March had found."
Drain = Callable[[], None]


@pytest.fixture
def blocked(workspace: Workspace, api: Caller, churn: Experiment) -> Experiment:
    """The churn experiment played, with one key moved to the other arm, which a draw made again shows."""
    experiment = played(workspace, api, churn)
    moved = Assignment.objects.filter(arm__key="none").order_by("randomization_key")[0]
    moved.arm = experiment.arms.get(key="bonus")
    moved.save()
    analyze(experiment=experiment)
    return experiment


@pytest.fixture
def ann(workspace: Workspace) -> Membership:
    return enter(workspace, "ann@example.com", "analyst")


def newest(experiment: Experiment, language: str = "en") -> dict[str, Any]:
    analysis = newest_analysis(experiment)
    assert analysis is not None
    return completed(analysis.document, language)


def test_the_verdict_is_given_with_the_waiver_named(blocked: Experiment, ann: Membership, drain: Drain) -> None:
    assert newest(blocked)["verdict"]["level"] == "withheld"
    waive(experiment=blocked, membership=ann, check_id="draws_replayed", reason=REASON)
    drain()
    document = newest(blocked)
    assert document["verdict"]["level"] != "withheld"
    assert document["verdict"]["sentence"].endswith(
        f" Shown although a check failed (Draws made again), waived by Ann: {REASON}"
    )
    [check] = [check for check in document["checks"] if check["id"] == "draws_replayed"]
    assert (check["passed"], check["waiver"]["name"], check["waiver"]["reason"]) == (False, "Ann", REASON)
    assert f"Waived by Ann on 6 April 2026: {REASON}" in check["message"]
    assert check["message"] in document["verdict"]["because"]
    assert REASON.rstrip(".") in newest(blocked, "ja")["verdict"]["sentence"]
    analysis = newest_analysis(blocked)
    assert analysis is not None and differing(analysis) == []
    assert AuditEntry.objects.filter(action="waive check", subject="offers: draws_replayed").exists()


def test_a_report_names_the_waiver(blocked: Experiment, ann: Membership, drain: Drain) -> None:
    waive(experiment=blocked, membership=ann, check_id="draws_replayed", reason=REASON)
    drain()
    [one] = frozen(schedule(blocked.workspace)).content["experiments"]
    assert f"waived by Ann: {REASON}" in one["results"]["verdict"]["sentence"]
    quality = next(point["text"] for point in one["points"] if point["title"] == "Data quality")
    assert f"Waived by Ann on 6 April 2026: {REASON}" in quality


def test_it_is_waived_on_the_page(blocked: Experiment, ann: Membership, mate: Membership, drain: Drain) -> None:
    path = "/w/mobile/experiments/offers"
    assert "Waive this check" in signed_in(ann).get(path).content.decode()
    assert "Waive this check" not in signed_in(mate).get(path).content.decode()
    said = {"check": "draws_replayed", "reason": "too short"}
    answer = signed_in(ann).post(f"{path}/waive", said, follow=True)
    assert "Say why in 10 to 500 characters." in answer.content.decode()
    answer = signed_in(ann).post(f"{path}/waive", said | {"reason": REASON}, follow=True)
    assert "Waived." in answer.content.decode()
    drain()
    page = signed_in(mate).get(path).content.decode()
    assert page.count("waived by Ann") == 1 and "Waived by Ann" in page
    assert "Waive this check" not in signed_in(ann).get(path).content.decode()


def test_what_is_withdrawn_counts_no_longer(
    blocked: Experiment, ann: Membership, workspace: Workspace, drain: Drain, api: Caller
) -> None:
    said: dict[str, Any] = {"experiment": blocked, "check_id": "draws_replayed"}
    ben = enter(workspace, "ben@example.com", "analyst")
    for reason in (REASON, "Now it was looked at again."):
        waive(membership=ann, reason=reason, **said)
        drain()
        assert newest(blocked)["verdict"]["level"] != "withheld"
        withdraw(membership=ben, reason=BACK, **said)
        drain()
        document = newest(blocked)
        assert document["verdict"]["level"] == "withheld" and "waived by" not in document["verdict"]["sentence"]
    [check] = [check for check in document["checks"] if check["id"] == "draws_replayed"]
    assert check["waiver"] is None
    assert [one["withdrawn"]["name"] for one in check["withdrawn"]] == ["Ben", "Ben"]
    told = f"Ben withdrew the waiver that Ann gave on 6 April 2026, on 6 April 2026: {BACK}"
    assert check["message"].count(told) == 2
    assert "Benが2026年4月6日に撤回しました" in next(
        one["message"] for one in newest(blocked, "ja")["checks"] if one["id"] == "draws_replayed"
    )
    # a client reads it too
    found = api.get("/experiments/offers/results").body["checks"]
    assert [one["withdrawn"] for one in found if one["id"] == "draws_replayed"] == [check["withdrawn"]]
    entries = AuditEntry.objects.filter(action="withdraw waiver", subject="offers: draws_replayed")
    assert [entry.actor for entry in entries] == ["ben@example.com", "ben@example.com"]
    for analysis in Analysis.objects.within(workspace):
        assert differing(analysis) == []


def test_only_what_stands_is_withdrawn_and_with_a_reason(
    blocked: Experiment, ann: Membership, mate: Membership
) -> None:
    said: dict[str, Any] = {"experiment": blocked, "check_id": "draws_replayed"}
    with pytest.raises(Missing):
        withdraw(membership=ann, reason=BACK, **said)
    waive(membership=ann, reason=REASON, **said)
    assert withdrawable(blocked, ann) == ["draws_replayed"] and withdrawable(blocked, mate) == []
    for membership, reason, code in ((mate, BACK, "may-not-waive"), (ann, "no", "no-reason")):
        with pytest.raises(Refusal) as refused:
            withdraw(membership=membership, reason=reason, **said)
        assert refused.value.code == code
    withdraw(membership=ann, reason=BACK, **said)
    with pytest.raises(Missing):
        withdraw(membership=ann, reason=BACK, **said)
    with pytest.raises(IntegrityError), transaction.atomic():
        Waiver.objects.update(withdrawn_because="")


def test_it_is_withdrawn_on_the_page(blocked: Experiment, ann: Membership, mate: Membership, drain: Drain) -> None:
    path, said = "/w/mobile/experiments/offers", {"check": "draws_replayed"}
    waive(experiment=blocked, membership=ann, check_id="draws_replayed", reason=REASON)
    drain()
    assert "Withdraw this waiver" in signed_in(ann).get(path).content.decode()
    assert "Withdraw this waiver" not in signed_in(mate).get(path).content.decode()
    answer = signed_in(ann).post(f"{path}/withdraw", said | {"reason": "short"}, follow=True)
    assert "Say why in 10 to 500 characters." in answer.content.decode()
    answer = signed_in(ann).post(f"{path}/withdraw", said | {"reason": BACK}, follow=True)
    assert "Withdrawn." in answer.content.decode()
    drain()
    page = signed_in(ann).get(path).content.decode()
    assert "Ann withdrew the waiver that Ann gave" in page and "Waive this check" in page


@pytest.mark.parametrize(
    ("email", "role", "code"),
    [
        ("bea-mobile@example.com", "admin", "may-not-waive"),  # signed for business
        ("marketing@example.com", "admin", "may-not-waive"),  # owns it, by the agreement
        ("vic@example.com", "viewer", "may-not-waive"),
        ("fin-mobile@example.com", "admin", None),
    ],
)
def test_whoever_answers_for_it_waives_nothing(
    workspace: Workspace, blocked: Experiment, email: str, role: str, code: str | None
) -> None:
    member = Membership.objects.within(workspace).filter(person__email=email).first() or enter(workspace, email, role)
    member.role = role
    member.save()
    if code is None:
        assert waivable(blocked, member) == ["draws_replayed"]
        return
    with pytest.raises(Refusal) as refused:
        waive(experiment=blocked, membership=member, check_id="draws_replayed", reason=REASON)
    assert refused.value.code == code and waivable(blocked, member) == [] and not Waiver.objects.exists()


def test_a_stranger_waives_nothing(blocked: Experiment, stranger: Membership) -> None:
    with pytest.raises(Refusal):
        waive(experiment=blocked, membership=stranger, check_id="draws_replayed", reason=REASON)


def test_only_what_failed_is_waived_and_once(blocked: Experiment, ann: Membership) -> None:
    for check in ("mature_rows", "cost_booked", "unknown"):
        with pytest.raises(Missing):
            waive(experiment=blocked, membership=ann, check_id=check, reason=REASON)
    waive(experiment=blocked, membership=ann, check_id="draws_replayed", reason=REASON)
    with pytest.raises(Refusal) as refused:
        waive(experiment=blocked, membership=ann, check_id="draws_replayed", reason=REASON)
    assert refused.value.code == "waived-already"


def test_a_sample_ratio_is_never_waived(blocked: Experiment, ann: Membership) -> None:
    analysis = Analysis.objects.latest("created_at")
    ratio = next(check for check in analysis.document["checks"] if check["id"] == "sample_ratio")
    ratio["passed"] = False
    analysis.save()
    assert waivable(blocked, ann) == ["draws_replayed"]
    with pytest.raises(Missing):
        waive(experiment=blocked, membership=ann, check_id="sample_ratio", reason=REASON)
    said = {"check": "sample_ratio", "name": "Ann", "reason": REASON, "at": "2026-04-05T00:00:00+00:00"}
    assert heeded([ratio], [said]) == [ratio | {"waiver": None}]
    with pytest.raises(IntegrityError), transaction.atomic():
        Waiver.objects.create(
            workspace=blocked.workspace, experiment=blocked, check_id="sample_ratio", person=ann.person, reason=REASON,
            waived_at=analysis.as_of,
        )  # fmt: skip
