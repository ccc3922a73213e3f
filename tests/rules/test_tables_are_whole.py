"""The boundary tables are whole: every rule, every outcome, every fact; and no small change goes unseen.

The last test is a small mutation test. Each rule, as the policy binds it, is changed in one place at a time
(another comparison, a limit one higher or lower, a part left out, *and* for *or*, a *not* left out, another
code, the same fact of another person), and some row of its tables must come out differently. A change that
alters nothing that can be seen stands in `SAME_MEANING`, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from allocator.engines import Outcome
from allocator.engines.reference import World, truth
from allocator.facts import VOCABULARY, Kind, Missing, Range, fact_type
from allocator.rules import RULEBOOK, RULES_BY_ID
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Ref, Test, Truth, paths
from tests.rules import (
    test_conflicts,
    test_contested,
    test_dwelling,
    test_eligibility,
    test_resident_mix,
    test_safety,
    test_services,
    test_tenancy,
    test_vetoes,
    test_wishes,
)
from tests.rules.tables import BROKEN, KEPT, UNKNOWN, Params, Row, Table, bound, candidate

TABLES: tuple[Table, ...] = (
    *test_resident_mix.TABLES,
    *test_conflicts.TABLES,
    *test_eligibility.TABLES,
    *test_dwelling.TABLES,
    *test_services.TABLES,
    *test_safety.TABLES,
    *test_tenancy.TABLES,
    *test_wishes.TABLES,
    *test_vetoes.TABLES,
    *test_contested.TABLES,
)

LEFT_OPEN = frozenset(table.rule for table in test_contested.LEFT_OPEN)
"""Rules that the default policy leaves open, so that they are always kept: each side has its own table."""

NEVER_MISSING = {"case.as_of": "the day that the case is about is the day on which it is read"}
"""Facts that cannot be missing, with the reason."""

RULE_IDS = [rule.id for rule in RULEBOOK]


def _rows(rule: str, params: Params | None = ()) -> list[Row]:
    """Return the rows of a rule under these parameters; all of its rows if *params* is None."""
    tables = [one for one in TABLES if one.rule == rule and params in (None, one.params)]
    return [row for one in tables for row in one.rows]


# --------------------------------------------------------------------------------- rows and outcomes


def test_each_rule_has_a_table_and_each_table_a_rule() -> None:
    """Every rule of the rulebook has a table, and every table is one of a rule of the rulebook."""
    assert {table.rule for table in TABLES} == set(RULE_IDS)


@pytest.mark.parametrize("rule", RULE_IDS)
def test_each_table_shows_every_outcome(rule: str) -> None:
    """A rule is kept, broken and unknown in at least one row each under the default policy."""
    shown = {row.expected for row in _rows(rule)}

    assert shown == ({KEPT} if rule in LEFT_OPEN else {KEPT, BROKEN, UNKNOWN})


@pytest.mark.parametrize(
    "side", test_contested.SIDES, ids=lambda side: f"{side.rule}: {dict(side.params)['side']}"
)
def test_each_side_of_a_contested_question_shows_every_outcome(side: Table) -> None:
    """A contested rule is kept, broken and unknown in at least one row each once a side is taken."""
    assert {row.expected for row in side.rows} == {KEPT, BROKEN, UNKNOWN}


def test_the_rules_left_open_are_the_contested_ones_and_both_of_their_sides_have_a_table() -> None:
    """A contested rule has a table for each option of the policy, and no other rule is left open."""
    options = {
        rule.id: set(rule.params["side"].options)  # type: ignore[union-attr]  # a choice between sides
        for rule in RULEBOOK
        if "side" in rule.params
    }
    tested = {
        rule: {str(dict(one.params)["side"]) for one in TABLES if one.rule == rule and one.params}
        for rule in options
    }

    assert set(options) == LEFT_OPEN
    assert tested == options


@pytest.mark.parametrize("rule", RULE_IDS)
def test_no_two_rows_of_a_table_say_that_they_show_the_same(rule: str) -> None:
    """Each row of a rule's table under the same parameters shows something of its own."""
    for params in {one.params for one in TABLES if one.rule == rule}:
        shows = [row.shows for row in _rows(rule, params)]

        assert len(set(shows)) == len(shows)


# ---------------------------------------------------------------------------------------- facts read


def _known(path: str, row: Row) -> list[bool]:
    """Return whether the fact is known in a row; of a fact that is counted, for each member."""
    codes = VOCABULARY[path].codes if fact_type(path).kind is Kind.CODES and ":" not in path else None
    names = [path] if codes is None else [f"{path}:{code}" for code in codes]
    subject = fact_type(path).subject
    places = row.members[Range(subject)] if subject in set(row.members) else (row.facts,)
    return [
        not isinstance(place.get(name, Missing.NOT_RECORDED), Missing) for place in places for name in names
    ]


def _read(rule: str) -> tuple[str, ...]:
    return tuple(path for path in paths(RULES_BY_ID[rule].broken_when) if path not in NEVER_MISSING)


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_fact_is_missing_in_some_row_and_given_in_some(rule: str) -> None:
    """Each fact that a rule reads is missing in at least one row of its tables and known in at least one."""
    rows = _rows(rule, None)
    for path in _read(rule):
        assert any(any(_known(path, row)) for row in rows), f"`{path}` is never known"
        assert any(not all(_known(path, row)) for row in rows), f"`{path}` is never missing"


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_fact_alone_can_leave_a_rule_unknown(rule: str) -> None:
    """For each fact that a rule reads, some row is unknown only because that one is missing."""
    unknown = [row for row in _rows(rule, None) if row.expected is UNKNOWN]
    for path in _read(rule):
        others = [other for other in _read(rule) if fact_type(other) is not fact_type(path)]
        alone = [row for row in unknown if not all(_known(path, row))]

        assert any(all(all(_known(other, row)) for other in others) for row in alone), path


# ------------------------------------------------------------------------------------------- mutants

_ORDER = (Op.LT, Op.LE, Op.GT, Op.GE)
_OTHER_PERSON = {"applicant": "resident", "resident": "applicant", "group": "scheme", "scheme": "group"}


@dataclass(frozen=True)
class Mutant:
    """A rule changed in one place."""

    change: str
    expr: Expr


def mutants(expr: Expr) -> Iterator[Mutant]:
    """Yield every small change of a bound expression."""
    match expr:
        case All(parts) | Any(parts):
            for index, part in enumerate(parts):
                rest = (*parts[:index], *parts[index + 1 :])
                if rest:
                    yield Mutant(f"left out: {_text(part)}", replace(expr, parts=rest))
                for inner in mutants(part):
                    changed = (*parts[:index], inner.expr, *parts[index + 1 :])
                    yield replace(inner, expr=replace(expr, parts=changed))
            other = Any if isinstance(expr, All) else All
            yield Mutant(f"{other.__name__} for {type(expr).__name__}: {_text(expr)}", other(parts))
        case Not(part):
            yield Mutant(f"no longer negated: {_text(part)}", part)
            for inner in mutants(part):
                yield replace(inner, expr=Not(inner.expr))
        case AtLeast():
            yield from _count_mutants(expr)
        case Truth(value):
            yield Mutant("the other truth", Truth(not value))
        case Test():
            yield from (Mutant(f"{_text(expr)} -> {_text(test)}", test) for test in _test_mutants(expr))


def _count_mutants(expr: AtLeast) -> Iterator[Mutant]:
    name = "count" if expr.percent is None else "percent"
    limit = getattr(expr, name)
    for other in (limit - 1, limit + 1):
        yield Mutant(f"{name} {limit} -> {other}", replace(expr, **{name: other}))
    for inner in mutants(expr.where):
        yield replace(inner, expr=replace(expr, where=inner.expr))
    yield Mutant(f"counted if not: {_text(expr.where)}", replace(expr, where=Not(expr.where)))


def _test_mutants(test: Test) -> Iterator[Test]:
    test = Test(test.path, test.op, test.right)
    if test.op in _ORDER:
        yield from (replace(test, op=op) for op in _ORDER if op is not test.op)
    else:
        yield replace(test, op=Op.NE if test.op is Op.EQ else Op.EQ)
    if (path := _of_another(test.path)) is not None:
        yield replace(test, path=path)
    match test.right:
        case bool():
            pass  # turned round by the other comparison
        case int(number):
            yield from (replace(test, right=other) for other in (number - 1, number + 1))
        case str(code):
            codes = fact_type(test.path).codes
            assert codes is not None
            yield from (replace(test, right=other.value) for other in codes if other != code)
        case Ref(path, plus):
            assert isinstance(plus, int)
            if (other_path := _of_another(path)) is not None:
                yield replace(test, right=Ref(other_path, plus))
            if fact_type(path).kind in (Kind.INT, Kind.DATE):
                yield from (replace(test, right=Ref(path, other)) for other in (plus - 1, plus + 1))
            if path == "case.as_of":
                yield replace(test, right=Ref("applicant.needed_from", plus))
            if path == "applicant.needed_from":
                yield replace(test, right=Ref("case.as_of", plus))


def _of_another(path: str) -> str | None:
    """Return the same fact of the other person or place, if there is one."""
    subject, _, name = path.partition(".")
    other = f"{_OTHER_PERSON.get(subject)}.{name}"
    return other if other.partition(":")[0] in VOCABULARY else None


def _text(expr: Expr) -> str:
    match expr:
        case Test(path, op, Ref(other, plus)):
            return f"{path} {op} {other}{plus:+}" if plus else f"{path} {op} {other}"
        case Test(path, op, right):
            return f"{path} {op} {right}"
        case Not(part):
            return f"not ({_text(part)})"
        case All(parts):
            return " and ".join(f"({_text(part)})" for part in parts)
        case Any(parts):
            return " or ".join(f"({_text(part)})" for part in parts)
        case AtLeast(name):
            return f"at least {name}"
    return repr(expr)


def _outcome(expr: Expr, rule: str, row: Row) -> Outcome:
    place = candidate(rule, row)
    (item,) = place.items(RULES_BY_ID[rule].about)
    return Outcome.of(truth(expr, World.of(place).beside(item.facts)))


_FOR_ALL = "a scheme for all keeps the rule by itself, so having `general` in common adds nothing"
_BOTH_GENERAL = "(applicant.target_groups:general eq True) and (scheme.target_groups:general eq True)"

SAME_MEANING: Mapping[tuple[str, str], str] = {
    ("target-group", f"left out: not ({_BOTH_GENERAL})"): _FOR_ALL,
    ("target-group", "left out: applicant.target_groups:general eq True"): _FOR_ALL,
    (
        "target-group",
        "applicant.target_groups:general eq True -> applicant.target_groups:general ne True",
    ): _FOR_ALL,
}
"""Rule and change -> why nobody could see a difference."""


def _bindings() -> list[tuple[str, Params]]:
    """Return each rule as the default policy binds it, and each side of the contested ones."""
    every = dict.fromkeys((one.rule, one.params) for one in TABLES)
    return [(rule, params) for rule, params in every if not params or "side" in dict(params)]


def _unseen(rule: str, params: Params) -> list[str]:
    rows = [(row, row.expected) for row in _rows(rule, params)]
    return [
        mutant.change
        for mutant in mutants(bound(rule, params).broken_when)
        if all(_outcome(mutant.expr, rule, row) is expected for row, expected in rows)
    ]


@pytest.mark.parametrize(
    ("rule", "params"), _bindings(), ids=lambda given: given if isinstance(given, str) else str(dict(given))
)
def test_no_small_change_of_a_rule_goes_unseen(rule: str, params: Params) -> None:
    """Whatever one place of a rule is changed, some row of its tables comes out differently."""
    assert [change for change in _unseen(rule, params) if (rule, change) not in SAME_MEANING] == []


def test_changes_said_to_mean_the_same_are_changes_that_no_row_sees() -> None:
    """The list of changes without a meaning holds none that is seen, or that is no longer made."""
    unseen = {(rule, change) for rule, _ in SAME_MEANING for change in _unseen(rule, ())}

    assert unseen == set(SAME_MEANING)
