"""Special functions: error functions, the gamma family, Bessel functions, entropies."""

from __future__ import annotations

from collections.abc import Callable

from graphc.ir.terms import Num, Term
from graphc.ops.scalars.table import ANY, HALF, INSIDE, PI, POSITIVE, fn, ordered, row
from graphc.ops.special import bessel, elementary, erf, gamma

_exp, _log, _log1p, _sign, _ratio = fn("exp"), fn("log"), fn("log1p"), fn("sign"), fn("ratio")
_ierfcx, _erfcx, _mills, _excess = (
    fn("ierfcx"), fn("erfcx"), fn("inverse_mills"), fn("normal_mean_excess"),
)  # fmt: skip
_digamma, _polygamma, _iv, _ive = fn("digamma"), fn("polygamma"), fn("iv"), fn("ive")
_jv = fn("jv")

_GAUSS = 2 * PI ** Num(-HALF.value)  # 2 / √π

# Error functions and the normal distribution.
row("erf", lambda x, y: _GAUSS * _exp(-(x**2)), evaluate=erf.erf)
row("erfc", lambda x, y: -_GAUSS * _exp(-(x**2)), evaluate=erf.erfc)
row("erfcx", lambda x, y: -2 * _ierfcx(x), evaluate=erf.erfcx)
row("ierfcx", lambda x, y: 2 * x * y - _erfcx(x), evaluate=erf.ierfcx)
row("erfinv", lambda x, y: HALF * PI**HALF * _exp(y**2), evaluate=erf.erfinv, domain=(INSIDE,))
row("erfcinv", lambda x, y: -HALF * PI**HALF * _exp(y**2), evaluate=erf.erfcinv,
    domain=((0.1, 1.9),))  # fmt: skip
row("ndtr", lambda x, y: (2 * PI) ** Num(-HALF.value) * _exp(-HALF * x**2), evaluate=erf.ndtr)
row("log_ndtr", lambda x, y: _mills(x), evaluate=erf.log_ndtr)
row("inverse_mills", lambda x, y: -y * _excess(x), evaluate=erf.inverse_mills)
row("normal_mean_excess", lambda x, y: 1 - _mills(x) * y, evaluate=erf.normal_mean_excess)
row("ndtri", lambda x, y: (2 * PI) ** HALF * _exp(HALF * y**2), evaluate=erf.ndtri,
    domain=((0.05, 0.95),))  # fmt: skip
# The gamma function and its relatives.
row("gamma", lambda x, y: y * _digamma(x), evaluate=gamma.gamma, domain=(POSITIVE,))
row("gammaln", lambda x, y: _digamma(x), evaluate=gamma.gammaln, domain=(POSITIVE,))
row("digamma", lambda x, y: _polygamma(1, x), evaluate=gamma.digamma, domain=(POSITIVE,))
row("polygamma", None, lambda n, x, y: _polygamma(n + 1, x), kind=ordered, discrete=(0,),
    evaluate=gamma.polygamma, domain=(ANY, POSITIVE))  # fmt: skip
row("beta", lambda a, b, y: y * (_digamma(a) - _digamma(a + b)),
    lambda a, b, y: y * (_digamma(b) - _digamma(a + b)), evaluate=gamma.beta,
    domain=(POSITIVE, POSITIVE))  # fmt: skip
row("betaln", lambda a, b, y: _digamma(a) - _digamma(a + b),
    lambda a, b, y: _digamma(b) - _digamma(a + b), evaluate=gamma.betaln,
    domain=(POSITIVE, POSITIVE))  # fmt: skip


# Modified Bessel functions of whole order; `ive` is scaled by exp(-|x|).
def _between(function: Callable[..., Term], n: Term, x: Term) -> Term:
    """Return the mean of the neighbours in order; I(−1, x) is I(1, x)."""
    return function(1, x) if n == Num(0) else HALF * (function(n - 1, x) + function(n + 1, x))


def _slope(n: Term, x: Term) -> Term:
    """Return the derivative of J(n, x); J(−1, x) is −J(1, x)."""
    return -_jv(1, x) if n == Num(0) else HALF * (_jv(n - 1, x) - _jv(n + 1, x))


row("iv", None, lambda n, x, y: _between(_iv, n, x), kind=ordered, discrete=(0,),
    evaluate=bessel.iv)  # fmt: skip
row("ive", None, lambda n, x, y: _between(_ive, n, x) - _sign(x) * y, kind=ordered, discrete=(0,),
    evaluate=bessel.ive)  # fmt: skip

# The Bessel function of the first kind, of whole order.
row("jv", None, lambda n, x, y: _slope(n, x), kind=ordered, discrete=(0,),
    evaluate=bessel.jv)  # fmt: skip

# Entropies. x log y is 0 for every y where x is 0, so its derivative by y is 0 there too.
row("xlogy", lambda x, y, z: _log(y), lambda x, y, z: _ratio(x, y), evaluate=elementary.xlogy,
    domain=(ANY, POSITIVE))  # fmt: skip
row("xlog1py", lambda x, y, z: _log1p(y), lambda x, y, z: _ratio(x, 1 + y),
    evaluate=elementary.xlog1py, domain=(ANY, POSITIVE))  # fmt: skip
row("entr", lambda x, y: -_log(x) - 1, evaluate=elementary.entr, domain=(POSITIVE,))
row("rel_entr", lambda x, y, z: _log(x / y) + 1, lambda x, y, z: -_ratio(x, y),
    evaluate=elementary.rel_entr, domain=(POSITIVE, POSITIVE))  # fmt: skip
row("kl_div", lambda x, y, z: _log(x / y), lambda x, y, z: 1 - _ratio(x, y),
    evaluate=elementary.kl_div, domain=(POSITIVE, POSITIVE))  # fmt: skip
