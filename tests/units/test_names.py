"""Names become positions in one place, and values enter the same way everywhere."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynlab import zoo
from dynlab.errors import DefinitionError, DuplicateNameError, SettingError, UnknownNameError
from dynlab.kernels import elementary
from dynlab.names import RESERVED, Layout, checked_name, checked_names, finite
from dynlab.symbolic import language

#: Models whose states are single numbers; rules over networks have laws of their own.
SCALAR = [name for name in zoo.names() if not zoo.get(name).is_indexed]

LAYOUT = Layout("spring", ("x", "v", "theta"), ("k", "mass"))
DEFAULT = (0.5, 0.0, -1.0)

NAMES = st.text("abcxyzXYZ_0123456789βüé", min_size=1, max_size=8).filter(
    lambda name: name.isidentifier() and not name.startswith("_")
)


# Which names are allowed


@given(NAMES)
def test_a_checked_name_is_checked_again_without_change(name):
    try:
        plain = checked_name(name, "state")
    except DefinitionError:
        return
    assert checked_name(plain, "state") == plain
    assert plain.isidentifier()


@given(st.text(max_size=12))
def test_any_text_is_a_name_or_refused_with_a_hint(text):
    if text_is_allowed(text):
        assert checked_name(text, "state").isidentifier()
        return
    with pytest.raises(DefinitionError, match=r"(?s)is not a valid name for a state. [A-Z]"):
        checked_name(text, "state")


def text_is_allowed(text):
    try:
        checked_name(text, "state")
    except DefinitionError:
        return False
    return True


def test_every_word_of_the_language_is_reserved():
    """Else a state of that name would hide the function in the printed code."""
    assert {name for name in language.__all__ if name.islower()} <= RESERVED
    assert set(elementary.__all__) <= RESERVED
    assert {"pi", "np", "numba", "math", "bernoulli", "logrel", "tanhc"} <= RESERVED


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lambda", "word of Python; write 'lambda_'"),
        ("t", "It is the time; choose another, such as 't_0'"),
        ("exp", "word of the equation language; choose another, such as 'exp_0'"),
        ("2x", "begins with a letter"),
        ("x y", "letters, digits and underscores"),
        ("", "letters, digits and underscores"),
        ("_x", "must not begin with an underscore; write 'x'"),
        ("x=__import__('os')", "letters, digits and underscores"),
        ("x\u200b", "invisible character U+200B"),
    ],
)
def test_a_refused_name_comes_with_a_hint(name, hint):
    with pytest.raises(DefinitionError) as caught:
        checked_name(name, "state")
    assert hint in str(caught.value)


def test_names_are_normalised_once():
    assert checked_name("ﬁ", "state") == "fi"
    assert checked_names(["e\u0301", "x"], "state") == ("é", "x")
    with pytest.raises(DuplicateNameError, match=r"both printed 'fi' .*'\\ufb01'.*Rename one"):
        checked_names(["fi", "ﬁ"], "state")


# Values


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70)))
def test_a_finite_number_is_its_float(number):
    assert repr(finite(number, "it")) == repr(float(number))


def test_numbers_of_all_kinds_become_floats():
    for number in (2, 2.0, np.float32(2), np.int8(2), Fraction(4, 2), np.array(2.0)):
        assert repr(finite(number, "it")) == "2.0"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (math.nan, "it is nan; give a finite number"),
        (-math.inf, "it is -inf; give a finite number"),
        (np.float64("nan"), "it is nan; give a finite number"),
        (1 + 0j, "it is complex"),
        (np.complex64(1), "it is complex"),
        (None, "it is None, which is not a number"),
        ("one", "it is 'one', which is not a number"),
        ([1.0], "it is .*, which is not a number"),
        (10**400, "it is too large for double precision"),
        (-(10**400), "it is too large for double precision"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_finite_number_is_named(value, why):
    with pytest.raises(SettingError, match=f"(?i){why}"):
        finite(value, "it")


# Layout


@given(st.permutations(["x", "v", "theta", "k", "mass"]), st.integers(1, 5))
def test_positions_follow_the_order_of_the_names(names, count):
    layout = Layout("any", tuple(names[:count]), tuple(names[count:]))
    assert [layout.state(n) for n in layout.states] == list(range(count))
    assert [layout.parameter(n) for n in layout.parameters] == list(range(5 - count))


@given(st.dictionaries(st.sampled_from(LAYOUT.states), st.floats(-9, 9)))
def test_packing_and_unpacking_are_inverse(values):
    packed = LAYOUT.pack(values, DEFAULT)
    assert packed.dtype == float
    assert LAYOUT.unpack(packed) == {**dict(zip(LAYOUT.states, DEFAULT, strict=True)), **values}
    assert list(LAYOUT.pack(list(packed), DEFAULT)) == list(packed)


def test_packing_leaves_the_default_alone():
    default = np.array(DEFAULT)
    packed = LAYOUT.pack(None, default)
    packed[:] = 7.0
    assert tuple(default) == DEFAULT


def test_sequences_of_all_kinds_are_packed():
    for start in ([1, 2, 3], (1.0, 2, 3), np.array([1, 2, 3]), np.array([1, 2, 3], dtype=object)):
        assert list(LAYOUT.pack(start, DEFAULT)) == [1.0, 2.0, 3.0]
    assert list(Layout("one", ("x",), ()).pack(5, (0.0,))) == [5.0]


def test_a_misspelt_name_meets_the_nearest():
    with pytest.raises(UnknownNameError) as caught:
        LAYOUT.pack({"thetta": 1.0}, DEFAULT)
    assert str(caught.value) == (
        "'thetta' is not a state of 'spring'. Did you mean 'theta'? Known: x, v, theta."
    )
    with pytest.raises(UnknownNameError, match="'m' is not a parameter of 'spring'"):
        LAYOUT.parameter("m")
    with pytest.raises(UnknownNameError, match="'k' is not a state of 'spring'"):
        LAYOUT.state("k")
    with pytest.raises(UnknownNameError, match="Did you mean 'V'"):
        Layout("s", ("V",), ()).state("v")


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ([1.0, 2.0], "start has length 2, but 'spring' has 3 states (x, v, theta)"),
        ([1.0] * 4, "start has length 4, but 'spring' has 3 states"),
        ([], "start has length 0"),
        (5.0, "start has length 1"),
        ([0.0, math.nan, 0.0], "start['v'] is nan"),
        ([0.0, 0.0, math.inf], "start['theta'] is inf"),
        ([0.0, 1j, 0.0], "start['v'] is complex"),
        (np.array([0, 1j, 0]), "start['x'] is complex"),
        ([0.0, "a", 0.0], "start['v'] is 'a', which is not a number"),
        ([0.0, None, 0.0], "start['v'] is None, which is not a number"),
        ({"v": math.nan}, "start['v'] is nan"),
        ({"theta": 1j}, "start['theta'] is complex"),
        ({"x": [1.0]}, "start['x'] is [1.0], which is not a number"),
        ({"x": 10**400}, "start['x'] is too large for double precision"),
    ],
)
def test_a_start_that_cannot_be_packed_says_which_component(start, why):
    with pytest.raises(SettingError) as caught:
        LAYOUT.pack(start, DEFAULT)
    assert why in str(caught.value)


@pytest.mark.parametrize("name", SCALAR)
def test_the_layout_of_a_model(name):
    system = zoo.get(name)
    layout = Layout.of(system)
    assert (layout.system, layout.states, layout.parameters) == (
        system.name, system.state_names, system.parameter_names,
    )  # fmt: skip
    assert tuple(layout.pack(None, system.start_values)) == system.start_values
