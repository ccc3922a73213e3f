"""Which pages there are, for whom: all that can be come to by links, and which of them are of one kind."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from functools import cache

from fastapi.routing import APIRoute
from starlette.routing import Match

from api.pages import TOPICS
from fixtures.demo_office import ACCOUNTS
from tests.pages.site import Site

NOT_FOLLOWED = re.compile(r"^/(api|static|tour)/|/package$")
"""What a page links to that is no page."""

LOGINS = tuple(login for login, *_ in ACCOUNTS)
"""Everybody in the demo office."""

EACH = 3
"""So many pages of a kind are looked at for each person."""

_GET = [route for topic in TOPICS for route in topic.router.routes if isinstance(route, APIRoute)]


def route_of(path: str) -> str:
    """Return the route of a page, the same for all pages of a kind."""
    scope = {"type": "http", "method": "GET", "path": path.partition("?")[0]}
    return next((route.path for route in _GET if route.matches(scope)[0] is Match.FULL), path)


@cache
def walked(site: Site, login: str) -> Mapping[str, list[str]]:
    """Return every page that somebody comes to, by route; a link that leads nowhere fails."""
    found: dict[str, list[str]] = {}
    seen, ahead = {"/"}, deque(["/"])
    with site.client(login) as client:
        while ahead:
            path = ahead.popleft()
            route = route_of(path)
            if len(found.get(route, ())) >= EACH:
                continue
            page = client.get(path)
            assert page.status_code == 200, (login, path, page.status_code)
            if page.headers["content-type"] == "application/pdf":
                continue
            assert page.headers["content-type"].startswith("text/html"), (login, path)
            found.setdefault(route, []).append(path)
            for link in re.findall(r'href="(/[^"#]*)', page.text):
                address = link.replace("&amp;", "&")
                if address not in seen and not NOT_FOLLOWED.search(address):
                    seen.add(address)
                    ahead.append(address)
    return found


def first_of_each_kind(site: Site) -> dict[str, tuple[str | None, str]]:
    """Return a page of each kind, and the first person who comes to one; nobody, for where they log in."""
    first: dict[str, tuple[str | None, str]] = {"/login": (None, "/login")}
    for login in LOGINS:
        for kind, paths in walked(site, login).items():
            first.setdefault(kind, (login, paths[0]))
    return first
