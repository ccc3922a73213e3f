"""Reports: figures of the work, in which nobody can be found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator import small_cells
from allocator.access.authorizer import Actor
from allocator.access.table import Report
from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, CaseState, Clearance, Role, VetoAnswer
from allocator.casework.committee import Deviation
from allocator.casework.people import Person
from allocator.casework.voice import Answered, Veto
from allocator.codes import FactSource, Need, StaffRole, VetoGround, VetoStatus
from allocator.model import Veto as VetoEntry
from allocator.model import VetoFact
from allocator.service.errors import ForbiddenError
from allocator.service.reports import report
from tests.browsers import Served, problem
from tests.cases import some_needs
from tests.committee import Committee, person_facts
from tests.databases import BACKENDS
from tests.decided import Decided
from tests.office import TODAY, Office

DAY = timedelta(days=1)


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with two houses, on each kind of database."""
    made = Office(request.param)
    made.house("nordlia", units=8)
    made.house("havna", units=2)
    yield made
    made.close()


def waits(office: Office, number: int, **more: Any) -> None:
    """Seed somebody who waits; their facts and their case as told."""
    person = {"facts": more.pop("facts", person_facts())} | {
        name: more.pop(name) for name in ("protection",) if name in more
    }
    office.seed(Person(**person), f"P-{number}")
    said = {"received_on": TODAY, "waiting_since": TODAY, **more}
    office.seed(Case(person=f"P-{number}", **said), f"S-{number}")


def objects(office: Office, number: int, scheme: str = "nordlia", **more: Any) -> None:
    """Seed an objection of a scheme to somebody."""
    entry = VetoEntry(
        id=f"IN-{scheme}-{number}",
        applicant=f"S-{number}",
        scheme=scheme,
        ground=next(iter(VetoGround)),
        fact=VetoFact(observed_on=TODAY, source=FactSource.STAFF, text="Bemanningen er redusert."),
        author_role=StaffRole.SCHEME_LEADER,
        raised_on=TODAY,
        valid_until=TODAY + 30 * DAY,
        status=more.pop("status", VetoStatus.OPEN),
    )
    office.seed(Veto(entry=entry, scheme=scheme, author="x", **more), entry.id)


def leader(office: Office, *cleared: Clearance) -> Actor:
    """Return the leader of the committee."""
    return office.somebody(Role.COMMITTEE_LEADER, cleared=cleared)


# ---------------------------------------------------------------------------------------- small cells

_cells = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 25)), max_size=70)


@settings(max_examples=150, deadline=None)
@given(_cells, st.integers(2, 6))
def test_no_cell_of_few_people_is_shown_and_none_is_known_by_its_totals(
    found: list[tuple[str, str, int]], k: int
) -> None:
    """Whatever is told is of nobody or of enough; a hidden cell is never alone in its row or column."""
    groups: dict[str, dict[str, Counter[str]]] = {}
    for group, column, person in found:
        groups.setdefault(group, {}).setdefault(column, Counter())[f"{group}{person}"] += 1
    told = small_cells.table(groups, "xyz", k)
    for group, row in told.items():
        if group != small_cells.REST:
            for column, number in row.items():
                people = groups[group].get(column, Counter())
                assert number in (None, people.total())
                assert number is None or not 0 < len(people) < k
        assert list(row.values()).count(None) != 1
    for column in "xyz":
        assert [row[column] for row in told.values()].count(None) != 1


@pytest.mark.parametrize(
    ("of_them", "all_of_them", "told"),
    [(0, 5, 0), (5, 5, 5), (4, 20, None), (5, 20, 5), (16, 20, None), (15, 20, 15), (0, 4, None)],
)
def test_a_number_of_people_is_told_only_with_enough_on_both_sides(
    of_them: int, all_of_them: int, told: int | None
) -> None:
    """Four of twenty, and all but four, are not told; none and all are, of five or more."""
    assert small_cells.part(of_them, all_of_them, 5) == told


# --------------------------------------------------------------------------------------------- reports


def test_objections_are_counted_by_scheme_and_ground_and_what_they_close(office: Office) -> None:
    """From five people on; what open ones close counts, those that were not followed close nothing."""
    for number in range(1, 7):
        waits(office, number)
        objects(office, number)
    answered = Answered(answer=VetoAnswer.NOT_FOLLOWED, reason="Nei.", by="x", on=TODAY)
    for number in range(7, 12):
        waits(office, number)
        objects(office, number, "havna", status=VetoStatus.OVERRULED, answered=answered)

    told = report(office.desk, leader(office), Report.VETOES)

    rates = told["rates"]["by_scheme"]
    assert {scheme: {k: n for k, n in row.items() if n} for scheme, row in rates.items()} == {
        "nordlia": {"open": 6},
        "havna": {"not_followed": 5},
    }
    assert told["closed_now"]["by_scheme"] == [{"key": "nordlia", "vetoes": 6, "applicants": 6, "units": 48}]
    assert office.log()[-1]["use"] == "reports.vetoes"


def test_a_scheme_leader_reads_of_their_own_scheme_alone(office: Office) -> None:
    """The other scheme is neither named nor counted."""
    for number in range(1, 7):
        waits(office, number)
        objects(office, number)
        objects(office, number, "havna")
    own = office.somebody(Role.SCHEME_LEADER, "havna")
    told = report(office.desk, own, Report.VETOES)
    assert set(told["rates"]["by_scheme"]) == {"havna"}
    assert "nordlia" not in str(told)
    with pytest.raises(ForbiddenError):
        report(office.desk, own, Report.WAITING)
    assert office.log()[-1]["outcome"] == "denied"


def test_a_kode_6_person_counts_only_for_the_cleared(office: Office) -> None:
    """Two worlds, with and without her, are the same to the uncleared, in every report."""
    for number in range(1, 6):
        waits(office, number, waiting_since=TODAY - 10 * DAY, received_on=TODAY - 40 * DAY)
        objects(office, number)
    before = {which: report(office.desk, leader(office), which) for which in Report}
    strict = AddressProtection.STRICTLY_CONFIDENTIAL
    waits(office, 9, protection=strict, received_on=TODAY - 40 * DAY, waiting_since=TODAY - 99 * DAY)
    objects(office, 9)

    for which in Report:
        assert report(office.desk, leader(office), which) == before[which], which
    cleared = leader(office, Clearance.KODE_6)
    assert report(office.desk, cleared, Report.NEEDS)["people"] == 6
    overdue = report(office.desk, cleared, Report.WAITING)["overdue_replies"]
    assert "S-9" in {entry["case"] for entry in overdue}


def test_a_case_without_a_reply_is_overdue_on_the_day_after_a_month(office: Office) -> None:
    """On the day it is due it is not on the list; the next day it is, and that is a look (REQ-BSL-1)."""
    waits(office, 1, received_on=date(2026, 10, 23))
    waits(office, 2, received_on=date(2026, 10, 22))
    waits(office, 3, received_on=date(2026, 10, 1), preliminary_reply_on=date(2026, 10, 20))
    waits(office, 4, received_on=date(2026, 10, 1), state=CaseState.WAITING_LIST)
    worker = office.somebody(Role.CASEWORKER)
    told = report(office.desk, worker, Report.WAITING)
    assert told["overdue_replies"] == [
        {"case": "S-2", "received_on": "2026-10-22", "due_on": "2026-11-22", "days_over": 1}
    ]
    looks = [e["id"] for e in office.log() if e["use"] == "reports.waiting" and "id" in e]
    assert looks == ["S-2"]


def test_how_long_people_wait_and_units_stand_empty(office: Office) -> None:
    """Of four people nothing is told; of five the middle. Units are told one by one."""
    for number in range(1, 5):
        waits(office, number, waiting_since=TODAY - number * DAY)
    few = report(office.desk, leader(office), Report.WAITING)["waiting"]
    assert few == {"people": None, "median_days": None, "days_by_state": {}}
    waits(office, 5, waiting_since=TODAY - 5 * DAY)
    told = report(office.desk, leader(office), Report.WAITING)
    assert (told["waiting"]["people"], told["waiting"]["median_days"]) == (5, 3)
    assert told["waiting"]["days_by_state"]["received"]["under_90"] == 5
    empty = {entry["unit"]: entry["days_empty"] for entry in told["vacant"]}
    assert empty["nordlia-1"] == (TODAY - date(2026, 9, 1)).days
    assert len(empty) == 10


def test_unmet_needs_are_counted_by_code(office: Office) -> None:
    """Five of ten need a lift; the one who needs something else does not show (REQ-BSL-5)."""
    for number in range(1, 11):
        needs = some_needs(Need.LIFT) if number <= 5 else some_needs()
        waits(office, number, facts=person_facts(needs=needs))
    told = report(office.desk, leader(office), Report.NEEDS)
    assert (told["people"], told["assessed"], told["needs"]["lift"]) == (10, 10, 5)
    waits(office, 11, facts=person_facts(needs=some_needs(Need.STEP_FREE)))
    told = report(office.desk, leader(office), Report.NEEDS)
    assert told["needs"][Need.STEP_FREE.value] is None
    assert not any(name in str(told) for name in ("P-1", "S-1"))


def test_suggestions_and_decisions_by_gender_and_age() -> None:
    """The newest suggestion of a case counts by its best verdict, decisions by their outcome (REQ-LDL-5)."""
    office = Committee()
    for number in range(3, 6):
        office.waiting(f"S-{number}", f"P-{number}")
    for number in range(1, 6):
        office.suggested(f"S-{number}")
    told = report(office.desk, office.leader, Report.IMPACT)
    for group in ("gender", "age"):
        (row,) = told[group]["best_suggested"].values()
        assert sum(row.values()) == 5
        assert told[group]["decided"] == {}
    with pytest.raises(ForbiddenError):
        report(office.desk, office.worker, Report.IMPACT)
    office.close()


def test_decisions_count_with_and_against_advice() -> None:
    """Five of each are told; with four on one side, nothing is."""
    office = Decided()
    deviation = Deviation(reason="Egne ord.", verdict="advised_against")
    for number in range(2, 11):
        waits(office, number, state=CaseState.DECIDED)
        against = {"deviation": deviation} if number % 2 else {}
        body = office.decision(case=f"S-{number}", ended_on=TODAY, **against)
        office.seed(body, f"V-{number}")
    few = report(office.desk, leader(office), Report.IMPACT)["gender"]["decided"]
    assert all(number != 4 for row in few.values() for number in row.values())
    office.seed(Person(facts=person_facts()), "P-1", version=2)
    waits(office, 11, state=CaseState.DECIDED)
    office.seed(office.decision(case="S-11", ended_on=TODAY, deviation=deviation), "V-11")
    (row,) = report(office.desk, leader(office), Report.IMPACT)["gender"]["decided"].values()
    assert (row["allocated_with_advice"], row["allocated_against_advice"]) == (6, 5)
    office.close()


def test_reports_over_http() -> None:
    """Who may, reads them; who may not is refused, as are parameters and whoever is not logged in."""
    office = Served("sqlite")
    office.house()
    secretary = office.as_somebody(Role.COMMITTEE_SECRETARY)
    for which in Report:
        answer = secretary.get(f"reports/{which.value}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["least"] == 5
    problem(secretary.get("reports/needs?x=1"), 422)
    problem(office.browser().get("reports/needs"), 401)
    problem(office.as_somebody(Role.PEER_MEMBER).get("reports/rules"), 403)
    assert office.as_somebody(Role.POLICY_OWNER).get("reports/rules").status_code == 200
    office.close()
