"""Records, content and log in one database; the same statements for SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from allocator.audit import chain
from allocator.casework.bodies import BODIES
from allocator.casework.records import Body, Kind, Link, Stored, body_bytes
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
from allocator.store.hot import Hot
from allocator.store.logins import SqlLogins


class SqlTransaction:
    """A transaction on a database; see :class:`allocator.ports.Transaction`."""

    def __init__(self, connection: Connection, *, writes: bool) -> None:
        self.connection = connection
        self._writes = writes
        self.logins = SqlLogins(connection)
        self._head: LogHead | None = None
        if writes:
            self._head = self._locked_head()

    # ---------------------------------------------------------------------------------------- records

    def get(self, kind: Kind, identifier: str, version: int | None = None) -> Stored[Body] | None:
        """Return a record as it is, or as it was at a version; None if there is none."""
        if version is None:
            rows = _NEWEST.rows(self.connection, b_kind=kind.value, b_id=identifier)
        else:
            rows = _AT_VERSION.rows(self.connection, b_kind=kind.value, b_id=identifier, b_version=version)
        return _stored(rows[0]) if rows else None

    def find(self, query: Query) -> Sequence[Stored[Body]]:
        """Return the records that a query asks for, by their order and id."""
        if len(query.links) == 1 and query.after is None and query.limit is None:
            return self._linked(query)
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

    def _linked(self, query: Query) -> Sequence[Stored[Body]]:
        """Return the few records that mention something: what is asked of every record that is shown."""
        (wanted,) = query.links
        rows = _LINKED.rows(
            self.connection, b_kind=query.kind.value, b_target_kind=wanted.kind.value, b_target=wanted.id
        )
        return [
            _stored(row)
            for *row, state, due in rows
            if (query.states is None or state in query.states)
            and (query.due_by is None or (due is not None and _day(due) <= query.due_by))
        ]

    def count(self, query: Query) -> int:
        """Return how many records a query asks for."""
        return int(self.connection.execute(_matching(select(func.count()), query)).scalar_one())

    def holder(self, held: str) -> Link | None:
        """Return which record holds a key."""
        row = self.connection.execute(select(t.hold).where(t.hold.c.held == held)).one_or_none()
        return None if row is None else Link(Kind(row.kind), row.id)

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
        new, due = stored.version == 1, stored.body.due()
        values = {
            **key,
            "version": stored.version,
            "state": stored.body.get_state(),
            "listed": stored.body.order(),
            "due": None if due is None else due.isoformat(),
        }
        try:
            _NEW_VERSION.change(
                self.connection,
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
                _NEW_RECORD.change(self.connection, values)
        except IntegrityError:
            raise StaleError(stored.kind, stored.id) from None
        if not new:
            bound = {f"b_{name}": value for name, value in values.items()}
            bound["b_before"] = stored.version - 1
            if _MOVE_ON.change(self.connection, bound) != 1:
                raise StaleError(stored.kind, stored.id)
            for drop in (_DROP_LINKS, _DROP_HOLDS):
                drop.change(self.connection, {f"b_{name}": value for name, value in key.items()})
        links = [{**key, "target_kind": k.value, "target": i} for k, i in stored.body.links()]
        if links:
            _NEW_LINK.change(self.connection, *links)
        for held in sorted(stored.body.holds()):
            try:
                _NEW_HOLD.change(self.connection, {**key, "held": held})
            except IntegrityError:
                raise TakenError(stored.kind, held) from None

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
        body = found.encode() if isinstance(found, str) else bytes(found)
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
        try:
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
        except IntegrityError:
            raise StaleError(reply.kind, reply.id) from None

    def forget_replies(self, before: datetime) -> int:
        """Forget what was answered before a moment, and return how many answers that were."""
        # Their texts have the offset of summer or winter: an hour is nothing to what is long past.
        old = delete(t.answered).where(t.answered.c.at < before.isoformat())
        return int(self.connection.execute(old).rowcount)

    # -------------------------------------------------------------------------------------------- log

    def head(self) -> LogHead:
        """Return the end of the log."""
        return self._head or _head(_HEAD, self.connection)

    def _locked_head(self) -> LogHead:
        """Return the end of the log and let nobody else add to it (SQLite has locked itself already)."""
        postgresql = self.connection.dialect.name == "postgresql"
        return _head(_HEAD_LOCKED if postgresql else _HEAD, self.connection)

    def logged(
        self, holding: Sequence[str] = (), before: int | None = None
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the entries of the log with their numbers, the last one first."""
        statement = select(t.log.c.seq, t.log.c.body).order_by(t.log.c.seq.desc())
        if before is not None:
            statement = statement.where(t.log.c.seq < before)
        # the same two arguments on both: where to look, and what for
        place = func.instr if self.connection.dialect.name == "sqlite" else func.pg_catalog.position
        for text in holding:
            statement = statement.where(place(t.log.c.body, orjson.dumps(text)) > 0)
        for row in self.connection.execute(statement.execution_options(yield_per=1000)):
            yield int(row.seq), orjson.loads(bytes(row.body))

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
            _NEW_ENTRY.change(self.connection, *rows)
            _NEW_NODE.change(self.connection, *nodes)
            self._head = LogHead(size, linked, size if facts else head.facts_at)
            _GROW.change(
                self.connection, {"b_size": size, "b_linked": linked, "b_facts_at": self._head.facts_at}
            )
        return size

    def node(self, place: chain.Node) -> bytes:
        """Return the hash of a node of the log's tree."""
        level, index = place
        ((hashed,),) = _NODE.rows(self.connection, b_level=level, b_place=index)
        return bytes(hashed)


class SqlStorage:
    """Records in a database; see :class:`allocator.ports.Storage`."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections

    @contextlib.contextmanager
    def write(self, *, patient: bool = False) -> Iterator[Transaction]:
        """Begin a transaction that may change things."""
        with self.connections.write(patient=patient) as connection:
            yield SqlTransaction(connection, writes=True)

    @contextlib.contextmanager
    def read(self, *, patient: bool = False) -> Iterator[Transaction]:
        """Begin a transaction that sees one state of everything."""
        with self.connections.read(patient=patient) as connection:
            yield SqlTransaction(connection, writes=False)


# ------------------------------------------------------------------------------------------ statements

_HERE = and_(
    t.version.c.kind == t.record.c.kind,
    t.version.c.id == t.record.c.id,
    t.version.c.version == t.record.c.version,
)
_NEWEST = Hot(
    select(t.version)
    .join(t.record, _HERE)
    .where(t.record.c.kind == bindparam("b_kind"), t.record.c.id == bindparam("b_id"))
)
_AT_VERSION = Hot(
    select(t.version).where(
        t.version.c.kind == bindparam("b_kind"),
        t.version.c.id == bindparam("b_id"),
        t.version.c.version == bindparam("b_version"),
    )
)
_LINKED = Hot(
    select(t.version, t.record.c.state, t.record.c.due)
    .select_from(t.link)
    .join(t.record, and_(t.record.c.kind == t.link.c.kind, t.record.c.id == t.link.c.id))
    .join(t.version, _HERE)
    .where(
        t.link.c.target_kind == bindparam("b_target_kind"),
        t.link.c.target == bindparam("b_target"),
        t.link.c.kind == bindparam("b_kind"),
    )
    .order_by(t.record.c.listed, t.record.c.id)
)
_NEW_VERSION = Hot(insert(t.version), t.version.c.keys())
_NEW_RECORD = Hot(insert(t.record), t.record.c.keys())
_MOVE_ON = Hot(
    update(t.record)
    .where(
        t.record.c.kind == bindparam("b_kind"),
        t.record.c.id == bindparam("b_id"),
        t.record.c.version == bindparam("b_before"),
    )
    .values({name: bindparam(f"b_{name}") for name in ("version", "state", "listed", "due")})
)
_NEW_LINK, _NEW_HOLD = Hot(insert(t.link), t.link.c.keys()), Hot(insert(t.hold), t.hold.c.keys())
_DROP_LINKS, _DROP_HOLDS = (
    Hot(delete(table).where(table.c.kind == bindparam("b_kind"), table.c.id == bindparam("b_id")))
    for table in (t.link, t.hold)
)
_END = select(t.log_head.c.size, t.log_head.c.linked, t.log_head.c.facts_at).where(
    t.log_head.c.one == literal_column("1")
)
_HEAD, _HEAD_LOCKED = Hot(_END), Hot(_END.with_for_update())
_NEW_ENTRY, _NEW_NODE = Hot(insert(t.log), t.log.c.keys()), Hot(insert(t.log_node), t.log_node.c.keys())
_NODE = Hot(
    select(t.log_node.c.hash).where(
        t.log_node.c.level == bindparam("b_level"), t.log_node.c.place == bindparam("b_place")
    )
)
_GROW = Hot(
    update(t.log_head)
    .where(t.log_head.c.one == literal_column("1"))
    .values({name: bindparam(f"b_{name}") for name in ("size", "linked", "facts_at")})
)


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


def _day(value: Any) -> date:
    """Return a day as the database gives it: SQLite has it as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _head(statement: Hot, connection: Connection) -> LogHead:
    ((size, linked, facts_at),) = statement.rows(connection)
    return LogHead(int(size), bytes(linked), int(facts_at))


def _stored(row: Iterable[Any]) -> Stored[Body]:
    named, identifier, version, body, at, by, change, reason = row
    kind = Kind(named)
    return Stored(
        kind=kind,
        id=identifier,
        version=version,
        body=BODIES[kind].model_validate_json(bytes(body)),
        at=datetime.fromisoformat(at),
        by=by,
        change=change,
        reason=reason,
    )
