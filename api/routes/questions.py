"""Questions: rank units for an applicant, or applicants for a unit."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from allocator.disclosure import Reader
from allocator.documents import DocumentError, faults, parse_json, read_case
from allocator.explain import NotForApplicantsError, document
from allocator.model import (
    Problem,
    Snapshot,
)
from allocator.scoring import Suggestions, shortlist, suggest
from api.auth import caller
from api.errors import RefusedError
from api.metrics import ANSWERS
from api.schemas import Answer, ProblemOut, Question, ShortlistQuestion, SuggestionsQuestion

router = APIRouter(tags=["questions"], dependencies=[Depends(caller)])

Q = TypeVar("Q", bound=Question)
P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 16
"""Questions that are being decided at once. The others wait without a thread, so that however long an engine
takes there are threads for everything else."""

_deciding: RunVar[CapacityLimiter] = RunVar("deciding")


def _room() -> CapacityLimiter:
    """Return what limits the questions of this event loop: a limiter belongs to one."""
    try:
        return _deciding.get()
    except LookupError:
        _deciding.set(CapacityLimiter(AT_ONCE))
        return _deciding.get()


async def _decided(decide: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what asks an engine in a thread that is set apart for it."""
    return await to_thread.run_sync(partial(decide, *args, **kwargs), limiter=_room())


def _body(kind: type[Question]) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemOut, "description": "No valid token."},
    404: {"model": ProblemOut, "description": "No such applicant or unit in the case."},
    413: {"model": ProblemOut, "description": "The body is too large."},
    422: {"model": ProblemOut, "description": "The document is refused; all its faults are given."},
    500: {
        "model": ProblemOut,
        "description": "The engine could not answer, or two engines disagreed; nothing is shown.",
    },
}


async def _ask(request: Request, kind: type[Q]) -> tuple[Q, Snapshot]:
    """Return the question in the request's body, and the case it is about, which the request then knows."""
    content = await run_in_threadpool(parse_json, await request.body())
    case = content.pop("case", None) if isinstance(content, dict) else None
    try:
        question = kind.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise DocumentError(tuple(faults(error))) from None
    if case is None:
        request.state.case = request.app.state.case
        return question, request.state.case
    try:
        request.state.case = await run_in_threadpool(read_case, json.dumps(case).encode())
    except DocumentError as error:
        raise DocumentError(
            tuple(p.model_copy(update={"path": f"/case{p.path}"}) for p in error.problems)
        ) from None
    return question, request.state.case


async def _answer(request: Request, question: Question, answer: Suggestions) -> JSONResponse:
    request.state.reader = question.reader
    try:
        body = await _decided(document, answer, Reader(question.reader), question.language, question.compare)
    except KeyError:
        raise RefusedError(404, "what is to be compared is not in the answer") from None
    except NotForApplicantsError:
        about = Problem(path="/reader", expected="`committee` or `staff`: a shortlist is about others")
        raise RefusedError(422, "the question is refused", (about,)) from None
    ANSWERS.labels(question.engine, question.reader).inc()
    return JSONResponse(body)


@router.post(
    "/suggestions",
    summary="Rank the units that are not lived in for an applicant",
    responses={200: {"model": Answer}, **_PROBLEMS},
    openapi_extra=_body(SuggestionsQuestion),
)
async def suggestions(request: Request) -> JSONResponse:
    """Answer with verdicts, points and sentences for the reader asked for."""
    question, case = await _ask(request, SuggestionsQuestion)
    if question.applicant not in {applicant.id for applicant in case.applicants}:
        raise RefusedError(404, "no such applicant in the case")
    answer = await _decided(suggest, case, request.app.state.policy, question.applicant, question.engine)
    return await _answer(request, question, answer)


@router.post(
    "/shortlists",
    summary="Rank the applicants for a unit",
    responses={200: {"model": Answer}, **_PROBLEMS},
    openapi_extra=_body(ShortlistQuestion),
)
async def shortlists(request: Request) -> JSONResponse:
    """Answer with verdicts, points and sentences for the reader asked for."""
    question, case = await _ask(request, ShortlistQuestion)
    if question.unit not in {unit.id for scheme in case.schemes for unit in scheme.units}:
        raise RefusedError(404, "no such unit in the case")
    answer = await _decided(shortlist, case, request.app.state.policy, question.unit, question.engine)
    return await _answer(request, question, answer)
