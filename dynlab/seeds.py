"""One seed -> independent streams of random numbers, the same whatever runs where."""

from __future__ import annotations

import json
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynlab.errors import SettingError

__all__ = ["Seed", "seed_of"]


@dataclass(frozen=True, slots=True)
class Seed:
    """Where random numbers come from, in words that can be stored and given back.

    Parameters
    ----------
    text
        A whole number, or the state of a generator as JSON.
    """

    text: str

    def stream(self, *place: int) -> np.random.Generator:
        """Return the stream of a place (a chunk, a cell of a grid); places are independent."""
        return np.random.Generator(np.random.PCG64(self._sequence(place)))

    def number(self, *place: int) -> int:
        """Return a whole number below 2**63 that is the seed of a place."""
        return int(self._sequence(place).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def _sequence(self, place: tuple[int, ...]) -> np.random.SeedSequence:
        if self.text.startswith("{"):
            state = json.loads(self.text)
            entropy = [int(state["state"]["state"]), int(state["state"]["inc"])]
        else:
            entropy = [int(self.text)]
        return np.random.SeedSequence(entropy, spawn_key=place)


def seed_of(given: Any) -> Seed:
    """Return the seed that a user gave, or a new one for None.

    Raises
    ------
    SettingError
        If it is negative or no whole number.
    """
    if given is None:
        return Seed(str(np.random.SeedSequence().entropy))
    if isinstance(given, Seed):
        return given
    if isinstance(given, np.random.Generator):
        state = given.bit_generator.state
        if state["bit_generator"] != "PCG64":
            raise SettingError(
                f"the seed is a generator of kind {state['bit_generator']}. Give a whole number or "
                "numpy.random.default_rng(...)."
            )
        given.integers(1 << 62)  # so that giving the same generator again draws anew
        return Seed(json.dumps(state))
    whole = isinstance(given, numbers.Integral) and not isinstance(given, bool)
    if not whole or int(given) < 0:
        raise SettingError(
            f"the seed is {given!r}. Give a whole number >= 0, a numpy generator, or None for a "
            "new one."
        )
    return Seed(str(int(given)))
