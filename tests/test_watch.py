"""A database that has gone without a word: whoever waits for it is let go, once, and nobody else is cut."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from allocator.ports import BusyError
from allocator.store.engine import Connections, connect
from allocator.store.watch import Watch
from tests.databases import fresh, opened, server
from tests.drills.pauses import Proxy


def test_who_waits_too_long_is_let_go() -> None:
    """What never comes ends like a connection that is closed; what is in time is left alone."""
    near, far = socket.socketpair()
    others, _far = socket.socketpair()
    watch = Watch()
    watch.begin(near.fileno(), 0.01)
    in_time = watch.begin(others.fileno(), 3600)
    assert near.recv(1) == b""
    assert far.recv(1) == b""
    watch.end(in_time)
    others.sendall(b"x")
    assert _far.recv(1) == b"x"
    for end in (near, far, others, _far):
        end.close()


def test_a_number_that_belongs_to_another_now_is_not_cut() -> None:
    """The operating system gives the number of a closed socket to the next one."""
    watch = Watch()
    near, far = socket.socketpair()
    mine, other = socket.socketpair()
    sign, struck = socket.socketpair()
    watch.begin(near.fileno(), 0.01)
    os.dup2(mine.fileno(), near.fileno())
    watch.begin(sign.fileno(), 0.01)
    assert struck.recv(1) == b""
    other.sendall(b"x")
    assert mine.recv(1) == b"x"
    for end in (near, far, mine, other, sign, struck):
        end.close()


@pytest.fixture
def proxied() -> Iterator[tuple[Proxy, Connections]]:
    """Connections to a database through a proxy that can lose them."""
    database = make_url(fresh("postgresql")).database
    proxy = Proxy(server().place / ".s.PGSQL.5432")
    connections = Connections(
        connect(f"postgresql://postgres@127.0.0.1:{proxy.port}/{database}?sslmode=disable")
    )
    yield proxy, connections
    connections.engine.dispose()
    proxy.close()


def _several(connections: Connections, number: int) -> None:
    """Have so many connections open, and give them back."""
    opened = [connections.engine.connect() for _ in range(number)]
    for connection in opened:
        connection.close()


def test_connections_that_were_lost_are_all_renewed_at_once(
    proxied: tuple[Proxy, Connections], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall forgets every idle connection; the next who asks waits for one of them, not for each."""
    monkeypatch.setattr("allocator.store.engine.ANSWERS", 0.1)
    proxy, connections = proxied
    _several(connections, 6)
    proxy.mode = "swallow"
    with pytest.raises(BusyError):  # neither the old connections nor a new one
        _one(connections)
    proxy.mode = "ok"
    assert _one(connections) == 1
    _several(connections, 6)
    proxy.forget()
    assert _one(connections) == 1


def _one(connections: Connections) -> int:
    with connections.read() as connection:
        return int(connection.execute(text("select 1")).scalar_one())


def test_a_connection_that_breaks_is_watched_no_longer() -> None:
    """Nothing is left of it that could be cut, or kept open, later."""
    connections = opened("postgresql")
    _one(connections)
    before = _open_files()
    for _ in range(3):
        with pytest.raises(BusyError):
            _broken_off(connections)
    _one(connections)
    assert _open_files() == before
    connections.engine.dispose()


def _broken_off(connections: Connections) -> None:
    """Change something while the database ends the connection."""
    with connections.write() as connection:
        pid = connection.execute(text("select pg_backend_pid()")).scalar_one()
        with psycopg.connect(server().url(), autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", (pid,))
        connection.execute(text("select 1"))


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
