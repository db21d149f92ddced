"""The ground that rows and events are put down on."""

import pytest

from experiments.models import Experiment
from tests.analysis.ground import Ground
from workspaces.models import Workspace


@pytest.fixture
def ground(workspace: Workspace, running: Experiment) -> Ground:
    return Ground(workspace, running)
