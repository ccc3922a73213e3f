"""Units that stand empty: the days, and how long those have waited who could live there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, PolicyState, Role
from allocator.casework.housing import Unit
from allocator.casework.offices import StoredPolicy
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.codes import Need, UnitStatus
from allocator.documents import read_case
from allocator.ports import Query
from allocator.scoring import Verdict, shortlist
from allocator.service.errors import ForbiddenError
from allocator.service.vacancies import Vacancy, could_live, vacancies
from tests.cases import a_policy, changed, some_needs
from tests.committee import BOTH, Committee, person_facts
from tests.office import TODAY
from tests.test_decisions import enemies

DEMO = Path(__file__).parents[1] / "fixtures/cases/demo-municipality.json"
EMPTY_SINCE = TODAY - timedelta(days=30)


@pytest.fixture
def desk() -> Iterator[Committee]:
    """An office with a committee; ``nordlia-7`` has stood empty for thirty days."""
    made = Committee()
    unit = made.now(Unit, "nordlia-7")
    made.seed(unit.body.model_copy(update={"first_ready_on": EMPTY_SINCE}), unit.id, 2)
    yield made
    made.close()


def of(office: Committee, actor: Actor, unit: str = "nordlia-7") -> Vacancy:
    """Return what somebody is told of a vacant unit."""
    return next(one for one in vacancies(office.desk, actor) if one.unit == unit)


def test_days_of_waiting_are_those_that_both_have_lasted(desk: Committee) -> None:
    """Each who could live there counts from when they waited and it stood empty, whichever came last."""
    case = desk.now(Case, "S-2")
    desk.seed(case.body.model_copy(update={"waiting_since": TODAY - timedelta(days=12)}), case.id, 2)
    assert of(desk, desk.worker) == Vacancy("nordlia-7", "nordlia", 30, 2, 30 + 12)


def test_the_longest_empty_stands_first_and_each_look_is_logged(desk: Committee) -> None:
    """What is lived in is not there."""
    found = vacancies(desk.desk, desk.secretary)
    assert [one.unit for one in found] == ["havna-2", "havna-3", "nordlia-8", "nordlia-7"]
    assert desk.log()[-1]["use"] == "units.vacancies"
    assert desk.log()[-1]["outcome"] == "shown"


def test_who_is_barred_from_a_unit_does_not_wait_for_it(desk: Committee) -> None:
    """A hard need that it does not meet; nobody is counted as kept waiting by it."""
    unit = desk.now(Unit, "nordlia-7")
    facts = unit.body.facts.model_copy(update={"lift": False, "floor": 3, "step_free": False})
    desk.seed(unit.body.model_copy(update={"facts": facts}), unit.id, 3)
    desk.seed(Person(facts=person_facts(needs=some_needs(Need.LIFT))), "P-1", 2)
    assert of(desk, desk.worker) == Vacancy("nordlia-7", "nordlia", 30, 1, 30)


def test_a_conflict_changes_nothing_for_anybody(desk: Committee) -> None:
    """A number that fell would tell where the enemy lives, or that there is one."""
    before = [vacancies(desk.desk, actor) for actor in (desk.worker, desk.cleared)]
    enemies(desk, "P-1", "nordlia-r2")
    assert [vacancies(desk.desk, actor) for actor in (desk.worker, desk.cleared)] == before


def test_nobody_is_counted_whom_the_reader_may_not_know_of(desk: Committee) -> None:
    """Kode 6 without the clearance, and a case that one is barred from."""
    desk.seed(Person(facts=person_facts(), protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-1", 2)
    assert of(desk, desk.worker).could_live == 1
    assert of(desk, desk.cleared).could_live == 2
    case = desk.now(Case, "S-2")
    barred = frozenset({desk.worker.account})
    desk.seed(case.body.model_copy(update={"barred": barred}), case.id, 2)
    assert of(desk, desk.worker) == Vacancy("nordlia-7", "nordlia", 30, 0, 0)


def test_what_is_not_known_is_not_zero(desk: Committee) -> None:
    """Neither days where nobody has said since when, nor those who wait while there are no rules."""
    unit = desk.now(Unit, "nordlia-7")
    desk.seed(unit.body.model_copy(update={"first_ready_on": None}), unit.id, 3)
    found = of(desk, desk.worker)
    assert (found.days_empty, found.could_live, found.days_waited) == (None, 2, None)
    with desk.storage.read() as tx:
        (policy,) = tx.find(Query(Kind.POLICY))
    assert isinstance(policy.body, StoredPolicy)
    retired = policy.body.model_copy(update={"state": PolicyState.RETIRED})
    desk.seed(retired, policy.id, policy.version + 1)
    assert of(desk, desk.worker, "nordlia-8").could_live is None


def test_only_those_who_read_the_figures_of_waiting(desk: Committee) -> None:
    """Others are refused, and that is logged."""
    for role in (Role.SCHEME_STAFF, Role.PROPERTY_MANAGER, Role.COMMITTEE_MEMBER, Role.AUDITOR):
        actor = desk.somebody(role, *(("nordlia",) if role is Role.SCHEME_STAFF else ()), cleared=BOTH)
        with pytest.raises(ForbiddenError):
            vacancies(desk.desk, actor)
        assert (desk.log()[-1]["use"], desk.log()[-1]["outcome"]) == ("units.vacancies", "denied")


def test_the_quick_count_is_that_of_the_engine_of_record() -> None:
    """For every vacant unit of the demo municipality, conflicts and orders left out."""
    case = changed(read_case(DEMO.read_bytes()), conflicts=(), orders=())
    policy = a_policy()
    vacant = [u.id for s in case.schemes for u in s.units if u.status is UnitStatus.VACANT]
    assert vacant
    since: dict[str, date] = {one.id: one.waiting_since for one in case.applicants}
    quick = could_live(case, policy, vacant)
    for unit in vacant:
        ranked = [entry.assessment for entry in shortlist(case, policy, unit).ranked]
        open_to = [since[a.applicant] for a in ranked if a.verdict < Verdict.BLOCKED]
        assert sorted(quick[unit]) == sorted(open_to)
