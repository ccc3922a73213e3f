"""Reviews: what somebody must look at again by a day, what they found, and when the next one is.

What one person did in a crisis, alone and in haste, is looked at by another: a placement, or access that was
taken.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from allocator.casework.cases import Case
from allocator.casework.codes import ReviewKind
from allocator.casework.committee import Decision, Review
from allocator.casework.housing import Tenancy
from allocator.casework.records import Body, CaseId, DecisionId, Stored, TenancyId
from allocator.model import Day, Text
from allocator.service.uses import Command, UseCase, acts, creates
from allocator.service.work import Work

BY_THEMSELVES = frozenset({ReviewKind.BREAK_GLASS, ReviewKind.PROTECTION_CHANGED})
"""Kinds that nobody plans: they follow from what has happened."""


class PlanReview(Command):
    """What to look at again, and by when; one of `case`, `tenancy` and `decision`."""

    what: ReviewKind
    case: CaseId | None = None
    tenancy: TenancyId | None = None
    decision: DecisionId | None = None
    by: Day

    @model_validator(mode="after")
    def _about_one(self) -> Self:
        if sum(about is not None for about in (self.case, self.tenancy, self.decision)) != 1:
            raise PydanticCustomError("document", "one of `case`, `tenancy` and `decision`")
        return self


class HoldReview(Command):
    """What was found, and when to look again."""

    found: Annotated[Text, Field(min_length=10)]
    next_by: Day | None = None


def plan(work: Work, asked: PlanReview) -> Stored[Review]:
    """Plan to look at a case, a tenancy or a decision again."""
    about: Stored[Body]
    if asked.tenancy is not None:
        about = work.named(Tenancy, asked.tenancy, "/tenancy")
    elif asked.decision is not None:
        about = work.named(Decision, asked.decision, "/decision")
    else:
        assert asked.case is not None
        about = work.named(Case, asked.case, "/case")
    work.allow_with(about)
    if asked.what in BY_THEMSELVES:
        work.wrong("/what", "a kind of review that is planned")
    if asked.by < work.today:
        work.wrong("/by", "today or a later day")
    return work.create(Review(**{name: getattr(asked, name) for name in PlanReview.model_fields}))


def hold(work: Work, asked: HoldReview, review: Stored[Review]) -> Stored[Review]:
    """Note what was found in a review; with a next day, the next one is planned."""
    body = review.body
    if body.held_on is not None:
        work.refuse("review-held")
    if work.actor.account in _who_did_it(work, body):
        work.refuse("review-needs-another")
    if asked.next_by is not None:
        if asked.next_by <= work.today:
            work.wrong("/next_by", "a day after today")
        again = {name: getattr(body, name) for name in ("what", "case", "tenancy", "decision", "account")}
        work.create(Review(**again, by=asked.next_by))
    return work.change(
        review,
        held_on=work.today,
        held_by=work.actor.account,
        found=asked.found,
        next_by=asked.next_by,
    )


def _who_did_it(work: Work, review: Review) -> frozenset[str | None]:
    """Return who may not look at it again, since it is what they did themselves."""
    if review.what is ReviewKind.BREAK_GLASS:
        return frozenset({review.account})
    decision = work.get(Decision, review.decision)
    if review.what is ReviewKind.CRISIS and decision is not None:
        return frozenset({decision.body.proposed_by, decision.body.second})
    return frozenset()


USES: tuple[UseCase[Any], ...] = (
    creates("reviews.plan", Review, PlanReview, plan),
    acts("reviews.hold", Review, HoldReview, hold),
)
