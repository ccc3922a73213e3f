"""Finding whatever was changed, lost or added afterwards, in the log and in the records it is about.

Everything is read in one snapshot of the database, in order and piece by piece: each entry's link and number,
every node of the tree worked out anew from the entries, the end of the log, every version of every record
against its one entry, what is derived from the newest bodies, kept content against its hash, and the guards.
What is found is told by class and place, never by content.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection, text

from allocator.audit import chain
from allocator.audit.checkpoints import Kept
from allocator.casework.bodies import BODIES
from allocator.casework.records import FACT_KINDS, Kind, kept_fields, reason_sha256
from allocator.store import guards
from allocator.store.engine import Connections, unhurried

_BITS = 14
_STEP = 1 << _BITS
"""So many entries are read at a time: a whole subtree."""

_TOLD = 50
"""So many places of a class are told; all are counted."""

_DONE = b'"outcome":"done"'
_CHECKPOINT = b'"use":"checkpoint"'


class Fault(StrEnum):
    """Classes of what may be wrong."""

    SEQUENCE = "sequence"
    LINK = "link"
    HEAD = "head"
    TREE = "tree"
    ENTRY_WITHOUT_VERSION = "entry-without-version"
    VERSION_WITHOUT_ENTRY = "version-without-entry"
    VERSION_DIFFERS = "version-differs"
    NEWEST = "newest"
    DERIVED = "derived"
    CONTENT = "content"
    GUARD = "guard"
    CHECKPOINT = "checkpoint"


MEANING: Mapping[Fault, str] = {
    Fault.SEQUENCE: "entries are missing, doubled or out of order",
    Fault.LINK: "entries do not fit the hash that links them to the one before",
    Fault.HEAD: "the end of the log is not its last entry",
    Fault.TREE: "nodes of the tree are not those of the entries",
    Fault.ENTRY_WITHOUT_VERSION: "changes are logged whose version of the record is gone",
    Fault.VERSION_WITHOUT_ENTRY: "versions of records are stored that no entry tells of",
    Fault.VERSION_DIFFERS: "versions of records are not as they were logged",
    Fault.NEWEST: "records do not show their newest version, or versions are missing between",
    Fault.DERIVED: "state, lists, links or holds are not what the newest version says",
    Fault.CONTENT: "kept content is gone or does not fit its hash",
    Fault.GUARD: "the database lacks what guards it",
    Fault.CHECKPOINT: "the log is not the one that a signed checkpoint was made of",
}
"""What each class means, for people."""


@dataclass
class Report:
    """What was looked at, and what was wrong.

    Attributes:
        entries: Entries of the log.
        versions: Versions of records.
        contents: Pieces of kept content.
        checkpoints: Checkpoints that the log was compared with.
        root: Root of the tree, worked out from the entries.
        counts: How many faults there are of each class.
        places: Where, the first ones of each class: a number of the log, or a record's kind, id and version.
    """

    entries: int = 0
    versions: int = 0
    contents: int = 0
    checkpoints: int = 0
    root: bytes = b""
    counts: Counter[Fault] = field(default_factory=Counter)
    places: dict[Fault, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong."""
        return not self.counts

    def add(self, fault: Fault, place: str) -> None:
        """Note that something is wrong at a place."""
        self.counts[fault] += 1
        if len(self.places[fault]) < _TOLD:
            self.places[fault].append(place)


def verify_database(connections: Connections, kept: Kept | None = None) -> Report:
    """Return what is wrong with a database, seen in one state of it.

    Args:
        connections: The database.
        kept: Checkpoints to compare it with, and who signs them.
    """
    with connections.read() as connection:
        return verify(connection, kept)


def verify(connection: Connection, kept: Kept | None = None) -> Report:
    """Return what is wrong with a database, in the transaction of a connection."""
    before = frozenset() if kept is None else kept.names()  # before anything is read of the database
    unhurried(connection)
    report = Report()
    try:
        guards.check(connection)
    except guards.UnguardedError as error:
        for missing in error.missing:
            report.add(Fault.GUARD, missing)
    logged = _log(connection, report)
    needed = _versions(connection, report, logged)
    _content(connection, report, needed)
    if kept is not None:
        _checkpoints(connection, report, kept, before, logged.checkpoints)
    return report


def links_and_tree(connection: Connection) -> Report:
    """Return what is wrong with the log alone."""
    unhurried(connection)
    report = Report()
    _log(connection, report)
    return report


def newest_links(connection: Connection, entries: int = 1000) -> Report:
    """Return what is wrong with the last entries alone: links, numbers and the end. For a quick look."""
    report = Report()
    rows = _Cursor(connection)("select seq, body, linked from log order by seq desc limit :1", entries + 1)
    rows.reverse()
    whole = len(rows) <= entries
    seq, previous = (0, chain.GENESIS) if whole else (rows[0][0], rows[0][2])
    checked = rows if whole else rows[1:]
    _linked(report, seq, previous, checked)
    last, linked = (rows[-1][0], rows[-1][2]) if rows else (0, chain.GENESIS)
    report.entries = last
    _end(connection, report, last, linked, 0)
    return report


# --------------------------------------------------------------------------------------------------- log


@dataclass(frozen=True)
class _Change:
    """What an entry says of a version."""

    seq: int
    sha256: str
    told: tuple[Any, ...]


@dataclass
class _Logged:
    """What the entries say."""

    changes: dict[tuple[str, str, int], _Change] = field(default_factory=dict)
    checkpoints: list[tuple[int, int, str]] = field(default_factory=list)
    facts_at: int = 0


def _log(connection: Connection, report: Report) -> _Logged:
    logged = _Logged()
    tree = _Tree(connection, report)
    seq, previous = 0, chain.GENESIS
    for rows in _pieces(connection):
        _linked(report, seq, previous, rows)
        for number, body, _ in rows:
            if _DONE in body or _CHECKPOINT in body:
                _told(logged, report, number, body)
        tree.grow([linked for _, _, linked in rows])
        seq, _, previous = rows[-1]
        report.entries += len(rows)
    tree.finish()
    _end(connection, report, seq, previous, logged.facts_at)
    return logged


def _linked(report: Report, seq: int, previous: bytes, rows: list[tuple[int, bytes, bytes]]) -> None:
    """Compare the numbers and links of entries with those of the ones before them."""
    numbers = [number for number, _, _ in rows]
    for number, before in zip(numbers, [seq, *numbers], strict=False):
        if number != before + 1:
            report.add(Fault.SEQUENCE, f"before entry {number}")
    for (number, _, linked), expected in zip(rows, chain.links(previous, rows), strict=True):
        if linked != expected:
            report.add(Fault.LINK, f"entry {number}")


def _pieces(connection: Connection) -> Iterator[list[tuple[int, bytes, bytes]]]:
    read = _Cursor(connection)
    rows = read("select seq, body, linked from log order by seq limit :1", _STEP)
    while rows:
        yield [
            row if type(row[1]) is bytes is type(row[2]) else (row[0], _raw(row[1]), _raw(row[2]))
            for row in rows
        ]
        after = rows[-1][0]
        rows = read("select seq, body, linked from log where seq > :1 order by seq limit :2", after, _STEP)


def _raw(value: Any) -> bytes:
    """Return bytes as they are, and for anything else, which SQLite would keep too, some that fit nothing."""
    return value if isinstance(value, bytes) else b"\0"


def _number(value: Any) -> int:
    """Return a number as it is, and for anything else one that fits nothing."""
    return value if isinstance(value, int) else -1


class _Cursor:
    """A cursor of the database's own, for what is read by the million; a row is a plain tuple."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = connection.connection.cursor()
        self._mark = "?" if connection.dialect.name == "sqlite" else "%s"

    def __call__(self, statement: str, *values: int) -> list[Any]:
        self._cursor.execute(re.sub(r":\d", self._mark, statement), values)
        return list(self._cursor.fetchall())


def _told(logged: _Logged, report: Report, seq: int, body: bytes) -> None:
    """Take down what an entry says of a version or of a checkpoint."""
    try:
        entry = orjson.loads(body)
        if entry.get("use") == "checkpoint" and entry.get("outcome") == "made":
            logged.checkpoints.append((seq, int(entry["size"]), str(entry["root"])))
        if entry.get("outcome") != "done" or "sha256" not in entry:  # logins are done, and change no record
            return
        key = (str(entry["kind"]), str(entry["id"]), int(entry["version"]))
        told = (entry["at"], entry["by"], entry["use"], entry.get("reason_sha256"))
        change = _Change(seq, str(entry["sha256"]), told)
    except (ValueError, KeyError, TypeError, AttributeError):
        report.add(Fault.LINK, f"entry {seq} does not read")
        return
    if key in logged.changes:
        report.add(Fault.ENTRY_WITHOUT_VERSION, f"entry {seq}, {_named(*key)}, a second time")
    logged.changes[key] = change
    if key[0] in FACT_KINDS:
        logged.facts_at = seq


def _end(connection: Connection, report: Report, seq: int, linked: bytes, facts_at: int) -> None:
    rows = connection.execute(text("select size, linked, facts_at from log_head")).all()
    if len(rows) != 1:
        report.add(Fault.HEAD, f"{len(rows)} of them")
        return
    size, at_end, facts = _number(rows[0][0]), _raw(rows[0][1]), _number(rows[0][2])
    if size != seq or size != report.entries or at_end != linked:
        report.add(Fault.HEAD, f"says {size}, last entry {seq}, entries {report.entries}")
    if not facts_at <= facts <= size:
        report.add(Fault.HEAD, f"facts changed at entry {facts_at} or later, not {facts}")


class _Tree:
    """The tree over the entries, worked out anew beside the one that is stored."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._read = _Cursor(connection)
        self._report = report
        self._size = 0
        self._tops: list[bytes] = []
        self._peaks: dict[chain.Node, bytes] = {}

    def grow(self, linked: list[bytes]) -> None:
        """Add a whole subtree, or what is left at the end."""
        hashes = chain.leaves(linked)
        for level in range(_BITS + 1):
            place = self._size >> level
            self._compare(level, place, hashes)
            if level == _BITS:
                self._tops += hashes
            else:
                hashes = self._above(level, place, hashes)
        self._size += len(linked)

    def _above(self, level: int, place: int, hashes: list[bytes]) -> list[bytes]:
        if len(hashes) % 2:
            self._peaks[level, place + len(hashes) - 1] = hashes[-1]
        return chain.parents(hashes)

    def finish(self) -> None:
        """Work out what is above the subtrees, and look for nodes that belong to nothing."""
        level, hashes = _BITS, self._tops
        while hashes:
            hashes = self._above(level, 0, hashes)
            level += 1
            self._compare(level, 0, hashes)
        self._report.root = chain.root(self._size, self._peaks.__getitem__)
        for at, first, last, count in self._read(
            "select level, min(place), max(place), count(*) from log_node group by level"
        ):
            wanted = self._size >> at if 0 <= _number(at) < _LEVELS else 0
            if count > wanted or _number(first) < 0 or _number(last) >= wanted:
                self._report.add(Fault.TREE, f"level {at}: {count} nodes, {wanted} complete")

    def _compare(self, level: int, place: int, hashes: list[bytes]) -> None:
        if not hashes:
            return
        rows = self._read(_NODES, level, place, place + len(hashes))
        if [hashed for _, hashed in rows] == hashes:
            return
        stored = dict(rows)
        for at, hashed in enumerate(hashes, place):
            if stored.get(at) != hashed:
                self._report.add(Fault.TREE, f"level {level}, node {at}")


_LEVELS = 63
_NODES = "select place, hash from log_node where level = :1 and place >= :2 and place < :3 order by place"


# ------------------------------------------------------------------------------------------------ records


def _versions(connection: Connection, report: Report, logged: _Logged) -> dict[str, str]:
    """Compare records with the log and with what is derived from them; return what content they name."""
    derived = _Derived(connection)
    needed: dict[str, str] = {}
    left = logged.changes
    rows = _streamed(
        connection,
        'select kind, id, version, body, at, "by", change, reason from record_version '
        "order by kind, id, version",
    )
    for (kind, identifier), versions in groupby(rows, key=lambda row: (row[0], row[1])):
        newest, body = 0, b""
        for _, _, number, stored, *told in versions:
            report.versions += 1
            version = _number(number)
            place = _named(kind, identifier, version)
            if version != newest + 1:
                report.add(Fault.NEWEST, f"{place}, after version {newest}")
            newest, body = version, _raw(stored)
            _compare_entry(report, left.pop((kind, identifier, version), None), place, body, told)
            _name_content(needed, kind, body, place)
        _compare_derived(report, derived, (kind, identifier), newest, body)
    for key, change in left.items():
        report.add(Fault.ENTRY_WITHOUT_VERSION, f"entry {change.seq}, {_named(*key)}")
    for kind, identifier in derived.left():
        report.add(Fault.DERIVED, f"{kind} {identifier}: no version of it is there")
    return needed


def _compare_entry(report: Report, change: _Change | None, place: str, body: bytes, told: list[Any]) -> None:
    if change is None:
        report.add(Fault.VERSION_WITHOUT_ENTRY, place)
        return
    at, by, use, reason = told
    sha256 = hashlib.sha256(body).hexdigest()
    if change.sha256 != sha256:
        report.add(Fault.VERSION_DIFFERS, f"entry {change.seq}, {place}: its content")
    if change.told != (at, by, use, reason_sha256(sha256, reason)):
        report.add(Fault.VERSION_DIFFERS, f"entry {change.seq}, {place}: when, by whom, how or why")


def _name_content(needed: dict[str, str], kind: str, body: bytes, place: str) -> None:
    fields = kept_fields(BODIES[Kind(kind)]) if kind in _KINDS else ()
    if fields:
        try:
            values = orjson.loads(body)
        except ValueError:
            return
        needed.update((values[name], place) for name in fields if isinstance(values.get(name), str))


_KINDS = frozenset(kind.value for kind in Kind)

_Row = tuple[str, str]


class _Derived:
    """What the database has derived of every record."""

    def __init__(self, connection: Connection) -> None:
        self.records: dict[_Row, tuple[int, str, str, str]] = {}
        self.links: dict[_Row, set[_Row]] = defaultdict(set)
        self.holds: dict[_Row, set[str]] = defaultdict(set)
        for kind, identifier, version, state, listed, due in _streamed(
            connection, "select kind, id, version, state, listed, due from record"
        ):
            self.records[kind, identifier] = (version, state, listed, str(due))
        for kind, identifier, target_kind, target in _streamed(
            connection, "select kind, id, target_kind, target from record_link"
        ):
            self.links[kind, identifier].add((target_kind, target))
        for held, kind, identifier in _streamed(connection, "select held, kind, id from record_hold"):
            self.holds[kind, identifier].add(held)

    def left(self) -> list[_Row]:
        """Return the records that were not asked for."""
        return sorted(set(self.records) | set(self.links) | set(self.holds), key=str)


def _compare_derived(report: Report, derived: _Derived, key: _Row, newest: int, body: bytes) -> None:
    kind, identifier = key
    record = derived.records.pop(key, None)
    links, holds = derived.links.pop(key, set()), derived.holds.pop(key, set())
    place = _named(kind, identifier, newest)
    if record is None or record[0] != newest:
        report.add(Fault.NEWEST, f"{place}, shown: {record and record[0]}")
    try:
        read = BODIES[Kind(kind)].model_validate_json(body)
    except (ValueError, ValidationError):
        report.add(Fault.VERSION_DIFFERS, f"{place}: does not read")
        return
    expected = (read.get_state(), read.order(), str(read.due()))
    if record is not None and record[1:] != expected:
        report.add(Fault.DERIVED, f"{place}: state, order or due day")
    if links != {(link.kind.value, link.id) for link in read.links()}:
        report.add(Fault.DERIVED, f"{place}: links")
    if holds != read.holds():
        report.add(Fault.DERIVED, f"{place}: holds")


def _content(connection: Connection, report: Report, needed: dict[str, str]) -> None:
    for sha256, body in _streamed(connection, "select sha256, body from content"):
        report.contents += 1
        if hashlib.sha256(_raw(body)).hexdigest() != sha256:
            report.add(Fault.CONTENT, f"content {sha256}")
        needed.pop(sha256, None)
    for sha256, place in needed.items():
        report.add(Fault.CONTENT, f"content {sha256} of {place} is gone")


def _streamed(connection: Connection, statement: str) -> Iterator[tuple[Any, ...]]:
    for rows in connection.execute(text(statement).execution_options(yield_per=2000)).partitions():
        yield from map(tuple, rows)


def _named(kind: str, identifier: str, version: int) -> str:
    return f"{kind} {identifier} version {version}"


# -------------------------------------------------------------------------------------------- checkpoints


def _checkpoints(
    connection: Connection,
    report: Report,
    kept: Kept,
    before: frozenset[str],
    logged: list[tuple[int, int, str]],
) -> None:
    """Compare the log with every signed checkpoint, and those with what the log says was signed.

    The service goes on meanwhile: one that was not there *before* may be of entries that are not seen yet.
    """
    root_at = _roots(connection)
    signed: set[tuple[int, str]] = set()
    for name, checkpoint in kept.read():
        if checkpoint is not None:
            signed.add((checkpoint.size, checkpoint.root.hex()))
            if checkpoint.size > report.entries and name not in before:
                continue
        report.checkpoints += 1
        if checkpoint is None:
            report.add(Fault.CHECKPOINT, f"{name}: not one that was signed with the key")
        elif checkpoint.size > report.entries:
            lost = f"entries {report.entries + 1} to {checkpoint.size} are gone"
            report.add(Fault.CHECKPOINT, f"{name}: {lost}")
        elif root_at(checkpoint.size) != checkpoint.root:
            report.add(Fault.CHECKPOINT, f"{name}: entries up to {checkpoint.size} are not those signed then")
    for seq, size, root in logged:
        if (size, root) not in signed:
            report.add(Fault.CHECKPOINT, f"entry {seq}: the checkpoint of {size} entries is not kept here")


def _roots(connection: Connection) -> Callable[[int], bytes | None]:
    read = _Cursor(connection)

    def node(place: chain.Node) -> bytes:
        level, at = place
        return bytes(read(_NODES, level, at, at + 1)[0][1])

    def root(size: int) -> bytes | None:
        try:
            return chain.root(size, node)
        except IndexError:
            return None

    return root
