"""A results document as a few lines for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.figures.executive import effect_rows, measured_in
from impact.figures.sentences import level_word


def summary(document: Mapping[str, Any]) -> str:
    """Verdict, figures and failed checks."""
    verdict = document["verdict"]
    lines = [
        f"{document['name']}: {level_word(verdict['level'], 'en').upper()}",
        f"  {verdict['sentence']}",
        f"  {verdict['next_step']}",
    ]
    rows = effect_rows(document, "en")
    if rows:
        lines.append(f"  {measured_in(document, 'en')}:")
    for label, low, base, high in rows:
        lines.append(f"    {label:<28} {base:>12}   {low} to {high}")
    failed = [check for check in document["checks"] if not check["passed"]]
    lines += [f"  {check['severity']}: {check['message']}" for check in failed]
    return "\n".join(lines)
