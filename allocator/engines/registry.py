"""The engines by name, made once for each set of rules."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date

from allocator.engines import Engine
from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.policy import BoundRule, Policy

ENGINES: Mapping[str, Callable[[tuple[BoundRule, ...]], Engine]] = {
    DurableEngine.name: DurableEngine,
    ReferenceEngine.name: ReferenceEngine,
}
"""What makes an engine, by its name. The first is the engine of record."""

_KEPT = 8
_made: OrderedDict[tuple[str, str, tuple[str, ...]], Engine] = OrderedDict()
_lock = threading.Lock()


def engine(name: str, policy: Policy, as_of: date) -> Engine:
    """Return the engine of that name for the rules of *policy* that are on that day.

    Raises:
        KeyError: There is no engine of that name.
    """
    rules = policy.active(as_of)
    key = (name, policy.sha256, tuple(rule.id for rule in rules))
    with _lock:
        if key in _made:
            _made.move_to_end(key)
        else:
            _made[key] = ENGINES[name](rules)
            if len(_made) > _KEPT:
                _made.popitem(last=False)
        return _made[key]
