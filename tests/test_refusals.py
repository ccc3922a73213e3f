"""Whatever a use case refuses is said in all three languages, with what is filled in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from allocator.service.errors import RefusalError
from allocator.texts import Language, catalog, placeholders
from api.refusals import reason

SERVICE = Path(str(files("allocator.service")))


def refused() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the code of each refusal in the use cases, and the values that are filled in."""
    for path in sorted(SERVICE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("refuse", "RefusalError") and node.args[0].value != "request":
                values = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
                yield str(node.args[0].value), values - {"problems", "values"}


@pytest.mark.parametrize("language", list(Language))
def test_each_refusal_has_its_words(language: Language) -> None:
    """A code without a sentence, or a sentence that wants what is not given, is a fault."""
    words = catalog(language)
    for code, values in refused():
        assert words.has("refusals", code), code
        assert placeholders(words.template("refusals", code)) <= values, code


@pytest.mark.parametrize("language", list(Language))
def test_a_rule_is_called_what_it_is_called_everywhere(language: Language) -> None:
    """Nobody reads the name that it has in the code."""
    said = catalog(language)

    told = reason(said, RefusalError("bar-not-overridable", {"rule": "unit-available"}))

    assert said.rule("unit-available", "title") in told
    assert "unit-available" not in told
