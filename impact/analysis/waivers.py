"""Letting a figure be shown although a blocking check failed, and taking that back: by name, with a reason."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from experiments.models import Experiment
from impact.analysis.models import Waiver
from impact.analysis.queue import enqueue_analysis
from impact.analysis.selectors import newest_analysis
from workspaces import clock
from workspaces.errors import Missing, Refusal
from workspaces.models import Membership
from workspaces.models.people import SignsFor
from workspaces.services import audit

# arms that aren't what was drawn can't be made comparable by anybody's word
NEVER = ("sample_ratio",)
SHORTEST, LONGEST = 10, 500


@transaction.atomic
def waive(*, experiment: Experiment, membership: Membership, check_id: str, reason: str) -> Waiver:
    """Put a person's name and reason beside a blocking check that failed, and ask for an analysis that heeds it."""
    check_may_waive(experiment, membership)
    said = _reason(reason)
    if check_id not in waivable(experiment, membership):
        raise Missing("failed check that may be waived", check_id)
    now = clock.now(experiment.workspace)
    try:
        with transaction.atomic():
            waiver = Waiver.objects.create(
                workspace=experiment.workspace,
                experiment=experiment,
                check_id=check_id,
                person=membership.person,
                reason=said,
                waived_at=now,
            )
    except IntegrityError as error:
        raise Refusal("waived-already", f"{check_id} is waived already.") from error
    audit.record(
        workspace=experiment.workspace,
        actor=membership.person.email,
        action="waive check",
        subject=f"{experiment.key}: {check_id}",
        after={"check": check_id, "reason": said},
    )
    enqueue_analysis(experiment=experiment, as_of=now, because=f"{_numbered(waiver)} given")
    return waiver


@transaction.atomic
def withdraw(*, experiment: Experiment, membership: Membership, check_id: str, reason: str) -> Waiver:
    """Take a waiver back, by name and with a reason, and ask for an analysis that no longer counts it."""
    check_may_waive(experiment, membership)
    said = _reason(reason)
    waivers = Waiver.objects.within(experiment.workspace).standing().select_for_update()
    waiver: Waiver | None = waivers.filter(experiment=experiment, check_id=check_id).first()
    if waiver is None:
        raise Missing("waiver that stands, of", check_id)
    waiver.withdrawn_at, waiver.withdrawn_by = clock.now(experiment.workspace), membership.person
    waiver.withdrawn_because = said
    waiver.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
    audit.record(
        workspace=experiment.workspace,
        actor=membership.person.email,
        action="withdraw waiver",
        subject=f"{experiment.key}: {check_id}",
        before={"check": check_id, "reason": waiver.reason},
        after={"check": check_id, "reason": said},
    )
    enqueue_analysis(experiment=experiment, as_of=waiver.withdrawn_at, because=f"{_numbered(waiver)} withdrawn")
    return waiver


def _reason(reason: str) -> str:
    said = " ".join(reason.split())
    if not SHORTEST <= len(said) <= LONGEST:
        raise Refusal("no-reason", f"Say why in {SHORTEST} to {LONGEST} characters.", "/reason")
    return said


def _numbered(waiver: Waiver) -> str:
    """Name a waiver among those of its check, so that what is asked for because of it is asked for once."""
    given = Waiver.objects.within(waiver.workspace).filter(experiment=waiver.experiment, check_id=waiver.check_id)
    return f"waiver {given.count()} of {waiver.check_id}"


def check_may_waive(experiment: Experiment, membership: Membership) -> None:
    """Refuse whoever answers for the experiment, or may change nothing here."""
    person, owner = membership.person, ((experiment.plan or {}).get("case") or {}).get("owner", "")
    agreement = experiment.agreements.order_by("-version").first()
    business = agreement and agreement.signatures.filter(signs_for=SignsFor.BUSINESS, person=person).exists()
    if membership.workspace_id != experiment.workspace_id or not membership.may("analyst"):
        raise Refusal("may-not-waive", f"{person} may waive nothing in this workspace.")
    if business or owner.strip().casefold() in (person.name.casefold(), person.email.casefold()):
        raise Refusal("may-not-waive", f"{person} answers for {experiment.key}; somebody else must waive its checks.")


def waivable(experiment: Experiment, membership: Membership) -> list[str]:
    """Blocking checks that failed in the newest analysis and that this member may waive."""
    try:
        check_may_waive(experiment, membership)
    except Refusal:
        return []
    analysis = newest_analysis(experiment)
    found = analysis.document["checks"] if analysis else []
    return [check["id"] for check in found if blocks(check) and not check.get("waiver") and check["id"] not in NEVER]


def withdrawable(experiment: Experiment, membership: Membership) -> list[str]:
    """Checks whose waiver stands and that this member may withdraw."""
    try:
        check_may_waive(experiment, membership)
    except Refusal:
        return []
    standing = Waiver.objects.within(experiment.workspace).standing().filter(experiment=experiment)
    return list(standing.values_list("check_id", flat=True))


def blocks(check: dict[str, Any]) -> bool:
    return check["severity"] == "block" and not check["passed"]


def heeded(checks: list[dict[str, Any]], waivers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The checks, with the waiver of each that failed and has one, and with those that were withdrawn."""
    found = {waiver["check"]: waiver for waiver in waivers if waiver["check"] not in NEVER and not _ended(waiver)}
    blocks_of = [check | {"waiver": found.get(check["id"]) if blocks(check) else None} for check in checks]
    ended = [waiver for waiver in waivers if _ended(waiver)]
    return [check | _withdrawn(check["id"], ended) for check in blocks_of]


def _withdrawn(check_id: str, ended: list[dict[str, Any]]) -> dict[str, Any]:
    of_check = [waiver for waiver in ended if waiver["check"] == check_id]
    return {"withdrawn": of_check} if of_check else {}


def _ended(waiver: dict[str, Any]) -> bool:
    return "withdrawn" in waiver


def frozen_waivers(experiment: Experiment) -> list[dict[str, Any]]:
    """The waivers of an experiment, as a snapshot keeps them; of one that was withdrawn, by whom and why."""
    given = Waiver.objects.within(experiment.workspace).filter(experiment=experiment)
    return [
        _frozen(one) for one in given.select_related("person", "withdrawn_by").order_by("check_id", "waived_at", "pk")
    ]


def _frozen(waiver: Waiver) -> dict[str, Any]:
    said = {
        "check": waiver.check_id,
        "name": waiver.person.name,
        "reason": waiver.reason,
        "at": waiver.waived_at.isoformat(),
    }
    if waiver.withdrawn_at is None or waiver.withdrawn_by is None:
        return said
    ended = {
        "name": waiver.withdrawn_by.name,
        "reason": waiver.withdrawn_because,
        "at": waiver.withdrawn_at.isoformat(),
    }
    return said | {"withdrawn": ended}
