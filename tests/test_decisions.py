"""Decisions: proposed and approved by two people, with own grounds, against nothing that has no answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    DisqualificationGround,
    MeetingState,
    OfferState,
    PartyRole,
    ReservationReason,
    Role,
    VetoAnswer,
)
from allocator.casework.committee import (
    Condition,
    Decision,
    Dissent,
    Meeting,
    Offer,
    Rested,
    Review,
    VetoReply,
)
from allocator.casework.housing import Tenancy, Unit, UnitReservation
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link
from allocator.casework.relations import Conflict
from allocator.casework.voice import Veto
from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    FactSource,
    Need,
    StaffRole,
    VetoGround,
    VetoStatus,
)
from allocator.model import Conflict as ConflictEntry
from allocator.model import Veto as VetoEntry
from allocator.model import VetoFact
from allocator.ports import Query, TakenError
from allocator.service.decisions import (
    ConfirmDecision,
    DropDecision,
    ProposeDecision,
    ReverseDecision,
)
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.meetings import Disqualify
from tests.cases import some_needs
from tests.committee import GROUNDS, WHY, Committee, person_facts
from tests.databases import BACKENDS
from tests.decided import Decided
from tests.office import TODAY


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Committee]:
    """A committee on each kind of database."""
    made = Committee(request.param)
    yield made
    made.close()


@pytest.fixture
def desk() -> Iterator[Committee]:
    """A committee on the embedded database, where it does not matter which it is."""
    made = Committee()
    yield made
    made.close()


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    """Expect a refusal with a code."""
    return pytest.raises(RefusalError, match=f"^{code}$")


def enemies(office: Committee, one: str, other: str, **more: Any) -> None:
    """Seed a confirmed, mutual conflict."""
    said: dict[str, Any] = {
        "kind": ConflictKind.ENEMY,
        "direction": ConflictDirection.MUTUAL,
        "status": ConflictStatus.ACTIVE,
        "confirmed": True,
        "source": FactSource.STAFF,
        "recorded_on": TODAY,
        "last_confirmed": TODAY,
        "reach": ConflictReach.SCHEME,
    }
    entry = ConflictEntry(id=f"K-{one}-{other}", party=one, counterpart=other, **{**said, **more})
    body = Conflict(
        entry=entry,
        party_role=PartyRole.BOTH,
        explanation="Oppdiktet.",
        author="A",
        review_by=TODAY + timedelta(days=90),
    )
    office.seed(body, entry.id)


def objection(office: Committee, name: str = "IN-1", **where: Any) -> None:
    """Seed an open objection to the applicant of S-1."""
    entry = VetoEntry(
        id=name,
        applicant="S-1",
        ground=VetoGround.STAFFING_COMPETENCE,
        fact=VetoFact(observed_on=TODAY, source=FactSource.STAFF, text="Bare én på vakt om natta."),
        author_role=StaffRole.SCHEME_STAFF,
        raised_on=TODAY,
        valid_until=TODAY + timedelta(days=30),
        **where,
    )
    office.seed(Veto(entry=entry, scheme="nordlia", author="ansatt"), name)


# ------------------------------------------------------------------------------------------- making


def test_an_allocation_is_proposed_approved_and_holds_its_unit(office: Committee) -> None:
    """Two people stand behind it; it names its law, its appeal body and what it answers."""
    meeting = office.sitting("S-1", "S-2")
    decision = office.proposed("S-1", "nordlia-7", meeting)
    rival = office.proposed("S-2", "nordlia-7", meeting)
    assert office.now(Decision, decision).body.holds() == frozenset()
    with refused("second-person-needed"):
        office.approved(decision, by=office.leader)

    made = office.approved(decision).body

    assert (made.state, made.second, made.made_on) == (DecisionState.MADE, "leder-2", TODAY)
    assert (made.appeal_body, made.appeal_weeks) == ("municipal_board", 3)
    assert "individual-decision" in made.law
    assert not made.copied
    assert made.entry is not None
    assert made.rests_on
    assert office.state("S-1") is CaseState.DECIDED
    with pytest.raises((TakenError, RefusalError)):
        office.approved(rival)
    assert office.now(Decision, rival).body.state is DecisionState.PROPOSED


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_database_itself_keeps_two_from_one_unit(backend: str) -> None:
    """Whoever gets past every check is stopped by what the other decision holds."""
    office = Decided(backend)
    with pytest.raises(TakenError):
        office.seed(office.decision(case="S-2"), "V-rival")
    office.close()


def test_facts_that_changed_since_the_suggestion_need_a_word(desk: Committee) -> None:
    """A new need makes the suggestion stale; confirmed in writing, or asked anew, it goes on (E-33)."""
    meeting = desk.sitting("S-1")
    old = desk.suggested("S-1")
    desk.seed(Person(facts=person_facts(needs=some_needs(Need.NEAR_TRANSPORT))), "P-1", version=2)

    with refused("facts-changed"):
        desk.proposed("S-1", "nordlia-7", meeting, suggestion=old)
    confirmed = desk.proposed("S-1", "nordlia-7", meeting, suggestion=old, stale_confirmed=WHY)
    desk.run(desk.leader, "decisions.drop", DropDecision(reason=WHY), confirmed)
    decision = desk.proposed("S-1", "nordlia-7", meeting)

    desk.seed(Person(facts=person_facts(needs=some_needs())), "P-1", version=3)
    with refused("facts-changed"):
        desk.approved(decision)
    assert desk.approved(decision, stale_confirmed=WHY).body.stale_confirmed == WHY


def test_days_that_pass_do_not_make_a_suggestion_stale(desk: Committee) -> None:
    """How long a unit has stood empty changes by itself."""
    desk.heard("S-1", "nordlia")
    suggestion = desk.suggested("S-1")
    meeting = desk.called()
    desk.listed(meeting, "S-1")
    desk.begun(meeting)
    desk.clock.to(TODAY + timedelta(days=40))

    assert desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion)


def test_the_committee_writes_grounds_of_its_own(desk: Committee) -> None:
    """The engine's words alone are marked as copied, in any language; too few words are refused."""
    meeting = desk.sitting("S-1")
    suggestion = desk.suggested("S-1")
    with pytest.raises(RefusalError, match="request"):
        desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion, grounds=" Ja. " * 9)
    for language in ("nb", "en"):
        answer = desk.desk.answer(desk.leader, suggestion, language)
        entry = next(e for e in answer["suggestions"] if e["unit"] == "nordlia-7")
        copied = " ".join(finding["text"] for finding in entry["findings"][:3])
        said = desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion, grounds=f"{copied} Enig.")
        assert desk.now(Decision, said).body.copied
    both = desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion, grounds=f"{copied} {GROUNDS}")
    assert not desk.now(Decision, both).body.copied


def test_deciding_against_the_advice_needs_a_reason(desk: Committee) -> None:
    """A unit below others, or advised against, is chosen with a reason that members may read."""
    unit = desk.now(Unit, "nordlia-7").body
    facts = unit.facts.model_copy(update={"sightline_from_base": False, "bedroom": False, "exits": 1})
    desk.seed(unit.model_copy(update={"facts": facts}), "nordlia-7", version=2)
    desk.seed(Person(facts=person_facts(needs=some_needs(Need.BEDROOM))), "P-1", version=2)
    meeting = desk.sitting("S-1")
    suggestion = desk.suggested("S-1")
    ranks = {e["unit"]: e["rank"] for e in desk.desk.answer(desk.leader, suggestion)["suggestions"]}
    assert ranks["nordlia-7"] > ranks["nordlia-8"]

    with refused("deviation-needed"):
        desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion)
    decision = desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion, deviation=WHY)

    said = desk.now(Decision, decision).body.deviation
    assert said is not None
    assert said.reason == WHY
    assert desk.proposed("S-1", "nordlia-8", meeting, suggestion=suggestion)


def test_a_bar_of_fact_is_overruled_by_nobody(desk: Committee) -> None:
    """Held back for something else: no reason helps (REQ-HUM-6); lived in: not even asked about."""
    held = UnitReservation(
        unit="nordlia-7",
        scheme="nordlia",
        reason=ReservationReason.DECANT,
        owner="saksbehandler",
        until=TODAY,
    )
    desk.seed(held, "RE-1")
    meeting = desk.sitting("S-1")
    with pytest.raises(RefusalError, match="bar-not-overridable") as caught:
        desk.proposed("S-1", "nordlia-7", meeting, deviation=WHY, stale_confirmed=WHY)
    assert caught.value.values == {"rule": "unit-available"}
    with refused("unit-not-available"):
        desk.proposed("S-1", "nordlia-1", meeting, deviation=WHY, stale_confirmed=WHY)


def test_a_bar_that_may_be_overruled_needs_a_reason(desk: Committee) -> None:
    """A need that the dwelling does not meet bars it, unless the committee says why not."""
    desk.seed(Person(facts=person_facts(needs=some_needs(Need.LIFT))), "P-1", version=2)
    unit = desk.now(Unit, "nordlia-7").body
    facts = unit.facts.model_copy(update={"floor": 3, "lift": False})
    desk.seed(unit.model_copy(update={"facts": facts}), "nordlia-7", version=2)
    meeting = desk.sitting("S-1")
    suggestion = desk.suggested("S-1")
    entry = next(
        e for e in desk.desk.answer(desk.leader, suggestion)["suggestions"] if e["unit"] == "nordlia-7"
    )
    bars = [f for f in entry["findings"] if f["effect"] == "bar" and f["outcome"] == "broken"]
    assert entry["verdict"] == "blocked"

    if all(bar["overridable"] for bar in bars):
        with refused("deviation-needed"):
            desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion)
        decision = desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion, deviation=WHY)
        deviation = desk.now(Decision, decision).body.deviation
        assert deviation is not None
        assert "lift-need" in deviation.rules
    else:
        with refused("bar-not-overridable"):
            desk.proposed("S-1", "nordlia-7", meeting, suggestion=suggestion, deviation=WHY)


# ------------------------------------------------------------------------------- what nobody may learn


def answers(office: Committee, unit: str, actor: Actor, meeting: str, **more: Any) -> str:
    """Return how a proposal is answered: its refusal, or that it was made."""
    try:
        office.proposed("S-1", unit, meeting, by=actor, **more)
    except RefusalError as error:
        return f"{error.code} {error.values}"
    return "proposed"


def test_who_is_not_cleared_is_not_told_of_an_enemy(desk: Committee) -> None:
    """The zone asks for a reason; the barred unit is refused in words that fit any cause."""
    enemies(desk, "P-1", "nordlia-r2")
    meeting = desk.sitting("S-1")
    suggestion = desk.suggested("S-1")
    with_reason = {"suggestion": suggestion, "deviation": WHY}

    assert answers(desk, "nordlia-7", desk.leader, meeting, suggestion=suggestion) == "deviation-needed {}"
    assert answers(desk, "nordlia-7", desk.leader, meeting, **with_reason) == "unit-not-available {}"
    assert answers(desk, "nordlia-7", desk.cleared, meeting, **with_reason) == "sealed-deviation-needed {}"
    both = {**with_reason, "sealed_deviation": "Konflikten er gjort opp, sier begge to."}
    decision = desk.proposed("S-1", "nordlia-7", meeting, by=desk.cleared, **both)

    read = desk.desk.show(desk.leader, Kind.DECISION, decision).view
    assert "sealed_deviation" not in read
    assert "entry" not in read
    assert "judged_sha256" not in read
    assert "known-conflict" not in str(read)
    assert desk.desk.show(desk.cleared, Kind.DECISION, decision).view["sealed_deviation"]


def test_an_uncleared_proposal_is_the_same_in_worlds_that_differ_in_who_the_enemy_is() -> None:
    """Whoever of the zone it is, what is asked for and what is stored for members is the same."""
    found = []
    for enemy in ("nordlia-r2", "nordlia-r5"):
        world = Committee()
        enemies(world, "P-1", enemy)
        meeting = world.sitting("S-1")
        suggestion = world.suggested("S-1")
        sealed = {"deviation": WHY, "sealed_deviation": WHY}
        decision = world.proposed(
            "S-1", "nordlia-7", meeting, by=world.cleared, suggestion=suggestion, **sealed
        )
        shown = dict(world.desk.show(world.leader, Kind.DECISION, decision).view)
        for name in ("id", "meeting", "suggestion"):
            shown.pop(name)
        found.append(
            (
                shown,
                answers(world, "nordlia-8", world.leader, meeting, suggestion=suggestion),
                answers(world, "nordlia-8", world.leader, meeting, suggestion=suggestion, deviation=WHY),
            )
        )
        world.close()

    assert found[0] == found[1]


def test_a_kode_6_neighbours_enemy_is_barred_in_neutral_words(desk: Committee) -> None:
    """The bar holds also where the reader may not know that there is anybody."""
    desk.seed(
        Person(facts=person_facts(), protection=AddressProtection.STRICTLY_CONFIDENTIAL),
        "havna-r1",
        version=2,
    )
    enemies(desk, "P-1", "havna-r1")
    meeting = desk.sitting("S-1")
    said = answers(desk, "havna-2", desk.leader, meeting, deviation=WHY, suggestion=desk.suggested("S-1"))

    assert said == "unit-not-available {}"


def test_two_enemies_do_not_get_units_in_one_house_the_same_day(desk: Committee) -> None:
    """Neither is a resident; the first decision stands in the way of the second (E-07)."""
    enemies(desk, "P-2", "P-1", confirmed=False)
    meeting = desk.sitting("S-1", "S-2")
    more = {"deviation": WHY, "sealed_deviation": WHY}
    first = desk.proposed("S-1", "nordlia-7", meeting, by=desk.cleared, **more)
    second = desk.proposed("S-2", "nordlia-8", meeting, by=desk.leader, deviation=WHY)
    desk.approved(first)

    with refused("unit-not-available"):
        desk.approved(second, stale_confirmed=WHY)
    with refused("allotted-near-conflict"):
        desk.approved(second, by=desk.cleared, stale_confirmed=WHY, sealed_deviation=WHY)
    elsewhere = desk.proposed("S-2", "havna-2", meeting, deviation=WHY)
    assert desk.approved(elsewhere).body.state is DecisionState.MADE


# ---------------------------------------------------------------------------------------- objections


def test_every_objection_to_the_unit_is_answered_in_the_decision(desk: Committee) -> None:
    """Open ones that cover the unit; the answer counts when the decision is made."""
    objection(desk, "IN-1", unit="nordlia-7")
    objection(desk, "IN-2", scheme="nordlia")
    objection(desk, "IN-3", unit="nordlia-8")
    meeting = desk.sitting("S-1")
    answer: dict[str, Any] = {"answer": VetoAnswer.NOT_FOLLOWED, "reason": "Det er to på vakt fra neste uke."}
    one, two = (VetoReply(veto=name, **answer) for name in ("IN-1", "IN-2"))
    more: dict[str, Any] = {"deviation": WHY, "suggestion": desk.suggested("S-1")}

    with refused("veto-unanswered"):
        desk.proposed("S-1", "nordlia-7", meeting, **more, replies=(one,))
    stray = VetoReply(veto="IN-3", **answer)
    with pytest.raises(RefusalError, match="request"):
        desk.proposed("S-1", "nordlia-7", meeting, **more, replies=(one, two, stray))
    followed = VetoReply(veto="IN-2", answer=VetoAnswer.FOLLOWED, reason="Enig i dette.")
    with pytest.raises(RefusalError, match="request"):
        desk.proposed("S-1", "nordlia-7", meeting, **more, replies=(one, followed))
    partly = VetoReply(veto="IN-2", answer=VetoAnswer.PARTLY, reason="Det settes inn nattevakt.")
    decision = desk.proposed("S-1", "nordlia-7", meeting, **more, replies=(one, partly))
    assert desk.now(Veto, "IN-1").body.entry.status is VetoStatus.OPEN

    desk.approved(decision)

    assert desk.now(Veto, "IN-1").body.entry.status is VetoStatus.OVERRULED
    assert desk.now(Veto, "IN-2").body.entry.status is VetoStatus.UPHELD
    answered = desk.now(Veto, "IN-1").body.answered
    assert answered is not None
    assert answered.meeting == meeting
    assert desk.now(Veto, "IN-3").body.entry.status is VetoStatus.OPEN


def test_an_objection_that_comes_after_the_proposal_stops_the_approval(desk: Committee) -> None:
    """It has no answer in the decision."""
    decision = desk.proposed("S-1", "nordlia-7", desk.sitting("S-1"))
    objection(desk, scheme="nordlia")

    with refused("facts-changed"):
        desk.approved(decision)
    with refused("deviation-needed"):
        desk.approved(decision, stale_confirmed=WHY)


# ------------------------------------------------------------------------------------------- sitting


def test_what_a_meeting_must_decide(desk: Committee) -> None:
    """An allocation needs an open meeting, the case on its agenda, a hearing and a suggestion."""
    with refused("meeting-needed"):
        desk.proposed("S-1", "nordlia-7", None)
    meeting = desk.called()
    with refused("meeting-not-open"):
        desk.proposed("S-1", "nordlia-7", meeting)
    desk.listed(meeting, "S-1")
    desk.begun(meeting)
    with refused("not-on-agenda"):
        desk.proposed("S-2", None, meeting)
    with refused("hearing-missing"):
        desk.proposed("S-1", "nordlia-7", meeting)
    desk.heard("S-1", "nordlia", units=("nordlia-8",))
    with refused("hearing-missing"):
        desk.proposed("S-1", "nordlia-7", meeting)
    with refused("suggestion-missing"):
        desk.proposed("S-1", "nordlia-7", meeting, suggestion=None)
    assert desk.proposed("S-1", "nordlia-8", meeting)


def test_a_disqualified_leader_neither_sees_nor_decides(desk: Committee) -> None:
    """The case is not there for them; and without quorum for it nobody decides."""
    meeting = desk.sitting("S-1")
    for account in ("leder", "medlem-1"):
        asked = Disqualify(case="S-1", account=account, ground=DisqualificationGround.RELATED)
        desk.run(desk.second, "meetings.disqualify", asked, meeting)

    with pytest.raises(RefusalError, match="request"):
        desk.run(desk.leader, "decisions.propose", desk.proposal("S-1", None, meeting))
    with refused("no-quorum"):
        desk.run(desk.second, "decisions.propose", desk.proposal("S-1", None, meeting))


def test_who_may_propose_and_approve(desk: Committee) -> None:
    """A secretary proposes, a leader approves; a member and a caseworker do neither."""
    meeting = desk.sitting("S-1")
    asked = desk.proposal("S-1", None, meeting)
    for actor in (desk.members[0], desk.worker):
        with pytest.raises(ForbiddenError):
            desk.run(actor, "decisions.propose", asked)
    decision = desk.run(desk.secretary, "decisions.propose", asked).stored.id
    with pytest.raises(ForbiddenError):
        desk.approved(decision, by=desk.secretary)
    desk.approved(decision, by=desk.leader)
    assert desk.state("S-1") is CaseState.WAITING_LIST
    with refused("decision-not-proposed"):
        desk.approved(decision)


def test_conditions_and_references_are_of_the_table_of_laws(desk: Committee) -> None:
    """A condition says what makes it lawful (REQ-FVL-11); what no table has is refused."""
    meeting = desk.sitting("S-1")
    said = {
        "text": "Oppfølging hver uke.",
        "purpose": "Trygghet.",
        "connection": "Tjenestene.",
        "proportionality": "Lite.",
    }
    dissent = Dissent(by="medlem-1", text="Ville gitt den andre boligen.")
    for wrong in (
        {"conditions": (Condition(legal_basis="husordensregler", **said),)},
        {"law": ("ukjent",)},
        {"dissents": (dissent.model_copy(update={"by": "medlem-4"}),)},
        {"replies": (VetoReply(veto="IN-9", answer=VetoAnswer.PARTLY, reason="Ikke her."),)},
    ):
        with pytest.raises(RefusalError, match="request"):
            desk.proposed("S-1", None, meeting, **wrong)
    condition = Condition(legal_basis="individual-decision", **said)
    decision = desk.proposed(
        "S-1", None, meeting, conditions=(condition,), law=("representation",), dissents=(dissent,)
    )
    assert "representation" in desk.now(Decision, decision).body.law
    assert desk.now(Decision, decision).body.dissents == (dissent,)


# ------------------------------------------------------------------------------------------ outcomes


def test_assistance_is_decided_outside_a_meeting_and_its_refusal_ends_the_case(office: Committee) -> None:
    """The county governor hears an appeal; one person is enough; reversed, the case goes on (D1)."""
    asked = ProposeDecision(
        type=DecisionType.ASSISTANCE, case="S-1", outcome=DecisionOutcome.REFUSED, grounds=GROUNDS
    )
    decision = office.run(office.leader, "decisions.propose", asked).stored.id
    made = office.approved(decision, by=office.leader).body
    assert (made.appeal_body, made.second) == ("county_governor", None)
    assert office.state("S-1") is CaseState.REFUSED
    with refused("case-ended"):
        office.run(office.leader, "decisions.propose", asked)

    reversal = ReverseDecision(outcome=DecisionOutcome.GRANTED, grounds=GROUNDS)
    new = office.run(office.leader, "decisions.reverse", reversal, decision).stored.id
    assert office.now(Decision, decision).body.state is DecisionState.MADE
    office.approved(new)

    assert office.now(Decision, decision).body.state is DecisionState.REVERSED
    assert "reversal" in office.now(Decision, new).body.law
    case = office.now(Case, "S-1").body
    assert (case.state, case.closing) == (CaseState.WAITING_LIST, None)
    with refused("decision-not-made"):
        office.run(office.leader, "decisions.reverse", reversal, decision)


def test_types_and_outcomes_go_together(desk: Committee) -> None:
    """Assistance gives no unit; an allocation has one."""
    with pytest.raises(RefusalError, match="request"):
        desk.proposed("S-1", None, None, type=DecisionType.ASSISTANCE)
    with pytest.raises(ValueError, match="unit"):
        desk.proposal("S-1", None, None, outcome=DecisionOutcome.ALLOCATED)


def test_a_reversal_frees_the_unit_and_withdraws_the_offer(office: Committee) -> None:
    """Somebody else can have it from then on."""
    decision = office.allotted("S-1", "nordlia-7")
    offer = Offer(
        case="S-1",
        decision=decision,
        unit="nordlia-7",
        sent_on=TODAY,
        deadline=TODAY + timedelta(days=7),
        told="Plassen på ventelista beholdes.",
    )
    office.seed(offer, "T-1")
    meeting = office.called()
    office.listed(meeting, "S-1")
    office.begun(meeting)
    asked = ReverseDecision(outcome=DecisionOutcome.NO_SUITABLE_PLACE, grounds=GROUNDS, meeting=meeting)
    new = office.run(office.leader, "decisions.reverse", asked, decision).stored.id
    with refused("second-person-needed"):
        office.approved(new, by=office.leader)
    office.approved(new)

    assert office.now(Offer, "T-1").body.state is OfferState.WITHDRAWN
    assert office.state("S-1") is CaseState.WAITING_LIST
    free = office.now(Decision, decision).body
    assert free.holds() == frozenset()


def test_a_crisis_placement_has_an_end_and_a_review(desk: Committee) -> None:
    """Two people, an end date, and somebody looks at it soon (E-22)."""
    placing: dict[str, Any] = {"type": DecisionType.TEMPORARY, "suggestion": None}
    last = TODAY + timedelta(days=21)
    with pytest.raises(RefusalError, match="request"):
        desk.proposed("S-1", "nordlia-7", None, **placing)
    with pytest.raises(RefusalError, match="request"):
        desk.proposed("S-1", "nordlia-7", None, **placing, crisis_until=TODAY - timedelta(days=1))
    decision = desk.proposed("S-1", "nordlia-7", None, **placing, crisis_until=last)
    with refused("second-person-needed"):
        desk.approved(decision, by=desk.leader)
    desk.approved(decision)

    assert desk.state("S-1") is CaseState.CRISIS
    with desk.storage.read() as tx:
        reviews = tx.find(Query(Kind.REVIEW, links=(Link(Kind.DECISION, decision),)))
    assert [r.body.by for r in reviews if isinstance(r.body, Review)] == [TODAY + timedelta(days=14)]
    with refused("unit-not-available"):
        desk.proposed("S-2", "nordlia-1", None, **placing, crisis_until=last, deviation=WHY)


def test_a_couple_gets_one_unit_together_or_says_why_not(office: Committee) -> None:
    """The second shares what the first holds; when the first falls away the second holds it (E-09)."""
    for case, other in (("S-1", "S-2"), ("S-2", "S-1")):
        body = office.now(Case, case).body
        office.seed(body.model_copy(update={"together_with": other}), case, version=2)
    meeting = office.sitting("S-1", "S-2")
    alone = office.proposed("S-1", "nordlia-7", meeting)
    with refused("partner-undecided"):
        office.approved(alone)
    partners = office.proposed("S-2", "nordlia-7", meeting)
    office.approved(alone)
    made = office.approved(partners).body

    assert made.shares == alone
    assert made.holds() == frozenset({"allotted-to:S-2"})
    first = ReverseDecision(outcome=DecisionOutcome.NO_SUITABLE_PLACE, grounds=GROUNDS, meeting=meeting)
    office.approved(office.run(office.leader, "decisions.reverse", first, alone).stored.id)
    assert office.now(Decision, partners).body.holds() == {"allotted:nordlia-7", "allotted-to:S-2"}


def test_one_of_a_couple_may_be_housed_apart(desk: Committee) -> None:
    """With a reason in the decision."""
    body = desk.now(Case, "S-1").body
    desk.seed(body.model_copy(update={"together_with": "S-2"}), "S-1", version=2)
    decision = desk.proposed("S-1", "nordlia-7", desk.sitting("S-1"), housed_apart=WHY)

    assert desk.approved(decision).body.housed_apart == WHY


def test_a_dropped_proposal_gives_the_case_back(desk: Committee) -> None:
    """In an open meeting it waits for another; after it, it stands where it stood."""
    meeting = desk.sitting("S-1")
    decision = desk.proposed("S-1", None, meeting)
    desk.run(desk.leader, "decisions.drop", DropDecision(reason=WHY), decision)
    assert desk.state("S-1") is CaseState.MEETING
    again = desk.proposed("S-1", None, meeting)
    body = desk.now(Meeting, meeting).body
    desk.seed(
        body.model_copy(update={"state": MeetingState.CLOSED}),
        meeting,
        version=desk.now(Meeting, meeting).version + 1,
    )
    desk.run(desk.leader, "decisions.drop", DropDecision(reason=WHY), again)

    assert desk.state("S-1") is CaseState.WAITING_LIST


def test_doubts_are_looked_at_and_put_aside(desk: Committee) -> None:
    """Only where there are any."""
    decision = desk.allotted()
    with refused("nothing-doubted"):
        desk.run(desk.leader, "decisions.confirm", ConfirmDecision(reason=WHY), decision)
    body = desk.now(Decision, decision).body
    doubted = body.model_copy(update={"doubts": (Rested(of="P-1", path="applicant.age"),)})
    desk.seed(doubted, decision, version=desk.now(Decision, decision).version + 1)

    desk.run(desk.leader, "decisions.confirm", ConfirmDecision(reason=WHY), decision)

    assert desk.now(Decision, decision).body.doubts == ()


def test_a_resident_of_the_house_may_move_within_it(desk: Committee) -> None:
    """Their own tenancy stands in nobody's way (E-10)."""
    tenancy = desk.now(Tenancy, "L-nordlia-r1").body
    case = desk.now(Case, "S-1").body
    desk.seed(case.model_copy(update={"person": tenancy.person}), "S-3")

    assert desk.proposed("S-3", "nordlia-7", desk.sitting("S-3"))


def test_nobody_else_sees_a_kode_6_decision(desk: Committee) -> None:
    """It is not there for who is not cleared, and cannot be approved by them."""
    decision = desk.proposed("S-1", None, desk.sitting("S-1"))
    desk.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-1", version=2)

    with pytest.raises(NotFoundError):
        desk.approved(decision)
    desk.approved(decision, by=desk.cleared)


def test_members_hear_no_more_than_they_may(desk: Committee) -> None:
    """A member reads the decision, not what is sealed."""
    decision = desk.proposed("S-1", None, desk.sitting("S-1"))
    peer = desk.somebody(Role.PEER_MEMBER)
    for reader in (desk.members[0], peer):
        assert "sealed_deviation" not in desk.desk.show(reader, Kind.DECISION, decision).view
