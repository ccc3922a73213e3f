"""Units and schemes: what is free, who lives door to door, and what leaders and the property manager do."""

from __future__ import annotations

import re
from datetime import date

from playwright.sync_api import expect

from allocator.casework.codes import Clearance, Purpose, Role
from allocator.casework.housing import Tenancy
from allocator.codes import ConflictKind, FactSource
from allocator.service.people import RegisterPerson
from allocator.service.relations import RecordConflict
from tests.pages.site import Browsers, Site


def test_what_is_free_and_for_how_long(shown: Site, browsers: Browsers) -> None:
    """The secretary sees units that stand empty, with the days; all of them on request."""
    page = browsers.window(shown, "committee_secretary").go("/units")
    row = page.get_by_role("row").filter(has_text="tunet-2")
    expect(row).to_contain_text("Har stått tom i 99 dager.")
    assert page.get_by_role("link", name="nordlia-1").count() == 0
    page.get_by_role("link", name="Alle", exact=True).click()
    assert page.get_by_role("link", name="nordlia-1", exact=True).count() == 1


def test_a_unit_is_taken_out_of_use_and_back(site: Site, browsers: Browsers) -> None:
    """A closed unit says since when and why; it is opened again on the same page."""
    page = browsers.window(site, "property_manager").go("/units/tunet-2")
    page.get_by_text("Ta boligen ut av bruk").click()
    page.get_by_role("button", name="Ta ut av bruk").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Hvorfor?").last.select_option("under_repair")
    page.get_by_role("button", name="Ta ut av bruk").click()
    expect(page.get_by_role("button", name="Ta i bruk igjen")).to_be_visible()
    page.get_by_role("button", name="Ta i bruk igjen").click()
    expect(page.get_by_text("Ta boligen ut av bruk")).to_be_visible()


def test_who_lived_there_already_is_written_down_and_what_is_known_of_them(
    site: Site, browsers: Browsers
) -> None:
    """A wrong number is refused beside its field; from the home one comes to the facts and back."""
    caseworker = site.somebody(Role.CASEWORKER, login="caseworker")
    person = site.run(caseworker, "people.register", RegisterPerson(interpreter=True)).stored.id
    page = browsers.window(site, "caseworker").go("/units/tunet-2")
    page.get_by_text("Noen bor her fra før").click()
    page.get_by_label("Personens nummer").fill("P-ukjent")
    page.get_by_role("button", name="Registrer beboeren").click()
    expect(page.get_by_label("Personens nummer")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Personens nummer").fill(person)
    page.get_by_label("Flyttet inn").fill("2026-10-01")
    page.get_by_role("button", name="Registrer beboeren").click()
    expect(page.get_by_text("1. oktober 2026")).to_be_visible()
    home = site.now(Tenancy, page.url.split("/")[-2]).body
    assert (home.person, home.unit, home.moved_in) == (person, "tunet-2", date(2026, 10, 1))

    expect(page.get_by_text("Trenger tolk")).to_be_visible()
    page.get_by_role("link", name="Endre: Kjønn").click()
    page.get_by_label("Kvinne").check()
    page.get_by_label("Hvem sier det?").select_option("staff")
    page.get_by_role("button", name="Lagre").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Leieforhold i tunet-2")
    expect(page.get_by_role("region", name="Beboeren")).to_contain_text("Kvinne")
    page.get_by_role("link", name="Endre: Kjønn").click()
    page.get_by_role("link", name="Leieforholdet").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Leieforhold i tunet-2")


def test_only_who_may_fill_a_home_that_is_empty_is_asked_who_lives_there(shown: Site) -> None:
    """Not the committee, not elsewhere than in one's own scheme, not where somebody lives."""
    asks = "Noen bor her fra før"
    for login, unit, asked in (
        ("caseworker", "tunet-2", True),
        ("caseworker", "nordlia-1", False),
        ("committee_secretary", "tunet-2", False),
        ("scheme_leader", "tunet-2", False),
        ("auditor", "tunet-2", False),
    ):
        with shown.client(login) as client:
            assert (asks in client.get(f"/units/{unit}").text) is asked, (login, unit)


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


# ----------------------------------------------------------------------------------- their own advice


def own_advice(site: Site, login: str, scheme: str = "strandgata") -> str:
    """Return the page of a scheme as somebody gets it, without the keys of its forms."""
    with site.client(login) as client:
        return re.sub(r'name="_key" value="[^"]*"', "", client.get(f"/schemes/{scheme}").text)


def test_the_advice_that_residents_break_among_themselves(shown: Site, browsers: Browsers) -> None:
    """By rule, with the sentence, between whom, and where it comes from; the rule is one click away."""
    page = browsers.window(shown, "committee_secretary").go("/schemes/strandgata")
    first = page.get_by_role("region", name="Første etasje")
    line = first.get_by_role("listitem").filter(has_text="B-14 og B-11, B-12 og B-13.")
    expect(line.last).to_contain_text("Bare den ene av søkeren og beboer B-11 har ROP-lidelse.")
    first.get_by_text("Kildene er uenige").click()
    expect(first).to_contain_text("Beskrivelse av hvem som gjorde hva")
    first.get_by_text("Kan ikke avgjøres").click()
    expect(first).to_contain_text("Mangler opplysninger om B-11, B-12, B-13 og B-14.")
    expect(page.get_by_text("Konflikter og forbud mellom beboere er ikke med.")).to_be_visible()
    first.get_by_role("link", name="Med og uten ROP-lidelse i samme bogruppe").click()
    assert page.url == f"{shown.address}/rules/rop-mix"


def test_each_reads_of_it_what_is_for_them(shown: Site) -> None:
    """The cleared all of it; staff no names; who reads no suggestions nothing."""
    assert "er ikke med. Her ville de ha pekt ut" not in own_advice(shown, "committee_leader")
    heading = "Råd som brytes blant dem som bor her i dag"
    staff = own_advice(shown, "scheme_leader")
    general = staff.partition(heading)[2].partition("</ul>")[0]
    assert "Bogruppa er for liten til at vi kan vise mer." in general
    assert not re.search(r"\bB-\d", general)
    for login in ("property_manager", "peer_member", "scheme_leader_2"):
        assert heading not in own_advice(shown, login)


def test_who_are_enemies_is_told_to_the_cleared_alone(site: Site) -> None:
    """The page of who is not cleared does not change by a byte."""
    uncleared = ("committee_secretary", "caseworker", "committee_member", "scheme_leader")
    before = {login: own_advice(site, login) for login in uncleared}
    officer = site.somebody(
        Role.CONFLICT_OFFICER,
        cleared=tuple(Clearance),
        purpose=Purpose.CONFLICT_CONTROL,
        login="conflict_officer",
    )
    said = RecordConflict(
        party="B-11",
        counterpart="B-12",
        kind=ConflictKind.ENEMY,
        source=FactSource.STAFF,
        explanation="Oppdiktet.",
        confirmed=True,
    )
    site.run(officer, "conflicts.record", said)
    assert {login: own_advice(site, login) for login in uncleared} == before
    cleared = own_advice(site, "committee_leader")
    assert re.search(r"B-11 og B-12\.</strong> Med B-11 i søkerens sted: Det er [^<]*konflikt", cleared)


def test_who_moves_out_when_and_what_objections_close(shown: Site, browsers: Browsers) -> None:
    """Both in one place, with the day from which the home is vacant and the homes that are closed."""
    page = browsers.window(shown, "committee_secretary").go("/schemes/elvebakken")
    group = page.get_by_role("region", name="Vestre tun")
    leaves = group.get_by_role("listitem").filter(has_text="Ledig fra")
    expect(leaves).to_contain_text("elvebakken-8, B-27: flytter senest 16. desember 2026.")
    page.goto(f"{shown.address}/schemes/strandgata")
    expect(page.get_by_role("region", name="Innvendinger")).to_contain_text(
        "Stenger 2 ledige boliger for søkeren: strandgata-5 og strandgata-k-2."
    )


def test_what_an_empty_home_costs_those_who_wait(shown: Site, browsers: Browsers) -> None:
    """In days of waiting, with how it is counted; nothing is said of kroner that nobody has recorded."""
    page = browsers.window(shown, "committee_secretary").go("/units")
    row = page.get_by_role("row").filter(has_text="tunet-2")
    expect(row).to_contain_text("13 søkere kunne bodd her. 971 ventedager til sammen.")
    page.get_by_role("link", name="tunet-2", exact=True).click()
    expect(page.get_by_role("region", name="Slik står den")).to_contain_text("971 ventedager til sammen.")
    page.get_by_text("Slik er ventedagene regnet").click()
    expect(page.get_by_text("Husleie er ikke registrert.")).to_be_visible()
    page.goto(f"{shown.address}/")
    tasks = page.get_by_role("listitem").filter(has_text="tunet-2")
    expect(tasks.last).to_contain_text("99 dager, 971 ventedager for søkerne")
    with shown.client("property_manager") as client:
        assert "ventedager" not in client.get("/units").text
