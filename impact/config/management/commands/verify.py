"""Draw every arm again, recompute snapshots, analyses and the audit chain; say what differs."""

from __future__ import annotations

import sys
from typing import Any

from django.db.models import Count

from experiments.draws import redraw
from experiments.models import Assignment
from impact.analysis.models import Analysis, HoldoutEffect
from impact.analysis.services import differing
from impact.config.terminal import Command as BaseCommand
from impact.reports.models import Report
from workspaces.canonical import digest
from workspaces.models import Workspace
from workspaces.services import audit


class Command(BaseCommand):
    help = "Draw every arm again, recompute every analysis, check every digest; exit 1 with what differs."

    def handle(self, **options: Any) -> None:
        wrong: list[str] = []
        for workspace in Workspace.objects.order_by("key"):
            broken = audit.broken_at(workspace)
            if broken is not None:
                wrong.append(f"{workspace.key}: the audit chain breaks at entry {broken}")
            keys = Assignment.objects.within(workspace).values("experiment", "randomization_key")
            twice = keys.annotate(n=Count("arm", distinct=True))
            if twice.filter(n__gt=1).exists():
                wrong.append(f"{workspace.key}: a key has two arms in one experiment")
            wrong += (f"{workspace.key}: {line}" for line in redraw(workspace))
            for report in Report.objects.within(workspace):
                if digest(report.content) != report.sha256:
                    wrong.append(f"{workspace.key}: report {report.number} was altered")
            for effect in HoldoutEffect.objects.within(workspace):
                if digest(effect.content) != effect.sha256:
                    wrong.append(f"{workspace.key}: what the holdout measured by {effect.as_of} was altered")
        analyses = Analysis.objects.select_related("snapshot__workspace", "experiment__workspace")
        for analysis in analyses.order_by("pk").iterator():
            wrong += differing(analysis)
        for line in wrong:
            self.stdout.write(line)
        self.stdout.write(f"{analyses.count()} analyses recomputed, {len(wrong)} differences")
        if wrong:
            sys.exit(1)
