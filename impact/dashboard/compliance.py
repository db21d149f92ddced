"""What was really done about an experiment's decisions, arm by arm; counted by the database, whatever their number."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, Subquery

from experiments.models import Action, Arm, Decision, DecisionPoint, Execution, Experiment, Mode
from impact.figures.forms import Forms
from impact.figures.sentences import arm_word
from impact.figures.words.codes import word

State = Execution.State
# whoever answered was reached
REACHED = (State.DELIVERED, State.ACCEPTED, State.DECLINED)
# with more keys than this, counting takes longer than a page may
MANY = 10_000
# nothing was to be done, and nothing was reported
IDLE = "idle"
FORCED = (Mode.FORCED_CAPACITY, Mode.FORCED_SAFETY, Mode.MANUAL, Mode.FALLBACK, Mode.HOLDOUT)


class Share(NamedTuple):
    """So many, and which share that is of how many."""

    number: str
    share: str


class Override(NamedTuple):
    """What was done instead of an arm, about how many decisions, by how many actors."""

    action: str
    decisions: str
    actors: str


class ArmDone(NamedTuple):
    """One arm: its decisions, and what became of them. Answers are shares of what was delivered."""

    arm: Arm
    name: str
    decisions: str
    delivered: Share
    accepted: Share
    declined: Share
    overridden: Share
    failed: Share
    activated: Share
    silent: Share | None
    overrides: list[Override]


def compliance(experiment: Experiment, language: str) -> dict[str, Any] | None:
    """What was done, and what was never drawn; None where nothing was decided here."""
    if not experiment.is_live or experiment.started_at is None:
        return None
    done, overrides = _done(experiment), _overrides(experiment, language)
    forms = Forms(language)
    forced = [{"mode": word(mode, language), "count": forms.number(n)} for mode, n in _forced(experiment)]
    arms = experiment.arms.select_related("action")
    return {
        "arms": [_arm_done(arm, done[arm.key], overrides[arm.key], forms) for arm in arms],
        "activated": any(counts[State.ACTIVATED] for counts in done.values()),
        "forced": forced,
    }


def takes_long(experiment: Experiment) -> bool:
    return bool(experiment.assignments.order_by()[MANY : MANY + 1].exists())


def _done(experiment: Experiment) -> dict[str, Counter[str]]:
    """Decisions of each arm by their newest execution; one that was overridden once stays overridden."""
    newest = Execution.objects.filter(decision=OuterRef("pk")).order_by("-occurred_at", "-pk").values("status")[:1]
    overridden = Execution.objects.filter(decision=OuterRef("pk"), status=State.OVERRIDDEN)
    counted = (
        Decision.objects.filter(assignment__experiment=experiment, mode=Mode.RANDOMIZED)
        .annotate(overridden=Exists(overridden), newest=Subquery(newest))
        .values_list("assignment__arm__key", "action__no_action", "overridden", "newest")
        .annotate(count=Count("pk"))
        .order_by()
    )
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for arm, idle, was_overridden, status, count in counted:
        silent = IDLE if idle else ""
        found[arm][State.OVERRIDDEN if was_overridden else status or silent] += count
    return found


def _overrides(experiment: Experiment, language: str) -> dict[str, list[Override]]:
    """What was done instead, most often first; the last word about a decision counts."""
    forms, found = Forms(language), defaultdict(list)
    names = dict(Action.objects.within(experiment.workspace).current().values_list("key", "name"))
    overridden = Execution.objects.filter(status=State.OVERRIDDEN)
    later = overridden.filter(decision=OuterRef("decision")).filter(
        Q(occurred_at__gt=OuterRef("occurred_at")) | Q(occurred_at=OuterRef("occurred_at"), pk__gt=OuterRef("pk"))
    )
    counted = (
        overridden.filter(~Exists(later), decision__assignment__experiment=experiment, decision__mode=Mode.RANDOMIZED)
        .values_list("decision__assignment__arm__key", "executed_action")
        .annotate(decisions=Count("pk"), actors=Count("actor", distinct=True))
        .order_by("-decisions", "executed_action")
    )
    for arm, action, decisions, actors in counted:
        found[arm].append(Override(names.get(action, action), forms.number(decisions), forms.number(actors)))
    return found


def _forced(experiment: Experiment) -> list[tuple[str, int]]:
    """Decisions at the experiment's point, since its start and until its end, that nothing was drawn for."""
    assert experiment.decision_point is not None
    versions = DecisionPoint.objects.within(experiment.workspace).filter(key=experiment.decision_point.key)
    decisions = Decision.objects.filter(
        decision_point__in=list(versions), decided_at__gte=experiment.started_at, mode__in=FORCED
    )
    if experiment.closed_at:
        decisions = decisions.filter(decided_at__lt=experiment.closed_at)
    counted = dict(decisions.values_list("mode").annotate(count=Count("pk")).order_by())
    return [(mode, counted[mode]) for mode in FORCED if mode in counted]


def _arm_done(arm: Arm, counts: Counter[str], overrides: list[Override], forms: Forms) -> ArmDone:
    whole, reached = counts.total(), sum(counts[state] for state in REACHED)

    def share(count: int, of: int = whole) -> Share:
        return Share(forms.number(count), forms.percent(count / of, 1) if count else "")

    nothing_to_do = (whole > 0 and counts[IDLE] == whole) or bool(arm.action and arm.action.no_action)
    return ArmDone(
        arm=arm,
        name=arm_word(str(arm), forms.language),
        decisions=forms.number(whole),
        delivered=share(reached),
        accepted=share(counts[State.ACCEPTED], reached),
        declined=share(counts[State.DECLINED], reached),
        overridden=share(counts[State.OVERRIDDEN]),
        failed=share(counts[State.FAILED] + counts[State.EXPIRED]),
        activated=share(counts[State.ACTIVATED]),
        silent=None if nothing_to_do else share(counts[""]),
        overrides=overrides,
    )
