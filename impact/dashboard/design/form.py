"""The form of a design; what is typed into it is looked at field by field, so that an error names its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from impact.agreements.models import Assumption, Metric
from impact.dashboard.design.arms import Candidate
from impact.dashboard.design.start import Start
from workspaces.identifiers import valid_key
from workspaces.models import Workspace

# the metrics and assumption of a new outcome are called after the experiment
LONGEST_KEY = 48
GUARDRAILS = (1, 2)
CLUSTERS = ("cluster_size", "cluster_icc", "cluster_cv")
DIRECTIONS = [("decrease", _("fewer is better")), ("increase", _("more is better"))]
STATUSES = [
    (Assumption.Status.GUESS, _("a guess")),
    (Assumption.Status.AGREED, _("agreed")),
    (Assumption.Status.MEASURED, _("measured")),
]
LOOKS = [
    ("fixed", _("once, at the end")),
    ("group_sequential", _("at each quarter of the rows")),
    ("always_valid", _("on any day")),
]
ANY = {"step": "any"}


def number(label: Any, note: Any = "", *, required: bool = False, **limits: Any) -> forms.FloatField:
    return forms.FloatField(
        label=label, help_text=note, required=required, widget=forms.NumberInput(attrs=ANY), **limits
    )


def whole(
    label: Any, note: Any = "", *, required: bool = False, least: int = 1, most: int = 10**9
) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=note, required=required, min_value=least, max_value=most)


def text(label: Any, note: Any = "", *, required: bool = True, rows: int = 0, most: int = 2000) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
    return forms.CharField(label=label, help_text=note, required=required, max_length=most, widget=widget)


class DesignForm(forms.Form):
    """Every field of a design; the arms' are made for the actions of its decision point."""

    name = text(_("Name"), most=200)
    key = forms.CharField(
        label=_("Key"), max_length=LONGEST_KEY, validators=[valid_key], help_text=_("small letters, digits and hyphens")
    )
    outcome = text(_("Outcome"), _("its type, as it is reported: churned"), most=200)
    outcome_name = text(_("What it is called"), _("such as churn"), most=200)
    direction = forms.ChoiceField(label=_("Direction"), choices=DIRECTIONS)
    value_name = text(_("What it is worth"), _("such as the value of a kept customer"), most=200)
    value_low = number(_("Low"), _("used for every low case"), required=True)
    value_base = number(_("Base"), required=True)
    value_high = number(_("High"), _("used for every high case"), required=True)
    value_owner = text(_("Who answers for it"), most=200)
    value_status = forms.ChoiceField(label=_("Status"), choices=STATUSES)
    value_source = text(_("Where it comes from"), required=False)
    baseline = forms.ChoiceField(label=_("Compared with"), required=False)
    expected_baseline = number(_("Without the action, %"), min_value=0, max_value=100)
    expected_effect = number(_("Change hoped for, points"), _("below 0: it falls"), min_value=-100, max_value=100)
    rows_per_arm = whole(_("Rows in each arm"), required=True, least=2)
    per_week = number(_("Rows a week, all arms"), min_value=0)
    weeks = whole(_("Enrolment, weeks"), _("empty: no end"), most=520)
    window_days = number(_("Window, days"), required=True, min_value=0.01, max_value=36_525)
    cluster_size = number(_("Rows of a cluster, mean"), min_value=1)
    cluster_icc = number(_("Correlation within a cluster"), _("from 0 to 1, of the outcome"), min_value=0, max_value=1)
    cluster_cv = number(_("How much sizes vary"), _("standard deviation over mean"), min_value=0)
    smallest_effect = number(_("Smallest effect worth acting on"), min_value=0)
    alpha = number(_("Error rate, %"), _("over all comparisons"), required=True, min_value=0.01, max_value=49)
    power = number(_("Power, %"), _("chance to prove what is hoped for"), required=True, min_value=1, max_value=99.9)
    looks = forms.ChoiceField(label=_("Judged"), choices=LOOKS, required=False)
    loss_cap = number(_("Loss cap"), _("the experiment pauses when it has lost this"), min_value=0.01)
    cases_per_year = text(_("Cases a year"), _("a number, or the key of an assumption"), required=False, most=64)
    build = text(_("To build, once"), required=False, most=64)
    running_per_year = text(_("To run, a year"), required=False, most=64)
    years = whole(_("Years counted"), most=30)
    discount_rate = text(_("Discount rate, %"), required=False, most=64)
    kept_out = number(_("Left out for the long run, %"), min_value=0, max_value=99)
    spread = number(_("Spread of true effects"), _("what is booked is shrunk by it"), min_value=0.000001)
    deploys = forms.ChoiceField(label=_("What would be used"), required=False)
    todays_rule = forms.ChoiceField(label=_("Today's rule"), required=False)
    hypothesis = text(_("Hypothesis"), rows=2)
    decision = text(_("Decision to be taken"), rows=2)
    owner = text(_("Who decides"), most=200)
    if_wins = text(_("If it wins"), rows=2)
    if_unclear = text(_("If it is unclear"), rows=2)
    if_loses = text(_("If it loses"), rows=2)

    def __init__(self, workspace: Workspace, start: Start, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.start = start
        for one in start.candidates:
            self._add_arm(one)
        self.fields["baseline"].choices = [  # type: ignore[attr-defined]
            (one.id, one.name) for one in start.candidates if one.policy or one.id == start.point.baseline
        ]
        metrics = Metric.objects.within(workspace).current().exclude(kind=Metric.Kind.NET_VALUE).order_by("name")
        known = [("", _("none")), *((one.key, one.name) for one in metrics if one != start.driver)]
        for place in GUARDRAILS:
            self.fields[f"guardrail_{place}"] = forms.ChoiceField(label=_("Guardrail"), choices=known, required=False)
            self.fields[f"margin_{place}"] = number(_("Worse by at most"), _("a share as 0.002, an amount as it is"))
        rules = [("", _("the arm that does best")), *((one.key, one.key) for one in start.policies)]
        self.fields["deploys"].choices = rules  # type: ignore[attr-defined]
        self.fields["todays_rule"].choices = [("", _("none")), *rules[1:]]  # type: ignore[attr-defined]
        if start.in_clusters:
            self.fields["looks"].choices = [LOOKS[0], LOOKS[2]]  # type: ignore[attr-defined]
        for name in self._unasked():
            del self.fields[name]

    def _add_arm(self, one: Candidate) -> None:
        key = one.id
        self.fields[f"arm_{key}"] = forms.BooleanField(label=_("In the experiment"), required=False)
        self.fields[f"weight_{key}"] = whole(_("Weight"), required=False, most=1_000_000)
        if one.policy:
            return
        self.fields[f"fixed_{key}"] = number(_("Fixed"), min_value=0)
        self.fields[f"contingent_{key}"] = number(_("If taken up"), min_value=0)
        self.fields[f"share_{key}"] = number(_("Taken up, %"), min_value=0, max_value=100)

    def _unasked(self) -> Iterator[str]:
        """What a declared measure says already, or can't be foreseen with."""
        start = self.start
        if start.net is not None:
            yield from ("outcome", "outcome_name", "direction")
            if start.assumption is None:
                yield from (f"value_{part}" for part in ("name", "low", "base", "high", "owner", "status", "source"))
        if not start.foreseeable:
            yield from ("expected_baseline", "expected_effect")
        if not start.in_clusters:
            yield from CLUSTERS
        if not start.policies:
            yield "baseline"
        if start.changes:
            yield "key"

    @property
    def compared_with(self) -> str:
        """Id of the arm that the others are compared with: what is done without a choice, or a policy."""
        return self.cleaned_data.get("baseline") or self.start.point.baseline

    @property
    def arms(self) -> list[str]:
        """Ids of the actions and policies that are compared; the baseline always is."""
        chosen = [one.id for one in self.start.candidates if self.cleaned_data.get(f"arm_{one.id}")]
        return [self.compared_with, *(one for one in chosen if one != self.compared_with)]

    @property
    def weights(self) -> list[int]:
        """How often each arm is drawn."""
        return [self.cleaned_data.get(f"weight_{arm}") or 1 for arm in self.arms]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        low, base, high = (said.get(f"value_{end}") for end in ("low", "base", "high"))
        if None not in (low, base, high) and not low <= base <= high:  # type: ignore[operator]
            self.add_error("value_base", _("Low, base and high must ascend."))
        before, effect = said.get("expected_baseline"), said.get("expected_effect")
        if (before is None) != (effect is None) and not self.errors.keys() & {"expected_baseline", "expected_effect"}:
            self.add_error("expected_baseline" if before is None else "expected_effect", _("Say both, or neither."))
        if before is not None and effect is not None and not (0 < before < 100 and 0 < before + effect < 100):
            self.add_error("expected_effect", _("A share stays between 0 and 100 %, before and after."))
        size, icc, rows = (said.get(name) for name in ("cluster_size", "cluster_icc", "rows_per_arm"))
        if (size is None) != (icc is None) and not self.errors.keys() & set(CLUSTERS):
            self.add_error("cluster_size" if size is None else "cluster_icc", _("Say both, or neither."))
        if size and rows and rows < 2 * size:
            self.add_error("rows_per_arm", _("These are fewer than two clusters."))
        if len(self.arms) < 2:
            other = next((one.id for one in self.start.candidates if one.id != self.compared_with), None)
            self.add_error(f"arm_{other}" if other else None, _("Choose another arm to compare with the baseline."))
        for place in GUARDRAILS:
            if said.get(f"guardrail_{place}") and said.get(f"margin_{place}") is None:
                self.add_error(f"margin_{place}", _("Say how much worse it may get."))
        return said
