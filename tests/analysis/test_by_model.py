"""Whatever is sent in whatever order, the figures are those of a plain model that counts by hand.

Steps post, double, contradict, refund, correct, orphan, beat, wait and analyse, chosen by hypothesis: a hundred
times fifty here; ``IMPACT_EXAMPLES=2000`` plays as many more by hand.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from impact.analysis.models import Analysis
from impact.analysis.services import analyze, differing
from tests.conftest import START, caller, decision_row, declared_churn, started
from workspaces import clock
from workspaces.models import Quarantine
from workspaces.services.people import create_workspace

EXAMPLES = int(os.environ.get("IMPACT_EXAMPLES", "100"))
STEPS = 50
WINDOW, KEPT = 90.0, 300.0
PLANNED = {"none": 0.0, "bonus": 1.7}
numbers = count()
units = st.integers(0, 9).map("u{}".format)
# whole days and their quarters, so that ends of windows are met exactly
ago = st.integers(0, 400).map(lambda quarters: quarters / 4)
SOUND, UNPLACED, REFUSED = "accepted", "quarantined", "rejected"


@dataclass
class Counted:
    """What a plain model holds: rows of analysis, events, and until when each feed is complete; times in days."""

    opened: dict[str, tuple[str, float]] = field(default_factory=dict)
    churned: list[tuple[str, float]] = field(default_factory=list)
    costs: list[tuple[str, float, float]] = field(default_factory=list)
    complete: dict[str, float] = field(default_factory=dict)
    manual: int = 0

    def figures(self, now: float) -> dict[str, Any]:
        """Rows that count by arm with their churn, value and cost, and how many are open or censored."""
        arms: dict[str, list[tuple[bool, float]]] = {arm: [] for arm in PLANNED}
        still_open = censored = 0
        for unit, (arm, opened) in self.opened.items():
            end = opened + WINDOW
            if end > now:
                still_open += 1
            elif not self.complete or end > min(self.complete.values()):
                censored += 1
            else:
                left = any(one == unit and opened <= at < end for one, at in self.churned)
                spent = [amount for one, at, amount in self.costs if one == unit and opened <= at < end]
                arms[arm].append((left, sum(spent) if spent else PLANNED[arm]))
        return {"arms": arms, "open": still_open, "censored": censored}


class Sending(RuleBasedStateMachine):
    """Clients that send, and the model that counts along."""

    @initialize()
    def begin(self) -> None:
        self.number = next(numbers)
        self.workspace = create_workspace(key=f"w{self.number}", name="W", currency="EUR", simulated=True, actor="test")
        clock.advance(self.workspace, START)
        self.experiment = started(self.workspace, declared_churn(self.workspace))
        self.api = caller(self.workspace)
        self.now = 0.0
        self.counted = Counted()
        self.events = count()
        self.known: dict[str, list[dict[str, Any]]] = {"outcomes": [], "costs": []}
        self.unplaced: set[tuple[str, Any]] = set()

    @rule(days=st.integers(1, 240).map(lambda quarters: quarters / 4))
    def wait(self, days: float) -> None:
        self.now += days

    @rule(some=st.lists(units, min_size=1, max_size=8), score=st.sampled_from([0.05, 0.3, 0.3, 0.3]))
    def decide(self, some: list[str], score: float) -> None:
        for unit in some:
            self._decide(unit, score)

    @rule(unit=units)
    def decide_by_hand(self, unit: str) -> None:
        self._decide(unit, 0.3, forced={"mode": "manual", "action": "bonus"})

    def _decide(self, unit: str, score: float, **more: Any) -> None:
        row = decision_row(unit, score, event=f"d{next(self.events)}", at=self._at(self.now), **more)
        answer = self.api.post("/decisions", row).body
        if more:
            self.counted.manual += 1
        elif score >= 0.1:
            assert self.counted.opened.setdefault(unit, (answer["arm"], self.now))[0] == answer["arm"]
        assert self.api.post("/decisions", row).body == answer | {"replayed": True}

    @rule(unit=units, before=ago, value=st.sampled_from([0, 1, 1, 2, -1]), type=st.sampled_from(["churned", "called"]))
    def outcome(self, unit: str, before: float, value: float, type: str) -> None:
        self._send("outcomes", [(self._event(unit, before) | {"type": type, "value": value}, SOUND)])

    @precondition(lambda self: self._over())
    @rule(data=st.data(), before=st.sampled_from([0.0, 0.0, 0.25]))
    def outcome_at_the_end_of_a_window(self, data: Any, before: float) -> None:
        unit = data.draw(st.sampled_from(self._over()))
        ended = self.counted.opened[unit][1] + WINDOW
        self._send(
            "outcomes", [(self._event(unit, self.now - ended + before) | {"type": "churned", "value": 1}, SOUND)]
        )

    @rule(unit=units, before=ago, cents=st.integers(-500, 2000))
    def cost_or_refund(self, unit: str, before: float, cents: int) -> None:
        related = {"relates_to": self.known["costs"][-1]["event_id"]} if cents < 0 and self.known["costs"] else {}
        self._send("costs", [(self._cost(unit, before, cents) | related, SOUND)])

    @rule(unit=units, before=ago, cents=st.integers(0, 2000), bad=st.sampled_from(["orphan", "future", "worthless"]))
    def a_batch_with_a_row_that_has_no_place(self, unit: str, before: float, cents: int, bad: str) -> None:
        row = self._cost(unit, 0.0, cents)
        if bad == "orphan":
            row = row | {"decision_id": f"nobody-{row['event_id']}"}
            del row["unit_id"]
        elif bad == "future":
            row["occurred_at"] = self._at(self.now + 1).isoformat()
        else:
            row["amount"] = "a lot"
        fate = REFUSED if bad == "worthless" else UNPLACED
        self._send("costs", [(self._cost(unit, before, cents), SOUND), (row, fate), (self._cost(unit, 0.0, 1), SOUND)])

    @precondition(lambda self: self.known["outcomes"] or self.known["costs"])
    @rule(data=st.data(), other=st.booleans())
    def again(self, data: Any, other: bool) -> None:
        many = data.draw(st.sampled_from([name for name, rows in self.known.items() if rows]))
        row = data.draw(st.sampled_from(self.known[many]))
        name = "value" if many == "outcomes" else "amount"
        self._send(many, [(row | {name: round(row[name] + 7, 2)}, UNPLACED) if other else (row, "duplicate")])

    @rule(days=st.sampled_from([30.0, 90.0, 100.25]), behind=st.sampled_from([0.0, 0.0, 5.0]))
    def wait_and_beat(self, days: float, behind: float) -> None:
        self.now += days
        for source in self.counted.complete or ["crm"]:
            self.beat(source, behind)

    @rule(source=st.sampled_from(["crm", "billing"]), behind=st.sampled_from([0.0, 0.0, 5.0, 60.0]))
    def beat(self, source: str, behind: float) -> None:
        until = self.now - behind
        body = {"type": "churned", "complete_until": self._at(until).isoformat(), "at": self._at(self.now).isoformat()}
        assert self.api.post(f"/feeds/{source}/heartbeat", body).status_code == 200
        self.counted.complete[source] = max(self.counted.complete.get(source, until), until)

    @precondition(lambda self: self.counted.opened)
    @rule()
    def analyse(self) -> None:
        document = analyze(experiment=self.experiment, as_of=self._at(self.now)).document
        expected = self.counted.figures(self.now)
        assert document["maturity"]["open"] == expected["open"]
        assert document["maturity"]["censored"] == expected["censored"]
        assert document["excluded"]["manual"] == self.counted.manual
        [churn] = [metric for metric in document["metrics"] if metric["key"] == "churn"]
        means = {arm["arm"]: (arm["n"], arm["mean"]) for arm in churn["arms"] if arm["n"]}
        money = {arm["arm"]: arm for arm in document["money"]["arms"] if arm["n"]}
        rows = {arm: rows for arm, rows in expected["arms"].items() if rows}
        assert means.keys() == money.keys() == rows.keys()
        for arm, of in rows.items():
            left, cost = sum(left for left, _ in of), sum(cost for _, cost in of)
            assert means[arm] == (len(of), pytest.approx(left / len(of), rel=1e-12))
            assert money[arm]["n"] == len(of)
            assert money[arm]["value"] == pytest.approx(-KEPT * left / len(of), rel=1e-12)
            assert money[arm]["cost"] == pytest.approx(cost / len(of), rel=1e-9, abs=1e-9)

    def teardown(self) -> None:
        if not hasattr(self, "workspace"):
            return
        if self.counted.opened:
            # in the end every window is over and everything is known
            self.wait_and_beat(WINDOW, 0.0)
            self.analyse()
        assert Quarantine.objects.within(self.workspace).count() == len(self.unplaced)
        for analysis in Analysis.objects.within(self.workspace).order_by("-created_at")[:1]:
            assert differing(analysis) == []

    def _over(self) -> list[str]:
        """Units whose window has ended."""
        return sorted(unit for unit, (_, opened) in self.counted.opened.items() if opened + WINDOW <= self.now)

    def _at(self, day: float) -> Any:
        return START + timedelta(days=day)

    def _event(self, unit: str, before: float) -> dict[str, Any]:
        at = {"occurred_at": self._at(max(0.0, self.now - before)).isoformat(), "at": self._at(self.now).isoformat()}
        return {"source": "crm", "event_id": f"e{next(self.events)}", "unit_id": unit} | at

    def _cost(self, unit: str, before: float, cents: int) -> dict[str, Any]:
        return self._event(unit, before) | {"category": "contact", "amount": cents / 100, "currency": "EUR"}

    def _send(self, many: str, rows: list[tuple[dict[str, Any], str]]) -> None:
        """Post a batch; each row must meet its fate, and those that are stored count from then on."""
        body = self.api.post(f"/{many}", {many: [row for row, _ in rows]}).body
        assert [one["status"] for one in body["results"]] == [fate for _, fate in rows], body
        assert body["accepted"] + body["duplicate"] + body["quarantined"] + body["rejected"] == len(rows)
        for row, fate in rows:
            if fate == UNPLACED:
                # the same row is kept once
                self.unplaced.add((row["event_id"], row.get("amount", row.get("value"))))
            if fate == SOUND:
                self.known[many].append(row)
                self._count(many, row)

    def _count(self, many: str, row: dict[str, Any]) -> None:
        at = (datetime.fromisoformat(row["occurred_at"]) - START) / timedelta(days=1)
        if many == "costs":
            self.counted.costs.append((row["unit_id"], at, row["amount"]))
        elif row["type"] == "churned" and row["value"]:
            self.counted.churned.append((row["unit_id"], at))


@pytest.mark.django_db
def test_the_figures_are_those_of_a_plain_model() -> None:
    run_state_machine_as_test(
        Sending,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
