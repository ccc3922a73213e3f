"""The rulebook: every rule of the product, in one explicit tuple.

A rule is found by its topic: resident mix, conflicts, eligibility, dwelling, services, safety, tenancy,
wishes, vetoes, and the contested questions.
"""

from collections.abc import Mapping

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

TOPICS: Mapping[str, tuple[Rule, ...]] = {
    "resident_mix": resident_mix.RULES,
    "conflicts": conflicts.RULES,
    "eligibility": eligibility.RULES,
    "dwelling": dwelling.RULES,
    "services": services.RULES,
    "safety": safety.RULES,
    "tenancy": tenancy.RULES,
    "wishes": wishes.RULES,
    "vetoes": vetoes.RULES,
    "contested": contested.RULES,
}
"""Rules by topic, in the order they are read."""

RULEBOOK: tuple[Rule, ...] = tuple(rule for rules in TOPICS.values() for rule in rules)
"""Every rule, once."""

RULES_BY_ID = {rule.id: rule for rule in RULEBOOK}
"""Rules by id."""

if len(RULES_BY_ID) != len(RULEBOOK):
    raise TypeError("two rules share an id")
