"""How long one may stay, and on what agreement; and how long a unit has stood empty."""

from allocator.codes import (
    AgreementForm,
    StayKind,
    UnitPurpose,
)
from allocator.facts import Range
from allocator.rules.language import (
    Effect,
    Number,
    Param,
    Public,
    Rule,
    applicant,
    scheme,
    unit,
)
from allocator.rules.sources import C_AGREEMENT, IDRETTSVEIEN, Basis, advice, cite

_BUILD = "Beskrivelse av hvem som gjorde hva"

STAY_LIMIT = Rule(
    id="stay-limit",
    carries=("R-21",),
    about=Range.UNIT,
    broken_when=unit.purpose.is_(UnitPurpose.ASSESSMENT)
    & (
        applicant.stay.is_(StayKind.PERMANENT)
        | (applicant.stay_months > unit.max_stay_months)
        | (applicant.stay_months < unit.min_stay_months)
    ),
    effect=Effect.ADVISE_AGAINST,
    sources=(cite(IDRETTSVEIEN, _BUILD, Basis.ADOPTED_CRITERION),),
    public=Public.AGREEMENT,
)

AGREEMENT_LIMIT = Rule(
    id="agreement-limit",
    carries=("R-21",),
    about=Range.UNIT,
    broken_when=scheme.first_agreement.is_(AgreementForm.SERVICE_AGREEMENT)
    & ~scheme.agreement_leads_to_tenancy
    & (applicant.stay.is_(StayKind.PERMANENT) | (applicant.stay_months > scheme.agreement_max_months)),
    effect=Effect.ADVISE_AGAINST,
    sources=(cite(IDRETTSVEIEN, "Oppsummert", Basis.ADOPTED_CRITERION),),
    public=Public.AGREEMENT,
    contradiction=C_AGREEMENT,
)

LONG_VACANCY = Rule(
    id="long-vacancy",
    carries=("R-27",),
    about=Range.UNIT,
    broken_when=unit.days_vacant > Param("long_after_days"),
    effect=Effect.NOTE,
    params={"long_after_days": Number("days", 1, 730)},
    sources=(advice("Beboersammensetning har betydning som stabilitet og sikkerhet"),),
    public=Public.AVAILABILITY,
)

RULES = (STAY_LIMIT, AGREEMENT_LIMIT, LONG_VACANCY)
