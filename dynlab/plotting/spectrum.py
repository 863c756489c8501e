"""Eigenvalues: along a parameter, in the complex plane, and multipliers about the unit circle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import add_legend_key, draw_legend, new_axes
from dynlab.plotting.markers import draw_markers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Complex = NDArray[np.complex128]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

REAL = style.BLUE
PAIR = style.VERMILLION

NOT_REAL = 1e-9
"""Imaginary part, relative to the modulus, from which an eigenvalue counts as one of a pair."""
CRITICAL = 1e-6
"""Closer than this to the boundary of stability is on it: the trivial multiplier is computed."""

FAR = 3.0
"""Multipliers beyond this are cut off: what matters is where they pass 1 and -1."""


def draw_eigenvalues(
    ax: Axes | None, parameter: ArrayLike, eigenvalues: ArrayLike, *, xlabel: str
) -> Axes:
    """Real parts of eigenvalues along a branch: solid for real ones, dashed for complex pairs.

    Eigenvalues come in any order at each parameter value.  They are joined into curves by the
    assignment of one set to the next with the least total distance in the complex plane.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    parameter
        Parameter values along the branch.
    eigenvalues
        Eigenvalues, one row per parameter value.
    xlabel
        Label of the parameter.
    """
    ax = new_axes(ax, xlabel=xlabel, ylabel=r"Re $\lambda$")
    paths = _joined(np.asarray(eigenvalues, complex))
    imaginary = paths.imag / np.where(paths == 0, 1, np.abs(paths))
    real = np.abs(imaginary) <= NOT_REAL
    ax.axhline(0, color=style.GREY, linewidth=0.8, zorder=1)
    _draw_where(ax, parameter, paths.real, _reaching(real), (REAL, "-", "real"))
    pairs = (PAIR, (0, (5, 1.6)), "complex pair")
    _draw_where(ax, parameter, paths.real, imaginary > NOT_REAL, pairs)
    ax.margins(x=0)
    return draw_legend(ax)


def draw_multipliers(
    ax: Axes | None, parameter: ArrayLike, multipliers: ArrayLike, *, xlabel: str
) -> Axes:
    """Multipliers along a branch of a map: real ones with their sign, of complex pairs the modulus.

    Stability ends where a curve leaves the band from -1 to 1.  Far outside the picture is cut.

    Parameters
    ----------
    ax, parameter, xlabel
        As for `draw_eigenvalues`.
    multipliers
        Multipliers, one row per parameter value.
    """
    ax = new_axes(ax, xlabel=xlabel, ylabel=r"$\mu$, of pairs $|\mu|$")
    paths = _joined(np.asarray(multipliers, complex))
    rotating = np.abs(paths.imag) > NOT_REAL * np.abs(paths)
    ax.axhspan(-1, 1, color=style.FAINT, alpha=0.35, linewidth=0, zorder=0)
    for edge in (-1, 1):
        ax.axhline(edge, color=style.GREY, linewidth=0.8, zorder=1)
    _draw_where(ax, parameter, paths.real, ~rotating, (REAL, "-", "real"))
    pairs = (PAIR, (0, (5, 1.6)), "complex pair")
    _draw_where(ax, parameter, np.abs(paths), _reaching(rotating), pairs)
    ax.margins(x=0)
    low, high = ax.get_ylim()
    ax.set_ylim(max(min(low, -1.2), -FAR), min(max(high, 1.2), FAR))
    return draw_legend(ax)


def _joined(eigenvalues: Complex) -> Complex:
    """Columns reordered row by row into continuous paths."""
    from scipy.optimize import linear_sum_assignment

    paths = eigenvalues.copy()
    for k in range(1, len(paths)):
        distance = np.abs(paths[k - 1][:, None] - paths[k][None, :])
        # Where eigenvalues are missing (nan) any assignment will do.
        distance = np.nan_to_num(distance, nan=0.0)
        paths[k] = paths[k][linear_sum_assignment(distance)[1]]
    return paths


def _reaching(mask: Mask) -> Mask:
    """The mask and its neighbours along the path: real curves reach to where they meet a pair."""
    wider = mask.copy()
    wider[1:] |= mask[:-1]
    wider[:-1] |= mask[1:]
    return wider


def _draw_where(
    ax: Axes, parameter: ArrayLike, heights: Floats, mask: Mask, look: tuple[str, Any, str]
) -> None:
    """All stretches of one kind as one artist, separated by nan."""
    from matplotlib.lines import Line2D

    if not mask.any():
        return
    color, dashes, label = look
    looks: dict[str, Any] = {"color": color, "linestyle": dashes, "linewidth": 1.6}
    masked = np.where(mask, heights, np.nan)
    between = np.full((1, masked.shape[1]), np.nan)
    x = np.append(np.asarray(parameter, float), np.nan)
    ax.plot(np.tile(x, masked.shape[1]), np.vstack([masked, between]).T.ravel(), **looks)
    add_legend_key(ax, Line2D([], [], label=label, **looks))


def draw_eigenvalue_plane(ax: Axes | None, eigenvalues: ArrayLike) -> Axes:
    """Eigenvalues in the complex plane; those to the right of the imaginary axis are unstable."""
    ax = new_axes(ax, xlabel=r"Re $\lambda$", ylabel=r"Im $\lambda$")
    values = np.asarray(eigenvalues, complex).ravel()
    ax.axvline(0, color=style.GREY, linewidth=0.8, zorder=1)
    ax.axhline(0, color=style.FAINT, linewidth=0.8, zorder=1)
    _draw_by_stability(ax, values, values.real > CRITICAL)
    return draw_legend(ax)


def draw_multiplier_plane(ax: Axes | None, multipliers: ArrayLike) -> Axes:
    """Multipliers of a cycle or a map in the complex plane, with the unit circle."""
    ax = new_axes(ax, xlabel=r"Re $\mu$", ylabel=r"Im $\mu$", size=(4.4, 4.2))
    values = np.asarray(multipliers, complex).ravel()
    angle = np.linspace(0, 2 * np.pi, 257)
    ax.plot(np.cos(angle), np.sin(angle), color=style.GREY, linewidth=0.8, zorder=1)
    ax.axhline(0, color=style.FAINT, linewidth=0.8, zorder=1)
    ax.axvline(0, color=style.FAINT, linewidth=0.8, zorder=1)
    _draw_by_stability(ax, values, np.abs(values) > 1 + CRITICAL)
    ax.set_aspect("equal", adjustable="datalim")
    return draw_legend(ax)


def _draw_by_stability(ax: Axes, values: Complex, unstable: Mask) -> None:
    inside = style.PointStyle("stable", "", style.BLUE, "o")
    outside = style.PointStyle("unstable", "", style.VERMILLION, "o", "none")
    for look, mask in ((inside, ~unstable), (outside, unstable)):
        if mask.any():
            draw_markers(ax, values.real[mask].tolist(), values.imag[mask].tolist(), look)
