"""Known conflicts and restraining orders.

Staff: do not put bitter enemies together; some try to take each other's lives. A confirmed conflict bars,
since a municipality owes everyone sound services; what one party alone has said, or what is old or
disputed, must be answered but bars nobody. A verified order of a court or the prosecution is not ours to
weigh. Everything here is confidential: where one person lives in a house, the word conflict names them.
"""

from allocator.codes import (
    ConflictDirection,
    ConflictReach,
    ConflictStatus,
    CounterpartRole,
)
from allocator.facts import Nearness, Range
from allocator.rules.language import (
    Codes,
    Effect,
    Number,
    Param,
    ParamType,
    Public,
    Rule,
    applicant,
    case,
    conflict,
    order,
)
from allocator.rules.sources import SOUND_SERVICES, VISITING_BAN, Basis, advice, cite

_MIX = "Beboersammensetning har betydning som stabilitet og sikkerhet"
_DUTY = cite(SOUND_SERVICES, "", Basis.DUTY)

_FIRM: dict[str, ParamType] = {
    "directions": Codes(ConflictDirection),
    "confirmed_within_days": Number("days", 30, 3650),
}
_fresh = ~(case.as_of > conflict.last_confirmed.plus(Param("confirmed_within_days")))
_firm = (
    conflict.status.is_(ConflictStatus.ACTIVE)
    & conflict.confirmed
    & conflict.direction.one_of(Param("directions"))
    & _fresh
)
_lives_here = conflict.nearness.one_of((Nearness.LIVING_GROUP, Nearness.SCHEME))
_within_reach = conflict.nearness.is_(Nearness.LIVING_GROUP) | (
    conflict.nearness.is_(Nearness.SCHEME) & conflict.reach.is_(ConflictReach.SCHEME)
)

KNOWN_CONFLICT = Rule(
    id="known-conflict",
    carries=("R-05",),
    about=Range.CONFLICT,
    broken_when=_within_reach & _firm,
    tells=(conflict.kind, conflict.source, conflict.last_confirmed),
    effect=Effect.BAR,
    params=_FIRM,
    sources=(advice(_MIX), _DUTY),
    public=Public.LIVING_ENVIRONMENT,
    confidential=True,
)

UNCONFIRMED_CONFLICT = Rule(
    id="unconfirmed-conflict",
    carries=("R-06",),
    about=Range.CONFLICT,
    broken_when=_within_reach & conflict.status.is_not(ConflictStatus.REFUTED) & ~_firm,
    tells=(conflict.kind, conflict.source, conflict.direction, conflict.status),
    effect=Effect.ADVISE_AGAINST,
    params=_FIRM,
    sources=(advice(_MIX),),
    public=Public.LIVING_ENVIRONMENT,
    confidential=True,
)

VISITOR_CONFLICT = Rule(
    id="visitor-conflict",
    carries=("R-07",),
    about=Range.CONFLICT,
    broken_when=conflict.nearness.is_(Nearness.VISITS)
    & conflict.counterpart_role.one_of((CounterpartRole.VISITOR, CounterpartRole.NEXT_OF_KIN))
    & conflict.status.is_(ConflictStatus.ACTIVE),
    effect=Effect.WEIGH,
    sources=(advice("Besøkende som en sikkerhetsrisiko"),),
    public=Public.LIVING_ENVIRONMENT,
    confidential=True,
)

_in_force = (order.valid_from <= applicant.needed_from) & (order.valid_until >= case.as_of)

RESTRAINING_ORDER = Rule(
    id="restraining-order",
    carries=("R-01",),
    about=Range.ORDER,
    broken_when=order.verified & _in_force,
    effect=Effect.BAR,
    sources=(cite(VISITING_BAN, "", Basis.COURT_ORDER),),
    public=Public.LIVING_ENVIRONMENT,
    confidential=True,
)

ORDER_REVIEW = Rule(
    id="order-review",
    carries=("R-01",),
    about=Range.ORDER,
    broken_when=~_in_force | ~order.verified,
    effect=Effect.ADVISE_AGAINST,
    sources=(cite(VISITING_BAN, "", Basis.DUTY),),
    public=Public.LIVING_ENVIRONMENT,
    confidential=True,
)

RULES = (KNOWN_CONFLICT, UNCONFIRMED_CONFLICT, VISITOR_CONFLICT, RESTRAINING_ORDER, ORDER_REVIEW)
