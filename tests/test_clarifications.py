"""Questions for a human open, close and open again by themselves, and decisions are doubted with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, Clarification, Closing
from allocator.casework.codes import (
    AddressProtection,
    AppealBody,
    CaseState,
    ClarificationState,
    Clearance,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    EndReason,
    Role,
)
from allocator.casework.committee import Decision, Rested
from allocator.casework.housing import Scheme, Tenancy, Unit
from allocator.casework.people import Person
from allocator.casework.records import Kind, Link
from allocator.codes import EntranceForm, FactSource, FactStatus, Gender
from allocator.facts import Ask, Missing
from allocator.model import ApplicantFacts, Assessed, NeedsAssessment, UnitFacts, Wishes
from allocator.service import clarifications
from allocator.service.clarifications import CannotBeKnown, clarification_id, needed, settle
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.people import DisputeFact, MergePeople, ProtectPerson, RecordFact, WithdrawFact
from allocator.service.work import Work
from tests.databases import BACKENDS
from tests.office import TODAY, Office

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
KODE_6 = AddressProtection.STRICTLY_CONFIDENTIAL
State = ClarificationState
HEAVY = "applicant.heavy_use"


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with one house, a resident, and two who wait, on each kind of database."""
    made = Office(request.param)
    made.house()
    made.resident("B-1", "nordlia-1")
    for person, case in (("P-1", "S-1"), ("P-2", "S-2")):
        made.seed(Person(), person)
        made.seed(Case(person=person, received_on=TODAY, waiting_since=TODAY), case)
    yield made
    made.close()


@pytest.fixture
def worker(office: Office) -> Actor:
    """A caseworker."""
    return office.somebody(Role.CASEWORKER)


@contextmanager
def working(office: Office) -> Iterator[Work]:
    """Give the work of one use case, saved when it is done."""
    with office.storage.write() as tx:
        work = Work(tx, office.desk.access, Actor("system"), office.clock.now(), office.clock.today(), "test")
        yield work
        tx.append(work.notes, facts=work.facts_changed)


def ask(office: Office, case: str, *missing: tuple[str, str, Missing]) -> list[str]:
    """Let a case need some facts, and return the ids of the questions."""
    with working(office) as work:
        return [stored.id for stored in needed(work, case, missing)]


def told(value: bool = True, day: date = TODAY, **more: Any) -> Assessed[bool]:
    """Return a yes or no that an assessment has given."""
    return Assessed[bool](value=value, source=FactSource.ASSESSMENT, recorded_on=day, **more)


def record(office: Office, worker: Actor, person: str = "P-1", reason: str | None = "x", **fact: Any) -> None:
    """Write down one fact of somebody."""
    asked = RecordFact(facts=ApplicantFacts(**fact), reason=reason)
    office.run(worker, "people.record_fact", asked, person)


def question(office: Office, name: str) -> Clarification:
    """Return a question as it stands."""
    return office.now(Clarification, name).body


# ------------------------------------------------------------------------------------ opening and joining


def test_who_needs_the_same_fact_waits_for_the_same_question(office: Office) -> None:
    """One question a fact, whoever asks, under an id that follows from what it is about."""
    unknown = ("nordlia-2", "unit.lift", Missing.NOT_RECORDED)
    (first,) = ask(office, "S-1", unknown)
    (again,) = ask(office, "S-1", unknown)
    (second,) = ask(office, "S-2", unknown)

    assert first == again == second == clarification_id("nordlia-2", "unit.lift")
    asked = office.now(Clarification, first)
    assert asked.version == 2
    assert asked.body.cases == frozenset({"S-1", "S-2"})
    assert (asked.body.ask, asked.body.place, asked.body.scheme) == (Ask.PROPERTY, "nordlia-2", "nordlia")
    assert asked.body.opened_on == TODAY


def test_whoever_assesses_needs_is_asked_once_for_all_of_them(office: Office) -> None:
    """Of a person's set of codes there is one question; of a dwelling each feature is asked for by itself."""
    names = ask(
        office,
        "S-1",
        ("P-1", "applicant.needs:lift", Missing.NOT_ASKED),
        ("P-1", "applicant.needs:quiet", Missing.NOT_ASKED),
        ("nordlia-2", "unit.features:quiet", Missing.NOT_RECORDED),
        ("nordlia-2", "unit.features:pet", Missing.NOT_RECORDED),
    )

    assert sorted(question(office, name).path for name in names) == [
        "applicant.needs",
        "unit.features:pet",
        "unit.features:quiet",
    ]


def test_nobody_is_asked_again_what_cannot_be_compared_or_is_about_no_record(office: Office) -> None:
    """A gender that no rule compares is an answer (E-01); conflicts are not asked about here."""
    assert (
        ask(
            office,
            "S-1",
            ("P-1", "applicant.gender", Missing.NOT_COMPARABLE),
            ("K-1", "conflict.last_confirmed", Missing.NOT_RECORDED),
        )
        == []
    )


def test_a_question_about_a_resident_is_for_the_staff_of_their_scheme(office: Office) -> None:
    """The leader there finds it, without the cases that wait; the leader of another scheme does not."""
    (name,) = ask(office, "S-1", ("B-1", "resident.heavy_use", Missing.NOT_ASKED))
    leader, other = (office.somebody(Role.SCHEME_LEADER, scheme) for scheme in ("nordlia", "havna"))

    shown = office.desk.show(leader, Kind.CLARIFICATION, name).view
    assert (shown["person"], shown["path"]) == ("B-1", "resident.heavy_use")
    assert "cases" not in shown
    assert office.desk.page(other, Kind.CLARIFICATION).items == ()


# --------------------------------------------------------------------------------- closing and reopening


def test_a_question_follows_the_fact_through_its_life(office: Office, worker: Actor) -> None:
    """Answered when told, open again when disputed or withdrawn, and each time with the reason why."""
    (name,) = ask(office, "S-1", ("P-1", HEAVY, Missing.NOT_ASKED))
    seen = [(question(office, name).state, question(office, name).why)]

    def step(use: str, asked: Any) -> None:
        office.run(worker, use, asked, "P-1")
        seen.append((question(office, name).state, question(office, name).why))

    step("people.record_fact", RecordFact(facts=ApplicantFacts(heavy_use=told())))
    step("people.dispute_fact", DisputeFact(name="heavy_use", reason="Uenig."))
    step("people.record_fact", RecordFact(facts=ApplicantFacts(heavy_use=told()), reason="Vist."))
    step("people.withdraw_fact", WithdrawFact(name="heavy_use"))
    step("people.withdraw_fact", WithdrawFact(name="heavy_use", status=FactStatus.REFUSED))

    assert seen == [
        (State.OPEN, Missing.NOT_ASKED),
        (State.ANSWERED, Missing.NOT_ASKED),
        (State.OPEN, Missing.DISPUTED),
        (State.ANSWERED, Missing.DISPUTED),
        (State.OPEN, Missing.WITHDRAWN),
        (State.OPEN, Missing.REFUSED),
    ]
    assert question(office, name).closed_on is None


def test_the_needs_are_known_when_the_assessment_holds(office: Office, worker: Actor) -> None:
    """An assessment that finds nothing special answers the question as well as any."""
    (name,) = ask(office, "S-1", ("P-1", "applicant.needs:lift", Missing.NOT_ASKED))

    needs = NeedsAssessment(
        source=FactSource.ASSESSMENT, assessed_on=TODAY, assessor_role="kartlegger", valid_until=TOMORROW
    )
    record(office, worker, needs=needs)

    assert (question(office, name).state, question(office, name).closed_on) == (State.ANSWERED, TODAY)


@pytest.mark.parametrize(
    ("day", "state"), [(TOMORROW, State.ANSWERED), (TOMORROW + timedelta(days=1), State.OPEN)]
)
def test_a_question_opens_again_the_day_after_the_answer_has_run_out(
    office: Office, worker: Actor, day: date, state: ClarificationState
) -> None:
    """On the last day it holds; the daily round finds it the day after."""
    (name,) = ask(office, "S-1", ("P-1", HEAVY, Missing.NOT_ASKED))
    record(office, worker, heavy_use=told(valid_until=TOMORROW))
    office.clock.to(day)

    with working(office) as work:
        changed = clarifications.expired(work)
        assert clarifications.expired(work) == []

    assert question(office, name).state is state
    assert [stored.id for stored in changed] == ([] if state is State.ANSWERED else [name])
    if state is State.OPEN:
        assert (question(office, name).why, question(office, name).opened_on) == (Missing.EXPIRED, day)


@pytest.mark.parametrize("ended", [True, False])
def test_a_question_opens_again_only_while_somebody_waits(office: Office, worker: Actor, ended: bool) -> None:
    """When all cases have ended, nobody is asked; what was still open is not needed any more."""
    answered, still_open = ask(
        office, "S-1", ("P-1", HEAVY, Missing.NOT_ASKED), ("P-1", "applicant.rop", Missing.NOT_ASKED)
    )
    record(office, worker, heavy_use=told())
    if ended:
        with working(office) as work:
            case = work.load(Case, "S-1")
            work.change(case, state=CaseState.CLOSED, closing=Closing(on=TODAY, reason="Flyttet."))
            clarifications.case_ended(work, "S-1")

    office.run(worker, "people.withdraw_fact", WithdrawFact(name="heavy_use"), "P-1")

    assert question(office, answered).state is (State.ANSWERED if ended else State.OPEN)
    assert question(office, still_open).state is (State.NOT_NEEDED if ended else State.OPEN)


def test_one_of_two_cases_that_ends_closes_nothing(office: Office) -> None:
    """The other waits still."""
    missing = ("nordlia-2", "unit.lift", Missing.NOT_RECORDED)
    ask(office, "S-1", missing)
    (name,) = ask(office, "S-2", missing)
    with working(office) as work:
        work.change(work.load(Case, "S-1"), state=CaseState.WITHDRAWN)
        clarifications.case_ended(work, "S-1")

    assert question(office, name).state is State.OPEN


def test_a_question_about_who_has_moved_out_is_not_needed(office: Office) -> None:
    """It is asked again, under the same id, if they live there again and somebody needs it."""
    missing = ("B-1", "resident.heavy_use", Missing.NOT_ASKED)
    (name,) = ask(office, "S-1", missing)
    office.clock.to(TOMORROW)
    with working(office) as work:
        home = work.load(Tenancy, "L-B-1")
        work.change(home, moved_out=TODAY, end_reason=EndReason.OWN_HOME)
        settle(work, "B-1")
    assert question(office, name).state is State.NOT_NEEDED
    with working(office) as work:
        work.create(Tenancy(person="B-1", unit="nordlia-2", scheme="nordlia", moved_in=TOMORROW))

    assert ask(office, "S-1", missing) == [name]
    assert (question(office, name).state, question(office, name).opened_on) == (State.OPEN, TOMORROW)


@pytest.mark.parametrize("where", ["unit", "scheme"])
def test_questions_about_a_place_close_when_it_is_described(office: Office, where: str) -> None:
    """What a unit does not say its scheme may say for it."""
    (name,) = ask(office, "S-1", ("nordlia-2", "unit.entrance", Missing.NOT_RECORDED))
    with working(office) as work:
        if where == "unit":
            work.change(work.load(Unit, "nordlia-2"), facts=UnitFacts(entrance=EntranceForm.OWN))
            settle(work, "nordlia-2")
        else:
            scheme = work.load(Scheme, "nordlia")
            facts = scheme.body.facts.model_copy(update={"entrance": EntranceForm.OWN})
            work.change(scheme, facts=facts)
            settle(work, "nordlia")

    assert question(office, name).state is State.ANSWERED


def test_a_wish_that_is_obtained_answers_for_every_scheme(office: Office) -> None:
    """What the case says of its applicant is read with them."""
    (name,) = ask(office, "S-1", ("P-1", "choice.wished", Missing.NOT_ASKED))
    with working(office) as work:
        work.change(work.load(Case, "S-1"), wishes=Wishes(obtained_on=TODAY))
        settle(work, "P-1")

    assert question(office, name).state is State.ANSWERED


# ----------------------------------------------------------------------------------------- cannot be known


def test_what_cannot_be_known_is_not_asked_again_until_it_was_known(office: Office, worker: Actor) -> None:
    """A person says why; others who need it see that; an answer that comes all the same counts."""
    missing = ("P-1", HEAVY, Missing.NOT_ASKED)
    (name,) = ask(office, "S-1", missing)
    asked = CannotBeKnown(note="Søkeren vil ikke utredes.")

    shown = office.run(worker, "clarifications.cannot_be_known", asked, name)
    assert (shown.view["state"], shown.view["note"]) == ("cannot_be_known", asked.note)
    with pytest.raises(RefusalError, match="clarification-closed"):
        office.run(worker, "clarifications.cannot_be_known", asked, name)
    ask(office, "S-2", missing)
    assert question(office, name).state is State.CANNOT_BE_KNOWN
    record(office, worker, heavy_use=told())
    assert question(office, name).state is State.ANSWERED
    office.run(worker, "people.dispute_fact", DisputeFact(name="heavy_use", reason="Uenig."), "P-1")

    assert (question(office, name).state, question(office, name).note) == (State.OPEN, None)


@pytest.mark.parametrize("role", sorted(Role))
def test_who_may_say_that_something_cannot_be_known(office: Office, role: Role) -> None:
    """Those who ask and those who are asked; all others are refused or find no question."""
    of_scheme = role in (Role.SCHEME_LEADER, Role.SCHEME_STAFF)
    actor = office.somebody(role, *(["nordlia"] if of_scheme else []))
    person, place = ask(
        office,
        "S-1",
        ("P-1", HEAVY, Missing.NOT_ASKED),
        ("nordlia-2", "unit.lift", Missing.NOT_RECORDED),
    )
    person, place = (clarification_id(*about) for about in (("P-1", HEAVY), ("nordlia-2", "unit.lift")))
    may = set()
    for name in (person, place):
        try:
            office.run(actor, "clarifications.cannot_be_known", CannotBeKnown(note="Ingen vet."), name)
        except (ForbiddenError, NotFoundError):
            continue
        may.add(name)

    everything = {Role.CASEWORKER, Role.ASSESSOR, Role.CONFLICT_OFFICER}
    assert may == (
        {person, place} if role in everything else {place} if role is Role.SCHEME_LEADER else set()
    )


# ---------------------------------------------------------------------------------------------- doubts


def decide(office: Office, *facts: tuple[str, str], case: str = "S-1", **more: Any) -> None:
    """Store a decision that rests on some facts."""
    body: dict[str, Any] = {
        "type": DecisionType.ALLOCATION,
        "case": case,
        "outcome": DecisionOutcome.ALLOCATED,
        "unit": "nordlia-2",
        "scheme": "nordlia",
        "grounds": "Passer.",
        "appeal_body": AppealBody.MUNICIPAL_BOARD,
        "appeal_weeks": 3,
        "state": DecisionState.MADE,
        "proposed_by": "leder",
        "proposed_on": office.clock.today(),
        "made_on": office.clock.today(),
        "rests_on": tuple(Rested(of=of, path=path) for of, path in facts),
        **more,
    }
    office.seed(Decision(**body), "V-1")


def doubted(office: Office) -> list[tuple[str, str]]:
    """Return what a decision is doubted for."""
    return [(doubt.of, doubt.path) for doubt in office.now(Decision, "V-1").body.doubts]


def test_a_decision_is_doubted_while_a_fact_is_another_than_it_was(office: Office, worker: Actor) -> None:
    """Doubts come with each change and go when the old reading is back, by whatever way (E-32, E-33)."""
    fact = ("P-1", HEAVY)
    record(office, worker, heavy_use=told())
    decide(office, fact, ("P-1", "applicant.rop"))
    seen = []

    def step(use: str, asked: Any) -> None:
        office.run(worker, use, asked, "P-1")
        seen.append(doubted(office))

    def recorded(value: bool) -> RecordFact:
        return RecordFact(facts=ApplicantFacts(heavy_use=told(value=value)), reason="x")

    step("people.record_fact", recorded(value=False))
    step("people.record_fact", recorded(value=True))
    step("people.dispute_fact", DisputeFact(name="heavy_use", reason="Uenig."))
    step("people.record_fact", recorded(value=False))
    step("people.withdraw_fact", WithdrawFact(name="heavy_use"))
    step("people.record_fact", recorded(value=True))
    step("people.record_fact", RecordFact(facts=ApplicantFacts(child_visits=told())))

    assert seen == [[fact], [], [fact], [fact], [fact], [], []]


def test_what_nobody_knew_when_it_was_decided_is_doubted_when_it_becomes_known(
    office: Office, worker: Actor
) -> None:
    """And no more when it is again not known, for another reason."""
    decide(office, ("P-1", HEAVY))

    record(office, worker, heavy_use=told())
    assert doubted(office) == [("P-1", HEAVY)]
    office.run(worker, "people.withdraw_fact", WithdrawFact(name="heavy_use"), "P-1")

    assert doubted(office) == []


@pytest.mark.parametrize(("day", "doubts"), [(TOMORROW, 0), (TOMORROW + timedelta(days=1), 1)])
def test_a_decision_is_doubted_the_day_after_a_fact_has_run_out(
    office: Office, worker: Actor, day: date, doubts: int
) -> None:
    """Confirmed anew with the same value, the fact is what it was, and the doubt goes."""
    record(office, worker, heavy_use=told(valid_until=TOMORROW))
    decide(office, ("P-1", HEAVY))
    office.clock.to(day)

    with working(office) as work:
        clarifications.expired(work)
    assert len(doubted(office)) == doubts
    record(office, worker, heavy_use=told(day=day))

    assert doubted(office) == []


@pytest.mark.parametrize(
    "more",
    [
        {"state": DecisionState.PROPOSED, "made_on": None},
        {"state": DecisionState.DROPPED},
        {"state": DecisionState.REVERSED},
        {"ended_on": TODAY},
    ],
)
def test_only_a_decision_in_force_is_doubted(office: Office, worker: Actor, more: dict[str, Any]) -> None:
    """What is not made yet, fell away or has been used is none to look at again."""
    record(office, worker, heavy_use=told())
    decide(office, ("P-1", HEAVY), **more)

    record(office, worker, heavy_use=told(value=False))

    assert doubted(office) == []


def test_time_that_passes_is_no_change(office: Office, worker: Actor) -> None:
    """Neither a birthday, nor another day lived there, nor that the unit has been given to somebody."""
    born = Assessed[date](
        value=date(1980, TOMORROW.month, TOMORROW.day), source=FactSource.REGISTER, recorded_on=TODAY
    )
    record(office, worker, birth_date=born)
    decide(
        office,
        ("P-1", "applicant.age"),
        ("P-1", "applicant.needed_from"),
        ("B-1", "resident.days_lived"),
        ("nordlia-2", "unit.status"),
        ("nordlia-2", "unit.days_vacant"),
    )
    office.clock.to(TOMORROW + timedelta(days=30))

    with working(office) as work:
        clarifications.expired(work)
        settle(work, "P-1", "B-1", "nordlia-2", "nordlia")

    assert doubted(office) == []


def test_a_decision_is_doubted_for_residents_and_places_too(office: Office, worker: Actor) -> None:
    """Who lives next door and what the house is like count as much, the unit before its scheme."""
    with working(office) as work:
        scheme = work.load(Scheme, "nordlia")
        facts = scheme.body.facts.model_copy(update={"entrance": EntranceForm.OWN, "cameras": False})
        work.change(scheme, facts=facts)
    gone = ("B-1", "resident.heavy_use")
    decide(office, gone, ("nordlia-2", "unit.entrance"), ("nordlia", "scheme.cameras"))

    record(office, worker, person="B-1", heavy_use=told())
    with working(office) as work:
        scheme = work.load(Scheme, "nordlia")
        changed = scheme.body.facts.model_copy(update={"entrance": EntranceForm.GALLERY, "cameras": True})
        work.change(scheme, facts=changed)
        settle(work, "nordlia")
    assert doubted(office) == [gone, ("nordlia", "scheme.cameras"), ("nordlia-2", "unit.entrance")]
    with working(office) as work:
        work.change(work.load(Unit, "nordlia-2"), facts=UnitFacts(entrance=EntranceForm.OWN))
        settle(work, "nordlia-2")

    assert doubted(office) == [gone, ("nordlia", "scheme.cameras")]


def test_a_doubt_tells_neither_what_the_fact_was_nor_that_two_were_alike(
    office: Office, worker: Actor
) -> None:
    """What it was is kept apart under a hash that nobody can guess it from."""
    record(office, worker, heavy_use=told())
    record(office, worker, rop=told())
    decide(office, ("P-1", HEAVY), ("P-1", "applicant.rop"))
    record(office, worker, heavy_use=told(value=False))
    record(office, worker, rop=told(value=False))

    one, other = office.now(Decision, "V-1").body.doubts
    assert one.was != other.was
    with office.storage.read() as tx:
        assert b"true" in (tx.kept(one.was or "") or b"")


def test_a_decision_that_is_made_in_the_same_step_rests_on_the_facts_as_they_are(office: Office) -> None:
    """What changes together with it is no doubt about it."""
    with working(office) as work:
        person = work.load(Person, "P-1")
        work.change(person, facts=ApplicantFacts(heavy_use=told()))
        work.create(
            Decision(
                type=DecisionType.ASSISTANCE,
                case="S-1",
                outcome=DecisionOutcome.GRANTED,
                grounds="Ja.",
                appeal_body=AppealBody.COUNTY_GOVERNOR,
                appeal_weeks=3,
                state=DecisionState.MADE,
                proposed_by="leder",
                proposed_on=TODAY,
                made_on=TODAY,
                rests_on=(Rested(of="P-1", path=HEAVY),),
            ),
            "V-1",
        )
        settle(work, "P-1")

    assert doubted(office) == []


# ---------------------------------------------------------------------------------------------- kode 6


def _all_views(office: Office, reader: Actor) -> list[Any]:
    return [shown.view for shown in office.desk.page(reader, Kind.CLARIFICATION).items]


@pytest.mark.parametrize("first", ["S-1", "S-2"])
def test_a_question_does_not_show_that_a_kode_6_case_waits_for_it(
    office: Office, worker: Actor, first: str
) -> None:
    """To who is not cleared it is as it would be without that case, versions included (REQ-K6-1)."""
    office.seed(Person(protection=KODE_6), "P-1", version=2)
    missing = ("nordlia-2", "unit.lift", Missing.NOT_RECORDED)
    for case in (first, {"S-1": "S-2", "S-2": "S-1"}[first]):
        ask(office, case, missing)

    (shown,) = _all_views(office, worker)
    assert (shown["version"], shown["cases"], shown["only_for"]) == (1, ["S-2"], None)
    cleared = office.somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6])
    assert len(_all_views(office, cleared)) == 2
    with working(office) as work:
        work.change(work.load(Unit, "nordlia-2"), facts=UnitFacts(lift=True))
        settle(work, "nordlia-2")
    assert {view["state"] for view in _all_views(office, cleared)} == {"answered"}


def test_a_case_leaves_the_questions_of_others_when_it_becomes_kode_6_and_comes_back(
    office: Office, worker: Actor
) -> None:
    """At once, and nobody is asked twice for the same case (REQ-K6-5)."""
    cleared = office.somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6])
    alone, shared = ("nordlia-2", "unit.lift"), ("nordlia-2", "unit.floor")
    ask(office, "S-1", (*alone, Missing.NOT_RECORDED), (*shared, Missing.NOT_RECORDED))
    ask(office, "S-2", (*shared, Missing.NOT_RECORDED))

    office.run(worker, "people.protect", ProtectPerson(protection=KODE_6), "P-1")

    assert question(office, clarification_id(*alone)).state is State.NOT_NEEDED
    assert question(office, clarification_id(*shared)).cases == frozenset({"S-2"})
    for about in (alone, shared):
        apart = question(office, clarification_id(*about, "S-1"))
        assert (apart.state, apart.only_for) == (State.OPEN, "S-1")
        with pytest.raises(NotFoundError):
            office.desk.show(worker, Kind.CLARIFICATION, clarification_id(*about, "S-1"))
    lower = ProtectPerson(protection=AddressProtection.UNGRADED, reason="Opphevet.")
    office.run(cleared, "people.protect", lower, "P-1")

    assert question(office, clarification_id(*alone)).cases == frozenset({"S-1"})
    assert question(office, clarification_id(*shared)).cases == frozenset({"S-1", "S-2"})
    for about in (alone, shared):
        assert question(office, clarification_id(*about, "S-1")).state is State.NOT_NEEDED


def test_a_decision_does_not_show_what_it_rested_on_of_who_has_become_kode_6(
    office: Office, worker: Actor
) -> None:
    """The facts are gone from the view at once, and what changes of them later makes no version of it."""
    cleared = office.somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6])
    decide(office, ("B-1", "resident.heavy_use"), ("P-1", HEAVY))
    office.run(worker, "people.protect", ProtectPerson(protection=KODE_6), "B-1")

    record(office, cleared, person="B-1", heavy_use=told())

    shown = office.desk.show(worker, Kind.DECISION, "V-1").view
    assert [fact["of"] for fact in shown["rests_on"]] == ["P-1"]
    assert shown["version"] == 1
    whole = office.desk.show(cleared, Kind.DECISION, "V-1").view
    assert [fact["of"] for fact in whole["rests_on"]] == ["B-1", "P-1"]


# ------------------------------------------------------------------------------------------- merged records


def test_questions_and_decisions_follow_who_was_known_by_another_record(
    office: Office, worker: Actor
) -> None:
    """The same facts under another id are no change; a fact that came into dispute by it is (E-30)."""
    office.seed(Person(facts=ApplicantFacts(rop=told(value=False))), "P-9")
    record(office, worker, heavy_use=told())
    record(office, worker, rop=told())
    decide(office, ("P-1", HEAVY), ("P-1", "applicant.rop"))
    open_one, closed = ask(
        office,
        "S-1",
        ("P-1", "applicant.child_visits", Missing.NOT_ASKED),
        ("P-1", "applicant.vulnerable", Missing.NOT_ASKED),
    )
    record(office, worker, vulnerable=told())

    office.run(worker, "people.merge", MergePeople(other="P-1", reason="Samme."), "P-9")

    decision = office.now(Decision, "V-1").body
    assert [fact.of for fact in decision.rests_on] == ["P-9", "P-9"]
    assert doubted(office) == [("P-9", "applicant.rop")]
    assert question(office, open_one).state is State.NOT_NEEDED
    states = {found.body.path: found.body.state for found in _questions_of(office, "P-9")}
    assert states["applicant.child_visits"] is State.OPEN
    assert states["applicant.vulnerable"] is State.ANSWERED
    assert question(office, closed).cases == frozenset()


def _questions_of(office: Office, person: str) -> Any:
    with working(office) as work:
        return work.find(Clarification, Link(Kind.PERSON, person))


def test_a_gender_that_no_rule_compares_answers_the_question(office: Office, worker: Actor) -> None:
    """Who has said that they are non-binary is not asked again (E-01)."""
    (name,) = ask(office, "S-1", ("P-1", "applicant.gender", Missing.NOT_ASKED))

    said = Assessed[Gender](value=Gender.NON_BINARY, source=FactSource.APPLICANT, recorded_on=TODAY)
    record(office, worker, gender=said)

    assert question(office, name).state is State.ANSWERED


def test_an_id_tells_nothing_and_is_one_of_ours() -> None:
    """Different questions have different ids, none of which holds what it is about."""
    makers: list[Callable[[], str]] = [
        lambda: clarification_id("P-1", HEAVY),
        lambda: clarification_id("P-1", "applicant.rop"),
        lambda: clarification_id("P-2", HEAVY),
        lambda: clarification_id("P-1", HEAVY, "S-1"),
    ]
    names = [make() for make in makers]

    assert len(set(names)) == len(names)
    assert names == [make() for make in makers]
    assert all(name.startswith("AV-") and len(name) == 23 for name in names)
