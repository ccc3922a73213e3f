"""Power cuts: the disk is rebuilt as a cut could have left it, and everything acknowledged must be there.

A child process makes changes through the desk and says after each that it was acknowledged, while ``strace``
writes down what it asks of the disk. For a random place in that list the files are rebuilt: what was synced
before is there; each later write is there, missing, or torn at 512 bytes. Then the database is opened.

    python -m tests.drills.power_cut --cuts 5000
    python -m tests.drills.power_cut --cuts 300 --sync OFF      # the control: it loses changes

Limits: one writer; files only (whether a directory entry is there is not tried); SQLite only.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import event

from allocator.audit import chain
from allocator.casework.codes import Role
from allocator.casework.records import Kind
from allocator.service.comments import MakeComment
from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from tests.office import Office

_FILES = ("office.db", "office.db-wal")
_SECTOR = 512


@dataclass(frozen=True)
class Report:
    """What the cuts came to.

    Attributes:
        cuts: How many there were.
        acknowledged: Changes acknowledged in the whole run.
        lost: Cuts after which an acknowledged change was missing.
        corrupt: Cuts after which the database or its log was damaged or could not be opened.
    """

    cuts: int
    acknowledged: int
    lost: int
    corrupt: int


def _child(database: str, changes: int, sync: str, acks: int) -> None:
    engine = connect(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def _sync(connection: Any, _record: object) -> None:
        connection.execute(f"pragma synchronous={sync}")
        connection.execute("pragma wal_autocheckpoint=40")

    office = Office(connections=Connections(engine))
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    for number in range(changes):
        asked = MakeComment(about=Kind.UNIT, of="nordlia-1", text="x" * (1 + number * 37 % 3000))
        office.run(staff, "comments.make", asked)
        os.write(acks, b"%d\n" % (number + 1))
    os._exit(0)


Operation = tuple[str, str, int, bytes]
"""What was asked of the disk: ``w`` write, ``t`` truncate, ``s`` sync of a file; ``a`` an acknowledgement."""


def _traced(place: Path, changes: int, sync: str) -> list[Operation]:
    database = place / "live" / "office.db"
    trace = place / "trace"
    acks = os.open(place / "acks", os.O_CREAT | os.O_WRONLY)
    calls = "trace=openat,close,write,pwrite64,ftruncate,fdatasync,fsync,unlink"
    child = [sys.executable, "-m", "tests.drills.power_cut", "--child", str(database)]
    said = ["--changes", str(changes), "--sync", sync, "--acks", str(acks)]
    subprocess.run(
        ["strace", "-qq", "-o", str(trace), "-xx", "-s", "70000", "-e", calls, *child, *said],
        check=True,
        pass_fds=(acks,),
    )
    os.close(acks)
    return list(_operations(trace, str(place), acks))


def _bytes(hexed: str) -> bytes:
    return bytes(int(part, 16) for part in hexed.split("\\x")[1:])


def _operations(trace: Path, place: str, acks: int) -> Iterator[Operation]:
    """Yield what the trace says was done to the database's files, in order."""
    names: dict[int, str] = {}
    for line in trace.read_text(errors="replace").splitlines():
        if found := re.match(r'openat\(\w+, "([^"]*)".* = (\d+)', line):
            path = _bytes(found[1]).decode(errors="replace")
            names[int(found[2])] = Path(path).name if path.startswith(place) else ""
        elif found := re.match(r"close\((\d+)\)", line):
            names.pop(int(found[1]), None)
        elif found := re.match(r'pwrite64\((\d+), "([^"]*)"(\.\.\.)?, \d+, (\d+)\)', line):
            if names.get(int(found[1])) in _FILES:
                assert not found[3], "a write was cut short in the trace"
                yield "w", names[int(found[1])], int(found[4]), _bytes(found[2])
        elif found := re.match(r"f(?:data)?sync\((\d+)\)", line):
            if names.get(int(found[1])) in _FILES:
                yield "s", names[int(found[1])], 0, b""
        elif found := re.match(r"ftruncate\((\d+), (\d+)\)", line):
            if names.get(int(found[1])) in _FILES:
                yield "t", names[int(found[1])], int(found[2]), b""
        elif found := re.match(rf'write\({acks}, "([^"]*)"', line):
            yield "a", "", int(_bytes(found[1])), b""


def _put(data: bytearray, at: int, written: bytes) -> None:
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(written)] = written


def _cut(
    base: dict[str, bytes], operations: list[Operation], randomly: random.Random
) -> tuple[dict[str, bytearray], int]:
    """Return the files as a cut at a random place could leave them, and what was acknowledged by then."""
    files = {name: bytearray(data) for name, data in base.items()}
    waiting: dict[str, list[Operation]] = {name: [] for name in base}
    acknowledged = 0
    for operation in operations[: randomly.randrange(1, len(operations) + 1)]:
        what, name, number, _ = operation
        if what == "a":
            acknowledged = number
        elif what == "s":
            for earlier in waiting[name]:
                _apply(files[name], earlier)
            waiting[name] = []
        else:
            waiting[name].append(operation)
    fate = randomly.choice(["none", "all", "some", "torn"])
    for name, operations_left in waiting.items():
        for operation in operations_left:
            if fate == "none" or (fate in ("some", "torn") and randomly.random() < 0.5):
                continue
            if fate == "torn" and operation[0] == "w":
                for start in range(0, len(operation[3]), _SECTOR):
                    if randomly.random() < 0.6:
                        _put(files[name], operation[2] + start, operation[3][start : start + _SECTOR])
            else:
                _apply(files[name], operation)
    return files, acknowledged


def _apply(data: bytearray, operation: Operation) -> None:
    what, _, number, written = operation
    if what == "w":
        _put(data, number, written)
    else:
        del data[number:]


def _looked_at(database: Path) -> int | None:
    """Return how many changes are there; None if the database or its log is damaged."""
    try:
        connection = sqlite.connect(str(database), isolation_level=None)
        try:
            if connection.execute("pragma integrity_check").fetchone() != ("ok",):
                return None
            linked = chain.GENESIS
            size = 0
            for seq, body, stored in connection.execute("select seq, body, linked from log order by seq"):
                size += 1
                linked = chain.link(linked, size, bytes(body))
                if seq != size or linked != bytes(stored):
                    return None
            head = connection.execute("select size, linked from log_head").fetchone()
            if head != (size, linked):
                return None
            made = "select count(*) from record_version where kind = 'comment'"
            return int(connection.execute(made).fetchone()[0])
        finally:
            connection.close()
    except sqlite.DatabaseError:
        return None


def run(cuts: int, *, changes: int = 120, sync: str = "FULL", seed: int = 7) -> Report:
    """Cut the power so many times and return what it came to."""
    with tempfile.TemporaryDirectory(prefix="power-cut-") as directory:
        place = Path(directory)
        (place / "live").mkdir()
        (place / "cut").mkdir()
        live = place / "live" / "office.db"
        engine = connect(f"sqlite:///{live}")
        migrate(Connections(engine))
        office = Office(connections=Connections(engine))
        office.house()
        office.somebody(Role.SCHEME_STAFF, "nordlia")
        with engine.connect() as connection:
            connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
        engine.dispose()
        base = {"office.db": live.read_bytes(), "office.db-wal": b""}
        operations = _traced(place, changes, sync)
        randomly = random.Random(seed)
        lost = corrupt = 0
        for _ in range(cuts):
            files, acknowledged = _cut(base, operations, randomly)
            shutil.rmtree(place / "cut")
            (place / "cut").mkdir()
            for name, data in files.items():
                (place / "cut" / name).write_bytes(data)
            there = _looked_at(place / "cut" / "office.db")
            corrupt += there is None
            lost += there is not None and there < acknowledged
        return Report(cuts, changes, lost, corrupt)


def main() -> None:
    """Run the drill as its arguments say."""
    parser = argparse.ArgumentParser(description="Power cuts")
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=120)
    parser.add_argument("--sync", default="FULL")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--child")
    parser.add_argument("--acks", type=int, default=-1)
    given = parser.parse_args()
    if given.child:
        _child(given.child, given.changes, given.sync, given.acks)
    report = run(given.cuts, changes=given.changes, sync=given.sync, seed=given.seed)
    print(f"power cut: synchronous={given.sync}, seed {given.seed}: {report}")  # noqa: T201
    sys.exit(1 if report.lost or report.corrupt else 0)


if __name__ == "__main__":
    main()
