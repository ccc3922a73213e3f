"""The engine of record in processes of its own: what its C code does there, it does to nobody else.

``durable_rules`` is C code that can crash, hang or run out of memory
(``docs/decisions/0009-engine-of-record.md``).
:class:`ContainedEngine` decides as :class:`DurableEngine` does, but runs it in child processes:

* A child is given the rules once, and then batches of known facts: those that some rule reads, by path,
  without ids, names or anything else. What it says must be whole, rule by rule and member by member, or it
  does not count.
* A child that crashes, hangs, runs out of memory or answers anything else is killed, and a new one is asked
  once more. If that fails too there is no answer: an :class:`EngineError`, never half of one.
* A child has limits of its own for memory and time, writes no files and leaves no core dump. It ends when
  its parent does: at once if it waits, and at the end of its time if it works.

Several threads may ask at once. Each has a child to itself while it asks.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hashlib
import os
import pickle
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, cast

from allocator.engines import EngineError, Judgement, Outcome
from allocator.engines.durable import DurableEngine
from allocator.facts import COMMON_SUBJECTS, LIST_KNOWN_BY, Candidate, Facts, Item, Missing, Range, Value
from allocator.policy import BoundRule
from allocator.rules.language import Expr, paths

PROGRAM = (sys.executable, "-P", "-c", "from allocator.engines.contained import serve; serve()")
"""What a child runs."""

_ENVIRONMENT = frozenset({"PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ"})
"""All that a child gets of the environment: no secret stands there."""


@dataclass(frozen=True)
class Limits:
    """What a child may take.

    Attributes:
        children: Children at most; so many questions are decided side by side.
        start_seconds: Time to start and to read the rules.
        seconds: Time for a batch, whatever its size.
        seconds_a_row: Time more for each candidate, and for each member of its ranges.
        wait_seconds: Time to wait for a child that has nothing to do.
        memory: Bytes of address space.
        batch: Candidates in one batch.
        lifetime: Candidates after which a child is replaced.
    """

    children: int = 2
    start_seconds: float = 60
    seconds: float = 10
    seconds_a_row: float = 0.01
    wait_seconds: float = 60
    memory: int = 2 * 2**30
    batch: int = 256
    lifetime: int = 1_000_000


# ------------------------------------------------------------------------------- what goes between them


@dataclass(frozen=True)
class SentRule:
    """As much of a bound rule as the engine reads."""

    id: str
    about: Range
    broken_when: Expr
    remark_when: Expr | None

    @property
    def rule(self) -> SentRule:
        """The rule itself, where the engine asks for it."""
        return self


@dataclass(frozen=True)
class _Form:
    """What both sides know: the rules, and which facts of what stand in which order in a row."""

    rules: tuple[SentRule, ...]
    common: tuple[str, ...]
    of_member: Mapping[Range, tuple[str, ...]]

    @classmethod
    def of(cls, rules: Iterable[BoundRule]) -> _Form:
        sent = tuple(SentRule(r.id, r.rule.about, r.broken_when, r.remark_when) for r in rules)
        expressions = [expr for r in sent for expr in (r.broken_when, r.remark_when) if expr is not None]
        read = dict.fromkeys(path for expr in expressions for path in paths(expr))
        read |= dict.fromkeys(LIST_KNOWN_BY.values())
        by_subject: dict[str, list[str]] = {}
        for path in read:
            by_subject.setdefault(path.partition(".")[0], []).append(path)
        return cls(
            sent,
            tuple(path for subject in sorted(COMMON_SUBJECTS) for path in by_subject.get(subject, ())),
            {over: tuple(by_subject.get(over.value, ())) for over in Range},
        )

    @property
    def sha256(self) -> str:
        """The hash of the rules, by which both sides know that they mean the same."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


_Row = tuple[Value | None, ...]
"""Known facts in the order of the form; None where nothing is known."""


@dataclass(frozen=True)
class _Batch:
    """Candidates as they are sent: rows, and for each candidate its own and those of its members."""

    rows: Sequence[_Row]
    candidates: Sequence[tuple[int, Mapping[Range, Sequence[int]]]]


def _row(names: Iterable[str], facts: Facts) -> _Row:
    return tuple(None if isinstance(value, Missing) else value for value in map(facts.get, names))


def _packed(form: _Form, candidates: Iterable[Candidate]) -> _Batch:
    """Return what is sent of candidates; a member that several have in common is sent once."""
    rows: list[_Row] = []
    place: dict[int, int] = {}

    def at(item: Item, names: tuple[str, ...]) -> int:
        if id(item) not in place:
            place[id(item)] = len(rows)
            rows.append(_row(names, item.facts))
        return place[id(item)]

    packed = []
    for candidate in candidates:
        rows.append(_row(form.common, candidate.facts))
        own = len(rows) - 1
        members = {
            over: [at(item, names) for item in candidate.items(over)]
            for over, names in form.of_member.items()
        }
        packed.append((own, members))
    return _Batch(rows, packed)


_SAID = {Outcome.KEPT: b"K", Outcome.BROKEN: b"B", Outcome.UNKNOWN: b"U"}
_MEANS = {said[0]: outcome for outcome, said in _SAID.items()}
_YES, _NO = b"Y", b"N"
_FLAG = {_YES[0]: True, _NO[0]: False}


def _spoken(form: _Form, judgements: Iterable[Judgement]) -> bytes:
    """Return judgements as letters: for each candidate a line for each rule, and one for the remarks."""
    lines: list[bytes] = []
    for judgement in judgements:
        lines.extend(b"".join(map(_SAID.__getitem__, judgement.outcomes[rule.id])) for rule in form.rules)
        remarks = (judgement.remarks[r.id] for r in form.rules if r.remark_when is not None)
        lines.append(b"".join(_YES if remark else _NO for remark in remarks))
    return b"\n".join(lines)


def _understood(form: _Form, batch: _Batch, said: bytes) -> list[Judgement]:
    """Return the judgements that a child has said, if they are whole.

    Raises:
        _FailedError: A rule or a member is missing or too many, or a letter means nothing.
    """
    lines = iter(said.split(b"\n") if batch.candidates else [])
    with_remark = [rule.id for rule in form.rules if rule.remark_when is not None]
    known: dict[bytes, tuple[Outcome, ...]] = {}
    judgements = []
    try:
        for _, members in batch.candidates:
            outcomes = {}
            for rule in form.rules:
                line = next(lines)
                if line not in known:
                    known[line] = tuple(map(_MEANS.__getitem__, line))
                if len(line) != len(members[rule.about]):
                    raise _FailedError("its answer was not whole")
                outcomes[rule.id] = known[line]
            remarks = map(_FLAG.__getitem__, next(lines))
            judgements.append(Judgement(outcomes, dict(zip(with_remark, remarks, strict=True))))
        if next(lines, None) is not None:
            raise _FailedError("its answer was not whole")
    except (KeyError, ValueError, StopIteration):
        raise _FailedError("its answer was not whole") from None
    return judgements


_REQUEST = struct.Struct(">IdI")
"""Before what is sent to a child: number, seconds at most, length."""

_ANSWER = struct.Struct(">IBII")
"""Before what a child says: the number of the request, whether it is an answer, checksum, length."""

_LONGEST_REASON = 200
"""Bytes in which a child says why it cannot answer."""


# ------------------------------------------------------------------------------------- the parent's side


_SIGNALS = {number.value: number.name for number in signal.Signals}


class _FailedError(Exception):
    """A child did not answer as it must. Says why, without facts."""


def _process(program: Sequence[str]) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start a child that has nothing of its parent's but where to find the code, and a channel.

    Raises:
        OSError: There is no such program, or no more processes or channels.
    """
    search = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT}
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            return ours, subprocess.Popen(  # noqa: S603 - our own program
                program,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**kept, "PYTHONPATH": search},
                cwd="/",
                start_new_session=True,  # what is typed at a terminal is for the parent
            )
        except OSError:
            ours.close()
            raise


class _Child:
    """A child process and the channel to it. One thread at a time."""

    def __init__(self, form: _Form, limits: Limits, program: Sequence[str]) -> None:
        self.judged = 0
        self._number = 0
        try:
            self._channel, self._process = _process(program)
        except OSError:
            raise _FailedError("its process could not be started") from None
        try:
            said = self.ask(pickle.dumps((form, limits)), limits.start_seconds, longest=_LONGEST_REASON)
            if said != f"{form.sha256} {DurableEngine.version}".encode():
                raise _FailedError("it has other rules, or is another version")  # noqa: TRY301
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, content: bytes, seconds: float, *, longest: int) -> bytes:
        """Return what the child says to this.

        Raises:
            _FailedError: It did not say anything in time, or nothing that can be an answer.
        """
        self._number += 1
        until = time.monotonic() + seconds
        try:
            self._channel.settimeout(seconds)
            self._channel.sendall(_REQUEST.pack(self._number, seconds, len(content)) + content)
            number, answered, checksum, length = _ANSWER.unpack(self._received(_ANSWER.size, until))
            if number != self._number or length > (longest if answered else _LONGEST_REASON):
                raise _FailedError("its answer was not whole")
            said = self._received(length, until)
        except TimeoutError:
            raise _FailedError(f"it did not answer in {seconds:.0f} seconds") from None
        except OSError:
            raise _FailedError(self._end()) from None
        if zlib.crc32(said) != checksum:
            raise _FailedError("its answer was not whole")
        if not answered:
            raise _FailedError(said.decode("ascii", "replace"))
        return said

    def _received(self, length: int, until: float) -> bytes:
        parts = []
        while length:
            self._channel.settimeout(max(0.001, until - time.monotonic()))
            part = self._channel.recv(min(length, 2**20))
            if not part:
                raise _FailedError(self._end())
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _end(self) -> str:
        """Return how the process ended."""
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "it hung up"
        return f"it ended with {_SIGNALS.get(-code, -code) if code < 0 else code}"

    def close(self) -> None:
        """Kill the process, whatever it is doing."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


def _close_all(children: set[_Child]) -> None:
    for child in tuple(children):
        child.close()
    children.clear()


def _silent(_reason: str) -> None:
    """Take notice of nothing."""


class ContainedEngine:
    """The engine of record in processes of its own. Safe to share between threads.

    Args:
        rules: The rules of one policy on one day.
        limits: What a child may take.
        failed: Is told why, each time a child fails; never with facts.
        program: What a child runs.
    """

    name = DurableEngine.name
    version = DurableEngine.version

    def __init__(
        self,
        rules: Iterable[BoundRule],
        limits: Limits = Limits(),
        *,
        failed: Callable[[str], None] = _silent,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._form = _Form.of(rules)
        self._limits = limits
        self._failed = failed
        self._program = program
        self._free = threading.BoundedSemaphore(limits.children)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()
        self._finalizer = weakref.finalize(self, _close_all, self._children)

    def judge(self, candidates: Iterable[Candidate]) -> list[Judgement]:
        """Judge candidates, in the order given. Asked of none, it still asks a child whether it is there.

        Raises:
            EngineError: Two children failed, or none was free in time; nothing is returned.
        """
        rest = iter(candidates)
        judgements = self._judge(list(islice(rest, self._limits.batch)))
        while batch := list(islice(rest, self._limits.batch)):
            judgements += self._judge(batch)
        return judgements

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the processes that there are now."""
        with self._lock:
            return tuple(child.pid for child in self._children)

    def close(self) -> None:
        """End all children that are not at work; the next question starts a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            self._dismiss(child)

    def _judge(self, candidates: list[Candidate]) -> list[Judgement]:
        batch = _packed(self._form, candidates)
        content = pickle.dumps(batch)
        if not self._free.acquire(timeout=self._limits.wait_seconds):
            raise EngineError("the engine of record is busy")
        try:
            try:
                return self._asked(batch, content, self._waiting())
            except _FailedError as failure:
                self._failed(str(failure))
            try:
                return self._asked(batch, content, None)
            except _FailedError as failure:
                self._failed(str(failure))
                raise EngineError(f"the engine of record failed twice: {failure}") from None
        finally:
            self._free.release()

    def _asked(self, batch: _Batch, content: bytes, child: _Child | None) -> list[Judgement]:
        """Return what a child says to a batch; one that fails is killed, whatever it was that went wrong."""
        if child is None:
            child = self._started()
        whole = False
        try:
            rows = sum(1 + sum(map(len, members.values())) for _, members in batch.candidates)
            seconds = self._limits.seconds + self._limits.seconds_a_row * rows
            longest = rows * (len(self._form.rules) * 2 + 2)
            judgements = _understood(self._form, batch, child.ask(content, seconds, longest=longest))
            whole = True
        finally:
            if whole:
                self._back(child, len(batch.candidates))
            else:
                self._dismiss(child)
        return judgements

    def _waiting(self) -> _Child | None:
        """Return a child that has nothing to do, if there is one."""
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None or child.alive:
                return child
            self._dismiss(child)

    def _started(self) -> _Child:
        child = _Child(self._form, self._limits, self._program)
        with self._lock:
            self._children.add(child)
        return child

    def _back(self, child: _Child, judged: int) -> None:
        child.judged += judged
        if child.judged >= self._limits.lifetime:
            self._dismiss(child)
            return
        with self._lock:
            self._idle.append(child)

    def _dismiss(self, child: _Child) -> None:
        with self._lock:
            self._children.discard(child)
        child.close()


# -------------------------------------------------------------------------------------- the child's side


@dataclass(frozen=True)
class _Sent:
    """As much of a candidate as the engine reads."""

    facts: Facts
    members: Mapping[Range, tuple[Item, ...]]

    def items(self, over: Range) -> tuple[Item, ...]:
        """Return the members of a range."""
        return self.members[over]


def _facts(names: Iterable[str], row: _Row) -> dict[str, Any]:
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _unpacked(form: _Form, batch: _Batch) -> list[_Sent]:
    unknown = dict.fromkeys(LIST_KNOWN_BY.values(), Missing.NOT_RECORDED)
    items: dict[int, Item] = {}

    def member(at: int, names: tuple[str, ...]) -> Item:
        if at not in items:
            items[at] = Item((), _facts(names, batch.rows[at]))
        return items[at]

    return [
        _Sent(
            {**unknown, **_facts(form.common, batch.rows[own])},
            {
                over: tuple(member(at, form.of_member[over]) for at in places)
                for over, places in members.items()
            },
        )
        for own, members in batch.candidates
    ]


class _Channel:
    """The child's end of the channel."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._number = 0

    def hear(self) -> Any:
        """Return what the parent sends; from here on the time runs. Ends the process if the parent has."""
        self._number, seconds, length = _REQUEST.unpack(self._received(_REQUEST.size))
        # the kernel ends a process that takes too long, also one whose C code never comes back, or whose
        # parent is gone
        signal.setitimer(signal.ITIMER_REAL, seconds + 1)
        return pickle.loads(self._received(length))  # noqa: S301 - from our own parent

    def say(self, said: bytes, *, answered: bool = True) -> None:
        """Say something to the parent; the time stops."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        header = _ANSWER.pack(self._number, answered, zlib.crc32(said), len(said))
        self._connection.sendall(header + said)

    def _received(self, length: int) -> bytes:
        parts = []
        while length:
            part = self._connection.recv(min(length, 2**20))
            if not part:
                raise SystemExit(0)
            parts.append(part)
            length -= len(part)
        return b"".join(parts)


def serve() -> NoReturn:
    """Judge what the parent sends, until it ends. The whole program of a child."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    channel = _Channel(socket.socket(fileno=os.dup(0)))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    form, limits = channel.hear()
    _confine(limits)
    try:
        engine = DurableEngine(cast("tuple[BoundRule, ...]", form.rules))
    except EngineError as error:
        channel.say(_reason(error), answered=False)
        raise SystemExit(1) from None
    gc.freeze()
    channel.say(f"{form.sha256} {engine.version}".encode())
    while True:
        batch = channel.hear()
        try:
            said = _spoken(form, engine.judge(cast("list[Candidate]", _unpacked(form, batch))))
        except EngineError as error:
            channel.say(_reason(error), answered=False)
        except Exception as error:  # noqa: BLE001 - its message may quote facts, so that only its kind is told
            channel.say(type(error).__name__.encode()[:_LONGEST_REASON], answered=False)
        else:
            channel.say(said)


def _reason(error: EngineError) -> bytes:
    return str(error).encode("ascii", "replace")[:_LONGEST_REASON]


_PR_SET_DUMPABLE = 4


def _confine(limits: Limits) -> None:
    """Take away from this process what it does not need. Facts must not lie in a core dump."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with contextlib.suppress(AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)
