"""The engines measured, one module each, behind one interface.

A peer is made for a case and answers for an applicant with all rows, best first, in the form of
:data:`bench.workload.Row`. Making it ready (its *set-up*) is not part of an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from bench.encoded import Encoded
from bench.workload import Case, Row


class Peer(Protocol):
    """An engine made for one case."""

    def rows(self, applicant: str) -> list[Row]:
        """Rank all units for an applicant."""
        ...


class MissingPeerError(ImportError):
    """A peer that cannot be measured here; says what is missing."""


@dataclass(frozen=True)
class Kind:
    """An engine that can be measured.

    Attributes:
        name: As the tables call it.
        module: Module of `bench.peers`, or of `bench`, with a class ``Peer``.
        package: What has to be installed; None if nothing beyond what the product needs.
        host: What the engine cannot express, and Python does for it.
        ours: Whether it is one of ours; the others are compared with these.
        rules: Whether it is a rule or query engine; the floor and plain Python are not.
    """

    name: str
    module: str
    package: str | None
    host: str
    ours: bool = False
    rules: bool = True

    @property
    def title(self) -> str:
        """Name and version."""
        if self.package is None:
            return self.name
        try:
            return f"{self.name} ({self.package} {version(self.package)})"
        except PackageNotFoundError:
            return f"{self.name} ({self.package}, not installed)"

    def load(self) -> Callable[[Case, Encoded | None], Peer]:
        """Return what makes the peer.

        Raises:
            MissingPeerError: Its package is not installed, or it is not there yet.
        """
        try:
            made: Callable[[Case, Encoded | None], Peer] = import_module(self.module).Peer
        except ImportError as error:
            needs = f"package {self.package}" if self.package else "a part of allocator"
            raise MissingPeerError(f"{self.name}: needs {needs}: {error}") from error
        return made


_IN_HOST = "three values, counting, sorting, points"

KINDS: tuple[Kind, ...] = (
    Kind("floor", "bench.floor", None, "everything is written by hand", rules=False),
    Kind("columnar", "bench.peers.columnar", None, "nothing", ours=True),
    Kind("reference", "bench.peers.reference", None, "nothing", ours=True),
    Kind("durable", "bench.peers.durable", None, "nothing (our compiler gives it what it lacks)", ours=True),
    Kind("plain objects", "bench.peers.plain", None, "everything is written by hand", rules=False),
    Kind("ZEN", "bench.peers.zen", "zen-engine", _IN_HOST),
    Kind("CLIPS", "bench.peers.clips", "clipspy", _IN_HOST),
    Kind("Rego", "bench.peers.rego", "gordon-to-regorus", _IN_HOST),
    Kind("CEL", "bench.peers.cel", "common-expression-language", _IN_HOST),
    Kind("clingo", "bench.peers.clingo", "clingo", "three values, sorting, points"),
    Kind("DuckDB", "bench.peers.duckdb", "duckdb", "nothing: null is unknown, as in our language"),
)
"""All engines, in the order of the tables."""

BY_NAME = {kind.name: kind for kind in KINDS}
"""Engines by name."""
