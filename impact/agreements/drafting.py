"""Declaring a whole draft at once: actions, assumptions, metrics, the experiment and its agreement, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from experiments.models import Experiment, Status
from impact.agreements.declarations import DECLARATIONS as OF_AGREEMENTS
from workspaces.declarations import Change
from workspaces.errors import Refusal
from workspaces.models import Workspace
from workspaces.strict import convert


@transaction.atomic
def save_draft(
    *, workspace: Workspace, document: Mapping[str, Sequence[Mapping[str, Any]]], actor: str, anew: bool
) -> list[Change]:
    """Declare what a declarative file of this content would; ``anew`` refuses an experiment that there is.

    A refusal's pointer names the list and the place in it: ``/agreements/0/rows_per_arm``.
    """
    for one in document.get("experiments", ()):
        known = Experiment.objects.within(workspace).filter(key=one["key"]).first()
        if known and (anew or known.status != Status.DRAFT):
            raise Refusal(
                "in-use",
                f"There is an experiment {known.key} already, which is {known.status}; choose another key.",
                "/experiments/0/key",
            )
    changes = []
    for declaration in OF_AGREEMENTS:
        for place, item in enumerate(document.get(declaration.name, ())):
            try:
                changes.append(declaration.declare(workspace, convert(item, declaration.shape), actor))
            except Refusal as refusal:
                pointer = f"/{declaration.name}/{place}{refusal.pointer}"
                raise Refusal(refusal.code, refusal.detail, pointer) from refusal
    return changes
