"""Suspending a decision: nobody is offered, accepts or moves into what it gives, for a time (E-08).

Whatever lies behind, a conflict that came to light or a leak in the roof, everybody reads the same words. Why
is for the cleared, and so is who did it and who ends it: otherwise a suspension that nobody has explained, or
that a colleague may not end, would tell of a conflict. It ends by itself, so that none is forgotten.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from allocator.casework.codes import DecisionState
from allocator.casework.committee import Because, Decision, Suspension
from allocator.casework.records import Stored
from allocator.model import Day, Text
from allocator.service.nobody import names_a_record
from allocator.service.uses import Command, UseCase, acts
from allocator.service.work import Work

LONGEST = timedelta(days=14)
"""How far ahead a suspension may last, so that the applicant does not wait unheeded.

Origin: local choice, after the two weeks within which a crisis placement is looked at again.
"""

Grounds = Annotated[Text, Field(min_length=20, description="Why; for the cleared. Names nobody.")]


class SuspendDecision(Command):
    """Until when, and why."""

    until: Day = Field(description="Last day of it.")
    grounds: Grounds


class ExtendSuspension(Command):
    """Until when now, and why."""

    until: Day = Field(description="Last day of it.")
    grounds: Grounds


class ResumeDecision(Command):
    """Why nothing stands in the way any more."""

    grounds: Grounds


def suspend(work: Work, asked: SuspendDecision, decision: Stored[Decision]) -> Stored[Decision]:
    """Suspend a decision, whatever the reason: no offer, acceptance or moving in until that is over."""
    body = decision.body
    if body.state is not DecisionState.MADE or body.unit is None or body.ended_on is not None:
        work.refuse("nothing-to-suspend")
    check(work, decision)
    _check_until(work, asked.until, work.today + timedelta(days=1))
    return work.change(
        decision,
        suspensions=(*body.suspensions, Suspension(since=work.today, until=asked.until)),
        suspended_because=_because(work, body, asked.grounds),
    )


def extend(work: Work, asked: ExtendSuspension, decision: Stored[Decision]) -> Stored[Decision]:
    """Let a suspension last longer."""
    *earlier, running = _running(work, decision)
    _check_until(work, asked.until, running.until + timedelta(days=1))
    return work.change(
        decision,
        suspensions=(*earlier, running.model_copy(update={"until": asked.until})),
        suspended_because=_because(work, decision.body, asked.grounds),
    )


def resume(work: Work, asked: ResumeDecision, decision: Stored[Decision]) -> Stored[Decision]:
    """End a suspension: what the decision gives can be offered, accepted and moved into again."""
    *earlier, running = _running(work, decision)
    return work.change(
        decision,
        suspensions=(*earlier, running.model_copy(update={"ended_on": work.today})),
        suspended_because=_because(work, decision.body, asked.grounds),
    )


def check(work: Work, decision: Stored[Decision]) -> None:
    """Refuse to go on with what a decision gives while it is suspended."""
    if decision.body.is_suspended(work.today):
        work.refuse("decision-suspended")


def _running(work: Work, decision: Stored[Decision]) -> tuple[Suspension, ...]:
    """Return the suspensions of a decision, of which the last one stands in the way today."""
    if not decision.body.is_suspended(work.today):
        work.refuse("decision-not-suspended")
    return decision.body.suspensions


def _check_until(work: Work, until: date, first: date) -> None:
    last = work.today + LONGEST
    if not first <= until <= last:
        work.wrong("/until", "a day from {first} to {last}", first=first, last=last)


def _because(work: Work, decision: Decision, grounds: str) -> tuple[Because, ...]:
    if names_a_record(work, grounds):
        work.refuse("grounds-name-a-record")
    return (*decision.suspended_because, Because(text=grounds, by=work.actor.account, on=work.today))


USES: tuple[UseCase[Any], ...] = (
    acts("decisions.suspend", Decision, SuspendDecision, suspend),
    acts("decisions.extend_suspension", Decision, ExtendSuspension, extend),
    acts("decisions.resume", Decision, ResumeDecision, resume),
)
