"""The dwelling: is it free, and does it fit the person's own needs.

Needs come first and never count against anyone: they only say which units fit (REQ-LDL-7). Some need a
lift, some cannot live on the ground floor; units should be built differently because people differ.
"""

from allocator.codes import (
    Need,
    UnitStatus,
    WindowHeight,
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
    case,
    unit,
)
from allocator.rules.sources import (
    C_FLOOR,
    C_UNIT_SIZE,
    IDRETTSVEIEN,
    PHYSICAL,
    SOBSTADVEIEN,
    SUITABLE_HOUSING,
    Basis,
    advice,
    cite,
    own_need,
    research,
)

_TARGET = "En utfordrende målgruppe"
_DESIGN = "Den fysiske utformingen av boligen"
_LOCATION = "Boenhetenes beliggenhet i forhold til hverandre"
_FINDINGS = "Hovedfunn"
_BUILD = "Beskrivelse av hvem som gjorde hva"
_SUITABLE = cite(SUITABLE_HOUSING, "", Basis.OWN_NEED)

_not_on_the_ground = (unit.floor > 1) | (unit.floor < 1)

UNIT_AVAILABLE = Rule(
    id="unit-available",
    carries=("R-02",),
    about=Range.UNIT,
    broken_when=unit.status.is_not(UnitStatus.VACANT)
    & ((applicant.needed_from <= case.as_of) | (unit.vacant_from > applicant.needed_from)),
    effect=Effect.BAR,
    sources=(cite(PHYSICAL, "", Basis.PHYSICAL_FACT),),
    public=Public.AVAILABILITY,
)

LIFT_NEED = Rule(
    id="lift-need",
    carries=("R-03",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.LIFT) & _not_on_the_ground & ~unit.lift,
    effect=Effect.BAR,
    sources=(own_need(_TARGET), _SUITABLE),
    public=Public.DWELLING,
    own_need=True,
)

STEP_FREE_NEED = Rule(
    id="step-free-need",
    carries=("R-03",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.STEP_FREE) & ~unit.step_free,
    effect=Effect.BAR,
    sources=(own_need(_TARGET), _SUITABLE),
    public=Public.DWELLING,
    own_need=True,
)

GROUND_FLOOR_NEED = Rule(
    id="ground-floor-need",
    carries=("R-03",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.GROUND_FLOOR) & _not_on_the_ground,
    effect=Effect.BAR,
    sources=(own_need(_LOCATION), _SUITABLE),
    public=Public.DWELLING,
    contradiction=C_FLOOR,
    own_need=True,
)

UPPER_FLOOR_NEED = Rule(
    id="upper-floor-need",
    carries=("R-03",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.NOT_GROUND_FLOOR) & (unit.floor <= 1),
    effect=Effect.BAR,
    sources=(own_need(_TARGET), _SUITABLE),
    public=Public.DWELLING,
    contradiction=C_FLOOR,
    own_need=True,
)

TWO_EXITS = Rule(
    id="two-exits",
    carries=("R-15",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.TWO_EXITS) & (unit.exits < 2),  # noqa: PLR2004 - two is the need
    effect=Effect.ADVISE_AGAINST,
    sources=(research(_FINDINGS),),
    public=Public.DWELLING,
    own_need=True,
)

SIGHTLINE = Rule(
    id="sightline",
    carries=("R-16",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.SIGHTLINE_FROM_BASE) & ~unit.sightline_from_base,
    effect=Effect.WEIGH,
    sources=(advice("Tips til andre", SOBSTADVEIEN), advice(_BUILD, IDRETTSVEIEN)),
    public=Public.DWELLING,
    own_need=True,
)

UNIT_TOO_LARGE = Rule(
    id="unit-too-large",
    carries=("R-18",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.SMALL_UNIT) & (unit.area_m2 >= Param("large_from")),
    effect=Effect.WEIGH,
    params={"large_from": Number("m2", 20, 120)},
    sources=(advice(_DESIGN), advice("Tips til andre", IDRETTSVEIEN)),
    public=Public.DWELLING,
    contradiction=C_UNIT_SIZE,
    own_need=True,
)

UNIT_TOO_SMALL = Rule(
    id="unit-too-small",
    carries=("R-18",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.LARGE_UNIT) & (unit.area_m2 < Param("roomy_from")),
    effect=Effect.WEIGH,
    params={"roomy_from": Number("m2", 20, 120)},
    sources=(research(_FINDINGS), advice(_DESIGN)),
    public=Public.DWELLING,
    contradiction=C_UNIT_SIZE,
    own_need=True,
)

WATER_BELOW = Rule(
    id="water-below",
    carries=("R-19",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.WATER_SAFE) & unit.built_below & ~unit.water_protected,
    effect=Effect.WEIGH,
    sources=(advice(_LOCATION), advice(_BUILD, IDRETTSVEIEN)),
    public=Public.DWELLING,
    contradiction=C_FLOOR,
    own_need=True,
)

SEEN_FROM_OUTSIDE = Rule(
    id="seen-from-outside",
    carries=("R-19",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.NO_INSIGHT)
    & (unit.floor <= 1)
    & unit.window_height.is_not(WindowHeight.HIGH),
    effect=Effect.WEIGH,
    sources=(research(_FINDINGS), advice(_LOCATION)),
    public=Public.DWELLING,
    contradiction=C_FLOOR,
    own_need=True,
)

LIGATURE_SAFE = Rule(
    id="ligature-safe",
    carries=("R-03",),
    about=Range.UNIT,
    broken_when=applicant.needs.has(Need.LIGATURE_SAFE) & ~unit.ligature_safe,
    effect=Effect.ADVISE_AGAINST,
    sources=(own_need(_BUILD, IDRETTSVEIEN),),
    public=Public.DWELLING,
    own_need=True,
)

COMFORT_NEEDS = Rule(
    id="comfort-needs",
    carries=("R-03",),
    about=Range.UNIT,
    broken_when=applicant.needs.not_met_by(unit.features, within=Param("needs")),
    effect=Effect.WEIGH,
    params={"needs": Codes(Need)},
    sources=(own_need(_FINDINGS), own_need("Boligbehov", SOBSTADVEIEN)),
    public=Public.DWELLING,
    own_need=True,
)

RULES = (
    UNIT_AVAILABLE,
    LIFT_NEED,
    STEP_FREE_NEED,
    GROUND_FLOOR_NEED,
    UPPER_FLOOR_NEED,
    TWO_EXITS,
    SIGHTLINE,
    UNIT_TOO_LARGE,
    UNIT_TOO_SMALL,
    WATER_BELOW,
    SEEN_FROM_OUTSIDE,
    LIGATURE_SAFE,
    COMFORT_NEEDS,
)
