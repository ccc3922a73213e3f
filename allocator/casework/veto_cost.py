"""What objections cost: which homes they close to whom, and how often they are raised and followed.

A count of who would otherwise have had a choice, so that an objection is never free of charge to the one who
raises it or answers it (`peers.md` 2.5). It says nothing of whether the objection is right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from allocator.casework.codes import VetoAnswer, VetoOutcome
from allocator.casework.objections import stands
from allocator.casework.voice import Veto
from allocator.codes import UnitStatus, VetoGround, VetoStatus
from allocator.model import Snapshot
from allocator.model import Veto as VetoEntry


@dataclass(frozen=True)
class Place:
    """A unit, where it is, and whether it is vacant now."""

    unit: str
    group: str
    scheme: str
    vacant: bool


@dataclass(frozen=True)
class Closed:
    """What one objection closes to its applicant now.

    Attributes:
        units: The vacant units within its reach.
        alone: Those that no other objection closes to the same applicant: what lifting it would open.
    """

    units: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()


@dataclass(frozen=True, order=True)
class Cost:
    """What the objections under one heading cost together.

    Attributes:
        key: The scheme, ground or author.
        vetoes: How many count now.
        applicants: How many applicants lose at least one unit.
        units: How many units they lose, added up over applicants; one closed twice is lost once.
    """

    key: str
    vetoes: int
    applicants: int
    units: int


@dataclass(frozen=True, order=True)
class Rate:
    """How often a scheme has objected on a ground, and what came of it (REQ-VET-4)."""

    scheme: str
    ground: VetoGround
    outcome: VetoOutcome
    count: int


def places(snapshot: Snapshot) -> tuple[Place, ...]:
    """Return the units of a snapshot."""
    return tuple(
        Place(unit.id, group.id, scheme.id, unit.status is UnitStatus.VACANT)
        for scheme in snapshot.schemes
        for group in scheme.living_groups
        for unit in group.units
    )


def reach(entry: VetoEntry, units: Iterable[Place]) -> frozenset[str]:
    """Return the vacant units that lie where an objection points."""
    return frozenset(
        place.unit
        for place in units
        if place.vacant
        and (place.unit == entry.unit or place.group == entry.living_group or place.scheme == entry.scheme)
    )


def closed(entry: VetoEntry, others: Iterable[VetoEntry], units: Sequence[Place], day: date) -> Closed:
    """Return what an objection closes on a day, and what of it no other objection closes.

    Args:
        entry: The objection.
        others: All objections; `entry` itself may be among them.
        units: The units.
        day: The day.
    """
    if not stands(entry, day):
        return Closed()
    mine = reach(entry, units)
    theirs = (
        reach(other, units)
        for other in others
        if other.id != entry.id and other.applicant == entry.applicant and stands(other, day)
    )
    return Closed(mine, mine.difference(*theirs))


def by_scheme(veto: Veto) -> str:
    """Return the scheme whose staff object."""
    return veto.scheme


def by_ground(veto: Veto) -> str:
    """Return the ground."""
    return veto.entry.ground.value


def by_author(veto: Veto) -> str:
    """Return who objects."""
    return veto.author


def costs(
    vetoes: Iterable[Veto], units: Sequence[Place], day: date, key: Callable[[Veto], str]
) -> tuple[Cost, ...]:
    """Return what objections cost on a day, by scheme, ground or author, in the order of the key."""
    lost: dict[str, set[tuple[str, str]]] = defaultdict(set)
    count: Counter[str] = Counter()
    for veto in vetoes:
        if stands(veto.entry, day):
            count[key(veto)] += 1
            lost[key(veto)].update((veto.entry.applicant, unit) for unit in reach(veto.entry, units))
    return tuple(
        Cost(name, number, len({applicant for applicant, _ in lost[name]}), len(lost[name]))
        for name, number in sorted(count.items())
    )


def outcome(veto: Veto, day: date) -> VetoOutcome:
    """Return what has become of an objection by a day. An answer counts though it was withdrawn later."""
    if veto.answered is not None:
        return _ANSWERED[veto.answered.answer]
    if veto.entry.status is VetoStatus.WITHDRAWN:
        return VetoOutcome.WITHDRAWN
    return VetoOutcome.RUN_OUT if veto.entry.valid_until < day else VetoOutcome.OPEN


_ANSWERED = {
    VetoAnswer.FOLLOWED: VetoOutcome.FOLLOWED,
    VetoAnswer.PARTLY: VetoOutcome.PARTLY,
    VetoAnswer.NOT_FOLLOWED: VetoOutcome.NOT_FOLLOWED,
}


def rates(vetoes: Iterable[Veto], day: date) -> tuple[Rate, ...]:
    """Return how often each scheme has objected on each ground, and what came of it."""
    return tuple(sorted(_rates(vetoes, day)))


def _rates(vetoes: Iterable[Veto], day: date) -> Iterator[Rate]:
    counted = Counter((veto.scheme, veto.entry.ground, outcome(veto, day)) for veto in vetoes)
    for (scheme, ground, result), number in counted.items():
        yield Rate(scheme, ground, result, number)
