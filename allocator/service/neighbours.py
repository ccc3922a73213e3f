"""Who lives in a living group, room by room, as one reader may see it.

Every tenancy and person passes the access table and is logged as a look. Whoever the reader may not know of
is not there: their unit is occupied, as it would be if anybody else lived in it (REQ-K6-1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from allocator.access.authorizer import Actor, sees
from allocator.access.redaction import view
from allocator.casework.housing import Scheme, Tenancy, Unit
from allocator.casework.occupancy import lives_there
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, Link, Stored
from allocator.codes import UnitStatus
from allocator.service.desk import Desk
from allocator.service.housing import state_today
from allocator.service.work import Work

View = Mapping[str, Any]


@dataclass(frozen=True)
class Lodger:
    """Somebody who lives in a unit.

    Attributes:
        tenancy: What the reader sees of how they live there.
        person: What the reader sees of them; empty if nothing.
    """

    tenancy: View
    person: View = field(default_factory=dict)


@dataclass(frozen=True)
class Room:
    """A unit of a living group today.

    Attributes:
        unit: What the reader sees of it.
        status: How it stands.
        vacant_from: When it can be moved into, if it is not vacant and that is known.
        lodgers: Who lives there, as far as the reader may know.
    """

    unit: View
    status: UnitStatus
    vacant_from: date | None
    lodgers: tuple[Lodger, ...]


def rooms(desk: Desk, actor: Actor, scheme: str, group: str) -> tuple[Room, ...]:
    """Return the units of a living group in order, and who lives in them, as the actor may see it.

    Raises:
        NotFoundError: The scheme is not there, or not for them.
    """

    def tell(work: Work, stored: Stored[Scheme]) -> tuple[Room, ...]:
        units = work.find(Unit, Link(Kind.SCHEME, stored.id))
        of_group = [unit for unit in units if (unit.body.scheme, unit.body.group) == (stored.id, group)]
        homes = work.find(Tenancy, Link(Kind.SCHEME, stored.id), states={"current"})
        return tuple(
            _room(work, unit, [home for home in homes if home.body.unit == unit.id])
            for unit in sorted(of_group, key=lambda unit: unit.id)
        )

    return desk.look_into(actor, Scheme, scheme, "look", tell)


def _room(work: Work, unit: Stored[Unit], homes: list[Stored[Tenancy]]) -> Room:
    state = state_today(work, unit)
    lodgers = (_lodger(work, home) for home in homes if lives_there(home.body, work.today))
    return Room(
        unit=_seen(work, unit) or {"id": unit.id},
        status=state.status,
        vacant_from=state.vacant_from,
        lodgers=tuple(lodger for lodger in lodgers if lodger is not None),
    )


def _lodger(work: Work, home: Stored[Tenancy]) -> Lodger | None:
    tenancy = _seen(work, home)
    if tenancy is None:
        return None
    person = work.get(Person, tenancy.get("person"))
    return Lodger(tenancy, (None if person is None else _seen(work, person)) or {})


def _seen(work: Work, stored: Stored[Body]) -> View | None:
    """Return what the actor may see of a record, and note it; None if they may not know of it."""
    sight = sees(work.access, work.actor, stored.kind, work.circumstances(stored))
    if sight.groups is None:
        return None
    if work.people(stored):
        work.note(stored, outcome="shown", groups=sorted(sight.groups))
    return view(work.access, stored, sight.groups, work.hidden())
