"""DuckDB: residents and units in tables, the applicant in parameters, one prepared query on one thread.

Null is unknown, and SQL's *and*, *or* and *not* are those of our language, so nothing is encoded for it and
it counts, adds up and sorts by itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from bench.encoded import BARS, BIT, NAMES, PAIR, UNIT, Encoded, Numbers
from bench.workload import FULL_FROM_PERCENT, POINTS, Case, Row

_duckdb: Any = import_module("duckdb")

_PAIR = {
    "pair-gender": "$g <> r.g",
    "pair-enemies": "list_contains($enemies, r.id)",
    "pair-substance": "($st AND r.op) OR ($op AND r.st)",
    "pair-age": "($yo AND r.ol) OR ($ol AND r.yo)",
    "pair-harm": "($vu AND r.hi) OR ($hi AND r.vu)",
}
_LIMIT = f"greatest(1, (members * {FULL_FROM_PERCENT} + 99) // 100)"
_UNIT = {
    "group-rop": "(u.req AND $nrp) OR (u.mix AND $rp)",
    "group-risk": f"$ri AND CASE WHEN risky >= {_LIMIT} THEN true "
    f"WHEN risky + perhaps_risky < {_LIMIT} THEN false END",
    "unit-lift": "$nli AND u.nlg",
    "unit-ground": "$ngr AND u.off",
    "unit-stay": "$sta > u.mst",
    "unit-size": "u.siz",
    "unit-visits": "$avi AND u.vis",
    "pair-enemies": "$una",
}
_PEOPLE = ("st", "op", "yo", "ol", "vu", "hi", "ri")
_PLACES = ("req", "mix", "nlg", "off", "siz", "vis")


def _query() -> str:
    """Return the query for one applicant."""
    tests = ", ".join(f"({test}) AS p{at}" for at, test in enumerate(_PAIR.values()))
    sums = ", ".join(
        f"count(*) FILTER (p{at}) AS t{at}, count(*) FILTER (p{at} IS NULL) AS n{at}"
        for at in range(len(PAIR))
    )
    values = ", ".join(f"({test}) AS v{at}" for at, test in enumerate(_UNIT.values()))
    sure = [f"(t{at} > 0)::INT * {BIT[rule]}" for at, rule in enumerate(_PAIR)]
    sure += [f"coalesce(v{at}, false)::INT * {BIT[rule]}" for at, rule in enumerate(_UNIT)]
    perhaps = [f"(n{at} > 0)::INT * {BIT[rule]}" for at, rule in enumerate(_PAIR)]
    perhaps += [f"(v{at} IS NULL)::INT * {BIT[rule]}" for at, rule in enumerate(_UNIT)]
    cost = [f"t{at} * {POINTS[rule]}" for at, rule in enumerate(_PAIR) if rule in POINTS]
    cost += [
        f"coalesce(v{at}, false)::INT * {POINTS[rule]}" for at, rule in enumerate(_UNIT) if rule in POINTS
    ]
    return f"""
        WITH pairs AS (SELECT r.u, r.ri, {tests} FROM residents r),
        groups AS (
            SELECT u, count(*) AS members, count(*) FILTER (ri) AS risky,
                   count(*) FILTER (ri IS NULL) AS perhaps_risky, {sums}
            FROM pairs GROUP BY u
        ),
        units AS (SELECT groups.*, u.name, {values} FROM groups JOIN places u ON u.u = groups.u),
        masks AS (
            SELECT name, {" | ".join(sure)} AS broken, {" | ".join(perhaps)} AS unknown,
                   100 - ({" + ".join(cost)}) AS score
            FROM units
        )
        SELECT name, CASE WHEN broken & {BARS} > 0 THEN 4 WHEN unknown & {BARS} > 0 THEN 2
                     WHEN broken | unknown > 0 THEN 1 ELSE 0 END AS verdict, score, broken, unknown
        FROM masks ORDER BY verdict, score DESC, name
    """  # noqa: S608 - made of the constants above


def _three(value: int) -> bool | None:
    return (False, None, True)[value]


def _found(value: int) -> int | None:
    return None if value < 0 else value


class Peer:
    """DuckDB for one case."""

    def __init__(self, _case: Case, encoded: Encoded) -> None:
        self._encoded = encoded
        self._base = _duckdb.connect(":memory:", config={"threads": 1})
        people = ", ".join(f"{name} BOOLEAN" for name in _PEOPLE)
        places = ", ".join(f"{name} BOOLEAN" for name in _PLACES)
        self._base.execute(f"CREATE TABLE residents (u INTEGER, id VARCHAR, g TINYINT, {people})")
        self._base.execute(f"CREATE TABLE places (u INTEGER, name VARCHAR, mst INTEGER, {places})")
        self._fill("residents", self._residents())
        self._fill("places", self._places())
        self._query = _query()

    def _residents(self) -> list[list[Any]]:
        return [
            [at, name, numbers["g"] or None, *(_three(numbers[fact]) for fact in _PEOPLE)]
            for at, unit in enumerate(self._encoded.units)
            for name, numbers in zip(unit.names, unit.people, strict=True)
        ]

    def _places(self) -> list[list[Any]]:
        return [
            [at, unit.id, _found(unit.facts["mst"]), *(_three(unit.facts[fact]) for fact in _PLACES)]
            for at, unit in enumerate(self._encoded.units)
        ]

    def _fill(self, table: str, rows: list[list[Any]]) -> None:
        several = 1000
        for first in range(0, len(rows), several):
            part = rows[first : first + several]
            marks = ", ".join(f"({', '.join('?' * len(part[0]))})" for _ in part)
            self._base.execute(f"INSERT INTO {table} VALUES {marks}", [cell for row in part for cell in row])  # noqa: S608 - our own table

    def _given(self, applicant: str) -> dict[str, Any]:
        asked = self._encoded.applicants[applicant]
        mine: Numbers = {**asked.person, **asked.unit}
        truths = ("st", "op", "yo", "ol", "vu", "hi", "ri", "rp", "nrp", "nli", "ngr", "avi", "una")
        return {
            **{name: _three(mine[name]) for name in truths if name in mine},
            "rp": _three(mine["rp"]),
            "g": mine["g"] or None,
            "sta": _found(mine["sta"]),
            "enemies": sorted(asked.enemies),
        }

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        found = self._base.execute(self._query, self._given(applicant)).fetchall()
        return [
            (name, verdict, score, NAMES[broken], NAMES[unknown])
            for name, verdict, score, broken, unknown in found
        ]


assert list(_PAIR) == list(PAIR)
assert list(_UNIT) == list(UNIT)
