"""What is proved of a policy, and the planted faults that the proofs find.

The faulty policies lie in `tests/policies`: `allocator check-policy` refuses each of them. Faults that no
policy can have, because the rulebook is what it is, are planted as rules or in the tables of the scoring.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any as Anything
from unittest import mock

import pytest
from typer.testing import CliRunner

from allocator import cli, scoring
from allocator.codes import Need, SchemeKind
from allocator.engines import Outcome, symbolic
from allocator.engines.reference import World, truth
from allocator.engines.symbolic import Budget, Imagined
from allocator.facts import Range
from allocator.policy import BoundRule, Policy
from allocator.policy_changes import Change, changes
from allocator.proof_report import change_report, reasons, report
from allocator.proofs import (
    Checked,
    Claim,
    MisreadError,
    Profile,
    Proof,
    Prover,
    Status,
    check,
    general_profiles,
    obstacles,
    outcomes_of,
    unchanged_until,
)
from allocator.rules.language import (
    All,
    AtLeast,
    Effect,
    Expr,
    Not,
    Public,
    Rule,
    applicant,
    choice,
    conflict,
    resident,
    scheme,
    unit,
)
from allocator.rules.sources import PHYSICAL, Basis, cite
from allocator.scoring import Verdict
from tests.strategies import DEFAULT_POLICY, default_policy

FOLDER = Path(__file__).parent / "policies"
FIRST = date(2026, 11, 1)
LAST = date(2027, 10, 31)
QUICK = (
    Claim.CAN_BREAK,
    Claim.CAN_KEEP,
    Claim.NOT_IMPLIED,
    Claim.NO_CONTRADICTION,
    Claim.ONE_SIDE,
    Claim.KIND_OPEN,
    Claim.PROFILE_PLACED,
    Claim.GENDER_NEVER_BARS,
    Claim.BAR_STANDS,
)


def budget() -> Budget:
    """Return time enough on a busy machine; what is decided does not depend on it."""
    return Budget(300, 60_000)


@cache
def planted(name: str) -> Policy:
    """Return one of the faulty policies."""
    return Policy.from_toml((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def proved(name: str, *claims: Claim) -> Checked:
    """Return what is proved of a faulty policy, or of the default one if the name is empty."""
    return check(planted(name) if name else default_policy(), budget=budget(), claims=claims)


def refuted(checked: Checked) -> list[tuple[Claim, tuple[str, ...]]]:
    """Return the claims that do not hold, with what each is about."""
    return [(proof.claim, proof.about) for proof in checked.of(Status.REFUTED)]


def rule(
    rule_id: str, broken_when: Expr, effect: Effect = Effect.WEIGH, about: Range = Range.UNIT
) -> BoundRule:
    """Return a rule that no policy has changed."""
    made = Rule(
        id=rule_id,
        carries=(),
        about=about,
        broken_when=broken_when,
        effect=effect,
        sources=(cite(PHYSICAL, "", Basis.PHYSICAL_FACT),),
        public=Public.DWELLING,
    )
    points = 10 if effect is Effect.WEIGH else 0
    return BoundRule(made, effect, points, {}, broken_when, None, None)


def prove(claim: Claim, *rules: BoundRule, profiles: Iterable[Profile] = ()) -> list[Proof]:
    """Return how a claim comes out for a small rulebook."""
    return Prover(rules, FIRST, LAST, budget()).prove(claim, tuple(profiles))


def statuses(claim: Claim, *rules: BoundRule) -> list[Status]:
    """Return how a claim comes out for each rule of a small rulebook."""
    return [proof.status for proof in prove(claim, *rules)]


# ---------------------------------------------------------------------------------- the default policy


def test_the_default_policy_has_no_fault() -> None:
    """Of the default policy nothing is refuted and nothing is left undecided."""
    checked = proved("", *QUICK)

    assert refuted(checked) == []
    assert checked.of(Status.UNDECIDED) == ()
    assert not checked.stops
    assert {proof.claim for proof in checked.of(Status.PROVED)} == set(QUICK)


def test_the_default_policy_locks_nobody_out() -> None:
    """The default policy bars everywhere only a crisis without a date, and needs that exclude each other."""
    proofs = Prover(default_policy().active(FIRST), FIRST, LAST, budget(), levels=(Verdict.BLOCKED,)).prove(
        Claim.APPLICANT_PLACED
    )

    assert [(proof.status, set(proof.rules)) for proof in proofs] == [
        (Status.REMARK, {"crisis-review"}),
        (Status.REMARK, {"ground-floor-need", "upper-floor-need"}),
    ]
    assert proofs[1].example is not None
    assert proofs[1].example.facts == {
        "applicant.needs:ground_floor": True,
        "applicant.needs:not_ground_floor": True,
    }


def test_what_the_default_policy_leaves_open_is_remarked() -> None:
    """A contested question on which no side is taken is no fault: it is said that it says nothing."""
    remarks = [
        p.about for p in proved("", *QUICK).proofs if p.claim is Claim.CAN_BREAK and p.status is Status.REMARK
    ]

    assert ("cameras",) in remarks
    assert len(remarks) == 10


def test_proofs_are_about_all_days_on_which_the_same_rules_are_on() -> None:
    """The proofs hold until the day before the next justification has lapsed."""
    assert unchanged_until(default_policy(), FIRST) == LAST
    assert unchanged_until(default_policy(), date(2027, 11, 1)) > date(2100, 1, 1)


def test_nothing_is_obstacle_to_the_default_policy() -> None:
    """The default policy can be put into use."""
    assert obstacles(default_policy(), FIRST, budget=budget()) == ()


# ----------------------------------------------------------------------------------- planted policies

FAULTS: Mapping[str, tuple[tuple[Claim, ...], set[tuple[Claim, tuple[str, ...]]], bool]] = {
    "sizes-that-exclude-each-other": (
        (Claim.NO_CONTRADICTION,),
        {(Claim.NO_CONTRADICTION, ("unit-too-large", "unit-too-small"))},
        True,
    ),
    "own-and-guarded-entrance": (
        (Claim.NO_CONTRADICTION,),
        {(Claim.NO_CONTRADICTION, ("entrance-form", "guarded-entrance"))},
        True,
    ),
    "young-and-older-at-once": (
        (Claim.ONE_SIDE,),
        {(Claim.ONE_SIDE, ("age-mix", "age-mix-established"))},
        True,
    ),
    "a-rule-that-never-applies": (
        (Claim.CAN_BREAK, Claim.ONE_SIDE),
        {(Claim.CAN_BREAK, ("comfort-needs",))},
        False,
    ),
    "a-rule-that-says-nothing-new": (
        (Claim.NOT_IMPLIED, Claim.KIND_OPEN),
        {
            (Claim.NOT_IMPLIED, ("care-intensity", "small-houses")),
            (Claim.NOT_IMPLIED, ("shielding", "small-houses")),
            *((Claim.KIND_OPEN, (kind.value,)) for kind in SchemeKind if kind is not SchemeKind.SMALL_HOUSES),
        },
        False,
    ),
    "only-small-houses": (
        (Claim.NOT_IMPLIED, Claim.KIND_OPEN),
        {
            (Claim.NOT_IMPLIED, ("shielding", "small-houses")),
            *((Claim.KIND_OPEN, (kind.value,)) for kind in SchemeKind if kind is not SchemeKind.SMALL_HOUSES),
        },
        True,
    ),
    "no-home-with-night-staff": (
        (Claim.CAN_KEEP, Claim.PROFILE_PLACED),
        {(Claim.PROFILE_PLACED, ("",))},
        True,
    ),
    "mixed-houses-closed": ((Claim.HOUSE_OPEN,), {(Claim.HOUSE_OPEN, ())}, True),
}
"""Each faulty policy: what is looked at, what is found, and whether it cannot be put into use."""


def test_every_planted_policy_is_tested() -> None:
    """There is a test for each policy in the folder, and a policy for each test."""
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    """Each faulty policy is refused for its own fault and nothing else."""
    claims, expected, stops = FAULTS[name]
    checked = proved(name, *claims)

    assert set(refuted(checked)) == expected
    assert checked.stops is stops
    assert checked.of(Status.UNDECIDED) == ()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_policy_is_the_default_one_but_for_its_fault(name: str) -> None:
    """A faulty policy differs from the default one in a few values of rules and its name."""

    def flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for key, part in value.items():
                yield from flat(part, f"{path}.{key}")
        else:
            yield path, repr(value)

    default, faulty = (
        set(flat(tomllib.loads(path.read_text(encoding="utf-8"))))
        for path in (DEFAULT_POLICY, FOLDER / f"{name}.toml")
    )
    changed = {path for path, _ in default ^ faulty}

    assert 2 <= len(changed) <= 6
    assert all(path == ".name" or path.startswith(".rules.") for path in changed)


def example_of(name: str, claim: Claim) -> Imagined:
    """Return the example of a fault."""
    claims, _, _ = FAULTS[name]
    (proof,) = (p for p in proved(name, *claims).of(Status.REFUTED) if p.claim is claim)
    assert proof.example is not None
    return proof.example


def test_examples_are_as_small_as_can_be() -> None:
    """An example has the facts without which it would be none, and values at the limit."""
    assert example_of("sizes-that-exclude-each-other", Claim.NO_CONTRADICTION).facts == {
        "applicant.needs:small_unit": True,
        "applicant.needs:large_unit": True,
        "unit.area_m2": 30,
    }
    both = example_of("young-and-older-at-once", Claim.ONE_SIDE)
    assert both.size == 4
    assert both.facts == {"applicant.age": 39, "applicant.heavy_use": True}
    mixed = example_of("mixed-houses-closed", Claim.HOUSE_OPEN)
    assert mixed.members[Range.RESIDENT] == ({"resident.gender": "man"}, {"resident.gender": "woman"})


def test_examples_are_what_the_reference_engine_says() -> None:
    """In the example of two ages, the reference engine finds both rules broken about the same resident."""
    policy = planted("young-and-older-at-once")
    found = example_of("young-and-older-at-once", Claim.ONE_SIDE)

    for name in ("age-mix", "age-mix-established"):
        assert outcomes_of(policy.by_id[name], found) == {Outcome.BROKEN}


def test_one_choice_against_a_need_is_no_contradiction() -> None:
    """A preference that only notes does not stop a policy because some applicants need the opposite."""
    content = tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8"))
    content["rules"]["guarded-entrance"]["params"]["side"]["value"] = "with"
    found = [
        (proof.status, proof.about)
        for proof in check(Policy(content), budget=budget(), claims=(Claim.NO_CONTRADICTION,)).proofs
        if "guarded-entrance" in proof.about and proof.status is not Status.PROVED
    ]

    assert found == [(Status.REMARK, ("comfort-needs", "guarded-entrance"))]


# ------------------------------------------------------------------------------- planted in a rulebook


def test_a_rule_that_cannot_be_broken_or_kept_is_found() -> None:
    """A rule against floors that no home has can never be broken; its opposite can never be kept."""
    too_high = unit.floor > 60
    impossible, always = (
        rule("impossible", too_high),
        rule("always", Not(All((unit.floor > 60, scheme.cameras)))),
    )

    assert statuses(Claim.CAN_BREAK, impossible, always) == [Status.REFUTED, Status.PROVED]
    assert statuses(Claim.CAN_KEEP, impossible, always) == [Status.PROVED, Status.REFUTED]


def test_what_only_the_model_rules_out_is_found() -> None:
    """A rule about a home that is both wished for and among no wishes can never be broken."""
    odd = rule("odd", choice.wished & ~choice.any_wish)

    assert statuses(Claim.CAN_BREAK, odd) == [Status.REFUTED]


def test_dead_weight_is_found_only_with_equal_or_stronger_effect() -> None:
    """A rule about the fourth floor is dead weight beside one about the third that weighs as much or more."""
    high, higher = unit.floor > 2, unit.floor > 3
    weak, strong = rule("weak", high), rule("strong", high, Effect.BAR)
    inner = rule("inner", higher, Effect.ADVISE_AGAINST)

    assert statuses(Claim.NOT_IMPLIED, strong, inner) == [Status.PROVED, Status.REFUTED]
    assert statuses(Claim.NOT_IMPLIED, weak, inner) == [Status.PROVED, Status.PROVED]


def test_dead_weight_counts_members() -> None:
    """A rule about three residents is dead weight beside one about two, but not beside one about four."""

    def count(number: int) -> BoundRule:
        users = AtLeast("users", Range.RESIDENT, resident.heavy_use, count=number)
        return rule(f"at-least-{'abcd'[number - 1]}", users)

    assert statuses(Claim.NOT_IMPLIED, count(2), count(3)) == [Status.PROVED, Status.REFUTED]
    assert statuses(Claim.NOT_IMPLIED, count(4), count(3)) == [Status.REFUTED, Status.PROVED]


def test_a_share_holds_for_groups_of_any_size() -> None:
    """Half of the residents is dead weight beside one third of them, whatever the size of the group."""

    def share(name: str, percent: int) -> BoundRule:
        return rule(name, AtLeast("users", Range.RESIDENT, resident.heavy_use, percent=percent))

    third, half = share("third", 33), share("half", 50)
    fifty = rule("fifty", AtLeast("users", Range.RESIDENT, resident.heavy_use, count=50))

    assert statuses(Claim.NOT_IMPLIED, third, half) == [Status.PROVED, Status.REFUTED]
    assert statuses(Claim.CAN_BREAK, fifty) == [Status.PROVED]
    assert statuses(Claim.NOT_IMPLIED, third, fifty) == [Status.PROVED, Status.PROVED]


def test_needs_that_exclude_each_other_are_a_remark() -> None:
    """Two rules of the rulebook without numbers, for needs that exclude each other, are no fault."""
    low = rule("low", applicant.needs.has(Need.GROUND_FLOOR) & (unit.floor > 1), Effect.BAR)
    high = rule("high", applicant.needs.has(Need.NOT_GROUND_FLOOR) & (unit.floor <= 1), Effect.BAR)

    (proof,) = prove(Claim.NO_CONTRADICTION, low, high)

    assert proof.status is Status.REMARK


def test_rules_about_different_things_do_not_contradict() -> None:
    """Rules that some home keeps both are no contradiction, also where one is kept by few homes."""
    lift = rule("lift", applicant.needs.has(Need.LIFT) & ~unit.lift & (unit.floor > 1), Effect.BAR)
    high = rule("high", applicant.needs.has(Need.NOT_GROUND_FLOOR) & (unit.floor <= 1), Effect.BAR)

    assert statuses(Claim.NO_CONTRADICTION, lift, high) == [Status.PROVED]


def test_a_rule_that_bars_unknown_gender_is_found() -> None:
    """If an unknown fact could bar, a bar that reads gender would be found to bar those who told none."""
    gender = rule("gender", applicant.gender.differs_from(scheme.gender), Effect.BAR)

    assert statuses(Claim.GENDER_NEVER_BARS, gender) == [Status.PROVED]
    with mock.patch.dict(scoring.UNKNOWN_GIVES, {Effect.BAR: Verdict.BLOCKED}):
        (proof,) = prove(Claim.GENDER_NEVER_BARS, gender)
    assert proof.status is Status.REFUTED
    assert proof.example is not None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("_test", lambda *given, _real=symbolic._test: _two_valued(_real(*given))),
        ("whole", lambda *_given: symbolic.constant(value=True)),
    ],
)
def test_two_valued_logic_is_found(name: str, wrong: object) -> None:
    """If an unknown fact were taken for *no*, learning it would be found to change what was certain."""
    asked = Not(AtLeast("asked", Range.CONFLICT, conflict.confirmed))
    rules = (rule("lift", ~unit.lift), rule("asked", asked))

    assert statuses(Claim.CERTAIN_STAYS, *rules) == [Status.PROVED, Status.PROVED]
    with mock.patch.object(symbolic, name, wrong):
        found = statuses(Claim.CERTAIN_STAYS, *rules)
    assert (Status.REFUTED in found) is (name == "_test")


def _two_valued(both: symbolic.Both) -> symbolic.Both:
    return symbolic.Both(both.true, symbolic.no(both.true))


_TABLES: list[tuple[Claim, dict[Effect, Verdict], dict[Effect, Verdict], str]] = [
    (Claim.BAR_STANDS, {Effect.BAR: Verdict.ADVISED_AGAINST}, {}, "bar"),
    (Claim.WORSE_NEVER_HELPS, {}, {Effect.WEIGH: Verdict.NEEDS_CLARIFICATION}, "weigh"),
]


@pytest.mark.parametrize(("claim", "broken", "unknown", "which"), _TABLES)
def test_a_wrong_table_of_verdicts_is_found(
    claim: Claim, broken: dict[Effect, Verdict], unknown: dict[Effect, Verdict], which: str
) -> None:
    """If a bar only advised, or not knowing were worse than broken, that would be found."""
    rules = [rule(effect.code.replace("_", "-"), unit.lift, effect) for effect in Effect]
    with mock.patch.dict(scoring.BROKEN_GIVES, broken), mock.patch.dict(scoring.UNKNOWN_GIVES, unknown):
        found = {proof.about for proof in prove(claim, *rules) if proof.status is Status.REFUTED}

    assert found == {(which,)}
    assert {proof.status for proof in prove(claim, *rules)} == {Status.PROVED}


def test_an_example_that_the_reference_reads_otherwise_is_never_given() -> None:
    """A wrong translation is an error of its own, not a fault of the policy."""
    real = symbolic._compared
    with (
        mock.patch.object(symbolic, "_compared", lambda left, op, right: real(right, op, left)),
        pytest.raises(MisreadError),
    ):
        prove(Claim.CAN_BREAK, rule("small", unit.area_m2 < 30))


# --------------------------------------------------------------------------------- what is not decided


def test_what_is_not_decided_in_time_is_said_so() -> None:
    """Without time nothing is called proved, and nothing refuted."""
    for claim in Claim:
        proofs = Prover(default_policy().active(FIRST)[:12], FIRST, LAST, Budget(0, 0)).prove(
            claim, general_profiles()[:2]
        )
        found = {proof.status for proof in proofs if len(proof.about) != 2}
        assert found <= {Status.UNDECIDED}, claim


def test_the_clock_decides_nothing_else() -> None:
    """A fault is found alike whether much time is left or little."""
    policy = planted("young-and-older-at-once")
    ticks = iter(range(10**6))
    slow = Budget(10**6, 60_000, clock=lambda: float(next(ticks)))

    assert (
        check(policy, budget=slow, claims=(Claim.ONE_SIDE,)).proofs
        == proved("young-and-older-at-once", Claim.ONE_SIDE).proofs
    )


# --------------------------------------------------------------------------------- a change of policy


def changed(*edits: tuple[str, str, object]) -> list[Change]:
    """Return what changes when values of the default policy do."""
    content = tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8"))
    for name, key, value in edits:
        entry = content["rules"][name]
        if key in ("effect", "points", "enabled", "off_reason"):
            entry[key] = value
        else:
            entry["params"][key]["value"] = value
    return changes(default_policy(), Policy(content), FIRST, budget=budget())


def test_an_equal_policy_changes_nothing() -> None:
    """Against itself a policy changes nothing."""
    assert changed() == []


def test_an_age_limit_changes_exactly_one_year() -> None:
    """With young under 26 it is those of 25 who are advised against, beside heavy users of 40 and over."""
    (change,) = changed(("age-mix", "young_under", 26))
    broken = next(d for d in change.differences if d.after is Outcome.BROKEN)
    (case,) = broken.cases

    assert broken.whole
    assert (broken.verdict_before, broken.verdict_after) == (Verdict.SUITABLE, Verdict.ADVISED_AGAINST)
    assert (case["applicant.age"].least, case["applicant.age"].most) == (25, 25)
    assert case["resident.heavy_use"].values == (True,)
    assert (case["resident.age"].least, case["resident.age"].most) == (40, None)
    assert broken.example is not None
    assert broken.example.facts == {"applicant.age": 25}
    assert (broken.home_before, broken.home_after) == (Verdict.SUITABLE, Verdict.ADVISED_AGAINST)


def _fits(case: Mapping[str, Anything], facts: Mapping[str, object]) -> bool:
    for path, allowed in case.items():
        value: Anything = facts.get(path)
        if value is None:
            if not allowed.unknown:
                return False
        elif allowed.values is not None:
            if value not in allowed.values:
                return False
        elif (allowed.least is not None and value < allowed.least) or (
            allowed.most is not None and value > allowed.most
        ):
            return False
    return True


def test_the_cases_of_a_change_are_exact() -> None:
    """For every age and use, known or not, the cases say just where the reference engine differs."""
    (change,) = changed(("age-mix", "young_under", 26), ("age-mix", "older_from", 41))
    assert change.old is not None
    assert change.new is not None
    ages = (None, 18, 24, 25, 26, 39, 40, 41, 42, 80)
    for age in ages:
        for other in ages:
            for heavy in (None, True, False):
                facts = {"applicant.age": age, "resident.age": other, "resident.heavy_use": heavy}
                known: dict[str, Anything] = {path: v for path, v in facts.items() if v is not None}
                world = World(known, None)  # type: ignore[arg-type]  # nothing is counted
                came = tuple(Outcome.of(truth(b.broken_when, world)) for b in (change.old, change.new))
                told = [
                    (d.before, d.after)
                    for d in change.differences
                    if any(_fits(case, known) for case in d.cases)
                ]
                assert told == ([came] if came[0] is not came[1] else []), facts


def test_a_stronger_effect_changes_what_is_broken_or_unknown() -> None:
    """A wish that advises instead of weighing changes the verdict wherever it is broken or not settled."""
    (change,) = changed(("wish", "effect", "advise_against"), ("wish", "points", None))

    assert [(d.before, d.after, d.cases, d.whole) for d in change.differences] == [
        (Outcome.BROKEN, Outcome.BROKEN, (), True),
        (Outcome.UNKNOWN, Outcome.UNKNOWN, (), True),
    ]
    assert change.differences[1].example is None, "who has not told wishes has not told reservations either"


def test_points_alone_change_no_verdict() -> None:
    """With other points no verdict becomes another, and it is said so."""
    (change,) = changed(("visitor-conflict", "points", 10))

    assert change.differences == ()
    assert change.rule == "visitor-conflict"


def test_a_rule_that_is_switched_off_changes_what_it_broke() -> None:
    """Without a rule, what it broke or could not settle is suitable as far as it goes."""
    (change,) = changed(("reservation", "enabled", False), ("reservation", "off_reason", "Prøvd av"))

    assert change.new is None
    assert [(d.before, d.after) for d in change.differences] == [
        (Outcome.BROKEN, None),
        (Outcome.UNKNOWN, None),
    ]


# ------------------------------------------------------------------------------------------ in words


def test_the_report_says_what_is_wrong_and_why() -> None:
    """The report begins with what is wrong, in words, and gives the example."""
    lines = [line.said for line in report(proved("sizes-that-exclude-each-other", Claim.NO_CONTRADICTION))]

    assert lines[0] == "Regelsettet kan ikke tas i bruk: det motsier seg selv eller stenger noen ute."
    at = lines.index("Må rettes")
    assert lines[at + 1].startswith("«For stor bolig» og «For liten bolig» motsier hverandre")
    assert lines[at + 2] == (
        "Eksempel: søkerens behov omfatter liten bolig og romslig bolig; boenhetens størrelse er 30."
    )


def test_what_has_an_exception_is_not_said_of_everything() -> None:
    """Beside a contradiction the report says only that no other rules contradict each other."""
    plain = "Ingen regler stiller krav som aldri kan oppfylles samtidig"
    lines = [line.said for line in report(proved("sizes-that-exclude-each-other", Claim.NO_CONTRADICTION))]
    whole = [line.said for line in report(proved("", Claim.NO_CONTRADICTION))]

    assert not any(line.startswith(plain) for line in lines)
    assert any(line.startswith(f"Ellers: {plain}") for line in lines)
    assert any(line.startswith(plain) for line in whole)


def test_the_report_is_there_in_every_language() -> None:
    """Every fault of every planted policy has words in all languages."""
    for language in ("nb", "nn", "en"):
        said = {
            name: [line.said for line in report(proved(name, *claims), language)]
            for name, (claims, _, _) in FAULTS.items()
        }
        assert all(len(lines) > 4 for lines in said.values())
        assert not any("{" in line for lines in said.values() for line in lines)


def test_every_claim_can_be_said_in_every_language() -> None:
    """Whatever comes out of any claim, the report has a sentence for it."""
    for language in ("nb", "nn", "en"):
        for claim in Claim:
            about = {Claim.KIND_OPEN: ("single",), Claim.PROFILE_PLACED: ("S-1",)}.get(claim, ("wish",))
            for status in Status:
                for level in (
                    None,
                    *(v for v in (Verdict.BLOCKED, Verdict.ADVISED_AGAINST) if _has_level(claim)),
                ):
                    proof = Proof(claim, status, about, level, ("wish",), Imagined({"unit.lift": False}, {}))
                    checked = Checked(default_policy(), FIRST, LAST, (proof,))
                    assert len(report(checked, language)) >= 4, (claim, status)


def _has_level(claim: Claim) -> bool:
    return claim in (Claim.KIND_OPEN, Claim.HOME_OPEN, Claim.HOUSE_OPEN, Claim.APPLICANT_PLACED)


def test_a_change_is_told_in_words() -> None:
    """A change of an age limit is told with the old number, the new one, the cases and an example."""
    content = tomllib.loads(DEFAULT_POLICY.read_text(encoding="utf-8"))
    content["rules"]["age-mix"]["params"]["young_under"]["value"] = 26
    new = Policy(content)
    found = changes(default_policy(), new, FIRST, budget=budget())
    said = [line.said for line in change_report(default_policy(), new, found, FIRST)]

    assert "Ung er under: var 25 år, blir 26 år." in said
    assert "Fra overholdt til brutt. Regelen alene: fra «egnet» til «frarådes»." in said
    assert (
        "Når søkerens alder er 25, beboeren har etablert tung rusbruk og beboerens alder er minst 40." in said
    )
    for language in ("nn", "en"):
        assert len(change_report(default_policy(), new, found, FIRST, language)) == len(said)


def test_why_a_policy_is_not_put_into_use_is_said_in_a_line() -> None:
    """Of a policy that cannot be put into use every reason is a line."""
    policy = planted("own-and-guarded-entrance")
    found = proved("own-and-guarded-entrance", Claim.NO_CONTRADICTION).proofs
    (line,) = reasons(policy, (proof for proof in found if proof.stops))

    assert line.startswith("«Egen eller felles inngang» og «Bevoktet inngang» motsier hverandre")


# ----------------------------------------------------------------------------------------- the command


def run(*arguments: object) -> tuple[int, str, str]:
    """Return exit code, output and errors of the command."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


def test_check_policy_refuses_a_contradiction() -> None:
    """A policy that contradicts itself gives exit code 1 and says so."""
    code, said, _ = run("check-policy", FOLDER / "own-and-guarded-entrance.toml")

    assert code == 1
    assert "motsier hverandre" in said


def test_check_policy_says_what_is_undecided() -> None:
    """Without time the command says that nothing was decided, and does not call it a fault."""
    code, said, _ = run("check-policy", DEFAULT_POLICY, "--seconds", "0")

    assert code == 0
    assert "Ikke avgjort i tide" in said
    assert "✗" not in said
    assert "✓ Reglene kan slå ut" not in said


def test_check_policy_tells_a_change() -> None:
    """Against another policy the command says what changes."""
    code, said, _ = run("check-policy", FOLDER / "young-and-older-at-once.toml", "--against", DEFAULT_POLICY)

    assert code == 0
    assert "Ung er under: var 25 år, blir 40 år." in said


def test_check_policy_refuses_a_day_that_does_not_exist() -> None:
    """A day that does not exist is bad input."""
    code, _, errors = run("check-policy", DEFAULT_POLICY, "--as-of", "2026-02-30")

    assert (code, errors.strip()) == (2, "--as-of: expected a date that exists, as YYYY-MM-DD")


def test_a_policy_with_a_contradiction_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service does not start under a policy that contradicts itself."""
    monkeypatch.setenv("ALLOCATOR_API_TOKEN", "x" * 40)
    case = DEFAULT_POLICY.parent.parent / "cases" / "golden-besokende.json"
    code, _, errors = run("serve", case, "--policy", FOLDER / "own-and-guarded-entrance.toml")

    assert code == 1
    assert "motsier hverandre" in errors
