"""The page about oneself: roles, the secret one logs in with, and access taken in a crisis."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from allocator.service.accounts import LONGEST_CRISIS
from allocator.service.login import IDLE, LoginRefusedError
from api.login import ChangeSecret
from api.office import COOKIE, read
from api.pages.accounts import scheme_names
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.refusing import MENDABLE, shown_again
from api.pages.signing_in import safe
from api.pages.visit import CRISIS, Visit, Visiting, to
from api.refusals import AnswerError

router = APIRouter()

PLACE = "/me"


@router.get(PLACE)
def me(visit: Visiting) -> Response:
    """Show who one is, and what one may change of it."""
    return _page(visit)


def _page(
    visit: Visit, status: int = 200, *, secret: Form | None = None, crisis: Form | None = None
) -> Response:
    account = visit.account
    grants = account.body.grants_on(visit.today)
    return visit.page(
        "me/me.html",
        status,
        place=PLACE,
        account=account.body,
        version=account.version,
        grants=grants,
        schemes=scheme_names(visit) if any(grant.schemes for grant in grants) else {},
        idle_minutes=int(IDLE.total_seconds()) // 60,
        has_secret=visit.office.logins.has_secret(account.id),
        hours=range(1, LONGEST_CRISIS + 1),
        secret_form=secret or Form(),
        crisis_form=crisis or Form(),
    )


@router.post(f"{PLACE}/secret")
def change_secret(visit: Visiting, form: Sent) -> Response:
    """Set another secret, and log in with it."""
    refused: Exception
    try:
        asked = read(ChangeSecret, form.content())
        visit.office.logins.change(visit.actor, asked.old, asked.new)
    except LoginRefusedError:
        refused = AnswerError(422, "secret-kept")
    except MENDABLE as error:
        refused = error
    else:
        answered = RedirectResponse("/login?changed=yes", status_code=303)
        answered.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return answered
    kept = Form(dict.fromkeys(form.given, ()))
    return shown_again(visit.request, kept, refused, lambda again, status: _page(visit, status, secret=again))


@router.post(f"{PLACE}/crisis")
def take_access(visit: Visiting, form: Sent) -> Response:
    """Take the access of a caseworker for some hours, and use it from now on."""
    return done(
        visit,
        form,
        "accounts.break_glass",
        visit.account.id,
        page=lambda again, status: _page(visit, status, crisis=again),
        then=lambda _: _using(to(PLACE, done="accounts.break_glass")),
    )


@router.post("/crisis-access")
def use_access(visit: Visiting, form: Sent) -> Response:
    """Use access that was taken in a crisis, or stop using it."""
    answered = RedirectResponse(safe(form.value("_to")), status_code=303)
    if not visit.crisis:
        return _using(answered)
    answered.delete_cookie(CRISIS, path="/", secure=True, httponly=True, samesite="lax")
    return answered


def _using(answered: Response) -> Response:
    answered.set_cookie(CRISIS, "yes", path="/", secure=True, httponly=True, samesite="lax")
    return answered
