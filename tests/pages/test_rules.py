"""The policy owner reads why a rule fired, policies are compared, and the log and the reports are read."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from sqlalchemy import text

from allocator.handbook import entry
from allocator.rules import TOPICS
from allocator.texts import catalog
from tests.browsers import default_policy
from tests.pages.site import Browsers, Site


def test_every_rule_has_its_page_with_source_numbers_and_justification(shown: Site) -> None:
    """What the handbook says stands there, in each language."""
    policy = default_policy()
    for language in ("nb", "nn", "en"):
        with shown.client("policy_owner", language) as client:
            listed = client.get("/rules").text
            for rule in (rule for rules in TOPICS.values() for rule in rules):
                said = entry(policy, rule.id, catalog(language))
                assert f'href="/rules/{rule.id}"' in listed
                page = client.get(f"/rules/{rule.id}")
                assert page.status_code == 200
                for text in (said.title, *said.sources, *(one.value for one in said.params)):
                    assert _escaped(text) in page.text, (rule.id, text)
            assert client.get("/rules/no-such-rule").status_code == 404


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")


def test_the_policy_owner_finds_why_a_rule_fired_and_what_would_change(
    shown: Site, browsers: Browsers
) -> None:
    """From the list to the rule, and to what the proposed policy changes."""
    page = browsers.window(shown, "policy_owner").go("/rules")
    page.get_by_role("link", name="Kvinner og menn i samme bogruppe").click()
    expect(page.get_by_text("søkerens kjønn er noe annet enn beboerens kjønn")).to_be_visible()
    expect(page.get_by_role("heading", name="Begrunnelse for å bruke kjønn")).to_be_visible()
    page.get_by_role("link", name="Regler").first.click()
    page.get_by_role("link", name="Sammenlign to regelsett").click()
    assert page.get_by_role("table").count() >= 1
    assert page.get_by_role("columnheader", name="2026-11").count() >= 1


def test_a_policy_that_is_no_policy_is_refused_with_its_text_kept(shown: Site, browsers: Browsers) -> None:
    """Everything that is wrong is said at once."""
    page = browsers.window(shown, "policy_owner").go("/rules")
    page.get_by_text("Foreslå et nytt regelsett").click()
    page.get_by_label("Regelsettet som TOML").fill("name = 'x'")
    page.get_by_role("button", name="Foreslå", exact=True).click()
    assert page.get_by_role("alert").get_by_role("listitem").count() >= 3
    assert page.get_by_label("Regelsettet som TOML").input_value() == "name = 'x'"


def test_the_auditor_reads_who_did_what_and_others_do_not(shown: Site, browsers: Browsers) -> None:
    """By person and by what; whom one looks for stands in no address."""
    page = browsers.window(shown, "auditor").go("/log")
    page.get_by_label("Om hvem").fill("P-S-2026-101")
    page.get_by_role("button", name="Finn").click()
    rows = page.get_by_role("table").get_by_role("row")
    assert rows.count() > 1
    for row in rows.all()[1:6]:
        assert "P-S-2026-101" in row.inner_text()
    assert page.url == f"{shown.address}/log"
    page.get_by_label("Om hvem").fill("B-99")
    page.get_by_role("button", name="Finn").click()
    expect(page.get_by_text("Ingenting i loggen passer.")).to_be_visible()
    with shown.client("caseworker") as client:
        assert client.get("/log").status_code == 403


def test_the_log_is_verified_from_its_page(site: Site, browsers: Browsers) -> None:
    """When and by whom it was, against which checkpoint, and what was wrong; without scripts too."""
    for scripts in (True, False):
        page = browsers.window(site, "auditor", scripts=scripts).go("/log")
        if scripts:
            expect(page.get_by_text("Loggen er ikke kontrollert herfra ennå.")).to_be_visible()
        page.get_by_role("button", name="Kontroller nå").click()
        whole = page.get_by_role("region", name="Er loggen hel?")
        expect(whole).to_contain_text("Ingenting er endret, borte eller lagt til")
        expect(whole).to_contain_text("av Oda Oppdiktet")
        expect(whole).to_contain_text("Ikke sammenlignet med noe signert kontrollpunkt.")
    with site.connections.engine.begin() as connection:
        connection.execute(text("delete from record_link where kind = 'case'"))
    window = browsers.window(site, "auditor", width=390, language="en")
    page = window.go("/log")
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("Something was changed, lost or added")).to_be_visible()
    expect(page.get_by_text("Lists and states do not fit what is stored.")).to_be_visible()
    assert window.axe() == []
    with site.client("caseworker") as client:
        assert client.post("/log/verify").status_code == 403


def test_older_entries_follow_without_gaps(shown: Site, browsers: Browsers) -> None:
    """The next page goes on where this one ended."""
    page = browsers.window(shown, "auditor", scripts=False).go("/log")
    first = page.get_by_role("row").all_inner_texts()
    page.get_by_role("button", name="Eldre").click()
    second = page.get_by_role("row").all_inner_texts()
    assert len(second) > 2
    assert first != second


def test_small_numbers_about_people_are_hidden_on_the_page(shown: Site) -> None:
    """Fewer than five are never told; where units stand empty is about nobody."""
    with shown.client("committee_leader") as client:
        page = client.get("/reports").text
        assert "færre enn 5" in page
        assert "tunet-2" in page
    with shown.client("committee_member") as client:
        assert client.get("/reports").status_code == 404


def test_whoever_is_asked_by_a_person_tells_who_has_looked(shown: Site, browsers: Browsers) -> None:
    """With the purpose of subject access, which is logged."""
    with shown.client("committee_secretary") as client:
        assert client.get("/cases/S-2026-101").status_code == 200
    window = browsers.window(shown, "caseworker", width=390)
    page = window.go("/people/P-S-2026-101/looks")
    page.get_by_role("button", name="Lag oversikten").click()
    rows = page.locator("tbody tr")
    expect(page.locator("td[data-label='Formål']").first).to_be_visible()
    assert rows.filter(has_text="Så noe").count() > 0
    assert rows.filter(has_text="Endret noe").count() > 1
    assert window.axe() == []
    window.resize(1440)
    page.emulate_media(media="print")
    expect(page.get_by_role("columnheader", name="Formål")).to_be_visible()
    expect(page.get_by_role("main").get_by_text("Anne Oppdiktet").first).to_be_visible()
    expect(page.get_by_role("navigation").first).not_to_be_visible()
    with shown.client("caseworker") as client:
        assert client.post("/people/P-S-2026-999/looks").status_code == 404
    with shown.client("committee_member") as client:
        assert client.get("/people/P-S-2026-101/looks").status_code == 403
        assert client.post("/people/P-S-2026-101/looks").status_code == 403


def test_the_auditor_comes_to_the_overview_from_what_they_search_for(shown: Site, browsers: Browsers) -> None:
    """Whoever searches for a person is one click from it."""
    page = browsers.window(shown, "auditor").go("/log")
    page.get_by_label("Om hvem").fill("P-S-2026-101")
    page.get_by_role("button", name="Finn").click()
    page.get_by_role("link", name="Lag en oversikt til personen").click()
    page.get_by_role("button", name="Lag oversikten").click()
    expect(page.get_by_role("row").nth(1)).to_be_visible()


def test_the_conflict_officer_keeps_conflicts_and_nobody_else_sees_them(
    site: Site, browsers: Browsers
) -> None:
    """Record, see, close; for others the page is not there."""
    page = browsers.window(site, "conflict_officer").go("/conflicts")
    page.get_by_text("Registrer en konflikt").click()
    form = page.locator("form[action='/conflicts']")
    form.get_by_label("Nummeret til den ene").fill("P-S-2026-104")
    form.get_by_label("Nummeret til den andre").fill("B-05")
    form.get_by_label("Hva gjelder det?").select_option("enemy")
    form.get_by_label("Hvem sier det?").select_option("staff")
    form.get_by_label("Hva har skjedd?").fill("Slagsmål i sommer.")
    form.get_by_label("Hva er den første i konflikten?").select_option("exposed")
    form.get_by_label("Hva er den andre i konflikten?").select_option("exposing")
    form.get_by_role("group", name="Har en annen kilde bekreftet den?").get_by_label("Ja").check()
    form.get_by_label("Når ble det sagt?").fill("2026-12-01")
    form.get_by_role("button", name="Registrer").click()
    expect(form.get_by_label("Når ble det sagt?")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Når ble det sagt?").fill("2026-08-01")
    form.get_by_role("button", name="Registrer").click()
    entry_of = page.get_by_text("P-S-2026-104 – B-05")
    expect(entry_of).to_be_visible()
    entry_of.click()
    entry = page.locator("details").filter(has=entry_of)
    expect(entry).to_contain_text("P-S-2026-104: den som er utsatt")
    expect(entry).to_contain_text("B-05: den som er en fare for den andre")
    expect(entry).to_contain_text("1. august 2026")
    assert "ikke bekreftet" not in entry_of.inner_text()
    entry.get_by_label("Hvem bekrefter det?").select_option("police")
    entry.get_by_label("Hva sier de?").fill("Det samme.")
    entry.get_by_label("Hvem oppgir den nå?").select_option("mutual")
    entry.get_by_role("button", name="Bekreft").click()
    entry_of.click()
    expect(entry.locator("dl")).to_contain_text("Begge")
    expect(entry.locator("dl")).to_contain_text("23. november 2026")
    for login in ("caseworker", "committee_secretary", "scheme_leader", "committee_member"):
        with site.client(login) as client:
            assert client.get("/conflicts").status_code == 404
            assert "Slagsmål i sommer." not in client.get("/cases/S-2026-104").text


def test_an_order_says_who_gave_it_and_where_it_holds(site: Site, browsers: Browsers) -> None:
    """Recorded as it is told, and as it stands when somebody has seen it."""
    page = browsers.window(site, "conflict_officer").go("/conflicts")
    page.get_by_text("Registrer et forbud").click()
    form = page.locator("form[action='/conflicts/orders']")
    form.get_by_label("Hva slags?").select_option("visiting_ban")
    form.get_by_label("Nummeret til den forbudet gjelder").fill("P-S-2026-104")
    form.get_by_label("Nordlia").check()
    form.get_by_label("Gjelder fra").fill("2026-11-01")
    form.get_by_label("Gjelder til").fill("2027-05-01")
    form.get_by_label("Hvem som har gitt det").fill("Politiet i Fjordby")
    form.get_by_role("button", name="Registrer").click()
    title = page.get_by_text(re.compile("P-S-2026-104, til 1. mai 2027"))
    title.click()
    order = page.locator("details").filter(has=title)
    expect(order).to_contain_text("Nordlia")
    expect(order).to_contain_text("Politiet i Fjordby")
    expect(order).to_contain_text("Det advarer, men stenger ikke.")
    order.get_by_label("Saksnummer").first.fill("12345/26")
    order.get_by_role("button", name="Forbudet er sett").click()
    title.click()
    expect(order).to_contain_text("12345/26")
    expect(order).to_contain_text("Politiet i Fjordby")
    expect(order.locator("dl")).to_contain_text("23. november 2026")


def test_whoever_has_heard_of_a_conflict_reports_it(site: Site, browsers: Browsers) -> None:
    """It warns, and bars nobody; a number that is not there is refused like one that is hidden."""
    page = browsers.window(site, "caseworker").go("/cases/S-2026-111")
    page.get_by_role("link", name="Meld en konflikt").click()
    page.get_by_label("Nummeret til den andre").fill("B-00")
    page.get_by_label("Hva gjelder det?").select_option("enemy")
    page.get_by_label("Hvem sier det?").select_option("applicant")
    page.get_by_label("Hva har skjedd?").fill("Søkeren sier at de er uvenner.")
    page.get_by_role("button", name="Meld konflikten").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Nummeret til den andre").fill("B-05")
    page.get_by_role("button", name="Meld konflikten").click()
    expect(page.get_by_role("status").first).to_be_visible()
