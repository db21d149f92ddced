"""What the design page and its fragments show of a form: the outlook, the arms, the same as YAML."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import yaml
from django.utils.translation import gettext as _

from impact.agreements.outlook import outlook
from impact.dashboard.design.document import document_of, planned_cost, sketch_of
from impact.dashboard.design.form import CLUSTERS, GUARDRAILS, DesignForm
from impact.figures.design import Named, design_figures, unknown
from impact.figures.forms import Forms
from impact.figures.sentences import WORDS


def page_of(form: DesignForm, now: datetime, language: str) -> dict[str, Any]:
    """Return everything but the fields themselves; a form that isn't bound is looked at as it stands."""
    looked = form if form.is_bound else _as_it_stands(form)
    looked.is_valid()
    start, figures = form.start, _figures(looked, language)
    arms = [_arm(form, looked, place, language) for place in range(len(start.candidates))]
    return {
        "figures": figures,
        "arms": [arm | {"seen": _seen(figures["arms"].get(arm["id"]), looked)} for arm in arms],
        "reach": _reach(looked, language),
        "yaml": yaml.safe_dump(document_of(looked, now), sort_keys=False, allow_unicode=True),
        "guardrails": [(form[f"guardrail_{place}"], form[f"margin_{place}"]) for place in GUARDRAILS],
        "problems": _problems(form) if form.is_bound else [],
        "driver": start.driver,
        "times": None if start.times is None else Forms(language).money(abs(start.times), _currency(form)),
    }


def _as_it_stands(form: DesignForm) -> DesignForm:
    workspace = form.start.point.workspace
    data = {name: "" if value is None else value for name, value in form.initial.items()}
    # a box that isn't ticked isn't sent
    return DesignForm(workspace, form.start, {name: value for name, value in data.items() if value is not False})


def _figures(form: DesignForm, language: str) -> dict[str, Any]:
    if not form.start.foreseeable:
        return unknown(language, "only_shares")
    sketch = sketch_of(form)
    if sketch is None and form.start.in_clusters and not form.cleaned_data.get("cluster_size"):
        return unknown(language, "alike")
    if sketch is None or form.errors.keys() & {"expected_effect", "value_base", "rows_per_arm"}:
        return unknown(language, "mend" if form.errors.keys() & _needed(form) else "incomplete")
    said, start = form.cleaned_data, form.start
    driver = {"name": said.get("outcome_name") or (start.driver.name if start.driver else _("the outcome"))}
    named = Named(
        driver=driver | {"kind": "proportion", "unit": ""},
        arms={one.id: one.name for one in start.candidates},
        currency=_currency(form),
        row=WORDS[language].row(start.point.model.unit_type, False),
        power=sketch.power,
        rows=sketch.rows_per_arm,
        per_week=sketch.per_week,
    )
    return design_figures(outlook(sketch), named, language)


def _needed(form: DesignForm) -> set[str]:
    """Fields that hold something wrong, and without which nothing can be foreseen."""
    typed = {name for name in form.fields if form.data.get(name) not in (None, "")}
    return typed & {"value_base", "expected_baseline", "expected_effect", "rows_per_arm", "alpha", "power", *CLUSTERS}


def _arm(form: DesignForm, looked: DesignForm, place: int, language: str) -> dict[str, Any]:
    one = form.start.candidates[place]
    asked = ("arm", "weight") if one.policy else ("arm", "weight", "fixed", "contingent", "share")
    cost = planned_cost(one, form.start, looked.cleaned_data)
    return {name: form[f"{name}_{one.id}"] for name in asked} | {
        "place": place,
        "id": one.id,
        "name": one.name,
        "policy": one.policy,
        "varies": one.varies,
        # with policies to compare with, no arm has to be there
        "is_baseline": one.id == form.start.point.baseline and not form.start.policies,
        "cost": Forms(language).money(cost, _currency(form)),
    }


def _seen(row: dict[str, str] | None, form: DesignForm) -> dict[str, str] | None:
    """What is foreseen of an arm; of a baseline that varies only the most is known, so nothing can be taken off."""
    varies = any(one.varies for one in form.start.candidates if one.id == form.compared_with)
    return row | {"break_even": ""} if row and varies else row


def _reach(form: DesignForm, language: str) -> dict[str, Any] | None:
    """Rows that an arm gets in the weeks planned, and whether they are too few."""
    said, forms = form.cleaned_data, Forms(language)
    per_week, weeks, wanted = (said.get(name) for name in ("per_week", "weeks", "rows_per_arm"))
    if not per_week or not weeks or not form.arms:
        return None
    rows = int(per_week * weeks * min(form.weights) / sum(form.weights))
    texts = {"weeks": forms.number(weeks), "rows": forms.number(rows)}
    return {
        "short": rows < (wanted or 0),
        "text": _("%(rows)s rows come into the smallest arm in %(weeks)s weeks") % texts,
    }


def _problems(form: DesignForm) -> list[dict[str, str]]:
    """What is wrong, each with the field that it is about."""
    return [
        {
            "id": form[name].id_for_label if name in form.fields else "",
            "label": _label(form, name),
            "text": str(errors[0]),
        }
        for name, errors in form.errors.items()
        if name not in form.fields or form.data.get(name) not in (None, "")
    ]


def _label(form: DesignForm, name: str) -> str:
    """What a field is called; one of an arm with the arm's name."""
    if name not in form.fields:
        return ""
    arm = next((one.name for one in form.start.candidates if name.partition("_")[2] == one.id), "")
    label = str(form.fields[name].label)
    return f"{arm}: {label}" if arm else label


def _currency(form: DesignForm) -> str:
    return form.start.point.workspace.currency
