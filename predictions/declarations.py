"""What may be declared about models."""

from __future__ import annotations

from typing import Literal

from predictions.models import ModelVersion, PredictionModel
from workspaces.declarations import Change, Declared, differences, keep_row, noted
from workspaces.limits import check_fields
from workspaces.models import Workspace
from workspaces.strict import Days, Id, Key, Text, Time


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
    horizon_days: Days
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
    before, changes = keep_row(PredictionModel, workspace, declared.key, content)
    model = PredictionModel.objects.within(workspace).get(key=declared.key)
    for place, version in enumerate(declared.versions):
        said = {name: getattr(version, name) for name in VersionDeclared.__struct_fields__}
        check_fields(ModelVersion, said, within=f"/versions/{place}")
        known = ModelVersion.objects.within(workspace).filter(model=model, version=version.version).first()
        if differences(known, said):
            ModelVersion.objects.update_or_create(
                workspace=workspace, model=model, version=version.version, defaults=said
            )
            changes[f"version {version.version}"] = (known and known.stage, version.stage)
    return noted("model", workspace, declared.key, before, changes, actor)
