"""Workspace: one company's, or one simulation's, own world."""

import secrets

from django.db import models

from workspaces.identifiers import new_id, valid_key


def new_pseudonym_key() -> str:
    return secrets.token_hex(32)


class Workspace(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=64, unique=True, validators=[valid_key])
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=64, default="UTC")
    fiscal_year_start = models.PositiveSmallIntegerField(default=1)
    simulated = models.BooleanField(default=False)
    # the newest time that a fact of a simulated workspace stated
    clock_at = models.DateTimeField(null=True)
    pseudonym_key = models.CharField(max_length=64, default=new_pseudonym_key)
    # head of the audit chain; its length counts the changes of configuration, so caches compare it
    audit_length = models.PositiveBigIntegerField(default=0)
    audit_head = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fiscal_year_start__range=(1, 12)), name="workspace_fiscal_year_starts_in_a_month"
            ),
            models.CheckConstraint(
                condition=models.Q(simulated=True) | models.Q(clock_at=None), name="workspace_clock_only_if_simulated"
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="workspace_currency_is_an_iso_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name
