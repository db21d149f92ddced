"""A year in money as it is said: booked beside projected, cash first, and what the decision hangs on."""

from __future__ import annotations

from typing import Any

import pytest

from impact.figures.executive import points
from impact.figures.experiment import experiment_page
from impact.figures.forms import Forms
from impact.figures.ladder import ladder
from impact.figures.worth import assumption_lines, cash_lines, knowing, price, worth_section
from tests.figures.documents import CASE, plain, said

LANGUAGES = ("en", "ja")
YEAR = {
    "per_case": 3.5, "gross_per_year": 897_750.0, "net_per_year": 717_750.0, "npv": 1_564_938.0,
    "programme_return": 2.344, "payback_months": 3.678,
}  # fmt: skip
LOSING = YEAR | {"gross_per_year": 149_357.2, "net_per_year": -30_642.8, "npv": -296_204.2, "payback_months": None}
CASH = {"months_to_positive": 35, "peak_funding": 1_240_320.6, "peak_month": 14, "balance": [0.0] * 60}
BAR = {
    "assumption": "kept", "name": "Value of a kept customer", "low": 170.0, "base": 300.0, "high": 340.0, "unit": "EUR",
    "owner": "Finance", "status": "agreed", "effect_at_low": -0.66, "effect_at_high": 4.78, "flips_at": 190.625,
    "inside": True, "npv_at_low": -1_088_621.0, "npv_at_high": 2_381_000.0, "npv_flips_at": 221.0,
}  # fmt: skip
STATEMENT = {
    "arm": None, "policy": "challenger", "against": "none", "currency": "EUR", "expires_months": 12,
    "programme": {
        "cases_per_year": 270_000.0, "cases": 256_500.0, "build": 220_000.0, "running_per_year": 180_000.0, "years": 3,
        "discount_rate": 0.1, "holdout": 0.05, "adoption": 1.0,
    },
    "measured": {"rows": 45_000, "per_case": 3.5, "ci": [1.27, 5.73], "in_arm": None, "total": None},
    "projected": {"low": LOSING, "base": YEAR, "high": YEAR},
    "booked": {
        "spread": 1.744, "shrinkage": 0.7, "low": LOSING, "base": YEAR | {"gross_per_year": 629_035.3}, "high": YEAR,
    },
    "cases": {"low": LOSING, "base": YEAR, "high": YEAR},
    "cash": {"projected": CASH, "booked": CASH | {"months_to_positive": None}},
    "price_of_holdout": 33_107.1,
    "tornado": [
        BAR,
        BAR | {"name": "Cases", "flips_at": None, "inside": False, "npv_flips_at": None, "status": "measured"},
    ],
}  # fmt: skip
RUNG = {"status": "estimated", "reason": None, "effect": 3.5, "se": 1.14, "ci": [1.27, 5.73]}
LADDER = {
    "rungs": [
        RUNG | {"rung": "nothing", "arm": "none", "policy": None, "effect": 0.0, "se": 0.0},
        RUNG | {"rung": "random", "arm": None, "policy": None, "effect": -2.2},
        RUNG | {"rung": "best_single", "arm": "bonus", "policy": None, "effect": 1.9},
        RUNG | {"rung": "todays_rule", "arm": None, "policy": "rule", "status": "not_estimable", "effect": None},
        RUNG | {"rung": "model", "arm": None, "policy": "challenger"},
    ],
    "model": RUNG
    | {"rung": "model_value", "arm": "bonus", "policy": "challenger", "effect": 1.6, "ci": [-0.5, 3.7]}
    | {"year": {"low": LOSING, "base": YEAR | {"npv": 352_971.0}, "high": YEAR}},
}


def document(language: str, **changes: Any) -> dict[str, Any]:
    return said("churn", language, value_statement=STATEMENT | changes, value_ladder=LADDER)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_tells_a_year(language: str) -> None:
    section = experiment_page(document(language), language)["worth"]
    assert (
        plain(section["title"])
        == {
            "en": "A year of the policy challenger is booked at +629,035 EUR, between +149,357 and +897,750, "
            "compared with no action and before its running cost.",
            "ja": "方針challengerの1年分は、No actionと比べて+629,035ユーロ"
            "（範囲：+149,357〜+897,750、運用費を引く前）と計上します。",
        }[language]
    )
    projected, booked = section["tables"]
    assert [len(row) for row in projected["rows"]] == [4] * 6
    assert [row[2] for row in projected["rows"]][:4] == ["+3.50", "+897,750", "+717,750", "+1,564,938"]
    assert booked["rows"][3][1] == "−296,204"
    assert booked["rows"][5][1] == {"en": "never", "ja": "回収なし"}[language]
    turning = {"en": "Value of a kept customer, turns at 190.6", "ja": "Value of a kept customer（190.6で逆転）"}
    assert section["tornado"]["rows"][0]["label"] == turning[language]
    assert "190.6" not in section["tornado"]["title"]
    assert section["not_booked"] == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_cash_comes_before_value(language: str) -> None:
    dated, booked, value = (plain(line) for line in cash_lines(document(language), Forms(language)))
    for text in ("35", "1,240,321", "14"):
        assert text in dated
    assert "60" in booked and "3.7" in value


def test_cash_is_said_as_it_goes() -> None:
    def line(**changes: Any) -> str:
        cash = {"projected": CASH | changes, "booked": None}
        return plain(cash_lines(document("en", cash=cash), Forms("en"))[0])

    assert line(peak_month=0) == "On dated cash it is paid back in month 35, with 1,240,321 EUR spent before the start."
    assert line(peak_funding=0.0) == "On dated cash it never needs funding."
    assert "isn't paid back within 60 months" in line(months_to_positive=None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_assumptions_say_where_the_decision_flips(language: str) -> None:
    kept, cases = assumption_lines(document(language), Forms(language))
    for text in ("170", "340", "190.6", "221.0", "−1,088,621", "Finance"):
        assert text in kept
    assert "190.6" not in cases and {"en": "measured", "ja": "実測"}[language] in cases
    outside = document(language, tornado=[BAR | {"flips_at": 141.7, "inside": False}])
    assert {"en": "outside", "ja": "外"}[language] in assumption_lines(outside, Forms(language))[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_measuring_has_a_price(language: str) -> None:
    assert "33,107" in price(document(language), Forms(language))
    free = STATEMENT["programme"] | {"holdout": 0.0}
    assert {"en": "Nothing is held out", "ja": "ホールドアウトが無い"}[language] in price(
        document(language, programme=free), Forms(language)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_spread_nothing_is_booked(language: str) -> None:
    section = worth_section(document(language, booked=None, cash={"projected": CASH, "booked": None}), Forms(language))
    assert section is not None
    assert section["not_booked"] and len(section["tables"]) == 1
    assert "+897,750" in section["title"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_ladder_ends_with_what_the_model_adds(language: str) -> None:
    found = ladder(document(language), Forms(language))
    assert found is not None
    assert [row["effect"] for row in found["figure"]["rows"]] == ["−2.20", "+1.90", "+3.50", "+2.80"]
    assert "challenger" in found["figure"]["title"] and "352,971" in found["model"] and "+1.60" in found["model"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_executive_page_has_its_points_in_order(language: str) -> None:
    found = points(document(language), CASE, ["Bea"], language)
    assert [point["title"] for point in found] == {
        "en": ["Decision asked", "Net effect", "Compared with", "Measured and projected", "Payback, NPV, return",
               "Confidence", "What would change it", "Guardrails", "Agreed, reached", "Data quality",
               "Price of measuring", "Next step"],
        "ja": ["求める決定", "純効果", "比較対象", "実測と見込み", "回収・正味現在価値・収益率", "確からしさ",
               "何が決定を変えるか", "ガードレール", "合意と達成", "データの質", "測ることの費用", "次の一歩"],
    }[language]  # fmt: skip
    assert found[1]["rows"][-1][1:] == ["−30,643", "+717,750", "+717,750"]
    assert {"en": "EUR a year", "ja": "1年分（ユーロ）"}[language] in found[1]["rows"][-1][0]
    # a year of a policy stands beside what each arm really earned
    assert found[3]["rows"][0][0].startswith({"en": "Measured here, Bonus on ", "ja": "実測：Bonus（"}[language])
    assert all(len(row) == 4 for point in found for row in point.get("rows", []))
    assert "12" in found[-1]["text"].splitlines()[-1]


def test_an_arms_own_rows_stand_beside_its_year() -> None:
    measured = STATEMENT["measured"] | {"in_arm": 1000, "total": 3500.0}
    found = points(document("en", arm="bonus", policy=None, measured=measured), CASE, [], "en")
    rows = next(point for point in found if point["title"] == "Measured and projected")["rows"]
    assert rows[0] == ["Measured here, on 1,000 rows", "+1,270", "+3,500", "+5,730"]
    assert [row[0] for row in rows] == ["Measured here, on 1,000 rows", "Projected to a year", "Booked for a year"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_withheld_has_no_year(language: str) -> None:
    withheld = document(language) | {"verdict": document(language)["verdict"] | {"level": "withheld"}}
    assert worth_section(withheld, Forms(language)) is None
    assert ladder(withheld, Forms(language)) is None
    assert "897,750" not in str(points(withheld, CASE, [], language))
    assert worth_section(said("churn", language), Forms(language)) is None
    assert ladder(said("churn", language), Forms(language)) is None


@pytest.mark.parametrize(("language", "told"), [("en", "gave away 184,500"), ("ja", "184,500")])
def test_what_randomizing_gave_away_is_on_every_report(language: str, told: str) -> None:
    document = said("churn", language)
    explored = {"arm": "bonus", "rows": 45_000, "given_away": 184_500.0}
    document["money"] = document["money"] | {"exploration": explored}
    found = plain(knowing(document, "", Forms(language))["text"])
    assert told.replace(",", "") in found.replace(",", "").replace("EUR ", "").replace("€", "")
    withheld = document | {"verdict": document["verdict"] | {"level": "withheld"}}
    assert knowing(withheld, "", Forms(language))["text"] == ""
    assert knowing(document | {"money": None}, "so much", Forms(language))["text"] == "so much"
