"""People: a name on request, one fact at a time, and somebody new with a case."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from allocator.casework.codes import Purpose
from allocator.casework.records import Kind
from allocator.codes import (
    FactStatus,
    Gender,
    Measure,
    Need,
    RiskHorizon,
    Service,
    SubstanceClass,
    SubstanceUse,
    TargetGroup,
    ViolenceConclusion,
)
from allocator.service.errors import NotFoundError
from api import asking
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.rendering import answer, is_fragment
from api.pages.visit import Visit, Visiting
from api.refusals import WrongError

router = APIRouter()

CHOICES: Mapping[str, type[StrEnum]] = {
    "gender": Gender,
    "main_substance": SubstanceClass,
    "substance_use": SubstanceUse,
    "target_groups": TargetGroup,
}
"""Facts that are one of a list of codes, or several."""

YES_OR_NO = frozenset({"rop", "heavy_use", "vulnerable", "child_visits"})
ONLY_YES = frozenset({"conflicts_asked", "orders_checked"})
FACTS = ("birth_date", *CHOICES, *sorted(YES_OR_NO), "needs", "risk", *sorted(ONLY_YES))

UNANSWERED = (FactStatus.NOT_ASKED, FactStatus.REFUSED)
"""What can be said of a fact besides what it is."""


@router.post("/people/{person}/name")
def name(visit: Visiting, request: Request, form: Sent, person: str) -> Response:
    """Show somebody's name to whoever says why they need it; the look is logged with that purpose."""
    said = form.value("purpose")
    if said not in set(Purpose) or visit.shared:
        raise WrongError
    seen = visit.with_purpose(Purpose(said)).show(Kind.PERSON, person)
    content = {"person": seen, "visit": visit, "today": visit.today, "saved": None}
    template = "people/name_part.html" if is_fragment(request) else "people/name.html"
    return answer(request, template, content)


# ----------------------------------------------------------------------------------------------- facts


@router.get("/people/{person}/facts/{fact}")
def fact_page(visit: Visiting, request: Request, person: str, fact: str) -> Response:
    """Show a fact with where it comes from, and the form that writes down another answer."""
    given = asking.parameters(request, "case", "tenancy", "saved")
    return _fact_page(visit, person, fact, behind=_behind(given), forms={}, status=200)


class Behind(NamedTuple):
    """The page that a fact was come to from: a case, a home, or neither."""

    case: str | None
    tenancy: str | None

    @property
    def address(self) -> str | None:
        """Where it is."""
        if self.case is not None:
            return f"/cases/{self.case}"
        return None if self.tenancy is None else f"/tenancies/{self.tenancy}/more"


def _behind(given: Mapping[str, str]) -> Behind:
    return Behind(*(asking.an_id(given, name) if given.get(name) else None for name in ("case", "tenancy")))


def _fact_page(
    visit: Visit, person: str, fact: str, *, behind: Behind, forms: Mapping[str, Form], status: int
) -> Response:
    if fact not in FACTS:
        raise NotFoundError("no such fact")
    seen = visit.show(Kind.PERSON, person)
    may = visit.may_with(Kind.PERSON, person)
    known = seen.get("facts", {}).get(fact)
    if known is None and "people.record_fact" not in may:
        raise NotFoundError("no such fact")
    words = visit.words
    kinds: list[type[StrEnum]] = [Need, Service, Measure, ViolenceConclusion, RiskHorizon, *CHOICES.values()]
    lists = {kind.__name__: [(code.value, words.code(kind, code.value)) for code in kind] for kind in kinds}
    return visit.page(
        "people/fact.html",
        status,
        person=person,
        version=seen["version"],
        name=fact,
        known=known,
        may=may,
        behind=behind,
        forms=forms,
        blank=Form(),
        lists=lists,
        kind=CHOICES[fact].__name__ if fact in CHOICES else None,
        yes_or_no=fact in YES_OR_NO,
        only_yes=fact in ONLY_YES,
    )


@router.post("/people/{person}/facts/{fact}")
def record(visit: Visiting, form: Sent, person: str, fact: str) -> Response:
    """Write down a fact: a new one, one that is confirmed anew, or a correction."""
    return _done(visit, form, person, fact, use="people.record_fact")


@router.post("/people/{person}/facts/{fact}/dispute")
def dispute(visit: Visiting, form: Sent, person: str, fact: str) -> Response:
    """Write down that somebody says a fact is wrong."""
    return _done(visit, form, person, fact, use="people.dispute_fact", more={"name": fact})


@router.post("/people/{person}/facts/{fact}/withdraw")
def withdraw(visit: Visiting, form: Sent, person: str, fact: str) -> Response:
    """Take back a fact, as the person wants."""
    return _done(visit, form, person, fact, use="people.withdraw_fact", more={"name": fact})


def _done(
    visit: Visit,
    form: Form,
    person: str,
    fact: str,
    *,
    use: str,
    more: Mapping[str, Any] | None = None,
) -> Response:
    if fact not in FACTS:
        raise NotFoundError("no such fact")
    behind = _behind({name: form.value(f"_{name}") for name in Behind._fields})
    if use == "people.record_fact" and form.value(f"facts/{fact}/status", "known") != "known":
        form = _without_value(form, fact)
    return done(
        visit,
        form,
        use,
        person,
        page=lambda again, status: _fact_page(
            visit, person, fact, behind=behind, forms={use: again}, status=status
        ),
        then=behind.address or f"/people/{person}/facts/{fact}",
        needed=_needed(form, fact) if use == "people.record_fact" else (),
        more=more,
    )


def _needed(form: Form, fact: str) -> list[str]:
    """Return the fields that an answer must have."""
    if form.value(f"facts/{fact}/status", "known") != "known":
        return []
    assessed = ("source", "assessed_on", "assessor_role", "valid_until")
    several = {
        "risk": ("conclusion", "horizon", *assessed),
        "needs": assessed,
        "target_groups": ("source", "recorded_on"),
    }
    names = several.get(fact, ("value", "source", "recorded_on"))
    return [f"facts/{fact}/{name}" for name in names]


def _without_value(form: Form, fact: str) -> Form:
    """Return a form that says why there is no answer, without what an answer would have."""
    kept = {
        name: values
        for name, values in form.given.items()
        if not name.startswith(f"facts/{fact}/") or name == f"facts/{fact}/status"
    }
    return Form(kept, {}, {}, form.sent_key)


# ------------------------------------------------------------------------------------------ somebody new


@router.get("/people/new")
def new_page(visit: Visiting) -> Response:
    """Show the form for somebody new."""
    return _new_page(visit, Form(), 200)


def _new_page(visit: Visit, form: Form, status: int) -> Response:
    if not visit.may("people.register"):
        raise NotFoundError("no such page")
    return visit.page("people/new.html", status, form=form)


@router.post("/people/new")
def register(visit: Visiting, form: Sent) -> Response:
    """Register somebody; their case comes next."""
    return done(
        visit,
        form,
        "people.register",
        page=lambda again, status: _new_page(visit, again, status),
        then=lambda person: f"/people/{person.view['id']}/case",
    )


@router.get("/people/{person}/case")
def case_page(visit: Visiting, person: str) -> Response:
    """Show the form that opens a case for somebody."""
    return _case_page(visit, person, Form(), 200)


def _case_page(visit: Visit, person: str, form: Form, status: int) -> Response:
    if not visit.may("cases.open"):
        raise NotFoundError("no such page")
    visit.show(Kind.PERSON, person)
    return visit.page("people/case.html", status, form=form, person=person)


@router.post("/people/{person}/case")
def open_case(visit: Visiting, form: Sent, person: str) -> Response:
    """Open a case for somebody."""
    return done(
        visit,
        form,
        "cases.open",
        page=lambda again, status: _case_page(visit, person, again, status),
        then=lambda opened: f"/cases/{opened.view['id']}",
        more={"person": person},
    )
