"""Freezing an experiment up to a cut-off: rows and events leave the database once, as Parquet with their digest."""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.db import transaction
from django.db.models import F

from experiments.models import Arm, Assignment, Decision, Experiment, Status
from impact.agreements.plan import Plan
from impact.analysis.done import NOTHING, executed, first_scores, redrawn
from impact.analysis.models import Snapshot
from impact.analysis.waivers import frozen_waivers
from impact.ledger.models import Cost, Feed, Outcome
from workspaces import clock
from workspaces.canonical import digest
from workspaces.facts import insert_new

ROWS_A_PART = 250_000
DAY = 24 * 3600 * 1_000_000

TEXT, NUMBER, MICROSECONDS = pa.string(), pa.float64(), pa.int64()
COLUMNS = {
    "decisions": {"unit": TEXT, "at": MICROSECONDS, "action": TEXT, "mode": TEXT, "propensity": NUMBER, "row": TEXT},
    "outcomes": {"unit": TEXT, "at": MICROSECONDS, "type": TEXT, "value": NUMBER},
    "costs": {"unit": TEXT, "at": MICROSECONDS, "category": TEXT, "value": NUMBER, "estimated": pa.bool_()},
}
ROWS = {
    "row": TEXT, "unit": TEXT, "opened_at": MICROSECONDS, "matures_at": MICROSECONDS, "arm": TEXT, "stratum": TEXT,
    "phase": TEXT, "cluster": TEXT, "propensity": NUMBER, "planned_cost": NUMBER, "score": NUMBER, "done": TEXT,
    "did": TEXT, "otherwise": pa.bool_(),
}  # fmt: skip


def freeze(*, experiment: Experiment, plan: Plan, as_of: datetime) -> Snapshot:
    """Write the snapshot's files and its row; the same rows give the same snapshot."""
    pseudonym = _pseudonyms(experiment.workspace.pseudonym_key)
    with transaction.atomic():
        tables = {"rows": list(_rows(experiment, plan, as_of, pseudonym))} | _events(experiment, plan, as_of, pseudonym)
        feeds = _feeds(experiment, plan, as_of)
        again = redrawn(experiment, as_of, pseudonym)
        waivers = frozen_waivers(experiment)
    parts = max(1, math.ceil(len(tables["rows"]) / ROWS_A_PART))
    root = settings.DATA_DIR / "snapshots" / experiment.workspace.key
    root.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=root, prefix=".draft-"))
    try:
        files = [
            _write(draft, name, part, _schema(name, plan), [row for row in rows if _part(row["unit"], parts) == part])
            for name, rows in tables.items()
            for part in range(parts)
        ]
        manifest = {
            "experiment": experiment.key,
            "as_of": as_of.astimezone(UTC).isoformat(),
            "plan_sha256": experiment.plan_sha256,
            "enrolment_over": experiment.status not in (Status.RUNNING, Status.PAUSED),
            "parts": parts,
            "files": files,
            "feeds": feeds,
            "rows": {name: len(rows) for name, rows in tables.items()},
            "redrawn": again,
            "waivers": waivers,
            "assigned": sum(1 for decision in tables["decisions"] if decision["row"]),
        }
        sha256 = digest(manifest)
        home = directory(experiment.workspace.key, sha256)
        if not home.exists():
            with_contents_on_disk(draft)
            os.replace(draft, home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    snapshot = Snapshot(
        workspace=experiment.workspace,
        experiment=experiment,
        as_of=as_of,
        sha256=sha256,
        manifest=manifest,
        created_at=clock.server_now(),
    )
    insert_new([snapshot])
    return Snapshot.objects.within(experiment.workspace).get(experiment=experiment, sha256=sha256)


def directory(workspace_key: str, sha256: str) -> Path:
    """Where a snapshot's files are."""
    return settings.DATA_DIR / "snapshots" / workspace_key / sha256


def damaged(snapshot: Snapshot) -> list[str]:
    """Names of the snapshot's files that are missing or whose content isn't what was frozen."""
    home = directory(snapshot.workspace.key, snapshot.sha256)
    wrong = [file["name"] for file in snapshot.manifest["files"] if _sha256(home / file["name"]) != file["sha256"]]
    return wrong if wrong or digest(snapshot.manifest) == snapshot.sha256 else ["manifest"]


def with_contents_on_disk(folder: Path) -> None:
    """Make sure that a power cut after the move can't leave empty files behind."""
    for path in [*folder.iterdir(), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _rows(
    experiment: Experiment, plan: Plan, as_of: datetime, pseudonym: Callable[[str], str]
) -> Iterable[dict[str, Any]]:
    planned = {arm.key: arm.planned_cost for arm in plan.arms}
    by_policy = _planned_by_action(experiment, as_of) if any(arm.is_policy for arm in plan.arms) else {}
    chosen = _choices(experiment, plan, as_of) if plan.policies else {}
    scores = first_scores(experiment, as_of) if experiment.is_live else {}
    done = executed(experiment, as_of) if experiment.is_live else {}
    assignments = Assignment.objects.within(experiment.workspace).filter(
        experiment=experiment, first_decision_at__lte=as_of
    )
    found = assignments.values_list(
        "randomization_key", "unit_id", "cluster_id", "arm__key", "stratum", "phase", "propensity",
        "first_decision_at", "matures_at", "covariates", "segments", "pk",
    )  # fmt: skip
    for (
        key, unit, cluster, arm, stratum, phase, propensity, opened, matures, covariates, segments, pk,
    ) in found.iterator():  # fmt: skip
        yield {
            "row": pseudonym(_row(experiment, key, unit)),
            "unit": pseudonym(unit),
            "opened_at": microseconds(opened),
            "matures_at": microseconds(matures),
            "arm": arm,
            "stratum": stratum,
            "phase": phase,
            # errors are counted by what was randomized
            "cluster": pseudonym(key) if experiment.in_clusters else pseudonym(cluster) if cluster else "",
            "propensity": propensity,
            "planned_cost": by_policy.get(pk, planned[arm]),
            "score": scores.get(pk),
            "done": done.get(pk, NOTHING).state,
            "did": done.get(pk, NOTHING).arm,
            "otherwise": done.get(pk, NOTHING).otherwise,
            **{f"covariate {name}": covariates.get(name) for name in plan.covariates},
            **{f"segment {name}": segments.get(name, "") for name in plan.segments},
            **{f"policy {policy.key}": chosen.get(pk, {}).get(policy.key, "") for policy in plan.policies},
        }


def _row(experiment: Experiment, key: str, unit: str) -> str:
    """Name a row of analysis: the key that was drawn, and of a cluster's the unit."""
    return f"{key}\x1f{unit}" if experiment.in_clusters else key


def _first_decisions(experiment: Experiment, as_of: datetime) -> Any:
    return Decision.objects.within(experiment.workspace).filter(
        assignment__experiment=experiment, decided_at=F("assignment__first_decision_at"), decided_at__lte=as_of
    )


def _planned_by_action(experiment: Experiment, as_of: datetime) -> dict[UUID, float]:
    """Assignment -> what the action is planned to cost that a policy gave its unit first."""
    given = _first_decisions(experiment, as_of).filter(assignment__arm__policy__isnull=False)
    return {
        one.assignment_id: one.action.planned_cost
        for one in given.select_related("action")
        .only("assignment_id", "action__fixed_cost", "action__acceptance_share", "action__contingent_cost")
        .iterator(chunk_size=2000)
    }


def _choices(experiment: Experiment, plan: Plan, as_of: datetime) -> dict[UUID, dict[str, str]]:
    """Assignment -> the arm that each policy was sure of at the first decision; a policy that is an arm is that one."""
    arms = {key: arm.key for arm in experiment.arms.select_related("action", "policy") if (key := _single(arm))}
    of_policy = {arm.policy: arm.key for arm in plan.arms if arm.policy}
    logged = {f"{policy.key}@{policy.version}": policy.key for policy in plan.policies}
    are_arms = {key: of_policy[name] for name, key in logged.items() if name in of_policy}
    chosen: dict[UUID, dict[str, str]] = {}
    found = _first_decisions(experiment, as_of).values_list("assignment_id", "would_have")
    for pk, would_have in found.iterator():
        of = chosen.setdefault(pk, dict(are_arms))
        for name, probabilities in would_have.items():
            sure = [action for action, probability in probabilities.items() if probability == 1]
            if name in logged and logged[name] not in are_arms and sure and sure[0] in arms:
                of[logged[name]] = arms[sure[0]]
    return chosen


def _single(arm: Arm) -> str:
    """The action that an arm gives to everybody, if it is one."""
    if arm.policy:
        return str(arm.policy.content.get("action", ""))
    return arm.action.key if arm.action else ""


def _events(
    experiment: Experiment, plan: Plan, as_of: datetime, pseudonym: Callable[[str], str]
) -> dict[str, list[dict[str, Any]]]:
    workspace = experiment.workspace
    units = Assignment.objects.within(workspace).filter(experiment=experiment).values("unit_id")
    since = experiment.started_at or experiment.created_at
    happened = {"unit_id__in": units, "received_at__lte": as_of, "occurred_at__lte": as_of}
    before = timedelta(days=max((one.days for one in plan.earlier), default=0.0))
    outcomes = Outcome.objects.within(workspace).filter(
        type__in=outcome_types(plan), occurred_at__gte=since - before, **happened
    )
    costs = Cost.objects.within(workspace).filter(occurred_at__gte=since, **happened)
    decided = Decision.objects.within(workspace).filter(decided_at__range=(since, as_of))
    if experiment.decision_point_id:
        decided = decided.filter(decision_point__key=experiment.decision_point.key)  # type: ignore[union-attr]
    else:
        decided = decided.filter(assignment__experiment=experiment)
    found: dict[str, Any] = {
        "decisions": decided.values_list(
            "unit_id", "decided_at", "action__key", "mode", "propensity", "assignment__randomization_key",
            "assignment__experiment_id",
        ),
        "outcomes": outcomes.values_list("unit_id", "occurred_at", "type", "value"),
        "costs": costs.values_list("unit_id", "occurred_at", "category", "amount", "estimated"),
    }  # fmt: skip
    tables: dict[str, list[dict[str, Any]]] = {}
    for name, rows in found.items():
        names = list(COLUMNS[name])
        tables[name] = []
        for unit, at, *rest in rows.iterator():
            if name == "decisions":
                *rest, key, of = rest
                rest.append(pseudonym(_row(experiment, key, unit)) if of == experiment.pk else "")
            tables[name].append(dict(zip(names, (pseudonym(unit), microseconds(at), *rest), strict=True)))
    return tables


def _feeds(experiment: Experiment, plan: Plan, as_of: datetime) -> dict[str, int | None]:
    """Until when each type of outcome is complete: as far as the slowest of its sources."""
    heard = Feed.objects.within(experiment.workspace).filter(type__in=outcome_types(plan))
    complete: dict[str, int | None] = dict.fromkeys(outcome_types(plan))
    for feed in heard:
        until = min(microseconds(feed.complete_until), microseconds(as_of))
        known = complete[feed.type]
        complete[feed.type] = until if known is None else min(known, until)
    return complete


def outcome_types(plan: Plan) -> list[str]:
    terms = [term for metric in plan.metrics for term in (metric.term, metric.per) if term]
    counted = {term.outcome for term in terms + (plan.net.value if plan.net else [])}
    return sorted(counted | {one.outcome for one in plan.earlier})


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970, which no time zone changes."""
    since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _pseudonyms(key: str) -> Callable[[str], str]:
    secret = key.encode()
    known: dict[str, str] = {}

    def pseudonym(name: str) -> str:
        if name not in known:
            known[name] = hmac.digest(secret, name.encode(), "sha256").hex()[:24]
        return known[name]

    return pseudonym


def _part(unit: str, parts: int) -> int:
    return int(unit[:8], 16) * parts >> 32


def _schema(name: str, plan: Plan) -> Mapping[str, pa.DataType]:
    if name != "rows":
        return COLUMNS[name]
    return (
        ROWS
        | {f"covariate {covariate}": NUMBER for covariate in plan.covariates}
        | {f"segment {segment}": TEXT for segment in plan.segments}
        | {f"policy {policy.key}": TEXT for policy in plan.policies}
    )


def _write(
    folder: Path, name: str, part: int, schema: Mapping[str, pa.DataType], rows: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Write one part, sorted by all its columns: no order of the database shows."""
    table = pa.table({column: pa.array([row[column] for row in rows], kind) for column, kind in schema.items()})
    table = table.sort_by([(column, "ascending") for column in schema])
    file = f"{part:04d}-{name}.parquet"
    pq.write_table(table, folder / file, compression="zstd")
    return {"name": file, "rows": table.num_rows, "sha256": _sha256(folder / file)}


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
