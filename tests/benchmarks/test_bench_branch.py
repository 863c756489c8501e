"""Time per point of an equilibrium branch with eigenvalues at every point and special points located.

Run by name: ``pytest -m benchmark -s tests/benchmarks``.  AUTO-07p takes about 40 microseconds.
"""

from __future__ import annotations

import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark

CASES = {
    "fitzhugh_nagumo": (zoo.fitzhugh_nagumo, "I", (0, 2)),
    "hodgkin_huxley": (zoo.hodgkin_huxley, "I", (0, 200)),
    "morris_lecar": (zoo.morris_lecar(gCa=4, V3=12, V4=17.4, phi=1 / 15), "I", (-20, 150)),
    "lorenz84": (zoo.lorenz84_extended, "F", (1, 3.5)),
}


@pytest.mark.parametrize("name", CASES)
def test_microseconds_per_point(name, benchmark):
    system, vary, over = CASES[name]
    start = dl.find_equilibria(system)[0]
    branch = benchmark(lambda: dl.continue_equilibrium(start, vary=vary, over=over))
    each = benchmark.stats.stats.min / len(branch)
    benchmark.extra_info["microseconds per point"] = each * 1e6
    print(f"{name}: {len(branch)} points, {each * 1e6:.1f} us each")
