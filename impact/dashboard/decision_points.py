"""Decision points: the list, and for one of them how a prediction becomes a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Max, OuterRef, Q, Subquery

from experiments.models import Action, Decision, DecisionPoint, Experiment, Holdout, Mode, Policy, Status
from impact.dashboard.week import Week, week_of
from impact.figures.forms import Forms
from impact.figures.rules import rule_in_words
from impact.figures.words.codes import word
from workspaces import clock
from workspaces.errors import Missing
from workspaces.models import Workspace

FORCED = (Mode.FORCED_SAFETY, Mode.HOLDOUT, Mode.FORCED_CAPACITY, Mode.MANUAL, Mode.FALLBACK)
RUNNING = (Status.RUNNING, Status.PAUSED)
PPM = 1_000_000


def decision_points(workspace: Workspace) -> list[dict[str, Any]]:
    """The current version of each, with what runs there and when something was decided last."""
    newest = Decision.objects.filter(decision_point=OuterRef("pk")).order_by("-decided_at").values("decided_at")[:1]
    versions = DecisionPoint.objects.within(workspace).annotate(newest=Subquery(newest))
    last = dict(versions.values_list("key").annotate(last=Max("newest")).order_by())
    running: dict[str, list[Experiment]] = {}
    found = Experiment.objects.within(workspace).filter(status__in=RUNNING).select_related("decision_point")
    for one in found.order_by("started_at", "key"):
        if one.decision_point:
            running.setdefault(one.decision_point.key, []).append(one)
    names = action_names(workspace)
    return [
        {
            "point": point,
            "candidates": [names.get(key, key) for key in point.candidates],
            "experiments": running.get(point.key, []),
            "last": last[point.key],
        }
        for point in DecisionPoint.objects.within(workspace).current().select_related("model").order_by("key")
    ]


def decision_point_named(workspace: Workspace, key: str) -> DecisionPoint:
    points = DecisionPoint.objects.within(workspace).current().select_related("model")
    found: DecisionPoint | None = points.filter(key=key).first()
    if found is None:
        raise Missing("decision point", key)
    return found


def decision_point_page(workspace: Workspace, key: str, language: str) -> dict[str, Any]:
    """What is decided there by which rules, and what seven days of it brought."""
    point, forms = decision_point_named(workspace, key), Forms(language)
    known = action_names(workspace)
    names = {one: known[one] for one in point.candidates} | known
    week = week_of(workspace, key)
    policies = list(Policy.objects.within(workspace).current().filter(decision_point=key).order_by("key"))
    return {
        "point": point,
        "baseline": names[point.baseline],
        "candidates": [names[one] for one in point.candidates],
        "rules": [
            {
                "text": rule_in_words(rule["rule"], language),
                "declared": rule["rule"],
                "reason": rule["reason"],
                "actions": [names.get(one, one) for one in rule["actions"]],
            }
            for rule in point.eligibility
        ],
        "safety": point.safety and {"above": point.safety["above"], "action": names[point.safety["action"]]},
        "holdouts": _holdouts(workspace, point, forms),
        "policies": policies,
        "week": _week(week, names, forms),
        "flow": _flow(workspace, week, names, policies, forms),
        "by_mode": by_mode(week, names, forms),
        "whys": _whys(week, names, forms),
        "would_have": would_have(week, names, policies, forms),
    }


def action_names(workspace: Workspace) -> dict[str, str]:
    return dict(Action.objects.within(workspace).current().order_by("key").values_list("key", "name"))


def by_mode(week: Week, names: Mapping[str, str], forms: Forms) -> dict[str, Any]:
    """The week's decisions as a table: a row for each mode, a column for each action."""
    actions = _actions(week.by("action"), names)
    counts = week.by("mode", "action")
    rows = [
        {
            "mode": word(mode, forms.language),
            "cells": [(names.get(one, one), forms.number(counts[mode, one])) for one in actions],
            "total": forms.number(total),
        }
        for mode, total in week.by("mode").most_common()
    ]
    return {"actions": [names.get(one, one) for one in actions], "rows": rows}


def would_have(week: Week, names: Mapping[str, str], policies: list[Policy], forms: Forms) -> dict[str, Any]:
    """What was done, and beside it what each registered policy would have done about the same decisions."""
    asked = week.would_have()
    versions = [(policy, f"{policy.key}@{policy.version}") for policy in policies]
    shown = [(policy, *asked[version]) for policy, version in versions if version in asked]
    done = week.by("action")
    actions = _actions({**done, **{action: 0 for _, _, taken in shown for action in taken}}, names)

    def cells(taken: Mapping[str, float], whole: int) -> list[tuple[str, str]]:
        return [(names.get(one, one), forms.percent(taken.get(one, 0) / whole, 1)) for one in actions]

    return {
        "actions": [names.get(one, one) for one in actions],
        "done": cells(done, week.total()) if done else [],
        "total": forms.number(week.total()),
        "rows": [
            {"policy": policy, "decisions": forms.number(count), "cells": cells(taken, count)}
            for policy, count, taken in shown
        ],
    }


def _week(week: Week, names: Mapping[str, str], forms: Forms) -> dict[str, Any]:
    return {
        "until": week.until,
        "is_last": week.is_last,
        "any": bool(week.alike),
        "total": forms.number(week.total()),
        "with_choice": forms.number(week.total(one for one in week.alike if one.has_choice)),
        "randomized": forms.number(week.by("mode")[Mode.RANDOMIZED]),
        "forced": forms.number(sum(week.by("mode")[mode] for mode in FORCED)),
    }


def _flow(
    workspace: Workspace, week: Week, names: Mapping[str, str], policies: list[Policy], forms: Forms
) -> list[dict[str, Any]]:
    """The steps from prediction to action: how many go on, and what becomes of the others."""
    modes, language = week.by("mode"), forms.language
    experiments = dict(Experiment.objects.within(workspace).values_list("key", "name"))
    champion = next((policy.key for policy in policies if policy.role == Policy.Role.CHAMPION), "")
    no_choice = week.total(one for one in week.alike if one.free and not one.has_choice)
    steps: list[dict[str, Any]] = [
        {
            "kind": "predictions",
            "count": forms.number(week.total()),
            "out": [(forms.number(modes[mode]), word(mode, language)) for mode in FORCED if modes[mode]],
        },
        {
            "kind": "free",
            "count": forms.number(sum(one.number for one in week.alike if one.free)),
            "no_choice": forms.number(no_choice) if no_choice else "",
            "out": [],
        },
    ]
    for key, name in [*experiments.items(), ("", "")]:
        chosen = [one for one in week.alike if one.has_choice and _drawn_in(one) == key]
        if chosen:
            actions = _counted(chosen)
            steps.append(
                {
                    "kind": "randomized" if key else "policy",
                    "key": key or champion,
                    "name": name,
                    "count": forms.number(week.total(chosen)),
                    "out": [(forms.number(actions[one]), names.get(one, one)) for one in _actions(actions, names)],
                }
            )
    return steps


def _drawn_in(one: Any) -> str:
    return str(one.experiment) if one.mode == Mode.RANDOMIZED else ""


def _counted(chosen: list[Any]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for one in chosen:
        counted[one.action] = counted.get(one.action, 0) + one.number
    return counted


def _whys(week: Week, names: Mapping[str, str], forms: Forms) -> list[dict[str, Any]]:
    """Reasons for refusing actions, most frequent first; the bar is a share of the free decisions."""
    free = sum(one.number for one in week.alike if one.free)
    return [
        {
            "reason": word(reason, forms.language),
            "actions": [names.get(one, one) for one in actions],
            "count": forms.number(count),
            "share": forms.percent(count / free, 1),
            "bar": round(100 * count / free, 2),
        }
        for (reason, actions), count in week.reasons().most_common()
    ]


def _holdouts(workspace: Workspace, point: DecisionPoint, forms: Forms) -> list[dict[str, str]]:
    now = clock.now(workspace)
    lasting = Holdout.objects.within(workspace).filter(
        Q(valid_until=None) | Q(valid_until__gt=now), unit_type=point.model.unit_type, valid_from__lte=now
    )
    return [{"key": one.key, "share": forms.percent(one.share_ppm / PPM, 1)} for one in lasting.order_by("key")]


def _actions(found: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Those that occur, in the order that actions were named."""
    return sorted(found, key=lambda key: (list(names).index(key) if key in names else len(names), key))
