"""What all tests share: reproducible random examples, and drawing without a screen."""

import importlib
import pkgutil
import signal
import sys

import hypothesis
import pytest

from dynlab import kernels
from dynlab.kernels.deferred import Deferred

SETTINGS = {
    "derandomize": True,  # the same examples on every machine
    "database": None,
    "deadline": None,  # the first call may compile
    "max_examples": 50,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
# Shrinking an algebraic example takes minutes; ask for it with --hypothesis-profile=shrink.
FAST = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
hypothesis.settings.register_profile("dynlab", **SETTINGS, phases=FAST)
hypothesis.settings.register_profile("shrink", **SETTINGS)
hypothesis.settings.load_profile("dynlab")

#: What each benchmark printed and recorded, for the file of ``--benchmark-json``.
SAID: dict[str, dict] = {}


def pytest_configure(config):
    """Let two processes that run the whole suite compile one half of the algorithms each.

    Both need all of them.  One begins at the front of the alphabet, the other at the back: what one has
    compiled the other finds on the disk.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None or config.option.file_or_dir:
        return
    names = sorted(module.name for module in pkgutil.iter_modules(kernels.__path__))
    for name in names[:: -1 if int(worker["workerid"][2:]) % 2 else 1]:
        for found in vars(importlib.import_module(f"dynlab.kernels.{name}")).values():
            if isinstance(found, Deferred):
                found.keep()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what a benchmark says: the page *How accurate and how fast* is made from it and the times."""
    report = yield
    if report.when == "call" and item.get_closest_marker("benchmark"):
        doc = (item.module.__doc__ or item.module.__name__).strip()
        SAID[item.nodeid] = {
            "subject": doc.splitlines()[0].rstrip("."),
            "outcome": report.outcome,
            "said": [line for line in report.capstdout.splitlines() if line.strip()],
            "recorded": dict(item.user_properties),
        }
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config, benchmarks, output_json):
    output_json["said"] = SAID


@pytest.fixture(autouse=True, scope="session")
def no_screen():
    """Draw with Agg; matplotlib itself is loaded only by the tests that draw."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "Agg")
        yield


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heard():
    """Answer SIGINT as Python does by itself; a shell starts its background jobs deaf to it.

    Without this a test that interrupts a long run in a background job would never end.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def no_figures_left():
    """Close the figures that a test left open."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """Return a cache directory that does not exist yet, for this process and its children."""
    place = tmp_path / "cache"
    monkeypatch.setenv("DYNLAB_CACHE", str(place))
    return place
