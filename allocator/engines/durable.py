"""The engine of record: rules compiled to rulesets of ``durable_rules`` and run by its Rete network.

``durable_rules`` 2.0.28 is exact on a narrow subset and unsafe outside it, so only the subset is used
(``docs/decisions/0002-durable-rules.md``):

* one fact at a time, pre-joined and flat, asserted and retracted in one session: no joins, no ``none()``,
  no events, no state;
* flat conjunctions. Every rule becomes engine rules that fire when it is *definitely broken* and engine
  rules that fire when it is *definitely kept*. Neither fired means unknown, and then some fact it reads must
  be missing; both fired is an error. A lost firing can therefore never look like *kept*;
* values are truth, whole numbers and codes of closed lists. Ids, names and free text never reach it;
* a property on the right side of a comparison is tested for presence first;
* at most 60 engine rules to a ruleset, and a lock around each engine, since its sessions are not safe for
  threads.

Counting is done over verdicts of the engine itself: what is counted is a proposition of its own, judged for
each member, and the number goes into the fact. A part of an expression with too many alternatives is a
proposition of its own in the same way. Both are judged in an earlier *stage*.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import durable_rules_engine as rete

from allocator import __version__
from allocator.engines import EngineError, Judgement, Outcome
from allocator.facts import LIST_KNOWN_BY, Candidate, Facts, Missing, Range
from allocator.policy import BoundRule
from allocator.rules.language import All, Any, AtLeast, Expr, Not, Op, Ref, Test, Truth, walk

DURABLE_RULES_VERSION = "2.0.28"

MAX_RULES = 60
"""Engine rules in one ruleset; the alpha network fails at 65 that are true at once."""

MAX_ALTERNATIVES = 8
"""Alternatives of one engine rule's condition before it is cut into propositions of its own."""

MAX_PARTS = 40
"""Parts of one condition that are judged side by side."""

_NEGATED = {Op.EQ: Op.NE, Op.NE: Op.EQ, Op.LT: Op.GE, Op.GE: Op.LT, Op.GT: Op.LE, Op.LE: Op.GT}
_SYMBOL = {Op.NE: "$neq", Op.LT: "$lt", Op.LE: "$lte", Op.GT: "$gt", Op.GE: "$gte"}

Condition = Mapping[str, object]
Conjunction = tuple[Condition, ...]
Property = bool | int | str


def _name(path: str) -> str:
    """Return a property name: ASCII and without dots, which mean nesting to the engine."""
    return path.replace(".", "__").replace(":", "___")


def _encode(value: object) -> Property:
    """Return a value that the engine holds exactly."""
    if isinstance(value, bool):
        return value
    if isinstance(value, date):
        return value.toordinal()
    if isinstance(value, int) and abs(value) < 2**31:
        return value
    if isinstance(value, str) and value.isascii() and 0 < len(value) <= 64:  # noqa: PLR2004 - a code
        return value
    raise EngineError(f"a {type(value).__name__} that the engine cannot hold exactly")


# --------------------------------------------------------------------------------------- compiling


@dataclass(frozen=True)
class _Proposition:
    """Something judged for a fact: a rule, a remark, what a count counts, or a part cut out of one."""

    key: str
    true: tuple[Conjunction, ...]
    false: tuple[Conjunction, ...]
    reads: tuple[str, ...]


class _Compiler:
    """Turns expressions about members of one range into propositions, in stages."""

    def __init__(self, over: Range) -> None:
        self._over = over
        self._staged: dict[int, list[_Proposition]] = {}
        self._cuts = itertools.count()
        self._ready_in: dict[str, int] = {}
        self.limits: dict[str, AtLeast] = {}

    def stages(self) -> list[_Stage]:
        """Return what has been added, ready to run."""
        return [_Stage(self._staged[number]) for number in sorted(self._staged)]

    def add(self, key: str, expr: Expr) -> None:
        """Compile *expr* as the proposition *key*, in the first stage where all it reads is known."""
        true, false = _alternatives(self._small(expr))
        reads = _properties(true, false)
        stage = max((self._ready_in.get(name, 0) for name in reads), default=0)
        self._ready_in[_name(key)] = stage + 1
        self._staged.setdefault(stage, []).append(_Proposition(key, true, false, reads))

    def _small(self, expr: Expr) -> Expr:
        """Return *expr* with counts, and parts that have too many alternatives, replaced by properties."""
        match expr:
            case AtLeast():
                return self._count(expr)
            case Not(part):
                return Not(self._small(part))
            case All(parts) | Any(parts):
                small = type(expr)(tuple(self._small(part) for part in parts))
                return small if max(_sizes(small)) <= MAX_ALTERNATIVES else self._narrow(small)
            case _:
                return expr

    def _narrow(self, expr: All | Any) -> Expr:
        """Return *expr* over properties alone, few enough for one ruleset."""
        parts = [self._cut_out(part) for part in expr.parts]
        while len(parts) > MAX_PARTS:
            groups = [parts[i : i + MAX_ALTERNATIVES] for i in range(0, len(parts), MAX_ALTERNATIVES)]
            parts = [self._cut_out(type(expr)(tuple(group))) for group in groups]
        return type(expr)(tuple(parts))

    def _cut_out(self, expr: Expr) -> Expr:
        if isinstance(expr, Test | Truth):
            return expr
        key = f"cut.{self._over}_{next(self._cuts)}"
        self.add(key, expr)
        return Test(key, Op.EQ, right=True)

    def _count(self, expr: AtLeast) -> Expr:
        limit = f"limit.{expr.over}_{expr.name}_{expr.count}_{expr.percent}"
        _claim(self.limits, limit, expr)
        return _Reached(_count_key(expr), limit)


def _claim(limits: dict[str, AtLeast], limit: str, expr: AtLeast) -> None:
    if limits.setdefault(limit, expr).where != expr.where:
        raise EngineError(f"two counts are called `{expr.name}`")


def _count_key(expr: AtLeast) -> str:
    return f"count.{expr.over}_{expr.name}"


@dataclass(frozen=True)
class _Reached(Expr):
    """A count that reaches its limit; certain when the least does, or when the most does not."""

    key: str
    limit: str


def _sizes(expr: Expr) -> tuple[int, int]:
    """Return how many alternatives make *expr* definitely true, and definitely false, without making them."""
    match expr:
        case Not(part):
            true, false = _sizes(part)
            return false, true
        case All(parts) | Any(parts):
            sizes = [_sizes(part) for part in parts]
            one, other = (0, 1) if isinstance(expr, All) else (1, 0)
            joined, summed = math.prod(size[one] for size in sizes), sum(size[other] for size in sizes)
            return (joined, summed) if one == 0 else (summed, joined)
        case _:
            return 1, 1


def _alternatives(expr: Expr) -> tuple[tuple[Conjunction, ...], tuple[Conjunction, ...]]:
    """Return the alternatives that make *expr* definitely true, and those that make it definitely false."""
    match expr:
        case Truth(value):
            return (((),), ()) if value else ((), ((),))
        case Not(part):
            true, false = _alternatives(part)
            return false, true
        case All(parts):
            true_parts, false_parts = zip(*map(_alternatives, parts), strict=True)
            return _joined(true_parts), tuple(itertools.chain(*false_parts))
        case Any(parts):
            true_parts, false_parts = zip(*map(_alternatives, parts), strict=True)
            return tuple(itertools.chain(*true_parts)), _joined(false_parts)
        case Test(path, op, right):
            return (_test(path, op, right),), (_test(path, _NEGATED[op], right),)
        case _Reached(key, limit):
            low, high = f"{key}.low", f"{key}.high"
            return (_test(low, Op.GE, Ref(limit)),), (_test(high, Op.LT, Ref(limit)),)
    raise EngineError(f"not a core expression: {type(expr).__name__}")


def _joined(parts: Iterable[tuple[Conjunction, ...]]) -> tuple[Conjunction, ...]:
    return tuple(tuple(itertools.chain(*choice)) for choice in itertools.product(*parts))


def _test(path: str, op: Op, right: object) -> Conjunction:
    left = _name(path)
    guard: Conjunction = ()
    if isinstance(right, Ref):
        other = _name(right.path)
        guard = ({"$ex": {other: 1}},)
        operand: object = {"$m": other}
        if right.plus:
            operand = {"$add": {"$l": {"$m": other}, "$r": right.plus}}
    else:
        operand = _encode(right)
    test = {left: operand} if op is Op.EQ else {_SYMBOL[op]: {left: operand}}
    return (*guard, test)


def _properties(*alternatives: tuple[Conjunction, ...]) -> tuple[str, ...]:
    """Return the properties that conditions mention."""
    names: dict[str, None] = {}

    def collect(node: object) -> None:
        if isinstance(node, Mapping):
            for key, value in node.items():
                if key == "$m":
                    names[str(value)] = None
                elif not key.startswith("$"):
                    names[key] = None
                collect(value)

    for conjunctions in alternatives:
        for conjunction in conjunctions:
            for condition in conjunction:
                collect(condition)
    return tuple(names)


# ----------------------------------------------------------------------------------------- running

_serial = itertools.count()


def _hash32(name: str) -> int:
    """Return the 32-bit FNV-1a hash by which the engine tells property names apart."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


class _Ruleset:
    """One ruleset in the Rete engine: a pure function from a flat fact to the rules that fire."""

    def __init__(self, propositions: list[_Proposition]) -> None:
        self.keys = [p.key for p in propositions]
        self.reads = tuple(dict.fromkeys(itertools.chain(*(p.reads for p in propositions))))
        names = {*self.reads, "probe", "judge", "id", "sid"}
        if len({_hash32(name) for name in names}) != len(names):
            raise EngineError("two property names cannot be told apart by the engine")
        self._rules: dict[str, object] = {"$probe": {"all": [{"m": {"probe": 1}}]}}
        for index, proposition in enumerate(propositions):
            for letter, conjunctions in (("B", proposition.true), ("K", proposition.false)):
                for number, conjunction in enumerate(conjunctions):
                    distinct = [c for i, c in enumerate(conjunction) if c not in conjunction[:i]]
                    condition = {"$and": [{"judge": 1}, *distinct]} if distinct else {"judge": 1}
                    self._rules[f"{letter}|{index}|{number}"] = {"all": [{"m": condition}]}
        self._open()

    def _open(self) -> None:
        name = f"allocator{next(_serial)}"
        self._handle = rete.create_ruleset(name, json.dumps(self._rules))
        self._finalizer = weakref.finalize(self, _close, self._handle)
        # the engine frees an uninitialised pointer on closing unless some rule has fired in the session
        if self._fire({"probe": 1}) != ["$probe"]:
            raise EngineError("the rule engine does not answer")

    def __call__(self, fact: str) -> list[str]:
        """Return the names of the rules that fire for an encoded fact.

        After any error the state of the session is not known, so that the next call opens a new one.
        """
        try:
            if not self._finalizer.alive:
                self._open()
            return self._fire(json.loads(fact))
        except Exception:  # noqa: BLE001 - the engine's own messages may quote the fact, so none is passed on
            self._finalizer()
        raise EngineError("the rule engine failed on a fact") from None

    def _fire(self, fact: dict[str, Property]) -> list[str]:
        fired = []
        body = json.dumps({**fact, "id": "f"}, ensure_ascii=False, allow_nan=False)
        status, offset = rete.assert_fact(self._handle, body)
        if status > 1:  # 0: stored; 1: nothing matched; 2: taken for one already there
            raise EngineError("the rule engine refused a fact")
        action = rete.start_action_for_state(self._handle, offset)
        message = action and action[1]
        while message:
            fired.append(message[2 : message.index('"', 2)])
            message = rete.complete_and_start_action(self._handle, offset)
        rete.retract_fact(self._handle, '{"id":"f"}')
        return fired


def _close(handle: int) -> None:
    with contextlib.suppress(Exception):  # a session that cannot be closed is left behind
        rete.delete_state(handle, "0")
        rete.delete_ruleset(handle)


_Memory = dict[tuple[_Ruleset, str], dict[str, bool | None]]
"""What has been judged during one call: the same facts are judged once."""


class _Stage:
    """The rulesets that judge propositions which need nothing from one another."""

    def __init__(self, propositions: list[_Proposition]) -> None:
        self._reads = {p.key: p.reads for p in propositions}
        self._rulesets = [_Ruleset(chunk) for chunk in _chunks(propositions)]

    def judge(self, fact: Mapping[str, Property], memory: _Memory) -> dict[str, bool | None]:
        """Return the truth of each proposition: true, false, or None for unknown."""
        verdicts: dict[str, bool | None] = {}
        for ruleset in self._rulesets:
            part = {name: fact[name] for name in ruleset.reads if name in fact}
            text = json.dumps({"judge": 1, **part}, sort_keys=True)
            known = memory.get((ruleset, text))
            if known is None:
                known = self._verdicts(ruleset, part, ruleset(text))
                memory[ruleset, text] = known
            verdicts.update(known)
        return verdicts

    def _verdicts(
        self, ruleset: _Ruleset, fact: Mapping[str, Property], fired: list[str]
    ) -> dict[str, bool | None]:
        broken: set[str] = set()
        kept: set[str] = set()
        for name in fired:
            letter, index, _ = name.split("|")
            (broken if letter == "B" else kept).add(ruleset.keys[int(index)])
        verdicts: dict[str, bool | None] = {}
        for key in ruleset.keys:
            if key in broken and key in kept:
                raise EngineError(f"`{key}` came out both broken and kept")
            if key not in broken and key not in kept:
                if all(name in fact for name in self._reads[key]):
                    uncertain = any(name.endswith(("__low", "__high")) for name in self._reads[key])
                    if not uncertain:
                        raise EngineError(f"`{key}` was not judged although every fact is known")
                verdicts[key] = None
            else:
                verdicts[key] = key in broken
        return verdicts


def _chunks(propositions: list[_Proposition]) -> Iterable[list[_Proposition]]:
    chunk: list[_Proposition] = []
    size = 0
    for proposition in propositions:
        rules = len(proposition.true) + len(proposition.false)
        if chunk and size + rules > MAX_RULES:
            yield chunk
            chunk, size = [], 0
        chunk.append(proposition)
        size += rules
    if chunk:
        yield chunk


class DurableEngine:
    """Judges with ``durable_rules``. Safe to share between threads: it takes one case at a time."""

    name = "durable"
    version = f"{__version__}+durable_rules.{DURABLE_RULES_VERSION}"

    def __init__(self, rules: tuple[BoundRule, ...]) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        compilers = {over: _Compiler(over) for over in Range}
        for bound in rules:
            compilers[bound.rule.about].add(bound.id, bound.broken_when)
            if bound.remark_when is not None:
                compilers[Range.UNIT].add(f"remark.{bound.id}", bound.remark_when)
        self._limits: dict[str, AtLeast] = {}
        counters: dict[Range, _Compiler] = {}
        counted: dict[str, Expr] = {}
        for compiler in compilers.values():
            for limit, expr in compiler.limits.items():
                _claim(self._limits, limit, expr)
        for expr in self._limits.values():
            if counted.setdefault(_count_key(expr), expr.where) != expr.where:
                raise EngineError(f"two counts are called `{expr.name}`")
            if any(isinstance(part, AtLeast) for part in walk(expr.where)):
                raise EngineError(f"a count inside a count: `{expr.name}`")
        for expr in {_count_key(expr): expr for expr in self._limits.values()}.values():
            counters.setdefault(expr.over, _Compiler(expr.over)).add(_count_key(expr), expr.where)
        self._stages = {over: compiler.stages() for over, compiler in compilers.items()}
        self._counters = {over: compiler.stages() for over, compiler in counters.items()}

    def judge(self, candidates: Iterable[Candidate]) -> list[Judgement]:
        """Judge candidates, in the order given.

        The same facts are judged once; what is remembered is forgotten when the call ends.
        """
        with self._lock:
            memory: _Memory = {}
            return [self._judge(candidate, memory) for candidate in candidates]

    def _judge(self, candidate: Candidate, memory: _Memory) -> Judgement:
        common = _flat(candidate.facts)
        counted = {
            over: [_run(stages, {**common, **_flat(item.facts)}, memory) for item in candidate.items(over)]
            for over, stages in self._counters.items()
        }
        for limit, expr in self._limits.items():
            common.update(_count(limit, expr, candidate, counted[expr.over]))
        judged = {
            over: [_run(stages, {**common, **_flat(item.facts)}, memory) for item in candidate.items(over)]
            for over, stages in self._stages.items()
        }
        outcomes = {
            bound.id: tuple(Outcome.of(member[bound.id]) for member in judged[bound.rule.about])
            for bound in self._rules
        }
        (about_unit,) = judged[Range.UNIT]
        remarks = {
            bound.id: about_unit[f"remark.{bound.id}"] is True
            for bound in self._rules
            if bound.remark_when is not None
        }
        return Judgement(outcomes, remarks)


def _run(stages: list[_Stage], fact: dict[str, Property], memory: _Memory) -> dict[str, bool | None]:
    """Return the truth of every proposition for one fact; later stages see what earlier ones found."""
    verdicts: dict[str, bool | None] = {}
    for stage in stages:
        judged = stage.judge(fact, memory)
        verdicts.update(judged)
        fact.update({_name(key): value for key, value in judged.items() if value is not None})
    return verdicts


def _count(
    limit: str, expr: AtLeast, candidate: Candidate, members: list[dict[str, bool | None]]
) -> dict[str, Property]:
    """Return the properties of one count: at least, at most, and the limit to reach."""
    key = _count_key(expr)
    verdicts = [member[key] for member in members]
    properties: dict[str, Property] = {
        _name(f"{key}.low"): sum(verdict is True for verdict in verdicts),
        _name(limit): expr.needed(len(members)),
    }
    known_by = LIST_KNOWN_BY.get(expr.over)
    if known_by is None or not isinstance(candidate.facts[known_by], Missing):
        properties[_name(f"{key}.high")] = sum(verdict is not False for verdict in verdicts)
    return properties


def _flat(facts: Facts) -> dict[str, Property]:
    """Return known facts as properties; what is missing is left out."""
    return {_name(path): _encode(value) for path, value in facts.items() if not isinstance(value, Missing)}
