"""Models in the language of XPPAUT, against the zoo; what is not read is named with its line."""

import time

import numpy as np
import pytest
import sympy

import dynlab as dl
from dynlab import zoo
from dynlab.errors import DuplicateNameError, DynlabError, TextError, UnsupportedSystemError
from dynlab.symbolic.tree import symbol

HODGKIN_HUXLEY = """
# Squid axon
# the usual set
number C=1, Pi_0=3
par I0=0 gNa=120,gk=36  , gl=.3
par Ena=50, ek=-77 el=-54.4
par I=0
init V=-65,M=.053
h(0)=0.596
i n=0.318
am(v)=.1*(v+40)/(1-exp(-(v+40)/10))
bm(v)=4*exp(-(v+65)/18)
ah(v)=.07*exp(-(v+65)/20)
bh(v)=1/(1+exp(-(v+35)/10))
an(v)=.01*(v+55)/(1-exp(-(v+55)/10))
bn(v)=.125*exp(-(v+65)/80)
ina=gna*m^3*h*(v-ena)
ik=gk*n^4*(v-ek)
v'=(i - ina - ik \\
   - gl*(v-el))/c
dm/dt=gate(am(v),bm(v),m)
dh/dt = gate(ah(v),bh(v),h)
n' = gate(an(v),bn(v),n)
gate(a,b,x)=a*(1-x)-b*x
aux Isodium=ina
@ total=200,dt=.02,meth=cvode
@ xlo=0,xhi=200
done
this is never read
"""

MORRIS_LECAR = """
p gca=4.4,vk=-84,vl=-60,iapp=0,gk=8,gl=2,c=20
p v1=-1.2,v2=18,v3=2,v4=30,phi=.04,vca=120
minf(v)=.5*(1+tanh((v-v1)/v2))
winf=.5*(1+tanh((v-v3)/v4))
tauw=1/cosh((v-v3)/(2*v4))
v'=(iapp-gca*minf(v)*(v-vca)-gk*w*(v-vk)-gl*(v-vl))/c
w'=phi*(winf-w)/tauw
v(0)=-60
w(0)=.015
done
"""

WILSON_COWAN = """
p P=1.25,Q=0,c1=16,c2=12,c3=15,c4=3,a_e=1.3,theta_e=4,a_i=2,theta_i=3.7,r=1,tau=1
init E=.1,I=.05
s(x,a,th)=1/(1+exp(-a*(x-th)))-1/(1+exp(a*th))
k(a,th)=1-1/(1+exp(a*th))
E'=(-E+(k(a_e,theta_e)-r*E)*s(c1*E-c2*I+P,a_e,theta_e))/tau
I'=(-I+(k(a_i,theta_i)-r*I)*s(c3*E-c4*I+Q,a_i,theta_i))/tau
done
"""

LORENZ = """
par s=10,r=28
!b=8/3.0
x'=s*(y-x)
y'=x*(r-z)-y
z'=x*y-b*z
init x=1,y=1,z=1
"""


def rate(system, values):
    """Evaluate the rule exactly where the values say, digit by digit."""
    swap = {symbol(n): sympy.Float(v, 30) for n, v in values.items()}
    return [float(e.subs(swap).evalf(20)) for e in system.rule]


@pytest.mark.parametrize(
    ("text", "model", "renamed"),
    [
        (HODGKIN_HUXLEY, zoo.hodgkin_huxley, {"V": "V", "m": "M", "ENa": "Ena", "gK": "gk", "gL": "gl",
                                             "EK": "ek", "EL": "el"}),
        (MORRIS_LECAR, zoo.morris_lecar, {"I": "iapp", "V": "v"}),
        (WILSON_COWAN, zoo.wilson_cowan, {}),
        (LORENZ, zoo.lorenz, {"sigma": "s", "rho": "r"}),
    ],
    ids=["hodgkin_huxley", "morris_lecar", "wilson_cowan", "lorenz"],
)  # fmt: skip
def test_files_as_people_write_them_are_the_models_of_the_zoo(text, model, renamed):
    read = dl.from_ode(text)
    lower = {n.lower(): n for n in read.state_names + read.parameter_names}

    def theirs(name):
        return renamed.get(name, lower.get(name.lower(), name))

    assert read.start_values == pytest.approx(model.start_values, abs=0)
    values = {n: model[n] for n in model.parameter_names}
    for name in set(map(theirs, values)) & set(read.parameter_names):
        assert read[name] in {v for n, v in values.items() if theirs(n) == name}
    rng = np.random.default_rng(3)
    for _ in range(10):
        state = dict(zip(model.state_names, rng.normal(size=len(model.states)) * 3, strict=True))
        here = {theirs(n): v for n, v in (values | state).items()}
        # Two ways to write one number differ by a few roundings of its parts.
        assert rate(read, here) == pytest.approx(rate(model, values | state), rel=1e-13, abs=1e-12)


def test_singularities_of_a_file_are_removed():
    assert str(dl.from_ode(HODGKIN_HUXLEY).rule[1]).count("bernoulli") == 1


def test_what_is_kept_and_what_is_left_out():
    read = dl.from_ode(HODGKIN_HUXLEY)
    assert read.observable_names == ("Isodium",)
    assert read.reference == (
        "Squid axon\nthe usual set\n"
        "Settings of XPPAUT left out: total=200, dt=.02, meth=cvode, xlo=0, xhi=200."
    )
    assert "gNa" in read.parameter_names  # as where it first stands
    assert "gna" not in read.parameter_names


def test_maps():
    for text in (
        "par r=3.7\nx(t+1)=r*x*(1-x)\ninit x=.3",
        "par r=3.7\nx'=r*x*(1-x)\nx(0)=.3\n@ meth=discrete",
    ):
        assert dl.from_ode(text) == zoo.logistic


def one(text, **given):
    return dl.from_ode(f"par a=2,b=3\nx'={text}").rule[0]


def test_functions_and_logic():
    x, a, b = map(symbol, "xab")
    assert one("ln(x)+log(x)") == 2 * dl.log(x)
    assert one("log10(x)") == dl.log(x) / dl.log(10)
    assert one("flr(x)-ceil(x)") == dl.floor(x) + dl.floor(-x)
    assert one("heav(x)") == dl.where(x >= 0, 1, 0)  # heav(0) is 1 there
    assert one("mod(x,a)+max(x,a)+min(x,b)+sign(x)+abs(x)") == (
        dl.mod(x, a) + dl.max(x, a) + dl.min(x, b) + dl.sign(x) + dl.abs(x)
    )
    assert one("erfc(x)+atan2(x,a)") == 1 - dl.erf(x) + dl.atan2(x, a)
    assert one("if(x>1)then(a)else(b)") == dl.where(x > 1, a, b)
    assert one("IF (x>1) THEN (if(x>2)then(a)else(3)) ELSE (b*(1+x))") == dl.where(
        x > 1, dl.where(x > 2, a, 3), b * (1 + x)
    )
    assert one("if(x>1&x<2|x==3)then(a)else(b)").subs(x, 3) == a
    assert one("a*(x>1)") == a * dl.where(x > 1, 1, 0)
    assert one("if(x)then(1)else(0)") == dl.where(sympy.Ne(x, 0), 1, 0)
    assert one("not(x>1)*b").subs(x, 0) == b
    assert one("t*pi+x^a^b") == dl.t * sympy.pi + x ** (a**b)


def test_arrays_are_written_out():
    ring = dl.from_ode("par k=2\nx0=1\nx[1..3]'=-k*x[j]+x[j-1]\nx[1..3](0)=.5\naux y[1..2]=x[j+1]")
    assert ring.state_names == ("x1", "x2", "x3")
    assert ring.start_values == (0.5, 0.5, 0.5)
    x1, x2, k = map(symbol, ("x1", "x2", "k"))
    assert ring.rule[:2] == (1 - k * x1, x1 - k * x2)
    assert ring.observables[1].expression == symbol("x3")


def test_names():
    """No case, words of Python, and spellings that stay apart."""
    read = dl.from_ode("par Lambda=2,in=3,eXp_1=4\nX'=-lambda*x+IN*EXP_1")
    assert read.parameter_names == ("Lambda", "in_", "eXp_1")
    assert read.state_names == ("X",)
    assert dl.from_ode("par lambda=2, lambda_=3\nx'=lambda+lambda_").parameter_names == (
        "lambda_", "lambda__",
    )  # fmt: skip
    both = dl.system(
        {"V": "v - V + E*e", "v": "exp_*ln"},
        parameters={"E": 1, "e": 2, "exp_": 1, "ln": 3, "β": 1},
    )
    text = dl.to_ode(both)
    assert "# v_1 stands for v" in text
    assert dl.from_ode(text) == both


def test_numbers_may_be_arithmetic():
    read = dl.from_ode("par a=2*3^2, b=-1e-3, c=sqrt(4)/8\nx'=a+b+c\nx(0)=pi/2")
    assert read.parameter_values == (18.0, -0.001, 0.25)
    assert read.start_values == (np.pi / 2,)


def refused(text, kind, *parts):
    began = time.thread_time()
    with pytest.raises(DynlabError) as caught:
        dl.from_ode(text)
    assert time.thread_time() - began < 0.2
    assert type(caught.value) is kind, str(caught.value)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("wiener w", "noise (wiener)"), ("w z", "noise (wiener)"), ("markov z 2", "Markov variables"),
        ("table f file.tab", "tables"), ("global 1 x-1 {x=0}", "events (global)"),
        ("x(t)=exp(-t)+int{x}", "Volterra equations"), ("volt x=int{x}", "Volterra equations"),
        ("0=x^2-y", "algebraic equations"), ("solv y=1", "algebraic equations"),
        ("bdry x-1", "boundary conditions"), ("b x-1", "boundary conditions"),
        ("special k=conv(even,10,2,w,x)", "networks (special)"), ("#include other.ode", "included files"),
        ("z=del_shft(x,2,1)", "shifted delays"), ("z=ran(1)", "random numbers"), ("z=normal(0,1)", "random numbers"),
        ("z=int{x}", "Volterra integrals"), ("z=int[.5]{x}", "Volterra integrals"),
        ("z=sum(0,9)of(x)", "sums over an index"), ("z=shift(x,1)", "shifted names"),
        ("z=besselj(0,x)", "Bessel functions"), ("y[1..3]=x[j*2]", "the index [j*2]"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named_with_its_line(line, what):
    refused(f"par a=1\n{line}\nx'=-a*x\n", UnsupportedSystemError, what, "line 2")


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("", TextError, ("no equations",)),
        ("par a=1", TextError, ("no equations",)),
        ("hello world", TextError, ("line 1 cannot be understood", "'hello world'")),
        ("x'=-x\n\nx'=x", DuplicateNameError, ("line 3", "'x' twice")),
        ("X'=-x\npar x=1", DuplicateNameError, ("line 2", "'X' twice")),
        ("x'=-x\ny(0)=1", TextError, ("line 2", "'y' has a start and no equation")),
        ("x'=-x\npar a=b", DynlabError, ("'b'", "line 2")),
        ("x'=-x\npar a", TextError, ("line 2 cannot be understood",)),
        ("x'=-x\npar a=", TextError, ("line 2", "'a' is missing")),
        ("x'=-x\npar a=1e999", TextError, ("line 2", "not representable")),
        ("x'=-x\npar a=t", TextError, ("line 2", "no number")),
        ("x'=if(x>1)then 2 else 3", TextError, ("line 1", "then has no bracket")),
        ("x'=2x", TextError, ("line 1", "Write 2*x", "column 2")),
        ("x'=x.real", TextError, ("attribute access", "line 1")),
        ("x'=__import__('os')", TextError, ("unknown function '__import__'", "line 1")),
        ("f(x)=f(x)\nx'=f(x)", TextError, ("need each other", "'f'")),
        ("f(x)=g(x)\ng(x)=f(x)\nx'=f(x)", TextError, ("need each other",)),
        ("f(x)=x\nf(x)=2*x\nx'=f(x)", TextError, ("line 2", "exists already")),
        ("exp(x)=x\nx'=x", TextError, ("line 1", "exists already")),
        ("f(x,x)=x\nx'=f(x)", TextError, ("line 1 cannot be understood",)),
        ("f(x)=x\nx'=f(x,2)", TextError, ("f takes 1 argument", "line 2")),
        ("a=b\nb=a\nx'=a", TextError, ("need each other", "'a'")),
        ("x[3..1]'=x", TextError, ("line 1", "from 3 to 1 is empty")),
        ("x[1..99999]'=x", TextError, ("line 1", "longer than 500")),
        ("x'=-x\n" * 100_000, TextError, ("characters",)),
        ("x[0..499]'=" + "+".join(["x[j]"] * 900), TextError, ("too long",)),
        ("f(u)=" + "+".join(["u"] * 12) + "\nx'=" + "f(" * 40 + "x" + ")" * 40, TextError, ("nodes",)),
        ("\n".join(f"f{k}(u)=f{k + 1}(u)+1" for k in range(2000)) + "\nf2000(u)=u\nx'=f0(x)",
         TextError, ("model",)),
        ("par " + "a" * 19_000, TextError, ("line 1",)),
        ("a = " + "a" * 19_000, TextError, ("no equations",)),
    ],
    ids=range(30),
)  # fmt: skip
def test_mistakes_are_named_with_their_line(text, kind, parts):
    if kind is DynlabError:
        with pytest.raises(DynlabError) as caught:
            dl.from_ode(text)
        assert all(part in str(caught.value) for part in parts), str(caught.value)
    else:
        refused(text, kind, *parts)


def test_delays_are_read_and_written():
    text = "par tau=2\nx'=-x+delay(X,tau)^2/2-delay(x,2*tau)\ninit x=0.5\n@ delay=5\ndone\n"
    found = dl.from_ode(text)
    assert [(lag.state, str(lag.delay)) for lag in found.delays] == [("x", "2*tau"), ("x", "tau")]
    once = dl.to_ode(found)
    assert "@ delay=4.0" in once
    assert dl.from_ode(once).rule == found.rule
    with pytest.raises(DynlabError, match="Delay the states in it"):
        dl.from_ode("x'=-delay(x^2,1)")
