"""What goes over the wire: questions in, answers out. Descriptions here become the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from allocator.model import (
    Id,
    Record,
    Snapshot,
)

EngineName = Literal["durable", "reference"]
ReaderName = Literal["committee", "staff", "applicant"]
LanguageName = Literal["nb", "nn", "en"]
VerdictName = Literal[
    "suitable", "suitable_with_remarks", "needs_clarification", "advised_against", "blocked"
]


class Question(Record):
    """What every question has in common."""

    case: Snapshot | None = Field(default=None, description="The case; without it the loaded one.")
    engine: EngineName = Field(default="durable", description="`durable` is the engine of record.")
    reader: ReaderName = Field(default="committee", description="What they may not see is left out.")
    language: LanguageName = "nb"
    compare: tuple[Id, Id] | None = Field(
        default=None, description="Two units (or applicants) of the answer: why one stands before the other."
    )


class SuggestionsQuestion(Question):
    """Rank the units that are not lived in for an applicant."""

    model_config = ConfigDict(json_schema_extra={"example": {"applicant": "S-2026-101"}})

    applicant: Id


class ShortlistQuestion(Question):
    """Rank the applicants for a unit. Not for applicants, since it is about others."""

    model_config = ConfigDict(json_schema_extra={"example": {"unit": "tunet-2"}})

    unit: Id


class RankingQuestion(Record):
    """Rank all units for an applicant, or all applicants for a unit, at once: one of the two is given."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"applicant": "S-2026-101", "first": 10},
            "oneOf": [{"required": ["applicant"]}, {"required": ["unit"]}],
        }
    )

    applicant: Id | None = None
    unit: Id | None = None
    first: int = Field(default=50, ge=0, le=200, description="So many entries are given with findings.")
    reader: ReaderName = Field(
        default="committee", description="Only `committee`; others are answered at `/suggestions`."
    )
    language: LanguageName = "nb"


class Answered(BaseModel):
    """Base of what is answered; used to describe, not to change, what the engine says."""

    model_config = ConfigDict(frozen=True)


class PolicyRef(Answered):
    """Which policy was used."""

    name: str
    version: str
    sha256: str


class FindingOut(Answered):
    """One rule's outcome for one person, or for the unit."""

    rule: str
    outcome: Literal["kept", "broken", "unknown"]
    effect: Literal["bar", "advise_against", "weigh", "note"]
    overridable: bool = Field(description="Whether a committee may decide against it.")
    points: int | None = Field(description="Zero or less; null for readers who are shown no points.")
    could_cost: int | None = Field(description="What an unknown could cost.")
    about: list[str]
    facts: dict[str, Any]
    missing: dict[str, str] = Field(description="Missing fact -> why it is missing.")
    source: str | None
    text: str
    reason: bool = Field(default=False, description="Whether it moved the verdict.")
    change: str | None = Field(default=None, description="What would have to change.")


class AfterNotice(Answered):
    """The verdict when those who have given notice have moved out."""

    begins: str = Field(alias="from", description="The last day of the last one who has given notice.")
    verdict: str
    text: str


class SuggestionOut(Answered):
    """One unit (or applicant) in its place."""

    rank: int
    applicant: str | None = Field(default=None, description="In shortlists only.")
    unit: str
    living_group: str
    scheme: str
    verdict: VerdictName
    score: int | None = Field(description="100 plus the points of all findings.")
    score_at_worst: int | None
    text: str
    findings: list[FindingOut]
    after_notice: AfterNotice | None = None


class Comparison(Answered):
    """Why one of two stands before the other."""

    of: list[str]
    text: str


class Answer(Answered):
    """A ranked answer with everything it rests on. It advises; people decide."""

    engine: str
    engine_version: str
    policy: PolicyRef
    handbook_sha256: str
    facts_sha256: str
    as_of: str
    reader: ReaderName
    language: LanguageName
    applicant: str | None = None
    unit: str | None = None
    notice: str
    warnings: list[str]
    no_option: dict[str, Any] | None
    comparison: Comparison | None = None
    suggestions: list[SuggestionOut]


class RankingFinding(Answered):
    """One rule's outcome for one person, or for the unit, without its facts and words."""

    rule: str
    outcome: Literal["broken", "unknown"]
    effect: Literal["bar", "advise_against", "weigh", "note"]
    points: int = Field(description="Zero or less.")
    could_cost: int = Field(description="What an unknown could cost, zero or less.")
    about: list[str]


class RankingEntry(Answered):
    """One unit (or applicant) in its place."""

    rank: int
    applicant: str | None = Field(default=None, description="Where a unit was asked about.")
    unit: str | None = Field(default=None, description="Where an applicant was asked about.")
    verdict: VerdictName
    score: int = Field(description="100 plus the points of all findings.")
    broken: list[str] = Field(description="Ids of the rules that are broken.")
    unknown: list[str] = Field(description="Ids of the rules that are unknown.")
    findings: list[RankingFinding] | None = Field(
        default=None,
        description="For the first entries only: what is broken or unknown. All else is kept.",
    )


class RankingAnswer(Answered):
    """A quick ranking. It is no suggestion: the engine of record has not checked it, and it is not kept."""

    quick: Literal[True]
    notice: str = Field(description="What it is, in words that belong wherever it is shown.")
    engine: Literal["columnar"]
    engine_version: str
    policy: PolicyRef
    facts_sha256: str
    as_of: str
    reader: Literal["committee"]
    language: LanguageName
    warnings: list[str]
    applicant: str | None = None
    unit: str | None = None
    total: int
    entries: list[RankingEntry]


class ProblemError(Answered):
    """One fault and its place."""

    pointer: str
    expected: str


class ProblemOut(Answered):
    """Problem details after RFC 9457."""

    type: str
    title: str
    status: int
    code: str | None = Field(default=None, description="Stable; what programs go by.")
    detail: str | None = None
    errors: list[ProblemError] = []


class SchemeOut(Answered):
    """A scheme of the loaded case."""

    id: str
    name: str
    kind: str | None
    municipality: str | None
    unit_count: int | None
    living_groups: list[str]


class UnitOut(Answered):
    """A unit of the loaded case."""

    id: str
    living_group: str
    scheme: str
    status: str
    purpose: str
    floor: int | None
    area_m2: int | None


class ApplicantOut(Answered):
    """An applicant of the loaded case: no more than what is needed to ask about them."""

    id: str
    waiting_since: str


class Page(Answered):
    """One page of a listing."""

    total: int
    offset: int
    limit: int
