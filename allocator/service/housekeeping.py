"""What happens because time has passed: reminders, facts that expire, reservations that run out.

Nobody asks for it, so nobody's rights are asked after: it is done by an account of its own that has no role
and cannot log in. Each step is one transaction with its log entries; one that fails does not keep the others
back, and all of them may be done again at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from allocator.access.authorizer import Actor
from allocator.casework.codes import DecisionState
from allocator.casework.committee import Decision
from allocator.casework.housing import UnitReservation
from allocator.casework.offices import Account
from allocator.ports import Logged, StorageError
from allocator.service import clarifications, hearings, relations
from allocator.service.desk import Desk
from allocator.service.endings import end_allotment
from allocator.service.errors import ServiceError
from allocator.service.housing import release_now
from allocator.service.uses import Nothing
from allocator.service.work import Work

SYSTEM = "system"
"""The account that housekeeping is done by."""

REPLIES_KEPT = timedelta(days=30)
"""So long a request may be sent again with its idempotency key."""

_log = structlog.get_logger("allocator.housekeeping")


@dataclass(frozen=True)
class Swept:
    """What was done.

    Attributes:
        done: How much each step did.
        failed: The steps that could not be done, and by which error.
    """

    done: Mapping[str, int]
    failed: Mapping[str, str]


def housekeep(desk: Desk) -> Swept:
    """Do everything that is due. To be called every hour or so."""
    done: dict[str, int] = {}
    failed: dict[str, str] = {}
    for name, step in _STEPS.items():
        try:
            done[name] = _take(desk, name, step)
        except (ServiceError, StorageError) as error:
            failed[name] = type(error).__name__
    _log.info("housekeeping", **done, failed=sorted(failed))
    return Swept(done, failed)


def _take(desk: Desk, name: str, step: Callable[[Work], int]) -> int:
    with desk.storage.write() as tx:
        moment, today = desk.clock.now(), desk.clock.today()
        work = Work(tx, desk.access, Actor(SYSTEM), moment, today, f"housekeeping.{name}")
        count = step(work)
        tx.append(work.notes, facts=work.facts_changed)
    return count


# -------------------------------------------------------------------------------------------------- steps


def _account(work: Work) -> int:
    """Make the account, so that whoever reads the log finds who "system" is."""
    if work.get(Account, SYSTEM) is not None:
        return 0
    work.create(Account(login=SYSTEM, name="System", disabled=True), SYSTEM)
    return 1


def _remind(work: Work) -> int:
    """Remind staff of hearings that end soon or should have ended."""
    due = hearings.reminders_due(work)
    for hearing in due:
        hearings.remind(work, Nothing(), hearing)
    return len(due)


def _expire(work: Work) -> int:
    """Ask again about facts that have expired, and doubt the decisions that rested on them."""
    return len(clarifications.expired(work))


def _lapse(work: Work) -> int:
    """Let conflict entries run out that nobody has confirmed again in time."""
    return len(relations.lapse(work))


def _release(work: Work) -> int:
    """Let go of units that were held back until a day that has passed."""
    yesterday = work.today - timedelta(days=1)
    over = work.find(UnitReservation, states={"open"}, due_by=yesterday)
    for reservation in over:
        release_now(work, reservation)
        clarifications.settle(work, reservation.body.unit)
    return len(over)


def _end_crises(work: Work) -> int:
    """Let go of units given in a crisis until a day that has passed, into which nobody has moved."""
    yesterday = work.today - timedelta(days=1)
    made = work.find(Decision, states={DecisionState.MADE}, due_by=yesterday)
    over = [
        decision
        for decision in made
        if decision.body.ended_on is None
        and decision.body.crisis_until is not None  # a suspension is due too, and ends nothing
        and decision.body.crisis_until <= yesterday
    ]
    for decision in over:
        end_allotment(work, decision)
        clarifications.settle(work, str(decision.body.unit))
    return len(over)


def _forget(work: Work) -> int:
    """Forget logins that have ended and answers that nobody will ask for again."""
    work.tx.logins.drop_ended(work.now)
    replies = work.tx.forget_replies(work.now - REPLIES_KEPT)
    if replies:
        entry = {"at": work.now.isoformat(), "by": SYSTEM, "use": work.use, "outcome": "forgotten"}
        work.notes.append(Logged({**entry, "replies": replies}))
    return replies


_STEPS: Mapping[str, Callable[[Work], int]] = {
    "account": _account,
    "remind": _remind,
    "release": _release,
    "end_crises": _end_crises,
    "expire": _expire,
    "lapse": _lapse,
    "forget": _forget,
}
