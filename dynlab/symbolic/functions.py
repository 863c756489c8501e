"""Functions of the language that sympy lacks, with derivatives that stay accurate."""

from __future__ import annotations

from typing import Any

import sympy

__all__ = ["recorded", "sigmoid"]


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

    def _latex(self, printer: Any) -> str:
        return rf"\sigma\left({printer._print(self.args[0])}\right)"


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

    def _latex(self, printer: Any) -> str:
        name, time, order = self.args
        primes = "'" * int(order)
        return rf"{printer._print(name)}{primes}\left({printer._print(time)}\right)"

    def _sympystr(self, printer: Any) -> str:
        name, time, order = self.args
        return f"{name}{chr(39) * int(order)}({printer._print(time)})"
