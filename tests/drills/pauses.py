"""The database is slow, gone, paused or killed while people work: 503, nothing lost, recovery by itself.

    python -m tests.drills.pauses

PostgreSQL is reached through a proxy that can delay, cut and swallow what passes. Every request is answered
within a bound, with 201 or 503 and nothing else, and everything acknowledged is there in the end.
"""

from __future__ import annotations

import collections
import contextlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from allocator.casework.codes import Role
from allocator.casework.records import Kind
from allocator.casework.voice import Comment
from allocator.ports import Query
from allocator.store.engine import Connections, connect
from allocator.store.migrate import migrate
from allocator.store.repository import SqlStorage
from tests.drills.server import Person, Server
from tests.office import Office
from tests.postgres import Postgres

BOUND = 12.0
"""Seconds within which every request is answered, whatever the database does: it is cut after eight."""

CLIENTS = 4


class Proxy(threading.Thread):
    """Passes on what is sent to a server, as it is told: ``ok``, ``slow``, ``cut`` or ``swallow``."""

    def __init__(self, target: Path) -> None:
        super().__init__(daemon=True)
        self.target, self.mode = target, "ok"
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listening.getsockname()[1])
        self.start()

    def run(self) -> None:
        """Pass on what comes until the process ends."""
        while True:
            near, _ = self.listening.accept()
            far = socket.socket(socket.AF_UNIX)
            try:
                if self.mode == "cut":
                    raise ConnectionError
                far.connect(str(self.target))
            except OSError:
                near.close()
                continue
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.mode == "slow":
                    time.sleep(0.05)
                if self.mode == "cut":
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                while self.mode == "swallow":
                    time.sleep(0.05)
                sink.sendall(data)
        for end in (source, sink):  # closing alone does not reach who waits on the other side
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@dataclass
class Report:
    """What it came to.

    Attributes:
        statuses: How the requests were answered, by what was wrong at the time.
        slowest: Seconds that the slowest answer took.
        acknowledged: Changes that were acknowledged.
        lost: Those of them that are not there.
        recovered: Whether changes were made again after every fault.
    """

    statuses: dict[str, collections.Counter[str]] = field(default_factory=dict)
    slowest: float = 0.0
    acknowledged: list[str] = field(default_factory=list)
    lost: int = 0
    recovered: bool = True

    @property
    def held(self) -> bool:
        """Whether nothing was lost, everything answered in time, and it recovered by itself."""
        known = {"201", "503"}
        return (
            not self.lost
            and self.recovered
            and self.slowest < BOUND
            and all(set(counted) <= known for counted in self.statuses.values())
        )


def _drive(people: list[Person], seconds: float, name: str, report: Report) -> collections.Counter[str]:
    """Let everybody work for a while and count how they were answered."""
    counted: collections.Counter[str] = collections.Counter()
    lock, until = threading.Lock(), time.monotonic() + seconds

    def work(number: int) -> None:
        count = 0
        while time.monotonic() < until:
            said = f"{name}/{number}/{count}"
            count += 1
            asked = {"about": "unit", "of": "nordlia-1", "text": said}
            began = time.monotonic()
            try:
                status = str(people[number].post("/comments/make", asked, key=said).status_code)
            except httpx.TransportError as error:
                status = type(error).__name__
            took = time.monotonic() - began
            with lock:
                counted[status] += 1
                report.slowest = max(report.slowest, took)
                if status == "201":
                    report.acknowledged.append(said)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.statuses[name] = counted
    return counted


def run(seconds: float = 3.0) -> Report:
    """Meet every fault for so long and return what it came to."""
    report = Report()
    with Postgres(durable=True) as postgres:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("create database office")
        direct = Connections(connect(postgres.url("office")))
        migrate(direct)
        office = Office(connections=direct)
        office.house()
        office.somebody(Role.SCHEME_STAFF, "nordlia")
        proxy = Proxy(postgres.place / ".s.PGSQL.5432")
        address = f"postgresql://postgres@127.0.0.1:{proxy.port}/office?sslmode=disable"
        with Server(address) as server:
            people = [Person(server.url, Role.SCHEME_STAFF) for _ in range(CLIENTS)]

            def restart() -> None:
                postgres.kill()
                postgres.start()

            def mode(name: str) -> Callable[[], None]:
                return lambda: setattr(proxy, "mode", name)

            faults: dict[str, Callable[[], None]] = {
                "slow": mode("slow"),
                "cut": mode("cut"),
                "swallow": mode("swallow"),
                "paused": lambda: postgres.pause(seconds / 2),
                "killed": restart,
            }
            _drive(people, seconds / 2, "well", report)
            for name, begin in faults.items():
                fault = threading.Timer(seconds / 4, begin)
                end = threading.Timer(seconds * 3 / 4, mode("ok"))
                fault.start()
                end.start()
                _drive(people, seconds, name, report)
                fault.join()
                end.join()
                after = _drive(people, seconds, f"after-{name}", report)
                report.recovered = report.recovered and after["201"] > 0
        with SqlStorage(direct).read() as tx:
            bodies = [found.body for found in tx.find(Query(Kind.COMMENT))]
        there = {body.text for body in bodies if isinstance(body, Comment)}
        report.lost = sum(said not in there for said in report.acknowledged)
        direct.engine.dispose()
    return report


def main() -> None:
    """Run the drill."""
    report = run()
    for name, counted in report.statuses.items():
        print(f"{name:16} {dict(counted)}")  # noqa: T201
    print(  # noqa: T201
        f"acknowledged {len(report.acknowledged)}, lost {report.lost}, slowest {report.slowest:.1f} s, "
        f"recovered {report.recovered}"
    )
    sys.exit(not report.held)


if __name__ == "__main__":
    main()
