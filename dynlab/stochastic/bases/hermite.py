"""Hermite functions: a basis for densities on the whole line that fall like a Gaussian or faster.

With xi = (x - centre) / width and the orthonormal oscillator functions psi_n,

    phi_n(x) = e^{-b xi^2 / 2} psi_n(xi) / width,       chi_m(x) = e^{b xi^2 / 2} psi_m(xi),
    d/dx  ->  ((1 - b) a - (1 + b) a+) / (width sqrt(2))

with a, a+ taking n down and up.  For b = 1 the chi are polynomials and a linear drift is a triangular matrix, whose
eigenvalues are exact; for b = 0 the expansion is one in the plain L2 norm, in which the drift of a steep well makes
norms grow.  In between b n, the exponent at the largest place reached, decides how much rounding is spent on the
tails: b = min(1, 10 / count) keeps them and loses no more than e^{-10} of the digits in the middle.

Risken, The Fokker-Planck Equation, 2nd ed. 1989, section 10.1.4 and appendix A4 (the scale of the functions free of
that of the weight); Boyd, Chebyshev and Fourier Spectral Methods, 2nd ed. 2001, section 17.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.stochastic.bases.axis import Axis
from dynlab.stochastic.bases.count import checked_count, fewer
from dynlab.stochastic.bases.reach import Reach

__all__ = ["Hermite"]

Array = NDArray[np.float64]

#: A Gaussian is the first function where the last reach 0.43 (1 + b) digits for each; other densities are finer.
DIGITS, LEAST_AND_MOST = 0.43, (5.0, 16.0)
#: The exponent of the weight at the turning point of the last function.
WEIGHT = 10.0
#: Functions and points beyond those kept: derivatives reach two further, drifts of degree 13 are integrated exactly.
BEYOND, POINTS = 2, 8
#: The last functions end so many widths beyond their turning points.
SKIRT = 4.0


@dataclass(frozen=True, slots=True)
class Hermite:
    """Hermite functions along a state that lives on the whole line.

    They suit densities that fall like a Gaussian or faster, and drifts that are polynomials best.

    Parameters
    ----------
    count
        How many.
    centre, width
        The functions are those of (x - centre) / width, and reach as far as ``sqrt(2 count)`` widths.  If None
        they are chosen so that the density just fits.

    Raises
    ------
    SettingError
        If there are fewer than four, or the width is not positive.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Basis(x=dl.Hermite(40), v=dl.Hermite(20, centre=0, width=0.5))
    Basis(x=Hermite(40), v=Hermite(20, centre=0, width=0.5))
    """

    count: int
    centre: float | None = field(default=None, kw_only=True)
    width: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", checked_count(self.count, "Hermite functions"))
        for name in ("centre", "width"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, finite(value, f"the {name} of Hermite functions"))
        if self.width is not None and not self.width > 0:
            raise SettingError(
                f"the width of Hermite functions is {self.width:g}. Give a positive one."
            )

    @property
    def is_fitted(self) -> bool:
        """Whether centre and width are given."""
        return self.centre is not None and self.width is not None

    @property
    def bias(self) -> float:
        """The exponent b of the weight; that of the full basis also in the coarse one."""
        return min(1.0, WEIGHT / self.count)

    def fitted(self, reach: Reach) -> Hermite:
        """Return functions that reach as far as so many can resolve, where they are not told to be elsewhere."""
        low, high = reach(float(np.clip(DIGITS * self.count * (1 + self.bias), *LEAST_AND_MOST)))
        centre = 0.5 * (low + high) if self.centre is None else self.centre
        distance = max(high - centre, centre - low)
        width = distance / np.sqrt(2 * self.count) if self.width is None else self.width
        return replace(self, centre=float(centre), width=float(width))

    @property
    def extent(self) -> tuple[float, float, int]:
        """The ends of what the functions reach, and how many cells resolve their products."""
        assert self.centre is not None
        assert self.width is not None
        turn = np.sqrt(2 * self.count)
        reach = self.width * (turn + SKIRT)
        return self.centre - reach, self.centre + reach, 2 * int((turn + SKIRT) * turn) + 8

    def axis(self, *, coarse: bool) -> Axis:
        """Return the functions in numbers; of the same family, but fewer, for the coarse answer."""
        assert self.centre is not None
        assert self.width is not None
        size = fewer(self.count) if coarse else self.count
        centre, width, bias, kept = self.centre, self.width, self.bias, size + BEYOND
        places, transform = _quadrature(size + POINTS)
        down = sparse.diags(np.sqrt(np.arange(1.0, kept)), 1)
        slope = (((1 - bias) * down - (1 + bias) * down.T) / (width * np.sqrt(2))).tocsr()

        def functions(points: Array) -> Array:
            return _oscillator((points - centre) / width, size, -bias) / width

        def duals(points: Array) -> Array:
            return _oscillator((points - centre) / width, size, bias)

        return Axis(
            centre + width * places,
            transform[:kept],
            (
                sparse.identity(kept, format="csr")[:size],
                slope[:size],
                (slope @ slope).tocsr()[:size],
            ),
            functions,
            duals,
        )

    def __repr__(self) -> str:
        places = [
            f"{n}={v:.6g}"
            for n, v in (("centre", self.centre), ("width", self.width))
            if v is not None
        ]
        return f"Hermite({', '.join([str(self.count), *places])})"


def _quadrature(points: int) -> tuple[Array, Array]:
    """Return the points, and the orthogonal matrix of functions at points times roots of weights."""
    beside = np.sqrt(0.5 * np.arange(1.0, points))
    places, vectors = eigh_tridiagonal(np.zeros(points), beside)
    return places, vectors


def _oscillator(xi: Array, size: int, bias: float) -> Array:
    """Return e^{bias xi^2 / 2} psi_n(xi); the exponent is carried apart, so that nothing overflows early."""
    table = np.empty((size, xi.size))
    previous, current = np.zeros_like(xi), np.full_like(xi, np.pi**-0.25)
    scale = np.zeros_like(xi)
    for n in range(size):
        with np.errstate(under="ignore"):
            table[n] = current * np.exp(scale + (bias - 1) * xi**2 / 2)
        following = np.sqrt(2 / (n + 1)) * xi * current - np.sqrt(n / (n + 1)) * previous
        previous, current = current, following
        large = np.abs(current) > 1e100
        if large.any():
            by = np.where(large, 1e-100, 1.0)
            previous, current, scale = previous * by, current * by, scale - np.log(by)
    return table
