"""How long it takes to verify a log: ``python -m bench.audit [entries]``.

A log of a million entries of about 250 bytes on SQLite, made as the product makes it, then read and verified:
every link, every number, every node of the tree, the end and the root. Nothing is kept in memory between.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert, text

from allocator.audit import chain
from allocator.audit.verify import links_and_tree, verify_database
from allocator.casework.housing import Scheme
from allocator.casework.records import body_bytes, body_sha256
from allocator.model import SchemeFacts
from allocator.ports import Logged
from allocator.store import tables as t
from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from allocator.store.repository import SqlTransaction

ENTRIES = 1_000_000
_EVERY_TENTH = 10
"""One entry in ten is a change; the others are looks."""

_AT = "2026-11-23T09:00:00+00:00"


def filled(connections: Connections, entries: int) -> None:
    """Fill a log, with the versions of records that it tells of."""
    body = Scheme(facts=SchemeFacts(name="Nordlia"))
    stored, sha256 = body_bytes(body), body_sha256(body)
    for begin in range(0, entries, 20_000):
        with connections.write() as connection:
            numbers = range(begin, min(begin + 20_000, entries))
            changes = [n for n in numbers if n % _EVERY_TENTH == 0]
            records = [{"kind": "scheme", "id": f"SC-{n:010}", "version": 1} for n in changes]
            more = {"body": stored, "at": _AT, "by": "caseworker", "change": "schemes.make", "reason": None}
            connection.execute(insert(t.version), [{**record, **more} for record in records])
            derived = {"state": body.get_state(), "listed": body.order(), "due": None}
            connection.execute(insert(t.record), [{**record, **derived} for record in records])
            SqlTransaction(connection, writes=True).append(
                (Logged(_entry(n, sha256)) for n in numbers), facts=bool(changes)
            )


def _entry(number: int, sha256: str) -> dict[str, object]:
    change = number % _EVERY_TENTH == 0
    entry = {
        "at": _AT,
        "by": "caseworker",
        "roles": ["caseworker"],
        "use": "schemes.make" if change else "look",
        "kind": "scheme" if change else "person",
        "id": f"SC-{number:010}",
        "version": 1,
        "people": [] if change else ["P-abcdefghij", "P-bcdefghijk"],
        "purpose": "casework",
        "outcome": "done" if change else "shown",
    }
    return entry | ({"sha256": sha256} if change else {"groups": ["health", "identity", "own", "risk"]})


@contextmanager
def _timed(what: str) -> Iterator[None]:
    """Print how long something took: by the clock, and of a processor where others use the machine too."""
    began, used = time.perf_counter(), time.process_time()
    yield
    took, worked = time.perf_counter() - began, time.process_time() - used
    print(f"{what}: {took:.2f} s, {worked:.2f} s of a processor")


def _links_alone(connections: Connections) -> None:
    previous = chain.GENESIS
    with connections.read() as connection:
        for seq, body, linked in connection.execute(text("select seq, body, linked from log order by seq")):
            assert chain.link(previous, seq, body) == linked
            previous = linked


def main(entries: int = ENTRIES) -> None:
    """Fill a log, verify it, and print how long it took."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "audit.db")
        connections = Connections(connect(f"sqlite:///{path}"))
        migrate(connections)
        with _timed("made"):
            filled(connections, entries)
        with _timed("links alone, in a loop"):
            _links_alone(connections)
        with _timed("links and tree"), connections.read() as connection:
            assert links_and_tree(connection).sound
        with _timed("everything"):
            report = verify_database(connections)
        assert report.sound
        print(
            f"{report.entries} entries of {len(chain.canonical(_entry(1, '')))} bytes, "
            f"{report.versions} versions of records, {path.stat().st_size / 1e6:.0f} MB"
        )
        connections.engine.dispose()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
