"""Which engines answer here: the engine of record in processes of its own, checked against a second one."""

from __future__ import annotations

import structlog

from allocator.engines import Engine
from allocator.engines.columnar import ColumnarEngine
from allocator.engines.contained import ContainedEngine
from allocator.engines.crosscheck import Checked
from allocator.engines.registry import ENGINES
from allocator.engines.registry import install as install_engine
from allocator.policy import BoundRule
from api.metrics import CHECKED, DISAGREEMENTS, FAILURES, JUDGED

_log = structlog.get_logger("allocator.engines")


class Counted:
    """Counts what is judged and checked."""

    def judged(self, engine: str, candidates: int) -> None:
        """Count candidates that an engine has judged."""
        JUDGED.labels(engine).inc(candidates)

    def checked(self, candidates: int, disagreeing: int) -> None:
        """Count candidates that two engines have judged, and those they disagree about."""
        CHECKED.inc(candidates)
        DISAGREEMENTS.inc(disagreeing)


def failed(reason: str) -> None:
    """Count and log that a process of the engine of record has failed."""
    FAILURES.inc()
    _log.warning("engine_process_failed", reason=reason)


def of_record(rules: tuple[BoundRule, ...]) -> Engine:
    """Return the engine that decides what people are shown."""
    return Checked(ContainedEngine(rules, failed=failed), ColumnarEngine(rules), Counted())


def install() -> None:
    """Let the engine of record decide so in all of this process, whoever asks for it."""
    install_engine(next(iter(ENGINES)), of_record)
