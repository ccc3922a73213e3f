"""The real service as a process of its own, and those who use it over HTTP.

python -m tests.drills.server ADDRESS PORT      # serves a database in demo mode, for the drills

The other arguments plant faults, for the controls.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from allocator.audit.checkpoints import Keeper, Signer
from allocator.casework.codes import Role
from allocator.casework.housing import Tenancy
from allocator.casework.records import Body, Kind
from allocator.policy import Policy
from allocator.ports import BusyError, Query, Transaction
from allocator.service.desk import Desk, Shown
from allocator.store import engine
from allocator.store.engine import Connections, connect
from allocator.store.repository import SqlStorage
from api.app import create_office, run

ROOT = Path(__file__).parent.parent.parent

SIGNER = Signer("test/drill", bytes(range(32)))
"""Signs the checkpoints of a server that keeps some."""


class _RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the moment."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the day."""
        return self.now().date()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Server:
    """A server process; it can be killed and started again.

    Args:
        address: Address of the database.
        more: More arguments for it.
    """

    def __init__(self, address: str, *more: str) -> None:
        self.address, self.more = address, more
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "tests.drills.server", self.address, str(self.port), *self.more]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return
            if self.process.poll() is not None:
                raise RuntimeError("the server ended while it was starting")
            time.sleep(0.05)
        raise TimeoutError("the server does not answer")

    def kill(self) -> None:
        """Kill it at once."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_before_an_answer(self) -> None:
        """Let it be killed when the next change is saved, before anybody is told."""
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)
        self.process.wait(60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Person:
    """Somebody who is logged in.

    Args:
        url: Where the server answers.
        role: The role of an account there.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, url: str, role: Role, *, timeout: float = 30) -> None:
        self.client = httpx.Client(base_url=f"{url}/api/v1", timeout=timeout)
        entered = self.client.post("/demo-login", json={"role": role.value})
        assert entered.status_code == 200, entered.text
        cookie = entered.headers["set-cookie"].partition(";")[0]
        self.client.headers.update(
            {
                "cookie": cookie,  # it is marked Secure, so that no client sends it by itself over plain HTTP
                "x-csrf-token": entered.json()["csrf"],
                "x-purpose": "casework",
            }
        )

    def post(
        self, path: str, content: Any, *, key: str | None = None, seen: int | None = None
    ) -> httpx.Response:
        """Send a change."""
        headers = {} if key is None else {"idempotency-key": key}
        if seen is not None:
            headers["if-match"] = f'"{seen}"'
        return self.client.post(path, json=content, headers=headers)

    def remark(self, text: str, *, key: str | None = None) -> str:
        """Remark something on a unit, and return how that was answered: 503 only if it is a clear one."""
        asked = {"about": "unit", "of": "nordlia-1", "text": text}
        answer = self.post("/comments/make", asked, key=key)
        clear = answer.status_code != 503 or (
            "retry-after" in answer.headers and answer.json()["code"] in ("busy", "uncertain")
        )
        return str(answer.status_code) if clear else "503, and not what to do"


class Remarker(threading.Thread):
    """Makes one remark after another, each until it is acknowledged, over any number of servers' lives.

    Args:
        number: Which of those who do.
        server: Where.
        keys: Send an idempotency key with each.
    """

    def __init__(self, number: int, server: Server, *, keys: bool = True) -> None:
        super().__init__(daemon=True)
        self.number, self.server, self.keys = number, server, keys
        self.acknowledged: list[str] = []
        self.again = 0
        self.failed = ""
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        """Remark until told to come to an end."""
        person: Person | None = None
        said, open_yet = "", False
        while open_yet or not self._over.is_set():
            said = said if open_yet else f"{self.number}/{len(self.acknowledged)}"
            open_yet = True
            try:
                person = person or Person(self.server.url, Role.SCHEME_STAFF, timeout=5)
                answer = person.remark(said, key=said if self.keys else None)
            except httpx.TransportError:
                answer = "none"
            if answer == "201":
                self.acknowledged.append(said)
                open_yet = False
            elif answer in ("none", "503"):
                self.again += 1
                time.sleep(0.1)
            else:
                self.failed = answer
                return

    def finish(self) -> None:
        """Let it come to the end of what it has begun."""
        self._over.set()
        self.join(120)
        assert not self.is_alive(), "a change has not been acknowledged for two minutes"
        assert not self.failed, self.failed


# ------------------------------------------------------------------------------------ faults to plant


def _forget() -> None:
    """A change that could not be saved is acknowledged all the same."""
    usual = SqlStorage.write

    @contextlib.contextmanager
    def write(self: SqlStorage, **how: Any) -> Iterator[Transaction]:
        with contextlib.suppress(BusyError), usual(self, **how) as transaction:
            yield transaction

    SqlStorage.write = write  # type: ignore[method-assign]


def _leave_unguarded() -> None:
    """Whether a home is free is looked up first, then it is taken, and nothing guards it meanwhile."""
    usual = SqlStorage.write

    @contextlib.contextmanager
    def write(self: SqlStorage, **how: Any) -> Iterator[Transaction]:
        with self.read() as seen:
            seen.count(Query(Kind.TENANCY))
            time.sleep(0.1)
            with usual(self, **how) as transaction:
                transaction.find = seen.find  # type: ignore[method-assign]
                yield transaction

    SqlStorage.write = write  # type: ignore[method-assign]
    Tenancy.holds = Body.holds  # type: ignore[method-assign]


def _die_before_an_answer_when_told() -> None:
    """On a signal: end as if killed, when the next change has been saved and before it is acknowledged."""
    usual, told = Desk.run, threading.Event()

    def run_and_die(self: Desk, *asked: Any, **more: Any) -> Shown:
        shown = usual(self, *asked, **more)
        if told.is_set():
            os.kill(os.getpid(), signal.SIGKILL)
        return shown

    Desk.run = run_and_die  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, lambda *_: told.set())


def main() -> None:
    """Serve a database until stopped."""
    parser = argparse.ArgumentParser(description="The service, for drills")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--forgetful", action="store_true")
    parser.add_argument("--unguarded", action="store_true")
    parser.add_argument("--longest", type=float, default=engine.LONGEST)
    parser.add_argument("--checkpoints", type=Path)
    given = parser.parse_args()
    _die_before_an_answer_when_told()
    if given.forgetful:
        _forget()
    if given.unguarded:
        _leave_unguarded()
    engine.LONGEST, engine.ANSWERS = given.longest, max(given.longest / 4, 1)
    clock, connections = _RealClock(), Connections(connect(given.address))
    if given.checkpoints:
        Keeper(SqlStorage(connections), SIGNER, given.checkpoints, clock, entries=20).start(0.05)
    text = (ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8")
    office = create_office(connections, clock, Policy.from_toml(text), demo=True)
    run(office, host="127.0.0.1", port=given.port)


if __name__ == "__main__":
    main()
