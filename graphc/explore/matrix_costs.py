"""What a matrix function costs: the leading order in the sizes of its matrices, with its source.

GVL is G. Golub, C. Van Loan, "Matrix Computations", 4th edition (2013). Libraries choose their own
algorithms, and count differently in lower orders; the page marks these counts as leading orders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphc.ops.linalg import Linalg
from graphc.types import Dim, size_of


@dataclass(frozen=True, slots=True)
class MatrixCost:
    """Operations on one matrix of `m` rows and `n` columns, `m` no fewer; on `k` right sides.

    `whole` is false where numbers decide how much more there is to do.
    """

    operations: Callable[[Dim, Dim, Dim], Dim]
    note: str
    whole: bool = True


def _lu(n: Dim) -> Dim:
    return 2 * n * n * n // 3


def _svd(m: Dim, n: Dim) -> Dim:
    return 6 * m * n * n + 20 * n * n * n


def _singular(m: Dim, n: Dim) -> Dim:
    return 4 * m * n * n - 4 * n * n * n // 3


def _expm(n: Dim) -> Dim:
    return 12 * n * n * n + 8 * n * n * n // 3


# Six products and a system of n right sides; every squaring is one product more.
_PADE = "44/3 n³, and 2 n³ for each squaring (Higham, SIAM J. Matrix Anal. Appl. 26, 2005)"

COSTS = {
    "solve": MatrixCost(
        lambda m, n, k: _lu(n) + 2 * n * n * k, "2/3 n³ + 2 n² for each right side (GVL 3.2, 3.1)"
    ),
    "solve_triangular": MatrixCost(
        lambda m, n, k: n * n * k, "n² for each right side (GVL 3.1)"
    ),
    "inv": MatrixCost(
        lambda m, n, k: 8 * n * n * n // 3, "8/3 n³, a system of n right sides (GVL 3.2, 3.1)"
    ),
    "det": MatrixCost(lambda m, n, k: _lu(n), "2/3 n³ (GVL 3.2)"),
    "slogdet": MatrixCost(lambda m, n, k: _lu(n), "2/3 n³ (GVL 3.2)"),
    "cholesky": MatrixCost(lambda m, n, k: n * n * n // 3, "n³/3 (GVL 4.2)"),
    "qr": MatrixCost(
        lambda m, n, k: 4 * m * n * n - 4 * n * n * n // 3,
        "4 m n² − 4/3 n³, of which half form the orthogonal factor (GVL 5.2)",
    ),
    "eigh": MatrixCost(lambda m, n, k: 9 * n * n * n, "9 n³ (GVL 8.3)"),
    "eigvalsh": MatrixCost(lambda m, n, k: 4 * n * n * n // 3, "4/3 n³ (GVL 8.3)"),
    "svd": MatrixCost(lambda m, n, k: _svd(m, n), "6 m n² + 20 n³ (GVL 8.6)"),
    "svdvals": MatrixCost(lambda m, n, k: _singular(m, n), "4 m n² − 4/3 n³ (GVL 8.6)"),
    "matrix_rank": MatrixCost(lambda m, n, k: _singular(m, n), "4 m n² − 4/3 n³ (GVL 8.6)"),
    "pinv": MatrixCost(
        lambda m, n, k: _svd(m, n) + 2 * m * n * n, "8 m n² + 20 n³, by the svd (GVL 8.6)"
    ),
    "cofactors": MatrixCost(
        lambda m, n, k: _svd(n, n) + 2 * _lu(n) + 2 * n * n * n,
        "88/3 n³, by the svd and two determinants (GVL 8.6, 3.2)",
    ),
    "expm": MatrixCost(lambda m, n, k: _expm(n), _PADE, whole=False),
    "expm_frechet": MatrixCost(
        lambda m, n, k: 8 * _expm(n), f"as expm of a matrix twice as large: {_PADE}", whole=False
    ),
}  # fmt: skip


def matrix_operations(node: Linalg) -> Dim | None:
    """Return the operations of a matrix function, for all its matrices; None if not known."""
    cost = COSTS.get(node.function)
    rows, columns = node.args[0].shape[-2:]
    if cost is None:
        return None
    if rows != columns:
        if not (isinstance(rows, int) and isinstance(columns, int)):
            return None
        rows, columns = max(rows, columns), min(rows, columns)
    front = size_of(node.args[0].shape[:-2])
    return front * cost.operations(rows, columns, _right_sides(node))


def _right_sides(node: Linalg) -> Dim:
    if len(node.args) < 2:
        return 0
    a, b = node.args
    return 1 if b.type.rank < a.type.rank else b.shape[-1]
