"""What a change of policy changes: for which facts a verdict becomes another, exactly.

A verdict changes only where some rule comes out otherwise than before, or weighs otherwise. So those facts
are told rule by rule: from which outcome to which, and in which cases. The cases are found as
few and as wide as can be, and it is proved that they are all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from allocator.engines import Outcome
from allocator.engines.axioms import ALWAYS_KNOWN, limits
from allocator.engines.symbolic import (
    Answer,
    Budget,
    Fact,
    Formula,
    Imagined,
    codes_of,
    constant,
    decode,
    encode,
    every,
    no,
    same,
    some,
)
from allocator.facts import Kind, Range, Value, fact_type
from allocator.policy import BoundRule, Policy
from allocator.proofs import BUDGET_SECONDS, TIMEOUT_MS, Prover, gives, unchanged_until
from allocator.rules import RULEBOOK
from allocator.rules.language import AtLeast, walk
from allocator.scoring import Verdict

MAX_CASES = 12
"""So many cases of one difference are told."""


@dataclass(frozen=True)
class Allowed:
    """What a fact may be in a case.

    Attributes:
        unknown: It may be unknown.
        least: The least that a number, date or place in a code list may be; None if any.
        most: The most; None if any.
        values: The truths or codes that it may be; None if any.
    """

    unknown: bool
    least: Value | None = None
    most: Value | None = None
    values: tuple[Value, ...] | None = None


Case = Mapping[str, Allowed]
"""Facts and what they may be; all others may be anything."""


@dataclass(frozen=True)
class Difference:
    """Facts for which a rule comes out, or weighs, otherwise than before.

    Attributes:
        before: The rule's outcome before; None if it was off.
        after: Its outcome now; None if it is off.
        verdict_before: The verdict that it gave a home.
        verdict_after: The verdict that it gives now.
        cases: The facts, as few cases as were found; empty if it is always so that outcome.
        whole: Whether these are all cases.
        example: A smallest example in which the home's verdict becomes another; None if it never does, since
            some other rule always gives the same or a worse one.
        home_before: The home's verdict before, in the example.
        home_after: The home's verdict now, in the example.
    """

    before: Outcome | None
    after: Outcome | None
    verdict_before: Verdict
    verdict_after: Verdict
    cases: tuple[Case, ...]
    whole: bool
    example: Imagined | None
    home_before: Verdict
    home_after: Verdict


@dataclass(frozen=True)
class Change:
    """What changes in one rule.

    Attributes:
        old: The rule as it was; None if it was off.
        new: The rule as it is; None if it is off.
        differences: What comes of it; empty if no verdict changes.
    """

    old: BoundRule | None
    new: BoundRule | None
    differences: tuple[Difference, ...]

    @property
    def rule(self) -> str:
        """Id of the rule."""
        bound = self.new or self.old
        assert bound is not None
        return bound.id


def changes(
    old: Policy, new: Policy, as_of: date | None = None, *, budget: Budget | None = None
) -> list[Change]:
    """Return what *new* changes, rule by rule, on one day.

    Args:
        old: The policy as it was.
        new: The policy as it is to be.
        as_of: The day; by default the one the new policy is valid from.
        budget: How long it may take.
    """
    day = new.document.valid_from if as_of is None else as_of
    before, after = old.active(day), new.active(day)
    both = tuple({id(rule): rule for rule in (*before, *after)}.values())
    limit = budget or Budget(BUDGET_SECONDS, TIMEOUT_MS)
    prover = Prover(both, day, min(unchanged_until(old, day), unchanged_until(new, day)), limit)
    comparison = _Comparison(prover, before, after)
    was, now = {b.id: b for b in before}, {b.id: b for b in after}
    found = (comparison.change(was.get(rule.id), now.get(rule.id)) for rule in RULEBOOK)
    return [change for change in found if change is not None]


class _Comparison:
    def __init__(self, prover: Prover, before: tuple[BoundRule, ...], after: tuple[BoundRule, ...]) -> None:
        self._prover = prover
        self._before, self._after = before, after
        self._reaches = [
            {level: prover.at_least(rules, level) for level in Verdict} for rules in (before, after)
        ]

    def change(self, old: BoundRule | None, new: BoundRule | None) -> Change | None:
        """Return what changes in a rule, or None if nothing does."""
        if old is None and new is None:
            return None
        if old is not None and new is not None:
            alike = (old.broken_when, old.effect, old.points) == (new.broken_when, new.effect, new.points)
            if alike:
                return None
        return Change(old, new, tuple(self._differences(old, new)))

    def _differences(self, old: BoundRule | None, new: BoundRule | None) -> Iterator[Difference]:
        outcomes: Sequence[Outcome | None] = tuple(Outcome)
        for before, after in itertools.product(
            outcomes if old is not None else (None,), outcomes if new is not None else (None,)
        ):
            verdicts = _alone(old, before), _alone(new, after)
            if verdicts[0] is verdicts[1]:
                continue
            region = every((self._comes_out(old, before), self._comes_out(new, after)))
            prover = self._prover
            if prover.search(prover.today, region) is Answer.NO:
                continue
            cases, whole = self._cases(old, new, region)
            decides = every((region, self._decides(old, new)))
            home = self._home(decides, verdicts)
            example = None if home is None else self._example(old, new, decides, home)
            if example is not None:
                for bound, outcome in ((old, before), (new, after)):
                    if bound is not None and outcome is not None:
                        prover.confirm(example, outcome, bound)
            yield Difference(before, after, *verdicts, cases, whole, example, *(home or verdicts))

    def _decides(self, old: BoundRule | None, new: BoundRule | None) -> Formula:
        """Return *this change decides*: alone it changes the home's verdict, or the others alone do not."""
        was, now = self._reaches
        with_it = _exchanged(self._before, old, new)
        without_it = _exchanged(self._after, new, old)
        return some(
            no(same(reaches[level], self._prover.at_least(rules, level)))
            for reaches, rules in ((was, with_it), (now, without_it))
            for level in Verdict
        )

    def _home(self, region: Formula, alone: tuple[Verdict, Verdict]) -> tuple[Verdict, Verdict] | None:
        """Return from which verdict to which a home goes; what the rule alone gives comes first."""
        prover, (was, now) = self._prover, self._reaches
        differ = some(no(same(was[level], now[level])) for level in Verdict)
        if prover.search(prover.today, region, differ) is not Answer.YES:
            return None
        for before, after in sorted(itertools.product(Verdict, Verdict), key=lambda pair: pair != alone):
            wanted = (prover.today, region, self._is(0, before), self._is(1, after))
            if before is not after and prover.search(*wanted) is Answer.YES:
                return before, after
        return None

    def _example(
        self, old: BoundRule | None, new: BoundRule | None, region: Formula, home: tuple[Verdict, Verdict]
    ) -> Imagined | None:
        prover = self._prover
        read = prover.reads(*(bound for bound in (old, new) if bound is not None))
        verdicts = (self._is(number, verdict) for number, verdict in enumerate(home))
        return prover.search.example(prover.symbols, read, prover.near, prover.today, region, *verdicts)

    def _comes_out(self, bound: BoundRule | None, outcome: Outcome | None) -> Formula:
        return constant(value=True) if bound is None or outcome is None else self._of(bound, outcome)

    def _of(self, bound: BoundRule, outcome: Outcome) -> Formula:
        return self._prover.here(bound, outcome)

    def _is(self, number: int, verdict: Verdict) -> Formula:
        reaches = self._reaches[number]
        worse = [reaches[level] for level in Verdict if level > verdict]
        return every((reaches[verdict], no(some(worse))))

    # ------------------------------------------------------------------------------------- the cases

    def _cases(
        self, old: BoundRule | None, new: BoundRule | None, region: Formula
    ) -> tuple[tuple[Case, ...], bool]:
        """Return the facts of a region as few cases, and whether those are all."""
        bounds = [bound for bound in (old, new) if bound is not None]
        if len({bound.broken_when for bound in bounds}) == 1:
            return (), True
        if any(isinstance(part, AtLeast) for bound in bounds for part in walk(bound.broken_when)):
            return (), False
        facts = self._facts(bounds)
        cases: list[Case] = []
        told: list[Formula] = []
        search = self._prover.search
        for _ in range(MAX_CASES):
            with search.where(self._prover.today):
                terms = [term for fact in facts.values() for term in (fact.known, fact.value)]
                known = [fact.known for fact in facts.values()]
                values = search.values(terms, region, *told, *known) or search.values(terms, region, *told)
                if values is None:
                    return tuple(cases), search(region, *told) is Answer.NO
                start = {
                    path: _exactly(path, known, value)
                    for path, known, value in zip(facts, values[::2], values[1::2], strict=True)
                }
                case = self._widened(facts, start, region)
            cases.append(case)
            told.append(no(_formula(facts, case)))
        return tuple(cases), False

    def _facts(self, bounds: Sequence[BoundRule]) -> dict[str, Fact]:
        symbols = self._prover.symbols
        over = bounds[0].rule.about
        member = {} if over is Range.UNIT else symbols.members[over][0].facts
        facts = {**symbols.facts, **member}
        return {path: facts[path] for path in self._prover.reads(*bounds) if path != "case.as_of"}

    def _widened(self, facts: Mapping[str, Fact], case: dict[str, Allowed], region: Formula) -> Case:
        """Return the case, each fact in turn as free as it can be while all of it lies in the region."""
        search = self._prover.search
        ones = (members[0] for members in self._prover.symbols.members.values() if members)
        one = next((member for member in ones if set(member.facts) & set(facts)), None)
        there = constant(value=True) if one is None else one.present

        def lies_within(path: str, allowed: Allowed | None) -> bool:
            tried = {other: a for other, a in case.items() if other != path}
            if allowed is not None:
                tried[path] = allowed
            return search(there, _formula(facts, tried), no(region)) is Answer.NO

        for path in list(case):
            if lies_within(path, None):
                del case[path]
                continue
            for wider in _wider(path, case[path], partial(lies_within, path)):
                case[path] = wider
        return {path: _said(path, allowed) for path, allowed in case.items()}


def _said(path: str, allowed: Allowed) -> Allowed:
    """Return the same without what goes without saying."""
    return replace(allowed, unknown=False) if path in ALWAYS_KNOWN else allowed


def _exchanged(
    rules: tuple[BoundRule, ...], one: BoundRule | None, other: BoundRule | None
) -> tuple[BoundRule, ...]:
    rest = tuple(rule for rule in rules if rule is not one)
    return rest if other is None else (*rest, other)


def _alone(bound: BoundRule | None, outcome: Outcome | None) -> Verdict:
    return Verdict.SUITABLE if bound is None or outcome is None else gives(bound, outcome)


def _exactly(path: str, known: Formula, value: Formula) -> Allowed:
    if str(known) != "True":
        return Allowed(unknown=True, values=())
    settled = decode(path, value)
    if fact_type(path).kind in (Kind.INT, Kind.DATE):
        return Allowed(unknown=False, least=settled, most=settled)
    return Allowed(unknown=False, values=(settled,))


def _wider(path: str, allowed: Allowed, holds: Callable[[Allowed], bool]) -> Iterator[Allowed]:
    """Yield wider and wider versions that still hold."""
    if allowed.values == () and fact_type(path).kind in (Kind.INT, Kind.DATE):
        return
    if allowed.values is None:
        least, most = limits(path) or (0, 0)
        low = _furthest(path, allowed, least, holds, lowest=True)
        allowed = replace(allowed, least=low)
        allowed = replace(allowed, most=_furthest(path, allowed, most, holds, lowest=False))
        yield allowed
    else:
        every_value: tuple[Value, ...] = (
            (False, True) if fact_type(path).kind in (Kind.BOOL, Kind.CODES) else codes_of(path)
        )
        for value in every_value:
            held = (*(allowed.values or ()), value)
            more = replace(allowed, values=tuple(v for v in every_value if v in held))
            if more != allowed and holds(more):
                allowed = more
        yield allowed
    if not allowed.unknown and holds(replace(allowed, unknown=True)):
        yield replace(allowed, unknown=True)


def _furthest(
    path: str, allowed: Allowed, end: int, holds: Callable[[Allowed], bool], *, lowest: bool
) -> Value | None:
    """Return how far a limit can go; None if there is none."""

    def at(number: int) -> Allowed:
        value = decode(path, constant(number))
        return replace(allowed, least=value) if lowest else replace(allowed, most=value)

    if holds(at(end)):
        return None
    start = allowed.least if lowest else allowed.most
    assert start is not None
    good, bad = int(encode(path, start).as_long()), end
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds(at(middle)) else (good, middle)
    return decode(path, constant(good))


def _formula(facts: Mapping[str, Fact], case: Case) -> Formula:
    return every(_one(path, facts[path], allowed) for path, allowed in case.items())


def _one(path: str, fact: Fact, allowed: Allowed) -> Formula:
    parts = []
    if allowed.least is not None:
        parts.append(fact.value >= encode(path, allowed.least))
    if allowed.most is not None:
        parts.append(fact.value <= encode(path, allowed.most))
    if allowed.values is not None:
        parts.append(some(same(fact.value, encode(path, value)) for value in allowed.values))
    known = every((fact.known, *parts))
    return some((known, no(fact.known))) if allowed.unknown else known
