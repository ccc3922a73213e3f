"""An office in which somebody has been given a unit, without asking the engine."""

from __future__ import annotations

from typing import Any

from allocator.casework.cases import Case
from allocator.casework.codes import (
    AppealBody,
    CaseState,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    Role,
)
from allocator.casework.committee import Decision
from allocator.casework.people import Person
from tests.office import TODAY, Office


class Decided(Office):
    """``P-1`` has the case ``S-1``, which ``V-1`` gives ``nordlia-7``; ``B-1`` lives in ``nordlia-1``."""

    def __init__(self, backend: str = "sqlite") -> None:
        super().__init__(backend)
        self.house("nordlia", units=8)
        self.house("havna", units=1)
        self.resident("B-1", "nordlia-1")
        self.seed(Person(name="Kari Oppdiktet"), "P-1")
        self.seed(
            Case(
                person="P-1", state=CaseState.DECIDED, received_on=TODAY, waiting_since=TODAY, listed_on=TODAY
            ),
            "S-1",
        )
        self.seed(self.decision(), "V-1")
        self.worker = self.somebody(Role.CASEWORKER)

    def decision(self, **more: Any) -> Decision:
        """Return a decision that was made today."""
        said: dict[str, Any] = {
            "type": DecisionType.ALLOCATION,
            "case": "S-1",
            "outcome": DecisionOutcome.ALLOCATED,
            "unit": "nordlia-7",
            "scheme": "nordlia",
            "grounds": "Egne ord.",
            "appeal_body": AppealBody.MUNICIPAL_BOARD,
            "appeal_weeks": 3,
            "state": DecisionState.MADE,
            "proposed_by": "leder",
            "proposed_on": TODAY,
            "made_on": TODAY,
        }
        return Decision(**{**said, **more})

    def state(self, case: str) -> CaseState:
        """Return where a case stands."""
        return self.now(Case, case).body.state
