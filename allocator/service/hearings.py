"""Hearings (*høringer*): the staff of a scheme are asked before the committee meets (domain.md 3.1, step 8).

While one is open for their scheme, staff see the case; when it closes they lose sight of it (REQ-ROL-3).
When the last one of a case is closed the case is `suggested` again and ready for a meeting; `meeting` means
that it is on an agenda, and one that is stays there. One that is called back before anybody has answered
counts as no hearing (`Hearing.is_over`): a case without a suggestion is on the waiting list again, as before.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from allocator.casework.cases import Case
from allocator.casework.codes import CaseState, DecisionState, HearingState, StatementKind
from allocator.casework.committee import Decision, Suggestion
from allocator.casework.housing import Scheme, Unit
from allocator.casework.objections import STANDING
from allocator.casework.records import CaseId, Kind, Link, SchemeId, Stored, SuggestionId, UnitId
from allocator.casework.voice import Hearing, Statement, Veto
from allocator.codes import VetoStatus
from allocator.model import Day, Text
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.vetoes import Objection, object_to
from allocator.service.words import found_words
from allocator.service.work import Work

USUAL_DAYS = 7
"""How long staff have to answer. Origin: local choice; every shift of a weekly rota is at work once."""

LONGEST_DAYS = 60
"""How far ahead a deadline may be. Origin: local choice; an applicant who waits is owed an end to it."""

REMIND_DAYS = 2
"""How long before the deadline staff are reminded. Origin: local choice; one shift each way."""

_BEFORE_HEARING = frozenset({CaseState.WAITING_LIST, CaseState.SUGGESTED})
_HEARABLE = _BEFORE_HEARING | {CaseState.HEARING, CaseState.MEETING}


class SendHearing(Command):
    """The staff of one scheme are asked about a case."""

    case: CaseId
    scheme: SchemeId
    units: Annotated[tuple[UnitId, ...], Field(max_length=50)] = Field(
        default=(), description="The units of the scheme it is about; none means: any."
    )
    suggestion: SuggestionId | None = None
    deadline: Day | None = Field(default=None, description="The last day to answer; a usual one without it.")


class State(Command):
    """What one of the staff says."""

    kind: StatementKind
    text: Text | None = None
    objection: Objection | None = None


class Extend(Command):
    """A later deadline."""

    deadline: Day


class CloseHearing(Command):
    """The hearing is over."""

    reason: Text | None = Field(
        default=None, description="Needed to call it back before the deadline, while nobody has answered."
    )


def send(work: Work, asked: SendHearing) -> Stored[Hearing]:
    """Ask the staff of a scheme about a case."""
    case = work.named(Case, asked.case, "/case")
    work.allow_with(case)
    after_the_fact = _is_crisis(work, case)
    if not after_the_fact and case.body.state not in _HEARABLE:
        work.refuse("hearing-not-now")
    scheme = work.named(Scheme, asked.scheme, "/scheme")
    for number, unit in enumerate(asked.units):
        if work.named(Unit, unit, f"/units/{number}").body.scheme != scheme.id:
            work.wrong(f"/units/{number}", "a unit of the scheme")
    _check_suggestion(work, asked)
    if any(
        (h.body.scheme, h.body.after_the_fact) == (scheme.id, after_the_fact) for h in _open(work, case.id)
    ):
        work.refuse("hearing-open")
    hearing = work.create(
        Hearing(
            case=case.id,
            suggestion=asked.suggestion,
            scheme=scheme.id,
            units=tuple(dict.fromkeys(asked.units)),
            sent_on=work.today,
            deadline=_deadline(work, asked.deadline, work.today),
            after_the_fact=after_the_fact,
        )
    )
    if case.body.state in _BEFORE_HEARING:
        work.change(case, state=CaseState.HEARING)
    return hearing


def state(work: Work, asked: State, hearing: Stored[Hearing]) -> Stored[Hearing]:
    """Answer in a hearing: no objection, a comment, or an objection.

    One may answer again while it is open. The last answer counts: an objection that the same person raised in
    an earlier one, and that nobody has answered, is withdrawn by it.
    """
    _check_open(work, hearing)
    objects = asked.kind is StatementKind.OBJECTION
    if objects is (asked.objection is None):
        work.wrong("/objection", "an objection where `kind` is `objection`, and only there")
    if asked.kind is StatementKind.COMMENT and not (asked.text or "").strip():
        work.wrong("/text", "the comment")
    for veto in work.find(Veto, Link(Kind.HEARING, hearing.id), states=STANDING):
        if veto.body.author == work.actor.account and veto.body.answered is None:
            work.change(veto, entry=veto.body.entry.model_copy(update={"status": VetoStatus.WITHDRAWN}))
    raised = None
    if asked.objection is not None:
        case, scheme = work.load(Case, hearing.body.case), work.load(Scheme, hearing.body.scheme)
        raised = object_to(work, asked.objection, case, scheme, hearing=hearing, at="/objection").id
    said = Statement(kind=asked.kind, text=asked.text, by=work.actor.account, on=work.today, veto=raised)
    statements = (*hearing.body.statements, said)
    return work.change(
        hearing,
        statements=statements,
        words=found_words(*(statement.text for statement in statements)),
    )


def remind(work: Work, _asked: Nothing, hearing: Stored[Hearing]) -> Stored[Hearing]:
    """Remind the staff of a hearing; once a day, however often it is asked for."""
    _check_open(work, hearing)
    if work.today in hearing.body.reminded_on:
        return hearing
    return work.change(hearing, reminded_on=(*hearing.body.reminded_on, work.today))


def extend(work: Work, asked: Extend, hearing: Stored[Hearing]) -> Stored[Hearing]:
    """Give the staff of a scheme more time."""
    _check_open(work, hearing)
    return work.change(hearing, deadline=_deadline(work, asked.deadline, hearing.body.deadline))


def close(work: Work, asked: CloseHearing, hearing: Stored[Hearing]) -> Stored[Hearing]:
    """Close a hearing; its staff no longer see the case."""
    _check_open(work, hearing)
    early = not hearing.body.statements and work.today <= hearing.body.deadline
    if early and not (asked.reason or "").strip():
        work.refuse("hearing-unanswered", deadline=hearing.body.deadline.isoformat())
    closed = work.change(hearing, state=HearingState.CLOSED, closed_on=work.today)
    case = work.load(Case, hearing.body.case)
    if case.body.state is CaseState.HEARING and not _open(work, case.id):
        work.change(case, state=_state_after(work, closed))
    return closed


def reminders_due(work: Work) -> tuple[Stored[Hearing], ...]:
    """Return the open hearings that staff should be reminded of: once before the deadline, once after it."""
    ahead = work.today + timedelta(days=REMIND_DAYS)
    return tuple(
        hearing
        for hearing in work.find(Hearing, states={HearingState.OPEN}, due_by=ahead)
        if not any(_still_counts(day, hearing.body.deadline, work.today) for day in hearing.body.reminded_on)
    )


def _still_counts(reminded: date, deadline: date, today: date) -> bool:
    """Return whether a reminder was for this side of the deadline, wherever the deadline was then."""
    if today > deadline:
        return reminded > deadline
    return reminded >= deadline - timedelta(days=REMIND_DAYS)


# --------------------------------------------------------------------------------------------- checks


def _is_crisis(work: Work, case: Stored[Case]) -> bool:
    """Return whether somebody was placed in a crisis, so that staff are heard after the fact (E-22)."""
    if case.body.state is CaseState.CRISIS:
        return True
    made = work.find(Decision, Link(Kind.CASE, case.id), states={DecisionState.MADE})
    return case.body.state not in _HEARABLE and any(d.body.crisis_until is not None for d in made)


def _open(work: Work, case: str) -> list[Stored[Hearing]]:
    return list(work.find(Hearing, Link(Kind.CASE, case), states={HearingState.OPEN}))


def _check_open(work: Work, hearing: Stored[Hearing]) -> None:
    if hearing.body.state is not HearingState.OPEN:
        work.refuse("hearing-closed")


def _check_suggestion(work: Work, asked: SendHearing) -> None:
    if asked.suggestion is None:
        return
    suggestion = work.named(Suggestion, asked.suggestion, "/suggestion").body
    if suggestion.case != asked.case and suggestion.unit not in asked.units:
        work.wrong("/suggestion", "a suggestion for the case or for one of the units")


def _deadline(work: Work, asked: date | None, after: date) -> date:
    if asked is None:
        return work.today + timedelta(days=USUAL_DAYS)
    first = max(after, work.today) + timedelta(days=1)
    last = work.today + timedelta(days=LONGEST_DAYS)
    if not first <= asked <= last:
        work.wrong("/deadline", "a day from {first} to {last}", first=first, last=last)
    return asked


def _state_after(work: Work, closed: Stored[Hearing]) -> CaseState:
    """Return where a case goes when its last open hearing is closed."""
    if closed.body.is_over(work.today) or work.find(Suggestion, Link(Kind.CASE, closed.body.case)):
        return CaseState.SUGGESTED
    return CaseState.WAITING_LIST


USES: tuple[UseCase[Any], ...] = (
    creates("hearings.send", Hearing, SendHearing, send),
    acts("hearings.state", Hearing, State, state),
    acts("hearings.remind", Hearing, Nothing, remind),
    acts("hearings.extend", Hearing, Extend, extend),
    acts("hearings.close", Hearing, CloseHearing, close),
)
