"""The start page: what waits for whoever is logged in, the most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from allocator.access.table import Report
from allocator.casework.codes import (
    AppealState,
    CaseState,
    ClarificationState,
    DecisionState,
    HearingState,
    MeetingState,
    OfferState,
    PolicyState,
    Role,
)
from allocator.casework.records import Kind
from allocator.codes import VetoStatus
from allocator.facts import Ask
from allocator.service.vacancies import vacancies
from api.pages.cases import answered_at, may_answer, question_of
from api.pages.rendering import answer
from api.pages.tour import closed, tour_of
from api.pages.visit import Visit, Visiting

router = APIRouter()

REVIEWED_AHEAD = timedelta(days=14)
"""So long before its day a review waits among the tasks."""

MOST = 6
"""So many of a kind are shown; the rest is counted."""


@dataclass(frozen=True)
class Task:
    """Something that waits.

    Attributes:
        address: Where it is done.
        label: What it is about: an id or a date, never a name.
        by: The day it should be done by, if there is one.
        told: More about it; its words are in the template, by kind of task.
    """

    address: str
    label: str
    by: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """Tasks of one kind."""

    kind: str
    tasks: tuple[Task, ...]

    def late(self, today: date) -> int:
        """Return how many should have been done before today."""
        return sum(task.by is not None and task.by < today.isoformat() for task in self.tasks)


@router.get("/")
def start(visit: Visiting) -> Response:
    """Show what waits."""
    found = [Waiting(kind, tuple(tasks(visit))) for kind, tasks in _TASKS.items()]
    waiting = [one for one in found if one.tasks]
    waiting.sort(key=lambda one: one.late(visit.today) == 0)
    return visit.page(
        "start.html",
        waiting=waiting,
        most=MOST,
        roles=sorted(visit.actor.roles),
        tour=tour_of(visit),
        tour_closed=closed(visit),
    )


@router.get("/about")
def about(request: Request) -> Response:
    """Say what this is, and what is kept about whom."""
    return answer(request, "about.html", {"saved": None})


# ----------------------------------------------------------------------------------------- what waits


def _hearings(visit: Visit) -> Iterator[Task]:
    """Hearings that staff have not answered; those who send hearings see the ones that are late."""
    for one in visit.find(Kind.HEARING, states=[HearingState.OPEN]):
        mine = visit.may("hearings.state")
        late = one["deadline"] < visit.today.isoformat()
        if (mine and not one.get("statements")) or (not mine and late and visit.may("hearings.remind")):
            yield Task(f"/hearings/{one['id']}", one["case"], one["deadline"], {"scheme": one["scheme"]})


def _vetoes(visit: Visit) -> Iterator[Task]:
    """Objections that hold today; they are answered in a meeting where the case is on its agenda."""
    if visit.may("vetoes.answer"):
        found = visit.find(Kind.VETO, states=[VetoStatus.OPEN])
        agenda = _agenda(visit) if found else {}
        for one in found:
            entry = one["entry"]
            if one.get("answered") is None and entry["valid_until"] >= visit.today.isoformat():
                case = entry.get("applicant")
                place = agenda.get(case, f"/vetoes/{one['id']}")
                yield Task(place, case or one["scheme"], None, {"ground": entry["ground"]})


def _agenda(visit: Visit) -> dict[str, str]:
    """Return where each case on the agenda of a meeting to come is dealt with; the next meeting first."""
    found: dict[str, str] = {}
    for meeting in sorted(_ahead(visit), key=lambda one: str(one["on"])):
        for item in meeting.get("agenda", ()):
            if item["case"] is not None and not item["postponed"]:
                found.setdefault(item["case"], f"/meetings/{meeting['id']}/items/{item['no']}")
    return found


def _ahead(visit: Visit) -> list[Mapping[str, Any]]:
    return visit.find(Kind.MEETING, states=[MeetingState.PLANNED, MeetingState.OPEN])


def _meetings(visit: Visit) -> Iterator[Task]:
    for one in _ahead(visit):
        yield Task(f"/meetings/{one['id']}", one["id"], one["on"], {"items": len(one.get("agenda", ()))})


def _approvals(visit: Visit) -> Iterator[Task]:
    if visit.may("decisions.approve"):
        for one in visit.find(Kind.DECISION, states=[DecisionState.PROPOSED]):
            if one.get("proposed_by") != visit.actor.account:
                yield Task(f"/decisions/{one['id']}", one["case"])


_FOLLOWS = {CaseState.DECIDED: "offers.send", CaseState.ACCEPTED: "tenancies.move_in"}
"""What comes after a home was given, by where the case stands."""


def _given(visit: Visit) -> Iterator[Task]:
    """Homes that were given: the applicant is to be told, or the moving in is to be registered."""
    states = [state for state, use in _FOLLOWS.items() if visit.may(use)]
    for case in visit.find(Kind.CASE, states=states) if states else ():
        for one in visit.find(Kind.DECISION, (Kind.CASE, case["id"]), states=[DecisionState.MADE]):
            if one["case"] == case["id"] and one.get("unit") and not one.get("ended_on"):
                told = {"unit": one["unit"], "state": case["state"]}
                yield Task(f"/decisions/{one['id']}", case["id"], None, told)


def _doubts(visit: Visit) -> Iterator[Task]:
    if visit.may("decisions.confirm"):
        for one in visit.find(Kind.DECISION, states=[DecisionState.MADE]):
            if one.get("doubts"):
                yield Task(f"/decisions/{one['id']}", one["case"])


def _replies(visit: Visit) -> Iterator[Task]:
    if visit.may("cases.reply_preliminarily"):
        states = [CaseState.RECEIVED, CaseState.ASSESSMENT, CaseState.ASSISTANCE_ASSESSED, CaseState.CRISIS]
        for one in visit.find(Kind.CASE, states=states):
            if one.get("preliminary_reply_on") is None:
                yield Task(f"/cases/{one['id']}", one["id"], None, {"received": one["received_on"]})


def _received(visit: Visit) -> Iterator[Task]:
    if visit.may("cases.begin_assessment"):
        for one in visit.find(Kind.CASE, states=[CaseState.RECEIVED]):
            yield Task(f"/cases/{one['id']}", one["id"], None, {"received": one["received_on"]})


def _without_suggestion(visit: Visit) -> Iterator[Task]:
    """Cases on the waiting list that nobody has asked the rules about, who has waited longest first."""
    if visit.may("suggestions.make") and visit.reads(Kind.CASE):
        asked = {one.get("case") for one in visit.find(Kind.SUGGESTION)}
        for one in visit.find(Kind.CASE, states=[CaseState.WAITING_LIST]):
            if one["id"] not in asked:
                yield Task(f"/cases/{one['id']}", one["id"], None, {"since": one["waiting_since"]})


def _offers(visit: Visit) -> Iterator[Task]:
    if visit.may("offers.remind"):
        for one in visit.find(Kind.OFFER, states=[OfferState.SENT]):
            yield Task(f"/decisions/{one['decision']}", one["case"], one["deadline"], {"unit": one["unit"]})


_ASKED = {
    Role.ASSESSOR: (Ask.ASSESSOR, Ask.APPLICANT),
    Role.CASEWORKER: (Ask.CASEWORKER, Ask.APPLICANT),
    Role.CONFLICT_OFFICER: (Ask.CONFLICT_OFFICER,),
    Role.SCHEME_LEADER: (Ask.SCHEME_LEADER, Ask.SCHEME_STAFF),
    Role.SCHEME_STAFF: (Ask.SCHEME_STAFF,),
    Role.PROPERTY_MANAGER: (Ask.PROPERTY,),
}


def _questions(visit: Visit) -> Iterator[Task]:
    """Questions that are for somebody in one of the visitor's roles."""
    mine = {ask for role in visit.actor.roles for ask in _ASKED.get(role, ())}
    words = visit.words
    asked = set()
    for one in visit.find(Kind.CLARIFICATION, states=[ClarificationState.OPEN]):
        if one["ask"] in mine:
            cases = sorted(one.get("cases", ()))
            case = cases[0] if len(cases) == 1 else None
            place = answered_at(one, case) if may_answer(visit, one) else None
            told = {"question": question_of(visit, one), "why": words.template("missing", one["why"])}
            where, name = place or (f"/cases/{case}" if case else "/cases"), one.get("place") or case or ""
            if (where, name, *told.values()) not in asked:
                asked.add((where, name, *told.values()))
                yield Task(where, name, None, told)


def _reviews(visit: Visit) -> Iterator[Task]:
    for one in visit.find(Kind.REVIEW, due_by=visit.today + REVIEWED_AHEAD):
        if one.get("held_on") is None:
            label = next((one[of] for of in ("case", "tenancy", "decision") if one.get(of)), one["id"])
            yield Task(f"/reviews/{one['id']}", label, one["by"], {"what": one["what"]})


def _conflicts(visit: Visit) -> Iterator[Task]:
    if visit.may("conflicts.confirm"):
        for one in visit.find(Kind.CONFLICT, due_by=visit.today):
            yield Task("/conflicts", one["id"], one.get("review_by"))


def _rechecks(visit: Visit) -> Iterator[Task]:
    """Decisions that a conflict has come to light after; for the cleared."""
    if visit.may("rechecks.answer") and visit.may("conflicts.record"):
        for one in visit.find(Kind.RECHECK, states=["open"]):
            yield Task("/conflicts", one["case"], one.get("by"))


def _appeals(visit: Visit) -> Iterator[Task]:
    states = [
        *([AppealState.LODGED] if visit.may("appeals.forward") else []),
        *([AppealState.FORWARDED] if visit.may("appeals.settle") else []),
    ]
    for one in visit.find(Kind.APPEAL, states=states) if states else []:
        yield Task(f"/appeals/{one['id']}", one["case"])


def _vacant(visit: Visit) -> Iterator[Task]:
    """Units that stand empty, the longest first."""
    if visit.may_report(Report.WAITING):
        for one in vacancies(visit.office.desk, visit.actor):
            told = {"days": one.days_empty, "waited": one.days_waited}
            yield Task(f"/units/{one.unit}", one.unit, None, told)


def _policies(visit: Visit) -> Iterator[Task]:
    if visit.may("policies.activate"):
        for one in visit.find(Kind.POLICY, states=[PolicyState.PROPOSED]):
            if one.get("proposed_by") != visit.actor.account:
                yield Task("/rules", one["policy_version"])


_TASKS: Mapping[str, Callable[[Visit], Iterator[Task]]] = {
    "hearings": _hearings,
    "vetoes": _vetoes,
    "meetings": _meetings,
    "approvals": _approvals,
    "given": _given,
    "doubts": _doubts,
    "replies": _replies,
    "received": _received,
    "questions": _questions,
    "without_suggestion": _without_suggestion,
    "offers": _offers,
    "reviews": _reviews,
    "rechecks": _rechecks,
    "conflicts": _conflicts,
    "appeals": _appeals,
    "policies": _policies,
    "vacant": _vacant,
}
