"""POST /outcomes, /costs and /feeds/{source}/heartbeat."""

from impact.ledger.rows import FeedAnswer
from impact.ledger.services import hear_feed, log_costs, log_outcomes
from workspaces.rest import BatchAnswer, Call, batch_answer
from workspaces.strict import Id, convert


def post_outcomes(call: Call) -> BatchAnswer:
    return batch_answer(log_outcomes(workspace=call.workspace, raw=call.rows))


def post_costs(call: Call) -> BatchAnswer:
    return batch_answer(log_costs(workspace=call.workspace, raw=call.rows))


def post_heartbeat(call: Call) -> FeedAnswer:
    feed = hear_feed(workspace=call.workspace, source=convert(call.path["source"], Id), heartbeat=call.body)
    return FeedAnswer(feed.source, feed.type, feed.complete_until)
