"""The columnar engine: :class:`allocator.ranking.Rankings`, a case and a policy laid out once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from allocator.model import Resident
from allocator.ranking import Ranking, Rankings
from bench.encoded import Encoded
from bench.workload import Case, Findings, Row

Array = NDArray[np.int64]


class Peer:
    """The columnar engine for one case."""

    def __init__(self, case: Case, _encoded: Encoded | None = None) -> None:
        self._case = case
        self.rankings = Rankings(case.facts, case.policy)

    def warm(self) -> None:
        """Ask about every applicant once: what concerns one alone is kept from then on."""
        for applicant in self._case.applicants:
            self.ask(applicant)

    def forget(self) -> None:
        """Forget all applicants, so that the next one is new."""
        self.rankings._asked.clear()  # noqa: SLF001 - how much it saves is what is measured

    def change(self, person: Resident) -> None:
        """Take over what is now known of somebody."""
        self.rankings.update(person)

    def ask(self, applicant: str) -> Ranking:
        """Return the answer as it is given out."""
        return self.rankings.units_for(applicant)

    def arrays(self, applicant: str) -> tuple[Array, Array, Array, Array]:
        """Rank all units: places, ranks, verdicts and scores, best first."""
        ranking = self.ask(applicant)
        return ranking.places, ranking.ranks, ranking.verdicts, ranking.scores

    def answer(self, applicant: str) -> Sequence[object]:
        """Rank all units: a line for each, as the product gives it."""
        return self.ask(applicant).lines()

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units, in the form that answers are compared in."""
        return [
            (row.id, int(row.verdict), row.score, row.broken, row.unknown)
            for row in self.ask(applicant).rows()
        ]

    def brief(self, applicant: str, first: int | None = None) -> bytes:
        """Return what is broken or unknown in the first units, and because of whom, as JSON."""
        return self.ask(applicant).to_json(first)

    def briefs(self, applicant: str) -> Sequence[object]:
        """Return what is broken or unknown in every unit, and because of whom."""
        return self.ask(applicant).briefs()

    def findings(self, applicant: str) -> list[tuple[str, Findings]]:
        """Return the findings in full for every unit."""
        ranking = self.ask(applicant)
        return list(zip(ranking.ids, ranking.all_findings(), strict=True))

    def full(self, applicant: str, first: int | None = None) -> bytes:
        """Return all findings of the first units, kept ones too, with the facts that were read, as JSON."""
        ranking = self.ask(applicant)
        told = zip(ranking.ids[:first], ranking.all_findings(first), strict=True)
        return orjson.dumps([_told(name, found) for name, found in told])


def _told(name: str, found: Findings) -> dict[str, Any]:
    """Return a unit with its findings, without texts."""
    return {
        "unit": name,
        "findings": [
            {
                "rule": finding.rule.id,
                "outcome": finding.outcome,
                "effect": finding.rule.effect.code,
                "overridable": finding.overridable,
                "points": finding.points,
                "could_cost": finding.could_cost,
                "about": finding.about,
                "facts": finding.facts,
            }
            for finding in found
        ],
    }
