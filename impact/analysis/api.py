"""POST /experiments/{key}/analyses."""

from experiments.selectors import experiment_named
from impact.analysis.queue import enqueue_analysis
from workspaces import clock
from workspaces.api import JobAnswer, job_answer
from workspaces.rest import Answer, Call


def post_analysis(call: Call) -> Answer:
    experiment = experiment_named(call.workspace, call.path["key"])
    job: JobAnswer = job_answer(enqueue_analysis(experiment=experiment, as_of=clock.now(call.workspace)))
    return Answer(job, status=202)
