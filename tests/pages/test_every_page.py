"""Every page that anybody can come to by links: there, accessible, in three languages, and for them alone."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from functools import cache

import pytest

from api import pages
from api.pages.assets import PLACE
from fixtures.demo_office import ACCOUNTS
from tests.pages.links import NOT_FOLLOWED, route_of
from tests.pages.site import Browsers, Site
from tests.test_office_api import _routes

LOGINS = tuple(login for login, *_ in ACCOUNTS)

FOR_ALL = frozenset({"/login", "/setup", "/about", f"{PLACE}/{{digest}}/{{name}}"})
"""Pages that need no login."""

EACH = 3
"""So many pages of a route are looked at for each person."""


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


@pytest.mark.parametrize("login", LOGINS)
def test_every_link_leads_somewhere(shown: Site, login: str) -> None:
    """Nobody is shown a way to a page that is not for them."""
    assert "/" in walked(shown, login)


def test_every_kind_of_page_is_accessible(shown: Site, browsers: Browsers) -> None:
    """Panels open, at each width, each in another language; for the first role that comes there."""
    first: dict[str, tuple[str, str]] = {}
    for login in LOGINS:
        for route, paths in walked(shown, login).items():
            first.setdefault(route, (login, paths[0]))
    assert len(first) > 25
    wrong: list[str] = []
    for width, language in ((1440, "nb"), (390, "nn"), (320, "en")):
        for login in LOGINS:
            window = browsers.window(shown, login, width=width, language=language)
            for path in (path for who, path in first.values() if who == login):
                window.go(path)
                window.open_all()
                wrong += [f"{path} {width} {language}: {one}" for one in window.axe()]
                if window.sideways() > 0:
                    wrong.append(f"{path} {width} {language}: wider than its window")
            window.context.close()
            browsers.windows.remove(window)
            assert window.problems == []
    assert wrong == []


def test_every_page_needs_a_login_but_those_that_say_what_this_is(shown: Site) -> None:
    """A new page that is open to all must be named here."""
    application = pages.create(shown.app.state.office)
    routes = _routes(application)
    assert len(routes) > 60
    with shown.client() as nobody:
        for method, route in routes:
            if route in FOR_ALL or route in ("/demo-login", "/language"):
                continue
            path = re.sub(r"\{[^}]*\}", "x", route)
            if method == "GET":
                answer = nobody.get(path)
                assert answer.status_code == 303, route
                assert answer.headers["location"].startswith("/login"), route
            elif method == "POST":
                assert nobody.post(path).status_code == 401, route


def test_pages_are_never_kept_and_say_nothing_of_who_reads(shown: Site) -> None:
    """No name of a colleague's login in an address, no page in a cache."""
    for login in ("committee_secretary", "scheme_staff"):
        with shown.client(login) as client:
            for paths in walked(shown, login).values():
                answer = client.get(paths[0])
                assert answer.headers["cache-control"] == "no-store"
                assert "unsafe" not in answer.headers["content-security-policy"]
