"""The record is verified again and again while people work and checkpoints are made: no false alarm.

    python -m tests.drills.alarms --verifications 200
    python -m tests.drills.alarms --verifications 50 --torn      # the control: alarms where nothing is wrong

Who verifies is another process than the service, as with ``allocator audit verify``. In the control the
record is read as PostgreSQL reads by default: each statement sees what has been saved by then.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from allocator.audit.checkpoints import Kept
from allocator.audit.verify import Fault, verify, verify_database
from allocator.casework.codes import Role
from allocator.store.engine import Connections, connect
from allocator.store.repository import SqlStorage
from tests.databases import BACKENDS, fresh
from tests.drills.server import SIGNER, Remarker, Server
from tests.office import Office

CLIENTS = 4


@dataclass(frozen=True)
class Report:
    """What it came to.

    Attributes:
        verifications: How often the record was verified.
        alarms: In how many of them each fault was found.
        entries: Entries of the log that were made meanwhile.
        checkpoints: Checkpoints that were made meanwhile.
    """

    verifications: int
    alarms: Counter[Fault]
    entries: int
    checkpoints: int


def _torn(connections: Connections, kept: Kept) -> set[Fault]:
    """Return what is found where each statement sees what has been saved by then."""
    engine = connections.engine.execution_options(isolation_level="READ COMMITTED")
    with engine.connect() as connection:
        try:
            return set(verify(connection, kept).counts)
        except KeyError:  # the tree has grown before it was worked out
            return {Fault.TREE}


def run(backend: str, verifications: int, *, torn: bool = False) -> Report:
    """Verify so often, each time after others have written and while they do, and return what it came to."""
    address = fresh(backend)
    connections = Connections(connect(address))
    office = Office(connections=connections)
    office.house()
    office.somebody(Role.SCHEME_STAFF, "nordlia")
    alarms: Counter[Fault] = Counter()
    size = begun = _entries(connections)
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as place:
        kept = Kept(Path(place), SIGNER.verifier)
        with Server(address, "--checkpoints", place) as server:
            clients = [Remarker(number, server) for number in range(CLIENTS)]
            for _ in range(verifications):
                time.sleep(0.1)  # while somebody reads without a pause, SQLite's journal only grows
                while (now := _entries(connections)) == size and any(map(Remarker.is_alive, clients)):
                    time.sleep(0.01)
                size = now
                found = _torn(connections, kept) if torn else verify_database(connections, kept).counts
                alarms.update(set(found))
            for client in clients:
                client.finish()
        last = verify_database(connections, kept)
        alarms.update(set(last.counts))
    connections.engine.dispose()
    return Report(verifications, alarms, last.entries - begun, last.checkpoints)


def _entries(connections: Connections) -> int:
    with SqlStorage(connections).read() as tx:
        return tx.head().size


def main() -> None:
    """Run the drill, or its control, which must find what is not wrong."""
    parser = argparse.ArgumentParser(description="False alarms")
    parser.add_argument("--verifications", type=int, default=200)
    parser.add_argument("--torn", action="store_true")
    given = parser.parse_args()
    failed = False
    for backend in BACKENDS[1:] if given.torn else BACKENDS:
        report = run(backend, given.verifications, torn=given.torn)
        print(f"false alarms on {backend}: {report}", flush=True)  # noqa: T201
        failed = failed or bool(report.alarms)
    sys.exit(failed)


if __name__ == "__main__":
    main()
