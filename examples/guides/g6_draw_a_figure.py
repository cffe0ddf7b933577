r"""
Draw a figure for a paper
=========================

The diagram is a vector drawing with typeset labels. The ending of the file chooses the format:
``.svg``, ``.pdf``, ``.png`` (both with the extra ``export``), ``.tex`` (TikZ), ``.dot``, ``.mmd``.
"""

import tempfile
from pathlib import Path

import graphc as gc

# %%
# **Labels** are LaTeX; names stay identifiers.

x = gc.observed("x", shape=600, label=r"x")
y = gc.observed("y", classes=10, label=r"y")
encoder = gc.Linear(60, name="encoder", label=r"W_1")
z = gc.relu(encoder(x, output="s1"), output="z1")
head = gc.Linear(10, name="head", label=r"W_2")
C = gc.cross_entropy(head(z, output="s2"), y, name="C")
net = gc.Graph(C, name="figure")

folder = Path(tempfile.mkdtemp())
gc.render(net, folder / "figure.svg", direction="LR")

# %%
# **Parameters** inside the blocks, as short arrows, or as circles of their own.

gc.render(net, folder / "stubs.svg", direction="LR", params="stub")

# %%

gc.render(net, folder / "shared.svg", direction="LR", params="shared")

# %%
# **The backward pass** beside the model, or along its edges.

gc.render(net, folder / "mirror.svg", backward="mirror")

# %%

gc.render(net, folder / "overlay.svg", direction="LR", backward="overlay")

# %%
# **The average over samples** as a plate.

gc.render(net, folder / "plate.svg", direction="LR", average="plate")

# %%
# **One block under the glass**, with its Jacobians.

gc.render(net, folder / "magnified.svg", magnify="head")

# %%
# **The lecture's colours**: ``palette="classic"``.

gc.render(net, folder / "classic.svg", direction="LR", palette="classic")

# %%
# **In LaTeX**, ``\input`` the TikZ picture: its labels are set in the fonts of your paper.

tikz = gc.render(net, folder / "figure.tex", direction="LR")
lines = tikz.read_text().splitlines()
print(*lines[:18], "...", sep="\n")
assert any("tikzpicture" in line for line in lines)

# %%
# The same on the command line: ``graphc render model.py -o figure.pdf --direction LR``.
