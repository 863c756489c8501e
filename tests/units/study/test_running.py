"""A study that is run: its result is that of the function, and what it writes can be read and repeated."""

from __future__ import annotations

import csv
import html.parser
import json
import signal
import threading
import time

import numpy as np
import pytest

import dynlab as dl
from dynlab.cli import main
from dynlab.errors import SettingError, StoreError
from dynlab.study.read import from_study_text, read_study

TEXT = """\
title = "Where <b>Lorenz'</b> flow | rests & why"
[model]
zoo = "lorenz"
set = { rho = 20 }
[analysis]
function = "find_equilibria"
"""


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "rest.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def strict(text):
    return json.loads(text, parse_constant=lambda word: pytest.fail(word))


class Checked(html.parser.HTMLParser):
    """Collects tags and text, and holds that tags close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], set(), ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_result_is_that_of_the_function(written):
    found = dl.run_study(read_study(written))
    states = sorted(float(p["x"]) for p in found)
    root = np.sqrt(8 / 3 * 19)
    assert states == pytest.approx([-root, 0, root], abs=1e-9)


def test_run_writes_all_that_a_study_leaves_behind(written, capsys):
    assert main(["run", str(written), "--json"]) == 0
    document = strict(capsys.readouterr().out)
    folder = written.parent / "results"
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["rest.csv", "rest.html", "rest.md", "rest.npz", "rest.png", "rest.svg"]
    assert sorted(p.rpartition("/")[2] for p in document["files"]) == names
    assert len(dl.load(folder / "rest.npz")) == 3
    with (folder / "rest.csv").open(encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 3
    assert len(document["table"]["x"]) == 3


def test_the_page_tells_all_and_is_safe(written):
    main(["run", str(written)])
    page = Checked()
    text = (written.parent / "results" / "rest.html").read_text(encoding="utf-8")
    page.feed(text)
    assert page.open == []
    assert "b" not in page.tags  # the title came from others
    for part in (
        "<b>Lorenz'</b> flow | rests & why",
        "Lorenz 1963",
        "x' = sigma*(-x + y)",
        "rho",
        "numpy",
    ):
        assert part in page.text
    # The page holds the whole study, which gives the same result again.
    assert TEXT.strip() in page.text
    marked = (written.parent / "results" / "rest.md").read_text(encoding="utf-8")
    again = marked.partition("```toml\n")[2].partition("\n```")[0]
    copy = from_study_text(again, name="copy.toml", folder=written.parent)
    assert copy.system == read_study(written).system
    assert "<b>" not in marked.partition("## Repeat")[0].replace("```", "")


def test_only_what_is_asked_for_is_written(written):
    written.write_text(
        TEXT + '[outputs]\nfigure = []\ntable = false\nreport = false\nfolder = "."\n'
    )
    assert main(["run", str(written)]) == 0
    assert sorted(p.name for p in written.parent.iterdir()) == ["rest.npz", "rest.toml"]


def test_check_writes_nothing(written, capsys):
    assert main(["run", str(written), "--check"]) == 0
    assert "is good" in capsys.readouterr().out
    assert [p.name for p in written.parent.iterdir()] == ["rest.toml"]
    written.write_text(TEXT.replace("lorenz", "lorens"))
    assert main(["run", str(written), "--check"]) == 2
    captured = capsys.readouterr()
    assert "rest.toml, line 3" in captured.err
    assert captured.out == ""


def test_a_study_that_finds_nothing_ends_with_1(written, capsys):
    written.write_text(
        '[model.states]\nx = 1.0\n[model.equations]\nx = "1 + x^2"\n[analysis]\nfunction = "find_cycle"\n'
    )
    assert main(["run", str(written), "--json"]) == 1
    assert strict(capsys.readouterr().out)["ok"] is False


def test_a_study_from_anywhere_runs_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("open('ran', 'w')\n")
    for model in ('zoo = "evil.py:f"', 'file = "evil.py"', 'zoo = "../evil"', 'zoo = "__init__"'):
        (tmp_path / "study.toml").write_text(
            f'[model]\n{model}\n[analysis]\nfunction = "find_equilibria"\n'
        )
        assert main(["run", "study.toml"]) == 2
    assert not (tmp_path / "ran").exists()


def test_publish_takes_any_result(tmp_path):
    run = dl.integrate(dl.zoo.van_der_pol, duration=20)
    paths = dl.publish(run, folder=tmp_path / "new" / "folder", name="run", title="A run")
    assert [p.suffix for p in paths] == [".npz", ".csv", ".png", ".svg", ".md", ".html"]
    assert dl.load(paths[0]).final == run.final
    page = paths[4].read_text(encoding="utf-8")
    assert page.startswith("# A run\n\n![A run](run.png)")
    assert "\\ddot" not in page
    assert "\\dot{x}" in page


@pytest.mark.parametrize("name", ["", "..", "a/b", "/a"])
def test_publish_takes_a_plain_name(tmp_path, name):
    with pytest.raises(SettingError, match="name of the files"):
        dl.publish(dl.find_equilibria(dl.zoo.lorenz), folder=tmp_path, name=name)


def test_publish_names_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        dl.publish(dl.find_equilibria(dl.zoo.lorenz), folder=tmp_path / "file", name="x")


EVERY = {
    "find_equilibria": "",
    "equilibrium_diagram": 'vary = "a"\nover = [0.1, 1]',
    "bifurcation_diagram": 'vary = "a"\nover = [0.9, 1.0]\nperiods = [1]',
    "iterate": "duration = 100",
    "lyapunov_exponent": "duration = 1000\nseed = 1",
    "lyapunov_spectrum": "duration = 1000\ncount = 1",
    "exponent_chart": "duration = 200\nvary = { a = { from = 1, to = 1.4, count = 3 }, b = [0.2, 0.3] }",
    "period_chart": "transient = 500\nvary = { a = [0.9, 1.0] }",
    "orbit_diagram": 'vary = "a"\nover = { from = 0, to = 1.4, count = 5 }\ntransient = 100\nduration = 20',
    "find_periodic_orbits": "period = 2\nwithin = { x = [-2, 2], y = [-2, 2] }",
    "find_attractors": "within = { x = [-1, 1], y = [-0.3, 0.3] }\nsamples = 20\nseed = 1",
}


@pytest.mark.parametrize("function", EVERY)
def test_analyses_of_a_map_run_and_have_a_summary(tmp_path, function):
    from dynlab.study.analyses import ANALYSES

    text = f'[model]\nzoo = "henon"\n[analysis]\nfunction = "{function}"\n{EVERY[function]}\n'
    found = dl.run_study(from_study_text(text, name="s.toml", folder=tmp_path))
    summary = ANALYSES[function].summary(found)
    assert summary
    assert all(isinstance(v, float | str) for v in summary.values())


@pytest.mark.parametrize(
    ("model", "analysis"),
    [
        (
            "van_der_pol",
            'function = "integrate"\nduration = 5\nmethod = { name = "Radau5", rtol = 1e-6 }',
        ),
        ("van_der_pol", 'function = "find_cycle"'),
        ("lorenz", 'function = "lyapunov_spectrum"\nduration = 20'),
        ("van_der_pol", 'function = "phase_portrait"\nwithin = { x = [-3, 3], y = [-3, 3] }'),
    ],
)
def test_analyses_of_a_flow_run_and_have_a_summary(tmp_path, model, analysis):
    from dynlab.study.analyses import ANALYSES

    study = from_study_text(
        f'[model]\nzoo = "{model}"\n[analysis]\n{analysis}\n', name="s.toml", folder=tmp_path
    )
    summary = ANALYSES[study.function].summary(dl.run_study(study))
    assert all(isinstance(v, float | str) for v in summary.values())


# Sweeps

SWEPT = """\
[model]
zoo = "henon"
[analysis]
function = "lyapunov_spectrum"
duration = 500
[sweep]
seed = 1
[sweep.over]
a = { from = 1.2, to = 1.4, count = 3 }
b = [0.2, 0.3]
[outputs]
figure = []
"""


def test_a_sweep_is_the_analysis_at_every_point(tmp_path, capsys):
    path = tmp_path / "map.toml"
    path.write_text(SWEPT)
    assert main(["run", str(path), "--json"]) == 0
    document = strict(capsys.readouterr().out)
    table = document["table"]
    assert (document["points"], len(table["a"])) == (6, 6)
    # The exponents of this map add up to log b, whatever a and the seed are.
    sums = np.array(table["exponent_1"]) + np.array(table["exponent_2"])
    assert sums == pytest.approx(np.log(table["b"]), abs=1e-9)
    (data,) = (tmp_path / "results").glob("map_*.npz")
    assert dl.load(data)["exponent_1"].shape == (3, 2)
    # Again: the same numbers, from what is there.  Another study beside it: its own file.
    assert main(["run", str(path), "--json"]) == 0
    assert strict(capsys.readouterr().out)["table"] == table
    path.write_text(SWEPT.replace("duration = 500", "duration = 400"))
    assert main(["run", str(path), "--json"]) == 0
    assert strict(capsys.readouterr().out)["table"] != table
    page = (tmp_path / "results" / "map.md").read_text()
    assert "Henon 1976" in page
    assert "| duration | 400 |" in page


@pytest.mark.parametrize(
    "executor",
    ['kind = "serial"', 'kind = "threads"\nworkers = 2', 'kind = "processes"\nworkers = 1'],
)
def test_a_sweep_does_not_depend_on_where_it_runs(tmp_path, executor):
    plain = dl.run_study(from_study_text(SWEPT, name="s.toml", folder=tmp_path))
    other = dl.run_study(
        from_study_text(f"{SWEPT}[executor]\n{executor}\n", name="s.toml", folder=tmp_path)
    )
    assert np.array_equal(plain["exponent_1"], other["exponent_1"])


def test_sweep_from_the_command_line_is_the_same_study(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "henon", "lyapunov_spectrum", "--over", "a", "1.2", "1.4", "3", "--over", "b", "0.2",
               "0.3", "2", "--with", "duration=500", "--seed", "1", "--json"]  # fmt: skip
    assert main(command) == 0
    table = strict(capsys.readouterr().out)["table"]
    expected = dl.run_study(from_study_text(SWEPT, name="s.toml", folder=tmp_path))
    assert table["exponent_1"] == expected["exponent_1"].ravel().tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lyapunov_exponnt", "--over", "a", "1", "2", "3"], "lyapunov_exponent"),
        (["lyapunov_exponent", "--over", "aa", "1", "2", "3"], "'a'"),
        (["lyapunov_exponent", "--over", "a", "1", "2", "3"], "needs 'duration'"),
        (["lyapunov_exponent", "--over", "a", "1", "2", "2.5"], "whole number"),
        (["lyapunov_exponent", "--over", "a", "1", "nan", "3"], "finite"),
        (
            ["lyapunov_exponent", "--over", "a", "1", "2", "3", "--with", "duration"],
            "SETTING=VALUE",
        ),
        (["lyapunov_exponent", "--over", "a", "1", "2", "3", "--with", "duration=long"], "'long'"),
    ],
)
def test_mistakes_in_a_sweep_are_named(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "henon", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_that_is_stopped_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "lorenz", "lyapunov_exponent", "--over", "rho", "20", "60", "24", "--with",
               "duration=3000", "--seed", "1", "--json"]  # fmt: skip
    main([*command[:7], "2", *command[8:]])  # all is compiled
    capsys.readouterr()
    before = set(tmp_path.rglob("*.journal"))

    def press():
        """Press Ctrl-C when the first points are on the disk."""
        ends = time.monotonic() + 20
        while not set(tmp_path.rglob("*.journal")) - before and time.monotonic() < ends:
            time.sleep(0.02)
        time.sleep(0.3)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    assert main(command) == 130
    first = strict(capsys.readouterr().out)["table"]
    assert main(command) == 0
    document = strict(capsys.readouterr().out)
    done = [k for k, v in enumerate(first["status"]) if v == "ok"]
    assert len(done) < 24
    assert [first["exponent"][k] for k in done] == [document["table"]["exponent"][k] for k in done]
    assert set(document["table"]["status"]) == {"ok"}


def test_a_study_that_finds_a_point_keeps_it(tmp_path, capsys):
    """A cycle is a point, which has no origin of its own: the page tells that of the study."""
    path = tmp_path / "cycle.toml"
    path.write_text(
        '[model]\nzoo = "van_der_pol"\nset = {mu = 2}\n[analysis]\nfunction = "find_cycle"\n'
    )
    assert main(["run", str(path), "--json"]) == 0
    assert "period 7.629" in strict(capsys.readouterr().out)["found"]
    assert dl.load(tmp_path / "results" / "cycle.npz").period == pytest.approx(7.6298744, abs=1e-5)
    page = (tmp_path / "results" / "cycle.md").read_text()
    assert "van der Pol" in page
    assert "| mu | 2 |" in page


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_ctrl_c_while_figures_are_drawn_tells_what_is_on_the_disk(tmp_path, monkeypatch, capsys):
    path = tmp_path / "map.toml"
    path.write_text(SWEPT.replace("figure = []", ""))
    monkeypatch.setattr("dynlab.study.page.save_figure", interrupted)
    assert main(["run", str(path), "--json"]) == 130
    captured = capsys.readouterr()
    document = strict(captured.out)
    (data,) = (tmp_path / "results").glob("map_*.npz")
    assert {str(data), str(tmp_path / "results" / "map.csv")} == set(document["files"])
    assert "stopped before everything was written; on the disk" in captured.err
    assert "the same command goes on from here" in captured.err
    # Stopped in the middle, and again while the figure is drawn: the journal is what there is.
    path.write_text(path.read_text().replace("duration = 500", "duration = 600"))
    with dl.observe(lambda done, total, note: interrupted() if done else None):
        assert main(["run", str(path), "--json"]) == 130
    document = strict(capsys.readouterr().out)
    assert any(name.endswith(".npz.journal") for name in document["files"])
    monkeypatch.undo()
    assert main(["run", str(path), "--json"]) == 0
    assert set(strict(capsys.readouterr().out)["table"]["status"]) == {"ok"}


@pytest.mark.parametrize(
    "command",
    [
        ["spectrum", "henon", "--duration", "500"],
        ["diagram", "fitzhugh_nagumo", "--vary", "I", "--over", "0", "1"],
    ],
)
def test_the_data_are_written_before_the_figure(tmp_path, monkeypatch, capsys, command):
    monkeypatch.setattr("dynlab.plotting.save_figure", interrupted)
    assert main([*command, "--output", str(tmp_path), "--json"]) == 130
    files = strict(capsys.readouterr().out)["files"]
    assert sorted(files) == sorted(str(path) for path in tmp_path.iterdir())
    (data,) = tmp_path.glob("*.npz")
    assert dl.load(data).status.ok
