"""The engine of record beside the reference: ``python -m bench.engine_of_record [--units N] [--rounds N]``.

One applicant, 60 units that are not lived in, the whole rulebook. Each round times every way once, in turn,
from a case that nobody has read yet, and checks that they all answer the same. Times are those of the clock,
since some of the work is done in another process: medians, in milliseconds, and ratios to the bare engine of
record.

* *judge*: outcomes alone.
* *judge and findings*: with the findings made of them, each with its facts.

The targets: contained at most 1.15 times the bare engine (judge); contained and checked against the columnar
engine at most 1.3 times (judge and findings); the engine of record at most 100 times the reference.
``--memory`` measures memory instead (:mod:`bench.memory`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping

from allocator.codes import UnitStatus
from allocator.engines import Engine, Judgement
from allocator.engines.contained import ContainedEngine
from allocator.engines.crosscheck import Checked
from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.engines.registry import ENGINES
from allocator.facts import Candidate, CaseFacts
from allocator.policy import BoundRule
from allocator.scoring import findings
from bench import memory
from bench.workload import default_policy
from fixtures.generator import municipality

UNITS = 60
ROUNDS = 15
SEED = 1

BARE = "durable"


def engines(rules: tuple[BoundRule, ...]) -> dict[str, Engine]:
    """Return the engines to compare, each ready."""
    contained = ContainedEngine(rules)
    contained.judge(())
    ways: dict[str, Engine] = {
        "reference": ReferenceEngine(rules),
        BARE: DurableEngine(rules),
        "contained": contained,
    }
    for name in ENGINES:
        if name != BARE:
            ways[f"contained, checked by {name}"] = Checked(contained, ENGINES[name](rules))
    return ways


def measure(
    ways: Mapping[str, Engine], ask: Callable[[], list[Candidate]], rules: tuple[BoundRule, ...], rounds: int
) -> dict[str, tuple[float, float]]:
    """Return for each way the medians, in milliseconds, of judging and of judging with findings."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    right: list[Judgement] | None = None
    for round_ in range(rounds + 1):
        for name, engine in ways.items():
            people = ask()
            started = time.perf_counter()
            judged = engine.judge(people)
            half = time.perf_counter()
            for candidate, judgement in zip(people, judged, strict=True):
                for finding in findings(candidate, rules, judgement):
                    _ = finding.facts
            ended = time.perf_counter()
            right = judged if right is None else right
            if judged != right:
                raise AssertionError(f"{name} answers something else")
            if round_:  # the first warms up
                times[name].append((half - started, ended - started))
    return {
        name: (
            statistics.median(judge for judge, _ in taken) * 1000,
            statistics.median(both for _, both in taken) * 1000,
        )
        for name, taken in times.items()
    }


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--memory", action="store_true", help="measure memory over 100 000 evaluations")
    chosen = parser.parse_args()
    if chosen.memory:
        return 0 if memory.measure() else 1
    case = municipality(SEED, chosen.units * 12, applicants=3)
    rules = default_policy().active(case.as_of)

    def ask() -> list[Candidate]:
        facts = CaseFacts(case)
        open_units = [
            unit
            for unit, place in sorted(facts.places.items())
            if place.unit.status is not UnitStatus.OCCUPIED
        ]
        return [facts.candidate(case.applicants[0].id, unit) for unit in open_units[: chosen.units]]

    medians = measure(engines(rules), ask, rules, chosen.rounds)
    judge, both = medians[BARE]
    out = sys.stdout.write
    out(f"{len(ask())} units, {len(rules)} rules, medians of {chosen.rounds} rounds\n\n")
    out("| way | judge, ms | ratio | judge and findings, ms | ratio |\n|:--|--:|--:|--:|--:|\n")
    for name, (one, other) in medians.items():
        out(f"| {name} | {one:.1f} | {one / judge:.2f} | {other:.1f} | {other / both:.2f} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
