"""Derivatives: the reverse sweep, what follows from it, and the index notation."""
