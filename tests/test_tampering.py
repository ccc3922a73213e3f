"""Whatever is changed, lost or added afterwards is found; and nothing is found where nothing was changed.

Set ALLOCATOR_TAMPERING to how often each way is tried (6), and ALLOCATOR_SEED to try other places.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select, text, update

from allocator.access.authorizer import Actor
from allocator.audit import chain
from allocator.audit.checkpoints import Checkpoint, Kept, Signer, make
from allocator.audit.verify import Fault, Report, links_and_tree, newest_links, verify, verify_database
from allocator.casework.codes import PolicyState, Role
from allocator.casework.offices import StoredPolicy
from allocator.casework.records import Kind
from allocator.ports import Logged
from allocator.service.comments import MakeComment
from allocator.service.uses import Nothing
from allocator.store import tables as t
from allocator.store.guards import UnguardedError, check
from tests.databases import BACKENDS
from tests.office import Office
from tests.tampering import WAYS, guards_back, reaching_in, triggers

TIMES = int(os.environ.get("ALLOCATOR_TAMPERING", "6"))
SEED = os.environ.get("ALLOCATOR_SEED", "11")

SIGNER = Signer("test/allocator", bytes(range(32)))


@dataclass
class Scene:
    """A record with some history, checkpoints of it, and a little that no checkpoint covers yet."""

    office: Office
    kept: Kept
    signed: int

    @property
    def report(self) -> Report:
        """What is wrong with it."""
        return verify_database(self.office.connections, self.kept)


def _work(office: Office, staff: Actor, times: int) -> None:
    """Let somebody look and remark."""
    for number in range(times):
        about = f"nordlia-{number % 3 + 1}"
        made = office.run(
            staff, "comments.make", MakeComment(about=Kind.UNIT, of=about, text=f"Nr. {number}")
        )
        office.desk.show(staff, Kind.PERSON, "B-1")
        if number % 2:
            office.run(staff, "comments.withdraw", Nothing(), made.stored.id)


def _policy(office: Office, number: int) -> None:
    with office.storage.write() as tx:
        content = tx.keep(f"policy {number}".encode())
    policy = StoredPolicy(
        name="p",
        policy_version=str(number),
        content=content,
        sha256=content,
        valid_from=date(2026, 1, number),
        state=PolicyState.PROPOSED,
        proposed_by="seed",
        change_note="-",
    )
    office.seed(policy, f"PO-{number}")


def _checkpoint(scene_office: Office, place: Path) -> int:
    scene_office.clock.moment += timedelta(minutes=1)
    made = make(scene_office.storage, SIGNER, place, scene_office.clock)
    assert made is not None
    return made.size


@pytest.fixture(scope="module", params=BACKENDS)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A record on each kind of database."""
    yield from _scene(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def sqlite_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A record on SQLite."""
    yield from _scene("sqlite", tmp_path_factory)


def _scene(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    office = Office(backend)
    place = tmp_path_factory.mktemp("checkpoints")
    office.house()
    office.resident("B-1", "nordlia-1", name="Kari Oppdiktet")
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    signed = 0
    for number in (1, 2, 3):
        _policy(office, number)
        _work(office, staff, 4)
        signed = _checkpoint(office, place)
    _work(office, staff, 3)
    yield Scene(office, Kept(place, SIGNER.verifier), signed)
    office.close()


def test_nothing_is_found_where_nothing_was_changed(scene: Scene) -> None:
    """A record that was only ever written by the product is sound, also in parts."""
    report = scene.report

    assert report.places == {}
    assert (report.checkpoints, report.contents) == (3, 3)
    assert report.entries > scene.signed
    with scene.office.connections.read() as connection:
        assert links_and_tree(connection).root == report.root
        assert newest_links(connection).sound
        assert newest_links(connection, 5).sound


@pytest.mark.parametrize("name", WAYS)
def test_tampering_is_found(scene: Scene, name: str, tmp_path: Path) -> None:
    """Every way is found, wherever it strikes; where the tracks are covered, only by the checkpoints."""
    way = WAYS[name]
    for number in range(TIMES):
        seed = f"{SEED}-{name}-{number}"
        with reaching_in(
            scene.office.connections, random.Random(seed), scene.signed, scene.kept, tmp_path / "own"
        ) as hand:
            way.does(hand)
            guards_back(hand)
            report = verify(hand.connection, hand.kept)
            unsigned = verify(hand.connection) if way.covered and number < 3 else None
        assert report.counts[way.found], f"ALLOCATOR_SEED={SEED}, number {number}: {dict(report.counts)}"
        assert not report.counts[Fault.GUARD]
        if unsigned is not None:
            assert unsigned.sound, f"found without a checkpoint: {dict(unsigned.counts)}"


def test_what_no_checkpoint_covers_yet_can_be_rewritten(scene: Scene, tmp_path: Path) -> None:
    """This is how far the promise goes: from the newest checkpoint on, the administrator is trusted."""
    with reaching_in(
        scene.office.connections, random.Random(SEED), scene.signed, scene.kept, tmp_path / "own"
    ) as hand:
        bodies = hand.entries()
        seq = hand.some_entry("shown", signed=False)
        del bodies[seq - 1]
        hand.rechain(bodies)
        guards_back(hand)
        assert verify(hand.connection, hand.kept).sound


_WEAKENED = {
    "sqlite": (
        "drop trigger log_no_update",
        "drop trigger log_next ;; create trigger log_next before insert on log when 0 begin select 1; end",
        "drop index ix_record_hold_record",
        "drop index ix_record_due ;; create index ix_record_due on record (due)",
        "alter table record_hold rename to old ;; create table record_hold (held text, kind text, id text)",
    ),
    "postgresql": (
        "drop trigger log_no_change on log",
        "alter table log disable trigger log_no_change",
        "alter table log enable replica trigger log_no_change",
        """create or replace function never_changed() returns trigger language plpgsql as
        $$ begin return new; end $$""",
        """drop trigger log_next on log ;; create trigger log_next before insert on log for each row
        when (new.seq < 0) execute function no_gaps()""",
        "alter table record_hold drop constraint pk_record_hold",
        "drop index ix_record_due ;; create index ix_record_due on record (due)",
        "alter table record drop constraint fk_record_record_version",
    ),
}
"""Ways to weaken what guards the data and leave something of the same name."""


@pytest.mark.parametrize("number", range(8))
def test_guards_that_are_weakened_are_missed(scene: Scene, number: int) -> None:
    """A trigger or constraint that is dropped, switched off or no longer what it was shows at once."""
    connections = scene.office.connections
    ways = _WEAKENED[connections.engine.dialect.name]
    connection = connections.engine.connect().execution_options(write=True)
    with connection, connection.begin() as transaction:
        for statement in ways[number % len(ways)].split(" ;; "):
            connection.exec_driver_sql(statement)
        with pytest.raises(UnguardedError):
            check(connection)
        transaction.rollback()
    with connections.read() as connection:
        assert check(connection)


def test_without_tampering_hands_the_database_refuses(scene: Scene) -> None:
    """Who has only the product's rights cannot even try: the triggers refuse."""
    statements = (
        update(t.log).values(body=b"{}"),
        update(t.version).values(by="somebody"),
        update(t.content).values(body=b""),
        update(t.log_node).values(hash=b""),
        t.log.delete(),
        t.log_head.delete(),
    )
    for statement in statements:
        with (
            pytest.raises(Exception, match=r"never changed|has an end"),
            scene.office.connections.write() as connection,
        ):
            connection.execute(statement)
    assert scene.report.sound


def test_places_are_told_and_content_is_not(scene: Scene, tmp_path: Path) -> None:
    """A report names entries and versions, never what stands in them."""
    with reaching_in(
        scene.office.connections, random.Random(SEED), scene.signed, scene.kept, tmp_path / "own"
    ) as hand:
        row = hand.some_version()
        hand.rewrite(row, b'{"text": "Kari er syk"}')
        hand.do(update(t.log).where(t.log.c.seq == 3).values(body=b'{"by": "Kari"}'))
        guards_back(hand)
        report = verify(hand.connection)

    told = str(report.places)
    assert "entry 3" in told
    assert f"{row.kind} {row.id} version {row.version}" in told
    assert "Kari" not in told
    assert "syk" not in told


def test_entries_that_do_not_read_are_faults_and_no_crash(scene: Scene, tmp_path: Path) -> None:
    """Rubbish in the log, in a body and under an unknown kind is told of like anything else."""
    with reaching_in(
        scene.office.connections, random.Random(SEED), scene.signed, scene.kept, tmp_path / "own"
    ) as hand:
        bodies = hand.entries()
        bodies[1] = b'"outcome":"done"'
        bodies[2] = b'{"use":"checkpoint","outcome":"made","size":"many"}'
        hand.rechain(bodies)
        hand.do(t.version.update().where(t.version.c.kind == "unit").values(body=b"\xff"))
        hand.do(t.version.update().where(t.version.c.kind == "comment").values(kind="rubbish"))
        guards_back(hand)
        report = verify(hand.connection, hand.kept)

    assert report.counts[Fault.LINK] == 2
    assert report.counts[Fault.VERSION_WITHOUT_ENTRY]
    assert any(place.endswith("does not read") for place in report.places[Fault.VERSION_DIFFERS])


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table, column.name)
        for table in (t.log, t.log_node, t.log_head, t.version, t.record, t.link, t.hold, t.content)
        for column in table.columns
        if (table.name, column.name) not in {("log", "seq"), ("log_head", "one")}
    ],
)
def test_values_of_another_type_are_faults_and_no_crash(
    sqlite_scene: Scene, tmp_path: Path, table: Table, column: str
) -> None:
    """SQLite keeps a text where a number or bytes belong; that is found like any other change."""
    with reaching_in(
        sqlite_scene.office.connections,
        random.Random(SEED),
        sqlite_scene.signed,
        sqlite_scene.kept,
        tmp_path / "own",
    ) as hand:
        for value in ("text", b"bytes"):
            hand.connection.exec_driver_sql("savepoint before")
            change = f'update {table.name} set "{column}" = ? where rowid = ?'  # noqa: S608 - our names
            last = hand.connection.execute(select(func.max(text("rowid"))).select_from(table)).scalar_one()
            hand.connection.exec_driver_sql(change, (value, last))
            guards_back(hand)
            assert not verify(hand.connection, hand.kept).sound
            hand.connection.exec_driver_sql("rollback to before")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_checkpoint_that_is_made_meanwhile_is_no_alarm(backend: str, tmp_path: Path) -> None:
    """The service goes on while the record is verified, and signs entries that are not in what is seen."""
    office = Office(backend)
    office.house()
    office.resident("B-1", "nordlia-1")
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    _work(office, staff, 2)
    _checkpoint(office, tmp_path)

    class Late(Kept):
        def read(self) -> Iterator[tuple[str, Checkpoint | None]]:
            _work(office, staff, 2)
            _checkpoint(office, tmp_path)
            return super().read()

    report = verify_database(office.connections, Late(tmp_path, SIGNER.verifier))
    after = verify_database(office.connections, Kept(tmp_path, SIGNER.verifier))
    office.close()

    assert (dict(report.counts), report.checkpoints) == ({}, 1)
    assert (dict(after.counts), after.checkpoints) == ({}, 2)


def test_a_log_of_any_size_is_sound_and_has_the_root_of_its_leaves() -> None:
    """Links worked out all at once are those worked out one by one; so are nodes, whole or not."""
    for size in (0, 1, 2, 3, 7, 8, 9, 64, 65):
        rows, linked = [], chain.GENESIS
        for seq in range(1, size + 1):
            linked = chain.link(linked, seq, b"%d" % seq)
            rows.append((seq, b"%d" % seq, linked))
        assert chain.links(chain.GENESIS, rows) == [row[2] for row in rows]
        leaves = chain.leaves(row[2] for row in rows)
        assert leaves == [chain.leaf(row[2]) for row in rows]
        assert chain.parents(leaves) == [
            chain.node(*leaves[place : place + 2]) for place in range(0, size - 1, 2)
        ]


def test_a_log_longer_than_one_piece_is_verified_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one piece of the log ends and the next begins, nothing is missed."""
    monkeypatch.setattr("allocator.audit.verify._BITS", 2)
    monkeypatch.setattr("allocator.audit.verify._STEP", 4)
    office = Office()
    for size in range(1, 40):
        with office.storage.write() as tx:
            tx.append([Logged({"n": size, "outcome": "shown"})], facts=False)
        with office.connections.read() as connection:
            report = links_and_tree(connection)
            nodes = {
                (row.level, row.place): bytes(row.hash) for row in connection.execute(select(t.log_node))
            }
        assert report.sound
        assert report.entries == size
        assert report.root == chain.root(size, nodes.__getitem__)
    with office.connections.write() as connection:
        for name, _ in triggers(connection):
            connection.exec_driver_sql(f"drop trigger {name}")
    for seq in range(1, 40):
        connection = office.connections.engine.connect().execution_options(write=True)
        with connection, connection.begin() as transaction:
            connection.execute(text("update log set body = x'7b7d' where seq = :seq"), {"seq": seq})
            assert links_and_tree(connection).places == {Fault.LINK: [f"entry {seq}"]}
            transaction.rollback()
    office.close()
