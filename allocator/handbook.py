"""The rule handbook: every rule in words, with why, source, effect, numbers and justification.

Generated from rules, policy and texts, so it says what the engines do. Its hash stands in every suggestion
(REQ-FVL-8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from weakref import WeakKeyDictionary

from allocator.facts import Kind, fact_type
from allocator.policy import BoundRule, Policy
from allocator.rules import TOPICS
from allocator.rules.language import (
    All,
    Any,
    AtLeast,
    Choice,
    Chosen,
    Clash,
    Codes,
    Disjoint,
    Expr,
    Lacks,
    Nonempty,
    Not,
    Number,
    OneOf,
    Op,
    Pairs,
    Param,
    ParamValue,
    Ref,
    Test,
)
from allocator.rules.sources import Citation, Law
from allocator.texts import Catalog, Language, catalog, sentence_case

_hashes: WeakKeyDictionary[Policy, str] = WeakKeyDictionary()


def handbook_sha256(policy: Policy) -> str:
    """Return the hash of the handbook in all languages."""
    if policy not in _hashes:
        bodies = "\n".join("\n".join(_body(policy, catalog(language))) for language in Language)
        _hashes[policy] = hashlib.sha256(bodies.encode()).hexdigest()
    return _hashes[policy]


def handbook(policy: Policy, language: str = "nb") -> str:
    """Return the handbook as Markdown.

    Raises:
        ValueError: The product does not have that language.
    """
    text = catalog(language)
    footer = text("handbook.hash", sha=f"`{handbook_sha256(policy)}`")
    return "\n".join([*_body(policy, text), "", footer, ""])


def _body(policy: Policy, text: Catalog) -> Iterator[str]:
    document = policy.document
    yield f"# {text('handbook.title')}"
    yield ""
    yield text("handbook.intro")
    yield ""
    yield text(
        "handbook.policy",
        name=document.name,
        version=document.version,
        valid_from=text.day(document.valid_from),
        approved_by=document.approved_by,
        approved_on=text.day(document.approved_on),
    )
    yield ""
    yield f"## {text('handbook.contents')}"
    yield ""
    for topic, rules in TOPICS.items():
        titles = ", ".join(f"[{text.rule(rule.id, 'title')}](#{rule.id})" for rule in rules)
        yield f"- **{text(f'topics.{topic}')}**: {titles}"
    yield ""
    yield f"## {text('answer.verdict')}"
    yield ""
    for effect in ("bar", "advise_against", "weigh", "note"):
        name = sentence_case(text(f"effects.{effect}"))
        yield f"- **{name}** (`{effect}`): {text(f'effects_explained.{effect}')}"
    for topic, rules in TOPICS.items():
        yield ""
        yield f"## {text(f'topics.{topic}')}"
        for rule in rules:
            yield ""
            yield from _rule(entry(policy, rule.id, text), text)


@dataclass(frozen=True)
class Numbered:
    """A parameter of a rule: what it is called, its value in words, and where that comes from."""

    label: str
    value: str
    origin: str


@dataclass(frozen=True)
class Card:
    """Why a rule may read a protected ground, part by part, and who approved that until when."""

    heading: str
    parts: tuple[tuple[str, str], ...]
    approved: str


@dataclass(frozen=True)
class Entry:
    """Everything that the handbook says of a rule, in words.

    Attributes:
        id: The rule.
        title: What it is called.
        why: Why it is there.
        off: Why it is switched off; None if it is on.
        about: Whom or what it looks at.
        broken_when: When it is broken.
        effect: What follows then.
        origin: Where that choice comes from.
        fixed: That a municipality cannot soften it; None if it can.
        overridable: Whether the committee can decide otherwise.
        bases: What it rests on.
        sources: Where that stands, each once; law that no lawyer has confirmed is marked.
        carries: Ids of the requirements that it carries out.
        params: Its numbers and lists.
        public: What an applicant is told when it closes a unit.
        confidential: That only the cleared read it exactly; None if all do.
        contradiction: The key of a contradiction between sources, the question and both sides.
        card: Its justification, where it reads a protected ground.
    """

    id: str
    title: str
    why: str
    off: str | None
    about: str
    broken_when: str
    effect: str
    origin: str
    fixed: str | None
    overridable: str
    bases: str
    sources: tuple[str, ...]
    carries: tuple[str, ...]
    params: tuple[Numbered, ...]
    public: str
    confidential: str | None
    contradiction: tuple[str, str, str, str] | None
    card: Card | None


def entry(policy: Policy, rule_id: str, text: Catalog) -> Entry:
    """Return what the handbook says of a rule.

    Raises:
        KeyError: The policy has no such rule.
    """
    bound = policy.by_id[rule_id]
    rule, chosen = bound.rule, policy.document.rules[rule_id]
    about = rule.contradiction
    return Entry(
        id=rule.id,
        title=text.rule(rule.id, "title"),
        why=text.rule(rule.id, "why"),
        off=None if chosen.enabled else str(chosen.off_reason),
        about=text(f"about.{rule.about}"),
        broken_when=Words(bound, text).of(rule.broken_when),
        effect=_effect(bound, text),
        origin=chosen.origin,
        fixed=text("handbook.fixed") if rule.fixed else None,
        overridable=text("handbook.overridable" if bound.overridable else "handbook.not_overridable"),
        bases=", ".join(text(f"bases.{basis}") for basis in sorted(rule.bases)),
        sources=tuple(dict.fromkeys(_source(one, policy.document.valid_from, text) for one in rule.sources)),
        carries=rule.carries,
        params=tuple(
            Numbered(
                sentence_case(text(f"params.{name}")),
                param_words(kind, bound.params[name], text),
                chosen.params[name].origin,
            )
            for name, kind in rule.params.items()
        ),
        public=text(f"public.{rule.public}"),
        confidential=text("handbook.confidential") if rule.confidential else None,
        contradiction=_sides(about.key, text) if about is not None else None,
        card=_card(bound, text),
    )


def _source(citation: Citation, day: date, text: Catalog) -> str:
    """Return where something stands, with a mark at law that no lawyer has confirmed."""
    said = citation.at(day)
    unchecked = isinstance(citation.work, Law) and not citation.work.checked
    return text("papers.law_marked", law=said) if unchecked else said


def _sides(key: str, text: Catalog) -> tuple[str, str, str, str]:
    question, side_a, side_b = (
        text.template("contradictions", key, part) for part in ("question", "side_a", "side_b")
    )
    return key, question, side_a, side_b


def _card(bound: BoundRule, text: Catalog) -> Card | None:
    card = bound.justification
    if card is None:
        return None
    grounds = text.listing(text(f"protected.{ground}") for ground in sorted(bound.rule.protected))
    parts = ("legal_basis_note", "purpose", "necessity", "proportionality")
    return Card(
        text("handbook.justification", grounds=grounds),
        tuple((text(f"handbook.{part}"), str(getattr(card, part))) for part in parts),
        text(
            "handbook.approved",
            by=card.approved_by,
            on=text.day(card.approved_on),
            review=text.day(card.review_by),
        ),
    )


def _rule(said: Entry, text: Catalog) -> Iterator[str]:
    yield f'### <a id="{said.id}"></a>{said.title} (`{said.id}`)'
    yield ""
    yield said.why
    yield ""
    if said.off is not None:
        yield f"- **{text('handbook.off')}**: {said.off}"
    yield f"- **{text('handbook.about')}**: {said.about}"
    yield f"- **{text('handbook.broken_when')}**: {said.broken_when}"
    yield f"- **{text('handbook.effect')}**: {said.effect} {text('handbook.origin')}: {said.origin}"
    if said.fixed is not None:
        yield f"  {said.fixed}"
    yield f"  {said.overridable}"
    yield f"- **{text('handbook.basis')}**: {said.bases}"
    yield f"- **{text('handbook.source')}**: {'; '.join(said.sources)}"
    if said.carries:
        yield f"- **{text('handbook.carries')}**: {', '.join(said.carries)}"
    for param in said.params:
        yield f"- **{param.label}**: {param.value}. {param.origin}"
    yield f"- **{text('handbook.public')}**: {said.public}"
    if said.confidential is not None:
        yield f"- {said.confidential}"
    if said.contradiction is not None:
        key, question, side_a, side_b = said.contradiction
        yield f"- **{text('handbook.contradiction')} ({key})**: {question} (a) {side_a} (b) {side_b}"
    if said.card is not None:
        yield f"- **{said.card.heading}**"
        for heading, part in said.card.parts:
            yield f"  - {heading}: {part}"
        yield f"  - {said.card.approved}"


def _effect(bound: BoundRule, text: Catalog) -> str:
    effect = text(f"effects.{bound.effect.code}")
    if not bound.points:
        return f"{effect}."
    key = "handbook.points_shared" if bound.rule.shared_points else "handbook.points"
    return f"{effect}, {text(key, points=str(bound.points))}."


# ------------------------------------------------------------------------------- expressions in words


def param_words(kind: object, value: ParamValue, text: Catalog, *, unit: bool = True) -> str:
    """Return a parameter's value in words, with its unit if asked for."""
    match kind:
        case Number(measure):
            return f"{value} {text(f'units.{measure}')}" if unit else str(value)
        case Codes(codes):
            assert isinstance(value, tuple)
            return text.listing((text.code(codes, str(code)) for code in value), "list_or")
        case Pairs(codes):
            assert isinstance(value, tuple)
            return text.listing(
                text("expression.pair", one=text.code(codes, pair[0]), other=text.code(codes, pair[1]))
                for pair in value
            )
        case Choice():
            return text(f"options.{value}")
    raise TypeError(f"not a parameter: {type(kind).__name__}")


_MEASURES = frozenset({"years", "days", "months", "m2", "percent"})
"""Units that a number in a sentence needs; a number of units or residents says what it counts already."""


class Words:
    """Reads a rule's expression aloud: the same expression that the engines run, with the policy's values."""

    def __init__(self, bound: BoundRule, text: Catalog) -> None:
        self._bound = bound
        self._text = text

    def of(self, expr: Expr) -> str:
        """Return an expression in words."""
        text = self._text
        match expr:
            case All(parts):
                return f" {text('expression.and')} ".join(map(self._bracketed, parts))
            case Any(parts):
                return f" {text('expression.or')} ".join(map(self._bracketed, parts))
            case Not(Test(path, Op.EQ, True)) if ":" not in path:
                return text("expression.false", left=text.statement(path))
            case Not(part):
                return f"{text('expression.not')} {self._bracketed(part)}"
            case Test():
                return self._test(expr)
            case AtLeast(_, over, where, count, percent):
                return text(
                    "expression.count" if percent is None else "expression.share",
                    number=self._plain(count if percent is None else percent),
                    members=text(f"members.{over}"),
                    where=self.of(where),
                )
            case OneOf(path, codes):
                return text("expression.one_of", left=text.label(path), codes=self._codes(path, codes))
            case Clash(left, right, table):
                return text(
                    "expression.clash",
                    left=text.label(left),
                    right=text.label(right),
                    pairs=self._plain(table),
                )
            case Lacks(needed, offered):
                return text("expression.lacks", needed=text.label(needed), offered=text.label(offered))
            case Disjoint(left, right):
                return text("expression.disjoint", left=text.label(left), right=text.label(right))
            case Nonempty(path):
                return text("expression.nonempty", left=text.label(path))
            case Chosen(_, option):
                return text("expression.chosen", option=text(f"options.{option}"))
        raise TypeError(f"no words for {type(expr).__name__}")

    def _bracketed(self, expr: Expr) -> str:
        words = self.of(expr)
        return f"({words})" if isinstance(expr, All | Any) else words

    def _plain(self, value: object, *, unit: bool = False) -> str:
        """Return a number or table, the policy's if it is a parameter."""
        if isinstance(value, Param):
            kind = self._bound.rule.params[value.name]
            measured = unit and isinstance(kind, Number) and kind.unit in _MEASURES
            return param_words(kind, self._bound.params[value.name], self._text, unit=measured)
        return str(value)

    def _codes(self, path: str, codes: tuple[str, ...] | Param) -> str:
        if isinstance(codes, Param):
            return self._plain(codes)
        kind = fact_type(path).codes
        assert kind is not None
        return self._text.listing((self._text.code(kind, code) for code in codes), "list_or")

    def _test(self, expr: Test) -> str:
        path, op, text = expr.path, expr.op, self._text
        left = text.label(path)
        base, _, code = path.partition(":")
        if code:
            codes = fact_type(base).codes
            assert codes is not None
            return text("expression.has", set=left, code=text.code(codes, code))
        if expr.right is True and op is Op.EQ:
            return text("expression.true", left=text.statement(path))
        dated = fact_type(path).kind is Kind.DATE and op not in (Op.EQ, Op.NE)
        key = f"expression.date_{op}" if dated else f"expression.{op}"
        return text(key, left=left, right=self._right(path, expr.right))

    def _right(self, path: str, right: object) -> str:
        if isinstance(right, Param):
            return self._plain(right, unit=True)
        if isinstance(right, Ref):
            label = self._text.label(right.path)
            if right.plus == 0:
                return label
            dated = fact_type(path).kind is Kind.DATE
            key = "expression.plus_days" if dated else "expression.plus"
            return self._text(key, left=label, number=self._plain(right.plus))
        assert isinstance(right, bool | int | str | date)
        return self._text.value(path, right)
