"""The page about oneself: who I am, another password, and access taken in a crisis."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from allocator.casework.codes import Purpose, ReviewKind, Role
from allocator.casework.committee import Review
from allocator.casework.offices import Account
from allocator.casework.records import Kind
from allocator.ports import Query
from allocator.service.accounts import OpenAccount
from tests.pages.site import WIDTHS, Browsers, Site

OLD, NEW = "seks rare hester danser", "sju blide elgar syng"


def with_secret(site: Site, login: str) -> None:
    """Let somebody have a password."""
    administrator = site.desk.actor("administrator")
    assert administrator is not None
    code, _ = site.logins.issue(administrator, login)
    site.logins.set_up(login, code, OLD)


@pytest.mark.parametrize("language", ["nn", "en"])
def test_the_page_can_be_read_in_each_language(shown: Site, browsers: Browsers, language: str) -> None:
    """Nothing of it is left in bokmål."""
    page = browsers.window(shown, "committee_secretary", language=language).go("/me")

    assert page.get_by_role("heading", level=1).inner_text() == {"nn": "Mi side", "en": "My page"}[language]


def test_who_one_is_is_told(shown: Site, browsers: Browsers) -> None:
    """Name, roles with their schemes by name, clearances, and how long the login lasts."""
    page = browsers.window(shown, "scheme_leader").go("/me")

    who = page.get_by_role("region", name="Hvem du er").inner_text()
    assert "Eli Oppdiktet" in who
    assert "Leder for botiltak: Fjordgata, Nordlia og Strandgata" in who
    assert "Ikke noe ut over rollene" in who
    assert "23. november 2026 kl. 20.00" in who


def test_another_password_is_set_and_logged_in_with(site: Site, browsers: Browsers) -> None:
    """What was wrong is said and never repeated; all logins end; the new password is the one that counts."""
    with_secret(site, "committee_secretary")
    window = browsers.window(site, "committee_secretary", width=390)
    page = window.go("/me")
    page.get_by_text("Bytt passord").first.click()

    page.get_by_label("Passordet du har nå").fill("noe helt annet enn det")
    page.get_by_label("Nytt passord").fill(NEW)
    page.get_by_role("button", name="Bytt passord").click()
    assert "Passordet du har nå, stemmer ikke" in page.get_by_role("alert").inner_text()
    assert NEW not in page.content()
    assert window.axe() == []

    page.get_by_label("Passordet du har nå").fill(OLD)
    page.get_by_label("Nytt passord").fill("committee_secretary 1")
    page.get_by_role("button", name="Bytt passord").click()
    page.get_by_role("alert").get_by_role("link").click()
    assert page.get_by_label("Nytt passord").evaluate("one => one === document.activeElement")

    page.get_by_label("Passordet du har nå").fill(OLD)
    page.get_by_label("Nytt passord").fill(NEW)
    page.get_by_role("button", name="Bytt passord").click()
    expect(page.get_by_role("status").filter(has_text="Passordet er lagret")).to_be_visible()
    page.goto(f"{site.address}/me")
    assert page.url == f"{site.address}/login?to=%2Fme"
    page.get_by_label("Brukernavn").fill("committee_secretary")
    page.get_by_label("Passord").fill(NEW)
    page.get_by_role("button", name="Logg inn", exact=True).click()
    assert page.url == f"{site.address}/me"


def test_who_has_no_password_and_no_role_is_told_what_to_do(site: Site) -> None:
    """A code comes from an administrator, and so do roles."""
    administrator = site.desk.actor("administrator")
    assert administrator is not None
    opened = site.run(administrator, "accounts.open", OpenAccount(login="ny", name="Ny Oppdiktet"))
    code, _ = site.logins.issue(administrator, opened.stored.id)
    with site.client("caseworker") as client:
        assert "Be en administrator om en kode" in client.get("/me").text
    site.logins.set_up("ny", code, OLD)
    token = site.logins.log_in("ny", OLD).token
    with site.client() as client:
        page = client.get("/me", headers={"Cookie": f"__Host-allocator={token}"})
    assert page.status_code == 200
    assert "En administrator må gi deg en rolle" in page.text
    assert "Krisetilgang" not in page.text


def test_access_is_taken_in_a_crisis_used_and_put_away(site: Site, browsers: Browsers) -> None:
    """Without scripts: with a reason, for some hours; each look says so; it is looked at the next day."""
    case = _case_of_others(site, "scheme_leader")
    window = browsers.window(site, "scheme_leader", scripts=False, width=390)
    page = window.go("/me")
    assert page.goto(f"{site.address}/cases/{case}").status == 404  # type: ignore[union-attr]

    page.goto(f"{site.address}/me")
    page.get_by_text("Ta krisetilgang").first.click()
    page.get_by_label("Hva haster?").fill("Haster")
    page.get_by_label("Hvor lenge trenger du tilgangen?").select_option("2")
    page.get_by_role("button", name="Ta krisetilgang").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Hva haster?").input_value() == "Haster"
    assert page.get_by_label("Hvor lenge trenger du tilgangen?").input_value() == "2"

    page.get_by_label("Hva haster?").fill("En må ha tak over hodet i natt")
    page.get_by_role("button", name="Ta krisetilgang").click()
    expect(page.get_by_text("Du har tatt krisetilgang til 23. november 2026 kl. 12.00")).to_be_visible()
    assert page.goto(f"{site.address}/cases/{case}").status == 200  # type: ignore[union-attr]
    looks = [entry for entry in site.log() if entry["by"] == "scheme_leader" and entry.get("id") == case]
    assert [entry.get("purpose") for entry in looks if entry["outcome"] == "shown"] == [Purpose.CRISIS]

    page.get_by_role("form", name="Krisetilgang").get_by_role("button", name="Slå av").click()
    assert page.get_by_role("form", name="Krisetilgang").count() == 0
    assert page.goto(f"{site.address}/cases/{case}").status == 404  # type: ignore[union-attr]
    page.goto(f"{site.address}/me")
    expect(page.get_by_text("En må ha tak over hodet i natt")).to_be_visible()
    page.get_by_role("button", name="Bruk krisetilgangen").click()
    expect(page.get_by_role("form", name="Krisetilgang")).to_be_visible()

    with site.storage.read() as tx:
        reviews = [one.body for one in tx.find(Query(Kind.REVIEW)) if isinstance(one.body, Review)]
    (review,) = [one for one in reviews if one.what is ReviewKind.BREAK_GLASS]
    assert (review.account, review.by) == ("scheme_leader", site.clock.today() + timedelta(days=1))

    site.clock.moment += timedelta(hours=2)
    with site.client("scheme_leader") as client:
        client.headers["Cookie"] += "; __Host-crisis=yes"
        assert client.get(f"/cases/{case}").status_code == 404
        assert "crisis-access" not in client.get("/me").text


def test_the_page_in_a_crisis_is_accessible(site: Site, browsers: Browsers) -> None:
    """The band above each page too; and with a form in error."""
    for width in WIDTHS:
        window = browsers.window(site, "committee_leader", width=width)
        page = window.go("/me")
        if width == WIDTHS[0]:
            page.get_by_text("Ta krisetilgang").first.click()
            page.get_by_label("Hva haster?").fill("Haster")
            page.get_by_label("Hvor lenge trenger du tilgangen?").select_option("8")
            page.get_by_role("button", name="Ta krisetilgang").click()
            assert window.axe() == []
            page.get_by_label("Hva haster?").fill("En må ha tak over hodet i natt")
            page.get_by_role("button", name="Ta krisetilgang").click()
        else:
            page.get_by_role("button", name="Bruk krisetilgangen").click()
        expect(page.get_by_role("form", name="Krisetilgang")).to_be_visible()
        assert window.axe() == []
        assert window.sideways() == 0
    page.get_by_role("button", name="Delt skjerm").click()
    assert page.get_by_role("form", name="Krisetilgang").count() == 0
    page.goto(f"{site.address}/me")
    expect(page.get_by_text("Slå av delt skjerm for å bruke den.")).to_be_visible()
    assert window.axe() == []


def test_to_say_that_there_is_a_crisis_gives_nothing(shown: Site) -> None:
    """The cookie is no access: somebody must have taken it, with a reason."""
    case = _case_of_others(shown, "scheme_leader")
    with shown.client("scheme_leader") as client:
        client.headers["Cookie"] += "; __Host-crisis=yes"
        assert client.get(f"/cases/{case}").status_code == 404
        assert "crisis-access" not in client.get("/me").text


@pytest.mark.parametrize("login", ["caseworker", "auditor", "administrator", "policy_owner"])
def test_roles_that_need_no_crisis_access_are_not_offered_it(shown: Site, login: str) -> None:
    """And who sends the form all the same is refused."""
    with shown.client(login) as client:
        assert "/me/crisis" not in client.get("/me").text
        asked = {"reason": "En må ha tak over hodet i natt", "hours[int]": "2", "_version": "1"}
        assert client.post("/me/crisis", data=asked).status_code == 403
    account = shown.now(Account, login).body
    assert account.crisis is None


def _case_of_others(site: Site, login: str) -> str:
    """Return a case that a caseworker sees and somebody else does not."""
    there = site.desk.actor("caseworker")
    here = site.desk.actor(login)
    assert there is not None
    assert here is not None
    assert here.roles != {Role.CASEWORKER}
    seen = {item.stored.id for item in site.desk.page(here, Kind.CASE, limit=200).items}
    return next(
        item.stored.id
        for item in site.desk.page(there, Kind.CASE, limit=200).items
        if item.stored.id not in seen
    )
