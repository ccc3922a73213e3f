"""Memory of the engine of record over very many evaluations: ``python -m bench.memory [EVALUATIONS]``.

An evaluation is one applicant in one unit, with everybody who lives there, under the whole rulebook. What is
printed is how much of a process's memory is in use, in MiB, for the process that judges and for the one that
asks. It exits with 1 if either has grown by more than 5 % since a tenth of the evaluations were done.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from pathlib import Path

from allocator.engines.contained import ContainedEngine
from allocator.facts import CaseFacts
from bench.workload import default_policy
from fixtures.generator import municipality

EVALUATIONS = 100_000
BATCH = 60
CASES = 4
ALLOWED = 1.05

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int) -> float:
    """Return the memory that a process has in use, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE / 2**20


def measure(evaluations: int = EVALUATIONS) -> bool:
    """Print memory at every tenth of the evaluations; return whether it stays flat."""
    cases = [municipality(seed, 600, applicants=40) for seed in range(CASES)]
    engine = ContainedEngine(default_policy().active(cases[0].as_of))
    engine.judge(())
    questions = (
        [facts.candidate(who, unit) for unit in units]
        for round_ in itertools.count()
        for facts in map(CaseFacts, cases)
        for who in facts.applicants
        for units in [sorted(facts.places)[round_ % 9 * BATCH :][:BATCH]]
    )
    done = 0
    seen: list[tuple[float, float]] = []
    sys.stdout.write("| evaluations | judging, MiB | asking, MiB |\n|--:|--:|--:|\n")
    for question in questions:
        engine.judge(question)
        done += len(question)
        if done >= (len(seen) + 1) * evaluations / 10:
            child, *_ = engine.processes
            seen.append((resident(child), resident(os.getpid())))
            sys.stdout.write(f"| {done} | {seen[-1][0]:.1f} | {seen[-1][1]:.1f} |\n")
            sys.stdout.flush()
        if done >= evaluations:
            break
    engine.close()
    flat = all(last <= first * ALLOWED for first, last in zip(seen[0], seen[-1], strict=True))
    sys.stdout.write(f"flat: {'yes' if flat else 'no'}\n")
    return flat


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("evaluations", nargs="?", type=int, default=EVALUATIONS)
    return 0 if measure(parser.parse_args().evaluations) else 1


if __name__ == "__main__":
    sys.exit(main())
