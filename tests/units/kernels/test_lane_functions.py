"""The functions on lanes against 40 digits, and the kernels for lanes against those for floats."""

import mpmath
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.kernels import dense
from dynlab.kernels.convention import OK, RUNNING
from dynlab.solve.lanes import Answers, run_in_lanes


@dl.iterated_map
def branch_free(
    a=0.0, b=0.0, c=0.0, d=0.0, e=0.0, f=0.0, g=0.0, h=0.0, i=0.0, j=0.0, *, p=1.0, q=1.0
):  # fmt: skip
    """Functions of the whole line in p, functions of positive numbers in q."""
    return {
        a: dl.exp(p), b: dl.expm1(p), c: dl.log(q), d: dl.sin(p), e: dl.cos(p), f: dl.tan(p),
        g: dl.tanh(p), h: dl.sinh(p), i: dl.cosh(p), j: dl.sigmoid(p),
    }  # fmt: skip


#: Column, function, and the error allowed, in units of the last place.
EXACT = {
    "exp": (0, mpmath.exp, 1.0),
    "expm1": (1, mpmath.expm1, 2.0),
    "log": (2, mpmath.log, 1.0),
    "sin": (3, mpmath.sin, 1.5),
    "cos": (4, mpmath.cos, 1.5),
    "tan": (5, mpmath.tan, 2.5),
    "tanh": (6, mpmath.tanh, 2.5),
    "sinh": (7, mpmath.sinh, 2.5),
    "cosh": (8, mpmath.cosh, 2.5),
    "sigmoid": (9, lambda x: 1 / (1 + mpmath.exp(-x)), 2.0),
}


def in_lanes(system, starts, parameters):
    """Return the next states of a map, and which lanes found one."""
    run = run_in_lanes(system, None, 1.0, np.array([1.0]))
    assert run is not None, "the system has no kernel for lanes"
    answers = Answers.room(len(starts), 1, starts.shape[1])
    run(np.ascontiguousarray(starts), np.ascontiguousarray(parameters), answers)
    return answers.values[:, 0], answers.status


def points(rng):
    """Numbers of all sizes, both signs; close to multiples of pi/2 and of ln 2; and the ends."""
    wide = np.concatenate([
        rng.uniform(-1, 1, 300), rng.uniform(-40, 40, 500), rng.uniform(-700, 700, 200),
        10.0 ** rng.uniform(-300, -1, 100) * rng.choice([-1, 1], 100),
        np.arange(-40, 41) * (np.pi / 2), np.arange(-60, 61) * np.log(2),
        (np.arange(-60, 61) + 0.5) * np.log(2), [0.0, 1.0, -1.0, 0.5, -0.5],
    ])  # fmt: skip
    positive = np.concatenate([
        10.0 ** rng.uniform(-300, 300, len(wide) - 400), rng.uniform(0.5, 2.0, 300),
        1.0 + 10.0 ** rng.uniform(-15, -1, 100),
    ])  # fmt: skip
    return wide, positive


@pytest.fixture(scope="module")
def evaluated():
    p, q = points(np.random.default_rng(5))
    found, status = in_lanes(branch_free, np.zeros((len(p), 10)), np.column_stack([p, q]))
    assert (status == OK).all()
    return p, q, found


@pytest.mark.parametrize("name", EXACT)
def test_error_in_units_of_the_last_place(evaluated, name):
    p, q, found = evaluated
    column, function, allowed = EXACT[name]
    with mpmath.workdps(40):
        exact = [function(mpmath.mpf(float(x))) for x in (q if name == "log" else p)]
        errors = [
            abs(mpmath.mpf(float(y)) - e) / mpmath.mpf(np.spacing(max(abs(float(e)), 5e-324)))
            for y, e in zip(found[:, column], exact, strict=True)
        ]
    assert max(errors) < allowed


@dl.iterated_map
def edges(a=0.0, b=0.0, c=0.0, d=0.0, *, p=1.0):
    return {a: dl.exp(p), b: dl.expm1(p), c: dl.tanh(p), d: dl.sigmoid(p)}


def test_edges_of_the_range():
    """Underflow to subnormals and zero, saturation; overflow is left to the loop for floats."""
    p = np.array([-1e308, -800.0, -745.0, -720.0, -40.0, 0.0, 709.7, 710.0, 1e308])
    found, status = in_lanes(edges, np.zeros((len(p), 4)), p[:, None])
    assert status.tolist() == [OK] * 7 + [RUNNING] * 2
    inside = p[:7]
    assert found[:7, 0] == pytest.approx(np.exp(inside), rel=4e-16, abs=5e-324)
    assert found[:7, 1] == pytest.approx(np.expm1(inside), rel=1e-15)
    assert found[:7, 2] == pytest.approx(np.tanh(inside), rel=1e-15)
    with np.errstate(over="ignore"):
        assert found[:7, 3] == pytest.approx(1 / (1 + np.exp(-inside)), rel=1e-15, abs=1e-308)


@dl.iterated_map
def large_angles(a=0.0, b=0.0, *, p=1.0):
    return {a: dl.sin(p), b: dl.cos(p)}


def test_large_angles_are_those_of_the_library():
    p = np.array([3e5, 4.1e5, -1e9, 1e15, 1.0, 1e300])
    found, _ = in_lanes(large_angles, np.zeros((len(p), 2)), p[:, None])
    assert found[:, 0] == pytest.approx(np.sin(p), rel=1e-15)
    assert found[:, 1] == pytest.approx(np.cos(p), rel=1e-15)


@dl.iterated_map
def all_the_rest(
    a=0.0, b=0.0, c=0.0, d=0.0, e=0.0, f=0.0, g=0.0, h=0.0, i=0.0, j=0.0, k=0.0, l=0.0, *, p=0.5
):  # fmt: skip
    return {
        a: dl.asin(p) + dl.acos(p / 2) + dl.atan(p),
        b: dl.atan2(p, p - 0.3),
        c: dl.erf(p) + dl.log1p(p + 1) + dl.exprel(p),
        d: dl.floor(4 * p) + dl.mod(3 * p, 0.4),
        e: dl.sign(p) + 10 * dl.heaviside(p),
        f: dl.min(p, 0.25, p**2) + dl.max(p, 0.1),
        g: dl.where((p > 0.2) & (p < 0.6), p, dl.where((p < -0.5) | ~(p < 0.9), p**3, -p)),
        h: dl.abs(p) ** 1.7 + 2.0**p,
        i: dl.sinc(p) + dl.tanh(3 * p) / (3 * p) + p / (1 - dl.exp(-p)),
        j: dl.sqrt(1 + p**2) + 1 / dl.sqrt(2 + p) + p**5 / (1 + p**4),
        k: dl.log(1 + p) / p + dl.t * p,
        l: 2,
    }  # fmt: skip


def test_every_function_is_that_of_floats():
    p = np.array([-0.95, -0.7, -0.5, -0.3, -0.1, -1e-9, 0.1, 0.2, 0.21, 0.5, 0.6, 0.61, 0.9, 0.95])
    found, status = in_lanes(all_the_rest, np.zeros((len(p), 12)), p[:, None])
    assert (status == OK).all()
    rule, inputs = kernels_of(all_the_rest).rhs, inputs_of(all_the_rest)
    for x, answer in zip(p, found, strict=True):
        wanted = np.empty(12)
        dense.call(rule.address, 0.0, np.zeros(12), inputs[0], np.array([x]), *inputs[2:], wanted)
        # The numbers are of size 1, sums of three terms with errors of 4 units.
        assert answer == pytest.approx(wanted, abs=1e-14, rel=1e-14)


@pytest.mark.parametrize(
    "name", [n for n in zoo.names() if not (zoo.get(n).is_indexed or zoo.get(n).is_delayed)]
)
def test_kernel_for_lanes_is_that_for_floats(name):
    """The right-hand side of every model in the zoo, at random states, read as a map."""
    from dataclasses import replace

    system = getattr(zoo, name)
    if not system.is_discrete:
        system = replace(system, time=zoo.logistic.time, events=())
    rng = np.random.default_rng(1)
    n = len(system.state_names)
    starts = np.array(system.start_values) + 0.1 * rng.normal(size=(20, n))
    parameters = np.tile(system.parameter_values or (0.0,), (20, 1))
    found, status = in_lanes(system, starts, parameters)
    rule, inputs = kernels_of(system).rhs, inputs_of(system)
    compared = 0
    for start, answer, ended in zip(starts, found, status, strict=True):
        wanted = np.empty(n)
        dense.call(rule.address, 0.0, start, *inputs, wanted)
        assert np.isfinite(wanted).all() == (ended == OK)
        if ended == OK:
            compared += 1
            # Rounding of terms that may cancel, in size at most some 1e4 (conductances, rates).
            assert answer == pytest.approx(wanted, rel=1e-11, abs=1e-11)
    assert compared > 10
