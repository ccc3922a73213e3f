"""The whole walk in a browser: from an empty agenda to somebody who has moved in, and what others read of it.

Everybody logs in as a person would and has a window of their own. They find their way by what stands on the
pages: links, buttons, and fields by their labels.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from playwright.sync_api import Download, Locator, Page, expect

from allocator.casework.cases import Case
from allocator.casework.codes import CaseState, DecisionOutcome, DecisionState, DecisionType, Purpose
from allocator.casework.committee import Decision
from allocator.casework.law import DECISION_LAW
from allocator.handbook import entry
from allocator.service.suggestions import MakeSuggestion
from allocator.service.work import Work
from allocator.texts import catalog
from tests.browsers import default_policy
from tests.office import TODAY
from tests.pages.site import Browsers, Site, Window
from tests.pages.test_meetings import saved
from tests.pdf_text import text_of

expect.set_options(timeout=30_000)

CASE = "S-2026-110"
UNIT = "strandgata-5"
HELD = TODAY + timedelta(days=2)

HAPPENED = "To vakter sluttet i oktober, og natta er bemannet av én."
GROUNDS = "Utvalget har lagt vekt på at søkeren får være nær familien og beholder dem som følger opp."
WHY = "Boligen har vært holdt av til en annen som ikke lenger skal ha den."
ANSWER = "Det er satt inn en fast vikar om natta fra mandag."
AGAINST = "Jeg ville ventet til vaktene er fylt."
TALKED = "Utvalget drøftet bemanningen om natta og hvor lenge søkeren har ventet."

WHY_IT_FIRED = entry(default_policy(), "staff-veto", catalog("nb"))
"""What the handbook says of the rule that the committee decides against."""

OVERRULED = WHY_IT_FIRED.title

OF_HEALTH = re.compile(
    r"\b(rus|rop|psyk|diagnos|vold|selvmord|overdose|substitusjon|lar\b|helse(?!-? og omsorg)|avheng)",
    re.IGNORECASE,
)
"""Words that no letter needs."""


def test_a_case_goes_from_an_empty_agenda_to_a_home_against_the_advice(
    site: Site, browsers: Browsers
) -> None:
    """Secretary, staff, committee, caseworker, policy owner and auditor, one after the other."""
    decided_against_before(site)
    site.clock.moment += timedelta(hours=2)
    before = _times_overruled(logged_in(site, browsers, "Per Oppdiktet"))
    secretary = logged_in(site, browsers, "Lars Oppdiktet")
    _prepare(secretary)
    _object(logged_in(site, browsers, "Guro Oppdiktet", width=390))

    site.clock.to(HELD)
    leader = logged_in(site, browsers, "Jon Oppdiktet")
    _begin(leader.page)
    _decide(leader.page)
    _approve(logged_in(site, browsers, "Kari Oppdiktet", width=390))
    _close(logged_in(site, browsers, "Lars Oppdiktet").page)
    worker = logged_in(site, browsers, "Anne Oppdiktet")
    decision = _write_to_the_applicant(worker.page)
    _move_in(worker.page)
    assert site.now(Case, CASE).body.state is CaseState.MOVED_IN

    assert _times_overruled(logged_in(site, browsers, "Per Oppdiktet")) == before + 1
    _find_in_the_log(logged_in(site, browsers, "Oda Oppdiktet").page, decision)


# ------------------------------------------------------------------------------------------------ helpers


def logged_in(site: Site, browsers: Browsers, name: str, width: int = 1440) -> Window:
    """Return a window in which somebody has logged in on the page for it."""
    window = browsers.window(site, width=width)
    page = window.go("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Logg inn")
    page.get_by_role("button", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mine oppgaver")
    return window


def menu(page: Page, words: str) -> None:
    """Go to a part of the pages by the menu."""
    page.get_by_role("navigation", name="Hovedmeny").get_by_role("link", name=words, exact=True).click()


def waiting(page: Page, words: str) -> Locator:
    """Return a part of what waits on the start page."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=words))


def choose(field: Locator, words: str) -> None:
    """Choose what begins with some words."""
    option = (
        field.locator("option").filter(has_text=re.compile(rf"^\s*{re.escape(words)}", re.IGNORECASE)).first
    )
    field.select_option(label=option.inner_text().strip())


def taken_out(page: Page, words: str) -> Download:
    """Return the file behind a link."""
    with page.expect_download() as taken:
        page.get_by_role("link", name=words).first.click()
    return taken.value


def printed(file: Download) -> str:
    """Return the text of a file, which must be a PDF."""
    content = file.path().read_bytes()
    assert content.startswith(b"%PDF")
    return text_of(content)


def decided_against_before(site: Site) -> None:
    """Let five homes have been given against an objection in earlier years, so that figures can be told."""
    secretary = site.desk.actor("committee_secretary", Purpose.CASEWORK)
    assert secretary is not None
    given = [
        ("S-2026-104", "strandgata-5"),
        ("S-2026-104", "strandgata-k-2"),
        *[("S-2026-103", "tunet-2")] * 3,
    ]
    made = {
        case: site.desk.run(secretary, "suggestions.make", MakeSuggestion(case=case)).stored.id
        for case in sorted({case for case, _ in given})
    }
    law = DECISION_LAW[DecisionType.ALLOCATION]
    with site.storage.write() as tx:
        work = Work(tx, site.desk.access, secretary, site.clock.now(), TODAY, "setup")
        for no, (case, unit) in enumerate(given, 1):
            work.create(
                Decision(
                    type=DecisionType.ALLOCATION,
                    case=case,
                    outcome=DecisionOutcome.ALLOCATED,
                    unit=unit,
                    scheme=unit.partition("-")[0],
                    suggestion=made[case],
                    grounds=GROUNDS,
                    law=law.refs,
                    appeal_body=law.body,
                    appeal_weeks=law.weeks,
                    state=DecisionState.REVERSED,
                    proposed_by="committee_leader",
                    proposed_on=date(2026, 1, no),
                    second="committee_leader_2",
                    made_on=date(2026, 1, no),
                ),
                f"decision-earlier-{no}",
            )
        tx.append(work.notes, facts=work.facts_changed)


# ------------------------------------------------------------------------------------------- the secretary


def _prepare(secretary: Window) -> None:
    """Call a meeting, put a case and a vacancy on its agenda, ask the engine twice, ask the staff."""
    page = secretary.page
    menu(page, "Møter")
    page.get_by_role("link", name="Kall inn til møte").click()
    page.get_by_label("Dag").fill(HELD.isoformat())
    page.get_by_role("button", name="Kall inn").click()
    saved(page, "Møtet er kalt inn.")
    expect(page.get_by_text("Sakslisten er tom.")).to_be_visible()
    page.get_by_text("Kall inn én til").click()
    choose(page.get_by_label("Hvem"), "Siri Oppdiktet")
    page.get_by_role("button", name="Kall inn").click()
    expect(page.get_by_role("listitem").filter(has_text="Siri Oppdiktet")).to_be_visible()
    choose(page.get_by_label("Sak (valgfritt)", exact=True), CASE)
    page.get_by_role("button", name="Legg til").click()
    saved(page, "Lagt til på sakslisten.")
    choose(page.get_by_label("Ledig bolig"), "tunet-2")
    page.get_by_role("button", name="Legg til").click()
    saved(page, "Lagt til på sakslisten.")
    expect(page.get_by_role("heading", level=3).filter(has_text=re.compile(f"{CASE}|tunet-2"))).to_have_count(
        2
    )

    page.get_by_role("link", name=CASE, exact=True).click()
    expect(page.get_by_text("Det er ikke laget noe forslag.")).to_be_visible()
    page.get_by_role("button", name="Lag forslag").click()
    saved(page, "Forslaget er klart.")
    page.get_by_role("link", name=re.compile("Se hele forslaget")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Forslag til bolig for {CASE}")
    page.get_by_role("button", name="Lag et nytt forslag").click()
    saved(page, "Forslaget er klart.")
    expect(page.get_by_role("article", name=UNIT)).to_contain_text("frarådes")
    page.get_by_text("Spør de ansatte i et botiltak").click()
    choose(page.get_by_label("Botiltak"), "Strandgata")
    page.get_by_label("Svar innen").fill((HELD - timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Send på høring").click()
    expect(page.get_by_role("region", name="Møte, høring og merknader")).to_contain_text("Høringen er sendt.")


# -------------------------------------------------------------------------------------------------- staff


def _object(staff: Window) -> None:
    """Answer the hearing on a phone: an objection with its ground, and what happened when."""
    page = staff.page
    page.get_by_role("link", name=CASE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kan søkeren bo hos dere?")
    assert staff.sideways() == 0
    page.get_by_label("Vi har en innvending").check()
    choose(page.get_by_label("Hvilken bolig gjelder det?"), UNIT)
    choose(page.get_by_label("Hva er grunnen?"), "Bemanning eller kompetanse")
    page.get_by_label("Hva skjedde, eller hva har du sett?").fill(HAPPENED)
    page.get_by_label("Når var det?").fill("2026-10-20")
    choose(page.get_by_label("Hvem har sett eller sagt det?"), "ansatte")
    page.get_by_role("button", name="Send svaret").click()
    expect(page.get_by_role("status").first).to_be_visible()
    expect(page.get_by_text(HAPPENED)).to_be_visible()


# ------------------------------------------------------------------------------------------- the committee


def _begin(page: Page) -> None:
    """Open the meeting with those who are there, and say who may not take part."""
    menu(page, "Møter")
    page.get_by_role("link", name="25. november 2026").click()
    page.get_by_label("Siri Oppdiktet").uncheck()
    page.get_by_role("button", name="Sett møtet").click()
    saved(page, "Møtet er i gang.")
    expect(page.get_by_role("listitem").filter(has_text="Siri Oppdiktet")).to_contain_text("ikke til stede")
    page.get_by_role("link", name=CASE, exact=True).click()
    page.get_by_text("Meld inhabilitet").click()
    choose(page.get_by_label("Hvem (valgfritt)"), "Ida Oppdiktet")
    page.get_by_label("Grunn", exact=True).select_option(index=1)
    page.get_by_role("button", name="Registrer inhabilitet").click()
    saved(page, "Inhabiliteten er registrert.")
    expect(page.get_by_text("Inhabil: Ida Oppdiktet")).to_be_visible()


def _decide(page: Page) -> None:
    """Give the home that the rules advise against and that staff object to."""
    expect(page.get_by_text(HAPPENED)).to_be_visible()
    page.get_by_role("button", name="Lag nytt forslag").click()
    saved(page, "Forslaget er klart.")
    page.get_by_role("link", name=f"Foreslå {UNIT}").click()
    expect(page.get_by_text("Taler mot:")).to_contain_text(OVERRULED)
    expect(page.get_by_text(HAPPENED)).to_be_visible()
    page.get_by_label("Begrunnelse", exact=True).fill(GROUNDS)
    page.get_by_label("Hvorfor dere går mot rådet").fill(WHY)
    page.get_by_label("ikke tatt til følge").check()
    page.get_by_label("Begrunnelse for svaret").fill(ANSWER)
    page.get_by_text("Noen var uenige").click()
    assert page.get_by_label("Ida Oppdiktet").count() == 0
    page.get_by_label("Henrik Oppdiktet").fill(AGAINST)
    page.get_by_role("button", name="Foreslå vedtaket").click()
    saved(page, "Forslaget til vedtak er lagret.")
    expect(page.get_by_text(f"Henrik Oppdiktet var uenig: {AGAINST}")).to_be_visible()
    assert page.get_by_role("button", name="Godkjenn vedtaket").count() == 0


def _approve(second: Window) -> None:
    """Approve what another has proposed, from the list of what waits."""
    page = second.page
    waiting(page, "Vedtak som venter på en til").get_by_role("link", name=CASE).click()
    expect(page.get_by_text(WHY)).to_be_visible()
    page.get_by_role("button", name="Godkjenn vedtaket").click()
    saved(page, "Vedtaket er truffet.")


def _close(page: Page) -> None:
    """Put off what is left, write the minutes from the draft, close the meeting, and take the minutes out."""
    menu(page, "Møter")
    page.get_by_role("link", name="25. november 2026").click()
    page.get_by_text("Utsett", exact=True).first.click()
    page.get_by_label("Hvorfor").first.fill("Venter på flere søkere.")
    page.get_by_role("button", name="Utsett").click()
    saved(page, "Tatt av sakslisten eller utsatt.")
    page.get_by_role("link", name="Skriv protokollen").click()
    draft = page.get_by_label("Det som ble vedtatt").input_value()
    for part in (CASE, UNIT, "Ida Oppdiktet var inhabil", f"Henrik Oppdiktet var uenig: {AGAINST}"):
        assert part in draft
    page.get_by_label("Det som ble drøftet").fill(TALKED)
    page.get_by_role("button", name="Lagre protokollen").click()
    saved(page, "Protokollen er lagret.")
    page.locator("summary", has_text="Hev møtet").click()
    page.get_by_role("button", name="Ja, hev møtet").click()
    saved(page, "Møtet er hevet.")
    said = printed(taken_out(page, "Protokoll (PDF)"))
    for part in (CASE, UNIT, GROUNDS, WHY, ANSWER, AGAINST, TALKED, "Godkjent av Kari Oppdiktet"):
        assert part in said
    assert names_nobody_else(said)
    assert "Person P-" not in said


def names_nobody_else(said: str) -> bool:
    """Return whether a text names no resident and no other case or applicant."""
    return re.findall(rf"\b[BL]-\d+|\bS-2026-(?!{CASE[-3:]})\d+|Skjermet", said) == []


# ------------------------------------------------------------------------------------------- the applicant


def _write_to_the_applicant(page: Page) -> str:
    """Find the decision among what waits, take the letter out, and return the decision's id."""
    waiting(page, "Vedtak som skal følges opp").get_by_role("link", name=CASE).click()
    expect(page.get_by_text(GROUNDS)).to_be_visible()
    said = printed(taken_out(page, "Brev til søkeren (PDF)"))
    for part in (
        f"Person P-{CASE} (oppdiktet)",
        UNIT,
        GROUNDS,
        "videre til kommunens klagenemnd",
        "16.12.2026",
    ):
        assert part in said
    assert "Lovhenvisningene er ikke kontrollert av jurist." in said
    for hidden in (WHY, HAPPENED, ANSWER, AGAINST, "Oppdiktet ", "Guro", "Henrik", "Ida"):
        assert hidden not in said
    assert names_nobody_else(said)
    assert OF_HEALTH.findall(said) == []
    return page.url.rpartition("/")[2]


def _move_in(page: Page) -> None:
    """Register the offer, the yes, and the moving in."""
    page.get_by_role("link", name="Send tilbud").click()
    page.get_by_role("button", name="Registrer tilbudet").click()
    saved(page, "Tilbudet er sendt.")
    page.get_by_text("Søkeren takker ja").click()
    page.get_by_role("button", name="Registrer ja").click()
    saved(page, "Det er registrert at søkeren takker ja.")
    page.get_by_role("link", name="Registrer innflytting").click()
    choose(page.get_by_label("Avtaleform"), "tidsbestemt")
    page.get_by_label("Undertegnet", exact=True).fill(HELD.isoformat())
    page.get_by_label("Gjelder fra").fill(HELD.isoformat())
    page.get_by_label("Gjelder til").fill("2029-11-25")
    page.get_by_role("button", name="Registrer innflyttingen").click()
    saved(page, "Innflyttingen er registrert.")


# ---------------------------------------------------------------------------------- what others read of it


def _times_overruled(owner: Window) -> int:
    """Find a rule among all of them, read why it is there, and return how many decisions went against it."""
    page = owner.page
    menu(page, "Regler")
    page.get_by_role("link", name=OVERRULED).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(OVERRULED)
    for part in (WHY_IT_FIRED.why, WHY_IT_FIRED.broken_when):
        expect(page.get_by_role("main")).to_contain_text(part)
    used = page.get_by_role("region", name="Slik er den brukt")
    told = used.locator("div", has_text="Vedtak som gikk imot den").locator("dd").inner_text()
    return int(told)


def _find_in_the_log(page: Page, decision: str) -> None:
    """Look for what was done about the applicant, and find who decided."""
    menu(page, "Logg")
    page.get_by_label("Om hvem").fill(f"P-{CASE}")
    choose(page.get_by_label("Hva"), "Gjort")
    page.get_by_role("button", name="Finn").click()
    row = (
        page.get_by_role("row").filter(has_text="Vedtaket er truffet.").filter(has_text=f"vedtak {decision}")
    )
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Kari Oppdiktet")
    expect(row).to_contain_text(re.compile(r"25\. november 2026 kl\. \d\d\.\d\d"))
