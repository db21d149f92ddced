"""A typed client of Impact that retries, sends in batches, and keeps on disk what it can't deliver."""

from .client import Client
from .rows import Action, Cost, Decision, Event, Execution, Outcome, Prediction, Question, new_event_id
from .wire import Away, Refused

__all__ = [
    "Action",
    "Away",
    "Client",
    "Cost",
    "Decision",
    "Event",
    "Execution",
    "Outcome",
    "Prediction",
    "Question",
    "Refused",
    "new_event_id",
]
