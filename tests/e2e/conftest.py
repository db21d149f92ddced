"""A house for each test that wants one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.house import House


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Build houses that are taken down at the end."""
    built: list[House] = []

    def make(name: str, broker: str = "") -> House:
        folder = tmp_path / name
        folder.mkdir()
        built.append(House(folder, name, broker))
        return built[-1]

    yield make
    for house in built:
        house.close()
