"""CEL (the Rust implementation): compiled expressions, called for each resident and for each unit."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from bench.encoded import PAIR, UNIT, YES, Dialect, Encoded, add_up, counted
from bench.workload import Case, Row, in_order

_cel: Any = import_module("cel")
_CEL = Dialect(" && ", " || ")


class Peer:
    """CEL for one case."""

    def __init__(self, _case: Case, encoded: Encoded) -> None:
        self._encoded = encoded
        self._pair = _cel.compile(_CEL.numbers(PAIR)).execute
        self._unit = _cel.compile(_CEL.numbers(UNIT)).execute

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        asked = self._encoded.applicants[applicant]
        pair, ask = asked.pair, self._pair
        found = []
        for unit in self._encoded.units:
            numbers = [
                ask({**pair, **facts, "en": YES if name in asked.enemies else 0})
                for name, facts in zip(unit.names, unit.residents, strict=True)
            ]
            found.append(add_up(unit.id, counted(numbers), self._unit({**unit.facts, **asked.unit})))
        return in_order(found)
