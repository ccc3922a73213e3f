"""Conflicts and orders: who reports, records, confirms and closes them, and what each may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from allocator.access.authorizer import Actor
from allocator.casework.codes import AddressProtection, Clearance, PartyRole, Purpose, Role
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.casework.relations import Conflict, Order
from allocator.codes import (
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
    FactSource,
    OrderKind,
)
from allocator.service.errors import ForbiddenError, NotFoundError, RefusalError
from allocator.service.relations import (
    ConfirmConflict,
    ExtendOrder,
    Reason,
    RecordConflict,
    RecordOrder,
    ReportConflict,
    VerifyOrder,
    lapse,
)
from allocator.service.work import Work
from tests.databases import BACKENDS
from tests.office import TODAY, Office

YEAR = date(2027, 11, 23)
QUARTER = date(2027, 2, 23)
BECAUSE = Reason(reason="Politiet bekrefter det.")


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with one house and three people, on each kind of database."""
    made = Office(request.param)
    made.house()
    made.resident("B-1", "nordlia-1")
    made.seed(Person(), "P-2")
    made.seed(Person(), "P-3")
    yield made
    made.close()


@pytest.fixture
def officer(office: Office) -> Actor:
    """Whoever keeps conflicts and orders."""
    return office.somebody(Role.CONFLICT_OFFICER, cleared=[Clearance.CONFLICTS])


def words(**more: Any) -> dict[str, Any]:
    """Return what is said of a conflict."""
    return {
        "party": "B-1",
        "counterpart": "P-2",
        "kind": ConflictKind.THREAT,
        "source": FactSource.STAFF,
        "explanation": "Truet hverandre på Havna i fjor.",
        **more,
    }


def confirmation(**more: Any) -> ConfirmConflict:
    """Return the word of a second source."""
    return ConfirmConflict(source=FactSource.POLICE, text="Anmeldt.", **more)


def reported(office: Office, actor: Actor, **more: Any) -> str:
    """Report a conflict and return its id."""
    return office.run(actor, "conflicts.report", ReportConflict(**words(**more))).stored.id


def ordered(office: Office, officer: Actor, **more: Any) -> str:
    """Record an order and return its id."""
    asked: dict[str, Any] = {
        "kind": OrderKind.VISITING_BAN,
        "bound": "P-2",
        "protected": "B-1",
        "valid_from": TODAY,
        "valid_until": QUARTER,
        "reference": "2026/17",
        **more,
    }
    return office.run(officer, "orders.record", RecordOrder(**asked)).stored.id


# ------------------------------------------------------------------------------------------- reporting


@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.ASSESSOR, Role.SCHEME_LEADER])
def test_a_report_is_one_persons_word_and_only_they_and_the_officer_see_it(
    office: Office, officer: Actor, role: Role
) -> None:
    """It is one-sided and unconfirmed; a colleague in the same role is not told that it is there (E-04)."""
    schemes = ["nordlia"] if role is Role.SCHEME_LEADER else []
    author = office.somebody(role, *schemes, login="forfatter")
    colleague = office.somebody(role, *schemes, login="kollega")

    name = reported(office, author, party_was=PartyRole.EXPOSED)

    stored = office.now(Conflict, name).body
    assert stored.entry.id == name
    assert stored.entry.direction is ConflictDirection.ONE_SIDED
    assert not stored.entry.confirmed
    assert (stored.author, stored.review_by, stored.party_role) == ("forfatter", QUARTER, PartyRole.EXPOSED)
    assert office.desk.show(author, Kind.CONFLICT, name).view["explanation"].startswith("Truet")
    assert [shown.stored.id for shown in office.desk.page(officer, Kind.CONFLICT).items] == [name]
    assert office.desk.page(colleague, Kind.CONFLICT).items == ()
    with pytest.raises(NotFoundError):
        office.desk.show(colleague, Kind.CONFLICT, name)
    assert "Truet" not in str(office.log())


def test_the_author_does_not_see_what_others_have_confirmed(office: Office, officer: Actor) -> None:
    """Where the second word comes from is for the cleared alone."""
    author = office.somebody(Role.CASEWORKER)
    name = reported(office, author)
    office.run(officer, "conflicts.confirm", confirmation(), name)

    assert "confirmations" not in office.desk.show(author, Kind.CONFLICT, name).view
    (said,) = office.desk.show(officer, Kind.CONFLICT, name).view["confirmations"]
    assert (said["source"], said["by"]) == ("police", officer.account)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CASEWORKER, Role.ASSESSOR, Role.SCHEME_LEADER}))
def test_no_other_role_reports_a_conflict(office: Office, role: Role) -> None:
    """They are refused, and it is logged."""
    actor = office.somebody(role, *(["nordlia"] if role is Role.SCHEME_STAFF else []))

    with pytest.raises(ForbiddenError):
        office.run(actor, "conflicts.report", ReportConflict(**words()))


def test_a_leader_reports_of_residents_of_their_own_scheme_only(office: Office) -> None:
    """Of somebody else's residents they know nothing."""
    other = office.somebody(Role.SCHEME_LEADER, "havna")

    with pytest.raises(ForbiddenError):
        office.run(other, "conflicts.report", ReportConflict(**words()))


WHOLE = {
    "conflicts.record": RecordConflict(**words()),
    "orders.record": RecordOrder(
        kind=OrderKind.CONTACT_BAN, bound="P-2", protected="B-1", valid_from=TODAY, valid_until=QUARTER
    ),
}
ON_CONFLICT = {
    "conflicts.confirm": confirmation(),
    "conflicts.dispute": BECAUSE,
    "conflicts.refute": BECAUSE,
    "conflicts.close": BECAUSE,
    "conflicts.reopen": BECAUSE,
}
ON_ORDER = {
    "orders.verify": VerifyOrder(),
    "orders.extend": ExtendOrder(valid_until=YEAR),
    "orders.close": BECAUSE,
}


@pytest.mark.parametrize("role", sorted(Role))
def test_only_a_cleared_officer_keeps_conflicts_and_orders(
    office: Office, officer: Actor, role: Role
) -> None:
    """No other role does, cleared or not; nor an officer who is not cleared."""
    conflict, order = reported(office, office.somebody(Role.ASSESSOR, login="a")), ordered(office, officer)
    schemes = ["nordlia"] if role in (Role.SCHEME_LEADER, Role.SCHEME_STAFF) else []
    cleared = [] if role is Role.CONFLICT_OFFICER else [Clearance.CONFLICTS]
    actor = office.somebody(role, *schemes, cleared=cleared, login="b", purpose=Purpose.CONFLICT_CONTROL)

    for name, asked in WHOLE.items():
        with pytest.raises(ForbiddenError):
            office.run(actor, name, asked)
    for target, uses in ((conflict, ON_CONFLICT), (order, ON_ORDER)):
        for name, asked in uses.items():
            with pytest.raises((ForbiddenError, NotFoundError)):
                office.run(actor, name, asked, target)

    assert office.now(Conflict, conflict).version == 1
    assert office.now(Order, order).version == 1


# ------------------------------------------------------------------------------------ who it is between


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"counterpart": "B-1"}, ""),
        ({"counterpart": "P-9"}, "/counterpart"),
        ({"party": "P-9"}, "/party"),
        ({"counterpart": None}, ""),
        ({"counterpart_role": CounterpartRole.VISITOR}, ""),
        ({"frequents": frozenset({"nordlia"})}, ""),
        (
            {
                "counterpart": None,
                "counterpart_role": CounterpartRole.VISITOR,
                "frequents": frozenset({"ukjent"}),
            },
            "/frequents",
        ),
    ],
)
def test_a_conflict_that_cannot_be_is_refused_at_its_place(
    office: Office, more: dict[str, Any], place: str
) -> None:
    """Nobody is in conflict with themselves, and no file is opened on a visitor (E-06)."""
    with pytest.raises(RefusalError) as refused:
        office.run(office.somebody(Role.CASEWORKER), "conflicts.report", ReportConflict(**words(**more)))

    assert [problem.path for problem in refused.value.problems] == [place]


def test_a_visitor_is_kept_as_a_role_and_where_they_come(office: Office, officer: Actor) -> None:
    """Nothing else of them is kept."""
    name = office.run(
        officer,
        "conflicts.record",
        RecordConflict(
            **words(
                counterpart=None,
                counterpart_role=CounterpartRole.VISITOR,
                frequents=frozenset({"nordlia"}),
            )
        ),
    ).stored.id

    assert office.now(Conflict, name).body.entry.frequents == frozenset({"nordlia"})


def test_a_merged_record_stands_for_the_person_it_was_merged_into(office: Office) -> None:
    """A conflict is with the person; and never with themselves by an old record (E-30)."""
    worker = office.somebody(Role.CASEWORKER)
    office.seed(Person(merged_into="P-2"), "P-3", version=2)

    name = reported(office, worker, counterpart="P-3")
    with pytest.raises(RefusalError):
        office.run(worker, "conflicts.report", ReportConflict(**words(party="P-2", counterpart="P-3")))

    assert office.now(Conflict, name).body.entry.counterpart == "P-2"


def test_a_kode_6_person_is_not_named_by_who_is_not_cleared(office: Office) -> None:
    """They are refused as somebody who is not there; who is cleared names them, and others see no entry."""
    office.seed(Person(protection=AddressProtection.STRICTLY_CONFIDENTIAL), "P-2", version=2)
    both = [Clearance.CONFLICTS, Clearance.KODE_6]
    cleared, uncleared = (
        office.somebody(Role.CONFLICT_OFFICER, cleared=clearance) for clearance in (both, both[:1])
    )

    with pytest.raises(RefusalError) as hidden:
        office.run(uncleared, "conflicts.record", RecordConflict(**words()))
    with pytest.raises(RefusalError) as absent:
        office.run(uncleared, "conflicts.record", RecordConflict(**words(counterpart="P-9")))
    assert hidden.value.problems == absent.value.problems
    name = office.run(cleared, "conflicts.record", RecordConflict(**words())).stored.id

    assert office.desk.page(uncleared, Kind.CONFLICT).items == ()
    with pytest.raises(NotFoundError):
        office.run(uncleared, "conflicts.confirm", confirmation(), name)


# ------------------------------------------------------------------------------------ the life of an entry


def test_the_life_of_a_conflict_is_kept_step_by_step(office: Office, officer: Actor) -> None:
    """Reported, confirmed, disputed, refuted, opened again, closed: each is a version with its reason."""
    name = reported(office, office.somebody(Role.CASEWORKER))
    mutual = confirmation(direction=ConflictDirection.MUTUAL, reach=ConflictReach.LIVING_GROUP)
    for use, asked in (
        ("conflicts.confirm", mutual),
        ("conflicts.dispute", BECAUSE),
        ("conflicts.refute", BECAUSE),
        ("conflicts.reopen", BECAUSE),
        ("conflicts.close", BECAUSE),
        ("conflicts.reopen", BECAUSE),
    ):
        office.run(officer, use, asked, name)

    versions = office.desk.history(officer, Kind.CONFLICT, name)
    entries = [shown.view["entry"] for shown in versions]
    assert [(e["status"], e["confirmed"]) for e in entries] == [
        ("active", False),
        ("active", True),
        ("disputed", True),
        ("refuted", True),
        ("active", False),
        ("active", False),
        ("active", False),
    ]
    assert (entries[1]["direction"], entries[1]["reach"]) == ("mutual", "living_group")
    assert entries[1]["last_confirmed"] == str(TODAY)
    assert [shown.view["review_by"] for shown in versions][:3] == [str(QUARTER), str(YEAR), str(QUARTER)]
    assert [shown.view["closing"] is not None for shown in versions] == [False] * 5 + [True, False]
    assert versions[3].stored.reason == BECAUSE.reason


def test_ones_own_word_from_the_same_source_is_no_second_source(office: Office, officer: Actor) -> None:
    """Another source will do, or another person; and to confirm anew, anyone will."""
    asked = RecordConflict(**words(source=FactSource.POLICE))
    name = office.run(officer, "conflicts.record", asked).stored.id

    with pytest.raises(RefusalError, match="conflict-needs-second-source"):
        office.run(officer, "conflicts.confirm", confirmation(), name)
    court = ConfirmConflict(source=FactSource.COURT, text="Dom.")
    office.run(officer, "conflicts.confirm", court, name)
    office.run(officer, "conflicts.confirm", confirmation(), name)

    assert len(office.now(Conflict, name).body.confirmations) == 2


@pytest.mark.parametrize(
    ("confirmed", "review_by", "right"),
    [
        (True, TODAY, False),
        (True, TODAY + timedelta(days=1), True),
        (True, YEAR, True),
        (True, YEAR + timedelta(days=1), False),
        (False, QUARTER, True),
        (False, QUARTER + timedelta(days=1), False),
        (False, None, True),
    ],
)
def test_no_entry_stands_longer_than_it_may_without_being_confirmed_again(
    office: Office, officer: Actor, confirmed: bool, review_by: date | None, right: bool
) -> None:
    """A confirmed one a year, an unconfirmed one three months (REQ-PVN-3)."""
    asked = RecordConflict(**words(confirmed=confirmed, review_by=review_by))
    if right:
        name = office.run(officer, "conflicts.record", asked).stored.id
        assert office.now(Conflict, name).body.review_by == (review_by or QUARTER)
        return
    with pytest.raises(RefusalError) as refused:
        office.run(officer, "conflicts.record", asked)
    assert refused.value.problems[0].path == "/review_by"


@pytest.mark.parametrize(("day", "runs_out"), [(QUARTER, False), (QUARTER + timedelta(days=1), True)])
def test_an_entry_that_nobody_confirms_in_time_runs_out(
    office: Office, officer: Actor, day: date, runs_out: bool
) -> None:
    """On the last day it holds; the day after it has run out, and is late until it is confirmed."""
    name = reported(office, office.somebody(Role.CASEWORKER))
    office.clock.to(day)

    with office.storage.write() as tx:
        work = Work(tx, office.desk.access, officer, office.clock.now(), office.clock.today(), "housekeeping")
        lapsed = lapse(work)
        tx.append(work.notes, facts=work.facts_changed)

    assert [stored.id for stored in lapsed] == ([name] if runs_out else [])
    status = office.now(Conflict, name).body.entry.status
    assert status is (ConflictStatus.EXPIRED if runs_out else ConflictStatus.ACTIVE)
    assert len(office.desk.page(officer, Kind.CONFLICT, due_by=day).items) == 1
    office.run(officer, "conflicts.confirm", confirmation(), name)
    assert office.now(Conflict, name).body.entry.status is ConflictStatus.ACTIVE


@pytest.mark.parametrize(
    ("before", "use", "code"),
    [
        ((), "conflicts.reopen", "conflict-open"),
        (("conflicts.dispute",), "conflicts.dispute", "conflict-disputed"),
        (("conflicts.refute",), "conflicts.confirm", "conflict-refuted"),
        (("conflicts.refute",), "conflicts.dispute", "conflict-refuted"),
        (("conflicts.refute",), "conflicts.refute", "conflict-refuted"),
        (("conflicts.close",), "conflicts.confirm", "entry-closed"),
        (("conflicts.close",), "conflicts.dispute", "entry-closed"),
        (("conflicts.close",), "conflicts.refute", "entry-closed"),
        (("conflicts.close",), "conflicts.close", "entry-closed"),
    ],
)
def test_what_does_not_go_with_how_an_entry_stands_is_refused(
    office: Office, officer: Actor, before: tuple[str, ...], use: str, code: str
) -> None:
    """Nothing is changed then."""
    name = reported(office, office.somebody(Role.CASEWORKER))
    for step in before:
        office.run(officer, step, ON_CONFLICT[step], name)

    with pytest.raises(RefusalError, match=code):
        office.run(officer, use, ON_CONFLICT[use], name)

    assert office.now(Conflict, name).version == 1 + len(before)


def test_nothing_is_recorded_of_tomorrow_or_closed_without_a_reason(office: Office, officer: Actor) -> None:
    """Today is soon enough, and a reason is more than nothing."""
    tomorrow = RecordConflict(**words(recorded_on=TODAY + timedelta(days=1)))
    with pytest.raises(RefusalError) as refused:
        office.run(officer, "conflicts.record", tomorrow)
    assert refused.value.problems[0].path == "/recorded_on"
    office.run(officer, "conflicts.record", RecordConflict(**words(recorded_on=TODAY)))
    with pytest.raises(ValidationError):
        Reason(reason="")


# --------------------------------------------------------------------------------------------- orders


def test_the_life_of_an_order_keeps_what_it_said_before(office: Office, officer: Actor) -> None:
    """Recorded, verified, extended and closed; who has seen it, and until when it was valid (REQ-BF-1, 3)."""
    name = ordered(office, officer)
    assert not office.now(Order, name).body.entry.verified
    office.run(officer, "orders.verify", VerifyOrder(issuer="Statsadvokaten"), name)
    with pytest.raises(RefusalError, match="order-verified"):
        office.run(officer, "orders.verify", VerifyOrder(), name)
    office.clock.to(TODAY + timedelta(days=7))
    office.run(officer, "orders.extend", ExtendOrder(valid_until=YEAR, reference="2026/18"), name)

    order = office.now(Order, name).body
    assert (order.entry.id, order.entry.valid_until, order.entry.reference) == (name, YEAR, "2026/18")
    assert order.entry.verified
    assert (order.verified_by, order.verified_on) == (officer.account, TODAY + timedelta(days=7))
    assert [(e.valid_until, e.reference) for e in order.earlier] == [(QUARTER, "2026/17")]
    office.run(officer, "orders.close", BECAUSE, name)
    for use, asked in {**ON_ORDER}.items():
        with pytest.raises(RefusalError, match="entry-closed"):
            office.run(officer, use, asked, name)
    assert len(office.desk.history(officer, Kind.ORDER, name)) == 4


@pytest.mark.parametrize(
    ("until", "right"), [(QUARTER, False), (QUARTER + timedelta(days=1), True), (TODAY, False)]
)
def test_an_extension_is_longer_than_what_was(
    office: Office, officer: Actor, until: date, right: bool
) -> None:
    """By a day at least; one that nobody has verified is not verified by being extended."""
    name = ordered(office, officer)
    if right:
        office.run(officer, "orders.extend", ExtendOrder(valid_until=until), name)
        assert not office.now(Order, name).body.entry.verified
        return
    with pytest.raises(RefusalError) as refused:
        office.run(officer, "orders.extend", ExtendOrder(valid_until=until), name)
    assert refused.value.problems[0].path == "/valid_until"


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"bound": "B-1"}, ""),
        ({"protected": None}, ""),
        ({"valid_until": TODAY - timedelta(days=1)}, ""),
        ({"bound": "P-9"}, "/bound"),
        ({"protected": "P-9"}, "/protected"),
        ({"forbidden_schemes": frozenset({"ukjent"})}, "/forbidden_schemes"),
    ],
)
def test_an_order_that_cannot_be_is_refused_at_its_place(
    office: Office, officer: Actor, more: dict[str, Any], place: str
) -> None:
    """Between two persons, or about schemes that are there; from a day to the same day or later."""
    with pytest.raises(RefusalError) as refused:
        ordered(office, officer, **more)

    assert [problem.path for problem in refused.value.problems] == [place]


def test_an_order_may_protect_somebody_who_is_in_no_register(office: Office, officer: Actor) -> None:
    """Then it says which schemes are forbidden; it may last one day."""
    name = ordered(
        office, officer, protected=None, forbidden_schemes=frozenset({"nordlia"}), valid_until=TODAY
    )

    assert office.now(Order, name).body.entry.forbidden_schemes == frozenset({"nordlia"})


def test_every_look_at_an_order_is_logged_with_the_people_it_is_about(office: Office, officer: Actor) -> None:
    """And nobody who is not cleared finds one (REQ-BF-5)."""
    name = ordered(office, officer)
    worker = office.somebody(Role.CASEWORKER, cleared=[Clearance.CONFLICTS])

    office.desk.show(officer, Kind.ORDER, name)

    assert office.log()[-1]["people"] == ["B-1", "P-2"]
    with pytest.raises(NotFoundError):
        office.desk.show(worker, Kind.ORDER, name)
