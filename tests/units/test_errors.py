"""The tree of exceptions: what each is, that each arises, and that each travels between processes."""

import builtins
import inspect
import pickle
import re
import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import dynlab as dl
from dynlab import errors, store, zoo
from dynlab.codegen import printer
from dynlab.codegen.lower import Program
from dynlab.errors import (
    AccuracyWarning,
    CheckpointError,
    CompileError,
    ComputationError,
    DefinitionError,
    DegenerateWarning,
    DuplicateNameError,
    DynlabError,
    DynlabWarning,
    LeftDomain,
    MissingExtraError,
    NotConverged,
    SettingError,
    SingularProblem,
    StepTooSmall,
    StoreError,
    TextError,
    UnitError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.result import Result
from dynlab.status import Status
from dynlab.symbolic.dynamics import Discrete, require
from dynlab.symbolic.quantities import State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

CLASSES = {name: getattr(errors, name) for name in errors.__all__}


def has_no_equation(x=1.0, y=1.0):
    return {x: y}


def unknown_name():
    zoo.lorenz(simga=1.0)


def duplicate_name():
    System("s", (State("x"), State("x")), (), (symbol("x"), symbol("x")))


def wrong_unit():
    dl.flow(units={"q": "mV"})(lambda x=1.0: {x: -x})


def wrong_kind():
    require(zoo.lorenz, Discrete)


def wrong_setting():
    zoo.lorenz(sigma=float("nan"))


def wrong_definition():
    dl.flow(has_no_equation)


def no_expression():
    zoo.lorenz.tie(sigma="2 rho")


def no_kernel():
    printer.function_source(Program("rhs", ("x",), (), 0, (), (("import", "os"),)))


def no_file():
    store.read("absent.npz", {})


# What triggers it, and what its message must tell: what is wrong, where, what to try.
TRIGGERS = {
    UnknownNameError: (unknown_name, ("'simga'", "'lorenz'", "Did you mean 'sigma'?")),
    DuplicateNameError: (duplicate_name, ("Two of the names", "'x'", "Rename one")),
    UnitError: (wrong_unit, ("'q'", "<lambda>", "Known: x")),
    UnsupportedSystemError: (wrong_kind, ("needs a map", "'lorenz'", "use dl.integrate")),
    SettingError: (wrong_setting, ("nan", "'sigma'", "give a finite number")),
    TextError: (no_expression, ("no sign between", "'sigma' of 'lorenz'", "Write 2*rho")),
    DefinitionError: (wrong_definition, ("no equation", "'has_no_equation'", "Add y: ...")),
    CompileError: (no_kernel, ("no code", "'import'")),
    StoreError: (no_file, ("no file", "absent.npz", "Check the path")),
}


@pytest.mark.parametrize("kind", TRIGGERS, ids=lambda kind: kind.__name__)
def test_each_arises_and_says_what_where_and_what_to_try(kind):
    trigger, parts = TRIGGERS[kind]
    with pytest.raises(kind) as caught:
        trigger()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert message.endswith(".")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy)) == (kind, message)


# Exceptions of analyses, which their own tests trigger; here they are made by hand.
MADE = [
    ComputationError("No answer. Look elsewhere."),
    NotConverged("No root of 'lorenz' near x = 1. Start closer.", status=Status.NOT_CONVERGED),
    StepTooSmall("The step fell to 1e-16 at t = 1.", partial=np.arange(3.0)),
    LeftDomain("'root' left its domain at t = 1.", status=Status.LEFT_DOMAIN),
    SingularProblem("The Jacobian of 'lorenz' is singular.", status=Status.SINGULAR),
    MissingExtraError("pandas", "tables", "to_dataframe()"),
    CheckpointError("The journal cannot be written. Make room.", partial=np.arange(2.0)),
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_the_others_travel_with_their_message_and_status(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    if isinstance(error, ComputationError):
        assert copy.status == error.status
    if isinstance(error, ComputationError | CheckpointError):
        assert np.array_equal(copy.partial, error.partial)


def test_every_class_is_covered_here():
    raised = set(TRIGGERS) | {type(error) for error in MADE}
    given = {AccuracyWarning, DegenerateWarning}
    assert set(CLASSES.values()) == raised | given | {DynlabError, DynlabWarning}


@dataclass(frozen=True, slots=True)
class Column(Result):
    """The smallest result."""

    def to_table(self):
        return {"n": np.arange(3)}

    def plot(self, ax=None):
        return ax


@pytest.mark.parametrize(
    ("package", "method"), [("pandas", "to_dataframe"), ("xarray", "to_xarray")]
)
def test_a_missing_extra_names_package_extra_and_purpose(monkeypatch, package, method):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(MissingExtraError) as caught:
        getattr(Column(), method)()
    assert str(caught.value) == (
        f"{method}() needs the package '{package}', which is not installed. "
        "Install it with: pip install 'dynlab[tables]'."
    )


@pytest.mark.parametrize("kind", [AccuracyWarning, DegenerateWarning])
def test_warnings_can_be_told_from_those_of_others(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", DynlabWarning)
        warnings.warn("someone else's", UserWarning, stacklevel=1)
        with pytest.raises(kind, match="ours"):
            warnings.warn("ours", kind, stacklevel=1)


# The tree


def test_the_drawing_at_the_top_of_the_file_is_the_tree():
    drawn = re.findall(r"^( +)(\w+)(?: \((\w+)\))?", inspect.getdoc(errors) or "", re.MULTILINE)
    stack, seen = [], {}
    for indent, name, builtin in drawn:
        if name not in CLASSES:
            continue
        depth = len(indent)
        while stack and stack[-1][0] >= depth:
            stack.pop()
        seen[name] = (stack[-1][1] if stack else None, builtin)
        stack.append((depth, name))
    assert set(seen) == set(CLASSES)
    for name, (parent, builtin) in seen.items():
        kind = CLASSES[name]
        assert parent is None or kind.__bases__[0] is CLASSES[parent]
        assert not builtin or issubclass(kind, getattr(builtins, builtin))


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_class_has_its_sentence_and_one_root(kind):
    assert kind.__doc__
    assert issubclass(kind, DynlabError) != issubclass(kind, DynlabWarning)
    assert getattr(dl, kind.__name__) is kind


def test_the_natural_builtins_catch_them_too():
    assert issubclass(DefinitionError, ValueError)
    assert issubclass(ComputationError, RuntimeError)
    assert issubclass(UnknownNameError, AttributeError)
    assert issubclass(StoreError, ValueError)
    assert issubclass(MissingExtraError, ImportError)
    assert not hasattr(dl, "no_such_name")


def test_near_names_are_proposed_and_far_ones_are_not():
    known = ("sigma", "rho", "beta")
    assert "Did you mean 'sigma'?" in str(UnknownNameError("parameter", "simga", known))
    assert "Did you mean" not in str(UnknownNameError("parameter", "qqqq", known))
    assert "Did you mean 'V'?" in str(UnknownNameError("state", "v", ("V", "w")))
    assert "Known: none." in str(UnknownNameError("parameter", "a", ()))
