"""Where a design begins: at a decision point, or from an experiment that is changed or cloned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from experiments.models import Action, DecisionPoint, Experiment, Policy, Status
from experiments.selectors import experiment_named
from impact.agreements.models import Agreement, Assumption, Metric
from impact.dashboard.design.arms import Candidate, candidates_of, id_of
from impact.dashboard.week import week_of
from workspaces.errors import Missing, Refusal
from workspaces.models import Workspace

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Start:
    """What a design begins with; ``net`` is none where the outcome and its value are said anew."""

    point: DecisionPoint
    actions: list[Action]
    policies: list[Policy] = field(default_factory=list)
    net: Metric | None = None
    driver: Metric | None = None
    assumption: Assumption | None = None
    # the experiment and its agreement that fields are filled from
    source: Experiment | None = None
    agreed: Mapping[str, Any] = field(default_factory=dict)
    changes: bool = False
    per_week: int = 0

    @property
    def candidates(self) -> list[Candidate]:
        """What may be an arm."""
        return candidates_of(self.point, self.actions, self.policies)

    @property
    def times(self) -> float | None:
        """Money for one unit of the driver where no assumption says it."""
        term = self.term
        return None if term is None or isinstance(term["times"], str) else float(term["times"])

    @property
    def term(self) -> Mapping[str, Any] | None:
        """The term of the net value that the driver moves."""
        if self.net is None or self.driver is None:
            return None
        outcome = self.driver.definition[0]["outcome"]
        return next((term for term in self.net.definition if term["outcome"] == outcome), None)

    @property
    def foreseeable(self) -> bool:
        """Whether the variance is known before there are rows: that of a share of the units is."""
        if self.net is None:
            return True
        return self.term is not None and self.driver is not None and self.driver.kind == Metric.Kind.PROPORTION

    @property
    def in_clusters(self) -> bool:
        """Whether whole clusters would be drawn, as by what this is made from."""
        return bool(self.source and self.source.in_clusters)

    @property
    def less_is_better(self) -> bool:
        return bool(self.driver and self.driver.direction == Metric.Direction.DECREASE)


def start_of(workspace: Workspace, asked: Mapping[str, str]) -> Start | None:
    """Read where the address begins: at an experiment, a decision point, or nowhere yet."""
    if key := asked.get("experiment") or asked.get("clone"):
        return _from_experiment(workspace, experiment_named(workspace, key), changes=bool(asked.get("experiment")))
    if not asked.get("point"):
        return None
    points = DecisionPoint.objects.within(workspace).current().select_related("model")
    point = points.filter(key=asked["point"]).first()
    if point is None:
        raise Missing("decision point", asked["point"])
    net = None
    if asked.get("measure"):
        net = _metrics(workspace).filter(key=asked["measure"], kind=Metric.Kind.NET_VALUE).first()
        if net is None:
            raise Missing("metric", asked["measure"])
    return _start(workspace, point, net)


def measures(workspace: Workspace) -> list[Metric]:
    """Net values that are declared already."""
    return list(_metrics(workspace).filter(kind=Metric.Kind.NET_VALUE).order_by("name"))


def points(workspace: Workspace) -> list[DecisionPoint]:
    return list(DecisionPoint.objects.within(workspace).current().select_related("model").order_by("key"))


def sources(workspace: Workspace) -> list[Experiment]:
    """Experiments that can be cloned: those that were agreed for money at a decision point."""
    found = Experiment.objects.within(workspace).filter(decision_point__isnull=False, agreements__isnull=False)
    return list(found.distinct().order_by("-created_at", "key"))


def _from_experiment(workspace: Workspace, source: Experiment, *, changes: bool) -> Start:
    newest: Agreement | None = source.agreements.order_by("-version").first()
    if source.decision_point is None or newest is None or not newest.content["net"]:
        raise Refusal("in-use", _("%(name)s was not agreed for money here; begin anew.") % {"name": source.name})
    if changes and source.status != Status.DRAFT:
        raise Refusal("in-use", _("%(name)s isn't a draft any more; clone it instead.") % {"name": source.name})
    terms = newest.content["net"]["value"]
    net = next((one for one in measures(workspace) if _signature(one.definition) == _signature(terms)), None)
    if net is None:
        raise Refusal(
            "in-use", _("The value of %(name)s is declared otherwise now; begin anew.") % {"name": source.name}
        )
    point = DecisionPoint.objects.within(workspace).current().filter(key=source.decision_point.key)
    start = _start(workspace, point.select_related("model").get(), net, source, newest.content, changes=changes)
    known = {one.id for one in start.candidates}
    if any(id_of(arm) not in known for arm in source.arms.select_related("action", "policy")):
        said = _("%(name)s has arms with names of their own, or that are gone; change its file instead.")
        raise Refusal("in-use", said % {"name": source.name})
    return start


def _start(
    workspace: Workspace,
    point: DecisionPoint,
    net: Metric | None,
    source: Experiment | None = None,
    agreed: Mapping[str, Any] | None = None,
    *,
    changes: bool = False,
) -> Start:
    found = {action.key: action for action in Action.objects.within(workspace).current()}
    week = week_of(workspace, point.key)
    start = Start(
        point=point,
        actions=[found[key] for key in [point.baseline, *(one for one in point.candidates if one != point.baseline)]],
        policies=list(Policy.objects.within(workspace).current().filter(decision_point=point.key).order_by("key")),
        net=net,
        driver=_driver(workspace, net, agreed or {}),
        source=source,
        agreed=agreed or {},
        changes=changes,
        per_week=sum(one.number for one in week.alike if one.has_choice),
    )
    # what the driver is worth, or else the first thing that is assumed
    terms = [*([start.term] if start.term else []), *(net.definition if net else [])]
    key = next((term["times"] for term in terms if isinstance(term["times"], str)), None)
    if key is None:
        return start
    named = Assumption.objects.within(workspace).current().filter(key=key).first()
    return Start(**{name: getattr(start, name) for name in Start.__slots__} | {"assumption": named})


def _driver(workspace: Workspace, net: Metric | None, agreed: Mapping[str, Any]) -> Metric | None:
    """The metric that the action is to move: as agreed, or the one that the value is counted by."""
    if net is None:
        return None
    metrics = [one for one in _metrics(workspace).order_by("key") if one.kind != Metric.Kind.NET_VALUE]
    said = [one["key"] for one in agreed.get("metrics", []) if one["role"] == "driver"]
    outcomes = {term["outcome"] for term in net.definition}
    fitting = [one for one in metrics if one.key in said] if said else [
        one for one in metrics if one.definition[0]["outcome"] in outcomes and one.kind == Metric.Kind.PROPORTION
    ]  # fmt: skip
    return fitting[0] if fitting else None


def _metrics(workspace: Workspace) -> Any:
    return Metric.objects.within(workspace).current()


def _signature(terms: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What terms have in common as declared and as resolved in a plan."""
    found = []
    for term in terms:
        named = term.get("assumption") or (term["times"] if isinstance(term["times"], str) else None)
        amount = None if named else abs(term["times"])
        found.append((term["outcome"], term["aggregate"], term["default"], term["window_days"], named, amount))
    return found
