"""The desk: whatever is done or looked at is checked, logged, and done once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from allocator.casework.cases import Case
from allocator.casework.codes import AddressProtection, Purpose, Role
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.voice import Comment
from allocator.service.comments import MakeComment
from allocator.service.errors import (
    ChangedError,
    ForbiddenError,
    KeyReusedError,
    NotFoundError,
    VersionNeededError,
)
from allocator.service.uses import Nothing
from tests.databases import BACKENDS
from tests.office import TODAY, Office


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with one house, on each kind of database."""
    made = Office(request.param)
    made.house()
    made.resident("B-1", "nordlia-1", name="Kari Oppdiktet")
    yield made
    made.close()


def test_staff_comment_on_a_unit_of_their_own_scheme(office: Office) -> None:
    """A remark is stored with its author and logged with its hash."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")

    shown = office.run(staff, "comments.make", MakeComment(about=Kind.UNIT, of="nordlia-1", text="Rolig nå."))

    assert shown.view["text"] == "Rolig nå."
    assert office.now(Comment, shown.stored.id).body.scheme == "nordlia"
    assert office.log()[-1]["use"] == "comments.make"
    assert "Rolig" not in str(office.log())


def test_staff_of_another_scheme_may_not_comment(office: Office) -> None:
    """What is refused changes nothing and is logged as denied."""
    staff = office.somebody(Role.SCHEME_STAFF, "havna")
    asked = MakeComment(about=Kind.UNIT, of="nordlia-1", text="Hei.")

    with pytest.raises(ForbiddenError):
        office.run(staff, "comments.make", asked)

    assert office.log()[-1]["outcome"] == "denied"


def test_the_same_request_with_the_same_key_is_done_once(office: Office) -> None:
    """A second try gives what the first came to; another request with the key is refused."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    asked = MakeComment(about=Kind.UNIT, of="nordlia-1", text="Hei.")

    first = office.run(staff, "comments.make", asked, key="k")
    size = len(office.log())
    again = office.run(staff, "comments.make", asked, key="k")

    assert again.view == first.view
    assert len(office.log()) == size
    with pytest.raises(KeyReusedError):
        office.run(staff, "comments.make", asked.model_copy(update={"text": "Annet."}), key="k")


def test_a_change_needs_the_version_that_was_seen(office: Office) -> None:
    """Who has not seen the newest version is told so, and nothing is changed."""
    staff = office.somebody(Role.SCHEME_STAFF, "nordlia")
    made = office.run(staff, "comments.make", MakeComment(about=Kind.UNIT, of="nordlia-1", text="Hei."))

    with pytest.raises(VersionNeededError):
        office.desk.run(staff, "comments.withdraw", Nothing(), target=made.stored.id)
    with pytest.raises(ChangedError):
        office.run(staff, "comments.withdraw", Nothing(), made.stored.id, expected=7)
    office.run(staff, "comments.withdraw", Nothing(), made.stored.id)

    assert office.now(Comment, made.stored.id).version == 2


def test_a_look_at_a_person_is_logged_and_a_name_needs_a_purpose(office: Office) -> None:
    """Who looks without saying why sees no name; every look stands in the log."""
    worker = office.somebody(Role.CASEWORKER, purpose=None)
    with_purpose = office.somebody(Role.CASEWORKER, purpose=Purpose.CASEWORK)

    nameless = office.desk.show(worker, Kind.PERSON, "B-1")
    named = office.desk.show(with_purpose, Kind.PERSON, "B-1")

    assert "name" not in nameless.view
    assert named.view["name"] == "Kari Oppdiktet"
    assert [entry["outcome"] for entry in office.log()[-2:]] == ["shown", "shown"]
    assert office.log()[-1]["people"] == ["B-1"]
    assert "Kari" not in str(office.log())


def test_a_kode_6_person_is_not_there_for_the_uncleared(office: Office) -> None:
    """Neither the person nor the tenancy is found, listed or counted; the unit is as it was."""
    worker = office.somebody(Role.CASEWORKER)
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "B-1", version=2)

    with pytest.raises(NotFoundError):
        office.desk.show(worker, Kind.PERSON, "B-1")
    assert office.desk.page(worker, Kind.PERSON).items == ()
    assert office.desk.page(worker, Kind.TENANCY).items == ()
    assert len(office.desk.page(worker, Kind.UNIT).items) == 3


def test_pages_go_on_where_the_last_one_ended(office: Office) -> None:
    """All units come, each once, whatever the size of a page."""
    worker = office.somebody(Role.CASEWORKER)
    seen, after = [], None
    while True:
        page = office.desk.page(worker, Kind.UNIT, after=after, limit=2)
        seen += [item.stored.id for item in page.items]
        if page.after is None:
            break
        after = page.after

    assert seen == ["nordlia-1", "nordlia-2", "nordlia-3"]


def test_a_list_logs_the_looks_at_those_who_are_on_it_and_no_others(office: Office) -> None:
    """Units are about nobody, tenancies are: each page logs what it shows, the last one not shown is not."""
    office.house("havna", units=9)
    for number in range(1, 8):
        office.resident(f"L-{number}", f"havna-{number}")
    worker = office.somebody(Role.CASEWORKER)
    before = len(office.log())
    shown: list[str] = []
    after = None
    while True:
        page = office.desk.page(worker, Kind.TENANCY, limit=3, after=after)
        shown += [item.stored.id for item in page.items]
        looks = [entry["id"] for entry in office.log()[before:]]
        assert looks == shown
        if page.after is None:
            break
        after = page.after
    assert len(shown) >= 7


def test_what_is_about_nobody_takes_no_looks_from_what_is(office: Office) -> None:
    """Of comments some are about a unit and some about a case: the looks are those of the page."""
    office.seed(Person(), "P-9")
    office.seed(Case(person="P-9", received_on=TODAY, waiting_since=TODAY), "S-9")
    worker = office.somebody(Role.CASEWORKER)
    for number in range(6):
        on = (Kind.CASE, "S-9") if number % 2 else (Kind.UNIT, "nordlia-1")
        body = Comment(about=on[0], of=on[1], author="x", text="Rolig.", case="S-9" if number % 2 else None)
        office.seed(body, f"CO-{number}")
    for limit in range(1, 6):
        before = len(office.log())
        items = office.desk.page(worker, Kind.COMMENT, limit=limit).items
        about = [item.stored.id for item in items if item.view["of"] == "S-9"]
        assert [entry["id"] for entry in office.log()[before:]] == about
