"""What a refused request should have said is told in the language asked for, and never what it said."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allocator
import api
from allocator import documents, texts
from allocator.casework.codes import Clearance, Purpose, Role
from allocator.model import Problem, expecting
from allocator.texts import Language, expected, placeholders
from api import refusals
from tests.browsers import Served, problem
from tests.office import TODAY

CODE = [Path(str(package.__file__)).parent for package in (allocator, api)]

SAYS = {
    "wrong": 1,
    "expecting": 1,
    "points_at": 3,
    "PydanticCustomError": 1,
    "_fault": 1,
    "UnfitError": 0,
    "_RefusedError": 0,
}
"""What says what is expected, and the place of its sentence among the arguments."""

NOT_ANSWERED = {"exchange", "audit", "store", "engines"}
"""Packages whose faults are told by the command line alone."""

TOLD_ELSEWHERE = {
    "_EXPECTED[kind]",
    "_FORMS[context['pattern']]",
    "context.get(TEMPLATE, message)",
    "problem.template",
    "filled",
    "_expected(item)",
    "dict(said)[Language.EN]",
}
"""Sentences that are made elsewhere: each is looked at in a test of its own, or was said before."""


class _Sentences(ast.NodeVisitor):
    """Finds the sentences of a module: where one is passed on, whoever passes it is looked at instead."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[tuple[int, str]] = []
        self.unknown: list[str] = []
        self._passed: list[set[str]] = [set()]
        self._named: dict[str, list[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                for target in node.targets:
                    if isinstance(target, ast.Name) and isinstance(node.value.value, str):
                        self._named.setdefault(target.id, []).append(node.value.value)
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Note what is passed in."""
        names = {arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
        self._passed.append(self._passed[-1] | names)
        self.generic_visit(node)
        self._passed.pop()

    def visit_Call(self, node: ast.Call) -> None:
        """Find what is said, if this says something."""
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        said: ast.expr | None = None
        if name == "Problem":
            said = next((keyword.value for keyword in node.keywords if keyword.arg == "expected"), None)
        elif name in SAYS and len(node.args) > SAYS[name]:
            said = node.args[SAYS[name]]
        if said is None:
            return
        if isinstance(said, ast.Constant):
            self.found.append((node.lineno, str(said.value)))
        elif isinstance(said, ast.Name) and said.id in self._named:
            self.found.extend((node.lineno, text) for text in self._named[said.id])
        elif not (isinstance(said, ast.Name) and said.id in self._passed[-1]) and not _in_words(said):
            self.unknown.append(ast.unparse(said))


def _in_words(said: ast.expr) -> bool:
    """Return whether it is taken from the texts, and so is told in every language already."""
    if not isinstance(said, ast.Call):
        return False
    name = said.func.attr if isinstance(said.func, ast.Attribute) else getattr(said.func, "id", "")
    return name in ("words", "expected")


def sentences() -> Iterator[tuple[str, str]]:
    """Yield everything that the code expects of a request, with where it stands."""
    for root in CODE:
        for path in sorted(root.rglob("*.py")):
            if path.parent.name in NOT_ANSWERED or path.stem.endswith("cli") or path.stem == "simulation":
                continue
            of_module = _Sentences(ast.parse(path.read_text(encoding="utf-8")))
            yield from ((f"{path.name}:{line}", text) for line, text in of_module.found)
            unknown = [text for text in of_module.unknown if text not in TOLD_ELSEWHERE]
            assert unknown == [], f"{path.name}: say it in a sentence of its own"
    yield from (("documents._EXPECTED", text) for text in documents._EXPECTED.values())
    yield from (("documents._FORMS", text) for text in documents._FORMS.values())


OF_SYSTEMS = {
    "`committee` or `staff`: a shortlist is about others",
    "`committee`: a quick ranking is not for others; they are answered at /api/v1/suggestions",
}
"""What is told to systems alone, in English like the title above it."""


@pytest.mark.parametrize("language", [Language.NB, Language.NN])
def test_everything_that_is_expected_has_its_words(language: Language) -> None:
    """A sentence without a translation, or one that wants other values, is a fault."""
    known = texts._expectations()
    for at, text in sentences():
        if text not in OF_SYSTEMS:
            assert text in known, f"{at}: {text}"
            assert placeholders(known[text][language]) == placeholders(text), f"{at}: {text}"
            assert known[text][language] != "", f"{at}: {text}"


def test_no_words_are_left_of_what_nothing_expects() -> None:
    """A sentence that has changed leaves none behind."""
    assert set(texts._expectations()) - {text for _, text in sentences()} == set()


def test_words_that_are_missing_are_told_in_english_and_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nobody is left without an answer, and whoever runs the service learns of it."""
    unknown = expecting("/text", "a sentence that nobody has told in {number} languages", number=3)
    with pytest.raises(KeyError):
        expected(unknown, Language.NN)

    assert refusals._told(unknown, Language.NN) is unknown
    assert "expectation_without_words" in capsys.readouterr().out


def test_values_are_put_in_in_every_language() -> None:
    """Days, numbers and codes are alike; the words are not."""
    days = expecting("/until", "a day from {first} to {last}", first=TODAY, last="2026-12-07")
    said = [expected(days, language) for language in Language]
    assert said == [
        "en dag fra 2026-11-23 til 2026-12-07",
        "ein dag frå 2026-11-23 til 2026-12-07",
        "a day from 2026-11-23 to 2026-12-07",
    ]
    assert days.expected == said[2]
    told = Problem(path="", expected="three", words=(("nb", "tre"), ("nn", "tre")))
    assert [expected(told, language) for language in Language] == ["tre", "tre", "three"]


# ------------------------------------------------------------------------------------------ over HTTP


@pytest.fixture(scope="module")
def office() -> Iterator[Served]:
    """An office that no test here changes."""
    made = Served()
    made.house()
    made.resident("B-1", "nordlia-1")
    yield made
    made.close()


SENT = "Kari Nordmann"
SOMEBODY = "0" * 32

WRONG: list[tuple[str, dict[str, Any], str, dict[str, str]]] = [
    # what is asked, what is said, where it is wrong, what is expected there
    (
        "comments/make",
        {"about": "unit", "of": SENT, "text": "x"},
        "/of",
        {
            "nb": "en id på 1 til 64 bokstaver, sifre eller et av tegnene . : _ - "
            "som begynner med en bokstav eller et siffer",
            "en": "an id of 1 to 64 letters, digits or one of . : _ - that begins with a letter or a digit",
        },
    ),
    (
        "comments/make",
        {"about": "unit", "of": "nowhere", "text": "x"},
        "/of",
        {
            "nb": "id-en til en oppføring av slaget `unit` som finnes",
            "nn": "id-en til ei oppføring av slaget `unit` som finst",
            "en": "the id of a record of the kind `unit` that is there",
        },
    ),
    (
        "comments/make",
        {"about": "unit", "of": "nordlia-1"},
        "/text",
        {"nb": "dette feltet", "en": "this field"},
    ),
    (
        "comments/make",
        {"about": "unit", "of": "nordlia-1", "text": ""},
        "/text",
        {"nb": "minst ett tegn", "nn": "minst eitt teikn", "en": "at least 1 character"},
    ),
    (
        f"accounts/{SOMEBODY}/break_glass",
        {"reason": "Ferie", "hours": 1},
        "/reason",
        {"nb": "minst 10 tegn", "nn": "minst 10 teikn", "en": "at least 10 characters"},
    ),
    (
        "meetings/call",
        {"on": "2026-12-01", "members": [], "chair": SOMEBODY},
        "/members",
        {"nb": "minst én oppføring", "nn": "minst éi oppføring", "en": "at least one entry"},
    ),
    (
        "cases/open",
        {"person": "B-1", "received_on": SENT},
        "/received_on",
        {
            "nb": "en dato skrevet som ÅÅÅÅ-MM-DD",
            "nn": "ein dato skriven som ÅÅÅÅ-MM-DD",
            "en": "a date written as YYYY-MM-DD",
        },
    ),
    (
        "cases/open",
        {"person": "B-1", "received_on": "2026-12-24"},
        "/received_on",
        {"nb": "i dag eller en tidligere dag", "nn": "i dag eller ein tidlegare dag"},
    ),
    (
        "cases/open",
        {"person": "B-1", "received_on": "2026-11-20", "origin": SENT},
        "/origin",
        {
            "nb": "én av: `application`, `discharge`, `own_initiative`, `transfer` eller `crisis`",
            "nn": "éin av: `application`, `discharge`, `own_initiative`, `transfer` eller `crisis`",
            "en": "one of: `application`, `discharge`, `own_initiative`, `transfer` or `crisis`",
        },
    ),
    (
        "cases/open",
        {"person": "B-1", "received_on": "2026-11-20", SENT: 1},
        "",
        {"nb": "bare felter som finnes i skjemaet", "nn": "berre felt som finst i skjemaet"},
    ),
    (
        "people/register",
        {"facts": {"rop": {"value": True, "status": "known"}}},
        "/facts/rop",
        {
            "nb": "`source` for en opplysning som har status `known`",
            "nn": "`source` for ei opplysning som har status `known`",
            "en": "`source` for a fact whose status is `known`",
        },
    ),
    (
        "people/register",
        {"facts": {"rop": {"value": True, "status": "refused"}}},
        "/facts/rop",
        {"nb": "ingen `value` når status er `refused`: det som ikke er gitt, tas det ikke vare på"},
    ),
]


@pytest.mark.parametrize("language", [None, "nb", "no", "nn", "en", "en-GB;q=0.9, de", "de", "nn;q=x"])
@pytest.mark.parametrize(("path", "said", "pointer", "words"), WRONG)
def test_what_is_expected_is_told_in_the_language_asked_for(  # noqa: PLR0917 - a table
    office: Served,
    language: str | None,
    path: str,
    said: dict[str, Any],
    pointer: str,
    words: dict[str, str],
) -> None:
    """Bokmål if none of ours is asked for, as the title is; what was sent is not repeated in any."""
    browser = office.as_somebody(Role.CASEWORKER)
    headers: dict[str, str] = {} if language is None else {"accept-language": language}
    answer = browser.post(path, said, headers=headers)

    (error,) = problem(answer, 422, "request")["errors"]
    told = {"nn": "nn", "en": "en", "en-GB;q=0.9, de": "en"}.get(language or "", "nb")
    assert answer.headers["content-language"] == told
    assert error["pointer"] == pointer
    assert error["expected"] == words.get(told, error["expected"])
    assert "ordmann" not in answer.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "et heltall fra 1 til 200"),
        ("state=%00", "navnet på en tilstand"),
        ("due_by=Nordmann", "en dato skrevet som ÅÅÅÅ-MM-DD"),
        ("after=Nordmann", "det siden før ga som `after`"),
    ],
)
def test_what_is_expected_after_the_question_mark_is_told_so_too(
    office: Served, query: str, words: str
) -> None:
    """And in the headers of a request."""
    answer = office.as_somebody(Role.CASEWORKER).get(f"units?{query}")
    assert [error["expected"] for error in problem(answer, 422)["errors"]] == [words]
    assert "ordmann" not in answer.text


def test_a_policy_is_refused_in_the_language_asked_for(office: Served) -> None:
    """What its text should say, and how it contradicts itself."""
    owner = office.as_somebody(Role.POLICY_OWNER)
    for language, words in (("nb", "dette feltet"), ("nn", "dette feltet"), ("en", "this field")):
        answer = owner.post("policies/propose", {"text": "name = 'x'"}, headers={"accept-language": language})
        told = {error["pointer"]: error["expected"] for error in problem(answer, 422)["errors"]}
        assert told["/text (version)"] == words


def test_the_purposes_are_listed_in_the_language_asked_for(office: Served) -> None:
    """They are codes, and so alike in all."""
    browser = office.as_somebody(Role.CASEWORKER, cleared=[Clearance.KODE_6], purpose=None)
    headers = {"X-Purpose": "nosiness", "accept-language": "nn"}
    (error,) = problem(browser.get("people/B-1", headers=headers), 422)["errors"]
    assert error["expected"] == f"éin av: {', '.join(f'`{purpose}`' for purpose in Purpose)}"
