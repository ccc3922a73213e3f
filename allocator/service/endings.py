"""What ends with a case: what was asked, heard, offered or held back for it."""

from __future__ import annotations

from allocator.casework.cases import Case, Closing
from allocator.casework.codes import (
    CaseState,
    DecisionState,
    HearingState,
    OfferState,
)
from allocator.casework.committee import Decision, Offer
from allocator.casework.housing import UnitReservation
from allocator.casework.records import Kind, Link, Stored
from allocator.casework.voice import Hearing
from allocator.service import clarifications, rechecks
from allocator.service.work import Work


def decisions_in_force(work: Work, case: str) -> list[Stored[Decision]]:
    """Return the decisions that give a case a unit into which nobody has moved yet."""
    made = work.find(Decision, Link(Kind.CASE, case), states={DecisionState.MADE})
    return [d for d in made if d.body.case == case and d.body.unit is not None and d.body.ended_on is None]


def end_allotment(work: Work, decision: Stored[Decision]) -> None:
    """Let go of the unit that a decision gives: it has been moved into, or nobody will.

    Whoever was to share it (E-09) goes on holding it alone.
    """
    if decision.body.ended_on is not None:
        return
    work.change(decision, ended_on=work.today)
    hand_on(work, decision)
    rechecks.allotment_ended(work, decision)


def hand_on(work: Work, decision: Stored[Decision]) -> None:
    """Let the decision that shares a unit with one that no longer holds it hold the unit itself."""
    for sharing in work.find(Decision, Link(Kind.DECISION, decision.id), states={DecisionState.MADE}):
        if sharing.body.shares == decision.id and sharing.body.ended_on is None:
            work.change(sharing, shares=None)


def end_case(work: Work, case: Stored[Case], state: CaseState, reason: str) -> Stored[Case]:
    """End a case with all that waits for it, and return it. Whoever applied with them goes on alone."""
    end_what_waits(work, case)
    partner = work.get(Case, case.body.together_with)
    if partner is not None:
        work.change(partner, together_with=None)
    closing = Closing(on=work.today, reason=reason)
    ended = work.change(case, state=state, closing=closing, together_with=None)
    clarifications.case_ended(work, case.id)
    return ended


def end_what_waits(work: Work, case: Stored[Case]) -> None:
    """End the hearings, offers, decisions and reservations that wait for somebody in a case."""
    of_case = Link(Kind.CASE, case.id)
    for hearing in work.find(Hearing, of_case, states={HearingState.OPEN}):
        work.change(hearing, state=HearingState.CLOSED, closed_on=work.today)
    for offer in work.find(Offer, of_case, states={OfferState.SENT, OfferState.SUSPENDED}):
        work.change(offer, state=OfferState.WITHDRAWN)
    for proposed in work.find(Decision, of_case, states={DecisionState.PROPOSED}):
        work.change(proposed, state=DecisionState.DROPPED)
    for decision in decisions_in_force(work, case.id):
        end_allotment(work, decision)
    for reservation in work.find(UnitReservation, of_case, states={"open"}):
        work.change(reservation, released_on=work.today)
