"""What a study costs beside its tasks: time of the driver for each, and memory for a million.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_sweeps.py``.  The processor time of the driver is measured, which
other work on the machine changes little; the speed-up from two processes is wall time and needs a quiet machine.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

import dynlab as dl

pytestmark = pytest.mark.benchmark


def busy(seconds):
    """Return a task that takes so much of the processor."""

    def task(a):
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
        return a

    task.__module__ = "__main__"  # so that workers need not import the benchmarks
    return task


def half(a):
    return a * 0.5


half.__module__ = "__main__"


def test_overhead_of_a_task_of_a_millisecond(record_property):
    study, task = dl.Sweep(a=np.arange(3000)), busy(1e-3)
    study.run(task, executor=dl.Processes(2))
    began = time.process_time()
    found = study.run(task, executor=dl.Processes(2))
    each = (time.process_time() - began) / len(study)
    print(
        f"\ndriver, tasks of 1 ms in two processes: {1e6 * each:.0f} us of the processor for each"
    )
    record_property("microseconds", 1e6 * each)
    assert found.status.ok
    assert each < 1e-3


def test_a_million_tasks_take_little_memory(record_property):
    resource = pytest.importorskip("resource")
    dl.Sweep(a=np.arange(1000)).run(half, executor=dl.Processes(2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    found = dl.Sweep(a=np.arange(1_000_000)).run(half, executor=dl.Processes(2))
    seconds = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\na million tasks: {seconds:.1f} s of the driver, {grown:.0f} MB more at the most")
    record_property("megabytes", grown)
    assert found["half"].data[-1] == 999_999 * 0.5
    assert grown < 100  # the answers and their masks are 10 MB; nothing else grows with the tasks


def test_two_processes_against_one_on_tasks_of_ten_milliseconds(record_property):
    """Ask for 1.8 times; says nothing while the machine is busy with other things."""
    study, task, seconds = dl.Sweep(a=np.arange(400)), busy(1e-2), {}
    for count in (1, 2):
        began = time.perf_counter()
        study.run(task, executor=dl.Processes(count))
        seconds[count] = time.perf_counter() - began
    print(f"\ntwo processes against one: {seconds[1] / seconds[2]:.2f} times")
    record_property("times", seconds[1] / seconds[2])
