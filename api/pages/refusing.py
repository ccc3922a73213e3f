"""What a page says when something is not done: a form shown again with what to mend, or a page of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allocator.documents import DocumentError
from allocator.model import Problem
from allocator.ports import BusyError, CorruptError, StaleError, StorageError, TakenError, UncertainError
from allocator.service.errors import (
    ChangedError,
    ForbiddenError,
    KeyReusedError,
    MovedOnError,
    NotFoundError,
    RefusalError,
    ServiceError,
    VersionNeededError,
)
from allocator.service.login import LoginRefusedError, SignInNeededError
from allocator.texts import Catalog, catalog, expected
from api.errors import problem
from api.pages.forms import Form
from api.pages.language import chosen
from api.pages.rendering import answer, is_fragment
from api.refusals import RETRY_SECONDS, AnswerError, WrongError, reason

_log = structlog.get_logger("allocator.pages")

_CODES: dict[type[Exception], tuple[int, str]] = {
    NotFoundError: (404, "not-found"),
    ForbiddenError: (403, "not-allowed"),
    VersionNeededError: (412, "changed"),
    ChangedError: (412, "changed"),
    KeyReusedError: (409, "sent-before"),
    TakenError: (409, "taken"),
    StaleError: (409, "stale"),
    LoginRefusedError: (401, "login-refused"),
    UncertainError: (503, "uncertain-form"),
    BusyError: (503, "busy"),
    MovedOnError: (503, "busy"),
    CorruptError: (500, "corrupt"),
}

MENDABLE = (DocumentError, ServiceError, StorageError, LoginRefusedError)
"""What a form is shown again for. What somebody may not see or do gets a page of its own all the same."""


def told(words: Catalog, error: Exception) -> tuple[int, str, str]:
    """Return the status of a refusal, and its title and detail in words."""
    if isinstance(error, DocumentError) or (isinstance(error, RefusalError) and error.problems):
        return 422, words("problems.request.title"), words("problems.request.detail")
    if isinstance(error, RefusalError):
        return 409, words("problems.refused.title"), reason(words, error)
    if isinstance(error, AnswerError):
        status, code = error.status, error.code
    else:
        status, code = next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
    return status, words.template("problems", code, "title"), words.template("problems", code, "detail")


def shown_again(
    request: Request,
    form: Form,
    error: Exception,
    page: Callable[[Form, int], Response],
    needed: Iterable[str] = (),
) -> Response:
    """Return the page with its form again: nothing that was written is lost, and what to mend is said.

    Args:
        request: The request.
        form: The form as it was sent.
        error: Why it was not done.
        page: Makes the page, with the form and the status.
        needed: Fields that must be filled in. The reading of a record stops at the first that is not.

    Raises:
        NotFoundError: What it is about is not there, or not for them.
        ForbiddenError: They may not do it.
        Exception: Why it was not done, where that is also why there is no such page any more.
    """
    if isinstance(error, NotFoundError | ForbiddenError):
        raise error
    problems: tuple[Problem, ...] = ()
    if isinstance(error, DocumentError | RefusalError):
        problems = error.problems
    if problems:
        missing = [f"/{name}" for name in form.empty(needed)]
        problems = (
            *(one for one in problems if one.path.removeprefix("/body") not in missing),
            *(Problem(path=place, expected="this field") for place in missing),
        )
    words = catalog(chosen(request).value)
    status, title, detail = told(words, error)
    general = None if problems else f"{title}. {detail}"
    mended = form.mended(_once([_plainly(one, words) for one in problems]), general)
    try:
        answered = page(mended, status)
    except NotFoundError:
        if general is None:
            raise
        raise error from None  # there is no such page any more, and this is why
    if status == 503:  # noqa: PLR2004 - not available
        answered.headers["Retry-After"] = str(RETRY_SECONDS)
    return answered


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """Return faults without those of a whole that stand at its parts too."""
    places = [problem.path for problem in problems]
    return [one for one in problems if not any(place.startswith(f"{one.path}/") for place in places)]


_NEEDED = re.compile(r"this field|`(?P<field>[a-z_]+)` (for (a fact|an adopted|oral)|with a case)")
_ABOUT = re.compile(r"`(?P<field>[a-z_]+)` (?P<than>on or after|of at least)")
_THAN = {"on or after": "fields.order", "of at least": "fields.least"}


def _plainly(problem: Problem, words: Catalog) -> Problem:
    """Return a fault as it is said beside a field: at the field that it names, without names of fields."""
    needed, about = _NEEDED.match(problem.expected), _ABOUT.match(problem.expected)
    field = (needed or about or {"field": None})["field"]
    path = problem.path if field is None else f"{problem.path}/{field}"
    if needed is not None:
        return Problem(path=path, expected=words("fields.needed"))
    if about is not None:
        return Problem(path=path, expected=words(_THAN[about["than"]]))
    try:
        return Problem(path=path, expected=expected(problem, words.language))
    except KeyError:
        _log.error("expectation_without_words", template=problem.template or problem.expected)
        return problem


def install(pages: FastAPI) -> None:
    """Answer every refusal with a page."""

    @pages.exception_handler(SignInNeededError)
    async def sign_in(request: Request, _error: SignInNeededError) -> Response:
        if request.method in ("GET", "HEAD") and not is_fragment(request):
            here = request.url.path
            onward = "" if here == "/" else f"?to={quote(here, safe='')}"
            return RedirectResponse(f"/login{onward}", status_code=303)
        return _page(request, SignInNeededError())

    async def refused(request: Request, error: Exception) -> Response:
        return _page(request, error)

    for kind in (*_CODES, AnswerError, DocumentError, RefusalError):
        pages.add_exception_handler(kind, refused)

    @pages.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/api/"):
            return problem(error.status_code, str(error.detail).lower())
        code = {404: "not-found", 405: "not-allowed"}.get(error.status_code, "request-page")
        words = catalog(chosen(request).value)
        return _answered(
            request,
            error.status_code,
            words.template("problems", code, "title"),
            words.template("problems", code, "detail"),
        )


class Unexpected:
    """Answers what nobody foresaw with a page, and logs only the kind of error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            _log.error("unexpected_error", kind=type(error).__name__)
            request = Request(scope)
            words = catalog(chosen(request).value)
            title, detail = (words.template("problems", "unexpected", part) for part in ("title", "detail"))
            await _answered(request, 500, title, detail)(scope, receive, noted)


def _page(request: Request, error: Exception) -> Response:
    words = catalog(chosen(request).value)
    if isinstance(error, SignInNeededError):
        title = words.template("problems", "sign-in-needed", "title")
        code = "sign-in-kept" if is_fragment(request) else "sign-in-needed"
        return _answered(request, 401, title, words.template("problems", code, "detail"))
    status, title, detail = told(words, error)
    places: Sequence[Problem] = ()
    if isinstance(error, WrongError):  # nothing here can be filled in again
        detail, places = words.template("problems", "request-page", "detail"), error.problems
    answered = _answered(request, status, title, detail, [_plainly(one, words).expected for one in places])
    if isinstance(error, AnswerError):
        answered.headers.update(error.headers)
    if status == 503:  # noqa: PLR2004 - not available
        answered.headers["Retry-After"] = str(RETRY_SECONDS)
    return answered


def _answered(
    request: Request, status: int, title: str, detail: str, expected_there: Sequence[str] = ()
) -> Response:
    content = {
        "title": title,
        "detail": detail,
        "expected": expected_there,
        "status": status,
        "saved": None,
    }
    return answer(request, "error.html", content, status)
