"""The command line: what it writes, prints and refuses."""

from __future__ import annotations

import csv
import json
import math
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab.cli import main
from dynlab.cli.answer import plain
from dynlab.cli.interrupt import interruptible

MODEL = """
import dynlab as dl

@dl.flow(time="s")
def cubic(x=2.0, *, mu=0.0, c=1.0):
    return {x: mu + c * x - x**3}
"""


def test_diagram_of_a_zoo_model(tmp_path, capsys):
    code = main(["diagram", "hodgkin_huxley", "--vary", "I", "--over", "0", "200",
                 "--output", str(tmp_path)])  # fmt: skip
    out = capsys.readouterr().out
    assert code == 0
    assert "9.779337995" in out
    assert "subcritical" in out
    written = sorted(p.name for p in tmp_path.iterdir())
    assert written == [
        "hodgkin_huxley_I.npz", "hodgkin_huxley_I.png", "hodgkin_huxley_I.svg",
        "hodgkin_huxley_I_branches.csv", "hodgkin_huxley_I_points.csv",
    ]  # fmt: skip
    for name in written:
        assert name in out
    diagram = dl.load(tmp_path / "hodgkin_huxley_I.npz")
    with (tmp_path / "hodgkin_huxley_I_points.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(r["I"]) for r in rows] == [p["I"] for p in diagram.points()]
    assert (tmp_path / "hodgkin_huxley_I.png").stat().st_size > 10_000


def test_diagram_of_a_model_in_a_file(tmp_path, capsys):
    path = tmp_path / "my_model.py"
    path.write_text(MODEL, encoding="utf-8")
    code = main(["diagram", f"{path}:cubic", "--vary", "mu", "--over", "-4", "4", "--set", "c=3",
                 "--within", "x", "-2.5", "2.5", "--output", str(tmp_path / "out")])  # fmt: skip
    assert code == 0
    folds = dl.load(tmp_path / "out" / "cubic_mu.npz").points(dl.Fold)
    assert [p["mu"] for p in folds] == pytest.approx([-2, 2])
    assert np.ptp([p["x"] for p in folds]) == pytest.approx(2)
    assert "LP" in capsys.readouterr().out


@pytest.mark.parametrize("ending", [".toml", ".ode"])
def test_diagram_of_a_model_file(tmp_path, ending):
    """The same points as the model itself, to rounding."""
    path = dl.write_model(dl.zoo.fitzhugh_nagumo, path=tmp_path / f"cell{ending}")
    code = main(["diagram", str(path), "--vary", "I", "--over", "0", "2",
                 "--output", str(tmp_path / "out")])  # fmt: skip
    assert code == 0
    found = dl.load(tmp_path / "out" / "fitzhugh_nagumo_I.npz").points(dl.Hopf)
    exact = [(v - v**3 / 3 - (v + 0.7) / 0.8) * -1 for v in (-(0.936**0.5), 0.936**0.5)]
    assert [p["I"] for p in found] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diagram", "hodgkin_huxly", "--vary", "I", "--over", "0", "1"], "hodgkin_huxley"),
        (["diagram", "lorenz", "--vary", "rh", "--over", "0", "1"], "Did you mean 'rho'"),
        (["diagram", "none.py:f", "--vary", "a", "--over", "0", "1"], "there is no file"),
        (["diagram", "none.py", "--vary", "a", "--over", "0", "1"], "names no system"),
        (["diagram", "lorenz", "--vary", "rho", "--over", "1", "1"], "is empty"),
        (["diagram", "lorenz", "--vary", "rho", "--over", "0", "1", "--set", "beta"], "NAME=VALUE"),
        (["diagram", "lorenz", "--vary", "rho", "--over", "0", "1", "--set", "beta=x"], "number"),
    ],
)
def test_mistakes_are_named_on_standard_error(arguments, message, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_models_and_cache(capsys, tmp_path, monkeypatch):
    assert main(["models"]) == 0
    assert "hodgkin_huxley" in capsys.readouterr().out
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "cache"))
    code = tmp_path / "cache" / "0123456789abcdef"
    code.mkdir(parents=True)
    (code / "code").write_bytes(b"0" * 1000)
    (tmp_path / "cache" / "mine.txt").write_text("not yours", encoding="utf-8")
    assert main(["cache"]) == 0
    assert "1 files" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    # Only compiled code goes; what else the folder holds is not ours.
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["mine.txt"]


def test_spectrum_of_a_zoo_model(tmp_path, capsys):
    code = main(["spectrum", "lorenz", "--duration", "100", "--transient", "10", "--seed", "1",
                 "--count", "2", "--set", "rho=30", "--output", str(tmp_path)])  # fmt: skip
    out = capsys.readouterr().out
    assert code == 0
    found = dl.load(tmp_path / "lorenz_spectrum.npz")
    assert found.system["rho"] == 30
    assert [f"{e:+.6g}" in out for e in found.exponents] == [True, True]
    assert "chaotic" in out
    assert (tmp_path / "lorenz_spectrum.png").stat().st_size > 10_000


# One JSON document, whatever happens


def strict(text):
    """Read JSON as other programs do: without NaN and Infinity."""

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


NUMBERS = st.one_of(
    st.floats(), st.integers(-(10**20), 10**20), st.complex_numbers(), st.booleans()
)
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS, st.text(max_size=5), st.sampled_from(dl.Status), st.just(dl.Hopf)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.lists(st.floats(), max_size=3).map(np.array),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=20)
@given(value=VALUES)
def test_any_value_is_valid_json(value):
    strict(json.dumps(plain(value), allow_nan=False))


@given(value=st.floats())
def test_numbers_of_a_document_are_the_numbers(value):
    found = strict(json.dumps(plain(np.float64(value)), allow_nan=False))
    if math.isnan(value):
        assert found is None
    else:
        assert float(found) == value


COMMANDS = [
    (["models", "neuron"], 0),
    (["models", "no such thing"], 2),
    (["show", "lorenz"], 0),
    (["show", "lorens"], 2),
    (["cache"], 0),
    (["diagram", "fitzhugh_nagumo", "--vary", "I", "--over", "0", "1"], 0),
    (["diagram", "lorenz", "--vary", "rho", "--over", "0", "nan"], 2),
    (["spectrum", "henon", "--duration", "1000"], 0),
    (["spectrum", "henon", "--duration", "0"], 2),
    (["spectrum", "henon", "--set", "a=3", "--duration", "1000"], 1),  # every orbit escapes
]


@pytest.mark.parametrize(("arguments", "code"), COMMANDS, ids=lambda a: str(a)[:40])
def test_every_command_gives_one_document_and_its_exit_status(
    tmp_path, monkeypatch, capsys, arguments, code
):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--json"]) == code
    captured = capsys.readouterr()
    document = strict(captured.out)
    assert document["command"] == arguments[0]
    assert document["ok"] is (code == 0)
    assert ("error" in document) is (code == 2)
    assert bool(captured.err) is (code != 0)


def test_numbers_of_the_spectrum_are_those_of_the_file(tmp_path, capsys):
    main(
        [
            "spectrum",
            "henon",
            "--duration",
            "2000",
            "--seed",
            "1",
            "--output",
            str(tmp_path),
            "--json",
        ]
    )
    document = strict(capsys.readouterr().out)
    found = dl.load(tmp_path / "henon_spectrum.npz")
    assert document["exponents"] == found.exponents.tolist()
    assert sum(document["exponents"]) == pytest.approx(math.log(0.3))  # the determinant is -b
    assert document["verdict"] == "chaotic"
    assert {name.rpartition(".")[2] for name in document["files"]} == {"npz", "csv", "png", "svg"}


def test_show_tells_equations_and_sources(capsys):
    assert main(["show", "lorenz", "--set", "rho=24"]) == 0
    out = capsys.readouterr().out
    for part in ("x' = sigma*(-x + y)", r"\dot{x}", "Lorenz 1963", "24.73684211", "rho    24"):
        assert part in out


@pytest.mark.parametrize("name", dl.zoo.names())
def test_every_model_can_be_shown(name, capsys):
    assert main(["show", name, "--json"]) == 0
    document = strict(capsys.readouterr().out)
    assert {f["what"] for f in document["facts"]} == {f.what for f in dl.zoo.facts(name)}
    assert main(["show", name]) == 0
    assert name in capsys.readouterr().out


def test_show_of_a_network_of_noise_and_events(tmp_path, capsys):
    for name in ("kuramoto", "leaky_integrate_and_fire", "noisy_kuramoto_modes"):
        assert main(["show", name]) == 0
    assert "event" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["models", "show", "diagram", "spectrum", "sweep", "run", "cache"])
def test_help_has_an_example(word, capsys):
    with pytest.raises(SystemExit) as ended:
        main([word, "--help"])
    assert ended.value.code == 0
    assert f"\n  dynlab {word}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["diagrm"], ["spectrum", "henon", "--duration", "x"]])
def test_a_wrong_command_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


# Ctrl-C


def press_after(seconds):
    """Press Ctrl-C once, and return when that was."""
    pressed = []

    def press():
        pressed.append(time.monotonic())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    timer = threading.Timer(seconds, press)
    timer.start()
    return pressed


def test_ctrl_c_ends_at_once_and_keeps_what_there_is(tmp_path, capsys, monkeypatch):
    compute, ended = dl.lyapunov_spectrum, []

    def timed(*args, **settings):
        found = compute(*args, **settings)
        ended.append(time.monotonic())
        return found

    monkeypatch.setattr(dl, "lyapunov_spectrum", timed)
    main(["spectrum", "lorenz", "--duration", "20", "--output", str(tmp_path)])  # all is compiled
    capsys.readouterr()
    pressed = press_after(1.0)
    long = ["spectrum", "lorenz", "--duration", "1e7", "--transient", "0"]
    code = main([*long, "--output", str(tmp_path), "--json"])
    captured = capsys.readouterr()
    document = strict(captured.out)
    assert code == 130
    assert document["status"] == "stopped"
    assert "stopped" in captured.err
    found = dl.load(tmp_path / "lorenz_spectrum.npz")
    assert found.status is dl.Status.STOPPED
    assert 0 < found.end[0] < 1e7
    assert ended[-1] - pressed[0] < 2.0  # a tick is 50 ms; the machine may be busy


def test_what_does_not_listen_is_interrupted_within_a_second():
    pressed = press_after(0.2)
    with pytest.raises(KeyboardInterrupt), interruptible():
        time.sleep(30)
    assert time.monotonic() - pressed[0] < 1.5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_with_nothing_to_keep(monkeypatch, capsys):
    from dynlab.cli import models

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "run", interrupted)
    assert main(["models", "--json"]) == 130
    assert strict(capsys.readouterr().out)["error"]["kind"] == "Stopped"
