"""What a point of a study gives depends on the function, the point and the seed; on nothing else whatever."""

import itertools
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import types
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import store, zoo
from dynlab.errors import (
    CheckpointError,
    DuplicateNameError,
    DynlabWarning,
    SettingError,
    UnknownNameError,
)
from dynlab.status import Status
from dynlab.sweep.identity import function_hash
from dynlab.sweep.journal import frames

# Functions of the studies: in a module, so that workers import them by name


def wave(a, b):
    return math.sin(a) * b


def drawn(a, seed, b=1.0):
    """A number that depends on the seed as a simulation does."""
    return float(np.random.default_rng(seed).normal()) * a + b


def several(a, seed):
    return {"value": a * a, "kind": "odd" if int(a) % 2 else "even", "path": np.arange(3.0) * a}


def crooked(a, b):
    """Raise in one corner, give nan in another."""
    if a > 2.5 and b > 2.5:
        raise RuntimeError("too far out")
    return math.nan if a < 0.5 and b < 0.5 else math.exp(a) / (1 + b)


def orbit(r):
    return dl.iterate(zoo.logistic(r=r), duration=40)


def slow(a, seconds=0.02):
    time.sleep(seconds)
    return a


def by_value(function):
    """The function as if it stood in a script: it travels as it is, so that workers need not import the tests."""
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    copy.__module__ = "__main__"
    return copy


def same(one, two):
    """Equal to the last bit, whatever stands in the cells."""
    assert list(one.columns) == list(two.columns)
    for name in one.columns:
        assert np.array_equal(one.masks[name], two.masks[name])
        first, second = one.columns[name], two.columns[name]
        if isinstance(first, tuple):
            assert [repr(v) for v in first] == [repr(v) for v in second]
        else:
            assert first.dtype == second.dtype
            shown = ~one.masks[name]
            assert first[shown].tobytes() == second[shown].tobytes()
    assert np.array_equal(one.states, two.states)
    assert [(f.exception, f.message, f.point) for f in one.failures] == [
        (f.exception, f.message, f.point) for f in two.failures
    ]


# The points


@given(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_points_are_all_combinations_the_last_axis_fastest(lengths):
    axes = {
        name: [10.0 * k + n for n in range(m)]
        for k, (name, m) in enumerate(zip("abc", lengths, strict=False))
    }
    study = dl.Sweep(**axes)
    expected = [dict(zip(axes, row, strict=True)) for row in itertools.product(*axes.values())]
    assert list(study) == expected
    assert study.shape == tuple(lengths)
    assert study[-1] == expected[-1]


def test_parameters_that_are_zipped_vary_together():
    study = dl.Sweep(dl.Zipped(a=[1, 2], b=["x", "y"]), c=[True, False])
    assert [tuple(point.values()) for point in study] == [
        (1, "x", True), (1, "x", False), (2, "y", True), (2, "y", False)
    ]  # fmt: skip
    assert [type(v) for v in study[0].values()] == [int, str, bool]


@pytest.mark.parametrize(
    "design",
    [
        dl.RandomPoints({"a": (-1, 3), "b": dl.Gaussian(2, 0.5)}, count=64, seed=5),
        dl.Sobol({"a": (-1, 3), "b": dl.Gaussian(2, 0.5)}, count=64, seed=5),
        dl.Halton({"a": (-1, 3), "b": dl.Gaussian(2, 0.5)}, count=64, seed=5),
        dl.LatinHypercube({"a": (-1, 3), "b": dl.Gaussian(2, 0.5)}, count=64, seed=5),
    ],
    ids=lambda design: type(design).__name__,
)
def test_points_in_a_box_are_where_they_should_be(design):
    axis, again = design.lay_out(), design.lay_out()
    a, b = axis.columns["a"], axis.columns["b"]
    assert a.tobytes() == again.columns["a"].tobytes()
    assert a.min() >= -1
    assert a.max() <= 3
    # Means of 64 points: random ones scatter by deviation / 8; four times that for all.
    assert abs(a.mean() - 1.0) < 4 * (4 / math.sqrt(12)) / 8
    assert abs(b.mean() - 2.0) < 4 * 0.5 / 8
    if isinstance(
        design, dl.Sobol | dl.LatinHypercube
    ):  # one point in each of 64 slices (Owen 1998, McKay 1979)
        assert sorted(np.floor((a + 1) / 4 * 64).astype(int)) == list(range(64))


# Seeds


def test_a_point_gives_the_same_in_every_study_that_holds_it():
    wide = dl.Sweep(a=[1.0, 2.0, 3.0], b=[0.0, 5.0]).run(drawn, seed=8)
    turned = dl.Sweep(b=[5.0, 0.0], a=[3.0, 1.0]).run(drawn, seed=8)
    for a, b in itertools.product([1.0, 3.0], [0.0, 5.0]):
        assert turned.at(a=a, b=b) == wide.at(a=a, b=b)
    other = dl.Sweep(a=[1.0, 2.0, 3.0], b=[0.0, 5.0]).run(drawn, seed=9)
    assert not np.any(other["drawn"] == wide["drawn"])


def test_replicates_and_points_have_streams_of_their_own():
    def first(a, seed):
        return seed

    found = dl.Sweep(dl.Replicates(40), a=np.arange(50)).run(first, seed=0)["first"]
    assert np.unique(found).size == 2000
    # Bits of independent uniform numbers: ones in half of the places, 2000 draws, five deviations.
    bits = (found.data.ravel()[:, None] >> np.arange(62)) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / math.sqrt(2000)


def test_seeds_as_row_40_wants_them():
    study = dl.Sweep(a=[1.0, 2.0])
    with pytest.raises(SettingError, match="-1"):
        study.run(drawn, seed=-1)
    new = study.run(drawn, seed=None)
    same(new, study.run(drawn, seed=new.provenance.seed))
    by_generator = study.run(drawn, seed=np.random.default_rng(4))
    same(by_generator, study.run(drawn, seed=np.random.default_rng(4)))
    assert "PCG64" in by_generator.provenance.settings["seed"]
    given = dl.Sweep(seed=[3, 4], a=[1.0]).run(drawn, seed=1)  # an axis of that name wins
    assert given.at(seed=3) == np.random.default_rng(3).normal() + 1.0


# Executors


@pytest.mark.parametrize("function", [drawn, several], ids=["numbers", "several"])
def test_every_executor_gives_the_same_bits(function):
    study = dl.Sweep(dl.Replicates(2), a=np.linspace(0, 5, 17))
    alone = study.run(function, seed=2, executor=dl.Serial())
    assert alone.status is Status.OK
    same(alone, study.run(function, seed=2))
    for count in (1, 2, 4):
        same(alone, study.run(function, seed=2, executor=dl.Threads(count)))
    same(alone, study.run(by_value(function), seed=2, executor=dl.Processes(2)))
    with ThreadPoolExecutor(3) as pool:
        same(alone, study.run(function, seed=2, executor=pool))


class Shuffled:
    """An executor that answers in another order, as a cluster does."""

    def __init__(self, seed):
        self.random, self.waiting = random.Random(seed), []
        self.pool = ThreadPoolExecutor(4)

    def submit(self, function, *arguments):
        pause = self.random.random() * 0.004

        def later():
            time.sleep(pause)
            return function(*arguments)

        return self.pool.submit(later)


@settings(max_examples=4)
@given(seed=st.integers(0, 99))
def test_the_order_of_answers_does_not_matter(seed):
    study = dl.Sweep(a=np.arange(30.0))
    same(study.run(drawn, seed=1), study.run(drawn, seed=1, executor=Shuffled(seed)))


def test_a_function_of_a_notebook_travels_and_prints_do_not_disturb():
    offset = np.arange(1000.0)

    def local(a):
        print("a word")
        return a + offset[-1]

    found = dl.Sweep(a=[1.0, 2.0]).run(local, executor=dl.Processes(1))
    assert found["local"].tolist() == [1000.0, 1001.0]


def test_whole_results_come_back_and_can_be_stored(tmp_path):
    study = dl.Sweep(r=[2.5, 3.2])
    found = study.run(orbit, executor=dl.Threads(2))
    back = dl.load(found.save(tmp_path / "orbits"))
    for r in (2.5, 3.2):
        expected = dl.iterate(zoo.logistic(r=r), duration=40)["x"]
        assert found.at(r=r)["x"].tobytes() == expected.tobytes()
        assert back.at(r=r)["x"].tobytes() == expected.tobytes()
    assert repr(back) == repr(found)


# What fails fails alone


def test_a_corner_that_fails_is_masked_with_its_reason_and_changes_nothing_else():
    study = dl.Sweep(a=np.linspace(0, 3, 7), b=np.linspace(0, 3, 7))
    found = study.run(crooked)
    values = found["crooked"]
    for (i, a), (j, b) in itertools.product(enumerate(found["a"]), enumerate(found["b"])):
        bad = (a > 2.5 and b > 2.5) or (a < 0.5 and b < 0.5)
        assert bool(values.mask[i, j]) == bad
        assert bad or values.data[i, j] == math.exp(a) / (
            1 + b
        )  # the same operations: the same bits
    reasons = {(f.point["a"], f.point["b"]): (f.exception, f.message) for f in found.failures}
    assert reasons == {
        (3.0, 3.0): ("RuntimeError", "too far out"),
        (0.0, 0.0): ("NotANumber", "the function returned nan"),
    }
    assert "test_sweeps.py" in found.failures[1].where
    table = found.to_table()
    assert list(table) == ["a", "b", "crooked", "status"]
    assert table["status"].tolist().count("failed") == 2
    assert np.isnan(table["crooked"]).sum() == 2
    with pytest.raises(SettingError, match="too far out"):
        found.at(a=3.0, b=3.0)


def test_what_cannot_work_is_refused_where_it_is_written():
    for wrong, words in [
        (lambda: dl.Sweep(), "needs an axis"),
        (lambda: dl.Sweep(a=[]), "empty"),
        (lambda: dl.Sweep(a="abc"), "give a list|Give a list"),
        (lambda: dl.Sweep(a=[1.0, math.nan]), "value 1 of 'a' is nan"),
        (lambda: dl.Sweep(a=[math.inf]), "inf"),
        (lambda: dl.Sweep(a=[1, 2, 1]), "more than once.*Replicates"),
        (lambda: dl.Sweep(a=np.ones((2, 2))), "shape"),
        (lambda: dl.Sweep([1, 2]), "no axis"),
        (lambda: dl.Zipped(a=[1], b=[1, 2]), "different lengths"),
        (lambda: dl.Replicates(0), "positive whole number"),
        (lambda: dl.Sobol({"a": (0, 1)}, count=100), "64 or 128"),
        (lambda: dl.Halton({"a": (1, 0)}, count=3), "low, high"),
        (lambda: dl.Threads(0), "positive whole number"),
        (lambda: dl.Sweep(a=[1]).run(3), "cannot be called"),
        (lambda: dl.Sweep(a=[1]).run(wave), "needs 'b'"),
        (lambda: dl.Sweep(a=[1]).run(slow, executor="threads"), "dl.Threads"),
    ]:
        with pytest.raises(SettingError, match=words):
            wrong()
    with pytest.raises(UnknownNameError, match=r"'aa'.*Did you mean 'a'"):
        dl.Sweep(aa=[1], b=[2]).run(wave)
    with pytest.raises(DuplicateNameError):
        dl.Sweep(dl.Zipped(a=[1], b=[2]), a=[3])


# Nothing is lost


def counted(a, log):
    """Leave a mark for each call."""
    with Path(log).open("a") as stream:
        stream.write(f"{a}\n")
    return a * a


def study_and_function(folder, count=40):
    log = str(folder / "calls")
    return dl.Sweep(a=range(count), log=[log]), Path(log)


def interrupted_run(folder, after):
    """Run until so many tasks are done; return the checkpoint and the study."""
    study, log = study_and_function(folder)
    path = folder / "kept.npz"

    def watch(done, total, note):
        if done >= after:
            raise KeyboardInterrupt

    with dl.observe(watch):
        partial = study.run(counted, checkpoint=path, executor=dl.Serial())
    assert partial.status is Status.STOPPED
    return study, log, path, partial


def test_a_stopped_study_goes_on_where_it_was(tmp_path):
    study, log, path, partial = interrupted_run(tmp_path, 5)
    done = int((partial.states == 1).sum())
    assert 5 <= done < 40
    assert not path.exists()
    whole = study.run(counted, checkpoint=path)
    assert whole["counted"].ravel().tolist() == [a * a for a in range(40)]
    calls = [int(line) for line in log.read_text().split()]
    assert set(calls) == set(range(40))
    assert len(calls) <= 40 + 2 * 40 // 2  # at most those in flight ran twice
    before = log.read_text()
    same(whole, study.run(counted, checkpoint=path))  # nothing left to do
    assert log.read_text() == before
    same(whole, dl.load(path))
    assert not path.with_name("kept.npz.journal").exists()


def test_a_checkpoint_of_another_study_is_refused(tmp_path):
    study, log, path, _ = interrupted_run(tmp_path, 5)
    journal = path.with_name("kept.npz.journal")
    before = journal.read_bytes()
    other = dl.Sweep(a=range(41), log=[str(log)])
    with pytest.raises(CheckpointError, match=r"the points differ.*'counted', 40 tasks") as raised:
        other.run(counted, checkpoint=path)
    assert raised.value.partial.states.sum() == 0
    with pytest.raises(CheckpointError, match="the function differs"):
        study.run(lambda a, log: 0, checkpoint=path)
    with pytest.raises(CheckpointError, match="the seed differs"):
        study.run(counted, checkpoint=path, seed=1 << 80)
    assert journal.read_bytes() == before
    study.run(counted, checkpoint=path)
    with pytest.raises(CheckpointError, match="another study"):
        other.run(counted, checkpoint=path)


def test_a_helper_and_a_constant_belong_to_the_function(tmp_path):
    def script(constant, helper):
        names = {"__name__": "a_script"}
        exec(
            f"K = {constant}\ndef helper(a):\n    return {helper}\ndef f(a):\n    return helper(a) + K",
            names,
        )
        return names["f"]

    assert function_hash(script(1, "a")) == function_hash(script(1, "a"))
    assert function_hash(script(1, "a")) != function_hash(script(2, "a"))
    assert function_hash(script(1, "a")) != function_hash(script(1, "a + a"))
    assert function_hash(lambda a: a + 1) != function_hash(lambda a: a + 2)


def test_a_damaged_journal_is_noticed_and_the_good_part_used(tmp_path):
    study, log, path, _ = interrupted_run(tmp_path, 12)
    journal = path.with_name("kept.npz.journal")
    whole = journal.read_bytes()
    dice = random.Random(3)
    cuts = [whole[: dice.randrange(len(whole))] for _ in range(6)]
    flips = []
    for _ in range(12):
        place = dice.randrange(len(whole))
        flips.append(
            whole[:place] + bytes([whole[place] ^ (1 << dice.randrange(8))]) + whole[place + 1 :]
        )
    ends = 0
    for content in [
        *cuts,
        *flips,
        whole + b"DLJ1 and so on",
        whole[:-1] + b"",
        whole + whole[200:],
    ]:
        journal.write_bytes(content)
        path.unlink(missing_ok=True)
        log.write_text("")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DynlabWarning)
            try:
                found = study.run(counted, checkpoint=path, seed=None)
            except CheckpointError as error:
                refused = str(error)
            else:
                assert found["counted"].ravel().tolist() == [a * a for a in range(40)]
                continue
        # Without its head it cannot be said which seed it has: refused, and left alone.
        assert journal.read_bytes() == content
        assert re.search("damaged|no journal", refused)
        ends += 1
    assert ends <= 5


def test_a_flipped_bit_in_a_record_costs_that_record_alone(tmp_path):
    study, log, path, _ = interrupted_run(tmp_path, 12)
    journal = path.with_name("kept.npz.journal")
    content = bytearray(journal.read_bytes())
    starts = [k for k in range(len(content)) if content[k : k + 4] == b"DLJ1"]
    with journal.open("rb") as stream:
        records = [
            store.unpacked(inner, {}, "journal")["tasks"].tolist()
            for *_, inner in list(frames(stream))[1:]
        ]
    content[starts[2] + 60] ^= 4
    journal.write_bytes(bytes(content))
    log.write_text("")
    with pytest.warns(DynlabWarning, match="damaged.*run again"):
        found = study.run(counted, checkpoint=path)
    assert found["counted"].ravel().tolist() == [a * a for a in range(40)]
    again = {int(line) for line in log.read_text().split()}
    assert set(records[1]) <= again  # frame 0 is the head
    assert not again & {task for k, tasks in enumerate(records) if k != 1 for task in tasks}


def test_a_newer_journal_and_a_file_that_is_none_are_refused(tmp_path, monkeypatch):
    study, _ = study_and_function(tmp_path)
    path = tmp_path / "kept.npz"
    journal = tmp_path / "kept.npz.journal"
    journal.write_text("my diary")
    with pytest.raises(CheckpointError, match="no journal"):
        study.run(counted, checkpoint=path)
    assert journal.read_text() == "my diary"
    journal.unlink()
    monkeypatch.setattr("dynlab.sweep.journal.FORMAT", 7)
    interrupted_run(tmp_path, 3)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"format 7.*up to 1"):
        study.run(counted, checkpoint=path)


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_computed(tmp_path):
    study, log = study_and_function(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written") as raised:
        study.run(counted, checkpoint=tmp_path / "file" / "kept.npz")
    assert not log.exists()
    assert raised.value.partial.status is Status.OK


def test_a_full_disk_leaves_what_was_computed_in_the_error_and_can_be_resumed(tmp_path):
    resource = pytest.importorskip("resource")
    study, log = study_and_function(tmp_path)
    path = tmp_path / "kept.npz"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (6_000, before[1])
    )  # of any file: the system says "too large"
    try:
        with pytest.raises(CheckpointError, match=r"cannot be written.*partial") as raised:
            study.run(counted, checkpoint=path, executor=dl.Serial())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    partial = raised.value.partial
    done = partial.states == 1
    assert 0 < done.sum() < 40
    assert partial.columns["counted"][done].tolist() == (np.arange(40)[done] ** 2).tolist()
    log.write_text("")
    found = study.run(counted, checkpoint=path)
    assert found["counted"].ravel().tolist() == [a * a for a in range(40)]
    assert len(log.read_text().split()) < 40  # what stood in the journal was not computed again


def test_an_answer_that_cannot_be_kept_is_told(tmp_path):
    with pytest.raises(
        CheckpointError, match=r"Thread cannot be stored.*without checkpoint"
    ) as raised:
        dl.Sweep(a=[1]).run(
            lambda a: threading.Thread(), checkpoint=tmp_path / "x", executor=dl.Serial()
        )
    assert raised.value.partial.at(a=1).name


# Stopping


@pytest.mark.parametrize("executor", [dl.Serial(), dl.Threads(2), dl.Processes(1)], ids=repr)
def test_ctrl_c_ends_within_a_second_with_what_was_done(executor):
    asked = []

    def watch(done, total, note):
        if done >= 10 and not asked:
            asked.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)

    with dl.observe(watch):
        found = dl.Sweep(a=range(10_000)).run(by_value(slow), executor=executor)
    assert time.monotonic() - asked[0] < 1.0
    assert found.status is Status.STOPPED
    done = found.states == 1
    assert 10 <= done.sum() < 2_000
    assert found.columns["slow"][done].tolist() == np.arange(10_000)[done].tolist()


def test_a_task_that_was_cut_short_is_not_taken_for_done():
    """dynlab's own functions return what they have when stopped; a study must not keep that."""

    def long(a):
        return dl.lyapunov_exponent(zoo.lorenz, duration=1e7, seed=1).value

    began = time.monotonic()
    with dl.stop_after(1.0):
        found = dl.Sweep(a=[1, 2]).run(long, executor=dl.Threads(2))
    assert time.monotonic() - began < 2.5
    assert found.status is Status.STOPPED
    assert found.states.tolist() == [0, 0]


# Killing

DRIVER = """
import sys, time
import dynlab as dl

def task(a, seed):
    with open({log!r}, "a") as stream:
        stream.write(f"{{a}}\\n")
    time.sleep({pause})
    return {{"square": a * a, "seed": seed}}

found = dl.Sweep(a=range({count})).run(task, seed=5, checkpoint={path!r}, executor=dl.{executor})
print(found.status.ok, found["square"].sum())
"""


def driver(folder, count, pause, executor):
    script = folder / "driver.py"
    script.write_text(
        DRIVER.format(
            log=str(folder / "calls"),
            pause=pause,
            count=count,
            path=str(folder / "kept.npz"),
            executor=executor,
        )
    )
    return [sys.executable, str(script)]


def children_of(pid):
    """The processes that a process started (Linux)."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def kill_drivers(folder, *, count, pause, kills, executor, seed):
    """Kill the driver at random times, most of them while tasks run; then let it end.

    Return its result and the numbers of the tasks that were begun, in order.
    """
    dice = random.Random(seed)
    command = driver(folder, count, pause, executor)
    log = folder / "calls"
    log.touch()
    at_work = 0
    for _ in range(kills):
        before = log.stat().st_size
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            began = time.monotonic()
            early = dice.random() < 0.2
            while not early and log.stat().st_size == before and process.poll() is None:
                time.sleep(0.01)
                assert time.monotonic() - began < 30
            process.wait(timeout=dice.uniform(0.0, 8 * pause))
        except subprocess.TimeoutExpired:
            pass
        finally:
            process.kill()
            process.wait(timeout=20)
        at_work += log.stat().st_size > before
    subprocess.run(command, check=True, timeout=60 + 4 * count * pause)
    calls = [int(line) for line in log.read_text().split()]
    return dl.load(folder / "kept.npz"), calls, at_work


def test_a_driver_that_is_killed_loses_nothing(tmp_path):
    count, kills = 60, 2
    found, calls, at_work = kill_drivers(
        tmp_path, count=count, pause=0.02, kills=kills, executor="Processes(2)", seed=1
    )
    assert at_work >= 1
    check_whole(found, calls, count, kills)


def check_whole(found, calls, count, kills):
    assert found["square"].tolist() == [a * a for a in range(count)]
    alone = dl.Sweep(a=range(count)).run(lambda a, seed: seed, seed=5)
    assert found["seed"].tolist() == next(iter(alone.columns.values())).tolist()
    assert set(calls) == set(range(count))
    # Two workers, two batches on their way for each, of a tenth of a second or 40 tasks at the most.
    assert len(calls) - count <= kills * 4 * 12


def kill_workers(folder, *, count, pause, kills, seed):
    """Kill workers at random while a study runs; return its result and how often each task ran."""
    dice = random.Random(seed)
    process = subprocess.Popen(driver(folder, count, pause, "Processes(2)"))
    done = 0
    began = time.monotonic()
    while done < kills and process.poll() is None and time.monotonic() - began < 120:
        time.sleep(dice.uniform(0.1, 0.5))
        workers = children_of(process.pid) if process.poll() is None else []
        if workers:
            os.kill(dice.choice(workers), signal.SIGKILL)
            done += 1
    try:
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
    assert done == kills
    calls = [int(line) for line in (folder / "calls").read_text().split()]
    return dl.load(folder / "kept.npz"), calls


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the workers in /proc")
def test_workers_that_are_killed_are_replaced_and_the_study_ends_complete(tmp_path):
    found, calls = kill_workers(tmp_path, count=120, pause=0.02, kills=2, seed=2)
    assert found.failures == ()
    check_whole(found, calls, 120, 2)


def test_a_task_that_kills_its_worker_fails_alone():
    def deadly(a):
        if a == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return a

    found = dl.Sweep(a=range(8)).run(deadly, executor=dl.Processes(1))
    assert [(f.exception, f.point["a"]) for f in found.failures] == [("WorkerDied", 3)]
    assert "signal 9" in found.failures[0].message
    assert found["deadly"].compressed().tolist() == [0, 1, 2, 4, 5, 6, 7]


def test_no_worker_survives_a_driver_that_is_killed(tmp_path):
    process = subprocess.Popen(
        driver(tmp_path, 1000, 0.05, "Processes(2)"), stdout=subprocess.DEVNULL
    )
    workers = []
    began = time.monotonic()
    while len(workers) < 2 and time.monotonic() - began < 20:
        time.sleep(0.05)
        workers = children_of(process.pid)
    process.kill()
    process.wait(timeout=10)
    assert len(workers) == 2

    def alive(pid):
        try:
            return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return False

    while any(map(alive, workers)) and time.monotonic() - began < 30:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def campaign_report(words):
    print("\n" + json.dumps(words))


@pytest.mark.campaign
def test_campaign_driver_killed_50_times(tmp_path):
    found, calls, at_work = kill_drivers(
        tmp_path, count=500, pause=0.05, kills=50, executor="Processes(2)", seed=11
    )
    check_whole(found, calls, 500, 50)
    campaign_report(
        {"driver kills": 50, "at work": at_work, "tasks": 500, "repeated": len(calls) - 500}
    )


@pytest.mark.campaign
def test_campaign_workers_killed_20_times(tmp_path):
    found, calls = kill_workers(tmp_path, count=600, pause=0.05, kills=20, seed=12)
    assert found.failures == ()
    check_whole(found, calls, 600, 20)
    campaign_report({"worker kills": 20, "tasks": 600, "repeated": len(calls) - 600})
