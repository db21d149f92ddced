"""Whole experiments whose truth is known say what is true as often as they should, and leave nothing behind."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from impact.config.trials import WORLDS, live
from impact.stats.simulation.whole import World, tell
from workspaces.models import Person, Workspace


def test_a_trial_is_repeated_by_its_seed_and_leaves_nothing_behind(db: None, settings: Any) -> None:
    home = settings.DATA_DIR
    first = list(live(WORLDS[1], 3, 1))
    assert first == list(live(WORLDS[1], 3, 1))
    assert {one.word for one in first} <= {"proven", "likely", "unclear", "harmful"}
    assert not any(one.blocked for one in first)
    assert not Workspace.objects.exists() and not Person.objects.exists() and home == settings.DATA_DIR


@pytest.mark.django_db(transaction=True)
def test_the_command_works_in_a_database_of_its_own() -> None:
    before, said = connection.settings_dict["NAME"], StringIO()
    call_command("simulate", whole=True, runs=1, stdout=said, stderr=StringIO())
    assert "| nothing | 0 |" in said.getvalue() and "| the bonus pays | 8 |" in said.getvalue()
    assert connection.settings_dict["NAME"] == before
    assert not Workspace.objects.exists()


def test_the_command_refuses_what_means_nothing() -> None:
    for wrong in ({"runs": 0}, {"whole": True, "only": "Welch"}):
        with pytest.raises(CommandError):
            call_command("simulate", **wrong)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_whole_experiments_are_wrong_as_often_as_they_may_be(db: None, world: World) -> None:
    assert tell(world, live(world, 200, 1)).faults == ()
