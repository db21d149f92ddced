"""Letting a figure be shown although a blocking check failed: by a named person, with a reason for all to read."""

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
    said = " ".join(reason.split())
    if not SHORTEST <= len(said) <= LONGEST:
        raise Refusal("no-reason", f"Say why in {SHORTEST} to {LONGEST} characters.", "/reason")
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
    enqueue_analysis(experiment=experiment, as_of=now, because=f"{check_id} was waived")
    return waiver


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


def blocks(check: dict[str, Any]) -> bool:
    return check["severity"] == "block" and not check["passed"]


def heeded(checks: list[dict[str, Any]], waivers: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The checks, with the waiver of each that failed and has one."""
    found = {waiver["check"]: waiver for waiver in waivers if waiver["check"] not in NEVER}
    return [check | {"waiver": found.get(check["id"]) if blocks(check) else None} for check in checks]


def frozen_waivers(experiment: Experiment) -> list[dict[str, str]]:
    """The waivers of an experiment, as a snapshot keeps them."""
    given = Waiver.objects.within(experiment.workspace).filter(experiment=experiment).select_related("person")
    return [
        {"check": one.check_id, "name": one.person.name, "reason": one.reason, "at": one.waived_at.isoformat()}
        for one in given.order_by("check_id")
    ]
