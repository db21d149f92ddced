"""What people type in: joining by a link, inviting others, making API keys."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from workspaces import clock
from workspaces.models import Workspace
from workspaces.models.people import Mail, Role, SignsFor

ROLE_WORDS = [
    (Role.VIEWER, _("viewer: reads")),
    (Role.ANALYST, _("analyst: designs experiments")),
    (Role.OPERATOR, _("operator: mends data")),
    (Role.ADMIN, _("admin: invites people")),
]
SIGNS_FOR_WORDS = [
    ("", _("nobody")),
    (SignsFor.BUSINESS, _("business")),
    (SignsFor.FINANCE, _("finance")),
    (SignsFor.DATA_SCIENCE, _("data science")),
]

MAIL_WORDS = [
    (Mail.AT_ONCE, _("At once: every tripped guardrail as it happens, the rest once a day")),
    (Mail.DAILY, _("Daily: once a day what waits; a tripped guardrail of your own experiment as it happens")),
    (Mail.NEVER, _("Never")),
]
SCOPE_WORDS = [
    ("predict", _("predict: logs predictions")),
    ("decide", _("decide: logs a prediction and gets an action")),
    ("log", _("log: logs executions, outcomes and costs")),
    ("read", _("read: reads results, reports and jobs")),
    ("manage", _("manage: starts, pauses and analyses experiments")),
]


class SignInForm(AuthenticationForm):
    """Django's, with a label that is translated."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["username"].label = _("E-mail")


class JoinForm(forms.Form):
    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    name = forms.CharField(label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        help_text=_("12 characters or more. If this address has an account, its password."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class AccountForm(forms.Form):
    """One's own language, zone and mails."""

    language = forms.ChoiceField(label=_("Language"), choices=[("en", "English"), ("ja", "日本語")])
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [("", _("that of each workspace")), *((zone, zone) for zone in sorted(available_timezones()))],
        help_text=_("For the time of the daily mail."),
    )
    mail = forms.ChoiceField(label=_("Mail"), choices=MAIL_WORDS, widget=forms.RadioSelect)


class InviteForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_WORDS)
    signs_for = forms.ChoiceField(label=_("Signs for"), choices=SIGNS_FOR_WORDS, required=False)


class KeyForm(forms.Form):
    """An API key lasts until the end of its last day, where the workspace is."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("The program that will use it."))
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=SCOPE_WORDS, widget=forms.CheckboxSelectMultiple, help_text=_("Only what it needs.")
    )
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        help_text=_("Empty: it holds until it is revoked."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, workspace: Workspace, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.zone = ZoneInfo(workspace.time_zone)

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day and day < clock.server_now().astimezone(self.zone).date():
            raise forms.ValidationError(_("This day is over; choose today or a later one."))
        return day

    def expires_at(self) -> datetime | None:
        """The last moment of the last day."""
        day: date | None = self.cleaned_data["expires_on"]
        return datetime.combine(day, time.max, self.zone) if day else None
