"""Compiled code is kept: another process finds it, nobody else can plant it, and damage is healed.

The children print the numbers they computed and how often numba compiled something.  One cache
is filled, by two processes at once; every other test uses it or a copy of it.
"""

import ast
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import tempfile

import pytest

from dynlab.kernels import caching

RUN = """
import json
import numba.core.event as event

counts = {"numba:compile": 0, "numba:run_pass": 0}

class Counter(event.Listener):
    def on_start(self, event):
        counts[event.kind] += 1
    def on_end(self, event):
        pass

for kind in counts:
    event.register(kind, Counter())

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.kernels import kernels_of

model = zoo.hodgkin_huxley
kernels = kernels_of(model)
point = (0.0, model.start_values, model.parameter_values)
found = [*kernels.rhs(*point), *kernels.jacobian(("I",))(*point)]
"""
DIAGRAM = """
diagram = dl.bifurcation_diagram(model, vary="I", over=(0, 200))
found += [point["I"] for point in diagram.points(dl.Hopf)]
"""
TELL = """
print(json.dumps({"found": found, "counts": counts}))
"""


def started(place, program, **variables):
    environment = {**os.environ, "DYNLAB_CACHE": str(place), **variables}
    command = [sys.executable, "-W", "error", "-c", program + TELL]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


def ended(process):
    """Return what a child tells; it must succeed and say nothing else."""
    told, complaint = process.communicate(timeout=300)
    assert complaint == ""
    assert process.returncode == 0
    return json.loads(told)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Two processes race on a cache that does not exist yet."""
    place = tmp_path_factory.mktemp("fresh") / "deep" / "cache"
    racing = [started(place, RUN + DIAGRAM) for _ in range(2)]
    return place, [ended(process) for process in racing]


@pytest.fixture
def copied(filled, tmp_path):
    """Return a copy of the filled cache to be damaged, and the numbers that must come out."""
    place, told = filled
    shutil.copytree(place, tmp_path / "cache")
    return tmp_path / "cache", told[0]["found"][: 4 + 20]


def test_two_processes_may_fill_one_cache(filled):
    _, (one, two) = filled
    assert one["found"] == two["found"]
    assert one["counts"]["numba:compile"] > 0
    assert len(one["found"]) == 4 + 20 + 2


def test_another_process_compiles_nothing(filled):
    place, (first, _) = filled
    second = ended(started(place, RUN + DIAGRAM))
    assert second["counts"] == {"numba:compile": 0, "numba:run_pass": 0}
    assert second["found"] == first["found"]


def test_nobody_else_may_enter(filled):
    place, _ = filled
    folders = [place, *(path for path in place.iterdir() if path.is_dir())]
    assert len(folders) == 2
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700, 0o700]


def test_no_half_file_is_left(filled):
    place, _ = filled
    names = [path.name for path in place.rglob("*") if path.is_file()]
    assert not [name for name in names if ".part" in name or ".tmp" in name]
    assert {path.rsplit(".", 1)[-1] for path in names} <= {"py", "pyc", "nbi", "nbc"}


USE = """
from dynlab.kernels import removable
found.append(removable.bernoulli(0.5, 0))
"""
DAMAGED = {
    "printed modules": "_dynlab_model_*.py",
    "index of model kernels": "**/_dynlab_model_*.nbi",
    "code of model kernels": "**/_dynlab_model_*.nbc",
    "index of algorithms": "**/removable*.nbi",
    "code of algorithms": "**/removable*.nbc",
}


@pytest.mark.parametrize("pattern", DAMAGED.values(), ids=DAMAGED)
def test_a_cut_file_is_made_again(copied, pattern):
    place, expected = copied
    (inner,) = (path for path in place.iterdir() if path.is_dir())
    files = sorted(inner.glob(pattern))
    assert files, "the names in the cache have changed"
    whole = {path: path.read_bytes() for path in files}
    for path, content in whole.items():
        path.write_bytes(content[: len(content) // 2])
    found = ended(started(place, RUN + USE))["found"]
    assert found[:-1] == expected
    assert found[-1] == pytest.approx(0.5 / math.expm1(0.5), rel=1e-15)
    healed = [path for path, content in whole.items() if len(path.read_bytes()) >= len(content) - 8]
    assert healed


def test_an_empty_file_is_made_again(copied):
    place, expected = copied
    for path in place.rglob("*.nb*"):
        path.write_bytes(b"")
    assert ended(started(place, RUN))["found"] == expected


def test_a_place_that_is_a_file_does_not_matter(filled, tmp_path):
    """Then everything is compiled for this process alone."""
    place = tmp_path / "cache"
    place.write_text("this is a file")
    told = ended(started(place, RUN, TMPDIR=str(tmp_path)))
    assert told["found"] == filled[1][0]["found"][: 4 + 20]
    assert place.read_text() == "this is a file"


# The choice of the directory, in this process


@pytest.fixture
def choose(monkeypatch, tmp_path):
    """Return a function that chooses afresh; temporary directories land in tmp_path/temporary."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def chosen(place):
        monkeypatch.setenv("DYNLAB_CACHE", str(place))
        return caching.directory.__wrapped__()

    return chosen


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_private(choose, tmp_path):
    place = tmp_path / "a" / "b"
    found = choose(place)
    assert found.parent == place
    assert (mode(place), mode(found)) == (0o700, 0o700)
    assert choose(place) == found


@pytest.mark.parametrize("open_mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_directory_that_others_may_write_is_closed_or_left(choose, tmp_path, open_mode):
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(open_mode)
    found = choose(place)
    assert mode(found) == 0o700
    if found.parent == place:
        assert mode(place) & 0o022 == 0


def test_a_version_directory_that_others_may_write_is_closed_or_left(choose, tmp_path):
    found = choose(tmp_path / "cache")
    found.chmod(0o777)
    again = choose(tmp_path / "cache")
    assert mode(again) == 0o700


@pytest.mark.parametrize("what", ["file", "link", "below a file", "dangling link"])
def test_a_place_that_is_no_directory_of_ours_is_left(choose, tmp_path, what):
    target = tmp_path / "target"
    target.mkdir()
    place = tmp_path / "place"
    if what == "file":
        place.write_text("")
    elif what == "link":
        place.symlink_to(target)
    elif what == "dangling link":
        place.symlink_to(tmp_path / "absent")
    else:
        place.write_text("")
        place = place / "cache"
    found = choose(place)
    assert found.parent == tmp_path / "temporary"
    assert mode(found) == 0o700
    assert list(target.iterdir()) == []


def test_a_directory_of_somebody_else_is_left(choose, tmp_path, monkeypatch):
    place = tmp_path / "cache"
    place.mkdir()
    somebody = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: somebody)
    assert choose(place).parent == tmp_path / "temporary"


def test_a_directory_that_cannot_be_written_is_left(choose, tmp_path, monkeypatch):
    place = tmp_path / "cache"
    place.mkdir()
    monkeypatch.setattr(os, "access", lambda path, how: False)
    assert choose(place).parent == tmp_path / "temporary"


def test_the_place_follows_the_habits_of_the_system(monkeypatch, tmp_path):
    monkeypatch.delenv("DYNLAB_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert caching.root() == tmp_path / "xdg" / "dynlab"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert caching.root() == tmp_path / "local" / "dynlab"
    monkeypatch.setenv("DYNLAB_CACHE", str(tmp_path / "mine"))
    assert caching.root() == tmp_path / "mine"


def test_the_stamp_covers_every_source_that_is_reached(monkeypatch, tmp_path):
    """An edited helper must not leave a caller with its old machine code; others keep theirs."""
    copy = tmp_path / "kernels"
    shutil.copytree(caching._SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(caching, "_SOURCES", copy)

    def stamps():
        caching.stamp.cache_clear()
        caching._imported.cache_clear()
        return {path.stem: caching.stamp(path) for path in copy.glob("*.py")}

    before = stamps()
    with (copy / "dense.py").open("a") as stream:
        stream.write("# edited\n")
    after = stamps()
    caching.stamp.cache_clear()
    caching._imported.cache_clear()
    changed = {name for name in before if before[name] != after[name]}
    assert {"dense", "explicit", "maps"} <= changed
    assert not changed & {"elementary", "removable", "linear", "newton"}
    assert len(set(before.values())) == len(before)


def test_every_import_between_kernels_is_seen():
    """The stamp reads imports by a pattern; Python's own parser must find no others."""
    for path in caching._SOURCES.glob("*.py"):
        found = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not any(a.name.startswith("dynlab") for a in node.names)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dynlab"):
                parts = node.module.split(".")
                found |= {parts[2]} if len(parts) > 2 else {a.name for a in node.names}
        assert {p.stem for p in caching._imported(path)} == found
