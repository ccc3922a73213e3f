"""A case as records: what the rules read of the records on the same day is what they read of the case.

What a snapshot does not tell is not made up: a tenancy has no day of notice, a repair no reason. Two things
are set, since no record is without them: within `SOON` a reservation is looked at again, and a conflict is
confirmed.
What follows from what is told is known afterwards: when a unit is free whose resident has given notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from allocator import model
from allocator.casework.cases import Case
from allocator.casework.codes import CaseOrigin, CaseState, ClosureKind, EndReason, ReservationReason
from allocator.casework.days import day_after, day_before
from allocator.casework.housing import Closure, Group, Notice, Scheme, Tenancy, Unit, UnitReservation
from allocator.casework.people import Person
from allocator.casework.records import Body
from allocator.casework.relations import Conflict, Order
from allocator.casework.voice import Veto
from allocator.codes import PlacementKind, UnitStatus
from allocator.documents import DocumentError
from allocator.exchange.entries import Record
from allocator.model import ApplicantFacts, PersonFacts, Problem, SchemeFacts, Snapshot, UnitFacts

SOON = timedelta(days=90)
"""Within this time somebody looks at what came with an import and has no such day of its own."""

_CLOSED = {
    UnitStatus.UNDER_REPAIR: ClosureKind.UNDER_REPAIR,
    UnitStatus.OUT_OF_SERVICE: ClosureKind.OUT_OF_SERVICE,
}


def records_of(snapshot: Snapshot, author: str) -> list[Record]:
    """Return the records that a snapshot tells of, in an order in which they can be stored.

    A person has the id of their entry among the residents, or else ``P-`` and that of the applicant; a case
    has the applicant's. A unit that is lived in by nobody known gets a resident of the unit's own id, of whom
    nothing is recorded: that is how the rules read such a unit anyway.

    Args:
        snapshot: The snapshot.
        author: The account that conflicts, objections and reservations are then by.

    Raises:
        DocumentError: A unit's notice is told, but neither who gave it nor when the unit is free.
    """
    return list(_Reading(snapshot, author).records())


class _Reading:
    """One snapshot on its way to records."""

    def __init__(self, snapshot: Snapshot, author: str) -> None:
        self.case = snapshot
        self.author = author
        self.as_of = snapshot.as_of
        self.scheme_of = {unit.id: scheme.id for scheme in snapshot.schemes for unit in scheme.units}
        self.scheme_of_group = {g.id: scheme.id for scheme in snapshot.schemes for g in scheme.living_groups}
        self.residents = sorted(snapshot.residents, key=lambda resident: resident.id)
        self.living: dict[str, list[model.Resident]] = {}
        self.gone: dict[str, list[model.Resident]] = {}
        for resident in self.residents:
            there = self.living if snapshot.lives_here(resident) else self.gone
            there.setdefault(resident.unit, []).append(resident)
        taken = {resident.id for resident in self.residents}
        self.person_of: dict[str, str] = {}
        for applicant in snapshot.applicants:
            person = applicant.resides_as or _free(f"P-{applicant.id}", taken)
            taken.add(person)
            self.person_of[applicant.id] = person
        self.taken = taken

    def records(self) -> Iterator[Record]:
        """Yield the records: what each points at comes before it."""
        for scheme in self.case.schemes:
            groups = tuple(Group(id=group.id, name=group.name) for group in scheme.living_groups)
            facts = {name: getattr(scheme, name) for name in SchemeFacts.model_fields}
            yield _record(scheme.id, Scheme(facts=SchemeFacts(**facts), groups=groups))
        unknown: list[tuple[model.Unit, Notice | None]] = []
        for i, scheme in enumerate(self.case.schemes):
            for j, group in enumerate(scheme.living_groups):
                for k, unit in enumerate(group.units):
                    path = f"/schemes/{i}/living_groups/{j}/units/{k}"
                    yield _record(unit.id, self._unit(unit, scheme.id, group.id))
                    if self._lived_in_by_nobody_known(unit):
                        unknown.append((unit, self._notice(unit, None, path)))
        strangers = {unit.id: _free(unit.id, self.taken) for unit, _ in unknown}
        yield from self._people()
        yield from (_record(person, Person()) for person in strangers.values())
        yield from self._tenancies()
        for unit, notice in unknown:
            scheme_id = self.scheme_of[unit.id]
            home = Tenancy(person=strangers[unit.id], unit=unit.id, scheme=scheme_id, notice=notice)
            yield _record(f"L-{unit.id}"[:64], home)
        yield from self._reservations()
        for applicant in self.case.applicants:
            yield _record(applicant.id, self._case(applicant))
        yield from self._relations()

    # --------------------------------------------------------------------------------------- housing

    def _unit(self, unit: model.Unit, scheme: str, group: str) -> Unit:
        facts = UnitFacts(**{name: getattr(unit, name) for name in UnitFacts.model_fields})
        return Unit(
            scheme=scheme,
            group=group,
            facts=facts,
            first_ready_on=unit.vacant_since,
            closure=self._closure(unit),
        )

    def _closure(self, unit: model.Unit) -> Closure | None:
        """Return why nobody can move in, by its status or since it is not ready at once."""
        if unit.status in _CLOSED:
            until = None if unit.vacant_from is None else max(day_before(unit.vacant_from), self.as_of)
            return Closure(kind=_CLOSED[unit.status], since=self.as_of, until=until)
        if unit.status is not UnitStatus.NOTICE_GIVEN or self._lived_in_by_nobody_known(unit):
            return None
        leaving = self.living.get(unit.id)
        free = day_after(self._last_day(leaving) or self.as_of) if leaving else self.as_of
        if unit.vacant_from is None or unit.vacant_from <= free:
            return None if leaving else Closure(kind=ClosureKind.UNDER_REPAIR, since=free)
        return Closure(kind=ClosureKind.UNDER_REPAIR, since=free, until=day_before(unit.vacant_from))

    def _lived_in_by_nobody_known(self, unit: model.Unit) -> bool:
        if unit.id in self.living:
            return False
        gave_notice = unit.status is UnitStatus.NOTICE_GIVEN and unit.id not in self.gone
        return unit.status is UnitStatus.OCCUPIED or gave_notice

    def _last_day(self, leaving: list[model.Resident]) -> date | None:
        days = [resident.move_out for resident in leaving if resident.move_out is not None]
        return max(days) if len(days) == len(leaving) else None

    def _notice(self, unit: model.Unit, resident: model.Resident | None, path: str) -> Notice | None:
        """Return the notice that was given, by its last day: the resident's, or the day before it is free."""
        if resident is not None and resident.move_out is not None:
            return Notice(move_out=resident.move_out)
        if unit.status is not UnitStatus.NOTICE_GIVEN:
            return None
        if unit.vacant_from is None:
            expected = "`vacant_from`, or a resident with `move_out`, where notice is given"
            raise DocumentError((Problem(path=path, expected=expected),))
        return Notice(move_out=max(day_before(unit.vacant_from), self.as_of))

    def _reservations(self) -> Iterator[Record]:
        for scheme in self.case.schemes:
            for unit in scheme.units:
                if unit.status is UnitStatus.RESERVED:
                    held = UnitReservation(
                        unit=unit.id,
                        scheme=scheme.id,
                        reason=ReservationReason.OTHER_PROCESS,
                        owner=self.author,
                        until=self.as_of + SOON,
                    )
                    yield _record(f"R-{unit.id}"[:64], held)

    # ---------------------------------------------------------------------------------------- people

    def _people(self) -> Iterator[Record]:
        living = {applicant.resides_as: applicant for applicant in self.case.applicants}
        for resident in self.residents:
            facts = _facts(resident, living.get(resident.id))
            yield _record(resident.id, Person(facts=facts))
        for applicant in self.case.applicants:
            if applicant.resides_as is None:
                yield _record(self.person_of[applicant.id], Person(facts=_facts(applicant)))

    def _tenancies(self) -> Iterator[Record]:
        places = {
            unit.id: (unit, f"/schemes/{i}/living_groups/{j}/units/{k}")
            for i, scheme in enumerate(self.case.schemes)
            for j, group in enumerate(scheme.living_groups)
            for k, unit in enumerate(group.units)
        }
        for resident in self.residents:
            unit, path = places[resident.unit]
            first = self.living.get(unit.id, [resident])[0]
            gone = resident in self.gone.get(unit.id, ())
            shares = None if gone or first == resident else _tenancy_id(first)
            tenancy = Tenancy(
                person=resident.id,
                unit=unit.id,
                scheme=self.scheme_of[unit.id],
                moved_in=resident.moved_in,
                shares=shares,
                notice=None if gone else self._notice(unit, resident, path),
                moved_out=resident.move_out if gone else None,
                end_reason=EndReason.UNKNOWN if gone else None,
            )
            yield _record(_tenancy_id(resident), tenancy)

    def _case(self, applicant: model.Applicant) -> Case:
        origin = CaseOrigin.APPLICATION if applicant.resides_as is None else CaseOrigin.TRANSFER
        if applicant.placement.kind is PlacementKind.CRISIS:
            origin = CaseOrigin.CRISIS
        return Case(
            person=self.person_of[applicant.id],
            state=CaseState.WAITING_LIST,
            origin=origin,
            received_on=applicant.waiting_since,
            waiting_since=applicant.waiting_since,
            wishes=applicant.wishes,
            placement=applicant.placement,
            responsible_municipality=applicant.responsible_municipality,
        )

    # ------------------------------------------------------------------------------------- relations

    def _person(self, identifier: str | None) -> str | None:
        """Return the person that an id of an applicant or a resident stands for.

        Should the two have the same id, it is the resident's, as the rules read it.
        """
        resident = any(resident.id == identifier for resident in self.residents)
        return identifier if identifier is None or resident else self.person_of[identifier]

    def _relations(self) -> Iterator[Record]:
        for conflict in self.case.conflicts:
            party, counterpart = self._person(conflict.party), self._person(conflict.counterpart)
            between = conflict.model_copy(update={"party": party, "counterpart": counterpart})
            body = Conflict(
                entry=between,
                explanation="–",
                author=self.author,
                review_by=self.as_of + SOON,
            )
            yield _record(conflict.id, body)
        for order in self.case.orders:
            bound, protected = self._person(order.bound), self._person(order.protected)
            yield _record(
                order.id, Order(entry=order.model_copy(update={"bound": bound, "protected": protected}))
            )
        for veto in self.case.vetoes:
            scheme = veto.scheme or self.scheme_of_group.get(veto.living_group or "")
            scheme = scheme or self.scheme_of[veto.unit or ""]
            yield _record(veto.id, Veto(entry=veto, scheme=scheme, author=self.author))


def _record(identifier: str, body: Body) -> Record:
    return Record(body.kind, identifier, body)


def _tenancy_id(resident: model.Resident) -> str:
    return f"L-{resident.id}"[:64]


def _free(wanted: str, taken: set[str]) -> str:
    """Return an id that nobody has, as near as can be to the one that is wanted."""
    found, number = wanted[:64], 1
    while found in taken:
        number += 1
        found = f"{wanted[:60]}-{number}"
    taken.add(found)
    return found


def _facts(person: PersonFacts, also: PersonFacts | None = None) -> ApplicantFacts:
    """Return what is known of a person; what was asked of them as an applicant goes before."""
    known = {
        name: getattr(source, name)
        for source in (person, also)
        if source is not None
        for name, field in ApplicantFacts.model_fields.items()
        if hasattr(source, name) and (source is person or getattr(source, name) != field.default)
    }
    return ApplicantFacts(**known)
