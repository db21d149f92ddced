"""Salts: each serves one purpose in its workspace, whatever that is."""

from __future__ import annotations

import secrets

from experiments.models import Experiment, Holdout, Policy
from workspaces.errors import Refusal
from workspaces.models import Workspace

PURPOSES = ((Experiment, "salt"), (Experiment, "traffic_salt"), (Holdout, "salt"), (Policy, "salt"))


def new_salt() -> str:
    return secrets.token_hex(16)


def check_own(workspace: Workspace, *salts: str) -> None:
    """Refuse salts that something else is drawn with: two draws by one salt are one draw."""
    for model, name in PURPOSES:
        taken = model.objects.within(workspace).filter(**{f"{name}__in": salts}).first()
        if taken:
            raise Refusal(
                "in-use",
                f"salt == {getattr(taken, name)!r} is the salt of {taken.key}; leave it out to have one drawn",
                "/salt",
            )
