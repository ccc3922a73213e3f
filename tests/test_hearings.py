"""Hearings: sent, answered, reminded of, closed; and what staff may see of the case meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, NearWish
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    HearingState,
    Role,
    StatementKind,
    VetoAnswer,
)
from allocator.casework.committee import Suggestion
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Hearing, Statement, Veto
from allocator.codes import FactSource, VetoGround, VetoStatus
from allocator.ports import TakenError
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.hearings import CloseHearing, Extend, SendHearing, State, reminders_due
from allocator.service.meetings import back_from_meeting
from allocator.service.uses import Nothing
from allocator.service.vetoes import AnswerVeto, Objection, Observed
from allocator.service.work import Work
from allocator.texts import Language, catalog
from tests.databases import BACKENDS
from tests.office import TODAY, Office


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with two houses and a case on the waiting list, who wishes to live near a resident."""
    made = Office(request.param)
    made.house()
    made.house("havna")
    made.seed(Person(name="Ola Tenkt"), "P-1")
    made.resident("B-1", "nordlia-1")
    case = Case(
        person="P-1",
        state=CaseState.WAITING_LIST,
        received_on=TODAY,
        waiting_since=TODAY,
        near=NearWish(person="B-1"),
    )
    made.seed(case, "S-1")
    yield made
    made.close()


def sent(office: Office, scheme: str = "nordlia", **more: Any) -> str:
    """Send a hearing and return its id."""
    worker = office.somebody(Role.CASEWORKER)
    command = SendHearing(case="S-1", scheme=scheme, **more)
    return office.run(worker, "hearings.send", command).stored.id


def staff(office: Office, scheme: str = "nordlia", login: str | None = None) -> Actor:
    """Return one of the staff of a scheme."""
    return office.somebody(Role.SCHEME_STAFF, scheme, login=login)


def objection(**more: Any) -> Objection:
    """Return a sound objection."""
    seen = Observed(observed_on=TODAY, source=FactSource.STAFF, text="Alarmen er ute av drift.")
    sound: dict[str, Any] = {"ground": VetoGround.STAFFING_COMPETENCE, "fact": seen}
    return Objection(**(sound | more))


def says(office: Office, actor: Actor, hearing: str, kind: StatementKind, **more: Any) -> None:
    """Answer in a hearing."""
    office.run(actor, "hearings.state", State(kind=kind, **more), hearing)


def close(office: Office, hearing: str, reason: str | None = None) -> None:
    """Close a hearing."""
    office.run(office.somebody(Role.CASEWORKER), "hearings.close", CloseHearing(reason=reason), hearing)


def state(office: Office) -> CaseState:
    """Return where the case stands."""
    return office.now(Case, "S-1").body.state


# -------------------------------------------------------------------------------------------- sending


def test_sending_sets_a_deadline_and_the_case_is_in_hearing(office: Office) -> None:
    """Without a deadline staff have the usual week; the same unit is asked about once."""
    hearing = office.now(Hearing, sent(office, units=("nordlia-2", "nordlia-3", "nordlia-2"))).body

    assert hearing.deadline == TODAY + timedelta(7)
    assert hearing.units == ("nordlia-2", "nordlia-3")
    assert not hearing.after_the_fact
    assert state(office) is CaseState.HEARING


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"units": ("nordlia-2", "havna-1")}, "/units/1"),
        ({"units": ("nowhere",)}, "/units/0"),
        ({"deadline": TODAY}, "/deadline"),
        ({"deadline": TODAY + timedelta(61)}, "/deadline"),
        ({"suggestion": "nowhere"}, "/suggestion"),
        ({"suggestion": "FO-2"}, "/suggestion"),
        ({"scheme": "nowhere"}, "/scheme"),
    ],
)
def test_what_is_not_sound_is_refused_where_it_stands(
    office: Office, wrong: dict[str, Any], place: str
) -> None:
    """Units of the scheme, a suggestion of the case, a deadline in reach."""
    office.seed(suggestion(unit="havna-1"), "FO-2")

    with pytest.raises(RefusalError) as error:
        sent(office, **wrong)

    assert [problem.path for problem in error.value.problems] == [place]
    assert state(office) is CaseState.WAITING_LIST


@pytest.mark.parametrize(
    "sound",
    [
        {"deadline": TODAY + timedelta(1)},
        {"deadline": TODAY + timedelta(60)},
        {"suggestion": "FO-1"},
        {"suggestion": "FO-2", "units": ("nordlia-1",)},
    ],
)
def test_what_is_just_sound_is_taken(office: Office, sound: dict[str, Any]) -> None:
    """The limits themselves, and a suggestion of the case or of a unit that is asked about."""
    office.seed(suggestion(case="S-1"), "FO-1")
    office.seed(suggestion(unit="nordlia-1"), "FO-2")

    assert sent(office, **sound)


def suggestion(**of: Any) -> Suggestion:
    """Return a stored suggestion for a case or a unit; what it says does not matter here."""
    return Suggestion(
        **of,
        as_of=TODAY,
        policy="p",
        policy_sha256="p",
        facts="f",
        facts_sha256="f",
        answer="a",
        engine="reference",
        engine_version="1",
        facts_at=0,
        made_on=TODAY,
    )


def test_a_scheme_is_heard_once_at_a_time(office: Office) -> None:
    """Another scheme may be heard beside it; the database holds it too."""
    sent(office)

    with pytest.raises(RefusalError, match="hearing-open"):
        sent(office)
    with pytest.raises(TakenError):
        office.seed(Hearing(case="S-1", scheme="nordlia", sent_on=TODAY, deadline=TODAY), "H-9")
    assert sent(office, "havna")


def test_cases_are_heard_when_there_is_something_to_hear(office: Office) -> None:
    """Before the waiting list and after the decision there is nothing to ask staff about."""
    body, heard = office.now(Case, "S-1").body, set()
    worker = office.somebody(Role.CASEWORKER)
    for now in set(CaseState) - {CaseState.CRISIS}:
        office.seed(Person(), f"P-{now}")
        office.seed(body.model_copy(update={"state": now, "person": f"P-{now}"}), f"S-{now}")
        with contextlib.suppress(RefusalError):
            office.run(worker, "hearings.send", SendHearing(case=f"S-{now}", scheme="nordlia"))
            heard.add(now)

    assert heard == {CaseState.WAITING_LIST, CaseState.SUGGESTED, CaseState.HEARING, CaseState.MEETING}


def test_after_a_crisis_staff_are_heard_after_the_fact(office: Office) -> None:
    """The case stays where it is, also when the hearing is over; one from before may be open still (E-22)."""
    sent(office)
    crisis = office.now(Case, "S-1").body.model_copy(update={"state": CaseState.CRISIS})
    office.seed(crisis, "S-1", version=3)

    hearing = sent(office)
    says(office, staff(office), hearing, StatementKind.OK)
    with pytest.raises(RefusalError, match="hearing-open"):
        sent(office)
    close(office, hearing)

    assert office.now(Hearing, hearing).body.after_the_fact
    assert state(office) is CaseState.CRISIS


def test_who_may_not_send_one(office: Office) -> None:
    """Not staff, not members, and not for a kode-6 person without the clearance."""
    command = SendHearing(case="S-1", scheme="nordlia")
    for role in (Role.COMMITTEE_MEMBER, Role.ASSESSOR):
        with pytest.raises(ForbiddenError):
            office.run(office.somebody(role), "hearings.send", command)
    with pytest.raises(ForbiddenError):
        office.run(staff(office), "hearings.send", command)

    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-1", version=2)
    with pytest.raises(RefusalError) as error:
        sent(office)
    assert error.value.problems[0].path == "/case"


# ------------------------------------------------------------------------------------- what staff see


def test_staff_see_the_case_while_they_are_heard_and_lose_it_after(office: Office) -> None:
    """Neither before, nor after, nor of another scheme; never the name, nor whom they wish to live near."""
    ours, theirs = staff(office), staff(office, "havna")

    def visible(actor: Actor) -> list[Kind]:
        seen = []
        for kind, identifier in ((Kind.CASE, "S-1"), (Kind.PERSON, "P-1")):
            try:
                shown = office.desk.show(actor, kind, identifier)
            except NotFoundError:
                continue
            assert "name" not in shown.view
            assert "near" not in shown.view
            seen.append(kind)
        return seen

    assert visible(ours) == []
    hearing = sent(office)
    assert visible(ours) == [Kind.CASE, Kind.PERSON]
    assert visible(theirs) == []
    says(office, ours, hearing, StatementKind.OK)
    close(office, hearing)
    assert visible(ours) == []
    assert office.desk.page(ours, Kind.CASE).items == ()


# ------------------------------------------------------------------------------------------ answering


def test_each_may_answer_again_and_all_is_kept(office: Office) -> None:
    """Statements are kept in order with who and when."""
    hearing = sent(office)
    one, other = staff(office), staff(office, login="colleague")

    says(office, one, hearing, StatementKind.COMMENT, text="Vi trenger to på natt.")
    says(office, other, hearing, StatementKind.OK)
    says(office, one, hearing, StatementKind.OK)

    said = office.now(Hearing, hearing).body.statements
    assert [(s.by, s.kind) for s in said] == [
        (one.account, StatementKind.COMMENT),
        (other.account, StatementKind.OK),
        (one.account, StatementKind.OK),
    ]


def test_an_objection_raises_a_veto_in_the_same_transaction(office: Office) -> None:
    """The veto knows its hearing; what makes it unsound leaves no statement either."""
    hearing = sent(office)
    actor = staff(office)

    says(office, actor, hearing, StatementKind.OBJECTION, objection=objection(unit="nordlia-2"))

    veto = office.now(Hearing, hearing).body.statements[0].veto
    assert veto is not None
    assert office.now(Veto, veto).body.hearing == hearing
    assert office.now(Veto, veto).body.entry.unit == "nordlia-2"
    with pytest.raises(RefusalError) as error:
        says(office, actor, hearing, StatementKind.OBJECTION, objection=objection(unit="havna-1"))
    assert error.value.problems[0].path == "/objection/unit"
    assert len(office.now(Hearing, hearing).body.statements) == 1
    assert office.now(Veto, veto).body.entry.status is VetoStatus.OPEN


def test_the_last_answer_counts_also_for_the_objection(office: Office) -> None:
    """An unanswered objection of the same person is withdrawn by a later answer; an answered one stays."""
    hearing = sent(office)
    actor, colleague = staff(office), staff(office, login="colleague")
    for each in (actor, colleague):
        says(office, each, hearing, StatementKind.OBJECTION, objection=objection())
    mine, theirs = (s.veto for s in office.now(Hearing, hearing).body.statements)
    assert mine is not None
    assert theirs is not None

    says(office, actor, hearing, StatementKind.OBJECTION, objection=objection(unit="nordlia-2"))
    assert office.now(Veto, mine).body.entry.status is VetoStatus.WITHDRAWN
    assert office.now(Veto, theirs).body.entry.status is VetoStatus.OPEN

    answer = AnswerVeto(answer=VetoAnswer.PARTLY, reason="Vi følger den til alarmen er reparert i uke 50.")
    office.run(office.somebody(Role.COMMITTEE_LEADER), "vetoes.answer", answer, theirs)
    says(office, colleague, hearing, StatementKind.OK)
    assert office.now(Veto, theirs).body.entry.status is VetoStatus.UPHELD


@pytest.mark.parametrize(
    ("kind", "more", "place"),
    [
        (StatementKind.COMMENT, {}, "/text"),
        (StatementKind.COMMENT, {"text": "   "}, "/text"),
        (StatementKind.OBJECTION, {"text": "Nei."}, "/objection"),
        (StatementKind.OK, {"objection": objection()}, "/objection"),
    ],
)
def test_an_answer_that_says_nothing_is_refused(
    office: Office, kind: StatementKind, more: dict[str, Any], place: str
) -> None:
    """A comment has words, an objection is one, and nothing else is."""
    hearing = sent(office)

    with pytest.raises(RefusalError) as error:
        says(office, staff(office), hearing, kind, **more)

    assert [problem.path for problem in error.value.problems] == [place]


def test_words_of_the_list_in_a_comment_are_told_to_the_leader(office: Office) -> None:
    """They stop nothing; staff do not see what was found."""
    hearing = sent(office)
    says(office, staff(office), hearing, StatementKind.COMMENT, text="Han er jo muslim.")

    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    assert office.desk.show(leader, Kind.HEARING, hearing).view["words"] == ["muslim"]
    assert "words" not in office.desk.show(staff(office), Kind.HEARING, hearing).view


def test_only_staff_of_the_scheme_answer(office: Office) -> None:
    """Another scheme does not know of the hearing; who sent it does not answer it."""
    hearing = sent(office)

    with pytest.raises(NotFoundError):
        says(office, staff(office, "havna"), hearing, StatementKind.OK)
    with pytest.raises(ForbiddenError):
        says(office, office.somebody(Role.CASEWORKER), hearing, StatementKind.OK)


# ------------------------------------------------------------------------ reminding, extending, closing


def test_a_reminder_is_noted_once_a_day(office: Office) -> None:
    """A second one the same day changes nothing."""
    worker = office.somebody(Role.CASEWORKER)
    hearing = sent(office)

    for day in (TODAY, TODAY, TODAY + timedelta(1)):
        office.clock.to(day)
        office.run(worker, "hearings.remind", Nothing(), hearing)

    assert office.now(Hearing, hearing).body.reminded_on == (TODAY, TODAY + timedelta(1))
    assert office.now(Hearing, hearing).version == 3


@pytest.mark.parametrize(
    ("day", "reminded", "due"),
    [
        (4, [], False),
        (5, [], True),
        (7, [], True),
        (7, [5], False),
        (6, [3], True),
        (8, [5], True),
        (9, [8], False),
        (30, [], True),
    ],
)
def test_reminders_are_due_before_and_after_the_deadline(
    office: Office, day: int, reminded: list[int], due: bool
) -> None:
    """From two days before, once; and once when it has passed. One sent too early does not count."""
    worker = office.somebody(Role.CASEWORKER)
    hearing = sent(office)
    for earlier in reminded:
        office.clock.to(TODAY + timedelta(earlier))
        office.run(worker, "hearings.remind", Nothing(), hearing)
    office.clock.to(TODAY + timedelta(day))

    assert [h.id for h in due_now(office)] == ([hearing] if due else [])


def due_now(office: Office) -> list[Any]:
    """Return the hearings to remind of."""
    with office.storage.read() as tx:
        clock = office.clock
        return list(reminders_due(Work(tx, office.desk.access, Actor("x"), clock.now(), clock.today())))


def test_a_later_deadline_is_reminded_of_anew_and_a_closed_hearing_not(office: Office) -> None:
    """A reminder belongs to the deadline it was sent for."""
    worker = office.somebody(Role.CASEWORKER)
    hearing = sent(office)
    office.clock.to(TODAY + timedelta(6))
    office.run(worker, "hearings.remind", Nothing(), hearing)
    office.run(worker, "hearings.extend", Extend(deadline=TODAY + timedelta(20)), hearing)
    assert due_now(office) == []

    office.clock.to(TODAY + timedelta(18))
    assert [h.id for h in due_now(office)] == [hearing]
    says(office, staff(office), hearing, StatementKind.OK)
    close(office, hearing)
    assert due_now(office) == []


@pytest.mark.parametrize(
    ("today", "deadline", "taken"),
    [(0, 7, False), (0, 8, True), (9, 9, False), (9, 10, True), (9, 69, True), (9, 70, False)],
)
def test_extending_is_to_a_later_day(office: Office, today: int, deadline: int, taken: bool) -> None:
    """Later than it was, later than today, and not out of reach."""
    hearing = sent(office)
    office.clock.to(TODAY + timedelta(today))
    command = Extend(deadline=TODAY + timedelta(deadline))
    worker = office.somebody(Role.CASEWORKER)

    if taken:
        office.run(worker, "hearings.extend", command, hearing)
        assert office.now(Hearing, hearing).body.deadline == TODAY + timedelta(deadline)
    else:
        with pytest.raises(RefusalError) as error:
            office.run(worker, "hearings.extend", command, hearing)
        assert error.value.problems[0].path == "/deadline"


def test_when_all_hearings_are_closed_the_case_is_ready_for_a_meeting(office: Office) -> None:
    """The last one closed takes the case on; a scheme may be heard again after that."""
    ours, theirs = sent(office), sent(office, "havna")
    says(office, staff(office), ours, StatementKind.OK)
    says(office, staff(office, "havna"), theirs, StatementKind.OK)

    close(office, ours)
    assert state(office) is CaseState.HEARING
    close(office, theirs)
    assert state(office) is CaseState.SUGGESTED
    assert office.now(Hearing, ours).body.closed_on == TODAY
    sent(office)
    assert state(office) is CaseState.HEARING


def test_a_case_on_an_agenda_stays_there_while_another_scheme_is_heard(office: Office) -> None:
    """Only a meeting takes a case off its agenda."""
    on_agenda = office.now(Case, "S-1").body.model_copy(update={"state": CaseState.MEETING})
    office.seed(on_agenda, "S-1", version=2)

    hearing = sent(office)
    assert state(office) is CaseState.MEETING
    says(office, staff(office), hearing, StatementKind.OK)
    close(office, hearing)

    assert state(office) is CaseState.MEETING


def test_a_hearing_that_nobody_has_answered_waits_for_its_deadline(office: Office) -> None:
    """The day after the deadline it may be closed; staff have had their chance."""
    hearing = sent(office)

    office.clock.to(TODAY + timedelta(7))
    with pytest.raises(RefusalError, match="hearing-unanswered"):
        close(office, hearing)
    office.clock.to(TODAY + timedelta(8))
    close(office, hearing)

    assert state(office) is CaseState.SUGGESTED
    assert office.now(Hearing, hearing).body.is_over(TODAY)


@pytest.mark.parametrize(("closed", "after"), [(False, CaseState.HEARING), (True, CaseState.SUGGESTED)])
def test_a_case_off_an_agenda_is_in_hearing_only_while_one_is_open(
    office: Office, closed: bool, after: CaseState
) -> None:
    """What was closed while the case was on an agenda is over."""
    hearing = sent(office)
    on_agenda = office.now(Case, "S-1").body.model_copy(update={"state": CaseState.MEETING})
    office.seed(on_agenda, "S-1", version=3)
    if closed:
        says(office, staff(office), hearing, StatementKind.OK)
        close(office, hearing)

    clock = office.clock
    with office.storage.write() as tx:
        work = Work(tx, office.desk.access, Actor("x"), clock.now(), clock.today(), "test")
        back_from_meeting(work, work.load(Case, "S-1"))
        tx.append(work.notes, facts=True)

    assert state(office) is after


@pytest.mark.parametrize(
    ("suggested", "after"), [(False, CaseState.WAITING_LIST), (True, CaseState.SUGGESTED)]
)
def test_one_that_is_called_back_counts_as_no_hearing(
    office: Office, suggested: bool, after: CaseState
) -> None:
    """Sent to the wrong scheme, it is called back with a reason, and staff see the case no more."""
    if suggested:
        office.seed(suggestion(case="S-1"), "FO-1")
    hearing = sent(office)

    close(office, hearing, "Sendt til feil botiltak.")

    assert state(office) is after
    assert not office.now(Hearing, hearing).body.is_over(TODAY + timedelta(30))
    with pytest.raises(NotFoundError):
        office.desk.show(staff(office), Kind.CASE, "S-1")


def test_nothing_is_done_with_a_closed_hearing(office: Office) -> None:
    """Neither answered, reminded of, extended nor closed again."""
    hearing = sent(office)
    says(office, staff(office), hearing, StatementKind.OK)
    close(office, hearing)
    worker = office.somebody(Role.CASEWORKER)
    later: date = TODAY + timedelta(30)

    for actor, name, command in (
        (staff(office), "hearings.state", State(kind=StatementKind.OK)),
        (worker, "hearings.remind", Nothing()),
        (worker, "hearings.extend", Extend(deadline=later)),
        (worker, "hearings.close", CloseHearing(reason="x")),
    ):
        with pytest.raises(RefusalError, match="hearing-closed"):
            office.run(actor, name, command, hearing)
    assert office.now(Hearing, hearing).body.state is HearingState.CLOSED


@pytest.mark.parametrize("language", list(Language))
def test_statements_and_states_have_labels(language: Language) -> None:
    """No two read the same."""
    words = catalog(language)
    for codes in (StatementKind, HearingState):
        labels = [words.code(codes, code.value) for code in codes]
        assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("answered", "closed_on", "day", "over"),
    [
        (False, None, 7, False),
        (False, None, 8, True),
        (True, None, 7, False),
        (True, 0, 0, True),
        (False, 7, 30, False),
        (False, 8, 8, True),
    ],
)
def test_a_scheme_has_had_its_say(answered: bool, closed_on: int | None, day: int, over: bool) -> None:
    """Closed with an answer, or open until the deadline had passed; called back on its last day it is not."""
    said = Statement(kind=StatementKind.OK, by="x", on=TODAY)
    hearing = Hearing(
        case="S-1",
        scheme="nordlia",
        sent_on=TODAY,
        deadline=TODAY + timedelta(7),
        state=HearingState.OPEN if closed_on is None else HearingState.CLOSED,
        closed_on=None if closed_on is None else TODAY + timedelta(closed_on),
        statements=(said,) if answered else (),
    )

    assert hearing.is_over(TODAY + timedelta(day)) is over
