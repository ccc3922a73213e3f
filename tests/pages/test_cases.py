"""The caseworker's job: from a new applicant to the waiting list, and a case as others see it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from allocator.casework.records import Kind
from allocator.ports import Query
from fixtures.demo_office import ACCOUNTS
from tests.pages.site import Browsers, Site


def heading(page: Page) -> str:
    """Return the main heading."""
    return page.get_by_role("heading", level=1).inner_text()


def test_a_caseworker_takes_a_new_applicant_to_the_waiting_list(site: Site, browsers: Browsers) -> None:
    """Register, open, check protection, assess fact by fact, list."""
    page = browsers.window(site, "caseworker").go("/cases")
    page.get_by_role("link", name="Ny søker").click()
    page.get_by_label("Navn").fill("Nora Oppdiktet")
    page.get_by_role("button", name="Gå videre").click()
    assert heading(page) == "Ny sak"
    page.get_by_role("button", name="Opprett saken").click()
    assert heading(page).startswith("Sak S-")
    case = page.url.rpartition("/")[2].partition("?")[0]
    assert "Nora" not in page.content()

    page.get_by_text("Adressebeskyttelse er sjekket i dag").click()
    page.get_by_role("button", name="Ja, jeg har sjekket den").click()
    page.get_by_role("button", name="Begynn kartleggingen").click()
    page.get_by_role("link", name="Endre: Kjønn").click()
    page.get_by_label("Kvinne").check()
    page.get_by_label("Hvem sier det?").select_option("applicant")
    page.get_by_role("button", name="Lagre", exact=True).click()
    expect(page.get_by_role("status").first).to_be_visible()
    assert page.url.startswith(f"{site.address}/cases/{case}")
    row = page.locator(".facts > div", has_text="Kjønn")
    expect(row).to_contain_text("Kvinne")
    expect(row).to_contain_text("Søkeren")

    page.get_by_role("link", name="Endre: Behov").click()
    page.get_by_label("Heis").check()
    page.get_by_label("Hvem sier det?").select_option("assessment")
    page.get_by_label("Hvem vurderte det?").fill("ergoterapeut")
    page.get_by_role("button", name="Lagre", exact=True).click()
    assert page.get_by_role("alert").get_by_role("link").count() == 1  # until when it holds
    assert page.get_by_label("Hvem vurderte det?").input_value() == "ergoterapeut"
    assert page.get_by_label("Heis").is_checked()
    page.get_by_label("Gjelder til").fill("2027-11-23")
    page.get_by_role("button", name="Lagre", exact=True).click()
    expect(page.locator(".facts > div", has_text="Behov")).to_contain_text("Heis")

    page.get_by_role("button", name="Kartleggingen er ferdig").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "går ikke slik saken står"
    )  # nobody has asked for wishes
    page.get_by_label("Hva mangler, og hvorfor kan det ikke skaffes nå?").fill("Ønsker: søkeren er innlagt.")
    page.get_by_role("button", name="Kartleggingen er ferdig").click()
    page.get_by_role("button", name="Sett på venteliste").click()
    assert page.get_by_role("alert").is_visible()  # a reason and a day are needed
    page.get_by_label("Hvorfor skal søkeren stå på ventelisten?").fill("Har ikke bolig.")
    page.get_by_label("Vurderes på nytt innen").fill("2027-05-01")
    page.get_by_role("button", name="Sett på venteliste").click()
    expect(page.locator(".case-state")).to_contain_text("På venteliste")


def test_wishes_are_written_down_in_their_order(site: Site, browsers: Browsers) -> None:
    """The first is the dearest; a place that is not wanted needs no reason. Works without scripts."""
    page = browsers.window(site, "caseworker", width=390, scripts=False).go("/cases/S-2026-111/wishes")
    page.get_by_label("Ønske nummer 1").select_option("tunet")
    page.get_by_label("Ønske nummer 2").select_option("nordlia")
    page.get_by_label("Sted nummer 1").select_option("havna")
    page.get_by_role("button", name="Lagre ønskene").click()
    card = page.locator("section", has=page.get_by_role("heading", name="Søkerens ønsker"))
    assert card.locator("ol li").all_inner_texts() == ["Tunet småhus", "Nordlia"]
    assert card.locator("ul li").all_inner_texts() == ["Havna"]


def test_two_who_change_the_same_do_not_overwrite_each_other(site: Site, browsers: Browsers) -> None:
    """The second is told, and keeps what was written."""
    first = browsers.window(site, "caseworker").go("/cases/S-2026-114")
    second = browsers.window(site, "caseworker").go("/cases/S-2026-114")
    for page in (first, second):
        page.get_by_label("Hvorfor skal søkeren stå på ventelisten?").fill("Bor hos venner.")
        page.get_by_label("Vurderes på nytt innen").fill("2027-05-01")
    first.get_by_role("button", name="Sett på venteliste").click()
    second.get_by_role("button", name="Sett på venteliste").click()
    assert "Noen har endret dette i mellomtiden" in second.content() or "slik saken står" in second.content()


def test_a_comment_is_saved_once_and_can_be_taken_back(site: Site, browsers: Browsers) -> None:
    """Whoever wrote it takes it back; that it was there is still told."""
    page = browsers.window(site, "committee_member").go("/cases/S-2026-106")
    page.get_by_label("Ny kommentar").fill("Søkeren var på visning i går.")
    page.get_by_role("button", name="Lagre kommentaren").dblclick()
    expect(page.get_by_text("Søkeren var på visning i går.")).to_have_count(1)
    page.get_by_role("button", name="Ta tilbake").click()
    expect(page.get_by_text("Søkeren var på visning i går.")).to_have_count(0)
    expect(page.get_by_text("Trukket tilbake.", exact=True)).to_be_visible()
    with site.storage.read() as tx:
        stored = tx.find(Query(Kind.COMMENT))
    assert sum(getattr(one.body, "of", None) == "S-2026-106" for one in stored) == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_a_name_is_shown_to_who_says_why_and_is_logged(
    shown: Site, browsers: Browsers, *, scripts: bool
) -> None:
    """In place with scripts, on a page of its own without."""
    page = browsers.window(shown, "caseworker", scripts=scripts).go("/cases/S-2026-101")
    with shown.storage.read() as tx:
        person = tx.get(Kind.PERSON, "P-S-2026-101")
    name = getattr(person.body, "name", None) if person is not None else None
    assert name
    assert name not in page.content()
    page.get_by_text("Navnet er skjult. Vis navn").click()
    page.get_by_label("Hvorfor trenger du navnet?").select_option("casework")
    page.get_by_role("button", name="Vis navn").click()
    expect(page.get_by_text(name)).to_be_visible()
    assert name not in page.url
    assert page.title() in ("Sak S-2026-101 – Tildeling", "Navn – Tildeling")


def test_a_case_of_somebody_protected_is_not_there(shown: Site) -> None:
    """Whoever is not cleared for kode 6 gets the same page as for a case that never was."""
    with shown.storage.read() as tx:
        cases = tx.find(Query(Kind.CASE))
        strict = {one.id for one in tx.find(Query(Kind.PERSON, states=frozenset({"strict"})))}
    hidden = next(one.id for one in cases if getattr(one.body, "person", None) in strict)
    with shown.client("committee_secretary") as client, shown.client("caseworker_kode_6") as cleared:
        there, never = client.get(f"/cases/{hidden}"), client.get("/cases/S-2026-999")
        assert (there.status_code, never.status_code) == (404, 404)
        assert there.text.replace(hidden, "S-2026-999") == never.text
        assert hidden not in client.get("/cases?view=running").text + client.get("/cases?view=ended").text
        sought, nothing = (client.post("/cases", data={"number": one}) for one in (hidden, "S-2026-999"))
        assert sought.status_code == nothing.status_code == 404
        assert sought.text.replace(hidden, "S-2026-999") == nothing.text
        assert cleared.get(f"/cases/{hidden}").status_code == 200


def test_a_number_leads_to_its_case(shown: Site, browsers: Browsers) -> None:
    """Found or not; the number never stands in a query."""
    page = browsers.window(shown, "committee_secretary").go("/cases")
    page.get_by_label("Saksnummer").fill("S-2026-103")
    page.get_by_role("button", name="Finn").click()
    assert heading(page) == "Sak S-2026-103"
    page.go_back()
    page.get_by_label("Saksnummer").fill("ingen sak")
    page.get_by_role("button", name="Finn").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert "?" not in page.url


@pytest.mark.parametrize("fact", ["risk", "needs", "gender", "conflicts_asked", "birth_date"])
def test_forms_of_facts_are_accessible_also_in_error(shown: Site, browsers: Browsers, fact: str) -> None:
    """Nothing chosen: every fault has a link to its field."""
    window = browsers.window(shown, "caseworker", width=320)
    page = window.go(f"/people/P-S-2026-113/facts/{fact}?case=S-2026-113")
    if page.get_by_role("button", name="Lagre", exact=True).count() == 0:
        return  # a role that does not write this fact down
    page.get_by_role("button", name="Lagre", exact=True).click()
    window.open_all()
    links = page.get_by_role("alert").get_by_role("link")
    expect(links.first).to_be_visible()
    for link in links.all():
        target = link.get_attribute("href")
        assert target is not None
        assert page.locator(f"[id='{target[1:]}']").count() == 1, target
    assert window.axe() == []
    assert window.sideways() == 0


def test_everybody_has_a_start_page_and_every_link_on_it_leads_somewhere(shown: Site) -> None:
    """No link ends at a page that is not there for whoever it is shown to."""
    broken: list[tuple[str, str, int]] = []
    for login, *_ in ACCOUNTS:
        with shown.client(login) as client:
            page = client.get("/")
            assert page.status_code == 200
            main = page.text.partition("<main")[2].partition("</main>")[0]
            for link in sorted(set(re.findall(r'href="(/[^"#]*)"', main))):
                status = client.get(link, follow_redirects=True).status_code
                if status != 200:
                    broken.append((login, link, status))
    assert broken == []
