"""Networks: rules that are bound to a graph, a matrix or sizes before they run."""

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import PerLink, PerNode, flow, iterated_map


@flow
def kuramoto(theta: PerNode[dl.Angle], *, omega: PerNode = 0.0, K=1.0):
    """Phase oscillators, each pulled by the mean of all.

    Kuramoto 1975, Lecture Notes in Physics 39, 420.

    Famous for the onset of synchrony at K = 2 / (pi g(0)), g being the density of frequencies.  On a
    graph write the sum over links instead; here every oscillator sees every other.
    """
    i, j = dl.nodes("i j")
    return {theta[i]: omega[i] + K * dl.Mean(dl.sin(theta[j] - theta[i]), j)}


@flow
def kuramoto_on_graph(
    theta: PerNode[dl.Angle], *, omega: PerNode = 0.0, A: PerLink = 1.0, K=1.0
):  # fmt: skip
    """Phase oscillators, each pulled by its neighbours on a graph.

    Restrepo, Ott and Hunt 2005, Phys. Rev. E 71, 036151.

    Famous for an onset that follows the largest eigenvalue of the graph.
    """
    i, j = dl.nodes("i j")
    return {theta[i]: omega[i] + K * dl.Sum(A[i, j] * dl.sin(theta[j] - theta[i]), j)}


@flow
def ctrnn(y: PerNode, *, W: PerLink = 0.0, tau: PerNode = 1.0, bias: PerNode = 0.0,
          I: PerNode = 0.0):  # fmt: skip
    """Continuous-time recurrent network of sigmoid units.

    Beer 1995, Adaptive Behavior 3, 469, eq 1.

    Famous as the smallest network that does everything: any flow can be approximated by one.
    """
    i, j = dl.nodes("i j")
    return {y[i]: (-y[i] + dl.Sum(W[i, j] * dl.sigmoid(y[j] + bias[j]), j) + I[i]) / tau[i]}


@flow
def hopfield_rates(s: PerNode = 0.1, *, W: PerLink = 0.0, beta=2.0):
    """Graded-response associative memory, in its rates.

    Hopfield 1984, Proc. Natl. Acad. Sci. 81, 3088 (there for the inputs u, with s = tanh(beta u)).

    Famous for its energy: with symmetric weights every run ends at a fixed point.
    """
    i, j = dl.nodes("i j")
    return {s[i]: -s[i] + dl.tanh(beta * dl.Sum(W[i, j] * s[j], j))}


@flow
def hopfield_inputs(u: PerNode = 0.1, *, W: PerLink = 0.0, I: PerNode = 0.0, beta=2.0):
    """Graded-response associative memory, in its inputs.

    Hopfield 1984, Proc. Natl. Acad. Sci. 81, 3088, eq 5, with equal time constants.

    Famous as the electric circuit of amplifiers that finds a minimum of its energy.
    """
    i, j = dl.nodes("i j")
    return {u[i]: -u[i] + dl.Sum(W[i, j] * dl.tanh(beta * u[j]), j) + I[i]}


@flow
def softmax_memory(
    x: PerNode("feature") = 0.1, *, X: PerLink("pattern", "feature") = 0.0,
    Y: PerLink("feature", "pattern") = 0.0, beta=1.0,
):  # fmt: skip
    """Memory of real vectors that attends to the nearest pattern.

    Ramsauer et al. 2021, ICLR, arXiv:2008.02217, eq 3 (there in steps); Krotov and Hopfield 2021, ICLR.

    Famous because its step is the attention of transformers. X holds a pattern in each row, Y is its
    transpose; ``hopfield.SoftmaxMemory(patterns, beta).system`` binds both.
    """
    i, k, m = dl.nodes("i k m")
    pull = dl.each(k, dl.exp(beta * dl.Sum(X[k, i] * x[i], i)))
    return {x[i]: -x[i] + dl.Sum(Y[i, k] * pull[k], k) / dl.Sum(pull[m], m)}


@flow
def rate_network(x: PerNode = 0.1, *, J: PerLink = 0.0, g=1.5):
    """Random rate network.

    Sompolinsky, Crisanti and Sommers 1988, Phys. Rev. Lett. 61, 259.

    Famous for the passage to chaos at g = 1 when the weights are random of variance 1/N.
    """
    i, j = dl.nodes("i j")
    return {x[i]: -x[i] + g * dl.Sum(J[i, j] * dl.tanh(x[j]), j)}


@flow
def excitation_inhibition(
    E: PerNode("exc") = 0.1, I: PerNode("inh") = 0.1,
    *, WEE: PerLink("exc", "exc") = 1.0, WEI: PerLink("exc", "inh") = 1.0,
    WIE: PerLink("inh", "exc") = 1.0, WII: PerLink("inh", "inh") = 1.0,
    cEE=16.0, cEI=12.0, cIE=15.0, cII=3.0, P=1.25, Q=0.0, aE=1.3, hE=4.0, aI=2.0, hI=3.7,
):  # fmt: skip
    """Two populations of rate units, one exciting and one inhibiting.

    Wilson and Cowan 1972, Biophys. J. 12, 1, eqs 11-12, here with many units in each population.

    With one unit in each, or with equal means over all links, it is their two equations.
    """
    i, j, k, m = dl.nodes("i j k m")
    drive_E = cEE * dl.Mean(WEE[i, j] * E[j], j) - cEI * dl.Mean(WEI[i, k] * I[k], k) + P
    drive_I = cIE * dl.Mean(WIE[m, j] * E[j], j) - cII * dl.Mean(WII[m, k] * I[k], k) + Q
    rest_E, rest_I = dl.sigmoid(-aE * hE), dl.sigmoid(-aI * hI)
    response_E = dl.sigmoid(aE * (drive_E - hE)) - rest_E
    response_I = dl.sigmoid(aI * (drive_I - hI)) - rest_I
    return {
        E[i]: -E[i] + (1 - rest_E - E[i]) * response_E,
        I[m]: -I[m] + (1 - rest_I - I[m]) * response_I,
    }


@flow
def sir_on_graph(
    S: PerNode = 0.99, I: PerNode = 0.01, R: PerNode = 0.0, *, A: PerLink = 1.0, beta=0.5, gamma=0.25
):  # fmt: skip
    """Epidemic on a contact network, individual by individual in mean field.

    Youssef and Scoglio 2011, J. Theor. Biol. 283, 136.

    Famous for the threshold beta / gamma = 1 / (largest eigenvalue of the contacts).
    """
    i, j = dl.nodes("i j")
    force = beta * dl.Sum(A[i, j] * I[j], j)
    return {S[i]: -S[i] * force, I[i]: S[i] * force - gamma * I[i], R[i]: gamma * I[i]}


@flow
def consensus(x: PerNode, *, A: PerLink = 1.0):
    """Linear diffusion of opinions on a graph.

    DeGroot 1974, J. Am. Stat. Assoc. 69, 118 (there in steps).

    On a connected undirected graph everyone ends at the mean of the start, at the rate of the second
    smallest eigenvalue of the graph's Laplacian.
    """
    i, j = dl.nodes("i j")
    return {x[i]: dl.Sum(A[i, j] * (x[j] - x[i]), j)}


@flow
def gradient_units(x: PerNode = 0.1, *, lam=0.5, k=0.2):
    """Linear units that fall back to rest and pull each other together.

    Tabareau, Slotine and Pham 2010, PLoS Comput. Biol. 6, e1000637.

    Famous for noise that synchrony averages away.  With noise of amplitude s of its own in each of n units, the
    variance of their mean is ``s^2 / (2 lam n)``, and that of one about the mean ``s^2 (1 - 1/n) / (2 (lam + k n))``.
    """
    i, j = dl.nodes("i j")
    return {x[i]: -lam * x[i] + k * dl.Sum(x[j] - x[i], j)}


@flow
def flock(
    x: PerNode = 0.0, y: PerNode = 0.0, u: PerNode = 0.0, v: PerNode = 0.0, *, K=1.0, beta=0.3, d=1.0
):  # fmt: skip
    """Birds in a plane, each taking up the velocities of the others, of the near ones sooner.

    Cucker and Smale 2007, IEEE Trans. Autom. Control 52, 852.

    Famous for a proof that all end with one velocity, whatever the start, if influence falls off slowly: for
    beta < 1/2.  Above, birds that part fast enough never meet again.  d is the distance at which it begins to fall off.
    """
    i, j = dl.nodes("i j")
    heard = 1 / (1 + ((x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2) / d**2) ** beta
    return {
        x[i]: u[i],
        y[i]: v[i],
        u[i]: K * dl.Mean(heard * (u[j] - u[i]), j),
        v[i]: K * dl.Mean(heard * (v[j] - v[i]), j),
    }


@flow
def layered_network(
    y: PerNode("output"), *, V: PerLink("output", "hidden") = 0.0,
    W: PerLink("hidden", "input") = 0.0, u: PerNode("input") = 1.0, bias: PerNode("hidden") = 0.0,
    tau=1.0, rate=1.0,
):  # fmt: skip
    """A layer of leaky outputs behind a hidden layer that follows its input at once.

    Rumelhart, Hinton and Williams 1986, Nature 323, 533 (the layers; there without time).

    The input is a wave that reaches each input unit with its own strength u.
    """
    i, j, k = dl.nodes("i j k")
    hidden = dl.each(j, dl.tanh(dl.Sum(W[j, k] * u[k] * dl.sin(rate * dl.t), k) + bias[j]))
    return {y[i]: (-y[i] + dl.Sum(V[i, j] * hidden[j], j)) / tau}


@iterated_map
def coupled_map_lattice(x: PerNode = 0.3, *, A: PerLink = 1.0, r=4.0, epsilon=0.3):
    """Logistic maps that mix with the mean of their neighbours.

    Kaneko 1984, Prog. Theor. Phys. 72, 480.

    Famous for turbulence in space and time from a rule of one line. On a ring it is his lattice, all to
    all his globally coupled maps.
    """
    i, j = dl.nodes("i j")
    return {
        x[i]: (1 - epsilon) * r * x[i] * (1 - x[i])
        + epsilon * dl.Mean(A[i, j] * r * x[j] * (1 - x[j]), j)
    }


_i, _j = dl.nodes("i j")


@flow(time="ms")
def izhikevich_cells(
    v: PerNode = -65.0, u: PerNode = -13.0, g: PerNode = 0.0,
    *, w: PerLink = 0.5, I: PerNode = 0.0, a=0.02, b=0.2, tau=5.0,
):  # fmt: skip
    """Cells of Izhikevich with a synaptic current that decays."""
    return {
        v[_i]: 0.04 * v[_i] ** 2 + 5 * v[_i] + 140 - u[_i] + I[_i] + g[_i],
        u[_i]: a * (b * v[_i] - u[_i]),
        g[_i]: -g[_i] / tau,
    }


@izhikevich_cells.with_event(
    when=lambda v: v[_i] - 30, direction=+1, name="spike",
    deliver=lambda g, w: {g[_i]: g[_i] + w[_i, _j]},
)  # fmt: skip
def izhikevich_network(v, u, *, c=-65.0, d=8.0):
    """Spiking cells on a graph, each spike a current in the cells that it leads to.

    Izhikevich 2003, IEEE Trans. Neural Netw. 14, 1569, eqs 1-3 (cells); synapses of decaying current.

    Famous for firing patterns of many kinds at the cost of two equations a cell. Bind it to a graph; run thousands
    of cells with `dynlab.Clocked`.
    """
    return {v[_i]: c, u[_i]: u[_i] + d}
