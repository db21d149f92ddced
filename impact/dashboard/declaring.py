"""The forms that metrics and assumptions are declared by, and what a declarative file would say instead."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from experiments.models import DecisionPoint
from impact.agreements.models import Assumption, Metric
from impact.agreements.plan import Term
from impact.dashboard.design.form import DIRECTIONS, STATUSES, number, text
from workspaces.identifiers import valid_key
from workspaces.models import Workspace

KINDS = [
    (Metric.Kind.PROPORTION, _("proportion: a share of the rows")),
    (Metric.Kind.MEAN, _("mean: so much a row")),
    (Metric.Kind.RATIO, _("ratio: one sum divided by another")),
]
AGGREGATES = [
    ("any", _("whether any happened")),
    ("none", _("whether none happened")),
    ("sum", _("the sum of their values")),
    ("count", _("how many there were")),
    ("last", _("the last value")),
]
EARLIER = [
    ("sum", _("the sum of their values")),
    ("count", _("how many there were")),
    ("any", _("whether any happened")),
]
WITHOUT = [("0", _("counts as 0")), ("", _("is left out"))]


def key() -> forms.CharField:
    return forms.CharField(
        label=_("Key"), max_length=64, validators=[valid_key], help_text=_("small letters, digits and hyphens")
    )


class MetricForm(forms.Form):
    """A metric of one term, or a ratio of two; ``point`` is where it is tried."""

    name = text(_("Name"), most=200)
    key = key()
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS)
    direction = forms.ChoiceField(label=_("Direction"), choices=DIRECTIONS)
    unit = text(_("Unit of measure"), _("such as EUR or minutes"), required=False, most=40)
    outcome = text(_("Outcome"), _("its type, as it is reported: churned"), most=200)
    aggregate = forms.ChoiceField(label=_("Of its events"), choices=AGGREGATES)
    default = forms.ChoiceField(label=_("A row without one"), choices=WITHOUT, required=False)
    per_outcome = text(_("Divided by: outcome"), _("for a ratio"), required=False, most=200)
    per_aggregate = forms.ChoiceField(label=_("Of its events"), choices=AGGREGATES[2:], required=False)
    window_days = number(_("Window, days"), _("empty: the experiment's"), min_value=0.01, max_value=36_525)
    cap = number(
        _("Capped at the quantile, %"), _("99: the highest hundredth counts no more"), min_value=1, max_value=99.99
    )
    earlier_outcome = text(_("Adjusted by: outcome"), _("from before the first decision"), required=False, most=200)
    earlier_aggregate = forms.ChoiceField(label=_("Of its events"), choices=EARLIER, required=False)
    earlier_days = number(_("Days before"), min_value=1, max_value=3650)
    point = forms.ChoiceField(label=_("Decision point"), required=False)

    def __init__(self, workspace: Workspace, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        points = DecisionPoint.objects.within(workspace).current().order_by("key").values_list("key", flat=True)
        self.fields["point"].choices = [(one, one) for one in points]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("kind") == Metric.Kind.RATIO and not said.get("per_outcome"):
            self.add_error("per_outcome", _("A ratio needs what it is divided by."))
        if bool(said.get("earlier_outcome")) != (said.get("earlier_days") is not None):
            self.add_error("earlier_days", _("Say both, or neither."))
        return said

    def document(self) -> dict[str, Any]:
        """The metric as a declarative file says it."""
        said = self.cleaned_data
        common = {"window_days": said["window_days"], "default": 0.0 if said["default"] == "0" else None}
        found: dict[str, Any] = {name: said[name] for name in ("key", "name", "kind", "direction", "unit")}
        found["of"] = {
            "outcome": said["outcome"],
            "aggregate": said["aggregate"],
            "cap": None if said["cap"] is None else said["cap"] / 100,
        } | common
        if said["kind"] == Metric.Kind.RATIO:
            found["per"] = {"outcome": said["per_outcome"], "aggregate": said["per_aggregate"] or "sum"} | common
        if said["earlier_outcome"]:
            found["covariates"] = [
                {
                    "outcome": said["earlier_outcome"],
                    "aggregate": said["earlier_aggregate"] or "sum",
                    "days": said["earlier_days"],
                }
            ]
        return found

    def terms(self) -> list[Term]:
        document = self.document()
        return [Term(**document[name]) for name in ("of", "per") if name in document]


def form_can_say(metric: Metric) -> bool:
    """Whether the form would lose nothing of a metric."""
    first, *others = metric.definition or [None]
    return (
        first is not None
        and metric.kind != Metric.Kind.NET_VALUE
        and len(metric.covariates) <= 1
        and all(one["times"] == 1 and not one["negative"] and one["default"] in (0, None) for one in metric.definition)
        and all(one["default"] == first["default"] and not one["cap"] for one in others)
    )


def metric_initial(metric: Metric) -> dict[str, Any]:
    """What the form begins with for a new version of a metric."""
    above, *below = metric.definition
    found = {name: getattr(metric, name) for name in ("name", "key", "kind", "direction", "unit")}
    found |= {"outcome": above["outcome"], "aggregate": above["aggregate"], "window_days": above["window_days"]}
    found["default"] = "" if above["default"] is None else "0"
    found["cap"] = 100 * above["cap"] if above.get("cap") else None
    for one in below[:1]:
        found |= {"per_outcome": one["outcome"], "per_aggregate": one["aggregate"]}
    for one in metric.covariates[:1]:
        found |= {f"earlier_{name}": one[name] for name in ("outcome", "aggregate", "days")}
    return found


class AssumptionForm(forms.Form):
    """A number that isn't measured here, with its range and who answers for it."""

    name = text(_("Name"), most=200)
    key = key()
    low = number(_("Low"), _("used for every low case"), required=True)
    base = number(_("Base"), required=True)
    high = number(_("High"), _("used for every high case"), required=True)
    unit = text(_("Unit of measure"), _("such as EUR"), most=40)
    owner = text(_("Who answers for it"), most=200)
    status = forms.ChoiceField(label=_("Status"), choices=STATUSES)
    source = text(_("Where it comes from"), required=False)

    def clean(self) -> dict[str, Any]:
        low, base, high = (self.cleaned_data.get(end) for end in ("low", "base", "high"))
        if None not in (low, base, high) and not low <= base <= high:  # type: ignore[operator]
            self.add_error("base", _("Low, base and high must ascend."))
        return self.cleaned_data

    def document(self, current: Assumption | None) -> dict[str, Any]:
        """The assumption as a declarative file says it; how and since when its money arrives stays as it was."""
        found = dict(self.cleaned_data)
        if current is not None:
            found["cash"] = current.cash
            found["valid_from"] = current.valid_from and current.valid_from.isoformat()
        return found


def assumption_initial(assumption: Assumption) -> dict[str, Any]:
    found = {name: getattr(assumption, name) for name in AssumptionForm.base_fields}
    return found | {end: f"{found[end]:.12g}" for end in ("low", "base", "high")}
