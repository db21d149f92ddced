"""Drawing an arm from a salt and a key: by hash, or in permuted blocks. Frozen: nothing here may ever change.

The same salt, key and weights give the same arm for ever, in any language: see docs/api.md, which holds
the algorithm in words and vectors to check another implementation with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

VERSION = "impact-1"
MILLION = 1_000_000
FIRST_PHASE = "1"
_PREFIX = f"{VERSION}\x1f"
_FIRST_EIGHT = Struct(">Q24x").unpack


class Place(NamedTuple):
    """Place of the arm among the weights, the block, and the position in it."""

    arm: int
    block: int
    position: int


def uniform(*parts: str) -> int:
    """Return a number in [0, 2^64) that the parts determine.

    Parameters
    ----------
    *parts : str
        Normalized to NFC, joined by the unit separator (U+001F), which no salt, key or label contains.
    """
    return _hashed("\x1f".join((VERSION, *parts)))


def _hashed(text: str) -> int:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return _FIRST_EIGHT(sha256(text.encode()).digest())[0]


def parts_per_million(weights: Sequence[int]) -> list[int]:
    """Scale integer weights to a sum of exactly a million, by largest remainder, earlier arms first.

    Raises
    ------
    ValueError
        No weight is positive, or one is negative.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"weights == {list(weights)}, must be 0 or more and one of them positive")
    shares = [weight * MILLION // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(weights[index] * MILLION % total))
    for index in by_remainder[: MILLION - sum(shares)]:
        shares[index] += 1
    return shares


def propensities(weights: Sequence[int], in_blocks: bool) -> list[float]:
    """Return the probability that each arm is drawn with.

    Parameters
    ----------
    weights : sequence of int
    in_blocks : bool
        Each stands in a block as often as its weight says; by hash they are scaled to parts per million.
    """
    if in_blocks:
        return [weight / sum(weights) for weight in weights]
    return [share / MILLION for share in parts_per_million(weights)]


def draw(salt: str, key: str, shares: Sequence[int]) -> tuple[int, int]:
    """Draw an arm by hash.

    Parameters
    ----------
    salt : str
        Of the experiment; another purpose has another salt.
    key : str
        Randomization key.
    shares : sequence of int
        Parts per million of each arm, sum 1,000,000.

    Returns
    -------
    int, int
        Place of the arm among the shares, and the point in parts per million that chose it.
    """
    # as ``uniform`` does, at half the time
    text = f"{_PREFIX}{salt}\x1f{key}"
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    left = point = _FIRST_EIGHT(sha256(text.encode()).digest())[0] * MILLION >> 64
    arm = 0
    for share in shares:
        if left < share:
            return arm, point
        left -= share
        arm += 1  # noqa: SIM113 - counting along is a tenth faster
    raise ValueError(f"shares == {list(shares)}, must sum to {MILLION}")


def within(salt: str, key: str, share: int) -> bool:
    """Whether a key falls into a share given in parts per million: traffic, holdout."""
    return uniform(salt, key) * MILLION >> 64 < share


def permuted(salt: str, stratum: str, position: int, weights: Sequence[int], phase: str = FIRST_PHASE) -> Place:
    """Return the arm at a position of a stratum's sequence of permuted blocks.

    Parameters
    ----------
    salt, stratum : str
    position : int
        0, 1, 2 ... in the order in which keys enter the stratum in this phase.
    weights : sequence of int
        How often each arm stands in a block.
    phase : str
        Its number; the blocks of each phase are drawn anew.
    """
    sequence = (salt, stratum) if phase == FIRST_PHASE else (salt, phase, stratum)
    arms = [index for index, weight in enumerate(weights) for _ in range(weight)]
    block, place = divmod(position, len(arms))
    # Fisher-Yates, with one number for each swap
    for last in range(len(arms) - 1, 0, -1):
        other = uniform(*sequence, str(block), str(last)) * (last + 1) >> 64
        arms[last], arms[other] = arms[other], arms[last]
    return Place(arms[place], block, place)
