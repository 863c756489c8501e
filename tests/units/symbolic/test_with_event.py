"""with_event and with_switch: what is read, what is refused, what is kept."""

import pickle

import pytest
import sympy

import dynlab as dl
from dynlab import zoo
from dynlab.symbolic.events import in_leg
from dynlab.symbolic.system import System


@dl.flow(time="ms")
def membrane(V=0.0, w=0.0, *, I=2.0, theta=1.0):
    """A membrane."""
    return {V: I - V - w, w: -w}


@membrane.with_event(when=lambda V, theta: V - theta, direction=+1, name="spike")
def cell(V, w, *, theta=0.5, b=0.1):
    """A cell."""
    return {V: 0, w: w + b}


def again(function=lambda V: {V: 0}, **settings):
    return membrane.with_event(**{"when": lambda V: V - 1, **settings})(function)


def test_an_event_is_what_was_written():
    (event,) = cell.events
    assert (event.name, event.direction, event.held, event.refractory) == ("spike", 1, (), None)
    assert str(event.guard) == "V - theta"
    assert [(s, str(e)) for s, e in event.reset] == [("V", "0"), ("w", "b + w")]
    assert cell.name == "cell"
    assert cell.reference == "A cell."
    # A parameter that is there takes the value written; a new one is added.
    assert cell.parameter_names == ("I", "theta", "b")
    assert (cell["theta"], cell["b"], cell["I"]) == (0.5, 0.1, 2.0)
    assert cell.event_names == ("spike",)


def test_several_events_stand_in_the_order_of_the_decorators():
    twice = cell.with_event(when=lambda w: w - 3)(lambda w: {w: 0})
    thrice = twice.with_switch(calm=lambda V: V)
    assert thrice.event_names == ("spike", "event_2", "calm")
    assert thrice.name == "cell"
    assert thrice.events[2].reset == ()
    assert again(lambda V: {}).events[0].reset == ()


def test_what_a_refractory_time_holds():
    assert again(refractory=lambda: 2).events[0].held == ("V",)
    assert again(refractory=lambda theta: theta, held=["w"]).events[0].held == ("w",)
    assert again(refractory=lambda: 2, held=[]).events[0].held == ()


def test_events_are_part_of_what_a_system_is():
    other = membrane.with_event(when=lambda V, theta: V - theta, direction=-1, name="spike")(
        lambda V, w, *, theta=0.5, b=0.1: {V: 0, w: w + b}
    )
    same = membrane.with_event(when=lambda V, theta: V - theta, direction=+1, name="spike")(
        lambda V, w, *, theta=0.5, b=0.1: {V: 0, w: w + b}
    )
    assert same == cell
    assert hash(same) == hash(cell)
    assert other != cell
    assert membrane(theta=0.5) != cell
    # The flow is the same, so it shares compiled code with its like.
    assert same.rule_hash == other.rule_hash


def test_events_are_stored_and_old_files_are_read(tmp_path):
    system = cell.with_event(when=lambda w: w - 9, refractory=lambda b: 2 * b)(lambda w: {w: 0})
    again = dl.load(system.save(tmp_path / "cell"))
    assert again == system
    assert again.events == system.events
    assert pickle.loads(pickle.dumps(system)) == system
    old = membrane.__stored__()
    del old["events"]
    assert System.__restored__(old) == membrane


@pytest.mark.parametrize(
    "damage",
    [
        {"guard": sympy.Symbol("q", real=True)},
        {"direction": 2},
        {"reset": (("q", sympy.S.Zero),)},
        {"held": ("V",)},
    ],
)
def test_a_stored_event_is_checked_again(damage):
    import dataclasses

    event = dataclasses.replace(cell.events[0], **damage)
    with pytest.raises(dl.DefinitionError):
        dataclasses.replace(cell, events=(event,))


def test_what_is_shown():
    assert "spike: V - theta rises through 0: V -> 0, w -> b + w" in repr(cell)
    latex = cell._repr_latex_()
    assert r"V - \theta &\uparrow 0:\quad V \mapsto 0,\; w \mapsto b + w" in latex
    assert r"\text{calm}" in cell.with_switch(calm=lambda V: V)._repr_latex_()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: again(direction=2), dl.DefinitionError, r"direction of event 'event'.*\+1"),
        (lambda: again(direction=True), dl.DefinitionError, "direction"),
        (lambda: again(when=lambda theta: theta), dl.DefinitionError, "depends on no state"),
        (lambda: again(when=lambda v: v), dl.UnknownNameError, "Did you mean|Known: V"),
        (lambda: again(when=3), dl.DefinitionError, "not a function"),
        (lambda: again(lambda v: {v: 0}), dl.UnknownNameError, "positional argument.*Known: V, w"),
        (lambda: again(lambda V, *, c: {V: c}), dl.DefinitionError, "'c'.*has no value"),
        (lambda: again(lambda *, V=1.0: {}), dl.DuplicateNameError, "'V'.*is a state"),
        (lambda: again(lambda V: 0), dl.DefinitionError, "return a dict"),
        (lambda: again(lambda V: {V + 1: 0}), dl.DefinitionError, "not a state"),
        (lambda: again(lambda V: {V: "zero"}), dl.DefinitionError, "not an expression"),
        (lambda: again(lambda V: {V: 0 if V > 0 else 1}), dl.DefinitionError, "dl.where"),
        (lambda: again(lambda *V: {}), dl.DefinitionError, "name each state"),
        (lambda: again(3), dl.DefinitionError, "defined by a function"),
        (lambda: again(name="1st"), dl.DefinitionError, "not a valid name"),
        (lambda: again(held=["V"]), dl.DefinitionError, "for no time"),
        (lambda: again(refractory=lambda: 1, held=["q"]), dl.UnknownNameError, "'q'"),
        (lambda: again(refractory=lambda V: V), dl.DefinitionError, "parameters only"),
        (lambda: cell.with_switch(spike=lambda V: V), dl.DuplicateNameError, "two events"),
        (
            lambda: zoo.logistic.with_event(when=lambda x: x - 0.5)(lambda x: {x: 0}),
            dl.UnsupportedSystemError,
            "is a map",
        ),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("write", "above", "below"),
    [
        (lambda q: dl.sign(q), "1", "-1"),
        (lambda q: dl.sign(-2 * q), "-1", "1"),
        (lambda q: dl.heaviside(3 * q), "1", "0"),
        (lambda q: dl.abs(q), "V - theta", "-V + theta"),
        (lambda q: dl.where(q > 0, 5, 7), "5", "7"),
        (lambda q: dl.where(q <= 0, 5, 7), "7", "5"),
        (lambda q: dl.max(q, 0), "V - theta", "0"),
        (lambda q: dl.min(q, 0), "0", "V - theta"),
        (lambda q: dl.sign(q + 1), "sign(V - theta + 1)", "sign(V - theta + 1)"),
    ],
)
def test_between_two_events_the_side_of_a_surface_is_decided(write, above, below):
    @dl.flow
    def jumping(V=0.0, *, theta=1.0):
        return {V: write(V - theta)}

    system = jumping.with_switch(surface=lambda V, theta: V - theta)
    for side, expected in ((1, above), (-1, below)):
        (rate,) = in_leg(system, frozenset(), (side,)).rule
        assert sympy.simplify(rate - sympy.sympify(expected, {n.name: n for n in rate.free_symbols}
                              or {})) == 0 or str(rate) == expected  # fmt: skip
    assert in_leg(system, frozenset(), (0,)) is system
    assert in_leg(system, frozenset({"V"}), (0,)).rule == (0,)


def test_a_phase_takes_the_place_of_the_time_in_events_too():
    @dl.flow
    def falling(x=1.0, v=0.0, *, g=1.0, A=0.1, omega=2.0):
        return {x: v, v: -g}

    @falling.with_event(
        when=lambda x, A, omega: x - A * dl.sin(omega * dl.t), direction=-1, name="hit"
    )
    def ball(x, v, *, A=0.1, omega=2.0):
        return {v: -v + 2 * A * omega * dl.cos(omega * dl.t)}

    timed = dl.integrate(ball, duration=20)
    turned = dl.integrate(ball.with_phase(theta="omega"), duration=20)
    assert len(timed.events["hit"]) > 3
    # Each hit magnifies what rounding and the error of a step (1e-9) left.
    assert turned.events["hit"].times == pytest.approx(timed.events["hit"].times, rel=1e-7)
