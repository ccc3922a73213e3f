"""CLIPS (clipspy): residents and units stay in its memory, the applicant comes and goes, Rete joins them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from bench.encoded import (
    A_PAIR,
    A_UNIT,
    PAIR,
    R_PAIR,
    U_UNIT,
    UNIT,
    YES,
    Both,
    Condition,
    Either,
    Encoded,
    Is,
    no_counts,
    rows_of,
)
from bench.workload import Case, Row

_clips: Any = import_module("clips")

_SYMBOLS = {"==": "=", "!=": "<>", "<": "<", ">": ">"}


def _template(name: str, *slots: str) -> str:
    return f"(deftemplate {name} {' '.join(f'(slot {slot})' for slot in slots)})"


def _test(condition: Condition) -> str:
    match condition:
        case Is(left, op, right):
            return f"({_SYMBOLS[op]} ?{left} {right if isinstance(right, int) else f'?{right}'})"
        case Both(parts):
            return f"(and {' '.join(_test(part) for part in parts)})"
        case Either(parts):
            return f"(or {' '.join(_test(part) for part in parts)})"


def _names(condition: Condition) -> Iterator[str]:
    match condition:
        case Is(left, _, right):
            yield left
            if isinstance(right, str):
                yield right
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _names(part)


def _pattern(template: str, names: list[str], test: str = "") -> str:
    """Return a pattern that binds *names*, with a test on the last of them."""
    slots = [f"({name} ?{name})" for name in names]
    if test:
        slots[-1] = f"({names[-1]} ?{names[-1]}&:{test})"
    return f"({template} {' '.join(slots)})"


def _rules() -> Iterator[str]:
    for subject, of_applicant, of_other, rules in (
        ("resident", A_PAIR, R_PAIR, PAIR),
        ("unit", A_UNIT, U_UNIT, UNIT),
    ):
        for at, (rule, (sure, possible)) in enumerate(rules.items()):
            hit = f"=> (hit {subject} {at} %d ?u))"
            if rule == "pair-enemies" and subject == "resident":
                yield "(defrule enemies (enemy (id ?i)) (resident (u ?u) (id ?i)) " + hit % YES
                continue
            only_possible = f"(and (not {_test(sure)}) {_test(possible)})"
            for name, test, value in (("sure", _test(sure), YES), ("maybe", only_possible, 1)):
                read = list(dict.fromkeys(_names(possible)))
                mine = [slot for slot in read if slot in of_applicant]
                theirs = ["u", *(slot for slot in read if slot in of_other)]
                if len(theirs) > 1:
                    asking, tested = _pattern("applicant", mine), _pattern(subject, theirs, test)
                else:
                    asking, tested = _pattern("applicant", mine, test), _pattern(subject, theirs)
                yield f"(defrule {rule}-{name} {asking} {tested} {hit % value}"


class Peer:
    """CLIPS for one case."""

    def __init__(self, _case: Case, encoded: Encoded) -> None:
        self._encoded = encoded
        self._environment = _clips.Environment()
        self._hits: list[tuple[str, int, int, str]] = []

        def hit(subject: Any, at: int, value: int, unit: str) -> None:
            self._hits.append((str(subject), at, value, unit))

        self._environment.define_function(hit)
        self._environment.build(_template("applicant", *A_PAIR, *A_UNIT))
        self._environment.build(_template("enemy", "id"))
        self._environment.build(_template("resident", "u", "id", *R_PAIR))
        self._environment.build(_template("unit", "u", *U_UNIT))
        for rule in _rules():
            self._environment.build(rule)
        resident, unit_template = (self._environment.find_template(name) for name in ("resident", "unit"))
        for unit in encoded.units:
            for name, numbers in zip(unit.names, unit.residents, strict=True):
                resident.assert_fact(u=unit.id, id=name, **numbers)
            unit_template.assert_fact(u=unit.id, **unit.facts)

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        asked = self._encoded.applicants[applicant]
        self._hits.clear()
        enemy, mine = (self._environment.find_template(name) for name in ("enemy", "applicant"))
        facts = [enemy.assert_fact(id=name) for name in sorted(asked.enemies)]
        facts.append(mine.assert_fact(**asked.pair, **asked.unit))
        self._environment.run()
        for fact in facts:
            fact.retract()
        counts, values = no_counts(self._encoded)
        for subject, at, value, unit in self._hits:
            if subject == "resident":
                counts[unit][at][YES - value] += 1
            else:
                values[unit][at] = value
        return rows_of(counts, values)
