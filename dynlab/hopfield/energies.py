"""Energies: which function falls under which dynamics of a Hopfield network with symmetric weights.

============================================  ==============================================================
one spin at a time, diagonal >= 0             E = -s'Ws/2 + theta sum s
all spins at once                             -s(t)'W s(t-1) + theta sum (s(t) + s(t-1))
rates s' = -s + tanh(beta W s)                E_H = -s'Ws/2 + (1/beta) sum_i G(s_i)
inputs u' = -u + W tanh(beta u) + I           the same, with s = tanh(beta u) and -sum I_i s_i
============================================  ==============================================================

with G(s) = s atanh(s) + ln(1 - s^2)/2 = ((1+s) ln(1+s) + (1-s) ln(1-s))/2, which is ln 2 at s = -1 and 1.  The last
two fall for every symmetric W, whatever its diagonal.  -s'Ws/2 alone does not fall under the flows; it is only their
limit of large beta.  Without symmetry no such function is known, and none is given.

References
----------
Hopfield 1982, Proc. Natl. Acad. Sci. 79, 2554; Hopfield 1984, Proc. Natl. Acad. Sci. 81, 3088, eqs 7-10;
Goles-Chacc, Fogelman-Soulie and Pellegrin 1985, Discrete Appl. Math. 12, 261.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from dynlab import zoo
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.hopfield.learning import Given
from dynlab.hopfield.machine import field_energy
from dynlab.hopfield.network import Network
from dynlab.names import Layout, require_kind
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dynlab.solve.trajectory import Trajectory

__all__ = ["EnergyAlong", "energy", "energy_along", "two_step_energy"]

Array = NDArray[np.float64]

#: Weights whose difference is below this times the largest are symmetric to rounding.
ROUNDING = 1e-12
_NETWORKS = "a hopfield.Network, or zoo.hopfield_rates or zoo.hopfield_inputs bound to a matrix; steeper memories have .energy(state)"
#: A rate may lie so far outside -1 ... 1, by the error of an integration.
OUTSIDE = 1e-6


def energy(network: Network | System, state: Any) -> float:
    """Return the function that the dynamics of a network lowers, at a state.

    Parameters
    ----------
    network
        A binary network (updates of one spin at a time), or ``zoo.hopfield_rates`` or ``zoo.hopfield_inputs`` bound to
        a matrix.
    state
        An array of -1 and 1; of a system the states by name, ``{"s": [...]}``.

    Raises
    ------
    UnsupportedSystemError
        If the weights are not symmetric, a spin of a binary network has a negative weight to itself, or the system is
        none of these.
    SettingError
        If a state does not fit, or a rate lies outside -1 ... 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dynlab import hopfield, zoo
    >>> hopfield.energy(hopfield.Network([[1, -1, 1, 1]]), [1, -1, 1, 1])
    -1.5
    >>> rates = zoo.hopfield_rates.on(np.array([[0, 1], [1, 0]]))
    >>> round(hopfield.energy(rates, {"s": [1, 1]}), 6)       # -1 + ln 2: two units, beta = 2
    -0.306853

    References
    ----------
    Hopfield 1982 and 1984; see `dynlab.hopfield.energies`.
    """
    if isinstance(network, System):
        flow = _Flow.of(network)
        values = Layout.of(network).pack(_named(state, network), network.start_values)
        return float(flow.energy(np.asarray(values, float)[None])[0])
    require_kind(network, Network, "the network", _NETWORKS)
    _require_symmetric(network)
    diagonal = np.diag(network.rule.matrix) if isinstance(network.rule, Given) else np.zeros(1)
    if diagonal.min() < 0:
        i = int(np.argmin(diagonal))
        raise UnsupportedSystemError(
            f"the weight of spin {i} to itself is {diagonal[i]:g}: with negative weights of that kind a spin may turn for "
            "ever, and no energy is known. Set the diagonal to zero."
        )
    return field_energy(network.machine(state), network.threshold)


def two_step_energy(network: Network, state: Any, *, previous: Any) -> float:
    """Return -s'W s_previous + theta sum (s + s_previous), which falls when all spins move at once.

    That it falls is why synchronous recall ends in a fixed point or alternates between two states.

    Parameters
    ----------
    network
        A binary network.
    state, previous
        Two states that follow each other.

    Raises
    ------
    UnsupportedSystemError
        If the weights are not symmetric.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> pair = hopfield.Network.from_weights([[0, 1], [1, 0]])
    >>> hopfield.two_step_energy(pair, [-1, 1], previous=[1, -1])
    -2.0

    References
    ----------
    Goles-Chacc, Fogelman-Soulie and Pellegrin 1985, Discrete Appl. Math. 12, 261.
    """
    require_kind(network, Network, "the network", "a hopfield.Network")
    _require_symmetric(network)
    machine = network.machine(state)
    now, before = machine.snapshot(), network.machine(previous).snapshot()
    both = int(now.spins.sum(dtype=np.int64)) + int(before.spins.sum(dtype=np.int64))
    return -machine.product(now, before) + network.threshold * both


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EnergyAlong(Result):
    """The energy along a run.

    Attributes
    ----------
    t
        Times of the run.
    energy
        The energy there.
    status
        How the run ended.
    provenance
        Where it came from.
    """

    t: Array
    energy: Array
    status: Status
    provenance: Provenance

    @property
    def largest_rise(self) -> float:
        """The most that the energy rises above an earlier value; 0 to the accuracy of the run."""
        return float((self.energy - np.minimum.accumulate(self.energy)).max())

    def to_table(self) -> dict[str, Array]:
        """Return time and energy as columns."""
        return {"t": self.t, "energy": self.energy}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the energy against time."""
        from dynlab import plotting

        return plotting.draw_descent(ax, self.t, self.energy, xlabel="time $t$")

    def __repr__(self) -> str:
        return (
            f"<energy along a run: from {self.energy[0]:.6g} to {self.energy[-1]:.6g}, "
            f"largest rise {self.largest_rise:.2g}>"
        )


def energy_along(run: Trajectory) -> EnergyAlong:
    """Return the energy along a run of a graded network.

    Parameters
    ----------
    run
        A run of ``zoo.hopfield_rates`` or ``zoo.hopfield_inputs``.

    Raises
    ------
    UnsupportedSystemError
        If the weights are not symmetric, or the system is none of these.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> from dynlab import hopfield, zoo
    >>> pair = zoo.hopfield_rates.on(np.array([[0, 1], [1, 0]]))(beta=1.5)
    >>> run = dl.integrate(pair, start={"s": [0.999, 0.999]}, duration=20)
    >>> hopfield.energy_along(run).largest_rise < 1e-12
    True
    """
    from dynlab.solve.trajectory import Trajectory

    require_kind(
        run,
        Trajectory,
        "the run",
        "what dl.integrate returns for a graded network; the recall of spins has .energy",
    )
    found = _Flow.of(run.system).energy(run.values)
    return EnergyAlong(run.t, found, run.status, Provenance("energy_along", run.system))


@dataclass(frozen=True, slots=True, eq=False)
class _Flow:
    """A graded network: its weights, its gain, its input, and whether states are inputs or rates."""

    weights: Array
    beta: float
    bias: Array
    has_rates: bool

    @classmethod
    def of(cls, system: System) -> _Flow:
        rules = {zoo.hopfield_rates.rule: True, zoo.hopfield_inputs.rule: False}
        if system.rule not in rules or system.bound is None:
            raise UnsupportedSystemError(
                f"no energy is known for {system.name!r}. It is for hopfield.Network, and for zoo.hopfield_rates and "
                "zoo.hopfield_inputs bound to a matrix of weights."
            )
        links = system.bound.between("node", "node")
        size = len(links.first) - 1
        weights = np.zeros((size, size))
        np.add.at(weights, (links.targets, links.sources), system["W"])
        _require_symmetric_weights(weights)
        has_rates = rules[system.rule]
        bias = np.zeros(size) if has_rates else np.asarray(system["I"], float)
        return cls(weights, float(system["beta"]), bias, has_rates)

    def energy(self, states: Array) -> Array:
        """Return the energy of each row of states."""
        s = states if self.has_rates else np.tanh(self.beta * states)
        worst = np.unravel_index(np.argmax(abs(s)), s.shape)
        if abs(s[worst]) > 1 + OUTSIDE:
            raise SettingError(
                f"s[{worst[1]}] is {s[worst]:g}; the energy is defined for rates between -1 and 1. Start inside."
            )
        s = np.clip(s, -1, 1)
        own = (xlogy(1 + s, 1 + s) + xlogy(1 - s, 1 - s)).sum(axis=1) / 2
        pairs = np.einsum("ti,ti->t", s @ self.weights, s)
        return np.asarray(-pairs / 2 + own / self.beta - s @ self.bias, float)


def _named(state: Any, system: System) -> Mapping[str, Any]:
    if not isinstance(state, Mapping):
        (name,) = system.declared
        raise SettingError(f'the state of {system.name!r} goes by name: {{"{name}": values}}.')
    return state


def _require_symmetric(network: Network) -> None:
    if isinstance(network.rule, Given):
        _require_symmetric_weights(network.rule.matrix)


def _require_symmetric_weights(weights: Array) -> None:
    apart = abs(weights - weights.T)
    if apart.size and apart.max() > ROUNDING * abs(weights).max():
        i, j = sorted(int(k) for k in np.unravel_index(np.argmax(apart), apart.shape))
        raise UnsupportedSystemError(
            f"the weights are not symmetric: W[{i}, {j}] = {weights[i, j]:g} but W[{j}, {i}] = {weights[j, i]:g}, the "
            "largest difference. No energy is known then; use (W + W.T) / 2 if symmetry was meant."
        )
