"""National runs on a Dask cluster: one task for each municipality.

The client may be of any Dask cluster; :func:`local` starts one on this machine. A task loads a municipality,
judges it under every policy and gives back what :func:`allocator.national.told` lets out. A worker that dies
is replaced and its municipality judged again. The answer is the same bytes whatever the number of workers
and whoever finishes first.

A task never fails in Dask's eyes, since Dask writes what a failed task was given to its log: it answers with
the kind of error, and nothing that it read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dask
from distributed import Client, LocalCluster, as_completed

from allocator.documents import read_case
from allocator.model import Snapshot
from allocator.national import Answer, Municipal, National, judge
from allocator.policy import Policy

LOOPBACK = "127.0.0.1"

_IN_MEMORY = {"distributed.worker.memory.target": False, "distributed.worker.memory.spill": False}
"""Workers never write what they hold to disk."""

_AHEAD = 2
"""Tasks handed out for each thread: enough that none waits, few enough that memory does not grow."""


@contextmanager
def local(workers: int) -> Iterator[Client]:
    """Start worker processes on this machine, reachable from this machine only.

    Nothing of what they hold is written to disk. If :func:`encrypted` says no, whoever is logged in to this
    machine can reach the workers.

    Args:
        workers: Number of worker processes, each with one thread.
    """
    with (
        dask.config.set(_IN_MEMORY),
        TemporaryDirectory(prefix="allocator-") as directory,
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            dashboard_address=f"{LOOPBACK}:0",
            worker_dashboard_address=f"{LOOPBACK}:0",
            security=True if encrypted() else None,
            local_directory=directory,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


def encrypted() -> bool:
    """Return whether local workers talk over encrypted connections and check each other's certificates."""
    return find_spec("cryptography") is not None


def of_snapshot(name: str, case: Snapshot) -> Municipal:
    """Return a municipality whose snapshot is at hand; it goes to the workers as a document."""
    return Municipal(name, _Document(case.model_dump_json().encode()))


def of_file(path: Path) -> Municipal:
    """Return a municipality whose case is a file that every worker can read."""
    return Municipal(str(path), _File(path.resolve()))


@dataclass(frozen=True)
class _File:
    """A case in a file."""

    path: Path

    def __call__(self) -> Snapshot:
        return read_case(self.path.read_bytes())


@dataclass(frozen=True)
class _Document:
    """A case document, which goes between processes where a snapshot does not."""

    data: bytes = field(repr=False)

    def __call__(self) -> Snapshot:
        return read_case(self.data)


@dataclass(frozen=True)
class _Failed:
    """A municipality that could not be judged, and what kind of error it was."""

    kind: str


def national(
    cases: Iterable[Municipal],
    policies: Sequence[Policy],
    client: Client,
    *,
    everything: bool = False,
    keep_pairs: bool = False,
    done: Callable[[int], object] = lambda _number: None,
) -> National:
    """Judge municipalities under each policy, on a cluster.

    Args:
        cases: The municipalities; taken one by one, so that they need not all be in memory.
        policies: The policies.
        client: A client of the cluster.
        everything: Look at all units, also at those that somebody lives in.
        keep_pairs: Give the pairs too, for readers who are cleared.
        done: Is told how many municipalities are done.

    Raises:
        ValueError: There is no policy, or two municipalities have one name.
    """
    if not policies:
        raise ValueError("at least one policy")
    contents = tuple(_Content(policy.document.model_dump(exclude_unset=True)) for policy in policies)
    names: list[str] = []
    answers: dict[int, Answer | _Failed] = {}
    waiting = iter(cases)
    numbers: dict[Any, int] = {}
    at_work = as_completed()  # type: ignore[no-untyped-call]

    def hand_out() -> None:
        case = next(waiting, None)
        if case is not None:
            if case.name in names:
                raise ValueError("a name of its own for each municipality")
            future = client.submit(
                _judge, case.load, contents, everything=everything, keep_pairs=keep_pairs, pure=False
            )
            numbers[future.key] = len(names)
            names.append(case.name)
            at_work.add(future)  # type: ignore[no-untyped-call]

    threads = sum(client.nthreads().values())  # type: ignore[no-untyped-call]
    for _ in range(_AHEAD * threads):
        hand_out()
    for future in at_work:
        error = future.exception()
        number = numbers.pop(future.key)
        answers[number] = future.result() if error is None else _Failed(type(error).__name__)
        future.release()
        done(len(answers))
        hand_out()
    judged = [(names[number], answers[number]) for number in range(len(names))]
    return National(
        tuple((policy.name, policy.version, policy.sha256) for policy in policies),
        tuple((name, answer) for name, answer in judged if isinstance(answer, Answer)),
        tuple((name, answer.kind) for name, answer in judged if isinstance(answer, _Failed)),
    )


# ------------------------------------------------------------------------------------- on a worker


class _Content:
    """A policy document; the policy is made of it once in each worker."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self._key = repr(content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=16)
def _policy(content: _Content) -> Policy:
    return Policy(content.content)


def _judge(
    load: Callable[[], Snapshot], contents: tuple[_Content, ...], *, everything: bool, keep_pairs: bool
) -> Answer | _Failed:
    try:
        policies = [_policy(content) for content in contents]
        return judge(load(), policies, everything=everything, keep_pairs=keep_pairs)
    except Exception as error:  # noqa: BLE001 - an error's own words may hold what was read
        return _Failed(type(error).__name__)
