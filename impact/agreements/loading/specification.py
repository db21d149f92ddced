"""The specification of a finished experiment: which column is what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import yaml
from babel import Locale

from experiments.models import Experiment
from impact.agreements.plan import MONEY
from impact.ledger.models import LARGEST, Outcome
from workspaces.errors import Refusal
from workspaces.identifiers import check_key
from workspaces.strict import Id, unstorable

ROLES = ("primary", "driver", "secondary", "guardrail")
LONGEST_NAME = Experiment._meta.get_field("name").max_length
LONGEST_TYPE = Outcome._meta.get_field("type").max_length or 0


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    column: str


class UnitSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    column: str | None = None
    generate: bool = False


class ArmSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    column: str
    baseline: str


class MetricSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: Id
    column: str
    kind: Literal["proportion", "mean"]
    role: Literal["primary", "driver", "secondary", "guardrail"] | None = None
    direction: Literal["increase", "decrease"] = "increase"
    unit: str = ""


class ValueSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    column: str
    multiply: float = 1.0


class Specification(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every key there is; only experiment, unit, arm and one of metrics or value are required."""

    experiment: str
    unit: UnitSpec
    arm: ArmSpec
    name: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] = ""
    metrics: list[MetricSpec] = []
    value: ValueSpec | None = None
    cost: dict[str, float | str] | None = None
    covariates: list[str] = []
    strata: list[str] = []
    phase: str | None = None
    segments: list[str] = []
    weights: dict[str, float] | None = None
    propensity: Column | None = None
    cluster: Column | None = None
    comparisons: Literal["baseline", "all"] = "baseline"
    missing: Literal["refuse", "zero", "censored"] = "refuse"
    currency: str | None = None
    alpha: float = 0.05
    target_roi: float = 0.0

    @property
    def money(self) -> bool:
        """Whether net value decides."""
        return self.value is not None or self.cost is not None

    @property
    def cost_column(self) -> str | None:
        """Column of the cost per row, where it isn't one amount per arm."""
        column = (self.cost or {}).get("column")
        return column if isinstance(column, str) else None

    @property
    def cost_by_arm(self) -> dict[str, float] | None:
        """Amount per arm, where the cost isn't a column."""
        if self.cost is None or self.cost_column:
            return None
        return {arm: float(amount) for arm, amount in self.cost.items()}

    @property
    def numbers(self) -> list[str]:
        """Columns whose numbers become outcomes."""
        named = [self.value.column] if self.value else []
        return list(dict.fromkeys(named + [metric.column for metric in self.metrics]))

    def outcome_type(self, column: str) -> str:
        """Type of the outcomes of a column; the experiment's key keeps them apart from everybody else's."""
        return f"{self.experiment}/{column}"

    def columns(self) -> dict[str, str]:
        """Every column that is named -> where."""
        named = {"arm": self.arm.column, "phase": self.phase, "unit": self.unit.column}
        for name in ("value", "propensity", "cluster"):
            one = getattr(self, name)
            named[name] = one.column if one else None
        named["cost"] = self.cost_column
        named |= {f"metrics[{place}]": metric.column for place, metric in enumerate(self.metrics)}
        for name in ("covariates", "strata", "segments"):
            named |= {f"{name}[{place}]": column for place, column in enumerate(getattr(self, name))}
        columns: dict[str, str] = {}
        for where, column in named.items():
            if column is not None:
                columns.setdefault(column, where)
        return columns


def read_specification(path: Path) -> Specification:
    """Read and check a specification, or say file, key and remedy."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise Refusal("bad-specification", f"{path}: {error.strerror}; check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refusal("bad-specification", f"{path} is not YAML in UTF-8: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise Refusal("bad-specification", f"{path}: write 'experiment: key' and the other keys, one a line")
    try:
        spec = msgspec.convert(_texts(document), Specification)
    except msgspec.ValidationError as error:
        raise Refusal("bad-specification", f"{path}: {_with_remedy(str(error))}") from error
    _check(path, spec)
    return spec


def _with_remedy(problem: str) -> str:
    """A problem, and what to write instead where it doesn't say so itself."""
    if problem.startswith("Expected `str"):
        return f"{problem}; put it into quotes"
    name = problem.rpartition(".")[2].rstrip("`")
    for spec in (MetricSpec, Specification):
        allowed = [text for text in _choices(get_type_hints(spec).get(name)) if isinstance(text, str)]
        if problem.startswith("Invalid enum value") and allowed:
            return f"{problem}; write {' or '.join(allowed)}"
    return problem


def _choices(hint: Any) -> list[Any]:
    """The texts that a type allows, also where it may be missing."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [choice for inner in get_args(hint) for choice in _choices(inner)]


def _texts(document: dict[Any, Any]) -> dict[str, Any]:
    """YAML reads an arm 0 as a number and No as false; arms and columns are texts."""
    document = dict(document)
    for name in ("weights", "cost"):
        if isinstance(document.get(name), dict):
            document[name] = {_text(key): value for key, value in document[name].items()}
    if isinstance(document.get("arm"), dict):
        document["arm"] = {key: _text(value) for key, value in document["arm"].items()}
    if isinstance(document.get("unit"), str):
        document["unit"] = {"column": document["unit"]}
    return document


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value) if isinstance(value, int | float) else value


def _check(path: Path, spec: Specification) -> None:
    def refuse(key: str, problem: str) -> None:
        raise Refusal("bad-specification", f"{path}: {key}: {problem}")

    try:
        check_key(spec.experiment)
    except ValueError as error:
        refuse("experiment", str(error))
    if (spec.unit.column is None) == (not spec.unit.generate):
        refuse("unit", "write {column: NAME}, or {generate: true} when the file has no id")
    if not spec.metrics and spec.value is None:
        refuse("metrics", "give metrics, or value, or both: there is nothing to compare")
    if not 0 < spec.alpha < 0.5:
        refuse("alpha", f"alpha == {spec.alpha}, must be in (0, 0.5)")
    keys = [metric.key for metric in spec.metrics]
    if len(set(keys)) < len(keys):
        refuse("metrics", f"two metrics have one key, keys are {', '.join(keys)}")
    if MONEY in keys:
        refuse("metrics", f"{MONEY!r} is the key of value minus cost; choose another")
    for column in spec.numbers:
        if len(spec.outcome_type(column)) > LONGEST_TYPE:
            refuse("metrics", f"the column {column[:40]!r}... has a name of {len(column)} characters; shorten it")
    if spec.currency is not None and spec.currency not in Locale("en").currencies:
        refuse("currency", f"{spec.currency!r} is no ISO 4217 code like EUR")
    if spec.weights is not None and spec.propensity is not None:
        refuse("weights", "give weights or propensity, not both")
    texts = [arm for arm, amount in (spec.cost or {}).items() if isinstance(amount, str)]
    if texts and (texts != ["column"] or len(spec.cost or {}) > 1):
        refuse(f"cost.{texts[0]}", f"{(spec.cost or {})[texts[0]]!r} is no amount; write ARM: 0.10, or column: NAME")
    for name, amounts in (("weights", spec.weights), ("cost", spec.cost_by_arm)):
        for arm, amount in (amounts or {}).items():
            if not (amount > 0 if name == "weights" else amount >= 0):
                refuse(f"{name}.{arm}", f"{amount} must be {'above 0' if name == 'weights' else '0 or more'}")
            if amount >= LARGEST:
                refuse(f"{name}.{arm}", f"{amount} must be below {LARGEST:.0e}")
    for name, value in msgspec.to_builtins(spec).items():
        if problem := unstorable(value):
            refuse(name, f"it has {problem}")
