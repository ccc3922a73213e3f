"""The workload for engines that are not ours, in the form that suits them best.

Facts are whole numbers made once, before any clock runs: 0 for no, 1 for unknown, 2 for yes, so that *and*
is the least, *or* the greatest, and no engine has to think of nulls. What concerns a living group alone
(its counts, and what follows from the unit without the applicant) is worked out here too. This is a favour:
these engines have two values and mostly no counting, so a host has to do it for them.

Every rule has two conditions: when it is certainly broken, and when it is certainly or possibly broken. An
engine answers 2 where the first holds, 1 where only the second does, else 0. They are written once here,
by hand, and told to each engine in its own words; that they say the same as our rules is what
``--check`` and every run compare. Host code adds the numbers up to rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from allocator.codes import EntryRequirement, Gender, Need, TargetGroup, ViolenceConclusion, VisitRule
from allocator.facts import Facts, Missing, Range, Reading
from allocator.rules.language import Effect
from allocator.scoring import BASE_SCORE, Verdict
from bench.workload import (
    FULL_FROM_PERCENT,
    OLDER_FROM,
    POINTS,
    RULE_IDS,
    RULES,
    YOUNG_UNDER,
    Case,
    Row,
    in_order,
)

NO, UNKNOWN, YES = 0, 1, 2
Numbers = dict[str, int]

# ------------------------------------------------------------------------------------------ conditions


@dataclass(frozen=True)
class Is:
    """A number compared with a number or with another fact; `op` is ``==``, ``!=``, ``<`` or ``>``."""

    left: str
    op: str
    right: int | str


@dataclass(frozen=True)
class Both:
    """And."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """Or."""

    parts: tuple[Condition, ...]


Condition = Is | Both | Either


def _meet(*pairs: tuple[str, str]) -> tuple[Condition, Condition]:
    """Return the conditions of a rule that is broken where both facts of one of the pairs hold."""

    def each(op: str, number: int) -> Condition:
        ways = tuple(Both((Is(one, op, number), Is(other, op, number))) for one, other in pairs)
        return ways[0] if len(ways) == 1 else Either(ways)

    return each("==", YES), each(">", NO)


PAIR: Mapping[str, tuple[Condition, Condition]] = {
    "pair-gender": (
        Both((Is("ag", ">", 0), Is("rg", ">", 0), Is("ag", "!=", "rg"))),
        Either((Is("ag", "==", 0), Is("rg", "==", 0), Is("ag", "!=", "rg"))),
    ),
    "pair-enemies": (Is("en", "==", YES), Is("en", "==", YES)),
    "pair-substance": _meet(("ast", "rop"), ("aop", "rst")),
    "pair-age": _meet(("ayo", "rol"), ("aol", "ryo")),
    "pair-harm": _meet(("avu", "rhi"), ("ahi", "rvu")),
}
"""Rules about one resident: certainly broken, and certainly or possibly broken."""

UNIT: Mapping[str, tuple[Condition, Condition]] = {
    "group-rop": _meet(("nrp", "req"), ("arp", "mix")),
    "group-risk": _meet(("ari", "ful")),
    "unit-lift": _meet(("nli", "nlg")),
    "unit-ground": _meet(("ngr", "off")),
    "unit-stay": (
        Both((Is("sta", ">", -1), Is("mst", ">", -1), Is("sta", ">", "mst"))),
        Either((Is("sta", "<", 0), Is("mst", "<", 0), Is("sta", ">", "mst"))),
    ),
    "unit-size": (Is("siz", "==", YES), Is("siz", ">", NO)),
    "unit-visits": _meet(("avi", "vis")),
    "pair-enemies": (Is("una", "==", YES), Is("una", ">", NO)),
}
"""Rules about the unit; the last is the whole list of enemies, which is unknown if nobody asked."""

A_PAIR = ("ag", "ast", "aop", "ayo", "aol", "avu", "ahi")
R_PAIR = ("rg", "rst", "rop", "ryo", "rol", "rvu", "rhi")
A_UNIT = ("nrp", "arp", "ari", "nli", "ngr", "sta", "avi", "una")
U_UNIT = ("req", "mix", "ful", "nlg", "off", "mst", "siz", "vis")


@dataclass(frozen=True)
class Dialect:
    """How an engine writes conditions: its *and*, *or*, and names."""

    both: str
    either: str
    name: Callable[[str], str] = field(default=lambda name: name)

    def write(self, condition: Condition) -> str:
        """Return a condition in the engine's words."""
        match condition:
            case Is(left, op, right):
                return f"{self.name(left)} {op} {self.name(right) if isinstance(right, str) else right}"
            case Both(parts):
                return "(" + self.both.join(self.write(part) for part in parts) + ")"
            case Either(parts):
                return "(" + self.either.join(self.write(part) for part in parts) + ")"

    def numbers(self, rules: Mapping[str, tuple[Condition, Condition]]) -> str:
        """Return a list of one number a rule, as an expression with ``? :``."""
        each = (
            f"({self.write(certain)} ? 2 : ({self.write(possible)} ? 1 : 0))"
            for certain, possible in rules.values()
        )
        return f"[{', '.join(each)}]"


def ways(condition: Condition) -> list[tuple[Is, ...]]:
    """Return the conjunctions of which one has to hold."""
    match condition:
        case Is():
            return [(condition,)]
        case Either(parts):
            return [way for part in parts for way in ways(part)]
        case Both(parts):
            found: list[tuple[Is, ...]] = [()]
            for part in parts:
                found = [(*before, *way) for before in found for way in ways(part)]
            return found


# ---------------------------------------------------------------------------------------------- facts


def _truth(value: Reading | bool | None) -> int:  # noqa: FBT001 - a three-valued truth
    if value is None or isinstance(value, Missing):
        return UNKNOWN
    return YES if value else NO


def _is(value: Reading, *codes: str) -> int:
    return UNKNOWN if isinstance(value, Missing) else _truth(value in codes)


def _number(value: Reading) -> int:
    return value if isinstance(value, int) else -1


def _no(value: int) -> int:
    return YES - value


def person(facts: Facts, subject: str) -> Numbers:
    """Return what is read of a person, by names without the first letter."""
    age = facts[f"{subject}.age"]
    known = isinstance(age, int)
    young = _truth(age < YOUNG_UNDER if known else None)  # type: ignore[operator]
    older = _truth(age >= OLDER_FROM if known else None)  # type: ignore[operator]
    gender = facts[f"{subject}.gender"]
    substance, violence = facts[f"{subject}.main_substance"], facts[f"{subject}.violence"]
    high = ViolenceConclusion.ASSESSED_HIGH
    return {
        "g": 0 if isinstance(gender, Missing) else 1 if gender == Gender.WOMAN else 2,
        "st": _is(substance, "stimulants"),
        "op": _is(substance, "opioids"),
        "yo": young,
        "ol": min(older, _truth(facts[f"{subject}.heavy_use"])),
        "vu": _truth(facts[f"{subject}.vulnerable"]),
        "hi": _is(violence, high),
        "ri": _is(violence, high, ViolenceConclusion.POSSIBLE),
        "rp": _truth(facts[f"{subject}.rop"]),
    }


@dataclass(frozen=True)
class EncodedUnit:
    """A unit: the facts of each resident, their ids, and the facts of the unit with its group."""

    id: str
    residents: tuple[Numbers, ...]
    names: tuple[str, ...]
    facts: Numbers
    people: tuple[Numbers, ...]


@dataclass(frozen=True)
class EncodedApplicant:
    """An applicant: facts for the pair rules and for the unit rules, and who their enemies are."""

    pair: Numbers
    unit: Numbers
    enemies: frozenset[str]
    person: Numbers


class Encoded:
    """A case in numbers."""

    def __init__(self, case: Case) -> None:
        facts = case.facts
        anybody = facts.applicants[case.applicants[0]]
        limit = next(rule.params["at_most"] for rule in case.rules if rule.id == "unit-size")
        assert isinstance(limit, int)
        self.units: list[EncodedUnit] = []
        for name in case.units:
            place = facts.places[name]
            members = facts.residents(anybody, place.group)
            people = tuple(person(item.facts, "resident") for item in members)
            self.units.append(
                EncodedUnit(
                    id=name,
                    residents=tuple({key: numbers[key[1:]] for key in R_PAIR} for numbers in people),
                    names=tuple(item.about[0] for item in members),
                    facts=_unit(facts.place_facts(place), people, limit),
                    people=people,
                )
            )
        self._facts = {name: facts.applicant_facts(facts.applicants[name]) for name in case.applicants}
        enemies: dict[str, set[str]] = {name: set() for name in case.applicants}
        for entry in case.snapshot.conflicts:
            if entry.counterpart is not None:
                enemies[entry.party].add(entry.counterpart)
        self._enemies = {name: frozenset(ids) for name, ids in enemies.items()}
        self.applicants = {name: self.applicant(name) for name in case.applicants}

    def applicant(self, name: str) -> EncodedApplicant:
        """Return an applicant, made anew from the facts."""
        facts = self._facts[name]
        numbers = person(facts, "applicant")
        unit = {
            "nrp": _no(numbers["rp"]),
            "arp": numbers["rp"],
            "ari": numbers["ri"],
            "nli": _truth(facts[f"applicant.needs:{Need.LIFT}"]),
            "ngr": _truth(facts[f"applicant.needs:{Need.GROUND_FLOOR}"]),
            "sta": _number(facts["applicant.stay_months"]),
            "avi": _truth(facts["applicant.child_visits"]),
            "una": UNKNOWN if isinstance(facts["applicant.conflicts_asked"], Missing) else NO,
        }
        pair = {key: numbers[key[1:]] for key in A_PAIR}
        return EncodedApplicant(pair, unit, self._enemies[name], numbers)


def reached(least: int, most: int, members: int) -> int:
    """Return whether so many of so many fill a house."""
    limit = max(1, -(-FULL_FROM_PERCENT * members // 100))
    return YES if least >= limit else NO if most < limit else UNKNOWN


def _unit(facts: Facts, people: Sequence[Numbers], limit: int) -> Numbers:
    floor = facts["unit.floor"]
    off = _truth(floor != 1 if isinstance(floor, int) else None)
    homes = facts["scheme.unit_count"]
    risky = [numbers["ri"] for numbers in people]
    without_rop = max((_no(numbers["rp"]) for numbers in people), default=NO)
    return {
        "req": _is(facts["scheme.entry_requirement"], EntryRequirement.ROP),
        "mix": min(_no(_truth(facts[f"scheme.target_groups:{TargetGroup.GENERAL}"])), without_rop),
        "ful": reached(risky.count(YES), len(risky) - risky.count(NO), len(risky)),
        "nlg": min(off, _no(_truth(facts["unit.lift"]))),
        "off": off,
        "mst": _number(facts["unit.max_stay_months"]),
        "siz": _truth(homes > limit if isinstance(homes, int) else None),
        "vis": _no(_is(facts["scheme.visit_rule"], VisitRule.FREE)),
    }


# ---------------------------------------------------------------------------------------- adding it up

BIT = {rule: 1 << place for place, rule in enumerate(RULE_IDS)}
BARS = sum(BIT[rule.id] for rule in RULES if rule.effect is Effect.BAR)
RESIDENT_RULES = tuple(rule.id for rule in RULES if rule.about is not Range.UNIT)

NAMES: tuple[tuple[str, ...], ...] = tuple(
    tuple(rule for rule in RULE_IDS if mask & BIT[rule]) for mask in range(1 << len(RULE_IDS))
)
"""The ids of the rules in a mask."""

_PAIR_BITS = tuple((BIT[rule], POINTS.get(rule, 0)) for rule in PAIR)
_UNIT_BITS = tuple((BIT[rule], POINTS.get(rule, 0)) for rule in UNIT)


def verdict(broken: int, unknown: int) -> int:
    """Return the verdict of a unit, from the masks of its rules."""
    if broken & BARS:
        return int(Verdict.BLOCKED)
    if unknown & BARS:
        return int(Verdict.NEEDS_CLARIFICATION)
    return int(Verdict.SUITABLE_WITH_REMARKS if broken | unknown else Verdict.SUITABLE)


def add_up(name: str, counts: Sequence[Sequence[int]], values: Sequence[int]) -> Row:
    """Return a row.

    Args:
        name: The unit.
        counts: For each pair rule, of how many residents it is broken, and of how many unknown.
        values: For each unit rule its number.
    """
    broken = unknown = cost = 0
    for (bit, points), (certain, possible) in zip(_PAIR_BITS, counts, strict=True):
        if certain:
            broken |= bit
            cost += points * certain
        if possible:
            unknown |= bit
    for (bit, points), value in zip(_UNIT_BITS, values, strict=True):
        if value == YES:
            broken |= bit
            cost += points
        elif value:
            unknown |= bit
    return name, verdict(broken, unknown), BASE_SCORE - cost, NAMES[broken], NAMES[unknown]


def counted(values: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return how often each pair rule is broken and unknown, from its numbers for each resident."""
    counts = [[0, 0] for _ in PAIR]
    for numbers in values:
        for count, value in zip(counts, numbers, strict=True):
            if value == YES:
                count[0] += 1
            elif value:
                count[1] += 1
    return counts


def no_counts(encoded: Encoded) -> tuple[dict[str, list[list[int]]], dict[str, list[int]]]:
    """Return empty counts and values for each unit, for engines that tell only what fires."""
    return (
        {unit.id: [[0, 0] for _ in PAIR] for unit in encoded.units},
        {unit.id: [0] * len(UNIT) for unit in encoded.units},
    )


def rows_of(counts: Mapping[str, list[list[int]]], values: Mapping[str, list[int]]) -> list[Row]:
    """Return all rows, best first."""
    return in_order([add_up(name, counts[name], values[name]) for name in counts])
