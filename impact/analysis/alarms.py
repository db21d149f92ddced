"""What a tripped guardrail or loss cap does: the experiment pauses, and its owner is told by mail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from experiments.models import Experiment, Status
from experiments.services.lifecycle import pause_experiment
from impact.analysis.models import Analysis
from workspaces.models import Membership, Person
from workspaces.models.people import Mail
from workspaces.services.jobs import Attempt, enqueue

ALARM = "alarm"
# checks whose failing does harm for as long as the experiment runs
TRIPPING = ("guardrails_hold", "loss_cap")


def pause_if_tripped(analysis: Analysis) -> None:
    """Pause a running experiment whose newest analysis tripped something, and ask for the mail about it."""
    experiment = Experiment.objects.select_related("workspace").get(pk=analysis.experiment_id)
    tripped = [check["id"] for check in analysis.document["checks"] if check["id"] in TRIPPING and not check["passed"]]
    newer = Analysis.objects.within(analysis.workspace).filter(experiment=experiment, as_of__gt=analysis.as_of)
    if not tripped or experiment.status != Status.RUNNING or newer.exists():
        return
    pause_experiment(experiment=experiment, actor="analysis", reason=", ".join(tripped))
    enqueue(
        workspace=analysis.workspace,
        kind=ALARM,
        key=f"{experiment.key}, paused by {analysis.pk}",
        arguments={"experiment": experiment.key, "tripped": tripped},
    )


def alarm_job(attempt: Attempt) -> dict[str, Any]:
    """Tell whoever owns the experiment, or else the admins, that it was paused and why.

    So is told who wants to hear of everything at once, and nobody who wants no mail. What is sent twice
    because a worker died has one Message-ID.
    """
    arguments, workspace = attempt.job.arguments, attempt.workspace
    experiment = Experiment.objects.within(workspace).get(key=arguments["experiment"])
    page = reverse("experiment", kwargs={"workspace": workspace.key, "key": experiment.key})
    content = {
        "experiment": experiment,
        "workspace": workspace,
        "tripped": arguments["tripped"],
        "page": f"{settings.BASE_URL}{page}",
        "account": f"{settings.BASE_URL}{reverse('account')}",
    }
    told = _listeners(experiment)
    for person in told:
        subject = " ".join(_said("paused_subject.txt", content, person.languages[0]).split())
        body = "\n\n".join(_said("paused.txt", content, language).strip() for language in person.languages)
        known = {"Message-ID": f"<alarm-{attempt.job.pk}.{person.pk}@impact>"}
        EmailMessage(subject, body, to=[person.email], headers=known).send()
    return {"told": [person.email for person in told]}


def _listeners(experiment: Experiment) -> list[Person]:
    members = list(Membership.objects.within(experiment.workspace).select_related("person").order_by("person__email"))
    owner = ((experiment.plan or {}).get("case") or {}).get("owner", "")
    asked = [one for one in members if owner in (one.person.name, one.person.email)]
    asked = asked or [one for one in members if one.role == "admin"]
    heard = [one.person for one in members if one in asked or one.person.mail == Mail.AT_ONCE]
    return [person for person in heard if person.mail != Mail.NEVER and person.is_active]


def _said(template: str, content: dict[str, Any], language: str) -> str:
    with translation.override(language):
        return render_to_string(f"analysis/{template}", content)
