"""Metrics: the list, and one with its definition in words, its versions and who counts by it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.utils.translation import gettext as _

from experiments.models import Experiment
from impact.agreements.models import Assumption, Metric
from impact.agreements.previewing import Preview
from impact.agreements.selectors import newest_agreements
from impact.figures.forms import Forms
from workspaces.errors import Missing
from workspaces.models import Workspace


def metrics(workspace: Workspace, language: str) -> list[dict[str, Any]]:
    """The current version of each, and which experiments agreed on it."""
    users = _agreed(workspace)
    return [
        {"metric": one, "words": in_words(one, language), "experiments": [found for found, _ in users[one.key]]}
        for one in Metric.objects.within(workspace).current().order_by("name", "key")
    ]


def metric_named(workspace: Workspace, key: str) -> Metric:
    found: Metric | None = Metric.objects.within(workspace).current().filter(key=key).first()
    if found is None:
        raise Missing("metric", key)
    return found


def metric_page(workspace: Workspace, key: str, language: str) -> dict[str, Any]:
    metric = metric_named(workspace, key)
    versions = Metric.objects.within(workspace).filter(key=key).order_by("-version")
    named = {one["times"] for one in metric.definition if isinstance(one["times"], str)}
    return {
        "metric": metric,
        "words": in_words(metric, language),
        "covariates": [covariate_in_words(one) for one in metric.covariates],
        "assumptions": Assumption.objects.within(workspace).current().filter(key__in=named).order_by("key"),
        "versions": [{"metric": one, "words": in_words(one, language)} for one in versions],
        "users": _agreed(workspace)[key],
    }


def in_words(metric: Metric, language: str) -> list[str]:
    """Say what a metric counts, a text for each of its terms."""
    forms = Forms(language)
    terms = [term_in_words(one, forms) for one in metric.definition]
    if metric.kind == Metric.Kind.RATIO:
        above, below = terms
        return [above, _("divided by %(below)s, both summed over all rows") % {"below": below}]
    if metric.kind == Metric.Kind.NET_VALUE:
        terms = [
            _("%(sign)s %(times)s × %(term)s")
            % {"sign": "\u2212" if one["negative"] else "+", "times": one["times"], "term": term}
            for one, term in zip(metric.definition, terms, strict=True)
        ]
        return [*terms, _("minus what was spent on the row")]
    return terms


def term_in_words(term: dict[str, Any], forms: Forms) -> str:
    """Say which events a term counts, within which days, and what counts where none is."""
    said = {
        "any": _("whether any “%(outcome)s” happened"),
        "none": _("whether no “%(outcome)s” happened"),
        "sum": _("the sum of “%(outcome)s”"),
        "count": _("the number of “%(outcome)s”"),
        "last": _("the last “%(outcome)s”"),
    }[term["aggregate"]] % {"outcome": term["outcome"]}
    parts = [said]
    if term["window_days"] is not None:
        parts.append(_("within %(days)s days of the first decision") % {"days": forms.plain(term["window_days"])})
    if term["default"] is None:
        parts.append(_("a row without one is left out"))
    elif term["default"]:
        parts.append(_("%(default)s for a row without one") % {"default": forms.plain(term["default"])})
    if term.get("cap"):
        parts.append(_("capped at the %(share)s quantile of all rows") % {"share": forms.percent(term["cap"], 1)})
    return _(", ").join(parts)


def covariate_in_words(one: dict[str, Any]) -> str:
    said = {
        "any": _("whether any “%(outcome)s” happened in the %(days)g days before"),
        "sum": _("the sum of “%(outcome)s” in the %(days)g days before"),
        "count": _("the number of “%(outcome)s” in the %(days)g days before"),
    }
    return said[one["aggregate"]] % {"outcome": one["outcome"], "days": one["days"]}


def preview_page(found: Preview, kind: str, unit: str, language: str) -> dict[str, Any]:
    """A preview in the reader's form; a proportion's numbers are shares."""
    forms = Forms(language)

    def shown(number: float) -> str:
        return f"{forms.plain(number)}\u00a0{unit}".rstrip("\u00a0")

    mean = forms.percent(found.mean, 1) if found.mean is not None and kind == "proportion" else None
    return {
        "found": found,
        "mean": mean or (None if found.mean is None else shown(found.mean)),
        "zeros": forms.percent(found.zeros, 1),
        "quantiles": [(forms.percent(share), shown(number)) for share, number in found.quantiles],
        "frequent": [(shown(number), forms.number(rows)) for number, rows in found.frequent],
    }


def tried_at(workspace: Workspace, key: str) -> str:
    """The decision point of an experiment that agreed on a metric."""
    points = [one.decision_point.key for one, role in _agreed(workspace)[key] if one.decision_point]
    return points[0] if points else ""


def _agreed(workspace: Workspace) -> dict[str, list[tuple[Experiment, str]]]:
    """Metric -> experiments whose newest agreement counts by it, with its role."""
    found: dict[str, list[tuple[Experiment, str]]] = defaultdict(list)
    for agreement in newest_agreements(workspace):
        for metric in agreement.content["metrics"]:
            found[metric["key"]].append((agreement.experiment, metric["role"]))
        if net := agreement.content["net"]:
            found[net["metric"]].append((agreement.experiment, "primary"))
    return found
