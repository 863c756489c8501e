"""A study as text: what is read, and that every mistake is named with its line and key."""

from __future__ import annotations

import inspect
import time
import warnings

import numpy as np
import pytest

import dynlab as dl
from dynlab.errors import (
    AccuracyWarning,
    DuplicateNameError,
    DynlabError,
    StoreError,
    TextError,
    UnknownNameError,
)
from dynlab.study.analyses import ANALYSES, function_of, required
from dynlab.study.read import VERSION, from_study_text, read_study

GOOD = """\
version = 1
title = "Exponents of Lorenz' equations"

[model]
zoo = "lorenz"
set = { sigma = 11 }

[analysis]
function = "lyapunov_spectrum"
duration = 50
transient = 5
start = { x = 2.0 }

[sweep]
seed = 3

[sweep.over]
rho = { from = 20, to = 30, count = 5 }
beta = [2.0, 3.0]

[executor]
kind = "processes"
workers = 2

[outputs]
folder = "results/lorenz"
figure = ["png"]
data = false
"""


def read(text, folder):
    return from_study_text(text, name="study.toml", folder=folder)


def test_every_part_is_read(tmp_path):
    study = read(GOOD, tmp_path)
    assert study.title == "Exponents of Lorenz' equations"
    assert study.system == dl.zoo.lorenz(sigma=11)
    assert study.function == "lyapunov_spectrum"
    assert study.settings == {"duration": 50, "transient": 5, "start": {"x": 2.0}}
    assert study.sweep.over == {"rho": (20, 22.5, 25, 27.5, 30), "beta": (2, 3)}
    assert (study.sweep.seed, study.sweep.size) == (3, 10)
    assert (study.executor.kind, study.executor.workers) == ("processes", 2)
    assert (study.outputs.folder, study.outputs.figure, study.outputs.data) == (
        "results/lorenz",
        ("png",),
        False,
    )
    assert study.text == GOOD
    assert "10 points" in repr(study)


def test_a_model_may_stand_in_the_study(tmp_path):
    text = """
[model]
name = "decay"
time = "s"
[model.states]
x = 2.0
[model.parameters]
rate = 2
[model.equations]
x = "-rate*x"
[analysis]
function = "integrate"
duration = 1
"""
    study = read(text, tmp_path)
    run = dl.run_study(study)
    assert run.final["x"] == pytest.approx(2 * np.exp(-2), rel=1e-8)
    assert study.system.name == "decay"


def test_a_model_may_stand_beside_the_study(tmp_path):
    dl.write_model(dl.zoo.henon, path=tmp_path / "map.ode")
    (tmp_path / "study.toml").write_text(
        '[model]\nfile = "map.ode"\nset = {a = 1.2}\n[analysis]\nfunction = "iterate"\nduration = 5\n'
    )
    study = read_study(tmp_path / "study.toml")
    assert study.system == dl.zoo.henon(a=1.2)
    assert study.name == "study"


@pytest.mark.parametrize("name", ANALYSES)
def test_the_list_names_functions_and_their_keywords(name):
    parameters = inspect.signature(function_of(name)).parameters
    assert name in dl.__all__
    assert set(ANALYSES[name].settings) <= set(parameters)
    assert set(required(name)) <= set(ANALYSES[name].settings)
    assert {*ANALYSES[name].parameters} <= set(ANALYSES[name].settings)


def replaced(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


MISTAKES = [
    # unknown names: the nearest is told
    (replaced("[analysis]", "[analisys]"), UnknownNameError, r"line 8.*'analysis'"),
    (replaced("duration = 50", "duraton = 50"), UnknownNameError, r"line 10.*Did you mean 'duration'"),
    (replaced("lyapunov_spectrum", "lyapunov_spectra"), UnknownNameError, r"line 9.*'lyapunov_spectrum'"),
    (replaced("lyapunov_spectrum", "save"), UnknownNameError, r"analysis.function.*line 9"),
    (replaced("lyapunov_spectrum", "load"), UnknownNameError, r"line 9"),
    (replaced("lyapunov_spectrum", "__class__"), UnknownNameError, r"line 9"),
    (replaced('"lorenz"', '"lorens"'), UnknownNameError, r"line 5.*'lorenz'"),
    (replaced("sigma = 11", "simga = 11"), UnknownNameError, r"line 6.*Did you mean 'sigma'"),
    (replaced("x = 2.0", "X = 2.0"), UnknownNameError, r"line 12.*'x'"),
    (replaced("rho = {", "roh = {"), UnknownNameError, r"line 18.*Did you mean 'rho'"),
    (replaced("count = 5", "cuont = 5"), UnknownNameError, r"line 18.*'count'"),
    (replaced('"processes"', '"process"'), UnknownNameError, r"line 22.*'processes'"),
    (replaced('["png"]', '["png", "exe"]'), UnknownNameError, r"'exe'.*line 27"),
    # wrong kinds: true is not 1
    (replaced("duration = 50", "duration = true"), TextError, r"line 10: analysis.duration is True \(a truth value\)"),
    (replaced("duration = 50", 'duration = "50"'), TextError, r"line 10: analysis.duration is '50' \(a text\)"),
    (replaced("duration = 50", "duration = [50]"), TextError, r"line 10.*a list"),
    (replaced("duration = 50", "duration = 1979-05-27"), TextError, r"line 10.*date"),
    (replaced("seed = 3", "seed = true"), TextError, r"line 15: sweep.seed"),
    (replaced("seed = 3", "seed = -1"), TextError, r"line 15: sweep.seed is -1"),
    (replaced("seed = 3", "seed = 1.0"), TextError, r"line 15: sweep.seed"),
    (replaced("data = false", "data = 0"), TextError, r"line 28: outputs.data is 0"),
    (replaced("workers = 2", "workers = 0"), TextError, r"line 23"),
    (replaced("workers = 2", "workers = 999999"), TextError, r"line 23"),
    (replaced("beta = [2.0, 3.0]", "beta = [2.0, true]"), TextError, r"line 19: sweep.over.beta\[1\]"),
    (replaced("beta = [2.0, 3.0]", "beta = []"), TextError, r"line 19"),
    (replaced("beta = [2.0, 3.0]", "beta = [2.0, 2.0]"), TextError, r"line 19.*each value once"),
    (replaced("beta = [2.0, 3.0]", "beta = 2.0"), TextError, r"line 19"),
    (replaced("to = 30, ", ""), TextError, r"line 18: sweep.over.rho has no 'to'"),
    (replaced("count = 5", "count = 1"), TextError, r"line 18"),
    (replaced("count = 5", "count = 100000000"), TextError, r"line 18"),
    (replaced('title = "Exponents of Lorenz\' equations"', "title = 3"), TextError, r"line 2: title"),
    (replaced('zoo = "lorenz"\nset = { sigma = 11 }', ""), TextError, r"line 4: \[model\] says nothing"),
    (replaced('zoo = "lorenz"', 'zoo = "lorenz"\nfile = "a.toml"'), TextError, r"zoo and file"),
    (replaced('zoo = "lorenz"', 'zoo = "lorenz"\nkind = "map"'), TextError, r"line 6: model.kind"),
    (replaced("duration = 50\n", ""), TextError, r"line 8: lyapunov_spectrum needs 'duration'"),
    (replaced('function = "lyapunov_spectrum"', ""), TextError, r"line 8: \[analysis\] has no function"),
    ("[model]\nzoo = 'lorenz'", TextError, r"no \[analysis\]"),
    ("model = 1\n[analysis]", TextError, r"line 1: model is 1"),
    # numbers that are none
    (replaced("duration = 50", "duration = nan"), TextError, r"line 10.*finite"),
    (replaced("duration = 50", "duration = inf"), TextError, r"line 10.*finite"),
    (replaced("duration = 50", "duration = 1e999"), TextError, r"line 10.*finite"),
    (replaced("beta = [2.0, 3.0]", "beta = [2.0, -inf]"), TextError, r"line 19.*finite"),
    # TOML's own rules
    (replaced("transient = 5", "duration = 5"), TextError, r"study.toml: this is not TOML.*line 11"),
    (GOOD + "[model]\n", TextError, r"this is not TOML.*line 29"),
    (GOOD + "[x\n", TextError, r"this is not TOML.*line 29"),
    (replaced("version = 1", "version = true"), TextError, r"line 1: version"),
    (replaced("version = 1", f"version = {VERSION + 6}"), StoreError, rf"version {VERSION + 6}.*up to {VERSION}"),
    ("   \n", TextError, "the study is empty"),
    ("a = " + "[" * 5000, TextError, "study"),
    ("a." * 6000 + "b = 1", TextError, "too long"),
    ("#" * 300_000, TextError, "limit"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "error", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_named_with_its_line_and_key(tmp_path, text, error, message):
    began = time.perf_counter()
    with pytest.raises(error, match=f"(?s){message}"):
        read(text, tmp_path)
    assert time.perf_counter() - began < 2.0


INLINE = """\
[analysis]
function = "find_equilibria"
[model]
name = "switch"
[model.states]
x = 0.1
[model.parameters]
mu = 1.0
[model.equations]
x = "mu - x"
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mu = 1.0", 'mu = "1.0"', r"line 8: parameters.mu is '1.0' \(a text\)"),
        ("mu = 1.0", "mu = true", r"line 8: parameters.mu is True \(a truth value\)"),
        ("mu = 1.0", "mu = nan", r"line 8: parameters.mu"),
        ('"mu - x"', '"m - x"', r"line 10: .*Did you mean 'mu'"),
        ('"mu - x"', "\"__import__('os').system('touch X')\"", r"line 10: "),
        ('"mu - x"', '"().__class__"', r"line 10: .*attribute"),
        ('"mu - x"', '"9**9**9**9"', r"line 10: "),
        ("x = 0.1", "y = 0.1", r"line \d+: .*'x'|line \d+: .*'y'"),
        ('name = "switch"', 'nam = "switch"', r"line 4.*'name'"),
        ('name = "switch"', 'kind = "flew"', r"line 4: model.kind"),
    ],
)
def test_a_mistake_in_an_inline_model_has_its_line(tmp_path, monkeypatch, old, new, message):
    monkeypatch.chdir(tmp_path)
    assert old in INLINE
    with pytest.raises(DynlabError, match=f"(?s){message}"):
        read(INLINE.replace(old, new), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_underflow_becomes_zero_with_a_warning(tmp_path):
    with pytest.warns(AccuracyWarning, match="below double precision"):
        study = read(replaced("sigma = 11", "sigma = 1e-400"), tmp_path)
    assert study.system["sigma"] == 0


@pytest.mark.parametrize(
    "path",
    ["../secret.toml", "/etc/passwd.toml", "a/../../secret.toml", "C:/x.toml", "C:x.toml", "\\\\host\\x.toml",
     "~/x.toml", "..\\x.toml", "link.toml", "a\\u0000.toml", "folder/link.toml"],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder(tmp_path, path):
    inside = tmp_path / "inside"
    inside.mkdir()
    secret = tmp_path / "secret.toml"
    secret.write_text(dl.to_toml(dl.zoo.henon))
    (inside / "link.toml").symlink_to(secret)
    (inside / "folder").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "link.toml").write_text(dl.to_toml(dl.zoo.henon))
    written = (
        path.replace("\\h", "\\\\h").replace("\\x", "\\\\x").replace("\\\\\\\\\\h", "\\\\\\\\h")
    )
    text = f'[model]\nfile = "{written}"\n[analysis]\nfunction = "iterate"\nduration = 1\n'
    with pytest.raises(TextError):
        read(text, inside)


@pytest.mark.parametrize("folder", ["..", "/tmp/x", "a/../..", "out", "C:\\\\x", ""])
def test_nothing_is_written_outside_the_folder(tmp_path, folder):
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "out").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(TextError, match=r"line 26: outputs.folder"):
        read(replaced("results/lorenz", folder), tmp_path / "inside")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\xff\xfe" + GOOD.encode("utf-16-le"), "UTF-16"),
        (b"\x7fELF\0\0\0\1", "NUL"),
        (b"title = '\xff'", "not a text in UTF-8"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=message):
        read_study(path)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "study.toml"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)
    began = time.perf_counter()
    with pytest.raises(StoreError, match="larger than 10 MB"):
        read_study(path)
    assert time.perf_counter() - began < 2.0
    assert path.stat().st_size == 1 << 30


def test_a_name_stands_once(tmp_path):
    text = INLINE.replace("mu = 1.0", "x = 1.0").replace('"mu - x"', '"-x"')
    with pytest.raises(DuplicateNameError, match=r"study\.toml"):
        read(text, tmp_path)


def test_what_is_varied_is_not_swept(tmp_path):
    text = """
[model]
zoo = "lorenz"
[analysis]
function = "equilibrium_diagram"
vary = "rho"
over = [0, 30]
[sweep.over]
rho = [1, 2]
"""
    with pytest.raises(TextError, match="line 9: 'rho' is varied by the analysis itself"):
        read(text, tmp_path)
    with pytest.raises(UnknownNameError, match=r"line 6.*'rho'"):
        read(text.replace('vary = "rho"', 'vary = "rh"'), tmp_path)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ('{ name = "Explicit9" }', "Did you mean 'Explicit8'"),
        ('{ name = "Explicit8", rtl = 1 }', "Did you mean 'rtol'"),
        ("{ rtol = 1e-6 }", "method"),
        ('"Explicit8"', "method"),
    ],
)
def test_methods_are_read_and_mistakes_named(tmp_path, method, message):
    text = '[model]\nzoo = "lorenz"\n[analysis]\nfunction = "integrate"\nduration = 1\nmethod = '
    good = read(text + '{ name = "Explicit8", rtol = 1e-6 }', tmp_path)
    assert good.settings["method"] == dl.Explicit8(rtol=1e-6)
    with pytest.raises(DynlabError, match=f"line 6.*{message}"):
        read(text + method, tmp_path)


def test_reading_warns_of_nothing_and_is_quick(tmp_path):
    read(GOOD, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        began = time.perf_counter()
        read(GOOD, tmp_path)
    assert time.perf_counter() - began < 0.2
