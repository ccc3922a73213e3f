"""Outcomes: what became of a tenancy, and of the advice it was decided with or against."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from allocator.access.authorizer import Actor
from allocator.access.table import Report
from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, Clearance, OutcomeKind, Purpose, Role
from allocator.casework.committee import Advice, Deviation, Outcome, Suggestion
from allocator.casework.housing import Tenancy
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.codes import ConflictKind, FactSource
from allocator.service import outcomes
from allocator.service.errors import ForbiddenError, RefusalError
from allocator.service.outcomes import SMALLEST, Rates, RecordOutcome, rates
from allocator.service.relations import RecordConflict
from allocator.service.reports import report
from allocator.service.work import Work
from tests.committee import BOTH, Committee
from tests.databases import BACKENDS
from tests.decided import Decided
from tests.office import TODAY, Office
from tests.test_hearings import suggestion
from tests.test_stored_suggestions import TEXT, with_policy


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Decided]:
    """An office with a decision, on each kind of database."""
    made = Decided(request.param)
    yield made
    made.close()


def counted(office: Office, actor: Actor, least: int = SMALLEST) -> Rates:
    """Return the rates as somebody sees them."""
    with office.storage.read() as tx:
        return rates(Work(tx, office.desk.access, actor, office.clock.now(), office.clock.today()), least)


def test_an_outcome_is_recorded_of_a_tenancy(office: Decided) -> None:
    """By the leader of its scheme, for a day since they moved in; not by others."""
    asked = RecordOutcome(tenancy="L-B-1", what=OutcomeKind.SETTLED, on=TODAY)
    own = office.somebody(Role.SCHEME_LEADER, "nordlia")
    stored = office.run(own, "outcomes.record", asked).stored
    assert office.now(Outcome, stored.id).body.advice == ()
    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.SCHEME_LEADER, "havna"), "outcomes.record", asked)
    for wrong in (
        asked.model_copy(update={"on": TODAY + timedelta(days=1)}),
        asked.model_copy(update={"on": office.now(Tenancy, "L-B-1").body.moved_in - timedelta(days=1)}),  # type: ignore[operator]
        asked.model_copy(update={"meeting": "ukjent"}),
        asked.model_copy(update={"tenancy": "ukjent"}),
    ):
        with pytest.raises(RefusalError, match="request"):
            office.run(own, "outcomes.record", wrong)


def test_the_advice_behind_a_tenancy_is_kept_and_sealed() -> None:
    """What each rule advised of the unit; that is for the cleared, since a rule may name an enemy."""
    office = Committee()
    decision = office.allotted("S-1", "nordlia-7")
    moved = Tenancy(
        person="P-1", unit="nordlia-7", scheme="nordlia", moved_in=TODAY, case="S-1", decision=decision
    )
    office.seed(moved, "L-1")
    asked = RecordOutcome(tenancy="L-1", what=OutcomeKind.CONFLICT, on=TODAY)
    stored = office.run(office.worker, "outcomes.record", asked).stored

    advice = {a.rule: a.followed for a in office.now(Outcome, stored.id).body.advice}

    assert advice["unit-available"]
    assert advice["gender-mix"] in (True, False)
    assert "long-vacancy" not in advice
    assert "advice" not in office.desk.show(office.worker, Kind.OUTCOME, stored.id).view
    assert office.desk.show(office.cleared, Kind.OUTCOME, stored.id).view["advice"]
    office.close()


@pytest.mark.parametrize(("number", "shown"), [(4, None), (5, 5)])
def test_fewer_than_five_are_not_shown(
    number: int, shown: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in a row nor in what became of it; five are."""
    office = Decided()
    leader = office.somebody(Role.COMMITTEE_LEADER)
    advised = (
        Advice(rule="age-mix", followed=True),
        Advice(rule="gender-mix", followed=False),
    )
    monkeypatch.setattr(outcomes, "advice_of", lambda _work, _decision, **_how: advised)
    for each in range(number):
        office.seed(Person(), f"P-x{each}")
        case = office.now(Case, "S-1").body.model_copy(update={"person": f"P-x{each}"})
        office.seed(case, f"S-x{each}")
        against = Deviation(reason="Eget ønske.", verdict="advised_against")
        body = office.decision(case=f"S-x{each}", unit=f"havna-x{each}", suggestion="SU-1", deviation=against)
        office.seed(body, f"V-x{each}")
        for kind in (OutcomeKind.CONFLICT, OutcomeKind.MOVE_AWAY):
            outcome = Outcome(tenancy="L-B-1", decision=f"V-x{each}", what=kind, on=TODAY, author="A")
            office.seed(outcome, f"U-{each}-{kind}")

    found = counted(office, leader)

    assert found.against.decisions == shown
    assert found.with_advice.decisions is None
    assert found.followed["age-mix"].decisions == shown
    assert found.overruled["gender-mix"].became[OutcomeKind.CONFLICT] == shown
    assert found.overruled["gender-mix"].became[OutcomeKind.EVICTION] is None
    office.close()


@pytest.mark.parametrize(("least", "shown"), [(2, 2), (3, None)])
def test_how_few_are_too_few_is_said_by_the_policy(
    office: Decided, least: int, shown: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report says that number, and keeps to it."""
    advised = (Advice(rule="age-mix", followed=True),)
    monkeypatch.setattr(outcomes, "advice_of", lambda _work, _decision, **_how: advised)
    office.seed(office.decision(suggestion="SU-1"), "V-1", 2)
    office.seed(Person(), "P-2")
    office.seed(office.now(Case, "S-1").body.model_copy(update={"person": "P-2"}), "S-2")
    office.seed(office.decision(suggestion="SU-1", case="S-2", unit="nordlia-8"), "V-2")
    with_policy(office, TEXT.replace(b"[k_anonymity]\nvalue = 5", b"[k_anonymity]\nvalue = %d" % least))

    found = report(office.desk, office.somebody(Role.COMMITTEE_LEADER), Report.RULES)

    assert found["least"] == least
    assert found["followed"]["age-mix"]["decisions"] == shown


def test_a_rule_counts_once_for_each_case_in_which_it_is_broken(office: Decided) -> None:
    """However often the engine was asked; fewer than five are not shown, and neither are all but a few."""
    for number in range(12):
        case = office.now(Case, "S-1").body.model_copy(update={"person": f"P-x{number}"})
        office.seed(Person(), f"P-x{number}")
        office.seed(case, f"S-x{number}")
        broken = ("age-mix", "size")[: 1 if number < 6 else 2] if number else ("age-mix", "gender-mix")
        for again in range(2):
            office.seed(suggestion(case=f"S-x{number}", broken=broken), f"SU-{number}-{again}")
    office.seed(suggestion(unit="nordlia-7", broken=("size",)), "SU-unit")

    found = report(office.desk, office.somebody(Role.COMMITTEE_LEADER), Report.RULES)

    assert found["cases"] == 12
    assert found["broken"] == {"age-mix": 12, "gender-mix": None, "size": 6}


def test_what_is_broken_is_what_every_member_reads() -> None:
    """Not that somebody has an enemy among those who live there: that is told to the cleared alone."""
    office = Committee()
    officer = office.somebody(Role.CONFLICT_OFFICER, cleared=BOTH, purpose=Purpose.CONFLICT_CONTROL)
    enemies = RecordConflict(
        party="P-1",
        counterpart="nordlia-r1",
        kind=ConflictKind.ENEMY,
        source=FactSource.STAFF,
        explanation="Oppdiktet.",
        confirmed=True,
    )

    def broken(reader: Actor, name: str) -> tuple[str, ...]:
        told = office.desk.answer(reader, name, "nb")["suggestions"]
        found = [one for entry in told for one in entry["findings"]]
        return tuple(sorted({one["rule"] for one in found if one["outcome"] == "broken"}))

    before = office.suggested("S-1")
    office.run(officer, "conflicts.record", enemies)
    after = office.suggested("S-1")

    for name in (before, after):
        assert office.now(Suggestion, name).body.broken == broken(office.leader, name)
    assert broken(office.leader, before)
    assert "unconfirmed-conflict" in broken(office.cleared, after)
    assert "unconfirmed-conflict" not in broken(office.leader, after)
    office.close()


def test_kode_6_people_do_not_count_for_the_uncleared(
    office: Decided, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures are the same with and without them."""
    monkeypatch.setattr(
        outcomes, "advice_of", lambda _work, _decision, **_how: (Advice(rule="age-mix", followed=True),)
    )
    office.seed(office.decision(suggestion="SU-1"), "V-1", 2)
    leader = office.somebody(Role.COMMITTEE_LEADER)
    cleared = office.somebody(Role.COMMITTEE_LEADER, cleared=(Clearance.KODE_6,))
    assert counted(office, leader, 1).followed["age-mix"].decisions == 1
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-1", version=2)

    assert counted(office, leader, 1).followed == {}
    assert counted(office, cleared, 1).followed["age-mix"].decisions == 1
