"""Meetings of the committee: the list, one meeting with its agenda, and one thing on it at a time.

The page of a meeting says where everything stands; what is decided on has a page of its own, with room for
what staff have said, so that one thing at a time is on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response

from allocator.access.table import Report
from allocator.casework.codes import (
    CaseState,
    DecisionState,
    HearingState,
    MeetingState,
    Role,
)
from allocator.casework.records import Kind, Link
from allocator.codes import VetoStatus
from allocator.service.desk import Shown
from allocator.service.errors import NotFoundError
from allocator.service.reports import report
from api import asking
from api.pages import answers
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.rendering import is_fragment, rendered
from api.pages.visit import Visit, Visiting, to

router = APIRouter()

View = Mapping[str, Any]

OF_COMMITTEE = frozenset(
    {Role.COMMITTEE_LEADER, Role.COMMITTEE_MEMBER, Role.PEER_MEMBER, Role.COMMITTEE_SECRETARY}
)
"""Roles that can be called to a meeting."""

VOTING = frozenset({Role.COMMITTEE_LEADER, Role.COMMITTEE_MEMBER})
"""Roles that can chair one."""

AHEAD = (MeetingState.PLANNED, MeetingState.OPEN)

OLDER = 20
"""So many earlier meetings are listed at first."""

WAITING = (
    CaseState.ASSISTANCE_ASSESSED,
    CaseState.WAITING_LIST,
    CaseState.SUGGESTED,
    CaseState.HEARING,
    CaseState.MEETING,
    CaseState.DECIDED,
    CaseState.OFFERED,
    CaseState.ACCEPTED,
    CaseState.CRISIS,
)
"""Cases that may be taken up; those with a home may be decided on anew."""

BEST = 4
"""So many units of a suggestion are shown with a case; the suggestion has them all."""

_VERBS = frozenset(
    {
        "invite",
        "put_on_agenda",
        "take_off_agenda",
        "order_agenda",
        "open",
        "disqualify",
        "close",
        "cancel",
    }
)


@dataclass(frozen=True)
class Item:
    """Something on the agenda, and where it stands.

    Attributes:
        told: What the agenda says.
        case: The case, as far as the reader sees it.
        decisions: What the meeting has come to in it.
        unanswered: Objections that nobody has answered.
        heard: Hearings in which somebody is still to answer.
        comments: Remarks on the case.
        away: Members who may not take part in it, as far as the reader is told.
    """

    told: View
    case: View | None = None
    decisions: Sequence[View] = ()
    unanswered: Sequence[View] = ()
    heard: Sequence[View] = ()
    comments: int = 0
    away: Sequence[str] = ()

    @property
    def no(self) -> int:
        """Its number."""
        return int(self.told["no"])

    @property
    def name(self) -> str:
        """What it is about: the case, or else the unit."""
        return str(self.told.get("case") or self.told.get("unit") or "")

    @property
    def live(self) -> Sequence[View]:
        """Decisions that were not dropped."""
        return [one for one in self.decisions if one["state"] != DecisionState.DROPPED]

    @property
    def state(self) -> str:
        """Where it stands: ``waits``, ``proposed``, ``decided`` or ``postponed``."""
        if self.told.get("postponed"):
            return "postponed"
        states = {one["state"] for one in self.live}
        if DecisionState.PROPOSED in states:
            return "proposed"
        return "decided" if states else "waits"


# -------------------------------------------------------------------------------------------------- list


@router.get("/meetings")
def listed(visit: Visiting, request: Request) -> Response:
    """List meetings: those that are on, those to come, and earlier ones."""
    if not visit.reads(Kind.MEETING):
        raise NotFoundError("no meetings for this role")
    all_of_them = "all" in asking.parameters(request, "all", "saved")
    found = visit.find(Kind.MEETING)
    over = [one for one in found if one["state"] not in AHEAD][::-1]
    return visit.page(
        "meetings/list.html",
        running=[one for one in found if one["state"] == MeetingState.OPEN],
        planned=[one for one in found if one["state"] == MeetingState.PLANNED],
        over=over if all_of_them else over[:OLDER],
        more=len(over) > OLDER and not all_of_them,
    )


@router.get("/meetings/new")
def new_page(visit: Visiting, request: Request) -> Response:
    """Show the form that calls a meeting, with those who were called last."""
    asking.parameters(request, "saved")
    return _new_page(visit, _as_last(visit), 200)


def _as_last(visit: Visit) -> Form:
    last = visit.find(Kind.MEETING)[-1:]
    if not last:
        return Form()
    names = {"chair": last[0]["chair"] or "", "secretary": last[0]["secretary"] or ""}
    return Form.filled({**names, "place": last[0]["place"] or "", "members[]": last[0]["members"]})


def _new_page(visit: Visit, form: Form, status: int) -> Response:
    if not visit.may("meetings.call"):
        raise NotFoundError("no such page")
    choices = _callable(visit)
    return visit.page(
        "meetings/new.html",
        status,
        form=form,
        members=choices["members"],
        chairs=choices["chairs"],
        secretaries=choices["secretaries"],
    )


def _callable(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Return who can be called, who can chair and who can be the secretary, with their roles."""

    def having(roles: Iterable[Role]) -> list[tuple[str, str]]:
        return [
            (account, f"{one.name} – {visit.words.code(Role, role)}")
            for account, one in visit.colleagues.items()
            for role in sorted(one.roles & set(roles))[:1]
        ]

    members = having(OF_COMMITTEE - {Role.COMMITTEE_SECRETARY})
    return {
        "members": members,
        "chairs": having(VOTING),
        "secretaries": having([Role.COMMITTEE_SECRETARY]),
    }


@router.post("/meetings/new")
def call(visit: Visiting, form: Sent) -> Response:
    """Call a meeting."""
    return done(
        visit,
        form,
        "meetings.call",
        page=lambda again, status: _new_page(visit, again, status),
        then=lambda called: f"/meetings/{called.view['id']}",
    )


# --------------------------------------------------------------------------------------------- a meeting


@router.get("/meetings/{meeting}")
def shown(visit: Visiting, meeting: str) -> Response:
    """Show a meeting."""
    return _page(visit, meeting, {}, 200)


def _page(visit: Visit, meeting: str, forms: Mapping[str, Form], status: int) -> Response:
    view = visit.show(Kind.MEETING, meeting)
    may = visit.may_with(Kind.MEETING, meeting)
    running = view["state"] in AHEAD
    items = items_of(visit, view)
    return visit.page(
        "meetings/meeting.html",
        status,
        meeting=view,
        may=may,
        items=items,
        forms=forms,
        left=[item for item in items if item.state == "waits"],
        waits=[item for item in items if item.state == "proposed"],
        absent=[one for one in view["members"] if one not in view["present"]],
        **(_choices(visit, view) if running and "meetings.put_on_agenda" in may else {}),
    )


def items_of(visit: Visit, meeting: View) -> list[Item]:
    """Return what is on the agenda of a meeting, and where it stands."""
    agenda = meeting["agenda"]
    named = [item["case"] for item in agenda if item["case"] is not None]
    cases = visit.office.desk.several(visit.actor, Kind.CASE, named)
    decisions = visit.find(Kind.DECISION, (Kind.MEETING, meeting["id"]))
    found = []
    for item in agenda:
        case = item["case"]
        of_case = () if case is None else ((Kind.CASE, case),)
        about = [one for one in decisions if case is None or one["case"] == case]
        if case is None:
            about = [one for one in about if one.get("unit") == item["unit"]]
        found.append(
            Item(
                told=item,
                case=cases[case].view if case in cases else None,
                decisions=about,
                unanswered=unanswered(visit, case),
                heard=visit.find(Kind.HEARING, *of_case, states=[HearingState.OPEN]) if of_case else (),
                comments=len(comments_on(visit, case)) if case is not None else 0,
                away=[one["account"] for one in meeting.get("disqualified", ()) if one["case"] == case],
            )
        )
    return found


def unanswered(visit: Visit, case: str | None) -> list[View]:
    """Return the objections in a case that hold today and that nobody has answered."""
    if case is None:
        return []
    today = visit.today.isoformat()
    found = visit.find(Kind.VETO, (Kind.CASE, case), states=[VetoStatus.OPEN])
    return [one for one in found if "entry" in one and one["entry"]["valid_until"] >= today]


def comments_on(visit: Visit, case: str) -> list[View]:
    """Return the remarks on a case that stand."""
    found = visit.find(Kind.COMMENT, (Kind.CASE, case))
    return [one for one in found if one.get("about") == Kind.CASE and not one["withdrawn"]]


def _choices(visit: Visit, meeting: View) -> dict[str, Any]:
    """Return what can be put on the agenda, and who can be called too."""
    listed = {item["case"] for item in meeting["agenda"] if not item["postponed"]}
    units = {item["unit"] for item in meeting["agenda"] if item["case"] is None}
    cases = [one for one in visit.find(Kind.CASE, states=WAITING) if one["id"] not in listed]
    vacant = (
        report(visit.office.desk, visit.actor, Report.WAITING)["vacant"]
        if visit.may_report(Report.WAITING)
        else []
    )
    taking_part = {*meeting["members"], meeting["secretary"]}
    return {
        "ready": cases,
        "vacant": [one for one in vacant if one["unit"] not in units],
        "invitable": [pair for pair in _callable(visit)["members"] if pair[0] not in taking_part],
    }


# ------------------------------------------------------------------------------------- one thing at a time


@dataclass(frozen=True)
class Advice:
    """What the newest suggestion says, as far as the reader may see it.

    Attributes:
        view: The suggestion.
        best: The entries that come first.
        count: How many there are.
    """

    view: View
    best: Sequence[answers.Entry] = field(default=())
    count: int = 0


@router.get("/meetings/{meeting}/items/{no}")
def item_page(visit: Visiting, meeting: str, no: int) -> Response:
    """Show one thing on the agenda with all that has been said of it."""
    return _item_page(visit, meeting, no, {}, 200)


def _item_page(
    visit: Visit, meeting: str, no: int, forms: Mapping[str, Form], status: int, **more: Any
) -> Response:
    view = visit.show(Kind.MEETING, meeting)
    items = items_of(visit, view)
    item = next((one for one in items if one.no == no), None)
    if item is None:
        raise NotFoundError("no such item")
    case = item.told["case"]
    suggestion = newest(visit, item.told)
    of_case = () if case is None else ((Kind.CASE, case),)
    may = visit.may_with(Kind.MEETING, meeting)
    running = view["state"] == MeetingState.OPEN and not item.told["postponed"]
    place = [one.no for one in items].index(no)
    may_case = visit.may_with(Kind.CASE, case) if case is not None else frozenset()
    return visit.page(
        "meetings/item.html",
        status,
        meeting=view,
        item=item,
        may=may,
        may_case=may_case,
        may_answer=visit.may("vetoes.answer"),
        may_suggest=visit.may("suggestions.make") and view["state"] in AHEAD,
        running=running,
        before=items[place - 1] if place else None,
        after=items[place + 1] if place + 1 < len(items) else None,
        advice=_advice(visit, suggestion),
        hearings=visit.find(Kind.HEARING, *of_case) if of_case else [],
        vetoes=visit.find(Kind.VETO, *of_case) if of_case else [],
        open_vetoes={one["id"] for one in item.unanswered},
        comments=comments_on(visit, case) if case is not None else [],
        decided=[one for one in _decisions(visit, case) if one.get("meeting") != meeting],
        taking_part=[one for one in _taking_part(view) if one not in item.away],
        substitutes=[pair for pair in _callable(visit)["members"] if pair[0] not in _taking_part(view)],
        forms=forms,
        schemes=schemes_of(visit),
        **{"done": None, **more},
    )


def schemes_of(visit: Visit) -> dict[str, str]:
    """Return what the schemes are called."""
    return {one["id"]: one["facts"]["name"] for one in visit.find(Kind.SCHEME)}


def _taking_part(meeting: View) -> list[str]:
    """Return who is called, and the secretary."""
    others = [] if meeting["secretary"] is None else [meeting["secretary"]]
    return [*meeting["members"], *others]


def newest(visit: Visit, item: View) -> View | None:
    """Return the newest suggestion for the case of an item, or for its unit."""
    if not visit.reads(Kind.SUGGESTION):
        return None
    kind = Kind.CASE if item["case"] is not None else Kind.UNIT
    name = item[kind.value]
    page = visit.office.desk.page(visit.actor, Kind.SUGGESTION, links=(Link(kind, name),), limit=200)
    found = [one for one in page.items if one.view.get(kind.value) == name]
    last = max(found, key=lambda one: (one.stored.at, one.stored.id), default=None)
    return None if last is None else last.view


def _advice(visit: Visit, suggestion: View | None) -> Advice | None:
    if suggestion is None:
        return None
    content = visit.office.desk.answer(visit.actor, suggestion["id"], visit.language.value)
    listed = answers.entries(content)
    return Advice(suggestion, [one for one in listed if not one.barred][:BEST], len(listed))


def _decisions(visit: Visit, case: str | None) -> list[View]:
    return [] if case is None else visit.find(Kind.DECISION, (Kind.CASE, case))


def _item_done(
    visit: Visit,
    form: Form,
    *,
    meeting: str,
    no: int,
    use: str,
    name: str,
    anchor: str,
    target: str | None = None,
    more: Mapping[str, Any],
) -> Response:
    """Do something on the page of an item, in place where the browser can."""
    address = f"/meetings/{meeting}/items/{no}"

    def then(_: Shown) -> str | Response:
        if is_fragment(visit.request):
            return _item_page(visit, meeting, no, {}, 200, done=use)
        return address

    return done(
        visit,
        form,
        use,
        target,
        page=lambda again, status: _item_page(visit, meeting, no, {name: again}, status),
        then=then,
        anchor=anchor,
        more=more,
    )


@router.post("/meetings/{meeting}/items/{no}/vetoes/{veto}")
def answer_veto(visit: Visiting, form: Sent, *, meeting: str, no: int, veto: str) -> Response:
    """Answer an objection, in place."""
    return _item_done(
        visit,
        form,
        meeting=meeting,
        no=no,
        use="vetoes.answer",
        name=veto,
        anchor="objections",
        target=veto,
        more={"meeting": meeting},
    )


@router.post("/meetings/{meeting}/items/{no}/comment")
def comment(visit: Visiting, form: Sent, *, meeting: str, no: int) -> Response:
    """Make a remark on the case, in place."""
    return _item_done(
        visit,
        form,
        meeting=meeting,
        no=no,
        use="comments.make",
        name="comment",
        anchor="comments",
        more={"about": Kind.CASE.value, "of": _item(visit, meeting, no)["case"]},
    )


@router.post("/meetings/{meeting}/items/{no}/comments/{comment}/withdraw")
def take_back(visit: Visiting, form: Sent, meeting: str, no: int, comment: str) -> Response:
    """Take a remark on a case back."""
    visit.do("comments.withdraw", form, comment)
    return to(f"/meetings/{meeting}/items/{no}", "comments.withdraw", "comments")


@router.post("/meetings/{meeting}/items/{no}/suggestion")
def suggest(visit: Visiting, form: Sent, meeting: str, no: int) -> Response:
    """Ask for a new suggestion for what is on the agenda."""
    item = _item(visit, meeting, no)
    about = {"case": item["case"]} if item["case"] is not None else {"unit": item["unit"]}
    return _item_done(
        visit,
        form,
        meeting=meeting,
        no=no,
        use="suggestions.make",
        name="suggestion",
        anchor="advice",
        more=about,
    )


def _item(visit: Visit, meeting: str, no: int) -> View:
    agenda = visit.show(Kind.MEETING, meeting)["agenda"]
    found: View | None = next((one for one in agenda if one["no"] == no), None)
    if found is None:
        raise NotFoundError("no such item")
    return found


# ------------------------------------------------------------------------------------------------ minutes


@router.get("/meetings/{meeting}/minutes")
def minutes_page(visit: Visiting, meeting: str) -> Response:
    """Show the minutes as they are written, with a draft from what was decided."""
    return _minutes_page(visit, meeting, Form(), 200)


def _minutes_page(visit: Visit, meeting: str, form: Form, status: int) -> Response:
    view = visit.show(Kind.MEETING, meeting)
    if "meetings.write_minutes" not in visit.may_with(Kind.MEETING, meeting):
        raise NotFoundError("no such page")
    items = items_of(visit, view)
    return visit.page(
        "meetings/minutes.html",
        status,
        meeting=view,
        form=form,
        draft=view["minutes"] or draft_of(visit, view, items),
    )


def draft_of(visit: Visit, meeting: View, items: Sequence[Item]) -> str:
    """Return a draft of the minutes: who was there, and what was decided; not what was said."""
    content = {"meeting": meeting, "items": items, "visit": visit}
    return rendered(visit.language, "meetings/draft.txt", content).strip()


@router.post("/meetings/{meeting}/minutes")
def write_minutes(visit: Visiting, form: Sent, meeting: str) -> Response:
    """Save the minutes: the draft, as it was mended, and what was weighed, in somebody's own words."""
    own, draft = form.value("_own").strip(), form.value("_draft").strip()
    first = visit.show(Kind.MEETING, meeting)["minutes"] is None
    return done(
        visit,
        form,
        "meetings.write_minutes",
        meeting,
        page=lambda again, status: _minutes_page(visit, meeting, again, status),
        then=f"/meetings/{meeting}",
        anchor="minutes",
        needed=("_own",) if first else (),
        more={"minutes": f"{draft}\n\n{own}".strip()},
    )


# ---------------------------------------------------------------------------------------- what can be done


@router.post("/meetings/{meeting}/{verb}")
def act(visit: Visiting, form: Sent, meeting: str, verb: str) -> Response:
    """Do something with a meeting."""
    if verb not in _VERBS:
        raise NotFoundError("no such page")
    use = f"meetings.{verb}"
    item = form.value("_item")
    place = f"/meetings/{meeting}"
    still_there = item.isdigit() and verb == "disqualify" and form.value("account") != visit.actor.account

    def page(again: Form, status: int) -> Response:
        if item.isdigit():
            return _item_page(visit, meeting, int(item), {verb: again}, status)
        return _page(visit, meeting, {_which(verb, form): again}, status)

    return done(visit, form, use, meeting, page=page, then=f"{place}/items/{item}" if still_there else place)


def _which(verb: str, form: Form) -> str:
    """Return which of the page's forms was sent; there is one of each for every item of the agenda."""
    return f"{verb}-{form.value('no[int]')}" if verb == "take_off_agenda" else verb
