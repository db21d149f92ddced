"""What may be declared about models."""

from __future__ import annotations

from typing import Literal

from predictions.models import ModelVersion, PredictionModel
from workspaces.declarations import Change, Declaration, Declared, declare_row, differences, noted
from workspaces.models import Workspace
from workspaces.strict import Id, Key, Text, Time


class VersionDeclared(Declared):
    version: Id
    trained_at: Time | None = None
    training_window: Text = ""
    offline_metrics: dict[str, float] = {}
    stage: Literal["shadow", "candidate", "live", "retired"] = "live"


class ModelDeclared(Declared):
    """A model; ``features`` names what eligibility rules may speak of."""

    key: Key
    name: Text
    target: Text
    horizon_days: float
    unit_type: Key
    task: Literal["probability", "regression"] = "probability"
    owner: Text = ""
    monthly_cost: float | None = None
    registry_url: Text = ""
    features: dict[str, Literal["number", "text", "boolean"]] = {}
    versions: list[VersionDeclared] = []


def declare_model(workspace: Workspace, declared: ModelDeclared, actor: str) -> Change:
    names = [name for name in ModelDeclared.__struct_fields__ if name not in ("key", "versions")]
    content = {name: getattr(declared, name) for name in names}
    change = declare_row("model", PredictionModel, workspace, declared.key, content, actor)
    model = PredictionModel.objects.within(workspace).get(key=declared.key)
    added = {}
    for version in declared.versions:
        said = {name: getattr(version, name) for name in VersionDeclared.__struct_fields__}
        known = ModelVersion.objects.within(workspace).filter(model=model, version=version.version).first()
        if differences(known, said):
            ModelVersion.objects.update_or_create(
                workspace=workspace, model=model, version=version.version, defaults=said
            )
            added[f"version {version.version}"] = (known and known.stage, version.stage)
    if added and change.did == "unchanged":
        return noted("model", workspace, declared.key, model, added, actor)
    return change


DECLARATIONS = (Declaration("models", ModelDeclared, declare_model),)
