"""What pages say when there is nothing yet, and how what was done is taken back or asked about first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect

from allocator.casework.offices import Account, Grant
from fixtures.demo_office import ACCOUNTS
from tests.databases import fresh
from tests.pages.site import Browsers, Site

SAYS = {
    "/": "Når noe gjør det, står det her.",
    "/cases": "Ingen saker løper nå.",
    "/cases?view=new": "Ingen saker kartlegges nå.",
    "/cases?view=waiting": "Ingen venter på bolig nå.",
    "/cases?view=decided": "Ingen saker har fått vedtak og løper fortsatt.",
    "/cases?view=ended": "Ingen saker er avsluttet.",
    "/units": "Ingen botiltak er lagt inn ennå.",
    "/units?view=all": "Ingen botiltak er lagt inn ennå.",
    "/hearings": "Ingen høringer venter på svar.",
    "/meetings": "Ingen møter er planlagt.",
    "/conflicts": "Ingen konflikter er registrert.",
    "/rules": "Ingen regelsett er i bruk ennå.",
    "/rules/compare": "Det finnes ikke to regelsett å sammenligne ennå.",
    "/appeals": "Ingen klager venter.",
    "/reports": "Tall om færre enn fem mennesker vises ikke.",
    "/log": "innlogging",
    "/accounts": "Anne Oppdiktet",
}
"""What each list says in an office where there is nothing but those who work there."""

NEXT = {
    ("caseworker", "/cases"): "En sak begynner med «Ny søker».",
    ("committee_member", "/cases"): "Du ser bare saker som er for deg.",
    ("committee_secretary", "/hearings"): "En høring sendes fra forslaget i en sak.",
    ("scheme_staff", "/hearings"): "Når noen kan flytte inn, står spørsmålet her.",
    ("committee_secretary", "/meetings"): "Kall inn til et møte, og legg saker på sakslisten.",
    ("committee_member", "/meetings"): "Når sekretæren har kalt inn til et møte, står det her.",
    ("policy_owner", "/rules"): "Foreslå et nytt regelsett",
    ("caseworker", "/appeals"): "En klage registreres på siden til vedtaket.",
}
"""What it says comes next, to whom."""


@pytest.fixture(scope="module")
def new() -> Iterator[Site]:
    """An office on its first day: somebody in every role, and nothing else."""
    site = Site(Path(fresh("sqlite").removeprefix("sqlite:///")))
    for login, name, role, schemes, cleared in ACCOUNTS:
        grant = Grant(role=role, schemes=schemes, since=date(2026, 1, 1))
        site.seed(Account(login=login, name=name, grants=(grant,), cleared=cleared), login)
    yield site
    site.stop()


@pytest.mark.parametrize("login", [login for login, *_ in ACCOUNTS])
def test_an_empty_list_says_what_it_means(new: Site, login: str) -> None:
    """Every page in the menu and every view of it is there on the first day, for whoever has it in theirs."""
    with new.client(login) as client:
        start = client.get("/").text
        menu = set(re.findall(r'href="([^"]+)"', start[start.index("main-menu") : start.index("<main")]))
        assert menu <= set(SAYS)
        for path, said in SAYS.items():
            page = client.get(path)
            listed = f"/{re.split('[/?]', path)[1]}" in menu
            assert page.status_code == 200 or not listed, path
            if listed or (path == "/appeals" and page.status_code == 200):
                assert said in page.text, path


def test_an_empty_list_says_what_comes_next(new: Site) -> None:
    """To each what they themselves can do, or wait for."""
    for (login, path), said in NEXT.items():
        with new.client(login) as client:
            assert said in client.get(path).text, (login, path)


def test_the_first_policy_is_proposed_where_there_is_none(new: Site, browsers: Browsers) -> None:
    """A text that is wrong is shown again; accessible as it stands."""
    window = browsers.window(new, "policy_owner", width=390)
    page = window.go("/rules")
    page.get_by_text("Foreslå et nytt regelsett").click()
    page.get_by_label("Regelsettet som TOML").fill("ikke et regelsett")
    page.get_by_role("button", name="Foreslå").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Regelsettet som TOML")).to_have_value("ikke et regelsett")
    assert window.axe() == []


def test_who_may_not_see_something_is_not_told_that_there_is_none(shown: Site) -> None:
    """A suggestion and hearings that are there, but not for a peer member."""
    with shown.client("peer_member") as client:
        page = client.get("/meetings/meeting-03/items/1").text
    assert "Forslaget vises ikke for deg." in page
    assert "Svarene vises ikke for deg." in page
    assert "Det er ikke laget noe forslag." not in page
    assert "Ingen botiltak er spurt." not in page


@pytest.mark.parametrize(
    ("login", "path", "opened"),
    [
        ("scheme_leader", "/units/strandgata-5", None),
        ("scheme_leader", "/schemes/strandgata", None),
        ("committee_member", "/meetings/meeting-03/items/1", "Skriv en merknad"),
    ],
)
def test_a_remark_is_taken_back_where_it_was_made(
    site: Site, browsers: Browsers, login: str, path: str, opened: str | None
) -> None:
    """The way back stands right beside it, for its author alone."""
    page = browsers.window(site, login, scripts=False).go(path)
    if opened is not None:
        page.get_by_text(opened).click()
    page.locator("textarea[name=text]:visible").fill("Nøkkelen henger i gangen.")
    page.get_by_role("button", name=re.compile("Lagre (kommentaren|merknaden)")).click()
    said = page.locator("#comments ~ ul > li").filter(has_text="Nøkkelen henger i gangen.")
    expect(said).to_be_visible()
    said.get_by_role("button", name="Ta tilbake").click()
    expect(page.locator("#done")).to_be_visible()
    expect(said).to_have_count(0)
    assert page.url.startswith(f"{site.address}{path}")


def test_an_objection_is_taken_back_from_the_answer(shown: Site, browsers: Browsers) -> None:
    """The hearing says where, as long as nobody has answered it."""
    page = browsers.window(shown, "scheme_leader_2").go("/hearings/hearing-07")
    page.get_by_role("link", name="Ta tilbake innvendingen").click()
    expect(page.get_by_role("button", name="Ta tilbake").first).to_be_visible()


@pytest.mark.parametrize(
    ("login", "path", "asked"),
    [
        ("committee_secretary", "/hearings/hearing-06", "Avslutt høringen"),
        ("scheme_leader", "/schemes/strandgata", "Lukk risikoen"),
    ],
)
def test_what_cannot_be_undone_asks_first(
    site: Site, browsers: Browsers, login: str, path: str, asked: str
) -> None:
    """It takes two steps, and the second says what it means; without scripts too."""
    page = browsers.window(site, login, scripts=False).go(path)
    button = page.get_by_role("button", name=f"Ja, {asked.lower()}")
    step = page.locator("summary").filter(has_text=asked)
    expect(button).not_to_be_visible()
    step.click()
    expect(
        page.get_by_text(re.compile("kan ikke (angres|åpnes igjen)")).locator("visible=true")
    ).to_be_visible()
    button.click()
    expect(page.locator("#done")).to_be_visible()
    expect(step).to_have_count(0)
