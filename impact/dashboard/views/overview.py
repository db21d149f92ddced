"""Home, the jobs and the glossary."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from impact.dashboard import selectors
from impact.dashboard.chapters import chapter_of
from impact.dashboard.claimed import claimed_by
from impact.dashboard.first_steps import first_steps
from impact.dashboard.home import impact_of, waiting_for
from impact.dashboard.views.answers import language, part_or_page, site
from impact.figures.glossary import glossary as terms
from workspaces.access import member
from workspaces.models import Workspace
from workspaces.selectors import newest_jobs
from workspaces.services.demo import demo_of


@member("viewer")
def home(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What acting on predictions earned, and what waits."""
    shown = selectors.experiments_shown(workspace, most=selectors.EXPERIMENTS_AT_HOME)
    content: dict[str, Any] = {
        "impact": impact_of(workspace, request.GET.get("period", ""), language()),
        "claimed": claimed_by(workspace, language()),
        "rows": selectors.experiment_rows(workspace, list(shown), language()),
        "more": shown.paginator.count if shown.has_next() else 0,
        "waiting": waiting_for(request.membership, language()),  # type: ignore[attr-defined]
    }
    if not content["impact"]["known"]:
        content |= {
            "steps": first_steps(request.membership, site(request)),  # type: ignore[attr-defined]
            "demo": demo_of(request.user),  # type: ignore[arg-type]
            "may_design": request.membership.may("analyst"),  # type: ignore[attr-defined]
        }
    return render(request, "dashboard/home.html", content)


@member("viewer")
def jobs(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Work that waits, runs, is done or failed; the list renews itself."""
    found = newest_jobs(workspace)
    content = {
        "jobs": found,
        "busy": any(job.state in ("queued", "running") for job in found),
        "may_decide": request.membership.may("analyst"),  # type: ignore[attr-defined]
    }
    return render(request, part_or_page(request, "jobs"), content)


def glossary(request: HttpRequest) -> HttpResponse:
    """Every term, in the reader's language, with the chapter that says more."""
    told = [(key, *one[language()], chapter_of(key)) for key, one in terms().items()]
    return render(request, "dashboard/glossary.html", {"terms": told})
