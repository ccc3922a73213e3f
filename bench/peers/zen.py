"""ZEN (GoRules): compiled expressions, called once for each unit, which maps over the residents itself."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from bench.encoded import PAIR, R_PAIR, UNIT, YES, Dialect, Encoded, add_up, counted
from bench.workload import Case, Row, in_order

_zen: Any = import_module("zen")

_PAIR = Dialect(" and ", " or ", lambda name: f"#.{name}" if name in (*R_PAIR, "en") else name)
_UNIT = Dialect(" and ", " or ")


class Peer:
    """ZEN for one case."""

    def __init__(self, _case: Case, encoded: Encoded) -> None:
        self._encoded = encoded
        self._ask = _zen.compile_expression(
            f"{{p: map(rs, {_PAIR.numbers(PAIR)}), u: {_UNIT.numbers(UNIT)}}}"
        ).evaluate
        self._units = [
            (unit, {**unit.facts, "rs": [{**numbers, "en": 0} for numbers in unit.residents]})
            for unit in encoded.units
        ]

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        asked = self._encoded.applicants[applicant]
        mine = {**asked.pair, **asked.unit}
        found = []
        for unit, facts in self._units:
            given = {**facts, **mine}
            if not asked.enemies.isdisjoint(unit.names):
                given["rs"] = [
                    {**numbers, "en": YES if name in asked.enemies else 0}
                    for name, numbers in zip(unit.names, unit.residents, strict=True)
                ]
            answer = self._ask(given)
            found.append(add_up(unit.id, counted(answer["p"]), answer["u"]))
        return in_order(found)
