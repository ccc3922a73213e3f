"""What a stored record is: a body of facts, its versions, and how it is found again.

Nothing stored is overwritten. A change is a new version of the whole body with who made it, when and by which
use case; the newest one counts. What the store must know of a body to find it and to keep two records from
holding the same thing (two tenancies in one unit), the body says itself: see :class:`Body`.
"""

from __future__ import annotations

import hashlib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import orjson
from pydantic import BaseModel

from allocator.model import Id, Name, Record


class Kind(StrEnum):
    """Kinds of stored record."""

    PERSON = "person"
    SCHEME = "scheme"
    UNIT = "unit"
    TENANCY = "tenancy"
    RESERVATION = "reservation"
    CASE = "case"
    CONFLICT = "conflict"
    ORDER = "order"
    RECHECK = "recheck"
    VETO = "veto"
    COMMENT = "comment"
    HEARING = "hearing"
    SAY = "say"
    HAZARD = "hazard"
    CLARIFICATION = "clarification"
    SUGGESTION = "suggestion"
    MEETING = "meeting"
    DECISION = "decision"
    OFFER = "offer"
    REVIEW = "review"
    APPEAL = "appeal"
    OUTCOME = "outcome"
    POLICY = "policy"
    ACCOUNT = "account"


FACT_KINDS = frozenset(
    {
        Kind.PERSON,
        Kind.SCHEME,
        Kind.UNIT,
        Kind.TENANCY,
        Kind.RESERVATION,
        Kind.CASE,
        Kind.CONFLICT,
        Kind.ORDER,
        Kind.VETO,
        Kind.OFFER,
        Kind.DECISION,
    }
)
"""Kinds that a snapshot is put together from: when none of them has changed, neither have the facts."""


@dataclass(frozen=True)
class Names:
    """Marks an id as that of a record of some kind."""

    kind: Kind


PersonId = Annotated[Id, Names(Kind.PERSON)]
SchemeId = Annotated[Id, Names(Kind.SCHEME)]
UnitId = Annotated[Id, Names(Kind.UNIT)]
TenancyId = Annotated[Id, Names(Kind.TENANCY)]
CaseId = Annotated[Id, Names(Kind.CASE)]
ConflictId = Annotated[Id, Names(Kind.CONFLICT)]
OrderId = Annotated[Id, Names(Kind.ORDER)]
VetoId = Annotated[Id, Names(Kind.VETO)]
HazardId = Annotated[Id, Names(Kind.HAZARD)]
HearingId = Annotated[Id, Names(Kind.HEARING)]
SuggestionId = Annotated[Id, Names(Kind.SUGGESTION)]
MeetingId = Annotated[Id, Names(Kind.MEETING)]
DecisionId = Annotated[Id, Names(Kind.DECISION)]
OfferId = Annotated[Id, Names(Kind.OFFER)]
AccountId = Annotated[Id, Names(Kind.ACCOUNT)]


@dataclass(frozen=True)
class Keeps:
    """Marks a field as the hash of content that is kept beside the records."""


KeptSha256 = Annotated[Name, Keeps()]


class Link(typing.NamedTuple):
    """That a record mentions another."""

    kind: Kind
    id: str


@typing.runtime_checkable
class Mentioning(typing.Protocol):
    """A record within a body that says itself what it mentions: its fields alone do not tell the kind."""

    def mentions(self) -> frozenset[Link]:
        """Return what it mentions."""


_ABOUT: Mapping[str, Kind] = {
    "applicant": Kind.PERSON,
    "resident": Kind.PERSON,
    "choice": Kind.PERSON,
    "unit": Kind.UNIT,
    "scheme": Kind.SCHEME,
}


def about(path: str, identifier: str) -> Link | None:
    """Return whom or what a fact of the vocabulary is about; None for what is no record of its own."""
    kind = _ABOUT.get(path.partition(".")[0])
    return None if kind is None else Link(kind, identifier)


class Body(Record):
    """The content of a stored record.

    What the store asks of a body is derived from its fields: `state` to filter by, `due` for lists of what is
    late, `order` to list by, `links` to find all that mentions somebody (REQ-PVN-8), `holds` for what only
    one record may have at a time.
    """

    kind: ClassVar[Kind]

    def get_state(self) -> str:
        """Return where the record stands; empty if there is nothing to say."""
        return str(getattr(self, "state", ""))

    def due(self) -> date | None:
        """Return the day by which somebody has to do something about it."""
        return None

    def order(self) -> str:
        """Return the text that lists of such records are sorted by, before their ids."""
        return ""

    def holds(self) -> frozenset[str]:
        """Return the keys that no other record may hold while this one does."""
        return frozenset()

    def links(self) -> frozenset[Link]:
        """Return what it mentions."""
        return frozenset(mentioned(self))

    def subjects(self) -> frozenset[Link]:
        """Return whom and what it is about: who may not know of one of these may not know of it.

        Those in its lists are not among them; a reader who may not know of one gets the list without it.
        """
        plain = {name for name in type(self).model_fields if isinstance(getattr(self, name), str)}
        return frozenset(
            Link(kind, getattr(self, name))
            for name, kinds in naming(type(self)).items()
            for kind in kinds
            if name in plain
        )


B = TypeVar("B", bound=Body)
B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True)
class Stored(Generic[B_co]):
    """One version of a record.

    Attributes:
        kind: Its kind.
        id: Its id.
        version: 1 for the first, one more for each change.
        body: Its content.
        at: When this version was made.
        by: The account that made it.
        change: The use case that made it.
        reason: Why, where the use case asks for it.
    """

    kind: Kind
    id: str
    version: int
    body: B_co
    at: datetime
    by: str
    change: str
    reason: str | None = None


# ---------------------------------------------------------------------------------------------- bytes


def body_bytes(body: Body) -> bytes:
    """Return a body as it is stored: JSON with keys and sets in order; equal bodies are equal bytes."""
    return orjson.dumps(body.model_dump(), default=_listed, option=orjson.OPT_SORT_KEYS)


def body_sha256(body: Body) -> str:
    """Return the hash of a body, as the log has it."""
    return hashlib.sha256(body_bytes(body)).hexdigest()


def reason_sha256(body: str, reason: str | None) -> str | None:
    """Return the hash of why a version was made, as the log has it; equal reasons do not show."""
    return None if reason is None else hashlib.sha256(f"{body}\0{reason}".encode()).hexdigest()


def _listed(value: Any) -> Any:
    """Return a set as a list; a set has no order of its own."""
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(type(value).__name__)


# ------------------------------------------------------------------------------------------ mentioning


def mentioned(record: BaseModel) -> Iterator[Link]:
    """Yield the links that the fields of a record hold, of itself and of the records within it."""
    if _tells(type(record)):
        yield from typing.cast("Mentioning", record).mentions()
    for name, kinds in naming(type(record)).items():
        value = getattr(record, name)
        for kind in kinds:
            yield from (Link(kind, item) for item in _flat(value) if isinstance(item, str))
    for name in _nesting(type(record)):
        for item in _flat(getattr(record, name)):
            if isinstance(item, BaseModel):
                yield from mentioned(item)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _flat(item)
    elif isinstance(value, tuple | list | frozenset | set):
        for item in value:
            yield from _flat(item)
    elif value is not None:
        yield value


@cache
def _tells(kind: type[BaseModel]) -> bool:
    """Return whether records of a kind say themselves what they mention."""
    return issubclass(kind, Mentioning)


@cache
def naming(kind: type[BaseModel]) -> dict[str, tuple[Kind, ...]]:
    """Return the fields of a record that hold ids of others, and of which kind those are."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = {name: tuple(m.kind for m in _marks(hints[name])) for name in kind.model_fields}
    return {name: kinds for name, kinds in found.items() if kinds}


@cache
def kept_fields(kind: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of a record that hold hashes of kept content."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.model_fields if any(_keeps(hints[name])))


def _keeps(hint: Any) -> Iterator[Keeps]:
    if typing.get_origin(hint) is Annotated:
        yield from (extra for extra in hint.__metadata__ if isinstance(extra, Keeps))
    for part in typing.get_args(hint):
        yield from _keeps(part)


@cache
def _nesting(kind: type[BaseModel]) -> tuple[str, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.model_fields if any(_models(hints[name])))


def _marks(hint: Any) -> Iterator[Names]:
    if typing.get_origin(hint) is Annotated:
        yield from (extra for extra in hint.__metadata__ if isinstance(extra, Names))
    for part in typing.get_args(hint):
        yield from _marks(part)


def _models(hint: Any) -> Iterator[type[BaseModel]]:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    for part in typing.get_args(hint):
        yield from _models(part)
