"""The whole API in one table: it routes, checks and documents every call."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from experiments import api as experiments
from experiments import declared_api as declared
from experiments.rows import DecisionAnswer, DecisionRow, ExecutionRow
from impact.agreements import api as agreements
from impact.analysis import api as analysis
from impact.config.declared_api import DECLARING
from impact.config.problems import PROBLEMS
from impact.dashboard import api as dashboard
from impact.ledger import api as ledger
from impact.ledger.rows import CostRow, FeedAnswer, Heartbeat, OutcomeRow
from impact.reports import api as reports
from impact.reports import claims_api as claims
from impact.reports.files import ENDINGS
from predictions.api import post_predictions
from predictions.rows import PredictionRow
from workspaces import api as workspaces
from workspaces.errors import Refusal
from workspaces.rest import BatchAnswer, Endpoint, problem, view_of

CSV = "text/csv"
FILES = (CSV, "application/x-ndjson", "application/vnd.apache.parquet")
PAGE = {"limit": "Rows a page, 1 to 500.", "cursor": "What the last page gave as `next`."}
STEPS = ("pause", "resume", "close", "conclude", "abort", "archive")

ENDPOINTS = (
    Endpoint(
        "POST", "/predictions", "predict", post_predictions, "Log predictions.",
        answer=BatchAnswer, rows=("predictions", PredictionRow),
    ),
    Endpoint(
        "POST", "/decisions", "decide", experiments.post_decisions,
        "Decide about one unit, or a batch: log the prediction, get the action and its probability.",
        answer=DecisionAnswer | BatchAnswer, rows=("decisions", DecisionRow), single=True,
        reads_workspace=True,
    ),
    Endpoint(
        "POST", "/executions", "log", experiments.post_executions, "Log what was really done about decisions.",
        answer=BatchAnswer, rows=("executions", ExecutionRow),
    ),
    Endpoint(
        "POST", "/outcomes", "log", ledger.post_outcomes, "Log what happened.",
        answer=BatchAnswer, rows=("outcomes", OutcomeRow),
    ),
    Endpoint(
        "POST", "/costs", "log", ledger.post_costs, "Log what it cost.",
        answer=BatchAnswer, rows=("costs", CostRow),
    ),
    Endpoint(
        "POST", "/feeds/<source>/heartbeat", "log", ledger.post_heartbeat,
        "Say until when a feed has sent every event of a type.", answer=FeedAnswer, body=Heartbeat,
    ),
    Endpoint(
        "POST", "/imports", "log", ledger.post_imports,
        "Take in a file of facts, later; the same file again is the same job.",
        answer=workspaces.JobAnswer, status=202, takes=FILES,
        query={"kind": "What its rows are: outcomes, costs, executions or predictions."},
    ),
    Endpoint(
        "GET", "/imports/<id>/reasons", "log", ledger.get_reasons,
        "Row by row why rows of an import are in quarantine or rejected.", answer=str, gives=CSV,
    ),
    Endpoint(
        "GET", "/models", "read", dashboard.get_models,
        "List models: versions with their stages, the newest drift and calibration of each.",
        answer=dashboard.ModelPage, query=PAGE,
    ),
    Endpoint(
        "GET", "/models/<key>", "read", dashboard.get_model, "One model.", answer=dashboard.ModelAnswer,
    ),
    Endpoint(
        "GET", "/actions", "read", declared.get_actions, "List actions, as a declarative file says them.",
        answer=declared.ActionPage, query=PAGE,
    ),
    Endpoint(
        "GET", "/decision-points", "read", declared.get_decision_points,
        "List decision points, as a declarative file says them.", answer=declared.DecisionPointPage, query=PAGE,
    ),
    Endpoint(
        "GET", "/policies", "read", declared.get_policies, "List policies, as a declarative file says them.",
        answer=declared.PolicyPage, query=PAGE,
    ),
    Endpoint(
        "GET", "/experiments", "read", experiments.get_experiments, "List experiments.",
        answer=experiments.ExperimentPage, query=PAGE,
    ),
    Endpoint(
        "POST", "/experiments/<key>/start", "manage", agreements.post_start,
        "Start an experiment from its signed agreement.", answer=experiments.ExperimentAnswer,
    ),
    *(
        Endpoint(
            "POST", f"/experiments/<key>/{step}", "manage", partial(experiments.post_step, step),
            f"{step.title()} an experiment.",
            answer=experiments.ExperimentAnswer, body=experiments.Reason,
        )
        for step in STEPS
    ),
    Endpoint(
        "GET", "/experiments/<key>/decisions", "read", experiments.get_decisions,
        "The log of an experiment's decisions, for anyone who wants to recompute it.",
        answer=experiments.DecisionPage, query=PAGE,
    ),
    Endpoint(
        "POST", "/experiments/<key>/assignments", "decide", experiments.post_assignments,
        "Decide about a file of scored units, later; the same file again is the same job.",
        answer=workspaces.JobAnswer, status=202, takes=(CSV,),
    ),
    Endpoint(
        "POST", "/experiments/<key>/analyses", "manage", analysis.post_analysis, "Analyse an experiment now.",
        answer=workspaces.JobAnswer, status=202,
    ),
    Endpoint(
        "GET", "/experiments/<key>/results", "read", dashboard.get_results, "The newest results document.",
        answer=dict[str, Any],
        query={"as_of": "As of this time.", "segment": "Only this `by:value`.", "language": "en or ja."},
    ),
    Endpoint(
        "GET", "/experiments/<key>/results.xlsx", "read", reports.get_results_file,
        "The newest results as a workbook.", answer=str, gives=ENDINGS["xlsx"], query={"language": "en or ja."},
    ),
    Endpoint("GET", "/jobs", "read", workspaces.get_jobs, "List jobs.", answer=workspaces.JobPage, query=PAGE),
    Endpoint(
        "GET", "/jobs/<id>", "read", workspaces.get_job, "State and progress of a job.", answer=workspaces.JobAnswer
    ),
    Endpoint(
        "GET", "/jobs/<id>/file", "decide", workspaces.get_job_file,
        "The file that a job has made: the units sent, with their actions.", answer=str, gives=CSV,
    ),
    Endpoint(
        "GET", "/reports", "read", reports.get_reports, "List reports.", answer=reports.ReportPage, query=PAGE
    ),
    # before the report itself, whose name would swallow the ending
    Endpoint(
        "GET", "/reports/<number>.pdf", "read", partial(reports.get_report_file, "pdf"), "A frozen report as PDF.",
        answer=str, gives=ENDINGS["pdf"],
    ),
    Endpoint(
        "GET", "/reports/<number>.xlsx", "read", partial(reports.get_report_file, "xlsx"),
        "A frozen report as a workbook: summary, comparisons, money, checks, segments, periods.", answer=str,
        gives=ENDINGS["xlsx"],
    ),
    Endpoint(
        "GET", "/reports/<number>.periods.csv", "read", partial(reports.get_report_file, "periods.csv"),
        "A frozen report's value and cost by fiscal month as CSV.", answer=str, gives=ENDINGS["csv"],
    ),
    Endpoint(
        "GET", "/reports/<number>.csv", "read", partial(reports.get_report_file, "csv"),
        "A frozen report's comparisons as CSV.", answer=str, gives=ENDINGS["csv"],
    ),
    Endpoint(
        "GET", "/reports/<number>.json", "read", partial(reports.get_report_file, "json"),
        "A frozen report's content, byte for byte: the file's SHA-256 is the report's.",
        answer=dict[str, Any], gives=ENDINGS["json"],
    ),
    Endpoint("GET", "/reports/<number>", "read", reports.get_report, "A frozen report.", answer=dict[str, Any]),
    Endpoint(
        "GET", "/claims", "read", claims.get_claims,
        "List claims of benefit, and hold what counts today against the global holdout.",
        answer=claims.ClaimPage, query=PAGE,
    ),
    Endpoint("GET", "/claims/<id>", "read", claims.get_claim, "One claim.", answer=claims.ClaimAnswer),
    *DECLARING,
)  # fmt: skip


def routes() -> list[Any]:
    """One route for each path, whatever its methods."""
    by_path: dict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in ENDPOINTS:
        by_path[endpoint.path].append(endpoint)
    found: list[Any] = [path(at.lstrip("/"), view_of(endpoints, PROBLEMS)) for at, endpoints in by_path.items()]
    return [*found, path("", unknown, {"rest": ""}), path("<path:rest>", unknown)]


def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    return problem(Refusal("not-found", f"There is no call /api/v1/{rest}; /api/docs lists them."), PROBLEMS)
