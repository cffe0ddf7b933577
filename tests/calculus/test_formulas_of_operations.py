"""The formulas of every operation against the code: two routes to each value and each gradient.

A few operations of every module and group run with the suite, the whole table with the slow tests.
"""

import re
from itertools import islice

import numpy as np
import pytest

import graphc as gc
from graphc.calculus.evaluating import evaluate_term
from graphc.calculus.evaluating_matrices import evaluate_matrix
from graphc.errors import DerivativeError, FormulaError
from graphc.language.formula import formula_of
from graphc.ops.rules import evaluate
from tests.calculus.sympy_values import value_of
from tests.operations.test_operations import CASES, Subject, identifier

PER_GROUP = 3  # cases of each group that run with the suite
MOST_GRADIENTS = 8  # of one case, or a few more
MOST_REFUSED = 3  # formulas of one case

# Why an operation has no formula: every refusal says one of these.
REFUSED = re.compile(
    "write it in intermediate variables"
    "|has no formula in the elements of its matrix"
    "|has no derivative in letters; its differential is"
    "|the derivative of a loop has no formula but the recursion"
    "|a loop that goes on while a condition holds has no formula"
    "|two loops whose states have one name have no common formula"
    "|a fixed point .* has no formula"
    "|(argmax|argmin|argsort) has no index form: it is what a search finds"
    "|what reaches across samples has no index form"
    "|setting elements has no index form"
    "|a choice between bodies has no formula; np.where has one"
    "|a function with a derivative of its own has no formula"
    "|a linear recurrence has no index form"
)


def formulas_of(case):
    """Every value and every gradient of a case, with what it is."""
    subject = Subject(case)
    found = [(f"value {i}", v) for i, v in enumerate(subject.outputs)]
    if case.differentiable:
        total = sum(
            np.sum(v * w)
            for v, w in zip(subject.outputs, subject.weights, strict=True)
            if v.kind == "real"
        )
        # A transformer has dozens of parameters, with the same few formulas.
        every = max(1, len(subject.reals) // MOST_GRADIENTS)
        for i, x in enumerate(subject.reals[::every]):
            try:
                found.append((f"gradient {i}", gc.grad(total, x)))
            except DerivativeError:  # nothing passes: tests of the language say what is told then
                continue
    feed = dict(zip([v.node for v in subject.inputs], case.arguments, strict=True))
    return found, feed


def agree(got, want):
    return np.allclose(got, want, rtol=1e-6, atol=1e-9, equal_nan=True)


def check_formula(v, feed, what):
    """Compare a formula in all its forms with the code; return whether there is one."""
    want = np.asarray(evaluate([v.node], feed, {})[0], float)
    try:
        shown = formula_of(v, depth=None)
        index = shown if shown.matrix is None else formula_of(v, "index", depth=None)
        assert shown.text and shown.latex and index.presented
    except FormulaError as error:
        assert REFUSED.search(str(error)), f"{what}: {error}"
        return False
    values = {node: evaluate([node], feed, {})[0] for node in index.named}
    assert agree(evaluate_term(index.term, values, {}, index.free), want), f"{what}: {index.text}"
    assert agree(evaluate_term(index.presented, values, {}, index.free), want), what
    check_sympy(index, values, want, what)
    if shown.matrix is not None:
        got = evaluate_matrix(shown.matrix, values)
        assert agree(np.reshape(got, want.shape), want), f"{what}: {shown.text}"
    return True


def check_sympy(formula, values, want, what):
    """Compare what `gc.formula` returns at one place; inverses have tests of their own."""
    sp = pytest.importorskip("sympy")
    try:
        expression = formula.sympy
    except FormulaError as error:
        assert "has no SymPy form" in str(error), f"{what}: {error}"
        return
    if not want.size or expression.has(sp.MatrixSymbol, sp.MatrixBase):
        return
    arrays = {formula.named[node]: values[node] for node in values}
    place = tuple((3 * i + 1) % n for i, n in enumerate(want.shape))
    names = [index.name for index in formula.free]
    got = value_of(expression, arrays, dict(zip(names, place, strict=True)))
    if np.isnan(got) and np.isfinite(want[place]) and "-1.0e+30" in str(expression):
        return  # where nothing is seen, SymPy has quotients of exponentials that are 0 in floats
    assert agree(got, want[place]), f"{what}: {expression}"


def check_case(case):
    """Compare the formulas of a case with the code; return how many it has."""
    found, feed = formulas_of(case)
    made = refused = 0
    for what, v in found:
        if check_formula(v, feed, f"{identifier(case)}, {what}"):
            made += 1
        else:
            refused += 1
        if refused == MOST_REFUSED:  # the others are as long; each takes seconds
            break
    return made


GROUPS = {}
for _case in CASES:
    GROUPS.setdefault(_case.group, []).append(_case)
SOME = [case for held in GROUPS.values() for case in islice(held, PER_GROUP)]


@pytest.mark.parametrize("case", SOME, ids=identifier)
def test_formulas_agree_with_the_code(case):
    check_case(case)


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_formulas_of_the_whole_table_agree_with_the_code(group):
    counted = [check_case(case) for case in GROUPS[group]]
    print(f"{group}: {sum(counted)} formulas of {sum(map(bool, counted))} of {len(counted)}")
