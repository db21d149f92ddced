"""POST /decisions, /executions and files of units, the life of an experiment, and its log of decisions."""

from __future__ import annotations

from typing import Annotated

import msgspec

from experiments.models import Experiment
from experiments.randomization import MILLION
from experiments.rows import DecisionAnswer
from experiments.selectors import decision_log, experiment_named, experiments_of
from experiments.services.decide import decide
from experiments.services.decide_file import enqueue_file
from experiments.services.executions import log_executions
from experiments.services.lifecycle import change_status
from workspaces.api import job_answer
from workspaces.errors import Refusal
from workspaces.rest import Answer, BatchAnswer, Call, batch_answer


class PhaseAnswer(msgspec.Struct):
    """A stretch of time with one set of weights, by arm, and one share of the traffic."""

    number: int
    opened_at: str
    weights: dict[str, int]
    traffic: float


class ExperimentAnswer(msgspec.Struct):
    key: str
    name: str
    status: str
    origin: str
    randomize: str
    layer: str
    arms: list[str]
    baseline: str
    phases: list[PhaseAnswer]


class ExperimentPage(msgspec.Struct):
    experiments: list[ExperimentAnswer]
    next: str | None


class DecisionPage(msgspec.Struct):
    decisions: list[DecisionAnswer]
    next: str | None


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is done; kept in the audit trail."""

    reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


def post_decisions(call: Call) -> DecisionAnswer | BatchAnswer:
    """One decision, or a batch with an answer for every row."""
    decided = decide(workspace=call.workspace, raw=call.rows)
    if not call.single:
        return batch_answer(decided.taken, decided.answers)
    if 0 in decided.answers:
        return decided.answers[0]
    one = decided.taken[0]
    raise Refusal(one.code, one.detail, one.pointer)


def post_assignments(call: Call) -> Answer:
    """A file of units is decided about later; the job says where its answer is."""
    experiment = experiment_named(call.workspace, call.path["key"])
    return Answer(job_answer(enqueue_file(experiment=experiment, chunks=call.body)), status=202)


def post_executions(call: Call) -> BatchAnswer:
    return batch_answer(log_executions(workspace=call.workspace, raw=call.rows))


def get_experiments(call: Call) -> ExperimentPage:
    found, following = experiments_of(call.workspace, call.query)
    return ExperimentPage([experiment_answer(experiment) for experiment in found], following)


def get_decisions(call: Call) -> DecisionPage:
    experiment = experiment_named(call.workspace, call.path["key"])
    return DecisionPage(*decision_log(experiment, call.query))


def post_step(step: str, call: Call) -> ExperimentAnswer:
    """Take a step other than the start."""
    experiment = experiment_named(call.workspace, call.path["key"])
    return experiment_answer(change_status(experiment=experiment, step=step, actor=call.actor, reason=call.body.reason))


def experiment_answer(experiment: Experiment) -> ExperimentAnswer:
    arms = list(experiment.arms.all())
    return ExperimentAnswer(
        experiment.key,
        experiment.name,
        experiment.status,
        experiment.origin,
        experiment.randomizes,
        experiment.layer,
        [arm.key for arm in arms],
        next(arm.key for arm in arms if arm.is_baseline),
        [
            PhaseAnswer(phase.number, phase.opened_at.isoformat(), phase.weights, phase.traffic_ppm / MILLION)
            for phase in experiment.phases.all()
        ],
    )
