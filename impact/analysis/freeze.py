"""Freezing an experiment up to a cut-off: what is settled left the database before, the rest leaves it now."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from typing import Any

from experiments.models import Experiment, Status
from impact.agreements.plan import Plan
from impact.analysis.chunks import Exporter, Piece
from impact.analysis.files import TABLES, content_digest, total
from impact.analysis.instants import microseconds
from impact.analysis.models import Snapshot
from impact.analysis.redrawn import REDRAWN, redrawn
from impact.analysis.settled import settled
from impact.analysis.tables import outcome_types
from impact.analysis.waivers import frozen_waivers
from impact.ledger.models import Feed
from workspaces import clock
from workspaces.facts import insert_new


def freeze(*, experiment: Experiment, plan: Plan, as_of: datetime) -> Snapshot:
    """Write the snapshot's files and its row; the same rows give the same snapshot, in whichever files they are."""
    until = settled()
    pieces = {name: list(Exporter(experiment, plan, name).files(until, as_of)) for name in TABLES}
    files = {name: [piece.file for piece in found if piece.file] for name, found in pieces.items()}
    manifest = {
        "experiment": experiment.key,
        "as_of": as_of.astimezone(UTC).isoformat(),
        "time_zone": experiment.workspace.time_zone,
        "plan_sha256": experiment.plan_sha256,
        "enrolment_over": experiment.status not in (Status.RUNNING, Status.PAUSED),
        "files": {
            name: [{"name": file.name, "rows": file.rows, "sha256": file.sha256} for file in found]
            for name, found in files.items()
        },
        "tables": {name: total(found) for name, found in files.items()},
        "feeds": _feeds(experiment, plan, as_of),
        "redrawn": _redrawn(experiment, pieces["rows"]),
        "waivers": frozen_waivers(experiment),
    }
    snapshot = Snapshot(
        workspace=experiment.workspace,
        experiment=experiment,
        as_of=as_of,
        sha256=content_digest(manifest),
        manifest=manifest,
        created_at=clock.server_now(),
    )
    insert_new([snapshot])
    return Snapshot.objects.within(experiment.workspace).get(experiment=experiment, sha256=snapshot.sha256)


def _redrawn(experiment: Experiment, pieces: list[Piece]) -> dict[str, int]:
    sampled = heapq.nsmallest(REDRAWN, {tuple(one) for piece in pieces for one in piece.sample})
    return redrawn(experiment, [found for _, found in sampled])


def _feeds(experiment: Experiment, plan: Plan, as_of: datetime) -> dict[str, Any]:
    """Until when each type of outcome is complete: as far as the slowest of its sources."""
    heard = Feed.objects.within(experiment.workspace).filter(type__in=outcome_types(plan))
    complete: dict[str, int | None] = dict.fromkeys(outcome_types(plan))
    for feed in heard:
        until = min(microseconds(feed.complete_until), microseconds(as_of))
        known = complete[feed.type]
        complete[feed.type] = until if known is None else min(known, until)
    return complete
