"""The workload: twelve rules, invented municipalities of any size, and the right answer.

The rules are those that the floor was set with: five about each resident, two about the living group, five
about the unit. They are written in our rule language over our vocabulary; where the vocabulary has no such
fact, the nearest of the same form stands in for it:

====================  ==============================================================================
rule                  stands for
====================  ==============================================================================
pair-gender           gender differs
pair-enemies          known enemies; entries of the register of conflicts about those who live here,
                      unknown where nobody has asked about conflicts
pair-substance        stimulants beside opioids
pair-age              somebody young beside an older heavy user, either way round
pair-harm             somebody who is easily exploited beside somebody who is violent, either way round:
                      `vulnerable`, and a risk assessed as high
group-rop             ROP is required and the applicant has none; or the house is not meant for all
                      (target group `general`), the applicant has ROP and a resident has not
group-risk            an applicant with some risk, where a quarter of the residents have one: `violence`
                      possible or high; the limit is a share that the policy sets, since a house has
                      no fact for it
unit-lift             needs a lift, there is none, and the unit is not on the ground
unit-ground           needs the ground floor
unit-stay             a number of the applicant against a number of the unit. It stands for *staff below
                      what is needed*: the vocabulary has no number of staff, and this is its
                      comparison of the same form: months needed, and months allowed
unit-size             too many live together: homes in the scheme against the policy's limit
unit-visits           a house rule against how the applicant lives. It stands for *sobriety demanded, and
                      the applicant uses*: no rule of ours reads sobriety, so visits by children and the
                      house's rule on them
====================  ==============================================================================

The answer for an applicant is one row for each unit, best first, as :mod:`allocator.scoring` defines it.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from allocator.codes import (
    AgreementForm,
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    EntranceForm,
    EntryRequirement,
    FactSource,
    FactStatus,
    Fittings,
    Gender,
    Measure,
    Need,
    NightCover,
    RiskHorizon,
    SchemeKind,
    Service,
    StaffRole,
    StayKind,
    SubstanceClass,
    SubstanceUse,
    TargetGroup,
    UnitStatus,
    VetoGround,
    ViolenceConclusion,
    VisitRule,
    WindowHeight,
)
from allocator.engines import Engine, Judgement, Outcome
from allocator.engines.reference import ReferenceEngine
from allocator.facts import Candidate, CaseFacts, Nearness, Range
from allocator.model import (
    Applicant,
    Assessed,
    Conflict,
    Day,
    EntryCondition,
    LivingGroup,
    Months,
    NeedsAssessment,
    Placement,
    Resident,
    RiskAssessment,
    Scheme,
    Snapshot,
    Unit,
    Veto,
    VetoFact,
    Wish,
    Wishes,
    Yes,
)
from allocator.policy import BoundRule, Policy, Warned
from allocator.rules.language import (
    AtLeast,
    Effect,
    Expr,
    Number,
    Pairs,
    Param,
    ParamType,
    ParamValue,
    Public,
    Rule,
    applicant,
    bind,
    conflict,
    resident,
    scheme,
    unit,
)
from allocator.rules.sources import Basis, Work, cite
from allocator.scoring import BASE_SCORE, Finding, findings, verdict_of

T = TypeVar("T")

Row = tuple[str, int, int, tuple[str, ...], tuple[str, ...]]
"""Unit, verdict, score, ids of the rules that somebody or something breaks, and of those unknown of any."""

SEED = 7
"""The seed of the published tables."""

AS_OF = date(2026, 11, 22)
DEFAULT_POLICY = Path(__file__).parent.parent / "fixtures" / "policies" / "default.toml"

# ------------------------------------------------------------------------------------------- the rules

_SOURCE = (cite(Work("bench", "Rules to measure with", "allocator", "2026"), "", Basis.LOCAL_CHOICE),)


def _rule(
    identifier: str,
    about: Range,
    effect: Effect,
    broken_when: Expr,
    params: dict[str, ParamType] | None = None,
) -> Rule:
    return Rule(
        id=identifier,
        carries=(),
        about=about,
        broken_when=broken_when,
        effect=effect,
        sources=_SOURCE,
        public=Public.ASSESSMENT,
        params=params or {},
    )


_young, _older = Param("young_under"), Param("older_from")
_high = ViolenceConclusion.ASSESSED_HIGH
_risky = (ViolenceConclusion.POSSIBLE, ViolenceConclusion.ASSESSED_HIGH)
_off_the_ground = (unit.floor > 1) | (unit.floor < 1)

RULES: tuple[Rule, ...] = (
    _rule("pair-gender", Range.RESIDENT, Effect.WEIGH, applicant.gender.differs_from(resident.gender)),
    _rule(
        "pair-enemies",
        Range.CONFLICT,
        Effect.BAR,
        conflict.nearness.is_(Nearness.LIVING_GROUP) & conflict.status.is_(ConflictStatus.ACTIVE),
    ),
    _rule(
        "pair-substance",
        Range.RESIDENT,
        Effect.BAR,
        applicant.main_substance.clashes_with(resident.main_substance, Param("clashing")),
        {"clashing": Pairs(SubstanceClass)},
    ),
    _rule(
        "pair-age",
        Range.RESIDENT,
        Effect.WEIGH,
        ((applicant.age < _young) & resident.heavy_use & (resident.age >= _older))
        | (applicant.heavy_use & (applicant.age >= _older) & (resident.age < _young)),
        {"young_under": Number("years", 18, 40), "older_from": Number("years", 18, 80)},
    ),
    _rule(
        "pair-harm",
        Range.RESIDENT,
        Effect.BAR,
        (applicant.vulnerable & resident.violence.is_(_high))
        | (applicant.violence.is_(_high) & resident.vulnerable),
    ),
    _rule(
        "group-rop",
        Range.UNIT,
        Effect.BAR,
        (scheme.entry_requirement.is_(EntryRequirement.ROP) & ~applicant.rop)
        | (
            ~scheme.target_groups.has(TargetGroup.GENERAL)
            & applicant.rop
            & AtLeast("without_rop", Range.RESIDENT, ~resident.rop)
        ),
    ),
    _rule(
        "group-risk",
        Range.UNIT,
        Effect.WEIGH,
        applicant.violence.one_of(_risky)
        & AtLeast(
            "with_risk",
            Range.RESIDENT,
            resident.violence.one_of(_risky),
            percent=Param("full_from_percent"),
        ),
        {"full_from_percent": Number("percent", 1, 100)},
    ),
    _rule(
        "unit-lift",
        Range.UNIT,
        Effect.BAR,
        applicant.needs.has(Need.LIFT) & _off_the_ground & ~unit.lift,
    ),
    _rule(
        "unit-ground",
        Range.UNIT,
        Effect.BAR,
        applicant.needs.has(Need.GROUND_FLOOR) & _off_the_ground,
    ),
    _rule("unit-stay", Range.UNIT, Effect.BAR, applicant.stay_months > unit.max_stay_months),
    _rule(
        "unit-size",
        Range.UNIT,
        Effect.BAR,
        scheme.unit_count > Param("at_most"),
        {"at_most": Number("units", 1, 200)},
    ),
    _rule(
        "unit-visits",
        Range.UNIT,
        Effect.BAR,
        applicant.child_visits & scheme.visit_rule.is_not(VisitRule.FREE),
    ),
)
"""The twelve rules, in the order of their ids in a row."""

RULE_IDS = tuple(rule.id for rule in RULES)
POINTS = {"pair-gender": 10, "pair-age": 5, "group-risk": 8}
YOUNG_UNDER, OLDER_FROM, FULL_FROM_PERCENT = 25, 46, 25
HOMES_BESIDE = 4
"""A house may have so many homes more than the usual number of residents."""

_VALUES: dict[str, ParamValue] = {
    "clashing": (("opioids", "stimulants"),),
    "young_under": YOUNG_UNDER,
    "older_from": OLDER_FROM,
    "full_from_percent": FULL_FROM_PERCENT,
}


def bound(rule: Rule, values: dict[str, ParamValue], points: int) -> BoundRule:
    """Return a rule with values put in."""
    params = {name: rule.params[name].check(values[name]) for name in rule.params}
    return BoundRule(
        rule=rule,
        effect=rule.effect,
        points=points,
        params=params,
        broken_when=bind(rule.broken_when, params),
        remark_when=None,
        justification=None,
    )


def workload_rules(residents: int = 8, number: int = len(RULES)) -> tuple[BoundRule, ...]:
    """Return the first *number* rules; beyond twelve, copies with other ids and limits.

    Args:
        residents: How many usually live together; the limit for the size of a house follows it.
        number: How many rules.
    """
    made: list[BoundRule] = []
    for copy in range(-(-number // len(RULES))):
        values: dict[str, ParamValue] = {
            **_VALUES,
            "young_under": YOUNG_UNDER + copy,
            "older_from": OLDER_FROM + copy,
            "full_from_percent": FULL_FROM_PERCENT + 5 * copy,
            "at_most": residents + HOMES_BESIDE + copy,
        }
        for rule in RULES:
            again = rule if copy == 0 else replace(rule, id=f"{rule.id}-{'abcdefgh'[copy]}")
            made.append(bound(again, values, POINTS.get(rule.id, 0)))
    return tuple(made[:number])


class WorkloadPolicy(Policy):
    """A policy of rules that are not in the rulebook; nothing about it is checked."""

    def __init__(self, rules: tuple[BoundRule, ...]) -> None:
        self.document = default_policy().document
        self.rules = rules
        named = "|".join(f"{rule.id} {sorted(rule.params.items())}" for rule in rules)
        self.sha256 = hashlib.sha256(named.encode()).hexdigest()

    def active(self, as_of: date) -> tuple[BoundRule, ...]:  # noqa: ARG002 - every rule is on every day
        """Return all rules."""
        return self.rules

    def warnings(self, as_of: date) -> tuple[Warned, ...]:  # noqa: ARG002 - nothing is ever due
        """Return nothing."""
        return ()


@cache
def default_policy() -> Policy:
    """Return the shipped policy for the whole rulebook."""
    return Policy(tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8")))


# -------------------------------------------------------------------------------------------- the data

RESIDENT_UNKNOWN, APPLICANT_UNKNOWN, PLACE_UNKNOWN = 3, 6, 3
"""How many percent of the facts nobody knows."""

ENEMIES_PER_MILLE = 4
MOST_ENEMIES = 320
"""How many of all residents an applicant counts as an enemy, in thousandths; three at least, and at most."""

_RECORDED = AS_OF - timedelta(days=30)
_LATER = AS_OF + timedelta(days=300)
_SPREAD = (-3, -2, -1, 0, 0, 0, 1, 2, 3)
_SUBSTANCES = (
    (60, SubstanceClass.NONE),
    (68, SubstanceClass.STIMULANTS),
    (76, SubstanceClass.OPIOIDS),
    (100, SubstanceClass.ALCOHOL),
)
_VIOLENCE = (
    (85, ViolenceConclusion.NONE_KNOWN),
    (94, ViolenceConclusion.POSSIBLE),
    (100, ViolenceConclusion.ASSESSED_HIGH),
)


_GENDER, _DAY, _YES_NO, _YES = Assessed[Gender], Assessed[Day], Assessed[bool], Assessed[Yes]
_SUBSTANCE, _USE = Assessed[SubstanceClass], Assessed[SubstanceUse]
_TARGETS, _STAY, _MONTHS = Assessed[frozenset[TargetGroup]], Assessed[StayKind], Assessed[Months]


class _Dice:
    """Chance, where a fact is unknown in so many of a hundred cases."""

    def __init__(self, seed: str, unknown: int) -> None:
        self._random = Random(seed)
        self._bits = self._random.getrandbits
        self._unknown = unknown

    def below(self, number: int) -> int:
        return self._bits(32) % number

    def maybe(self, value: T) -> T | None:
        return None if self._bits(32) % 100 < self._unknown else value

    def often(self, percent: int) -> bool:
        return self._bits(32) % 100 < percent

    def yes(self, percent: int) -> bool | None:
        return self.maybe(self.often(percent))

    def between(self, first: int, last: int) -> int:
        return first + self.below(last - first + 1)

    def pick(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]

    def shares(self, limits: Sequence[tuple[int, T]]) -> T:
        drawn = self.below(100)
        return next(value for limit, value in limits if drawn < limit)

    def some(self, values: Iterable[T], percent: int) -> frozenset[T]:
        return frozenset(value for value in values if self.often(percent))

    def sample(self, values: Sequence[T], number: int) -> list[T]:
        return self._random.sample(values, number)


@cache
def _fact(kind: type[Assessed[Any]], value: Any) -> Assessed[Any]:
    """Return an assessed fact; None was not asked. Facts of the same value are one object."""
    if value is None:
        return kind(status=FactStatus.NOT_ASKED)
    return kind(value=value, source=FactSource.STAFF, recorded_on=_RECORDED, recorded_by="NN")


@cache
def a_risk(conclusion: ViolenceConclusion | None) -> RiskAssessment:
    """Return a risk assessment that holds; None was not asked."""
    if conclusion is None:
        return RiskAssessment(status=FactStatus.NOT_ASKED)
    return RiskAssessment(
        conclusion=conclusion,
        horizon=RiskHorizon.LONG,
        source=FactSource.ASSESSMENT,
        assessed_on=_RECORDED,
        assessor_role="NN",
        valid_until=_LATER,
        measures=frozenset({Measure.ALARM}) if conclusion is _high else frozenset(),
    )


def _person(dice: _Dice) -> dict[str, Any]:
    born = date(AS_OF.year - dice.between(18, 70), 1, 1)
    substance = dice.maybe(dice.shares(_SUBSTANCES))
    return {
        "gender": _fact(_GENDER, dice.maybe(Gender.MAN if dice.often(75) else Gender.WOMAN)),
        "birth_date": _fact(_DAY, dice.maybe(born)),
        "main_substance": _fact(_SUBSTANCE, substance),
        "substance_use": _fact(
            _USE,
            dice.maybe(SubstanceUse.ACTIVE if dice.often(70) else SubstanceUse.FORMER),
        ),
        "heavy_use": _fact(_YES_NO, dice.yes(25)),
        "vulnerable": _fact(_YES_NO, dice.yes(10)),
        "risk": a_risk(dice.maybe(dice.shares(_VIOLENCE))),
        "rop": _fact(_YES_NO, dice.yes(50)),
        "child_visits": _fact(_YES_NO, dice.yes(15)),
    }


def _open_unit(identifier: str, dice: _Dice) -> Unit:
    return Unit(
        id=identifier,
        status=UnitStatus.VACANT,
        vacant_since=AS_OF - timedelta(days=dice.between(1, 200)),
        floor=dice.maybe(1 if dice.often(40) else dice.between(2, 4)),
        lift=dice.yes(50),
        step_free=dice.yes(60),
        area_m2=dice.maybe(dice.between(25, 70)),
        bedroom=dice.yes(70),
        exits=dice.maybe(dice.between(1, 2)),
        window_height=dice.maybe(dice.pick(list(WindowHeight))),
        sightline_from_base=dice.yes(60),
        built_below=dice.yes(30),
        water_protected=dice.yes(60),
        ligature_safe=dice.yes(60),
        fire_safe=dice.yes(80),
        pets_allowed=dice.yes(40),
        quiet=dice.yes(60),
        max_stay_months=dice.maybe(dice.between(6, 60)),
        min_stay_months=dice.maybe(dice.between(0, 3)),
    )


def _scheme(identifier: str, group: LivingGroup, residents: int, dice: _Dice) -> Scheme:
    rop = dice.yes(15)
    targets = {TargetGroup.ROP} | ({TargetGroup.GENERAL} if dice.often(70) else set())
    return Scheme(
        id=identifier,
        name=identifier,
        kind=dice.maybe(dice.pick(list(SchemeKind))),
        target_groups=dice.maybe(frozenset(targets)),
        entry_condition=None
        if rop is None
        else EntryCondition(
            requires=EntryRequirement.ROP if rop else EntryRequirement.NONE,
            adopted=True,
            document="vedtak",
        ),
        unit_count=dice.maybe(max(len(group.units), residents + dice.between(0, 6))),
        night_cover=dice.maybe(dice.pick(list(NightCover))),
        services=dice.maybe(dice.some(Service, 70)),
        measures=dice.maybe(dice.some(Measure, 50)),
        cameras=dice.yes(30),
        entrance=dice.maybe(dice.pick(list(EntranceForm))),
        fittings=dice.maybe(dice.pick(list(Fittings))),
        near_hospital=dice.yes(30),
        near_transport=dice.yes(70),
        activities_on_site=dice.yes(50),
        institution_like=dice.yes(20),
        visit_rule=dice.maybe(VisitRule.BY_APPOINTMENT if dice.often(20) else VisitRule.FREE),
        first_agreement=dice.maybe(dice.pick(list(AgreementForm))),
        agreement_max_months=dice.maybe(dice.between(12, 60)),
        agreement_leads_to_tenancy=dice.yes(50),
        living_groups=(group,),
    )


def _applicant(identifier: str, dice: _Dice, schemes: Sequence[str]) -> Applicant:
    needs = NeedsAssessment(
        needs=dice.some(Need, 10) | dice.some((Need.LIFT, Need.GROUND_FLOOR), 15),
        services=dice.some(Service, 20),
        source=FactSource.ASSESSMENT,
        assessed_on=_RECORDED,
        assessor_role="NN",
        valid_until=_LATER,
    )
    wished = tuple(Wish(scheme=dice.pick(schemes), rank=1) for _ in range(dice.between(0, 1)))
    return Applicant(
        id=identifier,
        waiting_since=_RECORDED,
        needs=dice.maybe(needs) or NeedsAssessment(status=FactStatus.NOT_ASKED),
        target_groups=_fact(_TARGETS, dice.maybe(frozenset({TargetGroup.ROP}))),
        wishes=dice.maybe(Wishes(obtained_on=_RECORDED, preferred=wished)),
        placement=Placement(
            stay=_fact(_STAY, dice.maybe(dice.pick(list(StayKind)))),
            stay_months=_fact(_MONTHS, dice.maybe(dice.between(1, 24))),
        ),
        conflicts_asked=_fact(_YES, dice.maybe(value=True)),
        orders_checked=_fact(_YES, dice.maybe(value=True)),
        **_person(dice),
    )


def _conflict(identifier: str, one: str, other: str) -> Conflict:
    return Conflict(
        id=identifier,
        party=one,
        counterpart=other,
        kind=ConflictKind.ENEMY,
        direction=ConflictDirection.MUTUAL,
        status=ConflictStatus.ACTIVE,
        confirmed=True,
        source=FactSource.STAFF,
        recorded_on=_RECORDED,
        reach=ConflictReach.SCHEME,
    )


def _veto(identifier: str, whom: str, where: str) -> Veto:
    return Veto(
        id=identifier,
        applicant=whom,
        unit=where,
        ground=VetoGround.STAFF_SAFETY,
        fact=VetoFact(observed_on=_RECORDED, source=FactSource.STAFF, text="Oppdiktet."),
        author_role=StaffRole.SCHEME_STAFF,
        raised_on=_RECORDED,
        valid_until=_LATER,
    )


def municipality(units: int, residents: int = 8, applicants: int = 64, seed: int = SEED) -> Snapshot:
    """Return an invented municipality: *units* open units, each with a living group and a scheme of its own.

    The units and residents do not depend on how many apply.

    Args:
        units: Number of open units.
        residents: How many usually live in a living group; some are a little larger or smaller.
        applicants: Number of applicants.
        seed: Another seed gives others.
    """
    homes = _Dice(f"homes {seed} {units} {residents}", PLACE_UNKNOWN)
    people = _Dice(f"people {seed} {units} {residents}", RESIDENT_UNKNOWN)
    asking = _Dice(f"asking {seed} {units} {residents}", APPLICANT_UNKNOWN)
    home = Unit(id="home", status=UnitStatus.OCCUPIED)
    anybody = Resident(id="anybody", unit="home")
    schemes: list[Scheme] = []
    living: list[Resident] = []
    open_units = [f"u{number:06d}" for number in range(units)]
    for name in open_units:
        size = max(1, residents + homes.pick(_SPREAD) * residents // 8)
        lived_in = [home.model_copy(update={"id": f"{name}-{i:02d}"}) for i in range(size)]
        group = LivingGroup(id=f"g{name}", name=name, units=(_open_unit(name, homes), *lived_in))
        schemes.append(_scheme(f"s{name}", group, residents, homes))
        living += [
            anybody.model_copy(
                update={
                    "id": f"r{place.id}",
                    "unit": place.id,
                    "moved_in": AS_OF - timedelta(days=people.between(1, 2000)),
                    **_person(people),
                }
            )
            for place in lived_in
        ]
    scheme_ids = [scheme.id for scheme in schemes]
    who = [f"a{number:04d}" for number in range(applicants)]
    asked = [_applicant(name, asking, scheme_ids) for name in who]
    everybody = [resident.id for resident in living]
    enemies = min(len(everybody), max(3, min(MOST_ENEMIES, len(everybody) * ENEMIES_PER_MILLE // 1000)))
    return Snapshot(
        as_of=AS_OF,
        schemes=tuple(schemes),
        residents=tuple(living),
        applicants=tuple(asked),
        conflicts=tuple(
            _conflict(f"k{name}-{i}", name, other)
            for name in who
            for i, other in enumerate(sorted(asking.sample(everybody, enemies)))
        ),
        vetoes=tuple(_veto(f"v{name}", name, asking.pick(open_units)) for name in who),
    )


@dataclass(frozen=True)
class Case:
    """A municipality, read into facts, with the rules to rank by."""

    snapshot: Snapshot
    policy: Policy

    @cached_property
    def facts(self) -> CaseFacts:
        """The facts, read once."""
        return CaseFacts(self.snapshot)

    @cached_property
    def rules(self) -> tuple[BoundRule, ...]:
        """The rules that are on."""
        return self.policy.active(self.snapshot.as_of)

    @cached_property
    def units(self) -> tuple[str, ...]:
        """The open units, by id."""
        return tuple(
            name
            for name, place in sorted(self.facts.places.items())
            if place.unit.status is not UnitStatus.OCCUPIED
        )

    @cached_property
    def applicants(self) -> tuple[str, ...]:
        """The applicants, by id."""
        return tuple(sorted(self.facts.applicants))

    def under(self, policy: Policy) -> Case:
        """Return the same municipality under other rules; its facts are read no second time."""
        other = Case(self.snapshot, policy)
        other.__dict__["facts"] = self.facts
        return other


def make_case(
    units: int, residents: int = 8, applicants: int = 64, seed: int = SEED, rules: int = len(RULES)
) -> Case:
    """Return a municipality with the workload's rules."""
    snapshot = municipality(units, residents, applicants, seed)
    return Case(snapshot, WorkloadPolicy(workload_rules(residents, rules)))


# ------------------------------------------------------------------------------------- the right answer


def judged(case: Case, engine: Engine, applicant_id: str, units: Iterable[str]) -> list[tuple[str, Findings]]:
    """Return the findings for each unit, as an engine and :mod:`allocator.scoring` give them."""
    candidates = [case.facts.candidate(applicant_id, name) for name in units]
    return [
        (candidate.place.unit.id, _findings(candidate, case.rules, judgement))
        for candidate, judgement in zip(candidates, engine.judge(candidates), strict=True)
    ]


Findings = tuple[Finding, ...]


def _findings(candidate: Candidate, rules: tuple[BoundRule, ...], judgement: Judgement) -> Findings:
    return findings(candidate, rules, judgement)


def row(name: str, found: Findings) -> Row:
    """Return the row of one unit."""
    return (
        name,
        int(verdict_of(found)),
        BASE_SCORE + sum(finding.points for finding in found),
        tuple(dict.fromkeys(f.rule.id for f in found if f.outcome is Outcome.BROKEN)),
        tuple(dict.fromkeys(f.rule.id for f in found if f.outcome is Outcome.UNKNOWN)),
    )


def in_order(rows: list[Row]) -> list[Row]:
    """Return rows best first: by verdict, score and id."""
    return sorted(rows, key=lambda found: (found[1], -found[2], found[0]))


def right_answer(case: Case, applicant_id: str, units: Iterable[str] | None = None) -> list[Row]:
    """Return the rows that every peer must give, by the reference engine."""
    engine = ReferenceEngine(case.rules)
    asked = judged(case, engine, applicant_id, case.units if units is None else units)
    return in_order([row(name, found) for name, found in asked])
