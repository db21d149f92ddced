"""The churn experiment, running in each design."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.models import Experiment
from tests.experiments.design import EXPERIMENT, apply, running_with
from tests.experiments.invariants.visits import DESIGNS, RAMP
from workspaces.models import Workspace


@pytest.fixture(params=DESIGNS)
def design(request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> Experiment:
    point, experiment, more = DESIGNS[request.param]
    running = running_with(workspace, tmp_path, point=point, experiment=experiment, **more)
    if request.param.startswith("ramp"):
        apply(Workspace.objects.get(), tmp_path, experiments=[EXPERIMENT | experiment | RAMP])
    return running
