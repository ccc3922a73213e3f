"""The disk is full: changes are refused, nothing is lost, and it works again by itself when there is room.

    python -m tests.drills.disk_full

As root the database lies on a small file system of its own; otherwise the server may not let a file grow
further, which SQLite meets in the same way.
"""

from __future__ import annotations

import collections
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from allocator.audit.verify import verify_database
from allocator.casework.codes import Role
from allocator.casework.records import Kind
from allocator.ports import Query
from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from allocator.store.repository import SqlStorage
from tests.drills.server import Person, Server
from tests.office import Office

_SMALL, _LARGE = 3 * 2**20, 64 * 2**20


@dataclass(frozen=True)
class Report:
    """What it came to.

    Attributes:
        acknowledged: Changes that were acknowledged.
        lost: Those of them that are not there.
        refused: Changes refused while the disk was full, with a 503 that says what to do.
        other: Answers that were neither.
        recovered: Changes made after there was room again.
        sound: The record verifies.
    """

    acknowledged: int
    lost: int
    refused: int
    other: int
    recovered: int
    sound: bool


@contextlib.contextmanager
def _disk(place: Path) -> Iterator[bool]:
    """Mount a small file system at a place, if that may be done; yield whether it was."""
    size = f"size={_SMALL}"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


def _make_room(place: Path, server: Server, *, mounted: bool) -> None:
    if mounted:
        subprocess.run(["mount", "-o", f"remount,size={_LARGE}", str(place)], check=True)
    else:
        assert server.process is not None
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (_LARGE, _LARGE))


def run(refusals: int = 40, *, forgetful: bool = False) -> Report:
    """Fill the disk until so many changes were refused, make room, and return what it came to."""
    directory = tempfile.mkdtemp(prefix="disk-full-")
    place = Path(directory)
    try:
        with _disk(place) as mounted:
            address = f"sqlite:///{place}/office.db"
            connections = Connections(connect(address))
            migrate(connections)
            office = Office(connections=connections)
            office.house()
            office.somebody(Role.SCHEME_STAFF, "nordlia")
            office.close()
            answers: collections.Counter[str] = collections.Counter()
            recovered: collections.Counter[str] = collections.Counter()
            large = "x" * 3900
            with Server(address, *(["--forgetful"] if forgetful else [])) as server:
                if not mounted:
                    assert server.process is not None
                    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (_SMALL // 2, _LARGE))
                staff = Person(server.url, Role.SCHEME_STAFF)
                while answers["503"] < refusals and sum(answers.values()) < (200 if forgetful else 5000):
                    answers[staff.remark(large)] += 1
                assert staff.client.get(f"{server.url}/healthz").status_code == 200
                _make_room(place, server, mounted=mounted)
                for _ in range(20):
                    recovered[staff.remark(large)] += 1
            connections = Connections(connect(address))
            with SqlStorage(connections).read() as tx:
                there = tx.count(Query(Kind.COMMENT))
            sound = verify_database(connections).sound
            connections.engine.dispose()
            acknowledged = answers.pop("201", 0) + recovered["201"]
            refused = answers.pop("503", 0)
            return Report(
                acknowledged, acknowledged - there, refused, sum(answers.values()), recovered["201"], sound
            )
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Run the drill, or with ``--forgetful`` its control, which must find changes that are lost."""
    report = run(forgetful="--forgetful" in sys.argv)
    print(f"disk full: {report}")  # noqa: T201
    sys.exit(bool(report.lost or report.other or not report.sound or report.recovered != 20))


if __name__ == "__main__":
    main()
