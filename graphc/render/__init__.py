"""Figures of computation graphs.

``opening`` and ``model`` make a diagram of a graph, and ``diagram`` says what there can be in one;
``backward``, ``magnifying``, ``average`` and ``folding`` rewrite it; ``layout`` gives everything a
place, a ``Drawing``, scope by scope; ``pinning`` and ``stacking`` move what is placed; a writer
such as ``svg`` prints it; ``files`` saves it.
"""
