"""Appeals (*klage*): lodged, sent on to who hears them, settled; with the pool as it stood that day.

An appeal body may not rest on knowing nothing of the other applicants (REQ-FVL-12). It gets them under names
that mean nothing, from the facts that were stored with the suggestion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from allocator.access.authorizer import sees
from allocator.casework.cases import Case
from allocator.casework.codes import (
    AppealBody,
    AppealState,
    CaseState,
    Clearance,
    DecisionOutcome,
    DecisionState,
)
from allocator.casework.committee import Appeal, Decision, Suggestion
from allocator.casework.law import DECISION_LAW, appeal_deadline
from allocator.casework.records import DecisionId, Kind, Link, Stored
from allocator.codes import UnitStatus
from allocator.documents import read_case
from allocator.model import Applicant, Day, Snapshot, Text, UnitFacts
from allocator.ports import CorruptError
from allocator.service.decisions import back_to_list, undo
from allocator.service.errors import NotFoundError
from allocator.service.uses import Command, Nothing, UseCase, acts, creates
from allocator.service.work import Work

OPEN = frozenset({AppealState.LODGED, AppealState.FORWARDED})
"""Appeals that wait for somebody."""


class LodgeAppeal(Command):
    """Against which decision, and why, if that is said.

    `told_on` is the day the party was told of the decision; the day it was made without it.
    """

    decision: DecisionId
    lodged_on: Day | None = None
    told_on: Day | None = None
    grounds: Text | None = None


class ForwardAppeal(Command):
    """What the municipality says to it, when it does not change its decision itself."""

    reason: Annotated[Text, Field(min_length=10)]


class SettleAppeal(Command):
    """What the appeal body came to.

    `next_unit`: who appealed comes first when a unit is vacant.
    """

    state: AppealState
    result: Annotated[Text, Field(min_length=20)]
    next_unit: bool = False


def lodge(work: Work, asked: LodgeAppeal) -> Stored[Appeal]:
    """Register an appeal against a decision; one that is late is marked, not turned away."""
    decision = work.named(Decision, asked.decision, "/decision")
    work.allow_with(decision)
    body = decision.body
    if body.state not in (DecisionState.MADE, DecisionState.REVERSED) or body.made_on is None:
        work.refuse("decision-not-made")
    lodged, told = asked.lodged_on or work.today, asked.told_on or body.made_on
    if not body.made_on <= lodged <= work.today:
        work.wrong("/lodged_on", "a day from when the decision was made to today")
    if not body.made_on <= told <= lodged:
        work.wrong("/told_on", "a day from when the decision was made to when the appeal came")
    if any(a.body.state in OPEN for a in work.find(Appeal, Link(Kind.DECISION, decision.id))):
        work.refuse("appeal-open")
    law = DECISION_LAW[body.type]
    exceptional = body.appeal_body is AppealBody.NONE
    heard_by = (law.exceptionally or law.body) if exceptional else body.appeal_body
    deadline = appeal_deadline(body.type, told)
    return work.create(
        Appeal(
            case=body.case,
            decision=decision.id,
            body=heard_by,
            lodged_on=lodged,
            grounds=asked.grounds,
            deadline=deadline,
            late=deadline is not None and lodged > deadline,
            exceptional=exceptional,
        )
    )


def forward(work: Work, _asked: ForwardAppeal, appeal: Stored[Appeal]) -> Stored[Appeal]:
    """Send an appeal on to the body that hears it."""
    _check(work, appeal, AppealState.LODGED)
    return work.change(appeal, state=AppealState.FORWARDED, forwarded_on=work.today)


def withdraw(work: Work, _asked: Nothing, appeal: Stored[Appeal]) -> Stored[Appeal]:
    """Note that the applicant takes the appeal back."""
    _check(work, appeal, *OPEN)
    return work.change(appeal, state=AppealState.WITHDRAWN, settled_on=work.today)


def settle(work: Work, asked: SettleAppeal, appeal: Stored[Appeal]) -> Stored[Appeal]:
    """Note what the appeal body came to; a decision that does not stand no longer holds its unit."""
    _check(work, appeal, AppealState.FORWARDED)
    if asked.state not in (AppealState.UPHELD, AppealState.REVERSED, AppealState.SENT_BACK):
        work.wrong("/state", "`upheld`, `reversed` or `sent_back`")
    if asked.next_unit and asked.state is AppealState.UPHELD:
        work.wrong("/next_unit", "only where the decision does not stand")
    if asked.state is not AppealState.UPHELD:
        _overturn(work, work.load(Decision, appeal.body.decision))
    return work.change(
        appeal,
        state=asked.state,
        settled_on=work.today,
        result=asked.result,
        next_unit=asked.next_unit,
    )


def _check(work: Work, appeal: Stored[Appeal], *states: AppealState) -> None:
    if appeal.body.state not in states:
        work.refuse("appeal-settled" if appeal.body.state not in OPEN else "appeal-not-forwarded")


_OPENS_CASE = frozenset({CaseState.DECIDED, CaseState.OFFERED, CaseState.ACCEPTED, CaseState.REFUSED})


def _overturn(work: Work, decision: Stored[Decision]) -> None:
    """Let a decision not stand: its unit is free, and the case waits for a new one in the place it had.

    A case in which somebody has moved in, or that has a successor, is left as it is: people see to that.
    """
    if decision.body.state is not DecisionState.MADE:
        return
    case = work.load(Case, decision.body.case)
    undo(work, decision)
    refused_here = decision.body.outcome is DecisionOutcome.REFUSED and case.body.state is CaseState.REFUSED
    gave_here = decision.body.unit is not None and decision.body.ended_on is None
    if not (refused_here or gave_here) or case.body.state not in _OPENS_CASE:
        return
    others = work.find(Case, Link(Kind.PERSON, case.body.person))
    if not any(
        o.id != case.id and o.body.closing is None and o.body.person == case.body.person for o in others
    ):
        back_to_list(work, case)


# ------------------------------------------------------------------------------------------- the pool


@dataclass(frozen=True)
class Pool:
    """The applicants and vacancies of the day a suggestion was made; nobody's name or number.

    Attributes:
        as_of: The day.
        own: What who appealed is called here.
        applicants: The others and they, by a name that holds within this pool.
        vacancies: The units that could be given, as they were.
    """

    as_of: str
    own: str
    applicants: tuple[Mapping[str, Any], ...]
    vacancies: tuple[Mapping[str, Any], ...]


_GIVEABLE = frozenset({UnitStatus.VACANT, UnitStatus.RESERVED, UnitStatus.NOTICE_GIVEN})


def pool(work: Work, appeal: Stored[Appeal]) -> Pool:
    """Return whom and what the decision had to choose between, from the facts of its suggestion.

    The look is noted. Of kode-6 people there is something only for who is cleared for that.

    Raises:
        NotFoundError: The actor may not see the appeal.
        RefusalError: The decision rests on no suggestion.
    """
    if not sees(work.access, work.actor, Kind.APPEAL, work.circumstances(appeal)).visible:
        raise NotFoundError("no such appeal")
    decision = work.load(Decision, appeal.body.decision).body
    suggestion = work.get(Suggestion, decision.suggestion)
    if suggestion is None:
        work.refuse("no-suggestion-to-show")
    case = facts_then(work, suggestion.body)
    work.note(appeal, outcome="shown", groups=["pool"])
    names = _names(suggestion.id, case)
    vacancies = [
        {
            "unit": unit.id,
            "living_group": group.id,
            "scheme": scheme.id,
            "status": unit.status.value,
            **_sorted(unit.model_dump(mode="json", include=set(UnitFacts.model_fields))),
        }
        for scheme in case.schemes
        for group in scheme.living_groups
        for unit in group.units
        if unit.status in _GIVEABLE
    ]
    return Pool(
        as_of=case.as_of.isoformat(),
        own=names.get(appeal.body.case, ""),
        applicants=tuple(
            sorted(
                ({"name": names[a.id], **_facts_of(a, case.as_of)} for a in case.applicants),
                key=lambda shown: str(shown["name"]),
            )
        ),
        vacancies=tuple(sorted(vacancies, key=lambda v: str(v["unit"]))),
    )


def facts_then(work: Work, suggestion: Suggestion) -> Snapshot:
    """Return the facts that a suggestion was made of; without kode-6 people for who is not cleared."""
    guarded = Clearance.KODE_6 not in work.actor.cleared
    name = suggestion.guarded_facts if guarded and suggestion.guarded_facts else suggestion.facts
    content = work.tx.kept(name)
    if content is None:
        raise CorruptError("what a suggestion was made of is not there")
    return read_case(content)


def _sorted(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts with their sets in order."""
    return {name: sorted(value) if isinstance(value, list) else value for name, value in facts.items()}


def _names(suggestion: str, case: Snapshot) -> dict[str, str]:
    """Return a name for each applicant: the same in every look at this pool, another in every other."""

    def shuffled(identifier: str) -> bytes:
        return hashlib.sha256(f"{suggestion}\0{identifier}".encode()).digest()

    ordered = sorted((applicant.id for applicant in case.applicants), key=shuffled)
    return {identifier: f"A{number}" for number, identifier in enumerate(ordered, start=1)}


def _facts_of(applicant: Applicant, as_of: date) -> dict[str, Any]:
    """Return what may be compared: waiting, what is asked for, and what is assessed and holds that day."""
    needs = applicant.needs if applicant.needs.holds(as_of) else None
    groups = applicant.target_groups.at(as_of)
    return {
        "waiting_since": applicant.waiting_since.isoformat(),
        "placement": applicant.placement.kind.value,
        "needs": None if needs is None else sorted(needs.needs),
        "services": None if needs is None else sorted(needs.services),
        "target_groups": None if groups is None else sorted(groups),
    }


USES: tuple[UseCase[Any], ...] = (
    creates("appeals.lodge", Appeal, LodgeAppeal, lodge),
    acts("appeals.forward", Appeal, ForwardAppeal, forward),
    acts("appeals.withdraw", Appeal, Nothing, withdraw),
    acts("appeals.settle", Appeal, SettleAppeal, settle),
)
