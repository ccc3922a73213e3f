"""Remarks: in threads, with a source where there is one, taken back without breaking the thread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import Role
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Comment, Hearing, Told
from allocator.codes import FactSource
from allocator.service.comments import MakeComment
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.uses import Nothing
from tests.databases import BACKENDS
from tests.office import TODAY, Office


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with a house and a case that its staff are being heard about."""
    made = Office(request.param)
    made.house()
    made.seed(Person(), "P-1")
    made.seed(Case(person="P-1", received_on=TODAY, waiting_since=TODAY), "S-1")
    made.seed(Hearing(case="S-1", scheme="nordlia", sent_on=TODAY, deadline=TODAY), "H-1")
    yield made
    made.close()


def remark(office: Office, actor: Actor, **more: Any) -> str:
    """Make a remark on the hearing and return its id."""
    sound: dict[str, Any] = {"about": Kind.HEARING, "of": "H-1", "text": "Vi trenger to på natt."}
    return office.run(actor, "comments.make", MakeComment(**(sound | more))).stored.id


def test_a_remark_on_a_hearing_is_about_its_case_and_scheme(office: Office) -> None:
    """It is found by either, and answered by those who decide."""
    staff, worker = office.somebody(Role.SCHEME_STAFF, "nordlia"), office.somebody(Role.CASEWORKER)
    first = remark(office, staff)
    answer = remark(office, worker, text="Det noteres.", parent=first)

    body = office.now(Comment, answer).body
    assert (body.case, body.scheme, body.parent) == ("S-1", "nordlia", first)
    assert office.desk.show(staff, Kind.COMMENT, answer).view["text"] == "Det noteres."


def test_taking_a_remark_back_keeps_the_answers(office: Office) -> None:
    """Its words are gone, its place in the thread is not; nobody answers it any more."""
    staff, worker = office.somebody(Role.SCHEME_STAFF, "nordlia"), office.somebody(Role.CASEWORKER)
    first = remark(office, staff, text="Han er jo muslim.")
    answer = remark(office, worker, text="Det noteres.", parent=first)

    office.run(staff, "comments.withdraw", Nothing(), first)

    gone = office.desk.show(worker, Kind.COMMENT, first).view
    assert (gone["text"], gone["words"], gone["withdrawn"]) == ("–", [], True)
    kept = office.desk.show(worker, Kind.COMMENT, answer).view
    assert (kept["text"], kept["parent"], kept["withdrawn"]) == ("Det noteres.", first, False)
    with pytest.raises(RefusalError, match="comment-withdrawn"):
        remark(office, worker, parent=first)
    assert remark(office, worker, parent=answer)


def test_nobody_takes_back_what_another_has_said(office: Office) -> None:
    """Not even the leader of the scheme."""
    first = remark(office, office.somebody(Role.SCHEME_STAFF, "nordlia"))

    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.SCHEME_LEADER, "nordlia"), "comments.withdraw", Nothing(), first)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"text": "   "}, "/text"),
        ({"about": Kind.PERSON, "of": "P-1"}, "/about"),
        ({"of": "nowhere"}, "/of"),
        ({"parent": "nowhere"}, "/parent"),
        ({"source": FactSource.ORAL}, "/told"),
        ({"told": Told(by="naboen", on=TODAY)}, "/told"),
        ({"source": FactSource.STAFF, "told": Told(by="naboen", on=TODAY)}, "/told"),
        ({"source": FactSource.ORAL, "told": Told(by="naboen", on=TODAY + timedelta(1))}, "/told/on"),
    ],
)
def test_what_is_not_sound_is_refused_where_it_stands(
    office: Office, wrong: dict[str, Any], place: str
) -> None:
    """What was told in a conversation needs who and when (REQ-FVL-6)."""
    with pytest.raises(RefusalError) as error:
        remark(office, office.somebody(Role.CASEWORKER), **wrong)

    assert [problem.path for problem in error.value.problems] == [place]


def test_an_oral_source_is_kept_with_who_told_it_and_when(office: Office) -> None:
    """Who wrote it down is the author, and the day is that of the version."""
    told = Told(by="nattevakten", on=TODAY)

    stored = office.now(
        Comment, remark(office, office.somebody(Role.CASEWORKER), source=FactSource.ORAL, told=told)
    )

    assert stored.body.told == told
    assert stored.body.author == "caseworker"


def test_a_thread_is_about_one_record_and_of_remarks_one_can_see(office: Office) -> None:
    """An answer stays with what it answers; a remark that staff may not see is as one that is not there."""
    staff, worker = office.somebody(Role.SCHEME_STAFF, "nordlia"), office.somebody(Role.CASEWORKER)
    on_case = remark(office, worker, about=Kind.CASE, of="S-1")

    for actor, expected in ((staff, "there"), (worker, "same record")):
        with pytest.raises(RefusalError) as error:
            remark(office, actor, parent=on_case)
        assert error.value.problems[0].path == "/parent"
        assert expected in error.value.problems[0].expected
    with pytest.raises(NotFoundError):
        office.desk.show(staff, Kind.COMMENT, on_case)


def test_words_of_the_list_are_told_to_author_and_leader(office: Office) -> None:
    """A colleague reads the remark without them."""
    author = office.somebody(Role.SCHEME_STAFF, "nordlia")
    first = remark(office, author, text="Han er jo muslim.")
    colleague = office.somebody(Role.SCHEME_STAFF, "nordlia", login="colleague")
    leader = office.somebody(Role.SCHEME_LEADER, "nordlia")

    for reader, sees in ((author, True), (leader, True), (colleague, False)):
        assert ("words" in office.desk.show(reader, Kind.COMMENT, first).view) is sees


def test_what_was_taken_back_is_read_in_no_version(office: Office) -> None:
    """Neither in the history nor as an older version, nor its words, by whoever; it stays in the record."""
    staff, worker = office.somebody(Role.SCHEME_STAFF, "nordlia"), office.somebody(Role.CASEWORKER)
    first = remark(office, staff, text="Han er jo muslim.")
    assert office.desk.history(staff, Kind.COMMENT, first)[0].view["text"] == "Han er jo muslim."
    office.run(staff, "comments.withdraw", Nothing(), first)

    for reader in (staff, worker):
        views = [shown.view for shown in office.desk.history(reader, Kind.COMMENT, first)]
        views.append(office.desk.show(reader, Kind.COMMENT, first, 1).view)
        assert {view["text"] for view in views} == {"–"}
        assert not any(view.get("words") for view in views)
        assert [view["withdrawn"] for view in views] == [False, True, False]
    with office.storage.read() as tx:
        kept = tx.get(Kind.COMMENT, first, 1)
        assert kept is not None
        assert isinstance(kept.body, Comment)
        assert kept.body.text == "Han er jo muslim."
