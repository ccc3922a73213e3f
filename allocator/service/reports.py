"""Reports: figures over all that is stored. They say something of the work, never of a person.

A kode-6 person counts only for readers who are cleared, and a case that the reader is shut out of counts for
nothing. Numbers of few people are hidden in :mod:`allocator.small_cells`, and there alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from statistics import median
from typing import Any

from allocator import small_cells
from allocator.access.authorizer import Actor, may_report, sees
from allocator.access.table import Report
from allocator.casework import veto_cost
from allocator.casework.cases import Case, month_after
from allocator.casework.codes import (
    ENDED_CASES,
    CaseState,
    Clearance,
    DecisionOutcome,
    DecisionState,
    PolicyState,
    VetoOutcome,
)
from allocator.casework.committee import Decision, Suggestion
from allocator.casework.offices import StoredPolicy
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link, Stored
from allocator.casework.voice import Veto
from allocator.codes import Need, Service, UnitStatus
from allocator.disclosure import Reader
from allocator.model import age_on
from allocator.ports import Logged
from allocator.scoring import Verdict
from allocator.service import outcomes, suggestions
from allocator.service.desk import Desk
from allocator.service.errors import ForbiddenError
from allocator.service.facts import policy_of, snapshot
from allocator.service.work import Work
from allocator.small_cells import Behind

Content = dict[str, Any]

WAITED = (90, 180, 365)
"""First day of each band of waiting but the shortest: three months, half a year, a year."""

AGES = (25, 40, 60)
"""First year of each band of age but the youngest, as in simulations."""

_UNKNOWN = "unknown"


def report(desk: Desk, actor: Actor, which: Report) -> Content:
    """Return a report as the actor may read it; that they read it is logged.

    Raises:
        ForbiddenError: They may not.
    """
    schemes = may_report(desk.access, actor, which)
    use = f"reports.{which.value}"
    allowed = schemes is None or bool(schemes)
    content: Content = {}
    with desk.storage.read(patient=True) as tx:
        work = Work(tx, desk.access, actor, desk.clock.now(), desk.clock.today(), use)
        if allowed:
            content = {"as_of": work.today.isoformat(), "least": _least(work), **_MADE[which](work, schemes)}
    work.notes.append(entry_of(work, "shown" if allowed else "denied"))
    with desk.storage.write() as tx:
        tx.append(work.notes, facts=False)
    if not allowed:
        raise ForbiddenError(use)
    return content


def entry_of(work: Work, outcome: str) -> Logged:
    """Return the entry of the log for figures that were asked for, which are about no record."""
    entry: dict[str, Any] = {
        "at": work.now.isoformat(),
        "by": work.actor.account,
        "roles": sorted(work.actor.roles),
        "use": work.use,
        "outcome": outcome,
    }
    if work.actor.purpose is not None:
        entry["purpose"] = work.actor.purpose
    return Logged(entry)


def _least(work: Work) -> int:
    """Return how few people are too few: as the policy in use says, or five."""
    active = work.find(StoredPolicy, states={PolicyState.ACTIVE})
    return policy_of(work, active[0].body.content).k_anonymity if active else outcomes.SMALLEST


def _guarded(work: Work) -> bool:
    return Clearance.KODE_6 not in work.actor.cleared


def _cases(work: Work) -> list[Stored[Case]]:
    """Return the cases that count for the reader."""
    hidden = work.hidden()
    return [case for case in work.find(Case) if Link(Kind.CASE, case.id) not in hidden]


def _is_open(case: Case) -> bool:
    return case.closing is None and case.state not in ENDED_CASES


# ------------------------------------------------------------------------------------------ objections


def _vetoes(work: Work, schemes: frozenset[str] | None) -> Content:
    """Tell how often a scheme has objected on which ground, what came of it, and what it closes now."""
    people = {case.id: case.body.person for case in _cases(work)}
    vetoes = [
        veto.body
        for veto in work.find(Veto)
        if veto.body.entry.applicant in people and (schemes is None or veto.body.scheme in schemes)
    ]
    units, k = veto_cost.places(snapshot(work, guarded=_guarded(work))), _least(work)
    keys: Mapping[str, Callable[[Veto], str]] = {
        "by_scheme": veto_cost.by_scheme,
        "by_ground": veto_cost.by_ground,
    }
    columns = [outcome.value for outcome in VetoOutcome]
    return {
        "rates": {
            name: small_cells.table(
                _counted(
                    (key(v), veto_cost.outcome(v, work.today), people[v.entry.applicant]) for v in vetoes
                ),
                columns,
                k,
            )
            for name, key in keys.items()
        },
        "closed_now": {
            name: [
                {"key": c.key, "vetoes": c.vetoes, "applicants": c.applicants, "units": c.units}
                for c in veto_cost.costs(vetoes, units, work.today, key)
                if c.applicants >= k
            ]
            for name, key in keys.items()
        },
    }


def _counted(found: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, Behind]]:
    """Return how many there are of each group and column, by the person behind them."""
    groups: dict[str, dict[str, Behind]] = {}
    for group, column, person in found:
        groups.setdefault(group, {}).setdefault(str(column), Counter())[person] += 1
    return groups


# ----------------------------------------------------------------------------------------------- rules


def _rules(work: Work, _schemes: frozenset[str] | None) -> Content:
    """Tell how often each rule is broken in suggestions, how often it is followed, and what became of it.

    A rule counts once for a case, however often the engine was asked.
    """
    least = _least(work)
    rates = outcomes.rates(work, least)
    cases = {case.id for case in _cases(work)}
    suggested = [s.body for s in work.find(Suggestion) if s.body.case in cases]
    asked = {body.case for body in suggested}
    broken = Counter(rule for rule, _ in {(rule, body.case) for body in suggested for rule in body.broken})
    return {
        "cases": small_cells.part(len(asked), len(asked), least),
        "broken": {rule: small_cells.part(broken[rule], len(asked), least) for rule in sorted(broken)},
        "with_advice": _row(rates.with_advice),
        "against": _row(rates.against),
        "followed": {rule: _row(row) for rule, row in rates.followed.items()},
        "overruled": {rule: _row(row) for rule, row in rates.overruled.items()},
    }


def _row(row: outcomes.Row) -> Content:
    return {"decisions": row.decisions, "became": {kind.value: n for kind, n in row.became.items()}}


# --------------------------------------------------------------------------------------------- waiting


def _waiting(work: Work, _schemes: frozenset[str] | None) -> Content:
    """Tell which replies are overdue (REQ-BSL-1), how long people wait, and which units stand empty."""
    waiting = [case for case in _cases(work) if _is_open(case.body)]
    days = {case.id: (work.today - case.body.waiting_since).days for case in waiting}
    k = _least(work)
    bands = _bands(WAITED)
    counted = _counted(
        (case.body.state, bands[_band(days[case.id], WAITED)], case.body.person) for case in waiting
    )
    return {
        "overdue_replies": list(_overdue(work, waiting)),
        "waiting": {
            "people": small_cells.part(len(waiting), len(waiting), k),
            "median_days": median(days.values()) if len(waiting) >= k else None,
            "days_by_state": small_cells.table(counted, bands, k),
        },
        "vacant": list(_vacant(work)),
    }


def _overdue(work: Work, cases: Iterable[Stored[Case]]) -> Iterator[Content]:
    """Yield the cases without a preliminary reply a month after they came, and note that they were shown."""
    early = {CaseState.RECEIVED, CaseState.ASSESSMENT, CaseState.ASSISTANCE_ASSESSED, CaseState.CRISIS}
    for case in cases:
        body, due = case.body, month_after(case.body.received_on)
        if body.preliminary_reply_on is not None or body.state not in early or due >= work.today:
            continue
        groups = sees(work.access, work.actor, Kind.CASE, work.circumstances(case)).groups
        if groups is None or "process" not in groups:
            continue
        work.note(case, outcome="shown", groups=["process"])
        yield {
            "case": case.id,
            "received_on": body.received_on.isoformat(),
            "due_on": due.isoformat(),
            "days_over": (work.today - due).days,
        }


def _vacant(work: Work) -> Iterator[Content]:
    for scheme in snapshot(work, guarded=_guarded(work)).schemes:
        for unit in (unit for group in scheme.living_groups for unit in group.units):
            if unit.status is UnitStatus.VACANT:
                since = unit.vacant_since
                days = None if since is None else (work.today - since).days
                yield {"unit": unit.id, "scheme": scheme.id, "days_empty": days}


def _bands(limits: tuple[int, ...]) -> list[str]:
    between = [f"{low}_to_{high - 1}" for low, high in pairwise(limits)]
    return [f"under_{limits[0]}", *between, f"from_{limits[-1]}"]


def _band(number: int, limits: tuple[int, ...]) -> int:
    return sum(number >= limit for limit in limits)


# ----------------------------------------------------------------------------------------------- needs


def _needs(work: Work, _schemes: frozenset[str] | None) -> Content:
    """Tell how many of those who wait need what, for the overview of living conditions (REQ-BSL-5)."""
    people = {case.body.person for case in _cases(work) if _is_open(case.body)}
    needs = (work.load(Person, person).body.facts.needs for person in sorted(people))
    known = [assessment for assessment in needs if assessment.holds(work.today)]
    found = Counter(code for assessment in known for code in (*assessment.needs, *assessment.services))
    k = _least(work)
    return {
        "people": small_cells.part(len(people), len(people), k),
        "assessed": small_cells.part(len(known), len(people), k),
        "needs": {need.value: small_cells.part(found[need], len(known), k) for need in Need},
        "services": {service.value: small_cells.part(found[service], len(known), k) for service in Service},
    }


# ---------------------------------------------------------------------------------------------- impact

_BLOCKED = Verdict.BLOCKED.code
_DECIDED = (
    "allocated_with_advice",
    "allocated_against_advice",
    *(outcome.value for outcome in DecisionOutcome if outcome is not DecisionOutcome.ALLOCATED),
)


def _impact(work: Work, _schemes: frozenset[str] | None) -> Content:
    """Tell what suggestions and decisions come to, by gender and by age (REQ-LDL-5).

    A suggestion counts by the best that it says of any unit, as members read it; a case once, by its newest.
    """
    cases = _cases(work)
    best = {case.id: verdict for case in cases if (verdict := _best(work, case.id)) is not None}
    decided = [(case, _came_to(d.body)) for case in cases for d in _decisions(work, case.id)]
    k, verdicts = _least(work), [verdict.code for verdict in Verdict]
    groups: Mapping[str, Callable[[Stored[Case]], str]] = {
        "gender": lambda case: _gender(work, case.body.person),
        "age": lambda case: _age(work, case.body.person),
    }
    return {
        name: {
            "best_suggested": small_cells.table(
                _counted((group(c), best[c.id], c.body.person) for c in cases if c.id in best), verdicts, k
            ),
            "decided": small_cells.table(
                _counted((group(c), came_to, c.body.person) for c, came_to in decided), _DECIDED, k
            ),
        }
        for name, group in groups.items()
    }


def _best(work: Work, case: str) -> str | None:
    suggestion = suggestions.newest_for(work, case)
    if suggestion is None:
        return None
    told = suggestions.answer_for(work, suggestion, Reader.MEMBER, "nb", guarded=_guarded(work))
    verdicts = {entry["verdict"] for entry in told["suggestions"]}
    return next((verdict.code for verdict in Verdict if verdict.code in verdicts), _BLOCKED)


def _decisions(work: Work, case: str) -> list[Stored[Decision]]:
    made = work.find(Decision, Link(Kind.CASE, case), states={DecisionState.MADE})
    return [decision for decision in made if decision.body.case == case]


def _came_to(decision: Decision) -> str:
    if decision.outcome is not DecisionOutcome.ALLOCATED:
        return decision.outcome.value
    return _DECIDED[0] if decision.deviation is None else _DECIDED[1]


def _gender(work: Work, person: str) -> str:
    said = work.load(Person, person).body.facts.gender.value
    return _UNKNOWN if said is None else said.value


def _age(work: Work, person: str) -> str:
    born = work.load(Person, person).body.facts.birth_date.value
    return _UNKNOWN if born is None else _bands(AGES)[_band(age_on(born, work.today), AGES)]


_MADE: Mapping[Report, Callable[[Work, frozenset[str] | None], Content]] = {
    Report.VETOES: _vetoes,
    Report.RULES: _rules,
    Report.WAITING: _waiting,
    Report.NEEDS: _needs,
    Report.IMPACT: _impact,
}
