"""What is declared before anything is decided: actions, decision points, policies, holdouts."""

from django.db import models
from django.db.models import Q

from experiments.policies import AMOUNT
from predictions.models import PredictionModel
from workspaces.canonical import CanonicalJSONField
from workspaces.scoping import Owned, Versioned


class Action(Versioned):
    """Something the business can do, doing nothing included."""

    name = models.CharField(max_length=200)
    no_action = models.BooleanField(default=False)
    channel = models.CharField(max_length=64, blank=True)
    parameters = CanonicalJSONField(default=dict)
    fixed_cost = models.FloatField(default=0.0)
    contingent_cost = models.FloatField(default=0.0)
    acceptance_share = models.FloatField(default=0.0)
    safety_class = models.CharField(max_length=64, blank=True)
    reversible = models.BooleanField(default=True)
    lead_time_hours = models.FloatField(default=0.0)
    # {"count": n, "per": "day", "week" or "month"}: so often and no more
    capacity = CanonicalJSONField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            *Versioned.Meta.constraints,
            models.CheckConstraint(
                condition=Q(fixed_cost__gte=0, fixed_cost__lt=AMOUNT)
                & Q(contingent_cost__gte=0, contingent_cost__lt=AMOUNT),
                name="action_costs_are_amounts",
            ),
            models.CheckConstraint(condition=Q(acceptance_share__range=(0, 1)), name="action_acceptance_is_a_share"),
        ]

    @property
    def planned_cost(self) -> float:
        """What one execution is expected to cost."""
        return self.fixed_cost + self.acceptance_share * self.contingent_cost


class DecisionPoint(Versioned):
    """The place where a prediction turns into a choice."""

    class Scope(models.TextChoices):
        UNIT = "unit"
        CLUSTER = "cluster"

    model = models.ForeignKey(PredictionModel, on_delete=models.PROTECT, related_name="+")
    cluster = models.CharField(max_length=64, blank=True)
    candidates = CanonicalJSONField()
    baseline = models.CharField(max_length=64)
    eligibility = CanonicalJSONField(default=list)
    cool_down_days = models.FloatField(default=0.0)
    cool_down_of = models.CharField(max_length=7, choices=Scope.choices, default=Scope.UNIT)
    horizon_days = models.FloatField()
    # {"above": score, "action": key}: always act, never randomize
    safety = CanonicalJSONField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            *Versioned.Meta.constraints,
            models.CheckConstraint(
                condition=Q(horizon_days__gt=0, cool_down_days__gte=0), name="decision_point_days_are_positive"
            ),
        ]


class Policy(Versioned):
    """A version of a rule from a prediction to a probability for each eligible action."""

    class Role(models.TextChoices):
        CHAMPION = "champion"
        CHALLENGER = "challenger"
        BENCHMARK = "benchmark"
        SHADOW = "shadow"

    decision_point = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)
    content = CanonicalJSONField(default=dict)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.SHADOW)
    salt = models.CharField(max_length=64)

    class Meta(Versioned.Meta):
        constraints = [
            *Versioned.Meta.constraints,
            models.UniqueConstraint(
                fields=["workspace", "decision_point"],
                condition=Q(role="champion", is_current=True),
                name="policy_one_champion",
            ),
            models.UniqueConstraint(fields=["workspace", "salt"], name="policy_own_salt"),
        ]


class Holdout(Owned):
    """A share of the units that stays on the baseline, drawn before every experiment."""

    key = models.CharField(max_length=64)
    unit_type = models.CharField(max_length=64)
    share_ppm = models.PositiveIntegerField()
    salt = models.CharField(max_length=64)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="holdout_once_a_key"),
            models.UniqueConstraint(fields=["workspace", "salt"], name="holdout_own_salt"),
            models.CheckConstraint(condition=Q(share_ppm__range=(1, 500_000)), name="holdout_share_is_up_to_half"),
        ]
