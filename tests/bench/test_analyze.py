"""The bench of analysis measures files like those that freezing writes."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db import connection

from impact.analysis import chunks, files
from impact.analysis.models import Snapshot
from impact.analysis.tables import COLUMNS, ROWS
from tests.bench import freeze
from tests.bench.analyze import ARMS, ROWS_A_CHUNK, ROWS_A_GROUP, by_hand, measured, tell, write


def test_a_written_snapshot_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "snapshot"
    write(home, 3000)
    assert (ROWS_A_CHUNK, ROWS_A_GROUP) == (chunks.ROWS_A_CHUNK, files.ROWS_A_GROUP)
    for name, columns in {"rows": ROWS, "decisions": COLUMNS["decisions"], "outcomes": COLUMNS["outcomes"]}.items():
        found = pq.read_schema(home / f"0000-{name}.parquet").names
        assert [one for one in found if not one.startswith("covariate ")] == list(columns)
    assert measured(home, rounds=1)[3]
    tell(home)
    seconds, peak, digest = capsys.readouterr().out.splitlines()[-1].split()
    assert float(seconds) > 0 and int(peak) > 0 and len(digest) == 64
    assert sum(rows for arm, _, rows, *_ in by_hand(home) if arm in ARMS) == 3000


@pytest.mark.django_db
def test_little_that_is_new_is_frozen_beside_its_export() -> None:
    if connection.vendor != "postgresql":
        assert freeze.rows() == []
        return
    whole, new = freeze.measure(300)
    assert whole.ours > 0 and new.ours > 0
    assert new.floor and new.target == "<= 2"
    first, second = Snapshot.objects.order_by("created_at")
    assert [one.manifest["tables"]["decisions"]["rows"] for one in (first, second)] == [300, 303]
    assert [one.manifest["tables"]["outcomes"]["rows"] for one in (first, second)] == [450, 454]
    assert [file["rows"] for file in second.manifest["files"]["rows"]] == [300, 3]
