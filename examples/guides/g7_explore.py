r"""
Explore a model in the browser
==============================

``graphc explore model.py`` writes one HTML page and opens it: the figure, the formulas and the
emitted code side by side. It needs no server and no network, so it can be sent to students.
"""

import tempfile
from pathlib import Path

import numpy as np

import graphc as gc

x, y = gc.observed("x", shape=4), gc.observed("y", classes=3)
z = gc.tanh(gc.Linear(5, name="first")(x, output="s1"), output="z1")
C = gc.cross_entropy(gc.Linear(3, name="second")(z, output="s2"), y, name="C")
net = gc.Graph(C, name="explored")

# %%
# From Python it is one more ending of :func:`graphc.render`. Click a block, and its formulas and
# its lines of code light up; step through the forward and the backward pass with the arrow keys.
# With ``data=``, the numbers of a sample stand beside the variables, and the loss's gradient by
# each; of several samples along a leading axis the page's reader chooses one, or their average.
# Parameters are as training would start them, unless they are among the data.

page = Path(tempfile.mkdtemp()) / "explored.html"
gc.render(net, page, data={"x": np.array([0.5, -1.0, 0.0, 2.0]), "y": np.array(1)})
text = page.read_text()
print(f"{page.name}: {len(text) // 1000} kB")
assert "https://" not in text.replace("https://www.w3.org", "")

# %%
# The figure's options are those of :doc:`a figure for a paper <g6_draw_a_figure>`: parameters,
# direction, colours, the backward pass beside the model.

net

# %%
# The command line draws a model that stands in a file, and takes the numbers from an ``.npz``, as
# ``np.savez("sample.npz", x=x, y=y)`` writes it. An array holds one sample, or several along a
# leading axis, of which the page shows the first; what does not fit is an error.
#
# .. code-block:: bash
#
#    graphc explore model.py
#    graphc explore model.py:net -o page.html --no-open --backward mirror --data sample.npz
