"""What a bench measured: each figure beside its floor, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.e2e.house import House


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; ``target`` is what its ratio to the floor is to be, or the figure itself where it has no floor."""

    name: str
    ours: float
    unit: str
    floor: float | None = None
    target: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        if not self.target:
            return None
        sign, bound = self.target.split()[:2]
        value = self.ours if self.floor is None else self.ours / self.floor if self.floor else 0.0
        return value >= float(bound) if sign == ">=" else value <= float(bound)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


def table(rows: Iterable[Row]) -> str:
    """Rows as people read them."""
    lines = [f"{'':<52}{'ours':>10}{'floor':>10}  {'unit':<10}{'ratio':>6}  target"]
    for row in rows:
        floor = "" if row.floor is None else f"{row.floor:,.5g}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        met = {None: "", True: "met", False: "missed"}[row.met]
        lines.append(f"{row.name:<52}{row.ours:>10,.5g}{floor:>10}  {row.unit:<10}{ratio:>6}  {row.target:<9}{met}")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "database": os.environ.get("DATABASE_URL", "sqlite").partition(":")[0],
    }


def measured_inside(house: House, statements: str) -> list[Row]:
    """Rows that a process of the house measures: the last line that it prints is their list."""
    said = house.manage("shell", "-v0", "-c", statements).stdout
    return [Row(**one) for one in json.loads(said.splitlines()[-1])]


def printed(rows: Iterable[Row]) -> str:
    """The list that ``measured_inside`` reads."""
    return json.dumps([asdict(row) for row in rows])


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_bytes() -> int:
    """The most memory that this process has held."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])
