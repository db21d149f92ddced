"""What decisions hold of units, before and after it is stored: episodes and assignments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from experiments.models import Arm
from experiments.setup import Running


@dataclass(slots=True)
class Episodes:
    """How many a unit, or its cluster, had at a decision point: see ``EpisodeCounter``."""

    number: int = 0
    opened_at: datetime | None = None
    revision: int = 0


@dataclass(slots=True, eq=False)
class Assigned:
    """A unit's arm: see ``Assignment``. A new one has no arm until it is drawn; a stored one says no more than this."""

    id: str
    running: Running
    phase: str
    arm: Arm | None = None
    randomization_key: str = ""
    occasion: int = 0
    stratum: str = ""
    propensity: float = 0.0
    draw: int | None = None
