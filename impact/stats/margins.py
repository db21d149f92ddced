"""Which direction is better, and whether a guardrail stayed within its margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from impact.stats import ranges
from impact.stats.effects import Effect

Better = Literal["more", "less"]


@dataclass(frozen=True, slots=True)
class Reversed:
    """An effect seen from the other side: as an improvement where less is better."""

    effect: Effect

    @property
    def estimate(self) -> float:
        return -self.effect.estimate

    @property
    def se(self) -> float:
        return self.effect.se

    @property
    def method(self) -> str:
        return self.effect.method

    def interval(self, level: float) -> tuple[float, float]:
        low, high = self.effect.interval(level)
        return -high, -low

    def p_value(self, null: float = 0.0) -> float:
        return self.effect.p_value(-null)

    def chance_above(self, threshold: float = 0.0) -> float:
        return 1 - self.effect.chance_above(-threshold)


def improvement(effect: Effect, better: Better) -> Effect:
    """Count an effect so that above 0 is better.

    Parameters
    ----------
    effect : Effect
        Treatment minus baseline.
    better : str
        ``more`` or ``less``.

    Raises
    ------
    ValueError
        ``better`` is another word.
    """
    if better not in ("more", "less"):
        raise ValueError(f"better == {better!r}, must be 'more' or 'less'")
    return effect if better == "more" else Reversed(effect)


class NonInferiority(NamedTuple):
    """Whether a metric got no worse than its margin.

    Attributes
    ----------
    status : str
        ``kept``: every improvement in the interval is above -margin; ``broken``: none is; ``open``: some are.
    worst : float
        Lower end of the improvement's interval.
    p_value : float
        One-sided, against an improvement of -margin or less.
    """

    status: Literal["kept", "broken", "open"]
    worst: float
    p_value: float


def non_inferiority(effect: Effect, margin: float, better: Better, level: float) -> NonInferiority:
    """Compare an effect with the margin of its guardrail.

    Parameters
    ----------
    effect : Effect
        Treatment minus baseline.
    margin : float
        The worsening that is accepted, >= 0, in the metric's unit.
    better : str
        ``more`` or ``less``.
    level : float
        Confidence level of the two-sided interval, in (0, 1).

    References
    ----------
    Piaggio and others 2012, JAMA 308 (CONSORT for non-inferiority).
    """
    ranges.within("margin", margin, 0.0, float("inf"))
    gain = improvement(effect, better)
    low, high = gain.interval(ranges.share("level", level))
    p = gain.p_value(-margin) / 2
    return NonInferiority(
        status="kept" if low > -margin else "broken" if high < -margin else "open",
        worst=low,
        p_value=p if gain.estimate > -margin else 1 - p,
    )
