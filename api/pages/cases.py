"""Cases: the list, one case with what is known and missing, and the steps that it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from allocator.casework.codes import ENDED_CASES, CaseState, ClarificationState
from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from api import asking
from api.pages.case_more import can_place, offered, unanswered
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.people_more import is_more
from api.pages.visit import Visit, Visiting, to

router = APIRouter()

PAGE = 50

RUNNING = tuple(state.value for state in CaseState if state not in ENDED_CASES)

VIEWS: Mapping[str, tuple[str, ...]] = {
    "running": RUNNING,
    "new": (CaseState.RECEIVED, CaseState.ASSESSMENT, CaseState.ASSISTANCE_ASSESSED, CaseState.CRISIS),
    "waiting": (CaseState.WAITING_LIST, CaseState.SUGGESTED, CaseState.HEARING, CaseState.MEETING),
    "decided": (CaseState.DECIDED, CaseState.OFFERED, CaseState.ACCEPTED),
    "ended": tuple(state.value for state in CaseState if state in ENDED_CASES),
}
"""What the list can be narrowed to: each a part of a case's way."""

STEPS: Mapping[CaseState, tuple[str, ...]] = {
    CaseState.RECEIVED: ("check_protection", "begin_assessment", "reply_preliminarily"),
    CaseState.CRISIS: ("begin_assessment", "reply_preliminarily"),
    CaseState.ASSESSMENT: ("assess", "reply_preliminarily"),
    CaseState.ASSISTANCE_ASSESSED: ("list", "reply_preliminarily"),
    CaseState.WAITING_LIST: ("list",),
}
"""What comes next in a state, the most usual first; suggestions and hearings have their own pages."""

ENDINGS = ("withdraw", "close")

WISHED = 3
"""So many places can be wished for, and so many reserved against, in the form."""


class Asked(NamedTuple):
    """A question for a human as the page shows it; None for where the applicant wishes to live."""

    question: str | None
    why: str
    ask: str
    answer: str | None


@router.get("/cases")
def listed(visit: Visiting, request: Request) -> Response:
    """List cases, those who have waited longest first."""
    if not visit.reads(Kind.CASE):
        raise NotFoundError("no cases for this role")
    given = asking.parameters(request, "view", "after", "saved")
    view = given.get("view", "running")
    states = VIEWS.get(view, RUNNING)
    office = visit.office
    page = office.desk.page(
        visit.actor, Kind.CASE, states=frozenset(states), after=asking.place_after(given), limit=PAGE
    )
    missing: dict[str, int] = {}
    for one in visit.find(Kind.CLARIFICATION, states=[ClarificationState.OPEN]):
        for case in one.get("cases", ()):
            missing[case] = missing.get(case, 0) + 1
    return visit.page(
        "cases/list.html",
        cases=[item.view for item in page.items],
        view=view if view in VIEWS else "running",
        views=list(VIEWS),
        missing=missing,
        after=None if page.after is None else asking.cursor(page.after),
        first="after" not in given,
    )


@router.post("/cases")
def find(visit: Visiting, form: Sent) -> Response:
    """Go to the case of a number; the number never stands in a query."""
    number = form.value("number").strip()
    if visit.office.desk.allowed(visit.actor, Kind.CASE, number) or _is_there(visit, number):
        return to(f"/cases/{number}")
    return visit.page(
        "cases/list.html",
        404,
        cases=[],
        view="running",
        views=list(VIEWS),
        missing={},
        after=None,
        first=True,
        sought=number,
    )


def _is_there(visit: Visit, number: str) -> bool:
    try:
        visit.show(Kind.CASE, number)
    except NotFoundError:
        return False
    return True


# ---------------------------------------------------------------------------------------------- one case


@router.get("/cases/{case}")
def shown(visit: Visiting, case: str) -> Response:
    """Show a case."""
    return _page(visit, case, {}, 200)


def _page(visit: Visit, case: str, forms: Mapping[str, Form], status: int) -> Response:
    view = visit.show(Kind.CASE, case)
    person = _person(visit, view)
    may = visit.may_with(Kind.CASE, case)
    may_person: frozenset[str] = visit.may_with(Kind.PERSON, view["person"]) if person else frozenset()
    of_case = (Kind.CASE, case)
    return visit.page(
        "cases/case.html",
        status,
        case=view,
        person=person,
        may=may,
        may_person=may_person,
        more_of_person=is_more(visit, may_person),
        steps=[step for step in STEPS.get(CaseState(view["state"]), ()) if _fits(view, step, may)],
        endings=[step for step in ENDINGS if f"cases.{step}" in may and view["state"] not in ENDED_CASES],
        more=bool(offered(visit, view, may) or unanswered(visit, case)),
        can_place=can_place(view, may),
        forms=forms,
        asked=_asked(visit, view),
        suggestions=visit.find(Kind.SUGGESTION, of_case)[::-1],
        hearings=visit.find(Kind.HEARING, of_case),
        vetoes=visit.find(Kind.VETO, of_case),
        decisions=visit.find(Kind.DECISION, of_case),
        offers=visit.find(Kind.OFFER, of_case),
        meetings=_meetings(visit, case),
        reviews=visit.find(Kind.REVIEW, of_case),
        comments=visit.find(Kind.COMMENT, of_case),
        schemes=_schemes(visit),
        days=(visit.today - date.fromisoformat(view["waiting_since"])).days,
    )


def _fits(view: Mapping[str, Any], step: str, may: frozenset[str]) -> bool:
    """Return whether a step is left to do in the state that a case is in."""
    if f"cases.{step}" not in may:
        return False
    if step == "check_protection":
        return view.get("protection_checked_on") is None
    if step == "begin_assessment":
        return view.get("protection_checked_on") is not None
    if step == "reply_preliminarily":
        return view.get("preliminary_reply_on") is None
    return True


def _person(visit: Visit, case: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what may be seen of the person; None if they may not be known of."""
    if not visit.reads(Kind.PERSON):
        return None
    try:
        return visit.show(Kind.PERSON, case["person"])
    except NotFoundError:
        return None


def _schemes(visit: Visit) -> dict[str, str]:
    """Return the names of schemes by their ids."""
    return {one["id"]: one["facts"]["name"] for one in visit.find(Kind.SCHEME)}


def _meetings(visit: Visit, case: str) -> list[Mapping[str, Any]]:
    return [one for one in visit.find(Kind.MEETING, (Kind.CASE, case)) if one.get("state") != "cancelled"]


def _asked(visit: Visit, case: Mapping[str, Any]) -> list[Asked]:
    """Return the questions that the case waits for, in words, and where each is answered."""
    words = visit.words
    asked = (
        Asked(
            question_of(visit, one),
            words.template("missing", one["why"]),
            words.template("ask", one["ask"]),
            answered_at(one, case["id"]) if may_answer(visit, one) else None,
        )
        for one in visit.find(Kind.CLARIFICATION, (Kind.CASE, case["id"]), states=[ClarificationState.OPEN])
    )
    return list(dict.fromkeys(asked))


def question_of(visit: Visit, clarification: Mapping[str, Any]) -> str | None:
    """Return what is asked for; None for all that is asked of where the applicant wishes to live."""
    path = clarification["path"]
    return None if path.startswith("choice.") else visit.words.question(path)


_FACTS = {"violence": "risk", "risk_measures": "risk", "risk_valid_until": "risk", "services": "needs"}
_OF_CASE = frozenset({"placement", "needed_from", "stay", "stay_months", "review_date_set"})


def answered_at(clarification: Mapping[str, Any], case: str | None = None) -> str | None:
    """Return the page on which a question is answered; None if it is none of ours."""
    subject, _, name = clarification["path"].partition(".")
    if subject == "choice" or (subject == "applicant" and name in _OF_CASE):
        return None if case is None else f"/cases/{case}/wishes"
    person, place = clarification.get("person"), clarification.get("place")
    if subject in ("applicant", "resident") and person is not None:
        fact = {"age": "birth_date", "needs_valid_until": "needs"}.get(name, _FACTS.get(name, name))
        return f"/people/{person}/facts/{fact}"
    if subject == "unit" and place is not None:
        return f"/units/{place}"
    return f"/schemes/{clarification['scheme']}" if clarification.get("scheme") else None


def may_answer(visit: Visit, clarification: Mapping[str, Any]) -> bool:
    """Return whether the visitor may write the answer to a question down, as far as their roles say."""
    subject, _, name = clarification["path"].partition(".")
    if subject == "choice" or (subject == "applicant" and name in _OF_CASE):
        return visit.may("cases.wish")
    if clarification.get("person") is not None:
        return visit.may("people.record_fact")
    return visit.reads(Kind.UNIT) and visit.reads(Kind.SCHEME)


@router.post("/cases/{case}/steps/{step}")
def take(visit: Visiting, form: Sent, case: str, step: str) -> Response:
    """Take a step with a case."""
    if step not in ENDINGS and not any(step in known for known in STEPS.values()):
        raise NotFoundError("no such step")
    use = f"cases.{step}"
    return done(
        visit,
        form,
        use,
        case,
        page=lambda again, status: _page(visit, case, {step: again}, status),
        then=f"/cases/{case}",
    )


@router.post("/cases/{case}/comments")
def comment(visit: Visiting, form: Sent, case: str) -> Response:
    """Make a remark on a case."""
    return done(
        visit,
        form,
        "comments.make",
        page=lambda again, status: _page(visit, case, {"comment": again}, status),
        then=f"/cases/{case}",
        anchor="comments",
        more={"about": Kind.CASE.value, "of": case},
    )


@router.post("/cases/{case}/comments/{comment}/withdraw")
def withdraw_comment(visit: Visiting, form: Sent, case: str, comment: str) -> Response:
    """Take a remark back."""
    visit.do("comments.withdraw", form, comment)
    return to(f"/cases/{case}", "comments.withdraw", "comments")


@router.get("/cases/{case}/history")
def history(visit: Visiting, case: str) -> Response:
    """Show every version of a case, the newest first, with what was changed."""
    found = visit.office.desk.history(visit.actor, Kind.CASE, case)
    access = visit.office.desk.access
    told: list[dict[str, Any]] = []
    before: Mapping[str, Any] = {}
    for one in found:
        changed = {
            name: value for name, value in one.view.items() if name != "version" and before.get(name) != value
        }
        whole = one.sight.groups is not None and access.groups(Kind.CASE) <= one.sight.groups
        told.append(
            {
                "version": one.stored.version,
                "at": one.stored.at,
                "changed": sorted(changed) if before else [],
                "state": one.view.get("state"),
                "by": one.stored.by if whole else None,
                "reason": one.stored.reason if whole else None,
            }
        )
        before = one.view
    return visit.page("cases/history.html", case=case, versions=told[::-1])


# ---------------------------------------------------------------------------------------------- wishes


@router.get("/cases/{case}/wishes")
def wishes_page(visit: Visiting, case: str) -> Response:
    """Show where the applicant's wishes are written down."""
    return _wishes_page(visit, case, _wishes_form(visit.show(Kind.CASE, case)), 200)


def _wishes_form(view: Mapping[str, Any]) -> Form:
    said: dict[str, str] = {}
    wishes = view.get("wishes") or {}
    for i, wish in enumerate(wishes.get("preferred", ())):
        said[f"wishes/preferred/{i}/scheme"] = wish["scheme"]
    for i, one in enumerate(wishes.get("reservations", ())):
        said[f"wishes/reservations/{i}/scheme"] = one["scheme"]
        said[f"wishes/reservations/{i}/reason"] = one["reason"] or ""
    if wishes.get("comment"):
        said["wishes/comment"] = wishes["comment"]
    return Form.filled(said)


def _wishes_page(visit: Visit, case: str, form: Form, status: int) -> Response:
    view = visit.show(Kind.CASE, case)
    wishes = view.get("wishes") or {}
    rows = max(WISHED, len(wishes.get("preferred", ())), len(wishes.get("reservations", ())))
    return visit.page("cases/wishes.html", status, case=view, form=form, schemes=_schemes(visit), rows=rows)


@router.post("/cases/{case}/wishes")
def wish(visit: Visiting, form: Sent, case: str) -> Response:
    """Write down the applicant's wishes, in their order."""
    return done(
        visit,
        _ranked(form),
        "cases.wish",
        case,
        page=lambda again, status: _wishes_page(visit, case, again, status),
        then=f"/cases/{case}",
        needed=("wishes/obtained_on",),
    )


def _ranked(form: Form) -> Form:
    """Return the form with the rank of each wish: the order in which they stand. Rows without a place go."""
    given: dict[str, tuple[str, ...]] = {}
    rank = 0
    for name, values in form.given.items():
        row = name.rpartition("/")[0]
        if row.startswith(("wishes/preferred/", "wishes/reservations/")) and not form.value(f"{row}/scheme"):
            continue
        given[name] = values
        if name.startswith("wishes/preferred/") and name.endswith("/scheme"):
            rank += 1
            given[f"{row}/rank[int]"] = (str(rank),)
    return Form(given, {}, {}, form.sent_key)
