"""Schemes and units, and what is held back: what there is to live in, and whether it can be moved into."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field

from allocator.access.authorizer import Circumstances
from allocator.casework.cases import Case
from allocator.casework.codes import ClosureKind, DecisionState, ReservationReason
from allocator.casework.committee import Decision
from allocator.casework.days import day_before
from allocator.casework.housing import Closure, Group, Scheme, Tenancy, Unit, UnitReservation
from allocator.casework.occupancy import UnitState, is_held, lives_there, unit_state
from allocator.casework.records import Kind, Link, Stored
from allocator.model import Day, Id, Name, SchemeFacts, Text, UnitFacts
from allocator.service.clarifications import settle
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.work import Work, new_id

LONGEST_RESERVATION = timedelta(days=366)
"""A unit is not held back for longer at a time, so that none is forgotten; a local choice."""

# --------------------------------------------------------------------------------- how a unit stands


def tenancies_in(work: Work, unit: str) -> list[Stored[Tenancy]]:
    """Return everybody's tenancies in a unit, past ones too."""
    return [t for t in work.find(Tenancy, Link(Kind.UNIT, unit)) if t.body.unit == unit]


def reservations_of(work: Work, unit: str) -> list[Stored[UnitReservation]]:
    """Return the reservations of a unit that nobody has released; some may have run out."""
    found = work.find(UnitReservation, Link(Kind.UNIT, unit), states={"open"})
    return [reservation for reservation in found if reservation.body.unit == unit]


def held(work: Work, unit: str) -> Stored[UnitReservation] | None:
    """Return the reservation that holds a unit back today."""
    return next((r for r in reservations_of(work, unit) if is_held(r.body, work.today)), None)


def allotments(work: Work, unit: str) -> list[Stored[Decision]]:
    """Return the decisions in force that give a unit to somebody who has not moved in; two for a couple."""
    made = work.find(Decision, Link(Kind.UNIT, unit), states={DecisionState.MADE})
    return [decision for decision in made if decision.body.unit == unit and decision.body.ended_on is None]


def state_today(
    work: Work, unit: Stored[Unit], *, without: Stored[UnitReservation] | None = None
) -> UnitState:
    """Return how a unit stands today; or how it would, without a reservation."""
    return unit_state(
        unit,
        work.today,
        [tenancy.body for tenancy in tenancies_in(work, unit.id)],
        [one.body for one in reservations_of(work, unit.id) if without is None or one.id != without.id],
        allotted=bool(allotments(work, unit.id)),
    )


# -------------------------------------------------------------------------------------------- schemes


class AddScheme(Command):
    """A scheme as it is published, and the names of its living groups."""

    facts: SchemeFacts
    groups: tuple[Name, ...] = Field(min_length=1, max_length=100)


class DescribedGroup(Command):
    """A living group: one that is there, under its name from now on, or a new one."""

    id: Id | None = None
    name: Name


class DescribeScheme(Command):
    """What is published of a scheme from now on; what is left out stays as it is."""

    facts: SchemeFacts | None = None
    groups: tuple[DescribedGroup, ...] | None = Field(default=None, min_length=1, max_length=100)


def _new_group(name: str) -> Group:
    return Group(id="BG" + new_id(Kind.SCHEME).removeprefix("SC"), name=name)


def add_scheme(work: Work, asked: AddScheme) -> Stored[Scheme]:
    """Add a scheme with its living groups."""
    if len(set(asked.groups)) != len(asked.groups):
        work.wrong("/groups", "names that differ")
    scheme = Scheme(facts=asked.facts, groups=tuple(_new_group(name) for name in asked.groups))
    work.allow(Circumstances())
    return work.create(scheme)


def describe_scheme(work: Work, asked: DescribeScheme, scheme: Stored[Scheme]) -> Stored[Scheme]:
    """Change what is published of a scheme, or its living groups."""
    changes: dict[str, Any] = {}
    if asked.facts is not None:
        changes["facts"] = asked.facts
    if asked.groups is not None:
        there = {group.id for group in scheme.body.groups}
        kept = [group.id for group in asked.groups if group.id is not None]
        if len(set(kept)) != len(kept) or not there.issuperset(kept):
            work.wrong("/groups", "ids of living groups of the scheme, each once")
        if len({group.name for group in asked.groups}) != len(asked.groups):
            work.wrong("/groups", "names that differ")
        units = work.find(Unit, Link(Kind.SCHEME, scheme.id))
        if any(unit.body.group in there.difference(kept) for unit in units):
            work.refuse("group-has-units")
        changes["groups"] = tuple(
            _new_group(group.name) if group.id is None else Group(id=group.id, name=group.name)
            for group in asked.groups
        )
    changed = work.change(scheme, **changes)
    settle(work, scheme.id)
    return changed


# ---------------------------------------------------------------------------------------------- units


class AddUnit(Command):
    """A unit of a living group, as it is built."""

    scheme: Id
    group: Id
    facts: UnitFacts = UnitFacts()
    first_ready_on: Day | None = None


class DescribeUnit(Command):
    """What a unit is like from now on; what is left out stays as it is."""

    group: Id | None = None
    facts: UnitFacts | None = None
    first_ready_on: Day | None = Field(default=None, description="Null means: not known any more.")


class CloseUnit(Command):
    """Nobody can move into a unit for a time."""

    kind: ClosureKind
    since: Day | None = Field(default=None, description="Missing means: from today.")
    until: Day | None = Field(default=None, description="Last day of it; missing means: not known.")
    reason: Text | None = None


class ReopenUnit(Command):
    """A unit can be moved into again."""

    ready_on: Day | None = Field(default=None, description="Missing means: from today.")


def add_unit(work: Work, asked: AddUnit) -> Stored[Unit]:
    """Add a unit to a living group of a scheme."""
    scheme = work.named(Scheme, asked.scheme, "/scheme")
    work.allow_with(scheme)
    _check_group(work, scheme, asked.group)
    body = Unit(scheme=scheme.id, group=asked.group, facts=asked.facts, first_ready_on=asked.first_ready_on)
    return work.create(body)


def _check_group(work: Work, scheme: Stored[Scheme], group: str) -> None:
    if group not in {there.id for there in scheme.body.groups}:
        work.wrong("/group", "the id of a living group of the scheme")


def describe_unit(work: Work, asked: DescribeUnit, unit: Stored[Unit]) -> Stored[Unit]:
    """Change what is known of how a unit is built, and when it could first be moved into."""
    changes = {name: value for name, value in asked if value is not None}
    if "first_ready_on" in asked.model_fields_set:
        changes["first_ready_on"] = asked.first_ready_on
    if asked.group is not None:
        _check_group(work, work.load(Scheme, unit.body.scheme), asked.group)
    if asked.first_ready_on is not None and asked.first_ready_on > work.today:
        _check_nobody_home(work, unit)
    changed = work.change(unit, **changes)
    settle(work, unit.id)
    return changed


def _check_nobody_home(work: Work, unit: Stored[Unit]) -> None:
    if any(lives_there(tenancy.body, work.today) for tenancy in tenancies_in(work, unit.id)):
        work.refuse("unit-lived-in")


def close_unit(work: Work, asked: CloseUnit, unit: Stored[Unit]) -> Stored[Unit]:
    """Say that nobody can move into a unit for a time; whoever lives there stays."""
    since = asked.since or work.today
    if asked.until is not None and asked.until < since:
        work.wrong("/until", "a day on or after `since`")
    closure = Closure(kind=asked.kind, since=since, until=asked.until, reason=asked.reason)
    return work.change(unit, closure=closure)


def reopen_unit(work: Work, asked: ReopenUnit, unit: Stored[Unit]) -> Stored[Unit]:
    """Say from which day a closed unit can be moved into again."""
    closure = unit.body.closure
    if closure is None or (closure.until is not None and closure.until < work.today):
        work.refuse("unit-not-closed")
    ready = asked.ready_on or work.today
    if ready <= closure.since:
        return work.change(unit, closure=None)
    last = day_before(ready)
    return work.change(unit, closure=closure.model_copy(update={"until": last}))


# --------------------------------------------------------------------------------------- reservations


class MakeReservation(Command):
    """A unit is held back: why, by whom and until when (E-13)."""

    unit: Id
    reason: ReservationReason
    until: Day
    note: Text | None = None
    case: Id | None = Field(default=None, description="The case that it is held back for, if there is one.")


def make_reservation(work: Work, asked: MakeReservation) -> Stored[UnitReservation]:
    """Hold a unit back that is or will be vacant; a reservation that has run out makes way."""
    unit = work.named(Unit, asked.unit, "/unit")
    work.allow_with(unit)
    if asked.case is not None:
        work.allow_with(work.named(Case, asked.case, "/case"))
    if not work.today <= asked.until <= work.today + LONGEST_RESERVATION:
        last = work.today + LONGEST_RESERVATION
        work.wrong("/until", "a day from {first} to {last}", first=work.today, last=last)
    living = [t for t in tenancies_in(work, unit.id) if lives_there(t.body, work.today)]
    if any(tenancy.body.notice is None for tenancy in living):
        work.refuse("unit-lived-in")
    if allotments(work, unit.id):
        work.refuse("unit-allotted")
    for earlier in reservations_of(work, unit.id):
        if is_held(earlier.body, work.today):
            work.refuse("unit-reserved")
        release_now(work, earlier)
    return work.create(
        UnitReservation(
            unit=unit.id,
            scheme=unit.body.scheme,
            reason=asked.reason,
            note=asked.note,
            owner=work.actor.account,
            until=asked.until,
            case=asked.case,
        )
    )


def release_now(work: Work, reservation: Stored[UnitReservation]) -> Stored[UnitReservation]:
    """Release a reservation today."""
    return work.change(reservation, released_on=work.today)


def release(work: Work, _asked: Nothing, reservation: Stored[UnitReservation]) -> Stored[UnitReservation]:
    """Let go of a unit that was held back."""
    if reservation.body.released_on is not None:
        work.refuse("reservation-released")
    return release_now(work, reservation)


USES: tuple[UseCase[Any], ...] = (
    creates("schemes.add", Scheme, AddScheme, add_scheme),
    acts("schemes.describe", Scheme, DescribeScheme, describe_scheme),
    creates("units.add", Unit, AddUnit, add_unit),
    acts("units.describe", Unit, DescribeUnit, describe_unit),
    acts("units.close", Unit, CloseUnit, close_unit),
    acts("units.reopen", Unit, ReopenUnit, reopen_unit),
    creates("reservations.make", UnitReservation, MakeReservation, make_reservation),
    acts("reservations.release", UnitReservation, Nothing, release),
)
