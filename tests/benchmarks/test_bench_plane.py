"""Curves of bifurcations in two parameters, per point, with their points of codimension two.

The bar is 0.3 ms for up to four states; AUTO-07p takes about 0.1 ms.  Run by name.
"""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

PLANES = {
    "morris_lecar": {"I": (-400.0, 400.0), "V3": (-60.0, 60.0)},
    "lorenz84_extended": {"F": (1.0, 3.5), "T": (-0.15, 0.15)},
    "hodgkin_huxley": {"I": (0.0, 300.0), "gK": (5.0, 60.0)},
}
SYSTEMS = {
    "morris_lecar": zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15, I=0.0),
    "lorenz84_extended": zoo.lorenz84_extended,
    "hodgkin_huxley": zoo.hodgkin_huxley(I=0.0),
}
LIMIT = 0.3e-3

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize(("name", "kind"), [
    ("morris_lecar", dl.Fold), ("morris_lecar", dl.Hopf), ("lorenz84_extended", dl.Fold),
    ("lorenz84_extended", dl.Hopf), ("hodgkin_huxley", dl.Hopf),
])  # fmt: skip
def test_bench_curve(benchmark, name, kind):
    system, over = SYSTEMS[name], PLANES[name]
    vary = next(iter(over))
    if name == "lorenz84_extended":
        rest = dl.Equilibrium.at(system, np.array(system.start_values), 1e-8)
    else:
        rest = dl.find_equilibria(system)[0]
    ends = (-50.0, 200.0) if vary == "I" else over[vary]
    point = dl.continue_equilibrium(rest, vary=vary, over=ends).points(kind)[0]
    curve = benchmark(dl.continue_bifurcation, point, vary=tuple(over), over=over)
    each = benchmark.stats.stats.min / len(curve)
    benchmark.extra_info["ms per point"] = 1e3 * each
    assert each < LIMIT
