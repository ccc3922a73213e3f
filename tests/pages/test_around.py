"""What is around every page: the login, the language, the shared screen, errors, what browsers are told."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pages.site import LANGUAGES, Browsers, Site

OPEN_TO_ALL = ("/login", "/setup", "/about")


@pytest.mark.parametrize("path", OPEN_TO_ALL)
def test_pages_for_all_are_accessible_at_each_width_in_each_language(
    shown: Site, browsers: Browsers, path: str
) -> None:
    """At desktop, phone and the narrowest width, without sideways scrolling."""
    for language in LANGUAGES:
        window = browsers.window(shown, language=language)
        window.go(path)
        assert window.faults() == []
        assert window.page.locator("html").get_attribute("lang") == language


def test_who_is_not_logged_in_is_sent_to_the_login_and_then_on(shown: Site, browsers: Browsers) -> None:
    """The place they wanted is kept through the login."""
    page = browsers.window(shown).go("/about")
    page.goto(f"{shown.address}/")
    assert page.url == f"{shown.address}/login"
    page.get_by_role("button", name="Lars Oppdiktet").click()
    assert page.url == f"{shown.address}/"
    assert page.get_by_role("heading", level=1).inner_text() == "Mine oppgaver"
    page.get_by_role("button", name="Logg ut").click()
    assert page.url == f"{shown.address}/login"


def test_a_login_never_sends_anybody_elsewhere(shown: Site) -> None:
    """What stands after the login is a place of ours, or the start page."""
    with shown.client() as client:
        for place in ("https://evil.test/", "//evil.test/", "/\\evil.test", "\n/x", ""):
            answer = client.post(
                "/demo-login",
                data={"role": "committee_secretary", "account": "committee_secretary", "_to": place},
            )
            assert answer.status_code == 303
            assert answer.headers["location"] == "/"


def test_a_change_from_another_site_is_refused(shown: Site) -> None:
    """Browsers say where a form comes from; without that word nothing is changed."""
    with shown.client("committee_secretary") as client:
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": "https://evil.test"},
            {"Origin": "null"},
        ):
            assert client.post("/shared-screen", headers=headers).status_code == 403
        del client.headers["Sec-Fetch-Site"]
        assert client.post("/shared-screen").status_code == 403
        assert client.post("/shared-screen", headers={"Origin": shown.address}).status_code == 303


def test_a_wrong_password_is_said_beside_the_form_and_not_repeated(shown: Site, browsers: Browsers) -> None:
    """What was typed besides the password stands."""
    window = browsers.window(shown, width=390)
    page = window.go("/login")
    page.get_by_label("Brukernavn").fill("kari")
    page.get_by_label("Passord").fill("hemmelig-setning")
    page.get_by_role("button", name="Logg inn", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Brukernavn").input_value() == "kari"
    assert page.get_by_label("Passord").input_value() == ""
    assert "hemmelig-setning" not in page.content()
    assert window.axe() == []


def test_the_language_is_kept_without_scripts(shown: Site, browsers: Browsers) -> None:
    """A choice by a form, for a year."""
    page = browsers.window(shown, scripts=False).go("/about")
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("heading", level=1).inner_text() == "About this service, and privacy"
    page.goto(f"{shown.address}/login")
    assert page.locator("html").get_attribute("lang") == "en"


def test_on_a_shared_screen_nobody_is_cleared(shown: Site, browsers: Browsers) -> None:
    """It can be switched on and off on every page."""
    page = browsers.window(shown, "committee_leader").go("/")
    page.get_by_role("button", name="Delt skjerm").click()
    expect(page.get_by_text("Delt skjerm: det som bare er for den som er klarert")).to_be_visible()
    page.get_by_role("button", name="Slå av").click()
    expect(page.get_by_role("button", name="Delt skjerm")).to_be_visible()


def test_what_is_not_there_is_a_page_and_for_programs_a_document(shown: Site) -> None:
    """Each caller gets the form they can read."""
    with shown.client() as client:
        page = client.get("/nowhere")
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        answer = client.get("/api/v1/nowhere")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_browsers_are_told_what_a_page_may_do(shown: Site) -> None:
    """Nothing inline, nothing from elsewhere, nothing kept."""
    with shown.client() as client:
        page = client.get("/login")
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"


def test_files_are_kept_for_ever_under_names_that_change(shown: Site) -> None:
    """The name is that of the content."""
    with shown.client() as client:
        text = client.get("/login").text
        names = {part.split('"')[0] for part in text.split('"/static/')[1:]}
        assert len(names) >= 6
        for name in names:
            answer = client.get(f"/static/{name}")
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            old = "0" * 12 + "/" + name.partition("/")[2]
            assert client.get(f"/static/{old}").status_code == 404


def test_a_page_that_is_asked_for_wrongly_says_what_it_expects(shown: Site) -> None:
    """In words, and what was sent is not repeated; where nothing in particular is wrong, what to do."""
    with shown.client("committee_secretary") as client:
        answer = client.get("/people/P-S-2026-101/facts/gender?case=%20x")
        assert answer.status_code == 422
        assert "Gå tilbake, last siden på nytt" in answer.text
        assert "<li>en id</li>" in answer.text
        answer = client.post("/people/P-S-2026-101/name", data={"purpose": "Nysgjerrig"})
        assert answer.status_code == 422
        assert "Gå tilbake, last siden på nytt" in answer.text
        assert "Her ventes:" not in answer.text
        assert "Nysgjerrig" not in answer.text
