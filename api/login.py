"""Logging in and out over HTTP, and who one is.

The browser has a cookie that scripts cannot read; every change must repeat the session's token in a header,
which no other site can read either.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from allocator.access.authorizer import may_ever, sees_log
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.offices import Account
from allocator.casework.records import Kind
from allocator.model import Name, Record
from allocator.service.catalogue import USES
from allocator.service.journal import EXTRACT, READ
from allocator.service.login import Opened
from api import asking, description
from api.asking import as_json
from api.description import CHANGES, LOOKS, problems
from api.office import COOKIE, BodyOf, Office, Signed, SignedIn, from_here, office_of, purpose_of, read
from api.schemas import Answered

SecretText = Annotated[str, StringConstraints(min_length=1, max_length=200)]

ISSUE = "accounts.issue_code"
"""What issuing a code is called in the access table."""


class LogIn(Record):
    """Who wants in."""

    login: Name
    secret: SecretText


class SetUp(Record):
    """A code that an administrator has handed over, and the secret to log in with from now on."""

    login: Name
    code: SecretText
    secret: SecretText


class ChangeSecret(Record):
    """Another secret. All logins of the account end."""

    old: SecretText
    new: SecretText


class DemoLogIn(Record):
    """Which of the invented people to be."""

    role: Role


class SessionShown(Answered):
    """Who is logged in, and what they may do today."""

    account: str
    name: str
    roles: list[Role]
    schemes: list[str] = Field(description="Schemes that a role is held for.")
    cleared: list[Clearance]
    crisis_until: datetime | None = Field(
        default=None, description="Until when `X-Purpose: crisis` gives the access of a caseworker."
    )
    purposes: list[Purpose] = Field(description="What `X-Purpose` can say.")
    uses: list[str] = Field(description="Use cases that are allowed with some record.")
    csrf: str = Field(description="To be repeated as `X-CSRF-Token` with every change.")
    ends_at: datetime
    demo: bool = Field(description="Everyone may be anyone here; never put real data in.")


class CodeShown(Answered):
    """A code to set a secret with. It is shown this once."""

    code: str
    until: datetime


def install(app: FastAPI, *, demo: bool) -> None:
    """Add the routes."""
    tags = {"tags": ["login"]}

    def add(  # noqa: PLR0917 - a line a route
        path: str, answer: Any, method: str, summary: str, said: dict[str, Any], status: int = 200
    ) -> None:
        app.add_api_route(
            f"/api/v1/{path}",
            answer,
            methods=[method],
            status_code=status,
            summary=summary,
            operation_id=path.rpartition("/")[2] if method == "POST" else f"{path}.show",
            openapi_extra=said,
            **tags,  # type: ignore[arg-type]
        )

    entering = problems(401, 403, 413, 415, 422)
    telling = _described(LOOKS, problems(401, 422), SessionShown)
    telling["parameters"] = [description.PURPOSE]
    add("session", _session, "GET", "Who is logged in", telling)
    add("login", _log_in, "POST", "Log in", _described([], entering, SessionShown, LogIn))
    add("setup", _set_up, "POST", "Set a secret with a code", _described([], entering, None, SetUp), 204)
    changing = _described(CHANGES, entering, None, ChangeSecret)
    add("secret", _change, "POST", "Set another secret", changing, 204)
    leaving = _described(CHANGES, problems(401, 403, 413, 422), None)
    add("logout", _log_out, "POST", "Log out", leaving, 204)
    issuing = _described(CHANGES, problems(401, 403, 404, 413, 422), CodeShown)
    issuing["parameters"] = [description.IDENTIFIER]
    add("accounts/{id}/setup-code", _issue, "POST", "Issue a code to set a secret with", issuing, 201)
    if demo:
        said = _described([], problems(403, 413, 415, 422), SessionShown, DemoLogIn)
        add("demo-login", _demo, "POST", "Be one of the invented people", said)


def _described(
    security: list[dict[str, list[str]]],
    refused: dict[str, Any],
    answer: type[Answered] | None,
    asked: type[Record] | None = None,
) -> dict[str, Any]:
    """Return the description of a route; its models are known by their names."""
    said: dict[str, Any] = {"security": security, "responses": dict(refused)}
    if answer is not None:
        schema = {"schema": {"$ref": f"{description.REFS}{answer.__name__}"}}
        done = "201" if answer is CodeShown else "200"
        said["responses"][done] = {"content": {"application/json": schema}}
    if asked is not None:
        schema = {"schema": {"$ref": f"{description.REFS}{asked.__name__}"}}
        said["requestBody"] = {"required": True, "content": {"application/json": schema}}
    return said


ASKED: tuple[type[BaseModel], ...] = (LogIn, SetUp, ChangeSecret, DemoLogIn)
"""What is asked for."""

ANSWERED: tuple[type[BaseModel], ...] = (SessionShown, CodeShown)
"""What is answered."""


# ----------------------------------------------------------------------------------------- answering


def _session(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    return as_json(_told(office_of(request), signed))


def _log_in(request: Request, body: BodyOf) -> Response:
    from_here(request)
    asking.parameters(request)
    asked = read(LogIn, body)
    return _entered(request, office_of(request).logins.log_in(asked.login, asked.secret))


def _demo(request: Request, body: BodyOf) -> Response:
    from_here(request)
    asking.parameters(request)
    return _entered(request, office_of(request).logins.demo(read(DemoLogIn, body).role))


def _set_up(request: Request, body: BodyOf) -> Response:
    from_here(request)
    asking.parameters(request)
    asked = read(SetUp, body)
    office_of(request).logins.set_up(asked.login, asked.code, asked.secret)
    return Response(status_code=204)


def _change(request: Request, signed: SignedIn, body: BodyOf) -> Response:
    asking.parameters(request)
    asked = read(ChangeSecret, body)
    office_of(request).logins.change(signed.actor, asked.old, asked.new)
    return _left()


def _log_out(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    office_of(request).logins.log_out(signed.session)
    return _left()


def _issue(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    logins = office_of(request).logins
    code, until = logins.issue(signed.actor, asking.identifier(request, Kind.ACCOUNT))
    return as_json({"code": code, "until": until}, status=201)


def _entered(request: Request, opened: Opened) -> Response:
    office = office_of(request)
    actor = office.desk.actor(opened.session.account, purpose_of(request))
    assert actor is not None
    answer = as_json(_told(office, Signed(opened.session, actor)))
    answer.set_cookie(COOKIE, opened.token, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def _left() -> Response:
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def _told(office: Office, signed: SignedIn) -> dict[str, Any]:
    desk, actor = office.desk, signed.actor
    with desk.storage.read() as tx:
        stored = tx.get(Kind.ACCOUNT, actor.account)
    assert stored is not None
    assert isinstance(stored.body, Account)
    account, now = stored.body, desk.clock.now()
    uses = {name for name in (*USES, ISSUE) if may_ever(desk.access, actor, name)}
    if sees_log(desk.access, actor):
        uses.add(READ)
    if any(desk.access.roles[role].gives_extracts for role in actor.roles):
        uses.add(EXTRACT)
    return {
        "account": actor.account,
        "name": account.name,
        "roles": sorted(actor.roles),
        "schemes": sorted(frozenset().union(*(grant.schemes for grant in actor.grants))),
        "cleared": sorted(actor.cleared),
        "crisis_until": account.crisis.until if account.crisis and account.in_crisis(now) else None,
        "purposes": [purpose.value for purpose in Purpose],
        "uses": sorted(uses),
        "csrf": signed.session.csrf,
        "ends_at": signed.session.ends_at,
        "demo": office.demo,
    }
