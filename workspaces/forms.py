"""What people type in: joining by a link, inviting others."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from workspaces.models.people import Role, SignsFor

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


class InviteForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_WORDS)
    signs_for = forms.ChoiceField(label=_("Signs for"), choices=SIGNS_FOR_WORDS, required=False)
