"""What the rules would read of one person or place in the stored records: as they are, or as they were.

A snapshot reads everybody; here one person or place is read, whenever their record changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from allocator import facts, model
from allocator.casework.cases import Case
from allocator.casework.codes import ENDED_CASES, DecisionState
from allocator.casework.committee import Decision
from allocator.casework.housing import Scheme, Tenancy, Unit, UnitReservation
from allocator.casework.occupancy import UnitState, lives_there, unit_state
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, Link, Stored
from allocator.casework.snapshot import known_facts
from allocator.facts import Choice, Facts, Missing, Place, Reading, read_facts
from allocator.service.work import Work

B = TypeVar("B", bound=Body)


Known = Reading | tuple[str, ...]
"""What one fact is read as; a set of codes as a whole is those of them that are so."""


def is_known(reading: Known | None) -> bool:
    """Return whether nobody need be asked about a fact; what cannot be compared is known all the same."""
    return reading is Missing.NOT_COMPARABLE or not (reading is None or isinstance(reading, Missing))


class Readings:
    """The facts of persons and places as they are read on a day.

    Args:
        work: The work.
        day: The day.
        before: Read the records as they were when the work began.
    """

    def __init__(self, work: Work, day: date, *, before: bool = False) -> None:
        self.work, self.day, self._before = work, day, before
        self._read: dict[tuple[str, str], Facts | None] = {}

    def of(self, path: str, identifier: str) -> Known | None:
        """Return what a fact is read as, of whom or what it is about; None if they are not there to ask.

        A set of codes is read one by one, and as a whole by its own path.
        """
        subject = path.partition(".")[0]
        if (subject, identifier) not in self._read:
            self._read[subject, identifier] = self._facts(subject, identifier)
        found = self._read[subject, identifier]
        if found is None:
            return None
        if path in found:
            return found[path]
        codes = {name: reading for name, reading in found.items() if name.startswith(f"{path}:")}
        missing = next((reading for reading in codes.values() if isinstance(reading, Missing)), None)
        return missing or tuple(sorted(name for name, reading in codes.items() if reading is True))

    def _facts(self, subject: str, identifier: str) -> Facts | None:
        record: Any = None
        match subject:
            case "applicant":
                record = self._applicant(identifier)
            case "resident":
                record = self._resident(identifier)
            case "choice":
                case = self.case_of(identifier)
                # Of every scheme that is not mentioned the same is known; which is asked does not matter.
                record = None if case is None else Choice(case.body.wishes, scheme="")
            case "unit":
                record = self._place(identifier)
            case "scheme":
                record = self._scheme(identifier)
        return None if record is None else read_facts(subject, record, self.day)

    def _get(self, body: type[B], identifier: str) -> Stored[B] | None:
        return self.work.before(body, identifier) if self._before else self.work.get(body, identifier)

    def _all_of(self, body: type[B], person: str) -> list[Stored[B]]:
        names = {stored.id for stored in self.work.find(body, Link(Kind.PERSON, person))}
        if self._before:
            names |= {name for kind, name in self.work.began if kind is body.kind}
        found = (self._get(body, name) for name in sorted(names))
        return [stored for stored in found if stored is not None and _person(stored.body) == person]

    def case_of(self, person: str) -> Stored[Case] | None:
        """Return the case in which somebody waits for a home."""
        return next((case for case in self._all_of(Case, person) if is_open(case.body)), None)

    def home_of(self, person: str) -> Stored[Tenancy] | None:
        """Return the tenancy of somebody's home."""
        homes = self._all_of(Tenancy, person)
        return next((home for home in homes if lives_there(home.body, self.day)), None)

    def _applicant(self, identifier: str) -> model.Applicant | None:
        person, case = self._get(Person, identifier), self.case_of(identifier)
        if person is None or case is None:
            return None
        return model.Applicant(
            id=case.id,
            waiting_since=case.body.waiting_since,
            wishes=case.body.wishes,
            placement=case.body.placement,
            **known_facts(person.body.facts, model.ApplicantFacts, self.day),
        )

    def _resident(self, identifier: str) -> model.Resident | None:
        person, home = self._get(Person, identifier), self.home_of(identifier)
        if person is None or home is None:
            return None
        return model.Resident(
            id=identifier,
            unit=home.body.unit,
            moved_in=home.body.moved_in,
            **known_facts(person.body.facts, model.PersonFacts, self.day),
        )

    def _place(self, identifier: str) -> Place | None:
        unit = self._get(Unit, identifier)
        scheme = None if unit is None else self._scheme(unit.body.scheme)
        if unit is None or scheme is None:
            return None
        state = self._state(unit)
        built = model.Unit(
            id=identifier,
            status=state.status,
            vacant_since=state.vacant_since,
            vacant_from=state.vacant_from,
            **_plain(unit.body.facts),
        )
        return Place(built, model.LivingGroup(id=unit.body.group, name=unit.body.group, units=()), scheme)

    def _state(self, unit: Stored[Unit]) -> UnitState:
        here = Link(Kind.UNIT, unit.id)
        made = self.work.find(Decision, here, states={DecisionState.MADE})
        return unit_state(
            unit,
            self.day,
            [tenancy.body for tenancy in self.work.find(Tenancy, here)],
            [reservation.body for reservation in self.work.find(UnitReservation, here, states={"open"})],
            allotted=any(d.body.unit == unit.id and d.body.ended_on is None for d in made),
        )

    def _scheme(self, identifier: str) -> model.Scheme | None:
        scheme = self._get(Scheme, identifier)
        return None if scheme is None else model.Scheme(id=identifier, **_plain(scheme.body.facts))


def is_open(case: Case) -> bool:
    """Return whether somebody waits for a home in a case."""
    return case.closing is None and case.state not in ENDED_CASES


def whole(path: str) -> str:
    """Return the path of what is asked for: who assesses a person's needs tells of all of them."""
    name = path.partition(":")[0]
    return name if facts.fact_type(path).subject in ("applicant", "resident") else path


def _person(body: Any) -> str | None:
    return getattr(body, "person", None)


def _plain(record: model.Record) -> Mapping[str, Any]:
    return {name: getattr(record, name) for name in type(record).model_fields}
