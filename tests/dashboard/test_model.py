"""Pages and calls about models: what they say when all is known, when it is refused, and when there is nothing yet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from experiments.models import Experiment
from predictions.models import ModelVersion, PredictionModel
from tests.conftest import Caller, caller, enter, signed_in
from tests.dashboard.judged import judge, judged_model, measured
from tests.dashboard.test_views import page
from workspaces.models import Membership, Workspace


def test_the_list_says_what_predicts_how_much_and_how_well(
    workspace: Workspace, mate: Membership, churn: Experiment
) -> None:
    version = judged_model(workspace, "churn")
    shown = page(signed_in(mate), "models")
    auc = measured()["auc"]
    for text in (
        'href="/w/mobile/models/churn"',
        "steady",
        "0.06",
        f"{auc:.3f}",
        "leaves within 90 days",
        "offer",
        "last on 15 January 2026",
    ):
        assert text in shown
    # days 4 to 10 from the start
    assert f">{sum(204 + day for day in range(7)):,}<" in shown
    PredictionModel.objects.filter(pk=version.model_id).update(monthly_cost=15000)
    assert "15,000 EUR" in page(signed_in(mate), "models")
    assert "円" not in shown and "安定" in page(signed_in(mate), "models", "ja")


def test_one_model(workspace: Workspace, mate: Membership) -> None:
    judged_model(workspace, "churn")
    shown = page(signed_in(mate), "models/churn")
    for text in (
        "Half of the scores are below 0.35; at first it was 0.25",
        "Steady: on no day of 4 did the scores move over 0.2",
        "Compared with the 1,400 predictions from 5 January 2026 to 11 January 2026.",
        "About right: it came true for",
        "Measured on 1,000 units that were left alone by chance, 40 of them held out, by “Churn” over 90 days",
        "Left out because they were acted on after all: 3.",
        "no decision point uses it",
        "Brier score",
    ):
        assert text in shown
    assert shown.count('<svg class="plot') == 3


@pytest.mark.parametrize(
    ("psi", "title"),
    [
        ((0.03, 0.31, 0.25, 0.02), "Drifted: over 0.2 on 2 of 4 days, most on 13 January 2026 (0.31)"),
        ((0.01,), "Steady: on no day of 1 did the scores move over 0.2"),
    ],
)
def test_drift_is_said_in_the_title(workspace: Workspace, mate: Membership, psi: tuple[float, ...], title: str) -> None:
    judged_model(workspace, "churn", psi=psi)
    assert title in page(signed_in(mate), "models/churn")


def test_scores_that_were_too_high_are_said_to_be(workspace: Workspace, mate: Membership) -> None:
    judged_model(workspace, "churn", content=measured(factor=1.5))
    assert "Too high: it came true for" in page(signed_in(mate), "models/churn")


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("too-few", "so far 60 of them are known"),
        ("baseline-acts", "the baseline of the experiment is itself an action"),
        ("not-binary", "no driver of the experiment is a yes or no"),
        ("no-driver", "no driver that says whether"),
    ],
)
def test_why_scores_are_not_judged(workspace: Workspace, mate: Membership, reason: str, text: str) -> None:
    judged_model(workspace, "churn", content={"status": "refused", "reason": reason, "rows": 60})
    shown = page(signed_in(mate), "models/churn")
    assert text in shown and "Brier" not in shown
    assert "not judged" in page(signed_in(mate), "models")


def test_numbers_are_judged_by_how_far_they_are_off(workspace: Workspace, mate: Membership) -> None:
    content = {"status": "measured", "rows": 200, "r2": 0.41, "mae": 1.25, "held_out": 0, "acted_on": 0}
    judged_model(workspace, "hours", content=content)
    shown = page(signed_in(mate), "models/hours")
    assert "The scores explain 41 % of how the outcomes differ; they are off by 1.250 on average." in shown
    assert "off by 1.250" in page(signed_in(mate), "models")


def test_what_is_empty_says_what_fills_it(workspace: Workspace, mate: Membership) -> None:
    client = signed_in(mate)
    assert "No model yet." in page(client, "models")
    model = PredictionModel.objects.create(
        workspace=workspace, key="new", name="New", task="probability", target="t", horizon_days=7, unit_type="u"
    )
    assert "No version yet." in page(client, "models/new")
    ModelVersion.objects.create(workspace=workspace, model=model, version="1")
    shown = page(client, "models/new")
    for text in ("No whole day with predictions yet.", "Nothing to compare with yet.", "as soon as an experiment"):
        assert text in shown
    assert "not measured yet" in page(client, "models")


def test_another_version_has_its_own_link(workspace: Workspace, mate: Membership) -> None:
    live = judged_model(workspace, "churn")
    ModelVersion.objects.create(workspace=workspace, model=live.model, version="2 beta", stage="shadow")
    client = signed_in(mate)
    assert "Scores of version 1" in page(client, "models/churn")
    assert 'href="?version=2%20beta"' in page(client, "models/churn")
    assert "Scores of version 2 beta" in page(client, "models/churn?version=2 beta")
    assert client.get("/w/mobile/models/churn?version=3").status_code == 404


def test_figures_as_csv(workspace: Workspace, mate: Membership) -> None:
    version = judged_model(workspace, "churn")
    client = signed_in(mate)
    days = list(csv.DictReader(io.StringIO(client.get("/w/mobile/models/churn/days.csv").content.decode())))
    assert len(days) == 11 and (days[0]["psi"], days[10]["psi"], days[10]["psi tenure"]) == ("", "0.06", "0.03")
    bins = list(csv.DictReader(io.StringIO(client.get("/w/mobile/models/churn/calibration.csv").content.decode())))
    assert [float(one["observed"]) for one in bins] == [one["observed"] for one in measured()["bins"]]
    assert float(bins[0]["low"]) < float(bins[0]["observed"]) < float(bins[0]["high"])
    PredictionModel.objects.filter(pk=version.model_id).update(key="other")
    assert client.get("/w/mobile/models/churn/days.csv").status_code == 404


def test_the_api_lists_models(api: Caller, workspace: Workspace, churn: Experiment) -> None:
    version = judged_model(workspace, "churn")
    [listed] = api.get("/models").body["models"]
    assert listed == api.get("/models/churn").body
    assert (listed["key"], listed["decision_points"], listed["features"]["tenure"]) == ("churn", ["offer"], "number")
    [one] = listed["versions"]
    assert (one["version"], one["stage"]) == (version.version, "live")
    assert (one["drift"]["on"], one["drift"]["psi"], one["drift"]["reading"]) == ("2026-01-15", 0.06, "steady")
    assert one["calibration"]["experiment"] == "judging"
    assert one["calibration"]["content"]["auc"] == measured()["auc"]


def test_the_newest_judgement_counts(api: Caller, workspace: Workspace) -> None:
    version = judged_model(workspace, "churn", content={"status": "refused", "reason": "too-few", "rows": 1})
    calibration = version.calibrations.get()
    type(calibration).objects.update(as_of=calibration.as_of.replace(year=2025))
    type(calibration.analysis.snapshot).objects.update(sha256="older")
    judge(version)
    [one] = api.get("/models/churn").body["versions"]
    assert one["calibration"]["content"]["status"] == "measured"


def test_the_api_keeps_workspaces_apart(workspace: Workspace, other_workspace: Workspace) -> None:
    judged_model(workspace, "churn")
    theirs = caller(other_workspace)
    assert theirs.get("/models").body == {"models": [], "next": None}
    assert theirs.get("/models/churn").status_code == 404
    assert theirs.get("/models/a\0b").status_code == 404
    assert caller(workspace, "log").get("/models").status_code == 403
    stranger = signed_in(enter(other_workspace, "stranger@example.com", "admin"))
    assert stranger.get("/w/mobile/models/churn").status_code == 404


def test_stages_come_in_order(api: Caller, workspace: Workspace) -> None:
    live = judged_model(workspace, "churn")
    stages: list[Any] = ["retired", "shadow", "candidate"]
    for place, stage in enumerate(stages):
        ModelVersion.objects.create(workspace=workspace, model=live.model, version=f"v{place}", stage=stage)
    assert [one["stage"] for one in api.get("/models/churn").body["versions"]] == [
        "live",
        "candidate",
        "shadow",
        "retired",
    ]
