"""A crisis placement: decided by one, within the rules, and looked at by another the next day (E-22)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, Clarification
from allocator.casework.codes import (
    CaseState,
    ClarificationState,
    DecisionState,
    Purpose,
    ReservationReason,
    ReviewKind,
    Role,
)
from allocator.casework.committee import Decision, Review
from allocator.casework.housing import Tenancy, UnitReservation
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link
from allocator.model import ApplicantFacts
from allocator.ports import Query
from allocator.service.cases import PlaceInCrisis
from allocator.service.errors import ForbiddenError, RefusalError
from allocator.service.housekeeping import housekeep
from allocator.service.prospects import before_placing
from allocator.service.reviews import HoldReview
from tests.committee import BOTH, WHY, Committee
from tests.databases import BACKENDS
from tests.office import TODAY, Office
from tests.test_decisions import enemies

DAY = timedelta(days=1)
FOUND = "Sov godt, og huset er rolig."


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Committee]:
    """An office with a committee, on each kind of database."""
    made = Committee(request.param)
    yield made
    made.close()


@pytest.fixture
def desk() -> Iterator[Committee]:
    """An office with a committee."""
    made = Committee()
    yield made
    made.close()


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    """Expect a refusal with a code."""
    return pytest.raises(RefusalError, match=f"^{code}$")


def crisis(unit: str = "nordlia-7", **more: Any) -> PlaceInCrisis:
    """Return a placement from tonight for a week."""
    said = {"unit": unit, "reason": "Brann.", "review_by": TODAY + 3 * DAY, "until": TODAY + 7 * DAY}
    return PlaceInCrisis(**{**said, **more})


def placed(office: Committee, by: Actor | None = None, case: str = "S-1", **more: Any) -> Decision:
    """Place somebody, and return the decision."""
    office.run(by or office.leader, "cases.place_in_crisis", crisis(**more), case)
    body = decided(office, case).body
    assert isinstance(body, Decision)
    return body


def decided(office: Office, case: str = "S-1") -> Any:
    """Return the decision of a case."""
    with office.storage.read() as tx:
        (decision,) = tx.find(Query(Kind.DECISION, links=(Link(Kind.CASE, case),)))
    return decision


def reviews(office: Office) -> list[str]:
    """Return the ids of what is to be looked at, the nearest first."""
    with office.storage.read() as tx:
        return [r.id for r in tx.find(Query(Kind.REVIEW, states=frozenset({"due"})))]


def test_the_rules_are_asked_and_what_is_not_known_is_listed_and_asked_for(office: Committee) -> None:
    """Nothing is known of who was found tonight: the decision says what, and staff are asked for it."""
    office.seed(Person(facts=ApplicantFacts()), "P-1", version=2)

    decision = placed(office)

    missing = {fact.path for fact in decision.missing if fact.of == "P-1"}
    assert missing >= {"applicant.needs", "applicant.orders_checked"}
    assert {(f.of, f.path) for f in decision.rests_on} >= {("nordlia-7", "unit.status")}
    assert decision.told_sha256
    with office.storage.read() as tx:
        asked = tx.find(Query(Kind.CLARIFICATION, links=(Link(Kind.CASE, "S-1"),)))
    found = {c.body.path for c in asked if isinstance(c.body, Clarification) and c.body.person == "P-1"}
    assert missing == found
    assert {c.body.get_state() for c in asked} == {ClarificationState.OPEN}
    shown = office.desk.show(office.leader, Kind.DECISION, decided(office).id).view
    assert {fact["path"] for fact in shown["missing"] if fact["of"] == "P-1"} == missing


def test_nothing_is_listed_where_everything_is_known(desk: Committee) -> None:
    """The list is of what is missing, and of nothing else."""
    assert placed(desk).missing == ()


def test_a_unit_that_is_held_back_for_emergencies_speaks_against_nothing(office: Committee) -> None:
    """The rules are asked as things will stand: no reason is needed, and it is let go of."""
    held = UnitReservation(
        unit="nordlia-7", scheme="nordlia", reason=ReservationReason.EMERGENCY, owner="x", until=TODAY
    )
    office.seed(held, "RE-1")
    placed(office)
    assert office.now(UnitReservation, "RE-1").body.released_on == TODAY


def test_a_unit_that_somebody_moves_into_later_is_not_free_though_it_is_held_for_emergencies(
    office: Committee,
) -> None:
    """The reservation would end, but the tenancy that is to begin stands; the refusal lets go of nothing."""
    held = UnitReservation(
        unit="nordlia-7", scheme="nordlia", reason=ReservationReason.EMERGENCY, owner="x", until=TODAY
    )
    office.seed(held, "RE-1")
    moves = Tenancy(person="P-2", unit="nordlia-7", scheme="nordlia", moved_in=TODAY + 2 * DAY)
    office.seed(moves, "L-2")
    stops = before_placing(office.desk, office.leader, "S-1", "nordlia-7").stops
    assert "unit-not-free" in {stop.code for stop in stops}
    with refused("unit-not-free"):
        placed(office)
    assert office.now(UnitReservation, "RE-1").body.released_on is None


def test_what_speaks_against_the_unit_is_answered_with_a_reason(desk: Committee) -> None:
    """An enemy in the zone: members say why; the unit is refused in neutral words to the uncleared."""
    enemies(desk, "P-1", "nordlia-r2")
    with refused("deviation-needed"):
        placed(desk)
    with refused("unit-not-available"):
        placed(desk, deviation=WHY)
    with refused("sealed-deviation-needed"):
        placed(desk, desk.cleared, deviation=WHY)
    decision = placed(desk, desk.cleared, deviation=WHY, sealed_deviation=WHY)
    assert decision.deviation is not None
    assert decision.deviation.reason == WHY
    assert decision.sealed_deviation == WHY


def test_another_person_looks_at_it_the_next_day(office: Committee) -> None:
    """One decides at night; whoever decided it cannot be the one who looks at it."""
    placed(office)
    first, _second = reviews(office)
    assert office.now(Review, first).body.by == TODAY + DAY
    office.clock.to(TODAY + DAY)
    with refused("review-needs-another"):
        office.run(office.leader, "reviews.hold", HoldReview(found=FOUND), first)
    office.run(office.second, "reviews.hold", HoldReview(found=FOUND), first)
    assert office.now(Review, first).body.held_by == office.second.account


def test_neither_of_two_who_decided_looks_at_it_alone(desk: Committee) -> None:
    """Who proposed a crisis placement by day and who approved it have both decided it."""
    body = placed(desk)
    decision = decided(desk)
    desk.seed(body.model_copy(update={"second": desk.second.account}), decision.id, version=2)
    first = reviews(desk)[0]
    for one in (desk.leader, desk.second):
        with refused("review-needs-another"):
            desk.run(one, "reviews.hold", HoldReview(found=FOUND), first)
    desk.run(desk.worker, "reviews.hold", HoldReview(found=FOUND), first)


def test_access_taken_in_a_crisis_is_looked_at_by_another(office: Committee) -> None:
    """The leader reads and holds it, but not if it is their own."""
    body = Review(what=ReviewKind.BREAK_GLASS, account=office.leader.account, by=TODAY + DAY)
    office.seed(body, "RV-1")
    assert office.desk.show(office.second, Kind.REVIEW, "RV-1").view["account"] == office.leader.account
    with refused("review-needs-another"):
        office.run(office.leader, "reviews.hold", HoldReview(found=FOUND), "RV-1")
    with pytest.raises(ForbiddenError):
        office.run(office.secretary, "reviews.hold", HoldReview(found=FOUND), "RV-1")
    office.run(office.second, "reviews.hold", HoldReview(found=FOUND), "RV-1")


def test_a_unit_nobody_moved_into_is_free_after_the_last_day(office: Committee) -> None:
    """On the last day it is still theirs; on the next it is let go of, once."""
    placed(office)
    decision = decided(office).id
    office.clock.to(TODAY + 7 * DAY)
    housekeep(office.desk)
    assert office.now(Decision, decision).body.ended_on is None
    office.clock.to(TODAY + 8 * DAY)
    assert housekeep(office.desk).done["end_crises"] == 1
    body = office.now(Decision, decision).body
    assert (body.ended_on, body.state) == (TODAY + 8 * DAY, DecisionState.MADE)
    assert office.now(Case, "S-1").body.state is CaseState.CRISIS
    assert housekeep(office.desk).done["end_crises"] == 0


def test_without_a_policy_nobody_is_placed() -> None:
    """Where the rules cannot be asked, the refusal says what is missing."""
    office = Office()
    office.house()
    office.seed(Person(), "P-1")
    office.seed(Case(person="P-1", received_on=TODAY, waiting_since=TODAY), "S-1")
    on_call = office.somebody(Role.COMMITTEE_LEADER, cleared=BOTH, purpose=Purpose.CRISIS)
    with refused("no-active-policy"):
        office.run(on_call, "cases.place_in_crisis", crisis("nordlia-1"), "S-1")
    office.close()
