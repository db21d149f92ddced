"""A file of scored units as a job: decided like a batch, the same answer however often, however it is interrupted."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from experiments.models import Decision, Experiment
from experiments.services import decide_file as deciding
from experiments.unit_file import ADDED
from impact.config.declarations import apply_files
from predictions.models import Prediction
from tests.conftest import DECLARED, START, Caller, caller, started
from tests.experiments.design import apply
from workspaces import clock, files
from workspaces.models import Job, Quarantine, Workspace
from workspaces.services import jobs

FEW = b"unit_id,score,tenure,plan\nc1,0.3,12,basic\nc2,0.4,,gone\n"
Drain = Callable[[], None]


def send(api: Caller, content: bytes, path: str = "/experiments/offers/assignments", kind: str = "text/csv") -> Any:
    return api._answer("post", path, data=content, content_type=kind)


def fetch(api: Caller, job: str) -> bytes:
    """The file of a job, with its headers checked."""
    answer = api.client.get(f"/api/v1/jobs/{job}/file", headers={"Authorization": f"Bearer {api.secret}"})
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv")
    assert int(answer["Content-Length"]) == len(content)
    assert answer["Content-Disposition"].startswith("attachment") and "RateLimit" in answer
    return content


def answered(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))


def decided(api: Caller, drain: Drain, content: bytes) -> tuple[Any, list[dict[str, str]]]:
    """The job and the rows of the answer to a file."""
    sent = send(api, content)
    assert (sent.status_code, sent.body["state"]) == (202, "queued"), sent.body
    drain()
    job = api.get(f"/jobs/{sent.body['id']}").body
    assert (job["state"], job["error"], job["result"]["file"]) == ("done", "", f"/api/v1/jobs/{job['id']}/file")
    return job, answered(fetch(api, job["id"]))


def many(count: int) -> bytes:
    rows = [f"u{number:05},{0.2 + number % 700 / 1000:.3f},{number % 40}" for number in range(count)]
    return ("unit_id,score,tenure\n" + "\n".join(rows) + "\n").encode()


def test_the_same_file_comes_back_with_actions(api: Caller, running: Experiment, drain: Drain) -> None:
    job, rows = decided(api, drain, FEW)
    assert list(rows[0]) == ["unit_id", "score", "tenure", "plan", *ADDED]
    assert [list(row.values())[:4] for row in rows] == [["c1", "0.3", "12", "basic"], ["c2", "0.4", "", "gone"]]
    stored = {one.unit_id: one for one in Decision.objects.select_related("action", "assignment__arm", "prediction")}
    for row in rows:
        decision = stored[row["unit_id"]]
        assert decision.assignment is not None and decision.action is not None
        assert (row["action"], row["arm"]) == (decision.action.key, decision.assignment.arm.key)
        assert (float(row["propensity"]), row["decision_id"]) == (decision.propensity, str(decision.pk))
        assert row["problem"] == ""
    assert stored["c1"].prediction.features == {"tenure": 12.0, "plan": "basic"}
    assert stored["c2"].prediction.features == {"plan": "gone"}
    # what the file leaves unsaid
    assert (stored["c1"].prediction.predicted_at, stored["c1"].decided_at) == (START, START)
    assert stored["c1"].source.startswith("file/offers/") and stored["c1"].event_id == "line 2"
    assert {name: job["result"][name] for name in ("accepted", "duplicate", "quarantined", "rejected")} == {
        "accepted": 2, "duplicate": 0, "quarantined": 0, "rejected": 0,
    }  # fmt: skip
    assert (job["progress"], job["message"]) == (1.0, "2 of 2 rows")


def test_every_column_that_is_said_is_used(api: Caller, running: Experiment, drain: Drain) -> None:
    at = (START - timedelta(hours=9)).isoformat().replace("+00:00", "Z")
    head = "unit_id,score,event_id,version,predicted_at,cluster_id,segment,vip"
    _, (row, _) = decided(api, drain, f"{head}\nc1,0.3,e9,1,{at},store 4,shop,TRUE\nc2,0.3,,,,,,\n".encode())
    decision = Decision.objects.select_related("prediction", "assignment").get(pk=row["decision_id"])
    assert (decision.event_id, decision.cluster_id) == ("e9", "store 4")
    assert decision.assignment is not None and decision.assignment.segments == {"segment": "shop"}
    assert decision.prediction.predicted_at == START - timedelta(hours=9)
    assert decision.prediction.features == {"vip": True}


def test_sent_twice_it_is_one_job_and_one_answer(
    api: Caller, workspace: Workspace, running: Experiment, drain: Drain
) -> None:
    job, _ = decided(api, drain, many(30))
    first = fetch(api, job["id"])
    clock.advance(workspace, START + timedelta(days=3))
    again = send(api, many(30)).body
    assert (again["id"], again["state"]) == (job["id"], "done")
    drain()
    assert fetch(api, job["id"]) == first
    assert (Job.objects.count(), Decision.objects.count()) == (1, 30)


def test_what_is_lost_or_failed_is_done_again_when_sent_again(api: Caller, running: Experiment, drain: Drain) -> None:
    job, _ = decided(api, drain, many(30))
    first = fetch(api, job["id"])
    stored = Job.objects.get()
    files.answer_file(stored).unlink()
    assert api.get(f"/jobs/{job['id']}/file").status_code == 404
    assert send(api, many(30)).body["state"] == "queued"
    drain()
    assert fetch(api, job["id"]) == first
    assert api.get(f"/jobs/{job['id']}").body["result"]["duplicate"] == 30
    Job.objects.update(state="failed", error="broke", attempts=3)
    assert send(api, many(30)).body["state"] == "queued"
    drain()
    assert fetch(api, job["id"]) == first
    assert Decision.objects.count() == 30


def test_a_file_of_many_batches_killed_in_the_middle_gives_the_same_file(
    api: Caller, running: Experiment, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = deciding.decide
    seen: list[tuple[int, str]] = []

    def killed(**named: Any) -> Any:
        job = Job.objects.get()
        seen.append((len(named["raw"]), job.message))
        if len(seen) == 3:
            raise KeyboardInterrupt  # as little of it is caught as of a kill
        return decide(**named)

    monkeypatch.setattr(deciding, "decide", killed)
    job = send(api, many(2500)).body["id"]
    with pytest.raises(KeyboardInterrupt):
        drain()
    assert seen == [(1000, ""), (1000, "1,000 of 2,500 rows"), (500, "2,000 of 2,500 rows")]
    assert Job.objects.get().state == "running"
    assert api.get(f"/jobs/{job}/file").body["code"] == "wrong-status"
    before = {str(pk) for pk in Decision.objects.values_list("pk", flat=True)}
    assert len(before) == 2000
    Job.objects.update(lease_until=clock.server_now() - timedelta(seconds=1))
    drain()
    taken_up = api.get(f"/jobs/{job}").body
    assert (taken_up["state"], taken_up["attempts"]) == ("done", 2)
    assert (taken_up["result"]["accepted"], taken_up["result"]["duplicate"]) == (500, 2000)
    first = fetch(api, job)
    rows = answered(first)
    assert [row["unit_id"] for row in rows] == [f"u{number:05}" for number in range(2500)]
    assert {row["decision_id"] for row in rows[:2000]} == before
    files.answer_file(Job.objects.get()).unlink()
    send(api, many(2500))
    drain()
    assert fetch(api, job) == first
    assert Decision.objects.count() == Prediction.objects.count() == 2500


def test_whoever_lost_the_job_writes_no_file(api: Caller, running: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    send(api, FEW)
    job = jobs.claim()
    assert job is not None
    decide = deciding.decide

    def taken_over(**named: Any) -> Any:
        Job.objects.update(attempts=2)
        return decide(**named)

    monkeypatch.setattr(deciding, "decide", taken_over)
    jobs.run(job, deciding.decide_file)
    assert not files.answer_file(job).exists()
    assert not [path for path in files.folder(job.workspace).iterdir() if path.name.startswith(files.DRAFT)]


def test_a_bad_row_spoils_no_other(api: Caller, running: Experiment, drain: Drain) -> None:
    content = b"unit_id,score,version\nc1,0.3,1\n,0.3,1\nc3,1.5,1\nc4,0.3,9\n=1+1,0.3,1\n"
    job, rows = decided(api, drain, content)
    counts = [job["result"][name] for name in ("accepted", "duplicate", "quarantined", "rejected")]
    assert counts == [2, 0, 1, 2]
    problems = [row["problem"] for row in rows]
    assert problems[0] == problems[4] == ""
    assert problems[1].startswith("line 3: ") and "unit_id" not in rows[1]["action"]
    assert problems[2] == "line 4: score == 1.5, a probability must be in [0, 1] [invalid-field]"
    assert problems[3].startswith("line 5: There is no model 'churn' with a version '9'")
    assert [rows[index][name] for index in (1, 2, 3) for name in ADDED[:-1]] == [""] * 12
    assert Quarantine.objects.get().event_id == "line 5"


def test_nothing_that_is_added_begins_a_formula(api: Caller, running: Experiment, drain: Drain) -> None:
    content = b'unit_id,score,plan\n=cmd(),0.3,@sum\n+1,7,-2\n\'=x,0.05,"a,""b"\n'
    _, rows = decided(api, drain, content)
    assert [row["unit_id"] for row in rows] == ["=cmd()", "+1", "'=x"]
    assert [row["plan"] for row in rows] == ["@sum", "-2", 'a,"b']
    assert not [row for row in rows for name in ADDED if row[name][:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_separator_line_ends_and_mark_stay(api: Caller, running: Experiment, drain: Drain) -> None:
    job = send(api, b'\xef\xbb\xbfunit_id;score;plan\r\n\xe9\xa1\xa7;0.3;"a;b"\r\n\r\nc2;0.3;x\r\n').body["id"]
    drain()
    content = fetch(api, job)
    assert content.startswith(b"\xef\xbb\xbfunit_id;score;plan;action") and content.count(b"\r\n") == 3
    assert [row["unit_id"] for row in answered(content, ";")] == ["顧", "c2"]
    assert [row["plan"] for row in answered(content, ";")] == ["a;b", "x"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\n\n", "The file is empty; send a header and a row for each unit."),
        (b"unit_id,score\n", "The file has no rows below its header"),
        (b"unit_id\nc1\n", "line 1: the column 'score' is missing; add it"),
        (b"unit_id,score,colour\nc1,0.3,red\n", "line 1: the column 'colour' is not known; rename it to one of "),
        (b"unit_id,score,action\nc1,0.3,none\n", "line 1: the column 'action' is not known"),
        (b"unit_id,score,score\nc1,0.3,0.3\n", "line 1: the column 'score' stands twice"),
        (b"unit_id,score\nc1,0.3\nc2,high\n", "line 3, column 'score': 'high' is no number; write it like 0.25."),
        (b"unit_id,score\nc1,\n", "line 2, column 'score': '' is no number"),
        (b"unit_id;score\nc1;0,3\n", "line 2, column 'score': '0,3' is no number"),
        (b"unit_id,score\nc1,nan\n", "line 2, column 'score': 'nan' is no number"),
        (b"unit_id,score\nc1,1e999\n", "line 2, column 'score': '1e999' is no number"),
        (b"unit_id,score,tenure\nc1,0.3,1_0\n", "line 2, column 'tenure': '1_0' is no number"),
        (b"unit_id,score,vip\nc1,0.3,yes\n", "line 2, column 'vip': 'yes' is neither true nor false"),
        (b"unit_id,score,predicted_at\nc1,0.3,2026-01-01\n", "line 2, column 'predicted_at': '2026-01-01' is no time"),
        (b"unit_id,score,plan\nc1,0.3,a\x00\n", "line 2, column 'plan': 'a\\x00' holds a NUL"),
        (b"unit_id,score\nc1,0.3\n\xff,0.3\n", "line 3 is not UTF-8; save the file as UTF-8"),
        ("unit_id,score\nc1,0.3\n".encode("utf-16"), "line 1 is not UTF-8"),
        (b"unit_id,score\nc1,0.3\nc2,0.3,1\n", "line 3 has 3 cells, the header names 2 columns"),
        (b'unit_id,score\nc1,0.3\n"c2,0.3\n', "line 3 is not CSV"),
        (b"unit_id,score\n" + b"a" * 200_000 + b",0.3\n", "line 2 is not CSV: field larger than field limit"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_place(api: Caller, running: Experiment, content: bytes, said: str) -> None:
    answer = send(api, content)
    assert (answer.status_code, answer.body["code"]) == (422, "bad-file")
    assert said in answer.body["detail"] and answer.body["detail"].endswith(".")
    assert not Job.objects.exists() and not Decision.objects.exists()
    assert not [path for path in (settings.DATA_DIR / "files" / "mobile").iterdir() if files.DRAFT in path.name]


def test_a_file_that_is_too_large_is_refused(api: Caller, running: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1024**2)
    answer = send(api, many(100_000))
    assert (answer.status_code, answer.body["code"]) == (413, "too-large")
    assert "1 MiB" in answer.body["detail"] and not Job.objects.exists()


def test_a_file_larger_than_a_body_of_json_is_taken(api: Caller, running: Experiment) -> None:
    answer = send(api, b"unit_id,score,plan\n" + (b"c1,0.3," + b"a" * 9000 + b"\n") * 1000)
    assert (answer.status_code, answer.body["state"]) == (202, "queued")


def test_another_kind_of_body_is_refused(api: Caller, running: Experiment) -> None:
    answer = send(api, FEW, kind="application/json")
    assert (answer.status_code, answer.body["code"]) == (422, "bad-file")
    assert "'application/json'; send the file itself, as text/csv" in answer.body["detail"]


def test_where_several_versions_are_live_the_file_says_which(
    api: Caller, workspace: Workspace, running: Experiment, tmp_path: Path, drain: Drain
) -> None:
    model = {"key": "churn", "name": "Churn", "target": "leaves within 90 days", "horizon_days": 90}
    features = {"tenure": "number", "plan": "text", "vip": "boolean"}
    versions = [{"version": "1"}, {"version": "2"}]
    apply(workspace, tmp_path, models=[model | {"unit_type": "customer", "features": features, "versions": versions}])
    assert "line 1: the column 'version' is missing" in send(api, FEW).body["detail"]
    _, rows = decided(api, drain, b"unit_id,score,version\nc1,0.3,2\nc2,0.3,\n")
    assert Decision.objects.select_related("prediction__version").get().prediction.version.version == "2"
    assert rows[1]["problem"].startswith("line 3: ")


def test_an_experiment_that_decides_nothing_takes_no_file(api: Caller, churn: Experiment) -> None:
    answer = send(api, FEW)
    assert (answer.status_code, answer.body["code"]) == (409, "wrong-status")
    assert "start it first" in answer.body["detail"] and not Job.objects.exists()


def test_nobody_reads_anothers_file(api: Caller, running: Experiment, other_workspace: Workspace, drain: Drain) -> None:
    job, _ = decided(api, drain, FEW)
    stranger = caller(other_workspace)
    assert send(stranger, FEW).status_code == 404
    assert stranger.get(f"/jobs/{job['id']}/file").status_code == 404
    assert caller(running.workspace, "read", "log").get(f"/jobs/{job['id']}/file").status_code == 403


def test_the_same_file_in_another_workspace_is_its_own(
    api: Caller, running: Experiment, other_workspace: Workspace, drain: Drain
) -> None:
    first, _ = decided(api, drain, FEW)
    apply_files(other_workspace, [DECLARED / "churn.yaml"], "test")
    started(other_workspace, Experiment.objects.within(other_workspace).get())
    second, _ = decided(caller(other_workspace), drain, FEW)
    assert first["id"] != second["id"]
    assert Decision.objects.count() == 4


def test_a_job_without_a_file_has_none(api: Caller, workspace: Workspace) -> None:
    job = jobs.enqueue(workspace=workspace, kind="analyze", key="1")
    Job.objects.update(state="done")
    assert api.get(f"/jobs/{job.pk}/file").status_code == 404
