"""How answers and reports look in a terminal: signs, tables and bars; every word comes from elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from allocator.disclosure import Level, Reader, Released
from allocator.engines import Outcome
from allocator.explain import Explainer
from allocator.rules.language import Effect
from allocator.scoring import Suggestions, Verdict
from allocator.simulation_report import Bar, Bars, Grid, Heading, Part
from allocator.texts import sentence_case

_MARK = {
    Verdict.SUITABLE: ("●", "green"),
    Verdict.SUITABLE_WITH_REMARKS: ("◐", "green"),
    Verdict.NEEDS_CLARIFICATION: ("?", "yellow"),
    Verdict.ADVISED_AGAINST: ("▲", "dark_orange3"),
    Verdict.BLOCKED: ("■", "red"),
}
_SIGN = {Outcome.BROKEN: "✗", Outcome.UNKNOWN: "?", Outcome.KEPT: "✓"}


@dataclass(frozen=True)
class View:
    """How the table is to look."""

    kept: bool
    top: int
    score: bool
    unranked: bool
    compare: tuple[str, str] | None = None


def table(answer: Suggestions, *, top: int) -> list[Any]:
    """Return what the table shows to the committee, with reasons for the first *top*."""
    view = View(kept=False, top=top, score=False, unranked=False)
    return list(rendered(Explainer(answer, Reader.COMMITTEE), view))


def rendered(explainer: Explainer, view: View) -> Iterable[Any]:
    """Yield what is printed of an answer, one after another."""
    answer, text = explainer.answer, explainer.text
    day = text.day(answer.as_of)
    if answer.unit is None:
        yield Text(text("answer.title_suggest", applicant=answer.applicant or "", date=day), style="bold")
    else:
        yield Text(text("answer.title_shortlist", unit=answer.unit, date=day), style="bold")
    yield text("answer.advice_only")
    for warned in answer.warnings:
        yield Text(f"! {explainer.warning(warned)}", style="yellow")
    if not explainer.released:
        yield text("answer.no_units" if answer.unit is None else "answer.no_applicants")
        return
    if lines := explainer.no_option():
        said = "\n".join(lines)
        yield Panel(said, title=text("no_option.title"), border_style="red")
    entries = explainer.released
    if view.unranked:
        entries = tuple(sorted(entries, key=lambda e: _name(explainer, e)))
    yield ""
    yield _overview(explainer, entries, view)
    yield ""
    if view.unranked:
        yield Text(text("answer.unranked"), style="dim")
    elif explainer.reader.decides:
        rule = "answer.order_rule" if answer.unit is None else "answer.order_rule_shortlist"
        yield Text(text(rule), style="dim")
    shown = entries[: view.top] if view.top else entries
    for entry in shown:
        yield ""
        yield from _entry(explainer, entry, view)
    if view.compare is not None:
        yield ""
        yield Text(text("answer.comparison"), style="bold")
        yield indented(explainer.compared(*view.compare))
    contested = dict.fromkeys(
        both
        for entry in shown
        for item in entry.findings
        if explainer.reader.decides and (both := explainer.both_sides(item.finding)) is not None
    )
    if contested:
        yield ""
        yield Text(text("handbook.contradiction"), style="bold")
        for both in contested:
            yield indented(both)
    yield ""
    if len(shown) < len(entries):
        yield Text(text("answer.more", count=str(len(entries) - len(shown))), style="dim")
    policy = text("answer.policy", name=answer.policy.name, version=answer.policy.version)
    used = text("answer.engine", engine=answer.engine, version=answer.engine_version)
    yield Text(f"{policy}. {used}.", style="dim")


def _name(explainer: Explainer, entry: Released) -> str:
    a = entry.assessment
    return a.unit if explainer.answer.unit is None else a.applicant


def _overview(explainer: Explainer, entries: Iterable[Released], view: View) -> Table:
    text = explainer.text
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    if not view.unranked:
        table.add_column(text("answer.rank"), justify="right")
    name = "answer.unit" if explainer.answer.unit is None else "answer.applicant"
    table.add_column(text(name), overflow="fold")
    table.add_column(text("answer.scheme"), overflow="fold")
    table.add_column(text("answer.verdict"))
    if view.score:
        table.add_column(text("answer.score"), justify="right")
    for entry in entries:
        sign, style = _MARK[entry.verdict]
        verdict = Text(f"{sign} {text(f'verdicts.{entry.verdict.code}')}", style=style)
        cells = [Text(_name(explainer, entry)), Text(entry.assessment.scheme), verdict]
        if not view.unranked:
            cells.insert(0, Text(str(entry.rank)))
        if view.score:
            cells.append(Text(_score(explainer, entry)))
        table.add_row(*cells)
    return table


def _score(explainer: Explainer, entry: Released) -> str:
    a = entry.assessment
    if not entry.scored:
        return ""
    if a.score == a.score_at_worst:
        return str(a.score)
    return explainer.text("answer.score_range", score=str(a.score), worst=str(a.score_at_worst))


def _entry(explainer: Explainer, entry: Released, view: View) -> Iterable[Any]:
    text, a = explainer.text, entry.assessment
    sign, style = _MARK[entry.verdict]
    verdict = text(f"verdicts.{entry.verdict.code}")
    name = _name(explainer, entry)
    yield Text.assemble((f"{sign} {name}", f"bold {style}"), f"  {a.scheme}, {a.living_group}: {verdict}")
    if explainer.reader is Reader.APPLICANT or entry.restricted:
        yield indented(explainer.summary(entry))
        return
    shown = [s for s in entry.findings if view.kept or s.finding.outcome is not Outcome.KEPT]
    if not shown:
        yield indented(text("answer.nothing_against"))
    for item in sorted(shown, key=lambda s: -s.finding.verdict):
        finding = item.finding
        label = "" if item.level is Level.ENVIRONMENT else text(f"effects.{finding.rule.effect.code}")
        points = f" ({finding.points})" if entry.scored and finding.points else ""
        note = finding.rule.effect is Effect.NOTE and finding.outcome is Outcome.BROKEN
        mark = "i" if note else _SIGN[finding.outcome]
        said = explainer.sentence(item, brief=True)
        yield indented(f"{mark} {sentence_case(label)}{': ' if label else ''}{said}{points}", hang=2)
        broken = finding.outcome is Outcome.BROKEN and finding.verdict is not Verdict.SUITABLE
        if explainer.reader.decides and broken:
            yield indented(f"→ {explainer.change(finding)}", left=4, style="dim", hang=2)
    changes = a.verdict_after_notice not in (None, entry.verdict)
    if entry.scored and changes and a.verdict_after_notice is not None and a.notice_ends is not None:
        after = text(f"verdicts.{a.verdict_after_notice.code}")
        yield indented(text("answer.after_notice", date=text.day(a.notice_ends), verdict=after))


@dataclass(frozen=True)
class _Paragraph:
    """A paragraph with its first line *hang* columns to the left of the others."""

    said: str
    left: int
    hang: int
    style: str

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(100, max(20, options.max_width - self.left - self.hang))
        first, *rest = textwrap.wrap(self.said, width, break_on_hyphens=False) or [""]
        lines = [first, *(" " * self.hang + line for line in rest)]
        yield Padding(Text("\n".join(lines), style=self.style), (0, 0, 0, self.left), expand=False)


def indented(said: str, *, left: int = 2, hang: int = 0, style: str = "") -> _Paragraph:
    """Return a paragraph that hangs from its sign, however narrow the terminal is."""
    return _Paragraph(said, left, hang, style)


# ------------------------------------------------------------------------------- showing a simulation

_BAR_COLUMNS = 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def pictured(part: Part) -> Iterator[Any]:
    """Yield what a part of a simulation's report looks like."""
    match part:
        case Heading(said):
            yield Text(f"\n{said}", style="bold")
        case Bars(before, after, bars):
            grid = Table.grid(padding=(0, 2))
            for bar in bars:
                sign, style = _MARK[bar.verdict]
                verdict = Text(f"{sign} {bar.said}", style=style)
                grid.add_row(verdict, before, _bar(bar, bar.before, "dim"), str(bar.before))
                grid.add_row("", after, _bar(bar, bar.after, style), str(bar.after))
            yield grid
        case Grid(head, rows, left):
            table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
            for place, name in enumerate(head):
                shown = Text(*_MARK[name]) if isinstance(name, Verdict) else Text(name)
                table.add_column(shown, justify="left" if place < left else "right", overflow="fold")
            for row in rows:
                table.add_row(*map(Text, row))
            yield table
        case str():
            yield indented(part, left=0)


def _bar(bar: Bar, number: int, style: str) -> Text:
    full, part = divmod(bar.eighths(number, _BAR_COLUMNS), 8)
    return Text("█" * full + (_EIGHTHS[part] if part else ""), style=style)
