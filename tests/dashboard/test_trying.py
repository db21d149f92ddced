"""Trying another rule: on the experiment's page, on its own, as the part that htmx takes, and as a file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from impact.analysis.models import Analysis
from impact.analysis.services import analyze
from tests.conftest import csv_of, loaded, signed_in
from tests.dashboard.test_views import page, withheld
from workspaces.models import Membership, Workspace

PATH = "experiments/trial/what-if"
ROWS = {
    "unit": [f"u{n}" for n in range(400)],
    "arm": ["a", "b"] * 200,
    "channel": ["web", "web", "shop", "shop"] * 100,
    # b earns 4 in the shop and loses 2 on the web, around what varies
    "y": [10 + n % 7 + (n % 2) * (4 if n % 4 > 1 else -2) for n in range(400)],
}


@pytest.fixture
def trial(workspace: Workspace, tmp_path: Path) -> Analysis:
    money: dict[str, Any] = {"value": {"column": "y"}, "weights": {"a": 1, "b": 1}, "segments": ["channel"]}
    return analyze(experiment=loaded(workspace, tmp_path, csv_of(ROWS), currency="EUR", **money))


def test_a_table_is_chosen_in_the_address(mate: Membership, trial: Analysis) -> None:
    tried = page(signed_in(mate), f"{PATH}?by=channel&web=a&shop=b")
    assert "shop b, web a: +" in tried and "Chosen on these data" in tried
    assert '<option value="b" selected>b</option>' in tried and "exploratory, not agreed beforehand" in tried
    begun = page(signed_in(mate), PATH)
    assert "shop a, web a: that is a for everybody" in begun and "<html" in begun


def test_htmx_gets_the_part_alone(mate: Membership, trial: Analysis) -> None:
    answer = signed_in(mate).get(f"/w/mobile/{PATH}?by=channel&web=b&shop=b", headers={"HX-Request": "true"})
    part = answer.content.decode()
    assert part.lstrip().startswith('<section id="what-if">') and "One action for everybody" in part


def test_the_experiments_page_takes_the_same_address(mate: Membership, trial: Analysis) -> None:
    assert "shop b, web a: +" in page(signed_in(mate), "experiments/trial?by=channel&web=a&shop=b")
    assert "別の規則が選んでいたら" in page(signed_in(mate), "experiments/trial", "ja")


def test_trying_changes_no_result(mate: Membership, trial: Analysis) -> None:
    before = page(signed_in(mate), "experiments/trial/results.json")
    page(signed_in(mate), f"{PATH}?by=channel&web=a&shop=b")
    assert page(signed_in(mate), "experiments/trial/results.json") == before
    assert Analysis.objects.count() == 1


def test_every_rule_is_in_the_file(mate: Membership, trial: Analysis) -> None:
    answer = signed_in(mate).get(f"/w/mobile/{PATH}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    rules = {row["rule"]: row for row in rows if row["against"] == "nobody"}
    assert set(rules) == {f"shop={shop} web={web}" for shop in "ab" for web in "ab"}
    best = rules["shop=b web=a"]
    assert (
        float(best["effect"]) > float(rules["shop=b web=b"]["effect"]) > 0.0 == float(rules["shop=a web=a"]["effect"])
    )
    assert float(best["low"]) < float(best["effect"]) < float(best["high"])


def test_nothing_can_be_tried_of_what_is_withheld(mate: Membership, workspace: Workspace, tmp_path: Path) -> None:
    withheld(workspace, tmp_path)
    assert "Nothing to try here yet." in page(signed_in(mate), PATH)
    assert 'id="what-if"' not in page(signed_in(mate), "experiments/trial")
    assert signed_in(mate).get(f"/w/mobile/{PATH}.csv").status_code == 404


def test_nothing_can_be_tried_before_an_analysis(mate: Membership, workspace: Workspace, tmp_path: Path) -> None:
    loaded(workspace, tmp_path, csv_of(ROWS))
    assert "Nothing to try here yet." in page(signed_in(mate), PATH)


def test_another_workspaces_experiment_is_not_there(stranger: Membership, trial: Analysis) -> None:
    for path in (PATH, f"{PATH}.csv"):
        assert signed_in(stranger).get(f"/w/mobile/{path}").status_code == 404
        assert signed_in(stranger).get(f"/w/{stranger.workspace.key}/{path}").status_code == 404
