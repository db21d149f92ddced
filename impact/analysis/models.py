"""Frozen rows, what was computed from them, and what may be said: written once, never changed."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from experiments.models import Experiment
from predictions.models import ModelVersion
from workspaces.canonical import CanonicalJSONField
from workspaces.models import Person
from workspaces.scoping import Owned, WithinQuerySet


class Snapshot(Owned):
    """The decisions and events of an experiment up to a cut-off, as Parquet files with their digests."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="snapshots")
    as_of = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    manifest = CanonicalJSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "sha256"], name="snapshot_once")]


class Chunk(Owned):
    """Settled rows of one table of an experiment, with ids between two, in a file that every later snapshot shares."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="+")
    table = models.CharField(max_length=12)
    after = models.UUIDField()
    until = models.UUIDField()
    name = models.CharField(max_length=200, blank=True)
    rows = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    # what its rows add to the content of a snapshot
    content = models.CharField(max_length=24)
    # when the last of them was known, in microseconds
    newest = models.BigIntegerField()
    # pseudonyms of keys with what finds them here: their draws may be made again
    sample = CanonicalJSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "table", "after"], name="chunk_once_a_start")]


class Analysis(Owned):
    """One results document. Its id follows from snapshot, plan, code version and seed, so it is the same everywhere."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="analyses")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="analyses")
    plan_sha256 = models.CharField(max_length=64)
    code_version = models.CharField(max_length=40)
    seed = models.BigIntegerField()
    as_of = models.DateTimeField()
    # enrolment over and every window closed: a later one would say the same
    final = models.BooleanField()
    mature = models.PositiveIntegerField()
    assigned = models.PositiveIntegerField()
    document = CanonicalJSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "plan_sha256", "code_version", "seed"], name="analysis_once")
        ]
        indexes = [models.Index(fields=["experiment", "-as_of", "-created_at"], name="analysis_newest")]


class Level(models.TextChoices):
    PROVEN = "proven"
    LIKELY = "likely"
    UNCLEAR = "unclear"
    HARMFUL = "harmful"
    TOO_EARLY = "too_early"
    WITHHELD = "withheld"


class Part(Owned):
    """A piece of a document, kept beside it to be found by; the document is the truth."""

    analysis = models.ForeignKey(Analysis, on_delete=models.PROTECT, related_name="%(class)ss")

    class Meta:
        abstract = True


class Estimate(Part):
    metric = models.CharField(max_length=200)
    arm = models.CharField(max_length=200)
    baseline = models.CharField(max_length=200)
    # rows of the arm, which the effect times them is the total of
    rows = models.PositiveIntegerField()
    effect = models.FloatField(null=True)
    se = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    p_value = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["analysis", "metric", "arm", "baseline"], name="estimate_once"),
        ]


class Check(Part):
    check_id = models.CharField(max_length=60)
    severity = models.CharField(max_length=5)
    passed = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["analysis", "check_id"], name="check_once"),
            models.CheckConstraint(condition=Q(severity__in=["block", "warn", "info"]), name="check_severity_is_known"),
        ]


class Verdict(Part):
    """What may be said of one arm; the overall one has no arm of its own to stand for."""

    arm = models.CharField(max_length=200, blank=True)
    overall = models.BooleanField(default=False)
    level = models.CharField(max_length=9, choices=Level.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["analysis"], condition=Q(overall=True), name="verdict_one_overall"),
            models.UniqueConstraint(fields=["analysis", "arm"], condition=Q(overall=False), name="verdict_one_an_arm"),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="verdict_level_is_known"),
        ]


class WaiverQuerySet(WithinQuerySet):
    def standing(self) -> Self:
        """Those that nobody has withdrawn."""
        return self.filter(withdrawn_at=None)


class Waiver(Owned):
    """A blocking check that failed and that a named person lets pass, with a reason, until somebody withdraws that.

    What was analysed meanwhile says so.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="waivers")
    check_id = models.CharField(max_length=60)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    waived_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_because = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = WaiverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "check_id"], condition=Q(withdrawn_at=None), name="waiver_one_standing_a_check"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawn_because="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawn_because="")),
                name="waiver_withdrawn_by_name_and_reason",
            ),
            models.CheckConstraint(condition=~Q(check_id="sample_ratio"), name="waiver_never_of_the_sample_ratio"),
        ]


class Calibration(Part):
    """How right a model's version was about units that were left alone, by the experiment of the analysis."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="calibrations")
    as_of = models.DateTimeField()
    rows = models.PositiveIntegerField()
    # measured, or refused with its reason
    content = CanonicalJSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["analysis", "version"], name="calibration_once_a_version")]
        indexes = [models.Index(fields=["version", "-as_of"], name="calibration_newest")]


class HoldoutEffect(Owned):
    """What the global holdout of a population measured by a time, from the rows of a time on; or why nothing."""

    population = models.CharField(max_length=64)
    since = models.DateTimeField()
    as_of = models.DateTimeField()
    code_version = models.CharField(max_length=40)
    content = CanonicalJSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "population", "as_of", "since", "code_version"], name="holdout_effect_once"
            )
        ]
