"""People: the life of a fact, who may write which, kode 6, and two records that are one person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, NearWish
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    Clearance,
    Purpose,
    RepresentativeKind,
    ReviewKind,
    Role,
)
from allocator.casework.housing import Tenancy
from allocator.casework.people import Person, Representative
from allocator.casework.records import Kind
from allocator.casework.relations import Conflict, Order
from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictStatus,
    FactSource,
    FactStatus,
    Gender,
    OrderKind,
    RiskHorizon,
    SubstanceClass,
    ViolenceConclusion,
)
from allocator.model import (
    ApplicantFacts,
    Assessed,
    NeedsAssessment,
    RiskAssessment,
    Yes,
)
from allocator.model import Conflict as ConflictEntry
from allocator.model import Order as OrderEntry
from allocator.service.errors import ChangedError, ForbiddenError, NotFoundError, RefusalError
from allocator.service.people import (
    DisputeFact,
    IdentifyPerson,
    MergePeople,
    ProtectPerson,
    RecordFact,
    RegisterPerson,
    RepresentPerson,
    WithdrawFact,
)
from tests.databases import BACKENDS
from tests.office import TODAY, Office

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
KODE_6 = AddressProtection.STRICTLY_CONFIDENTIAL


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with one house, on each kind of database."""
    made = Office(request.param)
    made.house()
    yield made
    made.close()


@pytest.fixture
def worker(office: Office) -> Actor:
    """A caseworker who is cleared for nothing."""
    return office.somebody(Role.CASEWORKER)


def told(value: bool | None = True, day: date = TODAY, **more: Any) -> Assessed[bool]:
    """Return a yes or no that an assessment has given."""
    return Assessed[bool](value=value, source=FactSource.ASSESSMENT, recorded_on=day, **more)


def risk(conclusion: ViolenceConclusion, day: date = TODAY) -> RiskAssessment:
    """Return an assessed risk."""
    return RiskAssessment(
        conclusion=conclusion,
        horizon=RiskHorizon.LONG,
        source=FactSource.SPECIALIST_SERVICE,
        assessed_on=day,
        assessor_role="psykolog",
        valid_until=day + timedelta(days=180),
    )


def a_fact(**fact: Any) -> RecordFact:
    """Return the request to write down one fact."""
    reason = fact.pop("reason", None)
    return RecordFact(facts=ApplicantFacts(**fact), reason=reason)


def registered(office: Office, worker: Actor, **known: Any) -> str:
    """Register somebody and return their id."""
    return office.run(worker, "people.register", RegisterPerson(**known)).stored.id


def facts_of(office: Office, person: str) -> ApplicantFacts:
    """Return what is known of somebody."""
    return office.now(Person, person).body.facts


# ------------------------------------------------------------------------------------- the life of a fact


def test_the_life_of_a_fact_from_registration_to_withdrawal(office: Office, worker: Actor) -> None:
    """Every step is a version of its own that is still there, and only the last says what is known now."""
    person = registered(office, worker, name="Kari Oppdiktet", facts=ApplicantFacts(rop=told()))
    again = told(day=TODAY, valid_until=TODAY + timedelta(days=365))
    for name, asked in (
        ("people.record_fact", a_fact(rop=again)),
        ("people.record_fact", a_fact(rop=told(value=False), reason="Utredningen viste noe annet.")),
        ("people.dispute_fact", DisputeFact(name="rop", reason="Søkeren er uenig.")),
        ("people.withdraw_fact", WithdrawFact(name="rop")),
    ):
        office.run(worker, name, asked, person)

    versions = office.desk.history(worker, Kind.PERSON, person)
    said = [(shown.view["facts"]["rop"]["status"], shown.view["facts"]["rop"]["value"]) for shown in versions]
    assert said == [
        ("known", True),
        ("known", True),
        ("known", False),
        ("disputed", False),
        ("withdrawn", None),
    ]
    assert [shown.stored.change for shown in versions] == [
        "people.register",
        "people.record_fact",
        "people.record_fact",
        "people.dispute_fact",
        "people.withdraw_fact",
    ]
    assert versions[2].stored.reason == "Utredningen viste noe annet."
    assert "Kari" not in str(office.log())
    assert "Utredningen" not in str(office.log())


@pytest.mark.parametrize(
    ("valid_until", "day", "needs_reason"),
    [
        (TODAY, TODAY, True),
        (TODAY, TOMORROW, False),
        (TOMORROW, TOMORROW, True),
        (None, TODAY + timedelta(days=3650), True),
    ],
)
def test_a_value_is_corrected_while_it_holds_and_told_anew_when_it_has_run_out(
    office: Office, worker: Actor, valid_until: date | None, day: date, needs_reason: bool
) -> None:
    """The last day it holds, another value is a correction; the day after, it is simply a new fact."""
    person = registered(office, worker, facts=ApplicantFacts(heavy_use=told(valid_until=valid_until)))
    office.clock.to(day)
    other = told(value=False, day=day)

    if needs_reason:
        with pytest.raises(RefusalError, match="fact-correction-needs-reason"):
            office.run(worker, "people.record_fact", a_fact(heavy_use=other), person)
        assert office.now(Person, person).version == 1
    office.run(
        worker,
        "people.record_fact",
        a_fact(heavy_use=other, reason="Ny vurdering." if needs_reason else None),
        person,
    )

    assert facts_of(office, person).heavy_use == other


@pytest.mark.parametrize(
    ("new", "needs_reason"),
    [
        (told(day=TODAY, valid_until=TOMORROW), False),
        (told(day=YESTERDAY), False),
        (told(day=YESTERDAY - timedelta(days=1)), True),
        (told(value=False), True),
        (Assessed[bool](status=FactStatus.NOT_ASKED), True),
        (Assessed[bool](status=FactStatus.REFUSED), True),
    ],
)
def test_what_is_a_confirmation_and_what_a_correction(
    office: Office, worker: Actor, new: Assessed[bool], needs_reason: bool
) -> None:
    """The same told on the same day or later confirms; all else corrects what holds, and says why."""
    person = registered(office, worker, facts=ApplicantFacts(vulnerable=told(day=YESTERDAY)))

    if needs_reason:
        with pytest.raises(RefusalError, match="fact-correction-needs-reason"):
            office.run(worker, "people.record_fact", a_fact(vulnerable=new), person)
    office.run(
        worker,
        "people.record_fact",
        a_fact(vulnerable=new, reason="Derfor." if needs_reason else None),
        person,
    )

    assert facts_of(office, person).vulnerable == new


def test_an_assessment_is_confirmed_or_corrected_as_a_whole(office: Office, worker: Actor) -> None:
    """The same conclusion on a new day confirms; another conclusion, or fewer needs, corrects."""
    person = registered(
        office, worker, facts=ApplicantFacts(risk=risk(ViolenceConclusion.POSSIBLE, YESTERDAY))
    )

    office.run(worker, "people.record_fact", a_fact(risk=risk(ViolenceConclusion.POSSIBLE)), person)
    with pytest.raises(RefusalError, match="fact-correction-needs-reason"):
        office.run(worker, "people.record_fact", a_fact(risk=risk(ViolenceConclusion.NONE_KNOWN)), person)
    office.run(worker, "people.withdraw_fact", WithdrawFact(name="risk"), person)

    kept = facts_of(office, person).risk
    assert (kept.status, kept.conclusion, kept.measures) == (FactStatus.WITHDRAWN, None, frozenset())


def test_a_disputed_fact_is_settled_with_a_reason_only(office: Office, worker: Actor) -> None:
    """Nobody writes over what is disputed without saying how it was found out; nobody disputes twice."""
    person = registered(office, worker, facts=ApplicantFacts(rop=told()))
    office.run(worker, "people.dispute_fact", DisputeFact(name="rop", reason="Uenig."), person)

    with pytest.raises(RefusalError, match="fact-not-known"):
        office.run(worker, "people.dispute_fact", DisputeFact(name="rop", reason="Uenig."), person)
    with pytest.raises(RefusalError, match="fact-correction-needs-reason"):
        office.run(worker, "people.record_fact", a_fact(rop=told()), person)
    office.run(worker, "people.record_fact", a_fact(rop=told(), reason="Epikrisen viser det."), person)

    assert facts_of(office, person).rop.status is FactStatus.KNOWN


def test_what_was_never_told_is_neither_disputed_nor_withdrawn_but_may_be_refused(
    office: Office, worker: Actor
) -> None:
    """A refusal is kept as such, and holds no value."""
    person = registered(office, worker)

    with pytest.raises(RefusalError, match="fact-not-known"):
        office.run(worker, "people.dispute_fact", DisputeFact(name="rop", reason="Uenig."), person)
    with pytest.raises(RefusalError, match="fact-not-known"):
        office.run(worker, "people.withdraw_fact", WithdrawFact(name="rop"), person)
    office.run(worker, "people.withdraw_fact", WithdrawFact(name="rop", status=FactStatus.REFUSED), person)

    assert facts_of(office, person).rop.status is FactStatus.REFUSED


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        (ApplicantFacts(rop=told(day=TOMORROW)), "/facts/rop/recorded_on"),
        (ApplicantFacts(risk=risk(ViolenceConclusion.POSSIBLE, TOMORROW)), "/facts/risk/assessed_on"),
        (
            ApplicantFacts(
                birth_date=Assessed[date](value=TOMORROW, source=FactSource.REGISTER, recorded_on=TODAY)
            ),
            "/facts/birth_date/value",
        ),
        (ApplicantFacts(rop=Assessed[bool](status=FactStatus.DISPUTED)), "/facts/rop/status"),
        (ApplicantFacts(rop=Assessed[bool](status=FactStatus.WITHDRAWN)), "/facts/rop/status"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_at_its_place(
    office: Office, worker: Actor, facts: ApplicantFacts, place: str
) -> None:
    """Nobody has told anything tomorrow, and disputes are told as such; today is soon enough."""
    person = registered(office, worker)

    with pytest.raises(RefusalError) as refused:
        office.run(worker, "people.record_fact", RecordFact(facts=facts), person)

    assert [problem.path for problem in refused.value.problems] == [place]
    office.run(worker, "people.record_fact", a_fact(rop=told(day=TODAY)), person)


def test_a_request_names_one_fact_and_oral_facts_name_who_heard_them() -> None:
    """Neither none nor two; and nothing oral without somebody who wrote it down (REQ-FVL-6)."""
    for facts in (ApplicantFacts(), ApplicantFacts(rop=told(), heavy_use=told())):
        with pytest.raises(ValidationError):
            RecordFact(facts=facts)
    with pytest.raises(ValidationError):
        RecordFact.model_validate_json(
            '{"facts": {"rop": {"value": true, "source": "oral", "recorded_on": "2026-11-23"}}}'
        )
    asked = RecordFact.model_validate_json(
        '{"facts": {"rop": {"value": true, "source": "oral", "recorded_on": "2026-11-23",'
        ' "recorded_by": "AB"}}}'
    )
    assert asked.facts.rop.value is True
    with pytest.raises(ValidationError):
        DisputeFact(name="ethnicity", reason="x")


# -------------------------------------------------------------------------------- who may write which fact

GENDER = Assessed[Gender](value=Gender.WOMAN, source=FactSource.APPLICANT, recorded_on=TODAY)
BORN = Assessed[date](value=date(1980, 1, 1), source=FactSource.REGISTER, recorded_on=TODAY)
SUBSTANCE = Assessed[SubstanceClass](
    value=SubstanceClass.ALCOHOL, source=FactSource.ASSESSMENT, recorded_on=TODAY
)
ASKED = Assessed[Yes](value=True, source=FactSource.APPLICANT, recorded_on=TODAY, recorded_by="AB")
NEEDS = NeedsAssessment(
    source=FactSource.ASSESSMENT, assessed_on=TODAY, assessor_role="kartlegger", valid_until=TOMORROW
)
ONE_OF_EACH: dict[str, Any] = {
    "gender": GENDER,
    "birth_date": BORN,
    "main_substance": SUBSTANCE,
    "rop": told(),
    "risk": risk(ViolenceConclusion.POSSIBLE),
    "child_visits": told(),
    "needs": NEEDS,
    "conflicts_asked": ASKED,
    "orders_checked": ASKED,
}
WRITES = {
    Role.CASEWORKER: frozenset(ONE_OF_EACH),
    Role.ASSESSOR: frozenset(ONE_OF_EACH),
    Role.CONFLICT_OFFICER: frozenset({"conflicts_asked", "orders_checked"}),
    Role.SCHEME_LEADER: frozenset({"gender", "birth_date", "child_visits", "needs"}),
}


@pytest.mark.parametrize("role", sorted(WRITES))
def test_who_may_not_read_a_fact_may_not_write_it(office: Office, role: Role) -> None:
    """Each role writes the facts of the groups it sees, of those it works with, and no others."""
    office.resident("B-1", "nordlia-1")
    actor = office.somebody(role, *(["nordlia"] if role is Role.SCHEME_LEADER else []))

    written = set()
    for name, fact in ONE_OF_EACH.items():
        try:
            office.run(actor, "people.record_fact", a_fact(**{name: fact}), "B-1")
        except ForbiddenError:
            assert office.log()[-1]["outcome"] == "denied"
            continue
        written.add(name)

    assert written == WRITES[role]


@pytest.mark.parametrize("role", sorted(set(Role) - set(WRITES)))
def test_all_other_roles_write_no_facts(office: Office, role: Role) -> None:
    """They are refused, or are told that there is no such person."""
    office.resident("B-1", "nordlia-1")
    actor = office.somebody(role, *(["nordlia"] if role is Role.SCHEME_STAFF else []))
    for name, asked in (
        ("people.record_fact", a_fact(rop=told())),
        ("people.dispute_fact", DisputeFact(name="rop", reason="x")),
        ("people.withdraw_fact", WithdrawFact(name="rop")),
        ("people.identify", IdentifyPerson(name="X")),
        ("people.protect", ProtectPerson(protection=KODE_6)),
        ("people.represent", RepresentPerson(representatives=())),
        ("people.merge", MergePeople(other="B-1", reason="x")),
    ):
        with pytest.raises((ForbiddenError, NotFoundError)):
            office.run(actor, name, asked, "B-1")
    with pytest.raises(ForbiddenError):
        office.run(actor, "people.register", RegisterPerson())

    assert office.now(Person, "B-1").version == 1


def test_a_leader_writes_nothing_of_residents_of_another_scheme(office: Office) -> None:
    """Neither do they learn that there is such a person."""
    office.resident("B-1", "nordlia-1")
    other = office.somebody(Role.SCHEME_LEADER, "havna")

    with pytest.raises(NotFoundError):
        office.run(other, "people.record_fact", a_fact(child_visits=told()), "B-1")


def test_an_assessor_disputes_and_withdraws_but_does_not_protect(office: Office) -> None:
    """The assessor's part is the facts, not who somebody is."""
    office.seed(Person(facts=ApplicantFacts(rop=told())), "P-1")
    assessor = office.somebody(Role.ASSESSOR)

    office.run(assessor, "people.dispute_fact", DisputeFact(name="rop", reason="Uenig."), "P-1")
    office.run(assessor, "people.withdraw_fact", WithdrawFact(name="rop"), "P-1")
    with pytest.raises(ForbiddenError):
        office.run(assessor, "people.protect", ProtectPerson(protection=KODE_6), "P-1")
    with pytest.raises(ForbiddenError):
        office.run(assessor, "people.merge", MergePeople(other="P-1", reason="x"), "P-1")


def test_a_fact_is_written_on_the_version_that_was_seen(office: Office, worker: Actor) -> None:
    """Two who write at once do not overwrite each other."""
    person = registered(office, worker)
    office.run(worker, "people.record_fact", a_fact(rop=told()), person, expected=1)

    with pytest.raises(ChangedError):
        office.run(
            worker, "people.record_fact", a_fact(rop=told(value=False), reason="x"), person, expected=1
        )


# -------------------------------------------------------------------------------------- who somebody is


def test_what_is_left_out_of_who_somebody_is_stays_and_what_is_emptied_goes(
    office: Office, worker: Actor
) -> None:
    """Only what is said is changed; a new name keeps the old one in the history (E-30)."""
    person = registered(office, worker, name="Før", contact="Ring mor.", interpreter=True)

    office.run(worker, "people.identify", IdentifyPerson(name="Etter", contact=None), person)

    now = office.now(Person, person).body
    assert (now.name, now.contact, now.interpreter) == ("Etter", None, True)
    assert [s.view["name"] for s in office.desk.history(worker, Kind.PERSON, person)] == ["Før", "Etter"]
    with pytest.raises(ValidationError):
        IdentifyPerson()


def test_representatives_are_written_down_in_order_of_time() -> None:
    """Nobody stops acting for somebody before they began; on the same day is possible."""
    Representative(name="Verge", kind=RepresentativeKind.GUARDIAN, since=TODAY, until=TODAY)
    with pytest.raises(ValidationError):
        Representative(name="Verge", kind=RepresentativeKind.GUARDIAN, since=TODAY, until=YESTERDAY)


def test_representatives_replace_those_before(office: Office, worker: Actor) -> None:
    """The whole list is said at once."""
    person = registered(office, worker)
    guardian = Representative(name="Verge", kind=RepresentativeKind.GUARDIAN, since=TODAY)

    office.run(worker, "people.represent", RepresentPerson(representatives=(guardian,)), person)
    office.run(worker, "people.represent", RepresentPerson(representatives=()), person)

    assert office.now(Person, person).version == 3
    assert office.now(Person, person).body.representatives == ()


# ------------------------------------------------------------------------------------- address protection


def test_who_is_not_cleared_may_raise_to_kode_6_and_loses_sight_at_once(
    office: Office, worker: Actor
) -> None:
    """The answer tells nothing more of the person, who is not there for them from then on (REQ-K6-5)."""
    person = registered(office, worker, name="Kari Oppdiktet", facts=ApplicantFacts(rop=told()))
    case = Case(person=person, received_on=TODAY, waiting_since=TODAY)
    office.seed(case, "S-1")

    shown = office.run(worker, "people.protect", ProtectPerson(protection=KODE_6), person)

    assert set(shown.view) == {"id", "version"}
    for kind, name in ((Kind.PERSON, person), (Kind.CASE, "S-1")):
        with pytest.raises(NotFoundError):
            office.desk.show(worker, kind, name)
        with pytest.raises(NotFoundError):
            office.desk.history(worker, kind, name)
        assert office.desk.page(worker, kind).items == ()
    with pytest.raises(NotFoundError):
        office.run(worker, "people.protect", ProtectPerson(protection=AddressProtection.UNGRADED), person)
    assert office.desk.page(worker, Kind.REVIEW).items == ()

    cleared = office.somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6])
    assert office.desk.show(cleared, Kind.PERSON, person).view["name"] == "Kari Oppdiktet"
    (review,) = office.desk.page(cleared, Kind.REVIEW).items
    assert review.view["what"] == ReviewKind.PROTECTION_CHANGED
    assert (review.view["person"], review.view["case"], review.view["by"]) == (person, "S-1", str(TODAY))


def test_the_same_request_again_tells_who_is_not_cleared_no_more_than_before(
    office: Office, worker: Actor
) -> None:
    """An idempotency key is no way to see somebody who has been hidden meanwhile."""
    asked = RegisterPerson(name="Kari Oppdiktet")
    first = office.run(worker, "people.register", asked, key="k")
    office.run(worker, "people.protect", ProtectPerson(protection=KODE_6), first.stored.id)

    again = office.run(worker, "people.register", asked, key="k")

    assert set(again.view) == {"id", "version"}


def test_somebody_is_registered_as_kode_6_by_who_does_not_see_them_afterwards(
    office: Office, worker: Actor
) -> None:
    """The person is protected from the first moment."""
    shown = office.run(worker, "people.register", RegisterPerson(name="Kari", protection=KODE_6))

    assert set(shown.view) == {"id", "version"}
    with pytest.raises(NotFoundError):
        office.desk.show(worker, Kind.PERSON, shown.stored.id)


def test_protection_is_lowered_by_the_cleared_with_a_reason(office: Office, worker: Actor) -> None:
    """All see the person again at once; somebody is to look at it, and only once."""
    cleared = office.somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6])
    person = registered(office, cleared, protection=KODE_6)

    lower = ProtectPerson(protection=AddressProtection.CONFIDENTIAL)
    with pytest.raises(RefusalError) as refused:
        office.run(cleared, "people.protect", lower, person)
    assert refused.value.problems[0].path == "/reason"
    reasoned = lower.model_copy(update={"reason": "Opphevet i Folkeregisteret."})
    office.run(cleared, "people.protect", reasoned, person)

    assert office.desk.show(worker, Kind.PERSON, person).view["protection"] == "confidential"
    office.run(
        worker,
        "people.protect",
        ProtectPerson(protection=AddressProtection.UNGRADED, reason="Opphevet."),
        person,
    )
    assert len(office.desk.page(worker, Kind.REVIEW).items) == 1


def test_the_same_protection_again_changes_nothing(office: Office, worker: Actor) -> None:
    """No version is made and no review is planned."""
    person = registered(office, worker)

    office.run(worker, "people.protect", ProtectPerson(protection=AddressProtection.UNGRADED), person)

    assert office.now(Person, person).version == 1
    assert office.desk.page(worker, Kind.REVIEW).items == ()


# ------------------------------------------------------------------------------- two records, one person


def _conflict(name: str, party: str, counterpart: str) -> Conflict:
    entry = ConflictEntry(
        id=name,
        party=party,
        counterpart=counterpart,
        kind=ConflictKind.THREAT,
        direction=ConflictDirection.MUTUAL,
        status=ConflictStatus.ACTIVE,
        source=FactSource.POLICE,
        recorded_on=TODAY,
    )
    return Conflict(entry=entry, explanation="Kjent.", author="x", review_by=TODAY + timedelta(days=90))


def test_all_that_pointed_at_the_other_record_points_at_the_one_that_stays(
    office: Office, worker: Actor
) -> None:
    """Case, home, conflicts, orders and wishes follow; the other record only says where they went (E-30)."""
    office.resident("B-1", "nordlia-1", name="Kari Oppdiktet", facts=ApplicantFacts(rop=told()))
    office.seed(Person(contact="Ring.", facts=ApplicantFacts(heavy_use=told())), "P-2")
    office.seed(Person(), "P-3")
    office.seed(Case(person="P-2", received_on=TODAY, waiting_since=TODAY), "S-2")
    near = NearWish(person="B-1")
    office.seed(Case(person="P-3", received_on=TODAY, waiting_since=TODAY, near=near), "S-3")
    office.seed(_conflict("K-1", "P-3", "B-1"), "K-1")
    order = OrderEntry(
        id="OR-1",
        kind=OrderKind.VISITING_BAN,
        bound="P-3",
        protected="B-1",
        valid_from=TODAY,
        valid_until=TOMORROW,
    )
    office.seed(Order(entry=order, earlier=(order,)), "OR-1")

    shown = office.run(worker, "people.merge", MergePeople(other="B-1", reason="Samme fødselsnummer."), "P-2")

    whole = office.now(Person, "P-2").body
    assert (whole.name, whole.contact) == ("Kari Oppdiktet", "Ring.")
    assert whole.facts.rop.value is True
    assert whole.facts.heavy_use.value is True
    assert office.now(Tenancy, "L-B-1").body.person == "P-2"
    assert office.now(Case, "S-2").body.person == "P-2"
    kept = office.now(Case, "S-3").body.near
    assert kept is not None
    assert kept.person == "P-2"
    assert office.now(Conflict, "K-1").body.entry.counterpart == "P-2"
    moved = office.now(Order, "OR-1").body
    assert (moved.entry.protected, moved.earlier[0].protected) == ("P-2", "P-2")
    gone = office.now(Person, "B-1")
    assert gone.body == Person(merged_into="P-2")
    assert [shown.stored.version for shown in office.desk.history(worker, Kind.PERSON, "B-1")] == [1, 2]
    assert shown.stored.id == "P-2"
    for name, asked in (
        ("people.record_fact", a_fact(rop=told())),
        ("people.identify", IdentifyPerson(name="X")),
        ("people.protect", ProtectPerson(protection=KODE_6)),
        ("people.represent", RepresentPerson(representatives=())),
        ("people.merge", MergePeople(other="P-3", reason="x")),
    ):
        with pytest.raises(RefusalError, match="person-merged"):
            office.run(worker, name, asked, "B-1")


def test_a_third_record_that_was_merged_before_points_at_the_one_that_stays(
    office: Office, worker: Actor
) -> None:
    """There is one step from any old record to the person."""
    for name in ("P-1", "P-2", "P-3"):
        office.seed(Person(), name)

    office.run(worker, "people.merge", MergePeople(other="P-3", reason="Samme."), "P-2")
    office.run(worker, "people.merge", MergePeople(other="P-2", reason="Samme."), "P-1")

    assert office.now(Person, "P-3").body.merged_into == "P-1"
    with pytest.raises(RefusalError) as refused:
        office.run(worker, "people.merge", MergePeople(other="P-3", reason="Samme."), "P-1")
    assert refused.value.problems[0].path == "/other"


def test_what_two_records_say_differently_is_disputed_and_what_ran_out_gives_way(
    office: Office, worker: Actor
) -> None:
    """Nothing is lost in silence, and no old word outweighs a new one."""
    office.seed(
        Person(
            facts=ApplicantFacts(
                rop=told(),
                heavy_use=told(day=YESTERDAY, valid_until=YESTERDAY),
                vulnerable=Assessed[bool](status=FactStatus.REFUSED),
                child_visits=told(),
            )
        ),
        "P-1",
    )
    office.seed(
        Person(
            facts=ApplicantFacts(
                rop=told(value=False),
                heavy_use=told(value=False),
                vulnerable=told(),
                child_visits=told(day=YESTERDAY),
            )
        ),
        "P-2",
    )

    office.run(worker, "people.merge", MergePeople(other="P-2", reason="Samme."), "P-1")

    facts = facts_of(office, "P-1")
    assert (facts.rop.status, facts.rop.value) == (FactStatus.DISPUTED, True)
    assert facts.heavy_use == told(value=False)
    assert facts.vulnerable.status is FactStatus.REFUSED
    assert facts.child_visits == told()


def test_two_open_cases_or_two_homes_are_not_made_one(office: Office, worker: Actor) -> None:
    """Somebody ends one of them first; a case that has ended is no hindrance."""
    office.resident("B-1", "nordlia-1")
    office.resident("B-2", "nordlia-2")
    for person, case in (("B-1", "S-1"), ("B-2", "S-2")):
        office.seed(Case(person=person, received_on=TODAY, waiting_since=TODAY), case)
    asked = MergePeople(other="B-2", reason="Samme.")

    with pytest.raises(RefusalError, match="merge-two-cases"):
        office.run(worker, "people.merge", asked, "B-1")
    ended = office.now(Case, "S-2").body.model_copy(update={"state": CaseState.WITHDRAWN})
    office.seed(ended, "S-2", version=2)
    with pytest.raises(RefusalError, match="merge-two-homes"):
        office.run(worker, "people.merge", asked, "B-1")

    assert office.now(Person, "B-2").body.merged_into is None


@pytest.mark.parametrize("other", ["P-1", "P-9", "P-6"])
def test_nobody_is_merged_with_themselves_a_stranger_or_one_they_may_not_know_of(
    office: Office, worker: Actor, other: str
) -> None:
    """All three are refused alike."""
    office.seed(Person(), "P-1")
    office.seed(Person(protection=KODE_6), "P-6")

    with pytest.raises(RefusalError) as refused:
        office.run(worker, "people.merge", MergePeople(other=other, reason="x"), "P-1")

    assert refused.value.problems[0].path == "/other"


def test_a_merged_record_is_as_hidden_as_the_person(office: Office, worker: Actor) -> None:
    """What an old record once said is not a way round kode 6, whichever of the two was graded first."""
    cleared = office.somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6])
    office.seed(Person(name="Kari Oppdiktet"), "P-1")
    office.seed(Person(name="Kari Hemmelig", protection=KODE_6), "P-2")
    office.seed(Person(name="Kari Tredje"), "P-3")

    office.run(cleared, "people.merge", MergePeople(other="P-2", reason="Samme."), "P-1")
    assert office.now(Person, "P-1").body.protection is KODE_6
    office.run(cleared, "people.merge", MergePeople(other="P-3", reason="Samme."), "P-1")

    assert office.desk.page(worker, Kind.PERSON).items == ()
    for name in ("P-1", "P-2", "P-3"):
        with pytest.raises(NotFoundError):
            office.desk.history(worker, Kind.PERSON, name)
    lower = ProtectPerson(protection=AddressProtection.UNGRADED, reason="Opphevet.")
    office.run(cleared, "people.protect", lower, "P-1")
    assert len(office.desk.page(worker, Kind.PERSON).items) == 3


def test_records_that_are_kept_apart_are_looked_at_by_the_conflict_officer(
    office: Office, worker: Actor
) -> None:
    """Whoever merges is not told that there is a conflict; whoever keeps conflicts finds it waiting today."""
    office.seed(Person(), "P-1")
    office.seed(Person(), "P-2")
    office.seed(_conflict("K-1", "P-1", "P-2"), "K-1")

    office.run(worker, "people.merge", MergePeople(other="P-2", reason="Samme."), "P-1")

    entry = office.now(Conflict, "K-1").body
    assert (entry.entry.party, entry.entry.counterpart) == ("P-1", "P-2")
    officer = office.somebody(Role.CONFLICT_OFFICER, cleared=[Clearance.CONFLICTS])
    assert len(office.desk.page(officer, Kind.CONFLICT, due_by=TODAY).items) == 1


def test_nobody_comes_to_wish_to_live_near_themselves(office: Office, worker: Actor) -> None:
    """A wish to live near the other record goes when both are one."""
    office.resident("B-1", "nordlia-1")
    office.seed(Person(), "P-2")
    near = NearWish(person="B-1")
    office.seed(Case(person="P-2", received_on=TODAY, waiting_since=TODAY, near=near), "S-2")

    office.run(worker, "people.merge", MergePeople(other="B-1", reason="Samme."), "P-2")

    assert office.now(Case, "S-2").body.near is None


def test_a_look_without_a_purpose_shows_no_name_after_a_change(office: Office) -> None:
    """What comes back from a change is what a look would show."""
    nameless = office.somebody(Role.CASEWORKER, purpose=None)
    named = office.somebody(Role.CASEWORKER, purpose=Purpose.CASEWORK)
    shown = office.run(nameless, "people.register", RegisterPerson(name="Kari"))

    assert "name" not in shown.view
    assert office.desk.show(named, Kind.PERSON, shown.stored.id).view["name"] == "Kari"
