"""Objections by scheme staff (*innvendinger*).

They know best who lives there already, and are not heard today. An objection is a fact like any other: it
shows at once, the committee answers it in writing, and none lasts for ever.
"""

from allocator.codes import (
    VetoStatus,
)
from allocator.facts import Range
from allocator.rules.language import Effect, Public, Rule, case, veto
from allocator.rules.sources import advice

STAFF_VETO = Rule(
    id="staff-veto",
    carries=(),
    about=Range.VETO,
    broken_when=veto.status.one_of((VetoStatus.OPEN, VetoStatus.UPHELD))
    & (veto.raised_on <= case.as_of)
    & (veto.valid_until >= case.as_of),
    tells=(veto.ground,),
    effect=Effect.ADVISE_AGAINST,
    sources=(advice("Beboersammensetning har betydning som stabilitet og sikkerhet"),),
    public=Public.LIVING_ENVIRONMENT,
)

RULES = (STAFF_VETO,)
