"""What is written is read back the same; what was not written here is refused, and runs nothing."""

import io
import json
import math
import pickle
import subprocess
import sys
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from strategies import systems

import dynlab as dl
from dynlab import store, zoo
from dynlab.errors import DefinitionError, StoreError
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.system import System

KNOWN = {"System": System}
REFUSED = (StoreError, DefinitionError)


@dataclass(frozen=True, slots=True)
class Measured:
    """A result in small."""

    title: str
    values: np.ndarray
    parts: tuple = ()
    status: Status = Status.OK


def same(one, two):
    """Equality that looks into arrays and takes nan for equal to nan."""
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[k], two[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and repr(one) == repr(two)


# What is written comes back


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=8),
    st.sampled_from(Status),
)
ARRAYS = arrays.arrays(
    st.sampled_from([float, int, complex, bool, np.uint8, np.float32, np.dtype("U5")]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
KEYS = st.one_of(st.text(max_size=5), st.integers(0, 99), st.tuples(st.integers(0, 9)))
VALUES = st.recursive(
    st.one_of(SCALARS, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=VALUES)
def test_values_come_back_the_same(tmp_path_factory, value):
    path = store.write(tmp_path_factory.mktemp("s") / "value", value)
    assert same(value, store.read(path, {}))


@settings(max_examples=25)
@given(system=systems(time=True))
def test_systems_come_back_the_same(tmp_path_factory, system):
    path = store.write(tmp_path_factory.mktemp("s") / "system.npz", system)
    copy = store.read(path, KNOWN)
    assert copy == system
    assert hash(copy) == hash(system)
    assert (copy.name, copy.reference, copy.rule_hash) == (
        system.name, system.reference, system.rule_hash,
    )  # fmt: skip


@pytest.mark.parametrize("name", zoo.names())
def test_models_come_back_the_same(tmp_path, name):
    model = zoo.get(name)
    copy = store.read(store.write(tmp_path / name, model), KNOWN)
    assert copy == model
    assert [s.unit for s in copy.states] == [s.unit for s in model.states]


def test_every_part_of_a_system_comes_back(tmp_path):
    @dl.flow(time="ms", units={"theta": "rad", "K": "1/ms"})
    def driven(theta: dl.Angle = 0.1, x: dl.Positive = 2.0, *, K=1 / 3):
        """Title.  With a source."""
        return {theta: K * dl.sin(theta - dl.t), x: -x}

    driven = driven.with_observable(order=lambda theta: dl.cos(theta), far=lambda order: 1 - order)
    copy = store.read(store.write(tmp_path / "driven", driven), KNOWN)
    assert copy == driven
    assert repr(copy) == repr(driven)
    assert copy.reference == driven.reference
    assert (copy.time, copy.states, copy.parameters, copy.observables) == (
        driven.time, driven.states, driven.parameters, driven.observables,
    )  # fmt: skip
    copy = store.read(store.write(tmp_path / "henon", zoo.henon), KNOWN)
    assert copy.is_discrete


def test_results_come_back_with_what_they_hold(tmp_path):
    source = Provenance("measure", zoo.lorenz, {"tolerance": 1e-9}, seed=3, seconds=0.5)
    inner = Measured("inner", np.array([1.0, math.nan]), (), Status.STOPPED)
    result = Measured("outer", np.arange(6).reshape(2, 3).T, (inner, source, 1 + 2j, -math.inf))
    known = {"Measured": Measured, "Provenance": Provenance, **KNOWN}
    copy = store.read(store.write(tmp_path / "result", result), known)
    assert isinstance(copy, Measured)
    assert np.array_equal(copy.values, result.values)
    assert copy.parts[0].status is Status.STOPPED
    assert copy.parts[1] == source
    assert copy.parts[2:] == (1 + 2j, -math.inf)


def test_numpy_numbers_become_plain_numbers(tmp_path):
    given = (np.float64(0.1), np.int64(7), np.complex128(1j), np.bool_(True), np.str_("x"))
    found = store.read(store.write(tmp_path / "numbers", given), {})
    assert found == (0.1, 7, 1j, True, "x")
    assert [type(value) for value in found] == [float, int, complex, bool, str]


def test_a_file_holds_no_pickle(tmp_path):
    path = store.write(tmp_path / "system", (zoo.lorenz, np.arange(3.0)))
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


# What cannot be written is refused, and leaves no half file


@pytest.mark.parametrize(
    "value",
    [{1, 2}, len, object(), np.array([object()]), np.array(["2000"], "M8[Y]"), b"raw", dl],
    ids=["set", "function", "object", "object array", "dates", "bytes", "module"],
)
def test_what_cannot_be_written_is_refused(tmp_path, value):
    with pytest.raises(StoreError, match="cannot be stored"):
        store.write(tmp_path / "file", (1, {"inside": value}))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder.npz").mkdir()
    for place in ("absent/file", "file/below", "folder.npz", "x" * 300, "nul\0"):
        with pytest.raises(StoreError, match=r"cannot write .*\. Choose another path"):
            store.write(tmp_path / place, 1)
    with pytest.raises(StoreError, match="Choose another path"):
        store.write("", 1)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.npz"}


def test_writing_again_replaces_the_file(tmp_path):
    for value in (1, 2):
        path = store.write(tmp_path / "a.b", value)
        assert store.read(path, {}) == value
    assert [found.name for found in tmp_path.iterdir()] == ["a.b.npz"]


def test_a_file_has_the_permissions_of_any_other_file(tmp_path):
    """Whoever may read the folder may read the results in it."""
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    path = store.write(tmp_path / "result", 1)
    assert path.stat().st_mode == ordinary.stat().st_mode


# What was not written here is refused


def packed(header, **members):
    """Return the bytes of an archive with this header."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    stream = io.BytesIO()
    np.savez(stream, dynlab=np.frombuffer(raw, np.uint8), **members)
    return stream.getvalue()


def read_bytes(folder, content):
    path = folder / "made.npz"
    path.write_bytes(content)
    return store.read(path, KNOWN)


def lorenz_with(**parts):
    """Return a stored Lorenz system with some parts exchanged."""
    stored = zoo.lorenz.__stored__() | parts
    return {"version": 1, "value": {"$": "object", "class": "System", "v": stored}}


def one_rule(tree):
    return lorenz_with(rule=[tree] * 3)


class Trap:
    """Pickles to a call that leaves a file behind."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def encrypted():
    """Return an archive whose members say that they are encrypted."""
    content = bytearray(packed({"version": 1, "value": 1}))
    content[6] |= 1
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def packed_strangely():
    """Return an archive with a compression method that nobody has."""
    content = bytearray(packed({"version": 1, "value": 1}))
    content[8] = 77
    at = content.index(b"PK\x01\x02")
    content[at + 10] = 77
    return bytes(content)


FILES = {
    "empty": b"",
    "text": b"version = 1\n",
    "noise": np.random.default_rng(1).bytes(3000),
    "pickle": pickle.dumps({"a": 1}),
    "plain array": npy(np.zeros(3)),
    "text member": zipped(dynlab=b"hello"),
    "text member named as array": zipped(**{"dynlab.npy": b"hello"}),
    "no header": zipped(other=b"hello"),
    "header of floats": zipped(**{"dynlab.npy": npy(np.zeros(9))}),
    "encrypted": encrypted(),
    "unknown compression": packed_strangely(),
    "header that is no text": packed(b"\xff\xfe\x00"),
    "header that is no JSON": packed(b"{'version': 1}"),
    "header that is a list": packed(b"[1]"),
    "header that is nan": packed(b"NaN"),
    "version nan": packed(b'{"version": NaN, "value": 1}'),
    "version true": packed({"version": True, "value": 1}),
    "version text": packed({"version": "1", "value": 1}),
    "no value": packed({"version": 1}),
    "deep": packed(b'{"version": 1, "value":' + 100_000 * b"["),
    "infinite array number": packed(b'{"version": 1, "value": {"$": "array", "v": Infinity}}'),
    "infinite status": packed(b'{"version": 1, "value": {"$": "status", "v": Infinity}}'),
    "absent array": packed({"version": 1, "value": {"$": "array", "v": 3}}),
    "list": packed({"version": 1, "value": [1, 2]}),
    "unknown kind": packed({"version": 1, "value": {"$": "code", "v": "1"}}),
    "kind that is a list": packed({"version": 1, "value": {"$": ["a"], "v": "1"}}),
    "key that is a dict": packed(
        {"version": 1, "value": {"$": "dict", "v": [[{"$": "dict", "v": []}, 1]]}}
    ),
    "unknown class": packed({"version": 1, "value": {"$": "record", "class": "Popen", "v": {}}}),
    "class that is a list": packed(
        {"version": 1, "value": {"$": "record", "class": ["System"], "v": {}}}
    ),
    "system as record": packed(
        {"version": 1, "value": {"$": "record", "class": "System", "v": {"name": 5, "states": 3}}}
    ),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_that_was_not_written_here_is_refused(tmp_path, content):
    with pytest.raises(StoreError, match=r"made\.npz|unknown item|unexpected item"):
        read_bytes(tmp_path, content)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"there is no file .*absent\.npz.* Check the path"):
        store.read(tmp_path / "absent.npz", KNOWN)
    for place in (tmp_path, tmp_path / "nul\0"):
        with pytest.raises(StoreError, match="cannot be read as a dynlab file"):
            store.read(place, KNOWN)


def test_a_newer_file_tells_both_versions(tmp_path):
    newer = store.FORMAT_VERSION + 1
    with pytest.raises(StoreError, match=rf"version {newer}, .* up to {newer - 1}\. Update dynlab"):
        read_bytes(tmp_path, packed({"version": newer, "value": {"$": "unheard", "v": 1}}))


def test_pickled_objects_are_not_unpickled(tmp_path):
    mark = tmp_path / "mark"
    trap = np.array([Trap(mark)], dtype=object)
    reference = {"version": 1, "value": {"$": "array", "v": 0}}
    for content in (
        packed(reference, a0=trap),
        packed({"version": 1, "value": 1}, a0=trap),
        zipped(**{"dynlab.npy": npy(trap)}),
        npy(trap),
        pickle.dumps(Trap(mark)),
    ):
        with pytest.raises(StoreError, match="cannot be read as a dynlab file"):
            read_bytes(tmp_path, content)
    assert not mark.exists()


@given(data=st.data())
def test_a_cut_file_is_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("s")
    whole = store.write(folder / "whole", (zoo.henon, np.arange(50.0))).read_bytes()
    with pytest.raises(StoreError, match="damaged"):
        read_bytes(folder, whole[: data.draw(st.integers(0, len(whole) - 1))])


@settings(max_examples=300)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_unharmed(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    whole = bytearray(store.write(folder / "whole", (zoo.henon, np.arange(50.0))).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        model, numbers = read_bytes(folder, bytes(whole))
    except StoreError:
        return
    assert (model, list(numbers)) == (zoo.henon, list(range(50)))


@given(data=st.data())
def test_random_bytes_are_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("s")
    start = data.draw(st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY\x01\x00"]))
    with pytest.raises(StoreError):
        read_bytes(folder, start + data.draw(st.binary(max_size=200)))


# A header may say anything; only a valid definition comes out


EVIL = "x=__import__('os').system('touch MARK')"
HEADERS = {
    "evil state": lorenz_with(states=[[EVIL, 1.0, "", "line", []]], rule=[["name", EVIL]]),
    "evil parameter": lorenz_with(parameters=[[EVIL, 1.0, "", []]]),
    "evil name in the rule": one_rule(["name", EVIL]),
    "evil function": one_rule(["call", "__import__", ["name", "x"]]),
    "evil node": one_rule(["import", "os"]),
    "evil observable": lorenz_with(observables=[[EVIL, ["name", "x"], ""]]),
    "evil attribute": one_rule(["name", "x.__class__"]),
    "foreign name": one_rule(["name", "w"]),
    "word of Python": lorenz_with(states=[["lambda", 1.0, "", "line", []]], rule=[["integer", 1]]),
    "two states of one name": lorenz_with(states=[["x", 1.0, "", "line", []]] * 3),
    "no states": lorenz_with(states=[], rule=[]),
    "one rule too few": lorenz_with(rule=[["name", "x"]]),
    "unknown domain": lorenz_with(states=[["x", 1.0, "", "torus", []]] * 3),
    "unknown time": lorenz_with(time=["imaginary", ""]),
    "unit with a line break": lorenz_with(time=["continuous", "ms\n"]),
    "endless unit": lorenz_with(time=["continuous", "m" * 1000]),
    "unit that is a number": lorenz_with(parameters=[["sigma", 1.0, 5, []]]),
    "start nan": lorenz_with(states=[["x", math.nan, "", "line", []]] * 3),
    "start beyond doubles": lorenz_with(states=[["x", 10**400, "", "line", []]] * 3),
    "value infinite": lorenz_with(parameters=[["sigma", math.inf, "", []]]),
    "constant nan": one_rule(["real", "nan"]),
    "constant infinite": one_rule(["real", "inf"]),
    "constant beyond doubles": one_rule(["integer", 10**400]),
    "constant that overflows": one_rule(["mul", ["name", "x"], ["real", "1e999"]]),
    "whole number infinite": one_rule(["integer", math.inf]),
    "division by zero": one_rule(["rational", 1, 0]),
    "power of zero": one_rule(["pow", ["integer", 0], ["integer", -1]]),
    "imaginary": one_rule(["call", "sqrt", ["integer", -1]]),
    "truth in a sum": one_rule(["add", ["true"], ["name", "x"]]),
    "truth in a power": one_rule(["pow", ["true"], ["name", "x"]]),
    "comparison in a product": one_rule(
        ["mul", ["lt", ["name", "x"], ["name", "y"]], ["name", "x"]]
    ),
    "comparison in a sine": one_rule(["call", "sin", ["lt", ["name", "x"], ["name", "y"]]]),
    "number as condition": one_rule(["where", ["name", "x"], ["integer", 1], ["integer", 2]]),
    "sine of nothing": one_rule(["call", "sin"]),
    "sine of two": one_rule(["call", "sin", ["name", "x"], ["name", "y"]]),
    "order that is a name": one_rule(["call", "exprel", ["name", "x"], ["name", "y"]]),
    "order below zero": one_rule(["call", "exprel", ["name", "x"], ["integer", -1]]),
    "text for a tree": one_rule("x"),
    "number for a tree": one_rule(1.0),
    "empty tree": one_rule([]),
    "name that is a list": one_rule(["name", ["x"]]),
    "data that is a list": {"version": 1, "value": {"$": "object", "class": "System", "v": []}},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_cannot_smuggle_anything_in(tmp_path, monkeypatch, header):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(REFUSED):
        read_bytes(tmp_path, packed(header))
    assert [path.name for path in tmp_path.iterdir()] == ["made.npz"]


ENDLESS = {
    "tower of powers": ["pow", ["integer", 9], ["pow", ["integer", 9], ["integer", 9**9]]],
    "enormous power": ["pow", ["integer", 9], ["integer", 10**8]],
    "enormous order": ["call", "bernoulli", ["real", 0.5], ["integer", 10**5]],
    "enormous order of a name": ["call", "tanhc", ["name", "x"], ["integer", 10**5]],
    "floor of e to a billion": ["call", "floor", ["call", "exp", ["integer", 10**9]]],
}
READ_ALL = """
import sys, time
from dynlab import store
from dynlab.errors import StoreError
from dynlab.symbolic.system import System
for path in sys.argv[1:]:
    began = time.perf_counter()
    try:
        store.read(path, {"System": System})
    except StoreError:
        print(time.perf_counter() - began, flush=True)
"""


def test_a_header_cannot_keep_the_reader_busy(tmp_path):
    """In a process that can be ended: sympy would compute some of these constants for hours."""
    paths = [tmp_path / f"{name}.npz" for name in ENDLESS]
    for path, tree in zip(paths, ENDLESS.values(), strict=True):
        path.write_bytes(packed(one_rule(tree)))
    command = [sys.executable, "-c", READ_ALL, *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        judged = done.stdout.split()
    except subprocess.TimeoutExpired as late:
        judged = (late.stdout or b"").decode().split()
    named = dict(zip(ENDLESS, map(float, judged), strict=False))
    assert list(named) == list(ENDLESS), "the reader hangs after these"
    assert max(named.values()) < 1.0


def test_a_deep_rule_is_refused(tmp_path):
    deep = '["call","sin",' * 900 + '["name","x"]' + "]" * 900
    text = json.dumps(one_rule("RULE")).replace('"RULE"', deep)
    with pytest.raises(REFUSED):
        read_bytes(tmp_path, packed(text.encode()))


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 30),
    st.sampled_from([math.nan, math.inf, 1e308, 10**400, "", "x", EVIL, "t", "call", "true"]),
    st.sampled_from([[], {}, ["name", "x"], ["true"], ["integer", 0], ["real", -1.0], ["time"]]),
)


def places(node, path=()):
    """Yield the path of every item inside nested lists and dicts."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, list | dict):
            yield from places(item, (*path, key))


def exchanged(node, path, item):
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = exchanged(node[path[0]], path[1:], item) if path[1:] else item
    return copy


@settings(max_examples=300)
@given(data=st.data())
def test_a_header_changed_anywhere_is_refused_or_a_valid_system(tmp_path_factory, data):
    """Whatever comes out has passed every check, and can be stored again."""
    folder = tmp_path_factory.getbasetemp()
    stored = json.loads(json.dumps(zoo.morris_lecar.__stored__()))
    header = {"version": 1, "value": {"$": "object", "class": "System", "v": stored}}
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(places(header))))
        header = exchanged(header, path, data.draw(STRANGE))
    try:
        found = read_bytes(folder, packed(header))
    except REFUSED:
        return
    if isinstance(found, System):
        again = store.read(store.write(folder / "again", found), KNOWN)
        assert again == found
        quantities = (q.name for q in found.quantities)
        names = (*quantities, *found.observable_names)
        assert all(name.isidentifier() for name in names)
