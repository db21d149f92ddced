"""The page that a finished experiment is loaded from."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from impact.dashboard.loading import EXAMPLE, enqueue_load
from workspaces.access import asked, member
from workspaces.errors import Refusal
from workspaces.models import Workspace
from workspaces.saying import in_words


@member("analyst")
def load(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Load an experiment that has ended, as a job."""
    content: dict[str, Any] = {"specification": EXAMPLE}
    if request.method == "POST":
        actor = str(request.user.email)  # type: ignore[union-attr]
        sent, said = request.FILES.get("file"), asked(request.POST, "specification")["specification"]
        content["specification"] = said
        try:
            if sent is None:
                raise Refusal("bad-file", _("Choose a file."))
            enqueue_load(workspace=workspace, chunks=sent.chunks(), specification=said, actor=actor)
            messages.success(request, _("The file is being loaded; its row below leads to the experiment."))
            return redirect("jobs", workspace=workspace.key)
        except Refusal as refusal:
            content["refusal"] = in_words(refusal.detail)
    return render(request, "dashboard/load_experiment.html", content, status=400 if "refusal" in content else 200)
