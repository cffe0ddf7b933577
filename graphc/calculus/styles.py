"""How text and LaTeX spell mathematics: a record each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graphc.calculus.names import subscripted

RELATIONS = {
    "greater": (">", ">"),
    "greater_equal": ("≥", r"\ge"),
    "less": ("<", "<"),
    "less_equal": ("≤", r"\le"),
    "equal": ("=", "="),
    "not_equal": ("≠", r"\ne"),
    "logical_and": ("∧", r"\land"),
    "logical_or": ("∨", r"\lor"),
    "logical_xor": ("⊕", r"\oplus"),
}
BRACKETS = {
    "absolute": (("|", "|"), (r"\left|", r"\right|")),
    "floor": (("⌊", "⌋"), (r"\left\lfloor ", r"\right\rfloor")),
    "ceil": (("⌈", "⌉"), (r"\left\lceil ", r"\right\rceil")),
}
_SAME_NAME = "exp log sin cos tan sinh cosh tanh arcsin arccos arctan"
LATEX_FUNCTIONS = {
    **{name: rf"\{name}" for name in _SAME_NAME.split()},
    "max": r"\max",
    "min": r"\min",
    "maximum": r"\max",
    "minimum": r"\min",
    "fmax": r"\max",
    "fmin": r"\min",
    "sigmoid": r"\sigma",
    "log2": r"\log_2",
    "log10": r"\log_{10}",
    "rint": r"\mathrm{round}",
    "pi": r"\pi",
    "erfinv": r"\mathrm{erf}^{-1}",
    "erfcinv": r"\mathrm{erfc}^{-1}",
    "ndtr": r"\Phi",
    "log_ndtr": r"\log \Phi",
    "ndtri": r"\Phi^{-1}",
    "inverse_mills": r"\frac{\varphi}{\Phi}",
    "gamma": r"\Gamma",
    "gammaln": r"\log \Gamma",
    "digamma": r"\psi",
    "beta": r"\mathrm{B}",
    "betaln": r"\log \mathrm{B}",
}
TEXT_FUNCTIONS = {
    "sigmoid": "σ",
    "maximum": "max",
    "minimum": "min",
    "fmax": "max",
    "fmin": "min",
    "log2": "log₂",
    "log10": "log₁₀",
    "rint": "round",
    "pi": "π",
    "erfinv": "erf⁻¹",
    "erfcinv": "erfc⁻¹",
    "ndtr": "Φ",
    "log_ndtr": "log Φ",
    "ndtri": "Φ⁻¹",
    "inverse_mills": "(φ/Φ)",
    "gamma": "Γ",
    "gammaln": "log Γ",
    "digamma": "ψ",
    "beta": "B",
    "betaln": "log B",
}
# Functions whose first argument is an order: it becomes an index, or for polygamma a derivative's.
ORDERED = {
    "polygamma": ("ψ^({})", r"\psi^{{({})}}"),
    "iv": ("I_{}", "I_{{{}}}"),
    "jv": ("J_{}", "J_{{{}}}"),
    "ive": ("I^e_{}", r"I^{{\mathrm{{e}}}}_{{{}}}"),
    "spherical_jn": ("j_{}", "j_{{{}}}"),
    "exprel": ("exprel^({})", r"\mathrm{{exprel}}^{{({})}}"),
}
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True, slots=True)
class Style:
    """How a notation spells things; every field but the last four takes printed parts."""

    subscripted: Callable[[str, str], str]
    function: Callable[[str], str]
    quotient: Callable[[str, str], str]
    coefficient: Callable[[str, str], str]
    power: Callable[[str, str], str]
    root: Callable[[str], str]
    brackets: Callable[[str], str]
    under: Callable[[str, str], str]
    derivative: Callable[[str, Sequence[str]], str]
    signs: Mapping[str, str]
    minus: str
    grouped: bool  # whether a quotient groups what stands above and below its bar
    column: int  # of RELATIONS and BRACKETS


def called(style: Style, function: str, args: Sequence[str]) -> str:
    """Return a function of printed arguments."""
    if not args:
        return style.function(function)
    if function in ORDERED:
        order, *args = args
        if function == "exprel" and order == "0":
            return style.function(function) + style.brackets(args[0])
        return ORDERED[function][style.column].format(order) + style.brackets(", ".join(args))
    if function == "logical_not":
        return style.brackets(f"1 {style.minus} {args[0]}")
    if function == "where" and style.grouped:
        condition = args[0].removeprefix("[").removesuffix("]")
        rows = rf"{args[1]} & {condition} \\ {args[2]} & \text{{else}}"
        return rf"\begin{{cases}} {rows} \end{{cases}}"
    return style.function(function) + style.brackets(", ".join(args))


def _text_subscripted(name: str, indices: str) -> str:
    if not indices:
        return name
    return f"{name}_{indices}" if indices.isalnum() else f"{name}_{{{indices}}}"


def _text_power(base: str, exponent: str) -> str:
    if exponent.lstrip("-−").isdecimal():
        return base + exponent.replace("−", "-").translate(SUPERSCRIPTS)
    return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"


def _text_derivative(above: str, below: Sequence[str]) -> str:
    if not below:
        return above
    order = "" if len(below) == 1 else str(len(below)).translate(SUPERSCRIPTS)
    under = "".join(f"∂{name}" for name in below)
    return f"∂{order}{above}/{under}"


def _latex_derivative(above: str, below: Sequence[str]) -> str:
    if not below:
        return above
    order = "" if len(below) == 1 else f"^{{{len(below)}}}"
    under = r" \, ".join(rf"\partial {name}" for name in below)
    return rf"\frac{{\partial{order} {above}}}{{{under}}}"


TEXT = Style(
    subscripted=_text_subscripted,
    function=lambda name: TEXT_FUNCTIONS.get(name, name),
    quotient=lambda above, below: f"{above} / {below}",
    coefficient=lambda above, below: f"({above}/{below})",
    power=_text_power,
    root=lambda body: f"√{body}" if body.replace("_", "").isalnum() else f"√({body})",
    brackets=lambda body: f"({body})",
    under=_text_subscripted,
    derivative=_text_derivative,
    signs={
        "∞": "∞",
        "π": "π",
        "·": "·",
        "Σ": "Σ",
        "∏": "∏",
        "δ": "δ",
        "max": "max",
        "min": "min",
        " mod ": " mod ",
        "where": ", where ",
        ";": "; ",
    },
    minus="−",
    grouped=False,
    column=0,
)
LATEX = Style(
    subscripted=subscripted,
    function=lambda name: LATEX_FUNCTIONS.get(name) or rf"\mathrm{{{_words(name)}}}",
    quotient=lambda above, below: rf"\frac{{{above}}}{{{below}}}",
    coefficient=lambda above, below: rf"\frac{{{above}}}{{{below}}}",
    power=lambda base, exponent: f"{base}^{{{exponent}}}",
    root=lambda body: rf"\sqrt{{{body}}}",
    brackets=lambda body: rf"\left({body}\right)",
    under=lambda sign, indices: f"{sign}_{{{indices}}}",
    derivative=_latex_derivative,
    signs={"∞": r"\infty", "π": r"\pi", "·": r" \cdot ", "Σ": r"\sum", "∏": r"\prod",
           "δ": r"\delta", "max": r"\max", "min": r"\min", " mod ": r" \bmod ",
           "where": r", \quad \text{where } ", ";": r", \; "},
    minus="-",
    grouped=True,
    column=1,
)  # fmt: skip


def _words(name: str) -> str:
    return name.replace("_", r"\_")
