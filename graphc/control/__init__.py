"""Node kinds that hold programs of their own: loops and choices.

They stand above the calculus, for their rules take derivatives of what they hold.
"""
