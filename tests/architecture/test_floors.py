"""Who may import whom: the package has floors, and imports only go down.

::

    7  __init__  load  study  explorer  cli
    6  stochastic  hopfield  synchrony  spatial  learning
    5  continuation  attractors
    4  equilibria  cycles  chaos
    3  solve  point
    2  codegen  zoo  text                    zoo and text: symbolic only
    1  symbolic  kernels                     neighbours that never meet
    0  errors status names result store progress notebook distributions seeds links recording cores
       plotting
       (sweep stands beside: floor 0, and load to read back what a study kept)

Packages on one floor do not import each other, inside a package there is no cycle, and numba,
numpy, sympy and matplotlib stay where they belong.  The imports are read with `ast`; none is run.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import dynlab

ROOT = Path(dynlab.__file__).parent
FLOORS = (
    ("errors", "status", "names", "result", "store", "progress", "notebook", "distributions", "seeds",
     "links", "recording", "cores", "plotting", "sweep"),
    ("symbolic", "kernels"),
    ("codegen", "zoo", "text"),
    ("solve", "point"),
    ("equilibria", "cycles", "chaos"),
    ("continuation", "attractors"),
    ("stochastic", "hopfield", "synchrony", "spatial", "learning"),
    ("", "load", "study", "explorer", "cli"),
)  # fmt: skip
FLOOR = {part: number for number, parts in enumerate(FLOORS) for part in parts}
EXTRAS = frozenset(
    {
        "pandas",
        "xarray",
        "tqdm",
        "dask",
        "distributed",
        "mpi4py",
        "libsbml",
        "ipywidgets",
        "IPython",
    }
)


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and where the import stands."""

    module: str
    line: int
    in_function: bool
    for_types: bool

    @property
    def part(self):
        """Which part of dynlab is imported; None for other packages."""
        names = self.module.split(".")
        return (names[1] if len(names) > 1 else "") if names[0] == "dynlab" else None

    @property
    def package(self):
        return self.module.split(".")[0]


def imports_of(source, modules):
    """Return the imports of a source text; ``from dynlab import x`` counts as dynlab.x if it is."""
    found = []

    def visit(node, in_function, for_types):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a module stands"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else node.module for name in inner]
        else:
            names = []
        found.extend(Import(name, node.lineno, in_function, for_types) for name in names)
        inside = in_function or isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        )
        for child in ast.iter_child_nodes(node):
            typed = isinstance(node, ast.If) and child in node.body and is_type_checking(node.test)
            visit(child, inside, for_types or typed)

    visit(ast.parse(source), False, False)
    return found


def is_type_checking(test):
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def name_of(path):
    parts = ("dynlab", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
IMPORTS = {
    name: imports_of(path.read_text(encoding="utf-8"), PATHS) for name, path in PATHS.items()
}


def part_of(module):
    return module.split(".")[1] if "." in module else ""


def wrong_floor(module, imported):
    """Say why a module must not import a part of dynlab, or return None."""
    here, there = part_of(module), imported.part
    if there is None or (here == there and here != ""):
        return None
    if here == "kernels":
        return "kernels import nothing of dynlab but kernels"
    if here == "sweep" and (FLOOR[there] == 0 or there == "load"):
        return None
    if there == "sweep" and FLOOR[here] < 7:
        return "sweep stands beside the floors"
    if FLOOR[here] == FLOOR[there] == 0 or FLOOR[here] == 7:
        return None
    if FLOOR[there] >= FLOOR[here]:
        return f"floor {FLOOR[here]} imports from floor {FLOOR[there]}"
    if here in ("zoo", "text") and there == "kernels":
        return f"{here} may import symbolic and floor 0 only"
    return None


def wrong_package(module, imported):
    """Say why a module must not import a foreign package there, or return None."""
    here, package = part_of(module), imported.package
    if package == "dynlab" or package in sys.stdlib_module_names or imported.for_types:
        return None
    if here == "kernels" and package not in {"numpy", "numba", "llvmlite"}:
        return "kernels import numpy, numba and llvmlite only"
    if here == "symbolic" and package not in {"sympy", "mpmath"}:
        return "symbolic imports sympy and mpmath only"
    if package in {"numba", "llvmlite"} and here not in {"kernels", "codegen"}:
        return "numba stays in kernels and codegen"
    if package == "matplotlib" and here != "plotting":
        return "matplotlib stays in plotting"
    if package in {"matplotlib", *EXTRAS} and not imported.in_function:
        return f"{package} is imported inside functions"
    return None


@pytest.mark.parametrize("module", IMPORTS)
def test_imports_go_down(module):
    assert part_of(module) in FLOOR, "a new part needs its floor in the table above"
    wrong = [
        f"line {found.line}: {found.module}: {why}"
        for found in IMPORTS[module]
        if (why := wrong_floor(module, found) or wrong_package(module, found))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "module",
    sorted(name for name in PATHS if part_of(name) == "kernels" and "deferred" not in name),
)
def test_kernels_are_compiled_at_their_first_use(module):
    """numba's own decorator would load every function of a module when it is imported."""
    tree = ast.parse(PATHS[module].read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    eager = [
        f"line {node.lineno}: take njit from dynlab.kernels.deferred"
        for node in froms
        if node.module == "numba" and any(name.name in {"njit", "jit"} for name in node.names)
    ]
    assert eager == []


@pytest.mark.parametrize("part", sorted({part_of(name) for name in PATHS} - {""}))
def test_no_cycle_inside_a_package(part):
    """Not even one hidden in a function; an import for annotations alone needs nothing."""
    inside = {name for name in PATHS if part_of(name) == part}
    needs = {
        name: {i.module for i in IMPORTS[name] if i.module in inside and not i.for_types} - {name}
        for name in inside
    }
    while free := {name for name in needs if not needs[name] & set(needs)}:
        needs = {name: needs[name] for name in needs if name not in free}
    assert sorted(needs) == [], "these need each other"


def test_every_file_is_read():
    assert len(PATHS) > 40
    assert all(
        IMPORTS[name] for name in ("dynlab.store", "dynlab.codegen.kernels", "dynlab.result")
    )


# The reader itself: what it must find, and what it must let pass


@pytest.mark.parametrize(
    ("module", "source", "why"),
    [
        ("dynlab.store", "from dynlab.symbolic.system import System", "floor 0 imports"),
        ("dynlab.store", "from dynlab import zoo", "floor 0 imports"),
        ("dynlab.solve.x", "import dynlab", "floor 3 imports from floor 7"),
        ("dynlab.solve.x", "from dynlab import flow", "floor 3 imports from floor 7"),
        ("dynlab.symbolic.x", "def f():\n    from dynlab.kernels import dense", "floor 1 imports"),
        ("dynlab.symbolic.x", "import numpy as np", "symbolic imports sympy"),
        ("dynlab.symbolic.x", "import numba", "symbolic imports sympy"),
        ("dynlab.kernels.x", "import scipy.linalg", "kernels import numpy"),
        ("dynlab.kernels.x", "from dynlab.errors import StoreError", "nothing of dynlab but"),
        ("dynlab.codegen.x", "from dynlab.zoo import names", "floor 2 imports from floor 2"),
        ("dynlab.zoo.x", "from dynlab.kernels import dense", "zoo may import"),
        ("dynlab.chaos.x", "import dynlab.equilibria.find", "floor 4 imports from floor 4"),
        ("dynlab.chaos.x", "if TYPE_CHECKING:\n    from dynlab.load import load", "floor 4"),
        ("dynlab.chaos.x", "def f():\n    import matplotlib.pyplot", "stays in plotting"),
        ("dynlab.plotting.x", "import matplotlib", "inside functions"),
        ("dynlab.result", "import pandas", "inside functions"),
        ("dynlab.solve.x", "from numba import njit", "numba stays in"),
        ("dynlab.solve.x", "from dynlab import sweep", "beside"),
        ("dynlab.sweep.x", "from dynlab.solve import integrate", "imports from floor 3"),
    ],
)
def test_the_reader_finds(module, source, why):
    modules = {*PATHS, "dynlab.sweep", "dynlab.zoo", "dynlab.kernels.dense"}
    found = imports_of(source, modules)
    reasons = [check(module, i) for i in found for check in (wrong_floor, wrong_package)]
    assert any(why in reason for reason in reasons if reason)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("dynlab.store", "from dynlab.errors import StoreError"),
        ("dynlab.plotting.x", "def f():\n    import matplotlib"),
        ("dynlab.chaos.x", "if TYPE_CHECKING:\n    from matplotlib.axes import Axes"),
        ("dynlab.chaos.x", "from dynlab import progress"),
        ("dynlab.load", "from dynlab.continuation.branch import Branch"),
        ("dynlab.kernels.x", "import math\nimport numpy\nfrom dynlab.kernels.dense import f"),
        ("dynlab.solve.x", "from dynlab.kernels.explicit import run"),
    ],
)
def test_the_reader_lets_pass(module, source):
    for found in imports_of(source, PATHS):
        assert wrong_floor(module, found) is None
        assert wrong_package(module, found) is None
