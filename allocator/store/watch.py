"""Cutting connections to a database that has gone without a word.

A server that is unplugged, or a firewall that forgets a connection, leaves whoever waits for an answer
waiting for ever: nothing on this side of the wire says how long is too long. This does.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
import time

_EVERY = 0.5


class Watch:
    """Shuts the sockets of connections that take too long; whoever waits on one gets an error.

    Each is watched by a descriptor of our own: the one that was given may be closed, and be another's, before
    we are told.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[int, float] = {}
        self._started = False

    def begin(self, descriptor: int, seconds: float) -> int:
        """Let a socket take so long from now on, and return what to change or end that with."""
        own = os.dup(descriptor)
        with self._lock:
            if not self._started:
                threading.Thread(target=self._look, name="database-watch", daemon=True).start()
                self._started = True
            self._until[own] = time.monotonic() + seconds
        return own

    def prolong(self, own: int, seconds: float) -> None:
        """Let it take so long from now on."""
        with self._lock:
            self._until[own] = time.monotonic() + seconds

    def end(self, own: int) -> None:
        """Watch it no longer."""
        with self._lock:
            del self._until[own]
            os.close(own)

    def _look(self) -> None:
        while True:
            time.sleep(_EVERY)
            now = time.monotonic()
            with self._lock:
                for own in [own for own, until in self._until.items() if until < now]:
                    self._until[own] = math.inf
                    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(own)) as waiting:
                        waiting.shutdown(socket.SHUT_RDWR)
