"""Looking after an installation: settings, versions, database, disk, clock, guards, log and checkpoints.

Each check tells how it is, and what to do about it. Nothing is changed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import pysqlite3.dbapi2
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from allocator import __version__
from allocator.audit.checkpoints import UNSIGNED, Kept, KeyFileError, read_signer
from allocator.audit.verify import newest_links
from allocator.ports import BusyError, Clock
from allocator.store import guards, migrate
from allocator.store.engine import Connections, connect, parsed, sound_wal

_GIGABYTE = 1 << 30
_WARN_FREE, _FAIL_FREE = 2 * _GIGABYTE, _GIGABYTE // 5
_SKEW = timedelta(minutes=2)
_LATE = timedelta(hours=1)


class State(StrEnum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Line:
    """What a check came to.

    Attributes:
        state: How it is.
        name: What was looked at.
        found: What was found.
        do: What to do about it.
    """

    state: State
    name: str
    found: str
    do: str = ""


@dataclass(frozen=True)
class Setup:
    """How the installation is set up.

    Attributes:
        database: Address of the database.
        key: File of the key that checkpoints are signed with.
        checkpoints: Directory where they are kept.
    """

    database: str
    key: Path | None = None
    checkpoints: Path | None = None


def examine(setup: Setup, clock: Clock) -> Iterator[Line]:
    """Yield what each check comes to. Raises DatabaseUrlError for an address that is none."""
    url = parsed(setup.database)
    sqlite = url.get_backend_name() == "sqlite"
    yield Line(State.OK, "program", f"allocator {__version__}, Python {sys.version.split()[0]}")
    if sqlite:
        yield _sqlite_version(pysqlite3.dbapi2.sqlite_version)
        yield _free("disk of the database", Path(url.database or ".").absolute().parent)
    if sqlite and not Path(url.database or "").exists():
        yield Line(State.FAIL, "database", "there is no such file", "run `allocator migrate`")
    else:
        yield from _database(setup, url, clock)
    yield from _checkpoint_place(setup, url)


def _sqlite_version(number: str) -> Line:
    if sound_wal(number):
        return Line(State.OK, "SQLite", f"{number}, without the WAL-reset bug")
    return Line(
        State.WARN,
        "SQLite",
        f"{number} can lose saved changes in WAL mode, so WAL is off and everything is slower",
        "install the package pysqlite3 of at least 0.6.1",
    )


def _free(name: str, place: Path) -> Line:
    try:
        free = _free_bytes(place)
    except OSError:
        return Line(State.FAIL, name, f"{place} is not there", "make the directory")
    told = f"{free / _GIGABYTE:.1f} GB free"
    if free < _FAIL_FREE:
        return Line(State.FAIL, name, told, "make room: when it is full, nothing can be saved")
    return Line(State.WARN if free < _WARN_FREE else State.OK, name, told, "make room soon")


def _free_bytes(place: Path) -> int:
    return shutil.disk_usage(place).free


# ----------------------------------------------------------------------------------------------- database


def _database(setup: Setup, url: URL, clock: Clock) -> Iterator[Line]:
    connections = Connections(connect(setup.database))
    try:
        with connections.read() as connection:
            yield from _connected(connection, setup, url, clock)
    except BusyError:
        where = url.render_as_string(hide_password=True)
        yield Line(
            State.FAIL, "database", f"{where} does not answer", "start it, or correct ALLOCATOR_DATABASE"
        )
    except DBAPIError:
        yield Line(
            State.FAIL,
            "database",
            "it cannot be read",
            "keep a copy, and restore the newest backup into a new one",
        )
    finally:
        connections.engine.dispose()


def _connected(connection: Connection, setup: Setup, url: URL, clock: Clock) -> Iterator[Line]:
    yield Line(State.OK, "database", url.render_as_string(hide_password=True))
    if connection.dialect.name == "postgresql":
        yield from _postgresql(connection, clock)
    else:
        yield from _sqlite(connection, Path(url.database or ""))
    here, wanted = migrate.version(connection), migrate.newest()
    if here != wanted:
        found = f"tables of version {here or 'none'}, the program has {wanted}"
        yield Line(State.FAIL, "migrations", found, "make a backup, then run `allocator migrate`")
        return
    yield Line(State.OK, "migrations", f"version {here}")
    try:
        yield Line(
            State.OK, "guards", f"triggers and constraints, fingerprint {guards.check(connection)[:16]}"
        )
    except guards.UnguardedError as error:
        yield Line(
            State.FAIL,
            "guards",
            f"missing: {', '.join(error.missing)}",
            "find out who took them away, run `allocator migrate`, then `allocator audit verify`",
        )
    yield _clock(connection, clock)
    report = newest_links(connection)
    if report.sound:
        yield Line(State.OK, "log", f"{report.entries} entries; the last ones fit together")
    else:
        told = ", ".join(str(fault) for fault in report.counts)
        yield Line(
            State.FAIL,
            "log",
            f"broken: {told}",
            "stop the service, keep a copy, run `allocator audit verify`",
        )
    yield from _checkpoint_age(connection, setup, report.entries, clock)


def _sqlite(connection: Connection, path: Path) -> Iterator[Line]:
    journal = connection.exec_driver_sql("pragma journal_mode").scalar_one()
    sound = sound_wal(pysqlite3.dbapi2.sqlite_version)
    state = State.WARN if (journal == "wal") is not sound else State.OK
    yield Line(state, "journal", str(journal), "stop every program that uses the file, and start ours again")
    if path.stat().st_mode & 0o077:
        yield Line(State.WARN, "file", "others on this machine can read it", f"run `chmod 600 {path}`")
    fault = connection.exec_driver_sql("pragma quick_check(1)").scalar_one()
    if fault != "ok":
        yield Line(State.FAIL, "file", "SQLite finds it damaged", "restore the newest backup into a new file")


def _postgresql(connection: Connection, clock: Clock) -> Iterator[Line]:
    def shown(setting: str) -> str:
        return str(connection.execute(text("select current_setting(:name)"), {"name": setting}).scalar_one())

    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if shown(name) == "off"]
    version = f"PostgreSQL {shown('server_version')}"
    yield Line(
        State.FAIL if off else State.OK,
        "server",
        f"{version}; off: {', '.join(off)}" if off else version,
        "switch it on: a power cut would lose what was said to be saved",
    )
    role = connection.execute(
        text(
            "select r.rolsuper or r.rolbypassrls, exists (select 1 from pg_class c where c.relname = 'log' "
            "and c.relowner = r.oid) from pg_roles r where r.rolname = current_user"
        )
    ).one()
    yield Line(
        State.WARN if any(role) else State.OK,
        "role",
        "owns the tables, or may do anything" if any(role) else "may use the tables, and owns nothing",
        "let the service use a role that owns nothing; see docs/operations.md",
    )
    there = connection.execute(text("select now()")).scalar_one()
    if abs(there - clock.now()) > _SKEW:
        yield Line(State.WARN, "clock", "differs from the database's by minutes", "let both follow NTP")


def _clock(connection: Connection, clock: Clock) -> Line:
    body = connection.execute(text("select body from log order by seq desc limit 1")).scalar()
    now = clock.now()
    last = None if body is None else _moment(bytes(body))
    if last is not None and last > now + _SKEW:
        found = f"it is {now:%Y-%m-%d %H:%M} here, but the log already has an entry of {last:%Y-%m-%d %H:%M}"
        return Line(State.FAIL, "clock", found, "set the clock right, and let it follow NTP")
    return Line(State.OK, "clock", f"{now:%Y-%m-%d %H:%M %Z}")


def _moment(body: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(orjson.loads(body)["at"])
    except (ValueError, KeyError, TypeError):
        return None


# -------------------------------------------------------------------------------------------- checkpoints


def _kept(setup: Setup) -> Kept | None:
    if setup.key is None or setup.checkpoints is None:
        return None
    try:
        return Kept(setup.checkpoints, read_signer(setup.key).verifier)
    except KeyFileError:
        return None  # told of among the settings


def _checkpoint_age(connection: Connection, setup: Setup, size: int, clock: Clock) -> Iterator[Line]:
    kept = _kept(setup)
    if kept is None:
        return
    newest = kept.newest()
    make = "run `allocator audit checkpoint`, and let the service or a timer make them"
    if newest is None:
        state = State.WARN if size else State.OK
        yield Line(state, "checkpoint", "there is none yet", make)
        return
    told = f"of {newest.at:%Y-%m-%d %H:%M}, {newest.size} entries"
    if newest.size > size:
        found = f"{told}, but the log has only {size}"
        yield Line(State.FAIL, "checkpoint", found, "run `allocator audit verify`: entries are gone")
        return
    after = text("select body from log where seq > :size and seq <= :size + 2 order by seq limit 2")
    bodies = connection.execute(after, {"size": newest.size}).scalars().all()
    unsigned = [at for at in (_moment(bytes(b)) for b in bodies[1:]) if at is not None]
    late = any(clock.now() - at > _LATE for at in unsigned)
    yield Line(State.WARN if late else State.OK, "checkpoint", told, make)


def _checkpoint_place(setup: Setup, url: URL) -> Iterator[Line]:
    if setup.key is None or setup.checkpoints is None:
        yield Line(State.WARN, "checkpoints", "no key, or no place to keep them", UNSIGNED)
        return
    checks: tuple[Callable[[], Any], ...] = (
        lambda: read_signer(setup.key or Path()),
        lambda: _writable(setup.checkpoints or Path()),
    )
    for check in checks:
        try:
            check()
        except KeyFileError as error:
            yield Line(State.FAIL, "key", str(error), "correct ALLOCATOR_CHECKPOINT_KEY")
        except OSError:
            yield Line(
                State.FAIL,
                "checkpoints",
                f"{setup.checkpoints} cannot be written",
                "make it, or correct its rights",
            )
            return
    yield _free("disk of the checkpoints", setup.checkpoints)
    if url.get_backend_name() == "sqlite":
        beside = Path(url.database or ".").absolute().parent
        if beside.exists() and os.stat(beside).st_dev == os.stat(setup.checkpoints).st_dev:  # noqa: PTH116
            yield Line(
                State.WARN,
                "checkpoints",
                "they are on the database's own disk",
                "copy them to another machine that its administrator cannot write to",
            )


def _writable(place: Path) -> None:
    with tempfile.TemporaryFile(dir=place) as file:
        file.write(b"?")
