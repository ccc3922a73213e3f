"""Rechecks: what is learnt after somebody was given a unit is work for the cleared, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    AddressProtection,
    AppealBody,
    CaseState,
    Clearance,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    EndReason,
    PolicyState,
    Purpose,
    RecheckAnswer,
    RecheckState,
    RefusalBy,
    Role,
)
from allocator.casework.committee import Decision, Offer
from allocator.casework.housing import Agreement, Group, Scheme, Tenancy, Unit
from allocator.casework.people import Person
from allocator.casework.records import Kind, Stored
from allocator.casework.relations import Recheck
from allocator.codes import (
    AgreementForm,
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    FactSource,
    OrderKind,
)
from allocator.engines import EngineError
from allocator.ports import Query
from allocator.service import rechecks, weighing
from allocator.service.errors import ChangedError, ForbiddenError, NotFoundError, RefusalError
from allocator.service.journal import Journal, LogQuery
from allocator.service.offers import RefuseOffer, SendOffer
from allocator.service.rechecks import FOLLOWED_UP_WITHIN, WITHIN, AnswerRecheck
from allocator.service.relations import (
    ConfirmConflict,
    ExtendOrder,
    Reason,
    RecordConflict,
    RecordOrder,
    ReportConflict,
    VerifyOrder,
)
from allocator.service.tenancies import MoveIn, MoveOut
from allocator.service.uses import Nothing
from allocator.service.work import Work
from tests.committee import BOTH, Committee, person_facts
from tests.databases import BACKENDS
from tests.office import OF_SCHEME, TODAY
from tests.test_offers import TOLD, refused

YEAR = date(2027, 11, 23)
BECAUSE = Reason(reason="Politiet sier det.")
FOUND = "De to er forlikte, sier begge, og politiet bekrefter det."


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Committee]:
    """A committee that has given S-1 the unit nordlia-7, on each kind of database."""
    made = Committee(request.param)
    given(made)
    yield made
    made.close()


@pytest.fixture
def desk() -> Iterator[Committee]:
    """The same on the embedded database, where it does not matter which it is."""
    made = Committee()
    given(made)
    yield made
    made.close()


def given(office: Committee, case: str = "S-1", unit: str = "nordlia-7", name: str = "V-1") -> None:
    """Seed that somebody has been given a unit."""
    decision = Decision(
        type=DecisionType.ALLOCATION,
        case=case,
        outcome=DecisionOutcome.ALLOCATED,
        unit=unit,
        scheme=unit.partition("-")[0],
        grounds="Egne ord.",
        appeal_body=AppealBody.MUNICIPAL_BOARD,
        appeal_weeks=3,
        state=DecisionState.MADE,
        proposed_by="leder",
        proposed_on=TODAY,
        made_on=TODAY,
    )
    office.seed(decision, name)
    decided = office.now(Case, case)
    body = decided.body.model_copy(update={"state": CaseState.DECIDED})
    office.seed(body, case, version=decided.version + 1)


def offered(office: Committee) -> str:
    """Send the offer, and return its id."""
    asked = SendOffer(decision="V-1", deadline=TODAY + timedelta(days=7), told=TOLD, recipients=("Søkeren",))
    return office.run(office.worker, "offers.send", asked).stored.id


def accepted(office: Committee) -> str:
    """Let the applicant say yes to the offer, and return its id."""
    offer = offered(office)
    office.run(office.worker, "offers.accept", Nothing(), offer)
    return offer


def moved_in(office: Committee) -> str:
    """Let the applicant move in, and return the tenancy."""
    accepted(office)
    agreement = Agreement(form=AgreementForm.TENANCY_OPEN, signed_on=TODAY, starts_on=TODAY)
    asked = MoveIn(case="S-1", moved_in=TODAY, agreement=agreement)
    return office.run(office.worker, "tenancies.move_in", asked).stored.id


def officer(office: Committee, *cleared: Clearance) -> Actor:
    """Return whoever keeps conflicts and orders."""
    return office.somebody(Role.CONFLICT_OFFICER, cleared=cleared or BOTH, purpose=Purpose.CONFLICT_CONTROL)


def words(**more: Any) -> dict[str, Any]:
    """Return what is said of a conflict between the applicant and a neighbour."""
    return {
        "party": "P-1",
        "counterpart": "nordlia-r2",
        "kind": ConflictKind.ENEMY,
        "source": FactSource.POLICE,
        "explanation": "Oppdiktet.",
        **more,
    }


def recorded(office: Committee, **more: Any) -> str:
    """Record a confirmed conflict, and return its id."""
    said = {"confirmed": True, "direction": ConflictDirection.MUTUAL, **more}
    asked = RecordConflict(**words(**said))
    return office.run(officer(office), "conflicts.record", asked).stored.id


def found(office: Committee, *states: RecheckState) -> list[Stored[Recheck]]:
    """Return what is to be looked at again, or was."""
    wanted = frozenset(states or {RecheckState.OPEN})
    with office.storage.read() as tx:
        return list(tx.find(Query(Kind.RECHECK, states=wanted)))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------- when it is recorded


def test_what_is_known_before_a_decision_is_no_recheck() -> None:
    """It counts when it is decided, as ever."""
    office = Committee()
    recorded(office)
    assert found(office) == []
    office.close()


@pytest.mark.parametrize("stage", ["decided", "offered", "accepted"])
def test_a_conflict_found_after_the_decision_is_work_for_the_cleared(office: Committee, stage: str) -> None:
    """Whether it is offered, accepted or neither: one recheck, and nothing else changes (E-08)."""
    offer = {"decided": lambda _: None, "offered": offered, "accepted": accepted}[stage](office)
    before = [office.now(Decision, "V-1"), office.now(Case, "S-1")]
    before += [] if offer is None else [office.now(Offer, offer)]

    conflict = recorded(office)

    (only,) = found(office)
    body = only.body
    assert (body.decision, body.case, body.unit, body.tenancy) == ("V-1", "S-1", "nordlia-7", None)
    assert (body.conflicts, body.orders) == (frozenset({conflict}), frozenset())
    assert body.about == {"P-1", "nordlia-r2"}
    assert body.rules == ("known-conflict",)
    assert (body.opened_on, body.by, body.due()) == (TODAY, TODAY + WITHIN, TODAY + WITHIN)
    after = [office.now(Decision, "V-1"), office.now(Case, "S-1")]
    after += [] if offer is None else [office.now(Offer, offer)]
    assert after == before


def test_of_who_has_moved_in_it_is_a_question_to_the_follow_up(office: Committee) -> None:
    """There is nothing to stop; it names the home, and has its time."""
    home = moved_in(office)

    recorded(office)

    (only,) = found(office)
    assert (only.body.tenancy, only.body.by) == (home, TODAY + FOLLOWED_UP_WITHIN)
    assert only.body.rules == ("known-conflict",)
    assert office.now(Case, "S-1").body.state is CaseState.MOVED_IN


@pytest.mark.parametrize(
    "more",
    [
        {"counterpart": "havna-r1"},
        {"party": "P-2"},
        {"party": "nordlia-r1"},
        {"confirmed": False},
        {"direction": ConflictDirection.ONE_SIDED},
    ],
)
def test_what_bars_nothing_that_was_decided_is_no_recheck(desk: Committee, more: dict[str, Any]) -> None:
    """An enemy elsewhere, somebody else's, two who live there, and one side's word (E-04)."""
    recorded(desk, **more)
    assert found(desk) == []


def test_a_report_warns_and_a_confirmation_bars(office: Committee) -> None:
    """Each step of a conflict is asked about; what bars no more is closed, what bars anew is opened anew."""
    asked = ReportConflict(**words(source=FactSource.STAFF))
    conflict = office.run(office.worker, "conflicts.report", asked).stored.id
    seen = [[one.body.state for one in found(office, *RecheckState)]]
    mutual = ConflictDirection.MUTUAL
    confirmed = ConfirmConflict(source=FactSource.POLICE, text="Anmeldt.", direction=mutual)
    for use, command in (
        ("confirm", confirmed),
        ("confirm", confirmed),
        ("dispute", BECAUSE),
        ("confirm", confirmed),
        ("close", BECAUSE),
        ("reopen", BECAUSE),
        ("refute", BECAUSE),
        ("reopen", BECAUSE),
        ("confirm", confirmed),
    ):
        office.run(officer(office), f"conflicts.{use}", command, conflict)
        seen.append([one.body.state for one in found(office, *RecheckState)])

    counted = [(states.count(RecheckState.OPEN), len(states)) for states in seen]
    assert counted == [(0, 0), (1, 1), (1, 1), (0, 1), (1, 2), (0, 2), (1, 3), (0, 3), (0, 3), (1, 4)]
    assert {one.body.state for one in found(office, *RecheckState)} == {
        RecheckState.OPEN,
        RecheckState.NOT_NEEDED,
    }


def test_what_was_answered_is_not_asked_again_for_the_same(office: Committee) -> None:
    """To confirm an entry anew is nothing new; another enemy is."""
    conflict = recorded(office)
    (first,) = found(office)
    asked = AnswerRecheck(answer=RecheckAnswer.STANDS, found=FOUND)
    office.run(officer(office), "rechecks.answer", asked, first.id)

    confirmed = ConfirmConflict(source=FactSource.COURT, text="Fortsatt.")
    office.run(officer(office), "conflicts.confirm", confirmed, conflict)
    assert found(office) == []
    recorded(office, counterpart="nordlia-r3")

    (second,) = found(office)
    assert second.body.about == {"P-1", "nordlia-r3"}


def test_one_placement_is_looked_at_once(desk: Committee) -> None:
    """What is learnt while it waits joins what waits."""
    conflicts = {recorded(desk), recorded(desk, counterpart="nordlia-r3")}

    (only,) = found(desk)

    assert only.body.conflicts == conflicts
    assert only.body.about == {"P-1", "nordlia-r2", "nordlia-r3"}


def test_a_wider_reach_is_a_new_bar(desk: Committee) -> None:
    """In another living group of the scheme it bars only if it reaches so far."""
    scheme, unit = desk.now(Scheme, "nordlia").body, desk.now(Unit, "nordlia-2").body
    groups = (*scheme.groups, Group(id="nordlia-b", name="B"))
    desk.seed(scheme.model_copy(update={"groups": groups}), "nordlia", 2)
    desk.seed(unit.model_copy(update={"group": "nordlia-b"}), "nordlia-2", 2)
    conflict = recorded(desk, reach=ConflictReach.LIVING_GROUP)
    assert found(desk) == []

    wider = ConfirmConflict(source=FactSource.COURT, text="Hele huset.", reach=ConflictReach.SCHEME)
    desk.run(officer(desk), "conflicts.confirm", wider, conflict)

    assert [one.body.conflicts for one in found(desk)] == [{conflict}]


# --------------------------------------------------------------------------------------------- orders


def ordered(office: Committee, **more: Any) -> str:
    """Record an order, and return its id."""
    asked: dict[str, Any] = {
        "kind": OrderKind.VISITING_BAN,
        "bound": "P-1",
        "protected": "nordlia-r4",
        "valid_from": TODAY - timedelta(days=30),
        "valid_until": YEAR,
        **more,
    }
    return office.run(officer(office), "orders.record", RecordOrder(**asked)).stored.id


def test_an_order_bars_once_it_has_been_seen(office: Committee) -> None:
    """Recorded it warns, verified it bars, closed it does not."""
    order = ordered(office)
    assert found(office) == []
    office.run(officer(office), "orders.verify", VerifyOrder(), order)
    (only,) = found(office)
    assert (only.body.orders, only.body.rules) == (frozenset({order}), ("restraining-order",))
    office.run(officer(office), "orders.close", BECAUSE, order)
    assert [one.body.state for one in found(office, *RecheckState)] == [RecheckState.NOT_NEEDED]


def test_an_order_that_was_over_bars_anew_when_it_is_extended(desk: Committee) -> None:
    """As it was decided it did not stand in the way."""
    order = ordered(desk, valid_until=TODAY - timedelta(days=1))
    desk.run(officer(desk), "orders.verify", VerifyOrder(), order)
    assert found(desk) == []

    desk.run(officer(desk), "orders.extend", ExtendOrder(valid_until=YEAR), order)

    assert [one.body.rules for one in found(desk)] == [("restraining-order",)]


# ------------------------------------------------------------------------------------ two on one day


@pytest.mark.parametrize(("unit", "barred"), [("nordlia-8", ["V-1", "V-2"]), ("havna-2", [])])
def test_two_who_were_given_units_in_one_house(office: Committee, unit: str, barred: list[str]) -> None:
    """Neither lives there yet; each placement is to be looked at (E-07)."""
    given(office, "S-2", unit, "V-2")

    recorded(office, counterpart="P-2")

    assert sorted(one.body.decision for one in found(office)) == barred


def test_who_was_given_a_share_of_a_unit_will_live_there_too(desk: Committee) -> None:
    """With somebody who lives there already: both placements of the two enemies are to be looked at."""
    desk.resident("P-9", "nordlia-8", facts=person_facts())
    given(desk, "S-2", "nordlia-8", "V-2")

    recorded(desk, counterpart="P-2")

    assert sorted(one.body.decision for one in found(desk)) == ["V-1", "V-2"]


def test_who_moves_away_from_somebody_still_lives_there_until_then(desk: Committee) -> None:
    """An enemy who has been given a unit elsewhere counts where they live and where they will."""
    desk.waiting("S-3", "nordlia-r9")
    desk.seed(Person(facts=person_facts()), "nordlia-r9", version=2)
    home = Tenancy(person="nordlia-r9", unit="nordlia-8", scheme="nordlia", moved_in=date(2025, 1, 1))
    desk.seed(home, "L-9")
    given(desk, "S-3", "havna-2", "V-3")

    recorded(desk, counterpart="nordlia-r9")

    assert [one.body.decision for one in found(desk)] == ["V-1"]


def test_who_shares_a_unit_is_asked_about_too(desk: Committee) -> None:
    """One of a couple has moved in; what comes to light between the two is not lost (E-09)."""
    shared = desk.now(Decision, "V-1").body.model_copy(update={"case": "S-2"})
    desk.seed(shared.model_copy(update={"ended_on": TODAY}), "V-2")
    home = Tenancy(
        person="P-2", unit="nordlia-7", scheme="nordlia", moved_in=TODAY, case="S-2", decision="V-2"
    )
    desk.seed(home, "L-2")

    recorded(desk, counterpart="P-2")

    assert "V-1" in {one.body.decision for one in found(desk)}


# --------------------------------------------------------------------------------- how it is settled


def test_what_nobody_gets_any_more_need_not_be_looked_at(office: Committee) -> None:
    """A no from the applicant ends the placement, and with it the question."""
    offer = offered(office)
    recorded(office)
    office.run(office.worker, "offers.refuse", RefuseOffer(by=RefusalBy.APPLICANT), offer)
    assert found(office) == []
    (only,) = found(office, RecheckState.NOT_NEEDED)
    assert (only.body.closed_on, only.body.due()) == (TODAY, None)


def test_what_somebody_moves_into_meanwhile_goes_to_the_follow_up(office: Committee) -> None:
    """Until they move out, or somebody has answered."""
    accepted(office)
    recorded(office)
    agreement = Agreement(form=AgreementForm.TENANCY_OPEN, signed_on=TODAY, starts_on=TODAY)
    asked = MoveIn(case="S-1", moved_in=TODAY, agreement=agreement)
    home = office.run(office.worker, "tenancies.move_in", asked).stored.id
    (only,) = found(office)
    assert (only.body.tenancy, only.body.by) == (home, TODAY + FOLLOWED_UP_WITHIN)

    out = MoveOut(moved_out=TODAY, end_reason=EndReason.OWN_HOME)
    house = office.somebody(Role.SCHEME_LEADER, "nordlia")
    office.run(house, "tenancies.move_out", out, home)
    assert found(office) == []


def test_it_is_answered_once_by_somebody_cleared(office: Committee) -> None:
    """With what was found; at the version that was seen, once for the same key."""
    recorded(office)
    (only,) = found(office)
    asked = AnswerRecheck(answer=RecheckAnswer.TAKEN_UP, found=FOUND)
    with pytest.raises(ChangedError):
        office.run(officer(office), "rechecks.answer", asked, only.id, expected=9)
    for _ in range(2):
        office.run(officer(office), "rechecks.answer", asked, only.id, expected=1, key="k")

    (answered,) = found(office, RecheckState.ANSWERED)
    body = answered.body
    assert (body.answer, body.found) == (RecheckAnswer.TAKEN_UP, FOUND)
    assert (body.answered_by, body.closed_on) == (officer(office).account, TODAY)
    assert answered.version == 2
    with refused("recheck-closed"):
        office.run(officer(office), "rechecks.answer", asked, only.id)
    assert FOUND not in str(office.log())


# ----------------------------------------------------------------------------------- who may know of it


def readers(office: Committee) -> Iterator[Actor]:
    """Yield somebody in every role who is not cleared, and leaders who are but look for something else."""
    for role in Role:
        schemes = ["nordlia"] if role in OF_SCHEME else []
        yield office.somebody(role, *schemes, login=f"leser-{role}", purpose=Purpose.MEETING)
    yield office.somebody(Role.COMMITTEE_LEADER, cleared=BOTH, login="klarert", purpose=Purpose.CASEWORK)
    yield office.somebody(Role.COMMITTEE_MEMBER, cleared=BOTH, login="medlem", purpose=Purpose.MEETING)


def test_nobody_else_knows_that_there_is_one(office: Committee) -> None:
    """Neither in a list, nor by its id, nor in the log; and nobody else answers it."""
    recorded(office)
    (only,) = found(office)
    asked = AnswerRecheck(answer=RecheckAnswer.STANDS, found=FOUND)
    for reader in readers(office):
        assert office.desk.page(reader, Kind.RECHECK).items == ()
        with pytest.raises(NotFoundError):
            office.desk.show(reader, Kind.RECHECK, only.id)
        with pytest.raises(NotFoundError):
            office.run(reader, "rechecks.answer", asked, only.id)
    auditor = office.somebody(Role.AUDITOR, login="revisor")
    entries = Journal(office.desk).page(auditor, LogQuery(limit=200)).items
    assert [e for e in entries if e.get("kind") == Kind.RECHECK and e["outcome"] != "denied"] == []
    assert only.id not in str(entries)
    for reader in (officer(office), office.cleared):
        shown = office.desk.show(reader, Kind.RECHECK, only.id).view
        assert shown["about"] == ["P-1", "nordlia-r2"]
        assert [item.stored.id for item in office.desk.page(reader, Kind.RECHECK, due_by=YEAR).items] == [
            only.id
        ]


def test_of_a_kode_6_enemy_only_who_is_cleared_for_both_knows(office: Committee) -> None:
    """That there is something to look at would tell that there is somebody."""
    hidden = Person(facts=person_facts(), protection=AddressProtection.STRICTLY_CONFIDENTIAL)
    office.seed(hidden, "nordlia-r2", version=2)
    recorded(office)
    (only,) = found(office)

    with pytest.raises(NotFoundError):
        office.desk.show(officer(office, Clearance.CONFLICTS), Kind.RECHECK, only.id)
    assert office.desk.page(officer(office, Clearance.CONFLICTS), Kind.RECHECK).items == ()
    assert office.desk.show(officer(office), Kind.RECHECK, only.id).view["rules"] == ["known-conflict"]


def test_the_person_is_not_told_of_it(desk: Committee) -> None:
    """An extract says of everybody alike that such records are left out."""
    from allocator.service.extracts import extract, mentions  # noqa: PLC0415 - beside their one use

    recorded(desk)
    (only,) = found(desk)
    giver = desk.somebody(Role.CASEWORKER, login="innsyn", purpose=Purpose.SUBJECT_ACCESS)
    for told in (extract(desk.desk, giver, "P-1"), mentions(desk.desk, giver, "P-1")):
        assert only.id not in str(told)
    assert {"kind": "recheck", "why": "about another person too, and told in confidence"} in extract(
        desk.desk, giver, "P-2"
    )["withheld"]


# ------------------------------------------------------------------------------------ asking the rules


def test_where_the_engine_does_not_answer_somebody_looks(
    desk: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded is kept, and what nobody could say is not passed over in silence."""

    def silent(*_: Any) -> Any:
        raise EngineError("gone")

    monkeypatch.setattr(weighing, "sealed_bars", silent)
    recorded(desk)

    assert [one.body.rules for one in found(desk)] == [()]


def test_facts_that_change_meanwhile_are_asked_about_anew(
    desk: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The enemy moves out while the rules are being asked: what is stored is how it is then."""
    usual = rechecks.ask
    asked: list[Any] = []

    def ask(work: Work, changed: Any) -> Any:
        answer = usual(work, changed)
        if not asked:
            home = desk.now(Tenancy, "L-nordlia-r2").body
            gone = {"moved_out": TODAY - timedelta(days=1), "end_reason": EndReason.OWN_HOME}
            desk.seed(home.model_copy(update=gone), "L-nordlia-r2", 2)
        asked.append(answer)
        return answer

    monkeypatch.setattr(rechecks, "ask", ask)
    recorded(desk)

    assert len(asked) == 2
    assert found(desk) == []


def test_without_a_policy_a_conflict_is_recorded_all_the_same(desk: Committee) -> None:
    """Nothing is barred by rules that nobody has adopted."""
    with desk.storage.read() as tx:
        (policy,) = tx.find(Query(Kind.POLICY))
    desk.seed(policy.body.model_copy(update={"state": PolicyState.RETIRED}), policy.id, policy.version + 1)

    assert recorded(desk)
    assert found(desk) == []


def test_who_may_not_record_is_refused_before_anything_is_asked(
    desk: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told by how long a refusal takes."""
    monkeypatch.setattr(rechecks, "ask", lambda *_: pytest.fail("it was asked"))
    for actor in (desk.leader, officer(desk, Clearance.KODE_6)):
        with pytest.raises(ForbiddenError):
            desk.run(actor, "conflicts.record", RecordConflict(**words()))
    with pytest.raises(RefusalError, match="request"):
        desk.run(officer(desk), "conflicts.record", RecordConflict(**words(counterpart="nobody")))
