"""Where the documents say more about a term of the glossary than its definition."""

from __future__ import annotations

from typing import NamedTuple

from impact.dashboard.documents import DOCUMENTS, Document

STATISTICS, MODEL = "statistics#the-methods", "statistics#the-model-itself"
CHAPTERS = {
    "policy": "api#policies", "randomization key": "api#what-is-drawn", "cluster": "api#what-is-drawn",
    "cluster period": "api#what-is-drawn", "holdout": "api#layers", "layer": "api#layers", "phase": "api#ramps",
    "propensity": "api#the-draw", "decision": "api#modes-of-a-decision", "capacity": "api#capacity",
    "metric": "api#metrics", "quarantine": "api#rules", "feed": "api#what-may-arrive", "stratum": "api#what-is-drawn",
    "waiver": "checks#waivers", "guardrail": STATISTICS, "CACE": STATISTICS, "effect": "statistics#what-is-estimated",
    "lift": STATISTICS, "ROI": STATISTICS, "planned look": STATISTICS, "always-valid range": STATISTICS,
    "sample ratio": STATISTICS, "design effect": STATISTICS, "value ladder": STATISTICS, "drift": MODEL, "AUC": MODEL,
    "Brier score": MODEL, "run-rate": "finance", "booked": "finance", "NPV": "finance", "payback": "finance",
    "net value": "reading#the-six-words", "verdict": "reading", "agreement": "checks#before-the-start",
}  # fmt: skip


class Chapter(NamedTuple):
    """A document, and the place in it."""

    document: Document
    anchor: str


def chapter_of(term: str) -> Chapter | None:
    """The chapter about a term, by its English name; None where its definition is all there is to say."""
    name, _, anchor = CHAPTERS.get(term, "").partition("#")
    return Chapter(DOCUMENTS[name], anchor) if name else None
