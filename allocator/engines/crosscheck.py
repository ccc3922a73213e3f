"""Two engines decide, and only what they agree on is answered.

:class:`Checked` is the engine of record with a second reader of the same rules beside it. Every candidate is
judged by both: the outcome of every rule for every member, and every remark. Where they differ nothing is
answered, because nobody can tell from here which of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from allocator.engines import Engine, EngineError, Judgement
from allocator.facts import Candidate


class DisagreementError(EngineError):
    """Two engines disagree. Names rules and engines, and nothing of the case.

    Attributes:
        rules: Ids of the rules that they disagree about, sorted.
        candidates: How many candidates they disagree about.
        engines: Name -> version of the engine of record and of the second one.
    """

    def __init__(self, rules: tuple[str, ...], candidates: int, engines: Mapping[str, str]) -> None:
        super().__init__(f"{' and '.join(engines)} disagree about {', '.join(rules)}")
        self.rules = rules
        self.candidates = candidates
        self.engines = engines


class Observer(Protocol):
    """Is told how much is judged and checked; counts, and nothing of what was judged."""

    def judged(self, engine: str, candidates: int) -> None:
        """Take note that an engine has judged so many candidates."""

    def checked(self, candidates: int, disagreeing: int) -> None:
        """Take note that so many candidates were judged by two engines, and how many they disagree about."""


class Unobserved:
    """Takes note of nothing."""

    def judged(self, engine: str, candidates: int) -> None:
        """Take no note."""

    def checked(self, candidates: int, disagreeing: int) -> None:
        """Take no note."""


class Checked:
    """An engine whose every answer a second one has come to as well. It goes by the first one's name.

    Both must be made for the same rules. They are asked at the same time, since one that decides in another
    process leaves this one free.

    Args:
        record: The engine that decides.
        second: The engine that it is checked against.
        observer: Is told how much is judged and checked.
    """

    def __init__(self, record: Engine, second: Engine, observer: Observer = Unobserved()) -> None:  # noqa: B008 - it holds nothing
        self.name = record.name
        self.version = record.version
        self._record = record
        self._second = second
        self._observer = observer

    def judge(self, candidates: Iterable[Candidate]) -> list[Judgement]:
        """Judge candidates, in the order given.

        Raises:
            DisagreementError: The engines disagree about a candidate; nothing is returned.
            EngineError: One of them could not answer; nothing is returned.
        """
        asked = list(candidates)
        with ThreadPoolExecutor(1) as beside:
            deciding = beside.submit(self._record.judge, asked)
            checking = self._seconded(asked)
            decided = deciding.result()
        self._observer.judged(self.name, len(asked))
        if isinstance(checking, EngineError):
            raise checking
        self._observer.judged(self._second.name, len(asked))
        different = [_different(one, other) for one, other in zip(decided, checking, strict=True)]
        self._observer.checked(len(asked), sum(map(bool, different)))
        if rules := frozenset().union(*different):
            engines = {engine.name: engine.version for engine in (self._record, self._second)}
            raise DisagreementError(tuple(sorted(rules)), sum(map(bool, different)), engines)
        return decided

    def _seconded(self, asked: list[Candidate]) -> list[Judgement] | EngineError:
        """Return what the second engine makes of it, or why there is nothing to compare with."""
        try:
            judgements = self._second.judge(asked)
        except Exception as error:  # noqa: BLE001 - its message may quote facts, so that only its kind is told
            reason = str(error) if isinstance(error, EngineError) else type(error).__name__
            return EngineError(f"{self._second.name} could not check: {reason}")
        if len(judgements) != len(asked):
            return EngineError(f"{self._second.name} could not check: its answer was not whole")
        return judgements


def _different(one: Judgement, other: Judgement) -> frozenset[str]:
    """Return the ids of the rules that two judgements of one candidate do not have alike."""
    if one == other:
        return frozenset()
    pairs: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = (
        (one.outcomes, other.outcomes),
        (one.remarks, other.remarks),
    )
    return frozenset(
        rule
        for left, right in pairs
        for rule in {*left, *right}
        if rule not in left or rule not in right or left[rule] != right[rule]
    )
