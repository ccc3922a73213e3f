"""The benchmark: its answers are right, its data are the same everywhere, and what is wrong is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from allocator.codes import FactStatus
from allocator.model import Snapshot
from allocator.scoring import BASE_SCORE
from bench import measure, run
from bench.encoded import PAIR, UNIT, Encoded
from bench.floor import Peer as Floor
from bench.floor import lanes
from bench.peers import BY_NAME, KINDS, Kind, Peer
from bench.workload import (
    RULE_IDS,
    Case,
    Row,
    WorkloadPolicy,
    make_case,
    municipality,
    right_answer,
    workload_rules,
)

OWN = tuple(kind for kind in KINDS if kind.package is None)
"""Engines that need nothing beyond what the tests have; the others: ``python -m bench --check``."""


def test_engines_without_a_package_are_the_floor_ours_and_plain_objects() -> None:
    """No engine is left out of the comparison below in silence."""
    assert [kind.name for kind in OWN] == ["floor", "columnar", "reference", "durable", "plain objects"]


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.name)
@pytest.mark.parametrize(("units", "residents", "asked"), [(12, 8, 12), (30, 4, 2), (5, 40, 2)])
def test_every_engine_gives_the_right_answer(kind: Kind, units: int, residents: int, asked: int) -> None:
    """Verdicts, points, rules and order are the reference's, in small and in large living groups."""
    case = make_case(units, residents, applicants=20)

    assert run.difference(case, kind.load()(case, Encoded(case)), case.applicants[:asked]) is None


def test_answers_hold_every_verdict_and_rule_broken_kept_and_unknown() -> None:
    """Equal answers mean something: all rules come out in every way, and every verdict is given."""
    case = make_case(60, applicants=60)
    floor = Floor(case)
    rows = [row for applicant in case.applicants for row in floor.rows(applicant)]

    assert {row[1] for row in rows} == {0, 1, 2, 4}
    assert {rule for row in rows for rule in row[3]} == set(RULE_IDS)
    assert {rule for row in rows for rule in row[4]} == set(RULE_IDS)
    assert all(any(rule not in (*row[3], *row[4]) for row in rows) for rule in RULE_IDS)


class _Wrong:
    """An engine that is wrong in one way."""

    def __init__(self, peer: Peer, change: str) -> None:
        self._peer, self._change = peer, change

    def rows(self, applicant: str) -> list[Row]:
        rows = self._peer.rows(applicant)
        first, second, *rest = rows
        match self._change:
            case "order":
                return [second, first, *rest]
            case "missing":
                return rows[:-1]
            case "verdict":
                return [(first[0], first[1] + 1, *first[2:]), second, *rest]
            case "score":
                return [*first_changed(rows)]
            case "rules":
                return [(*first[:4], (*first[4], "unit-size")), second, *rest]
        raise AssertionError(self._change)


def first_changed(rows: list[Row]) -> list[Row]:
    """Return rows with one point more for the last."""
    *rest, last = rows
    return [*rest, (*last[:2], last[2] + 1, *last[3:])]


@pytest.mark.parametrize("change", ["order", "missing", "verdict", "score", "rules"])
def test_a_wrong_answer_is_found(change: str) -> None:
    """Another order, verdict, score or rule, or a unit too few, is never taken for equal."""
    case = make_case(12, applicants=3)

    assert run.difference(case, _Wrong(Floor(case), change), case.applicants[:1]) is not None


def test_in_a_large_case_the_floor_stands_beside_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the reference judges some units only, the others are compared with the floor."""
    monkeypatch.setattr(run, "SAMPLE", 4)
    case = make_case(12, applicants=3)
    floor = Floor(case)

    assert run.difference(case, floor, case.applicants[:2], floor) is None
    assert run.difference(case, _Wrong(floor, "score"), case.applicants[:1], floor) is not None


def test_a_missing_package_is_told_and_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--check`` names an engine that is not installed, and fails."""
    gone = replace(BY_NAME["ZEN"], module="bench.peers.not_there", package="not-there")
    monkeypatch.setattr(run, "KINDS", (BY_NAME["floor"], gone))
    monkeypatch.setattr(run, "CHECKED", ((3, 2, 1),))

    assert run.main(["--check"]) == 1
    told = capsys.readouterr().out
    assert "floor: equal" in told
    assert "not installed" in told
    assert "needs package not-there" in told


def test_check_succeeds_where_all_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--check`` ends with 0 if all answers are equal."""
    monkeypatch.setattr(run, "CHECKED", ((3, 2, 1),))

    assert run.main(["--check", "--only", "floor,reference,plain objects"]) == 0


# ----------------------------------------------------------------------------------------- the data


def test_the_same_seed_gives_the_same_municipality() -> None:
    """Seed and sizes alone decide; another seed gives other people."""
    assert municipality(6, applicants=2) == municipality(6, applicants=2)
    assert municipality(6, applicants=2) != municipality(6, applicants=2, seed=8)


def test_the_municipality_is_valid() -> None:
    """Written and read again, with everything checked, it is the same."""
    case = municipality(12, applicants=6)

    assert Snapshot.model_validate_json(case.model_dump_json()) == case


def test_more_applicants_change_neither_houses_nor_residents() -> None:
    """A batch has the same houses as a single question."""
    few, many = municipality(6, applicants=2), municipality(6, applicants=9)

    assert (few.schemes, few.residents) == (many.schemes, many.residents)


@pytest.mark.parametrize("residents", [4, 8, 16, 40])
def test_living_groups_are_about_as_large_as_asked(residents: int) -> None:
    """The mean is nearly as asked, and no group is more than two fifths larger or smaller, or empty."""
    case = municipality(200, residents, applicants=1)
    sizes = [sum(1 for _ in scheme.units) - 1 for scheme in case.schemes]

    assert sum(sizes) / len(sizes) == pytest.approx(residents, rel=0.1)
    assert min(sizes) >= max(1, residents * 3 // 5 - 1)
    assert max(sizes) <= residents * 7 // 5 + 1


def _unknown_percent(case: Snapshot, *, of_residents: bool) -> float:
    people = case.residents if of_residents else case.applicants
    facts = [
        fact.status is not FactStatus.KNOWN
        for person in people
        for fact in (person.gender, person.birth_date, person.rop, person.main_substance, person.risk)
    ]
    return 100 * sum(facts) / len(facts)


def test_so_many_facts_are_unknown() -> None:
    """Three of a hundred facts about residents, and six about applicants."""
    case = municipality(150, applicants=300)

    assert 2 < _unknown_percent(case, of_residents=True) < 4
    assert 4.5 < _unknown_percent(case, of_residents=False) < 7.5


def test_more_rules_are_copies_with_ids_and_limits_of_their_own() -> None:
    """Thirty and sixty rules: no id twice, and the copies do not all say the same."""
    for number in (5, 12, 30, 60):
        rules = workload_rules(8, number)
        assert len({rule.id for rule in rules}) == number
    ages = {rule.broken_when for rule in workload_rules(8, 60) if rule.id.startswith("pair-age")}
    assert len(ages) == 5


def test_sixty_rules_are_ranked_as_the_reference_does() -> None:
    """The columnar engine takes any rules, not only those of the rulebook."""
    case = make_case(6, applicants=2)
    under = Case(case.snapshot, WorkloadPolicy(workload_rules(8, 60)))
    given = BY_NAME["columnar"].load()(under, None).rows(under.applicants[0])

    assert given == right_answer(under, under.applicants[0])
    assert max(len(row[3]) for row in given) > len(RULE_IDS)


def test_every_rule_is_told_to_the_others() -> None:
    """The conditions written for the other engines are those of the twelve rules."""
    assert {*PAIR, *UNIT} == set(RULE_IDS)


def test_words_are_as_wide_as_the_largest_group_needs() -> None:
    """Sixteen bits are not enough for forty residents, and more than sixty-four are refused."""
    assert [lanes(number)(0).nbytes for number in (16, 17, 40, 64)] == [2, 4, 8, 8]
    with pytest.raises(ValueError, match="64"):
        lanes(65)


# -------------------------------------------------------------------------------------- the tables


def test_an_exponent_is_the_slope_of_the_logarithms() -> None:
    """Ten times the size at ten, a hundred or one times the time: one, two and nought."""
    assert measure.exponent({10: 1.0, 100: 10.0, 1000: 100.0}) == pytest.approx(1)
    assert measure.exponent({10: 1.0, 100: 100.0}) == pytest.approx(2)
    assert measure.exponent({10: 5.0, 100: 5.0}) == pytest.approx(0)
    assert measure.exponent({10: 5.0}) != measure.exponent({10: 5.0})


def test_every_job_of_a_round_is_asked_the_same() -> None:
    """Jobs are compared on the same questions, whatever their order, and prepared with no clock running."""
    asked: dict[str, list[int]] = {"one": [], "other": []}
    prepared: list[str] = []
    jobs = [
        measure.Job("one", asked["one"].append),
        measure.Job("other", asked["other"].append, before=lambda: prepared.append("other")),
    ]
    measure.rounds(jobs, 4, 10.0, run.Plan().random)

    assert asked["one"] == asked["other"]
    assert len(set(asked["one"])) == len(asked["one"]) == 1 + 4 * measure.SEVERAL
    assert len(prepared) == len(asked["other"])
    assert [len(job.seconds) for job in jobs] == [4 * measure.SEVERAL] * 2


def test_tables_are_written_between_their_markers() -> None:
    """What stands around the tables stays; without markers nothing is written."""
    text = f"before\n{run.BEGIN}\nold\n{run.END}\nafter\n"
    new = run.written(text, "new")

    assert new == f"before\n{run.BEGIN}\n\nnew\n\n{run.END}\nafter\n"
    assert run.written(new, "new") == new
    with pytest.raises(ValueError, match="no place"):
        run.written("no markers", "new")


def test_the_readme_has_a_place_for_the_tables() -> None:
    """The file that a run writes has the markers."""
    text = Path(run.README).read_text(encoding="utf-8")

    assert text.index(run.BEGIN) < text.index(run.END)


def test_the_score_starts_where_scoring_starts() -> None:
    """A unit without any rule broken has the score of scoring."""
    case = make_case(40, applicants=40)
    floor = Floor(case)
    kept = [row for name in case.applicants for row in floor.rows(name) if not row[3]]

    assert kept
    assert {row[2] for row in kept} == {BASE_SCORE}
