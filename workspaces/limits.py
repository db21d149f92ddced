"""What the columns hold, read from the models: checked before it is stored, and refused by its place."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import CheckConstraint, Model, Q

from workspaces.errors import Refusal

SIGNS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "gt": (operator.gt, "{called} == {value}, must be above {bound}"),
    "gte": (operator.ge, "{called} == {value}, must be at least {bound}"),
    "lt": (operator.lt, "{called} == {value}, must be below {bound}"),
    "lte": (operator.le, "{called} == {value}, must be at most {bound}"),
}


def check_fields(
    model: type[Model], content: Mapping[str, Any], places: Mapping[str, str] | None = None, within: str = ""
) -> None:
    """Refuse a value that its column doesn't hold.

    ``places`` are the pointers of fields that a declaration calls otherwise, ``within`` is what they all lie in.
    """
    for name, value in content.items():
        pointer = within + (places or {}).get(name, f"/{name}")
        called = pointer.rpartition("/")[2]
        longest = model._meta.get_field(name).max_length  # type: ignore[union-attr]
        if longest and isinstance(value, str) and len(value) > longest:
            raise Refusal(
                "invalid-declaration",
                f"{called} has {len(value)} characters, at most {longest} are kept; shorten {value[:20]!r}...",
                pointer,
            )
        for sign, bound in _bounds(model).get(name, ()):
            holds, said = SIGNS[sign]
            if value is not None and not holds(value, bound):
                said = said.format(called=called, value=value, bound=f"{bound:,}")
                raise Refusal("invalid-declaration", said, pointer)


@cache
def _bounds(model: type[Model]) -> dict[str, list[tuple[str, float]]]:
    """Signs and numbers that each field is compared with, by its type and by the model's constraints."""
    bounds: dict[str, list[tuple[str, float]]] = {}
    for field in model._meta.concrete_fields:
        lowest, highest = BaseDatabaseOperations.integer_field_ranges.get(field.get_internal_type(), (None, None))
        if lowest is not None and highest is not None:
            bounds[field.name] = [("gte", lowest), ("lte", highest)]
    for constraint in model._meta.constraints:
        if isinstance(constraint, CheckConstraint) and isinstance(constraint.condition, Q):
            for name, sign, bound in _comparisons(constraint.condition):
                bounds.setdefault(name, []).append((sign, bound))
    return bounds


def _comparisons(condition: Q) -> Iterator[tuple[str, str, float]]:
    """Comparisons with numbers; those beside an ``or`` hold too, since what they are joined with is a null."""
    for part in condition.children:
        if isinstance(part, Q):
            yield from () if part.negated else _comparisons(part)
        elif isinstance(part, tuple):
            name, _, sign = part[0].partition("__")
            if sign == "range":
                yield from ((name, one, bound) for one, bound in zip(("gte", "lte"), part[1], strict=True))
            elif sign in SIGNS and isinstance(part[1], int | float):
                yield name, sign, part[1]
