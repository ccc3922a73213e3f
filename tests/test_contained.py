"""The engine of record in processes of its own: it decides the same, and its faults stay there."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import durable_rules_engine as rete
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from allocator.engines import EngineError, Judgement, contained, registry
from allocator.engines.contained import ContainedEngine, Limits
from allocator.engines.durable import DurableEngine
from allocator.facts import Candidate, CaseFacts, Range
from allocator.model import Snapshot
from allocator.policy import BoundRule, Policy
from allocator.rules.language import All, AtLeast, Op, Test
from api import engines
from api.app import create_app
from api.routes import questions
from fixtures.generator import municipality
from tests.properties.test_engines_agree import Fuzzed, Named, World, candidates, rules, worlds
from tests.strategies import AS_OF, default_policy, policies, snapshots

PATIENCE = 20
"""Seconds after which a test gives up waiting for a process."""


@cache
def the_rules() -> tuple[BoundRule, ...]:
    """Return the default policy's rules."""
    return default_policy().active(AS_OF)


@cache
def asked() -> tuple[Candidate, ...]:
    """Return a few candidates who have something of everything."""
    case = municipality(3, 24, applicants=2)
    facts = CaseFacts(case)
    return tuple(facts.candidate(who, unit) for who in facts.applicants for unit in list(facts.places)[:6])


@cache
def expected() -> list[Judgement]:
    """Return what the bare engine makes of them."""
    return DurableEngine(the_rules()).judge(asked())


@pytest.fixture(scope="module")
def engine() -> Iterator[ContainedEngine]:
    """Give an engine that nothing is wrong with."""
    made = ContainedEngine(the_rules())
    yield made
    made.close()


# ------------------------------------------------------------------------------------- the same answers


def through_the_channel(made: Sequence[BoundRule], people: Sequence[Candidate]) -> list[Judgement]:
    """Return what comes of candidates that are sent, judged there and answered, without a process."""
    form = contained._Form.of(made)
    batch = contained._packed(form, people)
    there, sent = pickle.loads(pickle.dumps((form, batch)))  # noqa: S301 - our own
    judge = DurableEngine(cast("tuple[BoundRule, ...]", there.rules)).judge
    said = contained._spoken(there, judge(cast("list[Candidate]", contained._unpacked(there, sent))))
    return contained._understood(form, batch, said)


@settings(max_examples=max(3, settings().max_examples // 2))
@given(case=snapshots(), policy=policies())
def test_what_is_sent_is_judged_the_same(case: Snapshot, policy: Policy) -> None:
    """For any facts and any policy, what is sent is enough to judge by, and the answer arrives whole."""
    made = policy.active(case.as_of)

    assert through_the_channel(made, candidates(case)) == DurableEngine(made).judge(candidates(case))


@given(made=rules(), people=st.lists(worlds(), max_size=6))
def test_any_rule_can_be_sent(made: tuple[Fuzzed, ...], people: list[World]) -> None:
    """Any expression of the language arrives as it is: the same outcomes, with counts and remarks."""
    bound = cast("tuple[BoundRule, ...]", made)
    those = cast("list[Candidate]", people)

    assert through_the_channel(bound, those) == DurableEngine(bound).judge(those)


@settings(max_examples=max(3, settings().max_examples // 2))
@given(case=snapshots(as_of=AS_OF))
def test_the_process_judges_as_the_bare_engine(engine: ContainedEngine, case: Snapshot) -> None:
    """One process, asked about one case after another, says of each what the bare engine says."""
    assert engine.judge(candidates(case)) == DurableEngine(the_rules()).judge(candidates(case))


def test_many_are_judged_in_batches() -> None:
    """Candidates that do not fit in one batch are judged in their order all the same."""
    made = ContainedEngine(the_rules(), Limits(batch=5))

    assert made.judge(iter(asked())) == expected()


def test_nobody_is_judged_without_a_process(engine: ContainedEngine) -> None:
    """Asked of nobody, the engine answers with nothing, after having asked a process."""
    assert engine.judge(()) == []


def test_the_c_code_does_not_run_here(engine: ContainedEngine) -> None:
    """Nothing of the rule engine is called in the process that asks."""
    calls = ("create_ruleset", "assert_fact", "start_action_for_state", "retract_fact")
    with mock.patch.multiple(rete, **dict.fromkeys(calls, mock.DEFAULT)) as called:
        assert engine.judge(asked()) == expected()

    assert not any(call.called for call in called.values())


def test_names_and_ids_are_not_sent() -> None:
    """What is sent holds no id of anybody or anything, no name and no text: facts that rules read."""
    batch = contained._packed(contained._Form.of(the_rules()), asked())
    case = asked()[0].source.case
    people = {person.id for part in (case.residents, case.applicants) for person in part}
    entries = {entry.id for part in (case.conflicts, case.orders, case.vetoes) for entry in part}
    ids = people | entries | {scheme.id for scheme in case.schemes}
    ids |= {unit.id for scheme in case.schemes for unit in scheme.units}
    words = ids | {scheme.name for scheme in case.schemes}
    sent = pickle.dumps(batch)

    assert len(words) > 50
    assert [word for word in words if word.encode() in sent] == []
    assert {type(value) for row in batch.rows for value in row} <= {bool, int, str, type(None), type(AS_OF)}


# -------------------------------------------------------------------------------------------- faults

_FAULTY = """
import ctypes, os, resource, signal
from allocator.engines import EngineError, Judgement, contained
from allocator.engines.durable import DurableEngine

def strikes():
    for number in range({times}):
        try:
            os.mkdir(f"{place}/{{number}}")
            return True
        except FileExistsError:
            pass
    return False

judge_one, judge, say = DurableEngine._judge, DurableEngine.judge, contained._Channel.say
{fault}
contained.serve()
"""

_MIDWAY = """
judged = 0
def faulty(self, candidate, memory):
    global judged
    judged += 1
    if judged == 3 and strikes():
        {}
    return judge_one(self, candidate, memory)
DurableEngine._judge = faulty
"""

_OTHERWISE = """
def faulty(self, candidates):
    answer = judge(self, candidates)
    return {} if answer and strikes() else answer
DurableEngine.judge = faulty
"""

_ON_THE_CHANNEL = """
said = 0
def faulty(self, words, answered=True):
    global said
    said += 1
    if said == 2 and strikes():
        {}
    return say(self, words, answered=answered)
contained._Channel.say = faulty
"""

FAULTS = {
    "a signal": _MIDWAY.format("os.kill(os.getpid(), signal.SIGSEGV)"),
    "a null pointer": _MIDWAY.format("ctypes.string_at(0)"),
    "an end": _MIDWAY.format("os._exit(0)"),
    "a loop": _MIDWAY.format("while True: pass"),
    "C code that never comes back": _MIDWAY.format("ctypes.PyDLL(None).sleep(1000)"),
    "no memory": _MIDWAY.format("[bytearray(2**26) for _ in range(2**10)]"),
    "a message that quotes facts": _MIDWAY.format('raise ValueError("applicant.age: 24")'),
    "its own error": _MIDWAY.format('raise EngineError("the rule engine failed on a fact")'),
    "a candidate too few": _OTHERWISE.format("answer[1:]"),
    "noise": _ON_THE_CHANNEL.format("self._connection.sendall(os.urandom(5000))"),
    "half an answer": _ON_THE_CHANNEL.format(
        "self._connection.sendall(contained._ANSWER.pack(self._number, True, 0, len(words)) + words[:9]);"
        "os._exit(0)"
    ),
    "a changed answer": _ON_THE_CHANNEL.format(
        "self._connection.sendall(contained._ANSWER.pack(self._number, True, contained.zlib.crc32(words),"
        "len(words)) + words.replace(b'U', b'K', 1))"
    ),
    "an answer to something else": _ON_THE_CHANNEL.format("self._number -= 1"),
    "an answer without end": _ON_THE_CHANNEL.format("words += b'K' * 2**24"),
}

QUICK = Limits(seconds=1.5, seconds_a_row=0, memory=500 * 2**20)


def changed(at: int, words: Callable[[list[bytes]], None]) -> Callable[[list[bytes]], None]:
    """Return a change to the words about one candidate: a word for each rule, and one for the remarks."""

    def change(said: list[bytes]) -> None:
        each = len(the_rules()) + 1
        own = said[at * each : (at + 1) * each]
        words(own)
        said[at * each : (at + 1) * each] = own

    return change


def _of_two(own: list[bytes]) -> int:
    """Return which of the words is about two or more members."""
    return next(i for i, word in enumerate(own) if len(word) > 1)


def _one_member_too_few(own: list[bytes]) -> None:
    own[_of_two(own)] = own[_of_two(own)][1:]


def _one_member_too_many(own: list[bytes]) -> None:
    own[_of_two(own)] += b"K"


def _one_member_moved(own: list[bytes]) -> None:
    at = _of_two(own)
    own[at], own[at + 1] = own[at][1:], own[at + 1] + own[at][:1]


def _no_outcome(own: list[bytes]) -> None:
    own[_of_two(own)] = b"?" * len(own[_of_two(own)])


NOT_WHOLE: dict[str, Callable[[list[bytes]], None]] = {
    "a candidate too few": lambda said: said.__delitem__(slice(len(the_rules()) + 1)),
    "a candidate too many": lambda said: said.extend(said[: len(the_rules()) + 1]),
    "a rule too few": changed(1, lambda own: own.__delitem__(3)),
    "a rule too many": changed(1, lambda own: own.insert(3, own[3])),
    "a member too few": changed(1, _one_member_too_few),
    "a member too many": changed(1, _one_member_too_many),
    "a member of another rule": changed(1, _one_member_moved),
    "a remark too few": changed(1, lambda own: own.append(own.pop()[1:])),
    "something that is no outcome": changed(1, _no_outcome),
    "something that is no remark": changed(1, lambda own: own.append(own.pop()[1:] + b"K")),
    "nothing": lambda said: said.clear(),
}


@pytest.mark.parametrize("change", NOT_WHOLE)
def test_only_a_whole_answer_counts(change: str) -> None:
    """An answer that lacks anything, or has anything too much, is none; whole, it is what was said."""
    form = contained._Form.of(the_rules())
    batch = contained._packed(form, asked())
    said = contained._spoken(form, expected()).split(b"\n")
    assert contained._understood(form, batch, b"\n".join(said)) == expected()

    NOT_WHOLE[change](said)
    with pytest.raises(contained._FailedError, match="not whole"):
        contained._understood(form, batch, b"\n".join(said))


def with_fault(fault: str, place: Path, times: int) -> tuple[str, ...]:
    """Return the program of a child that has a fault, so many times in all."""
    place.mkdir(exist_ok=True)
    return (sys.executable, "-P", "-c", _FAULTY.format(times=times, place=place, fault=fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_mended(fault: str, tmp_path: Path) -> None:
    """Where a process fails once, a new one gives the right answer, and the failure is told without facts."""
    told: list[str] = []
    made = ContainedEngine(
        the_rules(), QUICK, failed=told.append, program=with_fault(FAULTS[fault], tmp_path / "f", 1)
    )

    assert made.judge(asked()) == expected()
    assert len(told) == 1
    assert "applicant" not in told[0]
    assert len(made._children) == 1


@pytest.mark.parametrize("fault", ["a null pointer", "C code that never comes back"])
def test_a_fault_that_lasts_is_said(fault: str, tmp_path: Path) -> None:
    """Where two processes fail there is no answer and no process is left, and the next answer is right."""
    program = with_fault(FAULTS[fault], tmp_path / "f", 2)
    made = ContainedEngine(the_rules(), QUICK, program=program)
    with pytest.raises(EngineError, match="failed twice") as failure:
        made.judge(asked())
    left = set(made._children)

    assert left == set()
    assert "applicant" not in str(failure.value)
    assert failure.value.__suppress_context__
    assert made.judge(asked()) == expected()


_OTHER_VERSION = """
from allocator.engines import contained, durable
durable.DurableEngine.version = "0.0.1"
contained.serve()
"""


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (("/nowhere/python",), "could not be started"),
        ((sys.executable, "-c", "pass"), "ended with 0"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), "did not answer"),
        (
            (
                sys.executable,
                "-P",
                "-c",
                _OTHER_VERSION,
            ),
            "another version",
        ),
    ],
    ids=["no such program", "it ends", "it is silent", "it is another version"],
)
def test_a_process_that_does_not_start_is_an_error(program: tuple[str, ...], reason: str) -> None:
    """A child that does not come up, or is not what it should be, is no engine."""
    limits = Limits(start_seconds=1 if reason == "did not answer" else PATIENCE)
    made = ContainedEngine(the_rules(), limits, program=program)

    with pytest.raises(EngineError, match=reason):
        made.judge(asked())
    assert made._children == set()


def test_rules_that_the_engine_refuses_are_an_error() -> None:
    """What the engine says of rules that it cannot hold is passed on."""
    where = [Test("resident.heavy_use", Op.EQ, right) for right in (True, False)]
    both = All(tuple(AtLeast("people", Range.RESIDENT, part) for part in where))
    made = ContainedEngine(cast("tuple[BoundRule, ...]", (Fuzzed("rule-0", Named(Range.UNIT), both),)))

    with pytest.raises(EngineError, match="two counts are called `people`"):
        made.judge(())


def test_a_child_that_died_while_idle_is_replaced() -> None:
    """A process that somebody has killed meanwhile is replaced; no question fails by it."""
    told: list[str] = []
    made = ContainedEngine(the_rules(), failed=told.append)
    made.judge(asked())
    (child,) = made._idle
    child._process.kill()
    child._process.wait(PATIENCE)

    assert made.judge(asked()) == expected()
    assert child not in made._children
    assert told == []


def test_an_interrupted_question_costs_its_child(engine: ContainedEngine) -> None:
    """A question that is broken off leaves no process behind that would answer the next one with it."""
    engine.judge(asked())
    with (
        mock.patch.object(contained, "_understood", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        engine.judge(asked()[:1])

    assert engine._children == set()
    assert engine.judge(asked()) == expected()


# ------------------------------------------------------------------------------------- many at once


def test_questions_do_not_mix() -> None:
    """Threads that ask at the same time each get their own answer, from no more processes than allowed."""
    made = ContainedEngine(the_rules(), Limits(children=2))
    cases = [asked()[i : i + 4] for i in range(8)]
    right = [expected()[i : i + 4] for i in range(8)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda case: [made.judge(case) for _ in range(10)], cases))

    assert answers == [[answer] * 10 for answer in right]
    assert 1 <= len(made._children) <= 2


@contextmanager
def hanging(made: ContainedEngine) -> Iterator[None]:
    """Let one thread ask an engine whose first child hangs."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(made.judge, asked())
        while not made.processes:
            time.sleep(0.02)
        time.sleep(0.2)
        yield
        assert not answer.done()
    assert answer.result() == expected()


def test_one_that_hangs_does_not_stop_the_others(tmp_path: Path) -> None:
    """While one process hangs another answers."""
    program = with_fault(FAULTS["C code that never comes back"], tmp_path / "f", 1)
    made = ContainedEngine(the_rules(), Limits(seconds=4, seconds_a_row=0), program=program)
    with hanging(made):
        assert made.judge(asked()[:2]) == expected()[:2]


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    """Who waits too long for a process that has nothing to do is told."""
    program = with_fault(FAULTS["C code that never comes back"], tmp_path / "f", 1)
    limits = Limits(seconds=2, seconds_a_row=0, children=1, wait_seconds=0.1)
    made = ContainedEngine(the_rules(), limits, program=program)
    with hanging(made), pytest.raises(EngineError, match="busy"):
        made.judge(asked()[:2])


# ----------------------------------------------------------------------------------- what a child may


def test_a_child_is_confined(tmp_path: Path) -> None:
    """A child has limits for memory, files and core dumps, and cannot be dumped or traced."""
    report = (
        "raise EngineError(','.join(str(resource.getrlimit(getattr(resource, 'RLIMIT_' + name))[1]) "
        "for name in ('AS', 'CORE', 'FSIZE')) + ',' + str(ctypes.CDLL(None).prctl(3)))"
    )
    told: list[str] = []
    program = with_fault(_MIDWAY.format(report), tmp_path / "f", 1)
    ContainedEngine(the_rules(), QUICK, failed=told.append, program=program).judge(asked())

    assert told == [f"{QUICK.memory},0,0,0"]


def test_no_secret_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child's environment has nothing of its parent's but what it needs to run."""
    monkeypatch.setenv("ALLOCATOR_API_TOKEN", "not-a-secret-" * 3)
    tell = "import json, os, socket; socket.socket(fileno=0).sendall(json.dumps(dict(os.environ)).encode())"
    ours, process = contained._process((sys.executable, "-c", tell))
    with ours:
        process.wait(PATIENCE)
        given_on = json.loads(ours.recv(2**20))

    assert set(given_on) <= {*contained._ENVIRONMENT, "PYTHONPATH", "LC_CTYPE"}


def gone(pid: int) -> bool:
    """Return whether a process ends in time."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


_PARENT = """
import threading, time
from allocator.engines.contained import ContainedEngine, Limits
made = ContainedEngine((), Limits(seconds=1), program={program!r})
threading.Thread(target=lambda: made.judge(()), daemon=True).start()
while not made.processes:
    time.sleep(0.02)
time.sleep(0.2)
print(made.processes[0], flush=True)
time.sleep(60)
"""

_HANGS = "DurableEngine.judge = lambda self, people: ctypes.PyDLL(None).sleep(1000)"


@pytest.mark.parametrize("busy", [False, True], ids=["waiting", "working"])
def test_a_child_ends_with_its_parent(busy: bool, tmp_path: Path) -> None:
    """When the parent is killed its child ends, also one whose C code never comes back."""
    program = with_fault(_HANGS, tmp_path / "f", 1) if busy else contained.PROGRAM
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT.format(program=program)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.send_signal(signal.SIGKILL)

    assert gone(child)


def test_closing_ends_the_processes() -> None:
    """An engine that is closed, or that nobody has any more, leaves no process; it can be asked again."""
    made = ContainedEngine(the_rules())
    made.judge(asked())
    first = made.processes[0]
    made.close()

    assert gone(first)
    assert made.judge(asked()) == expected()
    second = made.processes[0]
    del made
    gc.collect()
    assert gone(second)


def test_a_child_is_replaced_in_time() -> None:
    """After so many candidates a new process takes over, so that nothing can pile up without end."""
    made = ContainedEngine(the_rules(), Limits(lifetime=len(asked()) + 1))
    made.judge(asked())
    (first,) = made._children
    made.judge(asked())

    assert first not in made._children
    assert made.judge(asked()) == expected()


# -------------------------------------------------------------------------------------- in the service


@cache
def the_case() -> Snapshot:
    """Return a case with some vacant units."""
    return municipality(3, 150, applicants=2)


QUESTION = {"applicant": the_case().applicants[0].id}


def service(monkeypatch: pytest.MonkeyPatch, program: tuple[str, ...] = contained.PROGRAM) -> FastAPI:
    """Return the application for an invented case, with the engine of record as it is in the service."""
    monkeypatch.setattr(registry, "_installed", {})
    monkeypatch.setattr(registry, "_made", OrderedDict())
    monkeypatch.setattr(engines, "ContainedEngine", partial(ContainedEngine, limits=QUICK, program=program))
    app = create_app(the_case(), default_policy(), demo=True)
    engines.install()
    return app


def answer(app: FastAPI, path: str, content: Any = None) -> httpx.Response:
    """Return the answer to one request."""

    async def one() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request("GET" if content is None else "POST", path, json=content)

    return asyncio.run(one())


def test_the_service_survives_a_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The C code crashes while a question is answered: the answer comes all the same, and is right."""
    right = answer(service(monkeypatch), "/api/v1/suggestions", QUESTION).json()
    app = service(monkeypatch, with_fault(FAULTS["a null pointer"], tmp_path / "f", 1))
    with capture_logs() as logs:
        response = answer(app, "/api/v1/suggestions", QUESTION)

    assert (response.status_code, response.json()) == (200, right)
    assert [e["reason"] for e in logs if e["event"] == "engine_process_failed"] == ["it ended with SIGSEGV"]


def test_the_service_says_so_and_recovers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The C code goes on failing: a problem without facts, then not ready, and after that all is well."""
    place = tmp_path / "f"
    app = service(monkeypatch, with_fault(FAULTS["a null pointer"], place, 2))
    with capture_logs() as logs:
        refused = answer(app, "/api/v1/suggestions", QUESTION)
    ready = answer(app, "/readyz")
    answered = answer(app, "/api/v1/suggestions", QUESTION)

    assert refused.status_code == 500
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["title"] == "the engine could not answer"
    assert QUESTION["applicant"] not in refused.text + str(logs)
    assert (ready.status_code, answered.status_code) == (200, 200)


def test_the_service_is_not_ready_without_its_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """While no process of the engine of record comes up the service is not ready, and says so."""
    app = service(monkeypatch, (sys.executable, "-c", "pass"))
    assert answer(app, "/readyz").status_code == 503
    monkeypatch.undo()

    assert answer(service(monkeypatch), "/readyz").status_code == 200


def test_the_service_asks_no_engine_in_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suggestions for every reader, zones included, are decided in other processes."""
    app = service(monkeypatch)
    monkeypatch.setattr(DurableEngine, "judge", SimpleNamespace())
    for reader in ("committee", "staff", "applicant"):
        response = answer(app, "/api/v1/suggestions", {**QUESTION, "reader": reader})
        assert response.status_code == 200
        assert response.json()["engine"] == "durable"


def test_questions_that_wait_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait for an engine that does not answer, whatever needs no engine is answered."""
    app, done = service(monkeypatch), threading.Event()
    monkeypatch.setattr(questions, "suggest", lambda *_asked: done.wait(PATIENCE) and None)

    async def asking() -> list[int]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            waiting = [
                asyncio.create_task(client.post("/api/v1/suggestions", json=QUESTION)) for _ in range(60)
            ]
            await asyncio.sleep(0.3)
            others = [await asyncio.wait_for(client.get(path), 5) for path in ("/healthz", "/api/v1/policy")]
            done.set()
            await asyncio.gather(*waiting)
        return [response.status_code for response in others]

    assert asyncio.run(asking()) == [200, 200]
