"""Statements of the hot path: their faults are those of any other statement, and they are prepared once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError

from allocator.casework.records import Kind, Stored
from allocator.casework.voice import Comment
from allocator.ports import BusyError, Logged, StaleError
from allocator.store import engine
from allocator.store.engine import Connections, connect
from allocator.store.hot import run
from allocator.store.repository import SqlStorage, SqlTransaction
from tests.databases import BACKENDS, fresh, opened

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)


@pytest.fixture(params=BACKENDS)
def connections(request: pytest.FixtureRequest) -> Connections:
    """Connections to an empty database."""
    return opened(request.param)


Execute = Callable[[Connection, str, Mapping[str, Any]], object]


def plainly(connection: Connection, sql: str, given: Mapping[str, Any]) -> None:
    """Execute as SQLAlchemy does."""
    connection.exec_driver_sql(sql, dict(given) if type(given) is dict else given)


class Interrupted(dict[str, Any]):
    """Values that somebody stops the program at."""

    def __missing__(self, _: str) -> Any:
        raise KeyboardInterrupt


def named(connection: Connection, sql: str) -> str:
    """Return a statement with the marks of the driver for ``:name``."""
    if connection.dialect.name == "sqlite":
        return sql
    for name in ("held", "value"):
        sql = sql.replace(f":{name}", f"%({name})s")
    return sql


HOLD = "insert into record_hold (held, kind, id) values (:held, 'unit', 'nordlia-1')"


def conflict(connection: Connection, execute: Execute) -> None:
    """Save what is there already."""
    content = named(connection, "insert into content (sha256, body) values (:held, :value)")
    for _ in range(2):
        execute(connection, content, {"held": "a" * 64, "value": b"Kari Nordmann"})


def reference(connection: Connection, execute: Execute) -> None:
    """Save what belongs to a record that is not there."""
    execute(connection, named(connection, HOLD), {"held": "the-bed"})


def refused(connection: Connection, execute: Execute) -> None:
    """Change what is never changed."""
    execute(connection, "insert into log_node (level, place, hash) values (0, 0, '')", {})
    execute(connection, "update log_node set place = 1", {})


def gap(connection: Connection, execute: Execute) -> None:
    """Leave out a number of the log."""
    execute(connection, "insert into log (seq, body, linked) values (7, '', '')", {})


def nonsense(connection: Connection, execute: Execute) -> None:
    """Say what no database understands."""
    execute(connection, "select from where", {})


def unknown(connection: Connection, execute: Execute) -> None:
    """Give what is no value of a database."""
    execute(connection, named(connection, "select :value"), {"value": object()})


def missing(connection: Connection, execute: Execute) -> None:
    """Give no value where one belongs."""
    execute(connection, named(connection, "select :value"), {"another": 1})


def unwritable(connection: Connection, execute: Execute) -> None:
    """Give a text that cannot be written."""
    execute(connection, named(connection, "select :value"), {"value": "\ud800"})


def interrupted(connection: Connection, execute: Execute) -> None:
    """Stop the program meanwhile."""
    execute(connection, named(connection, "select :value"), Interrupted())


def lost(connection: Connection, execute: Execute) -> None:
    """Use a connection that is closed."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.close()
    execute(connection, "select 1", {})


def cut(connection: Connection, execute: Execute) -> None:
    """Use a connection that the server ends: on SQLite there is no server, and it is interrupted."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(lambda: 1, 1)
        try:
            execute(connection, "select count(*) from record_version a, record_version b", {})
        finally:
            driver.set_progress_handler(None, 0)
    else:
        execute(connection, "select pg_terminate_backend(pg_backend_pid())", {})


FAULTS = (
    conflict,
    reference,
    refused,
    gap,
    nonsense,
    unknown,
    missing,
    unwritable,
    interrupted,
    lost,
    cut,
)


def told(connections: Connections, fault: Callable[[Connection, Execute], None], execute: Execute) -> Any:
    """Return what a fault comes to: its classes, whether the connection is lost, what the caller hears."""
    seen: list[Any] = []
    try:
        with connections.write() as connection:
            try:
                fault(connection, execute)
            except BaseException as error:
                seen += [type(error), type(getattr(error, "orig", None))]
                seen += [getattr(error, "connection_invalidated", None), connection.invalidated]
                seen += [getattr(error, "statement", None)]
                raise
    except BaseException as error:  # noqa: BLE001 - an interruption is one of them
        return [*seen, type(error), connections.engine.pool.checkedout()]  # type: ignore[attr-defined]
    raise AssertionError("there was no fault")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_told_as_with_any_other_statement(
    connections: Connections, fault: Callable[[Connection, Execute], None]
) -> None:
    """The classes, whether the connection is lost, what the caller hears: all as SQLAlchemy has it."""
    assert told(connections, fault, run) == told(connections, fault, plainly)
    with connections.read() as connection:
        assert run(connection, "select count(*) from log")[0] == [(0,)]


def test_connections_older_than_a_lost_one_are_not_used_again(connections: Connections) -> None:
    """Whatever ended one has ended those as well."""
    with connections.engine.connect() as one, connections.engine.connect() as other:
        before = [one.connection.driver_connection, other.connection.driver_connection]
    with pytest.raises(BusyError), connections.write() as connection:
        lost(connection, run)
    with connections.engine.connect() as one, connections.engine.connect() as other:
        for connection in (one, other):
            assert connection.connection.driver_connection not in before
            assert run(connection, "select 1")[0] == [(1,)]


def test_nothing_more_is_done_in_a_transaction_that_is_lost(connections: Connections) -> None:
    """What was before is gone; what came after would be half a change."""

    def go_on(connection: Connection) -> None:
        with pytest.raises(DBAPIError):
            lost(connection, run)
        run(connection, "select 1")

    with pytest.raises(PendingRollbackError), connections.write() as connection:
        go_on(connection)


@pytest.mark.parametrize("execute", [run, plainly])
def test_a_fault_does_not_tell_the_values(connections: Connections, execute: Execute) -> None:
    """They may be about people, and errors end in logs."""
    with pytest.raises(IntegrityError) as caught, connections.write() as connection:
        conflict(connection, execute)
    assert "insert into content" in str(caught.value)
    assert "Kari" not in str(caught.value)


def version(number: int, text: str = "a text") -> Stored[Comment]:
    """Return the first version of a comment."""
    body = Comment(about=Kind.UNIT, of="nordlia-1", author="ansatt", text=text)
    return Stored(Kind.COMMENT, f"C-{number}", 1, body, NOW, "ansatt", "comments.make")


def test_who_saves_a_version_that_is_there_is_told(connections: Connections) -> None:
    """And nothing of the second one is saved."""
    storage = SqlStorage(connections)

    def save(stored: Stored[Comment]) -> None:
        with storage.write() as tx:
            tx.append([Logged({"use": "comments.make"})], facts=False)
            tx.put(stored)

    save(version(1))
    with pytest.raises(StaleError):
        save(version(1, "another"))
    with storage.read() as tx:
        assert tx.history(Kind.COMMENT, "C-1") == [version(1)]
        assert tx.head().size == 1


def test_who_cannot_begin_to_save_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process is saving, and does not end."""
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0)
    address = fresh("sqlite")
    others, ours = Connections(connect(address)), Connections(connect(address))
    with others.write(), pytest.raises(BusyError) as caught, ours.write():
        pass
    assert "locked" in str(caught.value.__cause__)


def test_who_cannot_save_what_they_began_is_told() -> None:
    """On SQLite, whoever has begun to read cannot change what has been changed meanwhile."""
    connections = opened("sqlite")

    def overtaken(reading: Connection) -> None:
        assert run(reading, "select size from log_head")[0] == [(0,)]
        with SqlStorage(connections).write() as tx:
            tx.append([Logged({"use": "comments.make"})], facts=False)
        SqlTransaction(reading, writes=False).put(version(1))

    with pytest.raises(BusyError) as caught, connections.read() as reading:
        overtaken(reading)
    assert "locked" in str(caught.value.__cause__)


def test_who_waits_too_long_for_the_end_of_the_log_is_told() -> None:
    """On PostgreSQL, one after another adds to it."""
    connections = opened("postgresql")

    def wait(waiting: Connection) -> None:
        run(waiting, "set local lock_timeout = 10")
        SqlTransaction(waiting, writes=True)

    with (
        SqlStorage(connections).write(),
        pytest.raises(BusyError) as caught,
        connections.write() as waiting,
    ):
        wait(waiting)
    assert "lock timeout" in str(caught.value.__cause__)


def test_statements_stay_prepared_however_many_others_there_were() -> None:
    """The driver keeps so many; what does not find a place would be prepared anew each time."""
    connections = opened("sqlite")
    storage = SqlStorage(connections)
    prepared: list[str] = []

    def preparing(_action: int, about: str, *_: object) -> int:
        prepared.append(about)
        return 0

    def change(number: int) -> None:
        with storage.write() as tx:
            tx.put(version(number))
            tx.append([Logged({"number": number})], facts=False)

    with connections.read() as connection:
        for number in range(200):
            run(connection, f"select {number}")
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_authorizer(preparing)
    for number in range(1, 5):
        change(number)
    assert {"record_version", "log", "log_node"} <= set(prepared)
    prepared.clear()
    for number in range(5, 9):
        change(number)
    assert set(prepared) <= {"COMMIT", "ROLLBACK"}


def test_many_rows_are_each_ended_before_the_next_is_sent(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL would wait for the end of a batch for ever, and hold its locks, if it were lost."""
    monkeypatch.setattr("psycopg.Cursor.executemany", None)
    content = "insert into content (sha256, body) values (:held, :value)"
    rows = [{"held": f"{number}" * 64, "value": b"x"} for number in range(3)]

    with connections.write() as connection:
        assert run(connection, named(connection, content), *rows) == ((), 3)
