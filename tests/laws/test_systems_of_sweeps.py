"""A sweep says which systems its function used, and is not taken for the sweep of another."""

import functools

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import CheckpointError
from dynlab.status import Status

HENON = zoo.henon(a=1.2)


def by_global(b):
    return HENON(b=b)["b"]


def by_module(rho):
    return zoo.lorenz(rho=rho)["rho"]


def by_longer_path(rho):
    return next(dl.zoo.lorenz(rho=r)["rho"] for r in [rho])


def by_argument(system, rho):
    return system(rho=rho)["rho"]


def of_none(rho):
    return rho


def closed_over(system):
    def inner(rho):
        return system(rho=rho)["rho"]

    return inner


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (by_module, ["lorenz"]),
        (by_longer_path, ["lorenz"]),
        (closed_over(zoo.lorenz), ["lorenz"]),
        (functools.partial(by_argument, zoo.lorenz(sigma=9)), ["lorenz"]),
        (of_none, []),
    ],
    ids=["module", "longer", "closure", "partial", "none"],
)
def test_a_sweep_says_which_system_it_used(tmp_path, function, names):
    found = dl.Sweep(rho=[20.0, 21.0]).run(function)
    system = found.provenance.system
    assert ([] if system is None else [system.name]) == names
    back = dl.load(found.save(tmp_path / "found"))
    assert back.provenance.system == system
    told = back.provenance.settings["systems"]
    assert ("beta=2.66" in told) == bool(names)
    assert "rho=" not in told  # it is what was varied
    if isinstance(function, functools.partial):
        assert "sigma=9.0" in told


def test_systems_on_an_axis_and_several_are_all_told():
    study = dl.Sweep(system=[zoo.lorenz, zoo.lorenz(sigma=9)], rho=[20.0, 21.0])
    found = study.run(by_argument)
    assert found.provenance.system is None  # not one
    assert found.provenance.settings["systems"].count("lorenz(") == 2
    one = dl.Sweep(b=[0.1, 0.2]).run(by_global)
    assert one.provenance.system == HENON
    assert one.provenance.settings["systems"].startswith("henon(a=1.2) ")


def test_files_for_others_name_the_model_and_not_what_was_varied(tmp_path):
    pytest.importorskip("xarray", reason="xarray is not installed (extra 'tables')")
    data = dl.Sweep(rho=[20.0, 21.0]).run(by_module).to_xarray()
    assert data.attrs["model"] == "lorenz"
    assert data.attrs["parameter_sigma"] == 10.0
    assert "parameter_rho" not in data.attrs
    assert "Lorenz 1963" in data.attrs["reference"]


def stopped_after_two(study, function, path):
    def watch(done, total, note):
        if done >= 2:
            raise KeyboardInterrupt

    with dl.observe(watch):
        found = study.run(function, checkpoint=path, seed=1, executor=dl.Serial())
    assert found.status is Status.STOPPED


def test_a_sweep_does_not_go_on_with_that_of_another_system(tmp_path):
    study, path = dl.Sweep(rho=np.arange(20.0)), tmp_path / "kept.npz"
    stopped_after_two(study, closed_over(zoo.lorenz), path)
    with pytest.raises(CheckpointError, match=r"the system differs.*with lorenz\(sigma=10.0"):
        study.run(closed_over(zoo.lorenz(sigma=9)), checkpoint=path, seed=1)
    # The same numbers in other equations are another system, too.
    other = dl.system(
        {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z + 0*x^2 + 1e-3"},
        parameters={"sigma": 10.0, "rho": 28.0, "beta": 8 / 3}, name="lorenz",
    )  # fmt: skip
    with pytest.raises(CheckpointError, match="the system differs"):
        study.run(closed_over(other), checkpoint=path, seed=1)
    whole = study.run(closed_over(zoo.lorenz), checkpoint=path, seed=1)
    assert whole["inner"].tolist() == list(range(20))
    with pytest.raises(CheckpointError, match="not the same system"):
        study.run(closed_over(zoo.lorenz(sigma=9)), checkpoint=path, seed=1)
