"""The rulebook: every rule of the product, in one explicit tuple.

A rule is found by its topic: resident mix, conflicts, eligibility, dwelling, services, safety, tenancy,
wishes, vetoes, and the contested questions.
"""

from allocator.rules import (
    conflicts,
    contested,
    dwelling,
    eligibility,
    resident_mix,
    safety,
    services,
    tenancy,
    vetoes,
    wishes,
)
from allocator.rules.language import Rule

RULEBOOK: tuple[Rule, ...] = (
    *resident_mix.RULES,
    *conflicts.RULES,
    *eligibility.RULES,
    *dwelling.RULES,
    *services.RULES,
    *safety.RULES,
    *tenancy.RULES,
    *wishes.RULES,
    *vetoes.RULES,
    *contested.RULES,
)

RULES_BY_ID = {rule.id: rule for rule in RULEBOOK}
"""Rules by id."""

if len(RULES_BY_ID) != len(RULEBOOK):
    raise TypeError("two rules share an id")
