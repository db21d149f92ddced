"""Inputs of a policy that name an assumption: the number it had when the version was declared, and whose it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

NAME = "assumption"


def resolved(said: Any, number_of: Callable[[str, str], float], place: str = "") -> tuple[Any, dict[str, str]]:
    """Return the inputs as plain numbers, and for each place of them that names an assumption its key.

    Parameters
    ----------
    said
        What a declaration says: ``{"at_stake": {"assumption": key}, ...}``.
    number_of : callable
        From the key and its place to the number.
    place : str
        JSON pointer to what is said.
    """
    if not isinstance(said, Mapping):
        return said, {}
    if set(said) == {NAME} and isinstance(said[NAME], str):
        return number_of(said[NAME], place), {place: said[NAME]}
    parts: dict[str, Any] = {}
    named: dict[str, str] = {}
    for name, part in said.items():
        parts[name], of_part = resolved(part, number_of, f"{place}/{name}")
        named |= of_part
    return parts, named


def as_declared(numbers: Any, named: Mapping[str, str], place: str = "") -> Any:
    """Return inputs as they were declared, from their numbers and what ``resolved`` found in them."""
    if place in named:
        return {NAME: named[place]}
    if not isinstance(numbers, Mapping):
        return numbers
    return {name: as_declared(part, named, f"{place}/{name}") for name, part in numbers.items()}
