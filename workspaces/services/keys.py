"""Making and revoking API keys."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from workspaces import clock
from workspaces.errors import Refusal
from workspaces.models import SCOPES, ApiKey, Workspace
from workspaces.services import audit

REMEMBERED = 1.0

_keys: dict[str, tuple[float, ApiKey]] = {}


def secret_digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_key(
    *, workspace: Workspace, name: str, scopes: Sequence[str], actor: str, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is kept nowhere and shown once."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Refusal("unknown-scope", f"scopes == {','.join(scopes)!r}, must be some of {', '.join(SCOPES)}")
    prefix = "imp_" + secrets.token_hex(6)
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name,
        prefix=prefix,
        sha256=secret_digest(secret),
        scopes=sorted(set(scopes)),
        created_at=clock.server_now(),
        expires_at=expires_at,
    )
    audit.record(workspace=workspace, actor=actor, action="create key", subject=prefix, after=key.scopes)
    return key, secret


@transaction.atomic
def revoke_key(*, key: ApiKey, actor: str) -> ApiKey:
    """End a key now."""
    if key.revoked_at:
        raise Refusal("wrong-status", f"The key {key.prefix} was revoked already.")
    key.revoked_at = clock.server_now()
    key.save(update_fields=["revoked_at"])
    _keys.pop(key.prefix, None)
    audit.record(workspace=key.workspace, actor=actor, action="revoke key", subject=key.prefix, before=key.scopes)
    return key


def remembered_key(prefix: str) -> ApiKey | None:
    """Find a key with its workspace; for a second a process remembers it, so long one revoked elsewhere serves on."""
    until, key = _keys.get(prefix, (0.0, None))
    if key is None or time.monotonic() >= until:
        key = ApiKey.objects.select_related("workspace").filter(prefix=prefix).first()
        if key is not None:
            _keys[prefix] = (time.monotonic() + REMEMBERED, key)
    return key
