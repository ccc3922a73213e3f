"""The committee's records: suggestions, meetings, decisions, offers, reviews, appeals and outcomes."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.casework.codes import (
    AppealBody,
    AppealState,
    Consequence,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    DisqualificationGround,
    MeetingState,
    OfferState,
    OutcomeKind,
    RefusalBy,
    RefusalReason,
    ReviewKind,
    SuspensionReason,
    VetoAnswer,
)
from allocator.casework.records import (
    AccountId,
    Body,
    CaseId,
    DecisionId,
    KeptSha256,
    Kind,
    Link,
    MeetingId,
    PersonId,
    SchemeId,
    SuggestionId,
    TenancyId,
    UnitId,
    VetoId,
    about,
)
from allocator.codes import AgreementForm
from allocator.model import Count, Day, Id, Name, Record, Text


class Suggestion(Body):
    """A stored answer of the engine of record, with everything it rests on. Advice, never a decision.

    Attributes:
        case: The applicant's case, if it ranks units.
        unit: The unit, if it ranks applicants.
        as_of: The day the facts are read at.
        policy: Content hash of the policy's text.
        policy_sha256: Hash of the policy as its readers know it.
        facts: Content hash of the snapshot it was asked of.
        facts_sha256: Hash of the facts, whatever order they stand in.
        answer: Content hash of the answer as the cleared committee reads it, in bokmål.
        guarded_facts: The snapshot that says nothing of kode-6 persons, if there are any.
        guarded_answer: The answer to those facts.
        engine: Name of the engine.
        engine_version: Its version.
        broken: The rules that are broken somewhere in it, as every member reads it.
        facts_at: How far the record had come when the facts were read.
        made_on: The day it was made.
    """

    kind: ClassVar[Kind] = Kind.SUGGESTION

    case: CaseId | None = None
    unit: UnitId | None = None
    as_of: Day
    policy: KeptSha256
    policy_sha256: Name
    facts: KeptSha256
    facts_sha256: Name
    answer: KeptSha256
    guarded_facts: KeptSha256 | None = None
    guarded_answer: KeptSha256 | None = None
    engine: Name
    engine_version: Name
    broken: tuple[Name, ...] = ()
    facts_at: Count | int
    made_on: Day

    @model_validator(mode="after")
    def _asks_one(self) -> Self:
        if (self.case is None) is (self.unit is None):
            raise PydanticCustomError("veto_scope", "either `case` or `unit`")
        return self

    def order(self) -> str:
        """List by the day."""
        return self.made_on.isoformat()


class AgendaItem(Record):
    """One thing to decide in a meeting."""

    no: Count
    case: CaseId | None = None
    unit: UnitId | None = None
    suggestion: SuggestionId | None = None
    note: Text | None = None
    postponed: Text | None = Field(default=None, description="Why it was put off in the meeting.")


class Disqualification(Record):
    """That somebody may not take part in a case; they do not see it either (REQ-FVL-7)."""

    account: AccountId
    case: CaseId
    ground: DisqualificationGround
    decided_by: AccountId
    on: Day
    substitute: AccountId | None = None


class Meeting(Body):
    """A meeting of the allocation committee (*tildelingsutvalg*)."""

    kind: ClassVar[Kind] = Kind.MEETING

    on: Day
    place: Name | None = None
    members: frozenset[AccountId] = frozenset()
    chair: AccountId | None = None
    secretary: AccountId | None = None
    quorum: Count = Field(default=3, description="How many members must be present, the chair included.")
    agenda: tuple[AgendaItem, ...] = ()
    present: frozenset[AccountId] = frozenset()
    disqualified: tuple[Disqualification, ...] = ()
    restricted: bool = Field(default=False, description="For cases of kode-6 people: not there for others.")
    state: MeetingState = MeetingState.PLANNED
    minutes: Text | None = None
    closed_on: Day | None = None

    def voters(self, case: str | None) -> frozenset[str]:
        """Return the members present who may take part in a case."""
        return self.present - {d.account for d in self.disqualified if d.case == case}

    def due(self) -> date | None:
        """Say when it is."""
        return self.on if self.state in (MeetingState.PLANNED, MeetingState.OPEN) else None

    def order(self) -> str:
        """List by the day."""
        return self.on.isoformat()


class Condition(Record):
    """A condition of an offer, with what makes it lawful (REQ-FVL-11)."""

    text: Text = Field(min_length=1)
    legal_basis: Name = Field(description="Id of a legal reference (REQ-LAW-1).")
    purpose: Text = Field(min_length=1)
    connection: Text = Field(min_length=1, description="What it has to do with what is decided.")
    proportionality: Text = Field(min_length=1)


class Dissent(Record):
    """A member who would have decided otherwise."""

    by: AccountId
    text: Text


class Deviation(Record):
    """That the committee decides against the advice, and why. Says no more than every member may read."""

    reason: Text
    verdict: Name = Field(description="What members read that the engine had come to for the unit.")
    rules: tuple[Name, ...] = Field(default=(), description="Rules that spoke against it.")


class VetoReply(Record):
    """The answer that a decision gives to one objection."""

    veto: VetoId
    answer: VetoAnswer
    reason: Text


class Rested(Record):
    """A fact that the decision rests on, of a person or a place."""

    of: Id
    path: Name
    was: KeptSha256 | None = Field(
        default=None, description="Of a doubt: hash of what the fact was, kept apart, so that it can end."
    )

    def mentions(self) -> frozenset[Link]:
        """Mention whom or what the fact is about, so that who may not know of them is not told of it."""
        link = about(self.path, self.of)
        return frozenset() if link is None else frozenset({link})


class Suspension(Record):
    """That nobody is offered, accepts or moves into what a decision gives, for a time.

    Whatever lies behind, everybody reads the same.
    """

    reason: SuspensionReason = SuspensionReason.NEW_ASSESSMENT
    since: Day
    until: Day = Field(description="Last day of it; it ends by itself, so that none is forgotten.")
    ended_on: Day | None = Field(default=None, description="When somebody ended it before that.")

    def runs(self, day: date) -> bool:
        """Return whether it stands in the way on a day."""
        return self.ended_on is None and self.since <= day <= self.until

    def covered(self, day: date) -> bool:
        """Return whether it stood in the way on a day, the day it was ended included."""
        return self.since <= day <= (self.ended_on or self.until)


class Because(Record):
    """Why a decision was suspended, for longer, or no more; for the cleared. Names nobody."""

    text: Text
    by: AccountId
    on: Day


class Decision(Body):
    """What the committee has decided (*vedtak*): by people, with their own grounds.

    Attributes:
        type: Which decision, and so who hears an appeal.
        grounds: In the committee's own words.
        copied: The grounds are the engine's words; shown to all who read it (REQ-HUM-2).
        suggestion: The suggestion it answers, and `entry` the hash of what it said of this unit.
        told_sha256: Hash of what members could read of the unit when it was proposed.
        judged_sha256: Hash of what the engine had come to; for the cleared, like `entry`.
        deviation: Why it goes against the advice.
        sealed_deviation: Why it goes against what only the cleared may read.
        replies: The answers to objections.
        stale_confirmed: Why it was made though the facts had changed since (E-33).
        rests_on: The facts that the suggestion read.
        missing: The facts that nobody knew when somebody was placed in a crisis (E-22).
        doubts: Facts it rests on that have changed since; it should be looked at again.
        crisis_until: The last day of a crisis placement.
        second: Who approved it, if another than its proposer.
        shares: The decision on the one whose unit they share (E-09), which holds the unit for both.
        housed_apart: Why one of two who apply together is housed alone.
        suspensions: When nobody could go on with what it gives, the last one last (E-08).
        suspended_because: Why, step by step; for the cleared.
    """

    kind: ClassVar[Kind] = Kind.DECISION

    type: DecisionType
    case: CaseId
    outcome: DecisionOutcome
    meeting: MeetingId | None = None
    unit: UnitId | None = None
    scheme: SchemeId | None = None
    suggestion: SuggestionId | None = None
    entry: Name | None = None
    grounds: Text
    copied: bool = False
    told_sha256: Name | None = None
    judged_sha256: Name | None = None
    deviation: Deviation | None = None
    sealed_deviation: Text | None = None
    replies: tuple[VetoReply, ...] = ()
    dissents: tuple[Dissent, ...] = ()
    conditions: tuple[Condition, ...] = ()
    agreement: AgreementForm | None = None
    law: tuple[Name, ...] = Field(default=(), description="Ids of legal references (REQ-LAW-1).")
    appeal_body: AppealBody
    appeal_weeks: Count
    stale_confirmed: Text | None = None
    rests_on: tuple[Rested, ...] = ()
    missing: tuple[Rested, ...] = ()
    doubts: tuple[Rested, ...] = ()
    crisis_until: Day | None = None
    state: DecisionState = DecisionState.PROPOSED
    proposed_by: AccountId
    proposed_on: Day
    second: AccountId | None = None
    made_on: Day | None = None
    reverses: DecisionId | None = None
    shares: DecisionId | None = None
    housed_apart: Text | None = None
    ended_on: Day | None = Field(default=None, description="When the allocation was used or fell away.")
    suspensions: tuple[Suspension, ...] = ()
    suspended_because: tuple[Because, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.outcome is DecisionOutcome.ALLOCATED) is (self.unit is None):
            raise PydanticCustomError("document", "`unit` for an allocation, and only there")
        return self

    def is_suspended(self, day: date) -> bool:
        """Return whether nobody can go on with what it gives that day."""
        return any(suspension.runs(day) for suspension in self.suspensions)

    def due(self) -> date | None:
        """Say when a crisis placement ends, or a suspension that nobody has ended yet."""
        waits = self.state is DecisionState.MADE and self.ended_on is None
        open_ones = [s.until for s in self.suspensions if waits and s.ended_on is None]
        days = [day for day in (self.crisis_until, *open_ones[-1:]) if day is not None]
        return min(days, default=None)

    def holds(self) -> frozenset[str]:
        """Hold the unit, and the case's one place, from the decision until it is used or falls away.

        A crisis placement is a place of its own: a home may be decided on while it lasts.
        """
        if self.unit is None or self.state is not DecisionState.MADE or self.ended_on is not None:
            return frozenset()
        place = "sheltered" if self.type is DecisionType.TEMPORARY else "allotted-to"
        unit = {f"allotted:{self.unit}"} if self.shares is None else set()
        return frozenset({*unit, f"{place}:{self.case}"})


class Refused(Record):
    """That an offer came to nothing: who said no, why, and what follows (E-19)."""

    by: RefusalBy
    reason: RefusalReason = RefusalReason.NOT_STATED
    text: Text | None = None
    on: Day
    consequence: Consequence


class Offer(Body):
    """An offer to the applicant. What a refusal would lead to is told with it."""

    kind: ClassVar[Kind] = Kind.OFFER

    case: CaseId
    decision: DecisionId
    unit: UnitId
    sent_on: Day
    deadline: Day
    viewing_on: Day | None = None
    help: Text | None = Field(default=None, description="Help to understand it that was given.")
    told: Text = Field(description="What was told of the consequence of refusing.")
    consequence: Consequence = Field(
        default=Consequence.NONE, description="The hardest consequence of refusing that was told beforehand."
    )
    recipients: tuple[Name, ...] = Field(default=(), description="Applicant and representatives.")
    reminded_on: tuple[Day, ...] = ()
    state: OfferState = OfferState.SENT
    answered_on: Day | None = None
    refused: Refused | None = None

    def due(self) -> date | None:
        """Say when the answer is due."""
        return self.deadline if self.state is OfferState.SENT else None

    def holds(self) -> frozenset[str]:
        """Let a case have one offer at a time."""
        open_ones = (OfferState.SENT, OfferState.SUSPENDED)
        return frozenset({f"offer-to:{self.case}"}) if self.state in open_ones else frozenset()


class Review(Body):
    """Something to look at again by a day, and what was found."""

    kind: ClassVar[Kind] = Kind.REVIEW

    what: ReviewKind
    case: CaseId | None = None
    tenancy: TenancyId | None = None
    decision: DecisionId | None = None
    account: AccountId | None = Field(default=None, description="Whose access in a crisis it is about.")
    person: PersonId | None = Field(default=None, description="Whose address protection was changed.")
    by: Day
    held_on: Day | None = None
    held_by: AccountId | None = None
    found: Text | None = None
    next_by: Day | None = None

    def get_state(self) -> str:
        """Say whether it was held."""
        return "due" if self.held_on is None else "held"

    def due(self) -> date | None:
        """Say by when."""
        return self.by if self.held_on is None else None

    def order(self) -> str:
        """List the nearest first."""
        return self.by.isoformat()


class Appeal(Body):
    """An appeal (*klage*) against a decision."""

    kind: ClassVar[Kind] = Kind.APPEAL

    case: CaseId
    decision: DecisionId
    body: AppealBody
    lodged_on: Day
    grounds: Text | None = None
    deadline: Day | None = Field(default=None, description="Last day to appeal, as the party was told.")
    late: bool = Field(default=False, description="Lodged after that; the appeal body weighs it.")
    exceptional: bool = Field(
        default=False, description="Such a decision is open to appeal as an exception only."
    )
    state: AppealState = AppealState.LODGED
    forwarded_on: Day | None = None
    settled_on: Day | None = None
    result: Text | None = None
    next_unit: bool = Field(default=False, description="Who won it comes first when a unit is vacant.")

    def due(self) -> date | None:
        """Say that it waits to be sent on."""
        return self.lodged_on if self.state is AppealState.LODGED else None

    def order(self) -> str:
        """List the oldest first."""
        return self.lodged_on.isoformat()


class Advice(Record):
    """One rule of the suggestion that was followed or decided against."""

    rule: Name
    followed: bool


class Outcome(Body):
    """What became of a tenancy, and which advice it had been decided with or against."""

    kind: ClassVar[Kind] = Kind.OUTCOME

    tenancy: TenancyId
    decision: DecisionId | None = None
    meeting: MeetingId | None = None
    what: OutcomeKind
    on: Day
    text: Text | None = None
    advice: tuple[Advice, ...] = ()
    author: AccountId
