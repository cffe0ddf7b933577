"""The simplifier: what it makes equal, and what it must leave alone."""

from fractions import Fraction

import pytest

from graphc.calculus.index_notation import differentiate, free_indices
from graphc.calculus.index_terms import Index, in_range, order
from graphc.calculus.simplify_functions import call
from graphc.calculus.simplify_sums import best, sum_over, summed
from graphc.calculus.simplify_terms import delta, normal, number, plus, raised, replace, times
from graphc.errors import FormulaError
from graphc.ir.terms import Num, Ref, Sum, Symbol
from graphc.ops.leaves import new_input
from graphc.types import TensorType, named

n = named("n")
i, j = free_indices((n, n))
k, m = Index("k", n), Index("m", n)
short, long = Index("a", 3), Index("b", 5)
x, y, A = (new_input(TensorType(shape)) for shape in ((n,), (n,), (n, n)))
v = new_input(TensorType((5,)))


def at(tensor, *indices):
    return Ref(tensor, indices)


def test_equal_terms_are_one_object():
    assert plus(at(x, i), at(y, i), at(x, i)) is plus(at(y, i), times(number(2), at(x, i)))
    assert times(at(x, i), at(y, j), at(x, i)) is times(at(y, j), raised(at(x, i), number(2)))
    assert plus(at(x, i), times(number(-1), at(x, i))) is Num(0)


def test_sums_that_differ_in_names_are_one_object():
    one = sum_over((k, m), times(at(A, k, m), at(x, k), at(y, m)))
    other = sum_over((m, k), times(at(A, m, k), at(x, m), at(y, k)))
    swapped = sum_over((m, k), times(at(A, k, m), at(x, k), at(y, m)))
    assert one is other is swapped
    inner = summed(m, times(at(A, k, m), at(y, m)))
    assert summed(k, times(at(x, k), inner)) is one


def test_a_delta_vanishes_against_a_sum():
    assert summed(k, times(delta(i, k), at(x, k))) is at(x, i)
    assert summed(k, times(at(x, k), plus(delta(i, k), at(y, k)))) is plus(
        at(x, i), summed(k, times(at(x, k), at(y, k)))
    )
    assert times(delta(i, j), at(x, j)) is times(delta(i, j), at(x, i))
    assert times(delta(i, j), delta(i, j)) is delta(i, j)


def test_a_delta_stays_where_the_ranges_differ():
    cut = summed(short, times(delta(short, long), at(v, short)))
    assert isinstance(cut, Sum)
    assert not in_range(long, 3)
    assert in_range(short, 5)
    assert summed(long, times(delta(short, long), at(v, long))) is at(v, short)


def test_common_factors_come_out():
    term = plus(delta(i, j), times(number(-1), delta(i, j), raised(at(x, i), number(2))))
    assert term is times(delta(i, j), plus(number(1), times(number(-1), raised(at(x, i), Num(2)))))


def test_brackets_open_where_terms_vanish():
    bracket = plus(at(x, i), at(y, i))
    assert plus(times(at(x, j), bracket), times(number(-1), at(x, j), at(y, i))) is times(
        at(x, j), at(x, i)
    )


def test_what_does_not_depend_on_the_index_leaves_the_sum():
    assert summed(k, at(x, i)) is times(at(x, i), normal(summed(k, number(1))))
    assert summed(Index("k", 4), at(x, i)) is times(number(4), at(x, i))
    assert summed(Index("k", 1), at(v, Index("k", 1))) is at(v, Num(0))


def test_numbers_are_exact():
    assert number(0.5) is Num(Fraction(1, 2))
    assert number(3.0) is Num(3)
    assert number(1 / 3) is Num(Fraction(1, 3))
    assert raised(number(4), number(0.5)) is Num(2)
    assert raised(number(2), number(-1)) is Num(Fraction(1, 2))


def test_a_root_of_a_square_is_not_undone():
    square = raised(at(x, i), number(2))
    assert raised(square, number(0.5)) is not at(x, i)
    assert raised(raised(at(x, i), number(0.5)), number(2)) is at(x, i)


def test_exponentials_and_logarithms_undo_each_other():
    assert call("exp", call("log", at(x, i))) is at(x, i)
    assert call("log", call("exp", at(x, i))) is at(x, i)
    assert call("log", number(1)) is Num(0)


def test_index_arithmetic():
    row, column = Index("i", 3), Index("j", 5)
    flat = plus(times(number(5), row), column)
    assert call("floor_divide", flat, number(5)) is row
    assert call("remainder", flat, number(5)) is column


def test_putting_in_an_index_captures_nothing():
    inner = summed(k, times(at(A, i, k), at(x, k)))
    bound = inner.index
    moved = replace(inner, {i: bound})
    assert bound in _free_in(moved)
    assert moved.index is not bound


def _free_in(term):
    from graphc.calculus.index_terms import free

    return free(term)


def test_the_order_is_total_and_fixed():
    terms = [at(x, i), at(x, j), number(2), delta(i, j), plus(at(x, i), number(1))]
    assert len({order(term) for term in terms}) == len(terms)


def test_a_cut_contributes_nothing_but_is_reported_alone():
    sign = call("sign", at(x, i))
    assert differentiate(times(sign, at(x, i)), x, (j,)) is times(sign, delta(i, j))
    with pytest.raises(FormulaError, match="only through sign"):
        differentiate(sign, x, (j,))


def test_the_extreme_shares_equally():
    term = differentiate(best("max", k, at(x, k)), x, (j,))
    assert "equal" in repr(term)


def test_a_plain_symbol_gets_its_range_from_its_sum():
    symbol = Symbol("k")
    assert normal(Sum(symbol, n, at(x, symbol))) is summed(k, at(x, k))
