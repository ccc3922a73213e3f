"""People: whoever applies, lives in a scheme, or is mentioned by one who does.

One record a person, whatever they are at the moment: an applicant has a case, a resident a tenancy.
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.casework.codes import STRICT, AddressProtection, RepresentativeKind
from allocator.casework.records import Body, Kind, PersonId
from allocator.model import ApplicantFacts, Day, Name, Record, Text


class Representative(Record):
    """Who acts for the person, and is told what the person is told (REQ-BSL-2)."""

    name: Name
    kind: RepresentativeKind
    since: Day
    until: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise PydanticCustomError("date_order", "`until` on or after `since`")
        return self


class Person(Body):
    """A person and what is known of them.

    Attributes:
        name: Shown on demand, with a purpose.
        protection: Address protection.
        facts: What the rules may read, each fact with its source, date and validity.
        representatives: Who acts for them.
        language: What they want to be spoken to in, if not Norwegian.
        interpreter: Whether they need one; no inference is made from it.
        contact: How to reach them, by their own wish (E-20).
        works_here: They work or have worked in a scheme of the municipality (E-29).
        merged_into: The record that has taken this one's place (E-30).
    """

    kind: ClassVar[Kind] = Kind.PERSON

    name: Name | None = None
    protection: AddressProtection = AddressProtection.UNGRADED
    facts: ApplicantFacts = ApplicantFacts()
    representatives: tuple[Representative, ...] = ()
    language: Name | None = None
    interpreter: bool | None = None
    contact: Text | None = None
    works_here: bool | None = None
    merged_into: PersonId | None = Field(default=None, description="The record that stands for this person.")

    @property
    def strict(self) -> bool:
        """Whether only those cleared for kode 6 may know of the person."""
        return self.protection in STRICT

    def get_state(self) -> str:
        """Say whether the person is kode 6, so that all of them are found at once; or that it is merged.

        A record that is merged into that of somebody who is kode 6 is as well hidden as theirs.
        """
        if self.strict:
            return "strict"
        return "open" if self.merged_into is None else "merged"
