"""The ``allocator`` command."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from allocator import __version__, exchange_cli, login_cli, office_cli
from allocator.disclosure import Reader
from allocator.documents import DocumentError, case_schema, read_case
from allocator.engines import EngineError
from allocator.engines.registry import ENGINES
from allocator.explain import Explainer, document
from allocator.handbook import handbook as write_handbook
from allocator.model import (
    Problem,
    Snapshot,
)
from allocator.policy import Policy, PolicyError
from allocator.scoring import Suggestions
from allocator.scoring import shortlist as ask_shortlist
from allocator.scoring import suggest as ask_suggest
from allocator.simulation import Simulation, SimulationError, Tally, checkpoint
from allocator.simulation import resume as resumed
from allocator.simulation_report import document as simulation_document
from allocator.simulation_report import inputs, pages
from allocator.terminal import View, indented, pictured, rendered
from allocator.texts import Language, catalog

app = typer.Typer(
    name="allocator",
    help="Decision support for allocating supported housing. It advises; people decide.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

BAD_INPUT = 2
"""Exit code for input that is refused."""

FAILED = 1
"""Exit code for a check that does not hold."""

STOPPED = 130
"""Exit code where a person stopped it."""

office_cli.register(app)
login_cli.register(app)
exchange_cli.register(app)

_console = Console(highlight=False, markup=False, emoji=False)
_errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

EngineName = StrEnum("EngineName", [(name.upper(), name) for name in ENGINES])  # type: ignore[misc]


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"


CasePath = Annotated[Path, typer.Argument(metavar="CASE.json", help="The case; - reads standard input.")]
PolicyPath = Annotated[
    Path | None, typer.Option("--policy", metavar="P.toml", help="The policy; without it the default one.")
]
EngineOption = Annotated[EngineName, typer.Option("--engine", help="Which engine decides.")]
ReaderOption = Annotated[
    Reader, typer.Option("--reader", help="For whom: what they may not see is left out.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, JSON for machines.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of sentences.")]
KeptOption = Annotated[bool, typer.Option("--kept", help="In the table, show also what is kept.")]
TopOption = Annotated[
    int, typer.Option("--top", min=0, help="In the table, give reasons for so many; 0 for all.")
]
ScoreOption = Annotated[bool, typer.Option("--score", help="In the table, show the sum of points.")]
CompareOption = Annotated[
    tuple[str, str] | None, typer.Option("--compare", metavar="ONE OTHER", help="Why one before the other.")
]
UnrankedOption = Annotated[bool, typer.Option("--unranked", help="In the table, list by id, not by rank.")]

_RECORD = next(iter(EngineName))


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,  # noqa: FBT002
) -> None:
    if version:
        _console.print(__version__)
        raise typer.Exit


@app.command()
def suggest(  # noqa: PLR0917 - options of a command
    case: CasePath,
    applicant: Annotated[str, typer.Option("--applicant", metavar="ID", help="Id of the applicant.")],
    policy: PolicyPath = None,
    engine: EngineOption = _RECORD,
    reader: ReaderOption = Reader.COMMITTEE,
    form: FormatOption = Format.TABLE,
    lang: LanguageOption = Language.NB,
    kept: KeptOption = False,  # noqa: FBT002
    top: TopOption = 5,
    score: ScoreOption = False,  # noqa: FBT002
    unranked: UnrankedOption = False,  # noqa: FBT002
    compare: CompareOption = None,
) -> None:
    """Rank the units that are not lived in for an applicant."""
    snapshot, used = _read(case, policy)
    applicant = unicodedata.normalize("NFC", applicant)
    _known(applicant, (a.id for a in snapshot.applicants), "--applicant", "an applicant")
    answer = _asked(lambda: ask_suggest(snapshot, used, applicant, engine.value))
    _comparable(answer, compare)
    view = View(kept=kept, top=top, score=score, unranked=unranked, compare=compare)
    _show(answer, reader, form, lang, view)


@app.command()
def shortlist(  # noqa: PLR0917 - options of a command
    case: CasePath,
    unit: Annotated[str, typer.Option("--unit", metavar="ID", help="Id of the unit.")],
    policy: PolicyPath = None,
    engine: EngineOption = _RECORD,
    reader: ReaderOption = Reader.COMMITTEE,
    form: FormatOption = Format.TABLE,
    lang: LanguageOption = Language.NB,
    kept: KeptOption = False,  # noqa: FBT002
    top: TopOption = 5,
    score: ScoreOption = False,  # noqa: FBT002
    unranked: UnrankedOption = False,  # noqa: FBT002
    compare: CompareOption = None,
) -> None:
    """Rank the applicants for a unit."""
    if reader is Reader.APPLICANT:
        _refuse(
            "",
            (
                Problem(
                    path="--reader", expected="`committee`, `member` or `staff`: a shortlist is about others"
                ),
            ),
        )
    snapshot, used = _read(case, policy)
    unit = unicodedata.normalize("NFC", unit)
    _known(unit, (u.id for scheme in snapshot.schemes for u in scheme.units), "--unit", "a unit")
    answer = _asked(lambda: ask_shortlist(snapshot, used, unit, engine.value))
    _comparable(answer, compare)
    view = View(kept=kept, top=top, score=score, unranked=unranked, compare=compare)
    _show(answer, reader, form, lang, view)


@app.command("check-policy")
def check_policy(
    policy: Annotated[Path, typer.Argument(metavar="P.toml", help="The policy to check.")],
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="OLD.toml", help="Say what changes from this policy instead."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="First day; else when it is valid from.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="How long it may take.")] = 60,
    lang: LanguageOption = Language.NB,
) -> None:
    """Prove that a policy's rules do not contradict, shadow or lock out, or show by example where they do."""
    used = _policy(policy, exit_code=FAILED)
    _console.print(f"{used.name}, {used.version}: {len(used.rules)} rules, sha256 {used.sha256}")
    old = None if against is None else _policy(against)
    raise typer.Exit(_proved(used, old, _day(as_of), seconds, lang.value))


@app.command()
def simulate(  # noqa: PLR0917 - options of a command
    cases: Annotated[list[Path], typer.Argument(metavar="CASE...", help="Cases, or directories of them.")],
    policy: Annotated[Path, typer.Option("--policy", metavar="NEW.toml", help="The policy to try.")],
    against: Annotated[
        Path | None, typer.Option("--against", metavar="OLD.toml", help="Compared with; or the default one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="F.json", help="Write the JSON here too.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="F.checkpoint", help="Keep the work here, and go on from it."),
    ] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Name applicants and units by their ids.")] = False,  # noqa: FBT002
    form: FormatOption = Format.TABLE,
    lang: LanguageOption = Language.NB,
) -> None:
    """Show what a new policy would have done to real cases: who gains, who loses, and why."""
    new, old = _policy(policy), _policy(against)
    named = {path.resolve() for path in (*cases, policy, *([] if against is None else [against]))}
    for option, path in (("--out", out), ("--resume", resume)):
        if path is not None and (not path.parent.is_dir() or path.is_dir() or path.resolve() in named):
            _refuse(option, (Problem(path="", expected="a file of its own in a directory that exists"),))
        named |= {path.resolve()} if path is not None else set()
    try:
        simulation = Simulation(_history(cases), old, new)
    except SimulationError as error:
        _refuse("CASE...", error.problems)
    tally = _simulated(simulation, resume, out, lang)
    report = simulation.report(tally)
    content = simulation_document(simulation, report, lang.value, ids=ids)
    printed = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    if out is not None:
        _replace(out, printed.encode())
    if form is Format.JSON:
        _print(printed)
        return
    for part in pages(report, lang.value, ids=ids):
        _console.print(*pictured(part))


@app.command()
def national(
    cases: Annotated[list[Path], typer.Argument(metavar="CASE.json...", help="One for each municipality.")],
    policy: Annotated[
        list[Path] | None, typer.Option("--policy", metavar="P.toml", help="May be given several times.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Worker processes on this machine.")] = 2,
) -> None:
    """Count verdicts in whole municipalities under several policies, as JSON without small numbers.

    Quick and without explanations: the engine of record is not asked.
    """
    try:
        from allocator import cluster  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name not in ("narwhals", "dask", "distributed"):
            raise
        extra = Problem(path="national", expected="the extra `cluster`: pip install 'allocator[cluster]'")
        _refuse("", (extra,))
    used = [_policy(path) for path in policy] if policy else [_policy(None)]
    for path in cases:
        if not path.is_file() or cases.count(path) > 1:
            _refuse(str(path), (Problem(path="", expected="a file that is there, and is named once"),))
    with (
        cluster.local(workers) as client,
        Progress(
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=_errors,
            transient=True,
            disable=not _errors.is_terminal,
        ) as progress,
    ):
        if not cluster.encrypted():
            _errors.print("others on this machine can reach the workers; with `cryptography` they cannot")
        task = progress.add_task("", total=len(cases))
        answer = cluster.national(
            map(cluster.of_file, cases), used, client, done=lambda n: progress.update(task, completed=n)
        )
    _print(answer.to_bytes().decode())
    for name, kind in answer.failed:
        _errors.print(f"{name}: could not be judged ({kind}); `allocator suggest` says why a case is refused")
    if answer.failed:
        raise typer.Exit(FAILED)


@app.command()
def handbook(policy: PolicyPath = None, lang: LanguageOption = Language.NB) -> None:
    """Print the rule handbook: every rule in words, with its source, numbers and justification."""
    _print(write_handbook(_policy(policy), lang.value))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a case."""
    _print(json.dumps(case_schema(), ensure_ascii=False, indent=2) + "\n")


@app.command()
def serve(  # noqa: PLR0917 - options of a command
    case: Annotated[
        Path | None, typer.Argument(metavar="CASE.json", help="A case to serve, without any stored records.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database", envvar="ALLOCATOR_DATABASE", help="The office to serve instead of a case."
        ),
    ] = None,
    policy: PolicyPath = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    proxy: Annotated[
        str | None,
        typer.Option(help="Address of the proxy whose X-Forwarded headers count; without it nobody's do."),
    ] = None,
    key: office_cli.KeyOption = None,
    checkpoints: office_cli.PlaceOption = None,
) -> None:
    """Serve an office, where people log in; or a case, for systems with the token in ALLOCATOR_API_TOKEN."""
    from api.app import TOKEN_VARIABLE, WeakTokenError, create_app, run  # noqa: PLC0415 - the web is optional

    if case is None:
        if database is None:
            _refuse("", (Problem(path="CASE.json", expected="a case, or `--database` for an office"),))
        used = _policy(policy)
        _serve_office(database, used, host=host, port=port, proxy=proxy, signing=(key, checkpoints))
        return
    snapshot, used = _read(case, policy)
    if policy is not None:
        _usable(policy, used, snapshot.as_of)
    try:
        service = create_app(snapshot, used, token=os.environ.get(TOKEN_VARIABLE))
    except WeakTokenError as error:
        _refuse("", (Problem(path=TOKEN_VARIABLE, expected=str(error)),))
    run(service, host=host, port=port, proxy=proxy)


def _serve_office(
    database: str,
    used: Policy,
    *,
    host: str,
    port: int,
    proxy: str | None,
    signing: tuple[Path | None, Path | None],
) -> None:
    from allocator.clock import SystemClock  # noqa: PLC0415 - as below
    from allocator.operations import attended, kept_by  # noqa: PLC0415 - as below
    from api.app import TOKEN_VARIABLE, WeakTokenError, create_office, run  # noqa: PLC0415 - the web is optional

    with login_cli.opened(database) as connections:
        try:
            token, kept = os.environ.get(TOKEN_VARIABLE), kept_by(*signing)
            service = create_office(connections, SystemClock(), used, token=token, kept=kept)
        except WeakTokenError as error:
            _refuse("", (Problem(path=TOKEN_VARIABLE, expected=str(error)),))
        with attended(connections, *signing):
            run(service, host=host, port=port, proxy=proxy)


@app.command()
def demo(port: Annotated[int, typer.Option(min=1, max=65535)] = 8000) -> None:
    """Serve an invented municipality on this machine only, open to whoever sits at it.

    Its cases, meetings and decisions lie in a database of their own, which is gone when it stops.
    """
    from allocator.clock import SystemClock  # noqa: PLC0415 - as below
    from allocator.store.engine import Connections, connect  # noqa: PLC0415 - as below
    from allocator.store.migrate import migrate  # noqa: PLC0415 - as below
    from allocator.store.repository import SqlStorage  # noqa: PLC0415 - as below
    from api.app import create_office, run  # noqa: PLC0415 - the web is optional

    case_path = fixture("cases", "demo-municipality.json")
    snapshot, used = _read(case_path, None)
    names = [applicant.id for applicant in snapshot.applicants]
    vacant = [u.id for scheme in snapshot.schemes for u in scheme.units if u.status == "vacant"]
    address = f"http://127.0.0.1:{port}"
    shown_path = os.path.relpath(case_path)
    _console.print(
        Panel(
            "DEMO. All people here are invented. Anyone may log in as anyone: never put real data in.",
            title=f"allocator {__version__}",
            border_style="yellow",
        )
    )
    question, role = json.dumps({"applicant": names[0]}), json.dumps({"role": "committee_secretary"})
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="allocator-demo-") as directory:
        connections = Connections(connect(f"sqlite:///{directory}/office.db"))
        with _working():
            migrate(connections)
            _demo_office().populate(SqlStorage(connections), clock.today())
        for line in (
            f"Open in a browser: {address}/",
            "",
            f"Applicants: {', '.join(names[:4])} ...   Vacant units: {', '.join(vacant[:4])} ...",
            "",
            "Ask in another window:",
            f"  .venv/bin/allocator suggest {shown_path} --applicant {names[0]}",
            f"  .venv/bin/allocator shortlist {shown_path} --unit {vacant[0]}",
            f"  curl -s {address}/api/v1/suggestions -H 'content-type: application/json' -d '{question}'",
            "Work as somebody (caseworker, committee_leader, scheme_staff, property_manager ...):",
            f"  curl -s -c jar {address}/api/v1/demo-login -H 'content-type: application/json' -d '{role}'",
            "",
            f"API described: {address}/openapi.json     Stop: Ctrl+C",
        ):
            _console.print(line, soft_wrap=True)
        office = create_office(connections, clock, used, demo=True, case=snapshot)
        run(office, host="127.0.0.1", port=port)


def _demo_office() -> Any:
    """Return the module that fills the demo's database; it comes with a checkout, like its data."""
    import importlib.util  # noqa: PLC0415 - beside its one use

    specification = importlib.util.spec_from_file_location("demo_office", fixture("demo_office.py"))
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


# ------------------------------------------------------------------------------------------ proving


def _proved(policy: Policy, old: Policy | None, as_of: date | None, seconds: float, lang: str) -> int:
    """Print what is proved of a policy, or what changes from another; return the exit code."""
    # the prover takes longer to load than a question takes to answer
    from allocator.engines.symbolic import Budget  # noqa: PLC0415
    from allocator.policy_changes import changes  # noqa: PLC0415
    from allocator.proof_report import change_report, report  # noqa: PLC0415
    from allocator.proofs import TIMEOUT_MS, Status, check  # noqa: PLC0415

    budget = Budget(seconds, TIMEOUT_MS)
    with _working():
        if old is not None:
            day = as_of or policy.document.valid_from
            lines = change_report(old, policy, changes(old, policy, day, budget=budget), day, lang)
            code = 0
        else:
            checked = check(policy, as_of, profiles=_profiles(), budget=budget)
            lines = report(checked, lang)
            code = FAILED if checked.of(Status.REFUTED) else 0
    for line in lines:
        if line.heading:
            _console.print()
            _console.print(Text(line.said, style="bold"))
        else:
            mark = f"{line.mark} " if line.mark else ""
            _console.print(indented(mark + line.said, left=4 if line.example else 2, hang=2 if mark else 0))
    return code


def _usable(path: Path, policy: Policy, day: date) -> None:
    """Refuse a policy that contradicts itself or locks somebody out."""
    from allocator.proof_report import reasons  # noqa: PLC0415 - see above
    from allocator.proofs import obstacles  # noqa: PLC0415

    with _working():
        found = obstacles(policy, day)
    if found:
        for said in reasons(policy, found):
            _errors.print(f"{path}: {said}")
        _errors.print(f"{path}: expected a policy that `allocator check-policy` does not stop")
        raise typer.Exit(FAILED)


def _profiles() -> list[Any]:
    """Return the applicants of the cases that come with a checkout."""
    from allocator.facts import CaseFacts  # noqa: PLC0415 - see above
    from allocator.proofs import profile_of  # noqa: PLC0415

    found: list[Any] = []
    for path in sorted(fixture("cases").glob("*.json")):
        facts = CaseFacts(read_case(path.read_bytes()))
        found.extend(
            profile_of(f"{identifier} ({path.stem})", facts.applicant_facts(applicant), facts.as_of)
            for identifier, applicant in sorted(facts.applicants.items())
        )
    return found


def _day(given: str | None) -> date | None:
    try:
        return None if given is None else date.fromisoformat(given)
    except ValueError:
        _refuse("", (Problem(path="--as-of", expected="a date that exists, as YYYY-MM-DD"),))


# ------------------------------------------------------------------------------------------ reading


def fixture(*parts: str) -> Path:
    """Return a file that comes with a checkout of the project."""
    return Path(__file__).resolve().parent.parent.joinpath("fixtures", *parts)


def _read(case: Path, policy: Path | None) -> tuple[Snapshot, Policy]:
    used = _policy(policy)
    try:
        return read_case(_bytes(case)), used
    except DocumentError as error:
        _refuse(str(case), error.problems)


def _policy(path: Path | None, exit_code: int = BAD_INPUT) -> Policy:
    chosen = path or fixture("policies", "default.toml")
    try:
        text = _bytes(chosen).decode()
    except UnicodeDecodeError:
        _refuse(str(chosen), (Problem(path="", expected="UTF-8 text"),))
    try:
        return Policy.from_toml(text)
    except PolicyError as error:
        _refuse(str(chosen), error.problems, BAD_INPUT if error.malformed else exit_code)


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        _refuse(str(path), (Problem(path="", expected=f"a file that can be read ({error.strerror})"),))


def _history(paths: Iterable[Path]) -> Iterator[Snapshot]:
    """Yield the cases in files and directories."""
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            _refuse(str(path), (Problem(path="", expected="at least one case, in a file named *.json"),))
        for file in files:
            try:
                yield read_case(_bytes(file))
            except DocumentError as error:
                _refuse(str(file), error.problems)


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; nobody but its owner may read it."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        _refuse(str(path), (Problem(path="", expected=f"a file that can be written ({error.strerror})"),))


def _comparable(answer: Suggestions, compare: tuple[str, str] | None) -> None:
    entries = (entry.assessment for entry in answer.ranked)
    names = {a.unit if answer.unit is None else a.applicant for a in entries}
    if compare is not None and not set(compare) <= names:
        _refuse("", (Problem(path="--compare", expected="two ids that are in the answer"),))


def _print(text: str) -> None:
    """Print a document: the same bytes whatever the terminal's encoding is."""
    typer.echo(text.encode(), nl=False)


def _known(identifier: str, known: Iterable[str], option: str, what: str) -> None:
    if identifier not in set(known):
        _refuse("", (Problem(path=option, expected=f"the id of {what} in the case"),))


def _refuse(source: str, problems: tuple[Problem, ...], exit_code: int = BAD_INPUT) -> NoReturn:
    for problem in problems:
        place = ": ".join(part for part in (source, problem.path) if part)
        _errors.print(f"{place}: expected {problem.expected}")
    raise typer.Exit(exit_code)


def _asked(ask: Callable[[], Suggestions]) -> Suggestions:
    """Ask, showing that something goes on if a person is watching."""
    with _working(), _answering():
        return ask()


@contextmanager
def _answering() -> Iterator[None]:
    """Say it when the engine could not answer; explaining asks it again, for whole zones."""
    try:
        yield
    except EngineError as error:
        _errors.print(f"the engine could not answer: {error}")
        raise typer.Exit(FAILED) from None


@contextmanager
def _working() -> Iterator[None]:
    """Show that something goes on if a person is watching."""
    with Progress(
        SpinnerColumn(),
        TextColumn("..."),
        TimeElapsedColumn(),
        console=_errors,
        transient=True,
        disable=not _errors.is_terminal,
    ) as progress:
        progress.add_task("", total=None)
        yield


_SAVED_EVERY = 5
"""Seconds between two times that a simulation's work is written down."""


def _simulated(simulation: Simulation, resume: Path | None, out: Path | None, lang: Language) -> Tally:
    """Count a simulation to the end, going on from a checkpoint if there is one.

    The work is written down now and then where a place for it is given, and always when a person stops it.
    """
    hashes = inputs(simulation)
    tally = Tally()
    if resume is not None and resume.exists():
        try:
            tally = resumed(_bytes(resume), hashes)
        except SimulationError as error:
            _refuse(str(resume), error.problems)
    place = resume or (None if out is None else out.with_name(f"{out.name}.checkpoint"))
    name = hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:8]
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second time means at once

    usual, saved = signal.signal(signal.SIGINT, stop), time.monotonic()
    try:
        with Progress(
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=_errors,
            transient=True,
            disable=not _errors.is_terminal,
        ) as progress:
            task = progress.add_task("", total=simulation.steps)
            for _ in simulation.run(tally):
                progress.update(task, completed=simulation.done(tally))
                if stopped:
                    break
                if place is not None and time.monotonic() - saved > _SAVED_EVERY:
                    _replace(place, checkpoint(tally, hashes))
                    saved = time.monotonic()
    except EngineError as error:
        _errors.print(f"the engine could not answer: {error}")
        raise typer.Exit(FAILED) from None
    finally:
        signal.signal(signal.SIGINT, usual)
    if stopped:
        place = place or Path(f"simulation-{name}.checkpoint")
        _replace(place, checkpoint(tally, hashes))
        done = {"done": str(simulation.done(tally)), "all": str(simulation.steps), "path": str(place)}
        _errors.print(catalog(lang.value)("simulation.stopped", **done))
        raise typer.Exit(STOPPED)
    if place is not None:
        place.unlink(missing_ok=True)
    return tally


def _show(answer: Suggestions, reader: Reader, form: Format, lang: Language, view: View) -> None:
    if form is Format.JSON:
        with _answering():
            written = document(answer, reader, lang.value, view.compare)
        _print(json.dumps(written, ensure_ascii=False, indent=2) + "\n")
        return
    with _answering():
        renderables = list(rendered(Explainer(answer, reader, lang.value), view))
    for renderable in renderables:
        _console.print(renderable)


def main() -> None:
    """Run the command."""
    app()
