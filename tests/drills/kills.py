"""The server is killed again and again under load; clients try again with the same key until told yes.

    python -m tests.drills.kills --kills 50
    python -m tests.drills.kills --kills 5 --without-keys      # the control: changes are doubled

Nothing that was acknowledged may be lost, and nothing done twice.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import threading
import time
from dataclasses import dataclass

import httpx

from allocator.casework.codes import Role
from allocator.casework.records import Kind
from allocator.casework.voice import Comment
from allocator.ports import Query
from allocator.store.engine import Connections, connect
from allocator.store.repository import SqlStorage
from tests.databases import BACKENDS, fresh
from tests.drills.server import Person, Server
from tests.office import Office

CLIENTS = 4


@dataclass(frozen=True)
class Report:
    """What the kills came to.

    Attributes:
        kills: How often the server was killed.
        acknowledged: Changes that a client was told were made.
        lost: Those of them that are not there.
        doubled: Changes that are there more than once.
        again: Requests that had to be sent again.
    """

    kills: int
    acknowledged: int
    lost: int
    doubled: int
    again: int


class _Client(threading.Thread):
    """Makes one change after another, each until it is acknowledged."""

    def __init__(self, number: int, server: Server, stop: threading.Event, *, keys: bool) -> None:
        super().__init__(daemon=True)
        self.number, self.server, self.stop, self.keys = number, server, stop, keys
        self.acknowledged: list[str] = []
        self.again = 0

    def run(self) -> None:
        person: Person | None = None
        count = 0
        while not self.stop.is_set():
            said = f"{self.number}/{count}"
            try:
                person = person or Person(self.server.url, Role.SCHEME_STAFF, timeout=5)
                asked = {"about": "unit", "of": "nordlia-1", "text": said}
                answer = person.post("/comments/make", asked, key=said if self.keys else None)
            except (httpx.TransportError, AssertionError):
                self.again += 1
                person = None
                time.sleep(0.02)
                continue
            if answer.status_code == 201:
                self.acknowledged.append(said)
                count += 1
            elif answer.status_code in (401, 403):
                person = None
            else:
                assert answer.status_code == 503, answer.text
                self.again += 1


def run(backend: str, kills: int, *, keys: bool = True, seed: int = 11) -> Report:
    """Kill the server so often and return what it came to."""
    address = fresh(backend)
    office = Office(connections=Connections(connect(address)))
    office.house()
    office.somebody(Role.SCHEME_STAFF, "nordlia")
    office.close()
    randomly, stop = random.Random(seed), threading.Event()
    with Server(address) as server:
        clients = [_Client(number, server, stop, keys=keys) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for _ in range(kills):
            time.sleep(0.3 + randomly.random() * 0.7)
            server.kill()
            server.start()
        time.sleep(1.5)
        stop.set()
        for client in clients:
            client.join(30)
    connections = Connections(connect(address))
    with SqlStorage(connections).read() as tx:
        bodies = [found.body for found in tx.find(Query(Kind.COMMENT))]
    connections.engine.dispose()
    there = collections.Counter(body.text for body in bodies if isinstance(body, Comment))
    acknowledged = [said for client in clients for said in client.acknowledged]
    return Report(
        kills,
        len(acknowledged),
        sum(said not in there for said in acknowledged),
        sum(count > 1 for count in there.values()),
        sum(client.again for client in clients),
    )


def main() -> None:
    """Run the drill as its arguments say."""
    parser = argparse.ArgumentParser(description="kill -9 of the server under load")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--without-keys", action="store_true")
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    failed = False
    for backend in BACKENDS:
        report = run(backend, given.kills, keys=not given.without_keys, seed=given.seed)
        print(f"kills on {backend}, seed {given.seed}: {report}", flush=True)  # noqa: T201
        failed = failed or bool(report.lost or report.doubled)
    sys.exit(failed)


if __name__ == "__main__":
    main()
