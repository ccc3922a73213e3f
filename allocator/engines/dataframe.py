"""Rules as a dataframe plan: for whole municipalities on any dataframe engine that narwhals speaks to.

A :class:`Plan` is made once for the rules of a policy. It reads :class:`Frames`, a snapshot laid out in
tables, and gives one row for each applicant and unit: of each rule, for how many persons it is broken and
for how many unknown. Nothing here knows what any rule says; an expression that cannot be compiled is
refused when the plan is made.

Every value is a whole number beside a column that says whether it is known, and every truth is two columns
without gaps: *sure* (definitely true) and *maybe* (not definitely false). Unknown is *maybe* but not *sure*.
So no answer depends on what an engine makes of null.

An expression is worked out in the smallest table that has all it reads: what is about the applicant alone
once for each applicant, what is about the unit once for each unit. Only what comes of it goes into the table
of pairs. Members of a range have rows of their own, once for each living group where no fact of the unit is
read, and are counted. An expression with a count in it belongs to a later *stage* of its table.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Any as Anything

import narwhals as nw

from allocator.engines import EngineError
from allocator.facts import (
    LIST_KNOWN_BY,
    VOCABULARY,
    CaseFacts,
    Facts,
    Item,
    Kind,
    Missing,
    Place,
    Range,
    fact_type,
    read_facts,
)
from allocator.model import Applicant
from allocator.policy import BoundRule
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Ref, Test, Truth, paths

Frame = nw.LazyFrame[Anything]
Columns = dict[str, list[int] | list[bool]]
Make = Callable[[Columns], Frame]
"""Makes a table of an engine from columns of whole numbers and truths."""

APPLICANT, GROUP, UNIT, ENTRY, PERSON = "a", "g", "u", "entry", "person"
"""Columns of numbers that stand for ids; ids never enter a table."""

PANDAS = "pandas"


def maker(backend: str = PANDAS, lazy: str | None = None) -> Make:
    """Return what makes tables of an engine.

    Args:
        backend: An engine that holds tables: ``pandas``, ``pyarrow``, ``polars``.
        lazy: An engine that only plans them: ``dask``, ``duckdb``. By default *backend* itself.
    """

    def make(columns: Columns) -> Frame:
        schema = {name: nw.Boolean() if _holds_truths(name) else nw.Int64() for name in columns}
        frame = nw.from_dict(columns, schema, backend=backend)  # type: ignore[arg-type]
        return frame.lazy(lazy)  # type: ignore[arg-type]

    return make


def _column(path: str) -> str:
    """Return the column of a fact: a plain name, since some engines read a dot as nesting."""
    return path.replace(".", "__").replace(":", "___").replace("-", "_")


_KNOWN = "__known"


def _known(path: str) -> str:
    return f"{_column(path)}{_KNOWN}"


def _holds_truths(column: str) -> bool:
    return column.endswith(_KNOWN)


# ------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True, order=True)
class _Table:
    """What one row of a table is about.

    Attributes:
        who: An applicant.
        place: 1 for a living group, 2 for a unit in it, 0 for neither.
        member: A member of this range; without applicant and place just the member's own facts.
        stage: How many counts, one inside another, are in what it holds.
    """

    who: bool = False
    place: int = 0
    member: Range | None = None
    stage: int = 0

    @property
    def keys(self) -> list[str]:
        """The columns that tell its rows apart."""
        named = ((self.who, APPLICANT), (self.place, GROUP), (self.place == _IN_UNIT, UNIT))
        return [name for there, name in named if there] + ([ENTRY] if self.member else [])

    @property
    def linked(self) -> bool:
        """Whether a row is a member beside an applicant, and so says which person it is about."""
        return self.member is not None and self.who

    def __or__(self, other: _Table) -> _Table:
        """Return the smallest table that has what both have."""
        return _Table(
            self.who or other.who,
            max(self.place, other.place),
            self.member or other.member,
            max(self.stage, other.stage),
        )

    def has(self, other: _Table) -> bool:
        """Return whether each of its rows lies in one row of *other*."""
        return self | other == self and other.member in (None, self.member)

    def made(self) -> _Table:
        """Return the smallest table there is that has at least this."""
        if self.member is None:
            return replace(self, who=self.who or not self.place or self.stage > 0)
        if not (self.who or self.place or self.stage):
            return self
        return replace(self, who=True, place=max(self.place, 2 if self.member is Range.VETO else 1))

    @property
    def parents(self) -> tuple[_Table, ...]:
        """The tables whose columns can be carried into it."""
        if self.stage:
            before = replace(self, stage=self.stage - 1)
            cell, pair = replace(_CELL, stage=self.stage), replace(_PAIR, stage=self.stage)
            narrow = replace(self, place=1)
            return (
                before,
                *((cell,) if self not in (cell, pair) or self == pair else ()),
                *((pair,) if self.linked and self.place == _IN_UNIT else ()),
                *((narrow,) if self.linked and self.place == _IN_UNIT and not self.only_wide else ()),
            )
        match self:
            case _Table(who=False, place=2):
                return (_GROUPS,)
            case _Table(member=None, who=True, place=1):
                return (_APPLICANTS, _GROUPS)
            case _Table(member=None, who=True, place=2):
                return (_CELL, _UNITS)
            case _Table(member=member, who=True, place=place) if member is not None and place:
                if place == 1:
                    return (_CELL, _Table(member=member))
                return (_PAIR, _Table(member=member) if self.only_wide else replace(self, place=1))
        return ()

    @property
    def only_wide(self) -> bool:
        """Whether the range's members differ from unit to unit in one living group."""
        return self.member is Range.VETO


_IN_UNIT = 2
_APPLICANTS = _Table(who=True)
_GROUPS = _Table(place=1)
_UNITS = _Table(place=_IN_UNIT)
_CELL = _Table(who=True, place=1)
_PAIR = _Table(who=True, place=_IN_UNIT)

_SUBJECTS: Mapping[str, _Table] = {
    "case": _APPLICANTS,
    "applicant": _APPLICANTS,
    "choice": _CELL,
    "group": _GROUPS,
    "scheme": _GROUPS,
    "unit": _UNITS,
    **{over.value: _Table(member=over) for over in Range if over is not Range.UNIT},
}
"""In which table the facts about a subject are."""


@dataclass(frozen=True)
class Frames:
    """Snapshots laid out in tables, read once for all policies.

    Attributes:
        make: What makes further tables of the same engine.
        applicants: Ids by number.
        units: Ids by number.
        most: The largest number of members that one applicant meets in one place, by range.
        single: Ranges in which no person has two entries in one place.
    """

    make: Make
    raw: Mapping[_Table, Frame]
    applicants: tuple[str, ...]
    units: tuple[str, ...]
    most: Mapping[Range, int]
    single: frozenset[Range]

    @classmethod
    def of(
        cls,
        facts: CaseFacts,
        reads: Iterable[str],
        make: Make | None = None,
        wanted: Callable[[Place], bool] = lambda _place: True,
    ) -> Frames:
        """Lay out a snapshot.

        Args:
            facts: The snapshot.
            reads: The facts to lay out, those that the plans read.
            make: What makes tables; by default of pandas.
            wanted: Which units to look at.
        """
        return _Layout(facts, frozenset(reads), make or maker(), wanted).frames()


class _Layout:
    """Reads a snapshot into tables."""

    def __init__(
        self, facts: CaseFacts, reads: frozenset[str], make: Make, wanted: Callable[[Place], bool]
    ) -> None:
        self._facts = facts
        self._make = make
        self._places = [place for _, place in sorted(facts.places.items()) if wanted(place)]
        self._applicants = [applicant for _, applicant in sorted(facts.applicants.items())]
        self._reads: dict[_Table, list[str]] = {}
        for path in sorted(reads):
            self._reads.setdefault(_SUBJECTS[fact_type(path).subject], []).append(path)
        # one place stands for its living group: nothing about the group differs between its units
        self._groups: dict[str, tuple[int, Place]] = {}
        for place in self._places:
            self._groups.setdefault(place.group.id, (len(self._groups), place))
        self._most: dict[Range, int] = {}
        self._single = set(Range)

    def frames(self) -> Frames:
        raw = {
            _APPLICANTS: self._table(_APPLICANTS, self._of_applicants()),
            _GROUPS: self._table(_GROUPS, self._of_groups()),
            _UNITS: self._table(_UNITS, self._of_units()),
            _CELL: self._table(_CELL, self._of_cells()),
        }
        for over in Range:
            if over is not Range.UNIT:
                raw.update(self._of_members(over))
        applicants = tuple(applicant.id for applicant in self._applicants)
        units = tuple(place.unit.id for place in self._places)
        return Frames(self._make, raw, applicants, units, self._most, frozenset(self._single))

    def _table(self, table: _Table, rows: Iterable[tuple[tuple[int, ...], Facts]]) -> Frame:
        listed = list(rows)
        columns: Columns = {
            key: [numbers[place] for numbers, _ in listed] for place, key in enumerate(table.keys)
        }
        for path in self._reads.get(table, ()):
            readings = [facts.get(path, Missing.NOT_RECORDED) for _, facts in listed]
            columns[_column(path)] = [_number(path, reading) for reading in readings]
            columns[_known(path)] = [not isinstance(reading, Missing) for reading in readings]
        return self._make(columns)

    def _of_applicants(self) -> Iterator[tuple[tuple[int, ...], Facts]]:
        case = read_facts("case", None, self._facts.as_of)
        for number, applicant in enumerate(self._applicants):
            yield (number,), {**case, **self._facts.applicant_facts(applicant)}

    def _of_groups(self) -> Iterator[tuple[tuple[int, ...], Facts]]:
        for number, place in self._groups.values():
            yield (number,), self._facts.place_facts(place)

    def _of_units(self) -> Iterator[tuple[tuple[int, ...], Facts]]:
        for number, place in enumerate(self._places):
            yield (self._groups[place.group.id][0], number), self._facts.place_facts(place)

    def _of_cells(self) -> Iterator[tuple[tuple[int, ...], Facts]]:
        for number, applicant in enumerate(self._applicants):
            said: dict[str, Facts] = {}
            for group, place in self._groups.values():
                scheme = place.scheme.id
                if scheme not in said:
                    said[scheme] = self._facts.choice_facts(applicant, scheme)
                yield (number, group), said[scheme]

    def _of_members(self, over: Range) -> Mapping[_Table, Frame]:
        """Return a range's members, each once, and which applicant meets which of them where."""
        entries: dict[int, tuple[int, Item]] = {}
        persons: dict[tuple[str, ...], int] = {}
        link = _Table(who=True, member=over).made()
        columns: dict[str, list[int]] = {key: [] for key in (*link.keys, PERSON)}
        self._most[over] = 0
        for where, items in self._meetings(over):
            self._most[over] = max(self._most[over], len(items))
            if len({item.about for item in items}) < len(items):
                self._single.discard(over)
            for item in items:
                entry, _ = entries.setdefault(id(item), (len(entries), item))
                person = persons.setdefault(item.about, len(persons))
                for column, number in zip(columns.values(), (*where, entry, person), strict=True):
                    column.append(number)
        listed = (((number,), item.facts) for number, item in entries.values())
        own = _Table(member=over)
        return {own: self._table(own, listed), link: self._make({**columns})}

    def _meetings(self, over: Range) -> Iterator[tuple[tuple[int, ...], tuple[Item, ...]]]:
        facts = self._facts
        in_group: Mapping[Range, Callable[[Applicant, Place], tuple[Item, ...]]] = {
            Range.RESIDENT: lambda applicant, place: facts.residents(applicant, place.group),
            Range.CONFLICT: facts.conflicts,
            Range.ORDER: facts.orders,
        }
        for number, applicant in enumerate(self._applicants):
            if over is Range.VETO:
                for unit, place in enumerate(self._places):
                    group, _ = self._groups[place.group.id]
                    yield (number, group, unit), facts.vetoes(applicant, place)
            else:
                for group, place in self._groups.values():
                    yield (number, group), in_group[over](applicant, place)


def _number(path: str, value: object) -> int:
    """Return a value as a whole number: a day by its count, a code by its place in the list."""
    if isinstance(value, Missing):
        return 0
    fact = fact_type(path)
    match fact.kind:
        case Kind.BOOL | Kind.CODES if isinstance(value, bool):
            return int(value)
        case Kind.INT if type(value) is int and abs(value) < 2**31:
            return value
        case Kind.DATE if isinstance(value, date):
            return value.toordinal()
        case Kind.CODE if isinstance(value, str) and value in _numbers(path):
            return _numbers(path)[value]
    raise EngineError(f"`{path}` has a {type(value).__name__} that does not fit its kind")


_CODE_NUMBERS: Mapping[str, Mapping[str, int]] = {
    fact.path: {code.value: number for number, code in enumerate(fact.codes)}
    for fact in VOCABULARY.values()
    if fact.codes is not None
}


def _numbers(path: str) -> Mapping[str, int]:
    return _CODE_NUMBERS[path.partition(":")[0]]


# ---------------------------------------------------------------------------------------- compiling


@dataclass(frozen=True)
class _Planes:
    """A three-valued truth as two columns without gaps."""

    sure: nw.Expr
    maybe: nw.Expr


@dataclass(frozen=True)
class _Counted:
    """Columns of a table of members that are added up for the table of a living group or a unit.

    Attributes:
        entries: Added up over entries.
        persons: Added up over persons: a person counts if any entry about them does.
        limits: Counts whose limit goes by the number of entries.
    """

    members: str
    people: str
    entries: dict[str, None]
    persons: dict[str, None]
    limits: dict[str, AtLeast]


_COMPARED: Mapping[Op, Callable[[nw.Expr, nw.Expr], nw.Expr]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}


class Plan:
    """The rules of one policy as a dataframe plan.

    Args:
        rules: The rules that are on.

    Raises:
        EngineError: A rule cannot be compiled.
    """

    def __init__(self, rules: Iterable[BoundRule]) -> None:
        self.rules = tuple(rules)
        self._names: dict[tuple[_Table, Range, Expr], str] = {}
        self._where: dict[str, _Table] = {}
        self._made: dict[_Table, dict[str, nw.Expr]] = {}
        self._carried: dict[_Table, dict[str, _Table]] = {}
        self._given: dict[_Table, dict[str, None]] = {}
        self._counted: dict[_Table, dict[_Table, _Counted]] = {}
        self._outputs: dict[str, nw.Expr] = {}
        self._finals: dict[str, None] = {}
        for bound in self.rules:
            self._compile(bound)
        self._final = replace(_PAIR, stage=max((self._where[name].stage for name in self._finals), default=0))
        for name in self._finals:
            self._give(self._final, name)

    @property
    def reads(self) -> frozenset[str]:
        """The facts that must be laid out."""
        exprs = (e for b in self.rules for e in (b.broken_when, b.remark_when) if e is not None)
        read = {path for expr in exprs for path in paths(expr)}
        return frozenset(read | set(LIST_KNOWN_BY.values()))

    def outcomes(self, frames: Frames) -> Frame:
        """Return one row for each applicant and unit.

        The columns are those that :func:`broken`, :func:`unknown`, :func:`remark`, :func:`persons` and
        :func:`unlisted` name.
        """
        pairs = _Run(self, frames).table(self._final)
        return pairs.select(
            nw.col(APPLICANT), nw.col(UNIT), *(expr.alias(name) for name, expr in self._outputs.items())
        )

    # what a rule comes to

    def _compile(self, bound: BoundRule) -> None:
        over = bound.rule.about
        if over is Range.UNIT:
            name = self._worked_out(bound.broken_when, over)
            sure, maybe = nw.col(self._finally(_sure(name))), nw.col(self._finally(_maybe(name)))
            self._outputs[broken(bound)] = sure.cast(nw.Int64)
            self._outputs[unknown(bound)] = (maybe & ~sure).cast(nw.Int64)
        else:
            self._compile_members(bound, over)
        if bound.remark_when is not None:
            name = self._worked_out(bound.remark_when, Range.UNIT)
            self._outputs[remark(bound)] = nw.col(self._finally(_sure(name)))

    def _compile_members(self, bound: BoundRule, over: Range) -> None:
        rows = self._members_of(bound.broken_when, over)
        target, counted = self._counting(rows)
        planes = self._planes(bound.broken_when, over, rows)
        name = f"rule_{_column(bound.id)}"
        for column, plane in ((_sure(name), planes.sure), (_maybe(name), planes.maybe)):
            self._add(rows, column, plane.cast(nw.Int64))
            self._give(rows, column)
            counted.persons[column] = None
            self._where[_total(column)] = target
        sure, maybe = (nw.col(self._finally(_total(c))) for c in (_sure(name), _maybe(name)))
        self._outputs[broken(bound)] = sure
        self._outputs[unknown(bound)] = maybe - sure
        self._outputs.setdefault(persons(over), nw.col(self._finally(counted.people)))
        if over in LIST_KNOWN_BY:
            known = nw.col(self._finally(self._fact(_known(LIST_KNOWN_BY[over]), LIST_KNOWN_BY[over])))
            self._outputs.setdefault(unlisted(over), (~known).cast(nw.Int64))

    def _finally(self, column: str) -> str:
        self._finals[column] = None
        return column

    # where an expression is worked out

    def _home(self, expr: Expr, over: Range) -> _Table:
        """Return the smallest table that has all that *expr* reads."""
        home = _Table()
        match expr:
            case Test(path, _, Ref(other)):
                home = self._subject(path, over) | self._subject(other, over)
            case Test(path):
                home = self._subject(path, over)
            case All(parts) | Any(parts):
                home = reduce(operator.or_, (self._home(part, over) for part in parts), home)
            case Not(part):
                home = self._home(part, over)
            case AtLeast():
                home = _after(self._members_of(expr.where, expr.over))
            case Truth():
                pass
            case _:
                raise EngineError(f"not a core expression: {type(expr).__name__}")
        return home.made()

    @staticmethod
    def _subject(path: str, over: Range) -> _Table:
        table = _SUBJECTS[fact_type(path).subject]
        if table.member not in (None, over):
            raise EngineError(f"`{path}` cannot be read beside a member of `{over}`")
        return table

    def _members_of(self, expr: Expr, over: Range) -> _Table:
        """Return the table of members in which *expr* is worked out, beside each applicant."""
        return (self._home(expr, over) | _Table(who=True, member=over)).made()

    def _counting(self, rows: _Table) -> tuple[_Table, _Counted]:
        """Return the table that counts of *rows* go into, and what is counted so far."""
        target = _after(rows)
        counts = self._counted.setdefault(target, {})
        if rows not in counts:
            suffix = f"{rows.member}_{rows.place}_{rows.stage}"
            counts[rows] = _Counted(f"members_{suffix}", f"people_{suffix}", {}, {}, {})
            self._where |= {counts[rows].members: target, counts[rows].people: target}
        return target, counts[rows]

    def _worked_out(self, expr: Expr, over: Range) -> str:
        """Have *expr* as columns of its smallest table, and return their name."""
        home = self._home(expr, over)
        key = (home, over, expr)
        if key not in self._names:
            name = self._names[key] = f"x{len(self._names)}"
            planes = self._planes(expr, over, home)
            self._add(home, _sure(name), planes.sure)
            self._add(home, _maybe(name), planes.maybe)
        return self._names[key]

    def _add(self, table: _Table, column: str, expr: nw.Expr) -> None:
        self._where[column] = table
        self._made.setdefault(table, {})[column] = expr

    def _give(self, table: _Table, column: str) -> str:
        """Have *column* in a table, carried there from where it is worked out."""
        self._given.setdefault(table, {})[column] = None
        home = self._where[column]
        carried = self._carried.setdefault(table, {})
        if home != table and column not in carried:
            carried[column] = next(parent for parent in table.parents if parent.has(home))
            self._give(carried[column], column)
        return column

    def _fact(self, column: str, path: str) -> str:
        self._where.setdefault(column, _SUBJECTS[fact_type(path).subject])
        return column

    # what an expression comes to in a table

    def _planes(self, expr: Expr, over: Range, at: _Table) -> _Planes:
        if isinstance(expr, Truth):
            return _Planes(nw.lit(expr.value), nw.lit(expr.value))
        home = self._home(expr, over)
        if home != at:
            name = self._worked_out(expr, over)
            return _Planes(nw.col(self._give(at, _sure(name))), nw.col(self._give(at, _maybe(name))))
        match expr:
            case Not(part):
                inner = self._planes(part, over, at)
                return _Planes(~inner.maybe, ~inner.sure)
            case All(parts) | Any(parts):
                planes = [self._planes(part, over, at) for part in self._together(type(expr), parts, over)]
                joined = operator.and_ if isinstance(expr, All) else operator.or_
                return _Planes(
                    reduce(joined, (p.sure for p in planes)), reduce(joined, (p.maybe for p in planes))
                )
            case Test():
                return self._compare(expr, at)
            case AtLeast():
                return self._reached(expr, at)
        raise EngineError(f"not a core expression: {type(expr).__name__}")

    def _together(self, kind: type[All | Any], parts: Sequence[Expr], over: Range) -> list[Expr]:
        """Return *parts* with those of one table made one, so that only what comes of them is carried."""
        by_home: dict[_Table, list[Expr]] = {}
        for part in parts:
            by_home.setdefault(self._home(part, over), []).append(part)
        if len(by_home) == 1:
            return list(parts)
        return [kind(tuple(some)) if len(some) > 1 else some[0] for some in by_home.values()]

    def _compare(self, test: Test, at: _Table) -> _Planes:
        fact = fact_type(test.path)
        if test.op not in (Op.EQ, Op.NE) and fact.kind not in (Kind.INT, Kind.DATE):
            raise EngineError(f"`{test.path}` has no order")
        left, known = self._value(test.path, at)
        if isinstance(test.right, Ref):
            other = fact_type(test.right.path)
            if (other.kind, other.codes) != (fact.kind, fact.codes):
                raise EngineError(f"`{test.path}` and `{test.right.path}` are not of one kind")
            right, other_known = self._value(test.right.path, at)
            assert isinstance(test.right.plus, int)
            right, known = right + test.right.plus, known & other_known
        else:
            right = nw.lit(_number(test.path, test.right))
        holds = _COMPARED[test.op](left, right)
        return _Planes(known & holds, ~known | holds)

    def _value(self, path: str, at: _Table) -> tuple[nw.Expr, nw.Expr]:
        columns = (self._give(at, self._fact(column, path)) for column in (_column(path), _known(path)))
        value, known = (nw.col(column) for column in columns)
        return value, known

    def _reached(self, expr: AtLeast, at: _Table) -> _Planes:
        rows = self._members_of(expr.where, expr.over)
        target, counted = self._counting(rows)
        assert target == at
        name = f"count{len(self._where)}"
        planes = self._planes(expr.where, expr.over, rows)
        for column, plane in ((_sure(name), planes.sure), (_maybe(name), planes.maybe)):
            self._add(rows, column, plane.cast(nw.Int64))
            self._give(rows, column)
            counted.entries[column] = None
            self._where[_total(column)] = target
        limit = nw.lit(expr.needed(0))
        if expr.percent is not None:
            counted.limits[f"{name}_limit"] = expr
            limit = nw.col(f"{name}_limit")
        too_few = nw.col(_total(_maybe(name))) < limit
        if expr.over in LIST_KNOWN_BY:
            whole = LIST_KNOWN_BY[expr.over]
            too_few &= nw.col(self._give(at, self._fact(_known(whole), whole)))
        return _Planes(nw.col(_total(_sure(name))) >= limit, ~too_few)


def _after(rows: _Table) -> _Table:
    return _Table(who=True, place=rows.place, stage=rows.stage + 1)


def _sure(name: str) -> str:
    return f"{name}_sure"


def _maybe(name: str) -> str:
    return f"{name}_maybe"


def _total(column: str) -> str:
    return f"{column}_total"


def broken(bound: BoundRule) -> str:
    """Return the column that says for how many persons (or for the unit) a rule is broken."""
    return f"broken__{_column(bound.id)}"


def unknown(bound: BoundRule) -> str:
    """Return the column that says for how many persons (or for the unit) a rule is unknown."""
    return f"unknown__{_column(bound.id)}"


def remark(bound: BoundRule) -> str:
    """Return the column that says whether a rule's remark applies."""
    return f"remark__{_column(bound.id)}"


def persons(over: Range) -> str:
    """Return the column that says how many persons a range is about."""
    return f"persons__{over}"


def unlisted(over: Range) -> str:
    """Return the column that is 1 where nobody knows whether the list of a range is whole, else 0."""
    return f"unlisted__{over}"


# ------------------------------------------------------------------------------------------ running


class _Run:
    """Puts the tables of a plan together."""

    def __init__(self, plan: Plan, frames: Frames) -> None:
        self._plan = plan
        self._frames = frames
        self._tables: dict[_Table, Frame] = {}

    def table(self, table: _Table) -> Frame:
        """Return a table with its keys and all columns that it is to give."""
        if table not in self._tables:
            frame = self._rows(table)
            for members, counted in self._plan._counted.get(table, {}).items():  # noqa: SLF001
                frame = self._with_counts(frame, table, members, counted)
            made = self._plan._made.get(table, {})  # noqa: SLF001
            if made:
                frame = frame.with_columns(*(expr.alias(name) for name, expr in made.items()))
            self._tables[table] = frame.select(*_identity(table), *self._plan._given.get(table, ()))  # noqa: SLF001
        return self._tables[table]

    def _rows(self, table: _Table) -> Frame:
        carried: dict[_Table, list[str]] = {}
        for column, parent in self._plan._carried.get(table, {}).items():  # noqa: SLF001
            carried.setdefault(parent, []).append(column)
        if table in self._frames.raw:
            frame = self._frames.raw[table]
        else:
            before, *others = table.parents
            frame = self._part(before, carried.pop(before, []), _identity(before))
            if table.stage == 0:
                beside = others[0]
                shared = [key for key in beside.keys if key in before.keys]
                part = self._part(beside, carried.pop(beside, []), _identity(beside))
                frame = frame.join(part, on=shared, how="inner")
        for parent, columns in carried.items():
            frame = frame.join(self._part(parent, columns, parent.keys), on=parent.keys, how="inner")
        return frame

    def _part(self, table: _Table, columns: list[str], keys: list[str]) -> Frame:
        return self.table(table).select(*keys, *columns)

    def _with_counts(self, frame: Frame, table: _Table, members: _Table, counted: _Counted) -> Frame:
        keys, rows = table.keys, self.table(members)
        by_person = rows
        if counted.persons and members.member not in self._frames.single:
            most = (nw.col(column).max() for column in counted.persons)
            by_person = rows.group_by(*keys, PERSON).agg(*most)
        entries = rows.group_by(*keys).agg(
            nw.len().alias(counted.members), *(nw.col(c).sum().alias(_total(c)) for c in counted.entries)
        )
        frame = _filled(frame, entries, keys, [counted.members, *map(_total, counted.entries)])
        if counted.persons:
            people = by_person.group_by(*keys).agg(
                nw.len().alias(counted.people), *(nw.col(c).sum().alias(_total(c)) for c in counted.persons)
            )
            frame = _filled(frame, people, keys, [counted.people, *map(_total, counted.persons)])
        if counted.limits:
            assert members.member is not None
            numbers = range(self._frames.most[members.member] + 1)
            limits: Columns = {counted.members: list(numbers)}
            limits |= {name: [expr.needed(n) for n in numbers] for name, expr in counted.limits.items()}
            frame = frame.join(self._frames.make(limits), on=counted.members, how="inner")
        return frame


def _identity(table: _Table) -> list[str]:
    return [*table.keys, PERSON] if table.linked else table.keys


def _filled(frame: Frame, counts: Frame, keys: list[str], columns: list[str]) -> Frame:
    """Return *frame* with counts beside it, 0 where there is nothing to count."""
    beside = frame.join(counts, on=keys, how="left")
    return beside.with_columns(*(nw.col(column).fill_null(0).cast(nw.Int64) for column in columns))
