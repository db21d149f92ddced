"""What we did about a prediction, and with what probability."""

from experiments.models.decisions import (
    Assignment,
    BlockCounter,
    CapacityCounter,
    ClusterArm,
    Decision,
    EpisodeCounter,
    Execution,
    Mode,
)
from experiments.models.declared import Action, DecisionPoint, Holdout, Policy
from experiments.models.experiment import Arm, Experiment, Phase, Status

__all__ = [
    "Action",
    "Arm",
    "Assignment",
    "BlockCounter",
    "CapacityCounter",
    "ClusterArm",
    "Decision",
    "DecisionPoint",
    "EpisodeCounter",
    "Execution",
    "Experiment",
    "Holdout",
    "Mode",
    "Phase",
    "Policy",
    "Status",
]
