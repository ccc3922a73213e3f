"""Tenancies: who moves in on which grounds, what is agreed, notice, absence, and moving out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    AbsenceKind,
    AppealBody,
    CaseState,
    ClosureKind,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    EndReason,
    OfferState,
    ReservationReason,
    ReviewKind,
    Role,
)
from allocator.casework.committee import Decision, Offer, Review
from allocator.casework.days import months_after
from allocator.casework.housing import Absence, Agreement, Closure, Tenancy, Unit, UnitReservation
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link
from allocator.codes import AgreementForm, FactSource
from allocator.model import ApplicantFacts, Assessed, Day, UnitFacts
from allocator.ports import Query
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.tenancies import Agree, GiveNotice, MoveIn, MoveOut, NoteAbsence
from allocator.service.uses import Nothing
from tests.databases import BACKENDS
from tests.office import TODAY, Office

DAY = timedelta(days=1)
_KNOWN: dict[str, Any] = {"source": FactSource.APPLICANT, "recorded_on": TODAY}


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with two houses, on each kind of database."""
    made = Office(request.param)
    made.house()
    made.house("havna", units=1)
    yield made
    made.close()


@pytest.fixture
def worker(office: Office) -> Actor:
    """A caseworker."""
    return office.somebody(Role.CASEWORKER)


@pytest.fixture
def leader(office: Office) -> Actor:
    """The leader of the house that most of this happens in."""
    return office.somebody(Role.SCHEME_LEADER, "nordlia")


def refused(error: pytest.ExceptionInfo[RefusalError]) -> str:
    """Return the code of a refusal, or the place in the request that is wrong."""
    return error.value.problems[0].path if error.value.problems else error.value.code


def agreement(months: int | None = 36, **more: Any) -> Agreement:
    """Return an agreement that runs from today for so many months."""
    ends = None if months is None else months_after(TODAY, months) - DAY
    form = AgreementForm.TENANCY_OPEN if months is None else AgreementForm.TENANCY_FIXED
    said = {"form": form, "signed_on": TODAY, "starts_on": TODAY, "ends_on": ends, **more}
    return Agreement(**said)


def said_yes(office: Office, number: int, unit: str = "nordlia-1", **more: Any) -> str:
    """Seed somebody with a case, a decision and an offer that they have accepted."""
    person, case, decision = f"P-{number}", f"S-{number}", f"V-{number}"
    shares = more.pop("shares", None)
    type_ = more.pop("type", DecisionType.ALLOCATION)
    office.seed(Person(), person)
    body = Case(person=person, state=CaseState.ACCEPTED, received_on=TODAY, waiting_since=TODAY)
    office.seed(body.model_copy(update=more), case)
    made = Decision(
        type=type_,
        case=case,
        outcome=DecisionOutcome.ALLOCATED,
        unit=unit,
        scheme=unit.rpartition("-")[0],
        grounds="Fordi.",
        appeal_body=AppealBody.MUNICIPAL_BOARD,
        appeal_weeks=3,
        state=DecisionState.MADE,
        proposed_by="x",
        proposed_on=TODAY,
        made_on=TODAY,
        shares=shares,
        crisis_until=TODAY + 30 * DAY if type_ is DecisionType.TEMPORARY else None,
    )
    office.seed(made, decision)
    if type_ is not DecisionType.TEMPORARY:
        offer = Offer(
            case=case,
            decision=decision,
            unit=unit,
            sent_on=TODAY,
            deadline=TODAY,
            told="Du beholder plassen.",
            state=OfferState.ACCEPTED,
        )
        office.seed(offer, f"T-{number}")
    return case


def by_case(case: str, **more: Any) -> MoveIn:
    """Return that somebody moved in today, by a case."""
    return MoveIn(**{"case": case, "moved_in": TODAY, "agreement": agreement(), **more})


def reviews(office: Office, tenancy: str) -> dict[ReviewKind, Review]:
    """Return what is planned for a tenancy."""
    with office.storage.read() as tx:
        found = tx.find(Query(Kind.REVIEW, frozenset({"due"}), (Link(Kind.TENANCY, tenancy),)))
    bodies = [stored.body for stored in found]
    return {body.what: body for body in bodies if isinstance(body, Review)}


# -------------------------------------------------------------------------------------------- moving in


def test_an_accepted_offer_becomes_a_home(office: Office, worker: Actor) -> None:
    """The case has its home, the decision has been used, and somebody is reminded to follow up."""
    case = said_yes(office, 1)

    tenancy = office.run(worker, "tenancies.move_in", by_case(case)).stored.id

    home = office.now(Tenancy, tenancy).body
    assert (home.person, home.unit, home.scheme) == ("P-1", "nordlia-1", "nordlia")
    assert (home.case, home.decision) == (case, "V-1")
    assert office.now(Case, case).body.state is CaseState.MOVED_IN
    assert office.now(Decision, "V-1").body.ended_on == TODAY
    planned = reviews(office, tenancy)
    assert planned[ReviewKind.FOLLOW_UP].by == months_after(TODAY, 3)
    assert planned[ReviewKind.AGREEMENT_STEP].by == months_after(TODAY, 36) - DAY - 90 * DAY
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "no-accepted-offer"


@pytest.mark.parametrize("state", sorted(set(CaseState) - {CaseState.ACCEPTED}))
def test_nobody_moves_in_without_saying_yes(state: CaseState) -> None:
    """Only an accepted offer opens the door; in a crisis, only a crisis placement."""
    office = Office()
    office.house()
    case = said_yes(office, 1, state=state)
    with pytest.raises(RefusalError) as error:
        office.run(office.somebody(Role.CASEWORKER), "tenancies.move_in", by_case(case))
    assert refused(error) == "no-accepted-offer"
    office.close()


def test_a_leader_lets_people_move_into_their_own_house(office: Office, leader: Actor) -> None:
    """The leader of another house may not, and does not learn whether there is an offer."""
    case, other = said_yes(office, 1), said_yes(office, 2, "havna-1")

    with pytest.raises(ForbiddenError):
        office.run(leader, "tenancies.move_in", by_case(other))
    office.seed(office.now(Offer, "T-2").body.model_copy(update={"state": OfferState.SENT}), "T-2", version=2)
    with pytest.raises(ForbiddenError):
        office.run(leader, "tenancies.move_in", by_case(other))
    office.run(leader, "tenancies.move_in", by_case(case))


@pytest.mark.parametrize(("days", "allowed"), [(-1, False), (0, True), (1, True)])
def test_a_unit_must_be_ready_on_the_day(office: Office, worker: Actor, days: int, allowed: bool) -> None:
    """The day before the first day that it is ready is too early."""
    case = said_yes(office, 1)
    unit = Unit(scheme="nordlia", group="nordlia-a", first_ready_on=TODAY - days * DAY)
    office.seed(unit, "nordlia-1", version=2)
    if allowed:
        office.run(worker, "tenancies.move_in", by_case(case))
        return
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "unit-not-ready"


@pytest.mark.parametrize(("days", "allowed"), [(-1, False), (0, False), (1, True)])
def test_a_closed_unit_opens_the_day_after(office: Office, worker: Actor, days: int, allowed: bool) -> None:
    """On the last day of a repair nobody moves in."""
    case = said_yes(office, 1)
    shut = Closure(kind=ClosureKind.UNDER_REPAIR, since=TODAY - 9 * DAY, until=TODAY - days * DAY)
    office.seed(Unit(scheme="nordlia", group="nordlia-a", closure=shut), "nordlia-1", version=2)
    if allowed:
        office.run(worker, "tenancies.move_in", by_case(case))
        return
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "unit-not-ready"


@pytest.mark.parametrize(("days", "allowed"), [(-1, True), (0, False)])
def test_the_last_one_is_out_the_day_before(office: Office, worker: Actor, days: int, allowed: bool) -> None:
    """Who is out today lived there today; whoever has only given notice lives there still."""
    case = said_yes(office, 1)
    tenancy = office.resident("B-1", "nordlia-1")
    gone = {"moved_out": TODAY + days * DAY, "end_reason": EndReason.OWN_HOME}
    office.seed(office.now(Tenancy, tenancy).body.model_copy(update=gone), tenancy, version=2)
    if allowed:
        office.run(worker, "tenancies.move_in", by_case(case))
        return
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "unit-lived-in"


def test_notice_that_has_run_out_does_not_open_the_door(office: Office, worker: Actor, leader: Actor) -> None:
    """Until somebody writes down that they are out, they live there (E-11)."""
    case = said_yes(office, 1)
    tenancy = office.resident("B-1", "nordlia-1")
    asked = GiveNotice(given_on=TODAY, move_out=TODAY + 3 * DAY, by_resident=True)
    office.run(leader, "tenancies.give_notice", asked, tenancy)
    office.clock.to(TODAY + 10 * DAY)
    moved_in = by_case(case, moved_in=TODAY + 10 * DAY)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", moved_in)
    assert refused(error) == "unit-lived-in"

    out = MoveOut(moved_out=TODAY + 3 * DAY, end_reason=EndReason.OWN_HOME)
    office.run(leader, "tenancies.move_out", out, tenancy)
    office.run(worker, "tenancies.move_in", moved_in)


def test_nobody_has_moved_in_tomorrow(office: Office, worker: Actor) -> None:
    """Moving in is written down when it has happened."""
    case = said_yes(office, 1)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case, moved_in=TODAY + DAY))
    assert refused(error) == "/moved_in"


def test_a_reservation_for_the_case_is_used_and_another_is_in_the_way(office: Office, worker: Actor) -> None:
    """What was held back for them is let go of; what is held back for others is not."""
    case = said_yes(office, 1)
    held = UnitReservation(
        unit="nordlia-1",
        scheme="nordlia",
        reason=ReservationReason.DECANT,
        owner="x",
        until=TODAY,
    )
    office.seed(held, "R-1")
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "unit-reserved"

    office.seed(held.model_copy(update={"case": case}), "R-1", version=2)
    office.run(worker, "tenancies.move_in", by_case(case))
    assert office.now(UnitReservation, "R-1").body.released_on == TODAY


def test_who_moves_within_the_municipality_leaves_their_old_home(office: Office, worker: Actor) -> None:
    """The old tenancy ends the day before, and who shared it takes it over (E-10)."""
    case = said_yes(office, 1, "havna-1")
    office.seed(Tenancy(person="P-1", unit="nordlia-1", scheme="nordlia", moved_in=TODAY - DAY), "L-1")
    office.seed(Person(), "P-2")
    office.seed(Tenancy(person="P-2", unit="nordlia-1", scheme="nordlia", shares="L-1"), "L-2")

    office.run(worker, "tenancies.move_in", by_case(case))

    old = office.now(Tenancy, "L-1").body
    assert (old.moved_out, old.end_reason) == (TODAY - DAY, EndReason.TRANSFER)
    assert office.now(Tenancy, "L-2").body.shares is None


def test_who_moved_in_today_does_not_move_on_today(office: Office, worker: Actor) -> None:
    """A home is had for a day at least, and a home one has is not moved into again."""
    case = said_yes(office, 1, "havna-1")
    old = Tenancy(person="P-1", unit="nordlia-1", scheme="nordlia", moved_in=TODAY)
    office.seed(old, "L-1")
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "/moved_in"

    office.seed(old.model_copy(update={"unit": "havna-1", "scheme": "havna"}), "L-1", version=2)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "lives-there-already"


def test_couples_share_a_unit_and_others_do_not(office: Office, worker: Actor) -> None:
    """Only those whose cases name each other share; the second decision leans on the first (E-09)."""
    one = said_yes(office, 1, together_with="S-2")
    two = said_yes(office, 2, together_with="S-1", shares="V-1")
    host = office.run(worker, "tenancies.move_in", by_case(one)).stored.id
    alone = by_case(two)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", alone)
    assert refused(error) == "unit-lived-in"

    guest = office.run(worker, "tenancies.move_in", by_case(two, shares=host)).stored.id

    assert office.now(Tenancy, guest).body.shares == host
    assert office.now(Decision, "V-2").body.ended_on == TODAY


@pytest.mark.parametrize(("mine", "theirs"), [(None, None), (None, "S-2"), ("S-1", None)])
def test_it_takes_two_to_share(office: Office, worker: Actor, mine: str | None, theirs: str | None) -> None:
    """A case that names another is not enough."""
    one = said_yes(office, 1, together_with=theirs)
    two = said_yes(office, 2, together_with=mine, shares="V-1")
    host = office.run(worker, "tenancies.move_in", by_case(one)).stored.id
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(two, shares=host))
    assert refused(error) == "not-together"


def test_shares_names_who_lives_there(office: Office, worker: Actor) -> None:
    """A tenancy elsewhere, or one that is over, cannot be shared."""
    two = said_yes(office, 2)
    elsewhere = office.resident("B-1", "havna-1")
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(two, shares=elsewhere))
    assert refused(error) == "/shares"


# ------------------------------------------------------------------------------------ the first filling


def test_the_register_is_filled_with_who_lives_there(office: Office, leader: Actor) -> None:
    """No case and no day are needed, once a person and a unit; what was agreed is kept, and looked at."""
    office.seed(Person(), "P-1")
    office.seed(Person(), "P-2")
    short = agreement(12)

    first = office.run(leader, "tenancies.move_in", MoveIn(person="P-1", unit="nordlia-1", agreement=short))
    tenancy = first.stored.id

    assert office.now(Tenancy, tenancy).body.agreements == (short,)
    assert {kind: review.by for kind, review in reviews(office, tenancy).items()} == {
        ReviewKind.AGREEMENT_STEP: TODAY
    }
    for asked, code in (
        (MoveIn(person="P-2", unit="nordlia-1"), "unit-lived-in"),
        (MoveIn(person="P-1", unit="nordlia-2"), "has-a-home"),
        (MoveIn(person="P-3", unit="nordlia-2"), "/person"),
        (MoveIn(person="P-2", unit="nordlia-9"), "/unit"),
    ):
        with pytest.raises(RefusalError) as error:
            office.run(leader, "tenancies.move_in", asked)
        assert refused(error) == code
    with pytest.raises(ForbiddenError):
        office.run(leader, "tenancies.move_in", MoveIn(person="P-2", unit="havna-1"))
    office.run(leader, "tenancies.move_in", MoveIn(person="P-2", unit="nordlia-1", shares=tenancy))


@pytest.mark.parametrize(("days", "allowed"), [(-1, True), (0, False)])
def test_who_has_a_case_moves_in_by_decision(office: Office, worker: Actor, days: int, allowed: bool) -> None:
    """Only what was so before the case began is written down without one."""
    office.seed(Person(), "P-1")
    began = TODAY - 5 * DAY
    office.seed(Case(person="P-1", received_on=began, waiting_since=began), "S-1")
    asked = MoveIn(person="P-1", unit="nordlia-1", moved_in=began + days * DAY)
    if allowed:
        office.run(worker, "tenancies.move_in", asked)
        return
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", asked)
    assert refused(error) == "needs-decision"


@pytest.mark.parametrize(("born", "allowed"), [(date(2008, 11, 23), True), (date(2008, 11, 24), False)])
def test_nobody_under_eighteen_moves_in(office: Office, worker: Actor, born: date, allowed: bool) -> None:
    """On the eighteenth birthday they may; the day before, child welfare is responsible (E-21)."""
    office.seed(Person(facts=ApplicantFacts(birth_date=Assessed[Day](value=born, **_KNOWN))), "P-1")
    asked = MoveIn(person="P-1", unit="nordlia-1", moved_in=TODAY)
    if allowed:
        office.run(worker, "tenancies.move_in", asked)
        return
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", asked)
    assert refused(error) == "under-age"


def test_what_is_allotted_is_not_filled(office: Office, worker: Actor) -> None:
    """A unit that a decision gives to somebody is theirs."""
    said_yes(office, 1)
    office.seed(Person(), "P-2")
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", MoveIn(person="P-2", unit="nordlia-1"))
    assert refused(error) == "unit-allotted"


def test_a_move_says_either_a_case_or_a_person() -> None:
    """Both, neither, or a case without a day are not requests."""
    for said in (
        {},
        {"case": "S-1"},
        {"person": "P-1"},
        {"case": "S-1", "person": "P-1", "unit": "u", "moved_in": TODAY},
    ):
        with pytest.raises(ValidationError):
            MoveIn(**said)


# ------------------------------------------------------------------------------------------- in a crisis


def test_a_crisis_placement_makes_no_tenancy_agreement(office: Office, worker: Actor) -> None:
    """Whoever sleeps there is known to; the case goes on, and the only agreement is for the stay (E-22)."""
    case = said_yes(office, 1, state=CaseState.CRISIS, type=DecisionType.TEMPORARY)
    stay: dict[str, Any] = {"form": AgreementForm.EMERGENCY}
    for wrong in (
        agreement(),
        agreement(**stay, ends_on=None),
        agreement(**stay, ends_on=TODAY + 31 * DAY),
    ):
        with pytest.raises(RefusalError) as error:
            office.run(worker, "tenancies.move_in", by_case(case, agreement=wrong))
        assert refused(error) == "crisis-agreement"

    last = agreement(**stay, ends_on=TODAY + 30 * DAY)
    tenancy = office.run(worker, "tenancies.move_in", by_case(case, agreement=last)).stored.id

    assert office.now(Case, case).body.state is CaseState.CRISIS
    assert office.now(Decision, "V-1").body.ended_on == TODAY
    assert reviews(office, tenancy)[ReviewKind.STAY_ENDS].by == TODAY + 23 * DAY


def test_a_crisis_takes_nobodys_home(office: Office, worker: Actor) -> None:
    """Who has a home keeps it; they are away for a time."""
    case = said_yes(office, 1, state=CaseState.CRISIS, type=DecisionType.TEMPORARY)
    office.seed(Tenancy(person="P-1", unit="nordlia-2", scheme="nordlia"), "L-1")
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case, agreement=None))
    assert refused(error) == "crisis-keeps-home"


# ------------------------------------------------------------------------------------------- agreements

_SERVICE: dict[str, Any] = {"form": AgreementForm.SERVICE_AGREEMENT}
_STAY: dict[str, Any] = {"form": AgreementForm.ASSESSMENT_STAY}
_REASONED: dict[str, Any] = {"exception_ground": "Skal rives.", "written_notice_given": True}


@pytest.mark.parametrize(
    ("signed", "code"),
    [
        (agreement(), None),
        (agreement(ends_on=months_after(TODAY, 36) - 2 * DAY), "fixed-term-too-short"),
        (agreement(12, **_REASONED), None),
        (agreement(12, exception_ground="Skal rives."), "fixed-term-too-short"),
        (agreement(12, written_notice_given=True), "fixed-term-too-short"),
        (agreement(ends_on=None), "agreement-needs-end"),
        (agreement(form=AgreementForm.TENANCY, ends_on=None), None),
        (agreement(12, form=AgreementForm.TENANCY), "fixed-term-too-short"),
        (agreement(None), None),
        (agreement(form=AgreementForm.TENANCY_OPEN), "open-agreement-has-end"),
        (agreement(12, **_SERVICE), None),
        (agreement(**_SERVICE, ends_on=months_after(TODAY, 12)), "service-agreement-too-long"),
        (agreement(**_SERVICE, ends_on=None), "agreement-needs-end"),
        (agreement(1, **_STAY), None),
        (agreement(**_STAY, ends_on=months_after(TODAY, 1) - 2 * DAY), "assessment-stay-length"),
        (agreement(3, **_STAY), None),
        (agreement(**_STAY, ends_on=months_after(TODAY, 3)), "assessment-stay-length"),
        (agreement(signed_on=TODAY + DAY), "/agreement/signed_on"),
        (None, "agreement-missing"),
    ],
)
def test_an_agreement_lasts_as_long_as_it_may(signed: Agreement | None, code: str | None) -> None:
    """Each limit on its last day and one beside it (REQ-HUS-1, REQ-HUS-2)."""
    office = Office()
    office.house()
    case = said_yes(office, 1)
    worker = office.somebody(Role.CASEWORKER)
    if code is None:
        office.run(worker, "tenancies.move_in", by_case(case, agreement=signed))
    else:
        with pytest.raises(RefusalError) as error:
            office.run(worker, "tenancies.move_in", by_case(case, agreement=signed))
        assert refused(error) == code
    office.close()


def test_a_unit_has_its_own_limits(office: Office, worker: Actor) -> None:
    """What is published of the unit comes before the figures that count elsewhere."""
    case = said_yes(office, 1)
    facts = UnitFacts(min_stay_months=4, max_stay_months=6)
    office.seed(Unit(scheme="nordlia", group="nordlia-a", facts=facts), "nordlia-1", version=2)
    with pytest.raises(RefusalError):
        office.run(worker, "tenancies.move_in", by_case(case, agreement=agreement(3, **_STAY)))
    office.run(worker, "tenancies.move_in", by_case(case, agreement=agreement(6, **_STAY)))


def test_limits_are_not_got_round_by_signing_anew(office: Office, worker: Actor) -> None:
    """Two service agreements in a row are one; a tenancy follows, and the old reminder is done with."""
    case = said_yes(office, 1)
    half = agreement(6, **_SERVICE)
    tenancy = office.run(worker, "tenancies.move_in", by_case(case, agreement=half)).stored.id
    middle = months_after(TODAY, 6)
    office.clock.to(middle)
    more: dict[str, Any] = {**_SERVICE, "signed_on": middle, "starts_on": middle}
    with pytest.raises(RefusalError) as error:
        office.run(
            worker,
            "tenancies.agree",
            Agree(agreement=agreement(**more, ends_on=months_after(TODAY, 12))),
            tenancy,
        )
    assert refused(error) == "service-agreement-too-long"

    second = agreement(**more, ends_on=months_after(TODAY, 12) - DAY)
    office.run(worker, "tenancies.agree", Agree(agreement=second), tenancy)
    assert reviews(office, tenancy)[ReviewKind.AGREEMENT_STEP].by == months_after(TODAY, 12) - DAY - 60 * DAY
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.agree", Agree(agreement=second), tenancy)
    assert refused(error) == "/agreement/starts_on"
    home = agreement(None, signed_on=middle, starts_on=months_after(TODAY, 12))
    office.run(worker, "tenancies.agree", Agree(agreement=home), tenancy)

    assert office.now(Tenancy, tenancy).body.agreements == (half, second, home)
    assert ReviewKind.AGREEMENT_STEP not in reviews(office, tenancy)


# --------------------------------------------------------------------------------------- notice, absence


def _notice(**more: Any) -> GiveNotice:
    return GiveNotice(**{"given_on": TODAY, "move_out": TODAY, "by_resident": True, **more})


def test_notice_is_given_once_and_taken_back(office: Office, leader: Actor) -> None:
    """Dates are in order, and a second notice needs the first one gone."""
    tenancy = office.resident("B-1", "nordlia-1")
    for wrong, place in (
        (_notice(given_on=TODAY + DAY, move_out=TODAY + DAY), "/given_on"),
        (_notice(move_out=TODAY - DAY), "/move_out"),
        (_notice(given_on=date(2020, 1, 1), move_out=date(2024, 12, 31)), "/move_out"),
    ):
        with pytest.raises(RefusalError) as error:
            office.run(leader, "tenancies.give_notice", wrong, tenancy)
        assert refused(error) == place
    with pytest.raises(RefusalError) as error:
        office.run(leader, "tenancies.take_back_notice", Nothing(), tenancy)
    assert refused(error) == "no-notice"

    office.run(leader, "tenancies.give_notice", _notice(), tenancy)
    with pytest.raises(RefusalError) as error:
        office.run(leader, "tenancies.give_notice", _notice(), tenancy)
    assert refused(error) == "notice-given-already"
    office.run(leader, "tenancies.take_back_notice", Nothing(), tenancy)

    assert office.now(Tenancy, tenancy).body.notice is None


def test_notice_is_not_taken_back_when_the_unit_is_promised(office: Office, leader: Actor) -> None:
    """The committee has given the unit to somebody; that decision comes first."""
    tenancy = office.resident("B-1", "nordlia-1")
    office.run(leader, "tenancies.give_notice", _notice(), tenancy)
    said_yes(office, 1)
    with pytest.raises(RefusalError) as error:
        office.run(leader, "tenancies.take_back_notice", Nothing(), tenancy)
    assert refused(error) == "unit-promised"


def test_whoever_is_away_lives_there_all_the_same(office: Office, leader: Actor, worker: Actor) -> None:
    """In hospital is no vacancy (E-12); not before it has begun."""
    tenancy = office.resident("B-1", "nordlia-1")
    away = Absence(kind=AbsenceKind.HOSPITAL, since=TODAY)
    office.run(leader, "tenancies.note_absence", NoteAbsence(absence=away), tenancy)
    case = said_yes(office, 1)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "tenancies.move_in", by_case(case))
    assert refused(error) == "unit-lived-in"
    office.run(leader, "tenancies.note_absence", NoteAbsence(), tenancy)
    assert office.now(Tenancy, tenancy).body.absence is None
    later = away.model_copy(update={"since": TODAY + DAY})
    with pytest.raises(RefusalError) as error:
        office.run(leader, "tenancies.note_absence", NoteAbsence(absence=later), tenancy)
    assert refused(error) == "/absence/since"


# -------------------------------------------------------------------------------------------- moving out


def test_moving_out_ends_what_is_planned_and_hands_the_unit_on(office: Office, leader: Actor) -> None:
    """Who shared longest takes over, the next shares with them, and reminders are done with."""
    first = office.resident("B-1", "nordlia-1")
    for number, moved_in in ((2, date(2025, 3, 1)), (3, date(2025, 2, 1))):
        office.seed(Person(), f"B-{number}")
        sharing = Tenancy(
            person=f"B-{number}", unit="nordlia-1", scheme="nordlia", shares=first, moved_in=moved_in
        )
        office.seed(sharing, f"L-B-{number}")
    office.seed(Review(what=ReviewKind.FOLLOW_UP, tenancy=first, by=TODAY), "OP-1")

    office.run(leader, "tenancies.move_out", MoveOut(moved_out=TODAY, end_reason=EndReason.OWN_HOME), first)

    assert office.now(Tenancy, first).body.get_state() == "ended"
    assert office.now(Tenancy, "L-B-3").body.shares is None
    assert office.now(Tenancy, "L-B-2").body.shares == "L-B-3"
    assert reviews(office, first) == {}


def test_moving_out_has_happened(office: Office, leader: Actor) -> None:
    """Not tomorrow, not before moving in, and not twice."""
    tenancy = office.resident("B-1", "nordlia-1")
    asked = MoveOut(moved_out=TODAY + DAY, end_reason=EndReason.UNKNOWN)
    for day in (TODAY + DAY, date(2024, 12, 31)):
        with pytest.raises(RefusalError) as error:
            office.run(leader, "tenancies.move_out", asked.model_copy(update={"moved_out": day}), tenancy)
        assert refused(error) == "/moved_out"

    asked = asked.model_copy(update={"moved_out": date(2025, 1, 1)})
    office.run(leader, "tenancies.move_out", asked, tenancy)

    for name, command in (
        ("tenancies.move_out", asked),
        ("tenancies.give_notice", _notice()),
        ("tenancies.take_back_notice", Nothing()),
        ("tenancies.note_absence", NoteAbsence()),
        ("tenancies.agree", Agree(agreement=agreement())),
    ):
        with pytest.raises(RefusalError) as error:
            office.run(leader, name, command, tenancy)
        assert refused(error) == "tenancy-ended"


def test_death_ends_the_case_as_well(office: Office, leader: Actor) -> None:
    """Nobody looks for a home for them any more; another reason leaves the case as it is (E-30)."""
    for number, reason, closed in ((1, EndReason.DEATH, True), (2, EndReason.INSTITUTION, False)):
        person = f"B-{number}"
        tenancy = office.resident(person, f"nordlia-{number}")
        office.seed(Case(person=person, received_on=TODAY, waiting_since=TODAY), f"S-{number}")
        office.run(leader, "tenancies.move_out", MoveOut(moved_out=TODAY, end_reason=reason), tenancy)
        case = office.now(Case, f"S-{number}").body
        assert (case.state is CaseState.CLOSED, case.closing is not None) == (closed, closed)


def test_tenancies_of_another_house_are_not_there(office: Office) -> None:
    """The leader of one house does not know of those who live in another."""
    tenancy = office.resident("B-1", "nordlia-1")
    with pytest.raises(NotFoundError):
        office.run(office.somebody(Role.SCHEME_LEADER, "havna"), "tenancies.give_notice", _notice(), tenancy)
    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.SCHEME_STAFF, "nordlia"), "tenancies.give_notice", _notice(), tenancy)


def test_nobody_moves_into_a_home_on_the_last_day_in_another(office: Office, leader: Actor) -> None:
    """Until the evening they live in the old one; the day after they may move."""
    office.resident("B-1", "nordlia-1")
    out = MoveOut(moved_out=TODAY, end_reason=EndReason.TRANSFER)
    office.run(leader, "tenancies.move_out", out, "L-B-1")
    asked = MoveIn(person="B-1", unit="nordlia-2", moved_in=TODAY)

    with pytest.raises(RefusalError) as error:
        office.run(leader, "tenancies.move_in", asked)
    assert refused(error) == "has-a-home"

    office.clock.to(TODAY + DAY)
    later = asked.model_copy(update={"moved_in": TODAY + DAY})
    office.run(leader, "tenancies.move_in", later)
