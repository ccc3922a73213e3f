"""What a change costs with its log entry, beside the same rows written by the driver alone.

    python -m bench.logged_change

Both wait for the disk. The office's own side writes JSON, derives what records are found by, links the entry
and grows the tree; the driver's side writes rows of the same size and nothing else.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from allocator.casework.records import Kind, Stored, body_bytes
from allocator.casework.voice import Comment
from allocator.ports import Logged
from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from allocator.store.repository import SqlStorage

ROUNDS = 1500
WARM = 100

_BODY = Comment(about=Kind.UNIT, of="nordlia-1", author="ansatt", text="x" * 2000)
_ENTRY = {"use": "comments.make", "outcome": "done", "more": "y" * 200}


def _office(path: Path) -> Callable[[int], None]:
    connections = Connections(connect(f"sqlite:///{path}"))
    migrate(connections)
    storage, now = SqlStorage(connections), datetime.now(UTC)

    def change(number: int) -> None:
        with storage.write() as tx:
            tx.put(Stored(Kind.COMMENT, f"C-{number}", 1, _BODY, now, "ansatt", "comments.make"))
            tx.append([Logged({**_ENTRY, "id": number})], facts=False)

    return change


def _driver(path: Path) -> Callable[[int], None]:
    connections = Connections(connect(f"sqlite:///{path}"))
    migrate(connections)
    connections.engine.dispose()
    database = sqlite.connect(str(path), isolation_level=None)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        database.execute(f"pragma {pragma}")
    body, entry, digest = body_bytes(_BODY), b"z" * 260, b"h" * 32
    sizes = itertools.count(1)

    def change(number: int) -> None:
        size, name = next(sizes), f"C-{number}"
        database.execute("begin immediate")
        database.execute("select size, linked, facts_at from log_head").fetchone()
        version = ("comment", name, 1, body, "2026-11-25T10:00:00+00:00", "ansatt", "comments.make", None)
        database.execute("insert into record_version values (?, ?, ?, ?, ?, ?, ?, ?)", version)
        database.execute("insert into record values (?, ?, 1, '', '', null)", ("comment", name))
        links = [("comment", name, "unit", "nordlia-1"), ("comment", name, "account", "ansatt")]
        database.executemany("insert into record_link values (?, ?, ?, ?)", links)
        database.execute("insert into log values (?, ?, ?)", (size, entry, digest))
        nodes = [(90, size, digest), (91, size, digest)]
        database.executemany("insert into log_node values (?, ?, ?)", nodes)
        database.execute("update log_head set size = ?, linked = ?", (size, digest))
        database.execute("commit")

    return change


def main() -> None:
    """Measure both in turns, and print medians and their ratio."""
    with tempfile.TemporaryDirectory() as directory:
        sides = {
            "office": _office(Path(directory, "office.db")),
            "driver": _driver(Path(directory, "driver.db")),
        }
        times: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(ROUNDS + WARM):
            for name, change in sides.items():
                began = time.perf_counter()
                change(number)
                times[name].append(time.perf_counter() - began)
        medians = {}
        for name, taken in times.items():
            ordered = sorted(taken[WARM:])
            medians[name] = ordered[len(ordered) // 2]
            last = ordered[len(ordered) * 99 // 100]
            print(f"{name}: p50 {medians[name] * 1e3:.2f} ms, p99 {last * 1e3:.2f} ms")
        print(f"office / driver: {medians['office'] / medians['driver']:.2f}")


if __name__ == "__main__":
    main()
