"""The `allocator` command: the interface that others rely on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from allocator import __version__, cli
from allocator.documents import read_case
from allocator.engines import EngineError
from allocator.explain import document
from allocator.handbook import handbook
from allocator.policy import Policy
from allocator.scoring import Verdict, shortlist, suggest
from allocator.texts import catalog

ROOT = Path(__file__).parent.parent
CASES = sorted((ROOT / "fixtures" / "cases").glob("*.json"))
INVALID = sorted((ROOT / "fixtures" / "invalid").glob("*.json"))
POLICY = ROOT / "fixtures" / "policies" / "default.toml"
DEMO = ROOT / "fixtures" / "cases" / "demo-municipality.json"
SMALL = ROOT / "fixtures" / "cases" / "golden-besokende.json"
APPLICANT = "S-2026-101"
UNIT = "nordlia-6"

KEYS = [
    "engine",
    "engine_version",
    "policy",
    "handbook_sha256",
    "facts_sha256",
    "as_of",
    "reader",
    "language",
    "applicant",
    "notice",
    "warnings",
    "no_option",
    "suggestions",
]
SUGGESTION_KEYS = {
    "rank",
    "unit",
    "living_group",
    "scheme",
    "verdict",
    "score",
    "score_at_worst",
    "text",
    "findings",
}
FINDING_KEYS = {
    "rule",
    "outcome",
    "effect",
    "overridable",
    "points",
    "could_cost",
    "about",
    "facts",
    "missing",
    "source",
    "text",
}
LANGUAGES = ("nb", "nn", "en")
READERS = ("committee", "staff", "applicant")


def run(*arguments: str | Path, given: str | bytes | None = None) -> Result:
    """Return what the command says in this process."""
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments], input=given)


@cache
def _printed(*arguments: str) -> str:
    result = run(*arguments, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def told(*arguments: str | Path) -> dict[str, Any]:
    """Return the JSON document that the command prints."""
    content: dict[str, Any] = json.loads(_printed(*map(str, arguments)))
    return content


def started(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Return what the installed command says in a process of its own."""
    program = Path(sys.executable).with_name("allocator")
    return subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=60,
        check=False,
    )


def lines(result: Result) -> list[str]:
    """Return what stands on standard error; nothing may stand on standard output."""
    assert result.stdout == ""
    return result.stderr.splitlines()


# --------------------------------------------------------------------------------------- the document


def test_suggest_prints_one_object_with_its_keys() -> None:
    """A suggestion has the promised keys, in a fixed order."""
    content = told("suggest", DEMO, "--applicant", APPLICANT)
    assert list(content) == KEYS
    assert set(content["policy"]) == {"name", "version", "sha256"}
    assert (content["applicant"], content["engine"], content["reader"]) == (APPLICANT, "durable", "committee")
    assert content["as_of"] == "2026-11-22"
    for name in ("facts_sha256", "handbook_sha256"):
        assert re.fullmatch(r"[0-9a-f]{64}", content[name])
    assert re.fullmatch(r"[0-9a-f]{64}", content["policy"]["sha256"])
    for suggestion in content["suggestions"]:
        assert set(suggestion) - {"after_notice"} == SUGGESTION_KEYS
        for finding in suggestion["findings"]:
            assert set(finding) == FINDING_KEYS | {"reason", "change"}


def test_values_are_of_the_promised_kinds() -> None:
    """Codes are of the closed lists, points are whole numbers, ids are lists."""
    content = told("suggest", DEMO, "--applicant", APPLICANT)
    for suggestion in content["suggestions"]:
        assert suggestion["verdict"] in {verdict.code for verdict in Verdict}
        assert suggestion["score"] == 100 + sum(f["points"] for f in suggestion["findings"])
        assert suggestion["score_at_worst"] == suggestion["score"] + sum(
            f["could_cost"] for f in suggestion["findings"]
        )
        for finding in suggestion["findings"]:
            assert finding["outcome"] in {"kept", "broken", "unknown"}
            assert finding["effect"] in {"bar", "advise_against", "weigh", "note"}
            assert isinstance(finding["overridable"], bool)
            assert finding["points"] <= 0
            assert finding["could_cost"] <= 0
            assert finding["points"] == 0 or finding["outcome"] == "broken"
            assert all(isinstance(who, str) for who in finding["about"])
            assert all(finding["facts"][path] is None for path in finding["missing"])
            assert finding["source"]
            assert finding["text"]


def test_the_rules_that_the_mission_names_are_there() -> None:
    """The rules that outside checks look for have the ids that they look for."""
    named = {"gender-mix", "known-conflict", "substance-mix", "age-mix", "rop-requirement"}
    content = told("suggest", DEMO, "--applicant", APPLICANT)
    assert named <= {finding["rule"] for s in content["suggestions"] for finding in s["findings"]}


def test_a_staff_veto_has_its_rule() -> None:
    """An objection shows under the id that outside checks look for."""
    case = ROOT / "fixtures" / "cases" / "golden-innvending.json"
    applicant = json.loads(case.read_text(encoding="utf-8"))["vetoes"][0]["applicant"]
    content = told("suggest", case, "--applicant", applicant)
    assert "staff-veto" in {finding["rule"] for s in content["suggestions"] for finding in s["findings"]}


def test_ranks_follow_verdicts_and_points() -> None:
    """Better verdicts come first, then more points; equals share a rank and are listed by id."""
    order = [verdict.code for verdict in Verdict]
    suggestions = told("suggest", DEMO, "--applicant", APPLICANT)["suggestions"]
    worth = [(order.index(s["verdict"]), -s["score"]) for s in suggestions]
    assert worth == sorted(worth)
    assert [s["rank"] for s in suggestions] == [worth.index(w) + 1 for w in worth]
    assert suggestions == sorted(suggestions, key=lambda s: (s["rank"], s["unit"]))


def test_shortlist_prints_the_same_kind_of_object_for_a_unit() -> None:
    """A shortlist names the unit once and an applicant in every entry."""
    content = told("shortlist", DEMO, "--unit", UNIT)
    assert list(content) == ["unit" if key == "applicant" else key for key in KEYS]
    applicants = {a["id"] for a in json.loads(DEMO.read_text(encoding="utf-8"))["applicants"]}
    assert {s["applicant"] for s in content["suggestions"]} == applicants
    assert {s["unit"] for s in content["suggestions"]} == {UNIT}
    for suggestion in content["suggestions"]:
        assert set(suggestion) - {"after_notice"} == SUGGESTION_KEYS | {"applicant"}


def test_every_unit_that_is_not_lived_in_is_listed() -> None:
    """No unit goes missing: each that is not occupied is in the answer, once."""
    content = json.loads(DEMO.read_text(encoding="utf-8"))
    units = [u for s in content["schemes"] for g in s["living_groups"] for u in g["units"]]
    listed = [s["unit"] for s in told("suggest", DEMO, "--applicant", APPLICANT)["suggestions"]]
    assert sorted(listed) == sorted(u["id"] for u in units if u["status"] != "occupied")


@pytest.mark.parametrize("command", [("suggest", "--applicant", APPLICANT), ("shortlist", "--unit", UNIT)])
def test_both_engines_say_the_same(command: tuple[str, str, str]) -> None:
    """The engines' documents differ in nothing but the engine's name and version."""
    name, option, asked = command
    documents = [told(name, DEMO, option, asked, "--engine", engine) for engine in ("durable", "reference")]
    assert [content.pop("engine") for content in documents] == ["durable", "reference"]
    assert len({content.pop("engine_version") for content in documents}) == 2
    assert documents[0] == documents[1]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_readers_and_languages(reader: str, language: str) -> None:
    """Each of three readers is answered in each of three languages, and the document says which."""
    content = told("suggest", DEMO, "--applicant", APPLICANT, "--reader", reader, "--lang", language)
    assert (content["reader"], content["language"]) == (reader, language)
    assert content["notice"] == catalog(language)("answer.advice_only")
    for suggestion in content["suggestions"]:
        assert suggestion["text"]
        assert (suggestion["score"] is None) == (reader != "committee")
        for finding in suggestion["findings"]:
            assert (finding["points"] is None) == (reader != "committee")


def test_a_language_changes_words_only() -> None:
    """The three languages give the same places, verdicts and rules."""

    def bare(language: str) -> list[tuple[Any, ...]]:
        content = told("suggest", DEMO, "--applicant", APPLICANT, "--lang", language)
        return [
            (s["rank"], s["unit"], s["verdict"], s["score"], [f["rule"] for f in s["findings"]])
            for s in content["suggestions"]
        ]

    assert bare("nb") == bare("nn") == bare("en")


def test_readers_who_are_not_cleared_are_told_of_nobody() -> None:
    """The documents of staff and of the applicant name no resident."""
    residents = {r["id"] for r in json.loads(DEMO.read_text(encoding="utf-8"))["residents"]}
    for reader in ("staff", "applicant"):
        result = run("suggest", DEMO, "--applicant", APPLICANT, "--reader", reader, "--format", "json")
        assert not [name for name in residents if re.search(rf"\b{name}\b", result.stdout)]


def test_the_document_is_the_librarys() -> None:
    """The command prints what the library says, and nothing of its own."""
    case, policy = read_case(DEMO.read_bytes()), Policy.from_toml(POLICY.read_text(encoding="utf-8"))
    assert told("suggest", DEMO, "--applicant", APPLICANT) == document(suggest(case, policy, APPLICANT))
    assert told("shortlist", DEMO, "--unit", UNIT) == document(shortlist(case, policy, UNIT))


# ------------------------------------------------------------------------------------- the same bytes


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [_turned(item) for item in [*value[1:], *value[:1]]][::-1]
    return value


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("command", [("suggest", "--applicant", APPLICANT), ("shortlist", "--unit", UNIT)])
def test_the_order_of_lists_in_the_file_does_not_matter(command: tuple[str, str, str], reader: str) -> None:
    """A file with all lists and keys in another order gives the same bytes."""
    name, option, asked = command
    other = json.dumps(_turned(json.loads(DEMO.read_text(encoding="utf-8"))))
    rest = (option, asked, "--reader", reader, "--format", "json")
    assert run(name, DEMO, *rest).stdout == run(name, "-", *rest, given=other).stdout


def test_processes_give_the_same_bytes() -> None:
    """Whatever a process's hash seed, locale and time zone, the bytes are the same."""
    environments: list[dict[str, str]] = [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "C", "COLUMNS": "40"},
    ]
    outputs = [
        started("suggest", DEMO, "--applicant", APPLICANT, "--format", "json", **environment)
        for environment in environments
    ]
    assert [(output.returncode, output.stderr) for output in outputs] == [(0, b"")] * len(outputs)
    assert len({output.stdout for output in outputs}) == 1
    assert json.loads(outputs[0].stdout) == told("suggest", DEMO, "--applicant", APPLICANT)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_json_is_utf_8_wherever_it_is_written(encoding: str) -> None:
    """JSON is UTF-8 also where the terminal is not."""
    output = started(
        "suggest", SMALL, "--applicant", "S-2026-001", "--format", "json", PYTHONIOENCODING=encoding
    )
    assert output.returncode == 0
    assert "Rådgivende" in json.loads(output.stdout.decode("utf-8"))["notice"]


# -------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_bad_input_ends_with_2_and_a_line_that_says_where(path: Path) -> None:
    """A case that is refused gives exit code 2 and one line with the file, the place and what is expected."""
    (line,) = lines(result := run("suggest", path, "--applicant", "S-01"))
    assert result.exit_code == 2
    assert re.fullmatch(rf"{re.escape(str(path))}: (/[^ :]+: )?expected .+", line)


def test_each_fault_has_a_line_of_its_own() -> None:
    """Many faults are many lines, each with the file, also where a line is longer than the terminal."""
    content = {"as_of": "x", "residents": [{"id": "a b", "unit": 1}], "orders": {}, "extra": 1}
    result = run("suggest", "-", "--applicant", "x", given=json.dumps(content))
    assert result.exit_code == 2
    assert [line.split(": expected ")[0] for line in lines(result)] == [
        "-",
        "-: /as_of",
        "-: /orders",
        "-: /residents/0/id",
        "-: /residents/0/unit",
    ]


def test_a_flood_of_faults_is_cut() -> None:
    """After a thousand faults it says that the rest was not looked at."""
    content = json.dumps({"as_of": "2026-11-22", "residents": [{"unit": 1}] * 600})
    said = lines(run("suggest", "-", "--applicant", "x", given=content))
    assert len(said) == 1001
    assert said[0].startswith("-: expected fewer than 1000 faults")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("suggest", DEMO, "--applicant", "nobody"),
            "--applicant: expected the id of an applicant in the case",
        ),
        (
            ("suggest", DEMO, "--applicant", "B-01"),
            "--applicant: expected the id of an applicant in the case",
        ),
        (("suggest", DEMO, "--applicant", ""), "--applicant: expected the id of an applicant in the case"),
        (("shortlist", DEMO, "--unit", "nowhere"), "--unit: expected the id of a unit in the case"),
        (("shortlist", DEMO, "--unit", "nordlia"), "--unit: expected the id of a unit in the case"),
    ],
)
def test_an_unknown_id_is_refused_without_being_repeated(arguments: Sequence[str | Path], line: str) -> None:
    """An id that is not in the case is bad input, and is not repeated."""
    result = run(*arguments)
    assert (result.exit_code, lines(result)) == (2, [line])


def test_an_id_is_found_however_its_letters_are_written() -> None:
    """An id with a decomposed letter, as some systems type it, finds the composed one."""
    content = json.loads(SMALL.read_text(encoding="utf-8"))
    content["applicants"][0]["id"] = content["conflicts"][0]["party"] = "Å"
    result = run("suggest", "-", "--applicant", "A\u030a", given=json.dumps(content))
    assert result.exit_code == 0


def test_personal_strings_are_not_repeated() -> None:
    """What somebody typed where an id belongs is on no line."""
    content = {"as_of": "2026-11-22", "residents": [{"id": "Kari Nordmann", "unit": "31129956715"}]}
    for given in (json.dumps(content), '{"Kari Nordmann": "31129956715"'):
        result = run("suggest", "-", "--applicant", "Kari Nordmann", given=given)
        assert result.exit_code == 2
        assert not re.search("nordmann|31129956715", result.output, re.IGNORECASE)


@pytest.mark.parametrize("command", [("suggest", "--applicant"), ("shortlist", "--unit")])
def test_a_file_that_cannot_be_read_is_named(command: tuple[str, str], tmp_path: Path) -> None:
    """A file that is not there, or is a directory, is named in one line."""
    name, option = command
    for path in (tmp_path / "none.json", tmp_path):
        result = run(name, path, option, "x")
        (line,) = lines(result)
        assert result.exit_code == 2
        assert line.startswith(f"{path}: expected a file that can be read")


@pytest.mark.parametrize(
    "arguments",
    [
        ("suggest", DEMO),
        ("suggest",),
        ("shortlist", DEMO),
        ("suggest", DEMO, "--applicant", APPLICANT, "--engine", "oracle"),
        ("suggest", DEMO, "--applicant", APPLICANT, "--reader", "press"),
        ("suggest", DEMO, "--applicant", APPLICANT, "--lang", "se"),
        ("suggest", DEMO, "--applicant", APPLICANT, "--format", "xml"),
        ("suggest", DEMO, "--applicant", APPLICANT, "--top", "-1"),
        ("handbook", "--lang", "se"),
        ("demo", "--port", "0"),
        ("demo", "--port", "65536"),
        ("check-policy",),
        ("no-such-command",),
    ],
)
def test_wrong_use_ends_with_2(arguments: Sequence[str | Path]) -> None:
    """A missing or impossible option is bad input."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_the_case_may_come_on_standard_input() -> None:
    """A dash reads the case from standard input, to the same answer."""
    rest = ("--applicant", APPLICANT, "--format", "json")
    result = run("suggest", "-", *rest, given=DEMO.read_bytes())
    assert (result.exit_code, result.stdout) == (0, run("suggest", DEMO, *rest).stdout)
    empty = run("suggest", "-", *rest, given=b"")
    assert (empty.exit_code, lines(empty)) == (2, ["-: expected JSON; line 1, column 1 is not"])


def test_an_engine_that_cannot_answer_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine fails, nothing is shown, and it is said."""

    def fail(*_given: object) -> None:
        raise EngineError("it lost its memory")

    monkeypatch.setattr(cli, "ask_suggest", fail)
    result = run("suggest", DEMO, "--applicant", APPLICANT)
    assert (result.exit_code, lines(result)) == (1, ["the engine could not answer: it lost its memory"])


@pytest.mark.parametrize(("form", "explaining"), [("json", "document"), ("table", "Explainer")])
def test_an_engine_that_fails_while_explaining_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, form: str, explaining: str
) -> None:
    """Where the engine is asked again for a zone and fails, it is said in one line."""

    def fail(*_given: object) -> None:
        raise EngineError("it lost its memory")

    monkeypatch.setattr(cli, explaining, fail)
    result = run("suggest", DEMO, "--applicant", APPLICANT, "--reader", "staff", "--format", form)
    assert (result.exit_code, lines(result)) == (1, ["the engine could not answer: it lost its memory"])


def test_a_real_process_refuses_in_the_same_way() -> None:
    """The installed command says the same as in the test's own process, to the right stream."""
    path = ROOT / "fixtures" / "invalid" / "self-conflict.json"
    output = started("suggest", path, "--applicant", "S-01", COLUMNS="30")
    assert (output.returncode, output.stdout) == (2, b"")
    assert output.stderr.decode() == f"{path}: /conflicts/0: expected two different persons in a conflict\n"


# -------------------------------------------------------------------------------------------- policies


@cache
def _policy_text() -> str:
    return POLICY.read_text(encoding="utf-8")


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """Return a file with the default policy, some of its text replaced."""
    text = _policy_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_check_policy_accepts_the_default() -> None:
    """A policy that is accepted gives exit code 0 and its name, version and hash."""
    result = run("check-policy", POLICY)
    assert (result.exit_code, result.stderr) == (0, "")
    policy = Policy.from_toml(_policy_text())
    said = " ".join(result.stdout.split())
    named = f"Standardregelsett, 2026-11: {len(policy.rules)} rules, sha256 {policy.sha256}"
    assert said.startswith(f"{named} Regelsettet henger sammen: alt nedenfor er bevist.")


def test_check_policy_tells_all_faults(tmp_path: Path) -> None:
    """A policy that is refused gives exit code 1 and a line for each reason."""
    path = written(
        tmp_path,
        ('[rules.restraining-order]\neffect = "bar"', '[rules.restraining-order]\neffect = "note"'),
        ('justification = "gender"\n', ""),
        ("[k_anonymity]\nvalue = 5", "[k_anonymity]\nvalue = 1"),
    )
    result = run("check-policy", path)
    assert result.exit_code == 1
    assert sorted(lines(result)) == [
        f"{path}: k_anonymity.value: expected a whole number from 2 to 100",
        (
            f"{path}: rules.gender-mix.justification: expected a justification card, "
            "since the rule reads a protected ground (gender)"
        ),
        (
            f"{path}: rules.restraining-order.effect: expected `bar`: the rule rests on statute, "
            "a court order or physical fact"
        ),
    ]


def test_check_policy_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A policy that cannot be read is bad input."""
    path = tmp_path / "none.toml"
    result = run("check-policy", path)
    assert result.exit_code == 2
    assert lines(result) == [f"{path}: expected a file that can be read (No such file or directory)"]


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe"])
def test_check_policy_refuses_what_is_no_toml(content: bytes, tmp_path: Path) -> None:
    """A file that is not TOML is refused in one line."""
    path = tmp_path / "policy.toml"
    path.write_bytes(content)
    result = run("check-policy", path)
    assert result.exit_code in (1, 2)
    (line,) = lines(result)
    assert line.startswith(f"{path}: expected ")


@pytest.mark.parametrize("name", ["Regler [/]", "Regler [bold]", "a:house:b"])
def test_check_policy_prints_the_name_as_it_is(name: str, tmp_path: Path) -> None:
    """A name with brackets or colons is a name and nothing else."""
    path = written(tmp_path, ('name = "Standardregelsett"', f'name = "{name}"'))
    result = run("check-policy", path, "--seconds", "0")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{name}, 2026-11")


def test_a_question_under_a_refused_policy_is_bad_input(tmp_path: Path) -> None:
    """A question with a policy that is refused ends with 2, before the case is looked at."""
    path = written(tmp_path, ("[rules.wish]", "[rules.wihs]"))
    for arguments in (("suggest", DEMO, "--applicant", APPLICANT), ("shortlist", DEMO, "--unit", UNIT)):
        result = run(*arguments, "--policy", path)
        assert result.exit_code == 2
        assert [line.split(": ")[1] for line in lines(result)] == ["rules.wish", "rules.wihs"]
    assert run("handbook", "--policy", path).exit_code == 2


def test_another_policy_is_used_and_named(tmp_path: Path) -> None:
    """The policy that is given decides, and stands in the answer."""
    path = written(tmp_path, ('version = "2026-11"', 'version = "2026-12"'))
    content = json.loads(
        _printed.__wrapped__("suggest", str(DEMO), "--applicant", APPLICANT, "--policy", str(path))
    )
    assert content["policy"]["version"] == "2026-12"
    assert content["policy"]["sha256"] == Policy.from_toml(path.read_text(encoding="utf-8")).sha256


def test_a_warning_of_the_policy_is_shown(tmp_path: Path) -> None:
    """What a reader must see of the policy stands in the document and above the table."""
    path = written(tmp_path, ("[rules.wish]\n", '[rules.wish]\nenabled = false\noff_reason = "Test."\n'))
    content = told("suggest", SMALL, "--applicant", "S-2026-001", "--policy", path)
    assert len(content["warnings"]) == 1
    table = run("suggest", SMALL, "--applicant", "S-2026-001", "--policy", path).stdout
    assert " ".join(content["warnings"][0].split()) in " ".join(table.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_handbook_is_the_librarys(language: str) -> None:
    """The handbook is printed as the library writes it, in the language asked for."""
    result = run("handbook", "--lang", language)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == handbook(Policy.from_toml(_policy_text()), language)


def test_the_handbook_names_every_carried_requirement() -> None:
    """Each of R-01 to R-28 that a rule carries is named with it."""
    named = set(re.findall(r"R-\d\d", run("handbook").stdout))
    assert {"R-08", "R-09", "R-10"} <= named <= {f"R-{i:02}" for i in range(1, 29)}


def test_the_version_is_printed() -> None:
    """The command says its version, and explains itself when asked nothing."""
    assert run("--version").stdout.strip() == __version__
    assert "suggest" in run("--help").stdout


def test_serving_without_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no default secret: without one, or with a short one, nothing is served."""
    for token in (None, "", "short"):
        if token is None:
            monkeypatch.delenv("ALLOCATOR_API_TOKEN", raising=False)
        else:
            monkeypatch.setenv("ALLOCATOR_API_TOKEN", token)
        result = run("serve", DEMO)
        (line,) = lines(result)
        assert result.exit_code == 2
        assert line.startswith("ALLOCATOR_API_TOKEN: expected a secret of at least 32 characters")


# ---------------------------------------------------------------------------------------------- schema


class _Schema:
    """As much of JSON Schema as the schema of a case uses; an unknown keyword is an error."""

    _NOTES = frozenset({"$schema", "title", "description", "default", "$defs"})

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._keywords: dict[str, Callable[[Any, Any], bool]] = {
            "$ref": lambda value, ref: self.fits(value, self._root["$defs"][ref.removeprefix("#/$defs/")]),
            "type": self._is,
            "enum": lambda value, allowed: value in allowed,
            "const": lambda value, only: type(value) is type(only) and value == only,
            "anyOf": lambda value, options: any(self.fits(value, option) for option in options),
            "items": lambda value, inner: all(self.fits(item, inner) for item in value),
            "uniqueItems": lambda value, _yes: len(value) == len({json.dumps(item) for item in value}),
            "required": lambda value, names: set(names) <= set(value),
            "pattern": lambda value, pattern: re.search(pattern, value) is not None,
            "minLength": lambda value, limit: len(value) >= limit,
            "maxLength": lambda value, limit: len(value) <= limit,
            "minimum": lambda value, limit: value >= limit,
            "maximum": lambda value, limit: value <= limit,
            "ge": lambda value, limit: value >= limit,
            "le": lambda value, limit: value <= limit,
            "format": lambda value, name: name == "date" and bool(date.fromisoformat(value)),
            "propertyNames": lambda value, inner: all(self.fits(name, inner) for name in value),
        }

    @staticmethod
    def _is(value: Any, name: str) -> bool:
        kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
        if name == "null":
            return value is None
        return isinstance(value, kinds[name]) and not (name == "integer" and isinstance(value, bool))

    def fits(self, value: Any, schema: Mapping[str, Any] | None = None) -> bool:
        """Return whether a value is as a schema says."""
        schema = self._root if schema is None else schema
        if "type" in schema and not self._is(value, schema["type"]):
            return False
        if schema.get("type") == "object":
            known = schema.get("properties", {})
            others = schema.get("additionalProperties", True)
            for name, inner in value.items():
                if name in known:
                    if not self.fits(inner, known[name]):
                        return False
                elif others is False or (isinstance(others, dict) and not self.fits(inner, others)):
                    return False
        rest = set(schema) - self._NOTES - {"properties", "additionalProperties"}
        return all(self._keywords[name](value, schema[name]) for name in rest)


@cache
def _schema() -> dict[str, Any]:
    result = run("schema")
    assert (result.exit_code, result.stderr) == (0, "")
    content: dict[str, Any] = json.loads(result.stdout)
    return content


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_is_as_the_schema_says(path: Path) -> None:
    """Each case that comes with the product is as the printed schema says."""
    assert _Schema(_schema()).fits(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        {"as_of": 1},
        {"as_of": "1899-12-31"},
        {"extra": 1},
        {"residents": {}},
        {"applicants": [{"id": 1, "waiting_since": "2026-01-01"}]},
        {"applicants": [{"id": "a"}]},
        {"schemes": [{"id": "a", "name": ""}]},
        {"schemes": [{"id": "a", "name": "a", "unit_count": 0}]},
        {"schemes": [{"id": "a", "name": "a", "kind": "castle"}]},
        {"municipality": {"code": "99", "name": "a"}},
    ],
)
def test_what_the_schema_refuses_is_refused(change: dict[str, Any]) -> None:
    """The schema refuses faults of form, and so does the command."""
    content = {"as_of": "2026-11-22"} | change
    assert not _Schema(_schema()).fits(content)
    assert run("suggest", "-", "--applicant", "a", given=json.dumps(content)).exit_code == 2


def test_the_schema_has_the_promised_lists() -> None:
    """The schema names the lists that a case has, and every person's id."""
    properties = _schema()["properties"]
    assert {"as_of", "schemes", "residents", "applicants", "conflicts", "orders", "vetoes"} <= set(properties)
    for person in ("Resident", "Applicant"):
        assert "id" in _schema()["$defs"][person]["required"]


# ----------------------------------------------------------------------------------------------- table


def overview(printed: str) -> str:
    """Return the list at the top of what is printed: its heading and its lines."""
    heading, _, rest = printed.partition("─\n")
    assert rest
    return "\n".join([heading.splitlines()[-2], rest.split("\n\n")[0]])


def table(*options: str, monkeypatch: pytest.MonkeyPatch, width: int = 100) -> str:
    """Return the table for an applicant of the demo, on a terminal of that width."""
    monkeypatch.setattr(cli, "_console", Console(highlight=False, width=width))
    result = run("suggest", DEMO, "--applicant", APPLICANT, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_has_every_unit_and_verdict(columns: int, language: str) -> None:
    """At either width, every unit has a line with its verdict in words, and nothing is cut off."""
    output = started("suggest", DEMO, "--applicant", APPLICANT, "--lang", language, COLUMNS=str(columns))
    assert (output.returncode, output.stderr) == (0, b"")
    printed = output.stdout.decode().splitlines()
    text = catalog(language)
    for suggestion in told("suggest", DEMO, "--applicant", APPLICANT)["suggestions"]:
        word = text(f"verdicts.{suggestion['verdict']}")
        name = re.escape(suggestion["unit"])
        assert [line for line in printed if re.search(rf"\s{suggestion['rank']} +{name} .*{word} *$", line)]
    assert max(map(len, printed)) <= columns
    assert "…" not in output.stdout.decode()


def test_long_ids_are_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id as long as ids may be is shown in full, on as many lines as it takes."""
    content = SMALL.read_text(encoding="utf-8")
    names = {name: name + "-" + "x" * (63 - len(name)) for name in ("provehuset", "provehuset-2")}
    for name, longer in names.items():
        content = content.replace(f'"{name}"', f'"{longer}"')
    monkeypatch.setattr(cli, "_console", Console(highlight=False, width=80))
    printed = run("suggest", "-", "--applicant", "S-2026-001", "--top", "1", given=content).stdout
    listed = overview(printed)
    assert "…" not in listed


def test_ids_with_colons_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that happens to have the form of an emoji code is shown as it is."""
    content = SMALL.read_text(encoding="utf-8").replace('"provehuset-2"', '"bo:house:2"')
    monkeypatch.setattr(cli, "_console", Console(highlight=False, width=100))
    printed = run("suggest", "-", "--applicant", "S-2026-001", given=content).stdout
    assert "bo:house:2" in overview(printed)


@pytest.mark.parametrize(("top", "details"), [("1", 1), ("3", 3), ("0", 14), ("99", 14)])
def test_top_says_how_many_are_explained(top: str, details: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reasons are given for so many, for all with 0; all are in the overview anyhow, and the rest counted."""
    units = [s["unit"] for s in told("suggest", DEMO, "--applicant", APPLICANT)["suggestions"]]
    assert len(units) == 14
    printed = table("--top", top, monkeypatch=monkeypatch)
    headings = [line for line in printed.splitlines() if re.match(r"[●◐?▲■] \S+  ", line)]
    assert [line.split()[1] for line in headings] == units[:details]
    assert all(unit in printed for unit in units)
    assert (catalog("nb")("answer.more", count=str(14 - details)) in printed) == (details < 14)


def test_score_adds_the_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points are in the overview only if asked for, with the range that an unknown leaves."""
    assert "Poeng " not in overview(table(monkeypatch=monkeypatch))
    listed = overview(table("--score", monkeypatch=monkeypatch))
    for suggestion in told("suggest", DEMO, "--applicant", APPLICANT)["suggestions"]:
        (line,) = [line for line in listed.splitlines() if f" {suggestion['unit']} " in line]
        score, worst = suggestion["score"], suggestion["score_at_worst"]
        assert line.rstrip().endswith(str(score) if score == worst else f"{score} (kan bli {worst})")


def test_points_are_for_the_committee_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers who are not cleared see no points, also if they ask for them."""
    for reader in ("staff", "applicant"):
        listed = overview(table("--score", "--reader", reader, monkeypatch=monkeypatch))
        assert not re.search(r"\b(100|9\d|8\d)\b", listed)


def test_kept_adds_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What speaks for a unit is shown only if asked for."""
    assert "✓" not in table(monkeypatch=monkeypatch)
    assert table("--kept", monkeypatch=monkeypatch).count("✓") > 50


def test_unranked_lists_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ranks, units come by id, no number stands before them, and it is said why."""
    printed = table("--unranked", "--top", "0", monkeypatch=monkeypatch)
    headings = [line.split()[1] for line in printed.splitlines() if re.match(r"[●◐?▲■] \S+  ", line)]
    assert headings == sorted(headings)
    assert len(headings) == 14
    assert catalog("nb")("answer.rank") not in printed
    assert " ".join(catalog("nb")("answer.unranked").split()) in " ".join(printed.split())


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_is_for_its_reader(reader: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every reader gets the table in every language, with the advice that it is only advice."""
    printed = table("--reader", reader, "--lang", language, monkeypatch=monkeypatch)
    assert catalog(language)("answer.advice_only") in " ".join(printed.split())
    assert bool(re.search(r"\bB-\d\d\b", printed)) == (reader == "committee")


def test_a_case_without_units_or_applicants_is_said_to_have_none() -> None:
    """An empty answer is a sentence and no table."""
    content = {"as_of": "2026-11-22", "applicants": [{"id": "a", "waiting_since": "2026-01-01"}]}
    result = run("suggest", "-", "--applicant", "a", given=json.dumps(content))
    assert result.exit_code == 0
    assert catalog("nb")("answer.no_units") in result.stdout
    unit = {"id": "u", "status": "vacant"}
    scheme = {"id": "s", "name": "s", "living_groups": [{"id": "g", "name": "g", "units": [unit]}]}
    result = run(
        "shortlist", "-", "--unit", "u", given=json.dumps({"as_of": "2026-11-22", "schemes": [scheme]})
    )
    assert result.exit_code == 0
    assert catalog("nb")("answer.no_applicants") in result.stdout


def test_two_units_are_compared_in_the_table_and_in_json() -> None:
    """`--compare` says why one stands before the other, and refuses what is not in the answer."""
    asked = ("suggest", DEMO, "--applicant", APPLICANT)
    assert "Sammenligning" in run(*asked, "--compare", "nordlia-10", "nordlia-6").stdout
    told = json.loads(run(*asked, "--compare", "nordlia-10", "nordlia-6", "--format", "json").stdout)
    assert told["comparison"]["of"] == ["nordlia-10", "nordlia-6"]
    refused = run(*asked, "--compare", "nordlia-10", "nowhere")
    assert refused.exit_code == 2
    assert lines(refused) == ["--compare: expected two ids that are in the answer"]


def test_a_shortlist_is_refused_to_applicants() -> None:
    """A list of applicants is not for one of them."""
    refused = run("shortlist", DEMO, "--unit", UNIT, "--reader", "applicant")
    assert refused.exit_code == 2
    assert lines(refused) == [
        "--reader: expected `committee`, `member` or `staff`: a shortlist is about others"
    ]
