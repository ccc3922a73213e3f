"""The reference engine: what the rule language means, small enough to read in one sitting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from allocator import __version__
from allocator.engines import Judgement, Outcome
from allocator.facts import LIST_KNOWN_BY, Candidate, Facts, Missing, Range, Reading, Value
from allocator.policy import BoundRule
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Ref, Test, Truth

Truth3 = bool | None
"""True, False, or None for unknown."""


class ReferenceEngine:
    """Judges by walking the expressions in plain Python."""

    name = "reference"
    version = __version__

    def __init__(self, rules: tuple[BoundRule, ...]) -> None:
        self._rules = rules

    def judge(self, candidates: Iterable[Candidate]) -> list[Judgement]:
        """Judge candidates, in the order given."""
        return [self._judge(candidate) for candidate in candidates]

    def _judge(self, candidate: Candidate) -> Judgement:
        common = World.of(candidate)
        members = common.members()
        outcomes = {
            bound.id: tuple(
                Outcome.of(truth(bound.broken_when, member)) for member in members[bound.rule.about]
            )
            for bound in self._rules
        }
        remarks = {
            bound.id: truth(bound.remark_when, common) is True
            for bound in self._rules
            if bound.remark_when is not None
        }
        return Judgement(outcomes, remarks)


@dataclass(frozen=True)
class World:
    """What an expression is read against: facts, and the members of each range."""

    facts: Facts
    candidate: Candidate

    @classmethod
    def of(cls, candidate: Candidate) -> World:
        """Return the facts common to all rules."""
        return cls(candidate.facts, candidate)

    def beside(self, facts: Facts) -> World:
        """Return this world with one member's facts added."""
        return World({**self.facts, **facts}, self.candidate) if facts else self

    def members(self) -> dict[Range, list[World]]:
        """Return, for each range, this world beside each of its members."""
        return {over: [self.beside(item.facts) for item in self.candidate.items(over)] for over in Range}

    def value(self, path: str) -> Value | None:
        """Return a fact, or None if it is unknown."""
        reading = self.facts.get(path, Missing.NOT_RECORDED)
        return None if isinstance(reading, Missing) else reading


def truth(expr: Expr, world: World) -> Truth3:
    """Return whether *expr* holds in *world*: Kleene's strong three-valued logic."""
    match expr:
        case Truth(value):
            return value
        case Not(part):
            inner = truth(part, world)
            return None if inner is None else not inner
        case All(parts):
            return _all(truth(part, world) for part in parts)
        case Any(parts):
            none_of = _all(_negated(truth(part, world)) for part in parts)
            return _negated(none_of)
        case Test(path, op, right):
            return compare(world.value(path), op, _right(right, world))
        case AtLeast():
            low, high, members = count(expr, world)
            return _reaches(expr, low, high, members)
    raise TypeError(f"not a core expression: {type(expr).__name__}")


def _all(parts: Iterable[Truth3]) -> Truth3:
    result: Truth3 = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            result = None
    return result


def _negated(value: Truth3) -> Truth3:
    return None if value is None else not value


def _right(right: object, world: World) -> Value | None:
    if not isinstance(right, Ref):
        assert isinstance(right, bool | int | str | date)
        return right
    return shifted(world.value(right.path), right)


def shifted(value: Value | None, ref: Ref) -> Value | None:
    """Return the value of the fact that *ref* names, plus its number (of days, for a date)."""
    assert isinstance(ref.plus, int)
    if value is None or ref.plus == 0:
        return value
    if isinstance(value, date):
        return value + timedelta(days=ref.plus)
    assert isinstance(value, int)
    return value + ref.plus


def compare(left: Value | None, op: Op, right: Value | None) -> Truth3:
    """Return how a fact compares with a value; unknown if either is."""
    if left is None or right is None:
        return None
    match op:
        case Op.EQ:
            return left == right
        case Op.NE:
            return left != right
    assert not isinstance(left, str)
    assert type(left) is type(right)
    match op:
        case Op.LT:
            return left < right  # type: ignore[operator]
        case Op.LE:
            return left <= right  # type: ignore[operator]
        case Op.GT:
            return left > right  # type: ignore[operator]
        case Op.GE:
            return left >= right  # type: ignore[operator]


def count(expr: AtLeast, world: World) -> tuple[int, int | None, int]:
    """Return how many members fulfil *where*: at least, at most, and how many members there are.

    At most is None where nobody knows that the list is whole.
    """
    low = high = 0
    members = world.candidate.items(expr.over)
    for item in members:
        holds = truth(expr.where, world.beside(item.facts))
        low += holds is True
        high += holds is not False
    known_by = LIST_KNOWN_BY.get(expr.over)
    whole = known_by is None or world.value(known_by) is not None
    return low, high if whole else None, len(members)


def _reaches(expr: AtLeast, low: int, high: int | None, members: int) -> Truth3:
    limit = expr.needed(members)
    if low >= limit:
        return True
    if high is not None and high < limit:
        return False
    return None


# ------------------------------------------------------------------------------------- explanations


def support(expr: Expr, world: World) -> dict[str, Reading]:
    """Return the facts that make *expr* come out as it does, each with its value.

    Of a broken rule, the facts that break it; of an unknown one, the facts that are missing; of a kept
    one, the facts that keep it.
    """
    found: dict[str, Reading] = {}
    _support(expr, truth(expr, world), world, found)
    return found


def _support(expr: Expr, result: Truth3, world: World, found: dict[str, Reading]) -> None:
    match expr:
        case Not(part):
            _support(part, _negated(result), world, found)
        case All(parts) | Any(parts):
            for part in parts:
                if truth(part, world) is result:
                    _support(part, result, world, found)
        case Test(path, _, right):
            for ref in (path, right.path) if isinstance(right, Ref) else (path,):
                reading = world.facts.get(ref, Missing.NOT_RECORDED)
                if result is not None or isinstance(reading, Missing):
                    found[ref] = reading
        case AtLeast():
            _support_count(expr, result, world, found)


def _support_count(expr: AtLeast, result: Truth3, world: World, found: dict[str, Reading]) -> None:
    low, high, _ = count(expr, world)
    name = f"{expr.over}s.{expr.name}"
    if low == high:
        found[name] = low
    else:
        found[f"{name}.at_least"] = low
        if high is not None:
            found[f"{name}.at_most"] = high
    if result is None:
        for item in world.candidate.items(expr.over):
            member = world.beside(item.facts)
            if truth(expr.where, member) is None:
                for path, why in support(expr.where, member).items():
                    found[path] = min(found.get(path, why), why, key=str)  # the same whoever comes first
        known_by = LIST_KNOWN_BY.get(expr.over)
        if known_by is not None and world.value(known_by) is None:
            found[known_by] = world.facts.get(known_by, Missing.NOT_RECORDED)
