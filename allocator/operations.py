"""What the operator's commands do, and what they print; the commands themselves are in `office_cli`.

Kept apart from them since it needs the database, which `allocator suggest` should not wait for.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import structlog
import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from allocator.access.authorizer import Actor
from allocator.access.table import table
from allocator.audit import checkpoints
from allocator.audit.verify import MEANING, Report, verify_database
from allocator.casework.committee import Suggestion
from allocator.clock import SystemClock
from allocator.doctor import Setup, State, examine
from allocator.ports import BusyError, CorruptError
from allocator.service import suggestions
from allocator.service.desk import Desk
from allocator.service.housekeeping import SYSTEM
from allocator.service.housekeeping import housekeep as sweep
from allocator.service.work import Work
from allocator.store import backup as backups
from allocator.store import migrate as migrations
from allocator.store.engine import Connections, DatabaseUrlError, connect, parsed
from allocator.store.guards import UnguardedError
from allocator.store.repository import SqlStorage

BAD_INPUT = 2
"""Exit code for a setting that is refused."""

FAILED = 1
"""Exit code for what was looked at and is not right, or could not be done."""

_log = structlog.get_logger("allocator.operations")
_console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
_errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


# -------------------------------------------------------------------------------------------------- audit


def verify(database: str, key: Path | None, place: Path | None) -> None:
    """Verify the whole record: 0 if nothing was changed, lost or added, 1 if something was."""
    kept = kept_by(key, place)
    with _opened(database) as connections:
        report = verify_database(connections, kept)
    _tell(report)
    if kept is None:
        _errors.print(f"not compared with any checkpoint: {checkpoints.UNSIGNED}")
    elif not report.checkpoints and report.entries:
        _errors.print(f"no checkpoint is kept in {place}: run `allocator audit checkpoint`")
    if not report.sound:
        raise typer.Exit(FAILED)


def kept_by(key: Path | None, place: Path | None) -> checkpoints.Kept | None:
    """Return the checkpoints that are signed with a key and kept in a place; None without either."""
    if key is None or place is None:
        return None
    with _settings():
        kept = checkpoints.Kept(place, checkpoints.read_verifier(key))
    if not place.is_dir():
        _refuse(f"{place} is not a directory")
    return kept


def _tell(report: Report) -> None:
    records = f"{report.versions} versions of records, {report.contents} pieces of content"
    _console.print(f"{report.entries} entries, {records}, {report.checkpoints} checkpoints")
    _console.print(f"root {report.root.hex()}")
    for fault, places in sorted(report.places.items()):
        _console.print(f"{fault}: {MEANING[fault]} ({report.counts[fault]})")
        for at in places:
            _console.print(f"  {at}")
    _console.print("nothing was changed, lost or added" if report.sound else "the record is broken")


def checkpoint(database: str, key: Path | None, place: Path | None) -> None:
    """Sign how the record stands now, if anything new stands in it."""
    if key is None or place is None:
        _refuse(checkpoints.UNSIGNED)
    if not place.is_dir():
        _refuse(f"{place} is not a directory")
    with _settings():
        signer = checkpoints.read_signer(key)
    with _opened(database) as connections, _told_to_machines():
        try:
            made = checkpoints.make(SqlStorage(connections), signer, place, SystemClock())
        except OSError as error:
            _fail(f"the checkpoint could not be kept: {error.strerror}")
    if made is None:
        _console.print("nothing new since the newest checkpoint")
    else:
        _console.print(f"{made.size} entries, root {made.root.hex()}")


def keygen(path: Path, name: str) -> None:
    """Make the key that checkpoints are signed with; only its owner can read it."""
    with _settings():
        try:
            signer = checkpoints.make_key(path, name)
        except OSError as error:
            _refuse(f"the key could not be written: {error.strerror}")
    _console.print(signer.verifier.text)
    _errors.print(
        f"the secret key is in {path}; keep the public one, printed above and in {path}.pub, elsewhere"
    )


# --------------------------------------------------------------------------------------------- the database


def migrate(database: str) -> None:
    """Bring the database to this version, and make what guards it anew."""
    with _opened(database, empty=True) as connections:
        fingerprint = migrations.migrate(connections)
    _console.print(f"version {migrations.newest()}, guards {fingerprint}")


def backup(path: Path, database: str) -> None:
    """Write everything to one file, as it is at this moment, while others go on working."""
    with _opened(database) as connections:
        try:
            done = backups.backup(connections, path, SystemClock().now())
        except OSError as error:
            _fail(f"the backup could not be written: {error.strerror}")
    _console.print(f"{sum(done.rows.values())} rows, {done.size} entries of the log, root {done.root}")
    if not done.report.sound:
        _tell(done.report)
        _errors.print("the backup was made, but of a record that is broken")
        raise typer.Exit(FAILED)


def restore(path: Path, database: str, *, unsound: bool) -> None:
    """Put a backup into an empty database: all of it, or nothing."""
    with _opened(database, empty=True) as connections:
        try:
            done = backups.restore(connections, path, SystemClock().now(), unsound=unsound)
        except backups.UnsoundError as error:
            _tell(error.report)
            _fail(f"{error}; nothing was restored")
    _console.print(f"{sum(done.rows.values())} rows, {done.size} entries of the log, root {done.root}")
    _console.print(f"as it was on {done.made_at}; what was done after that is not there")


def doctor(database: str, key: Path | None, place: Path | None) -> None:
    """Look at settings, versions, database, disk, clock, log and checkpoints, and tell what to do."""
    failed = False
    with _settings():
        for line in examine(Setup(database, key, place), SystemClock()):
            _console.print(f"{line.state:<5}{line.name}: {line.found}")
            if line.state is not State.OK:
                _console.print(f"     → {line.do}")
            failed = failed or line.state is State.FAIL
    if failed:
        raise typer.Exit(FAILED)


def housekeep(database: str) -> None:
    """Do what is due because time has passed: reminders, expired facts, reservations that run out."""
    with _opened(database) as connections, _told_to_machines():
        migrations.check(connections)
        swept = sweep(Desk(SqlStorage(connections), SystemClock()))
    _console.print(", ".join(f"{name}: {count}" for name, count in swept.done.items()))
    for name, error in swept.failed.items():
        _errors.print(f"{name} could not be done: {error}")
    if swept.failed:
        raise typer.Exit(FAILED)


def replay(identifier: str, database: str) -> None:
    """Decide a stored suggestion once more, from what is stored: 1 if the answer is not the same."""
    clock = SystemClock()
    with _opened(database) as connections, SqlStorage(connections).read(patient=True) as tx:
        work = Work(tx, table(), Actor(SYSTEM), clock.now(), clock.today(), "replay")
        try:
            stored = work.get(Suggestion, identifier)
            again = None if stored is None else suggestions.replay(work, stored)
        except CorruptError as error:
            _fail(f"what is stored is not what was stored: {error}")
    if again is None:
        _refuse("there is no suggestion of that id")
    _console.print(f"stored {again.stored}\nagain  {again.again}")
    _console.print("the same" if again.same else "NOT the same")
    if not again.same:
        raise typer.Exit(FAILED)


# --------------------------------------------------------------------------------------------- the service

SWEEP_SECONDS = 3600
"""So often the service does what is due because time has passed."""


@contextmanager
def attended(connections: Connections, key: Path | None, place: Path | None) -> Iterator[None]:
    """Sign checkpoints and keep house while a service runs, each in a thread of its own."""
    storage, clock = SqlStorage(connections), SystemClock()
    keeper = None
    if key is None or place is None:
        _errors.print(checkpoints.UNSIGNED)
    else:
        if not place.is_dir():
            _refuse(f"{place} is not a directory")
        with _settings():
            keeper = checkpoints.Keeper(storage, checkpoints.read_signer(key), place, clock)
        keeper.start()
    stopped = threading.Event()
    desk = Desk(storage, clock)

    def keep_house() -> None:
        while not stopped.wait(SWEEP_SECONDS):
            try:
                sweep(desk)
            except Exception as error:  # noqa: BLE001 - told, and tried again in an hour
                _log.error("housekeeping-failed", error=type(error).__name__)

    threading.Thread(target=keep_house, name="housekeeping", daemon=True).start()
    # The server ends its work on this signal and raises it again; then it is our turn to end ours.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        stopped.set()
        if keeper is not None:
            keeper.stop()


# -------------------------------------------------------------------------------------------------- helpers


@contextmanager
def _settings() -> Iterator[None]:
    try:
        yield
    except (DatabaseUrlError, checkpoints.KeyFileError) as error:
        _refuse(str(error))


@contextmanager
def _opened(database: str, *, empty: bool = False) -> Iterator[Connections]:
    """Give connections to a database, and tell in a line what cannot be done with it.

    Args:
        database: Its address.
        empty: Whether it may be one that has nothing in it yet.
    """
    with _settings():
        url = parsed(database)
        path = Path(url.database or "")
        if url.get_backend_name() == "sqlite" and not path.exists():
            if not empty:
                _refuse(f"there is no file {path}")
            if not path.parent.is_dir():
                _refuse(f"there is no directory {path.parent}")
            path.touch(0o600)  # what SQLite makes beside it gets the same rights
        connections = Connections(connect(database))
    try:
        if not empty:
            migrations.check_version(connections)
        yield connections
    except migrations.OutdatedError as error:
        _fail(f"{error}; run `allocator migrate`")
    except (BusyError, backups.BackupError, UnguardedError) as error:
        _fail(str(error))
    except DBAPIError:
        _fail("the database cannot be read; it may be damaged")
    finally:
        connections.engine.dispose()


@contextmanager
def _told_to_machines() -> Iterator[None]:
    """Write structured logs to standard error, as the service does."""
    usual = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**usual)


def _refuse(why: str) -> NoReturn:
    _errors.print(why)
    raise typer.Exit(BAD_INPUT)


def _fail(why: str) -> NoReturn:
    _errors.print(why)
    raise typer.Exit(FAILED)
