"""Meetings of the allocation committee: who is called, what is on the agenda, who may take part in what.

Whoever is disqualified from a case sees nothing of it from then on (REQ-FVL-7); that follows from the
meeting, wherever the case is looked at.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from allocator.access.authorizer import Circumstances
from allocator.casework.cases import Case
from allocator.casework.codes import (
    ENDED_CASES,
    CaseState,
    Clearance,
    DecisionState,
    DisqualificationGround,
    HearingState,
    MeetingState,
    Role,
)
from allocator.casework.committee import AgendaItem, Decision, Disqualification, Meeting, Suggestion
from allocator.casework.housing import Unit
from allocator.casework.offices import Account
from allocator.casework.records import AccountId, CaseId, Kind, Link, Stored, SuggestionId, UnitId
from allocator.casework.voice import Hearing
from allocator.model import Count, Day, Name, Text
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.work import Work

_COMMITTEE = frozenset(
    {Role.COMMITTEE_MEMBER, Role.COMMITTEE_LEADER, Role.COMMITTEE_SECRETARY, Role.PEER_MEMBER}
)
_VOTING = frozenset({Role.COMMITTEE_MEMBER, Role.COMMITTEE_LEADER})

_ON_THE_WAY = frozenset(
    {
        CaseState.ASSESSMENT,
        CaseState.ASSISTANCE_ASSESSED,
        CaseState.WAITING_LIST,
        CaseState.SUGGESTED,
        CaseState.HEARING,
    }
)
"""Where a case stands that comes to a meeting for the first time; others keep their state on an agenda."""


class CallMeeting(Command):
    """A meeting on a day, with whom."""

    on: Day
    place: Name | None = None
    members: frozenset[AccountId] = Field(min_length=1)
    chair: AccountId
    secretary: AccountId | None = None
    quorum: Count = Field(default=3, ge=2, description="How many members must be present.")
    restricted: bool = Field(default=False, description="For cases of kode-6 people; all are cleared.")


class Invite(Command):
    """One more member."""

    member: AccountId


class PutOnAgenda(Command):
    """A case, a unit, or both to decide on."""

    case: CaseId | None = None
    unit: UnitId | None = None
    suggestion: SuggestionId | None = None
    note: Text | None = None


class TakeOffAgenda(Command):
    """Which item, and why. In an open meeting it is put off and stays on record."""

    no: Count
    reason: Text = Field(min_length=1)


class OrderAgenda(Command):
    """Numbers of items as they stand, in the order to take them; what is not named stays in its place."""

    order: tuple[Count, ...] = Field(min_length=1)


class OpenMeeting(Command):
    """Who is present."""

    present: frozenset[AccountId]


class Disqualify(Command):
    """Who may not take part in which case, and why; without `account` the actor."""

    case: CaseId
    account: AccountId | None = None
    ground: DisqualificationGround
    substitute: AccountId | None = None


class WriteMinutes(Command):
    """What was discussed and weighed in the meeting."""

    minutes: Text = Field(min_length=20)


class CancelMeeting(Command):
    """Why it is not held."""

    reason: Text = Field(min_length=1)


# --------------------------------------------------------------------------------------------- calling


def call(work: Work, asked: CallMeeting) -> Stored[Meeting]:
    """Call a meeting of the committee."""
    work.allow(Circumstances(strict=asked.restricted))
    if asked.on < work.today:
        work.wrong("/on", "today or a later day")
    for member in sorted(asked.members):
        _check_role(work, member, _COMMITTEE, "/members")
    if asked.chair not in asked.members:
        work.wrong("/chair", "one of `members`")
    _check_role(work, asked.chair, _VOTING, "/chair")
    if asked.secretary is not None:
        _check_role(work, asked.secretary, frozenset({Role.COMMITTEE_SECRETARY}), "/secretary")
    if asked.quorum > len(asked.members):
        work.wrong("/quorum", "no more than there are `members`")
    if asked.restricted:
        for account in sorted({work.actor.account, asked.secretary or asked.chair, *asked.members}):
            _check_cleared(work, account)
    return work.create(Meeting(**{name: getattr(asked, name) for name in CallMeeting.model_fields}))


def invite(work: Work, asked: Invite, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Call one more member to a meeting."""
    _check_state(work, meeting, MeetingState.PLANNED, MeetingState.OPEN)
    _check_role(work, asked.member, _COMMITTEE, "/member")
    if meeting.body.restricted:
        _check_cleared(work, asked.member)
    return work.change(meeting, members=meeting.body.members | {asked.member})


def cancel(work: Work, _asked: CancelMeeting, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Cancel a meeting; its cases go back to where they stood."""
    _check_state(work, meeting, MeetingState.PLANNED)
    cancelled = work.change(meeting, state=MeetingState.CANCELLED)
    for item in meeting.body.agenda:
        _back(work, item.case)
    return cancelled


def _check_role(work: Work, account: str, roles: frozenset[Role], place: str) -> None:
    stored = work.get(Account, account)
    held = () if stored is None else stored.body.grants_on(work.today)
    if roles.isdisjoint(grant.role for grant in held):
        options = ", ".join(f"`{role}`" for role in sorted(roles))
        work.wrong(place, "accounts with one of the roles: {options}", options=options)


def _check_cleared(work: Work, account: str) -> None:
    stored = work.get(Account, account)
    if stored is None or Clearance.KODE_6 not in stored.body.cleared:
        work.refuse("meeting-not-cleared")


def _check_state(work: Work, meeting: Stored[Meeting], *states: MeetingState) -> None:
    if meeting.body.state not in states:
        work.refuse("meeting-not-open" if MeetingState.OPEN in states else "meeting-not-planned")


# --------------------------------------------------------------------------------------------- agenda


def put_on_agenda(work: Work, asked: PutOnAgenda, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Put a case, a unit or both on the agenda."""
    _check_state(work, meeting, MeetingState.PLANNED, MeetingState.OPEN)
    if asked.case is None and asked.unit is None:
        work.wrong("/case", "`case` or `unit`, or both")
    case = None if asked.case is None else work.named(Case, asked.case, "/case")
    if asked.unit is not None:
        work.named(Unit, asked.unit, "/unit")
    if asked.suggestion is not None:
        about = work.named(Suggestion, asked.suggestion, "/suggestion").body
        if (about.case or asked.case, about.unit or asked.unit) != (asked.case, asked.unit):
            work.wrong("/suggestion", "a suggestion for the case or the unit")
    if any((i.case, i.unit) == (asked.case, asked.unit) and not i.postponed for i in meeting.body.agenda):
        work.refuse("already-on-agenda")
    if case is not None:
        _check_ready(work, case, meeting)
    item = AgendaItem(
        no=max((item.no for item in meeting.body.agenda), default=0) + 1,
        case=asked.case,
        unit=asked.unit,
        suggestion=asked.suggestion,
        note=asked.note,
    )
    if case is not None and case.body.state in _ON_THE_WAY:
        work.change(case, state=CaseState.MEETING)
    return work.change(meeting, agenda=(*meeting.body.agenda, item))


def _check_ready(work: Work, case: Stored[Case], meeting: Stored[Meeting]) -> None:
    """Refuse a case that cannot be decided on: ended, not assessed, or with staff still to answer."""
    if case.body.person in work.strict and not meeting.body.restricted:
        work.refuse("restricted-meeting-needed")
    if case.body.state in ENDED_CASES - {CaseState.REFUSED}:  # a refusal may be decided on anew
        work.refuse("case-ended")
    if case.body.state is CaseState.RECEIVED:
        work.refuse("case-not-assessed")
    hearings = work.find(Hearing, Link(Kind.CASE, case.id), states={HearingState.OPEN})
    after = [h for h in hearings if h.body.deadline >= meeting.body.on and not h.body.after_the_fact]
    if after:
        work.refuse("hearing-not-over")


def take_off_agenda(work: Work, asked: TakeOffAgenda, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Take an item off the agenda, or put it off if the meeting has begun."""
    _check_state(work, meeting, MeetingState.PLANNED, MeetingState.OPEN)
    item = next((item for item in meeting.body.agenda if item.no == asked.no), None)
    if item is None or item.postponed:
        work.wrong("/no", "the number of an item on the agenda")
    if _decided(work, meeting, item):
        work.refuse("item-decided")
    if meeting.body.state is MeetingState.PLANNED:
        agenda = tuple(other for other in meeting.body.agenda if other.no != item.no)
    else:
        off = item.model_copy(update={"postponed": asked.reason})
        agenda = tuple(off if other.no == item.no else other for other in meeting.body.agenda)
    changed = work.change(meeting, agenda=agenda)
    _back(work, item.case)
    return changed


def order_agenda(work: Work, asked: OrderAgenda, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Take items of a planned meeting in another order; all are numbered anew."""
    _check_state(work, meeting, MeetingState.PLANNED)
    named = {item.no: item for item in meeting.body.agenda if item.no in asked.order}
    if len(asked.order) != len(named):
        work.wrong("/order", "numbers of items on the agenda, each once")
    ordered = iter(asked.order)
    items = [named[next(ordered)] if item.no in named else item for item in meeting.body.agenda]
    agenda = tuple(item.model_copy(update={"no": no}) for no, item in enumerate(items, start=1))
    return work.change(meeting, agenda=agenda)


def _back(work: Work, case: str | None) -> None:
    """Let a case stand where it stood before it came on an agenda, unless it is on another."""
    stored = work.get(Case, case)
    if stored is not None:
        back_from_meeting(work, stored)


def back_from_meeting(work: Work, case: Stored[Case]) -> Stored[Case]:
    """Let a case stand where it stood before the meeting, unless it waits on an agenda."""
    if case.body.state is not CaseState.MEETING or _waits(work, case.id):
        return case
    earlier = [version.body for version in work.tx.history(Kind.CASE, case.id)]
    states = [body.state for body in earlier if isinstance(body, Case) and body.state in _ON_THE_WAY]
    back = states[-1]
    if back is CaseState.HEARING and not work.find(
        Hearing, Link(Kind.CASE, case.id), states={HearingState.OPEN}
    ):
        back = CaseState.SUGGESTED  # its hearings were closed while it was on the agenda
    return work.change(case, state=back)


def _waits(work: Work, case: str) -> bool:
    meetings = work.find(Meeting, Link(Kind.CASE, case), states={MeetingState.PLANNED, MeetingState.OPEN})
    return any(
        item.case == case and not item.postponed and not _decided(work, meeting, item)
        for meeting in meetings
        for item in meeting.body.agenda
    )


def _decided(work: Work, meeting: Stored[Meeting], item: AgendaItem) -> bool:
    """Return whether the meeting has come to a decision on an item, even if it waits for approval."""
    found = work.find(Decision, Link(Kind.MEETING, meeting.id))
    return any(
        d.body.meeting == meeting.id
        and d.body.state is not DecisionState.DROPPED
        and (d.body.case == item.case if item.case is not None else d.body.unit == item.unit)
        for d in found
    )


# -------------------------------------------------------------------------------------------- holding


def open_meeting(work: Work, asked: OpenMeeting, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Open a meeting with those present, if they are enough for every case on the agenda."""
    _check_state(work, meeting, MeetingState.PLANNED)
    if meeting.body.on != work.today:
        work.refuse("meeting-not-today")
    if not asked.present <= meeting.body.members:
        work.wrong("/present", "some of the members who are called")
    if meeting.body.chair not in asked.present:
        work.refuse("chair-missing")
    opened = meeting.body.model_copy(update={"present": asked.present})
    if len(opened.present) < opened.quorum:
        work.refuse("no-quorum")
    for item in opened.agenda:
        if len(opened.voters(item.case)) < opened.quorum:
            work.refuse("no-quorum-for-item", no=str(item.no))
    return work.change(meeting, present=asked.present, state=MeetingState.OPEN)


def disqualify(work: Work, asked: Disqualify, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Declare that somebody may not take part in a case; from then on they do not see it."""
    _check_state(work, meeting, MeetingState.PLANNED, MeetingState.OPEN)
    account = asked.account or work.actor.account
    case = work.named(Case, asked.case, "/case")
    if case.id not in {item.case for item in meeting.body.agenda}:
        work.wrong("/case", "a case on the agenda")
    if account != work.actor.account and Role.COMMITTEE_LEADER not in work.actor.roles:
        work.refuse("leader-disqualifies")
    if account not in meeting.body.members | {meeting.body.secretary}:
        work.wrong("/account", "a member or the secretary of the meeting")
    barred = {d.account for d in meeting.body.disqualified if d.case == case.id} | {account}
    members, present = meeting.body.members, meeting.body.present
    if asked.substitute is not None:
        _check_role(work, asked.substitute, _COMMITTEE, "/substitute")
        if meeting.body.restricted:
            _check_cleared(work, asked.substitute)
        if asked.substitute in barred | members | case.body.barred:
            work.wrong("/substitute", "somebody who may take part and is not a member already")
        members |= {asked.substitute}
        present |= {asked.substitute} if meeting.body.state is MeetingState.OPEN else frozenset()
    entry = Disqualification(
        account=account,
        case=case.id,
        ground=asked.ground,
        decided_by=work.actor.account,
        on=work.today,
        substitute=asked.substitute,
    )
    earlier = tuple(
        d for d in meeting.body.disqualified if (d.account, d.case) != (entry.account, entry.case)
    )
    return work.change(meeting, members=members, present=present, disqualified=(*earlier, entry))


def write_minutes(work: Work, asked: WriteMinutes, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Write what was weighed in the meeting; the last version counts."""
    _check_state(work, meeting, MeetingState.OPEN)
    return work.change(meeting, minutes=asked.minutes)


def close(work: Work, _asked: Nothing, meeting: Stored[Meeting]) -> Stored[Meeting]:
    """Close a meeting when everything on the agenda is decided or put off, and the minutes are written."""
    _check_state(work, meeting, MeetingState.OPEN)
    for item in meeting.body.agenda:
        if not item.postponed and not _decided(work, meeting, item):
            work.refuse("item-open", no=str(item.no))
    if not meeting.body.minutes:
        work.refuse("minutes-missing")
    return work.change(meeting, state=MeetingState.CLOSED, closed_on=work.today)


USES: tuple[UseCase[Any], ...] = (
    creates("meetings.call", Meeting, CallMeeting, call),
    acts("meetings.invite", Meeting, Invite, invite),
    acts("meetings.put_on_agenda", Meeting, PutOnAgenda, put_on_agenda),
    acts("meetings.take_off_agenda", Meeting, TakeOffAgenda, take_off_agenda),
    acts("meetings.order_agenda", Meeting, OrderAgenda, order_agenda),
    acts("meetings.open", Meeting, OpenMeeting, open_meeting),
    acts("meetings.disqualify", Meeting, Disqualify, disqualify),
    acts("meetings.write_minutes", Meeting, WriteMinutes, write_minutes),
    acts("meetings.close", Meeting, Nothing, close),
    acts("meetings.cancel", Meeting, CancelMeeting, cancel),
)
