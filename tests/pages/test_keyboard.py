"""The suggestion and the meeting with the keyboard alone: Tab, Enter, Space, arrows and Escape.

On every stop the focus must be drawn and seen, and no answer that is put in place may lose it.
"""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from allocator.casework.committee import Decision, Meeting
from allocator.casework.records import Kind
from allocator.casework.voice import Comment, Hearing, Veto
from allocator.ports import Query
from tests.office import TODAY
from tests.pages.keys import Keys
from tests.pages.site import Browsers, Site
from tests.pages.test_meetings import objected
from tests.pages.test_suggestions import made

expect.set_options(timeout=30_000)

CASE = "S-2026-110"
TOLD = "Hvem bor her, regel for regel og poeng"
GROUNDS = "Utvalget har lagt vekt på at søkeren kjenner naboene her og får være i ro."
WHY = "Det andre stedet ligger for langt fra dem som følger opp."


def test_a_suggestion_is_read_and_taken_on_by_the_keyboard_alone(site: Site, browsers: Browsers) -> None:
    """Reasons, points, two side by side, and on to meeting, hearing and a remark, in place."""
    path = made(site, case=CASE)
    page = browsers.window(site, "committee_secretary").go(path)
    page.wait_for_load_state("networkidle")
    keys = Keys(page)
    _read(keys)
    _take_on(keys)
    with site.storage.read() as tx:
        heard = [one.body for one in tx.find(Query(Kind.HEARING)) if isinstance(one.body, Hearing)]
        remarks = [one.body for one in tx.find(Query(Kind.COMMENT)) if isinstance(one.body, Comment)]
        meetings = [one.body for one in tx.find(Query(Kind.MEETING)) if isinstance(one.body, Meeting)]
    assert [one.units for one in heard if one.case == CASE] == [("tunet-2",)]
    assert any(path.endswith(f"/{one.of}") and one.withdrawn for one in remarks)
    assert any(item.case == CASE and item.note == "Haster." for one in meetings for item in one.agenda)


def _read(keys: Keys) -> None:
    """Open the reasons of a unit and its points, and put two units side by side."""
    page = keys.page
    keys.enter("Til hovedinnhold")
    keys.to(TOLD)
    keys.press("Enter")
    panel = page.locator("#all-tunet-2")
    expect(panel.locator(".breakdown")).to_be_visible()
    assert keys.standing() == TOLD
    keys.enter(re.compile(r"\d+ regler er fulgt"))
    expect(panel.locator("details.kept li").first).to_be_visible()
    keys.press("Enter")
    expect(panel.locator("details.kept li").first).to_be_hidden()
    keys.enter("Sammenlign de to")
    expect(page.get_by_role("heading", level=1)).to_have_text("tunet-2 og strandgata-5 side om side")
    keys.enter("Til hovedinnhold")
    keys.choose("Den andre", "3.")
    keys.enter("Vis")
    expect(page.get_by_role("heading", level=1)).to_have_text("tunet-2 og strandgata-k-2 side om side")
    keys.enter("Til hovedinnhold")
    keys.enter(f"Forslag {CASE}")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Forslag til bolig for {CASE}")
    page.wait_for_load_state("networkidle")


def _take_on(keys: Keys) -> None:
    """Add the case to a meeting, ask the staff, and make a remark and take it back, in place."""
    page = keys.page
    keys.enter("Til hovedinnhold")
    keys.enter("Møte, høring og merknader")
    keys.enter("Legg til på et møte")
    keys.choose("Møte", "30. november 2026")
    keys.write("Merknad til sakslisten (valgfritt)", "Haster.")
    keys.enter("Legg til på sakslisten")
    keys.told("Lagt til på sakslisten.")

    keys.enter("Spør de ansatte i et botiltak")
    keys.choose("Botiltak", "Tunet")
    keys.to("tunet-2")
    keys.press("Space")
    keys.to("Send på høring")
    keys.press("Enter")
    keys.told("Høringen er sendt.")

    keys.enter("Skriv en merknad")
    keys.enter("Lagre merknaden")
    assert keys.standing() == "Merknad"  # which is empty
    page.keyboard.type("Har noen snakket med søkeren?")
    keys.enter("Lagre merknaden")
    keys.told("Merknaden er lagret.")
    keys.enter("Ta tilbake")
    keys.told("Merknaden er trukket tilbake.")


def test_staff_object_from_the_suggestion_by_the_keyboard_alone(site: Site, browsers: Browsers) -> None:
    """First with too little said: the faults have the focus, and lead to their fields."""
    path = made(site, case="S-2026-103")
    page = browsers.window(site, "scheme_leader_2").go(path)
    page.wait_for_load_state("networkidle")
    keys = Keys(page)
    keys.enter("Til hovedinnhold")
    keys.enter("Hvem bor her, og regel for regel")
    name = str(page.locator(":focus").evaluate("one => one.closest('article').id")).removeprefix("e-")
    panel = page.locator(f"#all-{name}")
    expect(panel.locator(".plan")).to_be_visible()
    keys.enter("Meld en innvending")
    keys.choose("Hva er grunnen?", "bemanning eller kompetanse")
    keys.write("Hva skjedde, eller hva har du sett?", "Tre vakter sto ledige i forrige uke.")
    keys.to("Når var det?")
    page.keyboard.type("12242026")
    keys.choose("Hvem har sett eller sagt det?", "ansatte")
    keys.enter("Send innvendingen")
    keys.told("Når var det")
    keys.enter(re.compile("Når var det.*"))
    page.keyboard.type("11202026")
    keys.enter("Send innvendingen")
    keys.told("Innvendingen er meldt.")
    expect(panel).to_contain_text("Tre vakter sto ledige i forrige uke.")
    with site.storage.read() as tx:
        raised = [one.body for one in tx.find(Query(Kind.VETO)) if isinstance(one.body, Veto)]
    assert any(one.entry.fact.text == "Tre vakter sto ledige i forrige uke." for one in raised)


def test_a_name_is_shown_in_place_without_losing_the_focus(shown: Site, browsers: Browsers) -> None:
    """After the button is gone the focus stands where the name is."""
    page = browsers.window(shown, "caseworker").go("/cases/S-2026-101")
    keys = Keys(page)
    keys.enter("Til hovedinnhold")
    keys.enter("Navnet er skjult. Vis navn")
    keys.choose("Hvorfor trenger du navnet?", "Saksbehandling")
    keys.enter("Vis navn")
    keys.told("Person P-S-2026-101 (oppdiktet)")


def test_a_meeting_is_held_by_the_keyboard_alone(site: Site, browsers: Browsers) -> None:
    """Who is there, who may not take part, a shared screen, a decision against the advice, the minutes."""
    site.clock.moment += timedelta(hours=2)
    objected(site)
    site.clock.to(TODAY + timedelta(days=7))
    page = browsers.window(site, "committee_leader").go("/meetings/meeting-03")
    keys = Keys(page)
    _begin(keys)
    _talk(keys)
    decision = _decide(keys)
    assert site.now(Decision, decision).body.grounds == GROUNDS
    _write_minutes(Keys(browsers.window(site, "committee_secretary").go("/meetings/meeting-03")))
    minutes = site.now(Meeting, "meeting-03").body.minutes
    assert minutes is not None
    assert minutes.endswith("Utvalget drøftet bemanningen om natta.")
    assert "Ida Oppdiktet var inhabil" in minutes


def _begin(keys: Keys) -> None:
    """Say who is there, open the meeting and a case, and switch the shared screen on and off."""
    page = keys.page
    keys.enter("Til hovedinnhold")
    keys.to("Kari Oppdiktet")
    keys.press("Space")
    assert not page.get_by_label("Kari Oppdiktet").is_checked()
    keys.press("Space")  # she came after all
    keys.enter("Sett møtet")
    expect(page.get_by_text("Møtet er i gang.")).to_be_visible()

    keys.enter("Til hovedinnhold")
    keys.enter("S-2026-101")
    expect(page.get_by_role("heading", level=1)).to_have_text("Punkt 1: S-2026-101")
    keys.enter("Til hovedinnhold")
    keys.enter("Slå på delt skjerm")
    expect(page.get_by_text("Delt skjerm: det som bare er for den som er klarert")).to_be_visible()
    keys.enter("Slå av")
    expect(page.get_by_text("Skal flere se skjermen?")).to_be_visible()
    keys.enter("Til hovedinnhold")
    keys.enter("Lag nytt forslag")
    expect(page.get_by_text("Forslaget er klart.")).to_be_visible()
    keys.to("tunet-2")  # the first in the new suggestion, where the page was taken


def _talk(keys: Keys) -> None:
    """Make a remark in place, and say who may not take part."""
    page = keys.page
    keys.enter("Skriv en merknad")
    keys.write("Merknad", "Er nattevakten på plass nå?")
    keys.enter("Lagre merknaden")
    keys.told("Merknaden er lagret.")
    keys.enter("Meld inhabilitet")
    keys.choose("Hvem (valgfritt)", "Ida Oppdiktet")
    keys.choose("Grunn", "behandler")
    keys.enter("Registrer inhabilitet")
    expect(page.get_by_text("Inhabil: Ida Oppdiktet")).to_be_visible()


def _decide(keys: Keys) -> str:
    """Propose what the rules advise against, with grounds, and return the decision."""
    page = keys.page
    keys.enter("Til hovedinnhold")
    keys.enter("Foreslå elvebakken-4")
    expect(page.get_by_role("heading", level=1)).to_have_text("Foreslå vedtak i sak S-2026-101")
    keys.enter("Til hovedinnhold")
    keys.write("Begrunnelse", GROUNDS)
    keys.write("Hvorfor dere går mot rådet", WHY)
    keys.to(re.compile("Ikke tatt til følge|Tatt til følge.*|Delvis.*", re.IGNORECASE))
    while not page.get_by_label("ikke tatt til følge").is_checked():
        keys.press("ArrowDown")
    keys.write("Begrunnelse for svaret", "Det er satt inn en fast vikar fra mandag.")
    keys.enter("Foreslå vedtaket")
    expect(page.get_by_text("Forslaget til vedtak er lagret.")).to_be_visible()
    return page.url.rpartition("/")[2].partition("?")[0]


def _write_minutes(keys: Keys) -> None:
    """Write the minutes from the draft."""
    page = keys.page
    keys.enter("Til hovedinnhold")
    keys.enter("Skriv protokollen")
    expect(page.get_by_role("heading", level=1)).to_have_text("Protokoll")
    keys.enter("Til hovedinnhold")
    keys.write("Det som ble drøftet", "Utvalget drøftet bemanningen om natta.")
    keys.enter("Lagre protokollen")
    expect(page.get_by_text("Protokollen er lagret.")).to_be_visible()
