"""Functions of the language that sympy lacks, with derivatives that stay accurate."""

from __future__ import annotations

from typing import Any

import sympy

from dynlab.errors import DefinitionError, UnsupportedSystemError

__all__ = ["delayed", "recorded", "sigmoid"]


def _powered(text: str, exp: str | None) -> str:
    """Return the text of a function's value, with the power that sympy's printer asks for."""
    return text if exp is None else f"{text}^{{{exp}}}"


class sigmoid(sympy.Function):  # noqa: N801  (a function's name)
    """The logistic function 1 / (1 + exp(-x)).

    Its derivative is written s(x) s(-x): no cancellation and no overflow at any x.
    """

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x = self.args[0]
        return sigmoid(x) * sigmoid(-x)

    def _eval_rewrite_as_exp(self, x: sympy.Expr, **_: Any) -> sympy.Expr:
        return 1 / (1 + sympy.exp(-x))

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.rewrite(sympy.exp)._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        return self.args[0].is_extended_real

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return _powered(rf"\sigma\left({printer._print(self.args[0])}\right)", exp)


class recorded(sympy.Function):  # noqa: N801
    """A signal at a time, ``recorded(name, time, order)``, or its derivative of an order by time.

    The name is a symbol that stands for the recording and for no quantity, so it is not free.
    """

    nargs = 3

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        return self.args[1].free_symbols

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        name, time, order = self.args
        return recorded(name, time, order + 1) if argindex == 2 else sympy.S.Zero

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        name, time, order = self.args
        primes = "'" * int(order)
        text = rf"{printer._print(name)}{primes}\left({printer._print(time)}\right)"
        return _powered(text, exp)

    def _sympystr(self, printer: Any) -> str:
        name, time, order = self.args
        return f"{name}{chr(39) * int(order)}({printer._print(time)})"


class delayed(sympy.Function):  # noqa: N801
    """A state as it was some time ago: ``delayed(x, tau)`` is ``x(t - tau)``.

    The delay is a number or an expression of parameters, in the system's unit of time, and not negative.
    Products and functions of the past are written of these: ``delayed(x, tau) * delayed(y, tau)``.
    """

    nargs = 2

    @classmethod
    def eval(cls, state: sympy.Expr, delay: sympy.Expr) -> sympy.Expr | None:
        if not state.is_Symbol:
            raise DefinitionError(
                f"delayed({state!s:.40}, {delay!s:.40}) delays an expression. Delay the states in it, each by itself: "
                "dl.delayed(x, tau) * dl.delayed(y, tau)."
            )
        if delay.is_number and (not delay.is_real or delay.is_negative):
            raise DefinitionError(
                f"delayed({state}, {delay}) looks into the future, or not along the time. Give a delay of 0 or more."
            )
        return state if delay == 0 else None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        # What the state is now says nothing about what it was.
        if argindex == 1:
            return sympy.S.Zero
        raise UnsupportedSystemError(
            f"{self} is to be differentiated by its delay, which takes the slope of the past and is not done here. "
            "Vary a parameter that is no delay."
        )

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        state, delay = self.args
        ago = printer._print(sympy.Symbol("t") - delay)
        return _powered(rf"{printer._print(state)}\left({ago}\right)", exp)
