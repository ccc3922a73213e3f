"""More on a tenancy: what is known of who lives there, what has been agreed, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Response

from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.people_more import is_more
from api.pages.visit import Visit, Visiting

router = APIRouter()


@router.get("/tenancies/{tenancy}/more")
def shown(visit: Visiting, tenancy: str) -> Response:
    """Show what was agreed for a tenancy and what became of it, also when it has ended."""
    return _page(visit, tenancy, {}, 200)


def _page(visit: Visit, tenancy: str, forms: Mapping[str, Form], status: int) -> Response:
    if visit.shared:
        raise NotFoundError("not for a screen that others look at")
    view = visit.show(Kind.TENANCY, tenancy)
    person = _resident(visit, view)
    may_person: frozenset[str] = frozenset() if person is None else visit.may_with(Kind.PERSON, person["id"])
    return visit.page(
        "tenancy_more/more.html",
        status,
        tenancy=view,
        person=person,
        may_person=may_person,
        more_of_person=is_more(visit, may_person),
        scheme=visit.show(Kind.SCHEME, view["scheme"]),
        reviews=visit.find(Kind.REVIEW, (Kind.TENANCY, tenancy)),
        outcomes=visit.find(Kind.OUTCOME, (Kind.TENANCY, tenancy)),
        may=visit.may_with(Kind.TENANCY, tenancy),
        forms=forms,
    )


def _resident(visit: Visit, tenancy: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what is seen of who lives there, for those who keep it up to date."""
    if "person" not in tenancy or tenancy.get("moved_out") or not visit.may("people.record_fact"):
        return None
    try:
        return visit.show(Kind.PERSON, tenancy["person"])
    except NotFoundError:
        return None


@router.post("/tenancies/{tenancy}/more/agree")
def agree(visit: Visiting, form: Sent, tenancy: str) -> Response:
    """Write down an agreement that was signed after the last one."""
    needed = [f"agreement/{name}" for name in ("form", "signed_on", "starts_on")]
    return _done(visit, form, tenancy, use="tenancies.agree", target=tenancy, needed=needed)


@router.post("/tenancies/{tenancy}/more/outcome")
def record(visit: Visiting, form: Sent, tenancy: str) -> Response:
    """Write down what became of a tenancy."""
    return _done(
        visit,
        form,
        tenancy,
        use="outcomes.record",
        needed=("what", "on"),
        more={"tenancy": tenancy},
    )


def _done(
    visit: Visit,
    form: Form,
    tenancy: str,
    *,
    use: str,
    needed: Iterable[str],
    target: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    return done(
        visit,
        form,
        use,
        target,
        page=lambda again, status: _page(visit, tenancy, {use: again}, status),
        then=f"/tenancies/{tenancy}/more",
        needed=needed,
        more=more,
    )
