"""An objection by itself: answered by the committee where its case is on no agenda."""

from __future__ import annotations

from allocator.casework.records import Kind
from allocator.casework.voice import Veto
from allocator.codes import VetoStatus
from allocator.ports import Query
from tests.office import TODAY
from tests.pages.site import Browsers, Site

REASON = "Utvalget har snakket med de ansatte, og tiltaket de foreslår, settes inn før innflytting."


def open_objections(site: Site) -> list[str]:
    """Return the objections that hold and that nobody has answered."""
    with site.storage.read() as tx:
        found = tx.find(Query(Kind.VETO, frozenset({VetoStatus.OPEN})))
        return [
            one.id
            for one in found
            if isinstance(one.body, Veto)
            and one.body.answered is None
            and one.body.entry.valid_until >= TODAY
        ]


def test_the_committee_answers_where_it_stands_by_itself(site: Site, browsers: Browsers) -> None:
    """What is missing is said, what was written is kept, and the answer stands there afterwards."""
    first, *_ = open_objections(site)
    window = browsers.window(site, "committee_leader")
    page = window.go(f"/vetoes/{first}")
    page.get_by_label("Begrunnelse").fill(REASON)
    page.get_by_role("button", name="Lagre svaret").click()
    assert "Svar: må fylles ut" in page.get_by_role("alert").first.inner_text()
    assert page.get_by_label("Begrunnelse").input_value() == REASON
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Lagre svaret").click()

    assert page.locator("#done").inner_text() == "Svaret på innvendingen er lagret."
    assert REASON in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Lagre svaret").count() == 0
    assert first not in open_objections(site)


def test_every_objection_that_waits_can_be_answered_from_the_start_page(site: Site) -> None:
    """In the meeting, or by itself."""
    with site.client("committee_leader") as client:
        start = client.get("/").text
        for veto in open_objections(site):
            assert f'href="/vetoes/{veto}"' in start  # their case is on no agenda
            assert "Lagre svaret" in client.get(f"/vetoes/{veto}").text
    with site.client("scheme_staff") as client:
        for veto in open_objections(site):
            page = client.get(f"/vetoes/{veto}")
            assert page.status_code in (200, 404)
            assert "Lagre svaret" not in page.text
