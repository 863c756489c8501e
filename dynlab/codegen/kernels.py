"""Kernels: the compiled forms of a system, each built when first asked for.

Kernels are keyed by the rule and the names in it; parameter values are data, so changing one never
compiles anything.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen import cache, lower, printer
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import to_tree

__all__ = ["Kernel", "Kernels", "kernels_of"]

Vector = NDArray[np.float64]
_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class Kernel:
    """One compiled function of a system.

    Parameters
    ----------
    address
        Where the C function stands; what algorithms are given.
    size
        How many numbers it writes.
    directions
        How many direction vectors it takes.
    compiled
        The compiled object; whoever holds the Kernel keeps the code alive.
    """

    address: int
    size: int
    directions: int
    compiled: Any

    def __call__(self, t: float, x: Vector, p: Vector, *directions: Vector) -> Vector:
        """Evaluate once from Python (some microseconds; algorithms use the address)."""
        out = np.empty(max(self.size, 1))
        vectors = [np.ascontiguousarray(v, dtype=float) for v in (x, p, *directions)]
        x_at, p_at, *direction_at = (v.ctypes.data for v in vectors)
        call = _prototype(self.directions)(self.address)
        none = out.ctypes.data
        call(float(t), x_at, none, p_at, none, none, none, *direction_at, none)
        return out[: self.size]


class Kernels:
    """The kernels of one rule; obtained from `kernels_of`."""

    __slots__ = ("_built", "_system")

    def __init__(self, system: System, built: dict[Any, Kernel]) -> None:
        self._system = system
        self._built = built

    @property
    def rhs(self) -> Kernel:
        """The rate of change of each state, or the next state of a map."""
        return self._get("rhs", lower.lower_rule)

    def jacobian(self, active: tuple[str, ...] = ()) -> Kernel:
        """Return the derivatives by states and active parameters, n rows of n + a numbers."""
        return self._get(("jacobian", active), lambda s: lower.lower_jacobian(s, active))

    def derivative(self, order: int, active: tuple[str, ...] = ()) -> Kernel:
        """Return the multilinear derivative of an order (1 to 5), over states then parameters."""
        return self._get(
            ("derivative", order, active), lambda s: lower.lower_derivative(s, order, active)
        )

    def expressions(self, expressions: Sequence[sympy.Expr]) -> Kernel:
        """Return a kernel of any expressions in the system's names: guards, observables."""
        trees = tuple(to_tree(e) for e in expressions)
        return self._get(
            ("expressions", trees), lambda s: lower.lower("expressions", s, expressions)
        )

    guard = expressions

    @property
    def observables(self) -> Kernel:
        """The observables of the system in order."""
        return self.expressions([o.expression for o in self._system.observables])

    def _get(self, key: Any, make: Any) -> Kernel:
        with _lock:
            if key not in self._built:
                self._built[key] = _build(make(self._system))
            return self._built[key]


def kernels_of(system: System) -> Kernels:
    """Return the kernels of a system; systems with the same rule share them."""
    return Kernels(system, _shared(system.rule_hash))


@functools.cache
def _shared(rule_hash: str) -> dict[Any, Kernel]:
    """Return what has been built so far for a rule."""
    return {}


def _build(program: lower.Program) -> Kernel:
    compiled = cache.compile_kernel(printer.source(program), program.kind, program.directions)
    return Kernel(compiled.address, len(program.outputs), program.directions, compiled)


@functools.cache
def _prototype(directions: int) -> Any:
    """Return the C prototype of a kernel, every array as a plain address."""
    return ctypes.CFUNCTYPE(
        ctypes.c_int64, ctypes.c_double, *([ctypes.c_void_p] * (7 + directions))
    )
