"""Units and schemes: what is free, who lives door to door, and what leaders and the property manager do."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.pages.site import Browsers, Site


def test_what_is_free_and_for_how_long(shown: Site, browsers: Browsers) -> None:
    """The secretary sees units that stand empty, with the days; all of them on request."""
    page = browsers.window(shown, "committee_secretary").go("/units")
    row = page.get_by_role("row").filter(has_text="tunet-2")
    expect(row).to_contain_text("tom i 99 dager")
    assert page.get_by_role("link", name="nordlia-1").count() == 0
    page.get_by_role("link", name="Alle", exact=True).click()
    assert page.get_by_role("link", name="nordlia-1", exact=True).count() == 1


def test_a_unit_is_taken_out_of_use_and_back(site: Site, browsers: Browsers) -> None:
    """A closed unit says since when and why; it is opened again on the same page."""
    page = browsers.window(site, "property_manager").go("/units/tunet-2")
    page.get_by_text("Ta boligen ut av bruk").click()
    page.get_by_role("button", name="Ta ut av bruk").click()
    assert page.get_by_role("alert").is_visible()
    page.get_by_label("Hvorfor?").last.select_option("under_repair")
    page.get_by_role("button", name="Ta ut av bruk").click()
    expect(page.get_by_role("button", name="Ta i bruk igjen")).to_be_visible()
    page.get_by_role("button", name="Ta i bruk igjen").click()
    expect(page.get_by_text("Ta boligen ut av bruk")).to_be_visible()


def test_a_leader_writes_down_notice_and_takes_it_back(site: Site, browsers: Browsers) -> None:
    """Without scripts; the plan says when the resident leaves."""
    page = browsers.window(site, "scheme_leader", scripts=False).go("/schemes/nordlia")
    page.get_by_text("nordlia-1: B-01").click()
    form = page.locator("form[action$='/L-B-01/give_notice']")
    form.get_by_label("Siste dag i boligen").fill("2026-12-31")
    form.get_by_label("Beboeren").check()
    form.get_by_role("button").click()
    room = page.locator(".room").filter(has_text="B-01")
    assert "31. desember 2026" in room.inner_text()
    page.get_by_text("nordlia-1: B-01").click()
    page.get_by_role("button", name="Oppsigelsen er trukket tilbake").first.click()
    assert "desember" not in page.locator(".room").filter(has_text="B-01").inner_text()


def test_how_the_mix_would_be_with_an_applicant(shown: Site, browsers: Browsers) -> None:
    """The numbers today and with the applicant stand side by side."""
    page = browsers.window(shown, "committee_secretary").go("/schemes/nordlia")
    page.get_by_label("Hvordan blir det om denne søkeren flytter inn?").select_option("S-2026-101")
    page.get_by_role("button", name="Vis", exact=True).click()
    table = page.get_by_role("table").first
    expect(table.get_by_role("columnheader", name="Med søkeren")).to_be_visible()
    men = table.get_by_role("row").filter(has_text="Mann").get_by_role("cell")
    assert [int(text) for text in men.all_inner_texts()] == [5, 6]


def test_a_resident_is_heard_and_stays_unnamed(site: Site, browsers: Browsers) -> None:
    """Staff write it down; the committee sees the answer, never whose it is."""
    page = browsers.window(site, "scheme_leader").go("/schemes/nordlia")
    page.get_by_text("Skriv ned hva en beboer svarte").click()
    page.get_by_label("Hvem ble spurt?").select_option("B-02")
    page.get_by_label("Hva ble beboeren spurt om?").select_option("quiet_and_safety")
    page.get_by_label("bekymret").check()
    page.get_by_role("button", name="Lagre svaret").click()
    expect(page.get_by_role("status").first).to_be_visible()
    with site.client("committee_member") as client:
        section = client.get("/schemes/nordlia").text.partition('id="says"')[2].partition("</section>")[0]
        assert "ekymret" in section
        assert "B-02" not in section
