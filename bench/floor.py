"""The floor: the twelve rules written by hand over NumPy bit planes, for this workload and nothing else.

A plane has one word for each unit and one bit in it for each resident: one pass over a few words a unit
answers for everybody who lives there. Three values are two planes, *certainly* and *at least possibly*. No
rule is data here and nothing can be changed; this is what the work costs when nobody has to maintain it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.scoring import BASE_SCORE, Verdict
from bench.encoded import BARS, BIT, NAMES, YES, Encoded, EncodedApplicant, Numbers
from bench.workload import POINTS, Case, Row

Words = NDArray[Any]
Arrays = tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.int16], NDArray[np.uint16], NDArray[np.uint16]]
"""Place of the unit, verdict, score, rules broken, rules unknown; best first."""

_FACTS = ("st", "op", "yo", "ol", "vu", "hi")
_CROSSED = (
    ("pair-substance", ("st", "op")),
    ("pair-age", ("yo", "ol")),
    ("pair-harm", ("vu", "hi")),
)
_WORD = ("req", "ful", "nlg", "off", None, "siz", "vis", "mix")
"""Facts of a unit by their bit in its word, in the order of the rules; `mix` belongs to the first too."""

_STAY = np.uint16(16)
_SHIFT = 5
_MASKS = 1 << len(BIT)


def lanes(residents: int) -> type[np.unsignedinteger[Any]]:
    """Return a word with a bit for each resident of the largest living group.

    Raises:
        ValueError: There is no word that wide.
    """
    for kind, bits in ((np.uint16, 16), (np.uint32, 32), (np.uint64, 64)):
        if residents <= bits:
            return kind
    raise ValueError("living groups of at most 64 residents")


def _word(values: Numbers) -> int:
    word = 0
    for bit, name in enumerate(_WORD):
        if name is not None:
            word |= (values[name] == YES) << bit | (values[name] > 0) << (bit + 8)
    return word


class Peer:
    """The bit planes of one case."""

    def __init__(self, case: Case, encoded: Encoded | None = None) -> None:
        encoded = encoded or Encoded(case)
        self._encoded = encoded
        units = encoded.units
        self.names = [unit.id for unit in units]
        self.word = lanes(max(len(unit.residents) for unit in units))
        size = len(units)
        gender = [[0] * size for _ in range(3)]
        planes = {(fact, sure): [0] * size for fact in _FACTS for sure in (True, False)}
        self._at: dict[str, int] = {}
        for place, unit in enumerate(units):
            for bit, (name, numbers) in enumerate(zip(unit.names, unit.people, strict=True)):
                self._at[name] = place
                gender[numbers["g"]][place] |= 1 << bit
                for fact in _FACTS:
                    if value := numbers[fact]:
                        planes[fact, False][place] |= 1 << bit
                        if value == YES:
                            planes[fact, True][place] |= 1 << bit
        self._gender = np.array(gender, self.word)
        self._planes = {key: np.array(plane, self.word) for key, plane in planes.items()}
        self._units = np.array([_word(unit.facts) for unit in units], np.uint16)
        self._max_stay = np.array([unit.facts["mst"] for unit in units], np.int16)
        self._stay_unknown = self._max_stay < 0
        self._place = np.arange(size)
        self._all = np.bitwise_or.reduce(self._gender)
        self._broken_verdict = np.array([_worst(mask, broken=True) for mask in range(_MASKS)], np.int8)
        self._unknown_verdict = np.array([_worst(mask, broken=False) for mask in range(_MASKS)], np.int8)

    def arrays(self, applicant: str) -> Arrays:
        """Rank all units: the arrays of the answer, sorted. The applicant is made ready anew each time."""
        found = self._encoded.applicant(applicant)
        word, mine = _applicant_word(found), found.person
        at = self._at
        enemies = [at[who] for who in found.enemies if who in at]
        of_gender, count = self._gender, np.bitwise_count
        if mine["g"]:
            differs, perhaps = of_gender[3 - mine["g"]], of_gender[0]
            broken = (differs != 0).astype(np.uint16)
            cost = count(differs) * np.int16(POINTS["pair-gender"])
            unknown = (perhaps != 0).astype(np.uint16)
        else:
            broken = np.zeros(len(self._place), np.uint16)
            cost = np.zeros(len(self._place), np.int16)
            unknown = (self._all != 0).astype(np.uint16)
        broken[enemies] |= np.uint16(BIT["pair-enemies"])
        if found.unit["una"]:
            unknown |= np.uint16(BIT["pair-enemies"])
        for rule, (one, other) in _CROSSED:
            self._crossed(rule, mine, (one, other), (broken, unknown, cost))
        self._unit_rules(found.unit["sta"], word, broken, unknown, cost)
        verdicts = np.maximum(self._broken_verdict[broken], self._unknown_verdict[unknown])
        key = verdicts.astype(np.int64) << 48 | cost.astype(np.int64) << 32 | self._place
        key.sort()
        order = key & 0xFFFFFFFF
        score = np.int16(BASE_SCORE) - cost
        return order, verdicts[order], score[order], broken[order], unknown[order]

    def _crossed(
        self,
        rule: str,
        mine: Numbers,
        facts: tuple[str, str],
        answer: tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.int16]],
    ) -> None:
        """Add a rule where one fact of the applicant meets the other of a resident, either way round."""
        planes, bit = self._planes, np.uint16(BIT[rule])
        (one, other), (broken, unknown, cost) = facts, answer
        sure: Words | None = None
        maybe: Words | None = None
        for here, there in ((one, other), (other, one)):
            if mine[here] == YES:
                sure = planes[there, True] if sure is None else sure | planes[there, True]
            if mine[here]:
                maybe = planes[there, False] if maybe is None else maybe | planes[there, False]
        if maybe is None:
            return
        if sure is not None:
            broken |= (sure != 0) * bit
            points = POINTS.get(rule)
            if points:
                cost += np.bitwise_count(sure) * np.int16(points)
            maybe = maybe & ~sure
        unknown |= (maybe != 0) * bit

    def _unit_rules(
        self,
        stay: int,
        word: np.uint16,
        broken: NDArray[np.uint16],
        unknown: NDArray[np.uint16],
        cost: NDArray[np.int16],
    ) -> None:
        met: Words = self._units & word
        sure: Words = met & np.uint16(0xFF)
        maybe: Words = met >> 8
        sure = (sure | sure >> 7) & np.uint16(0x7F)
        maybe = (maybe | maybe >> 7) & np.uint16(0x7F)
        if stay < 0:
            maybe |= _STAY
        else:
            longer = (self._max_stay < stay) * _STAY
            sure |= longer * ~self._stay_unknown
            maybe |= longer | self._stay_unknown * _STAY
        cost += ((sure >> 1) & 1) * np.int16(POINTS["group-risk"])
        broken |= sure << _SHIFT
        unknown |= (maybe & ~sure) << _SHIFT

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units: a row for each, with the ids of the rules."""
        order, verdicts, scores, broken, unknown = self.arrays(applicant)
        names, rules = self.names, NAMES
        return [
            (names[place], verdict, score, rules[certain], rules[possible])
            for place, verdict, score, certain, possible in zip(
                order.tolist(),
                verdicts.tolist(),
                scores.tolist(),
                broken.tolist(),
                unknown.tolist(),
                strict=True,
            )
        ]


def _applicant_word(found: EncodedApplicant) -> np.uint16:
    """Return what the applicant brings to the word of a unit, bit by bit."""
    mine = found.unit
    meets = {
        "req": mine["nrp"],
        "ful": mine["ari"],
        "nlg": mine["nli"],
        "off": mine["ngr"],
        "siz": YES,
        "vis": mine["avi"],
        "mix": mine["arp"],
    }
    return np.uint16(_word(meets))


def _worst(mask: int, *, broken: bool) -> int:
    if mask & BARS:
        return int(Verdict.BLOCKED if broken else Verdict.NEEDS_CLARIFICATION)
    return int(Verdict.SUITABLE_WITH_REMARKS if mask else Verdict.SUITABLE)
