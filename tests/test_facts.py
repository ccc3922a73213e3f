"""How facts are read from the model, at the edges: dates, states of a question, and who counts as near."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import pytest
from pydantic import ValidationError

from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
    EntranceForm,
    EntryRequirement,
    FactSource,
    FactStatus,
    Fittings,
    Gender,
    Measure,
    Need,
    OrderKind,
    PlacementKind,
    RiskHorizon,
    Service,
    StaffRole,
    StayKind,
    SubstanceClass,
    SubstanceUse,
    TargetGroup,
    UnitStatus,
    VetoGround,
    ViolenceConclusion,
)
from allocator.facts import CaseFacts, Choice, Facts, Item, Missing, Place, Range, read_facts
from allocator.model import (
    Applicant,
    Assessed,
    Conflict,
    EntryCondition,
    GenderCondition,
    LivingGroup,
    NeedsAssessment,
    Order,
    Placement,
    Reservation,
    Resident,
    RiskAssessment,
    Scheme,
    Snapshot,
    Unit,
    Veto,
    VetoFact,
    Wish,
    Wishes,
    age_on,
)

TODAY = date(2026, 11, 22)
YESTERDAY = TODAY - timedelta(days=1)
TOMORROW = TODAY + timedelta(days=1)
LONG_AGO = date(2026, 1, 1)

T = TypeVar("T")


def known(value: T, valid_until: date | None = None) -> Assessed[T]:
    """Return a fact that somebody has assessed."""
    return Assessed(value=value, source=FactSource.STAFF, recorded_on=LONG_AGO, valid_until=valid_until)


def unsettled(status: FactStatus) -> Assessed[Any]:
    """Return a question with no answer to rely on."""
    return Assessed(status=status)


def an_applicant(identifier: str = "a", **given: Any) -> Applicant:
    """Return an applicant of whom no more than *given* is known."""
    return Applicant(id=identifier, waiting_since=LONG_AGO, **given)


def of_applicant(day: date = TODAY, **given: Any) -> Facts:
    """Return the facts about an applicant of whom no more than *given* is known."""
    return read_facts("applicant", an_applicant(**given), day)


# ------------------------------------------------------------------------------------------- age


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(2001, 11, 23), TODAY, 24),
        (date(2001, 11, 22), TODAY, 25),
        (date(2001, 11, 21), TODAY, 25),
        (date(2001, 12, 21), TODAY, 24),
        (date(2001, 10, 23), TODAY, 25),
        (date(2000, 2, 29), date(2025, 2, 27), 24),
        (date(2000, 2, 29), date(2025, 2, 28), 24),
        (date(2000, 2, 29), date(2025, 3, 1), 25),
        (date(2000, 2, 29), date(2024, 2, 28), 23),
        (date(2000, 2, 29), date(2024, 2, 29), 24),
        (date(2000, 2, 28), date(2024, 2, 28), 24),
        (date(2000, 3, 1), date(2024, 2, 29), 23),
        (date(2000, 12, 31), date(2026, 1, 1), 25),
        (date(2000, 1, 1), date(2025, 12, 31), 25),
    ],
)
def test_a_person_turns_a_year_older_on_the_birthday(born: date, day: date, years: int) -> None:
    """Age is completed years: one less on the day before the birthday; 29 February counts on 1 March."""
    assert age_on(born, day) == years
    assert of_applicant(day, birth_date=known(born))["applicant.age"] == years


@pytest.mark.parametrize("subject", ["applicant", "resident"])
def test_age_is_missing_where_the_birth_date_is(subject: str) -> None:
    """A birth date that is not settled gives no age, and says why."""
    disputed = Assessed[date](value=date(1990, 1, 1), status=FactStatus.DISPUTED)
    for birth_date, why in (
        (unsettled(FactStatus.NOT_ASKED), Missing.NOT_ASKED),
        (disputed, Missing.DISPUTED),
    ):
        person = (
            an_applicant(birth_date=birth_date)
            if subject == "applicant"
            else Resident(id="r", unit="u", birth_date=birth_date)
        )

        assert read_facts(subject, person, TODAY)[f"{subject}.age"] is why


# -------------------------------------------------------------------------------- assessed facts

ASSESSED: list[tuple[str, Any]] = [
    ("rop", True),
    ("rop", False),
    ("main_substance", SubstanceClass.OPIOIDS),
    ("substance_use", SubstanceUse.SUBSTITUTION),
    ("heavy_use", False),
    ("vulnerable", True),
    ("child_visits", False),
    ("gender", Gender.WOMAN),
    ("gender", Gender.MAN),
]


def _both(name: str, fact: Assessed[Any]) -> Iterable[object]:
    """Yield how a fact is read of an applicant and of a resident."""
    given: dict[str, Any] = {name: fact}
    yield of_applicant(**given)[f"applicant.{name}"]
    resident = Resident(id="r", unit="u", **given)
    yield read_facts("resident", resident, TODAY)[f"resident.{name}"]


@pytest.mark.parametrize(("name", "value"), ASSESSED)
@pytest.mark.parametrize("until", [TODAY, TOMORROW, None])
def test_an_assessed_fact_holds_on_its_last_day(name: str, value: Any, until: date | None) -> None:
    """A fact that holds until today, until tomorrow or without end is read as it stands."""
    for reading in _both(name, known(value, until)):
        assert reading == value
        assert type(reading) in (bool, str)


@pytest.mark.parametrize(("name", "value"), ASSESSED)
def test_an_assessed_fact_is_missing_the_day_after_its_last(name: str, value: Any) -> None:
    """A fact that held until yesterday is missing because it has expired."""
    for reading in _both(name, known(value, YESTERDAY)):
        assert reading is Missing.EXPIRED


@pytest.mark.parametrize(("name", "value"), ASSESSED)
def test_a_disputed_fact_is_missing_though_a_value_is_kept(name: str, value: Any) -> None:
    """A fact that the person disputes is missing, whatever its value and its last day."""
    for until in (None, YESTERDAY, TOMORROW):
        fact: Assessed[Any] = Assessed(
            value=value,
            status=FactStatus.DISPUTED,
            source=FactSource.STAFF,
            recorded_on=LONG_AGO,
            valid_until=until,
        )
        for reading in _both(name, fact):
            assert reading is Missing.DISPUTED


@pytest.mark.parametrize("name", dict(ASSESSED))
@pytest.mark.parametrize(
    ("status", "why"),
    [
        (FactStatus.NOT_ASKED, Missing.NOT_ASKED),
        (FactStatus.REFUSED, Missing.REFUSED),
        (FactStatus.WITHDRAWN, Missing.WITHDRAWN),
    ],
)
def test_a_question_without_an_answer_is_missing_and_says_why(
    name: str, status: FactStatus, why: Missing
) -> None:
    """What was not asked, refused or withdrawn is missing for that reason."""
    for reading in _both(name, unsettled(status)):
        assert reading is why


def test_what_nobody_has_said_anything_about_was_not_asked() -> None:
    """A person with nothing but an id has no known assessed fact."""
    resident = read_facts("resident", Resident(id="r", unit="u"), TODAY)

    assert resident.pop("resident.days_lived") is Missing.NOT_RECORDED
    assert set(resident.values()) == {Missing.NOT_ASKED}


@pytest.mark.parametrize("gender", [Gender.NON_BINARY, Gender.UNDISCLOSED])
def test_a_gender_that_the_rules_do_not_compare_is_missing(gender: Gender) -> None:
    """A non-binary or undisclosed gender is never compared with another, nor with itself."""
    for reading in _both("gender", known(gender)):
        assert reading is Missing.NOT_COMPARABLE
    for reading in _both("gender", known(gender, YESTERDAY)):
        assert reading is Missing.EXPIRED


# ------------------------------------------------------------------------------- risk and needs


def a_risk(
    conclusion: ViolenceConclusion = ViolenceConclusion.ASSESSED_HIGH,
    horizon: RiskHorizon = RiskHorizon.LONG,
    until: date = TOMORROW,
    measures: frozenset[Measure] = frozenset(),
) -> RiskAssessment:
    """Return a risk assessment that somebody has made."""
    return RiskAssessment(
        conclusion=conclusion,
        horizon=horizon,
        measures=measures,
        source=FactSource.ASSESSMENT,
        assessed_on=LONG_AGO,
        assessor_role="psykolog",
        valid_until=until,
    )


def some_needs(*needs: Need | Service, until: date = TOMORROW) -> NeedsAssessment:
    """Return a needs assessment that somebody has made."""
    return NeedsAssessment(
        needs=frozenset(need for need in needs if isinstance(need, Need)),
        services=frozenset(need for need in needs if isinstance(need, Service)),
        source=FactSource.ASSESSMENT,
        assessed_on=LONG_AGO,
        assessor_role="saksbehandler",
        valid_until=until,
    )


@pytest.mark.parametrize("conclusion", ViolenceConclusion)
def test_a_long_term_risk_conclusion_is_read_as_it_stands(conclusion: ViolenceConclusion) -> None:
    """A conclusion that looks far ahead is a fact until its last day, of applicants and residents."""
    for until in (TODAY, TOMORROW):
        facts = of_applicant(risk=a_risk(conclusion, until=until))
        resident = Resident(id="r", unit="u", risk=a_risk(conclusion, until=until))

        assert facts["applicant.violence"] == conclusion.value
        assert read_facts("resident", resident, TODAY)["resident.violence"] == conclusion.value


@pytest.mark.parametrize("conclusion", ViolenceConclusion)
def test_a_short_term_risk_conclusion_is_missing(conclusion: ViolenceConclusion) -> None:
    """A screen that looks a day ahead says nothing about where somebody can live, nor do its measures."""
    facts = of_applicant(risk=a_risk(conclusion, RiskHorizon.SHORT, measures=frozenset({Measure.ALARM})))

    assert facts["applicant.violence"] is Missing.SHORT_HORIZON
    assert {facts[f"applicant.risk_measures:{code}"] for code in Measure} == {Missing.SHORT_HORIZON}


def test_an_expired_risk_assessment_is_missing_but_its_last_day_is_known() -> None:
    """After its last day neither conclusion nor measures are facts; that it has ended is one."""
    facts = of_applicant(risk=a_risk(until=YESTERDAY, measures=frozenset({Measure.ALARM})))

    assert facts["applicant.violence"] is Missing.EXPIRED
    assert facts["applicant.risk_measures:alarm"] is Missing.EXPIRED
    assert facts["applicant.risk_valid_until"] == YESTERDAY


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (FactStatus.NOT_ASKED, Missing.NOT_ASKED),
        (FactStatus.DISPUTED, Missing.DISPUTED),
        (FactStatus.REFUSED, Missing.REFUSED),
        (FactStatus.WITHDRAWN, Missing.WITHDRAWN),
    ],
)
def test_an_assessment_that_is_not_settled_gives_no_facts(status: FactStatus, why: Missing) -> None:
    """Neither the content nor the last day of an unsettled assessment is a fact, also while it runs."""
    facts = of_applicant(
        risk=a_risk(until=TOMORROW).model_copy(update={"status": status}),
        needs=some_needs(Need.LIFT, until=TOMORROW).model_copy(update={"status": status}),
    )

    for path in ("violence", "risk_valid_until", "needs_valid_until", "risk_measures:alarm", "needs:lift"):
        assert facts[f"applicant.{path}"] is why
    assert facts["applicant.services:depot"] is why


def test_measures_of_a_valid_assessment_are_read_code_by_code() -> None:
    """A measure that is named is a yes, and every other is a no."""
    facts = of_applicant(risk=a_risk(measures=frozenset({Measure.ALARM}), until=TODAY))

    assert {code for code in Measure if facts[f"applicant.risk_measures:{code}"] is True} == {Measure.ALARM}
    assert {facts[f"applicant.risk_measures:{code}"] for code in Measure} == {True, False}


def test_needs_hold_on_their_last_day() -> None:
    """What is assessed as needed is a yes until the assessment's last day, and all else is a no."""
    facts = of_applicant(needs=some_needs(Need.LIFT, Service.DEPOT, until=TODAY))

    assert {code for code in Need if facts[f"applicant.needs:{code}"] is True} == {Need.LIFT}
    assert {facts[f"applicant.needs:{code}"] for code in Need} == {True, False}
    assert {code for code in Service if facts[f"applicant.services:{code}"] is True} == {Service.DEPOT}
    assert {facts[f"applicant.services:{code}"] for code in Service} == {True, False}
    assert facts["applicant.needs_valid_until"] == TODAY


def test_needs_are_missing_the_day_after_the_assessments_last() -> None:
    """An expired assessment makes every need and service unknown, not a no; its last day is known."""
    facts = of_applicant(needs=some_needs(Need.LIFT, until=YESTERDAY))

    assert {facts[f"applicant.needs:{code}"] for code in Need} == {Missing.EXPIRED}
    assert {facts[f"applicant.services:{code}"] for code in Service} == {Missing.EXPIRED}
    assert facts["applicant.needs_valid_until"] == YESTERDAY


def test_an_empty_assessment_means_that_nothing_is_needed() -> None:
    """Assessed and found to need nothing is a no for every need."""
    facts = of_applicant(needs=some_needs())

    assert {facts[f"applicant.needs:{code}"] for code in Need} == {False}


def test_target_groups_are_known_together_or_not_at_all() -> None:
    """A known set answers for every code, also the empty one; an expired one answers for none."""
    for groups in (frozenset({TargetGroup.ROP}), frozenset[TargetGroup]()):
        facts = of_applicant(target_groups=known(groups))

        assert {code for code in TargetGroup if facts[f"applicant.target_groups:{code}"] is True} == groups
    expired = of_applicant(target_groups=known(frozenset({TargetGroup.ROP}), YESTERDAY))

    assert {expired[f"applicant.target_groups:{code}"] for code in TargetGroup} == {Missing.EXPIRED}


# --------------------------------------------------------------------------------- placement, wishes


@pytest.mark.parametrize(
    ("needed_from", "read"),
    [(None, TODAY), (YESTERDAY, TODAY), (TODAY, TODAY), (TOMORROW, TOMORROW)],
)
def test_a_place_is_needed_from_today_at_the_earliest(needed_from: date | None, read: date) -> None:
    """No day, or one that has passed, means the day of the case."""
    facts = of_applicant(placement=Placement(needed_from=needed_from))

    assert facts["applicant.needed_from"] == read


def test_a_placement_says_its_kind_its_review_and_its_length() -> None:
    """A crisis placement is read as one, with whether a day for review is set; the stay is assessed."""
    bare = of_applicant()
    crisis = of_applicant(
        placement=Placement(
            kind=PlacementKind.CRISIS,
            review_by=TOMORROW,
            stay=known(StayKind.LIMITED),
            stay_months=known(3, YESTERDAY),
        )
    )

    assert bare["applicant.placement"] == "ordinary"
    assert bare["applicant.review_date_set"] is False
    assert bare["applicant.stay"] is Missing.NOT_ASKED
    assert crisis["applicant.placement"] == "crisis"
    assert crisis["applicant.review_date_set"] is True
    assert crisis["applicant.stay"] == "limited"
    assert crisis["applicant.stay_months"] is Missing.EXPIRED


def of_choice(wishes: Wishes | None) -> list[object]:
    """Return what the applicant says of scheme `s1`: reserved against, wished, any wish at all."""
    facts = read_facts("choice", Choice(wishes, "s1"), TODAY)
    return [facts[f"choice.{name}"] for name in ("reserved_against", "wished", "any_wish")]


def test_wishes_that_were_not_obtained_are_not_asked() -> None:
    """Without wishes nothing is known; with an empty list it is known that there are none."""
    assert of_choice(None) == [Missing.NOT_ASKED] * 3
    assert of_choice(Wishes(obtained_on=TODAY)) == [False, False, False]


def test_wishes_and_reservations_count_for_their_own_scheme_only() -> None:
    """A wish for a scheme, and a reservation against one, say nothing of another scheme."""
    here, there = (Wish(scheme=scheme, rank=1) for scheme in ("s1", "s2"))

    assert of_choice(Wishes(obtained_on=TODAY, preferred=(here,))) == [False, True, True]
    assert of_choice(Wishes(obtained_on=TODAY, preferred=(there,))) == [False, False, True]
    assert of_choice(Wishes(obtained_on=TODAY, reservations=(Reservation(scheme="s1"),))) == [
        True,
        False,
        False,
    ]
    assert of_choice(Wishes(obtained_on=TODAY, reservations=(Reservation(scheme="s2"),))) == [False] * 3


# ----------------------------------------------------------------------------------------- housing


def a_unit(identifier: str = "u", status: UnitStatus = UnitStatus.VACANT, **given: Any) -> Unit:
    """Return a unit of which no more than *given* is published."""
    return Unit(id=identifier, status=status, **given)


def of_unit(unit: Unit, day: date = TODAY, **scheme: Any) -> Facts:
    """Return the facts about a unit, in a scheme of which no more than *scheme* is published."""
    group = LivingGroup(id="g", name="G", units=(unit,))
    return read_facts(
        "unit", Place(unit, group, Scheme(id="s", name="S", living_groups=(group,), **scheme)), day
    )


def of_scheme(day: date = TODAY, **given: Any) -> Facts:
    """Return the facts about a scheme of which no more than *given* is published."""
    return read_facts("scheme", Scheme(id="s", name="S", **given), day)


def test_what_is_not_published_of_a_unit_is_not_recorded() -> None:
    """Only the status and the purpose of a bare unit are known."""
    facts = of_unit(a_unit())
    known_facts = {path: value for path, value in facts.items() if not isinstance(value, Missing)}

    assert known_facts == {"unit.status": "vacant", "unit.purpose": "home"}
    assert set(facts.values()) - set(known_facts.values()) == {Missing.NOT_RECORDED}


def test_a_no_and_a_zero_of_a_unit_are_facts() -> None:
    """What is published as no, or as nought, is known."""
    facts = of_unit(a_unit(lift=False, floor=0, min_stay_months=0))

    assert facts["unit.lift"] is False
    assert facts["unit.floor"] == 0
    assert facts["unit.min_stay_months"] == 0


@pytest.mark.parametrize(("since", "days"), [(TODAY, 0), (YESTERDAY, 1), (date(2025, 11, 22), 365)])
def test_days_vacant_are_counted_from_the_first(since: date, days: int) -> None:
    """A unit that became vacant today has been so for no days."""
    assert of_unit(a_unit(vacant_since=since))["unit.days_vacant"] == days


@pytest.mark.parametrize(
    ("name", "own", "schemes"),
    [
        ("entrance", EntranceForm.OWN, EntranceForm.GALLERY),
        ("fittings", Fittings.STEEL, Fittings.PORCELAIN),
    ],
)
def test_a_units_own_form_counts_before_its_schemes(name: str, own: StrEnum, schemes: StrEnum) -> None:
    """Entrance and fittings are read of the unit, then of the scheme, and else not recorded."""
    path = f"unit.{name}"
    of_the_unit: dict[str, Any] = {name: own}
    of_the_scheme: dict[str, Any] = {name: schemes}

    assert of_unit(a_unit(**of_the_unit), **of_the_scheme)[path] == own.value
    assert of_unit(a_unit(**of_the_unit))[path] == own.value
    assert of_unit(a_unit(), **of_the_scheme)[path] == schemes.value
    assert of_unit(a_unit())[path] is Missing.NOT_RECORDED


def test_a_units_own_entrance_counts_before_its_schemes_as_a_feature() -> None:
    """A unit behind a gallery has no entrance of its own, whatever the rest of the scheme has."""
    facts = of_unit(a_unit(entrance=EntranceForm.GALLERY), entrance=EntranceForm.OWN)

    assert facts["unit.features:own_entrance"] is False


def test_features_are_known_one_by_one() -> None:
    """Each need that a dwelling can meet is read of its own attribute, and is unknown on its own."""
    facts = of_unit(
        a_unit(bedroom=True, quiet=False, pets_allowed=True),
        near_hospital=True,
        near_transport=False,
        activities_on_site=True,
    )

    assert {
        path.partition(":")[2]: value for path, value in facts.items() if path.startswith("unit.features:")
    } == {
        "bedroom": True,
        "own_entrance": Missing.NOT_RECORDED,
        "quiet": False,
        "pet": True,
        "fire_safe": Missing.NOT_RECORDED,
        "near_activity": True,
        "near_transport": False,
        "away_from_hospital": False,
    }
    assert of_unit(a_unit(), near_hospital=False)["unit.features:away_from_hospital"] is True
    assert of_unit(a_unit())["unit.features:away_from_hospital"] is Missing.NOT_RECORDED
    assert of_unit(a_unit(fire_safe=False))["unit.features:fire_safe"] is False


@pytest.mark.parametrize("form", EntranceForm)
def test_only_an_own_entrance_meets_the_need_for_one(form: EntranceForm) -> None:
    """A unit's own entrance is a feature; any other form is known not to be one."""
    own = form is EntranceForm.OWN

    assert of_unit(a_unit(entrance=form))["unit.features:own_entrance"] is own
    assert of_unit(a_unit(), entrance=form)["unit.features:own_entrance"] is own


def test_an_entry_condition_is_read_with_whether_it_is_adopted() -> None:
    """Without a condition nothing is recorded; one that nobody said is adopted is not known to be."""
    bare = of_scheme()
    said = of_scheme(entry_condition=EntryCondition(requires=EntryRequirement.ROP))
    rejected = of_scheme(entry_condition=EntryCondition(requires=EntryRequirement.NONE, adopted=False))
    adopted = of_scheme(
        entry_condition=EntryCondition(requires=EntryRequirement.ROP, adopted=True, document="sak 1")
    )

    def read(facts: Facts) -> tuple[object, object]:
        return facts["scheme.entry_requirement"], facts["scheme.entry_adopted"]

    assert read(bare) == (Missing.NOT_RECORDED, Missing.NOT_RECORDED)
    assert read(said) == ("rop", Missing.NOT_RECORDED)
    assert read(rejected) == ("none", False)
    assert read(adopted) == ("rop", True)


@pytest.mark.parametrize(("review_by", "works"), [(YESTERDAY, False), (TODAY, True), (TOMORROW, True)])
def test_a_gender_condition_works_until_its_review(review_by: date, works: bool) -> None:
    """A condition past its day of review is none; on that day it still is one."""
    facts = of_scheme(
        gender_condition=GenderCondition(gender=Gender.WOMAN, document="sak 2", review_by=review_by)
    )

    assert facts["scheme.has_gender_condition"] is works
    assert facts["scheme.gender"] == "woman"


def test_a_scheme_without_a_gender_condition_is_known_to_have_none() -> None:
    """No condition is a fact, not a gap."""
    facts = of_scheme()

    assert facts["scheme.has_gender_condition"] is False
    assert facts["scheme.gender"] is Missing.NOT_RECORDED


def test_a_schemes_sets_are_known_when_published() -> None:
    """A published set answers for every code, also the empty one; an unpublished one for none."""
    published = of_scheme(
        services=frozenset({Service.DEPOT}), measures=frozenset(), target_groups=frozenset()
    )

    assert {code for code in Service if published[f"scheme.services:{code}"] is True} == {Service.DEPOT}
    assert {published[f"scheme.measures:{code}"] for code in Measure} == {False}
    assert {published[f"scheme.target_groups:{code}"] for code in TargetGroup} == {False}
    assert {of_scheme()[f"scheme.services:{code}"] for code in Service} == {Missing.NOT_RECORDED}


@pytest.mark.parametrize(("published", "listed", "read"), [(2, 3, 3), (3, 3, 3), (9, 3, 9)])
def test_a_scheme_has_at_least_the_units_listed(published: int, listed: int, read: int) -> None:
    """The size of a scheme is the published number, but never less than the units that are listed."""
    units = tuple(a_unit(f"u{number}") for number in range(listed))
    groups = (
        LivingGroup(id="g1", name="G1", units=units[:1]),
        LivingGroup(id="g2", name="G2", units=units[1:]),
    )

    assert of_scheme(unit_count=published, living_groups=groups)["scheme.unit_count"] == read


# ------------------------------------------------------------------------------ who lives there

OCCUPIED, NOTICE_GIVEN = UnitStatus.OCCUPIED, UnitStatus.NOTICE_GIVEN


def houses(**status: UnitStatus) -> tuple[Scheme, ...]:
    """Return two schemes: `s1` with groups `g1` (u1, u2, u3) and `g2` (u4, u5), `s2` with `g3` (u6, u7).

    Units are vacant if *status* does not say otherwise.
    """

    def group(identifier: str, *units: str) -> LivingGroup:
        return LivingGroup(
            id=identifier,
            name=identifier,
            units=tuple(a_unit(unit, status.get(unit, UnitStatus.VACANT)) for unit in units),
        )

    return (
        Scheme(id="s1", name="S1", living_groups=(group("g1", "u1", "u2", "u3"), group("g2", "u4", "u5"))),
        Scheme(id="s2", name="S2", living_groups=(group("g3", "u6", "u7"),)),
    )


def a_case(*applicants: Applicant, lives: dict[str, str] | None = None, **given: Any) -> CaseFacts:
    """Return the facts of a case: *lives* says which resident lives in which unit."""
    residents = tuple(Resident(id=person, unit=unit) for person, unit in (lives or {}).items())
    residents = (*residents, *given.pop("residents", ()))
    occupied = {resident.unit: OCCUPIED for resident in residents} | given.pop("status", {})
    return CaseFacts(
        Snapshot(
            as_of=TODAY,
            schemes=houses(**occupied),
            residents=residents,
            applicants=applicants or (an_applicant(),),
            **given,
        )
    )


def members(case: CaseFacts, over: Range, unit: str, applicant: str = "a") -> tuple[Item, ...]:
    """Return the members of a range for an applicant in a unit."""
    return case.candidate(applicant, unit).items(over)


def about(case: CaseFacts, over: Range, unit: str, applicant: str = "a") -> list[tuple[str, ...]]:
    """Return whom the members of a range are about."""
    return [item.about for item in members(case, over, unit, applicant)]


def test_residents_are_those_of_the_units_own_living_group() -> None:
    """Only who lives in the same group is next door: not who lives elsewhere in the scheme."""
    case = a_case(lives={"r2": "u3", "r1": "u2", "r3": "u4", "r4": "u6"})

    assert about(case, Range.RESIDENT, "u1") == [("r1",), ("r2",)]
    assert about(case, Range.RESIDENT, "u5") == [("r3",)]
    assert about(case, Range.RESIDENT, "u7") == [("r4",)]


@pytest.mark.parametrize(
    ("move_out", "counts"), [(None, True), (YESTERDAY, False), (TODAY, True), (TOMORROW, True)]
)
def test_who_has_given_notice_lives_there_to_the_last_day(move_out: date | None, counts: bool) -> None:
    """A resident counts until and including the day of moving out (E-11)."""
    leaver = Resident(id="r1", unit="u2", move_out=move_out)
    case = a_case(residents=(leaver,), lives={"r2": "u3"}, status={"u2": NOTICE_GIVEN})

    assert (("r1",) in about(case, Range.RESIDENT, "u1")) is counts
    assert ("r2",) in about(case, Range.RESIDENT, "u1")


def test_who_moved_out_yesterday_leaves_an_empty_unit_empty() -> None:
    """A vacant unit whose last resident is still on record has no member at all."""
    case = a_case(
        residents=(Resident(id="r1", unit="u2", move_out=YESTERDAY),), status={"u2": UnitStatus.VACANT}
    )

    assert about(case, Range.RESIDENT, "u1") == []
    assert case.residents_in["g1"] == 0


@pytest.mark.parametrize("status", [OCCUPIED, NOTICE_GIVEN])
def test_a_unit_that_is_lived_in_without_a_recorded_resident_has_an_unknown_one(status: UnitStatus) -> None:
    """Somebody lives there of whom nothing is recorded: one member, about the unit, all facts missing."""
    case = a_case(lives={"r1": "u3"}, status={"u2": status})
    unknown, recorded = sorted(members(case, Range.RESIDENT, "u1"), key=lambda item: item.about != ("u2",))

    assert unknown.about == ("u2",)
    assert set(unknown.facts.values()) == {Missing.NOT_RECORDED}
    assert set(unknown.facts) == set(recorded.facts)
    assert recorded.about == ("r1",)
    assert case.residents_in == {"g1": 2, "g2": 0, "g3": 0}


def test_an_occupied_unit_whose_only_recorded_resident_has_left_has_an_unknown_one() -> None:
    """Where a unit is lived in and the one on record left yesterday, somebody unrecorded lives there."""
    case = a_case(residents=(Resident(id="r1", unit="u2", move_out=YESTERDAY),), status={"u2": OCCUPIED})

    assert about(case, Range.RESIDENT, "u1") == [("u2",)]


def test_a_unit_under_notice_is_empty_when_the_one_on_record_has_left() -> None:
    """A notice that has run out leaves nobody behind, though the status has not been changed yet."""
    gone = Resident(id="r1", unit="u2", move_out=YESTERDAY)

    assert about(a_case(residents=(gone,), status={"u2": NOTICE_GIVEN}), Range.RESIDENT, "u1") == []


@pytest.mark.parametrize(
    "status",
    [UnitStatus.VACANT, UnitStatus.RESERVED, UnitStatus.UNDER_REPAIR, UnitStatus.OUT_OF_SERVICE],
)
def test_a_unit_that_is_not_lived_in_has_no_unknown_resident(status: UnitStatus) -> None:
    """Where nobody lives nobody is unknown."""
    assert about(a_case(status={"u2": status}), Range.RESIDENT, "u1") == []


def test_someone_read_as_gone_leaves_no_unknown_resident_behind() -> None:
    """Reading a resident as moved out empties the unit, though its status says that it is lived in."""
    case = a_case(lives={"r1": "u2", "r2": "u3"}).case
    without = CaseFacts(case, gone=frozenset({"r1"}))

    assert about(without, Range.RESIDENT, "u1") == [("r2",)]
    assert without.residents_in["g1"] == 1


def test_applicants_are_not_next_door_to_themselves() -> None:
    """An applicant's own entry among the residents is left out, and nobody else's (E-10)."""
    mover, other = an_applicant("a", resides_as="r1"), an_applicant("b", resides_as="r2")
    case = a_case(mover, other, an_applicant("c"), lives={"r1": "u2", "r2": "u3"})

    assert about(case, Range.RESIDENT, "u1", "a") == [("r2",)]
    assert about(case, Range.RESIDENT, "u1", "b") == [("r1",)]
    assert about(case, Range.RESIDENT, "u1", "c") == [("r1",), ("r2",)]


@pytest.mark.parametrize(("moved_in", "days"), [(TODAY, 0), (YESTERDAY, 1), (date(2025, 11, 22), 365)])
def test_days_lived_are_counted_from_the_day_of_moving_in(moved_in: date, days: int) -> None:
    """Somebody who moved in today has lived there for no days."""
    facts = read_facts("resident", Resident(id="r", unit="u", moved_in=moved_in), TODAY)

    assert facts["resident.days_lived"] == days


def test_leavers_come_in_the_order_in_which_they_leave() -> None:
    """Who has given notice and still lives there is a leaver; who has left already is not."""
    case = a_case(
        residents=(
            Resident(id="r1", unit="u1", move_out=TOMORROW),
            Resident(id="r2", unit="u2", move_out=TODAY),
            Resident(id="r3", unit="u3"),
            Resident(id="r4", unit="u4", move_out=TODAY),
        )
    )

    assert [leaver.id for leaver in case.leavers["g1"]] == ["r2", "r1"]


# ------------------------------------------------------------------------------------- conflicts


def a_conflict(party: str, counterpart: str | None, identifier: str = "k", **given: Any) -> Conflict:
    """Return a conflict between two, or with a visitor where *counterpart* is None."""
    fields: dict[str, Any] = {
        "kind": ConflictKind.ENEMY,
        "direction": ConflictDirection.MUTUAL,
        "status": ConflictStatus.ACTIVE,
        "source": FactSource.STAFF,
        "recorded_on": LONG_AGO,
        "counterpart_role": CounterpartRole.RESIDENT if counterpart else CounterpartRole.VISITOR,
    }
    return Conflict(id=identifier, party=party, counterpart=counterpart, **(fields | given))


def nearness(case: CaseFacts, unit: str, applicant: str = "a") -> list[tuple[tuple[str, ...], object]]:
    """Return whom each conflict entry is about, and how near they are."""
    return [
        (item.about, item.facts["conflict.nearness"])
        for item in members(case, Range.CONFLICT, unit, applicant)
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_the_nearness_of_a_conflict_is_where_the_other_lives(turned: bool) -> None:
    """Same group, elsewhere in the scheme, or no entry at all; either of the two may be named first."""
    pair = ("r1", "a") if turned else ("a", "r1")
    case = a_case(lives={"r1": "u2", "r2": "u3"}, conflicts=(a_conflict(*pair),))

    assert nearness(case, "u1") == [(("r1",), "living_group")]
    assert nearness(case, "u4") == [(("r1",), "scheme")]
    assert nearness(case, "u6") == []


def test_a_conflict_of_others_is_no_concern_of_the_applicants() -> None:
    """An entry counts only for the two it is between."""
    case = a_case(
        an_applicant("a"), an_applicant("b"), lives={"r1": "u2"}, conflicts=(a_conflict("b", "r1"),)
    )

    assert nearness(case, "u1", "a") == []
    assert nearness(case, "u1", "b") == [(("r1",), "living_group")]


def test_a_conflict_with_someone_who_lives_nowhere_here_gives_no_entry() -> None:
    """Neither another applicant without a home here nor a resident who left yesterday is near."""
    gone = Resident(id="r1", unit="u2", move_out=YESTERDAY)
    case = a_case(
        an_applicant("a"),
        an_applicant("b"),
        residents=(gone,),
        status={"u2": UnitStatus.VACANT},
        conflicts=(a_conflict("a", "b", "k1"), a_conflict("a", "r1", "k2")),
    )

    assert nearness(case, "u1") == []


@pytest.mark.parametrize("role", [CounterpartRole.VISITOR, CounterpartRole.NEXT_OF_KIN])
def test_a_visitor_is_near_the_schemes_they_frequent(role: CounterpartRole) -> None:
    """A visitor counts in every unit of such a scheme, about the entry itself, and nowhere else (E-06)."""
    visitor = a_conflict("a", None, frequents=frozenset({"s1"}), counterpart_role=role)
    case = a_case(conflicts=(visitor,))

    assert nearness(case, "u1") == [(("k",), "visits")]
    assert nearness(case, "u5") == [(("k",), "visits")]
    assert nearness(case, "u6") == []


def test_a_visitor_who_frequents_no_scheme_is_not_near() -> None:
    """An entry on a visitor without a place gives no member."""
    assert nearness(a_case(conflicts=(a_conflict("a", None),)), "u1") == []


def test_conflicts_are_the_same_for_both_ids_of_one_person() -> None:
    """A person who is applicant and resident has all entries that name either id."""
    mover = an_applicant("a", resides_as="r1")
    case = a_case(
        mover,
        lives={"r1": "u6", "r2": "u2", "r3": "u3"},
        conflicts=(a_conflict("a", "r2", "k1"), a_conflict("r3", "r1", "k2")),
    )

    assert nearness(case, "u1") == [(("r2",), "living_group"), (("r3",), "living_group")]


def test_an_enemy_named_as_applicant_is_found_where_they_live() -> None:
    """A counterpart who is an applicant and lives here is near as the resident they are."""
    enemy = an_applicant("b", resides_as="r1")
    case = a_case(an_applicant("a"), enemy, lives={"r1": "u2"}, conflicts=(a_conflict("a", "b"),))

    assert nearness(case, "u1", "a") == [(("r1",), "living_group")]
    assert nearness(case, "u1", "b") == []


def test_a_conflict_was_last_confirmed_when_it_was_recorded_if_nothing_else_is_said() -> None:
    """The day of the last confirmation is that of the record where no later one is known."""
    for last_confirmed, read in ((None, LONG_AGO), (YESTERDAY, YESTERDAY)):
        entry = a_conflict("a", "r1", last_confirmed=last_confirmed)
        (item,) = members(a_case(lives={"r1": "u2"}, conflicts=(entry,)), Range.CONFLICT, "u1")

        assert item.facts["conflict.last_confirmed"] == read


def test_a_scheme_whose_size_is_not_published_has_no_known_size() -> None:
    """The units that happen to be listed say nothing of a size that nobody has published."""
    assert of_scheme(unit_count=None)["scheme.unit_count"] is Missing.NOT_RECORDED


@pytest.mark.parametrize("confirmed", [False, True])
def test_what_a_conflict_entry_says_is_read_as_it_stands(confirmed: bool) -> None:
    """Direction, status, reach, role and source are codes; it is confirmed or it is not."""
    entry = a_conflict("a", "r1", confirmed=confirmed, reach=ConflictReach.LIVING_GROUP)
    (item,) = members(a_case(lives={"r1": "u2"}, conflicts=(entry,)), Range.CONFLICT, "u1")

    assert item.facts == {
        "conflict.kind": "enemy",
        "conflict.direction": "mutual",
        "conflict.status": "active",
        "conflict.counterpart_role": "resident",
        "conflict.reach": "living_group",
        "conflict.confirmed": confirmed,
        "conflict.source": "staff",
        "conflict.last_confirmed": LONG_AGO,
        "conflict.nearness": "living_group",
    }


# ---------------------------------------------------------------------------------------- orders


def an_order(bound: str, protected: str | None, *schemes: str, identifier: str = "o") -> Order:
    """Return a restraining order, also against coming to *schemes*."""
    return Order(
        id=identifier,
        kind=OrderKind.CONTACT_BAN,
        bound=bound,
        protected=protected,
        forbidden_schemes=frozenset(schemes),
        valid_from=LONG_AGO,
        valid_until=TOMORROW,
    )


@pytest.mark.parametrize("turned", [False, True])
def test_an_order_touches_the_whole_scheme_where_the_other_lives(turned: bool) -> None:
    """Bound and protected alike are kept out of each other's scheme, whatever the living group."""
    order = an_order("r1", "a") if turned else an_order("a", "r1")
    case = a_case(lives={"r1": "u2"}, orders=(order,))

    assert about(case, Range.ORDER, "u1") == [("r1",)]
    assert about(case, Range.ORDER, "u4") == [("r1",)]
    assert about(case, Range.ORDER, "u6") == []


def test_a_bound_person_is_kept_out_of_forbidden_schemes() -> None:
    """An area counts for the bound person also where the protected lives nowhere here; about the order."""
    case = a_case(orders=(an_order("a", None, "s1"),))

    assert about(case, Range.ORDER, "u1") == [("o",)]
    assert about(case, Range.ORDER, "u5") == [("o",)]
    assert about(case, Range.ORDER, "u6") == []


def test_a_protected_applicant_is_not_kept_out_of_an_area() -> None:
    """The area is forbidden to the bound person alone; the protected may live there."""
    case = a_case(an_applicant("a"), an_applicant("b"), orders=(an_order("b", "a", "s1"),))

    assert about(case, Range.ORDER, "u1", "a") == []
    assert about(case, Range.ORDER, "u1", "b") == [("o",)]


def test_an_order_with_both_an_area_and_a_person_there_is_about_the_person() -> None:
    """One order gives one member in a scheme, and still counts in a forbidden scheme elsewhere."""
    case = a_case(lives={"r1": "u2"}, orders=(an_order("a", "r1", "s1", "s2"),))

    assert about(case, Range.ORDER, "u1") == [("r1",)]
    assert about(case, Range.ORDER, "u6") == [("o",)]


def test_an_order_between_others_does_not_touch_the_applicant() -> None:
    """An order counts only for the two it names."""
    case = a_case(lives={"r1": "u2", "r2": "u3"}, orders=(an_order("r1", "r2", "s1"),))

    assert about(case, Range.ORDER, "u1") == []


def test_orders_are_the_same_for_both_ids_of_one_person() -> None:
    """An order on the resident's id binds the applicant who is that resident, and the other way round."""
    mover, other = an_applicant("a", resides_as="r1"), an_applicant("b", resides_as="r2")
    case = a_case(
        mover,
        other,
        lives={"r1": "u6", "r2": "u2"},
        orders=(an_order("r1", "b", identifier="o1"), an_order("r1", None, "s1", identifier="o2")),
    )

    assert about(case, Range.ORDER, "u1", "a") == [("r2",), ("o2",)]
    assert about(case, Range.ORDER, "u7", "b") == [("r1",)]


def test_a_protected_person_who_left_yesterday_keeps_nobody_out() -> None:
    """An order on a person counts where the person lives today."""
    gone = Resident(id="r1", unit="u2", move_out=YESTERDAY)
    case = a_case(residents=(gone,), status={"u2": UnitStatus.VACANT}, orders=(an_order("a", "r1"),))

    assert about(case, Range.ORDER, "u1") == []


def test_an_order_is_read_with_its_days_and_whether_it_is_verified() -> None:
    """An order that nobody has verified is not verified."""
    (item,) = members(a_case(orders=(an_order("a", None, "s1"),)), Range.ORDER, "u1")

    assert item.facts == {
        "order.verified": False,
        "order.valid_from": LONG_AGO,
        "order.valid_until": TOMORROW,
    }


# ---------------------------------------------------------------------------------------- vetoes


def a_veto(applicant: str = "a", identifier: str = "v", **place: str) -> Veto:
    """Return an objection against an applicant in one place."""
    return Veto(
        id=identifier,
        applicant=applicant,
        ground=VetoGround.RESIDENT_SAFETY,
        fact=VetoFact(observed_on=LONG_AGO, source=FactSource.STAFF, text="uro"),
        author_role=StaffRole.SCHEME_STAFF,
        raised_on=LONG_AGO,
        valid_until=TOMORROW,
        **place,  # type: ignore[arg-type]  # one of unit, living_group and scheme
    )


@pytest.mark.parametrize(
    ("place", "covers"),
    [
        ({"unit": "u1"}, ["u1"]),
        ({"living_group": "g1"}, ["u1", "u2", "u3"]),
        ({"scheme": "s1"}, ["u1", "u2", "u3", "u4", "u5"]),
    ],
)
def test_an_objection_covers_its_unit_group_or_scheme(place: dict[str, str], covers: list[str]) -> None:
    """An objection is a member in each unit of the place it names, and only against its applicant."""
    case = a_case(an_applicant("a"), an_applicant("b"), vetoes=(a_veto(**place),))
    units = [f"u{number}" for number in range(1, 8)]

    assert [unit for unit in units if about(case, Range.VETO, unit) == [("v",)]] == covers
    assert [unit for unit in units if about(case, Range.VETO, unit, "b")] == []


def test_a_longest_stay_of_no_months_is_under_any_shortest_one() -> None:
    """A longest stay of no months is a number like any other, not a missing one."""
    assert a_unit(max_stay_months=0, min_stay_months=0).max_stay_months == 0
    with pytest.raises(ValidationError, match="max_stay_months"):
        a_unit(max_stay_months=0, min_stay_months=3)
