"""From columns of the database to those of a snapshot: names become pseudonyms, times microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from experiments.models import Arm, Execution, Experiment
from impact.agreements.plan import Plan
from impact.analysis.extract import NUMBER, TEXT
from impact.analysis.pseudonyms import Pseudonyms
from impact.analysis.tables import columns

Columns = dict[str, Any]
# nothing came of it
UNDONE = (Execution.State.FAILED, Execution.State.EXPIRED)
_decode: Callable[[str], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode


class Shaper:
    """Shapes the tables of one experiment."""

    def __init__(self, experiment: Experiment, plan: Plan) -> None:
        self.plan, self.in_clusters, self.pk = plan, experiment.in_clusters, str(experiment.pk)
        self.names = Pseudonyms(experiment.workspace.pseudonym_key)
        arms = list(experiment.arms.select_related("action", "policy"))
        self.arm_of = {key: arm.key for arm in arms if (key := _single(arm))}
        self.acts = {arm.action.key: arm.key for arm in arms if arm.action}

    def shape(self, name: str, raw: pa.Table, firsts: pa.Table | None = None) -> pa.Table:
        """Return the table ``name`` of a snapshot, sorted by all its columns: no order of the database shows."""
        found = {
            "rows": lambda one: self._rows(one, firsts), "decisions": self._decisions, "executions": self._executions,
            "outcomes": self._event, "costs": self._event,
        }[name](raw)  # fmt: skip
        kinds = columns(name, self.plan)
        table = pa.table({column: _as(found[column], kind) for column, kind in kinds.items()})
        return table.sort_by([(column, "ascending") for column in kinds])

    def _rows(self, raw: pa.Table, firsts: pa.Table | None) -> Columns:
        planned = {arm.key: arm.planned_cost for arm in self.plan.arms}
        costs = _mapped(raw["arm"], planned, NUMBER)
        if firsts is not None:
            at = pc.index_in(raw["pk"], value_set=firsts["assignment"])
            first = firsts.take(at)
            given = pc.add(first["fixed"], pc.multiply(first["share"], first["contingent"]))
            by_policy = pc.is_in(raw["arm"], value_set=pa.array([a.key for a in self.plan.arms if a.is_policy], TEXT))
            costs = pc.if_else(by_policy, pc.coalesce(given, costs), costs)
        covariates, segments = (raw[name].to_pylist() if used else [] for name, used in (
            ("covariates", self.plan.covariates), ("segments", self.plan.segments),
        ))  # fmt: skip
        known, parts = [_decode(one) for one in covariates], [_decode(one) for one in segments]
        chosen = self._choices(first["would_have"], raw.num_rows) if firsts is not None else [{}] * raw.num_rows
        # errors are counted by what was randomized
        clusters = raw["key"] if self.in_clusters else pc.if_else(pc.equal(raw["cluster"], ""), None, raw["cluster"])
        return {
            "unit": self.names.column(raw["unit"]),
            "row": self._row(raw),
            "opened_at": raw["opened_at"],
            "matures_at": raw["matures_at"],
            "arm": raw["arm"],
            "stratum": raw["stratum"],
            "phase": raw["phase"],
            "cluster": pc.coalesce(self.names.column(clusters), ""),
            "propensity": raw["propensity"],
            "planned_cost": costs,
            "score": first["score"] if firsts is not None else pa.nulls(raw.num_rows, NUMBER),
            **{f"covariate {name}": [one.get(name) for one in known] for name in self.plan.covariates},
            **{f"segment {name}": [one.get(name, "") for one in parts] for name in self.plan.segments},
            **{f"policy {one.key}": [of.get(one.key, "") for of in chosen] for one in self.plan.policies},
        }

    def _row(self, raw: pa.Table) -> Any:
        """Name a row of analysis: the key that was drawn, and of a cluster's the unit."""
        if not self.in_clusters:
            return self.names.column(raw["key"])
        return self.names.column(pc.binary_join_element_wise(raw["key"], raw["unit"], "\x1f"))

    def _choices(self, would_have: pa.ChunkedArray, rows: int) -> list[dict[str, str]]:
        """The arm that each policy was sure of at the first decision; a policy that is an arm is that one."""
        if not self.plan.policies:
            return [{}] * rows
        of_policy = {arm.policy: arm.key for arm in self.plan.arms if arm.policy}
        logged = {f"{policy.key}@{policy.version}": policy.key for policy in self.plan.policies}
        are_arms = {key: of_policy[name] for name, key in logged.items() if name in of_policy}
        return [
            {} if one is None else are_arms | self._sure(_decode(one), logged, are_arms)
            for one in would_have.to_pylist()
        ]

    def _sure(
        self, would_have: Mapping[str, Mapping[str, float]], logged: Mapping[str, str], are_arms: Mapping[str, str]
    ) -> dict[str, str]:
        found = {}
        for name, probabilities in would_have.items():
            sure = [action for action, probability in probabilities.items() if probability == 1]
            if name in logged and logged[name] not in are_arms and sure and sure[0] in self.arm_of:
                found[logged[name]] = self.arm_of[sure[0]]
        return found

    def _decisions(self, raw: pa.Table) -> Columns:
        ours = pc.fill_null(pc.equal(raw["experiment"], self.pk), False)
        row = pc.if_else(ours, pc.coalesce(self._row(raw), ""), "")
        return self._event(raw) | {"row": row}

    def _executions(self, raw: pa.Table) -> Columns:
        overridden = pc.equal(raw["state"], Execution.State.OVERRIDDEN)
        otherwise = pc.and_(overridden, pc.fill_null(pc.not_equal(raw["instead"], raw["drawn"]), True))
        names = self.names.column(pc.binary_join_element_wise(raw["source"], raw["event"], "\x1f"))
        # the newest counts, and what was overridden once stays overridden
        at = pc.utf8_lpad(pc.cast(_micros(raw["at"]), TEXT), 17, "0")
        place = pc.binary_join_element_wise(pc.if_else(overridden, "1", "0"), at, names, "-")
        undone = pc.is_in(raw["state"], value_set=pa.array([str(one) for one in UNDONE], TEXT))
        instead = pc.coalesce(_mapped(raw["instead"], self.acts, TEXT), "")
        return {
            "row": self._row(raw),
            "place": place,
            "done": raw["state"],
            "did": pc.if_else(otherwise, instead, raw["arm"]),
            "otherwise": pc.or_(otherwise, undone),
        }

    def _event(self, raw: pa.Table) -> Columns:
        return {name: raw[name] for name in raw.column_names} | {"unit": self.names.column(raw["unit"])}


def _single(arm: Arm) -> str:
    """The action that an arm gives to everybody, if it is one."""
    if arm.policy:
        return str(arm.policy.content.get("action", ""))
    return arm.action.key if arm.action else ""


def _mapped(column: pa.ChunkedArray, to: Mapping[str, Any], kind: pa.DataType) -> Any:
    keys = pa.array(list(to), TEXT)
    return pa.array(list(to.values()), kind).take(pc.index_in(column, value_set=keys))


def _micros(times: Any) -> Any:
    return pc.cast(times, pa.int64())


def _as(column: Any, kind: pa.DataType) -> Any:
    return pa.array(column, kind) if isinstance(column, list) else pc.cast(column, kind)
