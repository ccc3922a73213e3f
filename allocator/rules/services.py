"""Staffing, services, shielding and the size of the house."""

from allocator.codes import (
    Need,
    NightCover,
    SchemeKind,
)
from allocator.facts import Range
from allocator.rules.language import (
    Codes,
    Effect,
    Number,
    Param,
    Public,
    Rule,
    applicant,
    group,
    scheme,
)
from allocator.rules.sources import (
    BO_OG_TJENESTETILBUD,
    C_NIGHT_STAFF,
    C_SCHEME_SIZE,
    C_SMALL_HOUSES,
    OSLO_2018,
    SOBSTADVEIEN,
    advice,
    own_need,
    research,
)

NIGHT_STAFF = Rule(
    id="night-staff",
    carries=("R-14",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.NIGHT_STAFF) & scheme.night_cover.one_of(Param("not_enough")),
    effect=Effect.ADVISE_AGAINST,
    params={"not_enough": Codes(NightCover)},
    sources=(advice("Besøkende som en sikkerhetsrisiko"),),
    public=Public.SERVICES,
    contradiction=C_NIGHT_STAFF,
    own_need=True,
)

SERVICE_COVER = Rule(
    id="service-cover",
    carries=("R-24",),
    about=Range.UNIT,
    broken_when=applicant.services.not_met_by(scheme.services),
    effect=Effect.ADVISE_AGAINST,
    sources=(own_need("Relasjonsarbeid"), own_need("Tjenester", BO_OG_TJENESTETILBUD)),
    public=Public.SERVICES,
)

SHIELDING = Rule(
    id="shielding",
    carries=("R-17",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.SHIELDING)
    & ~scheme.kind.one_of((SchemeKind.SMALL_HOUSES, SchemeKind.SINGLE))
    & (group.unit_count > Param("dense_over")),
    effect=Effect.ADVISE_AGAINST,
    params={"dense_over": Number("units", 1, 50)},
    sources=(
        own_need("Boligbehov", BO_OG_TJENESTETILBUD),
        own_need("En utfordrende målgruppe"),
        research("Tilgang til egnede boliger", OSLO_2018),
    ),
    public=Public.LIVING_ENVIRONMENT,
    contradiction=C_SMALL_HOUSES,
    own_need=True,
)

SCHEME_SIZE = Rule(
    id="scheme-size",
    carries=("R-20",),
    about=Range.UNIT,
    broken_when=scheme.unit_count > Param("advised_at_most"),
    effect=Effect.NOTE,
    params={"advised_at_most": Number("units", 1, 200)},
    sources=(
        research("Bolig, brukererfaringer, aktivitetstilbud og tjenesteutvikling"),
        advice("Utfordringer underveis", SOBSTADVEIEN),
    ),
    public=Public.LIVING_ENVIRONMENT,
    contradiction=C_SCHEME_SIZE,
)

RULES = (NIGHT_STAFF, SERVICE_COVER, SHIELDING, SCHEME_SIZE)
