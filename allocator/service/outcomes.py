"""Outcomes: what became of a tenancy, led back to the advice that was followed or decided against.

They are there so that weak advice can be retired (`peers.md`, 2.11), and to see whether people decide or only
sign (REQ-HUM-5). They say something of rules, never of a person: a number of fewer than five is not shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allocator.casework.cases import Case
from allocator.casework.codes import Clearance, DecisionState, OutcomeKind
from allocator.casework.committee import Advice, Decision, Meeting, Outcome, Suggestion
from allocator.casework.housing import Tenancy
from allocator.casework.records import MeetingId, Stored, TenancyId
from allocator.model import Day, Text
from allocator.service import suggestions
from allocator.service.uses import Command, UseCase, creates
from allocator.service.weighing import is_cleared
from allocator.service.work import Work

SMALLEST = 5
"""Numbers of fewer are not shown where no policy says how many are too few."""


class RecordOutcome(Command):
    """What became of a tenancy, and when."""

    tenancy: TenancyId
    what: OutcomeKind
    on: Day
    text: Text | None = None
    meeting: MeetingId | None = None


def record(work: Work, asked: RecordOutcome) -> Stored[Outcome]:
    """Record what became of a tenancy, with the advice it had been decided with or against."""
    tenancy = work.named(Tenancy, asked.tenancy, "/tenancy")
    work.allow_with(tenancy)
    begun = tenancy.body.moved_in
    if asked.on > work.today or (begun is not None and asked.on < begun):
        work.wrong("/on", "a day from when they moved in to today")
    if asked.meeting is not None:
        work.named(Meeting, asked.meeting, "/meeting")
    decision = work.get(Decision, tenancy.body.decision)
    return work.create(
        Outcome(
            tenancy=tenancy.id,
            decision=tenancy.body.decision,
            meeting=asked.meeting,
            what=asked.what,
            on=asked.on,
            text=asked.text,
            advice=() if decision is None else advice_of(work, decision),
            author=work.actor.account,
        )
    )


def advice_of(work: Work, decision: Stored[Decision], *, exact: bool = True) -> tuple[Advice, ...]:
    """Return what each rule advised of the unit that was given, and whether that was followed.

    A rule that could not be answered advised nothing; neither did one that only notes.

    Args:
        work: The work.
        decision: The decision that gave it.
        exact: As the engine said it; otherwise as every member could read it.
    """
    body = decision.body
    suggestion = work.get(Suggestion, body.suggestion)
    if suggestion is None or body.unit is None:
        return ()
    said = suggestions.entry(work, suggestion, body.case, body.unit, exact=exact)
    kept: dict[str, bool] = {}
    for finding in () if said is None else said.entry["findings"]:
        if finding["effect"] != "note" and finding["outcome"] in ("kept", "broken"):
            rule = finding["rule"]
            kept[rule] = kept.get(rule, True) and finding["outcome"] == "kept"
    return tuple(Advice(rule=rule, followed=followed) for rule, followed in sorted(kept.items()))


# ---------------------------------------------------------------------------------------------- rates


@dataclass(frozen=True)
class Row:
    """Decisions that followed some advice, or went against it. None stands for too few.

    Attributes:
        decisions: How many.
        became: In how many of them each thing happened; one decision may be in several.
    """

    decisions: int | None
    became: Mapping[OutcomeKind, int | None]


@dataclass(frozen=True)
class Rates:
    """How often advice is followed, and what became of it.

    Attributes:
        with_advice: Decisions that needed no reason for going against the advice, and `against` the others.
        followed: By rule, decisions that did as it advised.
        overruled: By rule, decisions that gave a unit it spoke against.
    """

    with_advice: Row
    against: Row
    followed: Mapping[str, Row]
    overruled: Mapping[str, Row]


class _Count:
    """Decisions counted so far, and what became of them."""

    def __init__(self) -> None:
        self.decisions = 0
        self.became: Counter[OutcomeKind] = Counter()

    def add(self, became: frozenset[OutcomeKind]) -> None:
        self.decisions += 1
        self.became.update(became)

    def row(self, least: int) -> Row:
        def shown(number: int) -> int | None:
            return number if number >= least else None

        return Row(shown(self.decisions), {kind: shown(self.became[kind]) for kind in OutcomeKind})


def rates(work: Work, least: int = SMALLEST) -> Rates:
    """Return how often each rule is followed, and what became of it, over all decisions that gave a unit.

    Decisions on kode-6 people count only for who is cleared for that. For who is not cleared advice is what
    members could read: which rules spoke, too, would tell of whom.

    Args:
        work: The work.
        least: Numbers of fewer are not shown.
    """
    exact = is_cleared(work)
    became: dict[str, set[OutcomeKind]] = {}
    for outcome in work.find(Outcome):
        if outcome.body.decision is not None:
            became.setdefault(outcome.body.decision, set()).add(outcome.body.what)
    with_advice, against = _Count(), _Count()
    followed: dict[str, _Count] = {}
    overruled: dict[str, _Count] = {}
    for decision in work.find(Decision, states={DecisionState.MADE, DecisionState.REVERSED}):
        body = decision.body
        if body.unit is None or body.suggestion is None or _is_hidden(work, body):
            continue
        what = frozenset(became.get(decision.id, ()))
        deviates = body.deviation is not None or (exact and body.sealed_deviation is not None)
        (against if deviates else with_advice).add(what)
        for advice in advice_of(work, decision, exact=exact):
            rows = followed if advice.followed else overruled
            rows.setdefault(advice.rule, _Count()).add(what)
    return Rates(with_advice.row(least), against.row(least), _rows(followed, least), _rows(overruled, least))


def _is_hidden(work: Work, decision: Decision) -> bool:
    person = work.load(Case, decision.case).body.person
    return person in work.strict and Clearance.KODE_6 not in work.actor.cleared


def _rows(counts: Mapping[str, _Count], least: int) -> dict[str, Row]:
    return {rule: counts[rule].row(least) for rule in sorted(counts)}


USES: tuple[UseCase[Any], ...] = (creates("outcomes.record", Outcome, RecordOutcome, record),)
