"""Everything dynlab raises or warns about, in one tree.

::

    DynlabError
      DefinitionError (ValueError)      the system itself, or what was asked of it
        UnknownNameError                a name that does not exist, with the nearest ones that do
        DuplicateNameError              one name for two things
        UnitError                       a unit label for something that is not there
        UnsupportedSystemError          this analysis cannot take this kind of system
        TextError                       a text that is no equation or no model
        SettingError                    a start, range, tolerance or method that cannot work
      CompileError (RuntimeError)       an expression without a kernel
      ComputationError (RuntimeError)   no answer; carries .status and .partial
        NotConverged
        StepTooSmall
        LeftDomain
        SingularProblem
      StoreError (ValueError)           a file that cannot be written or must not be read
        CheckpointError                 a study that cannot be kept or resumed; carries .partial
      MissingExtraError (ImportError)   an optional package is needed and absent
    DynlabWarning (UserWarning)
      AccuracyWarning                   an answer, less certain than asked
      DegenerateWarning                 close to a higher singularity

A message has three parts: what is wrong, where (names and values), what to try.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = [
    "AccuracyWarning",
    "CheckpointError",
    "CompileError",
    "ComputationError",
    "DefinitionError",
    "DegenerateWarning",
    "DuplicateNameError",
    "DynlabError",
    "DynlabWarning",
    "LeftDomain",
    "MissingExtraError",
    "NotConverged",
    "SettingError",
    "SingularProblem",
    "StepTooSmall",
    "StoreError",
    "TextError",
    "UnitError",
    "UnknownNameError",
    "UnsupportedSystemError",
]


class DynlabError(Exception):
    """Base of every exception that dynlab raises on purpose."""


class DefinitionError(DynlabError, ValueError):
    """The system, or a request made of it, does not make sense as written."""


#: A message lists no more names than this.
_MOST_LISTED = 30


class UnknownNameError(DefinitionError, AttributeError):
    """A name that does not exist; the message lists the nearest known names.

    Parameters
    ----------
    what
        What was looked for, e.g. ``"parameter of 'lorenz'"``.
    name
        The name given.
    known
        The names that exist.
    """

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        known = list(known)
        near = get_close_matches(str(name), known, n=3, cutoff=0.5)
        if not near:
            near = [k for k in known if k.lower() == str(name).lower()]
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        listed = ", ".join(known[:_MOST_LISTED]) if known else "none"
        if len(known) > _MOST_LISTED:
            listed += f", ... ({len(known)} in all)"
        super().__init__(f"{name!r} is not a {what}.{hint} Known: {listed}.")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args)


class DuplicateNameError(DefinitionError):
    """One name is used for two things."""


class UnitError(DefinitionError):
    """A unit label does not fit what it is attached to."""


class UnsupportedSystemError(DefinitionError):
    """The analysis cannot take this kind of system; the message names the part in the way."""


class TextError(DefinitionError):
    """A text that is no equation or no model; the message tells where in it."""


class SettingError(DefinitionError):
    """A start value, range, tolerance or method setting that cannot work."""


class CompileError(DynlabError, RuntimeError):
    """An expression has no kernel; the message shows the term and the generated line."""


class ComputationError(DynlabError, RuntimeError):
    """A computation ended without an answer.

    Attributes
    ----------
    status
        The `dynlab.Status` it ended with, or None.
    partial
        What had been computed until then, or None.
    """

    def __init__(self, message: str, *, status: Any = None, partial: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.partial = partial

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args), {"status": self.status, "partial": self.partial}


class NotConverged(ComputationError):
    """An iteration did not reach its tolerance."""


class StepTooSmall(ComputationError):
    """The step size fell below what floating point can resolve."""


class LeftDomain(ComputationError):
    """The right-hand side is not defined where the computation went."""


class SingularProblem(ComputationError):
    """A linear problem that had to be solved is singular."""


class StoreError(DynlabError, ValueError):
    """A file could not be written, or must not be read."""


class CheckpointError(StoreError):
    """The checkpoint of a study cannot be written, or belongs to another one.

    Attributes
    ----------
    partial
        What had been computed until then, or None.
    """

    def __init__(self, message: str, *, partial: Any = None) -> None:
        super().__init__(message)
        self.partial = partial

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args), {"partial": self.partial}


class MissingExtraError(DynlabError, ImportError):
    """An optional package is needed; the message names the extra that brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed. "
            f"Install it with: pip install 'dynlab[{extra}]'."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args)


class DynlabWarning(UserWarning):
    """Base of every warning that dynlab gives."""


class AccuracyWarning(DynlabWarning):
    """There is an answer, but it is less certain than asked for."""


class DegenerateWarning(DynlabWarning):
    """The problem is close to a higher singularity."""


def _rebuild(kind: type[Exception], args: tuple[Any, ...]) -> Exception:
    """Restore an exception whose constructor does not take its message (for pickling)."""
    error = kind.__new__(kind)
    error.args = args
    return error
