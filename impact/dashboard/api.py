"""GET /experiments/{key}/results."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from experiments.selectors import experiment_named
from impact.analysis.selectors import newest_analysis
from impact.figures.forms import LANGUAGES
from impact.figures.sentences import completed
from workspaces.errors import Missing, Refusal
from workspaces.rest import Call


def get_results(call: Call) -> dict[str, Any]:
    """The newest document, said in English unless asked otherwise."""
    experiment = experiment_named(call.workspace, call.path["key"])
    analysis = newest_analysis(experiment, _time(call.query.get("as_of")))
    if analysis is None:
        raise Missing("analysis of", experiment.key)
    language = call.query.get("language", "en")
    if language not in LANGUAGES:
        raise Refusal("invalid-parameter", f"language == {language!r}, must be one of {', '.join(LANGUAGES)}")
    document = completed(analysis.document, language, (experiment.plan or {}).get("case"))
    if "segment" in call.query:
        by, _, value = call.query["segment"].partition(":")
        document["segments"] = [one for one in document["segments"] if (one["by"], one["value"]) == (by, value)]
        if not document["segments"]:
            raise Missing("segment", call.query["segment"])
    return document


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        # a plus sign in a query arrives as a blank
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refusal(
            "invalid-parameter", f"as_of == {text!r}, must be a time with its zone, like 2026-01-31T12:00:00Z"
        )
    return at
