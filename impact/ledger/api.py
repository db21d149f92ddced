"""POST /outcomes, /costs and /feeds/{source}/heartbeat; files of facts, and why some of their rows aren't stored."""

from impact.ledger.imports.load import IMPORT, enqueue_import
from impact.ledger.rows import FeedAnswer
from impact.ledger.services import hear_feed, log_costs, log_outcomes
from workspaces.api import job_answer, job_named
from workspaces.errors import Missing, Refusal
from workspaces.files import answer_file
from workspaces.models import Job
from workspaces.rest import Answer, BatchAnswer, Call, batch_answer
from workspaces.strict import Id, convert


def post_outcomes(call: Call) -> BatchAnswer:
    return batch_answer(log_outcomes(workspace=call.workspace, raw=call.rows))


def post_costs(call: Call) -> BatchAnswer:
    return batch_answer(log_costs(workspace=call.workspace, raw=call.rows))


def post_heartbeat(call: Call) -> FeedAnswer:
    feed = hear_feed(workspace=call.workspace, source=convert(call.path["source"], Id), heartbeat=call.body)
    return FeedAnswer(feed.source, feed.type, feed.complete_until)


def post_imports(call: Call) -> Answer:
    """A file of facts is taken in later; the job says how far it is and how many rows ended where."""
    many = call.query.get("kind", "")
    if many == "predictions" and "predict" not in call.key.scopes:
        raise Refusal("scope-missing", f"This key lacks the scope 'predict'; it has {call.key.scopes}.")
    return Answer(job_answer(enqueue_import(workspace=call.workspace, many=many, chunks=call.body)), status=202)


def get_reasons(call: Call) -> Answer:
    """Row by row why the rows of an import are in quarantine or nowhere, once it is done."""
    job = job_named(call)
    if job.kind != IMPORT:
        raise Missing("import", str(job.pk))
    if job.state != Job.State.DONE:
        raise Refusal("wrong-status", f"The import is {job.state}; fetch its reasons when it is done.")
    return Answer(answer_file(job))
