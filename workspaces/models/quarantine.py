"""Facts that were read but can't be placed: kept, with the reason, until somebody mends them."""

from django.db import models

from workspaces.canonical import CanonicalJSONField
from workspaces.scoping import Owned


class Quarantine(Owned):
    class Resolution(models.TextChoices):
        ACCEPTED = "accepted"
        DUPLICATE = "duplicate"
        MENDED = "mended"  # the row as it was mended is kept beside it
        DISMISSED = "dismissed"

    kind = models.CharField(max_length=20)
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    row = CanonicalJSONField()
    code = models.CharField(max_length=60)
    reason = models.TextField()
    received_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=200, blank=True, default="")
    resolution = models.CharField(max_length=9, choices=Resolution.choices, blank=True, default="")
    note = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "source", "event_id", "digest"], name="quarantine_once_a_row"
            )
        ]
        indexes = [
            models.Index(
                fields=["workspace", "kind", "code"], condition=models.Q(resolved_at=None), name="quarantine_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source} {self.event_id}"
