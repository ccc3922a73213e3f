"""From stored records to the facts that the rules read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, CaseState, EndReason, PartyRole
from allocator.casework.housing import Notice, Tenancy
from allocator.casework.people import Person
from allocator.casework.relations import Conflict
from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    FactSource,
    FactStatus,
    Gender,
    UnitStatus,
)
from allocator.model import ApplicantFacts, Assessed, Snapshot
from allocator.model import Conflict as ConflictEntry
from allocator.service.facts import snapshot
from allocator.service.work import Work
from tests.office import TODAY, Office


@pytest.fixture
def office() -> Iterator[Office]:
    """An office with a house of three units, somebody in the first, and somebody who waits."""
    made = Office()
    made.house()
    made.resident("B-1", "nordlia-1", facts=facts())
    applicant(made)
    yield made
    made.close()


def facts(**more: Any) -> ApplicantFacts:
    """Return the facts of a woman born in 1980."""
    said: dict[str, Any] = {"source": FactSource.APPLICANT, "recorded_on": date(2026, 10, 1)}
    return ApplicantFacts(
        gender=Assessed[Gender](value=Gender.WOMAN, **said),
        birth_date=Assessed[date](value=more.pop("born", date(1980, 1, 1)), **said),
        **more,
    )


def applicant(office: Office, case: str = "S-1", person: str = "P-1", **more: Any) -> None:
    """Seed somebody who waits."""
    office.seed(Person(facts=facts()), person)
    days: dict[str, Any] = {"received_on": date(2026, 10, 1), "waiting_since": date(2026, 10, 1)}
    office.seed(Case(person=person, **days, **more), case)


def conflict(office: Office, party: str, counterpart: str) -> None:
    """Seed a confirmed conflict."""
    entry = ConflictEntry(
        id="K-1",
        party=party,
        counterpart=counterpart,
        kind=ConflictKind.ENEMY,
        direction=ConflictDirection.MUTUAL,
        status=ConflictStatus.ACTIVE,
        confirmed=True,
        source=FactSource.STAFF,
        recorded_on=date(2026, 9, 1),
        last_confirmed=date(2026, 11, 1),
        reach=ConflictReach.SCHEME,
    )
    office.seed(
        Conflict(
            entry=entry,
            party_role=PartyRole.BOTH,
            explanation="Oppdiktet.",
            author="A",
            review_by=date(2027, 1, 1),
        ),
        "K-1",
    )


def facts_now(office: Office, *, guarded: bool = False) -> Snapshot:
    """Return the snapshot of today."""
    with office.storage.read() as tx:
        actor = office.desk.access
        work = Work(tx, actor, None, office.clock.now(), office.clock.today())  # type: ignore[arg-type]
        return snapshot(work, guarded=guarded)


def status(case: Snapshot, unit: str) -> UnitStatus:
    """Return the status of a unit."""
    return next(u.status for s in case.schemes for u in s.units if u.id == unit)


def test_records_become_residents_applicants_and_units(office: Office) -> None:
    """Whoever lives there is a resident by their own id, whoever waits an applicant by their case."""
    case = facts_now(office)

    assert [(r.id, r.unit, r.gender.value) for r in case.residents] == [("B-1", "nordlia-1", Gender.WOMAN)]
    assert [a.id for a in case.applicants] == ["S-1"]
    assert status(case, "nordlia-1") is UnitStatus.OCCUPIED
    assert status(case, "nordlia-2") is UnitStatus.VACANT


@pytest.mark.parametrize(
    "state", [CaseState.REFUSED, CaseState.WITHDRAWN, CaseState.CLOSED, CaseState.MOVED_IN]
)
def test_a_case_that_has_ended_is_no_applicant(office: Office, state: CaseState) -> None:
    """Who no longer looks for a home is not ranked."""
    days: dict[str, Any] = {"received_on": date(2026, 10, 1), "waiting_since": date(2026, 10, 1)}
    office.seed(Case(person="P-1", state=state, **days), "S-1", version=2)

    assert facts_now(office).applicants == ()


def test_who_lives_here_and_applies_is_one_person(office: Office) -> None:
    """An applicant who is a resident is linked to their own entry (E-10)."""
    applicant(office, "S-2", "P-2")
    office.seed(Tenancy(person="P-2", unit="nordlia-2", scheme="nordlia"), "L-2")

    case = facts_now(office)

    assert {a.id: a.resides_as for a in case.applicants} == {"S-1": None, "S-2": "P-2"}


def test_notice_that_has_run_out_is_no_vacancy(office: Office) -> None:
    """Until somebody says that they are gone, the resident lives there (E-11)."""
    last = TODAY - timedelta(days=1)
    notice = Notice(given_on=TODAY - timedelta(days=90), move_out=last, by_resident=True)
    home = office.now(Tenancy, "L-B-1").body
    office.seed(home.model_copy(update={"notice": notice}), "L-B-1", version=2)

    case = facts_now(office)

    assert status(case, "nordlia-1") is UnitStatus.OCCUPIED
    assert [r.move_out for r in case.residents] == [None]


def test_who_has_moved_out_lives_there_to_the_last_day(office: Office) -> None:
    """The day of moving out is the last one as a resident."""
    home = office.now(Tenancy, "L-B-1").body
    gone = {"moved_out": TODAY, "end_reason": EndReason.OWN_HOME}
    office.seed(home.model_copy(update=gone), "L-B-1", version=2)

    assert [r.id for r in facts_now(office).residents] == ["B-1"]
    office.clock.to(TODAY + timedelta(days=1))
    assert facts_now(office).residents == ()
    assert status(facts_now(office), "nordlia-1") is UnitStatus.VACANT


def test_a_couple_shares_a_unit(office: Office) -> None:
    """Two tenancies of one household are two residents of one unit (E-09)."""
    office.seed(Person(), "B-2")
    shared = Tenancy(person="B-2", unit="nordlia-1", scheme="nordlia", shares="L-B-1")
    office.seed(shared, "L-2")

    assert {r.id: r.household for r in facts_now(office).residents} == {"B-1": "L-B-1", "B-2": "L-B-1"}


def test_the_birth_date_of_a_child_is_not_read(office: Office) -> None:
    """A wrong or a child's birth date stops nobody's suggestion: it is unknown."""
    office.seed(Person(facts=facts(born=TODAY - timedelta(days=400))), "P-1", version=2)

    assert facts_now(office).applicants[0].birth_date.status is FactStatus.DISPUTED


def test_a_conflict_is_between_those_who_are_here(office: Office) -> None:
    """One whose other party is nobody's neighbour is left out."""
    office.seed(Person(), "P-9")
    conflict(office, "P-1", "B-1")

    assert [(c.party, c.counterpart) for c in facts_now(office).conflicts] == [("S-1", "B-1")]

    office.seed(
        office.now(Conflict, "K-1").body.model_copy(
            update={"entry": office.now(Conflict, "K-1").body.entry.model_copy(update={"counterpart": "P-9"})}
        ),
        "K-1",
        version=2,
    )
    assert facts_now(office).conflicts == ()


def test_a_kode_6_resident_is_an_unknown_occupant_to_the_uncleared(office: Office) -> None:
    """In the guarded facts the unit is occupied and nothing is said of who lives there."""
    conflict(office, "P-1", "B-1")
    strict = Person(facts=facts(), protection=AddressProtection.STRICTLY_CONFIDENTIAL)
    office.seed(strict, "B-1", version=2)

    guarded = facts_now(office, guarded=True)

    (resident,) = guarded.residents
    assert resident.id == resident.unit == "nordlia-1"
    assert resident.gender.status is FactStatus.NOT_ASKED
    assert [(c.party, c.counterpart) for c in guarded.conflicts] == [("S-1", "nordlia-1")]
    assert "B-1" not in guarded.model_dump_json()
    assert facts_now(office).residents[0].gender.value is Gender.WOMAN


def test_a_kode_6_case_is_not_in_the_guarded_facts(office: Office) -> None:
    """It is as if nobody had applied."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL_ABROAD), "P-1", version=2)

    assert facts_now(office, guarded=True).applicants == ()
    assert len(facts_now(office).applicants) == 1


def test_who_leaves_one_home_today_and_has_another_is_one_resident(office: Office) -> None:
    """The new home counts; whatever is recorded, a suggestion can be asked for."""
    home = office.now(Tenancy, "L-B-1").body
    gone = {"moved_out": TODAY, "end_reason": EndReason.TRANSFER}
    office.seed(home.model_copy(update=gone), "L-B-1", version=2)
    office.seed(Tenancy(person="B-1", unit="nordlia-2", scheme="nordlia", moved_in=TODAY), "L-2")

    assert [(r.id, r.unit) for r in facts_now(office).residents] == [("B-1", "nordlia-2")]


def test_two_kode_6_people_in_a_unit_are_one_unknown_occupant(office: Office) -> None:
    """In the guarded facts a unit has one placeholder, however many live there."""
    strict = Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL)
    office.seed(strict, "B-1", version=2)
    office.seed(strict, "B-2")
    office.seed(Tenancy(person="B-2", unit="nordlia-1", scheme="nordlia", shares="L-B-1"), "L-2")

    assert [r.id for r in facts_now(office, guarded=True).residents] == ["nordlia-1"]
    assert len(facts_now(office).residents) == 2
