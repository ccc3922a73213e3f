"""Triggers that refuse to change what is never changed, and the fingerprint that shows they are there.

A migration that copies a table, as Alembic does on SQLite, drops its triggers without a word. So whatever
guards the data is read back from the database after every migration and at every start, and compared.
"""

from __future__ import annotations

import hashlib

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
    for table in metadata.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        key = inspector.get_pk_constraint(table.name)["constrained_columns"]
        guards[f"primary key of {table.name}"] = ",".join(key)
        for index in inspector.get_indexes(table.name):
            guards[f"index {index['name']}"] = f"{index['column_names']} {bool(index['unique'])}"
        for foreign in inspector.get_foreign_keys(table.name):
            columns = f"{foreign['constrained_columns']} {foreign['referred_table']}"
            guards[f"foreign key of {table.name} to {foreign['referred_table']}"] = columns
        for check in inspector.get_check_constraints(table.name):
            guards[f"check {check['name']}"] = "".join(str(check["sqltext"]).lower().split()).strip("()")
    return dict(sorted(guards.items()))


def expected() -> frozenset[str]:
    """Return the names of everything that must be there on any database."""
    names = {f"primary key of {table.name}" for table in metadata.sorted_tables}
    for table in metadata.sorted_tables:
        names |= {f"index {index.name}" for index in table.indexes}
        names |= {
            f"foreign key of {table.name} to {f.elements[0].column.table.name}"
            for f in table.foreign_key_constraints
        }
    return frozenset(names | {"check ck_record_version_version", "check ck_log_head_one"})


def _triggers(dialect: str) -> frozenset[str]:
    made = (s.split()[2] for s in statements(dialect) if s.startswith("create trigger"))
    return frozenset(f"trigger {name}" for name in made)


def check(connection: Connection) -> str:
    """Return the fingerprint of what guards the data.

    Raises:
        UnguardedError: Something is not there.
    """
    here = found(connection)
    wanted = expected() | _triggers(connection.dialect.name)
    missing = tuple(sorted(wanted - set(here)))
    if connection.dialect.name == "sqlite":
        made = {s.split()[2]: s for s in statements("sqlite") if s.startswith("create trigger")}
        changed = (n for n, s in made.items() if here.get(f"trigger {n}", s).lower() != s.lower())
        missing += tuple(f"trigger {name} as it was made" for name in changed)
    else:
        off = (n for n, s in here.items() if n.startswith("trigger ") and " D " in f"{s} ")
        missing += tuple(f"{name} switched on" for name in off)
    if missing:
        raise UnguardedError(missing)
    return hashlib.sha256(repr(here).encode()).hexdigest()
