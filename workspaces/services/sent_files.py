"""Files that were sent for a job go once it has been over for a while; what the job answered stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings

from workspaces import clock
from workspaces.files import SENT
from workspaces.models import Job

# long enough to look into a failure and to ask for the job again
KEPT = timedelta(days=7)
ENDED = (Job.State.DONE, Job.State.FAILED)


def forget_sent_files() -> None:
    """Delete what was sent more than a week ago, unless a job still needs it or ended later than that."""
    since = clock.server_now() - KEPT
    for path in (settings.DATA_DIR / "files").glob(f"*/*{SENT}"):
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) >= since:
            continue
        jobs = Job.objects.filter(workspace__key=path.parent.name, arguments__contains=path.stem)
        if not jobs.exclude(state__in=ENDED, finished_at__lt=since).exists():
            path.unlink(missing_ok=True)
