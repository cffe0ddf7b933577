"""The training loop that an emitted file can carry, and its ``--train`` on the command line."""

from __future__ import annotations

from graphc.emit.file import File, indented
from graphc.emit.model import Field, Model
from graphc.emit.noise import noise_fields, noise_sizes, takes_samples
from graphc.types import named, names_in

TRAIN = '''def train({arguments}, *, {epochs}=1, {batch_size}=None, {seed}=0):
    """Update params and state in place, epoch by epoch; return the mean loss of each.

    The order of the samples in an epoch follows from the seed and the epoch's number; without a
    batch size every step takes all samples.
    """
    {count} = {len}({sample})
    {size} = {min}({batch_size} or {count}, {count})
    {means} = []
    for {epoch} in {range}({epochs}):
        {order} = {np}.arange({count})
        if {size} < {count}:
            {order} = {np}.random.default_rng([{seed}, {epoch}]).permutation({count})
        {losses} = []
        for {first} in {range}(0, {count}, {size}):
            {rows} = {np}.sort({order}[{first} : {first} + {size}])
{noise}            {losses}.append({float}({train_step}({taken})))
        {means}.append({sum}({losses}) / {len}({losses}))
    return {means}
'''

REPEAT = '''def train({arguments}, *, {epochs}=1):
    """Update params and state in place, step by step; return the loss of each."""
    return [{float}({train_step}({taken})) for _ in {range}({epochs})]
'''

COMMAND = '''def _command_line():
    """Train on arrays of a file: ``python FILE --train data.npz --out params.npz``."""
    parser = argparse.ArgumentParser(description=_command_line.__doc__)
    parser.add_argument("--train", metavar="DATA", required=True, help="an .npz file with {told}")
    parser.add_argument("--out", default="params.npz", help="where the parameters go")
    parser.add_argument("--epochs", type={int}, default=10, help="passes over the data")
    parser.add_argument("--batch-size", type={int}, help="samples in a step (default: all)")
    parser.add_argument("--seed", type={int}, default=0, help="of the start and of the order")
{sizes}    options = parser.parse_args()
    with {np}.load(options.train) as held:
        data = {{name: held[name] for name in ({names})}}
    params = init_params(options.seed{dims})
    state = init_state(params, options.seed)
    means = train(params, state, **data, epochs=options.epochs{batches})
    for epoch, mean in {enumerate}(means, 1):
        {print}(f"epoch {{epoch}}: mean loss {{mean:.6g}}")
    {np}.savez(options.out, **{{name: {host} for name, p in {zip}({Params}._fields, params)}})
'''


WORDS = (
    "epochs", "batch_size", "seed", "count", "len", "size", "min", "means", "epoch", "range",
    "order", "np", "losses", "first", "rows", "float", "sum", "int", "enumerate", "print", "zip",
    "Params", "train_step",
)  # fmt: skip


def train(file: File) -> list[list[str]]:
    """Print ``train`` and what stands behind the command line."""
    own, model = file.names.own, file.model
    names = {word: own(word) for word in WORDS}
    fields = model.loss_fields
    drawn = _drawn(model)
    samples = [
        f.name for f in fields if model.batch and f.shape[:1] == (named("P"),) and f not in drawn
    ]
    drawn = drawn if samples else ()
    held = own("noise")
    spelled = {f.name: f"{f.name}[{names['rows']}]" for f in fields if f.name in samples}
    spelled |= {f.name: f'{held}["{f.name}"]' for f in drawn}
    taken = [own("params"), own("state"), *(spelled.get(f.name, f.name) for f in fields)]
    fields = tuple(f for f in fields if f not in drawn)
    arguments = [own("params"), own("state"), *(f.name for f in fields)]
    many = f", {names['len']}({names['rows']})" if takes_samples(model) else ""
    seeds = f"[{names['seed']}, {names['epoch']}, {names['first']}]"
    noise = f"{' ' * 12}{held} = {own('draw_noise')}({seeds}{many})\n" if drawn else ""
    form = TRAIN if samples else REPEAT
    body = form.format(
        arguments=", ".join(arguments),
        taken=", ".join(taken),
        sample=samples[0] if samples else "",
        noise=noise,
        **names,
    )
    sizes = sorted({n for f in model.parameters for dim in f.shape for n in names_in(dim)})
    device = model.target.needs_device
    command = COMMAND.format(
        told=", ".join(f.name for f in fields) or "nothing in it",
        names="".join(f'"{f.name}", ' for f in fields),
        sizes="".join(
            f'    parser.add_argument("--size-{n}", type={names["int"]}, required=True)\n'
            for n in sizes
        ),
        dims="".join(f", {n}=options.size_{n}" for n in sizes),
        batches=", batch_size=options.batch_size, seed=options.seed" if samples else "",
        host=f"{file.lib}.asnumpy(p)" if device else "p",
        **names,
    )
    return [body.rstrip().split("\n"), command.rstrip().split("\n")]


def _drawn(model: Model) -> tuple[Field, ...]:
    """Return the noise that the loop draws itself: where it needs no size but that of the batch."""
    return () if noise_sizes(model) else noise_fields(model)


def main(closing: list[str]) -> list[str]:
    """Print what the file does when it is run: train where that is asked for, else check."""
    head = ['if __name__ == "__main__" and any(a.startswith("--train") for a in sys.argv[1:]):']
    rest = [f"el{closing[0]}", *closing[1:]] if closing else []
    return [*head, *indented(["_command_line()"]), *rest]
