"""Functions compiled at their first use: the same answers and refusals as those compiled at import."""

import subprocess
import sys
import threading

import numba
import numpy as np
import pytest

from dynlab.kernels.deferred import njit


def add(x, k):
    return x[0] + k


def made():
    return njit("f8(f8[::1], f8)", error_model="numpy")(add)


ONE = np.array([1.0])


def test_nothing_is_compiled_before_the_first_call():
    function = made()
    assert not function.overloads
    assert function(ONE, 2.0) == 3.0
    assert len(function.overloads) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (ONE, 2.0),
        (ONE, 2),  # a whole number becomes a float
        (ONE, True),
        (np.array([1]), 2.0),  # an array of whole numbers does not
        (np.array([1.0, 2.0])[::2], 2.0),
        (np.array([[1.0]]), 2.0),
        (ONE, 2j),
        (ONE, "2"),
        (ONE,),
        (ONE, 2.0, 3.0),
    ],
)
def test_the_first_call_answers_as_if_compiled_at_import(arguments):
    def outcome(function):
        try:
            return function(*arguments)
        except TypeError as error:
            return type(error)

    at_import = numba.njit("f8(f8[::1], f8)", error_model="numpy")(add)
    function = made()
    assert outcome(function) == outcome(at_import)
    assert outcome(function) == outcome(at_import)  # nor does it change after that
    assert len(function.overloads) <= 1


@pytest.mark.parametrize("value", [3, np.int64(3), np.int8(3), 3.5, np.float32(2.5), True, 1j])
def test_numbers_become_narrower_ones_as_they_do_later(value):
    function = njit("i4(i4)")(lambda k: 2 * k)

    def outcome():
        try:
            return function(value)
        except TypeError as error:
            return type(error)

    assert outcome() == outcome()


def test_a_caller_compiles_what_it_calls():
    function = made()
    caller = njit("f8(f8[::1])")(lambda x: function(x, 1.0))
    assert caller(ONE) == 2.0
    assert function(ONE, 1.0) == 2.0


def test_a_misspelt_signature_is_heard_at_once():
    with pytest.raises(Exception, match="f9"):
        njit("f9(f8)")


def test_what_cannot_be_compiled_says_so_each_time():
    function = njit("f8(f8)")(lambda x: object() + x)
    for _ in range(2):
        with pytest.raises(numba.TypingError):
            function(1.0)


def test_many_threads_may_call_first():
    function, answers = made(), []
    start = threading.Barrier(4)

    def call():
        start.wait()
        answers.append(function(ONE, 2.0))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [3.0] * 4


def test_a_first_trajectory_loads_what_it_runs():
    """Of about a hundred functions that it imports, few are called from outside."""
    code = (
        "import gc, dynlab as dl\n"
        "from dynlab import zoo\n"
        "dl.integrate(zoo.lorenz, duration=1)\n"
        "from dynlab.kernels.deferred import Deferred\n"
        "made = [o for o in gc.get_objects() if isinstance(o, Deferred)]\n"
        "print(len(made), sum(bool(o.overloads) for o in made))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # fill the cache
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    imported, loaded = map(int, done.stdout.split())
    assert imported > 80
    assert loaded < 10
