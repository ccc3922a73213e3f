"""Risk, vulnerability, visiting children and placements in a crisis.

The group holds both people who are a serious risk to others and people in great danger of being exploited.
A risk is a person's dated conclusion and never fixed: measures can meet it, and it expires.
"""

from allocator.codes import (
    PlacementKind,
    ViolenceConclusion,
    VisitRule,
)
from allocator.facts import Range
from allocator.rules.language import (
    AtLeast,
    Effect,
    Number,
    Param,
    Public,
    Rule,
    applicant,
    resident,
    scheme,
)
from allocator.rules.sources import (
    BO_OG_TJENESTETILBUD,
    C_RISK,
    LOCAL_POLICY,
    OSLO_2018,
    SOUND_SERVICES,
    Basis,
    advice,
    cite,
    research,
)

_TARGET = "En utfordrende målgruppe"

_measures_in_place = applicant.risk_measures.nonempty & ~applicant.risk_measures.not_met_by(scheme.measures)

RISK_TO_VULNERABLE = Rule(
    id="risk-to-vulnerable",
    carries=("R-12",),
    about=Range.RESIDENT,
    broken_when=applicant.violence.is_(ViolenceConclusion.ASSESSED_HIGH)
    & resident.vulnerable
    & ~_measures_in_place,
    effect=Effect.ADVISE_AGAINST,
    sources=(advice(_TARGET), research("Sikkerhetsproblematikk", OSLO_2018)),
    public=Public.LIVING_ENVIRONMENT,
    contradiction=C_RISK,
)

VULNERABLE_TO_RISK = Rule(
    id="vulnerable-to-risk",
    carries=("R-12", "R-13"),
    about=Range.RESIDENT,
    broken_when=applicant.vulnerable & resident.violence.is_(ViolenceConclusion.ASSESSED_HIGH),
    effect=Effect.ADVISE_AGAINST,
    sources=(advice(_TARGET),),
    public=Public.LIVING_ENVIRONMENT,
)

ROUGH_MILIEU = Rule(
    id="rough-milieu",
    carries=("R-13",),
    about=Range.UNIT,
    broken_when=applicant.vulnerable
    & AtLeast(
        "heavy_users",
        Range.RESIDENT,
        resident.heavy_use,
        percent=Param("rough_from_percent"),
    ),
    effect=Effect.ADVISE_AGAINST,
    params={"rough_from_percent": Number("percent", 1, 100)},
    sources=(advice(_TARGET),),
    public=Public.LIVING_ENVIRONMENT,
)

CHILD_VISITS = Rule(
    id="child-visits",
    carries=("R-26",),
    about=Range.UNIT,
    broken_when=applicant.child_visits & scheme.visit_rule.is_not(VisitRule.FREE),
    effect=Effect.NOTE,
    sources=(research("Brukermedvirkning", BO_OG_TJENESTETILBUD),),
    public=Public.LIVING_ENVIRONMENT,
)

CHILD_BESIDE_RISK = Rule(
    id="child-beside-risk",
    carries=("R-26",),
    about=Range.RESIDENT,
    broken_when=(applicant.child_visits & resident.violence.is_(ViolenceConclusion.ASSESSED_HIGH))
    | (applicant.violence.is_(ViolenceConclusion.ASSESSED_HIGH) & resident.child_visits),
    effect=Effect.ADVISE_AGAINST,
    sources=(
        research("Brukermedvirkning", BO_OG_TJENESTETILBUD),
        cite(SOUND_SERVICES, "", Basis.DUTY),
    ),
    public=Public.LIVING_ENVIRONMENT,
)

CRISIS_REVIEW = Rule(
    id="crisis-review",
    carries=("R-25",),
    about=Range.UNIT,
    broken_when=applicant.placement.is_(PlacementKind.CRISIS) & ~applicant.review_date_set,
    effect=Effect.BAR,
    sources=(
        advice("Beboersammensetning har betydning som stabilitet og sikkerhet"),
        cite(LOCAL_POLICY, "Krise: frist for ny vurdering", Basis.ADOPTED_CRITERION),
    ),
    public=Public.ASSESSMENT,
)

RULES = (
    RISK_TO_VULNERABLE,
    VULNERABLE_TO_RISK,
    ROUGH_MILIEU,
    CHILD_VISITS,
    CHILD_BESIDE_RISK,
    CRISIS_REVIEW,
)
