"""Two engines decide: what they agree on is answered, and nothing else."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from allocator.engines import Engine, EngineError, Judgement, Outcome, registry
from allocator.engines.crosscheck import Checked, DisagreementError
from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.engines.registry import ENGINES
from allocator.explain import facts_sha256
from allocator.facts import Candidate, CaseFacts
from allocator.model import Snapshot
from allocator.policy import BoundRule, Policy
from allocator.scoring import suggest
from api import engines
from api.app import create_app
from api.metrics import CHECKED, DISAGREEMENTS, JUDGED
from fixtures.generator import municipality
from tests.properties.test_engines_agree import candidates
from tests.strategies import AS_OF, default_policy, policies, snapshots

CASE = municipality(5, 150, applicants=2)
APPLICANT = CASE.applicants[0].id

Flaw = Callable[[list[Judgement]], list[Judgement]]


@dataclass
class Flawed:
    """An engine with something wrong in what it says."""

    engine: Engine
    flaw: Flaw
    name: str = field(init=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.version = self.engine.name, self.engine.version

    def judge(self, people: Iterable[Candidate]) -> list[Judgement]:
        """Judge, and change what was found."""
        return self.flaw(self.engine.judge(people))


@dataclass
class Counter:
    """Remembers what it is told."""

    told: list[tuple[object, ...]] = field(default_factory=list)

    def judged(self, engine: str, number: int) -> None:
        """Remember how many an engine has judged."""
        self.told.append((engine, number))

    def checked(self, number: int, disagreeing: int) -> None:
        """Remember how many were checked."""
        self.told.append(("checked", number, disagreeing))


def rules() -> tuple[BoundRule, ...]:
    """Return the default policy's rules."""
    return default_policy().active(CASE.as_of)


def asked() -> list[Candidate]:
    """Return one applicant in some units."""
    facts = CaseFacts(CASE)
    return [facts.candidate(APPLICANT, unit) for unit in list(facts.places)[:12]]


_OTHER = {Outcome.KEPT: Outcome.BROKEN, Outcome.BROKEN: Outcome.UNKNOWN, Outcome.UNKNOWN: Outcome.KEPT}


def of_one(rule: str, change: Callable[[tuple[Outcome, ...]], tuple[Outcome, ...]]) -> Flaw:
    """Return a flaw in the outcomes of one rule, for one candidate among whose neighbours it counts."""

    def flaw(judgements: list[Judgement]) -> list[Judgement]:
        at = next((i for i, one in enumerate(judgements) if one.outcomes[rule]), None)
        if at is None:
            return judgements
        outcomes = {**judgements[at].outcomes, rule: change(judgements[at].outcomes[rule])}
        return [*judgements[:at], replace(judgements[at], outcomes=outcomes), *judgements[at + 1 :]]

    return flaw


def flipped_remark(judgements: list[Judgement]) -> list[Judgement]:
    """Say the opposite of one remark."""
    if not judgements:
        return judgements
    rule = min(judgements[-1].remarks)
    remarks = {**judgements[-1].remarks, rule: not judgements[-1].remarks[rule]}
    return [*judgements[:-1], replace(judgements[-1], remarks=remarks)]


def without_rule(judgements: list[Judgement]) -> list[Judgement]:
    """Leave out one rule of one candidate."""
    return [
        replace(one, outcomes={k: v for k, v in one.outcomes.items() if i or k != "gender-mix"})
        for i, one in enumerate(judgements)
    ]


FLAWS: dict[str, tuple[Flaw, str]] = {
    "an outcome flipped": (of_one("rop-requirement", lambda found: (_OTHER[found[0]],)), "rop-requirement"),
    "a member's outcome flipped": (
        of_one("gender-mix", lambda found: (*found[:-1], _OTHER[found[-1]])),
        "gender-mix",
    ),
    "a member dropped": (of_one("substance-mix", lambda found: found[1:]), "substance-mix"),
    "a member invented": (of_one("age-mix", lambda found: (*found, Outcome.KEPT)), "age-mix"),
    "a rule left out": (without_rule, "gender-mix"),
    "a remark flipped": (flipped_remark, min(rule.id for rule in rules() if rule.remark_when is not None)),
}


# -------------------------------------------------------------------------------------- agreeing


@settings(max_examples=max(3, settings().max_examples // 3))
@given(case=snapshots(max_units=4), policy=policies(), second=st.sampled_from(sorted(ENGINES)))
def test_checked_is_unchecked_where_engines_agree(case: Snapshot, policy: Policy, second: str) -> None:
    """For any case and policy, a checked answer is the answer; every engine can be the second one."""
    made, people = policy.active(case.as_of), candidates(case)
    counter = Counter()
    record = DurableEngine(made)
    checked = Checked(record, ENGINES[second](made), counter)

    assert checked.judge(iter(people)) == record.judge(people)
    assert (checked.name, checked.version) == (record.name, record.version)
    assert counter.told[-1] == ("checked", len(people), 0)


def test_what_is_judged_is_counted() -> None:
    """Both engines' candidates are counted, and those that both have judged."""
    counter = Counter()
    Checked(DurableEngine(rules()), ReferenceEngine(rules()), counter).judge(asked())

    assert counter.told == [("durable", 12), ("reference", 12), ("checked", 12, 0)]


# ------------------------------------------------------------------------------------- disagreeing


@pytest.mark.parametrize("flaw", FLAWS)
@pytest.mark.parametrize("flawed", ["record", "second"])
def test_a_planted_fault_is_withheld(flaw: str, flawed: str) -> None:
    """Whichever engine has the fault nothing is answered; rules and engines are named, and nothing else."""
    wrong, rule = FLAWS[flaw]
    record: Engine = DurableEngine(rules())
    second: Engine = ReferenceEngine(rules())
    if flawed == "record":
        record = Flawed(record, wrong)
    else:
        second = Flawed(second, wrong)
    counter = Counter()
    with pytest.raises(DisagreementError) as withheld:
        Checked(record, second, counter).judge(asked())

    assert (withheld.value.rules, withheld.value.candidates) == ((rule,), 1)
    assert withheld.value.engines == {record.name: record.version, second.name: second.version}
    assert str(withheld.value) == f"durable and reference disagree about {rule}"
    assert counter.told[-1] == ("checked", 12, 1)


@settings(max_examples=max(3, settings().max_examples // 2))
@given(case=snapshots(max_units=4, as_of=AS_OF), where=st.data())
def test_any_single_flip_is_withheld(case: Snapshot, where: st.DataObject) -> None:
    """Whichever outcome of whichever candidate is changed, and to what, it is noticed."""
    made, people = default_policy().active(AS_OF), candidates(case)
    right = ReferenceEngine(made)
    judged = right.judge(people)
    if not judged:
        return
    at = where.draw(st.integers(0, len(judged) - 1))
    rule = where.draw(st.sampled_from([r for r, found in judged[at].outcomes.items() if found]))
    found = judged[at].outcomes[rule]
    member = where.draw(st.integers(0, len(found) - 1))
    other = where.draw(st.sampled_from([outcome for outcome in Outcome if outcome is not found[member]]))
    wrong = (*found[:member], other, *found[member + 1 :])

    def flaw(judgements: list[Judgement]) -> list[Judgement]:
        judgements[at] = replace(judgements[at], outcomes={**judgements[at].outcomes, rule: wrong})
        return judgements

    with pytest.raises(DisagreementError) as withheld:
        Checked(Flawed(right, flaw), right).judge(people)
    assert withheld.value.rules == (rule,)


def fail(_judgements: list[Judgement]) -> list[Judgement]:
    """Break, with a message that quotes facts."""
    raise ValueError("applicant.age: 24")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [(fail, "reference could not check: ValueError"), (lambda _: [], "its answer was not whole")],
    ids=["it breaks", "it says too little"],
)
def test_what_cannot_be_checked_is_withheld(wrong: Flaw, reason: str) -> None:
    """Where the second engine cannot answer nothing is shown either, and it does not count as checked."""
    counter = Counter()
    with pytest.raises(EngineError, match=reason) as withheld:
        Checked(DurableEngine(rules()), Flawed(ReferenceEngine(rules()), wrong), counter).judge(asked())

    assert not isinstance(withheld.value, DisagreementError)
    assert "age" not in str(withheld.value)
    assert withheld.value.__cause__ is None
    assert counter.told == [("durable", 12)]


def test_a_failure_of_the_record_is_its_own() -> None:
    """Where the engine of record cannot answer, that is what is said."""

    def refuse(_judgements: list[Judgement]) -> list[Judgement]:
        raise EngineError("out of memory")

    counter = Counter()
    with pytest.raises(EngineError, match="out of memory"):
        Checked(Flawed(DurableEngine(rules()), refuse), ReferenceEngine(rules()), counter).judge(asked())
    assert counter.told == []


# -------------------------------------------------------------------------------------- by name


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_installed", {})
    monkeypatch.setattr(registry, "_made", OrderedDict())


def test_what_is_installed_is_used_by_all() -> None:
    """An engine that is installed decides whoever asks for it by name, and forgets the one before."""
    before = suggest(CASE, default_policy(), APPLICANT)
    registry.install("durable", lambda made: Checked(DurableEngine(made), ReferenceEngine(made)))
    used = registry.engine("durable", default_policy(), CASE.as_of)

    assert isinstance(used, Checked)
    assert registry.engine("durable", default_policy(), CASE.as_of) is used
    assert suggest(CASE, default_policy(), APPLICANT).ranked == before.ranked


def test_installing_twice_keeps_what_is_made() -> None:
    """The same maker installed again changes nothing."""

    def make(made: tuple[BoundRule, ...]) -> Engine:
        return DurableEngine(made)

    registry.install("durable", make)
    used = registry.engine("durable", default_policy(), CASE.as_of)
    registry.install("durable", make)
    assert registry.engine("durable", default_policy(), CASE.as_of) is used


def test_only_engines_that_there_are_can_be_installed() -> None:
    """A name that no engine has is refused."""
    with pytest.raises(KeyError):
        registry.install("oracle", DurableEngine)


# ------------------------------------------------------------------------------------ in the service


@pytest.fixture
def flawed_service(monkeypatch: pytest.MonkeyPatch) -> Callable[[Flaw], FastAPI]:
    """Give what makes a service whose engine of record has a fault."""

    def make(flaw: Flaw) -> FastAPI:
        monkeypatch.setattr(
            engines, "ContainedEngine", lambda made, **_given: Flawed(DurableEngine(made), flaw)
        )
        app = create_app(CASE, default_policy(), demo=True)
        engines.install()
        return app

    return make


def post(app: FastAPI, path: str, content: Any) -> httpx.Response:
    """Return the answer to one question."""

    async def one() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(f"/api/v1/{path}", json=content)

    return asyncio.run(one())


def counted() -> dict[str, float]:
    """Return what the service has counted until now."""
    found = {}
    for counter in (JUDGED, CHECKED, DISAGREEMENTS):
        for metric in counter.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    found["".join((sample.name, *sample.labels.values()))] = sample.value
    return found


QUESTIONS = {
    "suggestions": {"applicant": APPLICANT},
    "shortlists": {"unit": next(u.id for s in CASE.schemes for u in s.units if u.status == "vacant")},
}


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize("flaw", ["an outcome flipped", "a member dropped", "a remark flipped"])
def test_the_service_withholds_and_logs(
    flaw: str, path: str, flawed_service: Callable[[Flaw], FastAPI]
) -> None:
    """A disagreement is a problem in plain words, a line in the log with hashes, and a figure."""
    wrong, rule = FLAWS[flaw]
    app, before = flawed_service(wrong), counted()
    with capture_logs() as logs:
        response = post(app, path, QUESTIONS[path])
    (line,) = [entry for entry in logs if entry["event"] == "engines_disagree"]
    after = counted()

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "two engines disagreed about this case"
    assert set(response.json()) == {"type", "title", "status", "detail"}
    assert line.pop("engines").keys() >= {"durable"}
    assert line == {
        "event": "engines_disagree",
        "log_level": "error",
        "rules": (rule,),
        "candidates": 1,
        "policy_sha256": default_policy().sha256,
        "facts_sha256": facts_sha256(CASE),
    }
    assert after["allocator_disagreements_total"] == before["allocator_disagreements_total"] + 1
    assert after["allocator_candidates_checked_total"] > before["allocator_candidates_checked_total"]


def test_the_log_has_the_hash_of_the_case_that_was_sent(
    flawed_service: Callable[[Flaw], FastAPI],
) -> None:
    """Where the question brings its own case, it is that one's hash that is logged."""
    own = municipality(6, 60, applicants=1)
    question = {"applicant": own.applicants[0].id, "case": own.model_dump(mode="json")}
    with capture_logs() as logs:
        response = post(flawed_service(FLAWS["an outcome flipped"][0]), "suggestions", question)

    assert response.status_code == 500
    (line,) = [entry for entry in logs if entry["event"] == "engines_disagree"]
    assert line["facts_sha256"] == facts_sha256(own) != facts_sha256(CASE)


def test_the_service_answers_where_engines_agree(flawed_service: Callable[[Flaw], FastAPI]) -> None:
    """Where nothing is wrong everything that is judged is checked, and the answer is the bare engine's."""
    app, before = flawed_service(lambda judgements: judgements), counted()
    response = post(app, "suggestions", QUESTIONS["suggestions"])
    after = counted()
    grown = {name: after[name] - before.get(name, 0) for name in after}

    assert response.status_code == 200
    assert grown["allocator_candidates_judged_totaldurable"] > 0
    assert grown["allocator_candidates_checked_total"] == grown["allocator_candidates_judged_totaldurable"]
    assert grown["allocator_disagreements_total"] == 0
