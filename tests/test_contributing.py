"""CONTRIBUTING shows how to add a rule; here its patch is applied to a copy of the project and run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    "allocator",
    "fixtures/policies",
    "tests/rules",
    "tests/__init__.py",
    "tests/conftest.py",
    "pyproject.toml",
)


def test_a_newcomer_adds_a_rule_as_shown(tmp_path: Path) -> None:
    """The patch touches rule, policy, texts and table, and nothing else; the rule then works."""
    for part in PARTS:
        target = tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, target)
    (patch,) = re.findall(
        r"```diff\n(.*?)```\n", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL
    )
    touched = set(re.findall(r"^\+\+\+ b/(\S+)$", patch, re.MULTILINE))
    assert touched == {
        "allocator/rules/safety.py",
        "fixtures/policies/default.toml",
        *(f"allocator/texts/{language}.toml" for language in ("nb", "nn", "en")),
        "tests/rules/test_safety.py",
    }

    def run(*command: str, given: str = "") -> str:
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "COVERAGE_PROCESS_START": ""},
            input=given,
            capture_output=True,
            check=True,
            text=True,
        ).stdout

    run("git", "apply", "-C1", "-", given=patch)
    run(
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/rules"),
        *("-k", "staff_way_out or staff-way-out or each_rule_has or language"),
    )
    told = run(
        *(sys.executable, "-c"),
        "from pathlib import Path; from allocator.policy import Policy;"
        "from allocator.handbook import handbook;"
        "print(handbook(Policy.from_toml(Path('fixtures/policies/default.toml').read_text())))",
    )
    assert "Vei ut for ansatte" in told
    assert "antall utganger er under 2" in told
