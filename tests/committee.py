"""A committee for tests: houses of which everything is known, people who wait, and a meeting that is held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case
from allocator.casework.codes import (
    CaseState,
    Clearance,
    DecisionOutcome,
    DecisionType,
    HearingState,
    Purpose,
    Role,
)
from allocator.casework.committee import Decision, Meeting
from allocator.casework.housing import Group, Scheme, Unit
from allocator.casework.people import Person
from allocator.casework.records import Stored
from allocator.casework.voice import Hearing
from allocator.model import ApplicantFacts, SchemeFacts, UnitFacts
from allocator.service.decisions import ApproveDecision, ProposeDecision
from allocator.service.meetings import CallMeeting, OpenMeeting, PutOnAgenda
from allocator.service.suggestions import MakeSuggestion
from tests.cases import LONG_AGO, a_house, a_unit, an_applicant
from tests.office import TODAY, Office
from tests.test_stored_suggestions import with_policy

GROUNDS = (
    "Utvalget har lagt vekt på at søkeren selv ønsker et lite hus med personale om natta, "
    "og at det er kort vei til byen og til dem som følger opp."
)
WHY = "Utvalget har veid dette mot søkerens eget ønske."
BOTH = (Clearance.CONFLICTS, Clearance.KODE_6)


class Committee(Office):
    """An office with a committee.

    ``nordlia`` has six residents and two vacant units, ``nordlia-7`` and ``nordlia-8``; ``havna`` has one
    resident and two vacant units, ``havna-2`` and ``havna-3``. ``S-1`` and ``S-2`` wait.
    """

    def __init__(self, backend: str = "sqlite") -> None:
        super().__init__(backend)
        with_policy(self)
        self.scheme("nordlia", 8, living=6)
        self.scheme("havna", 3, living=1)
        self.waiting("S-1", "P-1")
        self.waiting("S-2", "P-2")
        self.leader = self.somebody(Role.COMMITTEE_LEADER, login="leder", purpose=Purpose.MEETING)
        self.second = self.somebody(Role.COMMITTEE_LEADER, login="leder-2", purpose=Purpose.MEETING)
        self.cleared = self.somebody(
            Role.COMMITTEE_LEADER, cleared=BOTH, login="leder-klarert", purpose=Purpose.MEETING
        )
        self.secretary = self.somebody(Role.COMMITTEE_SECRETARY, login="sekretaer")
        self.worker = self.somebody(Role.CASEWORKER, login="saksbehandler")
        self.members = [
            self.somebody(Role.COMMITTEE_MEMBER, login=f"medlem-{number}") for number in range(1, 5)
        ]

    # --------------------------------------------------------------------------------------- records

    def scheme(self, name: str, units: int, living: int) -> None:
        """Seed a scheme of which everything is published, with so many residents."""
        published = a_house(name).scheme
        facts = SchemeFacts(**{field: getattr(published, field) for field in SchemeFacts.model_fields})
        self.seed(Scheme(facts=facts, groups=(Group(id=f"{name}-a", name="A"),)), name)
        dwelling = a_unit("x")
        built = UnitFacts(**{field: getattr(dwelling, field) for field in UnitFacts.model_fields})
        for number in range(1, units + 1):
            unit = Unit(scheme=name, group=f"{name}-a", facts=built, first_ready_on=LONG_AGO)
            self.seed(unit, f"{name}-{number}")
        for number in range(1, living + 1):
            self.resident(f"{name}-r{number}", f"{name}-{number}", facts=person_facts())

    def waiting(self, case: str, person: str, **more: Any) -> None:
        """Seed somebody on the waiting list of whom everything is known."""
        known = an_applicant()
        self.seed(Person(facts=person_facts(), **more), person)
        body = Case(
            person=person,
            state=CaseState.WAITING_LIST,
            received_on=LONG_AGO,
            waiting_since=LONG_AGO,
            listed_on=LONG_AGO,
            assessed_on=LONG_AGO,
            wishes=known.wishes,
            placement=known.placement,
        )
        self.seed(body, case)

    def heard(self, case: str, scheme: str, **more: Any) -> None:
        """Seed a hearing that is over."""
        said: dict[str, Any] = {
            "sent_on": TODAY - timedelta(days=9),
            "deadline": TODAY - timedelta(days=1),
            "state": HearingState.CLOSED,
            "closed_on": TODAY,
        }
        self.seed(Hearing(case=case, scheme=scheme, **{**said, **more}), f"H-{case}-{scheme}")

    # ---------------------------------------------------------------------------------------- doing

    def suggested(self, case: str) -> str:
        """Ask for a suggestion for a case, and return its id."""
        return self.run(self.worker, "suggestions.make", MakeSuggestion(case=case)).stored.id

    def called(self, *members: Actor, chair: Actor | None = None, **more: Any) -> str:
        """Call a meeting for today, and return its id."""
        present = members or (self.leader, *self.members[:3])
        asked = CallMeeting(
            on=TODAY,
            members=frozenset(member.account for member in present),
            chair=(chair or self.leader).account,
            secretary=self.secretary.account,
            **more,
        )
        return self.run(chair or self.leader, "meetings.call", asked).stored.id

    def listed(self, meeting: str, *cases: str, by: Actor | None = None) -> None:
        """Put cases on the agenda of a meeting."""
        for case in cases:
            self.run(by or self.leader, "meetings.put_on_agenda", PutOnAgenda(case=case), meeting)

    def begun(self, meeting: str, by: Actor | None = None) -> Stored[Meeting]:
        """Open a meeting with all its members."""
        present = self.now(Meeting, meeting).body.members
        self.run(by or self.leader, "meetings.open", OpenMeeting(present=present), meeting)
        return self.now(Meeting, meeting)

    def sitting(self, *cases: str) -> str:
        """Return an open meeting with cases on its agenda, which have been heard and suggested for."""
        for case in cases:
            for scheme in ("nordlia", "havna"):
                self.heard(case, scheme)
        meeting = self.called()
        self.listed(meeting, *cases)
        self.begun(meeting)
        return meeting

    def proposal(self, case: str, unit: str | None, meeting: str | None, **more: Any) -> ProposeDecision:
        """Return the proposal to give a unit to somebody."""
        outcome = DecisionOutcome.NO_SUITABLE_PLACE if unit is None else DecisionOutcome.ALLOCATED
        said: dict[str, Any] = {
            "type": DecisionType.ALLOCATION,
            "case": case,
            "outcome": outcome,
            "unit": unit,
            "meeting": meeting,
            "grounds": GROUNDS,
        }
        return ProposeDecision(**{**said, **more})

    def proposed(
        self, case: str, unit: str | None, meeting: str | None, by: Actor | None = None, **more: Any
    ) -> str:
        """Propose to give a unit to somebody, and return the decision's id."""
        if unit is not None and "suggestion" not in more:
            more["suggestion"] = self.suggested(case)
        asked = self.proposal(case, unit, meeting, **more)
        return self.run(by or self.leader, "decisions.propose", asked).stored.id

    def approved(self, decision: str, by: Actor | None = None, **said: Any) -> Stored[Decision]:
        """Approve a decision."""
        self.run(by or self.second, "decisions.approve", ApproveDecision(**said), decision)
        return self.now(Decision, decision)

    def allotted(self, case: str = "S-1", unit: str = "nordlia-7") -> str:
        """Give somebody a unit, by a decision that is made, and return its id."""
        decision = self.proposed(case, unit, self.sitting(case))
        self.approved(decision)
        return decision

    def state(self, case: str) -> CaseState:
        """Return where a case stands."""
        return self.now(Case, case).body.state


def person_facts(**more: Any) -> ApplicantFacts:
    """Return the facts of somebody of whom everything is known."""
    known = an_applicant(**more)
    return ApplicantFacts(**{field: getattr(known, field) for field in ApplicantFacts.model_fields})
