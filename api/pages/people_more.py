"""More on a person: name, contact and language, protection, who acts for them, two records of one person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from allocator.casework.codes import AddressProtection, Clearance, Purpose
from allocator.casework.people import Representative
from allocator.casework.records import Kind
from allocator.model import Problem
from allocator.service.errors import NotFoundError
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting
from api.refusals import WrongError

router = APIRouter()

View = Mapping[str, Any]

OFFERED = frozenset({"people.identify", "people.protect", "people.represent", "people.merge"})


def is_more(visit: Visit, may: frozenset[str]) -> bool:
    """Return whether there is a page with more on somebody, given what may be done with them."""
    return not visit.shared and not may.isdisjoint(OFFERED)


@router.get("/people/{person}/more")
def shown(visit: Visiting, person: str) -> Response:
    """Show what can be changed about a person besides the facts."""
    return _page(visit, person, {}, 200)


def _page(
    visit: Visit, person: str, forms: Mapping[str, Form], status: int, purpose: Purpose | None = None
) -> Response:
    may = visit.may_with(Kind.PERSON, person)
    if not is_more(visit, may):
        raise NotFoundError("no such page")
    view = _seen(visit, person, purpose)
    return visit.page(
        "people_more/more.html",
        status,
        person=view,
        case=visit.case_of(person),
        may=may,
        purpose=purpose,
        protections=_others(visit, view.get("protection")),
        is_cleared=Clearance.KODE_6 in visit.actor.cleared,
        forms=forms,
    )


def _seen(visit: Visit, person: str, purpose: Purpose | None) -> View:
    """Return what is seen of a person; name, contact and who acts for them only with a purpose."""
    reader = visit if purpose is None else visit.with_purpose(purpose)
    return reader.show(Kind.PERSON, person)


def _others(visit: Visit, protection: str | None) -> list[tuple[str, str]]:
    """Return the protections that an address can be given besides the one that it has."""
    return [
        (one.value, visit.words.code(AddressProtection, one))
        for one in AddressProtection
        if one != protection
    ]


# --------------------------------------------------------------------------- protected, and one of two


@router.post("/people/{person}/more/protect")
def protect(visit: Visiting, form: Sent, person: str) -> Response:
    """Change how somebody's address is protected."""
    return _done(visit, form, person, use="people.protect", needed=("protection",))


@router.post("/people/{person}/more/merge")
def merge(visit: Visiting, form: Sent, person: str) -> Response:
    """Make two records of one person one."""
    more = {"other": _person_of(visit, form.value("other").strip())}
    return _done(visit, form, person, use="people.merge", needed=("other", "reason"), more=more)


def _person_of(visit: Visit, said: str) -> str | None:
    """Return the person that is meant by their own number, or by that of a case of theirs."""
    cases = visit.office.desk.several(visit.actor, Kind.CASE, [said])
    return next((one.view.get("person") for one in cases.values()), said or None)


def _done(
    visit: Visit,
    form: Form,
    person: str,
    *,
    use: str,
    needed: Iterable[str],
    more: Mapping[str, Any] | None = None,
) -> Response:
    return done(
        visit,
        form,
        use,
        person,
        page=lambda again, status: _page(visit, person, {use: again}, status),
        then=lambda left: f"/people/{person}/more" if left.sight.visible else "/",
        needed=needed,
        more=more,
    )


# ----------------------------------------------------------------------- who they are, who acts for them


@router.post("/people/{person}/more/names")
def show_names(visit: Visiting, form: Sent, person: str) -> Response:
    """Show the names to whoever says why they need them; the look is logged with that purpose."""
    purpose = _purpose(form.value("purpose"))
    if purpose is None:
        missing = form.mended([Problem(path="/purpose", expected=visit.words("fields.needed"))])
        return _page(visit, person, {"names": missing}, 422)
    return _page(visit, person, {}, 200, purpose)


@router.post("/people/{person}/more/identify")
def identify(visit: Visiting, form: Sent, person: str) -> Response:
    """Write down who somebody is, how to reach them and how to speak with them."""
    purpose = _purpose(form.value("_purpose"))
    use = "people.identify"
    return done(
        visit,
        form,
        use,
        person,
        page=lambda again, status: _page(visit, person, {use: again}, status, purpose),
        then=f"/people/{person}/more",
    )


@router.post("/people/{person}/more/represent")
def represent(visit: Visiting, form: Sent, person: str) -> Response:
    """Write down one more who acts for somebody, the last day of one who does, or that one never did."""
    purpose = _purpose(form.value("_purpose"))
    acting = _seen(visit, person, purpose).get("representatives")
    if acting is None:
        raise WrongError
    which = form.value("_which")
    if which and which not in map(str, range(len(acting))):
        raise WrongError
    at = f"representatives/{len(acting)}"
    return done(
        visit,
        form,
        "people.represent",
        person,
        page=lambda again, status: _page(visit, person, {f"acting {which}": again}, status, purpose),
        then=f"/people/{person}/more",
        needed=() if which else [f"{at}/{name}" for name in ("name", "kind", "since")],
        more=_then(acting, which, gone=bool(form.value("_gone"))),
    )


def _then(acting: Sequence[View], which: str, *, gone: bool) -> Mapping[str, Any]:
    """Return who acts for the person then, as far as the form does not say it.

    Args:
        acting: Who does now.
        which: The one that the form is about; empty for one more.
        gone: Whether that one never did.
    """
    kept = [one for i, one in enumerate(acting) if not (gone and str(i) == which)]
    said = {
        f"representatives/{i}/{name}": one[name]
        for i, one in enumerate(kept)
        for name in Representative.model_fields
    }
    if which and not gone:
        del said[f"representatives/{which}/until"]
    return {"representatives": []} if gone and not kept else said


def _purpose(said: str) -> Purpose | None:
    return Purpose(said) if said in set(Purpose) else None
