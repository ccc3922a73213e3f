"""The database is slow, gone, lost, paused or killed: 503, nothing lost, and recovery by itself.

    python -m tests.drills.pauses
    python -m tests.drills.pauses --hasty        # a control: PostgreSQL acknowledges what is on no disk yet
    python -m tests.drills.pauses --unwatched    # a control: nobody ends the waiting for a lost connection

PostgreSQL is reached through a proxy that can delay, cut and swallow what passes. Every request is answered
within a bound, with 201 or a clear 503 and nothing else, and everything acknowledged is there in the end.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import math
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from allocator.casework.codes import Role
from allocator.casework.records import Kind
from allocator.casework.voice import Comment
from allocator.ports import Query
from allocator.store.engine import LONGEST, Connections, connect
from allocator.store.migrate import migrate
from allocator.store.repository import SqlStorage
from tests.drills.server import Person, Server
from tests.office import Office
from tests.postgres import Postgres

BOUND = 12.0
"""Seconds within which every request is answered, whatever the database does: it is cut after eight."""

BACK = 30.0
"""Seconds within which changes are made again when a fault is over; most of all for PostgreSQL to start."""

CLIENTS = 4
FAULTS = ("slow", "cut", "swallow", "forget", "paused", "killed")


class Proxy(threading.Thread):
    """Passes on what is sent to a server, as it is told: ``ok``, ``slow``, ``cut`` or ``swallow``.

    A connection that something was swallowed of is lost for good, and neither end is told.
    """

    def __init__(self, target: Path) -> None:
        super().__init__(daemon=True)
        self.target, self.mode = target, "ok"
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listening.getsockname()[1])
        self._losses: list[threading.Event] = []
        self.start()

    def run(self) -> None:
        """Pass on what comes until it is closed."""
        with contextlib.suppress(OSError):
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
                lost = threading.Event()
                self._losses.append(lost)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, sink, lost), daemon=True).start()

    def forget(self) -> None:
        """Lose every connection that there is."""
        for lost in self._losses:
            lost.set()

    def close(self) -> None:
        """Take no more connections."""
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _pass(self, source: socket.socket, sink: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.mode == "slow":
                    time.sleep(0.05)
                if self.mode == "cut":
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                if self.mode == "swallow":
                    lost.set()
                if not lost.is_set():
                    sink.sendall(data)
        for end in (source,) if lost.is_set() else (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # closing alone does not reach who waits on the other side
            end.close()


@dataclass
class Report:
    """What it came to.

    Attributes:
        statuses: How the requests were answered, by what was wrong at the time.
        slowest: Seconds that the slowest answer took.
        back: Seconds after each fault until a change was made again.
        acknowledged: Changes that were acknowledged.
        lost: Those of them that are not there.
    """

    statuses: dict[str, collections.Counter[str]] = field(default_factory=dict)
    slowest: float = 0.0
    back: dict[str, float] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    lost: int = 0

    @property
    def held(self) -> bool:
        """Whether nothing was lost, everything was answered in time, and it recovered by itself."""
        answers = set().union(*self.statuses.values())
        return not self.lost and answers <= {"201", "503"} and math.inf not in self.back.values()


class _Crowd:
    """People who work all the time, each of whom waits so long for an answer."""

    def __init__(self, url: str, report: Report, bound: float) -> None:
        self._people = [Person(url, Role.SCHEME_STAFF, timeout=bound) for _ in range(CLIENTS)]
        self._report = report
        self._lock = threading.Lock()

    def work(self, name: str, goes_on: Callable[[], bool]) -> None:
        """Let everybody work as long as it goes on."""
        counted = self._report.statuses.setdefault(name, collections.Counter())

        def work(number: int) -> None:
            count = 0
            while goes_on():
                said = f"{name}/{number}/{count}"
                count += 1
                began = time.monotonic()
                try:
                    status = self._people[number].remark(said, key=said)
                except httpx.TransportError as error:
                    status = type(error).__name__
                took = time.monotonic() - began
                with self._lock:
                    counted[status] += 1
                    self._report.slowest = max(self._report.slowest, took)
                    if status == "201":
                        self._report.acknowledged.append(said)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def for_seconds(self, name: str, seconds: float) -> None:
        """Let everybody work for a while."""
        until = time.monotonic() + seconds
        self.work(name, lambda: time.monotonic() < until)

    def until_back(self, name: str) -> None:
        """Let everybody work until changes are made again, and note how long that took."""
        began = time.monotonic()
        counted = self._report.statuses.setdefault(f"after-{name}", collections.Counter())
        self._report.back[name] = math.inf

        def goes_on() -> bool:
            taken = time.monotonic() - began
            if counted["201"] and self._report.back[name] == math.inf:
                self._report.back[name] = taken
            return counted["201"] < 5 * CLIENTS and taken < BACK

        self.work(f"after-{name}", goes_on)


def run(
    seconds: float,
    faults: Collection[str] = FAULTS,
    *,
    longest: float = LONGEST,
    bound: float = BOUND,
    hasty: bool = False,
) -> Report:
    """Meet every fault for half of so long and return what it came to.

    Args:
        seconds: How long people work with each.
        faults: Which of them.
        longest: Seconds after which the service cuts a connection that is silent.
        bound: Seconds that people wait for an answer.
        hasty: PostgreSQL acknowledges before what it acknowledges is on the disk.
    """
    report = Report()
    with Postgres(durable=True) as postgres:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("create database office")
            if hasty:
                connection.execute("alter system set synchronous_commit = off")
                connection.execute("alter system set wal_writer_delay = 10000")
                connection.execute("select pg_reload_conf()")
        direct = Connections(connect(postgres.url("office")))
        migrate(direct)
        office = Office(connections=direct)
        office.house()
        office.somebody(Role.SCHEME_STAFF, "nordlia")
        proxy = Proxy(postgres.place / ".s.PGSQL.5432")
        address = f"postgresql://postgres@127.0.0.1:{proxy.port}/office?sslmode=disable"
        with Server(address, "--longest", str(longest)) as server:
            crowd = _Crowd(server.url, report, bound)

            def restart() -> None:
                postgres.kill()
                postgres.start()

            def mode(name: str) -> Callable[[], None]:
                return lambda: setattr(proxy, "mode", name)

            begins = {
                "forget": proxy.forget,
                "paused": lambda: postgres.pause(seconds / 2),
                "killed": restart,
            }
            crowd.for_seconds("well", seconds / 4)
            for name in faults:
                fault = threading.Timer(seconds / 4, begins.get(name, mode(name)))
                end = threading.Timer(seconds * 3 / 4, mode("ok"))
                fault.start()
                end.start()
                crowd.for_seconds(name, seconds)
                fault.join()
                end.join()
                crowd.until_back(name)
        proxy.close()
        with SqlStorage(direct).read() as tx:
            bodies = [found.body for found in tx.find(Query(Kind.COMMENT))]
        there = {body.text for body in bodies if isinstance(body, Comment)}
        report.lost = sum(said not in there for said in report.acknowledged)
        direct.engine.dispose()
    return report


def main() -> None:
    """Run the drill, or one of its controls, which must find changes lost or answers missing."""
    parser = argparse.ArgumentParser(description="Faults of the database")
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--longest", type=float, default=LONGEST)
    parser.add_argument("--hasty", action="store_true")
    parser.add_argument("--unwatched", action="store_true")
    given = parser.parse_args()
    faults = ("killed",) if given.hasty else ("swallow",) if given.unwatched else FAULTS
    longest = math.inf if given.unwatched else given.longest
    report = run(given.seconds, faults, longest=longest, hasty=given.hasty)
    for name, counted in report.statuses.items():
        back = f", back after {report.back[name]:.1f} s" if name in report.back else ""
        print(f"{name:16} {dict(counted)}{back}")  # noqa: T201
    print(  # noqa: T201
        f"acknowledged {len(report.acknowledged)}, lost {report.lost}, slowest {report.slowest:.1f} s"
    )
    sys.exit(not report.held)


if __name__ == "__main__":
    main()
