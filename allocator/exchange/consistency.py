"""What does not fit together: among the records that were read, and with those that are stored already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

from allocator.casework.housing import Scheme, Tenancy, Unit, UnitReservation
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, naming
from allocator.casework.relations import Conflict
from allocator.casework.voice import Veto
from allocator.exchange.entries import KINDS, Entry, Faults
from allocator.model import ADULT_AGE, age_on

Path = tuple[int | str, ...]
Key = tuple[Kind, str]

_MORE: Mapping[Kind, tuple[tuple[Path, Kind], ...]] = {
    Kind.CONFLICT: (
        (("entry", "party"), Kind.PERSON),
        (("entry", "counterpart"), Kind.PERSON),
        (("entry", "frequents"), Kind.SCHEME),
    ),
    Kind.ORDER: (
        (("entry", "bound"), Kind.PERSON),
        (("entry", "protected"), Kind.PERSON),
        (("entry", "forbidden_schemes"), Kind.SCHEME),
    ),
    Kind.VETO: (
        (("entry", "applicant"), Kind.CASE),
        (("entry", "unit"), Kind.UNIT),
        (("entry", "scheme"), Kind.SCHEME),
    ),
    Kind.CASE: (
        (("wishes", "preferred", "scheme"), Kind.SCHEME),
        (("wishes", "reservations", "scheme"), Kind.SCHEME),
    ),
}
"""Where ids of others stand in records of the rules' own model, whose ids do not say what they name."""

_HELD: Mapping[str, tuple[str, str]] = {
    "home": ("unit", "a unit where nobody else lives, or `shares` for those who live together"),
    "lives": ("person", "a person who lives in one place"),
    "case-of": ("person", "a person with one open case"),
    "reserved": ("unit", "a unit that is reserved once"),
}
"""What only one record may hold: the field that says so, and what is expected there."""

_BY_CHECKED_ACCOUNTS = "barred"
"""The one list of accounts that must be there: one who is misspelt would not be kept out.

Other accounts tell who did something; they may be of another system.
"""


def check(
    entries: Iterable[Entry],
    stored: Mapping[Key, Body],
    is_there: Callable[[Kind, str], bool],
    today: date,
    faults: Faults,
) -> None:
    """Note everything that does not fit together.

    Args:
        entries: What was read.
        stored: The records that are stored, of the kinds that are exchanged.
        is_there: Whether a record of another kind is stored.
        today: The day.
        faults: Where it is noted.
    """
    _Check(list(entries), stored, is_there, today, faults).all()


class _Check:
    def __init__(
        self,
        entries: list[Entry],
        stored: Mapping[Key, Body],
        is_there: Callable[[Kind, str], bool],
        today: date,
        faults: Faults,
    ) -> None:
        self.read: dict[Key, Entry] = {}
        self.again: list[Entry] = []
        for entry in entries:
            key = (entry.record.kind, entry.record.id)
            if key in self.read:
                self.again.append(entry)
            else:
                self.read[key] = entry
        self.all_records = {**stored, **{key: entry.record.body for key, entry in self.read.items()}}
        self.is_there = is_there
        self.today = today
        self.faults = faults

    def all(self) -> None:
        for entry in self.again:
            first = self.read[entry.record.kind, entry.record.id].place.at()
            self._wrong(entry, ("id",), f"an id of its own; {first} has the same one")
        for entry in self.read.values():
            self._pointers(entry)
            self._days(entry)
        self._holds()
        self._places()
        for key, body in self.all_records.items():
            for path, expected, on in self._fit(key, body):
                read = self.read.get(key)
                if read is not None:
                    self._wrong(read, path, expected)
                elif on in self.read:
                    whose = f"what stored records that point at it say: {expected}"
                    self._wrong(self.read[on], (), whose)

    def _wrong(self, entry: Entry, path: Path, expected: str) -> None:
        self.faults.add(entry.place.at(path), expected)

    def _get(self, kind: Kind, identifier: str | None) -> Any:
        return None if identifier is None else self.all_records.get((kind, identifier))

    # ------------------------------------------------------------------------------------- pointers

    def _pointers(self, entry: Entry) -> None:
        for path, kind, identifier in pointers(entry.record.kind, entry.record.body):
            if kind is Kind.ACCOUNT and _BY_CHECKED_ACCOUNTS not in path:
                continue
            there = (
                (kind, identifier) in self.all_records if kind in KINDS else self.is_there(kind, identifier)
            )
            if not there:
                where = "here or stored" if kind in KINDS else "stored, or nothing"
                self._wrong(entry, path, f"the id of a {kind} that is {where}")

    # ------------------------------------------------------------------------------------ days of it

    def _days(self, entry: Entry) -> None:
        body = entry.record.body
        for path, day in _told_days(entry.record.body):
            if day > self.today:
                self._wrong(entry, path, "a day that is not in the future")
        if isinstance(body, Person):
            born = body.facts.birth_date.value
            if born is not None and born <= self.today and age_on(born, self.today) < ADULT_AGE:
                younger = f"a person of at least {ADULT_AGE} years; younger is child welfare"
                self._wrong(entry, ("facts", "birth_date", "value"), younger)

    # ------------------------------------------------------------------------------ one of its kind

    def _holds(self) -> None:
        holder: dict[str, Key] = {}
        in_order = sorted(self.all_records, key=lambda key: key in self.read)
        for key in in_order:
            for held in sorted(self.all_records[key].holds()):
                first = holder.setdefault(held, key)
                if first != key and key in self.read:
                    field, expected = _HELD[held.partition(":")[0]]
                    other = self.read.get(first)
                    where = "a stored one" if other is None else other.place.at()
                    self._wrong(self.read[key], (field,), f"{expected}; {where} has it already")

    def _places(self) -> None:
        """Note places of the same id: schemes, living groups and units are told apart by it."""
        seen: dict[str, str] = {}
        for (kind, identifier), body in self.all_records.items():
            entry = self.read.get((kind, identifier))
            named: list[tuple[str, Path]] = []
            if kind in (Kind.SCHEME, Kind.UNIT):
                named.append((identifier, ("id",)))
            if isinstance(body, Scheme):
                named.extend((group.id, ("groups", i, "id")) for i, group in enumerate(body.groups))
            for name, path in named:
                place = "a stored place" if entry is None else entry.place.at(path)
                first = seen.setdefault(name, place)
                if first != place and entry is not None:
                    self._wrong(entry, path, f"an id of its own; {first} has the same one")

    # --------------------------------------------------------------------------------- fits together

    def _fit(self, key: Key, body: Body) -> Iterator[tuple[Path, str, Key]]:
        """Yield where a record does not fit to those it points at, what is expected, and to which."""
        match body:
            case Unit():
                scheme = self._get(Kind.SCHEME, body.scheme)
                if scheme is not None and body.group not in {group.id for group in scheme.groups}:
                    yield ("group",), "a living group of that scheme", (Kind.SCHEME, body.scheme)
            case Tenancy():
                yield from self._of_unit(body.unit, body.scheme)
                yield from self._shared(key, body)
            case UnitReservation():
                yield from self._of_unit(body.unit, body.scheme)
            case Veto():
                yield from self._veto(body)
            case Conflict():
                if body.entry.party == body.entry.counterpart:
                    yield ("entry", "counterpart"), "two different persons", key

    def _of_unit(self, unit: str, scheme: str) -> Iterator[tuple[Path, str, Key]]:
        found = self._get(Kind.UNIT, unit)
        if found is not None and found.scheme != scheme:
            yield ("scheme",), "the scheme of that unit", (Kind.UNIT, unit)

    def _shared(self, key: Key, tenancy: Tenancy) -> Iterator[tuple[Path, str, Key]]:
        first = self._get(Kind.TENANCY, tenancy.shares)
        if first is None or tenancy.moved_out is not None:
            return
        if first.unit != tenancy.unit or first.shares is not None or first.moved_out is not None:
            with_whom = "the tenancy of whom they live with now, in the same unit, who shares no other's"
            yield ("shares",), with_whom, (Kind.TENANCY, str(tenancy.shares))
        elif tenancy.shares == key[1]:
            yield ("shares",), "another's tenancy", key

    def _veto(self, veto: Veto) -> Iterator[tuple[Path, str, Key]]:
        scheme = self._get(Kind.SCHEME, veto.scheme)
        if scheme is None:
            return
        entry, on = veto.entry, (Kind.SCHEME, veto.scheme)
        groups = {group.id for group in scheme.groups}
        if entry.living_group is not None and entry.living_group not in groups:
            yield ("entry", "living_group"), "a living group of that scheme", on
        if entry.scheme is not None and entry.scheme != veto.scheme:
            yield ("entry", "scheme"), "the scheme whose staff object", on
        unit = self._get(Kind.UNIT, entry.unit)
        if unit is not None and unit.scheme != veto.scheme:
            yield ("entry", "unit"), "a unit of the scheme whose staff object", (Kind.UNIT, str(entry.unit))


def pointers(kind: Kind, body: Body) -> Iterator[tuple[Path, Kind, str]]:
    """Yield where a record names another: the place, the kind of what is named, and its id."""
    yield from _named(body, ())
    for path, target in _MORE.get(kind, ()):
        yield from ((place, target, value) for place, value in _values(body, path, ()))


def _named(record: BaseModel, at: Path) -> Iterator[tuple[Path, Kind, str]]:
    names = naming(type(record))
    for name in type(record).model_fields:
        value = getattr(record, name)
        for place, item in _flat(value, (*at, name)):
            if isinstance(item, BaseModel):
                yield from _named(item, place)
            elif isinstance(item, str):
                yield from ((place, kind, item) for kind in names.get(name, ()))


def _values(value: Any, path: Path, at: Path) -> Iterator[tuple[Path, str]]:
    """Yield the texts at a path, of each member of a list on the way."""
    for place, item in _flat(value, at):
        if not path:
            yield place, item
        else:
            yield from _values(getattr(item, str(path[0])), path[1:], (*place, path[0]))


def _flat(value: Any, at: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, tuple):
        yield from (((*at, i), item) for i, item in enumerate(value))
    elif isinstance(value, frozenset):
        yield from ((at, item) for item in sorted(value))
    elif value is not None:
        yield at, value


_PAST = frozenset(
    {
        "received_on",
        "waiting_since",
        "recorded_on",
        "assessed_on",
        "raised_on",
        "observed_on",
        "obtained_on",
        "last_confirmed",
        "signed_on",
        "given_on",
    }
)
"""Days on which something was told or done; they cannot lie ahead."""


def _told_days(record: BaseModel, at: Path = ()) -> Iterator[tuple[Path, date]]:
    for name in type(record).model_fields:
        for place, item in _flat(getattr(record, name), (*at, name)):
            if isinstance(item, BaseModel):
                yield from _told_days(item, place)
            elif isinstance(item, date) and (name in _PAST or place[-2:] == ("birth_date", "value")):
                yield place, item
