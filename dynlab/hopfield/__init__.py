"""Hopfield networks of binary spins: storing patterns, recalling them, how many fit, and the theory of it.

Names load on first use; importing the package loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES: dict[str, tuple[str, ...]] = {
    # store and recall
    "dynlab.hopfield.network": ("Network",),
    "dynlab.hopfield.patterns": ("Patterns", "flipped", "random_patterns"),
    "dynlab.hopfield.learning": ("Covariance", "Hebb", "PseudoInverse", "Storkey"),
    "dynlab.hopfield.recall": ("Asynchronous", "Glauber", "Recall", "Synchronous"),
    "dynlab.hopfield.energies": (
        "EnergyAlong", "energy", "energy_along", "two_step_energy",
    ),
    "dynlab.hopfield.spurious": ("SpuriousStates", "spurious_states"),
    # steeper energies
    "dynlab.hopfield.dense": ("DenseNetwork", "Exponential", "Power"),
    "dynlab.hopfield.dense_errors": ("WrongBits", "wrong_bits"),
    "dynlab.hopfield.softmax": ("SoftmaxMemory", "SoftmaxRecall"),
    # how many fit, by trials
    "dynlab.hopfield.curves": ("RecallCurve", "recall_curve"),
    "dynlab.hopfield.thermal": ("ThermalRecall", "thermal_recall"),
    "dynlab.hopfield.capacities": ("Capacity", "capacity"),
    "dynlab.hopfield.basin_sizes": ("BasinSize", "basin_size"),
    # in theory
    "dynlab.hopfield.theory": (
        "CriticalLoad", "MeanFieldOverlap", "critical_load", "mean_field_overlap",
    ),
    "dynlab.hopfield.phases": ("PhaseDiagram", "phase_diagram"),
    "dynlab.hopfield.signal_to_noise": (
        "ErrorFree", "error_free_patterns", "one_step_error", "projection_basin", "projection_step",
    ),
}  # fmt: skip

_HOME = {name: module for module, names in _PLACES.items() for name in names}

__all__ = sorted(_HOME, key=str)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        from dynlab.errors import UnknownNameError

        raise UnknownNameError("public name of dynlab.hopfield", name, __all__)
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
