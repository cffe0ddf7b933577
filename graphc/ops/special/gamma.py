"""The gamma function and its relatives, in NumPy; emitted files carry the source.

Between small arguments, where polynomials were fitted to mpmath at Chebyshev points (in
(x − √2) / (x + √2) or its like, which moves the poles away), and Stirling's series (DLMF 5.11),
whose remainder is a polynomial as well. Negative arguments by reflection (DLMF 5.5).
"""

from typing import Any

import numpy as np

from graphc.ops.special.elementary import polynomial, wide

GAMMALN = (
    0.08683850165795921,
    -0.09424076153672215,
    -0.040867789142617024,
    0.043738438960899476,
    0.04828346034555645,
    -0.052885137850537785,
    0.015332497049525058,
    -0.01761830424318168,
    0.026700839890059006,
    -0.030379204583772235,
    0.02794274316175977,
    -0.032418928994881586,
    0.031700023399753606,
    -0.037533177939082465,
    0.036274102291895025,
    -0.04415518380810982,
    0.0424167249158191,
    -0.05366177279398603,
    0.05104797989536516,
    -0.06840881508078672,
    0.06404151163651638,
    -0.09443623459710689,
    0.08568734514091136,
    -0.15330435563456518,
    0.12874972568266774,
    -0.44544939667394484,
    0.4961340364972993,
)
GAMMA = (
    97617.56700374048,
    62166.324379457765,
    24205.454702279665,
    15020.822112016498,
    10235.07402589782,
    6253.144820174639,
    3746.612519085161,
    2236.0499922464455,
    1322.2481561355205,
    767.2018669726791,
    441.94682433171727,
    246.8736293970849,
    138.74219307868043,
    72.9414956512866,
    40.70320007573035,
    18.764837845180757,
    11.431509114784816,
    3.373506067938123,
    3.4772061515454697,
    -0.11763203121551495,
    0.8865814287192592,
)
STIRLING = (
    6.653396422514748,
    -5.724231505133728,
    2.348297111372058,
    -0.6346190865706115,
    0.13605466944124706,
    -0.027601910018978465,
    0.006346110578292672,
    -0.0019160464198791072,
    0.0008417282394032359,
    -0.0005952378854503139,
    0.000793650792622404,
    -0.0027777777777757695,
    0.08333333333333333,
)
DIGAMMA = (
    1.3325204900008019,
    -1.3343513024535765,
    0.48101688388323066,
    -0.48204544067831023,
    0.7173805227339664,
    -0.718990369520906,
    0.6797420935264918,
    -0.6817297287956705,
    0.6831871031838831,
    -0.685797514777505,
    0.6825234793657126,
    -0.6860940716908374,
    0.6818507629688647,
    -0.6870426056267349,
    0.6806799474566279,
    -0.6890177861516823,
    0.6787474774711862,
    -0.695067676658822,
    0.6777531348973292,
    -0.7262245808988469,
    0.7010428535500491,
    -1.0429558187320058,
    0.7853075386041053,
)
DIGAMMA_TAIL = (
    16.272492444252475,
    -7.874672567242462,
    2.0004758503978333,
    -0.3992958066655563,
    0.08204835156459736,
    -0.021067490343790643,
    0.007575437694477858,
    -0.004166664261695412,
    0.003968253958849537,
    -0.008333333333318827,
    0.08333333333333333,
)
# B(2j) / (2j)!, Bernoulli's numbers, for the formula of Euler and Maclaurin.
BERNOULLI = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
)


def stirling(x: Any) -> Any:
    """The logarithm of Γ(x) less its leading terms (x − 1/2) log x − x + log √(2π), for x ≥ 3."""
    return polynomial(1 / (x * x), STIRLING) / x


def fraction(x: Any) -> Any:
    """Return x less the nearest whole number: sin(πx) is exact to rounding with it."""
    return np.where(np.isinf(x), np.nan, x - np.rint(x))


def gammaln_positive(x: Any) -> Any:
    """Log Γ(x) for x > 0: a fitted polynomial below 4, Stirling's form (DLMF 5.11.1) above."""
    low = x < 0.5
    near = np.minimum(np.where(low, x + 1, x), 4)
    t = (near - 1.4142135623730951) / (near + 1.4142135623730951)
    small = (near - 1) * (near - 2) * polynomial(t, GAMMALN)
    small = small - np.where(low, np.log(np.where(low, x, 1)), 0)
    far = np.maximum(x, 4)
    large = (far - 0.5) * (np.log(far) - 1) + (0.4189385332046727 + stirling(far))
    return np.where(x < 4, small, large)


def gammaln(x: Any) -> Any:
    """Return log |Γ(x)|. Largest error: 3 ulp for x > 0; below 0 relative to 1 near zeros."""
    x = wide(x)
    size = np.abs(x)
    positive = gammaln_positive(size)
    sine = size * np.abs(np.sin(np.pi * fraction(x)))
    below = 1.1447298858494002 - np.log(sine) - positive
    return np.where(x > 0, positive, np.where(np.isinf(x), np.inf, below))


def gamma_positive(x: Any) -> Any:
    """Γ(x) for x > 0, below 4 by a fitted polynomial, above by Stirling's form (DLMF 5.11.3).

    The power is taken in two halves, for it overflows before Γ does.
    """
    near = np.minimum(x, 4)
    factor = np.where(near >= 2, near - 1, 1) * np.where(near >= 3, near - 2, 1)
    factor = factor / np.where(x < 1, x, 1)
    near = np.where(near < 1, near + 1, np.where(near >= 3, near - 2, near - (near >= 2)))
    t = (near - 1.4142135623730951) / (near + 1.4142135623730951)
    small = factor * polynomial(t, GAMMA)
    far = np.clip(x, 4, 200)
    root = np.power(far, 0.5 * far - 0.25)
    large = 2.5066282746310002 * root * np.exp(-far) * root * np.exp(stirling(far))
    return np.where(x < 4, small, large)


def gamma(x: Any) -> Any:
    """Γ(x); not a number at whole numbers below 0. Largest error: 6 ulp."""
    x = wide(x)
    positive = gamma_positive(np.abs(x))
    sign = np.where(np.rint(x) % 2 == 0, 1, -1)
    sine = sign * x * np.sin(np.pi * fraction(x))
    below = np.where(sine == 0, np.nan, -np.pi / (np.where(sine == 0, 1, sine) * positive))
    return np.where(x > 0, positive, np.where(x == 0, np.copysign(np.inf, x), below))


def digamma_positive(x: Any) -> Any:
    """The derivative of log Γ for x > 0, from 4 on by its asymptotic form (DLMF 5.11.2).

    The polynomial below was fitted after its root near 1.46, given in two parts, was divided out.
    """
    low = x < 1
    near = np.minimum(np.where(low, x + 1, x), 4)
    t = (near - 2) / (near + 2)
    small = ((near - 1.4616321449683622) - 9.549995429965697e-17) * polynomial(t, DIGAMMA)
    small = small - np.where(low, 1 / np.where(low, x, 1), 0)
    far = np.maximum(x, 4)
    large = np.log(far) - (0.5 + polynomial(1 / far / far, DIGAMMA_TAIL) / far) / far
    return np.where(x < 4, small, large)


def digamma(x: Any) -> Any:
    """The derivative of log Γ. Largest error: 3 ulp for x > 0."""
    x = wide(x)
    positive = digamma_positive(np.abs(x))
    part = fraction(np.minimum(x, 0))
    cotangent = np.pi / np.tan(np.pi * np.where(part == 0, np.nan, part))
    below = positive + 1 / np.where(x == 0, 1, np.abs(x)) - cotangent
    return np.where(x > 0, positive, np.where(x == 0, -np.copysign(np.inf, x), below))


def polygamma_positive(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma for n ≥ 1 and x > 0, by Euler and Maclaurin (DLMF 25.11)."""
    s, shift = n + 1, 10 + n
    far = x + shift
    factor = s * 1.0
    tail = np.zeros_like(far)
    rest = 1 / far
    for j, number in enumerate(BERNOULLI):
        tail = tail + number * factor * rest
        factor = factor * (s + 2 * j + 1) * (s + 2 * j + 2)
        rest = rest / far / far
    total = (1 / (s - 1) + (0.5 / far + tail / far)) * far ** (1.0 - s)
    for k in range(shift - 1, -1, -1):
        total = total + (x + k) ** (-1.0 * s)
    scale = -1.0
    for k in range(n):
        scale = -scale * (k + 1)
    return scale * total


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma, n a whole number. Largest error: 6 ulp, x > 0.

    Below 0 by the derivatives of π cot(πx), which are polynomials in the cotangent.
    """
    x = wide(x)
    if n == 0:
        return digamma(x)
    part = fraction(np.minimum(x, 0))
    cotangent = 1 / np.tan(np.pi * np.where(part == 0, np.nan, part))
    terms = [0, 1]  # coefficients of a polynomial in the cotangent, lowest first
    for _ in range(n):
        slope = [k * c for k, c in enumerate(terms)][1:]
        terms = [0] * (len(slope) + 2)
        for k, c in enumerate(slope):
            terms[k] -= c
            terms[k + 2] -= c
    swing = np.pi ** (n + 1) * polynomial(cotangent, terms[::-1])
    sign = (-1) ** n
    below = sign * polygamma_positive(n, 1 - np.minimum(x, 0)) - swing
    at_zero = np.copysign(np.inf, x) if n % 2 == 0 else np.inf
    positive = polygamma_positive(n, np.where(x > 0, x, 1))
    return np.where(x > 0, positive, np.where(x == 0, -sign * at_zero, below))


def betaln(a: Any, b: Any) -> Any:
    """Return log |Γ(a) Γ(b) / Γ(a + b)|, without the cancellation that large arguments bring.

    Largest error: 20 ulp, relative to 1 where it is less.
    """
    a, b = wide(a), wide(b)
    small, large = np.minimum(a, b), np.maximum(a, b)
    plain = gammaln(a) + gammaln(b) - gammaln(a + b)
    big = np.maximum(large, 8)
    fair = np.maximum(small, 0)
    both = big + fair
    change = stirling(big) - stirling(both)
    one = (
        gammaln(np.where(small > 0, small, 1))
        - (both - 0.5) * np.log1p(fair / big)
        - fair * (np.log(big) - 1)
        + change
    )
    fair = np.maximum(small, 8)
    both = big + fair
    change = change * 0 + stirling(big) + stirling(fair) - stirling(both)
    two = (
        0.9189385332046727
        - 0.5 * np.log(big)
        - (fair - 0.5) * np.log1p(big / fair)
        - big * np.log1p(fair / big)
        + change
    )
    far = np.where(small >= 8, two, one)
    return np.where((large >= 8) & (small > 0), far, plain)


def beta(a: Any, b: Any) -> Any:
    """Γ(a) Γ(b) / Γ(a + b). Largest error: 8 ulp where a + b ≤ 170."""
    a, b = wide(a), wide(b)
    total = a + b
    lost = (a - (total - b)) + (b - (total - (total - b)))  # what rounding the sum lost
    fair = (a > 0) & (b > 0) & (total > 1)
    change = 1 + np.where(fair, lost * np.log(np.where(fair, total, 1)), 0)
    direct = gamma(a) * (gamma(b) / gamma(total)) / change
    return np.where(fair & (total > 170), np.exp(betaln(a, b)), direct)
