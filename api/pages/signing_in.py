"""Logging in and out, the language, the screen that others look at too, and a secret of one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from allocator.casework.codes import Role
from allocator.casework.offices import Account
from allocator.casework.records import Kind
from allocator.ports import Query as Find
from allocator.service.login import LoginRefusedError, Opened
from allocator.texts import Language
from api.login import LogIn, SetUp
from api.office import COOKIE, office_of, read
from api.pages import language
from api.pages.forms import Form, Sent
from api.pages.refusing import MENDABLE, shown_again
from api.pages.rendering import answer
from api.pages.visit import CRISIS, SHARED, Visiting, from_our_page

router = APIRouter()

Onward = Annotated[str, Query(alias="to", max_length=300)]

_YEAR = 365 * 24 * 3600


def safe(place: str) -> str:
    """Return a place of ours to go on to; the start page for anything else."""
    ours = place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()
    return place if ours else "/"


@router.get("/login")
def login_page(
    request: Request,
    to: Onward = "/",
    changed: Annotated[str, Query(max_length=3)] = "",
) -> Response:
    """Show the login, or who one can be in the demonstration; and that a secret has been set, if it has."""
    return _login_page(request, Form(), 200, to, changed=changed == "yes")


def _login_page(request: Request, form: Form, status: int, to: str, *, changed: bool = False) -> Response:
    office = office_of(request)
    people = _people(request) if office.demo else []
    content = {"form": form, "to": safe(to), "people": people, "changed": changed, "saved": None}
    return answer(request, "login.html", content, status)


def _people(request: Request) -> list[dict[str, object]]:
    """Return whom one can be in the demonstration: the accounts by role, in the order of the roles."""
    office = office_of(request)
    today = office.desk.clock.today()
    found: list[tuple[int, str, dict[str, object]]] = []
    order = list(Role)
    with office.desk.storage.read() as tx:
        for stored in tx.find(Find(Kind.ACCOUNT)):
            assert isinstance(stored.body, Account)
            for grant in stored.body.grants_on(today):
                person: dict[str, object] = {
                    "account": stored.id,
                    "name": stored.body.name,
                    "role": grant.role.value,
                    "schemes": sorted(grant.schemes),
                    "cleared": sorted(stored.body.cleared),
                }
                found.append((order.index(grant.role), stored.id, person))
    return [person for _, _, person in sorted(found, key=lambda one: one[:2])]


@router.post("/login")
def log_in(request: Request, form: Sent) -> Response:
    """Log in."""
    from_our_page(request)
    try:
        asked = read(LogIn, form.content())
        opened = office_of(request).logins.log_in(asked.login, asked.secret)
    except MENDABLE as error:
        kept = Form({name: values for name, values in form.given.items() if name != "secret"})
        return shown_again(
            request, kept, error, lambda again, status: _login_page(request, again, status, form.value("_to"))
        )
    return _entered(opened, form.value("_to"))


@router.post("/demo-login")
def be(request: Request, form: Sent) -> Response:
    """Be one of the invented people."""
    from_our_page(request)
    office = office_of(request)
    role = form.value("role")
    if not office.demo or role not in set(Role):
        raise LoginRefusedError
    return _entered(office.logins.demo(Role(role), form.value("account") or None), form.value("_to"))


def _entered(opened: Opened, to: str) -> Response:
    answered = RedirectResponse(safe(to), status_code=303)
    answered.set_cookie(COOKIE, opened.token, path="/", secure=True, httponly=True, samesite="lax")
    return answered


@router.post("/logout")
def log_out(visit: Visiting) -> Response:
    """Log out."""
    visit.office.logins.log_out(visit.session)
    answered = RedirectResponse("/login", status_code=303)
    for cookie in (COOKIE, SHARED, CRISIS):
        answered.delete_cookie(cookie, path="/", secure=True, httponly=True, samesite="lax")
    return answered


@router.get("/setup")
def setup_page(request: Request) -> Response:
    """Show where a secret is set with a code."""
    return _setup_page(request, Form(), 200)


def _setup_page(request: Request, form: Form, status: int) -> Response:
    return answer(request, "setup.html", {"form": form, "saved": None}, status)


@router.post("/setup")
def set_up(request: Request, form: Sent) -> Response:
    """Set a secret with a code that an administrator has handed over."""
    from_our_page(request)
    try:
        asked = read(SetUp, form.content())
        office_of(request).logins.set_up(asked.login, asked.code, asked.secret)
    except MENDABLE as error:
        kept = Form({name: values for name, values in form.given.items() if name == "login"})
        return shown_again(request, kept, error, lambda again, status: _setup_page(request, again, status))
    return RedirectResponse("/login?changed=yes", status_code=303)


@router.post("/language")
def choose_language(request: Request, form: Sent) -> Response:
    """Read the pages in another language from now on."""
    from_our_page(request)
    answered = RedirectResponse(safe(form.value("_to")), status_code=303)
    said = form.value("language")
    if said in set(Language):
        answered.set_cookie(
            language.COOKIE, said, max_age=_YEAR, path="/", secure=True, httponly=True, samesite="lax"
        )
    return answered


@router.post("/shared-screen")
def share_screen(visit: Visiting, form: Sent) -> Response:
    """Say that others look at the screen too, or that they no longer do."""
    answered = RedirectResponse(safe(form.value("_to")), status_code=303)
    if visit.shared:
        answered.delete_cookie(SHARED, path="/", secure=True, httponly=True, samesite="lax")
    else:
        answered.set_cookie(SHARED, "yes", path="/", secure=True, httponly=True, samesite="lax")
    return answered
