"""Reading models."""

from __future__ import annotations

from collections.abc import Mapping

from predictions.models import PredictionModel
from workspaces.errors import Missing
from workspaces.models import Workspace
from workspaces.paging import page


def model_named(workspace: Workspace, key: str) -> PredictionModel:
    models = PredictionModel.objects.within(workspace).prefetch_related("versions")
    model = models.filter(key=key).first()
    if model is None:
        raise Missing("model", key)
    return model


def models_of(workspace: Workspace, query: Mapping[str, str]) -> tuple[list[PredictionModel], str | None]:
    return page(PredictionModel.objects.within(workspace).prefetch_related("versions"), query)
