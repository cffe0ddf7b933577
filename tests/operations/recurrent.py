"""Recurrent blocks and CTC, against torch."""

import numpy as np

import graphc as gc
from tests.blocks.owning import owning
from tests.operations.activations import F
from tests.operations.case import Case
from tests.operations.layers import normal

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
OWN = ("w_ih", "w_hh", "b_ih", "b_hh")


def cell(name, *, bias=True, starts=1, **options):
    own = OWN if bias else OWN[:2]
    n = GATES[name] * 3
    parameters = (normal(n, 2), normal(n, 3), normal(n), normal(n))[: len(own)]
    options = options if bias else {**options, "bias": False}

    def call(x, *rest):
        import torch

        module = getattr(torch.nn, f"{name}Cell")(2, 3, **options, dtype=torch.float64)
        state = rest[0] if starts == 1 else rest[:2] if starts else None
        names = [f"{o.replace('w_', 'weight_').replace('b_', 'bias_')}" for o in own]
        given = dict(zip(names, rest[starts:], strict=True))
        return torch.func.functional_call(module, given, (x, state))

    told = ", ".join([*(f"{k}={v}" for k, v in options.items()), *([] if starts else ["from 0"])])
    return Case(
        f"gc.{name}Cell" + (f" ({told})" if told else ""), "recurrent",
        owning(lambda: getattr(gc, f"{name}Cell")(3, **options), *own, count=1 + starts),
        call, (normal(2), *(normal(3) for _ in range(starts)), *parameters), framework="torch",
    )  # fmt: skip


def sequence(name, *, started=False, length=4, **options):
    """A recurrent block of hidden size 3; torch's parameters go by the same order."""
    layers = options.get("num_layers", 1)
    ways = 2 if options.get("bidirectional") else 1
    out = options.get("proj_size") or 3
    rows, own, theirs, parameters = GATES[name] * 3, [], [], []
    for layer in range(layers):
        features = out * ways if layer else 2
        for way in ("", "_reverse")[:ways]:
            shapes = {"w_ih": (rows, features), "w_hh": (rows, out), "b_ih": (rows,),
                      "b_hh": (rows,)}  # fmt: skip
            if not options.get("bias", True):
                shapes = {k: v for k, v in shapes.items() if k.startswith("w")}
            if options.get("proj_size"):
                shapes["w_hr"] = (out, 3)
            for k, shape in shapes.items():
                kind = "weight" if k.startswith("w") else "bias"
                own.append(f"l{layer}{way}_{k}")
                theirs.append(f"{kind}_{k[2:]}_l{layer}{way}")
                parameters.append(normal(*shape) / 2)
    starts = (normal(layers * ways, out), normal(layers * ways, 3))[: 1 + (name == "LSTM")]
    starts = starts if started else ()

    def call(x, *rest):
        import torch

        module = getattr(torch.nn, name)(2, 3, **options, dtype=torch.float64)
        state = rest[: len(starts)]
        given = dict(zip(theirs, rest[len(starts) :], strict=True))
        begin = None if not state else state if name == "LSTM" else state[0]
        outputs, last = torch.func.functional_call(module, given, (x, begin))
        return (outputs, *last) if name == "LSTM" else (outputs, last)

    told = ", ".join([*(f"{k}={v}" for k, v in options.items()), *(["started"] * started)])
    return Case(
        f"gc.{name}" + (f" ({told})" if told else ""), "recurrent",
        owning(lambda: getattr(gc, name)(3, **options), *own, count=1 + len(starts)),
        call, (normal(length, 2), *starts, *parameters), framework="torch",
    )  # fmt: skip


def ctc(note, steps, labels, *lengths, blank=0, **options):
    """CTC of log-softmax: torch's own derivative is right for that alone."""

    def build(s, *rest):
        return gc.ctc(gc.log_softmax(s), *rest, blank=blank, **options)

    def call(s, y, *rest):
        given = [n.reshape(1) for n in rest] or [[steps], [len(y)]]
        y = y.reshape(1, -1)
        log_p = F("log_softmax")(s, dim=-1)[:, None]
        return F("ctc_loss")(log_p, y, *given, blank=blank, **options).reshape(())

    arrays = (normal(steps, 4), np.array(labels, int), *(np.array(n) for n in lengths))
    told = ", ".join([*([note] if note else []), *(f"{k}={v}" for k, v in options.items())])
    return Case(
        "gc.ctc" + (f" ({told})" if told else ""), "costs", build, call, arrays,
        framework="torch",
    )  # fmt: skip


CASES = [
    cell("RNN"),
    cell("RNN", nonlinearity="relu", bias=False),
    cell("RNN", starts=0),
    cell("LSTM", starts=2),
    cell("LSTM", starts=0, bias=False),
    cell("GRU"),
    cell("GRU", starts=0, bias=False),
    sequence("RNN"),
    sequence("RNN", nonlinearity="relu", bias=False, started=True),
    sequence("RNN", num_layers=2, bidirectional=True, started=True),
    sequence("LSTM"),
    sequence("LSTM", num_layers=2, bidirectional=True, started=True),
    sequence("LSTM", proj_size=2, num_layers=2, bias=False, started=True),
    sequence("LSTM", bidirectional=True, length=1),
    sequence("GRU"),
    sequence("GRU", num_layers=2, bidirectional=True, started=True),
    sequence("GRU", bias=False, num_layers=3),
    ctc("", 6, [1, 2, 3]),
    ctc("a label twice", 6, [2, 2, 1]),
    ctc("", 5, [1, 0], blank=3, reduction="sum"),
    ctc("one step", 1, [2]),
    ctc("lengths", 7, [1, 2, 2, 3], 6, 3),
    ctc("a sample without labels", 5, [1, 2], 4, 0),
    ctc("too many labels", 3, [1, 1, 2], zero_infinity=True),
]
