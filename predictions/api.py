"""POST /predictions."""

from predictions.services import log_predictions
from workspaces.rest import BatchAnswer, Call, batch_answer


def post_predictions(call: Call) -> BatchAnswer:
    return batch_answer(log_predictions(workspace=call.workspace, raw=call.rows))
