"""What a decision must answer, told before it is written: what it needs, and what stands in its way.

It is worked out by the checks that the decision itself meets. What only the cleared read is told to them
alone: others are told what follows from what they read, and meet the rest when they decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from allocator.access.authorizer import Actor, may, sees
from allocator.casework.cases import Case
from allocator.casework.codes import ENDED_CASES, CaseState
from allocator.casework.committee import Decision, Suggestion
from allocator.casework.days import day_after
from allocator.casework.housing import Unit
from allocator.casework.people import Person
from allocator.casework.records import Body, Stored
from allocator.service import weighing
from allocator.service.allotments import check_answered, check_apart, check_heard, standing_vetoes
from allocator.service.cases import check_free, check_no_place, weigh_crisis
from allocator.service.decisions import check_partner, check_second, check_unallotted, shares_unit
from allocator.service.desk import EXACT, Desk
from allocator.service.errors import NotFoundError, RefusalError
from allocator.service.letters import names_others
from allocator.service.weighing import Entry, Weighed
from allocator.service.work import Work

USE = "decisions.prospect"
"""What such a look is called in the log."""


@dataclass(frozen=True)
class Changed:
    """A fact that reads otherwise than when the suggestion was made.

    Attributes:
        path: Which fact.
        about: The resident it is about, if it is one's.
        before: What it was; None if it was not read.
        now: What it is; likewise.
    """

    path: str
    about: str | None
    before: Any
    now: Any


@dataclass(frozen=True)
class Prospect:
    """What a decision to give somebody a unit must answer, as the actor may know it.

    Attributes:
        verdict: What members read of the unit now; None if nothing is said of it.
        verdict_then: What they read in the suggestion.
        deviation: Why it goes against the advice must be said.
        sealed: Rules that speak against it and that only the cleared read of: why not must be said too.
        stale: Why it does not matter that facts have changed must be said.
        rules: Rules that members read to speak against it.
        passed_over: Something that nothing speaks against stands before it.
        changed: The facts that have changed since the suggestion.
        objections: The objections that must be answered.
        names_others: The grounds name another case or person, and can go out to no applicant.
        stops: Why it cannot be decided so, whatever is said.
    """

    verdict: str | None = None
    verdict_then: str | None = None
    deviation: bool = False
    sealed: tuple[str, ...] = ()
    stale: bool = False
    rules: tuple[str, ...] = ()
    passed_over: bool = False
    changed: tuple[Changed, ...] = ()
    objections: tuple[str, ...] = ()
    names_others: bool = False
    stops: tuple[RefusalError, ...] = ()


def before_proposing(
    desk: Desk,
    actor: Actor,
    case: str,
    unit: str,
    suggestion: str | None,
    *,
    crisis: bool = False,
    reverses: str | None = None,
) -> Prospect:
    """Return what a decision to give a unit must answer if it were proposed now; the look is logged.

    Args:
        desk: The desk.
        actor: Who would propose it.
        case: The case.
        unit: The unit.
        suggestion: The suggestion it answers.
        crisis: Whether it is a placement in a crisis.
        reverses: The decision in whose place it would come.

    Raises:
        NotFoundError: The case or the unit is not there, or not for them to decide on.
    """

    def tell(work: Work, stored: Stored[Case]) -> Prospect:
        place = _unit(work, unit)
        if _has_ended(stored, reopening=False):
            return Prospect(stops=(RefusalError("case-ended"),))
        answered = work.get(Suggestion, suggestion)
        weighed = weighing.weigh(work, stored.id, unit, answered)
        _note(work, stored, weighed)
        checks = [
            lambda: check_unallotted(work, stored.id, crisis=crisis, reverses=reverses),
            lambda: _check(work, weighed, stored, place),
        ]
        if not crisis:
            checks.append(lambda: check_heard(work, stored.id, place))
            if answered is None or (weighed is not None and weighed.then is None):
                checks.append(lambda: work.refuse("suggestion-missing"))
        return _prospect(
            weighed,
            weighed,
            crisis=crisis,
            shared=shares_unit(work, stored, unit),
            objections=tuple(veto.id for veto in standing_vetoes(work, stored.id, place)),
            stops=_stops(*checks),
        )

    return desk.look_into(actor, Case, case, USE, tell, may_know=_may("decisions.propose"))


def before_placing(desk: Desk, actor: Actor, case: str, unit: str) -> Prospect:
    """Return what a placement in a crisis must answer if it were made now; the look is logged.

    Args:
        desk: The desk.
        actor: Who would place somebody.
        case: The case.
        unit: The unit.

    Raises:
        NotFoundError: The case or the unit is not there, or not for them to decide on.
    """

    def tell(work: Work, stored: Stored[Case]) -> Prospect:
        place = _unit(work, unit)
        weighed = weigh_crisis(work, stored, place, day_after(work.today))
        _note(work, stored, weighed)
        return _prospect(
            weighed,
            weighed,
            crisis=True,
            shared=False,
            stops=_stops(
                lambda: check_no_place(work, stored),
                lambda: check_free(work, stored, place),
                lambda: _check(work, weighed, stored, place),
            ),
        )

    return desk.look_into(actor, Case, case, USE, tell, may_know=_may("cases.place_in_crisis"))


def before_approving(desk: Desk, actor: Actor, decision: str) -> Prospect:
    """Return what the approval of a proposed decision must answer now; the look is logged.

    Raises:
        NotFoundError: It is not there, or not for them to approve.
    """

    def tell(work: Work, stored: Stored[Decision]) -> Prospect:
        body = stored.body
        case = work.load(Case, body.case)
        if _has_ended(case, reopening=body.reverses is not None):
            return Prospect(stops=(RefusalError("case-ended"),))
        named = names_others(work, body)
        if body.unit is None:
            return Prospect(names_others=named, stops=_stops(lambda: check_second(work, stored)))
        place = _unit(work, body.unit)
        crisis = body.crisis_until is not None
        weighed = weighing.weigh(work, case.id, place.id, None)
        since = (body.told_sha256 or "", body.judged_sha256 or "")
        compared, then = weighed, work.get(Suggestion, body.suggestion)
        if weighed is not None and then is not None and weighing.is_stale(weighed, since):
            compared = weighing.weigh(work, case.id, place.id, then)
        _note(work, case, weighed)
        prospect = _prospect(
            weighed,
            compared,
            crisis=crisis,
            shared=shares_unit(work, case, place.id),
            since=since,
            sealed=body.sealed_deviation is None,
            stops=_stops(
                lambda: check_second(work, stored),
                lambda: _check(work, weighed, case, place),
                lambda: _check_deviation(work, weighed, case, body),
                lambda: check_partner(work, stored, case),
                lambda: check_answered(work, case.id, place, (reply.veto for reply in body.replies)),
            ),
        )
        return replace(prospect, names_others=named)

    return desk.look_into(actor, Decision, decision, USE, tell, may_know=_may("decisions.approve"))


# --------------------------------------------------------------------------------------------- checks


def _may(use: str) -> Callable[[Work, Stored[Any]], bool]:
    def known(work: Work, stored: Stored[Body]) -> bool:
        about = work.circumstances(stored)
        visible = sees(work.access, work.actor, stored.kind, about).visible
        return visible and may(work.access, work.actor, use, about)

    return known


def _unit(work: Work, identifier: str) -> Stored[Unit]:
    unit = work.get(Unit, identifier)
    if unit is None:
        raise NotFoundError("no such unit")
    return unit


def _has_ended(case: Stored[Case], *, reopening: bool) -> bool:
    ended = case.body.closing is not None or case.body.state in ENDED_CASES
    return ended and not (reopening and case.body.state is CaseState.REFUSED)


def _check(work: Work, weighed: Weighed | None, case: Stored[Case], unit: Stored[Unit]) -> None:
    """Refuse a unit that nobody may give, as far as the actor may know why."""
    if weighed is None:
        work.refuse("unit-not-available")
    taken = weighing.TAKEN if shares_unit(work, case, unit.id) else None
    weighing.check_told(work, weighed, but=taken)
    if weighed.cleared:
        weighing.check_hidden(work, weighed, but=taken)
        check_apart(work, case, unit)


def _check_deviation(work: Work, weighed: Weighed | None, case: Stored[Case], decision: Decision) -> None:
    """Refuse a proposal that says nothing of advice which has come to speak against it."""
    assert decision.unit is not None
    if weighed is None or decision.deviation is not None or shares_unit(work, case, decision.unit):
        return
    if weighing.needs_deviation(weighed, crisis=decision.crisis_until is not None):
        work.refuse("deviation-needed")


def _stops(*checks: Callable[[], object]) -> tuple[RefusalError, ...]:
    found: dict[str, RefusalError] = {}
    for check in checks:
        try:
            check()
        except RefusalError as refusal:
            found.setdefault(refusal.code, refusal)
    return tuple(found.values())


# ---------------------------------------------------------------------------------------------- telling


def _prospect(
    weighed: Weighed | None,
    compared: Weighed | None,
    *,
    crisis: bool,
    shared: bool,
    stops: tuple[RefusalError, ...],
    since: tuple[str, str] | None = None,
    sealed: bool = True,
    objections: tuple[str, ...] = (),
) -> Prospect:
    if weighed is None or compared is None:
        return Prospect(objections=objections, stops=stops)
    stale = not shared and weighing.is_stale(weighed, since)
    then = compared.then
    return Prospect(
        verdict=weighed.told["verdict"],
        verdict_then=None if then is None else then["verdict"],
        deviation=not shared and weighing.needs_deviation(weighed, crisis=crisis),
        sealed=weighing.sealed_rules(weighed) if weighed.cleared and sealed and not shared else (),
        stale=stale,
        rules=weighing.told_rules(weighed),
        passed_over=weighed.passed_over,
        changed=tuple(_changed(then, weighed.told)) if stale and then is not None else (),
        objections=objections,
        stops=stops,
    )


def _changed(then: Entry, now: Entry) -> Iterator[Changed]:
    before, after = _facts(then), _facts(now)
    for about, path in sorted(before.keys() | after.keys()):
        was, reads = before.get((about, path)), after.get((about, path))
        if was != reads:
            yield Changed(path, about or None, was, reads)


def _facts(entry: Entry) -> Mapping[tuple[str, str], Any]:
    return {
        (about if path.startswith("resident.") else "", path): value
        for finding in entry["findings"]
        for about in (finding["about"] or [""])
        for path, value in finding["facts"].items()
        if not weighing.passes(path)
    }


def _note(work: Work, stored: Stored[Case], weighed: Weighed | None) -> None:
    cleared = weighed is not None and weighed.cleared
    told = () if weighed is None else (weighed.exact.entry if cleared else weighed.told)["findings"]
    people = {name for finding in told for name in finding["about"]}
    work.note(
        stored,
        outcome="shown",
        groups=["answer", EXACT] if cleared else ["answer"],
        shown=sorted(name for name in people if work.get(Person, name) is not None),
    )
