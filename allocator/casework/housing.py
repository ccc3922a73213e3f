"""Housing: schemes, units, who lives where over time, and what is held back.

What a unit's status is on a day is nowhere stored: :mod:`allocator.casework.occupancy` says it from who lives
there, what is reserved and what is closed.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.casework.codes import AbsenceKind, ClosureKind, EndReason, ReservationReason
from allocator.casework.records import (
    AccountId,
    Body,
    CaseId,
    DecisionId,
    Kind,
    PersonId,
    SchemeId,
    TenancyId,
    UnitId,
)
from allocator.codes import AgreementForm
from allocator.model import Day, Id, Months, Name, Record, SchemeFacts, Text, UnitFacts


class Group(Record):
    """A living group of a scheme."""

    id: Id
    name: Name


class Scheme(Body):
    """A scheme, with the names of its living groups."""

    kind: ClassVar[Kind] = Kind.SCHEME

    facts: SchemeFacts
    groups: tuple[Group, ...] = ()


class Closure(Record):
    """A time in which nobody can move into a unit."""

    kind: ClosureKind
    since: Day
    until: Day | None = Field(default=None, description="Last day of it; missing means: not known.")
    reason: Text | None = None


class Unit(Body):
    """A unit as it is built, where it is, and whether it can be lived in."""

    kind: ClassVar[Kind] = Kind.UNIT

    scheme: SchemeId
    group: Id
    facts: UnitFacts = UnitFacts()
    first_ready_on: Day | None = Field(default=None, description="When it could first be moved into.")
    closure: Closure | None = None

    def order(self) -> str:
        """List by scheme."""
        return self.scheme


class Notice(Record):
    """Notice to quit: no vacancy before its last day (E-11)."""

    given_on: Day | None = Field(default=None, description="Missing means: nobody wrote it down.")
    move_out: Day = Field(description="Last day in the unit.")
    by_resident: bool | None = Field(default=None, description="Missing means: nobody wrote it down.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.given_on is not None and self.move_out < self.given_on:
            raise PydanticCustomError("date_order", "`move_out` on or after `given_on`")
        return self


class Agreement(Record):
    """What is agreed for living there (REQ-HUS-1). Its label decides nothing; its content does."""

    form: AgreementForm
    signed_on: Day
    starts_on: Day
    ends_on: Day | None = None
    notice_months: Months | None = None
    exception_ground: Text | None = Field(
        default=None, description="Why a fixed term is shorter than the usual least."
    )
    written_notice_given: bool | None = Field(default=None, description="The exception was told in writing.")
    legal_basis: Name | None = None
    letter_signed: bool | None = Field(default=None, description="The information letter is signed.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise PydanticCustomError("date_order", "`ends_on` on or after `starts_on`")
        return self


class Absence(Record):
    """A time away; whoever is away lives there all the same (E-12)."""

    kind: AbsenceKind
    since: Day
    expected_back: Day | None = None


class Tenancy(Body):
    """A person in a unit over a period (*leieforhold*)."""

    kind: ClassVar[Kind] = Kind.TENANCY

    person: PersonId
    unit: UnitId
    scheme: SchemeId
    moved_in: Day | None = Field(default=None, description="Missing means: before anybody wrote it down.")
    shares: TenancyId | None = Field(
        default=None, description="The tenancy of the one whose unit they share (E-09)."
    )
    agreements: tuple[Agreement, ...] = Field(default=(), description="Each that was signed, by start.")
    notice: Notice | None = None
    absence: Absence | None = None
    case: CaseId | None = None
    decision: DecisionId | None = None
    moved_out: Day | None = Field(default=None, description="Last day they lived there.")
    end_reason: EndReason | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.moved_out is None) is not (self.end_reason is None):
            raise PydanticCustomError("date_order", "`moved_out` and `end_reason` together")
        if self.moved_in and self.moved_out and self.moved_out < self.moved_in:
            raise PydanticCustomError("date_order", "`moved_out` on or after `moved_in`")
        return self

    def get_state(self) -> str:
        """Say whether they live there."""
        return "current" if self.moved_out is None else "ended"

    def due(self) -> date | None:
        """Say when the agreement ends or the notice runs out."""
        if self.moved_out is not None:
            return None
        ends = [a.ends_on for a in self.agreements[-1:] if a.ends_on is not None]
        return min([*ends, *([self.notice.move_out] if self.notice else [])], default=None)

    def holds(self) -> frozenset[str]:
        """Hold the unit, and the person's one home, while they live there; who shares one holds no unit."""
        if self.moved_out is not None:
            return frozenset()
        home = {f"home:{self.unit}"} if self.shares is None else set()
        return frozenset({*home, f"lives:{self.person}"})


class UnitReservation(Body):
    """A unit held back for another reason than an allocation (E-13)."""

    kind: ClassVar[Kind] = Kind.RESERVATION

    unit: UnitId
    scheme: SchemeId
    reason: ReservationReason
    note: Text | None = None
    owner: AccountId
    until: Day
    case: CaseId | None = None
    released_on: Day | None = None

    def get_state(self) -> str:
        """Say whether it was released; whether it has run out depends on the day."""
        return "open" if self.released_on is None else "released"

    def due(self) -> date | None:
        """Say when it runs out."""
        return self.until if self.released_on is None else None

    def holds(self) -> frozenset[str]:
        """Hold the unit against other reservations."""
        return frozenset({f"reserved:{self.unit}"}) if self.released_on is None else frozenset()
