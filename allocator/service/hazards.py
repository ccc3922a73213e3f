"""Workplace risks of a scheme's staff, kept apart from any applicant's case (REQ-AML-1).

The employer maps them, meets them with measures and looks at them again, whoever may come to live there. A
risk is nobody's: its text names no case and no person.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from allocator.access.authorizer import Circumstances
from allocator.casework.codes import HazardKind
from allocator.casework.housing import Scheme
from allocator.casework.records import SchemeId, Stored
from allocator.casework.voice import Hazard
from allocator.codes import Measure
from allocator.model import Day, Text
from allocator.service.nobody import names_a_record
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.work import Work

REVIEW_DAYS = 30
"""When a risk is looked at again unless somebody says otherwise.

Origin: local choice; the duty to follow up (working environment act ch. 4) names no number of days.
"""

LONGEST_DAYS = 365
"""How far ahead that may be. Origin: local choice; the yearly round of the safety delegate."""

Described = Annotated[Text, Field(min_length=10)]


class ReportHazard(Command):
    """A risk that staff of a scheme meet at work."""

    scheme: SchemeId
    what: HazardKind
    text: Described = Field(description="What the risk is. Names nobody.")
    measures: frozenset[Measure] = frozenset()
    measures_text: Text | None = None
    review_by: Day | None = Field(default=None, description="When to look at it again; a usual day without.")


class ChangeHazard(Command):
    """What is known of a risk and done about it now; what is left out stays as it was."""

    what: HazardKind | None = None
    text: Described | None = None
    measures: frozenset[Measure] | None = None
    measures_text: Text | None = None
    review_by: Day | None = None


def report(work: Work, asked: ReportHazard) -> Stored[Hazard]:
    """Report a risk at work in a scheme."""
    scheme = work.named(Scheme, asked.scheme, "/scheme")
    work.allow(Circumstances(schemes=frozenset({scheme.id})))
    _check_names_nobody(work, asked.text, asked.measures_text)
    return work.create(
        Hazard(
            scheme=scheme.id,
            what=asked.what,
            text=asked.text,
            reported_on=work.today,
            author=work.actor.account,
            measures=asked.measures,
            measures_text=asked.measures_text,
            review_by=_review_by(work, asked.review_by or work.today + timedelta(days=REVIEW_DAYS)),
        )
    )


def change(work: Work, asked: ChangeHazard, hazard: Stored[Hazard]) -> Stored[Hazard]:
    """Describe a risk anew, with the measures that are in place."""
    _check_open(work, hazard)
    _check_names_nobody(work, asked.text, asked.measures_text)
    if asked.review_by is not None:
        _review_by(work, asked.review_by)
    given = {name: getattr(asked, name) for name in ChangeHazard.model_fields}
    return work.change(hazard, **{name: value for name, value in given.items() if value is not None})


def close(work: Work, _asked: Nothing, hazard: Stored[Hazard]) -> Stored[Hazard]:
    """Close a risk that is met by measures."""
    _check_open(work, hazard)
    if not hazard.body.measures and not (hazard.body.measures_text or "").strip():
        work.refuse("hazard-without-measures")
    return work.change(hazard, closed_on=work.today)


def _check_open(work: Work, hazard: Stored[Hazard]) -> None:
    if hazard.body.closed_on is not None:
        work.refuse("hazard-closed")


def _check_names_nobody(work: Work, *texts: str | None) -> None:
    if names_a_record(work, *texts):
        work.refuse("hazard-names-a-record")


def _review_by(work: Work, day: date) -> date:
    latest = work.today + timedelta(days=LONGEST_DAYS)
    if not work.today <= day <= latest:
        work.wrong("/review_by", "a day from {first} to {last}", first=work.today, last=latest)
    return day


USES: tuple[UseCase[Any], ...] = (
    creates("hazards.report", Hazard, ReportHazard, report),
    acts("hazards.change", Hazard, ChangeHazard, change),
    acts("hazards.close", Hazard, Nothing, close),
)
