"""Compare the engines on very many verdicts: reference, engine of record, columnar, and the dataframe plan.

A verdict is the outcome of one rule for one member of its range (or for the unit), for one candidate. Each is
counted once, however many engines come to it, and no case is counted twice. The reference engine says what is
meant; the others must come to the same. ::

    python -m tests.parity --verdicts 1000000 --seed 7

Cases come in rounds, and round *n* of seed *s* is the first round of seed *s* + *n*. The same seed gives the
same cases as long as the code is the same; the report has a hash of all of them.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from importlib.util import find_spec
from itertools import count, product
from random import Random
from typing import Any as Anything
from typing import TypeVar, cast

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from allocator.codes import FactStatus
from allocator.engines import Engine, EngineError, Judgement, Outcome
from allocator.engines.columnar import ColumnarEngine
from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.explain import facts_sha256
from allocator.facts import LIST_KNOWN_BY, Candidate, CaseFacts, Missing, Range, fact_type
from allocator.model import FIRST_DAY, LAST_DAY, Applicant, Assessed, Person, Resident, Snapshot, Yes
from allocator.policy import BoundRule, Policy
from allocator.ranking import Ranking, Rankings
from allocator.rules import RULEBOOK
from allocator.rules.language import All, Any, AtLeast, Effect, Expr, Not, Op, Ref, Test
from allocator.scoring import BROKEN_GIVES, UNKNOWN_GIVES
from fixtures.generator import Settings, municipality
from tests.properties.test_engines_agree import Fuzzed, rules, worlds
from tests.strategies import policies, snapshots

T = TypeVar("T")

VERDICTS = 1_000_000
SEED = 7

ONE_IN = 7
"""The dataframe plan gets one in so many of the small cases under whole policies, on which it is slow."""

FEW = 10
"""Units in a living group from which on only some units of a municipality are asked about."""

# ---------------------------------------------------------------------------------------- questions


@dataclass(frozen=True)
class _About:
    """As much of a drawn rule as the engines and rankings read."""

    about: Range
    shared_points: bool = False


@dataclass(frozen=True)
class _Drawn:
    """As much of a bound rule as the engines and rankings read."""

    id: str
    rule: _About
    broken_when: Expr
    remark_when: Expr | None
    effect: Effect
    points: int = 0


@dataclass(frozen=True, eq=False)
class _Rules:
    """As much of a policy as rankings read."""

    rules: tuple[BoundRule, ...]

    def active(self, _day: date) -> tuple[BoundRule, ...]:
        """Return the rules, whatever day it is."""
        return self.rules


def _bound(
    drawn: Iterable[Fuzzed], write: Callable[[Expr], Expr] = lambda expr: expr
) -> tuple[BoundRule, ...]:
    made = (
        _Drawn(
            d.id,
            _About(d.rule.about),
            write(d.broken_when),
            None if d.remark_when is None else write(d.remark_when),
            # so that residents alone can make a verdict the worst
            Effect.BAR if d.rule.about is Range.RESIDENT else Effect.ADVISE_AGAINST,
        )
        for d in drawn
    )
    return cast("tuple[BoundRule, ...]", tuple(made))


LISTED = _Drawn(
    "rule-listed",
    _About(Range.UNIT),
    Any(
        (
            AtLeast("listed", Range.CONFLICT, Test("conflict.confirmed", Op.EQ, right=True)),
            AtLeast("listed", Range.ORDER, Test("order.verified", Op.EQ, right=True), count=2),
        )
    ),
    None,
    Effect.NOTE,
)
"""Counts entries of lists that may not be whole; no rule of the rulebook does, and few that are drawn do."""


def _as_written(expr: Expr) -> Expr:
    """Return *expr* without what no rule can say: that a code is in a set just as some fact is true."""
    match expr:
        case All(parts) | Any(parts):
            return type(expr)(tuple(map(_as_written, parts)))
        case Not(part):
            return Not(_as_written(part))
        case AtLeast():
            return replace(expr, where=_as_written(expr.where))
        case Test(path, _, Ref(other)) if fact_type(path).kind is not fact_type(other).kind:
            return replace(expr, right=True)
        case _:
            return expr


Persons = Mapping[tuple[str, ...], Outcome]
"""The worst that a rule comes to for each person."""


@dataclass(frozen=True)
class Question:
    """Rules, and candidates to judge.

    Attributes:
        kind: What kind of case it is.
        key: The same for two questions that are the same.
        rules: The rules.
        asked: The candidates: every applicant in each of some units.
        facts: The case they are from; None if they are no more than facts.
    """

    kind: str
    key: str
    rules: tuple[BoundRule, ...]
    asked: tuple[Candidate, ...]
    facts: CaseFacts | None

    @cached_property
    def meaning(self) -> list[Judgement]:
        """What the reference engine comes to."""
        return ReferenceEngine(self.rules).judge(self.asked)

    @cached_property
    def verdicts(self) -> Counter[tuple[str, Outcome]]:
        """How often each rule came to each outcome."""
        return Counter(
            (rule, outcome)
            for judgement in self.meaning
            for rule, outcomes in judgement.outcomes.items()
            for outcome in outcomes
        )

    @cached_property
    def by_person(self) -> list[Mapping[str, Persons]]:
        """What the reference engine comes to, with one outcome for each person, by rule."""
        return [
            {bound.id: _worst(bound, candidate, judgement) for bound in self.rules}
            for candidate, judgement in zip(self.asked, self.meaning, strict=True)
        ]

    @cached_property
    def numbers(self) -> Mapping[tuple[str, str], int]:
        """Where the candidates of a case stand, by applicant and unit."""
        return {(c.applicant.id, c.place.unit.id): at for at, c in enumerate(self.asked)}

    @cached_property
    def units(self) -> Mapping[str, None]:
        """The units asked about."""
        return dict.fromkeys(candidate.place.unit.id for candidate in self.asked)

    @property
    def policy(self) -> Policy:
        """The rules as rankings take them."""
        return cast("Policy", _Rules(self.rules))


_BY_SEVERITY = (Outcome.KEPT, Outcome.UNKNOWN, Outcome.BROKEN)


def _worst(bound: BoundRule, candidate: Candidate, judgement: Judgement) -> Persons:
    worst: dict[tuple[str, ...], Outcome] = {}
    members = candidate.items(bound.rule.about)
    for item, outcome in zip(members, judgement.outcomes[bound.id], strict=True):
        worst[item.about] = max(outcome, worst.get(item.about, Outcome.KEPT), key=_BY_SEVERITY.index)
    return worst


def _of_case(
    kind: str, case: Snapshot, given_rules: tuple[BoundRule, ...], name: str, one_in: int = 1
) -> Question:
    """Return the question about every applicant in one in so many units; *name* tells the rules apart."""
    facts = CaseFacts(case)
    units = sorted(facts.places)[::one_in]
    asked = tuple(facts.candidate(who, unit) for who in facts.applicants for unit in units)
    return Question(kind, f"{facts_sha256(case)} {name}", given_rules, asked, facts)


# ----------------------------------------------------------------------------------- rounds of them

POLICIES, LANGUAGE, EXPRESSIONS, MUNICIPALITIES = (
    "cases and policies",
    "cases and rules",
    "facts and rules",
    "municipalities",
)
"""Kinds of questions: drawn cases under drawn policies; drawn cases under rules of the whole language; facts
at the ends of what they can be under such rules; whole invented municipalities under drawn policies."""

_EVERYONE_ASKED = Settings(
    fact_states=(("known", 1),), list_asked_percent=100, unrecorded_percent=0, wishes_percent=100
)
_NOBODY_ASKED = Settings(
    fact_states=(("not_asked", 1),), list_asked_percent=0, unrecorded_percent=100, wishes_percent=0
)
_AT_ODDS = Settings(
    applicant_conflict_percent=100,
    resident_conflict_per_mille=300,
    second_entry_percent=60,
    order_per_mille=1000,
    veto_percent=100,
    already_housed_percent=60,
)
_MUNICIPALITIES = [
    (per_group, settings_)
    for shift, number in product(range(4), range(4))
    for per_group, settings_ in [
        ((8, 40, 1, 3)[number], (Settings(), _EVERYONE_ASKED, _AT_ODDS, _NOBODY_ASKED)[(number + shift) % 4])
    ]
]
"""Units in a living group, and how the municipality is made up: each with each."""


def _examples(number: int, of: int, **strategies: SearchStrategy[Anything]) -> list[dict[str, Anything]]:
    """Draw so many examples, the same for the same seed *of*."""
    found: list[dict[str, Anything]] = []

    @seed(of)
    @settings(
        max_examples=number,
        database=None,
        derandomize=False,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(**strategies)
    def collect(**drawn: Anything) -> None:
        found.append(drawn)

    collect()
    return found


def a_round(of: int) -> Iterator[Question]:
    """Yield the questions of one round, in which every kind comes up."""
    for drawn in _examples(14, of, case=snapshots(), policy=policies()):
        case, policy = drawn["case"], drawn["policy"]
        yield _of_case(POLICIES, case, policy.active(case.as_of), policy.sha256)
    for number, drawn in enumerate(_examples(8, of, case=snapshots(max_units=4), made=rules())):
        case = drawn["case"]
        made = (*_bound(drawn["made"], _as_written), cast("BoundRule", LISTED))
        yield _of_case(LANGUAGE, _nobody_asked(case) if number % 2 else case, made, repr(made))
    for drawn in _examples(6, of, made=rules(), asked=st.lists(worlds(), min_size=12, max_size=12)):
        asked = cast("Sequence[Candidate]", drawn["asked"])
        yield Question(EXPRESSIONS, repr(drawn), _bound(drawn["made"]), tuple(asked), None)
    drawn_policies = (
        drawn["policy"] for drawn in _examples(2, of, policy=policies(max_changes=len(RULEBOOK)))
    )
    for case, policy in zip(municipalities(of), drawn_policies, strict=True):
        active = policy.active(case.as_of)
        one_in = 3 if len(case.schemes[0].living_groups[0].units) > FEW else 1
        yield _of_case(MUNICIPALITIES, case, active, policy.sha256, one_in)


def municipalities(of: int) -> Iterator[Snapshot]:
    """Yield the two municipalities of a round; with eight rounds each size has met each way to be made up."""
    for number in range(2 * of, 2 * of + 2):
        per_group, made_up = _MUNICIPALITIES[number % len(_MUNICIPALITIES)]
        units, applicants = (per_group + 2, 2) if per_group > FEW else (16, 5)
        case = municipality(of, units, residents_per_group=per_group, applicants=applicants, settings=made_up)
        yield _at_the_ends(case, Random(number))


def _nobody_asked(case: Snapshot) -> Snapshot:
    """Return *case* where nobody knows whether the lists of conflicts and orders are whole."""
    not_asked: Assessed[bool] = Assessed[Yes](status=FactStatus.NOT_ASKED)
    nothing = dict.fromkeys(("conflicts_asked", "orders_checked"), not_asked)
    applicants = tuple(applicant.model_copy(update=nothing) for applicant in case.applicants)
    return case.model_copy(update={"applicants": applicants})


def _at_the_ends(case: Snapshot, chance: Random) -> Snapshot:
    """Return *case* with many days and numbers put to the first and the last that there may be."""

    def among(*values: T) -> T:
        return values[chance.randrange(len(values))]

    def put(record: dict[str, Anything], **ends: tuple[object, ...]) -> None:
        for name, values in ends.items():
            if record.get(name) is not None:
                record[name] = among(record[name], *values)

    content = case.model_dump()
    day = content["as_of"] = among(case.as_of, case.as_of, LAST_DAY)
    of_age = date(day.year - 18, day.month, day.day)
    for person in (*content["residents"], *content["applicants"]):
        put(person["birth_date"], value=(FIRST_DAY, of_age))
        put(person["risk"], valid_until=(LAST_DAY,))
        put(person, moved_in=(FIRST_DAY,))
    for applicant in content["applicants"]:
        put(applicant["needs"], valid_until=(LAST_DAY,))
        put(applicant["placement"], needed_from=(FIRST_DAY, LAST_DAY))
        put(applicant["placement"]["stay_months"], value=(0, 1200))
    for scheme in content["schemes"]:
        put(scheme, unit_count=(1, 10_000), agreement_max_months=(0, 1200))
        put(scheme["gender_condition"] or {}, review_by=(FIRST_DAY, LAST_DAY))
        for unit in (unit for group in scheme["living_groups"] for unit in group["units"]):
            put(unit, area_m2=(1, 1000), floor=(-5, 60), exits=(1, 9))
            put(unit, vacant_since=(FIRST_DAY,), vacant_from=(FIRST_DAY, LAST_DAY), max_stay_months=(1200,))
            put(unit, min_stay_months=(0,))
    for conflict in content["conflicts"]:
        put(conflict, last_confirmed=(LAST_DAY,))
    for order in content["orders"]:
        put(order, valid_from=(FIRST_DAY,), valid_until=(LAST_DAY,))
    for veto in content["vetoes"]:
        put(veto, valid_until=(LAST_DAY,))
    return Snapshot.model_validate(content)


def questions(of: int, seen: set[str]) -> Iterator[tuple[int, Question]]:
    """Yield the questions of a round with their numbers; those *seen* before are left out."""
    for number, question in enumerate(a_round(of)):
        if question.key not in seen:
            seen.add(question.key)
            yield number, question


# ------------------------------------------------------------------------------------------ engines


@dataclass(frozen=True)
class Difference:
    """Where an engine came to something else than is meant."""

    layout: str
    candidate: int
    rule: str
    meant: object
    given: object


Read = Callable[[Question], Iterator[Difference]]


@dataclass(frozen=True)
class Reader:
    """An engine to compare with the reference.

    Attributes:
        name: The engine.
        differences: Where it comes to something else than the reference.
        takes: Whether it is asked a question, by the question's number in its round.
    """

    name: str
    differences: Read
    takes: Callable[[int, Question], bool] = lambda _number, _question: True


def _differing(layout: str, at: int, meant: Mapping[str, T], given_: Mapping[str, T]) -> Iterator[Difference]:
    if meant == given_:
        return
    for rule in sorted(meant.keys() | given_.keys()):
        one, other = meant.get(rule), given_.get(rule)
        if one != other:
            yield Difference(layout, at, rule, one, other)


def _one_by_one(make: Callable[[tuple[BoundRule, ...]], Engine]) -> Read:
    """Compare an engine's judgements of candidates, each on its own."""

    def differences(question: Question) -> Iterator[Difference]:
        answers = make(question.rules).judge(question.asked)
        for at, (meant, answer) in enumerate(zip(question.meaning, answers, strict=True)):
            yield from _differing("candidates", at, meant.outcomes, answer.outcomes)
            yield from _differing("remarks", at, meant.remarks, answer.remarks)

    return differences


def _columnar(question: Question) -> Iterator[Difference]:
    """Compare the columnar engine in all its layouts: candidates, units or applicants as lanes.

    Rankings are laid out on a case in which some persons' facts are others', asked, and then brought up to
    date, so that what they keep would show.
    """
    yield from _one_by_one(ColumnarEngine)(question)
    if question.facts is None:
        return
    before, changed = _before(question.facts)
    rankings = Rankings(before, question.policy, question.units)
    for applicant in before.applicants:
        rankings.units_for(applicant).briefs()
    for person in changed:
        rankings.update(person)
    for applicant in question.facts.applicants:
        asked = rankings.units_for(applicant)
        at = [question.numbers[applicant, unit] for unit in asked.ids]
        yield from _ranked("units", question, at, asked)
    for unit in question.units:
        asked = rankings.applicants_for(unit)
        at = [question.numbers[applicant, unit] for applicant in asked.ids]
        yield from _ranked("applicants", question, at, asked)


def _before(facts: CaseFacts) -> tuple[CaseFacts, list[Applicant | Resident]]:
    """Return a case in which a few persons have another's facts, and these persons as they are."""
    changed: list[Applicant | Resident] = []
    before = facts
    residents = [resident for resident in facts.case.residents if facts.case.lives_here(resident)]
    everyone: tuple[Sequence[Applicant | Resident], ...] = (residents, facts.case.applicants)
    for people in everyone:
        for at in range(0, len(people), max(1, len(people) // 3)):
            one, other = people[at], people[at - 1]
            taken_over = {name: getattr(other, name) for name in Person.model_fields if name != "id"}
            before = before.replaced(one.model_copy(update=taken_over))
            changed.append(one)
    return before, changed


Told = set[tuple[Outcome, tuple[str, ...]]]
"""Whether a rule is broken or unknown, for whom; kept is not told."""


def _ranked(layout: str, question: Question, at: Sequence[int], ranking: Ranking) -> Iterator[Difference]:
    for number, briefs, row in zip(at, ranking.briefs(), ranking.rows(), strict=True):
        told: dict[str, Told] = {bound.id: set() for bound in question.rules}
        for brief in briefs:
            told[brief.rule].add((Outcome(brief.outcome), brief.about))
        given_ = {rule: (found, rule in row.broken, rule in row.unknown) for rule, found in told.items()}
        meant = {bound.id: _meant(bound, question, number) for bound in question.rules}
        yield from _differing(layout, number, meant, given_)
        verdict = max((_gives(bound, *meant[bound.id][1:]) for bound in question.rules), default=0)
        if row.verdict != verdict:
            yield Difference(f"{layout}, verdict", number, "", verdict, int(row.verdict))


def _meant(bound: BoundRule, question: Question, number: int) -> tuple[Told, bool, bool]:
    """Return what is to be told of a rule, and whether it is named as broken, and as unknown."""
    of_persons = question.by_person[number][bound.id].items()
    told = _unlisted(bound, question.asked[number])
    told.update((outcome, about) for about, outcome in of_persons if outcome is not Outcome.KEPT)
    found = {outcome for outcome, _ in told}
    return told, Outcome.BROKEN in found, Outcome.UNKNOWN in found


def _gives(bound: BoundRule, broken: bool, unknown: bool) -> int:
    """Return the verdict that a rule gives, as a number."""
    worst = int(BROKEN_GIVES[bound.effect]) if broken else 0
    return max(worst, int(UNKNOWN_GIVES[bound.effect])) if unknown else worst


def _unlisted(bound: BoundRule, candidate: Candidate) -> Told:
    """Return the finding about nobody where no one knows whether a list is whole."""
    known_by = LIST_KNOWN_BY.get(bound.rule.about)
    if known_by is None or not isinstance(candidate.facts[known_by], Missing):
        return set()
    return {(Outcome.UNKNOWN, ())}


def _dataframe(question: Question) -> Iterator[Difference]:
    """Compare the dataframe plan: for how many persons each rule is broken and unknown, and remarks."""
    from allocator.engines import dataframe  # noqa: PLC0415 - an extra that need not be installed

    facts = question.facts
    if facts is None or not question.asked:
        return
    plan = dataframe.Plan(question.rules)
    frames = dataframe.Frames.of(
        facts, plan.reads, dataframe.maker("pyarrow"), lambda place: place.unit.id in question.units
    )
    rows = plan.outcomes(frames).collect().rows(named=True)
    if len(rows) != len(question.asked):
        yield Difference("rows", -1, "", len(question.asked), len(rows))
    for row in rows:
        who, unit = frames.applicants[row[dataframe.APPLICANT]], frames.units[row[dataframe.UNIT]]
        at = question.numbers[who, unit]
        given_ = {
            bound.id: (
                row[dataframe.broken(bound)],
                row[dataframe.unknown(bound)],
                row.get(dataframe.remark(bound), False),
            )
            for bound in question.rules
        }
        meant = {}
        for bound in question.rules:
            of_rule = Counter(question.by_person[at][bound.id].values())
            remark = question.meaning[at].remarks.get(bound.id, False)
            meant[bound.id] = (of_rule[Outcome.BROKEN], of_rule[Outcome.UNKNOWN], remark)
        yield from _differing("pairs", at, meant, given_)


DURABLE = Reader(DurableEngine.name, _one_by_one(DurableEngine))
COLUMNAR = Reader(ColumnarEngine.name, _columnar)
DATAFRAME = Reader(
    "dataframe",
    _dataframe,
    lambda number, question: (
        question.facts is not None and (question.kind != POLICIES or number % ONE_IN == 0)
    ),
)


def installed() -> tuple[Reader, ...]:
    """Return the engines that can be compared here."""
    extra = all(find_spec(name) for name in ("narwhals", "pyarrow"))
    return (DURABLE, COLUMNAR, DATAFRAME) if extra else (DURABLE, COLUMNAR)


# ---------------------------------------------------------------------------------------- comparing


@dataclass(frozen=True)
class Disagreement:
    """The first question on which an engine differs, and how to ask it again."""

    engine: str
    seed: int
    number: int
    kind: str
    differences: tuple[Difference, ...]
    error: str = ""

    def __str__(self) -> str:
        """Say where it is, without any facts."""
        ids = sorted({found.rule for found in self.differences})
        layouts = sorted({found.layout for found in self.differences})
        return (
            f"{self.engine} differs from the reference: round of seed {self.seed}, question {self.number} "
            f"({self.kind}; {', '.join(layouts) or self.error}), rules: {', '.join(ids) or 'none answered'}\n"
            f"again: python -m tests.parity --verdicts 1 --seed {self.seed}"
        )


def first_difference(reader: Reader, of: int, number: int, question: Question) -> Disagreement | None:
    """Return how an engine differs on a question; also that it refuses to answer is a difference."""
    try:
        found = tuple(reader.differences(question))
    except EngineError as error:
        return Disagreement(reader.name, of, number, question.kind, (), str(error))
    return Disagreement(reader.name, of, number, question.kind, found) if found else None


@dataclass
class Report:
    """What has been compared.

    Attributes:
        seed: Seed of the first round.
        rounds: How many rounds.
        cases: Questions, by kind.
        outcomes: Verdicts, by rule and outcome.
        compared: Verdicts that each engine was compared on.
        seconds: Time that each engine took, the reference among them.
        left_out: Engines that are not installed.
        digest: A hash of all questions.
        disagreement: The first disagreement; then nothing more is compared.
    """

    seed: int
    rounds: int = 0
    cases: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    digest: str = ""
    disagreement: Disagreement | None = None

    @property
    def verdicts(self) -> int:
        """How many verdicts, each counted once."""
        return self.outcomes.total()

    def of(self, outcome: Outcome) -> int:
        """Return how many verdicts came to *outcome*."""
        return sum(number for (_, found), number in self.outcomes.items() if found is outcome)

    def never(self, outcome: Outcome) -> list[str]:
        """Return the rules of the rulebook that never came to *outcome*."""
        return [rule.id for rule in RULEBOOK if not self.outcomes[rule.id, outcome]]

    def __str__(self) -> str:
        """Say it in a few lines."""
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.cases.items()))
        by_outcome = ", ".join(f"{self.of(outcome)} {outcome}" for outcome in Outcome)
        lines = [
            f"seed {self.seed}, {self.rounds} rounds, questions sha256 {self.digest[:16]}",
            f"{self.cases.total()} cases: {kinds}",
            f"{self.verdicts} verdicts: {by_outcome}",
        ]
        lines.extend(
            f"never {outcome}: {', '.join(rules_)}" for outcome in Outcome if (rules_ := self.never(outcome))
        )
        for name, seconds in self.seconds.items():
            compared = f"{self.compared[name]} verdicts, " if name in self.compared else ""
            lines.append(f"{name}: {compared}{seconds:.1f} s")
        lines.extend(f"{name}: left out, it is not installed" for name in self.left_out)
        lines.append(str(self.disagreement or "no disagreement"))
        return "\n".join(lines)


def compare(
    first: int, verdicts: int, readers: Sequence[Reader], told: Callable[[int], None] = lambda _done: None
) -> Report:
    """Compare engines with the reference, whole rounds until there are so many verdicts or one differs.

    Args:
        first: Seed of the first round.
        verdicts: How many verdicts at least.
        readers: The engines.
        told: Is told how many verdicts have been compared, question by question.
    """
    report = Report(first)
    digest = hashlib.sha256()
    seen: set[str] = set()

    def timed(name: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        done = work()
        report.seconds[name] = report.seconds.get(name, 0) + time.perf_counter() - started
        return done

    for of in count(first):
        asked = questions(of, seen)
        report.rounds += 1
        while (following := timed("making cases", partial(next, asked, None))) is not None:
            number, question = following
            digest.update(question.key.encode())
            report.digest = digest.hexdigest()
            timed(ReferenceEngine.name, partial(getattr, question, "meaning"))
            report.cases[question.kind] += 1
            report.outcomes.update(question.verdicts)
            for reader in readers:
                if not reader.takes(number, question):
                    continue
                report.compared[reader.name] += question.verdicts.total()
                ask = partial(first_difference, reader, of, number, question)
                report.disagreement = timed(reader.name, ask)
                if report.disagreement is not None:
                    return report
            told(report.verdicts)
        if report.verdicts >= verdicts:
            break
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print what came of it, and return 1 if an engine differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description="Compare the engines.")
    parser.add_argument("--verdicts", type=int, default=VERDICTS, help="how many verdicts at least")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the first round")
    options = parser.parse_args(arguments)
    readers = installed()

    def told(done: int) -> None:
        sys.stderr.write(f"\r{done} of {options.verdicts} verdicts ")

    quiet: Callable[[int], None] = lambda _done: None  # noqa: E731
    report = compare(options.seed, options.verdicts, readers, told if sys.stderr.isatty() else quiet)
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    names = {reader.name for reader in readers}
    left_out = tuple(r.name for r in (DURABLE, COLUMNAR, DATAFRAME) if r.name not in names)
    sys.stdout.write(f"{replace(report, left_out=left_out)}\n")
    return 0 if report.disagreement is None else 1


if __name__ == "__main__":
    sys.exit(main())
