"""The committee's meetings in a browser: called, prepared, held and closed; with a screen that others see."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import Locator, Page, expect

from allocator.access.authorizer import Actor
from allocator.casework.codes import Evidence, StatementKind
from allocator.casework.committee import Meeting
from allocator.casework.voice import Hearing
from allocator.codes import FactSource, VetoGround
from allocator.service.decisions import DropDecision
from allocator.service.hearings import CloseHearing, SendHearing, State
from allocator.service.vetoes import Objection, Observed
from tests.office import TODAY
from tests.pages.site import Browsers, Site, Window

expect.set_options(timeout=30_000)

TALKED = "Utvalget drøftet hvor rolig bogruppa er, og om søkeren kan flytte inn før jul."


def acting(site: Site, login: str) -> Actor:
    """Return somebody who does something past the pages."""
    actor = site.desk.actor(login)
    assert actor is not None
    return actor


def objected(site: Site, case: str = "S-2026-101", unit: str = "elvebakken-4") -> str:
    """Let staff be heard about a case and object to a unit, and return the objection's id."""
    secretary, leader = acting(site, "committee_secretary"), acting(site, "scheme_leader_2")
    asked = SendHearing(case=case, scheme="elvebakken")
    hearing = site.run(secretary, "hearings.send", asked).stored.id
    objection = Objection(
        unit=unit,
        ground=VetoGround.STAFFING_COMPETENCE,
        fact=Observed(
            observed_on=TODAY,
            source=FactSource.STAFF,
            text="To av tre vakter om natta er ledige. (Oppdiktet.)",
        ),
        evidence=frozenset({Evidence.STAFFING_PLAN}),
        remedy="En fast vikar om natta.",
    )
    said = State(kind=StatementKind.OBJECTION, objection=objection)
    site.run(leader, "hearings.state", said, hearing)
    site.run(secretary, "hearings.close", CloseHearing(), hearing)
    found = [one for one in site.now(Hearing, hearing).body.statements if one.veto is not None]
    assert found[0].veto is not None
    return found[0].veto


def saved(page: Page, words: str) -> None:
    """Expect that something was done, and said so."""
    expect(page.locator(".done")).to_contain_text(words)


# -------------------------------------------------------------------------------------------------- looks


def test_who_has_no_part_in_meetings_finds_none(shown: Site) -> None:
    """Scheme staff and policy owners; and a member calls no meeting and writes no minutes."""
    for login in ("scheme_staff", "policy_owner", "auditor"):
        with shown.client(login) as client:
            assert client.get("/meetings").status_code == 404
            assert client.get("/meetings/meeting-02").status_code == 404
    with shown.client("committee_member") as client:
        assert client.get("/meetings/new").status_code == 404
        assert client.get("/meetings/meeting-02/minutes").status_code == 404
        assert (
            client.post("/meetings/meeting-03/cancel", data={"reason": "Nei", "_version": "2"}).status_code
            == 403
        )
        assert client.post("/meetings/meeting-03/explode").status_code == 404
        assert client.get("/meetings/meeting-03/items/9").status_code == 404


def test_on_a_shared_screen_nothing_is_said_that_only_the_cleared_read(
    shown: Site, browsers: Browsers
) -> None:
    """The leader switches it on at the top of the meeting; the suggestion is then every member's."""
    page = browsers.window(shown, "committee_leader").go("/meetings/meeting-03/items/1")
    exact = page.locator("#advice").locator("..").inner_text()
    page.get_by_role("button", name="Slå på delt skjerm").click()
    expect(page.get_by_text("Delt skjerm: det som bare er for den som er klarert")).to_be_visible()
    assert page.url.endswith("/meetings/meeting-03/items/1")
    told = page.locator("#advice").locator("..").inner_text()
    member = browsers.window(shown, "committee_member").go("/meetings/meeting-03/items/1")
    assert (
        told.split("Se hele forslaget")[0]
        == member.locator("#advice").locator("..").inner_text().split("Se hele forslaget")[0]
    )
    assert told != exact
    assert page.get_by_role("button", name="Slå på delt skjerm").count() == 0


# --------------------------------------------------------------------------------------------- the whole job


def test_a_meeting_goes_from_an_empty_agenda_to_signed_minutes(site: Site, browsers: Browsers) -> None:
    """The secretary calls and prepares it, the leader holds it, and nothing is lost on the way."""
    site.clock.moment += timedelta(hours=2)
    objection = objected(site)
    secretary = browsers.window(site, "committee_secretary")
    meeting = _call(secretary)
    _prepare(secretary.page)
    leader = browsers.window(site, "committee_leader", width=390)
    _begin(leader, meeting)
    _talk(leader, objection)
    with site.client("committee_member_2") as client:
        assert "S-2026-101" not in client.get(f"/meetings/{meeting}").text
        assert client.get(f"/meetings/{meeting}/items/1").status_code == 404
    _put_off(leader, meeting)
    _write_minutes(secretary, meeting)
    stored = site.now(Meeting, meeting).body
    assert stored.minutes is not None
    assert stored.minutes.endswith(TALKED)


def _call(secretary: Window) -> str:
    """Call a meeting, on a day that has been and then today, and return its id."""
    page = secretary.go("/meetings")
    page.get_by_role("link", name="Kall inn til møte").click()
    page.get_by_label("Dag").fill("2026-11-20")
    page.get_by_role("button", name="Kall inn").click()
    expect(page.get_by_role("alert")).to_contain_text("Dag")
    assert secretary.axe() == []
    assert page.get_by_label("Sted").input_value() == "Rådhuset, møterom 2"
    page.get_by_label("Dag").fill(TODAY.isoformat())
    page.get_by_role("button", name="Kall inn").click()
    saved(page, "Møtet er kalt inn.")
    expect(page.get_by_text("Sakslisten er tom.")).to_be_visible()
    return page.url.rpartition("/")[2].partition("?")[0]


def _prepare(page: Page) -> None:
    """Put cases and a vacant home on the agenda, and change their order; one is still with the staff."""
    for case, unit in (("S-2026-111", ""), ("S-2026-101", ""), ("", "tunet-2")):
        page.locator("#f-put-case").select_option(case)
        page.get_by_label("Ledig bolig").select_option(unit)
        page.get_by_role("button", name="Legg til").click()
        saved(page, "Lagt til på sakslisten.")
    page.get_by_role("button", name="Flytt opp S-2026-101").click()
    saved(page, "Rekkefølgen på sakslisten er endret.")
    assert page.locator(".agenda h3").all_inner_texts() == ["S-2026-101", "S-2026-111", "tunet-2"]
    expect(page.get_by_text("1 innvending uten svar")).to_be_visible()
    page.locator("#f-put-case").select_option("S-2026-103")
    page.get_by_label("Merknad til sakslisten").fill("Haster.")
    page.get_by_role("button", name="Legg til").click()
    expect(page.get_by_role("alert")).to_contain_text("Høringen er ikke ferdig til møtet.")
    assert page.get_by_label("Merknad til sakslisten").input_value() == "Haster."


def _begin(leader: Window, meeting: str) -> None:
    """Open the meeting, first without its chair."""
    page = leader.go(f"/meetings/{meeting}")
    page.get_by_label("Jon Oppdiktet").uncheck()
    page.get_by_role("button", name="Sett møtet").click()
    expect(page.get_by_role("alert")).to_contain_text("Møtelederen er ikke til stede.")
    page.get_by_label("Jon Oppdiktet").check()
    page.get_by_role("button", name="Sett møtet").click()
    saved(page, "Møtet er i gang.")


def _talk(leader: Window, objection: str) -> None:
    """Make a remark and answer an objection in place, and say who may not take part."""
    page = leader.page
    page.get_by_role("link", name="S-2026-101").click()
    page.get_by_text("Skriv en merknad").click()
    page.get_by_role("textbox", name="Merknad").fill("Er nattevakten på plass nå?")
    page.get_by_role("button", name="Lagre merknaden").click()
    saved(page, "Merknaden er lagret.")
    expect(page.get_by_text("Er nattevakten på plass nå?")).to_be_visible()
    answer = page.locator(f"#v-{objection}")
    answer.get_by_text("Svar på innvendingen").click()
    answer.get_by_label("tatt til følge", exact=True).check()
    answer.get_by_label("Begrunnelse").fill("Ja.")
    answer.get_by_role("button", name="Lagre svaret").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert answer.get_by_label("Begrunnelse").input_value() == "Ja."
    assert leader.axe() == []
    answer.get_by_label("Begrunnelse").fill("Boligen gis ikke før vaktene er fylt.")
    answer.get_by_role("button", name="Lagre svaret").click()
    saved(page, "Svaret på innvendingen er lagret.")
    expect(answer.get_by_text("Boligen gis ikke før vaktene er fylt.")).to_be_visible()
    page.get_by_text("Meld inhabilitet").click()
    page.locator("#f-dis-account").select_option(label="Ida Oppdiktet")
    page.locator("#f-dis-ground").select_option("treating_professional")
    page.get_by_role("button", name="Registrer inhabilitet").click()
    saved(page, "Inhabiliteten er registrert.")
    expect(page.get_by_text("Inhabil: Ida Oppdiktet")).to_be_visible()


def _put_off(leader: Window, meeting: str) -> None:
    """Take up an applicant for the vacant home, and put everything off."""
    page = leader.go(f"/meetings/{meeting}/items/3")
    page.get_by_role("button", name="Lag forslag").click()
    saved(page, "Forslaget er klart.")
    page.get_by_label("Ta opp en søker til boligen").select_option(index=1)
    page.get_by_role("button", name="Legg til på sakslisten").click()
    saved(page, "Lagt til på sakslisten.")
    expect(page.locator(".agenda > li")).to_have_count(4)
    for _ in range(4):
        first = page.locator(".agenda > li", has=page.get_by_text("Ikke behandlet")).first
        first.get_by_text("Utsett", exact=True).first.click()
        first.get_by_label("Hvorfor").fill("Venter på flere opplysninger.")
        first.get_by_role("button", name="Utsett").click()
        saved(page, "Tatt av sakslisten eller utsatt.")
    expect(page.get_by_text("Skriv protokollen.")).to_be_visible()


def _write_minutes(secretary: Window, meeting: str) -> None:
    """Write the minutes from the draft and in own words, which nobody can do without; close and print."""
    page = secretary.go(f"/meetings/{meeting}")
    page.get_by_role("link", name="Skriv protokollen").click()
    draft = page.get_by_label("Det som ble vedtatt")
    assert "Til stede: Jon Oppdiktet" in draft.input_value()
    assert "Utsatt: Venter på flere opplysninger." in draft.input_value()
    assert "Ida Oppdiktet var inhabil" in draft.input_value()
    draft.fill(draft.input_value() + "\nRettet av sekretæren.")
    page.get_by_label("Det som ble drøftet").evaluate("one => one.required = false")
    page.get_by_role("button", name="Lagre protokollen").click()
    expect(page.get_by_role("alert")).to_contain_text("Det som ble drøftet")
    assert "Rettet av sekretæren." in page.get_by_label("Det som ble vedtatt").input_value()
    page.get_by_label("Det som ble drøftet").fill(TALKED)
    page.get_by_role("button", name="Lagre protokollen").click()
    saved(page, "Protokollen er lagret.")
    expect(page.get_by_text(TALKED)).to_be_visible()
    page.locator("summary", has_text="Hev møtet").click()
    page.get_by_role("button", name="Ja, hev møtet").click()
    saved(page, "Møtet er hevet.")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Protokoll (PDF)").click()
    assert taken.value.suggested_filename == f"protokoll-{TODAY}.pdf"


def test_a_meeting_is_held_without_scripts(site: Site, browsers: Browsers) -> None:
    """Plain forms: cancel with confirmation, a remark, and an answer to an objection."""
    objection = objected(site, "S-2026-104")
    page = browsers.window(site, "committee_leader", scripts=False).go("/meetings/meeting-02/items/2")
    page.get_by_text("Skriv en merknad").click()
    page.get_by_role("textbox", name="Merknad").fill("Kan flytte inn i desember.")
    page.get_by_role("button", name="Lagre merknaden").click()
    saved(page, "Merknaden er lagret.")
    assert re.search(r"/items/2\?saved=comments\.make#comments$", page.url)
    answer = page.locator(f"#v-{objection}")
    answer.get_by_text("Svar på innvendingen").click()
    answer.get_by_label("delvis tatt til følge").check()
    answer.get_by_label("Begrunnelse").fill("Det settes inn en fast vikar om natta.")
    answer.get_by_role("button", name="Lagre svaret").click()
    saved(page, "Svaret på innvendingen er lagret.")
    page.goto(f"{site.address}/meetings/meeting-03")
    page.locator("summary", has_text="Avlys møtet").click()
    page.get_by_label("Hvorfor").last.fill("For mange er syke.")
    page.get_by_role("button", name="Ja, avlys møtet").click()
    saved(page, "Møtet er avlyst.")
    expect(page.get_by_text("Avlyst", exact=True)).to_be_visible()


def test_a_meeting_is_led_by_the_keyboard_alone(site: Site, browsers: Browsers) -> None:
    """A remark in place, after which the focus is on what was done; then another approves the decision."""
    page = browsers.window(site, "committee_leader").go("/meetings/meeting-02/items/2")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # past the menu
    _tab_to(page, page.locator("summary", has_text="Skriv en merknad"))
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_role("textbox", name="Merknad"))
    page.keyboard.type("Nøklene ligger klare.")
    _tab_to(page, page.get_by_role("button", name="Lagre merknaden"))
    page.keyboard.press("Enter")
    expect(page.locator("#talk .done")).to_be_focused()
    expect(page.get_by_text("Nøklene ligger klare.")).to_be_visible()
    page = browsers.window(site, "committee_leader_2").go("/meetings/meeting-02/items/2")
    _tab_to(page, page.get_by_role("link", name="Se og godkjenn"))
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_role("button", name="Godkjenn vedtaket"))
    page.keyboard.press("Enter")
    saved(page, "Vedtaket er truffet.")


def test_a_half_written_answer_stands_when_a_remark_is_put_in_place(site: Site, browsers: Browsers) -> None:
    """The panel stays open, and the answer can be sent afterwards."""
    objection = objected(site, "S-2026-104")
    page = browsers.window(site, "committee_leader").go("/meetings/meeting-02/items/2")
    answer = page.locator(f"#v-{objection}")
    answer.get_by_text("Svar på innvendingen").click()
    answer.get_by_label("delvis tatt til følge").check()
    answer.get_by_label("Begrunnelse").fill("Det settes inn en fast vikar om natta.")
    page.get_by_text("Skriv en merknad").click()
    page.get_by_role("textbox", name="Merknad").fill("Kan flytte inn i desember.")
    page.get_by_role("button", name="Lagre merknaden").click()
    saved(page, "Merknaden er lagret.")
    expect(answer.get_by_label("Begrunnelse")).to_have_value("Det settes inn en fast vikar om natta.")
    answer.get_by_role("button", name="Lagre svaret").click()
    saved(page, "Svaret på innvendingen er lagret.")
    expect(answer).to_contain_text("delvis tatt til følge")
    expect(answer).to_contain_text("Det settes inn en fast vikar om natta.")


def _tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus."""
    wanted.wait_for()
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"not reached by Tab: {wanted}")


def test_what_somebody_else_has_changed_is_not_written_over(site: Site) -> None:
    """A form with an older version is shown again, with what was written in it."""
    dropped = DropDecision(reason="Feil bolig ble valgt i saken.")
    site.run(acting(site, "committee_leader"), "decisions.drop", dropped, "decision-06")
    with site.client("committee_secretary") as client:
        answer = client.post(
            "/meetings/meeting-02/take_off_agenda",
            data={"_version": "1", "_key": "k", "no[int]": "2", "reason": "Mangler et svar."},
        )
        assert answer.status_code == 412
        assert "Mangler et svar." in answer.text
        assert "Noen har endret dette i mellomtiden" in answer.text
