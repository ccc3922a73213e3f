"""Somebody with all rights to the database, who changes what must not be changed and covers the tracks.

Each way of tampering is a function of a :class:`Hand`. It switches off what guards the data as a database
administrator would, does its work, and leaves the guards as they were. What it does is never committed: the
record is verified in the same transaction, which is then rolled back.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select, text, update

from allocator.audit import chain
from allocator.audit.checkpoints import Checkpoint, Kept, Signer
from allocator.audit.verify import Fault
from allocator.casework.bodies import BODIES
from allocator.casework.records import Kind
from allocator.store import guards
from allocator.store import tables as t
from allocator.store.engine import Connections, unhurried


@dataclass
class Hand:
    """A hand in the database.

    Attributes:
        connection: Its connection, in a transaction.
        random: Where it strikes.
        signed: How many entries the newest checkpoint covers.
        kept: The checkpoints, in a directory of this hand's own.
    """

    connection: Connection
    random: random.Random
    signed: int
    kept: Kept
    _nodes: dict[chain.Node, bytes] = field(default_factory=dict)

    def do(self, statement: Any, values: Any = None) -> None:
        """Change something, and be sure that something was changed."""
        assert self.connection.execute(statement, values).rowcount != 0

    # --------------------------------------------------------------------------------------------- log

    def entries(self) -> list[bytes]:
        """Return the bodies of all entries."""
        return [
            bytes(body)
            for body in self.connection.execute(select(t.log.c.body).order_by(t.log.c.seq)).scalars()
        ]

    def some_entry(self, outcome: str | None = None, *, signed: bool = True) -> int:
        """Return the number of some entry; one that a checkpoint covers, unless told otherwise."""
        found = [
            seq
            for seq, body in enumerate(self.entries(), 1)
            if outcome in (None, orjson.loads(body)["outcome"]) and (seq <= self.signed) is signed
        ]
        return self.random.choice(found)

    def rechain(self, bodies: list[bytes]) -> None:
        """Write the whole log anew, with links, tree and end as they have to be."""
        for table in (t.log, t.log_node):
            self.connection.execute(delete(table))
        linked, rows = chain.GENESIS, []
        nodes: dict[chain.Node, bytes] = {}
        for size, body in enumerate(bodies):
            linked = chain.link(linked, size + 1, body)
            rows.append({"seq": size + 1, "body": body, "linked": linked})
            nodes.update(chain.grown(size, chain.leaf(linked), nodes.__getitem__))
        self.connection.execute(insert(t.log), rows)
        self.connection.execute(
            insert(t.log_node), [{"level": k, "place": n, "hash": h} for (k, n), h in nodes.items()]
        )
        self.do(update(t.log_head).values(size=len(bodies), linked=linked, facts_at=len(bodies)))
        self._nodes = nodes

    def root(self) -> tuple[int, bytes]:
        """Return size and root of the log that was written anew."""
        size = len(self.entries())
        return size, chain.root(size, self._nodes.__getitem__)

    # ----------------------------------------------------------------------------------------- records

    def some_version(self, least: int = 1) -> Any:
        """Return some version of a record that has at least so many."""
        rows = self.connection.execute(select(t.version).where(t.version.c.version >= least)).all()
        return self.random.choice(sorted(rows, key=lambda row: (row.kind, row.id, row.version)))

    def derive(self) -> None:
        """Write all that is derived from the bodies anew."""
        for table in (t.hold, t.link, t.record):
            self.connection.execute(delete(table))
        newest = {(row.kind, row.id): row for row in self.connection.execute(_IN_ORDER)}
        for (kind, identifier), row in newest.items():
            body = BODIES[Kind(kind)].model_validate_json(bytes(row.body))
            key = {"kind": kind, "id": identifier}
            told = {"state": body.get_state(), "listed": body.order(), "due": body.due()}
            self.connection.execute(insert(t.record), {**key, "version": row.version, **told})
            for link in body.links():
                target = {"target_kind": link.kind.value, "target": link.id}
                self.connection.execute(insert(t.link), {**key, **target})
            for held in body.holds():
                self.connection.execute(insert(t.hold), {**key, "held": held})

    def rewrite(self, row: Any, body: bytes) -> None:
        """Put another body in place of a version's."""
        self.do(update(t.version).where(*_at(row)).values(body=body))


_IN_ORDER = select(t.version).order_by(t.version.c.kind, t.version.c.id, t.version.c.version)


def _at(row: Any) -> tuple[Any, ...]:
    return (t.version.c.kind == row.kind, t.version.c.id == row.id, t.version.c.version == row.version)


@contextmanager
def reaching_in(
    connections: Connections, seed: random.Random, signed: int, kept: Kept, own: Path
) -> Iterator[Hand]:
    """Give a hand in the database with the guards off; whatever it does is taken back in the end."""
    shutil.copytree(kept.place, own, dirs_exist_ok=True)
    connection = connections.engine.connect().execution_options(write=True)
    with connection, connection.begin() as transaction:
        unhurried(connection)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("pragma defer_foreign_keys = on")
            for name, _ in triggers(connection):
                connection.exec_driver_sql(f"drop trigger {name}")
        else:
            connection.exec_driver_sql("set local session_replication_role = replica")
        yield Hand(connection, seed, signed, Kept(own, kept.verifier))
        transaction.rollback()
    shutil.rmtree(own)


def triggers(connection: Connection) -> list[tuple[str, str]]:
    """Return the triggers of an SQLite database."""
    rows = connection.execute(text("select name, sql from sqlite_master where type = 'trigger'"))
    return [(str(name), str(sql)) for name, sql in rows]


def guards_back(hand: Hand) -> None:
    """Put the guards back, so that they tell nothing."""
    if hand.connection.dialect.name == "sqlite":
        guards.install(hand.connection)


# --------------------------------------------------------------------------------------------- the ways


@dataclass(frozen=True)
class Way:
    """A way of tampering.

    Attributes:
        does: What is done.
        found: How it shows.
        covered: Whether the tracks in the log are covered, so that only a checkpoint shows it.
    """

    does: Callable[[Hand], None]
    found: Fault
    covered: bool = False


def _edited(body: bytes) -> bytes:
    entry = orjson.loads(body)
    entry["by"] = "somebody-else"
    return chain.canonical(entry)


def edit_entry(hand: Hand) -> None:
    """Change who did something."""
    seq = hand.some_entry()
    body = _edited(hand.entries()[seq - 1])
    hand.do(update(t.log).where(t.log.c.seq == seq).values(body=body))


def edit_entry_link(hand: Hand) -> None:
    """Change an entry and its own link, but none after it."""
    seq = hand.some_entry()
    body = _edited(hand.entries()[seq - 1])
    before = hand.connection.execute(select(t.log.c.linked).where(t.log.c.seq == seq - 1)).scalar()
    linked = chain.link(bytes(before or chain.GENESIS), seq, body)
    hand.do(update(t.log).where(t.log.c.seq == seq).values(body=body, linked=linked))
    hand.do(
        update(t.log_node)
        .where(t.log_node.c.level == 0, t.log_node.c.place == seq - 1)
        .values(hash=chain.leaf(linked))
    )


def delete_entry(hand: Hand) -> None:
    """Take an entry out."""
    hand.do(delete(t.log).where(t.log.c.seq == hand.some_entry()))


def delete_last(hand: Hand) -> None:
    """Take away the last entries."""
    size = len(hand.entries())
    hand.do(delete(t.log).where(t.log.c.seq > size - hand.random.randint(1, 5)))


def delete_last_and_head(hand: Hand) -> None:
    """Take away the last entries, and say that the log ended there."""
    keep = len(hand.entries()) - hand.random.randint(1, 5)
    linked = hand.connection.execute(select(t.log.c.linked).where(t.log.c.seq == keep)).scalar_one()
    hand.do(delete(t.log).where(t.log.c.seq > keep))
    hand.do(update(t.log_head).values(size=keep, linked=linked, facts_at=keep))


def insert_entry(hand: Hand) -> None:
    """Put an entry in the middle; those after it move up."""
    seq, size = hand.some_entry(), len(hand.entries())
    rows = hand.connection.execute(select(t.log).where(t.log.c.seq >= seq).order_by(t.log.c.seq)).all()
    hand.do(delete(t.log).where(t.log.c.seq >= seq))
    hand.do(insert(t.log), {"seq": seq, "body": _edited(bytes(rows[0].body)), "linked": rows[0].linked})
    hand.do(insert(t.log), [{"seq": row.seq + 1, "body": row.body, "linked": row.linked} for row in rows])
    hand.do(update(t.log_head).values(size=size + 1))


def swap_entries(hand: Hand) -> None:
    """Let two entries change places."""
    one, other = hand.random.sample(range(1, len(hand.entries()) + 1), 2)
    bodies = hand.entries()
    for seq, body in ((one, bodies[other - 1]), (other, bodies[one - 1])):
        hand.do(update(t.log).where(t.log.c.seq == seq).values(body=body))


def edit_node(hand: Hand) -> None:
    """Change a node of the tree."""
    rows = hand.connection.execute(select(t.log_node)).all()
    row = hand.random.choice(sorted(rows, key=lambda row: (row.level, row.place)))
    where = (t.log_node.c.level == row.level, t.log_node.c.place == row.place)
    if hand.random.random() < 0.5:
        hand.do(update(t.log_node).where(*where).values(hash=hand.random.randbytes(32)))
    else:
        hand.do(delete(t.log_node).where(*where))


def facts_unchanged(hand: Hand) -> None:
    """Say that no fact has changed for long, so that old suggestions look fresh."""
    hand.do(update(t.log_head).values(facts_at=hand.random.randint(0, 3)))


def edit_body(hand: Hand) -> None:
    """Change what a version of a record says."""
    row = hand.some_version()
    values = orjson.loads(bytes(row.body))
    hand.rewrite(row, orjson.dumps({**values, "words": ["x"]}, option=orjson.OPT_SORT_KEYS))


def edit_author(hand: Hand) -> None:
    """Change who made a version, when, how, or why."""
    column = hand.random.choice(["by", "at", "change", "reason"])
    changed = "2020-01-01T00:00:00+00:00" if column == "at" else "something-else"
    hand.do(update(t.version).where(*_at(hand.some_version())).values({column: changed}))


def delete_version(hand: Hand) -> None:
    """Take the newest version of a record away, as if it had not been made."""
    row = hand.some_version(least=2)
    hand.do(
        delete(t.version).where(
            t.version.c.kind == row.kind, t.version.c.id == row.id, t.version.c.version >= row.version
        )
    )
    hand.derive()


def delete_record(hand: Hand) -> None:
    """Take a record away with all its versions."""
    row = hand.some_version()
    hand.do(delete(t.version).where(t.version.c.kind == row.kind, t.version.c.id == row.id))
    hand.derive()


def add_version(hand: Hand) -> None:
    """Add a version that nobody has made."""
    row = hand.some_version()
    last = max(
        hand.connection.execute(
            select(t.version.c.version).where(t.version.c.kind == row.kind, t.version.c.id == row.id)
        ).scalars()
    )
    hand.do(insert(t.version), {**row._mapping, "version": last + 1})
    hand.derive()


def turn_back(hand: Hand) -> None:
    """Let a record show an earlier version."""
    row = hand.some_version(least=2)
    where = (t.record.c.kind == row.kind, t.record.c.id == row.id)
    hand.do(update(t.record).where(*where).values(version=row.version - 1))


def edit_derived(hand: Hand) -> None:
    """Change the state or the place in lists of a record, so that it is not found."""
    row = hand.some_version()
    where = (t.record.c.kind == row.kind, t.record.c.id == row.id)
    column = hand.random.choice(["state", "listed"])
    hand.do(update(t.record).where(*where).values({column: "elsewhere"}))


def edit_link(hand: Hand) -> None:
    """Change whom a record mentions, or take it away."""
    rows = hand.connection.execute(select(t.link)).all()
    row = hand.random.choice(sorted(rows))
    where = (t.link.c.kind == row.kind, t.link.c.id == row.id, t.link.c.target == row.target)
    if hand.random.random() < 0.5:
        hand.do(update(t.link).where(*where).values(target="P-somebody"))
    else:
        hand.do(delete(t.link).where(*where))


def edit_hold(hand: Hand) -> None:
    """Take away what keeps a second tenancy from a unit, or give it to another."""
    row = hand.random.choice(sorted(hand.connection.execute(select(t.hold)).all()))
    where = t.hold.c.held == row.held
    if hand.random.random() < 0.5:
        hand.do(update(t.hold).where(where).values(held=f"{row.held}-not"))
    else:
        hand.do(delete(t.hold).where(where))


def edit_content(hand: Hand) -> None:
    """Change what a decision rests on."""
    row = hand.random.choice(sorted(hand.connection.execute(select(t.content)).all()))
    hand.do(update(t.content).where(t.content.c.sha256 == row.sha256).values(body=bytes(row.body) + b" "))


def delete_content(hand: Hand) -> None:
    """Take away what a decision rests on."""
    row = hand.random.choice(sorted(hand.connection.execute(select(t.content)).all()))
    hand.do(delete(t.content).where(t.content.c.sha256 == row.sha256))


# ---------------------------------------------------------------------------- with the tracks covered


def rechain_after_edit(hand: Hand) -> None:
    """Change who has looked, and write the log anew."""
    bodies, seq = hand.entries(), hand.some_entry("shown")
    bodies[seq - 1] = _edited(bodies[seq - 1])
    hand.rechain(bodies)


def rechain_after_deletion(hand: Hand) -> None:
    """Take out that somebody has looked, and write the log anew."""
    bodies = hand.entries()
    del bodies[hand.some_entry("shown") - 1]
    hand.rechain(bodies)


def rechain_after_insertion(hand: Hand) -> None:
    """Put in that somebody has looked, and write the log anew."""
    bodies, seq = hand.entries(), hand.some_entry("shown")
    bodies.insert(seq, _edited(bodies[seq - 1]))
    hand.rechain(bodies)


def rechain_after_swap(hand: Hand) -> None:
    """Let two looks change places, and write the log anew."""
    bodies, seq = hand.entries(), hand.some_entry("shown")
    other = hand.random.choice([n for n in range(len(bodies)) if bodies[n] != bodies[seq - 1]])
    bodies[seq - 1], bodies[other] = bodies[other], bodies[seq - 1]
    hand.rechain(bodies)


def rechain_after_truncation(hand: Hand) -> None:
    """Take back everything since a moment, with the versions that were made, and write the log anew."""
    bodies = hand.entries()
    keep = hand.random.randint(hand.signed // 2, hand.signed - 1)
    for body in bodies[keep:]:
        entry = orjson.loads(body)
        if entry["outcome"] == "done":
            key = {name: entry[name] for name in ("kind", "id", "version")}
            hand.do(delete(t.version).where(*(t.version.c[name] == key[name] for name in key)))
    hand.derive()
    hand.rechain(bodies[:keep])


def rechain_after_body(hand: Hand) -> None:
    """Change what a remark says together with the hash in its entry, and write the log anew."""
    bodies = hand.entries()
    done = [orjson.loads(body) for body in bodies]
    remarks = [
        n for n in range(hand.signed) if done[n].get("kind") == "comment" and done[n]["outcome"] == "done"
    ]
    place = hand.random.choice(remarks)
    entry = done[place]
    where = (
        t.version.c.kind == "comment",
        t.version.c.id == entry["id"],
        t.version.c.version == entry["version"],
    )
    stored = hand.connection.execute(select(t.version.c.body).where(*where)).scalar_one()
    body = orjson.dumps({**orjson.loads(bytes(stored)), "text": "Noe annet."}, option=orjson.OPT_SORT_KEYS)
    hand.do(update(t.version).where(*where).values(body=body))
    bodies[place] = chain.canonical({**entry, "sha256": _sha256(body)})
    hand.rechain(bodies)


def _sha256(body: bytes) -> str:
    import hashlib  # noqa: PLC0415 - beside its one use

    return hashlib.sha256(body).hexdigest()


# ------------------------------------------------------------------------------------ the checkpoints


def edit_checkpoint(hand: Hand) -> None:
    """Change a byte of a checkpoint."""
    path = _some_checkpoint(hand)
    content = bytearray(path.read_bytes())
    content[hand.random.randrange(len(content) - 1)] ^= 1 << hand.random.randrange(7)
    _put(path, bytes(content))


def forge_checkpoint(hand: Hand) -> None:
    """Write the log anew and sign it with a key that is not ours but has its name."""
    rechain_after_edit(hand)
    size, root = hand.root()
    forger = Signer(hand.kept.verifier.name, hand.random.randbytes(32))
    some = next(checkpoint for _, checkpoint in hand.kept.read() if checkpoint is not None)
    for path in hand.kept.place.iterdir():
        path.unlink()
    note = forger.signed(Checkpoint(forger.name, size, root, some.at))
    _put(hand.kept.place / f"{size:020}.checkpoint", note)


def stretch_checkpoint(hand: Hand) -> None:
    """Keep the signature of a checkpoint, and change what it says of the log."""
    path = _some_checkpoint(hand)
    said, signature = path.read_text().split("\n\n")
    _, _, _, at = said.split("\n")
    rechain_after_deletion(hand)
    size, root = hand.root()
    whole = Checkpoint(hand.kept.verifier.name, size, root, Checkpoint.of(f"{said}\n").at).text
    assert at in whole
    _put(path, f"{whole}\n{signature}".encode())


def remove_checkpoint(hand: Hand) -> None:
    """Take a checkpoint away."""
    _some_checkpoint(hand).unlink()


def rename_checkpoint(hand: Hand) -> None:
    """Put one checkpoint in the place of another."""
    paths = sorted(hand.kept.place.iterdir())
    one, other = hand.random.sample(paths, 2)
    _put(one, other.read_bytes())


def _some_checkpoint(hand: Hand) -> Path:
    return hand.random.choice(sorted(hand.kept.place.iterdir()))


def _put(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


WAYS: dict[str, Way] = {
    way.does.__name__: way
    for way in (
        Way(edit_entry, Fault.LINK),
        Way(edit_entry_link, Fault.LINK),
        Way(delete_entry, Fault.SEQUENCE),
        Way(delete_last, Fault.HEAD),
        Way(delete_last_and_head, Fault.TREE),
        Way(insert_entry, Fault.LINK),
        Way(swap_entries, Fault.LINK),
        Way(edit_node, Fault.TREE),
        Way(facts_unchanged, Fault.HEAD),
        Way(edit_body, Fault.VERSION_DIFFERS),
        Way(edit_author, Fault.VERSION_DIFFERS),
        Way(delete_version, Fault.ENTRY_WITHOUT_VERSION),
        Way(delete_record, Fault.ENTRY_WITHOUT_VERSION),
        Way(add_version, Fault.VERSION_WITHOUT_ENTRY),
        Way(turn_back, Fault.NEWEST),
        Way(edit_derived, Fault.DERIVED),
        Way(edit_link, Fault.DERIVED),
        Way(edit_hold, Fault.DERIVED),
        Way(edit_content, Fault.CONTENT),
        Way(delete_content, Fault.CONTENT),
        Way(rechain_after_edit, Fault.CHECKPOINT, covered=True),
        Way(rechain_after_deletion, Fault.CHECKPOINT, covered=True),
        Way(rechain_after_insertion, Fault.CHECKPOINT, covered=True),
        Way(rechain_after_swap, Fault.CHECKPOINT, covered=True),
        Way(rechain_after_truncation, Fault.CHECKPOINT, covered=True),
        Way(rechain_after_body, Fault.CHECKPOINT, covered=True),
        Way(edit_checkpoint, Fault.CHECKPOINT, covered=True),
        Way(forge_checkpoint, Fault.CHECKPOINT, covered=True),
        Way(stretch_checkpoint, Fault.CHECKPOINT, covered=True),
        Way(remove_checkpoint, Fault.CHECKPOINT, covered=True),
        Way(rename_checkpoint, Fault.CHECKPOINT, covered=True),
    )
}
"""All of them by name."""
