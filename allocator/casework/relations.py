"""What keeps people apart: known conflicts and restraining orders. For cleared roles only."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from pydantic import Field

from allocator.casework.cases import Closing
from allocator.casework.codes import PartyRole
from allocator.casework.records import AccountId, Body, Kind, Link
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
