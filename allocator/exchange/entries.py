"""What can be exchanged: records of the kinds that a municipality begins with, and where each was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

import orjson
from pydantic import TypeAdapter, ValidationError

from allocator.casework.bodies import BODIES
from allocator.casework.records import Body, Kind
from allocator.documents import DocumentError, expectation, known_fields_only
from allocator.model import Id, Problem

KINDS: tuple[Kind, ...] = (
    Kind.SCHEME,
    Kind.UNIT,
    Kind.PERSON,
    Kind.TENANCY,
    Kind.RESERVATION,
    Kind.CASE,
    Kind.CONFLICT,
    Kind.ORDER,
    Kind.VETO,
)
"""What is exchanged; whatever a record points at comes before it, but for records of its own kind."""

WITH_OWN_ID = frozenset({Kind.CONFLICT, Kind.ORDER, Kind.VETO})
"""Kinds whose `entry` has the record's id a second time; it is not written, and is filled in."""

MAX_FAULTS = 1000
"""So many faults are told; a document with more is best mended in steps."""

_ID: TypeAdapter[str] = TypeAdapter(Id)


class Place(Protocol):
    """Where a record stands in what was read."""

    def at(self, path: Sequence[int | str] = ()) -> str:
        """Return where one of its fields stands."""


@dataclass(frozen=True)
class Pointer:
    """A record's place in a JSON document."""

    collection: str
    index: int

    def at(self, path: Sequence[int | str] = ()) -> str:
        """Return the JSON Pointer of a field."""
        return "".join(f"/{part}" for part in (self.collection, self.index, *path))


@dataclass(frozen=True)
class Derived:
    """The place of a record that came of a case; only the ids are the case's own."""

    kind: Kind
    id: str

    def at(self, path: Sequence[int | str] = ()) -> str:
        """Return which record it is, and the field."""
        return f"{self.kind} {self.id}" + "".join(f"/{part}" for part in path)


class Record(NamedTuple):
    """A record that is not stored yet."""

    kind: Kind
    id: str
    body: Body


@dataclass(frozen=True)
class Entry:
    """A record that was read.

    Attributes:
        record: The record.
        place: Where it stands.
        version: The version that was exported, if the document says so: the record is changed only if nobody
            has changed it since.
    """

    record: Record
    place: Place
    version: int | None = None


class Faults:
    """What is wrong with a document, gathered until all of it has been looked at."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], None] = {}

    def add(self, place: str, expected: str) -> None:
        """Note one."""
        if not self.too_many:
            self._found[place, expected] = None

    @property
    def too_many(self) -> bool:
        """Whether there are so many that the rest is not looked at."""
        return len(self._found) >= MAX_FAULTS

    def check(self) -> None:
        """Refuse the document if anything was found.

        Raises:
            DocumentError: With all of it.
        """
        if self._found:
            problems = [Problem(path=place, expected=expected) for place, expected in self._found]
            if self.too_many:
                rest = f"fewer than {MAX_FAULTS} faults; mend these first, for the rest was not looked at"
                problems.append(Problem(path="", expected=rest))
            raise DocumentError(tuple(problems))


def plain_body(record: Record) -> dict[str, Any]:
    """Return a record's fields as plain values as JSON has them, without what goes without saying."""
    told = record.body.model_dump(exclude_defaults=True)
    plain: dict[str, Any] = orjson.loads(orjson.dumps(told, default=_in_order))
    if record.kind in WITH_OWN_ID:
        plain["entry"].pop("id", None)
    return plain


def _in_order(value: Any) -> Any:
    """Return a set as a list; a set has no order of its own."""
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(type(value).__name__)


def read_entry(kind: Kind, content: dict[str, Any], place: Place, faults: Faults) -> Entry | None:
    """Return the record in plain values as JSON has them; None if something is wrong, which is noted."""
    plain = dict(content)
    identifier, version = plain.pop("id", None), plain.pop("version", None)
    whole = True
    try:
        identifier = _ID.validate_python(identifier)
    except ValidationError:
        faults.add(
            place.at(["id"]), "an id of 1 to 64 letters, digits or one of . : _ - that begins with no sign"
        )
        whole = False
    if version is not None and (type(version) is not int or version < 1):
        faults.add(place.at(["version"]), "a whole number from 1, or nothing")
        whole = False
    if kind in WITH_OWN_ID and isinstance(plain.get("entry"), dict):
        plain["entry"] = {**plain["entry"], "id": identifier if whole else "x"}
    try:
        body = BODIES[kind].model_validate_json(orjson.dumps(plain))
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            path, expected = _told(kind, item["type"], item["msg"], item.get("ctx", {}), item["loc"])
            faults.add(place.at(path), expected)
        return None
    return Entry(Record(kind, identifier, body), place, version) if whole else None


def _told(
    kind: Kind, what: str, message: str, context: dict[str, Any], location: tuple[int | str, ...]
) -> tuple[list[int | str], str]:
    """Return where a model found a fault and what it expects; names that are not ours are not repeated."""
    known = field_names(kind)
    path = [part for part in location if not (isinstance(part, str) and "[" in part)]
    if what == "extra_forbidden":
        *path, field = path
        problem = known_fields_only("", str(field), known)
    else:
        problem = expectation("", what, message, context)
    return [part if isinstance(part, int) or part in known else "…" for part in path], problem.expected


@cache
def field_names(kind: Kind) -> frozenset[str]:
    """Return every name that a field of a kind of record, or of a record in it, has."""
    schema = BODIES[kind].model_json_schema()
    names = {"id", "version", *schema["properties"]}
    for definition in schema.get("$defs", {}).values():
        names.update(definition.get("properties", ()))
    return frozenset(names)
