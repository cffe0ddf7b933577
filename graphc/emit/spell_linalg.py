"""Linear algebra: NumPy's own functions, and those that it lacks, as functions of the file."""

from __future__ import annotations

from graphc.emit.dialect import Dialect, Spelled, Speller
from graphc.ops.linalg import Linalg

SOLVE_TRIANGULAR = '''def {name}(a, b, lower, unit):
    """Solve a x = b, of a one triangle read; `unit`: its diagonal not read, taken for 1.

    Blocks of 64 rows, each of which subtracts what is known before it solves its triangle.
    """
    size = a.shape[-1]
    vector = b.ndim == 1
    b = b[:, None] if vector else b
    x = {lib}.empty_like(b)
    starts = {range}(0, size, 64)
    for start in starts if lower else {reversed}(starts):
        stop = {min}(start + 64, size)
        rows = {slice}(start, stop)
        known = {slice}(0, start) if lower else {slice}(stop, size)
        block = a[..., rows, rows]
        block = {lib}.tril(block) if lower else {lib}.triu(block)
        if unit:
            block = {lib}.where({lib}.eye(stop - start, dtype={bool}), 1, block)
        rest = b[..., rows, :] - a[..., rows, known] @ x[..., known, :]
        x[..., rows, :] = {lib}.linalg.solve(block, rest)
    return x[:, 0] if vector else x
'''

COFACTORS = '''def {name}(x):
    """The matrices of cofactors, det(x) inv(x).T, which exist where x is singular too.

    With x = u s vt they are det(u) det(vt) u p vt, where p multiplies all other singular values.
    """
    u, s, vt = {lib}.linalg.svd(x)
    p = {lib}.where({lib}.eye(s.shape[-1], dtype={bool}), 1, s[..., None, :]).prod(axis=-1)
    sign = {lib}.sign({lib}.linalg.det(u) * {lib}.linalg.det(vt))
    return sign[..., None, None] * ((u * p[..., None, :]) @ vt)
'''

EXPM = '''def {name}(x):
    """The exponentials of matrices: the Padé approximant of x / 2**s, squared s times.

    N. Higham, "The scaling and squaring method for the matrix exponential revisited", SIAM J.
    Matrix Anal. Appl. 26 (2005), with the approximant of degree 13 throughout.
    """
    norm = {lib}.abs(x).sum(axis=-2).max(axis=-1)
    s = {lib}.ceil({lib}.log2({lib}.maximum(norm / 5.371920351148152, 1)))
    s = {lib}.where({lib}.isfinite(s), s, 0)
    x = x / 2 ** s[..., None, None]
    one = {lib}.eye(x.shape[-1], dtype=x.dtype)
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    u = x6 @ (x6 / 64764752532480000 + x4 / 3953892096000 + x2 / 1585785600)
    u = x @ (u + x6 / 1932000 + x4 * (3 / 18400) + x2 * (11 / 600) + one / 2)
    v = x6 @ (x6 / 355850288640000 + x4 / 67395888000 + x2 / 48944000)
    v = v + x6 / 96600 + x4 * (11 / 5520) + x2 * (3 / 25) + one
    y = {lib}.linalg.solve(v - u, v + u)
    for k in {range}({int}(s.max())):
        y = {lib}.where((k < s)[..., None, None], y @ y, y)
    return y
'''

EXPM_FRECHET = '''def {name}(x, e):
    """The derivatives of exponentials of matrices at x along e, a corner of a larger exponential.

    N. Higham, "Functions of Matrices" (2008), theorem 3.6. They are linear in e, which is scaled
    so that it does not ask for more squarings than x does.
    """
    n = x.shape[-1]
    scale = {lib}.abs(e).max(axis=(-2, -1), keepdims=True)
    scale = {lib}.where(scale > 0, scale, 1)
    both = {lib}.zeros((*x.shape[:-2], 2 * n, 2 * n), x.dtype)
    both[..., :n, :n] = both[..., n:, n:] = x
    both[..., :n, n:] = e / scale
    return scale * {expm}(both)[..., :n, n:]
'''

HELPERS = {
    "solve_triangular": SOLVE_TRIANGULAR,
    "cofactors": COFACTORS,
    "expm": EXPM,
    "expm_frechet": EXPM_FRECHET,
}


def spell_linalg(node: Linalg, of: Speller, dialect: Dialect) -> Spelled:
    """Spell a matrix function; of several results, all that the statement names."""
    texts = [of(arg).text for arg in node.args]
    match node.function:
        case "svd":
            texts.append("full_matrices=False")
        case "svdvals":  # CuPy has no function of this name
            return Spelled(f"{dialect.lib}.linalg.svd({texts[0]}, compute_uv=False)")
        case "solve_triangular":
            lower, unit = node.options
            texts += [str(lower), str(unit)]
        case "pinv" | "matrix_rank" if node.options[0] is not None:
            texts.append(_cutoff(node, dialect))
    if node.function in HELPERS:
        return Spelled(f"{_helper(node.function, dialect)}({', '.join(texts)})")
    return Spelled(f"{dialect.lib}.linalg.{node.function}({', '.join(texts)})")


def _cutoff(node: Linalg, dialect: Dialect) -> str:
    """Spell what counts as 0; ``True`` is the rounding error of a matrix of this size."""
    (cutoff,) = node.options
    if cutoff is not True:
        return repr(cutoff)
    rows, columns = node.args[0].shape[-2:]
    if isinstance(rows, int) and isinstance(columns, int):
        size = str(max(rows, columns))
    else:
        size = f"{dialect.names.own('max')}({dialect.dim(rows)}, {dialect.dim(columns)})"
    return f"{size} * {dialect.lib}.finfo({dialect.dtype}).eps"


def _helper(function: str, dialect: Dialect) -> str:
    name = f"_{function}"
    builtins = ("range", "reversed", "min", "slice", "int", "bool")
    words = {word: dialect.names.own(word) for word in builtins}
    if function == "expm_frechet":
        words["expm"] = _helper("expm", dialect)
    dialect.helpers[name] = HELPERS[function].format(name=name, lib=dialect.lib, **words)
    return name
