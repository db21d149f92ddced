"""POST /experiments/{key}/start."""

from experiments.api import ExperimentAnswer, experiment_answer
from experiments.selectors import experiment_named
from impact.agreements.services import start_experiment
from workspaces.rest import Call


def post_start(call: Call) -> ExperimentAnswer:
    experiment = experiment_named(call.workspace, call.path["key"])
    return experiment_answer(start_experiment(experiment=experiment, actor=call.actor))
