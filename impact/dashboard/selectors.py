"""What the pages show, read in a number of queries that rows don't raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, Prefetch, Subquery

from experiments.models import Experiment, Status
from impact.agreements.models import Agreement
from impact.agreements.plan import MONEY
from impact.analysis.models import Analysis, Estimate, Level
from impact.figures.forest import Bar
from impact.figures.forms import Forms, decimals_for
from impact.figures.home import next_text
from impact.figures.interval import interval, shared_axis
from impact.figures.sentences import arm_word, level_word, metric_amount
from workspaces import clock
from workspaces.models import Workspace

EXPERIMENTS = 30
EXPERIMENTS_AT_HOME = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One arm of one experiment on the list."""

    experiment: Experiment
    arm: str
    level: str
    word: str
    effect: str
    total: dict[str, str] | None
    bar: dict[str, Any] | None
    compared_with: str
    mature: dict[str, Any] | None
    next: str


def experiments_shown(workspace: Workspace, number: str | None = None, most: int = EXPERIMENTS) -> Page[Any]:
    """So many experiments with their newest analyses, newest first; a page that isn't there is the nearest that is."""
    analyses = (
        Analysis.objects.within(workspace)
        .filter(pk__in=Subquery(newest_analyses(workspace)))
        .defer("document")
        .prefetch_related("estimates", "verdicts")
    )
    found = (
        Experiment.objects.within(workspace)
        .prefetch_related("arms__action", Prefetch("analyses", queryset=analyses, to_attr="newest"))
        .order_by("-created_at", "key")
    )
    return Paginator(found, most).get_page(number)


def experiment_rows(workspace: Workspace, experiments: Sequence[Experiment], language: str) -> list[Row]:
    """A row for each arm that was compared, all totals on one axis."""
    found = [(experiment, one) for experiment in experiments for one in _comparisons(experiment)]
    axis = shared_axis([total for _, (_, _, total) in found if total])
    forms, now = Forms(language), clock.now(workspace)
    rows = []
    for experiment in experiments:
        compared = [one for owner, one in found if owner is experiment]
        names = {arm.key: arm_word(str(arm), language) for arm in experiment.arms.all()}
        baseline = next((names[arm.key] for arm in experiment.arms.all() if arm.is_baseline), "")
        analysis = _newest(experiment)
        mature = _maturity(analysis, forms) if analysis and analysis.assigned else None
        following = next_text(*next_date(experiment, analysis, now), workspace.time_zone, language)
        if not compared:
            level = Level.WITHHELD if analysis else ""
            word = level and level_word(level, language)
            rows.append(Row(experiment, "", level, word, "", None, None, baseline, mature, following))
        for arm, bar, total in compared:
            currency = workspace.currency if total else None
            rows.append(
                Row(
                    experiment,
                    names.get(arm, arm),
                    bar.level,
                    level_word(bar.level, language),
                    _effect_text(experiment, bar, currency, forms),
                    _total_text(total, workspace.currency, forms) if total else None,
                    interval(total, axis) if total else None,
                    baseline,
                    mature,
                    following,
                )
            )
    return rows


def next_date(experiment: Experiment, analysis: Analysis | None, now: datetime) -> tuple[str, datetime | None]:
    """What happens next to an experiment, and when: a code and a day."""
    if not experiment.is_live:
        return "", None
    if experiment.status in (Status.DRAFT, Status.AGREED, Status.PAUSED, Status.ABORTED):
        return str(experiment.status), None
    if analysis and analysis.final:
        return "final", analysis.as_of
    over = experiment.closed_at or experiment.enrolment_until
    if over is None or over > now:
        return ("enrolling", over) if over else ("open", None)
    return "maturing", over + timedelta(days=experiment.horizon_days)


def newest_agreement(experiment: Experiment) -> Agreement | None:
    return experiment.agreements.prefetch_related("signatures__person").order_by("-version").first()


def newest_analyses(workspace: Workspace) -> Any:
    newest = Analysis.objects.filter(experiment=OuterRef("pk")).order_by("-as_of", "-created_at").values("pk")[:1]
    return Experiment.objects.within(workspace).annotate(newest=Subquery(newest)).values("newest")


def _maturity(analysis: Analysis, forms: Forms) -> dict[str, Any]:
    share = analysis.mature / analysis.assigned
    return {"share": round(100 * share, 1), "text": forms.percent(share)}


def _newest(experiment: Any) -> Analysis | None:
    return experiment.newest[0] if experiment.newest else None


def _comparisons(experiment: Experiment) -> list[tuple[str, Bar, Bar | None]]:
    """(arm, effect, total in money) of the decisive figure of every arm, unless it is withheld."""
    analysis = _newest(experiment)
    if analysis is None:
        return []
    levels = {verdict.arm: verdict.level for verdict in analysis.verdicts.all() if not verdict.overall}
    baseline = next((arm.key for arm in experiment.arms.all() if arm.is_baseline), "")
    estimates = [one for one in analysis.estimates.all() if one.baseline == baseline and one.effect is not None]
    money = any(one.metric == MONEY for one in estimates)
    primary = MONEY if money else _primary(experiment).get("key", "")
    return [
        (one.arm, _bar(one, levels[one.arm], 1), _bar(one, levels[one.arm], one.rows) if money else None)
        for one in estimates
        if one.metric == primary and levels.get(one.arm, Level.WITHHELD) != Level.WITHHELD
    ]


def _primary(experiment: Experiment) -> dict[str, Any]:
    metrics: Sequence[dict[str, Any]] = (experiment.plan or {}).get("metrics", [])
    return next((metric for metric in metrics if metric["role"] == "primary"), {})


def _bar(estimate: Estimate, level: str, rows: int) -> Bar:
    """The estimate, for one row or for many."""
    assert estimate.effect is not None
    assert estimate.low is not None
    assert estimate.high is not None
    return Bar(estimate.arm, level, rows * estimate.effect, rows * estimate.low, rows * estimate.high)


def _effect_text(experiment: Experiment, bar: Bar, currency: str | None, forms: Forms) -> str:
    """The effect in its unit with its range; proportions in points."""
    metric = _primary(experiment)
    scale = 100 if not currency and metric["kind"] == "proportion" else 1
    low, high = scale * bar.low, scale * bar.high
    decimals = decimals_for(low, high, currency)
    if currency:
        effect = forms.money(bar.effect, currency, decimals, signed=True)
    else:
        effect = metric_amount(bar.effect, metric, forms, decimals, signed=True)
    return f"{effect} ({forms.span(forms.number(low, decimals), forms.number(high, decimals))})"


def _total_text(bar: Bar, currency: str, forms: Forms) -> dict[str, str]:
    return {
        "effect": forms.money(bar.effect, currency, 0, signed=True),
        "range": forms.span(forms.number(bar.low), forms.number(bar.high)),
    }
