"""Refusals of the office in words: each has a stable code, and its words in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from allocator.documents import DocumentError
from allocator.model import Problem
from allocator.ports import BusyError, CorruptError, StaleError, TakenError, UncertainError
from allocator.service.errors import (
    ChangedError,
    ForbiddenError,
    KeyReusedError,
    MovedOnError,
    NotFoundError,
    RefusalError,
    VersionNeededError,
)
from allocator.service.login import LoginRefusedError, SignInNeededError
from allocator.texts import Catalog, Language, catalog, expected
from api.errors import problem

RETRY_SECONDS = 2
"""After so long it makes sense to ask again."""

_log = structlog.get_logger("allocator.api")


class AnswerError(Exception):
    """What a request of the office is refused with before any use case is asked.

    Attributes:
        status: The status.
        code: Its words are under ``problems``.
        problems: Places in the request.
        headers: To send with the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        problems: tuple[Problem, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.problems, self.headers = status, code, problems, dict(headers or {})


class WrongError(AnswerError):
    """A request that must be mended at some places."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(422, "request", problems)


def words(request: Request) -> Catalog:
    """Return the sentences in the language that is preferred among ours; bokmål if none is."""
    best, chosen = 0.0, Language.NB
    for part in request.headers.get("accept-language", "")[:200].split(","):
        name, _, weight = part.partition(";q=")
        code = {"no": "nb"}.get(name.strip().lower()[:2], name.strip().lower()[:2])
        try:
            rank = float(weight) if weight else 1.0
        except ValueError:
            continue
        if code in set(Language) and best < rank <= 1:
            best, chosen = rank, Language(code)
    return catalog(chosen.value)


def answered(
    request: Request,
    status: int,
    code: str,
    problems: tuple[Problem, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the problem document of a code."""
    said = words(request)
    title, detail = said.template("problems", code, "title"), said.template("problems", code, "detail")
    told = tuple(_told(wrong, said.language) for wrong in problems)
    answer = problem(status, title, detail, told, code)
    answer.headers["content-language"] = said.language.value
    answer.headers.update(headers or {})
    return answer


def _told(wrong: Problem, language: Language) -> Problem:
    """Return what is wrong with a request as it is told in a language."""
    try:
        return Problem(path=wrong.path, expected=expected(wrong, language))
    except KeyError:
        _log.error("expectation_without_words", template=wrong.template or wrong.expected)
        return wrong


_PLAIN: Mapping[type[Exception], tuple[int, str]] = {
    NotFoundError: (404, "not-found"),
    ForbiddenError: (403, "not-allowed"),
    VersionNeededError: (428, "version-needed"),
    KeyReusedError: (422, "key-reused"),
    TakenError: (409, "taken"),
    StaleError: (409, "stale"),
    LoginRefusedError: (401, "login-refused"),
    SignInNeededError: (401, "sign-in-needed"),
}


def reason(said: Catalog, error: RefusalError) -> str:
    """Return why something is refused, in words; a rule is called what it is called everywhere."""
    if said.has("refusals", error.code):
        values = {
            name: said.rule(value, "title") if name == "rule" else value
            for name, value in error.values.items()
        }
        try:
            return said(f"refusals.{error.code}", **values)
        except KeyError:
            _log.error("refusal_without_words", code=error.code)
    return said.template("problems", "refused", "detail")


def install(app: FastAPI) -> None:
    """Answer every refusal of services and storage with a problem document."""

    async def plain(request: Request, error: Exception) -> JSONResponse:
        status, code = _PLAIN[type(error)]
        return answered(request, status, code)

    for kind in _PLAIN:
        app.add_exception_handler(kind, plain)

    @app.exception_handler(AnswerError)
    async def refused(request: Request, error: AnswerError) -> JSONResponse:
        return answered(request, error.status, error.code, error.problems, error.headers)

    @app.exception_handler(DocumentError)
    async def document(request: Request, error: DocumentError) -> JSONResponse:
        return answered(request, 422, "request", error.problems)

    @app.exception_handler(RefusalError)
    async def refusal(request: Request, error: RefusalError) -> JSONResponse:
        if error.problems:
            return answered(request, 422, "request", error.problems)
        said = words(request)
        title, detail = said.template("problems", "refused", "title"), reason(said, error)
        answer = problem(409, title, detail, code=error.code)
        answer.headers["content-language"] = said.language.value
        return answer

    @app.exception_handler(ChangedError)
    async def changed(request: Request, error: ChangedError) -> JSONResponse:
        return answered(request, 412, "changed", headers={"ETag": etag(error.version)})

    @app.exception_handler(BusyError)
    async def busy(request: Request, error: BusyError) -> JSONResponse:
        code = "uncertain" if isinstance(error, UncertainError) else "busy"
        _log.warning("storage_busy", code=code)
        return answered(request, 503, code, headers={"Retry-After": str(RETRY_SECONDS)})

    @app.exception_handler(MovedOnError)
    async def moved_on(request: Request, _error: MovedOnError) -> JSONResponse:
        return answered(request, 503, "busy", headers={"Retry-After": str(RETRY_SECONDS)})

    @app.exception_handler(CorruptError)
    async def corrupt(request: Request, _error: CorruptError) -> JSONResponse:
        _log.error("storage_corrupt")
        return answered(request, 500, "corrupt")


def etag(version: int) -> str:
    """Return the entity tag of a version of a record."""
    return f'"{version}"'
