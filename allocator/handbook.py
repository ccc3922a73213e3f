"""The rule handbook: every rule in words, with why, source, effect, numbers and justification.

Generated from rules, policy and texts, so it says what the engines do. Its hash stands in every suggestion
(REQ-FVL-8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
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
            yield from _rule(policy, policy.by_id[rule.id], text)


def _rule(policy: Policy, bound: BoundRule, text: Catalog) -> Iterator[str]:
    rule = bound.rule
    entry = policy.document.rules[rule.id]
    yield f'### <a id="{rule.id}"></a>{text.rule(rule.id, "title")} (`{rule.id}`)'
    yield ""
    yield text.rule(rule.id, "why")
    yield ""
    if not entry.enabled:
        yield f"- **{text('handbook.off')}**: {entry.off_reason}"
    yield f"- **{text('handbook.about')}**: {text(f'about.{rule.about}')}"
    yield f"- **{text('handbook.broken_when')}**: {Words(bound, text).of(rule.broken_when)}"
    yield f"- **{text('handbook.effect')}**: {_effect(bound, text)} {text('handbook.origin')}: {entry.origin}"
    if rule.fixed:
        yield f"  {text('handbook.fixed')}"
    may = "handbook.overridable" if bound.overridable else "handbook.not_overridable"
    yield f"  {text(may)}"
    bases = ", ".join(text(f"bases.{basis}") for basis in sorted(rule.bases))
    yield f"- **{text('handbook.basis')}**: {bases}"
    as_of = policy.document.valid_from
    yield f"- **{text('handbook.source')}**: {'; '.join(dict.fromkeys(c.at(as_of) for c in rule.sources))}"
    if rule.carries:
        yield f"- **{text('handbook.carries')}**: {', '.join(rule.carries)}"
    for name, kind in rule.params.items():
        value = param_words(kind, bound.params[name], text)
        yield f"- **{sentence_case(text(f'params.{name}'))}**: {value}. {entry.params[name].origin}"
    yield f"- **{text('handbook.public')}**: {text(f'public.{rule.public}')}"
    if rule.confidential:
        yield f"- {text('handbook.confidential')}"
    if rule.contradiction is not None:
        key = rule.contradiction.key
        sides = (
            f"{text.template('contradictions', key, 'question')} "
            f"(a) {text.template('contradictions', key, 'side_a')} "
            f"(b) {text.template('contradictions', key, 'side_b')}"
        )
        yield f"- **{text('handbook.contradiction')} ({key})**: {sides}"
    if bound.justification is not None:
        yield from _justification(bound, text)


def _justification(bound: BoundRule, text: Catalog) -> Iterator[str]:
    card = bound.justification
    assert card is not None
    grounds = text.listing(text(f"protected.{ground}") for ground in sorted(bound.rule.protected))
    yield f"- **{text('handbook.justification', grounds=grounds)}**"
    for part in ("legal_basis_note", "purpose", "necessity", "proportionality"):
        yield f"  - {text(f'handbook.{part}')}: {getattr(card, part)}"
    yield (
        "  - "
        + text(
            "handbook.approved",
            by=card.approved_by,
            on=text.day(card.approved_on),
            review=text.day(card.review_by),
        )
    )


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
