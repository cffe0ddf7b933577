"""Loops and choices, against JAX."""

import numpy as np

import graphc as gc
from tests.operations.case import Case

RNG = np.random.default_rng(12)
W, U = 0.7 * RNG.normal(size=(2, 3, 3))
B, H = RNG.normal(size=(2, 3))
XS = RNG.normal(size=(4, 3))
A = RNG.normal(size=(3, 3)) / 3


def both(write):
    """A pair from one text: `write(library of arrays, its scan)`."""

    def oracle(*arrays):
        import jax
        import jax.numpy as jnp

        return write(jnp, jax)(*arrays)

    return write(np, gc), oracle


def case(name, write, *arrays, second=True, note="", **more):
    build, oracle = both(write)
    return Case(name, "control", build, oracle, arrays, second=second, note=note, **more)


def scan(of, *args, **options):
    """The scan of either library: JAX has it in `lax`."""
    return (of.scan if of is gc else of.lax.scan)(*args, **options)


def counted(xp, of):
    def f(x, w):
        loop = of.fori_loop if of is gc else of.lax.fori_loop
        return loop(1, 5, lambda i, v: xp.tanh(w @ v) + v / i, x)

    return f


def halving(xp, of):
    def f(w, x):
        loop = of.while_loop if of is gc else of.lax.while_loop
        return loop(lambda v: (v * v).sum() > 0.01, lambda v: 0.5 * xp.tanh(w @ v), x)

    return f


def recurrent(xp, of):
    def f(w, u, b, h, xs):
        def step(h, x):
            h = xp.tanh(w @ h + u @ x + b)
            return h, h

        return scan(of, step, h, xs)

    return f


def backwards(xp, of):
    def f(w, h, xs):
        def step(h, x):
            h = xp.sin(w @ h) * x
            return h, (h.sum(), x * h[0])

        last, (sums, parts) = scan(of, step, h, xs, reverse=True)
        return last, sums, parts

    return f


def structures(xp, of):
    def f(h, xs):
        def step(state, inputs):
            a, c = state["a"], state["b"][0]
            x, y = inputs
            return {"a": xp.cos(c) * x, "b": [a + c * y]}, None

        last, _ = scan(of, step, {"a": h, "b": [2 * h]}, (xs, xs[:, 0]))
        return last["a"], last["b"][0]

    return f


def powers(xp, of):
    def f(a, h):
        return scan(of, lambda v, _: (a @ v, v @ v), h, None, length=5)

    return f


def nested(xp, of):
    def f(w, h, xs):
        def outer(h, x):
            def inner(s, v):
                s = xp.tanh(s * v + w @ h)
                return s, s.sum()

            last, sums = scan(of, inner, h, x * xs[:2])
            return last, sums * 1.0

        return scan(of, outer, h, xs)

    return f


def weights_element_by_element(xp, of):
    """The gradient by `w` is no outer product: the loop carries its sum."""

    def f(w, h, xs):
        def step(h, x):
            h = xp.tanh((xp.sin(w * x[0]) * h).sum(axis=1) + x)
            return h, h * x

        return scan(of, step, h, xs)[1]

    return f


def shift_register(xp, of):
    """Carries that change places."""

    def f(h, xs):
        def step(state, x):
            a, b, c = state
            return (b, c, a * x), a + b

        (a, _, c), ys = scan(of, step, (h, 2 * h, 3 * h), xs)
        return a, c, ys

    return f


def table(xp, of):
    """A gather at places that the steps bring: its gradient is scattered once, after the loop."""

    def f(e, h):
        places = xp.array([2, 0, 2, 1])

        def step(h, k):
            h = xp.tanh(h * e[k])
            return h, h

        return scan(of, step, h, places)

    return f


def linear_system(xp, of):
    """Something of rank 2 as the carry, as in a filter's covariance."""

    def f(a, w):
        def step(p, _):
            p = a @ p @ a.T + w
            return p, xp.trace(p)

        return scan(of, step, a, None, length=3)

    return f


def pair(xp, of):
    condition = gc.cond if of is gc else of.lax.cond

    def f(w, h):
        yes = condition(h[0] > -9, lambda v: xp.sin(w @ v), lambda v: v * 2, h)
        no = condition(h[0] > 9, lambda v: xp.log(v - 50), lambda v: xp.tanh(v) * h.sum(), h)
        return yes * no

    return f


def many(xp, of):
    def row(x, w):
        return xp.tanh(w @ x).sum() * x

    return lambda w, xs: of.vmap(of.vmap(row, (0, None)), (None, 0))(xs, w * xp.ones((2, 1, 1)))


def iterated(xp, of):
    """JAX differentiates the iterations."""

    def f(w, h):
        def step(z):
            return 0.4 * xp.tanh(w @ z) + h

        if of is gc:
            return gc.fixed_point(step, h, tol=1e-14)
        z = h
        for _ in range(60):
            z = step(z)
        return z

    return f


def by_newton(xp, of):
    def f(h):
        if of is gc:
            return gc.root(lambda x: x + xp.sin(x) - h, h * 0)
        x = h * 0
        for _ in range(12):
            x = x - (x + xp.sin(x) - h) / (1 + xp.cos(x))
        return x

    return f


def with_rule(xp, of):
    def f(w, h):
        def backward(residuals, g):
            return xp.outer(g, residuals[1]), g @ residuals[0]

        if of is gc:
            return xp.sin(gc.custom_vjp(lambda w, h: w @ h, backward)(w, h))
        made = of.custom_vjp(lambda w, h: w @ h)
        made.defvjp(lambda w, h: (w @ h, (w, h)), backward)
        return xp.sin(made(w, h))

    return f


CASES = [
    case("gc.fori_loop", counted, H, A, second=False),
    case(
        "gc.while_loop",
        halving,
        A,
        H,
        second=False,
        differentiable=False,
        note="values and tangents, as in JAX; gradients are refused",
    ),
    case("gc.fixed_point", iterated, A, H, tolerance=1e-9),
    case("gc.root", by_newton, H, second=False),
    case("gc.custom_vjp", with_rule, W, H),
    case("gc.scan", recurrent, W, U, B, H, XS, note="recurrent net"),
    case("gc.scan (reverse=True)", backwards, W, H, XS),
    case("gc.scan (structures of variables)", structures, H, XS),
    case("gc.scan (length=)", powers, A, H),
    case("gc.scan (nested)", nested, W, H, XS),
    case("gc.scan (weights used element by element)", weights_element_by_element, W, H, XS),
    case("gc.scan (carries change places)", shift_register, H, XS),
    case("gc.scan (indexing by steps)", table, XS, H),
    case("gc.cond", pair, W, H),
    case("gc.vmap", many, W, XS, note="nested"),
    case("gc.scan (matrices as carries)", linear_system, A, W),
]
