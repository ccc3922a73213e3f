"""Quick rankings: a case and a policy laid out in columns, asked as often as one likes.

Columnar alone: nothing here has been checked by the engine of record, and whoever shows it says so. Verdicts,
points and order are those of :mod:`scoring`, for all lanes at once. Findings are brought forth only for what
is looked at.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np
import orjson

from allocator.codes import UnitStatus
from allocator.engines import Outcome
from allocator.engines.columnar import (
    APPLICANT_SIDE,
    SPARSE,
    UNIT_SIDE,
    ApplicantsTable,
    Asking,
    ColumnarEngine,
    Entry,
    Plan,
    UnitsTable,
    count,
    listed,
    pack,
    packed,
    possible,
    unpack,
    unpack_at,
    unpack_rows,
)
from allocator.engines.registry import engine
from allocator.facts import LIST_KNOWN_BY, Candidate, CaseFacts, Item, Range
from allocator.model import Applicant, Resident
from allocator.policy import BoundRule, Policy
from allocator.rules.language import Effect
from allocator.scoring import (
    BASE_SCORE,
    BROKEN_GIVES,
    UNKNOWN_GIVES,
    Finding,
    Verdict,
    cost_of,
    findings,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENGINE = ColumnarEngine.name
"""The engine that quick rankings rest on, alone."""


_AT_SHIFT = 43
_HEAD_SHIFT = 26

_PLACE_BITS = 20
_COST_BITS = 40
MAX_LANES = 1 << _PLACE_BITS
"""The most units, or applicants, in one ranking."""

_VERDICTS = tuple(Verdict)
_VERDICT_JSON = tuple(orjson.dumps(verdict.code) for verdict in Verdict)
_OUTCOMES = (Outcome.BROKEN.value, Outcome.UNKNOWN.value)


class Row(NamedTuple):
    """One line of a ranking: the ids of the rules that are broken, and unknown, for somebody there."""

    id: str
    rank: int
    verdict: Verdict
    score: int
    broken: tuple[str, ...]
    unknown: tuple[str, ...]


Line = tuple[str, int, int, int, tuple[str, ...], tuple[str, ...]]
"""The same without names, for when there are thousands; the verdict is its number."""


class Brief(NamedTuple):
    """A finding without the facts it rests on. `outcome` is ``broken`` or ``unknown``."""

    rule: str
    outcome: str
    points: int
    could_cost: int
    about: tuple[str, ...]


class _Of:
    """What a rule needs to be known by when its planes become verdicts and points."""

    def __init__(self, number: int, bound: BoundRule) -> None:
        self.number = number
        self.bound = bound
        self.about = bound.rule.about
        self.broken = int(BROKEN_GIVES[bound.effect])
        self.unknown = int(UNKNOWN_GIVES[bound.effect])
        self.shared = bound.rule.shared_points and bound.effect is Effect.WEIGH
        self.cost = cost_of(bound, 1)

    def by_size(self, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what one broken finding costs where so many share the points."""
        most = int(sizes.max(initial=0))
        return np.array([cost_of(self.bound, size) for size in range(most + 1)], np.int64)[sizes]


T = TypeVar("T")
Make = Callable[[_Of, int, int, tuple[str, ...]], T]
"""Makes a finding of a rule, 0 if broken or 1 if unknown, what it costs, and about whom."""


@dataclass
class _Found:
    """Where a rule is broken or unknown: lanes, or members, or lanes for each person in a sparse range."""

    of: _Of
    broken: int
    unknown: int
    persons: Mapping[tuple[str, ...], tuple[int, int]] | None = None
    unlisted: int = 0


def _evaluate(rules: Sequence[_Of], plan: Plan, asking: Asking) -> list[_Found]:
    """Return where rules are broken or unknown; those that are kept everywhere are left out."""
    full, valid = asking.table.shape.full, asking.valid
    asks = plan.broken
    found = []
    for of in rules:
        if of.about is Range.UNIT:
            everything = full
        elif of.about is Range.RESIDENT:
            everything = valid
        else:
            sparse = _sparse(of, plan, asking)
            if sparse is not None:
                found.append(sparse)
            continue
        truth = asks[of.number](asking)
        if truth is False:
            continue
        if isinstance(truth, tuple):
            broken = truth[0] & everything
            unknown = everything & ~(truth[0] | truth[1])
        elif truth:
            broken, unknown = everything, 0
        else:
            broken, unknown = 0, everything
        if broken or unknown:
            found.append(_Found(of, broken, unknown))
    return found


def _sparse(of: _Of, plan: Plan, asking: Asking) -> _Found | None:
    """Return where a rule about items of a sparse range is broken or unknown, person by person."""
    if not plan.settled[of.number]:
        return _by_person(of, plan, asking)
    if of.number not in asking.settled:
        asking.settled[of.number] = _by_person(of, plan, asking)
    found = asking.settled[of.number]
    assert found is None or isinstance(found, _Found)
    return found


def _by_person(of: _Of, plan: Plan, asking: Asking) -> _Found | None:
    """Return the worst that any entry about a person comes to, and where a list may not be whole."""
    full = asking.table.shape.full
    persons: dict[tuple[str, ...], tuple[int, int]] = {}
    for entry, truth in asking.each(of.about, plan.broken[of.number]):
        true, may = possible(truth, entry.lanes)
        about = entry.item.about
        earlier = persons.get(about, (0, 0))
        broken = earlier[0] | true
        persons[about] = broken, (earlier[1] | may) & ~broken
    unlisted = full & ~plan.whole(of.about)(asking) if of.about in LIST_KNOWN_BY else 0
    broken = unknown = 0
    for true, may in persons.values():
        broken |= true
        unknown |= may
    if not (broken or unknown or unlisted):
        return None
    return _Found(of, broken, unknown | unlisted, persons, unlisted)


class Ranking:
    """The answer to one question, best first; all its sequences are in the same order.

    Attributes:
        asking: The question as it was put to the columns.
        applicant: The applicant asked about, or None if applicants are ranked.
        unit: The unit asked about, or None if units are ranked.
    """

    def __init__(
        self,
        rankings: Rankings,
        plan: Plan,
        asking: Asking,
        listing: _Listing,
        *,
        applicant: str | None = None,
        unit: str | None = None,
    ) -> None:
        self.asking = asking
        self.applicant = applicant
        self.unit = unit
        self._rankings = rankings
        self._plan = plan
        self._listing = listing
        self._by_about: dict[Range, dict[tuple[str, ...], list[Entry]]] = {}
        self._found = _evaluate(rankings.weighty, plan, asking)
        key = self._keys()
        key.sort()
        self.places = key & (MAX_LANES - 1)
        """Places in the listing inside a rank, best first."""
        self._worth = key >> _PLACE_BITS

    def _keys(self) -> NDArray[np.int64]:
        """Return one number for each lane: verdict, then cost, then its place in the listing."""
        table = self.asking.table
        shape = table.shape
        lanes_by_verdict = [0] * len(_VERDICTS)
        members_by_verdict = [0] * len(_VERDICTS)
        planes: list[int] = []
        weights: list[int] = []
        shared: list[tuple[_Found, list[int]]] = []
        for found in self._found:
            of = found.of
            verdicts = members_by_verdict if of.about is Range.RESIDENT else lanes_by_verdict
            verdicts[of.broken] |= found.broken
            verdicts[of.unknown] |= found.unknown
            if not of.cost or not found.broken:
                continue
            if of.about is Range.RESIDENT:
                digits = count(shape.slots(found.broken))
                if of.shared:
                    shared.append((found, digits))
                    continue
            elif found.persons is None:
                digits = [found.broken]
            else:
                for lanes, weight in _costs(found, self.asking):
                    planes.append(lanes)
                    weights.append(weight << _PLACE_BITS)
                continue
            for place, digit in enumerate(digits):
                planes.append(digit)
                weights.append(of.cost << (place + _PLACE_BITS))
        worse = 0
        for verdict in range(len(_VERDICTS) - 1, 0, -1):
            lanes = lanes_by_verdict[verdict] | shape.any(members_by_verdict[verdict])
            planes.append(lanes & ~worse)
            weights.append(verdict << (_PLACE_BITS + _COST_BITS))
            worse |= lanes
        digits_of = [plane for _, digits in shared for plane in digits]
        bits = unpack([*planes, *digits_of], shape.lanes)
        keys: NDArray[np.int64] = np.einsum("p,pl->l", np.array(weights, np.int64), bits[: len(planes)])
        keys += self._listing.places
        row = len(planes)
        for found, digits in shared:
            numbers = bits[row].astype(np.int64)
            for place in range(1, len(digits)):
                numbers += bits[row + place].astype(np.int64) << place
            numbers *= self._rankings.cost_by_lane(found.of, self.asking)
            keys += numbers << _PLACE_BITS
            row += len(digits)
        return keys

    @cached_property
    def ids(self) -> list[str]:
        """Units, or applicants."""
        return self._listing.ids[self.places].tolist()  # type: ignore[no-any-return]

    @cached_property
    def verdicts(self) -> NDArray[np.int64]:
        """Verdicts as numbers of :class:`Verdict`."""
        return self._worth >> _COST_BITS

    @cached_property
    def scores(self) -> NDArray[np.int64]:
        """Scores: 100 and what is deducted."""
        return BASE_SCORE - (self._worth & ((1 << _COST_BITS) - 1))

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """Ranks from 1; those that are equal share one."""
        first = np.ones(len(self._worth), np.bool_)
        first[1:] = self._worth[1:] != self._worth[:-1]
        return np.maximum.accumulate(np.where(first, np.arange(1, len(first) + 1), 0))

    @cached_property
    def _everything(self) -> list[_Found]:
        """Where any rule is broken or unknown, those that only note included, in the order of the rules."""
        notes = _evaluate(self._rankings.notes, self._plan, self.asking)
        return sorted((*self._found, *notes), key=lambda found: found.of.number)

    @property
    def broken(self) -> list[tuple[str, ...]]:
        """Ids of the rules that are broken for somebody there."""
        return self._names[0]

    @property
    def unknown(self) -> list[tuple[str, ...]]:
        """Ids of the rules that are unknown for somebody there."""
        return self._names[1]

    @cached_property
    def _names(self) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        """Return the ids of broken rules, and of unknown ones, for each lane."""
        shape = self.asking.table.shape
        residents = [found for found in self._everything if found.of.about is Range.RESIDENT]
        others = [found for found in self._everything if found.of.about is not Range.RESIDENT]
        planes = [plane for found in others for plane in (found.broken, found.unknown)]
        of_members = [plane for found in residents for plane in (found.broken, found.unknown)]
        rows = np.concatenate([packed(planes, shape.lanes), shape.any_of(of_members)])
        bits = unpack_rows(rows, shape.lanes)
        numbers = np.array([found.of.number for found in (*others, *residents)], np.uint64)
        lanes = self._listing.lanes[self.places]
        return self._named(numbers, bits[::2], lanes), self._named(numbers, bits[1::2], lanes)

    def _named(
        self, numbers: NDArray[np.uint64], bits: NDArray[np.uint8], lanes: NDArray[np.int64]
    ) -> list[tuple[str, ...]]:
        """Return the ids of the rules whose bits are set, for each lane."""
        names: list[tuple[str, ...]] = [()] * len(lanes)
        for word, known in enumerate(self._rankings.names):
            here = numbers >> np.uint64(6) == word
            weights = np.uint64(1) << (numbers[here] & np.uint64(63))
            masks = np.einsum("p,pl->l", weights, bits[here])[lanes].tolist()
            of_word = map(known.__getitem__, masks)
            names = list(map(operator.add, names, of_word)) if word else list(of_word)
        return names

    def lines(self) -> list[Line]:
        """Return id, rank, verdict, score, broken and unknown rules of each, best first."""
        numbers = (self.ranks.tolist(), self.verdicts.tolist(), self.scores.tolist())
        return list(zip(self.ids, *numbers, self.broken, self.unknown, strict=True))

    def rows(self, first: int | None = None) -> list[Row]:
        """Return lines by name, best first: all, or the first so many."""
        return [
            Row(name, rank, _VERDICTS[verdict], score, broken, unknown)
            for name, rank, verdict, score, broken, unknown in self.lines()[:first]
        ]

    def briefs(self, first: int | None = None) -> list[list[Brief]]:
        """Return what is broken or unknown, for all or the first so many, in scoring's order."""
        return self._details(first, _brief)

    def to_json(self, first: int | None = None) -> bytes:
        """Return entries as a JSON list: all, or the first so many, with what is broken or unknown of each.

        An entry has `rank`, `id`, `verdict`, `score` and `findings`; a finding has `rule`, `outcome`,
        `effect`, `points`, `could_cost` and `about`.
        """
        columns = zip(
            self.ranks[:first].tolist(),
            map(self._rankings.name_json.__getitem__, self.ids[:first]),
            map(_VERDICT_JSON.__getitem__, self.verdicts[:first].tolist()),
            self.scores[:first].tolist(),
            map(b",".join, self._details(first, _fragment)),
            strict=True,
        )
        line = b'{"rank":%d,"id":%s,"verdict":%s,"score":%d,"findings":[%s]}'
        return b"[%s]" % b",".join([line % entry for entry in columns])

    def _details(self, first: int | None, make: Make[T]) -> list[list[T]]:
        """Return the findings of each lane, best first.

        Each finding is first a number: place in the answer, then rule and outcome, then who it is about. To
        sort the numbers is to list the findings; and what follows the first part stands for a finding made
        earlier.

        Args:
            first: How many lanes, or None for all.
            make: Makes a finding of a rule, 0 if broken or 1 if unknown, what it costs, and about whom.
        """
        table = self.asking.table
        shape = table.shape
        lanes = self._listing.lanes[self.places[:first]]
        of_lanes: list[tuple[int, int]] = []
        of_members: list[tuple[int, int]] = []
        apart: dict[int, T] = {}
        for found in self._everything:
            broken, unknown = found.broken, found.unknown
            if found.persons is not None:
                apart.update(self._apart(found, lanes, make))
                broken, unknown = 0, 0 if found.of.shared else found.unlisted
            head = found.of.number << 1
            planes = of_members if found.of.about is Range.RESIDENT else of_lanes
            planes.extend((head | bit, plane) for bit, plane in ((0, broken), (1, unknown)) if plane)
        order = np.arange(len(lanes))
        numbers = [np.array(list(apart), np.int64)]
        if of_lanes:
            numbers.append(_numbers(of_lanes, shape.lanes, lanes, order, order * 0))
        if of_members:
            places = table.members_of(lanes)
            at = np.empty(shape.lanes, np.int64)
            at[lanes] = order
            numbers.append(_numbers(of_members, shape.width, places, at[shape.lane_of[places]], places + 1))
        ordered = np.concatenate(numbers)
        ordered.sort()
        keys = ordered & ((1 << _AT_SHIFT) - 1)
        single = np.searchsorted(ordered, numbers[0])
        keys[single] = 0  # whatever that stands for: these are put in below
        made = self._made(make)
        details = list(map(made.__getitem__, keys.tolist()))
        for place, one in zip(single.tolist(), apart.values(), strict=True):
            details[place] = one
        ends = np.searchsorted(ordered, (order + 1) << _AT_SHIFT).tolist()
        return [details[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def _made(self, make: Make[T]) -> _Made[T]:
        """Return findings made earlier; of a question with somebody left out nothing is kept."""
        asking, rankings = self.asking, self._rankings
        if asking.left_out or asking.table is not rankings.table:
            return _Made(rankings, asking, make)
        kept = asking.table.made
        if make.__name__ not in kept:
            kept[make.__name__] = _Made(rankings, asking, make)
        return cast("_Made[T]", kept[make.__name__])

    def _apart(self, found: _Found, lanes: NDArray[np.int64], make: Make[T]) -> Iterable[tuple[int, T]]:
        """Yield the numbers and findings of persons in a sparse range."""
        shared = _sparse_costs(found.of, self.asking) if found.of.shared else None
        for at, persons in self._persons(found, lanes).items():
            cost = found.of.cost if shared is None else int(shared[lanes[at]])
            for place, (outcome, about) in enumerate(persons, start=1):
                number = at << _AT_SHIFT | (found.of.number << 1 | outcome) << _HEAD_SHIFT | place
                yield number, make(found.of, outcome, cost, about)

    def _persons(
        self, found: _Found, lanes: NDArray[np.int64]
    ) -> dict[int, list[tuple[int, tuple[str, ...]]]]:
        """Return, by place in the answer, outcome and about whom; in the order of scoring's findings."""
        assert found.persons is not None
        names = list(found.persons)
        planes = [plane for pair in found.persons.values() for plane in pair]
        planes.append(found.unlisted if found.of.shared else 0)
        bits = unpack_at(planes, self.asking.table.shape.lanes, lanes)
        number, at_each = np.nonzero(bits.view(np.bool_))
        answer: dict[int, list[tuple[int, tuple[str, ...], tuple[str, ...]]]] = {}
        for place, at in zip(number.tolist(), at_each.tolist(), strict=True):
            person, outcome = divmod(place, 2)
            if person == len(names):
                answer.setdefault(at, []).append((1, (), ()))
                continue
            bit = 1 << int(lanes[at])
            entries = self._entries_about(found.of.about, names[person])
            contents = sorted(entry.item.content for entry in entries if entry.lanes & bit)
            answer.setdefault(at, []).append((outcome, tuple(contents), names[person]))
        return {
            at: [(outcome, about) for outcome, _, about in sorted(persons)] for at, persons in answer.items()
        }

    def _entries_about(self, over: Range, about: tuple[str, ...]) -> Sequence[Entry]:
        """Return the entries of a sparse range that are about one person."""
        if over not in self._by_about:
            of_range: dict[tuple[str, ...], list[Entry]] = {}
            for entry in self.asking.entries.get(over, ()):
                of_range.setdefault(entry.item.about, []).append(entry)
            self._by_about[over] = of_range
        return self._by_about[over][about]

    def findings(self, identifier: str) -> tuple[Finding, ...]:
        """Return the findings about one unit, or applicant, in full: exactly scoring's.

        Raises:
            KeyError: It is not in the ranking.
        """
        if identifier not in self.ids:
            raise KeyError(identifier)
        return self._rankings.findings([self._pair(identifier)])[0]

    def all_findings(self, first: int | None = None) -> list[tuple[Finding, ...]]:
        """Return the findings in full about all, or the first so many."""
        return self._rankings.findings([self._pair(name) for name in self.ids[:first]])

    def _pair(self, identifier: str) -> tuple[str, str]:
        return self.applicant or identifier, self.unit or identifier


def _costs(found: _Found, asking: Asking) -> Iterable[tuple[int, int]]:
    """Yield lanes and what they cost, for a rule about the persons of a sparse range."""
    assert found.persons is not None
    if not found.of.shared:
        digits = count(broken for broken, _ in found.persons.values())
        yield from ((digit, found.of.cost << place) for place, digit in enumerate(digits))
        return
    costs = _sparse_costs(found.of, asking)
    for broken, _ in found.persons.values():
        for cost in sorted(set(costs.tolist())):
            lanes = broken & pack(costs == cost)
            if lanes:
                yield lanes, cost


def _sparse_costs(of: _Of, asking: Asking) -> NDArray[np.int64]:
    """Return what one broken finding costs in each lane, where the cost is shared among persons."""
    by_person: dict[tuple[str, ...], int] = {}
    for entry in asking.entries.get(of.about, ()):
        by_person[entry.item.about] = by_person.get(entry.item.about, 0) | entry.lanes
    lanes = asking.table.shape.lanes
    persons = (
        unpack(list(by_person.values()), lanes).sum(axis=0, dtype=np.int64)
        if by_person
        else np.zeros(lanes, np.int64)
    )
    return of.by_size(persons)


class _Listing:
    """In which order lanes are listed inside a rank.

    Args:
        ids: What each lane is called.
        order: Lanes in the order of the listing.
    """

    def __init__(self, ids: Sequence[str], order: Sequence[int]) -> None:
        self.lanes = np.array(order, np.int64)
        self.places = np.empty(len(order), np.int64)
        self.places[self.lanes] = np.arange(len(order))
        self.ids = np.array([ids[lane] for lane in order], np.object_)


class Rankings:
    """A case and a policy in columns.

    Safe to ask from several threads at once, but not while :meth:`update` runs.

    Args:
        facts: The case.
        policy: The policy.
        units: Ids of the units to rank; those that are not lived in if None.

    Raises:
        KeyError: There is no such unit.
        ValueError: More units or applicants than :data:`MAX_LANES`.
    """

    def __init__(self, facts: CaseFacts, policy: Policy, units: Iterable[str] | None = None) -> None:
        self.facts = facts
        self.policy = policy
        self.rules = policy.active(facts.as_of)
        self.numbered = [_Of(number, bound) for number, bound in enumerate(self.rules)]
        self.weighty = [of for of in self.numbered if of.bound.effect is not Effect.NOTE]
        self.notes = [of for of in self.numbered if of.bound.effect is Effect.NOTE]
        self._by_units = self._plan(UNIT_SIDE)
        ids = [bound.id for bound in self.rules]
        self.names = [_Names(ids[start : start + 64]) for start in range(0, len(ids), 64)]
        self.name_json = _NamesJson()
        self._costs: dict[tuple[int, int], NDArray[np.int64]] = {}
        chosen = (
            units
            if units is not None
            else (
                identifier
                for identifier, place in facts.places.items()
                if place.unit.status is not UnitStatus.OCCUPIED
            )
        )
        self._lay_out(sorted(set(chosen)))

    def _plan(self, columns: frozenset[str]) -> Plan:
        """Return the rules compiled for columns of one side; a policy's are compiled once."""
        of_policy = _plans.setdefault(self.policy, {})
        key = (columns, tuple(bound.id for bound in self.rules))
        if key not in of_policy:
            of_policy[key] = Plan(self.rules, columns)
        return of_policy[key]

    def _lay_out(self, units: Sequence[str]) -> None:
        if max(len(units), len(self.facts.applicants)) > MAX_LANES:
            raise ValueError(f"at most {MAX_LANES} units or applicants in one ranking")
        self.table = UnitsTable(self._by_units, self.facts, [self.facts.places[unit] for unit in units])
        ids = [place.unit.id for place in self.table.places]
        self._listing = _Listing(ids, sorted(range(len(ids)), key=ids.__getitem__))
        self._asked: dict[str, Asking] = {}
        self._costs.clear()

    def units_for(self, applicant: str) -> Ranking:
        """Rank the units for an applicant.

        Raises:
            KeyError: There is no such applicant.
        """
        known = self._asked.get(applicant)
        if known is None:
            known = self._asked[applicant] = self._asking(self.facts.applicants[applicant])
        return Ranking(self, self._by_units, known.again(), self._listing, applicant=applicant)

    def _asking(self, applicant: Applicant) -> Asking:
        table = self.table
        fixed = table.fixed(applicant)
        lanes = [lane for scheme in self.facts.touched(applicant) for lane in table.in_scheme.get(scheme, ())]
        return Asking(
            table=table,
            constants=self._by_units.constants(fixed),
            facts=fixed,
            entries=_entries(
                (lane, self.facts.candidate(applicant.id, table.places[lane].unit.id))
                for lane in sorted(lanes)
            ),
            choices=table.choices(applicant),
            left_out=table.own_entry(applicant),
        )

    def applicants_for(self, unit: str) -> Ranking:
        """Rank the applicants for a unit, whoever lives there; inside a rank by days waited.

        Raises:
            KeyError: There is no such unit.
        """
        facts, plan = self.facts, self._plan(APPLICANT_SIDE)
        place = facts.places[unit]
        table = ApplicantsTable(plan, facts, list(facts.applicants.values()), place)
        near = (
            (lane, facts.candidate(applicant.id, unit))
            for lane, applicant in enumerate(table.applicants)
            if place.scheme.id in facts.touched(applicant)
        )
        fixed = table.fixed()
        asking = Asking(
            table=table,
            constants=plan.constants(fixed),
            facts=fixed,
            entries=_entries(near),
            choices=table.choices(),
            left_out=table.own_entries(),
        )
        ids = [applicant.id for applicant in table.applicants]
        waited = [(applicant.waiting_since.isoformat(), applicant.id) for applicant in table.applicants]
        listing = _Listing(ids, sorted(range(len(ids)), key=waited.__getitem__))
        return Ranking(self, plan, asking, listing, unit=unit)

    def findings(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[Finding, ...]]:
        """Return the findings about applicants in units, in full.

        Raises:
            KeyError: There is no such applicant or unit.
        """
        candidates = [self.facts.candidate(*pair) for pair in pairs]
        judgements = engine(ENGINE, self.policy, self.facts.as_of).judge(candidates)
        return [
            findings(candidate, self.rules, judgement)
            for candidate, judgement in zip(candidates, judgements, strict=True)
        ]

    def update(self, person: Applicant | Resident) -> None:
        """Take over what is now known of one person, in place.

        Raises:
            KeyError: No such person is in the case.
            ValueError: It changes where somebody lives; then the case must be laid out anew.
        """
        self.facts = self.table.source = self.facts.replaced(person)
        if isinstance(person, Applicant):
            self._asked.pop(person.id, None)
            return
        group = self.facts.group_of(person.id)
        members = listed(self.facts.everyone_in(group))
        for lane in self.table.in_group.get(group.id, ()):
            self.table.put_members(lane, members)
        self._asked = {name: asking for name, asking in self._asked.items() if not asking.left_out}

    # -- what rankings share

    def cost_by_lane(self, of: _Of, asking: Asking) -> NDArray[np.int64]:
        """Return what one broken finding costs in each lane, for points that are shared."""
        if of.about in SPARSE:
            return _sparse_costs(of, asking)
        if asking.left_out or asking.table is not self.table:
            return of.by_size(asking.sizes())
        key = (of.number, id(asking.table))
        if key not in self._costs:
            self._costs[key] = of.by_size(asking.sizes())
        return self._costs[key]


class _Names(dict[int, tuple[str, ...]]):
    """The ids of rules by a word of bits."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self._ids = ids

    def __missing__(self, mask: int) -> tuple[str, ...]:
        if len(self) >= _KEPT:
            self.clear()
        names, rest = [], mask
        while rest:
            lowest = rest & -rest
            names.append(self._ids[lowest.bit_length() - 1])
            rest ^= lowest
        found = self[mask] = tuple(names)
        return found


class _NamesJson(dict[str, bytes]):
    """Ids as JSON."""

    def __missing__(self, identifier: str) -> bytes:
        found = self[identifier] = orjson.dumps(identifier)
        return found


class _Made(dict[int, T]):
    """Findings by their numbers, made when they are first asked for."""

    def __init__(self, rankings: Rankings, asking: Asking, make: Make[T]) -> None:
        super().__init__()
        self._rankings = rankings
        self._asking = asking
        self._make = make

    def __missing__(self, number: int) -> T:
        head, place = number >> _HEAD_SHIFT, number & ((1 << _HEAD_SHIFT) - 1)
        of = self._rankings.numbered[head >> 1]
        table = self._asking.table
        cost = of.cost
        about: tuple[str, ...] = ()
        if place:
            about = table.about[place - 1]
            if of.shared:
                cost = int(self._rankings.cost_by_lane(of, self._asking)[table.shape.lane_of[place - 1]])
        if len(self) >= _KEPT:
            self.clear()
        made = self[number] = self._make(of, head & 1, cost, about)
        return made


def _brief(of: _Of, outcome: int, cost: int, about: tuple[str, ...]) -> Brief:
    points, could_cost = (0, -cost) if outcome else (-cost, 0)
    return Brief(of.bound.id, _OUTCOMES[outcome], points, could_cost, about)


def _fragment(of: _Of, outcome: int, cost: int, about: tuple[str, ...]) -> bytes:
    made = _brief(of, outcome, cost, about)._asdict()
    return orjson.dumps({**made, "effect": of.bound.effect.code})


def _numbers(
    planes: Sequence[tuple[int, int]],
    width: int,
    columns: NDArray[np.int64],
    at: NDArray[np.int64],
    places: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the numbers of findings.

    Args:
        planes: Rule and outcome, and the lanes or members.
        width: How many lanes or members the planes have.
        columns: The lanes or members that are asked for.
        at: The place of each in the answer.
        places: What tells each apart from others of its lane; 0 for the lane itself.
    """
    bits = unpack_at([plane for _, plane in planes], width, columns)
    plane, column = np.nonzero(bits.view(np.bool_))
    heads = np.array([head << _HEAD_SHIFT for head, _ in planes], np.int64)
    return (at << _AT_SHIFT | places)[column] | heads[plane]


_plans: WeakKeyDictionary[Policy, dict[tuple[frozenset[str], tuple[str, ...]], Plan]] = WeakKeyDictionary()

_KEPT = 1 << 18
"""Entries kept of what is written again and again."""


def _entries(near: Iterable[tuple[int, Candidate]]) -> dict[Range, list[Entry]]:
    """Return the sparse items of candidates; an item that is the same in several lanes is one entry."""
    lanes: dict[Range, dict[tuple[tuple[str, ...], str, int], tuple[Item, int]]] = {
        over: {} for over in SPARSE
    }
    for lane, candidate in near:
        for over in SPARSE:
            same: Counter[tuple[tuple[str, ...], str]] = Counter()
            for item in candidate.items(over):
                alike = (item.about, item.content)
                key = (*alike, same[alike])
                same[alike] += 1
                first, seen = lanes[over].get(key, (item, 0))
                lanes[over][key] = first, seen | 1 << lane
    return {over: [Entry(item, seen) for item, seen in found.values()] for over, found in lanes.items()}
