"""Plain objects: dataclasses, None for unknown, and each rule a function that somebody wrote by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from allocator.codes import EntryRequirement, Gender, Need, TargetGroup, ViolenceConclusion, VisitRule
from allocator.facts import Facts, Missing, Reading
from allocator.rules.language import Effect
from allocator.scoring import BASE_SCORE, Verdict
from bench.encoded import Encoded
from bench.workload import (
    FULL_FROM_PERCENT,
    OLDER_FROM,
    POINTS,
    RULE_IDS,
    RULES,
    YOUNG_UNDER,
    Case,
    Row,
    in_order,
)

Three = bool | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who applies or lives there."""

    id: str
    woman: Three
    stimulants: Three
    opioids: Three
    age: int | None
    heavy: Three
    vulnerable: Three
    violent: Three
    risky: Three
    rop: Three


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who applies."""

    person: Person
    enemies: frozenset[str]
    enemies_asked: bool
    needs_lift: Three
    needs_ground: Three
    stay: int | None
    child_visits: Three


@dataclass(frozen=True, slots=True)
class House:
    """An open unit and the house it is in."""

    id: str
    residents: tuple[Person, ...]
    rop_required: Three
    for_all: Three
    on_ground: Three
    lift: Three
    max_stay: int | None
    homes: int | None
    free_visits: Three


@dataclass(slots=True)
class Found:
    """What one rule comes to for one resident, or for the unit."""

    rule: str
    broken: Three
    points: int
    about: str | None


def every(*parts: Three) -> Three:
    """Return *and* of three-valued truths."""
    unknown = False
    for part in parts:
        if part is False:
            return False
        if part is None:
            unknown = True
    return None if unknown else True


def some(*parts: Three) -> Three:
    """Return *or* of three-valued truths."""
    unknown = False
    for part in parts:
        if part is True:
            return True
        if part is None:
            unknown = True
    return None if unknown else False


def negated(part: Three) -> Three:
    """Return *not* of a three-valued truth."""
    return None if part is None else not part


def _gender(mine: Applicant, other: Person) -> Three:
    if mine.person.woman is None or other.woman is None:
        return None
    return mine.person.woman is not other.woman


def _enemies(mine: Applicant, other: Person) -> Three:
    return other.id in mine.enemies


def _substance(mine: Applicant, other: Person) -> Three:
    me = mine.person
    return some(every(me.stimulants, other.opioids), every(me.opioids, other.stimulants))


def _young(person: Person) -> Three:
    return None if person.age is None else person.age < YOUNG_UNDER


def _older(person: Person) -> Three:
    return None if person.age is None else person.age >= OLDER_FROM


def _age(mine: Applicant, other: Person) -> Three:
    me = mine.person
    return some(
        every(_young(me), _older(other), other.heavy),
        every(_older(me), me.heavy, _young(other)),
    )


def _harm(mine: Applicant, other: Person) -> Three:
    me = mine.person
    return some(every(me.vulnerable, other.violent), every(me.violent, other.vulnerable))


def _rop(mine: Applicant, house: House) -> Three:
    without = some(*(negated(other.rop) for other in house.residents))
    return some(
        every(house.rop_required, negated(mine.person.rop)),
        every(negated(house.for_all), mine.person.rop, without),
    )


def _risk(mine: Applicant, house: House) -> Three:
    certain = sum(other.risky is True for other in house.residents)
    possible = sum(other.risky is not False for other in house.residents)
    limit = max(1, -(-FULL_FROM_PERCENT * len(house.residents) // 100))
    full = True if certain >= limit else False if possible < limit else None
    return every(mine.person.risky, full)


def _lift(mine: Applicant, house: House) -> Three:
    return every(mine.needs_lift, negated(house.on_ground), negated(house.lift))


def _ground(mine: Applicant, house: House) -> Three:
    return every(mine.needs_ground, negated(house.on_ground))


def _stay(mine: Applicant, house: House) -> Three:
    return None if mine.stay is None or house.max_stay is None else mine.stay > house.max_stay


def _visits(mine: Applicant, house: House) -> Three:
    return every(mine.child_visits, negated(house.free_visits))


PAIR: tuple[tuple[str, Callable[[Applicant, Person], Three]], ...] = (
    ("pair-gender", _gender),
    ("pair-enemies", _enemies),
    ("pair-substance", _substance),
    ("pair-age", _age),
    ("pair-harm", _harm),
)
_BARS = frozenset(rule.id for rule in RULES if rule.effect is Effect.BAR)


def _truth(value: Reading) -> Three:
    return None if isinstance(value, Missing) else bool(value)


def _is(value: Reading, *codes: str) -> Three:
    return None if isinstance(value, Missing) else value in codes


def _number(value: Reading) -> int | None:
    return value if isinstance(value, int) else None


def _person(name: str, facts: Facts, subject: str) -> Person:
    substance, violence = facts[f"{subject}.main_substance"], facts[f"{subject}.violence"]
    high = ViolenceConclusion.ASSESSED_HIGH
    return Person(
        id=name,
        woman=_is(facts[f"{subject}.gender"], Gender.WOMAN),
        stimulants=_is(substance, "stimulants"),
        opioids=_is(substance, "opioids"),
        age=_number(facts[f"{subject}.age"]),
        heavy=_truth(facts[f"{subject}.heavy_use"]),
        vulnerable=_truth(facts[f"{subject}.vulnerable"]),
        violent=_is(violence, high),
        risky=_is(violence, high, ViolenceConclusion.POSSIBLE),
        rop=_truth(facts[f"{subject}.rop"]),
    )


class Peer:
    """Plain objects for one case."""

    def __init__(self, case: Case, encoded: Encoded) -> None:
        facts = case.facts
        limit = next(rule.params["at_most"] for rule in case.rules if rule.id == "unit-size")
        assert isinstance(limit, int)
        self._limit = limit
        anybody = facts.applicants[case.applicants[0]]
        self._houses = []
        for name in case.units:
            place = facts.places[name]
            known = facts.place_facts(place)
            self._houses.append(
                House(
                    id=name,
                    residents=tuple(
                        _person(item.about[0], item.facts, "resident")
                        for item in facts.residents(anybody, place.group)
                    ),
                    rop_required=_is(known["scheme.entry_requirement"], EntryRequirement.ROP),
                    for_all=_truth(known[f"scheme.target_groups:{TargetGroup.GENERAL}"]),
                    on_ground=_is(known["unit.floor"], 1),  # type: ignore[arg-type]
                    lift=_truth(known["unit.lift"]),
                    max_stay=_number(known["unit.max_stay_months"]),
                    homes=_number(known["scheme.unit_count"]),
                    free_visits=_is(known["scheme.visit_rule"], VisitRule.FREE),
                )
            )
        self._applicants = {
            name: self._applicant(name, case, encoded.applicants[name].enemies) for name in case.applicants
        }

    @staticmethod
    def _applicant(name: str, case: Case, enemies: frozenset[str]) -> Applicant:
        facts = case.facts.applicant_facts(case.facts.applicants[name])
        return Applicant(
            person=_person(name, facts, "applicant"),
            enemies=enemies,
            enemies_asked=_truth(facts["applicant.conflicts_asked"]) is True,
            needs_lift=_truth(facts[f"applicant.needs:{Need.LIFT}"]),
            needs_ground=_truth(facts[f"applicant.needs:{Need.GROUND_FLOOR}"]),
            stay=_number(facts["applicant.stay_months"]),
            child_visits=_truth(facts["applicant.child_visits"]),
        )

    def _size(self, _mine: Applicant, house: House) -> Three:
        return None if house.homes is None else house.homes > self._limit

    def _judge(self, mine: Applicant, house: House) -> Iterable[tuple[str, Three, str | None]]:
        """Yield what every rule comes to for every resident."""
        for rule, test in PAIR:
            for other in house.residents:
                yield rule, test(mine, other), other.id
            if rule == "pair-enemies" and not mine.enemies_asked:
                yield rule, None, None
        yield "group-rop", _rop(mine, house), None
        yield "group-risk", _risk(mine, house), None
        yield "unit-lift", _lift(mine, house), None
        yield "unit-ground", _ground(mine, house), None
        yield "unit-stay", _stay(mine, house), None
        yield "unit-size", self._size(mine, house), None
        yield "unit-visits", _visits(mine, house), None

    def findings(self, applicant: str) -> list[tuple[str, list[Found]]]:
        """Return what every rule comes to for every resident of every unit, as objects."""
        mine = self._applicants[applicant]
        return [
            (
                house.id,
                [
                    Found(rule, broken, POINTS.get(rule, 0) if broken else 0, about)
                    for rule, broken, about in self._judge(mine, house)
                ],
            )
            for house in self._houses
        ]

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        mine = self._applicants[applicant]
        return in_order([_row(house.id, self._judge(mine, house)) for house in self._houses])


def _row(name: str, found: Iterable[tuple[str, Three, str | None]]) -> Row:
    broken: set[str] = set()
    unknown: set[str] = set()
    cost = 0
    for rule, outcome, _ in found:
        if outcome:
            broken.add(rule)
            cost += POINTS.get(rule, 0)
        elif outcome is None:
            unknown.add(rule)
    verdict = Verdict.SUITABLE
    if broken & _BARS:
        verdict = Verdict.BLOCKED
    elif unknown & _BARS:
        verdict = Verdict.NEEDS_CLARIFICATION
    elif broken or unknown:
        verdict = Verdict.SUITABLE_WITH_REMARKS
    return (
        name,
        int(verdict),
        BASE_SCORE - cost,
        tuple(rule for rule in RULE_IDS if rule in broken),
        tuple(rule for rule in RULE_IDS if rule in unknown),
    )
