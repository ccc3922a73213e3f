"""Connections, set up so that what is acknowledged is kept.

SQLite before 3.51.3 can lose committed transactions in WAL mode (*the WAL-reset bug*; 3.44.6 and 3.50.7 have
the fix too), and the one that comes with Debian 12 is such a version. The package ``pysqlite3`` brings a
sound one; with any other, WAL is not used.
"""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pysqlite3.dbapi2
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InvalidatePoolError,
    InvalidRequestError,
    OperationalError,
)

from allocator.ports import BusyError, UncertainError
from allocator.store.hot import run
from allocator.store.watch import Watch

WAIT_SECONDS = 5
"""How long a change waits for those before it; then the caller is told that nothing was saved."""

LONGEST = 8.0
"""Seconds that a transaction on a server may take; a statement may take less, and what needs more says so."""

ANSWERS = 2.0
"""Seconds within which a server answers that nothing is asked of yet; if not, the connection is lost."""

_FIXED_IN = {(3, 44): 6, (3, 50): 7, (3, 51): 3}
_POOL = 20

_PREPARED = 500
"""So many statements SQLite keeps prepared; the driver prepares what comes after them anew each time."""


class DatabaseUrlError(ValueError):
    """An address of a database that is not one of ours."""


def sound_wal(number: str) -> bool:
    """Return whether a version of SQLite is without the WAL-reset bug."""
    major, minor, patch = (int(part) for part in number.split(".")[:3])
    if (major, minor) in _FIXED_IN:
        return patch >= _FIXED_IN[major, minor]
    return (major, minor) > (3, 51)


def parsed(address: str) -> URL:
    """Return the address of a database.

    Raises:
        DatabaseUrlError: It is neither SQLite's nor PostgreSQL's.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise DatabaseUrlError(
            "an address such as sqlite:///allocator.db or postgresql://host/name"
        ) from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise DatabaseUrlError("the path of a file: what is only in memory is lost")
        return url.set(drivername="sqlite")
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise DatabaseUrlError("a database that is SQLite or PostgreSQL")


def connect(address: str, *, module: Any = pysqlite3.dbapi2) -> Engine:
    """Return an engine for a database.

    Args:
        address: ``sqlite:///path`` or ``postgresql://…``.
        module: The SQLite to use.
    """
    url = parsed(address)
    return _sqlite(url, module) if url.get_backend_name() == "sqlite" else _postgresql(url)


def _sqlite(url: URL, module: Any) -> Engine:
    engine = create_engine(
        url,
        module=module,
        connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False, "cached_statements": _PREPARED},
        hide_parameters=True,
        pool_size=_POOL,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
    )
    journal = "WAL" if sound_wal(module.sqlite_version) else "DELETE"

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"journal_mode={journal}",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={WAIT_SECONDS * 1000}",
            "trusted_schema=OFF",
            "cell_size_check=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("write")
        run(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    settings = (
        "-c statement_timeout=5000 -c lock_timeout=4000 -c idle_in_transaction_session_timeout=5000 "
        "-c timezone=UTC"
    )
    engine = create_engine(
        url,
        connect_args={"connect_timeout": 2, "tcp_user_timeout": 2000, "options": settings},
        hide_parameters=True,
        pool_size=_POOL,
        max_overflow=0,
        pool_timeout=2,
    )
    watch = Watch()

    @event.listens_for(engine, "checkout")
    def _begin(connection: Any, record: Any, _handed_out: object) -> None:
        watched = watch.begin(connection.fileno(), ANSWERS)
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            watch.end(watched)
            raise InvalidatePoolError from None  # those that were opened before it are as lost as this one
        watch.prolong(watched, LONGEST)
        record.info[_WATCHED] = partial(watch.end, watched)

    @event.listens_for(engine, "checkin")
    @event.listens_for(engine, "invalidate")
    def _end(_connection: object, record: Any, _error: object = None) -> None:
        record.info.pop(_WATCHED, _nothing)()

    return engine


def unhurried(connection: Connection) -> None:
    """Let a transaction take its time: one that reads everything is no fault."""
    if connection.dialect.name == "postgresql":
        connection.info.pop(_WATCHED, _nothing)()
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"set local {setting} = 0")


_WATCHED = "watched"


def _nothing() -> None:
    """End the watch over a connection that is not watched."""


class _FairLock:
    """A lock that is handed on in the order it was asked for.

    SQLite's own waiting starves some writers for seconds; with this in front none waits longer than its turn.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: collections.deque[threading.Event] = collections.deque()
        self._held = False

    def acquire(self, seconds: float) -> bool:
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(seconds):
            return True
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it was handed over at the last moment

    def release(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


class Connections:
    """Transactions on one database, with its faults told as ours.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = _FairLock() if engine.dialect.name == "sqlite" else None

    @contextlib.contextmanager
    def write(self, *, patient: bool = False) -> Iterator[Connection]:
        """Begin a transaction that may change things.

        Args:
            patient: It may take long, since much is changed at once.

        Raises:
            BusyError: It could not begin, or was not saved.
            UncertainError: It is not known whether it was saved.
        """
        if self._lock is not None and not self._lock.acquire(WAIT_SECONDS):
            raise BusyError("others are saving; nothing was saved")
        try:
            with self._reached() as reached:
                connection = reached.execution_options(write=True)
                with _told(), connection.begin() as transaction:
                    if patient:
                        unhurried(connection)
                    yield connection
                    with _commits(connection):
                        transaction.commit()
        finally:
            if self._lock is not None:
                self._lock.release()

    @contextlib.contextmanager
    def read(self, *, patient: bool = False) -> Iterator[Connection]:
        """Begin a transaction that sees one state of everything.

        Args:
            patient: It may take long, since something is worked out meanwhile.
        """
        with self._reached() as connection, _told():
            if self.engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901
            with connection.begin():
                if patient:
                    unhurried(connection)
                yield connection

    @contextlib.contextmanager
    def _reached(self) -> Iterator[Connection]:
        """Yield a connection that the database answers on; it is cut if it stays silent for too long."""
        with _told():
            try:
                connection = self.engine.connect()
            except InvalidRequestError:  # neither an old connection nor a new one is answered on
                raise BusyError("the database is out of reach; nothing was saved") from None
        with connection:
            yield connection


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what a database says when it is busy, full or gone into one error of ours."""
    try:
        yield
    except (OperationalError, TimeoutError) as error:
        raise BusyError("the database is busy, full or out of reach; nothing was saved") from error.__cause__
    except DBAPIError as error:
        if error.connection_invalidated:
            raise BusyError("the database is out of reach; nothing was saved") from None
        raise


@contextlib.contextmanager
def _commits(connection: Connection) -> Iterator[None]:
    """Tell it apart when the connection breaks while saving: on a server it may have been saved."""
    try:
        yield
    except (OperationalError, DBAPIError) as error:
        if connection.dialect.name == "postgresql":
            raise UncertainError(
                "the connection broke while saving; ask again with the same key to know"
            ) from None
        raise BusyError("the database is full or busy; nothing was saved") from error.__cause__
