"""The mix of a living group in numbers: as it is, and as it would be with somebody more.

Counted from what one reader may see of each who lives there. What they may not see, or nobody knows, is
counted as unknown and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allocator.codes import Gender, SubstanceUse

OLDEST_BAND = 70
"""Whoever is as old as this or older is in one band."""


@dataclass(frozen=True)
class Neighbour:
    """What a reader sees of somebody who lives in a living group, or may come to. None is unknown to them.

    Attributes:
        gender: As they state it.
        age: In years.
        use: How they use substances now.
    """

    gender: Gender | None = None
    age: int | None = None
    use: SubstanceUse | None = None


@dataclass(frozen=True)
class Count:
    """How many are of a kind.

    Attributes:
        of: What is counted: ``gender``, ``age`` or ``use``.
        which: The code, or the first year of an age band; None for those of whom it is not known.
        now: How many live there today.
        then: How many it would be with the newcomer; None if nobody is to come.
    """

    of: str
    which: str | int | None
    now: int
    then: int | None


def age_band(age: int) -> int:
    """Return the first year of an age's band: of its decade, or of the oldest band."""
    return min(age // 10 * 10, OLDEST_BAND)


def counts(neighbours: Iterable[Neighbour], newcomer: Neighbour | None = None) -> list[Count]:
    """Return how many there are of each kind that is there or would be, in a fixed order."""
    there = list(neighbours)
    found: list[Count] = []
    for of, order in (("gender", list(Gender)), ("age", None), ("use", list(SubstanceUse))):
        now = [_which(one, of) for one in there]
        more = [] if newcomer is None else [_which(newcomer, of)]
        seen = {which for which in (*now, *more) if which is not None}
        kinds = sorted(seen, key=int) if order is None else [code for code in order if code in seen]
        for which in (*kinds, *([None] if None in (*now, *more) else [])):
            today = now.count(which)
            then = None if newcomer is None else today + more.count(which)
            found.append(Count(of, which, today, then))
    return found


def _which(one: Neighbour, of: str) -> str | int | None:
    if of == "age":
        return None if one.age is None else age_band(one.age)
    return one.gender if of == "gender" else one.use
