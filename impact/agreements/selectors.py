"""What pages read of agreements."""

from __future__ import annotations

from typing import Any

from impact.agreements.models import Agreement
from workspaces.models import Workspace


def newest_agreements(workspace: Workspace) -> list[Agreement]:
    """The newest agreement of each experiment, by the experiment's key."""
    newest: dict[Any, Agreement] = {}
    for agreement in Agreement.objects.within(workspace).select_related("experiment").order_by("version"):
        newest[agreement.experiment_id] = agreement
    return sorted(newest.values(), key=lambda one: one.experiment.key)
