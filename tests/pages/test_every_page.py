"""Every page that anybody can come to by links: there, accessible, in three languages, and for them alone."""

from __future__ import annotations

import re

import pytest

from api import pages
from api.pages.assets import PLACE
from tests.pages.links import LOGINS, first_of_each_kind, walked
from tests.pages.pictures import FOLDER, name_of
from tests.pages.site import Browsers, Site
from tests.test_office_api import _routes

FOR_ALL = frozenset({"/login", "/setup", "/about", f"{PLACE}/{{digest}}/{{name}}"})
"""Pages that need no login."""


@pytest.mark.parametrize("login", LOGINS)
def test_every_link_leads_somewhere(shown: Site, login: str) -> None:
    """Nobody is shown a way to a page that is not for them."""
    assert "/" in walked(shown, login)


def test_every_kind_of_page_is_accessible(shown: Site, browsers: Browsers) -> None:
    """Panels open, at each width, each in another language; for the first role that comes there."""
    first = first_of_each_kind(shown)
    assert len(first) > 25
    wrong: list[str] = []
    for width, language in ((1440, "nb"), (390, "nn"), (320, "en")):
        for login in (None, *LOGINS):
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
    assert not wrong, "\n".join(wrong)


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


def test_every_kind_of_page_has_its_picture(shown: Site) -> None:
    """`make pictures` takes them; a new page that nobody has looked at is missed here."""
    taken = {path.stem.rpartition("-")[0] for path in FOLDER.glob("*.webp")}

    assert taken == {name_of(kind) for kind in first_of_each_kind(shown)}
