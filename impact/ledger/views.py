"""Pages about facts: what came in, what is in quarantine, and how it gets out."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from impact.ledger import selectors
from impact.ledger.imports.load import IMPORT, enqueue_import
from impact.ledger.intake import intake
from impact.ledger.kinds import IMPORTED
from impact.ledger.mending import dismiss, replay, replay_rows
from workspaces.access import asked, member
from workspaces.errors import Missing, Refusal
from workspaces.files import answer_file
from workspaces.models import Job, Quarantine, Workspace
from workspaces.saying import in_words
from workspaces.services.audit import record
from workspaces.strict import load_json


@member("viewer")
def data(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What came in, whether it is complete, and files of facts."""
    return _data(request, workspace)


@member("operator")
def import_file(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Take in a file that a person has chosen."""
    file = request.FILES.get("file")
    if request.method != "POST":
        return redirect("data", workspace=workspace.key)
    if file is None:
        return _data(request, workspace, _("Choose a file."))
    try:
        job = enqueue_import(
            workspace=workspace, many=request.POST.get("kind", ""), chunks=file.chunks(), name=str(file.name)
        )
    except Refusal as refusal:
        return _data(request, workspace, in_words(refusal.detail))
    record(workspace=workspace, actor=_actor(request), action="import", subject=job.key)
    messages.success(request, _("The file was taken in; the list below says how far it is."))
    return redirect("data", workspace=workspace.key)


@member("viewer")
def reasons(request: HttpRequest, workspace: Workspace, id: str) -> Any:
    """Why rows of a file aren't in the ledger."""
    known = selectors.uuid_of(id)
    job = Job.objects.within(workspace).filter(kind=IMPORT, pk=known).first() if known else None
    if job is None or job.state != Job.State.DONE:
        raise Missing("import", id)
    file = answer_file(job).open("rb")
    return FileResponse(file, as_attachment=True, filename=f"reasons-{job.pk}.csv", content_type="text/csv")


def _data(request: HttpRequest, workspace: Workspace, problem: str = "") -> HttpResponse:
    content = {
        "intake": intake(workspace),
        "kinds": IMPORTED,
        "problem": problem,
        "may_import": request.membership.may("operator"),  # type: ignore[attr-defined]
        "site": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "ledger/data.html", content, status=422 if problem else 200)


@member("viewer")
def quarantine(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Rows that can't be placed, by kind and reason."""
    filters = asked(request.GET, "kind", "code", "state")
    rows, following = selectors.quarantined_rows(workspace, filters | asked(request.GET, "before"))
    content = {"rows": rows, "next": following, "groups": selectors.open_by_code(workspace), "filters": filters}
    content["may_mend"] = request.membership.may("operator")  # type: ignore[attr-defined]
    return render(request, "ledger/quarantine.html", content)


@member("viewer")
def quarantined(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """One row: as it was sent, why it is here, and what became of it."""
    return _shown(request, selectors.quarantined_row(workspace, id))


@member("operator")
def replay_one(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """Send the row once more, as it stands in the form."""
    row = selectors.quarantined_row(workspace, id)
    if request.method != "POST":
        return redirect("quarantined", workspace=workspace.key, id=id)
    text = request.POST.get("row", "")
    try:
        taken = replay(workspace=workspace, row=row, actor=_actor(request), mended=load_json(text.encode()))
    except (Refusal, UnicodeEncodeError) as error:
        return _shown(request, row, text, in_words(str(error)))
    if taken.status == "accepted":
        messages.success(request, _("The row is in the ledger now."))
    elif taken.status == "duplicate":
        messages.success(request, _("The row was in the ledger already."))
    else:
        messages.error(request, _("The row stays in quarantine: %(reason)s") % {"reason": in_words(taken.detail)})
    return redirect("quarantined", workspace=workspace.key, id=id)


@member("operator")
def dismiss_one(request: HttpRequest, workspace: Workspace, id: str) -> HttpResponse:
    """Settle that the row never counts."""
    row = selectors.quarantined_row(workspace, id)
    if request.method == "POST":
        try:
            dismiss(workspace=workspace, row=row, actor=_actor(request), note=request.POST.get("note", "")[:300])
            messages.success(request, _("The row was dismissed."))
        except Refusal as refusal:
            messages.error(request, in_words(refusal.detail))
    return redirect("quarantined", workspace=workspace.key, id=id)


@member("operator")
def replay_all(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Send all open rows of one kind and code once more."""
    if request.method == "POST":
        counts = replay_rows(workspace=workspace, actor=_actor(request), **asked(request.POST, "kind", "code"))
        done = counts["accepted"] + counts["duplicate"]
        said = _("%(done)d rows left quarantine; %(open)d stay.") % {"done": done, "open": counts["open"]}
        messages.add_message(request, messages.SUCCESS if done else messages.ERROR, said)
    return redirect("quarantine", workspace=workspace.key)


def _shown(request: HttpRequest, row: Quarantine, text: str = "", problem: str = "") -> HttpResponse:
    content: dict[str, Any] = {
        "row": row,
        "text": text or json.dumps(_said(row.row), ensure_ascii=False, indent=2),
        "problem": problem,
        "may_mend": request.membership.may("operator") and not row.resolved_at,  # type: ignore[attr-defined]
    }
    return render(request, "ledger/quarantined.html", content, status=422 if problem else 200)


def _said(content: Any) -> Any:
    """A row without the fields that say nothing."""
    return (
        {name: value for name, value in content.items() if value is not None} if isinstance(content, dict) else content
    )


def _actor(request: HttpRequest) -> str:
    return str(request.user.email)  # type: ignore[union-attr]
