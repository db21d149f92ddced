"""The list of checks: whole, in its order, documented."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from impact.agreements.plan import MONEY
from impact.analysis import checks
from impact.analysis.checks import CHECKS, run_checks
from tests.analysis.checks.ground import seen


def test_every_check_that_is_written_is_in_the_list() -> None:
    modules = [import_module(f"{checks.__name__}.{one.name}") for one in iter_modules(checks.__path__)]
    written = [
        one for module in modules for name, one in vars(module).items()
        if callable(one) and one.__module__ == module.__name__ and not name.startswith("_")
        and getattr(one, "__annotations__", {}).get("seen") == "Evidence" and name != "primary_of"
    ]  # fmt: skip
    assert len(modules) == 7
    assert set(written) == set(CHECKS)


def test_checks_are_run_in_their_order() -> None:
    found = run_checks(seen(censored={MONEY: 2}))
    assert [one["id"] for one in found] == [
        "mature_rows",
        "feeds_complete",
        "sample_ratio",
        "propensity_logged",
        "cost_booked",
        "agreed_before",
    ]
    assert found[1] == {
        "id": "feeds_complete", "severity": "warn", "passed": False, "statistic": None, "p_value": None,
        "numbers": {"censored": 2, "of": 60},
    }  # fmt: skip


def test_every_check_is_documented() -> None:
    documented = (Path(__file__).parents[3] / "docs/checks.md").read_text(encoding="utf-8")
    from impact.agreements.before_start import BEFORE_START
    from impact.figures.words.en import CHECKS as SAID

    names = [*SAID, *(check.__name__ for check in BEFORE_START)]
    assert [name for name in names if f"| `{name}` |" not in documented] == []
