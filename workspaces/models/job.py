"""Work is a row: a message that gets lost is a delay, one that comes twice does nothing."""

from django.db import models

from workspaces.canonical import CanonicalJSONField
from workspaces.scoping import Owned


class Job(Owned):
    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    arguments = CanonicalJSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0.0)
    message = models.CharField(max_length=300, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    result = CanonicalJSONField(null=True)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "kind", "key"], name="job_once_a_key"),
            models.CheckConstraint(condition=models.Q(progress__range=(0, 1)), name="job_progress_is_a_share"),
            models.CheckConstraint(
                condition=models.Q(state="running", lease_until__isnull=False)
                | (~models.Q(state="running") & models.Q(lease_until=None)),
                name="job_leased_while_running",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["queued", "running"]), name="job_open")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
