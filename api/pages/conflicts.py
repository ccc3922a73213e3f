"""Conflicts and orders, for those who are cleared; and the report that whoever has heard of one can make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from allocator.casework.codes import Purpose
from allocator.casework.records import Kind
from allocator.service.desk import Shown
from allocator.service.errors import NotFoundError
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

View = Mapping[str, Any]

OF_CONFLICT = ("confirm", "dispute", "refute", "close", "reopen")
OF_ORDER = ("verify", "extend", "close")


def _cleared(visit: Visiting) -> Visit:
    """Return the visit of somebody who keeps the conflicts, with that purpose.

    Raises:
        NotFoundError: It is not for them; on a shared screen for nobody.
    """
    if not visit.may("conflicts.record") or not visit.reads(Kind.CONFLICT):
        raise NotFoundError("no such page")
    return visit.with_purpose(Purpose.CONFLICT_CONTROL)


@router.get("/conflicts")
def listed(visit: Visiting) -> Response:
    """Show conflicts, orders, and the placements that must be looked at again."""
    return _page(visit, {}, 200)


def _page(visit: Visiting, forms: Mapping[str, Form], status: int) -> Response:
    looking = _cleared(visit)
    return looking.page(
        "conflicts/list.html",
        status,
        rechecks=looking.find(Kind.RECHECK, states=["open"]),
        conflicts=looking.find(Kind.CONFLICT),
        orders=looking.find(Kind.ORDER),
        schemes={one["id"]: one["facts"]["name"] for one in looking.find(Kind.SCHEME)},
        forms=forms,
    )


def _done(visit: Visit, form: Form, use: str, target: str | None = None) -> Response:
    looking = _cleared(visit)
    name = use if target is None else f"{use} {target}"
    return done(
        looking,
        form,
        use,
        target,
        page=lambda again, status: _page(visit, {name: again}, status),
        then="/conflicts",
    )


@router.post("/conflicts")
def record(visit: Visiting, form: Sent) -> Response:
    """Record a conflict."""
    return _done(visit, form, "conflicts.record")


@router.post("/conflicts/orders")
def record_order(visit: Visiting, form: Sent) -> Response:
    """Record a restraining order."""
    return _done(visit, form, "orders.record")


@router.post("/conflicts/rechecks/{recheck}")
def answer(visit: Visiting, form: Sent, recheck: str) -> Response:
    """Write down what came of looking at a placement again."""
    return _done(visit, form, "rechecks.answer", recheck)


@router.post("/conflicts/orders/{order}/{verb}")
def change_order(visit: Visiting, form: Sent, order: str, verb: str) -> Response:
    """Verify, extend or close an order."""
    if verb not in OF_ORDER:
        raise NotFoundError("no such thing to do with an order")
    return _done(visit, form, f"orders.{verb}", order)


@router.post("/conflicts/{conflict}/{verb}")
def change(visit: Visiting, form: Sent, conflict: str, verb: str) -> Response:
    """Confirm, dispute, refute, close or reopen a conflict."""
    if verb not in OF_CONFLICT:
        raise NotFoundError("no such thing to do with a conflict")
    return _done(visit, form, f"conflicts.{verb}", conflict)


# --------------------------------------------------------------------------------------------- reporting


@router.get("/people/{person}/conflict")
def report_page(visit: Visiting, person: str) -> Response:
    """Show the form in which anybody who may reports a conflict of a person."""
    return _report_page(visit, person, Form(), 200)


def _report_page(visit: Visit, person: str, form: Form, status: int) -> Response:
    if not visit.may("conflicts.report"):
        raise NotFoundError("no such page")
    visit.show(Kind.PERSON, person)
    schemes = {one["id"]: one["facts"]["name"] for one in visit.find(Kind.SCHEME)}
    return visit.page(
        "conflicts/report.html", status, form=form, person=person, case=visit.case_of(person), schemes=schemes
    )


@router.post("/people/{person}/conflict")
def report(visit: Visiting, form: Sent, person: str) -> Response:
    """Report a conflict that one has heard of or seen."""

    def then(_: Shown) -> str:
        case = visit.case_of(person)
        return "/" if case is None else f"/cases/{case}"

    return done(
        visit,
        form,
        "conflicts.report",
        page=lambda again, status: _report_page(visit, person, again, status),
        then=then,
        more={"party": person},
    )
