"""Drills in short form, each with its control; the long forms are commands of their own."""

from __future__ import annotations

import pytest

from tests.databases import BACKENDS
from tests.drills import disk_full, kills, pauses, power_cut, race


@pytest.mark.parametrize("backend", BACKENDS)
def test_of_many_who_take_one_unit_exactly_one_gets_it(backend: str) -> None:
    """All others are told that somebody has it."""
    assert race.run(backend, rounds=3) == {(1, 49): 3}


def test_without_a_guard_several_would_get_it() -> None:
    """The control: looking first and then taking is not enough."""
    assert race.unguarded(rounds=10) > 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_killing_the_server_loses_and_doubles_nothing(backend: str) -> None:
    """What was acknowledged is there, once, however often the server is killed."""
    report = kills.run(backend, kills=2)

    assert report.acknowledged > 0
    assert report.again > 0
    assert (report.lost, report.doubled) == (0, 0)


def test_a_power_cut_loses_nothing_that_was_acknowledged() -> None:
    """Whatever the disk had not been told to keep yet."""
    report = power_cut.run(cuts=150, changes=60)

    assert (report.lost, report.corrupt) == (0, 0)


def test_without_waiting_for_the_disk_a_power_cut_would() -> None:
    """The control: the drill sees a loss where there is one."""
    assert power_cut.run(cuts=100, changes=60, sync="NORMAL").lost > 0


def test_a_full_disk_refuses_changes_and_loses_none() -> None:
    """It works again by itself when there is room."""
    report = disk_full.run(refusals=10)

    assert report.refused >= 10
    assert (report.lost, report.other, report.recovered, report.sound) == (0, 0, 20, True)


def test_a_server_that_forgets_is_found_out_by_a_full_disk() -> None:
    """The control: what is acknowledged and not saved is seen to be lost."""
    assert disk_full.run(refusals=10, forgetful=True).lost > 0


def test_a_database_that_is_slow_gone_or_killed_loses_nothing() -> None:
    """Every request is answered in time, with yes or with 503, and it recovers by itself."""
    report = pauses.run(seconds=1.5)

    assert report.held, (report.statuses, report.slowest, report.lost)
    assert report.statuses["killed"]["503"] > 0
