"""Two records of one person are made one (E-30): what each says, and what else points at them."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel

from allocator.casework.codes import AddressProtection
from allocator.casework.committee import Rested
from allocator.casework.people import Person
from allocator.casework.records import Body, Kind, about, naming
from allocator.codes import FactStatus
from allocator.model import ApplicantFacts, Assessed, ExpiringAssessment
from allocator.model import Conflict as ConflictEntry
from allocator.model import Order as OrderEntry

R = TypeVar("R", bound=BaseModel)

Fact = Assessed[Any] | ExpiringAssessment
"""What is recorded of one fact of a person."""

_ENTRIES: dict[type[BaseModel], tuple[str, ...]] = {
    ConflictEntry: ("party", "counterpart"),
    OrderEntry: ("bound", "protected"),
}
"""Entries of the rules' own model, whose fields do not say that they name persons."""


def same_content(one: Fact, other: Fact) -> bool:
    """Return whether two records of a fact say the same, whoever said it and when."""
    return said(one) == said(other)


def said(fact: Fact) -> dict[str, Any]:
    """Return what a fact says, without where it comes from and how long it holds."""
    frame = set(Assessed.model_fields) - {"value"} | set(ExpiringAssessment.model_fields)
    return {name: value for name, value in vars(fact).items() if name not in frame}


def holds(fact: Fact, day: date) -> bool:
    """Return whether a fact can be read on a day."""
    return fact.holds(day) if isinstance(fact, ExpiringAssessment) else fact.at(day) is not None


def one_person(stays: Person, gone: Person, day: date) -> Person:
    """Return what is known of a person of whom there were two records.

    What nobody has asked under the record that stays, or what has run out there, follows from the other.
    Where both hold and say different things, the fact is disputed until somebody has found out (REQ-PVN-10).
    """
    facts: dict[str, Any] = {
        name: _one_fact(getattr(stays.facts, name), getattr(gone.facts, name), day)
        for name in ApplicantFacts.model_fields
    }
    grades = list(AddressProtection)
    known = {
        name: getattr(gone, name) if getattr(stays, name) is None else getattr(stays, name)
        for name in ("name", "language", "interpreter", "contact", "works_here")
    }
    return stays.model_copy(
        update={
            **known,
            "protection": max(stays.protection, gone.protection, key=grades.index),
            "facts": ApplicantFacts(**facts),
            "representatives": tuple(dict.fromkeys((*stays.representatives, *gone.representatives))),
        }
    )


def _one_fact(stays: Fact, gone: Fact, day: date) -> Fact:
    if stays.status is FactStatus.NOT_ASKED:
        return gone
    if stays.status is not FactStatus.KNOWN or not holds(gone, day):
        return stays
    if not holds(stays, day):
        return gone
    if same_content(stays, gone):
        return stays
    return stays.model_copy(update={"status": FactStatus.DISPUTED})


def pointed(record: R, gone: str, stays: str) -> R:
    """Return a record that points at one person wherever it pointed at another."""
    persons = {name for name, kinds in naming(type(record)).items() if Kind.PERSON in kinds}
    persons.update(_ENTRIES.get(type(record), ()))
    if isinstance(record, Rested):
        link = about(record.path, record.of)
        persons |= {"of"} if link is not None and link.kind is Kind.PERSON else set()
    changed: dict[str, Any] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        new = _pointed(value, gone, stays, named=name in persons)
        if new != value:
            changed[name] = new
    return record.model_copy(update=changed) if changed else record


def _pointed(value: Any, gone: str, stays: str, *, named: bool) -> Any:
    if isinstance(value, BaseModel):
        return pointed(value, gone, stays)
    if isinstance(value, tuple | frozenset):
        return type(value)(_pointed(item, gone, stays, named=named) for item in value)
    return stays if named and value == gone else value


def exchanged(body: Body, gone: str, stays: str) -> dict[str, Any]:
    """Return the fields of a body that change when it points at one person instead of another."""
    new = pointed(body, gone, stays)
    names = type(body).model_fields
    return {name: getattr(new, name) for name in names if getattr(new, name) != getattr(body, name)}
