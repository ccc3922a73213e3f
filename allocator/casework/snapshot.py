"""From stored records to the snapshot that the rules read: who lives where, who waits, what binds them.

A person is known to the rules as a resident by their own id and as an applicant by that of their case; who
is both is linked. Conflicts and orders are between persons; one that has nobody here on the other side
cannot matter and is left out.

The *guarded* snapshot is for readers who are not cleared for kode 6 (REQ-K6-1). No case of such a person is
in it. In place of a kode-6 resident stands a placeholder whose id is that of the unit: to the rules of the
resident mix an unknown occupant, as in any unit of which nobody has recorded who lives there. What keeps
somebody apart from that person holds all the same, and counts at the level of the zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from allocator import model
from allocator.casework.cases import Case
from allocator.casework.codes import ENDED_CASES, DecisionState
from allocator.casework.committee import Decision
from allocator.casework.housing import Scheme, Tenancy, Unit, UnitReservation
from allocator.casework.occupancy import lives_there, unit_state
from allocator.casework.people import Person
from allocator.casework.records import Stored
from allocator.casework.relations import Conflict, Order
from allocator.casework.voice import Veto
from allocator.codes import FactStatus
from allocator.model import ADULT_AGE, ApplicantFacts, Assessed, PersonFacts, Snapshot, age_on


@dataclass(frozen=True)
class Register:
    """The newest version of every record that a snapshot is put together from."""

    schemes: Sequence[Stored[Scheme]] = ()
    units: Sequence[Stored[Unit]] = ()
    people: Sequence[Stored[Person]] = ()
    tenancies: Sequence[Stored[Tenancy]] = ()
    reservations: Sequence[Stored[UnitReservation]] = ()
    cases: Sequence[Stored[Case]] = ()
    conflicts: Sequence[Stored[Conflict]] = ()
    orders: Sequence[Stored[Order]] = ()
    vetoes: Sequence[Stored[Veto]] = ()
    decisions: Sequence[Stored[Decision]] = ()


@dataclass(frozen=True)
class _Ids:
    """What a person is called in a snapshot.

    Attributes:
        resident: By person, the id of the entry among the residents.
        applicant: By person, the id of the case.
    """

    resident: dict[str, str] = field(default_factory=dict)
    applicant: dict[str, str] = field(default_factory=dict)

    def of(self, person: str | None) -> str | None:
        """Return the one id that stands for a person here; None if they are not here."""
        return None if person is None else self.resident.get(person, self.applicant.get(person))


def build(register: Register, as_of: date, *, guarded: bool = False) -> Snapshot:
    """Return the snapshot on a day.

    Args:
        register: The records.
        as_of: The day; `register` is as it is known on that day.
        guarded: Say nothing of kode-6 people.
    """
    people = {person.id: person.body for person in register.people}
    strict = frozenset(name for name, person in people.items() if person.strict) if guarded else frozenset()
    ids = _Ids()
    residents = list(_residents(register, people, strict, ids, as_of))
    applicants = list(_applicants(register, people, strict, ids, as_of))
    cases = {applicant.id for applicant in applicants}
    return Snapshot(
        as_of=as_of,
        schemes=tuple(_schemes(register, as_of)),
        residents=tuple(sorted(residents, key=lambda r: r.id)),
        applicants=tuple(sorted(applicants, key=lambda a: a.id)),
        conflicts=tuple(_conflicts(register.conflicts, ids)),
        orders=tuple(_orders(register.orders, ids)),
        vetoes=tuple(v.body.entry for v in _by_id(register.vetoes) if v.body.entry.applicant in cases),
    )


def _by_id(stored: Iterable[Stored[Any]]) -> list[Stored[Any]]:
    return sorted(stored, key=lambda s: s.id)


# --------------------------------------------------------------------------------------------- people


def known_facts(facts: PersonFacts, kind: type[PersonFacts], as_of: date) -> dict[str, Any]:
    """Return facts by name. A birth date that makes somebody a child is not one that the rules can read."""
    known = {name: getattr(facts, name) for name in kind.model_fields}
    born = facts.birth_date.value
    if born is not None and (born > as_of or age_on(born, as_of) < ADULT_AGE):
        known["birth_date"] = Assessed[model.Day](status=FactStatus.DISPUTED)
    return known


def _residents(
    register: Register,
    people: Mapping[str, Person],
    strict: frozenset[str],
    ids: _Ids,
    as_of: date,
) -> Iterable[model.Resident]:
    shared = {t.body.shares for t in register.tenancies if t.body.shares is not None}
    named: set[str] = set()
    for tenancy in sorted(_by_id(register.tenancies), key=lambda t: t.body.moved_out is not None):
        home = tenancy.body
        if not lives_there(home, as_of) or home.person not in people:
            continue
        last = home.moved_out or (home.notice.move_out if home.notice else None)
        if last is not None and last < as_of:
            last = None  # notice has run out, but nobody has said that they are gone
        household = home.shares or (tenancy.id if tenancy.id in shared else None)
        hidden = home.person in strict
        name = home.unit if hidden else home.person
        if name in named:
            continue  # a second placeholder of one unit, or a home that is left today for another
        named.add(name)
        ids.resident[home.person] = name
        facts = {} if hidden else known_facts(people[home.person].facts, PersonFacts, as_of)
        yield model.Resident(
            id=name,
            unit=home.unit,
            moved_in=None if hidden else home.moved_in,
            move_out=last,
            household=household,
            **facts,
        )


def _applicants(
    register: Register,
    people: Mapping[str, Person],
    strict: frozenset[str],
    ids: _Ids,
    as_of: date,
) -> Iterable[model.Applicant]:
    for case in _by_id(register.cases):
        asked = case.body
        if asked.closing is not None or asked.state in ENDED_CASES:
            continue
        if asked.person in strict or asked.person not in people:
            continue
        ids.applicant[asked.person] = case.id
        yield model.Applicant(
            id=case.id,
            waiting_since=asked.waiting_since,
            wishes=asked.wishes,
            placement=asked.placement,
            resides_as=ids.resident.get(asked.person),
            responsible_municipality=asked.responsible_municipality,
            **known_facts(people[asked.person].facts, ApplicantFacts, as_of),
        )


# -------------------------------------------------------------------------------------------- housing


def _schemes(register: Register, as_of: date) -> Iterable[model.Scheme]:
    allotted = {
        d.body.unit
        for d in register.decisions
        if d.body.state is DecisionState.MADE and d.body.ended_on is None and d.body.unit is not None
    }
    tenancies: dict[str, list[Tenancy]] = {}
    for tenancy in register.tenancies:
        tenancies.setdefault(tenancy.body.unit, []).append(tenancy.body)
    reservations: dict[str, list[UnitReservation]] = {}
    for reservation in register.reservations:
        reservations.setdefault(reservation.body.unit, []).append(reservation.body)
    units: dict[tuple[str, str], list[model.Unit]] = {}
    for unit in _by_id(register.units):
        state = unit_state(
            unit,
            as_of,
            tenancies.get(unit.id, ()),
            reservations.get(unit.id, ()),
            allotted=unit.id in allotted,
        )
        facts = {name: getattr(unit.body.facts, name) for name in model.UnitFacts.model_fields}
        made = model.Unit(
            id=unit.id,
            status=state.status,
            vacant_since=state.vacant_since,
            vacant_from=state.vacant_from,
            **facts,
        )
        units.setdefault((unit.body.scheme, unit.body.group), []).append(made)
    for scheme in _by_id(register.schemes):
        groups = tuple(
            model.LivingGroup(id=group.id, name=group.name, units=tuple(units.get((scheme.id, group.id), ())))
            for group in sorted(scheme.body.groups, key=lambda g: g.id)
        )
        facts = {name: getattr(scheme.body.facts, name) for name in model.SchemeFacts.model_fields}
        yield model.Scheme(id=scheme.id, living_groups=groups, **facts)


# ------------------------------------------------------------------------------------------ relations


def _conflicts(conflicts: Iterable[Stored[Conflict]], ids: _Ids) -> Iterable[model.Conflict]:
    for conflict in _by_id(conflicts):
        entry = conflict.body.entry
        party, counterpart = ids.of(entry.party), ids.of(entry.counterpart)
        if conflict.body.closing is not None or party is None or party == counterpart:
            continue
        if entry.counterpart is not None and counterpart is None:
            continue
        yield entry.model_copy(update={"party": party, "counterpart": counterpart})


def _orders(orders: Iterable[Stored[Order]], ids: _Ids) -> Iterable[model.Order]:
    for order in _by_id(orders):
        entry = order.body.entry
        bound, protected = ids.of(entry.bound), ids.of(entry.protected)
        if order.body.closing is not None or bound is None or bound == protected:
            continue
        if protected is None and not entry.forbidden_schemes:
            continue
        yield entry.model_copy(update={"bound": bound, "protected": protected})


# ---------------------------------------------------------------------------------------------- bytes


def snapshot_bytes(snapshot: Snapshot) -> bytes:
    """Return a snapshot as a document of the same bytes for the same facts."""

    def listed(value: Any) -> Any:
        if isinstance(value, frozenset | set):
            return sorted(value)
        raise TypeError(type(value).__name__)

    return orjson.dumps(snapshot.model_dump(), default=listed, option=orjson.OPT_SORT_KEYS)
