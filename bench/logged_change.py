"""What a change costs with its log entry, beside the same rows written by the driver alone.

    python -m bench.logged_change                  on SQLite
    python -m bench.logged_change --postgresql     on a PostgreSQL started for it

Both wait for the disk. The office's own side writes JSON, derives what records are found by, links the entry
and grows the tree; the driver's side writes rows of the same size and nothing else. They take turns, so that
whatever else the machine does is in both. The fastest twentieth is told beside the median: on a machine that
others use too it is nearer to what the work takes.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pysqlite3.dbapi2 as sqlite

from allocator.casework.records import Kind, Stored, body_bytes
from allocator.casework.voice import Comment
from allocator.ports import Logged
from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from allocator.store.repository import SqlStorage
from tests.postgres import Postgres

ROUNDS = 1500
WARM = 100

_BODY = Comment(about=Kind.UNIT, of="nordlia-1", author="ansatt", text="x" * 2000)
_ENTRY = {"use": "comments.make", "outcome": "done", "more": "y" * 200}

_HEAD = "select size, linked, facts_at from log_head"
_WRITES = (
    "insert into record_version values (?, ?, ?, ?, ?, ?, ?, ?)",
    "insert into record values (?, ?, 1, '', '', null)",
    "insert into record_link values (?, ?, ?, ?)",
    "insert into log values (?, ?, ?)",
    "insert into log_node values (?, ?, ?)",
    "update log_head set size = ?, linked = ?",
)


def _migrated(address: str) -> Connections:
    connections = Connections(connect(address))
    migrate(connections)
    return connections


def _office(address: str) -> Callable[[int], None]:
    storage, now = SqlStorage(_migrated(address)), datetime.now(UTC)

    def change(number: int) -> None:
        with storage.write() as tx:
            tx.put(Stored(Kind.COMMENT, f"C-{number}", 1, _BODY, now, "ansatt", "comments.make"))
            tx.append([Logged({**_ENTRY, "id": number})], facts=False)

    return change


def _driver(database: Any, mark: str, begin: str, lock: str) -> Callable[[int], None]:
    body, entry, digest = body_bytes(_BODY), b"z" * 260, b"h" * 32
    at, sizes = "2026-11-25T10:00:00+00:00", itertools.count(1)
    version, record, link, log, node, grow = (sql.replace("?", mark) for sql in _WRITES)

    def change(number: int) -> None:
        size, name = next(sizes), f"C-{number}"
        database.execute(begin)
        database.execute(_HEAD + lock).fetchone()
        database.execute(version, ("comment", name, 1, body, at, "ansatt", "comments.make", None))
        database.execute(record, ("comment", name))
        links = [("comment", name, "unit", "nordlia-1"), ("comment", name, "account", "ansatt")]
        database.cursor().executemany(link, links)
        database.execute(log, (size, entry, digest))
        database.cursor().executemany(node, [(90, size, digest), (91, size, digest)])
        database.execute(grow, (size, digest))
        database.execute("commit")

    return change


def _sqlite(directory: Path) -> dict[str, Callable[[int], None]]:
    _migrated(f"sqlite:///{directory}/driver.db").engine.dispose()
    database = sqlite.connect(str(directory / "driver.db"), isolation_level=None)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        database.execute(f"pragma {pragma}")
    return {
        "office": _office(f"sqlite:///{directory}/office.db"),
        "driver": _driver(database, "?", "begin immediate", ""),
    }


def _postgresql(server: Postgres) -> dict[str, Callable[[int], None]]:
    with psycopg.connect(server.url(), autocommit=True) as database:
        for name in ("office", "driver"):
            database.execute(f"create database {name}")
    _migrated(server.url("driver")).engine.dispose()
    return {
        "office": _office(server.url("office")),
        "driver": _driver(
            psycopg.connect(server.url("driver"), autocommit=True), "%s", "begin", " for update"
        ),
    }


def main() -> None:
    """Measure both in turns, and print how long they took and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL started for it")
    with contextlib.ExitStack() as stack:
        if parser.parse_args().postgresql:
            sides = _postgresql(stack.enter_context(Postgres(durable=True)))
        else:
            sides = _sqlite(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        times: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(ROUNDS + WARM):
            for name, change in sides.items():
                began = time.perf_counter()
                change(number)
                times[name].append(time.perf_counter() - began)
    at = {part: ROUNDS * part // 100 for part in (5, 50, 99)}
    ordered = {name: sorted(taken[WARM:]) for name, taken in times.items()}
    for name, taken in ordered.items():
        print(f"{name}:", ", ".join(f"p{part} {taken[place] * 1e3:.2f} ms" for part, place in at.items()))
    pairs = [(part, ordered["office"][place] / ordered["driver"][place]) for part, place in at.items()]
    print("office / driver:", ", ".join(f"p{part} {ratio:.2f}" for part, ratio in pairs))


if __name__ == "__main__":
    main()
