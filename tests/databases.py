"""Databases for tests, each empty and migrated: SQLite files, and databases of a PostgreSQL of the tests."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from functools import cache
from pathlib import Path

import psycopg

from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from tests.postgres import Postgres

BACKENDS = ("sqlite", "postgresql")
"""Every test of storage runs on both."""

_numbers = itertools.count(1)


@cache
def server() -> Postgres:
    """Return the PostgreSQL of this test process."""
    started = Postgres()
    atexit.register(started.stop)
    with psycopg.connect(started.url(), autocommit=True) as connection:
        connection.execute("create database template_migrated")
    engine = connect(started.url("template_migrated"))
    migrate(Connections(engine))
    engine.dispose()
    return started


_MEMORY = Path("/dev/shm")  # noqa: S108 - a new directory is made in it
_ROOM = 2 * 2**30


@cache
def _directory() -> Path:
    """Return where SQLite files are kept: in memory where there is room, so that nothing waits for a disk."""
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    place = Path(tempfile.mkdtemp(prefix="allocator-tests-", dir=_MEMORY if in_memory else None))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    engine = connect(f"sqlite:///{place}/template.db")
    migrate(Connections(engine))
    engine.dispose()
    return place


def fresh(backend: str) -> str:
    """Return the address of an empty, migrated database."""
    number = next(_numbers)
    if backend == "sqlite":
        path = _directory() / f"{number}.db"
        shutil.copy(_directory() / "template.db", path)
        return f"sqlite:///{path}"
    with psycopg.connect(server().url(), autocommit=True) as connection:
        connection.execute(f"create database test_{number} template template_migrated strategy file_copy")
    return server().url(f"test_{number}")


def opened(backend: str) -> Connections:
    """Return connections to an empty, migrated database."""
    return Connections(connect(fresh(backend)))
