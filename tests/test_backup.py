"""Backup and restore: whatever was acknowledged before is there again, or nothing is restored."""

from __future__ import annotations

import random
import shutil
import stat
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select, text

from allocator.audit.verify import Fault, verify_database
from allocator.casework.codes import Role
from allocator.casework.records import Kind
from allocator.ports import Session
from allocator.service.comments import MakeComment
from allocator.store import tables as t
from allocator.store.backup import BackupError, UnsoundError, backup, restore
from allocator.store.engine import Connections, connect
from allocator.store.migrate import newest
from tests.databases import BACKENDS, opened, server
from tests.office import Office
from tests.tampering import triggers

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with some history, on each kind of database."""
    made = _office(request.param)
    yield made
    made.close()


def _office(backend: str) -> Office:
    made = Office(backend)
    made.house()
    made.resident("B-1", "nordlia-1", name="Kari Oppdiktet")
    with made.storage.write() as tx:
        tx.keep(b"\x00content\xff")
        tx.logins.begin(Session("a" * 64, "seed", "csrf", NOW, NOW, NOW + timedelta(days=1)))
    staff = made.somebody(Role.SCHEME_STAFF, "nordlia")
    for number in range(4):
        _remark(made, staff, number)
    return made


def _remark(office: Office, staff: Any, number: int) -> str:
    about = MakeComment(about=Kind.UNIT, of="nordlia-1", text=f"Merknad {number} – «æøå»")
    return office.run(staff, "comments.make", about, key=f"k{random.random()}").stored.id


def _new(backend: str, place: Path) -> Connections:
    """Return connections to a database that has nothing in it, not even tables."""
    if backend == "sqlite":
        return Connections(connect(f"sqlite:///{place / 'new.db'}"))
    name = f"new_{random.randrange(10**9)}"
    engine = connect(server().url())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"create database {name}")
    engine.dispose()
    return Connections(connect(server().url(name)))


def _rows(connections: Connections) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that a backup keeps."""
    with connections.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=str)
            for table in t.metadata.sorted_tables
            if table is not t.session
        }


def _is_empty(connections: Connections) -> bool:
    with connections.read() as connection:
        if not connection.dialect.has_table(connection, "log"):
            return True
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in _FILLED
        ]
        return counts == [0] * len(_FILLED)


_FILLED = [table for table in t.metadata.sorted_tables if table is not t.log_head]


@pytest.mark.parametrize("into", BACKENDS)
def test_what_was_acknowledged_before_a_backup_under_writes_is_restored(
    office: Office, into: str, tmp_path: Path
) -> None:
    """While four threads write, a backup has all that was acknowledged before it began, and is sound."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    stop, enough = threading.Event(), threading.Event()
    acknowledged: list[str] = []

    def write() -> None:
        while not stop.is_set():
            acknowledged.append(_remark(office, staff, len(acknowledged)))
            if len(acknowledged) > 20:
                enough.set()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    before = list(acknowledged)
    done = backup(office.connections, tmp_path / "b.zip", NOW)
    during = len(acknowledged) - len(before)
    stop.set()
    for thread in threads:
        thread.join()

    connections = _new(into, tmp_path)
    restored = restore(connections, tmp_path / "b.zip", NOW)

    assert done.report.sound
    assert during > 0
    assert (restored.size, restored.root) == (done.size, done.root)
    with connections.read() as connection:
        there = set(connection.execute(select(t.record.c.id)).scalars())
    assert set(before) <= there
    assert verify_database(connections).sound
    connections.engine.dispose()


def test_a_plain_copy_of_the_file_loses_what_was_acknowledged(tmp_path: Path) -> None:
    """Why a backup is not a copy: what was saved last stands in the journal beside the file."""
    office = _office("sqlite")
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    acknowledged = _remark(office, staff, 1)

    shutil.copy(str(office.connections.engine.url.database), tmp_path / "copy.db")
    copied = Connections(connect(f"sqlite:///{tmp_path / 'copy.db'}"))

    with copied.read() as connection:
        there = set(connection.execute(select(t.record.c.id)).scalars())
    assert acknowledged not in there
    copied.engine.dispose()
    office.close()


@pytest.mark.parametrize("into", BACKENDS)
def test_everything_comes_back_as_it_was_on_either_database(
    office: Office, into: str, tmp_path: Path
) -> None:
    """All rows are the same but for the entry about the restore; logins are left out; work goes on."""
    backup(office.connections, tmp_path / "b.zip", NOW)
    connections = _new(into, tmp_path)

    restore(connections, tmp_path / "b.zip", NOW)

    was, now = _rows(office.connections), _rows(connections)
    for name in set(was) - {"log", "log_node", "log_head"}:
        assert now[name] == was[name], name
    assert [*was["log"]] == [row for row in now["log"] if row[0] <= len(was["log"])]
    again = Office(connections=connections)
    assert again.log()[-1]["outcome"] == "restored"
    with connections.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.session)).scalar_one() == 0
    _remark(again, again.somebody(Role.SCHEME_STAFF, "nordlia"), 99)
    assert verify_database(connections).sound
    again.close()


def test_a_backup_is_for_its_owner_alone_and_overwrites_nothing(office: Office, tmp_path: Path) -> None:
    """It holds health data: others on the machine cannot read it, and a second one needs another name."""
    path = tmp_path / "b.zip"
    backup(office.connections, path, NOW)
    content = path.read_bytes()

    with pytest.raises(BackupError, match="never overwritten"):
        backup(office.connections, path, NOW)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A database without tables is told of, and no half file stays behind."""
    connections = Connections(connect(f"sqlite:///{tmp_path / 'empty.db'}"))
    with pytest.raises(BackupError, match="run `allocator migrate`"):
        backup(connections, tmp_path / "b.zip", NOW)
    assert not list(tmp_path.glob("*.zip*"))
    connections.engine.dispose()


def test_nothing_is_restored_into_a_database_that_has_something(office: Office, tmp_path: Path) -> None:
    """Neither over the records that are there nor beside them."""
    backup(office.connections, tmp_path / "b.zip", NOW)
    was = _rows(office.connections)

    with pytest.raises(BackupError, match="not empty"):
        restore(office.connections, tmp_path / "b.zip", NOW)

    assert _rows(office.connections) == was


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_migrated_database_without_records_is_empty(backend: str, tmp_path: Path) -> None:
    """A backup also goes into tables that are there already."""
    office = _office("sqlite")
    backup(office.connections, tmp_path / "b.zip", NOW)
    connections = opened(backend)
    restore(connections, tmp_path / "b.zip", NOW)
    assert verify_database(connections).sound
    connections.engine.dispose()
    office.close()


def _changed(path: Path, member: str, change: Any) -> None:
    """Change one file of a backup, or take it away."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    made = change(parts.pop(member))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (parts | ({} if made is None else {member: made})).items():
            archive.writestr(name, content)


def _manifest(**changes: Any) -> Any:
    return lambda content: orjson.dumps(orjson.loads(content) | changes)


_DAMAGES = [
    ("log.jsonl", lambda content: content.replace(b"a", b"b", 1), "table log"),
    ("log.jsonl", lambda content: content.rsplit(b"\n", 2)[0] + b"\n", "table log"),
    ("log.jsonl", lambda _: None, "manifest"),
    ("record_version.jsonl", lambda content: content + content.splitlines()[0] + b"\n", "record_version"),
    ("record_version.jsonl", lambda content: content[:-20], "record_version"),
    ("record.jsonl", lambda _: b"[1]\n", "table record"),
    ("record.jsonl", lambda _: b"nonsense", "table record"),
    ("manifest.json", lambda _: None, "manifest"),
    ("manifest.json", lambda _: b"[]", "manifest"),
    ("manifest.json", _manifest(format="allocator-backup-9"), "form"),
    ("manifest.json", _manifest(revision="9999"), "newer version"),
    ("manifest.json", _manifest(tables={}), "manifest"),
    ("manifest.json", _manifest(log={"size": 3, "linked": "", "root": ""}), "does not end where"),
]
"""Which file of a backup, what is changed in it, and what is said then."""


@pytest.mark.parametrize(
    ("backend", "damage"),
    [("sqlite", damage) for damage in _DAMAGES] + [("postgresql", _DAMAGES[n]) for n in (0, 3, 5, 12)],
)
def test_a_damaged_backup_is_refused_whole(
    backend: str, damage: tuple[str, Any, str], tmp_path: Path
) -> None:
    """Whatever is changed or missing in it, nothing of it is restored."""
    member, change, told = damage
    office = _office("sqlite")
    path = tmp_path / "b.zip"
    backup(office.connections, path, NOW)
    office.close()
    _changed(path, member, change)
    connections = _new(backend, tmp_path)

    with pytest.raises(BackupError, match=told):
        restore(connections, path, NOW)

    assert _is_empty(connections)
    connections.engine.dispose()


def test_any_byte_that_is_flipped_is_noticed_or_does_not_matter(tmp_path: Path) -> None:
    """A disk's faults are random; what comes back is what was saved, or nothing."""
    office = _office("sqlite")
    path, broken = tmp_path / "b.zip", tmp_path / "broken.zip"
    backup(office.connections, path, NOW)
    was = _rows(office.connections)["record_version"]
    office.close()
    choose = random.Random(11)
    refused = 0
    for _ in range(40):
        content = bytearray(path.read_bytes())
        content[choose.randrange(len(content))] ^= 1 << choose.randrange(8)
        broken.write_bytes(content)
        connections = opened("sqlite")
        try:
            restore(connections, broken, NOW)
        except BackupError:
            refused += 1
            assert _is_empty(connections)
        else:
            assert _rows(connections)["record_version"] == was
            assert verify_database(connections).sound
        connections.engine.dispose()
    assert refused > 30


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    """Neither a file that is not there nor one of another sort."""
    connections = opened("sqlite")
    (tmp_path / "other").write_bytes(b"something else")
    for name in ("nothing", "other"):
        with pytest.raises(BackupError, match="no backup"):
            restore(connections, tmp_path / name, NOW)
    connections.engine.dispose()


def test_a_backup_of_a_broken_record_is_made_and_told_of_and_not_restored_unasked(tmp_path: Path) -> None:
    """Who has nothing better can have it, with the fault written in the log."""
    office = _office("sqlite")
    with office.connections.write() as connection:
        made = triggers(connection)
        for name, _ in made:
            connection.exec_driver_sql(f"drop trigger {name}")
        connection.execute(
            text("update record_version set body = :body where kind = 'person'"), {"body": b"{}"}
        )
        for _, sql in made:
            connection.exec_driver_sql(sql)
    done = backup(office.connections, tmp_path / "b.zip", NOW)
    office.close()
    assert done.report.counts[Fault.VERSION_DIFFERS] == 1

    connections = _new("sqlite", tmp_path)
    with pytest.raises(UnsoundError) as refused:
        restore(connections, tmp_path / "b.zip", NOW)
    assert refused.value.report.counts == done.report.counts
    assert _is_empty(connections)

    restore(connections, tmp_path / "b.zip", NOW, unsound=True)
    again = Office(connections=connections)
    assert again.log()[-1]["faults"] == 1
    again.close()


def test_the_manifest_says_what_is_in_a_backup(office: Office, tmp_path: Path) -> None:
    """One can see of which version and moment a backup is, without restoring it."""
    done = backup(office.connections, tmp_path / "b.zip", NOW)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        manifest = orjson.loads(archive.read("manifest.json"))
    assert manifest["revision"] == newest()
    assert manifest["made_at"] == NOW.isoformat()
    assert manifest["log"]["root"] == done.root
    assert {name: told["rows"] for name, told in manifest["tables"].items()} == done.rows
    assert "session" not in manifest["tables"]
