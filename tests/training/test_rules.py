"""Update rules against torch.optim, and what a step promises: in place, fused, both styles."""

import numpy as np
import pytest

import graphc as gc

RNG = np.random.default_rng(3)
X, Y = RNG.standard_normal((12, 4)), RNG.integers(0, 3, 12)

RULES = {
    "sgd": (gc.sgd(lr=0.1), "SGD", {"lr": 0.1}),
    "weight decay": (
        gc.sgd(lr=0.1, weight_decay=0.01),
        "SGD",
        {"lr": 0.1, "weight_decay": 0.01},
    ),
    "momentum": (gc.sgd(lr=0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
    "dampening": (
        gc.sgd(lr=0.1, momentum=0.9, dampening=0.3),
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    ),
    "nesterov": (
        gc.sgd(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    "adagrad": (
        gc.adagrad(lr=0.1, lr_decay=0.01, weight_decay=0.01),
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.01},
    ),
    "adadelta": (
        gc.adadelta(lr=1.0, rho=0.8, weight_decay=0.01),
        "Adadelta",
        {"lr": 1.0, "rho": 0.8, "weight_decay": 0.01},
    ),
    "rmsprop": (gc.rmsprop(lr=0.01), "RMSprop", {"lr": 0.01}),
    "rmsprop, centered": (
        gc.rmsprop(lr=0.01, momentum=0.9, centered=True, weight_decay=0.1),
        "RMSprop",
        {"lr": 0.01, "momentum": 0.9, "centered": True, "weight_decay": 0.1},
    ),
    "adam": (gc.adam(lr=0.05), "Adam", {"lr": 0.05}),
    "adam, all options": (
        gc.adam(lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
        "Adam",
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1},
    ),
    "adamw": (
        gc.adamw(lr=0.05, weight_decay=0.1),
        "AdamW",
        {"lr": 0.05, "weight_decay": 0.1},
    ),
    "adamax": (gc.adamax(lr=0.05), "Adamax", {"lr": 0.05}),
}


def network():
    x, y = gc.observed("x", shape=4), gc.observed("y", classes=3)
    z = gc.tanh(gc.Linear(5, name="m0")(x))
    return gc.Graph(gc.cross_entropy(gc.Linear(3, name="m1")(z), y, name="C"), name="net")


def torch_run(torch, start, optimiser, options, steps, max_norm=None):
    params = [torch.tensor(p, requires_grad=True) for p in start]
    stepper = getattr(torch.optim, optimiser)(params, **options)
    x, y = torch.tensor(X), torch.tensor(Y)
    losses = []
    for _ in range(steps):
        stepper.zero_grad()
        w0, b0, w1, b1 = params
        scores = torch.tanh(x @ w0.T + b0) @ w1.T + b1
        loss = torch.nn.functional.cross_entropy(scores, y)
        loss.backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(params, max_norm)
        stepper.step()
        losses.append(loss.item())
    return losses, [p.detach().numpy() for p in params]


def graphc_run(rule, steps, style="fast", dtype="float64"):
    program = gc.compile(network(), step=rule, style=style, dtype=dtype)
    params = program.init_params(seed=5)
    start = [np.array(p) for p in params]
    state = program.init_state(params)
    losses = [program.train_step(params, state, x=X, y=Y) for _ in range(steps)]
    return start, losses, list(params), state


@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_that_of_torch(torch, name, style):
    rule, optimiser, options = RULES[name]
    start, losses, params, _ = graphc_run(rule, 100, style)
    their_losses, theirs = torch_run(torch, start, optimiser, options, 100)
    np.testing.assert_allclose(losses, their_losses, rtol=1e-12)
    for ours, expected in zip(params, theirs, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_clipping_is_that_of_torch(torch, style):
    rule = gc.chain(gc.clip_by_norm(max_norm=0.1), gc.adam(lr=0.05))
    start, losses, params, _ = graphc_run(rule, 100, style)
    their_losses, theirs = torch_run(torch, start, "Adam", {"lr": 0.05}, 100, max_norm=0.1)
    np.testing.assert_allclose(losses, their_losses, rtol=1e-12)
    for ours, expected in zip(params, theirs, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


def test_an_own_rule_in_three_lines():
    @gc.update_rule
    def heavy_ball(w, g, *, v=gc.State("zeros"), lr=0.1, momentum=0.9):
        v = momentum * v + g
        return w - lr * v, v

    own = graphc_run(heavy_ball(), 30)
    known = graphc_run(gc.sgd(lr=0.1, momentum=0.9), 30)
    assert own[1] == known[1]
    for a, b in zip(own[2], known[2], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_the_same_arrays_are_updated(style):
    program = gc.compile(network(), step=gc.adam(), style=style)
    params = program.init_params()
    state = program.init_state(params)
    held, before = [*params, *state], [np.array(a) for a in (*params, *state)]
    assert program.train_step(params, state, x=X, y=Y) == program.loss(
        type(params)(*before[: len(params)]), x=X, y=Y
    )
    for array, now, old in zip(held, (*params, *state), before, strict=True):
        assert now is array
        assert not np.array_equal(now, old)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_states_that_trade_places(style):
    @gc.update_rule
    def trade(w, g, *, a=gc.State(1.0), b=gc.State(2.0)):
        return w * 1.0 + 0.0 * a, b, w

    program = gc.compile(network(), step=trade(), style=style)
    params = program.init_params(seed=1)
    state = program.init_state(params)
    program.train_step(params, state, x=X, y=Y)
    np.testing.assert_array_equal(state.m0_w_a, 2.0)
    np.testing.assert_array_equal(state.m0_w_b, params.m0_w)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_a_parameter_that_becomes_what_another_rule_reads(style):
    """Old values are read, whatever the order in which new ones are written."""

    @gc.update_rule(joint=True)
    def rotate(ws, gs):
        total = sum(np.sum(w) for w in ws)
        return [w + total for w in ws]

    program = gc.compile(network(), step=rotate(), style=style)
    params = program.init_params(seed=1)
    before = [np.array(p) for p in params]
    total = sum(p.sum() for p in before)
    program.train_step(params, program.init_state(params), x=X, y=Y)
    for now, old in zip(params, before, strict=True):
        np.testing.assert_allclose(now, old + total, rtol=1e-14)


def test_accumulation_is_one_step_with_the_mean():
    rule = gc.accumulate(gc.adam(lr=0.05), 4)
    program = gc.compile(network(), step=rule)
    params = program.init_params(seed=2)
    state = program.init_state(params)
    whole = gc.compile(network(), step=gc.adam(lr=0.05))
    other = whole.init_params(seed=2)
    other_state = whole.init_state(other)
    for _ in range(3):
        for part in range(4):
            before = np.array(params.m0_w)
            rows = slice(3 * part, 3 * part + 3)
            program.train_step(params, state, x=X[rows], y=Y[rows])
            assert np.array_equal(before, params.m0_w) == (part < 3)
        whole.train_step(other, other_state, x=X, y=Y)
        for a, b in zip(params, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_schedule_counts_from_one():
    seen = gc.compile(network(), step=gc.sgd(lr=lambda t: 0.1 / t))
    params = seen.init_params(seed=2)
    state = seen.init_state(params)
    for step in range(1, 4):
        before = np.array(params.m1_b)
        _, grads = seen.loss_and_grad(params, x=X, y=Y)
        seen.train_step(params, state, x=X, y=Y)
        np.testing.assert_allclose(params.m1_b, before - 0.1 / step * grads.m1_b, rtol=1e-13)
    assert state.step == 3


SCHEDULES = {
    "exponential": (gc.exponential_decay(0.5, 0.9), lambda t: 0.5 * 0.9 ** (t - 1)),
    "steps": (gc.step_decay(0.5, 0.1, 10), lambda t: 0.5 * 0.1 ** ((t - 1) // 10)),
    "pieces": (
        gc.piecewise_constant(0.5, {5: 0.2, 20: 0.1}),
        lambda t: 0.5 if t < 5 else 0.2 if t < 20 else 0.1,
    ),
    "inverse": (gc.inverse_decay(0.5, 0.1), lambda t: 0.5 / (1 + 0.1 * (t - 1))),
    "cosine": (
        gc.cosine_decay(0.5, 20, 0.1),
        lambda t: 0.1 + 0.2 * (1 + np.cos(np.pi * min((t - 1) / 20, 1))),
    ),
    "warmup": (
        gc.warmup(10, gc.exponential_decay(0.5, 0.9)),
        lambda t: 0.5 * t / 10 if t <= 10 else 0.5 * 0.9 ** (t - 11),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_its_formula(name):
    schedule, expected = SCHEDULES[name]
    t = gc.observed("t")
    value = gc.compile_function([t], schedule(t))
    for step in (1, 2, 5, 10, 11, 19, 20, 21, 50):
        assert value(step) == pytest.approx(expected(step), rel=1e-12)


class TestLangevin:
    def test_noise_follows_from_the_seed_and_the_step(self):
        program = gc.compile(network(), step=gc.langevin(lr=0.01))

        def run(seed):
            params = program.init_params(seed=0)
            state = program.init_state(params, seed=seed)
            for _ in range(3):
                program.train_step(params, state, x=X, y=Y)
            return params.m0_w

        np.testing.assert_array_equal(run(1), run(1))
        assert not np.array_equal(run(1), run(2))

    def test_the_stationary_distribution(self):
        """Of a quadratic loss w²/2 at temperature T it is normal with variance T."""
        w = gc.parameter("w", shape=200, init="zeros")
        net = gc.Graph(gc.cost(np.sum(w * w) / 2, name="C"), name="well")
        program = gc.compile(net, step=gc.langevin(lr=0.05, temperature=0.7), batch=False)
        params = program.init_params()
        state = program.init_state(params)
        seen = []
        for step in range(2000):
            program.train_step(params, state)
            if step >= 200:
                seen.append(np.array(params.w))
        # The step size biases the variance by the factor 1 / (1 − lr / 2).
        assert np.var(seen) == pytest.approx(0.7 / (1 - 0.025), rel=0.03)


class TestErrors:
    def test_no_cost(self):
        x = gc.observed("x", shape=3)
        with pytest.raises(gc.CompileError, match="has no cost, so no step can lower it"):
            gc.compile(gc.Graph(gc.tanh(x), name="net"), step=gc.sgd())

    def test_no_rule(self):
        with pytest.raises(gc.CompileError, match=r"takes an update rule, such as gc\.sgd"):
            gc.compile(network(), step=0.1)

    def test_without_a_rule(self):
        program = gc.compile(network())
        with pytest.raises(gc.CompileError, match="compiled without an update rule"):
            program.init_state(program.init_params())

    def test_an_unknown_option(self):
        with pytest.raises(gc.UsageError, match="adam has no option rate; it has lr, betas"):
            gc.adam(rate=0.1)

    def test_a_rule_that_forgets_its_state(self):
        @gc.update_rule
        def wrong(w, g, *, v=gc.State()):
            return w - g

        with pytest.raises(gc.UsageError, match="wrong must return 2 values"):
            gc.compile(network(), step=wrong())

    def test_a_rule_that_changes_the_shape(self):
        @gc.update_rule
        def wrong(w, g):
            return np.sum(w)

        with pytest.raises(gc.ShapeError, match=r"gives 'm0_w' the shape \(\)"):
            gc.compile(network(), step=wrong())

    def test_a_transform_at_the_end(self):
        with pytest.raises(gc.UsageError, match="is no update rule"):
            gc.chain(gc.clip_by_norm())

    @pytest.mark.parametrize("style", ["fast", "readable"])
    def test_what_cannot_be_updated_in_place(self, style):
        program = gc.compile(network(), step=gc.sgd(lr=0.1, momentum=0.9), style=style)
        params = program.init_params()
        state = program.init_state(params)
        single = type(params)(*(p.astype(np.float32) for p in params))
        with pytest.raises(TypeError, match="must be of the file's dtype, got float32"):
            program.train_step(single, state, x=X, y=Y)
        with pytest.raises(TypeError, match="updates what init_params and init_state return"):
            program.train_step(tuple(params), state, x=X, y=Y)
        params.m0_w.flags.writeable = False
        with pytest.raises(TypeError, match="m0_w must be an array that can be written to"):
            program.train_step(params, state, x=X, y=Y)
