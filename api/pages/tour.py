"""The tour of the demonstration: what somebody there can try, with cases that stand ready for it.

Only a demonstration has it: the steps name records of the demo office. What they say is in ``tour.html``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from allocator.casework.codes import AppealState, CaseState, DecisionState, MeetingState, OfferState
from allocator.casework.records import Kind
from allocator.codes import VetoStatus
from allocator.service.errors import NotFoundError
from api.pages.visit import Visit, Visiting

router = APIRouter()

OPENED = "__Host-tour"
"""The cookie with the steps that have been opened from the tour."""

CLOSED = "__Host-tour-closed"
"""The cookie that says that the tour is closed."""


@dataclass(frozen=True)
class Step:
    """Something to try.

    Attributes:
        place: Where it is done.
        done: Whether it is done, by how the record stands; None if there is nothing to do but to look.
    """

    place: str
    done: Callable[[Visit], bool] | None = None


@dataclass(frozen=True)
class Tried:
    """A step as it is shown.

    Attributes:
        name: Which it is.
        done: Whether it has been done, or opened if there is nothing more to do.
    """

    name: str
    done: bool


def _record(
    kind: Kind, identifier: str, done: Callable[[Mapping[str, Any]], bool]
) -> Callable[[Visit], bool]:
    """Return a test of how a record stands; one that its reader no longer sees has been dealt with."""

    def stands(visit: Visit) -> bool:
        try:
            return done(visit.show(kind, identifier))
        except NotFoundError:
            return True

    return stands


def _suggested(*of: tuple[Kind, str]) -> Callable[[Visit], bool]:
    return lambda visit: bool(visit.find(Kind.SUGGESTION, *of, most=1))


def _substance_asked(visit: Visit) -> bool:
    asked = visit.find(Kind.CLARIFICATION, (Kind.CASE, "S-2026-109"), states=["open"])
    return not any(one["path"].endswith("main_substance") for one in asked)


def _conflict_confirmed(visit: Visit) -> bool:
    found = visit.find(Kind.CONFLICT, (Kind.PERSON, "P-S-2026-106"))
    return all(one["confirmations"] for one in found)


def _unanswered(visit: Visit) -> bool:
    found = visit.find(Kind.VETO, (Kind.CASE, "S-2026-103"), states=[VetoStatus.OPEN])
    return any("entry" in one and one.get("answered") is None for one in found)


def _objects(visit: Visit) -> bool:
    found = visit.find(Kind.VETO, (Kind.SCHEME, "tunet"), states=[VetoStatus.OPEN])
    return any(one.get("author") == visit.actor.account for one in found)


STEPS: Mapping[str, Step] = {
    "protection": Step(
        "/cases/S-2026-112", _record(Kind.CASE, "S-2026-112", lambda one: one["state"] != CaseState.RECEIVED)
    ),
    "offer-answer": Step(
        "/decisions/decision-01",
        lambda visit: not visit.find(Kind.OFFER, (Kind.CASE, "S-2026-107"), states=[OfferState.SENT]),
    ),
    "wishes": Step(
        "/cases/S-2026-109/wishes",
        _record(Kind.CASE, "S-2026-109", lambda one: one.get("wishes") is not None),
    ),
    "suggest": Step("/cases/S-2026-110", _suggested((Kind.CASE, "S-2026-110"))),
    "appeal-forward": Step(
        "/appeals/appeal-02",
        _record(Kind.APPEAL, "appeal-02", lambda one: one["state"] != AppealState.LODGED),
    ),
    "protected-case": Step("/cases/S-2026-119"),
    "shared-screen": Step("/cases"),
    "assess": Step(
        "/cases/S-2026-113",
        _record(Kind.CASE, "S-2026-113", lambda one: one["state"] != CaseState.ASSESSMENT),
    ),
    "substance": Step("/people/P-S-2026-109/facts/main_substance?case=S-2026-109", _substance_asked),
    "recheck": Step("/conflicts", lambda visit: not visit.find(Kind.RECHECK, states=["open"], most=1)),
    "confirm-conflict": Step("/conflicts", _conflict_confirmed),
    "see-order": Step("/conflicts", lambda visit: all(one["verified_on"] for one in visit.find(Kind.ORDER))),
    "hearing": Step(
        "/hearings/hearing-05", _record(Kind.HEARING, "hearing-05", lambda one: bool(one["statements"]))
    ),
    "what-if": Step("/schemes/strandgata?case=S-2026-103"),
    "notice": Step(
        "/schemes/nordlia",
        lambda visit: any(one.get("notice") for one in visit.find(Kind.TENANCY, (Kind.SCHEME, "nordlia"))),
    ),
    "change-answer": Step(
        "/hearings/hearing-06",
        _record(Kind.HEARING, "hearing-06", lambda one: one["statements"][-1]["kind"] == "objection"),
    ),
    "take-back": Step("/schemes/tunet", lambda visit: not _objects(visit)),
    "say": Step("/schemes/havna", lambda visit: bool(visit.find(Kind.SAY, (Kind.SCHEME, "havna"), most=1))),
    "hazard": Step(
        "/schemes/nordlia", lambda visit: bool(visit.find(Kind.HAZARD, (Kind.SCHEME, "nordlia"), most=1))
    ),
    "agenda": Step(
        "/meetings/meeting-03", _record(Kind.MEETING, "meeting-03", lambda one: len(one["agenda"]) > 1)
    ),
    "send-hearing": Step(
        "/suggestions/suggestion-02",
        lambda visit: bool(visit.find(Kind.HEARING, (Kind.CASE, "S-2026-106"), most=1)),
    ),
    "answer-objections": Step("/meetings/meeting-03", lambda visit: not _unanswered(visit)),
    "minutes": Step(
        "/meetings/meeting-02/minutes", _record(Kind.MEETING, "meeting-02", lambda one: bool(one["minutes"]))
    ),
    "call": Step(
        "/meetings/new",
        lambda visit: len(visit.find(Kind.MEETING, states=[MeetingState.PLANNED], most=2)) > 1,
    ),
    "applicants": Step("/units/tunet-2", _suggested((Kind.UNIT, "tunet-2"))),
    "read-item": Step("/meetings/meeting-03/items/1"),
    "own-words": Step("/meetings/meeting-03/items/1"),
    "read-suggestion": Step("/suggestions/suggestion-05"),
    "today": Step("/meetings/meeting-02"),
    "reversal": Step("/decisions/decision-05"),
    "approve": Step(
        "/decisions/decision-06",
        _record(Kind.DECISION, "decision-06", lambda one: one["state"] != DecisionState.PROPOSED),
    ),
    "suspend": Step(
        "/decisions/decision-01",
        _record(Kind.DECISION, "decision-01", lambda one: bool(one.get("suspensions"))),
    ),
    "release": Step(
        "/units/fjordgata-3",
        lambda visit: not visit.find(Kind.RESERVATION, (Kind.UNIT, "fjordgata-3"), states=["open"]),
    ),
    "close-unit": Step(
        "/units/strandgata-5", _record(Kind.UNIT, "strandgata-5", lambda one: one["closure"] is not None)
    ),
    "vacant": Step("/units"),
    "settle": Step(
        "/appeals/appeal-01",
        _record(Kind.APPEAL, "appeal-01", lambda one: one["state"] != AppealState.FORWARDED),
    ),
    "appealed": Step("/decisions/decision-03"),
    "not-forwarded": Step("/appeals/appeal-02"),
    "log": Step("/log"),
    "rule": Step("/rules/gender-mix"),
    "handbook": Step("/rules"),
    "compare": Step("/rules/compare"),
    "followed": Step("/reports"),
    "add-account": Step(
        "/accounts", lambda visit: any(one["id"] not in TOUR for one in visit.find(Kind.ACCOUNT))
    ),
    "clear": Step(
        "/accounts/caseworker", _record(Kind.ACCOUNT, "caseworker", lambda one: bool(one["cleared"]))
    ),
    "disable": Step("/accounts/committee_member_2"),
}
"""Everything that can be tried."""

_COMMITTEE = ("read-item", "read-suggestion", "reversal")

TOUR: Mapping[str, Sequence[str]] = {
    "caseworker": ("protection", "wishes", "offer-answer", "suggest", "appeal-forward"),
    "caseworker_kode_6": ("protected-case", "shared-screen", "suggest"),
    "assessor": ("assess", "substance", "wishes"),
    "conflict_officer": ("recheck", "confirm-conflict", "see-order"),
    "scheme_leader": ("hearing", "what-if", "notice"),
    "scheme_leader_2": ("take-back", "say", "vacant"),
    "scheme_staff": ("hearing", "change-answer", "hazard"),
    "committee_member": _COMMITTEE,
    "committee_member_2": _COMMITTEE,
    "committee_leader": ("today", "suspend", "applicants", "read-item"),
    "committee_leader_2": ("approve", "suspend", "suggest", "read-item"),
    "committee_secretary": ("agenda", "answer-objections", "send-hearing", "minutes", "call"),
    "property_manager": ("release", "close-unit", "vacant"),
    "appeals_body": ("appealed", "settle", "not-forwarded"),
    "auditor": ("log", "rule", "handbook"),
    "policy_owner": ("rule", "compare", "followed"),
    "administrator": ("add-account", "clear", "disable"),
    "peer_member": ("own-words", "today", "vacant"),
}
"""What each of the invented people can try, by login."""


def tour_of(visit: Visit) -> list[Tried]:
    """Return what the visitor can try; nothing unless this is a demonstration, and they one of its people."""
    if not visit.office.demo:
        return []
    opened = _opened(visit)
    return [
        Tried(name, name in opened if (done := STEPS[name].done) is None else done(visit))
        for name in TOUR.get(visit.actor.account, ())
    ]


def closed(visit: Visit) -> bool:
    """Return whether the visitor has closed the tour."""
    return visit.request.cookies.get(CLOSED) == "yes"


def _opened(visit: Visit) -> set[str]:
    return set(visit.request.cookies.get(OPENED, "").split(".")) & STEPS.keys()


@router.get("/tour/{name}")
def begin(visit: Visiting, name: str) -> Response:
    """Go to where a step is done, and remember that it was opened.

    Raises:
        NotFoundError: There is no such step, or this is no demonstration.
    """
    if not visit.office.demo or name not in STEPS:
        raise NotFoundError("no such step")
    answered = RedirectResponse(STEPS[name].place, status_code=303)
    said = ".".join(sorted(_opened(visit) | {name}))
    answered.set_cookie(OPENED, said, path="/", secure=True, httponly=True, samesite="lax")
    return answered


@router.post("/tour")
def close(visit: Visiting) -> Response:
    """Close the tour, or open it again."""
    answered = RedirectResponse("/", status_code=303)
    if closed(visit):
        answered.delete_cookie(CLOSED, path="/", secure=True, httponly=True, samesite="lax")
    else:
        answered.set_cookie(CLOSED, "yes", path="/", secure=True, httponly=True, samesite="lax")
    return answered
