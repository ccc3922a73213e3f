"""An office that is asked over HTTP, as by the browsers of people in its roles."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Collection, Mapping
from contextvars import copy_context
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import anyio.to_thread
import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.offices import Account
from allocator.casework.records import Kind
from allocator.policy import Policy
from allocator.service.login import Logins
from api.app import create_office
from api.office import COOKIE
from tests.office import Office

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes quickly, for tests only."""

ROOT = Path(__file__).parent.parent

T = TypeVar("T")


@cache
def default_policy() -> Policy:
    """Return the default policy."""
    return Policy.from_toml((ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8"))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop on which all sites here answer, one request at a time."""
    made = asyncio.new_event_loop()
    atexit.register(made.close)
    return made


async def _here(work: Callable[..., T], *args: Any, **_: Any) -> T:
    """Do at once what a server with many visitors has a thread for; starting one costs more than the work."""
    return copy_context().run(work, *args)


class Served(Office):
    """An office that answers over HTTP.

    Args:
        backend: ``sqlite`` or ``postgresql``.
        demo: Whether everyone may log in as anyone.
    """

    def __init__(self, backend: str = "sqlite", *, demo: bool = False) -> None:
        super().__init__(backend)
        self.logins = Logins(self.desk, QUICK)
        self.app = create_office(
            self.connections, self.clock, default_policy(), demo=demo, logins=self.logins
        )

    def browser(self) -> Browser:
        """Return a browser in which nobody is logged in."""
        return Browser(self.app)

    def as_somebody(
        self,
        role: Role,
        *schemes: str,
        cleared: Collection[Clearance] = (),
        purpose: Purpose | None = Purpose.CASEWORK,
        login: str | None = None,
    ) -> Browser:
        """Return a browser in which somebody with a role is logged in."""
        actor = self.somebody(role, *schemes, cleared=cleared, login=login)
        with self.storage.write() as tx:
            opened = self.logins._begin(tx, self.now(Account, actor.account), self.clock.now())
        browser = self.browser()
        browser.cookies[COOKIE], browser.csrf = opened.token, opened.session.csrf
        browser.purpose = purpose
        return browser

    def secret(self, login: str, secret: str) -> None:
        """Give an account a secret, and forget failures to log in with it."""
        from allocator.ports import Secret  # noqa: PLC0415 - beside its one use

        with self.storage.write() as tx:
            tx.logins.keep(Secret(login, QUICK.hash(secret), self.clock.now()))


class Browser:
    """A browser at one site: it keeps cookies, and its pages know the session's token.

    Args:
        app: The site.
    """

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.cookies: dict[str, str] = {}
        self.csrf: str | None = None
        self.purpose: Purpose | None = None

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str | bytes] | None = None, **rest: Any
    ) -> httpx.Response:
        """Return the answer to one request."""
        given: dict[str, str | bytes] = dict(headers or {})
        if self.cookies:
            given.setdefault("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if self.csrf is not None and method != "GET":
            given.setdefault("X-CSRF-Token", self.csrf)
        if self.purpose is not None:
            given.setdefault("X-Purpose", self.purpose.value)
        if method == "POST" and not {"json", "content"} & set(rest):
            rest["content"] = b""
        url = httpx.URL(f"https://office.test{path if path[:1] == '/' else f'/api/v1/{path}'}")
        sent = [(k.encode(), v if isinstance(v, bytes) else v.encode()) for k, v in given.items()]
        with patch.object(anyio.to_thread, "run_sync", _here):
            answer = _loop().run_until_complete(self._ask(httpx.Request(method, url, headers=sent, **rest)))
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        if answer.status_code == 200 and answer.headers.get("set-cookie"):
            self.csrf = answer.json()["csrf"]
        return answer

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        answer = await transport.handle_async_request(request)
        answer.request = request
        await answer.aread()
        return answer

    def get(self, path: str, **rest: Any) -> httpx.Response:
        """Look at something."""
        return self.ask("GET", path, **rest)

    def post(self, path: str, content: Any = None, version: int | None = None, **rest: Any) -> httpx.Response:
        """Do something; on a record at a version."""
        headers = dict(rest.pop("headers", {}))
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.ask("POST", path, json={} if content is None else content, headers=headers, **rest)

    def log_in(self, login: str, secret: str) -> httpx.Response:
        """Try to log in."""
        return self.post("login", {"login": login, "secret": secret})


def problem(response: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """Return the problem document that an answer must be."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["status"] == status
    assert content["title"]
    assert set(content) <= {"type", "title", "status", "code", "detail", "errors"}
    if code is not None:
        assert content["code"] == code
    return content


__all__ = ["QUICK", "Browser", "Kind", "Served", "default_policy", "problem"]
