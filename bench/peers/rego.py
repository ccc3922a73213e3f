"""Rego (the Rust interpreter regorus): units as data, the applicant as input, one query for all rules.

The interpreter is on the index only under another name, uploaded by somebody else: good enough to measure,
nothing to depend on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from bench.encoded import (
    A_PAIR,
    A_UNIT,
    PAIR,
    UNIT,
    YES,
    Condition,
    Dialect,
    Encoded,
    no_counts,
    rows_of,
    ways,
)
from bench.workload import Case, Row

_regorus: Any = import_module("regorus")

_IN_INPUT = frozenset({*A_PAIR, *A_UNIT})


def _bodies(condition: Condition, subject: str) -> list[str]:
    """Return the bodies of the rules for a condition: one for each way it can hold."""
    words = Dialect("; ", "", lambda name: f"input.{name}" if name in _IN_INPUT else f"{subject}.{name}")
    return ["; ".join(words.write(part) for part in way) for way in ways(condition)]


def policy() -> str:
    """Return the policy: a set of residents, or of units, for each rule and certainty."""
    lines = ["package bench", "import rego.v1"]
    names = []
    for at, (rule, conditions) in enumerate(PAIR.items()):
        for sure, condition in zip("cp", conditions, strict=True):
            names.append(f"p{at}{sure}")
            some = "some u in data.units; some r in u.rs"
            bodies = ["input.en[r.id]"] if rule == "pair-enemies" else _bodies(condition, "r")
            lines += [f"p{at}{sure} contains [u.u, r.id] if {{ {some}; {body} }}" for body in bodies]
    for at, conditions in enumerate(UNIT.values()):
        for sure, condition in zip("cp", conditions, strict=True):
            names.append(f"u{at}{sure}")
            bodies = _bodies(condition, "u")
            lines += [f"u{at}{sure} contains u.u if {{ some u in data.units; {body} }}" for body in bodies]
    lines.append("answer := {" + ", ".join(f'"{name}": {name}' for name in names) + "}")
    return "\n".join(lines)


class Peer:
    """Rego for one case."""

    def __init__(self, _case: Case, encoded: Encoded) -> None:
        self._encoded = encoded
        units = [
            {
                "u": unit.id,
                **unit.facts,
                "rs": [
                    {**numbers, "id": name} for name, numbers in zip(unit.names, unit.residents, strict=True)
                ],
            }
            for unit in encoded.units
        ]
        self._engine = _regorus.Engine()
        self._engine.add_policy("bench.rego", policy())
        self._engine.add_data_json(json.dumps({"units": units}))

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        asked = self._encoded.applicants[applicant]
        enemies = dict.fromkeys(sorted(asked.enemies), True)
        self._engine.set_input_json(json.dumps({**asked.pair, **asked.unit, "en": enemies}))
        answer: Mapping[str, Any] = json.loads(self._engine.eval_rule_as_json("data.bench.answer"))
        counts, values = no_counts(self._encoded)
        for at in range(len(PAIR)):
            sure = {tuple(pair) for pair in answer[f"p{at}c"]}
            for unit, _ in sure:
                counts[unit][at][0] += 1
            for unit, resident in answer[f"p{at}p"]:
                counts[unit][at][1] += (unit, resident) not in sure
        for at in range(len(UNIT)):
            for unit in answer[f"u{at}p"]:
                values[unit][at] = 1
            for unit in answer[f"u{at}c"]:
                values[unit][at] = YES
        return rows_of(counts, values)
