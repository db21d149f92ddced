"""Claims held against the global holdout: what all programmes on a population are claimed and measured to bring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from impact.analysis.queue import enqueue_holdout
from impact.analysis.selectors import newest_holdout_effects
from impact.figures.holdout import held_sentences
from impact.reports.models import BenefitClaim
from impact.reports.selectors import claims_on
from workspaces import clock
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Held:
    """The sum of the claims on one population, and the newest that its global holdout measured, if it was asked."""

    population: str
    amount: Decimal
    content: dict[str, Any] | None

    @property
    def exceeds(self) -> bool:
        """Whether more is claimed than the upper 95 % limit of what is measured."""
        measured = self.content is not None and self.content["status"] == "measured"
        return measured and self.amount > Decimal(repr(self.content["year_ci"][1]))  # type: ignore[index]

    def sentences(self, workspace: Workspace, language: str) -> list[str]:
        return held_sentences(self.population, self.amount, self.content, self.exceeds, language, workspace.time_zone)


def held_claims(workspace: Workspace, counting: Iterable[BenefitClaim]) -> list[Held]:
    """Hold these claims against the global holdout, population by population."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for claim in counting:
        sums[claim.population] += claim.amount
    measured = newest_holdout_effects(workspace) if sums else {}
    return [
        Held(population, amount, measured[population].content if population in measured else None)
        for population, amount in sorted(sums.items())
    ]


def enqueue_holdouts(workspace: Workspace) -> None:
    """Ask what the holdouts of claimed populations measure up to last midnight, from the day their claims begin."""
    zone = ZoneInfo(workspace.time_zone)
    day = clock.now(workspace).astimezone(zone).date()
    begins: dict[str, date] = {}
    for claim in claims_on(workspace, day):
        begins[claim.population] = min(claim.from_on, begins.get(claim.population, claim.from_on))
    for population, begin in begins.items():
        enqueue_holdout(
            workspace=workspace,
            population=population,
            since=datetime.combine(begin, time(), zone),
            as_of=datetime.combine(day, time(), zone),
        )


def enqueue_due_holdouts() -> None:
    """Once a day, where something is claimed."""
    claimed = BenefitClaim.objects.filter(status=BenefitClaim.Status.CLAIMED).values("workspace")
    for workspace in Workspace.objects.filter(pk__in=claimed):
        enqueue_holdouts(workspace)
