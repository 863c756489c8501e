"""Clocked: networks of spiking units, integrated in equal steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels.convention import RUNNING
from dynlab.names import finite
from dynlab.solve.chunks import in_chunks
from dynlab.solve.legs import pause_of
from dynlab.solve.methods import OdeMethod
from dynlab.solve.pieces import Kept
from dynlab.solve.trajectory import NodeEvents
from dynlab.status import Status
from dynlab.symbolic.node_events import with_held_states
from dynlab.symbolic.system import System

__all__ = ["Clocked", "place_in_arrays", "run_clocked", "sorted_by_event"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Numbers that a run may keep.
MOST_NUMBERS = 50_000_000
#: Room for the spikes of a chunk, beside one for each guard.
SPIKES = 1 << 16


@dataclass(frozen=True, slots=True)
class Clocked(OdeMethod):
    """Equal steps for networks whose nodes have events: the way of clock-driven simulators.

    Between events the state advances by the classical method of order 4; events of the nodes are seen
    at the ends of steps.  Spike times are read off between them; resets and deliveries take effect at the
    end of the step, and a node that is pushed over its threshold fires with it.  The error after an event
    is of the first order of the step.

    The other methods locate the events inside their steps, to their tolerances, and take a step for each.
    Equal steps are for networks so large that there are many events in a step.

    Parameters
    ----------
    step
        Size of a step in the system's unit of time.

    Raises
    ------
    SettingError
        If the step is not positive.

    Examples
    --------
    >>> import dynlab as dl
    >>> net = dl.zoo.izhikevich_network.on(dl.AllToAll(5))(I=10.0, w=0.0)
    >>> run = dl.integrate(net, duration=200, at=[200], method=dl.Clocked(step=0.1))
    >>> len(run.events["spike"])
    25

    References
    ----------
    Brette et al. 2007, J. Comput. Neurosci. 23, 349, section 2 (strategies for spiking networks).
    """

    step: float

    @property
    def loops(self) -> Any:
        """The kernel module with the compiled loop."""
        from dynlab.kernels import clocked

        return clocked

    def __post_init__(self) -> None:
        if finite(self.step, "step") <= 0:
            raise SettingError(f"step is {self.step}; give a positive step of time.")


def run_clocked(
    system: System, start: Array, span: float, method: Clocked, times: Array | None
) -> Kept:
    """Run a network of spiking units; see `Clocked`."""
    clocked = method.loops
    if span < 0:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot run backwards: what a reset overwrote cannot be told."
        )
    wanted = max(1, round(span / method.step)) if span else 0
    h = span / wanted if wanted else method.step
    if times is None:
        _require_room(wanted, len(start), system)
        times = np.linspace(0.0, span, wanted + 1)
    system, held = with_held_states(system)
    kernels = kernels_of(system)
    guards, resets = kernels.node_guards, [kernels.node_reset(e) for e in system.events]
    assert system.bound is not None
    counts = np.array([system.bound.sizes[e.over] for e in system.events], np.int64)
    directions = np.array([e.direction for e in system.events], np.int64)
    applies = np.array([r.address for r in resets], np.int64)
    alone = [kernels.node_guard(e) for e in system.events]
    ones = np.array([guard.address for guard in alone], np.int64)
    moving = np.array(
        [place_in_arrays(system, held[e.name]) if e.name in held else -1 for e in system.events]
    )
    deaf = np.full((len(counts), int(counts.max())), -np.inf)
    pauses = np.array([pause_of(system, e) for e in system.events])
    inputs = inputs_of(system)
    # The loop writes there which nodes move; nobody else may see it.
    inputs = inputs._replace(arrays=inputs.arrays.copy())
    before = np.zeros((clocked.BEFORE_ROWS, int(counts.sum())))
    before[0] = guards(0.0, start, inputs.parameters)
    work, progress = np.zeros((clocked.WORK_ROWS, len(start))), np.zeros(4, np.int64)
    work[clocked.X], progress[clocked.WANTED] = start, wanted
    out = np.empty((len(times), len(start)))
    spike_times, spikes = (
        np.empty(SPIKES + before.shape[1]),
        np.empty((SPIKES + before.shape[1], 2), np.int64),
    )
    pieces: list[tuple[Array, Any]] = []
    rhs = kernels.rhs

    def take(steps: int) -> int:
        progress[clocked.SPIKES] = 0
        status = clocked.advance(
            rhs.address, h, progress, work, *inputs, guards.address, counts, directions, applies, ones,
            moving, deaf, pauses, before, times, out, spike_times, spikes, steps,
        )  # fmt: skip
        count = int(progress[clocked.SPIKES])
        pieces.append((spike_times[:count].copy(), spikes[:count].copy()))
        return int(status)

    first = max(1, int(20_000 / len(start)))
    status = (
        in_chunks(take, lambda: progress[0] * h, span, "integrate", first) if wanted else RUNNING
    )
    reached = int(progress[clocked.KEPT])
    while reached < len(times) and times[reached] <= progress[0] * h * (1 + 1e-12):
        out[reached] = work[clocked.X]
        reached += 1
    end = np.append(progress[0] * h, work[clocked.X])
    spiked = np.concatenate([t for t, _ in pieces] or [np.empty(0)])
    which = np.concatenate([s for _, s in pieces] or [np.empty((0, 2), np.int64)])
    found = sorted_by_event(system, spiked, which[:, 0], which[:, 1])
    return Kept(
        Status(status) if wanted else Status.OK, times[:reached], out[:reached], None, found, end
    )


def _require_room(steps: int, size: int, system: System) -> None:
    if steps * size > MOST_NUMBERS:
        raise SettingError(
            f"{steps} steps of {size} states of {system.name!r} would fill the memory. Keep some times: "
            "at=np.linspace(0, duration, 200)."
        )


def sorted_by_event(
    system: System, times: Array, events: Indices, nodes: Indices
) -> dict[str, NodeEvents]:
    """Return for each event when which node had it, in the order of time."""
    assert system.bound is not None
    found = {}
    for place, event in enumerate(system.events):
        of = np.flatnonzero(events == place)
        of = of[np.argsort(times[of], kind="stable")]
        found[event.name] = NodeEvents(times[of], nodes[of], system.bound.sizes[event.over])
    return found


def place_in_arrays(system: System, name: str) -> int:
    """Return where a parameter per node begins among the arrays."""
    place = 0
    for parameter in system.parameters:
        if parameter.name == name:
            return place
        if parameter.shape:
            place += len(np.asarray(system[parameter.name]))
    raise KeyError(name)
