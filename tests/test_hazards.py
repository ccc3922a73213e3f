"""Workplace risks: the scheme's own, about nobody, met by measures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, Evidence, HazardKind, Role
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Hazard
from allocator.codes import Measure
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.hazards import ChangeHazard, ReportHazard
from allocator.service.uses import Nothing
from allocator.texts import Language, catalog
from tests.databases import BACKENDS
from tests.office import TODAY, Office


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with a house, a resident and an applicant."""
    made = Office(request.param)
    made.house()
    made.house("havna")
    made.resident("B-1", "nordlia-1")
    made.seed(Person(), "P-1")
    made.seed(Case(person="P-1", received_on=TODAY, waiting_since=TODAY), "S-1")
    yield made
    made.close()


def report(office: Office, actor: Actor | None = None, **more: Any) -> str:
    """Report a risk and return its id."""
    sound: dict[str, Any] = {
        "scheme": "nordlia",
        "what": HazardKind.WORKING_ALONE,
        "text": "Én på jobb etter klokka 22.",
    }
    by = actor or office.somebody(Role.SCHEME_STAFF, "nordlia")
    return office.run(by, "hazards.report", ReportHazard(**(sound | more))).stored.id


def test_a_risk_is_reported_and_must_be_looked_at_again(office: Office) -> None:
    """It is the scheme's; it mentions no case and no person."""
    stored = office.now(Hazard, report(office))

    assert stored.body.get_state() == "open"
    assert stored.body.due() == TODAY + timedelta(30)
    assert {link.kind for link in stored.body.links()} == {Kind.SCHEME, Kind.ACCOUNT}


@pytest.mark.parametrize("field", ["text", "measures_text"])
@pytest.mark.parametrize("named", ["S-1", "B-1", "S-23456789ab"])
def test_its_text_names_no_case_and_no_person(office: Office, field: str, named: str) -> None:
    """Neither when it is reported nor when it is changed."""
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    text: dict[str, Any] = {field: f"Det skjer når {named}, eller andre, kommer."}
    identifier = report(office)

    with pytest.raises(RefusalError, match="hazard-names-a-record"):
        report(office, **text)
    with pytest.raises(RefusalError, match="hazard-names-a-record"):
        office.run(leader, "hazards.change", ChangeHazard(**text), identifier)


def test_what_only_looks_like_an_id_is_no_matter(office: Office) -> None:
    """Times, sizes, places and law references are plain text; so is a kode-6 case to the uncleared."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-1", version=2)
    assert report(office, text="Etter kl. 22.00 i 2-roms A-201, jf. aml. § 4-3 og S-1.")


def test_what_is_left_out_stays_as_it_was(office: Office) -> None:
    """Measures are added by the leader; the rest is kept."""
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    identifier = report(office)
    measures = frozenset({Measure.ALWAYS_TWO_STAFF})

    office.run(leader, "hazards.change", ChangeHazard(measures=measures), identifier)
    office.run(leader, "hazards.change", ChangeHazard(review_by=TODAY + timedelta(365)), identifier)

    body = office.now(Hazard, identifier).body
    assert body.measures == measures
    assert body.text == "Én på jobb etter klokka 22."
    assert body.due() == TODAY + timedelta(365)


@pytest.mark.parametrize("days", [-1, 366])
def test_the_review_is_in_reach(office: Office, days: int) -> None:
    """Neither before today nor further ahead than a year."""
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    identifier = report(office, review_by=TODAY)

    for change in (
        lambda day: report(office, review_by=day),
        lambda day: office.run(leader, "hazards.change", ChangeHazard(review_by=day), identifier),
    ):
        with pytest.raises(RefusalError) as error:
            change(TODAY + timedelta(days))
        assert error.value.problems[0].path == "/review_by"


def test_a_risk_is_closed_when_something_is_done_about_it(office: Office) -> None:
    """Without a measure it is not; closed, it is neither changed nor closed again."""
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    identifier = report(office, measures_text="  ")

    with pytest.raises(RefusalError, match="hazard-without-measures"):
        office.run(leader, "hazards.close", Nothing(), identifier)
    office.run(leader, "hazards.change", ChangeHazard(measures_text="To på jobb hver natt."), identifier)
    office.run(leader, "hazards.close", Nothing(), identifier)

    assert office.now(Hazard, identifier).body.closed_on == TODAY
    assert office.now(Hazard, identifier).body.due() is None
    for name, command in (("hazards.close", Nothing()), ("hazards.change", ChangeHazard())):
        with pytest.raises(RefusalError, match="hazard-closed"):
            office.run(leader, name, command, identifier)


def test_risks_stay_in_the_scheme(office: Office) -> None:
    """Staff report, the leader follows up; committee, caseworkers and other schemes do not see them."""
    identifier = report(office)

    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.SCHEME_STAFF, "nordlia"), "hazards.close", Nothing(), identifier)
    with pytest.raises(ForbiddenError):
        report(office, office.somebody(Role.SCHEME_STAFF, "havna"))
    for actor in (
        office.somebody(Role.SCHEME_LEADER, "havna"),
        office.somebody(Role.COMMITTEE_LEADER),
        office.somebody(Role.CASEWORKER),
    ):
        with pytest.raises(NotFoundError):
            office.desk.show(actor, Kind.HAZARD, identifier)


@pytest.mark.parametrize("language", list(Language))
def test_kinds_of_risk_and_evidence_have_labels(language: Language) -> None:
    """No two read the same."""
    words = catalog(language)
    for codes in (HazardKind, Evidence):
        labels = [words.code(codes, code.value) for code in codes]
        assert len(set(labels)) == len(labels)
