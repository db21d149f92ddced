"""Declaring models and their versions."""

from __future__ import annotations

from typing import Any

import pytest

from predictions.declarations import ModelDeclared, declare_model
from predictions.models import ModelVersion, PredictionModel
from workspaces.declarations import Change
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Workspace
from workspaces.strict import convert

MODEL: dict[str, Any] = {
    "key": "churn",
    "name": "Churn",
    "target": "leaves",
    "horizon_days": 90,
    "unit_type": "customer",
    "features": {"tenure": "number"},
    "versions": [{"version": "1", "offline_metrics": {"auc": 0.8}}],
}


def declare(workspace: Workspace, **changes: Any) -> Change:
    return declare_model(workspace, convert(MODEL | changes, ModelDeclared), "ann")


def test_is_created_with_its_versions(workspace: Workspace) -> None:
    assert declare(workspace).did == "created"
    model = PredictionModel.objects.get()
    assert (model.key, model.task, model.features) == ("churn", "probability", {"tenure": "number"})
    version = ModelVersion.objects.get()
    assert (version.version, version.stage, version.offline_metrics) == ("1", "live", {"auc": 0.8})


def test_the_second_time_nothing_changes(workspace: Workspace) -> None:
    declare(workspace)
    before = AuditEntry.objects.count()
    assert declare(workspace).did == "unchanged"
    assert (AuditEntry.objects.count(), ModelVersion.objects.count()) == (before, 1)


def test_a_change_is_shown_and_audited(workspace: Workspace) -> None:
    declare(workspace)
    change = declare(workspace, name="Leaves", monthly_cost=400)
    assert (change.did, change.fields) == ("changed", {"name": ("Churn", "Leaves"), "monthly_cost": (None, 400.0)})
    assert AuditEntry.objects.within(workspace).latest("number").action == "declare model"


@pytest.mark.parametrize(
    "versions",
    [
        [*MODEL["versions"], {"version": "2"}],
        [{"version": "1", "offline_metrics": {"auc": 0.8}, "stage": "retired"}],
        [{"version": "1", "offline_metrics": {"auc": 0.9}}],
    ],
)
def test_a_new_or_changed_version_is_shown_and_audited(workspace: Workspace, versions: list[Any]) -> None:
    declare(workspace)
    change = declare(workspace, versions=versions)
    assert change.did == "changed"
    assert list(change.fields) == [f"version {versions[-1]['version']}"]
    entry = AuditEntry.objects.within(workspace).latest("number")
    assert (entry.action, entry.actor, entry.subject) == ("declare model", "ann", "churn")


def test_versions_that_are_left_out_stay(workspace: Workspace) -> None:
    declare(workspace)
    assert declare(workspace, versions=[]).did == "unchanged"
    assert ModelVersion.objects.count() == 1


def test_keys_are_of_one_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    declare(workspace)
    assert declare(other_workspace, name="Theirs").did == "created"
    assert PredictionModel.objects.within(workspace).get().name == "Churn"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"key": "Churn"}, "/key"),
        ({"task": "ranking"}, "/task"),
        ({"features": {"tenure": "int"}}, "/features"),
        ({"versions": [{}]}, "/versions/0/version"),
        ({"versions": [{"version": "1", "stage": "gone"}]}, "/versions/0/stage"),
        ({"versions": [{"version": "1", "trained_at": "2026-01-01T00:00:00"}]}, "/versions/0/trained_at"),
        ({"colour": "red"}, "/colour"),
        ({"horizon_days": "ninety"}, "/horizon_days"),
    ],
)
def test_refuses(workspace: Workspace, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refusal:
        declare(workspace, **changes)
    assert (refusal.value.code, refusal.value.pointer) == ("invalid-field", pointer)
    assert not PredictionModel.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"horizon_days": 0}, "/horizon_days"),
        ({"horizon_days": -1}, "/horizon_days"),
        ({"horizon_days": float("nan")}, "/horizon_days"),
        ({"horizon_days": float("inf")}, "/horizon_days"),
        ({"monthly_cost": -1}, "/monthly_cost"),
        ({"name": "x" * 201}, "/name"),
        ({"registry_url": "x" * 501}, "/registry_url"),
        ({"versions": [{"version": "x" * 65}]}, "/versions/0/version"),
    ],
)
def test_refuses_what_the_columns_do_not_hold(workspace: Workspace, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refusal:
        declare(workspace, **changes)
    assert refusal.value.pointer == pointer


def test_a_version_is_audited_with_a_change_of_its_model(workspace: Workspace) -> None:
    declare(workspace)
    change = declare(workspace, name="Leaves", versions=[{"version": "2"}])
    assert set(change.fields) == {"name", "version 2"}
