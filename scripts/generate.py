"""Write the generated documents, or say which of them differ: the handbook, the schemas, the API."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from allocator import terminal
from allocator.clock import SystemClock
from allocator.documents import case_schema, read_case
from allocator.handbook import handbook
from allocator.model import (
    Snapshot,
)
from allocator.policy import Policy
from allocator.scoring import suggest
from allocator.store.engine import Connections, connect
from allocator.texts import Language
from api.app import create_app, create_office

ROOT = Path(__file__).resolve().parent.parent
SHOWN = "S-2026-101"


def documents() -> dict[Path, str]:
    """Return every generated document by its path."""
    policy = Policy.from_toml((ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8"))
    app = create_app(Snapshot.model_validate_json('{"as_of": "2026-11-22"}'), policy, demo=True)
    written = {ROOT / f"docs/handbook.{lang}.md": handbook(policy, lang.value) for lang in Language}
    case = read_case((ROOT / "fixtures/cases/demo-municipality.json").read_bytes())
    written[ROOT / "docs/suggestion.svg"] = picture(terminal.table(suggest(case, policy, SHOWN), top=3))
    written[ROOT / "docs/case.schema.json"] = _json(case_schema())
    nowhere = Connections(connect("sqlite:///nowhere.db"))  # describing needs no database
    written[ROOT / "docs/openapi.json"] = _json(create_office(nowhere, SystemClock(), policy).openapi())
    written[ROOT / "docs/openapi-case.json"] = _json(app.openapi())
    return written


def picture(renderables: list[object]) -> str:
    """Return what the terminal shows as an SVG picture that loads nothing from anywhere."""
    console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True, highlight=False)
    for renderable in renderables:
        console.print(renderable)
    svg = console.export_svg(
        title=f"allocator suggest … --applicant {SHOWN}", theme=DEFAULT_TERMINAL_THEME, unique_id="s"
    )
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the documents, or with ``--check`` compare them; 1 if one differs."""
    differ = []
    for path, text in documents().items():
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            differ.append(path.relative_to(ROOT))
    for name in differ:
        print(f"{name} differs from what is generated: run `make handbook` and review it", file=sys.stderr)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
