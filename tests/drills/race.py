"""Many at once take the same unit: exactly one gets it, all others are told that somebody has it (409).

    python -m tests.drills.race --rounds 100
    python -m tests.drills.race --rounds 5 --people 8 --unguarded    # the control: several get it

In the control the service looks first whether the unit is free and then takes it, and nothing guards it.
"""

from __future__ import annotations

import argparse
import collections
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from allocator.casework.codes import Role
from allocator.casework.people import Person as PersonBody
from allocator.store.engine import Connections, connect
from tests.databases import BACKENDS, fresh
from tests.drills.server import Person, Server
from tests.office import Office

UNIT = "nordlia-1"
FIRST = datetime.now(UTC).date() - timedelta(days=1000)


def _prepared(address: str, people: int) -> None:
    office = Office(connections=Connections(connect(address)))
    office.house("nordlia", units=1, ready=FIRST)
    office.somebody(Role.SCHEME_LEADER, "nordlia")
    for number in range(people):
        office.seed(PersonBody(), f"P-{number}")
    office.close()


def run(
    backend: str, rounds: int, people: int = 50, *, guarded: bool = True
) -> collections.Counter[tuple[int, int]]:
    """Return how often how many got the unit and how many were told that it is taken."""
    address = fresh(backend)
    _prepared(address, people)
    came_to: collections.Counter[tuple[int, int]] = collections.Counter()
    with Server(address, *([] if guarded else ["--unguarded"])) as server:
        at_once = [Person(server.url, Role.SCHEME_LEADER) for _ in range(people)]
        with ThreadPoolExecutor(people) as pool:
            for number_of_round in range(rounds):
                started = threading.Barrier(people)
                day = (FIRST + timedelta(days=number_of_round)).isoformat()

                def take(
                    number: int, started: threading.Barrier = started, day: str = day
                ) -> tuple[int, str]:
                    started.wait()
                    asked = {"person": f"P-{number}", "unit": UNIT, "moved_in": day}
                    answer = at_once[number].post("/tenancies/move_in", asked)
                    return answer.status_code, answer.json().get("id", "")

                answers = list(pool.map(take, range(people)))
                statuses = collections.Counter(status for status, _ in answers)
                assert set(statuses) <= {201, 409}, statuses
                came_to[statuses[201], statuses[409]] += 1
                for identifier in (name for status, name in answers if status == 201):
                    out = {"moved_out": day, "end_reason": "transfer"}
                    left = at_once[0].post(f"/tenancies/{identifier}/move_out", out, seen=1)
                    assert left.status_code == 200, left.text
    return came_to


def main() -> None:
    """Run the drill as its arguments say."""
    parser = argparse.ArgumentParser(description="Races for one unit")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--unguarded", action="store_true")
    given = parser.parse_args()
    failed = False
    for backend in BACKENDS:
        came_to = run(backend, given.rounds, given.people, guarded=not given.unguarded)
        print(  # noqa: T201
            f"race on {backend}: {dict(came_to)} (got it, told it is taken) -> rounds", flush=True
        )
        failed = failed or set(came_to) != {(1, given.people - 1)}
    sys.exit(failed)


if __name__ == "__main__":
    main()
