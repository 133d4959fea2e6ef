"""Checks of arrays from outside: what C++ reads in place must lie as it expects."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def in_place(array: Any, what: str, *dtypes: type, copy: bool = False) -> NDArray[Any]:
    """`array` itself if it is C-contiguous and of one of `dtypes`; with `copy`, else one that is.

    Raises TypeError for another type, ValueError for other strides.
    """
    if not isinstance(array, np.ndarray):
        if not copy:
            raise TypeError(f"{what}: a NumPy array is needed, not {type(array).__name__}; "
                            "copy=True converts it")
        array = np.asarray(array)
    names = " or ".join(np.dtype(d).name for d in dtypes)
    if array.dtype not in [np.dtype(d) for d in dtypes]:
        if not copy or not np.issubdtype(dtypes[-1], np.floating):
            raise TypeError(f"{what}: its type is {array.dtype}, {names} is needed")
        if not np.issubdtype(array.dtype, np.floating):
            raise TypeError(f"{what}: its type is {array.dtype}, {names} or another float is needed")
        array = array.astype(dtypes[-1])
    if not array.flags.c_contiguous or not array.flags.aligned:
        if not copy:
            raise ValueError(f"{what}: shape {array.shape} with strides {array.strides} is not "
                             "C-contiguous; pass np.ascontiguousarray(x), or copy=True")
        array = np.ascontiguousarray(array)
    checked: NDArray[Any] = array
    return checked


def numbers(values: Any) -> list[float]:
    """A number or several, of any kind of sequence, as a list; None as an empty one."""
    return [] if values is None else [float(v) for v in np.ravel(values)]


def floats(array: Any) -> NDArray[np.float32]:
    """A C-contiguous float32 array of any numbers; copies where it must."""
    return np.ascontiguousarray(array, dtype=np.float32)


def whole_numbers(array: Any, what: str, dtype: type) -> NDArray[Any]:
    """A C-contiguous array of integers, refused where `dtype` does not hold them."""
    given = np.asarray(array)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise TypeError(f"{what}: integers are needed, its type is {given.dtype}")
    limits: Any = np.iinfo(dtype)
    if given.size and (int(given.min()) < limits.min or int(given.max()) > limits.max):
        raise ValueError(f"{what}: {given.min()}..{given.max()} does not fit {np.dtype(dtype)}")
    return np.ascontiguousarray(given, dtype=dtype)
