"""Advice that points both ways, where a municipality may choose a side or leave it open.

Each rule only notes: it changes no verdict. While the policy leaves a question open nothing is noted, and
the handbook shows both sides.
"""

from allocator.codes import (
    AgreementForm,
    EntranceForm,
    Fittings,
    SchemeKind,
)
from allocator.facts import Range
from allocator.rules.language import Choice, Chosen, Effect, Expr, Param, Public, Rule, scheme, unit
from allocator.rules.sources import (
    C_ACTIVITIES,
    C_AGREEMENT,
    C_CAMERAS,
    C_CARE,
    C_ENTRANCE,
    C_FITTINGS,
    C_GUARDED,
    C_HOSPITAL,
    C_INSTITUTION,
    C_SMALL_HOUSES,
    Contradiction,
)

_SIDE = Param("side")


def _contested(
    rule_id: str,
    question: Contradiction,
    public: Public,
    *,
    a: tuple[str, Expr],
    b: tuple[str, Expr],
) -> Rule:
    """Return a note for a contested question.

    *a* and *b* name the policy's two options, each with the expression that departs from it.
    """
    return Rule(
        id=rule_id,
        carries=(question.key,),
        about=Range.UNIT,
        broken_when=(Chosen(_SIDE, a[0]) & a[1]) | (Chosen(_SIDE, b[0]) & b[1]),
        effect=Effect.NOTE,
        params={"side": Choice(("open", a[0], b[0]))},
        sources=(question.side_a, question.side_b),
        public=public,
        contradiction=question,
    )


RULES = (
    _contested(
        "entrance-form",
        C_ENTRANCE,
        Public.DWELLING,
        a=("own", unit.entrance.is_not(EntranceForm.OWN)),
        b=("overlooked", unit.entrance.is_(EntranceForm.OWN)),
    ),
    _contested(
        "fittings",
        C_FITTINGS,
        Public.DWELLING,
        a=("robust", unit.fittings.is_not(Fittings.STEEL)),
        b=("homely", unit.fittings.is_(Fittings.STEEL)),
    ),
    _contested(
        "first-agreement",
        C_AGREEMENT,
        Public.AGREEMENT,
        a=("service_agreement", scheme.first_agreement.is_not(AgreementForm.SERVICE_AGREEMENT)),
        b=("tenancy", scheme.first_agreement.is_(AgreementForm.SERVICE_AGREEMENT)),
    ),
    _contested(
        "cameras",
        C_CAMERAS,
        Public.LIVING_ENVIRONMENT,
        a=("with", ~scheme.cameras),
        b=("without", scheme.cameras),
    ),
    _contested(
        "guarded-entrance",
        C_GUARDED,
        Public.LIVING_ENVIRONMENT,
        a=("with", unit.entrance.is_not(EntranceForm.GUARDED)),
        b=("without", unit.entrance.is_(EntranceForm.GUARDED)),
    ),
    _contested(
        "near-hospital",
        C_HOSPITAL,
        Public.LIVING_ENVIRONMENT,
        a=("near", ~scheme.near_hospital),
        b=("apart", scheme.near_hospital),
    ),
    _contested(
        "activities",
        C_ACTIVITIES,
        Public.SERVICES,
        a=("on_site", ~scheme.activities_on_site),
        b=("elsewhere", scheme.activities_on_site),
    ),
    _contested(
        "institution-like",
        C_INSTITUTION,
        Public.SERVICES,
        a=("accept", ~scheme.institution_like),
        b=("avoid", scheme.institution_like),
    ),
    _contested(
        "care-intensity",
        C_CARE,
        Public.SERVICES,
        a=("dense", scheme.kind.one_of((SchemeKind.OWN_HOME_FOLLOW_UP, SchemeKind.ORDINARY_MUNICIPAL))),
        b=("sparse", scheme.kind.one_of((SchemeKind.INSTITUTION_LIKE, SchemeKind.CARE_HOME))),
    ),
    _contested(
        "small-houses",
        C_SMALL_HOUSES,
        Public.DWELLING,
        a=("prefer", scheme.kind.is_not(SchemeKind.SMALL_HOUSES)),
        b=("avoid", scheme.kind.is_(SchemeKind.SMALL_HOUSES)),
    ),
)
