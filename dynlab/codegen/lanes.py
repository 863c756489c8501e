"""A system's equations as a kernel for lanes: many members of an ensemble in one processor instruction.

The same Program, printed a second time: what a float is elsewhere is a group of `lanes.WIDTH` numbers
here, one per member, and both sides of a condition are computed.  ::

    status = kernel(t, x, z, p, d, k, w, out)      t, x, p and out of lanes, the rest shared

Printed are systems whose states and parameters are scalars and whose equations use nothing but
them and the time; all others (networks, inputs from outside) have no such kernel and run one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from numba import types

from dynlab.codegen import cache, lower
from dynlab.codegen.kernels import Kernel
from dynlab.codegen.lane_printer import orbit_source, source
from dynlab.errors import CompileError
from dynlab.kernels.lanes import lanes
from dynlab.symbolic.dynamics import Dynamics
from dynlab.symbolic.system import System

__all__ = ["lane_kernel", "orbit_kernel"]

_FLOATS, _LANES = types.CPointer(types.float64), types.CPointer(lanes)
SIGNATURE = types.int64(
    lanes, _LANES, _FLOATS, _LANES, _FLOATS, types.CPointer(types.int64), _FLOATS, _LANES
)
#: Parts that a system may have and lanes do not know.
_UNKNOWN = ("signals", "events", "noise", "delays")
_lock = threading.RLock()
_built: dict[Any, Kernel | None] = {}


def lane_kernel(system: Dynamics) -> Kernel | None:
    """Return the kernel of the right-hand side for lanes, or None if the system has none."""
    return _found(system, source)


def orbit_kernel(system: Dynamics) -> Kernel | None:
    """Return the kernel that takes ``k[0]`` steps of a map in lanes, or None if the map has none."""
    return _found(system, orbit_source)


def _found(system: Dynamics, print_: Callable[[lower.Program], str]) -> Kernel | None:
    if not isinstance(system, System) or system.is_indexed:
        return None
    if any(getattr(system, part, None) for part in _UNKNOWN):
        return None
    key = (system.rule_hash, print_)
    with _lock:
        if key not in _built:
            _built[key] = _build(system, print_)
        return _built[key]


def _build(system: System, print_: Callable[[lower.Program], str]) -> Kernel | None:
    try:
        text = print_(lower.lower_rule(system))
    except CompileError:
        return None
    compiled = cache.compile_function(text, "rhs", SIGNATURE)
    return Kernel(compiled.address, len(system.state_names), 0, compiled)
