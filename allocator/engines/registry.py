"""The engines by name, made once for each set of rules."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date

from allocator.engines import Engine
from allocator.engines.columnar import ColumnarEngine
from allocator.engines.durable import DurableEngine
from allocator.engines.reference import ReferenceEngine
from allocator.policy import BoundRule, Policy

ENGINES: Mapping[str, Callable[[tuple[BoundRule, ...]], Engine]] = {
    DurableEngine.name: DurableEngine,
    ReferenceEngine.name: ReferenceEngine,
    ColumnarEngine.name: ColumnarEngine,
}
"""What makes an engine, by its name. The first is the engine of record."""

Maker = Callable[[tuple[BoundRule, ...]], Engine]
"""What makes an engine for rules."""

_installed: dict[str, Maker] = {}
_KEPT = 8
_made: OrderedDict[tuple[str, str, tuple[str, ...]], Engine] = OrderedDict()
_lock = threading.Lock()


def install(name: str, make: Maker) -> None:
    """Use *make* for the engine of that name, in all of this process and from now on.

    For those who put a program together: what is asked for by name, here or anywhere, is then made so.

    Raises:
        KeyError: There is no engine of that name.
    """
    if name not in ENGINES:
        raise KeyError(name)
    with _lock:
        if _installed.get(name) is make:
            return
        _installed[name] = make
        for key in [key for key in _made if key[0] == name]:
            del _made[key]


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
            _made[key] = (_installed.get(name) or ENGINES[name])(rules)
            if len(_made) > _KEPT:
                _made.popitem(last=False)
        return _made[key]
