"""Hypothesis strategies shared by all property tests.

Values are drawn from small pools that hold every code and stand at the limits of the default policy: the day
before, the day itself and the day after; 24, 25, 39 and 40 years; 365 and 60 days; 50 square metres. Every
snapshot and policy that comes out is valid. The first choice everywhere is the plainest, so that examples
shrink to little.
"""

from __future__ import annotations

import copy
import itertools
import tomllib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from allocator.codes import (
    AgreementForm,
    ConflictDirection,
    ConflictKind,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
    EntranceForm,
    EntryRequirement,
    FactSource,
    FactStatus,
    Fittings,
    Gender,
    Measure,
    Need,
    NightCover,
    OrderKind,
    PlacementKind,
    RiskHorizon,
    SchemeKind,
    Service,
    StaffRole,
    StayKind,
    SubstanceClass,
    SubstanceUse,
    TargetGroup,
    UnitPurpose,
    UnitStatus,
    VetoGround,
    VetoStatus,
    ViolenceConclusion,
    VisitRule,
    WindowHeight,
)
from allocator.model import (
    Applicant,
    Assessed,
    Conflict,
    Day,
    EntryCondition,
    GenderCondition,
    LivingGroup,
    Months,
    NeedsAssessment,
    Order,
    Placement,
    Reservation,
    Resident,
    RiskAssessment,
    Scheme,
    Snapshot,
    Unit,
    Veto,
    VetoFact,
    Wish,
    Wishes,
    Yes,
)
from allocator.policy import Policy
from allocator.rules import RULEBOOK
from allocator.rules.language import Choice, Codes, Effect, Number, Pairs, ParamType, Rule

T = TypeVar("T")

AS_OF = date(2026, 11, 22)
"""The day most examples stand at."""

DAYS = (*(AS_OF,) * 4, date(2027, 10, 31), date(2027, 11, 1), date(2028, 2, 29))
"""Days worth standing at: the last day of the default policy's justifications, the next, and a leap day."""

DEFAULT_POLICY = Path(__file__).parent.parent / "fixtures" / "policies" / "default.toml"


def _days(as_of: date, *offsets: int) -> tuple[date, ...]:
    return tuple(as_of + timedelta(days=offset) for offset in offsets)


def _one_of(values: Iterable[T]) -> SearchStrategy[T]:
    """Draw one of a fixed pool of values; the strategy is made once, which is most of its cost."""
    return cast("SearchStrategy[T]", _made_once(*values))


@lru_cache(maxsize=None, typed=True)
def _made_once(*values: Any) -> SearchStrategy[Any]:
    return st.sampled_from(values)


def _or_none(values: Iterable[T]) -> SearchStrategy[T | None]:
    return _one_of((None, *values))


def _rarely(one_in: int) -> SearchStrategy[bool]:
    return _one_of((*(False,) * (one_in - 1), True))


_maybe_bool = _or_none((True, False))

# -------------------------------------------------------------------------------------------- people


@cache
def _assessed_pool(kind: type[Assessed[Any]], values: tuple[Any, ...], as_of: date) -> tuple[Any, ...]:
    yesterday, tomorrow = _days(as_of, -1, 1)
    told: dict[str, Any] = {"source": FactSource.STAFF, "recorded_on": yesterday, "recorded_by": "NN"}
    oral: dict[str, Any] = {**told, "source": FactSource.ORAL}
    one, last = values[0], values[-1]
    known = [kind(value=value, **told) for value in values]
    at_limit = [
        kind(value=last, valid_until=as_of, **told),
        kind(value=one, valid_until=tomorrow, **told),
        kind(value=last, **oral),
    ]
    unknown = [
        kind(status=FactStatus.NOT_ASKED),
        kind(value=one, valid_until=yesterday, **told),
        kind(status=FactStatus.REFUSED),
        kind(status=FactStatus.WITHDRAWN),
        kind(value=one, status=FactStatus.DISPUTED, **told),
        kind(status=FactStatus.DISPUTED),
    ]
    # about three in four are known, or rules that read several facts would hardly ever be certain
    repeats = -(-(3 * len(unknown) - len(at_limit)) // len(known))
    return (unknown[0], *known * repeats, *at_limit, *unknown[1:])


def assessed(
    values: Sequence[T], kind: type[Assessed[T]] | None = None, *, as_of: date = AS_OF
) -> SearchStrategy[Assessed[T]]:
    """Draw an assessed fact: mostly known, else of every status, also at the limits of its validity.

    Args:
        values: The values it may have.
        kind: Its type; by default that of the first value.
        as_of: The day it is read at.
    """
    known_kind: Any = kind if kind is not None else Assessed[type(values[0])]  # type: ignore[misc]
    return _one_of(_assessed_pool(known_kind, tuple(values), as_of))


def _born(as_of: date, years: int, days: int = 0) -> date:
    """Return the birth date of someone who turns so many years, so many days after *as_of*."""
    day = as_of + timedelta(days=days)
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


@cache
def _birth_dates(as_of: date) -> tuple[date, ...]:
    at_limits = [(25, 0), (25, 1), (40, 0), (40, 1), (18, 0), (24, 0), (39, 0), (60, 0)]
    return (*(_born(as_of, *limit) for limit in at_limits), date(1988, 2, 29), date(1930, 1, 1))


@cache
def _frames(as_of: date) -> tuple[dict[str, Any], ...]:
    """Return frames of expiring assessments: four in seven hold on *as_of*."""
    yesterday, tomorrow, later = _days(as_of, -1, 1, 200)
    told = {"source": FactSource.ASSESSMENT, "assessed_on": yesterday, "assessor_role": "lege"}
    return (
        {"status": FactStatus.NOT_ASKED},
        {**told, "valid_until": later},
        {**told, "valid_until": as_of},
        {**told, "valid_until": tomorrow},
        {**told, "valid_until": later},
        {**told, "valid_until": yesterday},
        {**told, "valid_until": later, "status": FactStatus.DISPUTED},
    )


def _sets(codes: type[T]) -> tuple[frozenset[T], ...]:
    """Return the empty set, each code alone, all codes, and halves."""
    every: tuple[T, ...] = tuple(codes)  # type: ignore[arg-type]
    alone = [frozenset([code]) for code in every]
    return (frozenset(), *alone, frozenset(every), frozenset(every[::2]), frozenset(every[1::2]))


@cache
def _risks(as_of: date) -> tuple[RiskAssessment, ...]:
    horizons = (RiskHorizon.LONG, RiskHorizon.LONG, RiskHorizon.SHORT)
    some = (frozenset[Measure](), frozenset([Measure.TWO_EXITS, Measure.ALARM]), frozenset(Measure))
    concluded = itertools.product(_frames(as_of), ViolenceConclusion, horizons, some)
    return tuple(
        RiskAssessment(**frame)
        if "source" not in frame
        else RiskAssessment(**frame, conclusion=conclusion, horizon=horizon, measures=measures)
        for frame, conclusion, horizon, measures in concluded
    )


@st.composite
def people(draw: DrawFn, as_of: date = AS_OF) -> dict[str, Any]:
    """Draw the fields that an applicant and a resident share; the id is left out."""
    yes_no = assessed((True, False), as_of=as_of)
    return {
        "birth_date": draw(assessed(_birth_dates(as_of), Assessed[Day], as_of=as_of)),
        "gender": draw(assessed(_GENDERS, as_of=as_of)),
        "rop": draw(yes_no),
        "main_substance": draw(assessed(_SUBSTANCES, as_of=as_of)),
        "substance_use": draw(assessed(_USES, as_of=as_of)),
        "heavy_use": draw(yes_no),
        "vulnerable": draw(yes_no),
        "risk": draw(_one_of(_risks(as_of))),
        "child_visits": draw(yes_no),
    }


# women and men, the two substances that clash, and active use: more often than chance would have it
_GENDERS = (*(Gender.WOMAN, Gender.MAN) * 3, *Gender)
_SUBSTANCES = (*SubstanceClass, *(SubstanceClass.OPIOIDS, SubstanceClass.STIMULANTS) * 8)
_USES = (*(SubstanceUse.ACTIVE,) * 8, *SubstanceUse)


# ------------------------------------------------------------------------------------------- housing

_STATUSES = (
    *(UnitStatus.OCCUPIED,) * 4,
    *(UnitStatus.VACANT,) * 4,
    UnitStatus.NOTICE_GIVEN,
    UnitStatus.RESERVED,
    UnitStatus.UNDER_REPAIR,
    UnitStatus.OUT_OF_SERVICE,
)
_LIVED_IN = (UnitStatus.OCCUPIED, UnitStatus.NOTICE_GIVEN)
_YES_NO_OF_UNIT = (
    "lift",
    "step_free",
    "bedroom",
    "sightline_from_base",
    "built_below",
    "water_protected",
    "ligature_safe",
    "fire_safe",
    "pets_allowed",
    "quiet",
)


@st.composite
def units(draw: DrawFn, identifier: str = "u1", as_of: date = AS_OF) -> Unit:
    """Draw a unit: any status, every optional attribute sometimes None."""
    status = draw(_one_of(_STATUSES))
    since = _or_none(_days(as_of, -60, -61, -59, 0))
    ready = _or_none(_days(as_of, 1, 0, -1, 30, 31))
    shortest = draw(_or_none((1, 3)))
    longest = draw(_or_none((3, 12)))
    yes_no: dict[str, Any] = dict(zip(_YES_NO_OF_UNIT, _digits(draw(_three_valued)), strict=True))
    return Unit(
        id=identifier,
        status=status,
        purpose=draw(_one_of((UnitPurpose.HOME, UnitPurpose.ASSESSMENT, UnitPurpose.EMERGENCY))),
        vacant_since=draw(since) if status is UnitStatus.VACANT else None,
        vacant_from=None if status is UnitStatus.VACANT else draw(ready),
        floor=draw(_or_none((1, 2, 0, 3))),
        area_m2=draw(_or_none((50, 49, 40, 39, 51))),
        exits=draw(_or_none((1, 2, 3))),
        window_height=draw(_or_none(tuple(WindowHeight))),
        entrance=draw(_or_none(tuple(EntranceForm))),
        fittings=draw(_or_none(tuple(Fittings))),
        min_stay_months=shortest,
        max_stay_months=longest,
        **yes_no,
    )


_three_valued = st.integers(0, 3 ** len(_YES_NO_OF_UNIT) - 1)


def _digits(number: int) -> list[bool | None]:
    """Return a number as None, False and True: one draw for all of a unit's yes-or-no attributes."""
    digits: list[bool | None] = []
    for _ in _YES_NO_OF_UNIT:
        number, digit = divmod(number, 3)
        digits.append((None, False, True)[digit])
    return digits


@st.composite
def schemes(
    draw: DrawFn, identifier: str = "s1", max_units: int = 8, as_of: date = AS_OF, max_groups: int = 2
) -> Scheme:
    """Draw a scheme with its living groups and units; a group may be empty."""
    groups = []
    left = max_units
    for number in range(1, draw(st.integers(1, max_groups)) + 1):
        # five units are more than the default policy's `dense_over`, so 0 to 5 and the rest
        size = min(left, draw(_one_of((1, 2, 0, 3, 5, 4))))
        left -= size
        name = f"{identifier}-g{number}"
        homes = tuple(draw(units(f"{name}-u{i}", as_of)) for i in range(1, size + 1))
        groups.append(LivingGroup(id=name, name=f"Gruppe {name}", units=homes))
    return Scheme(
        id=identifier,
        name=f"Tiltak {identifier}",
        kind=draw(_or_none(tuple(SchemeKind))),
        target_groups=draw(_or_none(_TARGETS)),
        entry_condition=draw(_or_none(_ENTRY_CONDITIONS)),
        gender_condition=draw(_one_of(_gender_conditions(as_of))),
        unit_count=draw(_or_none((1, 8, 9, 40))),
        night_cover=draw(_or_none(tuple(NightCover))),
        services=draw(_or_none(_sets(Service))),
        measures=draw(_or_none(_sets(Measure))),
        offer_complete=not draw(_rarely(4)),
        cameras=draw(_maybe_bool),
        entrance=draw(_or_none(tuple(EntranceForm))),
        fittings=draw(_or_none(tuple(Fittings))),
        near_hospital=draw(_maybe_bool),
        near_transport=draw(_maybe_bool),
        activities_on_site=draw(_maybe_bool),
        institution_like=draw(_maybe_bool),
        visit_rule=draw(_or_none(tuple(VisitRule))),
        first_agreement=draw(_or_none(tuple(AgreementForm))),
        agreement_max_months=draw(_or_none((12, 3, 0))),
        agreement_leads_to_tenancy=draw(_maybe_bool),
        living_groups=tuple(groups),
    )


_TARGETS = (
    frozenset([TargetGroup.ROP]),
    frozenset([TargetGroup.SUBSTANCE_USE, TargetGroup.MENTAL_ILLNESS]),
    frozenset([TargetGroup.GENERAL]),
    frozenset[TargetGroup](),
    frozenset(TargetGroup),
)
_ENTRY_CONDITIONS = tuple(
    EntryCondition(requires=requires, adopted=adopted, document="Vedtak 1" if adopted else None)
    for requires, adopted in itertools.product(
        (EntryRequirement.ROP, EntryRequirement.NONE), (True, False, None)
    )
)


@cache
def _gender_conditions(as_of: date) -> tuple[GenderCondition | None, ...]:
    genders: tuple[Literal[Gender.WOMAN, Gender.MAN], ...] = (Gender.WOMAN, Gender.MAN)
    conditions = [
        GenderCondition(gender=gender, document="Vedtak 1", review_by=day)
        for gender, day in itertools.product(genders, _days(as_of, 0, -1, 1))
    ]
    # most schemes have none
    return (*(None,) * 4, *conditions)


# ----------------------------------------------------------------------------- who lives and applies


@st.composite
def _residents(
    draw: DrawFn, homes: Sequence[Unit], as_of: date, known: list[dict[str, Any]]
) -> list[Resident]:
    """Draw who lives in *homes*, and now and then who moved out of one; nobody is known of some."""
    residents: list[Resident] = []

    def add(unit: Unit, moved_in: date | None, move_out: date | None) -> None:
        residents.append(
            Resident(
                id=f"r{len(residents) + 1}",
                unit=unit.id,
                moved_in=moved_in,
                move_out=move_out,
                **draw(_person_or_again(as_of, known)),
            )
        )

    arrivals = _or_none(_days(as_of, -60, -59, -61, -400, 0))
    for unit in homes:
        if draw(_rarely(8)):
            add(unit, draw(_or_none(_days(as_of, -400, -60))), draw(_one_of(_days(as_of, -1, -30))))
        # one in five of those who live here is in no register
        if unit.status in _LIVED_IN and not draw(_rarely(5)):
            leaves = _days(as_of, 0, 1, 30, 60)
            always = unit.status is UnitStatus.NOTICE_GIVEN
            rarely = (*(None,) * 6, *leaves[:2])
            add(unit, draw(arrivals), draw(_one_of(leaves if always else rarely)))
    return residents


@st.composite
def _person_or_again(draw: DrawFn, as_of: date, known: list[dict[str, Any]]) -> dict[str, Any]:
    """Draw a person, or one whose facts all equal those of somebody drawn before."""
    if draw(_rarely(4)) and known:
        again: dict[str, Any] = draw(st.sampled_from(known))
        return again
    person: dict[str, Any] = draw(people(as_of))
    known.append(person)
    return person


@st.composite
def _applicants(
    draw: DrawFn, number: int, case: _Places, as_of: date, known: list[dict[str, Any]]
) -> list[Applicant]:
    movable = list(case.residents)
    applicants = []
    for i in range(1, number + 1):
        person = draw(_person_or_again(as_of, known))
        home: Resident | None = None
        if draw(_rarely(6)) and movable:
            home = draw(st.sampled_from(movable))
            movable.remove(home)
            person = {name: getattr(home, name) for name in person}
        applicants.append(
            Applicant(
                id=f"a{i}",
                **person,
                waiting_since=draw(_one_of(_days(as_of, 0, -1, -60, -400))),
                needs=draw(_needs(as_of)),
                target_groups=draw(assessed(_TARGETS, Assessed[frozenset[TargetGroup]], as_of=as_of)),
                wishes=draw(_wishes(case, as_of)),
                placement=draw(_placements(as_of)),
                conflicts_asked=draw(assessed((True,), Assessed[Yes], as_of=as_of)),
                orders_checked=draw(assessed((True,), Assessed[Yes], as_of=as_of)),
                resides_as=None if home is None else home.id,
            )
        )
    return applicants


@st.composite
def _needs(draw: DrawFn, as_of: date) -> NeedsAssessment:
    frame = draw(st.sampled_from(_frames(as_of)))
    if "source" not in frame:
        return NeedsAssessment(**frame)
    return NeedsAssessment(
        **frame,
        needs=frozenset(draw(st.lists(_one_of(tuple(Need)), max_size=5)))
        if draw(st.booleans())
        else frozenset(Need),
        services=draw(_one_of(_sets(Service))),
    )


@st.composite
def _wishes(draw: DrawFn, case: _Places, as_of: date) -> Wishes | None:
    if draw(_rarely(3)):
        return None
    names = [scheme.id for scheme in case.schemes]
    preferred = draw(st.lists(st.sampled_from(names), unique=True, max_size=2))
    ranks = draw(_one_of(((1, 2), (1, 1))))
    refused = draw(st.lists(st.sampled_from(names), max_size=1))
    return Wishes(
        obtained_on=as_of,
        preferred=tuple(Wish(scheme=name, rank=rank) for name, rank in zip(preferred, ranks, strict=False)),
        reservations=tuple(Reservation(scheme=name) for name in refused),
    )


@st.composite
def _placements(draw: DrawFn, as_of: date) -> Placement:
    return Placement(
        kind=draw(_one_of((PlacementKind.ORDINARY, PlacementKind.ORDINARY, PlacementKind.CRISIS))),
        needed_from=draw(_or_none(_days(as_of, 0, 1, 30, 31, -1))),
        review_by=draw(_or_none(_days(as_of, 14))),
        stay=draw(assessed(tuple(StayKind), as_of=as_of)),
        stay_months=draw(assessed((1, 3, 12, 2, 4, 13, 0), Assessed[Months], as_of=as_of)),
    )


# ------------------------------------------------------------------------- what binds and separates


class _Places:
    """What has been drawn so far, for what points at it."""

    def __init__(self, schemes_: Sequence[Scheme], residents: Sequence[Resident]) -> None:
        self.schemes = tuple(schemes_)
        self.residents = tuple(residents)


@st.composite
def _pair(draw: DrawFn, case: _Places, applicants: Sequence[Applicant]) -> tuple[str, str] | None:
    """Draw two different persons, mostly an applicant and a resident, either way round."""
    same = {applicant.id: applicant.resides_as for applicant in applicants if applicant.resides_as}
    everyone = [*(a.id for a in applicants), *(r.id for r in case.residents)]
    if not everyone:
        return None
    one = draw(st.sampled_from([a.id for a in applicants] or everyone))
    others = [p for p in reversed(everyone) if same.get(p, p) != same.get(one, one)]
    if not others:
        return None
    other = draw(st.sampled_from(others))
    return (one, other) if draw(st.booleans()) else (other, one)


@st.composite
def _conflicts(draw: DrawFn, case: _Places, applicants: Sequence[Applicant], as_of: date) -> list[Conflict]:
    conflicts: list[Conflict] = []
    last: tuple[str, str] | None = None
    recorded = _one_of(_days(as_of, -365, -366, -364, 0))
    confirmed = _one_of((None, *_days(as_of, -365, -366, 0)))
    for number in range(1, draw(st.integers(0, 4)) + 1):
        # another entry about the same two, the other way round, is as likely as one about two others
        pair = last[::-1] if last and draw(st.booleans()) else draw(_pair(case, applicants))
        if pair is None:
            continue
        last = pair
        visitor = draw(_rarely(4))
        outside = _one_of((CounterpartRole.VISITOR, CounterpartRole.NEXT_OF_KIN))
        inside = _one_of((CounterpartRole.RESIDENT, CounterpartRole.APPLICANT))
        day, again = draw(recorded), draw(confirmed)
        places = frozenset([draw(st.sampled_from(case.schemes)).id]) if visitor else frozenset()
        conflicts.append(
            Conflict(
                id=f"k{number}",
                party=pair[0],
                counterpart=None if visitor else pair[1],
                counterpart_role=draw(outside if visitor else inside),
                frequents=places,
                kind=draw(_one_of(tuple(ConflictKind))),
                direction=draw(_one_of((ConflictDirection.MUTUAL, ConflictDirection.ONE_SIDED))),
                status=draw(_one_of((ConflictStatus.ACTIVE,) * 3 + tuple(ConflictStatus))),
                confirmed=draw(_one_of((True, True, False))),
                source=FactSource.STAFF,
                recorded_on=day,
                last_confirmed=None if again is None else max(day, again),
                reach=draw(_one_of((ConflictReach.SCHEME, ConflictReach.LIVING_GROUP))),
            )
        )
    return conflicts


@st.composite
def _orders(draw: DrawFn, case: _Places, applicants: Sequence[Applicant], as_of: date) -> list[Order]:
    orders = []
    spans = [(f, u) for f in (-30, 0, 1, 30) for u in (0, -1, 1, 200) if f <= u]
    for number in range(1, draw(_one_of((0, 0, 1, 2))) + 1):
        pair = draw(_pair(case, applicants))
        if pair is None:
            continue
        starts, ends = draw(_one_of(spans))
        area = draw(st.sampled_from((None, *case.schemes)))
        nobody_here = area is not None and draw(st.booleans())
        orders.append(
            Order(
                id=f"o{number}",
                kind=draw(_one_of(tuple(OrderKind))),
                bound=pair[0],
                protected=None if nobody_here else pair[1],
                forbidden_schemes=frozenset() if area is None else frozenset([area.id]),
                valid_from=as_of + timedelta(days=starts),
                valid_until=as_of + timedelta(days=ends),
                verified=draw(_one_of((True, False))),
            )
        )
    return orders


@st.composite
def _vetoes(draw: DrawFn, case: _Places, applicants: Sequence[Applicant], as_of: date) -> list[Veto]:
    if not applicants:
        return []
    places: list[dict[str, str]] = []
    for scheme in case.schemes:
        places.append({"scheme": scheme.id})
        places.extend({"living_group": group.id} for group in scheme.living_groups)
        places.extend({"unit": unit.id} for unit in scheme.units)
    spans = [(r, u) for r in (-30, 0, 1) for u in (0, -1, 1, 100) if r <= u]
    vetoes = []
    for number in range(1, draw(st.integers(0, 2)) + 1):
        raised, until = draw(_one_of(spans))
        day = as_of + timedelta(days=raised)
        vetoes.append(
            Veto(
                id=f"v{number}",
                applicant=draw(st.sampled_from(applicants)).id,
                **draw(st.sampled_from(places)),
                ground=draw(_one_of(tuple(VetoGround))),
                fact=VetoFact(observed_on=day, source=FactSource.STAFF, text="Hendelse"),
                author_role=StaffRole.SCHEME_STAFF,
                raised_on=day,
                valid_until=as_of + timedelta(days=until),
                status=draw(_one_of(tuple(VetoStatus))),
            )
        )
    return vetoes


# ------------------------------------------------------------------------------------- the snapshot


@st.composite
def snapshots(
    draw: DrawFn,
    max_units: int = 8,
    *,
    min_applicants: int = 1,
    max_applicants: int = 2,
    max_schemes: int = 2,
    as_of: date | None = None,
) -> Snapshot:
    """Draw a valid snapshot.

    Args:
        draw: Given by Hypothesis.
        max_units: Most units, over all schemes.
        min_applicants: Fewest applicants.
        max_applicants: Most applicants.
        max_schemes: Most schemes.
        as_of: The day it stands at; by default one of `DAYS`.
    """
    day = draw(_one_of(DAYS)) if as_of is None else as_of
    places: list[Scheme] = []
    left = max_units
    for number in range(1, draw(st.integers(1, max_schemes)) + 1):
        places.append(draw(schemes(f"s{number}", left, day)))
        left -= sum(1 for _ in places[-1].units)
    known: list[dict[str, Any]] = []
    homes = [unit for scheme in places for unit in scheme.units]
    case = _Places(places, draw(_residents(homes, day, known)))
    number = draw(st.integers(min_applicants, max_applicants))
    applicants = draw(_applicants(number, case, day, known))
    return Snapshot(
        as_of=day,
        schemes=case.schemes,
        residents=case.residents,
        applicants=tuple(applicants),
        conflicts=tuple(draw(_conflicts(case, applicants, day))),
        orders=tuple(draw(_orders(case, applicants, day))),
        vetoes=tuple(draw(_vetoes(case, applicants, day))),
    )


# ------------------------------------------------------------------------------------------ policies


@cache
def _default_content() -> dict[str, Any]:
    return tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8"))


@cache
def default_policy() -> Policy:
    """Return the default policy."""
    return Policy(_default_content())


@st.composite
def policies(draw: DrawFn, *, max_changes: int = 4, max_codes: int = 8, max_pairs: int = 4) -> Policy:
    """Draw a valid variant of the default policy.

    Rules change their effect where that is allowed, their points and parameters, and are switched off;
    justifications fall due for review.

    Args:
        draw: Given by Hypothesis.
        max_changes: Most rules that differ from the default.
        max_codes: Most codes in a set. What the engine of record compiles doubles with each.
        max_pairs: Most pairs in a table. What the engine of record compiles grows fourfold with each.
    """
    content = copy.deepcopy(_default_content())
    rules = draw(st.lists(st.sampled_from(RULEBOOK), max_size=max_changes, unique_by=lambda rule: rule.id))
    for rule in rules:
        change = _CHANGES[draw(st.sampled_from(_kinds_of_change(rule)))]
        change(draw, rule, content["rules"][rule.id], (max_codes, max_pairs))
    if draw(_rarely(4)):
        card = draw(st.sampled_from(sorted(content["justifications"])))
        content["justifications"][card]["review_by"] = draw(_one_of(_days(AS_OF, -1, 0)))
    return Policy(content)


def _change_effect(draw: DrawFn, rule: Rule, entry: dict[str, Any], _most: tuple[int, int]) -> None:
    allowed = [effect for effect in Effect if not rule.fixed or effect >= rule.effect]
    effect = draw(st.sampled_from(allowed))
    entry["effect"] = effect.code
    entry.pop("points", None)
    if effect is Effect.WEIGH:
        entry["points"] = draw(_one_of((1, 20, 3, 7, 1000)))


def _switch_off(_draw: DrawFn, _rule: Rule, entry: dict[str, Any], _most: tuple[int, int]) -> None:
    entry.update(enabled=False, off_reason="Prøvd av")


def _change_param(draw: DrawFn, rule: Rule, entry: dict[str, Any], most: tuple[int, int]) -> None:
    name = draw(st.sampled_from(sorted(rule.params)))
    given_by_policy = entry["params"][name]
    given_by_policy["value"] = draw(_values(rule.params[name], given_by_policy["value"], *most))


def _values(kind: ParamType, default: Any, codes: int, pairs: int) -> SearchStrategy[Any]:
    match kind:
        case Number(_, minimum, maximum):
            near = [n for n in (default - 1, default + 1) if minimum <= n <= maximum]
            return st.sampled_from([*near, minimum, maximum])
        case Codes(listed):
            every = [code.value for code in listed]
            return st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=codes)
        case Pairs(listed):
            every_pair = [list(pair) for pair in itertools.combinations([c.value for c in listed], 2)]
            return st.lists(st.sampled_from(every_pair), unique_by=tuple, min_size=1, max_size=pairs)
        case Choice(options):
            return st.sampled_from(options)
    raise TypeError(f"no values for {type(kind).__name__}")


def _kinds_of_change(rule: Rule) -> tuple[str, ...]:
    off = () if rule.fixed else ("off",)
    return (*("param",) * (3 if rule.params else 0), "effect", *off)


_CHANGES: dict[str, Callable[[DrawFn, Rule, dict[str, Any], tuple[int, int]], None]] = {
    "effect": _change_effect,
    "off": _switch_off,
    "param": _change_param,
}
