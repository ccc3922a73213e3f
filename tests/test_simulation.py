"""Simulation: what a change of policy would do, counted right, and told without telling of anyone."""

from __future__ import annotations

import functools
import itertools
import json
import re
import signal
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import z3  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from allocator import cli
from allocator.codes import Gender, SchemeKind
from allocator.documents import read_case
from allocator.model import Municipality, Snapshot
from allocator.policy import Policy
from allocator.scoring import Verdict, suggest
from allocator.simulation import (
    GROUPINGS,
    Grouping,
    GroupTable,
    Move,
    Report,
    Row,
    Simulation,
    SimulationError,
    Tally,
    checkpoint,
    protect,
    resume,
)
from allocator.simulation_report import Bar, document, inputs, pages
from allocator.small_cells import REST
from allocator.texts import Language
from tests.cases import (
    TODAY,
    House,
    a_case,
    a_conflict,
    a_house,
    a_policy,
    an_applicant,
    changed,
    known,
    switched_off,
)
from tests.strategies import AS_OF, DEFAULT_POLICY, policies, snapshots

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "fixtures" / "cases" / "demo-municipality.json"
GENDER, AGE, _, SUBSTANCE, KIND = GROUPINGS
SUITABLE, REMARKS, UNCLEAR, ADVISED, BLOCKED = (int(verdict) for verdict in Verdict)


def gender_mix(effect: str) -> Policy:
    """Return the default policy with another effect of women and men living together."""
    return a_policy({"rules.gender-mix.effect": effect})


def people(gender: Gender, number: int) -> list[Any]:
    """Return so many applicants of one gender, of whom everything else is known and suits."""
    return [an_applicant(f"{gender[0]}{i}", gender=known(gender)) for i in range(1, number + 1)]


def house_of(gender: Gender, name: str, **given: Any) -> House:
    """Return a house where five of one gender live and two units are vacant."""
    house = a_house(name, vacant=[2], **given)
    return House(house.scheme, tuple(changed(r, gender=known(gender)) for r in house.residents))


def two_houses(women: int = 6, men: int = 5) -> Snapshot:
    """Return a house of men and one of women, and women and men who apply."""
    houses = house_of(Gender.MAN, "menn"), house_of(Gender.WOMAN, "kvinner", kind=SchemeKind.SMALL_HOUSES)
    return a_case(*houses, applicants=[*people(Gender.WOMAN, women), *people(Gender.MAN, men)])


def simulated(before: Policy, after: Policy, *cases: Snapshot) -> Report:
    """Return what a simulation comes to."""
    simulation, tally = Simulation(cases, before, after), Tally()
    for _ in simulation.run(tally):
        pass
    return simulation.report(tally)


def told(before: Policy, after: Policy, *cases: Snapshot, ids: bool = True) -> bytes:
    """Return the document of a simulation as bytes."""
    simulation = Simulation(cases, before, after)
    content = document(simulation, simulated(before, after, *cases), ids=ids)
    return json.dumps(content).encode()


def table_of(report: Report, grouping: Grouping) -> GroupTable:
    """Return one of a report's tables by group."""
    return next(table for table in report.groups if table.grouping is grouping)


# ------------------------------------------------------------------------------------ known effects


def test_advice_that_becomes_a_bar_is_counted_where_it_was_broken() -> None:
    """Six women in two units among men and five men in two units among women: 22 verdicts."""
    report = simulated(gender_mix("advise_against"), gender_mix("bar"), two_houses())

    assert report.moves == {(SUITABLE, SUITABLE): 22, (ADVISED, BLOCKED): 22}
    assert (report.worse, report.better) == (22, 0)
    assert [(rule.rule, rule.worse, rule.better) for rule in report.rules if rule.worse is not None] == [
        ("gender-mix", 22, 0)
    ]
    assert report.people == {
        "all": 11,
        "gains": 0,
        "loses": 0,
        "mixed": 0,
        "unchanged": 11,
        "touched": 11,
        "other_first": 0,
        "none_before": 0,
        "none_after": 0,
        "loses_last": 0,
        "gets_first": 0,
    }
    assert report.changes == ()


def test_verdicts_are_counted_by_group() -> None:
    """The women's twelve verdicts and the men's ten each stand in their own row, and by kind of housing."""
    report = simulated(gender_mix("advise_against"), gender_mix("bar"), two_houses())
    women, men = table_of(report, GENDER).rows
    by_kind = {row.group: row.moves for row in table_of(report, KIND).rows}

    assert (women.group, women.total, women.moves) == (
        "woman",
        24,
        {(SUITABLE, SUITABLE): 12, (ADVISED, BLOCKED): 12},
    )
    assert (men.group, men.total) == ("man", 20)
    assert (men.before(Verdict.ADVISED_AGAINST), men.after(Verdict.ADVISED_AGAINST)) == (10, 0)
    assert (men.before(Verdict.BLOCKED), men.after(Verdict.BLOCKED)) == (0, 10)
    assert by_kind == {
        "co_located": {(SUITABLE, SUITABLE): 10, (ADVISED, BLOCKED): 12},
        "small_houses": {(SUITABLE, SUITABLE): 12, (ADVISED, BLOCKED): 10},
    }
    assert table_of(report, SUBSTANCE).rows == ()  # they all use the same


def test_who_loses_everything_is_said_and_so_is_what_closes() -> None:
    """Five men, and only units among women: all lose their last open unit, and both units close."""
    case = a_case(house_of(Gender.WOMAN, "kvinner"), applicants=people(Gender.MAN, 5))
    report = simulated(gender_mix("note"), gender_mix("bar"), case)

    assert report.moves == {(SUITABLE, BLOCKED): 10}
    assert {name: number for name, number in report.people.items() if number} == {
        "all": 5,
        "loses": 5,
        "touched": 5,
        "none_after": 5,
        "loses_last": 5,
    }
    assert {name: number for name, number in report.units.items() if number} == {
        "all": 2,
        "open_before": 2,
        "closes": 2,
        "barred_after": 2,
    }
    assert [change.unit for change in report.unit_changes] == ["kvinner-1-v1", "kvinner-1-v2"]
    assert {(c.best, c.open) for c in report.changes} == {((SUITABLE, BLOCKED), (2, 0))}


def test_the_way_back_gains_what_the_way_there_loses() -> None:
    """With the policies exchanged, losers are winners, units open, and the rule has made things better."""
    case = a_case(house_of(Gender.WOMAN, "kvinner"), applicants=people(Gender.MAN, 5))
    report = simulated(gender_mix("bar"), gender_mix("note"), case)

    assert (report.people["gains"], report.people["gets_first"], report.people["loses"]) == (5, 5, 0)
    assert (report.units["opens"], report.units["barred_before"], report.units["barred_after"]) == (2, 2, 0)
    assert [(r.rule, r.worse, r.better) for r in report.rules if r.better is not None] == [
        ("gender-mix", 0, 10)
    ]


def test_an_advised_against_unit_is_closed_and_a_barred_one_too_but_only_one_is_barred() -> None:
    """From nothing said to advice, units close without being barred."""
    case = a_case(house_of(Gender.WOMAN, "kvinner"), applicants=people(Gender.MAN, 1))
    report = simulated(gender_mix("note"), gender_mix("advise_against"), case)

    assert (report.units["closes"], report.units["barred_after"], report.people["loses_last"]) == (2, 0, 1)


def test_another_unit_first_is_noticed_though_no_verdict_changes() -> None:
    """Points alone move the first place: nobody gains or loses, and it is said."""
    houses = house_of(Gender.MAN, "ja"), house_of(Gender.WOMAN, "nei")
    case = a_case(*houses, applicants=people(Gender.MAN, 1))
    weak = a_policy({"rules.gender-mix.effect": "note"})
    report = simulated(weak, gender_mix("advise_against"), case)

    assert (report.people["other_first"], report.people["loses"]) == (1, 1)
    (change,) = report.changes
    assert change.first == (("ja-1-v1", "ja-1-v2", "nei-1-v1", "nei-1-v2"), ("ja-1-v1", "ja-1-v2"))


# ------------------------------------------------------------------------------------------ history


def on_days(case: Snapshot, number: int) -> list[Snapshot]:
    """Return the same case on so many days."""
    return [changed(case, as_of=TODAY + timedelta(days=i)) for i in range(number)]


def test_in_a_history_a_person_is_counted_once_and_a_verdict_each_day() -> None:
    """Three days: three times the verdicts, the same applicants and units."""
    case = a_case(house_of(Gender.WOMAN, "kvinner"), applicants=people(Gender.MAN, 5))
    report = simulated(gender_mix("note"), gender_mix("bar"), *on_days(case, 3))

    assert report.moves == {(SUITABLE, BLOCKED): 30}
    assert (report.people["all"], report.people["loses"], report.units["closes"]) == (5, 5, 2)
    assert len(report.changes) == 15


def test_one_person_on_many_days_is_still_one_person() -> None:
    """Four women on ten days are four people, too few to be a group."""
    report = simulated(
        gender_mix("advise_against"), gender_mix("bar"), *on_days(two_houses(women=4, men=20), 10)
    )

    assert table_of(report, GENDER).rows == ()


def test_who_gains_one_day_and_loses_another_is_both() -> None:
    """A young woman is let in among older heavy users one day, and shut out from men the other."""
    young = an_applicant("w1", gender=known(Gender.WOMAN), birth_date=known(date(2005, 1, 1)))
    users = house_of(Gender.WOMAN, "eldre")
    users = House(users.scheme, tuple(changed(r, heavy_use=known(value=True)) for r in users.residents))
    first = a_case(users, applicants=[young])
    second = a_case(house_of(Gender.MAN, "menn"), applicants=[young], as_of=TODAY + timedelta(days=1))
    before = a_policy({"rules.gender-mix.effect": "note", "rules.age-mix.effect": "bar"})
    after = a_policy({"rules.gender-mix.effect": "bar", "rules.age-mix.effect": "note"})
    report = simulated(before, after, second, first)

    assert [report.people[name] for name in ("all", "gains", "loses", "mixed", "unchanged")] == [
        1,
        0,
        0,
        1,
        0,
    ]
    assert [(c.day, c.open) for c in report.changes] == [(first.as_of, (0, 2)), (second.as_of, (2, 0))]


def test_a_history_is_of_one_municipality_and_one_case_a_day() -> None:
    """Two cases of the same day, of two municipalities, or none, are refused."""
    case = a_case()
    away = changed(
        case, as_of=TODAY + timedelta(days=1), municipality=Municipality(code="5001", name="Trondheim")
    )
    here = changed(case, municipality=Municipality(code="0301", name="Oslo"))
    for cases in ((), (case, case), (here, away)):
        with pytest.raises(SimulationError, match="case"):
            Simulation(cases, a_policy(), a_policy())


# --------------------------------------------------------------------------------------------- laws

cases = snapshots(max_units=5, max_applicants=3, as_of=AS_OF)


@given(cases, policies())
@settings(max_examples=settings().max_examples // 4)
def test_nothing_changes_between_equal_policies(case: Snapshot, policy: Policy) -> None:
    """Compared with itself, a policy moves nothing, for nobody."""
    report = simulated(policy, policy, case)

    assert all(old == new for old, new in report.moves)
    assert (report.people["unchanged"], report.rules, report.changes) == (len(case.applicants), (), ())
    assert report.unit_changes == ()


def expected(case: Snapshot, before: Policy, after: Policy) -> dict[str, Any]:
    """Return what a simulation must come to, from suggestions of the reference engine."""
    counted: Counter[str] = Counter()
    moves: Counter[Move] = Counter()
    worse: Counter[str] = Counter()
    better: Counter[str] = Counter()
    best: dict[str, list[tuple[int, int]]] = {}
    for applicant in case.applicants:
        answers = [suggest(case, policy, applicant.id, "reference") for policy in (before, after)]
        old, new = ({r.assessment.unit: r.assessment for r in answer.ranked} for answer in answers)
        firsts = [{r.assessment.unit for r in answer.ranked if r.rank == 1} for answer in answers]
        for unit in old:
            move = int(old[unit].verdict), int(new[unit].verdict)
            moves[move] += 1
            best.setdefault(unit, []).append(move)
            if move[1] > move[0]:
                worse.update({finding.rule.id for finding in new[unit].reasons})
            if move[1] < move[0]:
                better.update({finding.rule.id for finding in old[unit].reasons})
        if not old:
            continue
        number = [sum(a.verdict < Verdict.ADVISED_AGAINST for a in side.values()) for side in (old, new)]
        finest = [min(a.verdict for a in side.values()) for side in (old, new)]
        gains = finest[1] < finest[0] or number[1] > number[0]
        loses = finest[1] > finest[0] or number[1] < number[0]
        outcome = {(1, 0): "gains", (0, 1): "loses", (1, 1): "mixed", (0, 0): "unchanged"}
        counted[outcome[gains, loses]] += 1
        counted["other_first"] += firsts[0] != firsts[1]
        counted["loses_last"] += number[0] > 0 == number[1]
        counted["gets_first"] += number[1] > 0 == number[0]
    closes = sum(min(o for o, _ in both) < ADVISED <= min(n for _, n in both) for both in best.values())
    barred = sum(all(n == BLOCKED for _, n in both) for both in best.values())
    return {
        "moves": dict(moves),
        "people": dict(counted),
        "closes": closes,
        "barred": barred,
        "worse": worse,
        "better": better,
    }


@given(cases, policies(max_changes=8), policies(max_changes=8))
@settings(max_examples=settings().max_examples // 3)
def test_gains_and_losses_are_those_of_the_suggestions(case: Snapshot, before: Policy, after: Policy) -> None:
    """Everything counted is what the reference engine's suggestions under both policies give."""
    report, right = simulated(before, after, case), expected(case, before, after)

    assert report.moves == right["moves"]
    if report.moves:
        assert {name: report.people[name] for name in right["people"]} == right["people"]
    assert (report.units["closes"], report.units["barred_after"]) == (right["closes"], right["barred"])
    for rule in report.rules:
        if rule.worse is not None:
            assert (rule.worse, rule.better) == (right["worse"][rule.rule], right["better"][rule.rule])
    assert set(right["worse"]) | set(right["better"]) <= {rule.rule for rule in report.rules}


POOL = (
    a_policy(),
    gender_mix("bar"),
    gender_mix("note"),
    a_policy({"rules.substance-mix.points": 90, "rules.age-mix.effect": "bar", "k_anonymity.value": 2}),
    a_policy(switched_off("age-mix", "rop-mix", "scheme-size")),
)
"""Policies whose handbooks are written once; that of a new one takes longer than all the rest."""

pooled = st.sampled_from(POOL)

histories = st.tuples(
    snapshots(max_units=4, max_applicants=3, as_of=AS_OF),
    snapshots(max_units=4, max_applicants=3, as_of=AS_OF + timedelta(days=1)),
)


@given(histories, pooled, pooled, st.lists(st.integers(1, 4), max_size=4))
@settings(max_examples=settings().max_examples // 5)
def test_an_interrupted_simulation_comes_to_the_same(
    history: tuple[Snapshot, Snapshot], before: Policy, after: Policy, stops: list[int]
) -> None:
    """Stopped after any steps, written down, read again and counted on: the same bytes at the end."""
    hashes = inputs(Simulation(history, before, after))
    tally = Tally()
    for steps in stops:
        for _ in itertools.islice(Simulation(history, before, after).run(tally), steps):
            pass
        tally = resume(checkpoint(tally, hashes), hashes)
    simulation = Simulation(history, before, after)
    for _ in simulation.run(tally):
        pass

    content = document(simulation, simulation.report(tally), ids=True)
    assert json.dumps(content).encode() == told(before, after, *history)


@given(histories, pooled, pooled, st.randoms(use_true_random=False))
@settings(max_examples=settings().max_examples // 8)
def test_the_order_of_cases_and_applicants_means_nothing(
    history: tuple[Snapshot, Snapshot], before: Policy, after: Policy, random: Any
) -> None:
    """Whatever the order of files and of lists in them: the same bytes."""

    def shuffled(records: Iterable[Any]) -> tuple[Any, ...]:
        mixed = list(records)
        random.shuffle(mixed)
        return tuple(mixed)

    other = [
        changed(
            case,
            applicants=shuffled(case.applicants),
            residents=shuffled(case.residents),
            schemes=shuffled(case.schemes),
        )
        for case in shuffled(history)
    ]

    assert told(before, after, *other) == told(before, after, *history)


# -------------------------------------------------------------------------------------- small cells

COLUMNS = ((SUITABLE, SUITABLE), (SUITABLE, BLOCKED), (ADVISED, ADVISED), (ADVISED, BLOCKED))
K = 5


@st.composite
def divided(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Row]:
    """Draw groups of applicants, each with three verdicts a day on one or two days."""
    groups: dict[str, Row] = {}
    for name in ("woman", "man", "non_binary", "unknown"):
        usual = draw(st.sampled_from(COLUMNS))
        for day in range(draw(st.integers(1, 2))):
            for _ in range(draw(st.sampled_from((0, 1, 4, 5, 6, 9, 14)))):
                row = groups.setdefault(name, Row())
                others = draw(st.lists(st.sampled_from(COLUMNS), max_size=2))
                verdicts = Counter([*others, *[usual] * (3 - len(others))])
                row.all.add(day, 3)
                for move, number in verdicts.items():
                    row.moves.setdefault(move, type(row.all)()).add(day, number)
    return groups


def found_out(table: GroupTable, columns: Mapping[Move, int]) -> list[tuple[str, Move]]:
    """Return the hidden cells of which there is only one value that fits all that is told."""
    unknown = {(row.group, move): z3.Int(f"{row.group} {move}") for row in table.rows for move in row.moves}
    solver = z3.Solver()
    for row in table.rows:
        solver.add(z3.Sum([unknown[row.group, move] for move in row.moves]) == row.total)
        for move, number in row.moves.items():
            cell = unknown[row.group, move]
            solver.add(cell >= 0 if number is None else cell == number)
    for move, total in columns.items():
        solver.add(z3.Sum([unknown[row.group, move] for row in table.rows]) == total)
    assert solver.check() == z3.sat
    model = solver.model()
    hidden = [(row.group, move) for row in table.rows for move, n in row.moves.items() if n is None]
    return [c for c in hidden if solver.check(unknown[c] != model.eval(unknown[c], True)) == z3.unsat]


def column_totals(groups: Mapping[str, Row]) -> dict[Move, int]:
    """Return how many verdicts there are of each move, over all groups."""
    totals: Counter[Move] = Counter()
    for row in groups.values():
        totals.update({move: cell.count for move, cell in row.moves.items()})
    return dict(totals)


@given(divided())
def test_a_hidden_number_cannot_be_found_by_subtraction(groups: dict[str, Row]) -> None:
    """Row totals, column totals and all shown numbers leave more than one value for every hidden cell."""
    table = protect(GENDER, groups, K)

    assert found_out(table, column_totals(groups)) == [] if table.rows else True
    for row in table.rows:
        if row.group != REST:
            for move, number in row.moves.items():
                if number:
                    assert groups[row.group].moves[move].fewest >= K
            assert groups[row.group].all.fewest >= K


@given(divided())
@settings(max_examples=settings().max_examples // 2)
def test_a_table_adds_up_to_the_whole(groups: dict[str, Row]) -> None:
    """No verdict is lost where groups are put together, and every shown number is right."""
    table = protect(GENDER, groups, K)

    if table.rows:
        assert sum(row.total for row in table.rows) == sum(row.all.count for row in groups.values())
        for row in table.rows:
            assert sum(n or 0 for n in row.moves.values()) <= row.total
            if row.group != REST:
                shown = {move: n for move, n in row.moves.items() if n is not None}
                true = {
                    m: groups[row.group].moves[m].count if m in groups[row.group].moves else 0 for m in shown
                }
                assert shown == true


def rows_of(**verdicts: Mapping[Move, int]) -> dict[str, Row]:
    """Return groups in which so many people each have one verdict of a move."""
    groups: dict[str, Row] = {}
    for name, moves in verdicts.items():
        row = groups.setdefault(name, Row())
        for move, number in moves.items():
            for _ in range(number):
                row.all.add(0, 1)
                row.moves.setdefault(move, type(row.all)()).add(0, 1)
    return groups


def test_hiding_only_the_small_number_would_be_found_out() -> None:
    """The check above sees through a table that lacks the numbers hidden for others' sake."""
    groups = rows_of(woman={(0, 0): 20, (0, 4): 2}, man={(0, 0): 30, (0, 4): 10})
    table = protect(GENDER, groups, K)
    careless = GroupTable(
        GENDER,
        tuple(
            type(row)(
                row.group,
                row.total,
                {
                    m: None if groups[row.group].moves[m].fewest < K else groups[row.group].moves[m].count
                    for m in row.moves
                },
            )
            for row in table.rows
        ),
    )

    assert found_out(careless, column_totals(groups)) == [("woman", (0, 4))]
    assert found_out(table, column_totals(groups)) == []
    assert all(number is None for row in table.rows for number in row.moves.values())


def test_a_small_group_is_not_even_named() -> None:
    """Three people and two are told as one group of five, among the others."""
    groups = rows_of(woman={(0, 0): 20}, man={(0, 0): 30}, non_binary={(0, 0): 3}, unknown={(0, 0): 2})
    fewer = rows_of(woman={(0, 0): 20}, man={(0, 0): 30}, non_binary={(0, 0): 3})

    assert [(row.group, row.total) for row in protect(GENDER, groups, K).rows] == [
        ("woman", 20),
        ("man", 30),
        (REST, 5),
    ]
    assert [(row.group, row.total) for row in protect(GENDER, fewer, K).rows] == [("man", 30), (REST, 23)]


def test_the_stricter_policy_says_how_many_are_few() -> None:
    """The larger k of the two policies counts, whichever it stands in."""
    strict = a_policy({"k_anonymity.value": 7})
    for before, after in ((strict, gender_mix("bar")), (gender_mix("bar"), strict)):
        report = simulated(before, after, two_houses())
        assert report.k == 7
        assert table_of(report, GENDER).rows == ()


def test_the_bands_of_age_meet() -> None:
    """Every age is in one band, and the limits are where they are said to be."""
    bands = [AGE.of({"applicant.age": age}) for age in (18, 24, 25, 39, 40, 59, 60, 99)]

    assert bands == ["under_25"] * 2 + ["25_to_39"] * 2 + ["40_to_59"] * 2 + ["from_60"] * 2


@pytest.mark.parametrize(("number", "told_of"), [(4, (None, None)), (5, (10, 0))])
def test_a_rule_about_conflicts_has_a_number_only_if_many_are_behind_it(
    number: int, told_of: tuple[int | None, int | None]
) -> None:
    """Four with an unconfirmed conflict are hidden, five are told; one silent rule tells nothing either."""
    case = a_case(a_house(vacant=[2]), applicants=people(Gender.MAN, number))
    case = changed(
        case,
        conflicts=tuple(a_conflict(a.id, "hus-1-r1", confirmed=False) for a in case.applicants),
    )
    weak, strong = (a_policy({"rules.unconfirmed-conflict.effect": e}) for e in ("note", "advise_against"))
    report = simulated(weak, strong, case)
    rules = {rule.rule: (rule.worse, rule.better) for rule in report.rules}

    assert report.worse == 2 * number
    assert rules["unconfirmed-conflict"] == told_of
    assert rules["restraining-order"] == (None, None)


# -------------------------------------------------------------------------------------- the command


def run(*arguments: object) -> Result:
    """Return what the command says in this process."""
    return CliRunner().invoke(cli.app, ["simulate", *map(str, arguments)])


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """Return a policy in which women and men are never placed together, and k is 3."""
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    changed_text = re.sub(r'(\[rules\.gender-mix\]\neffect = )"advise_against"', r'\1"bar"', text)
    changed_text = changed_text.replace('version = "', 'version = "prøve ', 1)
    assert changed_text != text
    path = tmp_path / "ny.toml"
    path.write_text(changed_text, encoding="utf-8")
    return path


@functools.cache
def demo() -> Snapshot:
    """Return the demo municipality."""
    return read_case(DEMO.read_bytes())


KEYS = [
    "notice",
    "engine",
    "engine_version",
    "language",
    "policy",
    "against",
    "as_of",
    "facts_sha256",
    "k_anonymity",
    "warnings",
    "changed_rules",
    "verdicts",
    "applicants",
    "units",
    "rules",
    "groups",
    "ids",
]


def test_the_command_prints_one_object_with_its_keys(stricter: Path) -> None:
    """The document has the promised keys in a fixed order, and says what it rests on."""
    result = run(DEMO, "--policy", stricter, "--format", "json")
    content = json.loads(result.stdout)

    assert (result.exit_code, result.stderr) == (0, "")
    assert list(content) == KEYS
    assert content["notice"].startswith("Rask rangering, ikke lagret forslag.")
    assert (content["engine"], content["ids"], content["facts_sha256"]) == ("columnar", None, None)
    assert content["against"]["sha256"] == a_policy().sha256
    assert [rule["rule"] for rule in content["changed_rules"]] == ["gender-mix"]
    assert content["changed_rules"][0]["policy"]["effect"] == "bar"
    assert sum(move["count"] for move in content["verdicts"]["moves"]) == content["verdicts"]["all"]
    assert set(content["groups"]) == {"gender", "age", "rop", "main_substance", "scheme_kind"}


def all_ids(case: Snapshot) -> set[str]:
    """Return every id in a case."""
    places = (
        {scheme.id, *(group.id for group in scheme.living_groups), *(unit.id for unit in scheme.units)}
        for scheme in case.schemes
    )
    records: tuple[Any, ...] = (
        *(*case.applicants, *case.residents),
        *(*case.conflicts, *case.orders, *case.vetoes),
    )
    return set().union(*places) | {record.id for record in records}


def ids_in(said: str, case: Snapshot) -> set[str]:
    """Return the ids of a case that are in a text."""
    return {name for name in all_ids(case) if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said)}


@pytest.mark.parametrize("language", [*Language])
@pytest.mark.parametrize("form", ["table", "json"])
def test_nobody_is_named_unless_asked_for(stricter: Path, form: str, language: str) -> None:
    """Without --ids there is no id of anyone or any place; with it those that change, and no other."""
    hidden = run(DEMO, "--policy", stricter, "--format", form, "--lang", language)
    shown = run(DEMO, "--policy", stricter, "--format", form, "--lang", language, "--ids")

    assert (hidden.exit_code, shown.exit_code) == (0, 0)
    assert ids_in(hidden.stdout, demo()) == set()
    named = ids_in(shown.stdout, demo())
    assert named & {applicant.id for applicant in demo().applicants}
    assert not named & {resident.id for resident in demo().residents}
    assert not re.search(r"\{|\bNone\b", hidden.stdout) or form == "json"


def test_the_table_shows_bars_and_marks(stricter: Path) -> None:
    """Each verdict has its mark and two bars, and the change is said in words."""
    said = run(DEMO, "--policy", stricter).stdout

    assert "■ sperret" in said
    assert "█" in said
    assert "46 blir dårligere og 0 blir bedre, av 154." in said
    assert "Kvinner og menn i samme bogruppe" in said


def test_a_bar_is_as_long_as_its_number() -> None:
    """Nothing has no bar, little has a short one, everything fills the space."""
    bar = Bar(Verdict.SUITABLE, "egnet", 0, 0, 1000)

    assert [bar.eighths(number, 10) for number in (0, 1, 500, 1000)] == [0, 1, 40, 80]
    assert Bar(Verdict.SUITABLE, "egnet", 0, 0, 0).eighths(0, 10) == 0


def test_the_same_policy_says_that_nothing_differs() -> None:
    """Compared with the default policy, the default policy changes nothing."""
    result = run(DEMO, "--policy", DEFAULT_POLICY, "--ids")

    assert result.exit_code == 0
    assert "De to regelsettene sier det samme om alle regler." in result.stdout
    assert "Ingen søker og ingen boenhet kommer annerledes ut." in result.stdout


def test_a_directory_is_a_history(stricter: Path, tmp_path: Path) -> None:
    """All cases of a directory are read, whatever their names; the same as naming them."""
    folder = tmp_path / "historie"
    folder.mkdir()
    for i, name in enumerate(("b", "a")):
        case = a_case(applicants=people(Gender.MAN, 2), as_of=TODAY + timedelta(days=i))
        (folder / f"{name}.json").write_text(case.model_dump_json(), encoding="utf-8")
    whole = run(folder, "--policy", stricter, "--format", "json")
    named = run(folder / "a.json", folder / "b.json", "--policy", stricter, "--format", "json")

    assert (whole.exit_code, whole.stdout) == (0, named.stdout)
    assert json.loads(whole.stdout)["as_of"] == ["2026-11-22", "2026-11-23"]


def test_what_is_refused_is_said_in_one_line(stricter: Path, tmp_path: Path) -> None:
    """Unsound cases, two of one day, an empty directory and places that cannot be written: exit 2."""
    empty = tmp_path / "tom"
    empty.mkdir()
    bad = ROOT / "fixtures" / "invalid" / "age-17.json"
    for arguments, said in (
        ([DEMO, DEMO], "expected cases of different days"),
        ([empty], "expected at least one case"),
        ([bad], "/birth_date/value: expected a person of at least 18 years"),
        ([DEMO, "--out", tmp_path / "ikke" / "ut.json"], "--out: expected a file of its own"),
        ([DEMO, "--out", stricter], "--out: expected a file of its own"),
        ([DEMO, "--resume", DEMO], "--resume: expected a file of its own"),
        ([DEMO, "--out", tmp_path / "x", "--resume", tmp_path / "x"], "--resume: expected a file of its own"),
    ):
        result = run(*arguments, "--policy", stricter)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
        assert len(result.stderr.splitlines()) == 1


def stop_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody press Ctrl+C after so many steps of a simulation."""
    usual = Simulation.run

    def pressed(self: Simulation, tally: Tally) -> Iterator[None]:
        for number, _ in enumerate(usual(self, tally), start=1):
            if number == steps:
                signal.raise_signal(signal.SIGINT)
            yield

    monkeypatch.setattr(Simulation, "run", pressed)


@pytest.mark.parametrize("options", [[], ["--out"], ["--resume"]])
def test_a_stopped_simulation_is_gone_on_with(
    options: list[str], stricter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+C leaves a checkpoint that only its owner can read; going on gives the same bytes, and ends it."""
    monkeypatch.chdir(tmp_path)
    asked = [DEMO, "--policy", stricter, "--format", "json", "--ids"]
    uninterrupted = run(*asked).stdout
    with monkeypatch.context() as pressing:
        stop_after(4, pressing)
        stopped = run(*asked, *(part for option in options for part in (option, tmp_path / "her")))
    (written,) = [path for path in tmp_path.iterdir() if path != stricter]

    assert (stopped.exit_code, stopped.stdout) == (130, "")
    assert stopped.stderr.startswith("Stanset etter 4 av 11. Fortsett med --resume")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert json.loads(written.read_bytes())["tally"]["applicant"] == 4
    resumed = run(*asked, "--resume", written)
    assert (resumed.exit_code, resumed.stderr, resumed.stdout) == (0, "", uninterrupted)
    assert not written.exists()


def test_the_file_written_is_what_is_printed(stricter: Path, tmp_path: Path) -> None:
    """--out holds the same bytes as --format json, and leaves no other file behind."""
    out = tmp_path / "ut.json"
    result = run(DEMO, "--policy", stricter, "--format", "json", "--out", out)

    assert out.read_bytes() == result.stdout_bytes
    assert {path.name for path in tmp_path.iterdir()} == {"ut.json", "ny.toml"}


def test_no_progress_is_drawn_where_nobody_watches(stricter: Path) -> None:
    """Standard error stays empty where it is no terminal."""
    assert run(DEMO, "--policy", stricter).stderr == ""


# -------------------------------------------------------------------------------------- checkpoints


def half_way(case: Snapshot, before: Policy, after: Policy) -> bytes:
    """Return a checkpoint after the first applicant."""
    simulation, tally = Simulation([case], before, after), Tally()
    next(simulation.run(tally))
    return checkpoint(tally, inputs(simulation))


@pytest.mark.parametrize(
    ("case", "before", "after", "what"),
    [
        (two_houses(), "advise_against", "note", "policy, handbook"),
        (two_houses(), "weak", "bar", "against, handbook"),
        (two_houses(men=4), "advise_against", "bar", "cases"),
    ],
)
def test_a_checkpoint_of_other_inputs_is_refused(case: Snapshot, before: str, after: str, what: str) -> None:
    """Another policy, another one compared with, or another case: it says which, and nothing else."""
    written = half_way(two_houses(), gender_mix("advise_against"), gender_mix("bar"))
    policy = a_policy({"k_anonymity.value": 6}) if before == "weak" else gender_mix(before)
    hashes = inputs(Simulation([case], policy, gender_mix(after)))
    if before == "weak":
        what = what.removesuffix(", handbook")  # the handbook says nothing of k

    with pytest.raises(SimulationError, match=f"counted with other: {what}$"):
        resume(written, hashes)


def test_the_command_refuses_a_checkpoint_of_another_policy(stricter: Path, tmp_path: Path) -> None:
    """Exit 2, one line, and the checkpoint is left alone."""
    place = tmp_path / "sjekkpunkt"
    written = half_way(demo(), a_policy(), gender_mix("note"))
    place.write_bytes(written)
    result = run(DEMO, "--policy", stricter, "--resume", place)

    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(
        rf"{place}: expected a checkpoint of this simulation; it was counted with other: policy, handbook\n",
        result.stderr,
    )
    assert place.read_bytes() == written


def test_a_damaged_checkpoint_is_refused() -> None:
    """Cut off anywhere, changed, or something else altogether: never counted on from."""
    case, before, after = two_houses(), gender_mix("note"), gender_mix("bar")
    written = half_way(case, before, after)
    hashes = inputs(Simulation([case], before, after))
    changed_ = written.replace(b'"applicant": 1', b'"applicant": 2')

    assert changed_ != written
    for bad in (
        *(written[:n] for n in range(0, len(written) - 2, 97)),
        changed_,
        b"[]",
        b"{}",
        b"1",
        b"\xff",
    ):
        with pytest.raises(SimulationError, match="whole checkpoint"):
            resume(bad, hashes)


def test_a_checkpoint_holds_numbers_and_ids_and_no_fact_about_anyone() -> None:
    """Ids of applicants stand only beside what became of them, never beside a group or a rule."""
    written = json.loads(half_way(two_houses(), gender_mix("note"), gender_mix("bar")))
    tally = written["tally"]
    apart = json.dumps({name: tally[name] for name in ("groups", "rules", "moves", "best", "units")})

    assert not re.search(r'"[wm][0-9]+"', apart)
    assert set(tally["people"]) == {"m1"}
    assert not re.search(r"-[rb][0-9]", json.dumps(written))  # nobody who lives there


@pytest.mark.parametrize("language", [*Language])
def test_every_part_of_a_report_has_words(language: str) -> None:
    """Groups, limits, warnings and a history are said in every language, with no placeholder left."""
    late = {
        "justifications.gender.review_by": date(2026, 11, 1),
        "rules.age-mix.params.young_under.value": 30,
    }
    case = two_houses()
    spread = [
        changed(a, birth_date=known(date(1930 + 3 * (i % 25), 1, 1))) for i, a in enumerate(case.applicants)
    ]
    history = on_days(changed(case, applicants=tuple(spread)), 2)
    report = simulated(a_policy(), a_policy(late), *history)
    said = [str(part) for part in pages(report, language, ids=True)]

    assert not [part for part in said if re.search(r"\{\w|None|Missing", part)]
    assert len(said) > 20
