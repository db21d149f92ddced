"""The audit chain: whoever changes or drops an entry is found out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import race
from workspaces.models import AuditEntry, Workspace
from workspaces.services.audit import broken_at, record


def recorded(workspace: Workspace, number: int = 4) -> list[AuditEntry]:
    """Entries after the one that the workspace was made with."""
    return [
        record(workspace=workspace, actor="ann", action="declare", subject=f"s{place}", before={"n": place}, after=1)
        for place in range(number)
    ]


def test_each_entry_holds_the_digest_of_the_one_before(workspace: Workspace) -> None:
    recorded(workspace)
    entries = list(AuditEntry.objects.within(workspace).order_by("number"))
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.previous for entry in entries] == ["", *(entry.digest for entry in entries[:-1])]
    assert len({entry.digest for entry in entries}) == 5
    stored = Workspace.objects.get(pk=workspace.pk)
    assert (stored.audit_length, stored.audit_head) == (5, entries[-1].digest)
    assert broken_at(workspace) is None


def test_keeps_digests_and_no_content(workspace: Workspace) -> None:
    entry = record(workspace=workspace, actor="ann", action="declare", subject="s", before={"secret": "s3"}, after=None)
    assert len(entry.before_sha256) == 64
    assert entry.after_sha256 == ""


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize(
    "field", ["at", "actor", "action", "subject", "before_sha256", "after_sha256", "previous", "digest", "number"]
)
def test_finds_a_changed_field(workspace: Workspace, field: str, number: int) -> None:
    recorded(workspace)
    entry = AuditEntry.objects.within(workspace).get(number=number)
    changed: dict[str, Any] = {
        "at": entry.at + timedelta(microseconds=1),
        "number": 1000,
        "previous": "0" * 64,
        "digest": "f" * 64,
    }
    AuditEntry.objects.filter(pk=entry.pk).update(**{field: changed.get(field, f"{getattr(entry, field)}x"[-64:])})
    found = broken_at(workspace)
    assert found == number


@pytest.mark.parametrize("number", [1, 3, 5])
def test_finds_a_missing_entry(workspace: Workspace, number: int) -> None:
    recorded(workspace)
    AuditEntry.objects.within(workspace).filter(number=number).delete()
    assert broken_at(workspace) is not None


def test_finds_entries_that_changed_places(workspace: Workspace) -> None:
    first, second, *_ = recorded(workspace)
    for number, entry in ((90, first), (first.number, second), (second.number, first)):
        AuditEntry.objects.filter(pk=entry.pk).update(number=number)
    assert broken_at(workspace) == first.number


def test_finds_an_entry_that_was_put_at_the_end(workspace: Workspace) -> None:
    last = recorded(workspace)[-1]
    AuditEntry.objects.create(
        workspace=workspace,
        number=6,
        at=last.at,
        actor="eve",
        action="a",
        subject="s",
        previous=last.digest,
        digest="d",
    )
    assert broken_at(workspace) == 6


def test_finds_a_head_that_was_moved_back(workspace: Workspace) -> None:
    entries = recorded(workspace)
    entries[-1].delete()
    Workspace.objects.filter(pk=workspace.pk).update(audit_length=4)
    assert broken_at(workspace) == 5


def test_what_is_rolled_back_leaves_no_entry(workspace: Workspace) -> None:
    with transaction.atomic():
        record(workspace=workspace, actor="ann", action="declare", subject="s")
        transaction.set_rollback(True)
    record(workspace=workspace, actor="ann", action="declare", subject="t")
    assert [entry.number for entry in AuditEntry.objects.within(workspace).order_by("number")] == [1, 2]
    assert broken_at(workspace) is None


def test_chains_are_of_one_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    recorded(workspace)
    assert AuditEntry.objects.within(other_workspace).count() == 1
    assert broken_at(other_workspace) is None


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_chain(workspace: Workspace) -> None:
    def write(place: int) -> None:
        mine = Workspace.objects.get(pk=workspace.pk)
        for step in range(3):
            record(workspace=mine, actor=f"a{place}", action="declare", subject=f"{step}")

    race(8, write)
    assert AuditEntry.objects.within(workspace).count() == 25
    assert broken_at(workspace) is None
