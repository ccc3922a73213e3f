"""Who may call. Everything is denied but to a caller with the token; in demo mode there is none.

A login for people, with roles, comes with the stored cases.
"""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import RefusedError

TOKEN_VARIABLE = "ALLOCATOR_API_TOKEN"  # noqa: S105 - the name of a variable, not a secret
MIN_TOKEN_LENGTH = 32


class WeakTokenError(ValueError):
    """There is no token, or it is too short to be one."""


def checked_token(token: str | None) -> str:
    """Return the token if it is fit to be one.

    Raises:
        WeakTokenError: It is missing or short; there is no default.
    """
    if token is None or len(token) < MIN_TOKEN_LENGTH:
        raise WeakTokenError(f"a secret of at least {MIN_TOKEN_LENGTH} characters, set in the environment")
    return token


_bearer = HTTPBearer(auto_error=False, description="The token of the calling system.")


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str:
    """Return who calls: ``demo`` or ``system``.

    Raises:
        RefusedError: Nobody that we know.
    """
    expected: str | None = request.app.state.token
    if expected is None:
        request.state.caller = "demo"
        return "demo"
    given = "" if credentials is None else credentials.credentials
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise RefusedError(401, "a valid bearer token is needed")
    request.state.caller = "system"
    return "system"
