"""Whatever can be done over HTTP can be done in the browser."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from allocator.access.table import table
from allocator.service.catalogue import USES
from api import pages

FOLDER = Path(str(pages.__file__)).parent
TEMPLATES = FOLDER / "templates"

ASKED = re.compile(r"""\.may\("([a-z_]+\.[a-z_]+)"\)|"([a-z_]+\.[a-z_]+)" in may""")
"""How a page asks whether something may be done."""

WITHOUT_A_PAGE: frozenset[str] = frozenset()
"""Use cases that no page offers; each with why."""


def named_in(module: Path) -> Iterator[str]:
    """Yield the use cases that a module names: whole, or put together of a kind and one of its words."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    words = constants & {name.partition(".")[2] for name in USES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in USES:
            yield str(node.value)
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            kind = str(node.values[0].value)
            yield from USES.keys() & {kind + str(word) for word in words}


def test_every_use_case_has_a_page() -> None:
    """One that is added without a page is missed here, not by the people who need it."""
    offered = {name for module in FOLDER.glob("*.py") for name in named_in(module)}

    assert set(USES) - offered == WITHOUT_A_PAGE


NOT_ASKED_FOR: Mapping[str, frozenset[str]] = {
    "comments.make": frozenset({"parent"}),  # the pages list remarks one after another
    "outcomes.record": frozenset({"meeting"}),  # it is told on the page of the home, not of the meeting
    "people.register": frozenset({"representatives"}),  # told on the page of whoever is there
    "reviews.plan": frozenset({"decision"}),  # what follows a decision is planned by itself
}
"""Fields of use cases that no form has; each with why."""


def test_every_field_of_a_use_case_can_be_filled_in() -> None:
    """Near where the use case is named: in that file, or in the templates of its topic, or a macro."""
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in (*FOLDER.glob("*.py"), *FOLDER.glob("templates/**/*.html"))
    }
    missing: dict[str, frozenset[str]] = {}
    for name, use in USES.items():
        word = re.compile(rf"""["'/]({re.escape(name)}|{name.partition(".")[2]})["'/ ]""")
        naming = [path for path, text in texts.items() if word.search(text)]
        folders = {TEMPLATES / "macros"} | {
            path.parent if path.suffix == ".html" else TEMPLATES / path.stem for path in naming
        }
        near = "\n".join(text for path, text in texts.items() if path in naming or path.parent in folders)
        absent = {field for field in use.command.model_fields if not re.search(rf"[\"'/]{field}\b", near)}
        if absent:
            missing[name] = frozenset(absent)

    assert missing == NOT_ASKED_FOR


def test_a_page_asks_about_what_is_in_the_access_table() -> None:
    """A misspelt name would hide what it offers from everybody, and say nothing."""
    allowed = {use for role in table().roles.values() for does in role.does for use in does.uses}
    asked = {
        question[0] or question[1]
        for page in (*FOLDER.glob("*.py"), *FOLDER.glob("templates/**/*.html"))
        for question in ASKED.findall(page.read_text(encoding="utf-8"))
    }

    assert len(asked) > 40
    assert asked - allowed == set()
