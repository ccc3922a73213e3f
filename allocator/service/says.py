"""What residents say about who comes to live there: asked through staff, of closed questions (E-03).

Never about anyone in particular, and never shown to an applicant. The words are the resident's: the committee
reads them only with the resident's leave; who said it, it does not learn.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from pydantic import Field

from allocator.access.authorizer import Circumstances
from allocator.casework.codes import SayAnswer, SayQuestion
from allocator.casework.housing import Scheme, Tenancy, Unit
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link, PersonId, SchemeId, Stored
from allocator.casework.voice import Say
from allocator.model import Day, Text
from allocator.service.nobody import looks_like_a_name, names_a_record, names_an_applicant
from allocator.service.uses import Command, UseCase, creates
from allocator.service.words import found_words
from allocator.service.work import Work

OLDEST_DAYS = 90
"""How old an answer may be when it is written down. Origin: local choice; a house changes in a season."""


class RecordSay(Command):
    """A resident was asked something, and answered."""

    person: PersonId
    scheme: SchemeId
    question: SayQuestion
    answer: SayAnswer
    asked_on: Day | None = Field(default=None, description="The day they were asked; today without it.")
    text: Text | None = Field(default=None, description="In their own words, if they wish; names nobody.")
    may_be_shown: bool = Field(default=False, description="They let the committee read the words.")


def record(work: Work, asked: RecordSay) -> Stored[Say]:
    """Write down what a resident was asked and answered."""
    scheme = work.named(Scheme, asked.scheme, "/scheme")
    work.allow(Circumstances(schemes=frozenset({scheme.id})))
    person = work.named(Person, asked.person, "/person")
    home = _home(work, person.id, scheme.id)
    text = (asked.text or "").strip() or None
    if text is not None:
        if names_a_record(work, text):
            work.refuse("say-names-a-record")
        if looks_like_a_name(text):
            work.refuse("say-names-somebody")
    shown = text is not None and asked.may_be_shown and not names_an_applicant(work, text)
    return work.create(
        Say(
            person=person.id,
            scheme=scheme.id,
            group=work.load(Unit, home.body.unit).body.group,
            question=asked.question,
            asked_on=_asked_on(work, asked.asked_on),
            asked_by=work.actor.account,
            answer=asked.answer,
            text=text,
            may_be_shown=asked.may_be_shown,
            quote=text if shown else None,
            words=found_words(text),
        )
    )


def _home(work: Work, person: str, scheme: str) -> Stored[Tenancy]:
    """Return where a person lives in a scheme; one who does not is refused like one who is not there."""
    found = work.find(Tenancy, Link(Kind.PERSON, person), Link(Kind.SCHEME, scheme), states={"current"})
    homes = [tenancy for tenancy in found if tenancy.body.person == person]
    if not homes:
        work.wrong("/person", "the id of a record of the kind `{kind}` that is there", kind=Kind.PERSON)
    return homes[0]


def _asked_on(work: Work, asked: date | None) -> date:
    day = asked or work.today
    oldest = work.today - timedelta(days=OLDEST_DAYS)
    if not oldest <= day <= work.today:
        work.wrong("/asked_on", "a day from {first} to {last}", first=oldest, last=work.today)
    return day


USES: tuple[UseCase[Any], ...] = (creates("says.record", Say, RecordSay, record),)
