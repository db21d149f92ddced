"""Acting a story out through the product: scored units in, the arm that comes back lived by the story's own row."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from impact.config.declarations import apply_files
from tests.conftest import DECLARED, START, Caller, enter, signed_in
from workspaces.models import Workspace

REFERENCE = DECLARED.parent / "reference"
BATCH = 1_000


def rows_of(name: str) -> list[dict[str, str]]:
    with gzip.open(REFERENCE / name, "rt", newline="") as file:
        return list(csv.DictReader(file))


class Player:
    """Plays one story as its systems would: a CRM or a maintenance system with one key, and three people who sign."""

    source = "player"

    def __init__(self, workspace: Workspace, api: Caller, story: str, experiment: str, stratum: Sequence[str]) -> None:
        self.workspace, self.api, self.experiment = workspace, api, experiment
        apply_files(workspace, [DECLARED / f"{story}.yaml"], "test")
        self.unused: dict[tuple[str, ...], deque[dict[str, str]]] = defaultdict(deque)
        for row in rows_of(f"{story}.csv.gz"):
            self.unused[(*(row[name] for name in stratum), row["arm"])].append(row)
        self.modes: dict[str, int] = defaultdict(int)
        self.facts: dict[str, list[dict[str, Any]]] = {"executions": [], "costs": [], "outcomes": []}

    def open(self) -> None:
        """Three people read the agreement on its page and sign; then the experiment starts."""
        for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science")):
            self._sign(signed_in(enter(self.workspace, f"{name}@example.com", "viewer", signs_for)))
        self._post(f"/experiments/{self.experiment}/start", {})

    def close(self, drain: Callable[[], None], end: datetime, *types: str) -> dict[str, Any]:
        """Send what is left, say that every feed is complete, and fetch what the worker's analysis found."""
        assert not any(self.unused.values()), "every row of the story is used once"
        for name, facts in self.facts.items():
            self._send(name, facts)
        for kind in types:
            beat = {"type": kind, "complete_until": end.isoformat(), "at": end.isoformat()}
            self._post(f"/feeds/{self.source}/heartbeat", beat)
        self._post(f"/experiments/{self.experiment}/close", {"reason": "enrolment is over"})
        self._post(f"/experiments/{self.experiment}/analyses", {})
        drain()
        return self.results("en")

    def results(self, language: str) -> dict[str, Any]:
        answer = self.api.get(f"/experiments/{self.experiment}/results", language=language)
        assert answer.status_code == 200, answer.body
        return dict(answer.body)

    def decide(self, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ask for decisions, and count how each came about."""
        decisions = [row["decision"] for row in self._send("decisions", requests)]
        for decision in decisions:
            self.modes[decision["mode"]] += 1
        return decisions

    def happen(self, name: str, at: datetime, **fact: Any) -> None:
        """Keep a fact, to be sent when the story is over."""
        event = {"source": self.source, "event_id": f"{name}-{len(self.facts[name])}", "occurred_at": at.isoformat()}
        self.facts[name].append(event | {"at": at.isoformat()} | fact)

    def _sign(self, browser: Client) -> None:
        path = f"/w/{self.workspace.key}/experiments/{self.experiment}/agreement"
        page = browser.get(path).content.decode()
        sha256 = page.split('name="sha256" value="')[1].split('"')[0]
        assert browser.post(path, {"sha256": sha256, "confirmed": "1"}).status_code == 302

    def _post(self, path: str, body: Any) -> Any:
        answer = self.api.post(path, body)
        assert answer.status_code < 300, (path, answer.body)
        return answer.body

    def _send(self, name: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(0, len(rows), BATCH):
            sent = rows[start : start + BATCH]
            answer = self._post(f"/{name}", {name: sent})
            assert answer["accepted"] == len(sent), answer["results"]
            found += answer["results"]
        return found


class Churn(Player):
    """Story A: customers in three score bands, each scored once."""

    scores = {"L": 0.15, "M": 0.27, "H": 0.5}

    def __init__(self, workspace: Workspace, api: Caller) -> None:
        super().__init__(workspace, api, "story_a", "churn-incentives", ("band",))
        self.scored = 0

    def live(self) -> None:
        """Score customers until every row of the story was lived by one of them."""
        left = {band: sum(len(rows) for key, rows in self.unused.items() if key[0] == band) for band in self.scores}
        at = START
        while any(left.values()):
            bands = [band for band, number in left.items() for _ in range(number)][
                :: max(1, sum(left.values()) // BATCH)
            ]
            bands = bands[:BATCH]
            for band, decision in zip(bands, self.decide([self._request(band, at) for band in bands]), strict=True):
                if decision["mode"] == "randomized":
                    self._live(self.unused[band, decision["arm"]].popleft(), decision, at)
                    left[band] -= 1
            at += timedelta(hours=6)

    def settle_elsewhere(self, mode: str, action: str, number: int) -> None:
        """Customers beyond the story: an agent or a lack of capacity settled what they got, and it cost something."""
        forced = {"mode": mode, "action": action, "reason": "not drawn"}
        for decision in self.decide([self._request("L", START, forced=forced) for _ in range(number)]):
            self._spend(decision, START, 500.0)
            self.happen("outcomes", START, type="churned", unit_id=decision["unit_id"], value=1)

    def _request(self, band: str, at: datetime, **more: Any) -> dict[str, Any]:
        self.scored += 1
        unit = f"cust-{self.scored:06d}"
        prediction = {
            "model": "churn90", "version": "1", "score": self.scores[band], "features": {"tenure": 12.0},
            "predicted_at": at.isoformat(),
        }  # fmt: skip
        return {
            "source": self.source, "event_id": f"score-{unit}", "decision_point": "churn-offer", "unit_id": unit,
            "prediction": prediction, "at": at.isoformat(),
        } | more  # fmt: skip

    def _live(self, row: dict[str, str], decision: dict[str, Any], at: datetime) -> None:
        if decision["action"]["key"] != "none":
            self.happen("executions", at + timedelta(days=1), decision_id=decision["decision_id"], status="delivered")
        self._spend(decision, at + timedelta(days=1), float(row["cost"]))
        if row["churned"] == "1":
            left_at = at + timedelta(days=60)
            self.happen("outcomes", left_at, type="churned", unit_id=decision["unit_id"], value=1)

    def _spend(self, decision: dict[str, Any], at: datetime, amount: float) -> None:
        if amount:
            self.happen(
                "costs",
                at,
                category="offer",
                decision_id=decision["decision_id"],
                amount=f"{amount:.2f}",
                currency="EUR",
            )


class Maintenance(Player):
    """Story B: an alert of one machine on every line each fortnight, the low band and the high one in turn."""

    scores = {"low": 0.15, "high": 0.4}
    fortnight = timedelta(days=14)

    def __init__(self, workspace: Workspace, api: Caller) -> None:
        super().__init__(workspace, api, "story_b", "maintenance-timing", ("line", "band"))
        self.lines = sorted({key[0] for key in self.unused})
        self.at = START

    def live(self) -> None:
        """Alert on every line, until every row of the story was lived by one of them."""
        while any(self.unused.values()):
            waiting = {line: self._band(line) for line in self.lines}
            for machine in (1, 2, 3):
                # a machine that is held out opens no episode, so another of the line may
                asked = [(line, band) for line, band in waiting.items() if band]
                decisions = self.decide([self._request(f"{line}-{machine}", self.scores[band]) for line, band in asked])
                for (line, band), decision in zip(asked, decisions, strict=True):
                    if decision["mode"] == "randomized":
                        self._live(self.unused[line, band, decision["arm"]].popleft(), decision)
                        del waiting[line]
            assert not waiting, "a whole line is held out"
            self.at += self.fortnight

    def alert_elsewhere(self, number: int, score: float, **more: Any) -> None:
        """Alerts beyond the story, on lines of their own, which cost something."""
        requests = [self._request(f"X{place:02d}-1", score, **more) for place in range(number)]
        for decision in self.decide(requests):
            self.happen(
                "costs", self.at, category="work", decision_id=decision["decision_id"], amount="99000", currency="EUR"
            )

    def _band(self, line: str) -> str:
        left = {
            band: sum(len(rows) for key, rows in self.unused.items() if key[:2] == (line, band)) for band in self.scores
        }
        return max(left, key=lambda band: left[band])

    def _request(self, machine: str, score: float, **more: Any) -> dict[str, Any]:
        prediction = {
            "model": "bearing", "version": "1", "score": score, "features": {"vibration": 2.5},
            "predicted_at": self.at.isoformat(),
        }  # fmt: skip
        mode = more.get("forced", {}).get("mode", score)
        return {
            "source": self.source, "event_id": f"{machine}-{self.at:%Y%m%d}-{mode}", "decision_point": "bearing-alert",
            "unit_id": machine, "cluster_id": machine.split("-")[0], "prediction": prediction,
            "at": self.at.isoformat(),
        } | more  # fmt: skip

    def _live(self, row: dict[str, str], decision: dict[str, Any]) -> None:
        """Work costs what was done; a machine that failed while it waited was never serviced at the window."""
        decided, failed = decision["decision_id"], row["failed"] == "1"
        done_at = self.at + timedelta(hours=2 if row["arm"] == "stop" else 100)
        self.happen("executions", done_at, decision_id=decided, status="delivered", actor="crew 1")
        work = float(row["cost"]) - 31_100 * failed
        self.happen("costs", done_at, category="work", decision_id=decided, amount=f"{work:.2f}", currency="EUR")
        minutes = {"planned_minutes": row["planned_minutes"], "unplanned_minutes": row["unplanned_minutes"]}
        for kind, value in (minutes | {"failure": row["failed"]}).items():
            if float(value):
                self.happen("outcomes", done_at, type=kind, unit_id=decision["unit_id"], value=float(value))
