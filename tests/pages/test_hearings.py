"""Scheme staff answer a hearing on a phone; those who sent it follow it up."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from allocator.casework.codes import HazardKind, Role
from allocator.casework.records import Kind
from allocator.casework.voice import Veto
from allocator.ports import Query
from allocator.service.hazards import ReportHazard
from tests.pages.site import Browsers, Site

HEARING = "/hearings/hearing-05"


def test_staff_object_on_a_phone(site: Site, browsers: Browsers) -> None:
    """From the task to an objection with its ground and fact; what is missing is said beside its field."""
    staff = site.somebody(Role.SCHEME_STAFF, "nordlia", login="scheme_staff")
    alone = ReportHazard(scheme="nordlia", what=HazardKind.WORKING_ALONE, text="Nattevakten er alene.")
    site.run(staff, "hazards.report", alone)
    window = browsers.window(site, "scheme_staff", width=390)
    page = window.go("/")
    page.get_by_role("link", name="S-2026-109").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Kan søkeren bo hos dere?"
    expect(page.get_by_label("Hva er grunnen?")).to_be_hidden()
    page.get_by_label("Vi har en innvending").check()
    page.get_by_role("button", name="Send svaret").click()
    links = page.get_by_role("alert").get_by_role("link")
    expect(links).to_have_count(4)
    assert window.axe() == []
    links.first.click()
    expect(page.get_by_label("Hva er grunnen?")).to_be_focused()
    page.get_by_label("Hva er grunnen?").select_option("staffing_competence")
    page.get_by_label("Hva skjedde, eller hva har du sett?").fill("To vakter sluttet i oktober.")
    page.get_by_label("Når var det?").fill("2026-10-20")
    page.get_by_label("Hvem har sett eller sagt det?").select_option("staff")
    page.get_by_text("Mer, hvis du vil").click()
    page.get_by_label("Henger den sammen med en risiko på jobb?").select_option(index=1)
    page.get_by_role("button", name="Send svaret").click()
    expect(page.get_by_role("status").first).to_be_visible()
    expect(page.get_by_role("heading", name="Svar på nytt")).to_be_visible()
    with site.storage.read() as tx:
        raised = [one.body for one in tx.find(Query(Kind.VETO))]
    assert any(
        isinstance(one, Veto)
        and one.entry.fact.text == "To vakter sluttet i oktober."
        and one.author == "scheme_staff"
        and one.hazard is not None
        for one in raised
    )


def test_what_safety_of_staff_is_tied_to_is_asked_for_where_it_is_filled_in(
    site: Site, browsers: Browsers
) -> None:
    """It is said as soon as that ground is chosen; when it is missing its panel is open."""
    page = browsers.window(site, "scheme_staff", width=390).go(HEARING)
    page.get_by_label("Vi har en innvending").check()
    told = page.get_by_text("Sikkerhet for ansatte må knyttes til")
    expect(told).to_be_hidden()
    page.get_by_label("Hva er grunnen?").select_option("staff_safety")
    expect(told).to_be_visible()
    page.get_by_label("Hva skjedde, eller hva har du sett?").fill("Nattevakten ble truet i oktober.")
    page.get_by_label("Når var det?").fill("2026-10-20")
    page.get_by_label("Hvem har sett eller sagt det?").select_option("staff")
    expect(page.get_by_label("Avviksmelding")).to_be_hidden()
    page.get_by_role("button", name="Send svaret").click()
    expect(page.get_by_role("alert")).to_contain_text("må knyttes til en meldt risiko")
    page.get_by_label("Avviksmelding").check()
    page.get_by_role("button", name="Send svaret").click()
    expect(page.get_by_role("heading", name="Svar på nytt")).to_be_visible()


def test_an_answer_by_keyboard_alone(site: Site, browsers: Browsers) -> None:
    """Tab to the choices, arrows within them, Enter on the button; the answer can be changed."""
    page = browsers.window(site, "scheme_staff").go(HEARING)
    _tab_to(page, "Det går bra")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Det går bra, men vi har en kommentar").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Vi trenger en uke til å gjøre klart.")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText").strip() == "Send svaret"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Vi trenger en uke til å gjøre klart.")).to_be_visible()


def _tab_to(page: Page, label: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.get_by_label(label, exact=True).evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{label} is not reached")


def test_no_objection_without_scripts(site: Site, browsers: Browsers) -> None:
    """All fields are there; only those of the answer that was chosen count."""
    page = browsers.window(site, "scheme_leader", scripts=False).go(HEARING)
    page.get_by_label("Det går bra", exact=True).check()
    page.get_by_label("Hva skjedde, eller hva har du sett?").fill("Noe som ble skrevet ved en feil.")
    page.get_by_role("button", name="Send svaret").click()
    assert "Ingen innvending" in page.get_by_role("main").inner_text()
    assert "ved en feil" not in page.content()


def test_the_secretary_gives_more_time_and_sees_the_answers(site: Site, browsers: Browsers) -> None:
    """A deadline in the past is refused where it stands."""
    page = browsers.window(site, "committee_secretary").go(HEARING)
    assert page.get_by_role("button", name="Send svaret").count() == 0
    page.get_by_label("Ny frist").fill("2026-11-01")
    page.get_by_role("button", name="Gi mer tid").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Ny frist").fill("2026-12-10")
    page.get_by_role("button", name="Gi mer tid").click()
    expect(page.get_by_text("Svar innen 10. desember 2026")).to_be_visible()


def test_staff_see_of_a_hearing_only_what_they_need(shown: Site) -> None:
    """No health, no risk, no name; a hearing of another scheme is not there."""
    with shown.client("scheme_staff") as client, shown.client("scheme_leader_2") as elsewhere:
        page = client.get(HEARING).text
        for word in ("Hovedrusmiddel", "Voldsrisiko", "ROP-lidelse", "Person P-S-2026-109"):
            assert word not in page
        assert elsewhere.get(HEARING).status_code == 404
