"""Decisions in a browser: against the advice, approved by another, offered, moved in and appealed."""

from __future__ import annotations

from datetime import timedelta

import httpx
from playwright.sync_api import Page, expect

from allocator.casework.cases import Case
from allocator.casework.codes import CaseState, DecisionOutcome, DecisionType
from allocator.casework.committee import Decision
from allocator.service.meetings import PutOnAgenda
from allocator.service.people import WithdrawFact
from allocator.texts import catalog
from tests.office import TODAY
from tests.pages.site import Browsers, Site, Window
from tests.pages.test_meetings import acting, objected, saved
from tests.pdf_text import text_of

GROUNDS = "Utvalget har lagt vekt på at søkeren kjenner naboene her og får være i ro."
WHY = "Det andre stedet ligger for langt fra dem som følger opp."

LOOKED_AT = (
    ("committee_leader", "/decisions/new?case=S-2026-104&unit=tunet-2&meeting=meeting-02"),
    ("committee_secretary", "/decisions/new?case=S-2026-113"),
    ("committee_leader_2", "/decisions/decision-06"),
    ("caseworker", "/decisions/decision-01"),
    ("caseworker", "/decisions/decision-05/offer"),
    ("caseworker", "/decisions/decision-S-2026-102/move-in"),
    ("committee_secretary", "/decisions/decision-01/appeal"),
    ("appeals_body", "/appeals"),
    ("appeals_body", "/appeals/appeal-01"),
    ("committee_leader", "/decisions/decision-05/reverse"),
)


# ---------------------------------------------------------------------------------------- who sees what


def test_what_only_the_cleared_read_is_on_no_shared_screen_and_in_no_other_page(shown: Site) -> None:
    """The sealed rule is named to the cleared leader alone, and never where others look on (REQ-FVL-2)."""
    sealed = catalog("nb").rule("unconfirmed-conflict", "title")
    path = "/decisions/new?case=S-2026-101&unit={}&meeting=meeting-02"
    with shown.client("committee_leader") as client:
        exact = client.get(path.format("strandgata-5"), timeout=60).text
        client.headers["Cookie"] += "; __Host-shared-screen=yes"
        shared = client.get(path.format("strandgata-5"), timeout=60).text
    assert sealed in exact
    assert "sealed_deviation" in exact
    assert sealed not in shared
    assert "sealed_deviation" not in shared
    found = []
    for unit in ("strandgata-5", "strandgata-k-2"):
        with shown.client("committee_secretary") as client:
            page = client.get(path.format(unit), timeout=60).text
        assert sealed not in page
        assert "sealed_deviation" not in page
        assert f'value="{unit}" selected' in page
        found.append(_alike(page, unit))
    assert found[0] == found[1]


def _alike(page: str, unit: str) -> list[str]:
    """Return the lines of a page without the unit's name, the choices, and what is new each time."""
    lines = (line for line in page.splitlines() if 'name="_key"' not in line and "<option" not in line)
    return [line.replace(unit, "") for line in lines]


def test_who_may_not_decide_finds_no_form(shown: Site) -> None:
    """Members read decisions and propose none; a member of another office finds nothing at all."""
    with shown.client("committee_member") as client:
        assert client.get("/decisions/new?case=S-2026-104").status_code == 404
        page = client.get("/decisions/decision-06")
        assert page.status_code == 200
        assert "/decisions/decision-06/approve" not in page.text
        assert client.get("/decisions/decision-05/reverse").status_code == 404
        assert client.get("/decisions/decision-01/package").status_code == 403
    with shown.client("peer_member") as client:
        page = client.get("/decisions/decision-01")
        assert page.status_code == 200
        assert "søkerens eget ønske" not in page.text
    with shown.client("scheme_staff") as client:
        assert client.get("/decisions/decision-01").status_code == 404
    with shown.client("committee_leader") as client:
        assert client.get("/decisions/new").status_code == 404
        assert client.get("/decisions/new?case=S-2026-999").status_code == 404
        assert client.get("/decisions/new?case=S-2026-104&unit=nowhere-1").status_code == 404
        assert client.post("/decisions/decision-01/explode").status_code == 404


def test_the_archive_gets_its_package(shown: Site) -> None:
    """As a file named after the decision, for roles that take things out."""
    with shown.client("caseworker") as client:
        answer = client.get("/decisions/decision-01/package")
    assert answer.headers["content-disposition"] == 'attachment; filename="decision-01.json"'
    assert answer.json()["decision"] == "decision-01"


# -------------------------------------------------------------------------------------------- the whole job


def test_the_committee_decides_against_the_advice_and_somebody_moves_in(
    site: Site, browsers: Browsers
) -> None:
    """Objection and deviation answered, a second person approves, the letter goes out, the offer is taken."""
    site.clock.moment += timedelta(hours=2)
    objected(site)
    item = PutOnAgenda(case="S-2026-101")
    site.run(acting(site, "committee_leader"), "meetings.put_on_agenda", item, "meeting-02")
    leader = browsers.window(site, "committee_leader")
    decision = _propose(leader)
    second = browsers.window(site, "committee_leader_2", width=390)
    _approve(second, decision)
    worker = browsers.window(site, "caseworker")
    letter = _letter(worker, decision)
    for part in (GROUNDS, "elvebakken-4", "kommunens klagenemnd", "14.12.2026", "dokumentene i saken din"):
        assert part in letter
    for hidden in (WHY, "vakter om natta", "B-21", "B-23", "Ida"):
        assert hidden not in letter
    _offer_and_move_in(worker, decision)
    assert site.now(Case, "S-2026-101").body.state is CaseState.MOVED_IN


def _propose(leader: Window) -> str:
    """Propose a home that the rules advise against, first with too little said, and return the decision."""
    page = leader.go("/meetings/meeting-02/items/3")
    page.get_by_role("button", name="Lag nytt forslag").click()
    saved(page, "Forslaget er klart.")
    page.locator("tr", has_text="elvebakken-4").get_by_role("link", name="Foreslå").click()
    expect(page.get_by_text("Taler mot:")).to_be_visible()
    expect(page.get_by_text("Innvending som må besvares")).to_be_visible()
    expect(page.get_by_text("Kunne løses med: En fast vikar om natta.")).to_be_visible()
    page.get_by_label("Begrunnelse", exact=True).fill("Fint sted.")
    page.get_by_label("Hvorfor dere går mot rådet").fill(WHY)
    page.get_by_label("ikke tatt til følge").check()
    page.get_by_label("Begrunnelse for svaret").fill("Det er satt inn en fast vikar fra mandag.")
    page.get_by_text("Noen var uenige").click()
    page.get_by_label("Ida Oppdiktet").fill("Jeg ville ventet.")
    page.get_by_text("Vilkår for boligen").click()
    condition = page.get_by_role("group", name="Vilkår 1")
    condition.get_by_label("Vilkåret").fill("Samtale med primærkontakt hver uke det første halvåret.")
    condition.get_by_label("Hjemmel").select_option("representation")
    condition.get_by_label("Formål").fill("En trygg start.")
    condition.get_by_label("Hva det har med vedtaket å gjøre").fill("Følger opp det som kan gå galt her.")
    condition.get_by_label("Hvorfor det ikke er for tyngende").fill("Kort, og avtalt med søkeren.")
    page.get_by_role("button", name="Foreslå vedtaket").click()
    alert = page.locator(".ds-error-summary")
    expect(alert).to_contain_text("Begrunnelse")
    assert leader.axe() == []
    assert page.get_by_label("Hvorfor dere går mot rådet").input_value() == WHY
    assert page.get_by_label("Ida Oppdiktet").input_value() == "Jeg ville ventet."
    assert page.get_by_label("ikke tatt til følge").is_checked()
    alert.get_by_role("link").click()
    expect(page.get_by_label("Begrunnelse", exact=True)).to_be_focused()
    page.get_by_label("Begrunnelse", exact=True).fill(GROUNDS)
    page.get_by_role("button", name="Foreslå vedtaket").click()
    saved(page, "Forslaget til vedtak er lagret.")
    expect(page.get_by_text("En annen enn den som foreslo dette, må godkjenne det.")).to_be_visible()
    expect(page.get_by_text("Ida Oppdiktet var uenig: Jeg ville ventet.")).to_be_visible()
    expect(page.get_by_text("forvaltningsloven § 12, ikke kontrollert av jurist")).to_be_visible()
    assert page.get_by_role("button", name="Godkjenn vedtaket").count() == 0
    return page.url.rpartition("/")[2].partition("?")[0]


def _approve(second: Window, decision: str) -> None:
    """Approve what another has proposed."""
    page = second.go(f"/decisions/{decision}")
    expect(page.get_by_text("Rådet nå:")).to_be_visible()
    page.get_by_role("button", name="Godkjenn vedtaket").click()
    saved(page, "Vedtaket er truffet.")
    expect(page.locator(".case-state")).to_contain_text("Truffet")


def _letter(worker: Window, decision: str) -> str:
    """Take out the letter, and return its text."""
    page = worker.go(f"/decisions/{decision}")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Brev til søkeren (PDF)").click()
    assert taken.value.suggested_filename == f"vedtak-{decision}.pdf"
    return text_of(taken.value.path().read_bytes())


def _offer_and_move_in(worker: Window, decision: str) -> None:
    """Register the offer with all who must get it, a yes, and the moving in with its agreement."""
    page = worker.go(f"/decisions/{decision}")
    page.get_by_role("link", name="Send tilbud").click()
    page.get_by_label("Visning").fill("2026-11-25")
    page.get_by_role("button", name="Hent navnene. Det blir logget.").click()
    expect(page.get_by_label("Hvem som har fått tilbudet")).to_have_value("Person P-S-2026-101 (oppdiktet)")
    assert page.get_by_label("Visning").input_value() == "2026-11-25"
    page.get_by_role("button", name="Registrer tilbudet").click()
    saved(page, "Tilbudet er sendt.")
    page.get_by_text("Søkeren takker ja").click()
    page.get_by_role("button", name="Registrer ja").click()
    saved(page, "Det er registrert at søkeren takker ja.")
    page.get_by_role("link", name="Registrer innflytting").click()
    page.get_by_label("Avtaleform").select_option("tenancy_fixed")
    page.get_by_label("Undertegnet", exact=True).fill(TODAY.isoformat())
    page.get_by_label("Gjelder fra").fill(TODAY.isoformat())
    page.get_by_label("Gjelder til").fill("2027-11-22")
    page.get_by_role("button", name="Registrer innflyttingen").click()
    expect(page.get_by_role("alert")).to_contain_text("kortere enn hovedregelen på tre år")
    page.get_by_label("Gjelder til").fill("2029-11-23")
    page.get_by_role("button", name="Registrer innflyttingen").click()
    saved(page, "Innflyttingen er registrert.")


def test_an_offer_is_answered_and_an_appeal_settled_without_scripts(site: Site, browsers: Browsers) -> None:
    """Reminded, a no that costs nothing, a reversal, and what the appeal body comes to."""
    page = browsers.window(site, "caseworker", width=390, scripts=False).go("/decisions/decision-01")
    _open(page, "Søkeren er påminnet")
    page.get_by_role("button", name="Registrer påminning").click()
    saved(page, "Påminningen er registrert.")
    expect(page.get_by_text("23. november 2026", exact=True).first).to_be_visible()
    _open(page, "Søkeren sier nei")
    refusal = page.locator("form", has=page.locator('input[name="by"][value="applicant"]'))
    assert refusal.locator('select[name="consequence"] option').count() == 2
    refusal.get_by_label("Grunn").select_option("location")
    refusal.get_by_role("button", name="Registrer nei").click()
    saved(page, "Avslaget på tilbudet er registrert.")
    assert site.now(Case, "S-2026-107").body.state is CaseState.WAITING_LIST

    page.get_by_role("link", name="Registrer en klage").click()
    page.get_by_label("Hvorfor søkeren klager").fill("Jeg vil bo nærmere sentrum.")
    page.get_by_role("button", name="Registrer klagen").click()
    saved(page, "Klagen er registrert.")
    page.get_by_label("Hva kommunen sier til klagen").fill("Kommunen holder fast ved vedtaket.")
    page.get_by_role("button", name="Registrer at klagen er sendt").click()
    saved(page, "Klagen er registrert som sendt til klageinstansen.")
    appeal = page.url.partition("?")[0].removeprefix(site.address)

    page = browsers.window(site, "appeals_body", scripts=False).go("/appeals")
    page.get_by_role("link", name="S-2026-107").click()
    assert page.url == f"{site.address}{appeal}"
    page.get_by_role("link", name="Hvem og hva utvalget valgte mellom").click()
    expect(page.get_by_text("den som klager")).to_be_visible()
    assert "S-2026-" not in page.locator("main table").first.inner_text()
    page.goto(f"{site.address}{appeal}")
    page.get_by_label("vedtaket står").check()
    page.get_by_label("Begrunnelse").fill("For kort.")
    page.get_by_role("button", name="Avgjør klagen").click()
    expect(page.get_by_role("alert")).to_contain_text("Begrunnelse")
    page.get_by_label("Begrunnelse").fill("Klageinstansen er enig i kommunens vurdering.")
    page.get_by_role("button", name="Avgjør klagen").click()
    saved(page, "Svaret på klagen er registrert.")
    expect(page.get_by_text("Klageinstansen er enig i kommunens vurdering.")).to_be_visible()


def _open(page: Page, words: str) -> None:
    page.locator("summary", has_text=words).click()


def test_what_has_changed_is_told_and_a_decision_is_reversed(site: Site, browsers: Browsers) -> None:
    """A fact that was taken back, a proposal that is dropped, and a decision in place of another."""
    taken_back = WithdrawFact(name="gender")
    site.run(acting(site, "caseworker"), "people.withdraw_fact", taken_back, "P-S-2026-104")
    page = browsers.window(site, "committee_leader_2").go("/decisions/decision-06")
    expect(page.get_by_text("Noe er endret siden vedtaket ble foreslått.")).to_be_visible()
    expect(page.get_by_role("row", name="Kjønn")).to_contain_text("mann")
    expect(page.get_by_role("alert")).to_contain_text("Skriv hvorfor dere likevel velger dette.")
    assert page.get_by_role("button", name="Godkjenn vedtaket").count() == 0
    _open(page, "Trekk forslaget")
    page.get_by_label("Hvorfor", exact=True).fill("Opplysningene må sjekkes på nytt først.")
    page.get_by_role("button", name="Trekk forslaget").click()
    saved(page, "Forslaget til vedtak er frafalt.")

    page.goto(f"{site.address}/decisions/decision-05")
    page.get_by_role("link", name="Omgjør vedtaket").click()
    page.get_by_label("Ingen egnet plass nå").check()
    page.get_by_label("Begrunnelse").fill(GROUNDS)
    page.get_by_role("button", name="Foreslå vedtaket").click()
    saved(page, "Forslaget om å omgjøre vedtaket er lagret.")
    made = page.url.rpartition("/")[2].partition("?")[0]
    assert site.now(Decision, made).body.reverses == "decision-05"
    assert site.now(Decision, made).body.outcome is DecisionOutcome.NO_SUITABLE_PLACE
    page = browsers.window(site, "committee_leader").go(f"/decisions/{made}")
    page.get_by_role("button", name="Godkjenn vedtaket").click()
    saved(page, "Vedtaket er truffet.")
    page.get_by_role("link", name="et tidligere vedtak").click()
    expect(page.locator(".case-state")).to_contain_text("Omgjort")


def test_assistance_is_decided_without_a_meeting_and_grounds_that_are_copied_are_flagged(
    site: Site,
) -> None:
    """The type decides what can be decided; what the rules say is not the committee's own words."""
    with site.client("committee_leader") as client:
        page = client.get("/decisions/new?case=S-2026-114&type=D1")
        assert "Uten møte." in page.text
        assert "no_suitable_place" not in page.text
        form = {"_case": "S-2026-114", "_type": "D1", "outcome": "granted", "grounds": GROUNDS, "_key": "k1"}
        answer = client.post("/decisions/new", data=form)
        assert answer.status_code == 303, answer.text[:800]
        made = answer.headers["location"].rpartition("/")[2].partition("?")[0]
        body = site.now(Decision, made).body
        assert (body.type, body.outcome) == (DecisionType.ASSISTANCE, DecisionOutcome.GRANTED)
        again = client.post("/decisions/new", data=form)
        assert again.headers["location"] == answer.headers["location"]
        copied = _copied(site, client)
        assert "Begrunnelsen er stort sett det reglene skriver." in copied


def _copied(site: Site, client: httpx.Client) -> str:
    """Propose with the words of the suggestion as grounds, and return the page of the decision."""
    leader = acting(site, "committee_leader")
    said = site.desk.answer(leader, "suggestion-05")["suggestions"]
    texts = [finding["text"] for entry in said for finding in entry["findings"]][:4]
    site.run(leader, "meetings.put_on_agenda", PutOnAgenda(case="S-2026-101"), "meeting-02")
    form = {
        "_case": "S-2026-101",
        "_type": "D2",
        "_meeting": "meeting-02",
        "_suggestion": "suggestion-05",
        "outcome": "no_suitable_place",
        "grounds": " ".join(texts),
        "_key": "k2",
    }
    answer = client.post("/decisions/new", data=form)
    assert answer.status_code == 303, answer.text[:800]
    return client.get(answer.headers["location"], timeout=60).text
