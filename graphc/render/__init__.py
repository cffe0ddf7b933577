"""Figures of computation graphs: draws the diagram it is handed.

``model`` makes a diagram of a graph, and ``diagram`` says what there can be in one; ``layout``
gives everything a place, a ``Drawing``; a writer such as ``svg`` prints it; ``files`` saves it.
"""
