r"""stochastic_stability: does a noisy system return to an equilibrium at which its noise vanishes?

Close to it ``dX = A X dt + sum_k B_k X dW_k`` (Ito).  With X = r u(theta) and v at a right angle to u the length
obeys an equation that holds the angle alone (Khasminskii 1967, Theory Probab. Appl. 12, 144; Furstenberg 1963)

    d log r = h dt + sum_k (u' B_k u) dW_k,     h = u' A u + sum_k (|B_k u|^2 / 2 - (u' B_k u)^2)
    d theta = m dt + sum_k (v' B_k u) dW_k,     m = v' A u - sum_k (u' B_k u)(v' B_k u)

so the largest Lyapunov exponent is the mean of h over the stationary density of the angle, and the growth rate g(p) of
<|X|^p> is the largest eigenvalue of

    L_p = d d^2/dtheta^2 + (m + p c) d/dtheta + p h + p^2 s / 2,    d = sum (v' B u)^2 / 2, c = sum (u' B u)(v' B u), s = sum (u' B u)^2

(Arnold 1984, SIAM J. Appl. Math. 44, 793): g(0) = 0, g'(0) is the exponent.  All coefficients are trigonometric polynomials of
2 theta of degree two, so in Fourier modes the equations are banded, also where the noise does not move the angle; the number of
modes is doubled until nothing changes.

Matrices that share a direction are a case of their own: there the density of the angle has a jump or a point mass.  They are
triangular in a suitable basis, and the exponents are those of the diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import diags_array
from scipy.sparse.linalg import eigs

from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import NotConverged, SettingError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.plotting import new_axes, style
from dynlab.point import described
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.weak_noise.local import Local, local_at
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StochasticStability", "mean_square_exponent", "stochastic_stability"]

Array = NDArray[np.float64]

#: Fourier modes to begin with, and at most.
FEWEST_MODES, MOST_MODES = 32, 1 << 15
#: Two numbers of modes agree to this part of the rates.
AGREE = 1e-11
#: The degree of the coefficients in 2 theta.
DEGREE = 2
#: An amplitude below this part of the largest rate is zero.
NOTHING = 1e-12
#: States of which the second moments are taken together.
MOST_STATES = 40


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StochasticStability(Result):
    """Growth rates close to an equilibrium at which the noise vanishes; made by `stochastic_stability`.

    Attributes
    ----------
    system
        The system, with its noise.
    state
        The equilibrium.
    drift
        The matrix A of the drift in Ito's form.
    noises
        The matrices B_k, one for each Wiener process.
    exponent
        The largest Lyapunov exponent, per unit of time: almost every path shrinks if it is negative.
    error
        By how much it changed when the number of modes was last doubled.
    provenance
        Where it came from.
    """

    system: System
    state: Array
    drift: Array
    noises: Array
    exponent: float
    error: float
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    @property
    def is_stable(self) -> bool:
        """Whether almost every path that begins close enough returns."""
        return self.exponent < -self.error

    def moment_exponent(self, p: float) -> float:
        """Return the growth rate of ``<|X|^p>`` per unit of time.

        It may be positive where every path shrinks: rare paths that grow carry the mean.

        Raises
        ------
        NotConverged
            If the number of modes does not suffice.
        """
        power = finite(p, "p")
        if self.state.size == 1:
            a, square = float(self.drift[0, 0]), float((self.noises**2).sum())
            return power * a + 0.5 * power * (power - 1.0) * square
        return _moment_growth(self.drift, self.noises, power)

    def to_table(self) -> dict[str, Array]:
        """Return growth rates of moments in a table over their order."""
        orders = np.linspace(0.0, 4.0, 9)
        return {"p": orders, "growth rate": np.array([self.moment_exponent(p) for p in orders])}

    def plot(self, ax: Axes | None = None, *, orders: ArrayLike | None = None) -> Axes:
        """Draw the growth rate of moments over their order, with the Lyapunov exponent as its slope at 0."""
        unit = self.system.unit_of("t")
        ax = new_axes(
            ax,
            xlabel="order $p$",
            ylabel=r"growth rate of $\langle|X|^p\rangle$" + (f" (1/{unit})" if unit else ""),
        )
        p = np.linspace(-0.5, 3.0, 36) if orders is None else np.asarray(orders, dtype=float)
        rates = np.array([self.moment_exponent(k) for k in p])
        ax.axhline(0.0, color=style.FAINT, linewidth=1.0, zorder=0)
        ax.plot(p, rates, color=style.BLUE, linewidth=1.8, label="moments")
        ax.plot(p, self.exponent * p, color=style.VERMILLION, linewidth=1.4, linestyle="--",
                label=rf"slope $\lambda$ = {self.exponent:.4g}")  # fmt: skip
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        place = described(dict(zip(self.system.state_names, self.state, strict=True)), 6)
        word = (
            "stable"
            if self.is_stable
            else "unstable"
            if self.exponent > self.error
            else "undecided"
        )
        return (
            f"<{self.system.name} at {place} with multiplicative noise: {word};\n Lyapunov exponent "
            f"{self.exponent:.10g} (error about {self.error:.1g})>"
        )


def stochastic_stability(system: System, *, at: Equilibrium) -> StochasticStability:
    r"""Return whether a noisy system of one or two states returns to an equilibrium where its noise vanishes.

    The largest Lyapunov exponent of the linearised stochastic equation, exactly up to the stated error: of one state
    :math:`a - b^2/2`, of two the mean over the stationary density of the angle.

    Parameters
    ----------
    system
        A flow with noise whose amplitudes vanish at the equilibrium.
    at
        An equilibrium of its drift, found for ``system.without_noise()``.

    Returns
    -------
    StochasticStability
        The exponent, and growth rates of moments.

    Raises
    ------
    SettingError
        If the noise does not vanish there, or the point belongs to another system.
    UnsupportedSystemError
        If there are more than two states.
    NotConverged
        If the noise is too weak or too strong beside the drift for the number of modes.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def growth(x=0.0, *, mu=0.1):
    ...     return {x: mu * x}
    >>> @growth.with_noise(dl.Ito)
    ... def price(x, *, s=0.6):
    ...     return {x: s * x}
    >>> zero = dl.find_equilibria(growth, within={"x": (-1, 1)}).single()
    >>> found = dl.stochastic_stability(price, at=zero)
    >>> round(found.exponent, 12), found.is_stable           # 0.1 - 0.6**2 / 2: noise stabilises
    (-0.08, True)
    >>> round(found.moment_exponent(1), 12)                   # and yet the mean grows
    0.1

    References
    ----------
    1. Khasminskii, Stochastic Stability of Differential Equations, 2nd ed. 2012, chapter 6.
    2. Arnold, Kliemann and Oeljeklaus 1986, Lecture Notes in Mathematics 1186, 85.
    """
    began = perf_counter()
    local = local_at(system, at)
    if local.state.size > 2:
        raise UnsupportedSystemError(
            f"{system.name!r} has {local.state.size} states, and the angle is taken of two. Take dl.mean_square_exponent, "
            "which bounds the exponent by half its value, or average over a long run of dl.simulate."
        )
    drift, noises = _linearised(local)
    exponent, error = (
        (float(drift[0, 0] - 0.5 * (noises**2).sum()), 0.0)
        if local.state.size == 1
        else _exponent(drift, noises)
    )
    return StochasticStability(
        system=system,
        state=local.state,
        drift=drift,
        noises=noises,
        exponent=exponent,
        error=error,
        provenance=Provenance(
            "stochastic_stability", system, {"at": dict(at.start)}, seconds=perf_counter() - began
        ),
    )


def mean_square_exponent(system: System, *, at: Equilibrium) -> float:
    r"""Return the growth rate of second moments close to an equilibrium where the noise vanishes.

    The largest real part of the eigenvalues of :math:`P \mapsto A P + P A^T + \sum_k B_k P B_k^T`; exact, for any number of
    states up to 40.  The Lyapunov exponent is at most half of it.

    Parameters
    ----------
    system
        A flow with noise whose amplitudes vanish at the equilibrium.
    at
        An equilibrium of its drift.

    Raises
    ------
    SettingError
        If the noise does not vanish there, or the point belongs to another system.
    UnsupportedSystemError
        If there are too many states.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def growth(x=0.0, *, mu=0.1):
    ...     return {x: mu * x}
    >>> @growth.with_noise(dl.Ito)
    ... def price(x, *, s=0.6):
    ...     return {x: s * x}
    >>> zero = dl.find_equilibria(growth, within={"x": (-1, 1)}).single()
    >>> round(dl.mean_square_exponent(price, at=zero), 12)       # 2 mu + s**2
    0.56

    References
    ----------
    Arnold, Stochastic Differential Equations: Theory and Applications 1974, section 11.3.
    """
    local = local_at(system, at)
    n = local.state.size
    if n > MOST_STATES:
        raise UnsupportedSystemError(
            f"{system.name!r} has {n} states, and their second moments are too many together; up to {MOST_STATES} are "
            "taken. Run many copies of it with dl.ensemble."
        )
    drift, noises = _linearised(local)
    eye = np.eye(n)
    operator = np.kron(drift, eye) + np.kron(eye, drift)
    for matrix in noises:
        operator += np.kron(matrix, matrix)
    return float(np.linalg.eigvals(operator).real.max())


def _linearised(local: Local) -> tuple[Array, Array]:
    """Return A in Ito's form and the B_k."""
    n = local.state.size
    size = max(float(np.abs(local.jacobian).max()), 1e-300)
    if local.diffusion.max() > (NOTHING * (1.0 + np.abs(local.state).max())) ** 2 * size:
        raise SettingError(
            f"the noise of {local.system.name!r} does not vanish at {described(dict(zip(local.system.state_names, local.state, strict=True)), 6)}, "
            "so nothing comes to rest there. Use dl.linear_noise for how it fluctuates."
        )
    induced = np.array([local.induced_rate(u) for u in np.eye(n)]).T
    noises = local.column_jacobians()
    return local.jacobian + induced, np.array(noises).reshape(-1, n, n)


def _exponent(A: Array, B: Array) -> tuple[float, float]:
    """Return the largest exponent of two states and how far it is settled."""
    shared = _shared_direction(A, B)
    if shared is not None:
        basis = np.column_stack([shared, [-shared[1], shared[0]]])
        turned = [basis.T @ M @ basis for M in (A, *B)]
        rates = [turned[0][k, k] - 0.5 * sum(M[k, k] ** 2 for M in turned[1:]) for k in (0, 1)]
        return float(max(rates)), 0.0
    scale = float(np.abs(A).max() + (B**2).sum())
    before, modes = np.inf, FEWEST_MODES
    while modes <= MOST_MODES:
        value = _mean_growth(A, B, modes)
        if abs(value - before) <= AGREE * scale:
            return value, max(abs(value - before), 1e-15 * scale)
        before, modes = value, 2 * modes
    raise NotConverged(
        f"the density of the angle is too narrow for {MOST_MODES} Fourier modes: the noise is very weak or very strong "
        "beside the drift. Average over a long run of dl.simulate, or treat the limit by hand.",
        status=Status.NOT_CONVERGED,
    )


def _shared_direction(A: Array, B: Array) -> Array | None:
    """Return a direction that all matrices keep, or None."""
    scale = np.sqrt(np.abs(A).max()) if np.any(A) else 1.0
    matrices = [A / scale**2, *(M / scale for M in B)]
    for candidate in matrices:
        if np.abs(candidate - np.trace(candidate) / 2 * np.eye(2)).max() < NOTHING:
            continue  # keeps every direction
        values, vectors = np.linalg.eig(candidate)
        for value, u in zip(values, vectors.T, strict=True):
            if abs(value.imag) > 0:
                continue
            u = u.real / np.linalg.norm(u.real)
            across = np.array([-u[1], u[0]])
            if max(abs(across @ M @ u) for M in matrices) < 1e-9:
                return np.asarray(u)
        return None
    return np.array([1.0, 0.0])


def _coefficients(A: Array, B: Array) -> dict[str, NDArray[np.complex128]]:
    """Return the Fourier coefficients, from -2 to 2 in psi = 2 theta, of what moves angle and length."""
    psi = 2.0 * np.pi * np.arange(8) / 8
    u = np.array([np.cos(psi / 2), np.sin(psi / 2)])
    v = np.array([-u[1], u[0]])

    def form(left: Array, matrix: Array, right: Array) -> Array:
        return np.asarray(np.einsum("ia,ij,ja->a", left, matrix, right))

    along = np.array([form(u, M, u) for M in B]).reshape(-1, 8)
    across = np.array([form(v, M, u) for M in B]).reshape(-1, 8)
    stretched = np.array([form(u, M.T @ M, u) for M in B]).reshape(-1, 8)
    values = {
        "d": 2.0 * (across**2).sum(0),  # of psi = 2 theta: (2 v'Bu)^2 / 2
        "m": 2.0 * (form(v, A, u) - (along * across).sum(0)),
        "c": 2.0 * (along * across).sum(0),
        "h": form(u, A, u) + (0.5 * stretched - along**2).sum(0),
        "s": (along**2).sum(0),
    }
    places = np.arange(-DEGREE, DEGREE + 1)
    return {k: np.fft.fft(f)[places] / 8 for k, f in values.items()}


def _mean_growth(A: Array, B: Array, modes: int) -> float:
    """Return the mean of h over the stationary density of the angle, with so many Fourier modes."""
    f = _coefficients(A, B)
    n = np.arange(-modes, modes + 1)
    banded = np.zeros((2 * DEGREE + 1, n.size), dtype=complex)
    for j in range(-DEGREE, DEGREE + 1):
        # Row n, column n - j: -n^2 d_j - i n m_j, for (d p)'' - (m p)'.
        row = -(n**2) * f["d"][j + DEGREE] - 1j * n * f["m"][j + DEGREE]
        columns = np.arange(n.size) - j
        here = (columns >= 0) & (columns < n.size)
        banded[DEGREE + j, columns[here]] = row[here]
    # The equation of mode 0 is empty; in its place stands that the mass is one.
    for j in range(-DEGREE, DEGREE + 1):
        banded[DEGREE + j, modes - j] = 1.0 if j == 0 else 0.0
    right = np.zeros(n.size, dtype=complex)
    right[modes] = 1.0
    try:
        p = scipy.linalg.solve_banded((DEGREE, DEGREE), banded, right)
    except np.linalg.LinAlgError:
        return np.inf
    return float(sum((f["h"][j + DEGREE] * p[modes - j]).real for j in range(-DEGREE, DEGREE + 1)))


def _moment_growth(A: Array, B: Array, p: float) -> float:
    """Return the largest eigenvalue of L_p."""
    f = _coefficients(A, B)
    speed, rate = f["m"] + p * f["c"], p * f["h"] + 0.5 * p**2 * f["s"]
    # No eigenvalue lies to the right of the largest rate, so the one nearest to a point there is the largest.
    angles = np.exp(1j * np.outer(np.linspace(0, 2 * np.pi, 257), np.arange(-DEGREE, DEGREE + 1)))
    top = float((angles @ rate).real.max())
    scale = float(np.abs(A).max() + (B**2).sum()) * (1.0 + p**2)
    before, modes = np.inf, FEWEST_MODES
    while modes <= MOST_MODES >> 3:
        n = np.arange(-modes, modes + 1)
        diagonals = []
        for j in range(-DEGREE, DEGREE + 1):
            k = n[max(-j, 0) : n.size - max(j, 0)]  # the column's mode
            at = j + DEGREE
            diagonals.append(-(k**2) * f["d"][at] + 1j * k * speed[at] + rate[at])
        matrix = diags_array(diagonals, offsets=list(-np.arange(-DEGREE, DEGREE + 1)), format="csc")
        start = (n == 0).astype(complex)
        value = eigs(matrix, k=1, sigma=top + 1e-3 * scale, v0=start, return_eigenvectors=False)[
            0
        ].real
        if abs(value - before) <= 1e-10 * scale:
            return float(value)
        before, modes = value, 2 * modes
    raise NotConverged(
        f"the moment of order {p:g} needs more than {MOST_MODES >> 3} Fourier modes. Take another order, or "
        "dl.mean_square_exponent for the second.",
        status=Status.NOT_CONVERGED,
    )
