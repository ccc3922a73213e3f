"""More on a tenancy, an objection that goes on and a risk described anew, each done in a browser."""

from __future__ import annotations

from playwright.sync_api import expect

from allocator.casework.codes import EndReason, OutcomeKind, Role
from allocator.casework.committee import Outcome
from allocator.casework.housing import Tenancy
from allocator.casework.records import Kind, Link
from allocator.casework.voice import Hazard, Veto
from allocator.codes import AgreementForm, FactSource, VetoGround, VetoStatus
from allocator.ports import Query
from allocator.service.tenancies import MoveOut
from allocator.service.vetoes import Observed, RaiseVeto
from tests.office import TODAY
from tests.pages.site import Browsers, Site

LIVES_THERE = "L-B-01"


def test_a_new_agreement_and_what_became_of_it(site: Site, browsers: Browsers) -> None:
    """From the scheme's page to it and back; what is missing is named, and nothing written is lost."""
    page = browsers.window(site, "scheme_leader").go("/schemes/nordlia")
    page.get_by_text("nordlia-1: B-01").click()
    page.get_by_role("link", name="Beboeren, avtaler og hvordan det gikk: nordlia-1").click()
    page.get_by_text("Ny avtale er undertegnet").click()
    agreements = page.get_by_role("region", name="Avtaler")
    agreements.get_by_label("Avtaleform").select_option("tenancy_fixed")
    agreements.get_by_label("Oppsigelsestid i måneder").fill("3")
    agreements.get_by_role("button", name="Lagre avtalen").click()
    agreements.get_by_role("link", name="Undertegnet").click()
    expect(agreements.get_by_label("Undertegnet", exact=True)).to_be_focused()
    agreements.get_by_label("Undertegnet", exact=True).fill("2026-11-20")
    agreements.get_by_label("Gjelder fra").fill("2026-12-01")
    agreements.get_by_label("Gjelder til").fill("2027-11-30")
    agreements.get_by_role("button", name="Lagre avtalen").click()
    expect(agreements.get_by_role("alert")).to_contain_text("Leietiden er kortere enn hovedregelen")
    expect(agreements.get_by_label("Oppsigelsestid i måneder")).to_have_value("3")
    agreements.get_by_label("Hvorfor kortere").fill("Boligen skal rehabiliteres.")
    agreements.get_by_label("Unntaket er fortalt skriftlig").check()
    agreements.get_by_role("button", name="Lagre avtalen").click()
    expect(page.get_by_role("status").first).to_have_text("Avtalen er lagret.")
    expect(agreements.get_by_role("listitem").first).to_contain_text(
        "Tidsbestemt husleieavtale, fra 1. desember 2026 til 30. november 2027"
    )
    assert site.now(Tenancy, LIVES_THERE).body.agreements[-1].form is AgreementForm.TENANCY_FIXED

    page.get_by_text("Skriv ned hvordan det gikk").click()
    became = page.get_by_role("region", name="Hvordan det gikk")
    became.get_by_label("Med noen ord").fill("Trives, og betaler i tide.")
    became.get_by_role("button", name="Lagre").click()
    expect(became.get_by_label("Hva skjedde?")).to_have_attribute("aria-invalid", "true")
    expect(became.get_by_label("Med noen ord")).to_have_value("Trives, og betaler i tide.")
    became.get_by_label("Hva skjedde?").select_option("settled")
    became.get_by_role("button", name="Lagre").click()
    expect(became.get_by_role("listitem")).to_contain_text("Bor godt, 23. november 2026")


def test_what_became_of_a_tenancy_that_is_over(site: Site, browsers: Browsers) -> None:
    """Without scripts: whoever has moved out is listed with the scheme; nothing more can be agreed."""
    window = browsers.window(site, "scheme_leader", scripts=False)
    page = window.go("/schemes/nordlia")
    page.get_by_text("nordlia-1: B-01").click()
    out = page.locator(f"form[action$='/{LIVES_THERE}/move_out']")
    out.get_by_label("Siste dag").fill("2026-11-20")
    out.get_by_label("Hvorfor?").select_option("eviction")
    out.get_by_role("button").click()
    page.get_by_text("De som har flyttet ut").click()
    page.get_by_role("link", name="nordlia-1: B-01").click()
    assert page.get_by_text("Ny avtale er undertegnet").count() == 0
    page.get_by_text("Skriv ned hvordan det gikk").click()
    expect(page.get_by_label("Når?")).to_have_value("2026-11-20")
    page.get_by_label("Hva skjedde?").select_option("eviction")
    page.get_by_role("button", name="Lagre").click()
    expect(page.get_by_role("status").first).to_be_visible()
    with site.storage.read() as tx:
        found = tx.find(Query(Kind.OUTCOME, links=(Link(Kind.TENANCY, LIVES_THERE),)))
    assert [one.body.what for one in found if isinstance(one.body, Outcome)] == [OutcomeKind.EVICTION]


def test_who_may_only_read_it_is_given_no_form(shown: Site) -> None:
    """A property manager agrees and does not judge; staff read; another scheme's leader finds nothing."""
    address = f"/tenancies/{LIVES_THERE}/more"
    forms = {"property_manager": ["agree"], "scheme_staff": [], "caseworker": ["agree", "outcome"]}
    for login, expected in forms.items():
        with shown.client(login) as client:
            text = client.get(address).text
        assert [step for step in ("agree", "outcome") if f'action="{address}/{step}"' in text] == expected
    for login in ("scheme_leader_2", "peer_member", "auditor"):
        with shown.client(login) as client:
            assert client.get(address).status_code == 404, login
    with shown.client("scheme_leader") as client:
        assert address in client.get("/schemes/nordlia").text
        client.headers["Cookie"] += "; __Host-shared-screen=yes"
        assert address not in client.get("/schemes/nordlia").text
        assert client.get(address).status_code == 404


def test_what_is_known_of_a_resident_is_for_those_who_keep_it_up_to_date(site: Site) -> None:
    """Each what they may see, and no more once the resident has moved out; on no page of others."""
    address = f"/tenancies/{LIVES_THERE}/more"

    def told(login: str) -> tuple[bool, bool, bool]:
        with site.client(login) as client:
            text = client.get(address).text
        return 'id="resident"' in text, "facts/gender" in text, "facts/main_substance" in text

    assert told("caseworker") == (True, True, True)
    assert told("scheme_leader") == (True, True, False)
    for login in ("property_manager", "committee_leader", "committee_secretary", "committee_member"):
        assert told(login) == (False, False, False), login
    leader = site.somebody(Role.SCHEME_LEADER, "nordlia", login="scheme_leader")
    gone = MoveOut(moved_out=TODAY, end_reason=EndReason.EVICTION)
    site.run(leader, "tenancies.move_out", gone, LIVES_THERE)
    assert told("caseworker") == (False, False, False)


def test_an_objection_goes_on_and_a_risk_is_described_anew(site: Site, browsers: Browsers) -> None:
    """A fact that is told needs who told it; one that is too old is refused; measures can be taken away."""
    staff = site.somebody(Role.SCHEME_STAFF, login="scheme_leader")
    raised = site.run(
        staff,
        "vetoes.raise",
        RaiseVeto(
            case="S-2026-103",
            scheme="strandgata",
            ground=VetoGround.STAFFING_COMPETENCE,
            fact=Observed(
                observed_on=TODAY.replace(day=10),
                source=FactSource.STAFF,
                text="To vakter sto ledige i uke 45.",
            ),
        ),
    )
    page = browsers.window(site, "scheme_leader").go("/schemes/strandgata")
    renewing = page.locator("details").filter(has=page.locator(f"form[action$='{raised.stored.id}/renew']"))
    renewing.locator("summary").first.click()
    renewing.get_by_label("Hva skjedde, eller").fill("Fire vakter sto ledige i uke 47.")
    renewing.get_by_label("Når var det?").fill("2026-11-09")
    renewing.get_by_label("Hvem har sett eller sagt det?").select_option("oral")
    renewing.get_by_role("button", name="Forny").click()
    expect(renewing.get_by_label("Hvem fortalte det?")).to_have_attribute("aria-invalid", "true")
    renewing.get_by_label("Hvem fortalte det?").fill("Vaktleder")
    renewing.get_by_label("Når ble det fortalt?").fill("2026-11-22")
    renewing.get_by_role("button", name="Forny").click()
    expect(renewing.get_by_label("Når var det?")).to_have_attribute("aria-invalid", "true")
    expect(renewing.get_by_label("Hva skjedde, eller")).to_have_value("Fire vakter sto ledige i uke 47.")
    renewing.get_by_label("Når var det?").fill("2026-11-21")
    renewing.get_by_label("Hvem har sett eller sagt det?").select_option("staff")
    renewing.get_by_role("button", name="Forny").click()
    expect(page.get_by_role("status").first).to_have_text("Innvendingen er fornyet.")
    veto = site.now(Veto, raised.stored.id).body
    assert (veto.entry.fact.text, veto.told) == ("Fire vakter sto ledige i uke 47.", None)
    assert veto.entry.status is VetoStatus.OPEN

    changing = page.locator("details").filter(has=page.locator("form[action$='/change']"))
    changing.locator("summary").click()
    changing.get_by_label("alarm").uncheck()
    changing.get_by_label("Hva er risikoen?").fill("")
    changing.get_by_role("button", name="Lagre beskrivelsen").click()
    expect(changing.get_by_label("Hva er risikoen?")).to_have_attribute("aria-invalid", "true")
    changing.get_by_label("Hva er risikoen?").fill("Nattevakten er alene, men har fått en trygg vei ut.")
    changing.get_by_label("Andre tiltak").fill("Ny dør mot bakgården.")
    changing.get_by_role("button", name="Lagre beskrivelsen").click()
    expect(page.get_by_role("status").first).to_have_text("Beskrivelsen av risikoen er endret.")
    with site.storage.read() as tx:
        (hazard,) = [one.body for one in tx.find(Query(Kind.HAZARD)) if isinstance(one.body, Hazard)]
    assert (hazard.measures, hazard.measures_text) == (frozenset(), "Ny dør mot bakgården.")
    page.goto(f"{site.address}/schemes/strandgata")
    changing.locator("summary").click()
    changing.get_by_label("Andre tiltak").fill("")
    changing.get_by_role("button", name="Lagre beskrivelsen").click()
    expect(page.get_by_role("status").first).to_be_visible()
    changing.locator("summary").click()
    expect(changing.get_by_label("Andre tiltak")).to_have_value("")
