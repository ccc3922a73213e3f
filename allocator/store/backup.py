"""Backup and restore: one file, from one moment, into either database.

The file is a zip with every table as lines of JSON, and a manifest with their hashes and where the log
ended. It is made while others go on working and is there whole or not at all. Logins are left out: whoever
was logged in logs in again. A restore goes into an empty database in one transaction, and is only kept if
everything is as the manifest says and the log and the records have been verified.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from alembic.util import CommandError
from sqlalchemy import Connection, Date, LargeBinary, MetaData, Table, func, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from allocator import __version__
from allocator.audit import chain
from allocator.audit.verify import Report, verify
from allocator.ports import Logged
from allocator.store import migrate
from allocator.store.engine import Connections, unhurried
from allocator.store.repository import SqlTransaction
from allocator.store.tables import log_head, metadata, session

FORMAT = "allocator-backup-1"

_LEFT_OUT = frozenset({session.name})
_MANIFEST = "manifest.json"
_STEP = 500


class BackupError(Exception):
    """A backup that cannot be made or restored. Nothing was changed."""


class UnsoundError(BackupError):
    """A backup whose log and records do not agree.

    Attributes:
        report: What is wrong with it.
    """

    def __init__(self, report: Report) -> None:
        super().__init__("the log and the records in the backup do not agree")
        self.report = report


@dataclass(frozen=True)
class Done:
    """A backup that was made or restored.

    Attributes:
        size: Entries of the log in it.
        root: Root of the log's tree.
        rows: Rows of each table.
        made_at: When it was made.
        report: What was wrong, if anything.
    """

    size: int
    root: str
    rows: Mapping[str, int]
    made_at: str
    report: Report


# ------------------------------------------------------------------------------------------------- backup


def backup(connections: Connections, path: Path, at: datetime) -> Done:
    """Write a database, as it is at one moment, to a new file that only its owner can read.

    It is verified on the way, since a fault is better known now than when it is restored; it is written all
    the same.

    Raises:
        BackupError: There is such a file, or the database is of another version.
        BusyError: The database is out of reach.
        OSError: It could not be written.
    """
    if path.exists():
        raise BackupError("there is a file of that name; a backup is never overwritten")
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with connections.read() as connection:
                unhurried(connection)
                done = _written(connection, file, at)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)
        _sync(path.parent)
    except FileExistsError:
        raise BackupError("there is a file of that name; a backup is never overwritten") from None
    finally:
        half.unlink(missing_ok=True)
    return done


def _written(connection: Connection, file: Any, at: datetime) -> Done:
    revision = migrate.version(connection)
    if revision is None:
        raise BackupError("the database is empty; run `allocator migrate`")
    tx = SqlTransaction(connection, writes=False)
    tables: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for table in _tables(connection):
            tables[str(table.name)] = _table_written(connection, archive, table)
        head = tx.head()
        root = chain.root(head.size, tx.node).hex()
        manifest = {
            "format": FORMAT,
            "program": __version__,
            "revision": revision,
            "made_at": at.isoformat(),
            "tables": tables,
            "log": {"size": head.size, "linked": head.linked.hex(), "root": root},
        }
        archive.writestr(_MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    rows = {name: int(told["rows"]) for name, told in tables.items()}
    return Done(head.size, root, rows, at.isoformat(), verify(connection))


def _tables(connection: Connection) -> Iterator[Table]:
    """Yield the tables as the database has them, each after those it refers to."""
    inspector = inspect(connection)
    for known in metadata.sorted_tables:
        if known.name not in _LEFT_OUT and inspector.has_table(known.name):
            yield Table(known.name, MetaData(), autoload_with=connection, resolve_fks=False)


def _table_written(connection: Connection, archive: zipfile.ZipFile, table: Table) -> dict[str, Any]:
    rows, hashed = 0, hashlib.sha256()
    read = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_STEP)
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as member:
        for row in connection.execute(read):
            line = orjson.dumps([_plain(value) for value in row], option=orjson.OPT_APPEND_NEWLINE)
            hashed.update(line)
            member.write(line)
            rows += 1
    return {"columns": [str(c.name) for c in table.columns], "rows": rows, "sha256": hashed.hexdigest()}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; whoever reads it knows the column's type."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value.isoformat() if isinstance(value, date) else value


# ------------------------------------------------------------------------------------------------ restore


def restore(connections: Connections, path: Path, at: datetime, *, unsound: bool = False) -> Done:
    """Put a backup into an empty database, all of it or nothing, and log that.

    Args:
        connections: The database.
        path: The backup.
        at: The moment.
        unsound: Keep it though its log and records do not agree; for when there is nothing better.

    Raises:
        BackupError: It is none, it is damaged, or the database is not empty.
        BusyError: The database is out of reach.
    """
    with _readable("the file is no backup, or it is damaged"):
        archive = zipfile.ZipFile(path)
    with archive:
        manifest = _manifest(archive)
        with connections.write() as connection:
            unhurried(connection)
            done = _restored(connection, archive, manifest)
            if not (done.report.sound or unsound):
                raise UnsoundError(done.report)
            _note(connection, done, at)
    return done


@contextlib.contextmanager
def _readable(otherwise: str) -> Iterator[None]:
    """Tell in our words what is said of a damaged file, which may look like a sort of zip that we lack."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError):
        raise BackupError(otherwise) from None


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    damaged = "the backup's manifest is missing or damaged"
    with _readable(damaged):
        content = archive.read(_MANIFEST) if _MANIFEST in archive.namelist() else b""
    try:
        manifest: dict[str, Any] = orjson.loads(content)
        if manifest["format"] != FORMAT:
            raise BackupError("a backup of a form that this version does not know")
        names = {f"{name}.jsonl" for name in manifest["tables"]} | {_MANIFEST}
        whole = (
            names == set(archive.namelist())
            and isinstance(manifest["log"]["size"], int)
            and all(isinstance(told["rows"], int) for told in manifest["tables"].values())
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        whole = False
    if not whole:
        raise BackupError(damaged)
    return manifest


def _restored(connection: Connection, archive: zipfile.ZipFile, manifest: dict[str, Any]) -> Done:
    _make_ready(connection, manifest["revision"])
    rows: dict[str, int] = {}
    for table in _tables(connection):
        told = manifest["tables"].get(table.name)
        if told is None or told["columns"] != [column.name for column in table.columns]:
            raise BackupError(f"the backup has another table {table.name} than the database")
        _table_restored(connection, archive, table, told)
        rows[table.name] = told["rows"]
    log = manifest["log"]
    report = verify(connection)
    if (report.entries, report.root.hex()) != (log["size"], log["root"]):
        raise BackupError("the log in the backup does not end where its manifest says")
    if manifest["revision"] != migrate.newest():
        migrate.upgrade(connection)
    return Done(log["size"], log["root"], rows, str(manifest["made_at"]), report)


def _make_ready(connection: Connection, revision: str) -> None:
    """Make the tables as they were when the backup was made, if there are none."""
    here = migrate.version(connection)
    if here is None:
        try:
            migrate.upgrade(connection, revision)
        except CommandError:
            raise BackupError("the backup is of a newer version than this program") from None
    elif here != revision:
        raise BackupError(f"the backup is of version {revision}, the database of {here}: use a new database")
    size = connection.execute(select(log_head.c.size)).scalar_one()
    filled = size or any(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
        if table is not log_head
    )
    if filled:
        raise BackupError("the database is not empty; restore into a new one")


def _table_restored(
    connection: Connection, archive: zipfile.ZipFile, table: Table, told: dict[str, Any]
) -> None:
    rows, hashed = 0, hashlib.sha256()
    waiting: list[dict[str, Any]] = []
    columns = list(table.columns)
    for line in _lines(archive, table):
        hashed.update(line)
        try:
            values = zip(columns, orjson.loads(line), strict=True)
            waiting.append({column.name: _typed(column.type, value) for column, value in values})
        except (ValueError, TypeError):
            raise BackupError(f"the table {table.name} in the backup is damaged") from None
        rows += 1
        if len(waiting) == _STEP:
            _save(connection, table, waiting)
            waiting = []
    _save(connection, table, waiting)
    if (rows, hashed.hexdigest()) != (told["rows"], told["sha256"]):
        raise BackupError(f"the table {table.name} in the backup is not as its manifest says")


def _lines(archive: zipfile.ZipFile, table: Table) -> Iterator[bytes]:
    with _readable(f"the table {table.name} in the backup is damaged"):
        member = archive.open(f"{table.name}.jsonl")
    with member:
        while True:
            with _readable(f"the table {table.name} in the backup is damaged"):
                line = member.readline()
            if not line:
                return
            yield line


def _save(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    try:
        if table.name == log_head.name:
            connection.execute(update(table).values(**rows[0]))  # there is one from the start
        else:
            connection.execute(insert(table), rows)
    except OperationalError:
        raise
    except DBAPIError:
        raise BackupError(f"the table {table.name} in the backup cannot be stored") from None


def _typed(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value, validate=True)
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _note(connection: Connection, done: Done, at: datetime) -> None:
    """Log the restore: what was done after the backup is not there, and that shall be seen."""
    entry = {
        "at": at.isoformat(),
        "by": "system",
        "use": "restore",
        "outcome": "restored",
        "backup_made_at": done.made_at,
        "size": done.size,
        "root": done.root,
        "faults": sum(done.report.counts.values()),
    }
    SqlTransaction(connection, writes=True).append([Logged(entry)], facts=True)


def _sync(place: Path) -> None:
    directory = os.open(place, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
