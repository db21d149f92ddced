"""Asking for decisions, telling what happened, and the spool in between."""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote
from uuid import NAMESPACE_OID, uuid5

import msgspec

from .rows import Action, Decision, Event, Execution, Question, Record, Result, Row, record_of, row_of, zoned
from .spool import Spool, parsed, release
from .wire import BATCH, Away, Refused, Wire

# decisions first: events may be about them
CALLS = ("decisions", "executions", "outcomes", "costs")
REASON = "Impact could not be asked"
T = TypeVar("T")


class Client:
    """One source's way to Impact, for any number of threads; make one and keep it.

    ``decide`` takes about ``timeout`` seconds at most, retries included; batches take ``batch_timeout`` each. Where
    Impact can't be reached it answers the decision point's baseline in mode ``fallback`` and spools that; for the
    next ``rest`` seconds, or as long as Impact asked to be left alone, it answers so at once.

    Impact takes a spooled fallback as decided when it is delivered: ``decided_at`` and ``matures_at`` are later than
    what was done, and the prediction, whose ``predicted_at`` is sent as it was, is older than usual. Fallbacks enter
    no effect, so nothing is biased; but don't stamp a prediction anew because it is delivered late.

    Events go to the spool first, and ``flush`` sends them: call it when the process starts and every minute. ``spool``
    is a folder on a local disk. Processes may share it if their keys are of one workspace: each writes a file of its
    own, and the files of those that died are delivered by the next flush of any other. With ``sync`` a row survives
    a power cut once the call has returned; without, only the end of the process. A full disk raises OSError.
    The key needs the scopes decide and log.
    """

    def __init__(
        self, address: str, key: str, *, source: str, baselines: Mapping[str, str], spool: str | Path,
        timeout: float = 2.0, batch_timeout: float = 30.0, attempts: int = 3, rest: float = 1.0, sync: bool = True,
    ) -> None:  # fmt: skip
        self._source, self._baselines = source, dict(baselines)
        self._timeout, self._batch_timeout = timeout, batch_timeout
        self._wire = Wire(address, key, attempts, rest)
        self._spool = Spool(Path(spool), sync)
        mine = (one.row for one in self._spool.records() if one.call == "decisions" and one.row["source"] == source)
        self._fallbacks = {row["event_id"]: row for row in mine}
        self._flushing = threading.Lock()
        _clients.add(self)

    def decide(self, question: Question) -> Decision:
        """Ask for one action."""
        answer = self._ask([question], self._timeout)[0]
        if isinstance(answer, Refused):
            raise answer
        return answer

    def decide_many(self, questions: Sequence[Question]) -> list[Decision | Refused]:
        """Ask for many actions; the answers come in the order of the questions, and one refusal spoils no other."""
        return [answer for part in _parts(questions) for answer in self._ask(part, self._batch_timeout)]

    def log(self, *events: Event) -> None:
        """Spool what happened."""
        self._spool.append([self._event_record(event) for event in events])

    def flush(self) -> Counter[str]:
        """Send what is spooled, also by processes that died; count rows by their answer, and those still ``waiting``.

        Refused rows go to ``rejected.ndjson`` with the reason. A row is removed after it was answered, so a crash may
        send it twice, and Impact counts it once. Where Impact is away the rows wait; where it refuses the key or the
        call, Refused is raised and they wait too.
        """
        counts: Counter[str] = Counter()
        with self._flushing:
            for fd, path in self._spool.take():
                try:
                    self._deliver(path, counts)
                except Away:
                    break
                finally:
                    release(fd)
        counts["waiting"] = len(self._spool.records())
        return counts

    def heartbeat(self, type: str, complete_until: datetime) -> None:
        """Say that every outcome of a type up to a time was sent; raise Away where one of them still waits here."""
        body = msgspec.json.encode({"type": type, "complete_until": zoned(complete_until)})
        self.flush()
        for row in (one.row for one in self._spool.records() if one.call == "outcomes"):
            mine = (row["source"], row["type"]) == (self._source, type)
            if mine and datetime.fromisoformat(row["occurred_at"]) < complete_until:
                raise Away(f"the outcome {row['event_id']} still waits in the spool")
        self._wire.post(f"feeds/{quote(self._source, safe='')}/heartbeat", body, self._batch_timeout)

    def close(self) -> None:
        """Leave what is spooled to the next flush of anyone."""
        self._wire.begin_anew()
        self._spool.close()

    def _begin_anew(self) -> None:
        """Share no connection, lock or file with the process that this one was forked from."""
        self._flushing = threading.Lock()
        self._wire.begin_anew()
        self._spool.begin_anew()

    def _ask(self, questions: Sequence[Question], seconds: float) -> list[Decision | Refused]:
        rows = [self._decision_row(question) for question in questions]
        answers = {place: known for place, row in enumerate(rows) if (known := self._again(row))}
        fresh = [place for place in range(len(rows)) if place not in answers]
        try:
            results = self._settle([rows[place] for place in fresh], seconds)
            answers |= zip(fresh, map(_answer, results), strict=True)
        except Away:
            spooled = {place: self._other_form(rows[place]) for place in fresh}
            self._spool.append([record_of("decisions", row) for row in spooled.values()])
            self._fallbacks |= {row["event_id"]: row for row in spooled.values()}
            answers |= {place: _fallback(row) for place, row in spooled.items()}
        return [answers[place] for place in range(len(rows))]

    def _again(self, row: Row) -> Decision | Refused | None:
        """Answer as before what was answered here and isn't delivered yet."""
        spooled = self._fallbacks.get(row["event_id"])
        if spooled is None:
            return None
        if self._other_form(spooled) == row:
            return _fallback(spooled, replayed=True)
        return Refused("event-conflict", f"{row['event_id']} was asked before with other content")

    def _decision_row(self, question: Question) -> Row:
        if question.decision_point not in self._baselines:
            raise ValueError(f"decision_point == {question.decision_point!r}, baselines has {list(self._baselines)}")
        return row_of(self._source, question)

    def _event_record(self, event: Event) -> Record:
        row, decision = row_of(self._source, event), event.decision
        if isinstance(decision, str):
            return record_of(event.call, row | {"decision_id": decision})
        if decision is None or decision.decision_id:
            return record_of(event.call, row | ({"decision_id": decision.decision_id} if decision else {}))
        if isinstance(event, Execution):
            # should Impact have drawn another action after all, it must not count as done
            row = {"executed_action": decision.action.key} | row
        return record_of(event.call, row, decision.spooled)

    def _other_form(self, row: Row) -> Row:
        """Turn a decision to be drawn into a fallback, and back."""
        if "forced" in row:
            return {name: value for name, value in row.items() if name != "forced"}
        action = self._baselines[row["decision_point"]]
        return row | {"forced": {"mode": "fallback", "action": action, "reason": REASON}}

    def _deliver(self, path: Path, counts: Counter[str]) -> None:
        """Send a file's records; keep those without an answer, set the refused aside, and forget the others."""
        records, torn = parsed(path.read_bytes())
        results: dict[int, Result] = {}
        try:
            for call in CALLS:
                for part in _parts([place for place, record in enumerate(records) if record.call == call]):
                    sent = [records[place] for place in part]
                    answers = self._send_records(call, sent)
                    results |= zip(part, answers, strict=True)
                    records += _overrides(sent, answers)
        finally:
            counts.update(result.status for result in results.values())
            answered = [(records[place], result) for place, result in results.items()]
            self._spool.set_aside(torn, [one for one in answered if one[1].status in ("rejected", "quarantined")])
            if answered or torn or not records:
                self._spool.append([record for place, record in enumerate(records) if place not in results])
                path.unlink()
            for record in (record for record, _ in answered if record.call == "decisions"):
                self._fallbacks.pop(record.row["event_id"], None)

    def _send_records(self, call: str, records: Sequence[Record]) -> list[Result]:
        """Send records of one call; events about a spooled decision get its id, which Impact tells whenever asked."""
        if call == "decisions":
            return self._settle([record.row for record in records], self._batch_timeout)
        spooled = {record.about["event_id"]: record.about for record in records if record.about}
        decisions = dict(zip(spooled, self._settle(list(spooled.values()), self._batch_timeout), strict=True))
        about = [decisions[record.about["event_id"]] if record.about else None for record in records]
        rows = [
            one.row | ({"decision_id": decision.id} if decision else {})
            for one, decision in zip(records, about, strict=True)
            if decision is None or decision.id
        ]
        sent = iter(self._wire.send(call, rows, self._batch_timeout))
        return [decision if decision and not decision.id else next(sent) for decision in about]

    def _settle(self, rows: list[Row], seconds: float) -> list[Result]:
        """Send decisions; one that Impact knows in its other form, drawn or as a fallback, gets that one's answer.

        For an answer may be lost after Impact has decided, and then the fallback comes second.
        """
        results = self._wire.send("decisions", rows, seconds)
        known = [place for place, result in enumerate(results) if result.code == "event-conflict"]
        others = self._wire.send("decisions", [self._other_form(rows[place]) for place in known], seconds)
        first = {place: other for place, other in zip(known, others, strict=True) if other.status == "duplicate"}
        return [first.get(place, result) for place, result in enumerate(results)]


def _overrides(records: Sequence[Record], results: Sequence[Result]) -> list[Record]:
    """Say of decisions whose answer was lost on its way that the baseline was done, not what Impact had drawn."""
    lost = (
        (record, result.decision.decision_id, record.row["forced"]["action"])
        for record, result in zip(records, results, strict=True)
        if result.decision and record.row["forced"]["action"] != result.decision.action.key
    )
    return [
        record_of(
            "executions",
            {
                "source": record.row["source"],
                "event_id": uuid5(NAMESPACE_OID, record.row["event_id"]).hex,
                "decision_id": decision_id,
                "status": "overridden",
                "executed_action": action,
                "actor": record.row["source"],
                "reason": REASON,
                "occurred_at": record.written_at,
            },
        )
        for record, decision_id, action in lost
    ]


def _fallback(row: Row, *, replayed: bool = False) -> Decision:
    action = row["forced"]["action"]
    return Decision(
        unit_id=row["unit_id"], action=Action(action), mode="fallback", propensity=1.0, probabilities={action: 1.0},
        decided_at=datetime.now(UTC), replayed=replayed, spooled=row,
    )  # fmt: skip


def _answer(result: Result) -> Decision | Refused:
    return result.decision or Refused(result.code, result.detail)


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _after_fork() -> None:
    for client in list(_clients):
        client._begin_anew()


_clients: weakref.WeakSet[Client] = weakref.WeakSet()
os.register_at_fork(after_in_child=_after_fork)
