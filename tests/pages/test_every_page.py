"""Every page that anybody can come to by links: there, accessible, in three languages, and for them alone.

With `ALLOCATOR_AXE=all` each is looked at in each language at each width; else in one and at one, in turn.
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


def looks(number: int) -> list[tuple[str, tuple[int, ...]]]:
    """Return the languages and widths in which a page is looked at: all, or by its number one of each."""
    if os.environ.get("ALLOCATOR_AXE") == "all":
        return [(language, WIDTHS) for language in LANGUAGES]
    widths_first, language = divmod(number, len(LANGUAGES))
    return [(LANGUAGES[language], (WIDTHS[widths_first % len(WIDTHS)],))]


ALSO = (
    ("accounts", "administrator", "/accounts/scheme_staff"),
    ("accounts", "administrator", "/accounts/administrator"),
    ("cases", "committee_secretary", "/"),
    ("cases", "committee_secretary", "/cases/S-2026-109"),
    ("cases", "caseworker", "/cases/S-2026-109/more"),
    ("cases", "committee_secretary", "/cases/S-2026-101/history"),
    ("decisions", "committee_leader", "/decisions/new?case=S-2026-104&unit=tunet-2&meeting=meeting-02"),
    ("decisions", "committee_secretary", "/decisions/new?case=S-2026-113"),
    ("decisions", "committee_leader_2", "/decisions/decision-06"),
    ("decisions", "caseworker", "/decisions/decision-01"),
    ("decisions", "caseworker", "/decisions/decision-05/offer"),
    ("decisions", "caseworker", "/decisions/decision-S-2026-102/move-in"),
    ("housing", "committee_leader", "/schemes/strandgata"),
    ("housing", "scheme_leader", "/schemes/strandgata"),
    ("housing", "committee_leader", "/schemes/elvebakken"),
    ("housing", "scheme_leader", "/schemes/elvebakken"),
    ("housing", "committee_leader", "/units"),
    ("housing", "scheme_leader", "/units"),
    ("housing", "committee_leader", "/units/tunet-2"),
    ("me", "scheme_leader", "/me"),
    ("meetings", "committee_secretary", "/meetings/meeting-03"),
    ("meetings", "committee_leader", "/meetings/meeting-02/items/2"),
    ("meetings", "committee_member", "/meetings/meeting-03/items/1"),
    ("suggestions", "committee_leader", "/suggestions/suggestion-05"),
    ("suggestions", "committee_leader", "/suggestions/suggestion-05?order=name"),
    ("suggestions", "committee_leader", "/suggestions/suggestion-05/entries/strandgata-5"),
    ("suggestions", "committee_leader", "/suggestions/suggestion-05/compare?a=tunet-2&b=strandgata-5"),
    ("suggestions", "committee_leader", "/suggestions/suggestion-05/fresh"),
    ("suggestions", "committee_leader", "/cases/S-2026-101/suggestion"),
    ("suggestions", "committee_leader", "/units/tunet-2/suggestion"),
)
"""Pages that look otherwise than the first of their kind, by topic."""


def looked_at(browsers: Browsers, site: Site, number: int, login: str | None, path: str) -> list[str]:
    """Return what is wrong with a page, as it is looked at."""
    wrong: list[str] = []
    for language, widths in looks(number):
        window = browsers.window(site, login, language=language)
        page = window.go(path)
        page.wait_for_load_state("networkidle")
        assert page.locator("html").get_attribute("lang") == language
        wrong += [f"{language}: {one}" for one in window.faults(*widths)]
        browsers.done(window)
    return wrong


def test_every_kind_of_page_is_accessible(shown: Site, browsers: Browsers) -> None:
    """With panels open, for the first role that comes there."""
    first = first_of_each_kind(shown)
    assert len(first) > 50
    wrong: list[str] = []
    for number, (login, path) in enumerate(first.values()):
        wrong += looked_at(browsers, shown, number, login, path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("topic", sorted({topic for topic, *_ in ALSO}))
def test_pages_that_look_otherwise_are_accessible_too(shown: Site, browsers: Browsers, topic: str) -> None:
    """As those before."""
    wrong: list[str] = []
    for number, (of, login, path) in enumerate(ALSO):
        if of == topic:
            wrong += looked_at(browsers, shown, number, login, path)
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
    """Accessible, with each wrong field told of and told apart."""
    met = set(SENT_AS_THEY_ARE)
    wrong: list[str] = []
    for login, path in first_of_each_kind(shown).values():
        seen = browsers.window(site, login)
        actions = {_kind_of(action): action for action in seen.go(path).evaluate(FORMS)}
        browsers.done(seen)
        for kind in sorted(actions.keys() - met):
            met.add(kind)
            for language, widths in looks(len(met)):
                window = browsers.window(site, login, language=language)
                window.go(path)
                window.page.evaluate(SENT_EMPTY, actions[kind])
                window.page.wait_for_selector("main .ds-error-summary")
                assert window.page.locator("main [aria-invalid=true]").count() > 0, kind
                wrong += [f"{kind} {language}: {one}" for one in window.faults(*widths)]
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
