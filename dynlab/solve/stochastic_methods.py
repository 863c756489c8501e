"""Methods for stochastic equations: small frozen objects that carry the step.

Which one: `SRA1` for additive noise, `SRIW1` for noise of each state by itself, `StochasticHeun` for anything
else whose paths matter, `PlatenWeak2` where averages alone do, `ExactLinear` for linear equations, `BAOAB` for
particles with friction, `EulerMaruyama` for what is not smooth.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels import stochastic as kernels
from dynlab.names import finite
from dynlab.symbolic.derivatives import derivative
from dynlab.symbolic.noise import (
    amplitude_system,
    is_additive,
    is_commutative,
    is_diagonal,
    ito_drift,
    stratonovich_drift,
)
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol

__all__ = [
    "BAOAB",
    "SRA1",
    "SRIW1",
    "EulerMaruyama",
    "ExactLinear",
    "Milstein",
    "PlatenWeak2",
    "Scheme",
    "SdeMethod",
    "StochasticHeun",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Scheme(NamedTuple):
    """What the loops of `dynlab.kernels.stochastic` are given of a method and a system."""

    plan: Integers
    sources: Integers
    normals: int
    keeps_alive: tuple[Kernel, ...]


@dataclass(frozen=True, slots=True)
class SdeMethod(abc.ABC):
    """What the methods for stochastic equations share: equal steps between the times that are kept.

    Parameters
    ----------
    step
        Largest size of a step.  Between two times that are kept steps are equal, so the size used is the
        time between them divided by a whole number.

    Raises
    ------
    SettingError
        If the step is not a positive number.
    """

    step: float

    def __post_init__(self) -> None:
        size = finite(self.step, "step")
        if size <= 0:
            raise SettingError(
                f"step is {size:g}; give a positive size. A twentieth of the fastest time is a beginning."
            )
        object.__setattr__(self, "step", size)

    @abc.abstractmethod
    def scheme(self, system: System) -> Scheme:
        """Return what the loops need; raise UnsupportedSystemError if the noise is not of the kind."""

    def table(self, system: System, step: float) -> Array:
        """Return the numbers that a step of this size needs, for methods that have such."""
        return np.zeros(1)

    @property
    def needs_table(self) -> bool:
        """Whether a step needs numbers that depend on the parameters."""
        return False


@dataclass(frozen=True, slots=True)
class EulerMaruyama(SdeMethod):
    """Euler's step with noise: strong order 1/2 (1 if the noise is additive), weak order 1; any noise.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> noisy = dl.zoo.fitzhugh_nagumo.with_noise(v=0.1)
    >>> run = dl.simulate(noisy, duration=10, method=dl.EulerMaruyama(step=0.01), seed=1)
    >>> len(run.t)
    1001

    References
    ----------
    1. Kloeden and Platen 1992, Numerical Solution of Stochastic Differential Equations, section 10.2.
    """

    def scheme(self, system: System) -> Scheme:
        return _scheme(kernels.EULER, system, ito_drift(system))


@dataclass(frozen=True, slots=True)
class Milstein(SdeMethod):
    """Milstein's step, for noise that commutes: strong and weak order 1.

    Commutative is additive noise, noise of each state by itself, a single source, and whatever else is
    found to be so symbolically.  The derivatives of the amplitudes are exact.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def growth(x=1.0, *, mu=0.1):
    ...     return {x: mu * x}
    >>> @growth.with_noise(dl.Ito)
    ... def noisy(x, *, s=0.5):
    ...     return {x: s * x}
    >>> dl.simulate(noisy, duration=1, method=dl.Milstein(step=0.01), seed=1).status.ok
    True

    References
    ----------
    1. Kloeden and Platen 1992, Numerical Solution of Stochastic Differential Equations, section 10.3.
    """

    def scheme(self, system: System) -> Scheme:
        if not is_commutative(system):
            raise _refused(
                self,
                system,
                "its noise does not commute, so areas of the Wiener processes would be needed",
            )
        return _scheme(kernels.MILSTEIN, system, stratonovich_drift(system), derivatives=True)


@dataclass(frozen=True, slots=True)
class StochasticHeun(SdeMethod):
    """Heun's step, the mean of both ends, which follows Stratonovich's reading; any noise.

    Strong order 1 if the noise commutes, else 1/2; weak order 1.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> noisy = dl.zoo.fitzhugh_nagumo.with_noise(v=0.1)
    >>> dl.simulate(noisy, duration=10, method=dl.StochasticHeun(step=0.01), seed=1).status.ok
    True

    References
    ----------
    1. Rumelin 1982, SIAM J. Numer. Anal. 19, 604.
    """

    def scheme(self, system: System) -> Scheme:
        return _scheme(kernels.HEUN, system, stratonovich_drift(system))


@dataclass(frozen=True, slots=True)
class SRA1(SdeMethod):
    """Rossler's Runge-Kutta step for additive noise: strong order 3/2, weak order 2.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> noisy = dl.zoo.fitzhugh_nagumo.with_noise(v=0.1)
    >>> dl.simulate(noisy, duration=10, method=dl.SRA1(step=0.05), seed=1).status.ok
    True

    References
    ----------
    1. Rossler 2010, SIAM J. Numer. Anal. 48, 922, table 6.3.
    """

    def scheme(self, system: System) -> Scheme:
        if not is_additive(system):
            raise _refused(self, system, "its noise depends on the state")
        return _scheme(kernels.SRA1, system, ito_drift(system), twice=True)


@dataclass(frozen=True, slots=True)
class SRIW1(SdeMethod):
    """Rossler's Runge-Kutta step for noise of each state by itself, or one source: strong 3/2, weak 2.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def growth(x=1.0, *, mu=0.1):
    ...     return {x: mu * x}
    >>> @growth.with_noise(dl.Ito)
    ... def noisy(x, *, s=0.5):
    ...     return {x: s * x}
    >>> dl.simulate(noisy, duration=1, method=dl.SRIW1(step=0.05), seed=1).status.ok
    True

    References
    ----------
    1. Rossler 2010, SIAM J. Numer. Anal. 48, 922, table 6.1.
    """

    def scheme(self, system: System) -> Scheme:
        if not _by_itself(system):
            raise _refused(
                self, system, "its noise is neither of each state by itself nor of a single source"
            )
        return _scheme(kernels.SRIW1, system, ito_drift(system), twice=True)


@dataclass(frozen=True, slots=True)
class PlatenWeak2(SdeMethod):
    """Platen's step of weak order 2, for averages; any noise.

    Its cost grows with the square of the number of sources unless the noise is additive, of each state
    by itself, or of a single source.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> noisy = dl.zoo.fitzhugh_nagumo.with_noise(v=0.1)
    >>> dl.simulate(noisy, duration=10, method=dl.PlatenWeak2(step=0.05), seed=1).status.ok
    True

    References
    ----------
    1. Kloeden and Platen 1992, Numerical Solution of Stochastic Differential Equations, eq 15.1.3.
    """

    def scheme(self, system: System) -> Scheme:
        return _scheme(kernels.PLATEN, system, ito_drift(system))


@dataclass(frozen=True, slots=True)
class ExactLinear(SdeMethod):
    """The exact step of a linear equation ``dx = (A x + b) dt + B dW``: no error at any size.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=1.0, *, k=1.0):
    ...     return {x: -k * x}
    >>> noisy = decay.with_noise(x=0.5)
    >>> dl.simulate(noisy, duration=1000, method=dl.ExactLinear(step=10), seed=1).status.ok
    True

    References
    ----------
    1. van Loan 1978, IEEE Trans. Autom. Control 23, 395.
    """

    def scheme(self, system: System) -> Scheme:
        if system.is_indexed or system.signals or not is_additive(system):
            raise _refused(
                self, system, "it is not a linear system of scalar states with additive noise"
            )
        rates = [derivative(f, symbol(n)) for f in system.rule for n in system.state_names]
        amplitudes = [e for layer in _layers(system) for e in layer.amplitudes]
        for e in (*rates, *system.rule, *amplitudes):
            linear = e in system.rule or not e.free_symbols & {
                symbol(n) for n in system.state_names
            }
            if not linear or e.has(TIME):
                raise _refused(self, system, f"{e} is not linear, or depends on the time")
        made = _scheme(kernels.EXACT, system, system.without_noise())
        return made._replace(normals=len(system.state_names))

    @property
    def needs_table(self) -> bool:
        return True

    def table(self, system: System, step: float) -> Array:
        n = len(system.state_names)
        zero, p = np.zeros(n), inputs_of(system).parameters
        plain = kernels_of(system.without_noise())
        A = plain.jacobian()(0.0, zero, p).reshape(n, n)
        c = plain.rhs(0.0, zero, p)
        found = self.scheme(system)
        columns = np.zeros((n, found.sources.shape[1]))
        for s, (layer, target) in enumerate(found.sources.T):
            amplitude = found.keeps_alive[1 + layer](0.0, zero, p)
            own = slice(None) if target < 0 else slice(target, target + 1)
            columns[own, s] = amplitude[own]
        return _exact_step(A, c, columns @ columns.T, step)


def _exact_step(A: Array, c: Array, Q: Array, step: float) -> Array:
    """Return F, the constant and the root of the covariance of an exact step, one after another.

    Van Loan's exponential holds ``exp(-A h)``, which is huge for long steps; so it is taken of a short one,
    which is then doubled: ``F F``, ``F S F' + S``.
    """
    from scipy.linalg import expm

    n = len(A)
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(A).sum(axis=1).max() * step, 1e-300)))) + 1)
    h = step / 2**halvings
    big = np.zeros((2 * n, 2 * n))
    big[:n, :n], big[:n, n:], big[n:, n:] = -A, Q, A.T
    exponential = expm(big * h)
    F = exponential[n:, n:].T
    S = F @ exponential[:n, n:]
    driven = np.zeros((n + 1, n + 1))
    driven[:n, :n], driven[:n, n] = A, c
    constant = expm(driven * h)[:n, n]
    for _ in range(halvings):
        S = F @ S @ F.T + S
        constant = F @ constant + constant
        F = F @ F
    values, vectors = np.linalg.eigh((S + S.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    lower = np.linalg.qr(root.T).R.T
    return np.concatenate([F.ravel(), constant, lower.ravel()])


@dataclass(frozen=True, slots=True)
class BAOAB(SdeMethod):
    """The step of Langevin's equation that samples places best: ``q' = c p``, ``dp = (F(q) - g p) dt + s dW``.

    Half a kick, half a drift, friction and noise exactly, half a drift, half a kick.  The places of a
    harmonic oscillator have the exact stationary variance at any stable step.  The structure is found in
    the equations: momenta are the states with noise.

    Parameters
    ----------
    step
        Largest size of a step.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def particle(x=0.0, v=0.0, *, g=1.0):
    ...     return {x: v, v: x - x**3 - g * v}
    >>> heated = particle.with_noise(v=1.0)      # temperature s**2 / (2 g) = 1/2
    >>> dl.simulate(heated, duration=10, method=dl.BAOAB(step=0.1), seed=1).status.ok
    True

    References
    ----------
    1. Leimkuhler and Matthews 2013, Appl. Math. Res. Express 2013, 34.
    """

    def scheme(self, system: System) -> Scheme:
        pairs, forces, _ = self._parts(system)
        force = kernels_of(system.without_noise()).expressions(forces)
        plan = np.zeros(kernels.HEADER, np.int64)
        plan[kernels.SCHEME], plan[kernels.DRIFT] = kernels.BAOAB, force.address
        return Scheme(plan, np.array(pairs, np.int64).T.copy(), len(pairs), (force,))

    @property
    def needs_table(self) -> bool:
        return True

    def table(self, system: System, step: float) -> Array:
        pairs, _, constants = self._parts(system)
        p = inputs_of(system).parameters
        numbers = kernels_of(system.without_noise()).expressions(constants)(
            0.0, np.zeros(len(system.state_names)), p
        )
        rows = numbers.reshape(len(pairs), 3)
        speed, friction, amplitude = rows.T
        # (1 - exp(-2 g h)) / (2 g), which is h without friction
        lasting = np.where(friction == 0, step, 0.0)
        moving = friction != 0
        lasting[moving] = -np.expm1(-2 * friction[moving] * step) / (2 * friction[moving])
        table = np.stack([speed, np.exp(-friction * step), amplitude * np.sqrt(lasting)], axis=1)
        return np.ascontiguousarray(table.ravel())

    def _parts(
        self, system: System
    ) -> tuple[list[tuple[int, int]], list[sympy.Expr], list[sympy.Expr]]:
        """Return places of coordinate and momentum, the forces, and for each c, g and s."""
        noise = system.noise
        if system.is_indexed or noise is None or len(noise.layers) != 1 or noise.layers[0].source:
            raise _refused(self, system, "it is no particle with one noise for each momentum")
        names, rule = system.state_names, system.rule
        amplitudes = noise.layers[0].amplitudes
        states = {symbol(n) for n in names} | {TIME}
        momenta = [k for k, e in enumerate(amplitudes) if e != 0]
        pairs: list[tuple[int, int]] = []
        forces: list[sympy.Expr] = []
        constants: list[sympy.Expr] = []
        for q in (k for k in range(len(names)) if k not in momenta):
            speeds = {k: derivative(rule[q], symbol(names[k])) for k in momenta}
            (p, *others) = [k for k, c in speeds.items() if c != 0] or [-1]
            if p < 0 or others or sympy.expand(rule[q] - speeds[p] * symbol(names[p])) != 0:
                raise _refused(
                    self, system, f"the rate of {names[q]!r} is no multiple of a momentum"
                )
            friction = -derivative(rule[p], symbol(names[p]))
            force = sympy.expand(rule[p] + friction * symbol(names[p]))
            held = {symbol(names[k]) for k in momenta}
            if force.free_symbols & held:
                raise _refused(
                    self, system, f"the rate of {names[p]!r} is no force of places with friction"
                )
            for e in (speeds[p], friction, amplitudes[p]):
                if e.free_symbols & states:
                    raise _refused(self, system, f"{e} is not constant")
            pairs.append((q, p))
            forces.append(force)
            constants += [speeds[p], friction, amplitudes[p]]
        if sorted(p for _, p in pairs) != momenta:
            raise _refused(self, system, "not every momentum belongs to one coordinate")
        return pairs, forces, constants


def _layers(system: System) -> Any:
    assert system.noise is not None
    return system.noise.layers


def _by_itself(system: System) -> bool:
    """Whether the noise is of each state by itself, or a single source."""
    layers = _layers(system)
    return is_diagonal(system) or (len(layers) == 1 and bool(layers[0].source))


def _refused(method: SdeMethod, system: System, why: str) -> UnsupportedSystemError:
    return UnsupportedSystemError(
        f"{type(method).__name__} cannot run {system.name!r}: {why}. Use dl.StochasticHeun, "
        "dl.PlatenWeak2 or dl.EulerMaruyama, which take any noise."
    )


def _scheme(
    scheme: int, system: System, drift: System, *, derivatives: bool = False, twice: bool = False
) -> Scheme:
    layers = _layers(system)
    parts = [amplitude_system(system, layer) for layer in layers]
    held = [kernels_of(drift).rhs, *(kernels_of(part).rhs for part in parts)]
    # A layer free of states has no derivative, and kernels cost compiling.
    slopes = [
        kernels_of(part).derivative(1) if derivatives and not _is_fixed(system, layer) else None
        for part, layer in zip(parts, layers, strict=True)
    ]
    sources = _sources(system)
    together = is_additive(system) or _by_itself(system)
    m = sources.shape[1]
    normals = 2 * m if twice else m
    if scheme == kernels.PLATEN and not together:
        normals += m * (m - 1) // 2
    plan = np.zeros(kernels.HEADER + 2 * len(layers), np.int64)
    plan[kernels.SCHEME], plan[kernels.DRIFT] = scheme, held[0].address
    plan[kernels.LAYERS] = len(layers)
    plan[kernels.CONSTANT] = is_additive(system) and not _moves(system)
    plan[kernels.TOGETHER] = together
    for k in range(len(layers)):
        plan[kernels.HEADER + k] = held[1 + k].address
        slope = slopes[k]
        plan[kernels.HEADER + len(layers) + k] = 0 if slope is None else slope.address
    alive = (*held, *(s for s in slopes if s is not None))
    return Scheme(plan, sources, normals, alive)


def _is_fixed(system: System, layer: Any) -> bool:
    """Whether a layer by itself is additive."""
    assert system.noise is not None
    return is_additive(replace(system, noise=replace(system.noise, layers=(layer,))))


def _moves(system: System) -> bool:
    """Whether an amplitude depends on the time or on a signal."""
    return bool(system.signals) or any(
        e.has(TIME) for layer in _layers(system) for e in layer.amplitudes
    )


def _sources(system: System) -> Integers:
    """Return for each Wiener process its layer, and the place that it drives, -1 for all."""
    found: list[tuple[int, int]] = []
    for number, layer in enumerate(_layers(system)):
        if layer.source:
            found.append((number, -1))
            continue
        for name, amplitude in zip(system.declared, layer.amplitudes, strict=True):
            if amplitude != 0:
                block = system.blocks[name]
                found += [(number, place) for place in range(block.start, block.stop)]
    return np.array(found, np.int64).reshape(-1, 2).T.copy()
