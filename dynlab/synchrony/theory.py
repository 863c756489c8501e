"""Order of infinitely many oscillators by self-consistency, for any density of frequencies.

    theta_i' = omega_i + (K / N) sum_j sin(theta_j(t - tau) - theta_i - a) + sqrt(2 D) xi_i

In a state of steady order the mean field ``r exp(i psi)`` turns at some frequency W.  With ``phi = theta - psi + a``
an oscillator obeys ``phi' = w - q sin(phi) + sqrt(2 D) xi``, where ``w = omega - W`` and ``q = K r``, and its mean of
``exp(i phi)`` is h(w, q).  The field is made by the oscillators that it turns,

    r exp(i a) = H(q, W) = int g(W + w) h(w, q) dw,

two real equations.  They are solved the other way round: for each q, W follows from the phase, then
``r = |H|`` and ``K = q / r``.  So a curve K(q) comes without iteration, folds and jumps included; r at a given K is
read off at the largest q.  Without noise

    h = (sqrt(q^2 - w^2) + i w) / q  (locked),   i q / (w + sign(w) sqrt(w^2 - q^2))  (drifting);

with noise h is ``I_{1-iw/D}(q/D) / I_{-iw/D}(q/D)``, from the recurrence ``(D n - i w) h_n = (q/2) (h_{n-1} - h_{n+1})`` of the
moments.  As q -> 0, ``h -> (q/2) / (D - i w)``: that gives the onset, where incoherence loses stability.

A delay tau is a lag that grows with the frequency of the field: what turns at W arrives ``W tau`` late, so a is ``a + W tau``
throughout.  About incoherence this is the border ``l = i W`` of the characteristic equation

    1 = (K / 2) exp(-l tau - i a) int g(w) / (l + D - i w) dw

of any density [5]; its roots are on the left while K is small, so the least K of all W on the border is the onset.  There are
many W: they are looked for until ``|H / q|``, which bounds 1 / K, has fallen below what was found.

The curve follows incoherent states only where their field is steady.  Where two groups of
oscillators turn against each other (a standing wave, next to the onset of two separate peaks) order
is not steady and is reported as nan.

References
----------
1. Kuramoto 1984, Chemical Oscillations, Waves, and Turbulence, Springer, section 5.4.
2. Sakaguchi and Kuramoto 1986, Prog. Theor. Phys. 76, 576 (lag); Sakaguchi 1988, Prog. Theor. Phys. 79, 39 (noise).
3. Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613: stability of incoherence.
4. Martens et al. 2009, Phys. Rev. E 79, 026204: two Lorentzian peaks.
5. Yeung and Strogatz 1999, Phys. Rev. Lett. 82, 648: delays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.distributions import Constant, Quantiles, density_of
from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.synchrony.quadrature import SHARES, integral

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MeanFieldSynchrony", "SynchronyOnset", "mean_field_synchrony", "synchrony_onset"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Error aimed at in each integral, relative to q.
TOLERANCE = 1e-12
#: Frequencies at which the onset is looked for between the quantiles, and values of q along the curve.
BETWEEN, ALONG = 8, 64
#: With a delay frequencies are looked at until the lag has grown by this, and this many of them at most.
TURN, MANY_TURNS = np.pi / 8, 20_000
#: Secants tried before a zero is bracketed.
SECANTS = 8
#: The curve begins at this share of the largest q.
SMALLEST = 1e-4
#: K(q) is flat to rounding where a density is: this close is equal.
EQUAL = 1e-11
#: Below this share of the largest q the curve is steady only to rounding: used for the amplitude.
NEAR = 0.02
#: Order that appears at once counts as a jump.
JUMP = 1e-2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SynchronyOnset(Result):
    """Where incoherence of infinitely many oscillators loses stability.

    Attributes
    ----------
    value
        The critical coupling K_c.
    frequencies
        At what frequencies the first order turns: one, or two where waves turn against each other.
    amplitude
        Just beyond, ``r = amplitude sqrt((K - K_c) / K_c)``; nan where order jumps or is not steady.
    jump
        The order that appears at once at K_c; 0 where it grows from nothing.
    error
        Error of the value by quadrature.
    provenance
        Where it came from.
    """

    value: float
    frequencies: tuple[float, ...]
    amplitude: float
    jump: float
    error: float
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return coupling and frequencies as columns."""
        count = len(self.frequencies)
        return {"coupling": np.full(count, self.value), "frequency": np.array(self.frequencies)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how order grows just beyond the onset; a jump as such."""
        from dynlab.plotting import draw_order

        couplings = np.linspace(0.8, 1.2, 401) * self.value
        beyond = np.maximum(couplings / self.value - 1, 0.0)
        r = self.jump * (beyond > 0) + np.nan_to_num(self.amplitude) * np.sqrt(beyond)
        return draw_order(
            ax, couplings, np.minimum(r, 1.0), onset=self.value, name="just beyond the onset"
        )

    def __repr__(self) -> str:
        how = f"r jumps to {self.jump:.4g}" if self.jump else f"amplitude {self.amplitude:.6g}"
        turns = " and ".join(f"{w:.4g}" for w in self.frequencies)
        return (
            f"<Onset of synchrony at K = {self.value:.10g}, error {self.error:.1g};\n"
            f" {how}, turning at {turns}>"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MeanFieldSynchrony(Result):
    """Order of infinitely many oscillators against their coupling.

    Attributes
    ----------
    couplings
        The couplings K.
    r
        The order of the partially synchronised state, the largest where there are several; 0 where there is
        none and incoherence is stable, nan where order is not steady.
    rotation
        The frequency at which the field turns; nan where r is 0.
    onset
        K_c, where incoherence loses stability.
    fold
        The smallest K with a synchronised state; below `onset` both states are stable from there on.
    error
        Error of the integrals.
    provenance
        Where it came from.
    """

    couplings: Array
    r: Array
    rotation: Array
    onset: float
    fold: float
    error: float
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return coupling, order and rotation as columns."""
        return {"K": self.couplings, "r": self.r, "rotation": self.rotation}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the order against the coupling, with the onset."""
        from dynlab.plotting import draw_order

        return draw_order(ax, self.couplings, self.r, onset=self.onset)

    def __repr__(self) -> str:
        return (
            f"<Mean-field synchrony at {len(self.couplings)} couplings, r up to "
            f"{np.nanmax(self.r, initial=0.0):.6g};\n onset at K = {self.onset:.8g}, "
            f"synchronised states from {self.fold:.8g}, error {self.error:.1g}>"
        )


def synchrony_onset(
    density: Any, *, noise: float = 0.0, lag: float = 0.0, delay: float = 0.0
) -> SynchronyOnset:
    """Return the coupling at which infinitely many phase oscillators begin to synchronise.

    ``K_c = 2 / (pi g(0))`` for a density with one peak, and what replaces it with noise, phase lag, delay, or several
    peaks.  The coupling is that of ``K * Mean(sin(theta[j] - theta[i] - lag), j)``, with ``theta[j]`` a delay ago.

    Parameters
    ----------
    density
        The distribution of frequencies: dynlab's or a continuous frozen one of scipy.stats;
        `dynlab.Constant` for identical oscillators.
    noise
        Intensity D of white noise, as in ``sqrt(2 D) xi``, per unit of time.
    lag
        Phase lag, in radians, within a quarter turn.
    delay
        How long the phases of others are on their way, in units of time.  Frequencies then count from zero: those of
        a frame that turns will not do.

    Returns
    -------
    SynchronyOnset
        The coupling, how fast order grows there, and its frequency.

    Raises
    ------
    SettingError
        If something given is no density, the noise or the delay is negative, the lag is a quarter turn or more, incoherence
        never loses stability, or the density has no largest value (order then begins at no coupling at all).

    Examples
    --------
    >>> import dynlab as dl
    >>> onset = dl.synchrony_onset(dl.Gaussian(0, 1))
    >>> round(onset.value, 9), round(onset.amplitude, 6)
    (1.595769122, 1.772454)

    A coupling that arrives half a period late works against synchrony:

    >>> import numpy as np
    >>> late = dl.synchrony_onset(dl.Gaussian(2 * np.pi, 0.5), delay=0.5)
    >>> round(late.value / dl.synchrony_onset(dl.Gaussian(2 * np.pi, 0.5)).value, 3)
    7.664

    References
    ----------
    1. Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613, eq 3.9.
    2. Sakaguchi and Kuramoto 1986, Prog. Theor. Phys. 76, 576.
    3. Yeung and Strogatz 1999, Phys. Rev. Lett. 82, 648.
    """
    began = perf_counter()
    model = _Model.of(density, noise, lag, delay)
    roots = _roots(model)
    first = min(roots, key=lambda root: root.coupling)
    alike = [root for root in roots if root.coupling <= first.coupling * (1 + 1e-9)]
    middle = roots[len(roots) // 2]
    if model.delay:
        middle = first
    amplitude, jump = float("nan"), 0.0
    if first.coupling == 0:
        jump = 1.0
    elif middle in alike:
        curve = _curve(model, middle, 2 * first.coupling)
        jump = curve.at(first.coupling)[0]
        jump = jump if jump > JUMP else 0.0
        amplitude = float("nan") if jump or len(alike) % 2 == 0 else curve.amplitude()
    settings = {
        "density": repr(density), "noise": model.noise, "lag": model.lag, "delay": model.delay,
    }  # fmt: skip
    return SynchronyOnset(
        first.coupling, tuple(root.frequency for root in alike), amplitude, jump,
        max(root.error for root in alike),
        Provenance("synchrony_onset", None, settings, seconds=perf_counter() - began),
    )  # fmt: skip


def mean_field_synchrony(
    density: Any, *, couplings: ArrayLike, noise: float = 0.0, lag: float = 0.0
) -> MeanFieldSynchrony:
    """Return the order r(K) of infinitely many phase oscillators.

    Parameters
    ----------
    density, noise, lag
        As in `synchrony_onset`.
    couplings
        The couplings K at which r is wanted, 0 or larger.

    Returns
    -------
    MeanFieldSynchrony
        Order and frequency of the field at each coupling.

    Raises
    ------
    SettingError
        As `synchrony_onset`; if a coupling is negative or not finite.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.mean_field_synchrony(dl.Lorentzian(0, 1), couplings=[1, 4]).r.round(10)
    array([0.        , 0.70710678])

    References
    ----------
    1. Kuramoto 1984, Chemical Oscillations, Waves, and Turbulence, Springer, section 5.4.
    """
    began = perf_counter()
    model = _Model.of(density, noise, lag)
    K = np.atleast_1d(np.asarray(couplings, float)).ravel()
    if not K.size or not np.isfinite(K).all() or K.min() < 0:
        raise SettingError(f"couplings is {couplings!r}; give numbers of 0 or more, at least one.")
    roots = _roots(model)
    onset = min(root.coupling for root in roots)
    middle = roots[len(roots) // 2]
    most = max(float(K.max()), 2 * middle.coupling, 1e-9)
    curve = _curve(model, middle, most)
    found = np.array([curve.at(k) for k in K])
    r, turns = found[:, 0], found[:, 1]
    # Between the onset and the first steady state there is order, but it is not steady.
    r = np.where((r == 0) & (onset * (1 + EQUAL) < K), np.nan, r)
    settings = {"density": repr(density), "noise": model.noise, "lag": model.lag}
    return MeanFieldSynchrony(
        K, r, turns, onset, curve.fold, curve.error,
        Provenance("mean_field_synchrony", None, settings, seconds=perf_counter() - began),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Model:
    """A density with noise and lag: the integrals H(q, W)."""

    g: Callable[[Any], Any] | None
    quantiles: Array
    noise: float
    lag: float
    #: About what the density is even, if without lag; oscillators to both sides then pull alike.
    centre: float | None = None
    delay: float = 0.0

    @classmethod
    def of(cls, density: Any, noise: float, lag: float, delay: float = 0.0) -> _Model:
        D, a, late = finite(noise, "noise"), finite(lag, "lag"), finite(delay, "delay")
        if late < 0:
            raise SettingError(f"delay is {late:g}; give a time of 0 or more.")
        if D < 0:
            raise SettingError(f"noise is {D:g}; give an intensity D of 0 or more.")
        if not abs(a) < np.pi / 2:
            raise SettingError(
                f"lag is {a:g}; beyond a quarter turn oscillators repel each other. Give a lag between "
                "-pi/2 and pi/2."
            )
        of = density.of if isinstance(density, Quantiles) else density
        if isinstance(of, Constant):
            return cls(None, np.array([of.value]), D, a, delay=late)
        g = density_of(of)
        _refuse_infinite(g, of)
        places = [_quantiles(part) for part in (of, *getattr(of, "parts", ()))]
        quantiles = np.unique(np.concatenate(places).astype(float))
        inner = quantiles[np.isfinite(quantiles)]
        centre, off = (
            0.5 * (inner[0] + inner[-1]),
            np.linspace(0.0, 0.5 * (inner[-1] - inner[0]), 200)[1:-1],
        )
        left, right = np.asarray(g(centre - off)), np.asarray(g(centre + off))
        is_even = bool((np.abs(left - right) <= 1e-12 * np.abs(right)).all())
        return cls(g, quantiles, D, a, centre if is_even and not (a or late) else None, late)

    @property
    def inner(self) -> Array:
        """The finite quantiles."""
        return self.quantiles[np.isfinite(self.quantiles)]

    def field(self, q: float, turn: float) -> tuple[complex, float]:
        """Return H(q, W) times exp(-i (lag + W delay)), and its error."""
        back = np.exp(-1j * (self.lag + turn * self.delay))
        response = self._noisy if self.noise else _quiet
        if self.g is None:
            return complex(back * response(self.quantiles - turn, q)[0]), 0.0
        g = self.g
        # In w, not in frequencies: for small q rounding of W + w would show.
        ends = self.quantiles - turn
        if self.centre is not None and turn == self.centre:
            edges = np.unique(np.append(ends[ends > 0], (0.0, q)))
            edges = edges[edges <= (ends[-1] if self.noise else min(q, ends[-1]))]
            value, error = integral(
                lambda w: 2 * g(turn + w) * response(w, q).real, edges, TOLERANCE * q
            )
            return complex(value), error
        inside = [w for w in (-q, q) if ends[0] < w < ends[-1]]
        edges = np.unique(np.concatenate([ends, inside]))
        value, error = integral(lambda w: g(turn + w) * response(w, q), edges, TOLERANCE * q)
        return complex(back * value), error

    def slope(self, turn: float) -> tuple[complex, float]:
        """Return H(q, W) exp(-i (lag + W delay)) / q as q goes to 0, and its error."""
        back, D = np.exp(-1j * (self.lag + turn * self.delay)), self.noise
        if self.g is None:
            w = self.quantiles[0] - turn
            return complex(back * 0.5 / (D - 1j * w)), 0.0
        g = self.g
        if D:
            edges = np.unique(np.append(self.quantiles - turn, 0.0))
            value, error = integral(lambda w: g(turn + w) * 0.5 / (D - 1j * w), edges, TOLERANCE)
            return complex(back * value), error
        # The principal value: what lies to both sides of W alike cancels.
        edges = np.unique(np.concatenate([np.abs(self.quantiles - turn), [0.0]]))
        value, error = integral(
            lambda w: 0.5j * (g(turn + w) - g(turn - w)) / np.maximum(w, 1e-300), edges, TOLERANCE
        )
        here = 0.25 * np.pi * float(g(turn * (1 - 1e-15)) + g(turn * (1 + 1e-15)))
        return complex(back * (value + here)), error

    def _noisy(self, w: Array, q: float) -> Complex:
        """Return h with noise: the continued fraction of the moments, from its end."""
        ratio = np.zeros(len(w), complex)
        # Moments fall like exp(-n^2 D / (2 q)).
        for n in range(int(20 + 3 * q / self.noise), 0, -1):
            ratio = 0.5 * q / (self.noise * n - 1j * w + 0.5 * q * ratio)
        return ratio


def _refuse_infinite(g: Callable[[Any], Any], distribution: Any) -> None:
    ends = np.asarray(distribution.ppf(SHARES), float)
    ends = ends[np.isfinite(ends)]
    with np.errstate(all="ignore"):
        wrong = ~np.isfinite(np.asarray(g(ends), float))
    if wrong.any():
        raise SettingError(
            f"the density of frequencies is infinite at {ends[wrong][0]:g}: next to it any coupling binds oscillators, so "
            "there is no onset. Give a density that is finite everywhere."
        )


def _quantiles(distribution: Any) -> Array:
    found = np.asarray(distribution.ppf(SHARES), float)
    # The tangent of a right angle is finite in floating point.
    found[np.abs(found) > 1e12 * (found[-2] - found[1])] *= np.inf
    return found


def _quiet(w: Array, q: float) -> Complex:
    """Return h without noise."""
    if q == 0:
        return np.zeros(len(w), complex)
    locked = np.abs(w) <= q
    root = np.sqrt(np.abs((q - w) * (q + w)))
    # To the outside the difference of w and the root, written without cancellation.
    drifting = 1j * q * np.sign(w) / np.where(locked, 1.0, np.abs(w) + root)
    return np.where(locked, (root + 1j * w) / q, drifting)


@dataclass(frozen=True, slots=True)
class _Root:
    """A frequency at which incoherence can lose stability, and the coupling where it does."""

    frequency: float
    coupling: float
    error: float


def _roots(model: _Model) -> list[_Root]:
    """Return all frequencies at which the response to a small field has the right phase, rising."""
    if model.g is None and model.delay:
        return _roots_of_identical(model)
    if model.g is None:
        D, centre = model.noise, float(model.quantiles[0])
        turn = centre - D * np.tan(model.lag)
        return [_Root(turn, 2 * D / np.cos(model.lag) ** 2 if D else 0.0, 0.0)]
    inner = model.inner
    wide = model.noise + (inner[-1] - inner[0])
    share = np.arange(BETWEEN) / BETWEEN
    at = np.concatenate([a + share * (b - a) for a, b in itertools.pairwise(inner)])
    if model.noise or model.lag:
        at = np.concatenate([inner[0] - wide * share[:0:-1], at, inner[-1] + wide * share])
    at = at + 1e-7 * wide / len(at)  # off the middle, where a root would be met by chance
    if model.delay:
        found = _delayed_roots(model, at)
    else:
        found = _roots_between(model, at, np.array([model.slope(turn)[0].imag for turn in at]))
    if not found:
        raise SettingError(
            "incoherence never loses stability for this density. Give one that is smooth, with at least "
            "one peak."
        )
    return found


def _roots_between(model: _Model, at: Array, misses: Array) -> list[_Root]:
    """Return the roots between places at which the phase of the response is wrong to different sides."""
    inner, found = model.inner, []
    wide = model.noise + (inner[-1] - inner[0])
    for k in np.flatnonzero(misses[:-1] * misses[1:] < 0):
        turn = _zero(lambda w: model.slope(w)[0].imag, float(at[k]), float(at[k + 1]), 1e-15 * wide)
        if model.centre is not None and abs(turn - model.centre) < 1e-9 * wide:
            turn = model.centre
        value, error = model.slope(turn)
        if value.real > 1e-12 / wide:
            found.append(_Root(turn, 1 / value.real, error / value.real**2))
    return found


def _delayed_roots(model: _Model, coarse: Array) -> list[_Root]:
    """Return all roots up to the least coupling, from where the response is strongest outwards.

    The lag turns with the frequency, so places lie as close as it asks for.  ``1 / |slope|`` is a bound for the coupling
    of a root there, and beyond the quantiles the response only falls.
    """
    strength = np.array([abs(model.slope(turn)[0]) for turn in coarse])
    if not np.isfinite(strength).all():
        raise SettingError(
            "the response of this density to a small field is not finite, so its onset cannot be told. Give a density "
            "that is finite everywhere."
        )
    start = float(coarse[np.argmax(strength)])
    sides = [
        _Side(1, start, np.maximum.accumulate(strength[::-1])[::-1]),
        _Side(-1, start, np.maximum.accumulate(strength)),
    ]
    found: list[_Root] = []
    for _ in range(MANY_TURNS):
        for side in sides:
            found += side.advance(model, coarse)
        best = min((root.coupling for root in found), default=np.inf)
        sides = [side for side in sides if side.strongest * best >= 1]
        if not sides:
            return sorted(found, key=lambda root: root.frequency)
    raise SettingError(
        f"after a delay of {model.delay:g} phases of this density have turned against each other so often that no onset "
        f"was found at {2 * MANY_TURNS} frequencies. Give a shorter delay."
    )


@dataclass(slots=True)
class _Side:
    """A walk along the frequencies, up or down, with the strongest response that still lies ahead."""

    sign: int
    here: float
    ahead: Array
    strongest: float = np.inf
    response: complex | None = None

    def advance(self, model: _Model, coarse: Array) -> list[_Root]:
        """Take a step and return the root on it, if there is one."""
        before, start = self.response or model.slope(self.here)[0], self.here
        k = int(np.searchsorted(coarse, start))
        # Beyond the quantiles nothing is narrow but the turns of the lag.
        gap = (
            coarse[k] - coarse[k - 1] if 0 < k < len(coarse) else (coarse[-1] - coarse[0]) / BETWEEN
        )
        self.here = start + self.sign * min(TURN / model.delay, float(gap))
        self.response = model.slope(self.here)[0]
        inside = coarse[0] < self.here < coarse[-1]
        beyond = float(np.interp(self.here, coarse, self.ahead)) if inside else 0.0
        self.strongest = max(abs(self.response), beyond)
        at, misses = np.array([start, self.here]), np.array([before.imag, self.response.imag])
        return _roots_between(model, at[:: self.sign], misses[:: self.sign])


def _roots_of_identical(model: _Model) -> list[_Root]:
    """Return the root of least coupling of identical oscillators with a delay.

    ``i (W - c) + D = (K / 2) exp(-i (W tau + a))``: without noise either K = 0, if the phase after the
    delay pulls, or a field a quarter turn off, at the nearest such frequency.
    """
    D, centre = model.noise, float(model.quantiles[0])
    if not D and np.cos(centre * model.delay + model.lag) > 0:
        return [_Root(centre, 0.0, 0.0)]

    def phase(turn: float) -> float:
        return float(np.arctan2(turn - centre, D) + turn * model.delay + model.lag)

    # The phase rises with W, and the coupling with the distance from c: the roots next to c are the least.
    roots = []
    nearest = np.floor(phase(centre) / (2 * np.pi))
    for whole in (nearest, nearest + 1):
        reach = (4 * np.pi) / model.delay
        turn = _zero(lambda w: phase(w) - 2 * np.pi * whole, centre - reach, centre + reach, 0.0)  # noqa: B023
        roots.append(_Root(turn, 2 * float(np.hypot(turn - centre, D)), 0.0))
    return sorted(roots, key=lambda root: root.frequency)


def _zero(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=max(tolerance, 1e-300), rtol=1e-15))


@dataclass(frozen=True, slots=True)
class _Curve:
    """The states of steady order: K, r and the rotation W against q."""

    model: _Model
    q: Array
    coupling: Array
    order: Array
    turn: Array
    error: float

    @property
    def fold(self) -> float:
        """The smallest coupling on the curve."""
        return float(self.coupling.min())

    def at(self, K: float) -> tuple[float, float]:
        """Return order and rotation at a coupling: those of the largest q."""
        level = K * (1 + EQUAL)
        below = np.flatnonzero(self.coupling <= level)
        if not below.size or K == 0:
            return 0.0, float("nan")
        last = int(below[-1])
        if last + 1 == len(self.q):
            return float(self.order[-1]), float(self.turn[-1])
        if last == 0:
            return 0.0, float("nan")

        def misses(q: float) -> float:
            r, _, _ = _state(self.model, q, float(self.turn[last]))
            return q / r - level

        q = _zero(misses, float(self.q[last]), float(self.q[last + 1]), 1e-15)
        r, turn, _ = _state(self.model, q, float(self.turn[last]))
        return r, turn

    def amplitude(self) -> float:
        """Return a in r = a sqrt(mu): K grows like K_c (1 + r^2 / a^2), by extrapolation to r = 0."""
        start, top = float(self.coupling[0]), float(self.q[-1])
        rates = []
        for q in NEAR * top * 0.5 ** np.arange(4):
            r, _, _ = _state(self.model, float(q), float(self.turn[0]))
            rates.append((q / r / start - 1) / r**2)
        table = np.array(rates)
        for power in (2, 4, 6):
            table = table[1:] + (table[1:] - table[:-1]) / (2**power - 1)
        rate = float(table[0])
        return float(rate**-0.5) if rate > 0 else float("nan")


def _curve(model: _Model, root: _Root, most: float) -> _Curve:
    """Return the curve that leaves incoherence at a root, up to q = the largest coupling."""
    q = most * np.geomspace(SMALLEST, 1.0, ALONG)
    # Half of it evenly: K(q) may have a fold anywhere.
    q = np.unique(np.concatenate([q, np.linspace(0.0, most, ALONG)[1:]]))
    r, turn, error = np.empty(len(q)), np.empty(len(q)), 0.0
    now = root.frequency
    for k, value in enumerate(q):
        # The last two tell where the next is, about.
        more = (
            (value - q[k - 1]) / (q[k - 1] - q[k - 2]) * (turn[k - 1] - turn[k - 2])
            if k > 1
            else 0.0
        )
        r[k], now, off = _state(
            model, float(value), now + (more if abs(more) < 0.01 * value else 0.0)
        )
        turn[k], error = now, max(error, off)
    coupling = q / np.maximum(r, 1e-300)
    begins = root.coupling
    return _Curve(
        model, np.append(0.0, q), np.append(begins, coupling), np.append(0.0, r),
        np.append(root.frequency, turn), error,
    )  # fmt: skip


def _state(model: _Model, q: float, near: float) -> tuple[float, float, float]:
    """Return order, rotation and error at q: W such that H has the phase of the lag, from a W nearby."""
    value, error = model.field(q, near)
    if abs(value.imag) <= max(10 * error, 1e-14 * abs(value)):
        return value.real, near, error
    # Along a curve a few secants are enough; they stay as near as the bracket begins.
    turn, now, reach = near, value, 0.01 * q
    last, before = near + 1e-4 * q, model.field(q, near + 1e-4 * q)[0]
    for _ in range(SECANTS):
        if abs(now.imag) <= max(10 * error, 1e-14 * abs(now)) and now.real > 0:
            return now.real, turn, error
        slope = (now.imag - before.imag) / (turn - last) if turn != last else 0.0
        ahead = turn - now.imag / slope if slope else np.inf
        if not abs(ahead - near) < reach:
            break
        turn, last, before = ahead, turn, now
        now, error = model.field(q, turn)
    step = 0.01 * q + 1e-9 * (model.inner[-1] - model.inner[0])
    low = high = near
    for _ in range(60):
        low, high = low - step, high + step
        ends = model.field(q, low)[0].imag, model.field(q, high)[0].imag
        if ends[0] * ends[1] < 0:
            break
        if ends[0] * value.imag < 0:
            high = near
            break
        if ends[1] * value.imag < 0:
            low = near
            break
        step *= 1.6
    else:
        return 1e-300, near, error
    turn = _zero(lambda w: model.field(q, w)[0].imag, low, high, 1e-15 * max(q, abs(near)))
    value, error = model.field(q, turn)
    return max(value.real, 1e-300), turn, error
