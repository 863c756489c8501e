"""What a function written by the user may return: real expressions in the names of its system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sympy

from dynlab.errors import DefinitionError, DynlabError, UnknownNameError
from dynlab.names import checked_name
from dynlab.symbolic import indexed, signals
from dynlab.symbolic.singular import remove_singularities
from dynlab.symbolic.tree import TIME, from_tree, symbol, to_tree

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = ["check_expression", "checked_expression", "names_in_bodies", "on_symbols"]


def names_in_bodies(system: System) -> dict[str, Any]:
    """Return what each state and parameter is called with inside a function: symbols, or indexed."""
    return {
        q.name: indexed.Indexed(q.name, len(q.shape)) if q.shape else symbol(q.name)
        for q in system.quantities
    } | {name: signals.in_body(name) for name in system.signal_names}


def checked_expression(value: Any, system: System, where: str) -> sympy.Expr:
    """Return the expression with its singular forms rewritten, or raise DefinitionError."""
    known = tuple(q.name for q in system.quantities)
    return check_expression(value, known, f"{where} of {system.name!r}", system.shapes)


def check_expression(
    value: Any,
    known: tuple[str, ...],
    where: str,
    shapes: Mapping[str, tuple[str, ...]] | None = None,
) -> sympy.Expr:
    """Return a real sympy expression in the known names; whatever else it holds is refused.

    `shapes` gives the index sets of the quantities that have indices.
    """
    if isinstance(value, bool | str) or value is None or not hasattr(value, "__rmul__"):
        raise DefinitionError(
            f"{where} is {value!r} ({type(value).__name__}), not an expression. "
            "Write it with the arguments of the function and the functions of dl."
        )
    try:
        expression = sympy.sympify(value, strict=True)
        expression = _in_our_symbols(expression, known, where)
        tree = to_tree(expression)
        if expression.has(sympy.ITE):
            expression = from_tree(tree)  # sympy's if of conditions, as and/or
        expression = indexed.resolved(expression, shapes or {}, where)
        indexed.index_sets(expression, shapes or {}, where)
        return _regular(expression)
    except (sympy.SympifyError, TypeError, ValueError) as error:
        if type(error) is DefinitionError:
            raise DefinitionError(f"In {where}: {error}") from None
        if isinstance(error, DynlabError):
            raise
        raise DefinitionError(f"{where} is {value!s:.40}, not an expression: {error}.") from error
    except RecursionError:
        raise DefinitionError(
            f"{where} is nested too deep. Name intermediate quantities as observables or "
            "write it as fewer, flatter terms."
        ) from None


def _regular(expression: sympy.Expr) -> sympy.Expr:
    """Rewrite singular forms, inside sums as well as outside."""
    sums = {s: s.of(_regular(s.summand)) for s in indexed.sums_of(expression)}
    held = {s: sympy.Dummy(real=True) for s in sums}
    outside = remove_singularities(expression.xreplace(held))
    return outside.xreplace({held[s]: done for s, done in sums.items()})


def _in_our_symbols(expression: Any, known: tuple[str, ...], where: str) -> sympy.Expr:
    """Return the expression with every known name as our symbol; refuse every other name."""
    for free in sorted(expression.free_symbols, key=str):
        if free == TIME or isinstance(free, indexed.Element):
            continue
        name = getattr(free, "name", str(free))
        checked_name(name, f"quantity in {where}")
        if name not in known:
            raise UnknownNameError(f"state or parameter (in {where})", name, known)
        if free != symbol(name):
            expression = expression.xreplace({free: symbol(name)})
    return expression


def on_symbols(run: Callable[[], Any], what: str, known: Sequence[str]) -> Any:
    """Run a function written by the user on symbols; say in words why it fails, if it does."""
    try:
        return run()
    except DynlabError:
        raise
    except NameError as error:
        raise UnknownNameError(f"quantity in {what}", str(error.name), known) from error
    except TypeError as error:
        raise DefinitionError(_explained(error, what)) from error
    except RecursionError:
        raise DefinitionError(
            f"{what} is nested too deep. Write it in fewer, flatter terms."
        ) from None
    except Exception as error:
        raise DefinitionError(
            f"{what} failed on symbols: {type(error).__name__}: {error}. "
            "Write it with its arguments and the functions of dl."
        ) from error


def _explained(error: TypeError, what: str) -> str:
    text = str(error)
    if "truth value" in text:
        return (
            f"{what} decides with if/and/or/min/max on a quantity whose value is not known when "
            "the equations are written. Use dl.where(condition, a, b), dl.min or dl.max."
        )
    if "ufunc" in text or "convert expression to float" in text or "must be real number" in text:
        return (
            f"{what} calls a function of numpy or math on a symbol ({text:.80}). "
            "Use the functions of dl: dl.sin, dl.exp, dl.tanh, ..."
        )
    return f"{what} failed on symbols: {text}. Write it with the functions of dl."
