"""The ready-made library, written in the language; names and definitions as in PyTorch."""
