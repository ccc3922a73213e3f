"""Records, content and log in one database; the same statements for SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from allocator.audit import chain
from allocator.casework.bodies import BODIES
from allocator.casework.records import Body, Kind, Stored, body_bytes
from allocator.ports import (
    CorruptError,
    Logged,
    LogHead,
    Query,
    Reply,
    StaleError,
    TakenError,
    Transaction,
)
from allocator.store import tables as t
from allocator.store.engine import Connections


class SqlTransaction:
    """A transaction on a database; see :class:`allocator.ports.Transaction`."""

    def __init__(self, connection: Connection, *, writes: bool) -> None:
        self.connection = connection
        self._writes = writes
        self._head: LogHead | None = None
        if writes:
            self._head = self._locked_head()

    # ---------------------------------------------------------------------------------------- records

    def get(self, kind: Kind, identifier: str, version: int | None = None) -> Stored[Body] | None:
        """Return a record as it is, or as it was at a version; None if there is none."""
        row = self.connection.execute(
            _NEWEST if version is None else _AT_VERSION,
            {"kind": kind.value, "id": identifier, "wanted": version},
        ).one_or_none()
        return None if row is None else _stored(row)

    def find(self, query: Query) -> Sequence[Stored[Body]]:
        """Return the records that a query asks for, by their order and id."""
        statement = _matching(select(t.version), query).order_by(t.record.c.listed, t.record.c.id)
        if query.after is not None:
            listed, identifier = query.after
            statement = statement.where(
                or_(
                    t.record.c.listed > listed,
                    and_(t.record.c.listed == listed, t.record.c.id > identifier),
                )
            )
        if query.limit is not None:
            statement = statement.limit(query.limit)
        return [_stored(row) for row in self.connection.execute(statement)]

    def count(self, query: Query) -> int:
        """Return how many records a query asks for."""
        return int(self.connection.execute(_matching(select(func.count()), query)).scalar_one())

    def history(self, kind: Kind, identifier: str) -> Sequence[Stored[Body]]:
        """Return all versions of a record, the first one first."""
        statement = (
            select(t.version)
            .where(t.version.c.kind == kind.value, t.version.c.id == identifier)
            .order_by(t.version.c.version)
        )
        return [_stored(row) for row in self.connection.execute(statement)]

    def put(self, stored: Stored[Body]) -> None:
        """Save a version. Raises StaleError or TakenError."""
        key = {"kind": stored.kind.value, "id": stored.id}
        new = stored.version == 1
        values = {
            **key,
            "version": stored.version,
            "state": stored.body.get_state(),
            "listed": stored.body.order(),
            "due": stored.body.due(),
        }
        with self._unique(StaleError(stored.kind, stored.id)):
            self.connection.execute(
                insert(t.version),
                {
                    **key,
                    "version": stored.version,
                    "body": body_bytes(stored.body),
                    "at": stored.at.isoformat(),
                    "by": stored.by,
                    "change": stored.change,
                    "reason": stored.reason,
                },
            )
            if new:
                self.connection.execute(insert(t.record), values)
        if not new:
            changed = self.connection.execute(
                _MOVE_ON, {f"b_{name}": value for name, value in values.items()}
            ).rowcount
            if changed != 1:
                raise StaleError(stored.kind, stored.id)
        self._derive(
            t.link, key, [{"target_kind": k.value, "target": i} for k, i in stored.body.links()], new=new
        )
        holds = sorted(stored.body.holds())
        if not new:
            self.connection.execute(_DROP_HOLDS, {f"b_{name}": value for name, value in key.items()})
        for held in holds:
            with self._unique(TakenError(stored.kind, held)):
                self.connection.execute(insert(t.hold), {**key, "held": held})

    def _derive(self, table: Any, key: dict[str, str], rows: list[dict[str, str]], *, new: bool) -> None:
        if not new:
            gone = delete(table).where(table.c.kind == key["kind"], table.c.id == key["id"])
            self.connection.execute(gone)
        if rows:
            self.connection.execute(insert(table), [{**key, **row} for row in rows])

    @contextlib.contextmanager
    def _unique(self, error: Exception) -> Iterator[None]:
        """Raise *error* if a key is there already; whoever began the transaction gives it up."""
        try:
            yield
        except IntegrityError:
            raise error from None

    # ---------------------------------------------------------------------------------------- content

    def keep(self, content: bytes) -> str:
        """Save content by its hash, once, and return the hash."""
        sha256 = hashlib.sha256(content).hexdigest()
        there = select(t.content.c.sha256).where(t.content.c.sha256 == sha256)
        if self.connection.execute(there).one_or_none() is None:
            self.connection.execute(insert(t.content), {"sha256": sha256, "body": content})
        return sha256

    def kept(self, sha256: str) -> bytes | None:
        """Return content by its hash. Raises CorruptError if it does not fit it."""
        found = self.connection.execute(select(t.content.c.body).where(t.content.c.sha256 == sha256)).scalar()
        if found is None:
            return None
        body = bytes(found)
        if hashlib.sha256(body).hexdigest() != sha256:
            raise CorruptError("kept content does not fit its hash")
        return body

    # ---------------------------------------------------------------------------------------- replies

    def reply(self, key: str) -> Reply | None:
        """Return what was answered to a request with that key."""
        row = self.connection.execute(select(t.answered).where(t.answered.c.key_sha256 == key)).one_or_none()
        return None if row is None else Reply(row.request_sha256, Kind(row.kind), row.id, row.version)

    def remember(self, key: str, reply: Reply, at: datetime) -> None:
        """Remember what was answered, together with the change it was about."""
        with self._unique(StaleError(reply.kind, reply.id)):
            self.connection.execute(
                insert(t.answered),
                {
                    "key_sha256": key,
                    "request_sha256": reply.request,
                    "kind": reply.kind.value,
                    "id": reply.id,
                    "version": reply.version,
                    "at": at.isoformat(),
                },
            )

    # -------------------------------------------------------------------------------------------- log

    def head(self) -> LogHead:
        """Return the end of the log."""
        return self._head or _head(self.connection.execute(_HEAD).one())

    def _locked_head(self) -> LogHead:
        statement = _HEAD.with_for_update() if self.connection.dialect.name == "postgresql" else _HEAD
        return _head(self.connection.execute(statement).one())

    def append(self, entries: Iterable[Logged], *, facts: bool) -> int:
        """Add entries to the log and return the number of the last."""
        head = self.head()
        size, linked = head.size, head.linked
        rows, nodes = [], []
        known: dict[chain.Node, bytes] = {}
        for logged in entries:
            body = chain.canonical(logged.entry)
            linked = chain.link(linked, size + 1, body)
            rows.append({"seq": size + 1, "body": body, "linked": linked})
            for place, hashed in chain.grown(
                size, chain.leaf(linked), lambda p: known.get(p) or self.node(p)
            ):
                known[place] = hashed
                nodes.append({"level": place[0], "place": place[1], "hash": hashed})
            size += 1
        if rows:
            self.connection.execute(insert(t.log), rows)
            self.connection.execute(insert(t.log_node), nodes)
            self._head = LogHead(size, linked, size if facts else head.facts_at)
            self.connection.execute(
                update(t.log_head).where(t.log_head.c.one == 1),
                {"size": size, "linked": linked, "facts_at": self._head.facts_at},
            )
        return size

    def node(self, place: chain.Node) -> bytes:
        """Return the hash of a node of the log's tree."""
        level, index = place
        statement = select(t.log_node.c.hash).where(t.log_node.c.level == level, t.log_node.c.place == index)
        return bytes(self.connection.execute(statement).scalar_one())


class SqlStorage:
    """Records in a database; see :class:`allocator.ports.Storage`."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """Begin a transaction that may change things."""
        with self.connections.write() as connection:
            yield SqlTransaction(connection, writes=True)

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """Begin a transaction that sees one state of everything."""
        with self.connections.read() as connection:
            yield SqlTransaction(connection, writes=False)


# ------------------------------------------------------------------------------------------ statements

_HERE = and_(
    t.version.c.kind == t.record.c.kind,
    t.version.c.id == t.record.c.id,
    t.version.c.version == t.record.c.version,
)
_NEWEST = (
    select(t.version)
    .join(t.record, _HERE)
    .where(t.record.c.kind == bindparam("kind"), t.record.c.id == bindparam("id"))
)
_AT_VERSION = select(t.version).where(
    t.version.c.kind == bindparam("kind"),
    t.version.c.id == bindparam("id"),
    t.version.c.version == bindparam("wanted"),
)
_MOVE_ON = (
    update(t.record)
    .where(
        t.record.c.kind == bindparam("b_kind"),
        t.record.c.id == bindparam("b_id"),
        t.record.c.version == bindparam("b_version") - 1,
    )
    .values(
        version=bindparam("b_version"),
        state=bindparam("b_state"),
        listed=bindparam("b_listed"),
        due=bindparam("b_due"),
    )
)
_DROP_HOLDS = delete(t.hold).where(t.hold.c.kind == bindparam("b_kind"), t.hold.c.id == bindparam("b_id"))
_HEAD = select(t.log_head.c.size, t.log_head.c.linked, t.log_head.c.facts_at).where(t.log_head.c.one == 1)


def _matching(statement: Select[Any], query: Query) -> Select[Any]:
    statement = (
        statement.select_from(t.record).join(t.version, _HERE).where(t.record.c.kind == query.kind.value)
    )
    if query.states is not None:
        statement = statement.where(t.record.c.state.in_(sorted(query.states)))
    if query.due_by is not None:
        statement = statement.where(t.record.c.due <= query.due_by)
    for wanted in query.links:
        mentions = t.link.alias()
        statement = statement.join(
            mentions,
            and_(
                mentions.c.kind == t.record.c.kind,
                mentions.c.id == t.record.c.id,
                mentions.c.target_kind == wanted.kind.value,
                mentions.c.target == wanted.id,
            ),
        )
    return statement


def _head(row: Any) -> LogHead:
    return LogHead(int(row.size), bytes(row.linked), int(row.facts_at))


def _stored(row: Any) -> Stored[Body]:
    kind = Kind(row.kind)
    return Stored(
        kind=kind,
        id=row.id,
        version=row.version,
        body=BODIES[kind].model_validate_json(bytes(row.body)),
        at=datetime.fromisoformat(row.at),
        by=row.by,
        change=row.change,
        reason=row.reason,
    )
