"""Atmosphere and ocean in a few variables, and on a ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynlab.errors import SettingError
from dynlab.symbolic import language as dl
from dynlab.symbolic.define import PerLink, PerNode, flow

if TYPE_CHECKING:
    from networkx import DiGraph


@flow
def lorenz84_extended(
    X=2.97870044, Y=-0.03868303, Z=0.05823274, U=-0.02105288,
    *, F=3.0, T=0.04, G=0.25, alpha=0.25, beta=1.0, gamma=0.987, delta=1.04,
):  # fmt: skip
    """Westerly wind, two wave phases and the external heat anomaly that couples to them.

    Kuznetsov, Meijer and van Veen 2004, Int. J. Bifurcation Chaos 14, 2253, after Lorenz 1984,
    Tellus A 36, 98.

    Famous for having every codimension-two point of equilibria in the plane of F and T.
    Symmetric under (U, T) -> (-U, -T). The default start is the equilibrium of the defaults.
    """
    return {
        X: -(Y**2) - Z**2 - alpha * X + alpha * F - gamma * U**2,
        Y: X * Y - beta * X * Z - Y + G,
        Z: beta * X * Y + X * Z - Z,
        U: -delta * U + gamma * U * X + T,
    }


@flow
def lorenz84(X=1.0, Y=1.0, Z=0.0, *, a=0.25, b=4.0, F=8.0, G=1.0):
    """Westerly wind and the two phases of a wave: the smallest general circulation.

    Lorenz 1984, Tellus A 36, 98.

    Famous for a chaotic winter beside a calm one. Without contrast between land and sea, G = 0, the
    steady wind X = F is an equilibrium.
    """
    return {
        X: -(Y**2) - Z**2 - a * X + a * F,
        Y: X * Y - b * X * Z - Y + G,
        Z: b * X * Y + X * Z - Z,
    }


@flow
def lorenz96(x: PerNode = 8.0, *, ahead: PerLink = 0.0, behind: PerLink = 0.0, F=8.0):
    """Weather on a circle of latitude, site by site.

    Lorenz 1996, Predictability: a problem partly solved, ECMWF Seminar on Predictability, vol. 1.

    Famous as the test bed of weather forecasts, and for chaos whose dimension grows with the size.
    Bind it to ``zoo.lorenz96_ring(40)``: x[i]' = (x[i+1] - x[i-2]) x[i-1] - x[i] + F.
    """
    i, j = dl.nodes("i j")
    carried = dl.Sum(ahead[i, j] * x[j], j) * dl.Sum(behind[i, j] * x[j], j)
    return {x[i]: carried - x[i] + F}


def ring(size: int) -> DiGraph:
    """Return the ring of `lorenz96`: what is ahead (1 or -1) and what is behind."""
    from networkx import DiGraph

    if not size >= 4:
        raise SettingError(
            f"the ring of lorenz96 has {size} sites. Its sites i + 1, i - 1 and i - 2 are different ones "
            "from 4 sites on: zoo.lorenz96_ring(40)."
        )
    sites = DiGraph()
    sites.add_nodes_from(range(size))
    for i in range(size):
        sites.add_edge((i + 1) % size, i, ahead=1.0, behind=0.0)
        sites.add_edge((i - 2) % size, i, ahead=-1.0, behind=0.0)
        sites.add_edge((i - 1) % size, i, ahead=0.0, behind=1.0)
    return sites
