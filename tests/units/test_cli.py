"""The command line: what it writes, prints and refuses."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import dynlab as dl
from dynlab.cli import main

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
