"""Triggers that refuse to change what is never changed, and the fingerprint that shows they are there.

A migration that copies a table, as Alembic does on SQLite, drops its triggers without a word. So whatever
guards the data is read back from the database after every migration and at every start, and compared.
"""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import Connection, inspect, text

from allocator.store.tables import APPEND_ONLY, metadata


class UnguardedError(Exception):
    """The database lacks a trigger, a constraint or an index that the data relies on."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"the database lacks: {', '.join(missing)}; run `allocator migrate`")
        self.missing = missing


def statements(dialect: str) -> list[str]:
    """Return what makes the triggers, whether they are there or not."""
    return _sqlite() if dialect == "sqlite" else _postgresql()


def _sqlite() -> list[str]:
    made = []
    for table in (t.name for t in APPEND_ONLY):
        for what in ("update", "delete"):
            refuse = f"begin select raise(abort, '{table} is never changed'); end"
            made += _trigger(f"{table}_no_{what}", f"before {what} on {table} {refuse}")
    gap = "new.seq <> coalesce((select max(seq) from log), 0) + 1"
    refuse = "begin select raise(abort, 'the log has no gaps'); end"
    made += _trigger("log_next", f"before insert on log when {gap} {refuse}")
    refuse = "begin select raise(abort, 'the log has an end'); end"
    return made + _trigger("log_head_stays", f"before delete on log_head {refuse}")


def _trigger(name: str, does: str, table: str = "") -> list[str]:
    return [f"drop trigger if exists {name}{table}", f"create trigger {name} {does}"]


_NEVER = (
    "create or replace function never_changed() returns trigger language plpgsql as "
    "$$ begin raise exception '% is never changed', tg_table_name using errcode = '42501'; end $$"
)
_NO_GAPS = (
    "create or replace function no_gaps() returns trigger language plpgsql as "
    "$$ begin if new.seq <> coalesce((select max(seq) from log), 0) + 1 then "
    "raise exception 'the log has no gaps' using errcode = '42501'; end if; return new; end $$"
)


def _postgresql() -> list[str]:
    made = [_NEVER, _NO_GAPS]
    refuse = "execute function never_changed()"
    for table in (t.name for t in APPEND_ONLY):
        change = f"before update or delete on {table} for each row {refuse}"
        made += _trigger(f"{table}_no_change", change, f" on {table}")
        truncate = f"before truncate on {table} for each statement {refuse}"
        made += _trigger(f"{table}_no_truncate", truncate, f" on {table}")
    insert = "before insert on log for each row execute function no_gaps()"
    made += _trigger("log_next", insert, " on log")
    stays = f"before delete or truncate on log_head for each statement {refuse}"
    return made + _trigger("log_head_stays", stays, " on log_head")


def install(connection: Connection) -> None:
    """Make the triggers anew."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement.replace("%", "%%") if "%" in statement else statement)


def found(connection: Connection) -> dict[str, str]:
    """Return what guards the data, by name, as the database has it."""
    guards: dict[str, str] = {}
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("select name, sql from sqlite_master where type = 'trigger'"))
        guards |= {f"trigger {name}": str(sql) for name, sql in rows}
    else:
        rows = connection.execute(
            text(
                "select t.tgname, "
                "pg_get_triggerdef(t.oid) || ' ' || cast(t.tgenabled as text) || ' ' || p.prosrc "
                "from pg_trigger t join pg_proc p on p.oid = t.tgfoid where not t.tgisinternal"
            )
        )
        guards |= {f"trigger {name}": str(sql) for name, sql in rows}
    inspector = inspect(connection)
    ours = sorted(set(inspector.get_table_names()) & set(metadata.tables))
    for (_, table), primary in inspector.get_multi_pk_constraint(filter_names=ours).items():
        guards[f"primary key of {table}"] = ",".join(primary["constrained_columns"])
    for indexes in inspector.get_multi_indexes(filter_names=ours).values():
        for index in indexes:
            guards[f"index {index['name']}"] = f"{index['column_names']} {bool(index['unique'])}"
    for (_, table), keys in inspector.get_multi_foreign_keys(filter_names=ours).items():
        for foreign in keys:
            columns = f"{foreign['constrained_columns']} {foreign['referred_table']}"
            guards[f"foreign key of {table} to {foreign['referred_table']}"] = columns
    for checks in inspector.get_multi_check_constraints(filter_names=ours).values():
        for check in checks:
            guards[f"check {check['name']}"] = "".join(str(check["sqltext"]).lower().split()).strip("()")
    return dict(sorted(guards.items()))


def expected() -> dict[str, str]:
    """Return what must be there on any database, by name; a check only has to be there."""
    wanted = {"check ck_record_version_version": "", "check ck_log_head_one": ""}
    for table in metadata.sorted_tables:
        wanted[f"primary key of {table.name}"] = ",".join(column.name for column in table.primary_key)
        for index in table.indexes:
            wanted[f"index {index.name}"] = (
                f"{[column.name for column in index.columns]} {bool(index.unique)}"
            )
        for foreign in table.foreign_key_constraints:
            referred = foreign.elements[0].column.table.name
            wanted[f"foreign key of {table.name} to {referred}"] = f"{foreign.column_keys} {referred}"
    return wanted


def _as_made(dialect: str, statement: str, here: str) -> bool:
    """Return whether a trigger is what *statement* made, and switched on."""
    if dialect == "sqlite":
        return here.lower() == statement.lower()
    definition, _, rest = here.partition("() ")
    enabled, _, source = rest.partition(" ")
    words = re.sub(r"\b\w+\.", "", f"{definition}()").lower().split()
    does = _NO_GAPS if statement.endswith("no_gaps()") else _NEVER
    return sorted(words) == sorted(statement.split()) and enabled in "OA" and f"$${source}$$" in does


def check(connection: Connection) -> str:
    """Return the fingerprint of what guards the data.

    Raises:
        UnguardedError: Something is not there, or is not what it was made.
    """
    here = found(connection)
    dialect = connection.dialect.name
    missing = []
    for name, as_made in expected().items():
        if name not in here or (as_made and here[name] != as_made):
            missing.append(name)
    for statement in statements(dialect):
        if statement.startswith("create trigger"):
            name = f"trigger {statement.split()[2]}"
            if name not in here:
                missing.append(name)
            elif not _as_made(dialect, statement, here[name]):
                missing.append(f"{name} as it was made")
    if missing:
        raise UnguardedError(tuple(sorted(missing)))
    return hashlib.sha256(repr(here).encode()).hexdigest()
