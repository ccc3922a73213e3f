"""Cases: from the application to the waiting list, couples and friends, who may not see them, and crises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, Closing
from allocator.casework.codes import (
    ENDED_CASES,
    AddressProtection,
    AppealBody,
    CaseOrigin,
    CaseState,
    Clearance,
    ClosureKind,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    HearingState,
    OfferState,
    ReservationReason,
    ReviewKind,
    Role,
)
from allocator.casework.committee import Decision, Offer, Review
from allocator.casework.days import months_after
from allocator.casework.housing import Closure, Unit, UnitReservation
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, Link, Stored
from allocator.casework.relations import Conflict
from allocator.casework.voice import Hearing
from allocator.codes import (
    AgreementForm,
    ConflictDirection,
    ConflictKind,
    ConflictStatus,
    FactSource,
    PlacementKind,
    StayKind,
)
from allocator.model import ApplicantFacts, Assessed, Day, Months, NeedsAssessment, Placement, Wish, Wishes
from allocator.model import Conflict as Entry
from allocator.model import Reservation as NotThere
from allocator.ports import Query, TakenError
from allocator.service.cases import (
    AnswerNear,
    ApplyTogether,
    AskFor,
    Assess,
    Bar,
    HandOver,
    ListCase,
    OnDay,
    OpenCase,
    PlaceInCrisis,
    Reasoned,
    SayWishes,
    WishNear,
)
from allocator.service.decisions import CRISIS_DAYS
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.uses import Command, Nothing
from tests.databases import BACKENDS
from tests.office import TODAY, Office
from tests.test_stored_suggestions import with_policy

DAY = timedelta(days=1)
LATER = TODAY + 365 * DAY


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with one house and two persons, on each kind of database."""
    made = Office(request.param)
    with_policy(made)
    made.house()
    made.seed(Person(), "P-1")
    made.seed(Person(), "P-2")
    yield made
    made.close()


@pytest.fixture
def worker(office: Office) -> Actor:
    """A caseworker."""
    return office.somebody(Role.CASEWORKER)


@pytest.fixture
def on_call(office: Office) -> Actor:
    """The leader on call."""
    return office.somebody(Role.COMMITTEE_LEADER)


def refused(error: pytest.ExceptionInfo[RefusalError]) -> str:
    """Return the code of a refusal, or the place in the request that is wrong."""
    return error.value.problems[0].path if error.value.problems else error.value.code


def case(office: Office, number: int = 1, state: CaseState = CaseState.RECEIVED, **more: Any) -> str:
    """Seed a case that stands somewhere."""
    said = {"protection_checked_on": TODAY, "received_on": TODAY, "waiting_since": TODAY, **more}
    office.seed(Case(person=f"P-{number}", state=state, **said), f"S-{number}")
    return f"S-{number}"


def stands(office: Office, number: int = 1) -> Case:
    """Return a case as it stands."""
    return office.now(Case, f"S-{number}").body


def of_case(office: Office, kind: Kind, number: int = 1) -> list[Stored[Body]]:
    """Return the records of a kind that belong to a case."""
    with office.storage.read() as tx:
        return list(tx.find(Query(kind, links=(Link(Kind.CASE, f"S-{number}"),))))


def to_list(**more: Any) -> ListCase:
    """Return a request to put a case on the waiting list."""
    return ListCase(**{"reason": "Uten bolig.", "premises_valid_until": LATER, **more})


def _of_age(born: date) -> Person:
    known = Assessed[Day](value=born, source=FactSource.REGISTER, recorded_on=TODAY)
    return Person(facts=ApplicantFacts(birth_date=known))


def _stay(day: date) -> Assessed[StayKind]:
    return Assessed[StayKind](value=StayKind.LIMITED, source=FactSource.APPLICANT, recorded_on=day)


def _months(day: date) -> Assessed[Months]:
    return Assessed[Months](value=9, source=FactSource.APPLICANT, recorded_on=day)


# --------------------------------------------------------------------------------------------- opening


def test_a_case_begins_the_day_it_was_received(office: Office, worker: Actor) -> None:
    """It waits from that day, and a person has one at a time."""
    asked = OpenCase(person="P-1", received_on=TODAY - 3 * DAY)

    opened = office.run(worker, "cases.open", asked).stored.id

    body = office.now(Case, opened).body
    assert (body.state, body.waiting_since) == (CaseState.RECEIVED, TODAY - 3 * DAY)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.open", asked)
    assert refused(error) == "has-a-case"
    with pytest.raises(TakenError):
        office.seed(body, "S-other")


def test_how_long_a_home_is_needed_is_not_told_ahead(office: Office, worker: Actor) -> None:
    """Today it is written down, tomorrow's is refused by its place, and what was known stays."""
    case(office)
    told = Placement(stay=_stay(TODAY), stay_months=_months(TODAY))
    office.run(worker, "cases.ask_for", AskFor(placement=told), "S-1")
    with pytest.raises(RefusalError) as error:
        office.run(
            worker, "cases.ask_for", AskFor(placement=Placement(stay_months=_months(TODAY + DAY))), "S-1"
        )
    assert refused(error) == "/placement/stay_months/recorded_on"
    assert stands(office).placement == told


@pytest.mark.parametrize("state", sorted(ENDED_CASES))
def test_a_case_that_has_ended_makes_way(office: Office, worker: Actor, state: CaseState) -> None:
    """Whoever was refused, withdrew or has moved in can apply again."""
    case(office, state=state)
    office.run(worker, "cases.open", OpenCase(person="P-1", received_on=TODAY))


@pytest.mark.parametrize(("born", "allowed"), [(date(2008, 11, 23), True), (date(2008, 11, 24), False)])
def test_child_welfare_has_those_under_eighteen(
    office: Office, worker: Actor, born: date, allowed: bool
) -> None:
    """On the eighteenth birthday a case is opened, the day before it is not (E-21)."""
    office.seed(_of_age(born), "P-1", version=2)
    asked = OpenCase(person="P-1", received_on=TODAY)
    if allowed:
        office.run(worker, "cases.open", asked)
        return
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.open", asked)
    assert refused(error) == "under-age"


def test_what_is_wrong_in_an_application_is_told_where(office: Office, worker: Actor) -> None:
    """Days ahead, schemes and persons that are not there, and a crisis that nobody has decided."""
    asked = OpenCase(person="P-1", received_on=TODAY)
    wishes = Wishes(obtained_on=TODAY)
    office.seed(Person(merged_into="P-2"), "P-3")
    for change, place in (
        ({"person": "P-9"}, "/person"),
        ({"person": "P-3"}, "/person"),
        ({"received_on": TODAY + DAY}, "/received_on"),
        ({"waiting_since": TODAY + DAY}, "/waiting_since"),
        ({"wishes": Wishes(obtained_on=TODAY + DAY)}, "/wishes/obtained_on"),
        (
            {"wishes": wishes.model_copy(update={"preferred": (Wish(scheme="x", rank=1),)})},
            "/wishes/preferred/0/scheme",
        ),
        (
            {"wishes": wishes.model_copy(update={"reservations": (NotThere(scheme="x"),)})},
            "/wishes/reservations/0/scheme",
        ),
        ({"placement": Placement(kind=PlacementKind.CRISIS)}, "/placement/kind"),
        ({"placement": Placement(stay=_stay(TODAY + DAY))}, "/placement/stay/recorded_on"),
        ({"placement": Placement(stay_months=_months(TODAY + DAY))}, "/placement/stay_months/recorded_on"),
    ):
        with pytest.raises(RefusalError) as error:
            office.run(worker, "cases.open", asked.model_copy(update=change))
        assert refused(error) == place
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.open", asked.model_copy(update={"origin": CaseOrigin.TRANSFER}))
    assert refused(error) == "transfer-needs-home"
    assert of_case(office, Kind.CASE) == []


def test_a_resident_can_ask_to_move(office: Office, worker: Actor) -> None:
    """A transfer begins from a home that is recorded (E-10)."""
    office.resident("B-1", "nordlia-1")
    asked = OpenCase(person="B-1", origin=CaseOrigin.TRANSFER, received_on=TODAY)
    office.run(worker, "cases.open", asked)


def test_only_caseworkers_open_cases(office: Office) -> None:
    """Neither assessors nor staff nor the committee do."""
    asked = OpenCase(person="P-1", received_on=TODAY)
    for role in (Role.ASSESSOR, Role.COMMITTEE_LEADER, Role.PROPERTY_MANAGER, Role.PEER_MEMBER):
        with pytest.raises(ForbiddenError):
            office.run(office.somebody(role), "cases.open", asked)
    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.SCHEME_LEADER, "nordlia"), "cases.open", asked)


def test_nobody_uncleared_opens_a_case_for_kode_6(office: Office, worker: Actor) -> None:
    """They are told that there is no such person; the cleared open it."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-1", version=2)
    asked = OpenCase(person="P-1", received_on=TODAY)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.open", asked)
    assert refused(error) == "/person"
    office.run(office.somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6]), "cases.open", asked)


# ------------------------------------------------------------------------------ from reply to waiting list


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 10, 23), date(2026, 11, 23)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2026, 12, 15), date(2027, 1, 15)),
    ],
)
def test_a_preliminary_reply_is_due_after_a_month(received: date, due: date) -> None:
    """The same day of the next month, or its last (REQ-BSL-1)."""
    body = Case(person="P-1", received_on=received, waiting_since=received)

    assert body.due() == due
    assert body.model_copy(update={"preliminary_reply_on": received}).due() is None
    assert body.model_copy(update={"state": CaseState.CRISIS}).due() == due
    assert body.model_copy(update={"state": CaseState.SUGGESTED}).due() is None


def test_what_nobody_has_replied_to_is_on_the_list_of_what_is_late(office: Office, worker: Actor) -> None:
    """On the day it is due and after; not the day before, and not once the reply is sent, which is once."""
    case(office, received_on=date(2026, 10, 23), waiting_since=date(2026, 10, 23))

    def late(day: date) -> int:
        return len(office.desk.page(worker, Kind.CASE, due_by=day).items)

    assert (late(TODAY - DAY), late(TODAY), late(TODAY + DAY)) == (0, 1, 1)
    office.run(worker, "cases.reply_preliminarily", OnDay(), "S-1")
    assert late(TODAY + DAY) == 0
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.reply_preliminarily", OnDay(), "S-1")
    assert refused(error) == "replied-already"


@pytest.mark.parametrize(("days", "allowed"), [(-1, False), (0, True), (3, True), (4, False)])
def test_what_was_done_was_done_in_the_time_of_the_case(
    office: Office, worker: Actor, days: int, allowed: bool
) -> None:
    """Not before it was received, and not tomorrow."""
    case(office, received_on=TODAY - 3 * DAY, waiting_since=TODAY - 3 * DAY)
    asked = OnDay(on=TODAY + (days - 3) * DAY)
    if allowed:
        office.run(worker, "cases.check_protection", asked, "S-1")
        assert stands(office).protection_checked_on == asked.on
        return
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.check_protection", asked, "S-1")
    assert refused(error) == "/on"


def test_assessment_begins_when_protection_was_checked(office: Office, worker: Actor) -> None:
    """And once the case of somebody who works here has been handed over (E-29)."""
    case(office, protection_checked_on=None)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.begin_assessment", Nothing(), "S-1")
    assert refused(error) == "protection-not-checked"
    office.run(worker, "cases.check_protection", OnDay(), "S-1")
    office.seed(Person(works_here=True), "P-1", version=2)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.begin_assessment", Nothing(), "S-1")
    assert refused(error) == "hand-over-first"
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.hand_over", HandOver(reason="Ansatt."), "S-1")
    assert refused(error) == "/handled_by"

    office.run(worker, "cases.hand_over", HandOver(reason="Ansatt.", handled_by="Bydel 2"), "S-1")
    pays = HandOver(reason="Betaler.", responsible_municipality="4601")
    office.run(worker, "cases.hand_over", pays, "S-1")
    office.run(office.somebody(Role.ASSESSOR), "cases.begin_assessment", Nothing(), "S-1")

    body = stands(office)
    assert (body.state, body.handled_by) == (CaseState.ASSESSMENT, "Bydel 2")
    assert body.responsible_municipality == "4601"


def test_an_assessment_is_complete_or_says_what_is_missing(office: Office, worker: Actor) -> None:
    """The applicant's own say and the needs, or a reason why not (REQ-BSL-4)."""
    case(office, state=CaseState.ASSESSMENT)
    wishes = Wishes(obtained_on=TODAY, preferred=(Wish(scheme="nordlia", rank=1),))
    needs = NeedsAssessment(
        source=FactSource.ASSESSMENT, assessed_on=TODAY, assessor_role="ergoterapeut", valid_until=LATER
    )
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.assess", Assess(), "S-1")
    assert refused(error) == "assessment-incomplete"
    office.run(worker, "cases.wish", SayWishes(wishes=wishes), "S-1")
    with pytest.raises(RefusalError):
        office.run(worker, "cases.assess", Assess(), "S-1")
    office.seed(Person(facts=ApplicantFacts(needs=needs)), "P-1", version=2)

    office.run(worker, "cases.assess", Assess(), "S-1")

    assert stands(office).wishes == wishes
    assert (stands(office).state, stands(office).assessed_on) == (CaseState.ASSISTANCE_ASSESSED, TODAY)
    case(office, 2, CaseState.ASSESSMENT)
    office.run(worker, "cases.assess", Assess(reason="Vil ikke møte til kartlegging nå."), "S-2")


def test_the_place_on_the_list_is_never_lost(office: Office, worker: Actor) -> None:
    """Listed again, the case waits since the day it did, and was listed the day it was."""
    since = TODAY - 90 * DAY
    case(office, state=CaseState.ASSISTANCE_ASSESSED, received_on=since, waiting_since=since)
    office.run(worker, "cases.list", to_list(), "S-1")
    office.clock.to(LATER)
    again = to_list(premises_valid_until=LATER + 100 * DAY)

    office.run(worker, "cases.list", again, "S-1")

    body = stands(office)
    assert (body.waiting_since, body.listed_on) == (since, TODAY)
    assert body.premises_valid_until == body.due() == LATER + 100 * DAY
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.list", to_list(premises_valid_until=LATER - DAY), "S-1")
    assert refused(error) == "/premises_valid_until"


def test_who_asks_for_assistance_needs_that_decision_first(office: Office, worker: Actor) -> None:
    """A refusal, or a proposal, is no grant."""
    types = frozenset({DecisionType.ASSISTANCE, DecisionType.ALLOCATION})
    case(office, state=CaseState.ASSISTANCE_ASSESSED, decision_types=types)
    granted = Decision(
        type=DecisionType.ASSISTANCE,
        case="S-1",
        outcome=DecisionOutcome.GRANTED,
        grounds="Uten bolig.",
        appeal_body=AppealBody.COUNTY_GOVERNOR,
        appeal_weeks=3,
        state=DecisionState.MADE,
        proposed_by="x",
        proposed_on=TODAY,
    )
    office.seed(granted.model_copy(update={"outcome": DecisionOutcome.REFUSED}), "V-1")
    office.seed(granted.model_copy(update={"state": DecisionState.PROPOSED}), "V-2")
    office.seed(granted.model_copy(update={"type": DecisionType.SERVICES}), "V-3")
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.list", to_list(), "S-1")
    assert refused(error) == "assistance-not-decided"

    office.seed(granted, "V-2", version=2)
    office.run(worker, "cases.list", to_list(), "S-1")


_EARLY = frozenset({CaseState.RECEIVED, CaseState.CRISIS})
_BEFORE_DECISION = (
    frozenset(CaseState)
    - ENDED_CASES
    - {
        CaseState.DECIDED,
        CaseState.OFFERED,
        CaseState.ACCEPTED,
        CaseState.CRISIS,
    }
)
_RUNNING = frozenset(CaseState) - ENDED_CASES
_STEPS: list[tuple[str, Command, frozenset[CaseState]]] = [
    ("cases.check_protection", OnDay(), _RUNNING),
    ("cases.reply_preliminarily", OnDay(), _BEFORE_DECISION | {CaseState.CRISIS}),
    ("cases.begin_assessment", Nothing(), _EARLY),
    ("cases.assess", Assess(reason="Mangler alt."), frozenset({CaseState.ASSESSMENT})),
    (
        "cases.list",
        to_list(),
        frozenset({CaseState.ASSISTANCE_ASSESSED, CaseState.WAITING_LIST, CaseState.SUGGESTED}),
    ),
    ("cases.wish", SayWishes(wishes=Wishes(obtained_on=TODAY)), _RUNNING),
    ("cases.ask_for", AskFor(placement=Placement(needed_from=TODAY)), _RUNNING - {CaseState.CRISIS}),
    ("cases.apply_together", ApplyTogether(other="S-2"), _BEFORE_DECISION),
    ("cases.hand_over", HandOver(reason="Ansatt.", handled_by="Bydel 2"), _RUNNING),
    ("cases.withdraw", Reasoned(reason="Ombestemte seg."), _RUNNING),
    ("cases.close", Reasoned(reason="Ferdig."), _RUNNING | {CaseState.REFUSED, CaseState.MOVED_IN}),
    (
        "cases.place_in_crisis",
        PlaceInCrisis(unit="nordlia-1", reason="Natt.", review_by=TODAY + DAY, until=TODAY + DAY),
        _BEFORE_DECISION,
    ),
]


@pytest.mark.parametrize(("name", "command", "allowed"), _STEPS, ids=[step[0] for step in _STEPS])
def test_each_step_is_taken_from_where_it_leads_on(
    name: str, command: Command, allowed: frozenset[CaseState]
) -> None:
    """From any other state it is refused, and the case stands as it stood."""
    office = Office()
    with_policy(office)
    office.house(units=len(CaseState))
    actor = office.somebody(Role.COMMITTEE_LEADER if name == "cases.place_in_crisis" else Role.CASEWORKER)
    for number, state in enumerate(CaseState, start=1):
        for seeded in (number, number + 100):
            office.seed(Person(), f"P-{seeded}")
        case(office, number, state, protection_checked_on=TODAY - DAY, received_on=TODAY - DAY)
        case(office, number + 100)
        if isinstance(command, PlaceInCrisis):
            command = command.model_copy(update={"unit": f"nordlia-{number}"})
        if isinstance(command, ApplyTogether):
            command = ApplyTogether(other=f"S-{number + 100}")
        before = stands(office, number)
        if state in allowed:
            assert office.run(actor, name, command, f"S-{number}").stored.version == 2
        else:
            with pytest.raises(RefusalError) as error:
                office.run(actor, name, command, f"S-{number}")
            ended = state in ENDED_CASES
            assert refused(error) == ("case-ended" if ended else "case-state")
            assert stands(office, number) == before
    office.close()


# ------------------------------------------------------------------------------------- together, and near


def test_two_apply_together_and_part(office: Office, worker: Actor) -> None:
    """Both cases say it, a third is refused, and either may part them (E-09)."""
    case(office, 1)
    case(office, 2)
    office.seed(Person(), "P-3")
    case(office, 3)
    for wrong in ("S-1", "S-9"):
        with pytest.raises(RefusalError) as error:
            office.run(worker, "cases.apply_together", ApplyTogether(other=wrong), "S-1")
        assert refused(error) == "/other"
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.part", Nothing(), "S-1")
    assert refused(error) == "not-together"

    office.run(worker, "cases.apply_together", ApplyTogether(other="S-2"), "S-1")
    assert (stands(office, 1).together_with, stands(office, 2).together_with) == ("S-2", "S-1")
    for one, other in ((1, 3), (3, 2)):
        with pytest.raises(RefusalError) as error:
            office.run(worker, "cases.apply_together", ApplyTogether(other=f"S-{other}"), f"S-{one}")
        assert refused(error) == "together-already"

    office.run(worker, "cases.part", Nothing(), "S-2")
    assert (stands(office, 1).together_with, stands(office, 2).together_with) == (None, None)


def test_whoever_goes_on_alone_keeps_their_place(office: Office, worker: Actor) -> None:
    """One of two withdraws; the other's case goes on."""
    case(office, 1, together_with="S-2")
    case(office, 2, state=CaseState.WAITING_LIST, together_with="S-1")

    office.run(worker, "cases.withdraw", Reasoned(reason="Vil ikke."), "S-1")

    assert stands(office, 1).state is CaseState.WITHDRAWN
    assert (stands(office, 2).state, stands(office, 2).together_with) == (CaseState.WAITING_LIST, None)


def test_a_wish_to_live_near_somebody_counts_with_their_yes(office: Office, worker: Actor) -> None:
    """Before that, and after a no, it is as if it had not been said; most do not see it at all (E-26)."""
    office.resident("B-1", "nordlia-1")
    case(office)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.answer_near", AnswerNear(asked_on=TODAY, consents=True), "S-1")
    assert refused(error) == "no-near-wish"
    for wrong in ("P-1", "P-2", "P-9"):
        with pytest.raises(RefusalError) as error:
            office.run(worker, "cases.wish_near", WishNear(person=wrong), "S-1")
        assert refused(error) == "/person"

    office.run(worker, "cases.wish_near", WishNear(person="B-1"), "S-1")
    asked = stands(office).near
    assert asked is not None
    assert not asked.counts
    office.run(worker, "cases.answer_near", AnswerNear(asked_on=TODAY, consents=False), "S-1")
    refusal = stands(office).near
    assert refusal is not None
    assert not refusal.counts
    assert "near" not in office.desk.show(office.somebody(Role.PEER_MEMBER), Kind.CASE, "S-1").view
    office.run(worker, "cases.wish_near", WishNear(person="B-1"), "S-1")
    assert stands(office).near == refusal
    office.run(worker, "cases.answer_near", AnswerNear(asked_on=TODAY, consents=True), "S-1")
    near = stands(office).near
    assert near is not None
    assert near.counts
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.answer_near", AnswerNear(asked_on=TODAY + DAY, consents=True), "S-1")
    assert refused(error) == "/asked_on"
    office.run(worker, "cases.wish_near", WishNear(), "S-1")
    assert stands(office).near is None


# ------------------------------------------------------------------------------------------------- barring


def test_whoever_is_barred_does_not_see_the_case(office: Office, worker: Actor) -> None:
    """It is not there for them, they cannot let themselves in, and others can (E-28)."""
    case(office)
    other = office.somebody(Role.CASEWORKER, login="kollega")
    with pytest.raises(RefusalError) as error:
        office.run(other, "cases.bar", Bar(reason="Søsken.", bar=frozenset({"nobody"})), "S-1")
    assert refused(error) == "/bar"
    both = Bar(reason="?", bar=frozenset({worker.account}), admit=frozenset({worker.account}))
    with pytest.raises(RefusalError) as error:
        office.run(other, "cases.bar", both, "S-1")
    assert refused(error) == "/admit"

    office.run(other, "cases.bar", Bar(reason="Søsken.", bar=frozenset({worker.account})), "S-1")

    let_in = Bar(reason="Likevel.", admit=frozenset({worker.account}))
    for name, command in (("cases.bar", let_in), ("cases.withdraw", Reasoned(reason="x"))):
        with pytest.raises(NotFoundError):
            office.run(worker, name, command, "S-1")
    with pytest.raises(NotFoundError):
        office.desk.show(worker, Kind.CASE, "S-1")
    office.run(other, "cases.bar", let_in, "S-1")
    office.desk.show(worker, Kind.CASE, "S-1")


def test_one_can_bar_oneself(office: Office, worker: Actor) -> None:
    """Who finds out that they are related says so, and is shown nothing more."""
    case(office)
    shown = office.run(worker, "cases.bar", Bar(reason="Nabo.", bar=frozenset({worker.account})), "S-1")
    assert set(shown.view) == {"id", "version"}


# ------------------------------------------------------------------------------------------------- endings


def test_what_waits_for_a_case_ends_with_it(office: Office, worker: Actor) -> None:
    """Hearings, offers, decisions and reservations; the unit is free again for others."""
    case(office, state=CaseState.OFFERED)
    hearing = Hearing(case="S-1", scheme="nordlia", sent_on=TODAY, deadline=LATER)
    office.seed(hearing, "H-1")
    allocated = Decision(
        type=DecisionType.ALLOCATION,
        case="S-1",
        outcome=DecisionOutcome.ALLOCATED,
        unit="nordlia-1",
        scheme="nordlia",
        grounds="Fordi.",
        appeal_body=AppealBody.MUNICIPAL_BOARD,
        appeal_weeks=3,
        state=DecisionState.MADE,
        proposed_by="x",
        proposed_on=TODAY,
    )
    office.seed(allocated, "V-1")
    office.seed(allocated.model_copy(update={"state": DecisionState.PROPOSED}), "V-2")
    case(office, 2)
    office.seed(allocated.model_copy(update={"case": "S-2", "shares": "V-1"}), "V-3")
    offer = Offer(case="S-1", decision="V-1", unit="nordlia-1", sent_on=TODAY, deadline=LATER, told="Nei.")
    office.seed(offer, "T-1")
    reserved = UnitReservation(
        unit="nordlia-2",
        scheme="nordlia",
        reason=ReservationReason.APPEAL,
        owner="x",
        until=LATER,
        case="S-1",
    )
    office.seed(reserved, "R-1")

    office.run(worker, "cases.close", Reasoned(reason="Fikk bolig selv."), "S-1")

    assert stands(office).closing == Closing(on=TODAY, reason="Fikk bolig selv.")
    assert office.now(Hearing, "H-1").body.state is HearingState.CLOSED
    assert office.now(Offer, "T-1").body.state is OfferState.WITHDRAWN
    assert office.now(Decision, "V-1").body.ended_on == TODAY
    assert office.now(Decision, "V-2").body.state is DecisionState.DROPPED
    assert office.now(Decision, "V-3").body.shares is None  # the partner's decision holds the unit now
    assert office.now(UnitReservation, "R-1").body.released_on == TODAY


# -------------------------------------------------------------------------------------------------- crisis


def crisis(**more: Any) -> PlaceInCrisis:
    """Return a placement from tonight for a week."""
    said = {
        "unit": "nordlia-1",
        "reason": "Brann.",
        "review_by": TODAY + 3 * DAY,
        "until": TODAY + 7 * DAY,
    }
    return PlaceInCrisis(**{**said, **more})


def test_a_crisis_placement_is_decided_heard_and_looked_at(office: Office, on_call: Actor) -> None:
    """A decision with an end, a hearing afterwards, a look the next day; no place is lost (E-22)."""
    since = TODAY - 40 * DAY
    case(office, state=CaseState.WAITING_LIST, received_on=since, waiting_since=since, listed_on=since)

    office.run(on_call, "cases.place_in_crisis", crisis(), "S-1")

    body = stands(office)
    assert (body.state, body.waiting_since, body.listed_on) == (CaseState.CRISIS, since, since)
    assert (body.placement.kind, body.placement.review_by) == (PlacementKind.CRISIS, TODAY + 3 * DAY)
    (decision,) = (d.body for d in of_case(office, Kind.DECISION))
    assert isinstance(decision, Decision)
    assert (decision.type, decision.state) == (DecisionType.TEMPORARY, DecisionState.MADE)
    assert (decision.agreement, decision.crisis_until) == (AgreementForm.EMERGENCY, TODAY + 7 * DAY)
    assert (decision.unit, decision.grounds, decision.made_on) == ("nordlia-1", "Brann.", TODAY)
    assert (decision.appeal_body, decision.appeal_weeks) == (AppealBody.COUNTY_GOVERNOR, 3)
    (hearing,) = (h.body for h in of_case(office, Kind.HEARING))
    assert isinstance(hearing, Hearing)
    assert (hearing.after_the_fact, hearing.units, hearing.deadline) == (
        True,
        ("nordlia-1",),
        TODAY + 7 * DAY,
    )
    reviews = [r.body for r in of_case(office, Kind.REVIEW)]
    assert {(r.what, r.by) for r in reviews if isinstance(r, Review)} == {
        (ReviewKind.CRISIS, TODAY + DAY),
        (ReviewKind.CRISIS, TODAY + 3 * DAY),
    }


def test_after_a_crisis_the_case_goes_on_where_it_was(office: Office, worker: Actor, on_call: Actor) -> None:
    """Who was on the list is put back; who was not is assessed. An ordinary home is looked for again."""
    case(office, state=CaseState.WAITING_LIST, listed_on=TODAY)
    case(office, 2)
    office.run(on_call, "cases.place_in_crisis", crisis(), "S-1")
    office.run(on_call, "cases.place_in_crisis", crisis(unit="nordlia-2"), "S-2")
    with pytest.raises(RefusalError) as error:
        office.run(worker, "cases.list", to_list(), "S-2")
    assert refused(error) == "case-state"

    office.run(worker, "cases.list", to_list(), "S-1")
    office.run(worker, "cases.begin_assessment", Nothing(), "S-2")

    assert stands(office, 1).state is CaseState.WAITING_LIST
    assert stands(office, 2).state is CaseState.ASSESSMENT
    for number in (1, 2):
        assert stands(office, number).placement == Placement()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"review_by": TODAY}, "/review_by"),
        ({"review_by": TODAY + DAY, "until": TODAY + DAY}, None),
        ({"review_by": TODAY + 8 * DAY}, "/review_by"),
        ({"until": TODAY + CRISIS_DAYS * DAY}, None),
        ({"until": TODAY + (CRISIS_DAYS + 1) * DAY}, "/until"),
        ({"answer_by": TODAY - DAY}, "/answer_by"),
        ({"answer_by": TODAY}, None),
        ({"unit": "nordlia-9"}, "/unit"),
        ({"unit": "nordlia-2"}, "unit-not-free"),
        ({"unit": "nordlia-3"}, "unit-not-free"),
    ],
)
def test_a_crisis_placement_has_an_end_and_a_free_unit(change: dict[str, Any], code: str | None) -> None:
    """It is looked at after today and before it ends; nobody is put where somebody lives or nobody can."""
    office = Office()
    with_policy(office)
    office.house()
    office.seed(Person(), "P-1")
    case(office)
    office.resident("B-1", "nordlia-2")
    shut = Closure(kind=ClosureKind.UNDER_REPAIR, since=TODAY)
    office.seed(Unit(scheme="nordlia", group="nordlia-a", closure=shut), "nordlia-3", version=2)
    on_call = office.somebody(Role.COMMITTEE_LEADER)
    if code is None:
        office.run(on_call, "cases.place_in_crisis", crisis(**change), "S-1")
    else:
        with pytest.raises(RefusalError) as error:
            office.run(on_call, "cases.place_in_crisis", crisis(**change), "S-1")
        assert refused(error) == code
    office.close()


@pytest.mark.parametrize("reason", list(ReservationReason))
def test_what_is_held_back_for_emergencies_is_free(
    office: Office, on_call: Actor, reason: ReservationReason
) -> None:
    """That reservation has done its work; any other is in the way."""
    case(office)
    held = UnitReservation(unit="nordlia-1", scheme="nordlia", reason=reason, owner="x", until=LATER)
    office.seed(held, "R-1")
    if reason is ReservationReason.EMERGENCY:
        office.run(on_call, "cases.place_in_crisis", crisis(), "S-1")
        assert office.now(UnitReservation, "R-1").body.released_on == TODAY
        return
    with pytest.raises(RefusalError) as error:
        office.run(on_call, "cases.place_in_crisis", crisis(), "S-1")
    assert refused(error) == "unit-not-free"


def test_a_unit_takes_one_in_a_crisis(office: Office, worker: Actor, on_call: Actor) -> None:
    """The second is refused, also by the database; and only the leader on call places anybody."""
    case(office, 1)
    case(office, 2)
    with pytest.raises(ForbiddenError):
        office.run(worker, "cases.place_in_crisis", crisis(), "S-1")
    office.run(on_call, "cases.place_in_crisis", crisis(), "S-1")
    with pytest.raises(RefusalError) as error:
        office.run(on_call, "cases.place_in_crisis", crisis(), "S-2")
    assert refused(error) == "unit-not-free"
    (decision,) = of_case(office, Kind.DECISION)
    with pytest.raises(TakenError):
        office.seed(decision.body.model_copy(update={"case": "S-2"}), "V-9")


def test_nobody_is_put_near_somebody_they_must_be_kept_from(office: Office, on_call: Actor) -> None:
    """Who was given a unit there and has not moved in yet counts as well (E-07, E-22)."""
    case(office, 1)
    case(office, 2)
    office.run(on_call, "cases.place_in_crisis", crisis(), "S-1")
    entry = Entry(
        id="K-1",
        party="P-1",
        counterpart="P-2",
        kind=ConflictKind.ENEMY,
        direction=ConflictDirection.MUTUAL,
        status=ConflictStatus.ACTIVE,
        source=FactSource.STAFF,
        recorded_on=TODAY,
    )
    office.seed(Conflict(entry=entry, explanation="Slagsmål.", author="x", review_by=LATER), "K-1")
    with pytest.raises(RefusalError) as error:
        office.run(on_call, "cases.place_in_crisis", crisis(unit="nordlia-2"), "S-2")
    assert refused(error) == "unit-not-available"
    assert stands(office, 2).state is CaseState.RECEIVED


def test_months_are_counted_to_their_last_day() -> None:
    """A month that has no such day ends on its last; years go over."""
    assert months_after(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_after(date(2026, 12, 31), 2) == date(2027, 2, 28)
    assert months_after(date(2026, 11, 30), 12) == date(2027, 11, 30)
