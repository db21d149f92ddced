"""Facts that were read but can't be placed: kept, with the reason, until somebody mends them."""

from django.db import models

from workspaces.canonical import CanonicalJSONField
from workspaces.scoping import Owned


class Quarantine(Owned):
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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "source", "event_id", "digest"], name="quarantine_once_a_row"
            )
        ]
