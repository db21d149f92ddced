"""Declaring things: the same file twice changes nothing, and every change is shown and audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db.models import Model

from workspaces import clock
from workspaces.limits import check_fields
from workspaces.models import Workspace
from workspaces.scoping import Versioned
from workspaces.services import audit
from workspaces.strict import check_closely, unstorable


class Declared(msgspec.Struct, forbid_unknown_fields=True):
    """What a declarative file says of one thing."""

    def __post_init__(self) -> None:
        check_closely(self)
        for name in self.__struct_fields__:
            if problem := unstorable(getattr(self, name)):
                raise ValueError(f"{name} has {problem}")


@dataclass(frozen=True, slots=True)
class Change:
    """What a declaration did: ``created``, ``changed`` (from -> to for each field) or ``unchanged``."""

    kind: str
    key: str
    did: str
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One list that a declarative file may hold, the shape of its items, and what declares one."""

    name: str
    shape: type[Declared]
    declare: Callable[[Workspace, Any, str], Change]


def declare_version(
    kind: str,
    model: type[Versioned],
    workspace: Workspace,
    key: str,
    content: Mapping[str, Any],
    actor: str,
    places: Mapping[str, str] | None = None,
) -> Change:
    """Make the content the current version of a key, as a new version where it differs."""
    check_fields(model, content, places)
    current = model.objects.within(workspace).current().filter(key=key).first()
    changes = differences(current, content)
    if current is not None and not changes:
        return Change(kind, key, "unchanged")
    if current is not None:
        current.is_current = False
        current.save(update_fields=["is_current"])
    model.objects.create(
        workspace=workspace,
        key=key,
        version=current.version + 1 if current else 1,
        created_at=clock.server_now(),
        **content,
    )
    return noted(kind, workspace, key, current, changes, actor)


def declare_row(
    kind: str,
    model: type[Model],
    workspace: Workspace,
    key: str,
    content: Mapping[str, Any],
    actor: str,
    places: Mapping[str, str] | None = None,
) -> Change:
    """Make or change the one row of a key."""
    return noted(kind, workspace, key, *keep_row(model, workspace, key, content, places), actor)


def keep_row(
    model: type[Model],
    workspace: Workspace,
    key: str,
    content: Mapping[str, Any],
    places: Mapping[str, str] | None = None,
) -> tuple[Model | None, dict[str, tuple[Any, Any]]]:
    """Make or change the one row of a key; return the row that there was, and what differs."""
    check_fields(model, content, places)
    current = model.objects.within(workspace).filter(key=key).first()  # type: ignore[attr-defined]
    changes = differences(current, content)
    if current is None:
        model._default_manager.create(workspace=workspace, key=key, **content)
    elif changes:
        for name, value in content.items():
            setattr(current, name, value)
        current.save()
    return current, changes


def noted(
    kind: str, workspace: Workspace, key: str, before: Model | None, changes: Mapping[str, tuple[Any, Any]], actor: str
) -> Change:
    """Write the change to the audit trail, if there is one, and return it."""
    if before is not None and not changes:
        return Change(kind, key, "unchanged")
    audit.record(
        workspace=workspace,
        actor=actor,
        action=f"declare {kind}",
        subject=key,
        before=None if before is None else {name: str(old) for name, (old, _) in changes.items()},
        after={name: str(new) for name, (_, new) in changes.items()},
    )
    return Change(kind, key, "created" if before is None else "changed", changes)


def differences(row: Model | None, content: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Fields that differ: (now, declared)."""
    return {
        name: (getattr(row, name, None), value)
        for name, value in content.items()
        if row is None or getattr(row, name) != value
    }
