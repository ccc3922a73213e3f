"""How a unit stands on a day: worked out from who lives there, what is closed and what is held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from allocator.casework.codes import ClosureKind
from allocator.casework.days import day_after
from allocator.casework.housing import Tenancy, Unit, UnitReservation
from allocator.casework.records import Stored
from allocator.codes import UnitStatus
from allocator.model import LAST_DAY

_CLOSED = {
    ClosureKind.UNDER_REPAIR: UnitStatus.UNDER_REPAIR,
    ClosureKind.OUT_OF_SERVICE: UnitStatus.OUT_OF_SERVICE,
}


@dataclass(frozen=True)
class UnitState:
    """How a unit stands on a day.

    Attributes:
        status: Its status.
        vacant_since: The first day that it could be moved into, if it still can.
        vacant_from: The day from which a unit that is not vacant can be moved into, if that is known.
    """

    status: UnitStatus
    vacant_since: date | None = None
    vacant_from: date | None = None


def lives_there(tenancy: Tenancy, as_of: date) -> bool:
    """Return whether somebody lives in their unit on a day.

    Notice is not moving out: they do until it is written down that they are out (E-11).
    """
    begun = tenancy.moved_in is None or tenancy.moved_in <= as_of
    return begun and (tenancy.moved_out is None or tenancy.moved_out >= as_of)


def is_held(reservation: UnitReservation, as_of: date) -> bool:
    """Return whether a reservation still holds its unit back on a day; it runs out by itself (E-13)."""
    return reservation.released_on is None and reservation.until >= as_of


def unit_state(
    unit: Stored[Unit],
    as_of: date,
    tenancies: Sequence[Tenancy],
    reservations: Sequence[UnitReservation],
    allotted: bool,  # noqa: FBT001 - one of several facts that are passed in their order
) -> UnitState:
    """Return how a unit stands on a day.

    Args:
        unit: The unit.
        as_of: The day.
        tenancies: Tenancies, past ones too; those of other units say nothing.
        reservations: Reservations; those of other units say nothing.
        allotted: A decision in force gives it to somebody who has not moved in.
    """
    of_unit = [tenancy for tenancy in tenancies if tenancy.unit == unit.id]
    living = [tenancy for tenancy in of_unit if lives_there(tenancy, as_of)]
    if living:
        last = _last_day(living, as_of)
        if last is None:
            return UnitState(UnitStatus.OCCUPIED)
        return UnitState(UnitStatus.NOTICE_GIVEN, vacant_from=ready_from(unit.body, day_after(last)))
    ready = ready_from(unit.body, as_of)
    if ready != as_of:
        closure = unit.body.closure
        closed = closure is not None and closure.since <= as_of and (closure.until or as_of) >= as_of
        # A unit that is not built yet, or not handed over, is out of service until it is.
        kind = closure.kind if closure is not None and closed else ClosureKind.OUT_OF_SERVICE
        return UnitState(_CLOSED[kind], vacant_from=ready)
    begins_later = any(tenancy.moved_out is None for tenancy in of_unit)
    held = any(one.unit == unit.id and is_held(one, as_of) for one in reservations)
    if allotted or held or begins_later:
        return UnitState(UnitStatus.RESERVED)
    return UnitState(UnitStatus.VACANT, vacant_since=_vacant_since(unit.body, as_of, of_unit))


def _last_day(living: Sequence[Tenancy], as_of: date) -> date | None:
    """Return the last day that anybody lives there, if all have a day and it has not gone by."""
    days = []
    for tenancy in living:
        day = tenancy.moved_out or (tenancy.notice.move_out if tenancy.notice else None)
        if day is None or day < as_of:
            return None
        days.append(day)
    return max(days)


def ready_from(unit: Unit, day: date) -> date | None:
    """Return the first day from *day* on that the unit as such can be lived in; None if that is not known."""
    ready = max(day, unit.first_ready_on or day)
    closure = unit.closure
    if closure is not None and ready >= closure.since:
        if closure.until is None:
            return None
        ready = max(ready, day_after(closure.until))
    return ready if ready <= LAST_DAY else None


def _vacant_since(unit: Unit, as_of: date, tenancies: Sequence[Tenancy]) -> date | None:
    days = [day_after(tenancy.moved_out) for tenancy in tenancies if tenancy.moved_out is not None]
    if unit.first_ready_on is not None:
        days.append(unit.first_ready_on)
    if unit.closure is not None and unit.closure.until is not None:
        days.append(day_after(unit.closure.until))
    return max((day for day in days if day <= as_of), default=None)
