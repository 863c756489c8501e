"""AUTO-07p as a peer: a system's equations written out in Fortran, compiled, run, and timed.

AUTO's own variable ``AUTO_DIR`` names the folder where it was built, ``lib/*.o`` in it:
``./configure --disable-plaut --disable-plaut04 && make -C src`` in https://github.com/auto-07p/auto-07p.
"""

from __future__ import annotations

import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sympy
from sympy.printing.fortran import fcode

from dynlab.symbolic.singular import bernoulli
from dynlab.symbolic.tree import symbol

#: Both derivatives by formula, stability and special points at every point, nothing written but the points.
CONSTANTS = {
    "NTST": 20, "NCOL": 4, "IAD": 3, "ILP": 1, "ISP": 2, "ISW": 1, "NBC": 0, "NINT": 0, "NPR": 0,
    "MXBF": 0, "IID": 1, "ITMX": 9, "ITNW": 7, "NWTN": 3, "JAC": 1, "EPSL": 1e-9, "EPSU": 1e-9,
    "EPSS": 1e-7, "IADS": 1, "DSMIN": 1e-7,
}  # fmt: skip
EMPTY = "".join(f"SUBROUTINE {s}\nEND SUBROUTINE {s}\n" for s in ("BCND", "ICND", "FOPT", "PVLS"))
HOPF = 3  # the number of the type in the tables


@dataclass(frozen=True)
class Auto:
    """A system compiled for AUTO in a folder."""

    folder: Path
    states: int

    @classmethod
    def compiled(cls, folder, equilibrium, vary, others=()):
        """Return the program of a system that starts at an equilibrium; its first parameters are those to vary."""
        source = _fortran(equilibrium, (vary, *others))
        (folder / "model.f90").write_text(source)
        objects = sorted(str(o) for o in (Path(os.environ["AUTO_DIR"]) / "lib").glob("*.o"))
        # The flags that AUTO itself compiles a user's equations with.
        command = ["gfortran", "-g", "-fopenmp", "-O", "model.f90", *objects, "-o", "model.exe"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return cls(folder, len(equilibrium.state))

    def run(self, solutions=None, **constants):
        """Return seconds of the processor, a row of numbers per point, and the solutions to go on from."""
        for name in ("fort.3", "fort.7", "fort.8", "fort.9"):
            (self.folder / name).unlink(missing_ok=True)
        if solutions is not None:
            (self.folder / "fort.3").write_bytes(solutions)
        given = CONSTANTS | {"NDIM": self.states} | constants
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(
            ["./model.exe"], cwd=self.folder, check=True, capture_output=True,
            input="".join(f"{name} = {value}\n" for name, value in given.items()).encode(),
            env={"OMP_NUM_THREADS": "1", "AUTO_DIR": os.environ["AUTO_DIR"]},
        )  # fmt: skip
        seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        lines = (line.split() for line in (self.folder / "fort.7").read_text().splitlines())
        rows = np.array([[float(x) for x in line] for line in lines if line and line[0] != "0"])
        return seconds, rows, (self.folder / "fort.8").read_bytes()

    def hopf(self, over, step):
        """Return the solutions of a run over equilibria, and the label of its first Hopf point."""
        _, rows, solutions = self.run(
            IPS=1, IRS=0, ICP="[1]", NMX=2000, DS=step, DSMAX=10 * abs(step), UZSTOP=_bounds(over)
        )
        return solutions, int(rows[np.abs(rows[:, 2]) % 10 == HOPF][0, 3])

    def seconds_per_point(self, start, over, points, repeats=3, **constants):
        """Return the least time per point of the run from a labelled solution, without its start.

        What a short run takes is taken from what a long one does.
        """
        solutions, label = start
        given = {"IRS": label, "UZSTOP": _bounds(over)} | constants
        least = []
        for most in (5, points):
            runs = [self.run(solutions, NMX=most, **given)[:2] for _ in range(repeats)]
            least.append((min(seconds for seconds, _ in runs), len(runs[0][1])))
        (short, few), (long, many) = least
        return (long - short) / (many - few), many


def _bounds(over):
    return "{1: [" + ", ".join(str(float(x)) for x in over) + "]}"


def _fortran(equilibrium, first):
    """Return the source of right-hand side, both Jacobians and start."""
    system, start = equilibrium.system, equilibrium.state
    parameters = [*first, *(p for p in system.parameter_names if p not in first)]
    rule = [
        sympy.sympify(e).replace(bernoulli, lambda x, k: sympy.diff(x / (sympy.exp(x) - 1), x, k))
        for e in system.rule
    ]
    names = {symbol(p): sympy.Symbol(f"PAR({k + 1})") for k, p in enumerate(parameters)}
    names |= {symbol(s): sympy.Symbol(f"U({k + 1})") for k, s in enumerate(system.state_names)}
    side = {f"F({i + 1})": e for i, e in enumerate(rule)}
    by_state, by_parameter = (
        {
            f"{word}({i + 1},{j + 1})": sympy.diff(e, symbol(name))
            for i, e in enumerate(rule)
            for j, name in enumerate(variables)
        }
        for word, variables in (("DFDU", system.state_names), ("DFDP", parameters))
    )
    parts = [
        _statements(part, names) for part in (side, side | by_state, side | by_state | by_parameter)
    ]
    most = max(count for count, _ in parts)
    plain, both, whole = (lines for _, lines in parts)
    values = [*(float(system[p]) for p in parameters), *start]
    places = [*names.values()]
    return "\n".join([
        "SUBROUTINE FUNC(NDIM,U,ICP,PAR,IJAC,F,DFDU,DFDP)", "IMPLICIT NONE",
        "INTEGER, INTENT(IN) :: NDIM, IJAC, ICP(*)",
        "DOUBLE PRECISION, INTENT(IN) :: U(NDIM), PAR(*)",
        "DOUBLE PRECISION, INTENT(OUT) :: F(NDIM)",
        "DOUBLE PRECISION, INTENT(INOUT) :: DFDU(NDIM,*), DFDP(NDIM,*)",
        *(f"DOUBLE PRECISION :: t_{k}" for k in range(most)),
        "IF (IJAC == 0) THEN", *plain, "ELSE IF (IJAC == 1) THEN", *both, "ELSE", *whole, "END IF",
        "END SUBROUTINE FUNC",
        "SUBROUTINE STPNT(NDIM,U,PAR,T)", "IMPLICIT NONE", "INTEGER, INTENT(IN) :: NDIM",
        "DOUBLE PRECISION, INTENT(INOUT) :: U(NDIM), PAR(*)",
        "DOUBLE PRECISION, INTENT(IN) :: T",
        *(f"{place} = {value:.17e}".replace("e", "d")
          for place, value in zip(places, values, strict=True)),
        "END SUBROUTINE STPNT", EMPTY,
    ])  # fmt: skip


def _statements(targets, names):
    """Return how many intermediate values there are, and the assignments, what is shared computed once."""
    shared, last = sympy.cse(list(targets.values()), symbols=sympy.numbered_symbols("t_"))
    pairs = [*((str(name), e) for name, e in shared), *zip(targets, last, strict=True)]
    return len(shared), [
        f"{target} = "
        + fcode(sympy.sympify(e).xreplace(names), source_format="free", standard=2003)
        for target, e in pairs
    ]
