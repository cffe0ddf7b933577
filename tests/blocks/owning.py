"""Blocks that own parameters, as functions of them."""

from graphc.ir.program import rewrite_nodes
from graphc.language.variable import Variable


def owning(make, *names, count=1):
    """``f(*inputs, *parameters)`` that calls a block made anew on `count` inputs.

    The block's own parameters called `names` are replaced by the variables given after them.
    """

    def build(*given):
        block = make()
        results = block(*given[:count])
        several = results if isinstance(results, tuple) else (results,)
        own = dict(several[0].call.parameters)
        assert set(own) == set(names), f"the block's parameters are {list(own)}"
        values = {own[n].node: v.node for n, v in zip(names, given[count:], strict=True)}
        for n, v in zip(names, given[count:], strict=True):
            assert own[n].shape == v.shape, n
        new, _ = rewrite_nodes([v.node for v in several], (values.get,))
        replaced = tuple(Variable(new[v.node], operands=given) for v in several)
        return replaced if isinstance(results, tuple) else replaced[0]

    return build
