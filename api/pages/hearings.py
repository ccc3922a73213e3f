"""Hearings: scheme staff answer in two minutes; those who asked see the answers, remind, extend and close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from allocator.casework.codes import HearingState, StatementKind
from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

View = Mapping[str, Any]

CARE = ("remind", "extend", "close")
"""What those who sent a hearing do with it."""


@router.get("/hearings")
def listed(visit: Visiting) -> Response:
    """List hearings: the open ones by deadline, then those that are over, the newest first."""
    if not visit.reads(Kind.HEARING):
        raise NotFoundError("no hearings for this role")
    found = visit.find(Kind.HEARING)
    running = [one for one in found if one["state"] == HearingState.OPEN]
    over = [one for one in found if one["state"] != HearingState.OPEN]
    return visit.page(
        "hearings/list.html",
        running=sorted(running, key=lambda one: (one["deadline"], one["id"])),
        over=sorted(over, key=lambda one: (one["closed_on"] or "", one["id"]), reverse=True),
        schemes=_names(visit),
    )


def _names(visit: Visit) -> dict[str, str]:
    return {one["id"]: one["facts"]["name"] for one in visit.find(Kind.SCHEME)}


@router.get("/hearings/{hearing}")
def shown(visit: Visiting, hearing: str) -> Response:
    """Show a hearing, with the form to answer for those who may."""
    return _page(visit, hearing, {}, 200)


def _page(visit: Visit, hearing: str, forms: Mapping[str, Form], status: int) -> Response:
    view = visit.show(Kind.HEARING, hearing)
    scheme = visit.show(Kind.SCHEME, view["scheme"])
    of_scheme = visit.find(Kind.UNIT, (Kind.SCHEME, view["scheme"]))
    asked_about = set(view["units"])
    case = _seen(visit, Kind.CASE, view["case"])
    person = None if case is None else _seen(visit, Kind.PERSON, case.get("person"))
    may = visit.may_with(Kind.HEARING, hearing) if view["state"] == HearingState.OPEN else frozenset()
    objections = [
        one for one in visit.find(Kind.VETO, (Kind.CASE, view["case"])) if one["scheme"] == view["scheme"]
    ]
    return visit.page(
        "hearings/hearing.html",
        status,
        hearing=view,
        scheme=scheme,
        units=[one for one in of_scheme if not asked_about or one["id"] in asked_about],
        case=case,
        person=person,
        may=may,
        forms=forms,
        objections={one["id"]: one for one in objections},
        kinds=[kind.value for kind in StatementKind],
        schemes=_names(visit),
        hazards=visit.find(Kind.HAZARD, (Kind.SCHEME, view["scheme"])),
    )


def _seen(visit: Visit, kind: Kind, identifier: str | None) -> View | None:
    """Return what is seen of a record; None if it is not for them."""
    if identifier is None or not visit.reads(kind):
        return None
    try:
        return visit.show(kind, identifier)
    except NotFoundError:
        return None


@router.post("/hearings/{hearing}/statement")
def state(visit: Visiting, form: Sent, hearing: str) -> Response:
    """Answer: no objection, a comment, or an objection with its ground and fact."""
    said = _said(form)
    return done(
        visit,
        said,
        "hearings.state",
        hearing,
        page=lambda again, status: _page(visit, hearing, {"state": again}, status),
        then=f"/hearings/{hearing}",
        needed=NEEDED.get(form.value("kind"), ("kind",)),
    )


NEEDED = {
    "ok": (),
    "comment": ("text",),
    "objection": tuple(
        f"objection/{name}" for name in ("ground", "fact/text", "fact/observed_on", "fact/source")
    ),
}
"""What must be filled in for each kind of answer."""


def _said(form: Form) -> Form:
    """Return the form without what belongs to another kind of answer than the one chosen."""
    kind = form.value("kind")
    left_out = {"ok": ("objection/", "text"), "comment": ("objection/",), "objection": ("text",)}.get(
        kind, ()
    )
    given = {name: values for name, values in form.given.items() if not name.startswith(left_out)}
    return Form(given, {}, {}, form.sent_key)


@router.post("/hearings/{hearing}/{care}")
def care(visit: Visiting, form: Sent, hearing: str, care: str) -> Response:
    """Remind, give more time, or close."""
    if care not in CARE:
        raise NotFoundError("no such thing to do with a hearing")
    use = f"hearings.{care}"
    return done(
        visit,
        form,
        use,
        hearing,
        page=lambda again, status: _page(visit, hearing, {care: again}, status),
        then=f"/hearings/{hearing}",
    )
