"""Accounts: who can log in, the roles they hold and what they are cleared for, and access taken in a crisis.

Nobody changes what they themselves may do. What an account logs in with is in :mod:`allocator.service.login`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from allocator.access.authorizer import Circumstances
from allocator.casework.codes import Clearance, ReviewKind, Role
from allocator.casework.committee import Review
from allocator.casework.housing import Scheme
from allocator.casework.offices import Account, BreakGlass, Grant, LoginName
from allocator.casework.records import Stored
from allocator.model import Day, Id, Name, Text
from allocator.service.uses import Command, UseCase, acts, creates
from allocator.service.work import Work

LONGEST_CRISIS = 8
"""So many hours at most can somebody take access in a crisis; then they must say why again."""

Reason = Annotated[Text, Field(min_length=1)]


class OpenAccount(Command):
    """Somebody who is to log in. They can do nothing before they are granted a role."""

    login: LoginName
    name: Name


class GrantRole(Command):
    """A role, for which schemes if it is held for schemes, and until when."""

    role: Role
    schemes: frozenset[Id] = frozenset()
    since: Day | None = Field(default=None, description="Missing means: from today.")
    until: Day | None = Field(default=None, description="Last day; missing means: until it is taken back.")


class TakeBackRole(Command):
    """A role that is no longer held."""

    role: Role
    reason: Reason


class Clear(Command):
    """What the person is cleared for; what is not named they are no longer cleared for."""

    cleared: frozenset[Clearance]
    reason: Reason


class Reasoned(Command):
    """Why."""

    reason: Reason


class BreakTheGlass(Command):
    """Why access is needed at once, and for how many hours."""

    reason: Annotated[Text, Field(min_length=10)]
    hours: Annotated[int, Field(ge=1, le=LONGEST_CRISIS)]


def open_account(work: Work, asked: OpenAccount) -> Stored[Account]:
    """Open an account for somebody."""
    work.allow(Circumstances())
    return work.create(Account(login=asked.login, name=asked.name))


def grant(work: Work, asked: GrantRole, account: Stored[Account]) -> Stored[Account]:
    """Grant an account a role."""
    _of_somebody_else(work, account)
    if bool(asked.schemes) is not work.access.roles[asked.role].of_scheme:
        work.wrong("/schemes", "the schemes it is held for, if it is a role of certain schemes; else none")
    for scheme in sorted(asked.schemes):
        work.named(Scheme, scheme, "/schemes")
    since = asked.since or work.today
    if asked.until is not None and asked.until < since:
        work.wrong("/until", "a day on or after `since`")
    granted = Grant(role=asked.role, schemes=asked.schemes, since=since, until=asked.until)
    return work.change(account, grants=(*account.body.grants, granted))


def take_back(work: Work, asked: TakeBackRole, account: Stored[Account]) -> Stored[Account]:
    """Take a role back, at once."""
    _of_somebody_else(work, account)
    kept = tuple(grant for grant in account.body.grants if grant.role is not asked.role)
    return work.change(account, grants=kept)


def clear(work: Work, asked: Clear, account: Stored[Account]) -> Stored[Account]:
    """Say what somebody is cleared for beside their roles."""
    _of_somebody_else(work, account)
    return work.change(account, cleared=asked.cleared)


def disable(work: Work, _asked: Reasoned, account: Stored[Account]) -> Stored[Account]:
    """Disable an account; whoever is logged in with it no longer is."""
    _of_somebody_else(work, account)
    work.tx.logins.end_all(account.id)
    return work.change(account, disabled=True, crisis=None)


def enable(work: Work, _asked: Reasoned, account: Stored[Account]) -> Stored[Account]:
    """Let an account be used again."""
    _of_somebody_else(work, account)
    return work.change(account, disabled=False)


def break_glass(work: Work, asked: BreakTheGlass, account: Stored[Account]) -> Stored[Account]:
    """Take the access of a caseworker in a crisis, for some hours; it is looked at the next day."""
    if account.body.in_crisis(work.now):
        work.refuse("crisis-access-runs")
    until = work.now + timedelta(hours=asked.hours)
    work.create(Review(what=ReviewKind.BREAK_GLASS, account=account.id, by=work.today + timedelta(days=1)))
    return work.change(account, crisis=BreakGlass(since=work.now, until=until, reason=asked.reason))


def _of_somebody_else(work: Work, account: Stored[Account]) -> None:
    if account.id == work.actor.account:
        work.refuse("own-account")


USES: tuple[UseCase[Any], ...] = (
    creates("accounts.open", Account, OpenAccount, open_account),
    acts("accounts.grant", Account, GrantRole, grant),
    acts("accounts.take_back", Account, TakeBackRole, take_back),
    acts("accounts.clear", Account, Clear, clear),
    acts("accounts.disable", Account, Reasoned, disable),
    acts("accounts.enable", Account, Reasoned, enable),
    acts("accounts.break_glass", Account, BreakTheGlass, break_glass),
)
