"""Appeals: to the right body, late or not, settled, and with the pool as it stood."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, Closing
from allocator.casework.codes import (
    AddressProtection,
    AppealBody,
    AppealState,
    CaseState,
    Clearance,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    OfferState,
    Purpose,
    Role,
)
from allocator.casework.committee import Appeal, Decision, Offer
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.service.appeals import ForwardAppeal, LodgeAppeal, Pool, SettleAppeal, pool
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.uses import Nothing
from allocator.service.work import Work
from tests.committee import Committee, person_facts
from tests.databases import BACKENDS
from tests.decided import Decided
from tests.office import TODAY, Office

RESULT = "Klagenemnda har kommet til at vedtaket ikke kan stå."


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Decided]:
    """An office with a decision, on each kind of database."""
    made = Decided(request.param)
    yield made
    made.close()


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    """Expect a refusal with a code."""
    return pytest.raises(RefusalError, match=f"^{code}$")


def board(office: Office, *cleared: Clearance) -> Actor:
    """Return somebody of the appeal body."""
    return office.somebody(Role.APPEALS_BODY, cleared=cleared, purpose=Purpose.APPEAL)


def lodged(office: Decided, decision: str = "V-1") -> str:
    """Lodge an appeal, and return its id."""
    return office.run(office.worker, "appeals.lodge", LodgeAppeal(decision=decision)).stored.id


def forwarded(office: Decided, decision: str = "V-1") -> str:
    """Lodge an appeal and send it on."""
    appeal = lodged(office, decision)
    office.run(office.worker, "appeals.forward", ForwardAppeal(reason="Vedtaket står seg."), appeal)
    return appeal


def settled(office: Decided, appeal: str, state: AppealState, **more: bool) -> Appeal:
    """Settle an appeal."""
    office.run(board(office), "appeals.settle", SettleAppeal(state=state, result=RESULT, **more), appeal)
    return office.now(Appeal, appeal).body


def test_an_appeal_goes_to_the_body_of_its_type(office: Decided) -> None:
    """The board for an allocation; the county governor for assistance; four weeks for services."""
    for number, (kind, body, weeks) in enumerate(
        (
            (DecisionType.ASSISTANCE, AppealBody.COUNTY_GOVERNOR, 3),
            (DecisionType.SERVICES, AppealBody.COUNTY_GOVERNOR, 4),
            (DecisionType.ALLOCATION, AppealBody.MUNICIPAL_BOARD, 3),
        ),
        start=2,
    ):
        refusal = office.decision(
            type=kind, outcome=DecisionOutcome.REFUSED, unit=None, scheme=None, appeal_body=body
        )
        office.seed(refusal, f"V-{number}")
        appeal = office.now(Appeal, lodged(office, f"V-{number}")).body
        assert appeal.body is body
        assert appeal.deadline == TODAY + timedelta(weeks=weeks)
        assert not appeal.exceptional
    with refused("appeal-open"):
        lodged(office, "V-2")


@pytest.mark.parametrize(("days", "late"), [(21, False), (22, True)])
def test_a_late_appeal_is_marked_and_taken(days: int, late: bool) -> None:
    """On the last day it is in time; the day after it is late, and registered all the same."""
    office = Decided()
    office.clock.to(TODAY + timedelta(days=days))

    assert office.now(Appeal, lodged(office)).body.late is late
    office.close()


def test_the_weeks_run_from_when_the_party_was_told(office: Decided) -> None:
    """A letter that came later gives longer; days that do not fit are refused."""
    office.clock.to(TODAY + timedelta(days=25))
    told = TODAY + timedelta(days=5)
    for wrong in (
        LodgeAppeal(decision="V-1", told_on=TODAY - timedelta(days=1)),
        LodgeAppeal(decision="V-1", lodged_on=TODAY + timedelta(days=26)),
        LodgeAppeal(decision="V-1", lodged_on=TODAY, told_on=told),
    ):
        with pytest.raises(RefusalError, match="request"):
            office.run(office.worker, "appeals.lodge", wrong)
    asked = LodgeAppeal(decision="V-1", told_on=told)
    appeal = office.run(office.worker, "appeals.lodge", asked).stored.id
    assert not office.now(Appeal, appeal).body.late


def test_which_dwelling_is_open_to_appeal_as_an_exception_only(office: Decided) -> None:
    """It is taken, marked, and sent to the board."""
    office.seed(
        office.decision(type=DecisionType.DWELLING, appeal_body=AppealBody.NONE, appeal_weeks=0), "V-1", 2
    )

    appeal = office.now(Appeal, lodged(office)).body

    assert (appeal.body, appeal.exceptional) == (AppealBody.MUNICIPAL_BOARD, True)
    assert (appeal.deadline, appeal.late) == (None, False)


def test_a_proposal_is_not_appealed_and_members_lodge_none(office: Decided) -> None:
    """There is nothing to appeal against yet."""
    office.seed(office.decision(state=DecisionState.PROPOSED, made_on=None), "V-1", 2)
    with refused("decision-not-made"):
        lodged(office)
    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.COMMITTEE_MEMBER), "appeals.lodge", LodgeAppeal(decision="V-1"))


def test_an_appeal_is_settled_after_it_was_sent_on(office: Decided) -> None:
    """Upheld, the decision stands; it is settled once, by the appeal body."""
    appeal = lodged(office)
    with refused("appeal-not-forwarded"):
        settled(office, appeal, AppealState.UPHELD)
    office.run(office.worker, "appeals.forward", ForwardAppeal(reason="Vedtaket står seg."), appeal)
    with pytest.raises(ForbiddenError):
        office.run(
            office.worker, "appeals.settle", SettleAppeal(state=AppealState.UPHELD, result=RESULT), appeal
        )
    for state, more in ((AppealState.WITHDRAWN, {}), (AppealState.UPHELD, {"next_unit": True})):
        with pytest.raises(RefusalError, match="request"):
            settled(office, appeal, state, **more)
    assert settled(office, appeal, AppealState.UPHELD).settled_on == TODAY
    assert office.now(Decision, "V-1").body.state is DecisionState.MADE
    with refused("appeal-settled"):
        settled(office, appeal, AppealState.REVERSED)


def test_a_won_appeal_frees_the_unit_and_comes_first(office: Decided) -> None:
    """The decision does not stand, the offer is withdrawn, and the case waits where it was."""
    offer = Offer(
        case="S-1",
        decision="V-1",
        unit="nordlia-7",
        sent_on=TODAY,
        deadline=TODAY + timedelta(days=7),
        told="Plassen beholdes.",
    )
    office.seed(offer, "T-1")

    won = settled(office, forwarded(office), AppealState.REVERSED, next_unit=True)

    assert won.next_unit
    assert office.now(Decision, "V-1").body.state is DecisionState.REVERSED
    assert office.now(Decision, "V-1").body.holds() == frozenset()
    assert office.now(Offer, "T-1").body.state is OfferState.WITHDRAWN
    assert office.state("S-1") is CaseState.WAITING_LIST


def test_a_refusal_that_falls_opens_the_case_again(office: Decided) -> None:
    """Unless the person has another one by then."""
    refusal = office.decision(outcome=DecisionOutcome.REFUSED, unit=None, scheme=None)
    case = office.now(Case, "S-1").body.model_copy(
        update={"state": CaseState.REFUSED, "closing": Closing(on=TODAY, reason="Avslag.")}
    )
    for name in ("2", "3"):
        office.seed(Person(), f"P-{name}")
        office.seed(case.model_copy(update={"person": f"P-{name}"}), f"S-{name}")
        office.seed(refusal.model_copy(update={"case": f"S-{name}"}), f"V-{name}")
    office.seed(Case(person="P-3", received_on=TODAY, waiting_since=TODAY), "S-4")

    for name in ("2", "3"):
        settled(office, forwarded(office, f"V-{name}"), AppealState.SENT_BACK)

    again = office.now(Case, "S-2").body
    assert (again.state, again.closing) == (CaseState.WAITING_LIST, None)
    assert office.state("S-3") is CaseState.REFUSED


def test_the_applicant_may_take_an_appeal_back(office: Decided) -> None:
    """Then another may be lodged."""
    appeal = lodged(office)
    office.run(office.worker, "appeals.withdraw", Nothing(), appeal)
    with refused("appeal-settled"):
        office.run(office.worker, "appeals.withdraw", Nothing(), appeal)
    assert lodged(office) != appeal


# ------------------------------------------------------------------------------------------- the pool


def seen(office: Office, actor: Actor, appeal: str) -> Pool:
    """Return the pool as somebody sees it."""
    with office.storage.read() as tx:
        work = Work(tx, office.desk.access, actor, office.clock.now(), office.clock.today(), "look")
        stored = work.load(Appeal, appeal)
        found = pool(work, stored)
        assert work.notes
        return found


def test_the_pool_is_as_it_was_that_day_under_names_that_mean_nothing() -> None:
    """The same each time, whatever happens later; nobody's number or name; the vacancies as they were."""
    office = Committee()
    suggestion = office.suggested("S-1")
    refusal = Decided.decision(office, outcome=DecisionOutcome.REFUSED, unit=None, scheme=None)  # type: ignore[arg-type]
    office.seed(refusal.model_copy(update={"suggestion": suggestion}), "V-1")
    appeal = office.run(office.worker, "appeals.lodge", LodgeAppeal(decision="V-1")).stored.id
    office.waiting("S-3", "P-3")

    first, second = (seen(office, board(office), appeal) for _ in range(2))

    assert first == second
    assert {a["name"] for a in first.applicants} == {"A1", "A2"}
    assert first.own in {"A1", "A2"}
    assert [v["unit"] for v in first.vacancies] == ["havna-2", "havna-3", "nordlia-7", "nordlia-8"]
    assert not any(word in str(first) for word in ("S-1", "S-2", "P-1", "P-2", "saksbehandler"))
    assert first.applicants[0]["waiting_since"] == "2026-01-01"
    office.close()


def test_the_pool_says_nothing_of_kode_6_to_who_is_not_cleared() -> None:
    """It is the same with and without them; who is cleared sees them."""
    office = Committee()
    strict = AddressProtection.STRICTLY_CONFIDENTIAL
    office.seed(Person(facts=person_facts(), protection=strict), "P-2", version=2)
    suggestion = office.suggested("S-1")
    refusal = Decided.decision(office, outcome=DecisionOutcome.REFUSED, unit=None, scheme=None)  # type: ignore[arg-type]
    office.seed(refusal.model_copy(update={"suggestion": suggestion}), "V-1")
    appeal = office.run(office.worker, "appeals.lodge", LodgeAppeal(decision="V-1")).stored.id

    assert len(seen(office, board(office), appeal).applicants) == 1
    both = office.somebody(
        Role.APPEALS_BODY, cleared=(Clearance.KODE_6,), login="nemnd-k6", purpose=Purpose.APPEAL
    )
    assert len(seen(office, both, appeal).applicants) == 2
    office.close()


def test_the_pool_is_for_who_may_see_the_appeal(office: Decided) -> None:
    """And only where the decision answers a suggestion."""
    appeal = lodged(office)
    with pytest.raises(NotFoundError):
        seen(office, office.somebody(Role.AUDITOR), appeal)
    with refused("no-suggestion-to-show"):
        seen(office, board(office), appeal)
    office.desk.show(board(office), Kind.CASE, "S-1")
