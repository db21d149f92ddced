"""The plan of an analysis: everything that was agreed before, resolved to numbers, so that nothing can drift."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

# key of the family of value and cost, which decides where there is money
MONEY = "net value"

Role = Literal["primary", "driver", "secondary", "guardrail"]
Direction = Literal["increase", "decrease"]
MetricKind = Literal["proportion", "mean", "ratio"]
Looks = Literal["fixed", "group_sequential", "always_valid"]


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From the events in a row's window to one number.

    ``any`` is 1 where an event with a value other than 0 occurred, ``none`` where none did. ``default`` counts
    where no event did and the feed is complete; without one the row is censored; ``none`` needs no default.
    ``times`` turns the number into money. ``cap`` is the quantile of all rows' numbers above which none counts.
    """

    outcome: str
    aggregate: Literal["any", "none", "sum", "count", "last"] = "sum"
    default: float | None = 0.0
    times: float = 1.0
    window_days: float | None = None
    assumption: str | None = None
    cap: float | None = None


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """A covariate: what had happened to a unit in so many days before its first decision."""

    outcome: str
    aggregate: Literal["any", "sum", "count"]
    days: float

    @property
    def key(self) -> str:
        return f"{self.outcome}, {self.aggregate}, {self.days:g} days before"


class PlannedMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric with its role; ``per`` is the denominator of a ratio."""

    key: str
    name: str
    kind: MetricKind
    role: Role
    direction: Direction
    unit: str
    term: Term
    per: Term | None = None
    margin: float | None = None


class PlannedArm(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    name: str
    is_baseline: bool
    weight: float | None
    planned_cost: float
    # what of it is paid only to those who take the action up
    contingent: float = 0.0
    # key and version of the policy that the arm is, and its kind
    policy: str = ""
    kind: str = ""

    @property
    def is_policy(self) -> bool:
        """Whether what it does depends on the prediction, or on chance."""
        return self.kind not in ("", "fixed")


class Net(msgspec.Struct, frozen=True, kw_only=True):
    """Money per analysis row: value from the metric's terms, cost from the cost events."""

    value: list[Term]
    metric: str = ""


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """A number of the business case, from an assumption where one is named."""

    base: float
    assumption: str | None = None


class PlannedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A registered policy whose worth is told on the experiment's rows."""

    key: str
    version: int
    role: str


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What a year of using the result is counted with.

    ``spread`` is of true effects per row, by which what was chosen for doing best is booked shrunk; ``deploys`` is
    the policy that would be used, or none for the arm that does best; ``todays_rule`` the policy used until now.
    ``reissue_above`` is the money by which closed periods may change before a signed report is made anew.
    """

    cases_per_year: Quantity
    build: Quantity
    running_per_year: Quantity
    discount_rate: Quantity
    adoption: Quantity
    years: int
    holdout: float = 0.0
    spread: float | None = None
    expires_months: int = 12
    reissue_above: float = 0.0
    deploys: str | None = None
    todays_rule: str | None = None


class BreakEven(msgspec.Struct, frozen=True, kw_only=True):
    """The metric that the action is meant to move, and what one unit of it is worth."""

    metric: str
    times: float


class StopOrWait(msgspec.Struct, frozen=True, kw_only=True):
    """Which arm stops a machine at once and which waits for the window, and the metric of failures.

    ``now`` and ``window`` are what they were planned to cost; ``loss`` is what a failure costs instead of the window.
    """

    stop: str
    wait: str
    failures: str
    now: float
    window: float
    loss: float


class PlannedClusters(msgspec.Struct, frozen=True, kw_only=True):
    """What is randomized whole: mean rows of a cluster, how alike they are, how much sizes vary, what that costs.

    The rows needed are ``design_effect`` times those of units that are drawn one by one.
    """

    size: float
    icc: float
    cv: float
    design_effect: float


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The business case in words and numbers, as signed."""

    hypothesis: str = ""
    decision: str = ""
    owner: str = ""
    rows_per_arm: int | None = None
    expected_baseline: float | None = None
    expected_effect: float | None = None
    expected_explained: float | None = None
    clusters: PlannedClusters | None = None
    expected_net: dict[str, float] = {}
    rows_needed: dict[str, float] = {}
    detectable_effect: float | None = None
    loss_cap: float | None = None
    if_wins: str = ""
    if_unclear: str = ""
    if_loses: str = ""
    assumptions: list[dict[str, Any]] = []


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared, by which numbers and rules.

    ``looks_at`` are the shares of the planned rows at which looks were planned, the last one 1.
    ``bands`` are the score bands' labels from the lowest; ``propensities_known`` is false where nobody said with
    what probabilities a finished experiment assigned; ``source_sha256`` is of the file that was loaded,
    ``specification_sha256`` of what it was loaded by.
    """

    experiment: str
    name: str
    origin: Literal["live", "loaded"]
    unit_type: str
    currency: str
    horizon_days: float
    arms: list[PlannedArm]
    metrics: list[PlannedMetric]
    net: Net | None = None
    break_even: BreakEven | None = None
    deployment: Deployment | None = None
    stop_or_wait: StopOrWait | None = None
    policies: list[PlannedPolicy] = []
    comparisons: Literal["baseline", "all"] = "baseline"
    alpha: float = 0.05
    power: float = 0.8
    looks: Looks = "fixed"
    looks_at: list[float] = []
    target_roi: float = 0.0
    smallest_effect: float = 0.0
    covariates: list[str] = []
    earlier: list[Earlier] = []
    segments: list[str] = []
    agreed_segments: list[str] = []
    bands: list[str] = []
    clustered: bool = False
    propensities_known: bool = True
    episodes: bool = False
    source_sha256: str = ""
    specification_sha256: str = ""
    case: Case = Case()

    @property
    def baseline(self) -> PlannedArm:
        return next(arm for arm in self.arms if arm.is_baseline)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(arm, baseline) of every comparison."""
        others = [arm.key for arm in self.arms if not arm.is_baseline]
        pairs = [(arm, self.baseline.key) for arm in others]
        if self.comparisons == "all":
            pairs += [(left, right) for place, left in enumerate(others) for right in others[place + 1 :]]
        return pairs

    @property
    def assumed(self) -> dict[str, str]:
        """Assumption -> the column that is proportional to it: the value, or the part of it that it is in."""
        terms = self.net.value if self.net else []
        named = dict.fromkeys(term.assumption for term in terms if term.assumption and term.times)
        alone = len(named) == 1 and all(term.assumption for term in terms)
        return {key: "value" if alone else f"assumed {key}" for key in named if key}

    @property
    def primary(self) -> PlannedMetric | None:
        """The primary metric where there is no money to decide by."""
        return next((metric for metric in self.metrics if metric.role == "primary"), None)


def to_content(plan: Plan) -> Any:
    """Return the plan as JSON values, for storing and signing."""
    return msgspec.to_builtins(plan)


def from_content(content: Any) -> Plan:
    return msgspec.convert(content, Plan)
