"""What the model allows facts to be, for proofs: each promise once, with its name and why it holds.

A proof is about all facts that keep these promises. One that the model does not keep would let a proof pass
over real cases, so the property tests hold every promise against every snapshot that they draw. Limits of
numbers and code lists are read from the model itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, get_args

from allocator import model
from allocator.codes import (
    CounterpartRole,
    EntranceForm,
    Gender,
    Need,
    UnitStatus,
)
from allocator.engines.symbolic import (
    Fact,
    Formula,
    Symbols,
    constant,
    encode,
    every,
    follows,
    no,
    same,
    some,
    spread,
    total,
)
from allocator.facts import VOCABULARY, Kind, Nearness, Place, Range, fact_type

ALWAYS_KNOWN = frozenset(
    {
        "case.as_of",
        "applicant.placement",
        "applicant.review_date_set",
        "applicant.needed_from",
        "unit.status",
        "unit.purpose",
        "group.unit_count",
        "scheme.has_gender_condition",
        "scheme.gender_condition_overdue",
        *(path for path in VOCABULARY if path.partition(".")[0] in ("conflict", "order", "veto")),
    }
)
"""Facts that the model has no way to leave out."""


@dataclass(frozen=True)
class Axiom:
    """A promise that the model keeps about facts.

    Attributes:
        name: What it is called.
        why: Why it holds.
        of: Returns it as formulas over some facts.
    """

    name: str
    why: str
    of: Callable[[Symbols], Iterable[Formula]]


_AXIOMS: list[Axiom] = []


def _axiom(of: Callable[[Symbols], Iterable[Formula]]) -> Callable[[Symbols], Iterable[Formula]]:
    """Register a promise; its docstring says why it holds."""
    _AXIOMS.append(Axiom(of.__name__.strip("_").replace("_", "-"), (of.__doc__ or "").strip(), of))
    return of


def allowed(symbols: Symbols) -> Formula:
    """Return *the model allows these facts*."""
    return every(formula for axiom in AXIOMS for formula in axiom.of(symbols))


# ---------------------------------------------------------------------------------- one fact at a time

_FIELDS: Mapping[str, tuple[type[model.Record], str]] = {
    "applicant.stay_months": (model.Placement, "stay_months"),
    "unit.floor": (model.Unit, "floor"),
    "unit.area_m2": (model.Unit, "area_m2"),
    "unit.exits": (model.Unit, "exits"),
    "unit.max_stay_months": (model.Unit, "max_stay_months"),
    "unit.min_stay_months": (model.Unit, "min_stay_months"),
    "scheme.agreement_max_months": (model.Scheme, "agreement_max_months"),
}
"""Numbers that are read as they stand in a record."""

_LIFETIME = (model.LAST_DAY - model.FIRST_DAY).days
_MANY = 1_000_000
"""More units than a municipality has."""

_OTHER_LIMITS: Mapping[str, tuple[int, int]] = {
    "applicant.age": (model.ADULT_AGE, model.LAST_DAY.year - model.FIRST_DAY.year),
    "resident.age": (model.ADULT_AGE, model.LAST_DAY.year - model.FIRST_DAY.year),
    "resident.days_lived": (0, _LIFETIME),
    "unit.days_vacant": (-_LIFETIME, _LIFETIME),
    "group.unit_count": (1, _MANY),
    "scheme.unit_count": (1, _MANY),
}
"""Numbers that are worked out from others."""


@cache
def limits(path: str) -> tuple[int, int] | None:
    """Return the least and the most that a number, date or code may be; None for a yes-or-no fact."""
    match fact_type(path).kind:
        case Kind.BOOL | Kind.CODES:
            return None
        case Kind.DATE:
            return model.FIRST_DAY.toordinal(), model.LAST_DAY.toordinal()
        case Kind.CODE:
            codes = fact_type(path).codes
            assert codes is not None
            return 0, len(codes) - 1
        case Kind.INT:
            if path in _OTHER_LIMITS:
                return _OTHER_LIMITS[path]
            record, name = _FIELDS[path]
            bounds = dict(_bounds(record.model_fields[name].annotation))
            return bounds["ge"], bounds["le"]


def _bounds(annotation: Any) -> Iterator[tuple[str, int]]:
    """Yield the limits that stand anywhere in a field's type."""
    inner = getattr(annotation, "model_fields", None)
    if inner is not None and "value" in inner:
        yield from _metadata(inner["value"].metadata)
        yield from _bounds(inner["value"].annotation)
    for part in get_args(annotation):
        for name in ("ge", "le"):
            if hasattr(part, name):
                yield name, getattr(part, name)
        yield from _metadata(getattr(part, "metadata", ()))
        yield from _bounds(part)


def _metadata(metadata: Iterable[Any]) -> Iterator[tuple[str, int]]:
    for item in metadata:
        for name in ("ge", "le"):
            if hasattr(item, name):
                yield name, getattr(item, name)


def _all_facts(symbols: Symbols) -> Iterator[tuple[str, Fact]]:
    for _, facts in symbols.everywhere():
        yield from facts.items()


@_axiom
def _within_limits(symbols: Symbols) -> Iterator[Formula]:
    """The model refuses numbers, dates and codes outside these."""
    for path, fact in _all_facts(symbols):
        bounds = limits(path)
        if bounds is not None:
            yield follows(fact.known, every((fact.value >= bounds[0], fact.value <= bounds[1])))


@_axiom
def _always_known(symbols: Symbols) -> Iterator[Formula]:
    """The model requires the field, or the fact is worked out from such fields."""
    for path, fact in _all_facts(symbols):
        if path in ALWAYS_KNOWN:
            yield fact.known


@_axiom
def _comparable_gender(symbols: Symbols) -> Iterator[Formula]:
    """Only women and men are compared; any other or no stated gender is read as unknown."""
    for path, fact in _all_facts(symbols):
        if path in ("applicant.gender", "resident.gender", "scheme.gender"):
            yield follows(fact.known, some(_is(path, fact, code) for code in (Gender.WOMAN, Gender.MAN)))


@_axiom
def _said_only_when_so(symbols: Symbols) -> Iterator[Formula]:
    """That somebody asked is recorded only when somebody has."""
    for path in ("applicant.conflicts_asked", "applicant.orders_checked"):
        yield follows(symbols.facts[path].known, symbols.facts[path].value)


# ------------------------------------------------------------------------------ facts that go together


def _is(path: str, fact: Fact, code: str) -> Formula:
    return fact.value == encode(path, str(code))


def _set(symbols: Symbols, path: str) -> list[Fact]:
    return [symbols.facts[code] for code in spread(VOCABULARY[path])]


def _alike(formulas: list[Formula]) -> Iterator[Formula]:
    """Yield that all of them hold or none."""
    for one, other in itertools.pairwise(formulas):
        yield same(one, other)


@_axiom
def _lists_known_whole(symbols: Symbols) -> Iterator[Formula]:
    """An assessed list is known with all its codes or not at all."""
    for path in ("applicant.target_groups", "scheme.target_groups"):
        yield from _alike([fact.known for fact in _set(symbols, path)])


@_axiom
def _needs_hold_until(symbols: Symbols) -> Iterator[Formula]:
    """Needs and services are read from one assessment, while it holds; its last day is known longer."""
    facts = symbols.facts
    until, day = facts["applicant.needs_valid_until"], facts["case.as_of"].value
    holds = until.holds(until.value >= day)
    for path in ("applicant.needs", "applicant.services"):
        yield from (same(fact.known, holds) for fact in _set(symbols, path))


@_axiom
def _risk_holds_until(symbols: Symbols) -> Iterator[Formula]:
    """A conclusion and its measures are read from one assessment, while it holds."""
    facts = symbols.facts
    until, day = facts["applicant.risk_valid_until"], facts["case.as_of"].value
    concluded = facts["applicant.violence"].known
    yield follows(concluded, until.holds(until.value >= day))
    yield from (same(fact.known, concluded) for fact in _set(symbols, "applicant.risk_measures"))


@_axiom
def _needed_from_today(symbols: Symbols) -> Iterator[Formula]:
    """A home that was needed earlier is needed today."""
    yield symbols.facts["applicant.needed_from"].value >= symbols.facts["case.as_of"].value


@_axiom
def _wishes_told_together(symbols: Symbols) -> Iterator[Formula]:
    """Wishes and reservations are asked for together, and who wishes this place has a wish."""
    facts = symbols.facts
    wished, anywhere = facts["choice.wished"], facts["choice.any_wish"]
    yield from _alike([wished.known, anywhere.known, facts["choice.reserved_against"].known])
    yield follows(every((wished.known, wished.value)), anywhere.value)


@_axiom
def _offer_complete_or_not(symbols: Symbols) -> Iterator[Formula]:
    """An offer is not told, told in full, or told with what it leaves out unknown; one mark says which."""
    offers = [_set(symbols, path) for path in ("scheme.services", "scheme.measures")]
    in_full = every(
        some((every(fact.known for fact in offer), no(some(fact.known for fact in offer))))
        for offer in offers
    )
    in_part = every(follows(fact.known, fact.value) for offer in offers for fact in offer)
    yield some((in_full, in_part))


@cache
def _told_features() -> frozenset[str]:
    """Return the features that a home can be known to have or lack, whatever is recorded of it."""
    unit = model.Unit(id="u", status=UnitStatus.VACANT)
    group = model.LivingGroup(id="g", name="g", units=(unit,))
    scheme = model.Scheme(id="s", name="s", living_groups=(group,))
    told = VOCABULARY["unit.features"].read(Place(unit, group, scheme), date(2000, 1, 1))
    return frozenset(f"unit.features:{code}" for code in told)


@_axiom
def _features_that_are_told(symbols: Symbols) -> Iterator[Formula]:
    """Of the needs that a home may meet, some have a field of their own and are not read as features."""
    for path in spread(VOCABULARY["unit.features"]):
        if path not in _told_features():
            yield no(symbols.facts[path].known)


@_axiom
def _features_tell_the_same(symbols: Symbols) -> Iterator[Formula]:
    """Some features are another fact in other words."""
    facts = symbols.facts

    def feature(need: Need) -> Fact:
        return facts[f"unit.features:{need.value}"]

    entrance = facts["unit.entrance"]
    own = _is("unit.entrance", entrance, EntranceForm.OWN)
    yield from _same_fact(feature(Need.OWN_ENTRANCE), Fact(entrance.known, own))
    hospital = facts["scheme.near_hospital"]
    yield from _same_fact(feature(Need.AWAY_FROM_HOSPITAL), Fact(hospital.known, no(hospital.value)))
    yield from _same_fact(feature(Need.NEAR_ACTIVITY), facts["scheme.activities_on_site"])


def _same_fact(one: Fact, other: Fact) -> Iterator[Formula]:
    yield same(one.known, other.known)
    yield follows(one.known, same(one.value, other.value))


@_axiom
def _gender_condition_holds_or_is_overdue(symbols: Symbols) -> Iterator[Formula]:
    """A condition comes with gender and review date, and holds until that day has passed."""
    facts = symbols.facts
    day, review = facts["case.as_of"].value, facts["scheme.gender_review_by"]
    yield same(facts["scheme.has_gender_condition"].value, review.holds(review.value >= day))
    yield same(facts["scheme.gender_condition_overdue"].value, review.holds(review.value < day))
    yield same(facts["scheme.gender"].known, review.known)


@_axiom
def _adopted_requirement(symbols: Symbols) -> Iterator[Formula]:
    """Whether a requirement is adopted is known only of a requirement."""
    facts = symbols.facts
    yield follows(facts["scheme.entry_adopted"].known, facts["scheme.entry_requirement"].known)


@_axiom
def _vacant_since(symbols: Symbols) -> Iterator[Formula]:
    """Since when a home stands empty is recorded only while it does."""
    status = symbols.facts["unit.status"]
    yield follows(symbols.facts["unit.days_vacant"].known, _is("unit.status", status, UnitStatus.VACANT))


@_axiom
def _shortest_and_longest_stay(symbols: Symbols) -> Iterator[Formula]:
    """The model refuses a longest stay under the shortest."""
    shortest, longest = symbols.facts["unit.min_stay_months"], symbols.facts["unit.max_stay_months"]
    yield follows(every((shortest.known, longest.known)), longest.value >= shortest.value)


# ----------------------------------------------------------------------------------- homes and members


@_axiom
def _groups_within_schemes(symbols: Symbols) -> Iterator[Formula]:
    """The homes of a living group are homes of its scheme."""
    scheme = symbols.facts["scheme.unit_count"]
    yield follows(scheme.known, scheme.value >= symbols.facts["group.unit_count"].value)


@_axiom
def _residents_have_homes(symbols: Symbols) -> Iterator[Formula]:
    """Each resident has a home of their own in the group, and none in one that is not lived in."""
    facts = symbols.facts
    status = facts["unit.status"]
    lived_in = some(
        _is("unit.status", status, code) for code in (UnitStatus.OCCUPIED, UnitStatus.NOTICE_GIVEN)
    )
    living = total(member.copies for member in symbols.members.get(Range.RESIDENT, ()))
    homes = facts["group.unit_count"].value
    yield living <= homes
    yield some((lived_in, living < homes))


@_axiom
def _no_negative_numbers(symbols: Symbols) -> Iterator[Formula]:
    """There are none or more of each kind of member."""
    for members in symbols.members.values():
        yield from (member.copies >= constant(0) for member in members)


@_axiom
def _visitors_live_elsewhere(symbols: Symbols) -> Iterator[Formula]:
    """A visitor or relative is no resident here; anyone else in a conflict lives in the scheme."""
    for member in symbols.members.get(Range.CONFLICT, ()):
        near, role = member.facts["conflict.nearness"], member.facts["conflict.counterpart_role"]
        outside = (CounterpartRole.VISITOR, CounterpartRole.NEXT_OF_KIN)
        yield same(
            _is("conflict.nearness", near, Nearness.VISITS),
            some(_is("conflict.counterpart_role", role, code) for code in outside),
        )


@_axiom
def _first_day_before_last(symbols: Symbols) -> Iterator[Formula]:
    """The model refuses an order or an objection that ends before it begins."""
    for over, first, last in (
        (Range.ORDER, "order.valid_from", "order.valid_until"),
        (Range.VETO, "veto.raised_on", "veto.valid_until"),
    ):
        for member in symbols.members.get(over, ()):
            yield member.facts[first].value <= member.facts[last].value


AXIOMS: tuple[Axiom, ...] = tuple(_AXIOMS)
"""Every promise."""
