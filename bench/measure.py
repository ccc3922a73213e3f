"""Clocks, medians and exponents.

What is compared is measured in one process, in rounds: in each round every job runs once or a few times, the
jobs in an order drawn anew, so that whatever else the machine does falls on all of them alike. The garbage
collector is told to leave what the set-up made alone.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

FAST_SECONDS = 0.02
"""What is faster runs several times a round."""

SEVERAL = 5
LEAST_ROUNDS = 3
"""So many times at least everything runs, however long it takes."""


@dataclass
class Job:
    """Something to measure.

    Attributes:
        name: What it is.
        run: It; the number says which question to ask. All jobs of a round are asked the same ones, and
            none is asked twice in a row.
        before: What it needs now and then, with no clock running.
        seconds: What it took, each time.
    """

    name: str
    run: Callable[[int], object]
    before: Callable[[], object] | None = None
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median, in milliseconds; not a number if it has not run."""
        return statistics.median(self.seconds) * 1e3 if self.seconds else math.nan

    def once(self, question: int, clock: Callable[[], float] = time.perf_counter) -> float:
        """Run it, and return the seconds it took."""
        if self.before is not None:
            self.before()
        start = clock()
        self.run(question)
        return clock() - start


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the garbage collector from what is there already."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def rounds(
    jobs: Sequence[Job], repeats: int, budget: float, random: Random, clock: Callable[[], float] | None = None
) -> None:
    """Measure *jobs* in rounds.

    Args:
        jobs: What to measure.
        repeats: Number of rounds.
        budget: Seconds after which a job runs no more, once it has run a few times.
        random: Draws the order.
        clock: What tells seconds; the time of day's, if not given.
    """
    clock = clock or time.perf_counter
    with quiet():
        first = {job.name: job.once(0) for job in jobs}
        for number in range(repeats):
            order = list(jobs)
            random.shuffle(order)
            for job in order:
                if number >= LEAST_ROUNDS and sum(job.seconds) > budget:
                    continue
                for again in range(SEVERAL if first[job.name] < FAST_SECONDS else 1):
                    job.seconds.append(job.once(1 + number * SEVERAL + again, clock))


def exponent(points: Mapping[int, float]) -> float:
    """Return the power of the size that the time grows by: least squares over the logarithms."""
    known = [(math.log(size), math.log(time_)) for size, time_ in points.items() if time_ > 0]
    if len(known) < 2:
        return math.nan
    mean_x = statistics.fmean(x for x, _ in known)
    mean_y = statistics.fmean(y for _, y in known)
    spread = sum((x - mean_x) ** 2 for x, _ in known)
    return sum((x - mean_x) * (y - mean_y) for x, y in known) / spread
