"""What was agreed before: metrics, assumptions, and the signed business case of an experiment."""

from django.db import models
from django.db.models import Q

from experiments.models import Experiment
from workspaces.canonical import CanonicalJSONField
from workspaces.models import Person
from workspaces.models.people import SignsFor
from workspaces.scoping import Owned, Versioned


class Metric(Versioned):
    """A function from the events in an analysis row's window to one number."""

    class Kind(models.TextChoices):
        PROPORTION = "proportion"
        MEAN = "mean"
        RATIO = "ratio"
        NET_VALUE = "net value"

    class Direction(models.TextChoices):
        INCREASE = "increase"
        DECREASE = "decrease"

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.INCREASE)
    unit = models.CharField(max_length=40, blank=True)
    # terms: one, for a ratio numerator and denominator, for net value any number
    definition = CanonicalJSONField()
    # events from before the first decision: outcome, aggregate, days
    covariates = CanonicalJSONField(default=list)

    class Meta(Versioned.Meta):
        constraints = [
            *Versioned.Meta.constraints,
            models.CheckConstraint(
                condition=Q(kind__in=["proportion", "mean", "ratio", "net value"]), name="metric_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=["increase", "decrease"]), name="metric_direction_is_known"
            ),
        ]


class Assumption(Versioned):
    """A number that isn't measured here, with its range and who answers for it."""

    class Status(models.TextChoices):
        MEASURED = "measured"
        AGREED = "agreed"
        GUESS = "guess"

    name = models.CharField(max_length=200)
    low = models.FloatField()
    base = models.FloatField()
    high = models.FloatField()
    unit = models.CharField(max_length=40)
    owner = models.CharField(max_length=200)
    source = models.TextField(blank=True)
    status = models.CharField(max_length=8, choices=Status.choices)
    valid_from = models.DateTimeField(null=True)
    # months, kept, rate: money that arrives as a monthly margin which fades; none: with the outcome
    cash = CanonicalJSONField(null=True)

    class Meta(Versioned.Meta):
        constraints = [
            *Versioned.Meta.constraints,
            models.CheckConstraint(
                condition=Q(low__lte=models.F("base")) & Q(base__lte=models.F("high")),
                name="assumption_low_base_high_ascend",
            ),
        ]


class Agreement(Owned):
    """The business case and analysis plan that an experiment starts from; its content never changes."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="agreements")
    version = models.PositiveIntegerField(default=1)
    content = CanonicalJSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "version"], name="agreement_once_a_version")]
        ordering = ["experiment_id", "version"]


class Signature(Owned):
    """One person's name under an agreement, for business, finance or data science."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="signatures")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    signs_for = models.CharField(max_length=12, choices=SignsFor.choices)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "signs_for"], name="signature_one_for_each"),
            models.UniqueConstraint(fields=["agreement", "person"], name="signature_of_different_people"),
            models.CheckConstraint(condition=Q(signs_for__in=SignsFor.values), name="signature_for_is_known"),
        ]
