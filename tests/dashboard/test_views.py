"""Pages for people who look: the verdict first, what waits for whom, figures as CSV and JSON, signing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Experiment
from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from tests.conftest import Caller, caller, csv_of, enter, loaded, signed_in, started
from workspaces.models import AuditEntry, Job, Membership, Workspace
from workspaces.services.jobs import enqueue

HALF = {"unit": [f"u{n}" for n in range(90)], "arm": ["0", "1", "=2"] * 30}
VISITS = HALF | {"y": [int(n % 5 == 0 or (n % 3 == 1 and n % 2)) for n in range(90)]}


def page(client: Client, path: str, language: str = "en") -> str:
    client.cookies["django_language"] = language
    answer = client.get(f"/w/mobile/{path}")
    assert answer.status_code == 200
    return answer.content.decode().replace("\u00a0", " ")


def visits(workspace: Workspace, folder: Path, **spec: Any) -> Analysis:
    """A loaded experiment without money: three arms, fewer visits are better."""
    metric = {"key": "visits", "column": "y", "kind": "proportion", "direction": "decrease"}
    arm = {"column": "arm", "baseline": "0"}
    return analyze(experiment=loaded(workspace, folder, csv_of(VISITS), metrics=[metric], arm=arm, **spec))


def withheld(workspace: Workspace, folder: Path) -> Analysis:
    """An experiment whose arms have other sizes than the draws should give."""
    return visits(workspace, folder, weights={"0": 8, "1": 1, "=2": 1})


@pytest.mark.parametrize(
    ("path", "said"),
    [("", "There are two ways to begin."), ("experiments", "No experiment yet."), ("jobs", "No job yet.")],
)
def test_an_empty_page_says_what_fills_it(mate: Membership, path: str, said: str) -> None:
    assert said in page(signed_in(mate), path)


def test_home_opens_with_the_newest_verdict(mate: Membership, analysed: Analysis, api: Caller) -> None:
    sentence = api.get("/experiments/offers/results").body["verdict"]["sentence"].replace("\u00a0", " ")
    home = page(signed_in(mate), "")
    assert sentence in home
    assert home.index(sentence) < home.index("Measured in total")
    assert "Nothing: no signature is asked of you" in home


def test_home_says_it_in_japanese(mate: Membership, analysed: Analysis, api: Caller) -> None:
    sentence = api.get("/experiments/offers/results", language="ja").body["verdict"]["sentence"]
    assert sentence in page(signed_in(mate), "", "ja")


def test_lists_every_arm_with_its_total_and_range(mate: Membership, analysed: Analysis) -> None:
    net = analysed.document["money"]["comparisons"][0]
    total, (low, high) = net["total"]["net"], net["total"]["net_ci"]
    listed = page(signed_in(mate), "experiments")
    assert f"+{total:,.0f} EUR" in listed
    assert f"{low:,.0f} to {high:,.0f}" in listed
    assert "Offers: Bonus" in listed and "No action" in listed and "100 %" in listed


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ["trial: Arm 1", "Arm 0", "points ("]), ("ja", ["trial: 第1群", "第0群", "ポイント ("])],
)
def test_without_money_a_proportion_is_listed_in_points_with_its_range(
    mate: Membership, workspace: Workspace, tmp_path: Path, language: str, said: list[str]
) -> None:
    visits(workspace, tmp_path, weights={"0": 1, "1": 1, "=2": 1})
    listed = page(signed_in(mate), "experiments", language)
    assert all(text in listed for text in said)


def test_what_is_withheld_is_listed_without_a_figure(mate: Membership, workspace: Workspace, tmp_path: Path) -> None:
    withheld(workspace, tmp_path)
    client = signed_in(mate)
    home, shown = page(client, ""), page(client, "experiments/trial")
    assert "Withheld" in home and "Failed check" in home and "Sample ratio" in home
    assert "The figure is withheld." in shown and "<svg height" not in shown and "points (" not in shown
    answer = client.get("/w/mobile/experiments/trial/comparisons.csv")
    assert answer.content.decode().strip() == "segment,comparison,verdict,effect,low,high"


def test_waits_for_who_signs(workspace: Workspace, churn: Experiment) -> None:
    bea, eve = enter(workspace, "bea@example.com", "viewer", "business"), enter(workspace, "eve@example.com", "admin")
    waits = [page(signed_in(one), "").split('id="waiting"')[1] for one in (bea, eve)]
    assert ["experiments/offers/agreement" in one for one in waits] == [True, False]


def test_a_failed_job_waits_for_everybody(mate: Membership, workspace: Workspace) -> None:
    job = enqueue(workspace=workspace, kind="analyze", key="offers, now")
    Job.objects.filter(pk=job.pk).update(state="failed", error="disk <full>", attempts=3)
    client = signed_in(mate)
    assert "disk &lt;full&gt;" in page(client, "") and "disk &lt;full&gt;" in page(client, "jobs")
    assert "failed after 3 attempts:" in page(client, "jobs")


@pytest.mark.parametrize(
    ("state", "said", "renews"),
    [
        ("queued", "waits", True),
        ("running", "reading rows", True),
        ("done", "done ", False),
        ("failed", "failed after", False),
    ],
)
def test_a_job_says_how_far_it_is_and_renews_itself_while_it_is_not_over(
    mate: Membership, workspace: Workspace, state: str, said: str, renews: bool
) -> None:
    job = enqueue(workspace=workspace, kind="report", key="board")
    lease = job.created_at if state == "running" else None
    over = {"finished_at": job.created_at, "lease_until": lease, "progress": 0.4, "message": "reading rows"}
    Job.objects.filter(pk=job.pk).update(state=state, **over)
    client = signed_in(mate)
    whole, part = page(client, "jobs"), client.get("/w/mobile/jobs", headers={"HX-Request": "true"}).content.decode()
    assert said in whole and said in part
    assert ("hx-get" in whole) == ("hx-get" in part) == renews
    assert "<html" in whole and "<html" not in part
    assert ('value="0.4"' in part) == (state == "running")


def test_results_are_those_of_the_api(mate: Membership, analysed: Analysis, api: Caller) -> None:
    answer = signed_in(mate).get("/w/mobile/experiments/offers/results.json")
    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.content) == api.get("/experiments/offers/results").body


def test_figures_are_given_as_csv_at_full_precision(mate: Membership, analysed: Analysis) -> None:
    answer = signed_in(mate).get("/w/mobile/experiments/offers/comparisons.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="offers.csv"'
    [row] = csv.DictReader(io.StringIO(answer.content.decode()))
    net = analysed.document["money"]["comparisons"][0]["net"]
    assert (row["segment"], row["comparison"], row["verdict"]) == (
        "",
        "Bonus",
        analysed.document["verdicts"][0]["level"],
    )
    assert [float(row[name]) for name in ("effect", "low", "high")] == [net["effect"], *net["ci"]]


def test_no_cell_is_a_formula(mate: Membership, workspace: Workspace, tmp_path: Path) -> None:
    visits(workspace, tmp_path, weights={"0": 1, "1": 1, "=2": 1})
    text = signed_in(mate).get("/w/mobile/experiments/trial/comparisons.csv").content.decode()
    assert [row["comparison"] for row in csv.DictReader(io.StringIO(text))] == ["Arm 1", "'=2"]


@pytest.mark.parametrize("name", ["cash", "tornado", "ladder", "policies", "course", "nonsense"])
def test_a_picture_that_is_not_drawn_has_no_file(mate: Membership, analysed: Analysis, name: str) -> None:
    page = signed_in(mate).get("/w/mobile/experiments/offers").content.decode()
    drawn = f"/offers/{name}.csv" in page
    answer = signed_in(mate).get(f"/w/mobile/experiments/offers/{name}.csv")
    assert answer.status_code == (200 if drawn else 404)
    if drawn:
        assert answer.content.decode().splitlines()[0] == "label,estimate,low,high"


def test_every_picture_has_its_table_and_file(mate: Membership, analysed: Analysis) -> None:
    page = signed_in(mate).get("/w/mobile/experiments/offers").content.decode()
    pictures = page.split('<figure class="chart">')[1:]
    assert pictures
    for picture in pictures:
        inside = picture.partition("</figure>")[0]
        assert "<h3>" in inside and "aria-label=" in inside and "<table" in inside and '.csv">CSV</a>' in inside


@pytest.mark.parametrize("path", ["results.json", "comparisons.csv"])
def test_without_an_analysis_there_are_no_figures(mate: Membership, churn: Experiment, path: str) -> None:
    assert signed_in(mate).get(f"/w/mobile/experiments/offers/{path}").status_code == 404


def test_an_experiment_says_what_it_waits_for(mate: Membership, workspace: Workspace, churn: Experiment) -> None:
    client = signed_in(mate)
    assert "Nothing was assigned yet." in page(client, "experiments/offers")
    started(workspace, churn)
    assert "Not analysed yet." in page(client, "experiments/offers")


def test_an_experiment_shows_its_trust_and_evidence(mate: Membership, analysed: Analysis) -> None:
    shown = page(signed_in(mate), "experiments/offers")
    for check in analysed.document["checks"]:
        assert check["id"] not in shown
    assert "Sample ratio" in shown and "Can this be trusted?" in shown
    assert analysed.document["snapshot"]["sha256"] in shown and str(analysed.pk) in shown


def test_what_people_write_is_no_markup(mate: Membership, workspace: Workspace, tmp_path: Path) -> None:
    rows = csv_of({"unit": range(40), "arm": ["a", "<b>&"] * 20, "y": [n % 7 for n in range(40)]})  # type: ignore[dict-item]
    analyze(experiment=loaded(workspace, tmp_path, rows))
    shown = page(signed_in(mate), "experiments/trial")
    assert "<b>&" not in shown and "&lt;b&gt;&amp;" in shown


def test_somebody_signs_once_what_they_saw(workspace: Workspace, churn: Experiment) -> None:
    client, agreement = signed_in(enter(workspace, "bea@example.com", "viewer", "business")), churn.agreements.get()
    path = "/w/mobile/experiments/offers/agreement"
    assert "Sign for business" in page(client, "experiments/offers/agreement")
    stale = client.post(path, {"sha256": "0" * 64, "confirmed": "1"}, follow=True).content.decode()
    assert "changed since this page was opened" in stale and not agreement.signatures.exists()
    done = client.post(path, {"sha256": agreement.sha256, "confirmed": "1"}, follow=True).content.decode()
    assert "Signed for business." in done and "Sign for business" not in done
    again = client.post(path, {"sha256": agreement.sha256, "confirmed": "1"}, follow=True).content.decode()
    assert "signed for business already" in again
    assert [one.person.email for one in agreement.signatures.all()] == ["bea@example.com"]


def test_who_signs_for_nobody_does_not_sign(mate: Membership, churn: Experiment) -> None:
    client, agreement = signed_in(mate), churn.agreements.get()
    path = "/w/mobile/experiments/offers/agreement"
    assert "Sign for" not in client.get(path).content.decode()
    assert (
        "signs for nobody"
        in client.post(path, {"sha256": agreement.sha256, "confirmed": "1"}, follow=True).content.decode()
    )
    assert not agreement.signatures.exists()


def test_nobody_signs_without_having_ticked(workspace: Workspace, churn: Experiment) -> None:
    client, agreement = signed_in(enter(workspace, "bea@example.com", "viewer", "business")), churn.agreements.get()
    path = "/w/mobile/experiments/offers/agreement"
    assert "tick that you read it" in client.post(path, {"sha256": agreement.sha256}, follow=True).content.decode()
    assert not agreement.signatures.exists()


def test_what_was_looked_at_stands_before_the_signatures(workspace: Workspace, churn: Experiment) -> None:
    shown = page(signed_in(enter(workspace, "bea@example.com", "viewer", "business")), "experiments/offers/agreement")
    assert "1,000 rows an arm are planned" in shown and "profit can&#x27;t be told from loss" in shown
    assert shown.index("Before you sign") < shown.index("Signatures")


def three(workspace: Workspace, agreement: Any) -> None:
    for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science")):
        client = signed_in(enter(workspace, f"{name}@example.com", "viewer", signs_for))
        client.post("/w/mobile/experiments/offers/agreement", {"sha256": agreement.sha256, "confirmed": "1"})


def test_an_analyst_starts_what_three_people_signed(
    workspace: Workspace, churn: Experiment, mate: Membership, owner: Membership
) -> None:
    client, path = signed_in(owner), "/w/mobile/experiments/offers/start"
    viewer = signed_in(enter(workspace, "eve@example.com", "viewer"))
    shown = page(client, "experiments/offers/agreement")
    assert "Names are missing:" in shown and "Start the experiment" not in shown
    assert "signatures for business, data science, finance are missing" in (
        client.post(path, {"confirmed": "1"}, follow=True).content.decode()
    )
    three(workspace, churn.agreements.get())
    assert "Start the experiment" in page(client, "experiments/offers/agreement")
    assert "Start the experiment" not in page(viewer, "experiments/offers/agreement")
    assert viewer.post(path, {"confirmed": "1"}).status_code == 403
    assert "tick that it may begin" in client.post(path, follow=True).content.decode()
    assert "Offers has started." in client.post(path, {"confirmed": "1"}, follow=True).content.decode()
    churn.refresh_from_db()
    assert churn.status == "running"
    assert AuditEntry.objects.get(action="start experiment").actor == owner.person.email
    assert "must be agreed" in client.post(path, {"confirmed": "1"}, follow=True).content.decode()
    assert "Before you sign" not in page(client, "experiments/offers/agreement")


def test_what_changed_since_it_was_signed_does_not_start(
    workspace: Workspace, churn: Experiment, owner: Membership
) -> None:
    three(workspace, churn.agreements.get())
    churn.arms.filter(key="bonus").update(weight=9)
    shown = page(signed_in(owner), "experiments/offers/agreement")
    assert "as it was signed any more (arms)" in shown and "Start the experiment" not in shown


def test_a_key_never_signs(workspace: Workspace, churn: Experiment) -> None:
    api = caller(workspace)
    answer = api.client.post(
        "/w/mobile/experiments/offers/agreement", {"sha256": churn.agreements.get().sha256},
        headers={"Authorization": f"Bearer {api.secret}"},
    )  # fmt: skip
    assert answer["Location"].startswith("/sign-in")
    assert not churn.agreements.get().signatures.exists()


@pytest.mark.parametrize(("language", "term"), [("en", "net value"), ("ja", "純価値")])
def test_the_glossary_is_everybodys(db: None, language: str, term: str) -> None:
    client = Client()
    client.cookies["django_language"] = language
    assert f"<dt>{term}</dt>" in client.get("/glossary").content.decode()
