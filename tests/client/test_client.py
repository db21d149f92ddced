"""The client with the service there, away, and back again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal as Exact
from pathlib import Path
from typing import Any

import msgspec
import numpy
import pytest

from experiments.models import Decision, Execution, Experiment
from impact.config.declarations import apply_files
from impact.ledger.models import Cost, Feed, Outcome
from impact_client import Away, Client, Refused
from impact_client import Cost as Spent
from impact_client import Execution as Done
from predictions.models import Prediction
from tests.client.conftest import outcome, question
from tests.client.gate import Gate
from tests.client.told import WELL, Told
from workspaces.models import Quarantine, Workspace
from workspaces.services.keys import create_key

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 1, 15, tzinfo=UTC)


def aside(spool: Path) -> list[Any]:
    return [msgspec.json.decode(line) for line in (spool / "rejected.ndjson").read_bytes().splitlines()]


def test_asks_and_asks_again(client: Client) -> None:
    one = question("c1")
    first = client.decide(one)
    assert (first.mode, first.experiment, first.propensity) == ("randomized", "offers", 0.5)
    assert (first.action.key, first.replayed) == (first.arm, False)
    assert client.decide(one) == msgspec.structs.replace(first, replayed=True)
    assert Decision.objects.count() == 1


def test_asks_for_a_thousand_at_once_in_order(client: Client, gate: Gate) -> None:
    questions = [question(f"c{number}") for number in range(1005)]
    questions[3] = question("c3", decision_point="offer", event_id="\u200b")
    answers = client.decide_many(questions)
    assert gate.calls == 2
    assert isinstance(answers[3], Refused)
    assert answers[3].code == "invalid-field"
    decided = [answer for answer in answers if not isinstance(answer, Refused)]
    assert [answer.unit_id for answer in decided] == [one.unit_id for one in questions if one.unit_id != "c3"]
    assert Decision.objects.count() == 1004


def test_what_numpy_and_pandas_give_is_taken(client: Client) -> None:
    one = question("c1")
    features = {"tenure": numpy.float32(1.5), "vip": numpy.bool_(True), "plan": float("nan")}
    scored = msgspec.structs.replace(one.prediction, score=numpy.float64(0.25), features=features)
    client.decide(msgspec.structs.replace(one, prediction=scored))
    assert Prediction.objects.get().features == {"tenure": 1.5, "vip": True, "plan": None}


def test_events_are_sent_by_the_thousand(client: Client, gate: Gate) -> None:
    decision = client.decide(question("c1"))
    client.log(*(outcome(f"c{number}") for number in range(1001)))
    spent = Spent(decision=decision, category="contact", amount=Exact("1.10"), currency="EUR", occurred_at=AT)
    client.log(spent, Done(decision=decision.decision_id, status="delivered", occurred_at=AT))
    assert Outcome.objects.count() == 0
    gate.calls = 0
    assert client.flush() == {"accepted": 1003, "waiting": 0}
    assert gate.calls == 4
    assert Outcome.objects.count() == 1001
    assert Cost.objects.get().amount == 1.1
    assert str(Cost.objects.get().decision_id) == str(Execution.objects.get().decision_id) == decision.decision_id
    assert client.flush() == {"waiting": 0}


def test_away_it_answers_the_baseline_which_is_delivered_once(hasty: Client, gate: Gate) -> None:
    gate.shut()
    one = question("c1")
    answer = hasty.decide(one)
    assert (answer.action.key, answer.mode, answer.propensity, answer.decision_id) == ("none", "fallback", 1.0, None)
    assert hasty.decide(one).replayed
    with pytest.raises(Refused, match="event-conflict"):
        hasty.decide(question("c2", event_id=one.event_id))
    assert hasty.flush() == {"waiting": 1}
    gate.open()
    assert hasty.decide(one).decision_id is None
    assert hasty.flush() == {"accepted": 1, "waiting": 0}
    stored = Decision.objects.get()
    assert (stored.mode, stored.assignment, stored.action and stored.action.key) == ("fallback", None, "none")
    assert stored.prediction and stored.prediction.predicted_at == one.prediction.predicted_at < stored.decided_at
    again = hasty.decide(one)
    assert (again.action.key, again.mode, again.replayed) == ("none", "fallback", True)
    assert again.decision_id == str(stored.pk)


def test_a_client_that_starts_answers_what_its_forerunner_answered(
    hasty: Client, gate: Gate, connect: Callable[..., Client]
) -> None:
    gate.shut()
    one = question("c1")
    hasty.decide(one)
    hasty.close()
    gate.open()
    heir = connect()
    assert heir.decide(one).mode == "fallback"
    assert heir.flush()["accepted"] == 1
    assert Decision.objects.get().mode == "fallback"


def test_while_away_it_rests(told: Told, tmp_path: Path) -> None:
    client = Client(told.address, "k", source="crm", baselines={"offer": "none"}, spool=tmp_path, attempts=1, rest=60.0)
    told.replies = [(503, "", b"{}"), WELL]
    assert [client.decide(question(f"c{number}")).mode for number in range(3)] == ["fallback"] * 3
    assert len(told.asked) == 1


def test_events_about_a_spooled_fallback_find_it(hasty: Client, gate: Gate) -> None:
    gate.shut()
    answer, unknown = hasty.decide(question("c1")), hasty.decide(question("c2", event_id="\u200b"))
    gate.open()
    hasty.flush()
    hasty.log(*(Done(decision=one, status="delivered", occurred_at=AT) for one in (answer, unknown)))
    hasty.log(Spent(decision=answer, category="contact", amount="1", currency="EUR", occurred_at=AT))
    counts = hasty.flush()
    assert (counts["accepted"], counts["rejected"]) == (2, 1)
    assert Execution.objects.get().decision == Cost.objects.get().decision == Decision.objects.get()


def test_where_only_the_answer_was_lost_the_drawn_decision_stands_as_overridden(hasty: Client, gate: Gate) -> None:
    gate.on_answer = lambda: False
    questions = [question(f"c{number}") for number in range(12)]
    answers = hasty.decide_many(questions)
    assert {answer.mode for answer in answers if not isinstance(answer, Refused)} == {"fallback"}
    gate.on_answer = lambda: True
    hasty.log(Done(decision=answers[0], status="delivered", occurred_at=AT))  # type: ignore[arg-type]
    counts = hasty.flush()
    drawn = Decision.objects.filter(mode="randomized")
    treated = set(drawn.exclude(action__key="none"))
    assert drawn.count() == Decision.objects.count() == 12
    assert 0 < len(treated) < 12
    assert counts == {"duplicate": 12, "accepted": len(treated) + 1, "waiting": 0}
    overridden = Execution.objects.filter(status="overridden")
    assert {one.decision for one in overridden} == treated
    assert {one.executed_action for one in Execution.objects.all()} == {"none"}
    assert hasty.decide_many(questions) == hasty.decide_many(questions)


def test_what_is_refused_is_set_aside_with_the_reason(client: Client, tmp_path: Path) -> None:
    client.log(outcome("c1"), outcome("\x00"), outcome("c2", value="many"), outcome("c3", decision="?", unit_id=None))
    assert client.flush() == {"accepted": 1, "rejected": 2, "quarantined": 1, "waiting": 0}
    assert Outcome.objects.get().unit_id == "c1"
    codes = [(one["row"].get("unit_id"), one["answer"]["code"]) for one in aside(tmp_path / "spool")]
    assert codes == [("\x00", "malformed-json"), ("c2", "invalid-field"), (None, "unknown-decision")]
    assert "'many'" in aside(tmp_path / "spool")[1]["answer"]["detail"]


def test_a_wrong_key_is_raised_and_loses_nothing(connect: Callable[..., Client]) -> None:
    stranger = connect(key="imp_wrong")
    with pytest.raises(Refused, match="unauthenticated"):
        stranger.decide(question("c1"))
    stranger.log(outcome("c1"))
    with pytest.raises(Refused, match="unauthenticated"):
        stranger.flush()
    assert connect().flush() == {"accepted": 1, "waiting": 0}
    assert Decision.objects.count() == Quarantine.objects.count() == 0


def test_a_heartbeat_waits_for_the_outcomes_before_it(hasty: Client, gate: Gate) -> None:
    hasty.log(outcome("c1"))
    gate.shut()
    with pytest.raises(Away, match="still waits"):
        hasty.heartbeat("churned", AT + timedelta(days=1))
    gate.open()
    hasty.heartbeat("churned", AT + timedelta(days=1))
    assert (Outcome.objects.count(), Feed.objects.get().complete_until) == (1, AT + timedelta(days=1))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda client: client.decide(question("c1", decision_point="other")),
        lambda client: client.log(outcome("c1", occurred_at=datetime(2026, 1, 15))),
        lambda client: client.heartbeat("churned", datetime(2026, 1, 15)),
        lambda client: Client("impact.example.com", "k", source="crm", baselines={}, spool="/nowhere"),
    ],
)
def test_what_can_never_go_well_is_said_at_once(tmp_path: Path, wrong: Callable[[Client], Any]) -> None:
    client = Client("http://127.0.0.1:9", "k", source="crm", baselines={"offer": "none"}, spool=tmp_path)
    with pytest.raises(ValueError, match="=="):
        wrong(client)


def test_threads_share_a_client(client: Client) -> None:
    def work(place: int) -> str | None:
        client.log(outcome(f"c{place}"))
        client.flush()
        return client.decide(question(f"c{place}")).arm

    with ThreadPoolExecutor(8) as pool:
        arms = list(pool.map(work, range(24)))
    assert set(arms) == {"none", "bonus"}
    assert (Outcome.objects.count(), Decision.objects.count()) == (24, 24)
    assert client.flush() == {"waiting": 0}


def test_a_forked_process_has_a_file_and_connections_of_its_own(simple: Client, tmp_path: Path) -> None:
    simple.log(outcome("parent"))
    child = os.fork()
    if not child:
        simple.log(outcome("child"))
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list((tmp_path / "spool").glob("*.spool"))) == 2
    assert simple.flush() == {"accepted": 2, "waiting": 0}


def test_it_needs_nothing_but_msgspec() -> None:
    check = "import impact_client, sys; print({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    done = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.append({str(ROOT)!r}); {check}"],
                          capture_output=True, text=True, check=True, cwd="/")  # fmt: skip
    loaded = {name for name in eval(done.stdout) if not name.startswith("_")}
    assert loaded <= {"impact_client", "msgspec", "typing_extensions"}


def test_the_example_in_the_docs_runs(
    live_server: Any, real_workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apply_files(real_workspace, [ROOT / "scenarios/churn.yaml"], "test")
    _, secret = create_key(workspace=real_workspace, name="crm", scopes=["decide", "log"], actor="test")
    section = (ROOT / "docs/api.md").read_text(encoding="utf-8").partition("## From Python")[2]
    example = section.partition("```python\n")[2].partition("```")[0]
    for written, here in {"https://impact.example.com": live_server.url, "imp_...": secret,
                          "/var/spool/impact": str(tmp_path / "spool")}.items():  # fmt: skip
        assert written in example
        example = example.replace(written, here)
    exec(example, {})
    assert "'accepted': 3" in capsys.readouterr().out
    counts = [model.objects.count() for model in (Decision, Execution, Cost, Outcome, Feed)]
    assert counts == [1, 1, 1, 1, 1]
    assert Experiment.objects.count() == 1
