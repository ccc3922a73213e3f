"""Offers: sent on a decision, answered, and the moving in that follows a yes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Response

from allocator.casework.codes import Purpose
from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from api.pages import decisions
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

ANSWER_WITHIN = timedelta(days=14)
"""How long an applicant is given to answer, unless somebody says otherwise. Origin: local choice."""

_VERBS = frozenset({"suspend", "resume", "remind", "accept", "refuse", "lapse", "withdraw"})


@router.get("/decisions/{decision}/offer")
def offer_page(visit: Visiting, decision: str) -> Response:
    """Show the form that sends an offer."""
    return _offer_page(visit, decision, Form(), 200)


def _recipients(visit: Visit, decision: str) -> list[str]:
    """Return who must get an offer: the applicant, and whoever acts for them. The look is logged."""
    asking_for = visit.with_purpose(Purpose.CASEWORK)
    case = visit.show(Kind.CASE, visit.show(Kind.DECISION, decision)["case"])
    person = asking_for.show(Kind.PERSON, case["person"])
    today = visit.today.isoformat()
    acting = [
        one["name"]
        for one in person.get("representatives", ())
        if one["since"] <= today <= (one["until"] or today)
    ]
    return [person.get("name") or visit.words("papers.applicant"), *acting]


def _offer_page(visit: Visit, decision: str, form: Form, status: int) -> Response:
    view = visit.show(Kind.DECISION, decision)
    if "offers.send" not in visit.may_with(Kind.DECISION, decision) or not view.get("unit"):
        raise NotFoundError("no such page")
    return visit.page(
        "decisions/offer.html",
        status,
        decision=view,
        form=form,
        deadline=(visit.today + ANSWER_WITHIN).isoformat(),
    )


@router.post("/decisions/{decision}/offer")
def send(visit: Visiting, form: Sent, decision: str) -> Response:
    """Send an offer; or fill in the names of who must get it, if that is asked for."""
    if form.value("_names") and not visit.shared:
        names = "\n".join(_recipients(visit, decision))
        return _offer_page(visit, decision, Form({**form.given, "recipients[lines]": (names,)}), 200)
    return done(
        visit,
        form,
        "offers.send",
        page=lambda again, status: _offer_page(visit, decision, again, status),
        then=f"/decisions/{decision}",
        anchor="offers",
        needed=("recipients",),
        more={"decision": decision},
    )


@router.post("/offers/{offer}/{verb}")
def act(visit: Visiting, form: Sent, offer: str, verb: str) -> Response:
    """Do something with an offer."""
    if verb not in _VERBS:
        raise NotFoundError("no such page")
    decision = visit.show(Kind.OFFER, offer)["decision"]
    by = form.value("by")
    name = f"{verb}-{by}-{offer}" if by else f"{verb}-{offer}"
    return done(
        visit,
        form,
        f"offers.{verb}",
        offer,
        page=lambda again, status: decisions.page(visit, decision, {name: again}, status),
        then=f"/decisions/{decision}",
        anchor="offers",
    )


# ---------------------------------------------------------------------------------------------- moving in

_AGREED = ("agreement/form", "agreement/signed_on", "agreement/starts_on")
"""What must be said of an agreement."""


@router.get("/decisions/{decision}/move-in")
def move_in_page(visit: Visiting, decision: str) -> Response:
    """Show the form that registers that somebody has moved in."""
    return _move_in_page(visit, decision, Form(), 200)


def _move_in_page(visit: Visit, decision: str, form: Form, status: int) -> Response:
    view = visit.show(Kind.DECISION, decision)
    if not visit.may("tenancies.move_in") or not view.get("unit"):
        raise NotFoundError("no such page")
    return visit.page("decisions/move_in.html", status, decision=view, form=form)


@router.post("/decisions/{decision}/move-in")
def move_in(visit: Visiting, form: Sent, decision: str) -> Response:
    """Register that somebody has moved in."""
    view = visit.show(Kind.DECISION, decision)
    return done(
        visit,
        form,
        "tenancies.move_in",
        page=lambda again, status: _move_in_page(visit, decision, again, status),
        then=f"/decisions/{decision}",
        needed=() if view.get("crisis_until") else _AGREED,
        more={"case": view["case"], "shares": _host(visit, view)},
    )


def _host(visit: Visit, decision: Mapping[str, Any]) -> str | None:
    """Return the tenancy of the one whose unit is shared, if it is."""
    if not decision.get("shares"):
        return None
    found = visit.find(Kind.TENANCY, (Kind.DECISION, decision["shares"]), states=["current"])
    return next((one["id"] for one in found if one.get("decision") == decision["shares"]), None)
