"""Functions that NumPy lacks, in NumPy alone: the reference values, and what emitted files carry.

Everything here is written for arrays of one library named ``np``, of any shape, and computes in
float64. The coefficients were fitted for this project, by interpolation at Chebyshev points with
mpmath at fifty digits; errors that docstrings state were measured against mpmath too.
"""
