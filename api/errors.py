"""Problem details (RFC 9457). They name the place and what is expected there, never what was sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Match

from allocator.documents import DocumentError
from allocator.engines import EngineError
from allocator.engines.crosscheck import DisagreementError
from allocator.explain import facts_sha256
from allocator.model import (
    Problem,
)

PROBLEM_JSON = "application/problem+json"

_log = structlog.get_logger("allocator.api")


def problem(
    status: int,
    title: str,
    detail: str | None = None,
    problems: tuple[Problem, ...] = (),
    code: str | None = None,
) -> JSONResponse:
    """Return a problem document."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if code is not None:
        body["code"] = code
    if detail is not None:
        body["detail"] = detail
    if problems:
        body["errors"] = [{"pointer": p.path, "expected": p.expected} for p in problems]
    return JSONResponse(body, status_code=status, media_type=PROBLEM_JSON)


class RefusedError(Exception):
    """A request that is understood and refused; becomes a problem document."""

    def __init__(self, status: int, title: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.problems = problems


def install(app: FastAPI) -> None:
    """Make every error of *app* a problem document."""

    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> JSONResponse:
        return problem(error.status, error.title, problems=error.problems)

    @app.exception_handler(DocumentError)
    async def document(_request: Request, error: DocumentError) -> JSONResponse:
        return problem(422, "the document is refused", problems=error.problems)

    @app.exception_handler(RequestValidationError)
    async def validation(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = tuple(
            Problem(path="/" + "/".join(str(part) for part in item["loc"]), expected=_expected(item))
            for item in error.errors()
        )
        return problem(422, "the request is refused", problems=found)

    @app.exception_handler(EngineError)
    async def engine(_request: Request, error: EngineError) -> JSONResponse:
        _log.error("engine_failed", reason=str(error))
        return problem(
            500, "the engine could not answer", "Nothing is shown rather than something wrong. Try again."
        )

    @app.exception_handler(DisagreementError)
    async def disagreement(request: Request, error: DisagreementError) -> JSONResponse:
        case = getattr(request.state, "case", None)
        _log.error(
            "engines_disagree",
            rules=error.rules,
            candidates=error.candidates,
            engines=dict(error.engines),
            policy_sha256=request.app.state.policy.sha256,
            facts_sha256=None if case is None else await run_in_threadpool(facts_sha256, case),
        )
        return problem(
            500,
            "two engines disagreed about this case",
            "Nothing is shown, since one of them is wrong and it is not known which. It is logged, "
            "and asking again does not help: tell those who run the service.",
        )

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail).lower())
        answer.headers.update(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            answer.headers["allow"] = ", ".join(_methods_at(request))
        return answer


def _methods_at(request: Request) -> list[str]:
    """Return every method that the address takes; a route knows only its own.

    An address that has a route of its own is not one of those that another route takes them all for.
    """
    found: dict[str, int] = {}
    for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"):
        scope = {**request.scope, "method": method, "path_params": {}}
        matched = [
            child for match, child in (r.matches(scope) for r in request.app.routes) if match is Match.FULL
        ]
        if matched:
            found[method] = min(len(child.get("path_params", ())) for child in matched)
    return [method for method, parts in found.items() if parts == min(found.values())]


def unexpected(error: Exception) -> JSONResponse:
    """Return the answer to what nobody foresaw. Only the kind of error is logged."""
    _log.error("unexpected_error", kind=type(error).__name__)
    return problem(500, "something went wrong", "It is logged without personal data.")


def _expected(item: dict[str, Any]) -> str:
    context = item.get("ctx", {})
    if "expected" in context:
        return f"one of: {context['expected']}".replace("'", "`")
    return {"missing": "this parameter"}.get(item["type"], "a value of the form that the schema gives")
