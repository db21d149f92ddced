"""Lines go to every table that they are for, or to none."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from django.db import IntegrityError

from predictions.models import Prediction
from tests.conftest import START
from workspaces.facts import run_together
from workspaces.identifiers import new_id, new_id_text
from workspaces.lines import Into, insertions
from workspaces.models import Quarantine, Workspace

TABLES = (
    Into(Quarantine, {"id": "kept_id", "row": "features"}, having="kept_id", order=("source", "event_id")),
    Into(Prediction),
)


class Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A prediction, and a row in quarantine if it has an id for one."""

    id: str
    workspace_id: UUID
    event_id: str
    source: str
    digest: str
    received_at: str
    version_id: UUID
    unit_id: str
    score: float
    predicted_at: datetime
    features: str
    features_sha256: str
    kept_id: str | None = None
    kind: str | None = None
    code: str | None = None
    reason: str | None = None
    resolved_at: str | None = None
    resolved_by: str | None = None
    resolution: str | None = None
    note: str | None = None


def line(workspace: Workspace, event: str, *, kept: bool = False) -> Line:
    made = Line(
        id=new_id_text(), workspace_id=workspace.pk, source='c"r\\m', event_id=event, digest="d" + event,
        received_at=(START + timedelta(microseconds=1)).isoformat(), version_id=new_id(), unit_id="é|🚗",
        score=0.1, predicted_at=START, features='{"a":1e-05,"b":"\\"é"}', features_sha256="s",
    )  # fmt: skip
    if kept:
        made.kept_id = new_id_text()
        made.kind = made.code = made.reason = "k"
        made.resolved_by = made.resolution = made.note = ""
    return made


def test_every_column_comes_back_as_it_was_given(workspace: Workspace) -> None:
    given = line(workspace, "e1")
    run_together(insertions([given], TABLES))
    found = Prediction.objects.get()
    assert (str(found.pk), found.workspace, found.source) == (given.id, workspace, 'c"r\\m')
    assert (found.version_id, found.unit_id, found.score) == (given.version_id, "é|🚗", 0.1)
    assert (found.received_at, found.predicted_at) == (START + timedelta(microseconds=1), START)
    assert found.features == {"a": 1e-05, "b": '"é'}


def test_a_table_has_the_lines_that_are_for_it(workspace: Workspace) -> None:
    run_together(insertions([line(workspace, "e1", kept=True), line(workspace, "e2")], TABLES))
    kept = Quarantine.objects.get()
    assert (kept.event_id, kept.row, kept.resolved_at) == ("e1", {"a": 1e-05, "b": '"é'}, None)
    assert set(Prediction.objects.values_list("event_id", flat=True)) == {"e1", "e2"}


@pytest.mark.django_db(transaction=True)
def test_what_one_table_refuses_goes_to_none(workspace: Workspace) -> None:
    run_together(insertions([line(workspace, "e1")], TABLES))
    with pytest.raises(IntegrityError):
        run_together(insertions([line(workspace, "e0", kept=True), line(workspace, "e1", kept=True)], TABLES))
    assert not Quarantine.objects.exists()
    assert Prediction.objects.get().event_id == "e1"


def test_no_lines_ask_nothing(workspace: Workspace) -> None:
    assert insertions([], TABLES) == []
