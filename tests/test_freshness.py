"""Whether a stored suggestion still says what it would say today, to each reader; who lives door to door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import AbsenceKind, AddressProtection, Clearance, Role
from allocator.casework.housing import Absence, Tenancy
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.codes import FactSource, Gender, UnitStatus
from allocator.model import ApplicantFacts, Assessed
from allocator.service.cases import Reasoned
from allocator.service.errors import NotFoundError
from allocator.service.freshness import Since, since
from allocator.service.neighbours import Room, rooms
from allocator.service.suggestions import MakeSuggestion
from tests.committee import BOTH, Committee
from tests.databases import BACKENDS
from tests.office import Office
from tests.test_snapshot import facts
from tests.test_stored_suggestions import filled, worker

MAN = facts().model_copy(
    update={
        "gender": Assessed[Gender](
            value=Gender.MAN, source=FactSource.APPLICANT, recorded_on=date(2026, 10, 1)
        )
    }
)
STRICT = AddressProtection.STRICTLY_CONFIDENTIAL


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office on each kind of database."""
    made = filled(request.param)
    yield made
    made.close()


def made(office: Office, **asked: str) -> str:
    """Make a suggestion, and return its id."""
    done = office.run(worker(office), "suggestions.make", MakeSuggestion(**(asked or {"case": "S-1"})))
    return done.stored.id


def of(office: Office, person: str, version: int, **more: object) -> None:
    """Change a person past the use cases."""
    known = office.now(Person, person).body
    office.seed(known.model_copy(update=more), person, version)


def test_nothing_has_become_of_what_was_made_just_now(office: Office) -> None:
    """And the look is logged."""
    suggestion = made(office)
    assert since(office.desk, worker(office), suggestion) == Since()
    looked = office.log()[-1]
    assert (looked["kind"], looked["id"], looked["groups"]) == ("suggestion", suggestion, ["answer"])


def test_what_comes_out_otherwise_is_named(office: Office) -> None:
    """A fact of a resident matters in their living group and nowhere else."""
    suggestion = made(office)
    of(office, "B-9", 2, facts=MAN)
    found = since(office.desk, worker(office), suggestion)
    assert found.stale
    assert found.changed == ("havna-2", "havna-3")
    assert (found.new, found.gone, found.policy) == ((), (), False)


def test_what_changes_by_itself_is_no_change(office: Office) -> None:
    """Another day: units have stood empty for longer, and that is all."""
    suggestion = made(office)
    office.clock.to(office.clock.today() + timedelta(days=1))
    assert since(office.desk, worker(office), suggestion) == Since()


def test_a_unit_that_is_taken_is_gone(office: Office) -> None:
    """It is not in question any more."""
    suggestion = made(office)
    office.resident("B-7", "nordlia-7", facts=facts())
    assert "nordlia-7" in since(office.desk, worker(office), suggestion).gone


def test_of_somebody_hidden_nothing_is_told(office: Office) -> None:
    """What changes about a kode-6 resident changes nothing for who may not know of them."""
    of(office, "B-9", 2, protection=STRICT)
    suggestion = made(office)
    of(office, "B-9", 3, facts=MAN)
    cleared = office.somebody(Role.COMMITTEE_LEADER, cleared=BOTH)
    assert since(office.desk, worker(office), suggestion) == Since()
    assert since(office.desk, cleared, suggestion).changed == ("havna-2", "havna-3")


def test_of_a_case_that_has_ended_no_other_can_be_made(office: Office) -> None:
    """The suggestion stays, and says so."""
    suggestion = made(office)
    office.run(worker(office), "cases.withdraw", Reasoned(reason="Vil ikke flytte."), "S-1")
    assert since(office.desk, worker(office), suggestion) == Since(open=False)


def test_who_may_not_read_a_suggestion_is_told_nothing_of_it(office: Office) -> None:
    """Staff who are not heard do not know that it is there."""
    suggestion = made(office)
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    with pytest.raises(NotFoundError):
        since(office.desk, staff, suggestion)


# ------------------------------------------------------------------------------------------- neighbours


def by_unit(office: Office, actor: Actor, scheme: str = "havna") -> dict[str, Room]:
    """Return the rooms of the one living group of a scheme."""
    found = rooms(office.desk, actor, scheme, f"{scheme}-a")
    assert [room.unit["id"] for room in found] == sorted(room.unit["id"] for room in found)
    return {room.unit["id"]: room for room in found}


def test_each_room_tells_who_lives_there_and_how_it_stands(office: Office) -> None:
    """A room nobody lives in has nobody; one who is away lives there all the same."""
    home = office.now(Tenancy, "L-B-9").body
    away = Absence(kind=AbsenceKind.HOSPITAL, since=office.clock.today())
    office.seed(home.model_copy(update={"absence": away}), "L-B-9", 2)
    found = by_unit(office, office.somebody(Role.CASEWORKER, purpose=None))
    assert [room.status for room in found.values()] == [
        UnitStatus.OCCUPIED,
        UnitStatus.VACANT,
        UnitStatus.VACANT,
    ]
    (lodger,) = found["havna-1"].lodgers
    assert lodger.person["id"] == "B-9"
    assert lodger.person["facts"]["gender"]["value"] == "woman"
    assert lodger.tenancy["absence"]["kind"] == "hospital"
    assert "name" not in lodger.person
    assert found["havna-2"].lodgers == ()
    assert "B-9" in {person for entry in office.log() for person in entry.get("people", ())}


def test_each_reader_sees_of_the_others_what_their_role_sees(office: Office) -> None:
    """Health is for some, age and gender for more, and of another scheme's residents staff see nothing."""
    member = office.somebody(Role.COMMITTEE_MEMBER)
    (lodger,) = by_unit(office, member)["havna-1"].lodgers
    assert "gender" in lodger.person["facts"]
    assert "substance_use" not in lodger.person["facts"]
    own = by_unit(office, office.somebody(Role.SCHEME_STAFF, "havna"))["havna-1"].lodgers
    assert own[0].person["facts"].keys() >= {"gender", "birth_date", "child_visits"}
    other = by_unit(office, office.somebody(Role.SCHEME_STAFF, "nordlia"))
    assert other["havna-1"].status is UnitStatus.OCCUPIED
    assert other["havna-1"].lodgers == ()


def test_where_somebody_hidden_lives_is_lived_in_and_no_more(office: Office) -> None:
    """The same is told whoever they are, and the log of others' looks does not name them."""
    of(office, "B-9", 2, protection=STRICT)
    before = len(office.log())
    first = by_unit(office, worker(office))
    of(office, "B-9", 3, facts=ApplicantFacts())
    assert by_unit(office, worker(office)) == first
    assert first["havna-1"].status is UnitStatus.OCCUPIED
    assert first["havna-1"].lodgers == ()
    looks = [entry for entry in office.log()[before:] if entry["outcome"] == "shown"]
    assert all("B-9" not in entry.get("people", ()) for entry in looks)
    cleared = worker(office, Clearance.KODE_6)
    assert by_unit(office, cleared)["havna-1"].lodgers[0].person["id"] == "B-9"


def test_a_scheme_that_is_not_there_has_no_rooms(office: Office) -> None:
    """It is refused like any other record."""
    with pytest.raises(NotFoundError):
        rooms(office.desk, worker(office), "borte", "borte-a")


# --------------------------------------------------------------------------------------- several at once


def test_several_records_are_shown_at_once_to_who_may_see_them(office: Office) -> None:
    """What is not there, or not for them, is left out; each look at a person is logged."""
    of(office, "B-1", 2, protection=STRICT)
    actor, before = worker(office), len(office.log())
    found = office.desk.several(actor, Kind.PERSON, ["B-2", "B-1", "borte", "B-2"])
    assert list(found) == ["B-2"]
    assert [entry["id"] for entry in office.log()[before:]] == ["B-2"]


# ------------------------------------------------------------------------------------------ disqualified


def test_who_is_shut_out_of_a_case_does_not_read_of_it_in_a_list_of_applicants() -> None:
    """Whoever is barred from a case does not find it among the applicants for a unit (REQ-FVL-7)."""
    committee = Committee()
    try:
        asked = MakeSuggestion(unit="nordlia-7")
        suggestion = committee.run(committee.secretary, "suggestions.make", asked).stored.id
        barred, case = committee.members[0], committee.now(Case, "S-1")
        shut = case.body.model_copy(update={"barred": frozenset({barred.account})})
        committee.seed(shut, "S-1", case.version + 1)
        told = committee.desk.answer(barred, suggestion)
        assert [entry["applicant"] for entry in told["suggestions"]] == ["S-2"]
        others = committee.desk.answer(committee.members[1], suggestion)
        assert {entry["applicant"] for entry in others["suggestions"]} == {"S-1", "S-2"}
    finally:
        committee.close()
