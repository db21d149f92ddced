"""What the model said: models, their versions, and every prediction with its feature snapshot."""

from django.db import models
from django.db.models import Q

from workspaces.canonical import CanonicalJSONField
from workspaces.facts import Fact, declared
from workspaces.identifiers import valid_key
from workspaces.scoping import Owned

LARGEST_SCORE = 1e300


class Task(models.TextChoices):
    PROBABILITY = "probability"
    REGRESSION = "regression"


class PredictionModel(Owned):
    key = models.CharField(max_length=64, validators=[valid_key])
    name = models.CharField(max_length=200)
    task = models.CharField(max_length=12, choices=Task.choices)
    target = models.CharField(max_length=200)
    horizon_days = models.FloatField()
    unit_type = models.CharField(max_length=64)
    owner = models.CharField(max_length=200, blank=True)
    monthly_cost = models.FloatField(null=True)
    registry_url = models.CharField(max_length=500, blank=True)
    # name -> number, text or boolean: what eligibility rules may speak of
    features = CanonicalJSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="prediction_model_once_a_key"),
            models.CheckConstraint(condition=Q(task__in=Task.values), name="prediction_model_task_is_known"),
            models.CheckConstraint(condition=Q(horizon_days__gt=0), name="prediction_model_looks_ahead"),
            models.CheckConstraint(
                condition=Q(monthly_cost=None) | Q(monthly_cost__gte=0, monthly_cost__lt=1e15),
                name="prediction_model_cost_is_an_amount",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Stage(models.TextChoices):
    SHADOW = "shadow"
    CANDIDATE = "candidate"
    LIVE = "live"
    RETIRED = "retired"


class ModelVersion(Owned):
    model = models.ForeignKey(PredictionModel, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=64)
    trained_at = models.DateTimeField(null=True)
    training_window = models.CharField(max_length=200, blank=True)
    offline_metrics = CanonicalJSONField(default=dict)
    stage = models.CharField(max_length=9, choices=Stage.choices, default=Stage.LIVE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "version"], name="model_version_once"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="model_version_stage_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.model.key} {self.version}"


class Prediction(Fact):
    version = declared(ModelVersion, related_name="predictions")
    unit_id = models.CharField(max_length=200)
    score = models.FloatField()
    predicted_at = models.DateTimeField()
    features = CanonicalJSONField(default=dict)
    features_sha256 = models.CharField(max_length=64)

    class Meta(Fact.Meta):
        constraints = [
            *Fact.Meta.constraints,
            models.CheckConstraint(
                condition=Q(score__gt=-LARGEST_SCORE, score__lt=LARGEST_SCORE), name="prediction_score_is_a_number"
            ),
        ]
        indexes = [
            models.Index(fields=["version", "predicted_at"], name="prediction_of_a_version"),
        ]


class ScoreReference(Owned):
    """What a version's scores and features were like at first: what every later day is compared with."""

    version = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, related_name="reference")
    # days of the workspace's time zone, the last one not included
    since = models.DateField()
    until = models.DateField()
    rows = models.PositiveIntegerField()
    # {"bins": {"edges"} or {"labels"}, "counts"}
    score = CanonicalJSONField()
    features = CanonicalJSONField()


class ScoreDay(Owned):
    """A version's predictions of one day; ``psi`` and ``features`` only after the reference."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="days")
    on = models.DateField()
    rows = models.PositiveIntegerField()
    # 5, 25, 50, 75 and 95 %
    quantiles = CanonicalJSONField()
    psi = models.FloatField(null=True)
    # what the index exceeds on one day in a hundred although nothing has moved
    by_chance = models.FloatField(null=True)
    # name -> {"psi", "by_chance"}
    features = CanonicalJSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "on"], name="score_day_once")]
