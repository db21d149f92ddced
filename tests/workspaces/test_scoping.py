"""Whoever reads for a page or a call enters through ``within``; no model is left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from predictions.models import PredictionModel
from tests.trees import ROOT, sources
from workspaces.models import Workspace
from workspaces.scoping import Owned, WithinQuerySet

READERS = ("views.py", "api.py", "selectors.py")
# no rows of one workspace: who signs in may be in several, a workspace is found by membership or key, and a
# key's calls are counted for the key that was found
SHARED = {"Person", "Workspace", "RateWindow"}
OURS = {"config", "demo", "dashboard", "reports", "analysis", "agreements", "ledger"} | {
    "experiments",
    "predictions",
    "workspaces",
}
MANAGERS = ("objects", "_default_manager", "_base_manager")


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


OWNED = {model.__name__ for model in our_models() if issubclass(model, Owned)}


def test_every_model_belongs_to_a_workspace() -> None:
    assert {model.__name__ for model in our_models()} - OWNED == SHARED
    assert len(OWNED) > 25


@pytest.mark.parametrize("model", [model for model in our_models() if issubclass(model, Owned)])
def test_an_owned_model_is_entered_by_within(model: type[Owned], db: None) -> None:
    assert isinstance(model.objects.all(), WithinQuerySet)
    field = model._meta.get_field("workspace")
    assert not field.null
    assert field.remote_field.on_delete is models.PROTECT
    # the ids that others are told can't be counted through
    assert isinstance(model._meta.pk, models.UUIDField)


def test_within_finds_this_workspaces_rows(workspace: Workspace, other_workspace: Workspace) -> None:
    fields = {"key": "m", "name": "m", "task": "probability", "target": "t", "horizon_days": 1, "unit_type": "u"}
    mine = PredictionModel.objects.create(workspace=workspace, **fields)
    theirs = PredictionModel.objects.create(workspace=other_workspace, **fields)
    assert list(PredictionModel.objects.within(workspace)) == [mine]
    assert list(PredictionModel.objects.within(other_workspace)) == [theirs]
    with pytest.raises(IntegrityError), transaction.atomic():
        PredictionModel.objects.create(workspace=None, **fields)


def readers() -> list[Path]:
    return [path for path in sources() if path.name in READERS]


def test_readers_enter_through_within() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}": code
        for path in readers()
        for line, code in other_ways_in(path.read_text(encoding="utf-8"))
    }
    assert not found, "read rows by X.objects.within(workspace)"


@pytest.mark.parametrize(
    "code",
    [
        "Job.objects.filter(pk=pk)",
        "Job.objects.all()",
        "models.Job.objects.get(pk=pk)",
        "Job.objects",
        "Job._default_manager.all()",
        "get_object_or_404(Job, pk=pk)",
        "get_list_or_404(Job.objects, pk=pk)",
        "Analysis.objects.filter(key=OuterRef('key'))",
        "Analysis.objects.exclude(experiment=OuterRef('pk'))",
        "Analysis.objects.raw('SELECT')",
    ],
)
def test_the_search_finds_other_ways_in(code: str) -> None:
    assert list(other_ways_in(code))


@pytest.mark.parametrize(
    "code",
    [
        "Job.objects.within(workspace).filter(pk=pk)",
        "Workspace.objects.get(key=key)",
        "experiment.arms.all()",
        "Analysis.objects.filter(experiment=OuterRef('pk')).order_by('-as_of')",
    ],
)
def test_the_search_lets_the_right_way_pass(code: str) -> None:
    assert not list(other_ways_in(code))


def other_ways_in(code: str) -> Iterator[tuple[int, str]]:
    """Line and code of everything that reads an owned model other than through ``within``.

    A subquery whose rows hang by a foreign key on those of the query around it is as scoped as that is.
    """
    tree = ast.parse(code)
    around = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS and named(node.value) in OWNED:
            taken = around.get(node)
            if not (isinstance(taken, ast.Attribute) and (taken.attr == "within" or correlated(around.get(taken)))):
                yield node.lineno, ast.unparse(taken or node)
        elif isinstance(node, ast.Call) and named(node.func) in ("get_object_or_404", "get_list_or_404"):
            yield node.lineno, ast.unparse(node)


def named(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def correlated(call: ast.AST | None) -> bool:
    """Whether it is ``.filter(foreign_key=OuterRef(...))``."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "filter":
        return False
    model = apps.get_model(next(m._meta.label for m in our_models() if m.__name__ == named(call.func.value.value)))  # type: ignore[attr-defined]
    relations = {field.name for field in model._meta.fields if field.is_relation}
    return any(
        word.arg in relations and isinstance(word.value, ast.Call) and named(word.value.func) == "OuterRef"
        for word in call.keywords
    )
