"""Units that stand empty: for how long, and what that costs those who wait.

The cost is counted in days of waiting. Rents are not recorded: none of the documented schemes states its own
(`domain.md` 1), so money could only be guessed at. What the field says of empty homes is that there are no
resources for keeping them for the right one (W5), and that the days are to be shown and never to lower a
safety block (R-27): so it is shown who could live there meanwhile.

The count is quick and columnar alone; no suggestion rests on it. What is known of conflicts and orders is
left out for every reader alike, since it would tell where somebody's enemy lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from allocator.access.authorizer import Actor, may_report, reader
from allocator.access.table import Report
from allocator.casework.codes import Clearance, PolicyState
from allocator.casework.offices import StoredPolicy
from allocator.casework.records import Kind
from allocator.codes import UnitStatus
from allocator.facts import CaseFacts
from allocator.model import Snapshot
from allocator.policy import Policy
from allocator.ranking import Rankings
from allocator.scoring import Verdict
from allocator.service.desk import Desk
from allocator.service.facts import policy_of, snapshot
from allocator.service.reports import entry_of
from allocator.service.work import Work

USE = "units.vacancies"
"""What such a look is called in the log."""


@dataclass(frozen=True)
class Vacancy:
    """A unit that stands empty.

    Attributes:
        unit: The unit.
        scheme: Its scheme.
        days_empty: How many days it has been so; None if it is not known since when.
        could_live: How many of those who wait the rules do not bar from it; None while there is no policy, or
            for who does not take part in deciding.
        days_waited: The days that each of these has waited while it stood empty, added up; None if either is
            not known.
    """

    unit: str
    scheme: str
    days_empty: int | None
    could_live: int | None = None
    days_waited: int | None = None


def vacancies(desk: Desk, actor: Actor) -> tuple[Vacancy, ...]:
    """Return the units that stand empty, the longest first; that they were looked at is logged.

    It is for those who read the figures of waiting. Who could live there is counted for those of them who
    take part in deciding: the list of applicants for a unit tells them the same, one by one.

    Raises:
        ForbiddenError: The actor may not read that.
    """
    if may_report(desk.access, actor, Report.WAITING) == frozenset():
        desk.refuse(actor, USE, Kind.ACCOUNT, actor.account)
    with desk.storage.read(patient=True) as tx:
        work = Work(tx, desk.access, actor, desk.clock.now(), desk.clock.today(), USE)
        found = tuple(_found(work))
    with desk.storage.write() as tx:
        tx.append([entry_of(work, "shown")], facts=False)
    return tuple(sorted(found, key=lambda one: (-(one.days_empty or 0), one.unit)))


def _found(work: Work) -> Iterator[Vacancy]:
    facts = snapshot(work, guarded=Clearance.KODE_6 not in work.actor.cleared)
    empty = {
        unit.id: (scheme.id, unit.vacant_since)
        for scheme in facts.schemes
        for unit in scheme.units
        if unit.status is UnitStatus.VACANT
    }
    reads_as = reader(work.access, work.actor)
    counted = reads_as is not None and reads_as.decides
    active = work.find(StoredPolicy, states={PolicyState.ACTIVE}) if counted else ()
    hidden = frozenset(link.id for link in work.hidden() if link.kind is Kind.CASE)
    waiting = could_live(facts, policy_of(work, active[0].body.content), empty, hidden) if active else {}
    for unit, (scheme, since) in empty.items():
        days = None if since is None else (work.today - since).days
        since_when = waiting.get(unit)
        if since_when is None:
            yield Vacancy(unit, scheme, days)
        else:
            waited = None if since is None else sum((work.today - max(since, day)).days for day in since_when)
            yield Vacancy(unit, scheme, days, len(since_when), waited)


def could_live(
    facts: Snapshot, policy: Policy, units: Iterable[str], without: frozenset[str] = frozenset()
) -> Mapping[str, list[date]]:
    """Return for each unit since when those have waited whom the rules do not bar from it.

    Args:
        facts: The facts; conflicts and orders in it are not read.
        policy: The policy.
        units: The units.
        without: Applicants that are not counted.
    """
    rankings = Rankings(CaseFacts(facts.model_copy(update={"conflicts": (), "orders": ()})), policy, units)
    since = {one.id: one.waiting_since for one in facts.applicants if one.id not in without}
    found: dict[str, list[date]] = {unit: [] for unit in units}
    for applicant, waiting_since in since.items():
        ranking = rankings.units_for(applicant)
        for unit, verdict in zip(ranking.ids, ranking.verdicts, strict=True):
            if verdict < Verdict.BLOCKED:
                found[unit].append(waiting_since)
    return found
