"""The command: checks that all answers are equal, measures, and writes the tables.

Usage::

    python -m bench                  # everything; writes the tables in bench/README.md
    python -m bench --quick          # small sizes and few rounds, under a minute; writes nothing
    python -m bench --check          # only that all engines are there and answer alike
    python -m bench --profile        # where the time of the columnar engine goes
    python -m bench --only floor,ZEN --sizes 10,100 --repeats 50
    python -m bench --cpu            # processor time, where others use the machine too

A run with other sizes or engines than all of them prints its tables and leaves the file alone, unless
``--write`` is given. It ends with 1 if an engine is missing or answers otherwise than the reference.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import os
import platform
import pstats
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from allocator import __version__
from allocator.codes import ViolenceConclusion
from allocator.model import Resident
from bench.encoded import Encoded
from bench.floor import Peer as Floor
from bench.measure import Job, exponent, rounds
from bench.peers import BY_NAME, KINDS, Kind, MissingPeerError, Peer
from bench.workload import (
    RULE_IDS,
    SEED,
    Case,
    Row,
    WorkloadPolicy,
    a_risk,
    default_policy,
    make_case,
    municipality,
    right_answer,
    workload_rules,
)

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"

CHECKED = ((12, 8, 20), (40, 8, 8), (12, 40, 4))
"""Units, residents and applicants with which every engine is compared before anything is timed."""

SAMPLE = 1000
"""So many units at most are compared with the reference; beyond them, all are compared with the floor."""

UNITS = 1000
RESIDENTS = (4, 8, 16, 40)
RULES = (5, 12, 30, 60)
BATCH = 200
FIRST = 50
SECONDS_A_CALL = 5.0
"""What would take longer at a size, by its time at the last one, is not run there."""


@dataclass(frozen=True)
class Plan:
    """What to measure, and how often."""

    sizes: tuple[int, ...] = (10, 100, 1_000, 10_000)
    growth: tuple[int, ...] = (10, 100, 1_000, 10_000, 100_000)
    units: int = UNITS
    repeats: int = 30
    budget: float = 6.0
    only: frozenset[str] = frozenset(BY_NAME)
    seed: int = SEED
    cpu: bool = False

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The engines asked for."""
        return tuple(kind for kind in KINDS if kind.name in self.only)

    def applicants(self, units: int) -> int:
        """Return how many applicants a municipality of that size gets; their enemies grow with it."""
        return 64 if units <= SAMPLE else 8 if units <= 10 * SAMPLE else 2

    @property
    def random(self) -> Random:
        """Draws the order of the jobs."""
        return Random(self.seed)


QUICK = Plan(sizes=(10, 100), growth=(10, 100, 1_000), units=100, repeats=2, budget=0.5)


@dataclass
class Table:
    """One table of the report."""

    title: str
    said: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [f"### {self.title}", "", self.said, "", _line(self.head), _line("---" for _ in self.head)]
        return "\n".join([*lines, *(_line(row) for row in self.rows)])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ms(milliseconds: float) -> str:
    """Return a time with three figures; a dash if there is none."""
    if math.isnan(milliseconds):
        return "-"
    if milliseconds >= 100:
        return f"{milliseconds:,.0f}"
    return f"{milliseconds:.{max(0, 2 - math.floor(math.log10(max(milliseconds, 1e-3))))}f}"


def _times(one: float, other: float) -> str:
    return "-" if math.isnan(one) or math.isnan(other) else f"{_ms(one / other)}×"


def _power(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def say(text: str) -> None:
    """Tell whoever waits how far it has come."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------ equal answers


def _first_difference(given: Sequence[Row], right: Sequence[Row]) -> str | None:
    """Return where two answers differ, without saying what of anybody; None if they are equal."""
    if len(given) != len(right):
        return f"{len(given)} rows instead of {len(right)}"
    for place, (one, other) in enumerate(zip(given, right, strict=True)):
        if tuple(one) != other:
            parts = zip(("unit", "verdict", "score", "broken", "unknown"), one, other, strict=True)
            return f"row {place}: " + ", ".join(
                f"{name} {mine} instead of {theirs}" for name, mine, theirs in parts if mine != theirs
            )
    return None


def _ready(peer: Peer) -> None:
    """Make a peer ready for the next question, where it needs that."""
    if getattr(peer, "tired", False):
        peer.refresh()  # type: ignore[attr-defined]


def difference(case: Case, peer: Peer, applicants: Iterable[str], floor: Peer | None = None) -> str | None:
    """Return where a peer's answers first differ from the right ones; None if they are equal.

    In a large case the reference judges one unit in so many, and the floor all of them.
    """
    step = -(-len(case.units) // SAMPLE)
    some = case.units[::step]
    for applicant in applicants:
        _ready(peer)
        given = peer.rows(applicant)
        if step > 1 and floor is not None and peer is not floor:
            found = _first_difference(given, floor.rows(applicant))
            if found is not None:
                return f"{applicant}: {found} (against the floor)"
        asked = frozenset(some)
        found = _first_difference([row for row in given if row[0] in asked], _right(case, applicant, some))
        if found is not None:
            return f"{applicant}: {found}"
    return None


_answers: dict[tuple[int, str, int], tuple[Case, list[Row]]] = {}


def _right(case: Case, applicant: str, units: Sequence[str]) -> list[Row]:
    """Return the reference's answer, worked out once for all peers."""
    key = (id(case), applicant, len(units))
    if key not in _answers:
        _answers[key] = case, right_answer(case, applicant, units)
    return _answers[key][1]


def check(kinds: Iterable[Kind], seed: int = SEED) -> dict[str, str | None]:
    """Compare engines with the reference on small cases; return what is wrong with each, None if nothing."""
    wrong: dict[str, str | None] = {}
    cases = [
        (make_case(units, residents, applicants, seed), applicants)
        for units, residents, applicants in CHECKED
    ]
    encoded = [Encoded(case) for case, _ in cases]
    for kind in kinds:
        try:
            make = kind.load()
        except MissingPeerError as error:
            wrong[kind.name] = str(error)
            continue
        wrong[kind.name] = None
        for (case, applicants), numbers in zip(cases, encoded, strict=True):
            try:
                found = difference(case, make(case, numbers), case.applicants[:applicants])
            except Exception as error:  # noqa: BLE001 - whatever happens in an engine is its result
                found = f"{type(error).__name__}: {error}"
            if found is not None:
                wrong[kind.name] = f"{len(case.units)} units, {found}"
                break
    _answers.clear()
    return wrong


# --------------------------------------------------------------------------------------- measuring


@dataclass
class Run:
    """One run: what it found of each engine, and its tables."""

    plan: Plan
    wrong: dict[str, str | None] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)

    @property
    def fit(self) -> tuple[Kind, ...]:
        """The engines that are there and answer as the reference does."""
        return tuple(kind for kind in self.plan.kinds if self.wrong.get(kind.name) is None)

    def has(self, name: str) -> bool:
        """Return whether an engine is asked for, there, and right."""
        return any(kind.name == name for kind in self.fit)

    def measured(self, jobs: Sequence[Job]) -> dict[str, float]:
        """Measure jobs side by side, and return their medians in milliseconds."""
        clock = time.process_time if self.plan.cpu else time.perf_counter
        rounds(jobs, self.plan.repeats, self.plan.budget, self.plan.random, clock)
        return {job.name: job.median for job in jobs}

    def case(self, units: int, residents: int = 8, applicants: int | None = None) -> Case:
        """Return a municipality with the workload's rules."""
        return make_case(units, residents, applicants or self.plan.applicants(units), self.plan.seed)


def _asking(case: Case, method: Callable[[str], object]) -> Callable[[int], object]:
    """Return a job's run: each number asks for another applicant."""
    names = case.applicants

    def run(question: int) -> object:
        return method(names[question % len(names)])

    return run


def _rows_job(kind: Kind, case: Case, peer: Peer) -> Job:
    method: Callable[[str], object] = getattr(peer, "answer", peer.rows)
    return Job(kind.name, _asking(case, method), partial(_ready, peer) if hasattr(peer, "tired") else None)


def side_by_side(run: Run) -> None:
    """Measure all engines at every size: rows with rule ids for all units."""
    times: dict[str, dict[int, float]] = {kind.name: {} for kind in run.fit}
    set_up: dict[str, dict[int, float]] = {kind.name: {} for kind in run.fit}
    for size in run.plan.sizes:
        say(f"side by side: {size} units")
        _side_by_side(run, size, times, set_up)
    _report_side_by_side(run, times, set_up)


def _side_by_side(
    run: Run, size: int, times: dict[str, dict[int, float]], set_up: dict[str, dict[int, float]]
) -> None:
    case = run.case(size)
    encoded = Encoded(case)
    floor = Floor(case, encoded)
    jobs = []
    for kind in run.fit:
        known = times[kind.name]
        if (not known and size != run.plan.sizes[0]) or _too_long(known, size):
            continue
        try:
            start = time.perf_counter()
            peer = kind.load()(case, encoded)
            set_up[kind.name][size] = (time.perf_counter() - start) * 1e3
            found = difference(case, peer, case.applicants[:1], floor)
        except Exception as error:  # noqa: BLE001 - whatever happens in an engine is its result
            found = f"{type(error).__name__}: {error}"
        if found is not None:
            run.wrong[kind.name] = f"{size} units, {found}"
            say(f"wrong: {kind.name}: {found}")
            continue
        if hasattr(peer, "warm"):
            peer.warm()
        jobs.append(_rows_job(kind, case, peer))
    _answers.clear()
    for name, median in run.measured(jobs).items():
        times[name][size] = median


def _too_long(known: Mapping[int, float], size: int) -> bool:
    """Return whether a call would take too long at a size, judged by the last smaller one."""
    last = max(known, default=None)
    return last is not None and known[last] / 1e3 * size / last > SECONDS_A_CALL


def _report_side_by_side(
    run: Run, times: Mapping[str, Mapping[int, float]], set_up: Mapping[str, Mapping[int, float]]
) -> None:
    sizes = run.plan.sizes
    at = UNITS if UNITS in sizes else sizes[-1]
    table = Table(
        "All engines side by side",
        "Milliseconds (median) for one applicant: verdict, score and all rule ids of every unit, best first; "
        f"twelve rules, about 8 residents. The ratios are at {at:,} units. A dash: not run, since a call "
        f"would take more than {SECONDS_A_CALL:.0f} seconds.",
        (
            "engine",
            *(f"{size:,}" for size in sizes),
            "to the floor",
            "to columnar",
            "exponent",
            "set-up",
            "equal",
            "Python does for it",
        ),
    )
    nan = math.nan
    base, ours = (times.get(name, {}).get(at, nan) for name in ("floor", "columnar"))

    def by_time(kind: Kind) -> tuple[bool, float]:
        found = times.get(kind.name, {}).get(at, math.inf)
        return run.wrong.get(kind.name) is not None, found

    for kind in sorted(run.plan.kinds, key=by_time):
        wrong = run.wrong.get(kind.name)
        if wrong is not None:
            said = "not measured" if kind.name not in times else "**no**, not ranked"
            table.rows.append((kind.title, *("-" for _ in sizes), "-", "-", "-", "-", said, kind.host))
            continue
        known = times[kind.name]
        large = {size: median for size, median in known.items() if size >= min(100, sizes[-1])}
        table.rows.append(
            (
                kind.title,
                *(_ms(known.get(size, nan)) for size in sizes),
                _times(known.get(at, nan), base),
                _times(known.get(at, nan), ours),
                _power(exponent(large)),
                _ms(set_up[kind.name].get(at, nan)),
                "yes",
                kind.host,
            )
        )
    run.tables.append(table)


def _ours(name: str, case: Case, *, warm: bool = True) -> Any:
    """Return one of our engines; it needs the facts in no other form."""
    peer: Any = BY_NAME[name].load()(case, None)
    if warm and hasattr(peer, "warm"):
        peer.warm()
    return peer


def _new(name: str, case: Case) -> Job:
    """Return a job that ranks units for applicants who were never asked about before."""
    peer = _ours("columnar", case, warm=False)
    return Job(name, _asking(case, peer.arrays), peer.forget)


def growth_in_units(run: Run) -> None:
    """Measure ours and the floor in ever larger municipalities."""
    ours = run.has("columnar")
    what = ["floor, arrays", "floor, rows"]
    if ours:
        what += ["columnar, arrays", "columnar, rows", "columnar, whole rulebook, arrays"]
        what += ["columnar, arrays, a new applicant"]
    times: dict[str, dict[int, float]] = {name: {} for name in what}
    set_up: dict[int, float] = {}
    for size in run.plan.growth:
        say(f"growth: {size} units")
        case = run.case(size)
        floor = Floor(case)
        methods: list[Callable[[str], object]] = [floor.arrays, floor.rows]
        if ours:
            start = time.perf_counter()
            peer = _ours("columnar", case, warm=False)
            peer.arrays(case.applicants[0])
            set_up[size] = (time.perf_counter() - start) * 1e3
            peer.warm()
            whole = _ours("columnar", case.under(default_policy()))
            for applicant in case.applicants[:2]:
                wrong = difference(case, peer, [applicant], floor) or difference(case, floor, [applicant])
                if wrong is not None:
                    run.wrong["columnar"] = f"{size} units, {wrong}"
                    return
            methods += [peer.arrays, peer.answer, whole.arrays]
        _answers.clear()
        jobs = [Job(name, _asking(case, method)) for name, method in zip(what, methods, strict=False)]
        if ours and not _too_long(times[what[-1]], size):
            jobs.append(_new(what[-1], case))
        for name, median in run.measured(jobs).items():
            times[name][size] = median
    table = Table(
        "Growth with the number of units",
        "Milliseconds for one applicant, about 8 residents. *Arrays* are the units in order with verdict and "
        "score; *rows* have the rule ids too. What concerns one applicant alone (facts, enemies, objections) "
        "is kept once it was asked for; *a new applicant* was not asked about before. Exponents: fitted from "
        "100 units on, and from 1,000 to 10,000.",
        ("", *(f"{size:,}" for size in run.plan.growth), "exponent", "1,000 to 10,000"),
    )
    for name in what:
        known = times[name]
        table.rows.append(
            (
                name,
                *(_ms(known.get(size, math.nan)) for size in run.plan.growth),
                _power(exponent({size: ms for size, ms in known.items() if size >= 100})),
                _power(exponent({size: ms for size, ms in known.items() if size in (1_000, 10_000)})),
            )
        )
    if ours:
        laid = (_ms(set_up[size]) for size in run.plan.growth)
        power = exponent({size: ms for size, ms in set_up.items() if size >= 100})
        table.rows.append(("columnar, laying out and a first answer", *laid, _power(power), ""))
    run.tables.append(table)


def growth_in_residents(run: Run) -> None:
    """Measure ours and the floor in ever larger living groups."""
    ours = run.has("columnar")
    what = ["floor, arrays", *(["columnar, arrays", "columnar, rows"] if ours else [])]
    times: dict[str, dict[int, float]] = {name: {} for name in what}
    for residents in RESIDENTS:
        say(f"growth: {residents} residents")
        case = run.case(run.plan.units, residents)
        floor = Floor(case)
        methods: list[Callable[[str], object]] = [floor.arrays]
        if ours:
            peer = _ours("columnar", case)
            wrong = difference(case, peer, case.applicants[:1], floor)
            if wrong is not None:
                run.wrong["columnar"] = f"{residents} residents, {wrong}"
                return
            methods += [peer.arrays, peer.answer]
        _answers.clear()
        jobs = [Job(name, _asking(case, method)) for name, method in zip(what, methods, strict=True)]
        for name, median in run.measured(jobs).items():
            times[name][residents] = median
    table = Table(
        "Growth with the number of residents",
        f"Milliseconds for one applicant and {run.plan.units:,} units, by residents in a living group. The "
        "floor takes words of 16, 32 and 64 bits as they are needed.",
        ("", *(f"{residents}" for residents in RESIDENTS), "exponent"),
    )
    for name in what:
        known = times[name]
        table.rows.append((name, *(_ms(known[n]) for n in RESIDENTS), _power(exponent(known))))
    run.tables.append(table)


def growth_in_rules(run: Run) -> None:
    """Measure ours with ever more rules."""
    case = run.case(run.plan.units)
    policies = {number: WorkloadPolicy(workload_rules(8, number)) for number in RULES}
    under = {str(number): case.under(policy) for number, policy in policies.items()}
    under[f"rulebook ({len(case.under(default_policy()).rules)})"] = case.under(default_policy())
    names = [kind for kind in ("columnar", "reference") if run.has(kind)]
    if not names:
        return
    jobs: dict[tuple[str, str], Job] = {}
    for column, some in under.items():
        for name in names:
            peer = _ours(name, some)
            if name == "columnar":
                wrong = difference(some, peer, some.applicants[:1])
                if wrong is not None:
                    run.wrong["columnar"] = f"{column} rules, {wrong}"
                    return
                key = f"columnar, arrays {column}"
                jobs["columnar, arrays", column] = Job(key, _asking(some, peer.arrays))
            answer = getattr(peer, "answer", peer.rows)
            jobs[f"{name}, rows", column] = Job(f"{name}, rows {column}", _asking(some, answer))
    _answers.clear()
    say("growth: rules")
    run.measured(list(jobs.values()))
    table = Table(
        "Growth with the number of rules",
        f"Milliseconds for one applicant and {run.plan.units:,} units of about 8 residents. Beyond twelve, "
        "rules are copies with other limits; the rulebook is the shipped one under the default policy. The "
        "exponent is over the copies.",
        ("", *under, "exponent"),
    )
    for name in dict.fromkeys(name for name, _ in jobs):
        known = {number: jobs[name, str(number)].median for number in RULES}
        cells = (_ms(jobs[name, column].median) for column in under)
        table.rows.append((name, *cells, _power(exponent(known))))
    run.tables.append(table)


# ------------------------------------------------------------------------------- the whole rulebook


def whole_rulebook(run: Run) -> None:
    """Measure our engines with the shipped rulebook, against the floor of twelve rules."""
    case = run.case(run.plan.units)
    whole = case.under(default_policy())
    jobs = [Job("floor, twelve rules: arrays", _asking(case, Floor(case).arrays))]
    plain = BY_NAME["plain objects"].load()(case, Encoded(case))
    jobs.append(Job("plain objects, twelve rules: all findings", _asking(case, plain.findings)))  # type: ignore[attr-defined]
    if run.has("columnar"):
        jobs += _columnar_levels(run, case, whole)
    for name in ("reference", "durable"):
        if run.has(name):
            jobs.append(Job(f"{name}: all findings", _asking(whole, _ours(name, whole).findings)))
    _answers.clear()
    say("the whole rulebook")
    medians = run.measured(jobs)
    base = medians[jobs[0].name]
    table = Table(
        f"The whole rulebook: {len(whole.rules)} rules, {run.plan.units:,} units, about 8 residents",
        "Milliseconds for one applicant. The ratio is to the first line: the floor's arrays, with its twelve "
        "rules. *Brief* findings are what is broken or unknown, because of whom, and what it costs; *full* "
        "ones are the product's: one for each rule and resident, kept ones included, and as JSON with the "
        "facts that decided.",
        ("", "ms", "to the floor"),
    )
    table.rows = [(job.name, _ms(job.median), _times(job.median, base)) for job in jobs]
    run.tables.append(table)


def _columnar_levels(run: Run, case: Case, whole: Case) -> list[Job]:
    """Return what the columnar engine can be asked for; nothing if its answers are not right."""
    peer = _ours("columnar", whole)
    wrong = difference(whole, peer, whole.applicants[:2])
    if wrong is None and not _same_findings(peer, _ours("reference", whole), whole.applicants[0]):
        wrong = "findings in full"
    if wrong is not None:
        run.wrong["columnar"] = f"whole rulebook, {wrong}"
        return []
    twelve = _ours("columnar", case)
    return [
        Job("columnar: arrays", _asking(whole, peer.arrays)),
        _new("columnar: arrays, a new applicant", whole),
        Job("columnar: rows with rule ids", _asking(whole, peer.answer)),
        Job(f"columnar: the first {FIRST} brief, as JSON", _asking(whole, partial(_first, peer.brief))),
        Job(f"columnar: the first {FIRST} in full, as JSON", _asking(whole, partial(_first, peer.full))),
        Job("columnar: all brief", _asking(whole, peer.briefs)),
        Job("columnar: all brief, as JSON", _asking(whole, peer.brief)),
        Job("columnar: all findings", _asking(whole, peer.findings)),
        Job("columnar, twelve rules: all brief", _asking(case, twelve.briefs)),
        Job("columnar, twelve rules: all findings", _asking(case, twelve.findings)),
    ]


def _same_findings(one: Any, other: Any, applicant: str) -> bool:
    """Return whether two of our engines find the same everywhere; in the first units, on the same facts."""
    mine, theirs = dict(one.findings(applicant)), dict(other.findings(applicant))
    looked_at = sorted(theirs)[:FIRST]
    return mine == theirs and all(
        [finding.facts for finding in mine[name]] == [finding.facts for finding in theirs[name]]
        for name in looked_at
    )


def _first(method: Callable[[str, int], object], applicant: str) -> object:
    return method(applicant, FIRST)


def batch(run: Run) -> None:
    """Measure all applicants against all units."""
    say("batch")
    case = run.case(run.plan.units, applicants=BATCH)
    jobs = [Job("floor, arrays", _every(case, Floor(case).arrays))]
    if run.has("columnar"):
        for name, some in (("twelve rules", case), ("whole rulebook", case.under(default_policy()))):
            peer = _ours("columnar", some)
            jobs.append(Job(f"columnar, {name}, arrays", _every(some, peer.arrays)))
            jobs.append(
                Job(f"columnar, {name}, arrays, new applicants", _every(some, peer.arrays), peer.forget)
            )
    medians = run.measured(jobs)
    pairs = len(case.applicants) * len(case.units)
    table = Table(
        f"Batch: {BATCH} applicants × {run.plan.units:,} units",
        "Every applicant ranked, one after the other.",
        ("", "ms", "pairs a second"),
    )
    table.rows = [(name, _ms(ms), f"{pairs / ms * 1e3:,.0f}") for name, ms in medians.items()]
    run.tables.append(table)


def one_fact(run: Run) -> None:
    """Measure what it takes to take over one changed fact."""
    if not run.has("columnar"):
        return
    say("one fact")
    case = run.case(run.plan.units, applicants=8).under(default_policy())
    before, after, changed = _one_changed(case)
    peer = _ours("columnar", case)
    for resident, told in ((after, changed), (before, case)):
        peer.change(resident)
        wrong = difference(told, peer, told.applicants[:1])
        if wrong is not None:
            run.wrong["columnar"] = f"one fact changed, {wrong}"
            return
    _answers.clear()

    def in_place(question: int) -> object:
        peer.change(after if question % 2 else before)
        return peer.arrays(case.applicants[question % 8])

    def anew(question: int) -> object:
        facts = Case(case.snapshot, case.policy)
        return _ours("columnar", facts, warm=False).arrays(case.applicants[question % 8])

    def laid_out_anew(question: int) -> object:
        return _ours("columnar", case, warm=False).arrays(case.applicants[question % 8])

    jobs = [
        Job("changed in place, and an answer", in_place),
        Job("laid out anew from the facts, and an answer", laid_out_anew),
        Job("the snapshot read and laid out anew, and an answer", anew),
    ]
    medians = run.measured(jobs)
    table = Table(
        "One fact changes",
        f"Milliseconds until an applicant is ranked again, columnar: {run.plan.units:,} units, about 8 "
        "residents, the whole rulebook. What is known of one resident's violence risk changes to and fro.",
        ("", "ms"),
    )
    table.rows = [(name, _ms(ms)) for name, ms in medians.items()]
    run.tables.append(table)


def _one_changed(case: Case) -> tuple[Resident, Resident, Case]:
    """Return a resident as they are, with another risk, and the case with that."""
    first, *others = case.snapshot.residents
    high = ViolenceConclusion.ASSESSED_HIGH
    other = ViolenceConclusion.NONE_KNOWN if first.risk.conclusion is high else high
    changed = first.model_copy(update={"risk": a_risk(other)})
    snapshot = case.snapshot.model_copy(update={"residents": (changed, *others)})
    return first, changed, Case(snapshot, case.policy)


def _every(case: Case, method: Callable[[str], object]) -> Callable[[int], object]:
    """Return a job's run: all applicants, one after the other."""
    return lambda _question: [method(name) for name in case.applicants]


PARTS: tuple[Callable[[Run], None], ...] = (
    side_by_side,
    whole_rulebook,
    growth_in_units,
    growth_in_residents,
    growth_in_rules,
    batch,
    one_fact,
)


# ---------------------------------------------------------------------------------------- reporting


def _machine() -> Iterator[str]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        )
        if Path("/proc/cpuinfo").exists()
        else iter(()),
        platform.machine(),
    )
    yield f"{os.cpu_count()} × {model}, {platform.system()}"
    yield f"Python {platform.python_version()}, NumPy {version('numpy')}, allocator {__version__}"


def report(run: Run, load_before: Sequence[float]) -> str:
    """Return the tables with what they were measured on."""
    before, after = (", ".join(f"{value:.2f}" for value in load) for load in (load_before, os.getloadavg()))
    if run.plan.cpu:
        after += "; all times are processor time"
    stamp = [*_machine(), f"seed {run.plan.seed}; load average {before} before, {after} after"]
    wrong = [
        f"* **{name}**: {found}"
        for name, found in run.wrong.items()
        if found is not None and name in run.plan.only
    ]
    missing = ["Not measured, or answers that are not equal:", "", *wrong] if wrong else []
    parts = ["Measured on " + ". ".join(stamp) + ".", *(["\n".join(missing)] if missing else [])]
    return "\n\n".join([*parts, *(table.markdown() for table in run.tables)])


def written(text: str, tables: str) -> str:
    """Return a text with new tables between its markers.

    Raises:
        ValueError: The markers are not there.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("no place for the tables")
    return f"{head}{BEGIN}\n\n{tables}\n\n{END}{tail}"


def profile(plan: Plan, calls: int = 200, lines: int = 18) -> None:
    """Print where the time of the columnar engine goes, with the whole rulebook."""
    case = Case(municipality(plan.units, applicants=64, seed=plan.seed), default_policy())
    peer = _ours("columnar", case)
    new = _ours("columnar", case, warm=False)
    for name, method, times in (
        ("arrays", peer.arrays, calls),
        ("rows with rule ids", peer.answer, calls),
        ("arrays, a new applicant", partial(_anew, new), calls // 10),
        (f"the first {FIRST} brief, as JSON", partial(_first, peer.brief), calls),
        (f"the first {FIRST} in full, as JSON", partial(_first, peer.full), calls // 100),
    ):
        run = _asking(case, method)
        run(0)
        profiler = cProfile.Profile()
        start = time.perf_counter()
        profiler.enable()
        for question in range(times):
            run(question)
        profiler.disable()
        each = (time.perf_counter() - start) / times * 1e3
        print(f"\n=== {name}: {len(case.rules)} rules, {plan.units} units; {_ms(each)} ms each, profiled")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(lines)


def _anew(peer: Any, applicant: str) -> object:
    peer.forget()
    return peer.arrays(applicant)


# ---------------------------------------------------------------------------------------- the command


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _names(text: str) -> frozenset[str]:
    names = frozenset(part.strip() for part in text.split(","))
    unknown = names - set(BY_NAME)
    if unknown:
        raise argparse.ArgumentTypeError(f"no such engine; there are: {', '.join(BY_NAME)}")
    return names


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure engines side by side.")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds; under a minute")
    parser.add_argument("--check", action="store_true", help="only compare answers; 1 if any is missing")
    parser.add_argument("--profile", action="store_true", help="print where the columnar engine's time goes")
    parser.add_argument("--sizes", type=_numbers, help="numbers of units, with commas")
    parser.add_argument("--repeats", type=int, help="number of rounds")
    parser.add_argument("--only", type=_names, help="engines, with commas")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--cpu", action="store_true", help="processor time: steadier where others work too")
    parser.add_argument(
        "--write", action="store_true", help=f"write {README.name} though not all is measured"
    )
    return parser.parse_args(arguments)


def _plan(given: argparse.Namespace) -> Plan:
    base = QUICK if given.quick else Plan()
    return Plan(
        sizes=given.sizes or base.sizes,
        growth=given.sizes or base.growth,
        units=base.units,
        repeats=given.repeats or base.repeats,
        budget=base.budget,
        only=given.only or base.only,
        seed=given.seed,
        cpu=given.cpu,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = _arguments(arguments)
    plan = _plan(given)
    if given.profile:
        profile(plan)
        return 0
    load = os.getloadavg()
    run = Run(plan)
    say("comparing answers")
    run.wrong = check(plan.kinds, plan.seed)
    if given.check:
        for kind in plan.kinds:
            print(f"{kind.title}: {run.wrong[kind.name] or 'equal'}")
    else:
        for part in PARTS:
            part(run)
        tables = report(run, load)
        print(tables)
        if given.write or not (given.quick or given.sizes or given.repeats or given.only or given.cpu):
            README.write_text(written(README.read_text(encoding="utf-8"), tables), encoding="utf-8")
    return 1 if any(found is not None for found in run.wrong.values()) else 0


assert len(RULE_IDS) == 12
