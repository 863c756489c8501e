"""Every way to end says what happened and what to try; the kernels speak the same numbers."""

import pickle

import pytest

from dynlab.kernels import convention
from dynlab.status import Status

CODES = {
    name: value
    for name, value in vars(convention).items()
    if name.isupper() and isinstance(value, int) and name != "CONVENTION_VERSION"
}


def test_kernels_and_status_agree():
    assert {"OK", "RUNNING", "DIVERGED", "NOT_CONVERGED"} <= set(CODES)
    assert {name: Status[name].value for name in CODES} == CODES


@pytest.mark.parametrize("status", Status, ids=str)
def test_every_status_explains_itself(status):
    assert status.meaning
    assert not status.meaning.endswith(".")
    assert str(status) == status.name.lower().replace("_", " ")
    assert f"{status}" == str(status)


@pytest.mark.parametrize("status", Status, ids=str)
def test_advice_is_given_exactly_where_something_was_not_done(status):
    """A computation that has not ended yet needs none."""
    assert bool(status.advice) == (not status.ok and status is not Status.RUNNING)


def test_codes_of_failures_are_not_ok():
    assert Status(0).ok
    failures = [status for status in Status if 10 <= status < 20]
    assert failures
    assert not any(status.ok for status in failures)


def test_a_status_survives_pickling():
    assert all(pickle.loads(pickle.dumps(status)) is status for status in Status)
