"""Branches of limit cycles: time per point with multipliers, on fixed meshes, beside AUTO-07p.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_cycles.py``.  Where ``AUTO_DIR`` names a
build of AUTO-07p (see `auto07p`), it computes the same branches on as many intervals, from the same
equations with Jacobians by formula, and to the same tolerance, 1e-9.  Both count seconds of the
processor, the least of several runs, what comes before the first point left out.  The steps along the
branch are each program's own.  ``most_intervals`` holds our meshes at their first size, as AUTO's are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import auto07p
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.continuation.curves.cycle import DEFAULT, CycleWalk, walk
from dynlab.continuation.cycles.follow import _start
from dynlab.equilibria.find import find_near

pytestmark = pytest.mark.benchmark(group="cycles")

REPEATS = 5
#: System, parameter, range, intervals, bound in seconds; AUTO starts its search for the Hopf point so far
#: before it, and takes steps of at most so much.
PROBLEMS = {
    "fitzhugh_nagumo 20": (zoo.fitzhugh_nagumo, "I", (0, 2), 20, 0.7e-3, 0.01, 0.5),
    "fitzhugh_nagumo 60": (zoo.fitzhugh_nagumo, "I", (0, 2), 60, 0.7e-3, 0.01, 0.5),
    "hodgkin_huxley 100": (zoo.hodgkin_huxley, "I", (0, 200), 100, 2.1e-3, 0.5, 5),
    "jansen_rit 80": (zoo.jansen_rit, "p", (-60, 400), 80, 5.3e-3, 0.2, 5),
}
PEER = pytest.mark.skipif(
    "AUTO_DIR" not in os.environ, reason="AUTO_DIR does not name a build of AUTO-07p"
)


def first_hopf(system, vary, over):
    return dl.equilibrium_diagram(system, vary=vary, over=over).points(dl.Hopf)[0]


def walk_from(hopf, over, intervals, points=4000):
    """The compiled walk along the cycles from a Hopf point, on a mesh of fixed size."""
    held = dl.Collocation(intervals=intervals, most_intervals=intervals)
    start = _start(hopf, hopf.vary, over, held)
    method = dl.PseudoArclength(
        first_step=DEFAULT.first_step, step_min=DEFAULT.step_min, step_max=DEFAULT.step_max,
        angle=DEFAULT.angle, max_points=points,
    )  # fmt: skip
    return CycleWalk(
        start.problem, start.orbit, start.direction, start.units, over, 100 * hopf.period, method,
        intervals,
    )  # fmt: skip


def least(run, repeats=REPEATS):
    """The least time of the processor per point, and how many points there are."""
    run()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        points = run()
        times.append((time.process_time() - began) / points)
    return min(times), points


def peer(folder, system, hopf, before):
    """AUTO at the same Hopf point."""
    near = system(**{hopf.vary: hopf.value - before})
    rests = dl.find_equilibria(near)
    rest = min(rests, key=lambda p: np.max(np.abs(p.state - hopf.state)))
    return auto07p.Auto.compiled(folder, rest, hopf.vary)


@pytest.mark.parametrize("name", PROBLEMS)
def test_time_per_point(name, tmp_path, record_property):
    """FitzHugh-Nagumo at most 0.7 ms, Hodgkin-Huxley 2.1 ms, Jansen-Rit 5.3 ms."""
    system, vary, over, intervals, bound, before, longest = PROBLEMS[name]
    hopf = first_hopf(system, vary, over)
    held = dl.Collocation(intervals=intervals, most_intervals=intervals)
    given = walk_from(hopf, over, intervals)
    ours, points = least(lambda: sum(len(nodes) for nodes, _ in walk(given)))
    whole, _ = least(lambda: len(dl.continue_cycles(hopf, over=over, collocation=held)), 3)
    record_property("seconds per point", ours)
    beside = "AUTO-07p not asked"
    if "AUTO_DIR" in os.environ:
        auto = peer(tmp_path, system, hopf, before)
        theirs, many = auto.seconds_per_point(
            auto.hopf(over, before / 20), over, 200, IPS=2, ICP="[1, 11]", NTST=intervals,
            DS=longest / 50, DSMAX=longest,
        )  # fmt: skip
        beside = f"AUTO-07p {theirs * 1e3:.2f} ms of {many}"
    print(
        f"{name}: {ours * 1e3:.2f} ms a point of {points}, special points located "
        f"{whole * 1e3:.2f} ms; {beside}"
    )
    assert ours < bound


@PEER
@pytest.mark.parametrize("name", ["fitzhugh_nagumo 20", "hodgkin_huxley 100"])
def test_peer_on_a_curve_of_hopf_points(name, tmp_path):
    """What a point of a curve in two parameters takes AUTO: the bar for ours."""
    system, vary, over, _, _, before, _ = PROBLEMS[name]
    second = "b" if system is zoo.fitzhugh_nagumo else "gNa"
    hopf = first_hopf(system, vary, over)
    near = dl.find_equilibria(system(**{vary: hopf.value - before})).single()
    auto = auto07p.Auto.compiled(tmp_path, near, vary, (second,))
    each, points = auto.seconds_per_point(
        auto.hopf(over, before / 20), (-1e3, 1e3), 1500, IPS=1, ISW=2, ICP="[1, 2]",
        DS=1e-3, DSMAX=1e-2,
    )  # fmt: skip
    print(f"{name}, Hopf points in {vary} and {second}: AUTO-07p {each * 1e3:.3f} ms of {points}")


def test_full_diagram_in_a_new_process():
    """Hodgkin-Huxley, equilibria and cycles, imports included and compiled code cached: below 5 s."""
    code = (
        "import dynlab as dl\n"
        "found = dl.bifurcation_diagram(dl.zoo.hodgkin_huxley, vary='I', over=(0, 200))\n"
        "assert len(found.points(dl.Fold)) == 3 and len(found.points(dl.Hopf)) == 2"
    )
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - began)
    print(f"Hodgkin-Huxley's diagram in a new process: {min(seconds):.2f} s")
    assert min(seconds) < 5.0


def chain(cells):
    """Brusselators in a chain, diffusively coupled, every state written out."""
    names = [f"{s}{k}" for k in range(cells) for s in "xy"]
    rules = []
    for k in range(cells):
        beside = [j for j in (k - 1, k + 1) if 0 <= j < cells]
        rules.append(
            f"x{k}: A - (B + 1) * x{k} + x{k}**2 * y{k}"
            + "".join(f" + c * (x{j} - x{k})" for j in beside)
        )
        rules.append(
            f"y{k}: B * x{k} - x{k}**2 * y{k}" + "".join(f" + c * (y{j} - y{k})" for j in beside)
        )
    source = (
        f"def chain({', '.join(f'{s}=1.5' if s[0] == 'y' else f'{s}=1.0' for s in names)}, *, "
        f"A=1.0, B=1.5, c=0.5):\n    return {{{', '.join(rules)}}}"
    )
    names = {}
    exec(compile(source, "chain", "exec"), names)
    return dl.flow(names["chain"])


MESHES = (20, 40, 80, 160)
CELLS = (1, 2, 3, 5, 10, 25)
FEW = 12


def test_growth_with_mesh_and_states(tmp_path):
    """The table of time per point against intervals and states; linear in the mesh.

    Elimination costs the cube of the states: growth nears 8 from one doubling to the next.
    """
    table, theirs = [], []
    for cells in CELLS:
        system = chain(cells)
        rest = find_near(system)
        branch = dl.continue_equilibrium(rest, vary="B", over=(1.4, 2.2))
        hopf = min(branch.points(dl.Hopf), key=lambda p: p.value)
        row, other = [], []
        for intervals in MESHES:
            given = walk_from(hopf, (1.4, 4.0), intervals, FEW)
            row.append(
                least(
                    lambda g=given: sum(len(nodes) for nodes, _ in walk(g)), 6 if cells < 5 else 2
                )[0]
            )
        table.append(row)
        if "AUTO_DIR" in os.environ:
            folder = tmp_path / str(cells)
            folder.mkdir()
            auto = auto07p.Auto.compiled(folder, find_near(system(B=1.9)), "B")
            start = auto.hopf((1.4, 2.2), 0.01)
            for intervals in MESHES if cells < CELLS[-1] else MESHES[:1]:
                other.append(auto.seconds_per_point(
                    start, (1.4, 4.0), 100 if cells < 5 else 20, 4 if cells < 5 else 2, IPS=2, ICP="[1, 11]", NTST=intervals, DS=0.05,
                    DSMAX=0.2,
                )[0])  # fmt: skip
            theirs.append(other)
    for word, rows in (("dynlab", table), ("AUTO-07p", theirs)):
        print(f"{word}: ms per point\nstates  " + "".join(f"{m:>9}" for m in MESHES))
        for cells, row in zip(CELLS, rows, strict=False):
            print(f"{2 * cells:6}  " + "".join(f"{1e3 * seconds:9.2f}" for seconds in row))
    table = np.array(table)
    assert np.all(table[:, -1] / table[:, 0] < 1.5 * MESHES[-1] / MESHES[0])
    slope = np.polyfit(np.log(CELLS[-2:]), np.log(table[-2:, -1]), 1)[0]
    print(f"growth with the states from {2 * CELLS[-2]} to {2 * CELLS[-1]}: power {slope:.2f}")
    assert slope < 3.3
