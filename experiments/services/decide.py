"""Deciding: from predictions to actions, each drawn with a known probability, recorded, and never moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from experiments.assigned import Episodes
from experiments.capacity import Period, Used
from experiments.counters import Scope, hold_episodes, hold_used, keep_used
from experiments.known import Known, read_known
from experiments.models import Assignment, ClusterArm
from experiments.rows import ChosenAction, DecisionAnswer, DecisionRow
from experiments.services.choose import Request, choose
from experiments.services.enter import draw_arms
from experiments.services.fill import fill
from experiments.services.store import store
from experiments.setup import Point, points
from predictions.models import ModelVersion
from predictions.services import version_of, versions_of
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Invalid, Refusal
from workspaces.models import Workspace
from workspaces.services.facts import Taken, conflict, parse_rows, quarantine, reject

# whoever fails without holding the units waits for them, so that a few tries see everybody through
HELD_TRIES = 8
LONGEST_STRATUM = Assignment._meta.get_field("stratum").max_length or 0


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of each row, in the order sent, and the answers by index."""

    taken: list[Taken]
    answers: dict[int, DecisionAnswer]


def decide(*, workspace: Workspace, raw: Sequence[Any]) -> Decided:
    """Decide a batch; a row that was sent before gets its first answer again."""
    rows, rejected = parse_rows(raw, DecisionRow)
    decided = Decided(rejected, {})
    while rows:
        first, rows = _one_an_event(rows)
        _decide_or_wait(workspace, first, decided)
    decided.taken.sort(key=lambda one: one.index)
    return decided


def _one_an_event(rows: Mapping[int, DecisionRow]) -> tuple[dict[int, DecisionRow], dict[int, DecisionRow]]:
    """Split a batch into the first row of each event, and the rows that come after their like."""
    first: dict[tuple[str, str], int] = {}
    for index, row in rows.items():
        first.setdefault((row.source, row.event_id), index)
    if len(first) == len(rows):
        return dict(rows), {}
    chosen = set(first.values())
    return (
        {index: row for index, row in rows.items() if index in chosen},
        {index: row for index, row in rows.items() if index not in chosen},
    )


def _decide_or_wait(workspace: Workspace, rows: Mapping[int, DecisionRow], decided: Decided) -> None:
    """Decide without waiting; if somebody decided about these units meanwhile, once more, while they are held.

    Where everybody waits for a counter, of an action's capacity or a stratum's blocks, the units are held from the
    start, and so always before it: two that took them in turns would wait for each other.
    """
    if not _shares_counters(workspace, rows):
        try:
            _decide(workspace, rows, decided)
            return
        except IntegrityError:
            pass  # a constraint refused everything that was to be stored
    with transaction.atomic():
        hold_episodes(workspace, _scopes(workspace, rows))
        for _ in range(HELD_TRIES):
            try:
                with transaction.atomic():
                    _decide(workspace, rows, decided)
                return
            except IntegrityError:
                pass  # somebody who doesn't hold them came between; what he stored is read now
        raise Refusal("busy", "These units were decided about in many places at once; send the request again.")


def _shares_counters(workspace: Workspace, rows: Mapping[int, DecisionRow]) -> bool:
    known = points(workspace)
    return any(known[key].shares_counters for key in {row.decision_point for row in rows.values()} if key in known)


def _scopes(workspace: Workspace, rows: Mapping[int, DecisionRow]) -> list[Scope]:
    known = points(workspace)
    return [
        (row.decision_point, known[row.decision_point].scope(row))
        for row in rows.values()
        if row.decision_point in known
    ]


def _decide(workspace: Workspace, rows: Mapping[int, DecisionRow], decided: Decided) -> None:
    """Read what is known, decide what is new, and store it: all or nothing."""
    known = _read(workspace, rows)
    requests, refused = _requests(workspace, _fresh(rows, known))
    periods = _periods(requests)
    used = Used()
    if not periods:
        for request in requests:
            choose(request, _episodes(known, request.scope), known, used)
    in_steps = workspace.simulated or any(request.point.shares_counters for request in requests)
    with transaction.atomic() if requests and in_steps else nullcontext():
        if periods:
            clusters = _within_capacity(workspace, requests, known, periods)
        else:
            clusters = draw_arms(workspace, requests)
            for request in requests:
                fill(request, used)
        store(workspace, requests, clusters, known.episodes)
        if requests:
            clock.advance(workspace, max(request.at for request in requests))
    for request in requests:
        decided.answers[request.index] = _answer(request)
        decided.taken.append(Taken(request.index, "accepted", request.id))
    for index, refusal in refused.items():
        invalid = isinstance(refusal, Invalid)
        decided.taken.append(
            reject(index, refusal) if invalid else quarantine(workspace, "decision", index, rows[index], refusal)
        )
    _answer_replays(workspace, rows, known, decided)


def _periods(requests: Iterable[Request]) -> set[Period]:
    """Actions of which there is only so much, with the periods of the requests."""
    return {
        (action, capacity.period(request.at))
        for request in requests
        for action, capacity in request.point.capacities.items()
    }


def _within_capacity(
    workspace: Workspace, requests: Sequence[Request], known: Known, periods: set[Period]
) -> list[ClusterArm]:
    """Choose, draw and fill one after the other: what one takes, the next doesn't have."""
    used, held = hold_used(workspace, periods)
    clusters: list[ClusterArm] = []
    for request in requests:
        choose(request, _episodes(known, request.scope), known, used)
        clusters += draw_arms(workspace, [request])
        fill(request, used)
    keep_used(used, held)
    return clusters


def _read(workspace: Workspace, rows: Mapping[int, DecisionRow]) -> Known:
    """Read what is stored, by the configuration as it is now."""
    known = read_known(workspace, points(workspace), rows)
    if known.audit_length != workspace.audit_length:
        workspace.refresh_from_db()
        known = read_known(workspace, points(workspace), rows)
    workspace.clock_at = known.clock_at
    return known


def _fresh(rows: Mapping[int, DecisionRow], known: Known) -> dict[int, DecisionRow]:
    return {index: row for index, row in rows.items() if index not in known.decisions and index not in known.predicted}


def _answer_replays(workspace: Workspace, rows: Mapping[int, DecisionRow], known: Known, decided: Decided) -> None:
    """Answer the rows whose event is stored; with other content, or as a mere prediction, it is a conflict."""
    for index in sorted([*known.decisions, *known.predicted]):
        row, stored = rows[index], known.decisions.get(index)
        if stored and stored.digest == digest(row):
            decided.answers[index] = stored.answer
            decided.taken.append(Taken(index, "duplicate", stored.pk))
        else:
            decided.taken.append(quarantine(workspace, "decision", index, row, conflict(row)))


def _requests(workspace: Workspace, rows: Mapping[int, DecisionRow]) -> tuple[list[Request], dict[int, Refusal]]:
    """Check the rows against what is declared."""
    known, versions = points(workspace), versions_of(workspace)
    requests, refused = [], {}
    for index, row in rows.items():
        try:
            requests.append(_request(workspace, known, versions, index, row))
        except Refusal as refusal:
            refused[index] = refusal
    return requests, refused


def _episodes(known: Known, scope: Scope) -> Episodes:
    if scope not in known.episodes:
        known.episodes[scope] = Episodes()
    return known.episodes[scope]


def _request(
    workspace: Workspace,
    known: Mapping[str, Point],
    versions: Mapping[tuple[str, str], ModelVersion],
    index: int,
    row: DecisionRow,
) -> Request:
    at = clock.received_at(workspace, row.at)
    point = known.get(row.decision_point)
    if point is None:
        raise Refusal(
            "unknown-decision-point",
            f"There is no decision point {row.decision_point!r}; declare it with apply, then send the row again",
            "/decision_point",
        )
    if row.prediction.model != point.point.model.key:
        raise Invalid(
            "invalid-field",
            f"model == {row.prediction.model!r}, but {row.decision_point} decides from {point.point.model.key}",
            "/prediction/model",
        )
    if point.point.cluster and row.cluster_id is None:
        raise Invalid("invalid-field", f"cluster_id is missing: send the {point.point.cluster}", "/cluster_id")
    if row.forced and row.forced.action not in point.point.candidates:
        raise Invalid(
            "invalid-field",
            f"action == {row.forced.action!r}, {row.decision_point} has {', '.join(point.point.candidates)}",
            "/forced/action",
        )
    _check_stratum(point, row)
    try:
        version = version_of(versions, row.prediction, at)
    except Refusal as refusal:
        raise type(refusal)(refusal.code, refusal.detail, f"/prediction{refusal.pointer}") from refusal
    return Request(index, row, point, (row.decision_point, point.scope(row)), version, at)


def _check_stratum(point: Point, row: DecisionRow) -> None:
    for running in point.experiments:
        stratum = running.stratum(row) if running.experiment.strata else ""
        if len(stratum) > LONGEST_STRATUM:
            raise Invalid(
                "invalid-field",
                f"the stratum {stratum[:40]!r}... has {len(stratum)} characters, at most {LONGEST_STRATUM} are kept; "
                "send shorter labels of what the experiment is stratified by",
                "/prediction/features",
            )


def _answer(request: Request) -> DecisionAnswer:
    """Say a decision that was just made; ``answers`` says those that are stored."""
    action, assignment, matures_at = request.action, request.assignment, request.matures_at
    assert action is not None
    assert matures_at is not None
    return DecisionAnswer(
        decision_id=request.id,
        unit_id=request.row.unit_id,
        action=ChosenAction(action.key, action.parameters),
        mode=request.mode,
        experiment=assignment.running.experiment.key if assignment else None,
        arm=assignment.arm.key if assignment and assignment.arm else None,
        propensity=request.probabilities[action.key],
        probabilities=request.probabilities,
        ineligible=request.refused,
        decided_at=request.at.isoformat(),
        matures_at=matures_at.isoformat(),
        replayed=False,
    )
