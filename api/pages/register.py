"""The register of schemes and units: what is there is added, and described anew when something has changed.

Every fact of a scheme or a unit has a field. What is left empty is not known. Where facts are published is
not asked for: it is kept for each fact that stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from api.pages.doing import done
from api.pages.forms import Form, Sent, plain
from api.pages.visit import Visit, Visiting

router = APIRouter()

View = Mapping[str, Any]

OF_SCHEME = ("facts/name", "groups")
"""Fields without which there is no scheme."""

OF_UNIT = ("group", "facts/purpose")
"""Fields without which a unit is not described: nobody guesses what it is for."""

COMPLETE = "facts/offer_complete[yes]"

NEW_GROUPS = 2
"""So many living groups can be added to a scheme at a time."""


# ------------------------------------------------------------------------------------------- schemes


@router.get("/schemes/new")
def new_scheme_page(visit: Visiting) -> Response:
    """Show the form for a scheme that is not there yet."""
    return _new_scheme_page(visit, Form(), 200)


def _new_scheme_page(visit: Visit, form: Form, status: int) -> Response:
    if not visit.may("schemes.add"):
        raise NotFoundError("no such page")
    return visit.page("register/scheme.html", status, scheme=None, form=form, groups=0)


@router.post("/schemes/new")
def add_scheme(visit: Visiting, form: Sent) -> Response:
    """Add a scheme with its living groups."""
    return done(
        visit,
        form,
        "schemes.add",
        page=lambda again, status: _new_scheme_page(visit, again, status),
        then=lambda added: f"/schemes/{added.view['id']}",
        needed=OF_SCHEME,
        more=_offer(form),
    )


@router.get("/schemes/{scheme}/describe")
def scheme_page(visit: Visiting, scheme: str) -> Response:
    """Show what is known of a scheme, to be changed."""
    return _scheme_page(visit, scheme, None, 200)


def _scheme_page(visit: Visit, scheme: str, form: Form | None, status: int) -> Response:
    if "schemes.describe" not in visit.may_with(Kind.SCHEME, scheme):
        raise NotFoundError("no such page")
    view = visit.show(Kind.SCHEME, scheme)
    shown = filled(view) if form is None else form
    rows = len(_rows(shown))
    return visit.page("register/scheme.html", status, scheme=view, form=shown, groups=rows)


@router.post("/schemes/{scheme}/describe")
def describe_scheme(visit: Visiting, form: Sent, scheme: str) -> Response:
    """Change what is known of a scheme, and its living groups."""
    named = [group for group in _rows(form) if "name" in group]
    needed = ("facts/name",) if named else ("facts/name", "groups/0/name")
    evidence = _still_published(visit.show(Kind.SCHEME, scheme), form)
    return done(
        visit,
        form,
        "schemes.describe",
        scheme,
        page=lambda again, status: _scheme_page(visit, scheme, again, status),
        then=f"/schemes/{scheme}",
        needed=needed,
        more={**_offer(form), "facts/evidence": evidence, "groups": named},
    )


def _offer(form: Form) -> dict[str, Any]:
    """Return that services and measures are not the whole offer, unless somebody says what they are."""
    return {} if form.value(COMPLETE) else {plain(COMPLETE): False}


def _rows(form: Form) -> list[dict[str, str]]:
    """Return the living groups in a form; those whose name was taken out, and new ones, can have none."""
    names = [name for name in form.given if name.startswith("groups/") and name.endswith("/name")]
    rows = sorted(names, key=lambda name: (len(name), name))
    said = [
        {"id": form.value(f"{row.removesuffix('name')}id"), "name": form.value(row).strip()} for row in rows
    ]
    return [{field: value for field, value in one.items() if value} for one in said]


def _still_published(view: View, form: Form) -> dict[str, Any]:
    """Return where facts are published that a form leaves as they were."""
    before, now = _by_fact(filled(view)), _by_fact(form)
    evidence: Mapping[str, Any] = view["facts"].get("evidence") or {}
    return {fact: where for fact, where in evidence.items() if before.get(fact) == now.get(fact)}


def _by_fact(form: Form) -> dict[str, set[tuple[str, str]]]:
    """Return what is said of each fact, in whatever order."""
    said: dict[str, set[tuple[str, str]]] = {}
    for name, values in form.given.items():
        if name.startswith("facts/"):
            fact = plain(name).split("/")[1]
            told = [one.strip().replace("\r\n", "\n") for one in values]
            said.setdefault(fact, set()).update((name, one) for one in told if one or name.endswith("[]"))
    return {fact: values for fact, values in said.items() if values}


# --------------------------------------------------------------------------------------------- units


@router.get("/schemes/{scheme}/units/new")
def new_unit_page(visit: Visiting, scheme: str) -> Response:
    """Show the form for a unit that is not there yet."""
    return _new_unit_page(visit, scheme, None, 200)


def _new_unit_page(visit: Visit, scheme: str, form: Form | None, status: int) -> Response:
    if "units.add" not in visit.may_with(Kind.SCHEME, scheme):
        raise NotFoundError("no such page")
    view = visit.show(Kind.SCHEME, scheme)
    only = view["groups"][0]["id"] if len(view["groups"]) == 1 else ""
    shown = Form.filled({"group": only}) if form is None else form
    return visit.page("register/unit.html", status, scheme=view, unit=None, form=shown)


@router.post("/schemes/{scheme}/units/new")
def add_unit(visit: Visiting, form: Sent, scheme: str) -> Response:
    """Add a unit to a living group."""
    return done(
        visit,
        form,
        "units.add",
        page=lambda again, status: _new_unit_page(visit, scheme, again, status),
        then=lambda added: f"/units/{added.view['id']}",
        needed=OF_UNIT,
        more={"scheme": scheme},
    )


@router.get("/units/{unit}/describe")
def unit_page(visit: Visiting, unit: str) -> Response:
    """Show what is known of a unit, to be changed."""
    return _unit_page(visit, unit, None, 200)


def _unit_page(visit: Visit, unit: str, form: Form | None, status: int) -> Response:
    if "units.describe" not in visit.may_with(Kind.UNIT, unit):
        raise NotFoundError("no such page")
    view = visit.show(Kind.UNIT, unit)
    scheme = visit.show(Kind.SCHEME, view["scheme"])
    shown = filled(view) if form is None else form
    return visit.page("register/unit.html", status, scheme=scheme, unit=view, form=shown)


@router.post("/units/{unit}/describe")
def describe_unit(visit: Visiting, form: Sent, unit: str) -> Response:
    """Change what is known of a unit."""
    return done(
        visit,
        form,
        "units.describe",
        unit,
        page=lambda again, status: _unit_page(visit, unit, again, status),
        then=f"/units/{unit}",
        needed=OF_UNIT,
    )


# --------------------------------------------------------------------------------------------- forms


def filled(view: View) -> Form:
    """Return a form with what is known of a scheme or a unit."""
    given = dict(
        _fields("facts", {name: value for name, value in view["facts"].items() if name != "evidence"})
    )
    if "groups" in view:
        added = [{"name": ""}] * NEW_GROUPS
        given |= _fields("groups", {str(row): group for row, group in enumerate([*view["groups"], *added])})
    else:
        given |= _fields("group", view["group"]) | _fields("first_ready_on", view.get("first_ready_on"))
    return Form.filled(given)


def _fields(name: str, value: Any) -> dict[str, str | list[str]]:
    """Return the fields that say a value: none for what is not known, an empty one for an empty list."""
    match value:
        case None:
            return {}
        case bool():
            return {f"{name}[yes]": "yes" if value else "no"}
        case int():
            return {f"{name}[int]": str(value)}
        case list():
            return {f"{name}[]": value or [""]}
        case dict():
            inner = [_fields(f"{name}/{part}", one) for part, one in value.items()]
            return {field: said for fields in inner for field, said in fields.items()}
        case _:
            return {name: str(value)}
