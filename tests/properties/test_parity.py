"""The engines agree on very many verdicts, and a comparison that finds nothing would find a fault.

`python -m tests.parity` compares the same on as many verdicts as one likes.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from typing import Any as Anything
from unittest import mock

import pytest

from allocator.engines import Outcome, columnar, dataframe, durable
from allocator.facts import CaseFacts, Missing, Range
from allocator.model import LAST_DAY
from allocator.rules.language import AtLeast, Expr, Not, Op, Ref, Test
from tests import parity
from tests.parity import COLUMNAR, DATAFRAME, DURABLE, SEED, Disagreement, Question, Reader, first_difference

LONG = os.environ.get("ALLOCATOR_HYPOTHESIS") == "long"
FEWEST = 20_000
"""Verdicts in the normal run."""


def test_engines_agree_on_very_many_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    """On 20 000 verdicts, and a million in the long run, every engine comes to what the reference does."""
    wanted = parity.VERDICTS if LONG else FEWEST
    report = parity.compare(SEED, wanted, (DURABLE, COLUMNAR, DATAFRAME))
    with capsys.disabled():
        sys.stderr.write(f"\n{report}\n")  # the seed is to be seen, also where several processes test

    assert report.disagreement is None, str(report)
    assert report.verdicts >= wanted
    assert report.compared["durable"] == report.compared["columnar"] == report.verdicts
    assert report.compared["dataframe"] >= wanted // 3
    assert set(report.cases) == {parity.POLICIES, parity.LANGUAGE, parity.EXPRESSIONS, parity.MUNICIPALITIES}
    assert all(report.of(outcome) >= report.verdicts // 20 for outcome in Outcome)


def test_a_seed_gives_the_same_questions_and_none_twice() -> None:
    """A round made again has no question that the first did not have, and those seen are left out."""
    keys = [question.key for of, _, question in normal_run() if of == SEED]
    seen = set(keys)

    assert len(seen) == len(keys) > 0
    assert list(parity.questions(SEED, seen)) == []


def test_cases_reach_the_ends() -> None:
    """Groups of one and of forty, people of whom nothing is known, the last day there is, the oldest age."""
    cases = [case for of in range(8) for case in parity.municipalities(of)]
    readings = [CaseFacts(case).applicant_facts(who) for case in cases for who in case.applicants]
    ages = {facts["applicant.age"] for facts in readings}

    assert {1, 40} <= {len(group.units) for c in cases for s in c.schemes for group in s.living_groups}
    assert LAST_DAY in {case.as_of for case in cases}
    assert {18, Missing.NOT_ASKED} <= ages
    assert max(age for age in ages if isinstance(age, int)) > 120


# ----------------------------------------------------------------------------------- planted faults

Fault = Callable[[], AbstractContextManager[object]]


def in_place_of(where: Anything, name: str, wrong: Callable[..., Anything]) -> Fault:
    """Plant a fault: *wrong* takes the place of a function, and gets that function before its arguments."""
    real = getattr(where, name)

    def instead(*given: Anything) -> Anything:
        return wrong(real, *given)

    return lambda: mock.patch.object(where, name, instead)


def unknown_as(truth: bool) -> Callable[..., Anything]:
    """Return a joining of parts that takes what is unknown everywhere for *truth*."""

    def joined(real: Callable[..., Anything], asks: Iterable[columnar.Ask]) -> Anything:
        def settled(ask: columnar.Ask) -> columnar.Ask:
            def ask_settled(asking: columnar.Asking) -> columnar.Three:
                found = ask(asking)
                return truth if found is None else found

            return ask_settled

        return real(tuple(map(settled, asks)))

    return joined


def certain_alone(_real: Anything, truth: columnar.Three, full: int) -> columnar.Planes:
    """Forget that what is unknown may be."""
    sure = truth[0] & full if isinstance(truth, tuple) else full if truth else 0
    return sure, sure


def last_slot(shape: columnar.Shape) -> int:
    """Return the members in the last slot."""
    return shape.valid >> shape.starts[-2] * 8 << shape.starts[-2] * 8 if len(shape.starts) > 1 else 0


def without_last_any(real: Anything, shape: columnar.Shape, plane: int) -> int:
    """Look for members in all slots but the last."""
    lanes: int = real(shape, plane & ~last_slot(shape))
    return lanes


def without_last_spread(real: Anything, shape: columnar.Shape, plane: int) -> int:
    """Spread to all slots but the last."""
    members: int = real(shape, plane) & ~last_slot(shape)
    return members


class Careless(dict[tuple[int, Anything], columnar.Planes]):
    """Keeps planes by the comparison alone, whatever the value was."""

    def __contains__(self, key: object) -> bool:
        assert isinstance(key, tuple)
        return super().__contains__((key[0], 0))

    def __getitem__(self, key: tuple[int, Anything]) -> columnar.Planes:
        return super().__getitem__((key[0], 0))

    def __setitem__(self, key: tuple[int, Anything], planes: columnar.Planes) -> None:
        super().__setitem__((key[0], 0), planes)


def keeps_carelessly(real: Anything, table: columnar.Table, *given: Anything) -> None:
    """Lay out a table that keeps planes carelessly."""
    real(table, *given)
    table.kept = Careless()


def forgets_nothing(real: Anything, table: columnar.Table, *given: Anything) -> None:
    """Change a fact, and go on with what was worked out of the old one."""
    cache, kept = list(table.cache), dict(table.kept)
    real(table, *given)
    table.cache[:] = cache
    table.kept.update(kept)


def missing_as_no(_real: Anything, holds: Anything, known: Anything) -> columnar.Planes:
    """Take a comparison with an unknown fact for false."""
    return columnar.pack(holds & known), columnar.pack(~(holds & known))


IN_COLUMNAR: Mapping[str, Fault] = {
    "and: unknown taken for true": in_place_of(columnar, "_and", unknown_as(truth=True)),
    "or: unknown taken for false": in_place_of(columnar, "_or", unknown_as(truth=False)),
    "unknown facts taken for no": in_place_of(columnar, "_planes", missing_as_no),
    "what may be is forgotten": in_place_of(columnar, "possible", certain_alone),
    "one more needed": in_place_of(
        columnar, "reaching", lambda real, d, limit, full: real(d, limit + 1, full)
    ),
    "one fewer needed": in_place_of(
        columnar, "reaching", lambda real, d, limit, full: real(d, limit - 1, full)
    ),
    "a carry lost": in_place_of(columnar, "count", lambda real, planes: real(planes)[:1]),
    "the last slot not looked at": in_place_of(columnar.Shape, "any", without_last_any),
    "the last slot not filled": in_place_of(columnar.Shape, "spread", without_last_spread),
    "every list whole": in_place_of(
        columnar.Plan, "whole", lambda _real, _plan, _over: lambda asking: asking.table.shape.full
    ),
    "days added forgotten": in_place_of(columnar, "shifted", lambda _real, value, _ref: value),
    "kept for another value": in_place_of(columnar.Table, "__init__", keeps_carelessly),
    "kept after a change": in_place_of(columnar.Table, "_put", forgets_nothing),
    "own entry among the residents": in_place_of(columnar.UnitsTable, "own_entry", lambda *_given: 0),
    "own entries among the residents": in_place_of(
        columnar.ApplicantsTable, "own_entries", lambda *_given: 0
    ),
}


def one_alternative_fewer(real: Anything, parts: Anything) -> Anything:
    """Lose the last of several alternatives."""
    alternatives = real(parts)
    return alternatives[:-1] if len(alternatives) > 1 else alternatives


def one_condition_fewer(real: Anything, parts: Anything) -> Anything:
    """Lose the last of several conditions of each alternative."""
    return tuple(conjunction[:-1] or conjunction for conjunction in real(parts))


def all_counted(
    real: Anything, limit: str, expr: AtLeast, candidate: Anything, members: Sequence[Anything]
) -> Anything:
    """Count those of whom it is unknown among those who certainly fulfil it."""
    counted = real(limit, expr, candidate, members)
    highs = {name: number for name, number in counted.items() if name.endswith("__high")}
    return {**counted, **{name.removesuffix("high") + "low": number for name, number in highs.items()}}


def unshifted(real: Anything, path: str, op: Op, right: object) -> Anything:
    """Forget the number that is added to a fact."""
    return real(path, op, replace(right, plus=0) if isinstance(right, Ref) else right)


def each_stage_alone(
    _real: Anything, stages: Iterable[Anything], fact: Anything, memory: Anything
) -> Anything:
    """Judge later stages without what earlier ones found."""
    return {key: truth for stage in stages for key, truth in stage.judge(fact, memory).items()}


def last_answer_lost(real: Anything, ruleset: Anything, fact: Anything) -> Anything:
    """Lose the last of several answers of the rule engine."""
    fired = real(ruleset, fact)
    return fired[:-1] if len(fired) > 1 else fired


IN_DURABLE: Mapping[str, Fault] = {
    "an alternative dropped": in_place_of(durable, "_joined", one_alternative_fewer),
    "a condition dropped": in_place_of(durable, "_joined", one_condition_fewer),
    "broken and kept exchanged": in_place_of(
        durable, "_Proposition", lambda real, key, true, false, reads: real(key, false, true, reads)
    ),
    "at the limit taken for below it": lambda: mock.patch.dict(
        durable._SYMBOL, {Op.LT: "$lte", Op.GE: "$gt"}
    ),
    "every list whole": lambda: mock.patch.object(durable, "LIST_KNOWN_BY", {}),
    "unknown members counted": in_place_of(durable, "_count", all_counted),
    "days added forgotten": in_place_of(durable, "_test", unshifted),
    "stages forgotten": in_place_of(durable, "_run", each_stage_alone),
    "an answer lost": in_place_of(durable._Ruleset, "_fire", last_answer_lost),
}


def certain(real: Anything, plan: dataframe.Plan, test: Test, at: Anything) -> Anything:
    """Take a comparison with an unknown fact for false."""
    planes = real(plan, test, at)
    return dataframe._Planes(planes.sure, planes.sure)


def unshifted_in_plan(real: Anything, plan: dataframe.Plan, test: Test, at: Anything) -> Anything:
    """Forget the number that is added to a fact."""
    right = replace(test.right, plus=0) if isinstance(test.right, Ref) else test.right
    return real(plan, Test(test.path, test.op, right), at)


def whole(real: Anything, plan: dataframe.Plan, expr: AtLeast, at: Anything) -> Anything:
    """Take every list for whole."""
    with mock.patch.object(dataframe, "LIST_KNOWN_BY", {}):
        return real(plan, expr, at)


def not_and_unknown(real: Anything, plan: dataframe.Plan, expr: Expr, *given: Anything) -> Anything:
    """Take the opposite of what is unknown for true."""
    planes = real(plan, expr, *given)
    return dataframe._Planes(planes.maybe, planes.maybe) if isinstance(expr, Not) else planes


def nobody_twice(real: Anything, layout: Anything) -> Anything:
    """Say that no person has two entries."""
    return replace(real(layout), single=frozenset(Range))


IN_DATAFRAME: Mapping[str, Fault] = {
    "unknown facts taken for no": in_place_of(dataframe.Plan, "_compare", certain),
    "days added forgotten": in_place_of(dataframe.Plan, "_compare", unshifted_in_plan),
    "at the limit taken for below it": lambda: mock.patch.dict(
        dataframe._COMPARED, {Op.LT: dataframe._COMPARED[Op.LE], Op.GE: dataframe._COMPARED[Op.GT]}
    ),
    "every list whole": in_place_of(dataframe.Plan, "_reached", whole),
    "not unknown taken for true": in_place_of(dataframe.Plan, "_planes", not_and_unknown),
    "entries counted as persons": in_place_of(dataframe._Layout, "frames", nobody_twice),
}

FAULTS = [
    pytest.param(reader, fault, id=f"{reader.name}: {name}")
    for reader, faults in ((COLUMNAR, IN_COLUMNAR), (DURABLE, IN_DURABLE), (DATAFRAME, IN_DATAFRAME))
    for name, fault in faults.items()
]


@cache
def normal_run(times: int = 1) -> tuple[tuple[int, int, Question], ...]:
    """Return what the normal run asks, or one so many times as long: the fewest whole questions."""
    seen: set[str] = set()
    rounds = (((of, *asked) for asked in parity.questions(of, seen)) for of in itertools.count(SEED))
    asked: list[tuple[int, int, Question]] = []
    verdicts = 0
    for one in itertools.chain.from_iterable(rounds):
        asked.append(one)
        verdicts += one[2].verdicts.total()
        if verdicts >= FEWEST * times:
            break
    return tuple(asked)


def _longer_run() -> Iterator[tuple[int, int, Question]]:
    yield from normal_run(4)[len(normal_run()) :]


def caught(reader: Reader) -> Disagreement | None:
    """Return the first disagreement that the normal run finds of an engine, or a longer one.

    What is drawn depends on more than the seed, on what else has been imported for one.
    """
    for of, number, question in itertools.chain(normal_run(), _longer_run()):
        if reader.takes(number, question):
            found = first_difference(reader, of, number, question)
            if found is not None:
                return found
    return None


@pytest.mark.parametrize(("reader", "fault"), FAULTS)
def test_a_planted_fault_is_found(reader: Reader, fault: Fault) -> None:
    """Each of these faults in an engine is found in a run that without them finds none."""
    with fault():
        found = caught(reader)

    assert found is not None
    assert f"--seed {found.seed}" in str(found)
    assert found.differences or found.error


def test_the_command_says_how_to_ask_again(capsys: pytest.CaptureFixture[str]) -> None:
    """With a fault planted the command fails, and names seed and rules; an engine that is not there too."""
    with IN_DURABLE["broken and kept exchanged"](), mock.patch.object(parity, "find_spec", return_value=None):
        status = parity.main(["--verdicts", "1", "--seed", "3"])
    printed = capsys.readouterr().out

    assert status == 1
    assert "durable differs from the reference: round of seed 3" in printed
    assert "again: python -m tests.parity --verdicts 1 --seed 3" in printed
    assert "dataframe: left out, it is not installed" in printed
    assert "no disagreement" not in printed
