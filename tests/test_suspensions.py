"""Suspended decisions: nobody goes on with what they give, all read the same, and none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    CaseState,
    Clearance,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    OfferState,
    Purpose,
    RefusalBy,
    Role,
)
from allocator.casework.committee import Decision, Offer
from allocator.casework.housing import Agreement
from allocator.casework.records import Kind
from allocator.codes import AgreementForm
from allocator.service.decisions import ReverseDecision
from allocator.service.errors import (
    ChangedError,
    ForbiddenError,
    KeyReusedError,
    NotFoundError,
    RefusalError,
    VersionNeededError,
)
from allocator.service.housekeeping import housekeep
from allocator.service.journal import Journal, LogQuery
from allocator.service.offers import RefuseOffer, RemindOffer, ResumeOffer
from allocator.service.suspensions import LONGEST, ExtendSuspension, ResumeDecision, SuspendDecision
from allocator.service.tenancies import MoveIn
from allocator.service.uses import Nothing
from tests.committee import GROUNDS, Committee
from tests.databases import BACKENDS
from tests.decided import Decided
from tests.office import OF_SCHEME, TODAY, Office
from tests.test_offers import refused, sent

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
WHY = "Det må ses på en gang til om dette er forsvarlig."
LEAK = "Taket lekker, og boligen må tørkes først."


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Decided]:
    """An office with a decision that gives a unit, on each kind of database."""
    made = Decided(request.param)
    yield made
    made.close()


@pytest.fixture
def desk() -> Iterator[Decided]:
    """The same on the embedded database, where it does not matter which it is."""
    made = Decided()
    yield made
    made.close()


def officer(office: Office) -> Actor:
    """Return whoever keeps conflicts and orders."""
    return office.somebody(
        Role.CONFLICT_OFFICER, cleared=[Clearance.CONFLICTS], purpose=Purpose.CONFLICT_CONTROL
    )


def suspend(office: Office, by: Actor | None = None, days: int = 7, why: str = WHY, **more: Any) -> None:
    """Suspend the decision."""
    asked = SuspendDecision(until=TODAY + days * DAY, grounds=why)
    office.run(by or officer(office), "decisions.suspend", asked, "V-1", **more)


def resume(office: Office, by: Actor | None = None) -> None:
    """End the suspension."""
    office.run(by or officer(office), "decisions.resume", ResumeDecision(grounds=WHY), "V-1")


def move_in(office: Decided) -> None:
    """Write down that the applicant has moved in today."""
    today = office.clock.today()
    agreement = Agreement(form=AgreementForm.TENANCY_OPEN, signed_on=today, starts_on=today)
    asked = MoveIn(case="S-1", moved_in=today, agreement=agreement)
    office.run(office.worker, "tenancies.move_in", asked)


# ------------------------------------------------------------------------------------- what it stops


def test_nothing_is_offered_while_it_lasts(office: Decided) -> None:
    """Nor is a suspended offer resumed; ended, the offer is sent."""
    suspend(office)
    with refused("decision-suspended"):
        sent(office)

    resume(office)
    offer = sent(office)
    office.run(office.worker, "offers.suspend", Nothing(), offer)
    suspend(office)
    with refused("decision-suspended"):
        office.run(office.worker, "offers.resume", ResumeOffer(deadline=TODAY + WEEK), offer)


def test_an_offer_is_neither_accepted_nor_lapses_while_it_lasts(office: Decided) -> None:
    """Nobody is hurried; whoever says no all the same, or takes the offer back, may."""
    offer = sent(office)
    suspend(office)
    for use, asked in (
        ("offers.accept", Nothing()),
        ("offers.remind", RemindOffer()),
        ("offers.lapse", Nothing()),
    ):
        with refused("decision-suspended"):
            office.run(office.worker, use, asked, offer)
    assert office.now(Offer, offer).version == 1

    office.run(office.worker, "offers.refuse", RefuseOffer(by=RefusalBy.APPLICANT), offer)
    assert office.now(Offer, offer).body.state is OfferState.REFUSED


def test_nobody_moves_in_while_it_lasts(office: Decided) -> None:
    """Also who has said yes; ended, they do."""
    offer = sent(office)
    office.run(office.worker, "offers.accept", Nothing(), offer)
    suspend(office)
    with refused("decision-suspended"):
        move_in(office)
    assert office.state("S-1") is CaseState.ACCEPTED

    resume(office)
    move_in(office)
    assert office.state("S-1") is CaseState.MOVED_IN
    with refused("nothing-to-suspend"):
        suspend(office)


def test_a_placement_in_a_crisis_waits_too(desk: Decided) -> None:
    """There is no offer; moving in is what is stopped."""
    body = desk.decision(type=DecisionType.TEMPORARY, crisis_until=TODAY + WEEK)
    desk.seed(body, "V-1", version=2)
    desk.seed(desk.now(Case, "S-1").body.model_copy(update={"state": CaseState.CRISIS}), "S-1", version=2)
    suspend(desk)

    with refused("decision-suspended"):
        desk.run(desk.worker, "tenancies.move_in", MoveIn(case="S-1", moved_in=TODAY))


@pytest.mark.parametrize(("day", "runs"), [(TODAY + WEEK, True), (TODAY + WEEK + DAY, False)])
def test_it_ends_by_itself_the_day_after(office: Decided, day: Any, runs: bool) -> None:
    """On its last day it still stands in the way; after that everything goes on, and it can be begun anew."""
    offer = sent(office, deadline=TODAY + 2 * WEEK)
    suspend(office)
    office.clock.to(day)
    if runs:
        with refused("decision-suspended"):
            office.run(office.worker, "offers.accept", Nothing(), offer)
        return
    with refused("decision-not-suspended"):
        resume(office)
    longer = ExtendSuspension(until=day + DAY, grounds=WHY)
    with refused("decision-not-suspended"):
        office.run(officer(office), "decisions.extend_suspension", longer, "V-1")
    suspend(office, days=10)
    with refused("decision-suspended"):
        office.run(office.worker, "offers.accept", Nothing(), offer)
    resume(office)
    office.run(office.worker, "offers.accept", Nothing(), offer)
    assert [s.ended_on for s in office.now(Decision, "V-1").body.suspensions] == [None, day]


def test_a_deadline_that_passed_meanwhile_does_not_count(office: Decided) -> None:
    """Nobody could have said yes; a new deadline is given first (E-20)."""
    offer = sent(office, deadline=TODAY + 5 * DAY)
    office.run(office.worker, "offers.remind", RemindOffer(), offer)
    suspend(office)
    office.clock.to(TODAY + 6 * DAY)
    resume(office)

    with refused("deadline-while-suspended"):
        office.run(office.worker, "offers.lapse", Nothing(), offer)
    later = RemindOffer(deadline=TODAY + 9 * DAY)
    office.run(office.worker, "offers.remind", later, offer)
    office.clock.to(TODAY + 10 * DAY)
    office.run(office.worker, "offers.lapse", Nothing(), offer)
    assert office.now(Offer, offer).body.state is OfferState.LAPSED


def test_a_deadline_before_or_after_it_counts_as_ever(desk: Decided) -> None:
    """The days on which it stood in the way are those that do not."""
    offer = sent(desk, deadline=TODAY + DAY)
    desk.run(desk.worker, "offers.remind", RemindOffer(), offer)
    desk.clock.to(TODAY + 2 * DAY)
    suspend(desk)
    desk.clock.to(TODAY + 3 * DAY)
    resume(desk)
    desk.run(desk.worker, "offers.lapse", Nothing(), offer)
    assert desk.now(Offer, offer).body.state is OfferState.LAPSED


def test_a_decision_that_is_reversed_is_suspended_no_more() -> None:
    """It can be decided anew meanwhile; what is decided then is not suspended."""
    office = Committee()
    meeting = office.sitting("S-1")
    decision = office.proposed("S-1", "nordlia-7", meeting)
    office.approved(decision)
    asked = SuspendDecision(until=TODAY + WEEK, grounds=WHY)
    office.run(officer(office), "decisions.suspend", asked, decision)

    none = ReverseDecision(outcome=DecisionOutcome.NO_SUITABLE_PLACE, meeting=meeting, grounds=GROUNDS)
    new = office.run(office.leader, "decisions.reverse", none, decision).stored.id
    office.approved(new)

    assert office.now(Decision, decision).body.state is DecisionState.REVERSED
    assert office.now(Decision, decision).body.due() is None
    assert office.now(Decision, new).body.suspensions == ()
    with refused("nothing-to-suspend"):
        office.run(officer(office), "decisions.suspend", asked, decision)
    office.close()


def test_what_cannot_be_suspended(desk: Decided) -> None:
    """A proposal, what has ended, what gives no unit; and nothing twice."""
    wrong: tuple[dict[str, Any], ...] = (
        {"state": DecisionState.PROPOSED},
        {"ended_on": TODAY},
        {"unit": None, "outcome": DecisionOutcome.NO_SUITABLE_PLACE},
    )
    body = desk.now(Decision, "V-1").body
    for version, changes in enumerate(wrong, start=2):
        desk.seed(body.model_copy(update=changes), "V-1", version=version)
        with refused("nothing-to-suspend"):
            suspend(desk)
    desk.seed(body, "V-1", version=5)
    suspend(desk)
    with refused("decision-suspended"):
        suspend(desk)


@pytest.mark.parametrize(("days", "right"), [(0, False), (1, True), (14, True), (15, False)])
def test_how_long_it_may_last(desk: Decided, days: int, right: bool) -> None:
    """From tomorrow to two weeks ahead, so that none is forgotten; so is each extension."""
    if not right:
        with pytest.raises(RefusalError) as wrong:
            suspend(desk, days=days)
        (problem,) = wrong.value.problems
        assert (problem.path, dict(problem.values)["last"]) == ("/until", str(TODAY + LONGEST))
        return
    suspend(desk, days=days)
    until = desk.now(Decision, "V-1").body.suspensions[0].until
    desk.clock.to(TODAY + DAY)
    for last, possible in ((until, False), (TODAY + DAY + LONGEST, True), (TODAY + 2 * DAY + LONGEST, False)):
        asked = ExtendSuspension(until=last, grounds=WHY)
        if possible:
            desk.run(officer(desk), "decisions.extend_suspension", asked, "V-1")
            continue
        with pytest.raises(RefusalError, match="request"):
            desk.run(officer(desk), "decisions.extend_suspension", asked, "V-1")
    (only,) = desk.now(Decision, "V-1").body.suspensions
    assert (only.since, only.until, only.ended_on) == (TODAY, TODAY + DAY + LONGEST, None)


def test_one_that_nobody_has_ended_is_due_and_ends_nothing_else(office: Decided) -> None:
    """It is on the list of what is late, and the daily round leaves the unit with whom it was given to."""
    due = office.desk.page(office.worker, Kind.DECISION, due_by=TODAY + 30 * DAY)
    assert due.items == ()
    suspend(office)
    office.clock.to(TODAY + 8 * DAY)

    housekeep(office.desk)

    (late,) = office.desk.page(office.worker, Kind.DECISION, due_by=TODAY + WEEK).items
    assert (late.stored.id, late.stored.version) == ("V-1", 2)
    assert office.now(Decision, "V-1").body.holds() == {"allotted:nordlia-7", "allotted-to:S-1"}


# ------------------------------------------------------------------------------------------- who may

MAY = frozenset({Role.CASEWORKER, Role.COMMITTEE_LEADER})


@pytest.mark.parametrize("role", sorted(Role))
def test_who_may_suspend_without_a_clearance(office: Decided, role: Role) -> None:
    """Caseworkers and leaders, for whatever reason; not who merely reads it, nor an uncleared officer."""
    schemes = ["nordlia"] if role in OF_SCHEME else []
    actor = office.somebody(role, *schemes, login="x")
    if role in MAY:
        suspend(office, by=actor)
        return
    with pytest.raises((ForbiddenError, NotFoundError)):
        suspend(office, by=actor)
    assert office.now(Decision, "V-1").version == 1
    assert office.log()[-1]["outcome"] == "denied"


@pytest.mark.parametrize("role", sorted(Role))
def test_only_the_cleared_who_read_why_end_it_or_let_it_last(office: Decided, role: Role) -> None:
    """Not even who began it: a colleague who may not end it would know that it was begun by the cleared."""
    suspend(office, by=office.worker, why=LEAK)
    schemes = ["nordlia"] if role in OF_SCHEME else []
    longer = ExtendSuspension(until=TODAY + 10 * DAY, grounds=WHY)
    for cleared in ([], [Clearance.CONFLICTS]):
        purpose = Purpose.CONFLICT_CONTROL
        actor = office.somebody(role, *schemes, cleared=cleared, login=f"x{len(cleared)}", purpose=purpose)
        if cleared and role in (Role.CONFLICT_OFFICER, Role.COMMITTEE_LEADER):
            office.run(actor, "decisions.extend_suspension", longer, "V-1")
            resume(office, by=actor)
            continue
        for use, asked in (
            ("decisions.extend_suspension", longer),
            ("decisions.resume", ResumeDecision(grounds=WHY)),
        ):
            with pytest.raises((ForbiddenError, NotFoundError)):
                office.run(actor, use, asked, "V-1")


# --------------------------------------------------------------------------------------- what is told


def told(office: Decided) -> dict[str, Any]:
    """Return what everybody who is not cleared is told of the decision, its history and in the log."""
    found: dict[str, Any] = {}
    for role in Role:
        schemes = ["nordlia"] if role in OF_SCHEME else []
        actor = office.somebody(role, *schemes, login=f"leser-{role}")
        try:
            found[role] = [
                (shown.view, shown.sight.groups) for shown in office.desk.history(actor, Kind.DECISION, "V-1")
            ]
        except NotFoundError:
            found[role] = None
    auditor = office.somebody(Role.AUDITOR, login="revisor")
    entries = Journal(office.desk).page(auditor, LogQuery(limit=200)).items
    found["log"] = [entry for entry in entries if entry["use"].startswith("decisions.")]
    return found


def test_it_is_told_alike_whoever_does_it_and_whatever_lies_behind() -> None:
    """A conflict and a leaking roof: the same bytes for everybody who is not cleared."""
    told_of = []
    for kind in ("conflict", "leak"):
        office = Decided()
        cleared = officer(office)
        by = cleared if kind == "conflict" else office.worker
        suspend(office, by=by, why=WHY if kind == "conflict" else LEAK)
        longer = ExtendSuspension(until=TODAY + 10 * DAY, grounds=WHY)
        office.run(cleared, "decisions.extend_suspension", longer, "V-1")
        resume(office)
        told_of.append(told(office))
        office.close()

    assert told_of[0] == told_of[1]
    for use, entry in zip(("resume", "extend_suspension", "suspend"), told_of[0]["log"], strict=True):
        assert entry["use"] == f"decisions.{use}"
        assert entry["id"] == "V-1"
        assert not {"by", "roles", "purpose"} & set(entry)
    (first, groups), *_, (last, _) = told_of[0][Role.PEER_MEMBER]
    assert groups == {"outcome"}
    assert first["suspensions"] == []
    (suspension,) = last["suspensions"]
    assert suspension == {
        "reason": "new_assessment",
        "since": str(TODAY),
        "until": str(TODAY + 10 * DAY),
        "ended_on": str(TODAY),
    }


def test_why_is_for_the_cleared(office: Decided) -> None:
    """Every step with who took it; not even who wrote it reads it without a clearance."""
    suspend(office, by=office.worker, why=LEAK)
    resume(office)

    leader = office.somebody(
        Role.COMMITTEE_LEADER, cleared=[Clearance.CONFLICTS], purpose=Purpose.MEETING, login="klarert"
    )
    for reader in (officer(office), leader):
        because = office.desk.show(reader, Kind.DECISION, "V-1").view["suspended_because"]
        assert [(step["by"], step["text"]) for step in because] == [
            (office.worker.account, LEAK),
            (officer(office).account, WHY),
        ]
    for reader in (office.worker, office.somebody(Role.COMMITTEE_LEADER)):
        assert "suspended_because" not in office.desk.show(reader, Kind.DECISION, "V-1").view
    without_purpose = office.desk.actor("klarert")
    assert without_purpose is not None
    assert "suspended_because" not in office.desk.show(without_purpose, Kind.DECISION, "V-1").view
    assert LEAK not in str(office.log())
    assert {"grounds", "conditions"}.isdisjoint(office.desk.show(officer(office), Kind.DECISION, "V-1").view)


def test_the_auditor_who_is_cleared_reads_by_whom(desk: Decided) -> None:
    """Somebody must be able to; and what is asked by account finds nothing for who is not."""
    suspend(desk)
    both = frozenset(Clearance)
    cleared, other = (desk.somebody(Role.AUDITOR, cleared=c, login=f"rev-{len(c)}") for c in (both, ()))
    account = officer(desk).account

    found = [Journal(desk.desk).page(a, LogQuery(account=account, outcome="done")) for a in (cleared, other)]

    assert [entry["by"] for entry in found[0].items] == [account]
    assert found[1].items == ()


def test_a_look_of_the_officer_at_a_decision_does_not_tell_whose(desk: Decided) -> None:
    """They look at decisions for no other reason, so an auditor or the person is not told of which."""
    desk.desk.show(officer(desk), Kind.DECISION, "V-1")
    desk.desk.show(desk.worker, Kind.DECISION, "V-1")
    auditor = desk.somebody(Role.AUDITOR, purpose=Purpose.SUBJECT_ACCESS)

    looks = Journal(desk.desk).page(auditor, LogQuery(outcome="shown")).items
    told = {entry["by"]: entry.get("id") for entry in looks if entry.get("kind") == Kind.DECISION}
    assert told == {officer(desk).account: None, desk.worker.account: "V-1"}
    by = [look["by"] for look in Journal(desk.desk).extract(auditor, "P-1")]
    assert by == [desk.worker.account]


def test_the_grounds_name_nobody(desk: Decided) -> None:
    """Whoever is cleared for conflicts alone may read them, and not know of everybody."""
    for named in ("P-1", "S-1", "K-abcdefgh23"):
        with refused("grounds-name-a-record"):
            suspend(desk, why=f"Det gjelder {named}, og må ses på igjen.")


# ----------------------------------------------------------------------------- versions, sent again


def test_it_needs_the_version_that_was_seen_and_is_done_once(office: Decided) -> None:
    """As every other change: 428, 412, and the same key changes nothing a second time."""
    with pytest.raises(VersionNeededError):
        suspend(office, expected=None)
    with pytest.raises(ChangedError):
        suspend(office, expected=7)
    for _ in range(2):
        suspend(office, expected=1, key="k")
    assert office.now(Decision, "V-1").version == 2
    with pytest.raises(KeyReusedError):
        suspend(office, expected=1, key="k", days=8)
