"""What the pages show, read in a number of queries that rows don't raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Prefetch, Subquery

from experiments.models import Experiment, Status
from impact.agreements.models import Agreement
from impact.agreements.plan import MONEY
from impact.analysis.models import Analysis, Check, Estimate, Level
from impact.figures.forest import Bar
from impact.figures.forms import Forms, decimals_for
from impact.figures.interval import interval, shared_axis
from impact.figures.sentences import arm_word, check_title, level_word, metric_amount
from workspaces.models import Job, Membership, Workspace


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
    mature: str


def experiment_rows(workspace: Workspace, language: str) -> list[Row]:
    """Every experiment, newest first: a row for each arm that was compared, all totals on one axis."""
    experiments = _with_newest_analysis(workspace)
    found = [(experiment, one) for experiment in experiments for one in _comparisons(experiment)]
    axis = shared_axis([total for _, (_, _, total) in found if total])
    forms = Forms(language)
    rows = []
    for experiment in experiments:
        compared = [one for owner, one in found if owner is experiment]
        names = {arm.key: arm_word(str(arm), language) for arm in experiment.arms.all()}
        baseline = next((names[arm.key] for arm in experiment.arms.all() if arm.is_baseline), "")
        analysis = _newest(experiment)
        mature = forms.percent(analysis.mature / analysis.assigned) if analysis and analysis.assigned else ""
        if not compared:
            level = Level.WITHHELD if analysis else ""
            word = level and level_word(level, language)
            rows.append(Row(experiment, "", level, word, "", None, None, baseline, mature))
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
                )
            )
    return rows


def waiting_for(membership: Membership, language: str) -> list[dict[str, Any]]:
    """What only people can settle: signatures, failed checks, failed jobs."""
    workspace = membership.workspace
    found: list[dict[str, Any]] = []
    for agreement in agreements_to_sign(membership):
        found.append({"kind": "signature", "experiment": agreement.experiment})
    failed = (
        Check.objects.within(workspace)
        .filter(severity="block", passed=False, analysis__pk__in=Subquery(_newest_analyses(workspace)))
        .select_related("analysis__experiment")
        .order_by("analysis__experiment__key", "check_id")
    )
    found += [
        {"kind": "check", "experiment": check.analysis.experiment, "text": check_title(check.check_id, language)}
        for check in failed
    ]
    jobs = Job.objects.within(workspace).filter(state=Job.State.FAILED).order_by("-created_at")[:5]
    return found + [{"kind": "job", "job": job} for job in jobs]


def agreements_to_sign(membership: Membership) -> list[Agreement]:
    """Newest agreements of drafts that this member's name is still missing under."""
    if not membership.signs_for:
        return []
    newest = Agreement.objects.filter(experiment=OuterRef("experiment")).order_by("-version").values("version")[:1]
    return list(
        Agreement.objects.within(membership.workspace)
        .filter(experiment__status=Status.DRAFT, version=Subquery(newest))
        .exclude(signatures__signs_for=membership.signs_for)
        .exclude(signatures__person=membership.person)
        .select_related("experiment")
        .order_by("experiment__key")
    )


def newest_agreement(experiment: Experiment) -> Agreement | None:
    return experiment.agreements.prefetch_related("signatures__person").order_by("-version").first()


def newest_final_document(workspace: Workspace) -> Analysis | None:
    """The newest analysis there is, final ones first: what the home page opens with."""
    return (
        Analysis.objects.within(workspace)
        .filter(pk__in=Subquery(_newest_analyses(workspace)))
        .select_related("experiment")
        .order_by("-final", "experiment__origin", "-as_of", "-created_at")
        .first()
    )


def _newest_analyses(workspace: Workspace) -> Any:
    newest = Analysis.objects.filter(experiment=OuterRef("pk")).order_by("-as_of", "-created_at").values("pk")[:1]
    return Experiment.objects.within(workspace).annotate(newest=Subquery(newest)).values("newest")


def _with_newest_analysis(workspace: Workspace) -> list[Experiment]:
    analyses = (
        Analysis.objects.within(workspace)
        .filter(pk__in=Subquery(_newest_analyses(workspace)))
        .defer("document")
        .prefetch_related("estimates", "verdicts")
    )
    return list(
        Experiment.objects.within(workspace)
        .prefetch_related("arms__action", Prefetch("analyses", queryset=analyses, to_attr="newest"))
        .order_by("-created_at", "key")
    )


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
