"""Reviews: found among the tasks, looked at, written down; and planned."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from allocator.casework.codes import ReviewKind
from allocator.casework.committee import Review
from allocator.casework.housing import Tenancy
from allocator.casework.records import Kind, Link
from allocator.ports import Query
from tests.office import TODAY
from tests.pages.site import Browsers, Site

FOUND = "Det går bra. Samme tiltak videre."


def reviews(site: Site) -> list[Review]:
    """Return all reviews there are."""
    with site.storage.read() as tx:
        return [one.body for one in tx.find(Query(Kind.REVIEW)) if isinstance(one.body, Review)]


def test_a_review_is_found_among_the_tasks_and_held(site: Site, browsers: Browsers) -> None:
    """What is missing is said first, and what was written is kept; with a next day it comes back."""
    window = browsers.window(site, "scheme_leader_2")
    page = window.go("/")
    page.locator(".tasks a[href^='/reviews/']").click()
    assert page.title().startswith("Oppfølging")
    page.get_by_label("Hva fant dere?").fill("Bra.")
    page.get_by_role("button", name="Lagre det som ble funnet").click()
    assert page.get_by_label("Hva fant dere?").input_value() == "Bra."
    assert window.axe() == []
    page.get_by_label("Hva fant dere?").fill(FOUND)
    again = TODAY + timedelta(days=30)
    page.get_by_label("Neste gang").fill(again.isoformat())
    page.get_by_role("button", name="Lagre det som ble funnet").click()

    assert page.locator("#done").inner_text() == "Gjennomgangen er registrert."
    assert FOUND in page.locator("main").inner_text()
    (held,) = [one for one in reviews(site) if one.found == FOUND]
    assert held.next_by == again
    (due,) = [one for one in reviews(site) if one.held_on is None and one.by == again]
    assert due.tenancy == held.tenancy


def test_a_review_of_a_home_is_planned(site: Site, browsers: Browsers) -> None:
    """From the page of the home, by the leader of the scheme; not by whoever audits."""
    with site.storage.read() as tx:
        homes = tx.find(Query(Kind.TENANCY, links=(Link(Kind.UNIT, "nordlia-1"),)))
    home = next(one.id for one in homes if isinstance(one.body, Tenancy) and one.body.moved_out is None)
    page = browsers.window(site, "scheme_leader").go(f"/tenancies/{home}/more")
    page.get_by_role("link", name="Planlegg en gjennomgang").click()
    page.get_by_role("button", name="Legg på listen").click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(2)
    page.get_by_label("Hva skal dere se på?").select_option("follow_up")
    page.get_by_label("Senest").fill((TODAY + timedelta(days=3)).isoformat())
    page.get_by_role("button", name="Legg på listen").click()

    expect(page.get_by_role("link", name="Gjennomgang: oppfølging").last).to_be_visible()
    assert (home, TODAY + timedelta(days=3)) in {(one.tenancy, one.by) for one in reviews(site)}
    with site.client("auditor") as client:
        assert client.get(f"/tenancies/{home}/reviews/new").status_code == 404


def test_a_review_of_a_case_is_planned(site: Site, browsers: Browsers) -> None:
    """From the case, where it stands afterwards."""
    before = len(reviews(site))
    window = browsers.window(site, "caseworker")
    page = window.go("/cases/S-2026-110")
    page.get_by_role("link", name="Planlegg en gjennomgang").click()
    page.get_by_role("button", name="Legg på listen").click()
    assert page.locator("[aria-invalid=true]").count() == 2
    page.get_by_label("Hva skal dere se på?").select_option("follow_up")
    page.get_by_label("Senest").fill((TODAY + timedelta(days=3)).isoformat())
    page.get_by_role("button", name="Legg på listen").click()

    assert page.get_by_role("link", name="Gjennomgang: oppfølging").get_attribute("href") is not None
    assert len(reviews(site)) == before + 1
    page.get_by_role("link", name="Gjennomgang: oppfølging").click()
    assert window.faults() == []


def test_whoever_acted_in_a_crisis_does_not_look_at_it_themselves(site: Site) -> None:
    """They are told so in words, and nothing is written down."""
    with site.storage.read() as tx:
        found = [one for one in tx.find(Query(Kind.REVIEW)) if isinstance(one.body, Review)]
    crisis, *_ = [one for one in found if isinstance(one.body, Review) and one.body.what is ReviewKind.CRISIS]
    with site.client("committee_leader") as client:
        page = client.get(f"/reviews/{crisis.id}")
        assert "En annen enn den som handlet i krisen" in page.text
        answer = client.post(
            f"/reviews/{crisis.id}/hold", data={"_version": str(crisis.version), "_key": "a", "found": FOUND}
        )
        assert answer.status_code == 409
        assert "må se på det i etterkant" in answer.text
        assert FOUND in answer.text
    with site.client("peer_member") as client:
        assert client.get(f"/reviews/{crisis.id}").status_code == 404
