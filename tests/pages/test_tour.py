"""The tour of the demonstration: each step leads to what it says, and is marked when that is done."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import expect

from allocator.casework.codes import Purpose
from allocator.service.catalogue import USES
from allocator.service.uses import Command
from api.app import create_office
from api.office import COOKIE, read
from api.pages.tour import STEPS, TOUR
from api.routes.records import names_of
from fixtures.demo_office import ACCOUNTS
from tests.browsers import Browser, default_policy
from tests.pages.site import LANGUAGES, WIDTHS, Browsers, Site

THERE: Mapping[str, tuple[str, ...]] = {
    "protection": ("Adressebeskyttelse er sjekket i dag",),
    "offer-answer": ("Registrer ja", "Registrer nei"),
    "wishes": ("Lagre ønskene",),
    "suggest": ("Lag forslag",),
    "appeal-forward": ("Registrer at klagen er sendt",),
    "protected-case": ("Sak S-2026-119",),
    "shared-screen": ("S-2026-119", "Delt skjerm"),
    "assess": ("Kartleggingen er ferdig", "Ikke spurt"),
    "substance": ("Hovedrusmiddel", "Lagre"),
    "recheck": ("plasseringen står", "Lagre svaret"),
    "confirm-conflict": ("P-S-2026-106", "ikke bekreftet", "Bekreft"),
    "see-order": ("P-S-2026-107", "ikke sett", "Forbudet er sett"),
    "hearing": ("Ditt svar", "Send svaret"),
    "what-if": ("Med søkeren", "S-2026-103"),
    "notice": ("Lagre oppsigelsen",),
    "change-answer": ("Svar på nytt", "Merknad", "Vi har en innvending"),
    "take-back": ("Tre vakter på rad", "Ta tilbake"),
    "say": ("Skriv ned hva en beboer svarte",),
    "hazard": ("Meld risikoen",),
    "agenda": ("Legg til på sakslisten", "S-2026-106 – har forslag", "tunet-2"),
    "answer-objections": ("Legg til på sakslisten", "S-2026-103 –"),
    "send-hearing": ("S-2026-106", "Send på høring"),
    "minutes": ("Lagre protokollen", "Punkt 1: S-2026-105"),
    "call": ("Kall inn", "Henrik Oppdiktet"),
    "applicants": ("Hvem passer her?",),
    "read-item": ("Forslaget", "Svar fra botiltakene", "Har noen snakket med søkeren"),
    "own-words": ("Vil helst bo nær bussen.",),
    "read-suggestion": ("Nummer 1 tunet-2",),
    "today": ("I gang", "S-2026-104"),
    "reversal": ("Bolig tildelt – nordlia-10",),
    "approve": ("Godkjenn vedtaket", "Foreslått av Jon Oppdiktet"),
    "suspend": ("Sett vedtaket på vent",),
    "release": ("Frigi boligen",),
    "close-unit": ("Ta ut av bruk",),
    "vacant": ("tunet-2", "Oppsagt"),
    "settle": ("Avgjør klagen", "Vedtaket står"),
    "appealed": ("Avslått", "Klage mottatt"),
    "not-forwarded": ("Klage i sak S-2026-108", "Mottatt"),
    "log": ("Om hvem", "oppslag"),
    "rule": ("Brutt når", "Opprinnelse"),
    "handbook": ("Kvinner og menn i samme bogruppe",),
    "compare": ("Ung er under: 25 år", "Ung er under: 27 år"),
    "followed": ("Fulgte vedtakene rådene?", "Regel for regel"),
    "add-account": ("Legg til bruker",),
    "clear": ("Lagre klareringen",),
    "disable": ("Ida Oppdiktet", "Sperr brukeren"),
}
"""What each step says that there is, as it stands on the page."""


def _text(html: str) -> str:
    """Return what a page says."""
    main = html[html.index("<main") : html.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", main, flags=re.DOTALL)))


def test_everybody_in_the_demonstration_has_three_to_five_steps() -> None:
    """No step is left out, and none is for nobody."""
    assert set(TOUR) == {login for login, *_ in ACCOUNTS}
    assert {len(names) for names in TOUR.values()} <= {3, 4, 5}
    assert {name for names in TOUR.values() for name in names} == set(STEPS) == set(THERE)


@pytest.mark.parametrize("login", list(TOUR))
def test_what_a_step_says_is_there_and_not_yet_done(shown: Site, login: str) -> None:
    """Each link, followed as whoever it is for."""
    with shown.client(login) as client:
        start = client.get("/").text
        assert re.findall(r'href="/tour/([^"]+)"', start) == list(TOUR[login])
        assert "(gjort)" not in start
        for name in TOUR[login]:
            went = client.get(f"/tour/{name}")
            assert went.status_code == 303
            assert went.headers["location"] == STEPS[name].place
            page = client.get(STEPS[name].place)
            assert page.status_code == 200, name
            for said in THERE[name]:
                assert said in page.text or said in _text(page.text), (name, said)


def test_only_a_demonstration_has_it(shown: Site) -> None:
    """An office with real people is never told to try anything, and has no such addresses."""
    real = create_office(shown.connections, shown.clock, default_policy(), logins=shown.logins)
    visitor = Browser(real)
    visitor.cookies = {COOKIE: shown.token("committee_secretary")}
    with ThreadPoolExecutor(1) as apart:  # the browser of other tests has a loop of its own in this thread
        start = apart.submit(visitor.get, "/").result()
        step = apart.submit(visitor.get, "/tour/agenda").result()
    assert start.status_code == 200
    assert "Mine oppgaver" in start.text
    assert "Prøv dette" not in start.text
    assert step.status_code == 404


_OBJECTION = {
    "unit": "strandgata-5",
    "ground": "staffing_competence",
    "fact": {"observed_on": "2026-11-20", "source": "staff", "text": "Ingen fast nattevakt denne uka."},
}
PURPOSES = {
    "appeals_body": Purpose.APPEAL,
    "scheme_leader": Purpose.HEARING,
    "scheme_leader_2": Purpose.HEARING,
}
DONE: tuple[tuple[str, str, str, str | None, Mapping[str, Any]], ...] = (
    ("caseworker", "protection", "cases.check_protection", "S-2026-112", {}),
    ("caseworker", "protection", "cases.begin_assessment", "S-2026-112", {}),
    ("caseworker", "wishes", "cases.wish", "S-2026-109", {"wishes": {"obtained_on": "2026-11-23"}}),
    ("caseworker", "offer-answer", "offers.withdraw", "offer-04", {}),
    ("caseworker", "suggest", "suggestions.make", None, {"case": "S-2026-110"}),
    ("caseworker", "appeal-forward", "appeals.forward", "appeal-02", {"reason": "Kommunen holder fast."}),
    ("assessor", "assess", "cases.assess", "S-2026-113", {"reason": "Søkeren ville ikke svare."}),
    ("scheme_leader", "hearing", "hearings.state", "hearing-05", {"kind": "ok"}),
    (
        "scheme_staff",
        "change-answer",
        "hearings.state",
        "hearing-06",
        {"kind": "objection", "objection": _OBJECTION},
    ),
    (
        "scheme_staff",
        "hazard",
        "hazards.report",
        None,
        {"scheme": "nordlia", "what": "threats", "text": "Ropes det."},
    ),
    ("scheme_leader_2", "take-back", "vetoes.withdraw", "veto-01", {}),
    (
        "scheme_leader_2",
        "say",
        "says.record",
        None,
        {"person": "B-51", "scheme": "havna", "question": "own_wish_to_move", "answer": "no_objection"},
    ),
    ("committee_leader_2", "approve", "decisions.approve", "decision-06", {}),
    (
        "committee_leader_2",
        "suspend",
        "decisions.suspend",
        "decision-01",
        {"until": "2026-11-27", "grounds": "Noe nytt må vurderes først."},
    ),
    ("committee_leader", "applicants", "suggestions.make", None, {"unit": "tunet-2"}),
    ("committee_secretary", "agenda", "meetings.put_on_agenda", "meeting-03", {"case": "S-2026-106"}),
    (
        "committee_secretary",
        "send-hearing",
        "hearings.send",
        None,
        {"case": "S-2026-106", "scheme": "strandgata"},
    ),
    (
        "committee_secretary",
        "minutes",
        "meetings.write_minutes",
        "meeting-02",
        {"minutes": "To saker ble behandlet."},
    ),
    ("property_manager", "release", "reservations.release", "reservation-01", {}),
    ("property_manager", "close-unit", "units.close", "strandgata-5", {"kind": "under_repair"}),
    (
        "appeals_body",
        "settle",
        "appeals.settle",
        "appeal-01",
        {"state": "upheld", "result": "Vedtaket står, av samme grunn."},
    ),
    (
        "administrator",
        "clear",
        "accounts.clear",
        "caseworker",
        {"cleared": ["kode_6"], "reason": "Skal ha saken."},
    ),
    ("administrator", "add-account", "accounts.open", None, {"login": "ny", "name": "Ny Oppdiktet"}),
)
"""Who does which step by which use case, to what, saying what."""


def test_steps_are_done_when_the_record_says_so(site: Site) -> None:
    """By what the use cases leave behind, not by what was clicked."""
    for login, _, use, target, content in DONE:
        actor = site.desk.actor(login, PURPOSES.get(login, Purpose.CASEWORK))
        assert actor is not None
        command: type[Command] = USES[use].command
        site.run(actor, use, read(command, json.dumps(content).encode(), names_of(command)), target)
    for login in sorted({login for login, *_ in DONE}):
        with site.client(login) as client:
            start = client.get("/")
        assert start.status_code == 200, login
        steps = re.findall(r"<li>(.*?)</li>", start.text.partition('id="tour"')[2], re.DOTALL)
        done = {
            name for name in TOUR[login] if any(f"/tour/{name}" in one and "(gjort)" in one for one in steps)
        }
        assert {step for who, step, *_ in DONE if who == login} <= done, login


def test_a_step_is_marked_when_it_is_done_or_opened(site: Site, browsers: Browsers) -> None:
    """By how the record stands, whoever did it; what is only to be read, when it has been opened."""
    page = browsers.window(site, "scheme_leader", scripts=False).go("/")
    steps = page.locator(".tour-steps > li")
    assert steps.filter(has_text="gjort").count() == 0
    page.get_by_role("link", name="Se hvordan det blir i Strandgata").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Strandgata"
    page.go_back()
    page.reload()
    assert steps.filter(has_text="gjort").all_inner_texts()[0].startswith("Se hvordan det blir i Strandgata")
    other = browsers.window(site, "scheme_staff").go("/hearings/hearing-05")
    other.get_by_label("Det går bra", exact=True).check()
    other.get_by_role("button", name="Send svaret").click()
    page.reload()
    assert steps.filter(has_text="gjort").count() == 2


def test_the_tour_is_closed_and_opened_again_without_scripts(shown: Site, browsers: Browsers) -> None:
    """The choice is kept from page to page."""
    page = browsers.window(shown, "policy_owner", scripts=False).go("/")
    expect(page.get_by_role("heading", name="Prøv dette")).to_be_visible()
    page.get_by_role("button", name="Skjul").click()
    page.goto(f"{shown.address}/rules")
    page.goto(f"{shown.address}/")
    assert page.get_by_role("heading", name="Prøv dette").count() == 0
    page.get_by_role("button", name="Vis «Prøv dette»").click()
    expect(page.get_by_role("heading", name="Prøv dette")).to_be_visible()


def test_the_start_page_with_the_tour_is_accessible(shown: Site, browsers: Browsers) -> None:
    """At each width, each in another language; and the login tells what each role does."""
    for width, language in zip(WIDTHS, LANGUAGES, strict=True):
        window = browsers.window(shown, "committee_secretary", width=width, language=language)
        window.go("/")
        assert window.axe() == []
        assert window.sideways() == 0
    login = browsers.window(shown).go("/login")
    for role in ("Utvalgssekretær", "Ansvarlig for regelsettet", "Brukerrepresentant"):
        said = login.get_by_role("button", name=role).inner_text().splitlines()
        assert said[1].endswith(".")
