"""Getting in, who is in, and who has changed what."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from workspaces.access import asked, member
from workspaces.errors import Missing, Refusal
from workspaces.forms import AccountForm, InviteForm, JoinForm
from workspaces.models import Workspace
from workspaces.saying import in_words
from workspaces.selectors import audit_choices, audited, member_named, members_of
from workspaces.services.audit import broken_at
from workspaces.services.demo import demo_of, enter_demo, leave_demo
from workspaces.services.people import change_member, invite, join, remove_member, set_preferences

# entries whose chain is read for a page; a whole chain would take longer each year
CHAIN_A_PAGE = 1000


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Go to the one workspace, or choose among several."""
    memberships = list(request.user.memberships.select_related("workspace").order_by("workspace__name"))  # type: ignore[union-attr,misc]
    if len(memberships) == 1:
        return redirect("home", workspace=memberships[0].workspace.key)
    content = {"memberships": memberships, "demo": demo_of(request.user)}  # type: ignore[arg-type]
    return render(request, "workspaces/start.html", content)


@login_required
def enter(request: HttpRequest) -> HttpResponse:
    """Look at the demo as a viewer."""
    if request.method != "POST":
        return redirect("start")
    try:
        membership = enter_demo(person=request.user)  # type: ignore[arg-type]
    except Missing as error:
        raise Http404 from error
    return redirect("home", workspace=membership.workspace.key)


@member("viewer")
def leave(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """End a visit to the demo."""
    if request.method != "POST":
        return redirect("home", workspace=workspace.key)
    try:
        leave_demo(membership=request.membership)  # type: ignore[attr-defined]
    except Refusal as refusal:
        messages.error(request, in_words(refusal.detail))
        return redirect("home", workspace=workspace.key)
    return redirect("start")


def accept_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Become a member by a link."""
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            membership = join(token=token, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(refusal.pointer.strip("/") or None, in_words(refusal.detail))
        else:
            login(request, membership.person)
            return redirect("home", workspace=membership.workspace.key)
    return render(request, "workspaces/join.html", {"form": form}, status=422 if form.errors else 200)


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """One's own language, zone and mails; saved, the pages speak that language too."""
    person: Any = request.user
    known = {"language": person.language or get_language(), "time_zone": person.time_zone, "mail": person.mail}
    form = AccountForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        set_preferences(person=person, **form.cleaned_data)
        with translation.override(form.cleaned_data["language"]):
            messages.success(request, _("Kept. Mails and pages follow it from now on."))
        response = redirect("account")
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, form.cleaned_data["language"])
        return response
    return render(request, "workspaces/account.html", {"form": form}, status=422 if form.errors else 200)


@member("viewer")
def members(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Who is in; an administrator may invite."""
    return _members(request, workspace, InviteForm())


@member("admin")
def send_invitation(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Make a link and show it once."""
    form = InviteForm(request.POST)
    if request.method != "POST" or not form.is_valid():
        return redirect("members", workspace=workspace.key)
    _, token = invite(workspace=workspace, actor=str(request.user.email), **form.cleaned_data)  # type: ignore[union-attr]
    link = request.build_absolute_uri(reverse("join", args=[token]))
    return _members(request, workspace, InviteForm(), link)


@member("admin")
def edit_member(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """Change a member's role and whom they sign for."""
    one = member_named(workspace, id)
    form = InviteForm(request.POST or None, initial={"role": one.role, "signs_for": one.signs_for})
    if request.method == "POST" and form.is_valid():
        try:
            change_member(membership=one, actor=request.user.email, **form.cleaned_data)  # type: ignore[union-attr]
        except Refusal as refusal:
            form.add_error(None, in_words(refusal.detail))
        else:
            messages.success(request, _("The rights of %(name)s are kept.") % {"name": one.person})
            return redirect("members", workspace=workspace.key)
    return render(request, "workspaces/member.html", {"one": one, "form": form}, status=422 if form.errors else 200)


@member("viewer")
def end_member(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """Ask whether a member is really to be removed, and remove them; anybody may leave so."""
    one, mine = member_named(workspace, id), request.membership  # type: ignore[attr-defined]
    if one != mine and not mine.may("admin"):
        raise PermissionDenied("admin")
    if request.method != "POST":
        return render(request, "workspaces/end_member.html", {"one": one, "own": one == mine})
    values = {"name": one.person, "workspace": workspace.name}
    try:
        remove_member(membership=one, actor=mine.person.email)
    except Refusal as refusal:
        messages.error(request, in_words(refusal.detail))
        return redirect("members", workspace=workspace.key)
    if one == mine:
        messages.success(request, _("You left %(workspace)s.") % values)
        return redirect("start")
    messages.success(request, _("%(name)s is no member any more.") % values)
    return redirect("members", workspace=workspace.key)


def _members(request: HttpRequest, workspace: Workspace, form: InviteForm, link: str = "") -> HttpResponse:
    content = {"members": members_of(workspace), "form": form, "link": link}
    return render(request, "workspaces/members.html", content)


@member("viewer")
def audit(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Who changed what when; the first page checks the newest part of the chain, ``verify`` all of it."""
    filters = asked(request.GET, "actor", "action", "before")
    entries, following = audited(workspace, filters)
    content: dict[str, Any] = {"entries": entries, "next": following, "filters": filters, **audit_choices(workspace)}
    if not filters["before"]:
        looked_at = min(workspace.audit_length, CHAIN_A_PAGE)
        content["chain"] = {"broken_at": broken_at(workspace, looked_at), "looked_at": looked_at}
    return render(request, "workspaces/audit.html", content)
