"""The application: the only place where parts are put together."""

from __future__ import annotations

import contextlib
import gc
import logging
import secrets
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from functools import cache
from typing import Any

import orjson
import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import Counter, Histogram
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allocator import __version__
from allocator.audit.checkpoints import Kept
from allocator.audit.verify import verify_database
from allocator.model import (
    Snapshot,
)
from allocator.policy import Policy
from allocator.ports import Clock
from allocator.service.desk import Desk
from allocator.service.journal import Journal, Proof
from allocator.service.login import Logins
from allocator.store.engine import Connections
from allocator.store.repository import SqlStorage
from api import description, engines, errors, login, pages, refusals
from api.auth import TOKEN_VARIABLE, WeakTokenError, checked_token
from api.metrics import REQUESTS, SECONDS
from api.office import Office
from api.pages import assets
from api.routes import case, log, operations, papers, policy, questions, rankings, records, reports
from api.schemas import RankingQuestion, ShortlistQuestion, SuggestionsQuestion

__all__ = ["TOKEN_VARIABLE", "WeakTokenError", "create_app", "create_office", "run"]

Header = tuple[bytes, bytes]

API = "/api/v1"
"""Where the API begins."""

MAX_BODY = 16 * 1024 * 1024
"""Largest request body, in bytes."""

GRACE_SECONDS = 15
"""So long may requests that have begun take when the service is stopped."""

KEPT_OPEN_SECONDS = 75
"""So long a connection stays open without a request: longer than a proxy in front keeps it (nginx: 60).

Else one may be closed just as the next request is sent on it.
"""

_MAX_DIGITS = 18
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

_SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SECURITY_NAMES = frozenset(name for name, _ in _SECURITY_HEADERS)

_PAGE_HEADERS = (
    *(pair for pair in _SECURITY_HEADERS if pair[0] not in (b"content-security-policy", b"referrer-policy")),
    (b"referrer-policy", b"same-origin"),  # without any, browsers do not say where a form comes from either
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
            b"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
)

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
    app = _new_app()
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


def create_office(
    connections: Connections,
    clock: Clock,
    used: Policy,
    *,
    token: str | None = None,
    demo: bool = False,
    logins: Logins | None = None,
    case: Snapshot | None = None,
    kept: Kept | None = None,
) -> FastAPI:
    """Return the application for an office: stored records, use cases and logins.

    Systems with a token can still ask about a case that they send; none is loaded.

    Args:
        connections: The database, migrated.
        clock: What time it is.
        used: The policy that questions of systems are answered with.
        token: The secret of calling systems; without it there are none.
        demo: Let everyone log in as anyone. For invented data only.
        logins: Who is logged in, if the usual hashing will not do.
        case: In a demonstration, the case that questions without one of their own are about; anyone may ask.
        kept: Signed checkpoints that the record is compared with when somebody has it verified.

    Raises:
        WeakTokenError: The token is too short.
    """
    desk = Desk(SqlStorage(connections), clock) if logins is None else logins.desk

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        connections.engine.dispose()

    app = _new_app(lifespan=lifespan, redirect_slashes=False)
    app.state.case = Snapshot(as_of=clock.today()) if case is None else case
    app.state.policy = used
    if demo and case is not None:
        app.state.token = None
    else:
        app.state.token = secrets.token_urlsafe() if token is None else checked_token(token)
    journal = Journal(desk, lambda: _proof(connections, kept))
    app.state.office = Office(connections, desk, logins or Logins(desk), journal, demo)
    errors.install(app)
    refusals.install(app)
    engines.install()
    rankings.install(app)
    login.install(app, demo=demo)
    log.install(app)
    records.install(app)
    reports.install(app)
    papers.install(app)
    for module in (questions, rankings, policy):
        app.include_router(module.router, prefix=API)
    app.include_router(operations.router)
    app.router.default = pages.create(app.state.office)  # mounted, they would take wrong methods too
    app.add_middleware(_Watched, more=((b"x-demo", b"true"),) if demo else ())
    app.openapi = lambda: _openapi_of_office(app)  # type: ignore[method-assign]
    return app


def _proof(connections: Connections, kept: Kept | None) -> Proof:
    """Return what is wrong with the whole record, as it stands now."""
    report = verify_database(connections, kept)
    newest = None if kept is None or not report.checkpoints else kept.newest()
    return Proof(tuple(sorted(report.counts)), None if newest is None else newest.at)


def _new_app(**more: Any) -> FastAPI:
    return FastAPI(
        title="allocator",
        version=__version__,
        summary="Decision support for allocating supported housing. It advises; people decide.",
        openapi_url="/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        **more,
    )


class _Watched:
    """Refuse large bodies, add security headers, and log every access without what it was about.

    Written against ASGI itself: answers pass through as they are, in no task of their own.
    """

    def __init__(self, app: ASGIApp, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.app = app
        self._more = more

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
                message = {**message, "headers": [*self._guarding(scope["path"], message.get("headers", ()))]}
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

    def _guarding(self, path: str, given: Collection[Header]) -> Iterator[Header]:
        """Yield the headers of an answer with those that guard it; browsers keep nothing but our files."""
        kept = path.startswith(f"{assets.PLACE}/") and (b"cache-control", assets.FOR_EVER.encode()) in given
        page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in given)
        own = _SECURITY_NAMES - {b"cache-control"} if kept else _SECURITY_NAMES
        yield from (pair for pair in given if pair[0] not in own)
        yield from (pair for pair in (_PAGE_HEADERS if page else _SECURITY_HEADERS) if pair[0] in own)
        yield from self._more


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
        _tell_refusals(described)
        app.openapi_schema = described
    return app.openapi_schema


def _tell_refusals(described: Mapping[str, Any]) -> None:
    """Say of every refusal that it is a problem document; the framework describes its own instead."""
    for item in described["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer["content"] = description.PROBLEM["content"]
    for name in ("HTTPValidationError", "ValidationError"):
        described["components"]["schemas"].pop(name, None)


def _openapi_of_office(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        described = _openapi(app)
        models: list[tuple[type[BaseModel], Any]] = [(kind, "validation") for kind in login.ASKED]
        models += [(kind, "serialization") for kind in (*login.ANSWERED, *log.ANSWERED)]
        _, found = models_json_schema(models, ref_template=description.REFS + "{model}")
        components = described["components"]
        for more in (description.definitions(), found["$defs"]):
            _merge(components["schemas"], more)
        components["securitySchemes"] |= description.SECURITY_SCHEMES
    assert app.openapi_schema is not None
    return app.openapi_schema


def _merge(schemas: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add schemas; no two things may go by one name."""
    for name, schema in more.items():
        if schemas.setdefault(name, schema) != schema:
            raise AssertionError(f"two schemas are called {name}")


def run(app: FastAPI, *, host: str, port: int, proxy: str | None = None) -> None:
    """Serve until stopped. Logs are lines of JSON on standard error, without personal data.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port.
        proxy: Address of the proxy whose word on the caller's address and scheme is taken; nobody else's is.
    """
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
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_level="warning",
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy or "",
        timeout_keep_alive=KEPT_OPEN_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
