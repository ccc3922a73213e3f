"""Bringing a database to the tables of this version, and seeing whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select

from allocator.audit.chain import GENESIS
from allocator.store import guards
from allocator.store.engine import Connections, unhurried
from allocator.store.tables import log_head


class OutdatedError(Exception):
    """The database is of another version than the program."""

    def __init__(self, here: str | None, wanted: str) -> None:
        super().__init__(
            f"the database is of version {here or 'none'}, the program of {wanted}; run `allocator migrate`"
        )
        self.here, self.wanted = here, wanted


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """Return the version of the tables that this program has."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def version(connection: Connection) -> str | None:
    """Return the version of the tables that the database has; None if it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(connections: Connections, to: str = "head") -> str:
    """Bring the database to a version, make its guards anew, and return their fingerprint.

    Everything or nothing is done: it is one transaction.
    """
    with connections.write() as connection:
        return upgrade(connection, to)


def upgrade(connection: Connection, to: str = "head") -> str:
    """Bring a database to a version in a transaction, and return the fingerprint of its guards."""
    unhurried(connection)
    command.upgrade(_config(connection), to)
    return finish(connection)


def finish(connection: Connection) -> str:
    """Put the guards in place after a migration, and return their fingerprint."""
    guards.install(connection)
    if connection.execute(select(log_head.c.one)).one_or_none() is None:
        connection.execute(insert(log_head), {"one": 1, "size": 0, "linked": GENESIS, "facts_at": 0})
    return guards.check(connection)


def check_version(connections: Connections) -> None:
    """Look whether the database is of this version.

    Raises:
        OutdatedError: It is of another.
    """
    with connections.read() as connection:
        _check_version(connection)


def _check_version(connection: Connection) -> None:
    here = version(connection)
    if here != newest():
        raise OutdatedError(here, newest())


def check(connections: Connections) -> str:
    """Return the fingerprint of the database's guards.

    Raises:
        OutdatedError: The database is of another version.
        UnguardedError: It lacks a guard.
    """
    with connections.read() as connection:
        _check_version(connection)
        return guards.check(connection)
