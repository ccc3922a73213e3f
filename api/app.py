"""The application: the only place where parts are put together."""

from __future__ import annotations

import gc
import logging
import sys
import time
from functools import cache
from typing import Any

import orjson
import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import Counter, Histogram
from pydantic.json_schema import models_json_schema
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allocator import __version__
from allocator.model import (
    Snapshot,
)
from allocator.policy import Policy
from api import engines, errors
from api.auth import TOKEN_VARIABLE, WeakTokenError, checked_token
from api.metrics import REQUESTS, SECONDS
from api.routes import case, operations, policy, questions, rankings
from api.schemas import RankingQuestion, ShortlistQuestion, SuggestionsQuestion

__all__ = ["TOKEN_VARIABLE", "WeakTokenError", "create_app", "run"]

API = "/api/v1"
"""Where the API begins."""

MAX_BODY = 16 * 1024 * 1024
"""Largest request body, in bytes."""

_MAX_DIGITS = 18
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

_SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_SECURITY_NAMES = frozenset(name for name, _ in _SECURITY_HEADERS)

_log = structlog.get_logger("allocator.access")


def create_app(snapshot: Snapshot, used: Policy, *, token: str | None = None, demo: bool = False) -> FastAPI:
    """Return the application for one loaded case and policy.

    Args:
        snapshot: The case that questions without one of their own are about.
        used: The policy.
        token: The secret that callers must send. Needed unless *demo*.
        demo: Let everyone in. For invented data on one machine only.

    Raises:
        WeakTokenError: No token, or one too short.
    """
    app = FastAPI(
        title="allocator",
        version=__version__,
        summary="Decision support for allocating supported housing. It advises; people decide.",
        openapi_url="/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.case = snapshot
    app.state.policy = used
    app.state.token = None if demo else checked_token(token)
    errors.install(app)
    engines.install()
    rankings.install(app)
    for module in (questions, rankings, case, policy):
        app.include_router(module.router, prefix=API)
    app.include_router(operations.router)
    app.add_middleware(_Watched)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


class _Watched:
    """Refuse large bodies, add security headers, and log every access without what it was about.

    Written against ASGI itself: answers pass through as they are, in no task of their own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = [pair for pair in message.get("headers", ()) if pair[0] not in _SECURITY_NAMES]
                message = {**message, "headers": [*given, *_SECURITY_HEADERS]}
            await send(message)

        broke_off = False
        try:
            if _too_large(scope):
                refused = errors.problem(413, "the body is too large", f"At most {MAX_BODY} bytes.")
                await refused(scope, receive, guarded)
            else:
                await self.app(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered and logged without its message
            answer = errors.unexpected(error)
            broke_off = status != 0
            if not broke_off:
                await answer(scope, receive, guarded)
        _record(scope, status, time.perf_counter() - started)
        if broke_off:  # half an answer is out; the server closes the connection
            raise BrokenOffError("an answer broke off")


class BrokenOffError(RuntimeError):
    """An answer that had begun could not be ended. Never carries what went wrong."""


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _record(scope: Scope, status: int, seconds: float) -> None:
    """Count and log one access."""
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    _requests(method, route, status).inc()
    _seconds(route).observe(seconds)
    state = scope.get("state", {})
    _log.info(
        "access",
        method=method,
        route=route,
        status=status,
        caller=state.get("caller", "nobody"),
        reader=state.get("reader"),
        milliseconds=round(seconds * 1000),
    )


@cache
def _requests(method: str, route: str, status: int) -> Counter:
    """Return what counts those requests; there are as many as routes, known methods and statuses."""
    return REQUESTS.labels(method, route, str(status))


@cache
def _seconds(route: str) -> Histogram:
    """Return what times that route."""
    return SECONDS.labels(route)


def _route(scope: Scope) -> str:
    """Return the route as it is declared; no path of ours has parameters that are about anyone."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return "unknown"
    mounted = scope["path"].startswith(API) and not path.startswith(API)
    return f"{API}{path}" if mounted else str(path)


def _too_large(scope: Scope) -> bool:
    """Return whether the body is larger than allowed, or does not say how large it is.

    One sent in pieces does not, whatever length it states beside that.
    """
    if scope["method"] not in _WITH_BODY:
        return False
    length = b""
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = value
        elif name == b"transfer-encoding":
            return True
    return not length.isdigit() or len(length) > _MAX_DIGITS or int(length) > MAX_BODY


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        _, definitions = models_json_schema(
            [(kind, "validation") for kind in (SuggestionsQuestion, ShortlistQuestion, RankingQuestion)],
            ref_template="#/components/schemas/{model}",
        )
        described["components"]["schemas"].update(definitions["$defs"])
        app.openapi_schema = described
    return app.openapi_schema


def run(app: FastAPI, *, host: str, port: int) -> None:
    """Serve until stopped. Logs are lines of JSON on standard error, without personal data."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    try:
        rankings.prepare(app)
    except Exception as error:  # noqa: BLE001 - who asks for a ranking is told; all else is answered as ever
        _log.error("layout_failed", kind=type(error).__name__)
    gc.collect()
    gc.freeze()  # what is loaded stays; to search it for garbage would stop all answers for a while
    gc.set_threshold(20_000, 50, 100)  # an answer makes thousands of tuples that are soon gone
    uvicorn.run(app, host=host, port=port, access_log=False, server_header=False, log_level="warning")
