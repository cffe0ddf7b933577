"""What users write: variables, the NumPy protocols, functions, costs, graphs."""
