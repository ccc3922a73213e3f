"""Every page that anybody can come to by links: there, accessible, in three languages, and for them alone.

With `ALLOCATOR_AXE=all` each is looked at in each language; else in one of them in turn.
"""

from __future__ import annotations

import os
import re

import pytest

from api import pages
from api.pages.assets import PLACE
from tests.pages.links import LOGINS, first_of_each_kind, walked
from tests.pages.pictures import FOLDER, name_of
from tests.pages.site import LANGUAGES, WIDTHS, Browsers, Site
from tests.test_office_api import _routes

FOR_ALL = frozenset({"/login", "/setup", "/about", f"{PLACE}/{{digest}}/{{name}}"})
"""Pages that need no login."""


@pytest.mark.parametrize("login", LOGINS)
def test_every_link_leads_somewhere(shown: Site, login: str) -> None:
    """Nobody is shown a way to a page that is not for them."""
    assert "/" in walked(shown, login)


def spoken(number: int) -> tuple[str, ...]:
    """Return the languages in which a page is looked at: all, or by its number one of them."""
    return LANGUAGES if os.environ.get("ALLOCATOR_AXE") == "all" else (LANGUAGES[number % len(LANGUAGES)],)


def test_every_kind_of_page_is_accessible(shown: Site, browsers: Browsers) -> None:
    """Panels open, at each width; for the first role that comes there."""
    first = first_of_each_kind(shown)
    assert len(first) > 25
    wrong: list[str] = []
    for number, (login, path) in enumerate(first.values()):
        for language in spoken(number):
            window = browsers.window(shown, login, language=language)
            window.go(path)
            window.open_all()
            for width in WIDTHS:
                window.resize(width)
                wrong += [f"{path} {width} {language}: {one}" for one in window.axe()]
                if window.sideways() > 0:
                    wrong.append(f"{path} {width} {language}: wider than its window")
            browsers.done(window)
    assert not wrong, "\n".join(wrong)


SENT_AS_THEY_ARE = {
    "/cases": "shows all when no case is said",
    "/people/new": "nothing of somebody new must be known",
    "/decisions/*/appeal": "an appeal needs no grounds, and came today when no day is said",
    "/people/*/name": "without a purpose the browser does not send it",
}
"""Forms in which nothing is wrong when they are sent empty."""

FORMS = """() => [...document.querySelectorAll('main form')]
    .filter(form => form.method === 'post' && form.querySelector('[required]:not([type=radio])'))
    .map(form => form.getAttribute('action'))"""

SENT_EMPTY = """action => {
    const form = [...document.querySelectorAll('main form')]
        .find(one => one.method === 'post' && one.getAttribute('action') === action)
    form.noValidate = true
    for (const field of form.elements) {
        if (['checkbox', 'radio'].includes(field.type)) field.checked = false
        else if (!['hidden', 'submit', 'button', 'fieldset'].includes(field.type)) field.value = ''
    }
    form.requestSubmit()
}"""


def test_every_form_that_is_sent_empty_says_what_is_wrong(
    shown: Site, site: Site, browsers: Browsers
) -> None:
    """Accessible at each width, with each wrong field told of and told apart."""
    met = set(SENT_AS_THEY_ARE)
    wrong: list[str] = []
    for login, path in first_of_each_kind(shown).values():
        seen = browsers.window(site, login)
        actions = {_kind_of(action): action for action in seen.go(path).evaluate(FORMS)}
        browsers.done(seen)
        for kind in actions.keys() - met:
            met.add(kind)
            for language in spoken(len(met)):
                window = browsers.window(site, login, language=language)
                window.go(path)
                window.page.evaluate(SENT_EMPTY, actions[kind])
                window.page.wait_for_selector("main .ds-error-summary")
                window.open_all()
                assert window.page.locator("main [aria-invalid=true]").count() > 0, kind
                for width in WIDTHS:
                    window.resize(width)
                    wrong += [f"{kind} {width} {language}: {one}" for one in window.axe()]
                    if window.sideways() > 0:
                        wrong.append(f"{kind} {width} {language}: wider than its window")
                browsers.done(window)
    assert len(met) > 35, met
    assert not wrong, "\n".join(wrong)


def _kind_of(action: str) -> str:
    """Return the address of a form without the ids of what it is about."""
    return re.sub(r"(?<=/)[^/]*[0-9][^/]*", "*", action)


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
