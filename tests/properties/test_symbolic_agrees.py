"""The prover reads a rule as the reference engine does, and supposes nothing that the model does not keep.

A proof is only as good as the translation that it is about. So the two formulas of an expression, read at
facts that are settled, must say what the reference engine says; and every promise about the model must hold
for every snapshot.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import cast
from unittest import mock

import pytest
import z3  # type: ignore[import-untyped]
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from allocator.engines import Outcome, axioms, symbolic
from allocator.engines.reference import World as ReadWorld
from allocator.engines.reference import truth
from allocator.engines.symbolic import Both, Member, Symbols
from allocator.facts import VOCABULARY, Candidate, CaseFacts, Item, Kind, Missing, Range, Reading
from allocator.model import Snapshot
from allocator.policy import Policy
from allocator.proofs import at_least
from allocator.rules.language import AtLeast, Expr, Not, Op, Test
from allocator.scoring import Verdict, suggest
from tests.properties.test_engines_agree import World, counts, expressions, worlds
from tests.strategies import AS_OF, default_policy, policies, snapshots

EXAMPLES = max(10, settings().max_examples // 2)


def reading(both: Both) -> bool | None:
    """Return what two settled formulas say; never both at once."""
    true, false = symbolic.settled(both.true), symbolic.settled(both.false)
    assert not (true and false)
    return True if true else False if false else None


def disagreements(expr: Expr, over: Range, world: World) -> list[tuple[object, ...]]:
    """Return where prover and reference read an expression differently, about each member of a range."""
    candidate = cast("Candidate", world)
    symbols = symbolic.given(candidate)
    found: list[tuple[object, ...]] = []
    for item, member in zip(world.items(over), _members(symbols, over), strict=True):
        read = reading(symbolic.truth(expr, symbols.beside(member)))
        meant = truth(expr, ReadWorld(world.facts, candidate).beside(item.facts))
        if read is not meant:
            found.append((expr, item, read, meant))
    return found


def _members(symbols: Symbols, over: Range) -> tuple[Member, ...]:
    return (Member(symbolic.constant(1), {}),) if over is Range.UNIT else symbols.members[over]


# ------------------------------------------------------------------------------- the translation


@given(data=st.data(), world=worlds(), over=st.sampled_from((Range.UNIT, Range.RESIDENT, Range.CONFLICT)))
def test_the_prover_reads_expressions_as_the_reference_does(
    data: st.DataObject, world: World, over: Range
) -> None:
    """For any expression of the core and any facts, the two formulas say what the reference engine says."""
    for _ in range(3):
        assert disagreements(data.draw(expressions(over)), over, world) == []
    assert disagreements(data.draw(counts()), over, world) == []


@given(data=st.data(), world=worlds())
def test_copies_of_a_member_count_as_so_many_members(data: st.DataObject, world: World) -> None:
    """A member with three copies counts as three members of whom the same is known."""
    expr = data.draw(expressions(Range.UNIT))
    tripled = World(
        world.facts,
        {over: (items if over is Range.UNIT else items * 3) for over, items in world.members.items()},
    )
    once = symbolic.given(cast("Candidate", world))
    symbols = Symbols(
        once.facts,
        {
            over: tuple(Member(symbolic.constant(3), member.facts) for member in members)
            for over, members in once.members.items()
        },
    )
    candidate = cast("Candidate", tripled)

    assert reading(symbolic.truth(expr, symbols)) is truth(expr, ReadWorld(tripled.facts, candidate))


def counting_disagreements() -> list[tuple[object, ...]]:
    """Return where numbers and shares of up to five residents, known or not, are read differently."""
    heavy = Test("resident.heavy_use", Op.EQ, right=True)
    limits = [(1, None), (2, None), (0, None), *((1, percent) for percent in (0, 1, 20, 34, 50, 67, 100))]
    found: list[tuple[object, ...]] = []
    readings: tuple[Reading, ...] = (True, False, Missing.NOT_RECORDED)
    for size in range(6):
        for members in itertools.combinations_with_replacement(readings, size):
            items = tuple(_resident(number, value) for number, value in enumerate(members))
            world = World({}, {Range.UNIT: (Item((), {}),), Range.RESIDENT: items})
            for count, percent in limits:
                expr = AtLeast("heavy", Range.RESIDENT, heavy, count, percent)
                found.extend(disagreements(expr, Range.UNIT, world))
    return found


def comparing_disagreements() -> list[tuple[object, ...]]:
    """Return where numbers near a limit, or a list that nobody asked for, are read differently."""
    found: list[tuple[object, ...]] = []
    readings: tuple[Reading, ...] = (24, 25, 26, Missing.NOT_RECORDED)
    for age, op in itertools.product(readings, Op):
        world = World({"applicant.age": age}, {Range.UNIT: (Item((), {}),)})
        for expr in (Test("applicant.age", op, 25), Not(Test("applicant.age", op, 25))):
            found.extend(disagreements(expr, Range.UNIT, world))
    entries = AtLeast("entries", Range.CONFLICT, Test("conflict.confirmed", Op.EQ, right=True))
    for asked in (True, Missing.NOT_RECORDED):
        world = World({"applicant.conflicts_asked": asked}, {Range.UNIT: (Item((), {}),), Range.CONFLICT: ()})
        found.extend(disagreements(entries, Range.UNIT, world))
    return found


def test_the_prover_compares_as_the_reference_does() -> None:
    """At, under and over a limit, and where nobody asked, the prover says what the reference says."""
    assert comparing_disagreements() == []


def _resident(number: int, heavy: Reading) -> Item:
    return Item((f"m{number}",), {"resident.heavy_use": heavy})


def test_the_prover_counts_as_the_reference_does() -> None:
    """A number or a share of residents is reached, not reached or unsettled just as the reference says."""
    assert counting_disagreements() == []


def _closed(both: Both) -> Both:
    return Both(both.true, z3.Not(both.true))


_PLANTED: dict[str, tuple[str, Callable[..., object]]] = {
    "unknown is taken for false": ("_test", lambda *a, _real=symbolic._test: _closed(_real(*a))),
    "not is forgotten": ("_negated", lambda part: part),
    "a list is whole though nobody asked": ("whole", lambda _over, _symbols: z3.BoolVal(val=True)),
    "a share is rounded down": (
        "_reaches",
        lambda expr, counted, members: (
            counted >= expr.count
            if expr.percent is None
            else z3.And(counted >= 1, counted >= expr.percent * members / 100)
        ),
    ),
    "at least is read as more than": (
        "_reaches",
        lambda expr, counted, members, _real=symbolic._reaches: _real(expr, counted - 1, members),
    ),
    "under is read as at most": (
        "_compared",
        lambda left, op, right, _real=symbolic._compared: (
            left <= right if op == "lt" else _real(left, op, right)
        ),
    ),
}


@pytest.mark.parametrize("fault", _PLANTED)
def test_a_wrong_translation_is_noticed(fault: str) -> None:
    """Each of these faults, planted in the translation, makes the prover and the reference disagree."""
    name, wrong = _PLANTED[fault]
    found: list[object] = []

    @settings(max_examples=EXAMPLES * 4, phases=(Phase.generate,), database=None)
    @given(data=st.data(), world=worlds(), over=st.sampled_from((Range.UNIT, Range.RESIDENT)))
    def compare(data: st.DataObject, world: World, over: Range) -> None:
        if not found:
            try:
                for draw in (expressions(over), counts()):
                    found.extend(disagreements(data.draw(draw), over, world))
            except (AssertionError, ValueError):  # both at once, or not settled
                found.append(fault)

    with mock.patch.object(symbolic, name, wrong):
        compare()
        found.extend([] if found else (*comparing_disagreements(), *counting_disagreements()))

    assert found


# ------------------------------------------------------------------------------------- the promises


def broken_promises(case: Snapshot) -> list[tuple[str, str, str]]:
    """Return the promises about the model that a snapshot breaks, with applicant and unit."""
    facts = CaseFacts(case)
    found: list[tuple[str, str, str]] = []
    for applicant in facts.applicants:
        for unit in facts.places:
            symbols = symbolic.given(facts.candidate(applicant, unit))
            found.extend(
                (axiom.name, applicant, unit)
                for axiom in axioms.AXIOMS
                if not all(symbolic.settled(formula) for formula in axiom.of(symbols))
            )
    return found


@settings(max_examples=EXAMPLES)
@given(case=snapshots(max_units=4))
def test_the_model_keeps_what_proofs_suppose(case: Snapshot) -> None:
    """Every promise that proofs rest on holds for every applicant in every unit of every snapshot."""
    assert broken_promises(case) == []


def test_what_is_always_known_is_exactly_that() -> None:
    """What proofs take for always known is never missing in any snapshot; everything else sometimes is."""
    missing: set[str] = set()
    known: set[str] = set()

    @settings(max_examples=60, database=None)
    @given(case=snapshots())
    def look(case: Snapshot) -> None:
        facts = CaseFacts(case)
        for applicant in facts.applicants:
            for unit in facts.places:
                candidate = facts.candidate(applicant, unit)
                for part in (
                    candidate.facts,
                    *(item.facts for over in Range for item in candidate.items(over)),
                ):
                    for path, value in part.items():
                        (missing if isinstance(value, Missing) else known).add(path.partition(":")[0])

    look()

    assert missing & axioms.ALWAYS_KNOWN == set()
    assert set(VOCABULARY) - missing == axioms.ALWAYS_KNOWN
    assert set(VOCABULARY) - known == set()


def test_every_number_has_the_limits_of_the_model() -> None:
    """Every fact but yes-or-no ones has limits, in order."""
    for path, fact in VOCABULARY.items():
        bounds = axioms.limits(path)
        assert (bounds is None) == (fact.kind in (Kind.BOOL, Kind.CODES))
        assert bounds is None or bounds[0] < bounds[1]
    assert axioms.limits("unit.floor") == (-5, 60)
    assert axioms.limits("unit.area_m2") == (1, 1000)
    assert axioms.limits("applicant.stay_months") == (0, 1200)


# --------------------------------------------------------------------------------------- the verdict


@settings(max_examples=EXAMPLES)
@given(case=snapshots(max_units=4, max_applicants=1, as_of=AS_OF), policy=policies())
def test_the_prover_comes_to_the_same_verdict(case: Snapshot, policy: Policy) -> None:
    """For any facts and policy, the verdict that proofs are about is the one that a suggestion gives."""
    applicant = case.applicants[0].id
    facts = CaseFacts(case)
    for entry in suggest(case, policy, applicant, "reference").ranked:
        symbols = symbolic.given(facts.candidate(applicant, entry.assessment.unit))
        levels = [
            verdict
            for verdict in Verdict
            if symbolic.settled(at_least(policy.active(case.as_of), symbols, verdict))
        ]
        assert max(levels) is entry.assessment.verdict


def test_outcomes_are_those_of_the_engines() -> None:
    """The prover has a formula for each outcome that an engine gives."""
    both = Both(z3.BoolVal(val=True), z3.BoolVal(val=False))
    assert {outcome: symbolic.settled(both.of(outcome)) for outcome in Outcome} == {
        Outcome.KEPT: False,
        Outcome.BROKEN: True,
        Outcome.UNKNOWN: False,
    }
    assert default_policy().rules
