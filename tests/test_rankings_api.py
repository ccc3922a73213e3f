"""Quick rankings over HTTP: the same as a suggestion, said to be unchecked, and for the committee alone."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from structlog.testing import capture_logs

from allocator.documents import read_case
from allocator.engines import EngineError
from allocator.explain import document, facts_sha256
from allocator.model import (
    Snapshot,
)
from allocator.policy import Policy
from allocator.scoring import shortlist, suggest
from allocator.texts import Language, catalog
from api import app as application
from api.app import create_app
from api.routes import rankings
from api.routes.rankings import Laid, Layouts
from tests.test_api import (
    APPLICANT,
    NAME,
    NUMBER,
    SMALL,
    TOKEN,
    UNIT,
    ask,
    described,
    loaded,
    post,
    problem,
)

APPLICANTS = tuple(applicant.id for applicant in loaded()[0].applicants)
UNITS = tuple(unit.id for scheme in loaded()[0].schemes for unit in scheme.units)
FINDING = ("rule", "outcome", "effect", "points", "could_cost", "about")


def ranked(app: FastAPI | None = None, /, **question: Any) -> Any:
    """Return the answer to a question that is answered."""
    response = post("rankings", question, app=app)
    assert response.status_code == 200, response.text
    return response.json()


@cache
def suggested(*, applicant: str | None = None, unit: str | None = None) -> dict[str, Any]:
    """Return what the reference engine suggests to the committee."""
    case, policy = loaded()
    if applicant is not None:
        return document(suggest(case, policy, applicant, "reference"))
    assert unit is not None
    return document(shortlist(case, policy, unit, "reference"))


def told(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a ranking tells of the findings of a suggestion, in an order of its own."""
    kept = [{key: finding[key] for key in FINDING} for finding in findings if finding["outcome"] != "kept"]
    return sorted(kept, key=lambda finding: json.dumps(finding, sort_keys=True))


# ------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize("question", [*(("applicant", a) for a in APPLICANTS), *(("unit", u) for u in UNITS)])
def test_a_ranking_is_the_suggestions(question: tuple[str, str]) -> None:
    """Place, verdict, score, rules and findings are those of a suggestion, for every applicant and unit."""
    asked, name = question
    answer = ranked(**{asked: name}, first=200)
    expected = suggested(**{asked: name})["suggestions"]
    each = "unit" if asked == "applicant" else "applicant"

    assert answer[asked] == name
    assert answer["total"] == len(answer["entries"]) == len(expected) > 0
    for entry, full in zip(answer["entries"], expected, strict=True):
        assert {key: entry[key] for key in ("rank", each, "verdict", "score")} == {
            key: full[key] for key in ("rank", each, "verdict", "score")
        }
        findings = told(full["findings"])
        assert told(entry["findings"]) == findings
        for outcome in ("broken", "unknown"):
            rules = {finding["rule"] for finding in findings if finding["outcome"] == outcome}
            assert set(entry[outcome]) == rules
            assert len(entry[outcome]) == len(rules)


@pytest.mark.parametrize("language", [*Language])
def test_a_ranking_says_that_it_is_no_suggestion(language: str) -> None:
    """Every answer says in a field and in words that it is unchecked, and what it rests on."""
    case, policy = loaded()
    answer = ranked(applicant=APPLICANT, language=language)

    assert answer["quick"] is True
    assert answer["notice"] == catalog(language)("answer.quick")
    assert (answer["engine"], answer["reader"], answer["language"]) == ("columnar", "committee", language)
    assert answer["policy"]["sha256"] == policy.sha256
    assert answer["facts_sha256"] == facts_sha256(case)
    assert answer["as_of"] == case.as_of.isoformat()


def test_warnings_of_the_policy_are_a_suggestions() -> None:
    """What a reader of a suggestion is warned of, a reader of a ranking is too."""
    text = (SMALL.parent.parent / "policies" / "default.toml").read_text(encoding="utf-8")
    case, _ = loaded()
    late = case.model_copy(update={"as_of": case.as_of.replace(year=case.as_of.year + 30)})
    policy = Policy.from_toml(text)
    warned = ranked(create_app(late, policy, token=TOKEN), applicant=APPLICANT, language="nn")["warnings"]

    assert warned == document(suggest(late, policy, APPLICANT, "reference"), language="nn")["warnings"]
    assert len(warned) > 0


@pytest.mark.parametrize("first", [0, 1, 3])
def test_findings_are_given_for_the_first_entries_only(first: int) -> None:
    """As many entries have findings as are asked for, and all have the rest."""
    entries = ranked(applicant=APPLICANT, first=first)["entries"]

    assert ["findings" in entry for entry in entries] == [i < first for i in range(len(entries))]
    assert len({frozenset(entry) - {"findings"} for entry in entries}) == 1


def test_an_answer_is_compact_and_the_same_each_time() -> None:
    """The same question has the same bytes, as JSON without blanks."""
    question = {"applicant": APPLICANT}
    once, again = post("rankings", question), post("rankings", question)

    assert once.content == again.content
    assert once.headers["content-type"] == "application/json"
    assert len(once.content) == len(
        json.dumps(once.json(), separators=(",", ":"), ensure_ascii=False).encode()
    )


def test_an_answer_has_nothing_that_is_not_described() -> None:
    """An answer has the keys that the description has, and no others."""
    schemas = described()["components"]["schemas"]
    of_unit, of_applicant = ranked(unit=UNIT), ranked(applicant=APPLICANT)

    assert {*of_unit, *of_applicant} == set(schemas["RankingAnswer"]["properties"])
    entries = [*of_unit["entries"], *of_applicant["entries"]]
    assert {key for entry in entries for key in entry} == set(schemas["RankingEntry"]["properties"])
    findings = [finding for entry in entries for finding in entry["findings"]]
    assert {frozenset(finding) for finding in findings} == {
        frozenset(schemas["RankingFinding"]["properties"])
    }
    assert ranked(**schemas["RankingQuestion"]["example"])["entries"]


# ------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("reader", ["staff", "applicant"])
def test_others_than_the_committee_are_refused_all_alike(reader: str) -> None:
    """Who is not cleared is pointed to where they are answered, whoever and whatever they ask about."""
    answers = [
        post("rankings", {**question, "reader": reader})
        for question in ({"applicant": APPLICANT}, {"applicant": "nobody"}, {"unit": UNIT}, {})
    ]

    assert len({answer.content for answer in answers}) == 1
    (error,) = problem(answers[0], 422)["errors"]
    assert error["pointer"] == "/reader"
    assert "/api/v1/suggestions" in error["expected"]


@pytest.mark.parametrize(
    "question", [{"applicant": "nobody"}, {"applicant": "B-01"}, {"unit": "nowhere"}, {"unit": "nordlia"}]
)
def test_an_unknown_id_is_404_and_not_repeated(question: dict[str, str]) -> None:
    """An id that the case does not have is a problem of its own."""
    response = post("rankings", question)

    problem(response, 404)
    assert not [value for value in question.values() if value in response.text]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({}, "either `applicant` or `unit`"),
        ({"applicant": APPLICANT, "unit": UNIT}, "either `applicant` or `unit`"),
        ({"applicant": NAME}, "an id of 1 to 64 letters"),
        ({"applicant": APPLICANT, "first": -1}, "at least 0"),
        ({"applicant": APPLICANT, "first": 201}, "at most 200"),
        ({"applicant": APPLICANT, "first": "1"}, "a whole number"),
        ({"applicant": APPLICANT, "reader": NAME}, "one of: "),
        ({"applicant": APPLICANT, "language": NAME}, "one of: "),
        ({"applicant": APPLICANT, "engine": "durable"}, "only fields"),
        ({"applicant": APPLICANT, "case": {"as_of": "2026-11-22"}}, "only fields"),
        ({NAME: NUMBER}, "only fields"),
        ([], "an object"),
        (NAME, "an object"),
    ],
)
def test_a_question_that_is_refused_says_what_is_expected(question: Any, words: str) -> None:
    """A fault is told by what is expected, and no input is repeated."""
    response = post("rankings", question)

    assert words in problem(response, 422)["errors"][0]["expected"]
    assert NAME not in response.text
    assert NUMBER not in response.text


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b"[" * 100_000, b'{"applicant": "a", "applicant": "b"}', b" " * 5000, b"null"],
)
def test_a_body_that_is_no_question_is_422(data: bytes) -> None:
    """Whatever bytes are sent, small or large, the answer is a problem that says what is expected."""
    assert problem(ask("POST", "/api/v1/rankings", content=data), 422)["errors"]


def test_a_question_between_many_blanks_is_answered() -> None:
    """How much room a question takes does not matter."""
    data = json.dumps({"applicant": APPLICANT}).encode() + b" " * 10_000

    assert ask("POST", "/api/v1/rankings", content=data).json() == ranked(applicant=APPLICANT)


@pytest.mark.parametrize("error", [EngineError("out of memory"), RuntimeError(NAME)])
def test_an_engine_that_fails_is_500_and_shows_nothing(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ranking fails, the answer is a problem that says nothing of why."""

    def fail(*_given: object) -> None:
        raise error

    monkeypatch.setattr(rankings, "answer", fail)
    response = post("rankings", {"applicant": APPLICANT})

    problem(response, 500)
    assert str(error) not in response.text


# -------------------------------------------------------------------------------------- log and figures


def test_a_ranking_is_logged_and_counted_without_what_it_was_about() -> None:
    """One line is logged for each question, with the reader and without ids; figures have no ids either."""

    def counted() -> float:
        figures = ask("GET", "/metrics", headers={}).text
        name = 'allocator_answers_total{engine="columnar",reader="committee"} '
        lines = [line for line in figures.splitlines() if line.startswith(name)]
        assert not [word for word in (APPLICANT, UNIT, TOKEN) if word in figures]
        return float(lines[0].removeprefix(name))

    before = counted()
    with capture_logs() as logs:
        post("rankings", {"applicant": APPLICANT})
        post("rankings", {"unit": UNIT, "reader": "staff"})
        post("rankings", {"unit": UNIT}, headers={})

    assert [(entry["event"], entry["status"], entry["caller"], entry["reader"]) for entry in logs] == [
        ("access", 200, "system", "committee"),
        ("access", 422, "system", "staff"),
        ("access", 401, "nobody", None),
    ]
    assert {entry["route"] for entry in logs} == {"/api/v1/rankings"}
    assert not [word for word in (APPLICANT, UNIT, TOKEN) if word in str(logs)]
    assert counted() == before + 1


# -------------------------------------------------------------------------------------------- laying out


def test_a_case_that_takes_the_place_of_another_is_laid_out_anew() -> None:
    """Answers are about the case that is loaded when asked, and a layout of an earlier one is not used."""
    app = create_app(*loaded(), token=TOKEN)
    other = read_case(SMALL.read_bytes())
    before = ranked(app, applicant=APPLICANT)
    app.state.case = other

    problem(post("rankings", {"applicant": APPLICANT}, app=app), 404)
    assert ranked(app, applicant="S-2026-001")["facts_sha256"] == facts_sha256(other)
    app.state.case = loaded()[0]
    assert ranked(app, applicant=APPLICANT) == before


def test_a_case_is_laid_out_once_however_many_ask_at_once() -> None:
    """Who asks while it is laid out waits for it; who asks later finds it."""
    case, policy = loaded()
    made: list[int] = []
    going = threading.Event()

    def make(of: Snapshot, by: Policy) -> Laid:
        made.append(1)
        going.wait(0.2)
        return rankings.lay_out(of, by)

    layouts = Layouts(make)
    assert layouts.ready(case, policy) is None
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: layouts.of(case, policy), range(8)))

    assert made == [1]
    assert {id(laid) for laid in found} == {id(layouts.ready(case, policy))}


@pytest.mark.parametrize(("limit", "in_thread"), [(0, True), (rankings.AT_ONCE, False)])
def test_long_work_is_done_in_a_thread_with_the_same_answer(
    limit: int, in_thread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is quick is answered on the spot; what it says is the same either way."""
    threads: list[threading.Thread] = []
    expected = ranked(applicant=APPLICANT)
    real = rankings.answer

    def seen(*given: Any) -> bytes:
        threads.append(threading.current_thread())
        return real(*given)

    monkeypatch.setattr(rankings, "AT_ONCE", limit)
    monkeypatch.setattr(rankings, "answer", seen)

    assert ranked(applicant=APPLICANT) == expected
    assert [thread is not threading.main_thread() for thread in threads] == [in_thread]


# ------------------------------------------------------------------------------------------- starting up


@pytest.fixture
def unserved(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FastAPI]]:
    """Give the applications that would be served, with everything put back that serving changes."""
    given: list[FastAPI] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **_given: given.append(app))
    monkeypatch.setattr(application, "_log", structlog.get_logger("test"))
    before = structlog.get_config()
    yield given
    structlog.configure(**before)
    gc.unfreeze()


def test_before_serving_the_case_is_laid_out_and_set_aside_from_garbage(unserved: list[FastAPI]) -> None:
    """Whoever asks first does not wait, and what was loaded is never searched for garbage."""
    app = create_app(*loaded(), token=TOKEN)
    frozen = gc.get_freeze_count()
    application.run(app, host="127.0.0.1", port=1)

    assert unserved == [app]
    assert app.state.layouts.ready(*loaded()) is not None
    assert gc.get_freeze_count() > frozen + 10_000


def test_a_case_that_cannot_be_laid_out_does_not_keep_the_service_down(
    unserved: list[FastAPI], capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else is served where laying out fails; the log says what kind of error it was and no more."""

    def fail(*_given: object) -> Laid:
        raise EngineError(NAME)

    app = create_app(*loaded(), token=TOKEN)
    monkeypatch.setattr(app.state, "layouts", Layouts(fail))
    application.run(app, host="127.0.0.1", port=1)
    logged = [json.loads(line) for line in capfdbinary.readouterr().err.splitlines()]

    assert unserved == [app]
    assert [(entry["event"], entry["kind"]) for entry in logged] == [("layout_failed", "EngineError")]


def test_the_token_is_asked_for_before_anything_else() -> None:
    """Without the token not even a question that is no question is told what is wrong with it."""
    for content in ({}, {"applicant": APPLICANT}, {"reader": "staff"}):
        assert "errors" not in problem(post("rankings", content, headers={}), 401)
