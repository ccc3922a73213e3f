"""How fast a quick ranking is answered over HTTP, beside ready bytes in the same process.

::

    python -m bench.web                    # several rounds of each, their medians, and a long run
    python -m bench.web --plain            # without uvloop and httptools, where they are installed
    python -m bench.web --no-freeze        # with everything that was loaded searched for garbage

One worker, as ``allocator serve`` starts it; the client is a raw socket that is kept open. Each question is
about another applicant than the one before, so nothing can be answered from memory. Beside it stand the bytes
of such an answer, made before: sent by a route of FastAPI with nothing around it (*ready*), and by the same
application as the ranking, behind its token, log and figures (*guarded*). What the service computes for an
answer is told too, since times to answer depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261122
APPLICANTS = 64
RANKING, GUARDED, READY, ABOUT = "/api/v1/rankings", "/api/v1/ready", "/ready", "/about"
TOKEN = "-".join(["invented"] * 5)
OK = 200

_console = Console(highlight=False, soft_wrap=True)


# ------------------------------------------------------------------------------------------ the service


def serve(port: int, units: int, first: int, *, plain: bool, freeze: bool) -> None:
    """Serve a generated municipality, and beside it one of its answers as ready bytes."""
    if plain:
        sys.modules.update(dict.fromkeys(("uvloop", "httptools")))  # type: ignore[arg-type]
    if not freeze:
        gc.freeze = lambda: None
    from fastapi import Depends, FastAPI, Response  # noqa: PLC0415 - what it runs on is chosen above

    from allocator.policy import Policy  # noqa: PLC0415
    from api.app import create_app, run  # noqa: PLC0415
    from api.auth import caller  # noqa: PLC0415
    from api.routes.rankings import answer, lay_out  # noqa: PLC0415
    from api.schemas import RankingQuestion  # noqa: PLC0415
    from fixtures.generator import municipality  # noqa: PLC0415

    case = municipality(SEED, units, applicants=APPLICANTS)
    policy = Policy.from_toml((ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8"))
    app = create_app(case, policy, token=TOKEN)
    ids = [applicant.id for applicant in case.applicants]

    laid = lay_out(case, policy)
    answers = [answer(laid, RankingQuestion(applicant=name, first=first)) for name in ids]
    ready = sorted(answers, key=len)[len(answers) // 2]
    floor = FastAPI()

    @floor.post(READY)
    async def _ready() -> Response:
        return Response(ready, media_type="application/json")

    @floor.get(ABOUT)
    async def _about() -> dict[str, Any]:
        return {
            "applicants": ids,
            "bytes": [len(answer) for answer in answers],
            "entries": json.loads(ready)["total"],
            "loop": type(asyncio.get_running_loop()).__module__.partition(".")[0],
            "process": os.getpid(),
        }

    @app.post(GUARDED, dependencies=[Depends(caller)])
    async def _guarded() -> Response:
        return Response(ready, media_type="application/json")

    whole = app.build_middleware_stack()

    async def chosen(scope: Any, receive: Any, send: Any) -> None:
        beside = scope["type"] == "http" and scope["path"] in (READY, ABOUT)
        await (floor if beside else whole)(scope, receive, send)

    app.middleware_stack = chosen
    run(app, host="127.0.0.1", port=port)


@contextmanager
def served(options: argparse.Namespace) -> Iterator[int]:
    """Start the service as a process of its own, and stop it; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "bench.web", "--serve", str(port), *sys.argv[1:]]
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, stderr=log, cwd=ROOT) as process:  # noqa: S603
        try:
            for _ in range(int(options.patience * 10)):
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(log.read().decode()[-2000:])
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


# ------------------------------------------------------------------------------------------- the client


class _Caller:
    """One connection that is kept open, with one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asked = 0
        self._read = bytearray()
        self._whole = 0

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._read.clear()
        self._whole = 0
        self._asked = time.perf_counter_ns()
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """Read on; return the nanoseconds since asking once the answer is whole."""
        self._read += self.socket.recv(1 << 18)
        if not self._whole:
            end = self._read.find(b"\r\n\r\n")
            if end < 0:
                return None
            head = bytes(self._read[:end]).lower()
            if not head.startswith(b"http/1.1 200"):
                raise RuntimeError(bytes(self._read[:400]).decode())
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self._whole = end + 4 + length
        return None if len(self._read) < self._whole else time.perf_counter_ns() - self._asked


def request(path: str, body: bytes | None = None) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        "host: bench",
        f"authorization: Bearer {TOKEN}",
    ]
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def timed(port: int, requests: Sequence[bytes], callers: int, seconds: float) -> list[int]:
    """Return how many nanoseconds each answer took, asked by so many callers at once for so long."""
    taken: list[int] = []
    turn = count()
    with selectors.DefaultSelector() as selector:
        everyone = [_Caller(port) for _ in range(callers)]
        for one in everyone:
            selector.register(one.socket, selectors.EVENT_READ, one)
            one.ask(requests[next(turn) % len(requests)])
        until = time.perf_counter() + seconds
        waiting = callers
        while waiting:
            for key, _ in selector.select():
                one = key.data
                took = one.answered()
                if took is None:
                    continue
                taken.append(took)
                if time.perf_counter() < until:
                    one.ask(requests[next(turn) % len(requests)])
                else:
                    waiting -= 1
        for one in everyone:
            one.socket.close()
    return taken


def computed(process: int) -> int:
    """Return how many nanoseconds a process has computed, as Linux counts them; 0 elsewhere."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads)


def about(port: int) -> dict[str, Any]:
    """Return what the service says of itself."""
    one = _Caller(port)
    one.ask(request(ABOUT))
    while one.answered() is None:
        pass
    found: dict[str, Any] = json.loads(bytes(one._read).partition(b"\r\n\r\n")[2])  # noqa: SLF001
    one.socket.close()
    return found


# ------------------------------------------------------------------------------------------ the figures


@dataclass(frozen=True)
class Figures:
    """One round: percentiles and computing time in microseconds, and answers a second."""

    p50: float
    p99: float
    p999: float
    most: float
    computed: float
    rate: float

    @classmethod
    def measured(
        cls, service: int, port: int, requests: Sequence[bytes], callers: int, seconds: float
    ) -> Figures:
        """Ask for so many seconds, and return the figures."""
        before = computed(service)
        taken = timed(port, requests, callers, seconds)
        spent = computed(service) - before
        ordered = sorted(taken)

        def at(per_mille: int) -> float:
            return ordered[min(len(ordered) - 1, len(ordered) * per_mille // 1000)] / 1000

        return cls(
            p50=at(500),
            p99=at(990),
            p999=at(999),
            most=ordered[-1] / 1000,
            computed=spent / 1000 / len(ordered),
            rate=len(ordered) / seconds,
        )


def _table(title: str, rounds: dict[str, list[Figures]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    names = ("p50", "p99", "p999", "most", "computed", "rate")
    ratios = ("p50", "p99", "computed")
    for heading in ("", "p50 µs", "p99 µs", "p99.9 µs", "most µs", "computed µs", "a second"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in ratios:
        table.add_column(f"{name} x ready", justify="right")
    for what, figures in rounds.items():
        pairs = list(zip(figures, rounds["ready"], strict=True))
        table.add_row(
            what,
            *(f"{median([getattr(one, name) for one in figures]):.0f}" for name in names),
            *(f"{median([_ratio(one, base, name) for one, base in pairs]):.2f}" for name in ratios),
        )
    return table


def _ratio(one: Figures, base: Figures, name: str) -> float:
    return getattr(one, name) / (getattr(base, name) or float("nan"))  # type: ignore[no-any-return]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print medians of all rounds and medians of each round's ratios."""
    parser = argparse.ArgumentParser(description="Quick rankings over HTTP, beside ready bytes.")
    parser.add_argument("--units", type=int, default=700, help="units of the municipality")
    parser.add_argument("--first", type=int, default=6, help="entries with findings")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round")
    parser.add_argument("--long", type=float, default=30.0, help="seconds of the long run; 0 for none")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait for the service")
    parser.add_argument("--plain", action="store_true", help="without uvloop and httptools")
    parser.add_argument("--no-freeze", action="store_true", help="without gc.freeze()")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve is not None:
        serve(options.serve, options.units, options.first, plain=options.plain, freeze=not options.no_freeze)
        return 0
    with served(options) as port:
        found = about(port)
        questions = [
            json.dumps({"applicant": a, "first": options.first}).encode() for a in found["applicants"]
        ]
        kinds = {
            "ready": [request(READY, questions[0])],
            "guarded": [request(GUARDED, questions[0])],
            "ranking": [request(RANKING, question) for question in questions],
        }
        sizes = found["bytes"]
        _console.print(
            f"{options.units} units, {found['entries']} of them ranked for each of {len(questions)} "
            f"applicants, findings of the first {options.first}:\n{min(sizes)} to {max(sizes)} bytes, "
            f"median {median(sizes):.0f}. Loop {found['loop']}, {'not ' * options.no_freeze}frozen, "
            f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}."
        )
        for requests in kinds.values():
            timed(port, requests, 8, 0.5)
        for callers in (1, 8):
            rounds: dict[str, list[Figures]] = {what: [] for what in kinds}
            for _ in range(options.rounds):
                for what, requests in kinds.items():
                    rounds[what].append(
                        Figures.measured(found["process"], port, requests, callers, options.seconds)
                    )
            _console.print(_table(f"\n{callers} at once, median of {options.rounds} rounds", rounds))
        if options.long:
            long = {
                what: [Figures.measured(found["process"], port, requests, 1, options.long)]
                for what, requests in kinds.items()
                if what != "guarded"
            }
            _console.print(_table(f"\n1 at once for {options.long:.0f} s", long))
    return 0


if __name__ == "__main__":
    sys.exit(main())
