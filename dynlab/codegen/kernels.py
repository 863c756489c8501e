"""Kernels: the compiled forms of a system, each built when first asked for.

Kernels are keyed by the rule and the names in it; parameter values are data, so changing one never
compiles anything.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen import cache, loop_printer, loops, lower, printer
from dynlab.codegen.along import lower_along
from dynlab.codegen.inputs import Inputs, inputs_of, signal_place
from dynlab.codegen.sparse import SparseJacobian, with_pattern
from dynlab.errors import UnknownNameError, UnsupportedSystemError
from dynlab.symbolic.dynamics import Dynamics, refuse_delays
from dynlab.symbolic.events import Event
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import to_tree

__all__ = ["Kernel", "Kernels", "kernels_of"]

Vector = NDArray[np.float64]
_NO_ARRAYS = np.zeros(1)
_NO_SIZES = np.zeros(1, np.int64)
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
    arrays, sizes
        The network that the system is bound to, as `d` and `k`.
    """

    address: int
    size: int
    directions: int
    compiled: Any
    arrays: Vector = field(default_factory=lambda: _NO_ARRAYS)
    sizes: NDArray[np.int64] = field(default_factory=lambda: _NO_SIZES)

    def __call__(self, t: float, x: Vector, p: Vector, *directions: Vector) -> Vector:
        """Evaluate once from Python (some microseconds; algorithms use the address)."""
        out = np.empty(max(self.size, 1))
        vectors = [np.ascontiguousarray(v, dtype=float) for v in (x, p, *directions)]
        x_at, p_at, *direction_at = (v.ctypes.data for v in vectors)
        call = _prototype(self.directions)(self.address)
        none = out.ctypes.data
        d, k = self.arrays.ctypes.data, self.sizes.ctypes.data
        call(float(t), x_at, none, p_at, d, k, none, *direction_at, none)
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
        refuse_delays(self._system)
        return self._get("rhs", lower.lower_rule, lambda s: loops.lower_loops("rhs", s))

    @property
    def lagged(self) -> Kernel:
        """The rate of change of each state of a system with delays; those of the past stand in z."""
        return self._get("rhs", lower.lower_rule, None)

    def inputs(self, active: tuple[str, ...] = (), order: int = 1) -> Inputs:
        """Return what the kernels that differentiate by these parameters up to an order are given."""
        return inputs_of(self._system)

    def jacobian(self, active: tuple[str, ...] = ()) -> Kernel:
        """Return the derivatives by states and active parameters, n rows of n + a numbers."""
        refuse_delays(self._system)
        return self._get(
            ("jacobian", active),
            lambda s: lower.lower_jacobian(s, active),
            lambda s: loops.lower_loops("jacobian", s, active),
        )

    def derivative(self, order: int, active: tuple[str, ...] = ()) -> Kernel:
        """Return the multilinear derivative of an order (1 to 5), over states then parameters.

        The first order is the product J v.
        """
        return self._get(
            ("derivative", order, active),
            lambda s: lower.lower_derivative(s, order, active),
            lambda s: loops.lower_loops("derivative", s, active, order),
        )

    @property
    def product(self) -> Kernel:
        """Return the product J v of a system with delays; v goes on with the deviations of the past."""
        return self._get("product", lower.lower_product, None)

    def transposed(self, active: tuple[str, ...] = ()) -> Kernel:
        """Return the product J' u, over states then parameters, for one direction u."""
        return self._get(
            ("transposed", active),
            lambda s: lower.lower_transposed(s, active),
            lambda s: loops.lower_loops("vjp", s, active),
        )

    def sparse_jacobian(self, active: tuple[str, ...] = ()) -> SparseJacobian:
        """Return the derivatives by states and active parameters as a sparse matrix."""
        system = self._system
        key = ("sparse", active)
        n = len(system.state_names)
        shape = (n, n + len(active))
        if not system.is_indexed:
            rows, columns, program = lower.lower_entries(system, active)
            kernel = self._get(key, lambda s: program, None)
            return with_pattern(kernel, rows, columns, shape)
        x, p = np.zeros(n), np.array(system.parameter_values or (0.0,))
        count = self.count_of_entries(active)
        pairs = self._entries("pattern", active, 2 * count)(0.0, x, p).astype(np.int64)
        kernel = self._entries("entries", active, count)
        return with_pattern(kernel, pairs[0::2], pairs[1::2], shape)

    def count_of_entries(self, active: tuple[str, ...] = ()) -> int:
        """Return how many entries the `sparse_jacobian` of a network has, without making their pattern."""
        system = self._system
        x, p = np.zeros(len(system.state_names)), np.array(system.parameter_values or (0.0,))
        return int(self._entries("count", active, 1)(0.0, x, p)[0])

    def _entries(self, kind: str, active: tuple[str, ...], size: int) -> Kernel:
        return self._get(
            (kind, active), None, lambda s: loops.lower_loops(kind, s, active), size=size
        )

    def along(self, order: int) -> Kernel:
        """Return the derivatives of the states by time along the flow, up to the third."""
        return self._get(("along", order), lambda s: lower_along(s, order), None)

    def expressions(self, expressions: Sequence[sympy.Expr]) -> Kernel:
        """Return a kernel of any expressions in the system's names: guards, observables."""
        trees = tuple(to_tree(e) for e in expressions)
        return self._get(
            ("expressions", trees),
            lambda s: lower.lower("expressions", s, expressions),
            lambda s: loops.lower_loops("expressions", s, expressions=expressions),
            size=len(trees),
        )

    guard = expressions

    def guard_and_rate(self, expressions: Sequence[sympy.Expr]) -> Kernel:
        """Return the values of guards and, after them, how fast each changes along the flow."""
        trees = tuple(to_tree(e) for e in expressions)
        return self._get(
            ("guard and rate", trees),
            lambda s: lower.lower_guard_and_rate(s, tuple(expressions)),
            None,
        )

    def guard_gradient(self, active: tuple[str, ...] = ()) -> Kernel:
        """Return for each event a row: its guard's derivatives by states, parameters, and time."""
        key = tuple(to_tree(event.guard) for event in self._system.events)
        return self._get(
            ("guard gradient", key, active), lambda s: lower.lower_guard_gradient(s, active), None
        )

    def reset(self, event: str) -> Kernel:
        """Return the state after an event."""
        return self.expressions(self._map_of(event))

    def reset_jacobian(self, event: str, active: tuple[str, ...] = ()) -> Kernel:
        """Return the new state's derivatives by states, active parameters and time, row by row."""
        new = self._map_of(event)
        key = tuple(to_tree(e) for e in new)
        return self._get(
            ("reset jacobian", key, active),
            lambda s: lower.lower_event_jacobian("reset_jacobian", s, new, active),
            None,
        )

    @property
    def node_guards(self) -> Kernel:
        """The guards of all nodes of a network, one event after another."""
        return self._node_guards("node guards", 0)

    @property
    def node_guard_rates(self) -> Kernel:
        """How fast these guards change while the state moves in a direction and the time passes."""
        return self._node_guards("node guard rates", 1)

    def _node_guards(self, word: str, order: int) -> Kernel:
        system = self._system
        key = (word, *((to_tree(e.guard), e.over) for e in system.events))
        assert system.bound is not None
        size = sum(system.bound.sizes[e.over] for e in system.events)
        return self._get(
            key, None, lambda s: loops.lower_loops("guards", s, order=order), size=size
        )

    def expression_rates(self, expressions: Sequence[sympy.Expr]) -> Kernel:
        """Return how fast expressions of a network change, as `node_guard_rates` does."""
        trees = tuple(to_tree(e) for e in expressions)
        return self._get(
            ("expression rates", trees),
            None,
            lambda s: loops.lower_loops("expressions", s, order=1, expressions=expressions),
            size=len(trees),
        )

    def node_guard(self, event: Event) -> Kernel:
        """Return the guard of one node; the node's number stands in z."""
        key = ("node guard", event.over, to_tree(event.guard))
        return self._get(
            key, None, lambda s: loops.lower_loops("guard", s, expressions=(event,)), size=1
        )

    def node_reset(self, event: Event) -> Kernel:
        """Return what one node's event does; the node's number stands in z, the state is set in place."""
        trees = [(s, to_tree(e)) for s, e in (*event.reset, *event.deliver)]
        key = ("node reset", event.over, tuple(trees))
        return self._get(
            key, None, lambda s: loops.lower_loops("reset", s, expressions=(event,)), size=0
        )

    def _map_of(self, name: str) -> tuple[sympy.Expr, ...]:
        system = self._system
        for event in system.events:
            if event.name == name:
                return event.map_of(system.state_names)
        raise UnknownNameError(f"event of {system.name!r}", name, system.event_names)

    @property
    def observables(self) -> Kernel:
        """The observables of the system in order."""
        return self.expressions([o.expression for o in self._system.observables])

    def _get(self, key: Any, scalar: Any, looped: Any, size: int | None = None) -> Kernel:
        """Return a kernel, building it when it is first asked for."""
        system = self._system
        with _lock:
            if key not in self._built:
                program = (looped if system.is_indexed else scalar)(system)
                self._built[key] = _build(program, _places_of_signals(system))
            found = self._built[key]
        if not (system.is_indexed or system.signals):
            return found
        inputs = inputs_of(system)
        if not system.is_indexed:
            return replace(found, arrays=inputs.arrays, sizes=inputs.sizes)
        if size is None:
            n = len(system.state_names)
            active = len(key[-1]) if isinstance(key, tuple) else 0
            size = {"jacobian": n * (n + active), "transposed": n + active}.get(key[0], n)
        return replace(found, size=size, arrays=inputs.arrays, sizes=inputs.sizes)


@functools.singledispatch
def kernels_of(system: Dynamics) -> Kernels:
    """Return the kernels of a system; systems with the same rule share them."""
    raise UnsupportedSystemError(f"{type(system).__name__} has no kernels. Give a system.")


@kernels_of.register
def _(system: System) -> Kernels:
    return Kernels(system, _shared(system.rule_hash))


@functools.cache
def _shared(rule_hash: str) -> dict[Any, Kernel]:
    """Return what has been built so far for a rule."""
    return {}


def _places_of_signals(system: System) -> str:
    """Return the lines that say where the integers of each signal stand in ``k``; none without any."""
    if not system.signals:
        return ""
    places = {s.name: signal_place(system, s.name) for s in system.signals}
    lines = [f"{printer.SIGNAL}{name} = {place}" for name, place in places.items()]
    return "\n".join(["", "from dynlab.kernels.recorded import recorded", "", *lines, ""])


def _build(program: lower.Program | loops.LoopProgram, constants: str) -> Kernel:
    if isinstance(program, loops.LoopProgram):
        text, size = loop_printer.loop_source(program), 0
    else:
        text, size = printer.source(program), len(program.outputs)
    compiled = cache.compile_kernel(text + constants, program.kind, program.directions)
    return Kernel(compiled.address, size, program.directions, compiled)


@functools.cache
def _prototype(directions: int) -> Any:
    """Return the C prototype of a kernel, every array as a plain address."""
    return ctypes.CFUNCTYPE(
        ctypes.c_int64, ctypes.c_double, *([ctypes.c_void_p] * (7 + directions))
    )
