"""Users: an administrator lets people in, says what they may, and shuts them out again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from allocator.casework.codes import Clearance, Role
from allocator.casework.offices import Account
from tests.pages.site import Browsers, Site

SECRET = "seks rare hester danser"  # noqa: S105 - of nobody real
PLACES = ("/accounts", "/accounts/scheme_staff", "/accounts/administrator")


@pytest.mark.parametrize(("language", "title"), [("nn", "Brukarar"), ("en", "Users")])
def test_the_pages_can_be_read_in_each_language(
    shown: Site, browsers: Browsers, language: str, title: str
) -> None:
    """Nothing is left in bokmål."""
    window = browsers.window(shown, "administrator", language=language)
    page = window.go("/accounts")
    assert page.get_by_role("heading", level=1).inner_text() == title


def test_somebody_is_let_in_and_shut_out_again(site: Site, browsers: Browsers) -> None:
    """A user is added, given a role and a code, makes a password, works, loses the role, and is disabled."""
    office = browsers.window(site, "administrator", reduced_motion="reduce")
    page = office.go("/")
    page.get_by_role("link", name="Brukere").click()
    page.get_by_text("Legg til bruker").first.click()
    page.get_by_label("Navn", exact=True).fill("Tove Oppdiktet")
    page.get_by_label("Brukernavn").fill("tove")
    page.get_by_role("button", name="Legg til bruker").click()
    expect(page.get_by_role("status").filter(has_text="Brukeren er lagt til.")).to_be_visible()
    assert page.get_by_role("heading", level=1).inner_text() == "Tove Oppdiktet"
    place = page.url.partition("?")[0]

    page.get_by_label("Rolle", exact=True).select_option(label="Ansatt i botiltak")
    page.get_by_label("Nordlia").check()
    page.get_by_role("button", name="Gi rolle").click()
    expect(
        page.get_by_role("region", name="Roller").get_by_text("Ansatt i botiltak: Nordlia")
    ).to_be_visible()

    page.get_by_text("Lag kode til passord").click()
    page.get_by_role("button", name="Lag kode").click()
    code = page.locator("code").inner_text()
    assert re.fullmatch(r"\w{5}(-\w{5}){3}", code)
    assert code not in page.url
    assert office.axe() == []
    page.get_by_role("link", name="Jeg har skrevet den ned").click()
    assert code not in page.content()

    theirs = browsers.window(site, width=390).go("/login")
    _let_in(theirs, "tove", code)
    expect(theirs.get_by_role("link", name="Høringer", exact=True)).to_be_visible()

    page.goto(place)
    page.get_by_text("Ta tilbake").first.click()
    page.get_by_label("Hvorfor?").first.fill("Har sluttet i botiltaket")
    page.get_by_role("button", name="Ta tilbake rollen").click()
    expect(page.get_by_text("Ingen roller ennå")).to_be_visible()
    theirs.goto(f"{site.address}/me")
    expect(theirs.get_by_text("En administrator må gi deg en rolle")).to_be_visible()

    page.get_by_text("Sperr brukeren").first.click()
    entry = page.get_by_role("region", name="Innlogging")
    entry.get_by_label("Hvorfor?").last.fill("Har sluttet i kommunen")
    page.get_by_role("button", name="Sperr brukeren").click()
    expect(page.get_by_role("status").filter(has_text="Brukeren kan ikke lenger logge inn.")).to_be_visible()
    assert office.axe() == []
    theirs.goto(f"{site.address}/me")
    assert theirs.url == f"{site.address}/login?to=%2Fme"
    page.goto(f"{site.address}/accounts")
    expect(page.get_by_text("Kan ikke logge inn")).to_be_visible()

    page.goto(place)
    page.get_by_text("La brukeren logge inn igjen").first.click()
    entry.get_by_label("Hvorfor?").fill("Kom tilbake")
    page.get_by_role("button", name="La brukeren logge inn igjen").click()
    expect(page.get_by_role("status").filter(has_text="Brukeren kan logge inn igjen.")).to_be_visible()


def _let_in(page: Page, login: str, code: str) -> None:
    """Make a password with a code, at the login, and log in with it."""
    page.get_by_role("link", name="Jeg har fått en kode").click()
    page.get_by_label("Brukernavn").fill(login)
    page.get_by_label("Kode").fill(code)
    page.get_by_label("Nytt passord").fill(SECRET)
    page.get_by_role("button", name="Lagre passordet").click()
    expect(page.get_by_role("status").filter(has_text="Passordet er lagret")).to_be_visible()
    page.get_by_label("Brukernavn").fill(login)
    page.get_by_label("Passord").fill(SECRET)
    page.get_by_role("button", name="Logg inn", exact=True).click()


def test_clearances_are_given_and_taken_away_without_scripts(site: Site, browsers: Browsers) -> None:
    """What is not chosen, is no longer held; none chosen is an answer too; the reason is needed."""
    window = browsers.window(site, "administrator", scripts=False, width=390)
    page = window.go("/accounts/caseworker_kode_6")
    page.get_by_text("Endre klarering").click()
    cleared = page.get_by_role("region", name="Klarering")
    assert cleared.get_by_label("Strengt fortrolig adresse (kode 6)").is_checked()
    cleared.get_by_label("Konflikter og forbud").check()
    cleared.get_by_label("Hvorfor?").fill("Ny oppgave")
    page.get_by_role("button", name="Lagre klareringen").click()
    assert site.now(Account, "caseworker_kode_6").body.cleared == frozenset(Clearance)

    page.get_by_text("Endre klarering").click()
    for name in ("Strengt fortrolig adresse (kode 6)", "Konflikter og forbud"):
        cleared.get_by_label(name).uncheck()
    cleared.get_by_label("Hvorfor?").evaluate("one => one.removeAttribute('required')")
    page.get_by_role("button", name="Lagre klareringen").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert not cleared.get_by_label("Konflikter og forbud").is_checked()
    cleared.get_by_label("Hvorfor?").fill("Oppgaven er over")
    page.get_by_role("button", name="Lagre klareringen").click()
    assert site.now(Account, "caseworker_kode_6").body.cleared == frozenset()


def test_what_is_wrong_is_said_and_nothing_written_is_lost(site: Site, browsers: Browsers) -> None:
    """A name that is in use, a role without its schemes, and somebody who was there first."""
    window = browsers.window(site, "administrator", reduced_motion="reduce")
    page = window.go("/accounts")
    page.get_by_text("Legg til bruker").first.click()
    page.get_by_label("Navn", exact=True).fill("Anne Oppdiktet den andre")
    page.get_by_label("Brukernavn").fill("CASEWORKER")
    page.get_by_role("button", name="Legg til bruker").click()
    assert "Opptatt" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Navn", exact=True).input_value() == "Anne Oppdiktet den andre"
    assert window.axe() == []

    page = window.go("/accounts/peer_member")
    page.get_by_text("Gi rolle").first.click()
    page.get_by_label("Rolle", exact=True).select_option(label="Leder for botiltak")
    page.get_by_label("Til og med").fill("2027-03-01")
    page.get_by_role("button", name="Gi rolle").click()
    assert page.get_by_label("Til og med").input_value() == "2027-03-01"
    assert (
        page.get_by_label("Rolle", exact=True).locator("option:checked").inner_text() == "Leder for botiltak"
    )
    assert window.axe() == []
    page.get_by_role("alert").get_by_role("link").click()
    assert page.get_by_role("checkbox").first.evaluate("one => one === document.activeElement")

    page.get_by_label("Havna").check()
    with site.client("administrator") as other:
        said = {"role": "auditor", "_version": "1", "_key": "another"}
        assert other.post("/accounts/peer_member/grant", data=said).status_code == 303
    page.get_by_role("button", name="Gi rolle").click()
    page.get_by_label("Havna").wait_for()
    roles = {grant.role for grant in site.now(Account, "peer_member").body.grants}
    assert roles == {Role.PEER_MEMBER, Role.AUDITOR}
    assert "Noen har endret dette" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Havna").is_checked()


def test_nobody_changes_what_they_themselves_may(site: Site) -> None:
    """An administrator's own page has no forms, and what is sent all the same is refused."""
    with site.client("administrator") as client:
        page = client.get("/accounts/administrator").text
        assert "En annen administrator må endre rollene dine" in page
        assert "/accounts/administrator/" not in page
        said = {"role": "caseworker", "_version": "1", "_key": "own"}
        answer = client.post("/accounts/administrator/grant", data=said)
        assert answer.status_code == 409
        assert "Du kan ikke endre din egen konto" in answer.text
    assert {grant.role for grant in site.now(Account, "administrator").body.grants} == {Role.ADMINISTRATOR}


@pytest.mark.parametrize("login", ["caseworker", "committee_leader", "scheme_staff", "policy_owner"])
def test_others_see_only_themselves_and_change_nothing(shown: Site, login: str) -> None:
    """Somebody else's page is not there, and neither is what one could do on it."""
    with shown.client(login) as client:
        page = client.get("/accounts").text
        assert re.findall(r'href="/accounts/([^"]*)"', page) == [login]
        assert "Legg til bruker" not in page
        assert client.get("/accounts/auditor").status_code == 404
        assert client.post("/accounts", data={"login": "x", "name": "X", "_key": "x"}).status_code == 403
        said = {"reason": "Vil det", "_version": "1"}
        assert client.post("/accounts/auditor/disable", data=said).status_code == 404
        assert client.post("/accounts/auditor/setup-code").status_code == 403
        assert client.post("/accounts/auditor/promote", data=said).status_code == 404


def test_an_auditor_sees_who_may_what_and_has_no_buttons(shown: Site) -> None:
    """Control is to look."""
    with shown.client("auditor") as client:
        assert "Legg til bruker" not in client.get("/accounts").text
        page = client.get("/accounts/committee_leader").text
        assert "Utvalgsleder" in page
        assert "/accounts/committee_leader/" not in page
        said = {"reason": "Vil det", "_version": "1"}
        assert client.post("/accounts/committee_leader/disable", data=said).status_code == 403
        assert client.post("/accounts/committee_leader/setup-code").status_code == 403
