"""The explorer: one page with the figure, the formulas and the code of a model, side by side.

``facts`` collects what the page says, ``counting`` what a block costs, ``values`` the numbers of a
sample, ``letters`` the outlines with which the page sets formulas; ``page`` puts them into one
HTML file, which needs no network. ``page.css`` and ``page.js`` are the page's own.
"""
