"""The engine of record, ``durable_rules``, with :mod:`allocator.scoring`; in this process, uncontained."""

from __future__ import annotations

from allocator.engines.durable import DurableEngine
from bench.encoded import Encoded
from bench.workload import Case, Findings, Row, in_order, judged, row


class Peer:
    """The engine of record for one case."""

    def __init__(self, case: Case, _encoded: Encoded | None = None) -> None:
        self._case = case
        self._engine = DurableEngine(case.rules)

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        return in_order([row(name, found) for name, found in self.findings(applicant)])

    def findings(self, applicant: str) -> list[tuple[str, Findings]]:
        """Return the findings in full for every unit."""
        return judged(self._case, self._engine, applicant, self._case.units)
