"""Every sentence of the product, in bokmål, nynorsk and English, and how values are put into them.

The sentences stand in one TOML file a language; what is expected of a document is said in English where it is
read, and ``expected.toml`` has the same in Norwegian. A placeholder names a fact (``{unit.floor}``), a
parameter of the policy (``{params.young_under}``) or a word that the caller gives (``{who}``). Nothing here
decides anything.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from allocator.facts import VOCABULARY, Missing, Reading, fact_type
from allocator.model import Problem


class Language(StrEnum):
    """Languages of the product."""

    NB = "nb"
    NN = "nn"
    EN = "en"


_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_.]+)\}")


def placeholders(template: str) -> frozenset[str]:
    """Return the names of a template's placeholders."""
    return frozenset(_PLACEHOLDER.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into a template. Raises KeyError for a placeholder without one."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def sentence_case(text: str) -> str:
    """Return *text* with a capital first letter."""
    return text[:1].upper() + text[1:]


class Catalog:
    """The sentences of one language."""

    def __init__(self, language: Language, content: Mapping[str, Any]) -> None:
        self.language = language
        self._content = content

    def __call__(self, key: str, /, **values: str) -> str:
        """Return the sentence of that dotted key, with *values* put in.

        Raises:
            KeyError: There is no such sentence, or it has a placeholder without a value.
        """
        return fill(self.template(*key.split(".")), values)

    def template(self, *path: str) -> str:
        """Return a sentence as it stands."""
        node: Any = self._content
        for part in path:
            node = node[part]
        if not isinstance(node, str):
            raise KeyError(".".join(path))
        return node

    def has(self, *path: str) -> bool:
        """Return whether there is such a sentence."""
        try:
            self.template(*path)
        except (KeyError, TypeError):
            return False
        return True

    def rule(self, rule_id: str, part: str) -> str:
        """Return one of a rule's sentences as it stands."""
        return self.template("rules", rule_id, part)

    def label(self, path: str) -> str:
        """Return what a fact is called."""
        return self.template("facts", path.partition(":")[0])

    def question(self, path: str) -> str:
        """Return what a fact is called when it is asked for: *whether* it holds, not *that* it does."""
        label = self.label(path)
        that = self.template("sentence", "that")
        return (
            self.template("sentence", "whether") + label.removeprefix(that)
            if label.startswith(that)
            else label
        )

    def statement(self, path: str) -> str:
        """Return what it is to say that a yes-or-no fact holds, where the language has a clause for it."""
        return self.label(path).removeprefix(self.template("sentence", "clause"))

    def code(self, codes: type[StrEnum], code: str) -> str:
        """Return the label of a code."""
        return self.template("codes", codes.__name__, code)

    def day(self, day: date) -> str:
        """Return a date as it is written."""
        return fill(
            self.template("date"),
            {"day": f"{day.day:02}", "month": f"{day.month:02}", "year": f"{day.year:04}"},
        )

    def listing(self, items: Iterable[str], last: str = "list_and") -> str:
        """Return items joined as in a sentence."""
        words = list(items)
        if len(words) < 2:  # noqa: PLR2004 - one needs no joining
            return "".join(words)
        return ", ".join(words[:-1]) + self.template(last) + words[-1]

    def value(self, path: str, value: Reading) -> str:
        """Return a fact's value as it is read in a sentence."""
        if isinstance(value, Missing):
            return self.template("unknown")
        if isinstance(value, bool):
            return self.template("yes" if value else "no")
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, str):
            codes = fact_type(path).codes
            assert codes is not None
            return self.code(codes, value)
        return str(value)

    def values(self, facts: Mapping[str, Reading]) -> dict[str, str]:
        """Return facts as values for placeholders; a set is the list of the codes it holds."""
        filled: dict[str, str] = {}
        held: dict[str, list[str]] = {}
        for path, value in facts.items():
            base, _, code = path.partition(":")
            if code:
                codes = fact_type(base).codes
                assert codes is not None
                if value is True:
                    held.setdefault(base, []).append(self.code(codes, code))
            elif path in VOCABULARY:
                filled[path] = self.value(path, value)
            else:  # a count
                filled[path] = str(value)
        filled.update((base, self.listing(labels)) for base, labels in held.items())
        return filled


@cache
def _expectations() -> Mapping[str, Mapping[str, str]]:
    text = resources.files(__package__).joinpath("expected.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def expected(problem: Problem, language: Language) -> str:
    """Return what is expected at a place of a document, in a language.

    Raises:
        KeyError: It is not in the texts in that language.
    """
    if language is Language.EN:
        return problem.expected
    told = dict(problem.words).get(language)
    if told is not None:
        return told
    template = _expectations()[problem.template or problem.expected][language]
    return fill(template, dict(problem.values))


@cache
def catalog(language: str) -> Catalog:
    """Return the sentences of a language.

    Raises:
        ValueError: The product does not have that language.
    """
    chosen = Language(language)
    text = resources.files(__package__).joinpath(f"{chosen}.toml").read_text(encoding="utf-8")
    return Catalog(chosen, tomllib.loads(text))
