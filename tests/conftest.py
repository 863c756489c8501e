"""What all tests share: reproducible random examples, and drawing without a screen."""

import signal
import sys

import hypothesis
import pytest

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
