"""Storing an analysis once, and finding what can't be recomputed any more."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command

from experiments.models import Experiment
from impact.analysis.models import Analysis, Check, Estimate, Snapshot, Verdict
from impact.analysis.selectors import newest_analysis
from impact.analysis.services import analyze, differing
from impact.analysis.version import CODE_VERSION
from tests.analysis.ground import paths
from tests.conftest import csv_of, loaded
from workspaces.canonical import digest
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace

ROWS = csv_of({"unit": list(range(30)), "arm": ["a", "b", "c"] * 10, "y": [(5 * n) % 7 for n in range(30)]})


@pytest.fixture
def trial(workspace: Workspace, tmp_path: Path) -> Experiment:
    return loaded(workspace, tmp_path, ROWS, value={"column": "y"}, cost={"b": 1.0, "c": 0.5}, comparisons="all")


def verify() -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("verify", stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_the_same_again_is_the_same_analysis(trial: Experiment) -> None:
    first = analyze(experiment=trial)
    again = analyze(experiment=trial)
    assert again == first and again.sha256 == first.sha256 == digest(first.document)
    assert Analysis.objects.count() == Snapshot.objects.count() == 1
    assert first.code_version == CODE_VERSION


def test_its_parts_are_kept_beside_it(trial: Experiment) -> None:
    analysis = analyze(experiment=trial)
    pairs = [("b", "a"), ("c", "a"), ("b", "c")]
    assert sorted(Estimate.objects.values_list("metric", "arm", "baseline")) == sorted(
        (metric, *pair) for metric in ("y", "net value") for pair in pairs
    )
    net = analysis.document["money"]["comparisons"][0]["net"]
    kept = Estimate.objects.get(metric="net value", arm="b", baseline="a")
    assert (kept.effect, kept.se, [kept.low, kept.high], kept.p_value, kept.rows) == (
        net["effect"], net["se"], net["ci"], net["p_value"], 10,
    )  # fmt: skip
    assert sorted(Check.objects.values_list("check_id", flat=True)) == sorted(
        check["id"] for check in analysis.document["checks"]
    )
    overall = analysis.document["verdict"]
    assert Verdict.objects.get(overall=True).arm == overall["arm"]
    assert {(one.arm, one.level) for one in Verdict.objects.filter(overall=False)} == {
        (one["arm"], one["level"]) for one in analysis.document["verdicts"]
    }
    assert (analysis.final, analysis.mature, analysis.assigned) == (True, 30, 30)


def test_a_lost_lease_stores_nothing(trial: Experiment) -> None:
    class Lost(Exception):
        pass

    @contextmanager
    def writing() -> Iterator[None]:
        raise Lost
        yield

    with pytest.raises(Lost):
        analyze(experiment=trial, writing=writing)
    assert not Analysis.objects.exists() and not Estimate.objects.exists()


def test_says_how_far_it_is(trial: Experiment) -> None:
    said: list[tuple[float, str]] = []
    analyze(experiment=trial, progress=lambda share, message: said.append((share, message)))
    assert [message for _, message in said] == [
        "freezing decisions and events",
        "measuring",
        "looking at units that were left alone",
        "storing",
    ]
    assert sorted(share for share, _ in said) == [share for share, _ in said]


def test_what_has_not_started_cant_be_analysed(churn: Experiment) -> None:
    with pytest.raises(Refusal) as refused:
        analyze(experiment=churn)
    assert refused.value.code == "not-started"


def test_an_untouched_analysis_recomputes(trial: Experiment) -> None:
    assert differing(analyze(experiment=trial)) == []
    assert verify() == (0, "1 analyses recomputed, 0 differences\n")


def test_an_altered_file_is_found(trial: Experiment) -> None:
    analysis = analyze(experiment=trial)
    [file] = paths(analysis.snapshot, "outcomes")
    file.write_bytes(file.read_bytes() + b" ")
    [wrong] = differing(analysis)
    assert wrong == f"trial: {file.name} of snapshot {analysis.snapshot.sha256[:12]} differs"
    assert verify() == (1, f"{wrong}\n1 analyses recomputed, 1 differences\n")


def test_an_altered_document_is_found(trial: Experiment) -> None:
    analysis = analyze(experiment=trial)
    altered = analysis.document | {"name": "Another trial"}
    Analysis.objects.filter(pk=analysis.pk).update(document=altered)
    wrong = f"trial: the stored document of analysis {analysis.pk} was altered"
    assert differing(Analysis.objects.get()) == [wrong]
    assert verify()[0] == 1


def test_a_document_with_a_digest_of_its_own_is_found(trial: Experiment) -> None:
    """Whoever alters the digest too is found by computing again."""
    analysis = analyze(experiment=trial)
    altered = analysis.document | {"name": "Another trial"}
    Analysis.objects.filter(pk=analysis.pk).update(document=altered, sha256=digest(altered))
    assert differing(Analysis.objects.get()) == [f"trial: analysis {analysis.pk} recomputes to other bytes"]


def test_an_altered_plan_is_found(trial: Experiment) -> None:
    analysis = analyze(experiment=trial)
    Experiment.objects.filter(pk=trial.pk).update(plan=trial.plan | {"alpha": 0.2})
    assert differing(Analysis.objects.get()) == [f"trial: analysis {analysis.pk} recomputes to other bytes"]


def test_verify_finds_a_broken_audit_chain(trial: Experiment) -> None:
    AuditEntry.objects.filter(number=1).update(actor="somebody else")
    status, said = verify()
    assert status == 1 and said.startswith("mobile: the audit chain breaks at entry 1\n")


def test_the_newest_analysis_is_the_latest_as_of(trial: Experiment, workspace: Workspace) -> None:
    analysis = analyze(experiment=trial)
    assert newest_analysis(trial) == analysis
    assert newest_analysis(trial, analysis.as_of) == analysis
    assert newest_analysis(trial, trial.created_at) is None
