"""A look-alike for the one use notebooks make of numba here: `cuda.get_current_device().reset()`."""

from numba import cuda

__all__ = ["cuda"]
