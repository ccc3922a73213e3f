"""The policy in use and its handbook."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import PlainTextResponse

from allocator.handbook import handbook, handbook_sha256
from allocator.policy import Policy
from api.auth import caller
from api.schemas import LanguageName, PolicyRef, ProblemOut

router = APIRouter(
    tags=["policy"],
    dependencies=[Depends(caller)],
    responses={401: {"model": ProblemOut, "description": "No valid token."}},
)


@router.get("/policy", summary="The policy in use")
def policy(request: Request) -> PolicyRef:
    """Return the name, version and hash of the policy in use."""
    used: Policy = request.app.state.policy
    return PolicyRef(name=used.name, version=used.version, sha256=used.sha256)


@router.get("/handbook", summary="The rule handbook", response_class=PlainTextResponse)
def rules(request: Request, language: Annotated[LanguageName, Query()] = "nb") -> PlainTextResponse:
    """Return every rule in words, as Markdown."""
    used: Policy = request.app.state.policy
    return PlainTextResponse(
        handbook(used, language),
        media_type="text/markdown",
        headers={"ETag": f'"{handbook_sha256(used)}-{language}"'},
    )
