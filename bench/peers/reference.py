"""The reference engine with :mod:`allocator.scoring`: findings in full for every unit, then the rows."""

from __future__ import annotations

from allocator.engines.reference import ReferenceEngine
from bench.encoded import Encoded
from bench.workload import Case, Findings, Row, in_order, judged, row


class Peer:
    """The reference engine for one case."""

    def __init__(self, case: Case, _encoded: Encoded | None = None) -> None:
        self._case = case
        self._engine = ReferenceEngine(case.rules)

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        return in_order([row(name, found) for name, found in self.findings(applicant)])

    def findings(self, applicant: str) -> list[tuple[str, Findings]]:
        """Return the findings in full for every unit."""
        return judged(self._case, self._engine, applicant, self._case.units)
