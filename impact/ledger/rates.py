"""The page of rates: what other currencies counted as in each month, and adding one."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from babel import Locale
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from impact.ledger.declarations import RateDeclared, declare_rate
from impact.ledger.selectors import newest_rates
from workspaces.access import member
from workspaces.errors import Refusal
from workspaces.models import Workspace
from workspaces.saying import in_words
from workspaces.strict import convert


class RateForm(forms.Form):
    """One month's rate of one currency."""

    currency = forms.CharField(label=_("Currency"), max_length=3, help_text=_("three letters, such as USD"))
    month = forms.CharField(label=_("Month"), max_length=7, widget=forms.TextInput(attrs={"type": "month"}))
    rate = forms.FloatField(label=_("Rate"), widget=forms.NumberInput(attrs={"step": "any"}))
    source = forms.CharField(
        label=_("Source"), max_length=200, required=False, help_text=_("such as the central bank's monthly average")
    )

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).upper()
        if code not in Locale("en").currencies:
            raise forms.ValidationError(_("No currency has this code."))
        return code

    def clean_month(self) -> str:
        month = str(self.cleaned_data["month"])
        try:
            date.fromisoformat(f"{month}-01")
        except ValueError as error:
            raise forms.ValidationError(_("Write year and month, as 2026-01.")) from error
        if not re.fullmatch("[0-9]{4}-[0-9]{2}", month):
            raise forms.ValidationError(_("Write year and month, as 2026-01."))
        return month


@member("viewer")
def rates(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What a unit of each other currency counts as, month by month."""
    return _page(request, workspace, RateForm())


@member("analyst")
def add_rate(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Keep a rate; one that an amount was counted at stays as it is."""
    if request.method != "POST":
        return redirect("rates", workspace=workspace.key)
    form = RateForm(request.POST)
    if form.is_valid():
        try:
            with transaction.atomic():
                change = declare_rate(workspace, convert(form.cleaned_data, RateDeclared), str(request.user.email))  # type: ignore[union-attr]
        except Refusal as refusal:
            name = refusal.pointer.strip("/")
            form.add_error(name if name in form.fields else None, in_words(refusal.detail))
        else:
            kept = {"key": change.key}
            said = gettext("%(key)s is as it was.") if change.did == "unchanged" else gettext("%(key)s is kept.")
            messages.success(request, said % kept)
            return redirect("rates", workspace=workspace.key)
    return _page(request, workspace, form)


def _page(request: HttpRequest, workspace: Workspace, form: RateForm) -> HttpResponse:
    content: dict[str, Any] = {
        "rates": newest_rates(workspace),
        "form": form,
        "may_add": request.membership.may("analyst"),  # type: ignore[attr-defined]
    }
    return render(request, "ledger/rates.html", content, status=422 if form.errors else 200)
