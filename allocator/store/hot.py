"""Statements of the hot path, compiled once.

A change that is logged takes eight statements. SQLAlchemy writes each anew from its objects every time, which
costs more than the database does; these are written once for each kind of database and handed to the driver.
They are made from the same tables, and faults come back as SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.sql import ClauseElement


class Hot:
    """A statement that is always the same.

    Args:
        statement: The statement, with named parameters.
        columns: For an insert, the columns that are given.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def _for(self, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
        if dialect.name not in self._compiled:
            columns = None if self._columns is None else list(self._columns)
            compiled = self._statement.compile(dialect=dialect, column_keys=columns)
            order = getattr(compiled, "positiontup", None)
            self._compiled[dialect.name] = str(compiled), None if order is None else tuple(order)
        return self._compiled[dialect.name]

    def __call__(self, connection: Connection, *rows: Mapping[str, Any]) -> CursorResult[Any]:
        """Execute it once, or for many rows at once."""
        sql, order = self._for(connection.dialect)
        plain = connection.dialect.name == "sqlite"
        given: list[Any] = [
            {name: _plain(value) for name, value in row.items()} if plain else dict(row) for row in rows
        ]
        if order is not None:
            given = [tuple(row[name] for name in order) for row in given]
        if not given:
            return connection.exec_driver_sql(sql)
        return connection.exec_driver_sql(sql, given[0] if len(given) == 1 else given)


def _plain(value: Any) -> Any:
    """Return a day as SQLite keeps it."""
    return value.isoformat() if isinstance(value, date) else value
