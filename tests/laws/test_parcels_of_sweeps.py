"""What is heavy goes to a worker once, by the hash of its content, and the bits of the answers do not notice."""

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import dynlab as dl
from dynlab.sweep import parcels
from dynlab.sweep.parcels import LIGHT, Lacking, Packing, Parcel, Shelf, compute_packed
from dynlab.sweep.task import Batch

HEAVY = 1_000_000  # bytes of an array, 60 times what travels along each time


def heavy_function():
    weights = np.random.default_rng(0).normal(size=HEAVY // 8)

    def task(a, seed):
        return float(weights[seed % weights.size]) * a

    task.__module__ = "__main__"
    return task


class Counting:
    """An executor that counts the bytes of what it is given, as one with a wire would."""

    def __init__(self, pool):
        self.pool, self.sent, self.count = pool, 0, 0
        self._max_workers = pool._max_workers

    def submit(self, function, *arguments):
        self.sent += len(pickle.dumps(arguments))
        self.count += 1
        return self.pool.submit(function, *arguments)


@pytest.fixture
def batches_of_two(monkeypatch):
    monkeypatch.setattr("dynlab.sweep.run.MOST", 2)


def frames_of(monkeypatch):
    """The lengths of all that is written to worker processes."""
    from dynlab.sweep import workers

    lengths, write = [], workers.write_frame

    def counted(stream, content):
        lengths.append(len(content))
        write(stream, content)

    monkeypatch.setattr(workers, "write_frame", counted)
    return lengths


def test_the_arrays_of_a_function_go_to_each_process_once(monkeypatch, batches_of_two):
    function, lengths = heavy_function(), frames_of(monkeypatch)
    study = dl.Sweep(a=np.linspace(0, 1, 60))
    alone = study.run(function, seed=1, executor=dl.Serial())
    found = study.run(function, seed=1, executor=dl.Processes(2))
    assert found["task"].tobytes() == alone["task"].tobytes()
    assert sum(length > HEAVY for length in lengths) <= 2
    assert sum(lengths) < 2 * HEAVY + len(lengths) * LIGHT / 10


def test_heavy_values_of_an_axis_go_to_each_process_once(monkeypatch, batches_of_two):
    tables = [np.arange(HEAVY // 8) * k for k in (1.0, 2.0)]
    study = dl.Sweep(a=np.linspace(0, 1, 30), table=tables)  # they take turns

    def task(a, table):
        return a * table[7]

    lengths = frames_of(monkeypatch)
    found = study.run(task, executor=dl.Processes(2))
    assert found["task"].tobytes() == study.run(task, executor=dl.Serial())["task"].tobytes()
    assert len(lengths) >= 30
    assert sum(lengths) < 2 * 2 * HEAVY + len(lengths) * LIGHT / 10


@pytest.mark.parametrize("workers", [1, 3])
def test_any_executor_gets_them_once_for_each_worker(monkeypatch, batches_of_two, workers):
    monkeypatch.setattr(parcels, "shelf", Shelf())
    function = heavy_function()
    study = dl.Sweep(a=np.linspace(0, 1, 60))
    with ThreadPoolExecutor(workers) as pool:
        counting = Counting(pool)
        found = study.run(function, seed=1, executor=counting)
    alone = study.run(function, seed=1, executor=dl.Serial())
    assert found["task"].tobytes() == alone["task"].tobytes()
    assert counting.count >= 30
    assert counting.sent < workers * (HEAVY + LIGHT) + counting.count * LIGHT / 10


def test_a_worker_that_lacks_something_says_so_and_is_given_it():
    """Each process takes one batch and is gone: as in a batch queue."""
    function = heavy_function()
    study = dl.Sweep(a=[0.5, 1.0])
    spawned = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned, max_tasks_per_child=1) as pool:
        counting = Counting(pool)
        found = study.run(function, seed=1, executor=counting)
    alone = study.run(function, seed=1, executor=dl.Serial())
    assert found.failures == ()
    assert found["task"].tobytes() == alone["task"].tobytes()
    assert counting.count == 3  # the second batch found nothing and was sent again


def test_a_shelf_throws_out_what_was_not_used_for_longest(monkeypatch):
    monkeypatch.setattr(parcels, "ROOM", 3 * HEAVY)
    held = [Parcel.of(np.full(HEAVY // 8, k)) for k in range(3)]
    shelf = Shelf()
    shelf.put(held[0])
    shelf.put(held[1])
    assert list(shelf.get([held[0].key])) == [held[0].key]
    shelf.put(held[2])
    assert list(shelf.get([p.key for p in held])) == [held[0].key, held[2].key]


def test_the_same_content_is_one_parcel(monkeypatch):
    monkeypatch.setattr(parcels, "shelf", Shelf())
    packing = Packing(lambda a: float(a.sum()))
    one, two = np.ones(HEAVY // 8), np.ones(HEAVY // 8)
    shipment = packing.shipment(Batch(("a",), [(one,), (two,), (one,)]))
    assert len(shipment.needs) == 2  # the function and the array
    asked = pickle.loads(compute_packed(shipment))
    assert isinstance(asked, Lacking)
    answer = pickle.loads(compute_packed(shipment.along_with(packing.parcels(asked.keys))))
    assert answer.answers == [HEAVY / 8] * 3
