"""The policy: what is accepted, what is refused and in which words, and what happens when a review is due."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from allocator.documents import read_case
from allocator.handbook import handbook
from allocator.policy import Policy, PolicyError, Warned
from allocator.rules import RULEBOOK, RULES_BY_ID
from allocator.rules.language import Choice, Codes, Effect, Number, Pairs
from allocator.scoring import suggest

FIXTURES = Path(__file__).parent.parent / "fixtures"
TEXT = (FIXTURES / "policies" / "default.toml").read_text(encoding="utf-8")

FIXED = [rule.id for rule in RULEBOOK if rule.fixed]
PROTECTED = [rule.id for rule in RULEBOOK if rule.protected]
OWN_NEED = [rule.id for rule in RULEBOOK if rule.own_need]

LAST_DAY = date(2027, 10, 31)
"""The day by which the justifications of gender, age and substance are to be reviewed."""

Content = dict[str, Any]
REMOVED = object()


@cache
def default() -> Policy:
    """Return the default policy."""
    return Policy.from_toml(TEXT)


def changed(*changes: tuple[str, Any]) -> Content:
    """Return the default policy's document with other values in these places."""
    content = tomllib.loads(TEXT)
    for path, value in changes:
        *above, last = path.split(".")
        holder: Any = content
        for part in above:
            holder = holder.setdefault(part, {})
        if value is REMOVED:
            del holder[last]
        else:
            holder[last] = value
    return content


def refusals(content: Mapping[str, Any]) -> dict[str, str]:
    """Return what a refused policy is told, by place."""
    with pytest.raises(PolicyError) as error:
        Policy(content)
    problems = error.value.problems
    assert problems
    assert str(error.value) == "\n".join(f"{p.path}: {p.expected}" for p in problems)
    found = {p.path: p.expected for p in problems}
    assert len(found) == len(problems)
    return found


# ------------------------------------------------------------------------------------ the default one


def test_the_default_policy_is_accepted() -> None:
    """The policy that comes with the product decides on every rule, with its default effect."""
    policy = default()
    assert (policy.name, policy.version, policy.k_anonymity) == ("Standardregelsett", "2026-11", 5)
    assert [rule.id for rule in policy.rules] == [rule.id for rule in RULEBOOK]
    assert {rule.id: rule.effect for rule in policy.rules} == {rule.id: rule.effect for rule in RULEBOOK}
    assert policy.warnings(date(2026, 11, 22)) == ()
    assert policy.active(date(2026, 11, 22)) == policy.rules


def test_only_rules_that_weigh_have_points() -> None:
    """Points and the effect `weigh` come together, and only together."""
    for rule in default().rules:
        assert (rule.points > 0) == (rule.effect is Effect.WEIGH)


def test_every_protected_ground_of_the_default_policy_is_justified() -> None:
    """Each rule that reads a protected ground has a card, among them the rule on gender."""
    assert "gender-mix" in PROTECTED
    for name in PROTECTED:
        assert default().by_id[name].justification is not None


def test_every_number_has_an_origin() -> None:
    """Each parameter of the default policy says where it comes from."""
    for entry in default().document.rules.values():
        assert entry.origin
        assert all(valued.origin for valued in entry.params.values())


# ------------------------------------------------------------------------------------------ refusals

WISH = "rules.wish"

REFUSED: tuple[tuple[str, Any, str, str], ...] = (
    # place that is changed, value, place that is named, words
    ("rules.gender-mix.justification", REMOVED, "", "a protected ground (gender)"),
    ("rules.age-mix.justification", REMOVED, "", "a protected ground (age)"),
    ("rules.substance-mix.justification", REMOVED, "", "a protected ground (disability)"),
    ("rules.gender-mix.justification", "nobody", "", "the name of a card under `justifications`"),
    ("rules.wish.justification", "nobody", "", "the name of a card under `justifications`"),
    ("rules.gender-mix.justification", "", "", "at least 1 character"),
    ("justifications.gender", REMOVED, "rules.gender-mix.justification", "the name of a card"),
    ("justifications.gender.review_by", REMOVED, "", "this field"),
    ("justifications.gender.necessity", REMOVED, "", "this field"),
    ("justifications.gender.approved_by", "", "", "at least 1 character"),
    ("rules.no-such-rule", {"effect": "note", "origin": "x"}, "", "the id of a rule in the rulebook"),
    ("rules.wish", REMOVED, "", "an entry for this rule"),
    ("rules.known-conflict", REMOVED, "", "an entry for this rule"),
    ("rules.wish.effect", "veto", "", "one of: bar, advise_against, weigh, note"),
    ("rules.wish.effect", "WEIGH", "", "one of: bar, advise_against, weigh, note"),
    ("rules.wish.effect", 1, "", "text"),
    ("rules.wish.effect", REMOVED, "", "this field"),
    ("rules.wish.origin", REMOVED, "", "this field"),
    ("rules.wish.points", REMOVED, "", "points, since the effect is `weigh`"),
    ("rules.gender-mix.points", 10, "", "no points: only the effect `weigh` costs points"),
    ("rules.gender-mix.effect", "weigh", "rules.gender-mix.points", "points, since the effect is `weigh`"),
    ("rules.wish.effect", "note", "rules.wish.points", "no points"),
    ("rules.wish.points", 0, "", "at least 1"),
    ("rules.wish.points", -5, "", "at least 1"),
    ("rules.wish.points", 1001, "", "at most 1000"),
    ("rules.wish.points", 5.0, "", "a whole number"),
    ("rules.wish.points", True, "", "a whole number"),
    ("rules.wish.points", "5", "", "a whole number"),
    ("rules.wish.enabled", False, "rules.wish.off_reason", "why the rule is switched off"),
    ("rules.wish.enabled", "no", "", "`true` or `false`"),
    ("rules.wish.enabled", 0, "", "`true` or `false`"),
    ("rules.wish.weight", 5, "", "only fields that a policy has"),
    ("rules.wish.params.limit", {"value": 1, "origin": "x"}, "", "no parameter; the rule has none"),
    ("rules.age-mix.params.young", {"value": 1, "origin": "x"}, "", "it has: older_from, young_under"),
    ("rules.wish", "weigh", "", "a table"),
    ("rules", [], "", "a table"),
    ("rules", REMOVED, "", "this field"),
    ("colour", "blue", "", "only fields that a policy has"),
    ("name", "", "", "at least 1 character"),
    ("name", 5, "", "text"),
    ("version", REMOVED, "", "this field"),
    ("approved_by", REMOVED, "", "this field"),
    ("change_note", REMOVED, "", "this field"),
    ("k_anonymity", 5, "", "a table"),
    ("k_anonymity", REMOVED, "", "this field"),
    ("k_anonymity.origin", REMOVED, "", "this field"),
)


@pytest.mark.parametrize(("place", "value", "named", "words"), REFUSED)
def test_a_fault_is_named_with_its_place(place: str, value: Any, named: str, words: str) -> None:
    """Each single fault of a policy is refused at its place, saying what is expected there."""
    found = refusals(changed((place, value)))
    assert words in found[named or place]


def test_a_missing_card_is_missed_by_every_rule_that_needs_it() -> None:
    """Each rule whose card is not there is named, and no other."""
    found = refusals(changed(("justifications.gender", REMOVED)))
    users = {name for name, entry in tomllib.loads(TEXT)["rules"].items() if "gender" in entry.values()}
    assert set(found) == {f"rules.{name}.justification" for name in users}


@pytest.mark.parametrize("name", PROTECTED)
def test_no_protected_ground_goes_without_a_card(name: str) -> None:
    """Every rule that reads gender, age or disability needs its card."""
    found = refusals(changed((f"rules.{name}.justification", REMOVED)))
    assert set(found) == {f"rules.{name}.justification"}
    assert "a justification card" in found[f"rules.{name}.justification"]


@pytest.mark.parametrize("name", [rule.id for rule in RULEBOOK])
def test_every_rule_must_be_decided_on(name: str) -> None:
    """A policy that is silent on a rule is refused, whichever it is."""
    assert set(refusals(changed((f"rules.{name}", REMOVED)))) == {f"rules.{name}"}


@pytest.mark.parametrize("effect", ["advise_against", "note"])
@pytest.mark.parametrize("name", FIXED)
def test_what_is_fixed_cannot_be_weakened(name: str, effect: str) -> None:
    """What rests on statute, a court order or physical fact keeps its effect."""
    expected = "`bar`: the rule rests on statute, a court order or physical fact"
    assert refusals(changed((f"rules.{name}.effect", effect))) == {f"rules.{name}.effect": expected}


@pytest.mark.parametrize("name", FIXED)
def test_what_is_fixed_cannot_be_weighed(name: str) -> None:
    """A bar that is fixed cannot be turned into points, also not into many."""
    found = refusals(changed((f"rules.{name}.effect", "weigh"), (f"rules.{name}.points", 1000)))
    assert set(found) == {f"rules.{name}.effect"}


@pytest.mark.parametrize("name", FIXED)
def test_what_is_fixed_cannot_be_switched_off(name: str) -> None:
    """What is fixed stays on, whatever reason is given."""
    found = refusals(changed((f"rules.{name}.enabled", False), (f"rules.{name}.off_reason", "In the way.")))
    assert found == {
        f"rules.{name}.enabled": "`true`: the rule rests on statute, a court order or physical fact"
    }


def test_the_fixed_rules_are_those_of_courts_and_of_nature() -> None:
    """A restraining order and a unit that is not there are fixed."""
    assert {"restraining-order", "unit-available"} <= set(FIXED)
    assert all(not default().by_id[name].overridable for name in FIXED)


@pytest.mark.parametrize("name", [rule.id for rule in RULEBOOK if not rule.fixed])
def test_all_else_can_be_switched_off_with_a_reason_and_is_warned_of(name: str) -> None:
    """Any other rule may be switched off, with a reason, and every reader is told."""
    policy = Policy(changed((f"rules.{name}.enabled", False), (f"rules.{name}.off_reason", "Prøves ut.")))
    day = date(2026, 11, 22)
    assert policy.warnings(day) == (Warned("rule_off", name, None),)
    assert {rule.id for rule in policy.rules} - {rule.id for rule in policy.active(day)} == {name}


@pytest.mark.parametrize("effect", list(Effect))
def test_what_is_not_fixed_can_have_any_effect(effect: Effect) -> None:
    """The policy owner may strengthen or weaken advice."""
    points = 10 if effect is Effect.WEIGH else REMOVED
    content = changed(("rules.wish.effect", effect.code), ("rules.wish.points", points))
    bound = Policy(content).by_id["wish"]
    assert (bound.effect, bound.points) == (effect, 10 if effect is Effect.WEIGH else 0)


def test_all_faults_are_told_in_one_go() -> None:
    """A policy with many faults is told all of them."""
    found = refusals(
        changed(
            ("rules.gender-mix.justification", REMOVED),
            ("rules.restraining-order.effect", "note"),
            ("rules.wish", REMOVED),
            ("rules.extra", {"effect": "note", "origin": "x"}),
            ("rules.age-mix.params.young_under.value", 99),
            ("rules.cameras.params.side.value", "maybe"),
            ("k_anonymity.value", 1),
        )
    )
    assert set(found) == {
        "rules.gender-mix.justification",
        "rules.restraining-order.effect",
        "rules.wish",
        "rules.extra",
        "rules.age-mix.params.young_under.value",
        "rules.cameras.params.side.value",
        "k_anonymity.value",
    }


@pytest.mark.parametrize("value", ["", " ", "\n"])
@pytest.mark.parametrize(
    "place",
    [
        "rules.wish.off_reason",
        "rules.wish.origin",
        "justifications.gender.purpose",
        "justifications.gender.necessity",
        "justifications.gender.proportionality",
        "justifications.gender.legal_basis_note",
        "rules.age-mix.params.young_under.origin",
        "k_anonymity.origin",
    ],
)
def test_an_empty_reason_is_none(place: str, value: str) -> None:
    """A reason, an origin or a justification with nothing in it is refused."""
    changes: list[tuple[str, Any]] = [(place, value)]
    if place.endswith("off_reason"):
        changes.append(("rules.wish.enabled", False))
    assert place in refusals(changed(*changes))


# ---------------------------------------------------------------------------------------- parameters

NUMBER = "rules.age-mix.params.young_under"
CODES = "rules.night-staff.params.not_enough"
PAIRS = "rules.substance-mix.params.clashing_classes"
CHOICE = "rules.cameras.params.side"


def test_the_four_kinds_of_parameter_are_tested() -> None:
    """The parameters below are one of each kind there is."""
    kinds = []
    for path in (NUMBER, CODES, PAIRS, CHOICE):
        _, rule, _, name = path.split(".")
        kinds.append(type(RULES_BY_ID[rule].params[name]))
    assert kinds == [Number, Codes, Pairs, Choice]


@pytest.mark.parametrize("path", [NUMBER, CODES, PAIRS, CHOICE])
@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("", REMOVED, "a value with its origin"),
        ("", 25, "a table"),
        (".value", REMOVED, "this field"),
        (".origin", REMOVED, "this field"),
        (".unit", "years", "only fields that a policy has"),
    ],
)
def test_a_parameter_has_a_value_and_an_origin(path: str, part: str, value: Any, words: str) -> None:
    """A parameter that is missing, or is not a value with its origin, is refused at its place."""
    assert words in refusals(changed((path + part, value)))[path + part]


@pytest.mark.parametrize(
    "value", [17, 41, 0, -1, 10**30, 25.0, 25.5, float("nan"), True, "25", [25], {}, date(2026, 1, 1)]
)
def test_a_number_is_a_whole_number_within_its_limits(value: Any) -> None:
    """A number out of range or of another type is refused with its limits and unit."""
    assert refusals(changed((f"{NUMBER}.value", value))) == {
        f"{NUMBER}.value": "a whole number from 18 to 40 (years)"
    }


@pytest.mark.parametrize("value", [18, 40])
def test_the_limits_of_a_number_are_inside(value: int) -> None:
    """The smallest and the largest number are accepted."""
    bound = Policy(changed((f"{NUMBER}.value", value))).by_id["age-mix"]
    assert bound.params["young_under"] == value


@pytest.mark.parametrize(
    "value", ["none", 1, True, {}, ["none", 1], ["None"], ["none", "sometimes"], [["none"]], [None]]
)
def test_a_set_of_codes_is_a_list_of_known_codes(value: Any) -> None:
    """What is not a list of codes is refused with the codes there are."""
    found = refusals(changed((f"{CODES}.value", value)))
    assert set(found) == {f"{CODES}.value"}
    assert found[f"{CODES}.value"].endswith("out of: ambulant, none, on_site")


@pytest.mark.parametrize("value", [["none", "ambulant"], ["ambulant", "none", "ambulant"]])
def test_a_set_of_codes_has_no_order(value: list[str]) -> None:
    """Codes are a set, in a fixed order whatever the file's."""
    assert Policy(changed((f"{CODES}.value", value))).by_id["night-staff"].params["not_enough"] == (
        "ambulant",
        "none",
    )


@pytest.mark.parametrize(
    "value",
    [
        "opioids",
        1,
        {},
        ["opioids", "stimulants"],
        [["opioids"]],
        [["opioids", "opioids"]],
        [["opioids", "stimulants", "alcohol"]],
        [["opioids", "sugar"]],
        [["opioids", 1]],
        [[]],
        [{"opioids": "stimulants"}],
        [None],
    ],
)
def test_a_table_of_pairs_is_a_list_of_two_different_codes_each(value: Any) -> None:
    """What is not a list of pairs of different codes is refused with the codes there are."""
    found = refusals(changed((f"{PAIRS}.value", value)))
    assert set(found) == {f"{PAIRS}.value"}
    assert found[f"{PAIRS}.value"].startswith(
        "a list of one or more pairs of different codes out of: alcohol, "
    )


@pytest.mark.parametrize("code", [["opioids"], {"opioids": 1}])
def test_a_list_in_a_pair_is_refused(code: Any) -> None:
    """A list or a table where a code is due is refused like any other wrong value."""
    assert set(refusals(changed((f"{PAIRS}.value", [[code, "alcohol"]])))) == {f"{PAIRS}.value"}


def test_a_table_of_pairs_has_no_order() -> None:
    """Pairs may be written either way round, and twice."""
    value = [["stimulants", "opioids"], ["alcohol", "opioids"], ["opioids", "stimulants"]]
    bound = Policy(changed((f"{PAIRS}.value", value))).by_id["substance-mix"]
    assert bound.params["clashing_classes"] == (("alcohol", "opioids"), ("opioids", "stimulants"))


@pytest.mark.parametrize("value", ["maybe", "", 1, True, ["open"], {}])
def test_a_choice_is_one_of_its_options(value: Any) -> None:
    """What is no option is refused with the options there are."""
    found = refusals(changed((f"{CHOICE}.value", value)))
    assert set(found) == {f"{CHOICE}.value"}
    assert found[f"{CHOICE}.value"].startswith("one of: open, ")


@pytest.mark.parametrize("value", [2, 5, 100])
def test_k_may_be_from_2_to_100(value: int) -> None:
    """The smallest zone may be of two to a hundred residents."""
    assert Policy(changed(("k_anonymity.value", value))).k_anonymity == value


@pytest.mark.parametrize("value", [1, 0, -5, 101, 5.0, True, "5", [5], {}])
def test_k_is_a_whole_number_from_2_to_100(value: Any) -> None:
    """A zone of one is no zone, and a limit that is no whole number is none."""
    assert refusals(changed(("k_anonymity.value", value))) == {
        "k_anonymity.value": "a whole number from 2 to 100"
    }


# --------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    "path", ["valid_from", "approved_on", "justifications.gender.review_by", "justifications.age.approved_on"]
)
@pytest.mark.parametrize(
    "value",
    [
        "2026-02-30",
        "22.11.2026",
        20261122,
        True,
        None,
        datetime(2026, 11, 1, tzinfo=timezone(timedelta(0))),
    ],
)
def test_a_date_is_a_day_that_exists(path: str, value: Any) -> None:
    """Numbers, points in time and days that do not exist are not dates."""
    found = refusals(changed((path, value)))
    assert set(found) == {path}
    assert found[path].startswith("a date")


def test_a_date_may_be_written_as_text() -> None:
    """A day written as text is that day, and the same policy."""
    assert Policy(changed(("valid_from", "2026-11-01"))).sha256 == default().sha256


# ---------------------------------------------------------------------------------------------- TOML


@pytest.mark.parametrize(
    "text",
    [
        "name =",
        "name = 'a",
        "= 1",
        "[rules",
        "a = 1\na = 2",
        "[a]\n[a]",
        "valid_from = 2026-02-30",
        "\0",
        "{}",
    ],
)
def test_what_is_not_toml_is_refused_with_the_line(text: str) -> None:
    """A document that is not TOML is refused as a whole, with the line and column where it stops."""
    with pytest.raises(PolicyError) as error:
        Policy.from_toml(text)
    (problem,) = error.value.problems
    assert problem.path == ""
    assert problem.expected.startswith("a TOML document: ")
    assert "line" in problem.expected or "end of document" in problem.expected
    assert "\n" not in problem.expected


def test_an_empty_policy_lacks_everything() -> None:
    """An empty document is told every field that it lacks."""
    assert set(refusals({})) == {
        "name",
        "version",
        "valid_from",
        "approved_by",
        "approved_on",
        "change_note",
        "k_anonymity",
        "rules",
    }


@pytest.mark.parametrize("value", ["07:32:00", "9" * 5000, "[" * 5000 + "]" * 5000])
def test_odd_values_of_toml_are_refused(value: str) -> None:
    """A time of day, a number of thousands of digits and deep nesting are refused like other wrong values."""
    text = TEXT.replace("[k_anonymity]\nvalue = 5", f"[k_anonymity]\nvalue = {value}")
    assert text != TEXT
    refusal: PolicyError | None = None
    try:
        Policy.from_toml(text)
    except PolicyError as error:
        refusal = error
    assert refusal is not None
    assert refusal.problems


# ---------------------------------------------------------------------------------------------- hash


def _reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(value[key]) for key in reversed(value)}
    return value


REWRITTEN: dict[str, Callable[[str], str]] = {
    "comments removed": lambda text: "\n".join(
        line for line in text.splitlines() if not line.startswith("#")
    ),
    "comments added": lambda text: text.replace("\n[rules.", "\n# a comment\n[rules."),
    "blank lines": lambda text: text.replace("\n", "\n\n"),
    "Windows": lambda text: text.replace("\n", "\r\n"),
    "spaces": lambda text: text.replace(" = ", "   =\t"),
    "tables in another order": lambda text: "\n[".join(
        [text.split("\n[")[0], *reversed(text.split("\n[")[1:])]
    ),
}


@pytest.mark.parametrize("name", sorted(REWRITTEN))
def test_the_hash_does_not_depend_on_how_it_is_written(name: str) -> None:
    """Comments, blanks, line ends and the order of lines do not change the hash."""
    rewritten = REWRITTEN[name](TEXT)
    assert rewritten != TEXT
    assert Policy.from_toml(rewritten).sha256 == default().sha256


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    """A document with all its keys in reverse order has the same hash."""
    assert Policy(_reordered(tomllib.loads(TEXT))).sha256 == default().sha256


CHANGED_CONTENT: tuple[tuple[str, Any], ...] = (
    ("name", "Annet"),
    ("version", "2026-12"),
    ("valid_from", date(2026, 11, 2)),
    ("change_note", "En annen merknad."),
    ("k_anonymity.value", 6),
    ("justifications.gender.purpose", "Et annet formål."),
    ("justifications.gender.review_by", date(2027, 10, 30)),
    ("rules.wish.points", 6),
    ("rules.wish.origin", "En annen kilde."),
    ("rules.gender-mix.effect", "note"),
    (f"{NUMBER}.value", 26),
    (f"{NUMBER}.origin", "En annen kilde."),
    (f"{CODES}.value", ["none"]),
)


def test_the_hash_depends_on_the_content() -> None:
    """Each change of content gives another hash, and no two the same."""
    hashes = {Policy(changed(change)).sha256 for change in CHANGED_CONTENT} | {default().sha256}
    assert len(hashes) == len(CHANGED_CONTENT) + 1


def test_the_hash_is_sha_256() -> None:
    """The hash is sixty-four hexadecimal digits."""
    assert len(bytes.fromhex(default().sha256)) == 32


# ------------------------------------------------------------------------------------------- reviews

DUE = [rule.id for rule in default().rules if rule.justification and rule.justification.review_by == LAST_DAY]
LONGER = [
    rule.id for rule in default().rules if rule.justification and rule.justification.review_by > LAST_DAY
]


def test_on_the_last_day_before_review_a_rule_is_on() -> None:
    """On the day by which it is to be reviewed, a rule is on and nothing is said."""
    assert default().warnings(LAST_DAY) == ()
    assert default().active(LAST_DAY) == default().rules


def test_the_day_after_a_rule_is_off_with_a_warning() -> None:
    """The day after, each rule that reads a protected ground is off, and each says so."""
    day = LAST_DAY + timedelta(days=1)
    assert "gender-mix" in DUE
    assert default().warnings(day) == tuple(Warned("review_overdue_off", name, LAST_DAY) for name in DUE)
    off = {rule.id for rule in default().rules} - {rule.id for rule in default().active(day)}
    assert off == set(DUE)


def test_a_rule_that_serves_the_applicants_own_need_stays_on_with_a_warning() -> None:
    """A rule that finds a fitting home is not switched off for want of a review, but it is said."""
    review = date(2028, 10, 31)
    day = review + timedelta(days=1)
    assert set(LONGER) == set(OWN_NEED)
    overdue = tuple(w for w in default().warnings(day) if w.code == "review_overdue_on")
    assert overdue == tuple(Warned("review_overdue_on", name, review) for name in LONGER)
    assert set(LONGER) <= {rule.id for rule in default().active(day)}


def test_being_switched_off_is_said_once() -> None:
    """A rule that is switched off and overdue is said to be off, once."""
    policy = Policy(
        changed(("rules.gender-mix.enabled", False), ("rules.gender-mix.off_reason", "Prøves ut."))
    )
    warned = [w for w in policy.warnings(LAST_DAY + timedelta(days=1)) if w.rule == "gender-mix"]
    assert warned == [Warned("rule_off", "gender-mix", None)]


def test_a_policy_that_begins_later_says_so() -> None:
    """Until the day it begins, a policy warns; from that day on it does not."""
    begins = date(2026, 11, 1)
    assert default().warnings(begins - timedelta(days=1)) == (Warned("not_yet_valid", None, begins),)
    assert default().warnings(begins) == ()
    assert default().active(begins - timedelta(days=1)) == default().rules


@pytest.mark.parametrize(
    ("language", "mark"),
    [
        ("nb", "ikke kontrollert av jurist"),
        ("nn", "ikkje kontrollert av jurist"),
        ("en", "not checked by a lawyer"),
    ],
)
def test_the_handbook_marks_law_that_no_lawyer_has_confirmed(language: str, mark: str) -> None:
    """At the section itself, as in letters; what is confirmed stands without."""
    said = handbook(default(), language)
    assert f"forvaltningsloven § 17 ({mark})" in said
    assert f"helse- og omsorgstjenesteloven § 4-1 ({mark})" in said
    assert f"straffeprosessloven § 222 a ({mark})" not in said
    assert "straffeprosessloven § 222 a" in said


# ----------------------------------------------------------------------------------- nothing changes


def test_a_policy_is_not_changed_by_use() -> None:
    """Asking, listing, warning and printing leave a policy as it was."""
    case = read_case((FIXTURES / "cases" / "golden-besokende.json").read_bytes())
    policy = Policy.from_toml(TEXT)
    before = (policy.sha256, policy.document.model_dump(mode="json"), policy.rules)
    kept = copy.deepcopy(before[1])
    suggest(case, policy, "S-2026-001")
    suggest(case, policy, "S-2026-001", "reference")
    handbook(policy, "en")
    policy.warnings(date(2030, 1, 1))
    policy.active(date(2030, 1, 1))
    assert (policy.sha256, policy.document.model_dump(mode="json"), policy.rules) == before
    assert policy.document.model_dump(mode="json") == kept


def test_a_policy_does_not_change_what_it_is_made_of() -> None:
    """The document that a policy is made of is left as it was."""
    content = tomllib.loads(TEXT)
    Policy(content)
    assert content == tomllib.loads(TEXT)


def test_a_policy_is_not_changed_with_what_it_was_made_of() -> None:
    """Whoever changes the document afterwards does not change the policy's rules."""
    content = tomllib.loads(TEXT)
    policy = Policy(content)
    content["rules"]["night-staff"]["params"]["not_enough"]["value"].append("on_site")
    content["rules"]["wish"]["points"] = 999
    assert policy.by_id["night-staff"].params == default().by_id["night-staff"].params
    assert policy.by_id["wish"].points == default().by_id["wish"].points
    assert policy.sha256 == default().sha256
