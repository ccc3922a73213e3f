"""What the routes of the office share: the desk, who is logged in, and how a request is read."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from fastapi import Depends, Request
from pydantic import ValidationError

from allocator.access.authorizer import Actor
from allocator.casework.codes import Purpose
from allocator.documents import DocumentError, faults, parse_json
from allocator.model import Record, expecting
from allocator.ports import Session
from allocator.service.desk import Desk
from allocator.service.journal import Journal
from allocator.service.login import Logins, SignInNeededError, same
from allocator.store.engine import Connections
from api.refusals import AnswerError, WrongError

COOKIE = "__Host-allocator"
CSRF_HEADER = "X-CSRF-Token"
PURPOSE_HEADER = "X-Purpose"

SAFE_METHODS = frozenset({"GET", "HEAD"})

LISTED_MOST = 5000
LISTED_WITHIN = timedelta(minutes=10)
"""So many records can one account have listed within that time; nobody reads more, but programs do."""

R = TypeVar("R", bound=Record)


class Listed:
    """Counts the records that each account has had listed of late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, deque[tuple[datetime, int]]] = {}

    def check(self, account: str, now: datetime) -> None:
        """Refuse to list more for an account that has had very much already.

        Raises:
            AnswerError: It must wait.
        """
        with self._lock:
            shown = self._of.get(account, deque())
            while shown and shown[0][0] <= now - LISTED_WITHIN:
                shown.popleft()
            if sum(count for _, count in shown) >= LISTED_MOST:
                wait = shown[0][0] + LISTED_WITHIN - now
                headers = {"Retry-After": str(int(wait.total_seconds()) + 1)}
                raise AnswerError(429, "too-many", headers=headers)

    def add(self, account: str, now: datetime, count: int) -> None:
        """Count records that were listed."""
        with self._lock:
            self._of.setdefault(account, deque()).append((now, count))


@dataclass
class Office:
    """A municipality's office as the API has it.

    Attributes:
        connections: The database.
        desk: The use cases.
        logins: Who is logged in.
        journal: The log.
        demo: Whether everyone may log in as anyone; for invented data only.
        listed: What has been listed for whom.
        seal: Closes places in the log, whose numbers would tell how much is left out.
    """

    connections: Connections
    desk: Desk
    logins: Logins
    journal: Journal
    demo: bool = False
    listed: Listed = field(default_factory=Listed)
    seal: Fernet = field(default_factory=lambda: Fernet(Fernet.generate_key()))


@dataclass(frozen=True)
class Signed:
    """Who is logged in, with what they may today and why they look."""

    session: Session
    actor: Actor


def office_of(request: Request) -> Office:
    """Return the office of the application."""
    office: Office = request.app.state.office
    return office


def signed_in(request: Request) -> Signed:
    """Return who is logged in; their roles are read anew each time.

    Raises:
        SignInNeededError: Nobody, or the login has ended.
        AnswerError: A change that does not come from a page of ours.
    """
    office = office_of(request)
    session = office.logins.session(request.cookies.get(COOKIE, ""))
    if request.method not in SAFE_METHODS:
        from_here(request)
        if not same(request.headers.get(CSRF_HEADER, ""), session.csrf):
            raise AnswerError(403, "not-from-here")
    actor = office.desk.actor(session.account, purpose_of(request))
    if actor is None:
        raise SignInNeededError
    request.state.caller = "person"
    return Signed(session, actor)


def from_here(request: Request) -> None:
    """Refuse what another site has made a browser send.

    Raises:
        AnswerError: It says so itself.
    """
    origin = request.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if elsewhere or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise AnswerError(403, "not-from-here")


def purpose_of(request: Request) -> Purpose | None:
    """Return why somebody looks, as they say.

    Raises:
        WrongError: It is none of the purposes.
    """
    said = request.headers.get(PURPOSE_HEADER)
    if said is None:
        return None
    if said not in set(Purpose):
        options = ", ".join(f"`{purpose}`" for purpose in Purpose)
        raise WrongError(expecting(f"/header/{PURPOSE_HEADER}", "one of: {options}", options=options))
    return Purpose(said)


async def body_of(request: Request) -> bytes:
    """Return the body of a request; none is an empty object.

    Raises:
        AnswerError: It is not JSON.
    """
    body = await request.body()
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise AnswerError(415, "media-type")
    return body or b"{}"


def read(kind: type[R], body: bytes, names: frozenset[str] = frozenset()) -> R:
    """Return what a body says.

    Args:
        kind: What it should say.
        body: The body.
        names: Fields that may be named in a fault.

    Raises:
        DocumentError: It says something else; all its faults are given.
    """
    parse_json(body)
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise DocumentError(tuple(faults(error, names | frozenset(kind.model_fields)))) from None


SignedIn = Annotated[Signed, Depends(signed_in)]
BodyOf = Annotated[bytes, Depends(body_of)]
