"""What an applicant is told of a decision: their own facts and public reasons, of others nothing (REQ-FVL-2).

The committee's grounds are part of it as they were written, so a letter is not made if they name another case
or person. What staff and members said, what was weighed, and what is sealed is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from allocator import explain, scoring
from allocator.access.authorizer import Actor, exports, sees
from allocator.casework.cases import Case
from allocator.casework.codes import AppealBody, DecisionOutcome, DecisionType
from allocator.casework.committee import Condition, Decision, Suggestion
from allocator.casework.housing import Scheme, Unit
from allocator.casework.law import DECISION_LAW, LawRef, appeal_deadline, law_ref
from allocator.casework.people import Person
from allocator.casework.records import Kind, Stored
from allocator.codes import AgreementForm
from allocator.disclosure import Reader
from allocator.documents import read_case
from allocator.model import Snapshot, UnitFacts
from allocator.ports import CorruptError
from allocator.service.desk import Desk
from allocator.service.facts import policy_of
from allocator.service.nobody import names_a_record
from allocator.service.work import Work

USE = "decisions.letter"
"""What taking out a letter is called in the log."""


@dataclass(frozen=True)
class Reason:
    """What is said of a home, or of several that the same is true of.

    Attributes:
        units: The homes.
        text: The sentences.
    """

    units: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Home:
    """The home that a decision gives.

    Attributes:
        unit: Its id.
        scheme: The name of the scheme.
        facts: How it is built.
    """

    unit: str
    scheme: str
    facts: UnitFacts


@dataclass(frozen=True)
class Letter:
    """What an applicant is told of a decision.

    Attributes:
        decision: Its id.
        case: The case.
        today: The day the letter is made.
        to: The applicant's name; None where the reader may not see it.
        copies: Who acts for the applicant, and is told the same.
        made_on: The day the decision was made.
        type: Which decision.
        outcome: What was decided.
        home: The home it gives.
        agreement: On what terms.
        crisis_until: The last day of a placement in a crisis.
        grounds: The committee's own grounds.
        reasons: What the rules say of the applicant's own facts and the home.
        conditions: Conditions, each with what makes it lawful.
        law: What it rests on, as it held the day it was made.
        appeal_body: Who hears an appeal.
        appeal_weeks: Weeks in which to appeal; 0 where there is no appeal.
        appeal_by: The last day, if the letter is received today.
        exceptionally: Who hears an appeal that is let in as an exception.
        appeal_unverified: No lawyer has confirmed who hears an appeal, and when at the latest.
    """

    decision: str
    case: str
    today: date
    to: str | None
    copies: tuple[str, ...]
    made_on: date
    type: DecisionType
    outcome: DecisionOutcome
    home: Home | None
    agreement: AgreementForm | None
    crisis_until: date | None
    grounds: str
    reasons: tuple[Reason, ...]
    conditions: tuple[Condition, ...]
    law: tuple[LawRef, ...]
    appeal_body: AppealBody
    appeal_weeks: int
    appeal_by: date | None
    exceptionally: AppealBody | None
    appeal_unverified: bool


def letter(desk: Desk, actor: Actor, decision: str, language: str) -> Letter:
    """Return what the applicant is told of a decision, in a language; the look is logged.

    Raises:
        ForbiddenError: The actor's role takes nothing out, or they say no purpose.
        NotFoundError: It is not there, or not for them.
        RefusalError: It is not made, or its grounds name somebody else.
    """
    if not exports(desk.access, actor) or actor.purpose is None:
        desk.refuse(actor, USE, Kind.DECISION, decision)
    return desk.look_into(actor, Decision, decision, USE, lambda work, found: _letter(work, found, language))


def names_others(work: Work, decision: Decision) -> bool:
    """Return whether the grounds of a decision name another case or person than its own."""
    own = {decision.case, work.load(Case, decision.case).body.person}
    text = decision.grounds
    for identifier in own:
        text = text.replace(identifier, "")
    return names_a_record(work, text)


def _letter(work: Work, decision: Stored[Decision], language: str) -> Letter:
    body = decision.body
    groups = sees(work.access, work.actor, Kind.DECISION, work.circumstances(decision)).groups or frozenset()
    if body.made_on is None or "decision" not in groups:
        work.refuse("decision-not-made")
    if names_others(work, body):
        work.refuse("letter-names-a-record")
    person = work.load(Person, work.load(Case, body.case).body.person)
    known = sees(work.access, work.actor, Kind.PERSON, work.circumstances(person)).groups or frozenset()
    named = "identity" in known
    work.note(decision, outcome="shown", groups=sorted(groups))
    work.note(person, outcome="shown", groups=["identity"] if named else [])
    law = DECISION_LAW[body.type]
    current = (one for one in person.body.representatives if one.since <= work.today)
    return Letter(
        decision=decision.id,
        case=body.case,
        today=work.today,
        to=person.body.name if named else None,
        copies=tuple(one.name for one in current if named and (one.until or work.today) >= work.today),
        made_on=body.made_on,
        type=body.type,
        outcome=body.outcome,
        home=_home(work, body),
        agreement=body.agreement,
        crisis_until=body.crisis_until,
        grounds=body.grounds,
        reasons=tuple(_reasons(work, body, person, language)),
        conditions=body.conditions,
        law=tuple(law_ref(key, body.made_on) for key in body.law),
        appeal_body=body.appeal_body,
        appeal_weeks=body.appeal_weeks,
        appeal_by=appeal_deadline(body.type, work.today),
        exceptionally=law.exceptionally,
        appeal_unverified=law.unverified,
    )


def _home(work: Work, decision: Decision) -> Home | None:
    if decision.unit is None:
        return None
    unit = work.load(Unit, decision.unit)
    return Home(unit.id, work.load(Scheme, unit.body.scheme).body.facts.name, unit.body.facts)


def _reasons(work: Work, decision: Decision, person: Stored[Person], language: str) -> Iterator[Reason]:
    """Yield what the suggestion that was answered says to the applicant: of the home, or of all of them."""
    suggestion = work.get(Suggestion, decision.suggestion)
    if suggestion is None:
        return
    facts = _facts(work, suggestion.body, person)
    policy = policy_of(work, suggestion.body.policy)
    if decision.case not in {applicant.id for applicant in facts.applicants}:
        return
    answer = scoring.suggest(facts, policy, decision.case)
    explainer = explain.Explainer(answer, Reader.APPLICANT, language)
    if decision.unit is not None:
        entry = next((one for one in explainer.released if one.assessment.unit == decision.unit), None)
        if entry is not None:
            chosen_among = suggestion.body.unit is not None
            text = explainer.letter(decision.unit) if chosen_among else explainer.summary(entry)
            yield Reason((decision.unit,), text)
        return
    alike: dict[str, list[str]] = {}
    for entry in explainer.released:
        alike.setdefault(explainer.summary(entry), []).append(entry.assessment.unit)
    yield from (Reason(tuple(sorted(units)), text) for text, units in alike.items())


def _facts(work: Work, suggestion: Suggestion, person: Stored[Person]) -> Snapshot:
    """Return the facts that a suggestion was made of: with kode-6 people only for one of them."""
    guarded = suggestion.guarded_facts is not None and not person.body.strict
    content = work.tx.kept(suggestion.guarded_facts if guarded else suggestion.facts)  # type: ignore[arg-type]
    if content is None:
        raise CorruptError("what a suggestion was made of is not there")
    return read_case(content)
