"""Reviews: what is to be looked at again by a day, written down when somebody has done so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from allocator.casework.codes import ReviewKind
from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from allocator.service.reviews import BY_THEMSELVES
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

PLANNED = tuple(kind for kind in ReviewKind if kind not in BY_THEMSELVES)
"""What people plan to look at again."""


@router.get("/reviews/{review}")
def shown(visit: Visiting, review: str) -> Response:
    """Show what is to be looked at again, or what was found."""
    return _page(visit, review, Form(), 200)


def _page(visit: Visit, review: str, form: Form, status: int) -> Response:
    view = visit.show(Kind.REVIEW, review)
    return visit.page(
        "reviews/review.html",
        status,
        review=view,
        **{kind.value: _seen(visit, kind, view) for kind in (Kind.CASE, Kind.DECISION, Kind.TENANCY)},
        may=visit.may_with(Kind.REVIEW, review),
        form=form,
    )


def _seen(visit: Visit, kind: Kind, review: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what is seen of a record that is looked at again; None if it is another, or not for them."""
    named = [review[kind.value]] if review.get(kind.value) else []
    found = visit.office.desk.several(visit.actor, kind, named)
    return next((one.view for one in found.values()), None)


@router.post("/reviews/{review}/hold")
def hold(visit: Visiting, form: Sent, review: str) -> Response:
    """Write down what was found, and when it is to be looked at again."""
    return done(
        visit,
        form,
        "reviews.hold",
        review,
        page=lambda again, status: _page(visit, review, again, status),
        then=f"/reviews/{review}",
    )


@router.get("/cases/{case}/reviews/new")
def plan_page(visit: Visiting, case: str) -> Response:
    """Show the form in which it is planned to look at a case again."""
    return _plan_page(visit, Kind.CASE, case, Form(), 200)


@router.get("/tenancies/{tenancy}/reviews/new")
def plan_page_of_home(visit: Visiting, tenancy: str) -> Response:
    """Show the form in which it is planned to look at a home again."""
    return _plan_page(visit, Kind.TENANCY, tenancy, Form(), 200)


BEHIND = {Kind.CASE: "/cases/{}", Kind.TENANCY: "/tenancies/{}/more"}
"""The page of what is looked at again."""


def _plan_page(visit: Visit, kind: Kind, identifier: str, form: Form, status: int) -> Response:
    if "reviews.plan" not in visit.may_with(kind, identifier):
        raise NotFoundError("no such page")
    visit.show(kind, identifier)
    return visit.page(
        "reviews/plan.html",
        status,
        case=identifier if kind is Kind.CASE else None,
        behind=BEHIND[kind].format(identifier),
        form=form,
        kinds=_kinds(visit),
    )


def _kinds(visit: Visit) -> list[tuple[str, Any]]:
    return [(kind.value, visit.words.code(ReviewKind, kind)) for kind in PLANNED]


@router.post("/cases/{case}/reviews/new")
def plan(visit: Visiting, form: Sent, case: str) -> Response:
    """Plan to look at a case again."""
    return _planned(visit, Kind.CASE, case, form)


@router.post("/tenancies/{tenancy}/reviews/new")
def plan_of_home(visit: Visiting, form: Sent, tenancy: str) -> Response:
    """Plan to look at a home again."""
    return _planned(visit, Kind.TENANCY, tenancy, form)


def _planned(visit: Visit, kind: Kind, identifier: str, form: Form) -> Response:
    return done(
        visit,
        form,
        "reviews.plan",
        page=lambda again, status: _plan_page(visit, kind, identifier, again, status),
        then=BEHIND[kind].format(identifier),
        more={kind.value: identifier},
    )
