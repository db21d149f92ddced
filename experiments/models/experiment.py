"""Experiment, its arms and its phases."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from experiments.models.declared import Action, DecisionPoint, Policy
from workspaces.canonical import CanonicalJSONField
from workspaces.identifiers import valid_key
from workspaces.scoping import Owned


class Status(models.TextChoices):
    DRAFT = "draft"
    AGREED = "agreed"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"
    DECIDED = "decided"
    ABORTED = "aborted"
    ARCHIVED = "archived"


class Experiment(Owned):
    """A comparison of arms over units and time."""

    class Key(models.TextChoices):
        UNIT = "unit"
        EPISODE = "episode"
        CLUSTER = "cluster"
        CLUSTER_PERIOD = "cluster-period"

    class Method(models.TextChoices):
        HASH = "hash"
        BLOCKS = "blocks"
        ELSEWHERE = "elsewhere"

    class Origin(models.TextChoices):
        LIVE = "live"
        LOADED = "loaded"

    key = models.CharField(max_length=64, validators=[valid_key])
    name = models.CharField(max_length=200)
    decision_point = models.ForeignKey(DecisionPoint, on_delete=models.PROTECT, null=True, related_name="experiments")
    layer = models.CharField(max_length=64, blank=True)
    randomizes = models.CharField(max_length=14, choices=Key.choices, default=Key.UNIT)
    # how long a cluster's period lasts, counted from the start
    period_days = models.FloatField(null=True)
    method = models.CharField(max_length=9, choices=Method.choices, default=Method.HASH)
    # [{"score": {label: lower bound}}, "cluster", "segment", {"feature": name}]
    strata = CanonicalJSONField(default=list)
    # names of features kept with the assignment: known before, they make the figure sharper
    covariates = CanonicalJSONField(default=list)
    traffic_ppm = models.PositiveIntegerField(default=1_000_000)
    salt = models.CharField(max_length=64)
    traffic_salt = models.CharField(max_length=64)
    enrolment_from = models.DateTimeField(null=True)
    enrolment_until = models.DateTimeField(null=True)
    horizon_days = models.FloatField(default=0.0)
    origin = models.CharField(max_length=6, choices=Origin.choices, default=Origin.LIVE)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    # what it started from: the signed agreement, or the specification it was loaded with
    plan = CanonicalJSONField(null=True)
    plan_sha256 = models.CharField(max_length=64, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="experiment_once_a_key"),
            models.UniqueConstraint(
                fields=["workspace", "layer"],
                condition=Q(status__in=["running", "paused"]),
                name="experiment_one_running_a_layer",
            ),
            models.UniqueConstraint(fields=["workspace", "salt"], name="experiment_own_salt"),
            models.UniqueConstraint(fields=["workspace", "traffic_salt"], name="experiment_own_traffic_salt"),
            models.CheckConstraint(condition=~Q(salt=models.F("traffic_salt")), name="experiment_salts_differ"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="experiment_status_is_known"),
            models.CheckConstraint(
                condition=Q(traffic_ppm__range=(1, 1_000_000)), name="experiment_traffic_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "agreed"]) | ~Q(plan_sha256=""),
                name="experiment_starts_from_a_plan",
            ),
            models.CheckConstraint(
                condition=Q(origin="loaded") | Q(decision_point__isnull=False), name="experiment_live_at_a_point"
            ),
            models.CheckConstraint(
                condition=Q(randomizes="cluster-period", period_days__isnull=False, period_days__gt=0)
                | (~Q(randomizes="cluster-period") & Q(period_days__isnull=True)),
                name="experiment_periods_have_a_length",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.origin == self.Origin.LIVE

    @property
    def in_blocks(self) -> bool:
        return self.method == self.Method.BLOCKS

    @property
    def in_clusters(self) -> bool:
        """Whether the units of a cluster share one draw."""
        return self.randomizes in (self.Key.CLUSTER, self.Key.CLUSTER_PERIOD)

    def period(self, at: datetime) -> int:
        """Number of the cluster's period at a time, from 1."""
        assert self.started_at is not None
        assert self.period_days is not None
        return max(1, (at - self.started_at) // timedelta(days=self.period_days) + 1)


class Arm(Owned):
    """One branch of an experiment, an action or a policy; exactly one is the baseline."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="arms")
    key = models.CharField(max_length=200)
    place = models.PositiveSmallIntegerField()
    action = models.ForeignKey(Action, on_delete=models.PROTECT, null=True, related_name="+")
    # the version that it stays with, whatever is declared later
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, null=True, related_name="+")
    weight = models.PositiveIntegerField(default=1)
    is_baseline = models.BooleanField(default=False)

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "key"], name="arm_once_a_key"),
            models.UniqueConstraint(fields=["experiment", "place"], name="arm_once_a_place"),
            models.CheckConstraint(
                condition=Q(action__isnull=True) | Q(policy__isnull=True), name="arm_action_or_policy"
            ),
            models.UniqueConstraint(
                fields=["experiment"], condition=Q(is_baseline=True), name="arm_one_baseline_an_experiment"
            ),
        ]

    def __str__(self) -> str:
        return self.action.name if self.action else self.key


class Phase(Owned):
    """A stretch of time with one set of weights and one share of the traffic."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="phases")
    number = models.PositiveSmallIntegerField()
    weights = CanonicalJSONField()
    traffic_ppm = models.PositiveIntegerField()
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["experiment", "number"], name="phase_once_a_number")]
