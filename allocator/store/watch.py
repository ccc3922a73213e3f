"""Cutting connections to a database that has gone without a word.

A server that is unplugged, or a firewall that forgets a connection, leaves whoever waits for an answer
waiting for ever: nothing on this side of the wire says how long is too long. This does.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time

LONGEST = 8.0
"""Seconds that a transaction may take; a statement may take less, and what needs more says so beforehand."""

_EVERY = 0.5


class Watch:
    """Shuts the sockets of transactions that take too long; whoever waits on one gets an error.

    Args:
        longest: Seconds that one may take.
    """

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._lock = threading.Lock()
        self._until: dict[int, tuple[float, int]] = {}
        self._numbers = itertools.count()
        self._started = False

    def begin(self, descriptor: int) -> int:
        """Watch a socket from now on, and return what to end it with."""
        with self._lock:
            if not self._started:
                threading.Thread(target=self._look, name="database-watch", daemon=True).start()
                self._started = True
            number = next(self._numbers)
            self._until[number] = (time.monotonic() + self._longest, descriptor)
            return number

    def end(self, number: int) -> None:
        """Watch it no longer; its descriptor may be another's now."""
        with self._lock:
            self._until.pop(number, None)

    def _look(self) -> None:
        while True:
            time.sleep(_EVERY)
            now = time.monotonic()
            with self._lock:
                late = [(number, fd) for number, (until, fd) in self._until.items() if until < now]
                for number, descriptor in late:
                    del self._until[number]
                    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as waiting:
                        waiting.shutdown(socket.SHUT_RDWR)
