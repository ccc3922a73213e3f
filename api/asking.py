"""Reading what stands beside the body of a request. A fault names the place, never what stands there."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import TypeAdapter, ValidationError

from allocator.casework.records import Kind
from allocator.model import Day, Id, Problem, expecting
from allocator.service.errors import NotFoundError
from api.refusals import WrongError

MOST_LISTED = 200
USUALLY_LISTED = 50
NEWEST_VERSION = 2**31 - 1

_KEY = re.compile(r"[!-~]{1,128}")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,800}")
_ENTITY_TAG = re.compile(r'"([1-9][0-9]{0,8})"')
_NUMBER = re.compile(r"[0-9]{1,10}")
_ID: TypeAdapter[str] = TypeAdapter(Id)
_DAY: TypeAdapter[date] = TypeAdapter(Day)


def wrong(name: str, template: str, **values: object) -> Problem:
    """Return what is wrong with a parameter, as what is expected of it."""
    return expecting(f"/query/{name}", template, **values)


def codes(options: Iterable[str]) -> str:
    """Return what can be said, as it is listed."""
    return ", ".join(f"`{option}`" for option in options)


def parameters(request: Request, *known: str, several: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what stands after the question mark: each once, but for those of which there may be several.

    Raises:
        WrongError: Something unknown, or something twice.
    """
    given = request.query_params.multi_items()
    names = [name for name, _ in given if name not in several]
    if not set(names) <= set(known) or len(set(names)) != len(names):
        if not known:
            raise WrongError(expecting("/query", "no parameter"))
        raise WrongError(
            expecting("/query", "each parameter once, of these: {options}", options=codes(known))
        )
    return dict(given)


def number(given: Mapping[str, str], name: str, most: int) -> int | None:
    """Return a whole number from 1 on; None if it is not given.

    Raises:
        WrongError: It is none, or too large.
    """
    if name not in given:
        return None
    if not _NUMBER.fullmatch(given[name]) or not 1 <= int(given[name]) <= most:
        raise WrongError(wrong(name, "a whole number from {least} to {most}", least=1, most=most))
    return int(given[name])


def limit(given: Mapping[str, str]) -> int:
    """Return how many are asked for."""
    return number(given, "limit", MOST_LISTED) or USUALLY_LISTED


def an_id(given: Mapping[str, str], name: str) -> str | None:
    """Return an id; None if it is not given.

    Raises:
        WrongError: It is none.
    """
    try:
        return _ID.validate_python(given[name]) if name in given else None
    except ValidationError:
        raise WrongError(wrong(name, "an id")) from None


def day(given: Mapping[str, str], name: str) -> date | None:
    """Return a day; None if it is not given.

    Raises:
        WrongError: It is none.
    """
    try:
        return _DAY.validate_python(given[name]) if name in given else None
    except ValidationError:
        raise WrongError(wrong(name, "a date written as YYYY-MM-DD")) from None


def identifier(request: Request, kind: Kind) -> str:
    """Return the id in the path. What is no id is not there.

    Raises:
        NotFoundError: It is none.
    """
    try:
        return _ID.validate_python(request.path_params["id"])
    except ValidationError:
        raise NotFoundError(f"no such {kind}") from None


def idempotency_key(request: Request) -> str | None:
    """Return the key under which a request is done once.

    Raises:
        WrongError: It is too long, or has other than visible ASCII characters.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        expected = "{least} to {most} visible ASCII characters"
        raise WrongError(expecting("/header/Idempotency-Key", expected, least=1, most=128))
    return key


def version_seen(request: Request) -> int | None:
    """Return which version was seen; what is no entity tag of ours is 0, which no record has."""
    given = request.headers.get("if-match")
    if given is None:
        return None
    match = _ENTITY_TAG.fullmatch(given.strip())
    return 0 if match is None else int(match[1])


def cursor(place: tuple[str, str]) -> str:
    """Return where a page ended, as the next request says it."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_after(given: Mapping[str, str]) -> tuple[str, str] | None:
    """Return where to go on; None if it is not given.

    Raises:
        WrongError: It is not what a page gave.
    """
    if "after" not in given:
        return None
    place = _opened(given["after"]) if _CURSOR.fullmatch(given["after"]) else None
    if place is None:
        raise WrongError(wrong("after", "what the page before gave as `after`"))
    return place


def _opened(text: str) -> tuple[str, str] | None:
    """Return the order and the id that a place is made of; None if it is not made of them."""
    try:
        order, name = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        name = _ID.validate_python(name)
    except (ValueError, TypeError, binascii.Error, ValidationError):
        return None
    return (order, name) if isinstance(order, str) and "\0" not in order else None


def as_json(content: Any, status: int = 200, etag: str | None = None) -> Response:
    """Return an answer."""
    headers = {} if etag is None else {"ETag": etag}
    return Response(orjson.dumps(content), status_code=status, headers=headers, media_type="application/json")
