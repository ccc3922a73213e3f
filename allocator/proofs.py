"""What holds of a policy for all facts that the model allows, and where it does not.

A :class:`Proof` says of one claim whether it is proved, refuted with a smallest example, true save for
something that the rulebook itself decides (a remark), or undecided in the time there was. Nothing is called
proved because no counterexample was found in time.

Every example is read once more by the reference engine before it is given. What the claims mean exactly is in
``docs/decisions/0010-proofs.md``; in words they are rendered by :mod:`allocator.proof_report`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, cached_property

from allocator import model
from allocator.codes import (
    Gender,
    Need,
    PlacementKind,
    SchemeKind,
    Service,
    SubstanceClass,
    SubstanceUse,
    ViolenceConclusion,
)
from allocator.engines import Outcome
from allocator.engines.axioms import ALWAYS_KNOWN, AXIOMS, allowed, limits
from allocator.engines.reference import World
from allocator.engines.reference import truth as meant
from allocator.engines.symbolic import (
    COMMON_PATHS,
    Answer,
    Both,
    Budget,
    Formula,
    Imagined,
    Search,
    Symbols,
    Term,
    constant,
    encode,
    every,
    free,
    known_as,
    names,
    no,
    not_known,
    paths_of,
    replaced,
    same,
    some,
    spread,
    truth,
    unknown_truth,
    whole,
    with_fact,
    with_more_known,
)
from allocator.facts import (
    LIST_KNOWN_BY,
    VOCABULARY,
    Candidate,
    Facts,
    Kind,
    Missing,
    Range,
    Value,
    fact_type,
)
from allocator.policy import BoundRule, Policy
from allocator.rules.language import All, Any, AtLeast, Effect, Expr, Not, Ref, Test, Truth, paths, walk
from allocator.scoring import Finding, Verdict

BUDGET_SECONDS = 60
"""How long all proofs of a policy may take."""

TIMEOUT_MS = 5000
"""How long one question may take."""

MAX_EXCEPTIONS = 12
"""So many exceptions of one claim are told; with more it is undecided whether there are others."""

TOGETHER = 2
"""So many residents a house has that is to take in somebody else."""

MAX_TURNS = 200
"""So many homes are tried for all applicants before it is undecided whether they suffice."""


class Claim(StrEnum):
    """What is proved. Each is about a rule, two rules, a kind of scheme, an applicant, or everything."""

    CAN_BREAK = "can_break"
    CAN_KEEP = "can_keep"
    NOT_IMPLIED = "not_implied"
    NO_CONTRADICTION = "no_contradiction"
    ONE_SIDE = "one_side"
    KIND_OPEN = "kind_open"
    HOME_OPEN = "home_open"
    HOUSE_OPEN = "house_open"
    APPLICANT_PLACED = "applicant_placed"
    PROFILE_PLACED = "profile_placed"
    GENDER_NEVER_BARS = "gender_never_bars"
    CERTAIN_STAYS = "certain_stays"
    WORSE_NEVER_HELPS = "worse_never_helps"
    BAR_STANDS = "bar_stands"


STOPS = frozenset(Claim) - {Claim.CAN_BREAK, Claim.CAN_KEEP, Claim.NOT_IMPLIED}
"""Claims without which a policy contradicts itself or locks somebody out: it cannot be put into use."""


class Status(StrEnum):
    """How a claim came out."""

    PROVED = "proved"
    REMARK = "remark"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Proof:
    """How one claim came out.

    Attributes:
        claim: What was to be proved.
        status: How it came out.
        about: Ids of rules, the code of a kind of scheme, or the name of a profile.
        level: For claims about being let in: the verdict that is to be bettered.
        rules: Ids of the rules that together are why it does not hold.
        example: A smallest example of that.
    """

    claim: Claim
    status: Status
    about: tuple[str, ...] = ()
    level: Verdict | None = None
    rules: tuple[str, ...] = ()
    example: Imagined | None = None

    @property
    def stops(self) -> bool:
        """Whether a policy of which this is said cannot be put into use."""
        only_advice = self.level is Verdict.ADVISED_AGAINST
        return self.status is Status.REFUTED and self.claim in STOPS and not only_advice


@dataclass(frozen=True)
class Profile:
    """An applicant of whom so much is known, and nothing else.

    Attributes:
        name: What it is called; the key of an applicant of a case, or empty.
        facts: What is known of the applicant.
        day: The day the facts are read at; None for any day that the rules are looked at.
    """

    name: str
    facts: Mapping[str, Value]
    day: date | None = None


@dataclass(frozen=True)
class Checked:
    """All that was proved of a policy.

    Attributes:
        policy: The policy.
        first: The first day it is about.
        last: The last: from the next day on other rules are on.
        proofs: In the order of the claims.
    """

    policy: Policy
    first: date
    last: date
    proofs: tuple[Proof, ...]

    def of(self, status: Status) -> tuple[Proof, ...]:
        """Return the proofs that came out so."""
        return tuple(proof for proof in self.proofs if proof.status is status)

    @property
    def stops(self) -> bool:
        """Whether the policy contradicts itself or locks somebody out."""
        return any(proof.stops for proof in self.proofs)


class MisreadError(AssertionError):
    """An example that the reference engine reads otherwise: the translation is wrong, not the policy."""


# ------------------------------------------------------------------------------------- the whole policy


def check(
    policy: Policy,
    as_of: date | None = None,
    *,
    profiles: Iterable[Profile] = (),
    budget: Budget | None = None,
    claims: Iterable[Claim] = tuple(Claim),
    progress: Callable[[Claim], None] = lambda _claim: None,
) -> Checked:
    """Prove what can be proved of a policy.

    Args:
        policy: The policy.
        as_of: The first day it is about; by default the day the policy is valid from.
        profiles: Applicants for whom a home is to be found, beside the general ones.
        budget: How long it may take.
        claims: What is to be proved.
        progress: Told of each claim before it is begun.
    """
    first = policy.document.valid_from if as_of is None else as_of
    last = unchanged_until(policy, first)
    prover = Prover(policy.active(first), first, last, budget or Budget(BUDGET_SECONDS, TIMEOUT_MS))
    found: list[Proof] = []
    for claim in sorted(claims, key=list(Claim).index):
        progress(claim)
        found.extend(prover.prove(claim, (*general_profiles(), *profiles)))
    return Checked(policy, first, last, tuple(found))


def obstacles(policy: Policy, as_of: date, *, budget: Budget | None = None) -> tuple[Proof, ...]:
    """Return why a policy cannot be put into use: where it contradicts itself or locks somebody out."""
    last = unchanged_until(policy, as_of)
    limit = budget or Budget(BUDGET_SECONDS, TIMEOUT_MS)
    prover = Prover(policy.active(as_of), as_of, last, limit, levels=(Verdict.BLOCKED,))
    proofs = (proof for claim in Claim if claim in STOPS for proof in prover.prove(claim, general_profiles()))
    return tuple(proof for proof in proofs if proof.stops)


def unchanged_until(policy: Policy, first: date) -> date:
    """Return the last day on which the rules are those of *first*: then a justification falls due."""
    reviews = (
        rule.justification.review_by
        for rule in policy.rules
        if rule.justification is not None and not rule.rule.own_need
    )
    return min((day for day in reviews if day >= first), default=model.LAST_DAY)


# --------------------------------------------------------------------------------------------- verdicts


def gives(bound: BoundRule, outcome: Outcome) -> Verdict:
    """Return the verdict that one outcome of a rule alone gives, as a suggestion would."""
    return Finding(bound, outcome, points=0, could_cost=0, about=()).verdict


def entries(bound: BoundRule, symbols: Symbols) -> list[tuple[Formula, Both]]:
    """Return, for each member that a rule is checked for, that it is there and when the rule is broken."""
    if bound.rule.about is Range.UNIT:
        return [(constant(value=True), truth(bound.broken_when, symbols))]
    return [
        (member.present, truth(bound.broken_when, symbols.beside(member)))
        for member in symbols.members.get(bound.rule.about, ())
    ]


def reaches(
    bound: BoundRule, symbols: Symbols, level: Verdict, read: list[tuple[Formula, Both]] | None = None
) -> Formula:
    """Return *this rule gives the unit that verdict or a worse one*.

    Args:
        bound: The rule.
        symbols: The facts.
        level: The verdict.
        read: The rule's entries, if they have been read already.
    """
    bad = [outcome for outcome in Outcome if gives(bound, outcome) >= level]
    if not bad:
        return constant(value=False)
    members = entries(bound, symbols) if read is None else read
    found = [every((there, some(both.of(o) for o in bad))) for there, both in members]
    if Outcome.UNKNOWN in bad:
        found.append(no(whole(bound.rule.about, symbols)))
    if Outcome.KEPT in bad:
        found.append(constant(value=True))
    return some(found)


def at_least(rules: Iterable[BoundRule], symbols: Symbols, level: Verdict) -> Formula:
    """Return *the verdict is that or a worse one*."""
    return some((constant(level == min(Verdict)), *(reaches(bound, symbols, level) for bound in rules)))


# ------------------------------------------------------------------------------------------- the prover

_APPLICANT_SIDE = ("case.", "applicant.")
_CONDITIONAL = frozenset({"scheme.gender", "scheme.gender_review_by"})
"""Facts of a home that there are only if something else is so."""


def _of_applicant(path: str) -> bool:
    return path.startswith(_APPLICANT_SIDE)


_APPLICANT_PATHS = tuple(path for path in COMMON_PATHS if path.startswith("applicant."))
_HOME_PATHS = tuple(path for path in COMMON_PATHS if path.startswith(("unit.", "group.", "scheme.")))


class Prover:
    """Proves claims about rules.

    Args:
        rules: The rules that are on.
        first: The first day that is looked at.
        last: The last.
        budget: How long it may take.
        levels: The verdicts that are to be bettered for somebody to be let in.
    """

    def __init__(
        self,
        rules: tuple[BoundRule, ...],
        first: date,
        last: date,
        budget: Budget,
        levels: tuple[Verdict, ...] = (Verdict.BLOCKED, Verdict.ADVISED_AGAINST),
    ) -> None:
        self.rules = rules
        self._entries: dict[int, tuple[BoundRule, list[tuple[Formula, Both]]]] = {}
        self._levels = levels
        self.budget = budget
        self.symbols = free(self._kinds())
        day = self.symbols.facts["case.as_of"].value
        low, high = encode("case.as_of", first), encode("case.as_of", last)
        self._period = every((day >= low, day <= high))
        self.today = same(day, low)
        self.allowed = every(
            (
                allowed(self.symbols),
                *self._no_nonsense(),
                *(members[0].copies <= 1 for members in self.symbols.members.values() if members),
            )
        )
        self.search = Search([self.allowed], budget)
        self.near = self._numbers(first)
        self._known_home = self._home_is_known()

    def _no_nonsense(self) -> Iterator[Formula]:
        """Yield that values of unknown facts, which mean nothing, are within limits too."""
        for _, facts in self.symbols.everywhere():
            for path, fact in facts.items():
                bounds = limits(path)
                if bounds is not None:
                    yield every((fact.value >= bounds[0], fact.value <= bounds[1]))

    def _kinds(self) -> dict[Range, int]:
        """Return how many kinds of member stand for groups of any size: see :mod:`..symbolic`."""
        counted: dict[Range, set[Expr]] = {over: set() for over in Range if over is not Range.UNIT}
        for bound in self.rules:
            for part in walk(bound.broken_when):
                if isinstance(part, AtLeast):
                    counted[part.over].add(part.where)
        return {over: 1 + (3 ** len(wheres) if wheres else 0) for over, wheres in counted.items()}

    def _numbers(self, first: date) -> dict[str, int]:
        """Return a number near which a value of each fact is plain: one that rules compare it with."""
        numbers: dict[str, int] = {}
        for bound in self.rules:
            for part in walk(bound.broken_when):
                if isinstance(part, Test) and type(part.right) is int:
                    numbers.setdefault(part.path, part.right)
        for path in (*COMMON_PATHS, *(p for over in self.symbols.members for p in paths_of(over.value))):
            if fact_type(path).kind is Kind.DATE:
                numbers[path] = first.toordinal()
        return numbers

    def _home_is_known(self) -> Formula:
        """Return *everything is known of the home and of who lives there that can be*."""
        facts = self.symbols.facts
        can_be = {path for path in _HOME_PATHS if path not in _CONDITIONAL and self._can_be_known(path)}
        residents = self.symbols.members.get(Range.RESIDENT, ())
        return every(
            (
                *(facts[path].known for path in sorted(can_be)),
                *(fact.known for member in residents for fact in member.facts.values()),
            )
        )

    @cache  # noqa: B019 - a prover lives as long as one check
    def _can_be_known(self, path: str) -> bool:
        return self.search(self.symbols.facts[path].known) is not Answer.NO

    # ------------------------------------------------------------------------------------- claims

    def prove(self, claim: Claim, profiles: Sequence[Profile] = ()) -> list[Proof]:
        """Return how a claim came out, for everything that it is about."""
        match claim:
            case Claim.CAN_BREAK | Claim.CAN_KEEP:
                return [self._possible(claim, bound) for bound in self.rules]
            case Claim.NOT_IMPLIED:
                return self._dead_weight()
            case Claim.NO_CONTRADICTION:
                return self._contradictions()
            case Claim.ONE_SIDE:
                return self._both_sides()
            case Claim.KIND_OPEN:
                return [self._kind_open(kind) for kind in SchemeKind]
            case Claim.HOME_OPEN:
                return self._homes_open()
            case Claim.HOUSE_OPEN:
                return self._houses_open()
            case Claim.APPLICANT_PLACED:
                return self._applicants_placed()
            case Claim.PROFILE_PLACED:
                return [self._profile_placed(profile, Verdict.BLOCKED) for profile in profiles]
            case Claim.GENDER_NEVER_BARS:
                return self._gender_never_bars()
            case Claim.CERTAIN_STAYS:
                return [self._certain_stays(bound) for bound in self.rules]
            case Claim.WORSE_NEVER_HELPS:
                return [self._worse_never_helps(bound) for bound in self.rules]
            case Claim.BAR_STANDS:
                return [self._bar_stands(bound) for bound in self.rules if bound.effect is Effect.BAR]

    # ------------------------------------------------------------------------------- rule by rule

    def read(self, bound: BoundRule) -> list[tuple[Formula, Both]]:
        """Return the formulas of a rule; the first entry is about the one member that others are not."""
        if id(bound) not in self._entries:
            self._entries[id(bound)] = (bound, entries(bound, self.symbols))
        return self._entries[id(bound)][1]

    def reaches(self, bound: BoundRule, level: Verdict) -> Formula:
        """Return *this rule gives the unit that verdict or a worse one*."""
        return reaches(bound, self.symbols, level, self.read(bound))

    def at_least(self, rules: Iterable[BoundRule], level: Verdict) -> Formula:
        """Return *these rules give the unit that verdict or a worse one*."""
        return some((constant(level == min(Verdict)), *(self.reaches(bound, level) for bound in rules)))

    def here(self, bound: BoundRule, outcome: Outcome) -> Formula:
        """Return *the rule comes out so, about the one member if it is about members*."""
        there, both = self.read(bound)[0]
        return every((there, both.of(outcome)))

    def _possible(self, claim: Claim, bound: BoundRule) -> Proof:
        """Prove that a rule can be broken, or kept."""
        outcome = Outcome.BROKEN if claim is Claim.CAN_BREAK else Outcome.KEPT
        if bound.broken_when == Truth(value=outcome is Outcome.KEPT):
            return Proof(claim, Status.REMARK, (bound.id,))
        wanted = (self._period, self.here(bound, outcome))
        answer = self.search(*wanted)
        if answer is Answer.YES:
            found = self.search.witness(self.symbols, self.reads(bound), *wanted)
            if found is not None:
                self.confirm(found, outcome, bound)
        return Proof(claim, _status(answer, proved=Answer.YES), (bound.id,))

    def reads(self, *rules: BoundRule) -> tuple[str, ...]:
        """Return the facts that rules read."""
        return tuple(dict.fromkeys(path for bound in rules for path in paths(bound.broken_when)))

    def confirm(self, found: Imagined, outcome: Outcome, *rules: BoundRule) -> None:
        """Let the reference engine read an example.

        Raises:
            MisreadError: It reads it otherwise.
        """
        for bound in rules:
            if outcome not in outcomes_of(bound, found):
                raise MisreadError(f"`{bound.id}` is not {outcome} in what should be an example of it")

    @cached_property
    def _breakable(self) -> tuple[BoundRule, ...]:
        return tuple(
            bound
            for bound in self.rules
            if self.search(self._period, self.here(bound, Outcome.BROKEN)) is not Answer.NO
        )

    def _anywhere(self, bound: BoundRule, one: BoundRule) -> Formula:
        """Return *the rule is broken wherever the other one is*: about the same member, if both are."""
        if bound.rule.about is one.rule.about:
            return self.here(bound, Outcome.BROKEN)
        return some(every((there, both.true)) for there, both in self.read(bound))

    def _dead_weight(self) -> list[Proof]:
        """Prove of each rule that no other of equal or stronger effect is broken whenever it is."""
        proofs = []
        for bound in self._breakable:
            here = (self._period, self.here(bound, Outcome.BROKEN))
            left = [o for o in self._breakable if o is not bound and o.effect >= bound.effect]
            undecided = False
            implied_by: list[BoundRule] = []
            while left:
                broken = [self._anywhere(other, bound) for other in left]
                values = self.search.values(broken, *here, no(broken[0]))
                if values is not None:
                    left = [o for o, value in zip(left, values, strict=True) if _is_true(value)]
                    continue
                other = left.pop(0)
                answer = self.search(*here, no(broken[0]))
                undecided |= answer is Answer.UNDECIDED
                if answer is Answer.NO:
                    implied_by.append(other)
            if not implied_by:
                proofs.append(
                    Proof(Claim.NOT_IMPLIED, Status.UNDECIDED if undecided else Status.PROVED, (bound.id,))
                )
            for other in implied_by:
                status = Status.REMARK if bound.effect is Effect.NOTE else Status.REFUTED
                example = self._example((bound, other), *here)
                proofs.append(
                    Proof(Claim.NOT_IMPLIED, status, (bound.id, other.id), rules=(other.id,), example=example)
                )
        return proofs

    def _example(self, rules: Sequence[BoundRule], *wanted: Formula) -> Imagined | None:
        return self.search.example(self.symbols, self.reads(*rules), self.near, *wanted)

    # -------------------------------------------------------------------------------- contradictions

    def _contradictions(self) -> list[Proof]:
        """Prove of each two rules about a home that some home keeps both, for whomever each can be kept.

        They contradict each other if there is an applicant for whom either can be broken and either can be
        kept, but no home of which enough is known keeps both.
        """
        about_homes = [b for b in self._breakable if b.rule.about is Range.UNIT]
        proofs = []
        for one, other in itertools.combinations(about_homes, 2):
            if self._topics(one) & self._topics(other):
                proofs.append(self._contradiction(one, other))
            else:
                proofs.append(Proof(Claim.NO_CONTRADICTION, Status.PROVED, (one.id, other.id)))
        return proofs

    @cached_property
    def _tied(self) -> dict[str, str]:
        """Facts of the home that promises of the model tie together, each with the first of its bunch."""
        first = {path: path for path in COMMON_PATHS if not _of_applicant(path)}

        def bunch(path: str) -> str:
            while first[path] != path:
                path = first[path]
            return path

        for axiom in AXIOMS:
            for formula in axiom.of(self.symbols):
                tied = sorted({n.removesuffix("?") for n in names(formula)} & set(first))
                for path in tied[1:]:
                    first[bunch(path)] = bunch(tied[0])
        return {path: bunch(path) for path in first}

    def _topics(self, bound: BoundRule) -> set[str]:
        own = {self._tied[path] for path in paths(bound.broken_when, counted=False) if path in self._tied}
        return own | {part.over.value for part in walk(bound.broken_when) if isinstance(part, AtLeast)}

    def _contradiction(self, one: BoundRule, other: BoundRule) -> Proof:
        about = (one.id, other.id)
        keeps = [self.here(bound, Outcome.KEPT) for bound in (one, other)]
        fixed = (self.today, self._known_home)
        exceptions = _Exceptions(self, (one, other), _of_applicant, fixed, keeps)
        for applicant in exceptions:
            of_each = [self.here(bound, Outcome.BROKEN) for bound in (one, other)]
            alone = [self.search(*fixed, *applicant, formula) for formula in (*keeps, *of_each)]
            if all(answer is Answer.YES for answer in alone):
                found = self._example((one, other), *fixed, *applicant, of_each[0])
                if found is not None:
                    self.confirm(found, Outcome.BROKEN, one)
                inherent = all(map(_inherent, (one, other)))
                only_one_demands = (one.effect is Effect.NOTE) is not (other.effect is Effect.NOTE)
                status = Status.REMARK if inherent or only_one_demands else Status.REFUTED
                return Proof(Claim.NO_CONTRADICTION, status, about, rules=about, example=found)
        status = Status.UNDECIDED if exceptions.undecided else Status.PROVED
        return Proof(Claim.NO_CONTRADICTION, status, about)

    def _both_sides(self) -> list[Proof]:
        """Prove of rules that mirror each other that nobody stands on both sides of both."""
        proofs = []
        for one, other in itertools.combinations(self._breakable, 2):
            if _shape(one.rule.broken_when) != _shape(_mirrored(other.rule.broken_when)):
                continue
            wanted = (self._period, *(self.here(bound, Outcome.BROKEN) for bound in (one, other)))
            answer = self.search(*wanted)
            found = self._example((one, other), *wanted) if answer is Answer.YES else None
            if found is not None:
                self.confirm(found, Outcome.BROKEN, one, other)
            status = _status(answer, proved=Answer.NO)
            about = (one.id, other.id)
            proofs.append(Proof(Claim.ONE_SIDE, status, about, rules=about, example=found))
        return proofs

    # ---------------------------------------------------------------------------------- being let in

    @cache  # noqa: B019 - a prover lives as long as one check
    def _better(self, level: Verdict) -> tuple[Formula, ...]:
        """Return, for each rule, *it gives a better verdict than this*."""
        return tuple(no(self.reaches(bound, level)) for bound in self._inherent_first)

    @cached_property
    def _inherent_first(self) -> tuple[BoundRule, ...]:
        """The rules, those first that are as the rulebook has them; of reasons these are given first."""
        return tuple(sorted(self.rules, key=lambda bound: not _inherent(bound)))

    def _why_not(self, level: Verdict, *wanted: Formula) -> tuple[Status, tuple[str, ...]]:
        """Return the rules that keep everyone out, and whether the rulebook itself says so."""
        better = self._better(level)
        with self.search.where(*wanted):
            core = self.search.core(better)
        if core is None:
            return Status.UNDECIDED, ()
        rules = [b for b, f in zip(self._inherent_first, better, strict=True) if any(f is g for g in core)]
        status = Status.REMARK if all(map(_inherent, rules)) else Status.REFUTED
        return status, tuple(bound.id for bound in rules)

    def _kind_open(self, kind: SchemeKind) -> Proof:
        """Prove that a home of a kind of scheme can be given to somebody."""
        fact = self.symbols.facts["scheme.kind"]
        wanted = (self.today, self._known_home, same(fact.value, encode("scheme.kind", kind.value)))
        for level in self._levels:
            answer = self.search(*wanted, *self._better(level))
            if answer is Answer.UNDECIDED:
                return Proof(Claim.KIND_OPEN, Status.UNDECIDED, (kind.value,), level)
            if answer is Answer.NO:
                status, rules = self._why_not(level, *wanted)
                return Proof(Claim.KIND_OPEN, status, (kind.value,), level, rules)
        return Proof(Claim.KIND_OPEN, Status.PROVED, (kind.value,))

    def _homes_open(self) -> list[Proof]:
        """Prove that every vacant home with nobody else in its group can be given to somebody."""
        everything = [self.symbols.facts[path].known for path in _APPLICANT_PATHS if self._can_be_known(path)]
        empty = [m.copies <= 0 for m in self.symbols.members.get(Range.RESIDENT, ())]
        vacant = same(self.symbols.facts["unit.status"].value, encode("unit.status", "vacant"))
        fixed = (self.today, self._known_home, vacant, *everything, *empty)
        return self._let_in(Claim.HOME_OPEN, _of_home, fixed, _HOME_PATHS)

    def _houses_open(self) -> list[Proof]:
        """Prove that a house where any two live can take in somebody else."""
        residents = self.symbols.members.get(Range.RESIDENT, ())
        if len(residents) < TOGETHER:
            return []
        two = [member.copies <= (n < TOGETHER) for n, member in enumerate(residents)]
        two.extend(member.copies >= 1 for member in residents[:TOGETHER])
        everything = [self.symbols.facts[path].known for path in _APPLICANT_PATHS if self._can_be_known(path)]
        fixed = (self.today, self._known_home, *two, *everything)
        return self._let_in(Claim.HOUSE_OPEN, _of_resident, fixed, paths_of("resident"))

    def _applicants_placed(self) -> list[Proof]:
        """Prove that every applicant can be given some home."""
        fixed = (self.today, self._known_home)
        return self._let_in(Claim.APPLICANT_PLACED, _of_applicant, fixed, _APPLICANT_PATHS)

    def _let_in(
        self, claim: Claim, own: Callable[[str], bool], fixed: tuple[Formula, ...], shown: Sequence[str]
    ) -> list[Proof]:
        """Return the exceptions to *for all there is one that lets them in*, and whether those are all."""
        proofs: list[Proof] = []
        told: list[Formula] = []
        for level in self._levels:
            concerned = [b for b in self.rules if gives(b, Outcome.BROKEN) >= level]
            exceptions = _Exceptions(self, concerned, own, (*fixed, *told), self._better(level))
            found = [every(exception) for exception in exceptions]
            left = list(found)
            of_level = []
            for exception in found:
                others = [no(other) for other in left if other is not exception]
                where = (*fixed, *told, exception, *others)
                if self.search(*where) is Answer.NO:  # the others say it already
                    left.remove(exception)
                    continue
                status, rules = self._why_not(level, *where)
                read = self.reads(*(b for b in self.rules if b.id in rules))
                example = self.search.example(
                    self.symbols, [p for p in shown if p in read], self.near, *where
                )
                of_level.append(Proof(claim, status, (), level, rules, example))
            told.extend(no(exception) for exception in left)
            distinct = {str((proof.rules, proof.example)): proof for proof in of_level}
            proofs.extend(distinct[key] for key in sorted(distinct))
            if exceptions.undecided:
                proofs.append(Proof(claim, Status.UNDECIDED, (), level))
            elif not found:
                proofs.append(Proof(claim, Status.PROVED, (), level))
        return proofs

    def _profile_placed(self, profile: Profile, level: Verdict) -> Proof:
        """Prove that an applicant can be given some home."""
        facts = self.symbols.facts
        day = profile.day
        today = self.today if day is None else same(facts["case.as_of"].value, encode("case.as_of", day))
        who = []
        for path in _APPLICANT_PATHS:
            fact, value = facts[path], profile.facts.get(path)
            if value is None:
                who.append(constant(value=True) if path in ALWAYS_KNOWN else no(fact.known))
            else:
                who.append(every((fact.known, same(fact.value, encode(path, value)))))
        wanted = (today, self._known_home, *who)
        answer = self.search(*wanted, *self._better(level))
        if answer is not Answer.NO:
            status = _status(answer, proved=Answer.YES)
            return Proof(Claim.PROFILE_PLACED, status, (profile.name,), level, (), _as_example(profile))
        if self.search(*wanted) is not Answer.YES:
            raise MisreadError(f"the model has no applicant like {profile.name}")
        status, rules = self._why_not(level, *wanted)
        return Proof(Claim.PROFILE_PLACED, status, (profile.name,), level, rules, _as_example(profile))

    # -------------------------------------------------------------------------------------- the laws

    @cached_property
    def _any_facts(self) -> Search:
        """Looks among all facts, also those that the model does not allow."""
        copies = (member.copies for members in self.symbols.members.values() for member in members)
        return Search([number >= 0 for number in copies], self.budget)

    def _gender_never_bars(self) -> list[Proof]:
        """Prove of each rule that it bars nobody of unknown gender whom it bars not both as woman and man."""
        path = "applicant.gender"
        unknown = with_fact(self.symbols, path, not_known(path))
        proofs = []
        for bound in self.rules:
            if path not in self.reads(bound):
                continue
            barred = reaches(bound, unknown, Verdict.BLOCKED)
            otherwise = [
                no(reaches(bound, with_fact(self.symbols, path, known_as(path, code.value)), Verdict.BLOCKED))
                for code in (Gender.WOMAN, Gender.MAN)
            ]
            wanted = (barred, some(otherwise))
            answer = self._any_facts(*wanted)
            found = None
            if answer is Answer.YES:
                found = self.search.example(
                    self.symbols, self.reads(bound), self.near, no(self.symbols.facts[path].known), *wanted
                )
            status = _status(answer, proved=Answer.NO)
            proofs.append(
                Proof(Claim.GENDER_NEVER_BARS, status, (bound.id,), rules=(bound.id,), example=found)
            )
        return proofs

    @cached_property
    def _later(self) -> Symbols:
        return with_more_known(self.symbols)

    def _certain_stays(self, bound: BoundRule) -> Proof:
        """Prove that learning a fact never takes back that a rule is broken, or kept; and never both."""
        later = entries(bound, self._later)
        there, now = self.read(bound)[0]
        then = later[0][1]
        lost = some(
            (
                every((now.true, no(then.true))),
                every((now.false, no(then.false))),
                every((now.true, now.false)),
            )
        )
        answer = self._any_facts(there, lost)
        found = (
            self._any_facts.example(self.symbols, self.reads(bound), self.near, there, lost)
            if answer is Answer.YES
            else None
        )
        status = _status(answer, proved=Answer.NO)
        return Proof(Claim.CERTAIN_STAYS, status, (bound.id,), rules=(bound.id,), example=found)

    @cached_property
    def _vectors(self) -> tuple[Search, dict[str, Both]]:
        """Any outcome of every rule, whatever the facts."""
        outcomes = {
            bound.id: Both(unknown_truth(f"{bound.id} broken"), unknown_truth(f"{bound.id} kept"))
            for bound in self.rules
        }
        one_each = [no(every((both.true, both.false))) for both in outcomes.values()]
        return Search(one_each, self.budget), outcomes

    @cached_property
    def _verdict_reaches(self) -> dict[Verdict, Formula]:
        """When any outcomes give each verdict or a worse one."""
        _, outcomes = self._vectors
        each = [(outcomes[b.id].of(outcome), gives(b, outcome)) for b in self.rules for outcome in Outcome]
        return {level: some(f for f, verdict in each if verdict >= level) for level in Verdict}

    def _worse_never_helps(self, bound: BoundRule) -> Proof:
        """Prove that a rule turning broken never betters a verdict, whatever the outcomes of the others."""
        search, outcomes = self._vectors
        own = outcomes[bound.id]
        turned = [(own.true, constant(value=True)), (own.false, constant(value=False))]
        helps = some(every((now, no(replaced(now, turned)))) for now in self._verdict_reaches.values())
        status = _status(search(helps), proved=Answer.NO)
        return Proof(Claim.WORSE_NEVER_HELPS, status, (bound.id,), rules=(bound.id,))

    def _bar_stands(self, bound: BoundRule) -> Proof:
        """Prove that nothing offsets a broken bar, whatever the outcomes of the others."""
        search, outcomes = self._vectors
        answer = search(outcomes[bound.id].true, no(self._verdict_reaches[Verdict.BLOCKED]))
        return Proof(Claim.BAR_STANDS, _status(answer, proved=Answer.NO), (bound.id,), rules=(bound.id,))


def _of_home(path: str) -> bool:
    return path.startswith(("case.", "unit.", "group.", "scheme."))


def _of_resident(path: str) -> bool:
    return path.startswith("resident.")


def _status(answer: Answer, *, proved: Answer) -> Status:
    if answer is Answer.UNDECIDED:
        return Status.UNDECIDED
    return Status.PROVED if answer is proved else Status.REFUTED


def _is_true(value: Term) -> bool:
    return str(value) == "True"


def _inherent(bound: BoundRule) -> bool:
    """Return whether the rule is as the rulebook has it: no numbers of the policy, no stronger effect."""
    return not bound.rule.params and bound.effect <= bound.rule.effect


def _as_example(profile: Profile) -> Imagined:
    return Imagined(dict(profile.facts), {})


def outcomes_of(bound: BoundRule, found: Imagined) -> frozenset[Outcome]:
    """Return what the reference engine says of a rule in an example, about each member."""
    world = World(found.facts, _candidate(found))
    return frozenset(
        Outcome.of(meant(bound.broken_when, world.beside(item.facts)))
        for item in found.items(bound.rule.about)
    )


def _candidate(found: Imagined) -> Candidate:
    return found  # type: ignore[return-value]  # as much of a candidate as the reference engine reads


# ------------------------------------------------------------------------------- for all there is one


class _Exceptions:
    """Those of one side for whom nobody of the other side fulfils what is wanted, as few formulas each.

    One of one side is taken; one of the other side that suits is looked for, and then all whom that one suits
    are left out. Where none suits, what little of the first one rules everybody out is an exception. When
    nobody is left the exceptions are all there are.

    Attributes:
        undecided: Whether there may be more than were told; to be read when they are told.
    """

    def __init__(
        self,
        prover: Prover,
        rules: Sequence[BoundRule],
        own: Callable[[str], bool],
        fixed: Sequence[Formula],
        wanted: Sequence[Formula],
    ) -> None:
        self.undecided = False
        self._prover = prover
        self._own = own
        self._fixed = fixed
        self._wanted = every(wanted)
        self._facts = [
            (name, path, fact)
            for name, facts in itertools.islice(prover.symbols.everywhere(), 1 + TOGETHER)
            for path, fact in facts.items()
            if own(path)
        ]
        self._comparable: list[tuple[Term, Term]] = []
        self._literals = list(self._states(rules))
        self._possible = every((prover.allowed, *fixed))
        self._suited = every((self._possible, self._wanted))
        self._own_terms, self._other_terms = self._terms(own=True), self._terms(own=False)
        self._before: list[Formula] = []
        self._nobody = [
            member.copies <= 0
            for over, members in prover.symbols.members.items()
            for member in members
            if not own(f"{over}.")
        ]

    def _states(self, rules: Sequence[BoundRule]) -> Iterator[tuple[Formula, ...]]:
        """Yield, for each thing that rules see of this side, the states that it can be in."""
        tests = [t for b in rules for t in walk(b.broken_when) if isinstance(t, Test)]
        whole_facts: set[str] = set()
        seen: set[Test] = set()
        for test in tests:
            of_test = (test.path, test.right.path) if isinstance(test.right, Ref) else (test.path,)
            own = [path for path in of_test if self._own(path)]
            if 0 < len(own) < len(of_test):
                whole_facts.update(own)
                if fact_type(test.path).kind is not Kind.CODE:
                    self._comparable.extend(self._pairs(of_test, own[0]))
            elif own and test not in seen:
                seen.add(test)
                for symbols in self._worlds(own):
                    both = truth(test, symbols)
                    yield both.true, both.false, both.of(Outcome.UNKNOWN)
        compared = [(path, fact) for _, path, fact in self._facts if path in whole_facts]
        for (path, one), (another, other) in itertools.combinations(compared, 2):
            kind = fact_type(path).kind
            if kind is fact_type(another).kind and kind is not Kind.CODE:
                both = every((one.known, other.known))
                less, more = one.value < other.value, one.value > other.value
                yield every((both, less)), every((both, more)), every((both, no(less), no(more)))
        for _, fact in compared:
            yield fact.known, no(fact.known), fact.value
        for path in LIST_KNOWN_BY.values():
            if self._own(path):
                fact = self._prover.symbols.facts[path]
                yield fact.known, no(fact.known)

    def _pairs(self, of_test: Sequence[str], own: str) -> Iterator[tuple[Term, Term]]:
        """Yield numbers of the other side, each with the number of this side that it is compared with."""
        facts = self._prover.symbols.facts
        for path in of_test:
            if path != own and path in facts and own in facts:
                yield facts[path].value, facts[own].value

    def _worlds(self, own: Sequence[str]) -> list[Symbols]:
        symbols = self._prover.symbols
        subjects = {path.partition(".")[0] for path in own}
        over = next((r for r in symbols.members if r.value in subjects), None)
        return [symbols] if over is None else [symbols.beside(m) for m in symbols.members[over][:TOGETHER]]

    def __iter__(self) -> Iterator[list[Formula]]:
        search = self._prover.search
        one_side = Search([self._possible], self._prover.budget)
        states = [state for literals in self._literals for state in literals]
        told = 0
        for _ in range(MAX_TURNS):
            answer = one_side()
            if answer is Answer.NO:
                return
            values = one_side.values([*states, *self._own_terms])
            if values is None or told > MAX_EXCEPTIONS:
                break
            literals = self._holding(iter(values))
            with search.where(*self._fixed):
                suits = search(*literals, self._wanted)
                if suits is Answer.YES:
                    other = self._suiting(literals, values[len(states) :])
                    if other is None:
                        break
                    one_side.add(no(replaced(self._suited, other)))
                    continue
                with search.where(self._wanted):
                    core = None if suits is Answer.UNDECIDED else search.core(literals)
            if core is None:
                break
            one_side.add(no(every(core)))
            told += 1
            yield core
        self.undecided = True

    def _suiting(self, literals: Sequence[Formula], one: Sequence[Term]) -> list[tuple[Term, Term]] | None:
        """Return one of the other side that suits, and suits as many of those before as it can.

        Where a number of it may equal one of this side, it is said to: as long a stay as the shortest there.
        """
        search = self._prover.search
        equal: list[tuple[Term, Term]] = []
        with search.where(*literals, self._wanted):
            for wish in (every(self._nobody), *self._before):
                if search(wish) is Answer.YES:
                    search.add(wish)
            for theirs, ours in self._comparable:
                if not any(theirs is done for done, _ in equal) and search(same(theirs, ours)) is Answer.YES:
                    search.add(same(theirs, ours))
                    equal.append((theirs, ours))
            found = search.values(self._other_terms)
        self._before.insert(0, replaced(self._suited, zip(self._own_terms, one, strict=True)))
        if found is None:
            return None
        settled = {id(theirs) for theirs, _ in equal}
        others = zip(self._other_terms, found, strict=True)
        return [*equal, *((term, value) for term, value in others if id(term) not in settled)]

    def _holding(self, values: Iterator[Term]) -> list[Formula]:
        """Return the states that hold, those that say most first."""
        certain: list[Formula] = []
        rest: list[Formula] = []
        for literals in self._literals:
            of_it = [(formula, next(values)) for formula in literals]
            if len(of_it) == 3 and str(of_it[2][1]) not in ("True", "False"):  # noqa: PLR2004 - with its value
                (known, is_known), (unknown, _), (value, term) = of_it
                if _is_true(is_known):
                    certain.append(known)
                    rest.extend((every((known, value >= term)), every((known, value <= term))))
                else:
                    rest.append(unknown)
                continue
            for number, (formula, value) in enumerate(of_it):
                if _is_true(value):
                    (certain if number == 0 else rest).append(formula)
        return [*certain, *rest]

    def _terms(self, *, own: bool) -> list[Term]:
        """Return what is unknown of one side."""
        symbols = self._prover.symbols
        facts = [
            term
            for _, of in symbols.everywhere()
            for path, fact in of.items()
            if self._own(path) is own
            for term in (fact.known, fact.value)
        ]
        copies = [
            member.copies
            for over, members in symbols.members.items()
            for member in members
            if self._own(f"{over}.") is own
        ]
        return facts + copies


# ------------------------------------------------------------------------------------- rules that mirror


def _mirrored(expr: Expr) -> Expr:
    """Return an expression with applicant and resident changed about, as far as it can be."""

    def other(path: str) -> str:
        subject, _, name = path.partition(".")
        return f"{ {'applicant': 'resident', 'resident': 'applicant'}.get(subject, subject) }.{name}"

    match expr:
        case All(parts):
            return All(tuple(map(_mirrored, parts)))
        case Any(parts):
            return Any(tuple(map(_mirrored, parts)))
        case Not(part):
            return Not(_mirrored(part))
        case Test(path, op, Ref(right, plus)):
            return Test(other(path), op, Ref(other(right), plus))
        case Test(path, op, right):
            return Test(other(path), op, right)
        case _:
            return expr


def _shape(expr: Expr) -> str:
    """Return an expression as text in which the order of parts does not matter."""
    match expr:
        case All(parts) | Any(parts):
            return f"{type(expr).__name__}({', '.join(sorted(map(_shape, parts)))})"
        case Not(part):
            return f"Not({_shape(part)})"
        case Test(path, op, right):
            return f"Test({path}, {op}, {right})"
        case _:
            return repr(expr)


# -------------------------------------------------------------------------------------------- profiles


def _none_of(path: str) -> dict[str, Value]:
    return dict.fromkeys(spread(VOCABULARY[path]), False)


@cache
def general_profiles() -> tuple[Profile, ...]:
    """Return applicants of whom one thing is known."""
    plain: dict[str, Value] = {
        "applicant.placement": PlacementKind.ORDINARY.value,
        "applicant.review_date_set": False,
    }
    assessed: dict[str, Value] = {
        **_none_of("applicant.needs"),
        **_none_of("applicant.services"),
        "applicant.needs_valid_until": model.LAST_DAY,
    }
    active = SubstanceUse.ACTIVE.value
    known: list[dict[str, Value]] = [{}]
    known.extend({"applicant.gender": code.value} for code in (Gender.WOMAN, Gender.MAN))
    known.extend({"applicant.age": age} for age in (18, 24, 80))
    known.extend({"applicant.rop": rop} for rop in (True, False))
    known.extend(
        {"applicant.main_substance": code.value, "applicant.substance_use": active} for code in SubstanceClass
    )
    known.extend({path: True} for path in ("applicant.heavy_use", "applicant.vulnerable"))
    known.append(
        {
            "applicant.violence": ViolenceConclusion.ASSESSED_HIGH.value,
            "applicant.risk_valid_until": model.LAST_DAY,
            **_none_of("applicant.risk_measures"),
        }
    )
    known.append({"applicant.child_visits": True})
    known.append({"applicant.placement": PlacementKind.CRISIS.value, "applicant.review_date_set": True})
    known.extend({**assessed, f"applicant.needs:{code.value}": True} for code in Need)
    known.extend({**assessed, f"applicant.services:{code.value}": True} for code in Service)
    return tuple(Profile("", {**plain, **facts}) for facts in known)


def profile_of(name: str, facts: Facts, day: date) -> Profile:
    """Return an applicant of a case as a profile."""
    known: dict[str, Value] = {path: value for path, value in facts.items() if not isinstance(value, Missing)}
    return Profile(name, known, day)
