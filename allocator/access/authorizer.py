"""The authorizer: one decision for every look and every change. What the table does not allow is denied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from allocator.access.table import Access, Report, SuggestionReader, Where
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.offices import Account, Grant
from allocator.casework.records import Kind
from allocator.disclosure import Reader


@dataclass(frozen=True)
class Actor:
    """Who asks, with the roles held that day.

    Attributes:
        account: Id of the account.
        grants: Roles held.
        cleared: What the person is cleared for.
        purpose: Why they look, if they said so.
    """

    account: str
    grants: tuple[Grant, ...] = ()
    cleared: frozenset[Clearance] = frozenset()
    purpose: Purpose | None = None

    @classmethod
    def of(
        cls,
        identifier: str,
        account: Account,
        day: date,
        purpose: Purpose | None = None,
        now: datetime | None = None,
    ) -> Actor:
        """Return who an account is on a day. One that is disabled holds no roles.

        Access taken in a crisis counts only while that is the stated purpose, so that every use of it shows.
        """
        cleared = frozenset() if account.disabled else account.cleared
        grants = account.grants_on(day)
        if purpose is Purpose.CRISIS and now is not None and account.in_crisis(now):
            grants = (*grants, Grant(role=Role.CASEWORKER, since=day))
        return cls(identifier, grants, cleared, purpose)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles held."""
        return frozenset(grant.role for grant in self.grants)


@dataclass(frozen=True)
class Circumstances:
    """What a record is about, as far as access depends on it.

    Attributes:
        schemes: Schemes it belongs to.
        heard_by: Schemes that are being heard just now about the case it belongs to.
        appealed: The case it belongs to has an open appeal.
        author: The account that made it.
        strict: It is about somebody who is kode 6.
        barred: Accounts that may not see the case it belongs to.
    """

    schemes: frozenset[str] = frozenset()
    heard_by: frozenset[str] = frozenset()
    appealed: bool = False
    author: str | None = None
    strict: bool = False
    barred: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sight:
    """What somebody sees of a record.

    Attributes:
        groups: Groups of its fields; None if the record is not there for them at all.
    """

    groups: frozenset[str] | None = field(default=None)

    @property
    def visible(self) -> bool:
        """Whether they may know that it is there."""
        return self.groups is not None


HIDDEN = Sight(None)


def shut_out(actor: Actor, about: Circumstances) -> bool:
    """Return whether *actor* may not even know of a record, whatever their roles."""
    if about.strict and Clearance.KODE_6 not in actor.cleared:
        return True
    return actor.account in about.barred


def _applies(actor: Actor, grant: Grant, where: Where, about: Circumstances) -> bool:
    match where:
        case Where.ALL:
            return True
        case Where.SCHEME:
            return bool(grant.schemes & about.schemes)
        case Where.HEARD:
            return bool(grant.schemes & about.heard_by)
        case Where.APPEALED:
            return about.appealed
        case Where.OWN:
            return about.author == actor.account


def _lines(access: Access, actor: Actor, kind: Kind, about: Circumstances) -> Iterator[frozenset[str]]:
    for grant in actor.grants:
        for read in access.roles[grant.role].reads:
            if (
                read.kind is kind
                and read.cleared <= actor.cleared
                and (not read.purposes or actor.purpose in read.purposes)
                and _applies(actor, grant, read.where, about)
            ):
                yield read.groups


def sees(access: Access, actor: Actor, kind: Kind, about: Circumstances) -> Sight:
    """Return what *actor* sees of a record of a kind."""
    if shut_out(actor, about):
        return HIDDEN
    lines = list(_lines(access, actor, kind, about))
    if not lines:
        return HIDDEN
    groups = frozenset().union(*lines)
    return Sight(groups if actor.purpose is not None else groups - access.purpose_needed)


def may(access: Access, actor: Actor, use: str, about: Circumstances) -> bool:
    """Return whether *actor* may do something with a record."""
    if shut_out(actor, about):
        return False
    return any(
        use in line.uses and line.cleared <= actor.cleared and _applies(actor, grant, line.where, about)
        for grant in actor.grants
        for line in access.roles[grant.role].does
    )


def may_ever(access: Access, actor: Actor, use: str) -> bool:
    """Return whether any of *actor*'s roles may do something with some record."""
    return any(
        use in line.uses and line.cleared <= actor.cleared
        for grant in actor.grants
        for line in access.roles[grant.role].does
    )


def sees_log(access: Access, actor: Actor) -> bool:
    """Return whether *actor* may read the log."""
    return any(access.roles[grant.role].sees_log for grant in actor.grants)


def imports(access: Access, actor: Actor) -> bool:
    """Return whether *actor* may bring in a municipality's records.

    It reaches every record, so it needs the clearance for kode 6 too.
    """
    held = any(access.roles[grant.role].imports for grant in actor.grants)
    return held and Clearance.KODE_6 in actor.cleared


def exports(access: Access, actor: Actor) -> bool:
    """Return whether *actor* may take out all at once what they see."""
    return any(access.roles[grant.role].exports for grant in actor.grants)


def gives_extracts(access: Access, actor: Actor) -> bool:
    """Return whether *actor* gives people what is held about them, and does it now."""
    held = any(access.roles[grant.role].gives_extracts for grant in actor.grants)
    return held and actor.purpose is Purpose.SUBJECT_ACCESS


def may_report(access: Access, actor: Actor, report: Report) -> frozenset[str] | None:
    """Return the schemes that *actor* may read a report about: none, some, or None for all of them."""
    held = [grant for grant in actor.grants if report in access.roles[grant.role].reports]
    if any(not access.roles[grant.role].of_scheme for grant in held):
        return None
    return frozenset().union(*(grant.schemes for grant in held))


def reader(access: Access, actor: Actor) -> Reader | None:
    """Return as whom *actor* reads suggestions; None if not at all."""
    readers = {access.roles[grant.role].reader for grant in actor.grants} - {None}
    if SuggestionReader.MEMBER in readers:
        return Reader.COMMITTEE if Clearance.CONFLICTS in actor.cleared else Reader.MEMBER
    return Reader.STAFF if readers else None
