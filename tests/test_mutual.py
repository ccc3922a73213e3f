"""The advice that those who live together break: the same rules, asked of everybody who lives there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, PolicyState, Role
from allocator.casework.offices import StoredPolicy
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.codes import FactSource, Gender, SubstanceClass, UnitStatus
from allocator.disclosure import Reader, release_mutual
from allocator.engines import Outcome
from allocator.engines.registry import ENGINES
from allocator.explain import mutual
from allocator.facts import Range
from allocator.model import Applicant, ApplicantFacts, Assessed, Snapshot
from allocator.ports import Query
from allocator.scoring import suggest, together
from allocator.service.errors import NotFoundError
from allocator.service.mutual import Advice, advice
from allocator.texts import catalog
from api.pages.mutual import Unknown, of_group
from tests.cases import (
    HIGH_RISK,
    LONG_AGO,
    TODAY,
    a_case,
    a_conflict,
    a_house,
    a_policy,
    an_applicant,
    an_order,
    changed,
    known,
    not_held,
    with_person,
)
from tests.committee import Committee, person_facts
from tests.test_decisions import enemies

YOUNG = known(date(2006, 5, 17))
HEAVY = known(value=True)
WOMAN = known(Gender.WOMAN)

ONE, OTHER = "hus-1-r1", "hus-1-r2"


def living_together(number: int = 2, **more: Any) -> Snapshot:
    """Return a house of which everything is known, in which everybody is an applicant too."""
    case = a_case(a_house(living=(number,)), applicants=(), **more)
    return applying(case)


def applying(case: Snapshot) -> Snapshot:
    """Return a case in which whoever lives there applies, and is asked about nothing more than is known."""
    applicants = tuple(
        an_applicant(
            f"as-{resident.id}",
            resides_as=resident.id,
            **{
                name: getattr(resident, name)
                for name in type(resident).model_fields
                if name in Applicant.model_fields and name != "id"
            },
        )
        for resident in case.residents
    )
    return changed(case, applicants=applicants)


def described(case: Snapshot, **facts: Mapping[str, Any]) -> Snapshot:
    """Return a case in which something else is known of some residents, by the last part of their ids."""
    for name, given in facts.items():
        case = with_person(case, f"hus-1-{name}", **given)
    return applying(case)


def told(case: Snapshot, reader: Reader = Reader.COMMITTEE, **how: Any) -> list[dict[str, Any]]:
    """Return what a reader is told of those who live in the house."""
    return mutual(together(case, a_policy(), "hus", **how), reader)


def by_outcome(found: list[dict[str, Any]], outcome: str) -> set[tuple[str, str, tuple[str, ...]]]:
    """Return the findings of an outcome: rule, who stands in the applicant's place, and about whom."""
    return {(one["rule"], one["of"], tuple(one["about"])) for one in found if one["outcome"] == outcome}


def test_nothing_is_broken_where_people_go_together() -> None:
    """Every rule about those who live there is asked, and all of them are kept."""
    found = told(living_together())
    assert {one["outcome"] for one in found} == {"kept"}
    asked = {one["rule"] for one in found}
    assert asked >= {"gender-mix", "substance-mix", "age-mix", "rop-mix", "known-conflict", "rough-milieu"}
    assert not asked & {"unit-available", "lift-need", "staff-veto", "wish", "night-staff"}


PAIRS: Mapping[str, tuple[dict[str, Any], dict[str, Any], set[tuple[str, str]]]] = {
    "women and men": ({"gender": WOMAN}, {}, {("gender-mix", ONE), ("gender-mix", OTHER)}),
    "amphetamine beside opiates": (
        {"main_substance": known(SubstanceClass.STIMULANTS)},
        {},
        {("substance-mix", ONE), ("substance-mix", OTHER)},
    ),
    "a young person beside an older heavy user": (
        {"birth_date": YOUNG},
        {"heavy_use": HEAVY},
        {("age-mix", ONE), ("age-mix-established", OTHER)},
    ),
    "with and without ROP": (
        {"rop": known(value=False)},
        {},
        {("rop-mix", ONE), ("rop-mix", OTHER)},
    ),
    "a high risk beside somebody vulnerable": (
        {"risk": HIGH_RISK},
        {"vulnerable": known(value=True)},
        {("risk-to-vulnerable", ONE), ("vulnerable-to-risk", OTHER)},
    ),
    "children who visit beside a high risk": (
        {"risk": HIGH_RISK},
        {"child_visits": known(value=True)},
        {("child-beside-risk", ONE), ("child-beside-risk", OTHER)},
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_what_two_who_live_there_break(name: str) -> None:
    """Each rule says it from its own side, and nothing else is broken."""
    first, second, expected = PAIRS[name]
    found = by_outcome(told(described(living_together(), r1=first, r2=second)), "broken")
    assert {(rule, of) for rule, of, _ in found} == expected
    assert all(about == ((OTHER,) if of == ONE else (ONE,)) for _, of, about in found)


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_not_known_is_neither_broken_nor_kept(name: str) -> None:
    """Of the fact that would break a rule nobody has asked: it is unknown, and said of whom."""
    first, second, expected = PAIRS[name]
    hidden = {fact: not_held() for fact in first if fact != "risk"}
    if not hidden:
        first, hidden = {"risk": HIGH_RISK}, {}
        second = {fact: not_held() for fact in second}
    found = told(described(living_together(), r1={**first, **hidden}, r2=second))
    rules = {rule for rule, _ in expected}
    unknown = [one for one in found if one["outcome"] == "unknown"]
    assert {one["rule"] for one in unknown} >= rules
    whose = ONE if hidden else OTHER
    assert {name for one in unknown if one["rule"] in rules for name in one["unknown_of"]} == {whose}
    assert by_outcome(found, "broken") == set()


def test_a_conflict_and_an_order_between_two_who_live_there() -> None:
    """They are told to the cleared, from both sides."""
    case = living_together(3, conflicts=(a_conflict(ONE, OTHER),), orders=(an_order(OTHER, "hus-1-r3"),))
    broken = by_outcome(told(case), "broken")
    assert broken == {
        ("known-conflict", ONE, (OTHER,)),
        ("known-conflict", OTHER, (ONE,)),
        ("restraining-order", OTHER, ("hus-1-r3",)),
        ("restraining-order", "hus-1-r3", (OTHER,)),
    }


def test_who_is_not_cleared_is_told_the_same_whoever_is_an_enemy() -> None:
    """Not even that something is left out depends on it."""
    plain = living_together(6)
    with_enemies = living_together(6, conflicts=(a_conflict(ONE, OTHER),), orders=(an_order(OTHER, ONE),))
    for reader in (Reader.MEMBER, Reader.STAFF):
        assert told(with_enemies, reader) == told(plain, reader)
    rules = {one["rule"] for one in told(with_enemies, Reader.MEMBER)}
    assert not rules & {"known-conflict", "restraining-order", "unconfirmed-conflict", "order-review"}


def test_staff_are_told_in_general_and_of_a_small_group_less() -> None:
    """Of each rule once, about nobody; in a small group not which rule. An applicant is told nothing."""
    large = described(living_together(6), r1={"gender": WOMAN})
    found = told(large, Reader.STAFF)
    assert all(one["of"] is None and not one["about"] and not one["unknown_of"] for one in found)
    assert len({one["rule"] for one in found}) == len(found)
    assert [one["rule"] for one in found if one["outcome"] == "broken"] == ["gender-mix"]
    assert not any(identifier in str(found) for identifier in ("hus-1-r1", "as-hus"))
    (small,) = told(described(living_together(2), r1={"gender": WOMAN}), Reader.STAFF)
    assert small["rule"] == "living-environment"
    assert small["text"] == catalog("nb")("view.staff_small")
    assert told(living_together(2), Reader.STAFF) == []
    assert release_mutual(together(large, a_policy(), "hus"), Reader.APPLICANT) == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_says_the_same(engine: str) -> None:
    """One meaning, whoever reads the rules."""
    case = described(
        living_together(4, conflicts=(a_conflict(ONE, "hus-1-r4"),)),
        r1={"gender": WOMAN, "birth_date": YOUNG},
        r2={"heavy_use": HEAVY, "rop": not_held()},
        r3={"risk": HIGH_RISK, "main_substance": not_held()},
    )
    assert told(case, engine_name=engine) == told(case)


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_what_a_suggestion_says_of_somebody_like_them(name: str) -> None:
    """Somebody like one of them who applies for the vacant unit meets the same beside the other."""
    first, second, _ = PAIRS[name]
    case = described(living_together(), r1=first, r2=second)
    alike = an_applicant("new", **first)
    answer = suggest(changed(case, applicants=(*case.applicants, alike)), a_policy(), "new")
    (entry,) = [one.assessment for one in answer.ranked if one.assessment.unit == "hus-1-v1"]
    there = {
        (finding.rule.id, finding.outcome)
        for finding in entry.findings
        if finding.rule.rule.about is Range.RESIDENT and finding.about == (OTHER,)
    }
    at_home = {
        (one["rule"], Outcome(one["outcome"]))
        for one in told(case)
        if one["of"] == ONE and one["about"] == [OTHER]
    }
    assert there == at_home


def test_two_who_share_a_home_have_chosen_it() -> None:
    """The mix is not said of a couple; a conflict between them is (E-09)."""
    case = living_together(3, conflicts=(a_conflict(ONE, OTHER),))
    couple = tuple(
        changed(resident, unit="hus-1-b1", household="par")
        if resident.id == OTHER
        else changed(resident, household="par" if resident.id == ONE else None)
        for resident in case.residents
    )
    scheme = case.schemes[0]
    units = tuple(
        changed(unit, status=UnitStatus.VACANT) if unit.id == "hus-1-b2" else unit
        for unit in scheme.living_groups[0].units
    )
    group = changed(scheme.living_groups[0], units=units)
    case = changed(case, residents=couple, schemes=(changed(scheme, living_groups=(group,)),))
    broken = by_outcome(told(described(case, r1={"gender": WOMAN})), "broken")
    assert {(rule, of, about) for rule, of, about in broken if rule == "gender-mix"} == {
        ("gender-mix", ONE, ("hus-1-r3",)),
        ("gender-mix", "hus-1-r3", (ONE,)),
    }
    assert ("known-conflict", ONE, (OTHER,)) in broken


def test_who_has_moved_out_and_another_scheme_count_for_nothing() -> None:
    """Only those who live there today are asked, each in their own scheme."""
    case = living_together(2)
    gone = changed(case.residents[1], move_out=LONG_AGO, moved_in=LONG_AGO)
    case = changed(case, residents=(case.residents[0], gone))
    assert {one["of"] for one in told(case)} == {ONE}
    with pytest.raises(KeyError):
        together(case, a_policy(), "nowhere")


# ------------------------------------------------------------------------------------------- laid out


def laid_out(case: Snapshot, reader: Reader = Reader.COMMITTEE) -> Any:
    """Return what the page of the scheme shows of the group."""
    return of_group(Advice(reader, tuple(told(case, reader))), "hus-1", catalog("nb"))


def test_each_two_are_named_once() -> None:
    """One woman and four men are one line, from her side."""
    shown = laid_out(described(living_together(5), r3={"gender": WOMAN}))
    (said,) = shown.broken["gender-mix"]
    assert said.of == ("hus-1-r3",)
    assert set(said.line.about) == {f"hus-1-r{number}" for number in (1, 2, 4, 5)}
    assert list(shown.broken) == ["gender-mix"]
    assert "gender-mix" not in shown.kept
    assert "rop-mix" in shown.kept


def test_what_cannot_be_told_stands_by_those_of_whom_it_is_not_known() -> None:
    """Rules that wait for the same are named together; what is broken beside it is said all the same."""
    shown = laid_out(
        described(living_together(3), r1={"gender": WOMAN}, r2={"gender": not_held(), "rop": not_held()})
    )
    assert Unknown(("gender-mix", "rop-mix"), (OTHER,)) in shown.unknown
    assert "gender-mix" in shown.broken


def test_the_gravest_is_said_first() -> None:
    """A bar before what weighs."""
    shown = laid_out(
        described(living_together(2, conflicts=(a_conflict(ONE, OTHER),)), r1={"rop": known(value=False)})
    )
    assert list(shown.broken) == ["known-conflict", "rop-mix"]


def test_what_is_said_of_the_group_is_said_once() -> None:
    """That many have moved in lately is about nobody beside anybody."""
    case = living_together(4)
    newly = tuple(changed(resident, moved_in=TODAY) for resident in case.residents)
    shown = laid_out(applying(changed(case, residents=newly)))
    (said,) = shown.broken["recent-move-ins"]
    assert said.of == tuple(f"hus-1-r{number}" for number in range(1, 5))
    assert said.line.about == ()


# ---------------------------------------------------------------------------------------- the service


@pytest.fixture
def desk() -> Iterator[Committee]:
    """An office with a committee."""
    made = Committee()
    yield made
    made.close()


def asked(office: Committee, actor: Actor, scheme: str = "nordlia") -> Advice:
    """Return what somebody is told of a scheme."""
    found = advice(office.desk, actor, scheme, "nb")
    assert found is not None
    return found


def broken_for(office: Committee, actor: Actor, scheme: str = "nordlia") -> set[tuple[str, Any]]:
    """Return which rules are broken, and by whom beside whom."""
    return {
        (one["rule"], frozenset((one["of"], *one["about"])))
        for one in asked(office, actor, scheme).found
        if one["outcome"] == "broken"
    }


def test_the_cleared_are_told_who_are_enemies_and_nobody_else(desk: Committee) -> None:
    """What others are told does not change by a byte, and each look stands in the log."""
    before = asked(desk, desk.leader)
    enemies(desk, "nordlia-r1", "nordlia-r2")
    assert asked(desk, desk.leader) == before
    assert before.read_as is Reader.MEMBER
    assert broken_for(desk, desk.cleared) == {
        ("known-conflict", frozenset(("nordlia-r1", "nordlia-r2"))),
    }
    looks = [entry for entry in desk.log() if entry["use"] == "schemes.advice"]
    assert [entry["groups"] for entry in looks] == [["answer"], ["answer"], ["answer", "exact"]]
    assert all(entry["id"] == "nordlia" and len(entry["shown"]) == 6 for entry in looks)


def test_facts_are_those_that_are_stored_of_each_today(desk: Committee) -> None:
    """What has been written down of a resident, answers about conflicts too, is what is read."""
    woman = Assessed[Gender](value=Gender.WOMAN, source=FactSource.STAFF, recorded_on=TODAY)
    facts = person_facts().model_copy(update={"gender": woman})
    desk.seed(Person(facts=facts), "nordlia-r6", 2)
    assert broken_for(desk, desk.worker) == {
        ("gender-mix", frozenset((f"nordlia-r{number}", "nordlia-r6"))) for number in range(1, 6)
    }
    unasked = facts.model_copy(update={"conflicts_asked": ApplicantFacts().conflicts_asked})
    desk.seed(Person(facts=unasked), "nordlia-r6", 3)
    unknown = [one for one in asked(desk, desk.worker).found if one["outcome"] == "unknown"]
    assert {one["rule"] for one in unknown} == {"known-conflict", "unconfirmed-conflict", "visitor-conflict"}
    assert {name for one in unknown for name in one["unknown_of"]} == {"nordlia-r6"}


def test_who_applies_already_is_asked_once(desk: Committee) -> None:
    """A resident with a case of their own stands there as everybody else does (E-10)."""
    desk.seed(Case(person="nordlia-r1", received_on=TODAY, waiting_since=TODAY), "S-9")
    found = asked(desk, desk.worker).found
    assert {one["of"] for one in found} == {f"nordlia-r{number}" for number in range(1, 7)}
    assert len(found) == len({(one["rule"], one["of"], *one["about"]) for one in found})


def test_who_is_barred_from_a_case_is_told_nothing_of_whose_it_is(desk: Committee) -> None:
    """Whoever is disqualified does not meet the person here either."""
    body = Case(
        person="nordlia-r1",
        received_on=TODAY,
        waiting_since=TODAY,
        barred=frozenset({desk.worker.account}),
    )
    desk.seed(body, "S-9")
    assert "nordlia-r1" not in str(asked(desk, desk.worker).found)
    assert "nordlia-r1" in str(asked(desk, desk.secretary).found)


def test_who_is_kode_6_is_an_unknown_occupant_to_the_uncleared(desk: Committee) -> None:
    """As anybody would be of whom nothing is recorded."""
    protected = Person(facts=person_facts(), protection=AddressProtection.STRICTLY_CONFIDENTIAL)
    desk.seed(protected, "nordlia-r5", 2)
    unknown = {tuple(one["about"]) for one in asked(desk, desk.worker).found if one["rule"] == "gender-mix"}
    assert ("nordlia-5",) in unknown
    assert "nordlia-r5" not in str(asked(desk, desk.worker))
    assert "nordlia-r5" in str(asked(desk, desk.cleared))


def test_staff_are_told_of_their_own_scheme_alone(desk: Committee) -> None:
    """And those who read no suggestions of none; a scheme that is not there is not there for anybody."""
    staff = desk.somebody(Role.SCHEME_STAFF, "nordlia")
    assert asked(desk, staff).read_as is Reader.STAFF
    assert advice(desk.desk, staff, "havna", "nb") is None
    assert advice(desk.desk, desk.somebody(Role.PROPERTY_MANAGER), "nordlia", "nb") is None
    with pytest.raises(NotFoundError):
        advice(desk.desk, desk.worker, "nowhere", "nb")


def test_without_a_policy_nothing_is_said(desk: Committee) -> None:
    """The page is there before the municipality has decided on its rules."""
    with desk.storage.read() as tx:
        (stored,) = tx.find(Query(Kind.POLICY))
    assert isinstance(stored.body, StoredPolicy)
    desk.seed(stored.body.model_copy(update={"state": PolicyState.RETIRED}), stored.id, stored.version + 1)
    assert asked(desk, desk.worker).found == ()
