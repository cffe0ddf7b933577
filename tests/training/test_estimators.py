"""Estimators against the gradient of the expectation that they estimate."""

import numpy as np
import pytest

import graphc as gc

LOGITS = np.array([0.5, -0.3, 1.2])
COSTS = np.array([1.0, -2.0, 0.5])


def exact_gradient():
    p = np.exp(LOGITS) / np.exp(LOGITS).sum()
    return p * (COSTS - p @ COSTS)


def gumbel(rng, shape):
    return -np.log(-np.log(rng.random(shape)))


def test_samples_have_the_probabilities_of_the_softmax():
    noise, logits = gc.observed("noise", shape=(20000, 3)), gc.observed("logits", shape=3)
    sample = gc.compile_function(
        [logits, noise], gc.categorical_sample(logits + np.zeros((20000, 1)), noise)
    )
    drawn = sample(LOGITS, gumbel(np.random.default_rng(0), (20000, 3)))
    p = np.exp(LOGITS) / np.exp(LOGITS).sum()
    np.testing.assert_allclose(np.bincount(drawn) / 20000, p, atol=0.01)


@pytest.mark.parametrize("baseline", [0.0, 0.3])
def test_reinforce_is_unbiased_and_a_baseline_lowers_its_variance(baseline):
    logits = gc.parameter("logits", shape=3, init=LOGITS)
    action, cost = gc.observed("action", classes=3), gc.observed("cost")
    surrogate = gc.reinforce(gc.categorical_log_prob(logits, action), cost, baseline)
    program = gc.compile(gc.Graph(gc.cost(surrogate, name="C"), name="bandit"))
    rng = np.random.default_rng(1)
    actions = np.argmax(LOGITS + gumbel(rng, (40000, 3)), axis=1)
    _, grads = program.loss_and_grad(program.init_params(), action=actions, cost=COSTS[actions])
    np.testing.assert_allclose(grads.logits, exact_gradient(), atol=0.02)


def test_the_normal_density():
    from scipy.stats import norm

    x, mean, std = (gc.observed(n, shape=3) for n in ("x", "mean", "std"))
    f = gc.compile_function([x, mean, std], gc.normal_log_prob(x, mean, std))
    values = np.array([0.1, -2, 3]), np.array([0.5, 0, 1]), np.array([1, 0.5, 2])
    assert f(*values) == pytest.approx(norm.logpdf(*values).sum(), rel=1e-12)


def test_straight_through():
    x = gc.observed("x", shape=4)
    y = gc.straight_through(np.where(x > 0, 1.0, 0.0), gc.sigmoid(x))
    f = gc.compile_function([x], [y, gc.jacobian(y, x)])
    at = np.array([-1.0, 0.0, 0.5, 3.0])
    value, jacobian = f(at)
    np.testing.assert_allclose(value, [0, 0, 1, 1], atol=1e-15)
    s = 1 / (1 + np.exp(-at))
    np.testing.assert_allclose(jacobian, np.diag(s * (1 - s)), rtol=1e-12)


def test_reward_to_go():
    np.testing.assert_allclose(gc.reward_to_go([1, 2, 3], 0.5), [1 + 1 + 0.75, 3.5, 3])
    ends = [False, True, False]
    np.testing.assert_allclose(gc.reward_to_go([1, 2, 3], 0.5, ends), [2, 2, 3])
    both = gc.reward_to_go(np.ones((4, 2)), ends=np.array([[0, 1], [0, 0], [0, 0], [1, 1]]))
    np.testing.assert_allclose(both, [[4, 1], [3, 3], [2, 2], [1, 1]])
    with pytest.raises(gc.UsageError, match="must have the shape of rewards"):
        gc.reward_to_go([1, 2], ends=[True])


def rosenbrock(x):
    return float((1 - x[0]) ** 2 + 5 * (x[1] - x[0] ** 2) ** 2)


class TestZerothOrder:
    @pytest.mark.parametrize(
        "method, options, limit",
        [
            ("descent", {"lr": 0.02, "steps": 3000}, 1e-6),
            ("spsa", {"a": 0.1, "c": 0.01, "steps": 5000}, 1e-2),
            ("es", {"lr": 0.05, "sigma": 0.05, "steps": 1500}, 1e-2),
            ("nelder-mead", {"steps": 200}, 1e-6),
        ],
    )
    def test_each_method_finds_the_minimum(self, method, options, limit):
        found = gc.minimize(rosenbrock, [-0.5, 0.5], method, **options)
        assert found.fun < limit
        assert found.fun == rosenbrock(found.x)
        assert found.history == sorted(found.history, reverse=True)
        again = gc.minimize(rosenbrock, [-0.5, 0.5], method, **options)
        np.testing.assert_array_equal(found.x, again.x)

    def test_evaluations_are_counted(self):
        calls = []
        gc.minimize(lambda x: calls.append(1) or float(x @ x), np.ones(5), "spsa", steps=10)
        found = gc.minimize(lambda x: float(x @ x), np.ones(5), "spsa", steps=10)
        assert found.evaluations == len(calls) == 22

    def test_differences_are_the_gradient(self):
        x, w = gc.observed("x", shape=3), gc.parameter("w", shape=3, init="ones")
        net = gc.Graph(gc.cost(gc.tanh(w @ x) ** 2, name="C"), name="net")
        program = gc.compile(net)
        f = program.as_scipy(program.init_params(), x=np.random.default_rng(0).random((4, 3)))
        np.testing.assert_allclose(gc.finite_differences(f.loss, f.x0), f.fun(f.x0)[1], rtol=1e-8)

    def test_errors(self):
        with pytest.raises(gc.UsageError, match="unknown method 'newton'; one of descent, spsa"):
            gc.minimize(rosenbrock, [0, 0], "newton")
        with pytest.raises(gc.TrainingError, match="not finite where the search starts"):
            gc.minimize(lambda x: np.nan, [0.0])


class TestReport:
    def test_back_propagation(self):
        x, y = gc.observed("x", shape=3), gc.observed("y", classes=2)
        net = gc.Graph(gc.cross_entropy(gc.Linear(2, name="m")(x), y, name="C"), name="net")
        report = gc.estimators(net)
        assert [item.parameter for item in report] == ["m_w", "m_b"]
        assert all(item.exact for item in report)
        assert "every block on the way has a derivative" in str(report)

    def test_a_choice_cuts(self):
        x, costs = gc.observed("x", shape=3), gc.observed("costs", shape=4)
        scores = gc.Linear(4, name="policy")(x)

        @gc.function
        def choose(s):
            return np.argmax(s, axis=0)

        picked = costs[choose(scores)]
        net = gc.Graph(gc.cost(picked, name="C"), name="net")
        (w, _) = gc.estimators(net)
        assert not w.exact
        names = [name for name, _ in w.estimators]
        assert names == ["straight-through", "REINFORCE", "reparameterisation", "zeroth order"]
        assert "'argmax' in block 'choose1'" in str(w)

    def test_a_part_is_cut(self):
        x, w = gc.observed("x"), gc.parameter("w")
        net = gc.Graph(gc.cost(np.floor(w * x) + w * w, name="C"), name="net")
        (item,) = gc.estimators(net)
        assert not item.exact
        assert item.estimators[0][0] == "back-propagation"
        assert "biased" in item.estimators[0][1]

    def test_no_dependence(self):
        x, w, v = gc.observed("x"), gc.parameter("w"), gc.parameter("v")
        a = gc.cost(w * x, name="A")
        b = gc.cost(v * x, name="B")
        report = gc.estimators(gc.Graph(a, b, name="net"))
        assert {(i.cost, i.parameter): i.exact for i in report} == {
            ("A", "w"): True, ("A", "v"): False, ("B", "w"): False, ("B", "v"): True
        }  # fmt: skip
        assert "does not depend on the parameter" in str(report)

    def test_a_stopped_gradient_is_no_cut(self):
        x, w = gc.observed("x"), gc.parameter("w")
        net = gc.Graph(gc.cost(gc.stop_gradient(w * x) * w, name="C"), name="net")
        (item,) = gc.estimators(net)
        assert item.exact


class TestBlackBox:
    """A cost of which only the value is known."""

    def world(self, vectorized=False):
        x, w = gc.observed("x", shape=2), gc.parameter("w", shape=2, init="ones")

        @gc.function
        def act(x, w):
            return w * x

        action = act(x, w, output="a")

        def measured(a, x):
            return np.abs(a - 1).sum(-1) + x[..., 0]

        hidden = gc.blackbox(measured, action, x, name="C", vectorized=vectorized)
        return gc.Graph(hidden, name="world"), np.arange(6.0).reshape(3, 2)

    @pytest.mark.parametrize("vectorized", [False, True])
    def test_it_is_a_cost_of_its_inputs(self, vectorized):
        net, x = self.world(vectorized)
        (cost,) = net.costs
        assert (cost.name, [v.name for v in cost.inputs]) == ("C", ["a", "x"])
        program = gc.compile(net, wrt=[])
        loss = program.loss(program.init_params(), x=x)
        assert loss == pytest.approx(np.mean(np.abs(x - 1).sum(1) + x[:, 0]))
        flat = program.as_scipy(program.init_params(), x=x)
        found = gc.minimize(flat.loss, flat.x0, "es", steps=100)
        assert found.fun < loss - 0.5
        with pytest.raises(gc.CompileError, match="it has no gradient"):
            flat.fun(flat.x0)

    def test_it_has_no_derivative_and_the_estimators_are_told(self):
        net, _ = self.world()
        with pytest.raises(gc.DerivativeError, match="'C' .* has no derivative.*gc.estimators"):
            gc.compile(net)
        (item,) = gc.estimators(net)
        assert not item.exact
        assert [name for name, _ in item.estimators] == [
            "REINFORCE", "actor-critic", "zeroth order"
        ]  # fmt: skip

    def test_a_discrete_action_does_not_hide_the_box(self):
        logits = gc.parameter("logits", shape=3)
        chosen = np.argmax(logits, axis=0)
        net = gc.Graph(gc.blackbox(lambda a: COSTS[a], chosen, name="C"), name="bandit")
        names = [name for name, _ in gc.estimators(net)[0].estimators]
        assert names == ["REINFORCE", "actor-critic", "zeroth order"]

    def test_reinforce_takes_its_value_alone(self):
        logits = gc.parameter("logits", shape=3, init=LOGITS)
        noise = gc.observed("noise", shape=3)
        action = gc.categorical_sample(logits, noise, output="action")
        hidden = gc.blackbox(lambda a: COSTS[a], action, name="C")
        chance = gc.categorical_log_prob(logits, action)
        net = gc.Graph(gc.cost(gc.reinforce(chance, hidden), name="S"), name="bandit")
        program = gc.compile(net)
        drawn = gumbel(np.random.default_rng(1), (20000, 3))
        _, grads = program.loss_and_grad(program.init_params(), noise=drawn)
        np.testing.assert_allclose(grads.logits, exact_gradient(), atol=0.03)

    def test_errors(self):
        with pytest.raises(gc.UsageError, match="the black box 'C' needs an input"):
            gc.blackbox(lambda: 0.0, name="C")
        with pytest.raises(gc.UsageError, match="blackbox takes a function"):
            gc.blackbox(3, gc.observed("x"))
