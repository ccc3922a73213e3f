"""Records and use cases over HTTP: one scheme for all, made from the catalogue.

`GET /{collection}`, `GET /{collection}/{id}`, `GET /{collection}/{id}/history`,
`POST /{collection}/{verb}` for what creates a record, `POST /{collection}/{id}/{verb}` for what acts on one.
Who may do what is asked of the desk; nothing here decides it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from allocator.access.table import Access
from allocator.casework.bodies import BODIES
from allocator.casework.records import Kind, Link
from allocator.model import ID_SCHEMA
from allocator.service.catalogue import USES
from allocator.service.desk import Shown
from allocator.service.uses import Command, UseCase
from allocator.texts import Language
from api import asking, description
from api.asking import as_json
from api.description import collection
from api.office import BodyOf, SignedIn, office_of, read
from api.refusals import WrongError, etag

_STATE = re.compile(r"[a-z_]{1,32}")
_PAGING = ("due_by", "limit", "after")


def install(app: FastAPI) -> None:
    """Add the routes of every kind of record and of every use case."""
    for kind in Kind:
        place, what = collection(kind), kind.value
        common = {"tags": [place.rpartition("/")[2]]}
        app.add_api_route(
            place,
            _list(kind),
            methods=["GET"],
            summary=f"List: {what}",
            operation_id=f"{what}.list",
            openapi_extra=_listing(kind),
            **common,  # type: ignore[arg-type]
        )
        app.add_api_route(
            f"{place}/{{id}}",
            _show(kind),
            methods=["GET"],
            summary=f"Show: {what}",
            operation_id=f"{what}.show",
            openapi_extra=_showing(kind),
            **common,  # type: ignore[arg-type]
        )
        app.add_api_route(
            f"{place}/{{id}}/history",
            _history(kind),
            methods=["GET"],
            summary=f"Every version: {what}",
            operation_id=f"{what}.history",
            openapi_extra=_telling(kind),
            **common,  # type: ignore[arg-type]
        )
    app.add_api_route(
        f"{collection(Kind.SUGGESTION)}/{{id}}/answer",
        _answer,
        methods=["GET"],
        summary="What a suggestion says, for this reader",
        operation_id="suggestion.answer",
        tags=[collection(Kind.SUGGESTION).rpartition("/")[2]],
        openapi_extra=_answering(),
    )
    for use in USES.values():
        _offer(app, use)


def path_of(use: UseCase[Any]) -> str:
    """Return the address of a use case."""
    place = collection(use.kind)
    return f"{place}/{use.verb}" if use.creates else f"{place}/{{id}}/{use.verb}"


def _offer(app: FastAPI, use: UseCase[Any]) -> None:
    app.add_api_route(
        path_of(use),
        _create(use) if use.creates else _act(use),
        methods=["POST"],
        status_code=201 if use.creates else 200,
        summary=use.summary,
        operation_id=use.name,
        tags=[collection(use.kind).rpartition("/")[2]],
        openapi_extra=description.created(use) if use.creates else description.acted(use),
    )


# ------------------------------------------------------------------------------------------ looking


def _list(kind: Kind) -> Callable[..., Response]:
    def listed(request: Request, signed: SignedIn) -> Response:
        given = asking.parameters(request, "state", *_PAGING, *links_of(kind), several=("state",))
        states = frozenset(request.query_params.getlist("state")) or None
        if states is not None and not all(_STATE.fullmatch(state) for state in states):
            raise WrongError(asking.wrong("state", "the name of a state"))
        named = ((link, asking.an_id(given, link)) for link in links_of(kind))
        links = tuple(Link(link, name) for link, name in named if name is not None)
        office = office_of(request)
        now = office.desk.clock.now()
        office.listed.check(signed.actor.account, now)
        page = office.desk.page(
            signed.actor,
            kind,
            states=states,
            links=links,
            due_by=asking.day(given, "due_by"),
            after=asking.place_after(given),
            limit=asking.limit(given),
        )
        office.listed.add(signed.actor.account, now, len(page.items))
        after = None if page.after is None else asking.cursor(page.after)
        return as_json({"items": [item.view for item in page.items], "after": after})

    return listed


def _show(kind: Kind) -> Callable[..., Response]:
    def shown(request: Request, signed: SignedIn) -> Response:
        given = asking.parameters(request, "version")
        version = asking.number(given, "version", asking.NEWEST_VERSION)
        found = office_of(request).desk.show(signed.actor, kind, asking.identifier(request, kind), version)
        return as_json(found.view, etag=etag(found.stored.version))

    return shown


def _history(kind: Kind) -> Callable[..., Response]:
    def told(request: Request, signed: SignedIn) -> Response:
        asking.parameters(request)
        desk = office_of(request).desk
        found = desk.history(signed.actor, kind, asking.identifier(request, kind))
        return as_json({"items": [_version(desk.access, one) for one in found]})

    return told


def _answer(request: Request, signed: SignedIn) -> Response:
    language = asking.parameters(request, "language").get("language", Language.NB.value)
    if language not in set(Language):
        raise WrongError(asking.wrong("language", "one of: {options}", options=asking.codes(Language)))
    identifier = asking.identifier(request, Kind.SUGGESTION)
    return as_json(office_of(request).desk.answer(signed.actor, identifier, language))


def _version(access: Access, shown: Shown) -> Mapping[str, Any]:
    """Return one version. What a change was and why can be about any field."""
    stored = shown.stored
    told: dict[str, Any] = {"version": stored.version, "at": stored.at.isoformat(), "record": shown.view}
    if shown.sight.groups is not None and access.groups(stored.kind) <= shown.sight.groups:
        told |= {"by": stored.by, "change": stored.change, "reason": stored.reason}
    return told


@cache
def links_of(kind: Kind) -> tuple[Kind, ...]:
    """Return the kinds that records of a kind can be found by."""
    named = {Kind(name) for name in names_of(BODIES[kind]) if name in set(Kind)}
    return tuple(sorted((named | _MENTIONED.get(kind, set())) - {kind}))


_MENTIONED: Mapping[Kind, set[Kind]] = {
    Kind.PERSON: {Kind.PERSON},
    Kind.CONFLICT: {Kind.PERSON, Kind.SCHEME},
    Kind.ORDER: {Kind.PERSON, Kind.SCHEME},
    Kind.RECHECK: {Kind.PERSON},
    Kind.VETO: {Kind.CASE, Kind.UNIT},
    Kind.COMMENT: {Kind.UNIT, Kind.VETO, Kind.HEARING, Kind.SUGGESTION, Kind.MEETING, Kind.DECISION},
    Kind.CLARIFICATION: {Kind.CASE},
    Kind.MEETING: {Kind.ACCOUNT},
}
"""What some mention in fields of other names."""


# -------------------------------------------------------------------------------------------- doing


def _create(use: UseCase[Any]) -> Callable[..., Response]:
    def made(request: Request, signed: SignedIn, body: BodyOf) -> Response:
        asking.parameters(request)
        key = asking.idempotency_key(request)
        command = _said(use, body)
        done = office_of(request).desk.run(signed.actor, use.name, command, key=key)
        answer = as_json(done.view, status=201, etag=etag(done.stored.version))
        answer.headers["location"] = f"{collection(done.stored.kind)}/{quote(done.stored.id)}"
        return answer

    return made


def _act(use: UseCase[Any]) -> Callable[..., Response]:
    def acted(request: Request, signed: SignedIn, body: BodyOf) -> Response:
        asking.parameters(request)
        done = office_of(request).desk.run(
            signed.actor,
            use.name,
            _said(use, body),
            target=asking.identifier(request, use.kind),
            expected=asking.version_seen(request),
            key=asking.idempotency_key(request),
        )
        return as_json(done.view, etag=etag(done.stored.version))

    return acted


def _said(use: UseCase[Any], body: bytes) -> Command:
    command: type[Command] = use.command
    return read(command, body, names_of(command))


@cache
def names_of(model: type[BaseModel]) -> frozenset[str]:
    """Return every field that a model has, itself or further in."""
    schema = model.model_json_schema()
    parts = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for part in parts for name in part.get("properties", ()))


# --------------------------------------------------------------------------------------- describing


def _query(name: str, said: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": said, "schema": dict(schema)}


def _listing(kind: Kind) -> dict[str, Any]:
    state = {"type": "array", "items": {"type": "string", "pattern": "^[a-z_]{1,32}$"}}
    limit = {"type": "integer", "minimum": 1, "maximum": asking.MOST_LISTED, "default": asking.USUALLY_LISTED}
    day = {"type": "string", "format": "date", "pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"}
    return {
        "parameters": [
            _query("state", "Only those in one of these states.", state),
            *(_query(link, f"Only those that mention this {link}.", ID_SCHEMA) for link in links_of(kind)),
            _query("due_by", "Only those with something to do by that day.", day),
            _query("limit", "So many at most.", limit),
            _query("after", "Where the page before ended.", {"type": "string", "maxLength": 800}),
            description.PURPOSE,
        ],
        "responses": {
            "200": description.answer(description.page(kind), "Records that the reader may see, in order."),
            **description.problems(401, 422, 429),
        },
        "security": description.LOOKS,
    }


def _showing(kind: Kind) -> dict[str, Any]:
    version = {"type": "integer", "minimum": 1, "maximum": asking.NEWEST_VERSION}
    return {
        "parameters": [
            description.IDENTIFIER,
            _query("version", "As it was at that version.", version),
            description.PURPOSE,
        ],
        "responses": {
            "200": description.answer(
                description.shown(kind), "The record as the reader sees it.", ("ETag",)
            ),
            **description.problems(401, 404, 422),
        },
        "security": description.LOOKS,
    }


def _telling(kind: Kind) -> dict[str, Any]:
    return {
        "parameters": [description.IDENTIFIER, description.PURPOSE],
        "responses": {
            "200": description.answer(description.versions(kind), "Every version, the first one first."),
            **description.problems(401, 404, 422),
        },
        "security": description.LOOKS,
    }


def _answering() -> dict[str, Any]:
    languages = {"type": "string", "enum": [code.value for code in Language], "default": "nb"}
    return {
        "parameters": [
            description.IDENTIFIER,
            _query("language", "Language of sentences.", languages),
            description.PURPOSE,
        ],
        "responses": {
            "200": {
                "description": "The answer, with what this reader may not see left out.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **description.problems(401, 404, 422),
        },
        "security": description.LOOKS,
    }
