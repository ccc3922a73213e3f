"""The prover's reader: rules as formulas of Z3, for proofs over all facts at once.

Every fact is two unknowns: whether it is known, and its value. An expression becomes two formulas, one that
holds when it is definitely true and one that holds when it is definitely false; where neither holds it is
unknown. One formula alone would be two-valued logic, and would prove too much.

Members of a range (residents, conflicts ...) are *kinds* of member, each with a number of copies. Only counts
tell one number of members from another, and a count sees of each member no more than whether it counts, does
not count, or nobody knows. Three kinds for one count, nine for two, therefore stand for groups of any size;
one more kind stands for the member that a rule is about.

What the model allows facts to be is in :mod:`allocator.engines.axioms`. Only this module knows Z3.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any as Anything

import z3  # type: ignore[import-untyped]

from allocator.engines import Outcome
from allocator.facts import (
    COMMON_SUBJECTS,
    LIST_KNOWN_BY,
    SUBJECT_FACTS,
    Candidate,
    Facts,
    FactType,
    Item,
    Kind,
    Missing,
    Range,
    Reading,
    Value,
    fact_type,
)
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Ref, Test, Truth

Formula = Anything
"""A truth of Z3, which has no types of its own."""

Term = Anything
"""A truth, number, date or code of Z3."""


# ---------------------------------------------------------------------------------------- connectives


def every(formulas: Iterable[Formula]) -> Formula:
    """Return *all of them*; true if there is none."""
    return _joined(z3.Z3_mk_and, list(formulas))


def some(formulas: Iterable[Formula]) -> Formula:
    """Return *at least one of them*; false if there is none."""
    return _joined(z3.Z3_mk_or, list(formulas))


def _joined(join: Callable[..., Anything], formulas: list[Formula]) -> Formula:
    """Join formulas without the checks that take most of the time `z3.And` does."""
    context = z3.main_ctx()
    nodes = (z3.Ast * len(formulas))(*(formula.as_ast() for formula in formulas))
    return z3.BoolRef(join(context.ref(), len(formulas), nodes), context)


def no(formula: Formula) -> Formula:
    """Return *not*."""
    return z3.Not(formula)


def follows(one: Formula, other: Formula) -> Formula:
    """Return *if the one, then the other*."""
    return z3.Implies(one, other)


def same(one: Term, other: Term) -> Formula:
    """Return *both are equal*."""
    return one == other


def total(terms: Iterable[Term]) -> Term:
    """Return the sum."""
    return z3.Sum([z3.IntVal(0), *terms])


def constant(value: bool | int) -> Term:  # noqa: FBT001 - a value, not a switch
    """Return a value that is settled."""
    return z3.BoolVal(value) if isinstance(value, bool) else z3.IntVal(value)


def unknown_truth(name: str) -> Formula:
    """Return a truth that nothing is said of."""
    return z3.Bool(name)


def settled(formula: Formula) -> bool:
    """Return the truth of a formula without unknowns.

    Raises:
        ValueError: It has some.
    """
    simple = z3.simplify(formula)
    if z3.is_true(simple) or z3.is_false(simple):
        return bool(z3.is_true(simple))
    raise ValueError("a formula that is not settled")


def names(formula: Formula) -> frozenset[str]:
    """Return the names of the unknowns of a formula."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [formula]
    while waiting:
        node = waiting.pop()
        if node.get_id() in seen:
            continue
        seen.add(node.get_id())
        if z3.is_const(node) and node.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found.add(node.decl().name())
        waiting.extend(node.children())
    return frozenset(found)


def replaced(formula: Formula, terms: Iterable[tuple[Term, Term]]) -> Formula:
    """Return *formula* with each first term replaced by the second, as simple as it is then."""
    return z3.simplify(z3.substitute(formula, *terms))


# --------------------------------------------------------------------------------------------- values


def encode(path: str, value: Value) -> Term:
    """Return a fact's value: a code is its place in the list, a date the number of its day."""
    if isinstance(value, bool):
        return z3.BoolVal(value)
    if isinstance(value, date):
        return z3.IntVal(value.toordinal())
    if isinstance(value, str):
        return z3.IntVal(codes_of(path).index(value))
    return z3.IntVal(value)


def decode(path: str, term: Term) -> Value:
    """Return the value that a settled term stands for."""
    if z3.is_bool(term):
        return bool(z3.is_true(term))
    number = int(term.as_long())
    match fact_type(path).kind:
        case Kind.DATE:
            return date.fromordinal(number)
        case Kind.CODE:
            return codes_of(path)[number]
        case _:
            return number


def codes_of(path: str) -> tuple[str, ...]:
    """Return the code list of a fact."""
    codes = fact_type(path).codes
    assert codes is not None
    return tuple(code.value for code in codes)


# ------------------------------------------------------------------------------- facts, known or not


@dataclass(frozen=True)
class Fact:
    """A fact: whether it is known, and what it is if it is."""

    known: Formula
    value: Term

    def holds(self, truth: Formula) -> Formula:
        """Return *it is known, and this is true of it*."""
        return every((self.known, truth))


@dataclass(frozen=True)
class Member:
    """A kind of member of a range, with how many there are of it."""

    copies: Term
    facts: Mapping[str, Fact]

    @property
    def present(self) -> Formula:
        """There is at least one."""
        return self.copies >= 1


@dataclass(frozen=True)
class Symbols:
    """What an expression is read against: facts, and the members of each range."""

    facts: Mapping[str, Fact]
    members: Mapping[Range, tuple[Member, ...]]

    def beside(self, member: Member) -> Symbols:
        """Return these with one member's facts added."""
        return Symbols({**self.facts, **member.facts}, self.members) if member.facts else self

    def everywhere(self) -> Iterator[tuple[str, Mapping[str, Fact]]]:
        """Yield the common facts, then those of each member, each with a name of its own."""
        yield "", self.facts
        for over, members in self.members.items():
            for number, member in enumerate(members):
                yield f"{over}{number}.", member.facts

    def terms(self) -> Iterator[Term]:
        """Yield every unknown, in a fixed order."""
        for _, facts in self.everywhere():
            for fact in facts.values():
                yield fact.known
                yield fact.value
        for members in self.members.values():
            for member in members:
                yield member.copies


def spread(fact: FactType) -> tuple[str, ...]:
    """Return the paths of a fact: one for each code, if it is a set."""
    if fact.kind is not Kind.CODES:
        return (fact.path,)
    return tuple(f"{fact.path}:{code.value}" for code in fact.codes or ())


def paths_of(subject: str) -> tuple[str, ...]:
    """Return the paths of all facts about a subject."""
    return tuple(path for fact in SUBJECT_FACTS[subject] for path in spread(fact))


COMMON_PATHS = tuple(
    path for subject in SUBJECT_FACTS if subject in COMMON_SUBJECTS for path in paths_of(subject)
)
"""The facts that every rule may read."""


def free(kinds: Mapping[Range, int], name: str = "") -> Symbols:
    """Return facts of which nothing is said, and so many kinds of member of each range.

    Args:
        kinds: How many kinds of member; a range that is not there has none.
        name: Tells these facts from others.
    """

    def facts(of: str, paths: Iterable[str]) -> dict[str, Fact]:
        return {path: _free_fact(f"{name}{of}{path}", path) for path in paths}

    members: dict[Range, tuple[Member, ...]] = {
        over: tuple(
            Member(z3.Int(f"{name}{over}{n}.copies"), facts(f"{over}{n}.", paths_of(over.value)))
            for n in range(kinds.get(over, 0))
        )
        for over in Range
        if over is not Range.UNIT
    }
    return Symbols(facts("", COMMON_PATHS), members)


def with_fact(symbols: Symbols, path: str, fact: Fact) -> Symbols:
    """Return the same facts but one."""
    return Symbols({**symbols.facts, path: fact}, symbols.members)


def not_known(path: str) -> Fact:
    """Return a fact that is missing."""
    return _given_fact(path, Missing.NOT_RECORDED)


def known_as(path: str, value: Value) -> Fact:
    """Return a fact that is known."""
    return _given_fact(path, value)


def with_more_known(symbols: Symbols) -> Symbols:
    """Return the same facts, of which more may be known."""

    def more(of: str, facts: Mapping[str, Fact]) -> dict[str, Fact]:
        return {
            path: Fact(z3.Or(fact.known, z3.Bool(f"{of}{path}+")), fact.value) for path, fact in facts.items()
        }

    return Symbols(
        more("", symbols.facts),
        {
            over: tuple(
                Member(member.copies, more(f"{over}{n}.", member.facts)) for n, member in enumerate(members)
            )
            for over, members in symbols.members.items()
        },
    )


def _free_fact(name: str, path: str) -> Fact:
    kind = fact_type(path).kind
    sort = z3.Bool if kind in (Kind.BOOL, Kind.CODES) else z3.Int
    return Fact(z3.Bool(f"{name}?"), sort(name))


def given(candidate: Candidate) -> Symbols:
    """Return the facts of a candidate as settled ones."""

    def member(over: Range, item: Item) -> Member:
        return Member(z3.IntVal(1), _given_facts(item.facts, paths_of(over.value)))

    members: dict[Range, tuple[Member, ...]] = {
        over: tuple(member(over, item) for item in candidate.items(over))
        for over in Range
        if over is not Range.UNIT
    }
    return Symbols(_given_facts(candidate.facts, COMMON_PATHS), members)


def _given_facts(facts: Facts, paths: Iterable[str]) -> dict[str, Fact]:
    readings: dict[str, Reading] = {**dict.fromkeys(paths, Missing.NOT_RECORDED), **facts}
    return {path: _given_fact(path, reading) for path, reading in readings.items()}


def _given_fact(path: str, reading: Reading) -> Fact:
    if not isinstance(reading, Missing):
        return Fact(z3.BoolVal(val=True), encode(path, reading))
    nothing = Fact(z3.BoolVal(val=False), z3.IntVal(0))
    return (
        Fact(nothing.known, z3.BoolVal(val=False))
        if fact_type(path).kind in (Kind.BOOL, Kind.CODES)
        else nothing
    )


# ---------------------------------------------------------------------------------- expressions as two


@dataclass(frozen=True)
class Both:
    """An expression as two formulas: definitely true, and definitely false."""

    true: Formula
    false: Formula

    def of(self, outcome: Outcome) -> Formula:
        """Return when this comes out so, if it says when a rule is broken."""
        match outcome:
            case Outcome.BROKEN:
                return self.true
            case Outcome.KEPT:
                return self.false
            case Outcome.UNKNOWN:
                return z3.Not(z3.Or(self.true, self.false))


def truth(expr: Expr, symbols: Symbols) -> Both:
    """Return when *expr* holds, and when it does not: Kleene's strong three-valued logic."""
    match expr:
        case Truth(value):
            return Both(z3.BoolVal(value), z3.BoolVal(not value))
        case Not(part):
            return _negated(truth(part, symbols))
        case All(parts):
            of = [truth(part, symbols) for part in parts]
            return Both(every(part.true for part in of), some(part.false for part in of))
        case Any(parts):
            of = [truth(part, symbols) for part in parts]
            return Both(some(part.true for part in of), every(part.false for part in of))
        case Test(path, op, right):
            return _test(path, op, right, symbols)
        case AtLeast():
            return _at_least(expr, symbols)
    raise TypeError(f"not a core expression: {type(expr).__name__}")


def _negated(part: Both) -> Both:
    return Both(part.false, part.true)


def _fact(path: str, symbols: Symbols) -> Fact:
    return symbols.facts.get(path) or _given_fact(path, Missing.NOT_RECORDED)


def _test(path: str, op: Op, right: object, symbols: Symbols) -> Both:
    left = _fact(path, symbols)
    known = left.known
    if isinstance(right, Ref):
        other = _fact(right.path, symbols)
        known = every((known, other.known))
        operand = other.value + right.plus if right.plus else other.value
    else:
        assert isinstance(right, bool | int | str | date)
        operand = encode(path, right)
    holds = _compared(left.value, op, operand)
    return Both(every((known, holds)), every((known, z3.Not(holds))))


def _compared(left: Term, op: Op, right: Term) -> Formula:
    match op:
        case Op.EQ:
            return left == right
        case Op.NE:
            return left != right
        case Op.LT:
            return left < right
        case Op.LE:
            return left <= right
        case Op.GT:
            return left > right
        case Op.GE:
            return left >= right


def _at_least(expr: AtLeast, symbols: Symbols) -> Both:
    members = symbols.members.get(expr.over, ())
    of = [(member.copies, truth(expr.where, symbols.beside(member))) for member in members]
    number = total(copies for copies, _ in of)
    low = total(z3.If(counts.true, copies, 0) for copies, counts in of)
    high = total(z3.If(counts.false, 0, copies) for copies, counts in of)
    return Both(
        _reaches(expr, low, number), z3.And(whole(expr.over, symbols), z3.Not(_reaches(expr, high, number)))
    )


def whole(over: Range, symbols: Symbols) -> Formula:
    """Return *somebody knows that the list is whole*."""
    known_by = LIST_KNOWN_BY.get(over)
    return z3.BoolVal(val=True) if known_by is None else _fact(known_by, symbols).known


def _reaches(expr: AtLeast, counted: Term, members: Term) -> Formula:
    """Return *so many counted are enough*: `AtLeast.needed`, without its rounding up."""
    if expr.percent is None:
        assert isinstance(expr.count, int)
        return counted >= expr.count
    assert isinstance(expr.percent, int)
    return z3.And(counted >= 1, 100 * counted >= expr.percent * members)


# ------------------------------------------------------------------------------------------- searching


class Answer(StrEnum):
    """Whether there are facts that fulfil what was asked."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass
class Budget:
    """How long a search may take.

    What has been decided does not depend on it; only what is left undecided does.

    Attributes:
        seconds: For everything.
        timeout_ms: For one question.
        clock: Tells the seconds that have gone.
    """

    seconds: float
    timeout_ms: int
    clock: Callable[[], float] = time.monotonic
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        self._ends = self.clock() + self.seconds

    @property
    def milliseconds(self) -> int:
        """What is left for the next question; 0 if nothing is."""
        return max(0, min(self.timeout_ms, int(1000 * (self._ends - self.clock()))))


@dataclass(frozen=True)
class Imagined:
    """Facts that were found: as much of a candidate as the reference engine reads."""

    facts: Mapping[str, Value]
    members: Mapping[Range, tuple[Mapping[str, Value], ...]]

    def items(self, over: Range) -> tuple[Item, ...]:
        """Return the members of a range."""
        if over is Range.UNIT:
            return (Item((), {}),)
        return tuple(
            Item((f"{over}-{number}",), facts) for number, facts in enumerate(self.members.get(over, ()), 1)
        )

    @cached_property
    def size(self) -> int:
        """How many facts are known."""
        return len(self.facts) + sum(len(m) for members in self.members.values() for m in members)


Wanted = Sequence[Formula]


class Search:
    """Looks for facts that fulfil formulas.

    Args:
        given: Formulas that always hold.
        budget: How long it may take.
    """

    def __init__(self, given: Iterable[Formula], budget: Budget) -> None:
        self._solver = z3.SimpleSolver()
        self._solver.set("random_seed", 0)
        self._solver.add(*given)
        self._budget = budget

    def add(self, *formulas: Formula) -> None:
        """Let formulas hold from now on."""
        self._solver.add(*formulas)

    @contextmanager
    def where(self, *formulas: Formula) -> Iterator[None]:
        """Let formulas hold for a while."""
        self._solver.push()
        try:
            self._solver.add(*formulas)
            yield
        finally:
            self._solver.pop()

    def __call__(self, *wanted: Formula) -> Answer:
        """Return whether there are facts that fulfil all that is given and *wanted*."""
        with self.where(*wanted):
            return self._check()

    def _check(self, *literals: Formula) -> Answer:
        if not self._budget.milliseconds:
            return Answer.UNDECIDED
        self._solver.set("timeout", self._budget.milliseconds)
        result = self._solver.check(*literals)
        if result == z3.unknown:
            return Answer.UNDECIDED
        return Answer.YES if result == z3.sat else Answer.NO

    def values(self, terms: Sequence[Term], *wanted: Formula) -> list[Term] | None:
        """Return what *terms* may be, or None if nothing was found."""
        with self.where(*wanted):
            if self._check() is not Answer.YES:
                return None
            model = self._solver.model()
            return [model.eval(term, model_completion=True) for term in terms]

    def witness(self, symbols: Symbols, paths: Iterable[str], *wanted: Formula) -> Imagined | None:
        """Return any example, as it comes; None if none was found."""
        with self.where(*wanted):
            return self._imagined(symbols, set(paths)) if self._check() is Answer.YES else None

    def core(self, formulas: Sequence[Formula]) -> list[Formula] | None:
        """Return a few of *formulas* that cannot all hold; none of them can be left out.

        The result is the same however Z3 came to it: each is tried in turn, the last first.

        Returns:
            None if they can, or if it is undecided.
        """
        with self.where(*formulas):
            if self._check() is not Answer.NO:
                return None
        kept = list(formulas)
        for formula in reversed(formulas):
            fewer = [other for other in kept if other is not formula]
            if self(*fewer) is Answer.NO:
                kept = fewer
        return kept

    # ------------------------------------------------------------------------------ small examples

    def example(
        self, symbols: Symbols, paths: Sequence[str], near: Mapping[str, int], *wanted: Formula
    ) -> Imagined | None:
        """Return a smallest example: no fact of it can be left out, and values are as plain as can be.

        Facts, and then values, are settled one after another in a fixed order by what is possible, so that
        the same is found whatever Z3 finds first.

        Args:
            symbols: The facts.
            paths: The facts that matter, the most important first; the others are left as they come.
            near: Numbers that values are to lie near, by path.
            wanted: What the example is of.

        Returns:
            None if there is none, or if the time did not suffice.
        """
        with self.where(*wanted):
            if self._check() is not Answer.YES:
                return None
            for members in symbols.members.values():
                for member in members:
                    self._solver.add(member.copies == self._nearest(member.copies, 0))
            chosen = [
                (path, facts[path])
                for path in paths
                for name, facts in symbols.everywhere()
                if path in facts and (not name or self(*self._present(symbols, facts)) is Answer.YES)
            ]
            known = []
            for path, fact in reversed(chosen):
                if self(z3.Not(fact.known)) is Answer.YES:
                    self._solver.add(z3.Not(fact.known))
                else:
                    known.append((path, fact))
            for path, fact in reversed(known):
                if z3.is_bool(fact.value):
                    self._prefer(z3.Not(fact.value))
                else:
                    self._solver.add(fact.value == self._nearest(fact.value, near.get(path, 0)))
            return self._imagined(symbols, set(paths)) if self._check() is Answer.YES else None

    def _present(self, symbols: Symbols, facts: Mapping[str, Fact]) -> list[Formula]:
        return [
            member.present
            for members in symbols.members.values()
            for member in members
            if member.facts is facts
        ]

    def _prefer(self, formula: Formula) -> None:
        if self(formula) is Answer.YES:
            self._solver.add(formula)

    def _nearest(self, term: Term, anchor: int) -> int:
        """Return the possible value of a number that is nearest to *anchor*, the lower of two."""
        values = self.values([term])
        if values is None:
            return anchor
        least, most = 0, abs(int(values[0].as_long()) - anchor)
        while least < most:
            middle = (least + most) // 2
            if self(term >= anchor - middle, term <= anchor + middle) is Answer.YES:
                most = middle
            else:
                least = middle + 1
        return anchor - least if self(term == anchor - least) is Answer.YES else anchor + least

    def _imagined(self, symbols: Symbols, paths: set[str]) -> Imagined:
        model = self._solver.model()

        def read(facts: Mapping[str, Fact]) -> dict[str, Value]:
            return {
                path: decode(path, model.eval(fact.value, model_completion=True))
                for path, fact in facts.items()
                if path in paths and z3.is_true(model.eval(fact.known, model_completion=True))
            }

        return Imagined(
            read(symbols.facts),
            {
                over: tuple(
                    sorted(
                        (
                            facts
                            for member in members
                            for facts in [read(member.facts)]
                            * int(model.eval(member.copies, model_completion=True).as_long())
                        ),
                        key=str,
                    )
                )
                for over, members in symbols.members.items()
            },
        )
