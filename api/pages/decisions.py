"""Decisions: what one must answer before it is proposed, the proposal, its approval, and what is made of it.

What a decision must answer is asked of the service (`allocator.service.prospects`) for the one who reads,
before anything is written. What only the cleared read is told on a screen of their own, never on one that
others look at too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from allocator.casework.codes import (
    CaseState,
    Consequence,
    DecisionOutcome,
    DecisionState,
    DecisionType,
    MeetingState,
    OfferState,
    Purpose,
    RefusalReason,
)
from allocator.casework.law import DECISION_LAW, appeal_deadline, law_ref
from allocator.casework.records import Kind
from allocator.facts import Missing, fact_type
from allocator.rules.sources import LAW
from allocator.service.decisions import CRISIS_DAYS, LEAST_GROUNDS
from allocator.service.errors import NotFoundError
from allocator.service.offers import MILD, REASONS
from allocator.service.packages import decision_package
from allocator.service.prospects import Changed, Prospect, before_approving, before_proposing
from api import asking
from api.pages import answers
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.meetings import newest
from api.pages.refusing import told
from api.pages.visit import Visit, Visiting

router = APIRouter()

View = Mapping[str, Any]

WITH_PLACE = (DecisionType.ALLOCATION, DecisionType.LONG_STAY, DecisionType.TEMPORARY, DecisionType.DWELLING)
"""Types that can give a home."""

CONDITIONS = 2
"""So many conditions can be filled in at a time."""

_DISSENT = "_dissent-"


@dataclass(frozen=True)
class Asked:
    """What is to be decided.

    Attributes:
        case: The case.
        type: Which decision.
        meeting: The meeting it is decided in.
        unit: The home that is to be given.
        suggestion: The suggestion it answers.
        reverses: The decision in whose place it comes.
    """

    case: str
    type: DecisionType
    meeting: str | None = None
    unit: str | None = None
    suggestion: str | None = None
    reverses: str | None = None

    @property
    def crisis(self) -> bool:
        """Whether somebody is placed in a crisis."""
        return self.type is DecisionType.TEMPORARY and self.unit is not None

    @property
    def outcomes(self) -> list[str]:
        """What can be decided without a home."""
        none = [DecisionOutcome.NO_SUITABLE_PLACE] if self.type in WITH_PLACE else []
        return [one.value for one in (*none, DecisionOutcome.GRANTED, DecisionOutcome.REFUSED)]

    @property
    def place(self) -> str:
        """The address of the form."""
        return "/decisions/new" if self.reverses is None else f"/decisions/{self.reverses}/reverse"


# ---------------------------------------------------------------------------------------------- proposing


@router.get("/decisions/new")
def new_page(visit: Visiting, request: Request) -> Response:
    """Show what a decision must answer, and the form that proposes it."""
    given = asking.parameters(request, "case", "meeting", "unit", "suggestion", "type", "saved")
    case = asking.an_id(given, "case")
    if case is None or not visit.may("decisions.propose"):
        raise NotFoundError("no such page")
    return _form_page(visit, _asked(visit, given, case), Form(), 200)


@router.post("/decisions/new")
def propose(visit: Visiting, form: Sent) -> Response:
    """Propose a decision."""
    asked = _sent(visit, form)
    return done(
        visit,
        form,
        "decisions.propose",
        page=lambda again, status: _form_page(visit, asked, again, status),
        then=lambda proposed: f"/decisions/{proposed.view['id']}",
        more=_content(asked, form, type=True),
    )


@router.get("/decisions/{decision}/reverse")
def reverse_page(visit: Visiting, request: Request, decision: str) -> Response:
    """Show the form that proposes another decision in place of one that was made."""
    given = asking.parameters(request, "meeting", "unit", "suggestion", "saved")
    old = visit.show(Kind.DECISION, decision)
    if "decisions.reverse" not in visit.may_with(Kind.DECISION, decision):
        raise NotFoundError("no such page")
    asked = _asked(visit, {**given, "type": old["type"]}, old["case"])
    return _form_page(visit, replace(asked, reverses=decision), Form(), 200)


@router.post("/decisions/{decision}/reverse")
def reverse(visit: Visiting, form: Sent, decision: str) -> Response:
    """Propose another decision in place of one that was made."""
    asked = replace(_sent(visit, form), reverses=decision)
    return done(
        visit,
        form,
        "decisions.reverse",
        decision,
        page=lambda again, status: _form_page(visit, asked, again, status),
        then=lambda proposed: f"/decisions/{proposed.view['id']}",
        more=_content(asked, form, type=False),
    )


def _asked(visit: Visit, given: Mapping[str, str], case: str) -> Asked:
    """Return what is to be decided, with the meeting and the suggestion that fit where none is said."""
    unit = asking.an_id(given, "unit") if given.get("unit") else None
    meeting = asking.an_id(given, "meeting") if given.get("meeting") else _sitting(visit, case)
    suggestion = asking.an_id(given, "suggestion") if given.get("suggestion") else None
    if suggestion is None:
        found = newest(visit, {"case": case, "unit": None})
        suggestion = None if found is None else found["id"]
    kind = given.get("type", "")
    usual = DecisionType.ALLOCATION if meeting is not None else DecisionType.ASSISTANCE
    chosen = DecisionType(kind) if kind in set(DecisionType) else usual
    return Asked(case, chosen, meeting, unit if chosen in WITH_PLACE else None, suggestion)


def _sitting(visit: Visit, case: str) -> str | None:
    """Return the meeting that is on now and has the case on its agenda."""
    for meeting in visit.find(Kind.MEETING, (Kind.CASE, case), states=[MeetingState.OPEN]):
        if any(item["case"] == case and not item["postponed"] for item in meeting["agenda"]):
            return str(meeting["id"])
    return None


def _sent(visit: Visit, form: Form) -> Asked:
    names = ("meeting", "unit", "suggestion", "type")
    given = {name: form.value(f"_{name}") for name in names}
    return _asked(visit, given, form.value("_case"))


def _content(asked: Asked, form: Form, *, type: bool) -> dict[str, Any]:  # noqa: A002 - as the field is called
    """Return what the page knows without asking: what is decided on, and who was against."""
    of_type = {"type": asked.type.value, "case": asked.case} if type else {}
    against = [
        {"by": name.removeprefix(_DISSENT), "text": form.value(name).strip()}
        for name in form.given
        if name.startswith(_DISSENT) and form.value(name).strip()
    ]
    return {
        **of_type,
        "outcome": DecisionOutcome.ALLOCATED.value if asked.unit is not None else None,
        "meeting": asked.meeting,
        "unit": asked.unit,
        "suggestion": asked.suggestion,
        "dissents": against or None,
    }


def _form_page(visit: Visit, asked: Asked, form: Form, status: int) -> Response:
    case = visit.show(Kind.CASE, asked.case)
    meeting = None if asked.meeting is None else visit.show(Kind.MEETING, asked.meeting)
    listed = _entries(visit, asked.suggestion)
    prospect = None
    if asked.unit is not None:
        prospect = before_proposing(
            visit.office.desk,
            visit.actor,
            asked.case,
            asked.unit,
            asked.suggestion,
            crisis=asked.crisis,
            reverses=asked.reverses,
        )
    objections = visit.find(Kind.VETO, (Kind.CASE, asked.case)) if prospect is not None else []
    version = None
    if asked.reverses is not None:
        version = visit.show(Kind.DECISION, asked.reverses)["version"]
    return visit.page(
        "decisions/new.html",
        status,
        asked=asked,
        version=version,
        case=case,
        meeting=meeting,
        form=form,
        listed=listed,
        entry=next((one for one in listed if asked.unit in (one.unit, one.name)), None),
        prospect=prospect,
        stops=[] if prospect is None else stops_of(visit, prospect),
        changed=[] if prospect is None else list(changes_of(visit, prospect.changed)),
        objections=[one for one in objections if prospect is not None and one["id"] in prospect.objections],
        voters=_voters(meeting, asked.case),
        dissenting=any(name.startswith(_DISSENT) and form.value(name) for name in form.given),
        law=_law_choices(visit, asked.type),
        with_place=[one.value for one in WITH_PLACE],
        least=LEAST_GROUNDS,
        crisis_days=CRISIS_DAYS,
        conditions=CONDITIONS,
    )


def _entries(visit: Visit, suggestion: str | None) -> Sequence[answers.Entry]:
    if suggestion is None:
        return ()
    try:
        content = visit.office.desk.answer(visit.actor, suggestion, visit.language.value)
    except NotFoundError:
        return ()
    return answers.entries(content)


def _voters(meeting: View | None, case: str) -> list[str]:
    if meeting is None:
        return []
    away = {one["account"] for one in meeting.get("disqualified", ()) if one["case"] == case}
    return [one for one in meeting["present"] if one not in away]


def _law_choices(visit: Visit, kind: DecisionType) -> list[tuple[str, str]]:
    """Return the legal references that hold today, those that every such decision names left out."""
    found = []
    for key in LAW:
        try:
            ref = law_ref(key, visit.today)
        except KeyError:
            continue  # there is none that holds today
        if key not in DECISION_LAW[kind].refs:
            found.append((key, f"{ref.label(visit.language.value)} ({ref})"))
    return sorted(found, key=lambda one: one[1])


def stops_of(visit: Visit, prospect: Prospect) -> list[str]:
    """Return in words what stands in the way of a decision."""
    return [told(visit.words, stop)[2] for stop in prospect.stops]


@dataclass(frozen=True)
class Told:
    """A fact that has changed, in words."""

    label: str
    about: str | None
    before: str
    now: str


def changes_of(visit: Visit, changed: Sequence[Changed]) -> Iterator[Told]:
    """Yield in words the facts that have changed."""
    for one in changed:
        yield Told(
            label=_label(visit, one.path),
            about=one.about,
            before=_value(visit, one.path, one.before),
            now=_value(visit, one.path, one.now),
        )


def _label(visit: Visit, path: str) -> str:
    base, _, code = path.partition(":")
    codes = fact_type(base).codes
    label = visit.words.label(base)
    return f"{label}: {visit.words.code(codes, code)}" if code and codes is not None else label


def _value(visit: Visit, path: str, value: Any) -> str:
    if value is None:
        return visit.words.value(path, Missing.NOT_ASKED)
    if isinstance(value, str) and len(value) == 10 and value[4] == "-":  # noqa: PLR2004 - a date
        return visit.words.day(date.fromisoformat(value))
    return visit.words.value(path, value)


# ------------------------------------------------------------------------------------------ one decision


@router.get("/decisions/{decision}")
def shown(visit: Visiting, decision: str) -> Response:
    """Show a decision and what has come of it."""
    return page(visit, decision, {}, 200)


def page(visit: Visit, decision: str, forms: Mapping[str, Form], status: int) -> Response:
    """Return the page of a decision."""
    view = visit.show(Kind.DECISION, decision)
    may = visit.may_with(Kind.DECISION, decision)
    proposed = view["state"] == DecisionState.PROPOSED
    prospect = None
    if proposed and "decisions.approve" in may:
        prospect = before_approving(visit.office.desk, visit.actor, decision)
    of_decision = (Kind.DECISION, decision)
    offers = [one for one in visit.find(Kind.OFFER, of_decision) if one["decision"] == decision]
    appeals = visit.find(Kind.APPEAL, of_decision)
    case = visit.office.desk.several(visit.actor, Kind.CASE, [view["case"]])
    vetoes = visit.find(Kind.VETO, (Kind.CASE, view["case"])) if view.get("replies") else []
    return visit.page(
        "decisions/decision.html",
        status,
        decision=view,
        may=may,
        case=case[view["case"]].view if case else None,
        prospect=prospect,
        stops=[] if prospect is None else stops_of(visit, prospect),
        changed=[] if prospect is None else list(changes_of(visit, prospect.changed)),
        there=_there(visit, view),
        law=[law_ref(key, _law_day(view)) for key in view.get("law", ())],
        bases=[law_ref(one["legal_basis"], _law_day(view)) for one in view.get("conditions", ())],
        appeal_by=_appeal_by(view),
        by_law=DECISION_LAW[DecisionType(view["type"])],
        suspended=_suspended(view, visit.today),
        sealed=_sealed(visit, decision),
        vetoes={one["id"]: one for one in vetoes},
        offers=offers,
        open_offer=next(
            (one for one in offers if one["state"] in (OfferState.SENT, OfferState.SUSPENDED)), None
        ),
        appeals=[one for one in appeals if one["decision"] == decision],
        can=_can(view, case[view["case"]].view if case else None, offers, visit.today),
        forms=forms,
        label_of=lambda path: _label(visit, path),
        reasons={by.value: sorted(reasons, key=list(RefusalReason).index) for by, reasons in REASONS.items()},
        mild=[one.value for one in Consequence if one in MILD],
    )


def _there(visit: Visit, view: View) -> frozenset[str]:
    """Return which of the records that a decision names are there for its reader."""
    named = {
        Kind.MEETING: [view.get("meeting")],
        Kind.SUGGESTION: [view.get("suggestion")],
        Kind.DECISION: [view.get("reverses"), view.get("shares")],
    }
    desk = visit.office.desk
    return frozenset(
        name
        for kind, names in named.items()
        for name in desk.several(visit.actor, kind, [name for name in names if name is not None])
    )


def _law_day(view: View) -> date:
    """Return the day whose law a decision rests on: when it was made or proposed."""
    return date.fromisoformat(view.get("made_on") or view.get("proposed_on") or "1900-01-01")


def _appeal_by(view: View) -> date | None:
    made_on = view.get("made_on")
    return (
        None if made_on is None else appeal_deadline(DecisionType(view["type"]), date.fromisoformat(made_on))
    )


def _suspended(view: View, today: date) -> View | None:
    """Return the suspension that stands in the way today."""
    for one in view.get("suspensions", ()):
        if one["ended_on"] is None and one["since"] <= today.isoformat() <= one["until"]:
            found: View = one
            return found
    return None


def _sealed(visit: Visit, decision: str) -> str | None:
    """Return why it goes against what only the cleared read; only on a screen of their own."""
    if visit.shared or not visit.actor.cleared:
        return None
    seen = visit.with_purpose(Purpose.MEETING).show(Kind.DECISION, decision)
    found: str | None = seen.get("sealed_deviation")
    return found


def _can(view: View, case: View | None, offers: Sequence[View], today: date) -> frozenset[str]:
    """Return what comes next: an offer, moving in, an appeal. Whoever may do it does it."""
    state = None if case is None else case.get("state")
    made = view["state"] == DecisionState.MADE
    gives = made and view.get("unit") is not None and view.get("ended_on") is None
    waits = any(one["state"] in (OfferState.SENT, OfferState.SUSPENDED) for one in offers)
    free = _suspended(view, today) is None
    found = set()
    if (
        gives
        and not view.get("crisis_until")
        and state in (CaseState.DECIDED, CaseState.CRISIS)
        and not waits
    ):
        found.add("offer")
    if (
        gives
        and free
        and (state == CaseState.ACCEPTED or (view.get("crisis_until") and state == CaseState.CRISIS))
    ):
        found.add("move_in")
    if made or view["state"] == DecisionState.REVERSED:
        found.add("appeal")
    if made:
        found.add("reverse")
    if gives:
        found.add("suspend")
    return frozenset(found)


# ------------------------------------------------------------------------------------------- taking it out


@router.get("/decisions/{decision}/package")
def package(visit: Visiting, decision: str) -> Response:
    """Give out all that a decision rests on, for the archive."""
    content = decision_package(visit.office.desk, visit.with_purpose(Purpose.CASEWORK).actor, decision)
    answered = asking.as_json(content)
    answered.headers["Content-Disposition"] = f'attachment; filename="{decision}.json"'
    return answered


# ---------------------------------------------------------------------------------------- what can be done


def _doing(verb: str) -> Callable[..., Response]:
    def act(visit: Visiting, form: Sent, decision: str) -> Response:
        return done(
            visit,
            form,
            f"decisions.{verb}",
            decision,
            page=lambda again, status: page(visit, decision, {verb: again}, status),
            then=f"/decisions/{decision}",
        )

    return act


for _verb in ("approve", "drop", "confirm", "suspend", "extend_suspension", "resume"):
    router.add_api_route(f"/decisions/{{decision}}/{_verb}", _doing(_verb), methods=["POST"])
