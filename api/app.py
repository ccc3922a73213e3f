"""The application: the only place where parts are put together."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from allocator import __version__
from allocator.model import (
    Snapshot,
)
from allocator.policy import Policy
from api import errors
from api.auth import TOKEN_VARIABLE, WeakTokenError, checked_token
from api.metrics import REQUESTS, SECONDS
from api.routes import case, operations, policy, questions
from api.schemas import ShortlistQuestion, SuggestionsQuestion

__all__ = ["TOKEN_VARIABLE", "WeakTokenError", "create_app", "run"]

API = "/api/v1"
"""Where the API begins."""

MAX_BODY = 16 * 1024 * 1024
"""Largest request body, in bytes."""

_SECURITY_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}

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
    for module in (questions, case, policy):
        app.include_router(module.router, prefix=API)
    app.include_router(operations.router)
    app.middleware("http")(_watched)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


async def _watched(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse large bodies, add security headers, and log every access without what it was about."""
    started = time.perf_counter()
    if _too_large(request):
        response: Response = errors.problem(413, "the body is too large", f"At most {MAX_BODY} bytes.")
    else:
        try:
            response = await call(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered and logged without its message
            response = errors.unexpected(error)
    response.headers.update(_SECURITY_HEADERS)
    route = _route(request)
    method = request.method if request.method in _METHODS else "OTHER"
    seconds = time.perf_counter() - started
    REQUESTS.labels(method, route, str(response.status_code)).inc()
    SECONDS.labels(route).observe(seconds)
    _log.info(
        "access",
        method=method,
        route=route,
        status=response.status_code,
        caller=getattr(request.state, "caller", "nobody"),
        reader=getattr(request.state, "reader", None),
        milliseconds=round(seconds * 1000),
    )
    return response


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _route(request: Request) -> str:
    """Return the route as it is declared; no path of ours has parameters that are about anyone."""
    path = getattr(request.scope.get("route"), "path", None)
    if path is None:
        return "unknown"
    mounted = request.url.path.startswith(API) and not path.startswith(API)
    return f"{API}{path}" if mounted else str(path)


def _too_large(request: Request) -> bool:
    """Return whether the body is larger than allowed, or does not say how large it is."""
    if request.method not in ("POST", "PUT", "PATCH"):
        return False
    length = request.headers.get("content-length", "")
    return not length.isdecimal() or int(length) > MAX_BODY


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        _, definitions = models_json_schema(
            [(SuggestionsQuestion, "validation"), (ShortlistQuestion, "validation")],
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
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    uvicorn.run(app, host=host, port=port, access_log=False, server_header=False, log_level="warning")
