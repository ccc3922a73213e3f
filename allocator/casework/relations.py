"""What keeps people apart: conflicts and orders, and what they stand in the way of. For the cleared alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from pydantic import Field

from allocator.casework.cases import Closing
from allocator.casework.codes import PartyRole, RecheckAnswer, RecheckState
from allocator.casework.records import (
    AccountId,
    Body,
    CaseId,
    ConflictId,
    DecisionId,
    Kind,
    Link,
    OrderId,
    PersonId,
    TenancyId,
    UnitId,
)
from allocator.codes import ConflictStatus, FactSource
from allocator.model import Conflict as ConflictEntry
from allocator.model import Day, Name, Record, Text
from allocator.model import Order as OrderEntry


class Confirmation(Record):
    """That somebody else has confirmed an entry, or that it still holds (E-04, REQ-PVN-3)."""

    source: FactSource
    text: Text
    by: AccountId
    on: Day


class Conflict(Body):
    """A conflict between two persons, with what each was to the other and who keeps it up to date.

    `entry.party` and `entry.counterpart` are ids of persons.
    """

    kind: ClassVar[Kind] = Kind.CONFLICT

    entry: ConflictEntry
    party_role: PartyRole = PartyRole.UNKNOWN
    counterpart_role: PartyRole = PartyRole.UNKNOWN
    explanation: Text = Field(description="What happened, from whom it is known; needed for every entry.")
    confirmations: tuple[Confirmation, ...] = Field(default=(), description="The first one first.")
    author: AccountId
    review_by: Day = Field(description="When it must be confirmed again; nothing here lasts for ever.")
    closing: Closing | None = None

    def get_state(self) -> str:
        """Say where the entry stands."""
        return self.entry.status.value if self.closing is None else "closed"

    def due(self) -> date | None:
        """Say when it must be confirmed again."""
        live = self.closing is None and self.entry.status is not ConflictStatus.REFUTED
        return self.review_by if live else None

    def links(self) -> frozenset[Link]:
        """Mention both parties, and the schemes that a visitor frequents."""
        people = {p for p in (self.entry.party, self.entry.counterpart) if p is not None}
        return super().links() | (
            {Link(Kind.PERSON, p) for p in people} | {Link(Kind.SCHEME, s) for s in self.entry.frequents}
        )

    def subjects(self) -> frozenset[Link]:
        """Be about both parties."""
        people = (p for p in (self.entry.party, self.entry.counterpart) if p is not None)
        return super().subjects() | {Link(Kind.PERSON, p) for p in people}


class Order(Body):
    """A restraining order; `entry.bound` and `entry.protected` are ids of persons (REQ-BF-1)."""

    kind: ClassVar[Kind] = Kind.ORDER

    entry: OrderEntry
    issuer: Name | None = None
    verified_by: AccountId | None = None
    verified_on: Day | None = None
    earlier: tuple[OrderEntry, ...] = Field(default=(), description="What it said before it was extended.")
    closing: Closing | None = None

    def get_state(self) -> str:
        """Say whether it is kept."""
        return "open" if self.closing is None else "closed"

    def due(self) -> date | None:
        """Say when somebody must look at it: before it runs out (REQ-BF-3)."""
        return None if self.closing else self.entry.valid_until - timedelta(days=14)

    def links(self) -> frozenset[Link]:
        """Mention who is bound and who is protected, and the schemes it forbids."""
        people = {p for p in (self.entry.bound, self.entry.protected) if p is not None}
        return super().links() | (
            {Link(Kind.PERSON, p) for p in people}
            | {Link(Kind.SCHEME, s) for s in self.entry.forbidden_schemes}
        )

    def subjects(self) -> frozenset[Link]:
        """Be about who is bound and who is protected."""
        people = (p for p in (self.entry.bound, self.entry.protected) if p is not None)
        return super().subjects() | {Link(Kind.PERSON, p) for p in people}


class Recheck(Body):
    """That a placement must be looked at again: what was learnt after it was decided bars it now (E-08).

    That there is one tells that somebody must be kept apart from somebody, so it is for the cleared alone.

    Attributes:
        decision: The decision that gives the unit; `case` and `unit` are what it gives to whom.
        tenancy: Their home there, once they have moved in: then it is a question to those who follow up.
        conflicts: What was recorded or changed, and so for `orders`.
        about: Who must be kept apart.
        rules: The rules that bar it now; none if the engine could not be asked.
        answer: What somebody found, and `found` why.
    """

    kind: ClassVar[Kind] = Kind.RECHECK

    decision: DecisionId
    case: CaseId
    unit: UnitId
    tenancy: TenancyId | None = None
    conflicts: frozenset[ConflictId] = frozenset()
    orders: frozenset[OrderId] = frozenset()
    about: frozenset[PersonId]
    rules: tuple[Name, ...] = ()
    opened_on: Day
    by: Day = Field(description="When somebody must have looked at it.")
    state: RecheckState = RecheckState.OPEN
    answer: RecheckAnswer | None = None
    found: Text | None = None
    answered_by: AccountId | None = None
    closed_on: Day | None = None

    def due(self) -> date | None:
        """Say by when somebody must look at it."""
        return self.by if self.state is RecheckState.OPEN else None

    def order(self) -> str:
        """List the nearest first."""
        return self.by.isoformat()

    def holds(self) -> frozenset[str]:
        """Let a placement have one at a time."""
        return frozenset({f"recheck:{self.decision}"}) if self.state is RecheckState.OPEN else frozenset()

    def subjects(self) -> frozenset[Link]:
        """Be about all who must be kept apart."""
        return super().subjects() | {Link(Kind.PERSON, person) for person in self.about}
