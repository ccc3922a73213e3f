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
    HazardId,
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
from allocator.codes import FactSource, Measure, VetoStatus
from allocator.model import Day, Id, Name, Record, Text
from allocator.model import Veto as VetoEntry


class Told(Record):
    """Who told something in a conversation, and when (REQ-FVL-6); who wrote it down is the author."""

    by: Name = Field(description="Their role, or what they are to the one it is about.")
    on: Day


def _check_told(source: FactSource | None, told: Told | None) -> None:
    if (source is FactSource.ORAL) is (told is None):
        raise PydanticCustomError("document", "`told` for what comes from a conversation, and only there")


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
        why: Why the fact speaks against the place, where the ground is none of the common ones.
        remedy: What would make it unnecessary.
        evidence: What else it rests on.
        hazard: A workplace risk of the scheme that it is tied to; never enough by itself (REQ-AML-1).
        told: Who told the fact, if it comes from a conversation.
        words: Words of the word list that were found; a notice to author and leader (REQ-VET-2).
        hearing: The hearing in which it was raised.
        answered: The committee's answer.
    """

    kind: ClassVar[Kind] = Kind.VETO

    entry: VetoEntry
    scheme: SchemeId
    author: AccountId
    why: Text | None = None
    remedy: Text | None = None
    evidence: frozenset[Evidence] = frozenset()
    hazard: HazardId | None = None
    told: Told | None = None
    words: tuple[Name, ...] = ()
    hearing: HearingId | None = None
    answered: Answered | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        _check_told(self.entry.fact.source, self.told)
        return self

    def get_state(self) -> str:
        """Say where it stands; whether it has run out depends on the day."""
        return self.entry.status.value

    def due(self) -> date | None:
        """Say when it runs out, if it still stands."""
        stands = (VetoStatus.OPEN, VetoStatus.UPHELD)
        return self.entry.valid_until if self.entry.status in stands else None

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
    told: Told | None = Field(default=None, description="Who told it, if it comes from a conversation.")
    words: tuple[Name, ...] = ()
    withdrawn: bool = False

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        _check_told(self.source, self.told)
        return self

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
    statements: tuple[Statement, ...] = Field(
        default=(), description="All that was said, in order; of each person the last one counts."
    )
    words: tuple[Name, ...] = Field(
        default=(), description="Words of the word list in what was said (REQ-VET-2)."
    )
    reminded_on: tuple[Day, ...] = ()
    closed_on: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.deadline < self.sent_on:
            raise PydanticCustomError("date_order", "`deadline` on or after `sent_on`")
        if (self.state is HearingState.CLOSED) is (self.closed_on is None):
            raise PydanticCustomError("date_order", "`closed_on` when it is closed, and only then")
        return self

    def is_over(self, day: date) -> bool:
        """Return whether the scheme has had its say: somebody answered, or all had until the deadline to.

        One that was called back before that has not been a hearing.
        """
        if self.closed_on is None:
            return self.deadline < day
        return bool(self.statements) or self.deadline < self.closed_on

    def holds(self) -> frozenset[str]:
        """Let a scheme be heard once at a time about a case, beside what is heard after a crisis."""
        beside = self.state is HearingState.CLOSED or self.after_the_fact
        return frozenset() if beside else frozenset({f"hearing:{self.case}:{self.scheme}"})

    def due(self) -> date | None:
        """Say when the answer is due."""
        return self.deadline if self.state is HearingState.OPEN else None

    def order(self) -> str:
        """List the nearest deadline first."""
        return self.deadline.isoformat()


class Say(Body):
    """What a resident was asked, through staff, and what they answered. About nobody in particular.

    Attributes:
        text: In the resident's own words, if they wish; for the scheme.
        may_be_shown: The resident lets the committee read the words.
        quote: The words as the committee reads them. Missing without the resident's leave, and where they
            name an applicant after all: then the answer alone counts.
    """

    kind: ClassVar[Kind] = Kind.SAY

    person: PersonId
    scheme: SchemeId
    group: Id
    question: SayQuestion
    asked_on: Day
    asked_by: AccountId
    answer: SayAnswer
    text: Text | None = None
    may_be_shown: bool = False
    quote: Text | None = None
    words: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _with_leave(self) -> Self:
        if self.quote is not None and not (self.may_be_shown and self.quote == self.text):
            raise PydanticCustomError("document", "`quote` only with leave, and as `text` has it")
        return self

    def order(self) -> str:
        """List by the day."""
        return self.asked_on.isoformat()


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
