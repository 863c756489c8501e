"""A system's Taylor coefficients as a kernel, ``status = series(t, x, z, p, d, k, w, out)``; see `taylor_printer`."""

from __future__ import annotations

import functools
import threading
from typing import NamedTuple

from dynlab.codegen import cache
from dynlab.codegen.kernels import Kernel
from dynlab.codegen.taylor import lower_taylor
from dynlab.codegen.taylor_printer import row_parts, series_source, workspace
from dynlab.symbolic.system import System

__all__ = ["Series", "series_of"]

_lock = threading.RLock()


class Series(NamedTuple):
    """The kernel, and how many numbers of workspace it needs."""

    kernel: Kernel
    workspace: int


def series_of(system: System, order: int) -> Series:
    """Return the kernel of the Taylor coefficients up to an order; systems with the same rule share it.

    Raises
    ------
    UnsupportedSystemError
        If the rule has no Taylor series: see `dynlab.codegen.taylor`.
    """
    with _lock:
        made = _shared(system.rule_hash)
        parts = row_parts(order)
        if parts not in made:
            program = lower_taylor(system)
            compiled = cache.compile_kernel(series_source(program, order), "series", 0)
            kernel = Kernel(compiled.address, 0, 0, compiled)
            made[parts] = Series(kernel, workspace(program))
        return made[parts]


@functools.cache
def _shared(rule_hash: str) -> dict[int, Series]:
    """Return what has been built so far for a rule."""
    return {}
