"""How many calls a key made in a minute, over all processes."""

from django.db import models

from workspaces.models.api_key import ApiKey


class RateWindow(models.Model):
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    minute = models.BigIntegerField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "minute"], name="rate_window_one_a_minute")]
