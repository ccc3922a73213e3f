"""The log for those who may read it, and for a person who asks who has looked at them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from cryptography.fernet import InvalidToken
from fastapi import FastAPI, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from allocator.casework.records import Kind
from allocator.service.journal import LogQuery
from api import asking, description
from api.asking import as_json
from api.description import LOOKS, PURPOSE, problems
from api.office import Office, SignedIn, office_of
from api.refusals import WrongError
from api.schemas import Answered

_OUTCOMES = ("done", "shown", "denied")
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)
_WRITTEN = re.compile(r"[0-9]{4}-[0-9-]{5}[0-9Tt:.Zz+-]{1,54}")  # a mere number would be read as seconds


class EntryShown(Answered):
    """An entry of the log. What the reader is not cleared for is left out."""

    number: int | None = Field(default=None, description="For readers from whom nothing is left out.")
    at: str
    by: str | None = Field(
        default=None, description="The account; `nobody` if nobody was logged in. Left out as well."
    )
    roles: list[str] = Field(default=[])
    use: str
    kind: str | None = None
    id: str | None = None
    version: int | None = None
    people: list[str] = Field(default=[], description="Everyone it is about.")
    groups: list[str] = Field(default=[], description="Groups of fields that were shown.")
    purpose: str | None = None
    outcome: str


class LogShown(Answered):
    """Entries, the last one first, and where to go on."""

    items: list[EntryShown]
    after: str | None = None


class LookShown(Answered):
    """That somebody has looked at a person."""

    at: str
    by: str
    name: str | None
    roles: list[str]
    purpose: str | None


class LooksShown(Answered):
    """Who has looked at a person, the last one first."""

    items: list[LookShown]


ANSWERED: tuple[type[BaseModel], ...] = (LogShown, LooksShown)
"""What is answered."""


def install(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(
        "/api/v1/log",
        _log,
        methods=["GET"],
        summary="Who did and saw what",
        operation_id="log.read",
        tags=["log"],
        openapi_extra=_described(
            LogShown,
            403,
            429,
            parameters=[
                _query("person", {"type": "string", "minLength": 1, "maxLength": 64}),
                _query("account", {"type": "string", "minLength": 1, "maxLength": 64}),
                _query("outcome", {"type": "string", "enum": list(_OUTCOMES)}),
                _query("since", {"type": "string", "format": "date-time"}),
                _query("until", {"type": "string", "format": "date-time"}),
                _query("limit", {"type": "integer", "minimum": 1, "maximum": asking.MOST_LISTED}),
                _query("after", {"type": "string", "maxLength": 800}),
                PURPOSE,
            ],
        ),
    )
    app.add_api_route(
        "/api/v1/people/{id}/access-log",
        _looks,
        methods=["GET"],
        summary="Who has looked at a person; for the person, with the purpose `subject_access`",
        operation_id="people.access_log",
        tags=["log"],
        openapi_extra=_described(LooksShown, 403, 404, parameters=[description.IDENTIFIER, PURPOSE]),
    )


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _described(model: type[Answered], *refused: int, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    schema = {"schema": {"$ref": f"{description.REFS}{model.__name__}"}}
    return {
        "parameters": parameters,
        "security": LOOKS,
        "responses": {
            "200": {"content": {"application/json": schema}},
            **problems(401, 422, *refused),
        },
    }


def _log(request: Request, signed: SignedIn) -> Response:
    names = ("person", "account", "outcome", "since", "until", "limit", "after")
    given = asking.parameters(request, *names)
    if given.get("outcome", "done") not in _OUTCOMES:
        raise WrongError(asking.wrong("outcome", "one of: {options}", options=asking.codes(_OUTCOMES)))
    office = office_of(request)
    asked = LogQuery(
        person=asking.an_id(given, "person"),
        account=asking.an_id(given, "account"),
        outcome=given.get("outcome"),
        since=_moment(given, "since"),
        until=_moment(given, "until"),
        before=_before(office, given),
        limit=asking.limit(given),
    )
    now = office.desk.clock.now()
    office.listed.check(signed.actor.account, now)
    page = office.journal.page(signed.actor, asked)
    office.listed.add(signed.actor.account, now, len(page.items))
    after = None if page.before is None else office.seal.encrypt(str(page.before).encode()).decode()
    return as_json({"items": page.items, "after": after})


def _looks(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    looks = office_of(request).journal.extract(signed.actor, asking.identifier(request, Kind.PERSON))
    return as_json({"items": looks})


def _moment(given: dict[str, str], name: str) -> datetime | None:
    if name not in given:
        return None
    try:
        return _MOMENT.validate_strings(given[name] if _WRITTEN.fullmatch(given[name]) else "")
    except ValidationError:
        raise WrongError(
            asking.wrong(name, "a moment such as {example}", example="2026-11-23T09:00:00Z")
        ) from None


def _before(office: Office, given: dict[str, str]) -> int | None:
    """Return the number to go on before. It is sealed, since numbers tell how much was left out."""
    if "after" not in given:
        return None
    try:
        return int(office.seal.decrypt(given["after"].encode()))
    except InvalidToken:
        raise WrongError(
            asking.wrong("after", "what the page before gave as `after`; or begin anew")
        ) from None
