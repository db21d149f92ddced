"""The maintenance scenario, week by week: machines are scored, stopped or left to the window, and run or fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from impact.demo import worlds
from impact.demo.rest import Api
from impact.demo.scoring import bearing_model, scores

START = datetime(2025, 7, 7, 5, tzinfo=UTC)
WEEKS = 47
WINDOW = timedelta(days=14)
LINES, MACHINES = 20, 3
SOURCE = "cmms"


class Maintenance:
    """Twenty lines of three machines through 47 weekly windows."""

    experiment = "maintenance-timing"

    def __init__(self, api: Api, seed: int) -> None:
        self.api = api
        self.rng = np.random.default_rng(seed)
        self.machines = worlds.machines(LINES * MACHINES, seed + 1)
        self.model = bearing_model(seed + 2)
        self.risks: list[float] = []

    @property
    def end(self) -> datetime:
        return START + timedelta(weeks=WEEKS) + WINDOW

    def play_week(self, at: datetime) -> None:
        """Score every machine, act on the answers, and let the week pass."""
        if not START <= at < START + timedelta(weeks=WEEKS):
            return
        measured = self.machines.measure()
        found = scores(self.model, measured)
        risk = self.machines.risk()
        answers = self.api.send("decisions", [self._request(p, at, measured[p], found[p]) for p in range(len(found))])
        rows: dict[str, list[dict[str, Any]]] = {"executions": [], "costs": [], "outcomes": []}
        serviced = np.zeros(len(found), dtype=bool)
        for place, answer in enumerate(answers):
            decision = answer["decision"]
            alerted = decision["ineligible"].get("wait") != "too unlikely to fail"
            action = decision["action"]["key"] if alerted else ""
            if decision["mode"] == "randomized":
                self.risks.append(float(risk[place]))
            if action:
                self._act(rows, decision["decision_id"], place, action, at)
            chance = worlds.RESIDUAL if action == "stop" else risk[place]
            failed = self.rng.random() < chance
            if failed:
                self._fail(rows, place, at)
            serviced[place] = bool(action) or failed
        for name, sent in rows.items():
            self.api.send(name, sent)
        self.machines.week(serviced)

    def report_complete(self, until: datetime) -> None:
        """Say that every event up to now was sent."""
        for kind in ("failure", "downtime_minutes"):
            self.api.call(
                "POST", f"/feeds/{SOURCE}/heartbeat",
                {"type": kind, "complete_until": until.isoformat(), "at": until.isoformat()},
            )  # fmt: skip

    def truth(self) -> dict[str, float]:
        """What waiting is truly worth at the alerts that were randomized."""
        return {"wait": worlds.waiting_worth(np.array(self.risks))}

    def _request(self, place: int, at: datetime, measured: Any, score: float) -> dict[str, Any]:
        names = ("vibration", "temperature", "hours_since_service", "load")
        return {
            "source": SOURCE,
            "event_id": f"score-{self._name(place)}-{at:%Y%m%d}",
            "decision_point": "bearing-alert",
            "unit_id": self._name(place),
            "cluster_id": f"L{place // MACHINES + 1:02d}",
            "prediction": {
                "model": "bearing",
                "version": "1",
                "score": round(float(score), 6),
                "features": {name: round(float(value), 3) for name, value in zip(names, measured, strict=True)},
                "predicted_at": at.isoformat(),
            },
            "at": at.isoformat(),
        }

    def _act(self, rows: dict[str, list[dict[str, Any]]], decision: str, place: int, action: str, at: datetime) -> None:
        event = f"{self._name(place)}-{at:%Y%m%d}"
        done_at = at + timedelta(hours=2 if action == "stop" else 100)
        known = {"source": SOURCE, "occurred_at": done_at.isoformat(), "at": done_at.isoformat()}
        rows["executions"].append(
            known | {"event_id": f"order-{event}", "decision_id": decision, "status": "delivered", "actor": "crew 1"}
        )
        rows["costs"].append(
            known
            | {
                "event_id": f"work-{event}", "decision_id": decision, "category": "work", "currency": "EUR",
                "amount": f"{worlds.COSTS[action]:.2f}",
            }
        )  # fmt: skip
        if worlds.MINUTES[action]:
            rows["outcomes"].append(
                known
                | {
                    "event_id": f"planned-{event}", "type": "downtime_minutes", "unit_id": self._name(place),
                    "value": worlds.MINUTES[action],
                }
            )  # fmt: skip

    def _fail(self, rows: dict[str, list[dict[str, Any]]], place: int, at: datetime) -> None:
        failed_at = at + timedelta(days=float(self.rng.uniform(0.2, 6.8)))
        known = {
            "source": SOURCE,
            "unit_id": self._name(place),
            "occurred_at": failed_at.isoformat(),
            "at": failed_at.isoformat(),
        }
        event = f"{self._name(place)}-{at:%Y%m%d}"
        rows["outcomes"].append(known | {"event_id": f"failure-{event}", "type": "failure", "value": 1})
        rows["outcomes"].append(
            known | {"event_id": f"down-{event}", "type": "downtime_minutes", "value": worlds.MINUTES["failure"]}
        )

    def _name(self, place: int) -> str:
        return f"L{place // MACHINES + 1:02d}-{place % MACHINES + 1}"
