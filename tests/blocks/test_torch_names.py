"""Every name and option of torch.nn: here with the same default, or refused in words that help."""

import ast
import inspect
import re

import pytest

import graphc as gc
from graphc import blocks
from graphc.blocks.torch_names import ABSENT, CALLED, WRITTEN, told
from graphc.errors import UsageError

# What a module's constructor or a function takes as arrays, hence as inputs here.
ARRAYS = (
    *("input", "target", "other", "input1", "input2", "x1", "x2", "tensor", "anchor", "positive"),
    *("negative", "query", "key", "value", "logits", "log_probs", "targets", "indices", "tgt"),
    *("input_lengths", "target_lengths", "src"),
)
# Arrays that may be left out, and so have the same name here.
OPTIONAL_ARRAYS = ("weight", "bias", "pos_weight", "attn_mask", "var")
# Where the default is another one, and why.
OTHER_DEFAULTS = {
    ("alpha_dropout", "training"): "who gives noise is training",
    ("one_hot", "num_classes"): "-1 stands for the largest class of the data, not known here",
    ("softplus", "threshold"): "there is no overflow to guard against",
    **{
        (f"Transformer{part}", option): why
        for part in ("", "EncoderLayer", "DecoderLayer")
        for option, why in (
            ("dropout", "what drops needs noise in every call, so it is asked for"),
            ("activation", "graphc's own function"),
        )
    },
}
# Functions for other functions' use, aliases, and what the modules cover.
NO_OPERATION = re.compile(
    "Optional|assert_int_or_pair|boolean_dispatch|.*handle_torch_function|has_torch_function.*|"
    ".*_with_indices|native_channel_shuffle|grouped_mm|scaled_grouped_mm|scaled_mm"
)


def modules(torch):
    found = {}
    for name in dir(torch.nn):
        made = getattr(torch.nn, name)
        if inspect.isclass(made) and issubclass(made, torch.nn.Module) and name[0] != "_":
            found[name] = made
    return found


def functions(torch):
    names = [n for n in dir(torch.nn.functional) if n[0] != "_" and n[-1] != "_"]
    found = {n: getattr(torch.nn.functional, n) for n in names}
    return {
        n: f
        for n, f in found.items()
        if callable(f) and not inspect.isclass(f) and not NO_OPERATION.fullmatch(n)
    }


def test_every_name_of_torch_is_here_or_told_about(torch):
    names = {*modules(torch), *functions(torch)}
    here = {n for n in names if n in blocks.__all__}
    missing = {n for n in names - here if told(n) is None}
    assert not missing
    assert len(names) > 250
    for name in names - here:
        with pytest.raises(AttributeError, match="one of torch.nn: "):
            getattr(gc, name)


def test_the_tables_name_what_there_is():
    tables = (CALLED, WRITTEN, ABSENT)
    assert sum(map(len, tables)) == len({*CALLED, *WRITTEN, *ABSENT})
    assert not {*CALLED, *WRITTEN, *ABSENT} & {*blocks.__all__}
    assert {*CALLED.values()} <= {*blocks.__all__}
    for text in (*WRITTEN.values(), *ABSENT.values()):
        for name in re.findall(r"gc\.(\w+)", text):
            assert hasattr(gc, name) or name == "max_pool", name


def arguments(made):
    """The arguments of a module or function of torch, with their defaults."""
    try:
        found = inspect.signature(made).parameters.values()
        if made.__name__ not in ("RNN", "LSTM", "GRU") and (
            inspect.isclass(made) or not any(a.kind is a.VAR_POSITIONAL for a in found)
        ):
            kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
            return {a.name: a.default for a in found if a.kind not in kinds}
    except ValueError:
        pass
    if inspect.isclass(made):  # recurrent modules take anything, and document what they take
        return recurrent(made)
    parsed = re.search(r"(\w+)\((.*?)\) ?->", made.__doc__ or "", re.DOTALL)
    if parsed is None:
        return {}
    given = ast.parse(f"def f({parsed[2].replace(chr(10), ' ')}): pass").body[0].args
    names = [a.arg for a in (*given.args, *given.kwonlyargs)]
    defaults = [ast.literal_eval(d) for d in given.defaults]
    rest = [ast.literal_eval(d) for d in given.kw_defaults]
    empty = [inspect.Parameter.empty] * (len(given.args) - len(defaults))
    return dict(zip(names, [*empty, *defaults, *rest], strict=True))


def recurrent(made):
    named = {
        *{"input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"},
        *{"bidirectional"},
    }
    more = {"RNN": {"nonlinearity"}, "LSTM": {"proj_size"}, "GRU": set()}[made.__name__]
    listed = set(re.findall(r"^        (\w+):", made.__doc__, re.MULTILINE))
    assert named | more <= listed
    told = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
    told |= {"bidirectional": False, "nonlinearity": "tanh", "proj_size": 0}
    return {n: told.get(n, inspect.Parameter.empty) for n in sorted(named | more)}


def pairs(torch):
    """Each block here with torch's module and function of it."""
    for name, made in {**modules(torch), **functions(torch)}.items():
        own = name if name in blocks.__all__ else CALLED.get(name)
        if own is not None and not name.startswith("Lazy"):
            yield name, own, made


def test_every_option_of_torch_is_here_or_refused(torch):
    compared, refused, wrong, differ = 0, 0, [], set()
    for name, own, made in pairs(torch):
        block = getattr(gc, own)
        for option, default in arguments(made).items():
            if option in ("_stacklevel", *ARRAYS):
                continue
            if option in block.refused:
                refused += 1
                with pytest.raises(UsageError, match=f"no option '{option}': "):
                    block.refuse([option])
            elif option in block.options:
                compared += 1
                mine = block.options[option]
                if default not in (mine, inspect.Parameter.empty):
                    differ.add((own, option))
                    if (own, option) in OTHER_DEFAULTS:
                        continue
                    wrong.append((name, own, option, default, mine))
            elif option in block.dims or option in block.inputs:
                compared += 1
            else:
                wrong.append((name, own, option, default, "missing"))
    assert not wrong, "\n".join(map(str, wrong))
    assert differ == {*OTHER_DEFAULTS}
    assert compared > 300
    assert refused > 100


def test_where_pytorch_s_order_is_another_one_names_are_needed():
    for make in (
        lambda: gc.Linear(64, 10),
        lambda: gc.Bilinear(3, 4, 5),
        lambda: gc.Conv2d(3, 16, 3),
        lambda: gc.ConvTranspose1d(3, 16, 3),
        lambda: gc.LSTM(10, 20),
        lambda: gc.GRUCell(10, 20),
    ):
        with pytest.raises(UsageError, match="the sizes of inputs follow from the inputs"):
            make()
