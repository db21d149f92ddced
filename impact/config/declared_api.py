"""POST of whatever a declarative file may hold, one thing a call."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from django.db import transaction

from impact.config.declarations import DECLARATIONS
from workspaces.declarations import Declaration
from workspaces.rest import Call, Endpoint


class DeclaredAnswer(msgspec.Struct):
    """What the declaration did: ``created``, ``changed`` (from and to of each field) or ``unchanged``."""

    kind: str
    key: str
    did: str
    fields: dict[str, tuple[str, str]]


def post_declared(declaration: Declaration, call: Call) -> DeclaredAnswer:
    """Declare one thing; the same again changes nothing, so that it may be sent as often as one likes."""
    with transaction.atomic():
        change = declaration.declare(call.workspace, call.body, call.actor)
    fields = {name: (_said(before), _said(after)) for name, (before, after) in change.fields.items()}
    return DeclaredAnswer(change.kind, change.key, change.did, fields)


def _said(value: Any) -> str:
    return "" if value is None else str(value)


DECLARING = tuple(
    Endpoint(
        "POST",
        f"/{declaration.name.replace('_', '-')}",
        "manage",
        partial(post_declared, declaration),
        f"Declare one of {declaration.name.replace('_', ' ')}, as a declarative file does.",
        answer=DeclaredAnswer,
        body=declaration.shape,
    )
    for declaration in DECLARATIONS
)
