"""What happened and what it cost: append-only events, and how far each feed is complete."""

from django.db import models
from django.db.models import Q

from experiments.models import Decision
from impact.ledger.amounts import LARGEST
from workspaces.facts import Fact
from workspaces.scoping import Owned


class Rate(Owned):
    """What one unit of another currency was worth in a month; frozen once an amount was counted with it."""

    key = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    month = models.DateField()
    rate = models.FloatField()
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "currency", "month"], name="rate_once_a_month"),
            models.CheckConstraint(condition=Q(rate__gt=0, rate__lt=1e6), name="rate_is_a_number"),
        ]

    def __str__(self) -> str:
        return self.key


class Event(Fact):
    """Something about a unit at a time; a refund or a correction is a new row.

    An amount in another currency is kept in the workspace's; ``stated`` is what was sent, by ``rate``.
    """

    unit_id = models.CharField(max_length=200)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, related_name="+")
    occurred_at = models.DateTimeField()
    relates_to = models.CharField(max_length=200, blank=True)
    stated = models.FloatField(null=True)
    rate = models.ForeignKey(
        Rate, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta(Fact.Meta):
        abstract = True


class Outcome(Event):
    """One measured event of a unit."""

    type = models.CharField(max_length=200)
    value = models.FloatField()
    currency = models.CharField(max_length=3, blank=True)

    class Meta(Event.Meta):
        abstract = False
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                condition=Q(value__gt=-LARGEST, value__lt=LARGEST), name="outcome_value_is_a_number"
            ),
        ]
        indexes = [models.Index(fields=["unit_id", "occurred_at", "workspace"], name="outcome_of_a_unit")]


class Cost(Event):
    """One money event spent on a unit or a decision."""

    category = models.CharField(max_length=200)
    amount = models.FloatField()
    currency = models.CharField(max_length=3)
    estimated = models.BooleanField(default=False)

    class Meta(Event.Meta):
        abstract = False
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                condition=Q(amount__gt=-LARGEST, amount__lt=LARGEST), name="cost_amount_is_a_number"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="cost_has_a_currency"),
        ]
        indexes = [models.Index(fields=["unit_id", "occurred_at", "workspace"], name="cost_of_a_unit")]


# sources of experiments that were loaded whole: nothing more comes from them
LOADED = "load:"


class Feed(Owned):
    """One source of one type of event, and until when it is known to have sent everything."""

    source = models.CharField(max_length=200)
    type = models.CharField(max_length=200)
    complete_until = models.DateTimeField()
    heard_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "source", "type"], name="feed_once")]
