"""An answer of the engine as pages lay it out: what speaks for and against, what to ask, side by side.

Made of the answer that the reader gets and of nothing else, so a page can never say more than the answer.
Findings that say the same of several residents stand in one line, and a question is asked once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from allocator.explain import missing_text
from allocator.facts import Missing
from allocator.rules import RULES_BY_ID, TOPICS
from allocator.rules.language import Effect
from allocator.scoring import BROKEN_GIVES, UNKNOWN_GIVES, Verdict
from allocator.texts import Catalog, catalog

Told = Mapping[str, Any]

VERDICTS = tuple(verdict.code for verdict in Verdict)
"""Codes of verdicts, the best first."""

READ = 5
"""So many sentences against a unit are written out in a list; the rest are named."""

ORDER = tuple(TOPICS)
"""Topics of rules, in the order they are read."""

_TOPIC_OF = {rule.id: topic for topic, rules in TOPICS.items() for rule in rules}

_GIVES = {
    **{("broken", effect.code): verdict for effect, verdict in BROKEN_GIVES.items()},
    **{("unknown", effect.code): verdict for effect, verdict in UNKNOWN_GIVES.items()},
    **{("kept", effect.code): Verdict.SUITABLE for effect in Effect},
}

_NEEDS = {"applicant.needs": "Need", "applicant.services": "Service"}
_WISHED = "choice.wished"


@dataclass(frozen=True)
class Line:
    """What one rule found, of the unit or of one or several residents of whom it says the same.

    Attributes:
        rule: Id of the rule; it has no title where not even that is shown.
        outcome: ``kept``, ``broken`` or ``unknown``.
        effect: What it leads to when it is broken.
        said: The sentence, about the first of them.
        sides: Both sides of the evidence behind it, where it points both ways.
        change: What would have to change.
        about: Whom it is about.
        points: What it costs now, all of them together.
        could_cost: What it would cost if what is unknown turned out broken.
        overridable: Whether the committee may decide against it.
        reason: It moved the verdict.
        source: Where the rule comes from.
    """

    rule: str
    outcome: str
    effect: str
    said: str
    sides: tuple[str, str] | None = None
    change: str | None = None
    about: tuple[str, ...] = ()
    points: int = 0
    could_cost: int = 0
    overridable: bool = True
    reason: bool = False
    source: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict that it gives by itself."""
        return _GIVES[self.outcome, self.effect]


@dataclass(frozen=True)
class Named:
    """Rules of which the outcome and the effect are the same, by name, each with what it costs.

    Attributes:
        outcome: ``broken`` or ``unknown``.
        effect: What they lead to when they are broken.
        rules: Ids of the rules, with points.
    """

    outcome: str
    effect: str
    rules: Mapping[str, int]


@dataclass(frozen=True)
class Cell:
    """What the rules of one topic come to: the worst of them, and what they cost."""

    verdict: str
    points: int
    could_cost: int


@dataclass(frozen=True)
class For:
    """What speaks for a unit.

    Attributes:
        wished: The applicant has asked for the place.
        needs: Needs and services that it meets, as names of code lists and codes.
        topics: Topics of which every rule is kept.
    """

    wished: bool
    needs: tuple[tuple[str, str], ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One unit of an answer, or one applicant.

    Attributes:
        told: What the answer says of it.
        name: The unit's id; in an answer about a unit, the applicant's.
        words: Sentences in the reader's language.
    """

    told: Told
    name: str
    words: Catalog = field(repr=False)

    @property
    def unit(self) -> str:
        """The unit."""
        return str(self.told["unit"])

    @property
    def rank(self) -> int:
        """Its place; equal ones share it."""
        return int(self.told["rank"])

    @property
    def verdict(self) -> str:
        """The verdict's code."""
        return str(self.told["verdict"])

    @property
    def barred(self) -> bool:
        """Whether it is not placed there as things stand."""
        return self.verdict == Verdict.BLOCKED.code

    @property
    def score(self) -> int | None:
        """The sum of points; None where none may be shown."""
        score: int | None = self.told["score"]
        return score

    @property
    def worst(self) -> int | None:
        """The sum if everything unknown turned out broken."""
        worst: int | None = self.told["score_at_worst"]
        return worst

    @property
    def restricted(self) -> bool:
        """Whether nothing but the verdict may be shown."""
        return not self.told["findings"] and self.verdict != Verdict.SUITABLE.code

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """What is broken or unknown, the gravest first."""
        return lines([f for f in self.told["findings"] if f["outcome"] != "kept"], self.words)

    @cached_property
    def against(self) -> tuple[Line, ...]:
        """What speaks against it."""
        return tuple(line for line in self.lines if line.verdict is not Verdict.SUITABLE)

    @property
    def gravest(self) -> tuple[Line, ...]:
        """The gravest of that, as many as are read; of what is barred, what bars it."""
        worst = self.against[0].verdict
        shown = [line for line in self.against if not self.barred or line.verdict is worst]
        return tuple(shown[:READ])

    def briefly(self, said: int) -> tuple[Named, ...]:
        """Return what speaks against it, but for the first that are said in full, by name."""
        return named(self.against[said:])

    @cached_property
    def kept(self) -> tuple[Line, ...]:
        """What is kept."""
        return lines([f for f in self.told["findings"] if f["outcome"] == "kept"], self.words)

    @cached_property
    def costs(self) -> tuple[Line, ...]:
        """What costs points, or could."""
        return tuple(line for line in self.lines if line.points or line.could_cost)

    @cached_property
    def topics(self) -> Mapping[str, Cell]:
        """What each topic comes to; one of which nothing may be told, or nothing is asked, is missing."""
        worst: dict[str, Verdict] = {}
        points: Counter[str] = Counter()
        could: Counter[str] = Counter()
        for found in self.told["findings"]:
            topic = _TOPIC_OF.get(found["rule"])
            if topic is None:
                continue
            verdict = _GIVES[found["outcome"], found["effect"]]
            worst[topic] = max(worst.get(topic, Verdict.SUITABLE), verdict)
            points[topic] += found["points"] or 0
            could[topic] += found["could_cost"] or 0
        return {t: Cell(worst[t].code, points[t], could[t]) for t in TOPICS if t in worst}

    @cached_property
    def pros(self) -> For:
        """What speaks for it."""
        met: dict[str, None] = {}
        unmet: set[str] = set()
        wished = False
        for found in self.told["findings"]:
            kept = found["outcome"] == "kept"
            for path, value in found["facts"].items():
                if value is not True:
                    continue
                if path == _WISHED:
                    wished = wished or kept
                elif path.partition(":")[0] in _NEEDS:
                    if kept:
                        met[path] = None
                    else:
                        unmet.add(path)
        needs = (path.partition(":") for path in met if path not in unmet)
        good = Verdict.SUITABLE.code
        whole = (t for t, cell in self.topics.items() if cell.verdict == good and t != "contested")
        return For(wished, tuple((_NEEDS[base], code) for base, _, code in needs), tuple(whole))

    def fact(self, path: str) -> Any:
        """Return a fact that a finding has read; None if none has, or nobody knows."""
        return self.facts.get(path)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """The facts about no resident that findings have read."""
        found: dict[str, Any] = {}
        for finding in self.told["findings"]:
            if not finding["about"]:
                found |= {path: value for path, value in finding["facts"].items() if value is not None}
        return found

    @cached_property
    def applicant(self) -> Mapping[str, Any]:
        """Facts about the applicant that findings have read."""
        return self._of("applicant", self.told["findings"])

    def resident(self, name: str) -> Mapping[str, Any]:
        """Return the facts about a resident that findings have read."""
        return self._of("resident", [f for f in self.told["findings"] if f["about"] == [name]])

    @staticmethod
    def _of(subject: str, findings: Iterable[Told]) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for finding in findings:
            for path, value in finding["facts"].items():
                if path.startswith(f"{subject}.") and value is not None:
                    found[path.partition(".")[2]] = value
        return found


@dataclass(frozen=True)
class Question:
    """Something about the applicant that has to be asked, and how many units wait for it."""

    text: str
    entries: int


def entries(content: Told) -> tuple[Entry, ...]:
    """Return the entries of an answer, in its order."""
    words = catalog(content["language"])
    return tuple(
        Entry(told, str(told.get("applicant", told["unit"])), words) for told in content["suggestions"]
    )


def questions(listed: Sequence[Entry]) -> tuple[Question, ...]:
    """Return what has to be asked about the applicant, where it matters: in units that are not barred."""
    waiting: Counter[tuple[str, Missing]] = Counter()
    for entry in listed:
        asked: set[tuple[str, Missing]] = set()
        for found in () if entry.barred else entry.told["findings"]:
            if found["outcome"] == "unknown" and _GIVES["unknown", found["effect"]] is not Verdict.SUITABLE:
                asked.update((path, why) for path, why in _askable(found) if path.startswith("applicant."))
        waiting.update(asked)
    texts: Counter[str] = Counter()
    for (path, why), count in waiting.items():
        text = missing_text(listed[0].words, {path: why})
        texts[text] = max(texts[text], count)
    most_first = sorted(texts.items(), key=lambda question: (-question[1], question[0]))
    return tuple(Question(text, count) for text, count in most_first)


def by_verdict(listed: Iterable[Entry]) -> Mapping[str, int]:
    """Return how many entries there are of each verdict that there is, the best first."""
    found = Counter(entry.verdict for entry in listed)
    return {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}


def chosen(listed: Sequence[Entry], verdict: str | None, *, by_name: bool) -> tuple[Entry, ...]:
    """Return the entries of a verdict, or all, in their order or by name."""
    kept = [entry for entry in listed if verdict is None or entry.verdict == verdict]
    return tuple(sorted(kept, key=lambda e: (e.told["scheme"], e.name)) if by_name else kept)


def standing(one: Entry, other: Entry) -> str:
    """Return on what *one* stands before *other*: ``verdict``, ``points`` or, for equal ones, ``equal``."""
    if one.verdict != other.verdict:
        return "verdict"
    if one.rank == other.rank or one.score is None or other.score is None:
        return "equal"
    return "points"


def only(one: Entry, other: Entry) -> tuple[Line, ...]:
    """Return what speaks against *one* and not against *other*."""
    theirs = {(line.rule, line.said) for line in other.against}
    return tuple(line for line in one.against if (line.rule, line.said) not in theirs)


def both(one: Entry, other: Entry) -> tuple[Line, ...]:
    """Return what speaks against *one* and against *other* alike."""
    alone = only(one, other)
    return tuple(line for line in one.against if line not in alone)


def _askable(found: Told) -> Iterable[tuple[str, Missing]]:
    """Return what is missing and why; what is told but cannot be compared is not asked about (E-01)."""
    missing = ((path, Missing(why)) for path, why in found["missing"].items())
    return ((path, why) for path, why in missing if why is not Missing.NOT_COMPARABLE)


def named(lines: Iterable[Line]) -> tuple[Named, ...]:
    """Return lines by the names of their rules alone, in their order; each rule stands once in a group."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for line in lines:
        found.setdefault((line.outcome, line.effect), Counter())[line.rule] += line.points
    return tuple(Named(outcome, effect, rules) for (outcome, effect), rules in found.items())


# ------------------------------------------------------------------------------------------------ lines


def lines(findings: Iterable[Told], words: Catalog) -> tuple[Line, ...]:
    """Return findings in lines, the gravest first and otherwise in the order of the rulebook."""
    alike: dict[tuple[Any, ...], list[Told]] = {}
    for found in findings:
        of = found["about"][0] if found["about"] else None
        key = (found["rule"], found["outcome"], _but(found["text"], of), _but(found.get("change"), of))
        alike.setdefault(key, []).append(found)
    made = [_line(sorted(group, key=_of), words) for group in alike.values()]
    return tuple(sorted(made, key=lambda line: -line.verdict))


def _of(found: Told) -> list[str]:
    about: list[str] = found["about"]
    return about


def _but(text: str | None, name: str | None) -> str | None:
    return text if text is None or name is None else text.replace(name, "\0")


def _line(group: list[Told], words: Catalog) -> Line:
    first = group[0]
    said, sides = _parted(first, words)
    return Line(
        rule=first["rule"],
        outcome=first["outcome"],
        effect=first["effect"],
        said=said,
        sides=sides,
        change=first.get("change"),
        about=tuple(name for found in group for name in found["about"]),
        points=sum(found.get("points") or 0 for found in group),
        could_cost=sum(found.get("could_cost") or 0 for found in group),
        overridable=first["overridable"],
        reason=any(found.get("reason") for found in group),
        source=first["source"],
    )


def _parted(found: Told, words: Catalog) -> tuple[str, tuple[str, str] | None]:
    """Return what a finding says without what many say alike, and both sides of the evidence."""
    said = str(found["text"])
    if words.has("rules", found["rule"], "title"):
        said = said.removeprefix(words.rule(found["rule"], "title") + ": ")
    if found["outcome"] != "broken":
        return said, None
    said = said.removesuffix(words("sentence.overridable")).rstrip()
    sides = _sides(found["rule"], words.language.value)
    if sides is None:
        return said, None
    told = words("sentence.both_sides", side_a=sides[0], side_b=sides[1])
    return (said.removesuffix(told).rstrip(), sides) if said.endswith(told) else (said, None)


@cache
def _sides(rule: str, language: str) -> tuple[str, str] | None:
    known = RULES_BY_ID.get(rule)
    if known is None or known.contradiction is None:
        return None
    said = catalog(language)
    key = known.contradiction.key
    return said.template("contradictions", key, "side_a"), said.template("contradictions", key, "side_b")
