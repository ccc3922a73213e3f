"""Resident mix (*beboersammensetning*): who lives next door.

Staff who know the residents sum their advice up in four points: not women and men together, not bitter
enemies (:mod:`conflicts`), not people on different substances, and mind the ages. Søbstadveien learned that
people with and without ROP should not share a house.
"""

from allocator.codes import (
    Gender,
    SubstanceClass,
    SubstanceUse,
)
from allocator.facts import Range
from allocator.rules.language import (
    AtLeast,
    Effect,
    Number,
    Pairs,
    Param,
    Public,
    Rule,
    applicant,
    resident,
)
from allocator.rules.sources import C_AGE, C_GENDER, C_ONE_GROUP, SOBSTADVEIEN, advice

_MIX = "Beboersammensetning har betydning som stabilitet og sikkerhet"

GENDER_MIX = Rule(
    id="gender-mix",
    carries=("R-08",),
    about=Range.RESIDENT,
    broken_when=applicant.gender.differs_from(resident.gender),
    remark_when=AtLeast("women", Range.RESIDENT, resident.gender.is_(Gender.WOMAN))
    & AtLeast("men", Range.RESIDENT, resident.gender.is_(Gender.MAN)),
    effect=Effect.ADVISE_AGAINST,
    sources=(advice(_MIX), advice("En utfordrende målgruppe")),
    public=Public.LIVING_ENVIRONMENT,
    contradiction=C_GENDER,
)

SUBSTANCE_MIX = Rule(
    id="substance-mix",
    carries=("R-10",),
    about=Range.RESIDENT,
    broken_when=applicant.main_substance.clashes_with(resident.main_substance, Param("clashing_classes"))
    & applicant.substance_use.is_(SubstanceUse.ACTIVE)
    & resident.substance_use.is_(SubstanceUse.ACTIVE),
    effect=Effect.WEIGH,
    shared_points=True,
    params={"clashing_classes": Pairs(SubstanceClass)},
    sources=(advice(_MIX),),
    public=Public.LIVING_ENVIRONMENT,
)

_YOUNG = Param("young_under")
_OLDER = Param("older_from")
_AGES = {"young_under": Number("years", 18, 40), "older_from": Number("years", 18, 80)}

AGE_MIX = Rule(
    id="age-mix",
    carries=("R-09",),
    about=Range.RESIDENT,
    broken_when=(applicant.age < _YOUNG) & resident.heavy_use & (resident.age >= _OLDER),
    effect=Effect.ADVISE_AGAINST,
    params=_AGES,
    sources=(advice(_MIX),),
    public=Public.LIVING_ENVIRONMENT,
    contradiction=C_AGE,
)

AGE_MIX_ESTABLISHED = Rule(
    id="age-mix-established",
    carries=("R-09",),
    about=Range.RESIDENT,
    broken_when=applicant.heavy_use & (applicant.age >= _OLDER) & (resident.age < _YOUNG),
    effect=Effect.WEIGH,
    params=_AGES,
    sources=(advice(_MIX),),
    public=Public.LIVING_ENVIRONMENT,
    contradiction=C_AGE,
)

ROP_MIX = Rule(
    id="rop-mix",
    carries=("R-11",),
    about=Range.RESIDENT,
    broken_when=(applicant.rop & ~resident.rop) | (~applicant.rop & resident.rop),
    effect=Effect.WEIGH,
    shared_points=True,
    sources=(
        advice("Bakgrunn", SOBSTADVEIEN),
        advice("Beskrivelse av hvem som gjorde hva", SOBSTADVEIEN),
    ),
    public=Public.LIVING_ENVIRONMENT,
    contradiction=C_ONE_GROUP,
)

RECENT_MOVE_INS = Rule(
    id="recent-move-ins",
    carries=("R-28",),
    about=Range.UNIT,
    broken_when=AtLeast(
        "recent_move_ins",
        Range.RESIDENT,
        resident.days_lived <= Param("window_days"),
        count=Param("at_most"),
    ),
    effect=Effect.WEIGH,
    params={"window_days": Number("days", 1, 730), "at_most": Number("residents", 1, 50)},
    sources=(advice(_MIX),),
    public=Public.LIVING_ENVIRONMENT,
)

RULES = (GENDER_MIX, SUBSTANCE_MIX, AGE_MIX, AGE_MIX_ESTABLISHED, ROP_MIX, RECENT_MOVE_INS)
