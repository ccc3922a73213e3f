"""Appeals: lodged against a decision, sent on, settled; and whom and what it had to choose between."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response

from allocator.casework.codes import AppealState
from allocator.casework.committee import Appeal
from allocator.casework.records import Kind
from allocator.service import appeals
from allocator.service.errors import NotFoundError
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

SETTLED = (AppealState.UPHELD, AppealState.REVERSED, AppealState.SENT_BACK)
"""What the appeal body can come to."""

_VERBS = frozenset({"forward", "settle", "withdraw"})


@router.get("/appeals")
def listed(visit: Visiting) -> Response:
    """List appeals: those that wait, and those that are settled."""
    if not visit.reads(Kind.APPEAL):
        raise NotFoundError("no appeals for this role")
    found = visit.find(Kind.APPEAL)
    return visit.page(
        "decisions/appeal_list.html",
        waiting=[one for one in found if one["state"] in appeals.OPEN],
        settled=[one for one in found if one["state"] not in appeals.OPEN][::-1],
    )


@router.get("/decisions/{decision}/appeal")
def lodge_page(visit: Visiting, decision: str) -> Response:
    """Show the form that registers an appeal."""
    return _lodge_page(visit, decision, Form(), 200)


def _lodge_page(visit: Visit, decision: str, form: Form, status: int) -> Response:
    view = visit.show(Kind.DECISION, decision)
    if "appeals.lodge" not in visit.may_with(Kind.DECISION, decision):
        raise NotFoundError("no such page")
    return visit.page("decisions/lodge.html", status, decision=view, form=form)


@router.post("/decisions/{decision}/appeal")
def lodge(visit: Visiting, form: Sent, decision: str) -> Response:
    """Register an appeal against a decision."""
    return done(
        visit,
        form,
        "appeals.lodge",
        page=lambda again, status: _lodge_page(visit, decision, again, status),
        then=lambda lodged: f"/appeals/{lodged.view['id']}",
        more={"decision": decision},
    )


@router.get("/appeals/{appeal}")
def shown(visit: Visiting, appeal: str) -> Response:
    """Show an appeal."""
    return _page(visit, appeal, {}, 200)


def _page(visit: Visit, appeal: str, forms: dict[str, Form], status: int) -> Response:
    view = visit.show(Kind.APPEAL, appeal)
    decision = visit.office.desk.several(visit.actor, Kind.DECISION, [view["decision"]])
    return visit.page(
        "decisions/appeal.html",
        status,
        appeal=view,
        decision=decision[view["decision"]].view if decision else None,
        may=visit.may_with(Kind.APPEAL, appeal),
        forms=forms,
        outcomes=[one.value for one in SETTLED],
    )


@router.get("/appeals/{appeal}/pool")
def pool(visit: Visiting, appeal: str) -> Response:
    """Show whom and what the decision had to choose between, under names that mean nothing."""
    found = visit.office.desk.look_into(visit.actor, Appeal, appeal, "appeals.pool", appeals.pool)
    return visit.page("decisions/pool.html", appeal=appeal, pool=asdict(found))


@router.post("/appeals/{appeal}/{verb}")
def act(visit: Visiting, form: Sent, appeal: str, verb: str) -> Response:
    """Do something with an appeal."""
    if verb not in _VERBS:
        raise NotFoundError("no such page")
    return done(
        visit,
        form,
        f"appeals.{verb}",
        appeal,
        page=lambda again, status: _page(visit, appeal, {verb: again}, status),
        then=f"/appeals/{appeal}",
    )
