"""The server is killed again and again under load; clients try again with the same key until told yes.

    python -m tests.drills.kills --kills 50
    python -m tests.drills.kills --kills 4 --without-keys      # the control: changes are doubled

Nothing that was acknowledged may be lost, and nothing done twice. Every other kill comes at any moment; the
rest come at the worst: a change is saved, and nobody has been told.
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import time
from dataclasses import dataclass

from allocator.casework.codes import Role
from allocator.casework.records import Kind
from allocator.casework.voice import Comment
from allocator.ports import Query
from allocator.store.engine import Connections, connect
from allocator.store.repository import SqlStorage
from tests.databases import BACKENDS, fresh
from tests.drills.server import Remarker, Server
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


def run(backend: str, kills: int, *, keys: bool = True, seed: int = 11) -> Report:
    """Kill the server so often and return what it came to."""
    address = fresh(backend)
    office = Office(connections=Connections(connect(address)))
    office.house()
    office.somebody(Role.SCHEME_STAFF, "nordlia")
    office.close()
    randomly = random.Random(seed)
    with Server(address) as server:
        clients = [Remarker(number, server, keys=keys) for number in range(CLIENTS)]
        for number in range(kills):
            time.sleep(0.3 + randomly.random() * 0.7)
            if number % 2:
                server.kill()
            else:
                server.kill_before_an_answer()
            server.start()
        for client in clients:
            client.finish()
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
