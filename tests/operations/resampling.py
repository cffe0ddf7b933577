"""What resizes, rearranges, pads and pools by places, against ``torch.nn.functional``."""

from functools import partial

import numpy as np

import graphc as gc
from tests.blocks.owning import owning
from tests.operations.activations import F
from tests.operations.case import Case
from tests.operations.layers import normal, torch_module, uniform

IMAGE = (2, 4, 5)


def case(name, *arrays, group="resampling", oracle=None, note="", batch=False, **options):
    """One function, of the same name and options in torch; `batch`: it takes batches alone."""
    told = ", ".join([*([note] if note else []), *(f"{k}={v}" for k, v in options.items())])
    call = oracle or partial(F(name), **options)
    return Case(
        f"gc.{name}" + (f" ({told})" if told else ""), group, partial(getattr(gc, name), **options),
        (lambda x, *rest: call(x[None], *rest)[0]) if batch else call, arrays, framework="torch",
    )  # fmt: skip


def resized(mode, shape=IMAGE, **options):
    return case("interpolate", normal(*shape), batch=True, mode=mode, **options)


def there_and_back(dims, shape, *arguments, size=None, **options):
    """Maxima, put back where they stood."""
    pool, unpool = f"max_pool{dims}d", f"max_unpool{dims}d"

    def both(pooled, back):
        def call(x):
            found = pooled(x, *arguments, **options, return_indices=True)
            given = {k: v for k, v in options.items() if k != "dilation"}
            return back(*found, *arguments, **given, output_size=size), *found

        return call

    told = ", ".join([*map(str, arguments), *(f"{k}={v}" for k, v in options.items())])
    return Case(
        f"gc.{unpool}, gc.{pool} (return_indices=True; {told})", "pooling",
        both(getattr(gc, pool), getattr(gc, unpool)), both(F(pool), F(unpool)), (normal(*shape),),
        framework="torch",
    )  # fmt: skip


def fractional(dims, shape, *arguments, **options):
    name = f"fractional_max_pool{dims}d"
    noise = uniform(shape[0], dims)

    def call(x, u):
        return F(name)(x[None], *arguments, **options, _random_samples=u[None])[0]

    told = ", ".join([*map(str, arguments), *(f"{k}={v}" for k, v in options.items())])
    return Case(
        f"gc.{name} ({told})", "pooling",
        lambda x, u: getattr(gc, name)(x, gc.stop_gradient(u), *arguments, **options),
        lambda x, u: call(x, u.detach()) + 0 * u.sum(), (normal(*shape), noise), framework="torch",
    )  # fmt: skip


def warped(mode, padding, aligned, image=IMAGE, places=(3, 2, 2)):
    options = {"mode": mode, "padding_mode": padding, "align_corners": aligned}
    # By places, PyTorch's derivative of the nearest is zero, and here there is none.
    fixed = mode == "nearest"
    given = uniform(*places) * 3.4 - 1.7
    return Case(
        "gc.grid_sample (" + ", ".join(f"{k}={v}" for k, v in options.items())
        + f"; {len(image) - 1} axes)", "resampling",
        partial(gc.grid_sample, **options),
        lambda x, g: F("grid_sample")(x[None], g[None], **options)[0] + 0 * g.sum() * fixed,
        (normal(*image), given), framework="torch",
    )  # fmt: skip


def moved(size, aligned):
    return lambda theta: F("affine_grid")(theta[None], (1, *size), align_corners=aligned)[0]


BAG = np.array([0, 3, 2, 0, 3])


def bag(note="", weights=False, **options):
    """A bag of rows; torch's module takes batches of bags alone."""
    told = ", ".join([*([note] if note else []), *(f"{k}={v}" for k, v in options.items())])
    given = (BAG, uniform(5)) if weights else (BAG,)
    make = partial(torch_module, "EmbeddingBag", 4, 3, parameters=("weight",), **options)
    return Case(
        f"gc.EmbeddingBag(4, 3) ({told})", "blocks with parameters",
        owning(lambda: gc.EmbeddingBag(4, 3, **options), "w", count=len(given)),
        lambda i, *rest: make()(*(
            (i[None], rest[-1]) if len(rest) == 1 else (i[None], None, rest[0][None], rest[-1])
        ))[0],
        (*given, normal(4, 3)), framework="torch",
    )  # fmt: skip


def manhattan(a, b):
    return abs(a - b).sum(-1)


CASES = [
    case("pixel_shuffle", normal(8, 2, 3), upscale_factor=2),
    case("pixel_shuffle", normal(2, 9, 1, 2), upscale_factor=3),
    case("pixel_unshuffle", normal(2, 4, 6), downscale_factor=2),
    case("channel_shuffle", normal(6, 2), groups=3, batch=True),
    case("unfold", normal(*IMAGE), kernel_size=2),
    case("unfold", normal(*IMAGE), kernel_size=(2, 3), dilation=(1, 2), padding=2, stride=(2, 1)),
    case("fold", normal(8, 12), output_size=(4, 5), kernel_size=2),
    case("fold", normal(12, 20), output_size=(4, 5), kernel_size=(2, 3), dilation=(1, 2),
         padding=2, stride=(2, 1)),
    case("pad", normal(*IMAGE), pad=(1, 2)),
    case("pad", normal(*IMAGE), pad=(1, -2, -1, 3), value=0.5),
    case("pad", normal(*IMAGE), pad=(1, 2, 2, 1), mode="reflect"),
    case("pad", normal(*IMAGE), pad=(1, 2, 2, 0), mode="replicate"),
    case("pad", normal(2, 4), pad=(3, 2), mode="circular", batch=True),
    resized("nearest", scale_factor=2),
    resized("nearest", size=(3, 7)),
    resized("nearest", scale_factor=(0.6, 1.7)),
    resized("nearest-exact", size=(3, 7)),
    resized("nearest", (2, 3, 2, 2), note="3 axes", scale_factor=2),
    resized("area", size=(3, 2)),
    resized("linear", (2, 5), size=8),
    resized("linear", (2, 5), size=8, align_corners=True),
    resized("bilinear", scale_factor=2),
    resized("bilinear", size=(7, 3), align_corners=True),
    resized("bilinear", scale_factor=1.7, align_corners=False),
    resized("bilinear", scale_factor=1.7, recompute_scale_factor=True),
    resized("bilinear", size=(2, 3), antialias=True),
    resized("bicubic", scale_factor=2),
    resized("bicubic", size=(3, 7), align_corners=True),
    resized("bicubic", size=(2, 3), antialias=True),
    resized("trilinear", (1, 2, 3, 2), scale_factor=2),
    *(warped(mode, padding, aligned) for mode in ("bilinear", "nearest", "bicubic")
      for padding in ("zeros", "border", "reflection") for aligned in (False, True)),
    warped("bilinear", "reflection", False, (2, 3, 4, 2), (2, 3, 2, 3)),
    warped("nearest", "zeros", True, (2, 3, 4, 2), (2, 3, 2, 3)),
    *(Case(f"gc.affine_grid ({size}, align_corners={aligned})", "resampling",
           partial(gc.affine_grid, size=size, align_corners=aligned), moved(size, aligned),
           (normal(len(size) - 1, len(size)),), framework="torch")
      for size in ((1, 3, 4), (2, 2, 3, 2)) for aligned in (False, True)),
    case("rrelu", normal(7), group="activations"),
    case("rrelu", normal(7), group="activations", lower=0.1, upper=0.5),
    Case("gc.rrelu (training=True)", "activations",
         lambda x, u: gc.rrelu(x, u, 0.1, 0.5, training=True),
         lambda x, u: x.clamp(min=0) + (0.1 + 0.4 * u) * x.clamp(max=0), (normal(7), uniform(7)),
         framework="torch"),
    case("local_response_norm", normal(5, 3), size=2, batch=True, group="normalisation"),
    case("local_response_norm", normal(5, 2, 3), size=3, alpha=0.3, beta=0.6, k=1.5, batch=True,
         group="normalisation"),
    case("pdist", normal(4, 3), group="costs"),
    case("pdist", normal(4, 3), p=1.0, group="costs"),
    case("lp_pool1d", uniform(2, 7), norm_type=3, kernel_size=3, stride=2, group="pooling"),
    case("lp_pool2d", uniform(*IMAGE), norm_type=2.0, kernel_size=2, group="pooling"),
    case("lp_pool2d", uniform(*IMAGE), norm_type=1.5, kernel_size=3, ceil_mode=True, batch=True,
         group="pooling"),
    case("lp_pool2d", normal(*IMAGE), norm_type=float("inf"), kernel_size=2, group="pooling"),
    case("lp_pool3d", uniform(2, 3, 3, 4), norm_type=2, kernel_size=2, stride=1, group="pooling"),
    there_and_back(1, (2, 8), 2),
    there_and_back(2, IMAGE, 2, size=(4, 5)),
    there_and_back(2, (2, 5, 6), (3, 2), stride=(3, 2), padding=1, size=(5, 6)),
    there_and_back(3, (2, 4, 4, 2), 2),
    *(Case(f"gc.adaptive_max_pool{len(shape) - 1}d ({size}, return_indices=True)", "pooling",
           partial(getattr(gc, f"adaptive_max_pool{len(shape) - 1}d"), output_size=size,
                   return_indices=True),
           partial(F(f"adaptive_max_pool{len(shape) - 1}d"), output_size=size,
                   return_indices=True), (normal(*shape),), framework="torch")
      for shape, size in (((2, 7), 3), (IMAGE, (3, None)), (IMAGE, 1), ((2, 4, 4, 5), 2))),
    fractional(2, (2, 7, 8), 2, output_size=(4, 5)),
    fractional(2, (2, 7, 8), (3, 2), output_ratio=(0.5, 0.6)),
    fractional(3, (2, 5, 6, 4), 2, output_size=(3, 4, 1)),
    bag(),
    bag(mode="sum"),
    bag("per_sample_weights", weights=True, mode="sum"),
    bag(mode="max"),
    bag(padding_idx=3),
    bag(mode="sum", padding_idx=-1),
    bag(mode="max", padding_idx=0),
    *(case("triplet_margin_with_distance", *normal(3, 2, 4), group="costs", **options,
           oracle=partial(F("triplet_margin_with_distance_loss"), **options))
      for options in ({}, {"swap": True, "margin": 0.5, "reduction": "sum"})),
    Case("gc.triplet_margin_with_distance (a distance)", "costs",
         partial(gc.triplet_margin_with_distance, distance_function=manhattan),
         partial(F("triplet_margin_with_distance_loss"), distance_function=manhattan),
         tuple(normal(3, 4)), framework="torch"),
]  # fmt: skip
