"""Formulas as SymPy expressions. SymPy is loaded when one is asked for, and not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from math import prod
from typing import Any

from graphc.calculus.index_terms import Index, LogSumExp, Softmax, walk
from graphc.calculus.matrix_terms import Matrix, ones, transposed
from graphc.calculus.presenting import length, with_indices
from graphc.errors import FormulaError
from graphc.ir.nodes import Node
from graphc.ir.terms import (
    Add,
    Apply,
    Best,
    Delta,
    Determinant,
    Extent,
    Inverse,
    Mul,
    Num,
    Product,
    Ref,
    Sum,
    Symbol,
    Term,
)
from graphc.types import Dim, names_in

Names = Mapping[Node, str]
_SAME_NAME = "exp log sin cos tan sinh cosh tanh sign erf erfc erfinv gamma digamma polygamma beta"
_OTHER_NAME = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "arctan2": "atan2",
    "absolute": "Abs",
    "floor": "floor",
    "ceil": "ceiling",
    "power": "Pow",
    "remainder": "Mod",
    "gammaln": "loggamma",
    "iv": "besseli",
    "jv": "besselj",
    "spherical_jn": "jn",
    "heaviside": "Heaviside",
}
MOST_COMPARED = 64  # elements of which SymPy is given the largest, one by one
MOST_WRITTEN = 400  # symbols in these, all together


def sympy_term(term: Term, names: Names) -> Any:
    """Return a presented term with ``Indexed``, ``Sum`` and ``KroneckerDelta``."""
    import sympy as sp

    def of(part: Term) -> Any:
        return sympy_term(part, names)

    match term:
        case Num(value):
            return sp.Rational(value) if not isinstance(value, float) else sp.Float(value)
        case Extent(dim):
            return sympy_size(dim)
        case Symbol(name):
            return sp.Symbol(name, integer=True)
        case Ref(tensor, indices):
            return _element(tensor, tuple(map(of, indices)), names)
        case Delta(left, right):
            return sp.KroneckerDelta(of(left), of(right))
        case Add(terms):
            return sp.Add(*map(of, terms))
        case Mul(factors):
            return sp.Mul(*map(of, factors))
        case Sum(index, extent, body):
            return _over(sp.Sum, of(body), _range(index, extent))
        case Product(index, extent, body):
            return _over(sp.Product, of(body), _range(index, extent))
        case Best(function, index, extent, body):
            return _best(function, body, index, extent, of)
        case Softmax(body, indices, at):
            own = with_indices(body, dict(zip(indices, at, strict=True)))
            return sp.exp(of(own)) / _sum_of_exponentials(of(body), indices)
        case LogSumExp(body, indices):
            return sp.log(_sum_of_exponentials(of(body), indices))
        case Inverse(row, column, _, Ref(tensor, (one, two)), at) if (one, two) == (row, column):
            return sp.Inverse(_matrix_symbol(tensor, names))[tuple(map(of, at))]
        case Determinant(function, row, column, _, Ref(tensor, (one, two))) if (one, two) == (
            row,
            column,
        ):
            return _determinant(function, _matrix_symbol(tensor, names))
        case Apply(function, args):
            return sympy_function(function)(*map(of, args))
    raise FormulaError(f"{type(term).__name__} has no SymPy form")


def _element(tensor: Node, indices: tuple[Any, ...], names: Names) -> Any:
    import sympy as sp

    name = names.get(tensor, "c")
    if not indices:
        return sp.Symbol(
            name, **({"integer": True} if tensor.kind == "integer" else {"real": True})
        )
    return sp.Indexed(sp.IndexedBase(name, shape=tuple(map(sympy_size, tensor.shape))), *indices)


def _matrix_symbol(tensor: Node, names: Names) -> Any:
    import sympy as sp

    return sp.MatrixSymbol(names.get(tensor, "c"), *map(sympy_size, tensor.shape))


def _range(index: Symbol, extent: Dim) -> tuple[Any, Any, Any]:
    import sympy as sp

    return sp.Symbol(index.name, integer=True), sp.Integer(0), sympy_size(extent) - 1


def _sum_of_exponentials(body: Any, indices: tuple[Index, ...]) -> Any:
    import sympy as sp

    return _over(sp.Sum, sp.exp(body), *(_range(index, index.extent) for index in indices))


def _over(kind: Any, body: Any, *runs: tuple[Any, Any, Any]) -> Any:
    """Return a sum or product.

    SymPy's constructors draw cases out of the body, at a cost exponential in their number: with
    cases in it, the sum is put together as it stands.
    """
    import sympy as sp

    if not body.has(sp.Piecewise):
        return kind(body, *runs)
    limits = [sp.Tuple(*run) for run in runs]
    if isinstance(body, kind):
        body, limits = body.function, [*body.limits, *limits]
    made = sp.Expr.__new__(kind, body, *limits)
    made.is_commutative = True
    return made


def _best(function: str, body: Term, index: Symbol, extent: Dim, of: Callable[..., Any]) -> Any:
    """Return the extreme over an index, of the elements one by one where they are few."""
    import sympy as sp

    if isinstance(extent, int) and _are_few(extent, body):
        parts = [of(with_indices(body, {index: Num(value)})) for value in range(extent)]
        return _extreme("Max" if function == "max" else "Min")(*parts)
    return sp.Function(function)(of(body), sp.Tuple(*_range(index, extent)))


def _are_few(count: int, body: Term) -> bool:
    parts = list(walk(body))
    if any(isinstance(part, Apply) and part.function == "where" for part in parts):
        return False  # SymPy sorts and compares cases for minutes
    inner = [part.extent for part in parts if isinstance(part, Best)]
    if not all(isinstance(extent, int) for extent in inner):
        return False
    count *= prod(map(int, inner))  # type: ignore[arg-type]
    return count <= MOST_COMPARED and count * length(body) <= MOST_WRITTEN


def _extreme(name: str) -> Callable[..., Any]:
    """Return SymPy's Max or Min, which compares what is plain and leaves all else as it is."""

    def made(*args: Any) -> Any:
        import sympy as sp

        plain = all(arg.is_number or arg.is_Symbol or arg.is_Indexed for arg in args)
        return getattr(sp, name)(*dict.fromkeys(args), evaluate=plain)

    return made


def _relation(name: str, function: str) -> Callable[..., Any]:
    """Return an indicator of a relation, which SymPy tests where both sides are numbers.

    Where a side holds cases, it is a function without a definition: SymPy draws cases out of
    conditions, and the indices of sums with them.
    """

    def made(a: Any, b: Any) -> Any:
        import sympy as sp

        if a.has(sp.Piecewise) or b.has(sp.Piecewise):
            return sp.Function(function)(a, b)
        plain = a.is_number and b.is_number
        return _cases(getattr(sp, name)(a, b, evaluate=plain), sp.Integer(1), sp.Integer(0))

    return made


def _where(indicator: Any, yes: Any, no: Any) -> Any:
    """Return one of two values, by a number that is 1 or 0."""
    import sympy as sp

    if isinstance(indicator, sp.Piecewise) and indicator.args[1:] == ((0, sp.true),):
        value, condition = indicator.args[0]
        if value == 1 and not condition.has(sp.Piecewise):
            return _cases(condition, yes, no)
    if indicator.has(sp.Piecewise):
        return sp.Function("where")(indicator, yes, no)
    return _cases(sp.Ne(indicator, 0, evaluate=bool(indicator.is_number)), yes, no)


def _cases(condition: Any, yes: Any, no: Any) -> Any:
    import sympy as sp

    if condition in (sp.true, sp.false):
        return yes if condition else no
    return sp.Piecewise((yes, condition), (no, sp.true), evaluate=False)


def sympy_size(dim: Dim) -> Any:
    """Return a size; named sizes are positive integers."""
    import sympy as sp

    if isinstance(dim, int):
        return sp.Integer(dim)
    symbols = {name: sp.Symbol(name, integer=True, positive=True) for name in names_in(dim)}
    return sp.sympify(str(dim), locals=symbols)


def _normal(x: Any) -> Any:
    import sympy as sp

    return sp.erfc(-x / sp.sqrt(2)) / 2


def _mills(x: Any) -> Any:
    import sympy as sp

    return sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi) / _normal(x)


def _exprel(n: Any, x: Any) -> Any:
    """Return the n-th derivative of the relative exponential."""
    import sympy as sp

    at = sp.Dummy()
    return sp.diff((sp.exp(at) - 1) / at, at, int(n)).subs(at, x)


def _truncated(x: Any) -> Any:
    import sympy as sp

    return sp.sign(x) * sp.floor(sp.Abs(x))


@cache
def _functions() -> Mapping[str, Callable[..., Any]]:
    import sympy as sp

    return {
        **{name: getattr(sp, name) for name in _SAME_NAME.split()},
        **{name: getattr(sp, other) for name, other in _OTHER_NAME.items()},
        "pi": lambda: sp.pi,
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b,
        "negative": lambda x: -x,
        "ratio": lambda a, b: a / b,
        "square": lambda x: x**2,
        "reciprocal": lambda x: 1 / x,
        "sqrt": sp.sqrt,
        "expm1": lambda x: sp.exp(x) - 1,
        "log1p": lambda x: sp.log(1 + x),
        "exp2": lambda x: 2**x,
        "log2": lambda x: sp.log(x, 2),
        "log10": lambda x: sp.log(x, 10),
        "logaddexp": lambda a, b: sp.log(sp.exp(a) + sp.exp(b)),
        "logaddexp2": lambda a, b: sp.log(2**a + 2**b, 2),
        "cbrt": lambda x: sp.real_root(x, 3),
        "hypot": lambda a, b: sp.sqrt(a**2 + b**2),
        "deg2rad": lambda x: x * sp.pi / 180,
        "rad2deg": lambda x: x * 180 / sp.pi,
        "cosm1": lambda x: sp.cos(x) - 1,
        "exprel": _exprel,
        "sinc": lambda x: sp.sinc(sp.pi * x),
        "logit": lambda x: sp.log(x / (1 - x)),
        "erfcx": lambda x: sp.exp(x**2) * sp.erfc(x),
        "ierfcx": lambda x: 1 / sp.sqrt(sp.pi) - x * sp.exp(x**2) * sp.erfc(x),
        "erfcinv": lambda x: sp.erfinv(1 - x),
        "ndtr": _normal,
        "log_ndtr": lambda x: sp.log(_normal(x)),
        "inverse_mills": _mills,
        "normal_mean_excess": lambda x: x + _mills(x),
        "ndtri": lambda p: sp.sqrt(2) * sp.erfinv(2 * p - 1),
        "betaln": lambda a, b: sp.log(sp.beta(a, b)),
        "ive": lambda n, x: sp.exp(-sp.Abs(x)) * sp.besseli(n, x),
        "xlogy": lambda x, y: x * sp.log(y),
        "xlog1py": lambda x, y: x * sp.log(1 + y),
        "entr": lambda x: -x * sp.log(x),
        "rel_entr": lambda x, y: x * sp.log(x / y),
        "kl_div": lambda x, y: x * sp.log(x / y) - x + y,
        "floor_divide": lambda a, b: sp.floor(a / b),
        "fmod": lambda a, b: a - b * _truncated(a / b),
        "trunc": _truncated,
        "integer": _truncated,
        "ldexp": lambda x, n: x * 2**n,
        "left_shift": lambda x, n: x * 2**n,
        "right_shift": lambda x, n: sp.floor(x / 2**n),
        "clip": lambda x, low, high: _extreme("Min")(high, _extreme("Max")(low, x)),
        "copysign": lambda a, b: (
            sp.Abs(a) * (2 * _relation("Ge", "greater_equal")(b, sp.Integer(0)) - 1)
        ),
        "real": lambda x: x,
        "stop_gradient": lambda x: x,
        "relu": lambda x: _extreme("Max")(sp.Integer(0), x),
        "sigmoid": lambda x: 1 / (1 + sp.exp(-x)),
        "softplus": lambda x: sp.log(1 + sp.exp(x)),
        "log_sigmoid": lambda x: -sp.log(1 + sp.exp(-x)),
        "greater": _relation("Gt", "greater"),
        "greater_equal": _relation("Ge", "greater_equal"),
        "less": _relation("Lt", "less"),
        "less_equal": _relation("Le", "less_equal"),
        "equal": _relation("Eq", "equal"),
        "not_equal": _relation("Ne", "not_equal"),
        "logical_and": lambda a, b: a * b,
        "logical_or": lambda a, b: a + b - a * b,
        "logical_xor": lambda a, b: a + b - 2 * a * b,
        "logical_not": lambda a: 1 - a,
        "where": _where,
        "maximum": _extreme("Max"),
        "minimum": _extreme("Min"),
        "fmax": _extreme("Max"),
        "fmin": _extreme("Min"),
    }


def sympy_function(name: str) -> Callable[..., Any]:
    """Return a scalar function of the table; one that SymPy lacks stays a name."""
    import sympy as sp

    return _functions().get(name) or sp.Function(name)


# Matrix notation.


def sympy_matrix(matrix: Matrix, names: Names) -> Any:
    """Return an expression of ``MatrixSymbol``, ``MatMul``, ``Trace`` and their like."""
    args = [sympy_matrix(part, names) for part in matrix.args]
    rule = _HEADS.get(matrix.head)
    return rule(matrix, names) if rule else _composed(matrix, args)


def _composed(matrix: Matrix, args: list[Any]) -> Any:
    import sympy as sp
    from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalOf

    match matrix.head:
        case "add":
            return sp.MatAdd(*args) if matrix.shape else sp.Add(*args)
        case "scaled":
            return sp.MatMul(*args) if matrix.shape else sp.Mul(*args)
        case "chain":
            if len(args) == 2 and matrix.args[0] == transposed(ones(matrix.args[1].shape[0])):
                return _total(args[1])
            product = sp.MatMul(*args)
            return product if matrix.shape else sp.Trace(product)
        case "transpose":
            return sp.Transpose(args[0])
        case "inverse":
            return sp.Inverse(args[0])
        case "kron":
            return sp.KroneckerProduct(*args)
        case "hadamard":
            return sp.HadamardProduct(*args)
        case "diag":
            return DiagMatrix(args[0])
        case "diagonal":
            return DiagonalOf(args[0])
        case "trace":
            return sp.Trace(args[0])
        case "norm":
            return sp.Trace(sp.MatMul(sp.Transpose(args[0]), args[0]))
        case "power":
            exponent = sp.Rational(matrix.value.value)
            return sp.HadamardPower(args[0], exponent) if matrix.shape else args[0] ** exponent
        case "call":
            return _called(matrix, args)
    raise FormulaError(f"{matrix.head} has no SymPy form")


def _called(matrix: Matrix, args: list[Any]) -> Any:
    """Return a function of scalars, of a column, or element by element of one tensor."""
    import sympy as sp

    name = matrix.value
    if name in ("softmax", "logsumexp"):
        element = _letter("t z s", *args)
        powers = args[0].applyfunc(sp.Lambda(element, sp.exp(element)))
        total = _total(powers)
        return sp.log(total) if name == "logsumexp" else sp.MatMul(1 / total, powers)
    if name in ("det", "logdet", "signdet"):
        return _determinant(name, args[0])
    tensors = [i for i, part in enumerate(matrix.args) if part.shape]
    if not tensors:
        return sympy_function(name)(*args)
    if len(tensors) > 1 or not matrix.shape:
        raise FormulaError(f"SymPy has no matrix form of {name}; ask for notation='index'")
    element = _letter("t z s", *args, real=True)
    inside = [element if i in tensors else arg for i, arg in enumerate(args)]
    return args[tensors[0]].applyfunc(sp.Lambda(element, sympy_function(name)(*inside)))


def _letter(letters: str, *expressions: Any, **assumptions: bool) -> Any:
    """Return a symbol with the first of the letters that no expression holds."""
    import sympy as sp

    taken = {symbol.name for part in expressions for symbol in part.free_symbols}
    free = (letter for letter in letters.split() if letter not in taken)
    return sp.Symbol(next(free, "element"), **assumptions)


def _determinant(name: str, matrix: Any) -> Any:
    import sympy as sp

    found = sp.Determinant(matrix)
    if name == "det":
        return found
    return sp.sign(found) if name == "signdet" else sp.log(sp.Abs(found))


def _total(column: Any) -> Any:
    """Return the sum of the elements of a column."""
    import sympy as sp

    row = _letter("k l p q", column, integer=True)
    return sp.Sum(column[row, 0], (row, 0, column.rows - 1))


def _tensor(matrix: Matrix, names: Names) -> Any:
    import sympy as sp

    if not matrix.shape:
        return _element(matrix.value, (), names)
    rows, columns = (*map(sympy_size, matrix.shape), sp.Integer(1))[:2]
    return sp.MatrixSymbol(names.get(matrix.value, "c"), rows, columns)


def _zero(matrix: Matrix, names: Names) -> Any:
    import sympy as sp

    rows, columns = (*map(sympy_size, matrix.shape), sp.Integer(1))[:2]
    return sp.ZeroMatrix(rows, columns)


def _ones(matrix: Matrix, names: Names) -> Any:
    import sympy as sp

    return sp.OneMatrix(sympy_size(matrix.shape[0]), 1)


def _identity(matrix: Matrix, names: Names) -> Any:
    import sympy as sp

    return sp.Identity(sympy_size(matrix.shape[0]))


def _onehot(matrix: Matrix, names: Names) -> Any:
    import sympy as sp

    row, column = sp.symbols("row column", integer=True)
    if len(matrix.shape) == 1:
        place = sympy_term(matrix.value, names)
        rule = sp.Lambda((row, column), sp.KroneckerDelta(row, place))
        return sp.FunctionMatrix(sympy_size(matrix.shape[0]), 1, rule)
    place = _element(matrix.value.tensor, (row,), names)
    rule = sp.Lambda((row, column), sp.KroneckerDelta(place, column))
    return sp.FunctionMatrix(*map(sympy_size, matrix.shape), rule)


_HEADS: Mapping[str, Callable[[Matrix, Names], Any]] = {
    "tensor": _tensor,
    "zero": _zero,
    "ones": _ones,
    "identity": _identity,
    "onehot": _onehot,
    "scalar": lambda matrix, names: sympy_term(matrix.value, names),
}
