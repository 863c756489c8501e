"""Whatever can be saved can be loaded: the list of classes that a file may hold is whole and in order."""

import inspect
import sys

import dynlab as dl
from dynlab.result import Result

load = sys.modules[dl.load.__module__]


def test_every_public_result_can_be_loaded():
    public = [getattr(dl, name) for name in dl.__all__]
    results = {c.__name__ for c in public if inspect.isclass(c) and issubclass(c, Result)}
    assert "Trajectory" in results
    assert results - set(load.known_classes()) == set()


def test_the_list_is_in_order_and_no_name_stands_for_two_classes():
    assert list(load._CLASSES) == sorted(load._CLASSES)
    names = [place.rpartition(".")[2] for place in load._CLASSES]
    assert len(set(names)) == len(names)
