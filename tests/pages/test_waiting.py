"""The start page lists what waits and nothing else, and each line leads to where it is dealt with."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.pages.site import Browsers, Site


def _links(site: Site, login: str, heading: str) -> list[str]:
    """Return where the lines under a heading lead to."""
    with site.client(login) as client:
        page = client.get("/").text
    card = next((one for one in page.split('<li class="ds-card">') if heading in one), "")
    return re.findall(r'<li><a class="ds-link" href="([^"]+)"', card)


def test_a_placement_to_look_at_again_waits_for_the_cleared_alone(shown: Site) -> None:
    """Whoever keeps the conflicts is told; others find no trace of it."""
    assert _links(shown, "conflict_officer", "Plasseringer som må sees på igjen") == ["/conflicts"]
    for login in ("caseworker", "committee_secretary", "committee_member"):
        with shown.client(login) as client:
            assert "Plasseringer som må sees på igjen" not in client.get("/").text


def test_an_objection_that_has_run_out_waits_for_nobody(shown: Site) -> None:
    """The one in S-2026-105 held until August."""
    assert set(_links(shown, "committee_leader", "Innvendinger som skal besvares")) == {
        "/vetoes/I-02",
        "/vetoes/veto-01",
    }


def test_an_objection_leads_to_where_it_is_answered(site: Site, browsers: Browsers) -> None:
    """To the item of the agenda that the case is on, once it is on one."""
    page = browsers.window(site, "committee_secretary").go("/meetings/meeting-03")
    page.locator("#f-put-case").select_option("S-2026-103")
    page.get_by_role("button", name="Legg til", exact=True).click()
    expect(page.locator("#done")).to_be_visible()
    (place,) = set(_links(site, "committee_secretary", "Innvendinger som skal besvares"))
    assert place == "/meetings/meeting-03/items/2"
    page.goto(f"{site.address}{place}")
    expect(page.get_by_text("Svar på innvendingen").first).to_be_visible()


def test_an_appeal_leads_to_its_own_page(shown: Site) -> None:
    """Where it is answered, or settled."""
    assert _links(shown, "caseworker", "Klager") == ["/appeals/appeal-02"]
    assert _links(shown, "appeals_body", "Klager") == ["/appeals/appeal-01"]
