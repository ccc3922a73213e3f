"""The demo office: somebody in every role finds work waiting, and a case stands wherever one can."""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest

from allocator.access.authorizer import Actor
from allocator.casework.bodies import COLLECTIONS
from allocator.casework.cases import Case
from allocator.casework.codes import (
    CaseState,
    DecisionState,
    HearingState,
    MeetingState,
    OfferState,
    Purpose,
    Role,
)
from allocator.casework.records import Kind, body_sha256
from allocator.casework.voice import Hearing, Veto
from allocator.codes import VetoStatus
from allocator.documents import read_case
from allocator.ports import Query
from allocator.service.desk import Desk
from allocator.store.repository import SqlStorage
from fixtures.demo_office import _CASE, ACCOUNTS, moved, populate
from tests.databases import BACKENDS, opened
from tests.office import SetClock

TODAY = date(2026, 11, 23)


@cache
def filled(backend: str, today: date = TODAY) -> SqlStorage:
    """Return the demo office as it stands on a day."""
    storage = SqlStorage(opened(backend))
    populate(storage, today)
    return storage


@pytest.fixture
def storage() -> SqlStorage:
    """The demo office on SQLite."""
    return filled("sqlite")


def states(storage: SqlStorage, kind: Kind) -> set[str]:
    """Return every state in which there is a record of a kind."""
    with storage.read() as tx:
        return {stored.body.get_state() for stored in tx.find(Query(kind))}


def actor(storage: SqlStorage, login: str, purpose: Purpose = Purpose.CASEWORK) -> tuple[Desk, Actor]:
    """Return the desk, and somebody who works there."""
    clock = SetClock()
    clock.to(TODAY)
    desk = Desk(storage, clock)
    found = desk.actor(login, purpose)
    assert found is not None
    return desk, found


def test_it_loads_on_another_day_too() -> None:
    """The demo is filled for the day on which it is shown, whichever that is."""
    storage = SqlStorage(opened("sqlite"))

    populate(storage, date(2027, 2, 10))

    with storage.read() as tx:
        assert tx.count(Query(Kind.CASE)) > 0


def test_it_is_the_same_every_time_on_both_databases() -> None:
    """Ids and contents are known beforehand."""
    found = []
    for backend in BACKENDS:
        with filled(backend).read() as tx:
            records = [stored for kind in Kind for stored in tx.find(Query(kind))]
        found.append([(one.kind, one.id, one.version, body_sha256(one.body)) for one in records])

    assert found[0] == found[1]


def test_a_case_stands_wherever_one_can(storage: SqlStorage) -> None:
    """Every state of a case is there."""
    assert states(storage, Kind.CASE) == set(CaseState)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (Kind.HEARING, {HearingState.OPEN, HearingState.CLOSED}),
        (Kind.VETO, {VetoStatus.OPEN, VetoStatus.OVERRULED, VetoStatus.UPHELD}),
        (Kind.MEETING, {MeetingState.PLANNED, MeetingState.OPEN, MeetingState.CLOSED}),
        (Kind.DECISION, {DecisionState.PROPOSED, DecisionState.MADE, DecisionState.REVERSED}),
        (Kind.OFFER, {OfferState.SENT, OfferState.ACCEPTED, OfferState.REFUSED}),
        (Kind.REVIEW, {"due"}),
        (Kind.APPEAL, {"lodged", "forwarded"}),
        (Kind.CLARIFICATION, {"open"}),
        (Kind.RESERVATION, {"open"}),
        (Kind.POLICY, {"active", "proposed"}),
        (Kind.HAZARD, {"open"}),
        (Kind.PERSON, {"strict", "open"}),
    ],
)
def test_other_records_stand_where_work_waits(storage: SqlStorage, kind: Kind, wanted: set[str]) -> None:
    """Hearings are open and closed, meetings planned and open, decisions proposed, made and reversed."""
    assert states(storage, kind) >= wanted


@pytest.mark.parametrize("kind", list(Kind))
def test_there_is_something_of_every_kind(storage: SqlStorage, kind: Kind) -> None:
    """No page of the product is empty."""
    with storage.read() as tx:
        assert tx.count(Query(kind)), COLLECTIONS[kind]


WAITING: dict[str, list[tuple[Kind, frozenset[str] | None]]] = {
    "caseworker": [
        (Kind.CASE, frozenset({CaseState.RECEIVED})),
        (Kind.OFFER, frozenset({OfferState.SENT})),
        (Kind.APPEAL, frozenset({"lodged"})),
        (Kind.CLARIFICATION, frozenset({"open"})),
    ],
    "caseworker_kode_6": [(Kind.CASE, frozenset({CaseState.RECEIVED})), (Kind.PERSON, frozenset({"strict"}))],
    "assessor": [(Kind.CASE, frozenset({CaseState.ASSESSMENT})), (Kind.CLARIFICATION, frozenset({"open"}))],
    "conflict_officer": [
        (Kind.CONFLICT, frozenset({"active", "disputed"})),
        (Kind.ORDER, None),
        (Kind.RECHECK, frozenset({"open"})),
    ],
    "scheme_leader": [(Kind.HEARING, frozenset({HearingState.OPEN})), (Kind.HAZARD, frozenset({"open"}))],
    "scheme_leader_2": [(Kind.HEARING, frozenset({HearingState.OPEN})), (Kind.REVIEW, frozenset({"due"}))],
    "scheme_staff": [(Kind.HEARING, frozenset({HearingState.OPEN})), (Kind.SAY, None)],
    "committee_member": [(Kind.MEETING, frozenset({MeetingState.OPEN, MeetingState.PLANNED}))],
    "committee_member_2": [(Kind.MEETING, frozenset({MeetingState.OPEN, MeetingState.PLANNED}))],
    "committee_leader": [
        (Kind.VETO, frozenset({VetoStatus.OPEN})),
        (Kind.DECISION, frozenset({DecisionState.PROPOSED})),
        (Kind.REVIEW, frozenset({"due"})),
    ],
    "committee_leader_2": [(Kind.DECISION, frozenset({DecisionState.PROPOSED}))],
    "committee_secretary": [
        (Kind.HEARING, frozenset({HearingState.OPEN})),
        (Kind.MEETING, frozenset({MeetingState.OPEN})),
    ],
    "property_manager": [(Kind.RESERVATION, frozenset({"open"})), (Kind.TENANCY, frozenset({"current"}))],
    "appeals_body": [(Kind.APPEAL, frozenset({"forwarded"}))],
    "auditor": [(Kind.POLICY, None), (Kind.ACCOUNT, None)],
    "policy_owner": [(Kind.POLICY, frozenset({"proposed"}))],
    "administrator": [(Kind.ACCOUNT, None)],
    "peer_member": [(Kind.MEETING, frozenset({MeetingState.PLANNED}))],
}
"""What somebody finds waiting, by login."""


def test_everybody_is_thought_of() -> None:
    """There is an account in every role, and it is said what waits for each."""
    assert {role for _, _, role, _, _ in ACCOUNTS} == set(Role)
    assert set(WAITING) == {login for login, *_ in ACCOUNTS}


@pytest.mark.parametrize("login", list(WAITING))
def test_each_role_finds_work_waiting(storage: SqlStorage, login: str) -> None:
    """Nobody who logs in is met by empty pages."""
    desk, somebody = actor(storage, login)

    for kind, wanted in WAITING[login]:
        assert desk.page(somebody, kind, states=wanted).items, (login, kind)


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        (Kind.PERSON, "B-61"),
        (Kind.TENANCY, "L-B-61"),
        (Kind.CASE, "S-2026-119"),
        (Kind.PERSON, "P-S-2026-119"),
    ],
)
def test_who_is_strictly_confidential_is_there_for_the_cleared_alone(
    storage: SqlStorage, kind: Kind, identifier: str
) -> None:
    """A resident and an applicant whom others do not find."""
    desk, cleared = actor(storage, "caseworker_kode_6")
    _, other = actor(storage, "caseworker")

    assert identifier in {item.stored.id for item in desk.page(cleared, kind, limit=200).items}
    assert identifier not in {item.stored.id for item in desk.page(other, kind, limit=200).items}


def test_an_objection_soon_runs_out_and_a_hearing_has_statements(storage: SqlStorage) -> None:
    """The lists of what is late are not empty."""
    with storage.read() as tx:
        soon = tx.find(Query(Kind.VETO, states=frozenset({"open"}), due_by=date(2026, 11, 30)))
        hearings = [one.body for one in tx.find(Query(Kind.HEARING))]
        late = tx.find(Query(Kind.CASE, due_by=TODAY))

    assert "veto-01" in {one.id for one in soon if isinstance(one.body, Veto)}
    assert any(isinstance(body, Hearing) and body.statements for body in hearings)
    assert {one.id for one in late if isinstance(one.body, Case)} >= {"S-2026-112"}


def test_a_case_can_be_moved_to_another_day() -> None:
    """Every day is as long ago as it was; birth dates stay."""
    case = read_case(_CASE.read_bytes())

    later = moved(case, date(2027, 3, 1))

    assert moved(case, case.as_of) == case
    assert later.as_of == date(2027, 3, 1)
    for before, after in zip(case.residents, later.residents, strict=True):
        assert after.birth_date.value == before.birth_date.value
        if before.moved_in is not None and after.moved_in is not None:
            assert later.as_of - after.moved_in == case.as_of - before.moved_in
