"""Cases: somebody's housing, from the application to the home."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.casework.codes import ENDED_CASES, CaseOrigin, CaseState, ClarificationState, DecisionType
from allocator.casework.days import months_after
from allocator.casework.records import AccountId, Body, CaseId, Kind, Link, PersonId, SchemeId, about
from allocator.facts import Ask, Missing
from allocator.model import Day, Id, MunicipalityCode, Name, Placement, Record, Text, Wishes


class NearWish(Record):
    """A wish to live near somebody who lives in a scheme already (E-26).

    Without that person's yes it is as if it had not been said: it is not passed on and nobody tells.
    """

    person: PersonId
    asked_on: Day | None = None
    consents: bool | None = None

    @property
    def counts(self) -> bool:
        """Whether it may be read and told of: only with their yes; a no is as if nobody had asked."""
        return self.consents is True


class Closing(Record):
    """That something was ended, when and why."""

    on: Day
    reason: Text


class Case(Body):
    """One person's case.

    Attributes:
        person: Whose it is.
        state: Where it stands.
        origin: How it began.
        received_on: The day it began to run.
        waiting_since: The day that the place on the waiting list counts from. Never lost by a refusal.
        protection_checked_on: When address protection was looked up.
        preliminary_reply_on: When a preliminary reply was sent (REQ-BSL-1).
        decision_types: Which decisions it asks for.
        wishes: The applicant's own say.
        placement: What is asked for.
        assessed_on: When the assessment was complete, or what was missing was listed.
        listed_on: When it came on the waiting list.
        premises_valid_until: Until when what the list was made on holds.
        together_with: The case of the one they apply with (E-09).
        near: A wish to live near somebody.
        barred: Accounts that may not see it: related, treating, or otherwise disqualified (E-28).
        handled_by: Another unit that handles it, for somebody who works here (E-29).
        responsible_municipality: Who pays, when it is another (E-31).
        closing: When and why it ended.
    """

    kind: ClassVar[Kind] = Kind.CASE

    person: PersonId
    state: CaseState = CaseState.RECEIVED
    origin: CaseOrigin = CaseOrigin.APPLICATION
    received_on: Day
    waiting_since: Day
    protection_checked_on: Day | None = None
    preliminary_reply_on: Day | None = None
    decision_types: frozenset[DecisionType] = frozenset({DecisionType.ALLOCATION})
    wishes: Wishes | None = None
    placement: Placement = Placement()
    assessed_on: Day | None = None
    listed_on: Day | None = None
    premises_valid_until: Day | None = None
    together_with: CaseId | None = None
    near: NearWish | None = None
    barred: frozenset[AccountId] = frozenset()
    handled_by: Name | None = None
    responsible_municipality: MunicipalityCode | None = None
    closing: Closing | None = None

    def due(self) -> date | None:
        """Say when a preliminary reply is due: a month after it was received, until something is decided."""
        early = (CaseState.RECEIVED, CaseState.ASSESSMENT, CaseState.ASSISTANCE_ASSESSED, CaseState.CRISIS)
        if self.state not in early or self.preliminary_reply_on is not None:
            return self.premises_valid_until if self.state is CaseState.WAITING_LIST else None
        return month_after(self.received_on)

    def order(self) -> str:
        """List who has waited longest first."""
        return self.waiting_since.isoformat()

    def holds(self) -> frozenset[str]:
        """Let a person have one case at a time that looks for a home."""
        ended = self.closing is not None or self.state in ENDED_CASES
        return frozenset() if ended else frozenset({f"case-of:{self.person}"})

    def links(self) -> frozenset[Link]:
        """Add the schemes that the wishes mention."""
        wished: set[Link] = set()
        if self.wishes is not None:
            wished.update(Link(Kind.SCHEME, wish.scheme) for wish in self.wishes.preferred)
            wished.update(Link(Kind.SCHEME, said.scheme) for said in self.wishes.reservations)
        return super().links() | wished


def month_after(day: date) -> date:
    """Return the same day of the next month, or its last day if it has no such day."""
    return months_after(day, 1)


class Clarification(Body):
    """A question for a human: ask X about Y (*avklaring*). Opens and closes by itself as facts change.

    Exactly one of `person`, `unit`, `scheme` and `group` says whom or what it is about.
    """

    kind: ClassVar[Kind] = Kind.CLARIFICATION

    path: Name = Field(description="The fact that is missing, as the vocabulary names it.")
    why: Missing
    ask: Ask
    person: PersonId | None = None
    place: Id | None = Field(default=None, description="The unit, living group or scheme it is about.")
    scheme: SchemeId | None = None
    only_for: CaseId | None = Field(
        default=None, description="The one case it is for, where others may not know of that case."
    )
    cases: frozenset[CaseId] = Field(default=frozenset(), description="Cases that wait for the answer.")
    state: ClarificationState = ClarificationState.OPEN
    opened_on: Day
    closed_on: Day | None = None
    note: Text | None = Field(default=None, description="Why it cannot be known, in a person's words.")

    @model_validator(mode="after")
    def _about_something(self) -> Self:
        if (self.person is None) is (self.place is None):
            raise PydanticCustomError("veto_scope", "either `person` or `place`")
        return self

    @property
    def of(self) -> str:
        """The id of whom or what it is about."""
        return self.person or self.place or ""

    def order(self) -> str:
        """List the oldest first."""
        return self.opened_on.isoformat()

    def links(self) -> frozenset[Link]:
        """Add the place it is about."""
        link = about(self.path, self.of)
        return super().links() if link is None else super().links() | {link}
