"""The rule language: a rule is one declarative expression over typed facts.

An expression says when a rule is *broken*. It is data: nothing in it runs. Five readers take it: the
reference engine, ``durable_rules``, the columnar engine, the prover and the texts. What an expression means
is Kleene's strong three-valued logic: a comparison with an unknown fact is unknown; *and* is false if one
part is false; *or* is true if one part is true. There is no way to ask whether a fact is known, so learning
a fact can never turn one certain answer into the other.

Rules are written with the subjects below (``applicant``, ``resident``, ``unit`` ...)::

    broken_when=applicant.gender.differs_from(resident.gender)

A subject knows its facts: a misspelt one, or a comparison that does not fit its type, fails at import.
Numbers and tables that a municipality decides are parameters (:class:`Param`), declared by the rule and
given by the policy. :func:`bind` puts them in and leaves only the core: `Test`, `All`, `Any`, `Not`,
`AtLeast` and `Truth`. Engines read the core.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any as Anything

from allocator.facts import (
    COMMON_SUBJECTS,
    SUBJECT_FACTS,
    VOCABULARY,
    FactType,
    Kind,
    Protected,
    Range,
    fact_type,
)
from allocator.model import expecting
from allocator.rules.sources import FIXED_BASES, Basis, Citation, Contradiction


class RuleError(TypeError):
    """A rule that cannot be built: says which and why."""


# ------------------------------------------------------------------------------------------ expressions


class Op(StrEnum):
    """Comparisons. The left side is always a fact."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


class Expr:
    """A three-valued expression."""

    def __and__(self, other: Expr) -> Expr:
        return All((*_parts(All, self), *_parts(All, other)))

    def __or__(self, other: Expr) -> Expr:
        return Any((*_parts(Any, self), *_parts(Any, other)))

    def __invert__(self) -> Expr:
        return Not(self)

    def __bool__(self) -> bool:
        raise RuleError("an expression has no truth of its own; write `&`, `|`, `~` for and, or, not")


def _parts(kind: type[All | Any], expr: Expr) -> tuple[Expr, ...]:
    return expr.parts if isinstance(expr, kind) else (expr,)


@dataclass(frozen=True)
class Param:
    """A value that the policy gives."""

    name: str


@dataclass(frozen=True)
class Ref:
    """The value of another fact, plus a number (of days, for a date)."""

    path: str
    plus: int | Param = 0


Operand = bool | int | str | date | Param | Ref


@dataclass(frozen=True)
class Test(Expr):
    """A fact compared with a value, a parameter or another fact. Unknown if either fact is."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    path: str
    op: Op
    right: Operand


@dataclass(frozen=True)
class All(Expr):
    """And."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True)
class Any(Expr):
    """Or."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True)
class Not(Expr):
    """Not."""

    part: Expr


@dataclass(frozen=True)
class Truth(Expr):
    """A constant; appears only where a parameter has settled a part of an expression."""

    value: bool


@dataclass(frozen=True)
class AtLeast(Expr):
    """At least so many members of a range, or so many percent of them, fulfil *where*.

    With `percent`, an empty range never reaches the limit.

    Attributes:
        name: What is counted, a key of the texts (``recent_move_ins``).
        over: The range whose members are counted.
        where: What is counted, about one member.
        count: Limit as a number of members; used when `percent` is None.
        percent: Limit as a share of the members.
    """

    name: str
    over: Range
    where: Expr
    count: int | Param = 1
    percent: int | Param | None = None

    def needed(self, members: int) -> int:
        """Return how many of *members* must fulfil *where*; only once the parameters are bound."""
        if self.percent is None:
            assert isinstance(self.count, int)
            return self.count
        assert isinstance(self.percent, int)
        return max(1, -(-self.percent * members // 100))


# Forms that `bind` rewrites into the core, once the policy's values are known.


@dataclass(frozen=True)
class OneOf(Expr):
    """A code is one of a set."""

    path: str
    codes: tuple[str, ...] | Param


@dataclass(frozen=True)
class Clash(Expr):
    """Two codes stand against each other in a table of pairs, whichever way round."""

    left: str
    right: str
    table: Param


@dataclass(frozen=True)
class Lacks(Expr):
    """Something needed is not offered, among *within* (all codes if None)."""

    needed: str
    offered: str
    within: tuple[str, ...] | Param | None = None


@dataclass(frozen=True)
class Disjoint(Expr):
    """Two sets of codes have nothing in common."""

    left: str
    right: str


@dataclass(frozen=True)
class Nonempty(Expr):
    """A set of codes has at least one."""

    path: str


@dataclass(frozen=True)
class Chosen(Expr):
    """The policy has chosen this option for a parameter."""

    param: Param
    option: str


# --------------------------------------------------------------------------------- facts as rules see them


def _code(value: StrEnum | str, codes: type[StrEnum] | None, path: str) -> str:
    if codes is None or str(value) not in {code.value for code in codes}:
        raise RuleError(f"`{path}` has no code `{value}`")
    return str(value)


@dataclass(frozen=True)
class YesNo(Test):
    """A yes-or-no fact; used as an expression it means *yes*."""

    op: Op = Op.EQ
    right: Operand = True


@dataclass(frozen=True)
class Ordered:
    """A number or a date."""

    type: FactType

    def _compare(self, op: Op, other: Anything) -> Test:
        path = self.type.path
        if isinstance(other, Ordered):
            other = Ref(other.type.path)
        if isinstance(other, Ref):
            if fact_type(other.path).kind is not self.type.kind:
                raise RuleError(f"`{path}` and `{other.path}` are not of one kind")
        elif isinstance(other, Param):
            if self.type.kind is not Kind.INT:
                raise RuleError(f"`{path}` is a date; compare it with a date")
        elif type(other) is not int or self.type.kind is not Kind.INT:
            raise RuleError(f"`{path}` cannot be compared with {type(other).__name__}")
        return Test(path, op, other)

    def __lt__(self, other: Anything) -> Test:
        return self._compare(Op.LT, other)

    def __le__(self, other: Anything) -> Test:
        return self._compare(Op.LE, other)

    def __gt__(self, other: Anything) -> Test:
        return self._compare(Op.GT, other)

    def __ge__(self, other: Anything) -> Test:
        return self._compare(Op.GE, other)

    def plus(self, number: int | Param) -> Ref:
        """Return this value plus a number (of days, for a date), for the right side of a comparison."""
        return Ref(self.type.path, number)


@dataclass(frozen=True)
class Coded:
    """A code."""

    type: FactType

    def is_(self, code: StrEnum) -> Test:
        """Is this code."""
        return Test(self.type.path, Op.EQ, _code(code, self.type.codes, self.type.path))

    def is_not(self, code: StrEnum) -> Test:
        """Is known to be another code."""
        return Test(self.type.path, Op.NE, _code(code, self.type.codes, self.type.path))

    def differs_from(self, other: Coded) -> Test:
        """Both are known, and differ."""
        if other.type.codes is not self.type.codes:
            raise RuleError(f"`{self.type.path}` and `{other.type.path}` have different codes")
        return Test(self.type.path, Op.NE, Ref(other.type.path))

    def one_of(self, codes: Iterable[StrEnum] | Param) -> OneOf:
        """Is one of these codes."""
        if isinstance(codes, Param):
            return OneOf(self.type.path, codes)
        return OneOf(self.type.path, tuple(_code(code, self.type.codes, self.type.path) for code in codes))

    def clashes_with(self, other: Coded, table: Param) -> Clash:
        """Stand against each other in the policy's table."""
        if other.type.codes is not self.type.codes:
            raise RuleError(f"`{self.type.path}` and `{other.type.path}` have different codes")
        return Clash(self.type.path, other.type.path, table)


Told = Ordered | Coded
"""A fact that an explanation may give."""


@dataclass(frozen=True)
class CodeSet:
    """A set of codes; each code is a yes-or-no fact of its own."""

    type: FactType

    def has(self, code: StrEnum) -> Test:
        """Contains this code."""
        return Test(f"{self.type.path}:{_code(code, self.type.codes, self.type.path)}", Op.EQ, right=True)

    @property
    def nonempty(self) -> Nonempty:
        """Contains at least one code."""
        return Nonempty(self.type.path)

    def not_met_by(self, offered: CodeSet, within: Iterable[StrEnum] | Param | None = None) -> Lacks:
        """Contains a code that *offered* lacks."""
        self._same_codes(offered)
        codes = (
            within
            if within is None or isinstance(within, Param)
            else tuple(_code(code, self.type.codes, self.type.path) for code in within)
        )
        return Lacks(self.type.path, offered.type.path, codes)

    def disjoint_from(self, other: CodeSet) -> Disjoint:
        """Has no code in common with *other*."""
        self._same_codes(other)
        return Disjoint(self.type.path, other.type.path)

    def _same_codes(self, other: CodeSet) -> None:
        if other.type.codes is not self.type.codes:
            raise RuleError(f"`{self.type.path}` and `{other.type.path}` have different codes")


class Subject:
    """A namespace of facts: ``applicant.age`` is the fact of that path."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._facts = {fact.path.partition(".")[2]: fact for fact in SUBJECT_FACTS[name]}

    def __getattr__(self, name: str) -> Anything:
        fact = self._facts.get(name)
        if fact is None:
            known = ", ".join(sorted(self._facts))
            raise RuleError(f"`{self._name}` has no fact `{name}`; it has: {known}")
        match fact.kind:
            case Kind.BOOL:
                return YesNo(fact.path)
            case Kind.INT | Kind.DATE:
                return Ordered(fact)
            case Kind.CODE:
                return Coded(fact)
            case Kind.CODES:
                return CodeSet(fact)


case = Subject("case")
applicant = Subject("applicant")
choice = Subject("choice")
unit = Subject("unit")
group = Subject("group")
scheme = Subject("scheme")
resident = Subject("resident")
conflict = Subject("conflict")
order = Subject("order")
veto = Subject("veto")


# ---------------------------------------------------------------------------------------- parameters


class UnfitError(ValueError):
    """A value that does not fit a parameter.

    Attributes:
        problem: What is expected instead, at a place that is left open.
    """

    def __init__(self, template: str, **values: object) -> None:
        self.problem = expecting("", template, **values)
        super().__init__(self.problem.expected)


@dataclass(frozen=True)
class Number:
    """A whole number within limits; `unit` is a key of the texts."""

    unit: str
    minimum: int
    maximum: int

    def check(self, value: object) -> int:
        """Return *value* if it fits, else raise UnfitError saying what is expected."""
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            expected = "a whole number from {least} to {most} ({unit})"
            raise UnfitError(expected, least=self.minimum, most=self.maximum, unit=self.unit)
        return value


@dataclass(frozen=True)
class Codes:
    """A set of codes of one list."""

    codes: type[StrEnum]

    def check(self, value: object) -> tuple[str, ...]:
        """Return *value* sorted if it fits, else raise UnfitError saying what is expected."""
        allowed = {code.value for code in self.codes}
        unfit = UnfitError(
            "a list of one or more codes out of: {options}", options=", ".join(sorted(allowed))
        )
        if not isinstance(value, list | tuple) or not value:
            raise unfit
        if not all(isinstance(v, str) and v in allowed for v in value):
            raise unfit
        return tuple(sorted(set(value)))


@dataclass(frozen=True)
class Pairs:
    """A table of pairs of codes that stand against each other."""

    codes: type[StrEnum]

    def check(self, value: object) -> tuple[tuple[str, str], ...]:
        """Return *value* in a fixed order if it fits, else raise UnfitError saying what is expected."""
        allowed = {code.value for code in self.codes}
        unfit = UnfitError(
            "a list of one or more pairs of different codes out of: {options}",
            options=", ".join(sorted(allowed)),
        )
        if not isinstance(value, list | tuple) or not value:
            raise unfit
        pairs = set()
        for pair in value:
            if not isinstance(pair, list | tuple) or not all(
                isinstance(c, str) and c in allowed for c in pair
            ):
                raise unfit
            match sorted(pair):
                case [one, other] if one != other:
                    pairs.add((one, other))
                case _:
                    raise unfit
        return tuple(sorted(pairs))


@dataclass(frozen=True)
class Choice:
    """One of a few named options."""

    options: tuple[str, ...]

    def check(self, value: object) -> str:
        """Return *value* if it is an option, else raise UnfitError saying what is expected."""
        if not isinstance(value, str) or value not in self.options:
            raise UnfitError("one of: {options}", options=", ".join(self.options))
        return value


ParamType = Number | Codes | Pairs | Choice
ParamValue = int | str | tuple[str, ...] | tuple[tuple[str, str], ...]


# ---------------------------------------------------------------------------------------------- rules


class Effect(IntEnum):
    """What a broken rule does; a higher number is a stronger effect."""

    NOTE = 0
    WEIGH = 1
    ADVISE_AGAINST = 2
    BAR = 3

    @property
    def code(self) -> str:
        """The name used in documents."""
        return self.name.lower()

    @classmethod
    def of(cls, code: str) -> Effect:
        """Return the effect of that name. Raises KeyError for any other."""
        return {effect.code: effect for effect in cls}[code]


class Public(StrEnum):
    """Public reason codes: what an applicant may be told a rule is about (REQ-FVL-2b).

    `LIVING_ENVIRONMENT` is shared by rules that stem from other persons and rules that do not.
    """

    LIVING_ENVIRONMENT = "living_environment"
    DWELLING = "dwelling"
    SERVICES = "services"
    TARGET_GROUP = "target_group"
    AVAILABILITY = "availability"
    AGREEMENT = "agreement"
    OWN_WISH = "own_wish"
    ASSESSMENT = "assessment"


@dataclass(frozen=True)
class Rule:
    """One cited check.

    Attributes:
        id: Name of the rule, in lower case with hyphens; never reused.
        carries: Which of R-01 to R-28 of the domain brief it carries.
        about: What the rule is checked for: the unit, or each member of a range.
        broken_when: The expression.
        effect: Default effect; the policy may change it, unless the basis fixes it.
        sources: Where the rule comes from and with what authority.
        public: What an applicant may be told it is about.
        params: Values that the policy must give.
        shared_points: The points are divided among the members of the range, so that the sum says which
            share of them the rule is broken for. A part is rounded up: a broken rule always costs.
        remark_when: If true, the explanation carries the rule's remark.
        contradiction: Evidence that points both ways; the explanation shows both sides.
        own_need: The rule serves the applicant's own need for accommodation (REQ-LDL-7).
        confidential: Only cleared readers may learn what the finding is about.
        tells: Facts that the explanation gives though the rule does not turn on them.
    """

    id: str
    carries: tuple[str, ...]
    about: Range
    broken_when: Expr
    effect: Effect
    sources: tuple[Citation, ...]
    public: Public
    params: Mapping[str, ParamType] = field(default_factory=dict)
    shared_points: bool = False
    remark_when: Expr | None = None
    contradiction: Contradiction | None = None
    own_need: bool = False
    confidential: bool = False
    tells: tuple[Told, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", self.id):
            raise RuleError(f"`{self.id}`: a rule id is lower-case words with hyphens")
        if not self.sources:
            raise RuleError(f"`{self.id}`: a rule needs a citation")
        if not isinstance(self.broken_when, Expr):
            raise RuleError(f"`{self.id}`: `broken_when` is not an expression")
        if self.effect is Effect.BAR and self.bases == {Basis.STAFF_ADVICE}:
            raise RuleError(f"`{self.id}`: staff advice alone cannot be a bar by default")
        own = COMMON_SUBJECTS | {self.about.value}
        for expr in self.expressions:
            self._may_read(expr, own)
        for fact in self.tells:
            self._may_read(Test(fact.type.path, Op.EQ, ""), own)
        used = {param.name for expr in self.expressions for param in _params(expr)}
        if used != set(self.params):
            raise RuleError(
                f"`{self.id}`: used or declared, not both: {', '.join(sorted(used ^ set(self.params)))}"
            )

    def _may_read(self, expr: Expr, subjects: frozenset[str]) -> None:
        """Refuse facts of other subjects than the rule is about; what is counted has its own."""
        for part in walk(expr, counted=False):
            for path in _own_paths(part):
                if fact_type(path).subject not in subjects:
                    raise RuleError(f"`{self.id}` is about `{self.about}` and cannot read `{path}` there")
            if isinstance(part, AtLeast):
                self._may_read(part.where, COMMON_SUBJECTS | {part.over.value})

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """The rule's expressions: when it is broken, and when its remark applies."""
        return (self.broken_when,) if self.remark_when is None else (self.broken_when, self.remark_when)

    @property
    def bases(self) -> frozenset[Basis]:
        """The authorities it rests on."""
        return frozenset(citation.basis for citation in self.sources)

    @property
    def fixed(self) -> bool:
        """Whether a policy may not weaken the effect: it rests on statute, a court order or physical fact."""
        return bool(self.bases & FIXED_BASES)

    @property
    def protected(self) -> frozenset[Protected]:
        """The protected grounds it reads; each needs a justification in the policy."""
        grounds = (fact_type(path).protected for expr in self.expressions for path in paths(expr))
        return frozenset(ground for ground in grounds if ground is not None)

    @property
    def reads_others(self) -> bool:
        """Whether the outcome depends on anyone beside the applicant."""
        others = {over.value for over in Range if over is not Range.UNIT}
        return self.about is not Range.UNIT or any(
            fact_type(path).subject in others for expr in self.expressions for path in paths(expr)
        )


# ------------------------------------------------------------------------------ walking and binding


def walk(expr: Expr, *, counted: bool = True) -> Iterator[Expr]:
    """Yield *expr* and everything inside it; inside what is counted only if *counted*."""
    yield expr
    match expr:
        case All(parts) | Any(parts):
            for part in parts:
                yield from walk(part, counted=counted)
        case Not(part):
            yield from walk(part, counted=counted)
        case AtLeast(where=where) if counted:
            yield from walk(where)


def _set_paths(path: str, codes: Iterable[str] | None = None) -> tuple[str, ...]:
    kind = VOCABULARY[path].codes
    assert kind is not None
    return tuple(f"{path}:{code}" for code in (codes if codes is not None else (c.value for c in kind)))


def _own_paths(expr: Expr) -> tuple[str, ...]:
    match expr:
        case Test(path, _, Ref(other)):
            return (path, other)
        case Test(path) | OneOf(path) | Nonempty(path):
            return (path,)
        case Clash(left, right) | Lacks(left, right) | Disjoint(left, right):
            return (left, right)
        case _:
            return ()


def paths(expr: Expr, *, counted: bool = True) -> tuple[str, ...]:
    """Return the facts that an expression reads, each once, in the order they appear.

    Those read of the members that are counted are left out unless *counted*.
    """
    return tuple(dict.fromkeys(path for part in walk(expr, counted=counted) for path in _own_paths(part)))


def _params(expr: Expr) -> Iterator[Param]:
    for part in walk(expr):
        for value in vars(part).values():
            if isinstance(value, Param):
                yield value
            elif isinstance(value, Ref) and isinstance(value.plus, Param):
                yield value.plus


def _number(value: int | Param, params: Mapping[str, ParamValue]) -> int:
    number = params[value.name] if isinstance(value, Param) else value
    assert isinstance(number, int)
    return number


def _codes(value: tuple[str, ...] | Param, params: Mapping[str, ParamValue]) -> tuple[str, ...]:
    codes = params[value.name] if isinstance(value, Param) else value
    assert isinstance(codes, tuple)
    return tuple(str(code) for code in codes)


def _pairs(table: Param, params: Mapping[str, ParamValue]) -> list[tuple[str, str]]:
    pairs = params[table.name]
    assert isinstance(pairs, tuple)
    return [(pair[0], pair[1]) for pair in pairs]


def _yes(path: str) -> Test:
    return Test(path, Op.EQ, right=True)


def bind(expr: Expr, params: Mapping[str, ParamValue]) -> Expr:
    """Put the policy's values in, and rewrite every form into the core."""
    match expr:
        case All(parts):
            return _all(bind(part, params) for part in parts)
        case Any(parts):
            return _any(bind(part, params) for part in parts)
        case Not(part):
            inner = bind(part, params)
            return Truth(not inner.value) if isinstance(inner, Truth) else Not(inner)
        case AtLeast(name, over, where, count, percent):
            limit = None if percent is None else _number(percent, params)
            return AtLeast(name, over, bind(where, params), _number(count, params), limit)
        case OneOf(path, codes):
            return _any(Test(path, Op.EQ, code) for code in _codes(codes, params))
        case Clash(left, right, table):
            pairs = _pairs(table, params)
            both = [way for one, other in pairs for way in ((one, other), (other, one))]
            return _any(All((Test(left, Op.EQ, one), Test(right, Op.EQ, other))) for one, other in both)
        case Lacks(needed, offered, within):
            among = None if within is None else _codes(within, params)
            pairs_of = zip(_set_paths(needed, among), _set_paths(offered, among), strict=True)
            return _any(All((_yes(need), Not(_yes(offer)))) for need, offer in pairs_of)
        case Disjoint(left, right):
            pairs_of = zip(_set_paths(left), _set_paths(right), strict=True)
            return _all(Not(All((_yes(one), _yes(other)))) for one, other in pairs_of)
        case Nonempty(path):
            return _any(_yes(code) for code in _set_paths(path))
        case Chosen(param, option):
            return Truth(params[param.name] == option)
        case Test(path, op, Param(name)):
            value = params[name]
            assert isinstance(value, int | str)
            return Test(path, op, value)
        case Test(path, op, Ref(other, plus)):
            return Test(path, op, Ref(other, _number(plus, params)))
        case _:
            return expr


def _all(parts: Iterable[Expr]) -> Expr:
    kept: list[Expr] = []
    for part in parts:
        if isinstance(part, Truth):
            if not part.value:
                return part
        else:
            kept.extend(_parts(All, part))
    return kept[0] if len(kept) == 1 else All(tuple(kept)) if kept else Truth(value=True)


def _any(parts: Iterable[Expr]) -> Expr:
    kept: list[Expr] = []
    for part in parts:
        if isinstance(part, Truth):
            if part.value:
                return part
        else:
            kept.extend(_parts(Any, part))
    return kept[0] if len(kept) == 1 else Any(tuple(kept)) if kept else Truth(value=False)
