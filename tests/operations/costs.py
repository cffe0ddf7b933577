"""Costs, against ``torch.nn.functional``, for one sample; see tests/blocks for whole batches."""

from functools import partial

import numpy as np

import graphc as gc
from tests.operations.activations import F
from tests.operations.case import Case

RNG = np.random.default_rng(5)
Z, Y = RNG.normal(size=(2, 3, 4))
S, E = RNG.normal(size=(2, 5))
P = RNG.uniform(0.05, 0.95, size=(3, 4))
B = RNG.integers(0, 2, size=(3, 4)).astype(float)
SIGNS = np.array([1.0, -1.0, -1.0])
WEIGHT = np.array([0.5, 1.5, 0.7, 2.0, 1.1])
TARGET = np.array(3)
SEQUENCE, TARGETS = RNG.normal(size=(5, 4)), np.array([0, 3, 4, 3])
Q = np.exp(Z) / np.exp(Z).sum()


def case(name, *arrays, build=None, oracle=None, torch_name=None, note="", second=True, **options):
    """One cost; by default of the same name and options in torch."""
    told = ", ".join([*([note] if note else []), *(f"{k}={v}" for k, v in options.items())])
    return Case(
        f"gc.{name}" + (f" ({told})" if told else ""),
        "costs",
        partial(build or getattr(gc, name), **options),
        oracle or partial(F(torch_name or f"{name}_loss"), **options),
        arrays,
        second=not options and second,
        framework="torch",
    )


def batch_of_one(name, count=2, **options):
    """A function of torch that takes batches alone, on one sample; the first are its tensors."""

    def call(*arrays):
        front = [a[None] for a in arrays[:count]]
        return F(name)(*front, *arrays[count:], **options).reshape(())

    return call


def weighted(name, *arrays, torch_name=None, batch=False, note="", oracle=None, **options):
    """A cost with weights, by which torch does not differentiate: constants here."""
    *given, weight = arrays
    given, weights = (given, {"weight": weight}) if np.ndim(weight) else (arrays, {})

    def call(*tensors):
        import torch

        more = {k: torch.tensor(v) for k, v in (options | weights).items() if np.ndim(v)}
        rest = {k: v for k, v in options.items() if not np.ndim(v)}
        front = [t[None] for t in tensors] if batch else tensors
        return F(torch_name or name)(*front, **rest, **more).reshape(())

    told = ", ".join(
        [
            *([note] if note else []),
            *weights,
            *(k if np.ndim(v) else f"{k}={v}" for k, v in options.items()),
        ]
    )
    return Case(
        f"gc.{name} ({told})", "costs", partial(getattr(gc, name), **weights, **options), call,
        tuple(given), framework="torch",
    )  # fmt: skip


def formula(text):
    """A formula of torch's own functions, of energies e and the right answer y."""

    def call(e, y):
        import torch

        wrong = torch.cat([e[:y], e[y + 1 :]]).min()
        return {
            "energy": lambda: e[y],
            "energy_perceptron": lambda: e[y] - e.min(),
            "energy_hinge": lambda: torch.relu(2.0 + e[y] - wrong),
            "energy_log": lambda: torch.log1p(torch.exp(e[y] - wrong)),
            "energy_lvq2": lambda: torch.clamp(e[y] - wrong, 0.0, 3.0),
            "energy_mce": lambda: 1 / (1 + torch.exp(wrong - e[y])),
            "energy_square_square": lambda: e[y] ** 2 + torch.relu(2.0 - wrong) ** 2,
            "energy_square_exponential": lambda: e[y] ** 2 + 0.7 * torch.exp(-wrong),
            "energy_nll": lambda: e[y] + torch.log(torch.exp(-1.3 * e).sum()) / 1.3,
            "energy_mee": lambda: 1 - torch.exp(-1.3 * e[y]) / torch.exp(-1.3 * e).sum(),
        }[text]()

    return call


def contrastive(a, b, y):
    d = ((a - b) ** 2).sum().sqrt()
    return (1 - y) * d**2 / 2 + y * (3.0 - d).clamp(min=0) ** 2 / 2


def info_nce(a, b, n):
    a, b, n = (F("normalize")(v, dim=-1) for v in (a, b, n))
    import torch

    scores = torch.cat([(a @ b)[None], n @ a]) / 0.5
    return -F("log_softmax")(scores, dim=0)[0]


def energies(name, **options):
    return case(name, E, TARGET, oracle=lambda e, y: formula(name)(e, y), **options)


REDUCTIONS = [{}, {"reduction": "sum"}, {"reduction": "none"}]


def reductions(name, *arrays, **more):
    return [case(name, *arrays, **more, **option) for option in REDUCTIONS]


A, N, D = RNG.normal(size=(3, 3, 4))
V = RNG.uniform(0.2, 2.0, size=(3, 4))
COUNTS = np.array([[0.0, 1.0, 2.0, 5.0], [3.0, 0.0, 1.0, 7.0], [2.0, 2.0, 9.0, 1.0]])
CASES = [
    case("squared_error", Z, Y, oracle=lambda z, y: ((z - y) ** 2).sum()),
    *reductions("mse", Z, Y),
    *reductions("l1", Z, Y, second=False),
    *reductions("smooth_l1", Z, Y),
    case("smooth_l1", Z, Y, beta=0.3),
    case("smooth_l1", Z, Y, beta=0.0),
    *reductions("huber", Z, Y),
    case("huber", Z, Y, delta=0.4),
    *reductions("cross_entropy", S, TARGET, torch_name="cross_entropy"),
    case("cross_entropy", S, TARGET, torch_name="cross_entropy", label_smoothing=0.2),
    case("cross_entropy", S, TARGET, torch_name="cross_entropy", ignore_index=1),
    weighted("cross_entropy", S, TARGET, WEIGHT),
    weighted("cross_entropy", S, TARGET, WEIGHT, reduction="sum"),
    weighted("cross_entropy", S, TARGET, WEIGHT, reduction="none"),
    weighted("cross_entropy", S, TARGET, WEIGHT, label_smoothing=0.3),
    case("cross_entropy", S, np.exp(E) / np.exp(E).sum(), torch_name="cross_entropy",
         note="probabilities"),
    case("cross_entropy", SEQUENCE, np.exp(SEQUENCE[::-1]), torch_name="cross_entropy",
         note="probabilities, sequence", label_smoothing=0.1,
         oracle=lambda s, y: F("cross_entropy")(s[None], y[None], label_smoothing=0.1)),
    weighted("cross_entropy", S, np.exp(E), WEIGHT, note="probabilities"),
    case("cross_entropy", SEQUENCE, TARGETS, note="sequence",
         oracle=batch_of_one("cross_entropy")),
    weighted("cross_entropy", SEQUENCE, TARGETS, WEIGHT, note="sequence", batch=True,
             ignore_index=3, label_smoothing=0.2),
    case("cross_entropy", SEQUENCE, TARGETS, note="sequence", reduction="none", ignore_index=3,
         oracle=lambda s, y: F("cross_entropy")(s[None], y[None], reduction="none",
                                                ignore_index=3)[0]),
    *reductions("nll", S, TARGET),
    weighted("nll", S, TARGET, WEIGHT, torch_name="nll_loss"),
    weighted("nll", SEQUENCE, TARGETS, WEIGHT, torch_name="nll_loss", note="sequence", batch=True,
             ignore_index=4),
    *reductions("binary_cross_entropy", P, B, torch_name="binary_cross_entropy"),
    weighted("binary_cross_entropy", P, B, V),
    *reductions("binary_cross_entropy_with_logits", Z, P,
                torch_name="binary_cross_entropy_with_logits"),
    weighted("binary_cross_entropy_with_logits", Z, B, V[0], pos_weight=WEIGHT[:4]),
    *reductions("kl_div", Z, P, torch_name="kl_div"),
    case("kl_div", Z, P, reduction="batchmean",
         oracle=lambda q, p: F("kl_div")(q, p, reduction="sum")),
    case("kl_div", Z, Y, torch_name="kl_div", log_target=True),
    *reductions("hinge", S, np.sign(E),
                oracle=lambda s, y: (1 - s * y).clamp(min=0).mean())[:1],
    case("hinge", S, np.sign(E), margin=0.3, reduction="sum",
         oracle=lambda s, y: (0.3 - s * y).clamp(min=0).sum()),
    *reductions("hinge_embedding", A[:, 0], SIGNS),
    case("hinge_embedding", A[:, 0], SIGNS, margin=0.4),
    *reductions("margin_ranking", A[:, 0], N[:, 0], SIGNS),
    case("margin_ranking", A[:, 0], N[:, 0], SIGNS, margin=0.4),
    *reductions("soft_margin", A[:, 0], SIGNS.astype(int)),
    *reductions("multi_margin", S, TARGET, second=False)[:2],
    case("multi_margin", S, TARGET, p=2, margin=0.7),
    weighted("multi_margin", S, TARGET, WEIGHT, torch_name="multi_margin_loss"),
    *reductions("multilabel_margin", S, np.array([3, 1, -1, 2, -1]), second=False)[:2],
    case("multilabel_margin", S, np.array([0, 1, 4, 2, 3]), note="all", second=False),
    case("multilabel_margin", S, np.array([-1, 1, 4, 2, 3]), note="none", second=False),
    *reductions("multilabel_soft_margin", Z, B),
    weighted("multilabel_soft_margin", Z[0], B[0], V[0],
             torch_name="multilabel_soft_margin_loss"),
    *reductions("triplet_margin", A, N, D),
    case("triplet_margin", A, N, D, p=1, margin=2.0),
    case("triplet_margin", A, N, D, p=3, margin=2.0, swap=True),
    case("triplet_margin", A, N, D, swap=True, eps=1e-3, margin=2.0),
    *reductions("cosine_embedding", A, N, SIGNS),
    case("cosine_embedding", A, N, SIGNS, margin=-0.4),
    *reductions("poisson_nll", Z, COUNTS),
    case("poisson_nll", V, COUNTS + 0.5, log_input=False, full=True),
    case("poisson_nll", V, COUNTS, log_input=False, eps=1e-3),
    *reductions("gaussian_nll", Z, Y, V),
    case("gaussian_nll", Z, Y, V, full=True, eps=0.9),
    case("l1_penalty", Z, S, scale=0.1, oracle=lambda z, s: 0.1 * (z.abs().sum() + s.abs().sum())),
    case("l2_penalty", Z, S, scale=0.1,
         oracle=lambda z, s: 0.1 * ((z**2).sum() + (s**2).sum())),
    energies("energy"),
    energies("energy_perceptron"),
    energies("energy_hinge", margin=2.0),
    energies("energy_log"),
    energies("energy_lvq2", limit=3.0),
    energies("energy_mce"),
    energies("energy_square_square", margin=2.0),
    energies("energy_square_exponential", gamma=0.7),
    energies("energy_nll", beta=1.3),
    energies("energy_mee", beta=1.3),
    case("contrastive", S, E, np.array(0.3), margin=3.0, oracle=contrastive),
    case("info_nce", S, E, RNG.normal(size=(3, 5)), temperature=0.5, oracle=info_nce),
    Case("gc.pairwise_distance", "distances", gc.pairwise_distance, F("pairwise_distance"), (A, N),
         second=True, framework="torch"),
    Case("gc.pairwise_distance (p=3, keepdims)", "distances",
         partial(gc.pairwise_distance, p=3, keepdims=True),
         partial(F("pairwise_distance"), p=3, keepdim=True), (A, N), framework="torch"),
    Case("gc.pairwise_distance (p=1)", "distances", partial(gc.pairwise_distance, p=1),
         partial(F("pairwise_distance"), p=1), (A, N), framework="torch"),
    Case("gc.pairwise_distance (p=inf)", "distances", partial(gc.pairwise_distance, p=np.inf),
         partial(F("pairwise_distance"), p=np.inf), (A, N), framework="torch"),
    Case("gc.cosine_similarity", "distances", gc.cosine_similarity,
         partial(F("cosine_similarity"), dim=0), (A, N), second=True, framework="torch"),
    Case("gc.cosine_similarity (axis=-1)", "distances", partial(gc.cosine_similarity, axis=-1),
         partial(F("cosine_similarity"), dim=-1), (A, N), framework="torch"),
    Case("gc.normalize", "distances", gc.normalize, partial(F("normalize"), dim=0), (A,),
         second=True, framework="torch"),
    Case("gc.normalize (p=1, axis=1)", "distances", partial(gc.normalize, p=1, axis=1),
         partial(F("normalize"), p=1, dim=1), (A,), framework="torch"),
    Case("gc.one_hot", "embeddings", partial(gc.one_hot, num_classes=6),
         partial(F("one_hot"), num_classes=6), (TARGETS,), differentiable=False,
         framework="torch"),
]  # fmt: skip
