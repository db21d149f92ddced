"""manage.py verify: finds whatever was altered behind Impact's back."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from experiments.models import Assignment
from impact.analysis.models import Analysis
from impact.reports.models import Report
from tests.analysis.ground import paths
from tests.reports.board import frozen, schedule
from workspaces.models import AuditEntry, Workspace


@pytest.fixture(autouse=True)
def _apart(settings: Any, tmp_path: Path) -> None:
    """Snapshots of this test alone, since it spoils them."""
    settings.DATA_DIR = tmp_path


def verify() -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify", stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_an_untouched_house_differs_nowhere(workspace: Workspace, analysed: Analysis) -> None:
    frozen(schedule(workspace))
    assert verify() == (0, "1 analyses recomputed, 0 differences\n")


def spoil_report(analysed: Analysis) -> None:
    report = frozen(schedule(analysed.workspace))
    Report.objects.filter(pk=report.pk).update(content=report.content | {"name": "Better"})


def spoil_audit(analysed: Analysis) -> None:
    entry = AuditEntry.objects.within(analysed.workspace).order_by("number")[2]
    AuditEntry.objects.filter(pk=entry.pk).update(actor="nobody")


def spoil_document(analysed: Analysis) -> None:
    document = analysed.document | {"unit_type": "machine"}
    Analysis.objects.filter(pk=analysed.pk).update(document=document)


def spoil_snapshot(analysed: Analysis) -> None:
    file = paths(analysed.snapshot, "rows")[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_report, "mobile: report 1 was altered"),
        (spoil_audit, "mobile: the audit chain breaks at entry"),
        (spoil_document, "offers"),
        (spoil_snapshot, "offers"),
    ],
)
def test_what_was_altered_is_named(analysed: Analysis, spoil: Callable[[Analysis], None], said: str) -> None:
    assert Assignment.objects.exists()
    spoil(analysed)
    status, text = verify()
    assert status == 1
    assert said in text and not text.endswith(" 0 differences\n")
