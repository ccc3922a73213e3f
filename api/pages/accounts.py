"""Users: who can log in, their roles and what they are cleared for, and codes to set a secret with."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Response

from allocator.casework.codes import Clearance
from allocator.casework.records import Kind
from allocator.service.errors import NotFoundError
from api.pages.doing import done
from api.pages.forms import Form, Sent
from api.pages.visit import Visit, Visiting

router = APIRouter()

PLACE = "/accounts"

_ACTS = {
    "grant": "accounts.grant",
    "take-back": "accounts.take_back",
    "clear": "accounts.clear",
    "disable": "accounts.disable",
    "enable": "accounts.enable",
}
"""What is done with an account, by the last part of the address."""


@router.get(PLACE)
def accounts(visit: Visiting) -> Response:
    """Show the accounts that the reader may see, by name."""
    return _list(visit, Form())


def _list(visit: Visit, form: Form, status: int = 200) -> Response:
    found = sorted(visit.find(Kind.ACCOUNT), key=lambda one: (one["name"].casefold(), one["id"]))
    return visit.page(
        "accounts/list.html", status, place=PLACE, accounts=found, schemes=scheme_names(visit), form=form
    )


def scheme_names(visit: Visit) -> Mapping[str, str]:
    """Return what schemes are called that the reader may see, by their ids."""
    return {one["id"]: one["facts"]["name"] for one in visit.find(Kind.SCHEME)}


@router.post(PLACE)
def open_account(visit: Visiting, form: Sent) -> Response:
    """Open an account for somebody."""
    return done(
        visit,
        form,
        "accounts.open",
        page=lambda again, status: _list(visit, again, status),
        then=lambda opened: f"{PLACE}/{opened.stored.id}",
    )


@router.get(f"{PLACE}/{{identifier}}")
def account(visit: Visiting, identifier: str) -> Response:
    """Show an account and what can be done with it."""
    return _account(visit, identifier)


def _account(
    visit: Visit, identifier: str, status: int = 200, act: str | None = None, sent: Form | None = None
) -> Response:
    """Return the page of an account.

    Args:
        visit: The visit.
        identifier: The account.
        status: The status.
        act: Which of its forms was sent and must be mended.
        sent: That form.
    """

    def form_of(name: str, role: str | None = None) -> Form:
        """Return the form to show: as it was sent, or a new one."""
        meant = sent is not None and act == name and role in (None, sent.value("role"))
        return sent if meant and sent is not None else Form()

    seen = visit.show(Kind.ACCOUNT, identifier)
    own = identifier == visit.actor.account
    roles = visit.office.desk.access.roles
    return visit.page(
        "accounts/account.html",
        status,
        place=f"{PLACE}/{identifier}",
        account=seen,
        own=own,
        may=frozenset() if own else visit.may_with(Kind.ACCOUNT, identifier),
        issues=not own and visit.may("accounts.issue_code"),
        schemes=scheme_names(visit),
        of_scheme=" ".join(sorted(role.value for role, entry in roles.items() if entry.of_scheme)),
        clearances=list(Clearance),
        form_of=form_of,
        sent=sent,
        prefix="" if sent is None else f"{sent.value('role') if act == 'take-back' else act}-",
    )


@router.post(f"{PLACE}/{{identifier}}/setup-code")
def issue_code(visit: Visiting, identifier: str) -> Response:
    """Issue a code to set a secret with, and show it this once."""
    code, until = visit.office.logins.issue(visit.actor, identifier)
    seen = visit.show(Kind.ACCOUNT, identifier)
    return visit.page(
        "accounts/code.html",
        place=f"{PLACE}/{identifier}",
        account=seen,
        setup_code=code,
        until=until,
    )


@router.post(f"{PLACE}/{{identifier}}/{{act}}")
def change(visit: Visiting, identifier: str, act: str, form: Sent) -> Response:
    """Change what somebody may do, or whether they can log in."""
    if act not in _ACTS:
        raise NotFoundError(act)
    return done(
        visit,
        form,
        _ACTS[act],
        identifier,
        page=lambda again, status: _account(visit, identifier, status, act, again),
        then=f"{PLACE}/{identifier}",
    )
