"""The rule language: what cannot be built, and what is built means."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any as Anything
from typing import cast

import pytest

from allocator.codes import (
    Gender,
    Measure,
    Need,
    NightCover,
    Service,
    SubstanceClass,
)
from allocator.engines.reference import Truth3, World, truth
from allocator.facts import VOCABULARY, Candidate, Item, Missing, Range, Reading
from allocator.rules import RULEBOOK, language
from allocator.rules.language import (
    All,
    Any,
    AtLeast,
    Choice,
    Chosen,
    Clash,
    Codes,
    Disjoint,
    Effect,
    Expr,
    Lacks,
    Nonempty,
    Not,
    Number,
    OneOf,
    Op,
    Pairs,
    Param,
    ParamValue,
    Public,
    Ref,
    Rule,
    RuleError,
    Test,
    Truth,
    applicant,
    bind,
    case,
    conflict,
    paths,
    resident,
    scheme,
    unit,
    walk,
)
from allocator.rules.sources import LOCAL_POLICY, Basis, Citation, advice

ADVICE = advice("Et avsnitt")
THREE: tuple[Truth3, ...] = (True, False, None)
UNKNOWN = Missing.NOT_ASKED


def rule(**given: Anything) -> Rule:
    """Return a small rule with these parts in place of its own."""
    parts: dict[str, Anything] = {
        "id": "a-rule",
        "carries": (),
        "about": Range.UNIT,
        "broken_when": applicant.rop,
        "effect": Effect.NOTE,
        "sources": (ADVICE,),
        "public": Public.DWELLING,
    }
    return Rule(**(parts | given))


class _Members:
    """A candidate that has nothing but members of its ranges."""

    def __init__(self, *members: Mapping[str, Reading]) -> None:
        self._items = tuple(Item((str(i),), facts) for i, facts in enumerate(members))

    def items(self, _over: Range) -> tuple[Item, ...]:
        """Return the members, of whatever range."""
        return self._items


def world(facts: Mapping[str, Reading], *members: Mapping[str, Reading]) -> World:
    """Return a world with these facts, and these members of any range."""
    return World(facts, cast("Candidate", _Members(*members)))


def meaning(
    expr: Expr, facts: Mapping[str, Reading], params: Mapping[str, ParamValue] | None = None
) -> Truth3:
    """Return what an expression comes to by the reference engine."""
    return truth(bind(expr, params or {}), world(facts))


# ------------------------------------------------------------------------------- what cannot be built


def test_a_small_rule_can_be_built() -> None:
    """The rule that the tests below spoil is sound itself."""
    assert rule().broken_when == applicant.rop


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"sources": ()}, "needs a citation"),
        ({"effect": Effect.BAR}, "staff advice alone cannot be a bar"),
        ({"effect": Effect.BAR, "sources": (ADVICE, advice("Et annet"))}, "staff advice alone"),
        ({"id": "A rule"}, "lower-case words with hyphens"),
        ({"id": "a_rule"}, "lower-case words with hyphens"),
        ({"id": ""}, "lower-case words with hyphens"),
        ({"id": "a-rule\n"}, "lower-case words with hyphens"),
        ({"broken_when": True}, "not an expression"),
        ({"broken_when": "applicant.rop"}, "not an expression"),
        ({"broken_when": applicant.gender}, "not an expression"),
        ({"broken_when": applicant.age < Param("limit")}, "used or declared, not both: limit"),
        ({"params": {"limit": Number("years", 1, 9)}}, "used or declared, not both: limit"),
        (
            {"broken_when": applicant.age < Param("limt"), "params": {"limit": Number("years", 1, 9)}},
            "not both: limit, limt",
        ),
        ({"broken_when": resident.rop}, "is about `unit` and cannot read `resident.rop`"),
        ({"broken_when": applicant.rop & ~resident.rop}, "cannot read `resident.rop`"),
        ({"broken_when": case.as_of < conflict.last_confirmed.plus(1)}, "cannot read `conflict."),
        ({"about": Range.CONFLICT, "broken_when": resident.rop}, "is about `conflict`"),
        ({"about": Range.RESIDENT, "broken_when": conflict.confirmed}, "is about `resident`"),
        ({"remark_when": resident.rop}, "cannot read `resident.rop`"),
        (
            {"broken_when": AtLeast("heavy_users", Range.RESIDENT, conflict.confirmed)},
            "cannot read `conflict.confirmed`",
        ),
    ],
)
def test_a_rule_that_says_too_little_or_too_much_cannot_be_built(
    parts: Mapping[str, Anything], words: str
) -> None:
    """A rule without its citation, its parameters, its range or its sense fails at import."""
    with pytest.raises(RuleError, match=r".") as error:
        rule(**parts)
    assert words in str(error.value)


def test_a_counted_range_is_read_only_where_it_is_counted() -> None:
    """A rule about the unit reads a resident's facts only inside the count."""
    count = AtLeast("heavy_users", Range.RESIDENT, resident.heavy_use)
    with pytest.raises(RuleError):
        rule(broken_when=count & resident.rop)


def test_a_counted_range_may_be_read() -> None:
    """A rule about the unit may count residents, also in its remark."""
    count = AtLeast("heavy_users", Range.RESIDENT, resident.heavy_use)
    assert rule(broken_when=count).reads_others
    assert rule(remark_when=count).reads_others
    assert not rule().reads_others


@pytest.mark.parametrize(
    "bases", [{Basis.STAFF_ADVICE, basis} for basis in Basis if basis is not Basis.STAFF_ADVICE]
)
def test_staff_advice_with_more_behind_it_may_bar(bases: set[Basis]) -> None:
    """Advice that rests on something else too may be a bar."""
    cited = tuple(Citation(LOCAL_POLICY, "", basis) for basis in sorted(bases))
    assert rule(sources=cited, effect=Effect.BAR).effect is Effect.BAR


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: applicant.gendr, "`applicant` has no fact `gendr`; it has: "),
        (lambda: resident.waiting_since, "`resident` has no fact `waiting_since`"),
        (lambda: scheme.living_groups, "`scheme` has no fact `living_groups`"),
        (lambda: applicant.gender.is_("womn"), "`applicant.gender` has no code `womn`"),
        (lambda: applicant.gender.is_(Need.LIFT), "`applicant.gender` has no code `lift`"),
        (lambda: applicant.gender.is_not(Need.LIFT), "has no code `lift`"),
        (lambda: applicant.gender.one_of([Gender.MAN, Need.LIFT]), "has no code `lift`"),
        (lambda: applicant.needs.has(Service.DEPOT), "`applicant.needs` has no code `depot`"),
        (lambda: applicant.gender.differs_from(resident.violence), "have different codes"),
        (lambda: applicant.gender.clashes_with(resident.violence, Param("t")), "have different codes"),
        (lambda: applicant.needs.not_met_by(scheme.services), "have different codes"),
        (
            lambda: applicant.services.not_met_by(scheme.services, [Need.LIFT]),
            "`applicant.services` has no code `lift`",
        ),
        (lambda: applicant.target_groups.disjoint_from(scheme.services), "have different codes"),
        (lambda: applicant.age < 25.0, "cannot be compared with float"),
        (lambda: applicant.age < "25", "cannot be compared with str"),
        (lambda: applicant.age < True, "cannot be compared with bool"),
        (lambda: applicant.age < None, "cannot be compared with NoneType"),
        (lambda: applicant.age < date(2026, 1, 1), "cannot be compared with date"),
        (lambda: applicant.age < resident.gender, "cannot be compared with Coded"),
        (lambda: applicant.age < case.as_of, "are not of one kind"),
        (lambda: case.as_of < applicant.age, "are not of one kind"),
        (lambda: case.as_of < applicant.age.plus(1), "are not of one kind"),
        (lambda: case.as_of < 5, "cannot be compared with int"),
        (lambda: case.as_of < date(2026, 1, 1), "cannot be compared with date"),
        (lambda: case.as_of < Param("day"), "is a date; compare it with a date"),
        (lambda: case.as_of >= Param("day"), "is a date; compare it with a date"),
    ],
)
def test_what_does_not_fit_a_facts_type_cannot_be_written(build: Callable[[], object], words: str) -> None:
    """A misspelt fact, a code of another list and a comparison of unlike things fail at import."""
    with pytest.raises(RuleError, match=r".") as error:
        build()
    assert words in str(error.value)


@pytest.mark.parametrize(
    "build",
    [
        lambda: applicant.rop and resident.rop,
        lambda: applicant.rop or resident.rop,
        lambda: not applicant.rop,
        lambda: 18 < applicant.age < 25,
        lambda: [applicant.rop].index(~applicant.rop) if applicant.rop else 0,
        lambda: any([applicant.rop, applicant.heavy_use]),
        lambda: all([applicant.rop, applicant.heavy_use]),
    ],
    ids=["and", "or", "not", "chain", "if", "any", "all"],
)
def test_an_expression_has_no_truth_of_its_own(build: Callable[[], object]) -> None:
    """Python's own `and`, `or`, `not` and chains would decide at once, and are refused."""
    with pytest.raises(RuleError, match=r"write `&`, `\|`, `~`"):
        build()


@pytest.mark.parametrize("other", [True, "text", None, 1, applicant.age == 25])
@pytest.mark.parametrize("join", [Expr.__and__, Expr.__or__], ids=["and", "or"])
def test_only_expressions_are_joined(join: Callable[[Expr, Anything], Expr], other: Anything) -> None:
    """A rule that joins an expression with a plain value, such as Python's own `==`, fails at import."""
    with pytest.raises(TypeError):
        rule(broken_when=join(applicant.rop, other))


def test_a_set_or_code_is_no_expression() -> None:
    """A code or a set says nothing until it is compared."""
    for raw in (applicant.gender, applicant.needs, applicant.age):
        with pytest.raises(TypeError):
            raw & applicant.rop


# ----------------------------------------------------------------------------------- how it is written


def test_joining_makes_one_flat_list() -> None:
    """Three parts joined are three parts, not two in one."""
    a, b, c = applicant.rop, applicant.heavy_use, applicant.vulnerable
    assert (a & b) & c == a & (b & c) == All((a, b, c))
    assert (a | b) | c == a | (b | c) == Any((a, b, c))
    assert (a & b) | c == Any((All((a, b)), c))
    assert ~a == Not(a)


def test_comparisons_are_data() -> None:
    """A comparison holds its fact, its operator and its right side."""
    assert (applicant.age < 25) == Test("applicant.age", Op.LT, 25)
    assert (applicant.age <= Param("x")) == Test("applicant.age", Op.LE, Param("x"))
    assert (applicant.age > resident.age) == Test("applicant.age", Op.GT, Ref("resident.age"))
    assert (case.as_of >= applicant.needs_valid_until.plus(7)) == Test(
        "case.as_of", Op.GE, Ref("applicant.needs_valid_until", 7)
    )
    assert applicant.gender.is_(Gender.MAN) == Test("applicant.gender", Op.EQ, "man")
    assert applicant.gender.is_not(Gender.MAN) == Test("applicant.gender", Op.NE, "man")
    assert applicant.gender.differs_from(resident.gender) == Test(
        "applicant.gender", Op.NE, Ref("resident.gender")
    )
    assert applicant.needs.has(Need.LIFT) == Test("applicant.needs:lift", Op.EQ, right=True)


@pytest.mark.parametrize("path", sorted(VOCABULARY))
def test_every_fact_of_the_vocabulary_can_be_written(path: str) -> None:
    """Each fact is reached by its subject and name."""
    subject, _, name = path.partition(".")
    fact = getattr(getattr(language, subject), name)
    assert path == (fact.path if isinstance(fact, Test) else fact.type.path)


def test_no_rule_asks_whether_a_fact_is_known() -> None:
    """There is no expression for being known, so learning never turns one answer into the other."""
    forms = {type(part).__name__ for r in RULEBOOK for expr in r.expressions for part in walk(expr)}
    core = {"Test", "YesNo", "All", "Any", "Not", "AtLeast", "Truth"}
    assert forms <= core | {"OneOf", "Clash", "Lacks", "Disjoint", "Nonempty", "Chosen"}


def test_paths_come_once_and_in_order() -> None:
    """The facts of an expression come in the order they are read, each once."""
    count = AtLeast("heavy_users", Range.RESIDENT, resident.heavy_use)
    expr = (applicant.age < resident.age) & ~applicant.rop & (applicant.age > 3) & count
    assert paths(expr) == ("applicant.age", "resident.age", "applicant.rop", "resident.heavy_use")
    assert paths(expr, counted=False) == ("applicant.age", "resident.age", "applicant.rop")


# ------------------------------------------------------------------------------------- truth tables

A, B = Test("applicant.rop", Op.EQ, right=True), Test("applicant.heavy_use", Op.EQ, right=True)

AND = {
    (True, True): True,
    (True, False): False,
    (True, None): None,
    (False, True): False,
    (False, False): False,
    (False, None): False,
    (None, True): None,
    (None, False): False,
    (None, None): None,
}
OR = {
    (True, True): True,
    (True, False): True,
    (True, None): True,
    (False, True): True,
    (False, False): False,
    (False, None): None,
    (None, True): True,
    (None, False): None,
    (None, None): None,
}
NOT = {True: False, False: True, None: None}


def _ab(a: Truth3, b: Truth3) -> dict[str, Reading]:
    return {
        "applicant.rop": UNKNOWN if a is None else a,
        "applicant.heavy_use": UNKNOWN if b is None else b,
    }


@pytest.mark.parametrize(("values", "expected"), AND.items())
def test_and(values: tuple[Truth3, Truth3], expected: Truth3) -> None:
    """And is false if one part is false, else unknown if one is unknown."""
    assert truth(A & B, world(_ab(*values))) is expected


@pytest.mark.parametrize(("values", "expected"), OR.items())
def test_or(values: tuple[Truth3, Truth3], expected: Truth3) -> None:
    """Or is true if one part is true, else unknown if one is unknown."""
    assert truth(A | B, world(_ab(*values))) is expected


@pytest.mark.parametrize(("value", "expected"), NOT.items())
def test_not(value: Truth3, expected: Truth3) -> None:
    """Not of unknown is unknown."""
    assert truth(~A, world(_ab(value, None))) is expected


@pytest.mark.parametrize("value", [True, False])
def test_constants(value: bool) -> None:
    """A constant is itself; no part at all is true for and, false for or."""
    assert truth(Truth(value), world({})) is value
    assert truth(All(()), world({})) is True
    assert truth(Any(()), world({})) is False


def test_a_fact_that_is_not_there_is_unknown() -> None:
    """A fact that nobody has recorded is unknown, like one that is missing for a reason."""
    assert truth(A, world({})) is None
    for why in Missing:
        assert truth(A, world({"applicant.rop": why})) is None


@pytest.mark.parametrize(
    ("op", "low", "same", "high"),
    [
        (Op.EQ, False, True, False),
        (Op.NE, True, False, True),
        (Op.LT, True, False, False),
        (Op.LE, True, True, False),
        (Op.GT, False, False, True),
        (Op.GE, False, True, True),
    ],
)
def test_comparisons(op: Op, low: bool, same: bool, high: bool) -> None:
    """Each comparison, below, at and above its right side, and unknown if either side is."""
    for value, expected in ((24, low), (25, same), (26, high)):
        facts: dict[str, Reading] = {"applicant.age": value, "resident.age": 20}
        assert truth(Test("applicant.age", op, 25), world(facts)) is expected
        assert truth(Test("applicant.age", op, Ref("resident.age", 5)), world(facts)) is expected
    day = date(2026, 11, 22)
    for value, expected in ((21, low), (22, same), (23, high)):
        facts = {"case.as_of": date(2026, 11, value), "applicant.needs_valid_until": date(2026, 11, 15)}
        assert truth(Test("case.as_of", op, day), world(facts)) is expected
        beside = Ref("applicant.needs_valid_until", 7)
        assert truth(Test("case.as_of", op, beside), world(facts)) is expected
    beside_unknown = Test("applicant.age", op, Ref("resident.age"))
    assert truth(beside_unknown, world({"applicant.age": 25, "resident.age": UNKNOWN})) is None
    assert truth(beside_unknown, world({"resident.age": 25})) is None


def test_surface_forms_have_no_truth_until_bound() -> None:
    """What the policy has not been put into is refused by the engine."""
    with pytest.raises(TypeError, match="not a core expression"):
        truth(Nonempty("applicant.needs"), world({}))


# -------------------------------------------------------------------------------------------- counts


@pytest.mark.parametrize("members", [*itertools.product(THREE, repeat=3), (), (True,), (None, False)])
@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4])
def test_a_count_is_what_every_completion_agrees_on(members: tuple[Truth3, ...], limit: int) -> None:
    """So many members fulfil it if they do whatever is learnt; unknown if it depends on that."""
    facts = [_members_fact(value) for value in members]
    expr = AtLeast("heavy_users", Range.RESIDENT, resident.heavy_use, count=limit)
    reached = {sum(full) >= limit for full in _completions(members)}
    assert truth(expr, world({}, *facts)) is (reached.pop() if len(reached) == 1 else None)


@pytest.mark.parametrize(
    "members", [(), *itertools.product(THREE, repeat=1), *itertools.product(THREE, repeat=3)]
)
@pytest.mark.parametrize("percent", [1, 33, 34, 50, 66, 67, 100])
def test_a_share_is_what_every_completion_agrees_on(members: tuple[Truth3, ...], percent: int) -> None:
    """So many percent fulfil it, exactly; an empty house never does."""
    facts = [_members_fact(value) for value in members]
    expr = AtLeast("heavy_users", Range.RESIDENT, resident.heavy_use, percent=percent)
    reached = {bool(full) and 100 * sum(full) >= percent * len(full) for full in _completions(members)}
    assert truth(expr, world({}, *facts)) is (reached.pop() if len(reached) == 1 else None)


@pytest.mark.parametrize("asked", [True, UNKNOWN])
def test_a_list_that_nobody_has_asked_for_proves_nothing_by_being_short(asked: Reading) -> None:
    """Too few conflicts are too few only if somebody asked; enough are enough anyway."""
    expr = AtLeast("conflicts", Range.CONFLICT, conflict.confirmed)
    facts = {"applicant.conflicts_asked": asked}
    assert truth(expr, world(facts)) is (False if asked is True else None)
    assert truth(expr, world(facts, {"conflict.confirmed": False})) is (False if asked is True else None)
    assert truth(expr, world(facts, {"conflict.confirmed": True})) is True


def _members_fact(value: Truth3) -> dict[str, Reading]:
    return {"resident.heavy_use": UNKNOWN if value is None else value}


def _completions(values: tuple[Truth3, ...]) -> Iterator[tuple[bool, ...]]:
    yield from itertools.product(*((True, False) if value is None else (value,) for value in values))


# ----------------------------------------------------------------------- bind() means what is written

Oracle = Callable[[Mapping[str, Anything]], bool]


def _worlds(domains: Mapping[str, tuple[Reading, ...]]) -> Iterator[dict[str, Reading]]:
    """Yield every world over small domains, each fact also unknown."""
    for values in itertools.product(*((*domain, UNKNOWN) for domain in domains.values())):
        yield dict(zip(domains, values, strict=True))


def _agreed(
    facts: Mapping[str, Reading], domains: Mapping[str, tuple[Reading, ...]], oracle: Oracle
) -> Truth3:
    """Return what an oracle on whole worlds says of all completions of *facts*, if it is one answer."""
    open_facts = [path for path, value in facts.items() if isinstance(value, Missing)]
    answers = {
        oracle({**facts, **dict(zip(open_facts, values, strict=True))})
        for values in itertools.product(*(domains[path] for path in open_facts))
    }
    return answers.pop() if len(answers) == 1 else None


def _check(
    expr: Expr, domains: Mapping[str, tuple[Reading, ...]], oracle: Oracle, params: Mapping[str, ParamValue]
) -> None:
    bound = bind(expr, params)
    assert all(type(part).__name__ in _CORE for part in walk(bound))
    assert bind(bound, {}) == bound
    for facts in _worlds(domains):
        assert truth(bound, world(facts)) is _agreed(facts, domains, oracle), facts


_CORE = {"Test", "YesNo", "All", "Any", "Not", "AtLeast", "Truth"}

SUBSTANCES = tuple(code.value for code in SubstanceClass)
YES_NO = (True, False)


def _of(path: str, codes: tuple[str, ...]) -> dict[str, tuple[Reading, ...]]:
    return {f"{path}:{code}": YES_NO for code in codes}


@pytest.mark.parametrize("codes", [(), ("none",), ("none", "ambulant")])
@pytest.mark.parametrize("by_policy", [True, False])
def test_one_of_means_being_in_the_set(codes: tuple[str, ...], by_policy: bool) -> None:
    """`one_of` is being one of the codes; one of none is never, whatever is known."""
    given: Anything = Param("codes") if by_policy else [NightCover(code) for code in codes]
    domains: dict[str, tuple[Reading, ...]] = {"scheme.night_cover": tuple(code.value for code in NightCover)}
    expr = scheme.night_cover.one_of(given)
    assert isinstance(expr, OneOf)
    _check(expr, domains, lambda facts: facts["scheme.night_cover"] in codes, {"codes": codes})


def test_one_of_all_codes_is_still_unknown_of_an_unknown() -> None:
    """Kleene's logic does not reason by cases: a comparison with an unknown fact is unknown."""
    expr = scheme.night_cover.one_of(list(NightCover))
    assert meaning(expr, {"scheme.night_cover": UNKNOWN}) is None


@pytest.mark.parametrize(
    "table",
    [
        (),
        (("opioids", "stimulants"),),
        (("alcohol", "opioids"), ("opioids", "stimulants"), ("cocaine", "multiple")),
    ],
)
def test_clash_means_a_pair_of_the_table_either_way_round(table: tuple[tuple[str, str], ...]) -> None:
    """`clashes_with` is being a pair of the table, whichever of the two is which."""
    left, right = "applicant.main_substance", "resident.main_substance"
    expr = applicant.main_substance.clashes_with(resident.main_substance, Param("table"))
    assert isinstance(expr, Clash)
    pairs = {frozenset(pair) for pair in table}
    domains: dict[str, tuple[Reading, ...]] = {left: SUBSTANCES, right: SUBSTANCES}
    _check(expr, domains, lambda facts: {facts[left], facts[right]} in pairs, {"table": table})


@pytest.mark.parametrize("within", [(), ("alarm",), ("alarm", "two_exits", "weapon_check")])
@pytest.mark.parametrize("by_policy", [True, False])
def test_lacks_means_something_needed_is_not_offered(within: tuple[str, ...], by_policy: bool) -> None:
    """`not_met_by` is needing one of these that is not offered."""
    needed, offered = "applicant.risk_measures", "scheme.measures"
    given: Anything = Param("within") if by_policy else [Measure(code) for code in within]
    expr = applicant.risk_measures.not_met_by(scheme.measures, given)
    assert isinstance(expr, Lacks)
    _check(
        expr,
        _of(needed, within) | _of(offered, within),
        lambda facts: any(facts[f"{needed}:{code}"] and not facts[f"{offered}:{code}"] for code in within),
        {"within": within},
    )


def _few_unknown(paths_: tuple[str, ...]) -> Iterator[dict[str, Reading]]:
    """Yield worlds of yes-or-no facts that are all no but for one or two."""
    for chosen in itertools.combinations(paths_, 2):
        for values in itertools.product((True, False, UNKNOWN), repeat=2):
            facts: dict[str, Reading] = dict.fromkeys(paths_, False)
            facts |= {path: cast("Reading", value) for path, value in zip(chosen, values, strict=True)}
            yield facts


def test_lacks_without_a_limit_looks_at_all_codes() -> None:
    """Without a limit, any code that is needed and not offered counts."""
    codes = [code.value for code in Measure]
    needed, offered = "applicant.risk_measures", "scheme.measures"
    expr = applicant.risk_measures.not_met_by(scheme.measures)
    every = tuple(f"{path}:{code}" for path in (needed, offered) for code in codes)
    for facts in _few_unknown(every):
        expected = _agreed(
            facts,
            dict.fromkeys(every, YES_NO),
            lambda full: any(full[f"{needed}:{code}"] and not full[f"{offered}:{code}"] for code in codes),
        )
        assert meaning(expr, facts) is expected


def test_disjoint_means_nothing_in_common() -> None:
    """`disjoint_from` is having no code in common, also where both have none."""
    one, other = "applicant.target_groups", "scheme.target_groups"
    expr = applicant.target_groups.disjoint_from(scheme.target_groups)
    assert isinstance(expr, Disjoint)
    codes = [code.value for code in VOCABULARY[one].codes or ()]
    every = tuple(f"{path}:{code}" for path in (one, other) for code in codes)
    for facts in _few_unknown(every):
        expected = _agreed(
            facts,
            dict.fromkeys(every, YES_NO),
            lambda full: not any(full[f"{one}:{code}"] and full[f"{other}:{code}"] for code in codes),
        )
        assert meaning(expr, facts) is expected


def test_nonempty_means_having_a_code() -> None:
    """`nonempty` is having at least one code."""
    codes = [code.value for code in Measure]
    expr = applicant.risk_measures.nonempty
    assert isinstance(expr, Nonempty)
    every = tuple(f"applicant.risk_measures:{code}" for code in codes)
    for facts in _few_unknown(every):
        expected = _agreed(facts, dict.fromkeys(every, YES_NO), lambda full: any(full[p] for p in every))
        assert meaning(expr, facts) is expected


@pytest.mark.parametrize("option", ["open", "with", "without"])
def test_chosen_means_the_policys_choice(option: str) -> None:
    """`Chosen` is settled by the policy, and takes what it settles away with it."""
    expr = Chosen(Param("side"), "with")
    settled = option == "with"
    assert bind(expr, {"side": option}) == Truth(settled)
    assert bind(~expr, {"side": option}) == Truth(not settled)
    assert bind(expr & A, {"side": option}) == (A if settled else Truth(value=False))
    assert bind(expr | A, {"side": option}) == (Truth(value=True) if settled else A)
    assert bind(expr & A & B, {"side": option}) == (All((A, B)) if settled else Truth(value=False))


def test_numbers_of_the_policy_are_put_in() -> None:
    """A parameter becomes its number wherever a number stands."""
    params: dict[str, ParamValue] = {"n": 7}
    assert bind(applicant.age < Param("n"), params) == Test("applicant.age", Op.LT, 7)
    assert bind(case.as_of > applicant.needs_valid_until.plus(Param("n")), params) == Test(
        "case.as_of", Op.GT, Ref("applicant.needs_valid_until", 7)
    )
    counted = AtLeast("x", Range.RESIDENT, resident.days_lived <= Param("n"), count=Param("n"))
    assert bind(counted, params) == AtLeast(
        "x", Range.RESIDENT, Test("resident.days_lived", Op.LE, 7), count=7
    )
    shared = AtLeast("x", Range.RESIDENT, resident.rop, percent=Param("n"))
    assert bind(shared, params) == AtLeast("x", Range.RESIDENT, resident.rop, percent=7)


@pytest.mark.parametrize("a", THREE)
@pytest.mark.parametrize("b", THREE)
@pytest.mark.parametrize("side", ["with", "open"])
def test_binding_does_not_change_what_joined_parts_mean(a: Truth3, b: Truth3, side: str) -> None:
    """And, or and not mean the same before and after a choice is settled."""
    chosen = Chosen(Param("side"), "with")
    constant = Truth(side == "with")
    builds: tuple[Callable[[Expr], Expr], ...] = (
        lambda c: (c & A) | ~B,
        lambda c: ~(c | A) & B,
        lambda c: ~(~c & ~A) & (B | c),
        lambda c: (A | (c & B)) & ~(c & A),
    )
    for build in builds:
        expected = truth(build(constant), world(_ab(a, b)))
        assert truth(bind(build(chosen), {"side": side}), world(_ab(a, b))) is expected


def test_learning_a_fact_never_turns_an_answer() -> None:
    """Where a bound expression is certain, it stays so whatever more is learnt."""
    expr = bind(
        (unit.lift | (unit.floor <= 1)) & ~applicant.needs.has(Need.LIFT) | (unit.floor > Param("n")),
        {"n": 3},
    )
    domains: dict[str, tuple[Reading, ...]] = {
        "unit.lift": YES_NO,
        "unit.floor": (0, 1, 2, 3, 4),
        "applicant.needs:lift": YES_NO,
    }
    for facts in _worlds(domains):
        answer = truth(expr, world(facts))
        if answer is not None:
            assert _agreed(facts, domains, lambda full: truth(expr, world(full)) is True) is answer


# ---------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("kind", "good", "read", "bad"),
    [
        (Number("years", 18, 40), (18, 25, 40), (18, 25, 40), (17, 41, 18.0, True, "18", None, [18])),
        (Choice(("open", "with")), ("open", "with"), ("open", "with"), ("", "Open", None, 1, ["open"], True)),
        (
            Codes(NightCover),
            (["none"], ("on_site", "none", "none")),
            (("none",), ("none", "on_site")),
            ([], "none", None, 1, {"none": 1}, ["nobody"], [1], [None], [["none"]]),
        ),
        (
            Pairs(NightCover),
            ([["none", "on_site"], ("on_site", "none")],),
            ((("none", "on_site"),),),
            ([], "none", None, {}, [["none"]], [["none", "none"]], [["none", "x"]], [3], [["none", None]]),
        ),
    ],
)
def test_a_kind_of_parameter_takes_what_fits(
    kind: Anything, good: tuple[Anything, ...], read: tuple[Anything, ...], bad: tuple[Anything, ...]
) -> None:
    """What fits is read in a fixed order; what does not fit is refused with what is expected."""
    assert tuple(kind.check(value) for value in good) == read
    for value in bad:
        with pytest.raises(ValueError, match=r".+"):
            kind.check(value)
