"""Every row belongs to one workspace, and ``within`` is the only way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models

from workspaces.identifiers import new_id

if TYPE_CHECKING:
    from workspaces.models import Workspace


class WithinQuerySet(models.QuerySet):
    def within(self, workspace: Workspace) -> Self:
        """Only this workspace's rows; another's look like missing ones."""
        return self.filter(workspace=workspace)


class Owned(models.Model):
    """A row of one workspace."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # an index of the workspace alone finds too much, and a planner without statistics would take it
    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.PROTECT, related_name="+", db_index=False)

    objects: ClassVar[Any] = WithinQuerySet.as_manager()

    class Meta:
        abstract = True


class VersionedQuerySet(WithinQuerySet):
    def current(self) -> Self:
        """The newest version of each key."""
        return self.filter(is_current=True)


class Versioned(Owned):
    """A declared thing. A row never changes: a new declaration is a new version, and old facts keep the old one."""

    key = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = VersionedQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key", "version"], name="%(class)s_one_row_a_version"),
            models.UniqueConstraint(
                fields=["workspace", "key"], condition=models.Q(is_current=True), name="%(class)s_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} version {self.version}"
