"""Models in TOML and model files: bad inputs A 19-21, and what is written."""

import time
import tracemalloc

import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import (
    AccuracyWarning,
    DefinitionError,
    DynlabError,
    SettingError,
    StoreError,
    TextError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.symbolic.indexed import element
from dynlab.symbolic.quantities import Domain, IndexSet, Parameter, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol
from dynlab.text import files

MODEL = """
[model]
name = "spring"
time = "s"
[states]
x = 1
v = { start = 0.5, unit = "m/s" }
theta = { domain = "circle" }
[parameters]
k = 2
c = { value = 0.1, unit = "1/s" }
[equations]
x = "v"
v = "-k*x - c*v + push"
theta = "1"
[observables]
push = "cos(theta)"
energy = { expression = "v^2/2 + k*x^2/2", unit = "J" }
"""


def test_a_model():
    spring = dl.from_toml(MODEL)
    assert spring == dl.system(
        {"x": "v", "v": "-k*x - c*v + cos(theta)", "theta": "1"},
        parameters={"k": 2, "c": 0.1}, start={"x": 1, "v": 0.5}, time="s",
        units={"v": "m/s", "c": "1/s", "energy": "J"}, domains={"theta": dl.Angle},
        observables={"push": "cos(theta)", "energy": "v^2/2 + k*x^2/2"},
    )  # fmt: skip
    assert spring.name == "spring"
    assert dl.from_toml(dl.to_toml(spring)) == spring
    decay = dl.from_toml('model.kind = "map"\nstates.x = 1\nequations.x = "x/2"')
    assert decay.is_discrete
    assert dl.from_toml(dl.to_toml(decay)) == decay


def test_every_part_of_a_system_is_written():
    system = System(
        'odd "name"\\', (State("é", 1e-300, "µV", Domain.POSITIVE),), (Parameter("β", 1e300, '"\\'),),
        (symbol("β") * symbol("é"),), reference='Two lines.\n\n"""quoted"""\t\\ \x7f',
    )  # fmt: skip
    system = system.with_observable(r=lambda é: dl.where(é > 0, 1, dl.heaviside(é)))
    again = dl.from_toml(dl.to_toml(system))
    assert again == system
    assert (again.name, again.reference) == (system.name, system.reference)


def refused(text, kind, *parts, read=dl.from_toml):
    began = time.thread_time()
    with pytest.raises(DynlabError) as caught:
        read(text)
    assert time.thread_time() - began < 0.2
    assert type(caught.value) is kind, str(caught.value)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


GOOD = 'states.x = 1\nequations.x = "-a*x"\n'


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "+inf", "1e999", "-1e999", "1" * 400])
def test_19_values_that_are_not_finite(value):
    for place in ("parameters.a", "states.y"):
        refused(f"{GOOD}{place} = {value}", TextError, place.replace("states.x", "x"))


def test_19_underflow_is_zero_with_a_warning():
    with pytest.warns(AccuracyWarning, match=r"1e-400.*becomes 0"):
        assert dl.from_toml(GOOD + "parameters.a = 1e-400")["a"] == 0
    assert dl.from_toml(GOOD + "parameters.a = 0e-400")["a"] == 0


@pytest.mark.parametrize(
    ("line", "path", "kind"),
    [
        ('parameters.a = "1.0"', "parameters.a is '1.0' (a text)", "write a number"),
        ("parameters.a = true", "parameters.a is True (a truth value)", "write a number"),
        ("parameters.a = [1]", "parameters.a is [1] (a list)", "write a number"),
        ("parameters.a = 1979-05-27", "parameters.a", "write a number"),
        ("parameters.a = { unit = 's' }", "parameters.a has no value", "value = 1.0"),
        ("parameters.a = { value = 1, unit = 3 }", "parameters.a.unit is 3", "text in quotes"),
        ("parameters.a = 1\nmodel.name = 3", "model.name is 3", "text in quotes"),
        ("parameters.a = 1\nmodel.kind = 'flwo'", "model.kind is 'flwo'", '"map"'),
        ("parameters.a = 1\nobservables.r = 3", "observables.r is 3", "text in quotes"),
        ("parameters.a = 1\nobservables.r = {}", "observables.r has no expression", "..."),
        ("parameters = 1", "parameters is 1", "[parameters]"),
    ],
)
def test_20_wrong_types(line, path, kind):
    refused(GOOD + line, TextError, path, kind)


def test_20_and_17_doubled_and_missing_keys():
    refused('states.x = 1\nstates.x = 2\nequations.x = "1"', TextError, "line 2", "TOML")
    refused('states.x = 1\nequations.x = "1"\nequations.x = "2"', TextError, "not TOML")
    refused("states.x = 1", TextError, "no equation for the state 'x'")
    refused('states.x = 1\nequations.x = "1"\nequations.y = "2"', UnknownNameError, "'y'")
    refused('parameters.a = 1\n[model]\nname = "m"', TextError, "'m' has no states")
    refused(GOOD, UnknownNameError, "'a'", "the equation of 'x'")
    refused(GOOD + "[statse]", UnknownNameError, "'statse'", "Did you mean 'states'")
    refused(GOOD + "parameters.a = { valeu = 1 }", UnknownNameError, "'valeu'", "parameters.a")
    refused(GOOD + "[model]\nnaem = 'x'", UnknownNameError, "'naem'", "'name'")
    refused('states.x = {domain = "torus"}\nequations.x="1"', UnknownNameError, "'torus'", "circle")
    refused('[states]\n"x y" = 1\n[equations]\n"x y" = "1"', DefinitionError, "not a valid name")


@pytest.mark.parametrize(
    "text",
    [
        "", "   \n", "[[[[", "a = " + "[" * 50_000, "a." * 60_000 + "a = 1", "a = {b = " * 5_000,
        "x" * 10_000_000, "\n".join(["states = 1"] * 2), "\0", "a = '\x01'", "= 3", "[states]\nx =",
    ],
    ids=range(12),
)  # fmt: skip
def test_21_hostile_texts(text):
    refused(text, TextError)


def test_21_hostile_files(tmp_path):
    def file(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    text = GOOD + "parameters.a = 1"
    for content, why in (
        (b"", "is empty"), (bytes(range(256)), "NUL"), (text.encode("utf-16"), "UTF-16"),
        (b"\x00" * 100, "NUL"), (b"\xff\xd8\xff\xe0" * 9, "not a text in UTF-8"),
        (text.encode("utf-32"), "UTF-16"),
    ):  # fmt: skip
        for ending in files.ENDINGS:
            refused(file(f"m{ending}", content), StoreError, why, read=dl.read_model)
    assert dl.read_model(file("bom.toml", b"\xef\xbb\xbf" + text.encode())).state_names == ("x",)
    refused(tmp_path / "none.toml", StoreError, "there is no file", read=dl.read_model)
    refused(tmp_path, SettingError, ".toml, .ode", read=dl.read_model)
    refused(
        file("m.txt", text.encode()), SettingError, "does not tell its format", read=dl.read_model
    )
    (tmp_path / "folder.toml").mkdir()
    refused(tmp_path / "folder.toml", StoreError, "cannot read", read=dl.read_model)


def test_21_a_file_of_a_gigabyte_is_not_read(tmp_path):
    path = tmp_path / "large.ode"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)  # holds no blocks
    tracemalloc.start()
    refused(path, StoreError, "larger than 10 MB", read=dl.read_model)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2 * files.SIZE_LIMIT


@pytest.mark.parametrize("name", ["lorenz", "henon"])
def test_files_are_written_and_read(tmp_path, name):
    system = zoo.get(name)
    for ending in (".toml", ".ode"):
        path = dl.write_model(system, path=tmp_path / f"model{ending}")
        assert dl.read_model(path) == system
    with pytest.raises(SettingError, match="does not tell its format"):
        dl.write_model(system, path=tmp_path / "model.xml")
    with pytest.raises(StoreError, match="cannot write"):
        dl.write_model(system, path=tmp_path / "no" / "model.toml")


def test_what_the_format_does_not_hold_is_refused():
    indexed = System("net", (State("x", shape=(IndexSet("cells"),)),), (), (element("x", "i"),))
    for write in (dl.to_toml, dl.to_ode):
        with pytest.raises(UnsupportedSystemError, match=r"'x' of 'net' is indexed.*save"):
            write(indexed)


def test_latex():
    assert dl.to_latex(zoo.logistic) == (
        "\\begin{aligned}\nx_{n+1} &= r x \\left(1 - x\\right)\n\\end{aligned}"
    )
    spring = dl.to_latex(dl.from_toml(MODEL))
    assert r"\dot{\theta} &= 1" in spring
    assert r"push &= \cos{\left(\theta \right)}" in spring
