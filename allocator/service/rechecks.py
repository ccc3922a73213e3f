"""Rechecks: placements that something learnt after they were decided bars now (E-08).

When a conflict or an order is recorded or changed, the rules are asked about each decision of those concerned
that has given a unit: as things stood before, and as they stand now. What is barred now and was not before is
work for the cleared. Nothing else happens by itself: a doubt, a letter or a stop would tell everybody else
when, and by that of whom. A person suspends the decision (:mod:`allocator.service.suspensions`), or does not.

Who has moved in by then is asked about too, but there is nothing to stop: it is a question to those who
follow up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from allocator.casework.cases import Case
from allocator.casework.codes import CaseState, DecisionState, PolicyState, RecheckAnswer, RecheckState
from allocator.casework.committee import Decision
from allocator.casework.housing import Tenancy, Unit
from allocator.casework.occupancy import lives_there
from allocator.casework.offices import StoredPolicy
from allocator.casework.records import Kind, Link, Stored
from allocator.casework.relations import Conflict, Order, Recheck
from allocator.casework.snapshot import Register
from allocator.engines import EngineError
from allocator.model import Text
from allocator.service import weighing
from allocator.service.errors import MovedOnError
from allocator.service.facts import register
from allocator.service.uses import Command, UseCase, acts
from allocator.service.weighing import Bars
from allocator.service.work import Work, new_id

WITHIN = timedelta(days=1)
"""Somebody looks at a placement again within so long, since an answer may come any day; a local choice."""

FOLLOWED_UP_WITHIN = timedelta(days=14)
"""Within so long where they have moved in, as after a crisis placement; a local choice."""

Apart: TypeAlias = Stored[Conflict] | Stored[Order]
"""What keeps people apart."""


# ------------------------------------------------------------------------------------------- answering


class AnswerRecheck(Command):
    """What came of looking at a placement again, and why; for the cleared."""

    answer: RecheckAnswer
    found: Annotated[Text, Field(min_length=20)]


def answer(work: Work, asked: AnswerRecheck, recheck: Stored[Recheck]) -> Stored[Recheck]:
    """Write down what came of looking at a placement again."""
    if recheck.body.state is not RecheckState.OPEN:
        work.refuse("recheck-closed")
    return work.change(
        recheck,
        state=RecheckState.ANSWERED,
        answer=asked.answer,
        found=asked.found,
        answered_by=work.actor.account,
        closed_on=work.today,
    )


# ---------------------------------------------------------------------------------------------- asking


@dataclass(frozen=True)
class Placement:
    """A decision that has given somebody a unit, and their home there once they have moved in."""

    decision: Stored[Decision]
    tenancy: Stored[Tenancy] | None = None


@dataclass(frozen=True)
class Asked:
    """What the rules say of each placement, by its decision: before something was recorded, and with it.

    Attributes:
        facts_at: How far the record had come when they were asked.
        bars: The bars; None if the engine could not be asked.
    """

    facts_at: int
    bars: Mapping[str, tuple[Bars | None, Bars | None]]


def ask(work: Work, changed: Apart) -> Asked:
    """Ask the rules about the placements of those whom a conflict or an order keeps apart.

    Args:
        work: The work.
        changed: The conflict or order as it will be.
    """
    bars = {}
    touched = list(_touched(work, changed))
    if touched and work.find(StoredPolicy, states={PolicyState.ACTIVE}):  # without rules nothing is barred
        before = register(work)
        after = _with(before, changed)
        for placement in touched:
            said = _bars(work, placement, before), _bars(work, placement, after)
            bars[placement.decision.id] = said
    return Asked(work.tx.head().facts_at, bars)


def settle(work: Work, changed: Apart, asked: Asked) -> None:
    """Open what somebody cleared must look at again, now that something was recorded, and close the rest.

    Raises:
        MovedOnError: The facts are others than those that the rules were asked about.
    """
    touched = list(_touched(work, changed))
    if touched and work.tx.head().facts_at != asked.facts_at:
        raise MovedOnError
    for placement in touched:
        before, after = asked.bars.get(placement.decision.id, (frozenset(), frozenset()))
        waiting = _waiting(work, placement.decision)
        if after == frozenset():
            if waiting is not None:
                _close(work, waiting)
        elif after is None or before is None or after - before:
            _open(work, placement, changed, after or frozenset(), waiting)
        elif waiting is not None:
            work.change(waiting, rules=_rules(after))


def _touched(work: Work, changed: Apart) -> Iterator[Placement]:
    people = sorted(link.id for link in changed.body.subjects() if link.kind is Kind.PERSON)
    for person in people:
        for case in work.find(Case, Link(Kind.PERSON, person)):
            if case.body.person == person:
                yield from _placements(work, case)


def _placements(work: Work, case: Stored[Case]) -> Iterator[Placement]:
    stood = {DecisionState.MADE, DecisionState.REVERSED}
    for decision in work.find(Decision, Link(Kind.CASE, case.id), states=stood):
        body = decision.body
        if body.case != case.id or body.unit is None:
            continue
        home = _home(work, decision)
        if home is not None or (body.state is DecisionState.MADE and body.ended_on is None):
            yield Placement(decision, home)


def _home(work: Work, decision: Stored[Decision]) -> Stored[Tenancy] | None:
    homes = work.find(Tenancy, Link(Kind.DECISION, decision.id), states={"current"})
    return next((home for home in homes if home.body.decision == decision.id), None)


def _bars(work: Work, placement: Placement, records: Register) -> Bars | None:
    """Return what bars a placement because of somebody; None if the engine could not be asked.

    It is asked about a vacant unit just like the one that was given, beside it: so neither the decision nor
    who shares the unit stands in the way. Who has been given a unit counts where they live and where they are
    about to (E-07); but who has moved in is compared with those who live there alone.
    """
    unit = next(unit for unit in records.units if unit.id == placement.decision.body.unit)
    twin = replace(unit, id=new_id(Kind.UNIT), body=unit.body.model_copy(update={"closure": None}))
    records = replace(records, units=[*records.units, twin])
    case = placement.decision.body.case
    if placement.tenancy is None:
        worlds = [records, *_when_moved(work, records, case)]
    else:
        worlds = [_still_waiting(records, case, placement.tenancy)]
    try:
        return frozenset().union(*(weighing.sealed_bars(work, case, twin.id, world) for world in worlds))
    except EngineError:
        return None


def _with(records: Register, changed: Apart) -> Register:
    """Return the records with a conflict or an order as it will be."""
    name = "conflicts" if changed.kind is Kind.CONFLICT else "orders"
    others = [other for other in getattr(records, name) if other.id != changed.id]
    return replace(records, **{name: [*others, changed]})


def _still_waiting(records: Register, case: str, home: Stored[Tenancy]) -> Register:
    """Return the records as if somebody who has moved in still waited for a home."""
    waits = {"state": CaseState.WAITING_LIST, "closing": None}
    return replace(
        records,
        cases=[
            replace(other, body=other.body.model_copy(update=waits)) if other.id == case else other
            for other in records.cases
            if other.id == case or other.body.person != home.body.person
        ],
        tenancies=[tenancy for tenancy in records.tenancies if tenancy.id != home.id],
    )


def _when_moved(work: Work, records: Register, case: str) -> Iterator[Register]:
    """Yield the records as if those who are kept apart from somebody lived where they were given a unit."""
    people = {other.id: other.body.person for other in records.cases}
    named = (stored.body.subjects() for stored in (*records.conflicts, *records.orders))
    apart = frozenset().union(*(links for links in named if Link(Kind.PERSON, people[case]) in links))
    moving = [
        decision
        for decision in records.decisions
        if decision.body.unit is not None
        and decision.body.ended_on is None
        and decision.body.case != case
        and Link(Kind.PERSON, people[decision.body.case]) in apart
    ]
    if not moving:
        return
    gone = {people[decision.body.case] for decision in moving}
    homes = [home for home in records.tenancies if home.body.person not in gone]
    for decision in moving:
        homes.append(_home_there(work, decision, people[decision.body.case], homes))
    yield replace(records, tenancies=homes)


def _home_there(
    work: Work, decision: Stored[Decision], person: str, homes: Sequence[Stored[Tenancy]]
) -> Stored[Tenancy]:
    """Return the tenancy that somebody will have, shared with who lives in the unit, if anybody does."""
    unit = work.load(Unit, str(decision.body.unit))
    living = (home for home in homes if home.body.unit == unit.id and lives_there(home.body, work.today))
    host = next((home.id for home in living if home.body.shares is None), None)
    body = Tenancy(person=person, unit=unit.id, scheme=unit.body.scheme, moved_in=work.today, shares=host)
    return Stored(Kind.TENANCY, decision.id, 1, body, decision.at, decision.by, decision.change)


# ------------------------------------------------------------------------------------ opening, closing


def _waiting(work: Work, decision: Stored[Decision]) -> Stored[Recheck] | None:
    found = work.find(Recheck, Link(Kind.DECISION, decision.id), states={RecheckState.OPEN})
    return next(iter(found), None)


def _open(
    work: Work, placement: Placement, changed: Apart, bars: Bars, waiting: Stored[Recheck] | None
) -> None:
    people = frozenset(link.id for link in changed.body.subjects() if link.kind is Kind.PERSON)
    conflicts, orders = (
        frozenset({changed.id}) if changed.kind is kind else frozenset()
        for kind in (Kind.CONFLICT, Kind.ORDER)
    )
    if waiting is not None:
        body = waiting.body
        work.change(
            waiting,
            conflicts=body.conflicts | conflicts,
            orders=body.orders | orders,
            about=body.about | people,
            rules=_rules(bars),
        )
        return
    decision, home = placement.decision, placement.tenancy
    assert decision.body.unit is not None
    work.create(
        Recheck(
            decision=decision.id,
            case=decision.body.case,
            unit=decision.body.unit,
            tenancy=None if home is None else home.id,
            conflicts=conflicts,
            orders=orders,
            about=people,
            rules=_rules(bars),
            opened_on=work.today,
            by=work.today + (WITHIN if home is None else FOLLOWED_UP_WITHIN),
        )
    )


def _rules(bars: Bars) -> tuple[str, ...]:
    return tuple(sorted({rule for rule, _ in bars}))


def _close(work: Work, recheck: Stored[Recheck]) -> None:
    work.change(recheck, state=RecheckState.NOT_NEEDED, closed_on=work.today)


def allotment_ended(work: Work, decision: Stored[Decision]) -> None:
    """Close what somebody was to look at, now that nobody gets the unit; or ask those who follow up."""
    waiting = _waiting(work, decision)
    if waiting is None:
        return
    home = _home(work, decision)
    if home is None:
        _close(work, waiting)
    else:
        work.change(waiting, tenancy=home.id, by=work.today + FOLLOWED_UP_WITHIN)


def moved_out(work: Work, tenancy: Stored[Tenancy]) -> None:
    """Close what was asked of those who follow up somebody who lives there no more."""
    for recheck in work.find(Recheck, Link(Kind.TENANCY, tenancy.id), states={RecheckState.OPEN}):
        _close(work, recheck)


USES: tuple[UseCase[Any], ...] = (acts("rechecks.answer", Recheck, AnswerRecheck, answer),)
