"""The engines agree: what a rule comes to does not depend on who reads it.

The reference engine is the meaning of the language. The engine of record and the columnar engine must come to
the same for any facts and any policy; the engine of record also whatever it was asked before, by however many
at once, and after a failure.
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any as Anything
from typing import cast
from unittest import mock

import durable_rules_engine as rete
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from allocator.codes import (
    Gender,
)
from allocator.engines import Engine, EngineError, Judgement, Outcome
from allocator.engines.columnar import Asking, ColumnarEngine, Plan, Table, judge_lanes
from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.facts import Candidate, CaseFacts, Item, Missing, Range, Reading
from allocator.model import (
    Snapshot,
)
from allocator.policy import BoundRule, Policy
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Operand, Ref, Test, Truth
from fixtures.generator import municipality
from tests.strategies import AS_OF, default_policy, policies, snapshots

THREADS = 4


def candidates(case: Snapshot, gone: frozenset[str] = frozenset()) -> list[Candidate]:
    """Return every applicant in every unit."""
    facts = CaseFacts(case, gone)
    return [facts.candidate(applicant, unit) for applicant in facts.applicants for unit in facts.places]


def differences(case: Sequence[Candidate], one: Engine, other: Engine) -> list[tuple[object, ...]]:
    """Return where two engines differ, small enough to read."""
    found: list[tuple[object, ...]] = []
    for candidate, a, b in zip(case, one.judge(case), other.judge(case), strict=True):
        where = (candidate.applicant.id, candidate.place.unit.id)
        for kind, left, right in (("outcomes", a.outcomes, b.outcomes), ("remarks", a.remarks, b.remarks)):
            sides: tuple[Mapping[str, object], Mapping[str, object]] = (left, right)
            found.extend(
                (*where, kind, rule, sides[0].get(rule), sides[1].get(rule))
                for rule in sorted(set(left) | set(right))
                if sides[0].get(rule) != sides[1].get(rule)
            )
    return found


def disagreements(case: Sequence[Candidate], policy: Policy, day: date) -> list[tuple[object, ...]]:
    """Return where any engine differs from the meaning."""
    rules = policy.active(day)
    meaning = ReferenceEngine(rules)
    engines: tuple[Engine, ...] = (DurableEngine(rules), ColumnarEngine(rules))
    return [(engine.name, *found) for engine in engines for found in differences(case, meaning, engine)]


def both(policy: Policy, day: date) -> tuple[ReferenceEngine, DurableEngine]:
    """Return the two engines for the rules of a policy that are on that day."""
    rules = policy.active(day)
    return ReferenceEngine(rules), DurableEngine(rules)


# ------------------------------------------------------------------------------- facts and policies


@given(case=snapshots(), policy=policies())
def test_engines_agree(case: Snapshot, policy: Policy) -> None:
    """For any facts and any policy, all engines come to the same outcomes and remarks."""
    assert disagreements(candidates(case), policy, case.as_of) == []


@given(case=snapshots(), leavers=st.data())
def test_engines_agree_on_the_day_after_a_notice(case: Snapshot, leavers: st.DataObject) -> None:
    """All engines come to the same also when some residents are read as gone."""
    ids = [resident.id for resident in case.residents]
    gone = frozenset(leavers.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else frozenset()

    assert disagreements(candidates(case, gone), default_policy(), case.as_of) == []


@settings(max_examples=max(3, settings().max_examples // 20))
@given(seed=st.integers(0, 10**6), per_group=st.sampled_from((8, 1, 3, 40)), policy=policies())
def test_engines_agree_on_municipalities(seed: int, per_group: int, policy: Policy) -> None:
    """All engines come to the same over whole invented municipalities."""
    case = municipality(seed, 40, residents_per_group=per_group, applicants=4)

    assert disagreements(candidates(case), policy, case.as_of) == []


# ----------------------------------------------------------------------------- one engine, many cases


@given(first=snapshots(as_of=AS_OF), second=snapshots(as_of=AS_OF))
def test_nothing_leaks_between_cases(first: Snapshot, second: Snapshot) -> None:
    """An engine that has judged other cases judges a case as it did when it was new."""
    meaning, used = both(default_policy(), AS_OF)
    new = used.judge(candidates(first))

    assert used.judge(candidates(second)) == meaning.judge(candidates(second))
    assert used.judge(candidates(first)) == new


@given(case=snapshots(as_of=AS_OF))
def test_order_of_candidates_does_not_matter(case: Snapshot) -> None:
    """A candidate is judged alike alone, among others, and in another order."""
    engine = DurableEngine(default_policy().active(AS_OF))
    asked = candidates(case)
    together = engine.judge(asked)

    assert [engine.judge([candidate])[0] for candidate in asked] == together
    assert engine.judge(asked[::-1])[::-1] == together


@settings(max_examples=max(5, settings().max_examples // 4))
@given(cases=st.lists(snapshots(max_units=4, as_of=AS_OF), min_size=THREADS, max_size=THREADS))
def test_threads_share_an_engine(cases: list[Snapshot]) -> None:
    """Several threads that share one engine each get the answers that one alone would get."""
    rules = default_policy().active(AS_OF)
    expected = [ReferenceEngine(rules).judge(candidates(case)) for case in cases]
    shared = DurableEngine(rules)

    def work(case: Snapshot) -> list[list[Judgement]]:
        return [shared.judge(candidates(case)) for _ in range(3)]

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(work, cases))

    assert answers == [[judged] * 3 for judged in expected]


# ------------------------------------------------------------------------------------ after a failure

_UNREADABLE = ('{"judge":1,"id":"f","applicant__age":1e5}', '{"judge":1,"id":"f"', '["f"]')
"""Facts that the rule engine refuses: a number that it cannot read, broken JSON, and no object."""

_BREAKS_OFF = None
"""In place of an unreadable fact: it takes the real one, and breaks off before it is taken back."""


@contextmanager
def refusing(call: int, body: str | None) -> Iterator[list[str]]:
    """Hand the rule engine an unreadable fact in place of the real one, or break off, at the given call."""
    handed: list[str] = []
    hand_over = rete.assert_fact

    def assert_fact(handle: Anything, fact: str) -> Anything:
        handed.append(fact)
        if len(handed) != call:
            return hand_over(handle, fact)
        if body is not _BREAKS_OFF:
            return hand_over(handle, body)
        hand_over(handle, fact)
        raise RuntimeError(fact)

    with mock.patch.object(rete, "assert_fact", assert_fact):
        yield handed


@given(
    case=snapshots(max_units=4, as_of=AS_OF),
    call=st.integers(1, 12),
    body=st.sampled_from((*_UNREADABLE, _BREAKS_OFF)),
)
def test_a_failure_is_said_and_forgotten(case: Snapshot, call: int, body: str | None) -> None:
    """When the rule engine fails on a fact nothing is answered, and the next answer is right."""
    rules = default_policy().active(AS_OF)
    engine, asked = DurableEngine(rules), candidates(case)
    failure: EngineError | None = None
    with refusing(call, body) as handed:
        try:
            engine.judge(asked)
        except EngineError as error:
            failure = error

    assert (failure is not None) == (len(handed) >= call)
    assert failure is None or (failure.__cause__ is None and "applicant" not in str(failure))
    assert differences(asked, ReferenceEngine(rules), engine) == []


def test_a_lasting_failure_is_said_and_forgotten() -> None:
    """While the rule engine fails on everything each question says so, and then answers are right."""
    case = municipality(1, 6, applicants=2)
    asked, (meaning, engine) = candidates(case), both(default_policy(), case.as_of)
    quoting = mock.patch.object(rete, "assert_fact", side_effect=RuntimeError("applicant__age: 24"))
    for _ in range(2):
        with quoting, pytest.raises(EngineError) as failure:
            engine.judge(asked)
        assert failure.value.__suppress_context__

    assert differences(asked, meaning, engine) == []


@given(case=snapshots(max_units=2, as_of=AS_OF))
def test_a_lost_answer_is_never_kept(case: Snapshot) -> None:
    """When the rule engine loses its answers the case fails or is unknown; no rule comes out kept."""
    rules = default_policy().active(AS_OF)
    engine, asked = DurableEngine(rules), candidates(case)
    with mock.patch.object(rete, "start_action_for_state", return_value=None):
        try:
            judged = engine.judge(asked)
        except EngineError:
            judged = []

    assert {
        outcome for judgement in judged for outcomes in judgement.outcomes.values() for outcome in outcomes
    } <= {Outcome.UNKNOWN}


# --------------------------------------------------------------------------------- the language itself


@dataclass(frozen=True)
class Named:
    """As much of a rule as an engine reads beside its expressions."""

    about: Range


@dataclass(frozen=True)
class Fuzzed:
    """As much of a bound rule as an engine reads."""

    id: str
    rule: Named
    broken_when: Expr
    remark_when: Expr | None = None


@dataclass(frozen=True)
class World:
    """As much of a candidate as an engine reads."""

    facts: Mapping[str, Reading]
    members: Mapping[Range, tuple[Item, ...]]

    def items(self, over: Range) -> tuple[Item, ...]:
        """Return the members of a range."""
        return self.members.get(over, ())


Values = tuple[bool, ...] | tuple[int, ...] | tuple[str, ...] | tuple[date, ...]

_YES_NO = (True, False)
_NUMBERS = (24, 25, 26, -1, 0, 60, 61, 2**31 - 1, -(2**31) + 1)
_GENDERS = (Gender.WOMAN.value, Gender.MAN.value)
_DATES = (date(2026, 11, 22), date(2026, 11, 21), date(2026, 11, 23), date(2028, 2, 29), date(1900, 1, 1))
_COMMON: dict[str, Values] = {
    "applicant.rop": _YES_NO,
    "applicant.needs:lift": _YES_NO,
    "applicant.age": _NUMBERS,
    "unit.area_m2": _NUMBERS,
    "applicant.gender": _GENDERS,
    "scheme.gender": _GENDERS,
    "case.as_of": _DATES,
    "applicant.needed_from": _DATES,
}
_OF_MEMBER: dict[Range, dict[str, Values]] = {
    Range.UNIT: {},
    Range.RESIDENT: {
        "resident.heavy_use": _YES_NO,
        "resident.age": _NUMBERS,
        "resident.gender": _GENDERS,
    },
    Range.CONFLICT: {"conflict.confirmed": _YES_NO, "conflict.last_confirmed": _DATES},
}
_LIST_KNOWN = {"applicant.conflicts_asked": (True,), "applicant.orders_checked": (True,)}
_ORDERED = tuple(Op)
_EQUAL = (Op.EQ, Op.NE)


def _tests(facts: Mapping[str, Values]) -> SearchStrategy[Expr]:
    """Draw comparisons of one fact with a value, or with another fact of its kind, plus a number."""
    near: list[Expr] = []
    far: list[Expr] = []
    for path, values in facts.items():
        ordered = type(values[0]) in (int, date)
        ops = tuple(Op) if ordered else (Op.EQ, Op.NE)
        # the largest numbers that the engine holds exactly are facts, but nothing is compared with them
        right: list[Operand] = [value for value in values if type(value) is not int or abs(value) < 100]
        near.extend(Test(path, op, value) for op, value in itertools.product(ops, right))
        for other, its_values in facts.items():
            if other != path and its_values is values:
                plus = (0, 1, -1, 365) if ordered else (0,)
                far.extend(Test(path, op, Ref(other, n)) for op, n in itertools.product(ops, plus))
    return st.sampled_from(near) | st.sampled_from(far)


_TESTS = {about: _tests({**_COMMON, **facts}) for about, facts in _OF_MEMBER.items()}
_FORMS = ("leaf", "leaf", "all", "any", "not", "all", "any")
_LEAVES = (*("test",) * 13, "count", "count", "truth")
_COUNTABLE = (Range.RESIDENT, Range.CONFLICT)


def _tree(draw: DrawFn, leaf: Callable[[], Expr], depth: int) -> Expr:
    """Draw a nested expression. A wide and deep one has too many alternatives, and is cut into stages."""
    form = draw(st.sampled_from(_FORMS)) if depth else "leaf"
    if form == "leaf":
        return leaf()
    if form == "not":
        return Not(_tree(draw, leaf, depth - 1))
    parts = tuple(_tree(draw, leaf, depth - 1) for _ in range(draw(st.integers(1, 4))))
    return All(parts) if form == "all" else Any(parts)


@st.composite
def counts(draw: DrawFn) -> AtLeast:
    """Draw a count of the members of a range, to be reached as a number or as a share of them."""
    over = draw(st.sampled_from(_COUNTABLE))
    where = _tree(draw, lambda: draw(_TESTS[over]), 2)
    count = draw(st.sampled_from((1, 0, 2, 3)))
    percent = draw(st.sampled_from((None, None, 50, 1, 0, 34, 100)))
    return AtLeast("n", over, where, count, percent)


@st.composite
def expressions(draw: DrawFn, about: Range) -> Expr:
    """Draw an expression of the core language about a member of a range."""

    def leaf() -> Expr:
        form = draw(st.sampled_from(_LEAVES))
        if form == "test":
            return draw(_TESTS[about])
        return draw(counts()) if form == "count" else Truth(draw(st.booleans()))

    return _tree(draw, leaf, draw(st.integers(1, 4)))


def _renamed(expr: Expr, names: dict[tuple[Range, Expr], str]) -> Expr:
    """Return *expr* with a name of its own for everything that is counted."""
    match expr:
        case All(parts):
            return All(tuple(_renamed(part, names) for part in parts))
        case Any(parts):
            return Any(tuple(_renamed(part, names) for part in parts))
        case Not(part):
            return Not(_renamed(part, names))
        case AtLeast(_, over, where, count, percent):
            return AtLeast(names.setdefault((over, where), f"n{len(names)}"), over, where, count, percent)
        case _:
            return expr


@st.composite
def rules(draw: DrawFn) -> tuple[Fuzzed, ...]:
    """Draw a few rules of the core language, about units and about each of a range, some with remarks."""
    names: dict[tuple[Range, Expr], str] = {}
    made = []
    for number in range(draw(st.integers(1, 4))):
        about = draw(st.sampled_from(tuple(_OF_MEMBER)))
        remark = draw(expressions(Range.UNIT)) if draw(st.booleans()) else None
        made.append(
            Fuzzed(
                f"rule-{number}",
                Named(about),
                _renamed(draw(expressions(about)), names),
                None if remark is None else _renamed(remark, names),
            )
        )
    return tuple(made)


def _readings(facts: Mapping[str, Values]) -> SearchStrategy[dict[str, Reading]]:
    missing = (Missing.NOT_RECORDED, Missing.EXPIRED)
    pools = {path: st.sampled_from((*values, *missing[: len(values)])) for path, values in facts.items()}
    return cast("SearchStrategy[dict[str, Reading]]", st.fixed_dictionaries(pools))


_WORLD_FACTS = _readings({**_COMMON, **_LIST_KNOWN})
_MEMBERS = {over: st.lists(_readings(_OF_MEMBER[over]), max_size=3) for over in _COUNTABLE}


@st.composite
def worlds(draw: DrawFn) -> World:
    """Draw facts, some missing, and the members of each range."""
    members = {
        over: tuple(Item((f"m{i}",), facts) for i, facts in enumerate(draw(_MEMBERS[over])))
        for over in _COUNTABLE
    }
    return World(draw(_WORLD_FACTS), {Range.UNIT: (Item((), {}),), **members})


def judged(
    engine: type[ReferenceEngine | DurableEngine | ColumnarEngine],
    made: Sequence[Fuzzed],
    asked: Sequence[World],
) -> object:
    """Return what an engine makes of rules and facts that are only as much as it reads."""
    return engine(cast("tuple[BoundRule, ...]", tuple(made))).judge(cast("Sequence[Candidate]", asked))


def _yes(path: str) -> Expr:
    return Test(path, Op.EQ, right=True)


def _lacks(*numbers: int) -> Expr:
    return Any(
        tuple(All((Test("unit.area_m2", Op.GE, n), Not(Test("applicant.age", Op.GE, n)))) for n in numbers)
    )


@given(made=rules(), asked=st.lists(worlds(), min_size=12, max_size=12))
@example(  # a part cut out of a part that was cut out itself
    made=(
        Fuzzed(
            "rule-0",
            Named(Range.UNIT),
            All((_yes("applicant.rop"), Not(All((_yes("applicant.needs:lift"), Not(_lacks(*range(9)))))))),
        ),
    ),
    asked=[
        World({**dict.fromkeys(_LIST_KNOWN, True), **facts}, {Range.UNIT: (Item((), {}),)})
        for facts in (
            {"applicant.rop": True, "applicant.needs:lift": True, "unit.area_m2": 60, "applicant.age": 60},
            {"applicant.rop": True, "applicant.needs:lift": True, "unit.area_m2": 60, "applicant.age": 4},
            {"applicant.rop": True, "applicant.needs:lift": True, "unit.area_m2": 60},
        )
    ],
)
@example(  # about each resident, joined with a count that is the same for all of them
    made=(
        Fuzzed(
            "rule-0",
            Named(Range.RESIDENT),
            Any((AtLeast("n", Range.CONFLICT, _yes("conflict.confirmed")), _yes("resident.heavy_use"))),
        ),
    ),
    asked=[
        World(
            {"applicant.conflicts_asked": True},
            {
                Range.UNIT: (Item((), {}),),
                Range.RESIDENT: tuple(Item((f"m{i}",), {"resident.heavy_use": False}) for i in range(3)),
                Range.CONFLICT: (Item(("k",), {"conflict.confirmed": confirmed}),),
            },
        )
        for confirmed in (True, False, Missing.NOT_RECORDED)
    ],
)
def test_engines_agree_on_the_language(made: tuple[Fuzzed, ...], asked: list[World]) -> None:
    """For any expression of the core and any facts, all engines come to the same truth."""
    meaning = judged(ReferenceEngine, made, asked)

    assert judged(DurableEngine, made, asked) == meaning
    assert judged(ColumnarEngine, made, asked) == meaning


_SIDES = (
    frozenset({"unit", "group", "scheme", "choice"}),
    frozenset({"applicant", "choice"}),
    frozenset({"case"}),
)


@given(made=rules(), asked=st.lists(worlds(), min_size=12, max_size=12), columns=st.sampled_from(_SIDES))
def test_columns_agree_with_one_side_fixed(
    made: tuple[Fuzzed, ...], asked: list[World], columns: frozenset[str]
) -> None:
    """Facts that are the same in every lane may as well be fixed when asking: the truth is the same."""

    def is_column(path: str) -> bool:
        return path.partition(".")[0] in columns

    fixed = {path: reading for path, reading in asked[0].facts.items() if not is_column(path)}
    alike = [
        World({**fixed, **{p: v for p, v in world.facts.items() if is_column(p)}}, world.members)
        for world in asked
    ]
    plan = Plan(cast("tuple[BoundRule, ...]", made), columns)
    table = Table(plan, [world.facts for world in alike], [world.items(Range.RESIDENT) for world in alike])
    in_lanes = [alike[at] for at in table.order]
    asking = Asking.about(table, cast("Sequence[Candidate]", in_lanes), fixed)

    for _ in range(2):  # what has been worked out once is not worked out again
        assert judge_lanes(plan, asking) == judged(ReferenceEngine, made, in_lanes)


def test_two_counts_of_one_name_are_told_apart_or_refused() -> None:
    """Rules that count different things under one name are refused, or judged right; never mixed up."""
    counts = [
        AtLeast("people", Range.RESIDENT, Test("resident.heavy_use", Op.EQ, right)) for right in (True, False)
    ]
    made = (Fuzzed("rule-0", Named(Range.UNIT), Any(tuple(counts))),)
    user = Item(("m0",), {"resident.heavy_use": True})
    known: dict[str, Reading] = dict.fromkeys(_LIST_KNOWN, True)
    asked = [World(known, {Range.UNIT: (Item((), {}),), Range.RESIDENT: (user,)})]

    try:
        answer = judged(DurableEngine, made, asked)
    except EngineError:
        return
    assert answer == judged(ReferenceEngine, made, asked)


@pytest.mark.parametrize("width", [60, 64, 65, 200])
def test_engines_agree_on_wide_rules(width: int) -> None:
    """A rule with very many alternatives is judged right, however many of them are true at once."""
    parts = tuple(Test("unit.area_m2", Op.GE, n) for n in range(width))
    made = (Fuzzed("any", Named(Range.UNIT), Any(parts)), Fuzzed("all", Named(Range.UNIT), All(parts)))
    asked = [
        World({**dict.fromkeys(_LIST_KNOWN, True), **facts}, {Range.UNIT: (Item((), {}),)})
        for facts in ({"unit.area_m2": 1000}, {"unit.area_m2": 30}, {"unit.area_m2": -1}, {})
    ]

    assert judged(DurableEngine, made, asked) == judged(ReferenceEngine, made, asked)
    assert judged(ColumnarEngine, made, asked) == judged(ReferenceEngine, made, asked)


# ------------------------------------------------------------------------------- the widest policies

_WIDEST = """
import itertools, tomllib
from datetime import date
from allocator.engines.durable import DurableEngine
from allocator.codes import (
    Need,
    SubstanceClass,
)
from allocator.policy import Policy
from tests.strategies import DEFAULT_POLICY
content = tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8"))
widest = {
    ("substance-mix", "clashing_classes"): [list(p) for p in itertools.combinations(SubstanceClass, 2)],
    ("comfort-needs", "needs"): list(Need),
}
for (rule, param), value in widest.items():
    content["rules"][rule]["params"][param]["value"] = [
        [str(c) for c in v] if isinstance(v, list) else str(v) for v in value
    ]
DurableEngine(Policy(content).active(date(2026, 11, 22)))
"""


def _two_gigabytes() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))


def test_the_widest_policy_compiles() -> None:
    """A policy in which every class clashes with every other, and every need counts, is ready in seconds."""
    done = subprocess.run(
        [sys.executable, "-c", _WIDEST],
        check=False,
        capture_output=True,
        text=True,
        timeout=15,
        preexec_fn=_two_gigabytes,
    )

    assert done.returncode == 0, done.stderr[-500:]
