"""The office in the OpenAPI document: what is shown of each kind, what each use case asks for, and examples.

All of it is made from the bodies and the catalogue, so that nothing is described that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.json_schema import models_json_schema

from allocator.casework.bodies import BODIES, COLLECTIONS
from allocator.casework.codes import Purpose
from allocator.casework.records import Kind
from allocator.model import ID_SCHEMA
from allocator.service.catalogue import USES
from allocator.service.uses import Command, UseCase
from api.schemas import Answered

REFS = "#/components/schemas/"
PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": f"{REFS}ProblemOut"}}}}

_WHY = {
    401: "Nobody is logged in, or the login has ended.",
    403: "The role does not allow it, or the request does not come from a page of ours.",
    404: "It is not there, or not for this reader; the two are told alike.",
    409: "It does not go as things stand; `code` says why, `detail` what to do.",
    412: "The record has been changed since it was read; `ETag` has its version.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The request must be mended at the places given; what was sent is not repeated.",
    428: "`If-Match` is missing.",
    429: "Very much was listed in a short time; `Retry-After` says how long to wait.",
    500: "What is stored is not sound; nothing is shown.",
    503: "Storage is busy, full or out of reach. Nothing was saved, unless `code` is `uncertain`: "
    "then the same request with the same key tells.",
}

IDENTIFIER = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": ID_SCHEMA,
}
PURPOSE = {
    "name": "X-Purpose",
    "in": "header",
    "description": "Why one looks; names are shown only for a purpose, and it is logged.",
    "schema": {"type": "string", "enum": [purpose.value for purpose in Purpose]},
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The `ETag` of the version that was read. Without it nothing is changed.",
    "schema": {"type": "string"},
    "example": '"1"',
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request with the same key is done once. 1 to 128 visible ASCII characters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]{1,128}$"},
}

Security = list[dict[str, list[str]]]
LOOKS: Security = [{"session": []}]
CHANGES: Security = [{"session": [], "csrf": []}]
SECURITY_SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-allocator",
        "description": "Given by `POST /api/v1/login`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "As `GET /api/v1/session` gives it.",
    },
}


class VersionShown(Answered):
    """One version of a record. By whom and why is told to those who see all of its fields."""

    version: int
    at: str
    by: str | None = None
    change: str | None = Field(default=None, description="The use case that made it.")
    reason: str | None = None


# ------------------------------------------------------------------------------------------- models


@cache
def shown(kind: Kind) -> type[BaseModel]:
    """Return what may be shown of a kind: every field may be left out for a reader."""
    body = BODIES[kind]
    fields: dict[str, Any] = {"id": (str, ...), "version": (int, ...)}
    fields |= {name: (field.rebuild_annotation() | None, None) for name, field in body.model_fields.items()}
    return create_model(
        f"{body.__name__}Shown",
        __doc__=f"{_summary(body)} Fields that the reader may not see are left out.",
        **fields,
    )


@cache
def page(kind: Kind) -> type[BaseModel]:
    """Return a page of records of a kind."""
    more = Field(default=None, description="Send it as `after`; missing: these are all.")
    fields: dict[str, Any] = {"items": (list[shown(kind)], ...), "after": (str | None, more)}  # type: ignore[misc]
    name = f"{BODIES[kind].__name__}Listed"
    return create_model(name, __doc__="Records in order, and where to go on.", **fields)


@cache
def versions(kind: Kind) -> type[BaseModel]:
    """Return all versions of a record of a kind."""
    name = BODIES[kind].__name__
    version = create_model(f"{name}Version", __base__=VersionShown, record=(shown(kind), ...))
    fields: dict[str, Any] = {"items": (list[version], ...)}
    return create_model(f"{name}History", __doc__="Every version, the first one first.", **fields)


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


@cache
def _schemas() -> tuple[Mapping[tuple[type[BaseModel], str], Any], Mapping[str, Any]]:
    """Return the schema of each model of the office as a reference, and all definitions."""
    models: list[tuple[type[BaseModel], Any]] = [(use.command, "validation") for use in USES.values()]
    for kind in Kind:
        models += [(make(kind), "serialization") for make in (shown, page, versions)]
    found, definitions = models_json_schema(sorted(set(models), key=repr), ref_template=REFS + "{model}")
    return found, definitions["$defs"]  # type: ignore[return-value]


def definitions() -> Mapping[str, Any]:
    """Return the schemas that the references go to."""
    return _schemas()[1]


def answer(model: type[BaseModel], said: str, headers: Iterable[str] = ()) -> dict[str, Any]:
    """Return the description of an answer with a record or records."""
    described: dict[str, Any] = {
        "description": said,
        "content": {"application/json": {"schema": _schemas()[0][model, "serialization"]}},
    }
    for header in headers:
        described.setdefault("headers", {})[header] = {"schema": {"type": "string"}}
    return described


def problems(*statuses: int) -> dict[str, Any]:
    """Return the descriptions of refusals."""
    return {str(status): {"description": _WHY[status], **PROBLEM} for status in (*statuses, 500, 503)}


def asked(use: UseCase[Any]) -> dict[str, Any]:
    """Return the description of what a use case asks for."""
    content: dict[str, Any] = {"schema": _schemas()[0][use.command, "validation"]}
    command: type[Command] = use.command
    example = example_of(command)
    if example is not None:
        content["example"] = example
    needed = any(field.is_required() for field in use.command.model_fields.values())
    return {"required": needed, "content": {"application/json": content}}


def created(use: UseCase[Any]) -> dict[str, Any]:
    """Return the description of creating a record."""
    refused = problems(401, 403, 409, 413, 415, 422)
    done = answer(shown(use.kind), "The new record, as its maker may see it.", ("ETag", "Location"))
    return {
        "parameters": [PURPOSE, KEY],
        "requestBody": asked(use),
        "responses": {str(HTTPStatus.CREATED.value): done, **refused},
        "security": CHANGES,
    }


def acted(use: UseCase[Any]) -> dict[str, Any]:
    """Return the description of acting on a record."""
    refused = problems(401, 403, 404, 409, 412, 413, 415, 422, 428)
    done = answer(shown(use.kind), "The record as it is now.", ("ETag",))
    return {
        "parameters": [IDENTIFIER, PURPOSE, IF_MATCH, KEY],
        "requestBody": asked(use),
        "responses": {"200": done, **refused},
        "security": CHANGES,
    }


# ----------------------------------------------------------------------------------------- examples

_NAMED = {
    "login": "kari.oppdiktet",
    "name": "Kari Oppdiktet",
    "person": "P-7f3k2m9q4w",
    "case": "S-4h8n2p6r9t",
    "scheme": "nordlia",
    "schemes": ["nordlia"],
    "unit": "nordlia-6",
    "about": "unit",
    "of": "nordlia-6",
    "text": "Roligere etter at nattevakten kom tilbake.",
    "reason": "Avtalt i møtet 12. november.",
    "grounds": "Boligen ligger nær familien, og bogruppen er rolig.",
    "cleared": ["conflicts"],
}
"""What examples say under some names; all people are invented."""


@cache
def example_of(command: type[Command]) -> Any:
    """Return an example of a command that it takes; None where none is easily made."""
    schema = command.model_json_schema()
    made = {name: _NAMED[name] for name in ("schemes",) if name in schema.get("required", ())}
    for name in schema.get("required", ()):
        made[name] = _NAMED.get(name, _value(name, schema["properties"][name], schema.get("$defs", {})))
    try:
        command.model_validate_json(_json(made))
    except ValidationError:
        return None
    return made


def _json(value: Any) -> bytes:
    import orjson  # noqa: PLC0415 - beside its one use

    return orjson.dumps(value)


def _value(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(name, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for option in schema.get("anyOf", schema.get("oneOf", ())):
        return _value(name, option, definitions)
    match schema.get("type"):
        case "object":
            needed = schema.get("required", ())
            return {n: _NAMED.get(n, _value(n, schema["properties"][n], definitions)) for n in needed}
        case "array":
            return [_value(name, schema["items"], definitions)] if schema.get("minItems") else []
        case "boolean":
            return True
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "string" if schema.get("format") == "date":
            return "2026-12-01"
        case _:
            return "nordlia-a"


def collection(kind: Kind) -> str:
    """Return the address of the records of a kind."""
    return f"/api/v1/{COLLECTIONS[kind]}"
