"""The fixtures hold: documented schemes are documented, cases are valid, golden expectations come true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.model import (
    LivingGroup,
    Scheme,
    Snapshot,
)
from allocator.policy import Policy
from allocator.rules.sources import WORKS
from allocator.scoring import Assessment, Suggestions, suggest

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"

LOADER_FAULTS = frozenset({"duplicate-key", "nan", "not-json"})
"""Invalid documents whose fault is in the JSON itself: refusing them is up to whoever reads the document."""

NOT_PUBLISHED = frozenset({"id", "status", "vacant_since", "vacant_from", "offer_complete"})
"""Our own keys, and the state of a unit, which in these files is always invented."""

ENGINES = (DurableEngine.name, ReferenceEngine.name)

SCHEME_FILES = sorted((FIXTURES / "schemes").glob("*.json"))
CASE_FILES = sorted((FIXTURES / "cases").glob("*.json"))
INVALID_FILES = sorted((FIXTURES / "invalid").glob("*.json"))
GOLDEN: list[dict[str, Any]] = json.loads((FIXTURES / "golden.json").read_text(encoding="utf-8"))


def _name(path: Path) -> str:
    return path.stem


@cache
def _policy() -> Policy:
    return Policy.from_toml((FIXTURES / "policies" / "default.toml").read_text(encoding="utf-8"))


@cache
def _case(path: Path) -> Snapshot:
    return Snapshot.model_validate_json(path.read_bytes())


@cache
def _scheme(path: Path) -> Scheme:
    return Scheme.model_validate_json(path.read_bytes())


@cache
def _suggestions(path: Path, applicant: str, engine: str) -> Suggestions:
    return suggest(_case(path), _policy(), applicant, engine)


def _published(scheme: Scheme) -> Iterator[str]:
    """Yield the key of everything that a documented scheme states."""
    for name, value in scheme:
        if value is not None and name not in NOT_PUBLISHED | {"living_groups", "evidence"}:
            yield name
    if scheme.living_groups:
        yield "living_groups"
    for group in scheme.living_groups:
        yield from _published_of(group)


def _published_of(group: LivingGroup) -> Iterator[str]:
    names = {name for unit in group.units for name in unit.model_dump(exclude_defaults=True)}
    for name in sorted(names - NOT_PUBLISHED):
        yield f"{group.id}/{name}"


def _as_documented(scheme: Scheme) -> Scheme:
    """Return the scheme with every unit's invented state taken out."""
    groups = tuple(
        group.model_copy(
            update={
                "units": tuple(
                    unit.model_copy(update={"status": "occupied", "vacant_since": None, "vacant_from": None})
                    for unit in group.units
                )
            }
        )
        for group in scheme.living_groups
    )
    return scheme.model_copy(update={"living_groups": groups})


@pytest.mark.parametrize("path", SCHEME_FILES, ids=_name)
def test_a_documented_scheme_is_a_scheme_named_after_its_file(path: Path) -> None:
    """A scheme file validates and is called what its scheme is called."""
    assert _scheme(path).id == path.stem


@pytest.mark.parametrize("path", SCHEME_FILES, ids=_name)
def test_everything_published_says_where_and_nothing_else_does(path: Path) -> None:
    """What a documented scheme states has evidence, and there is no evidence for what it does not state."""
    scheme = _scheme(path)
    assert sorted(scheme.evidence) == sorted(_published(scheme))


@pytest.mark.parametrize("path", SCHEME_FILES, ids=_name)
def test_evidence_cites_a_known_work(path: Path) -> None:
    """Evidence cites a work that the rulebook knows."""
    cited = {evidence.source for evidence in _scheme(path).evidence.values()}
    assert cited <= set(WORKS)


@pytest.mark.parametrize("path", SCHEME_FILES, ids=_name)
def test_no_documented_scheme_has_a_gender_condition(path: Path) -> None:
    """Who a house was founded for is a description and never a condition (E-02)."""
    assert _scheme(path).gender_condition is None


@pytest.mark.parametrize("path", CASE_FILES, ids=_name)
def test_a_case_is_valid_and_says_that_its_people_are_invented(path: Path) -> None:
    """A case file validates, has no problems with itself, and says that nobody in it is real."""
    case = _case(path)
    assert "oppdiktet" in (case.notes or "")


@pytest.mark.parametrize("path", CASE_FILES, ids=_name)
def test_documented_schemes_in_cases_are_as_documented(path: Path) -> None:
    """A case may invent who lives in a documented scheme, but nothing about the scheme."""
    documented = {scheme.stem: _as_documented(_scheme(scheme)) for scheme in SCHEME_FILES}
    for scheme in _case(path).schemes:
        if scheme.id in documented:
            assert _as_documented(scheme) == documented[scheme.id]


def test_all_documented_schemes_are_in_the_documented_case() -> None:
    """The case of documented schemes leaves none out and adds none."""
    case = _case(FIXTURES / "cases" / "documented-schemes.json")
    assert sorted(scheme.id for scheme in case.schemes) == [path.stem for path in SCHEME_FILES]


@pytest.mark.parametrize("path", INVALID_FILES, ids=_name)
def test_an_invalid_case_has_exactly_one_fault(path: Path) -> None:
    """The model refuses an invalid case for one reason, unless its fault is in the JSON itself."""
    if path.stem in LOADER_FAULTS:
        return
    with pytest.raises(ValidationError) as refused:
        Snapshot.model_validate_json(path.read_bytes())
    (error,) = refused.value.errors()
    cause = error.get("ctx", {}).get("error")
    assert len(getattr(cause, "problems", (cause,))) == 1


def test_loader_faults_are_among_the_invalid_cases() -> None:
    """The list of faults that are left to the loader names files that exist."""
    assert {path.stem for path in INVALID_FILES} >= LOADER_FAULTS


def test_golden_entries_are_told_apart_and_quote_little() -> None:
    """Golden entries have ids of their own, cite a known work and quote at most twelve words."""
    ids = [entry["id"] for entry in GOLDEN]
    assert len(set(ids)) == len(ids)
    for entry in GOLDEN:
        assert entry["cites"]["source"] in WORKS
        assert 0 < len(entry["cites"]["quote_words"].split()) <= 12


def test_every_golden_case_is_used() -> None:
    """No case is kept for a golden entry that is gone."""
    used = {entry["case"] for entry in GOLDEN}
    assert used == {
        path.relative_to(ROOT).as_posix() for path in CASE_FILES if path.stem.startswith("golden-")
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("entry", GOLDEN, ids=[entry["id"] for entry in GOLDEN])
def test_golden_expectation_holds(entry: dict[str, Any], engine: str) -> None:
    """What a source document reports comes out under the default policy, with either engine."""
    assessment = _assessment(ROOT / entry["case"], entry["applicant"], entry["unit"], engine)
    found = {(f.rule.id, f.outcome.value, f.rule.effect.code) for f in assessment.findings}
    expected = {(f["rule"], f["outcome"], f["effect"]) for f in entry["expect"]["findings"]}
    assert assessment.verdict.code == entry["expect"]["verdict"]
    assert expected <= found


def _assessment(path: Path, applicant: str, unit: str, engine: str) -> Assessment:
    ranked = _suggestions(path, applicant, engine).ranked
    return next(entry.assessment for entry in ranked if entry.assessment.unit == unit)


def _verdicts(case: str) -> dict[str, set[str]]:
    path = FIXTURES / "cases" / f"{case}.json"
    return {
        applicant.id: {
            entry.assessment.verdict.code
            for entry in _suggestions(path, applicant.id, ReferenceEngine.name).ranked
        }
        for applicant in _case(path).applicants
    }


@pytest.mark.parametrize("case", ["demo-municipality", "documented-schemes"])
def test_the_large_cases_show_every_verdict(case: str) -> None:
    """The demo and the documented case show all five verdicts, and someone whom everything excludes."""
    verdicts = _verdicts(case)
    assert set().union(*verdicts.values()) == {
        "suitable",
        "suitable_with_remarks",
        "needs_clarification",
        "advised_against",
        "blocked",
    }
    assert any(codes <= {"advised_against", "blocked"} for codes in verdicts.values())


def test_the_demo_has_good_news_for_some() -> None:
    """In the demo at least three applicants have a unit that is simply suitable."""
    assert sum("suitable" in codes for codes in _verdicts("demo-municipality").values()) >= 3


def test_the_oslo_table_adds_up_and_names_no_uncertain_column() -> None:
    """Each row adds up to its printed total, and an ambiguous column has candidates instead of a label."""
    table = json.loads((FIXTURES / "oslo-2018.json").read_text(encoding="utf-8"))
    columns = {column["key"]: column for column in table["columns"]}
    for row in table["rows"]:
        assert list(row["values"]) == list(columns)
        assert sum(row["values"].values()) == row["total"]
    statuses = {key: column["column_label_status"] for key, column in columns.items()}
    assert statuses == {
        "c1": "likely",
        "c2": "likely",
        "c3": "ambiguous",
        "c4": "ambiguous",
        "c5": "certain",
        "c6": "likely",
    }
    for column in columns.values():
        ambiguous = column["column_label_status"] == "ambiguous"
        assert (column["column_label"] is None) == ambiguous == ("candidates" in column)
