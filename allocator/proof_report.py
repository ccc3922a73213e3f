"""What was proved of a policy, and what a change of policy changes, in words that a policy owner reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from allocator import model
from allocator.codes import PlacementKind, SchemeKind
from allocator.engines import Outcome
from allocator.engines.symbolic import Imagined, spread
from allocator.facts import VOCABULARY, Kind, Range, Value, fact_type
from allocator.handbook import Words, param_words
from allocator.policy import BoundRule, Policy
from allocator.policy_changes import Allowed, Case, Change, Difference
from allocator.proofs import Checked, Claim, Proof, Status
from allocator.rules.language import Not, Op, Test
from allocator.scoring import Verdict
from allocator.texts import Catalog, catalog, sentence_case

_MARKS = {Status.PROVED: "✓", Status.REFUTED: "✗", Status.REMARK: "i", Status.UNDECIDED: "?"}


@dataclass(frozen=True)
class Line:
    """One line of a report: a heading, something said, or an example of it."""

    said: str
    mark: str = ""
    heading: bool = False
    example: bool = False


# ------------------------------------------------------------------------------------------ the proofs


def report(checked: Checked, language: str = "nb") -> list[Line]:
    """Return what was proved, most pressing first.

    Raises:
        ValueError: The product does not have that language.
    """
    return list(_Report(checked, catalog(language)).lines())


def reasons(policy: Policy, found: Iterable[Proof], language: str = "nb") -> list[str]:
    """Return why a policy cannot be put into use, a line each."""
    day = policy.document.valid_from
    told = _Report(Checked(policy, day, day, tuple(found)), catalog(language))
    return [line.said for line in told.faults() if not line.example]


class _Report:
    def __init__(self, checked: Checked, text: Catalog) -> None:
        self._checked = checked
        self._text = text
        self._said = Examples(checked.policy, text)

    def lines(self) -> Iterator[Line]:
        checked, text = self._checked, self._text
        refuted, undecided = checked.of(Status.REFUTED), checked.of(Status.UNDECIDED)
        key = "stops" if checked.stops else "faults" if refuted else "undecided_only" if undecided else "fine"
        yield Line(text(f"proofs.{key}"), heading=True)
        yield Line(text("proofs.period", first=text.day(checked.first), last=text.day(checked.last)))
        for status in (Status.REFUTED, Status.UNDECIDED, Status.PROVED, Status.REMARK):
            found = list(self._of(status))
            if found:
                yield Line(text(f"proofs.status.{status}"), heading=True)
                yield from found

    def faults(self) -> Iterator[Line]:
        """Yield what is to be mended."""
        return self._of(Status.REFUTED)

    def _of(self, status: Status) -> Iterator[Line]:
        proofs = self._checked.of(status)
        for claim in Claim:
            of_claim = [proof for proof in proofs if proof.claim is claim]
            if not of_claim:
                continue
            if status is Status.PROVED:
                yield from self._proved(claim, of_claim)
            elif status is Status.UNDECIDED:
                yield self._undecided(claim, of_claim)
            else:
                yield from self._together(claim, status, of_claim)

    def _proved(self, claim: Claim, proofs: list[Proof]) -> Iterator[Line]:
        if claim in _ONE_SENTENCE:
            keys = [self._key(proof.claim, proof.level) for proof in proofs]
        else:
            keys = [str(claim)]
        for key in keys:
            said = self._text(f"proofs.proved.{key}", count=str(len(proofs)))
            if claim not in _ONE_SENTENCE and self._has_exceptions(claim):
                said = self._text("proofs.otherwise", said=said)
            yield Line(said, _MARKS[Status.PROVED])

    def _has_exceptions(self, claim: Claim) -> bool:
        """Return whether the same is refuted or open elsewhere: a plain sentence would then be untrue."""
        open_ones = (*self._checked.of(Status.REFUTED), *self._checked.of(Status.UNDECIDED))
        return any(proof.claim is claim for proof in open_ones)

    @staticmethod
    def _key(claim: Claim, level: Verdict | None) -> str:
        return f"{claim}_advised" if level is Verdict.ADVISED_AGAINST else str(claim)

    def _undecided(self, claim: Claim, proofs: list[Proof]) -> Line:
        about = self._text.listing(dict.fromkeys(self._about(p) for p in proofs if p.about))
        said = self._text(f"proofs.proved.{claim}", count=str(len(proofs)))
        return Line(f"{said} {sentence_case(about)}".strip(), _MARKS[Status.UNDECIDED])

    def _about(self, proof: Proof) -> str:
        if proof.claim is Claim.KIND_OPEN:
            return self._text.code(SchemeKind, proof.about[0])
        if proof.claim is Claim.PROFILE_PLACED:
            return proof.about[0] or self._said.applicant(proof.example)
        return self._text.listing(f"«{self._text.rule(rule, 'title')}»" for rule in proof.about)

    def _titles(self, rules: Iterable[str]) -> str:
        return self._text.listing(f"«{self._text.rule(rule, 'title')}»" for rule in rules)

    def _together(self, claim: Claim, status: Status, proofs: list[Proof]) -> Iterator[Line]:
        """Yield one sentence for proofs that have the same reason, with all that they are about."""
        groups: dict[tuple[object, ...], list[Proof]] = {}
        for proof in proofs:
            of_its_own = () if claim in _LISTED else proof.about
            groups.setdefault((proof.level, proof.rules, of_its_own), []).append(proof)
        for group in groups.values():
            about = self._text.listing(self._about(proof) for proof in group if proof.about)
            said = self._sentence(claim, status, group[0].level, about, group[0].rules)
            yield Line(said, _MARKS[status])
            for proof in group:
                if proof.example is not None and claim is not Claim.PROFILE_PLACED:
                    facts = self._said.example(proof.example)
                    yield Line(self._text("proofs.example", facts=facts), example=True)

    def _sentence(
        self, claim: Claim, status: Status, level: Verdict | None, about: str, rules: tuple[str, ...]
    ) -> str:
        text = self._text
        key = self._key(claim, level)
        section = "remark" if text.has("proofs", "remark", key) and status is Status.REMARK else "refuted"
        said = text(f"proofs.{section}.{key}", about=about, rules=self._titles(rules))
        return f"{said} {text('proofs.rulebook')}" if status is Status.REMARK and level is not None else said


_LISTED = frozenset({Claim.CAN_BREAK, Claim.KIND_OPEN, Claim.PROFILE_PLACED})
"""Claims about many things of which one sentence tells all that have the same reason."""

_ONE_SENTENCE = frozenset({Claim.HOME_OPEN, Claim.HOUSE_OPEN, Claim.APPLICANT_PLACED})
"""Claims that are one sentence each, for each verdict that is to be bettered."""


# ------------------------------------------------------------------------------------------- examples


class Examples:
    """Reads facts aloud."""

    def __init__(self, policy: Policy, text: Catalog) -> None:
        self._text = text
        self._words = Words(policy.rules[0], text)

    def example(self, found: Imagined) -> str:
        """Return what is known in an example."""
        parts = list(self._facts({path: v for path, v in found.facts.items() if path != "case.as_of"}))
        for over, members in found.members.items():
            for member in members:
                said = self._text.listing(self._facts(member))
                parts.append(self._text(f"proofs.member.{over}", facts=said) if said else self._nobody(over))
        return "; ".join(parts)

    def applicant(self, found: Imagined | None) -> str:
        """Return what is known of an applicant, without what everyone has."""
        facts = {} if found is None else found.facts
        plain: dict[str, Value] = {
            "applicant.placement": PlacementKind.ORDINARY.value,
            "applicant.review_date_set": False,
            "applicant.needs_valid_until": model.LAST_DAY,
            "applicant.risk_valid_until": model.LAST_DAY,
        }
        told = {
            path: value
            for path, value in facts.items()
            if plain.get(path) != value and not (":" in path and value is False)
        }
        return self._text.listing(self._facts(told)) or self._text("proofs.nothing_known")

    def _nobody(self, over: Range) -> str:
        return self._text(f"proofs.member_unknown.{over}")

    def _facts(self, facts: Mapping[str, Value]) -> Iterator[str]:
        done: set[str] = set()
        for path, value in facts.items():
            base = path.partition(":")[0]
            if VOCABULARY[base].kind is not Kind.CODES:
                yield self.fact(path, value)
            elif base not in done:
                done.add(base)
                yield from self._codes(base, facts)

    def _codes(self, base: str, facts: Mapping[str, Value]) -> Iterator[str]:
        held = [path for path in spread(VOCABULARY[base]) if facts.get(path) is True]
        lacks = [path for path in spread(VOCABULARY[base]) if facts.get(path) is False]
        codes = VOCABULARY[base].codes
        assert codes is not None
        if held:
            labels = self._text.listing(self._text.code(codes, path.partition(":")[2]) for path in held)
            yield self._text("expression.has", set=self._text.label(base), code=labels)
        elif len(lacks) == 1:
            yield self.fact(lacks[0], value=False)
        elif lacks:
            yield self._text("proofs.none_of", set=self._text.label(base))

    def fact(self, path: str, value: Value) -> str:
        """Return one fact as a clause."""
        if value is False:
            return self._words.of(Not(Test(path, Op.EQ, right=True)))
        return self._words.of(Test(path, Op.EQ, value))

    def case(self, case: Case) -> str:
        """Return what facts may be in a case of a change."""
        return self._text.listing(self._allowed(path, allowed) for path, allowed in case.items())

    def _allowed(self, path: str, allowed: Allowed) -> str:
        text = self._text
        unknown = text("proofs.is_unknown", what=text.question(path) + self._code(path))
        if allowed.values == ():
            return unknown
        said = self._known(path, allowed)
        return text("proofs.or_unknown", known=said) if allowed.unknown else said

    def _code(self, path: str) -> str:
        base, _, code = path.partition(":")
        codes = fact_type(base).codes
        return f" ({self._text.code(codes, code)})" if code and codes is not None else ""

    def _known(self, path: str, allowed: Allowed) -> str:
        text = self._text
        if allowed.values is not None:
            if fact_type(path).kind is Kind.CODE:
                codes = fact_type(path).codes
                assert codes is not None
                labels = text.listing((text.code(codes, str(v)) for v in allowed.values), "list_or")
                return text("expression.one_of", left=text.label(path), codes=labels)
            return self.fact(path, allowed.values[0])
        if allowed.least == allowed.most and allowed.least is not None:
            return self.fact(path, allowed.least)
        if allowed.least is not None and allowed.most is not None:
            least, most = (text.value(path, end) for end in (allowed.least, allowed.most))
            return text("proofs.between", what=text.label(path), least=least, most=most)
        if allowed.least is not None:
            return self._words.of(Test(path, Op.GE, allowed.least))
        assert allowed.most is not None
        return self._words.of(Test(path, Op.LE, allowed.most))


# ------------------------------------------------------------------------------------ a change of policy


def change_report(
    old: Policy, new: Policy, found: Iterable[Change], day: date, language: str = "nb"
) -> list[Line]:
    """Return what a change of policy changes.

    Raises:
        ValueError: The product does not have that language.
    """
    return list(_change_lines(old, new, list(found), day, catalog(language)))


def _change_lines(old: Policy, new: Policy, found: list[Change], day: date, text: Catalog) -> Iterator[Line]:
    names = {"old": f"{old.name} {old.version}", "new": f"{new.name} {new.version}"}
    yield Line(text("proofs.change.title", date=text.day(day), **names), heading=True)
    if not found:
        yield Line(text("proofs.change.none"))
    said = Examples(new, text)
    for change in found:
        yield Line(text.rule(change.rule, "title"), heading=True)
        yield from (Line(line) for line in _numbers(change, text))
        if not change.differences:
            yield Line(text("proofs.change.no_verdict"))
        for difference in change.differences:
            yield from _difference(change, difference, said, text)


def _numbers(change: Change, text: Catalog) -> Iterator[str]:
    """Yield what was written otherwise in the policy."""
    old, new = change.old, change.new
    if old is None or new is None:
        yield text("proofs.change.on" if old is None else "proofs.change.off")
        return
    if old.effect is not new.effect:
        yield _was_is(text, text("handbook.effect"), _effect(old, text), _effect(new, text))
    if old.points != new.points and old.effect is new.effect:
        yield _was_is(text, text("answer.score"), str(old.points), str(new.points))
    for name, kind in new.rule.params.items():
        if old.params[name] != new.params[name]:
            sides = (param_words(kind, bound.params[name], text) for bound in (old, new))
            yield _was_is(text, sentence_case(text(f"params.{name}")), *sides)


def _was_is(text: Catalog, what: str, was: str, now: str) -> str:
    return text("proofs.change.was_is", what=what, was=was, now=now)


def _effect(bound: BoundRule, text: Catalog) -> str:
    points = f" ({bound.points})" if bound.points else ""
    return text(f"effects.{bound.effect.code}") + points


def _difference(change: Change, difference: Difference, said: Examples, text: Catalog) -> Iterator[Line]:
    def outcome(of: Outcome | None) -> str:
        return text("proofs.outcome.off" if of is None else f"proofs.outcome.{of}")

    bound = change.new or change.old
    assert bound is not None
    yield Line(
        text(
            "proofs.change.difference",
            before=outcome(difference.before),
            after=outcome(difference.after),
            was=text(f"verdicts.{difference.verdict_before.code}"),
            now=text(f"verdicts.{difference.verdict_after.code}"),
        ),
        "→",
    )
    for case in difference.cases:
        yield Line(text("proofs.change.case", facts=said.case(case)), example=True)
    if not difference.cases and difference.whole:
        words = Words(bound, text).of(bound.rule.broken_when)
        outcome_now = difference.after or difference.before
        yield Line(text(f"proofs.change.always_{outcome_now}", rule=words), example=True)
    elif not difference.whole:
        yield from (
            Line(text(f"proofs.change.rule_{side}", rule=Words(b, text).of(b.rule.broken_when)), example=True)
            for side, b in (("old", change.old), ("new", change.new))
            if b is not None
        )
    if difference.example is None:
        yield Line(text("proofs.change.never_decides"), example=True)
        return
    facts = said.example(difference.example) or text("proofs.nothing_known")
    yield Line(
        text(
            "proofs.change.example",
            facts=facts,
            was=text(f"verdicts.{difference.home_before.code}"),
            now=text(f"verdicts.{difference.home_after.code}"),
        ),
        example=True,
    )
