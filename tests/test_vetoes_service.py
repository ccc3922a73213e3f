"""Objections of scheme staff: on which fact, for how long, answered by whom, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    Clearance,
    Evidence,
    HazardKind,
    HearingState,
    Role,
    VetoAnswer,
    VetoOutcome,
)
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.veto_cost import (
    Closed,
    Cost,
    Place,
    Rate,
    by_author,
    by_ground,
    by_scheme,
    closed,
    costs,
    outcome,
    places,
    rates,
    reach,
)
from allocator.casework.voice import Answered, Hazard, Hearing, Told, Veto
from allocator.codes import FactSource, StaffRole, UnitStatus, VetoGround, VetoStatus
from allocator.model import LivingGroup, Scheme, Snapshot, Unit, VetoFact
from allocator.model import Veto as VetoEntry
from allocator.service.errors import ChangedError, ForbiddenError, NotFoundError, RefusalError
from allocator.service.uses import Nothing
from allocator.service.vetoes import AnswerVeto, Observed, RaiseVeto, RenewVeto
from allocator.texts import Language, catalog
from tests.databases import BACKENDS
from tests.office import TODAY, Office

LONG_REASON = "Utvalget følger innvendingen fordi bemanningen ikke er på plass ennå."


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with two houses and a case that Nordlia is being heard about."""
    made = Office(request.param)
    made.house()
    made.house("havna")
    made.seed(Person(name="Ola Tenkt"), "P-1")
    case = Case(person="P-1", state=CaseState.HEARING, received_on=TODAY, waiting_since=TODAY)
    made.seed(case, "S-1")
    made.seed(Hearing(case="S-1", scheme="nordlia", sent_on=TODAY, deadline=TODAY + timedelta(7)), "H-1")
    yield made
    made.close()


def fact(days_ago: int = 3, **more: Any) -> Observed:
    """Return a fact of some days ago."""
    said = {"source": FactSource.STAFF, "text": "Alarmen i bogruppa er ute av drift."} | more
    return Observed(observed_on=TODAY - timedelta(days_ago), **said)


def objection(**more: Any) -> RaiseVeto:
    """Return a sound objection, changed in some way."""
    sound: dict[str, Any] = {
        "case": "S-1",
        "scheme": "nordlia",
        "ground": VetoGround.STAFFING_COMPETENCE,
        "fact": fact(),
    }
    return RaiseVeto(**(sound | more))


def raised(office: Office, actor: Actor, **more: Any) -> str:
    """Raise an objection and return its id."""
    return office.run(actor, "vetoes.raise", objection(**more)).stored.id


def places_of(error: pytest.ExceptionInfo[RefusalError]) -> list[str]:
    """Return the places in a request that were refused."""
    return [problem.path for problem in error.value.problems]


# --------------------------------------------------------------------------------------------- raising


def test_an_objection_has_a_ground_a_fact_an_author_and_an_end(office: Office) -> None:
    """Raised today, it stands for the usual time and counts for the whole scheme unless it says where."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")

    veto = office.now(Veto, raised(office, staff)).body

    assert veto.entry.id == office.log()[-1]["id"]
    assert (veto.entry.applicant, veto.entry.scheme, veto.entry.unit) == ("S-1", "nordlia", None)
    assert (veto.author, veto.entry.author_role) == (staff.account, StaffRole.SCHEME_STAFF)
    assert veto.entry.raised_on == TODAY
    assert veto.entry.valid_until == TODAY + timedelta(90)
    assert veto.entry.status is VetoStatus.OPEN
    assert "Alarmen" not in str(office.log())


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"unit": "nordlia-2"}, ("nordlia-2", None, None)),
        ({"living_group": "nordlia-a"}, (None, "nordlia-a", None)),
        ({}, (None, None, "nordlia")),
    ],
)
def test_it_reaches_a_unit_a_living_group_or_the_scheme(
    office: Office, where: dict[str, str], kept: tuple[str | None, ...]
) -> None:
    """Exactly one place is kept."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")

    entry = office.now(Veto, raised(office, staff, **where)).body.entry

    assert (entry.unit, entry.living_group, entry.scheme) == kept


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"unit": "havna-1"}, "/unit"),
        ({"unit": "nowhere"}, "/unit"),
        ({"living_group": "havna-a"}, "/living_group"),
        ({"unit": "nordlia-1", "living_group": "nordlia-a"}, "/living_group"),
        ({"fact": fact(-1)}, "/fact/observed_on"),
        ({"fact": fact(181)}, "/fact/observed_on"),
        ({"fact": fact(text=" " * 20)}, "/fact/text"),
        ({"fact": fact(source=FactSource.ORAL)}, "/fact/told"),
        ({"fact": fact(told=Told(by="nabo", on=TODAY))}, "/fact/told"),
        (
            {"fact": fact(source=FactSource.ORAL, told=Told(by="nabo", on=TODAY - timedelta(4)))},
            "/fact/told/on",
        ),
        ({"valid_until": TODAY - timedelta(1)}, "/valid_until"),
        ({"valid_until": TODAY + timedelta(181)}, "/valid_until"),
        ({"ground": VetoGround.OTHER_WITH_REASON}, "/why"),
        ({"case": "S-2"}, "/case"),
        ({"scheme": "nowhere"}, "/scheme"),
        ({"hazard": "F-1"}, "/hazard"),
    ],
)
def test_what_is_not_sound_is_refused_where_it_stands(
    office: Office, wrong: dict[str, Any], place: str
) -> None:
    """The refusal names the place in the request, and nothing is stored."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")

    with pytest.raises(RefusalError) as error:
        raised(office, staff, **wrong)

    assert places_of(error) == [place]
    assert office.desk.page(staff, Kind.VETO).items == ()


@pytest.mark.parametrize(
    "sound",
    [
        {"fact": fact(0)},
        {"fact": fact(180)},
        {"fact": fact(source=FactSource.ORAL, told=Told(by="nabo", on=TODAY))},
        {"valid_until": TODAY},
        {"valid_until": TODAY + timedelta(180)},
        {"ground": VetoGround.OTHER_WITH_REASON, "why": "Bygget skal rives i vinter."},
    ],
)
def test_what_is_just_sound_is_taken(office: Office, sound: dict[str, Any]) -> None:
    """The limits themselves are allowed."""
    assert raised(office, office.somebody(Role.SCHEME_STAFF, "nordlia"), **sound)


def test_words_of_the_list_stop_nothing_and_are_told_to_author_and_leader(office: Office) -> None:
    """Author and leader see which words were found; a colleague sees the objection without that."""
    author = office.somebody(Role.SCHEME_STAFF, "nordlia")
    colleague = office.somebody(Role.SCHEME_STAFF, "nordlia", login="colleague")
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")

    veto = raised(office, author, fact=fact(text="Vi vil ikke ha flere innvandrere her."))

    assert office.now(Veto, veto).body.words == ("innvandr",)
    for reader, sees in ((author, True), (leader, True), (colleague, False)):
        assert ("words" in office.desk.show(reader, Kind.VETO, veto).view) is sees


# ------------------------------------------------------------------------------------ against whom


def test_staff_object_only_in_cases_their_scheme_is_or_was_heard_about(office: Office) -> None:
    """A case not sent to them is as one that is not there; a closed hearing is enough."""
    office.seed(Person(), "P-2")
    office.seed(Case(person="P-2", received_on=TODAY, waiting_since=TODAY), "S-2")
    staff = office.somebody(Role.SCHEME_STAFF, "havna")

    answers = set()
    for case in ("S-1", "S-2", "S-none"):
        with pytest.raises(RefusalError) as error:
            raised(office, staff, case=case, scheme="havna")
        answers.add(error.value.problems)

    assert len(answers) == 1
    over = Hearing(
        case="S-2",
        scheme="havna",
        sent_on=TODAY,
        deadline=TODAY,
        state=HearingState.CLOSED,
        closed_on=TODAY,
    )
    office.seed(over, "H-2")
    assert raised(office, staff, case="S-2", scheme="havna")


def test_a_scheme_leader_may_object_by_a_case_number_before_any_hearing(office: Office) -> None:
    """They see what they have written, and nothing of the case."""
    leader = office.somebody(Role.SCHEME_LEADER, "havna")

    veto = raised(office, leader, scheme="havna")

    assert office.now(Veto, veto).body.entry.author_role is StaffRole.SCHEME_LEADER
    assert office.desk.show(leader, Kind.VETO, veto).view["entry"]["applicant"] == "S-1"
    with pytest.raises(NotFoundError):
        office.desk.show(leader, Kind.CASE, "S-1")


@pytest.mark.parametrize("state", [CaseState.CLOSED, CaseState.MOVED_IN, CaseState.WITHDRAWN])
def test_nobody_objects_in_a_case_that_has_ended(office: Office, state: CaseState) -> None:
    """It is refused like one that is not there."""
    ended = Case(person="P-1", state=state, received_on=TODAY, waiting_since=TODAY)
    office.seed(ended, "S-1", version=2)

    with pytest.raises(RefusalError) as error:
        raised(office, office.somebody(Role.SCHEME_LEADER, "nordlia"))

    assert places_of(error) == ["/case"]


def test_a_kode_6_case_is_not_there_for_the_uncleared(office: Office) -> None:
    """Raising is refused as for a case that does not exist, and an objection of the cleared is not seen."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-1", version=2)
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    cleared = office.somebody(Role.SCHEME_LEADER, "nordlia", cleared=[Clearance.KODE_6])

    refused = set()
    for case in ("S-1", "S-none"):
        with pytest.raises(RefusalError) as error:
            raised(office, staff, case=case)
        refused.add(error.value.problems)
    raised(office, cleared)

    assert len(refused) == 1
    assert office.desk.page(staff, Kind.VETO).items == ()


def test_only_staff_of_the_scheme_object_for_it(office: Office) -> None:
    """Neither staff of another scheme, nor those who decide; a wrong scheme tells nothing of the case."""
    for actor in (
        office.somebody(Role.SCHEME_STAFF, "havna"),
        office.somebody(Role.CASEWORKER),
        office.somebody(Role.COMMITTEE_LEADER),
    ):
        for case in ("S-1", "S-none"):
            with pytest.raises(ForbiddenError):
                raised(office, actor, case=case)


# ------------------------------------------------------------------------------ safety and hazards


def test_a_workplace_risk_alone_is_no_ground(office: Office) -> None:
    """The ground staff_safety needs a risk or evidence, and a fact that somebody has assessed."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    hazard = Hazard(
        scheme="nordlia", what=HazardKind.THREATS, text="Trusler på natta.", reported_on=TODAY, author="x"
    )
    office.seed(hazard, "F-1")
    office.seed(hazard.model_copy(update={"scheme": "havna"}), "F-2")
    office.seed(hazard.model_copy(update={"closed_on": TODAY}), "F-3")
    assessed = fact(source=FactSource.ASSESSMENT)
    safety = VetoGround.STAFF_SAFETY

    def tried(**more: Any) -> str:
        try:
            raised(office, staff, ground=safety, **more)
        except RefusalError as error:
            return error.code if not error.problems else error.problems[0].path
        return "taken"

    assert tried() == "veto-safety-unsupported"
    assert tried(fact=assessed) == "veto-safety-unsupported"
    assert tried(hazard="F-1") == "veto-not-assessed"
    assert tried(evidence=frozenset({Evidence.OBSERVATION})) == "veto-not-assessed"
    assert tried(hazard="F-2", fact=assessed) == "/hazard"
    assert tried(hazard="F-3", fact=assessed) == "/hazard"
    assert tried(hazard="F-1", fact=assessed) == "taken"
    assert tried(evidence=frozenset({Evidence.INCIDENT_REPORT}), unit="nordlia-1") == "taken"


# ------------------------------------------------------------------------ saying it twice, renewing


def test_the_same_objection_is_not_raised_twice_by_one_person(office: Office) -> None:
    """It is renewed instead; a colleague, another place or another ground is another objection."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    raised(office, staff)

    with pytest.raises(RefusalError, match="veto-there"):
        raised(office, staff)

    assert raised(office, staff, unit="nordlia-1")
    assert raised(office, staff, ground=VetoGround.TARGET_GROUP)
    assert raised(office, office.somebody(Role.SCHEME_STAFF, "nordlia", login="colleague"))


def test_what_was_overruled_comes_back_only_on_something_new(office: Office) -> None:
    """Neither another place nor another author brings back the fact that the committee has answered."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    veto = raised(office, staff)
    answered(office, veto, VetoAnswer.NOT_FOLLOWED)

    for actor, where in ((staff, {}), (staff, {"unit": "nordlia-1"}), (leader, {})):
        with pytest.raises(RefusalError, match="veto-overruled"):
            raised(office, actor, **where)

    assert raised(office, staff, fact=fact(2))


def answered(office: Office, veto: str, answer: VetoAnswer = VetoAnswer.FOLLOWED) -> None:
    """Answer an objection."""
    command = AnswerVeto(answer=answer, reason=LONG_REASON)
    office.run(office.somebody(Role.COMMITTEE_LEADER), "vetoes.answer", command, veto)


def test_renewing_needs_a_newer_fact_and_gives_a_new_end(office: Office) -> None:
    """It stands from that day on for the usual time; the earlier version is kept."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    veto = raised(office, staff, evidence=frozenset({Evidence.STAFFING_PLAN}))
    office.clock.to(TODAY + timedelta(80))

    with pytest.raises(RefusalError) as error:
        office.run(staff, "vetoes.renew", RenewVeto(fact=fact(3)), veto)
    assert places_of(error) == ["/fact/observed_on"]
    office.run(staff, "vetoes.renew", RenewVeto(fact=fact(2)), veto)

    renewed = office.now(Veto, veto)
    assert renewed.version == 2
    assert renewed.body.entry.raised_on == TODAY + timedelta(80)
    assert renewed.body.entry.valid_until == TODAY + timedelta(170)
    assert renewed.body.evidence == frozenset()
    assert len(office.desk.history(staff, Kind.VETO, veto)) == 2


@pytest.mark.parametrize("end", ["withdrawn", "overruled"])
def test_what_is_settled_is_not_renewed(office: Office, end: str) -> None:
    """What was withdrawn or overruled needs a new objection."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    veto = raised(office, staff)
    if end == "withdrawn":
        office.run(staff, "vetoes.withdraw", Nothing(), veto)
    else:
        answered(office, veto, VetoAnswer.NOT_FOLLOWED)

    with pytest.raises(RefusalError, match="veto-settled"):
        office.run(staff, "vetoes.renew", RenewVeto(fact=fact(1)), veto)
    with pytest.raises(RefusalError, match="veto-settled"):
        office.run(staff, "vetoes.withdraw", Nothing(), veto)


def test_no_objection_outlives_its_case(office: Office) -> None:
    """When the case has ended there is nothing to renew it for."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    veto = raised(office, staff)
    ended = Case(person="P-1", state=CaseState.MOVED_IN, received_on=TODAY, waiting_since=TODAY)
    office.seed(ended, "S-1", version=2)

    with pytest.raises(RefusalError, match="veto-case-ended"):
        office.run(staff, "vetoes.renew", RenewVeto(fact=fact(1)), veto)


def test_author_and_leader_withdraw_and_nobody_else(office: Office) -> None:
    """A colleague may not, nor the leader of another scheme, nor the committee; a stale version neither."""
    author = office.somebody(Role.SCHEME_STAFF, "nordlia")
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    first, second = raised(office, author), raised(office, author, unit="nordlia-1")
    colleague = office.somebody(Role.SCHEME_STAFF, "nordlia", login="colleague")

    for actor in (colleague, office.somebody(Role.COMMITTEE_LEADER)):
        with pytest.raises(ForbiddenError):
            office.run(actor, "vetoes.withdraw", Nothing(), first)
    with pytest.raises(NotFoundError):
        office.run(office.somebody(Role.SCHEME_LEADER, "havna"), "vetoes.withdraw", Nothing(), first)
    with pytest.raises(ChangedError):
        office.run(author, "vetoes.withdraw", Nothing(), first, expected=2)
    office.run(author, "vetoes.withdraw", Nothing(), first)
    office.run(leader, "vetoes.withdraw", Nothing(), second)

    for veto in (first, second):
        assert office.now(Veto, veto).body.entry.status is VetoStatus.WITHDRAWN
        assert office.now(Veto, veto).body.due() is None


# ------------------------------------------------------------------------------------------ answering


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (VetoAnswer.FOLLOWED, VetoStatus.UPHELD),
        (VetoAnswer.PARTLY, VetoStatus.UPHELD),
        (VetoAnswer.NOT_FOLLOWED, VetoStatus.OVERRULED),
    ],
)
def test_the_committee_answers_once(office: Office, answer: VetoAnswer, status: VetoStatus) -> None:
    """The answer is stored with who and when; a second one is refused until it is renewed."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    veto = raised(office, staff)

    answered(office, veto, answer)

    body = office.now(Veto, veto).body
    assert body.entry.status is status
    assert body.answered is not None
    assert (body.answered.answer, body.answered.on) == (answer, TODAY)
    with pytest.raises(RefusalError, match="veto-answered"):
        answered(office, veto)
    if status is VetoStatus.UPHELD:
        office.run(staff, "vetoes.renew", RenewVeto(fact=fact(1)), veto)
        assert office.now(Veto, veto).body.answered is None
        answered(office, veto, VetoAnswer.NOT_FOLLOWED)


def test_an_answer_needs_a_reason_of_its_own(office: Office) -> None:
    """Length alone is no reason, and what is withdrawn is not answered."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    leader = office.somebody(Role.COMMITTEE_LEADER)
    veto = raised(office, staff)

    for reason in ("nei nei nei nei nei nei nei", "-" * 40, "sesakennårdetpasserdere"):
        with pytest.raises(RefusalError) as error:
            office.run(leader, "vetoes.answer", AnswerVeto(answer=VetoAnswer.FOLLOWED, reason=reason), veto)
        assert places_of(error) == ["/reason"]
    office.run(staff, "vetoes.withdraw", Nothing(), veto)
    with pytest.raises(RefusalError, match="veto-settled"):
        answered(office, veto)


def test_who_wrote_it_does_not_answer_it(office: Office) -> None:
    """Nor does who has renewed it; staff never do."""
    author = office.somebody(Role.SCHEME_STAFF, "nordlia")
    veto = raised(office, author)
    both = Actor(author.account, (*author.grants, *office.somebody(Role.COMMITTEE_SECRETARY).grants))
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    office.run(leader, "vetoes.renew", RenewVeto(fact=fact(1)), veto)
    renewer = Actor(leader.account, office.somebody(Role.COMMITTEE_LEADER).grants)
    command = AnswerVeto(answer=VetoAnswer.NOT_FOLLOWED, reason=LONG_REASON)

    for actor in (both, renewer):
        with pytest.raises(RefusalError, match="veto-own"):
            office.run(actor, "vetoes.answer", command, veto)
    with pytest.raises(ForbiddenError):
        office.run(author, "vetoes.answer", command, veto)
    answered(office, veto)


def test_one_that_has_run_out_is_answered_all_the_same(office: Office) -> None:
    """Each gets its answer in writing, though it no longer counts (REQ-VET-3, REQ-VET-5)."""
    veto = raised(office, office.somebody(Role.SCHEME_STAFF, "nordlia"), valid_until=TODAY)
    office.clock.to(TODAY + timedelta(1))

    answered(office, veto)

    assert outcome(office.now(Veto, veto).body, office.clock.today()) is VetoOutcome.FOLLOWED


@pytest.mark.parametrize("language", list(Language))
def test_answers_and_outcomes_have_labels(language: Language) -> None:
    """No two read the same."""
    words = catalog(language)
    for codes in (VetoAnswer, VetoOutcome):
        labels = [words.code(codes, code.value) for code in codes]
        assert len(set(labels)) == len(labels)


# ----------------------------------------------------------------------------------------------- cost

HOME = (
    Place("a1", "a", "north", vacant=True),
    Place("a2", "a", "north", vacant=True),
    Place("a3", "a", "north", vacant=False),
    Place("b1", "b", "north", vacant=True),
    Place("c1", "c", "south", vacant=True),
)


def entry(identifier: str, applicant: str = "S-1", **more: Any) -> VetoEntry:
    """Return an objection of the snapshot that stands today."""
    observed = VetoFact(observed_on=TODAY, source=FactSource.STAFF, text="Noe hendte.")
    where = {} if {"unit", "living_group", "scheme"} & more.keys() else {"scheme": "north"}
    sound: dict[str, Any] = {
        "ground": VetoGround.TARGET_GROUP,
        "fact": observed,
        "author_role": StaffRole.SCHEME_STAFF,
        "raised_on": TODAY,
        "valid_until": TODAY + timedelta(90),
    }
    return VetoEntry(id=identifier, applicant=applicant, **(sound | where | more))


def stored(made: VetoEntry, author: str = "ann", scheme: str = "north", **more: Any) -> Veto:
    """Return it with its author and scheme."""
    return Veto(entry=made, scheme=scheme, author=author, **more)


@pytest.mark.parametrize(
    ("where", "units"),
    [
        ({"unit": "a1"}, {"a1"}),
        ({"unit": "a3"}, set()),
        ({"living_group": "a"}, {"a1", "a2"}),
        ({"scheme": "north"}, {"a1", "a2", "b1"}),
        ({"scheme": "nowhere"}, set()),
    ],
)
def test_reach_is_the_vacant_units_it_points_at(where: dict[str, str], units: set[str]) -> None:
    """A unit somebody lives in is not lost to anybody."""
    assert reach(entry("v", **where), HOME) == units


@pytest.mark.parametrize(
    ("others", "alone"),
    [
        ([], {"a1", "a2"}),
        ([entry("w", unit="a1")], {"a2"}),
        ([entry("w", scheme="north")], set()),
        ([entry("w", applicant="S-2", scheme="north")], {"a1", "a2"}),
        ([entry("w", scheme="north", status=VetoStatus.WITHDRAWN)], {"a1", "a2"}),
    ],
)
def test_lifting_it_opens_only_what_no_other_closes(others: list[VetoEntry], alone: set[str]) -> None:
    """Other objections to the same applicant hold; those to others, or settled ones, do not matter."""
    mine = entry("v", living_group="a")

    assert closed(mine, [mine, *others], HOME, TODAY) == Closed(frozenset({"a1", "a2"}), frozenset(alone))


@pytest.mark.parametrize(
    ("changed", "closes"),
    [
        ({}, True),
        ({"status": VetoStatus.UPHELD}, True),
        ({"status": VetoStatus.OVERRULED}, False),
        ({"status": VetoStatus.WITHDRAWN}, False),
        ({"valid_until": TODAY}, True),
        ({"raised_on": TODAY - timedelta(9), "valid_until": TODAY - timedelta(1)}, False),
    ],
)
def test_what_does_not_stand_closes_nothing(changed: dict[str, Any], closes: bool) -> None:
    """Open and upheld ones count until their last day."""
    observed = VetoFact(observed_on=TODAY - timedelta(9), source=FactSource.STAFF, text="Noe hendte.")
    assert bool(closed(entry("v", fact=observed, **changed), [], HOME, TODAY).units) is closes


def test_cost_by_scheme_ground_and_author() -> None:
    """A unit closed twice to one applicant is lost once; one that runs out costs nothing."""
    vetoes = [
        stored(entry("1", unit="a1")),
        stored(entry("2", living_group="a"), author="bo"),
        stored(entry("3", applicant="S-2", ground=VetoGround.STAFF_SAFETY)),
        stored(entry("4", unit="c1"), scheme="south"),
        stored(entry("5", applicant="S-3", status=VetoStatus.OVERRULED)),
        stored(entry("6", applicant="S-4", unit="a3")),
    ]

    assert costs(vetoes, HOME, TODAY, by_scheme) == (Cost("north", 4, 2, 5), Cost("south", 1, 1, 1))
    assert costs(vetoes, HOME, TODAY, by_ground) == (
        Cost("staff_safety", 1, 1, 3),
        Cost("target_group", 4, 1, 3),
    )
    assert costs(vetoes, HOME, TODAY, by_author) == (Cost("ann", 4, 2, 5), Cost("bo", 1, 1, 2))
    assert costs(vetoes, HOME, TODAY + timedelta(91), by_scheme) == ()
    assert costs(reversed(vetoes), HOME, TODAY, by_scheme) == costs(vetoes, HOME, TODAY, by_scheme)


def test_the_units_of_a_snapshot_are_places() -> None:
    """Only a vacant unit is one that somebody can lose."""
    units = (Unit(id="a1", status=UnitStatus.VACANT), Unit(id="a2", status=UnitStatus.OUT_OF_SERVICE))
    group = LivingGroup(id="a", name="A", units=units)
    snapshot = Snapshot(as_of=TODAY, schemes=(Scheme(id="north", name="North", living_groups=(group,)),))

    assert places(snapshot) == (
        Place("a1", "a", "north", vacant=True),
        Place("a2", "a", "north", vacant=False),
    )


@pytest.mark.parametrize(
    ("status", "answer", "day", "expected"),
    [
        (VetoStatus.OPEN, None, TODAY, VetoOutcome.OPEN),
        (VetoStatus.OPEN, None, TODAY + timedelta(90), VetoOutcome.OPEN),
        (VetoStatus.OPEN, None, TODAY + timedelta(91), VetoOutcome.RUN_OUT),
        (VetoStatus.WITHDRAWN, None, TODAY, VetoOutcome.WITHDRAWN),
        (VetoStatus.UPHELD, VetoAnswer.FOLLOWED, TODAY + timedelta(91), VetoOutcome.FOLLOWED),
        (VetoStatus.UPHELD, VetoAnswer.PARTLY, TODAY, VetoOutcome.PARTLY),
        (VetoStatus.OVERRULED, VetoAnswer.NOT_FOLLOWED, TODAY, VetoOutcome.NOT_FOLLOWED),
        (VetoStatus.WITHDRAWN, VetoAnswer.FOLLOWED, TODAY, VetoOutcome.FOLLOWED),
    ],
)
def test_what_becomes_of_an_objection(
    status: VetoStatus, answer: VetoAnswer | None, day: date, expected: VetoOutcome
) -> None:
    """An answer counts; without one it is open until it is withdrawn or runs out."""
    said = None if answer is None else Answered(answer=answer, reason=LONG_REASON, by="leader", on=TODAY)

    assert outcome(stored(entry("v", status=status), answered=said), day) is expected


def test_rates_per_scheme_ground_and_outcome() -> None:
    """Every objection is counted once (REQ-VET-4)."""
    vetoes = [
        stored(entry("1")),
        stored(entry("2")),
        stored(entry("3", status=VetoStatus.WITHDRAWN)),
        stored(entry("4", scheme="south"), scheme="south"),
    ]

    counted = rates(vetoes, TODAY)

    assert counted == (
        Rate("north", VetoGround.TARGET_GROUP, VetoOutcome.OPEN, 2),
        Rate("north", VetoGround.TARGET_GROUP, VetoOutcome.WITHDRAWN, 1),
        Rate("south", VetoGround.TARGET_GROUP, VetoOutcome.OPEN, 1),
    )
    assert sum(rate.count for rate in counted) == len(vetoes)
