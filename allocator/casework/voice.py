"""The voice of those who know the house: objections, comments, hearings, and what residents say."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.casework.codes import (
    Evidence,
    HazardKind,
    HearingState,
    SayAnswer,
    SayQuestion,
    StatementKind,
    VetoAnswer,
)
from allocator.casework.records import (
    AccountId,
    Body,
    CaseId,
    HearingId,
    Kind,
    Link,
    MeetingId,
    PersonId,
    SchemeId,
    SuggestionId,
    UnitId,
    VetoId,
)
from allocator.codes import FactSource, Measure
from allocator.model import Day, Id, Name, Record, Text
from allocator.model import Veto as VetoEntry


class Answered(Record):
    """The committee's written answer to an objection."""

    answer: VetoAnswer
    reason: Text
    by: AccountId
    on: Day
    meeting: MeetingId | None = None


class Veto(Body):
    """An objection by scheme staff (*innvending*); `entry.applicant` is the id of a case.

    Attributes:
        entry: Against whom and where, on which ground and fact, until when.
        scheme: The scheme whose staff object.
        author: Who objects.
        remedy: What would make it unnecessary.
        evidence: What else it rests on.
        words: Words of the word list that were found; a notice to author and leader (REQ-VET-2).
        hearing: The hearing in which it was raised.
        answered: The committee's answer.
    """

    kind: ClassVar[Kind] = Kind.VETO

    entry: VetoEntry
    scheme: SchemeId
    author: AccountId
    remedy: Text | None = None
    evidence: frozenset[Evidence] = frozenset()
    words: tuple[Name, ...] = ()
    hearing: HearingId | None = None
    answered: Answered | None = None

    def get_state(self) -> str:
        """Say where it stands; whether it has run out depends on the day."""
        return self.entry.status.value

    def due(self) -> date | None:
        """Say when it runs out."""
        return self.entry.valid_until

    def order(self) -> str:
        """List the oldest first."""
        return self.entry.raised_on.isoformat()

    def links(self) -> frozenset[Link]:
        """Mention the case and the unit."""
        unit = set() if self.entry.unit is None else {Link(Kind.UNIT, self.entry.unit)}
        return super().links() | unit | {Link(Kind.CASE, self.entry.applicant)}

    def subjects(self) -> frozenset[Link]:
        """Be about the case."""
        return super().subjects() | {Link(Kind.CASE, self.entry.applicant)}


class Comment(Body):
    """A free remark (*merknad*) about one record, or an answer to another remark. No effect on rank."""

    kind: ClassVar[Kind] = Kind.COMMENT

    about: Kind
    of: Id = Field(description="The id of what it is about.")
    case: CaseId | None = None
    scheme: SchemeId | None = None
    parent: Id | None = Field(default=None, description="The remark it answers.")
    author: AccountId
    text: Text
    source: FactSource | None = Field(
        default=None, description="Where it comes from; oral needs who and when."
    )
    words: tuple[Name, ...] = ()
    withdrawn: bool = False

    def links(self) -> frozenset[Link]:
        """Mention what it is about."""
        parent = set() if self.parent is None else {Link(Kind.COMMENT, self.parent)}
        return super().links() | parent | {Link(self.about, self.of)}

    def subjects(self) -> frozenset[Link]:
        """Be about what it is about."""
        return super().subjects() | {Link(self.about, self.of)}


class Statement(Record):
    """What one of the staff says in a hearing."""

    kind: StatementKind
    text: Text | None = None
    by: AccountId
    on: Day
    veto: VetoId | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind is StatementKind.COMMENT and not self.text:
            raise PydanticCustomError("document", "`text` for a comment")
        if (self.kind is StatementKind.OBJECTION) is (self.veto is None):
            raise PydanticCustomError("document", "`veto` for an objection, and only there")
        return self


class Hearing(Body):
    """A suggestion on its way to a meeting, sent to the staff of one scheme (*høring*)."""

    kind: ClassVar[Kind] = Kind.HEARING

    case: CaseId
    suggestion: SuggestionId | None = None
    scheme: SchemeId
    units: tuple[UnitId, ...] = Field(default=(), description="The units of the scheme it is about.")
    sent_on: Day
    deadline: Day
    after_the_fact: bool = Field(default=False, description="After a crisis placement (E-22).")
    state: HearingState = HearingState.OPEN
    statements: tuple[Statement, ...] = ()
    reminded_on: tuple[Day, ...] = ()
    closed_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.deadline < self.sent_on:
            raise PydanticCustomError("date_order", "`deadline` on or after `sent_on`")
        return self

    def due(self) -> date | None:
        """Say when the answer is due."""
        return self.deadline if self.state is HearingState.OPEN else None

    def order(self) -> str:
        """List the nearest deadline first."""
        return self.deadline.isoformat()


class Say(Body):
    """What a resident was asked, through staff, and what they answered. Never names an applicant."""

    kind: ClassVar[Kind] = Kind.SAY

    person: PersonId
    scheme: SchemeId
    group: Id
    question: SayQuestion
    asked_on: Day
    asked_by: AccountId
    answer: SayAnswer
    text: Text | None = Field(default=None, description="In the resident's own words, if they wish.")
    may_be_shown: bool = Field(default=False, description="The resident lets the committee read the words.")


class Hazard(Body):
    """A workplace risk of a scheme's staff, kept apart from any applicant's case (REQ-AML-1)."""

    kind: ClassVar[Kind] = Kind.HAZARD

    scheme: SchemeId
    what: HazardKind
    text: Text
    reported_on: Day
    author: AccountId
    measures: frozenset[Measure] = frozenset()
    measures_text: Text | None = None
    review_by: Day | None = None
    closed_on: Day | None = None

    def get_state(self) -> str:
        """Say whether it is dealt with."""
        return "open" if self.closed_on is None else "closed"

    def due(self) -> date | None:
        """Say when it must be looked at again."""
        return self.review_by if self.closed_on is None else None
