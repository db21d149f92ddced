"""Checks that decide whether a figure may be shown: one function each, all in one list.

Each returns a finding or nothing. ``block`` withholds the figure, ``warn`` is printed on its face, ``info``
is told. A finding carries numbers, not sentences; ``impact.figures`` says it in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from impact.analysis.checks.doing import executed_as_drawn, overrides_at_random
from impact.analysis.checks.draws import (
    draws_replayed,
    propensity_logged,
    sample_ratio_by_stratum,
    sample_ratio_overall,
)
from impact.analysis.checks.evidence import Evidence, Finding
from impact.analysis.checks.harm import effect_lasts, guardrails_hold, phases_agree, strata_unharmed
from impact.analysis.checks.money import (
    assumptions_hold,
    cost_booked,
    cost_categories,
    cost_varies,
    driver_and_money,
    driver_and_money_by_segment,
    few_rows_decide,
    loss_cap,
)
from impact.analysis.checks.rows import (
    agreed_before,
    clusters_enough,
    covariates_balanced,
    feeds_complete,
    forced_left_out,
    mature_rows,
    missing_alike,
)
from impact.analysis.checks.spending import incentive_leaks, spent_without_effect

CHECKS: tuple[Callable[[Evidence], Finding | None], ...] = (
    mature_rows,
    feeds_complete,
    sample_ratio_overall,
    sample_ratio_by_stratum,
    propensity_logged,
    draws_replayed,
    executed_as_drawn,
    overrides_at_random,
    missing_alike,
    clusters_enough,
    covariates_balanced,
    driver_and_money,
    driver_and_money_by_segment,
    assumptions_hold,
    cost_booked,
    cost_categories,
    cost_varies,
    few_rows_decide,
    incentive_leaks,
    spent_without_effect,
    guardrails_hold,
    loss_cap,
    strata_unharmed,
    phases_agree,
    effect_lasts,
    forced_left_out,
    agreed_before,
)


def run_checks(seen: Evidence) -> list[dict[str, Any]]:
    return [finding.block() for check in CHECKS if (finding := check(seen)) is not None]
