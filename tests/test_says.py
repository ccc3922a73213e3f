"""What residents say: asked through staff, about nobody in particular, in words that are theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    Role,
    SayAnswer,
    SayQuestion,
)
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Say
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.nobody import looks_like_a_name
from allocator.service.says import RecordSay
from allocator.texts import Language, catalog
from tests.databases import BACKENDS
from tests.office import TODAY, Office


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with two houses, a resident in each, and an applicant."""
    made = Office(request.param)
    made.house()
    made.house("havna")
    made.resident("B-1", "nordlia-1", name="Kari Oppdiktet")
    made.resident("B-2", "havna-1")
    made.seed(Person(name="Ola Tenkt"), "P-1")
    made.seed(Case(person="P-1", received_on=TODAY, waiting_since=TODAY), "S-1")
    yield made
    made.close()


def say(office: Office, text: str | None = None, actor: Actor | None = None, **more: Any) -> str:
    """Write down what a resident said, and return its id."""
    sound: dict[str, Any] = {
        "person": "B-1",
        "scheme": "nordlia",
        "question": SayQuestion.NEW_NEIGHBOUR,
        "answer": SayAnswer.CONCERNED,
        "text": text,
        "may_be_shown": True,
    }
    by = actor or office.somebody(Role.SCHEME_STAFF, "nordlia")
    return office.run(by, "says.record", RecordSay(**(sound | more))).stored.id


def test_a_say_knows_the_living_group_and_who_asked(office: Office) -> None:
    """The group follows from where the resident lives; the log has none of the words."""
    body = office.now(Say, say(office, "Det bør være rolig om natta.")).body

    assert (body.scheme, body.group, body.asked_on) == ("nordlia", "nordlia-a", TODAY)
    assert body.asked_by == "scheme_staff-nordlia"
    assert "rolig" not in str(office.log())


@pytest.mark.parametrize(("may_be_shown", "quote"), [(True, "Det bør være rolig om natta."), (False, None)])
def test_the_committee_reads_the_words_only_with_leave_and_never_whose_they_are(
    office: Office, may_be_shown: bool, quote: str | None
) -> None:
    """They see the answer either way; the scheme knows who said it."""
    identifier = say(office, "Det bør være rolig om natta.", may_be_shown=may_be_shown)

    for role in (Role.CASEWORKER, Role.COMMITTEE_MEMBER, Role.COMMITTEE_LEADER, Role.COMMITTEE_SECRETARY):
        view = office.desk.show(office.somebody(role), Kind.SAY, identifier).view
        assert view["quote"] == quote
        assert view["answer"] == "concerned"
        assert {"person", "text", "words"}.isdisjoint(view)
        assert "B-1" not in str(view)
    ours = office.desk.show(office.somebody(Role.SCHEME_LEADER, "nordlia"), Kind.SAY, identifier).view
    assert ours["text"] == "Det bør være rolig om natta."
    assert "quote" not in ours


def test_the_words_are_for_those_who_asked_and_their_leader(office: Office) -> None:
    """A colleague sees the answer and not the words; another scheme sees nothing."""
    identifier = say(office, "Det bør være rolig om natta.")
    colleague = office.somebody(Role.SCHEME_STAFF, "nordlia", login="colleague")

    assert (
        "text" in office.desk.show(office.somebody(Role.SCHEME_STAFF, "nordlia"), Kind.SAY, identifier).view
    )
    assert "text" not in office.desk.show(colleague, Kind.SAY, identifier).view
    with pytest.raises(NotFoundError):
        office.desk.show(office.somebody(Role.SCHEME_LEADER, "havna"), Kind.SAY, identifier)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Jeg vil ikke ha S-1 her.", "say-names-a-record"),
        ("Jeg vil ikke ha B-2 her.", "say-names-a-record"),
        ("Det gjelder S-abcdefgh23, sier de.", "say-names-a-record"),
        ("Jeg vil ikke bo med Ola Tenkt.", "say-names-somebody"),
        ("Jeg vil ikke bo med Per.", "say-names-somebody"),
        ("Ola Tenkt skal ikke hit.", "say-names-somebody"),
    ],
)
def test_words_about_somebody_are_refused_for_their_form(office: Office, text: str, code: str) -> None:
    """A capital letter in mid-sentence is refused whether or not there is such an applicant."""
    with pytest.raises(RefusalError, match=code):
        say(office, text)

    assert office.desk.page(office.somebody(Role.CASEWORKER), Kind.SAY).items == ()


def test_a_name_that_slips_through_is_not_shown_and_the_writer_does_not_learn_it(office: Office) -> None:
    """The answer to the writer is the same with an applicant of that name as without."""
    views = []
    for text in ("Ola bråker om natta.", "Per bråker om natta.", "ola tenkt bråker om natta."):
        identifier = say(office, text)
        staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
        views.append(office.desk.show(staff, Kind.SAY, identifier).view)
        assert (office.now(Say, identifier).body.quote is None) is ("ola" in text.casefold())

    assert len({tuple(sorted(view)) for view in views}) == 1
    assert not any("quote" in view for view in views)


def test_an_ended_case_and_a_kode_6_one_hold_nothing_back(office: Office) -> None:
    """Only who applies now is looked for; that a kode-6 person does is told by nothing."""
    case = Case(person="P-1", state=CaseState.WITHDRAWN, received_on=TODAY, waiting_since=TODAY)
    office.seed(case, "S-1", version=2)
    assert office.now(Say, say(office, "Ola er grei.")).body.quote is not None

    office.seed(case.model_copy(update={"state": CaseState.WAITING_LIST}), "S-1", version=3)
    assert office.now(Say, say(office, "Ola er grei.")).body.quote is None
    strict = Person(name="Ola Tenkt", protection=AddressProtection.STRICTLY_CONFIDENTIAL)
    office.seed(strict, "P-1", version=2)
    assert office.now(Say, say(office, "Ola er grei.")).body.quote is not None
    assert say(office, "Det gjelder S-1, sier de.")


def test_words_of_the_list_are_told_to_the_scheme(office: Office) -> None:
    """They stop nothing: residents say it in their own words."""
    identifier = say(office, "Helst ikke flere innvandrere.")

    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")
    assert office.desk.show(leader, Kind.SAY, identifier).view["words"] == ["innvandr"]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"person": "B-2"}, "/person"),
        ({"person": "P-1"}, "/person"),
        ({"person": "nobody"}, "/person"),
        ({"scheme": "nowhere"}, "/scheme"),
        ({"asked_on": TODAY + timedelta(1)}, "/asked_on"),
        ({"asked_on": TODAY - timedelta(91)}, "/asked_on"),
    ],
)
def test_only_residents_of_the_scheme_are_asked(office: Office, wrong: dict[str, Any], place: str) -> None:
    """Somebody who lives elsewhere is refused like somebody who is not there."""
    with pytest.raises(RefusalError) as error:
        say(office, **wrong)

    assert [problem.path for problem in error.value.problems] == [place]
    assert {problem.expected for problem in error.value.problems} != {""}


def test_a_say_without_words_is_one_and_the_limits_are_allowed(office: Office) -> None:
    """Would not say is an answer; three months ago is not too long."""
    silent = say(office, "   ", answer=SayAnswer.WOULD_NOT_SAY, asked_on=TODAY - timedelta(90))

    assert office.now(Say, silent).body.text is None


def test_only_staff_of_the_scheme_ask(office: Office) -> None:
    """Neither another scheme's staff nor those who decide."""
    for actor in (
        office.somebody(Role.SCHEME_STAFF, "havna"),
        office.somebody(Role.CASEWORKER),
        office.somebody(Role.COMMITTEE_LEADER),
    ):
        with pytest.raises(ForbiddenError):
            say(office, actor=actor)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Rolig nå.", False),
        ("Det er rolig. Natta er verst!", False),
        ("Jeg sa: «Natta er verst.»", False),
        ("Be NAV om hjelp, og LAR.", False),
        ("Do you know what I mean?", False),
        ("To linjer\nHer er den andre.", False),
        ("Rolig, men Kari bråker.", True),
        ("«Kari Nordmann» bråker.", True),
        ("naboen (Kari) bråker", True),
        ("Jeg kjenner Åse-Marie.", True),
        ("", False),
    ],
)
def test_what_looks_like_a_name(text: str, found: bool) -> None:
    """A capital letter after the beginning of a sentence, unless the word is an abbreviation."""
    assert looks_like_a_name(text) is found


@pytest.mark.parametrize("language", list(Language))
def test_questions_and_answers_have_labels(language: Language) -> None:
    """Closed questions are read in the reader's language."""
    words = catalog(language)
    for codes in (SayQuestion, SayAnswer):
        labels = [words.code(codes, code.value) for code in codes]
        assert len(set(labels)) == len(labels)
