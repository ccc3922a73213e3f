"""Conflicts and restraining orders: what keeps people apart. For cleared roles, but anybody may report.

An entry is somebody's word until a second source has confirmed it, and nothing here lasts for ever: one that
nobody has confirmed again in time has run out; it warns still, but bars nobody (REQ-PVN-3). A person is only
ever in conflict with another; of one who is in no register here nothing but their role is kept (E-06).

Each use case says what the entry will be. The rules are asked what that bars of what has been decided for
those it is about, and it is saved (:mod:`allocator.service.rechecks`, E-08).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeAlias, TypeVar

from pydantic import Field, ValidationError

from allocator.casework.cases import Closing
from allocator.casework.codes import PartyRole
from allocator.casework.days import months_after
from allocator.casework.housing import Scheme
from allocator.casework.people import Person
from allocator.casework.records import Stored
from allocator.casework.relations import Confirmation, Conflict, Order
from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
    FactSource,
    OrderKind,
)
from allocator.documents import faults
from allocator.model import Conflict as ConflictEntry
from allocator.model import Day, Id, Name, Text
from allocator.model import Order as OrderEntry
from allocator.service import rechecks
from allocator.service.errors import RefusalError
from allocator.service.people import standing
from allocator.service.rechecks import Asked
from allocator.service.uses import Command, UseCase, acts, creates
from allocator.service.work import Work

T = TypeVar("T")
E = TypeVar("E", Conflict, Order)
C = TypeVar("C", bound=Command)

Changes: TypeAlias = Mapping[str, Any]
"""The fields of an entry that change."""

_NEW = "new"
"""What an entry is called while it is only supposed to be there."""

REVIEW_OF_REPORT = 3
"""Months until a report that nobody has confirmed is looked at again; a local choice."""

REVIEW_OF_ENTRY = 12
"""Months until a confirmed entry must be confirmed again, at most; a local choice."""

# ------------------------------------------------------------------------------------------- commands


class ReportConflict(Command):
    """Somebody has heard or seen that two must be kept apart. It warns, and bars nobody (E-04)."""

    party: Id
    counterpart: Id | None = Field(default=None, description="Missing for a visitor or next of kin.")
    counterpart_role: CounterpartRole = CounterpartRole.RESIDENT
    frequents: frozenset[Id] = Field(default=frozenset(), max_length=50)
    kind: ConflictKind
    reach: ConflictReach = ConflictReach.SCHEME
    source: FactSource
    party_was: PartyRole = PartyRole.UNKNOWN
    counterpart_was: PartyRole = PartyRole.UNKNOWN
    explanation: Text = Field(min_length=1)


class RecordConflict(ReportConflict):
    """What the conflict officer knows of a conflict."""

    direction: ConflictDirection = ConflictDirection.ONE_SIDED
    confirmed: bool = Field(default=False, description="A second source has confirmed it.")
    recorded_on: Day | None = Field(default=None, description="Missing means: today.")
    review_by: Day | None = None


class ConfirmConflict(Command):
    """Another source says the same, or that it still is so."""

    source: FactSource
    text: Text = Field(min_length=1)
    direction: ConflictDirection | None = Field(default=None, description="If more is known of it now.")
    reach: ConflictReach | None = None
    review_by: Day | None = None


class Reason(Command):
    """Why."""

    reason: Text = Field(min_length=1)


class RecordOrder(Command):
    """A restraining order, as it is told."""

    kind: OrderKind
    bound: Id
    protected: Id | None = None
    forbidden_schemes: frozenset[Id] = Field(default=frozenset(), max_length=50)
    valid_from: Day
    valid_until: Day
    reference: Name | None = None
    issuer: Name | None = None


class VerifyOrder(Command):
    """Somebody has seen the order itself."""

    reference: Name | None = Field(default=None, description="Missing means: as it was recorded.")
    issuer: Name | None = None


class ExtendOrder(Command):
    """The order has been extended; whoever writes it down has seen that."""

    valid_until: Day
    reference: Name | None = None


# ------------------------------------------------------------------------------------------ conflicts


def report(work: Work, asked: ReportConflict, identifier: str) -> Conflict:
    """Report a conflict that one has heard of or seen; afterwards one sees one's own reports only."""
    return _conflict(
        work,
        asked,
        identifier,
        direction=ConflictDirection.ONE_SIDED,
        confirmed=False,
        recorded_on=work.today,
        review_by=months_after(work.today, REVIEW_OF_REPORT),
    )


def record_conflict(work: Work, asked: RecordConflict, identifier: str) -> Conflict:
    """Record a conflict between two persons, or with a visitor."""
    recorded = asked.recorded_on or work.today
    if recorded > work.today:
        work.wrong("/recorded_on", "today or an earlier day")
    return _conflict(
        work,
        asked,
        identifier,
        direction=asked.direction,
        confirmed=asked.confirmed,
        recorded_on=recorded,
        review_by=_review_by(work, asked.review_by, confirmed=asked.confirmed),
    )


def _conflict(
    work: Work,
    asked: ReportConflict,
    identifier: str,
    *,
    direction: ConflictDirection,
    confirmed: bool,
    recorded_on: date,
    review_by: date,
) -> Conflict:
    party = _person(work, asked.party, "/party")
    work.allow_with(party)
    counterpart = None if asked.counterpart is None else _person(work, asked.counterpart, "/counterpart")
    _check_schemes(work, asked.frequents, "/frequents")
    entry = _sound(
        lambda: ConflictEntry(
            id=identifier,
            party=party.id,
            counterpart=None if counterpart is None else counterpart.id,
            counterpart_role=asked.counterpart_role,
            frequents=asked.frequents,
            kind=asked.kind,
            direction=direction,
            status=ConflictStatus.ACTIVE,
            confirmed=confirmed,
            source=asked.source,
            recorded_on=recorded_on,
            reach=asked.reach,
        )
    )
    return Conflict(
        entry=entry,
        party_role=asked.party_was,
        counterpart_role=asked.counterpart_was,
        explanation=asked.explanation,
        author=work.actor.account,
        review_by=review_by,
    )


def confirm(work: Work, asked: ConfirmConflict, conflict: Stored[Conflict]) -> Changes:
    """Confirm a conflict from a second source, or anew; it holds until it is to be looked at again."""
    _check_live(work, conflict)
    entry, author = conflict.body.entry, conflict.body.author
    if not entry.confirmed and asked.source is entry.source and author == work.actor.account:
        work.refuse("conflict-needs-second-source")
    said = Confirmation(source=asked.source, text=asked.text, by=work.actor.account, on=work.today)
    return {
        **_entry(
            conflict,
            status=ConflictStatus.ACTIVE,
            confirmed=True,
            last_confirmed=work.today,
            direction=asked.direction or entry.direction,
            reach=asked.reach or entry.reach,
        ),
        "review_by": _review_by(work, asked.review_by, confirmed=True),
        "confirmations": (*conflict.body.confirmations, said),
    }


def dispute(work: Work, _asked: Reason, conflict: Stored[Conflict]) -> Changes:
    """Write down that somebody says the entry is wrong; it bars nobody until that is found out (E-05)."""
    _check_live(work, conflict)
    if conflict.body.entry.status is ConflictStatus.DISPUTED:
        work.refuse("conflict-disputed")
    soon = min(conflict.body.review_by, months_after(work.today, REVIEW_OF_REPORT))
    return {**_entry(conflict, status=ConflictStatus.DISPUTED), "review_by": max(soon, work.today)}


def refute(work: Work, _asked: Reason, conflict: Stored[Conflict]) -> Changes:
    """Write down that the entry has been found to be wrong; it is kept, and no rule reads it (E-05)."""
    _check_live(work, conflict)
    return _entry(conflict, status=ConflictStatus.REFUTED)


def close_conflict(work: Work, asked: Reason, conflict: Stored[Conflict]) -> Changes:
    """Close an entry that is over."""
    _check_open(work, conflict)
    return {"closing": Closing(on=work.today, reason=asked.reason)}


def reopen(work: Work, _asked: Reason, conflict: Stored[Conflict]) -> Changes:
    """Open an entry again that was closed or refuted; what was refuted must be confirmed anew."""
    entry = conflict.body.entry
    refuted = entry.status is ConflictStatus.REFUTED
    if conflict.body.closing is None and not refuted:
        work.refuse("conflict-open")
    return {
        **_entry(conflict, status=ConflictStatus.ACTIVE, confirmed=entry.confirmed and not refuted),
        "closing": None,
        "review_by": months_after(work.today, REVIEW_OF_REPORT),
    }


def lapse(work: Work) -> list[Stored[Conflict]]:
    """Let entries run out that nobody has confirmed in time; they warn still, and bar nobody.

    The daily round. An entry stays on the list of what is late until somebody has looked at it.
    """
    late = work.find(Conflict, states={ConflictStatus.ACTIVE}, due_by=work.today - timedelta(days=1))
    return [work.change(conflict, **_entry(conflict, status=ConflictStatus.EXPIRED)) for conflict in late]


def _entry(conflict: Stored[Conflict], **changed: Any) -> dict[str, Any]:
    return {"entry": conflict.body.entry.model_copy(update=changed)}


def _review_by(work: Work, wanted: date | None, *, confirmed: bool) -> date:
    last = months_after(work.today, REVIEW_OF_ENTRY if confirmed else REVIEW_OF_REPORT)
    if wanted is None:
        return last
    if not work.today < wanted <= last:
        work.wrong("/review_by", "a day after today, and no later than {last}", last=last)
    return wanted


def _check_open(work: Work, stored: Stored[Conflict] | Stored[Order]) -> None:
    if stored.body.closing is not None:
        work.refuse("entry-closed")


def _check_live(work: Work, conflict: Stored[Conflict]) -> None:
    _check_open(work, conflict)
    if conflict.body.entry.status is ConflictStatus.REFUTED:
        work.refuse("conflict-refuted")


# --------------------------------------------------------------------------------------------- orders


def record_order(work: Work, asked: RecordOrder, identifier: str) -> Order:
    """Record a restraining order; it bars once somebody has seen the order itself (REQ-BF-1)."""
    bound = _person(work, asked.bound, "/bound")
    work.allow_with(bound)
    protected = None if asked.protected is None else _person(work, asked.protected, "/protected")
    _check_schemes(work, asked.forbidden_schemes, "/forbidden_schemes")
    entry = _sound(
        lambda: OrderEntry(
            id=identifier,
            kind=asked.kind,
            bound=bound.id,
            protected=None if protected is None else protected.id,
            forbidden_schemes=asked.forbidden_schemes,
            valid_from=asked.valid_from,
            valid_until=asked.valid_until,
            reference=asked.reference,
        )
    )
    return Order(entry=entry, issuer=asked.issuer)


def verify(work: Work, asked: VerifyOrder, order: Stored[Order]) -> Changes:
    """Write down that one has seen the order itself."""
    _check_open(work, order)
    entry = order.body.entry
    if entry.verified:
        work.refuse("order-verified")
    seen = {"verified": True, "reference": asked.reference or entry.reference}
    return {
        "entry": entry.model_copy(update=seen),
        "issuer": asked.issuer or order.body.issuer,
        "verified_by": work.actor.account,
        "verified_on": work.today,
    }


def extend(work: Work, asked: ExtendOrder, order: Stored[Order]) -> Changes:
    """Write down that an order has been extended; what it said before is kept (REQ-BF-3)."""
    _check_open(work, order)
    entry = order.body.entry
    if asked.valid_until <= entry.valid_until:
        work.wrong("/valid_until", "a day after the one until which the order is valid now")
    seen = {"verified_by": work.actor.account, "verified_on": work.today} if entry.verified else {}
    now = {"valid_until": asked.valid_until, "reference": asked.reference or entry.reference}
    return {"entry": entry.model_copy(update=now), "earlier": (*order.body.earlier, entry), **seen}


def close_order(work: Work, asked: Reason, order: Stored[Order]) -> Changes:
    """Close an order that is over or was lifted. Only a person does: one that has run out is looked at."""
    _check_open(work, order)
    return {"closing": Closing(on=work.today, reason=asked.reason)}


# ---------------------------------------------------------------------------------------------- common


def _person(work: Work, identifier: str, place: str) -> Stored[Person]:
    """Return the record that stands for a person whom the request names."""
    person = standing(work, work.named(Person, identifier, place))
    return work.named(Person, person.id, place)


def _check_schemes(work: Work, schemes: frozenset[str], place: str) -> None:
    for scheme in sorted(schemes):
        work.named(Scheme, scheme, place)


def _sound(make: Callable[[], T]) -> T:
    """Return an entry, or refuse the request for what is unsound in it."""
    try:
        return make()
    except ValidationError as error:
        raise RefusalError("request", problems=tuple(faults(error))) from None


def _records(name: str, body: type[E], command: type[C], entry: Callable[[Work, C, str], E]) -> UseCase[C]:
    """Return a use case that makes an entry, and asks the rules what that speaks against."""

    def ask(work: Work, asked: C, _target: None) -> Asked:
        return rechecks.ask(work, _supposed(work, entry(work, asked, _NEW), _NEW, 1))

    def run(work: Work, asked: C) -> Stored[E]:
        identifier = work.ids(body.kind)
        made = work.create(entry(work, asked, identifier), identifier)
        rechecks.settle(work, made, work.prepared)
        return made

    run.__doc__ = entry.__doc__
    return creates(name, body, command, run, ask)


def _changes(
    name: str, body: type[E], command: type[C], changes: Callable[[Work, C, Stored[E]], Changes]
) -> UseCase[C]:
    """Return a use case that changes an entry, and asks the rules what that speaks against."""

    def ask(work: Work, asked: C, stored: Stored[E]) -> Asked:
        new = stored.body.model_copy(update=changes(work, asked, stored))
        return rechecks.ask(work, _supposed(work, new, stored.id, stored.version + 1))

    def run(work: Work, asked: C, stored: Stored[E]) -> Stored[E]:
        changed = work.change(stored, **changes(work, asked, stored))
        rechecks.settle(work, changed, work.prepared)
        return changed

    run.__doc__ = changes.__doc__
    return acts(name, body, command, run, ask)


def _supposed(work: Work, body: E, identifier: str, version: int) -> Stored[E]:
    return Stored(body.kind, identifier, version, body, work.now, work.actor.account, work.use)


USES: tuple[UseCase[Any], ...] = (
    _records("conflicts.report", Conflict, ReportConflict, report),
    _records("conflicts.record", Conflict, RecordConflict, record_conflict),
    _changes("conflicts.confirm", Conflict, ConfirmConflict, confirm),
    _changes("conflicts.dispute", Conflict, Reason, dispute),
    _changes("conflicts.refute", Conflict, Reason, refute),
    _changes("conflicts.close", Conflict, Reason, close_conflict),
    _changes("conflicts.reopen", Conflict, Reason, reopen),
    _records("orders.record", Order, RecordOrder, record_order),
    _changes("orders.verify", Order, VerifyOrder, verify),
    _changes("orders.extend", Order, ExtendOrder, extend),
    _changes("orders.close", Order, Reason, close_order),
)
