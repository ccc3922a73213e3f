"""The columnar engine: every unit for an applicant at once, or every applicant for a unit.

A snapshot is laid out in columns, once. What is ranked - units, or applicants - are the *lanes*; the
residents of the lanes' living groups are the *members*. The truth of an expression is two *planes*: whole
numbers whose bits say for which lanes (or members) it is certainly true, and for which certainly false; a
bit set in neither is unknown. *And*, *or* and *not* are then single operations on whole numbers of any
length, so that neither the number of lanes nor the size of a living group has a limit.

Rules are compiled to functions on planes, with no rule known by name. One side of a question is fixed (the
applicant, or the unit): what reads only that side is a constant, and what reads only the columns is worked
out once and kept until a fact in it changes.

Members lie slot by slot: first the first resident of every lane, then the second, and so on. Lanes are
listed by falling number of members, so that a slot holds the first so many lanes and nothing is padded but
to whole bytes.

Source of the idea and of the figures: bit planes of three-valued logic, ``docs/decisions/0008-columnar.md``.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING
from typing import Any as Any_

import numpy as np

from allocator import __version__
from allocator.engines import EngineError, Judgement, Outcome
from allocator.engines.reference import compare, shifted
from allocator.facts import (
    COMMON_SUBJECTS,
    LIST_KNOWN_BY,
    SUBJECT_FACTS,
    VOCABULARY,
    Candidate,
    CaseFacts,
    Choice,
    Facts,
    Item,
    Missing,
    Place,
    Range,
    Reading,
    Value,
)
from allocator.model import Applicant
from allocator.policy import BoundRule
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Param, Ref, Test, Truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

Planes = tuple[int, int]
"""For which lanes or members something is certainly true, and for which certainly false."""

Three = bool | Planes | None
"""The truth of an expression: the same for all (true, false, or None for unknown), or planes."""

APPLICANT_SIDE = frozenset({"applicant"})
UNIT_SIDE = frozenset({"unit", "group", "scheme"})
SPARSE = (Range.CONFLICT, Range.ORDER, Range.VETO)
"""Ranges that are empty for nearly every lane; their items are judged one by one."""

_NUMBER_OF = {
    code: number
    for number, code in enumerate(
        sorted({code.value for fact in VOCABULARY.values() for code in fact.codes or ()})
    )
}
"""Codes as numbers, for columns; they are compared for being equal only."""

_OPERATORS: Mapping[Op, Callable[[Any_, Any_], NDArray[np.bool_]]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}

_KEPT_TESTS = 512
"""Planes kept of comparisons with a value from the fixed side."""


def _number(value: Value) -> int:
    """Return a value as a column holds it."""
    if isinstance(value, str):
        return _NUMBER_OF[value]
    return value.toordinal() if isinstance(value, date) else int(value)


def pack(bits: NDArray[np.bool_]) -> int:
    """Return a plane from one truth value for each lane or member."""
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def unpack(planes: Sequence[int], width: int) -> NDArray[np.uint8]:
    """Return planes as rows of zeros and ones."""
    return unpack_rows(packed(planes, width), width)


def unpack_rows(rows: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Return packed rows as rows of zeros and ones."""
    return np.unpackbits(rows, axis=1, bitorder="little", count=width)


def unpack_at(planes: Sequence[int], width: int, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return some columns of planes as rows of zeros and ones."""
    if len(columns) * 8 > width:
        return unpack(planes, width).take(columns, axis=1)
    shifts = (columns & 7).astype(np.uint8)
    return packed(planes, width).take(columns >> 3, axis=1) >> shifts & np.uint8(1)


def packed(planes: Sequence[int], width: int) -> NDArray[np.uint8]:
    """Return planes as packed rows."""
    size = (width + 7) // 8
    rows = b"".join([plane.to_bytes(size, "little") for plane in planes])
    return np.frombuffer(rows, np.uint8).reshape(len(planes), size)


def count(planes: Iterable[int]) -> list[int]:
    """Return how many of *planes* have each bit set: the digits of the numbers, lowest first, as planes."""
    digits: list[int] = []
    for plane in planes:
        carry = plane
        for place, digit in enumerate(digits):
            if not carry:
                break
            digits[place] = digit ^ carry
            carry &= digit
        if carry:
            digits.append(carry)
    return digits


def reaching(digits: Sequence[int], limit: int, full: int) -> int:
    """Return the lanes whose number, given by its digits, is *limit* or more."""
    if limit <= 0:
        return full
    if limit >> len(digits):
        return 0
    above, level = 0, full
    for place in range(len(digits) - 1, -1, -1):
        with_digit = level & digits[place]
        if limit >> place & 1:
            level = with_digit
        else:
            above |= with_digit
            level ^= with_digit
    return above | level


# ------------------------------------------------------------------------------------------ laying out


@dataclass
class Column:
    """One fact of all lanes, or of all members."""

    values: NDArray[np.int64]
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, readings: Iterable[Reading], places: NDArray[np.int64], width: int) -> Column:
        """Return a column with the readings at the places given."""
        column = cls(np.zeros(width, np.int64), np.zeros(width, np.bool_))
        for place, reading in zip(places.tolist(), readings, strict=True):
            column.put(place, reading)
        return column

    def put(self, place: int, reading: Reading) -> None:
        """Write one fact."""
        known = not isinstance(reading, Missing)
        self.known[place] = known
        self.values[place] = 0 if isinstance(reading, Missing) else _number(reading)


def listed(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return members in the order in which findings list them: by what is known, and only then by id."""
    return tuple(sorted(items, key=lambda item: (item.content, item.about)))


class Shape:
    """Where lanes and members lie.

    Args:
        sizes: How many members each lane has, from most to fewest.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.lanes = len(sizes)
        self.sizes = np.array(sizes, np.int64)
        self.full = (1 << self.lanes) - 1
        slots = sizes[0] if sizes else 0
        ascending = -self.sizes  # rising, for the search
        self.held = [int(np.searchsorted(ascending, -slot, side="left")) for slot in range(slots)]
        bytes_held = [(held + 7) // 8 for held in self.held]
        self.starts = [0, *np.cumsum(bytes_held).tolist()]
        self.width = self.starts[-1] * 8
        valid = np.zeros(self.width, np.bool_)
        self.lane_of = np.zeros(self.width, np.int64)
        for slot, held in enumerate(self.held):
            start = self.starts[slot] * 8
            valid[start : start + held] = True
            self.lane_of[start : start + held] = np.arange(held)
        self.valid = pack(valid)
        self.valid_bits = valid
        self._bytes = (self.lanes + 7) // 8
        self.of_size = {size: pack(self.sizes == size) for size in dict.fromkeys(sizes)}

    def place(self, lane: int, slot: int) -> int:
        """Return where the member of a lane in a slot lies."""
        return int(self.starts[slot]) * 8 + lane

    def slots(self, plane: int) -> list[int]:
        """Return a plane of members as one plane of lanes for each slot."""
        flat = plane.to_bytes(self.starts[-1], "little")
        return [
            int.from_bytes(flat[start:end], "little")
            for start, end in zip(self.starts, self.starts[1:], strict=False)
        ]

    def any(self, plane: int) -> int:
        """Return the lanes that have a member in the plane."""
        if not plane:
            return 0
        lanes = 0
        for slot in self.slots(plane):
            lanes |= slot
        return lanes

    def any_of(self, planes: Sequence[int]) -> NDArray[np.uint8]:
        """Return, for many planes at once, the lanes that have a member in it, as packed rows."""
        members = packed(planes, self.width)
        lanes = np.zeros((len(planes), self._bytes), np.uint8)
        for start, end in zip(self.starts, self.starts[1:], strict=False):
            lanes[:, : end - start] |= members[:, start:end]
        return lanes

    def spread(self, plane: int) -> int:
        """Return the members of the lanes in the plane."""
        if plane == self.full:
            return self.valid
        if not plane:
            return 0
        flat = plane.to_bytes(self._bytes, "little")
        sizes = (end - start for start, end in zip(self.starts, self.starts[1:], strict=False))
        return int.from_bytes(b"".join([flat[:size] for size in sizes]), "little") & self.valid


class Table:
    """One side of a case laid out in columns; the other side is fixed when asking.

    Args:
        plan: The compiled rules; it says which subjects are columns.
        lanes: Readings of each lane's own facts, by path.
        members: The members of each lane, those of one lane in the order of :func:`listed`.
    """

    def __init__(self, plan: Plan, lanes: Sequence[Facts], members: Sequence[Sequence[Item]]) -> None:
        self.plan = plan
        order = sorted(range(len(lanes)), key=lambda lane: (-len(members[lane]), lane))
        self.order = order
        """Lane -> its place in what was given."""
        self._lanes = [lanes[at] for at in order]
        self.members = [tuple(members[at]) for at in order]
        self.shape = Shape([len(items) for items in self.members])
        self.cache: list[object] = [_UNSET] * plan.cached
        self.kept: dict[tuple[int, Value], Planes] = {}
        self._columns: dict[str, Column] = {}
        self.made: dict[str, Any_] = {}
        """Room for what rankings have made of single findings."""
        self._member_places = np.array(
            [
                self.shape.place(lane, slot)
                for lane, items in enumerate(self.members)
                for slot in range(len(items))
            ],
            np.int64,
        )

    @cached_property
    def places_of(self) -> Mapping[tuple[str, ...], list[int]]:
        """Where the members about the same person lie."""
        found: dict[tuple[str, ...], list[int]] = {}
        for lane, items in enumerate(self.members):
            for slot, item in enumerate(items):
                found.setdefault(item.about, []).append(self.shape.place(lane, slot))
        return found

    @cached_property
    def about(self) -> Mapping[int, tuple[str, ...]]:
        """Whom the member at each place is about."""
        return {place: about for about, places in self.places_of.items() for place in places}

    def members_of(self, lanes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the members of lanes lie."""
        sizes = self.shape.sizes[lanes]
        most = int(sizes.max(initial=0))
        slots = [self.shape.starts[slot] * 8 + lanes[sizes > slot] for slot in range(most)]
        return np.concatenate(slots) if slots else np.zeros(0, np.int64)

    def column(self, path: str) -> Column:
        """Return a column, read when it is first needed."""
        column = self._columns.get(path)
        if column is None:
            if VOCABULARY[path.partition(":")[0]].subject == "resident":
                readings = (_reading(item.facts, path) for items in self.members for item in items)
                column = Column.of(readings, self._member_places, self.shape.width)
            else:
                places = np.arange(self.shape.lanes)
                column = Column.of((_reading(facts, path) for facts in self._lanes), places, self.shape.lanes)
            self._columns[path] = column
        return column

    def put_members(self, lane: int, items: Sequence[Item]) -> None:
        """Take over what is now known of the members of one lane, as many as before."""
        for slot, (old, new) in enumerate(zip(self.members[lane], items, strict=True)):
            self._put(self.shape.place(lane, slot), old.facts, new.facts)
        self.members[lane] = tuple(items)
        self.made.clear()
        for cached in ("places_of", "about"):
            self.__dict__.pop(cached, None)

    def _put(self, place: int, old: Facts, new: Facts) -> None:
        changed = {path for path, reading in new.items() if _reading(old, path) != reading}
        for path in changed & self._columns.keys():
            self._columns[path].put(place, new[path])
        for node in {node for path in changed for node in self.plan.readers.get(path, ())}:
            self.cache[node] = _UNSET
        if changed & self.plan.compared:
            self.kept.clear()


_UNSET = object()


# ------------------------------------------------------------------------------------------ compiling


@dataclass(frozen=True)
class Entry:
    """An item of a sparse range, and the lanes it belongs to."""

    item: Item
    lanes: int


@dataclass
class Asking:
    """One question to a table: what is fixed, and the sparse items.

    Attributes:
        table: The columns.
        constants: The truth of every test that reads the fixed side alone.
        facts: The facts of the fixed side.
        entries: Sparse items, by range.
        choices: What the applicant of each lane has said about its scheme, by path.
        kept: Planes worked out from the choices.
        settled: Room for what is worked out of rules that read no column, by rule.
        left_out: Members that do not count for this question: the applicant's own entry (E-10).
        item: The sparse item being judged.
    """

    table: Table
    constants: Sequence[bool | None]
    facts: Facts
    entries: Mapping[Range, Sequence[Entry]]
    choices: Mapping[str, Column]
    left_out: int = 0
    kept: dict[int, Planes] = field(default_factory=dict)
    settled: dict[int, object] = field(default_factory=dict)
    item: Facts = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.valid = self.table.shape.valid & ~self.left_out if self.left_out else self.table.shape.valid

    @classmethod
    def about(cls, table: Table, candidates: Sequence[Candidate], fixed: Facts | None = None) -> Asking:
        """Return a question in which each lane is a candidate of its own.

        Args:
            table: The lanes.
            candidates: The candidate of each lane.
            fixed: The facts that are the same in every lane and are no columns.
        """
        facts = fixed or {}
        entries = {
            over: [
                Entry(item, 1 << lane)
                for lane, candidate in enumerate(candidates)
                for item in candidate.items(over)
            ]
            for over in SPARSE
        }
        return cls(table, table.plan.constants(facts), facts, entries, choices={})

    def again(self) -> Asking:
        """Return the same question, to be asked beside this one."""
        return copy(self)

    def value(self, path: str) -> Value | None:
        """Return a fact of the item being judged, or of the fixed side; None if it is unknown."""
        reading = self.item.get(path)
        return _value(_reading(self.facts, path) if reading is None else reading)

    def each(self, over: Range, ask: Ask) -> list[tuple[Entry, Three]]:
        """Return what something comes to for each item of a sparse range."""
        outer = self.item
        judged = []
        for entry in self.entries.get(over, ()):
            self.item = entry.item.facts
            judged.append((entry, ask(self)))
        self.item = outer
        return judged

    def sizes(self) -> NDArray[np.int64]:
        """Return how many members each lane has."""
        shape = self.table.shape
        if not self.left_out:
            return shape.sizes
        out = unpack([self.left_out], shape.width)[0].astype(np.int64)
        return shape.sizes - np.bincount(shape.lane_of, out, shape.lanes).astype(np.int64)

    def of_size(self) -> Mapping[int, int]:
        """Return the lanes by how many members they have."""
        if not self.left_out:
            return self.table.shape.of_size
        sizes = self.sizes()
        return {size: pack(sizes == size) for size in dict.fromkeys(sizes.tolist())}


Ask = Callable[[Asking], Three]


@dataclass(frozen=True)
class _Node:
    """A compiled part of an expression.

    Attributes:
        ask: What it comes to.
        reads: The columns it reads.
        fixed: Whether it reads the fixed side.
        each: Whether it reads an item of a sparse range, so that it comes out anew for each.
        members: Whether its planes are of members.
        counts: Whether it counts members, so that it depends on who is left out.
        chosen: Whether it reads what the applicant of each lane has said.
    """

    ask: Ask
    reads: frozenset[str] = frozenset()
    fixed: bool = False
    each: bool = False
    members: bool = False
    counts: bool = False
    chosen: bool = False

    @property
    def constant(self) -> bool:
        """Whether it is the same in every lane."""
        return not (self.reads or self.counts or self.chosen)

    @property
    def steady(self) -> bool:
        """Whether it reads columns alone."""
        return bool(self.reads) and not self.fixed and not self.each


class Plan:
    """Rules compiled for columns of some subjects, once.

    Args:
        rules: The rules.
        columns: The subjects of the lanes' columns; of the other side everything is fixed when asking.

    Raises:
        EngineError: An expression that has no compiled form.
    """

    def __init__(self, rules: tuple[BoundRule, ...], columns: frozenset[str]) -> None:
        self.rules = rules
        self._subjects = columns
        self.cached = 0
        self.readers: dict[str, list[int]] = {}
        self.compared: set[str] = set()
        self.tests: list[Test] = []
        self._test_numbers: dict[Test, int] = {}
        self._steady_tests: dict[Expr, _Node] = {}
        self._numbers = itertools.count()
        self.broken: list[Ask] = []
        self.settled: list[bool] = []
        """For each rule, whether it reads no column: for one question its truth is a constant."""
        self.remarks: dict[str, Ask] = {}
        for bound in rules:
            node = self._node(bound.broken_when, bound.rule.about)
            if bound.rule.about is Range.RESIDENT and not node.members:
                node = self._spread(node)
            self.broken.append(self._kept(node).ask)
            self.settled.append(node.constant)
            if bound.remark_when is not None:
                self.remarks[bound.id] = self._kept(self._node(bound.remark_when, Range.UNIT)).ask

    def constants(self, facts: Facts) -> list[bool | None]:
        """Return the truth of every test that reads the fixed side alone."""
        found: list[bool | None] = []
        for test in self.tests:
            right = test.right
            other = shifted(_value(_reading(facts, right.path)), right) if isinstance(right, Ref) else right
            assert not isinstance(other, Param)
            found.append(compare(_value(_reading(facts, test.path)), test.op, other))
        return found

    # -- one form of expression each

    def _node(self, expr: Expr, over: Range) -> _Node:
        match expr:
            case Truth(value):
                return _Node(lambda _asking: value)
            case Not(part):
                return self._negated(self._node(part, over))
            case All(parts):
                return self._joined([self._node(part, over) for part in parts], truth=True)
            case Any(parts):
                return self._joined([self._node(part, over) for part in parts], truth=False)
            case Test():
                return self._test(expr)
            case AtLeast():
                return self._count(expr)
        raise EngineError(f"not a core expression: {type(expr).__name__}")

    def _negated(self, node: _Node) -> _Node:
        inner = node.ask

        def ask(asking: Asking) -> Three:
            truth = inner(asking)
            if truth is None:
                return None
            return (truth[1], truth[0]) if isinstance(truth, tuple) else not truth

        return replace(node, ask=ask)

    def _joined(self, nodes: list[_Node], *, truth: bool) -> _Node:
        """Return *and* of nodes, or *or* if not *truth*; what reads columns alone is joined first."""
        members = any(node.members for node in nodes)
        if members:
            nodes = [node if node.members or node.constant else self._spread(node) for node in nodes]
        steady = [node for node in nodes if node.steady]
        others = [node for node in nodes if not node.steady]
        if len(steady) > 1 and others:
            nodes = [*others, self._kept(self._joined(steady, truth=truth))]
        elif others:
            nodes = [*others, *map(self._kept, steady)]
        asks = tuple(node.ask for node in sorted(nodes, key=lambda node: bool(node.reads)))
        ask = _and(asks) if truth else _or(asks)
        return _Node(
            ask,
            frozenset().union(*(node.reads for node in nodes)),
            any(node.fixed for node in nodes),
            any(node.each for node in nodes),
            members,
            any(node.counts for node in nodes),
            any(node.chosen for node in nodes),
        )

    def _kept(self, node: _Node) -> _Node:
        """Return the node, working it out once if it reads columns alone."""
        if not node.steady:
            return node
        number = self.cached
        self.cached += 1
        for path in node.reads:
            self.readers.setdefault(path, []).append(number)
        inner, counts = node.ask, node.counts

        def ask(asking: Asking) -> Three:
            if counts and asking.left_out:
                return inner(asking)
            cache = asking.table.cache
            found = cache[number]
            if found is _UNSET:
                found = cache[number] = inner(asking)
            return found  # type: ignore[return-value]

        return _Node(ask, node.reads, members=node.members, counts=counts)

    def _spread(self, node: _Node) -> _Node:
        """Return a node about lanes as one about their members."""
        inner = node.ask

        def ask(asking: Asking) -> Three:
            truth = inner(asking)
            if not isinstance(truth, tuple):
                return truth
            spread = asking.table.shape.spread
            return spread(truth[0]), spread(truth[1])

        return self._kept(replace(node, ask=ask, members=True))

    # -- comparisons

    def _side(self, path: str) -> str:
        subject = path.partition(".")[0]
        if subject in self._subjects:
            return "lane"
        if subject in ("resident", "choice"):
            return subject
        return "item" if subject in SPARSE else "fixed"

    def _test(self, test: Test) -> _Node:
        paths = (test.path, test.right.path) if isinstance(test.right, Ref) else (test.path,)
        sides = {self._side(path) for path in paths}
        if sides == {"fixed"}:
            number = self._test_numbers.setdefault(test, len(self.tests))
            if number == len(self.tests):
                self.tests.append(test)
            return _Node(lambda asking: asking.constants[number], fixed=True)
        if sides <= {"fixed", "item"}:
            return _Node(lambda asking: _plain(test, asking), fixed=True, each=True)
        node = _Node(
            self._column_test(test, paths, sides),
            reads=frozenset(path for path in paths if self._side(path) in ("lane", "resident")),
            fixed=bool(sides & {"fixed", "choice"}),
            each="item" in sides,
            members="resident" in sides,
            chosen="choice" in sides,
        )
        if not node.steady:
            return node
        if test not in self._steady_tests:
            self._steady_tests[test] = self._kept(node)
        return self._steady_tests[test]

    def _column_test(self, test: Test, paths: tuple[str, ...], sides: set[str]) -> Ask:
        """Return a comparison in which at least one side is a column."""
        number = next(self._numbers)
        compared, right = _OPERATORS[test.op], test.right
        members = "resident" in sides
        steady = not sides & {"fixed", "item", "choice"}
        if "choice" in sides and len(paths) == 1:

            def ask_choice(asking: Asking) -> Three:
                planes = asking.kept.get(number)
                if planes is None:
                    column = asking.choices[test.path]
                    value = _right(asking, right)
                    assert value is not None
                    holds = compared(column.values, _number(value))
                    planes = asking.kept[number] = _planes(holds, column.known)
                return planes

            return ask_choice
        on_left = self._side(test.path) not in ("fixed", "item")
        on_right = isinstance(right, Ref) and self._side(right.path) not in ("fixed", "item")
        plus = right.plus if isinstance(right, Ref) else 0
        assert isinstance(plus, int)

        def operand(asking: Asking, path: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
            side = self._side(path)
            column = asking.choices[path] if side == "choice" else asking.table.column(path)
            if members and side != "resident":
                shape = asking.table.shape
                return column.values[shape.lane_of], column.known[shape.lane_of] & shape.valid_bits
            return column.values, column.known

        def with_value(asking: Asking, value: Value | None) -> Three:
            if value is None:
                return None
            keep = "choice" not in sides and not steady
            kept = asking.table.kept
            if keep and (number, value) in kept:
                return kept[number, value]
            values, known = operand(asking, test.path if on_left else paths[1])
            if on_left:
                planes = _planes(compared(values, _number(value)), known)
            else:
                planes = _planes(compared(_number(value), values + plus), known)
            if keep:
                if len(kept) >= _KEPT_TESTS:
                    kept.clear()
                kept[number, value] = planes
            return planes

        def ask(asking: Asking) -> Three:
            if on_left and on_right:
                assert isinstance(right, Ref)
                values, known = operand(asking, test.path)
                others, others_known = operand(asking, right.path)
                return _planes(compared(values, others + plus), known & others_known)
            if on_left:
                return with_value(asking, _right(asking, right))
            return with_value(asking, asking.value(test.path))

        if sides & {"fixed", "item"}:
            self.compared.update(path for path in paths if self._side(path) in ("lane", "resident"))
        return ask

    # -- counting

    def _count(self, expr: AtLeast) -> _Node:
        where = self._node(expr.where, expr.over)
        if expr.over is Range.RESIDENT and not where.members:
            where = self._spread(where)
        match expr.over:
            case Range.RESIDENT:
                ask = _members_reaching(expr, self._kept(where).ask)
            case Range.UNIT:
                ask = _units_reaching(expr, self._kept(where).ask)
            case _:
                ask = _items_reaching(expr, self._kept(where).ask, self.whole(expr.over))
        sparse = expr.over in SPARSE
        return _Node(
            ask,
            where.reads,
            fixed=where.fixed or sparse,
            each=where.each and not sparse,
            counts=True,
            chosen=where.chosen,
        )

    def whole(self, over: Range) -> Callable[[Asking], int]:
        """Return what tells for which lanes a range's list is known to be whole."""
        path = LIST_KNOWN_BY.get(over)
        if path is None:
            return lambda asking: asking.table.shape.full
        if self._side(path) == "lane":
            return lambda asking: pack(asking.table.column(path).known)
        return lambda asking: 0 if asking.value(path) is None else asking.table.shape.full


def _reading(facts: Facts, path: str) -> Reading:
    """Return a fact; what is not there is not recorded, as the reference engine has it."""
    return facts.get(path, Missing.NOT_RECORDED)


def _value(reading: Reading) -> Value | None:
    return None if isinstance(reading, Missing) else reading


def _right(asking: Asking, right: object) -> Value | None:
    if isinstance(right, Ref):
        return shifted(asking.value(right.path), right)
    assert isinstance(right, bool | int | str | date)
    return right


def _plain(test: Test, asking: Asking) -> bool | None:
    """Return the truth of a test that reads no column."""
    return compare(asking.value(test.path), test.op, _right(asking, test.right))


def _planes(holds: NDArray[np.bool_], known: NDArray[np.bool_]) -> Planes:
    return pack(holds & known), pack(~holds & known)


def _and(asks: tuple[Ask, ...]) -> Ask:
    def ask(asking: Asking) -> Three:
        unknown = False
        planes: Planes | None = None
        for part in asks:
            truth = part(asking)
            if truth is False:
                return False
            if truth is None:
                unknown = True
            elif truth is not True:
                planes = truth if planes is None else (planes[0] & truth[0], planes[1] | truth[1])
        if planes is None:
            return None if unknown else True
        return (0, planes[1]) if unknown else planes

    return ask


def _or(asks: tuple[Ask, ...]) -> Ask:
    def ask(asking: Asking) -> Three:
        unknown = False
        planes: Planes | None = None
        for part in asks:
            truth = part(asking)
            if truth is True:
                return True
            if truth is None:
                unknown = True
            elif truth is not False:
                planes = truth if planes is None else (planes[0] | truth[0], planes[1] & truth[1])
        if planes is None:
            return None if unknown else False
        return (planes[0], 0) if unknown else planes

    return ask


def possible(truth: Three, full: int) -> Planes:
    """Return for which lanes or members something is certainly true, and for which it may be."""
    if isinstance(truth, tuple):
        return truth[0] & full, full & ~truth[1]
    return full if truth else 0, 0 if truth is False else full


def _reached(expr: AtLeast, low: list[int], high: list[int], full: int, of_size: Mapping[int, int]) -> Planes:
    """Return where a count certainly reaches its limit, and where it certainly does not."""
    if expr.percent is None:
        limit = expr.needed(0)
        return reaching(low, limit, full), full ^ reaching(high, limit, full)
    true = false = 0
    for size, lanes in of_size.items():
        limit = expr.needed(size)
        true |= lanes & reaching(low, limit, full)
        false |= lanes & ~reaching(high, limit, full)
    return true, false


def _members_reaching(expr: AtLeast, where: Ask) -> Ask:
    def ask(asking: Asking) -> Three:
        shape = asking.table.shape
        low, high = possible(where(asking), asking.valid)
        of_size = {} if expr.percent is None else asking.of_size()
        return _reached(expr, count(shape.slots(low)), count(shape.slots(high)), shape.full, of_size)

    return ask


def _units_reaching(expr: AtLeast, where: Ask) -> Ask:
    def ask(asking: Asking) -> Three:
        full = asking.table.shape.full
        low, high = possible(where(asking), full)
        return _reached(expr, [low], [high], full, {1: full})

    return ask


def _items_reaching(expr: AtLeast, where: Ask, whole: Callable[[Asking], int]) -> Ask:
    def ask(asking: Asking) -> Three:
        full = asking.table.shape.full
        judged = [(entry, possible(truth, entry.lanes)) for entry, truth in asking.each(expr.over, where)]
        low = count(true for _, (true, _) in judged)
        high = count(may for _, (_, may) in judged)
        of_size: dict[int, int] = {}
        if expr.percent is not None:
            sizes = count(entry.lanes for entry, _ in judged)
            at_least = [reaching(sizes, size, full) for size in range(len(judged) + 2)]
            of_size = {size: at_least[size] & ~at_least[size + 1] for size in range(len(judged) + 1)}
        true, false = _reached(expr, low, high, full, of_size)
        return true, false & whole(asking)

    return ask


# ---------------------------------------------------------------------------------------------- asking


class UnitsTable(Table):
    """Units as lanes; one applicant is fixed when asking."""

    def __init__(self, plan: Plan, source: CaseFacts, places: Sequence[Place]) -> None:
        lanes = [source.place_facts(place) for place in places]
        groups = {place.group.id: place.group for place in places}
        members = {name: listed(source.everyone_in(group)) for name, group in groups.items()}
        super().__init__(plan, lanes, [members[place.group.id] for place in places])
        self.source = source
        self.places = [places[at] for at in self.order]
        self.lane_of = {place.unit.id: lane for lane, place in enumerate(self.places)}
        self.in_scheme: dict[str, list[int]] = {}
        self.in_group: dict[str, list[int]] = {}
        for lane, place in enumerate(self.places):
            self.in_group.setdefault(place.group.id, []).append(lane)
            self.in_scheme.setdefault(place.scheme.id, []).append(lane)

    def fixed(self, applicant: Applicant) -> Facts:
        """Return the facts that are the same in every lane."""
        return {"case.as_of": self.source.as_of, **self.source.applicant_facts(applicant)}

    def choices(self, applicant: Applicant) -> dict[str, Column]:
        """Return what the applicant has said about the scheme of each lane."""
        width = self.shape.lanes
        columns = {}
        elsewhere = self.source.choice_facts(applicant, "")
        for path, reading in elsewhere.items():
            column = columns[path] = Column(np.zeros(width, np.int64), np.zeros(width, np.bool_))
            if not isinstance(reading, Missing):
                column.known[:] = True
                column.values[:] = _number(reading)
        for scheme in sorted(Choice.mentioned(applicant.wishes) & self.in_scheme.keys()):
            for path, reading in self.source.choice_facts(applicant, scheme).items():
                for lane in self.in_scheme[scheme]:
                    columns[path].put(lane, reading)
        return columns

    def own_entry(self, applicant: Applicant) -> int:
        """Return the members that are the applicant, who may live there already."""
        if applicant.resides_as is None:
            return 0
        return sum(1 << place for place in self.places_of.get((applicant.resides_as,), ()))


class ApplicantsTable(Table):
    """Applicants as lanes; one unit is fixed when asking."""

    def __init__(self, plan: Plan, source: CaseFacts, applicants: Sequence[Applicant], place: Place) -> None:
        everyone = listed(source.everyone_in(place.group))
        lanes = [source.applicant_facts(applicant) for applicant in applicants]
        super().__init__(plan, lanes, [everyone] * len(applicants))
        self.source = source
        self.place = place
        self.applicants = [applicants[at] for at in self.order]

    def fixed(self) -> Facts:
        """Return the facts that are the same in every lane."""
        return {"case.as_of": self.source.as_of, **self.source.place_facts(self.place)}

    def choices(self) -> dict[str, Column]:
        """Return what the applicant of each lane has said about the scheme."""
        said = [self.source.choice_facts(applicant, self.place.scheme.id) for applicant in self.applicants]
        lanes = np.arange(self.shape.lanes)
        return {
            fact.path: Column.of((facts[fact.path] for facts in said), lanes, self.shape.lanes)
            for fact in SUBJECT_FACTS["choice"]
        }

    def own_entries(self) -> int:
        """Return the members that are the applicants themselves."""
        found = 0
        for lane, applicant in enumerate(self.applicants):
            for slot, item in enumerate(self.members[lane] if applicant.resides_as is not None else ()):
                if item.about == (applicant.resides_as,):
                    found |= 1 << self.shape.place(lane, slot)
        return found


_OUTCOMES = (Outcome.UNKNOWN, Outcome.BROKEN, Outcome.KEPT)


class ColumnarEngine:
    """Judges candidates, each a lane of its own. For many questions to one case see `ranking`."""

    name = "columnar"
    version = f"{__version__}+planes"

    def __init__(self, rules: tuple[BoundRule, ...]) -> None:
        self._rules = rules
        self._plan = Plan(rules, COMMON_SUBJECTS)

    def judge(self, candidates: Iterable[Candidate]) -> list[Judgement]:
        """Judge candidates, in the order given."""
        given = list(candidates)
        members = [candidate.items(Range.RESIDENT) for candidate in given]
        table = Table(self._plan, [candidate.facts for candidate in given], members)
        judged = judge_lanes(self._plan, Asking.about(table, [given[at] for at in table.order]))
        answers = dict(zip(table.order, judged, strict=True))
        return [answers[number] for number in range(len(given))]


def judge_lanes(plan: Plan, asking: Asking) -> list[Judgement]:
    """Return what every lane comes to, if each item of a sparse range belongs to one lane."""
    shape = asking.table.shape
    found = [_outcomes(asking, bound, ask) for bound, ask in zip(plan.rules, plan.broken, strict=True)]
    remarks = {
        name: unpack([possible(ask(asking), shape.full)[0]], shape.lanes)[0]
        for name, ask in plan.remarks.items()
    }
    return [
        Judgement(
            {bound.id: outcomes[lane] for bound, outcomes in zip(plan.rules, found, strict=True)},
            {name: bool(holds[lane]) for name, holds in remarks.items()},
        )
        for lane in range(shape.lanes)
    ]


def _outcomes(asking: Asking, bound: BoundRule, ask: Ask) -> list[tuple[Outcome, ...]]:
    """Return the outcomes of one rule in each lane, in the order of its members or items."""
    shape = asking.table.shape
    lanes = range(shape.lanes)
    match bound.rule.about:
        case Range.UNIT:
            codes = _codes(ask(asking), shape.full, shape.lanes)
            return [(_OUTCOMES[codes[lane]],) for lane in lanes]
        case Range.RESIDENT:
            codes = _codes(ask(asking), shape.valid, shape.width)
            return [
                tuple(
                    _OUTCOMES[codes[shape.place(lane, slot)]]
                    for slot in range(len(asking.table.members[lane]))
                )
                for lane in lanes
            ]
        case over:
            found: list[tuple[Outcome, ...]] = [()] * shape.lanes
            for entry, truth in asking.each(over, ask):
                true, may = possible(truth, entry.lanes)
                outcome = Outcome.BROKEN if true else Outcome.UNKNOWN if may else Outcome.KEPT
                found[entry.lanes.bit_length() - 1] += (outcome,)
            return found


def _codes(truth: Three, full: int, width: int) -> list[int]:
    """Return 0 for unknown, 1 for broken and 2 for kept, for each lane or member."""
    true, may = possible(truth, full)
    broken, maybe = unpack([true, may], width)
    return (broken + 2 * (1 - maybe)).tolist()  # type: ignore[no-any-return]
