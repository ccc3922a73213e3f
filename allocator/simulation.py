"""What a change of policy would do to real cases: the same applicants and units under two policies.

A simulation counts; it decides and stores nothing. It rests on quick rankings (:mod:`allocator.ranking`),
which no engine of record has checked.

* A *verdict* is one applicant in one unit on one day. A unit is *open* to an applicant whose verdict there is
  better than advised against.
* An applicant *gains* if the best verdict or the number of open units gets better and neither gets worse.
  In a history an applicant is counted once, with what happened on any of the days.
* A number about a group of people is hidden if fewer than k of them are behind it, with as many others as
  it takes that nobody can find it by subtraction (:func:`protect`).

Applicants are counted one after another, in an order that does not depend on the files. A :class:`Tally`
holds all that has been counted so far; it can be written down between any two, and counted on from.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntFlag
from functools import cached_property
from typing import Any, NoReturn

from allocator.facts import CaseFacts, Facts, Missing, fact_type
from allocator.model import Problem, Snapshot
from allocator.policy import Policy
from allocator.ranking import Ranking, Rankings
from allocator.rules import RULES_BY_ID
from allocator.scoring import BROKEN_GIVES, UNKNOWN_GIVES, Verdict
from allocator.small_cells import REST, hidden

Move = tuple[int, int]
"""A verdict before and after, by number."""

MOVES: tuple[Move, ...] = tuple((int(old), int(new)) for old in Verdict for new in Verdict)


class SimulationError(ValueError):
    """Cases that are no history, or a checkpoint that cannot be counted on from. Carries no facts."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.expected}" if p.path else p.expected for p in problems))
        self.problems = problems


# ---------------------------------------------------------------------------------------------- groups


UNKNOWN = "unknown"
"""The group of those of whom it is not known, or not comparable, which they belong to."""


@dataclass(frozen=True)
class Grouping:
    """A way to divide verdicts into groups, by one fact about the applicant or the unit.

    Attributes:
        name: What it is called in documents.
        path: The fact.
        limits: For a number, the first value of each band but the lowest.
    """

    name: str
    path: str
    limits: tuple[int, ...] = ()

    @property
    def of_people(self) -> bool:
        """Whether everyone is in one group a day."""
        return fact_type(self.path).subject == "applicant"

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Every group, in the order they are listed."""
        if self.limits:
            lowest, highest = f"under_{self.limits[0]}", f"from_{self.limits[-1]}"
            between = (f"{low}_to_{high - 1}" for low, high in itertools.pairwise(self.limits))
            return (lowest, *between, highest, UNKNOWN)
        codes = fact_type(self.path).codes
        named = ("yes", "no") if codes is None else tuple(code.value for code in codes)
        return (*named, UNKNOWN)

    def of(self, facts: Facts) -> str:
        """Return the group that the facts belong to."""
        reading = facts[self.path]
        if isinstance(reading, Missing):
            return UNKNOWN
        if isinstance(reading, bool):
            return "yes" if reading else "no"
        if isinstance(reading, int):
            return self.groups[sum(reading >= limit for limit in self.limits)]
        return str(reading)


GROUPINGS = (
    Grouping("gender", "applicant.gender"),
    Grouping("age", "applicant.age", (25, 40, 60)),
    Grouping("rop", "applicant.rop"),
    Grouping("main_substance", "applicant.main_substance"),
    Grouping("scheme_kind", "scheme.kind"),
)
"""How verdicts are divided: whom the rules may treat differently, and where."""


@dataclass
class Cell:
    """A number of verdicts, and how many applicants are behind it on each day."""

    count: int = 0
    people: Counter[int] = field(default_factory=Counter)

    def add(self, day: int, count: int) -> None:
        """Add the verdicts of one more applicant."""
        self.count += count
        self.people[day] += 1

    @property
    def fewest(self) -> int:
        """The fewest different people there can be behind it: those of the day with most."""
        return max(self.people.values(), default=0)

    def beside(self, other: Cell, *, disjoint: bool) -> Cell:
        """Return both together; *disjoint* if nobody can be behind both on one day."""
        days = self.people.keys() | other.people.keys()
        join: Callable[[int, int], int] = int.__add__ if disjoint else max
        together = {day: join(self.people[day], other.people[day]) for day in days}
        return Cell(self.count + other.count, Counter(together))


@dataclass
class Row:
    """One group: all its verdicts, and those of each move."""

    all: Cell = field(default_factory=Cell)
    moves: dict[Move, Cell] = field(default_factory=dict)

    def beside(self, other: Row, *, disjoint: bool) -> Row:
        """Return both groups together."""
        moves = {
            move: self.moves.get(move, Cell()).beside(other.moves.get(move, Cell()), disjoint=disjoint)
            for move in MOVES
            if move in self.moves or move in other.moves
        }
        return Row(self.all.beside(other.all, disjoint=disjoint), moves)


@dataclass(frozen=True)
class GroupRow:
    """One group as it may be told.

    Attributes:
        group: Its code, or `REST`.
        total: Number of verdicts.
        moves: Number of verdicts of each move that anybody has; None is hidden.
    """

    group: str
    total: int
    moves: Mapping[Move, int | None]

    def before(self, verdict: Verdict) -> int | None:
        """Return the number of such verdicts before, None if it is hidden."""
        return _sum(n for (old, _), n in self.moves.items() if old == verdict)

    def after(self, verdict: Verdict) -> int | None:
        """Return the number of such verdicts after, None if it is hidden."""
        return _sum(n for (_, new), n in self.moves.items() if new == verdict)


def _sum(numbers: Iterable[int | None]) -> int | None:
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


@dataclass(frozen=True)
class GroupTable:
    """Verdicts by group; no rows if they cannot be told apart by this."""

    grouping: Grouping
    rows: tuple[GroupRow, ...]


def protect(grouping: Grouping, groups: Mapping[str, Row], k: int) -> GroupTable:
    """Return a table of groups in which no number about fewer than *k* people can be found.

    Groups of fewer than *k* people are put together, so that not even their presence shows. Then every cell
    with fewer than *k* people behind it is hidden, with as many others as it takes
    (:func:`allocator.small_cells.hidden`).
    """
    rows = _large_enough(grouping, groups, k)
    if len(rows) < 2:  # noqa: PLR2004 - one group is everybody
        return GroupTable(grouping, ())
    columns = [move for move in MOVES if any(row.moves.get(move, Cell()).count for row in rows.values())]
    numbers = {
        (name, move): row.moves.get(move, Cell()).count for name, row in rows.items() for move in columns
    }
    small = [
        (name, move)
        for name, row in rows.items()
        for move in columns
        if row.moves.get(move, Cell()).count and row.moves[move].fewest < k
    ]
    gone = hidden(list(rows), columns, numbers, small)
    return GroupTable(
        grouping,
        tuple(
            GroupRow(
                group=name,
                total=row.all.count,
                moves={m: None if (name, m) in gone else numbers[name, m] for m in columns},
            )
            for name, row in rows.items()
        ),
    )


def _large_enough(grouping: Grouping, groups: Mapping[str, Row], k: int) -> dict[str, Row]:
    """Return the groups of at least *k* people; those too small, and the next smallest, are one group."""
    named = {name: groups[name] for name in grouping.groups if name in groups}
    small = [name for name in named if named[name].all.fewest < k]
    if not small:
        return named
    rest = Row()
    for name in small:
        rest = rest.beside(named.pop(name), disjoint=grouping.of_people)
    by_size = sorted(named, key=lambda name: (named[name].all.count, grouping.groups.index(name)))
    for name in by_size:
        if rest.all.fewest >= k:
            break
        rest = rest.beside(named.pop(name), disjoint=grouping.of_people)
    return named | {REST: rest}


# --------------------------------------------------------------------------------------------- tallies


class Person(IntFlag):
    """What happened to an applicant, on any day. `TOUCHED`: some verdict is another."""

    GAINS = 1
    LOSES = 2
    OTHER_FIRST = 4
    NONE_BEFORE = 8
    NONE_AFTER = 16
    LOSES_LAST = 32
    GETS_FIRST = 64
    TOUCHED = 128


class Home(IntFlag):
    """What a unit came to, on any day: whether it is open to anybody, or barred for everybody."""

    OPEN_BEFORE = 1
    OPEN_AFTER = 2
    CLOSES = 4
    OPENS = 8
    BARRED_BEFORE = 16
    BARRED_AFTER = 32


@dataclass(frozen=True)
class Change:
    """What became of one applicant on one day.

    Attributes:
        best: Best verdict, before and after.
        open: Number of open units, before and after.
        first: Units of rank 1, before and after; empty if they are the same.
    """

    day: date
    applicant: str
    best: Move
    open: tuple[int, int]
    first: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class UnitChange:
    """A unit that opens to somebody, or closes to everybody, on one day; its best verdicts for anyone."""

    day: date
    unit: str
    best: Move


@dataclass
class Tally:
    """All that has been counted so far: numbers, and ids that mean nothing. No fact about anybody.

    Attributes:
        day: The day that is being counted, by its place in the history.
        applicant: The next applicant of that day, by their place in the order of ids.
        best: Of each unit of the day, the best verdict for anyone so far, before and after.
    """

    day: int = 0
    applicant: int = 0
    best: list[list[int]] = field(default_factory=list)
    moves: Counter[Move] = field(default_factory=Counter)
    people: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    unit_changes: list[UnitChange] = field(default_factory=list)
    rules: dict[str, tuple[Cell, Cell]] = field(default_factory=dict)
    groups: dict[str, dict[str, Row]] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------ simulating


@dataclass(frozen=True)
class RuleMoves:
    """How many verdicts a rule was the reason of a change of; None where that may not be told."""

    rule: str
    worse: int | None
    better: int | None


@dataclass(frozen=True)
class Report:
    """What a simulation came to.

    Attributes:
        moves: Number of verdicts of each move; together they are all verdicts.
        people: Number of applicants to whom something happened, by what; ``all`` is everyone. Of `gains`,
            `loses`, `mixed` (both) and `unchanged` (neither) each applicant is counted in one.
        units: The same for units.
        changes: Applicants one by one; for who may know of whom.
    """

    before: Policy
    after: Policy
    days: tuple[date, ...]
    k: int
    moves: Mapping[Move, int]
    people: Mapping[str, int]
    units: Mapping[str, int]
    rules: tuple[RuleMoves, ...]
    groups: tuple[GroupTable, ...]
    changes: tuple[Change, ...]
    unit_changes: tuple[UnitChange, ...]

    @property
    def worse(self) -> int:
        """Number of verdicts that get worse."""
        return sum(n for (old, new), n in self.moves.items() if new > old)

    @property
    def better(self) -> int:
        """Number of verdicts that get better."""
        return sum(n for (old, new), n in self.moves.items() if new < old)


class Simulation:
    """Two policies on the snapshots of one municipality.

    Args:
        cases: One snapshot, or several of different days; their order means nothing.
        before: The policy to compare with.
        after: The policy that is tried.

    Raises:
        SimulationError: The snapshots are not one municipality's, each of a day of its own.
    """

    def __init__(self, cases: Iterable[Snapshot], before: Policy, after: Policy) -> None:
        self.cases = tuple(sorted(cases, key=lambda case: case.as_of))
        if not self.cases:
            _refuse("at least one case")
        if any(one.as_of == other.as_of for one, other in itertools.pairwise(self.cases)):
            _refuse("cases of different days; two have the same `as_of`")
        if len({case.municipality.code for case in self.cases if case.municipality}) > 1:
            _refuse("cases of one municipality")
        self.before = before
        self.after = after
        self.k = max(before.k_anonymity, after.k_anonymity)

    @property
    def steps(self) -> int:
        """How many steps there are: applicants, each day anew."""
        return sum(len(case.applicants) for case in self.cases)

    def done(self, tally: Tally) -> int:
        """Return how many steps have been counted."""
        return sum(len(case.applicants) for case in self.cases[: tally.day]) + tally.applicant

    def run(self, tally: Tally) -> Iterator[None]:
        """Count on from where *tally* stands. After each step the tally is whole and may be written down."""
        while tally.day < len(self.cases):
            day = _Day(self.cases[tally.day], tally.day, self.before, self.after)
            if not tally.best:
                tally.best = [[int(Verdict.BLOCKED)] * len(day.units) for _ in range(2)]
            for place in range(tally.applicant, len(day.applicants)):
                day.count(day.applicants[place], tally)
                tally.applicant = place + 1
                yield
            if day.applicants:
                day.count_units(tally)
            tally.day, tally.applicant, tally.best = tally.day + 1, 0, []

    def report(self, tally: Tally) -> Report:
        """Return what a finished simulation came to."""
        assert tally.day == len(self.cases)
        applicants = {applicant.id for case in self.cases for applicant in case.applicants}
        changed = sum(n for (old, new), n in tally.moves.items() if old != new)
        return Report(
            before=self.before,
            after=self.after,
            days=tuple(case.as_of for case in self.cases),
            k=self.k,
            moves={move: tally.moves[move] for move in MOVES if tally.moves[move]},
            people=_people(len(applicants), list(tally.people.values())),
            units=_homes(list(tally.units.values())),
            rules=tuple(self._rules(tally)) if changed else (),
            groups=tuple(protect(g, tally.groups.get(g.name, {}), self.k) for g in GROUPINGS),
            changes=tuple(tally.changes),
            unit_changes=tuple(tally.unit_changes),
        )

    def _rules(self, tally: Tally) -> Iterator[RuleMoves]:
        """Yield the rules that moved verdicts; of a confidential one never a number about few people."""
        for name, rule in RULES_BY_ID.items():
            worse, better = tally.rules.get(name, (Cell(), Cell()))
            if not rule.confidential:
                if worse.count or better.count:
                    yield RuleMoves(name, worse.count, better.count)
            elif all(cell.fewest >= self.k or not cell.count for cell in (worse, better)) and (
                worse.count or better.count
            ):
                yield RuleMoves(name, worse.count, better.count)
            else:
                yield RuleMoves(name, None, None)


def _refuse(expected: str) -> NoReturn:
    raise SimulationError((Problem(path="", expected=expected),))


def _people(everyone: int, flags: Sequence[int]) -> dict[str, int]:
    def number(has: Person) -> int:
        return sum(flag & has == has for flag in flags)

    mixed = number(Person.GAINS | Person.LOSES)
    gains, loses = number(Person.GAINS) - mixed, number(Person.LOSES) - mixed
    return {
        "all": everyone,
        "gains": gains,
        "loses": loses,
        "mixed": mixed,
        "unchanged": everyone - gains - loses - mixed,
        "touched": number(Person.TOUCHED),
        "other_first": number(Person.OTHER_FIRST),
        "none_before": number(Person.NONE_BEFORE),
        "none_after": number(Person.NONE_AFTER),
        "loses_last": number(Person.LOSES_LAST),
        "gets_first": number(Person.GETS_FIRST),
    }


def _homes(flags: Sequence[int]) -> dict[str, int]:
    return {"all": len(flags)} | {
        str(what.name).lower(): sum(bool(flag & what) for flag in flags) for what in Home
    }


def _is_open(verdict: int) -> bool:
    return verdict < Verdict.ADVISED_AGAINST


class _Day:
    """One snapshot laid out under both policies."""

    def __init__(self, case: Snapshot, number: int, before: Policy, after: Policy) -> None:
        self.number = number
        self.facts = CaseFacts(case)
        self.applicants = sorted(self.facts.applicants)
        self._before, self._after = Rankings(self.facts, before), Rankings(self.facts, after)
        self._effects = [
            {rule.id: rule.effect for rule in policy.active(case.as_of)} for policy in (before, after)
        ]
        self.units = sorted(self._before.units_for(self.applicants[0]).ids) if self.applicants else []
        places = [self.facts.place_facts(self.facts.places[unit]) for unit in self.units]
        self._places = {g.name: [g.of(facts) for facts in places] for g in GROUPINGS if not g.of_people}

    def count(self, applicant: str, tally: Tally) -> None:
        """Count one applicant's verdicts."""
        if not self.units:
            tally.people[applicant] = tally.people.get(applicant, 0) | Person.NONE_BEFORE | Person.NONE_AFTER
            return
        rankings = self._before.units_for(applicant), self._after.units_for(applicant)
        before, after = (self._verdicts(ranking) for ranking in rankings)
        pairs = list(zip(before, after, strict=True))
        moves = Counter(pairs)
        reasons = self._reasons(rankings, pairs) if before != after else (Counter(), Counter())
        change = self._change(applicant, rankings, before, after)

        tally.best = [list(map(min, *both)) for both in zip(tally.best, (before, after), strict=True)]
        tally.moves += moves
        for direction, rules in enumerate(reasons):
            for rule, number in rules.items():
                tally.rules.setdefault(rule, (Cell(), Cell()))[direction].add(self.number, number)
        self._count_groups(applicant, pairs, moves, tally)
        flags = _flags(change) | Person.TOUCHED * (before != after)
        if flags:
            tally.people[applicant] = tally.people.get(applicant, 0) | flags
        if flags & (Person.GAINS | Person.LOSES | Person.OTHER_FIRST):
            tally.changes.append(change)

    def count_units(self, tally: Tally) -> None:
        """Count the units, once all applicants of the day have been counted."""
        for unit, old, new in zip(self.units, *tally.best, strict=True):
            flags = (
                Home.OPEN_BEFORE * _is_open(old)
                | Home.OPEN_AFTER * _is_open(new)
                | Home.CLOSES * (_is_open(old) and not _is_open(new))
                | Home.OPENS * (_is_open(new) and not _is_open(old))
                | Home.BARRED_BEFORE * (old == Verdict.BLOCKED)
                | Home.BARRED_AFTER * (new == Verdict.BLOCKED)
            )
            tally.units[unit] = tally.units.get(unit, 0) | flags
            barred = (old == Verdict.BLOCKED) != (new == Verdict.BLOCKED)
            if barred or flags & (Home.CLOSES | Home.OPENS):
                tally.unit_changes.append(UnitChange(self.facts.as_of, unit, (old, new)))

    def _verdicts(self, ranking: Ranking) -> list[int]:
        by_unit = dict(zip(ranking.ids, map(int, ranking.verdicts), strict=True))
        return [by_unit[unit] for unit in self.units]

    def _reasons(
        self, rankings: Sequence[Ranking], pairs: Sequence[Move]
    ) -> tuple[Counter[str], Counter[str]]:
        """Return the rules that made verdicts worse, and those that had made worse what is better now.

        A rule is the reason of a verdict if its finding alone gives it.
        """
        rows = [{row.id: row for row in ranking.rows()} for ranking in rankings]
        worse: Counter[str] = Counter()
        better: Counter[str] = Counter()
        for unit, (old, new) in zip(self.units, pairs, strict=True):
            if old == new:
                continue
            side, verdict, counted = (1, new, worse) if new > old else (0, old, better)
            row, effects = rows[side][unit], self._effects[side]
            told = itertools.chain(
                ((rule, BROKEN_GIVES) for rule in row.broken), ((rule, UNKNOWN_GIVES) for rule in row.unknown)
            )
            counted.update({rule for rule, gives in told if gives[effects[rule]] == verdict})
        return worse, better

    def _change(
        self, applicant: str, rankings: Sequence[Ranking], before: Sequence[int], after: Sequence[int]
    ) -> Change:
        first, first_after = (
            tuple(sorted(unit for unit, rank in zip(r.ids, r.ranks, strict=True) if rank == 1))
            for r in rankings
        )
        return Change(
            day=self.facts.as_of,
            applicant=applicant,
            best=(min(before), min(after)),
            open=(sum(map(_is_open, before)), sum(map(_is_open, after))),
            first=((), ()) if first == first_after else (first, first_after),
        )

    def _count_groups(
        self, applicant: str, pairs: Sequence[Move], moves: Mapping[Move, int], tally: Tally
    ) -> None:
        facts = self.facts.applicant_facts(self.facts.applicants[applicant])
        for grouping in GROUPINGS:
            rows = tally.groups.setdefault(grouping.name, {})
            if grouping.of_people:
                found: Mapping[tuple[str, Move], int] = {(grouping.of(facts), m): n for m, n in moves.items()}
            else:
                found = Counter(zip(self._places[grouping.name], pairs, strict=True))
            whole: Counter[str] = Counter()
            for (group, move), number in found.items():
                cell = rows.setdefault(group, Row()).moves.setdefault(move, Cell())
                cell.add(self.number, number)
                whole[group] += number
            for group, number in whole.items():
                rows[group].all.add(self.number, number)


def _flags(change: Change) -> int:
    """Return what happened to an applicant."""
    (best, best_after), (number, number_after) = change.best, change.open
    return (
        Person.GAINS * (best_after < best or number_after > number)
        | Person.LOSES * (best_after > best or number_after < number)
        | Person.OTHER_FIRST * (change.first != ((), ()))
        | Person.NONE_BEFORE * (number == 0)
        | Person.NONE_AFTER * (number_after == 0)
        | Person.LOSES_LAST * (number > 0 and number_after == 0)
        | Person.GETS_FIRST * (number == 0 and number_after > 0)
    )


# ----------------------------------------------------------------------------------------- checkpoints

_KIND = "allocator simulation checkpoint 1"


def checkpoint(tally: Tally, inputs: Mapping[str, Hashable]) -> bytes:
    """Return a tally as it is written down, with the hashes of what it was counted from."""
    content = {
        "best": tally.best,
        "changes": [[c.day.isoformat(), c.applicant, c.best, c.open, c.first] for c in tally.changes],
        "day": tally.day,
        "applicant": tally.applicant,
        "groups": {
            name: {
                group: [_cell(row.all), [[*m, *_cell(cell)] for m, cell in sorted(row.moves.items())]]
                for group, row in rows.items()
            }
            for name, rows in tally.groups.items()
        },
        "moves": [[*move, number] for move, number in sorted(tally.moves.items())],
        "people": tally.people,
        "rules": {rule: [_cell(cell) for cell in cells] for rule, cells in tally.rules.items()},
        "unit_changes": [[c.day.isoformat(), c.unit, c.best] for c in tally.unit_changes],
        "units": tally.units,
    }
    written = {"inputs": inputs, "kind": _KIND, "tally": content, "sha256": _digest(content)}
    return (json.dumps(written, sort_keys=True, ensure_ascii=False) + "\n").encode()


def resume(data: bytes, inputs: Mapping[str, Hashable]) -> Tally:
    """Return the tally of a checkpoint.

    Raises:
        SimulationError: It is no whole checkpoint, or one of other inputs; says which.
    """
    try:
        written = json.loads(data)
        whole = written["kind"] == _KIND and written["sha256"] == _digest(written["tally"])
        theirs = dict(written["inputs"])
    except (ValueError, KeyError, TypeError, RecursionError):
        whole, theirs = False, {}
    if not whole:
        _refuse("a whole checkpoint of a simulation, of this version")
    ours = json.loads(json.dumps(inputs))
    if others := [name for name in ours if theirs.get(name) != ours[name]]:
        _refuse(f"a checkpoint of this simulation; it was counted with other: {', '.join(others)}")
    try:
        return _tally(written["tally"])
    except (ValueError, KeyError, TypeError, IndexError):
        _refuse("a whole checkpoint of a simulation, of this version")


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _cell(cell: Cell) -> list[Any]:
    return [cell.count, [[day, number] for day, number in sorted(cell.people.items())]]


def _read_cell(count: int, people: Iterable[tuple[int, int]]) -> Cell:
    return Cell(count, Counter(dict(people)))


def _tally(content: Mapping[str, Any]) -> Tally:
    return Tally(
        day=content["day"],
        applicant=content["applicant"],
        best=content["best"],
        moves=Counter({(old, new): number for old, new, number in content["moves"]}),
        people=content["people"],
        units=content["units"],
        changes=[
            Change(
                date.fromisoformat(day),
                applicant,
                (best[0], best[1]),
                (number[0], number[1]),
                (tuple(first[0]), tuple(first[1])),
            )
            for day, applicant, best, number, first in content["changes"]
        ],
        unit_changes=[
            UnitChange(date.fromisoformat(day), unit, (best[0], best[1]))
            for day, unit, best in content["unit_changes"]
        ],
        rules={rule: (_read_cell(*w), _read_cell(*b)) for rule, (w, b) in content["rules"].items()},
        groups={
            name: {
                group: Row(_read_cell(*whole), {(old, new): _read_cell(*cell) for old, new, *cell in moves})
                for group, (whole, moves) in rows.items()
            }
            for name, rows in content["groups"].items()
        },
    )
