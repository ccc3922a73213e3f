"""What must be in order before a unit is given to somebody, beside what the engine says.

The staff of the house have been heard, every objection has its answer, who applies with somebody is not
parted from them by accident, and nobody who must be kept apart from somebody gets a place near them the same
day.
"""

from __future__ import annotations

from collections.abc import Iterable

from allocator.casework.cases import Case
from allocator.casework.codes import Clearance, DecisionState, VetoAnswer
from allocator.casework.committee import Decision, VetoReply
from allocator.casework.housing import Unit
from allocator.casework.records import Kind, Link, Stored
from allocator.casework.relations import Conflict, Order
from allocator.casework.voice import Hearing, Veto
from allocator.codes import ConflictReach, ConflictStatus, VetoStatus
from allocator.service.vetoes import settle
from allocator.service.work import Work

# -------------------------------------------------------------------------------------------- hearing


def check_heard(work: Work, case: str, unit: Stored[Unit]) -> None:
    """Refuse to give a unit before the staff of its scheme were heard, or had their time to answer."""
    heard = work.find(Hearing, Link(Kind.CASE, case), Link(Kind.SCHEME, unit.body.scheme))
    for hearing in heard:
        about = hearing.body.case == case and (not hearing.body.units or unit.id in hearing.body.units)
        if about and hearing.body.is_over(work.today) and not hearing.body.after_the_fact:
            return
    work.refuse("hearing-missing")


# ------------------------------------------------------------------------------------------ objections


def standing_vetoes(work: Work, case: str, unit: Stored[Unit]) -> list[Stored[Veto]]:
    """Return the objections to somebody in a unit that nobody has answered."""
    found = []
    for veto in work.find(Veto, Link(Kind.CASE, case), states={VetoStatus.OPEN}):
        entry = veto.body.entry
        places = (entry.unit == unit.id, entry.living_group == unit.body.group)
        covers = any(places) or entry.scheme == unit.body.scheme
        if covers and entry.raised_on <= work.today <= entry.valid_until:
            found.append(veto)
    return found


def check_replies(work: Work, case: str, unit: Stored[Unit], replies: Iterable[VetoReply]) -> None:
    """Refuse to give a unit while an objection has no answer in the decision (REQ-VET-3)."""
    given = {reply.veto: reply for reply in replies}
    standing = {veto.id for veto in standing_vetoes(work, case, unit)}
    for number, reply in enumerate(given.values()):
        if reply.veto not in standing:
            work.wrong(f"/replies/{number}/veto", "an objection to this unit that nobody has answered")
        if reply.answer is VetoAnswer.FOLLOWED:
            work.wrong(
                f"/replies/{number}/answer", "`partly` or `not_followed`: the unit is given all the same"
            )
    check_answered(work, case, unit, given)


def check_answered(work: Work, case: str, unit: Stored[Unit], given: Iterable[str]) -> None:
    """Refuse to give a unit while an objection is not among those that the decision answers."""
    answered = set(given)
    if any(veto.id not in answered for veto in standing_vetoes(work, case, unit)):
        work.refuse("veto-unanswered")


def answer_vetoes(work: Work, unit: Stored[Unit], decision: Stored[Decision]) -> None:
    """Write the answers that a decision gives into the objections."""
    replies = {reply.veto: reply for reply in decision.body.replies}
    for veto in standing_vetoes(work, decision.body.case, unit):
        reply = replies[veto.id]
        settle(work, veto, reply.answer, reply.reason, decision.body.meeting)


# --------------------------------------------------------------------------------------------- couples


def partners_decision(work: Work, case: Stored[Case], unit: str) -> Stored[Decision] | None:
    """Return the decision that gives the same unit to the one they apply with (E-09)."""
    other = case.body.together_with
    if other is None:
        return None
    live = {DecisionState.PROPOSED, DecisionState.MADE}
    for decision in work.find(Decision, Link(Kind.CASE, other), states=live):
        body = decision.body
        if body.case == other and body.unit == unit and body.ended_on is None:
            return decision
    return None


# ------------------------------------------------------------------------------------- two on one day


def check_apart(work: Work, case: Stored[Case], unit: Stored[Unit]) -> None:
    """Refuse a unit near one that was just given to somebody who must be kept apart (E-07).

    Open offers rest on decisions that are made and not ended, so that those are all there is to look at.
    Whoever is not cleared gets the words that fit any cause.
    """
    for other in work.find(Decision, states={DecisionState.MADE}):
        body = other.body
        if body.unit is None or body.ended_on is not None or body.case == case.id or body.scheme is None:
            continue
        theirs, person = work.load(Unit, body.unit), work.load(Case, body.case).body.person
        if theirs.body.scheme == unit.body.scheme and _must_be_apart(
            work, case.body.person, person, same_group=theirs.body.group == unit.body.group
        ):
            strict = not work.strict.isdisjoint({person}) and Clearance.KODE_6 not in work.actor.cleared
            if Clearance.CONFLICTS in work.actor.cleared and not strict:
                work.refuse("allotted-near-conflict", decision=other.id)
            work.refuse("unit-not-available")


def _must_be_apart(work: Work, one: str, other: str, *, same_group: bool) -> bool:
    both = (Link(Kind.PERSON, one), Link(Kind.PERSON, other))
    for conflict in work.find(Conflict, *both, states={ConflictStatus.ACTIVE}):
        if same_group or conflict.body.entry.reach is ConflictReach.SCHEME:
            return True
    return any(
        order.body.entry.verified and order.body.entry.valid_until >= work.today
        for order in work.find(Order, *both, states={"open"})
    )
