"""Schemes, units and reservations; and how a unit stands on a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import AppealBody as Appeals
from allocator.casework.codes import (
    ClosureKind,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    EndReason,
    ReservationReason,
    Role,
)
from allocator.casework.committee import Decision
from allocator.casework.housing import Closure, Notice, Scheme, Tenancy, Unit, UnitReservation
from allocator.casework.occupancy import UnitState, is_held, lives_there, ready_from, unit_state
from allocator.casework.people import Person
from allocator.casework.records import Kind, Stored
from allocator.codes import UnitStatus
from allocator.model import LAST_DAY, SchemeFacts, UnitFacts
from allocator.service.errors import ForbiddenError, RefusalError
from allocator.service.housing import (
    LONGEST_RESERVATION,
    AddScheme,
    AddUnit,
    CloseUnit,
    DescribedGroup,
    DescribeScheme,
    DescribeUnit,
    MakeReservation,
    ReopenUnit,
)
from allocator.service.uses import Nothing
from tests.databases import BACKENDS
from tests.office import TODAY, Office

DAY = timedelta(days=1)


@pytest.fixture(params=BACKENDS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with one house, on each kind of database."""
    made = Office(request.param)
    made.house()
    yield made
    made.close()


@pytest.fixture
def manager(office: Office) -> Actor:
    """Whoever manages the housing stock."""
    return office.somebody(Role.PROPERTY_MANAGER)


def refused(error: pytest.ExceptionInfo[RefusalError]) -> str:
    """Return the code of a refusal, or the place in the request that is wrong."""
    return error.value.problems[0].path if error.value.problems else error.value.code


# ------------------------------------------------------------------------- how a unit stands on a day

VACANT, RESERVED, NOTICE = UnitStatus.VACANT, UnitStatus.RESERVED, UnitStatus.NOTICE_GIVEN
OCCUPIED, REPAIR, OUT = UnitStatus.OCCUPIED, UnitStatus.UNDER_REPAIR, UnitStatus.OUT_OF_SERVICE
D = date(2026, 6, 15)
"""The day that everything in the table turns on."""


def _unit(**more: Any) -> Stored[Unit]:
    body = Unit(scheme="s", group="g", **more)
    return Stored(Kind.UNIT, "u", 1, body, None, "a", "seed")  # type: ignore[arg-type]


def _lives(**more: Any) -> Tenancy:
    return Tenancy(person="p", unit="u", scheme="s", **more)


def _held(**more: Any) -> UnitReservation:
    reason = ReservationReason.OTHER_PROCESS
    return UnitReservation(unit="u", scheme="s", reason=reason, owner="a", **more)


def _notice(move_out: date) -> Notice:
    return Notice(given_on=date(2026, 1, 1), move_out=move_out, by_resident=True)


_REPAIR = ClosureKind.UNDER_REPAIR

STATES: list[tuple[str, dict[str, Any], date, UnitState]] = [
    ("never lived in", {}, D, UnitState(VACANT)),
    ("before it is built", {"unit": _unit(first_ready_on=D)}, D - DAY, UnitState(OUT, vacant_from=D)),
    ("the day it is ready", {"unit": _unit(first_ready_on=D)}, D, UnitState(VACANT, D)),
    ("after that", {"unit": _unit(first_ready_on=D)}, D + DAY, UnitState(VACANT, D)),
    ("lived in", {"tenancies": [_lives()]}, D, UnitState(OCCUPIED)),
    ("before they move in", {"tenancies": [_lives(moved_in=D)]}, D - DAY, UnitState(RESERVED)),
    ("the day they move in", {"tenancies": [_lives(moved_in=D)]}, D, UnitState(OCCUPIED)),
]
for _offset, _expected in (
    (-1, UnitState(NOTICE, vacant_from=D + DAY)),
    (0, UnitState(NOTICE, vacant_from=D + DAY)),
    (1, UnitState(VACANT, D + DAY)),
):
    _out = _lives(moved_out=D, end_reason=EndReason.OWN_HOME)
    STATES.append((f"{_offset:+d} from moving out", {"tenancies": [_out]}, D + _offset * DAY, _expected))
for _offset, _expected in (
    (-1, UnitState(NOTICE, vacant_from=D + DAY)),
    (0, UnitState(NOTICE, vacant_from=D + DAY)),
    (1, UnitState(OCCUPIED)),  # nobody has said that they are out
):
    _given = _lives(notice=_notice(D))
    STATES.append((f"{_offset:+d} from notice", {"tenancies": [_given]}, D + _offset * DAY, _expected))
for _offset, _expected in (
    (-1, UnitState(VACANT)),
    (0, UnitState(REPAIR, vacant_from=D + 3 * DAY)),
    (2, UnitState(REPAIR, vacant_from=D + 3 * DAY)),
    (3, UnitState(VACANT, D + 3 * DAY)),
):
    _shut = _unit(closure=Closure(kind=_REPAIR, since=D, until=D + 2 * DAY))
    STATES.append((f"{_offset:+d} from repair", {"unit": _shut}, D + _offset * DAY, _expected))
for _offset, _expected in ((-1, UnitState(RESERVED)), (0, UnitState(RESERVED)), (1, UnitState(VACANT))):
    STATES.append(
        (f"{_offset:+d} from until", {"reservations": [_held(until=D)]}, D + _offset * DAY, _expected)
    )
STATES += [
    ("released", {"reservations": [_held(until=D, released_on=D)]}, D, UnitState(VACANT)),
    ("allotted", {"allotted": True}, D, UnitState(RESERVED)),
    (
        "allotted while closed",
        {"allotted": True, "unit": _unit(closure=Closure(kind=ClosureKind.OUT_OF_SERVICE, since=D))},
        D,
        UnitState(OUT),
    ),
    (
        "lived in while closed",
        {"tenancies": [_lives()], "unit": _unit(closure=Closure(kind=_REPAIR, since=D))},
        D,
        UnitState(OCCUPIED),
    ),
    (
        "repair after notice",
        {
            "tenancies": [_lives(notice=_notice(D))],
            "unit": _unit(closure=Closure(kind=_REPAIR, since=D + DAY, until=D + 9 * DAY)),
        },
        D,
        UnitState(NOTICE, vacant_from=D + 10 * DAY),
    ),
    (
        "repair after notice without an end",
        {
            "tenancies": [_lives(notice=_notice(D))],
            "unit": _unit(closure=Closure(kind=_REPAIR, since=D + DAY)),
        },
        D,
        UnitState(NOTICE),
    ),
    (
        "one of two gives notice",
        {"tenancies": [_lives(notice=_notice(D)), _lives(shares="t")]},
        D,
        UnitState(OCCUPIED),
    ),
    (
        "both give notice",
        {"tenancies": [_lives(notice=_notice(D)), _lives(shares="t", notice=_notice(D + 5 * DAY))]},
        D,
        UnitState(NOTICE, vacant_from=D + 6 * DAY),
    ),
    (
        "the latest of all",
        {
            "tenancies": [_lives(moved_out=D - 30 * DAY, end_reason=EndReason.DEATH)],
            "unit": _unit(
                first_ready_on=date(2020, 1, 1),
                closure=Closure(kind=_REPAIR, since=D - 20 * DAY, until=D - 10 * DAY),
            ),
        },
        D,
        UnitState(VACANT, D - 9 * DAY),
    ),
    ("another unit's", {"tenancies": [_lives().model_copy(update={"unit": "x"})]}, D, UnitState(VACANT)),
    (
        "closed as long as days are counted",
        {"unit": _unit(closure=Closure(kind=_REPAIR, since=D, until=LAST_DAY))},
        D,
        UnitState(REPAIR),
    ),
]


@pytest.mark.parametrize(
    ("facts", "day", "expected"), [row[1:] for row in STATES], ids=[row[0] for row in STATES]
)
def test_a_unit_stands_on_a_day_as_the_records_say(
    facts: dict[str, Any], day: date, expected: UnitState
) -> None:
    """Who lives there comes first, then what is closed, then what is held back: on the day and beside it."""
    given = {"unit": _unit(), "tenancies": (), "reservations": (), "allotted": False, **facts}

    assert unit_state(given.pop("unit"), day, **given) == expected


_days = st.dates(D - 40 * DAY, D + 40 * DAY)


@st.composite
def _closures(draw: st.DrawFn) -> Closure:
    since, until = sorted((draw(_days), draw(_days)))
    kind = draw(st.sampled_from(ClosureKind))
    return Closure(kind=kind, since=since, until=draw(st.sampled_from((until, None))))


@st.composite
def _tenancies(draw: st.DrawFn) -> Tenancy:
    begun, left = sorted((draw(_days), draw(_days)))
    notice = draw(st.none() | _days.map(_notice))
    if draw(st.booleans()):
        return _lives(moved_in=begun, notice=notice)
    return _lives(moved_in=begun, notice=notice, moved_out=left, end_reason=EndReason.UNKNOWN)


@given(
    ready=st.none() | _days,
    closure=st.none() | _closures(),
    tenancies=st.lists(_tenancies(), max_size=3),
    reservations=st.lists(_days.map(lambda until: _held(until=until)), max_size=2),
    allotted=st.booleans(),
    day=_days,
)
def test_whatever_the_records_say_the_state_of_a_unit_makes_sense(
    *,
    ready: date | None,
    closure: Closure | None,
    tenancies: list[Tenancy],
    reservations: list[UnitReservation],
    allotted: bool,
    day: date,
) -> None:
    """Nobody's home is vacant, what is vacant has been since today or before, and the rest opens later."""
    unit = _unit(first_ready_on=ready, closure=closure)

    state = unit_state(unit, day, tenancies, reservations, allotted)

    assert (state.status in (OCCUPIED, NOTICE)) == any(lives_there(one, day) for one in tenancies)
    assert state.vacant_since is None or state.status is VACANT
    assert state.vacant_since is None or state.vacant_since <= day
    assert state.vacant_from is None or state.vacant_from > day
    if state.status in (VACANT, RESERVED):
        assert ready_from(unit.body, day) == day
    if state.status is VACANT:
        assert not allotted
        assert not any(is_held(one, day) for one in reservations)
    if state.vacant_from is not None:
        assert ready_from(unit.body, state.vacant_from) == state.vacant_from


# --------------------------------------------------------------------------------- schemes and units


def test_a_scheme_is_added_with_groups_that_have_ids_of_their_own(office: Office, manager: Actor) -> None:
    """Names are given, ids are made; the same name twice is refused."""
    asked = AddScheme(facts=SchemeFacts(name="Havna"), groups=("A", "B"))

    shown = office.run(manager, "schemes.add", asked)

    scheme = office.now(Scheme, shown.stored.id).body
    assert [group.name for group in scheme.groups] == ["A", "B"]
    assert len({group.id for group in scheme.groups}) == 2
    with pytest.raises(RefusalError) as error:
        office.run(manager, "schemes.add", asked.model_copy(update={"groups": ("A", "A")}))
    assert refused(error) == "/groups"


def test_a_group_with_units_is_not_dropped(office: Office, manager: Actor) -> None:
    """Groups are renamed and added; one that units stand in stays."""
    new = DescribeScheme(groups=(DescribedGroup(name="Ny"),))
    both = DescribeScheme(groups=(DescribedGroup(id="nordlia-a", name="Ute"), DescribedGroup(name="Ny")))

    with pytest.raises(RefusalError) as error:
        office.run(manager, "schemes.describe", new, "nordlia")
    assert refused(error) == "group-has-units"
    office.run(manager, "schemes.describe", both, "nordlia")

    groups = office.now(Scheme, "nordlia").body.groups
    assert [group.name for group in groups] == ["Ute", "Ny"]
    assert groups[0].id == "nordlia-a"
    unknown = DescribeScheme(groups=(DescribedGroup(id="x", name="X"),))
    with pytest.raises(RefusalError) as error:
        office.run(manager, "schemes.describe", unknown, "nordlia")
    assert refused(error) == "/groups"


def test_a_leader_describes_their_own_scheme_alone(office: Office) -> None:
    """The leader of another scheme may not; caseworkers may not either."""
    asked = DescribeScheme(facts=SchemeFacts(name="Nordlia bofellesskap"))

    office.run(office.somebody(Role.SCHEME_LEADER, "nordlia"), "schemes.describe", asked, "nordlia")
    for other in (office.somebody(Role.SCHEME_LEADER, "havna"), office.somebody(Role.CASEWORKER)):
        with pytest.raises(ForbiddenError):
            office.run(other, "schemes.describe", asked, "nordlia")

    assert office.now(Scheme, "nordlia").body.facts.name == "Nordlia bofellesskap"


def test_a_unit_belongs_to_a_group_of_its_scheme(office: Office, manager: Actor) -> None:
    """A unit is added to a group that is there, and described; a group elsewhere is refused."""
    asked = AddUnit(scheme="nordlia", group="nordlia-a", facts=UnitFacts(floor=2))

    unit = office.run(manager, "units.add", asked).stored.id
    office.run(manager, "units.describe", DescribeUnit(facts=UnitFacts(floor=3)), unit)

    assert office.now(Unit, unit).body.facts.floor == 3
    for wrong in ({"group": "havna-a"}, {"scheme": "havna"}):
        with pytest.raises(RefusalError) as error:
            office.run(manager, "units.add", asked.model_copy(update=wrong))
        assert refused(error) == f"/{next(iter(wrong))}"
    with pytest.raises(RefusalError) as error:
        office.run(manager, "units.describe", DescribeUnit(group="havna-a"), unit)
    assert refused(error) == "/group"
    with pytest.raises(ForbiddenError):
        office.run(office.somebody(Role.SCHEME_LEADER, "nordlia"), "units.add", asked)


def test_a_unit_that_is_lived_in_cannot_become_ready_later(office: Office, manager: Actor) -> None:
    """Today is allowed, tomorrow is not."""
    office.resident("B-1", "nordlia-1")

    office.run(manager, "units.describe", DescribeUnit(first_ready_on=TODAY), "nordlia-1")
    with pytest.raises(RefusalError) as error:
        office.run(manager, "units.describe", DescribeUnit(first_ready_on=TODAY + DAY), "nordlia-1")

    assert refused(error) == "unit-lived-in"


def test_the_day_a_unit_was_ready_can_be_taken_away_again(office: Office, manager: Actor) -> None:
    """What is left out stays as it is; null is said, of the day alone."""
    office.run(manager, "units.describe", DescribeUnit(facts=UnitFacts(floor=2)), "nordlia-1")
    assert office.now(Unit, "nordlia-1").body.first_ready_on is not None

    nothing = DescribeUnit(group=None, facts=None, first_ready_on=None)
    office.run(manager, "units.describe", nothing, "nordlia-1")

    body = office.now(Unit, "nordlia-1").body
    assert (body.first_ready_on, body.facts.floor, body.group) == (None, 2, "nordlia-a")


def test_a_unit_is_closed_and_opened_again(office: Office, manager: Actor) -> None:
    """The closure stays with its last day, from which vacancy counts; a day that is over is not closed."""
    asked = CloseUnit(kind=ClosureKind.UNDER_REPAIR)
    with pytest.raises(RefusalError) as error:
        office.run(manager, "units.reopen", ReopenUnit(), "nordlia-1")
    assert refused(error) == "unit-not-closed"

    office.run(manager, "units.close", asked, "nordlia-1")
    office.clock.to(TODAY + 5 * DAY)
    office.run(manager, "units.reopen", ReopenUnit(), "nordlia-1")

    closure = office.now(Unit, "nordlia-1").body.closure
    assert closure is not None
    assert (closure.since, closure.until) == (TODAY, TODAY + 4 * DAY)
    with pytest.raises(RefusalError) as error:
        office.run(manager, "units.reopen", ReopenUnit(), "nordlia-1")
    assert refused(error) == "unit-not-closed"


def test_a_closure_that_never_began_is_gone(office: Office, manager: Actor) -> None:
    """Opened again on its first day or before, it has not been; the last day is not before the first."""
    asked = CloseUnit(kind=ClosureKind.UNDER_REPAIR, since=TODAY + 5 * DAY, until=TODAY + 4 * DAY)
    with pytest.raises(RefusalError) as error:
        office.run(manager, "units.close", asked, "nordlia-1")
    assert refused(error) == "/until"

    office.run(manager, "units.close", asked.model_copy(update={"until": TODAY + 5 * DAY}), "nordlia-1")
    office.run(manager, "units.reopen", ReopenUnit(ready_on=TODAY + 5 * DAY), "nordlia-1")

    assert office.now(Unit, "nordlia-1").body.closure is None


# ---------------------------------------------------------------------------------------- reservations


def _asked(**more: Any) -> MakeReservation:
    return MakeReservation(
        **{"unit": "nordlia-1", "reason": ReservationReason.DECANT, "until": TODAY + 7 * DAY, **more}
    )


def test_one_reservation_holds_a_unit_until_it_runs_out(office: Office, manager: Actor) -> None:
    """On its last day the second is refused; the day after, it takes over and the first is released."""
    worker = office.somebody(Role.CASEWORKER)
    first = office.run(manager, "reservations.make", _asked()).stored.id
    office.clock.to(TODAY + 7 * DAY)
    with pytest.raises(RefusalError) as error:
        office.run(worker, "reservations.make", _asked(until=TODAY + 20 * DAY))
    assert refused(error) == "unit-reserved"

    office.clock.to(TODAY + 8 * DAY)
    second = office.run(worker, "reservations.make", _asked(until=TODAY + 20 * DAY)).stored.id

    assert office.now(UnitReservation, first).body.released_on == TODAY + 8 * DAY
    assert office.now(UnitReservation, second).body.owner == worker.account
    assert office.now(UnitReservation, second).body.released_on is None


def test_a_reservation_is_released_once(office: Office, manager: Actor) -> None:
    """After that the unit can be held back anew."""
    first = office.run(manager, "reservations.make", _asked()).stored.id

    office.run(manager, "reservations.release", Nothing(), first)

    with pytest.raises(RefusalError) as error:
        office.run(manager, "reservations.release", Nothing(), first)
    assert refused(error) == "reservation-released"
    office.run(manager, "reservations.make", _asked())


@pytest.mark.parametrize(
    ("days", "allowed"),
    [(-1, False), (0, True), (LONGEST_RESERVATION.days, True), (LONGEST_RESERVATION.days + 1, False)],
)
def test_a_reservation_ends_within_a_year(office: Office, manager: Actor, days: int, allowed: bool) -> None:
    """Today is the earliest end; after a year somebody must look again."""
    asked = _asked(until=TODAY + days * DAY)
    if allowed:
        office.run(manager, "reservations.make", asked)
        return
    with pytest.raises(RefusalError) as error:
        office.run(manager, "reservations.make", asked)
    assert refused(error) == "/until"


def test_a_unit_that_is_lived_in_is_held_back_only_after_notice(office: Office, manager: Actor) -> None:
    """A vacancy to come can be held back; a home cannot."""
    tenancy = office.resident("B-1", "nordlia-1")
    with pytest.raises(RefusalError) as error:
        office.run(manager, "reservations.make", _asked())
    assert refused(error) == "unit-lived-in"

    body = office.now(Tenancy, tenancy).body
    office.seed(body.model_copy(update={"notice": _notice(TODAY + 3 * DAY)}), tenancy, version=2)
    office.run(manager, "reservations.make", _asked())


def test_what_the_committee_has_allotted_is_not_held_back(office: Office, manager: Actor) -> None:
    """A decision in force comes first; when it has ended, the unit can be held back."""
    office.seed(Person(), "P-1")
    office.seed(Case(person="P-1", received_on=TODAY, waiting_since=TODAY), "S-1")
    decision = Decision(
        type=DecisionType.ALLOCATION,
        case="S-1",
        outcome=DecisionOutcome.ALLOCATED,
        unit="nordlia-1",
        scheme="nordlia",
        grounds="Fordi.",
        appeal_body=Appeals.MUNICIPAL_BOARD,
        appeal_weeks=3,
        state=DecisionState.MADE,
        proposed_by="x",
        proposed_on=TODAY,
    )
    office.seed(decision, "V-1")
    with pytest.raises(RefusalError) as error:
        office.run(manager, "reservations.make", _asked())
    assert refused(error) == "unit-allotted"

    office.seed(decision.model_copy(update={"ended_on": TODAY}), "V-1", version=2)
    office.run(manager, "reservations.make", _asked())


def test_scheme_staff_hold_nothing_back(office: Office) -> None:
    """Only caseworkers and the property manager do."""
    for role in (Role.SCHEME_LEADER, Role.SCHEME_STAFF):
        with pytest.raises(ForbiddenError):
            office.run(office.somebody(role, "nordlia"), "reservations.make", _asked())
