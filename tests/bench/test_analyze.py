"""The bench of analysis measures files like those that freezing writes."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from impact.analysis import chunks, files
from impact.analysis.tables import COLUMNS, ROWS
from tests.bench.analyze import ARMS, ROWS_A_CHUNK, ROWS_A_GROUP, by_hand, tell, write


def test_a_written_snapshot_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "snapshot"
    write(home, 3000)
    assert (ROWS_A_CHUNK, ROWS_A_GROUP) == (chunks.ROWS_A_CHUNK, files.ROWS_A_GROUP)
    for name, columns in {"rows": ROWS, "decisions": COLUMNS["decisions"], "outcomes": COLUMNS["outcomes"]}.items():
        found = pq.read_schema(home / f"0000-{name}.parquet").names
        assert [one for one in found if not one.startswith("covariate ")] == list(columns)
    tell(home)
    seconds, peak, digest = capsys.readouterr().out.splitlines()[-1].split()
    assert float(seconds) > 0 and int(peak) > 0 and len(digest) == 64
    assert sum(rows for arm, _, rows, *_ in by_hand(home) if arm in ARMS) == 3000
