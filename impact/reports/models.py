"""Reports: when they are due, what was frozen, and who got them."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from experiments.models import Experiment
from workspaces.canonical import CanonicalJSONField
from workspaces.identifiers import valid_key
from workspaces.models import Job, Person
from workspaces.scoping import Owned


def distinct(addresses: list[str]) -> list[str]:
    """Each address once, as it was written first: no mail system tells them apart by their case."""
    return list({address.lower(): address for address in reversed(addresses)}.values())[::-1]


class ReportSchedule(Owned):
    """When a report about some experiments is due, in whose zone and language, and who gets it."""

    key = models.CharField(max_length=64, validators=[valid_key])
    name = models.CharField(max_length=200)
    audience = models.CharField(max_length=200, blank=True)
    experiments = CanonicalJSONField()
    # {"every": "day" | "week" | "month", "day": 1, "at": "07:00"}
    calendar = CanonicalJSONField()
    time_zone = models.CharField(max_length=64)
    language = models.CharField(max_length=2)
    recipients = CanonicalJSONField(default=list)
    next_run_at = models.DateTimeField()
    paused = models.BooleanField(default=False)

    @property
    def addresses(self) -> list[tuple[str, bool]]:
        """Each address once, and whether it still wants the mail."""
        gone = {one.address for one in self.unsubscriptions.all()}
        return [(address, address.lower() not in gone) for address in distinct(self.recipients)]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="report_schedule_once_a_key"),
            models.CheckConstraint(condition=Q(language__in=["en", "ja"]), name="report_schedule_language_is_known"),
        ]


class Report(Owned):
    """A numbered report; its content is frozen and says which analyses it stands on."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        REVIEWED = "reviewed"
        SIGNED = "signed"

    schedule = models.ForeignKey(ReportSchedule, on_delete=models.PROTECT, related_name="reports")
    number = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    content = CanonicalJSONField()
    sha256 = models.CharField(max_length=64)
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    reviewed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True)
    # changed what this one said of closed periods by more than is only told
    restated_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="report_once_a_number"),
            models.UniqueConstraint(fields=["schedule", "due_at"], name="report_once_when_due"),
            models.CheckConstraint(
                condition=Q(status="draft", reviewed_by=None, signed_by=None)
                | Q(status="reviewed", reviewed_by__isnull=False, signed_by=None)
                | Q(status="signed", reviewed_by__isnull=False, signed_by__isnull=False),
                name="report_status_has_its_names",
            ),
            models.CheckConstraint(
                condition=Q(signed_by=None) | ~Q(signed_by=F("reviewed_by")), name="report_signed_by_another"
            ),
        ]


class BenefitClaim(Owned):
    """What a year of using a result is booked at, from a signed report on, until it expires or is ended."""

    class Status(models.TextChoices):
        CLAIMED = "claimed"
        REPLACED = "replaced"
        WITHDRAWN = "withdrawn"

    class Rule(models.TextChoices):
        """What becomes of earlier claims on the same population, metric and time."""

        INSTEAD = "instead"
        BESIDE = "beside"

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="claims")
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="claims")
    # the decision point, or the experiment that was loaded
    scope = models.CharField(max_length=64)
    population = models.CharField(max_length=200)
    metric = models.CharField(max_length=200)
    # the arm or policy that is used, and what it is compared with
    option = models.CharField(max_length=200)
    against = models.CharField(max_length=200)
    # half-open
    from_on = models.DateField()
    until_on = models.DateField()
    currency = models.CharField(max_length=3)
    # a year, booked, before running cost; negative where it loses
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    low = models.DecimalField(max_digits=20, decimal_places=2)
    high = models.DecimalField(max_digits=20, decimal_places=2)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.CLAIMED)
    overlap_rule = models.CharField(max_length=7, choices=Rule.choices, blank=True, default="")
    overlap_reason = models.CharField(max_length=500, blank=True, default="")
    claimed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "experiment"], name="claim_once_a_report"),
            models.CheckConstraint(condition=Q(until_on__gte=F("from_on")), name="claim_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(low__lte=F("amount")) & Q(amount__lte=F("high")), name="claim_low_amount_high_ascend"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["claimed", "replaced", "withdrawn"]), name="claim_status_is_known"
            ),
        ]

    def state_on(self, day: date) -> str:
        """Its status, or that it has expired."""
        expired = self.status == self.Status.CLAIMED and day >= self.until_on
        return "expired" if expired else str(self.status)


class Delivery(Owned):
    """One report to one address; the message keeps its id however often it is tried."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"
        UNSUBSCRIBED = "unsubscribed"

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="deliveries")
    recipient = models.EmailField()
    message_id = models.CharField(max_length=200, unique=True)
    # the one that may send it
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    next_try_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "recipient"], name="delivery_once_a_recipient")]

    @property
    def given_up(self) -> bool:
        """Nobody tries it any more: it failed too often, or its worker died too often."""
        lost = self.job is not None and self.job.state == Job.State.FAILED
        return self.state == self.State.FAILED or (self.state == self.State.PENDING and lost)

    @property
    def reason(self) -> str:
        """Why it has not arrived."""
        return self.error or (self.job.error if self.job and self.given_up else "")


class Unsubscription(Owned):
    """An address, in small letters, that wants no more mail of a schedule."""

    schedule = models.ForeignKey(ReportSchedule, on_delete=models.PROTECT, related_name="unsubscriptions")
    address = models.EmailField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "address"], name="unsubscription_once_an_address")]
