"""What an import costs: `import dynlab` loads nothing heavy, and nothing draws until asked."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "numba", "sympy", "scipy", "matplotlib", "networkx", "pandas", "xarray", "tqdm")

ASK = """
import sys
{statement}
print([name for name in {heavy} if name in sys.modules])
"""


def loaded_after(statement):
    program = ASK.format(statement=statement, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return set(eval(done.stdout))


def test_importing_dynlab_loads_nothing_heavy():
    assert loaded_after("import dynlab; dir(dynlab); dynlab.__version__") == set()


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import dynlab as dl; dl.Status, dl.StoreError", set()),
        ("import dynlab as dl; dl.progress_bar", set()),
        ("from dynlab import zoo; zoo.lorenz", {"numpy", "sympy"}),
        ("import dynlab.plotting", {"numpy"}),
        ("import dynlab.codegen.kernels", {"numpy", "sympy", "numba", "scipy"}),
    ],
)
def test_a_part_loads_what_it_needs(statement, allowed):
    assert loaded_after(statement) <= allowed
