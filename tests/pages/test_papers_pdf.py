"""Papers to take out: what stands in them, for whom, and that what people have written is never markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any, cast

import httpx
import pytest

from allocator.casework import law
from allocator.casework.law import DECISION_LAW, law_ref
from allocator.rules.sources import LAW, Law
from allocator.texts import Language, catalog
from api.papers import INSTEAD, KEPT, Paper, facts, heading, pdf, points, table, text
from api.papers.law import marked, unconfirmed
from api.papers.minutes import minutes_paper
from tests.pages.site import Site
from tests.pdf_text import metadata_of, text_of

DAY = date(2026, 11, 23)

NASTY = (
    '#panic("nå")',
    "$ x^2 $ og 5 $",
    "@noen <merke> @ ",
    "\\ #let x = 1; \\u{41} \\",
    "*fet* _kursiv_ `kode` = Overskrift",
    "- ikke en liste, + ikke nummer / ikke term: nei",
    '// nei /* nei */ #[a] #read("b")',
    "~ -- --- ... 'sitat' \"sitat\"",
)
"""What would mean something to typst if it were read as markup."""


def paper(*blocks: object, language: str = "nb", title: str = "Prøve", on: date = DAY) -> bytes:
    """Return a paper with some blocks as PDF."""
    return pdf(Paper(title, catalog(language), on, blocks))  # type: ignore[arg-type]


def taken(site: Site, login: str, path: str) -> httpx.Response:
    """Return what somebody takes out."""
    with site.client(login) as client:
        return client.get(path, timeout=60)


def read(site: Site, login: str, path: str) -> str:
    """Return the text of a paper that somebody takes out."""
    answer = taken(site, login, path)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-type"] == "application/pdf"
    return text_of(answer.content)


# ------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("said", NASTY)
def test_what_people_write_is_shown_and_never_run(said: str) -> None:
    """In text, headings, lists, facts, tables and the title alike."""
    made = paper(
        heading(said), text(said), points([said]), facts((said, said)), table([said], [[said]]), title=said
    )
    shown = text_of(made)
    assert shown.count(re.sub(r"\s+", " ", said).strip()) == 8


def test_every_letter_that_is_kept_can_be_written_and_others_leave_a_mark() -> None:
    """The font has all of them; an emoji or a control character does not stop a letter from being written."""
    kept = re.compile(f"[{KEPT}]")
    every = "".join(chr(code) for code in range(32, 0x2600) if kept.fullmatch(chr(code)))
    assert {"æ", "ø", "å", "č", "đ", "ŋ", "š", "ŧ", "ž"} <= set(every)
    paper(*(text(every[start : start + 80]) for start in range(0, len(every), 80)))
    strange = paper(text("Hei \U0001f600\u0007 du\ufeff\t中文!"))
    assert text_of(strange) == f"Prøve Hei {INSTEAD} du{INSTEAD} {INSTEAD}! Side 1 av 1"


def test_the_same_paper_gives_the_same_bytes() -> None:
    """On another day, or with another word, they are others."""
    one = paper(heading("Hei"), text("Du"))
    assert one == paper(heading("Hei"), text("Du"))
    assert one != paper(heading("Hei"), text("Du"), on=date(2026, 11, 24))
    assert one != paper(heading("Hei"), text("Deg"))


@pytest.mark.parametrize("language", Language)
def test_a_paper_says_that_it_is_accessible_and_fit_for_an_archive(language: Language) -> None:
    """PDF/UA-1 and PDF/A-2a, with a title, its language and its date; tagged, with headings."""
    made = paper(heading("Hei"), text("Du"), language=language.value)
    said = metadata_of(made)
    assert "<pdfuaid:part>1</pdfuaid:part>" in said
    assert "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in said
    assert "Prøve" in said
    assert "2026-11-23T00:00:00Z" in said
    assert f"/Lang({language.value})".encode() in made
    assert b"/Marked true" in made
    assert b"/S/H1" in made.replace(b" ", b"")


# ---------------------------------------------------------------------------------------------- case papers


def test_a_case_paper_has_what_the_committee_needs(shown: Site) -> None:
    """Needs, wishes, homes in order with reasons and sources, what staff say; and nobody's name."""
    said = read(shown, "committee_secretary", "/cases/S-2026-101/paper?meeting=meeting-03")
    for part in (
        "Saksframlegg Sak S-2026-101",
        "Venter siden 17.02.2026",
        "Behov",
        "Vil helst bo Nordlia og Strandgata",
        "Vil helst bo nær bussen.",
        "1. tunet-2: egnet med merknader",
        "2. elvebakken-4: frarådes",
        "Målgruppe: Søkeren hører ikke til noen av gruppene botiltaket er for.",
        "Kan ikke gis slik det står nå",
        "Kilder",
        "Nordlia: ingen innvending",
        "Har noen snakket med søkeren om Tunet? (Henrik Oppdiktet)",
        "Unntatt offentlighet: offentleglova § 13",
        "Rådgivende: tildelingsutvalget avgjør.",
    ):
        assert part in said
    assert "P-S-2026-101" not in said


def test_a_case_paper_says_no_more_to_the_cleared(shown: Site) -> None:
    """Paper lies about: where an enemy lives is not in it, whoever takes it out."""
    plain = taken(shown, "committee_secretary", "/cases/S-2026-101/paper")
    cleared = taken(shown, "committee_leader", "/cases/S-2026-101/paper")
    assert text_of(plain.content) == text_of(cleared.content)
    assert "Dette stedet er vurdert i en egen prosess." in text_of(cleared.content)
    assert catalog("nb").rule("known-conflict", "title") not in text_of(cleared.content)


def test_objections_and_their_answers_stand_in_the_case_paper(shown: Site) -> None:
    """With ground, place and day, and what the committee has answered."""
    said = read(shown, "committee_member", "/cases/S-2026-110/paper")
    assert "Trygghet for beboere" in said or "Sikkerhet for beboere" in said
    assert "ropte til en beboer. (Oppdiktet.)" in said
    assert "Utvalgets svar: ikke tatt til følge." in said


def test_the_papers_of_a_meeting_are_in_one_file_without_what_somebody_may_not_see(shown: Site) -> None:
    """All cases on the agenda, in order; for the committee and its office."""
    said = read(shown, "committee_leader", "/meetings/meeting-02/paper")
    assert said.index("Sak S-2026-105") < said.index("Sak S-2026-104")
    assert taken(shown, "committee_leader", "/meetings/nowhere/paper").status_code == 404
    assert taken(shown, "peer_member", "/meetings/meeting-02/paper").status_code == 404
    assert taken(shown, "property_manager", "/cases/S-2026-101/paper").status_code == 404


def test_a_hidden_case_has_a_paper_only_for_who_is_cleared(shown: Site) -> None:
    """For others it is not there (REQ-K6-1)."""
    assert taken(shown, "committee_secretary", "/cases/S-2026-119/paper").status_code == 404
    assert "Sak S-2026-119" in read(shown, "caseworker_kode_6", "/cases/S-2026-119/paper")


# ------------------------------------------------------------------------------------- minutes and letters


def test_minutes_have_who_was_there_what_was_said_and_each_decision(shown: Site) -> None:
    """With grounds and appeal body, and where people sign."""
    said = read(shown, "committee_secretary", "/meetings/meeting-01/minutes.pdf")
    for part in (
        "Protokoll fra møte i tildelingsutvalget 16.11.2026",
        "Til stede Jon Oppdiktet, Kari Oppdiktet, Henrik Oppdiktet og Ida Oppdiktet",
        "To saker ble behandlet. Én fikk bolig, én venter. (Oppdiktet.)",
        "Punkt 1: S-2026-107",
        "Bolig tildelt – strandgata-9",
        "Godkjent av Kari Oppdiktet",
        "Klageinstans Kommunens klagenemnd",
        "Punkt 2: S-2026-105",
        "Ingen egnet plass nå",
    ):
        assert part in said
    assert "Utkast" not in said
    running = read(shown, "committee_member", "/meetings/meeting-02/minutes.pdf")
    assert "Utkast: møtet er ikke hevet." in running
    assert "Foreslått, ikke godkjent ennå" in running
    assert taken(shown, "committee_member", "/meetings/meeting-03/minutes.pdf").status_code == 404


def test_the_letter_to_an_applicant_says_all_it_must_and_nothing_of_others(shown: Site) -> None:
    """What and why, whom to appeal to and by when, and the right to see the file (REQ-FVL-5)."""
    answer = taken(shown, "caseworker", "/decisions/decision-01/letter.pdf")
    said = text_of(answer.content)
    for part in (
        "Person P-S-2026-107 (oppdiktet) Sak S-2026-107 23.11.2026",
        "Vedtak om tildeling av kommunalt disponert bolig",
        "Utvalget har vedtatt at du får tilbud om strandgata-9 i Strandgata.",
        "Utvalget har lagt vekt på søkerens eget ønske",
        "Vi har vurdert boligen",
        "laget av et datasystem etter faste regler",
        "sender klagen videre til kommunens klagenemnd",
        "Fristen er 3 uker fra den dagen du får dette brevet.",
        "er 14.12.2026 siste dag",
        "ikke settes i verk før klagen er avgjort",
        "få se dokumentene i saken din",
        "forvaltningsloven §§ 18-19",
    ):
        assert part in said
    assert re.findall(r"\bB-\d", said) == []
    assert "har rett til" not in said
    assert answer.headers["content-disposition"] == 'attachment; filename="vedtak-decision-01.pdf"'
    assert "Unntatt" not in said
    again = taken(shown, "caseworker", "/decisions/decision-01/letter.pdf")
    assert again.content == answer.content


@pytest.mark.parametrize(
    ("language", "body", "sees"),
    [
        ("nb", "videre til Statsforvalteren", "Du kan se dokumentene"),
        ("nn", "vidare til Statsforvaltaren", "Du kan sjå dokumenta"),
        ("en", "on to the County Governor", "You can see the file"),
    ],
)
def test_a_letter_is_written_in_the_applicants_language_and_by_its_type(
    shown: Site, language: str, body: str, sees: str
) -> None:
    """Housing assistance is heard by the county governor."""
    said = read(shown, "caseworker", f"/decisions/decision-03/letter.pdf?language={language}")
    assert body in said
    assert sees in said


def test_letters_are_for_those_who_send_them_and_of_decisions_that_are_made(shown: Site) -> None:
    """The leader takes nothing out; a proposal is no decision; on a shared screen there are no names."""
    assert taken(shown, "committee_leader", "/decisions/decision-01/letter.pdf").status_code == 403
    assert taken(shown, "caseworker", "/decisions/decision-06/letter.pdf").status_code == 409
    with shown.client("caseworker") as client:
        client.headers["Cookie"] += "; __Host-shared-screen=yes"
        assert client.get("/decisions/decision-01/letter.pdf").status_code == 403
    looks = [entry for entry in shown.log() if entry["use"] == "decisions.letter"]
    assert {"done"} != {entry["outcome"] for entry in looks}
    assert any(entry["kind"] == "person" and entry["purpose"] == "casework" for entry in looks)


# ---------------------------------------------------------------------------------- law that is not confirmed


@pytest.mark.parametrize(
    ("language", "all_of_it", "some_of_it"),
    [
        ("nb", "Lovhenvisningene er ikke kontrollert av jurist.", "Ikke kontrollert av jurist: "),
        ("nn", "Lovtilvisingane er ikkje kontrollerte av jurist.", "Ikkje kontrollert av jurist: "),
        (
            "en",
            "The references to law have not been checked by a lawyer.",
            "Not checked by a lawyer: ",
        ),
    ],
)
def test_a_letter_says_which_law_no_lawyer_has_checked(
    shown: Site, monkeypatch: pytest.MonkeyPatch, language: str, all_of_it: str, some_of_it: str
) -> None:
    """In a sentence under the list; once a lawyer has checked all of it, nothing is said."""
    allocation, assistance = (
        f"/decisions/decision-{no}/letter.pdf?language={language}" for no in ("01", "03")
    )
    assert all_of_it in read(shown, "caseworker", allocation)
    named = read(shown, "caseworker", assistance).partition(some_of_it)[2].partition(".")[0]
    assert named.startswith("forvaltningsloven §§ 24-25, forvaltningsloven § 28, forvaltningsloven § 29")
    assert "boligsosialloven" not in named
    monkeypatch.setattr(law, "LAW", all_checked())
    for letter in (allocation, assistance):
        said = read(shown, "caseworker", letter)
        assert all_of_it not in said
        assert some_of_it not in said
        assert "forvaltningsloven § 28" in said


def all_checked() -> dict[str, Law]:
    """Return the law as it will be when a lawyer has confirmed it."""
    return {key: replace(one, checked=True) for key, one in LAW.items()}


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("nb", "hvem som avgjør klagen, og fristen, er ikke kontrollert av jurist."),
        ("nn", "kven som avgjer klaga, og fristen, er ikkje kontrollert av jurist."),
        ("en", "who decides the appeal, and the time limit, have not been checked by a lawyer."),
    ],
)
def test_a_letter_says_that_no_lawyer_has_checked_who_hears_an_appeal_and_when(
    shown: Site, monkeypatch: pytest.MonkeyPatch, language: str, note: str
) -> None:
    """Where the decision can be appealed, and where it cannot; not any more when one has."""
    letters = [f"/decisions/decision-{no}/letter.pdf?language={language}" for no in ("01", "03")]
    for path in letters:
        assert note in read(shown, "caseworker", path)
    for kind, said in DECISION_LAW.items():
        monkeypatch.setitem(cast("dict[Any, Any]", DECISION_LAW), kind, replace(said, unverified=False))
    for path in letters:
        assert note not in read(shown, "caseworker", path)


def test_papers_of_the_committee_say_it_too(shown: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the head of each page, where the law is named that exempts them from the public."""
    papers = ("/cases/S-2026-101/paper", "/meetings/meeting-01/minutes.pdf")
    for path in papers:
        assert "§ 12-1 (ikke kontrollert av jurist)" in read(shown, "committee_secretary", path)
    monkeypatch.setattr(law, "LAW", all_checked())
    for path in papers:
        said = read(shown, "committee_secretary", path)
        assert "offentleglova § 13, forvaltningsloven § 13 og" in said
        assert "av jurist" not in said


def test_a_case_paper_says_which_law_behind_its_rules_no_lawyer_has_checked(
    shown: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the sources."""
    path = "/cases/S-2026-107/paper"
    note = "Ikke kontrollert av jurist: helse- og omsorgstjenesteloven § 4-1."
    assert note in read(shown, "committee_secretary", path)
    monkeypatch.setattr(law, "LAW", all_checked())
    said = read(shown, "committee_secretary", path)
    assert "helse- og omsorgstjenesteloven § 4-1" in said
    assert note not in said


def test_some_law_in_a_row_is_marked_by_itself() -> None:
    """What is confirmed beside it is not."""
    refs = [law_ref(key, DAY) for key in ("assistance-decision", "appeal", "disadvantaged")]
    said = "boligsosialloven § 7, forvaltningsloven § 28 (ikke kontrollert av jurist) og boligsosialloven § 4"
    assert marked(refs, catalog("nb")) == said
    assert unconfirmed(refs, catalog("nb")) == "Ikke kontrollert av jurist: forvaltningsloven § 28."
    assert unconfirmed(refs[:1], catalog("nb")) == ""


def test_conditions_in_minutes_name_their_law_with_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mark until it is confirmed."""
    condition = {
        "text": "Samtale med primærkontakt hver uke.",
        "legal_basis": "individual-decision",
        "purpose": "Trygg start.",
        "connection": "Gjelder boligen.",
        "proportionality": "Kort og avtalt.",
    }
    decision = {
        "outcome": "allocated",
        "type": "D2",
        "state": "made",
        "unit": "tunet-2",
        "made_on": "2026-11-23",
        "conditions": [condition],
    }
    item = {"no": 1, "case": "S-2026-101", "unit": None, "postponed": None}
    meeting = {
        "on": "2026-11-23",
        "place": None,
        "chair": None,
        "secretary": None,
        "present": ["jon"],
        "members": ["jon"],
        "state": "closed",
        "minutes": "Kort møte.",
    }

    def said() -> str:
        paper = minutes_paper(
            meeting, [(item, [decision], [])], catalog("nb"), DAY, mark="", who=str.capitalize
        )
        return text_of(pdf(paper))

    assert "Enkeltvedtak (forvaltningsloven § 2)" in said()
    assert "Ikke kontrollert av jurist: forvaltningsloven § 2." in said()
    monkeypatch.setattr(law, "LAW", all_checked())
    assert "Enkeltvedtak (forvaltningsloven § 2)" in said()
    assert "av jurist" not in said()
