"""More on a person: protection, who acts for them, and two records of one person, each done in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from allocator.casework.codes import AddressProtection, Purpose, Role
from allocator.casework.people import Person
from allocator.casework.records import Kind
from allocator.service.people import RegisterPerson
from tests.pages.site import LANGUAGES, Browsers, Site

CASE = "S-2026-101"


def person_of(site: Site, case: str = CASE) -> str:
    """Return the person of a case."""
    actor = site.somebody(Role.CASEWORKER, login="caseworker", purpose=Purpose.CASEWORK)
    return str(site.desk.show(actor, Kind.CASE, case).view["person"])


def section(page: Page, name: str) -> Locator:
    """Return a section of the page by its heading."""
    return page.get_by_role("region", name=name)


def reveal(page: Page) -> Locator:
    """Say why the names are needed, and return the section on who acts for the person."""
    names = section(page, "Navn, kontakt og representant")
    names.get_by_label("Hvorfor trenger du navnene?").select_option("casework")
    names.get_by_role("button", name="Vis og endre").click()
    return section(page, "Hvem som handler for personen")


def test_who_acts_for_somebody_is_shown_written_down_and_ended(site: Site, browsers: Browsers) -> None:
    """The names need a purpose; what is missing is named and the rest kept; a mistake is taken out."""
    page = browsers.window(site, "caseworker").go(f"/cases/{CASE}")
    page.get_by_role("link", name="Navn, kontakt, representant").click()
    names = section(page, "Navn, kontakt og representant")
    names.get_by_role("button", name="Vis og endre").click()
    expect(names.get_by_label("Hvorfor trenger du navnene?")).to_have_attribute("aria-invalid", "true")
    acting = reveal(page)
    expect(acting.get_by_text("Ingen er ført opp.")).to_be_visible()

    acting.get_by_label("Hva de er for personen").select_option("guardian")
    acting.get_by_label("Fra").fill("2026-11-01")
    acting.get_by_role("button", name="Lagre representanten").click()
    acting.get_by_role("link", name=re.compile("Navn")).click()
    expect(acting.get_by_label("Navn")).to_be_focused()
    expect(acting.get_by_label("Hva de er for personen")).to_have_value("guardian")
    acting.get_by_label("Navn").fill("Vera Verge")
    acting.get_by_role("button", name="Lagre representanten").click()
    expect(page.get_by_role("status").first).to_have_text("Det er lagret hvem som opptrer for personen.")
    assert "Vera" not in page.content()

    reveal(page)
    acting.get_by_label("Navn").fill("Frode Fullmektig")
    acting.get_by_label("Hva de er for personen").select_option("attorney")
    acting.get_by_role("button", name="Lagre representanten").click()
    reveal(page)
    acting.get_by_text("Endre siste dag: Vera Verge").click()
    last = acting.locator("form").filter(has=page.get_by_role("button", name="Lagre siste dag")).first
    last.get_by_label("Siste dag").fill("2026-10-01")
    last.get_by_role("button").click()
    expect(last.get_by_label("Siste dag")).to_have_attribute("aria-invalid", "true")
    last.get_by_label("Siste dag").fill("2026-12-31")
    last.get_by_role("button").click()
    reveal(page)
    expect(acting.get_by_text("Verge, fra 1. november 2026 til 31. desember 2026")).to_be_visible()
    acting.get_by_text("Endre siste dag: Vera Verge").click()
    acting.get_by_role("button", name="Ført opp ved en feil. Ta bort").first.click()
    expect(page.get_by_role("status").first).to_be_visible()
    assert [one.name for one in site.now(Person, person_of(site)).body.representatives] == [
        "Frode Fullmektig"
    ]


def test_name_contact_and_interpreter_are_changed_and_taken_away(site: Site, browsers: Browsers) -> None:
    """What is wrong is told and the rest kept; what is left empty stands there no more."""
    person = person_of(site)
    page = browsers.window(site, "caseworker").go(f"/people/{person}/more")
    assert page.get_by_label("Hvordan søkeren vil kontaktes").count() == 0
    reveal(page)
    identity = section(page, "Navn og kontakt")
    identity.get_by_label("Navn").fill("x" * 201)
    identity.get_by_label("Hvordan søkeren vil kontaktes").fill("Tlf. til oppsøkende team")
    identity.get_by_label("Språk").fill("nordsamisk")
    identity.get_by_role("group", name="Trenger tolk").get_by_label("Ja").check()
    identity.get_by_role("group", name="Arbeider").get_by_label("Ja").check()
    identity.get_by_role("button", name="Lagre navn og kontakt").click()
    expect(identity.get_by_label("Navn")).to_have_attribute("aria-invalid", "true")
    expect(identity.get_by_text("høyst 200 tegn").first).to_be_visible()
    expect(identity.get_by_label("Språk")).to_have_value("nordsamisk")
    identity.get_by_label("Navn").fill("Tove Oppdiktet")
    identity.get_by_role("button", name="Lagre navn og kontakt").click()
    expect(page.get_by_role("status").first).to_have_text("Navn og kontaktopplysninger er lagret.")
    told = site.now(Person, person).body
    assert (told.name, told.contact) == ("Tove Oppdiktet", "Tlf. til oppsøkende team")
    assert (told.language, told.interpreter, told.works_here) == ("nordsamisk", True, True)
    page.goto(f"{site.address}/cases/{CASE}")
    expect(page.get_by_text("Trenger tolk")).to_be_visible()
    expect(page.get_by_text("nordsamisk")).to_be_visible()
    assert "Tove" not in page.content()
    with site.client("caseworker") as caseworker, site.client("committee_member") as member:
        assert "Arbeider eller har arbeidet" in caseworker.get(f"/cases/{CASE}").text
        seen = member.get(f"/cases/{CASE}").text
        assert "nordsamisk" in seen
        assert "Arbeider eller har arbeidet" not in seen

    page.goto(f"{site.address}/people/{person}/more")
    reveal(page)
    expect(identity.get_by_label("Navn")).to_have_value("Tove Oppdiktet")
    identity.get_by_label("Hvordan søkeren vil kontaktes").fill("")
    identity.get_by_role("group", name="Trenger tolk").get_by_label("Ikke spurt").check()
    identity.get_by_role("button", name="Lagre navn og kontakt").click()
    expect(page.get_by_role("status").first).to_have_text("Navn og kontaktopplysninger er lagret.")
    told = site.now(Person, person).body
    assert (told.name, told.contact, told.language) == ("Tove Oppdiktet", None, "nordsamisk")
    assert (told.interpreter, told.works_here) == (None, True)


def test_two_records_become_one_and_the_person_goes_out_of_sight(site: Site, browsers: Browsers) -> None:
    """Without scripts. Whoever raises the protection to kode 6 and is not cleared is left at the start."""
    person = person_of(site)
    twin = site.run(
        site.somebody(Role.CASEWORKER, login="caseworker"), "people.register", RegisterPerson(contact="Tlf.")
    ).stored.id
    page = browsers.window(site, "caseworker", scripts=False).go(f"/people/{person}/more")
    page.get_by_text("Slå sammen med en annen oppføring").click()
    merging = section(page, "To oppføringer av samme person")
    merging.get_by_label("Hvordan vet du").fill("Samme fødselsdag og samme telefon.")
    merging.get_by_text("Slå sammen", exact=True).click()
    merging.get_by_role("button", name="Ja, slå dem sammen").click()
    expect(merging.get_by_label("Den andre oppføringen")).to_have_attribute("aria-invalid", "true")
    merging.get_by_label("Den andre oppføringen").fill(CASE)
    merging.get_by_role("button", name="Ja, slå dem sammen").click()
    expect(merging.get_by_label("Den andre oppføringen")).to_have_attribute("aria-invalid", "true")
    expect(merging.get_by_label("Den andre oppføringen")).to_have_value(CASE)
    expect(merging.get_by_label("Hvordan vet du")).to_have_value("Samme fødselsdag og samme telefon.")
    merging.get_by_label("Den andre oppføringen").fill(twin)
    merging.get_by_role("button", name="Ja, slå dem sammen").click()
    expect(page.get_by_role("status").first).to_have_text("Oppføringene er slått sammen.")
    assert site.now(Person, twin).body.merged_into == person
    page.goto(f"{site.address}/people/{twin}/more")
    expect(page.get_by_text(f"Denne oppføringen er slått sammen med {person}.")).to_be_visible()
    page.get_by_role("link", name="Gå dit").click()

    page.get_by_text("Adressebeskyttelsen er endret").click()
    protecting = section(page, "Adressebeskyttelse")
    expect(protecting.get_by_text("Du er ikke klarert for kode 6.")).to_be_visible()
    protecting.get_by_text("Endre adressebeskyttelsen", exact=True).click()
    protecting.get_by_role("button", name="Ja, endre den nå").click()
    expect(protecting.get_by_label("Ny adressebeskyttelse")).to_have_attribute("aria-invalid", "true")
    protecting.get_by_label("Ny adressebeskyttelse").select_option("strictly_confidential")
    protecting.get_by_role("button", name="Ja, endre den nå").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url == f"{site.address}/?saved=people.protect"
    expect(page.get_by_role("status").first).to_have_text("Adressebeskyttelsen er endret.")
    assert site.now(Person, person).body.protection is AddressProtection.STRICTLY_CONFIDENTIAL
    with site.client("caseworker") as client:
        assert client.get(f"/cases/{CASE}").status_code == 404
        assert client.get(f"/people/{person}/more").status_code == 404


def test_a_cleared_caseworker_lowers_it_with_a_reason(site: Site, browsers: Browsers) -> None:
    """What was written is kept when the reason is missing; they see the person all the time."""
    person = person_of(site)
    page = browsers.window(site, "caseworker_kode_6").go(f"/people/{person}/more")
    protecting = section(page, "Adressebeskyttelse")
    assert protecting.get_by_text("Du er ikke klarert for kode 6.").count() == 0
    change(protecting, "strictly_confidential")
    expect(protecting).to_contain_text("Nå: strengt fortrolig adresse (kode 6)")
    change(protecting, "confidential")
    expect(protecting.get_by_label("Hvorfor")).to_have_attribute("aria-invalid", "true")
    expect(protecting.get_by_label("Ny adressebeskyttelse")).to_have_value("confidential")
    protecting.get_by_label("Hvorfor").fill("Sperringen i folkeregisteret er satt ned.")
    protecting.get_by_role("button", name="Ja, endre den nå").click()
    expect(protecting).to_contain_text("Nå: fortrolig adresse (kode 7)")
    assert site.now(Person, person).body.protection is AddressProtection.CONFIDENTIAL


def change(protecting: Locator, protection: str) -> None:
    """Choose another protection, and say that one is sure."""
    protecting.get_by_text("Adressebeskyttelsen er endret").click()
    protecting.get_by_label("Ny adressebeskyttelse").select_option(protection)
    protecting.get_by_text("Endre adressebeskyttelsen", exact=True).click()
    protecting.get_by_role("button", name="Ja, endre den nå").click()


def test_only_who_may_is_led_there(shown: Site) -> None:
    """Not the committee, not on a shared screen, and nothing of who acts without a purpose."""
    person = person_of(shown)
    address = f"/people/{person}/more"
    for login in ("committee_secretary", "committee_member", "assessor", "scheme_leader"):
        with shown.client(login) as client:
            assert client.get(address).status_code == 404, login
            assert address not in client.get(f"/cases/{CASE}").text
    with shown.client("caseworker") as client:
        assert address in client.get(f"/cases/{CASE}").text
        client.headers["Cookie"] += "; __Host-shared-screen=yes"
        assert address not in client.get(f"/cases/{CASE}").text
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_accessible_with_the_names_shown(shown: Site, browsers: Browsers, language: str) -> None:
    """All panels open, at each width."""
    window = browsers.window(shown, "caseworker", language=language)
    page = window.go(f"/people/{person_of(shown)}/more")
    page.locator("select[name=purpose]").select_option("casework")
    page.locator("form[action$='/names'] button").click()
    expect(page.locator("form[action$='/represent']").first).to_be_visible()
    assert window.faults() == []
