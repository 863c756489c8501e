"""Sweeps of a study over other points than a grid: the points are those of Python, and mistakes have their line."""

import pytest

import dynlab as dl
from dynlab.errors import TextError, UnknownNameError
from dynlab.study.read import from_study_text

HEAD = """\
[model]
zoo = "henon"
[analysis]
function = "lyapunov_exponent"
duration = 200
[sweep]
seed = 1
"""


def read(text, folder, head=HEAD):
    return from_study_text(head + text, name="study.toml", folder=folder)


BOX = {"a": (1.0, 1.3), "b": dl.Uniform(0.1, 0.3)}
WITHIN = 'within = { a = [1, 1.3], b = { name = "Uniform", low = 0.1, high = 0.3 } }'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[sweep.design]]\nkind = "zipped"\nvalues = { a = [1, 1.2], b = { from = 0.2, to = 0.3, count = 2 } }',
         dl.Sweep(dl.Zipped(a=[1.0, 1.2], b=[0.2, 0.3]))),
        (f'[[sweep.design]]\nkind = "random"\ncount = 5\nseed = 3\n{WITHIN}', dl.Sweep(dl.RandomPoints(BOX, count=5, seed=3))),
        (f'[[sweep.design]]\nkind = "sobol"\ncount = 8\n{WITHIN}', dl.Sweep(dl.Sobol(BOX, count=8))),
        (f'[[sweep.design]]\nkind = "halton"\ncount = 5\n{WITHIN}', dl.Sweep(dl.Halton(BOX, count=5))),
        (f'[[sweep.design]]\nkind = "latin_hypercube"\ncount = 5\n{WITHIN}', dl.Sweep(dl.LatinHypercube(BOX, count=5))),
        ('[sweep.over]\na = [1, 1.2]\n[[sweep.design]]\nkind = "replicates"\ncount = 3',
         dl.Sweep(dl.Replicates(3), a=[1.0, 1.2])),
        ('[[sweep.design]]\nkind = "replicates"\ncount = 2\n[[sweep.design]]\nkind = "zipped"\nvalues = { b = [0.2, 0.3] }\n'
         "[sweep.over]\na = [1, 1.2]", dl.Sweep(dl.Replicates(2), dl.Zipped(b=[0.2, 0.3]), a=[1.0, 1.2])),
    ],
    ids=["zipped", "random", "sobol", "halton", "latin", "replicates", "three"],
)  # fmt: skip
def test_the_points_are_those_of_python(tmp_path, text, expected):
    study = read(text, tmp_path)
    assert list(study.sweep.points()) == list(expected)
    assert study.sweep.size == len(expected)
    assert f"{len(expected)} points" in repr(study)


def test_a_design_with_replicates_runs_as_in_python(tmp_path, capsys):
    from dynlab.cli import main

    text = (
        '[[sweep.design]]\nkind = "replicates"\ncount = 2\n[[sweep.design]]\nkind = "halton"\ncount = 3\n'
        "within = { a = [1, 1.2], b = [0.2, 0.3] }\n[outputs]\nfigure = []\n"
    )
    (tmp_path / "study.toml").write_text(HEAD + text)
    assert main(["run", str(tmp_path / "study.toml")]) == 0
    (data,) = (tmp_path / "results").glob("study_*.npz")
    found = dl.load(data)

    def exponent(a, b, seed):
        return dl.lyapunov_exponent(dl.zoo.henon(a=a, b=b), duration=200, seed=seed).value

    points = dl.Sweep(dl.Replicates(2), dl.Halton({"a": (1, 1.2), "b": (0.2, 0.3)}, count=3))
    plain = points.run(exponent, seed=1)
    assert found["exponent"].shape == (2, 3)
    assert found["exponent"].tobytes() == plain["exponent"].tobytes()
    assert found.provenance.system == dl.zoo.henon
    page = (tmp_path / "results" / "study.md").read_text()
    assert "| a, b | 3 points, halton |" in page
    assert "| replicates | 2 points, replicates |" in page


ZIPPED = '[[sweep.design]]\nkind = "zipped"\nvalues = { a = [1, 1.2], b = [0.2, 0.3] }\n'
SOBOL = '[[sweep.design]]\nkind = "sobol"\ncount = 8\nwithin = { a = [1, 1.3] }\n'


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", TextError, r"line 6: \[sweep\] has no points"),
        ("design = 3", TextError, r"line 8: sweep.design is 3.*two brackets"),
        ("[sweep.design]\ncount = 3", TextError, r"line 8: sweep.design is .*two brackets"),
        ("[[sweep.design]]\ncount = 3", TextError, r"line 8: sweep.design\[0\] has no kind"),
        (ZIPPED.replace("zipped", "zip"), UnknownNameError, r"'zip'.*line 9.*Did you mean 'zipped'"),
        (ZIPPED.replace("values", "value"), UnknownNameError, r"line 10.*Did you mean 'values'"),
        (ZIPPED.replace("values =", "count ="), UnknownNameError, r"'count'.*line 10"),
        (ZIPPED.replace("1.2]", "1.2, 1.3]"), TextError, r"line 8.*different lengths"),
        (ZIPPED.replace("1.2]", "true]"), TextError, r"line 10: sweep.design\[0\].values.a\[1\] is True"),
        (ZIPPED.replace("1.2]", "nan]"), TextError, r"line 10.*finite"),
        (ZIPPED.replace("a = [", "aa = ["), UnknownNameError, r"line 10.*Did you mean 'a'"),
        (ZIPPED + "[sweep.over]\na = [1]", TextError, r"line 10: 'a' is varied at study.toml, line 12"),
        (ZIPPED + SOBOL, TextError, r"line 14: 'a' is varied at study.toml, line 10 already"),
        (SOBOL.replace("8", "100"), TextError, r"line 8: sweep.design\[0\]: 100 points.*64 or 128"),
        (SOBOL.replace("8", "100000000000"), TextError, r"line 10: sweep.design\[0\].count.*at most"),
        (SOBOL.replace("[1, 1.3]", "[1.3, 1]"), TextError, r"line 11.*lower end first"),
        (SOBOL.replace("[1, 1.3]", "[1]"), TextError, r"line 11.*two numbers"),
        (SOBOL.replace("within = { a = [1, 1.3] }", ""), TextError, r"line 8: a design of kind 'sobol' needs 'within'"),
        (SOBOL.replace("[1, 1.3]", '{ name = "Gauss" }'), UnknownNameError, r"'Gauss'.*line 11.*'Gaussian'"),
        (SOBOL.replace("[1, 1.3]", '{ name = "Gaussian", deviation = -1 }'), TextError, r"line 11.*-1"),
        (SOBOL.replace("[1, 1.3]", '{ name = "Gaussian", width = 1 }'), UnknownNameError, r"line 11.*Known: mean, deviation"),
        (SOBOL + "seed = -1", TextError, r"line 12: sweep.design\[0\].seed is -1"),
        ('[[sweep.design]]\nkind = "replicates"\ncount = 0', TextError, r"line 10"),
        ('[[sweep.design]]\nkind = "replicates"\ncount = 2\n' * 2, TextError, r"line 11: there are replicates of replicates"),
        (SOBOL.replace("8", "4194304") + '[[sweep.design]]\nkind = "replicates"\ncount = 5', TextError, r"line 6: the sweep has 20971520 points"),
    ],
)  # fmt: skip
def test_mistakes_have_their_line(tmp_path, text, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        read(text, tmp_path)


def test_replicates_need_a_seed(tmp_path):
    text = '[[sweep.design]]\nkind = "replicates"\ncount = 3\n'
    with pytest.raises(TextError, match=r"line 9: all replicates.*has its seed in \[analysis\]"):
        read(text, tmp_path, HEAD.replace("duration = 200", "duration = 200\nseed = 3"))
    quiet = '[model]\nzoo = "henon"\n[analysis]\nfunction = "find_equilibria"\n[sweep]\n'
    with pytest.raises(TextError, match=r"line 6: all replicates.*takes no seed"):
        read(text, tmp_path, quiet)


# Analyses that no other test of studies runs, at their smallest

SMALL = {
    "simulate": ("zoo = 'lorenz'\nnoise = { x = 0.4, y = 0.1 }", "duration = 0.2\nmethod = { name = 'EulerMaruyama', step = 0.01 }\nseed = 1"),
    "attractor_chart": ("zoo = 'henon'", "vary = { a = [0.3, 1.0] }\ntransient = 200\nduration = 200"),
    "basins": ("zoo = 'henon'\nset = { a = 0.3 }", "over = { x = [-1, 1], y = [-1, 1] }\ncells = 12\nseed = 1"),
    "basin_fractions": ("zoo = 'henon'\nset = { a = 0.3 }", "within = { x = [-0.5, 0.5], y = [-0.2, 0.2] }\nsamples = 50\nseed = 1"),
    "expansion_entropy": ("zoo = 'henon'", "within = { x = [-1, 1], y = [-0.3, 0.3] }\nduration = 8\nsamples = 2000\nseed = 1"),
}  # fmt: skip


@pytest.mark.parametrize("function", SMALL)
def test_each_analysis_runs_from_text_and_has_a_summary(tmp_path, function):
    from dynlab.study.analyses import ANALYSES

    model, settings = SMALL[function]
    text = f'[model]\n{model}\n[analysis]\nfunction = "{function}"\n{settings}\n'
    found = dl.run_study(from_study_text(text, name="s.toml", folder=tmp_path))
    summary = ANALYSES[function].summary(found)
    assert summary
    assert all(isinstance(v, float | str) for v in summary.values())
    if function == "basin_fractions":
        assert sum(v for k, v in summary.items() if k.startswith("fraction")) == pytest.approx(1)


WELL = """
[model]
noise = { x = 0.5 }
[model.states]
x = 0.0
[model.parameters]
rate = 2.0
[model.equations]
x = "rate*(1 - x)"
[analysis]
function = "stationary_density"
grid = { x = [-3, 5, 200] }
[outputs]
figure = []
"""


def test_a_density_from_text_is_that_of_the_formula(tmp_path):
    """Of an Ornstein-Uhlenbeck process about 1: mean 1, variance 0.5**2 / (2 * 2), one maximum."""
    from dynlab.cli import main
    from dynlab.study.analyses import ANALYSES

    (tmp_path / "well.toml").write_text(WELL)
    assert main(["run", str(tmp_path / "well.toml")]) == 0
    found = dl.load(tmp_path / "results" / "well.npz")
    summary = ANALYSES["stationary_density"].summary(found)
    assert summary["mean_x"] == pytest.approx(1, abs=1e-6)
    assert summary["maxima"] == 1
    page = (tmp_path / "results" / "well.html").read_text()
    assert "dW" in page


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ("{ y = 0.5 }", r"'y' is not a state.*line 3"),
        ("0.5", r"line 3: model.noise is 0.5"),
        ("{ x = nan }", r"line 3: model.noise.x.*finite"),
    ],
)
def test_mistakes_in_noise_have_their_line(tmp_path, noise, message):
    with pytest.raises((TextError, UnknownNameError), match=message):
        from_study_text(WELL.replace("{ x = 0.5 }", noise), name="s.toml", folder=tmp_path)


def test_a_map_has_noise_from_text(tmp_path):
    text = HEAD.replace('zoo = "henon"', 'zoo = "henon"\nnoise = { x = 0.1 }')
    study = read("[sweep.over]\na = [1, 1.2]", tmp_path, text)
    assert study.system == dl.zoo.henon.with_noise(x=0.1)


def test_no_analysis_is_left_out():
    from test_running import EVERY

    from dynlab.study.analyses import ANALYSES

    of_flows = {"integrate", "find_cycle", "phase_portrait", "stationary_density"}
    assert {*EVERY, *SMALL, *of_flows} == set(ANALYSES)
