"""Objections (*innvendinger*) of scheme staff: raised on a dated fact, answered in writing, never for ever.

Against whom: staff may object in a case that is or was heard by their scheme. A scheme leader may also object
in a case whose number they have been told, before any hearing: a suggestion ranks the homes of all schemes,
and the objection is of most use before it is made (domain.md 3.2: leaders know of a case until the hearing,
staff do not). Nothing is told of the case in return. A case that is not there, that has ended or that the
author may not know of is refused in the same words.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from allocator.access.authorizer import Circumstances
from allocator.casework.cases import Case
from allocator.casework.codes import ENDED_CASES, Evidence, Role, VetoAnswer
from allocator.casework.committee import Meeting
from allocator.casework.housing import Scheme, Unit
from allocator.casework.objections import (
    LEAST_LETTERS,
    STANDING,
    is_assessed,
    is_reasoned,
    latest_end,
    oldest_fact,
    usual_end,
)
from allocator.casework.records import CaseId, HazardId, Kind, Link, MeetingId, SchemeId, Stored, UnitId
from allocator.casework.voice import Answered, Hazard, Hearing, Told, Veto
from allocator.codes import FactSource, StaffRole, VetoGround, VetoStatus
from allocator.model import Day, Id, Record, Text, VetoFact
from allocator.model import Veto as VetoEntry
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.words import found_words
from allocator.service.work import Work

Sentence = Annotated[Text, Field(min_length=10)]


class Observed(Record):
    """A dated fact or event, and where it is known from."""

    observed_on: Day
    source: FactSource
    text: Sentence = Field(description="What happened or was seen; not what somebody is.")
    told: Told | None = Field(default=None, description="Who told it and when, for an oral source.")


class Objection(Command):
    """An objection, apart from in which case and by which scheme.

    `unit` or `living_group` says where; without either it is the whole scheme.
    """

    unit: UnitId | None = None
    living_group: Id | None = None
    ground: VetoGround
    fact: Observed
    evidence: frozenset[Evidence] = frozenset()
    hazard: HazardId | None = Field(default=None, description="A workplace risk that it is tied to.")
    why: Sentence | None = Field(default=None, description="Needed for the ground `other_with_reason`.")
    remedy: Text | None = Field(default=None, description="What would make the objection unnecessary.")
    valid_until: Day | None = Field(default=None, description="Its last day; a usual one without it.")


class RaiseVeto(Objection):
    """An objection in a case, by a scheme."""

    case: CaseId
    scheme: SchemeId


class RenewVeto(Command):
    """A new fact on which an objection goes on."""

    fact: Observed
    evidence: frozenset[Evidence] = frozenset()
    hazard: HazardId | None = None
    remedy: Text | None = None
    valid_until: Day | None = None


class AnswerVeto(Command):
    """The committee's answer, and why."""

    answer: VetoAnswer
    reason: Text = Field(min_length=LEAST_LETTERS)
    meeting: MeetingId | None = None


def raise_veto(work: Work, asked: RaiseVeto) -> Stored[Veto]:
    """Object to somebody in a place, on a ground and a fact."""
    scheme = work.named(Scheme, asked.scheme, "/scheme")
    work.allow(Circumstances(schemes=frozenset({scheme.id})))
    case = work.named(Case, asked.case, "/case")
    if not _may_know_of(work, case, scheme.id):
        work.wrong("/case", "the id of a record of the kind `{kind}` that is there", kind=Kind.CASE)
    return object_to(work, asked, case, scheme)


def object_to(
    work: Work,
    asked: Objection,
    case: Stored[Case],
    scheme: Stored[Scheme],
    *,
    hearing: Stored[Hearing] | None = None,
    at: str = "",
) -> Stored[Veto]:
    """Raise an objection of a scheme in a case, whoever may; *at* is its place in the request."""
    _check_place(work, asked, scheme, at)
    _check_ground(work, asked.ground, asked, scheme.id, at)
    if asked.ground is VetoGround.OTHER_WITH_REASON and asked.why is None:
        work.wrong(f"{at}/why", "why the fact speaks against the place, for this ground")
    _check_not_said_before(work, asked, case.id, scheme.id)
    identifier = work.ids(Kind.VETO)
    whole = asked.unit is None and asked.living_group is None
    entry = VetoEntry(
        id=identifier,
        applicant=case.id,
        unit=asked.unit,
        living_group=asked.living_group,
        scheme=scheme.id if whole else None,
        ground=asked.ground,
        fact=_fact(work, asked.fact, at),
        author_role=_role(work, scheme.id),
        raised_on=work.today,
        valid_until=_end(work, asked.valid_until, at),
    )
    return work.create(
        Veto(
            entry=entry,
            scheme=scheme.id,
            author=work.actor.account,
            why=asked.why,
            remedy=asked.remedy,
            evidence=asked.evidence,
            hazard=asked.hazard,
            told=asked.fact.told,
            words=found_words(asked.fact.text, asked.why, asked.remedy),
            hearing=None if hearing is None else hearing.id,
        ),
        identifier,
    )


def renew(work: Work, asked: RenewVeto, veto: Stored[Veto]) -> Stored[Veto]:
    """Let an objection go on, on a new fact; the committee answers it anew."""
    body, entry = veto.body, veto.body.entry
    if entry.status not in STANDING:
        work.refuse("veto-settled")
    case = work.load(Case, entry.applicant)
    if _has_ended(case):
        work.refuse("veto-case-ended")
    if asked.fact.observed_on <= entry.fact.observed_on:
        work.wrong(
            "/fact/observed_on", "a day after {day}, when the last fact was of", day=entry.fact.observed_on
        )
    _check_ground(work, entry.ground, asked, body.scheme, "")
    renewed = entry.model_copy(
        update={
            "fact": _fact(work, asked.fact, ""),
            "author_role": _role(work, body.scheme),
            "raised_on": work.today,
            "valid_until": _end(work, asked.valid_until, ""),
            "status": VetoStatus.OPEN,
        }
    )
    remedy = asked.remedy or body.remedy
    return work.change(
        veto,
        entry=renewed,
        author=work.actor.account,
        remedy=remedy,
        evidence=asked.evidence,
        hazard=asked.hazard,
        told=asked.fact.told,
        words=found_words(asked.fact.text, body.why, remedy),
        answered=None,
    )


def withdraw(work: Work, _asked: Nothing, veto: Stored[Veto]) -> Stored[Veto]:
    """Take an objection back."""
    if veto.body.entry.status not in STANDING:
        work.refuse("veto-settled")
    return work.change(veto, entry=veto.body.entry.model_copy(update={"status": VetoStatus.WITHDRAWN}))


def answer(work: Work, asked: AnswerVeto, veto: Stored[Veto]) -> Stored[Veto]:
    """Answer an objection in writing, for the committee."""
    if veto.body.answered is not None:
        work.refuse("veto-answered")
    if veto.body.entry.status is not VetoStatus.OPEN:
        work.refuse("veto-settled")
    if not is_reasoned(asked.reason):
        work.wrong("/reason", "a reason in a sentence of its own")
    if asked.meeting is not None:
        work.named(Meeting, asked.meeting, "/meeting")
    return settle(work, veto, asked.answer, asked.reason, asked.meeting)


def settle(
    work: Work, veto: Stored[Veto], given: VetoAnswer, reason: str, meeting: str | None
) -> Stored[Veto]:
    """Write the committee's answer into an open objection, unless the one who answers has written it."""
    if work.actor.account in _authors(work, veto):
        work.refuse("veto-own")
    followed = given is not VetoAnswer.NOT_FOLLOWED
    status = VetoStatus.UPHELD if followed else VetoStatus.OVERRULED
    return work.change(
        veto,
        entry=veto.body.entry.model_copy(update={"status": status}),
        answered=Answered(answer=given, reason=reason, by=work.actor.account, on=work.today, meeting=meeting),
    )


# --------------------------------------------------------------------------------------------- checks


def _has_ended(case: Stored[Case]) -> bool:
    return case.body.closing is not None or case.body.state in ENDED_CASES


def _may_know_of(work: Work, case: Stored[Case], scheme: str) -> bool:
    if _has_ended(case):
        return False
    heard = work.find(Hearing, Link(Kind.CASE, case.id), Link(Kind.SCHEME, scheme))
    return bool(heard) or _role(work, scheme) is StaffRole.SCHEME_LEADER


def _role(work: Work, scheme: str) -> StaffRole:
    leads = any(grant.role is Role.SCHEME_LEADER and scheme in grant.schemes for grant in work.actor.grants)
    return StaffRole.SCHEME_LEADER if leads else StaffRole.SCHEME_STAFF


def _check_place(work: Work, asked: Objection, scheme: Stored[Scheme], at: str) -> None:
    if asked.unit is not None and asked.living_group is not None:
        work.wrong(f"{at}/living_group", "nothing, where `unit` is given")
    if asked.unit is not None and work.named(Unit, asked.unit, f"{at}/unit").body.scheme != scheme.id:
        work.wrong(f"{at}/unit", "a unit of the scheme")
    groups = {group.id for group in scheme.body.groups}
    if asked.living_group is not None and asked.living_group not in groups:
        work.wrong(f"{at}/living_group", "a living group of the scheme")


def _check_ground(work: Work, ground: VetoGround, asked: Objection | RenewVeto, scheme: str, at: str) -> None:
    """Refuse fear without a fact that somebody has assessed (REQ-AML-1, E-18).

    Nothing is read of what is known about the applicant: a refusal would tell it.
    """
    if asked.hazard is not None:
        hazard = work.named(Hazard, asked.hazard, f"{at}/hazard")
        if hazard.body.scheme != scheme or hazard.body.closed_on is not None:
            work.wrong(
                f"{at}/hazard", "the id of a record of the kind `{kind}` that is there", kind=Kind.HAZARD
            )
    if ground is not VetoGround.STAFF_SAFETY:
        return
    if asked.hazard is None and not asked.evidence:
        work.refuse("veto-safety-unsupported")
    if not is_assessed(asked.fact.source, asked.evidence):
        work.refuse("veto-not-assessed")


def _check_not_said_before(work: Work, asked: Objection, case: str, scheme: str) -> None:
    said = [v.body for v in work.find(Veto, Link(Kind.CASE, case), Link(Kind.SCHEME, scheme))]
    for earlier in said:
        entry = earlier.entry
        if entry.ground is not asked.ground:
            continue
        same_place = (entry.unit, entry.living_group) == (asked.unit, asked.living_group)
        if entry.status in STANDING and same_place and earlier.author == work.actor.account:
            work.refuse("veto-there")
        if entry.status is VetoStatus.OVERRULED and asked.fact.observed_on <= entry.fact.observed_on:
            work.refuse("veto-overruled")


def _fact(work: Work, observed: Observed, at: str) -> VetoFact:
    oldest = oldest_fact(work.today)
    if not oldest <= observed.observed_on <= work.today:
        work.wrong(f"{at}/fact/observed_on", "a day from {first} to {last}", first=oldest, last=work.today)
    if not observed.text.strip():
        work.wrong(f"{at}/fact/text", "what happened or was seen")
    oral = observed.source is FactSource.ORAL
    if oral is (observed.told is None):
        work.wrong(f"{at}/fact/told", "who told it and when, for an oral source, and only there")
    if observed.told is not None and not observed.observed_on <= observed.told.on <= work.today:
        work.wrong(
            f"{at}/fact/told/on", "a day from {first} to {last}", first=observed.observed_on, last=work.today
        )
    return VetoFact(observed_on=observed.observed_on, source=observed.source, text=observed.text)


def _end(work: Work, asked: date | None, at: str) -> date:
    latest = latest_end(work.today)
    if asked is None:
        return usual_end(work.today)
    if not work.today <= asked <= latest:
        work.wrong(f"{at}/valid_until", "a day from {first} to {last}", first=work.today, last=latest)
    return asked


def _authors(work: Work, veto: Stored[Veto]) -> frozenset[str]:
    """Return all who have written what the objection says: who renews one writes it too."""
    versions = work.tx.history(Kind.VETO, veto.id)
    return frozenset(version.body.author for version in versions if isinstance(version.body, Veto))


USES: tuple[UseCase[Any], ...] = (
    creates("vetoes.raise", Veto, RaiseVeto, raise_veto),
    acts("vetoes.renew", Veto, RenewVeto, renew),
    acts("vetoes.withdraw", Veto, Nothing, withdraw),
    acts("vetoes.answer", Veto, AnswerVeto, answer),
)
