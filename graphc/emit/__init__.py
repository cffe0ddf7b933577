"""Emission: a fold over a finished program. Decisions are made in `plan`, none in printing."""
