"""What else can be done in a case: what is asked for, who it has to do with, and a placement in a crisis.

The case itself shows what comes next. What is done seldom has a page of its own, one panel for each step that
the visitor may take in the case as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from allocator.casework.codes import ENDED_CASES, CaseState, ClarificationState, ReservationReason
from allocator.casework.days import day_after
from allocator.casework.records import Kind
from allocator.codes import FactSource, FactStatus, StayKind, UnitStatus
from allocator.service.cases import BEFORE_DECISION, HEARD_WITHIN
from allocator.service.decisions import CRISIS_DAYS
from allocator.service.desk import Shown
from allocator.service.errors import NotFoundError
from allocator.service.neighbours import rooms
from allocator.service.prospects import before_placing
from api import asking
from api.pages.decisions import stops_of
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

View = Mapping[str, Any]


class Step(NamedTuple):
    """A step: the use case, and the fields that must be filled in."""

    use: str
    needed: tuple[str, ...] = ()


STEPS: Mapping[str, Step] = {
    "ask_for": Step("cases.ask_for", ("decision_types",)),
    "apply_together": Step("cases.apply_together", ("other",)),
    "part": Step("cases.part"),
    "wish_near": Step("cases.wish_near", ("person",)),
    "answer_near": Step("cases.answer_near", ("asked_on", "consents")),
    "take_back_near": Step("cases.wish_near"),
    "bar": Step("cases.bar", ("bar", "reason")),
    "admit": Step("cases.bar", ("admit", "reason")),
    "hand_over": Step("cases.hand_over", ("reason",)),
}
"""Steps by the address that takes them. A wish or a bar is taken back by the use case that writes it down."""

CANNOT_BE_KNOWN = "clarifications.cannot_be_known"
CRISIS = "cases.place_in_crisis"

_STAY, _MONTHS = "placement/stay", "placement/stay_months"
_ORIGIN = ("source", "recorded_on", "recorded_by", "valid_until")
_UNANSWERED = (FactStatus.REFUSED, FactStatus.NOT_ASKED)


def offered(visit: Visit, case: View, may: frozenset[str]) -> frozenset[str]:
    """Return the steps that can be taken in a case as it stands, of those that the visitor may take.

    Who somebody wishes to live near, and who is shut out, is not for a screen that others look at too.
    """
    running = case["state"] not in ENDED_CASES
    early = case["state"] in BEFORE_DECISION
    together = case.get("together_with") is not None
    near = running and not visit.shared and "near" in case
    wished = near and case["near"] is not None
    fits = {
        "ask_for": running and case["state"] != CaseState.CRISIS,
        "apply_together": early and not together,
        "part": together,
        "wish_near": near,
        "answer_near": wished,
        "take_back_near": wished,
        "bar": not visit.shared,
        "admit": not visit.shared and case.get("barred") != [],
        "hand_over": running,
    }
    return frozenset(name for name, step in STEPS.items() if fits[name] and step.use in may)


def can_place(case: View, may: frozenset[str]) -> bool:
    """Return whether somebody can be placed in a crisis by the visitor, in a case as it stands."""
    return CRISIS in may and case["state"] in BEFORE_DECISION


def unanswered(visit: Visit, case: str) -> list[View]:
    """Return the open questions of a case of which the visitor may say that they cannot be answered."""
    if not visit.may(CANNOT_BE_KNOWN):
        return []
    asked = visit.find(Kind.CLARIFICATION, (Kind.CASE, case), states=[ClarificationState.OPEN])
    return [one for one in asked if CANNOT_BE_KNOWN in visit.may_with(Kind.CLARIFICATION, one["id"])]


# ---------------------------------------------------------------------------------------------- the page


@router.get("/cases/{case}/more")
def shown(visit: Visiting, case: str) -> Response:
    """Show what else can be done in a case."""
    return _page(visit, case, {}, 200)


def _page(visit: Visit, case: str, forms: Mapping[str, Form], status: int) -> Response:
    view = visit.show(Kind.CASE, case)
    steps = offered(visit, view, visit.may_with(Kind.CASE, case))
    questions = unanswered(visit, case)
    if not steps and not questions:
        raise NotFoundError("no such page")
    working = [(account, one.name) for account, one in visit.colleagues.items() if one.roles]
    barred = view.get("barred")
    return visit.page(
        "case_more/more.html",
        status,
        case=view,
        steps=steps,
        questions=[_told(visit, one) for one in questions],
        forms=forms,
        barred=barred,
        stays=[(kind.value, visit.words.code(StayKind, kind)) for kind in StayKind],
        to_bar=[one for one in working if one[0] not in (barred or ())],
        to_admit=working if barred is None else [(account, visit.who(account)) for account in barred],
    )


def _told(visit: Visit, clarification: View) -> dict[str, Any]:
    """Return a question in words, with whom or what it is about."""
    words, path = visit.words, clarification["path"]
    return {
        "id": clarification["id"],
        "version": clarification["version"],
        "of_wishes": path.startswith("choice."),
        "question": words.question(path),
        "ask": words.template("ask", clarification["ask"]),
        "why": words.template("missing", clarification["why"]),
        "of": clarification.get("person") or clarification.get("place"),
    }


@router.post("/cases/{case}/more/{step}")
def take(visit: Visiting, form: Sent, case: str, step: str) -> Response:
    """Take a step in a case."""
    if step not in STEPS:
        raise NotFoundError("no such step")
    use, needed = STEPS[step]
    more: Mapping[str, Any] = {}
    if step == "ask_for":
        stay_needed, more = _of_stay(visit, form, case)
        needed += stay_needed

    def then(_: Shown) -> str:
        gone = step == "bar" and not visit.office.desk.several(visit.actor, Kind.CASE, [case])
        return "/cases" if gone else f"/cases/{case}"  # who shuts themselves out sees it no more

    return done(
        visit,
        form,
        use,
        case,
        page=lambda again, status: _page(visit, case, {step: _said_once(again)}, status),
        then=then,
        needed=needed,
        more=more,
    )


def _of_stay(visit: Visit, form: Form, case: str) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Return what must be filled in of how long, and the rest of it.

    It stays as it is known unless something new is said; the months have the origin of the stay.
    """
    stay = form.value(f"{_STAY}/value")
    months = bool(form.value(f"{_MONTHS}/value[int]").strip())
    if not stay:
        known = visit.show(Kind.CASE, case)["placement"]
        return (f"{_STAY}/value",) if months else (), {_STAY: known["stay"], _MONTHS: known["stay_months"]}
    if stay in _UNANSWERED:
        return (), {_STAY: {"status": stay}, _MONTHS: {"status": stay}}
    told = ("recorded_by",) if form.value(f"{_STAY}/source") == FactSource.ORAL else ()
    needed = tuple(f"{_STAY}/{name}" for name in ("source", "recorded_on", *told))
    if stay != StayKind.LIMITED or not months:
        return needed, {_MONTHS: {"status": FactStatus.NOT_ASKED.value}}
    return needed, {f"{_MONTHS}/{name}": form.value(f"{_STAY}/{name}").strip() or None for name in _ORIGIN}


def _said_once(form: Form) -> Form:
    """Return a form in which what is wrong with the origin of the stay is not told of the months too."""
    kept = {
        name: told
        for name, told in form.problems.items()
        if not name.startswith(_MONTHS) or name.endswith("/value")
    }
    return replace(form, problems=kept or form.problems)


@router.post("/clarifications/{clarification}/cannot-be-known")
def cannot_be_known(visit: Visiting, form: Sent, clarification: str) -> Response:
    """Say why a question that a case waits for cannot be answered."""
    case = asking.an_id({"case": form.value("_case")}, "case")
    if case is None or clarification not in {one["id"] for one in unanswered(visit, case)}:
        raise NotFoundError("no such question")
    return done(
        visit,
        form,
        CANNOT_BE_KNOWN,
        clarification,
        page=lambda again, status: _page(visit, case, {clarification: again}, status),
        then=f"/cases/{case}",
        needed=("note",),
    )


# ------------------------------------------------------------------------------------------------ crisis


@router.get("/cases/{case}/crisis")
def crisis_page(visit: Visiting, request: Request, case: str) -> Response:
    """Show which units are free tonight, and what a placement in the one that is chosen must answer."""
    given = asking.parameters(request, "unit", "saved")
    unit = asking.an_id(given, "unit") if given.get("unit") else None
    return _crisis_page(visit, case, unit, Form(), 200)


@router.post("/cases/{case}/crisis")
def place(visit: Visiting, form: Sent, case: str) -> Response:
    """Place somebody in a crisis."""
    unit = asking.an_id({"unit": form.value("unit")}, "unit") if form.value("unit") else None
    return done(
        visit,
        form,
        CRISIS,
        case,
        page=lambda again, status: _crisis_page(visit, case, unit, again, status),
        then=f"/cases/{case}",
        needed=("unit", "reason", "until", "review_by"),
    )


def _crisis_page(visit: Visit, case: str, unit: str | None, form: Form, status: int) -> Response:
    view = visit.show(Kind.CASE, case)
    may = visit.may_with(Kind.CASE, case)
    if not can_place(view, may):
        raise NotFoundError("no such page")
    prospect = None if unit is None else before_placing(visit.office.desk, visit.actor, case, unit)
    return visit.page(
        "case_more/crisis.html",
        status,
        case=view,
        unit=unit,
        units=_units(visit, case),
        form=form,
        prospect=prospect,
        stops=[] if prospect is None else stops_of(visit, prospect),
        may_suggest="suggestions.make" in may,
        next_day=day_after(visit.today),
        heard_by=visit.today + HEARD_WITHIN,
        last_day=visit.today + timedelta(days=CRISIS_DAYS),
    )


def _units(visit: Visit, case: str) -> list[tuple[str, str]]:
    """Return the units that can be given tonight: free, or held back for emergencies or for this case."""
    words = visit.words
    held = {
        one["unit"]: words.code(ReservationReason, one["reason"])
        for one in visit.find(Kind.RESERVATION, states=["open"])
        if one["reason"] == ReservationReason.EMERGENCY or one.get("case") == case
    }
    said = {UnitStatus.VACANT: words.code(UnitStatus, UnitStatus.VACANT)}
    return [
        (room.unit["id"], f"{room.unit['id']} ({held.get(room.unit['id']) or said[room.status]})")
        for scheme in visit.find(Kind.SCHEME)
        for group in scheme["groups"]
        for room in rooms(visit.office.desk, visit.actor, scheme["id"], group["id"])
        if room.status in said or (room.status is UnitStatus.RESERVED and room.unit["id"] in held)
    ]
