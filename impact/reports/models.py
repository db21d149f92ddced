"""Reports: when they are due, what was frozen, and who got them."""

from django.db import models
from django.db.models import Q

from workspaces.canonical import CanonicalJSONField
from workspaces.identifiers import valid_key
from workspaces.scoping import Owned


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
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="report_once_a_number"),
            models.UniqueConstraint(fields=["schedule", "due_at"], name="report_once_when_due"),
        ]


class Delivery(Owned):
    """One report to one address; the message keeps its id however often it is tried."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="deliveries")
    recipient = models.EmailField()
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.PENDING)
    error = models.TextField(blank=True, default="")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "recipient"], name="delivery_once_a_recipient")]
