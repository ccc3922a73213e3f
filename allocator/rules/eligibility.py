"""Entry conditions, target groups and the state of the assessment."""

from allocator.codes import (
    EntryRequirement,
    TargetGroup,
)
from allocator.facts import Range
from allocator.rules.language import Effect, Public, Rule, applicant, case, scheme
from allocator.rules.sources import (
    C_ONE_GROUP,
    C_RISK,
    DUTY_TO_INVESTIGATE,
    LAWFUL_DIFFERENCE,
    LOCAL_POLICY,
    OSLO_2018,
    SOBSTADVEIEN,
    Basis,
    advice,
    cite,
    research,
)

ROP_REQUIREMENT = Rule(
    id="rop-requirement",
    carries=("R-04",),
    about=Range.UNIT,
    broken_when=scheme.entry_requirement.is_(EntryRequirement.ROP) & scheme.entry_adopted & ~applicant.rop,
    effect=Effect.BAR,
    sources=(cite(SOBSTADVEIEN, "Beskrivelse av hvem som gjorde hva, trinn 1", Basis.ADOPTED_CRITERION),),
    public=Public.TARGET_GROUP,
)

TARGET_GROUP = Rule(
    id="target-group",
    carries=("R-04",),
    about=Range.UNIT,
    broken_when=applicant.target_groups.disjoint_from(scheme.target_groups)
    & ~scheme.target_groups.has(TargetGroup.GENERAL),
    effect=Effect.ADVISE_AGAINST,
    sources=(advice("En utfordrende målgruppe"), advice("Bakgrunn", SOBSTADVEIEN)),
    public=Public.TARGET_GROUP,
    contradiction=C_ONE_GROUP,
)

GENDER_CONDITION = Rule(
    id="gender-condition",
    carries=("R-04", "R-08"),
    about=Range.UNIT,
    broken_when=scheme.has_gender_condition & applicant.gender.differs_from(scheme.gender),
    effect=Effect.ADVISE_AGAINST,
    sources=(
        cite(LOCAL_POLICY, "Vedtatt kjønnsvilkår for botiltaket", Basis.ADOPTED_CRITERION),
        advice("En utfordrende målgruppe"),
    ),
    public=Public.TARGET_GROUP,
)

GENDER_CONDITION_OVERDUE = Rule(
    id="gender-condition-overdue",
    carries=("R-08",),
    about=Range.UNIT,
    broken_when=scheme.gender_condition_overdue,
    tells=(scheme.gender_review_by,),
    effect=Effect.NOTE,
    sources=(cite(LAWFUL_DIFFERENCE, "", Basis.DUTY),),
    public=Public.TARGET_GROUP,
)

ASSESSMENT_EXPIRED = Rule(
    id="assessment-expired",
    carries=("R-22",),
    about=Range.UNIT,
    broken_when=(applicant.risk_valid_until < case.as_of) | (applicant.needs_valid_until < case.as_of),
    effect=Effect.ADVISE_AGAINST,
    sources=(
        research("Ikke en statisk vurdering", OSLO_2018),
        cite(DUTY_TO_INVESTIGATE, "", Basis.DUTY),
    ),
    public=Public.ASSESSMENT,
    contradiction=C_RISK,
)

RULES = (ROP_REQUIREMENT, TARGET_GROUP, GENDER_CONDITION, GENDER_CONDITION_OVERDUE, ASSESSMENT_EXPIRED)
