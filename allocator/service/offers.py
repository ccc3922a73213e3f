"""Offers: sent to the applicant and whoever acts for them, answered, and what follows from a no.

A refusal costs nothing that was not told beforehand, and never the place on the waiting list (E-19). Silence
is not a refusal (E-20). Suspending an offer, or the decision it rests on, tells nobody why (E-08).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from allocator.casework.cases import Case
from allocator.casework.codes import (
    CaseState,
    Consequence,
    DecisionState,
    OfferState,
    RefusalBy,
    RefusalReason,
)
from allocator.casework.committee import Decision, Offer, Refused
from allocator.casework.people import Person
from allocator.casework.records import DecisionId, Kind, Link, Stored
from allocator.model import Day, Name, Text
from allocator.service import suspensions
from allocator.service.decisions import back_to_list
from allocator.service.endings import end_allotment
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.work import Work

REASONS = {
    RefusalBy.APPLICANT: frozenset(RefusalReason) - {RefusalReason.UNIT_NOT_READY},
    RefusalBy.PROVIDER: frozenset(
        {
            RefusalReason.UNIT_NOT_READY,
            RefusalReason.HEALTH_OR_SAFETY,
            RefusalReason.CHANGED_NEEDS,
            RefusalReason.OTHER,
        }
    ),
}
"""Which reasons go with who says no."""

MILD = frozenset({Consequence.NONE, Consequence.NEW_SUGGESTION})
"""Consequences that cost the applicant nothing."""

_NEVER_COSTS = frozenset({RefusalReason.HEALTH_OR_SAFETY, RefusalReason.UNIT_NOT_READY})


class SendOffer(Command):
    """An offer of the unit that a decision gives, with what was told of it.

    `consequence` is the hardest consequence of a no that the applicant was told of.
    """

    decision: DecisionId
    deadline: Day
    viewing_on: Day | None = None
    help: Text | None = None
    told: Annotated[Text, Field(min_length=20)]
    consequence: Consequence = Consequence.NONE
    recipients: tuple[Name, ...] = Field(min_length=1)


class ResumeOffer(Command):
    """The new deadline."""

    deadline: Day


class RefuseOffer(Command):
    """Who said no, why if they say so, and what follows."""

    by: RefusalBy
    reason: RefusalReason = RefusalReason.NOT_STATED
    text: Text | None = None
    consequence: Consequence = Consequence.NONE


class RemindOffer(Command):
    """That somebody reminded the applicant, and a later deadline if there is one (E-20)."""

    deadline: Day | None = None


def send(work: Work, asked: SendOffer) -> Stored[Offer]:
    """Send an offer of the unit that a decision gives."""
    decision = work.named(Decision, asked.decision, "/decision")
    work.allow_with(decision)
    body = decision.body
    if body.state is not DecisionState.MADE or body.unit is None or body.ended_on is not None:
        work.refuse("nothing-to-offer")
    if body.crisis_until is not None:
        work.refuse("crisis-not-offered")
    if body.doubts:
        work.refuse("decision-doubted")
    suspensions.check(work, decision)
    case = work.load(Case, body.case)
    if case.body.state not in (CaseState.DECIDED, CaseState.CRISIS):
        work.refuse("case-not-decided")
    _check_deadline(work, asked.deadline)
    if asked.viewing_on is not None and not work.today <= asked.viewing_on <= asked.deadline:
        work.wrong("/viewing_on", "a day from today to the deadline")
    _check_recipients(work, case, asked.recipients)
    work.change(case, state=CaseState.OFFERED)
    return work.create(
        Offer(
            case=case.id,
            decision=decision.id,
            unit=body.unit,
            sent_on=work.today,
            deadline=asked.deadline,
            viewing_on=asked.viewing_on,
            help=asked.help,
            told=asked.told,
            consequence=asked.consequence,
            recipients=asked.recipients,
        )
    )


def _check_deadline(work: Work, deadline: date) -> None:
    if deadline <= work.today:
        work.wrong("/deadline", "a day after today")


def _check_recipients(work: Work, case: Stored[Case], recipients: tuple[str, ...]) -> None:
    """Refuse an offer that whoever acts for the applicant does not get (REQ-BSL-2)."""
    person = work.load(Person, case.body.person).body
    told = {name.casefold() for name in recipients}
    for acting in person.representatives:
        current = acting.since <= work.today and (acting.until is None or acting.until >= work.today)
        if current and acting.name.casefold() not in told:
            work.refuse("representative-missing")


def suspend(work: Work, _asked: Nothing, offer: Stored[Offer]) -> Stored[Offer]:
    """Suspend an offer; nothing is written of why, and nothing is sent by itself."""
    _check_open(work, offer, OfferState.SENT)
    return work.change(offer, state=OfferState.SUSPENDED)


def resume(work: Work, asked: ResumeOffer, offer: Stored[Offer]) -> Stored[Offer]:
    """Let a suspended offer stand again, with a new deadline."""
    _check_open(work, offer, OfferState.SUSPENDED)
    decision = _decision(work, offer)
    if decision.body.doubts:
        work.refuse("decision-doubted")
    suspensions.check(work, decision)
    _check_deadline(work, asked.deadline)
    return work.change(offer, state=OfferState.SENT, deadline=asked.deadline)


def remind(work: Work, asked: RemindOffer, offer: Stored[Offer]) -> Stored[Offer]:
    """Note that the applicant was reminded of an offer."""
    _check_open(work, offer, OfferState.SENT)
    suspensions.check(work, _decision(work, offer))
    deadline = asked.deadline or offer.body.deadline
    if asked.deadline is not None and (deadline <= work.today or deadline < offer.body.deadline):
        work.wrong("/deadline", "a day after today, and not before the deadline that was told")
    return work.change(offer, reminded_on=(*offer.body.reminded_on, work.today), deadline=deadline)


def accept(work: Work, _asked: Nothing, offer: Stored[Offer]) -> Stored[Offer]:
    """Note that the applicant says yes."""
    _check_open(work, offer, OfferState.SENT)
    suspensions.check(work, _decision(work, offer))
    work.change(work.load(Case, offer.body.case), state=CaseState.ACCEPTED)
    return work.change(offer, state=OfferState.ACCEPTED, answered_on=work.today)


def refuse(work: Work, asked: RefuseOffer, offer: Stored[Offer]) -> Stored[Offer]:
    """Note a no, by the applicant or the municipality; the unit is free, the applicant waits as before."""
    if offer.body.state is not OfferState.ACCEPTED:  # who has said yes may think better of it
        _check_open(work, offer, OfferState.SENT, OfferState.SUSPENDED)
    elif _decision(work, offer).body.ended_on is not None:
        work.refuse("already-moved-in")
    if asked.reason not in REASONS[asked.by]:
        options = ", ".join(f"`{reason}`" for reason in sorted(REASONS[asked.by]))
        work.wrong("/reason", "one of: {options}", options=options)
    if asked.consequence not in MILD:
        if asked.by is RefusalBy.PROVIDER or asked.reason in _NEVER_COSTS:
            work.refuse("consequence-not-theirs")
        if asked.consequence is not offer.body.consequence:
            work.refuse("consequence-not-told")
    refused = Refused(
        by=asked.by, reason=asked.reason, text=asked.text, on=work.today, consequence=asked.consequence
    )
    return _over(work, offer, OfferState.REFUSED, refused=refused)


def lapse(work: Work, _asked: Nothing, offer: Stored[Offer]) -> Stored[Offer]:
    """Let an offer lapse that nobody has answered, after its deadline and a reminder; it is no refusal.

    Nobody could say yes while the decision was suspended, so a deadline of that time does not count.
    """
    _check_open(work, offer, OfferState.SENT)
    decision = _decision(work, offer)
    suspensions.check(work, decision)
    if any(suspension.covered(offer.body.deadline) for suspension in decision.body.suspensions):
        work.refuse("deadline-while-suspended")
    if work.today <= offer.body.deadline:
        work.refuse("deadline-not-passed")
    if not offer.body.reminded_on:
        work.refuse("reminder-missing")
    return _over(work, offer, OfferState.LAPSED)


def _over(work: Work, offer: Stored[Offer], state: OfferState, **fields: Any) -> Stored[Offer]:
    """Let go of the unit, and let the applicant wait in the place they had."""
    over = work.change(offer, state=state, answered_on=work.today, **fields)
    end_allotment(work, _decision(work, offer))
    back_to_list(work, work.load(Case, offer.body.case))
    return over


def withdraw(work: Work, _asked: Nothing, offer: Stored[Offer]) -> Stored[Offer]:
    """Withdraw an offer; the decision stands and can be offered anew."""
    _check_open(work, offer, OfferState.SENT, OfferState.SUSPENDED)
    work.change(work.load(Case, offer.body.case), state=CaseState.DECIDED)
    return work.change(offer, state=OfferState.WITHDRAWN)


def _decision(work: Work, offer: Stored[Offer]) -> Stored[Decision]:
    return work.load(Decision, offer.body.decision)


def _check_open(work: Work, offer: Stored[Offer], *states: OfferState) -> None:
    if offer.body.state not in states:
        work.refuse("offer-not-open")


def refusals(work: Work, case: str) -> int:
    """Return how often an applicant has said no. An offer that lapsed is none."""
    offers = work.find(Offer, Link(Kind.CASE, case), states={OfferState.REFUSED})
    return sum(o.body.refused is not None and o.body.refused.by is RefusalBy.APPLICANT for o in offers)


USES: tuple[UseCase[Any], ...] = (
    creates("offers.send", Offer, SendOffer, send),
    acts("offers.suspend", Offer, Nothing, suspend),
    acts("offers.resume", Offer, ResumeOffer, resume),
    acts("offers.remind", Offer, RemindOffer, remind),
    acts("offers.accept", Offer, Nothing, accept),
    acts("offers.refuse", Offer, RefuseOffer, refuse),
    acts("offers.lapse", Offer, Nothing, lapse),
    acts("offers.withdraw", Offer, Nothing, withdraw),
)
