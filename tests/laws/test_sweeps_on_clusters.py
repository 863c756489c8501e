"""Studies on dask and MPI give the same bits as one task after the other, also while workers are killed."""

import math
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import dynlab as dl
from dynlab.status import Status
from dynlab.sweep.given import Given
from dynlab.sweep.parcels import Packing


def drawn(a, seed):
    return {"value": math.sin(a) + seed % 1000, "path": np.arange(3) * a}


def slow(a, seed):
    time.sleep(0.05)
    return a + seed % 10


def in_a_script(function):
    """The function as if it stood in a script, so that workers need not find the tests."""
    function.__module__ = "__main__"
    return function


in_a_script(drawn)
in_a_script(slow)


def same(one, two):
    assert list(one.columns) == list(two.columns)
    for name in one.columns:
        assert one.columns[name].dtype == two.columns[name].dtype
        assert one.columns[name].tobytes() == two.columns[name].tobytes()
    assert np.array_equal(one.states, two.states)


def started(workers):
    """A cluster on the loopback interface, and its client."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    cluster = distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
    )  # fmt: skip
    return cluster, distributed.Client(cluster)


def with_cluster(workers, use):
    """Run with a cluster that is closed in any case."""
    cluster, client = started(workers)
    try:
        use(client)
    finally:
        client.close()
        cluster.close(timeout=20)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_dask_gives_the_same_bits(workers):
    study = dl.Sweep(a=np.linspace(0, 9, 60))
    alone = study.run(drawn, seed=3, executor=dl.Serial())

    def use(client):
        same(alone, study.run(drawn, seed=3, executor=client))
        with client.get_executor() as pool:
            same(alone, study.run(drawn, seed=3, executor=pool))

    with_cluster(workers, use)


@pytest.mark.filterwarnings("default")
def test_dask_workers_are_sent_the_arrays_of_a_function_once(monkeypatch):
    weights = np.random.default_rng(0).normal(size=125_000)

    def heavy(a, seed):
        return float(weights[seed % weights.size]) * a

    study = dl.Sweep(a=np.linspace(0, 1, 60))
    sent = []

    def use(client):
        # Of each batch what dask's own pickling makes of it.
        from distributed.protocol.pickle import dumps

        with client.get_executor() as pool:
            submit = pool.submit

            def counted(function, *arguments):
                sent.append(len(dumps(arguments)))
                return submit(function, *arguments)

            pool.submit = counted
            found = study.run(in_a_script(heavy), seed=1, executor=pool)
        same(study.run(heavy, seed=1, executor=dl.Serial()), found)

    monkeypatch.setattr("dynlab.sweep.run.MOST", 3)
    with_cluster(2, use)
    assert len(sent) >= 20
    assert (
        sum(length > 1_000_000 for length in sent) <= 4
    )  # two, and two that the second worker lacked


def test_workers_that_a_cluster_has_forgotten_are_asked_for_again():
    class Cluster:
        plan, requested, asked = {0, 1, 2}, {1}, ()

        def scale(self, count):
            self.asked, self.requested = (*self.asked, count), set(self.plan)

    cluster = Cluster()
    pool = Given(ThreadPoolExecutor(1), Packing(abs), 3, cluster)
    pool.mend()
    pool.mend()
    assert cluster.asked == (3,)


def kill_on_dask(kills, tasks):
    """Kill workers of a cluster while a study runs; return the result and the one of a quiet run."""
    study = dl.Sweep(a=np.arange(float(tasks)))
    found, killed = [], []

    def use(client):
        over = threading.Event()

        def kill():
            dice = random.Random(5)
            while len(killed) < kills and not over.wait(dice.uniform(0.8, 1.6)):
                # Asking the workers themselves may never be answered while one of them dies.
                nannies = list(client.cluster.workers.values())
                now = [n.process.pid for n in nannies if n.process is not None and n.process.pid]
                if now:
                    killed.append(dice.choice(now))
                    os.kill(killed[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found.append(study.run(slow, seed=3, executor=client))
        over.set()
        killer.join(timeout=30)

    with_cluster(2, use)
    assert len(killed) >= 1
    return found[0], study.run(lambda a, seed: a + seed % 10, seed=3), len(killed)


@pytest.mark.filterwarnings("default")
def test_dask_workers_that_are_killed_cost_nothing():
    found, quiet, _ = kill_on_dask(2, 100)
    assert found.failures == ()
    assert found["slow"].tolist() == next(iter(quiet.columns.values())).tolist()


@pytest.mark.campaign
@pytest.mark.filterwarnings("default")
def test_campaign_dask_workers_killed_20_times():
    found, quiet, kills = kill_on_dask(20, 1000)
    print(f"\n{kills} dask workers killed during {len(found.study)} tasks")
    assert kills == 20
    assert found.failures == ()
    assert found["slow"].tolist() == next(iter(quiet.columns.values())).tolist()


@pytest.mark.filterwarnings("default")
def test_ctrl_c_leaves_a_cluster_at_once():
    asked = []

    def watch(done, total, note):
        if done >= 20 and not asked:
            asked.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)

    def use(client):
        with dl.observe(watch):
            found = dl.Sweep(a=np.arange(5000.0)).run(slow, seed=1, executor=client)
        assert time.monotonic() - asked[0] < 1.0
        assert found.status is Status.STOPPED
        assert 20 <= (found.states == 1).sum() < 5000

    with_cluster(2, use)


SCRIPT = """
import numpy as np
import dynlab as dl
from mpi4py.futures import MPIPoolExecutor

def task(a, seed):
    return np.array([a, seed % 1000, a * a])

if __name__ == "__main__":
    with MPIPoolExecutor() as pool:
        found = dl.Sweep(a=np.arange(200.0)).run(task, seed=4, executor=pool)
    assert found.status.ok and not found.failures
    alone = dl.Sweep(a=np.arange(200.0)).run(task, seed=4, executor=dl.Serial())
    assert found["task"].tobytes() == alone["task"].tobytes()
    print("the same")
"""


def test_mpi_gives_the_same_bits(tmp_path):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    beside = Path(sys.executable).with_name("mpiexec")
    launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
    if launcher is None:
        pytest.skip("no mpiexec is installed")
    script = tmp_path / "study.py"
    script.write_text(SCRIPT)
    command = [launcher, "-n", "3", sys.executable, "-m", "mpi4py.futures", str(script)]
    # Open MPI refuses root, as whom containers run, and more processes than cores, unless it is told.
    allowed = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }  # fmt: skip
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | allowed
    )
    assert ended.returncode == 0, ended.stderr
    assert "the same" in ended.stdout
