"""Jobs: enqueued once, claimed by one, leased, tried three times, written only by whoever holds them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from tests.conftest import Caller, caller, race
from workspaces.errors import Refusal
from workspaces.models import Job, Workspace
from workspaces.services import jobs
from workspaces.services.jobs import ATTEMPTS, LEASE, Attempt, LeaseLost, claim, enqueue, repeat, run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def watch() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def claimed(job: Job) -> Job:
    found = claim()
    assert found == job
    return found


def test_is_enqueued_once_a_key(workspace: Workspace, other_workspace: Workspace) -> None:
    first = enqueue(workspace=workspace, kind="k", key="1", arguments={"n": 1})
    assert enqueue(workspace=workspace, kind="k", key="1", arguments={"n": 2}) == first
    assert Job.objects.get().arguments == {"n": 1}
    enqueue(workspace=workspace, kind="k", key="2")
    enqueue(workspace=workspace, kind="l", key="1")
    enqueue(workspace=other_workspace, kind="k", key="1")
    assert Job.objects.count() == 4


def test_a_worker_is_told_after_the_commit(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(jobs, "hint", lambda: told.append(True))
    with django_capture_on_commit_callbacks() as waiting:
        enqueue(workspace=workspace, kind="k", key="1")
        enqueue(workspace=workspace, kind="k", key="1")
    assert told == []
    waiting[0]()
    assert (len(waiting), told) == (1, [True])


def test_the_longest_due_is_claimed_first(workspace: Workspace) -> None:
    now = datetime.now(UTC)
    for hours in (3, 1, 2, -1):
        enqueue(workspace=workspace, kind="k", key=f"{hours}", due_at=now - timedelta(hours=hours))
    found = [job.key for job in iter(claim, None)]
    assert found == ["3", "2", "1"]


def test_one_alone_is_claimed_once(workspace: Workspace) -> None:
    first, second = (enqueue(workspace=workspace, kind="k", key=key) for key in "12")
    assert (claim(second), claim(second), claim()) == (second, None, first)


def test_only_what_has_ended_is_repeated(workspace: Workspace) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    run(claimed(job), lambda attempt: 1)
    repeat(job)
    assert (job.state, job.attempts, job.progress, job.result, job.finished_at) == ("queued", 0, 0.0, None, None)
    claimed(job)
    repeat(job)
    assert (job.state, job.attempts) == ("running", 1)


def test_works(workspace: Workspace, watch: time_machine.Traveller) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1", arguments={"n": 3})

    def work(attempt: Attempt) -> Any:
        assert attempt.workspace == workspace
        attempt.progress(0.5, "half")
        half = Job.objects.get()
        assert (half.state, half.progress, half.message, half.attempts) == ("running", 0.5, "half", 1)
        assert half.lease_until == NOW + LEASE
        return {"twice": 2 * attempt.job.arguments["n"]}

    run(claimed(job), work)
    done = Job.objects.get()
    assert (done.state, done.result, done.progress, done.error) == ("done", {"twice": 6}, 1.0, "")
    assert (done.started_at, done.finished_at, done.lease_until) == (NOW, NOW, None)
    assert claim() is None


def test_a_leased_job_is_not_claimed_until_its_lease_is_over(
    workspace: Workspace, watch: time_machine.Traveller
) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    claimed(job)
    watch.shift(LEASE)
    assert claim() is None
    watch.shift(1)
    assert claimed(job).attempts == 2


def test_fails_after_three_attempts_with_the_reason(workspace: Workspace, watch: time_machine.Traveller) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    for attempt in range(1, ATTEMPTS + 1):
        run(claimed(job), lambda attempt: 1 / 0)
        failed = Job.objects.get()
        assert (failed.attempts, failed.error) == (attempt, "ZeroDivisionError: division by zero")
        assert failed.state == ("failed" if attempt == ATTEMPTS else "queued")
        assert claim() is None, "it waits before it is tried again"
        watch.shift(60)
    assert claim() is None
    assert failed.finished_at is not None


def test_an_attempt_that_succeeds_forgets_the_error(workspace: Workspace, watch: time_machine.Traveller) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    run(claimed(job), lambda attempt: 1 / 0)
    watch.shift(60)
    run(claimed(job), lambda attempt: "fine")
    done = Job.objects.get()
    assert (done.state, done.result, done.error, done.attempts) == ("done", "fine", "", 2)


def test_fails_after_three_workers_died_at_it(workspace: Workspace, watch: time_machine.Traveller) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    other = enqueue(workspace=workspace, kind="k", key="2", due_at=NOW + timedelta(hours=1))
    for _ in range(ATTEMPTS):
        claimed(job)
        watch.shift(61)
    watch.shift(3600)
    assert claim() == other, "one that is given up doesn't keep the next one waiting"
    job.refresh_from_db()
    assert (job.state, job.error, job.lease_until) == ("failed", "The worker stopped 3 times while at it.", None)


def test_a_refusal_fails_at_once(workspace: Workspace) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")

    def refuse(attempt: Attempt) -> None:
        raise Refusal("not-started", "It has not begun.")

    run(claimed(job), refuse)
    failed = Job.objects.get()
    assert (failed.state, failed.attempts, failed.error) == ("failed", 1, "not-started: It has not begun.")


def test_an_attempt_that_lost_its_lease_writes_nothing(workspace: Workspace, watch: time_machine.Traveller) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    late = Attempt(claimed(job))
    watch.shift(61)
    run(claimed(job), lambda attempt: "by the second")
    with pytest.raises(LeaseLost), late.writing():
        enqueue(workspace=workspace, kind="written", key="by the first")
    with pytest.raises(LeaseLost):
        late.progress(0.9, "going on")
    done = Job.objects.get(pk=job.pk)
    assert (done.state, done.result, done.progress) == ("done", "by the second", 1.0)
    assert not Job.objects.filter(kind="written").exists()


@pytest.mark.parametrize("ends", ["returns", "raises", "refuses"])
def test_however_a_late_attempt_ends_the_second_ones_result_stands(
    workspace: Workspace, watch: time_machine.Traveller, ends: str
) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")

    def taken_over(attempt: Attempt) -> str:
        watch.shift(61)
        run(claimed(job), lambda attempt: "by the second")
        if ends == "raises":
            raise ZeroDivisionError
        if ends == "refuses":
            raise Refusal("not-started", "late")
        return "by the first"

    run(claimed(job), taken_over)
    done = Job.objects.get()
    assert (done.state, done.result, done.error, done.attempts) == ("done", "by the second", "", 2)


def test_what_an_attempt_writes_goes_with_its_error(workspace: Workspace) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")

    def half(attempt: Attempt) -> None:
        with attempt.writing():
            enqueue(workspace=workspace, kind="written", key="1")
            raise ZeroDivisionError

    run(claimed(job), half)
    assert not Job.objects.filter(kind="written").exists()


def test_a_simulated_clock_does_not_hold_up_jobs(workspace: Workspace) -> None:
    # the workspace's time is years away; leases and due times are real
    job = enqueue(workspace=workspace, kind="k", key="1")
    assert claimed(job).lease_until > datetime.now(UTC)  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
def test_one_of_many_threads_claims_it(workspace: Workspace) -> None:
    for number in range(5):
        enqueue(workspace=workspace, kind="k", key=f"{number}")
    found = [job.key for job in race(16, lambda place: claim()) if job]
    assert sorted(found) == ["0", "1", "2", "3", "4"]
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_many_enqueue_one(workspace: Workspace) -> None:
    made = race(16, lambda place: enqueue(workspace=workspace, kind="k", key="1").pk)
    assert len(set(made)) == Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_renewed_while_the_work_goes_on(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "RENEW_EVERY", 0.05)
    job = enqueue(workspace=workspace, kind="k", key="1")

    def patient(attempt: Attempt) -> bool:
        first = Job.objects.get().lease_until
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if Job.objects.get().lease_until > first:
                return True
            time.sleep(0.05)
        return False

    run(claimed(job), patient)
    assert Job.objects.get().result is True


@pytest.mark.django_db(transaction=True)
def test_nobody_takes_a_job_over_while_its_attempt_writes(workspace: Workspace) -> None:
    """The writer holds the row: whoever claims meanwhile finds nothing, or waits until it is done."""
    job = enqueue(workspace=workspace, kind="k", key="1")
    mine = claimed(job)
    Job.objects.filter(pk=job.pk).update(lease_until=datetime.now(UTC) - timedelta(seconds=5))

    def act(place: int) -> Any:
        if place:
            time.sleep(0.2)
            return claim()
        with Attempt(mine).writing():
            time.sleep(0.6)
            Job.objects.filter(pk=job.pk).update(state="done", lease_until=None)
        return None

    assert race(2, act) == [None, None]


def test_get_jobs_works(api: Caller, workspace: Workspace, other_workspace: Workspace) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    enqueue(workspace=other_workspace, kind="k", key="theirs")
    run(claimed(job), lambda attempt: {"rows": 3})
    body = api.get(f"/jobs/{job.pk}").body
    assert body["id"] == str(job.pk)
    assert (body["state"], body["progress"], body["result"], body["error"]) == ("done", 1.0, {"rows": 3}, "")
    assert api.get("/jobs").body == {"jobs": [body], "next": None}


@pytest.mark.parametrize("text", ["nonsense", "0193", "a\x00b"])
def test_get_job_refuses_what_is_no_id(api: Caller, text: str) -> None:
    answer = api.get(f"/jobs/{text}")
    assert (answer.status_code, answer.body["code"]) == (404, "not-found")


def test_another_workspaces_job_looks_like_a_missing_one(
    api: Caller, workspace: Workspace, other_workspace: Workspace
) -> None:
    job = enqueue(workspace=workspace, kind="k", key="1")
    answer = caller(other_workspace).get(f"/jobs/{job.pk}")
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).delete()
    assert (answer.status_code, answer.body) == (404, caller(other_workspace).get(f"/jobs/{job.pk}").body)
