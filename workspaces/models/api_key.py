"""API keys: a prefix to find them by and a digest to check them with."""

from django.db import models

from workspaces.canonical import CanonicalJSONField
from workspaces.scoping import Owned

SCOPES = ("predict", "decide", "log", "read", "manage")


class ApiKey(Owned):
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    sha256 = models.CharField(max_length=64)
    scopes = CanonicalJSONField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"key {self.prefix}"
