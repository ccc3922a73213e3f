"""Small numbers about people: which cells of a table are hidden so that nobody can find them (REQ-BSL-5).

One place for it. :func:`hidden` assumes that whoever reads a table knows all its totals; :func:`table` makes
a table of people fit to be told, and :func:`part` a single number of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

R = TypeVar("R", bound=Hashable)
C = TypeVar("C", bound=Hashable)

REST = "rest"
"""All groups together that are too small to be named."""

Behind = Counter[str]
"""How many of something, by the person behind it."""


def hidden(
    rows: Sequence[R],
    columns: Sequence[C],
    numbers: Mapping[tuple[R, C], int],
    small: Collection[tuple[R, C]],
) -> set[tuple[R, C]]:
    """Return the cells to hide so that none of those in *small* is known to who knows all the rest.

    Each is hidden as one corner of a rectangle of four hidden cells. There is another table with the same
    shown numbers, row totals and column totals, in which one has moved round the corners. The rectangle is
    chosen so that the cell might as well be empty, where there is such a one, and else hides as little as may
    be. There must be two rows or more, and no cell of *small* may be all of its row.
    """
    found: set[tuple[R, C]] = set()
    for cell in small:
        if cell not in found:
            found |= _rectangle(cell, rows, columns, numbers, found)
    return found


def _rectangle(
    cell: tuple[R, C],
    rows: Sequence[R],
    columns: Sequence[C],
    numbers: Mapping[tuple[R, C], int],
    hidden: set[tuple[R, C]],
) -> set[tuple[R, C]]:
    """Return the corners of the best rectangle from which one can be moved round, *cell* being one."""
    row, column = cell
    best: tuple[tuple[bool, int, int, int], set[tuple[R, C]]] | None = None
    for i, other in enumerate(rows):
        for j, beside in enumerate(columns):
            if other == row or beside == column:
                continue
            across, down, opposite = (row, beside), (other, column), (other, beside)
            can_shrink = numbers[opposite] > 0
            can_grow = numbers[across] > 0 and numbers[down] > 0
            if not can_shrink and not can_grow:
                continue
            corners = {cell, across, down, opposite}
            lost = sum(numbers[corner] for corner in corners - hidden)
            place = (numbers[opposite] < numbers[cell], lost, i, j)
            if best is None or place < best[0]:
                best = (place, corners)
    assert best is not None, "a cell that is not all of its row has a rectangle"
    return best[1]


def table(
    groups: Mapping[str, Mapping[str, Behind]], columns: Sequence[str], k: int
) -> dict[str, dict[str, int | None]]:
    """Return a table in which no number about fewer than *k* people can be found; None is hidden.

    Groups of fewer than *k* people are put together, so that not even their presence shows. A table of one
    group alone, or of fewer than *k* people, is told only if nothing in it is small.
    """
    rows = _large_enough(groups, k)
    numbers = {(name, c): rows[name].get(c, Behind()).total() for name in rows for c in columns}
    small = [(name, c) for name in rows for c in columns if numbers[name, c] and len(rows[name][c]) < k]
    if small and len(rows) < 2:  # noqa: PLR2004 - one row can be told by its total
        return {}
    used = [c for c in columns if any(numbers[name, c] for name in rows)]
    gone = hidden(list(rows), used, numbers, small)
    return {name: {c: None if (name, c) in gone else numbers[name, c] for c in columns} for name in rows}


def _large_enough(groups: Mapping[str, Mapping[str, Behind]], k: int) -> dict[str, Mapping[str, Behind]]:
    """Return the groups of at least *k* people; those too small, and the next smallest, are one group."""
    named = {name: row for name, row in groups.items() if _people(row)}
    rest: dict[str, Behind] = {}
    by_size = sorted(named, key=lambda name: (len(_people(named[name])), name))
    for name in by_size:
        if len(_people(named[name])) >= k and (not rest or len(_people(rest)) >= k):
            break
        for column, behind in named.pop(name).items():
            rest[column] = rest.get(column, Behind()) + behind
    if not rest:
        return named
    return named | ({REST: rest} if len(_people(rest)) >= k else {})


def _people(row: Mapping[str, Behind]) -> frozenset[str]:
    return frozenset(name for behind in row.values() for name, count in behind.items() if count)


def part(of_them: int, all_of_them: int, k: int) -> int | None:
    """Return how many of some people something is true of; None if that, or the others, are too few."""
    others = all_of_them - of_them
    return None if all_of_them < k or 0 < of_them < k or 0 < others < k else of_them
