"""Deciding: from predictions to actions, each drawn with a known probability, recorded, and never moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from experiments.answers import answer
from experiments.counters import hold_episodes
from experiments.models import Assignment, Decision, EpisodeCounter
from experiments.rows import DecisionAnswer, DecisionRow
from experiments.services.choose import Request, choose, fill
from experiments.services.enter import draw_arms
from experiments.setup import Point, points
from predictions.models import ModelVersion
from predictions.services import prediction_of, versions_of
from workspaces import clock
from workspaces.canonical import digest
from workspaces.errors import Invalid, Refusal
from workspaces.facts import insert_new, stored
from workspaces.identifiers import new_id
from workspaces.models import Workspace
from workspaces.services.facts import Taken, conflict, parse_rows, quarantine, reject

LONGEST_STRATUM = Assignment._meta.get_field("stratum").max_length or 0


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of each row, in the order sent, and the answers by index."""

    taken: list[Taken]
    answers: dict[int, DecisionAnswer]


def decide(*, workspace: Workspace, raw: Sequence[Any]) -> Decided:
    """Decide a batch; a row that was sent before gets its first answer again."""
    decided = Decided([], {})
    rows, rejected = parse_rows(raw, DecisionRow)
    decided.taken.extend(rejected)
    try:
        with transaction.atomic():
            fresh = _answer_replays(workspace, rows, decided)
            requests = _requests(workspace, fresh, decided)
            _settle(workspace, requests, decided)
    except IntegrityError as error:
        raise Refusal("busy", "This unit was decided about in two places at once; send the request again.") from error
    decided.taken.sort(key=lambda one: one.index)
    return decided


def _answer_replays(workspace: Workspace, rows: Mapping[int, DecisionRow], decided: Decided) -> dict[int, DecisionRow]:
    """Answer the rows whose event is stored, and return the others."""
    known = stored(Decision, workspace, {(row.source, row.event_id) for row in rows.values()})
    first = Decision.objects.within(workspace).select_related("action", "assignment__experiment", "assignment__arm")
    decisions = first.in_bulk([pk for pk, _ in known.values()]) if known else {}
    fresh = {}
    for index, row in rows.items():
        pk, content = known.get((row.source, row.event_id), (None, ""))
        if pk is None:
            fresh[index] = row
        elif content == digest(row.content()):
            decided.answers[index] = answer(decisions[pk], replayed=True)
            decided.taken.append(Taken(index, "duplicate", pk))
        else:
            decided.taken.append(quarantine(workspace, "decision", index, row, conflict(row)))
    return fresh


def _requests(workspace: Workspace, rows: Mapping[int, DecisionRow], decided: Decided) -> list[Request]:
    """Check the rows against what is declared; refused ones are said to be so."""
    known = points(workspace)
    versions = versions_of(workspace, (row.prediction for row in rows.values()))
    requests = []
    for index, row in rows.items():
        try:
            requests.append(_request(workspace, known, versions, index, row))
        except Invalid as refusal:
            decided.taken.append(reject(index, refusal))
        except Refusal as refusal:
            decided.taken.append(quarantine(workspace, "decision", index, row, refusal))
    return requests


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
        prediction = prediction_of(versions, row.unit_id, row.prediction, at)
    except Refusal as refusal:
        raise type(refusal)(refusal.code, refusal.detail, f"/prediction{refusal.pointer}") from refusal
    fact = {
        "workspace": workspace,
        "source": row.source,
        "event_id": row.event_id,
        "digest": digest(row.content()),
        "received_at": at,
    }
    for name, value in fact.items():
        setattr(prediction, name, value)
    decision = Decision(
        id=new_id(),
        decision_point=point.point,
        unit_id=row.unit_id,
        cluster_id=row.cluster_id or "",
        prediction=prediction,
        score=row.prediction.score,
        decided_at=at,
        **fact,
    )
    return Request(index, row, point, decision, prediction)


def _check_stratum(point: Point, row: DecisionRow) -> None:
    stratum = point.running.stratum(row) if point.running else ""
    if len(stratum) > LONGEST_STRATUM:
        raise Invalid(
            "invalid-field",
            f"the stratum {stratum[:40]!r}... has {len(stratum)} characters, at most {LONGEST_STRATUM} are kept; "
            "send shorter labels of what the experiment is stratified by",
            "/prediction/features",
        )


def _settle(workspace: Workspace, requests: Sequence[Request], decided: Decided) -> None:
    """Decide and store the requests: the episodes are held, so nobody else decides about these units now."""
    episodes = hold_episodes(workspace, (request.scope for request in requests))
    by_event = sorted(requests, key=lambda request: (request.row.source, request.row.event_id))
    # whoever stores the event's prediction decides the event; the others are told what was decided
    first = insert_new([request.prediction for request in by_event])
    mine = [request for request in requests if request.prediction.pk in first]
    assignments = _assignments(mine)
    for request in mine:
        choose(request, episodes[request.scope], assignments)
    entering = draw_arms(workspace, mine)
    for request in mine:
        fill(request)
    Assignment.objects.bulk_create(entering)
    opened = {request.scope for request in mine if request.opens}
    EpisodeCounter.objects.bulk_update([episodes[scope] for scope in sorted(opened)], ["number", "opened_at"])
    Decision.objects.bulk_create([request.decision for request in mine])
    for request in mine:
        decided.answers[request.index] = answer(request.decision, replayed=False)
        decided.taken.append(Taken(request.index, "accepted", request.decision.pk))
    lost = _answer_replays(workspace, {r.index: r.row for r in requests if r.prediction.pk not in first}, decided)
    for index, row in lost.items():  # an event that is only logged as a prediction
        decided.taken.append(quarantine(workspace, "decision", index, row, conflict(row)))
    if mine:
        clock.advance(workspace, max(request.decision.decided_at for request in mine))


def _assignments(requests: Sequence[Request]) -> dict[tuple[Any, str], Assignment]:
    """Every assignment of these requests' units, by experiment and randomization key."""
    by_experiment: dict[Any, set[str]] = {}
    for request in requests:
        if request.running:
            by_experiment.setdefault(request.running.experiment, set()).add(request.row.unit_id)
    return {
        (assignment.experiment_id, assignment.randomization_key): assignment
        for experiment, units in by_experiment.items()
        for assignment in Assignment.objects.filter(experiment=experiment, unit_id__in=units).select_related(
            "arm", "experiment"
        )
    }
