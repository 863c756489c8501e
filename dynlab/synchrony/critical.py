"""critical_coupling: where order begins, estimated from finite networks of two sizes, beside the theory.

How the estimates and their intervals are made stands in `dynlab.synchrony.finite_size`.  Next to the onset a network relaxes
slowly: give some hundred units of the time in which frequencies spread phases.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.distributions import Quantiles, drawn, from_words
from dynlab.errors import NotConverged, SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.kernels import dense
from dynlab.links import AllToAll
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.seeds import Seed, seed_of
from dynlab.solve.threads import on_threads
from dynlab.status import Status
from dynlab.symbolic.system import System
from dynlab.synchrony.curve import DEFAULT_METHOD, checked_times, phases_of, settled
from dynlab.synchrony.finite_size import Estimate, apart, crossing, extrapolation, left_out
from dynlab.synchrony.theory import synchrony_onset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CriticalCoupling", "critical_coupling"]

Array = NDArray[np.float64]

#: The smaller network is this part of the larger; nothing is said about fewer nodes than that.
RATIO, FEWEST = 4, 100
#: Couplings at which the onset is looked for, and those about it; parts of the onset between which these lie.
COARSE, FINE = 25, 17
AROUND, BEYOND = (0.7, 1.3), (0.98, 1.36)
#: How often more couplings are measured beyond these, where nothing bounds the onset.
WIDER = 4
#: Draws by which it is looked for.
SCOUTS = 3
#: Order that is no chance, with random and with even frequencies.
ORDERED, ORDERED_EVEN = 0.3, 0.2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CriticalCoupling(Result):
    """Where order begins in an infinite network, as finite ones tell.

    Attributes
    ----------
    vary
        The parameter.
    value
        The estimate.
    interval
        Of 95 %, by the scatter over draws; infinite where nothing in the range bounds it, as with few draws.
    theory
        What the density of frequencies gives, ``2 / (pi g(0))``.
    values
        Couplings at which both networks were measured.
    sizes
        Nodes of the smaller and the larger network.
    r
        Mean order, draws x sizes x couplings.
    how
        In words, what the estimate rests on.
    provenance
        Where it came from.
    """

    vary: str
    value: float
    interval: tuple[float, float]
    theory: float
    values: Array
    sizes: tuple[int, int]
    r: Array
    how: str
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return coupling and the mean order of each size as columns."""
        mean = self.r.mean(axis=0)
        return {self.vary: self.values} | {
            f"r_{size}": row for size, row in zip(self.sizes, mean, strict=True)
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the order of both sizes, the estimate with its interval, and the theory."""
        from dynlab.plotting import draw_onset, draw_order_points

        errors = self.r.std(axis=0, ddof=1) / np.sqrt(len(self.r))
        for size, mean, error in zip(self.sizes, self.r.mean(axis=0), errors, strict=True):
            ax = draw_order_points(
                ax, self.values, mean, error, name=f"$N = {size}$", quantity=self.vary
            )
        assert ax is not None
        return draw_onset(ax, self.value, self.interval, self.theory)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"<Critical coupling {self.vary} = {self.value:.5g}, 95 % from {low:.5g} to {high:.5g}, "
            f"theory {self.theory:.5g};\n {self.how} of N = {self.sizes[0]} and {self.sizes[1]}, "
            f"{len(self.r)} draws>"
        )


def critical_coupling(  # noqa: PLR0913  (what, along what, how long, how many, and by what frequencies)
    system: System,
    *,
    vary: str,
    over: tuple[float, float],
    duration: float,
    transient: float = 0.0,
    draws: int = 8,
    frequencies: Any = None,
    seed: int | None = None,
) -> CriticalCoupling:
    """Return the coupling at which Kuramoto's oscillators begin to synchronise, estimated from finite networks.

    From the order of the network and of one a quarter its size: with frequencies drawn at random by where
    ``N^(2/5) r^2`` is the same for both, with frequencies laid out evenly (`dynlab.Quantiles`) by following r back to 0.

    Parameters
    ----------
    system
        ``theta[i]' = omega[i] + K * Mean(sin(theta[j] - theta[i]), j)`` with any names, all to all, and frequencies by
        ``.draw``.
    vary
        The coupling.
    over
        The range in which the onset lies.
    duration, transient
        How long the network runs at each coupling, and how much of that is left out.
    draws
        How many times each network is drawn anew.  Random frequencies scatter: at N = 400 the interval of 8 draws is
        about 15 % wide to each side, that of 40 draws 6 %.  Even ones leave the first phases to chance: below 1 %.
    frequencies
        The distribution of the frequencies; None takes that of ``.draw``, if it is one of dynlab's.
    seed
        Of frequencies and first phases.

    Returns
    -------
    CriticalCoupling
        Estimate, interval and theory.

    Raises
    ------
    UnsupportedSystemError
        If the coupling is not Kuramoto's, or the network has links: the exponents then are others or unknown.
    SettingError
        If there are fewer than 100 nodes, the distribution is not known, or order jumps at the onset of its density.
    NotConverged
        If the curves do not cross in the range.

    Examples
    --------
    >>> import dynlab as dl
    >>> swarm = dl.zoo.kuramoto.on(dl.AllToAll(200)).draw(omega=dl.Quantiles(dl.Gaussian(0, 1)))
    >>> onset = dl.critical_coupling(swarm, vary="K", over=(0.5, 3), duration=80, transient=40, draws=3, seed=1)
    >>> round(onset.theory, 4), bool(abs(onset.value / onset.theory - 1) < 0.08)
    (1.5958, True)

    References
    ----------
    1. Hong, Chate, Park and Tang 2007, Phys. Rev. Lett. 99, 184101.
    2. Hong, Chate, Tang and Park 2015, Phys. Rev. E 92, 022122.
    """
    began = perf_counter()
    omega = _natural(system, vary)
    distribution = _known(system, omega, frequencies)
    theory = _continuous(distribution)
    low, high = (finite(end, "an end of over") for end in over)
    times, chosen = checked_times(duration, transient), seed_of(seed)
    count, size = _draws(draws), len(system.state_names)
    if not 0 <= low < high:
        raise SettingError(f"over is ({low:g}, {high:g}); give two numbers that rise, from 0 on.")
    sizes = (size // RATIO, size)
    is_even = isinstance(distribution, Quantiles)
    window, estimate = (BEYOND, extrapolation) if is_even else (AROUND, crossing)
    least = ORDERED_EVEN if is_even else ORDERED
    bench = _Bench(system, omega, vary, distribution, times)
    near = bench.first_order(size, np.linspace(low, high, COARSE), chosen, least)
    values = near * np.linspace(*window, FINE)
    r = bench.of_both(sizes, values, chosen, count)
    found = estimate(values, sizes, r)
    for _ in range(0 if is_even else WIDER):
        more = _beyond(values, found, r, sizes)
        more = more[(low <= more) & (more <= high)]
        if not more.size:
            break
        # Every draw is drawn again, so it is the same networks at more couplings.
        r = np.concatenate([r, bench.of_both(sizes, more, chosen, count)], axis=2)
        values = np.append(values, more)
        order = np.argsort(values)
        values, r = values[order], r[:, :, order]
        found = estimate(values, sizes, r)
    value, *interval = found
    if not is_even:
        shift = value * left_out(sizes, distribution)
        interval = [interval[0] - shift, interval[1] + shift]
    if not np.isfinite(value):
        raise NotConverged(
            f"the order of {sizes[0]} and {sizes[1]} nodes shows no onset between {values[0]:g} and "
            f"{values[-1]:g}. Give a longer duration, more draws or more nodes.",
            status=Status.UNDECIDED, partial=r,
        )  # fmt: skip
    how = "r followed back to 0, even frequencies" if is_even else "crossing, random frequencies"
    settings = {
        "over": (low, high), "duration": times[1], "transient": times[0], "draws": count,
        "frequencies": repr(distribution),
    }  # fmt: skip
    return CriticalCoupling(
        vary, value, (interval[0], interval[1]), theory, values, sizes, r, how,
        Provenance.of_chance("critical_coupling", system, settings, seed=chosen, began=began),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Bench:
    """Networks of any size by the rule of one."""

    system: System
    omega: str
    vary: str
    distribution: Any
    times: tuple[float, float]

    def orders(self, size: int, values: Array, seed: Seed, draw: int) -> Array:
        """Return the mean order at couplings that rise, of one draw."""
        stream = seed.stream(size, draw)
        omega = drawn(self.distribution, size, stream)
        theta = stream.uniform(0, 2 * np.pi, size)
        network = self.system.on(AllToAll(size))(**{self.omega: omega - omega.mean()})
        name, found = self.system.declared[0], np.empty(len(values))
        for k, value in enumerate(values):
            run = settled(
                network(**{self.vary: float(value)}), name, theta, self.times, DEFAULT_METHOD
            )
            found[k], theta = run.mean, run.end
            if run.status == Status.STOPPED:
                found[k:] = np.nan
                break
        return found

    def of_both(self, sizes: tuple[int, int], values: Array, seed: Seed, draws: int) -> Array:
        """Return the mean orders of both sizes: draws x sizes x couplings."""
        jobs = [(n, draw) for n in sizes for draw in range(draws)]
        found = self.measured(jobs, values, seed).reshape(2, draws, len(values))
        return np.ascontiguousarray(found.swapaxes(0, 1))

    def measured(self, jobs: list[tuple[int, int]], values: Array, seed: Seed) -> Array:
        """Return the mean orders of several sizes and draws, a row for each, on all cores; raise if stopped."""
        found = np.full((len(jobs), len(values)), np.nan)

        def piece(row: int) -> None:
            size, draw = jobs[row]
            found[row] = self.orders(size, values, seed, draw)

        # The large networks first, so that the last pieces end together.
        pieces = [
            functools.partial(piece, row)
            for row in np.argsort([-n for n, _ in jobs], kind="stable")
        ]
        done = lambda: float(np.sum(~np.isnan(found[:, -1])))  # noqa: E731
        if on_threads(pieces, done, len(jobs), "critical_coupling") == Status.STOPPED:
            complete = found[~np.isnan(found).any(axis=1)]
            message = "stopped before all networks were measured; give it more time"
            raise NotConverged(message, status=Status.STOPPED, partial=complete)
        return found

    def first_order(self, size: int, values: Array, seed: Seed, least: float) -> float:
        """Return about where order begins, in the mean of a few draws."""
        r = self.measured([(size, (1 << 20) + k) for k in range(SCOUTS)], values, seed).mean(axis=0)
        beyond = np.flatnonzero(r > least)
        if not beyond.size or beyond[0] == 0:
            raise NotConverged(
                f"between {values[0]:g} and {values[-1]:g} order does not begin: r goes from {r[0]:.2g} to "
                f"{r[-1]:.2g}. Give another range in over.",
                status=Status.UNDECIDED, partial=r,
            )  # fmt: skip
        return float(values[beyond[0] - 1] + values[beyond[0]]) / 2


def _beyond(values: Array, found: Estimate, r: Array, sizes: tuple[int, int]) -> Array:
    """Return couplings beyond those measured, to the side on which nothing bounds the crossing; none if both do."""
    step, count = values[1] - values[0], FINE // 2
    right = np.asarray(values[-1] + step * np.arange(1, count + 1))
    left = np.asarray(values[0] - step * np.arange(count, 0, -1))
    if not np.isfinite(found.value):
        return right if apart(sizes, r).mean(axis=0)[-1] <= 0 else left
    if np.isinf(found.low):
        return left
    return right if np.isinf(found.high) else right[:0]


def _natural(system: System, vary: str) -> str:
    """Return the name of the natural frequencies of Kuramoto's model; refuse other systems."""
    phases_of(system)
    if vary not in system.parameter_names:
        raise UnknownNameError(f"parameter of {system.name!r}", vary, system.parameter_names)
    assert system.bound is not None
    per_node = [p.name for p in system.parameters if len(p.shape) == 1]
    size = len(system.state_names)
    if system.bound.links or any(len(p.shape) == 2 for p in system.parameters):
        raise UnsupportedSystemError(
            f"{system.name!r} has links, and a graph cannot be drawn at another size. Use "
            "dl.synchrony_curve on it, or Mean over all nodes on dl.AllToAll(...)."
        )
    if size < FEWEST:
        raise SettingError(
            f"{system.name!r} has {size} nodes; scaling needs at least {FEWEST}. Bind more, or use "
            "dl.locking_threshold, which is exact for a finite set of frequencies."
        )
    if len(per_node) != 1 or not _is_kuramoto(system, per_node[0], vary):
        raise UnsupportedSystemError(
            f"{system.name!r} is not theta[i]' = omega[i] + {vary} * Mean(sin(theta[j] - theta[i]), j), for which the "
            "exponents of finite-size scaling are known. Use dl.synchrony_curve."
        )
    return per_node[0]


def _is_kuramoto(system: System, omega: str, vary: str) -> bool:
    """Whether the right-hand side is that of Kuramoto's model, at a point at random."""
    theta = np.random.default_rng(0).uniform(0, 2 * np.pi, len(system.state_names))
    trial, out = system(**{vary: 1.7}), np.empty(len(theta))
    dense.call(kernels_of(trial).rhs.address, 0.0, theta, *inputs_of(trial), out)
    z = np.exp(1j * theta).mean()
    expected = np.asarray(system[omega]) + 1.7 * (z * np.exp(-1j * theta)).imag
    return bool(np.allclose(out, expected, rtol=1e-9, atol=1e-9))


def _known(system: System, omega: str, given: Any) -> Any:
    """Return the distribution of the frequencies."""
    if given is not None:
        return given
    assert system.bound is not None
    words = system.bound.draws.get(omega, "")
    found = from_words(words.rpartition(", seed")[0])
    if found is None:
        raise SettingError(
            f"of what distribution {omega!r} of {system.name!r} is is not known, so networks of other sizes cannot "
            f"be drawn. Give frequencies=, or draw it: .draw({omega}=dl.Gaussian(0, 1))."
        )
    return found


def _continuous(distribution: Any) -> float:
    """Return the theoretical onset; refuse densities at which order does not grow like a root."""
    onset = synchrony_onset(distribution)
    if not np.isfinite(onset.amplitude):
        how = f"jumps to {onset.jump:.3g}" if onset.jump else "is not steady"
        raise SettingError(
            f"with frequencies {distribution!r} order {how} at K = {onset.value:.6g}, so the scaling of a "
            "continuous onset does not hold. Use dl.synchrony_onset and dl.synchrony_curve."
        )
    return onset.value


def _draws(draws: Any) -> int:
    number = finite(draws, "draws")
    if number < 3 or number != int(number):
        raise SettingError(f"draws is {draws!r}; give a whole number of 3 or more.")
    return int(number)
