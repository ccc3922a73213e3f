"""Papers to take out: case papers, minutes and letters, as PDF.

What is printed is what every member of the committee may read, also for who is cleared for more: paper lies
about, and files are sent on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from allocator.casework.codes import Clearance, MeetingState, Purpose
from allocator.casework.law import law_ref
from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from allocator.service.letters import letter
from allocator.service.packages import EXEMPT_BY
from allocator.texts import Language, catalog
from api import asking
from api.pages import answers
from api.pages.meetings import comments_on, items_of, newest, schemes_of, unanswered
from api.pages.visit import Visit, Visiting
from api.papers import Paper, pdf
from api.papers.case_paper import Matter, case_paper, case_papers
from api.papers.law import marked
from api.papers.letter import letter_paper
from api.papers.minutes import minutes_paper

router = APIRouter()

View = Mapping[str, Any]


def _as_printed(visit: Visit, kind: Kind, identifier: str) -> Visit:
    """Return the visit as far as a record may be printed: as every member reads it who may know of it."""
    plain = replace(visit, actor=replace(visit.actor, cleared=frozenset()))
    if visit.office.desk.several(plain.actor, kind, [identifier]):
        return plain
    restricted = visit.actor.cleared & {Clearance.KODE_6}
    return replace(visit, actor=replace(visit.actor, cleared=restricted))


def _file(paper: Paper, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "no-store"}
    return Response(pdf(paper), media_type="application/pdf", headers=headers)


def _mark(visit: Visit) -> str:
    refs = [law_ref(law.key, visit.today) for law in EXEMPT_BY]
    return visit.words("papers.mark", law=marked(refs, visit.words))


# ------------------------------------------------------------------------------------------- case papers


@router.get("/cases/{case}/paper")
def of_case(visit: Visiting, request: Request, case: str) -> Response:
    """Give out the case paper of a case."""
    asking.parameters(request, "meeting")
    printed = _as_printed(visit, Kind.CASE, case)
    matter = _matter(printed, printed.show(Kind.CASE, case))
    return _file(case_paper(matter, visit.words, visit.today, _mark(visit)), f"saksframlegg-{case}")


@router.get("/meetings/{meeting}/paper")
def of_meeting(visit: Visiting, meeting: str) -> Response:
    """Give out the case papers of all cases on the agenda of a meeting."""
    printed = _as_printed(visit, Kind.MEETING, meeting)
    view = printed.show(Kind.MEETING, meeting)
    named = [item["case"] for item in view["agenda"] if item["case"] is not None and not item["postponed"]]
    cases = printed.office.desk.several(printed.actor, Kind.CASE, named)
    matters = [_matter(printed, shown.view) for shown in cases.values()]
    paper = case_papers(matters, view, visit.words, visit.today, _mark(visit))
    return _file(paper, f"saksframlegg-{view['on']}")


def _matter(visit: Visit, case: View) -> Matter:
    if "state" not in case or not visit.reads(Kind.SUGGESTION):
        raise NotFoundError("no case paper for this role")
    of_case = (Kind.CASE, case["id"])
    people = visit.office.desk.several(visit.actor, Kind.PERSON, [case["person"]])
    suggestion = newest(visit, {"case": case["id"], "unit": None})
    content: Mapping[str, Any] = {}
    if suggestion is not None:
        content = visit.office.desk.answer(visit.actor, suggestion["id"], visit.language.value)
    policy = content.get("policy")
    return Matter(
        case=case,
        person=people[case["person"]].view if case["person"] in people else {},
        suggestion=suggestion,
        policy="" if policy is None else f"{policy['name']}, {policy['version']}",
        entries=answers.entries(content) if content else (),
        hearings=visit.find(Kind.HEARING, of_case),
        objections=[one for one in visit.find(Kind.VETO, of_case) if "entry" in one],
        unanswered=frozenset(one["id"] for one in unanswered(visit, case["id"])),
        remarks=comments_on(visit, case["id"]),
        schemes=schemes_of(visit),
        who=visit.who,
    )


# ------------------------------------------------------------------------------------- minutes and letters


@router.get("/meetings/{meeting}/minutes.pdf")
def minutes(visit: Visiting, meeting: str) -> Response:
    """Give out the minutes of a meeting."""
    printed = _as_printed(visit, Kind.MEETING, meeting)
    view = printed.show(Kind.MEETING, meeting)
    if view["state"] not in (MeetingState.OPEN, MeetingState.CLOSED):
        raise NotFoundError("no minutes yet")
    items = [(item.told, item.live, item.away) for item in items_of(printed, view)]
    paper = minutes_paper(view, items, visit.words, visit.today, mark=_mark(visit), who=visit.who)
    return _file(paper, f"protokoll-{view['on']}")


@router.get("/decisions/{decision}/letter.pdf")
def letter_to_applicant(visit: Visiting, request: Request, decision: str) -> Response:
    """Give out the letter to the applicant, with their name; the look is logged."""
    said = asking.parameters(request, "language").get("language")
    language = Language(said) if said in set(Language) else visit.language
    asking_for = visit.with_purpose(Purpose.CASEWORK)
    told = letter(visit.office.desk, asking_for.actor, decision, language.value)
    return _file(letter_paper(told, catalog(language.value)), f"vedtak-{decision}")
