"""The churn scenario, week by week: customers are scored, offered something or nothing, and stay or leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from impact.demo import worlds
from impact.demo.rest import Api
from impact.demo.scoring import churn_model, scores

START = datetime(2026, 1, 5, 6, tzinfo=UTC)
WEEKS = 9
WINDOW = timedelta(days=104)
SOURCE = "crm"


class Churn:
    """Customers spread over nine weeks of enrolment, then 104 days of waiting."""

    experiment = "churn-incentives"

    def __init__(self, api: Api, customers: int, seed: int) -> None:
        self.api = api
        self.rng = np.random.default_rng(seed)
        self.customers = worlds.customers(customers, seed + 1)
        self.scores = scores(churn_model(seed + 2), self.customers.features())
        self.week_of = np.sort(self.rng.integers(0, WEEKS, customers))
        self.enrolled: dict[int, str] = {}
        self.left: list[dict[str, Any]] = []

    @property
    def end(self) -> datetime:
        return START + timedelta(weeks=WEEKS) + WINDOW

    def play_week(self, at: datetime) -> None:
        """Score this week's customers, ask for decisions, act on them, and let them stay or leave."""
        week = (at - START).days // 7
        if not 0 <= week < WEEKS:
            return
        places = np.flatnonzero(self.week_of == week)
        answers = self.api.send("decisions", [self._request(int(place), at) for place in places])
        executions, costs = [], []
        for place, answer in zip(places, answers, strict=True):
            decision, unit = answer["decision"], f"cust-{place:06d}"
            action = decision["action"]["key"]
            if decision["mode"] == "randomized":
                self.enrolled[int(place)] = action
            if action != "none":
                executed, spent = self._act(unit, decision["decision_id"], action, at)
                executions.append(executed)
                costs += spent
            if self.rng.random() < self.customers.leaves[place] * (1 - worlds.KEEPS[action]):
                left_at = at + timedelta(days=float(self.rng.uniform(3, 90)))
                self.left.append(
                    {
                        "source": SOURCE, "event_id": f"left-{unit}", "type": "churned", "unit_id": unit, "value": 1,
                        "occurred_at": left_at.isoformat(), "at": left_at.isoformat(),
                    }
                )  # fmt: skip
        self.api.send("executions", executions)
        self.api.send("costs", costs)

    def report_leavers(self, until: datetime) -> None:
        """Send the departures that have happened by now."""
        due = [row for row in self.left if datetime.fromisoformat(row["at"]) <= until]
        self.left = [row for row in self.left if datetime.fromisoformat(row["at"]) > until]
        self.api.send("outcomes", due)
        self.api.call(
            "POST", f"/feeds/{SOURCE}/heartbeat",
            {"type": "churned", "complete_until": until.isoformat(), "at": until.isoformat()},
        )  # fmt: skip

    def truth(self) -> dict[str, float]:
        """What each offer is truly worth to the customers who were enrolled."""
        leaves = self.customers.leaves[sorted(self.enrolled)]
        return {action: worlds.offer_worth(action, leaves) for action in ("bonus", "credit")}

    def _request(self, place: int, at: datetime) -> dict[str, Any]:
        return {
            "source": SOURCE,
            "event_id": f"score-{place:06d}",
            "decision_point": "churn-offer",
            "unit_id": f"cust-{place:06d}",
            "prediction": {
                "model": "churn90",
                "version": "1",
                "score": round(float(self.scores[place]), 6),
                "features": self.customers.snapshot(place),
                "predicted_at": at.isoformat(),
            },
            "at": at.isoformat(),
        }

    def _act(self, unit: str, decision: str, action: str, at: datetime) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Send the offer; some take it up, and then it costs the incentive too."""
        accepted = self.rng.random() < worlds.TAKEN_UP[action]
        done_at = at + timedelta(days=float(self.rng.uniform(0.5, 10)))
        known = {"source": SOURCE, "occurred_at": done_at.isoformat(), "at": done_at.isoformat()}
        execution = known | {
            "event_id": f"offer-{unit}",
            "decision_id": decision,
            "status": "accepted" if accepted else "declined",
        }
        spent = [("contact", worlds.CONTACT)] + ([("incentive", worlds.INCENTIVE[action])] if accepted else [])
        return execution, [
            known
            | {
                "event_id": f"{category}-{unit}", "decision_id": decision, "category": category,
                "amount": f"{amount:.2f}", "currency": "EUR",
            }
            for category, amount in spent
        ]  # fmt: skip
