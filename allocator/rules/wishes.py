"""The applicant's own say: where they would like to live, and where they do not want to."""

from allocator.facts import Range
from allocator.rules.language import Effect, Public, Rule, choice
from allocator.rules.sources import BO_OG_TJENESTETILBUD, advice, own_need, research

_MIX = "Beboersammensetning har betydning som stabilitet og sikkerhet"

RESERVATION = Rule(
    id="reservation",
    carries=("R-23",),
    about=Range.UNIT,
    broken_when=choice.reserved_against,
    effect=Effect.ADVISE_AGAINST,
    sources=(own_need(_MIX), research("Brukermedvirkning", BO_OG_TJENESTETILBUD)),
    public=Public.OWN_WISH,
)

WISH = Rule(
    id="wish",
    carries=("R-23",),
    about=Range.UNIT,
    broken_when=choice.any_wish & ~choice.wished,
    effect=Effect.WEIGH,
    sources=(advice(_MIX), research("Brukermedvirkning", BO_OG_TJENESTETILBUD)),
    public=Public.OWN_WISH,
)

RULES = (RESERVATION, WISH)
