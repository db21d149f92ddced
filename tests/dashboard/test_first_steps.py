"""First steps: the calls on the page are sent as they stand, and each makes its step done."""

from __future__ import annotations

import json
import re
import shlex
from html import unescape
from typing import Any

import pytest

from experiments.models import Decision, DecisionPoint, Experiment
from impact.ledger.models import Outcome
from tests.conftest import caller, signed_in
from tests.dashboard.test_views import page
from workspaces.models import Membership, Workspace


def calls(shown: str) -> list[tuple[str, Any]]:
    """Path and body of every call on the page, as a shell would read it."""
    found = []
    for block in re.findall(r'aria-label="curl">(.*?)</pre>', shown, re.DOTALL):
        for call in unescape(block).split("\n\n"):
            words = shlex.split(call.replace("\\\n", " "))
            assert words[0] == "curl" and "Authorization: Bearer $KEY" in words
            found.append((words[1].split("/api/v1")[1], json.loads(words[words.index("-d") + 1])))
    return found


def done(shown: str) -> list[bool]:
    """Which steps are done, in their order."""
    steps = shown.split('class="rows steps"')[1].split("</ol>")[0]
    return ["#pass" in step for step in steps.split("<li")[1:]]


def test_the_calls_lead_from_nothing_to_a_decision_and_its_outcome(owner: Membership, workspace: Workspace) -> None:
    client = signed_in(owner)
    assert done(page(client, "")) == [False] * 6
    api = caller(workspace, "manage", "decide", "log")
    shown = page(client, "")
    assert done(shown)[0] and "as soon as a decision point is declared" in shown
    for path, body in calls(shown):
        if path not in ("/outcomes", "/feeds/curl/heartbeat"):
            assert api.post(path, body).status_code == 200, path
    assert DecisionPoint.objects.within(workspace).get().key == "churn-offer"
    shown = page(client, "")
    assert done(shown)[:3] == [True, True, False]
    for path, body in calls(shown):
        answer = api.post(path, body)
        assert answer.status_code == 200, (path, answer.body)
    assert Decision.objects.within(workspace).count() == 1 and Outcome.objects.within(workspace).count() == 1
    assert done(page(client, ""))[:5] == [True, True, True, True, False]


def test_the_calls_name_what_the_workspace_has(owner: Membership, churn: Experiment) -> None:
    shown = page(signed_in(owner), "")
    decide = next(body for path, body in calls(shown) if path == "/decisions")
    assert decide["decision_point"] == "offer" and decide["prediction"]["model"] == "churn"
    assert done(shown) == [False, True, False, False, True, False]
    assert "experiments/offers/agreement" in shown.split('class="rows steps"')[1]


def test_the_first_open_step_is_marked(mate: Membership, churn: Experiment) -> None:
    steps = page(signed_in(mate), "").split('class="rows steps"')[1]
    assert steps.count('aria-current="step"') == 1
    assert 'aria-current="step"' in steps.split("</li>")[0]


def test_who_may_not_is_told_who_may(mate: Membership) -> None:
    shown = page(signed_in(mate), "")
    assert (
        "An analyst loads files." in shown
        and "An analyst designs it." in shown
        and 'href="/w/mobile/keys"' not in (shown.split('class="rows steps"')[1])
    )


def test_they_go_once_something_is_measured(mate: Membership, analysed: Any) -> None:
    assert "First steps" not in page(signed_in(mate), "")


@pytest.mark.parametrize("key", ["mobile", "other"])
def test_another_workspaces_steps_are_its_own(stranger: Membership, churn: Experiment, key: str) -> None:
    answer = signed_in(stranger).get(f"/w/{key}/")
    if key == "mobile":
        assert answer.status_code == 404
    else:
        assert done(answer.content.decode()) == [False] * 6
