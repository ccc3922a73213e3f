"""Boundary tables: what each rule comes to, just inside, at and just outside each of its limits.

A table has columns, which are paths of facts, and rows: a short sentence, one cell for each column, and
the outcome. A cell of ``None`` means that the fact is missing. A whole set of codes is given as a set
(``{"lift"}``: lift, and nothing else); one code of it has a path of its own (``applicant.needs:lift``).
Where a rule counts members of a range, a cell holds a list: one value for each member.

Every row is judged by the reference engine and by the engine of record, each made for the one rule.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from allocator.engines import Engine, Outcome
from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.facts import (
    COMMON_SUBJECTS,
    SUBJECT_FACTS,
    Candidate,
    FactType,
    Item,
    Kind,
    Missing,
    Range,
    Reading,
    fact_type,
)
from allocator.policy import BoundRule, Policy
from allocator.rules import RULES_BY_ID

DEFAULT_POLICY = Path(__file__).parents[2] / "fixtures" / "policies" / "default.toml"

KEPT, BROKEN, UNKNOWN = Outcome.KEPT, Outcome.BROKEN, Outcome.UNKNOWN

TODAY = date(2026, 11, 22)
"""The day of every row that does not give another."""

Facts = dict[str, Reading]

Params = tuple[tuple[str, Hashable], ...]
"""Parameters of a rule, by name, that differ from the default policy."""


def day(number: int) -> date:
    """Return the day so many days after `TODAY`."""
    return TODAY + timedelta(days=number)


YESTERDAY, TOMORROW = day(-1), day(1)


# ----------------------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class Row:
    """One row: what it shows, the facts that are known, and what the rule comes to.

    Attributes:
        shows: What the row shows.
        expected: The outcome.
        facts: The known facts by path. Those of the range that the rule is about are one member's.
        members: For a rule that counts, the known facts of each member of a range.
    """

    shows: str
    expected: Outcome
    facts: Facts
    members: Mapping[Range, tuple[Facts, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """The rows of one rule, under the default policy or one with other parameters of the rule."""

    rule: str
    rows: tuple[Row, ...]
    params: Params = ()


def table(rule: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], **params: Hashable) -> Table:
    """Return a table. *params* are the parameters of the rule that differ from the default policy."""
    return Table(rule, tuple(_row(rule, columns, cells) for cells in rows), tuple(sorted(params.items())))


def _row(rule: str, columns: Sequence[str], cells: Sequence[Any]) -> Row:
    shows, *values, expected = cells
    facts: Facts = {}
    members: dict[Range, list[Facts]] = {}
    for path, cell in zip(columns, values, strict=True):
        subject = fact_type(path).subject
        if subject not in COMMON_SUBJECTS and subject != RULES_BY_ID[rule].about:
            counted = members.setdefault(Range(subject), [{} for _ in cell])
            for member, value in zip(counted, cell, strict=True):
                member.update(_given(path, value))
        else:
            facts.update(_given(path, cell))
    return Row(shows, expected, facts, {over: tuple(found) for over, found in members.items()})


def _given(path: str, cell: object) -> Facts:
    """Return the facts of one cell, and refuse what could not be a value of the fact."""
    if cell is None:
        return {}
    fact = fact_type(path)
    codes = {code.value for code in fact.codes or ()}
    if fact.kind is Kind.CODES and ":" not in path:
        assert isinstance(cell, Collection)
        assert set(cell) <= codes, (path, cell)
        return {f"{path}:{code}": code in cell for code in sorted(codes)}
    expected = {Kind.BOOL: bool, Kind.CODES: bool, Kind.INT: int, Kind.DATE: date, Kind.CODE: str}[fact.kind]
    assert type(cell) is expected or isinstance(cell, str), (path, cell)
    if fact.kind is Kind.CODE:
        assert cell in codes, (path, cell)
        return {path: str(cell)}
    return {path: cast("Reading", cell)}


def by_its_table(tables: Iterable[Table]) -> pytest.MarkDecorator:
    """Parametrize a test with (table, row)."""
    return pytest.mark.parametrize(
        ("table", "row"),
        [
            pytest.param(
                one, row, id=": ".join((one.rule, *(str(value) for _, value in one.params), row.shows))
            )
            for one in tables
            for row in one.rows
        ],
    )


# ---------------------------------------------------------------------------------------- judging


class FakeCandidate:
    """What engines ask of a candidate, without a snapshot behind it: all that is not given is missing."""

    def __init__(self, facts: Facts, members: Mapping[Range, Sequence[Facts]]) -> None:
        common = (fact for subject in sorted(COMMON_SUBJECTS) for fact in SUBJECT_FACTS[subject])
        self.facts: Facts = {**_all_missing(common), "case.as_of": TODAY, **facts}
        self._items = {
            over: tuple(
                Item((), {**_all_missing(SUBJECT_FACTS[over]), **member}) for member in members.get(over, ())
            )
            for over in Range
        }
        self._items[Range.UNIT] = (Item((), {}),)

    def items(self, over: Range) -> tuple[Item, ...]:
        """Return the members of a range."""
        return self._items[over]


def _all_missing(facts: Iterable[FactType]) -> Facts:
    missing: Facts = {}
    for fact in facts:
        if fact.kind is Kind.CODES:
            missing.update({f"{fact.path}:{code}": Missing.NOT_RECORDED for code in fact.codes or ()})
        else:
            missing[fact.path] = Missing.NOT_RECORDED
    return missing


def candidate(rule: str, row: Row) -> Candidate:
    """Return the candidate of a row: the rule's own range has one member."""
    about = RULES_BY_ID[rule].about
    common: Facts = {}
    own: Facts = {}
    for path, value in row.facts.items():
        (common if fact_type(path).subject in COMMON_SUBJECTS else own)[path] = value
    return cast("Candidate", FakeCandidate(common, {**row.members, about: (own,)}))


@cache
def bound(rule: str, params: Params = ()) -> BoundRule:
    """Return a rule of the default policy, with *params* in place of its own."""
    content = tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8"))
    for name, value in params:
        content["rules"][rule]["params"][name]["value"] = value
    return Policy(content).by_id[rule]


@cache
def engines(rule: str, params: Params = ()) -> tuple[Engine, Engine]:
    """Return the reference engine and the engine of record, made for the one rule."""
    only = (bound(rule, params),)
    return ReferenceEngine(only), DurableEngine(only)


def judge(table: Table, row: Row) -> Outcome:
    """Return what the rule comes to for a row. The two engines must agree."""
    place = candidate(table.rule, row)
    (by_reference,), (by_durable,) = (
        judgement.outcomes[table.rule]
        for engine in engines(table.rule, table.params)
        for judgement in engine.judge([place])
    )

    assert by_reference is by_durable, f"reference: {by_reference}; durable_rules: {by_durable}"
    return by_reference


def remark(rule: str, facts: Facts, over: Range, members: Sequence[Facts]) -> bool:
    """Return whether the rule's remark applies. The two engines must agree."""
    place = cast("Candidate", FakeCandidate(facts, {over: members}))
    by_reference, by_durable = (
        judgement.remarks[rule] for engine in engines(rule) for judgement in engine.judge([place])
    )

    assert by_reference is by_durable
    return by_reference
