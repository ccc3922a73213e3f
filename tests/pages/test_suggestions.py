"""The suggestion page, and the same turned round: what it says, to whom, and what can be done from it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from allocator.casework.codes import Purpose
from allocator.casework.records import Kind
from allocator.ports import Query
from allocator.rules import RULES_BY_ID, TOPICS
from allocator.scoring import BASE_SCORE
from allocator.service.suggestions import MakeSuggestion
from allocator.texts import catalog
from api.pages import answers
from api.pages.suggestions import IN_FULL
from tests.pages.site import Browsers, Site

SUGGESTION = "/suggestions/suggestion-05"
"""The demo's suggestion for S-2026-101, who has an enemy in Strandgata."""

READERS = ("committee_leader", "committee_member")
WORDS = catalog("nb")


def answer_of(client: httpx.Client, path: str = SUGGESTION, language: str = "nb") -> Mapping[str, Any]:
    """Return the answer behind a page, as the same reader gets it."""
    found = client.get(f"/api/v1{path}/answer", params={"language": language})
    assert found.status_code == 200
    content: Mapping[str, Any] = found.json()
    return content


def card(page: Page, name: str) -> Locator:
    """Return the card of a unit or an applicant."""
    return page.locator(f"#e-{name}")


def made(site: Site, **asked: str) -> str:
    """Make a suggestion, and return where its page is."""
    actor = site.desk.actor("committee_secretary", Purpose.CASEWORK)
    assert actor is not None
    done = site.desk.run(actor, "suggestions.make", MakeSuggestion(**asked))
    return f"/suggestions/{done.stored.id}"


def text_of(page: str) -> str:
    """Return what a page says, without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


# -------------------------------------------------------------------------------------------- what it says


@pytest.mark.parametrize("reader", READERS)
def test_units_stand_in_the_order_of_the_answer_each_with_for_and_against(
    shown: Site, browsers: Browsers, reader: str
) -> None:
    """Rank, verdict as icon, word and tint, facts of the dwelling, what speaks for and against it."""
    page = browsers.window(shown, reader).go(SUGGESTION)
    with shown.client(reader) as client:
        entries = answers.entries(answer_of(client))
    shown_first = [entry for entry in entries if not entry.barred]
    names = page.locator("article h3").all_inner_texts()
    assert names == [e.unit for e in shown_first] + [e.unit for e in entries if e.barred]
    for entry in entries:
        one = card(page, entry.unit)
        assert one.locator(".rank").inner_text().split()[-1] == str(entry.rank)
        tag = one.locator(".verdict")
        assert tag.inner_text() == WORDS.template("verdicts", entry.verdict)
        assert tag.locator("svg use").get_attribute("href") == f"#v-{entry.verdict}"
        if entry.restricted:
            expect(one).to_contain_text(WORDS("view.restricted"))
            continue
        expect(one.locator(".side")).to_have_text(["For", "Mot"])
        assert entry.barred or shown_first.index(entry) < IN_FULL  # of those further down, by name
        for line in entry.gravest if entry.against else ():
            expect(one).to_contain_text(line.said)
            assert line.change is not None
            expect(one).to_contain_text(line.change)
    first = card(page, "tunet-2")
    expect(first.locator(".bits")).to_have_text(
        re.compile(r"Ledig, har stått tom i 99 dager\s*33 m²\s*1\. etasje")
    )
    expect(card(page, "elvebakken-8").locator(".after-notice")).to_contain_text("er flyttet ut")


@pytest.mark.parametrize("reader", READERS)
def test_points_stand_side_by_side_and_are_added_up_only_in_the_breakdown(shown: Site, reader: str) -> None:
    """No sum on the list (REQ-HUM-4); in the breakdown every point down to the last, and their sum."""
    with shown.client(reader) as client:
        entries = answers.entries(answer_of(client))
        listing = client.get(SUGGESTION).text
        for entry in entries:
            assert sum(1 for line in entry.against if line.outcome == "broken") >= (not entry.restricted)
            if entry.score is None:
                continue
            assert f">{entry.score}<" not in re.sub(r"\d+ m²|\d+ dager", "", listing)
            page = client.get(f"{SUGGESTION}/entries/{entry.name}").text
            table = re.search(r'<table class="ds-table breakdown".*?</table>', page, re.DOTALL)
            assert table is not None
            told = [
                int(number.replace("−", "-"))
                for number in re.findall(r'class="number">(?:<strong>)?(−?\d+)<', table[0])
            ]
            assert told[0] == BASE_SCORE
            assert sum(told[:-1]) == told[-1] == entry.score
    assert "i orden" in listing


@pytest.mark.parametrize("case", ["S-2026-101", "S-2026-104", "S-2026-105", "S-2026-106", "S-2026-107"])
@pytest.mark.parametrize("reader", READERS)
def test_every_finding_stands_in_one_line(shown: Site, reader: str, case: str) -> None:
    """Lines put findings that say the same together: nobody is lost, and no point is counted twice."""
    with shown.client(reader) as client:
        listed = client.get("/api/v1/suggestions", params={"case": case}).json()["items"]
        entries = answers.entries(answer_of(client, f"/suggestions/{listed[0]['id']}"))
    for entry in entries:
        lines = (*entry.lines, *entry.kept)
        findings = entry.told["findings"]
        about = [name for line in lines for name in line.about]
        assert sorted(about) == sorted(name for found in findings for name in found["about"])
        assert {line.rule for line in lines} == {found["rule"] for found in findings}
        if entry.score is not None:
            assert BASE_SCORE + sum(line.points for line in lines) == entry.score
            assert entry.score + sum(line.could_cost for line in lines) == entry.worst
        assert [line.verdict for line in entry.lines] == sorted(
            (line.verdict for line in entry.lines), reverse=True
        )


def test_every_rule_is_told_with_its_source_and_both_sides(shown: Site) -> None:
    """Broken and unknown ones open, kept ones folded; where the sources disagree, both sides."""
    with shown.client("committee_leader") as client:
        content = answer_of(client)
        for told in content["suggestions"]:
            page = client.get(f"{SUGGESTION}/entries/{told['unit']}").text
            text = text_of(page)
            folded = page[page.index('<details class="kept">') :]
            for found in told["findings"]:
                title = WORDS.rule(found["rule"], "title")
                assert title in text
                assert found["source"] in text
                sides = RULES_BY_ID[found["rule"]].contradiction
                if found["outcome"] == "kept":
                    assert f'href="/rules/{found["rule"]}"' in folded
                elif sides is not None and found["outcome"] == "broken":
                    assert WORDS.template("contradictions", sides.key, "side_b") in text


def test_for_is_what_the_place_gives_and_nothing_that_speaks_against(shown: Site) -> None:
    """A wish that is met, needs that are met, topics of which every rule is kept."""
    with shown.client("committee_leader") as client:
        for number in range(1, 6):
            for entry in answers.entries(answer_of(client, f"/suggestions/suggestion-0{number}")):
                broken = {line.rule for line in entry.against}
                if entry.pros.wished:
                    wishes = [f for f in entry.told["findings"] if f["rule"] == "wish"]
                    assert [wish["outcome"] for wish in wishes] == ["kept"]
                for topic in entry.pros.topics:
                    assert not broken & {rule.id for rule in TOPICS[topic]}
                for _, code in entry.pros.needs:
                    assert any(
                        f["outcome"] == "kept" and any(p.endswith(f":{code}") for p in f["facts"])
                        for f in entry.told["findings"]
                    )


def test_what_must_be_asked_about_the_applicant_is_asked_once(site: Site) -> None:
    """However many residents and units wait for the answer."""
    path = made(site, case="S-2026-113")
    with site.client("committee_secretary") as client:
        page = client.get(path).text
        entries = answers.entries(answer_of(client, path))
    asked = answers.questions(entries)
    assert len(asked) > 3
    aside = text_of(page[page.index('id="asks"') : page.index("</aside>")])
    for question in asked:
        assert aside.count(question.text) == 1
    free = [entry for entry in entries if not entry.barred]
    assert max(question.entries for question in asked) == len(free)
    assert all("kan ikke vurderes med denne regelen" not in question.text for question in asked)


# ---------------------------------------------------------------------------------------------- the plan


def test_the_plan_tells_who_lives_there_by_shape_letter_and_word(shown: Site, browsers: Browsers) -> None:
    """And where the applicant would be; beside it the mix today and with them."""
    page = browsers.window(shown, "committee_secretary").go(f"{SUGGESTION}/entries/elvebakken-8")
    rooms = page.locator(".plan > li")
    expect(rooms).to_have_count(4)
    for room in rooms.filter(has_text="Mann").all():
        assert room.locator("svg.figure rect").count() >= 1
        assert room.locator("svg.figure text").first.text_content() == "M"
    for room in rooms.filter(has_text="aktiv bruk").all():
        assert room.locator("svg.disc .full").count() >= 1
    here = page.locator(".plan > li[data-here]")
    expect(here).to_contain_text("elvebakken-8")
    expect(here).to_contain_text("Søkeren, hvis det blir her")
    expect(here).to_contain_text(re.compile("flytter senest 16. desember 2026"))
    rows = page.locator("table.mix tbody tr")
    men = rows.filter(has=page.get_by_role("rowheader", name="Mann"))
    today, then = (int(cell) for cell in men.locator("td").all_inner_texts())
    assert (today, then) == (today, today + 1)
    ages = [row for row in rows.all_inner_texts() if " år" in row]
    assert sum(int(row.split("\t")[1]) for row in ages) == sum(
        int(row.split("\t")[1]) for row in rows.all_inner_texts() if row.startswith(("Mann", "Kvinne"))
    )


def test_the_plan_is_opened_in_place_with_the_keyboard(shown: Site, browsers: Browsers) -> None:
    """Who lives there is looked up then and not before, so that nobody is looked at who need not be."""
    window = browsers.window(shown, "committee_leader")
    page = window.go(SUGGESTION)
    assert page.locator(".plan").count() == 0
    before = _looks(shown)
    page.locator("#e-tunet-2 .more > details > summary").focus()
    page.keyboard.press("Enter")
    expect(card(page, "tunet-2").locator(".plan > li[data-here]")).to_be_visible()
    assert page.evaluate("document.activeElement.matches('#e-tunet-2 .more > details > summary')")
    seen = {name for entry in _looks(shown)[len(before) :] for name in entry.get("people", ())}
    assert "B-31" in seen
    assert not seen & {"B-41", "B-43", "B-11"}
    assert window.axe() == []


def _looks(site: Site) -> list[dict[str, Any]]:
    return [entry for entry in site.log() if entry.get("kind") in ("tenancy", "person")]


# ------------------------------------------------------------------------------- what others may not see


def test_the_uncleared_find_nothing_of_a_protected_person_or_of_an_enemy(shown: Site) -> None:
    """Not in the source of any page or fragment; a restricted unit says one sentence and no more."""
    hidden = ("B-61", "L-B-61", "S-2026-119", "P-S-2026-119", "Skjermet")
    short = "/suggestions/suggestion-03"
    for reader in ("committee_member", "committee_secretary", "caseworker"):
        with shown.client(reader) as client:
            content = answer_of(client)
            restricted = [e["unit"] for e in content["suggestions"] if not e["findings"]]
            assert restricted == ["strandgata-5", "strandgata-9", "strandgata-k-2", "strandgata-k-3"]
            paths = [SUGGESTION, f"{SUGGESTION}?order=name", f"{SUGGESTION}?verdict=blocked", short]
            paths += [f"{SUGGESTION}/fresh", f"{SUGGESTION}/compare?a=tunet-2&b=strandgata-5"]
            paths += [f"{SUGGESTION}/entries/{e['unit']}" for e in content["suggestions"]]
            for path in paths:
                for headers in ({}, {"HX-Request": "true"}):
                    page = client.get(path, headers=headers)
                    assert page.status_code == 200
                    assert not [name for name in hidden if name in page.text], (reader, path)
            for unit in restricted:
                said = text_of(client.get(f"{SUGGESTION}/entries/{unit}").text)
                assert "konflikt" not in said.casefold()
            same = {re.sub(r"strandgata-(5|9|k-2|k-3)", "*", _entry(client, unit)) for unit in restricted}
            assert len(same) == 1
    with shown.client("committee_leader") as client:
        assert "B-61" in client.get(f"{SUGGESTION}/entries/fjordgata-6").text
        assert "B-12" in client.get(f"{SUGGESTION}/entries/strandgata-5").text


def _entry(client: httpx.Client, unit: str) -> str:
    """Return the card of a unit as it stands on its page, without the facts of the dwelling."""
    page = client.get(f"{SUGGESTION}/entries/{unit}").text
    found = re.search(r"<article.*?</article>", page, re.DOTALL)
    assert found is not None
    without = re.sub(r'<ul class="bits">.*?</ul>', "", found[0], flags=re.DOTALL)
    return re.sub(r'<p class="subtle">.*?</p>', "", without, flags=re.DOTALL)


def test_on_a_shared_screen_the_cleared_see_what_others_see(shown: Site) -> None:
    """The page is that of an uncleared member."""
    with shown.client("committee_leader") as leader:
        leader.headers["Cookie"] += "; __Host-shared-screen=yes"
        for path in (SUGGESTION, f"{SUGGESTION}/entries/strandgata-5"):
            page = leader.get(path).text
            assert WORDS("view.restricted") in page
            assert WORDS.rule("unconfirmed-conflict", "title") not in page


def test_staff_who_are_heard_see_their_own_scheme_and_nothing_of_the_others(site: Site) -> None:
    """No points, no change, nobody named; those who are not heard do not find the page."""
    path = made(site, case="S-2026-103")
    with site.client("scheme_leader_2") as client:
        page = client.get(path)
        assert page.status_code == 200
        units = set(re.findall(r'id="e-([\w-]+)"', page.text))
        assert units
        assert not [unit for unit in units if unit.startswith(("strandgata", "nordlia"))]
        assert "strandgata" not in page.text.casefold()
        assert "poeng" not in text_of(page.text).casefold()
        entry = client.get(f"{path}/entries/tunet-2").text
        assert 'class="ds-table breakdown"' not in entry
        assert client.get(f"{path}/entries/strandgata-5").status_code == 404
        assert client.get(f"{path}/compare?a=tunet-2&b=strandgata-5").status_code == 404
    with site.client("scheme_leader_2") as client:
        assert client.get(SUGGESTION).status_code == 404
    with site.client("property_manager") as client:
        assert client.get(path).status_code == 404


# --------------------------------------------------------------------------------- looking at it otherwise


def test_units_can_be_filtered_compared_and_read_without_their_ranks(shown: Site, browsers: Browsers) -> None:
    """By closed codes in the address; any other word says nothing."""
    page = browsers.window(shown, "committee_leader").go(SUGGESTION)
    page.get_by_role("link", name=re.compile("Frarådes")).click()
    assert page.url.endswith("?verdict=advised_against")
    assert set(page.locator("article .verdict").all_inner_texts()) == {"frarådes"}
    page.get_by_role("link", name="Uten rangering").click()
    names = page.locator("article h3").all_inner_texts()
    assert names == sorted(names)
    assert len(names) == 13
    assert page.locator(".rank").count() == 0
    assert page.get_by_role("columnheader", name="Nr.").count() == 0
    page.goto(f"{shown.address}{SUGGESTION}?verdict=nonsense&order=nonsense")
    assert page.locator("article").count() == 13
    page.locator("table.overview").get_by_role("link", name="havna-4").click()
    expect(card(page, "havna-4")).to_be_in_viewport()

    card(page, "tunet-2").get_by_role("link", name="Sammenlign de to").click()
    assert page.get_by_role("heading", level=1).inner_text() == "tunet-2 og strandgata-5 side om side"
    expect(page.locator(".lead-text")).to_contain_text("fordi vurderingen er bedre")
    page.get_by_label("Den andre").select_option("elvebakken-4")
    page.get_by_role("button", name="Vis").click()
    assert page.get_by_role("heading", level=1).inner_text() == "tunet-2 og elvebakken-4 side om side"
    both = page.locator("section", has=page.get_by_role("heading", name="Mot, hos begge"))
    expect(both).to_contain_text("Søkeren har ønsket andre steder enn dette.")


def test_what_speaks_against_one_alone_and_against_both_is_all_that_speaks_against_it(shown: Site) -> None:
    """Side by side nothing is left out, whichever two they are."""
    with shown.client("committee_leader") as client:
        entries = answers.entries(answer_of(client))
    for one in entries:
        for other in entries:
            alone, alike = answers.only(one, other), answers.both(one, other)
            assert sorted(map(str, (*alone, *alike))) == sorted(map(str, one.against))
            if one.rank < other.rank:
                assert answers.standing(one, other) in ("verdict", "points")
            elif one.rank == other.rank:
                assert answers.standing(one, other) == "equal"


def test_a_suggestion_says_that_facts_have_changed_since(shown: Site, browsers: Browsers) -> None:
    """What is different is named; in place, and on a page of its own without scripts."""
    page = browsers.window(shown, "committee_leader").go(SUGGESTION)
    expect(page.get_by_role("status").filter(has_text="Fakta er endret")).to_contain_text("fjordgata-6")
    plain = browsers.window(shown, "committee_member", scripts=False).go(SUGGESTION)
    plain.get_by_role("link", name="Sjekk om noe er endret siden forslaget ble laget").click()
    expect(plain.get_by_role("main").get_by_role("status")).to_contain_text("Fakta er endret siden")
    plain.get_by_role("link", name="Tilbake til forslaget").click()
    assert plain.url.endswith(SUGGESTION)


def test_without_scripts_everything_about_a_unit_has_a_page(shown: Site, browsers: Browsers) -> None:
    """The panel holds the way to it."""
    page = browsers.window(shown, "committee_member", width=390, scripts=False).go(SUGGESTION)
    page.locator("#e-elvebakken-4 .more > details > summary").click()
    page.get_by_role("link", name="Se alt om elvebakken-4").click()
    assert page.get_by_role("heading", level=1).inner_text() == "elvebakken-4"
    assert page.locator(".plan > li").count() == 4
    expect(page.locator(".breakdown")).to_be_visible()


# -------------------------------------------------------------------------------------- what is done with it


def test_a_secretary_makes_a_suggestion_and_takes_it_on_to_meeting_and_hearing(
    site: Site, browsers: Browsers
) -> None:
    """From the case to the agenda, the hearing and a remark, in place; what was written is never lost."""
    window = browsers.window(site, "committee_secretary")
    page = window.go("/cases/S-2026-110/suggestion")
    expect(page.get_by_role("main")).to_contain_text("Det er ikke laget noe forslag i saken ennå.")
    page.get_by_role("button", name="Lag forslag").click()
    expect(page.locator("#done")).to_have_text("Forslaget er klart.")
    path = page.url.removeprefix(site.address).partition("?")[0]
    expect(page.locator(".fresh")).to_contain_text("ville sagt det samme i dag")
    doings = page.locator("#doings")

    doings.get_by_text("Skriv en merknad").click()
    doings.get_by_label("Merknad", exact=True).fill("Har noen snakket med søkeren om Tunet?")
    doings.get_by_role("button", name="Lagre merknaden").click()
    expect(doings.get_by_role("status")).to_have_text("Merknaden er lagret.")
    expect(doings).to_contain_text("Har noen snakket med søkeren om Tunet?")
    expect(doings).to_contain_text("Lars Oppdiktet")
    doings.get_by_role("button", name="Ta tilbake").click()
    expect(doings).to_contain_text("Tatt tilbake.")
    expect(doings).not_to_contain_text("om Tunet?")

    doings.get_by_text("Spør de ansatte i et botiltak").click()
    assert doings.get_by_label("tunet-2").is_hidden()
    doings.get_by_label("Botiltak").select_option("tunet")
    doings.get_by_label("tunet-2").check()
    doings.get_by_label("Svar innen").fill("2026-11-01")
    doings.get_by_role("button", name="Send på høring").click()
    expect(doings.get_by_role("alert")).to_contain_text("Svar innen")
    assert window.axe() == []
    assert doings.get_by_label("Botiltak").input_value() == "tunet"
    assert doings.get_by_label("tunet-2").is_checked()
    doings.get_by_label("Svar innen").fill("2026-11-27")
    doings.get_by_role("button", name="Send på høring").click()
    expect(doings.get_by_role("status")).to_have_text("Høringen er sendt.")
    expect(doings).to_contain_text("er spurt og svarer innen 27. november 2026")

    doings.get_by_text("Legg til på et møte").click()
    doings.get_by_label("Møte", exact=True).select_option(index=2)
    doings.get_by_label("Merknad til sakslisten").fill("Haster.")
    doings.get_by_role("button", name="Legg til på sakslisten").click()
    expect(doings.get_by_role("status")).to_have_text("Lagt til på sakslisten.")
    expect(doings).to_contain_text("Står på sakslisten til møtet 30. november 2026")
    with site.storage.read() as tx:
        (meeting,) = (m for m in tx.find(Query(Kind.MEETING)) if m.body.order() == "2026-11-30")
    item = meeting.body.agenda[-1]  # type: ignore[attr-defined]
    assert (item.case, f"/suggestions/{item.suggestion}", item.note) == ("S-2026-110", path, "Haster.")
    assert page.url.removeprefix(site.address).partition("?")[0] == path

    one = card(page, "tunet-2")
    one.locator("summary").first.click()
    expect(one.get_by_role("link", name="Foreslå vedtak om tunet-2")).to_have_attribute(
        "href", f"/decisions/new?case=S-2026-110&unit=tunet-2&suggestion={path.rpartition('/')[2]}"
    )


def test_what_is_half_written_stands_when_another_answer_is_put_in_place(
    site: Site, browsers: Browsers
) -> None:
    """Also what was refused before; and only what was done last is said."""
    page = browsers.window(site, "committee_secretary").go("/cases/S-2026-110/suggestion")
    page.get_by_role("button", name="Lag forslag").click()
    expect(page.locator("#done")).to_have_text("Forslaget er klart.")
    doings = page.locator("#doings")
    doings.get_by_text("Spør de ansatte i et botiltak").click()
    doings.get_by_label("Botiltak").select_option("tunet")
    doings.get_by_label("Svar innen").fill("2026-11-01")
    doings.get_by_role("button", name="Send på høring").click()
    expect(doings.get_by_role("alert")).to_be_focused()
    doings.get_by_text("Legg til på et møte").click()
    doings.get_by_label("Merknad til sakslisten").fill("Haster.")
    doings.get_by_text("Skriv en merknad").click()
    doings.get_by_label("Merknad", exact=True).fill("Har noen snakket med søkeren?")
    doings.get_by_role("button", name="Lagre merknaden").click()
    expect(page.locator(".done")).to_have_text("Merknaden er lagret.")
    expect(page.locator(".done")).to_be_focused()
    expect(doings.get_by_label("Merknad til sakslisten")).to_have_value("Haster.")
    expect(doings.get_by_label("Botiltak")).to_have_value("tunet")
    expect(doings.get_by_label("Svar innen")).to_have_value("2026-11-01")
    expect(doings.get_by_label("tunet-2")).to_be_visible()
    expect(doings.get_by_label("Merknad", exact=True)).to_have_value("")


def test_an_older_suggestion_leads_to_the_newest(site: Site, browsers: Browsers) -> None:
    """And does not say itself whether it still holds."""
    older = made(site, case="S-2026-110")
    site.clock.moment += timedelta(minutes=1)
    newer = made(site, case="S-2026-110")
    window = browsers.window(site, "committee_secretary")
    page = window.go(older)
    expect(page.locator(".stale").first).to_contain_text("Det er laget et nyere forslag")
    assert page.locator(".fresh").count() == 0
    page.get_by_role("link", name="Gå til det nyeste").click()
    assert page.url == f"{site.address}{newer}"
    expect(page.locator(".fresh")).to_contain_text("ville sagt det samme")


def test_a_leader_of_a_scheme_objects_from_the_page_without_scripts(site: Site, browsers: Browsers) -> None:
    """On a ground and a dated fact; what is wrong is said beside it and nothing is lost."""
    path = made(site, case="S-2026-103")
    window = browsers.window(site, "scheme_leader_2", width=390, scripts=False)
    page = window.go(f"{path}/entries/elvebakken-4")
    page.get_by_text("Meld en innvending").click()
    page.get_by_label("Hva er grunnen?").select_option("staffing_competence")
    page.get_by_label("Hva skjedde, eller hva har du sett?").fill("Tre vakter sto ledige i forrige uke.")
    page.get_by_label("Når var det?").fill("2026-12-24")
    page.get_by_label("Hvem har sett eller sagt det?").select_option("staff")
    page.get_by_role("button", name="Send innvendingen").click()
    expect(page.get_by_role("alert")).to_contain_text("Når var det")
    assert page.get_by_label("Hva skjedde, eller hva har du sett?").input_value().startswith("Tre vakter")
    page.get_by_label("Når var det?").fill("2026-11-20")
    page.get_by_role("button", name="Send innvendingen").click()
    expect(page.locator("#done")).to_have_text("Innvendingen er meldt.")
    said = page.locator("#objections")
    expect(said).to_contain_text("Bemanning eller kompetanse: Tre vakter sto ledige i forrige uke.")
    expect(said).to_contain_text("Ikke besvart")


def test_the_applicants_for_a_unit_stand_in_order_with_why(site: Site, browsers: Browsers) -> None:
    """The same page turned round; made from the unit, put on an agenda without scripts."""
    window = browsers.window(site, "committee_secretary", scripts=False)
    page = window.go("/units/tunet-2/suggestion")
    page.get_by_role("button", name="Lag forslag").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Søkere til tunet-2"
    path = page.url.removeprefix(site.address).partition("?")[0]
    with site.client("committee_secretary") as client:
        entries = answers.entries(answer_of(client, path))
    assert len(entries) > 5
    names = page.locator("article h3").all_inner_texts()
    assert names == [f"Søker {entry.name}" for entry in sorted(entries, key=lambda e: e.barred)]
    first, second = entries[0], entries[1]
    expect(card(page, first.name)).to_contain_text(f"Står foran {second.name}")
    expect(card(page, first.name).get_by_role("link", name="Se saken")).to_have_attribute(
        "href", f"/cases/{first.name}"
    )
    page.locator("#doings").get_by_text("Legg til på et møte").click()
    page.locator("#doings").get_by_label("Møte", exact=True).select_option(index=1)
    page.locator("#doings").get_by_role("button", name="Legg til på sakslisten").click()
    expect(page.locator("#done")).to_have_text("Lagt til på sakslisten.")
    assert page.url == f"{site.address}{path}?saved=meetings.put_on_agenda#doings"
    page.goto(f"{site.address}{path}/entries/{second.name}")
    expect(page.locator(".plan > li[data-here]")).to_contain_text("tunet-2")
    page.goto(f"{site.address}/units/tunet-2/suggestion")
    expect(page.get_by_role("link", name=re.compile("Søkere i rekkefølge, laget"))).to_have_count(1)


def test_a_suggestion_that_cannot_be_made_says_why(site: Site, browsers: Browsers) -> None:
    """On the page it was asked for on, with a way to try again."""
    page = browsers.window(site, "caseworker").go("/cases/S-2026-117/suggestion")
    page.get_by_role("button", name="Lag forslag").click()
    expect(page.get_by_role("alert")).to_contain_text("Saken er avsluttet")
    assert page.get_by_role("button", name="Lag forslag").is_enabled()
