"""Atmosphere and ocean in a few variables."""

from dynlab.symbolic.define import flow


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
