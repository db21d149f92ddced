"""Metrics, assumptions and agreements as people write them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from impact.agreements.plan import Looks
from workspaces.declarations import Declared
from workspaces.strict import Days, Id, Key, Text, Time

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]


class TermDeclared(Declared):
    """How events become a number; ``times`` is an amount or the key of an assumption.

    ``cap`` is the quantile of all rows' numbers, whatever their arm, above which none counts.
    """

    outcome: Id
    aggregate: Literal["any", "none", "sum", "count", "last"] = "sum"
    default: float | None = 0.0
    times: float | Key = 1.0
    negative: bool = False
    window_days: Days | None = None
    cap: Share | None = None


class EarlierDeclared(Declared):
    """What had happened to a unit in so many days before its first decision."""

    outcome: Id
    days: Annotated[float, msgspec.Meta(gt=0, le=3650)]
    aggregate: Literal["any", "sum", "count"] = "sum"


class MetricDeclared(Declared):
    """A metric: ``of`` is one term, of a ratio the one above, and ``per`` the one below; a net value has ``value``."""

    key: Key
    name: Text
    kind: Literal["proportion", "mean", "ratio", "net value"]
    direction: Literal["increase", "decrease"] = "increase"
    unit: Text = ""
    of: TermDeclared | None = None
    per: TermDeclared | None = None
    value: list[TermDeclared] | None = None
    covariates: list[EarlierDeclared] = []


class CashDeclared(Declared):
    """A value that arrives as a monthly margin, of which ``kept`` is left each month; ``rate`` discounts it."""

    months: Annotated[int, msgspec.Meta(ge=1, le=600)]
    kept: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0


class AssumptionDeclared(Declared):
    key: Key
    name: Text
    low: float
    base: float
    high: float
    unit: Text
    owner: Text
    status: Literal["measured", "agreed", "guess"]
    source: Text = ""
    valid_from: Time | None = None
    cash: CashDeclared | None = None


class ExpectedDeclared(Declared):
    """What the driver is without the action, and by how much the action should move it.

    ``explained`` is the share of the driver's variance that lies between the strata, which need no rows.
    """

    baseline: float
    effect: float
    explained: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0


class ClustersDeclared(Declared):
    """Mean rows of a cluster, the driver's correlation within it, and the coefficient of variation of the sizes."""

    size: Annotated[float, msgspec.Meta(ge=1)]
    icc: Annotated[float, msgspec.Meta(ge=0, le=1)]
    cv: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class DeploymentDeclared(Declared):
    """What a year of using the result is counted with; amounts or keys of assumptions."""

    cases_per_year: float | Key
    build: float | Key = 0.0
    running_per_year: float | Key = 0.0
    discount_rate: float | Key = 0.0
    adoption: float | Key = 1.0
    years: Annotated[int, msgspec.Meta(ge=1, le=30)] = 1
    holdout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    spread: Annotated[float, msgspec.Meta(gt=0)] | None = None
    expires_months: Annotated[int, msgspec.Meta(ge=1, le=120)] = 12
    reissue_above: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    deploys: Key | None = None
    todays_rule: Key | None = None


class GuardrailDeclared(Declared):
    metric: Key
    margin: float


class StopOrWaitDeclared(Declared):
    """Arms that stop at once and that wait for the window, and the metric of failures that the money is lost by."""

    stop: Key
    wait: Key
    failures: Key


class AgreementDeclared(Declared):
    """The business case of an experiment, to be signed by three people.

    ``looks`` are ``fixed``: once, at the end; ``group_sequential``: when so much of the rows has matured as
    ``looks_at`` says; or ``always_valid``: on any day.
    """

    experiment: Key
    hypothesis: Text
    decision: Text
    owner: Text
    primary: Key
    rows_per_arm: Annotated[int, msgspec.Meta(ge=2)]
    if_wins: Text
    if_unclear: Text
    if_loses: Text
    drivers: list[Key] = []
    secondary: list[Key] = []
    guardrails: list[GuardrailDeclared] = []
    expected: ExpectedDeclared | None = None
    clusters: ClustersDeclared | None = None
    smallest_effect: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    alpha: Annotated[float, msgspec.Meta(gt=0, lt=0.5)] = 0.05
    power: Share = 0.8
    looks: Looks = "fixed"
    looks_at: list[Annotated[float, msgspec.Meta(gt=0, le=1)]] | None = None
    target_roi: float = 0.0
    segments: list[Key] = []
    deployment: DeploymentDeclared | None = None
    loss_cap: Annotated[float, msgspec.Meta(gt=0)] | None = None
    stop_or_wait: StopOrWaitDeclared | None = None
