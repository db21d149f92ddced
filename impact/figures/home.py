"""The home page: what all experiments together have earned, measured and projected kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from impact.figures.forms import Forms
from impact.figures.ladder import ladder
from impact.figures.sentences import arm_names, shown_range
from impact.figures.words.home import WORDS
from impact.figures.worth import CASES, inside, option

# so many figures of each kind; the rest stands in the table
TILES = 3
NAMED = 5
LADDERS = 2


class Total(NamedTuple):
    """What the treated rows of one experiment earned, compared with its baseline."""

    amount: float
    low: float
    high: float
    rows: int
    arms: list[tuple[str, float]]


def home_page(documents: Sequence[Mapping[str, Any]], currency: str, language: str, unread: int = 0) -> dict[str, Any]:
    """Return the sentence, the figures and the ladders of results documents whose arms have their names.

    ``unread`` is how many more there are that would be left out of the sum.
    """
    forms = Forms(language)
    reasons = [why_not_added(document, currency) for document in documents]
    shown = [(document, total_of(document)) for document in documents]
    counted = [total for (_, total), why in zip(shown, reasons, strict=True) if total and not why]
    left_out = [
        f"{document['name']} ({WORDS[language]['reasons'][why].format(currency=_currency(document))})"
        for document, why in zip(documents, reasons, strict=True)
        if why
    ]
    return {
        "headline": headline(documents, counted, currency, forms),
        "level": "unclear" if counted and _crosses(added(counted)) else "",
        "notes": _notes(counted, left_out, unread, forms),
        "measured": [_measured(document, total, forms) for document, total in _largest_measured(shown)],
        "projected": [_projected(document, forms) for document in _largest_projected(documents)],
        "ladders": _ladders(documents, forms),
    }


def total_of(document: Mapping[str, Any]) -> Total | None:
    """Add up an experiment's arms, ends with ends: they share a baseline, so the range is never too narrow."""
    if not document["money"] or document["verdict"]["level"] == "withheld":
        return None
    withheld = {one["arm"] for one in document["verdicts"] if one["level"] == "withheld"}
    baseline = next(arm["arm"] for arm in document["arms"] if arm["is_baseline"])
    blocks = [
        block
        for block in document["money"]["comparisons"]
        if block["baseline"] == baseline and block["net"]["status"] == "estimated" and block["arm"] not in withheld
    ]
    if not blocks:
        return None
    ranges = [shown_range(document, block["net"]) for block in blocks]
    rows = [block["total"]["n"] for block in blocks]
    amounts = [n * block["net"]["effect"] for n, block in zip(rows, blocks, strict=True)]
    return Total(
        sum(amounts),
        sum(n * low for n, (low, _) in zip(rows, ranges, strict=True)),
        sum(n * high for n, (_, high) in zip(rows, ranges, strict=True)),
        sum(rows),
        [(block["arm"], amount) for block, amount in zip(blocks, amounts, strict=True)],
    )


def why_not_added(document: Mapping[str, Any], currency: str) -> str:
    """Say why an experiment may not be added to others: a code, empty where it may."""
    if document["verdict"]["level"] in ("withheld", "too_early"):
        return str(document["verdict"]["level"])
    if document["origin"] == "loaded":
        return "loaded"
    if not document["money"]:
        return "no_money"
    return "" if document["money"]["currency"] == currency else "currency"


def added(totals: Sequence[Total]) -> Total:
    """Add experiments up, ends with ends."""
    return Total(
        sum(one.amount for one in totals),
        sum(one.low for one in totals),
        sum(one.high for one in totals),
        sum(one.rows for one in totals),
        [],
    )


def headline(documents: Sequence[Mapping[str, Any]], counted: Sequence[Total], currency: str, forms: Forms) -> str:
    """The sum in a sentence with its range; without one where nothing may be added."""
    say = WORDS[forms.language]
    if not counted:
        return str(say["nothing" if documents else "none"])
    whole = added(counted)
    name = "open" if _crosses(whole) else "earned" if whole.low > 0 else "lost"
    return str(
        say[name].format(
            amount=forms.money(abs(whole.amount), currency, 0),
            low=forms.number(whole.low),
            high=forms.number(whole.high),
            moved=say["moved"][whole.amount < 0],
        )
    )


def running_text(amount: float, currency: str, language: str) -> str:
    """What the models cost a year beside; empty where they cost nothing."""
    if not amount:
        return ""
    return str(WORDS[language]["running"].format(amount=Forms(language).money(amount, currency, 0)))


def next_text(code: str, day: Any, zone: str, language: str) -> str:
    """When something happens next, in words."""
    text = WORDS[language]["next"].get(code, "")
    return str(text.format(day=Forms(language).day(day, zone) if day else ""))


def period_text(period: str, since: Any, until: Any, zone: str, language: str) -> str:
    """The time that is shown, with its days."""
    forms, say = Forms(language), WORDS[language]
    if since is None:
        return str(say["until"].format(until=forms.day(until, zone)))
    name = say["periods"][period]
    name = name[:1].upper() + name[1:]
    return str(say["since"].format(period=name, since=forms.day(since, zone), until=forms.day(until, zone)))


def period_words(language: str) -> dict[str, str]:
    return dict(WORDS[language]["periods"])


def _notes(counted: Sequence[Total], left_out: Sequence[str], unread: int, forms: Forms) -> list[str]:
    say, notes = WORDS[forms.language], []
    if counted:
        many = say["one"] if len(counted) == 1 else say["many"].format(count=forms.number(len(counted)))
        notes.append(say["added"].format(count=many))
    if left_out:
        parts, others = list(left_out[:NAMED]), max(0, len(left_out) - NAMED) + unread
        if others:
            parts.append(say["others"].format(count=forms.number(others)))
        notes.append(say["left_out"].format(parts=("、" if forms.language == "ja" else ", ").join(parts)))
    return notes


def _measured(document: Mapping[str, Any], total: Total, forms: Forms) -> dict[str, Any]:
    say, names, currency = WORDS[forms.language], arm_names(document), _currency(document)
    baseline = next(arm["name"] for arm in document["arms"] if arm["is_baseline"])
    parts = [f"{inside(names[arm], forms)} {forms.number(amount, signed=True)}" for arm, amount in total.arms]
    note = say["rows"].format(
        rows=forms.number(total.rows), parts=("、" if forms.language == "ja" else ", ").join(parts)
    )
    if document["origin"] == "loaded":
        note = f"{note} · {say['not_agreed']}"
    return {
        "key": document["experiment"],
        "label": say["measured"].format(name=document["name"]),
        "amount": forms.money(total.amount, currency, 0, signed=True),
        "range": forms.span(forms.number(total.low), forms.number(total.high)),
        "against": say["against"].format(baseline=inside(baseline, forms)),
        "note": note,
    }


def _tells_a_year(document: Mapping[str, Any]) -> bool:
    return bool(document["value_statement"]) and document["verdict"]["level"] not in ("withheld", "too_early")


def _projected(document: Mapping[str, Any], forms: Forms) -> dict[str, Any]:
    statement, say = document["value_statement"], WORDS[forms.language]
    low, base, high = (_year(document)[case]["net_per_year"] for case in CASES)
    running = forms.money(statement["programme"]["running_per_year"], statement["currency"], 0)
    return {
        "key": document["experiment"],
        "label": say["projected"].format(option=inside(option(document, forms), forms)),
        "amount": forms.money(base, statement["currency"], 0, signed=True),
        "range": forms.span(forms.number(low), forms.number(high)),
        "against": say["against"].format(baseline=inside(arm_names(document)[statement["against"]], forms)),
        "note": say["booked" if statement["booked"] else "as_measured"].format(running=running),
    }


def _ladders(documents: Sequence[Mapping[str, Any]], forms: Forms) -> list[dict[str, Any]]:
    """Ladders that a model's policy stands on, with the experiment that they are of."""
    found = [(document, ladder(document, forms)) for document in documents if _has_model(document)]
    shown = [
        {"key": document["experiment"], "name": document["name"], **figure} for document, figure in found if figure
    ]
    return shown[:LADDERS]


def _has_model(document: Mapping[str, Any]) -> bool:
    found = document.get("value_ladder") or {"rungs": []}
    return any(one["rung"] == "model" and one["status"] == "estimated" for one in found["rungs"])


def _largest_measured(
    shown: Sequence[tuple[Mapping[str, Any], Total | None]],
) -> list[tuple[Mapping[str, Any], Total]]:
    known = [(document, total) for document, total in shown if total]
    return sorted(known, key=lambda one: -abs(one[1].amount))[:TILES]


def _largest_projected(documents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    telling = [document for document in documents if _tells_a_year(document)]
    return sorted(telling, key=lambda document: -abs(_year(document)["base"]["net_per_year"]))[:TILES]


def _year(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A year by case, booked where it is."""
    statement: Mapping[str, Any] = document["value_statement"]
    return statement["booked"] or statement["projected"]


def _crosses(total: Total) -> bool:
    return total.low <= 0 <= total.high


def _currency(document: Mapping[str, Any]) -> str:
    return str(document["money"]["currency"]) if document["money"] else ""
