"""Suggestions: units for a case in order, or applicants for a unit, with what speaks for and against each.

What a page says of units and people is the answer that its reader gets (`api.pages.answers`). Who lives in a
living group is looked up only when its plan is opened, so that nobody is looked at who need not be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from allocator.casework.codes import ENDED_CASES, CaseState, HearingState, MeetingState
from allocator.casework.mix import Count, Neighbour, age_band, counts
from allocator.casework.records import Kind, Link
from allocator.codes import Gender, SubstanceUse
from allocator.model import age_on
from allocator.service.colleagues import colleagues
from allocator.service.desk import Shown
from allocator.service.errors import NotFoundError
from allocator.service.freshness import since
from allocator.service.hearings import USUAL_DAYS
from allocator.service.neighbours import Lodger, rooms
from api.pages import answers
from api.pages.answers import Entry
from api.pages.doing import done
from api.pages.forms import VERSION, Form, Sent
from api.pages.rendering import is_fragment
from api.pages.visit import Visit, Visiting, to

router = APIRouter()

View = Mapping[str, Any]

_AHEAD = (MeetingState.PLANNED, MeetingState.OPEN)

IN_FULL = 6
"""So many entries of a list are written out; of the others what speaks against them is named."""

Chosen = Annotated[str | None, Query()]


@dataclass(frozen=True)
class Opened:
    """A stored suggestion as its reader has it.

    Attributes:
        view: The record.
        content: The answer.
        listed: The entries of the answer, in order.
    """

    view: View
    content: View
    listed: tuple[Entry, ...]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.view["id"])

    @property
    def case(self) -> str | None:
        """The case that it ranks units for."""
        return self.view.get("case")

    @property
    def unit(self) -> str | None:
        """The unit that it ranks applicants for."""
        return self.view.get("unit")

    def entry(self, name: str | None) -> Entry:
        """Return the entry of a unit or an applicant.

        Raises:
            NotFoundError: The reader's answer has no such entry.
        """
        found = next((entry for entry in self.listed if entry.name == name), None)
        if found is None:
            raise NotFoundError("no such entry")
        return found

    def of(self, entry: Entry) -> str:
        """Return the case that an entry is about."""
        return self.case or entry.name

    def following(self, entry: Entry) -> Entry | None:
        """Return what stands next after an entry."""
        return next((after for one, after in pairwise(self.listed) if one is entry), None)


def _open(visit: Visit, suggestion: str) -> Opened:
    view = visit.show(Kind.SUGGESTION, suggestion)
    content = visit.office.desk.answer(visit.actor, suggestion, visit.language.value)
    return Opened(view, content, answers.entries(content))


def _views(shown: Mapping[str, Shown]) -> Mapping[str, View]:
    return {name: one.view for name, one in shown.items()}


def _places(visit: Visit, listed: Iterable[Entry]) -> dict[str, Any]:
    """Return the units and schemes of entries as the reader sees them."""
    entries = list(listed)
    desk, actor = visit.office.desk, visit.actor
    return {
        "units": _views(desk.several(actor, Kind.UNIT, (entry.unit for entry in entries))),
        "schemes": _views(desk.several(actor, Kind.SCHEME, (entry.told["scheme"] for entry in entries))),
    }


def _cases(visit: Visit, opened: Opened, listed: Iterable[Entry]) -> Mapping[str, View]:
    names = {opened.of(entry) for entry in listed} if opened.case is None else {opened.case}
    return _views(visit.office.desk.several(visit.actor, Kind.CASE, sorted(names)))


def _person(visit: Visit, case: View | None) -> View:
    """Return what the reader sees of whose case it is; nothing if they see nothing."""
    name = (case or {}).get("person")
    found = {} if name is None else _views(visit.office.desk.several(visit.actor, Kind.PERSON, [name]))
    return found.get(name or "", {})


def _wished(visit: Visit, case: View | None) -> Mapping[str, View]:
    """Return the schemes that an applicant wishes for, or does not want."""
    wishes = (case or {}).get("wishes") or {}
    named = (one["scheme"] for part in ("preferred", "reservations") for one in wishes.get(part, ()))
    return _views(visit.office.desk.several(visit.actor, Kind.SCHEME, named))


# ------------------------------------------------------------------------------------------ a suggestion


@router.get("/suggestions/{suggestion}")
def shown(visit: Visiting, suggestion: str, verdict: Chosen = None, order: Chosen = None) -> Response:
    """Show a stored suggestion."""
    return _page(visit, suggestion, {}, 200, verdict, by_name=order == "name")


def _page(
    visit: Visit,
    suggestion: str,
    forms: Mapping[str, Form],
    status: int,
    verdict: str | None = None,
    *,
    by_name: bool = False,
) -> Response:
    opened = _open(visit, suggestion)
    chosen = verdict if verdict in answers.VERDICTS else None
    listed = answers.chosen(opened.listed, chosen, by_name=by_name)
    cases = _cases(visit, opened, opened.listed)
    case = cases.get(opened.case or "")
    earlier = _suggestions_of(visit, *_subject(opened))
    return visit.page(
        "suggestions/suggestion.html",
        status,
        opened=opened,
        listed=[entry for entry in listed if by_name or not entry.barred],
        barred=[] if by_name else [entry for entry in listed if entry.barred],
        in_full=IN_FULL,
        verdict=chosen,
        verdicts=answers.by_verdict(opened.listed),
        by_name=by_name,
        topics=_topics(opened.listed),
        questions=() if opened.case is None else answers.questions(opened.listed),
        cases=cases,
        case=case,
        person=_person(visit, case),
        wished=_wished(visit, case),
        standing=answers.standing,
        newer=_newer(earlier, suggestion),
        may_make=_may_make(visit, opened),
        **_places(visit, opened.listed),
        **_doings(visit, opened, cases, forms),
    )


def _subject(opened: Opened) -> tuple[Kind, str]:
    return (Kind.CASE, opened.case) if opened.case is not None else (Kind.UNIT, opened.unit or "")


def _may_make(visit: Visit, opened: Opened) -> bool:
    return "suggestions.make" in visit.may_with(*_subject(opened))


def _suggestions_of(visit: Visit, kind: Kind, identifier: str) -> list[View]:
    """Return the suggestions for a case or a unit, the newest first."""
    if not visit.reads(Kind.SUGGESTION):
        return []
    link = Link(kind, identifier)
    page = visit.office.desk.page(visit.actor, Kind.SUGGESTION, links=(link,), limit=200)
    found = sorted(page.items, key=lambda one: (one.stored.at, one.stored.id), reverse=True)
    return [one.view for one in found if one.view.get(kind.value) == identifier]


def _newer(found: Sequence[View], suggestion: str) -> View | None:
    """Return the newest of some suggestions, if it is another than this."""
    return found[0] if found and found[0]["id"] != suggestion else None


def _topics(listed: Iterable[Entry]) -> list[str]:
    """Return the topics that something is told of, in order; contested ones only where one is broken."""
    told: dict[str, bool] = {}
    for entry in listed:
        for topic, cell in entry.topics.items():
            told[topic] = told.get(topic, False) or cell.verdict != answers.VERDICTS[0]
    return [topic for topic in answers.ORDER if topic in told and (told[topic] or topic != "contested")]


@router.get("/suggestions/{suggestion}/fresh")
def fresh(visit: Visiting, suggestion: str) -> Response:
    """Say whether a suggestion would say something else today."""
    view = visit.show(Kind.SUGGESTION, suggestion)
    now = since(visit.office.desk, visit.actor, suggestion)
    return visit.page("suggestions/fresh.html", view=view, since=now)


# --------------------------------------------------------------------------------------------- one entry


@router.get("/suggestions/{suggestion}/entries/{name}")
def entry_page(visit: Visiting, suggestion: str, name: str) -> Response:
    """Show all that is said of one unit, or one applicant, and who lives there."""
    return _entry_page(visit, suggestion, name, {}, 200)


def _entry_page(
    visit: Visit,
    suggestion: str,
    name: str,
    forms: Mapping[str, Form],
    status: int,
    *,
    done: str | None = None,
) -> Response:
    opened = _open(visit, suggestion)
    entry = opened.entry(name)
    following = opened.following(entry)
    cases = _cases(visit, opened, [entry])
    case = cases.get(opened.of(entry))
    scheme = entry.told["scheme"]
    plan = _plan(visit, entry, _person(visit, case))
    may_scheme = visit.may_with(Kind.SCHEME, scheme)
    vetoes = visit.find(Kind.VETO, (Kind.CASE, opened.of(entry)))
    return visit.page(
        "suggestions/entry.html",
        status,
        opened=opened,
        entry=entry,
        following=following,
        standing=answers.standing,
        only=answers.only,
        cases=cases,
        case=case,
        forms=forms,
        may_object="vetoes.raise" in may_scheme,
        may_propose=_may_propose(visit, opened, entry, case),
        vetoes=[veto for veto in vetoes if _concerns(veto["entry"], entry)],
        objection=Form.filled({"unit": entry.unit}),
        hazards=visit.find(Kind.HAZARD, (Kind.SCHEME, scheme)),
        done=done,
        **_places(visit, [entry] if following is None else [entry, following]),
        **plan,
    )


def _may_propose(visit: Visit, opened: Opened, entry: Entry, case: View | None) -> bool:
    running = case is not None and case.get("state") not in ENDED_CASES
    return running and "decisions.propose" in visit.may_with(Kind.CASE, opened.of(entry))


def _concerns(veto: View, entry: Entry) -> bool:
    """Return whether an objection is about the entry's unit, its living group or its scheme."""
    return (
        veto.get("unit") == entry.unit
        or veto.get("living_group") == entry.told["living_group"]
        or veto.get("scheme") == entry.told["scheme"]
    )


# ---------------------------------------------------------------------------------------------- the plan


@dataclass(frozen=True)
class Resident:
    """Somebody in the plan: who lives in a unit, or would.

    Attributes:
        id: Their id, as sentences name them; None for the applicant.
        seen: What the reader sees of them.
        away: They are away for a time.
        leaves: Their last day, if they have given notice.
    """

    id: str | None
    seen: Neighbour
    away: bool = False
    leaves: str | None = None

    @property
    def band(self) -> int | None:
        """The first year of their age band."""
        return None if self.seen.age is None else age_band(self.seen.age)


def neighbour(person: View, told: Mapping[str, Any], today: date) -> Neighbour:
    """Return what a reader sees of somebody: by their record, and else by what findings have read."""
    facts = person.get("facts", {})

    def known(name: str) -> Any:
        fact = facts.get(name)
        current = fact is not None and fact["status"] == "known" and not _over(fact, today)
        return fact["value"] if fact is not None and current else None

    born, gender, use = known("birth_date"), known("gender"), known("substance_use")
    gender, use = gender or told.get("gender"), use or told.get("substance_use")
    return Neighbour(
        gender=None if gender is None else Gender(gender),
        age=told.get("age") if born is None else age_on(date.fromisoformat(born), today),
        use=None if use is None else SubstanceUse(use),
    )


def _over(fact: View, today: date) -> bool:
    until = fact.get("valid_until")
    return until is not None and date.fromisoformat(until) < today


def _plan(visit: Visit, entry: Entry, applicant: View) -> dict[str, Any]:
    """Return the rooms of the entry's living group, and the mix today and with the applicant."""
    found = rooms(visit.office.desk, visit.actor, entry.told["scheme"], entry.told["living_group"])
    plan = [
        {
            "unit": room.unit["id"],
            "here": room.unit["id"] == entry.unit,
            "status": room.status.value,
            "vacant_from": room.vacant_from,
            "residents": [_resident(lodger, entry, visit.today) for lodger in room.lodgers],
        }
        for room in found
    ]
    newcomer = Resident(None, neighbour(applicant, entry.applicant, visit.today))
    seen = [resident.seen for room in plan for resident in room["residents"]]
    return {"plan": plan, "newcomer": newcomer, "mix": _told(counts(seen, newcomer.seen), newcomer.seen)}


def _resident(lodger: Lodger, entry: Entry, today: date) -> Resident:
    name = lodger.tenancy.get("person", "")
    notice = lodger.tenancy.get("notice")
    return Resident(
        id=name or None,
        seen=neighbour(lodger.person, entry.resident(name), today),
        away=lodger.tenancy.get("absence") is not None,
        leaves=None if notice is None else notice["move_out"],
    )


def _told(found: list[Count], newcomer: Neighbour) -> list[Count]:
    """Return counts without those of which the reader sees nothing at all.

    Of a fact of the applicant that they do not see, they are told of today alone.
    """
    known = {count.of for count in found if count.which is not None}
    theirs = {"gender": newcomer.gender, "age": newcomer.age, "use": newcomer.use}
    return [
        count if theirs[count.of] is not None else replace(count, then=None)
        for count in found
        if count.of in known and (count.now or theirs[count.of] is not None)
    ]


# -------------------------------------------------------------------------------------------- side by side


@router.get("/suggestions/{suggestion}/compare")
def compare(visit: Visiting, suggestion: str, a: Chosen = None, b: Chosen = None) -> Response:
    """Show two units, or two applicants, side by side."""
    opened = _open(visit, suggestion)
    first = opened.listed[0].name if opened.listed else None
    second = opened.listed[1].name if len(opened.listed) > 1 else first
    pair = sorted((opened.entry(a or first), opened.entry(b or second)), key=opened.listed.index)
    return visit.page(
        "suggestions/compare.html",
        opened=opened,
        pair=pair,
        only=[answers.only(pair[0], pair[1]), answers.only(pair[1], pair[0])],
        both=answers.both(pair[0], pair[1]),
        topics=_topics(pair),
        standing=answers.standing(pair[0], pair[1]),
        **_places(visit, pair),
    )


# ----------------------------------------------------------------------------------- what is done with it


def _doings(
    visit: Visit, opened: Opened, cases: Mapping[str, View], forms: Mapping[str, Form]
) -> dict[str, Any]:
    """Return what can be done with a suggestion, and what has been done."""
    meetings = visit.find(Kind.MEETING, states=_AHEAD)
    by = {} if opened.case is None else {"case": opened.case}
    on = {**by, **({} if opened.unit is None else {"unit": opened.unit})}
    placed = [m for m in meetings if any(_is_about(item, on) for item in m["agenda"])]
    hearings = [] if opened.case is None else visit.find(Kind.HEARING, (Kind.CASE, opened.case))
    case = cases.get(opened.case or "", {})
    running = opened.case is None or case.get("state") not in {*ENDED_CASES, CaseState.RECEIVED}
    return {
        "forms": forms,
        "meetings": [m for m in meetings if m not in placed] if running else [],
        "placed": placed,
        "may_agenda": running and visit.may("meetings.put_on_agenda"),
        "hearings": [h for h in hearings if h["state"] == HearingState.OPEN],
        "may_hear": running and visit.may("hearings.send") and bool(opened.listed),
        "comments": [
            c for c in visit.find(Kind.COMMENT, (Kind.SUGGESTION, opened.id)) if c["of"] == opened.id
        ],
        "may_comment": "comments.make" in visit.may_with(Kind.SUGGESTION, opened.id),
        "people": colleagues(visit.office.desk, visit.actor),
        "deadline": date.fromordinal(visit.today.toordinal() + USUAL_DAYS),
        "done": None,
    }


def _is_about(item: View, on: Mapping[str, str]) -> bool:
    return item.get("postponed") is None and all(item.get(name) == value for name, value in on.items())


def _after(visit: Visit, suggestion: str, use: str) -> Response:
    """Return the answer once something was done: in place, or the page."""
    if not is_fragment(visit.request):
        return to(f"/suggestions/{suggestion}", done=use, anchor="doings")
    return _doings_page(visit, suggestion, {}, 200, use)


def _doings_page(
    visit: Visit, suggestion: str, forms: Mapping[str, Form], status: int, done: str | None = None
) -> Response:
    opened = _open(visit, suggestion)
    doings = _doings(visit, opened, _cases(visit, opened, opened.listed), forms)
    return visit.page(
        "suggestions/doings.html",
        status,
        opened=opened,
        **_places(visit, opened.listed),
        **{**doings, "done": done},
    )


def _done(
    visit: Visit,
    suggestion: str,
    name: str,
    form: Form,
    *,
    use: str,
    target: str | None = None,
    needed: Iterable[str] = (),
    more: Mapping[str, Any] | None = None,
) -> Response:
    page = _doings_page if is_fragment(visit.request) else _page
    return done(
        visit,
        form,
        use,
        target,
        page=lambda again, status: page(visit, suggestion, {name: again}, status),
        then=lambda _: _after(visit, suggestion, use),
        needed=needed,
        more=more,
    )


@router.post("/suggestions/{suggestion}/agenda")
def put_on_agenda(visit: Visiting, suggestion: str, form: Sent) -> Response:
    """Put what a suggestion is about on the agenda of a meeting."""
    view = visit.show(Kind.SUGGESTION, suggestion)
    meeting = form.value("_meeting")
    return _done(
        visit,
        suggestion,
        "agenda",
        replace(form, given={**form.given, VERSION: (form.value(f"_seen-{meeting}"),)}),
        use="meetings.put_on_agenda",
        target=meeting,
        needed=("_meeting",),
        more={"case": view.get("case"), "unit": view.get("unit"), "suggestion": suggestion},
    )


@router.post("/suggestions/{suggestion}/hearing")
def send_to_hearing(visit: Visiting, suggestion: str, form: Sent) -> Response:
    """Ask the staff of a scheme about a case in a suggestion."""
    view = visit.show(Kind.SUGGESTION, suggestion)
    more: dict[str, Any] = {"suggestion": suggestion}
    if view.get("case") is not None:
        more["case"] = view["case"]
    return _done(visit, suggestion, "hearing", form, use="hearings.send", more=more)


@router.post("/suggestions/{suggestion}/comment")
def comment(visit: Visiting, suggestion: str, form: Sent) -> Response:
    """Remark on a suggestion."""
    more = {"about": Kind.SUGGESTION.value, "of": suggestion}
    return _done(visit, suggestion, "comment", form, use="comments.make", more=more)


@router.post("/suggestions/{suggestion}/comments/{remark}/withdraw")
def withdraw(visit: Visiting, suggestion: str, remark: str, form: Sent) -> Response:
    """Take a remark back."""
    return _done(visit, suggestion, "comment", form, use="comments.withdraw", target=remark)


@router.post("/suggestions/{suggestion}/entries/{name}/objection")
def object_to(visit: Visiting, suggestion: str, name: str, form: Sent) -> Response:
    """Object to somebody in a unit, for the scheme."""
    opened = _open(visit, suggestion)
    found = opened.entry(name)
    more = {"case": opened.of(found), "scheme": found.told["scheme"]}
    address = f"/suggestions/{suggestion}/entries/{name}"

    def then(_: Shown) -> str | Response:
        if is_fragment(visit.request):
            return _entry_page(visit, suggestion, name, {}, 200, done="vetoes.raise")
        return address

    return done(
        visit,
        form,
        "vetoes.raise",
        page=lambda again, status: _entry_page(visit, suggestion, name, {"objection": again}, status),
        then=then,
        anchor="objections",
        more=more,
    )


# ------------------------------------------------------------------------------------------------- making


@router.get("/cases/{case}/suggestion")
def for_case(visit: Visiting, case: str) -> Response:
    """Show the suggestions for a case, and let one be made."""
    return _make_page(visit, Kind.CASE, case, Form(), 200)


@router.post("/cases/{case}/suggestion")
def make_for_case(visit: Visiting, case: str, form: Sent) -> Response:
    """Rank the units for a case."""
    return _make(visit, Kind.CASE, case, form)


@router.get("/units/{unit}/suggestion")
def for_unit(visit: Visiting, unit: str) -> Response:
    """Show the lists of applicants for a unit, and let one be made."""
    return _make_page(visit, Kind.UNIT, unit, Form(), 200)


@router.post("/units/{unit}/suggestion")
def make_for_unit(visit: Visiting, unit: str, form: Sent) -> Response:
    """Rank the applicants for a unit."""
    return _make(visit, Kind.UNIT, unit, form)


def _make(visit: Visit, kind: Kind, name: str, form: Form) -> Response:
    return done(
        visit,
        form,
        "suggestions.make",
        page=lambda again, status: _make_page(visit, kind, name, again, status),
        then=lambda made: f"/suggestions/{made.stored.id}",
        more={kind.value: name},
    )


def _make_page(visit: Visit, kind: Kind, name: str, form: Form, status: int) -> Response:
    return visit.page(
        "suggestions/make.html",
        status,
        kind=kind.value,
        view=visit.show(kind, name),
        found=_suggestions_of(visit, kind, name),
        may_make="suggestions.make" in visit.may_with(kind, name),
        form=form,
    )
