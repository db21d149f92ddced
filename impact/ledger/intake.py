"""What came in lately: feeds, types by day, costs, files; read from the newest rows alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Sum
from django.db.models.functions import TruncDate

from impact.ledger.imports.load import IMPORT
from impact.ledger.models import LOADED, Cost, Feed, Outcome
from workspaces import clock
from workspaces.models import Job, Workspace

DAYS = 14
# a feed that was not heard of for so long is said to be silent
SILENT = timedelta(days=3)
FILES = 20


class Heard(NamedTuple):
    """A feed as it is known: by its heartbeat, by its events, or both."""

    source: str
    type: str
    complete_until: datetime | None
    last_event: datetime | None
    silent_days: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Volume:
    """Rows of one type, day by day."""

    kind: str
    type: str
    total: int
    days: Sequence[tuple[date, int]]

    @property
    def bars(self) -> list[tuple[int, float, float, int]]:
        """Place, top and height of each day's bar, of 24, and its number."""
        most = max(number for _, number in self.days)
        heights = [24 * number / most for _, number in self.days]
        numbers = [number for _, number in self.days]
        return [(8 * place, 24 - height, height, numbers[place]) for place, height in enumerate(heights)]


class Spent(NamedTuple):
    category: str
    currency: str
    actual: float
    estimated: float
    rows: int


@dataclass(frozen=True, slots=True)
class Intake:
    feeds: list[Heard]
    volumes: list[Volume]
    costs: list[Spent]
    files: list[Job]

    @property
    def days(self) -> list[tuple[date, list[int]]]:
        """Each day with its rows of each type."""
        numbers = [[rows for _, rows in one.days] for one in self.volumes]
        return [
            (day, list(rows)) for (day, _), rows in zip(self.volumes[0].days, zip(*numbers, strict=True), strict=True)
        ]

    @property
    def empty(self) -> bool:
        return not (self.feeds or self.volumes or self.files)


def intake(workspace: Workspace) -> Intake:
    """Everything that the page about data shows."""
    now = clock.now(workspace)
    zone = ZoneInfo(workspace.time_zone)
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    since = datetime.combine(days[0], datetime.min.time(), zone)
    counted = {
        (kind, name): _counted(_lately(model, workspace, since, now), name, zone)
        for kind, model, name in (("outcome", Outcome, "type"), ("cost", Cost, "category"))
    }
    files = Job.objects.within(workspace).filter(kind=IMPORT).order_by("-created_at")[:FILES]
    return Intake(
        _feeds(workspace, counted["outcome", "type"], now),
        [one for (kind, name), rows in counted.items() for one in _volumes(kind, name, rows, days)],
        _costs(_lately(Cost, workspace, since, now)),
        list(files),
    )


def _lately(model: Any, workspace: Workspace, since: datetime, now: datetime) -> Any:
    """Rows that came in since then; ids sort by the time they were made, so older rows aren't read.

    What is loaded into a simulated workspace comes in by the server's time, which may be its future.
    """
    rows = model.objects.within(workspace).filter(received_at__gte=since, received_at__lte=now)
    if workspace.simulated:
        return rows
    return rows.filter(pk__gte=UUID(int=int(since.timestamp() * 1000) << 80))


def _counted(rows: Any, name: str, zone: ZoneInfo) -> list[dict[str, Any]]:
    by_day = rows.annotate(day=TruncDate("received_at", tzinfo=zone)).values("source", name, "day")
    return list(by_day.annotate(rows=Count("pk"), last=Max("occurred_at")).order_by())


def _feeds(workspace: Workspace, counted: Sequence[dict[str, Any]], now: datetime) -> list[Heard]:
    last: dict[tuple[str, str], datetime] = {}
    for row in counted:
        key = (row["source"], row["type"])
        last[key] = max(last.get(key, row["last"]), row["last"])
    heard = {(feed.source, feed.type): feed for feed in Feed.objects.within(workspace)}
    found = []
    for key in sorted(key for key in {*last, *heard} if not key[0].startswith(LOADED)):
        feed = heard.get(key)
        silent = now - feed.heard_at if feed else None
        state = "no-heartbeat" if silent is None else "silent" if silent > SILENT else "heard"
        complete = feed.complete_until if feed else None
        found.append(Heard(*key, complete, last.get(key), silent.days if silent is not None else None, state))
    return found


def _volumes(kind: str, name: str, counted: Sequence[dict[str, Any]], days: Sequence[date]) -> list[Volume]:
    by_type: dict[str, Counter[date]] = defaultdict(Counter)
    for row in counted:
        by_type[row[name]][row["day"]] += row["rows"]
    return [
        Volume(kind, type, sum(numbers.values()), [(day, numbers[day]) for day in days])
        for type, numbers in sorted(by_type.items())
    ]


def _costs(rows: Any) -> list[Spent]:
    """What was logged as spent, and what was logged as an estimate of it."""
    spent: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0])
    sums = rows.values("category", "currency", "estimated").annotate(sum=Sum("amount"), rows=Count("pk"))
    for row in sums.order_by():
        one = spent[row["category"], row["currency"]]
        one[row["estimated"]] += row["sum"]
        one[2] += row["rows"]
    return [Spent(*key, actual, estimated, int(n)) for key, (actual, estimated, n) in sorted(spent.items())]
