"""Statements of the hot path, compiled once and run on the driver's own cursor.

A change that is logged takes about ten statements, and what SQLAlchemy does around each costs more than the
database does. So it only writes them, from the same tables and once for each kind of database, and tells of
faults: a conflict, a busy database or a lost connection is the same error as with any other statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

Row = tuple[Any, ...]
"""A row as the driver gives it: a day is text on SQLite."""


def run(connection: Connection, sql: str, *given: Mapping[str, Any]) -> tuple[Sequence[Row], int]:
    """Execute a statement on the driver's cursor, once or for many; return its rows and how many it changed.

    Raises:
        DBAPIError: As by SQLAlchemy.
    """
    driver, cursor = connection.connection, None
    try:
        cursor = driver.cursor()
        if len(given) > 1 and connection.dialect.name == "postgresql":
            # One by one: many at once are executed before their end is sent. If the connection is lost
            # between the two, the server waits for that end for ever, and holds its locks.
            return (), sum(cursor.execute(sql, values).rowcount for values in given)
        if len(given) > 1:
            cursor.executemany(sql, given)
        else:
            cursor.execute(sql, *given)
        return (cursor.fetchall() if cursor.description else ()), cursor.rowcount
    except BaseException as fault:  # noqa: BLE001 - an interrupted connection is in the midst of something
        told = sql if isinstance(fault, connection.dialect.loaded_dbapi.Error) else None
        connection._handle_dbapi_exception(fault, told, None, cursor, None)  # noqa: SLF001


class Hot:
    """A statement that is always the same.

    Args:
        statement: The statement, with named parameters.
        columns: For an insert, the columns that are given.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = None if columns is None else list(columns)
        self._compiled: dict[str, str] = {}

    def _for(self, dialect: Dialect) -> str:
        if dialect.name not in self._compiled:
            named = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
            self._compiled[dialect.name] = str(
                self._statement.compile(dialect=named, column_keys=self._columns)
            )
        return self._compiled[dialect.name]

    def rows(self, connection: Connection, **values: Any) -> Sequence[Row]:
        """Return what it finds."""
        return run(connection, self._for(connection.dialect), values)[0]

    def change(self, connection: Connection, *rows: Mapping[str, Any]) -> int:
        """Execute it, once or for many rows at once, and return how many it changed."""
        return run(connection, self._for(connection.dialect), *rows)[1]
