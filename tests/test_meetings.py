"""Meetings of the committee: who is there, what is decided on, and who may not take part."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from allocator.casework.cases import Case
from allocator.casework.codes import (
    AddressProtection,
    CaseState,
    Clearance,
    DisqualificationGround,
    HearingState,
    MeetingState,
    Purpose,
    Role,
)
from allocator.casework.committee import Meeting
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.meetings import (
    CallMeeting,
    CancelMeeting,
    Disqualify,
    Invite,
    OpenMeeting,
    OrderAgenda,
    PutOnAgenda,
    TakeOffAgenda,
    WriteMinutes,
)
from allocator.service.uses import Nothing
from tests.committee import Committee
from tests.databases import BACKENDS
from tests.office import TODAY


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Committee]:
    """A committee on each kind of database."""
    made = Committee(request.param)
    yield made
    made.close()


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    """Expect a refusal with a code."""
    return pytest.raises(RefusalError, match=f"^{code}$")


def test_a_meeting_goes_from_call_to_close(office: Committee) -> None:
    """A case on the agenda stands at the meeting; put off, it stands where it stood."""
    meeting = office.called()
    office.listed(meeting, "S-1")
    assert office.state("S-1") is CaseState.MEETING

    office.begun(meeting)
    with refused("item-open"):
        office.run(office.leader, "meetings.close", Nothing(), meeting)
    office.run(office.leader, "meetings.take_off_agenda", TakeOffAgenda(no=1, reason="Mangler noe."), meeting)
    assert office.state("S-1") is CaseState.WAITING_LIST
    with refused("minutes-missing"):
        office.run(office.leader, "meetings.close", Nothing(), meeting)
    office.run(
        office.secretary,
        "meetings.write_minutes",
        WriteMinutes(minutes="Saken ble utsatt til neste."),
        meeting,
    )
    office.run(office.leader, "meetings.close", Nothing(), meeting)

    closed = office.now(Meeting, meeting).body
    assert closed.state is MeetingState.CLOSED
    assert closed.agenda[0].postponed == "Mangler noe."
    with refused("meeting-not-open"):
        office.run(office.leader, "meetings.put_on_agenda", PutOnAgenda(case="S-2"), meeting)


def test_a_cancelled_meeting_gives_its_cases_back(office: Committee) -> None:
    """A case that waits on another agenda as well goes on standing at the meeting."""
    first, second = office.called(), office.called()
    office.listed(first, "S-1", "S-2")
    office.listed(second, "S-2")

    office.run(office.leader, "meetings.cancel", CancelMeeting(reason="Sykdom."), first)

    assert office.state("S-1") is CaseState.WAITING_LIST
    assert office.state("S-2") is CaseState.MEETING


def test_no_meeting_without_chair_or_quorum(office: Committee) -> None:
    """Two of three is too few; three with the chair is enough."""
    meeting = office.called()
    names = [member.account for member in office.members]
    for present, code in (
        (names[:3], "chair-missing"),
        (["leder", names[0]], "no-quorum"),
    ):
        with refused(code):
            office.run(office.leader, "meetings.open", OpenMeeting(present=frozenset(present)), meeting)
    with pytest.raises(RefusalError, match="request"):
        office.run(office.leader, "meetings.open", OpenMeeting(present=frozenset({"ukjent"})), meeting)

    office.run(office.leader, "meetings.open", OpenMeeting(present=frozenset({"leder", *names[:2]})), meeting)

    assert office.now(Meeting, meeting).body.state is MeetingState.OPEN


def test_a_meeting_opens_on_its_day(office: Committee) -> None:
    """Neither before nor after; and nobody calls one for a day that has been."""
    meeting = office.called()
    office.clock.to(TODAY + timedelta(days=1))
    with refused("meeting-not-today"):
        office.begun(meeting)
    with pytest.raises(RefusalError, match="request"):
        office.called()


def test_who_is_disqualified_sees_the_case_no_more_and_does_not_count(office: Committee) -> None:
    """The case is gone for them, the item too; the quorum is without them until there is a substitute."""
    meeting = office.called()
    office.listed(meeting, "S-1", "S-2")
    member = office.members[0]
    office.desk.show(member, Kind.CASE, "S-1")

    asked = Disqualify(case="S-1", ground=DisqualificationGround.RELATED)
    office.run(member, "meetings.disqualify", asked, meeting)

    with pytest.raises(NotFoundError):
        office.desk.show(member, Kind.CASE, "S-1")
    shown = office.desk.show(member, Kind.MEETING, meeting).view
    assert [item["case"] for item in shown["agenda"]] == ["S-2"]
    assert "S-1" not in str(shown)
    present = frozenset({"leder", "medlem-1", "medlem-2"})
    with pytest.raises(RefusalError, match="no-quorum-for-item") as caught:
        office.run(office.leader, "meetings.open", OpenMeeting(present=present), meeting)
    assert caught.value.values == {"no": "1"}
    with_substitute = asked.model_copy(update={"account": "medlem-1", "substitute": "medlem-4"})
    office.run(office.leader, "meetings.disqualify", with_substitute, meeting)
    office.run(office.leader, "meetings.open", OpenMeeting(present=present | {"medlem-4"}), meeting)
    entries = office.now(Meeting, meeting).body.disqualified
    assert [(d.account, d.case, d.substitute) for d in entries] == [("medlem-1", "S-1", "medlem-4")]


def test_only_the_leader_disqualifies_others(office: Committee) -> None:
    """A member may say so of themselves alone."""
    meeting = office.called()
    office.listed(meeting, "S-1")
    asked = Disqualify(case="S-1", account="medlem-2", ground=DisqualificationGround.OWN_INTEREST)

    with refused("leader-disqualifies"):
        office.run(office.members[0], "meetings.disqualify", asked, meeting)
    office.run(office.leader, "meetings.disqualify", asked, meeting)
    with pytest.raises(RefusalError, match="request"):
        office.run(office.leader, "meetings.disqualify", asked.model_copy(update={"case": "S-2"}), meeting)


def test_a_case_waits_for_its_hearing(office: Committee) -> None:
    """A deadline on the day of the meeting is too late; the day before is in time."""
    meeting = office.called()
    open_one = {"state": HearingState.OPEN, "closed_on": None, "sent_on": TODAY - timedelta(days=9)}
    office.heard("S-1", "nordlia", **open_one, deadline=TODAY)
    with refused("hearing-not-over"):
        office.listed(meeting, "S-1")

    office.heard("S-2", "nordlia", **open_one, deadline=TODAY - timedelta(days=1))
    office.listed(meeting, "S-2")


def test_what_cannot_be_put_on_an_agenda(office: Committee) -> None:
    """Not twice, not before assessment, not when it has ended, and something at least."""
    meeting = office.called()
    office.listed(meeting, "S-1")
    with refused("already-on-agenda"):
        office.listed(meeting, "S-1")
    waits = office.now(Case, "S-2").body
    office.seed(waits.model_copy(update={"state": CaseState.RECEIVED}), "S-2", version=2)
    with refused("case-not-assessed"):
        office.listed(meeting, "S-2")
    office.seed(waits.model_copy(update={"state": CaseState.WITHDRAWN}), "S-2", version=3)
    with refused("case-ended"):
        office.listed(meeting, "S-2")
    with pytest.raises(RefusalError, match="request"):
        office.run(office.leader, "meetings.put_on_agenda", PutOnAgenda(note="Eventuelt."), meeting)
    office.run(office.leader, "meetings.put_on_agenda", PutOnAgenda(unit="nordlia-7"), meeting)
    assert [item.no for item in office.now(Meeting, meeting).body.agenda] == [1, 2]


def test_the_agenda_is_taken_in_another_order_until_the_meeting_begins(office: Committee) -> None:
    """What is named changes places, the rest stays where it was, and all are numbered anew."""
    meeting = office.called()
    office.listed(meeting, "S-1", "S-2")
    for unit in ("nordlia-7", "nordlia-8"):
        office.run(office.leader, "meetings.put_on_agenda", PutOnAgenda(unit=unit), meeting)
    office.run(office.leader, "meetings.take_off_agenda", TakeOffAgenda(no=2, reason="Mangler noe."), meeting)

    office.run(office.secretary, "meetings.order_agenda", OrderAgenda(order=(4, 1)), meeting)

    agenda = office.now(Meeting, meeting).body.agenda
    assert [(item.no, item.case or item.unit) for item in agenda] == [
        (1, "nordlia-8"),
        (2, "nordlia-7"),
        (3, "S-1"),
    ]
    for order in ((1, 1), (4,), (0, 1)):
        with pytest.raises(RefusalError, match="request"):
            office.run(office.leader, "meetings.order_agenda", OrderAgenda(order=order), meeting)
    office.begun(meeting)
    with refused("meeting-not-planned"):
        office.run(office.leader, "meetings.order_agenda", OrderAgenda(order=(2, 1)), meeting)


def test_only_those_of_the_committee_are_called(office: Committee) -> None:
    """A caseworker is no member, and calls no meeting."""
    with pytest.raises(RefusalError, match="request"):
        office.called(office.leader, office.worker)
    asked = CallMeeting(on=date(2026, 12, 1), members=frozenset({"leder"}), chair="leder")
    with pytest.raises(ForbiddenError):
        office.run(office.worker, "meetings.call", asked)
    meeting = office.called()
    with pytest.raises(RefusalError, match="request"):
        office.run(office.leader, "meetings.invite", Invite(member="saksbehandler"), meeting)
    office.run(office.leader, "meetings.invite", Invite(member="medlem-4"), meeting)
    assert "medlem-4" in office.now(Meeting, meeting).body.members


def test_a_kode_6_case_needs_a_restricted_meeting(office: Committee) -> None:
    """It is called by and with those who are cleared, and is not there for anybody else."""
    strict = AddressProtection.STRICTLY_CONFIDENTIAL
    office.seed(Person(protection=strict), "P-1", version=2)
    clear = frozenset({Clearance.KODE_6})
    chair, *members = (
        office.somebody(role, cleared=clear, login=f"k6-{number}", purpose=Purpose.MEETING)
        for number, role in enumerate((Role.COMMITTEE_LEADER, Role.COMMITTEE_MEMBER, Role.COMMITTEE_MEMBER))
    )
    office.somebody(Role.COMMITTEE_SECRETARY, cleared=clear, login="k6-sekretaer")
    ordinary = office.called(chair, *members, chair=chair)
    with refused("restricted-meeting-needed"):
        office.listed(ordinary, "S-1", by=chair)
    with refused("meeting-not-cleared"):
        office.called(chair, *members, office.members[0], chair=chair, restricted=True)
    asked = CallMeeting(
        on=TODAY,
        members=frozenset(p.account for p in (chair, *members)),
        chair=chair.account,
        secretary="k6-sekretaer",
        restricted=True,
    )
    with pytest.raises(ForbiddenError):
        office.run(office.leader, "meetings.call", asked)

    meeting = office.run(chair, "meetings.call", asked).stored.id
    office.listed(meeting, "S-1", by=chair)

    with pytest.raises(NotFoundError):
        office.desk.show(office.leader, Kind.MEETING, meeting)
    assert office.desk.show(chair, Kind.MEETING, meeting).view["agenda"][0]["case"] == "S-1"
