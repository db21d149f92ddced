"""Who was assigned to what, what was decided, and what was really done."""

from django.db import models
from django.db.models import Q

from experiments.models.declared import Action, DecisionPoint
from experiments.models.experiment import Arm, Experiment
from predictions.models import Prediction
from workspaces.canonical import CanonicalJSONField
from workspaces.facts import Fact, declared
from workspaces.models import Workspace
from workspaces.scoping import Owned


class Mode(models.TextChoices):
    """How a decision came about; only randomized ones enter an effect."""

    RANDOMIZED = "randomized"
    POLICY = "policy"
    HOLDOUT = "holdout"
    FORCED_SAFETY = "forced_safety"
    FORCED_CAPACITY = "forced_capacity"
    MANUAL = "manual"
    FALLBACK = "fallback"


class Assignment(Owned):
    """A unit's arm, for ever, by the draw of its randomization key: the row of analysis."""

    workspace = declared(Workspace)
    experiment = declared(Experiment, related_name="assignments")
    # what was drawn: the unit, its episode, or for all units of a cluster the cluster, or its period
    randomization_key = models.CharField(max_length=220)
    unit_id = models.CharField(max_length=200)
    # the number of the episode or period, where a unit has a row for each
    occasion = models.PositiveIntegerField(default=0)
    cluster_id = models.CharField(max_length=200, blank=True)
    arm = declared(Arm)
    stratum = models.CharField(max_length=500, blank=True)
    phase = models.CharField(max_length=200, default="1")
    propensity = models.FloatField()
    # the point in parts per million, or the position in the stratum's blocks
    draw = models.PositiveIntegerField(null=True)
    # known at assignment, frozen with it
    covariates = CanonicalJSONField(default=dict)
    segments = CanonicalJSONField(default=dict)
    first_decision_at = models.DateTimeField()
    matures_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit_id", "occasion", "experiment"], name="assignment_once_a_unit"),
            models.CheckConstraint(
                condition=Q(propensity__gt=0, propensity__lte=1), name="assignment_propensity_is_a_probability"
            ),
        ]
        indexes = [models.Index(fields=["experiment", "unit_id"], name="assignment_of_a_unit")]


class ClusterArm(Owned):
    """A cluster's arm, or that of its period, for ever: what its units get, whenever they come."""

    workspace = declared(Workspace)
    experiment = declared(Experiment)
    randomization_key = models.CharField(max_length=220)
    arm = declared(Arm)
    stratum = models.CharField(max_length=500, blank=True)
    phase = models.CharField(max_length=200)
    propensity = models.FloatField()
    draw = models.PositiveIntegerField(null=True)
    drawn_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["randomization_key", "experiment"], name="cluster_arm_once_a_key"),
            models.CheckConstraint(
                condition=Q(propensity__gt=0, propensity__lte=1), name="cluster_arm_propensity_is_a_probability"
            ),
        ]


class BlockCounter(Owned):
    """How many positions of a stratum's blocks are taken in a phase."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="+")
    phase = models.CharField(max_length=200)
    stratum = models.CharField(max_length=500)
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["experiment", "phase", "stratum"], name="block_counter_once_a_stratum")
        ]


class CapacityCounter(Owned):
    """How often an action was taken in a period; only of actions that have a capacity."""

    action = models.CharField(max_length=64)
    period = models.CharField(max_length=20)
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "action", "period"], name="capacity_counter_once_a_period")
        ]


class EpisodeCounter(Owned):
    """How many episodes a unit, or its cluster, had at a decision point, and when the last one opened.

    Every decision about it adds to the revision, so that of two at once one fails and begins again.
    """

    workspace = declared(Workspace)
    decision_point = models.CharField(max_length=64)
    scope_id = models.CharField(max_length=200)
    number = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope_id", "decision_point", "workspace"], name="episode_counter_once_a_scope"
            )
        ]


class Decision(Fact):
    """One logged choice with everything known then."""

    decision_point = declared(DecisionPoint, null=True)
    unit_id = models.CharField(max_length=200)
    cluster_id = models.CharField(max_length=200, blank=True)
    # as sent: a policy may choose by it
    segment = models.CharField(max_length=200, blank=True, db_default="")
    episode = models.PositiveIntegerField(default=0)
    prediction = models.ForeignKey(Prediction, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    score = models.FloatField(null=True)
    # every candidate action: {"probability": p} or {"refused": reason}
    candidates = CanonicalJSONField()
    action = declared(Action, null=True)
    propensity = models.FloatField()
    mode = models.CharField(max_length=15, choices=Mode.choices)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, null=True, related_name="decisions")
    # the point of a policy's draw; an experiment's draw is with the assignment
    draw = models.PositiveIntegerField(null=True)
    # policy version -> action -> probability
    would_have = CanonicalJSONField(default=dict)
    decided_at = models.DateTimeField()
    matures_at = models.DateTimeField()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                condition=Q(propensity__gt=0, propensity__lte=1), name="decision_propensity_is_a_probability"
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="decision_mode_is_known"),
            models.CheckConstraint(
                condition=~Q(mode__in=["forced_safety", "forced_capacity", "manual", "fallback"]) | Q(propensity=1),
                name="decision_forced_has_propensity_one",
            ),
            models.CheckConstraint(
                condition=~Q(mode="randomized") | Q(assignment__isnull=False), name="decision_randomized_is_assigned"
            ),
        ]
        indexes = [models.Index(fields=["decision_point", "decided_at"], name="decision_by_point_and_time")]


class Execution(Fact):
    """What was really done about a decision."""

    class State(models.TextChoices):
        ACTIVATED = "activated"
        DELIVERED = "delivered"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        FAILED = "failed"
        OVERRIDDEN = "overridden"
        EXPIRED = "expired"

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="executions")
    status = models.CharField(max_length=10, choices=State.choices)
    executed_action = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    external_ref = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                condition=Q(
                    status__in=["activated", "delivered", "accepted", "declined", "failed", "overridden", "expired"]
                ),
                name="execution_status_is_known",
            ),
        ]
