"""Refusing arguments outside their ranges, with the value in the message."""

from __future__ import annotations


def share(name: str, value: float) -> float:
    """Return a value that must be in (0, 1).

    Parameters
    ----------
    name : str
        For the message.
    value : float

    Raises
    ------
    ValueError
        It isn't.
    """
    if not 0 < value < 1:
        raise ValueError(f"{name} == {value!r}, must be in (0, 1)")
    return value


def positive(name: str, value: float) -> float:
    """Return a value that must be above 0 and finite.

    Parameters
    ----------
    name : str
        For the message.
    value : float

    Raises
    ------
    ValueError
        It isn't.
    """
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} == {value!r}, must be above 0")
    return value


def within(name: str, value: float, low: float, high: float) -> float:
    """Return a value that must be in [low, high].

    Parameters
    ----------
    name : str
        For the message.
    value : float
    low, high : float

    Raises
    ------
    ValueError
        It isn't.
    """
    if not low <= value <= high:
        raise ValueError(f"{name} == {value!r}, must be in [{low!r}, {high!r}]")
    return value
