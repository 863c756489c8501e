"""What is public is listed, sorted, there and documented."""

import importlib
import inspect
from pathlib import Path

import pytest

import dynlab
from dynlab.errors import UnknownNameError

ROOT = Path(dynlab.__file__).parent
MODULES = [
    ".".join(("dynlab", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(ROOT.rglob("*.py"))
]


def test_the_list_is_sorted_and_holds_each_name_once():
    assert list(dynlab.__all__) == sorted(set(dynlab.__all__))
    assert dir(dynlab) == list(dynlab.__all__)


@pytest.mark.parametrize("name", dynlab.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(dynlab, name)
    text = inspect.getdoc(value)
    assert text
    assert text.strip()
    assert getattr(dynlab, name) is value


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(UnknownNameError, match=r"'flwo' is not a public name of dynlab.*'flow'"):
        dynlab.flwo
    with pytest.raises(AttributeError):
        dynlab.integrat
    assert not hasattr(dynlab, "__wrapped__")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_and_keeps_its_word(module):
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    for name in getattr(loaded, "__all__", ()):
        value = getattr(loaded, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), f"{module}.{name} has no docstring"
            if value.__module__ == module:
                public = [v for k, v in vars(value).items() if not k.startswith("_")]
                assert all(inspect.getdoc(v) for v in public if inspect.isfunction(v))
