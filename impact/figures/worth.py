"""What a year of the result is worth: the statement and the assumptions, in the reader's form."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from impact.figures.cash import cash_figure
from impact.figures.forest import Bar, forest
from impact.figures.forms import Forms, decimals_for
from impact.figures.sentences import arm_names
from impact.figures.words.codes import word
from impact.figures.words.worth import WORDS

CASES = ("low", "base", "high")


def worth_section(document: Mapping[str, Any], forms: Forms) -> dict[str, Any] | None:
    """The section of the experiment page; None where no year was agreed, or the figure is withheld."""
    statement = document["value_statement"]
    if statement is None or document["verdict"]["level"] == "withheld":
        return None
    return {
        "title": title(document, forms),
        "tables": tables(document, forms),
        "not_booked": "" if statement["booked"] else words(forms)["not_booked"],
        "cash": cash_lines(document, forms),
        "lines": [volume(statement, forms), owned(statement, forms), price(document, forms), expiry(document, forms)],
        "tornado": tornado(document, forms),
        "cash_figure": cash_figure(statement, cash_lines(document, forms)[0], forms),
        "assumptions": assumption_lines(document, forms),
    }


def words(forms: Forms) -> dict[str, Any]:
    return WORDS[forms.language]


def title(document: Mapping[str, Any], forms: Forms) -> str:
    """A year in one sentence, booked where it can be."""
    statement = document["value_statement"]
    kind = "booked" if statement["booked"] else "projected"
    year = {case: statement[kind][case]["gross_per_year"] for case in CASES}
    said = words(forms)["title_booked" if statement["booked"] else "title"]
    name = option(document, forms)
    return str(
        said.format(
            option=inside(name, forms),
            against=inside(arm_names(document)[statement["against"]], forms),
            base=forms.money(year["base"], statement["currency"], 0, signed=True),
            low=forms.number(year["low"], signed=True),
            high=forms.number(year["high"], signed=True),
        )
    )


def option(document: Mapping[str, Any], forms: Forms) -> str:
    """The arm or policy that a year is told of."""
    statement = document["value_statement"]
    if statement["policy"]:
        return str(words(forms)["policy"].format(key=statement["policy"]))
    return arm_names(document)[statement["arm"]]


def tables(document: Mapping[str, Any], forms: Forms) -> list[dict[str, Any]]:
    """The measured effect projected, and beside it as it is booked: low, base and high."""
    statement, say = document["value_statement"], words(forms)
    heads = [("projected", say["head_projected"])]
    if statement["booked"]:
        share = forms.percent(statement["booked"]["shrinkage"])
        heads.append(("booked", say["head_booked"].format(share=share)))
    return [{"head": head, "rows": year_rows(statement, statement[kind], forms)} for kind, head in heads]


def year_rows(statement: Mapping[str, Any], years: Mapping[str, Any], forms: Forms) -> list[list[str]]:
    """Per case, run-rate, net of running cost, NPV, return and payback."""
    say, programme = words(forms), statement["programme"]
    cents = decimals_for(years["low"]["per_case"], years["high"]["per_case"], statement["currency"])
    rows = [[say["per_case"], *(forms.number(years[case]["per_case"], cents, signed=True) for case in CASES)]]
    for name in ("gross_per_year", "net_per_year", "npv"):
        head = say[name].format(years=programme["years"], rate=forms.percent(programme["discount_rate"]))
        rows.append([head, *(forms.number(years[case][name], signed=True) for case in CASES)])
    rows.append([say["programme_return"], *(_return(years[case], forms) for case in CASES)])
    if programme["build"]:
        rows.append([say["payback_months"], *(_months(years[case], forms) for case in CASES)])
    return rows


def cash_lines(document: Mapping[str, Any], forms: Forms) -> list[str]:
    """Payback on dated cash first, measured and booked, then on value."""
    statement, say = document["value_statement"], words(forms)
    lines = [_cash(statement, statement["cash"]["projected"], forms)]
    if statement["cash"]["booked"]:
        booked = _cash(statement, statement["cash"]["booked"], forms)
        if booked != lines[0]:
            lines.append(say["cash_booked"].format(text=booked[:1].lower() + booked[1:]))
    months = statement["projected"]["base"]["payback_months"]
    if statement["programme"]["build"]:
        lines.append(
            say["value_never"] if months is None else say["value_payback"].format(months=forms.number(months, 1))
        )
    return lines


def volume(statement: Mapping[str, Any], forms: Forms) -> str:
    programme = statement["programme"]
    return str(
        words(forms)["volume"].format(
            cases=forms.number(programme["cases"]),
            eligible=forms.number(programme["cases_per_year"]),
            holdout=forms.percent(programme["holdout"]),
            adoption=forms.percent(programme["adoption"]),
        )
    )


def owned(statement: Mapping[str, Any], forms: Forms) -> str:
    programme, currency = statement["programme"], statement["currency"]
    build, running = (forms.money(programme[name], currency, 0) for name in ("build", "running_per_year"))
    return str(words(forms)["owned"].format(build=build, running=running))


def price(document: Mapping[str, Any], forms: Forms) -> str:
    """What it costs to go on measuring."""
    statement, say = document["value_statement"], words(forms)
    share = statement["programme"]["holdout"]
    if not share:
        return str(say["no_price"])
    amount = forms.money(statement["price_of_holdout"], statement["currency"], 0)
    return str(say["price"].format(share=forms.percent(share), amount=amount, kind=_kind(statement, forms)))


def knowing(document: Mapping[str, Any], price: str, forms: Forms) -> dict[str, str]:
    """The point of a report about what knowing costs: what is held out from now on, and what randomizing gave away."""
    say, money = words(forms), document["money"]
    explored = money and money.get("exploration")
    lines = [price] if price else []
    if explored and document["verdict"]["level"] != "withheld":
        lines.append(
            say["explored"].format(
                amount=forms.money(explored["given_away"], money["currency"], 0),
                rows=forms.number(explored["rows"]),
                arm=inside(arm_names(document)[explored["arm"]], forms),
            )
        )
    return {"title": say["points"]["price"], "text": "\n".join(lines)}


def expiry(document: Mapping[str, Any], forms: Forms) -> str:
    """Until which day a claim counts."""
    months = document["value_statement"]["expires_months"]
    day = months_later(datetime.fromisoformat(document["as_of"]).date(), months)
    return str(words(forms)["expiry"].format(day=forms.day(day), months=months))


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    last = monthrange(day.year + years, month + 1)[1]
    return day.replace(year=day.year + years, month=month + 1, day=min(day.day, last))


def assumption_lines(document: Mapping[str, Any], forms: Forms, most: int | None = None) -> list[str]:
    """Each assumption with what its range does, the widest first."""
    statement, say = document["value_statement"], words(forms)
    lines = []
    for bar in statement["tornado"][:most]:
        decimals = _decimals(bar)
        line = say["assumption"].format(
            name=bar["name"],
            low=forms.number(bar["low"], decimals),
            high=forms.number(bar["high"], decimals),
            unit=bar["unit"],
            status=word(bar["status"], forms.language),
            owner=bar["owner"],
            at_low=forms.number(bar["npv_at_low"], signed=True),
            at_high=forms.number(bar["npv_at_high"], signed=True),
        )
        if bar["flips_at"] is not None:
            inside = bar["low"] <= bar["flips_at"] <= bar["high"]
            at = _amount(bar["flips_at"], decimals, forms)
            line += say["flips" if inside else "flips_outside"].format(at=at)
        if bar["npv_flips_at"] is not None:
            line += say["npv_flips"].format(at=_amount(bar["npv_flips_at"], decimals, forms))
        lines.append(line)
    return lines


def tornado(document: Mapping[str, Any], forms: Forms) -> dict[str, Any]:
    """Net present value over the range of what was measured and of each assumption, the widest first."""
    statement, say = document["value_statement"], words(forms)
    base = statement["projected"]["base"]["npv"]
    found = [
        (bar["name"], _turning(bar, forms), sorted((bar["npv_at_low"], bar["npv_at_high"])))
        for bar in statement["tornado"]
    ]
    sampled = [statement["projected"][case]["npv"] for case in ("low", "high")]
    found.append((say["sampling"], say["sampling"], sampled))
    found.sort(key=lambda one: one[2][0] - one[2][1])
    bars = [Bar(label, "unclear", base, low, high, compared=False) for _, label, (low, high) in found]
    return forest(bars, forms, currency=statement["currency"]) | {
        "title": say["tornado"].format(name=found[0][0]),
        "axis": say["tornado_axis"].format(currency=forms.currency(statement["currency"])),
    }


def _turning(bar: Mapping[str, Any], forms: Forms) -> str:
    """An assumption, and where inside its range the effect changes its sign."""
    if not bar["inside"]:
        return str(bar["name"])
    at = _amount(bar["flips_at"], _decimals(bar), forms)
    return str(words(forms)["flips_in_label"].format(name=bar["name"], at=at))


def points_of(document: Mapping[str, Any], head: list[str], forms: Forms) -> dict[str, dict[str, Any]]:
    """The points of the executive page that are about a year in money; empty where there is none."""
    statement, say = document["value_statement"], words(forms)
    if statement is None or document["verdict"]["level"] == "withheld":
        return {}
    kind = "booked" if statement["booked"] else "projected"
    programme = statement["programme"]
    rows = _measured(document, forms)
    for name in ("projected", "booked"):
        if statement[name]:
            years = statement[name]
            rows.append([say[name], *(forms.number(years[case]["gross_per_year"], signed=True) for case in CASES)])
    years = statement[kind]
    npv = say["npv_line"].format(
        years=programme["years"],
        rate=forms.percent(programme["discount_rate"]),
        base=forms.money(years["base"]["npv"], statement["currency"], 0, signed=True),
        low=forms.number(years["low"]["npv"], signed=True),
        high=forms.number(years["high"]["npv"], signed=True),
        kind=_kind(statement, forms),
    )
    returned = say["return_line"].format(base=_return(years["base"], forms), kind=_kind(statement, forms))
    money = [*cash_lines(document, forms), npv, returned, owned(statement, forms)]
    year = [years[case]["net_per_year"] for case in CASES]
    titles, name = say["points"], option(document, forms)
    return {
        "year": {
            "row": [
                titles["per_year"].format(
                    option=name[:1].upper() + name[1:], currency=forms.currency(statement["currency"])
                ),
                *(forms.number(one, signed=True) for one in year),
            ]
        },
        "measured": {"title": titles["measured"], "head": [forms.currency(statement["currency"]), *head], "rows": rows},
        "money": {"title": titles["money"], "text": "\n".join(money)},
        "change": {"title": titles["change"], "text": "\n".join(assumption_lines(document, forms, 3))},
        "price": {"text": price(document, forms)},
        "expiry": {"text": expiry(document, forms)},
    }


def _measured(document: Mapping[str, Any], forms: Forms) -> list[list[str]]:
    """What was really earned here: by the arm that a year is told of, or by each where that is a policy."""
    measured, say = document["value_statement"]["measured"], words(forms)
    if measured["in_arm"] is not None:
        effects = [measured["ci"][0], measured["per_case"], measured["ci"][1]]
        totals = [forms.number(measured["in_arm"] * one, signed=True) for one in effects]
        return [[say["measured"].format(rows=forms.number(measured["in_arm"])), *totals]]
    names = arm_names(document)
    found = [
        one for one in document["money"]["comparisons"] if one["baseline"] == document["value_statement"]["against"]
    ]
    rows = []
    for one in found:
        total = one["total"]
        if one["net"]["status"] == "estimated" and total:
            label = say["measured_arm"].format(arm=names[one["arm"]], rows=forms.number(total["n"]))
            ends = (total["net_ci"][0], total["net"], total["net_ci"][1])
            rows.append([label, *(forms.number(end, signed=True) for end in ends)])
    return rows


def _cash(statement: Mapping[str, Any], cash: Mapping[str, Any], forms: Forms) -> str:
    if not cash["peak_funding"]:
        return str(words(forms)["cash_free"])
    name = "cash_never" if cash["months_to_positive"] is None else "cash" if cash["peak_month"] else "cash_now"
    return str(
        words(forms)[name].format(
            month=cash["months_to_positive"],
            months=len(cash["balance"]),
            peak=forms.money(cash["peak_funding"], statement["currency"], 0),
            peak_month=cash["peak_month"],
        )
    )


def _kind(statement: Mapping[str, Any], forms: Forms) -> str:
    return str(words(forms)["kind_booked" if statement["booked"] else "kind_measured"])


def _return(year: Mapping[str, Any], forms: Forms) -> str:
    share = year["programme_return"]
    return str(words(forms)["none"]) if share is None else forms.percent(share, signed=True)


def _months(year: Mapping[str, Any], forms: Forms) -> str:
    months = year["payback_months"]
    return str(words(forms)["never"]) if months is None else forms.number(months, 1)


def _decimals(bar: Mapping[str, Any]) -> int:
    texts = [f"{bar[name]:.6f}".rstrip("0") for name in ("low", "base", "high")]
    return max(len(text.partition(".")[2]) for text in texts)


def _amount(value: float, decimals: int, forms: Forms) -> str:
    """A point within a range, one digit finer than the range's ends."""
    return forms.number(value, decimals + 1 if abs(value) < 10_000 else decimals)


def inside(name: str, forms: Forms) -> str:
    """A name inside a sentence; abbreviations and names with capitals stay."""
    keeps = forms.language == "ja" or any(letter.isupper() for letter in name[1:])
    return name if keeps else name[:1].lower() + name[1:]
