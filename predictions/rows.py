"""Predictions as clients send them."""

from __future__ import annotations

from workspaces.strict import Id, Key, Row, Strict, Text, Time

Features = dict[str, float | bool | Text | None]


class Scored(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model version said of one unit, and from which features."""

    model: Key
    version: Id
    score: float
    predicted_at: Time
    features: Features = {}


class PredictionRow(Row, frozen=True, kw_only=True):
    """One prediction that is only logged."""

    model: Key
    version: Id
    unit_id: Id
    score: float
    predicted_at: Time
    features: Features = {}

    def scored(self) -> Scored:
        return Scored(
            model=self.model,
            version=self.version,
            score=self.score,
            predicted_at=self.predicted_at,
            features=self.features,
        )
