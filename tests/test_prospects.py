"""What a decision must answer, as it is told before it is written: the same that is asked for afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.codes import ReservationReason, Role, VetoAnswer
from allocator.casework.committee import VetoReply
from allocator.casework.housing import Unit, UnitReservation
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.codes import Need
from allocator.service.cases import PlaceInCrisis
from allocator.service.colleagues import colleagues
from allocator.service.errors import NotFoundError, RefusalError
from allocator.service.prospects import Prospect, before_approving, before_placing, before_proposing
from tests.cases import some_needs
from tests.committee import GROUNDS, WHY, Committee, person_facts
from tests.office import TODAY
from tests.test_decisions import enemies, objection


@pytest.fixture
def desk() -> Iterator[Committee]:
    """An office with a committee."""
    made = Committee()
    yield made
    made.close()


def told(
    office: Committee, unit: str, suggestion: str | None, by: Actor | None = None, case: str = "S-1"
) -> Prospect:
    """Return what a decision to give a unit must answer."""
    return before_proposing(office.desk, by or office.leader, case, unit, suggestion)


def codes(prospect: Prospect) -> list[str]:
    """Return why it cannot be decided so."""
    return [stop.code for stop in prospect.stops]


def test_what_speaks_for_itself_needs_no_more_words(desk: Committee) -> None:
    """The best unit, heard and with nothing changed, is proposed without more."""
    meeting = desk.sitting("S-1")
    suggestion = desk.suggested("S-1")
    prospect = told(desk, "nordlia-7", suggestion)
    assert prospect.verdict in ("suitable", "suitable_with_remarks")
    assert prospect == Prospect(prospect.verdict, prospect.verdict)
    assert desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion)
    entry = [line for line in desk.log() if line["use"] == "decisions.prospect"][-1]
    assert entry["groups"] == ["answer"]
    assert entry["id"] == "S-1"
    assert entry["shown"]


def test_advice_against_a_changed_fact_and_an_objection_are_told_and_then_answered(desk: Committee) -> None:
    """With exactly what is told to be missing, the proposal goes through."""
    meeting = desk.sitting("S-1")
    suggestion = desk.suggested("S-1")
    unit = desk.now(Unit, "nordlia-7").body
    facts = unit.facts.model_copy(update={"lift": False, "floor": 3})
    desk.seed(unit.model_copy(update={"facts": facts}), "nordlia-7", version=2)
    desk.seed(Person(facts=person_facts(needs=some_needs(Need.LIFT))), "P-1", version=2)
    objection(desk, unit="nordlia-7")

    prospect = told(desk, "nordlia-7", suggestion)

    assert prospect.deviation
    assert prospect.stale
    assert "lift-need" in prospect.rules
    assert prospect.objections == ("IN-1",)
    assert ("unit.floor", 1, 3) in {(one.path, one.before, one.now) for one in prospect.changed}
    assert not [one.path for one in prospect.changed if one.path.endswith(("days_vacant", "as_of"))]
    assert codes(prospect) == []
    reply = VetoReply(veto="IN-1", answer=VetoAnswer.NOT_FOLLOWED, reason="Det er to på vakt fra neste uke.")
    said: dict[str, Any] = {
        "suggestion": suggestion,
        "deviation": WHY,
        "stale_confirmed": WHY,
        "replies": (reply,),
    }
    decision = desk.proposed("S-1", "nordlia-7", meeting, **said)
    assert codes(before_approving(desk.desk, desk.second, decision)) == []
    assert codes(before_approving(desk.desk, desk.leader, decision)) == ["second-person-needed"]


def test_what_stands_in_the_way_is_told_all_at_once(desk: Committee) -> None:
    """No suggestion, and nobody heard; once somebody has a unit, a second one is not given."""
    assert codes(told(desk, "nordlia-7", None)) == ["hearing-missing", "suggestion-missing"]
    desk.allotted("S-1", "nordlia-7")
    assert "already-allotted" in codes(told(desk, "nordlia-8", desk.suggested("S-2")))
    taken = told(desk, "nordlia-7", desk.suggested("S-2"), case="S-2")
    assert {"bar-not-overridable", "unit-not-available"} & set(codes(taken))


def test_what_has_changed_since_a_proposal_is_told_before_it_is_approved(desk: Committee) -> None:
    """Without a word on it the approval is refused; an objection since then stops it."""
    decision = desk.proposed("S-1", "nordlia-7", desk.sitting("S-1"))
    assert not before_approving(desk.desk, desk.second, decision).stale
    desk.seed(Person(facts=person_facts(needs=some_needs(Need.NEAR_TRANSPORT))), "P-1", version=2)
    prospect = before_approving(desk.desk, desk.second, decision)
    assert prospect.stale
    assert "applicant.needs:near_transport" in {one.path for one in prospect.changed}
    objection(desk, scheme="nordlia")
    stops = codes(before_approving(desk.desk, desk.second, decision))
    assert stops == ["deviation-needed", "veto-unanswered"]


def test_who_is_not_cleared_is_told_the_same_whoever_the_enemy_is() -> None:
    """Not even that the unit will be refused; the cleared are told of the sealed advice."""
    found = []
    for enemy in ("nordlia-r2", "nordlia-r5"):
        world = Committee()
        enemies(world, "P-1", enemy)
        world.sitting("S-1")
        suggestion = world.suggested("S-1")
        found.append([told(world, unit, suggestion) for unit in ("nordlia-7", "nordlia-8", "havna-2")])
        cleared = told(world, "nordlia-7", suggestion, world.cleared)
        world.close()
        assert cleared.sealed == ("known-conflict",)
        assert all(prospect.sealed == () and prospect.stops == () for prospect in found[-1])
    assert found[0] == found[1]


def test_grounds_that_no_applicant_may_read_are_told_of_before_they_count(desk: Committee) -> None:
    """They name a resident; the approver can have the proposal dropped before it is a decision."""
    meeting = desk.sitting("S-1", "S-2")
    decision = desk.proposed("S-1", "nordlia-7", meeting, grounds=f"{GROUNDS} Roligere enn nordlia-r2.")
    assert before_approving(desk.desk, desk.second, decision).names_others
    own = desk.proposed("S-2", "nordlia-8", meeting, grounds=f"Saken S-2: {GROUNDS}")
    assert not before_approving(desk.desk, desk.second, own).names_others
    none = desk.proposed("S-2", None, meeting, grounds=f"{GROUNDS} Som i S-1.")
    assert before_approving(desk.desk, desk.second, none).names_others


def test_only_who_may_decide_is_told(desk: Committee) -> None:
    """A member who does not propose, a unit that is not there, and a case that has ended."""
    with pytest.raises(NotFoundError):
        told(desk, "nordlia-7", None, desk.members[0])
    with pytest.raises(NotFoundError):
        told(desk, "nordlia-99", None)
    decision = desk.proposed("S-1", "nordlia-7", desk.sitting("S-1"))
    with pytest.raises(NotFoundError):
        before_approving(desk.desk, desk.secretary, decision)


def test_colleagues_are_named_to_who_works_here_and_to_nobody_else(desk: Committee) -> None:
    """By account, in the order of their names; nothing is told of logins or clearances."""
    found = colleagues(desk.desk, desk.worker)
    assert list(found) == sorted(found)
    assert found["leder"].name == "leder"
    assert found["leder"].roles == {Role.COMMITTEE_LEADER}
    assert colleagues(desk.desk, Actor("nobody")) == {}
    assert Kind.ACCOUNT.value not in {entry["kind"] for entry in desk.log() if entry["outcome"] == "shown"}


def test_what_a_placement_in_a_crisis_must_answer_is_told_before_it_is_made(desk: Committee) -> None:
    """Advice against, a unit that is not free, and a case that has a place; what is held for this is free."""
    unit = desk.now(Unit, "nordlia-7").body
    facts = unit.facts.model_copy(update={"lift": False, "floor": 3})
    desk.seed(unit.model_copy(update={"facts": facts}), "nordlia-7", version=2)
    desk.seed(Person(facts=person_facts(needs=some_needs(Need.LIFT))), "P-1", version=2)
    held = UnitReservation(
        unit="nordlia-8", scheme="nordlia", reason=ReservationReason.EMERGENCY, owner="x", until=TODAY
    )
    desk.seed(held, "R-8")

    prospect = before_placing(desk.desk, desk.leader, "S-1", "nordlia-7")

    assert (prospect.deviation, prospect.stale, prospect.stops) == (True, False, ())
    assert "lift-need" in prospect.rules
    assert codes(before_placing(desk.desk, desk.leader, "S-1", "nordlia-8")) == []
    with pytest.raises(RefusalError, match=r"^deviation-needed$"):
        desk.run(desk.leader, "cases.place_in_crisis", in_crisis("nordlia-7"), "S-1")
    desk.run(desk.leader, "cases.place_in_crisis", in_crisis("nordlia-7", deviation=WHY), "S-1")
    taken = codes(before_placing(desk.desk, desk.leader, "S-2", "nordlia-7"))
    assert taken[0] == "unit-not-free"
    assert "has-a-place" in codes(before_placing(desk.desk, desk.leader, "S-1", "nordlia-8"))


def test_only_who_may_place_in_a_crisis_is_told_what_it_must_answer(desk: Committee) -> None:
    """A caseworker learns nothing by asking."""
    with pytest.raises(NotFoundError):
        before_placing(desk.desk, desk.somebody(Role.CASEWORKER), "S-1", "nordlia-7")


def in_crisis(unit: str, deviation: str | None = None) -> PlaceInCrisis:
    """Return a placement from tonight for a week."""
    return PlaceInCrisis(
        unit=unit,
        reason="Brann.",
        review_by=TODAY + timedelta(days=1),
        until=TODAY + timedelta(days=7),
        deviation=deviation,
    )
