"""Decisions (*vedtak*): proposed and approved by people, with their own grounds. The engine decides nothing.

A decision is proposed, mostly in a meeting, and made when it is approved. What it says of objections, of
another decision that it reverses, and of the case takes effect when it is made. What is made is never edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.casework.cases import Case
from allocator.casework.codes import (
    ENDED_CASES,
    CaseState,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    MeetingState,
    OfferState,
    ReviewKind,
)
from allocator.casework.committee import (
    Condition,
    Decision,
    Deviation,
    Dissent,
    Meeting,
    Offer,
    Review,
    Suggestion,
    VetoReply,
)
from allocator.casework.housing import Unit
from allocator.casework.law import DECISION_LAW, law_ref
from allocator.casework.records import CaseId, Kind, Link, MeetingId, Stored, SuggestionId, UnitId
from allocator.codes import AgreementForm
from allocator.model import Day, Name, Text
from allocator.rules.sources import REVERSAL
from allocator.service import rechecks, suggestions, weighing
from allocator.service.allotments import (
    answer_vetoes,
    check_answered,
    check_apart,
    check_heard,
    check_replies,
    partners_decision,
)
from allocator.service.endings import decisions_in_force, end_case, hand_on
from allocator.service.meetings import back_from_meeting
from allocator.service.uses import Command, UseCase, acts, creates
from allocator.service.weighing import Entry, Said, Weighed
from allocator.service.work import Work

LEAST_GROUNDS = 40
"""Fewest letters and digits of own words in the grounds: about one short sentence. A local choice."""

FOUR_EYES = frozenset({DecisionType.ALLOCATION})
"""Types that two people must stand behind, as must every decision that gives a unit.

A local choice, after practice elsewhere: nobody takes both steps (`peers.md`, lesson 9). A crisis at night
does not wait for a second person: whoever is on call places somebody alone (`cases.place_in_crisis`), and
another looks at it the next day (E-22).
"""

CRISIS_DAYS = 92
"""Longest crisis placement, about three months; a local choice. It is looked at again long before."""

CRISIS_REVIEW_DAYS = 14
"""Within so many days a crisis placement is looked at again; a local choice."""

_OUTSIDE_MEETINGS = frozenset({DecisionType.ASSISTANCE, DecisionType.TEMPORARY})
_PLACES = frozenset(
    {DecisionType.ALLOCATION, DecisionType.LONG_STAY, DecisionType.TEMPORARY, DecisionType.DWELLING}
)
_OF_PLACES = frozenset({DecisionOutcome.ALLOCATED, DecisionOutcome.NO_SUITABLE_PLACE})
_ENDS_CASE = frozenset({DecisionType.ASSISTANCE, DecisionType.ALLOCATION})

Reason = Annotated[Text, Field(min_length=20)]


class Deciding(Command):
    """What is decided and why, apart from in which case.

    Attributes:
        deviation: Needed where advice speaks against the unit or a better place was passed over.
        sealed_deviation: Needed, from the cleared, where something speaks against it that only they read.
        stale_confirmed: Why the facts that changed since the suggestion do not matter (E-33).
    """

    outcome: DecisionOutcome
    meeting: MeetingId | None = None
    unit: UnitId | None = None
    suggestion: SuggestionId | None = None
    grounds: Text
    deviation: Reason | None = None
    sealed_deviation: Reason | None = None
    stale_confirmed: Reason | None = None
    replies: tuple[VetoReply, ...] = ()
    dissents: tuple[Dissent, ...] = ()
    conditions: tuple[Condition, ...] = ()
    agreement: AgreementForm | None = None
    law: tuple[Name, ...] = ()
    crisis_until: Day | None = None
    housed_apart: Reason | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.outcome is DecisionOutcome.ALLOCATED) is (self.unit is None):
            raise PydanticCustomError("document", "`unit` for an allocation, and only there")
        return self


class ProposeDecision(Deciding):
    """What is decided in a case, of which type, and why."""

    type: DecisionType
    case: CaseId


class ReverseDecision(Deciding):
    """What is decided in place of a decision that was made; its type and case are the same."""


class ApproveDecision(Command):
    """The approval of a proposed decision.

    Attributes:
        stale_confirmed: Needed where facts have changed since it was proposed.
        sealed_deviation: Needed, from the cleared, where something speaks against it that only they read.
    """

    stale_confirmed: Reason | None = None
    sealed_deviation: Reason | None = None


class DropDecision(Command):
    """Why a proposal comes to nothing."""

    reason: Reason


class ConfirmDecision(Command):
    """Why a decision stands though facts it rests on have changed."""

    reason: Reason


# ------------------------------------------------------------------------------------------ proposing


def _weigh_proposal(work: Work, asked: ProposeDecision, _target: None) -> Weighed | None:
    return _weigh(work, asked, asked.case)


def _weigh_reversal(work: Work, asked: ReverseDecision, target: Stored[Decision]) -> Weighed | None:
    return _weigh(work, asked, target.body.case)


def _weigh(work: Work, asked: Deciding, case: str) -> Weighed | None:
    """Ask the engine about the unit that is to be given, on the facts as they are now."""
    if asked.unit is None:
        return None
    found = _case(work, case)
    work.named(Unit, asked.unit, "/unit")
    return weighing.weigh(work, found.id, asked.unit, _suggestion(work, asked, found.id))


def _case(work: Work, identifier: str, *, reopening: bool = False) -> Stored[Case]:
    """Return the case to decide in; one that was refused can only be decided in to reverse that."""
    case = work.named(Case, identifier, "/case")
    ended = case.body.closing is not None or case.body.state in ENDED_CASES
    if ended and not (reopening and case.body.state is CaseState.REFUSED):
        work.refuse("case-ended")
    return case


def _suggestion(work: Work, asked: Deciding, case: str) -> Stored[Suggestion] | None:
    if asked.suggestion is None:
        return None
    found = work.named(Suggestion, asked.suggestion, "/suggestion")
    if found.body.case not in (None, case) or (
        asked.unit is not None and found.body.unit not in (None, asked.unit)
    ):
        work.wrong("/suggestion", "a suggestion for this case, or for this unit")
    return found


def propose(work: Work, asked: ProposeDecision) -> Stored[Decision]:
    """Propose a decision in a case, with grounds of one's own."""
    return _proposed(work, asked, asked.type, asked.case)


def reverse(work: Work, asked: ReverseDecision, target: Stored[Decision]) -> Stored[Decision]:
    """Propose a decision in place of one that was made; it takes effect when it is approved."""
    if target.body.state is not DecisionState.MADE:
        work.refuse("decision-not-made")
    return _proposed(work, asked, target.body.type, target.body.case, reverses=target)


def _proposed(
    work: Work, asked: Deciding, kind: DecisionType, case_id: str, reverses: Stored[Decision] | None = None
) -> Stored[Decision]:
    case = _case(work, case_id, reopening=reverses is not None and asked.unit is None)
    work.allow_with(case)
    if asked.outcome in _OF_PLACES and kind not in _PLACES:
        work.wrong("/outcome", "`granted` or `refused` for this type of decision")
    suggestion = _suggestion(work, asked, case.id)
    weighed: Weighed | None = work.prepared
    own = _own_words(asked.grounds, _sentences_of(work, weighed, suggestion, case.id))
    if len(_letters(asked.grounds)) < LEAST_GROUNDS:
        own_words = "grounds in the committee's own words, {least} letters or more"
        work.wrong("/grounds", own_words, least=LEAST_GROUNDS)
    _check_law(work, asked)
    _check_sitting(work, asked, kind, case)
    _check_crisis(work, asked, kind)
    unit = None if asked.unit is None else work.load(Unit, asked.unit)
    entry = None
    if unit is not None:
        entry = _check_unit(work, asked, case, unit, suggestion=suggestion, reverses=reverses)
    elif asked.replies:
        work.wrong("/replies", "none where no unit is given")
    law = DECISION_LAW[kind]
    refs = (*law.refs, *((REVERSAL.key,) if reverses else ()), *asked.law)
    return work.create(
        Decision(
            type=kind,
            case=case.id,
            outcome=asked.outcome,
            meeting=asked.meeting,
            unit=asked.unit,
            scheme=None if unit is None else unit.body.scheme,
            suggestion=asked.suggestion,
            entry=entry,
            grounds=asked.grounds,
            copied=len(own) < LEAST_GROUNDS,
            told_sha256=None if weighed is None else weighed.told_sha256,
            judged_sha256=None if weighed is None else weighed.judged_sha256,
            deviation=_deviation(asked, weighed),
            sealed_deviation=asked.sealed_deviation if weighed is not None and weighed.cleared else None,
            replies=asked.replies,
            dissents=asked.dissents,
            conditions=asked.conditions,
            agreement=asked.agreement,
            law=tuple(dict.fromkeys(refs)),
            appeal_body=law.body,
            appeal_weeks=law.weeks,
            stale_confirmed=asked.stale_confirmed,
            rests_on=() if weighed is None else weighed.exact.rests_on,
            crisis_until=asked.crisis_until,
            proposed_by=work.actor.account,
            proposed_on=work.today,
            reverses=None if reverses is None else reverses.id,
            housed_apart=asked.housed_apart,
        )
    )


def _check_law(work: Work, asked: Deciding) -> None:
    """Refuse what the table of laws does not have: references stand nowhere else (REQ-LAW-1)."""
    named = [(f"/law/{number}", key) for number, key in enumerate(asked.law)]
    named += [(f"/conditions/{i}/legal_basis", c.legal_basis) for i, c in enumerate(asked.conditions)]
    for place, key in named:
        try:
            law_ref(key, work.today)
        except KeyError:
            work.wrong(place, "the id of a legal reference that holds today")


def _check_sitting(work: Work, asked: Deciding, kind: DecisionType, case: Stored[Case]) -> None:
    """Refuse what must be decided in a meeting and is not, or by too few."""
    if asked.meeting is None:
        if kind not in _OUTSIDE_MEETINGS:
            work.refuse("meeting-needed")
        if asked.dissents:
            work.wrong("/dissents", "none outside a meeting")
        return
    meeting = work.named(Meeting, asked.meeting, "/meeting").body
    if meeting.state is not MeetingState.OPEN:
        work.refuse("meeting-not-open")
    if not any(item.case == case.id and not item.postponed for item in meeting.agenda):
        work.refuse("not-on-agenda")
    voters = meeting.voters(case.id)
    if len(voters) < meeting.quorum:
        work.refuse("no-quorum")
    for number, dissent in enumerate(asked.dissents):
        if dissent.by not in voters or not dissent.text.strip():
            work.wrong(f"/dissents/{number}", "a member who takes part in the case, and what they say")


def _check_crisis(work: Work, asked: Deciding, kind: DecisionType) -> None:
    """Refuse a crisis placement without an end (E-22), and an end where there is no crisis placement."""
    if (kind is DecisionType.TEMPORARY and asked.unit is not None) is (asked.crisis_until is None):
        work.wrong("/crisis_until", "the last day of a temporary placement, and only there")
    last = work.today + timedelta(days=CRISIS_DAYS)
    if asked.crisis_until is not None and not work.today <= asked.crisis_until <= last:
        work.wrong("/crisis_until", "a day from {first} to {last}", first=work.today, last=last)


def _check_unit(
    work: Work,
    asked: Deciding,
    case: Stored[Case],
    unit: Stored[Unit],
    *,
    suggestion: Stored[Suggestion] | None,
    reverses: Stored[Decision] | None,
) -> str | None:
    """Refuse a unit that cannot be given as it is proposed; return the hash of what was suggested of it."""
    crisis = asked.crisis_until is not None
    weighed: Weighed | None = work.prepared
    check_unallotted(work, case.id, crisis=crisis, reverses=None if reverses is None else reverses.id)
    if not crisis:
        if suggestion is None:
            work.refuse("suggestion-missing")
        if weighed is not None and weighed.then is None:
            work.wrong("/suggestion", "a suggestion that says something of this unit and this case")
        check_heard(work, case.id, unit)
    said = Said(asked.deviation, asked.sealed_deviation, asked.stale_confirmed)
    if shares_unit(work, case, unit.id):
        weighing.check_shared(work, weighed)
    else:
        weighing.check(work, weighed, said, crisis=crisis)
    check_replies(work, case.id, unit, asked.replies)
    if suggestion is None:
        return None
    stored = suggestions.entry(work, suggestion, case.id, unit.id)
    return None if stored is None else stored.sha256


def check_unallotted(work: Work, case: str, *, crisis: bool, reverses: str | None) -> None:
    """Refuse a second place of the same kind, beside the one of a decision that is to be reversed."""
    held = [decision for decision in decisions_in_force(work, case) if decision.id != reverses]
    if any((decision.body.type is DecisionType.TEMPORARY) is crisis for decision in held):
        work.refuse("already-allotted")


def shares_unit(work: Work, case: Stored[Case], unit: str) -> bool:
    """Return whether a partner's decision holds the unit for both (E-09)."""
    partner = partners_decision(work, case, unit)
    return partner is not None and partner.body.state is DecisionState.MADE and partner.body.shares is None


def _deviation(asked: Deciding, weighed: Weighed | None) -> Deviation | None:
    if asked.deviation is None or weighed is None:
        return None
    return Deviation(
        reason=asked.deviation, verdict=weighed.told["verdict"], rules=weighing.told_rules(weighed)
    )


# --------------------------------------------------------------------------------------- own grounds


def _sentences_of(
    work: Work, weighed: Weighed | None, suggestion: Stored[Suggestion] | None, case: str
) -> list[str]:
    """Return what the engine says in words: of the unit, or of all of them where none is given."""
    if weighed is not None:
        said = [text for entry in (weighed.exact.entry, weighed.then or {}) for text in _texts(entry)]
        return [*said, *weighed.in_words]
    if suggestion is None:
        return []
    return [text for entry in weighing.stored_entries(work, suggestion, case) for text in _texts(entry)]


def _texts(entry: Entry) -> Iterable[str]:
    yield str(entry.get("text", ""))
    for finding in entry.get("findings", ()):
        yield from (str(finding[key]) for key in ("text", "change") if finding.get(key))


def _own_words(grounds: str, engine: Iterable[str]) -> str:
    """Return the letters and digits of the sentences of the grounds that are not the engine's."""
    copied = {_letters(part) for text in engine for part in _sentences(text)}
    return "".join(_letters(part) for part in _sentences(grounds) if _letters(part) not in copied)


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"[.!?;:\n]+(?:\s|$)", text) if part.strip()]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


# ------------------------------------------------------------------------------------------ approving


def needs_two(decision: Decision) -> bool:
    """Return whether another person than its proposer must approve a decision."""
    return decision.type in FOUR_EYES or decision.unit is not None


def _weigh_approval(work: Work, _asked: ApproveDecision, target: Stored[Decision]) -> Weighed | None:
    """Ask the engine once more about the unit, on the facts as they are now."""
    _check_proposed(work, target)
    if target.body.unit is None:
        return None
    return weighing.weigh(work, _case(work, target.body.case).id, target.body.unit, None)


def _check_proposed(work: Work, decision: Stored[Decision]) -> None:
    if decision.body.state is not DecisionState.PROPOSED:
        work.refuse("decision-not-proposed")


def approve(work: Work, asked: ApproveDecision, decision: Stored[Decision]) -> Stored[Decision]:
    """Approve a proposed decision; with that it is made."""
    _check_proposed(work, decision)
    body = decision.body
    case = _case(work, body.case, reopening=body.reverses is not None)
    check_second(work, decision)
    changes: dict[str, Any] = {}
    if body.unit is not None:
        changes = _approve_unit(work, asked, decision, case)
    if body.reverses is not None:
        _undo(work, body.reverses)
    made = work.change(
        decision,
        state=DecisionState.MADE,
        made_on=work.today,
        second=None if body.proposed_by == work.actor.account else work.actor.account,
        **changes,
    )
    if body.crisis_until is not None:
        by = min(body.crisis_until, work.today + timedelta(days=CRISIS_REVIEW_DAYS))
        work.create(Review(what=ReviewKind.CRISIS, case=case.id, decision=made.id, by=by))
    _move_on(work, made.body, work.load(Case, case.id))
    return made


def check_second(work: Work, decision: Stored[Decision]) -> None:
    """Refuse to let who proposed a decision approve it where two must stand behind it."""
    if needs_two(decision.body) and decision.body.proposed_by == work.actor.account:
        work.refuse("second-person-needed")


def check_partner(work: Work, decision: Stored[Decision], case: Stored[Case]) -> None:
    """Refuse to part those who apply together by accident (E-09)."""
    body = decision.body
    assert body.unit is not None
    apart = partners_decision(work, case, body.unit) is None and not body.housed_apart
    if case.body.together_with is not None and apart:
        work.refuse("partner-undecided")


def _approve_unit(
    work: Work, asked: ApproveDecision, decision: Stored[Decision], case: Stored[Case]
) -> dict[str, Any]:
    """Check that the unit can still be given, write the answers to objections, and return what changes."""
    body, weighed = decision.body, work.prepared
    assert body.unit is not None
    unit = work.load(Unit, body.unit)
    partner = partners_decision(work, case, unit.id)
    check_partner(work, decision, case)
    said = Said(
        None if body.deviation is None else body.deviation.reason,
        asked.sealed_deviation or body.sealed_deviation,
        asked.stale_confirmed,
    )
    shared = shares_unit(work, case, unit.id)
    if shared:
        weighing.check_shared(work, weighed)
    else:
        assert body.told_sha256 is not None
        assert body.judged_sha256 is not None
        since = (body.told_sha256, body.judged_sha256)
        weighing.check(work, weighed, said, crisis=body.crisis_until is not None, since=since)
    check_answered(work, case.id, unit, (reply.veto for reply in body.replies))
    check_apart(work, case, unit)
    answer_vetoes(work, unit, decision)
    return {
        "shares": partner.id if partner is not None and shared else None,
        "sealed_deviation": said.sealed_deviation,
        "stale_confirmed": asked.stale_confirmed or body.stale_confirmed,
    }


def _undo(work: Work, identifier: str) -> None:
    """Let a decision be reversed, with the offer that rests on it; its unit is free again."""
    old = work.load(Decision, identifier)
    if old.body.state is not DecisionState.MADE:
        work.refuse("decision-not-made")
    undo(work, old)


def undo(work: Work, decision: Stored[Decision]) -> Stored[Decision]:
    """Note that a decision no longer holds, and withdraw the offer that rests on it."""
    undone = work.change(decision, state=DecisionState.REVERSED)
    hand_on(work, undone)
    rechecks.allotment_ended(work, undone)
    for offer in work.find(
        Offer, Link(Kind.DECISION, decision.id), states={OfferState.SENT, OfferState.SUSPENDED}
    ):
        work.change(offer, state=OfferState.WITHDRAWN)
    return undone


def _move_on(work: Work, decision: Decision, case: Stored[Case]) -> None:
    """Let the case stand where the decision leaves it."""
    if decision.outcome is DecisionOutcome.ALLOCATED:
        crisis = decision.crisis_until is not None
        work.change(case, state=CaseState.CRISIS if crisis else CaseState.DECIDED)
    elif decision.outcome is DecisionOutcome.REFUSED and decision.type in _ENDS_CASE:
        end_case(work, case, CaseState.REFUSED, decision.grounds)
    elif decision.outcome is DecisionOutcome.NO_SUITABLE_PLACE or decision.reverses is not None:
        back_to_list(work, case)
    else:
        back_from_meeting(work, case)


def back_to_list(work: Work, case: Stored[Case]) -> Stored[Case]:
    """Let a case wait on the list again, in the place it had (E-19); in a crisis it stays there."""
    sheltered = any(d.body.crisis_until is not None for d in decisions_in_force(work, case.id))
    state = CaseState.CRISIS if sheltered else CaseState.WAITING_LIST
    return work.change(case, state=state, listed_on=case.body.listed_on or work.today, closing=None)


# ------------------------------------------------------------------------------------------ afterwards


def drop(work: Work, _asked: DropDecision, decision: Stored[Decision]) -> Stored[Decision]:
    """Drop a proposed decision."""
    _check_proposed(work, decision)
    dropped = work.change(decision, state=DecisionState.DROPPED)
    back_from_meeting(work, work.load(Case, decision.body.case))
    return dropped


def confirm(work: Work, _asked: ConfirmDecision, decision: Stored[Decision]) -> Stored[Decision]:
    """Let a decision stand though facts it rests on have changed, after looking at it again."""
    if decision.body.state is not DecisionState.MADE:
        work.refuse("decision-not-made")
    if not decision.body.doubts:
        work.refuse("nothing-doubted")
    return work.change(decision, doubts=())


USES: tuple[UseCase[Any], ...] = (
    creates("decisions.propose", Decision, ProposeDecision, propose, _weigh_proposal),
    acts("decisions.approve", Decision, ApproveDecision, approve, _weigh_approval),
    acts("decisions.drop", Decision, DropDecision, drop),
    acts("decisions.reverse", Decision, ReverseDecision, reverse, _weigh_reversal),
    acts("decisions.confirm", Decision, ConfirmDecision, confirm),
)
