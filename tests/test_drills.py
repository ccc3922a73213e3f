"""Drills in short form, each with its control; the long forms are commands of their own."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import BACKENDS
from tests.drills import alarms, disk_full, kills, pauses, power_cut, race

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("backend", BACKENDS)
def test_of_many_who_take_one_unit_exactly_one_gets_it(backend: str) -> None:
    """All others are told that somebody has it."""
    assert race.run(backend, rounds=3) == {(1, 49): 3}


def test_without_a_guard_several_would_get_it() -> None:
    """The control: looking first and then taking is not enough."""
    ((got_it, told),) = race.run("postgresql", rounds=1, people=6, guarded=False)

    assert got_it > 1
    assert got_it + told == 6


@pytest.mark.parametrize("backend", BACKENDS)
def test_killing_the_server_loses_and_doubles_nothing(backend: str) -> None:
    """What was acknowledged is there, once, however often the server is killed, also at the worst moment."""
    report = kills.run(backend, kills=2)

    assert report.acknowledged > 0
    assert report.again > 0
    assert (report.lost, report.doubled) == (0, 0)


def test_without_keys_a_killed_server_would_double_changes() -> None:
    """The control: who asks again without a key has it done a second time."""
    report = kills.run("sqlite", kills=1, keys=False)

    assert report.doubled > 0
    assert report.lost == 0


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


def test_a_database_that_is_slow_gone_lost_or_killed_loses_nothing() -> None:
    """Every request is answered in time, with yes or with 503, and it recovers by itself."""
    drill = [sys.executable, "-m", "tests.drills.pauses", "--seconds", "1.5", "--longest", "4"]
    done = subprocess.run(drill, capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.returncode == 0, done.stdout
    for fault in ("cut", "swallow", "forget", "killed"):
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{fault} ")]
        assert "'503'" in line


def test_a_database_that_does_not_wait_for_the_disk_is_found_out() -> None:
    """The control: what PostgreSQL has acknowledged too early is seen to be lost when it is killed."""
    assert pauses.run(1.5, ["killed"], hasty=True).lost > 0


def test_without_a_watch_a_lost_connection_would_never_be_given_up() -> None:
    """The control: whoever waits for an answer on it gets none."""
    report = pauses.run(1, ["swallow"], longest=math.inf, bound=4)

    assert report.statuses["swallow"]["ReadTimeout"] > 0
    assert not report.held


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_record_that_is_written_meanwhile_is_not_called_broken(backend: str) -> None:
    """Verified again and again, from outside, while the service works and signs checkpoints."""
    report = alarms.run(backend, verifications=15)

    assert report.alarms == {}
    assert report.entries >= 15
    assert report.checkpoints > 1


def test_a_record_that_is_not_read_in_one_state_would_be() -> None:
    """The control: read statement by statement, what is being written looks like tampering."""
    assert alarms.run("postgresql", verifications=40, torn=True).alarms
