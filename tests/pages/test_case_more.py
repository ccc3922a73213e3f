"""What is done seldom in a case: each step once, what is refused, and a placement in a crisis."""

from __future__ import annotations

import re
from typing import TypeVar, cast

import pytest
from playwright.sync_api import Page, expect

from allocator.access.authorizer import Actor
from allocator.casework.cases import Case, Clarification
from allocator.casework.codes import CaseState, ClarificationState, DecisionType
from allocator.casework.committee import Decision
from allocator.casework.records import Body, Kind, Link
from allocator.codes import FactSource, FactStatus, StayKind
from allocator.ports import Query
from fixtures.demo_office import ACCOUNTS
from tests.pages.site import LANGUAGES, Browsers, Site

B = TypeVar("B", bound=Body)

CASE, OTHER = "S-2026-114", "S-2026-113"
MORE = f"/cases/{CASE}/more"
NEIGHBOUR = "B-41"


def now(site: Site, body: type[B], identifier: str) -> B:
    """Return a record as it stands."""
    with site.storage.read() as tx:
        stored = tx.get(body.kind, identifier)
    assert stored is not None
    return cast("B", stored.body)


def panel(page: Page, name: str) -> Page:
    """Open a panel of the page."""
    page.locator("summary", has_text=name).first.click()
    return page


def saved(page: Page) -> None:
    """See that something was done, and that one is back at the case."""
    expect(page.locator("main h1")).to_contain_text("Sak S-")
    assert "saved=" in page.url


def test_what_is_asked_for_and_who_applies_together_is_written_down(site: Site, browsers: Browsers) -> None:
    """From the case to each panel and back; how long stays as it is unless something new is said of it."""
    page = browsers.window(site, "caseworker").go(f"/cases/{CASE}")
    page.get_by_role("link", name="Mer i saken").click()
    panel(page, "Hva det søkes om")
    page.get_by_label("Midlertidig botilbud").check()
    page.get_by_label("Når trengs boligen?").fill("2027-02-01")
    page.get_by_label("Er det sagt noe nytt").select_option("limited")
    page.get_by_label("Antall måneder").fill("9")
    page.get_by_label("Hvem sier det?").select_option("applicant")
    page.get_by_role("button", name="Lagre det som søkes om").click()
    saved(page)
    case = now(site, Case, CASE)
    assert DecisionType.TEMPORARY in case.decision_types
    assert case.placement.needed_from is not None
    assert (case.placement.stay.value, case.placement.stay.source) == (StayKind.LIMITED, FactSource.APPLICANT)
    assert (case.placement.stay_months.value, case.placement.stay_months.status) == (9, FactStatus.KNOWN)
    panel(page_at(page, site), "Hva det søkes om")
    page.get_by_label("Når trengs boligen?").fill("2027-03-01")
    page.get_by_role("button", name="Lagre det som søkes om").click()
    saved(page)
    later = now(site, Case, CASE).placement
    assert (later.stay, later.stay_months) == (case.placement.stay, case.placement.stay_months)

    panel(page_at(page, site), "Søke sammen med noen")
    page.get_by_label("Saken til den andre").fill(OTHER)
    page.get_by_role("button", name="Registrer at de søker sammen").click()
    saved(page)
    assert (now(site, Case, CASE).together_with, now(site, Case, OTHER).together_with) == (OTHER, CASE)
    panel(page_at(page, site), "Ikke søke sammen lenger")
    page.get_by_role("button", name=f"Skill saken fra {OTHER}").click()
    saved(page)
    assert now(site, Case, OTHER).together_with is None


def test_a_wish_to_live_near_somebody_counts_with_their_yes(site: Site, browsers: Browsers) -> None:
    """It is written down, answered, and taken back."""
    page = panel(browsers.window(site, "caseworker").go(MORE), "Ønske om å bo nær noen")
    page.get_by_label("Nummeret til beboeren").fill(NEIGHBOUR)
    page.get_by_role("button", name="Lagre ønsket").click()
    saved(page)
    panel(page_at(page, site), "Ønske om å bo nær noen")
    page.get_by_label("Ja", exact=True).check()
    page.get_by_role("button", name="Lagre svaret").click()
    saved(page)
    near = now(site, Case, CASE).near
    assert near is not None
    assert (near.person, near.consents) == (NEIGHBOUR, True)
    panel(page_at(page, site), "Ønske om å bo nær noen")
    expect(page.get_by_text("Beboeren sa ja")).to_be_visible()
    page.get_by_role("button", name="Ta ønsket tilbake").click()
    saved(page)
    assert now(site, Case, CASE).near is None


def test_who_handles_a_case_who_may_see_it_and_what_nobody_can_tell(site: Site, browsers: Browsers) -> None:
    """Each once, with what was written in the record."""
    page = panel(browsers.window(site, "caseworker").go(MORE), "Overføre saken")
    page.get_by_label("Hvem skal behandle saken?").fill("Bydel 2")
    page.get_by_label("Hvilken kommune betaler?").fill("4601")
    page.locator("form[action$=hand_over]").get_by_label("Hvorfor?").fill("Søkeren arbeider her.")
    page.get_by_role("button", name="Lagre overføringen").click()
    saved(page)
    case = now(site, Case, CASE)
    assert (case.handled_by, case.responsible_municipality) == ("Bydel 2", "4601")

    for name, who, button, then in (
        ("Stenge noen ute", "Hvem skal ikke se saken?", "Steng ute", frozenset({"assessor"})),
        ("Slippe noen inn", "Hvem skal se saken igjen?", "Slipp inn", frozenset[str]()),
    ):
        panel(page_at(page, site), name)
        page.get_by_label(who).select_option("assessor")
        page.get_by_role("group").get_by_label("Hvorfor?").locator("visible=true").fill("I slekt.")
        page.get_by_role("button", name=button).click()
        saved(page)
        assert now(site, Case, CASE).barred == then

    page.goto(f"{site.address}/cases/S-2026-109/more")
    panel(page, "Kan ikke besvares")
    page.get_by_label("Hvorfor kan det ikke besvares?").first.fill("Søkeren svarer ikke på det.")
    page.get_by_role("button", name="Slutt å spørre").first.click()
    saved(page)
    with site.storage.read() as tx:
        asked = tx.find(Query(Kind.CLARIFICATION, links=(Link(Kind.CASE, "S-2026-109"),)))
    states = [one.body.state for one in asked if isinstance(one.body, Clarification)]
    assert states.count(ClarificationState.CANNOT_BE_KNOWN) == 1


def page_at(page: Page, site: Site) -> Page:
    """Go to what else can be done."""
    page.goto(f"{site.address}{MORE}")
    return page


def test_a_refusal_says_what_is_wrong_and_keeps_what_was_written(shown: Site, browsers: Browsers) -> None:
    """Beside the field, in a panel that is open; without scripts."""
    page = browsers.window(shown, "caseworker", scripts=False).go(MORE)
    panel(page, "Overføre saken")
    page.locator("form[action$=hand_over]").get_by_label("Hvorfor?").fill("Søkeren arbeider her.")
    page.get_by_role("button", name="Lagre overføringen").click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    expect(page.locator("form[action$=hand_over]").get_by_label("Hvorfor?")).to_have_value(
        "Søkeren arbeider her."
    )
    page.goto(f"{shown.address}{MORE}")
    panel(page, "Ønske om å bo nær noen")
    page.get_by_label("Nummeret til beboeren").fill("B-9999")
    page.get_by_role("button", name="Lagre ønsket").click()
    expect(page.get_by_label("Nummeret til beboeren")).to_have_value("B-9999")
    page.goto(f"{shown.address}{MORE}")
    panel(page, "Hva det søkes om")
    page.get_by_label("Er det sagt noe nytt").select_option("permanent")
    page.get_by_label("Når ble det sagt eller vurdert?").fill("")
    page.get_by_role("button", name="Lagre det som søkes om").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(2)
    expect(page.locator(".ds-error-summary li")).to_have_count(2)


@pytest.mark.parametrize(
    ("step", "said", "wrong"),
    [
        (
            "hand_over",
            {"responsible_municipality": "x"},
            ["hand_over-responsible_municipality", "hand_over-reason"],
        ),
        (
            "ask_for",
            {
                "decision_types[]": "D2",
                "placement/stay/value": "limited",
                "placement/stay/source": "applicant",
                "placement/stay/recorded_on": "i fjor",
                "placement/stay_months/value[int]": "9",
            },
            ["ask_for-placement-stay-recorded_on"],
        ),
    ],
)
def test_all_that_is_wrong_is_told_at_once_and_each_once(
    shown: Site, step: str, said: dict[str, str], wrong: list[str]
) -> None:
    """What is missing with what cannot be read; and a day that is told of two facts is wrong once."""
    with shown.client("caseworker") as client:
        answer = client.post(f"{MORE}/{step}", data={"_version": version(shown), **said})
    assert answer.status_code == 422
    summary = answer.text.partition("ds-error-summary")[2].partition("</div>")[0]
    assert re.findall(r'href="#f-([^"]*)"', summary) == wrong


def test_who_shuts_themselves_out_comes_to_the_list(site: Site, browsers: Browsers) -> None:
    """The case is no longer there for them; another lets them in again, and sees who is shut out."""
    page = panel(browsers.window(site, "caseworker").go(MORE), "Stenge noen ute")
    page.get_by_label("Hvem skal ikke se saken?").select_option("caseworker")
    page.locator("form[action$='/bar']").get_by_label("Hvorfor?").fill("Er søsken.")
    page.get_by_role("button", name="Steng ute").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Saker")
    leader = panel(browsers.window(site, "committee_leader").go(MORE), "Slippe noen inn")
    choices = leader.get_by_label("Hvem skal se saken igjen?").locator("option").all_inner_texts()
    assert choices == ["Velg", "Anne Oppdiktet"]


def test_a_placement_in_a_crisis_is_made_with_the_advice_before_ones_eyes(
    site: Site, browsers: Browsers
) -> None:
    """The unit is chosen, the advice read, what is missing is said, and then it is done."""
    page = browsers.window(site, "committee_leader").go(f"/cases/{CASE}")
    page.get_by_role("link", name="Kriseplassering").click()
    best = page.get_by_role("link", name="Se hvilken bolig som passer best")
    expect(best).to_have_attribute("href", f"/cases/{CASE}/suggestion")
    page.get_by_label("Bolig", exact=True).select_option("fjordgata-3")
    unit = page.get_by_label("Bolig", exact=True).input_value()
    page.get_by_role("button", name="Vis rådet om boligen").click()
    expect(page.get_by_role("heading", name=f"Rådet om {unit}")).to_be_visible()
    page.get_by_label("Hvorfor haster det?").fill("Måtte ut av boligen samme dag.")
    panel(page, f"Plasser søkeren i {unit}")
    page.get_by_role("button", name="Ja, plasser søkeren nå").click()
    expect(page.get_by_label("Siste dag i boligen")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Hvorfor du går mot rådet")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Hvorfor haster det?")).to_have_value("Måtte ut av boligen samme dag.")
    page.get_by_label("Siste dag i boligen").fill("2026-12-04")
    for label in ("Hvorfor du går mot rådet", "Hvorfor du likevel velger boligen"):
        if page.get_by_label(label).count():
            page.get_by_label(label).fill("Ingen annen bolig er ledig i natt.")
    page.get_by_role("button", name="Ja, plasser søkeren nå").click()
    saved(page)
    assert now(site, Case, CASE).state is CaseState.CRISIS
    with site.storage.read() as tx:
        made = tx.find(Query(Kind.DECISION, links=(Link(Kind.CASE, CASE),)))
    assert unit in {one.body.unit for one in made if isinstance(one.body, Decision)}
    with site.client("committee_leader") as client:
        assert client.get(f"/cases/{CASE}/crisis").status_code == 404
        form = {
            "unit": unit,
            "reason": "Sendt av en annen i samme minutt.",
            "until": "2026-12-04",
            "review_by": "2026-11-24",
            "_version": str(site.now(Case, CASE).version),
        }
        late = client.post(f"/cases/{CASE}/crisis", data=form)
        assert late.status_code == 409
        assert "Saken står ikke der at dette kan gjøres." in late.text
        late = client.post(f"/cases/{CASE}/crisis", data=form | {"_version": "1"})
        assert late.status_code == 412
        late = client.post(f"/cases/{CASE}/crisis", data={"unit": unit})
        assert late.status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_crisis_page_is_accessible_with_a_unit_and_with_a_fault(
    shown: Site, browsers: Browsers, language: str
) -> None:
    """At each width."""
    leader = browsers.window(shown, "committee_leader", language=language)
    page = leader.go(f"/cases/{CASE}/crisis")
    page.locator("#f-unit").select_option(index=1)
    page.locator("form.choose button").click()
    expect(page.locator("form[method=post] details.do")).to_be_visible()
    assert leader.faults() == []
    page.locator("form[method=post] details button").click()
    expect(page.locator(".ds-error-summary")).to_be_visible()
    assert leader.faults() == []


@pytest.mark.parametrize("login", [login for login, *_ in ACCOUNTS])
def test_each_sees_the_forms_that_they_may_use_and_no_more(shown: Site, login: str) -> None:
    """A page without anything to do is not there; neither is a link to it."""
    with shown.client(login) as client:
        for case in (CASE, "S-2026-109"):
            may = shown.desk.allowed(actor(shown, login), Kind.CASE, case)
            page, more = client.get(f"/cases/{case}").text, client.get(f"/cases/{case}/more")
            assert (f'href="/cases/{case}/more"' in page) is (more.status_code == 200)
            for step, use in (("ask_for", "cases.ask_for"), ("bar", "cases.bar"), ("admit", "cases.bar")):
                if use not in may:
                    assert f"/more/{step}" not in more.text
            crisis = client.get(f"/cases/{case}/crisis").status_code == 200
            assert crisis is ("cases.place_in_crisis" in may and case == CASE)


def test_nothing_of_who_is_near_or_shut_out_on_a_shared_screen(site: Site) -> None:
    """Nor for whoever may not read of it; and nobody is suggested."""
    wishes = site.client("caseworker")
    assert wishes.post(f"{MORE}/wish_near", data={"_version": version(site), "person": NEIGHBOUR}).is_redirect
    assert wishes.post(
        f"{MORE}/bar", data={"_version": version(site), "bar[]": "auditor", "reason": "I slekt."}
    ).is_redirect
    page = wishes.get(MORE).text
    assert NEIGHBOUR in page
    assert "Stengt ute nå" not in page
    wishes.headers["Cookie"] += "; __Host-shared-screen=yes"
    page = wishes.get(MORE).text
    assert NEIGHBOUR not in page
    assert "/more/bar" not in page
    wishes.close()
    for login in ("assessor", "committee_leader"):
        with site.client(login) as client:
            page = client.get(MORE).text
            assert NEIGHBOUR not in page
            assert ("Stengt ute nå" in page) is (login == "committee_leader")


def version(site: Site) -> str:
    """Return the version of the case."""
    with site.storage.read() as tx:
        stored = tx.get(Kind.CASE, CASE)
    assert stored is not None
    return str(stored.version)


def test_a_question_of_another_case_is_not_answered_here(shown: Site) -> None:
    """What a case does not wait for is not there under it, and a step that there is none of neither."""
    with shown.storage.read() as tx:
        asked = tx.find(Query(Kind.CLARIFICATION, links=(Link(Kind.CASE, "S-2026-109"),)))
    with shown.client("caseworker") as client:
        address = f"/clarifications/{asked[0].id}/cannot-be-known"
        said = {"note": "Ukjent.", "_version": str(asked[0].version)}
        assert client.post(address, data={**said, "_case": CASE}).status_code == 404
        assert client.post(address, data=said).status_code == 422
        assert client.post(f"{MORE}/nothing", data={}).status_code == 404


def actor(site: Site, login: str) -> Actor:
    """Return who an account is."""
    found = site.desk.actor(login)
    assert found is not None
    return found


def test_a_conflict_is_reported_and_one_is_back_at_the_case(site: Site) -> None:
    """It waits for the conflict officer."""
    said = {
        "counterpart": NEIGHBOUR,
        "kind": "enemy",
        "source": "staff",
        "explanation": "De har truet hverandre.",
    }
    with site.client("caseworker") as client:
        answer = client.post("/people/P-S-2026-114/conflict", data=said)
        assert answer.headers["location"] == f"/cases/{CASE}?saved=conflicts.report"
    with site.client("conflict_officer") as client:
        assert said["explanation"] in client.get("/conflicts").text
