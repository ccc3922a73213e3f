"""An objection by itself, and the committee's answer where its case is on no agenda."""

from __future__ import annotations

from fastapi import APIRouter, Response

from allocator.casework.records import Kind
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()


@router.get("/vetoes/{veto}")
def shown(visit: Visiting, veto: str) -> Response:
    """Show an objection, with its answer or the form for it."""
    return _page(visit, veto, Form(), 200)


def _page(visit: Visit, veto: str, form: Form, status: int) -> Response:
    view = visit.show(Kind.VETO, veto)
    schemes = {one["id"]: one["facts"]["name"] for one in visit.find(Kind.SCHEME)}
    return visit.page(
        "objections/objection.html",
        status,
        veto=view,
        schemes=schemes,
        may=visit.may_with(Kind.VETO, veto),
        form=form,
    )


@router.post("/vetoes/{veto}/answer")
def answer(visit: Visiting, form: Sent, veto: str) -> Response:
    """Write down the committee's answer, outside of a meeting."""
    return done(
        visit,
        form,
        "vetoes.answer",
        veto,
        page=lambda again, status: _page(visit, veto, again, status),
        then=f"/vetoes/{veto}",
    )
