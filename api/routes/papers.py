"""Papers over HTTP: an appeal's pool, a decision's package, what is held about a person and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request, Response

from allocator.casework.bodies import COLLECTIONS
from allocator.casework.committee import Appeal
from allocator.casework.records import Kind
from allocator.service import appeals
from allocator.service.extracts import extract, mentions
from allocator.service.packages import decision_package
from api import asking, description
from api.asking import as_json
from api.office import SignedIn, office_of

Answer = Callable[..., Response]


def install(app: FastAPI) -> None:
    """Add the routes."""
    _add(
        app, Kind.APPEAL, "pool", _pool, "Whom and what a decision had to choose between; nobody's name", 409
    )
    _add(app, Kind.DECISION, "package", _package, "All that a decision rests on, for the archive", 403)
    _add(
        app,
        Kind.PERSON,
        "extract",
        _extract,
        "What is held about a person; for the person, with the purpose `subject_access`",
        403,
    )
    _add(
        app,
        Kind.PERSON,
        "mentions",
        _mentions,
        "Every record that mentions a person, with the purpose `subject_access`",
        403,
    )


def _add(  # noqa: PLR0917 - a table of routes
    app: FastAPI, kind: Kind, name: str, answer: Answer, said: str, refused: int
) -> None:
    app.add_api_route(
        f"{description.collection(kind)}/{{id}}/{name}",
        answer,
        methods=["GET"],
        summary=said,
        operation_id=f"{COLLECTIONS[kind]}.{name}",
        tags=[COLLECTIONS[kind]],
        openapi_extra=_described(refused),
    )


def _described(refused: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    said = "What this reader may see of it."
    return {
        "parameters": [description.IDENTIFIER, description.PURPOSE],
        "security": description.LOOKS,
        "responses": {
            "200": {"description": said, "content": content},
            **description.problems(401, 404, 422, refused),
        },
    }


def _pool(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    identifier = asking.identifier(request, Kind.APPEAL)
    desk = office_of(request).desk
    return as_json(asdict(desk.look_into(signed.actor, Appeal, identifier, "appeals.pool", appeals.pool)))


def _package(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    identifier = asking.identifier(request, Kind.DECISION)
    return as_json(decision_package(office_of(request).desk, signed.actor, identifier))


def _extract(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    return as_json(extract(office_of(request).desk, signed.actor, asking.identifier(request, Kind.PERSON)))


def _mentions(request: Request, signed: SignedIn) -> Response:
    asking.parameters(request)
    found = mentions(office_of(request).desk, signed.actor, asking.identifier(request, Kind.PERSON))
    return as_json({"items": found})
