"""Games: who moves when, and where that leads."""

import numpy as np
import pytest

import graphc as gc


def bilinear(order, rule=None, style="fast"):
    """min over a, max over b of a·b."""
    a, b = gc.parameter("a", init="ones"), gc.parameter("b", init="ones")
    net = gc.Graph(gc.cost(a * b, name="A"), gc.cost(-a * b, name="B"), name="game")
    rule = rule or gc.sgd(lr=0.1)
    players = (gc.Player("A", [a], rule), gc.Player("B", ["b"], rule))
    return gc.compile(net, step=gc.game(*players, order=order), batch=False, style=style)


def path(program, steps):
    params = program.init_params()
    state = program.init_state(params)
    points = [(float(params.a), float(params.b))]
    for _ in range(steps):
        program.train_step(params, state)
        points.append((float(params.a), float(params.b)))
    return np.array(points)


def expected(order, steps, lr=0.1):
    a, b = 1.0, 1.0
    points = [(a, b)]
    for _ in range(steps):
        if order == "simultaneous":
            a, b = a - lr * b, b + lr * a
        elif order == "alternating":
            a = a - lr * b
            b = b + lr * a
        else:
            ahead, behind = a - lr * b, b + lr * a
            a, b = a - lr * behind, b + lr * ahead
        points.append((a, b))
    return np.array(points)


@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("order", ["simultaneous", "alternating", "extragradient"])
def test_the_steps_are_those_of_the_definition(order, style):
    np.testing.assert_allclose(
        path(bilinear(order, style=style), 50), expected(order, 50), rtol=1e-13, atol=1e-15
    )


def test_plain_descent_circles_and_an_extra_gradient_converges():
    def distance(order):
        return np.linalg.norm(path(bilinear(order), 2000), axis=1)

    plain, turns, extra = map(distance, ("simultaneous", "alternating", "extragradient"))
    assert plain[-1] > 1e3 * plain[0]
    assert 0.5 < turns.min() / turns[0] <= turns.max() / turns[0] < 2
    assert extra[-1] < 1e-3
    assert np.all(np.diff(extra) < 0)


def test_players_with_states_of_their_own():
    adam = path(bilinear("simultaneous", gc.adam(lr=0.1)), 30)
    # By symmetry of Adam in the sign of the gradient, the first step is lr for both.
    np.testing.assert_allclose(adam[1], [0.9, 1.1], rtol=1e-6)
    program = bilinear("extragradient", gc.adam(lr=0.1))
    state = program.init_state(program.init_params())
    assert state._fields == ("step", "a_m", "a_s", "b_m", "b_s")


def test_two_networks_over_samples():
    """A generator and a discriminator: each step lowers its own cost, not the other's."""
    x, z = gc.observed("x", shape=2), gc.observed("z", shape=2)
    generator = gc.Linear(2, name="G")
    judge = gc.Linear(1, name="D")
    fake = generator(z)
    real_score, fake_score = judge(x)[0], judge(fake)[0]
    d = gc.cost(gc.softplus(-real_score) + gc.softplus(fake_score), name="lossD")
    g = gc.cost(gc.softplus(-fake_score), name="lossG")
    net = gc.Graph(d, g, name="gan")
    names = ("G_w", "G_b"), ("D_w", "D_b")
    rule = gc.sgd(lr=0.1)
    program = gc.compile(
        net,
        step=gc.game(gc.Player("lossD", names[1], rule), gc.Player("lossG", names[0], rule)),
    )
    alone = {name: gc.compile(net, cost=name) for name in ("lossD", "lossG")}
    rng = np.random.default_rng(0)
    data = {"x": rng.standard_normal((8, 2)) + 2, "z": rng.standard_normal((8, 2))}
    params = program.init_params(seed=1)
    grads = {}
    for name, one in alone.items():
        own = {known: data[known] for known in one.inputs_per_sample}
        grads[name] = one.loss_and_grad(one.Params(*params), **own)[1]
    before = {name: np.array(value) for name, value in params._asdict().items()}
    program.train_step(params, program.init_state(params), **data)
    for name in params._fields:
        cost = "lossD" if name.startswith("D") else "lossG"
        step = 0.1 * getattr(grads[cost], name)
        np.testing.assert_allclose(getattr(params, name), before[name] - step, rtol=1e-12)


class TestErrors:
    def test_no_players(self):
        with pytest.raises(gc.UsageError, match="a game is made of players"):
            gc.game()

    def test_an_unknown_order(self):
        with pytest.raises(gc.UsageError, match="unknown order 'random'"):
            gc.game(gc.Player("A", ["a"], gc.sgd()), order="random")

    def game(self, *players):
        a, b = gc.parameter("a"), gc.parameter("b")
        net = gc.Graph(gc.cost(a * b, name="A"), gc.cost(-a * b, name="B"), name="game")
        gc.compile(net, step=gc.game(*players), batch=False)

    def test_an_unknown_cost(self):
        with pytest.raises(gc.UsageError, match="no cost 'C' to play for; there are A, B"):
            self.game(gc.Player("C", ["a"], gc.sgd()))

    def test_an_unknown_parameter(self):
        with pytest.raises(gc.UsageError, match="the player of 'A' has no parameter c"):
            self.game(gc.Player("A", ["c"], gc.sgd()))

    def test_two_owners(self):
        with pytest.raises(gc.UsageError, match="'a' belongs to the players of 'A' and 'B'"):
            self.game(gc.Player("A", ["a"], gc.sgd()), gc.Player("B", ["a"], gc.sgd()))
