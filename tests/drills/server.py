"""The real service as a process of its own, and somebody who uses it over HTTP.

python -m tests.drills.server ADDRESS PORT      # serves a database in demo mode, for the drills
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from allocator.casework.codes import Role
from allocator.policy import Policy
from allocator.ports import BusyError, Transaction
from allocator.store.engine import Connections, connect
from allocator.store.repository import SqlStorage
from api.app import create_office, run

ROOT = Path(__file__).parent.parent.parent


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
        forgetful: Plant a fault: what could not be saved is acknowledged all the same.
    """

    def __init__(self, address: str, *, forgetful: bool = False) -> None:
        self.address, self.forgetful = address, forgetful
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "tests.drills.server", self.address, str(self.port)]
        command += ["forgetful"] if self.forgetful else []
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
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

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(30)

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

    def get(self, path: str) -> httpx.Response:
        """Look at something."""
        return self.client.get(path)


def _forget() -> None:
    """Plant a fault for the controls: a change that could not be saved is acknowledged all the same."""
    usual = SqlStorage.write

    @contextlib.contextmanager
    def write(self: SqlStorage, **how: Any) -> Iterator[Transaction]:
        with contextlib.suppress(BusyError), usual(self, **how) as transaction:
            yield transaction

    SqlStorage.write = write  # type: ignore[method-assign]


def main() -> None:
    """Serve a database until stopped."""
    address, port, *planted = sys.argv[1:]
    if planted:
        _forget()
    text = (ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8")
    office = create_office(Connections(connect(address)), _RealClock(), Policy.from_toml(text), demo=True)
    run(office, host="127.0.0.1", port=int(port))


if __name__ == "__main__":
    main()
