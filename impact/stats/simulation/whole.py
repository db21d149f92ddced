"""Whole experiments whose truth is known: how often the figure, the word and the alarms at the end were wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from impact.stats.sample_ratio import ALARM
from impact.stats.simulation import ALPHA, bars

START, END = "<!-- whole -->", "<!-- end of whole -->"


class World(NamedTuple):
    """What is true.

    Attributes
    ----------
    name : str
    effect : float
        On net value, per row of analysis; never below 0.
    """

    name: str
    effect: float


class Lived(NamedTuple):
    """What one experiment's analysis said in the end.

    Attributes
    ----------
    rejected : bool
        p of net value at or below alpha.
    covered : bool
        Its interval holds the true effect.
    word : str
        Of the overall verdict.
    blocked : frozenset of str
        Blocking checks that failed, though nothing was wrong.
    """

    rejected: bool
    covered: bool
    word: str
    blocked: frozenset[str]


class Told(NamedTuple):
    """What the experiments of one world came to.

    Attributes
    ----------
    runs, rejections, missed, alarms, withheld : int
        Experiments; ``missed`` those whose interval left out the truth, ``alarms`` those whose sample ratio fired.
    wrong : int
        Verdicts that say proven where there is no effect, or harmful where there is no harm.
    faults : tuple of str
        Figures outside their bars.
    """

    world: World
    runs: int
    rejections: int
    missed: int
    wrong: int
    alarms: int
    withheld: int
    faults: tuple[str, ...]


def tell(world: World, lived: Iterable[Lived]) -> Told:
    """Count, and hold the counts against bars that a sound product leaves in one simulation of a thousand.

    Parameters
    ----------
    world : World
    lived : iterable of Lived
        At least one.
    """
    found = list(lived)
    runs = len(found)
    # with an effect one side of alpha is no error
    false_words, by_chance = (("harmful",), ALPHA / 2) if world.effect else (("harmful", "proven"), ALPHA)
    rejections, missed = sum(one.rejected for one in found), sum(not one.covered for one in found)
    wrong = sum(one.word in false_words for one in found)
    alarms, withheld = sum("sample_ratio" in one.blocked for one in found), sum(bool(one.blocked) for one in found)
    judged = {
        "rejected": (rejections, bars(runs) if not world.effect else (0, runs)),
        "missed": (missed, bars(runs)),
        "wrong verdicts": (wrong, (0, bars(runs, by_chance)[1])),
        "sample ratio alarms": (alarms, (0, bars(runs, ALARM)[1])),
        # the logged propensities are tested too
        "withheld": (withheld, (0, bars(runs, 2 * ALARM)[1])),
    }
    outside = {name: one for name, one in judged.items() if not one[1][0] <= one[0] <= one[1][1]}
    faults = (f"{count} {name}, not {low} to {high}" for name, (count, (low, high)) in outside.items())
    return Told(world, runs, rejections, missed, wrong, alarms, withheld, tuple(faults))


def markdown(rows: Sequence[Told]) -> str:
    """Table for docs/statistics.md.

    Parameters
    ----------
    rows : sequence of Told
    """
    lines = [
        "| what the bonus does | effect | rejected | coverage | wrong verdicts | sample ratio alarms | withheld | |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        counts = f"{row.rejections} | {1 - row.missed / row.runs:.4f} | {row.wrong} | {row.alarms} | {row.withheld}"
        lines.append(f"| {row.world.name} | {row.world.effect:g} | {counts} | {'; '.join(row.faults) or 'holds'} |")
    return "\n".join(lines)
