"""Metrics: in words, tried on what there is, declared on a page."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.models import DecisionPoint, Experiment
from impact.agreements.declarations import declare_metric
from impact.agreements.models import Metric
from impact.agreements.shapes import MetricDeclared
from impact.analysis.models import Analysis
from impact.dashboard.metrics import in_words, metric_page
from tests.conftest import enter, signed_in
from workspaces.models import AuditEntry, Membership, Workspace
from workspaces.strict import convert

BASKET: dict[str, Any] = {
    "key": "basket", "name": "Basket", "kind": "ratio", "unit": "EUR",
    "of": {"outcome": "spent", "cap": 0.99, "window_days": 30},
    "per": {"outcome": "order", "aggregate": "count", "default": None, "window_days": 30},
    "covariates": [{"outcome": "spent", "days": 60}],
}  # fmt: skip
TYPED = {
    "name": "Spending", "key": "spending", "kind": "mean", "direction": "increase", "unit": "EUR", "outcome": "spent",
    "aggregate": "sum", "default": "0", "window_days": "", "cap": "", "point": "offer",
}  # fmt: skip
AT = "/w/mobile/declare/metric"


def declared(workspace: Workspace, **changes: Any) -> Metric:
    declare_metric(workspace, convert(BASKET | changes, MetricDeclared), "test")
    return Metric.objects.within(workspace).current().get(key=(BASKET | changes)["key"])


@pytest.fixture
def analyst(workspace: Workspace) -> Client:
    return signed_in(enter(workspace, "ana@example.com", "analyst"))


def test_says_what_it_counts(workspace: Workspace) -> None:
    above, below = in_words(declared(workspace), "en")
    assert (
        above
        == "the sum of “spent”, within 30 days of the first decision, capped at the 99.0\u00a0% quantile of all rows"
    )
    assert below == (
        "divided by the number of “order”, within 30 days of the first decision, a row without one is left out, "
        "both summed over all rows"
    )


def test_net_value_says_its_terms_and_its_costs(workspace: Workspace, churn: Experiment) -> None:
    assert in_words(Metric.objects.within(workspace).get(key="net"), "en") == [
        "\u2212 kept × whether any “churned” happened", "minus what was spent on the row",
    ]  # fmt: skip


def test_a_page_tells_who_agreed_on_it(mate: Membership, workspace: Workspace, churn: Experiment) -> None:
    assert [(one.key, role) for one, role in metric_page(workspace, "churn", "en")["users"]] == [("offers", "driver")]
    assert [(one.key, role) for one, role in metric_page(workspace, "net", "en")["users"]] == [("offers", "primary")]
    client = signed_in(mate)
    for language in ("en", "ja"):
        client.cookies["django_language"] = language
        page = client.get("/w/mobile/metrics/net").content.decode()
        assert "Offers" in page and "Value of a kept customer" in page
        assert "declare/metric?from" not in page


def test_lists_them_in_as_many_queries(mate: Membership, workspace: Workspace) -> None:
    client = signed_in(mate)
    assert "No metric yet." in client.get("/w/mobile/metrics").content.decode()

    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get("/w/mobile/metrics").status_code == 200
        return len(made)

    declared(workspace)
    few = queries()
    declared(workspace, key="second")
    declared(workspace, key="third")
    assert queries() == few


def test_it_is_tried_on_what_was_decided(analyst: Client, analysed: Analysis) -> None:
    typed = TYPED | {"outcome": "churned", "kind": "proportion", "aggregate": "any", "look": "1"}
    page = analyst.post(AT, typed).content.decode()
    assert "Over the last 120 decisions whose window is over it is" in page
    # those of the first sixty that got nothing left
    leavers = analysed.document["metrics"][0]["arms"][0]["total"]
    assert f"{100 * leavers / 120:.1f}\u00a0%" in page
    assert not Metric.objects.filter(key="spending").exists()


def test_what_nobody_reported_is_said(analyst: Client, analysed: Analysis) -> None:
    page = analyst.post(AT, TYPED | {"look": "1"}).content.decode()
    assert "An analysis would leave 120 of these rows out" in page


def test_it_is_declared_as_a_file_would(analyst: Client, workspace: Workspace, churn: Experiment) -> None:
    answer = analyst.post(AT, TYPED | {"cap": "99", "earlier_outcome": "spent", "earlier_days": "30"})
    assert (answer.status_code, answer["Location"]) == (302, "/w/mobile/metrics/spending")
    metric = Metric.objects.within(workspace).get(key="spending")
    assert (metric.definition[0]["cap"], metric.covariates) == (
        0.99, [{"outcome": "spent", "days": 30.0, "aggregate": "sum"}],
    )  # fmt: skip
    assert AuditEntry.objects.latest("pk").actor == "ana@example.com"
    again = analyst.post(AT, TYPED | {"cap": "99", "earlier_outcome": "spent", "earlier_days": "30"}, follow=True)
    assert "Nothing differs from the version there is." in unescape(again.content.decode())
    assert Metric.objects.within(workspace).filter(key="spending").count() == 1


def test_a_ratio_is_declared_and_changed(analyst: Client, workspace: Workspace, churn: Experiment) -> None:
    ratio = TYPED | {"kind": "ratio", "per_outcome": "order", "per_aggregate": "count"}
    assert analyst.post(AT, ratio).status_code == 302
    form = analyst.get(f"{AT}?from=spending").content.decode()
    assert 'value="order"' in form
    assert analyst.post(f"{AT}?from=spending", ratio | {"window_days": "30"}).status_code == 302
    assert [one.version for one in Metric.objects.within(workspace).filter(key="spending").order_by("version")] == [
        1,
        2,
    ]


def test_it_is_tried_where_it_was_agreed(analyst: Client, workspace: Workspace, churn: Experiment) -> None:
    point = DecisionPoint.objects.within(workspace).get(key="offer")
    DecisionPoint.objects.create(
        **{name: getattr(point, name) for name in ("workspace", "model", "candidates", "baseline", "horizon_days")},
        key="another", created_at=point.created_at,
    )  # fmt: skip
    page = analyst.get(f"{AT}?from=churn").content.decode()
    assert '<option value="another">' in page and '<option value="offer" selected>' in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "ratio"}, "A ratio needs what it is divided by."),
        ({"kind": "proportion"}, "aggregate: any"),
        ({"earlier_outcome": "spent"}, "Say both, or neither."),
        ({"key": "Not a key"}, "Not a key"),
        ({"aggregate": "any", "cap": "99"}, "no tail to cap"),
        ({"outcome": ""}, "required"),
        ({"point": "nowhere"}, "nowhere"),
    ],
)
def test_refuses(analyst: Client, workspace: Workspace, churn: Experiment, changes: Any, said: str) -> None:
    answer = analyst.post(AT, TYPED | changes)
    assert answer.status_code == 422
    assert said in unescape(answer.content.decode())
    assert not Metric.objects.within(workspace).filter(key="spending").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"covariates": [{"outcome": "spent", "days": 60}, {"outcome": "order", "days": 60}]},
        {"of": {"outcome": "spent", "default": 5, "window_days": 30}},
        {"per": {"outcome": "order", "aggregate": "count", "window_days": 30, "cap": 0.9}},
        {"kind": "net value", "of": None, "per": None, "value": [], "covariates": []},
    ],
)
def test_what_the_form_would_lose_it_doesnt_offer(analyst: Client, workspace: Workspace, changes: Any) -> None:
    plain = {"per": {"outcome": "order", "aggregate": "count", "window_days": 30}}
    declared(workspace, **plain)
    assert analyst.get(f"{AT}?from=basket").status_code == 200
    declared(workspace, **plain | changes)
    assert "declare/metric?from" not in analyst.get("/w/mobile/metrics/basket").content.decode()
    assert analyst.get(f"{AT}?from=basket").status_code == 404


def test_a_viewer_declares_nothing(mate: Membership, stranger: Membership, churn: Experiment) -> None:
    assert signed_in(mate).post(AT, TYPED).status_code == 403
    assert signed_in(stranger).post(AT, TYPED).status_code == 404
    assert signed_in(stranger).get("/w/mobile/metrics/net").status_code == 404
    assert signed_in(stranger).get("/w/other/metrics/net").status_code == 404
