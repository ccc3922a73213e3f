"""Where rules come from: works, citations with their authority, statutes with dates, and contradictions.

A citation is a value, not a comment: a rule cannot be built without one. Sections of statutes stand here
and nowhere else, with the dates between which they hold, because law changes (REQ-LAW-1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Basis(StrEnum):
    """With what authority a source speaks, strongest first."""

    STATUTE = "statute"
    COURT_ORDER = "court_order"
    DUTY = "duty"  # a statute that demands a result and leaves the means to the municipality
    PHYSICAL_FACT = "physical_fact"
    OWN_NEED = "own_need"
    ADOPTED_CRITERION = "adopted_criterion"
    RESEARCH = "research"
    STAFF_ADVICE = "staff_advice"
    LOCAL_CHOICE = "local_choice"


FIXED_BASES = frozenset({Basis.STATUTE, Basis.COURT_ORDER, Basis.PHYSICAL_FACT})
"""Bases that a policy cannot weaken and a committee cannot overrule."""


@dataclass(frozen=True)
class Work:
    """A published document."""

    key: str
    title: str
    publisher: str
    year: str

    def __str__(self) -> str:
        year = f" ({self.year})" if self.year else ""
        return f"{self.publisher}: {self.title}{year}"


@dataclass(frozen=True)
class LawVersion:
    """A section from the day it holds until the next version does. No `valid_from`: not looked up.

    One that is adopted but not `in_force` holds on no day until somebody writes down from when it does.
    """

    act: str
    section: str
    valid_from: date | None = None
    valid_until: date | None = None
    in_force: bool = True

    def holds_on(self, day: date) -> bool:
        """Return whether it holds on *day*, as far as is known."""
        begun = self.valid_from is None or self.valid_from <= day
        return self.in_force and begun and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True)
class Law:
    """A duty in law, with the section that carries it at each time.

    `checked` is False where the section is general professional knowledge that a lawyer has to confirm.
    """

    key: str
    versions: tuple[LawVersion, ...]
    checked: bool = False

    def at(self, day: date) -> str:
        """Return the reference that holds on *day*: the latest that had begun, or the first one known."""
        holding = [v for v in self.versions if v.holds_on(day)]
        version = holding[-1] if holding else self.versions[0]
        return f"{version.act} {version.section}"


@dataclass(frozen=True)
class Citation:
    """One passage that a rule rests on."""

    work: Work | Law
    section: str
    basis: Basis

    def at(self, day: date) -> str:
        """Return the reference as it reads on *day*."""
        work = self.work.at(day) if isinstance(self.work, Law) else str(self.work)
        return f"{work}, {self.section}" if self.section else work


@dataclass(frozen=True)
class Contradiction:
    """Evidence that points both ways. The texts hold both sides under the same key."""

    key: str
    side_a: Citation
    side_b: Citation


# --------------------------------------------------------------------------------------------- works

SOBSTADVEIEN = Work(
    "sobstadveien",
    "Rus- og psykiske utfordringer - Søbstadveien Trondheim",
    "Veiviseren, Trondheim kommune",
    "u.å.",
)
OSTMARKA_2021 = Work(
    "ostmarka-2021",
    "Nytt botilbud for personer med alvorlige ROP-lidelser og voldsrisiko",
    "NTNU Samfunnsforskning og SINTEF Community",
    "2021",
)
BO_OG_TJENESTETILBUD = Work(
    "bo-og-tjenestetilbud",
    "Ulike bo- og tjenestetilbud",
    "Veiviseren",
    "u.å.",
)
OSLO_2018 = Work(
    "oslo-2018",
    "Vanskelig bosettbare, kartlegging i seks bydeler (lysark)",
    "Oslo kommune",
    "2018",
)
IDRETTSVEIEN = Work(
    "idrettsveien",
    "Samlokaliserte boliger med døgnbemanning i Melhus kommune",
    "Veiviseren, Melhus kommune",
    "u.å.",
)
SMAHUS_MELHUS = Work(
    "veiviseren-smahus-melhus",
    "Småhus i Melhus kommune med investeringstilskudd",
    "Veiviseren, Melhus kommune",
    "u.å.",
)
LOCAL_POLICY = Work("local-policy", "Kommunens regelsett", "Kommunen", "")
PHYSICAL = Work("physical", "Boenhetens tilstand", "Eiendomsforvalter", "")

WORKS = {
    work.key: work
    for work in (
        SOBSTADVEIEN,
        OSTMARKA_2021,
        BO_OG_TJENESTETILBUD,
        OSLO_2018,
        IDRETTSVEIEN,
        SMAHUS_MELHUS,
        LOCAL_POLICY,
        PHYSICAL,
    )
}

# ---------------------------------------------------------------------------------------------- law

SOUND_SERVICES = Law(
    "sound-services", (LawVersion("helse- og omsorgstjenesteloven", "§ 4-1", date(2012, 1, 1)),)
)
DUTY_TO_INVESTIGATE = Law("duty-to-investigate", (LawVersion("forvaltningsloven", "§ 17", date(1970, 1, 1)),))
VISITING_BAN = Law("visiting-ban", (LawVersion("straffeprosessloven", "§ 222 a"),), checked=True)
SUITABLE_HOUSING = Law(
    "suitable-housing", (LawVersion("boligsosialloven", "§ 6", date(2023, 7, 1)),), checked=True
)
COMPOSITE_AGREEMENTS = Law(
    "composite-agreements", (LawVersion("husleieloven", "§ 1-1", date(2000, 1, 1)),), checked=True
)
LAWFUL_DIFFERENCE = Law(
    "lawful-difference",
    (LawVersion("likestillings- og diskrimineringsloven", "§ 9", date(2018, 1, 1)),),
    checked=True,
)

_HOUSING_ACT, _HOUSING_DAY = "boligsosialloven", date(2023, 7, 1)
_PROCEDURE_ACT, _PROCEDURE_DAY = "forvaltningsloven", date(1970, 1, 1)
_SERVICES_ACT, _SERVICES_DAY = "helse- og omsorgstjenesteloven", date(2012, 1, 1)
_RIGHTS_ACT = "pasient- og brukerrettighetsloven"

DISADVANTAGED = Law("disadvantaged", (LawVersion(_HOUSING_ACT, "§ 4", _HOUSING_DAY),), checked=True)
ASSISTANCE_DECISION = Law(
    "assistance-decision", (LawVersion(_HOUSING_ACT, "§ 7", _HOUSING_DAY),), checked=True
)
INDIVIDUAL_DECISION = Law("individual-decision", (LawVersion(_PROCEDURE_ACT, "§ 2", _PROCEDURE_DAY),))
DISQUALIFICATION = Law("disqualification", (LawVersion(_PROCEDURE_ACT, "§ 6", _PROCEDURE_DAY),))
REPRESENTATION = Law("representation", (LawVersion(_PROCEDURE_ACT, "§ 12", _PROCEDURE_DAY),))
ACCESS_TO_FILE = Law("access-to-file", (LawVersion(_PROCEDURE_ACT, "§§ 18-19", _PROCEDURE_DAY),))
REASONS = Law("reasons", (LawVersion(_PROCEDURE_ACT, "§§ 24-25", _PROCEDURE_DAY),))
APPEAL = Law("appeal", (LawVersion(_PROCEDURE_ACT, "§ 28", _PROCEDURE_DAY),))
APPEAL_DEADLINE = Law("appeal-deadline", (LawVersion(_PROCEDURE_ACT, "§ 29", _PROCEDURE_DAY),))
REVERSAL = Law("reversal", (LawVersion(_PROCEDURE_ACT, "§ 35", _PROCEDURE_DAY),))
SUSPENSION = Law("suspension", (LawVersion(_PROCEDURE_ACT, "§ 42", _PROCEDURE_DAY),))
EXEMPT_FROM_PUBLIC = Law("exempt-from-public", (LawVersion("offentleglova", "§ 13", date(2009, 1, 1)),))
CONFIDENTIALITY = Law("confidentiality", (LawVersion(_PROCEDURE_ACT, "§ 13", _PROCEDURE_DAY),))
SERVICES_CONFIDENTIALITY = Law(
    "services-confidentiality", (LawVersion(_SERVICES_ACT, "§ 12-1", _SERVICES_DAY),)
)
DOCUMENTED_SYSTEM = Law(
    "documented-system",
    (LawVersion("forvaltningsloven (LOV-2025-06-20-81)", "§ 13", in_force=False),),
    checked=True,
)
SERVICES_AT_HOME = Law(
    "services-at-home", (LawVersion(_SERVICES_ACT, "§ 3-2 nr. 6 a-d", _SERVICES_DAY),), checked=True
)
SERVICES_RIGHT = Law("services-right", (LawVersion(_RIGHTS_ACT, "§ 2-1 a"),), checked=True)
LONG_STAY = Law("long-stay", (LawVersion(_SERVICES_ACT, "§ 3-2 a"),), checked=True)
LONG_STAY_RIGHT = Law("long-stay-right", (LawVersion(_RIGHTS_ACT, "§ 2-1 e"),), checked=True)
SERVICES_APPEAL_DEADLINE = Law("services-appeal-deadline", (LawVersion(_RIGHTS_ACT, "§ 7-5"),))
TEMPORARY_HOUSING = Law("temporary-housing", (LawVersion("sosialtjenesteloven", "§ 27"),))

LAW = {
    ref.key: ref
    for ref in (
        SOUND_SERVICES,
        DUTY_TO_INVESTIGATE,
        EXEMPT_FROM_PUBLIC,
        CONFIDENTIALITY,
        SERVICES_CONFIDENTIALITY,
        VISITING_BAN,
        SUITABLE_HOUSING,
        COMPOSITE_AGREEMENTS,
        LAWFUL_DIFFERENCE,
        DISADVANTAGED,
        ASSISTANCE_DECISION,
        INDIVIDUAL_DECISION,
        DISQUALIFICATION,
        REPRESENTATION,
        ACCESS_TO_FILE,
        REASONS,
        APPEAL,
        APPEAL_DEADLINE,
        REVERSAL,
        SUSPENSION,
        DOCUMENTED_SYSTEM,
        SERVICES_AT_HOME,
        SERVICES_RIGHT,
        LONG_STAY,
        LONG_STAY_RIGHT,
        SERVICES_APPEAL_DEADLINE,
        TEMPORARY_HOUSING,
    )
}


def cite(work: Work | Law, section: str, basis: Basis) -> Citation:
    """Return a citation of a section of a work."""
    return Citation(work, section, basis)


def advice(section: str, work: Work = OSTMARKA_2021) -> Citation:
    """Cite what experienced staff advise."""
    return Citation(work, section, Basis.STAFF_ADVICE)


def research(section: str, work: Work = OSTMARKA_2021) -> Citation:
    """Cite a finding or a summary of findings."""
    return Citation(work, section, Basis.RESEARCH)


def own_need(section: str, work: Work = OSTMARKA_2021) -> Citation:
    """Cite where it is said that individuals have this need."""
    return Citation(work, section, Basis.OWN_NEED)


# ------------------------------------------------------------------------------------ contradictions

_LOCATION = "Boenhetenes beliggenhet i forhold til hverandre"
_DESIGN = "Den fysiske utformingen av boligen"
_BUILD = "Beskrivelse av hvem som gjorde hva"
_SUMMARY_3 = "Botilbud, dialog, prosess og politisk forankring"
_JARLEVEIEN = "Bolig, brukererfaringer, aktivitetstilbud og tjenesteutvikling"
_TARGET = "En utfordrende målgruppe"
_NEW = "Representerer det planlagte botilbudet noe nytt?"

C_ENTRANCE = Contradiction("C-1", advice(_LOCATION), advice(_BUILD, IDRETTSVEIEN))
C_FITTINGS = Contradiction("C-2", advice(_BUILD, SOBSTADVEIEN), research(_SUMMARY_3))
C_NIGHT_STAFF = Contradiction("C-3", research(_SUMMARY_3), advice(_NEW))
C_FLOOR = Contradiction("C-4", advice(_LOCATION), advice(_LOCATION))
C_UNIT_SIZE = Contradiction("C-5", advice(_DESIGN), research("Hovedfunn"))
C_SCHEME_SIZE = Contradiction("C-6", research(_JARLEVEIEN), advice("Oppsummert", IDRETTSVEIEN))
C_GENDER = Contradiction(
    "C-7",
    advice("Beboersammensetning har betydning som stabilitet og sikkerhet"),
    Citation(LAWFUL_DIFFERENCE, "", Basis.DUTY),
)
C_ONE_GROUP = Contradiction("C-8", advice(_TARGET), advice("Nærmiljø og pårørende"))
C_AGREEMENT = Contradiction(
    "C-9", advice("Relevant lovverk", IDRETTSVEIEN), advice("Begrensninger i Husleieloven")
)
C_CAMERAS = Contradiction(
    "C-10", advice(_BUILD, SOBSTADVEIEN), advice("Ansatte må ha god oversikt over området")
)
C_GUARDED = Contradiction("C-11", research(_JARLEVEIEN), research(_JARLEVEIEN))
C_HOSPITAL = Contradiction("C-12", advice("Lokalisering på Østmarka"), advice("Lokalisering på Østmarka"))
C_ACTIVITIES = Contradiction("C-13", advice("Aktiviteter"), advice("Aktiviteter"))
C_INSTITUTION = Contradiction("C-14", advice("Relasjonsarbeid"), research("Hovedfunn"))
C_CARE = Contradiction("C-15", advice(_NEW), advice(_NEW))
C_SMALL_HOUSES = Contradiction("C-16", research(_SUMMARY_3), research(_SUMMARY_3))
C_AGE = Contradiction(
    "C-17",
    advice("Beboersammensetning har betydning som stabilitet og sikkerhet"),
    research("Utvalg og metode", OSLO_2018),
)
C_NIGHT_NORM = Contradiction("C-18", advice(_BUILD, SOBSTADVEIEN), advice(_BUILD, SOBSTADVEIEN))
C_YEARS = Contradiction("C-19", advice("Oppsummert", IDRETTSVEIEN), advice(_BUILD, IDRETTSVEIEN))
C_RISK = Contradiction(
    "C-20", research("Sikkerhetsproblematikk", OSLO_2018), research("Ikke en statisk vurdering", OSLO_2018)
)

CONTRADICTIONS = {
    contradiction.key: contradiction
    for contradiction in (
        C_ENTRANCE,
        C_FITTINGS,
        C_NIGHT_STAFF,
        C_FLOOR,
        C_UNIT_SIZE,
        C_SCHEME_SIZE,
        C_GENDER,
        C_ONE_GROUP,
        C_AGREEMENT,
        C_CAMERAS,
        C_GUARDED,
        C_HOSPITAL,
        C_ACTIVITIES,
        C_INSTITUTION,
        C_CARE,
        C_SMALL_HOUSES,
        C_AGE,
        C_NIGHT_NORM,
        C_YEARS,
        C_RISK,
    )
}
"""C-18 and C-19 are contradictions inside one document: notes on data, which no rule turns on."""
