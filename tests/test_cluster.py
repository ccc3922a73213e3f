"""Whole municipalities as a dataframe plan: the same answers, on other engines and on several machines."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache, partialmethod
from pathlib import Path
from typing import Any as Anything
from typing import cast
from unittest import mock

import dask
import psutil  # type: ignore[import-untyped]
import pytest
from distributed import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from typer.testing import CliRunner

import allocator
from allocator import cli
from allocator import national as judging
from allocator.cluster import local, national, of_snapshot
from allocator.codes import ConflictStatus
from allocator.engines import EngineError, Outcome, dataframe
from allocator.engines.dataframe import Frames, Plan, broken, maker, remark, unknown
from allocator.engines.reference import ReferenceEngine
from allocator.facts import COMMON_SUBJECTS, VOCABULARY, Candidate, CaseFacts, FactType, Kind, Range
from allocator.model import Snapshot
from allocator.national import Municipal, National, Pair, judge, pairs, told
from allocator.policy import BoundRule, Policy
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Operand, Ref, Test, Truth
from allocator.scoring import Verdict, findings, suggest, verdict_of
from fixtures.generator import municipality
from tests.cases import a_case, a_conflict, a_policy, an_applicant, known, not_held
from tests.strategies import AS_OF, default_policy, policies, snapshots

FEW = max(4, settings().max_examples // 12)
"""Examples of what takes long: a plan is made and run in each."""

ENGINES = ("pyarrow", "pandas")
"""What the plan is run on in process: both come with Dask."""


# ------------------------------------------------------------------------------------ one machine


def candidates(case: Snapshot) -> list[Candidate]:
    """Return every applicant in every unit."""
    facts = CaseFacts(case)
    return [facts.candidate(applicant, unit) for applicant in facts.applicants for unit in facts.places]


def everywhere(_place: object) -> bool:
    """Want all units."""
    return True


def expected(case: Snapshot, policy: Policy) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return what the reference engine and scoring make of every applicant in every unit."""
    asked = candidates(case)
    rules = policy.active(case.as_of)
    answers: dict[tuple[str, str], tuple[object, ...]] = {}
    for candidate, judgement in zip(asked, ReferenceEngine(rules).judge(asked), strict=True):
        found = findings(candidate, rules, judgement)
        score = 100 + sum(finding.points for finding in found)
        answers[candidate.applicant.id, candidate.place.unit.id] = (
            verdict_of(found),
            score,
            score + sum(finding.could_cost for finding in found),
            tuple(dict.fromkeys(f.rule.id for f in found if f.outcome is Outcome.BROKEN)),
            tuple(dict.fromkeys(f.rule.id for f in found if f.outcome is Outcome.UNKNOWN)),
        )
    return answers


def given_by(judged: Sequence[Pair]) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return the same of pairs that the plan has judged."""
    return {
        (p.applicant, p.unit): (p.verdict, p.score, p.score_at_worst, p.broken, p.unknown) for p in judged
    }


@settings(max_examples=FEW)
@given(case=snapshots(), policy=policies(), engine=st.sampled_from(ENGINES))
def test_the_plan_agrees_with_the_reference(case: Snapshot, policy: Policy, engine: str) -> None:
    """For any facts and any policy the plan comes to the same verdict, points and rules."""
    assert given_by(pairs(case, policy, maker(engine), everywhere)) == expected(case, policy)


@pytest.mark.parametrize(("seed", "per_group"), [(1, 8), (2, 40), (3, 1)])
def test_the_plan_ranks_like_a_suggestion(seed: int, per_group: int) -> None:
    """In an invented municipality each applicant gets the units and the ranks that a suggestion gives."""
    case, policy = municipality(seed, 60, residents_per_group=per_group, applicants=4), default_policy()
    ranks = {(pair.applicant, pair.unit): (pair.rank, pair.score) for pair in pairs(case, policy)}

    assert ranks == {
        (applicant.id, entry.assessment.unit): (entry.rank, entry.assessment.score)
        for applicant in case.applicants
        for entry in suggest(case, policy, applicant.id, ReferenceEngine.name).ranked
    }


def test_nobody_and_nowhere_are_answers() -> None:
    """Without applicants, or without units, there are no pairs, and that is no error."""
    nobody, nowhere = municipality(1, 6, applicants=0), municipality(1, 0, applicants=3)

    assert pairs(nobody, default_policy()) == pairs(nowhere, default_policy()) == ()
    assert judge(nowhere, [default_policy()], keep_pairs=True).pairs == ((),)


# ------------------------------------------------------------------------- the language, whole


@dataclass(frozen=True)
class About:
    """As much of a rule as the plan reads."""

    about: Range


@dataclass(frozen=True)
class Drawn:
    """As much of a bound rule as the plan reads."""

    id: str
    rule: About
    broken_when: Expr
    remark_when: Expr | None


_DAYS = tuple(AS_OF + timedelta(days=days) for days in (-60, -1, 0, 1))


def _tests_of(fact: FactType) -> list[Test]:
    """Return comparisons of a fact with values, and with facts of the same kind."""
    ops: tuple[Op, ...] = (Op.EQ, Op.NE)
    values: Sequence[Operand]
    match fact.kind:
        case Kind.CODES:
            return [Test(f"{fact.path}:{code}", Op.EQ, right=True) for code in fact.codes or ()]
        case Kind.BOOL:
            values = [True, False]
        case Kind.CODE:
            values = [code.value for code in fact.codes or ()]
        case Kind.INT:
            ops, values = tuple(Op), [0, 1, 2, 25, 40, 50]
        case Kind.DATE:
            ops, values = tuple(Op), _DAYS
    alike = [f for f in VOCABULARY.values() if (f.kind, f.codes) == (fact.kind, fact.codes) and f != fact]
    shifts = (0, 1, -1, 365) if len(ops) > len((Op.EQ, Op.NE)) else (0,)
    refs = [Ref(other.path, plus) for other in alike for plus in shifts]
    return [Test(fact.path, op, right) for op, right in itertools.product(ops, (*values, *refs))]


def _subjects(test: Test) -> set[str]:
    read = [test.path, test.right.path] if isinstance(test.right, Ref) else [test.path]
    return {path.partition(".")[0] for path in read}


_BY_FACT = [_tests_of(fact) for fact in VOCABULARY.values()]
_TESTS = {
    over: [
        st.sampled_from(fitting)
        for tests in _BY_FACT
        if (fitting := [t for t in tests if _subjects(t) <= COMMON_SUBJECTS | {over.value}])
    ]
    for over in Range
}
_MEMBERS = tuple(over for over in Range if over is not Range.UNIT)
_OWN = {
    over: [
        st.sampled_from(own)
        for tests in _BY_FACT
        if (own := [t for t in tests if {over.value} <= _subjects(t) <= COMMON_SUBJECTS | {over.value}])
    ]
    for over in Range
}


@st.composite
def expressions(draw: DrawFn, over: Range, depth: int = 3, counts: int = 2) -> Expr:
    """Draw an expression of the core about a member of a range, with counts in counts."""
    form = draw(st.sampled_from(("test", "test", "all", "any", "not", "count", "truth"))) if depth else "test"
    if form == "count" and counts:
        of = draw(st.sampled_from(_MEMBERS))
        percent = draw(st.sampled_from((None, None, 50, 1, 0, 34, 100)))
        where = draw(expressions(of, 1, counts - 1))
        return AtLeast("n", of, where, draw(st.sampled_from((1, 0, 2))), percent)
    if form == "not":
        return Not(draw(expressions(over, depth - 1, counts)))
    if form in ("all", "any"):
        parts = tuple(draw(expressions(over, depth - 1, counts)) for _ in range(draw(st.integers(1, 3))))
        return All(parts) if form == "all" else Any(parts)
    if form == "truth":
        return Truth(draw(st.booleans()))
    pools = draw(st.sampled_from((_TESTS[over], *((_OWN[over],) * 2 if _OWN[over] else ()))))
    test: Expr = draw(draw(st.sampled_from(pools)))
    return test


@st.composite
def rules(draw: DrawFn) -> tuple[BoundRule, ...]:
    """Draw a few rules about units and about each of a range, some with remarks."""
    made = []
    for number in range(draw(st.integers(1, 5))):
        over = draw(st.sampled_from(tuple(Range)))
        remarked = draw(expressions(Range.UNIT)) if draw(st.booleans()) else None
        made.append(Drawn(f"rule-{number}", About(over), draw(expressions(over)), remarked))
    return cast("tuple[BoundRule, ...]", tuple(made))


def outcomes(case: Snapshot, made: tuple[BoundRule, ...], engine: str = ENGINES[0]) -> Counts:
    """Return for how many persons each rule is broken and unknown, and its remark, by applicant and unit."""
    plan = Plan(made)
    frames = Frames.of(CaseFacts(case), plan.reads, maker(engine))
    if not (frames.applicants and frames.units):
        return {}
    rows = plan.outcomes(frames).collect().rows(named=True)
    return {
        (frames.applicants[row["a"]], frames.units[row["u"]]): {
            bound.id: (row[broken(bound)], row[unknown(bound)], row.get(remark(bound), False))
            for bound in made
        }
        for row in rows
    }


Counts = Mapping[tuple[str, str], Mapping[str, tuple[int, int, bool]]]


def meaning(case: Snapshot, made: tuple[BoundRule, ...]) -> Counts:
    """Return the same from the reference engine."""
    asked = candidates(case)
    counted = {}
    for candidate, judgement in zip(asked, ReferenceEngine(made).judge(asked), strict=True):
        of_rule = {}
        for bound in made:
            worst: dict[tuple[str, ...], Outcome] = {}
            members = candidate.items(bound.rule.about)
            for item, outcome in zip(members, judgement.outcomes[bound.id], strict=True):
                order = (Outcome.KEPT, Outcome.UNKNOWN, Outcome.BROKEN)
                worst[item.about] = max(outcome, worst.get(item.about, Outcome.KEPT), key=order.index)
            number = Counter(worst.values())
            remarked = judgement.remarks.get(bound.id, False)
            of_rule[bound.id] = (number[Outcome.BROKEN], number[Outcome.UNKNOWN], remarked)
        counted[candidate.applicant.id, candidate.place.unit.id] = of_rule
    return counted


@settings(max_examples=2 * FEW)
@given(case=snapshots(max_units=5), made=rules(), engine=st.sampled_from(ENGINES))
def test_the_plan_agrees_on_the_language(case: Snapshot, made: tuple[BoundRule, ...], engine: str) -> None:
    """Any expression of the language comes to what the reference engine makes of it."""
    assert outcomes(case, made, engine) == meaning(case, made)


@pytest.mark.filterwarnings("ignore:Dask support is moving out:FutureWarning")
def test_the_plan_runs_on_an_engine_that_only_plans() -> None:
    """The same plan, handed to Dask's own dataframes, comes to the same."""
    case = municipality(4, 24, applicants=2)
    some = tuple(r for r in default_policy().active(case.as_of) if r.id in ("gender-mix", "recent-move-ins"))
    plan = Plan(some)
    frames = Frames.of(CaseFacts(case), plan.reads, maker("pandas", "dask"))
    rows = plan.outcomes(frames).collect("pandas").rows(named=True)

    assert {
        (frames.applicants[row["a"]], frames.units[row["u"]]): {
            bound.id: (row[broken(bound)], row[unknown(bound)], row.get(remark(bound), False))
            for bound in some
        }
        for row in rows
    } == meaning(case, some)


@pytest.mark.parametrize(
    "expr",
    [
        Test("applicant.gender", Op.LT, Ref("resident.gender")),
        Test("applicant.gender", Op.EQ, Ref("applicant.violence")),
        Test("applicant.gender", Op.EQ, "no such code"),
        Test("conflict.confirmed", Op.EQ, right=True),
        Expr(),
    ],
)
def test_what_cannot_be_compiled_is_refused_at_once(expr: Expr) -> None:
    """A rule that does not fit the plan fails when the plan is made, not when it is run."""
    with pytest.raises(EngineError):
        Plan(cast("tuple[BoundRule, ...]", (Drawn("rule", About(Range.RESIDENT), expr, None),)))


# --------------------------------------------------------------------------------- planted faults

_COMPARE, _REACHED, _FRAMES = Plan._compare, Plan._reached, dataframe._Layout.frames


def _certain(self: Plan, test: Test, at: Anything) -> Anything:
    planes = _COMPARE(self, test, at)
    return dataframe._Planes(planes.sure, planes.sure)


def _whole(self: Plan, expr: AtLeast, at: Anything) -> Anything:
    with mock.patch.object(dataframe, "LIST_KNOWN_BY", {}):
        return _REACHED(self, expr, at)


def _each_alone(layout: Anything) -> Frames:
    return replace(_FRAMES(layout), single=frozenset(Range))


def _undivided(bound: BoundRule, _members: int) -> int:
    return bound.points


FAULTS: Mapping[str, Callable[[], AbstractContextManager[object]]] = {
    "what is unknown read as no": lambda: mock.patch.object(Plan, "_compare", _certain),
    "a list read as whole where it is counted": lambda: mock.patch.object(Plan, "_reached", _whole),
    "a list read as whole where it is scored": lambda: mock.patch.object(judging, "LIST_KNOWN_BY", {}),
    "entries counted as persons": lambda: mock.patch.object(dataframe._Layout, "frames", _each_alone),
    "points not divided": lambda: mock.patch.object(judging, "cost_of", _undivided),
}

_ENEMY = Any(tuple(Test("conflict.status", Op.EQ, status.value) for status in ConflictStatus))
_COUNTING = cast(
    "tuple[BoundRule, ...]",
    (Drawn("rule", About(Range.UNIT), AtLeast("n", Range.CONFLICT, _ENEMY), None),),
)


def telling_cases() -> Iterator[Snapshot]:
    """Yield cases in each of which some fault shows."""
    yield a_case(applicants=[an_applicant(rop=known(value=False))])
    yield a_case(applicants=[an_applicant(rop=not_held(), gender=not_held())])
    yield a_case(applicants=[an_applicant(conflicts_asked=not_held())])
    yield a_case(conflicts=[a_conflict("a", "hus-1-r1", id=f"k{i}") for i in range(2)])


def they_differ() -> bool:
    """Return whether the plan and the reference differ on any of the telling cases."""
    policy = default_policy()
    made = (*policy.active(AS_OF), *_COUNTING)
    return any(
        outcomes(case, made) != meaning(case, made)
        or given_by(pairs(case, policy, wanted=everywhere)) != expected(case, policy)
        for case in telling_cases()
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_the_comparison_finds_a_planted_fault(fault: str) -> None:
    """Each of these faults in the plan is seen by the comparison, which without them sees none."""
    with FAULTS[fault]():
        assert they_differ()


def test_the_comparison_is_quiet_without_a_fault() -> None:
    """On the cases that show the planted faults the plan agrees with the reference."""
    assert not they_differ()


# ---------------------------------------------------------------------------------- what is told


def behind(**numbers: Mapping[int, int]) -> dict[Verdict, Mapping[int, int]]:
    """Return pairs by verdict and applicant; nothing where nothing is given."""
    return {verdict: numbers.get(verdict.code, {}) for verdict in Verdict}


def shown(row: Mapping[Verdict, int | None]) -> list[int | None]:
    """Return a row of numbers, best verdict first."""
    return [row[verdict] for verdict in Verdict]


MANY = dict.fromkeys(range(9), 10)


def test_a_number_that_few_stand_behind_is_held_back_and_so_is_its_cover() -> None:
    """One small number alone could be had from the sum of the row, so the next is held back with it."""
    row = behind(
        suitable=dict.fromkeys(range(4), 50), advised_against=dict.fromkeys(range(6), 1), blocked=MANY
    )

    assert shown(told([row], 9, 5)[0]) == [None, 0, 0, None, 90]


def test_two_small_numbers_of_the_same_few_need_a_cover_too() -> None:
    """Where even together few stand behind what is held back, a larger number covers them."""
    few = dict.fromkeys(range(3), 1)

    assert shown(told([behind(suitable=few, advised_against=few, blocked=MANY)], 9, 5)[0])[4] is None


def test_numbers_that_many_stand_behind_are_told() -> None:
    """Where at least k applicants stand behind each number, or nobody does, all are told."""
    row = behind(suitable=dict.fromkeys(range(5), 1), blocked=MANY)

    assert shown(told([row], 9, 5)[0]) == [5, 0, 0, 0, 90]


def test_of_few_applicants_nothing_is_told() -> None:
    """A municipality with fewer applicants than the limit shows no number, not even zero."""
    assert shown(told([behind(blocked={0: 3})], 4, 5)[0]) == [None] * 5


def test_policies_cannot_be_compared_to_find_a_few() -> None:
    """Where two policies differ for few applicants only, the second does not tell that number."""
    one = behind(advised_against=dict.fromkeys(range(9), 3), blocked=MANY)
    other = behind(advised_against={**dict.fromkeys(range(9), 3), 0: 2}, blocked={**MANY, 0: 11})
    first, second = told([one, other], 9, 5)

    assert shown(first) == [0, 0, 0, 27, 90]
    assert shown(second) == [0, 0, 0, None, None]
    assert told([one, one], 9, 5) == (first, first)


# ----------------------------------------------------------------------------------- on a cluster


@cache
def cases() -> tuple[Municipal, ...]:
    """Return a few municipalities."""
    return tuple(of_snapshot(f"kommune-{n}", municipality(n, 24, applicants=5 + n)) for n in range(1, 4))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """A cluster of two worker processes on this machine."""
    with local(2) as client:
        yield client


@cache
def variants() -> tuple[Policy, ...]:
    """Return the default policy and one in which a rule weighs that advises against in the other."""
    return default_policy(), a_policy({"rules.gender-mix.effect": "weigh", "rules.gender-mix.points": 20})


@cache
def on_this_machine() -> National:
    """Return the answer without a cluster."""
    policies_ = variants()
    return National(
        tuple((p.name, p.version, p.sha256) for p in policies_),
        tuple((case.name, judge(case.load(), policies_, keep_pairs=True)) for case in cases()),
        (),
    )


def test_a_cluster_answers_like_one_machine(cluster: Client) -> None:
    """Two worker processes come to what one process does, and to what the reference engine does."""
    done: list[int] = []
    answer = national(cases(), variants(), cluster, keep_pairs=True, done=done.append)

    assert answer == on_this_machine()
    assert done == [1, 2, 3]
    for (name, of_one), case in zip(answer.municipalities, cases(), strict=True):
        assert name == case.name
        for policy, judged in zip(variants(), of_one.pairs or (), strict=True):
            wanted = expected(case.load(), policy)
            assert given_by(judged).items() <= wanted.items()
            assert judged


def test_the_bytes_do_not_depend_on_the_workers(cluster: Client) -> None:
    """One worker or two, whoever is first: the same bytes, and without pairs unless they are asked for."""
    slow_first = [Municipal(c.name, _Slow(c.load, n == 0)) for n, c in enumerate(cases())]
    both = national(slow_first, variants(), cluster)
    alone = list(cluster.scheduler_info()["workers"])[:1]
    with mock.patch.object(Client, "submit", partialmethod(Client.submit, workers=alone)):
        one = national(cases(), variants(), cluster)

    assert both.to_bytes() == one.to_bytes() == on_this_machine().to_bytes()
    assert {answer.pairs for _, answer in both.municipalities} == {None}


@dataclass(frozen=True)
class _Slow:
    """Loads a case after a while."""

    load: Callable[[], Snapshot]
    wait: bool

    def __call__(self) -> Snapshot:
        time.sleep(1.5 if self.wait else 0)
        return self.load()


@dataclass(frozen=True)
class _Deadly:
    """Kills the worker that loads the case, the first time."""

    load: Callable[[], Snapshot]
    mark: Path

    def __call__(self) -> Snapshot:
        if not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.load()


def test_a_worker_that_dies_changes_nothing(cluster: Client, tmp_path: Path) -> None:
    """A worker is killed in the middle of a municipality; the answer is the same, and none is missing."""
    mark = tmp_path / "killed"
    deadly = [Municipal(c.name, _Deadly(c.load, mark) if n == 1 else c.load) for n, c in enumerate(cases())]
    answer = national(deadly, variants(), cluster)

    assert mark.exists()
    assert answer.to_bytes() == on_this_machine().to_bytes()


PERSON_ID = "Kari-0101"


def _fails() -> Snapshot:
    raise KeyError(PERSON_ID)


def test_a_failure_names_the_municipality_and_nobody(
    cluster: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """One municipality that cannot be judged is named with the kind of error; the others are answered."""
    some = cases()[:1]
    answer = national([Municipal("kommune-x", _fails), *some], variants(), cluster)
    written = capfd.readouterr()
    logs: Anything = cluster
    logged = str(logs.get_worker_logs()) + str(logs.get_scheduler_logs())

    assert answer.failed == (("kommune-x", "KeyError"),)
    assert [name for name, _ in answer.municipalities] == [some[0].name]
    assert PERSON_ID not in answer.to_bytes().decode() + written.out + written.err + logged


def test_only_this_machine_can_reach_the_workers(cluster: Client) -> None:
    """Every port that the cluster opens is on the loopback address, and workers write nothing to disk."""
    here = psutil.Process()
    ports = [
        connection
        for process in (here, *here.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(ports) > 2
    assert {port.laddr.ip for port in ports} == {"127.0.0.1"}
    for settings_ in cluster.run(_memory_settings).values():
        assert (settings_["target"], settings_["spill"]) == (False, False)


def _memory_settings() -> dict[str, object]:
    found: dict[str, object] = dask.config.get("distributed.worker.memory")
    return found


def test_names_must_differ(cluster: Client) -> None:
    """Two municipalities of one name are refused, and so is a question without a policy."""
    with pytest.raises(ValueError, match="a name of its own"):
        national([*cases()[:1], *cases()[:1]], variants(), cluster)
    with pytest.raises(ValueError, match="at least one policy"):
        national(cases(), [], cluster)


# ------------------------------------------------------------------------------------- the command


def test_the_command_counts_and_names_what_failed(tmp_path: Path) -> None:
    """`allocator national` prints numbers for the cases that are sound, and names the one that is not."""
    sound, unsound = tmp_path / "kommune-1.json", tmp_path / "kommune-2.json"
    sound.write_bytes(cases()[0].load().model_dump_json().encode())
    unsound.write_text(f'{{"as_of": "{PERSON_ID}"}}')
    told_ = CliRunner().invoke(cli.app, ["national", str(sound), str(unsound), "--workers", "1"])
    content = json.loads(told_.stdout)

    assert told_.exit_code == cli.FAILED
    assert content["failed"] == [{"municipality": str(unsound), "error": "DocumentError"}]
    assert list(content["policies"][0]["municipalities"]) == [str(sound)]
    assert str(unsound) in told_.stderr
    assert PERSON_ID not in told_.output


def test_the_command_says_how_to_install_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the extra the command says what to install, and is no traceback."""
    monkeypatch.delitem(sys.modules, "allocator.cluster")
    monkeypatch.delattr(allocator, "cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    told_ = CliRunner().invoke(cli.app, ["national", str(tmp_path / "case.json")])

    assert told_.exit_code == cli.BAD_INPUT
    assert "allocator[cluster]" in told_.stderr
