"""Signing an agreement, and starting the experiment that it is about."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from django.db import IntegrityError, transaction

from experiments.models import Experiment, Status
from experiments.services import lifecycle
from impact.agreements.before_start import Draft, Foreseen, look_before_start
from impact.agreements.design import design_of
from impact.agreements.models import Agreement, Signature
from impact.agreements.plan import from_content
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import Membership
from workspaces.models.people import SignsFor
from workspaces.services import audit


@transaction.atomic
def sign(*, agreement: Agreement, membership: Membership, sha256: str) -> Signature:
    """Put a person's name under what they saw; the third name makes the experiment agreed.

    ``sha256`` is the digest on the page that was signed, so nobody signs what changed meanwhile.
    """
    experiment = Experiment.objects.select_for_update().get(pk=agreement.experiment_id)
    newest = experiment.agreements.order_by("-version").first()
    if membership.workspace_id != agreement.workspace_id or not membership.signs_for:
        raise Refusal("may-not-sign", f"{membership.person} signs for nobody in this workspace.")
    if newest != agreement or agreement.sha256 != sha256:
        raise Refusal("agreement-changed", "The agreement changed since this page was opened; read it again.")
    if experiment.status != Status.DRAFT:
        raise Refusal("wrong-status", f"{experiment.key} is {experiment.status}; only a draft can be signed.")
    if changed := _changed(agreement, experiment):
        raise Refusal(
            "agreement-changed",
            f"The {changed} of {experiment.key} aren't those of the agreement any more; declare the agreement anew.",
        )
    try:
        with transaction.atomic():
            signature = Signature.objects.create(
                workspace=agreement.workspace,
                agreement=agreement,
                person=membership.person,
                signs_for=membership.signs_for,
                signed_at=clock.now(agreement.workspace),
            )
    except IntegrityError as error:
        raise Refusal(
            "signed-already",
            f"It is signed for {membership.signs_for} already, or by you; three people sign once each.",
        ) from error
    audit.record(
        workspace=agreement.workspace,
        actor=membership.person.email,
        action=f"sign agreement for {membership.signs_for}",
        subject=f"{experiment.key} version {agreement.version}",
        after=agreement.sha256,
    )
    if Signature.objects.filter(agreement=agreement).count() == len(SignsFor):
        lifecycle.change_status(experiment=experiment, step="agree", actor=membership.person.email)
    return signature


@transaction.atomic
def start_experiment(*, experiment: Experiment, actor: str) -> Experiment:
    """Start an experiment from its newest agreement, if that bears its three names unchanged."""
    agreement = experiment.agreements.order_by("-version").first()
    if agreement is None:
        raise Refusal("no-agreement", f"{experiment.key} has no agreement; declare one and have it signed.")
    against = obstacles(agreement, experiment)
    if against.unsigned:
        missing = ", ".join(against.unsigned)
        raise Refusal("no-agreement", f"{experiment.key} can't start: signatures for {missing} are missing.")
    if against.altered:
        raise Refusal("no-agreement", f"{experiment.key} can't start: its agreement was altered after it was signed.")
    if against.changed:
        raise Refusal(
            "no-agreement",
            f"{experiment.key} can't start: its {against.changed} aren't those that were signed; "
            "declare a new experiment.",
        )
    if against.failed:
        failed = ", ".join(f"{one.id} {dict(one.numbers)}" for one in against.failed)
        raise Refusal("check-failed", f"{experiment.key} can't start: {failed}; mend the agreement and sign it anew.")
    return lifecycle.start_experiment(
        experiment=experiment, plan=agreement.content, plan_sha256=agreement.sha256, actor=actor
    )


class Obstacles(NamedTuple):
    """What keeps an experiment from starting: names missing, altered content, another design, blocking checks."""

    unsigned: list[str]
    altered: bool
    changed: str
    failed: list[Foreseen]


def obstacles(agreement: Agreement, experiment: Experiment) -> Obstacles:
    """Say everything that keeps an experiment from starting from an agreement."""
    signed = {signature.signs_for for signature in agreement.signatures.all()}
    return Obstacles(
        sorted(set(SignsFor.values) - signed),
        digest(agreement.content) != agreement.sha256,
        _changed(agreement, experiment),
        [one for one in foreseen(agreement, experiment) if one.severity == "block" and not one.passed],
    )


def foreseen(agreement: Agreement, experiment: Experiment) -> list[Foreseen]:
    """Look at a plan before anybody signs it, and again before it starts."""
    return look_before_start(Draft(from_content(agreement.content), experiment, clock.now(experiment.workspace)))


def _changed(agreement: Agreement, experiment: Experiment) -> str:
    """Name what of the experiment's design isn't as the agreement says."""
    design = msgspec.to_builtins(design_of(experiment))
    return ", ".join(name for name, now in design.items() if now != agreement.content.get(name))
